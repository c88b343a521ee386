"""Fingerprints of data, by which changes in place are found.

    before = Mark(y)
    y *= 2
    before.changes(y)          [": 178 of 178 values"]

What has a buffer (numpy, pandas, torch, sparse matrices) is taken by its bytes: as a copy where it is small, otherwise
as a checksum of each block of `BLOCK` bytes. Of more than `LOOK_BYTES` a look takes a sample of blocks, another one
each time: a change of a few values among very many can escape one look, hardly many. Anything else is taken by its
pickle, as far as that is short; objects attribute by attribute; long lists and arrays of objects by the addresses of
their items (a fork's are its parent's), so that items that change within are not seen. Only what lies in a value itself
is taken so: what pandas makes anew whenever it is asked (texts, periods, missing values) has other addresses each time,
so that of its arrays the memory behind them is looked at. What cannot be taken is listed in `uncovered`.

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

BLOCK = 1 << 20
COPY_BYTES = 1 << 16
"""Of arrays up to this size a copy is kept, by which changed values are counted."""
LOOK_BYTES = 64 << 20
"""What one look at a value reads at most, about."""
PICKLE_BYTES = 1 << 20
"""What a pickle may take; of anything longer no fingerprint is taken."""
LONG = 2_000
"""Lists with more items are taken by the addresses of these, of `MOST_ITEMS` of them at most."""
MOST_ITEMS = 100_000
DEEPEST, MOST_PARTS = 3, 10_000
_BEYOND = object()
"""Parts beyond `MOST_PARTS`."""
_Random, _clock = random.Random, time.monotonic_ns
Part = tuple[str, Any]


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
        for label, part in _parts(value):
            try:
                taken = _taken(part)
            except Exception:  # whatever a foreign object does when it is looked at
                self.uncovered.append(label)
                continue
            self._parts[label] = taken
            self.bytes += taken.bytes
        self.quick = _is(value, "numpy", "ndarray") and 0 < self.bytes <= COPY_BYTES

    def changes(self, value: Any) -> list[str]:
        """What differs in a value now, a phrase for each part; [] where nothing does."""
        share = min(1.0, LOOK_BYTES / (self.bytes or 1))
        now, left, found = dict(_parts(value)), set(self.uncovered), []
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
        if not _is_frame(value):
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
    if part is _BEYOND:
        raise _TooLong
    return _Array(part) if _is(part, "numpy", "ndarray") else _Plain(part)


def _is(value: Any, module: str, name: str) -> bool:
    """Whether a value is of a class, where its module is loaded."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _is_frame(value: Any) -> bool:
    return _is(value, "pandas", "DataFrame")


def _parts(value: Any, label: str = "", depth: int = 0) -> Iterator[Part]:
    """A value, or what it consists of: labels as in code, with arrays and plain values."""
    try:
        found = list(_inside(value, label, depth))
    except Exception:
        found = [(label, value)]
    for name, part in found[:MOST_PARTS]:
        yield from _flat(name, part)
    if len(found) > MOST_PARTS:
        yield f"{label} beyond {MOST_PARTS:,} parts", _BEYOND


def _flat(label: str, part: Any) -> Iterator[Part]:
    """Arrays that hold objects as lists of these, and all else as it is."""
    if not _is(part, "numpy", "ndarray") or not part.dtype.hasobject:
        yield label, part
    elif part.dtype.names:
        for field in part.dtype.names:
            yield from _flat(f"{label}[{field!r}]", part[field])
    elif part.dtype.kind == "O":
        yield label, part.reshape(-1).tolist()
    else:  # numpy's own texts: each look makes new objects of them, whose addresses must not be taken
        yield label, [part.tolist()]


def _inside(value: Any, label: str, depth: int) -> Iterator[Part]:
    known: Any = next((take for module, name, take in _KINDS if _is(value, module, name)), None)
    if known is not None:
        yield from known(value, label)
    elif depth >= DEEPEST or not _has_parts(value):
        yield label, value
    elif isinstance(value, dict) and any(map(_has_parts, value.values())):
        for key, each in value.items():
            yield from _parts(each, f"{label}[{key!r}]", depth + 1)
    elif isinstance(value, (list, tuple)) and any(map(_has_parts, value[:LONG])):
        for place, each in enumerate(value):
            yield from _parts(each, f"{label}[{place}]", depth + 1)
    elif isinstance(getattr(value, "__dict__", None), dict) and not isinstance(value, dict):
        yield f"{label}.__class__", type(value).__qualname__
        for name, each in vars(value).items():
            yield from _parts(each, f"{label}.{name}", depth + 1)
    else:
        yield label, value


