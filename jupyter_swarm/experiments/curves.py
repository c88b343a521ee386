"""Curves as the runner reads them from frames: while a run goes on, and once it is over.

Nothing in frames is believed: what does not fit is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated

import msgspec

from jupyter_swarm.protocols import Watch
from jupyter_swarm.words import Curves, Point

KEPT = 64
"""Points of a curve that the ledger keeps; the run's record has all of them."""
MOST_POINTS, MOST_CURVES = 20_000, 32
"""Of one run, whatever it tells."""
LONGEST_NAME = 100
PRUNED = "pruned: "
"""How the reason of a run begins that was ended for its curve."""
_MARK = b'{"curves":'
_Name = Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)]


class _Frame(msgspec.Struct):
    curves: list[tuple[_Name, float, float]]


_FRAME = msgspec.json.Decoder(_Frame)


class Reading:
    """The curves of one run, as far as it has come.

    >>> reading = Reading()
    >>> reading.take(b'{"curves":[["loss",1.0,0.5],["loss",2.0,0.25]]}\\n{"cell":1,"begin":1.0}\\n')
    >>> reading.curves
    {'loss': [(1.0, 0.5), (2.0, 0.25)]}
    """

    def __init__(self) -> None:
        self.curves: dict[str, list[Point]] = {}
        self.points = 0

    def take(self, frames: bytes) -> None:
        """Read whole lines."""
        if _MARK not in frames:
            return
        for line in frames.splitlines():
            if not line.startswith(_MARK):
                continue
            try:
                told = _FRAME.decode(line)
            except msgspec.MsgspecError:
                continue
            for name, step, value in told.curves:
                self._record(name, step, value)

    def _record(self, name: str, step: float, value: float) -> None:
        new = name not in self.curves
        if self.points >= MOST_POINTS or (new and len(self.curves) >= MOST_CURVES) or not name:
            return
        if math.isfinite(step) and math.isfinite(value):
            self.points += 1
            self.curves.setdefault(name, []).append((step, value))


class Watching:
    """Reads the curves of a run that goes on, and asks at each look whether it shall.

    Called with the lines that came since, it answers why the run is to be ended (`PRUNED` and a phrase), or "".
    """

    def __init__(self, watch: Watch) -> None:
        self._watch, self._reading = watch, Reading()

    def __call__(self, frames: bytes) -> str:
        """Read on."""
        before = self._reading.points
        self._reading.take(frames)
        if self._reading.points == before:
            return ""
        why = self._watch({name: tuple(points) for name, points in self._reading.curves.items()})
        return PRUNED + why if why else ""


def curves(frames: bytes) -> Curves:
    """All curves that a run told, thinned."""
    reading = Reading()
    reading.take(frames)
    return {name: thinned(points) for name, points in reading.curves.items()}


def thinned(points: Iterable[Point], most: int = KEPT) -> tuple[Point, ...]:
    """No more points than so many, the first and the last among them.

    >>> thinned([(step, 0.0) for step in range(10)], 4)
    ((0, 0.0), (3, 0.0), (6, 0.0), (9, 0.0))
    """
    found = tuple(points)
    if len(found) <= most:
        return found
    return tuple(found[round(place * (len(found) - 1) / (most - 1))] for place in range(most))
