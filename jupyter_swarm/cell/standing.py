"""What the notebook has set outside of its variables, and the cell finds there: in libraries, in the environment."""

from __future__ import annotations

import ast
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from jupyter_swarm.cell import credentials
from jupyter_swarm.cell.scan import dotted

_ERRORS = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
"""numpy's, where nobody has changed them."""
LONGEST = 1_000


def standing(
    trees: Iterable[ast.AST], packages: Iterable[str], environment: Mapping[str, str] = os.environ
) -> list[str]:
    """Statements that set it again.

    Args:
        trees: of the cell, and of cells that are executed before it.
        packages: that it imports, or finds imported.
        environment: of the notebook's process.

    A variable that looks like a key is left out.

    >>> standing([ast.parse("n = int(os.environ['N'])")], [], {"N": "3", "M": "4"})
    ["import os; os.environ['N'] = '3'"]
    """
    found = []
    for tree in trees:
        for name in dict.fromkeys(_variables(tree)):
            value = environment.get(name)
            if value is not None and len(value) < LONGEST and credentials.found(name, value) is None:
                found.append(f"import os; os.environ[{name!r}] = {value!r}")
        if _mentions(tree, "progress_apply") and "tqdm" in sys.modules:
            found.append("from tqdm import tqdm; tqdm.pandas()")
    for package in sorted(set(packages)):
        module, look = sys.modules.get(package), _LIBRARIES.get(package)
        if module is not None and look is not None:
            with suppress(Exception):  # another version of it, which has other settings
                found += look(module)
    return list(dict.fromkeys(found))


def _variables(tree: ast.AST) -> Iterator[str]:
    """Names of environment variables that a code reads."""
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=value, slice=ast.Constant(value=str(name)), ctx=ast.Load()):
                if dotted(value) in ("os.environ", "environ"):
                    yield name
            case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]):
                if dotted(func) in ("os.environ.get", "environ.get", "os.getenv", "getenv"):
                    yield name


def _mentions(tree: ast.AST, name: str) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == name for node in ast.walk(tree))


def _torch(torch: Any) -> Iterator[str]:
    if torch.get_default_dtype() != torch.float32:
        yield f"import torch; torch.set_default_dtype({torch.get_default_dtype()})"
    if torch.are_deterministic_algorithms_enabled():
        yield "import torch; torch.use_deterministic_algorithms(True)"
    if torch.get_float32_matmul_precision() != "highest":
        yield f"import torch; torch.set_float32_matmul_precision({torch.get_float32_matmul_precision()!r})"


def _numpy(numpy: Any) -> Iterator[str]:
    if numpy.geterr() != _ERRORS:
        yield f"import numpy; numpy.seterr(**{numpy.geterr()!r})"


def _sklearn(sklearn: Any) -> Iterator[str]:
    """Settings are a thread's own: a new one has those that nobody has changed."""
    fresh: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: fresh.append(sklearn.get_config()))
    thread.start()
    thread.join()
    now = sklearn.get_config()
    changed = {name: value for name, value in now.items() if value != fresh[0].get(name)}
    if changed and all(value is None or isinstance(value, (bool, int, float, str)) for value in changed.values()):
        yield f"import sklearn; sklearn.set_config(**{changed!r})"


_LIBRARIES: Mapping[str, Callable[[Any], Iterator[str]]] = {"torch": _torch, "numpy": _numpy, "sklearn": _sklearn}
