"""How the score went over the swarm's own clock: what both the view and the report draw."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from jupyter_swarm.state import SCREENING, SwarmState
from jupyter_swarm.words import Variation

Point = tuple[float, float]


class Course(NamedTuple):
    """Runs as (seconds, value), and the mean of whichever variation led on screening seeds then (not verified)."""

    runs: list[Point]
    confirming: list[Point]
    leader: list[Point]


def course(state: SwarmState) -> Course:
    """Every run with a value, in the order in which they came back."""
    better = max if state.objective.maximize else min
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    result = Course([], [], [])
    first = ""
    for moment, value, code, purpose in sorted(
        (row.clock + row.run.seconds, row.run.value, row.experiment.code, row.experiment.purpose)
        for row in state.rows.values()
        if row.run is not None and row.run.value is not None
    ):
        if purpose not in SCREENING:
            result.confirming.append((moment, value))
            continue
        key = Variation(code=code).id
        sums[key][0] += value
        sums[key][1] += 1
        result.runs.append((moment, value))
        # Only where the leader itself ran again may it have fallen behind others.
        rivals = list(sums) if key == first else [each for each in (first, key) if each]
        first = better(rivals, key=lambda each: sums[each][0] / sums[each][1])
        mean = sums[first][0] / sums[first][1]
        if not result.leader or result.leader[-1][1] != mean:
            result.leader.append((moment, mean))
    return result


def thinned(points: list[Point], most: int) -> list[Point]:
    """At most so many of the points (and the last), evenly.

    >>> thinned([(0.0, 1.0), (1.0, 2.0), (2.0, 3.0)], 2)
    [(0.0, 1.0), (2.0, 3.0)]
    """
    step = max(1, -(-len(points) // most))
    return points if step == 1 else [*points[:-1:step], points[-1]]
