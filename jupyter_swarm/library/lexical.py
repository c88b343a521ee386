"""Search by words: BM25 (Robertson and Zaragoza 2009; bm25s, Lù 2024) over passages, ready at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jupyter_swarm.library.terms import terms, tokens
from jupyter_swarm.protocols import Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

K1 = 1.2
B = 0.75


class Lexical:
    """An index of passages that never changes; another is built when papers are added."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        import bm25s

        logging.getLogger("bm25s").setLevel(logging.WARNING)
        self._size = len(passages)
        self._index = bm25s.BM25(k1=K1, b=B, method="lucene", backend="numpy", auto_compile=False)
        corpus = [terms(heading(passage) + "\n" + passage.text) + names(passage) for passage in passages]
        self._known = {term for words in corpus for term in words}
        if self._known:
            self._index.index(corpus, show_progress=False)

    def scores(self, query: str) -> NDArray[np.float32]:
        """A score for each passage, in their order; zeros where no word of the query is known."""
        import numpy as np

        words = [word for word in (*terms(query), *map(_name, tokens(query))) if word in self._known]
        if not words:
            return np.zeros(self._size, dtype=np.float32)
        found: NDArray[np.float32] = self._index.get_scores(words)
        return found


def names(passage: Passage) -> list[str]:
    """Words of their own kind for what a passage of documentation documents, so that `Normalizer` finds the class
    before all that is normal, and `gamma` the parameter.

    >>> passage = Passage(id="", paper="", title="m", kind="documentation", place="m.SVC · C", start=0, end=0, text="")
    >>> names(passage)
    ['=c']
    """
    if passage.kind != "documentation" or " › " in passage.place:
        return []
    qualified, _, parameters = passage.place.partition(" · ")
    return [_name(token) for token in tokens(parameters or qualified.rpartition(".")[2])]


def _name(token: str) -> str:
    return "=" + token.casefold()


def heading(passage: Passage) -> str:
    """What stands above a passage for a reader, and is searched with it: the paper's title and its place."""
    place = passage.place
    if place.startswith(("page ", "line ", "lines ")):
        place = ""
    return " ".join(part for part in (passage.title, place) if part)
