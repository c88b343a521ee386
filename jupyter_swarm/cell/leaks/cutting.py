"""The splits of a cell: by function, by splitter, and by hand (`X[:n]` and `X[n:]`, `df[mask]` and `df[~mask]`)."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from jupyter_swarm.cell.leaks.traces import Fit, Value
from jupyter_swarm.cell.leaks.trade import HELD_OUT
from jupyter_swarm.cell.scan import dotted

GIVEN = 0
"""The split that was made before the cell: `X_train` and `X_test` come from the notebook."""
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Eq: ast.NotEq}
_FIRST = (ast.Lt, ast.LtE, ast.NotEq)


@dataclass
class Split:
    """One split of a cell, and what is known of it after the cell was traced."""

    number: int
    line: int
    random: bool = False
    grouped: bool = False
    features: Value | None = None
    target: Value | None = None
    leaks: dict[Fit, int] = field(default_factory=dict)
    """What saw both sides → the line where its rows are split, or come back to split rows."""


class Splits:
    """All splits of a cell, numbered by the node that makes each."""

    def __init__(self) -> None:
        self.all: dict[int, Split] = {GIVEN: Split(GIVEN, 0)}
        self._numbers: dict[object, int] = {}
        self._count = count(1)

    def at(self, mark: object, line: int) -> Split:
        """The split that is known by this mark, made when it is first asked for."""
        number = self._numbers.get(mark)
        if number is None:
            number = self._numbers[mark] = next(self._count)
            self.all[number] = Split(number, line)
        return self.all[number]


@dataclass(frozen=True)
class Cut:
    """A node that cuts rows by hand: the mark of its split, and which part it takes."""

    mark: str
    part: int


def cuts(tree: ast.AST) -> dict[int, Cut]:
    """Subscripts and calls that cut rows, by the node's identity: those of which both sides occur.

    >>> tree = ast.parse("a, b = X[:n], X[n:]; c, d = Y[:-1], Y[1:]")
    >>> sorted(cut.part for cut in cuts(tree).values())
    [0, 1]
    """
    found: dict[int, Cut] = {}
    places = list(_places(tree))
    sides: dict[tuple[str, str], set[int]] = defaultdict(set)
    for _, base, mark, part in places:
        sides[base, mark].add(part)
    both = {mark for (_, mark), parts in sides.items() if len(parts) > 1}
    for node, _, mark, part in places:
        if mark in both and (id(node) not in found or part == 1):
            middle = id(node) in found
            found[id(node)] = Cut("position" if mark.startswith("at ") else mark, 2 if middle else part)
    found.update(_sampled(tree))
    return found


def _places(tree: ast.AST) -> Iterator[tuple[ast.Subscript, str, str, int]]:
    """(subscript, what it cuts, mark, side): 0 below a bound, 1 above it."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Subscript) or not isinstance(node.ctx, ast.Load):
            continue
        base = (dotted(node.value) or ast.dump(node.value)).removesuffix(".iloc").removesuffix(".loc")
        index = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
        match index:
            case ast.Slice(lower=lower, upper=upper, step=None):
                if upper is not None:
                    yield node, base, f"at {ast.dump(upper)}", 0
                if lower is not None:
                    yield node, base, f"at {ast.dump(lower)}", 1
            case ast.UnaryOp(op=ast.Invert(), operand=mask):
                yield node, base, f"where {ast.dump(mask)}", _of_mask(mask, False)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                first = isinstance(op, _FIRST)
                kind = type(op) if type(op) in _OPPOSITE else _opposite(type(op))
                if kind is not None:
                    yield node, base, f"{ast.dump(left)} {kind.__name__} {ast.dump(right)}", 0 if first else 1
            case ast.Name() | ast.Call():
                yield node, base, f"where {ast.dump(index)}", _of_mask(index, True)


def _opposite(op: type[ast.cmpop]) -> type[ast.cmpop] | None:
    return next((one for one, other in _OPPOSITE.items() if other is op), None)


def _of_mask(mask: ast.expr, plain: bool) -> int:
    """The side that a mask (or its inverse) takes: held out where its name says so."""
    text = ast.unparse(mask)
    held_out = any(HELD_OUT.fullmatch(word) for word in text.replace("(", ".").replace(")", ".").split("."))
    return int(held_out == plain)


def _sampled(tree: ast.AST) -> Iterator[tuple[int, Cut]]:
    """`train = df.sample(frac=0.8)` and `test = df.drop(train.index)`."""
    samples = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Attribute(value=base, attr="sample")) as call,
            ):
                samples[name] = (ast.dump(base), call)
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=base, attr="drop"),
                args=[ast.Attribute(value=ast.Name(id=name), attr="index")],
            ) if name in samples and samples[name][0] == ast.dump(base):
                first = 1 if HELD_OUT.fullmatch(name) else 0
                yield id(samples[name][1]), Cut(f"sample {name}", first)
                yield id(node), Cut(f"sample {name}", 1 - first)
