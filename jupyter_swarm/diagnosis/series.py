"""What was logged: curves by name, and by rank where a log has ranks. Values may be NaN or infinite."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from jupyter_swarm.diagnosis import names
from jupyter_swarm.diagnosis.names import Named, Role, Side
from jupyter_swarm.words import Point

Way = str
"""Which way is better: "down" or "up"."""


class Logged(NamedTuple):
    """One number of a log, before it belongs to a curve."""

    name: str
    step: float | None
    value: float
    rank: int | None = None
    epoch: float | None = None


@dataclass(frozen=True)
class Curve:
    """One name's points, in the order of their steps."""

    name: str
    points: tuple[Point, ...]
    way: Way = ""
    """Which way is better, where somebody has said so."""
    arrivals: tuple[int, ...] = ()
    """Of a rank's curve: the place of each point in the log."""

    @property
    def named(self) -> Named:
        """What its name says."""
        return names.read(self.name)

    @property
    def role(self) -> Role:
        """What it is: what somebody has said, else what its name says."""
        if self.way:
            return "score" if self.way == "up" else "loss"
        return self.named.role

    @property
    def side(self) -> Side:
        """Training or validation, as far as its name says so."""
        return self.named.side

    @property
    def finite(self) -> list[Point]:
        """Its points whose value is a finite number."""
        return [each for each in self.points if math.isfinite(each[1])]

    @property
    def sign(self) -> float:
        """What makes a badness of its value: 1 of a loss, −1 of a score."""
        return -1.0 if self.role == "score" else 1.0

    @property
    def bad(self) -> list[Point]:
        """Its finite points as badness: less is better, whatever the direction."""
        return [(step, self.sign * value) for step, value in self.finite]


@dataclass(frozen=True)
class Series:
    """All curves of one training."""

    curves: Mapping[str, Curve]
    ranks: Mapping[str, Mapping[int, Curve]] = field(default_factory=dict)
    """Name → rank → curve; empty where the log has no ranks. `curves` then holds the median over ranks."""
    notes: tuple[str, ...] = ()
    """What was assumed or left out in reading."""

    def of(self, *roles: Role) -> list[Curve]:
        """Curves that are losses, scores, …"""
        return [each for each in self.curves.values() if each.role in roles]

    @property
    def trained(self) -> list[Curve]:
        """Losses and scores of the training side, or of no side that is known."""
        return [each for each in self.of("loss", "score") if each.side in ("train", "")]

    @property
    def pairs(self) -> list[tuple[Curve, Curve]]:
        """Training and validation of the same thing."""
        found = []
        for curve in self.of("loss", "score"):
            if curve.side not in ("validation", "test"):
                continue
            stem = curve.named.stem
            partners = [each for each in self.trained if each.named.stem == stem]
            found += [(each, curve) for each in partners[:1]]
        return found


def gathered(logged: Iterable[Logged], notes: Iterable[str] = (), ways: Mapping[str, Way] | None = None) -> Series:
    """Curves of single numbers, in the order in which they were logged.

    Steps that begin again (a step within an epoch) are counted on; what has no step is counted by itself. With ranks,
    a curve's value is their median at a step, and not finite if one of them is not.

    >>> gathered([Logged("loss", None, 0.5), Logged("loss", None, 0.4)]).curves["loss"].points
    ((0.0, 0.5), (1.0, 0.4))
    """
    found: dict[str, dict[int | None, list[tuple[int, Logged]]]] = defaultdict(lambda: defaultdict(list))
    for place, each in enumerate(logged):
        found[each.name][each.rank].append((place, each))
    curves, ranks = {}, {}
    for name, by_rank in found.items():
        way = (ways or {}).get(name, "")
        made = {rank: _curve(name, rows, way) for rank, rows in by_rank.items()}
        own = {rank: curve for rank, curve in made.items() if rank is not None}
        if len(own) > 1:
            ranks[name] = dict(sorted(own.items()))
        curves[name] = next(iter(made.values())) if len(made) == 1 else _joined(name, list(made.values()), way)
    return Series(curves, ranks, tuple(notes))


def _curve(name: str, rows: list[tuple[int, Logged]], way: Way) -> Curve:
    steps = _counted([row for _, row in rows])
    order = sorted(range(len(rows)), key=lambda place: steps[place])
    points = tuple((steps[place], rows[place][1].value) for place in order)
    return Curve(name, points, way, tuple(rows[place][0] for place in order))


def _counted(rows: list[Logged]) -> list[float]:
    """A growing step of each row."""
    epochs = [row.epoch for row in rows]
    raw = [row.step if row.step is not None else row.epoch for row in rows]
    if any(each is None for each in raw):
        return [float(place) for place in range(len(rows))]
    known = [each for each in raw if each is not None]
    restarts = any(b < a for a, b in pairwise(known))
    if restarts and all(each is not None for each in epochs) and len(set(epochs)) > 1:
        known = _onward(known)
    return _apart(known)


def _onward(steps: list[float]) -> list[float]:
    """Steps that begin again are counted on from where they were."""
    offset, last, width, found = 0.0, -math.inf, 1.0, []
    for step in steps:
        if step < last:
            offset += last + width - step
        elif math.isfinite(last):
            width = step - last
        last = step
        found.append(offset + step)
    return found


def _apart(steps: list[float]) -> list[float]:
    """Several numbers of one step (an epoch's batches) lie evenly between it and the next."""
    many: dict[float, int] = defaultdict(int)
    for step in steps:
        many[step] += 1
    if len(many) == len(steps):
        return steps
    seen: dict[float, int] = defaultdict(int)
    found = []
    for step in steps:
        found.append(step + seen[step] / many[step])
        seen[step] += 1
    return found


def _joined(name: str, curves: list[Curve], way: Way) -> Curve:
    """The median over ranks."""
    values: dict[float, list[float]] = defaultdict(list)
    for curve in curves:
        for step, value in curve.points:
            values[step].append(value)
    points = []
    for step in sorted(values):
        odd = [each for each in values[step] if not math.isfinite(each)]
        points.append((step, odd[0] if odd else median(values[step])))
    return Curve(name, tuple(points), way)
