"""Search by words: BM25 (Robertson and Zaragoza 2009; bm25s, Lù 2024) over passages, ready at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Self

from jupyter_swarm.library.terms import terms, tokens
from jupyter_swarm.protocols import Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

K1 = 1.2
B = 0.75


class Table(NamedTuple):
    """What each word weighs in each passage where it stands, word after word."""

    words: list[str]
    starts: NDArray[np.int32]
    """Where each word's entries begin, and where the last one's end: one more than there are words."""
    numbers: NDArray[np.int32]
    """Of passages, no number twice for a word."""
    weights: NDArray[np.float32]
    """BM25, as long as `numbers`."""


class Lexical:
    """An index of passages that never changes; another is built when papers are added."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._take(len(passages), weighed(passages))

    @classmethod
    def of(cls, size: int, table: Table) -> Self:
        """The index of `size` passages that had this table before: nothing is read or weighed."""
        made = cls.__new__(cls)
        made._take(size, table)
        return made

    def _take(self, size: int, table: Table) -> None:
        self._size, self.table = size, table
        self._columns = {word: column for column, word in enumerate(table.words)}

    def scores(self, query: str) -> NDArray[np.float32]:
        """A score for each passage, in their order; zeros where no word of the query is known."""
        import numpy as np

        found = np.zeros(self._size, dtype=np.float32)
        _, starts, numbers, weights = self.table
        for word in (*terms(query), *map(_name, tokens(query))):
            column = self._columns.get(word)
            if column is not None:
                entries = slice(starts[column], starts[column + 1])
                found[numbers[entries]] += weights[entries]
        return found


def weighed(passages: Sequence[Passage]) -> Table:
    """Read all passages and weigh their words."""
    import numpy as np

    corpus = [terms(heading(passage) + "\n" + passage.text) + names(passage) for passage in passages]
    if not any(corpus):
        return Table([], np.zeros(1, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))
    import bm25s

    logging.getLogger("bm25s").setLevel(logging.WARNING)
    index = bm25s.BM25(k1=K1, b=B, method="lucene", backend="numpy", auto_compile=False)
    index.index(corpus, create_empty_token=False, show_progress=False)
    starts, numbers, weights = (index.scores[name] for name in ("indptr", "indices", "data"))
    words = sorted(index.vocab_dict, key=index.vocab_dict.__getitem__)
    return Table(words, starts.astype(np.int32), numbers.astype(np.int32), weights.astype(np.float32))


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
