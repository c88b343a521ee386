"""Markdown that stays text, whatever words are put into it, and links to the executed notebooks of runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

from jupyter_swarm.experiments.records import executed
from jupyter_swarm.report.phrases import number
from jupyter_swarm.state import Row


def inline(text: str, most: int = 600) -> str:
    """Text that Markdown, HTML and MathJax all leave as it is, on one line.

    >>> inline("<b>*a*</b>")
    '&#60;b&#62;&#42;a&#42;&#60;&#47;b&#62;'
    """
    flat = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", visible(text)).split())
    if len(flat) > most:
        flat = flat[: most - 1] + "…"
    # Mathematics is looked for in the finished page, after entities are resolved: its delimiters are taken apart.
    apart = flat.replace("\\", "\\\u2060").replace("$", "\uff04")
    # Elsewhere a dot or a dash is harmless, and the source stays readable.
    return re.sub(r"[!-'*-,/:-@\[-`{-~]|^-|^\d+[.)](?= |$)|(?<=www)\.", lambda found: _entities(found[0]), apart)


def _entities(text: str) -> str:
    return "".join(letter if letter.isdigit() else f"&#{ord(letter)};" for letter in text)


def visible(text: str) -> str:
    r"""Text in which characters that hide or reorder what is read are named: code must not look like other code.

    >>> visible("admin\u202etxt\u200b")
    'admin\\u202etxt\\u200b'
    """
    return re.sub(
        r"[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]",
        lambda found: f"\\u{ord(found[0]):04x}",
        text,
    )


def literal(text: str, language: str = "text") -> str:
    """Text as a fenced block: shown word for word, and nothing in it is active.

    >>> print(literal("a ``` b"))
    ````text
    a ``` b
    ````
    """
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    lines = re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", " ", visible(text.replace("\r\n", "\n").replace("\r", "\n")))
    return f"{fence}{language}\n{lines.rstrip()}\n{fence}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already; heads that begin with ">" stand to the right.

    >>> print(table(["a", ">b"], [["x", "1"]]))
    | a | b |
    |---|--:|
    | x | 1 |
    """
    lines = [f"| {' | '.join(head.removeprefix('>') for head in heads)} |"]
    lines.append(f"|{'|'.join('--:' if head.startswith('>') else '---' for head in heads)}|")
    lines += [f"| {' | '.join(cell or ' ' for cell in row)} |" for row in rows]
    return "\n".join(lines)


def joined(text: str) -> str:
    """Words that no line break may part: an interval in a narrow column.

    >>> joined("[1, 2]").split(" ")
    ['[1,\\xa02]']
    """
    return text.replace(" ", "\u00a0")


def folded(title: str, content: str) -> str:
    """Content that opens on a click; `title` is Markdown-free."""
    return f"<details><summary>{inline(title)}</summary>\n\n{content}\n\n</details>"


class Links:
    """Links from a notebook in folder `base` to executed notebooks under `root` (`.swarm/`), as far as there are any.

    What is linked is made where it was only recorded so far, so that the link leads somewhere.
    """

    def __init__(self, root: Path, base: Path) -> None:
        self._root, self._up = root, Path(os.path.relpath(root, base)).as_posix()
        self._known: dict[int, bool] = {}

    @property
    def gone(self) -> int:
        """How many of the runs named so far had a notebook that is there no more."""
        return sum(not there for there in self._known.values())

    def run(self, row: Row, words: str = "") -> str:
        """A link to the notebook of a run; the words alone where there is none. The words are Markdown already."""
        words = words or f"&#35;{row.number}"
        if row.run is None or not row.run.notebook:
            return words
        there = self._known.get(row.number)
        if there is None:
            there = self._known[row.number] = executed.materialise(self._root, row.run.notebook) is not None
        return f'[{words}]({quote(f"{self._up}/{row.run.notebook}")} "run {row.number}")' if there else words

    def value(self, row: Row) -> str:
        """A run's value (or why it has none), linked to its notebook."""
        if row.run is None:
            return "still runs"
        shown = number(row.run.value, 5) if row.run.ok else inline(row.run.reason or "failure")
        return self.run(row, shown)

    def runs(self, rows: Iterable[Row], most: int = 12) -> str:
        """Links to several runs by their numbers."""
        listed = list(rows)
        more = f" and {len(listed) - most} more" if len(listed) > most else ""
        return ", ".join(self.run(row) for row in listed[:most]) + more
