"""Reading what a language model wrote: the hunks of a diff, or code in fences.

Models get line numbers wrong, forget headers, final newlines and the space before context, put prose around it all, and
write tabs where there were none. Whatever can be told apart is: what a line is, and what it says.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jupyter_swarm.cell.syntax import python
from jupyter_swarm.cell.text import parse
from jupyter_swarm.errors import CellError, MergeError

MOST_CHARACTERS, MOST_HUNKS, MOST_LINES = 30_000, 100, 2_000
_MOST_OF_THE_SHELL = 1_000_000
"""Lines of the shell in a code times its characters: each of them is one more pass over all."""
_FENCE = re.compile(r"(\s*)(`{3,}|~{3,})\s*([\w+.-]*)[^`]*")
_HEADER = re.compile(r"@@\s*-(\d+)(?:,(\d+))?\s+\+\d+")
_NOISE = re.compile(
    r"diff --git |diff -\w+ |index [0-9a-f]+\.\.|new file mode |(?:old|new|deleted file) mode |similarity index |"
    r"rename (?:from|to) |\\ ?No newline|\*\*\* (?:Begin|End|Update|Add|Delete)\b"
)
_OF_THE_SHELL = re.compile(r"^\s*[%!?]|=\s*[%!]|\?\s*$", re.MULTILINE)
_SEPARATORS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_LEFT_OUT = re.compile(
    r"(?:#\s*)?(?:\.\.\.|…)(?:.*\b(?:existing|unchanged|rest|same|before|remain\w*|omitted)\b.*|\s*)$"
)
_DIFFS = frozenset({"diff", "patch", "udiff"})


class Line(NamedTuple):
    """A line of a hunk: "+" added, "-" removed, " " context; `marked` says whether it had its mark."""

    kind: str
    text: str
    marked: bool = True


class Hunk(NamedTuple):
    """A part of a diff."""

    lines: tuple[Line, ...]
    number: int
    """From 1, in the order of the answer."""
    start: int | None = None
    """The line of the cell, from 1, at which it says that it begins."""

    @property
    def old(self) -> list[Line]:
        """What has to stand in the cell."""
        return [line for line in self.lines if line.kind != "+"]

    @property
    def changes(self) -> bool:
        """Whether it adds or removes anything."""
        return any(line.kind != " " for line in self.lines)

    def __str__(self) -> str:
        shown = [f"{line.kind}{line.text}".rstrip()[:100] for line in self.lines if line.text.strip()]
        changed = [line for line in shown if line[0] in "+-"]
        return f"hunk {self.number} (`{'`, `'.join((changed or shown)[:2])}`)"


class Answer(NamedTuple):
    """Hunks of a diff; where there are none, codes."""

    hunks: tuple[Hunk, ...] = ()
    codes: tuple[str, ...] = ()


def answered(answer: str) -> Answer:
    """What an answer holds.

    Raises:
        MergeError: nothing, or more than a cell could need.

    >>> answered("Smoother:\\n```diff\\n@@ -3 +3 @@\\n-C = 1\\n+C = 2\\n```").hunks[0].lines
    (Line(kind='-', text='C = 1', marked=True), Line(kind='+', text='C = 2', marked=True))
    >>> answered("```python\\nC = 2\\n```").codes
    ('C = 2',)
    """
    if len(answer) > MOST_CHARACTERS:
        raise MergeError(f"the answer has {len(answer)} characters", cure=f"at most {MOST_CHARACTERS}: a short diff")
    lines = re.sub(r"\r+[ \t]*\n", "\n", answer.lstrip("\ufeff")).replace("\r", "\n").split("\n")
    if len(lines) > MOST_LINES:
        raise MergeError(f"the answer has {len(lines)} lines", cure=f"at most {MOST_LINES}: a short diff")
    fenced = list(_fenced(lines))
    blocks = fenced or [("", _from_header(lines))]
    diffs = [block for label, block in blocks if _is_diff(label, block)]
    if diffs:
        return Answer(hunks=_numbered(hunk for block in diffs for hunk in _hunks(block)))
    codes = tuple("\n".join(block) for _, block in blocks if any(map(str.strip, block)))
    if not codes:
        raise MergeError("the answer holds no code", cure="a unified diff of the cell")
    return Answer(codes=codes)


def as_python(code: str) -> str:
    """A cell or a part of one, as typed in IPython or not, as Python (`syntax.python`).

    Raises:
        CellError: it is for a magic that does not execute it as Python.
        MergeError: it has too many lines of the shell, or such that cannot be read.
    """
    lines = len(_OF_THE_SHELL.findall(code))
    if lines * len(code) > _MOST_OF_THE_SHELL:
        raise MergeError("the code has too many lines that begin with % or !", cure="plain Python")
    if lines and _SEPARATORS.search(code):
        raise MergeError("the code has separators of lines that Python knows none of", cure="plain Python")
    try:
        return python(code)
    except (ValueError, IndexError, RecursionError, AssertionError) as error:
        raise MergeError(f"the code cannot be read: {error}", cure="plain Python") from None


def left_out(text: str) -> bool:
    """Whether a line only says that something was left out.

    >>> [left_out(text) for text in ("...", "# ... existing code ...", "# … the rest is unchanged", "# ...and so on")]
    [True, True, True, False]
    """
    return _LEFT_OUT.fullmatch(text.strip()) is not None


# ---------------------------------------------------------------- blocks


def _fenced(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """What stands in fences, each with its label; the last may be open."""
    opened: re.Match[str] | None = None
    inside: list[str] = []
    for line in lines:
        found = _FENCE.fullmatch(line) if line.lstrip()[:3] in ("```", "~~~") else None
        if opened is None:
            opened, inside = found, []
        elif found is not None and found[1] == opened[1] and found[2].startswith(opened[2]) and not found[3]:
            yield opened[3].lower(), inside
            opened = None
        else:
            inside.append(line.removeprefix(opened[1]))
    if opened is not None:
        yield opened[3].lower(), inside


def _from_header(lines: list[str]) -> list[str]:
    """Without the prose before a diff."""
    first = next((n for n, line in enumerate(lines) if line.startswith("@@") or _is_header(lines, n)), 0)
    return lines[first:]


def _is_header(lines: Sequence[str], number: int) -> bool:
    """Whether the two lines from here on name the files of a diff."""
    following = lines[number + 1] if number + 1 < len(lines) else ""
    return lines[number].startswith("--- ") and following.startswith("+++ ")


def _is_diff(label: str, lines: list[str]) -> bool:
    if any(line.startswith("@@") or _is_header(lines, number) for number, line in enumerate(lines)):
        return True
    if not any(line[:1] in ("+", "-") for line in lines):
        return False
    return label in _DIFFS or not _is_code("\n".join(lines))


def _is_code(text: str) -> bool:
    """Whether it is Python; a statement that begins with a sign is a line of a diff."""
    try:
        tree = parse(as_python(text))
    except (CellError, MergeError):
        return False
    signs = [node for node in tree.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.UnaryOp)]
    return not any(isinstance(node.value, ast.UnaryOp) and node.col_offset == 0 for node in signs)


# ---------------------------------------------------------------- hunks


def _hunks(lines: Sequence[str]) -> Iterator[Hunk]:
    start: int | None = None
    found: list[Line] = []
    skip = False
    for number, line in enumerate(lines):
        if skip:
            skip = False
        elif _is_header(lines, number):
            yield Hunk(tuple(found), 0, start)
            start, found, skip = None, [], True
        elif line.startswith("@@"):
            yield Hunk(tuple(found), 0, start)
            header = _HEADER.match(line)
            start, found = (int(header[1]) if header is not None and len(header[1]) < 10 else None), []
        elif not _NOISE.match(line):
            found.append(_line(line))
    yield Hunk(tuple(found), 0, start)


def _line(line: str) -> Line:
    if line[:1] in ("+", "-", " "):
        return Line(line[0], line[1:])
    return Line(" ", line, marked=False)


def _numbered(hunks: Iterator[Hunk]) -> tuple[Hunk, ...]:
    """Those that change something, each once, without prose behind them."""
    kept: list[Hunk] = []
    seen: set[tuple[Line, ...]] = set()
    for hunk in hunks:
        for lines, start in _parts(_without_prose(hunk.lines), hunk.start):
            whole = hunk._replace(lines=lines, start=start, number=len(kept) + 1)
            if whole.changes and (lines not in seen or start is not None):
                kept.append(whole)
                seen.add(lines)
    if len(kept) > MOST_HUNKS:
        raise MergeError(f"the diff has {len(kept)} hunks", cure=f"at most {MOST_HUNKS}: one change at a time")
    if not kept:
        raise MergeError("the diff adds and removes nothing", cure="lines that begin with + or -")
    return tuple(kept)


def _without_prose(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Without what follows a blank line behind the last line that has its mark."""
    last = max((n for n, line in enumerate(lines) if line.marked), default=-1)
    blank = next((n for n in range(last + 1, len(lines)) if not lines[n].text.strip()), len(lines))
    return lines[:blank]


def _parts(lines: tuple[Line, ...], start: int | None) -> Iterator[tuple[tuple[Line, ...], int | None]]:
    """Parts between context that was left out; where only the first begins is known."""
    part: list[Line] = []
    for line in lines:
        if line.kind == " " and left_out(line.text):
            yield tuple(part), start
            part, start = [], None
        else:
            part.append(line)
    yield tuple(part), start
