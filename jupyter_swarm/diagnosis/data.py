"""Data that a model is trained on, X and y, as plain columns; read by duck typing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_swarm.diagnosis.objects import kind, listed, number
from jupyter_swarm.errors import UsageError

CELLS = 500_000
"""Of a larger table, rows are taken evenly until it has no more."""
CLASSES = 50
"""A target of whole numbers with more distinct values is a quantity, no label."""


@dataclass(frozen=True)
class Data:
    """X by columns, and y. A missing value is None or NaN."""

    columns: Mapping[str, Sequence[Any]]
    """Feature → values; empty where X has none to look at (images, text)."""
    target: Sequence[Any] = ()
    """y, as long as the columns; empty where none was given."""
    labels: Sequence[Any] = ()
    """Every y, also of rows that were left out of the columns."""
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> Counter[Any]:
        """Label → rows; empty where y is no label."""
        known = [each for each in self.labels if not missing(each)]
        counts = Counter(known)
        words = any(isinstance(each, (str, bool)) for each in counts)
        whole = all(isinstance(each, (str, bool)) or float(each).is_integer() for each in counts)
        few = len(counts) <= min(CLASSES, max(2, len(known) // 4))
        return counts if few and (words or whole) else Counter()


def of(features: Any, target: Any = None, names: tuple[str, str] = ("X", "y")) -> Data:
    """X and y as columns.

    Raises:
        UsageError: one of them is no table or no column, they are empty, or they differ in length.

    >>> of([[1.0, 2.0], [3.0, 4.0]], [0, 1]).columns
    {'X[0]': [1.0, 3.0], 'X[1]': [2.0, 4.0]}
    """
    notes: list[str] = []
    length = _length(features, names[0])
    labels = _labels(target, names[1]) if target is not None else []
    if target is not None and len(labels) != length:
        raise UsageError(
            f"{names[0]} has {length} rows, {names[1]} has {len(labels)}",
            where=f"{kind(features)}, {kind(target)}",
            cure="the two that belong together, as in X_train y_train",
        )
    wide = _wide(features)
    every = max(1, -(-length * wide // CELLS))
    taken = features[::every] if every > 1 and not isinstance(features, Mapping) else features
    columns = _columns(taken, names[0], notes)
    if every > 1 and columns:
        notes.append(f"of {names[0]}, every {every}th row was read")
        columns = {name: cells if taken is not features else cells[::every] for name, cells in columns.items()}
    return Data(columns, labels[::every], labels, tuple(notes))


def missing(value: Any) -> bool:
    """Whether nothing stands there.

    >>> missing(None), missing(float("nan")), missing(0)
    (True, True, False)
    """
    return (
        value is None
        or (isinstance(value, float) and math.isnan(value))
        or type(value).__name__ in ("NAType", "NaTType")
    )


def _length(value: Any, name: str) -> int:
    if isinstance(value, Mapping) and value:
        return len(next(iter(value.values())))
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__") or not hasattr(value, "__getitem__"):
        raise UsageError(f"{name} is no table", where=kind(value), cure="a frame, an array, or a list of rows")
    if not len(value):
        raise UsageError(f"{name} is empty", where=kind(value), cure="the data that the model is trained on")
    return len(value)


def _wide(value: Any) -> int:
    """Cells of a row."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, Sequence) and len(shape) > 1:
        return int(math.prod(shape[1:]))
    if isinstance(value, Mapping):
        return len(value)
    first = value[0] if isinstance(value, Sequence) else None
    return len(first) if isinstance(first, (Sequence, Mapping)) and not isinstance(first, str) else 1


def _columns(value: Any, name: str, notes: list[str]) -> dict[str, list[Any]]:
    """Feature → values.

    Raises:
        UsageError: it cannot be read, or its rows differ in length.
    """
    if hasattr(value, "columns") and hasattr(value, "__getitem__"):
        return {str(each): listed(value[each]) or [] for each in value.columns}
    if isinstance(value, Mapping):
        return {str(each): listed(cells) or [] for each, cells in value.items()}
    shape = getattr(value, "shape", ())
    if len(shape) > 2:
        notes.append(f"{name} has {len(shape)} dimensions: its features are not looked at one by one")
        return {}
    table = listed(value)
    if table is None:
        raise UsageError(f"{name} cannot be read", where=kind(value), cure="a frame, an array, or a list of rows")
    return _of_rows(table, name, notes)


def _of_rows(table: list[Any], name: str, notes: list[str]) -> dict[str, list[Any]]:
    """Feature → values, of rows that are dictionaries, lists or single values.

    Raises:
        UsageError: the rows differ in length.
    """
    if all(isinstance(row, Mapping) for row in table):
        heads = list(dict.fromkeys(key for row in table for key in row))
        return {str(head): [row.get(head) for row in table] for head in heads}
    if all(not isinstance(row, (list, tuple)) for row in table):
        return {name: table}
    widths = {len(row) if isinstance(row, (list, tuple)) else 1 for row in table}
    if len(widths) > 1:
        raise UsageError(f"the rows of {name} differ in length", where=kind(table), cure="rows of one length")
    if any(isinstance(each, (list, tuple)) for each in table[0]):
        notes.append(f"{name} has more than two dimensions: its features are not looked at one by one")
        return {}
    return {f"{name}[{place}]": [row[place] for row in table] for place in range(widths.pop())}


def _labels(value: Any, name: str) -> list[Any]:
    """One label a row; of several columns with a single 1 in each row, the column of the 1.

    Raises:
        UsageError: it is no column.
    """
    if hasattr(value, "columns") and hasattr(value, "__getitem__") and len(value.columns) == 1:
        value = value[value.columns[0]]
    found = listed(value)
    if found is None and callable(getattr(getattr(value, "values", None), "tolist", None)):
        found = listed(value.values)
    if found is None:
        raise UsageError(f"{name} is no column", where=kind(value), cure="one label or number for each row")
    if all(isinstance(each, (list, tuple)) for each in found):
        if all(len(each) == 1 for each in found):
            found = [each[0] for each in found]
        elif all(sum(map(bool, each)) == 1 for each in found):
            found = [max(range(len(each)), key=each.__getitem__) for each in found]
        else:
            raise UsageError(f"{name} has several columns", where=kind(value), cure="one of them")
    odd = next((each for each in found if not missing(each) and not isinstance(each, str) and number(each) is None
                and not isinstance(each, bool)), None)  # fmt: skip
    if odd is not None:
        raise UsageError(f"{name} holds something that is neither a number nor a name: {str(odd)[:60]!r}",
                         where=kind(value), cure="one label or number for each row")  # fmt: skip
    return found
