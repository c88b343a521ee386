"""The backward slice: which expressions the metric, its rows, targets and weights depend on, and which stay free.

Three ways to walk an expression, from the metric backwards:

- *measured*: it yields the metric. Its structure is locked; models inside it are holes, which stay free.
- *features*: rows that a model is asked about. Locked, but for a fitted transformer in `scaler.transform(rows)`.
- *strict*: data, targets, weights, the split. Locked whole, with everything its names depend on.
"""

from __future__ import annotations

import ast
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal

from jupyter_swarm.cell import configs, seeds
from jupyter_swarm.cell.bounds import recorded
from jupyter_swarm.cell.directives import directives
from jupyter_swarm.cell.models import is_model, learned
from jupyter_swarm.cell.scan import Definition, Same, Scan, dotted, is_literal, name_of, root_of, scanned
from jupyter_swarm.cell.vocabulary import (
    ARITHMETIC,
    BUILTINS,
    FIT,
    MODEL_METHODS,
    MODEL_PARAMETERS,
    PREDICT,
    evaluates,
    is_seed,
)
from jupyter_swarm.words import Analysis

Mode = Literal["measured", "features", "strict"]
MEASURES, EVALUATED, CONTROLS, SEED, ASKED = (
    "it makes the metric",
    "the metric is evaluated on it",
    "it decides what is evaluated",
    "the seed belongs to the harness",
    "you asked for it (#: lock)",
)


