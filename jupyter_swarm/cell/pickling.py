"""The pickle of what a notebook lends its cell: cloudpickle's, without what is there where it is loaded."""

from __future__ import annotations

import functools
import io
import types
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_swarm.cell.buffers import Beside
from jupyter_swarm.cell.names import names
from jupyter_swarm.cell.syntax import python
from jupyter_swarm.cell.text import text_of

GLOBALS = "jupyter-swarm globals"
"""The persistent id that stands for the globals of the notebook's functions."""
MADE = "jupyter-swarm made later"
"""That of what cells make which are executed before the swarm's: None, until they have."""
_CACHE = type(functools.lru_cache(len))


class Known:
    """What of a pickle is not written, since it is there where it is loaded (`experiments/cells.py` says how)."""

    def __init__(self, namespace: Mapping[str, Any], setup: Sequence[str] = ()) -> None:
        self.home = id(namespace)
        bound = {name for each in setup for name in names(text_of(python(each)).tree).bound}
        values = [namespace[name] for name in bound if name in namespace]
        self.made = {id(value) for value in values if not _has_bytes(value) and not picklable(value)}


def pickler(file: Any, known: Known, beside: Beside) -> Any:
    """cloudpickle's, but the globals of the notebook's functions are left out: they are those of the process that
    loads it. Large memory goes beside it."""
    import cloudpickle

    home, made = known.home, known.made

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, value: Any) -> Any:
            if (reduced := beside.reduced(value)) is not NotImplemented:
                return reduced
            # A cache around a function of the notebook would be looked for in a module that is not there.
            if isinstance(value, _CACHE) and getattr(value, "__module__", "") == "__main__":
                size = value.cache_parameters()
                given = (value.__wrapped__, size["maxsize"], size["typed"], functools._CacheInfo)
                return _CACHE, given, vars(value)
            if _dispatches(value):
                others = [(kind, made) for kind, made in value.registry.items() if kind is not object]
                return _elsewhere(_dispatching), (value.registry[object], others)
            return super().reducer_override(value)

        def persistent_id(self, value: Any) -> str | None:  # of each of millions of strings
            if type(value) is dict:
                # globals_ref: what cloudpickle makes the future globals of functions, by the id of their present ones.
                mine = getattr(self, "globals_ref", {}).get(home)
                if mine is not None and value is mine:
                    return GLOBALS
            return MADE if made and id(value) in made else None

    return Pickler(file, 5, buffer_callback=beside.take)


def picklable(value: Any) -> bool:
    """Whether a value can be taken along. Its pickle is not kept.

    >>> picklable([1, "a"]), picklable(iter("a") for _ in "b")
    (True, False)
    """
    try:
        measured(value, Known({}))
    except Exception:
        return False
    return True


def measured(value: Any, known: Known) -> int:
    """Bytes that a value takes in a file.

    Raises:
        Exception: it cannot be pickled.
    """
    count, beside = _Count(), Beside()
    pickler(count, known, beside).dump(value)
    for part in beside.parts:
        count.bytes += part.size if part.size is not None else sum(len(block) for block in part.blocks())
    return count.bytes


def _dispatches(value: Any) -> bool:
    """Whether it is a function of the notebook under `functools.singledispatch`, which holds weak references."""
    ours = isinstance(value, types.FunctionType) and value.__module__ == "__main__"
    return ours and value.__code__.co_filename == functools.__file__ and hasattr(value, "registry")


def _dispatching(first: Any, others: Any) -> Any:
    """In the process that loads it: the same again."""
    from functools import singledispatch

    made = singledispatch(first)
    for kind, function in others:
        made.register(kind, function)
    return made


def _elsewhere(function: Any) -> types.FunctionType:
    """A function as one of a notebook, which is pickled by value: nothing of ours need be where it is loaded."""
    made = types.FunctionType(function.__code__, {"__builtins__": __builtins__}, function.__name__)
    made.__module__ = "__main__"
    return made


class _Count(io.RawIOBase):
    """A file that keeps nothing but its length."""

    bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self.bytes += size
        return size


def _has_bytes(value: Any) -> bool:
    try:
        return getattr(value, "nbytes", None) is not None
    except Exception:  # somebody's property
        return False
