"""What a cell's code says by itself: its definitions, its calls, and which callable each one means."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache

from jupyter_swarm.cell.scopes import Definition, Scope, Scopes, root_of
from jupyter_swarm.cell.text import Text, text_of
from jupyter_swarm.cell.vocabulary import Literal as LiteralValue
from jupyter_swarm.words import Analysis, Recipe


class Same:
    """A key that is equal only to itself: caches are keyed by the identity of an analysis."""

    __slots__ = ("value",)

    def __init__(self, value: Analysis) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value


@dataclass(frozen=True)
class Signature:
    """The names of a callable's parameters, as far as they are known."""

    positional: tuple[str, ...] = ()
    keyword: tuple[str, ...] = ()
    variadic: bool = False
    any_keyword: bool = False

    @classmethod
    def of(cls, names: tuple[str, ...]) -> Signature:
        """From names in the order of the signature, with `*` and `**` marks.

        >>> Signature.of(("a", "*steps", "verbose")).positional
        ('a',)
        """
        positional, keyword, variadic, any_keyword, only = [], [], False, False, False
        for name in names:
            if name.startswith("**"):
                any_keyword = True
            elif name.startswith("*"):
                only, variadic = True, variadic or name != "*"
            else:
                keyword.append(name)
                if not only:
                    positional.append(name)
        return cls(tuple(positional), tuple(keyword), variadic, any_keyword)


class Scan:
    """A cell's definitions and calls, with the catalogue's knowledge of the callables.

    Names are resolved through the cell's own imports first, then through those of the notebook.
    """

    def __init__(self, text: Text, analysis: Analysis) -> None:
        self.text, self.tree, self.analysis = text, text.tree, analysis
        self._dotted = {path.replace(":", "."): path for path in analysis.catalogue}

    @cached_property
    def imported(self) -> dict[str, str]:
        """Name → path, for what is imported here or in the notebook."""
        return {**self.analysis.imported, **self._imports}

    @cached_property
    def _imports(self) -> dict[str, str]:
        return imports_in(self.tree)

    @cached_property
    def scopes(self) -> Scopes:
        """The cell's scopes."""
        return Scopes(self.text)

    @cached_property
    def definitions(self) -> dict[str, list[Definition]]:
        """Name → what gives it a value at the level of the cell (not inside functions and classes)."""
        kept = {name: self._meant(found) for name, found in self.scopes.cell.found.items()}
        return {name: found for name, found in kept.items() if found}

    def given(self, node: ast.Name) -> list[Definition]:
        """What gives a name its value where it stands; for a name of the cell, functions that change it too."""
        return self._meant(self.scopes.given(node))

    def named(self, name: str, scope: Scope | None = None) -> list[Definition]:
        """The same for a name of a scope, that of the cell where none is named."""
        return self._meant(self.scopes.named(name, scope))

    def key(self, node: ast.Name) -> str:
        """A name that tells variables of different functions apart: `y`, and `y of run` in a function that has its own.

        >>> scan = scanned("def run(y):\\n    return y", Analysis(code="", metric=""))
        >>> scan.key(next(n for n in ast.walk(scan.tree) if isinstance(n, ast.Name)))
        'y of run'
        """
        label = self.scopes.holder(node).label
        return f"{node.id} of {label}" if label else node.id

    def _meant(self, found: list[Definition]) -> list[Definition]:
        """Without calls of modules, which change none of them: `torch.manual_seed(0)`."""
        return [d for d in found if not (isinstance(d.node, ast.Expr) and self._is_module(d))]

    def _is_module(self, definition: Definition) -> bool:
        path = self.imported.get(definition.name)
        return definition.kind in ("mutate", "outer") and path is not None and ":" not in path

    @cached_property
    def identifiers(self) -> frozenset[str]:
        """Every name that occurs in the code in any role."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            for field in ("id", "arg", "name", "attr", "asname", "rest"):
                value = getattr(node, field, None)
                if isinstance(value, str):
                    found.update(value.split("."))
            if isinstance(node, (ast.Global, ast.Nonlocal)):
                found.update(node.names)
        return frozenset(found)

    @cached_property
    def labels(self) -> dict[int, str]:
        """Call → its readable name: `SVC`, and `SVC[2]` for the second one."""
        counts: Counter[str] = Counter()
        found = {}
        for call in self.text.calls:
            name = name_of(call.func)
            counts[name] += 1
            found[id(call)] = name if counts[name] == 1 else f"{name}[{counts[name]}]"
        return found

    def path(self, func: ast.expr) -> str | None:
        """`module:qualname` of what a call calls, where it is known."""
        chain = dotted(func)
        if chain is None:
            return None
        root = chain.partition(".")[0]
        if any(d.kind not in ("import", "mutate", "outer") for d in self.given(base_of(func))):
            return None
        if root not in self._imports and (known := self.analysis.imported.get(chain)) and ":" in known:
            return known
        base = self.imported.get(root)
        if base is None:
            own = f"__main__:{chain}"
            return own if own in self.analysis.catalogue else None
        rest = chain[len(root) :]
        full = (base + rest) if ":" not in base else base.replace(":", ".") + rest
        if full in self._dotted:
            return self._dotted[full]
        if ":" in base:
            return base + rest
        module, _, name = full.rpartition(".")
        return f"{module}:{name}" if rest else None

    def recipe(self, func: ast.expr) -> Recipe | None:
        """The catalogue's entry for what a call calls."""
        path = self.path(func)
        return self.analysis.catalogue.get(path) if path else None

    def local(self, func: ast.expr) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | None:
        """The function or class of this cell that a call calls."""
        if isinstance(func, ast.Name):
            for definition in self.given(func):
                if isinstance(definition.node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                    return definition.node
        return None

    def signature(self, func: ast.expr) -> Signature | None:
        """Names of the parameters of what a call calls, from the catalogue or from the cell."""
        if (recipe := self.recipe(func)) is not None:
            return Signature.of(tuple(parameter.name for parameter in recipe.parameters))
        node = self.local(func)
        if isinstance(node, ast.ClassDef):
            inits = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
            return _signature(inits[0].args, skip=1) if inits else None
        if node is None and isinstance(func, ast.Name):
            found = [each for each in self.given(func) if each.kind != "mutate"]
            if len(found) == 1 and found[0].kind == "assign" and isinstance(found[0].value, ast.Lambda):
                return _signature(found[0].value.args)
        return _signature(node.args) if node is not None else None

    def parameter(self, call: ast.Call, argument: ast.expr) -> str:
        """The parameter's name that an argument goes to, or "" where it is not known."""
        for keyword in call.keywords:
            if keyword.value is argument:
                return keyword.arg or ""
        signature = self.signature(call.func)
        if signature is None or any(isinstance(a, ast.Starred) for a in call.args):
            return ""
        place = next((i for i, a in enumerate(call.args) if a is argument), None)
        return signature.positional[place] if place is not None and place < len(signature.positional) else ""


def _signature(arguments: ast.arguments, skip: int = 0) -> Signature:
    positional = tuple(a.arg for a in (*arguments.posonlyargs, *arguments.args))[skip:]
    return Signature(
        positional,
        positional + tuple(a.arg for a in arguments.kwonlyargs),
        arguments.vararg is not None,
        arguments.kwarg is not None,
    )


@lru_cache(maxsize=512)
def _scanned(code: str, key: Same) -> Scan:
    return Scan(text_of(code), key.value)


def scanned(code: str, analysis: Analysis) -> Scan:
    """The scan of a code, once for each analysis.

    Raises:
        CellError: the code does not parse.
    """
    return _scanned(code, Same(analysis))


def imports_in(tree: ast.Module) -> dict[str, str]:
    """Name → path for each import of a cell, nested ones too.

    >>> imports_in(ast.parse("import numpy as np\\nfrom sklearn.svm import SVC"))
    {'np': 'numpy', 'SVC': 'sklearn.svm:SVC'}
    """
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and node.module != "__future__" and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}:{alias.name}"
    return found


