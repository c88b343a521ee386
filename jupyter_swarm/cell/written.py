"""Configurations of the notebook, and files with one that the cell reads, written out in the cell.

So each of their settings is a literal of the cell, which may vary like any other, and which the best cell shows:

    loss = train(cfg)                            cfg = {'lr': 0.1, 'layers': 3}
                                                 loss = train(cfg)
    cfg = yaml.safe_load(open("config.yaml"))    cfg = {'lr': 0.1, 'layers': 3}
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import dataclasses
import json
import math
import tomllib
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jupyter_swarm.cell import credentials
from jupyter_swarm.cell.names import names
from jupyter_swarm.cell.scan import dotted, imports_in
from jupyter_swarm.cell.text import Text, text_of

MOST_SETTINGS, LONGEST, DEEPEST = 100, 5_000, 4
MOST_BYTES = 100_000
"""Of a file."""
_READERS = {"yaml": ("safe_load", "load", "full_load"), "json": ("load", "loads"), "tomllib": ("load", "loads")}


def written_out(code: str, namespace: Mapping[str, Any], folder: Path) -> str:
    """The cell with its configurations written out; as it is where there are none.

    Args:
        code: Python that parses.
        namespace: the notebook's variables.
        folder: where relative paths of the cell resolve.

    >>> written_out("loss = train(cfg)", {"cfg": {"lr": 0.1}, "train": len}, Path("."))
    "cfg = {'lr': 0.1}\\nloss = train(cfg)"
    """
    text = text_of(code)
    code = text.replaced(_files(text, folder))
    made: list[str] = []
    for name in sorted(names(text.tree).needed):
        if name in namespace and credentials.found(name, namespace[name]) is None:
            made += _assigned(name, namespace[name], namespace)
    if not made:
        return code
    place = _beginning(text_of(code))
    return code if place is None else code[:place] + "".join(f"{line}\n" for line in made) + code[place:]


def _beginning(text: Text) -> int | None:
    """Where statements may come in: behind the question and imports from the future, at the start of a line."""
    before = 0
    for statement in text.tree.body:
        told = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not told and not (isinstance(statement, ast.ImportFrom) and statement.module == "__future__"):
            first = min([statement.lineno, *(each.lineno for each in getattr(statement, "decorator_list", ()))])
            return text.line_start(first) if first > before else None
        before = statement.end_lineno or 0
    return None


# ---------------------------------------------------------------- values of the notebook


def _assigned(name: str, value: Any, namespace: Mapping[str, Any]) -> Iterator[str]:
    """Statements that make a value anew, where it is a configuration."""
    if type(value) is dict:
        if settings(value):
            yield f"{name} = {value!r}"
    elif type(value) in (types.SimpleNamespace, argparse.Namespace):
        kind = type(value).__name__
        if settings(vars(value)) and all(key.isidentifier() for key in vars(value)):
            if namespace.get(kind) is not type(value):
                yield f"from {type(value).__module__} import {kind}"
            yield f"{name} = {kind}({_keywords(vars(value))})"
    elif dataclasses.is_dataclass(value) and namespace.get(type(value).__name__) is type(value):
        fields = {each.name: getattr(value, each.name) for each in dataclasses.fields(value) if each.init}
        if settings(fields) and vars(value) == fields:
            yield f"{name} = {type(value).__name__}({_keywords(fields)})"


def _keywords(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in values.items())


def settings(values: Mapping[Any, Any]) -> bool:
    """Whether all values are plain and few, under names, and none looks like a credential.

    >>> settings({"lr": 0.1, "dims": [1, 2]}), settings({"f": len}), settings({"token": "x"})
    (True, False, False)
    """
    if not 0 < len(values) <= MOST_SETTINGS or not _is_plain(values, 0) or credentials.found("", values) is not None:
        return False
    return len(repr(values)) <= LONGEST and any(isinstance(each, (bool, int, float, str)) for each in _leaves(values))


def _is_plain(value: Any, depth: int) -> bool:
    if isinstance(value, Mapping):
        return depth < DEEPEST and all(
            isinstance(key, str) and _is_plain(each, depth + 1) for key, each in value.items()
        )
    if type(value) in (list, tuple):
        return depth < DEEPEST and len(value) <= MOST_SETTINGS and all(_is_plain(each, depth + 1) for each in value)
    if type(value) is float:
        return math.isfinite(value)
    return value is None or type(value) in (bool, int, str)


def _leaves(values: Mapping[Any, Any]) -> Iterator[Any]:
    for value in values.values():
        yield from _leaves(value) if isinstance(value, Mapping) else (value,)


# ---------------------------------------------------------------- files


def _files(text: Text, folder: Path) -> Iterator[tuple[int, int, str]]:
    """Calls that read a configuration from a file, and what they give."""
    modules = imports_in(text.tree)
    for call in text.calls:
        root, _, method = (dotted(call.func) or "").partition(".")
        package = modules.get(root, root)
        if method not in _READERS.get(package, ()) or not call.args:
            continue
        path = _path(call.args[0], text)
        read = _read(folder / path, package) if path is not None else None
        if read is not None:
            yield (*text.span(call), repr(read))


def _path(node: ast.expr, text: Text) -> str | None:
    """The file of `open("a")`, `open("a").read()`, `Path("a").read_text()`, or of a name in `with open("a") as f`."""
    match node:
        case ast.Call(func=ast.Name(id="open" | "Path"), args=[ast.Constant(value=str(path)), *_]):
            return path
        case ast.Call(func=ast.Attribute(value=value, attr="read" | "open" | "read_text" | "read_bytes")):
            return _path(value, text)
        case ast.Name(id=name):
            for parent in text.ancestors(node):
                for item in parent.items if isinstance(parent, ast.With) else ():
                    if isinstance(item.optional_vars, ast.Name) and item.optional_vars.id == name:
                        return _path(item.context_expr, text)
    return None


def _read(path: Path, package: str) -> dict[str, Any] | None:
    """The configuration in a file; None where it is none, or cannot be read."""
    with contextlib.suppress(Exception):  # what is wrong with it is said where the cell reads it
        if path.stat().st_size <= MOST_BYTES:
            found = _parser(package)(path.read_text(encoding="utf-8"))
            if type(found) is dict and settings(found):
                return found
    return None


def _parser(package: str) -> Callable[[str], Any]:
    if package == "yaml":
        import yaml

        parse: Callable[[str], Any] = yaml.safe_load
        return parse
    return json.loads if package == "json" else tomllib.loads
