"""What a value consists of: labels as in code, with the arrays and the plain values that lie behind them.

    list(parts({"y": y, "k": 3}))          [("['y']", array([...])), ("['k']", 3)]

Objects are taken attribute by attribute, arrays that hold objects as lists of these. Only what lies in a value itself
is a part of it: what pandas makes anew whenever it is asked (texts, periods, missing values) has other addresses each
time, so that of its arrays the memory behind them is taken.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

LONG = 2_000
"""Beyond so many items of a list, nobody looks for what is inside."""
DEEPEST, MOST_PARTS = 3, 10_000
BEYOND = object()
"""Parts beyond `MOST_PARTS`."""
Part = tuple[str, Any]


def parts(value: Any, label: str = "", depth: int = 0) -> Iterator[Part]:
    """A value, or what it consists of: labels as in code, with arrays and plain values."""
    try:
        found = list(_inside(value, label, depth))
    except Exception:
        found = [(label, value)]
    for name, part in found[:MOST_PARTS]:
        yield from _flat(name, part)
    if len(found) > MOST_PARTS:
        yield f"{label} beyond {MOST_PARTS:,} parts", BEYOND


def is_a(value: Any, module: str, name: str) -> bool:
    """Whether a value is of a class, where its module is loaded."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def is_frame(value: Any) -> bool:
    """Whether it is a table of pandas'."""
    return is_a(value, "pandas", "DataFrame")


def _flat(label: str, part: Any) -> Iterator[Part]:
    """Arrays that hold objects as lists of these, and all else as it is."""
    if not is_a(part, "numpy", "ndarray") or not part.dtype.hasobject:
        yield label, part
    elif part.dtype.names:
        for field in part.dtype.names:
            yield from _flat(f"{label}[{field!r}]", part[field])
    elif part.dtype.kind == "O":
        yield label, part.reshape(-1).tolist()
    else:  # numpy's own texts: each look makes new objects of them, whose addresses must not be taken
        yield label, [part.tolist()]


def _inside(value: Any, label: str, depth: int) -> Iterator[Part]:
    known: Any = next((take for module, name, take in _KINDS if is_a(value, module, name)), None)
    if known is not None:
        yield from known(value, label)
    elif depth >= DEEPEST or not _has_parts(value):
        yield label, value
    elif isinstance(value, dict) and any(map(_has_parts, value.values())):
        for key, each in value.items():
            yield from parts(each, f"{label}[{key!r}]", depth + 1)
    elif isinstance(value, (list, tuple)) and any(map(_has_parts, value[:LONG])):
        for place, each in enumerate(value):
            yield from parts(each, f"{label}[{place}]", depth + 1)
    elif isinstance(getattr(value, "__dict__", None), dict) and not isinstance(value, dict):
        yield f"{label}.__class__", type(value).__qualname__
        for name, each in vars(value).items():
            yield from parts(each, f"{label}.{name}", depth + 1)
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
    if is_a(value, "pandas", "RangeIndex"):
        yield label, (value.start, value.stop, value.step)
    elif is_a(value, "pandas", "MultiIndex"):
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
