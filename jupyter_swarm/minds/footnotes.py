"""Text with marks, as a model writes it while it is read, and the footnotes that a program makes of them.

    Scaling helps kernel methods [P3: "sensitive to the scale of features"].
    → Scaling helps kernel methods [1].      1: paper, place, “sensitive to the scale of features”

A sentence holds where it has a mark, each of its marks names a passage that was given and words that stand there, and
its numbers stand there too. All else is struck out, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from jupyter_swarm.minds.quoting import quoted, unfounded
from jupyter_swarm.minds.reading import label
from jupyter_swarm.protocols import Passage
from jupyter_swarm.words import Citation

NOTHING = "NOTHING FOUND"
"""What a model writes where the passages answer nothing."""
LONGEST_MARK = 1_900
_OPEN, _FIRST, _MOST = "[", 0xE000, 6400
"""Marks are characters of the private use area while sentences are told apart."""
_MARKS = "\ue000-\uf8ff"
_SOURCE = re.compile(r'\s*(P\d{1,4})\s*(?:[:,]?\s*["“](.{1,600}?)["”](?=\s*(?:\]|[;,]\s*P\d)))?', re.DOTALL)
_NEXT = re.compile(r"\s*([\];,])")
_UNDONE = re.compile(r'\[\s*(?:P\d{0,4}\s*[:;,]?\s*)*(?:["“].{0,1900})?\Z', re.DOTALL)
"""The beginning of a mark at the end of what has come so far."""
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
_END = re.compile(rf"[.!?…][\"'”’)]*(?:\s*[{_MARKS}])*(?=\s+[\"“'(]?[A-Z0-9À-Þ])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.?g|i\.?e|cf|vs|etc|al|approx|resp|Figs?|Eqs?|Refs?|Secs?|Tabs?|Dr|Mr|Mrs|Ms|Prof|St|No|Vol|pp?|ca)"
    r"|(?<![A-Za-z0-9])[A-Z])\.$"
)


class Source(NamedTuple):
    """A source as a model gives it: a passage's label and a quotation, which may be missing."""

    passage: str
    quote: str


class Stated(NamedTuple):
    """A sentence with the numbers of its footnotes in it; `wrong` says why it does not hold, or ""."""

    text: str
    notes: tuple[int, ...]
    wrong: str


class Footed(NamedTuple):
    """A text that was checked. Footnotes count from 1, in the order of their first mention."""

    sentences: tuple[Stated, ...]
    notes: tuple[Citation, ...]
    nothing: bool
    """Whether it says that nothing was found."""

    @property
    def struck(self) -> int:
        """How many sentences do not hold."""
        return sum(bool(each.wrong) for each in self.sentences)


def footed(text: str, passages: Sequence[Passage], *, whole: bool = True) -> Footed:
    """Sentences, checked, and their footnotes.

    Args:
        text: as the model wrote it.
        passages: what it was given, in that order.
        whole: whether all of it has come; else its last sentence is not judged yet.

    >>> text = "Trees split one at a time."
    >>> passage = Passage(id="", paper="", title="", kind="paper", place="", start=0, end=len(text), text=text)
    >>> found = footed('They do so [P1: "split one at a time"]. Kettles boil.', [passage])
    >>> [(each.text, each.wrong) for each in found.sentences]
    [('They do so [1].', ''), ('Kettles boil.', 'it names no source')]
    """
    notes = _Notes(passages)
    text = _plain(text)
    marked, marks = _marked(text if whole else _settled(text))
    sentences = list(_sentences(marked))
    stated = [_stated(each, marks, notes) for each in sentences]
    if stated and not whole:
        stated[-1] = stated[-1]._replace(wrong="")
    nothing = text.strip(" \n.*\"'").upper() == NOTHING
    return Footed(() if nothing else tuple(stated), tuple(notes.citations), nothing)


def so_far(text: str, passages: Sequence[Passage]) -> str:
    """What can be shown of a text that goes on: numbers for marks, and no mark that is not complete. What was shown
    stays the beginning of what is shown later.

    >>> so_far('They do so [P1: "split o', [])
    'They do so '
    """
    notes = _Notes(passages)
    marked, marks = _marked(_settled(_plain(text)))
    return "".join(_numbers(marks[each], notes) if each in marks else each for each in marked)


