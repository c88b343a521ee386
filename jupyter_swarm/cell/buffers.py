"""What lies beside a pickle instead of in it: the memory of large arrays, tensors and tables, and columns of text.

Pickle's protocol 5 hands memory out as it is (PEP 574), so that nothing is copied on the way into the file. Some
kinds would be copied all the same, by their own classes; these are reduced here: arrays that are scattered in memory,
dates, maps of files, tensors, columns of text. What has to be made anew is made a piece at a time, when it is written.

    beside = Beside()
    pickler(file, known, beside).dump(values)
    for part in beside.parts:
        for block in part.blocks(): …

A process that loads the pickle needs nothing of this: what is made there is made by calls of what is installed.
"""

from __future__ import annotations

import functools
import itertools
import operator
import pickle
import sys
from collections.abc import Callable, Iterator
from typing import Any, Protocol

LEAST = 1 << 16
"""Bytes from which memory goes beside; what is smaller is quicker in the pickle."""
_ITEMS = 1 << 15
"""Of a column of text that are pickled at once, and values of a scattered array that are put together."""
_PLAIN = "biufcmMSUV"
"""Kinds of arrays whose memory is all there is of them."""
_ATOMS = frozenset({str, bytes, int, float, bool, type(None)})


class Part(Protocol):
    """One buffer."""

    @property
    def size(self) -> int | None:
        """Bytes; None where that is known only afterwards."""

    def blocks(self) -> Iterator[Any]:
        """Its bytes, in order; may be asked for again."""


class _Memory:
    """Memory in one piece."""

    def __init__(self, view: memoryview) -> None:
        self._view, self.size = view, view.nbytes

    def blocks(self) -> Iterator[memoryview]:
        yield self._view


class _Scattered:
    """An array whose values do not lie side by side, in C order."""

    def __init__(self, array: Any) -> None:
        self._array, self.size = array, int(array.nbytes)

    def blocks(self) -> Iterator[memoryview]:
        flags, how = ["external_loop", "buffered"], [["readonly", "contig"]]
        for piece in sys.modules["numpy"].nditer(self._array, flags, how, order="C", buffersize=_ITEMS):
            yield memoryview(piece.view("u1"))


class _Text:
    """A pickle of strings, numbers and None, without what a whole pickle remembers of each."""

    size = None

    def __init__(self, items: Any) -> None:
        self._items = items

    def blocks(self) -> Iterator[bytes]:
        yield pickle.dumps(self._items.tolist(), 5)


class _Codes:
    """Which of the distinct objects of a column each item is, as the places of their sorted addresses."""

    def __init__(self, items: Any, addresses: Any) -> None:
        self._items, self._addresses, self.size = items, addresses, 4 * len(items)

    def blocks(self) -> Iterator[memoryview]:
        for _, codes in self.pieces():
            yield memoryview(codes)

    def pieces(self) -> Iterator[tuple[Any, Any]]:
        """A piece of the column, and the codes of its items."""
        for piece in _pieces(self._items):
            yield piece, self._addresses.searchsorted(_addresses(piece)).astype("u4")


