"""What the notebook lends to a cell, as values: data, models and splitters, looked at by their type and their name."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any

from jupyter_swarm.cell.leaks import learners, rows
from jupyter_swarm.cell.leaks.cutting import GIVEN
from jupyter_swarm.cell.leaks.traces import NOTHING, Frame, Value
from jupyter_swarm.cell.leaks.trade import HELD_OUT, TRAINED

_PLAIN = (types.ModuleType, type, types.FunctionType, str, bytes, bool, int, float, type(None))


def lent(name: str, namespace: Mapping[str, Any]) -> Value:
    """What is known of a variable of the notebook."""
    live = namespace.get(name)
    if isinstance(live, _PLAIN):
        return NOTHING
    attributes = rows.plain_attributes(live)
    splits = learners.splitter(type(live), attributes)
    if splits is not None:
        return Value(splitter=splits)
    made = learners.live(live, attributes)
    if made is not None:
        return Value(learner=made, label=name)
    if callable(live) and not rows.is_data(live):
        return NOTHING
    root, part = _given(name, namespace)
    return Value(
        roots=frozenset({root}),
        parts=frozenset() if part is None else frozenset({(GIVEN, part)}),
        frame=Frame(name) if rows.has_columns(live) else None,
        names=rows.strings(live),
        rows=name,
        complete=True,
        label=name,
    )


def _given(name: str, namespace: Mapping[str, Any]) -> tuple[str, int | None]:
    """Root and part: `X_train` and `X_test` are parts of one split; of `X`, where there is one as long as both."""
    stem, part = _stem(name)
    if part is None:
        return name, None
    whole = rows.length(namespace.get(stem))
    parts = sum(
        rows.length(value) or 0
        for other, value in namespace.items()
        if _stem(other) in ((stem, 0), (stem, 1), (stem, 2))
    )
    return (stem if whole is not None and whole == parts else f"given {stem}"), part


def _stem(name: str) -> tuple[str, int | None]:
    """The name without what says which rows it has, and their part: 0 to train on, 1 to test, 2 to validate.

    >>> _stem("X_train"), _stem("val_y"), _stem("weights")
    (('X', 0), ('y', 2), ('weights', None))
    """
    for pattern, part in ((HELD_OUT, 1), (TRAINED, 0)):
        if (found := pattern.fullmatch(name)) is not None:
            validates = part == 1 and found[2].lower().startswith(("val", "dev"))
            return f"{found[1] or ''}{found[3] or ''}".strip("_"), 2 if validates else part
    return name, None
