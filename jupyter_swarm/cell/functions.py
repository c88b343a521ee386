"""Functions and classes of the cell: who calls them, what their parameters are given, which can be followed."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property, lru_cache

from jupyter_swarm.cell.scan import Scan, name_of
from jupyter_swarm.cell.scopes import FUNCTIONS, Definition, Function, parameters, root_of
from jupyter_swarm.cell.vocabulary import DANGEROUS, KEEPS_MODEL, MODEL_METHODS

_PLAIN_DECORATORS = frozenset({"no_grad", "inference_mode", "enable_grad", "cache", "lru_cache"})
_UNCLEAR = (ast.Yield, ast.YieldFrom, ast.Global, ast.Nonlocal, ast.Match)


class Functions:
    """What the functions and classes of a code are, and who uses them how.

    Args:
        scan: the code.
    """

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        self.calls: dict[int, list[ast.Call]] = defaultdict(list)
        """Function or class → its calls by name."""
        self.escaped: set[int] = set()
        """Functions that are handed on as values: nobody knows who calls them."""
        called = set()
        for call in (node for node in ast.walk(scan.tree) if isinstance(node, ast.Call)):
            if (callee := self.callee(call.func)) is not None:
                called.add(id(call.func))
                self.calls[id(callee)].append(call)
        for name in (node for node in ast.walk(scan.tree) if isinstance(node, ast.Name)):
            if isinstance(name.ctx, ast.Load) and id(name) not in called:
                given = scan.given(name)
                self.escaped.update(id(each.value) for each in given if each.kind == "assign")
                self.escaped.update(id(each.node) for each in given if each.kind in ("def", "class"))

    # ------------------------------------------------------------ who is who

    def callee(self, func: ast.expr) -> Function | ast.ClassDef | None:
        """The one function or class of this cell that a name stands for; None where several may."""
        if not isinstance(func, ast.Name):
            return None
        found = self.scan.given(func)
        if len(found) != 1 or found[0].kind not in ("assign", "def", "class"):
            return None
        node = found[0].value if found[0].kind == "assign" else found[0].node
        return node if isinstance(node, (*FUNCTIONS, ast.ClassDef)) else None

    def function(self, func: ast.expr) -> Function | None:
        """The same for functions alone."""
        callee = self.callee(func)
        return callee if isinstance(callee, FUNCTIONS) else None

    def owner(self, node: ast.AST) -> ast.ClassDef | None:
        """The class that a function is a method of."""
        parent = self.scan.text.parents.get(id(node))
        return parent if isinstance(parent, ast.ClassDef) else None

    @cached_property
    def classes(self) -> list[ast.ClassDef]:
        """All classes of the code."""
        return [node for node in ast.walk(self.scan.tree) if isinstance(node, ast.ClassDef)]

    def method(self, of: ast.ClassDef, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """A class's own method; None where it has none or several."""
        found = [
            each for each in of.body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)) and each.name == name
        ]
        return found[0] if len(found) == 1 else None

    def class_of(self, node: ast.expr, seen: frozenset[int] = frozenset()) -> ast.ClassDef | None:
        """The class of this cell that an expression is an object of; None where that is unclear."""
        if id(node) in seen:
            return None
        seen |= {id(node)}
        match node:
            case ast.Name():
                found = [each for each in self.scan.given(node) if each.kind != "mutate"]
                if len(found) == 1 and found[0].kind == "param" and self._is_self(found[0]):
                    return self.owner(found[0].node)
                values = [each for one in found for each in self.values(one)]
                kinds = {id(c): c for c in (self.class_of(value, seen) for value in values) if c is not None}
                known = len(kinds) == 1 and all(self.class_of(value, seen) is not None for value in values)
                plain = values and all(each.kind in ("assign", "param") for each in found)
                return next(iter(kinds.values())) if known and plain else None
            case ast.Call(func=ast.Attribute(value=receiver, attr=attr)) if attr in KEEPS_MODEL:
                return self.class_of(receiver, seen)
            case ast.Call(func=func):
                callee = self.callee(func)
                return callee if isinstance(callee, ast.ClassDef) else None
        return None

    def _is_self(self, definition: Definition) -> bool:
        function = definition.node
        if not isinstance(function, FUNCTIONS) or self.owner(function) is None or _is_static(function):
            return False
        names = parameters(function.args)
        return bool(names) and names[0].arg == definition.name

    def itself(self, node: ast.expr) -> ast.ClassDef | None:
        """The class whose method's `self` a name is."""
        if isinstance(node, ast.Name):
            found = self.scan.given(node)
            if found and found[0].kind == "param" and self._is_self(found[0]):
                return self.owner(found[0].node)
        return None

    def owner_by(self, function: Function, name: str) -> ast.ClassDef | None:
        """The class of a method whose `self` has this name."""
        return self.owner(function) if self._is_self(Definition(name, "param", function, None)) else None

    def stores(self, attribute: str) -> list[ast.stmt]:
        """Statements that give an attribute of any object a value, or change it in place."""
        found: list[ast.stmt] = []
        for node in ast.walk(self.scan.tree):
            match node:
                case ast.Assign(targets=targets):
                    parts = [part for each in targets for part in ast.walk(each)]
                case ast.AugAssign(target=target) | ast.AnnAssign(target=target) | ast.For(target=target):
                    parts = list(ast.walk(target))
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=receiver))):
                    parts = list(ast.walk(receiver))
                case ast.Delete(targets=targets):
                    parts = [part for each in targets for part in ast.walk(each)]
                case _:
                    continue
            in_class = isinstance(self.scan.text.parents[id(node)], ast.ClassDef)
            if any(
                (isinstance(part, ast.Attribute) and part.attr == attribute)
                or (in_class and isinstance(part, ast.Name) and part.id == attribute)
                for part in parts
            ):
                found.append(node)
        for _, call in self._given_away(self._changes):
            if any(isinstance(part, ast.Attribute) and part.attr == attribute for part in ast.walk(call)):
                found.append(self.scan.text.statement(call))
        return found

    # ------------------------------------------------------------ parameters

    def binding(self, function: Function, call: ast.Call) -> dict[str, ast.expr] | None:
        """Parameter → what a call gives for it, defaults left out; None where that cannot be told."""
        names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
        if self.owner(function) is not None and not _is_static(function):
            names = names[1:]
        known = {*names, *(each.arg for each in function.args.kwonlyargs)}
        if any(isinstance(each, ast.Starred) for each in call.args) or len(call.args) > len(names):
            return None
        if any(each.arg not in known for each in call.keywords):
            return None
        return {**dict(zip(names, call.args, strict=False)), **{k.arg: k.value for k in call.keywords if k.arg}}

    def values(self, definition: Definition) -> list[ast.expr]:
        """The expressions that a definition gives its name; [] where they are not known."""
        if definition.kind != "param":
            return [definition.value] if definition.value is not None else []
        function = definition.node
        if not isinstance(function, FUNCTIONS) or id(function) in self.escaped or self.owner(function) is not None:
            return []
        found: list[ast.expr] = []
        for call in self.calls[id(function)]:
            bound = self.binding(function, call)
            value = None if bound is None else bound.get(definition.name, defaults(function).get(definition.name))
            if value is None:
                return []
            found.append(value)
        return list({id(value): value for value in found}.values())

    # ------------------------------------------------------------ what can be followed

    def followed(self, function: Function) -> bool:
        """Whether a function's value can be traced back: no generator, no recursion, nothing that reaches out."""
        if not has_plain_parameters(function) or id(function) in self.escaped:
            return False
        for node in ast.walk(function):
            if isinstance(node, _UNCLEAR) or (isinstance(node, ast.Name) and node.id in DANGEROUS):
                return False
        if not isinstance(function, ast.Lambda):
            if not all(self._is_plain(each) for each in function.decorator_list) or not list(returned(function)):
                return False
            if self.owner(function) is not None and self.is_set(function.name):
                return False
        return id(function) not in self._reached(function)

    def _is_plain(self, decorator: ast.expr) -> bool:
        func = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(func, ast.Name) and func.id == "staticmethod":
            return True
        package = (self.scan.path(func) or "").partition(":")[0].partition(".")[0]
        return name_of(func) in _PLAIN_DECORATORS and package in ("torch", "functools")

    def is_set(self, attribute: str) -> bool:
        """Whether something gives objects another attribute of that name."""
        return any(
            isinstance(node, ast.Attribute) and node.attr == attribute and not isinstance(node.ctx, ast.Load)
            for node in ast.walk(self.scan.tree)
        )

    def _reached(self, function: Function) -> set[int]:
        """All functions of the cell that a function calls, and that those call."""
        found: set[int] = set()
        todo: list[ast.AST] = [function]
        while todo:
            for each in self._called(todo.pop()):
                if id(each) not in found:
                    found.add(id(each))
                    todo.append(each)
        return found

    def _called(self, node: ast.AST) -> Iterator[ast.AST]:
        for call in (each for each in ast.walk(node) if isinstance(each, ast.Call)):
            yield from self._called_by(call)

    def _called_by(self, call: ast.Call) -> Iterator[ast.AST]:
        """All functions and classes of the cell that a call may call."""
        if (callee := self.callee(call.func)) is not None:
            yield callee
        elif isinstance(call.func, ast.Name):
            yield from (each.node for each in self.scan.given(call.func) if each.kind in ("def", "class"))
        elif isinstance(call.func, ast.Attribute):
            yield from filter(None, (self.method(each, call.func.attr) for each in self.classes))

    # ------------------------------------------------------------ what functions do to what they are given

    @cached_property
    def _uses(self) -> dict[int, list[tuple[Function, ast.Call]]]:
        """Function → its calls by name, and calls of any object's method of that name."""
        found: dict[int, list[tuple[Function, ast.Call]]] = defaultdict(list)
        for call in (node for node in ast.walk(self.scan.tree) if isinstance(node, ast.Call)):
            for callee in self._called_by(call):
                if isinstance(callee, FUNCTIONS):
                    found[id(callee)].append((callee, call))
        return found

    @cached_property
    def _changes(self) -> dict[int, set[str]]:
        """Function → its parameters that it, or what it calls, changes in place."""
        found: dict[int, set[str]] = defaultdict(set)
        all_of_them = [node for node in ast.walk(self.scan.tree) if isinstance(node, FUNCTIONS)]
        for node in all_of_them:
            own = {each.arg for each in parameters(node.args)}
            for name, definitions in self.scan.scopes.opened(node).found.items():
                if any(d.kind == "mutate" and not _trains(d) for d in definitions):
                    found[id(node)].update(own & self._aliases(node, name))
        before = -1
        while before != sum(map(len, found.values())):
            before = sum(map(len, found.values()))
            for _, definition in self._handed(found):
                if definition.kind == "param":
                    found[id(definition.node)].add(definition.name)
        return found

    def _aliases(self, function: Function, name: str) -> set[str]:
        """A name of a function, and those whose values it may be or be a part of: `u = t[1:]`."""
        found, todo = {name}, [name]
        known = self.scan.scopes.opened(function).found
        while todo:
            values = [each.value for each in known.get(todo.pop(), ()) if each.kind != "mutate"]
            more = {root for value in values if value is not None and (root := root_of(value)) is not None}
            todo += more - found
            found |= more
        return found

    def _handed(self, changes: dict[int, set[str]]) -> list[tuple[ast.Name, Definition]]:
        """Names that are handed to a function which changes them, with what gave them their values."""
        found = []
        for name, _ in self._given_away(changes):
            found += [(name, each) for each in self.scan.scopes.given(name)]
        return found

    def _given_away(self, changes: dict[int, set[str]]) -> Iterator[tuple[ast.Name, ast.Call]]:
        for key, names in list(changes.items()):
            for function, call in self._uses[key]:
                bound = self.binding(function, call)
                given = [bound[each] for each in names if each in bound] if bound is not None else list(call.args)
                for value in given:
                    root = next((n for n in ast.walk(value) if isinstance(n, ast.Name)), None)
                    if root is not None and root_of(value) == root.id:
                        yield root, call

    @cached_property
    def helped(self) -> dict[str, list[Definition]]:
        """Variable (as `Scan.key` tells it) → calls by which a function of the cell changes it in place."""
        found: dict[str, list[Definition]] = defaultdict(list)
        for name, call in self._given_away(self._changes):
            found[self.scan.key(name)].append(Definition(name.id, "helped", self.scan.text.statement(call), call))
        return found


