"""Capturing: what the notebook lends the cell, taken along so that the cell runs unchanged in another process.

What can be imported is imported there; everything else goes into one pickle, named by its content. Functions and
classes of the notebook are taken by value, and read *the process's* globals when they run there, as they do in the
notebook: a function that reads `seed` or `lr` sees what the harness and the cell have set.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import io
import os
import platform
import re
import sys
import tempfile
import threading
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_swarm.cell import credentials
from jupyter_swarm.cell.inspection import origin
from jupyter_swarm.cell.modules import local
from jupyter_swarm.cell.names import names
from jupyter_swarm.cell.scan import dotted, imports_in
from jupyter_swarm.cell.standing import standing
from jupyter_swarm.cell.syntax import python
from jupyter_swarm.cell.text import text_of
from jupyter_swarm.errors import CaptureError, WorkspaceError
from jupyter_swarm.words import Analysis, Capture, Context

LIMIT_BYTES = 2**30
LIMIT_VARIABLE = "JUPYTER_SWARM_CAPTURE_LIMIT"
_BLOCK = 2**20
_CACHE = type(functools.lru_cache(len))
_LOCKS = (type(threading.Lock()), type(threading.RLock()), threading.Event, threading.Condition, threading.Semaphore)
GLOBALS = "jupyter-swarm globals"
"""The persistent id that stands for the globals of the notebook's functions."""
MADE = "jupyter-swarm made later"
"""That of what cells make which are executed before the swarm's: None, until they have."""


def survey(analysis: Analysis, namespace: Mapping[str, Any]) -> tuple[Capture, ...]:
    """What would be captured, with sizes, imports first. Nothing is written.

    Raises:
        CaptureError: something cannot be taken along, as far as it can be told without trying.

    >>> survey(Analysis(code="y = x + 1", names=("x",)), {"x": 3})[0].describes
    'int'
    """
    found = []
    for name in analysis.names:
        if name == "seed" or name not in namespace:
            continue
        value = namespace[name]
        if (statement := import_of(name, value)) is not None:
            found.append(Capture(name=name, kind="import", describes=statement))
            continue
        _refuse(name, value)
        kind = "source" if isinstance(value, (types.FunctionType, type)) else "data"
        found.append(Capture(name=name, kind=kind, describes=_describes(value), bytes=_size(value)))  # type: ignore[arg-type]
    order = {"import": 0, "source": 1, "data": 2}
    return tuple(sorted(found, key=lambda each: (order[each.kind], each.name)))


