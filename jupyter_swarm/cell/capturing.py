"""Capturing: what the notebook lends the cell, taken along so that the cell runs unchanged in another process.

What can be imported is imported there; everything else goes into one pickle, named by its content. Functions and
classes of the notebook are taken by value, and read *the process's* globals when they run there, as they do in the
notebook: a function that reads `seed` or `lr` sees what the harness and the cell have set.
"""

from __future__ import annotations

import ast
import hashlib
import io
import os
import platform
import re
import sys
import tempfile
import threading
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_swarm.cell import credentials
from jupyter_swarm.cell.inspection import origin
from jupyter_swarm.cell.modules import local
from jupyter_swarm.cell.pickling import Known, measured, picklable
from jupyter_swarm.cell.room import VARIABLE, Limit, limit
from jupyter_swarm.cell.scan import dotted, imports_in
from jupyter_swarm.cell.standing import standing
from jupyter_swarm.cell.storing import Full, Progress, store
from jupyter_swarm.cell.syntax import python
from jupyter_swarm.cell.text import text_of
from jupyter_swarm.errors import CaptureError, WorkspaceError
from jupyter_swarm.words import Analysis, Capture, Context

_LOCKS = (type(threading.Lock()), type(threading.RLock()), threading.Event, threading.Condition, threading.Semaphore)


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
    progress: Progress | None = None,
) -> Context:
    """Take along what the cell needs.

    Args:
        analysis: of the cell.
        namespace: the notebook's variables.
        folder: where relative paths of the cell resolve.
        captures: the folder of the files of variables; this one is named by its sha256.
        setup: cells that are executed before it each time, as typed.
        progress: told (bytes written, bytes expected) now and then.

    Raises:
        CaptureError: a variable cannot be taken along; the message names it.
        WorkspaceError: it cannot be written.
    """
    found = survey(analysis, namespace)
    taken = {each.name: namespace[each.name] for each in found if each.kind != "import"}
    room = limit(captures)
    largest = max(found, key=lambda each: each.bytes, default=None)
    if largest is not None and largest.bytes > room.bytes:
        raise _too_large(largest.name, namespace[largest.name], largest.bytes, room)
    imports = [each.describes for each in found if each.kind == "import"]
    imports += [line for line in _submodules(analysis, namespace) if line not in imports]
    trees = [text_of(each).tree for each in (analysis.code, *map(python, setup))]
    versions = _versions([*imports, *(f"import {path}" for tree in trees for path in imports_in(tree).values())])
    return Context(
        imports=(*sorted(imports), *standing(trees, versions)),
        captures=found,
        pickle=_stored(taken, Known(namespace, setup), captures, room, found, progress) if taken else "",
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
            if used in value.__globals__ and not picklable(value.__globals__[used]):
                culprit = f", since it uses {used!r}"
                break
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return CaptureError(
        f"the variable {name!r} ({_describes(value)}) cannot be captured{culprit}: {reason[:300]}",
        cure="make it inside the cell, or execute the cell that makes it each time (--setup N)",
    )


def _too_large(name: str, value: Any, size: int, room: Limit, whole: int = 0) -> CaptureError:
    """That of the largest variable; `whole`: bytes of all together."""
    together = f", and all together take {_megabytes(whole)}" if whole > size else ""
    return CaptureError(
        f"the variable {name!r} takes {_megabytes(size)}{together}, "
        f"more than the limit of {_megabytes(room.bytes)} ({room.why})",
        cure=f"{_smaller(value)}, load it inside the cell or in one that is executed each time (--setup N), "
        f"or allow more: %env {VARIABLE}={-(-max(size, whole) // 2**30)}GB",
    )


def _megabytes(size: int) -> str:
    return f"{-(-size // 2**20):,} MB"


def _smaller(value: Any) -> str:
    """What to do with so large a value."""
    if _attribute(value, "columns") is not None:
        return "take only the columns that the cell uses, or a sample of the rows"
    if _attribute(value, "dtype") is not None:
        return "take a part of it or a smaller dtype, save it and map the file in the cell (np.load with mmap_mode='r')"
    return "take a part of it"


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


# ---------------------------------------------------------------- the file


def _stored(
    values: Mapping[str, Any],
    known: Known,
    captures: Path,
    room: Limit,
    found: Sequence[Capture],
    progress: Progress | None,
) -> str:
    """The name of the file of `{name: value}`; whatever keeps it from being written names a variable."""
    expected = sum(each.bytes for each in found)
    try:
        return store(values, known, captures, most=room.bytes, expected=expected, progress=progress)
    except (CaptureError, WorkspaceError):
        raise
    except Full as full:
        sizes = {name: measured(value, known) for name, value in values.items()}
        largest = max(sizes, key=sizes.__getitem__)
        whole = max(full.size, sum(sizes.values())) if len(sizes) > 1 else 0
        raise _too_large(largest, values[largest], sizes[largest], room, whole) from None
    except Exception as error:
        for name, value in values.items():
            try:
                measured(value, known)
            except Exception as own:
                raise _cannot(name, value, own) from None
        raise _cannot(next(iter(values)), None, error) from None
