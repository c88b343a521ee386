"""The forms in which a language model gives what it is asked for."""

from __future__ import annotations

from jupyter_swarm.words import Edit, Word


class Suggestion(Word, frozen=True):
    """An idea as a model gives it."""

    statement: str
    why: str = ""
    refuted_if: str = ""
    edits: tuple[Edit, ...] = ()
    sketch: str = ""
    passages: tuple[str, ...] = ()


class Suggestions(Word, frozen=True):
    """Several ideas."""

    ideas: tuple[Suggestion, ...]


class Change(Word, frozen=True):
    """Code as a model gives it."""

    statement: str
    diff: str
    why: str = ""
    refuted_if: str = ""
    passages: tuple[str, ...] = ()


class Claim(Word, frozen=True):
    """A claim of a paper, as edits of the cell."""

    passage: str
    quote: str
    statement: str
    edits: tuple[Edit, ...]
    refuted_if: str = ""


class Claims(Word, frozen=True):
    """Several claims."""

    claims: tuple[Claim, ...]


class Range(Word, frozen=True):
    """Where a knob's value should be looked for."""

    knob: str
    low: float
    high: float
    why: str = ""


class Ranges(Word, frozen=True):
    """Several ranges."""

    ranges: tuple[Range, ...]


class Summary(Word, frozen=True):
    """Sentences over a study."""

    sentences: tuple[str, ...]
