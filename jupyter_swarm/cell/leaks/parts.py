"""Parts of values: columns of frames, elements of collections, and what remains after a method."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace

from jupyter_swarm.cell.leaks.traces import NONE, NOTHING, Fit, Key, Value, either, held_out
from jupyter_swarm.cell.leaks.trade import ALONG, FEWER_ROWS, GROUPS, KEEPS_COLUMNS, KEEPS_ROWS, KEEPS_TARGET
from jupyter_swarm.cell.scan import is_literal, value_of


def scores(value: Value) -> frozenset[Key]:
    """Held-out rows that a single score was measured on."""
    return frozenset(key for key in value.asked if held_out(key)) if value.scalar else frozenset()


MARKS = (GROUPS, ALONG)


def predicted(found: Value, one: Value, two: Value) -> Value:
    """A product of held-out rows and weights that were made of training rows: predictions for those rows."""
    for rows, weights in ((one, two), (two, one)):
        split = {number for number, part in rows.parts if part}
        if held_out(rows.key) and {number for number, part in weights.parts if not part} & split:
            return found.but(asked=found.asked | {rows.key}, roots=rows.roots, parts=rows.parts)
    return found


def element(value: Value) -> Value:
    """What a loop over a value binds."""
    if value.each is not None:
        return value.each
    if value.items is not None:
        found = value.items[0] if value.items else NOTHING
        for other in value.items[1:]:
            found = either(found, other)
        return found
    return value.but(gathered=False, names=None, frame=None, rows=None)


def of_column(base: Value, column: str) -> Value:
    """One column of a frame."""
    fits = frozenset(fit for fit in base.fits if fit.column in (None, column))
    place = (base.frame.root, column) if base.frame is not None else None
    label = base.label if base.label in MARKS else column
    return base.but(frame=None, column=place, fits=fits, items=None, line=0, label=label)


def only(base: Value, names: tuple[str, ...]) -> Value:
    """Some columns of a frame; names that begin with "-" are left out."""
    dropped = {name[1:] for name in names if name.startswith("-")}
    if dropped:
        return leave_out(base, dropped)
    fits = frozenset(fit for fit in base.fits if fit.column is None or fit.column in names)
    frame = replace(base.frame, only=frozenset(names), dropped=NONE) if base.frame is not None else None
    return base.but(frame=frame, fits=fits, items=None)


def leave_out(base: Value, names: Iterable[str]) -> Value:
    """A frame without some columns."""
    gone = frozenset(names)
    fits = frozenset(fit for fit in base.fits if fit.column is None or fit.column not in gone)
    frame = base.frame
    return base.but(
        frame=replace(frame, dropped=frame.dropped | gone) if frame is not None else None, fits=fits, items=None
    )


def columns(base: Value, index: ast.expr, asked: Value) -> Value:
    """`df.loc[:, "y"]`, `data[:, -1]`, `data[:, :-1]`."""
    if asked.names is not None:
        return only(base, asked.names)
    if isinstance(index, ast.Slice) and index.lower is None and index.upper is None:
        return base
    if is_literal(index):
        place = value_of(index)
        return of_column(base, place if isinstance(place, str) else f"#{place}")
    match index:
        case ast.Compare(ops=[ast.NotEq()], comparators=[ast.Constant(value=str(name))]):
            return leave_out(base, [name])
    taken = frozenset(fit for fit in asked.stats | asked.fits if fit.supervised and fit.roots & base.roots)
    return base.but(frame=None, fits=base.fits | taken, chosen=base.chosen | asked.chosen)


def kept(base: Value, name: str) -> Value:
    """What remains after a method or function of this name: rows, columns, the target."""
    same = name in KEEPS_ROWS
    return base.flowing.but(
        rows=base.rows if same or name in FEWER_ROWS else None,
        complete=base.complete and same,
        frame=base.frame if name in KEEPS_COLUMNS else None,
        column=base.column if name in KEEPS_TARGET else None,
        learner=None,
        line=base.line,
        label=base.label,
    )


def with_column(fit: Fit, column: str | None) -> Fit:
    """A fit that only one column carries."""
    return replace(fit, column=column) if column is not None else fit
