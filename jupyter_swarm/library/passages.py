"""Cutting text into sentences, and places into passages of 100 to 180 words: offsets only, no text is copied."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jupyter_swarm.library.papers import Draft, Span

LONGEST = 180
AIM = 150

# Of at most 24 characters, so that a script without spaces, or a line of base64, is cut as well.
_WORD = re.compile(r"\S{1,24}")
_BLANK = re.compile(r"\n[ \t]*\n\s*")
_ITEM = re.compile(r"\n(?=[ \t]*(?:[-*+•]|\d{1,2}[.)]|>>>|\.\.\.|\|)[ \t])")
_STOP = re.compile(r"[.!?…][\"'”’)\]]*(?=\s+[\"'“‘(\[]?[A-Z0-9`*_À-Þ])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.?g|i\.?e|cf|vs|etc|al|approx|resp|Figs?|Eqs?|Refs?|Secs?|Tabs?|Dr|Mr|Mrs|Ms|Prof|St|No|Vol|pp?|ca)"
    r"|(?<![A-Za-z0-9])[A-Z])\.$"
)

Range = tuple[int, int]


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Range]:
    """Offsets of the sentences of `text[start:end]`, white space around them left out.

    Sentences end at `.!?` before white space and a capital or digit (abbreviations and initials do not), at empty
    lines, and before items of lists.

    >>> text = "Scale first, e.g. Fig. 2 of Li et al. It helps. Does it?"
    >>> [text[a:b] for a, b in sentences(text)]
    ['Scale first, e.g. Fig. 2 of Li et al. It helps.', 'Does it?']
    """
    end = len(text) if end is None else end
    found: list[Range] = []
    for first, last in _paragraphs(text, start, end):
        left = first
        for cut in _ends(text, first, last):
            found += _trim(text, left, cut)
            left = cut
        found += _trim(text, left, last)
    return found


def spans(draft: Draft) -> tuple[Span, ...]:
    """All passages of a draft, place by place.

    >>> from jupyter_swarm.library.papers import Place
    >>> draft = Draft(title="", form="paper", text="One. Two.", places=(Place(name="p", start=0, end=9),))
    >>> [(s.start, s.end) for s in spans(draft)]
    [(0, 9)]
    """
    return tuple(
        Span(place=number, start=start, end=end)
        for number, place in enumerate(draft.places)
        for start, end in cut(draft.text, place.start, place.end)
    )


def cut(text: str, start: int, end: int) -> list[Range]:
    """Passages of `text[start:end]`: whole sentences, evenly filled, at most 180 words each."""
    units = [piece for sentence in sentences(text, start, end) for piece in _bounded(text, sentence)]
    counts = [_words(text, *unit) for unit in units]
    total = sum(counts)
    if not total:
        return []
    target = total / max(1, round(total / AIM))
    passages: list[Range] = []
    taken = 0
    for (first, last), count in zip(units, counts, strict=True):
        # Joined while that brings the passage nearer to its share than a cut here would.
        if passages and taken + count <= LONGEST and taken + count / 2 <= target:
            passages[-1] = (passages[-1][0], last)
            taken += count
        else:
            passages.append((first, last))
            taken = count
    return passages


def _paragraphs(text: str, start: int, end: int) -> Iterator[Range]:
    left = start
    for blank in _BLANK.finditer(text, start, end):
        yield left, blank.start()
        left = blank.end()
    yield left, end


def _ends(text: str, start: int, end: int) -> list[int]:
    stops = [
        stop.end()
        for stop in _STOP.finditer(text, start, end)
        if not _ABBREVIATION.search(text, max(start, stop.start() - 12), stop.start() + 1)
    ]
    return sorted({*stops, *(item.end() for item in _ITEM.finditer(text, start, end))})


def _trim(text: str, start: int, end: int) -> list[Range]:
    piece = text[start:end]
    body = piece.strip()
    if not body:
        return []
    left = start + len(piece) - len(piece.lstrip())
    return [(left, left + len(body))]


def _words(text: str, start: int, end: int) -> int:
    return sum(1 for _ in _WORD.finditer(text, start, end))


def _bounded(text: str, sentence: Range) -> list[Range]:
    """A sentence (or a table, or code) longer than a passage may be, cut between words."""
    words = list(_WORD.finditer(text, *sentence))
    if len(words) <= LONGEST:
        return [sentence]
    groups = [words[i : i + AIM] for i in range(0, len(words), AIM)]
    return [(group[0].start(), group[-1].end()) for group in groups]
