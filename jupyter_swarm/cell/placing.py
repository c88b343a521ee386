"""Where a hunk of a diff belongs in a cell: by its text, by its statements, by its line number, or nowhere."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import product
from typing import NamedTuple

from jupyter_swarm.cell.answers import Hunk, Line, as_python
from jupyter_swarm.cell.indenting import readings
from jupyter_swarm.cell.syntax import typed
from jupyter_swarm.cell.weaving import Change, Source, blocks, replaced
from jupyter_swarm.errors import CellError, MergeError

MOST_TRIMMED = 3
"""Lines of context at either end that need not be as in the cell, where the rest is enough."""
_CURE = "copy two or three lines of context around the change exactly as they are in the cell, or give the whole cell"


class Place(NamedTuple):
    """Where a hunk may belong: what it would change, in one reading or in two, and what speaks for it."""

    line: int
    """The first line of the cell that it names, from 0."""
    numbered: bool
    """Whether that is the line that its header names."""
    exact: bool
    """Whether each line stands there with its very white space, some of it before a line."""
    changes: tuple[tuple[Change, ...], ...]
    """Readings: the added lines as they are indented, or as the others of the hunk are in the cell; () where they could
    be indented in too many ways."""
    spare: tuple[Change, ...] = ()
    """A reading for where none of these parses, if there is one."""


class Cell:
    """A cell that hunks are placed in.

    Args:
        code: Python that parses; hunks may name its lines as they are typed in IPython, too.
    """

    def __init__(self, code: str) -> None:
        self.source = Source(code)
        self.lines = self.source.lines
        shown = typed(code).split("\n")
        self.shown = shown if len(shown) == len(self.lines) else self.lines

    @cached_property
    def entries(self) -> list[tuple[int, frozenset[str]]]:
        """Lines that are not blank: the place, and what a hunk may call it."""
        return self._entries(_key)

    @cached_property
    def bare(self) -> list[tuple[int, frozenset[str]]]:
        """The same without comments."""
        return self._entries(_bare)

    def _entries(self, key: Callable[[str], str]) -> list[tuple[int, frozenset[str]]]:
        both = zip(self.lines, self.shown, strict=True)
        named = [(n, frozenset({key(line), key(shown)} - {""})) for n, (line, shown) in enumerate(both)]
        return [(n, names) for n, names in named if names]

    @cached_property
    def tabbed(self) -> bool:
        """Whether the cell is indented with tabs."""
        return any(line.startswith("\t") for line in self.lines)

    @cached_property
    def blocks(self) -> list[tuple[list[ast.stmt], list[str]]]:
        """All blocks, and their statements as text that is equal for equal trees."""
        return [(block, [ast.dump(node) for node in block]) for block in blocks(self.source.tree)]


def places(hunk: Hunk, cell: Cell) -> list[Place]:
    """Where a hunk may belong: one place, or several of which its text does not say which.

    Raises:
        MergeError: it belongs nowhere.
    """
    if not any(line.text.strip() for line in hunk.old):
        raise MergeError(
            f"{hunk} has no line that stands in the cell, so nothing tells where it belongs",
            where=_said(hunk),
            cure=_CURE,
        )
    for kept in _trimmed(hunk):
        for found in (_by_text(kept, cell, _key, cell.entries), _by_text(kept, cell, _bare, cell.bare)):
            if found:
                return found
        if found := _by_statements(kept, cell):
            return found
    raise MergeError(f"{hunk} is found nowhere in the cell", where=_nearest(hunk, cell), cure=_CURE)


def chosen(hunk: Hunk, found: Sequence[Place], *, trusted: bool) -> Place:
    """The one place.

    Args:
        hunk: what is placed.
        found: where it may belong.
        trusted: whether the line numbers of its diff have not been wrong elsewhere.

    Raises:
        MergeError: nothing tells which.
    """
    if len(found) == 1:
        return found[0]
    numbered = [place for place in found if place.numbered and trusted]
    exact = [place for place in found if place.exact]
    if len(exact) == 1 and numbered in ([], exact):
        return exact[0]
    if len(numbered) == 1 and (not exact or numbered[0] in exact):
        return numbered[0]
    lines = ", ".join(str(place.line + 1) for place in found[:6])
    raise MergeError(f"{hunk} could belong in {len(found)} places", where=f"lines {lines}", cure=_CURE)


def _said(hunk: Hunk) -> str:
    return f"it says line {hunk.start}" if hunk.start is not None else ""


def _nearest(hunk: Hunk, cell: Cell) -> str:
    wanted = [line for line in hunk.old if line.text.strip()]
    line = next((each for each in wanted if each.kind == "-" and _key(each.text) not in _known(cell)), wanted[0])
    near = difflib.get_close_matches(line.text.strip()[:200], [each.strip()[:200] for each in cell.shown], n=1)
    if not near:
        return _said(hunk)
    number = next(n for n, each in enumerate(cell.shown, 1) if each.strip()[:200] == near[0])
    return f"nearest is line {number}: `{near[0][:100]}`"


def _known(cell: Cell) -> set[str]:
    return {name for _, names in cell.entries for name in names}


def _trimmed(hunk: Hunk) -> Iterator[Hunk]:
    """The hunk, and then with less and less context at its ends, as long as some of it stands in the cell."""
    changed = [n for n, line in enumerate(hunk.lines) if line.kind != " "]
    before, behind = changed[0], len(hunk.lines) - 1 - changed[-1]
    cuts = product(range(min(before, MOST_TRIMMED) + 1), range(min(behind, MOST_TRIMMED) + 1))
    removes = any(line.kind == "-" and line.text.strip() for line in hunk.lines)
    for front, back in sorted(cuts, key=sum):
        kept = hunk.lines[front : len(hunk.lines) - back]
        start = hunk.start + front if hunk.start is not None else None
        if not (front or back) or removes or any(_tells(line) for line in kept):
            yield hunk._replace(lines=kept, start=start)


def _tells(line: Line) -> bool:
    """Whether a line of context says enough to stand alone."""
    return line.kind == " " and sum(map(str.isalnum, line.text)) >= 4


# ---------------------------------------------------------------- by text


def _key(line: str) -> str:
    """A line without white space, its quotes all of one kind."""
    return "".join(line.split()).replace("'", '"')


def _bare(line: str) -> str:
    """The same without a comment."""
    quote = ""
    for place, each in enumerate(line):
        if quote:
            quote = "" if each == quote and line[place - 1] != "\\" else quote
        elif each in "'\"":
            quote = each
        elif each == "#":
            return _key(line[:place])
    return _key(line)


def _by_text(
    hunk: Hunk, cell: Cell, key: Callable[[str], str], entries: list[tuple[int, frozenset[str]]]
) -> list[Place]:
    wanted = [(n, name) for n, line in enumerate(hunk.old) if (name := key(line.text))]
    if not wanted:
        return []
    found = []
    for place in range(len(entries) - len(wanted) + 1):
        if all(name in entries[place + k][1] for k, (_, name) in enumerate(wanted)):
            found.append(_place(hunk, cell, {n: entries[place + k][0] for k, (n, _) in enumerate(wanted)}))
    return found


def _place(hunk: Hunk, cell: Cell, at: dict[int, int]) -> Place:
    """What a hunk would change where its old lines stand.

    Args:
        hunk: what is placed.
        cell: where.
        at: number of an old line → line of the cell, both from 0.
    """
    old = hunk.old
    first, line = next(iter(at.items()))
    pairs = [(old[n].text.rstrip(), (cell.shown[k] or cell.lines[k]).rstrip()) for n, k in at.items()]
    removed = [pair for n, pair in zip(at, pairs, strict=True) if old[n].kind == "-"]
    same = all(cell.lines[k] == old[n].text or cell.shown[k] == old[n].text for n, k in at.items())
    read = readings(hunk, pairs, removed, tabbed=cell.tabbed)
    at = _with_blanks(old, cell, at)
    return Place(
        line=line,
        numbered=hunk.start is not None and hunk.start - 1 + first == line,
        exact=same and any(text[:1].isspace() for text, _ in pairs),
        changes=tuple(_changes(hunk, at, each) for each in read.likely),
        spare=_changes(hunk, at, read.spare) if read.spare is not None else (),
    )


def _with_blanks(old: Sequence[Line], cell: Cell, at: dict[int, int]) -> dict[int, int]:
    """With the blank lines beside those that have their place."""
    at = dict(at)
    for numbers, step in ((range(1, len(old)), 1), (range(len(old) - 2, -1, -1), -1)):
        for n in numbers:
            near = at.get(n - step)
            if n in at or near is None or old[n].text.strip():
                continue
            place = near + step
            if 0 <= place < len(cell.lines) and not cell.lines[place].strip() and place not in at.values():
                at[n] = place
    return at


def _changes(hunk: Hunk, at: dict[int, int], added: Sequence[str]) -> tuple[Change, ...]:
    """Lines removed, and lines added behind those that they follow in the hunk.

    Args:
        hunk: what is placed.
        at: number of an old line → line of the cell, both from 0.
        added: the added lines in order, as they stand in the cell.
    """
    found: list[Change] = []
    number, place, new = 0, min(at.values()), iter(added)
    for line in hunk.lines:
        if line.kind == "+":
            if found and found[-1][1] == place and found[-1][2]:
                found[-1][2].append(next(new))
            else:
                found.append((place, place, [next(new)]))
            continue
        if (there := at.get(number)) is not None:
            place = there + 1
            if line.kind == "-":
                found.append((there, there + 1, []))
        number += 1
    return tuple(found)


# ---------------------------------------------------------------- by statements


def _by_statements(hunk: Hunk, cell: Cell) -> list[Place]:
    """Places whose statements are equal, as trees, to those that a hunk wants to find."""
    try:
        old = Source(_part(hunk, "+"))
        shapes = [ast.dump(node) for node in _statements(old)]
        runs = [
            (block, range(place, place + len(shapes)))
            for block, known in cell.blocks
            for place in range(len(known) - len(shapes) + 1)
            if shapes and known[place : place + len(shapes)] == shapes
        ]
        new = Source(_part(hunk, "-")) if runs else old
    except (CellError, MergeError):
        return []
    found = []
    for block, run in runs:
        change = _rewritten(cell, block, run, new)
        if change is not None:
            line = cell.source.first(block[run[0]])
            offset = next(n for n, each in enumerate(hunk.old) if _bare(each.text))
            numbered = hunk.start is not None and hunk.start - 1 + offset == line
            found.append(Place(line, numbered, False, ((change,),)))
    return found


def _rewritten(cell: Cell, block: list[ast.stmt], run: range, new: Source) -> Change | None:
    if statements := _statements(new):
        return replaced(cell.source, block, run, new, statements)
    first, end = cell.source.first(block[run[0]]), block[run[-1]].end_lineno or 0
    return (first, end, []) if len(run) < len(block) else None


def _part(hunk: Hunk, without: str) -> str:
    """The code before or after a hunk as Python: what is indented stands in an `if`."""
    lines = [line.text for line in hunk.lines if line.kind != without]
    indented = all(line[:1].isspace() for line in lines if line.strip())
    return as_python("\n".join(["if True:", *lines] if indented else lines))


def _statements(source: Source) -> list[ast.stmt]:
    """Those of a part of a hunk."""
    match source.tree.body:
        case [ast.If(test=ast.Constant(value=True), body=body)] if source.lines[0] == "if True:":
            return body
    return source.tree.body
