"""Choosing what to quote of a passage."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jupyter_swarm.library.passages import Range, sentences
from jupyter_swarm.library.terms import terms as words_of

LONGEST = 300

_NO_STATEMENT = re.compile(
    r"\A(?:>>>|\.\.\. |\.\. |[\w.]+\([^\n]*\)(?: -> .*)?\Z|[\w.]+\Z|#|[A-Z][A-Za-z ]+\n-{3,})|\n>>>|:ref:`|:doc:`"
)


def choose(text: str, terms: Sequence[str], longest: int = LONGEST) -> Range:
    """Offsets of the sentence that speaks most of `terms`; of a longer one, the part around the first of them.

    >>> text = "Scaling is simple. StandardScaler removes the mean. It is fast."
    >>> start, end = choose(text, ["StandardScaler"])
    >>> text[start:end]
    'StandardScaler removes the mean.'
    """
    options = sentences(text) or [(0, len(text))]
    wanted = [(term, set(words_of(term))) for term in terms if term.strip()]
    start, end = max(options, key=lambda option: (_worth(text[slice(*option)], wanted), -option[0]))
    return (start, end) if end - start <= longest else _part(text, start, end, terms, longest)


def _worth(sentence: str, wanted: Sequence[tuple[str, set[str]]]) -> float:
    spoken = set(words_of(sentence))
    total = 0.0
    for term, forms in wanted:
        if re.search(rf"(?<!\w){re.escape(term)}(?!\w)", sentence):
            total += 2.0
        elif forms:
            total += len(forms & spoken) / len(forms)
    # A statement is worth more than code, a signature or a heading that names the same, and something by itself: what
    # stands in the documentation of a class speaks of it without naming it.
    letters = sum(map(str.isalpha, sentence))
    if _NO_STATEMENT.search(sentence) or letters < len(sentence) / 2:
        return (total + 0.6) * 0.2
    return (total + 0.6) * (1.0 if len(sentence.split()) > 4 else 0.7)


def _part(text: str, start: int, end: int, terms: Sequence[str], longest: int) -> Range:
    folded = text[start:end].lower()
    found = [place for term in terms if term.strip() and (place := folded.find(term.lower())) >= 0]
    middle = start + min(found, default=0)
    left = max(start, min(middle - longest // 3, end - longest))
    right = min(end, left + longest)
    if left > start and (space := re.search(r"\s+", text[left:middle])):
        left += space.end()
    if right < end and (space := re.search(r"\s+\S*$", text[left:right])) and space.start() > 0:
        right = left + space.start()
    return left, right
