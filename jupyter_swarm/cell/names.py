"""What a cell needs that it does not make itself: names read before the cell has surely given them a value."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass
class Names:
    """Names of a cell: `needed` maps a name to the line that first reads it; `bound` are all that it assigns."""

    needed: dict[str, int] = field(default_factory=dict)
    bound: set[str] = field(default_factory=set)


def names(tree: ast.Module) -> Names:
    """What a cell needs and what it binds, functions' bodies counted as read after the whole cell has run.

    >>> found = names(ast.parse("X = scale(X)\\ndef f(a):\\n    return a + late\\nlate = 1"))
    >>> sorted(found.needed), sorted(found.bound)
    (['X', 'scale'], ['X', 'f', 'late'])
    """
    walk = _Walk()
    walk.block(tree.body, set())
    for name, line in walk.later:
        if name not in walk.names.bound:
            walk.names.needed.setdefault(name, line)
    return walk.names


class _Walk:
    """Goes through the statements in order, with what is surely bound by then."""

    def __init__(self) -> None:
        self.names = Names()
        self.later: list[tuple[str, int]] = []

    def block(self, statements: Iterable[ast.stmt], bound: set[str]) -> None:
        for statement in statements:
            self.statement(statement, bound)

    def statement(self, node: ast.stmt, bound: set[str]) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.reads(_outer_parts(node), _with_types(node, bound))
                self.later += list(_free_of_function(node))
                self.binds([node.name], bound)
            case ast.ClassDef():
                known = _with_types(node, bound)
                self.reads([*node.decorator_list, *node.bases, *(k.value for k in node.keywords)], known)
                self._class(node, known)
                self.binds([node.name], bound)
            case ast.If(test=test, body=body, orelse=other):
                self.reads([test], bound)
                self._branches([body, other], bound)
            case ast.While(test=test, body=body, orelse=other):
                self.reads([test], bound)
                self._branches([[*body, *other], []], bound)
            case ast.For() | ast.AsyncFor():
                self.reads([node.iter], bound)
                self.binds(_stored(node.target), bound)
                self.block([*node.body, *node.orelse], bound)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    self.reads([item.context_expr], bound)
                    self.binds(_stored(item.optional_vars), bound)
                self.block(node.body, bound)
            case ast.Try() | ast.TryStar():
                self._try(node, bound)
            case ast.Match(subject=subject, cases=cases):
                self.reads([subject], bound)
                for case in cases:
                    inside = set(bound)
                    self.binds(_captured(case.pattern), inside)
                    self.block(case.body, inside)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                self.binds([alias.asname or alias.name.partition(".")[0] for alias in aliases], bound)
            case ast.Delete(targets=targets):
                self.reads(targets, bound)
                bound.difference_update(name for target in targets for name in _names(target))
            case _:
                self.reads([node], bound)
                if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                    self._read(node.target.id, node.lineno, bound)
                self.binds(_stored(node), bound)

    def reads(self, nodes: Iterable[ast.AST | None], bound: set[str]) -> None:
        for node in nodes:
            if node is not None:
                walrus = set(_stored(node)) if isinstance(node, ast.expr) else set()
                for name, line in _free(node):
                    self._read(name, line, bound | walrus)
                self.binds(walrus, bound)

    def _read(self, name: str, line: int, bound: set[str]) -> None:
        if name not in bound:
            self.names.needed.setdefault(name, line)

    def binds(self, names_: Iterable[str], bound: set[str]) -> None:
        for name in names_:
            bound.add(name)
            self.names.bound.add(name)

    def _branches(self, branches: list[list[ast.stmt]], bound: set[str]) -> None:
        ends = []
        for branch in branches:
            inside = set(bound)
            self.block(branch, inside)
            ends.append(inside)
        bound |= set.intersection(*ends)

    def _try(self, node: ast.Try | ast.TryStar, bound: set[str]) -> None:
        before = set(bound)
        self.block(node.body, bound)
        for handler in node.handlers:
            inside = set(before)
            self.reads([handler.type], inside)
            if handler.name:
                self.binds([handler.name], inside)
            self.block(handler.body, inside)
        self.block([*node.orelse, *node.finalbody], bound)

    def _class(self, node: ast.ClassDef, bound: set[str]) -> None:
        inner = _Walk()
        inside = set(bound) | {"__module__", "__qualname__"}
        inner.block(node.body, inside)
        for name, line in inner.names.needed.items():
            self._read(name, line, bound)
        own = {"__class__", *_typed(node)}
        self.later += [each for each in inner.later if each[0] not in own]


def _outer_parts(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> list[ast.AST | None]:
    """What of a function is evaluated where it is defined."""
    arguments = node.args
    parts: list[ast.AST | None] = [*arguments.defaults, *arguments.kw_defaults]
    if not isinstance(node, ast.Lambda):
        every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
        parts += [*node.decorator_list, node.returns, *(a.annotation for a in every if a is not None)]
    return parts


def _typed(node: ast.AST) -> Iterator[str]:
    """Names of the type parameters of a function, a class or a `type` statement (Python 3.12 and later)."""
    return (parameter.name for parameter in getattr(node, "type_params", ()))


def _with_types(node: ast.AST, bound: set[str]) -> set[str]:
    """What is bound where a function's annotations or a class's bases are evaluated."""
    typed = set(_typed(node))
    return bound | typed if typed else bound


def _free_of_function(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Iterator[tuple[str, int]]:
    """Names that a function's body reads from outside."""
    arguments = node.args
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
    own = {a.arg for a in every if a is not None} | {*_typed(node)}
    body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    declared: set[str] = set()
    for part in body:
        for inner in _within(part):
            if isinstance(inner, (ast.Global, ast.Nonlocal)):
                declared.update(inner.names)
            own.update(_binds_here(inner))
    for part in body:
        for name, line in _free(part):
            if name not in own - declared:
                yield name, line


