"""Run as a script in a process of its own: the docstrings of a module, as one JSON object. Imports nothing of ours.

Importing is the only way to see what `help()` would show (names brought in by `__init__`, docstrings made by decorators
or by C), and it runs the module's code: hence the other process, which can be ended, and which leaves the kernel clean.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import json
import os
import re
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

MOST = 5_000


def main() -> None:
    """Read `{"module", "path"}` from the input, write `{"entries", "version"}` or `{"error", "missing"}`."""
    request = json.loads(sys.stdin.readline())
    sys.path[:] = request["path"]
    # What the module prints, also from C, is not our answer.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        result = describe(request["module"])
    except BaseException as error:
        missing = isinstance(error, ModuleNotFoundError) and _covers(error.name or "", request["module"])
        result = {"error": f"{type(error).__name__}: {error}", "missing": missing}
    json.dump(result, answer)
    answer.flush()
    # Threads and exit handlers of the module have no say any more.
    os._exit(0)


def describe(name: str) -> dict[str, Any]:
    """Entries `[qualified name, kind, signature, docstring]` of a module, or of one object in it.

    >>> describe("textwrap")["entries"][0][:2]
    ['textwrap', 'module']
    """
    found, module = _find(name)
    version = _version(module)
    if not isinstance(found, types.ModuleType):
        entries = list(_entries(name, found, set()))
    else:
        entries = [[name, "module", "", _doc(found)]]
        seen: set[str] = set()
        for public in _public(found):
            try:
                member = getattr(found, public)
            except Exception:  # a lazy name may be missing, or refuse (what is experimental does)
                continue
            if not isinstance(member, types.ModuleType):
                entries += _entries(f"{name}.{public}", member, seen)
            if len(entries) > MOST:
                break
    return {"entries": entries, "version": version}


def _find(name: str) -> tuple[Any, types.ModuleType]:
    """`sklearn.svm` is a module; `sklearn.svm.SVC` an object in one."""
    try:
        module = importlib.import_module(name)
        return module, module
    except ModuleNotFoundError as error:
        parent, _, last = name.rpartition(".")
        if not parent or not _covers(error.name or "", name):
            raise
        found, module = _find(parent)
        if not hasattr(found, last):
            raise
        return getattr(found, last), module


def _covers(missing: str, name: str) -> bool:
    return bool(missing) and (name == missing or name.startswith(missing + "."))


def _public(module: types.ModuleType) -> list[str]:
    named = getattr(module, "__all__", None)
    if named is not None:
        return list(dict.fromkeys(map(str, named)))
    top = module.__name__.partition(".")[0]

    def ours(value: Any) -> bool:
        return str(getattr(value, "__module__", None) or "").partition(".")[0] == top

    return [name for name, value in vars(module).items() if not name.startswith("_") and ours(value)]


def _entries(name: str, value: Any, seen: set[str]) -> Iterator[list[str]]:
    if inspect.isclass(value):
        yield [name, "class", _signature(value), _doc(value)]
        for method, function in _methods(value):
            doc = _doc(function)
            # Methods inherited by many classes are told once.
            if doc and doc not in seen:
                seen.add(doc)
                yield [f"{name}.{method}", "method", _signature(function), doc]
    elif callable(value):
        yield [name, "function", _signature(value), _doc(value)]


def _methods(value: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    top = value.__module__.partition(".")[0]
    for name in sorted(dir(value)):
        if name.startswith("_"):
            continue
        try:
            method = getattr(value, name)
        except Exception:  # a descriptor may refuse the class
            continue
        if callable(method) and str(getattr(method, "__module__", None) or top).partition(".")[0] == top:
            yield name, method


def _doc(value: Any) -> str:
    try:
        return inspect.cleandoc(value.__doc__ or "") if isinstance(value.__doc__, str) else ""
    except Exception:
        return ""


def _signature(value: Any) -> str:
    try:
        # Addresses differ from process to process; a paper is named by its text.
        return re.sub(r" at 0x[0-9a-f]+", "", str(inspect.signature(value)))
    except Exception:  # many functions written in C have none
        return ""


def _version(module: types.ModuleType) -> str:
    top = module.__name__.partition(".")[0]
    if top in sys.stdlib_module_names:
        return "{}.{}.{}".format(*sys.version_info[:3])
    for distribution in importlib.metadata.packages_distributions().get(top, []):
        return importlib.metadata.version(distribution)
    return str(getattr(sys.modules.get(top), "__version__", ""))


if __name__ == "__main__":
    main()
