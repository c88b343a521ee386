"""What is known of a value of a cell without running it: whose rows it has, and what they were told of others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

Part = tuple[int, int]
"""A split, and which of its parts: 0 is trained on, all others are held out."""
Key = frozenset[Part] | frozenset[str]
"""Rows: the parts that they were cut to, or where they come from."""

Frozen = frozenset[str]
NONE: Frozen = frozenset()


@dataclass(frozen=True)
class Fit:
    """Something learnt from rows: `roots` and `parts` say which; `column` is the one that carries it, if only one."""

    kind: Literal["statistics", "model", "copies"]
    line: int
    what: str
    roots: Frozen
    parts: frozenset[Part]
    supervised: bool = False
    column: str | None = None
    encodes: tuple[str, str] | None = None
    """The frame and column that a statistic of groups is of: it is a leak where that is the target."""


@dataclass(frozen=True)
class Frame:
    """Columns of the frame `root`: all, or `only` some, without `dropped`; the cell has made `changed` itself."""

    root: str
    only: Frozen | None = None
    dropped: Frozen = NONE
    changed: Frozen = NONE

    def has(self, column: str) -> bool:
        """Whether a column of `root` is among them."""
        return column not in self.dropped and (self.only is None or column in self.only)


@dataclass(frozen=True)
class Splitter:
    """How something splits rows."""

    random: bool = False
    grouped: bool = False


@dataclass(frozen=True)
class Learner:
    """A model, transformer or resampler: its name, and whether it takes anything but structure from its rows."""

    name: str
    learns: bool = True
    stops: bool = False
    """Whether it is told to stop early."""
    searches: bool = False
    """Whether it splits by itself what it is fitted on."""
    whole: bool = True
    """Whether all columns that it is given enter what it makes of them."""


@dataclass(frozen=True)
class Value:
    """What is known of a value. The empty one knows nothing, and is what numbers and strings are."""

    roots: Frozen = NONE
    parts: frozenset[Part] = frozenset()
    fits: frozenset[Fit] = frozenset()
    """What its rows carry of other rows."""
    stats: frozenset[Fit] = frozenset()
    """What it is itself: statistics of rows, not yet applied to any."""
    learner: Learner | None = None
    learned: frozenset[Fit] = frozenset()
    splitter: Splitter | None = None
    searched: int = 0
    """The split that it made of the rows that it was fitted on, if it searches by itself; or 0."""
    asked: frozenset[Key] = frozenset()
    """Rows by which it was measured: predictions for them, scores on them."""
    chosen: frozenset[Key] = frozenset()
    """Rows whose scores chose it."""
    frame: Frame | None = None
    column: tuple[str, str] | None = None
    """The frame and column that it is, up to a map that can be undone."""
    rows: str | None = None
    """The variable whose rows it has, in their order."""
    complete: bool = False
    """Whether it has all of them."""
    shuffled: bool = False
    ordered: int = 0
    """The line by which its rows follow each other in time, or 0."""
    scalar: bool = False
    gathered: bool = False
    """Whether it is a collection of scores."""
    partial: bool = False
    """Whether it was measured on some of the rows it names: the worst of several classes is no choice."""
    names: tuple[str, ...] | None = None
    """The strings of a list of strings."""
    items: tuple[Value, ...] | None = field(default=None, compare=False)
    """The values of a tuple."""
    each: Value | None = field(default=None, compare=False)
    """What a loop over it binds, where that is known."""
    line: int = 0
    label: str = ""
    origin: tuple[str, int] | None = None
    """What it was called, and in which line, before it was cut."""

    @property
    def key(self) -> Key:
        """Which rows these are."""
        return frozenset(self.parts) if self.parts else frozenset(self.roots)

    @property
    def held_out(self) -> bool:
        """Whether these are rows that nothing is to be fitted on."""
        return held_out(self.key)

    @property
    def scores(self) -> bool:
        """Whether it is one score, on all of the rows it names."""
        return self.scalar and bool(self.asked) and not self.partial

    @property
    def splits(self) -> frozenset[int]:
        """The splits that it went through."""
        return frozenset(split for split, _ in self.parts)

    def but(self, **changes: object) -> Value:
        """A copy with changes."""
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def flowing(self) -> Value:
        """What remains after something unknown was done to it."""
        return Value(
            roots=self.roots,
            parts=self.parts,
            fits=self.fits,
            stats=self.stats,
            asked=self.asked,
            chosen=self.chosen,
            shuffled=self.shuffled,
            ordered=self.ordered,
            scalar=self.scalar,
            gathered=self.gathered,
            partial=self.partial,
        )


NOTHING = Value()


def held_out(key: Key) -> bool:
    """Whether rows were surely kept from training: of no split are there several parts.

    >>> held_out(frozenset({(1, 0), (2, 1)})), held_out(frozenset({(1, 0), (1, 1)})), held_out(frozenset({"X"}))
    (True, False, False)
    """
    parts = [part for part in key if isinstance(part, tuple)]
    return any(place for _, place in parts) and len({split for split, _ in parts}) == len(parts)


def joined(values: Iterable[Value]) -> Value:
    """Of several values, what flows on where something unknown is made of all of them."""
    found = [value for value in values if value is not NOTHING]
    for value in list(found):
        found += [item for item in value.items or () if item is not NOTHING]
    if not found:
        return NOTHING
    return Value(
        roots=frozenset().union(*(value.roots for value in found)),
        parts=frozenset().union(*(value.parts for value in found)),
        fits=frozenset().union(*(value.fits for value in found)),
        stats=frozenset().union(*(value.stats for value in found)),
        asked=frozenset().union(*(value.asked for value in found)),
        chosen=frozenset().union(*(value.chosen for value in found)),
        shuffled=any(value.shuffled for value in found),
        ordered=max(value.ordered for value in found),
        scalar=any(value.scalar for value in found),
        gathered=any(value.gathered for value in found),
        partial=any(value.partial for value in found),
    )


def either(first: Value, second: Value) -> Value:
    """One of two values, nobody knows which: facts of both, and of what must hold for sure only what both have."""
    if first == second or second is NOTHING:
        return first
    if first is NOTHING:
        return second
    both = joined([first, second])
    return both.but(
        learner=first.learner or second.learner,
        learned=first.learned | second.learned,
        splitter=first.splitter if first.splitter == second.splitter else None,
        frame=first.frame if first.frame == second.frame else None,
        column=first.column if first.column == second.column else None,
        rows=first.rows if first.rows == second.rows else None,
        complete=first.complete and second.complete,
        names=first.names if first.names == second.names else None,
        line=first.line,
        label=first.label,
    )
