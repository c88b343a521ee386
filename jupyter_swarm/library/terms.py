"""Words of a text as the lexical index knows them: folded, stemmed, and identifiers both whole and in parts."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_STOP = "a an and are as at be but by for if in into is it no not of on or such that the their then there these they"
STOP_WORDS = frozenset(_STOP.split(" ")) | {"this", "to", "was", "will", "with"}
"""The 33 of Lucene's English analyser."""

_BROKEN = re.compile(r"(?<=[a-z])-\n\s*(?=[a-z])")
_TOKEN = re.compile(r"[^\W_]+(?:_+[^\W_]+)*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")


def tokens(text: str) -> list[str]:
    """Words as they stand, identifiers whole.

    >>> tokens("SVC(C=1.0)")
    ['SVC', 'C', '1', '0']
    """
    return _TOKEN.findall(text)


def terms(text: str) -> list[str]:
    """The index's words of `text`, repeated as often as they stand there.

    >>> terms("Feature scaling with StandardScaler")
    ['featur', 'scale', 'standardscaler', 'standard', 'scaler']
    >>> terms("random_state=0")
    ['random_state', 'random', 'state', '0']
    """
    text = _BROKEN.sub("", unicodedata.normalize("NFKC", text).replace("’", "'").replace("'s ", " "))
    found: list[str] = []
    for token in _TOKEN.findall(text):
        found += _forms(token)
    return found


@lru_cache(maxsize=200_000)
def _forms(token: str) -> tuple[str, ...]:
    folded = token.casefold()
    if folded in STOP_WORDS and token != "A":
        return ()
    parts = _PART.findall(token)
    if len(parts) < 2 or not ("_" in token or _camel(token)):
        return (_stem(folded),)
    split = (part.casefold() for part in parts)
    return (folded, *(_stem(part) for part in split if part not in STOP_WORDS))


def _camel(token: str) -> bool:
    return bool(re.search(r"[a-z][A-Z]|[A-Z]{2}[a-z]{2}", token))


@lru_cache(maxsize=1)
def _stemmer() -> object:
    import Stemmer

    return Stemmer.Stemmer("english")


def _stem(word: str) -> str:
    return str(_stemmer().stemWord(word))  # type: ignore[attr-defined]
