"""The purse: what the budget still pays for. Confirmation's share is set aside before screening spends anything."""

from __future__ import annotations

import math

from jupyter_swarm.state import SCREENING, SwarmState
from jupyter_swarm.words import Purpose

CONFIRMATION = 0.5
"""Share of the budget that screening may not touch."""
BEST_RUNS = 5
PLENTY = 1_000_000


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
        self._share = share
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
        total = max(0, total - self._reserve())
        if purpose == "confirmation":
            return total
        return max(0, min(total, math.floor(self._screening(clock))))

    def grant(self, clock: float) -> bool:
        """Give screening half of what is left, when confirmation has nothing to do; whether that is worth a round."""
        half = self.total(clock) * (1.0 - self._share)
        if half < 8:
            return False
        self._granted += half - max(0.0, self._screening(clock))
        return True

    def _reserve(self) -> int:
        """Runs kept for measuring the best cell again."""
        state = self._state
        incumbent = state.incumbent()
        if state.best is not None and incumbent is not None:
            return 0 if state.best.variation.id == incumbent.hypothesis.variation.id else BEST_RUNS
        whole = state.budget.experiments
        return BEST_RUNS if whole is None or whole >= 30 else max(2, whole // 6)

    def _screening(self, clock: float) -> float:
        """Runs that screening's share still pays for: a share of all that there have been and may be."""
        whole = self._state.experiments + self.total(clock)
        return (1.0 - self._share) * whole - self._state.started["screening"] + self._granted
