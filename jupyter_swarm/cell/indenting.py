"""How lines that a hunk adds are indented in the cell, where the hunk is indented unlike it.

Models write tabs for blanks, a blank behind the sign, everything further left or right. How far is told by the other
lines of the hunk, beside those of the cell; where it is not told for sure, there are several readings.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice, product
from typing import NamedTuple

from jupyter_swarm.cell.answers import Hunk

MOST_READINGS = 16
Pair = tuple[str, str]
"""A line as the hunk has it, and as the cell has it."""


class Readings(NamedTuple):
    """The lines that a hunk adds, in its order, in each reading."""

    likely: list[list[str]]
    """The first is as they are written; none where nothing tells which of many is meant."""
    spare: list[str] | None
    """A reading for where none of these parses."""


def readings(hunk: Hunk, pairs: Sequence[Pair], removed: Sequence[Pair], *, tabbed: bool) -> Readings:
    """The added lines of a hunk as they may be meant.

    Args:
        hunk: whose.
        pairs: its lines that stand in the cell.
        removed: those of them that it removes: models take more care of these than of context.
        tabbed: whether the cell is indented with tabs.

    >>> from jupyter_swarm.cell.answers import Line
    >>> hunk = Hunk((Line("-", "     a"), Line("+", "     b")), 1)
    >>> readings(hunk, [("     a", "    a")], [("     a", "    a")], tabbed=False).likely
    [['     b'], ['    b']]
    """
    telling = [(here, there) for here, there in removed if width(there)] or pairs
    size, shifts = _measured(telling)
    prefix = _prefix(telling)
    every = [list(_alternatives(group, shifts, size, prefix, tabbed)) for group in _groups(hunk)]
    written = [line for group in _groups(hunk) for line in group]
    untold = shifts != [0] and any(_has_text(group) for group in _groups(hunk))
    if untold or math.prod(map(len, every)) > MOST_READINGS:
        return Readings([], None)
    behind = shifts == [0] and all(line.startswith(" ") for line in written if line.strip())
    spare = [_shifted(line, size, -1, tabbed) for line in written] if behind else None
    return Readings([[line for group in each for line in group] for each in product(*every)], spare)


def width(line: str, size: int = 4) -> int:
    """How many blanks stand before a line, a tab counting as so many."""
    return len(line[: len(line) - len(line.lstrip())].expandtabs(size))


def _groups(hunk: Hunk) -> list[list[str]]:
    """Added lines that follow each other."""
    groups: list[list[str]] = []
    before = " "
    for line in hunk.lines:
        if line.kind == "+":
            groups += [[]] if before != "+" else []
            groups[-1].append(line.text)
        before = line.kind
    return groups


def _has_text(group: Sequence[str]) -> bool:
    """Whether a text of several lines begins or ends in added lines: which of its blanks are meant is not told."""
    return any((line.count('"""') + line.count("'''")) % 2 for line in group)


def _measured(pairs: Sequence[Pair]) -> tuple[int, list[int]]:
    """How many blanks a tab of the hunk stands for, and by how much its lines may be indented more in the cell."""
    sizes = {size: {width(there) - width(here, size) for here, there in pairs} for size in (4, 2, 8, 3)}
    size = next((size for size, shifts in sizes.items() if shifts == {0}), 4)
    return size, sorted({0, *sizes[size]}, key=abs)


def _prefix(pairs: Sequence[Pair]) -> str:
    """What all lines of the hunk have before them that they have not in the cell."""
    found = {here.removesuffix(there) if here.endswith(there) else "" for here, there in pairs}
    prefix = found.pop() if len(found) == 1 else ""
    return prefix if prefix.isspace() else ""


def _alternatives(group: list[str], shifts: Sequence[int], size: int, prefix: str, tabbed: bool) -> Iterator[list[str]]:
    """Added lines that follow each other, as they may be meant; each reading once."""
    found = [group]
    margin = sum(map(_is_at_margin, group))
    for shift in shifts:
        moves = product((True, False), repeat=margin) if shift > 0 else [(True,) * margin]
        found += [_moved(group, size, shift, each, tabbed) for each in islice(moves, MOST_READINGS + 1)]
    if prefix:
        found.append([line.removeprefix(prefix) for line in group])
    seen: list[list[str]] = []
    for lines in found:
        if lines not in seen:
            seen.append(lines)
            yield lines


def _is_at_margin(line: str) -> bool:
    return bool(line.strip()) and not line[0].isspace()


def _moved(group: Sequence[str], size: int, shift: int, moved: Sequence[bool], tabbed: bool) -> list[str]:
    """Lines with another indentation; of those at the margin, only the ones of which `moved` says so."""
    said = iter(moved)
    return [_shifted(line, size, shift if not _is_at_margin(line) or next(said) else 0, tabbed) for line in group]


def _shifted(line: str, size: int, shift: int, tabbed: bool) -> str:
    """A line indented as the cell is."""
    before = line[: len(line) - len(line.lstrip())]
    if not line.strip() or (not shift and ("\t" in before) == tabbed):
        return line
    blanks = max(width(line, size) + shift, 0)
    tabs = blanks // size if tabbed else 0
    return "\t" * tabs + " " * (blanks - tabs * size) + line.lstrip()
