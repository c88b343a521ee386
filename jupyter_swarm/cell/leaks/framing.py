"""Methods of frames: rows and columns that leave, are drawn, sorted, grouped or shifted."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from jupyter_swarm.cell.leaks import trade
from jupyter_swarm.cell.leaks.arguing import keyword_of, line_of, spells, values_of
from jupyter_swarm.cell.leaks.parts import kept, leave_out, of_column
from jupyter_swarm.cell.leaks.telling import copies
from jupyter_swarm.cell.leaks.traces import NOTHING, Value, joined
from jupyter_swarm.cell.scan import is_literal, name_of, root_of, value_of

if TYPE_CHECKING:
    from jupyter_swarm.cell.leaks.tracing import Tracer


def _appended(tracer: Tracer, call: ast.Call, receiver: Value, root: str | None) -> Value:
    value = joined(values_of(tracer, call))
    root = root if root is not None else root_of(call.func)
    if root is not None and value is not NOTHING:
        gathered = tracer.loops > 0 and value.scores
        tracer.add(root, value.flowing.but(gathered=gathered or value.gathered))
    return NOTHING


def _dropped(tracer: Tracer, call: ast.Call, receiver: Value, root: str | None) -> Value:
    """`df.drop(columns=["y"])`, `df.drop("y", axis=1)`; an unknown set of columns leaves an unknown frame."""
    columns = keyword_of(call, "columns")
    if columns is None and spells(
        keyword_of(call, "axis") or (call.args[1] if len(call.args) > 1 else None), 1, "columns"
    ):
        columns = keyword_of(call, "labels") or (call.args[0] if call.args else None)
    if columns is None:
        return kept(receiver, "dropna").but(frame=receiver.frame)
    value = tracer.of(columns)
    one = tracer.text(columns)
    names = (one,) if one is not None else value.names
    found = leave_out(receiver, names) if names else receiver.but(frame=None)
    if spells(keyword_of(call, "inplace"), True) and receiver.frame is not None:
        if names:
            tracer.without(receiver.frame, names)
        elif root is not None:
            tracer.change(root, frame=None)
        return NOTHING
    return found


def _popped(tracer: Tracer, call: ast.Call, receiver: Value, root: str | None) -> Value:
    column = tracer.text(call.args[0]) if call.args else None
    if column is not None and receiver.frame is not None:
        found = of_column(receiver, column)
        tracer.without(receiver.frame, [column])
        return found
    return receiver.flowing


def _grouped_by(tracer: Tracer, call: ast.Call, receiver: Value, root: str | None) -> Value:
    """What a group says of a column: of the target, that is a target encoder made by hand."""
    return receiver.flowing.but(label=trade.GROUPS, frame=receiver.frame, column=receiver.column)


def _sampled(tracer: Tracer, call: ast.Call, receiver: Value, root: str | None) -> Value:
    if receiver.asked or not receiver.roots:
        return receiver.flowing
    found = kept(receiver, "sample").but(shuffled=True, frame=receiver.frame, column=receiver.column)
    if spells(keyword_of(call, "replace"), True):
        return found.but(fits=found.fits | copies(receiver, line_of(call)))
    whole = spells(keyword_of(call, "frac"), 1, 1.0)
    return found.but(rows=receiver.rows if whole else None, complete=whole and receiver.complete)


def _sorted_by(tracer: Tracer, call: ast.Call, receiver: Value, root: str | None) -> Value:
    by = keyword_of(call, "by", "keys") or (call.args[0] if call.args else None)
    names = (
        [str(value_of(by))] if by is not None and is_literal(by) else list((tracer.of(by).names if by else ()) or ())
    )
    dated = bool(names) and trade.DATED.fullmatch(names[0]) is not None
    place = line_of(call) if dated else 0
    sorts = name_of(call.func) != "set_index"
    found = kept(receiver, "sort_values" if sorts else "reset_index").but(
        ordered=place or (0 if sorts else receiver.ordered)
    )
    found = found.but(frame=receiver.frame, shuffled=False if sorts else receiver.shuffled)
    if spells(keyword_of(call, "inplace"), True) and root is not None:
        tracer.change(root, ordered=found.ordered, rows=found.rows, complete=found.complete)
        return NOTHING
    return found


def _lagged(tracer: Tracer, call: ast.Call, receiver: Value, root: str | None) -> Value:
    """Values of rows before or after: their order matters."""
    found = receiver.flowing.but(rows=None, label=trade.ALONG, ordered=line_of(call) if receiver.roots else 0)
    return found


HANDLERS: dict[str, Callable[[Tracer, ast.Call, Value, str | None], Value]] = {
    "append": _appended,
    "extend": _appended,
    "add": _appended,
    "drop": _dropped,
    "pop": _popped,
    "groupby": _grouped_by,
    "sample": _sampled,
    "sort_values": _sorted_by,
    "set_index": _sorted_by,
    **dict.fromkeys(trade.LAGS, _lagged),
}
