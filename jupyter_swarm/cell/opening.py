"""Functions of the cell that measure, followed inside: their model side stays free, what they evaluate is locked.

A function is *entered* at a call whose value the metric is made of. What it returns is walked like an expression of the
cell; a parameter that is met on the way is *asked* for, and what each entered call gives for it is walked in turn.
Arguments that nothing asked for stay free. Where anything is unclear, nothing is entered and the whole is locked.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING, Literal

from jupyter_swarm.cell.functions import defaults, functions, has_plain_parameters, returned
from jupyter_swarm.cell.models import asks_model, is_model
from jupyter_swarm.cell.scopes import Definition, Function
from jupyter_swarm.cell.vocabulary import FIT, KEEPS_MODEL, PREDICT, evaluates, is_seed

if TYPE_CHECKING:
    from jupyter_swarm.cell.slicing import Slice

Mode = Literal["measured", "features", "strict"]
MEASURES = "it makes the metric"
_ANSWERS = FIT | PREDICT | KEEPS_MODEL | {"transform", "inverse_transform", "fit_transform", "__call__"}
"""Methods that are the model's own: what they do is free."""


class Opened:
    """The functions that a slice has entered.

    Args:
        slice_: whose `walk`, `control` and `lock_whole` lock what is met.
    """

    def __init__(self, slice_: Slice) -> None:
        self._slice, self._scan = slice_, slice_.scan
        self._functions = functions(slice_.scan)
        self._calls: dict[int, list[ast.Call]] = defaultdict(list)
        self._asked: dict[int, list[tuple[str, Mode, str, bool]]] = defaultdict(list)
        self._entered: dict[int, Function] = {}
        self._parts: set[tuple[int, int | None, bool]] = set()
        self._attributes: set[tuple[int, str]] = set()
        self._closed: set[int] = set()
        self._left: list[tuple[str, ast.expr]] = []
        self._freed: set[int] = set()

    # ------------------------------------------------------------ entering

    def enter(self, call: ast.Call, why: str, direct: bool, part: int | None = None) -> bool:
        """Follow a call into the function or method of the cell that it calls; whether that was possible.

        Args:
            call: its value makes the metric.
            why: the words for what is locked.
            direct: whether its value is the metric as it is.
            part: which part of a returned tuple alone is meant.
        """
        if isinstance(call.func, ast.Attribute):
            function = self._method(call, call.func, why)
        else:
            function = self._functions.function(call.func)
        if function is None or not self._is_clear(function, call):
            return False
        self._slice.measured.add(id(call))
        if isinstance(call.func, ast.Attribute):
            self._slice.holes.add(id(call.func.value))
            self._slice.measured.add(id(call.func))
        else:
            self._slice.strict.add(id(call.func))
        self._header(function, why)
        self._called(function, call)
        if (id(function), part, direct) not in self._parts:
            self._parts.add((id(function), part, direct))
            self._returns(function, why, direct, part)
        return True

    def _method(self, call: ast.Call, func: ast.Attribute, why: str) -> Function | None:
        """The method of a class of the cell that measures; where it is unclear which, all of that name are locked."""
        if func.attr in _ANSWERS:
            return None
        owner = self._functions.class_of(func.value)
        found = self._functions.method(owner, func.attr) if owner is not None else None
        if found is not None and self._is_clear(found, call):
            return found
        for each in [owner] if found is not None and owner is not None else self._functions.classes:
            for method in each.body:
                if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) and method.name == func.attr:
                    self._slice.lock_whole(method, why)
        return None

    def _is_clear(self, function: Function, call: ast.Call) -> bool:
        known = self._functions
        clear = known.followed(function) and known.binding(function, call) is not None
        return clear and id(function) not in self._slice.strict and asks_model(function, self._scan)

    def _header(self, function: Function, why: str) -> None:
        """Lock name, parameters and decorators; the body is free but for what is met."""
        if id(function) in self._entered:
            return
        self._entered[id(function)] = function
        self._slice.measured.add(id(function.args))
        if isinstance(function, ast.Lambda):
            statement = self._scan.text.statement(function)
            self._slice.measured.add(id(function))
        else:
            statement = function
            self._slice.strict.update(id(each) for each in function.decorator_list)
        self._slice.items.setdefault(id(statement), (statement, why))

    def is_entered(self, function: ast.AST) -> bool:
        """Whether a function is locked but for its body."""
        return id(function) in self._entered and id(function) not in self._slice.strict

    def _returns(self, function: Function, why: str, direct: bool, part: int | None) -> None:
        for statement, value in returned(function):
            if statement is not None:
                self._slice.items.setdefault(id(statement), (statement, why))
                self._slice.control(statement, gathers=True)
            if isinstance(value, ast.Tuple) and part is not None and part < len(value.elts):
                self._slice.measured.add(id(value))
                self._slice.walk(value.elts[part], "measured", why, direct=direct)
                self._left += [("", each) for place, each in enumerate(value.elts) if place != part]
            elif value is not None:
                self._slice.walk(value, "measured", why, direct=direct)

    # ------------------------------------------------------------ parameters

    def ask(self, function: Function, name: str, mode: Mode, why: str, direct: bool) -> None:
        """The metric depends on a parameter: what entered calls give for it is walked, now and later."""
        question = (name, mode, why, direct)
        if question in self._asked[id(function)]:
            return
        self._asked[id(function)].append(question)
        if (owner := self._functions.owner_by(function, name)) is not None:
            self._close_class(owner, why)
        for call in self._calls[id(function)]:
            self._answer(function, call, question)

    def _called(self, function: Function, call: ast.Call) -> None:
        if any(call is each for each in self._calls[id(function)]):
            return
        self._calls[id(function)].append(call)
        for question in self._asked[id(function)]:
            self._answer(function, call, question)

    def _answer(self, function: Function, call: ast.Call, question: tuple[str, Mode, str, bool]) -> None:
        name, mode, why, direct = question
        bound = self._functions.binding(function, call) or {}
        value = bound.get(name, defaults(function).get(name))
        if value is not None:
            self._slice.walk(value, mode, why, direct=direct)

    def beside(self, targets: list[ast.expr], values: list[ast.expr]) -> None:
        """Values that stand in a locked statement beside what the metric depends on."""
        names = [each.id if isinstance(each, ast.Name) else "" for each in targets]
        self._left += zip(names, values, strict=True)

    def settle(self) -> bool:
        """Free what nothing asked for, but for what measures by its name; whether more has to be followed."""
        self._slice.holes -= self._freed
        self._freed.clear()
        before = len(self._slice.strict)
        for key, function in list(self._entered.items()):
            asked = {name for name, *_ in self._asked[key]}
            given = [*defaults(function).items()]
            for call in self._calls[key]:
                given += (self._functions.binding(function, call) or {}).items()
            for name, value in given:
                if name not in asked:
                    self._leave(name, value)
        for name, value in self._left:
            self._leave(name, value)
        return len(self._slice.strict) != before

    def _leave(self, name: str, value: ast.expr) -> None:
        slice_ = self._slice
        if id(value) in slice_.measured or id(value) in slice_.strict:
            return
        names = {name, value.id} if isinstance(value, ast.Name) else {name}
        if any(evaluates(each) or is_seed(each) for each in names):
            slice_.walk(value, "strict", MEASURES)
        elif is_model(value, self._scan) or not slice_.hands_settings(value, MEASURES):
            slice_.holes.add(id(value))
            self._freed.add(id(value))

    # ------------------------------------------------------------ objects

    def attribute(self, owner: ast.ClassDef, name: str, why: str) -> None:
        """The metric depends on `self.name`: its one value in `__init__` is locked; where there are more, the class."""
        if (id(owner), name) in self._attributes:
            return
        self._attributes.add((id(owner), name))
        if (method := self._functions.method(owner, name)) is not None:
            self._slice.lock_whole(method, why)
            return
        found = self._functions.stores(name)
        start = self._functions.method(owner, "__init__")
        one = found[0] if len(found) == 1 else None
        if (
            start is None
            or not isinstance(one, ast.Assign)
            or one not in start.body
            or not has_plain_parameters(start)
            or start.decorator_list
            or self._functions.is_set("__init__")
            or owner.decorator_list
        ):
            self._close_class(owner, why)
            for statement in found:
                self._slice.lock_whole(statement, why)
            return
        self._slice.items.setdefault(id(one), (one, why))
        self._slice.measured.add(id(one))
        self._header(start, why)
        self._slice.walk(one.value, "strict", why)
        for call in self._functions.calls[id(owner)]:
            self._made(start, call, why)

    def _made(self, start: Function, call: ast.Call, why: str) -> None:
        """An object is made: the statement is locked, but for arguments that nothing asks for."""
        if self._functions.binding(start, call) is None:
            self._slice.lock_whole(call, why)
            return
        statement = self._scan.text.statement(call)
        self._slice.items.setdefault(id(statement), (statement, why))
        self._slice.strict.add(id(call.func))
        self._slice.measured.add(id(call))
        self._slice.open_around(call, statement)
        self._called(start, call)

    def _close_class(self, owner: ast.ClassDef, why: str) -> None:
        """Lock a class whole, and all that makes objects of it."""
        if id(owner) in self._closed:
            return
        self._closed.add(id(owner))
        self._slice.lock_whole(owner, why)
        methods = {each.name for each in owner.body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))}
        for call in (node for node in ast.walk(self._scan.tree) if isinstance(node, ast.Call)):
            named = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            if self._functions.callee(call.func) is owner or named in methods:
                self._slice.walk(call, "strict", why)
                self._slice.lock_statement(call, why)

    # ------------------------------------------------------------ functions that reach out

    def close_around(self, statement: ast.AST, why: str) -> None:
        """Lock the functions around a statement that changes what is not theirs, and all that calls them."""
        for parent in self._scan.text.ancestors(statement):
            if (
                isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
                and id(parent) not in self._closed
            ):
                self._closed.add(id(parent))
                self._slice.lock_whole(parent, why)
                for call in self._callers(parent):
                    self._slice.walk(call, "strict", why)
                    if self._slice.lock_statement(call, why):
                        self.close_around(call, why)

    def _callers(self, function: Function) -> list[ast.Call]:
        owner = self._functions.owner(function)
        if owner is None or isinstance(function, ast.Lambda):
            return self._functions.calls[id(function)]
        calls = [node for node in ast.walk(self._scan.tree) if isinstance(node, ast.Call)]
        return [each for each in calls if isinstance(each.func, ast.Attribute) and each.func.attr == function.name]


def place_of(definition: Definition) -> int | None:
    """Which part of a tuple a name is given: 1 for `b` in `a, b = f()`; None where that is unclear."""
    match definition.node:
        case ast.Assign(targets=[ast.Tuple(elts=names)]) if all(isinstance(each, ast.Name) for each in names):
            places = [
                place for place, each in enumerate(names) if isinstance(each, ast.Name) and each.id == definition.name
            ]
            return places[0] if len(places) == 1 else None
    return None
