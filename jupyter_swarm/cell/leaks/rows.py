"""What the notebook's own data tell: looked at, a part of them and for a moment; never changed, never called.

Only what is exactly an array of numpy's, a frame or a series of pandas', or a list is looked at.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from jupyter_swarm.cell.leaks.traces import Frame, Value
from jupyter_swarm.cell.leaks.trade import DATED, GROUP, ITEM, PERSON, STAMPED

MOST_ROWS = 50_000
MOST_CELLS = 4_000_000
MOST_SECONDS = 0.3
FEW = 20
"""Rows below which nothing is said."""
_ISO = re.compile(r"\d{4}-\d{2}(-\d{2}([ T].*)?)?$")


def _kind(value: Any) -> str:
    kind = type(value)
    return f"{kind.__module__.partition('.')[0]}.{kind.__name__}"


def is_data(value: Any) -> bool:
    """Whether a value holds rows."""
    return _kind(value) in ("numpy.ndarray", "pandas.DataFrame", "pandas.Series", "builtins.list", "torch.Tensor")


def has_columns(value: Any) -> bool:
    """Whether a value is a table.

    >>> import numpy as np
    >>> has_columns(np.zeros((3, 2))), has_columns(np.zeros(3)), has_columns([1])
    (True, False, False)
    """
    kind = _kind(value)
    return kind == "pandas.DataFrame" or (kind == "numpy.ndarray" and value.ndim == 2)


def length(value: Any) -> int | None:
    """How many rows a value has; None where it has none."""
    if not is_data(value) or (_kind(value) == "numpy.ndarray" and value.ndim == 0):
        return None
    return len(value)


def strings(value: Any) -> tuple[str, ...] | None:
    """A short list of strings."""
    if type(value) in (list, tuple) and 0 < len(value) <= 1000 and all(type(each) is str for each in value):
        return tuple(value)
    return None


def plain_attributes(value: Any) -> dict[str, Any]:
    """What an object keeps in its own dictionary; {} where it has none."""
    try:
        return dict(object.__getattribute__(value, "__dict__"))
    except (AttributeError, TypeError):
        return {}


class Looked:
    """The notebook's data, looked at within a limit of time. Arrays are numpy's, of `MOST_ROWS` at most."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace, self._end = namespace, time.monotonic() + MOST_SECONDS
        self.numpy = sys.modules.get("numpy")

    @property
    def late(self) -> bool:
        """Whether time is up."""
        return self.numpy is None or time.monotonic() > self._end

    def columns(self, name: str, frame: Frame | None) -> Iterator[tuple[str, Any]]:
        """(name, array) of a table's columns, those that a frame still has; ends when time is up."""
        value: Any = self._namespace.get(name)
        if not has_columns(value):
            return
        if _kind(value) == "pandas.DataFrame":
            for place, column in enumerate(value.columns):
                if self.late:
                    return
                if frame is None or (frame.has(str(column)) and str(column) not in frame.changed):
                    yield str(column), self._array(value.iloc[:MOST_ROWS, place])
        else:
            for place in range(min(value.shape[1], 2000)):
                if self.late:
                    return
                if frame is None or (frame.has(f"#{place}") and frame.has(f"#{place - value.shape[1]}")):
                    yield str(place), value[:MOST_ROWS, place]

    def _array(self, series: Any) -> Any:
        return series.to_numpy()

    def vector(self, value: Value) -> Any | None:
        """The array that a value is, where it is a whole variable of one column, or a column of a table."""
        if self.late or value.rows is None:
            return None
        live = self._namespace.get(value.rows)
        if value.column is not None and has_columns(live) and value.column[0] == value.rows:
            return next((array for name, array in self.columns(value.rows, None) if name == value.column[1]), None)
        return self.one(live)

    def one(self, live: Any) -> Any | None:
        """A variable of one column as an array."""
        assert self.numpy is not None
        kind = _kind(live)
        if kind == "pandas.Series":
            return live.iloc[:MOST_ROWS].to_numpy()
        if kind == "numpy.ndarray":
            flat = live[:, 0] if live.ndim == 2 and live.shape[1] == 1 else live
            return flat[:MOST_ROWS] if flat.ndim == 1 else None
        if kind == "builtins.list" and live and all(type(each) in (int, float, str, bool) for each in live[:MOST_ROWS]):
            return self.numpy.array(live[:MOST_ROWS])
        return None

    # ------------------------------------------------------------ the target among the features

    def same_as_target(self, features: Value, target: Value) -> str | None:
        """The feature that is the target, up to a map that can be undone; None where none is."""
        y = self.vector(target)
        if y is None or features.rows is None or features.frame is None or len(y) < FEW:
            return None
        columns = list(self.columns(features.rows, features.frame))
        if len(columns) < 2:
            return None
        for name, column in columns:
            if self.late:
                return None
            if len(column) == len(y) and self._same(column, y):
                return name
        return None

    def _same(self, column: Any, y: Any) -> bool:
        np = self.numpy
        assert np is not None
        if _numeric(column) and _numeric(y):
            a, b = column.astype(float), y.astype(float)
            if not (np.isfinite(a).all() and np.isfinite(b).all()) or int((b != np.median(b)).sum()) < 5:
                return False
            low, high = int(b.argmin()), int(b.argmax())
            if b[low] == b[high]:
                return False
            slope = (a[high] - a[low]) / (b[high] - b[low])
            return slope != 0 and bool(np.abs(a - a[low] - slope * (b - b[low])).max() <= 1e-9 * np.abs(a).max())
        return self._renamed(column, y)

    def _renamed(self, column: Any, y: Any) -> bool:
        """Whether each class has one name of its own in the other column."""
        if not (_hashable(column) and _hashable(y)):
            return False
        pairs = set(zip(column.tolist(), y.tolist(), strict=True))
        ones, others = {a for a, _ in pairs}, {b for _, b in pairs}
        few = 2 <= len(others) <= min(50, len(y) // 5)
        return few and len(pairs) == len(ones) == len(others) and self._often(y)

    def _often(self, y: Any) -> bool:
        counts: dict[Any, int] = {}
        for each in y.tolist():
            counts[each] = counts.get(each, 0) + 1
        return len(y) - max(counts.values()) >= 5

    # ------------------------------------------------------------ rows that occur again

    def copies(self, features: Value, target: Value | None) -> float:
        """The share of rows that occurred before, where that is no coincidence; 0 where it may be one."""
        np = self.numpy
        if np is None or features.rows is None or not features.complete:
            return 0.0
        columns = [array for _, array in self.columns(features.rows, features.frame)]
        if self.late or not columns or len(columns[0]) < FEW:
            return 0.0
        y = self.vector(target) if target is not None else None
        if y is not None and len(y) == len(columns[0]):
            columns.append(y)
        rows = min(len(columns[0]), max(FEW, MOST_CELLS // len(columns)))
        codes = [self._codes(column[:rows]) for column in columns]
        if any(code is None for code in codes) or self.late:
            return 0.0
        total = np.zeros(rows, dtype=np.uint64)
        random = np.random.Generator(np.random.PCG64(0))
        for code in codes:
            mixed = (code ^ (code >> np.uint64(29))) * np.uint64(int(random.integers(2**62, 2**63)) * 2 + 1)
            total += mixed ^ (mixed >> np.uint64(31))
        different = len(np.unique(total))
        return (rows - different) / rows if self._surprising(columns, codes, rows, different) else 0.0

    def _codes(self, column: Any) -> Any | None:
        np = self.numpy
        assert np is not None
        if _numeric(column):
            return np.ascontiguousarray(column.astype(np.float64) + 0.0).view(np.uint64)
        if column.dtype.kind in "Mm":
            return np.ascontiguousarray(column).view(np.uint64)
        if not _hashable(column):
            return None
        return np.array([hash(each) & (2**63 - 1) for each in column.tolist()], dtype=np.uint64)

    def _surprising(self, columns: list[Any], codes: list[Any], rows: int, different: int) -> bool:
        """Whether rows of such columns do not coincide by chance.

        Either one column is continuous and hardly ever repeats but with its row, or several columns of many values
        would, independent of each other, coincide far less often.
        """
        np = self.numpy
        assert np is not None
        again = rows - different
        if again < 3:
            return False
        chance, most, many = rows * rows / 2.0, 0, 0
        for column, code in zip(columns, codes, strict=True):
            values, counts = np.unique(code, return_counts=True)
            most = max(most, len(values))
            if _numeric(column) and len(values) >= 10:
                many += 1
                chance *= float(((counts / rows) ** 2).sum())
            whole = _numeric(column) and column.dtype.kind == "f" and bool((column % 1 != 0).mean() > 0.5)
            if whole and len(values) >= 0.6 * rows and len(values) >= 0.95 * different:
                return True
        return many >= 3 and different > 2 * most and again > 20 * chance and chance < 0.5

    # ------------------------------------------------------------ rows that belong together, or follow each other

    def group(self, features: Value) -> str | None:
        """The column or variable that says which rows belong together; None where none does."""
        if features.rows is None:
            return None
        found = []
        for name, column in self._labels(features.rows):
            if ITEM.fullmatch(name):
                return None
            if PERSON.fullmatch(name) or GROUP.fullmatch(name):
                found.append((name, column))
        named = [(name, column) for name, column in found if self._repeats(name, column)]
        return named[0][0] if len({name.lower() for name, _ in named}) == 1 else None

    def _labels(self, rows: str) -> Iterator[tuple[str, Any]]:
        """Columns of the table, and variables that are as long as it."""
        if _kind(self._namespace.get(rows)) == "pandas.DataFrame":
            yield from self.columns(rows, None)
        for name, value in self._beside(rows):
            if (PERSON.fullmatch(name) or GROUP.fullmatch(name)) and (array := self.one(value)) is not None:
                yield name, array

    def _beside(self, rows: str) -> Iterator[tuple[str, Any]]:
        """Variables that are as long as another."""
        size = length(self._namespace.get(rows))
        for name, value in list(self._namespace.items()):
            if size is not None and not self.late and name != rows and length(value) == size:
                yield name, value

    def _repeats(self, name: str, column: Any) -> bool:
        if not (_hashable(column) or (_numeric(column) and column.dtype.kind in "iu")) or len(column) < FEW:
            return False
        different = len(set(column.tolist()))
        least = 3 if PERSON.fullmatch(name) or name == "groups" else 8
        return least <= different <= len(column) / 2

    def contiguous(self, features: Value, name: str) -> bool:
        """Whether the rows of each group stand together."""
        column = next((array for label, array in self._labels(features.rows or "") if label == name), None)
        if column is None:
            return False
        values = column.tolist()
        changes = 1 + sum(one != two for one, two in pairwise(values))
        return bool(changes == len(set(values)))

    def time_order(self, features: Value) -> str | None:
        """What says that rows follow each other in time; None where nothing does."""
        live: Any = self._namespace.get(features.rows or "")
        if _kind(live) in ("pandas.DataFrame", "pandas.Series") and self._ascends(
            live.index[:MOST_ROWS].to_numpy(), ""
        ):
            return "the index"
        for name, column in self.columns(features.rows or "", None):
            if self._ascends(column, name):
                return name
        for name, value in self._beside(features.rows or ""):
            if DATED.fullmatch(name) and (array := self.one(value)) is not None and self._ascends(array, name):
                return name
        return None

    def _ascends(self, column: Any, name: str) -> bool:
        if len(column) < FEW:
            return False
        if column.dtype.kind == "M":
            values = column.astype("int64")
        elif (
            _hashable(column)
            and DATED.fullmatch(name)
            and all(type(v) is str and _ISO.match(v) for v in column.tolist())
        ):
            listed = column.tolist()
            return listed == sorted(listed) and len(set(listed)) > len(listed) / 4
        elif _numeric(column) and STAMPED.fullmatch(name):
            values = column
        else:
            return False
        steps = values[1:] - values[:-1]
        return bool((steps >= 0).all() or (steps <= 0).all()) and len(set(values.tolist())) > len(values) / 4


def _numeric(column: Any) -> bool:
    return bool(column.dtype.kind in "iufb")


def _hashable(column: Any) -> bool:
    """Whether a column holds only plain values, whose hash is Python's own."""
    if column.dtype.kind in "iubUS":
        return True
    return column.dtype.kind == "O" and all(type(v) in (str, int, float, bool, type(None)) for v in column.tolist())