def capture(
    analysis: Analysis,
    namespace: Mapping[str, Any],
    *,
    folder: Path | str,
    captures: Path,
    setup: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Context:
    """Take along what the cell needs.

    Args:
        analysis: of the cell.
        namespace: the notebook's variables.
        folder: where relative paths of the cell resolve.
        captures: the folder of the pickles; this one is named by its sha256.
        setup: cells that are executed before it each time, as typed.
        progress: told (bytes written, bytes expected) now and then.

    Raises:
        CaptureError: a variable cannot be taken along; the message names it.
        WorkspaceError: it cannot be written.
    """
    found = survey(analysis, namespace)
    taken = {each.name: namespace[each.name] for each in found if each.kind != "import"}
    expected = sum(each.bytes for each in found)
    limit = int(os.environ.get(LIMIT_VARIABLE, LIMIT_BYTES))
    for each in found:
        if each.bytes > limit:
            raise _too_large(each.name, each.bytes, limit)
    imports = [each.describes for each in found if each.kind == "import"]
    imports += [line for line in _submodules(analysis, namespace) if line not in imports]
    trees = [text_of(each).tree for each in (analysis.code, *map(python, setup))]
    versions = _versions([*imports, *(f"import {path}" for tree in trees for path in imports_in(tree).values())])
    return Context(
        imports=(*sorted(imports), *standing(trees, versions)),
        captures=found,
        pickle=_write(taken, _Known(namespace, setup), captures, limit, expected, progress) if taken else "",
        python=sys.executable,
        python_version=platform.python_version(),
        versions=versions,
        folder=str(folder),
        modules=_archived(trees, Path(folder), captures),
        setup=tuple(setup),
    )


def context_hash(context: Context) -> str:
    """Name by content of all that a run depends on besides its code and seed.

    >>> context_hash(Context(pickle="a")) == context_hash(Context(pickle="b"))
    False
    """
    parts: list[Any] = [context.imports, context.pickle, context.python, context.python_version]
    parts.append(sorted(context.versions.items()))
    parts += [context.folder, context.modules, *context.setup]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _archived(trees: Sequence[ast.AST], folder: Path, captures: Path) -> str:
    """Write the archive of the person's own modules where it is not there; its name."""
    name, content = local(trees, folder).archive()
    path = captures / f"{name}.zip"
    if name and not path.exists():
        try:
            with tempfile.TemporaryDirectory(prefix=".new-", dir=captures) as place:
                part = Path(place) / path.name
                with part.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(part, path)
        except OSError as error:
            raise WorkspaceError(
                f"the notebook's modules cannot be written to {captures}: {error.strerror or error}",
                cure="make room, or make the folder writable",
            ) from None
    return name


# ---------------------------------------------------------------- imports


def import_of(name: str, value: Any) -> str | None:
    """The statement that gives a name the very same object in another process, or None.

    >>> import json
    >>> import_of("j", json), import_of("dumps", json.dumps), import_of("x", 3)
    ('import json as j', 'from json import dumps', None)
    """
    path = origin(value)
    if path is None:
        return None
    module, _, qualname = path.partition(":")
    if not qualname:
        package, _, last = module.rpartition(".")
        if package and name == last:
            return f"from {package} import {last}"
        return f"import {module}" + (f" as {name}" if name != module else "")
    if "." in qualname:
        return None
    return f"from {module} import {qualname}" + (f" as {name}" if name != qualname else "")


def _submodules(analysis: Analysis, namespace: Mapping[str, Any]) -> Iterator[str]:
    """`import a.b` for the modules that the cell reaches through a package: `a.b.f()` needs more than `import a`."""
    for node in ast.walk(text_of(analysis.code).tree):
        chain = dotted(node) if isinstance(node, ast.Attribute) else None
        if chain is None:
            continue
        value = namespace.get(chain.partition(".")[0])
        path = ""
        for part in chain.split(".")[1:]:
            value = getattr(value, part, None) if isinstance(value, types.ModuleType) else None
            if isinstance(value, types.ModuleType) and sys.modules.get(value.__name__) is value:
                path = value.__name__
        if path:
            yield f"import {path}"


def _versions(imports: list[str]) -> dict[str, str]:
    found = {}
    for statement in imports:
        top = re.split(r"[.:]", statement.split()[1])[0]
        version = getattr(sys.modules.get(top), "__version__", None)
        if isinstance(version, str):
            found[top] = str(version)  # torch's is of a class of its own
    return dict(sorted(found.items()))


# ---------------------------------------------------------------- what cannot be taken along


def _refuse(name: str, value: Any) -> None:
    if (place := credentials.found(name, value)) is not None:
        raise CaptureError(
            f"{place!r} looks like a credential, and those are never taken along",
            cure="read it where it is used and keep it out of the variable, or give it another name if it is none",
        )
    what, cure = "", "make it inside the cell, or execute the cell that makes it each time (--setup N)"
    if isinstance(value, io.IOBase) and not isinstance(value, (io.BytesIO, io.StringIO)):
        what, cure = "an open file", "open it inside the cell, or read it before and use what was read"
    elif isinstance(value, _LOCKS):
        what = "a lock"
    elif isinstance(value, (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)):
        what, cure = "a generator, which can be run through only once", "make it inside the cell, or make a list of it"
    elif isinstance(value, threading.Thread):
        what = "a running thread"
    if what:
        raise CaptureError(f"the variable {name!r} cannot be captured: it is {what}", cure=cure)


def _cannot(name: str, value: Any, error: BaseException) -> CaptureError:
    """Which variable it is, also where a function only uses it."""
    culprit = ""
    if isinstance(value, types.FunctionType):
        for used in value.__code__.co_names:
            if used in value.__globals__ and not _picklable(value.__globals__[used]):
                culprit = f", since it uses {used!r}"
                break
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return CaptureError(
        f"the variable {name!r} ({_describes(value)}) cannot be captured{culprit}: {reason[:300]}",
        cure="make it inside the cell, or execute the cell that makes it each time (--setup N)",
    )


def _picklable(value: Any) -> bool:
    try:
        _pickler(io.BytesIO(), _Known({})).dump(value)
    except Exception:
        return False
    return True


def _too_large(name: str, size: int, limit: int) -> CaptureError:
    return CaptureError(
        f"the variable {name!r} takes {size / 2**20:,.0f} MB, more than the limit of {limit / 2**20:,.0f} MB",
        cure=f"load it inside the cell, take a part of it, or set {LIMIT_VARIABLE}=BYTES",
    )


# ---------------------------------------------------------------- description and size


def _describes(value: Any) -> str:
    kind = type(value).__name__
    if isinstance(value, types.FunctionType):
        return f"function {value.__name__}"
    if isinstance(value, type):
        return f"class {value.__name__}"
    shape, dtype = _attribute(value, "shape"), _attribute(value, "dtype")
    if shape is not None:
        return " ".join(
            str(part) for part in (kind, tuple(shape) if _sized(shape) else shape, dtype) if part is not None
        )
    return f"{kind} of {len(value)}" if isinstance(value, (list, tuple, dict, set, str, bytes)) else kind


def _size(value: Any) -> int:
    """About how many bytes a value takes; only its pickle tells exactly."""
    size = _attribute(value, "nbytes")
    if isinstance(size, int):
        return size
    usage = _attribute(value, "memory_usage")
    try:
        if callable(usage):
            found = usage(deep=True)
            return int(found.sum()) if hasattr(found, "sum") else int(found)
        if isinstance(value, (list, tuple, set)):
            return sys.getsizeof(value) + sum(_size(each) for each in list(value)[:1000]) * max(1, len(value) // 1000)
        if isinstance(value, dict):
            return sys.getsizeof(value) + sum(_size(each) for each in list(value.values())[:1000])
        return int(sys.getsizeof(value))
    except Exception:  # somebody's __sizeof__
        return 0


def _attribute(value: Any, name: str) -> Any:
    try:
        return getattr(value, name, None)
    except Exception:  # somebody's property
        return None


def _sized(value: Any) -> bool:
    return hasattr(value, "__iter__")


# ---------------------------------------------------------------- the pickle


class _Known:
    """What of a pickle is not written, since it is there where it is loaded (`experiments/cells.py` says how)."""

    def __init__(self, namespace: Mapping[str, Any], setup: Sequence[str] = ()) -> None:
        self.home = id(namespace)
        bound = {name for each in setup for name in names(text_of(python(each)).tree).bound}
        values = [namespace[name] for name in bound if name in namespace]
        self.made = {id(value) for value in values if _attribute(value, "nbytes") is None and not _picklable(value)}


def _pickler(file: Any, known: _Known) -> Any:
    """cloudpickle's, but the globals of the notebook's functions are left out: they are those of the process that
    loads it."""
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, value: Any) -> Any:
            # A cache around a function of the notebook would be looked for in a module that is not there.
            if isinstance(value, _CACHE) and getattr(value, "__module__", "") == "__main__":
                size = value.cache_parameters()
                given = (value.__wrapped__, size["maxsize"], size["typed"], functools._CacheInfo)
                return _CACHE, given, vars(value)
            return super().reducer_override(value)

        def persistent_id(self, value: Any) -> str | None:
            # globals_ref: what cloudpickle makes the future globals of functions, by the id of their present ones.
            mine = getattr(self, "globals_ref", {}).get(known.home)
            if mine is not None and value is mine:
                return GLOBALS
            return MADE if id(value) in known.made else None

    return Pickler(file)


class _Sink(io.RawIOBase):
    """Writes and hashes; tells how far it is, and stops at the limit."""

    def __init__(self, file: Any, limit: int, expected: int, progress: Callable[[int, int], None] | None) -> None:
        self.hash, self.count, self.name = hashlib.sha256(), 0, ""
        self._file, self._limit, self._expected, self._progress = file, limit, expected, progress

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        for start in range(0, len(view), _BLOCK):
            block = view[start : start + _BLOCK]
            self._file.write(block)
            self.hash.update(block)
            self.count += len(block)
            if self.count > self._limit:
                raise _too_large(self.name, self.count, self._limit)
            if self._progress is not None:
                self._progress(self.count, max(self.count, self._expected))
        return len(view)


def _write(
    values: Mapping[str, Any],
    known: _Known,
    captures: Path,
    limit: int,
    expected: int,
    progress: Callable[[int, int], None] | None,
) -> str:
    """The sha256 of the pickle of `{name: value}`, which is written under that name if it is not there."""
    try:
        handle, name = tempfile.mkstemp(prefix=".new-", dir=captures)
        try:
            with os.fdopen(handle, "wb") as file:
                sink = _Sink(file, limit, expected, progress)
                _dump(values, known, sink)
                file.flush()
                os.fsync(file.fileno())
            digest = sink.hash.hexdigest()
            os.replace(name, captures / f"{digest}.pkl")
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WorkspaceError(
            f"the notebook's variables cannot be written to {captures}: {error.strerror or error}",
            cure="make room, or make the folder writable",
        ) from None
    return digest


def _dump(values: Mapping[str, Any], known: _Known, sink: _Sink) -> None:
    sink.name = ", ".join(values)
    try:
        _pickler(sink, known).dump(dict(values))
    except (CaptureError, OSError):
        raise
    except Exception as error:
        for name, value in values.items():
            try:
                _pickler(io.BytesIO(), known).dump(value)
            except Exception as own:
                raise _cannot(name, value, own) from None
        raise _cannot(next(iter(values)), None, error) from None
