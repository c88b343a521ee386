"""Rows and columns by index: what cuts rows is a split, and what was chosen by a score is remembered."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from jupyter_swarm.cell.leaks.parts import columns, of_column, only
from jupyter_swarm.cell.leaks.traces import NOTHING, Value
from jupyter_swarm.cell.leaks.trade import TARGET
from jupyter_swarm.cell.scan import root_of

if TYPE_CHECKING:
    from jupyter_swarm.cell.leaks.tracing import Tracer


def subscript(tracer: Tracer, node: ast.Subscript) -> Value:
    """A column, rows or an element of a value."""
    base, index = tracer.of(node.value), node.slice
    if base is NOTHING:
        chosen = tracer.of(index).chosen
        return Value(chosen=chosen) if chosen else NOTHING
    if base.items is not None and isinstance(index, ast.Constant) and isinstance(index.value, int):
        return base.items[index.value] if -len(base.items) <= index.value < len(base.items) else NOTHING
    if base.each is not None:
        return base.each
    if isinstance(index, ast.Tuple) and len(index.elts) == 2:
        part, asked = _rows(tracer, base, index.elts[0], node), tracer.of(index.elts[1])
        column = tracer.text(index.elts[1])
        return of_column(part, column) if column is not None else columns(part, index.elts[1], asked)
    if (column := tracer.text(index)) is not None:
        return of_column(base, column)
    if (names := tracer.of(index).names) is not None:
        return only(base, names)
    return _rows(tracer, base, index, node)


def _rows(tracer: Tracer, base: Value, index: ast.expr, node: ast.Subscript) -> Value:
    """Some rows of a value: one side of a split, or a part of them."""
    if isinstance(index, ast.Slice) and index.lower is None and index.upper is None and index.step is None:
        return base
    name = root_of(node.value) or ""
    features = TARGET.fullmatch(name) is None and base.column is None
    asked = tracer.of(index)
    if (cut := tracer.cuts.get(id(node))) is not None:
        split = tracer.splits.at(cut.mark, node.lineno)
        split.random = split.random or asked.shuffled or base.shuffled
        found = tracer.cut(base, split, cut.part, node.lineno, features=features and base.roots != frozenset())
        return found.but(chosen=found.chosen | asked.chosen)
    value = base
    for number, part in sorted(asked.parts - base.parts):
        split = tracer.splits.all[number]
        value = tracer.cut(value, split, part, node.lineno, features=features)
    if value is base:
        supervised = frozenset(fit for fit in asked.stats | asked.fits if fit.supervised and fit.kind == "statistics")
        value = tracer.with_fits(base, supervised)
        is_mask = isinstance(index, (ast.Compare, ast.UnaryOp, ast.Slice)) or (
            isinstance(index, ast.BinOp) and isinstance(index.op, (ast.BitAnd, ast.BitOr))
        )
        value = value.but(frame=value.frame if is_mask else None)
    return value.but(
        partial=value.partial or bool(value.asked),
        complete=False, chosen=value.chosen | asked.chosen, shuffled=value.shuffled or asked.shuffled, items=None,
        gathered=value.gathered and isinstance(index, ast.Slice),
    )  # fmt: skip