class _Notes:
    """Footnotes as they are mentioned."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._given = {label(place): passage for place, passage in enumerate(passages)}
        self.citations: list[Citation] = []

    def number(self, source: Source) -> int:
        """The footnote of a source; 0 where it does not hold."""
        passage = self._given.get(source.passage)
        found = quoted(passage, source.quote) if passage is not None else None
        if found is None:
            return 0
        if found not in self.citations:
            self.citations.append(found)
        return self.citations.index(found) + 1

    def wrong(self, source: Source) -> str:
        """Why a source does not hold."""
        if source.passage not in self._given:
            return f"there is no passage {source.passage}"
        return f"{source.passage} does not say “{source.quote}”" if source.quote else "it quotes nothing"

    def text(self, source: Source) -> str:
        """The passage of a source."""
        return self._given[source.passage].text


def _plain(text: str) -> str:
    """Lines of printable characters."""
    return "".join(each for each in re.sub(r"[^\S\n]+", " ", text) if each == "\n" or each.isprintable())


def _marked(text: str) -> tuple[str, Mapping[str, tuple[Source, ...]]]:
    """The text with a character for each mark, and what these stand for."""
    pieces: list[str] = []
    marks: dict[str, tuple[Source, ...]] = {}
    place = 0
    while (start := text.find(_OPEN, place)) >= 0:
        sources, end = _mark(text, start)
        pieces.append(text[place:start])
        if sources and len(marks) < _MOST:
            name = chr(_FIRST + len(marks))
            marks[name] = sources
            pieces.append(name)
            place = end
        else:
            pieces.append(_OPEN)
            place = start + 1
    return "".join([*pieces, text[place:]]), marks


def _mark(text: str, start: int) -> tuple[tuple[Source, ...], int]:
    """The sources of a mark that begins here, and where it ends; none where it is no mark."""
    sources: list[Source] = []
    place = start + 1
    while (found := _SOURCE.match(text, place)) is not None:
        sources.append(Source(found[1], found[2] or ""))
        after = _NEXT.match(text, found.end())
        if after is None:
            return (), start
        place = after.end()
        if after[1] == "]":
            return (tuple(sources), place) if place - start <= LONGEST_MARK else ((), start)
    return (), start


def _settled(text: str) -> str:
    """The text up to a mark that has only begun."""
    place = 0
    while (start := text.find(_OPEN, place)) >= 0:
        sources, end = _mark(text, start)
        if not sources and _UNDONE.match(text, start):
            return text[:start]
        place = end if sources else start + 1
    return text


def _sentences(marked: str) -> Iterator[str]:
    """Sentences with their marks; marks that stand alone belong to what comes before."""
    waiting = ""
    for line in marked.splitlines():
        for sentence in _split(_BULLET.sub("", line).strip()):
            if not any(map(str.isalnum, sentence)):
                waiting += f" {sentence}" if waiting else ""
                continue
            if waiting:
                yield waiting
            waiting = sentence
    if waiting:
        yield waiting


def _split(line: str) -> Iterator[str]:
    left = 0
    for end in _END.finditer(line):
        if not _ABBREVIATION.search(line, max(left, end.start() - 12), end.start() + 1):
            yield line[left : end.end()].strip()
            left = end.end()
    if rest := line[left:].strip():
        yield rest


def _stated(sentence: str, marks: Mapping[str, tuple[Source, ...]], notes: _Notes) -> Stated:
    """A sentence, checked."""
    sources = [source for each in sentence if each in marks for source in marks[each]]
    text = "".join(_numbers(marks[each], notes) if each in marks else each for each in sentence)
    numbers = tuple(dict.fromkeys(notes.number(source) for source in sources))
    wrong = next((notes.wrong(each) for each in sources if not notes.number(each)), "")
    if not sources:
        wrong = "it names no source"
    elif not wrong:
        words = "".join(each for each in sentence if each not in marks)
        missing = unfounded(words, [notes.text(each) for each in sources])
        wrong = f"{missing[0]} stands in none of its sources" if missing else ""
    return Stated(text, tuple(each for each in numbers if each), wrong)


def _numbers(sources: Sequence[Source], notes: _Notes) -> str:
    """A mark as a person sees it."""
    return "".join(f"[{notes.number(each) or '?'}]" for each in sources)
