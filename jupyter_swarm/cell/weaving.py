"""Two codes woven into one: what is equal as trees keeps the first one's text, all else is the second one's."""

from __future__ import annotations

import ast
import difflib
import tokenize
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from jupyter_swarm.cell.text import Text
from jupyter_swarm.errors import CellError

Change = tuple[int, int, list[str]]
"""Lines from, to (from 0, without the last), and what stands there instead."""


class Unit(NamedTuple):
    """Statements that share lines, usually one, with the comments and blank lines above."""

    lead: int
    first: int
    end: int
    """The line of the lead, of the first statement, and behind the last, from 0."""
    nodes: tuple[ast.stmt, ...]
    shape: str


class Source:
    """A code by its lines.

    Args:
        code: Python.

    Raises:
        CellError: it does not parse.
    """

    def __init__(self, code: str) -> None:
        self.text = Text(code)
        self.tree = self.text.tree
        self.lines = code.split("\n")

    @cached_property
    def continued(self) -> frozenset[int]:
        """Lines, from 0, that begin inside of a string."""
        try:
            tokens = self.text.tokens
        except CellError:
            return frozenset()
        kinds = (tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING))
        strings = [t for t in tokens if t.kind in kinds and "\n" in t.string]
        return frozenset(n for t in strings for n in range(self.text.line_at(t.start), self.text.line_at(t.end)))

    def first(self, node: ast.stmt) -> int:
        """The line of a statement, from 0, decorators included."""
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        return min([node.lineno, *(each.lineno for each in decorators)]) - 1

    def units(self, nodes: Sequence[ast.stmt], floor: int) -> list[Unit]:
        """Statements of one block, by lines; the first lead does not begin before `floor`."""
        units: list[Unit] = []
        for node in nodes:
            first, end, shape = self.first(node), node.end_lineno or node.lineno, ast.dump(node)
            if units and first < units[-1].end:
                last = units[-1]
                units[-1] = last._replace(end=end, nodes=(*last.nodes, node), shape=f"{last.shape};{shape}")
                continue
            lead = first
            while lead > floor and self.lines[lead - 1].strip()[:1] in ("", "#"):
                lead -= 1
            units.append(Unit(lead, first, end, (node,), shape))
            floor = end
        return units

    def indentation(self, node: ast.stmt) -> str | None:
        """The white space before a statement that begins its line; None where another stands before it."""
        before = self.lines[node.lineno - 1].encode()[: node.col_offset].decode(errors="replace")
        return before if not before.strip() else None

    def shifted(self, start: int, end: int, old: str, new: str) -> list[str]:
        """Lines with another indentation, but for those that begin in a string."""
        return [
            new + line.removeprefix(old) if n not in self.continued and line.strip() else line
            for n, line in enumerate(self.lines[start:end], start)
        ]


def woven(
    mine: Source, theirs: Source, old: Sequence[ast.stmt], new: Sequence[ast.stmt], floors: tuple[int, int]
) -> list[str]:
    """The lines of a block after it has been replaced by another.

    Args:
        mine: the code whose text is kept where the trees are equal.
        theirs: the other.
        old: statements of one block of `mine`, one after another.
        new: statements of one block of `theirs`.
        floors: the lines at which the first comments above may begin, in both.
    """
    olds, news = mine.units(old, floors[0]), theirs.units(new, floors[1])
    inner, outer = theirs.indentation(new[0]) or "", mine.indentation(old[0]) or ""
    matcher = difflib.SequenceMatcher(None, [u.shape for u in olds], [u.shape for u in news], autojunk=False)
    lines: list[str] = []
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        same = kind == "equal"
        here, there = olds[i1:i2], news[j1:j2]
        partners = {b.first: a for a, b in zip(here, there, strict=True)} if same else _partners(here, there)
        for unit in there:
            partner = partners.get(unit.first)
            before = mine.lines[partner.lead : partner.first] if partner is not None else []
            lines += _above(before, theirs.shifted(unit.lead, unit.first, inner, outer), same=same)
            if same and partner is not None:
                lines += mine.lines[partner.first : partner.end]
                continue
            body = _inside(mine, theirs, partner, unit, inner, outer) if partner is not None else None
            lines += theirs.shifted(unit.first, unit.end, inner, outer) if body is None else body
    return lines


def _above(before: list[str], lead: list[str], *, same: bool) -> list[str]:
    """What stands above a statement: comments as they were, else new ones, else blank lines."""
    for each in (before, lead):
        if any(map(str.strip, each)):
            return each
    return before if same else max(before, lead, key=len)


def _partners(olds: Sequence[Unit], news: Sequence[Unit]) -> dict[int, Unit]:
    """First line of a new unit → the old one that it stands for, in the same order."""
    found: dict[int, Unit] = {}
    place = 0
    names = [_name(unit) for unit in olds]
    for unit in news:
        name = _name(unit)
        if name and name in names[place:]:
            place = names.index(name, place) + 1
            found[unit.first] = olds[place - 1]
    return found