def _has_parts(value: Any) -> bool:
    """Whether something larger may be in it."""
    return not isinstance(value, (str, bytes, int, float, complex, bool, type(None), set, frozenset, type, range))


def _of_array(value: Any, label: str) -> Iterator[Part]:
    numpy = sys.modules["numpy"]
    if isinstance(value, numpy.ma.MaskedArray):
        yield label, numpy.asarray(value.data)
        yield f"{label}.mask", numpy.ma.getmaskarray(value)
    else:
        yield label, value.view(numpy.ndarray)


def _of_frame(value: Any, label: str) -> Iterator[Part]:
    yield from _of_index(value.index, f"{label}.index")
    for place, (name, column) in enumerate(value.items()):
        again = "" if value.columns.is_unique else f" (column {place})"
        yield from _of_extension(column.array, f"{label}[{name!r}]{again}")


def _of_series(value: Any, label: str) -> Iterator[Part]:
    yield from _of_index(value.index, f"{label}.index")
    yield from _of_extension(value.array, label)


def _of_index(value: Any, label: str) -> Iterator[Part]:
    if _is(value, "pandas", "RangeIndex"):
        yield label, (value.start, value.stop, value.step)
    elif _is(value, "pandas", "MultiIndex"):
        for place, (codes, level) in enumerate(zip(value.codes, value.levels, strict=True)):
            yield f"{label}.codes[{place}]", codes
            yield from _of_index(level, f"{label}.levels[{place}]")
    else:
        yield from _of_extension(value.array, label)


def _of_extension(values: Any, label: str) -> Iterator[Part]:
    """The memory of one of pandas' arrays, and what of its type does not lie there (time zone, frequency, order)."""
    numpy = sys.modules["numpy"]
    if hasattr(values, "_pa_array"):
        yield from _of_arrow(values._pa_array.chunks, label)
    elif hasattr(values, "codes") and hasattr(values, "categories"):
        yield label, values.codes
        yield f"{label}.ordered", values.ordered
        yield from _of_index(values.categories, f"{label}.cat")
    elif hasattr(values, "_left") and hasattr(values, "_right"):
        yield from _of_extension(values._left, f"{label}.left")
        yield from _of_extension(values._right, f"{label}.right")
    elif hasattr(values, "_data") and hasattr(values, "_mask"):
        yield label, values._data
        yield f"{label}.isna()", values._mask
    elif hasattr(values, "sp_values"):
        yield label, values.sp_values
        yield f"{label}.sp_index", values.sp_index.to_int_index().indices
        yield f"{label}.fill_value", values.fill_value
    else:
        memory = getattr(values, "_ndarray", getattr(values, "_data", None))
        yield label, memory if isinstance(memory, numpy.ndarray) else values
    if any(hasattr(values.dtype, each) for each in ("tz", "freq", "closed")):
        yield f"{label}.dtype", str(values.dtype)


def _of_arrow(chunks: Any, label: str) -> Iterator[Part]:
    numpy = sys.modules["numpy"]
    yield label, numpy.array([(chunk.offset, len(chunk)) for chunk in chunks], "i8")
    for number, chunk in enumerate(chunks):
        if hasattr(chunk, "dictionary"):
            yield from _of_arrow([chunk.indices, chunk.dictionary], f"{label} ({number})")
            continue
        for place, buffer in enumerate(chunk.buffers()):
            if buffer is not None and buffer.size:
                yield f"{label} ({number}.{place})", numpy.frombuffer(buffer, "u1")


def _of_tensor(value: Any, label: str) -> Iterator[Part]:
    value, torch = value.detach(), sys.modules["torch"]
    if value.layout is not torch.strided:
        yield label, [value.coalesce().indices().tolist(), value.coalesce().values().tolist()]
        return
    value = value.cpu().resolve_conj().resolve_neg()
    yield label, (value.view(torch.int16) if value.dtype is torch.bfloat16 else value).numpy()


_KINDS = (
    ("numpy", "ndarray", _of_array),
    ("pandas", "DataFrame", _of_frame),
    ("pandas", "Series", _of_series),
    ("pandas", "Index", _of_index),
    ("pandas.api.extensions", "ExtensionArray", _of_extension),
    ("torch", "Tensor", _of_tensor),
)
