"""What a test has to say: a sign of trouble, the numbers that it rests on, a cure."""

from __future__ import annotations

import math

from jupyter_swarm.words import Word


class Fact(Word, frozen=True):
    """One number of the evidence, and where it stands."""

    says: str
    """What the number is: "lowest", "at the end"."""
    series: str = ""
    step: float | None = None
    value: float | None = None
    """None where the words say it all, or the value is not finite."""

    @property
    def text(self) -> str:
        """In words.

        >>> Fact(says="lowest", series="loss", step=40.0, value=0.3125).text
        'loss lowest: 0.3125 at step 40'
        """
        head = f"{self.series} {self.says}".strip()
        tail = f": {number(self.value)}" if self.value is not None else ""
        return head + tail + (f" at step {number(self.step, 9)}" if self.step is not None else "")


class Sign(Word, frozen=True):
    """A trouble that a test has seen."""

    kind: str
    """The name of the test that speaks."""
    what: str
    """The trouble, in one sentence without its full stop."""
    evidence: tuple[Fact, ...]
    cure: str
    """What to try, in one sentence without its full stop."""
    weight: float
    """0 to 1: how much of a bad training it explains. For ordering, not a probability."""


def number(value: float | None, digits: int = 4) -> str:
    """So many significant digits.

    >>> number(0.31250001), number(12.0), number(float("nan"))
    ('0.3125', '12', 'nan')
    """
    if value is None:
        return "–"
    return f"{value:.{digits}g}" if math.isfinite(value) else str(value)
