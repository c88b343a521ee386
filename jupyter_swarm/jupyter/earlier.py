"""Cells that were run before the swarm's: joined to it (`--cells`), or executed again before it (`--setup`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from jupyter_swarm import cell as cells
from jupyter_swarm.errors import CellError, UsageError

_OURS = re.compile(r"^[ \t]*%(?:swarm\b|(?:re|un)?load_ext[ \t]+jupyter_swarm\b).*$", re.MULTILINE)


class Joined(NamedTuple):
    """A cell with those before it."""

    code: str
    setup: tuple[str, ...]
    done: int
    """So many of its first lines have been executed in the notebook before."""


def joined(
    code: str, earlier: Mapping[int, str], join: Sequence[Sequence[int]], setup: Sequence[Sequence[int]]
) -> Joined:
    """The swarm's cell with the cells that belong to it.

    Args:
        code: the swarm's cell, as typed.
        earlier: number → source of the cells that were run before, as typed.
        join: numbers of cells that become a part of it.
        setup: numbers of cells that are executed before it each time, and never varied.

    Raises:
        UsageError: there is no such cell, or it is a swarm's.
        CellError: a cell is not Python.
    """
    chosen = sorted({number for several in join for number in several})
    before = sorted({number for several in setup for number in several})
    if both := set(chosen) & set(before):
        raise UsageError(f"cell {min(both)} is named by --cells and by --setup", cure="name it once")
    parts = [_python(number, earlier, "--cells").strip("\n") for number in chosen]
    ahead = "".join(f"{part}\n\n" for part in parts)
    made = tuple(cells.typed(_python(number, earlier, "--setup"), timing=False) for number in before)
    return Joined(ahead + (cells.python(code) if ahead else code), made, ahead.count("\n"))


def _python(number: int, earlier: Mapping[int, str], option: str) -> str:
    source = earlier.get(number, "")
    if not source.strip():
        known = ", ".join(str(each) for each in sorted(earlier) if earlier[each].strip()) or "none"
        raise UsageError(
            f"there is no cell {number} that was run",
            where=option,
            cure=f"the number in brackets beside a cell (in a file, counted from the top); known here: {known}",
        )
    if source.lstrip().startswith("%%swarm"):
        raise UsageError(f"cell {number} is a swarm's own", where=option, cure="name cells of Python")
    try:
        return cells.python(_OURS.sub("", source))
    except CellError as error:
        raise CellError(error.what, where=f"{option}, cell {number}", cure=error.cure) from None
