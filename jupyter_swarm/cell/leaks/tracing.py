"""What flows where in a cell: its statements in order, without running any of them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Any

from jupyter_swarm.cell.leaks import calling
from jupyter_swarm.cell.leaks.cutting import Split, Splits, cuts
from jupyter_swarm.cell.leaks.lent import lent
from jupyter_swarm.cell.leaks.parts import (
    element,
    kept,
    leave_out,
    of_column,
    predicted,
    scores,
    with_column,
)
from jupyter_swarm.cell.leaks.subscripting import subscript
from jupyter_swarm.cell.leaks.traces import NOTHING, Fit, Frame, Key, Value, either, joined
from jupyter_swarm.cell.leaks.trade import BEST_SCORE, FEWER_ROWS, KEEPS_ROWS, NO_DATA
from jupyter_swarm.cell.scan import Scan, is_literal, root_of, value_of

MOST_STEPS = 5_000
MOST_CALLS = 6
"""How deep functions of the cell are followed into each other."""


class TooLong(Exception):
    """A cell has more statements to follow than is worth it."""


class Tracer:
    """Follows a cell's values; afterwards `splits`, `pairs` and `choices` hold what may be a leak.

    `pairs` are (features, target, line) that something is fitted on; `choices` map rows to the line and the way in
    which their scores choose something.
    """

    def __init__(self, scan: Scan, namespace: Mapping[str, Any], objects: Mapping[str, Any]) -> None:
        self.scan, self.namespace, self.objects = scan, namespace, objects
        self.splits, self.cuts = Splits(), cuts(scan.tree)
        self.pairs: list[tuple[Value, Value, int]] = []
        self.choices: dict[Key, tuple[int, str]] = {}
        self.loops = 0
        self._scopes: list[dict[str, Value]] = [{}]
        self._returned: list[list[Value]] = []
        self._doubtful = 0
        self._steps = 0
        self._calls: dict[int, Value] = {}
        """Values of the calls of one statement, so that none is followed twice."""

    def run(self) -> None:
        """Trace the whole cell.

        Raises:
            TooLong: it takes too many steps.
        """
        self.block(self.scan.tree.body)

    # ------------------------------------------------------------ names

    def value(self, name: str) -> Value:
        """What a name holds now."""
        for scope in (self._scopes[-1], self._scopes[0]):
            if name in scope:
                return scope[name]
        return NOTHING if name in self.scan.imported else lent(name, self.namespace)

    def bind(self, name: str, value: Value, line: int = 0) -> None:
        """Give a name a value; in a branch that may not be taken it may have kept its old one."""
        scope = self._scopes[-1]
        value = value.but(line=line or value.line, label=name)
        if self._doubtful and (name in scope or name in self._scopes[0]):
            value = either(value, self.value(name))
        scope[name] = value

    def add(self, name: str, value: Value) -> None:
        """Put something into what a name holds."""
        old = self.value(name)
        both = joined([old, value])
        self._scopes[-1 if name in self._scopes[-1] else 0][name] = old.but(
            roots=both.roots, parts=old.parts or both.parts, fits=both.fits, asked=both.asked, chosen=both.chosen,
            scalar=both.scalar, gathered=both.gathered, ordered=both.ordered, shuffled=both.shuffled,
            partial=both.partial,
        )  # fmt: skip

    def change(self, name: str, **changes: object) -> None:
        """Change what is known of what a name holds."""
        self._scopes[-1 if name in self._scopes[-1] else 0][name] = self.value(name).but(**changes)

    def without(self, frame: Frame, columns: Iterable[str]) -> None:
        """Columns leave a frame in place: under every name that it has."""
        if not any(frame.root in scope for scope in self._scopes):
            self._scopes[0][frame.root] = self.value(frame.root)
        for scope in self._scopes:
            for name, value in scope.items():
                if value.frame is not None and value.frame.root == frame.root:
                    scope[name] = leave_out(value, columns)

    # ------------------------------------------------------------ statements

    def block(self, statements: Iterable[ast.stmt]) -> None:
        """Trace statements in order."""
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise TooLong
        self._calls.clear()
        match node:
            case ast.Assign(targets=targets, value=expression):
                value = self.of(expression)
                for target in targets:
                    self.store(target, value, node.lineno)
            case ast.AnnAssign(target=target, value=ast.expr() as expression):
                self.store(target, self.of(expression), node.lineno)
            case ast.AugAssign(target=target, value=expression):
                read = self.of(target) if not isinstance(target, ast.Starred) else NOTHING
                self.store(target, self.applied(read, self.of(expression), read), node.lineno)
            case ast.Expr(value=expression):
                self.of(expression)
            case ast.For() | ast.AsyncFor():
                self._loop(node)
            case ast.While(test=test, body=body, orelse=other):
                self.of(test)
                self._twice(body)
                self._branch(other)
            case ast.If():
                self._if(node)
            case ast.With(items=items) | ast.AsyncWith(items=items):
                for item in items:
                    value = self.of(item.context_expr)
                    if item.optional_vars is not None:
                        self.store(item.optional_vars, value, node.lineno)
                self.block(node.body)
            case ast.Try() | ast.TryStar():
                self.block(node.body)
                for handler in node.handlers:
                    self._branch(handler.body)
                self.block([*node.orelse, *node.finalbody])
            case ast.Return(value=expression) if self._returned:
                self._returned[-1].append(self.of(expression) if expression is not None else NOTHING)
            case ast.Delete(targets=targets):
                for target in targets:
                    self._delete(target)

    def _loop(self, node: ast.For | ast.AsyncFor) -> None:
        iterated = self.of(node.iter)
        for _ in range(2):
            self.store(node.target, element(iterated), node.lineno)
            self._in_loop(node.body)
        self._branch(node.orelse)

    def _twice(self, body: list[ast.stmt]) -> None:
        for _ in range(2):
            self._in_loop(body)

    def _in_loop(self, body: list[ast.stmt]) -> None:
        self.loops += 1
        self.block(body)
        self.loops -= 1

    def _branch(self, body: list[ast.stmt]) -> None:
        self._doubtful += 1
        self.block(body)
        self._doubtful -= 1

    def _if(self, node: ast.If) -> None:
        known = self._known(node.test)
        if known is not None:
            self.block(node.body if known else node.orelse)
            return
        self.of(node.test)
        self._branch(node.body)
        self._branch(node.orelse)
        keys = self._compared(node.test)
        leaves = any(isinstance(each, ast.Break) for each in ast.walk(node))
        if leaves:
            keys |= joined(self.of(each) for each in ast.walk(node.test) if isinstance(each, ast.Name)).chosen
        if keys and self.loops:
            how = "stops the training" if leaves else "chooses the best"
            self.choose_names(self._trained_around(node) if leaves else _touched(node), keys, node.lineno, how)

    def _trained_around(self, node: ast.If) -> set[str]:
        """What the loop around a statement changes, models above all."""
        loops = (ast.For, ast.While, ast.AsyncFor)
        loop = next((each for each in self.scan.text.ancestors(node) if isinstance(each, loops)), node)
        named = {each.id for each in ast.walk(loop) if isinstance(each, ast.Name)}
        return _touched(loop) | {name for name in named if self.value(name).learner is not None}

    def choose_names(self, names: Iterable[str], keys: frozenset[Key], line: int, how: str) -> None:
        """Scores on some rows decide what these names hold."""
        for key in keys:
            self.choices[key] = (line, how)
        for name in names:
            if name not in self.scan.imported:
                self.change(name, chosen=self.value(name).chosen | keys)

    def _compared(self, test: ast.expr) -> frozenset[Key]:
        """Held-out rows whose score a test compares with something that is no number."""
        keys: frozenset[Key] = frozenset()
        for node in ast.walk(test):
            match node:
                case ast.Compare(left=left, ops=[ast.Gt() | ast.GtE() | ast.Lt() | ast.LtE()], comparators=[right]):
                    if not is_literal(left) and not is_literal(right):
                        keys |= scores(self.of(left)) | scores(self.of(right))
        return keys

    def _known(self, test: ast.expr) -> bool | None:
        """Whether a flag of the cell or of the notebook is set; None where that is not known."""
        match test:
            case ast.Constant(value=value):
                return bool(value)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self._known(operand)
                return None if inner is None else not inner
            case ast.Name(id=name):
                found = self.scan.definitions.get(name, ())
                if len(found) == 1 and found[0].kind == "assign" and is_literal(found[0].value):
                    return bool(value_of(found[0].value)) if found[0].value is not None else None
                if not found and isinstance(self.namespace.get(name), bool):
                    return bool(self.namespace[name])
        return None

    def text(self, node: ast.expr) -> str | None:
        """The string that an expression is, spelt out or by a name that is given it once."""
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name(id=name):
                found = self.scan.definitions.get(name, ())
                if len(found) == 1 and found[0].kind == "assign" and isinstance(found[0].value, ast.Constant):
                    return self.text(found[0].value)
                live = self.namespace.get(name)
                return live if not found and isinstance(live, str) else None
        return None

    def _delete(self, target: ast.expr) -> None:
        match target:
            case ast.Subscript(value=base, slice=index):
                frame, column = self.of(base).frame, self.text(index)
                if frame is not None and column is not None:
                    self.without(frame, [column])

    def store(self, target: ast.expr, value: Value, line: int) -> None:
        """Bind a target, whatever its form."""
        match target:
            case ast.Name(id=name):
                self.bind(name, value, line)
            case ast.Starred(value=inner):
                self.store(inner, joined([value]), line)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                items = value.items if value.items is not None and len(value.items) == len(targets) else None
                for place, each in enumerate(targets):
                    one = (
                        items[place] if items is not None else value.but(items=None, rows=None, frame=None, column=None)
                    )
                    self.store(each, one, line)
            case ast.Subscript(value=base, slice=index):
                self._store_in(base, index, value, line)
            case ast.Attribute():
                if (root := root_of(target)) is not None:
                    self.add(root, value.flowing)

    def _store_in(self, base: ast.expr, index: ast.expr, value: Value, line: int) -> None:
        if (root := root_of(base)) is None:
            return
        column = self.text(index.elts[1] if isinstance(index, ast.Tuple) and len(index.elts) == 2 else index)
        fits = frozenset(with_column(fit, column) for fit in value.fits | value.stats)
        gathered = value.gathered or (value.scores and self.loops > 0)
        old = self.value(root)
        kept = frozenset(fit for fit in old.fits if column is None or fit.column != column)
        if old is NOTHING:
            self.bind(root, value.flowing.but(fits=fits, stats=frozenset(), gathered=gathered), line)
            return
        self.change(root, fits=kept)
        self.add(root, Value(fits=fits, asked=value.asked, chosen=value.chosen, scalar=value.scalar, gathered=gathered,
                             ordered=value.ordered))  # fmt: skip
        frame = self.value(root).frame
        if column is not None and frame is not None:
            only = frame.only | {column} if frame.only is not None else None
            changed = Frame(frame.root, only, frame.dropped - {column}, frame.changed | {column})
            self.change(root, frame=changed)
        elif column is None:
            self.change(root, complete=False, frame=None)

    # ------------------------------------------------------------ expressions

    def of(self, node: ast.expr) -> Value:
        """What is known of an expression's value."""
        match node:
            case ast.Name(id=name):
                return self.value(name)
            case ast.Call():
                if id(node) not in self._calls:
                    value = calling.called(self, node)
                    self._calls[id(node)] = value
                    return value
                return self._calls[id(node)]
            case ast.Attribute():
                return self._attribute(node)
            case ast.Subscript():
                return subscript(self, node)
            case ast.BinOp(left=left, right=right):
                one, two = self.of(left), self.of(right)
                if one.names is not None and two.names is not None and isinstance(node.op, ast.Add):
                    return Value(names=one.names + two.names)
                found = self.applied(one, two, one if one.roots else two)
                return predicted(found, one, two) if isinstance(node.op, ast.MatMult) else found
            case ast.Slice(lower=lower, upper=upper):
                return Value(chosen=joined(self.of(bound) for bound in (lower, upper) if bound is not None).chosen)
            case ast.Compare(left=left, comparators=others):
                values = [self.of(left), *map(self.of, others)]
                found = self.applied(values[0], joined(values[1:]), values[0])
                whole = values[0].frame is None and all(map(is_literal, others))
                return found.but(column=values[0].column if whole else None, gathered=False)
            case ast.UnaryOp(operand=operand):
                return self.of(operand)
            case ast.BoolOp(values=parts):
                return joined(map(self.of, parts))
            case ast.IfExp(test=test, body=body, orelse=other):
                known = self._known(test)
                return either(self.of(body), self.of(other)) if known is None else self.of(body if known else other)
            case ast.NamedExpr(target=target, value=expression):
                value = self.of(expression)
                self.store(target, value, node.lineno)
                return value
            case ast.Tuple(elts=elements):
                items = tuple(map(self.of, elements))
                return joined(items).but(items=items)
            case ast.List(elts=elements) | ast.Set(elts=elements):
                return self._list(elements)
            case ast.Dict(values=values):
                return joined(map(self.of, values))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return self._comprehension(node.generators, [node.elt])
            case ast.DictComp(key=key, value=expression):
                return self._comprehension(node.generators, [key, expression])
            case ast.Starred(value=inner) | ast.Await(value=inner):
                return self.of(inner)
        return NOTHING

    def applied(self, one: Value, two: Value, rows_of: Value) -> Value:
        """Two values made into one: statistics that meet rows are a fit."""
        both = joined([one, two])
        if (one.stats and two.stats) or not (one.stats or two.stats):
            kept = not two.roots or not one.roots or two.rows == one.rows
            return both.but(rows=rows_of.rows if kept else None, complete=kept and rows_of.complete)
        data, told = (two, one) if one.stats else (one, two)
        if not data.roots:
            return both
        made = self.with_fits(data, told.stats)
        return both.but(
            fits=made.fits | both.fits, stats=frozenset(), rows=data.rows, complete=data.complete, roots=data.roots,
            parts=data.parts,
        )  # fmt: skip

    def with_fits(self, value: Value, fits: Iterable[Fit], line: int = 0) -> Value:
        """Rows that were told what was learnt; where that came from rows of another side, it is a leak."""
        taken = frozenset(fit for fit in fits if fit.roots & value.roots)
        for fit in taken:
            for split, place in value.parts:
                seen = {part for number, part in fit.parts if number == split}
                if not seen or (place != 0 and {0, place} <= seen):
                    self.splits.all[split].leaks.setdefault(fit, line or fit.line)
        return value.but(fits=value.fits | taken)

    def cut(self, value: Value, split: Split, part: int, line: int, *, features: bool = True) -> Value:
        """One part of rows that are split."""
        if split.number in value.splits:
            return value.but(complete=False)
        if features:
            self.enter(value, split, line)
        origin = value.origin or (value.label, value.line or line)
        return value.but(parts=value.parts | {(split.number, part)}, complete=False, items=None, origin=origin)

    def enter(self, value: Value, split: Split, line: int) -> None:
        """Rows come to a split: what they carry of each other by then is a leak."""
        for fit in value.fits:
            if fit.roots & value.roots and fit.parts <= value.parts:
                split.leaks.setdefault(fit, line)
        split.random = split.random or value.shuffled
        known = split.features
        if known is None or (known.rows is None and value.rows is not None and not known.roots & value.roots):
            split.features = value

    def _attribute(self, node: ast.Attribute) -> Value:
        base, name = self.of(node.value), node.attr
        if base is NOTHING or name in NO_DATA:
            return NOTHING
        if base.learner is not None:
            if name in BEST_SCORE and base.searched:
                return Value(parts=frozenset({(base.searched, 2)}))
            if name.endswith("estimator_"):
                return base
            return Value(roots=base.roots, stats=base.learned, chosen=base.chosen) if name.endswith("_") else NOTHING
        if name in ("iloc", "loc", "at", "iat", "T"):
            return base
        if base.frame is not None and name not in KEEPS_ROWS | FEWER_ROWS | {"index", "str", "dt", "data", "target"}:
            return of_column(base, name)
        return kept(base, name)

    def _list(self, elements: list[ast.expr]) -> Value:
        words = [text for each in elements if (text := self.text(each)) is not None]
        if words and len(words) == len(elements):
            return Value(names=tuple(words))
        values = [self.of(each) for each in elements]
        found = joined(values)
        return found.but(gathered=len(values) > 1 and all(value.scores for value in values))

    def _comprehension(self, generators: list[ast.comprehension], elements: list[ast.expr]) -> Value:
        whole = self._all_but(generators, elements)
        if whole is not None:
            return whole
        first = self.of(generators[0].iter)
        if len(generators) == 1 == len(elements) and first.items is not None:
            items = tuple(self._once(generators, elements, item) for item in first.items)
            return joined(items).but(items=items, gathered=len(items) > 1 and all(item.scores for item in items))
        found = self._once(generators, elements, element(first))
        return found.but(gathered=found.scores, items=None)

    def _once(self, generators: list[ast.comprehension], elements: list[ast.expr], first: Value) -> Value:
        """The elements of a comprehension, once round."""
        self._scopes.append(dict(self._scopes[-1]))
        self._calls.clear()
        self.loops += 1
        for place, generator in enumerate(generators):
            value = element(self.of(generator.iter)) if place else first
            self.store(generator.target, value, generator.target.lineno)
        found = joined([self.of(each) for each in elements]) if len(elements) > 1 else self.of(elements[0])
        self.loops -= 1
        self._scopes.pop()
        self._calls.clear()
        return found

    def _all_but(self, generators: list[ast.comprehension], elements: list[ast.expr]) -> Value | None:
        """`[c for c in df.columns if c != "y"]`: all columns but those, as names that begin with "-"."""
        match generators, elements:
            case [ast.comprehension(target=ast.Name(id=one), iter=iterated, ifs=[test])], [ast.Name(id=two)] if (
                one == two
            ):
                base = (
                    iterated.value if isinstance(iterated, ast.Attribute) and iterated.attr == "columns" else iterated
                )
                if self.of(base).frame is None:
                    return None
                match test:
                    case ast.Compare(left=ast.Name(), ops=[ast.NotEq()], comparators=[other]):
                        name = self.text(other)
                        return Value(names=(f"-{name}",)) if name is not None else None
                    case ast.Compare(left=ast.Name(), ops=[ast.NotIn()], comparators=[others]):
                        names = self.of(others).names
                        return Value(names=tuple(f"-{name}" for name in names)) if names else None
        return None

    # ------------------------------------------------------------ functions

    def called_on(self, function: ast.Lambda, value: Value) -> Value:
        """What a function of one parameter makes of a value."""
        parameters = [*function.args.posonlyargs, *function.args.args]
        if not parameters:
            return NOTHING
        self._scopes.append({**self._scopes[-1], parameters[0].arg: value})
        self._calls.clear()
        found = self.of(function.body)
        self._scopes.pop()
        self._calls.clear()
        return found

    def inlined(self, call: ast.Call, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Value | None:
        """What a function of the cell returns for these arguments; None where it is not followed."""
        if len(self._returned) >= MOST_CALLS:
            return None
        arguments = [*function.args.posonlyargs, *function.args.args]
        scope: dict[str, Value] = {}
        defaults = function.args.defaults
        for argument, default in zip(arguments[len(arguments) - len(defaults) :], defaults, strict=True):
            scope[argument.arg] = self.of(default)
        for argument, given in zip(arguments, call.args, strict=False):
            scope[argument.arg] = self.of(given)
        for keyword in call.keywords:
            if keyword.arg is not None:
                scope[keyword.arg] = self.of(keyword.value)
        for every in (*arguments, *function.args.kwonlyargs):
            scope.setdefault(every.arg, NOTHING)
        self._scopes.append(scope)
        self._returned.append([])
        self.block(function.body)
        self._scopes.pop()
        self._calls.clear()
        returned = self._returned.pop()
        found = returned[0] if returned else NOTHING
        for other in returned[1:]:
            found = either(found, other)
        return found


def _touched(node: ast.AST) -> set[str]:
    """Names that statements give a value, or whose methods they call for their effect."""
    found = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            found.add(each.id)
        elif isinstance(each, ast.Expr) and isinstance(each.value, ast.Call):
            root = root_of(each.value.func)
            if root is not None:
                found.add(root)
    return found
