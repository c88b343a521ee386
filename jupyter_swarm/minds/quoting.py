"""Whether a quotation stands word for word in a passage, and where; whether a sentence's numbers stand there too.

A model that copies a text joins its lines, takes hyphens at their ends away and types plain quotation marks: that is
forgiven, nothing else is. What is then shown is the passage's own text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from jupyter_swarm.protocols import Passage
from jupyter_swarm.words import Citation

LEAST_WORDS = 3
LEAST_LETTERS = 12
"""What is shorter than both is found anywhere, and proves nothing."""
LONGEST = 500
"""Characters of a quotation."""
_BROKEN = r"(?:[-\u2010]\n\s*)?"
"""A hyphen at a line's end, between the letters of a word."""
_SAME = {
    " ": r"\s+",
    **dict.fromkeys("-‐‑–—−", r"[-‐‑–—−](?:\s*\n\s*)?"),
    **dict.fromkeys("'’‘ʼ", "['’‘ʼ]"),
    **dict.fromkeys('"“”„', '["“”„]'),
}
_AROUND = ' \t\n"“”„«»…'
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d*\.?\d+(?:[eE][-+]?\d+)?")


def quoted(passage: Passage, quote: str) -> Citation | None:
    """The quotation at its exact place in the passage; None where it does not stand there, or is too short or long.

    >>> passage = Passage(id="a-5-44", paper="a", title="A", kind="paper", place="page 1", start=5, end=44,
    ...                   text="Support vector ma-\\nchines like scaling.")
    >>> found = quoted(passage, '"vector machines like scaling"')
    >>> found.start, found.end, found.quote
    (13, 43, 'vector ma-\\nchines like scaling')
    >>> quoted(passage, "vector machines love scaling") is None
    True
    """
    wanted = " ".join(quote.strip(_AROUND).split())
    letters = sum(map(str.isalnum, wanted))
    if len(wanted) > LONGEST or (len(wanted.split()) < LEAST_WORDS and letters < LEAST_LETTERS):
        return None
    found = re.search(_pattern(wanted), passage.text)
    if found is None:
        return None
    return Citation(
        paper=passage.paper,
        title=passage.title,
        kind="documentation" if passage.kind == "documentation" else "paper",
        passage=passage.id,
        place=passage.place,
        start=passage.start + found.start(),
        end=passage.start + found.end(),
        quote=found[0],
    )


def unfounded(sentence: str, texts: Iterable[str]) -> list[str]:
    """Numbers of a sentence that stand in none of the texts, whatever way they are written.

    >>> unfounded("It rose from .5 to 0.97 on 1,000 rows.", ["from 0.50 to 0.79", "1000 rows"])
    ['0.97']
    """
    known = {_value(each) for text in texts for each in _NUMBER.findall(text)}
    return [each for each in _NUMBER.findall(sentence) if _value(each) not in known]


def _value(number: str) -> float:
    return float(number.replace(",", ""))


def _pattern(wanted: str) -> str:
    """What a quotation on one line looks like in a text: whole words and whole numbers of it."""
    pieces = []
    before = ""
    for each in wanted:
        if before.isalpha() and each.isalpha():
            pieces.append(_BROKEN)
        pieces.append(_SAME.get(each) or re.escape(each))
        before = each
    start = r"(?<!\w)(?<!\d[.,])" if wanted[0].isdigit() else r"(?<!\w)" if wanted[0].isalpha() else ""
    end = r"(?!\w)(?![.,]\d)" if wanted[-1].isdigit() else r"(?!\w)" if wanted[-1].isalpha() else ""
    return start + "".join(pieces) + end
