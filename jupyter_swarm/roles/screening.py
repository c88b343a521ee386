"""Screening: a race that decides which idea is looked at again and when a new one is due. Greedy, and never evidence.

Each case has a posterior for its gain from its screening runs. The prior of a case is what its direction has taught so
far (empirical Bayes; Robbins 1956): where a hundred values of a knob changed nothing, the next one promises little, and
an idea that was seen once elsewhere deserves the run. The race runs the case with the highest upper bound, and an idea
not yet tried has the bound of the prior. Source: upper confidence bounds (Auer, Cesa-Bianchi and Fischer 2002).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import fmean
from typing import NamedTuple

from jupyter_swarm.state import MOST_CUTS, Case, SwarmState
from jupyter_swarm.words import Experiment, Variation

START_SEEDS = 3
"""The baseline runs on so many screening seeds first, and new ideas begin at one of them in turn."""
MOST_SEEDS = 12
"""No idea is screened on more seeds than this."""
DOUBT = 4.0
"""So many cases it takes until what a direction has shown counts as much as the doubt before."""
LEAST_VARIANCE = 0.02
READY = 2.0
"""An idea is ready to be confirmed when its posterior mean is so many standard deviations above 0."""


class Standing(NamedTuple):
    """A case in the race: posterior mean and standard deviation of its gain, in units of one paired difference."""

    mean: float
    deviation: float
    runs: int

    @property
    def bound(self) -> float:
        """How good it may well be."""
        return self.mean + self.deviation

    @property
    def score(self) -> float:
        """How sure it is to be better than nothing."""
        return self.mean / self.deviation


class Prior(NamedTuple):
    """What a direction leads one to expect of an idea: mean and variance of gains, in units of a paired difference."""

    mean: float = 0.0
    variance: float = 1.0

    @property
    def bound(self) -> float:
        """How good an idea that nobody has tried may well be."""
        return self.mean + math.sqrt(self.variance)


class Lesson(NamedTuple):
    """The cases of a direction that have gains, in units of the metric; it changes with the direction's runs alone."""

    cases: int
    mean: float
    """Of the cases' mean gains."""
    squares: float
    """Sum of squares of what lies between these and their mean."""
    doubt: float
    """Sum of 1 / runs."""
    largest: float
    """Of the mean gains, whatever their sign."""

    def prior(self, pair_spread: float) -> Prior:
        """What it leads one to expect, where a paired difference has this standard deviation.

        >>> Lesson(cases=4, mean=1.0, squares=0.0, doubt=4.0, largest=1.0).prior(2.0)
        Prior(mean=0.25, variance=0.03125)
        """
        if not self.cases:
            return Prior()
        scale = pair_spread or self.largest or 1.0
        centre = self.cases * self.mean / scale / (self.cases + DOUBT)
        shift = self.mean / scale - centre
        spread = self.squares / scale / scale + self.cases * shift * shift - self.doubt
        return Prior(centre, max(LEAST_VARIANCE, (DOUBT + spread) / (DOUBT + self.cases)))


class Taught(NamedTuple):
    """What a direction has taught after so many of its runs, and what follows of it at a spread of paired differences,
    to which the runs of all directions add."""

    trials: int
    spread: float
    lesson: Lesson
    prior: Prior


def prior(state: SwarmState, direction: str) -> Prior:
    """What a direction has taught: it begins as "no gain, as uncertain as one run" and is worth `DOUBT` cases."""
    known = state.directions.get(direction)
    if known is None or not known.trials:
        return Prior()
    spread = state.pair_spread
    memo: Taught | None = state.memo.get(direction)
    if memo is None or memo.trials != known.trials or memo.spread != spread:
        lesson = _lesson(state, known.cases) if memo is None or memo.trials != known.trials else memo.lesson
        memo = state.memo[direction] = Taught(known.trials, spread, lesson, lesson.prior(spread))
    return memo.prior


def _lesson(state: SwarmState, cases: Iterable[str]) -> Lesson:
    means = [(fmean(gains), len(gains)) for name in cases if (gains := state.cases[name].gains)]
    mean = fmean(each for each, _ in means) if means else 0.0
    return Lesson(
        len(means),
        mean,
        squares=sum((each - mean) * (each - mean) for each, _ in means),
        doubt=sum(1.0 / runs for _, runs in means),
        largest=max((abs(each) for each, _ in means), default=0.0),
    )


