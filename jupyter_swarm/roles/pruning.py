"""Pruning: which runs of screening are ended early, since their curve is hopeless. Never one that counts as evidence.

Two rules, chosen by `--prune`. Both compare the best of a run up to a step with the best that its peers (runs of this
swarm that have shown a curve) had up to that step.

    median      below the median of at least `FEWEST` peers: median stopping (Golovin et al. 2017)
    hyperband   outside of the best third of its bracket at a rung: successive halving, asynchronously, with brackets of
                which the first never ends anything (Li et al. 2018; Li et al. 2020)

The metric's own curve judges, where there is one. Otherwise that logged curve whose last values agree best with the
metric over the runs that came to their end (by rank correlation, which also says which way is better); while none
agrees well, nothing is pruned.
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from statistics import correlation, median
from typing import NamedTuple

from jupyter_swarm.protocols import Watch
from jupyter_swarm.state import SwarmState
from jupyter_swarm.words import Curves, Experiment, Point, Run

FEWEST = 5
"""Peers that have come as far, before anything is pruned."""
MOST_PEERS = 500
"""The latest runs with a curve, with which another is compared: it is looked at twice a second."""
GRACE = 0.2
"""Share of a usual run's steps before which nothing is pruned."""
REDUCTION = 3
"""Of each rung of Hyperband, one in so many goes on."""
AGREES, ENOUGH = 0.6, 8
"""Rank correlation, over at least so many runs, from which a curve speaks for the metric."""


class Guide(NamedTuple):
    """The curve by which runs are compared, and whether more is better."""

    name: str
    up: bool


class Best:
    """The best of a curve up to each of its steps: positive is better.

    >>> Best([(1, 0.5), (2, 0.4), (3, 0.9)], up=True).at(2), Best([(1, 0.5)], up=True).at(0)
    (0.5, None)
    """

    def __init__(self, points: Sequence[Point], up: bool) -> None:
        self._steps: list[float] = []
        self._values: list[float] = []
        best = -math.inf
        for step, value in sorted(points):
            best = max(best, value if up else -value)
            self._steps.append(step)
            self._values.append(best)
        self.end = self._steps[-1] if self._steps else -math.inf

    def at(self, step: float) -> float | None:
        """The best up to a step; None where the curve has not begun or has ended before."""
        place = bisect_right(self._steps, step) - 1
        return self._values[place] if place >= 0 and step <= self.end else None


def watch(state: SwarmState, experiment: Experiment) -> Watch | None:
    """What watches an experiment while it runs; None for all that counts as evidence, for references, and for another
    look at an idea: seeds differ, and it has shown already that it is worth one.
    """
    rule = str(state.option("prune", "median"))
    case = state.cases.get(experiment.hypothesis)
    ours = case is not None and experiment.code == case.hypothesis.variation.code
    if rule == "none" or experiment.purpose != "screening" or case is None or not ours or len(case.seeds) > 1:
        return None

    def look(curves: Curves) -> str:
        return verdict(state, experiment, curves, rule)

    return look


def verdict(state: SwarmState, experiment: Experiment, curves: Curves, rule: str) -> str:
    """Why a run is to be ended now, or ""."""
    shown = [row.run for row in state.finished.values() if row.run is not None and row.run.curves][-MOST_PEERS:]
    guide = chosen(state, shown, curves)
    if guide is None:
        return ""
    ours = Best(curves[guide.name], guide.up)
    peers = [Best(run.curves[guide.name], guide.up) for run in shown if guide.name in run.curves]
    whole = [Best(run.curves[guide.name], guide.up).end for run in shown if run.ok and guide.name in run.curves]
    if not whole:
        return ""
    usual = median(whole)
    if rule == "hyperband":
        return _halved(ours, peers, usual, guide, experiment)
    first = min((step for step, _ in curves[guide.name]), default=0.0)
    if ours.end < first + GRACE * (usual - first):
        return ""
    return _behind(ours, peers, ours.end, 2, guide, usual)


def _halved(ours: Best, peers: Sequence[Best], usual: float, guide: Guide, experiment: Experiment) -> str:
    """Hyperband: at the last rung that the run has passed it has to be among the best of those that came there."""
    rungs = [usual / REDUCTION**power for power in range(1, 6) if usual / REDUCTION**power >= 1.0]
    bracket = int(hashlib.sha256(experiment.id.encode()).hexdigest(), 16) % (len(rungs) + 1)
    passed = [rung for rung in rungs[:bracket] if rung <= ours.end]
    return _behind(ours, peers, max(passed), REDUCTION, guide, usual) if passed else ""


def _behind(ours: Best, peers: Sequence[Best], step: float, share: int, guide: Guide, usual: float) -> str:
    """Why a run is ended that is not among the best 1/share at a step, or ""."""
    theirs = sorted((value for each in peers if (value := each.at(step)) is not None), reverse=True)
    mine = ours.at(step)
    if len(theirs) < FEWEST or mine is None:
        return ""
    bar = median(theirs) if share == 2 else theirs[max(0, len(theirs) // share - 1)]
    if mine >= bar:
        return ""
    sign = 1.0 if guide.up else -1.0
    which = "the median" if share == 2 else f"the worst of the best {max(1, len(theirs) // share)}"
    return (
        f"its {guide.name} was {sign * mine:.4g} up to step {step:.4g}, where {which} of the {len(theirs)} runs that "
        f"came as far had {sign * bar:.4g}; they take about {usual:.4g} steps"
    )


def chosen(state: SwarmState, shown: Iterable[Run], curves: Curves) -> Guide | None:
    """The curve that speaks for the metric; None where none does."""
    if state.objective.metric in curves:
        return Guide(state.objective.metric, state.objective.maximize)
    whole = [(run.value, run.curves) for run in shown if run.value is not None]
    best, guide = AGREES, None
    for name in curves:
        pairs = [(value, found[name][-1][1]) for value, found in whole if name in found]
        if len(pairs) < ENOUGH:
            continue
        agreement = _rank_correlation(pairs)
        if abs(agreement) >= best:
            best, guide = abs(agreement), Guide(name, (agreement > 0.0) == state.objective.maximize)
    return guide


def _rank_correlation(pairs: Sequence[tuple[float, float]]) -> float:
    """Spearman's ρ; 0 where one side never differs."""
    first, second = zip(*pairs, strict=True)
    if len(set(first)) < 2 or len(set(second)) < 2:
        return 0.0
    return correlation(_ranks(first), _ranks(second))


def _ranks(values: Sequence[float]) -> list[float]:
    """Ranks; equal values share the mean of theirs."""
    ordered = sorted(values)
    return [(bisect_left(ordered, value) + bisect_right(ordered, value)) / 2.0 for value in values]
