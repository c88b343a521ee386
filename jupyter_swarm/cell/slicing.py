"""The backward slice: which expressions the metric, its rows, targets and weights depend on, and which stay free.

Three ways to walk an expression, from the metric backwards:

- *measured*: it yields the metric. Its structure is locked; models inside it are holes, which stay free.
- *features*: rows that a model is asked about. Locked, but for a fitted transformer in `scaler.transform(rows)`.
- *strict*: data, targets, weights, the split. Locked whole, with everything its names depend on.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterable, Sequence
from functools import lru_cache

from jupyter_swarm.cell import configs, seeds
from jupyter_swarm.cell.bounds import recorded
from jupyter_swarm.cell.functions import functions
from jupyter_swarm.cell.loops import cuts, gathers_itself
from jupyter_swarm.cell.marks import Marks
from jupyter_swarm.cell.models import is_model
from jupyter_swarm.cell.opaque import is_learned, is_opaque, is_option
from jupyter_swarm.cell.opening import MEASURES, Mode, Opened, place_of
from jupyter_swarm.cell.scan import Same, Scan, dotted, is_literal, name_of, root_of, scanned
from jupyter_swarm.cell.scopes import FUNCTIONS, Definition
from jupyter_swarm.cell.vocabulary import (
    BUILTINS,
    FIT,
    MODEL_METHODS,
    MODEL_PARAMETERS,
    PREDICT,
    evaluates,
    is_seed,
)
from jupyter_swarm.words import Analysis

EVALUATED, CONTROLS, SEED = (
    "the metric is evaluated on it",
    "it decides what is evaluated",
    "the seed belongs to the harness",
)


class Slice(Marks):
    """What is locked in a cell, computed once. Functions of the cell that measure are followed inside (`Opened`)."""

    def __init__(self, scan: Scan, metrics: Sequence[str]) -> None:
        super().__init__(scan)
        self.metrics = frozenset(metrics)
        self._counted: set[int] = set()
        self._made: set[int] = set()
        self._seen: set[tuple[int, str, str]] = set()
        self._todo: deque[tuple[Definition, Mode, str, bool]] = deque()
        self.opened = Opened(self)
        for metric in metrics:
            self._todo += [(each, "measured", MEASURES, True) for each in scan.named(metric)]
        self._follow_all()
        while self.opened.settle() or self._breaks():
            self._follow_all()
        self.only_outermost()
        self.lock_what_was_asked()
        for statement in seeds.statements(scan):
            self.items.setdefault(id(statement), (statement, SEED))
            self.strict.update(id(child) for child in ast.iter_child_nodes(statement))

    # ------------------------------------------------------------ definitions

    def _name(self, node: ast.Name, mode: Mode, why: str, *, direct: bool = False, rows: bool = True) -> None:
        name = node.id
        if rows and name not in self.scan.imported and name not in BUILTINS and not is_seed(name):
            self.rows.add(self.scan.key(node))
        helped = functions(self.scan).helped.get(self.scan.key(node), ())
        self._todo += [(each, mode, why, direct) for each in (*self.scan.given(node), *helped)]

    def _follow_all(self) -> None:
        """Follow what is left to follow, one by one: a chain of definitions may be long."""
        while self._todo:
            definition, mode, why, direct = self._todo.popleft()
            self._follow(definition, mode, why, direct=direct)

    def _follow(self, definition: Definition, mode: Mode, why: str, *, direct: bool = False) -> None:
        if definition.kind == "param":
            assert isinstance(definition.node, FUNCTIONS)
            self.opened.ask(definition.node, definition.name, mode, why, direct)
            return
        key = (id(definition.node), definition.name if definition.kind != "element" else "", mode)
        if definition.kind == "element" and mode == "measured":
            key = (id(definition.node), f"part {place_of(definition)}", mode)
        if key in self._seen:
            return
        self._seen.add(key)
        if mode == "measured":
            self._made.add(id(definition.node))
        node, statement = definition.node, self.scan.text.statement(definition.node)
        if self.is_whole(statement):
            return
        self.items.setdefault(id(statement), (statement, why))
        self.control(
            statement, gathers=definition.kind in ("mutate", "helped") or gathers_itself(definition, self.scan)
        )
        if definition.kind == "outer":
            self.opened.close_around(statement, why)
        elif definition.kind in ("def", "class"):
            self.lock_whole(node, why)
        elif definition.value is not None:
            self._beside(definition)
            if definition.kind in ("loop", "with", "helped") or (definition.kind == "element" and mode == "features"):
                mode = "strict"
            if not (mode == "measured" and definition.kind == "element" and self._element(definition, why, direct)):
                self.walk(definition.value, mode, why, direct=direct)
            for target in _stored(node):
                for part in ast.walk(target):
                    if isinstance(part, ast.Subscript):
                        self.walk(part.slice, "strict", why)

    def _breaks(self) -> bool:
        """Lock what ends a loop early by what is measured: `if accuracy > 0.9: break`; whether there was more of it."""
        before = len(self._counted)
        for node in ast.walk(self.scan.tree):
            for cut in cuts(node) if isinstance(node, (ast.While, ast.For, ast.AsyncFor)) else ():
                names = [name for name in ast.walk(cut.test) if isinstance(name, ast.Name)]
                if id(cut) in self._counted or self.is_whole(cut) or not any(map(self._is_measured, names)):
                    continue
                self._counted.add(id(cut))
                self.items.setdefault(id(cut), (cut, CONTROLS))
                self.walk(cut.test, "measured", CONTROLS)
        return len(self._counted) != before

    def _is_measured(self, name: ast.Name) -> bool:
        """Whether a name holds what makes the metric, made anew in the course of a loop."""
        return any(id(each.node) in self._made for each in self.scan.given(name))

    def _beside(self, definition: Definition) -> None:
        """`depth, folds = 3, 5`: each name has its own value, and what nothing asks for stays free."""
        match definition.node:
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values) as whole):
                if definition.kind == "assign" and len(names) == len(values):
                    self.measured.add(id(whole))
                    self.opened.beside(names, values)

    def _element(self, definition: Definition, why: str, direct: bool) -> bool:
        """`model, accuracy = run()`: follow that part of what a function of the cell gives back; whether it can be."""
        value, place = definition.value, place_of(definition)
        if isinstance(value, ast.Call) and place is not None and self.opened.enter(value, why, direct, part=place):
            self.measured.add(id(value))
            return True
        return False

    def lock_whole(self, node: ast.AST, why: str) -> None:
        """Lock a function or a class of the cell, with all that it names."""
        if isinstance(node, ast.stmt):
            self.items.setdefault(id(node), (node, why))
        self._strict(node, why)

    def lock_statement(self, node: ast.AST, why: str) -> bool:
        """Lock the statement around a node whose work counts, and how often it runs; whether that is new."""
        statement = self.scan.text.statement(node)
        if id(statement) in self._counted:
            return False
        self._counted.add(id(statement))
        self.items.setdefault(id(statement), (statement, why))
        self.control(statement, gathers=True)
        if not any(isinstance(child, ast.stmt) for child in ast.iter_child_nodes(statement)):
            self._strict(statement, why)
        return True

    def control(self, statement: ast.stmt, *, gathers: bool) -> None:
        """Lock what decides whether a locked statement runs, and how often where that counts (`gathers`)."""
        for parent in self.scan.text.ancestors(statement):
            if isinstance(parent, ast.If):
                self.items.setdefault(id(parent), (parent, CONTROLS))
                self.walk(parent.test, "measured", CONTROLS)
            elif isinstance(parent, (ast.While, ast.For, ast.AsyncFor)) and gathers:
                self.items.setdefault(id(parent), (parent, CONTROLS))
                self.walk(parent.test if isinstance(parent, ast.While) else parent.iter, "strict", CONTROLS)
                for each in cuts(parent):
                    self.items.setdefault(id(each), (each, CONTROLS))
                    self.walk(each.test, "measured", CONTROLS)

    # ------------------------------------------------------------ expressions

    def walk(self, node: ast.expr, mode: Mode, why: str, *, direct: bool = False) -> None:
        """Lock an expression that the metric depends on, in one of the three ways."""
        if mode == "strict":
            self._strict(node, EVALUATED if why == MEASURES else why)
        elif mode == "features":
            self.measured.add(id(node))
            self._features(node, EVALUATED)
        else:
            self.measured.add(id(node))
            self._measured(node, why, direct=direct)

    def _strict(self, node: ast.AST, why: str, *, rows: bool = True) -> None:
        self.strict.add(id(node))
        called = {id(part.func) for part in ast.walk(node) if isinstance(part, ast.Call)}
        settings: set[int] = set()
        for part in ast.walk(node):
            if isinstance(part, (ast.Subscript, ast.Attribute)):
                settings |= self._setting(part, why)
            elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) and id(part) not in settings:
                self._name(part, "strict", why, rows=rows and id(part) not in called)

    def _setting(self, node: ast.expr, why: str) -> set[int]:
        """Lock one setting of a configuration or of `self`, where that is what is read; the expression's nodes then."""
        if isinstance(node, ast.Attribute) and (owner := functions(self.scan).itself(node.value)) is not None:
            self.opened.attribute(owner, node.attr, why)
            return {id(node), id(node.value)}
        entry = configs.reached(node, self.scan)
        if entry is None:
            return set()
        statement = self.scan.text.statement(entry[1])
        self.items.setdefault(id(statement), (statement, why))
        self.strict.add(id(entry[1]))
        return {id(part) for part in ast.walk(node)}

    def _features(self, node: ast.expr, why: str) -> None:
        match node:
            case ast.Name():
                self._name(node, "features", why)
            case ast.Call(func=ast.Attribute(value=receiver, attr="transform"), args=args, keywords=keywords):
                self.holes.add(id(receiver))
                for argument in (*args, *(k.value for k in keywords)):
                    self.walk(argument, "features", why)
            case _:
                self._strict(node, why)

    def _measured(self, node: ast.expr, why: str, *, direct: bool) -> None:
        if isinstance(node, (ast.Subscript, ast.Attribute)) and self._setting(node, why):
            return
        match node:
            case ast.Name():
                self._name(node, "measured", why, direct=direct)
            case ast.Call():
                self._call(node, why, direct=direct)
            case ast.Attribute(value=value):
                self.walk(value, "measured", why, direct=direct)
            case ast.Subscript(value=value, slice=index):
                self.walk(value, "measured", why, direct=direct)
                self.walk(index, "strict", why)
            case ast.ListComp(elt=element) | ast.SetComp(elt=element) | ast.GeneratorExp(elt=element):
                self.walk(element, "measured", why, direct=direct)
                self._generators(node.generators, why)
            case ast.DictComp(key=key, value=value):
                self.walk(key, "strict", why)
                self.walk(value, "measured", why, direct=direct)
                self._generators(node.generators, why)
            case ast.Lambda():
                self._strict(node, why)
            case _:
                parts = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
                if isinstance(node, (ast.Tuple, ast.List, ast.Dict)):  # a model beside what it scored
                    models = [part for part in parts if is_model(part, self.scan)]
                    self.holes.update(map(id, models))
                    parts = [part for part in parts if part not in models]
                alone = sum(not is_literal(part) for part in parts) == 1
                for part in parts:
                    self.walk(
                        part, "measured", why, direct=direct and (alone or isinstance(node, (ast.List, ast.Tuple)))
                    )

    def _generators(self, generators: Iterable[ast.comprehension], why: str) -> None:
        for generator in generators:
            self.walk(generator.iter, "strict", why)
            for test in generator.ifs:
                self.walk(test, "strict", why)

    def _call(self, call: ast.Call, why: str, *, direct: bool) -> None:
        function = call.func
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        if isinstance(function, ast.Attribute) and not self._is_module(function.value):
            receiver, method = function.value, function.attr
            if method in ("transform", "fit_transform", "inverse_transform"):
                self._strict(call, why)
                return
            if self.opened.enter(call, why, direct):
                return
            if method in MODEL_METHODS or is_model(receiver, self.scan):
                self.holes.add(id(receiver))
                self._asked_of_model(call, method, why)
                return
            self.walk(receiver, "measured", why, direct=(direct and not arguments) or _gathers(call, receiver))
            for argument in arguments:
                self.walk(argument, "measured", why, direct=direct and len(arguments) == 1)
            return
        if isinstance(function, ast.Name) and self.opened.enter(call, why, direct):
            return
        if len(arguments) == 1 and is_model(function, self.scan, called=True):
            self.holes.add(id(function))
            self._asked_of_model(call, "predict", why)
        elif direct and is_opaque(call, self.scan):
            self._strict(function, why, rows=False)
            self._opaque(call, why)
        else:
            self._strict(function, why, rows=False)
            several = sum(not is_literal(argument) for argument in arguments) > 1
            for argument in arguments:
                name = self.scan.parameter(call, argument)
                if name in MODEL_PARAMETERS or is_model(argument, self.scan) or is_learned(argument, call, self.scan):
                    self.holes.add(id(argument))
                else:
                    self.walk(argument, "measured" if self._answers(argument) else "strict", why, direct=not several)

    def _is_module(self, node: ast.expr) -> bool:
        root, chain = root_of(node), dotted(node)
        if root is None or chain is None or root not in self.scan.imported:
            return False
        kinds = {definition.kind for definition in self.scan.definitions.get(root, ())}
        return kinds <= {"import"} and ":" not in self.scan.imported[root]

    def _answers(self, node: ast.expr) -> bool:
        """Whether an argument may hold a model's answer, or is plain arithmetic on names: walked, not locked whole."""
        return not is_literal(node) and not isinstance(node, ast.Lambda)

    def _asked_of_model(self, call: ast.Call, method: str, why: str) -> None:
        """Arguments of a model's method: rows are features, targets and weights strict, training options free."""
        for place, argument in enumerate(call.args):
            rows = place == 0 and (method in PREDICT or method in ("score", "transform", "evaluate"))
            self.walk(argument, "features" if rows else "strict", why)
        for keyword in call.keywords:
            name = keyword.arg or ""
            if method in FIT and is_literal(keyword.value) and not evaluates(name) and not is_seed(name):
                self.holes.add(id(keyword.value))
            else:
                self.walk(keyword.value, "features" if name in ("X", "x", "input") else "strict", why)

    def _opaque(self, call: ast.Call, why: str) -> None:
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
            name = self.scan.parameter(call, argument)
            names = {name, argument.id} if isinstance(argument, ast.Name) else {name}
            telling = any(evaluates(n) or is_seed(n) for n in names)
            if not telling and self.hands_settings(argument, why):
                continue
            if not telling and (is_literal(argument) or is_option(argument, self.scan)):
                self.holes.add(id(argument))
            else:
                self.walk(argument, "strict", why)

    def hands_settings(self, node: ast.expr, why: str) -> bool:
        """Leave the settings of a configuration free, but for those that say how it measures; whether it is one."""
        if (one := configs.reached(node, self.scan)) is not None:
            settings = [one]
        elif (found := configs.entries(node, self.scan)) is not None:
            settings = found
        else:
            return False
        for key, value in settings:
            statement = self.scan.text.statement(value)
            self.items.setdefault(id(statement), (statement, why))
            name = key.rpartition(".")[2]
            if is_literal(value) and not evaluates(name) and not is_seed(name):
                self.holes.add(id(value))
                self.open_around(value, statement)
            else:
                self.strict.add(id(value))
        return True


def _gathers(call: ast.Call, receiver: ast.expr) -> bool:
    """`scores.append(x)`: the receiver is only the place where measured values are put."""
    return isinstance(receiver, ast.Name) and len(call.args) == 1 and not call.keywords


def _stored(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, (ast.AugAssign, ast.AnnAssign)) else []


@lru_cache(maxsize=512)
def _sliced(code: str, key: Same) -> Slice:
    analysis = key.value
    return Slice(scanned(code, analysis), (analysis.metric, *recorded(analysis.record, analysis.keep)))


def sliced(code: str, analysis: Analysis) -> Slice:
    """The slice of a code, once for each analysis.

    It knows nodes by their identity: ask it about those of its own `scan`. Another scan of the same code may be of
    another tree, as each is remembered for as long as it is asked for.
    """
    return _sliced(code, Same(analysis))


__all__ = ["CONTROLS", "EVALUATED", "MEASURES", "SEED", "Slice", "name_of", "sliced"]
