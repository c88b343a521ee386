"""The purse: what the budget still pays for. Confirmation's share is set aside before screening spends anything."""

from __future__ import annotations

import math

from jupyter_swarm import statistics
from jupyter_swarm.roles import front, holdout
from jupyter_swarm.roles.validation import least_pairs
from jupyter_swarm.state import SCREENING, SwarmState
from jupyter_swarm.words import Purpose

CONFIRMATION = 0.5
"""Share of the budget that screening may not touch."""
BEST_RUNS = 5
FEWEST = 7
"""Runs of screening, the baseline's among them, below which there is nothing that a plan could be about."""
LITTLE = 8
"""Fewer runs than this are not worth dividing."""
PLENTY = 1_000_000
MOST_TESTS = 50


def least() -> int:
    """The smallest budget of experiments that pays for a verdict: baseline, some screening, one test, the best again.

    >>> least()
    23
    """
    return FEWEST + 2 * least_pairs(SwarmState()) + 2


def provable(runs: float) -> str:
    """How many effects of which size so many runs can test, as far as noise is normal.

    >>> provable(100.0)
    ' That tests 2 effects as large as what pairs differ by at random, or more of larger ones.'
    >>> provable(24.0)
    ' That tests one effect of twice what pairs differ by at random, and nothing smaller.'
    """
    count, left = 0, int(runs / 2)
    while count < MOST_TESTS and (pairs := _pairs(1.0, count + 1)) <= left:
        count, left = count + 1, left - pairs
    if count:
        many = "one effect" if count == 1 else f"{count} effects"
        return f" That tests {many} as large as what pairs differ by at random, or more of larger ones."
    if _pairs(2.0, 1) <= left:
        return " That tests one effect of twice what pairs differ by at random, and nothing smaller."
    return ""


def _pairs(effect: float, position: int) -> int:
    """Pairs that a test takes, of an effect in units of the differences' standard deviation."""
    return statistics.pairs_for(effect, statistics.needed(statistics.weight(position), position - 1))


class Purse:
    """Counts in runs. With a budget of time, a run costs what runs have cost lately, from one's return to the next's.

    >>> from jupyter_swarm.words import Budget
    >>> state = SwarmState(budget=Budget(experiments=100))
    >>> purse = Purse(state, workers=2)
    >>> purse.total(clock=0.0), purse.left("screening", clock=0.0), purse.left("confirmation", clock=0.0)
    (100, 50, 95)
    """

    def __init__(self, state: SwarmState, workers: int, share: float = CONFIRMATION) -> None:
        self._state = state
        self._workers = workers
        self.share = share
        """Of confirmation."""
        self._granted = 0.0
        """Runs that screening got back because confirmation had nothing to do."""

    def total(self, clock: float) -> int:
        """Runs that may still be started, for whatever purpose."""
        state = self._state
        left = float(PLENTY)
        if state.budget.experiments is not None:
            left = state.budget.experiments - state.experiments
        if state.budget.seconds is not None:
            seconds = state.budget.seconds - clock
            if seconds <= 0:
                return 0
            cost = state.slot_seconds(self._workers)
            if cost > 0.0:
                left = min(left, self._workers * seconds / cost - len(state.in_flight))
        return max(0, math.floor(left))

    def left(self, purpose: Purpose, clock: float) -> int:
        """Runs that may still be started for this purpose."""
        total = self.total(clock)
        if purpose == "baseline" or purpose not in (*SCREENING, "confirmation"):
            return total
        total = max(0, total - self._reserve(clock))
        if purpose == "confirmation":
            return total
        return max(0, min(total, math.floor(self._screening(clock))))

    def grant(self, clock: float) -> bool:
        """Give screening half of what is left, when confirmation has nothing to do, but for one more plan.

        All of it where there is nothing to plan even then, or no plan can be paid for.

        Returns:
            Whether there is anything to screen with now.
        """
        total, before = self.total(clock), self._granted
        free = total - self._keep(clock)
        more = max(free * (1.0 - self.share), min(free, LITTLE)) if free >= 1 else total
        self._granted += more - self._screening(clock)
        if self.left("screening", clock) < 1:
            self._granted = before
            return False
        return True

    def _reserve(self, clock: float) -> int:
        """Runs kept for measuring the best cell again, and once on new data where there are any."""
        return self._again(clock) + self._new_data() + self._front(clock)

    def _front(self, clock: float) -> int:
        """Runs kept for measuring again between what one has to choose, where there are two objectives."""
        state = self._state
        if state.second is None or state.front is not None:
            return 0
        return min(front.MOST * front.RUNS, (state.experiments + self.total(clock)) // 6)

    def _new_data(self) -> int:
        """Runs that the next finding takes on new data; before there is any, as many as the first would take."""
        state = self._state
        if state.request is None or state.request.holdout is None or (state.supported() and not holdout.due(state)):
            return 0
        return 2 * holdout.pairs(state)

    def _again(self, clock: float) -> int:
        state = self._state
        incumbent = state.incumbent()
        if state.best is not None and incumbent is not None:
            return 0 if state.best.variation.id == incumbent.hypothesis.variation.id else BEST_RUNS
        whole = state.experiments + self.total(clock)
        return min(BEST_RUNS, max(2, whole // 12))

    def _keep(self, clock: float) -> int:
        """Runs that one more plan and the best cell's measurement take at least."""
        return 2 * least_pairs(self._state) + self._reserve(clock)

    def _screening(self, clock: float) -> float:
        """Runs that screening's share still pays for: a share of all that there have been and may be.

        A small budget is divided so that the first plan can be paid for, where that leaves anything to screen with.
        """
        whole = self._state.experiments + self.total(clock)
        share = (1.0 - self.share) * whole
        first = whole - self._keep(clock)
        if not self._state.trials and first >= FEWEST:
            share = min(share, first)
        return share - self._state.started["screening"] + self._granted