class Slice:
    """What is locked in a cell, computed once.

    `items` are the locked statements with why; `holes` the free expressions in them; `strict` expressions that are
    locked whole; `rows` the names of evaluated data.
    """

    def __init__(self, scan: Scan, metrics: Sequence[str]) -> None:
        self.scan, self.metrics = scan, frozenset(metrics)
        self.items: dict[int, tuple[ast.stmt, str]] = {}
        self.holes: set[int] = set()
        self.measured: set[int] = set()
        self.strict: set[int] = set()
        self.rows: set[str] = set()
        self._seen: set[tuple[int, str, str]] = set()
        self._todo: deque[tuple[Definition, Mode, str, bool]] = deque()
        self._directives = directives(scan.text.code)
        literals = Counter(n.lineno for n in ast.walk(scan.tree) if isinstance(n, ast.expr) and is_literal(n))
        self._ranged = {line for line in self._directives.spans if literals[line] == 1}
        for metric in metrics:
            self._todo += [(each, "measured", MEASURES, True) for each in scan.definitions.get(metric, ())]
        self._follow_all()
        self._asked()
        for statement in seeds.statements(scan):
            self.items.setdefault(id(statement), (statement, SEED))
            self.strict.update(id(child) for child in ast.iter_child_nodes(statement))

    def is_locked(self, node: ast.AST) -> bool:
        """Whether a node is locked: under something strict, or nearer to a measured expression than to a hole."""
        line = getattr(node, "lineno", 0)
        if line in self._directives.free or (line in self._ranged and is_literal(node)):
            return False
        nearest: bool | None = None
        for part in (node, *self.scan.text.ancestors(node)):
            if id(part) in self.strict:
                return True
            if nearest is None:
                if id(part) in self.holes:
                    nearest = False
                elif id(part) in self.measured:
                    nearest = True
        return bool(nearest)

    def is_hole(self, node: ast.AST) -> bool:
        """Whether a node begins a free part of something locked."""
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.expr) and (
            line in self._directives.free or (line in self._ranged and is_literal(node))
        ):
            return True
        return id(node) in self.holes and not self.is_locked(node)

    def _asked(self) -> None:
        for node in ast.walk(self.scan.tree):
            if isinstance(node, ast.stmt) and self._directives.lock.intersection(
                range(node.lineno, (node.end_lineno or node.lineno) + 1)
            ):
                if not any(isinstance(child, ast.stmt) for child in ast.iter_child_nodes(node)):
                    self._lock(node, ASKED)
            elif isinstance(node, ast.expr) and node.lineno in self._directives.lock:
                self.strict.add(id(node))

    def _lock(self, statement: ast.stmt, why: str) -> None:
        self.items.setdefault(id(statement), (statement, why))
        self.strict.add(id(statement))

    # ------------------------------------------------------------ definitions

    def _name(self, name: str, mode: Mode, why: str, *, direct: bool = False, rows: bool = True) -> None:
        if rows and name not in self.scan.imported and name not in BUILTINS and not is_seed(name):
            self.rows.add(name)
        self._todo += [(each, mode, why, direct) for each in self.scan.definitions.get(name, ())]

    def _follow_all(self) -> None:
        """Follow what is left to follow, one by one: a chain of definitions may be long."""
        while self._todo:
            definition, mode, why, direct = self._todo.popleft()
            self._follow(definition, mode, why, direct=direct)

    def _follow(self, definition: Definition, mode: Mode, why: str, *, direct: bool = False) -> None:
        key = (id(definition.node), definition.name if definition.kind != "element" else "", mode)
        if key in self._seen:
            return
        self._seen.add(key)
        node, statement = definition.node, self.scan.text.statement(definition.node)
        self.items.setdefault(id(statement), (statement, why))
        self._control(definition, statement)
        if definition.kind in ("def", "class"):
            self._strict(node, why)
        elif definition.value is not None:
            if definition.kind in ("loop", "with") or (definition.kind == "element" and mode == "features"):
                mode = "strict"
            self._walk(definition.value, mode, why, direct=direct)
            for target in _stored(node):
                for part in ast.walk(target):
                    if isinstance(part, ast.Subscript):
                        self._walk(part.slice, "strict", why)

    def _control(self, definition: Definition, statement: ast.stmt) -> None:
        """What decides whether, and how often, a locked statement runs."""
        gathers = definition.kind == "mutate"
        for parent in self.scan.text.ancestors(statement):
            if isinstance(parent, ast.If):
                self.items.setdefault(id(parent), (parent, CONTROLS))
                self._walk(parent.test, "measured", CONTROLS)
            elif isinstance(parent, ast.While) and gathers:
                self.items.setdefault(id(parent), (parent, CONTROLS))
                self._walk(parent.test, "strict", CONTROLS)
            elif isinstance(parent, (ast.For, ast.AsyncFor)) and gathers:
                self.items.setdefault(id(parent), (parent, CONTROLS))
                self._walk(parent.iter, "strict", CONTROLS)

    # ------------------------------------------------------------ expressions

    def _walk(self, node: ast.expr, mode: Mode, why: str, *, direct: bool = False) -> None:
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
                self._name(part.id, "strict", why, rows=rows and id(part) not in called)

    def _setting(self, node: ast.expr, why: str) -> set[int]:
        """Lock one setting of a configuration, where that is what is read; the nodes of the expression then."""
        entry = configs.reached(node, self.scan)
        if entry is None:
            return set()
        statement = self.scan.text.statement(entry[1])
        self.items.setdefault(id(statement), (statement, why))
        self.strict.add(id(entry[1]))
        return {id(part) for part in ast.walk(node)}

    def _features(self, node: ast.expr, why: str) -> None:
        match node:
            case ast.Name(id=name):
                self._name(name, "features", why)
            case ast.Call(func=ast.Attribute(value=receiver, attr="transform"), args=args, keywords=keywords):
                self.holes.add(id(receiver))
                for argument in (*args, *(k.value for k in keywords)):
                    self._walk(argument, "features", why)
            case _:
                self._strict(node, why)

    def _measured(self, node: ast.expr, why: str, *, direct: bool) -> None:
        if isinstance(node, (ast.Subscript, ast.Attribute)) and self._setting(node, why):
            return
        match node:
            case ast.Name(id=name):
                self._name(name, "measured", why, direct=direct)
            case ast.Call():
                self._call(node, why, direct=direct)
            case ast.Attribute(value=value):
                self._walk(value, "measured", why, direct=direct)
            case ast.Subscript(value=value, slice=index):
                self._walk(value, "measured", why, direct=direct)
                self._walk(index, "strict", why)
            case ast.ListComp(elt=element) | ast.SetComp(elt=element) | ast.GeneratorExp(elt=element):
                self._walk(element, "measured", why, direct=direct)
                self._generators(node.generators, why)
            case ast.DictComp(key=key, value=value):
                self._walk(key, "strict", why)
                self._walk(value, "measured", why, direct=direct)
                self._generators(node.generators, why)
            case ast.Lambda():
                self._strict(node, why)
            case _:
                parts = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
                alone = sum(not is_literal(part) for part in parts) == 1
                for part in parts:
                    self._walk(
                        part, "measured", why, direct=direct and (alone or isinstance(node, (ast.List, ast.Tuple)))
                    )

    def _generators(self, generators: Iterable[ast.comprehension], why: str) -> None:
        for generator in generators:
            self._walk(generator.iter, "strict", why)
            for test in generator.ifs:
                self._walk(test, "strict", why)

    def _call(self, call: ast.Call, why: str, *, direct: bool) -> None:
        function = call.func
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        if isinstance(function, ast.Attribute) and not self._is_module(function.value):
            receiver, method = function.value, function.attr
            if method in ("transform", "fit_transform", "inverse_transform"):
                self._strict(call, why)
                return
            if method in MODEL_METHODS or is_model(receiver, self.scan):
                self.holes.add(id(receiver))
                self._asked_of_model(call, method, why)
                return
            self._walk(receiver, "measured", why, direct=(direct and not arguments) or _gathers(call, receiver))
            for argument in arguments:
                self._walk(argument, "measured", why, direct=direct and len(arguments) == 1)
            return
        if len(arguments) == 1 and is_model(function, self.scan, called=True):
            self.holes.add(id(function))
            self._asked_of_model(call, "predict", why)
        elif direct and self._is_opaque(call):
            self._strict(function, why, rows=False)
            self._opaque(call, why)
        else:
            self._strict(function, why, rows=False)
            several = sum(not is_literal(argument) for argument in arguments) > 1
            for argument in arguments:
                name = self.scan.parameter(call, argument)
                if name in MODEL_PARAMETERS or is_model(argument, self.scan) or self._is_learned(argument, call):
                    self.holes.add(id(argument))
                else:
                    self._walk(argument, "measured" if self._answers(argument) else "strict", why, direct=not several)

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
            self._walk(argument, "features" if rows else "strict", why)
        for keyword in call.keywords:
            name = keyword.arg or ""
            if method in FIT and is_literal(keyword.value) and not evaluates(name) and not is_seed(name):
                self.holes.add(id(keyword.value))
            else:
                self._walk(keyword.value, "features" if name in ("X", "x", "input") else "strict", why)

    def _is_opaque(self, call: ast.Call) -> bool:
        """Whether a call trains and measures by itself: its arguments are what it should try."""
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        path = self.scan.path(call.func) or ""
        of = path.partition(":")[0].partition(".")[0]
        own = of in ("__main__", *self.scan.analysis.own) or self.scan.local(call.func) is not None
        if any(is_model(a, self.scan) or self._is_answer(a) or self._is_learned(a, call) for a in arguments):
            return False
        plain = all(is_literal(a) or self._is_option(a) or _is_seed_name(a) for a in arguments)
        told = bool(call.keywords) or (
            path in self.scan.analysis.catalogue and path.partition(":")[0].partition(".")[0] not in ARITHMETIC
        )
        return bool(arguments) and (own or (plain and told))

    def _is_learned(self, node: ast.expr, call: ast.Call) -> bool:
        """Whether an argument is what was learned, and others what it is measured on: `evaluate(w, X_test, y_test)`."""
        others = [a for a in (*call.args, *(k.value for k in call.keywords)) if a is not node and not is_literal(a)]
        return bool(others) and learned(node, self.scan)

    def _is_answer(self, node: ast.expr) -> bool:
        for part in ast.walk(node):
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in PREDICT:
                return True
            if isinstance(part, ast.Name) and part is not node:
                continue
            if isinstance(part, ast.Name):
                for definition in self.scan.definitions.get(part.id, ()):
                    value = definition.value
                    if (
                        isinstance(value, ast.Call)
                        and isinstance(value.func, ast.Attribute)
                        and value.func.attr in PREDICT
                    ):
                        return True
        return False

    def _is_option(self, node: ast.expr) -> bool:
        """A name that holds nothing but a literal of this cell, or a configuration, or a setting of one."""
        if configs.entries(node, self.scan) is not None or configs.reached(node, self.scan) is not None:
            return True
        if not isinstance(node, ast.Name):
            return False
        definitions = self.scan.definitions.get(node.id, ())
        return bool(definitions) and all(d.kind == "assign" and is_literal(d.value) for d in definitions)

    def _opaque(self, call: ast.Call, why: str) -> None:
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
            name = self.scan.parameter(call, argument)
            names = {name, argument.id} if isinstance(argument, ast.Name) else {name}
            telling = any(evaluates(n) or is_seed(n) for n in names)
            if not telling and self._hands_settings(argument, why):
                continue
            if not telling and (is_literal(argument) or self._is_option(argument)):
                self.holes.add(id(argument))
            else:
                self._walk(argument, "strict", why)

    def _hands_settings(self, node: ast.expr, why: str) -> bool:
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
                self._open(value, statement)
            else:
                self.strict.add(id(value))
        return True

    def _open(self, value: ast.expr, statement: ast.stmt) -> None:
        """All around a hole, as far as its statement, is locked."""
        for parent in self.scan.text.ancestors(value):
            if parent is statement:
                break
            self.measured.add(id(parent))


def _gathers(call: ast.Call, receiver: ast.expr) -> bool:
    """`scores.append(x)`: the receiver is only the place where measured values are put."""
    return isinstance(receiver, ast.Name) and len(call.args) == 1 and not call.keywords


def _is_seed_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and is_seed(node.id)


def _stored(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, (ast.AugAssign, ast.AnnAssign)) else []


@lru_cache(maxsize=512)
def _sliced(code: str, key: Same) -> Slice:
    analysis = key.value
    return Slice(scanned(code, analysis), (analysis.metric, *recorded(analysis.record, analysis.keep)))


def sliced(code: str, analysis: Analysis) -> Slice:
    """The slice of a code, once for each analysis."""
    return _sliced(code, Same(analysis))


__all__ = ["CONTROLS", "EVALUATED", "MEASURES", "SEED", "Slice", "name_of", "sliced"]
