"""Answers of the verbs: built once, shown as escaped HTML in a notebook, as text in a terminal, as JSON to a program.

Whatever stands in a table or a paragraph is plain text of anybody's; only `_repr_html_` makes HTML, and escapes it all.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from jupyter_swarm.api import Swarm

LONGEST = 4000
"""Letters of one cell or paragraph that are shown."""


@dataclass(frozen=True)
class Words:
    """A paragraph; `strong` for a heading."""

    text: str
    strong: bool = False

    def html(self) -> str:
        """Escaped HTML."""
        tag = "b" if self.strong else "span"
        return f'<p style="margin:4px 0;white-space:pre-wrap"><{tag}>{_short(self.text)}</{tag}></p>'

    def plain(self) -> str:
        """Text for a terminal."""
        return visible(self.text)


@dataclass(frozen=True)
class Code:
    """Source code, a traceback, a diff: shown word for word."""

    text: str

    def html(self) -> str:
        """Escaped HTML."""
        style = "margin:4px 0;padding:6px 10px;max-height:28em;overflow:auto;text-align:left"
        return f'<pre style="{style}">{escape(visible(self.text))}</pre>'

    def plain(self) -> str:
        """Text for a terminal."""
        return visible(self.text).rstrip("\n")


@dataclass(frozen=True)
class Link:
    """A file to open, relative to the notebook where it lies below it."""

    path: Path
    text: str = ""

    def html(self) -> str:
        """A link that JupyterLab and a browser resolve beside the notebook."""
        shown = self.text or _relative(self.path)
        return (
            f'<p style="margin:4px 0"><a href="{escape(quote(_relative(self.path)))}" target="_blank">'
            f"{escape(shown)}</a></p>"
        )

    def plain(self) -> str:
        """The path."""
        return _relative(self.path)


@dataclass(frozen=True)
class Table:
    """Rows under headings. Numbers stand to the right."""

    heads: Sequence[str]
    rows: Sequence[Sequence[object]]
    title: str = ""

    def html(self) -> str:
        """Escaped HTML."""
        title = f'<p style="margin:6px 0 2px"><b>{escape(self.title)}</b></p>' if self.title else ""
        heads = "".join(f'<th scope="col" style="text-align:left">{escape(head)}</th>' for head in self.heads)
        heads = f"<thead><tr>{heads}</tr></thead>" if any(self.heads) else ""
        rows = "".join("<tr>" + "".join(_cell(each) for each in row) + "</tr>" for row in self.rows)
        return f"{title}<table>{heads}<tbody>{rows}</tbody></table>"

    def plain(self, width: int = 120) -> str:
        """Columns of text, the widest column broken to fit."""
        from io import StringIO

        from rich.console import Console

        console = Console(
            file=StringIO(), width=width, color_system=None, force_terminal=False, force_jupyter=False, highlight=False
        )
        console.print(self.rich())
        return str(console.file.getvalue()).rstrip("\n")  # type: ignore[attr-defined]

    def rich(self) -> Any:
        """A table of rich, in which nobody's text is markup."""
        from rich import box
        from rich.table import Table as RichTable
        from rich.text import Text

        title = Text(self.title, style="bold") if self.title else None
        table = RichTable(
            title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False, show_header=any(self.heads)
        )
        for place, head in enumerate(self.heads):
            right = bool(self.rows) and all(_numeric(row[place]) for row in self.rows)
            table.add_column(Text(head), justify="right" if right else "left", overflow="fold")
        for row in self.rows:
            table.add_row(*(Text(visible(str(each))) for each in row))
        return table


Part = Words | Code | Link | Table


@dataclass
class Answer:
    """What a verb answers: parts to show, the same as data, and what a face should do besides."""

    parts: list[Part] = field(default_factory=list)
    data: Any = None
    """For `--json`: one object."""
    cell: str = ""
    """Code for a new cell of the notebook."""
    watch: Swarm | None = None
    """A swarm to show live."""
    wait: bool = False
    """Whether to wait until the swarm that is shown is over."""
    status: int = 0
    """Exit status in a terminal."""

    def _repr_html_(self) -> str:
        return '<div class="jupyter-swarm-answer">' + "".join(part.html() for part in self.parts) + "</div>"

    def __repr__(self) -> str:
        return "\n\n".join(part.plain() for part in self.parts)

    def show(self, file: Any = None) -> None:
        """Print it for a terminal."""
        from rich.console import Console

        console = Console(file=file or sys.stdout, highlight=False, markup=False, force_jupyter=False)
        for part in self.parts:
            if isinstance(part, Table):
                console.print(part.rich())
            else:
                console.print(part.plain(), soft_wrap=True, style="bold" if getattr(part, "strong", False) else None)


def visible(text: str) -> str:
    r"""Text without characters that move a cursor or change colours; tabs and line ends stay.

    >>> visible("a\x1b[31mred\x07")
    'a[31mred'
    """
    return "".join(each for each in text if each in "\n\t" or each.isprintable())


def shortened(text: str, most: int = 80) -> str:
    """One line of at most so many letters.

    >>> shortened("a  long\\ntext", 8)
    'a long …'
    """
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def size(count: float) -> str:
    """Bytes for people.

    >>> size(900), size(18_800), size(2 * 2**30)
    ('900 B', '18.4 KB', '2 GB')
    """
    if count < 1024:
        return f"{count:.0f} B"
    for unit in ("KB", "MB", "GB"):
        count /= 1024
        if count < 1024 or unit == "GB":
            break
    return f"{count:.1f}".removesuffix(".0") + f" {unit}"


def _short(text: str) -> str:
    text = visible(text)
    return escape(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")


def _cell(value: object) -> str:
    if isinstance(value, Link):
        return f"<td>{value.html()}</td>"
    side = "right" if _numeric(value) else "left"
    return f'<td style="text-align:{side};white-space:pre-wrap">{_short(str(value))}</td>'


def _numeric(value: object) -> bool:
    text = str(value).lstrip("+-−").replace(",", "")
    return text == "–" or text.replace(".", "", 1).isdigit()


def _relative(path: Path) -> str:
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)
