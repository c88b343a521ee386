"""Everything known of one swarm, and what may be asked of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any, Literal

from jupyter_swarm import events as e
from jupyter_swarm import statistics
from jupyter_swarm.state.folds import FOLDS
from jupyter_swarm.state.nouns import Agent, Best, Case, Direction, Row, Spent, Steering, Trial
from jupyter_swarm.words import Analysis, Budget, Objective, Run, Variation

Phase = Literal["unknown", "requested", "running", "paused", "done", "stopped", "failed"]
RECENT = 40
"""Runs by which it is judged what a run costs."""
ENOUGH = 8
"""Degrees of freedom from which the spread within cases is trusted."""
Chains = tuple[dict[str, float], tuple[float, Case | None]]
"""Variation → gain over the baseline by supported effects; the end of the chain that gains most, and what it gains."""


@dataclass
class SwarmState:
    """Everything known of one swarm after its first records.

    >>> from jupyter_swarm.events import Record, Noted
    >>> state = SwarmState.of([Record(1, "wine", 0.0, 0.0, Noted(text="hello"))])
    >>> state.log[-1][2], state.phase
    ('hello', 'unknown')
    """

    name: str = ""
    phase: Phase = "unknown"
    why: str = ""
    last: int = 0
    clock: float = 0.0
    begun: float = 0.0
    updated: float = 0.0
    request: e.SwarmRequested | None = None
    budget: Budget = field(default_factory=Budget)
    asked: str = ""
    """A pause, resume or stop that the runner has not acted on yet."""
    agents: dict[str, Agent] = field(default_factory=dict)
    directions: dict[str, Direction] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    trials: dict[str, Trial] = field(default_factory=dict)
    rows: dict[int, Row] = field(default_factory=dict)
    finished: dict[str, Row] = field(default_factory=dict)
    """Experiment id → the row of its run that counts (never a stopped or lost one)."""
    values: dict[tuple[str, int], float] = field(default_factory=dict)
    """(variation id, screening seed) → metric."""
    holdouts: dict[str, e.HoldoutMeasured] = field(default_factory=dict)
    """Supported hypotheses on data that no run had seen."""
    screened: dict[tuple[str, int], Run] = field(default_factory=dict)
    """The runs behind `values`."""
    front: e.FrontMeasured | None = None
    """What was measured again of the trade-off between metric and second objective."""
    tried: set[str] = field(default_factory=set)
    """Ids of the baseline and of all variations that some hypothesis has proposed."""
    baseline_by_seed: dict[int, float] = field(default_factory=dict)
    """Screening seed → the baseline's metric."""
    waiting: dict[tuple[str, int], list[tuple[str, float]]] = field(default_factory=dict)
    """(reference id, seed) → cases and their values that wait for the reference's value there."""
    residual: float = 0.0
    residual_freedom: int = 0
    """Sum of squares of screening gains within cases, and its degrees of freedom."""
    started: dict[str, int] = field(default_factory=lambda: {"screening": 0, "confirmation": 0})
    seconds: dict[str, float] = field(default_factory=lambda: {"screening": 0.0, "confirmation": 0.0})
    durations: list[float] = field(default_factory=list)
    """Seconds that each run's own code took."""
    returns: list[float] = field(default_factory=list)
    """The swarm's clock whenever a run came back, its very beginning first."""
    failed: dict[str, int] = field(default_factory=dict)
    """Reason → number of runs that ended so."""
    summary: e.SummaryWritten | None = None
    """A language model's words over the findings, checked."""
    asking: dict[str, e.ModelAsked] = field(default_factory=dict)
    """Calls of language models that have not been settled, by their hash: what they may take is taken."""
    spent: dict[tuple[str, str, str], Spent] = field(default_factory=dict)
    """(agent, role, model) → what its calls took."""
    steering: dict[int, Steering] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    """Id of a request, where it has one → its number in the ledger."""
    best: Best | None = None
    baseline_error: Run | None = None
    log: list[tuple[float, str, str]] = field(default_factory=list)
    """(wall clock, level, text)."""
    epoch: int = 0
    pid: int = 0
    host: str = ""
    memo: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What rooms above have computed from this state and may forget; no part of it."""
    baseline: Variation = field(default_factory=lambda: Variation(code=""))
    """The person's cell."""

    @classmethod
    def of(cls, records: Iterable[e.Record], name: str = "") -> SwarmState:
        """Replay."""
        state = cls(name=name)
        for record in records:
            state.apply(record)
        return state

    def apply(self, record: e.Record) -> None:
        """Fold one record."""
        self.name = self.name or record.swarm
        self.last = max(self.last, record.number)
        self.updated = record.at
        self.clock = max(self.clock, record.active_seconds)
        fold = FOLDS.get(type(record.event))
        if fold is not None:
            fold(self, record, record.event)

    # ------------------------------------------------------------ what is asked of it

    @property
    def analysis(self) -> Analysis:
        """What was found in the cell."""
        assert self.request is not None, "no swarm of this name was requested"
        return self.request.analysis

    @property
    def objective(self) -> Objective:
        """What is measured, and which way is better."""
        assert self.request is not None, "no swarm of this name was requested"
        return self.request.objective

    @property
    def second(self) -> Objective | None:
        """What else counts (`--tradeoff`)."""
        text = str(self.option("tradeoff", ""))
        return Objective.second(text) if text else None

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.phase in ("done", "stopped", "failed")

    def needs_runner(self, request: e.SteeringRequested) -> bool:
        """Whether a runner has to carry a request out; after the end, approval or veto of what is judged needs none."""
        case = self.cases.get(request.target)
        return not (self.over and request.verb in e.MARKS and case is not None and case.evidence is not None)

    @property
    def experiments(self) -> int:
        """Experiments started so far: what the budget has paid for."""
        return self.started["screening"] + self.started["confirmation"]

    @property
    def in_flight(self) -> list[Row]:
        """Experiments that were started and have not come back."""
        return [row for row in self.rows.values() if row.run is None]

    def option(self, name: str, default: Any) -> Any:
        """An option of the request."""
        return self.request.options.get(name, default) if self.request else default

    def baseline_values(self) -> list[float]:
        """The baseline's metric over the screening seeds."""
        return list(self.baseline_by_seed.values())

    @property
    def spread(self) -> float:
        """Standard deviation of the baseline over seeds (0 for a deterministic metric)."""
        return statistics.standard_deviation(self.baseline_values())

    @property
    def pair_spread(self) -> float:
        """Standard deviation of a paired difference: from repeated screening, before that √2 times the baseline's."""
        if self.residual_freedom >= ENOUGH and self.residual > 0:
            return math.sqrt(self.residual / self.residual_freedom)
        return math.sqrt(2.0) * self.spread

    @property
    def run_seconds(self) -> float:
        """Median seconds of a run so far, 1 before any."""
        return median(self.durations[-200:]) if self.durations else 1.0

    def slot_seconds(self, workers: int) -> float:
        """Seconds of a worker that a run has cost lately, its kernel's start and end included; 0 before any.

        The very first, for which the laboratory was opened, is soon forgotten.
        """
        recent = self.returns[2:][-RECENT - 1 :] if len(self.returns) > 4 else self.returns
        return workers * (recent[-1] - recent[0]) / (len(recent) - 1) if len(recent) > 1 else 0.0

    def findings(self) -> list[Case]:
        """Judged hypotheses: supported first, then refuted, then open; each by effect."""
        order = {"supported": 0, "refuted": 1, "open": 2}
        judged = [case for case in self.cases.values() if case.evidence is not None]
        return sorted(judged, key=lambda case: _rank(order, case))

    def supported(self) -> list[Case]:
        """Supported hypotheses that a person has not vetoed, largest effect first."""
        return [
            case
            for case in self.findings()
            if case.evidence is not None and case.evidence.verdict == "supported" and case.mark != "vetoed"
        ]

    def incumbent(self) -> Case | None:
        """The case that later work builds on: the end of the chain of supported improvements that gains most, or None.

        A chain begins at the baseline, and each of its hypotheses has the variation before as its reference.
        """
        return self._chains()[1][1]

    def lead(self, reference: str) -> float | None:
        """By how much the incumbent is better than a variation of its chain, or of another; None for one of no chain.

        0 for the incumbent itself, and for the baseline where there is no incumbent.
        """
        gained, (most, _) = self._chains()
        return most - gained[reference] if reference in gained else None

    def _chains(self) -> Chains:
        """The chains, looked for once for each number of the ledger: a race asks about many cases at a time."""
        before: tuple[int, Chains] | None = self.memo.get("chains")
        if before is None or before[0] != self.last:
            before = self.memo["chains"] = (self.last, self._chained())
        return before[1]

    def _chained(self) -> Chains:
        gained = {self.baseline.id: 0.0}
        best: tuple[float, Case | None] = (0.0, None)
        waiting = [case for case in self.supported() if case.about == "improvement"]
        while joined := [case for case in waiting if case.hypothesis.reference.id in gained]:
            for case in joined:
                assert case.evidence is not None
                total = gained[case.hypothesis.reference.id] + case.evidence.effect
                gained.setdefault(case.hypothesis.variation.id, total)
                best = max(best, (total, case), key=lambda item: item[0])
            waiting = [case for case in waiting if case not in joined]
        return gained, best

    def leaders(self, count: int = 5) -> list[tuple[Case, float, int]]:
        """Best cases on screening seeds: (case, mean of the metric, seeds). Not verified: for showing progress only."""
        scored = []
        for case in self.cases.values():
            name = case.hypothesis.variation.id
            values = [self.values[name, seed] for seed in case.seeds if (name, seed) in self.values]
            if values:
                scored.append((case, fmean(values), len(values)))
        sign = 1 if self.objective.maximize else -1
        return sorted(scored, key=lambda item: -sign * item[1])[:count]


def _rank(order: dict[str, int], case: Case) -> tuple[int, float]:
    assert case.evidence is not None
    return order[case.evidence.verdict], -case.evidence.effect
