"""Fingerprints of data, by which changes in place are found.

    before = Mark(y)
    y *= 2
    before.changes(y)          [": 178 of 178 values"]

What has a buffer (numpy, pandas, torch, sparse matrices) is taken by its bytes: as a copy where it is small, otherwise
as a checksum of each block of `BLOCK` bytes. Of more than `LOOK_BYTES` a look takes a sample of blocks, another one
each time: a change of a few values among very many can escape one look, hardly many. Anything else is taken by its
pickle, as far as that is short; objects part by part (`parts.py`); long lists and arrays of objects by the addresses of
their items (a fork's are its parent's), so that items that change within are not seen. What cannot be taken is listed
in `uncovered`.

Columns that are added to a frame are no change. CRC-32 is no defence against someone who computes collisions.
"""

from __future__ import annotations

import pickle
import random
import sys
import time
import types
import zlib
from array import array
from collections.abc import Iterator
from typing import Any

from .parts import BEYOND, LONG, is_a, is_frame, parts

BLOCK = 1 << 20
COPY_BYTES = 1 << 16
"""Of arrays up to this size a copy is kept, by which changed values are counted."""
LOOK_BYTES = 64 << 20
"""What one look at a value reads at most, about."""
PICKLE_BYTES = 1 << 20
"""What a pickle may take; of anything longer no fingerprint is taken."""
MOST_ITEMS = 100_000
"""Lists with more than `LONG` items are taken by the addresses of these, of so many of them at most."""
_Random, _clock = random.Random, time.monotonic_ns


class Mark:
    """The fingerprint of a value as it is now. It keeps no reference to the value, but copies of what is small."""

    def __init__(self, value: Any) -> None:
        self.uncovered: list[str] = []
        """Parts of which no fingerprint was taken (`"['text']"`; "" for all of it)."""
        self.bytes = 0
        """What it takes to look at all of it."""
        self.quick = False
        """Whether a look takes some microseconds only."""
        self._parts: dict[str, _Array | _Plain] = {}
        for label, part in parts(value):
            try:
                taken = _taken(part)
            except Exception:  # whatever a foreign object does when it is looked at
                self.uncovered.append(label)
                continue
            self._parts[label] = taken
            self.bytes += taken.bytes
        self.quick = is_a(value, "numpy", "ndarray") and 0 < self.bytes <= COPY_BYTES

    def changes(self, value: Any) -> list[str]:
        """What differs in a value now, a phrase for each part; [] where nothing does."""
        share = min(1.0, LOOK_BYTES / (self.bytes or 1))
        now, left, found = dict(parts(value)), set(self.uncovered), []
        for label, part in self._parts.items():
            if label not in now:
                found.append(f"{label}: it is gone")
                continue
            try:
                said = part.change(now[label], share)
            except Exception:
                said = "it can no longer be looked at"
            if said:
                found.append(f"{label}: {said}")
        if not is_frame(value):
            found += [f"{label}: it was added" for label in now if label not in self._parts and label not in left]
        return found


class _Array:
    """A buffer."""

    def __init__(self, values: Any) -> None:
        self._like = (values.dtype.str, values.shape)
        self.bytes = int(values.nbytes)
        self._copy = values.tobytes() if self.bytes <= COPY_BYTES else b""
        self._sums = [] if self.bytes <= COPY_BYTES else [zlib.crc32(block) for block in _blocks(values, ())]

    def change(self, values: Any, share: float) -> str:
        if (values.dtype.str, values.shape) != self._like:
            return f"{values.dtype.str} {values.shape} instead of {self._like[0]} {self._like[1]}"
        if not self._sums:
            return self._counted(values)
        places = range(len(self._sums))
        if share < 1.0:
            chance = _Random(_clock())
            places = sorted(chance.sample(places, max(1, round(share * len(places)))))  # type: ignore[assignment]
        looked = zip(places, _blocks(values, places), strict=True)
        changed = sum(self._sums[place] != zlib.crc32(block) for place, block in looked)
        return f"other values in {changed} of {len(places)} blocks" if changed else ""

    def _counted(self, values: Any) -> str:
        now = values.tobytes()
        if now == self._copy:
            return ""
        size, step = int(values.size), int(values.itemsize)
        changed = sum(now[at : at + step] != self._copy[at : at + step] for at in range(0, len(now), step))
        return f"{changed:,} of {size:,} values"