def _name(unit: Unit) -> str:
    """What tells a statement from others, whatever is in it."""
    if len(unit.nodes) > 1:
        return ""
    match unit.nodes[0]:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return f"def {name}"
        case ast.Assign(targets=targets):
            return f"= {' '.join(map(ast.dump, targets))}"
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            return f"= {ast.dump(target)}"
        case node if next(_blocks(node), None) is not None:
            return _head(node)
    return ""


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Blocks of a statement, in the order of its text."""
    for name in ("body", "handlers", "cases", "orelse", "finalbody"):
        parts = getattr(node, name, None)
        if not isinstance(parts, list) or not parts:
            continue
        if name in ("handlers", "cases"):
            yield from (part.body for part in parts)
        else:
            yield parts


def _head(node: ast.stmt) -> str:
    """A compound statement without its blocks."""
    parts = [type(node).__name__]
    for name, value in ast.iter_fields(node):
        if name in ("body", "orelse", "finalbody"):
            parts.append(str(bool(value)))
        elif name in ("handlers", "cases"):
            kept = [(n, v) for part in value for n, v in ast.iter_fields(part) if n != "body"]
            parts += [f"{n} {ast.dump(v) if isinstance(v, ast.AST) else v!r}" for n, v in kept]
        else:
            values = value if isinstance(value, list) else [value]
            parts += [ast.dump(each) if isinstance(each, ast.AST) else repr(each) for each in values]
    return "/".join(parts)


def _inside(mine: Source, theirs: Source, old: Unit, new: Unit, inner: str, outer: str) -> list[str] | None:
    """A compound statement with its blocks woven; None where they cannot be told apart by lines."""
    a, b = old.nodes[0], new.nodes[0]
    olds, news = list(_blocks(a)), list(_blocks(b))
    if type(a) is not type(b) or not olds or len(olds) != len(news):
        return None
    if not all(_is_apart(mine, block) for block in olds) or not all(_is_apart(theirs, block) for block in news):
        return None
    kept = _head(a) == _head(b)
    lines: list[str] = []
    mark, other = old.first, new.first
    for block, another in zip(olds, news, strict=True):
        start, begin = _lead(mine, block, mark), _lead(theirs, another, other)
        lines += mine.lines[mark:start] if kept else theirs.shifted(other, begin, inner, outer)
        lines += woven(mine, theirs, block, another, (start, begin))
        mark, other = block[-1].end_lineno or 0, another[-1].end_lineno or 0
    return lines


def _lead(source: Source, block: Sequence[ast.stmt], floor: int) -> int:
    return source.units(block[:1], floor + 1)[0].lead


def _is_apart(source: Source, block: Sequence[ast.stmt]) -> bool:
    """Whether a block begins a line of its own, and is no `elif`."""
    start = source.text.span(block[0])[0]
    return source.indentation(block[0]) is not None and not source.text.code.startswith("elif", start)


# ---------------------------------------------------------------- blocks of a whole code


def blocks(tree: ast.Module) -> list[list[ast.stmt]]:
    """All blocks of a code, in an order that depends on nothing but the tree."""
    return [block for node in ast.walk(tree) for block in _blocks(node)]


def replaced(mine: Source, block: list[ast.stmt], run: range, theirs: Source, new: Sequence[ast.stmt]) -> Change | None:
    """How statements of a block are replaced by others; None where that cannot be done by lines.

    What comes of it is parsed and compared with what it has to be.
    """
    old = [block[n] for n in run]
    first, end = mine.first(old[0]), old[-1].end_lineno or 0
    if not _alone(mine, block, run) or not new:
        return None
    floor = theirs.units(new[:1], 0)[0].lead
    if any(map(str.strip, theirs.lines[floor : theirs.first(new[0])])):
        first = mine.units(old[:1], block[run[0] - 1].end_lineno or 0 if run[0] else 0)[0].lead
    after = ast.dump(_expected(mine, block, run, new))
    inner, outer = theirs.indentation(new[0]), mine.indentation(old[0])
    if inner is None or outer is None:
        return None
    for lines in (
        woven(mine, theirs, old, new, (first, floor)),
        theirs.shifted(floor, new[-1].end_lineno or 0, inner, outer),
    ):
        if _dump("\n".join([*mine.lines[:first], *lines, *mine.lines[end:]])) == after:
            return first, end, lines
    return None


def _alone(source: Source, block: list[ast.stmt], run: range) -> bool:
    """Whether statements have their lines alone."""
    before = block[run[0] - 1].end_lineno or 0 if run[0] else 0
    behind = source.first(block[run[-1] + 1]) if run[-1] + 1 < len(block) else len(source.lines)
    first, end = source.first(block[run[0]]), block[run[-1]].end_lineno or 0
    return before <= first and end <= behind and _is_apart(source, [block[run[0]]])


def _expected(mine: Source, block: list[ast.stmt], run: range, new: Sequence[ast.stmt]) -> ast.Module:
    """The tree that has to come of it."""
    place = next(n for n, each in enumerate(blocks(mine.tree)) if each is block)
    tree = ast.parse(mine.text.code)
    blocks(tree)[place][run[0] : run[-1] + 1] = list(new)
    return tree


def _dump(code: str) -> str:
    try:
        return ast.dump(ast.parse(code))
    except (SyntaxError, ValueError):
        return ""