def standing(state: SwarmState, case: Case) -> Standing:
    """Where a case stands."""
    gains = case.gains
    scale = state.pair_spread or max((abs(gain) for gain in gains), default=0.0) or 1.0
    before = prior(state, case.hypothesis.direction)
    precision = 1.0 / before.variance + len(gains)
    mean = (before.mean / before.variance + sum(gains) / scale) / precision
    return Standing(mean, 1.0 / math.sqrt(precision), len(gains))


def ready(state: SwarmState, case: Case) -> bool:
    """Whether a case should be confirmed now: promising, unplanned, not vetoed, and not failing.

    An effect of many standard deviations is ready after one run; a small one has to hold over several.
    """
    if case.plan or case.mark == "vetoed" or case.evidence is not None or case.failures > 1:
        return False
    if case.hypothesis.claim:
        return True
    where = standing(state, case)
    if state.spread == 0.0:
        return where.runs >= 1 and fmean(case.gains) > 0.0
    return where.runs > 0 and (case.mark == "approved" or where.score >= READY)


def behind(state: SwarmState, case: Case) -> bool:
    """Whether a case is about a cell that has been overtaken, and is not clearly better than what overtook it.

    The twentieth scaler that beats an unscaled baseline is no finding once one of them is supported.
    """
    lead = state.lead(case.hypothesis.reference.id)
    if lead == 0.0 or case.mark == "approved":
        return False
    if lead is None or not case.gains:
        return True
    if state.pair_spread == 0.0:
        return fmean(case.gains) <= lead
    where = standing(state, case)
    return (where.mean - where.deviation) * state.pair_spread <= lead


def again(state: SwarmState, cases: Iterable[str], above: float) -> Case | None:
    """The case of these that deserves another look most, if any may well be better than `above`.

    One whose first run was lost with its runner comes before all others.
    """
    best, bound, cases = None, above, list(cases)
    if (lost := _lost(state, cases)) is not None:
        return lost
    if state.spread == 0.0:
        return None
    running = {row.experiment.hypothesis for row in state.in_flight}
    for name in cases:
        case = state.cases[name]
        settled = case.plan or case.evidence is not None or case.mark == "vetoed" or case.failures
        if settled or name in running or len(case.seeds) >= MOST_SEEDS or not case.seeds:
            continue
        where = standing(state, case)
        if where.bound > bound and not ready(state, case) and not behind(state, case):
            best, bound = case, where.bound
    return best


def _lost(state: SwarmState, cases: Iterable[str]) -> Case | None:
    """An idea of which nothing is known since its run was cut off, not for the second time."""
    for name in cases:
        case = state.cases[name]
        nothing = not (case.seeds or case.gains or case.failures or case.plan or case.mark == "vetoed")
        if nothing and case.cut and max(case.cut.values()) < MOST_CUTS:
            return case
    return None


def first_seed(state: SwarmState) -> int:
    """Where the next new idea begins: the starting seeds in turn, so that one lucky baseline run cannot flatter all."""
    return 1 + len(state.cases) % START_SEEDS


def next_seed(case: Case) -> int:
    """The screening seed after those that a case has used; the one where it was cut off, if there it is unknown.

    >>> from jupyter_swarm.words import Hypothesis
    >>> variation = Variation(code="")
    >>> idea = Hypothesis(
    ...     id="H1", statement="", direction="", agent="", variation=variation, reference=variation
    ... )
    >>> next_seed(Case(idea, seeds=[2, 3]))
    4
    """
    if not case.seeds and case.cut:
        return min(case.cut)
    return max(case.seeds) + 1 if case.seeds else 1


def experiment(state: SwarmState, variation: Variation, seed: int, case: Case | None = None, **more: str) -> Experiment:
    """An experiment of screening: for a case, or for the reference that it is compared with."""
    hypothesis = case.hypothesis if case is not None else None
    return Experiment(
        code=variation.code,
        seed=seed,
        metric=state.objective.metric,
        context=more.get("context", ""),
        purpose="screening" if variation.id != state.baseline.id else "baseline",
        title=hypothesis.statement if hypothesis else "The baseline, or the reference of a comparison",
        hypothesis=hypothesis.id if hypothesis else "",
        agent=more.get("agent", ""),
        citations=hypothesis.citations if hypothesis else (),
        free=variation.free,
    )


def probe(state: SwarmState, case: Case, seed: int, context: str, agent: str) -> tuple[Experiment, ...]:
    """The variation at a seed, and its reference there where that has not been run."""
    reference = case.hypothesis.reference
    runs = [experiment(state, case.hypothesis.variation, seed, case, context=context, agent=agent)]
    if (reference.id, seed) not in state.values:
        runs.append(experiment(state, reference, seed, context=context, agent=agent))
    return tuple(runs)
