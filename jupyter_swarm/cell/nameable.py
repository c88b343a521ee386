"""What a file's pickle may name: classes and functions of the notebook, where the cell reads such a file."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jupyter_swarm.cell.pickling import picklable

_LOADS = frozenset({"load", "loads", "Unpickler", "read_pickle"})
_READERS = frozenset({"pickle", "cloudpickle", "dill", "joblib", "torch", "numpy", "np", "pandas", "pd"})


def nameable(tree: ast.AST, needed: Iterable[str], namespace: Mapping[str, Any]) -> set[str]:
    """Names of the notebook's own classes and functions that are taken along, since a pickle may be read.

    Args:
        tree: of the cell.
        needed: names that it takes from the notebook.
        namespace: the notebook's variables.

    >>> nameable(ast.parse("joblib.load('model')"), (), {"x": 1})
    set()
    """
    if not any(_reads(set(names)) for names in _texts(tree, needed, namespace)):
        return set()
    return {
        name
        for name, value in namespace.items()
        if not name.startswith("_")
        and isinstance(value, (type, types.FunctionType))
        and value.__module__ == "__main__"
        and picklable(value)
    }


def _texts(tree: ast.AST, needed: Iterable[str], namespace: Mapping[str, Any]) -> Iterator[Iterable[str]]:
    """The names that the cell mentions, and those of each function of the notebook that it uses."""
    yield (part for node in ast.walk(tree) for part in _mentioned(node))
    for name in needed:
        value = namespace.get(name)
        if isinstance(value, types.FunctionType) and value.__module__ == "__main__":
            yield value.__code__.co_names


def _mentioned(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def _reads(names: set[str]) -> bool:
    return bool(names & _LOADS) and bool(names & _READERS or "read_pickle" in names)
