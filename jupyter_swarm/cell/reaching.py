"""What code that a language model wrote may not do, as far as its text tells: reach around the lock.

The lock compares what the metric rests on. Code that nobody has read could leave that as it is and still change what
it means: by another name for `exec`, by the shell, by the module that the cell is executed in, by an attribute of a
package. A program cannot be sure of all ways (`docs/attacks.md`); these are refused before a run, and a seal watches
each run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_swarm.cell.scan import dotted, imports_in
from jupyter_swarm.cell.text import Text, text_of
from jupyter_swarm.cell.vocabulary import DANGEROUS, DANGEROUS_ATTRIBUTES
from jupyter_swarm.errors import LockError
from jupyter_swarm.words import Analysis

_MODULES = DANGEROUS | {
    "__main__", "sys", "IPython", "ipykernel", "jupyter_swarm", "unittest", "mock", "pytest", "runpy", "code", "codeop",
    "imp", "pkgutil", "zipimport", "types", "marshal", "pickle", "dill", "cloudpickle", "timeit", "cProfile", "profile",
    "trace", "doctest", "pdb", "bdb", "faulthandler",
}  # fmt: skip
_NAMES = DANGEROUS | {"get_ipython", "breakpoint", "__loader__", "__spec__"}
_ATTRIBUTES = DANGEROUS_ATTRIBUTES | {
    "sys", "builtins", "importlib", "_getframe", "settrace", "setprofile", "user_ns", "user_global_ns", "run_cell",
    "run_line_magic", "run_cell_magic", "gi_frame", "cr_frame", "ag_frame", "tb_frame",
}  # fmt: skip
_BY_NAME = frozenset({"attrgetter", "methodcaller"})
_HARMLESS = frozenset(
    {"__init__", "__post_init__", "__name__", "__version__", "__doc__", "__len__", "__iter__", "__next__", "__call__",
     "__getitem__", "__contains__", "__repr__", "__str__", "__hash__", "__eq__"}
)  # fmt: skip
"""Names with two underscores by which nothing but values can be reached."""


def check_reach(code: str, analysis: Analysis) -> None:
    """Refuse code that reaches around the lock in a way in which the person's cell does not.

    Args:
        code: Python that parses.
        analysis: what is known of the person's cell.

    Raises:
        LockError: it does; the message says where.

    >>> check_reach("import sys\\nloss = 1.0\\nsys.modules['__main__'].loss = 0.0", Analysis(code="loss = 1.0"))
    Traceback (most recent call last):
    jupyter_swarm.errors.LockError: the code uses `sys`, which can reach around the lock (line 1). Try: ...
    """
    known = {text for text, _ in _reaches(analysis.code, analysis)}
    for text, line in _reaches(code, analysis):
        if text not in known:
            raise LockError(
                f"the code uses `{text[:100]}`, which can reach around the lock",
                where=f"line {line}",
                cure="change what is free, by plain statements and calls of the cell's packages",
            )


def _reaches(code: str, analysis: Analysis) -> Iterator[tuple[str, int]]:
    """What could reach around the lock: its text, and its line."""
    text = text_of(code)
    names = {*analysis.imported, *imports_in(text.tree)}
    for node in ast.walk(text.tree):
        match node:
            case ast.Import() | ast.ImportFrom():
                yield from ((path, node.lineno) for path in _imported(node))
            case ast.Name(id=name) if name in _NAMES or name in _BY_NAME:
                yield _whole(node, text), node.lineno
            case ast.Name(id="getattr") if not _is_plain(text.parents.get(id(node)), node):
                yield _whole(node, text), node.lineno
            case ast.Attribute(value=value, attr=name):
                if name in _ATTRIBUTES or name in _BY_NAME or (_is_special(name) and not _is_super(value)):
                    yield dotted(node) or f".{name}", node.lineno
                if not isinstance(node.ctx, ast.Load) and (of := _root(node)) in names:
                    yield f"{of}.{name} = …", node.lineno
            case ast.Subscript(ctx=ast.Store() | ast.Del()) if isinstance(node.value, ast.Attribute):
                if (of := _root(node)) in names:
                    yield f"{dotted(node.value) or of}[…] = …", node.lineno


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """Modules and names that nothing should be imported from."""
    inside = f"{'.' * node.level}{node.module or ''}" if isinstance(node, ast.ImportFrom) else ""
    for alias in node.names:
        path = f"{inside}.{alias.name}" if inside else alias.name
        parts = path.split(".")
        if not parts[0] or parts[0] in _MODULES or parts[-1] == "*" or _ATTRIBUTES & {*parts} or parts[-1] in _BY_NAME:
            yield path


def _whole(node: ast.expr, text: Text) -> str:
    """A name with all that is called and taken of it: `get_ipython().getoutput('ls')`."""
    parent = text.parents.get(id(node))
    while isinstance(parent, (ast.Attribute, ast.Call)):
        node, parent = parent, text.parents.get(id(parent))
    return ast.unparse(node)


def _is_plain(call: ast.AST | None, name: ast.Name) -> bool:
    """Whether `getattr` is called with a name that is written there, and harmless."""
    match call:
        case ast.Call(func=func, args=[_, ast.Constant(value=str(attribute)), *_]) if func is name:
            return attribute not in _ATTRIBUTES | DANGEROUS | _BY_NAME and not _is_special(attribute)
    return False


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in _HARMLESS


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def _root(node: ast.expr) -> str:
    """The name that attributes and elements are taken of."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