def dotted(node: ast.expr) -> str | None:
    """`a.b.c` of a name and its attributes; None for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def base_of(node: ast.expr) -> ast.Name:
    """The name at the root of what `dotted` spells out."""
    while isinstance(node, ast.Attribute):
        node = node.value
    assert isinstance(node, ast.Name)
    return node


def name_of(func: ast.expr) -> str:
    """The last name of a callee: what a person would call it."""
    if isinstance(func, ast.Attribute):
        return func.attr
    return func.id if isinstance(func, ast.Name) else "call"


_NOTHING = object()


def literal(node: ast.AST | None) -> LiteralValue | object:
    """The number, boolean or string that a node spells out; `_NOTHING` (see `is_literal`) for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        inner = literal(node.operand)
        if isinstance(inner, (int, float)) and not isinstance(inner, bool):
            return -inner if isinstance(node.op, ast.USub) else inner
        return _NOTHING
    if isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float, str)):
        value = node.value
        if isinstance(value, float) and value - value != 0:
            return _NOTHING
        if isinstance(value, int) and not -(2**53) <= value <= 2**53:
            return _NOTHING
        return value
    return _NOTHING


def is_literal(node: ast.AST | None) -> bool:
    """Whether a node spells out a number, boolean or string."""
    return literal(node) is not _NOTHING


def value_of(node: ast.AST) -> LiteralValue:
    """The literal that a node spells out, where `is_literal` says so."""
    value = literal(node)
    if not isinstance(value, (bool, int, float, str)):
        raise TypeError(f"{ast.dump(node)} is no literal")
    return value


__all__ = [
    "Definition",
    "Same",
    "Scan",
    "Signature",
    "base_of",
    "dotted",
    "imports_in",
    "is_literal",
    "literal",
    "name_of",
    "root_of",
    "scanned",
    "value_of",
]
