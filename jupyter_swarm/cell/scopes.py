"""Scopes: the cell, its functions, classes, lambdas and comprehensions, and what each name means there."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import Literal, NamedTuple

from jupyter_swarm.cell.text import Text

Kind = Literal[
    "assign", "element", "mutate", "loop", "with", "import", "def", "class", "other", "param", "outer", "helped"
]  # fmt: skip
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SCOPES = (*FUNCTIONS, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Definition(NamedTuple):
    """A place that gives a name its value, or changes it in place.

    Of kind `param`, `node` is the function and callers give the value; of kind `outer`, a function changes what it did
    not make, and `node` is the statement in it.
    """

    name: str
    kind: Kind
    node: ast.stmt | ast.expr
    value: ast.expr | None


class Scope:
    """One scope, and what its names are.

    Args:
        node: the cell, or what opens the scope.
        label: its name with those of the functions around it; "" for the cell.
    """

    def __init__(self, node: ast.AST, label: str) -> None:
        self.node, self.label = node, label
        self.found: dict[str, list[Definition]] = defaultdict(list)
        self.outer: set[str] = set()
        """Names that are declared `global` or `nonlocal`."""
        for definition in self._made():
            self.found[definition.name].append(definition)
        if not isinstance(node, _COMPREHENSIONS):
            self.outer.update(name for part in within(node) if isinstance(part, _DECLARED) for name in part.names)

    def _made(self) -> Iterator[Definition]:
        node = self.node
        if isinstance(node, _COMPREHENSIONS):
            for generator in node.generators:
                for name in _names(generator.target):
                    yield Definition(name, "loop", node, generator.iter)
            return
        if isinstance(node, FUNCTIONS):
            for argument in parameters(node.args):
                yield Definition(argument.arg, "param", node, None)
        for part in within(node):
            yield from _defines(part)

    @cached_property
    def names(self) -> frozenset[str]:
        """Names that are this scope's own."""
        if isinstance(self.node, _COMPREHENSIONS):
            return frozenset(self.found)
        own = {name for name, found in self.found.items() if any(each.kind != "mutate" for each in found)}
        for part in within(self.node):
            if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
                own.add(part.id)
            elif isinstance(part, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and part.name:
                own.add(part.name)
            elif isinstance(part, ast.MatchMapping) and part.rest:
                own.add(part.rest)
        return frozenset(own - self.outer)

    @cached_property
    def reaching(self) -> list[Definition]:
        """What changes names of the scopes around this one."""
        return [each for name, found in self.found.items() if name not in self.names for each in found]


_DECLARED = (ast.Global, ast.Nonlocal)


class Scopes:
    """The scopes of a code."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self.cell = Scope(text.tree, "")
        self._known: dict[int, Scope] = {id(text.tree): self.cell}
        self._outer: dict[tuple[int, str], list[Definition]] = defaultdict(list)
        for node in ast.walk(text.tree):
            if isinstance(node, _SCOPES):
                for each in self.opened(node).reaching:
                    self._outer[self._home(node, each)].append(each._replace(kind="outer"))

    def _home(self, node: ast.AST, definition: Definition) -> tuple[int, str]:
        """The scope that a name belongs to which a function changes, and the name."""
        declared = any(isinstance(p, ast.Global) and definition.name in p.names for p in within(node))
        scope = self.cell if declared else self._holder(node, definition.name)
        return id(scope.node), definition.name

    def opened(self, node: ast.AST) -> Scope:
        """The scope that a node opens."""
        if id(node) not in self._known:
            around = next(self.around(node), self.cell).label
            name = getattr(node, "name", type(node).__name__.lower())
            self._known[id(node)] = Scope(node, f"{around}.{name}" if around else name)
        return self._known[id(node)]

    def around(self, node: ast.AST) -> Iterator[Scope]:
        """The scopes that a node's names are looked up in, the innermost first."""
        child, inside = node, False
        for parent in self._text.ancestors(node):
            if isinstance(parent, FUNCTIONS):
                if child is parent.body or (isinstance(parent.body, list) and child in parent.body):
                    yield self.opened(parent)
                    inside = True
            elif isinstance(parent, ast.ClassDef):
                if child in parent.body and not inside:
                    yield self.opened(parent)
            elif isinstance(parent, _COMPREHENSIONS) and not self._is_first(parent, child, node):
                yield self.opened(parent)
            child = parent
        yield self.cell

    def _is_first(self, parent: ast.AST, child: ast.AST, node: ast.AST) -> bool:
        """Whether a node stands in what a comprehension goes through, which is looked up outside of it."""
        if not isinstance(child, ast.comprehension) or getattr(parent, "generators", [None])[0] is not child:
            return False
        return node is child.iter or any(each is child.iter for each in self._text.ancestors(node))

    def _holder(self, node: ast.AST, name: str) -> Scope:
        for scope in self.around(node):
            if name in scope.outer and any(
                isinstance(part, ast.Global) and name in part.names for part in within(scope.node)
            ):
                return self.cell
            if name in scope.names:
                return scope
        return self.cell

    def holder(self, node: ast.Name) -> Scope:
        """The scope that a name belongs to: the cell's where no function has it."""
        return self._holder(node, node.id)

    def given(self, node: ast.Name) -> list[Definition]:
        """What gives a name its value or changes it, functions that reach out to it too."""
        return self.named(node.id, self.holder(node))

    def label(self, node: ast.AST) -> str:
        """The name of the scope that a node stands in; "" for the cell."""
        return next(self.around(node)).label

    def named(self, name: str, scope: Scope | None = None) -> list[Definition]:
        """The same for a name of a scope, that of the cell where none is named."""
        scope = scope or self.cell
        return [*scope.found.get(name, ()), *self._outer.get((id(scope.node), name), ())]


def within(node: ast.AST) -> Iterator[ast.AST]:
    """All that belongs to a scope's own level, in the order of the code: functions in it, but not their bodies."""
    body = getattr(node, "body", [])
    stack: list[ast.AST] = list(reversed(body)) if isinstance(body, list) else [body]
    while stack:
        part = stack.pop()
        yield part
        if isinstance(part, _COMPREHENSIONS):
            stack.extend(each for each in ast.walk(part) if isinstance(each, ast.NamedExpr))
        elif not isinstance(part, _SCOPES):
            stack.extend(reversed(list(ast.iter_child_nodes(part))))


def parameters(arguments: ast.arguments) -> list[ast.arg]:
    """All parameters of a function, in their order."""
    more = [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *more]


def root_of(node: ast.expr) -> str | None:
    """The name at the root of a chain of attributes, subscripts and calls."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call, ast.Starred)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _defines(node: ast.AST) -> Iterator[Definition]:
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _targets(target, value, node)
        case ast.AnnAssign(target=target, value=annotated) if annotated is not None:
            yield from _targets(target, annotated, node)
        case ast.AugAssign(target=target, value=value):
            if (name := root_of(target)) is not None:
                yield Definition(name, "mutate", node, value)
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            yield Definition(name, "assign", node, value)
        case ast.For(target=target, iter=value) | ast.AsyncFor(target=target, iter=value):
            for name in _names(target):
                yield Definition(name, "loop", node, value)
        case ast.With(items=items) | ast.AsyncWith(items=items):
            for item in items:
                for name in _names(item.optional_vars) if item.optional_vars else ():
                    yield Definition(name, "with", node, item.context_expr)
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            for alias in names:
                yield Definition(alias.asname or alias.name.partition(".")[0], "import", node, None)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield Definition(name, "def", node, None)
        case ast.ClassDef(name=name):
            yield Definition(name, "class", node, None)
        case ast.Expr(value=ast.Call(func=ast.Attribute()) as call):
            if (root := root_of(call.func)) is not None:
                yield Definition(root, "mutate", node, call)
        case ast.Delete(targets=targets):
            for target in targets:
                if (root := root_of(target)) is not None:
                    yield Definition(root, "other", node, None)


def _targets(target: ast.expr, value: ast.expr, node: ast.stmt) -> Iterator[Definition]:
    match target:
        case ast.Name(id=name):
            yield Definition(name, "assign", node, value)
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            pairs = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
            plain = len(pairs) == len(elements) and not any(isinstance(e, ast.Starred) for e in (*pairs, *elements))
            for place, element in enumerate(elements):
                if plain:
                    yield from _targets(element, pairs[place], node)
                else:
                    for name in _names(element):
                        yield Definition(name, "element", node, value)
        case _:
            if (root := root_of(target)) is not None:
                yield Definition(root, "mutate", node, value)


def _names(target: ast.AST) -> Iterator[str]:
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