def _binds_here(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in aliases)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name


def _within(node: ast.AST) -> Iterator[ast.AST]:
    """A node and what lies below it in the same scope (names of nested functions and classes, not their bodies)."""
    yield node
    if isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.Lambda)):
        return
    for child in ast.iter_child_nodes(node):
        yield from _within(child)


def _free(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Names that a node reads and does not bind in a scope of its own, with their lines."""
    match node:
        case ast.Name(id=name, ctx=ast.Load() | ast.Del()):
            yield name, node.lineno
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            typed = {*_typed(node)}
            for part in _outer_parts(node):
                if part is not None:
                    yield from ((name, line) for name, line in _free(part) if name not in typed)
            yield from _free_of_function(node)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            own = {name for generator in node.generators for name in _names(generator.target)}
            for child in ast.iter_child_nodes(node):
                yield from ((name, line) for name, line in _free(child) if name not in own)
        case ast.ClassDef():
            own = {name for part in node.body for inner in _within(part) for name in _binds_here(inner)}
            own |= {*_typed(node)}
            for child in ast.iter_child_nodes(node):
                yield from ((name, line) for name, line in _free(child) if name not in own)
        case _:
            typed = {*_typed(node)}
            for child in ast.iter_child_nodes(node):
                yield from ((name, line) for name, line in _free(child) if name not in typed)


def _stored(node: ast.AST | None) -> Iterator[str]:
    """Names that a statement or an expression stores in the cell's own scope."""
    if node is None or isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.Lambda)):
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    if isinstance(node, _COMPREHENSIONS):
        yield from (n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
        return
    for child in ast.iter_child_nodes(node):
        yield from _stored(child)


def _captured(pattern: ast.pattern) -> Iterator[str]:
    for node in ast.walk(pattern):
        name = getattr(node, "name", None) or getattr(node, "rest", None)
        if isinstance(name, str):
            yield name


def _names(target: ast.AST) -> Iterator[str]:
    return (node.id for node in ast.walk(target) if isinstance(node, ast.Name))