def _blocks(values: Any, places: Any) -> Iterator[Any]:
    """The blocks at these places, all where none are given; those of an array that is scattered are put together."""
    numpy = sys.modules["numpy"]
    if values.flags.f_contiguous and not values.flags.c_contiguous:
        values = values.T
    if values.flags.c_contiguous:
        flat = memoryview(values.reshape(-1).view("u1"))
        for place in places or range(-(-len(flat) // BLOCK)):
            yield flat[place * BLOCK : (place + 1) * BLOCK]
        return
    rows = max(1, BLOCK * len(values) // values.nbytes)
    for place in places or range(-(-values.nbytes // BLOCK)):  # at most so many: rows are rounded down to fit a block
        last = -(-values.nbytes // BLOCK) - 1
        piece = values[place * rows :] if place == last else values[place * rows : (place + 1) * rows]
        yield memoryview(numpy.ascontiguousarray(piece).reshape(-1).view("u1"))


class _Plain:
    """What is taken by its pickle."""

    def __init__(self, value: Any) -> None:
        self._kind, self._size = type(value), _length(value)
        self._sum, self.bytes = _sum(value)

    def change(self, value: Any, share: float) -> str:
        if type(value) is not self._kind:
            return f"{type(value).__name__} instead of {self._kind.__name__}"
        if (size := _length(value)) != self._size:
            return f"{size} items instead of {self._size}"
        return "other contents" if _sum(value)[0] != self._sum else ""


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, (list, tuple, dict, set, frozenset, str, bytes, bytearray)) else None


def _sum(value: Any) -> tuple[int, int]:
    """Checksum, and what it takes."""
    if type(value) in (list, tuple) and len(value) > LONG:
        addresses = array("Q", map(id, value[:: 1 + len(value) // MOST_ITEMS]))
        return zlib.crc32(addresses), 8 * len(addresses)
    return _pickled(value)


class _TooLong(Exception):
    """Something has grown beyond what is looked at."""


class _Sum:
    """A file that keeps no more than a checksum."""

    def __init__(self) -> None:
        self.sum = self.bytes = 0

    def write(self, data: Any) -> None:
        size = memoryview(data).nbytes
        self.bytes += size
        if self.bytes > PICKLE_BYTES:
            raise _TooLong
        self.sum = zlib.crc32(data, self.sum)


class _Pickler(pickle.Pickler):
    """Functions, classes and modules are taken by their names: whether they can be found there does not matter."""

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, (types.FunctionType, type, types.ModuleType, types.CodeType)):
            return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', value.__class__)}"
        if isinstance(size := getattr(value, "nbytes", 0), int) and size > PICKLE_BYTES:
            raise _TooLong  # before it is copied
        return None


def _pickled(value: Any) -> tuple[int, int]:
    """Checksum and length of a pickle."""
    for fast in (
        True,
        False,
    ):  # without a memo, equal values have equal pickles; those that contain themselves need one
        file = _Sum()
        pickler = _Pickler(file, 4)
        pickler.fast = fast
        try:
            pickler.dump(value)
        except (ValueError, RecursionError):
            if not fast:
                raise
            continue
        return file.sum, file.bytes
    raise ValueError("it cannot be pickled")


def _taken(part: Any) -> _Array | _Plain:
    if part is BEYOND:
        raise _TooLong
    return _Array(part) if is_a(part, "numpy", "ndarray") else _Plain(part)