def defaults(function: Function) -> dict[str, ast.expr]:
    """Parameter → its default."""
    arguments = function.args
    places = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    found = dict(zip(places[len(places) - len(arguments.defaults) :], arguments.defaults, strict=True))
    only = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {**found, **{each.arg: value for each, value in only if value is not None}}


def has_plain_parameters(function: Function) -> bool:
    """Whether a function takes neither `*args` nor `**options`."""
    return function.args.vararg is None and function.args.kwarg is None


def returned(function: Function) -> Iterator[tuple[ast.stmt | None, ast.expr | None]]:
    """What a function returns: statement and value; (None, body) of a lambda."""
    if isinstance(function, ast.Lambda):
        yield None, function.body
        return
    stack: list[ast.AST] = list(reversed(function.body))
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Return):
            yield node, node.value
        elif not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            stack.extend(reversed(list(ast.iter_child_nodes(node))))


def _is_static(function: Function) -> bool:
    decorators = [] if isinstance(function, ast.Lambda) else function.decorator_list
    return any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in decorators)


def _trains(definition: Definition) -> bool:
    """`model.fit(X, y)`, `model.train()`: it changes a model, which is free."""
    value = definition.value
    if not isinstance(definition.node, ast.Expr) or not isinstance(value, ast.Call):
        return False
    return name_of(value.func) in MODEL_METHODS | KEEPS_MODEL


@lru_cache(maxsize=512)
def functions(scan: Scan) -> Functions:
    """The functions of a code, found once."""
    return Functions(scan)