class _Call:
    """Stands in a pickle for what a call gives where it is loaded."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self._call


class Beside:
    """Collects what goes beside a pickle while this is made."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._meant: dict[int, tuple[pickle.PickleBuffer, Part]] = {}
        self._storages: dict[tuple[int, int], _Call] = {}

    def take(self, buffer: pickle.PickleBuffer) -> bool:
        """For the pickler's `buffer_callback`: whether it goes into the pickle."""
        if id(buffer) in self._meant:
            self.parts.append(self._meant[id(buffer)][1])
            return False
        try:
            view = buffer.raw()
        except BufferError:  # the pickler says why it cannot be written
            return True
        if view.nbytes < LEAST:
            return True
        self.parts.append(_Memory(view))
        return False

    def reduced(self, value: Any) -> Any:
        """For the pickler's `reducer_override`: what calls make a value, or NotImplemented for its own way."""
        numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
        if numpy is not None and type(value) in (numpy.ndarray, numpy.memmap) and value.nbytes >= LEAST:
            return self._text(value) if value.dtype == object else self._array(value)
        if type(value) is getattr(sys.modules.get("pandas.core.internals.blocks"), "NumpyBlock", None):
            return value.__reduce__()  # for protocol 5, pandas copies what is scattered
        if torch is not None and type(value) is torch.storage.TypedStorage:
            return self._storage(value)
        return NotImplemented

    def _later(self, part: Part, *, writable: bool = True) -> pickle.PickleBuffer:
        """What stands in the pickle for a part."""
        buffer = pickle.PickleBuffer(bytearray(1) if writable else b" ")
        self._meant[id(buffer)] = buffer, part
        return buffer

    def _array(self, value: Any) -> Any:
        """Arrays that numpy would copy: maps of files, dates, and what does not lie side by side."""
        numpy = sys.modules["numpy"]
        kind, dated = type(value), value.dtype.kind in "mM"
        order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
        whole = _side_by_side(value)
        if value.dtype.kind not in _PLAIN or (whole and not dated and kind is numpy.ndarray):
            return NotImplemented
        plain = value.view(numpy.ndarray)
        part: Part = _Scattered(plain)
        if plain.flags.forc:
            flat = (plain.T if order == "F" else plain).reshape(-1)
            part = _Memory(memoryview(flat.view("u1")))
        buffer = self._later(part, writable=value.flags.writeable)
        made = numpy.zeros(1).__reduce_ex__(5)[0], (buffer, value.dtype, value.shape, order)
        if kind is numpy.ndarray:
            return made
        return operator.methodcaller("view", kind), (_Call(made[0], *made[1]),)

    def _text(self, value: Any) -> Any:
        """An array of strings, also with numbers and None: its distinct objects, and which of them each item is."""
        numpy = sys.modules["numpy"]
        order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
        flat = value.reshape(-1, order=order)
        if type(value) is not numpy.ndarray or not all(_ATOMS.issuperset(map(type, each)) for each in _pieces(flat)):
            return NotImplemented
        addresses = numpy.concatenate([_addresses(each) for each in _pieces(flat)])
        addresses.sort()
        addresses = addresses[numpy.append(True, addresses[1:] != addresses[:-1])]
        if len(addresses) == len(flat):
            items = self._items(flat)
        else:
            codes, distinct = _Codes(flat, addresses), numpy.empty(len(addresses), object)
            for piece, places in codes.pieces():
                distinct[places] = piece
            read = functools.partial(numpy.frombuffer, dtype="u4")
            items = _Call(numpy.take, self._items(distinct), _Call(read, self._later(codes, writable=False)))
        return functools.partial(numpy.reshape, order=order), (items, value.shape)

    def _items(self, flat: Any) -> _Call:
        """A column as pieces, each pickled by itself: a single pickle would remember every string until its end."""
        buffers = tuple(self._later(_Text(each), writable=False) for each in _pieces(flat))
        items = _Call(itertools.chain.from_iterable, _Call(map, pickle.loads, buffers))
        return _Call(sys.modules["numpy"].fromiter, items, flat.dtype, len(flat))

    def _storage(self, value: Any) -> Any:
        """The memory of a tensor. Tensors that share it share it again."""
        torch, untyped = sys.modules["torch"], value._untyped_storage
        if untyped.device.type != "cpu" or untyped.nbytes() < LEAST:
            return NotImplemented
        key = untyped.data_ptr(), untyped.nbytes()
        if key not in self._storages:
            flat = torch.empty(0, dtype=torch.uint8).set_(untyped).numpy()
            read = functools.partial(torch.frombuffer, dtype=torch.uint8)
            tensor = _Call(read, pickle.PickleBuffer(flat))
            self._storages[key] = _Call(operator.methodcaller("untyped_storage"), tensor)
        made = functools.partial(
            torch.storage.TypedStorage, wrap_storage=self._storages[key], dtype=value.dtype, _internal=True
        )
        return made, ()


def _pieces(flat: Any) -> Iterator[Any]:
    for start in range(0, len(flat), _ITEMS):
        yield flat[start : start + _ITEMS]


def _addresses(piece: Any) -> Any:
    return sys.modules["numpy"].fromiter(map(id, piece), "u8", len(piece))


def _side_by_side(array: Any) -> bool:
    """Whether the values fill a piece of memory, whatever the order of the axes."""
    axes = sorted(range(array.ndim), key=lambda axis: -array.strides[axis])
    return bool(array.transpose(axes).flags.c_contiguous)
