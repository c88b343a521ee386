"""What a reader returns (a draft) and what the library keeps (a paper): text, places and passages by offsets."""

from __future__ import annotations

import bisect
import hashlib
import os
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Literal

import msgspec

from jupyter_swarm.errors import LibraryError, WorkspaceError
from jupyter_swarm.protocols import Passage
from jupyter_swarm.words import Word

Form = Literal["paper", "documentation"]

_UNWANTED = {"Cc", "Cs", "Co", "Cn"}
# Soft hyphens, zero widths, marks of direction, and the "tags" in which text can be smuggled past a reader's eye.
_SINGLE = (0x00AD, 0x061C, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF)
_INVISIBLE = dict.fromkeys((*_SINGLE, *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xE0000, 0xE01F0)))


class Place(Word, frozen=True):
    """A part of a text that a reader can be sent to: a section, a page, a qualified name. No passage crosses two."""

    name: str
    start: int
    end: int


class Draft(Word, frozen=True):
    """What a reader makes of a source: the text and its places, not yet cut."""

    title: str
    form: Form
    text: str
    places: tuple[Place, ...]
    version: str = ""

    @property
    def id(self) -> str:
        """Name by content: the same text of the same form is the same paper, wherever it came from.

        >>> one, two = (Draft(title=title, form="paper", text="same", places=()) for title in "ab")
        >>> one.id == two.id
        True
        """
        return hashlib.sha256(f"{self.form}\n{self.text}".encode()).hexdigest()[:16]


class Span(msgspec.Struct, frozen=True, array_like=True):
    """A passage inside a paper: the number of its place and its offsets."""

    place: int
    start: int
    end: int


class Paper(Draft, frozen=True, kw_only=True):
    """A draft that has been cut and kept: the content of `.swarm/library/<id>.json`."""

    paper: str
    source: str
    spans: tuple[Span, ...]

    def passages(self) -> Iterator[Passage]:
        """All passages, in the order of the text."""
        lines = _Lines(self.text)
        for span in self.spans:
            name = self.places[span.place].name or lines.name(span.start, span.end)
            yield Passage(
                id=f"{self.paper}-{span.start}-{span.end}",
                paper=self.paper,
                title=self.title,
                kind=self.form,
                place=name,
                start=span.start,
                end=span.end,
                text=self.text[span.start : span.end],
            )


class _Lines:
    """Names places of a text that has neither sections nor pages."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self._text))]

    def name(self, start: int, end: int) -> str:
        first, last = (bisect.bisect_right(self._starts, offset) for offset in (start, max(start, end - 1)))
        return f"line {first}" if first == last else f"lines {first}–{last}"


def clean(text: str) -> str:
    """Text without control, invisible and direction-changing characters, with `\\n` as the only line end.

    What a paper says is data: nothing in it may move a cursor, hide, or reorder what a person sees.

    >>> clean("a\\x1b[31m\\r\\nb\\u202e\\x00")
    'a[31m\\nb'
    """
    text = re.sub(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", text).translate(_INVISIBLE)
    if text.isascii() and text.isprintable():
        return text
    kept = (c for c in text if c in "\n\t" or unicodedata.category(c) not in _UNWANTED)
    return unicodedata.normalize("NFC", "".join(kept))


def join(parts: Iterable[tuple[str, str]]) -> tuple[str, tuple[Place, ...]]:
    """One text of named parts, an empty line between them, with their offsets.

    >>> join([("page 1", "One."), ("page 2", "Two.")])[1][1]
    Place(name='page 2', start=6, end=10)
    """
    pieces: list[str] = []
    places: list[Place] = []
    offset = 0
    for name, part in parts:
        body = part.strip()
        if not body:
            continue
        places.append(Place(name=name, start=offset, end=offset + len(body)))
        pieces.append(body)
        offset += len(body) + 2
    return "\n\n".join(pieces), tuple(places)


def write(folder: Path, paper: Paper) -> None:
    """Keep a paper: whole, or not at all.

    Raises:
        WorkspaceError: the folder is read-only or the disk is full.
    """
    write_bytes(folder / f"{paper.paper}.json", msgspec.json.encode(paper))


def write_bytes(target: Path, body: bytes) -> None:
    """Replace a file in one step, readable by its owner only.

    Raises:
        WorkspaceError: the folder is read-only or the disk is full.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=".new-", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WorkspaceError(
            f"cannot write {target}: {error.strerror or error}", cure="make room, or make the folder writable"
        ) from None


def load(folder: Path, paper: str) -> Paper:
    """Read a paper again.

    Raises:
        LibraryError: its file is gone or damaged.
    """
    path = folder / f"{paper}.json"
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Paper)
        if found.id != paper:
            raise OSError("its text has been changed")
        return found
    except (OSError, msgspec.DecodeError) as error:
        raise LibraryError(
            f"the text of a paper of this workspace cannot be read: {error}",
            where=str(path),
            cure="add its source again (papers add …)",
        ) from None
