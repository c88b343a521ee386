"""The state of a swarm: a fold over its events, the same for the runner, the view, the report and the terminal.

`SwarmState.of(records)` replays a log; any prefix of a log is a state. Folding is a table of small functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any, Literal

from jupyter_swarm import events as e
from jupyter_swarm import statistics
from jupyter_swarm.words import (
    Analysis,
    Budget,
    Citation,
    Evidence,
    Experiment,
    Hypothesis,
    Objective,
    Plan,
    Policy,
    Run,
    Variation,
)

Phase = Literal["unknown", "requested", "running", "paused", "done", "stopped", "failed"]
SCREENING = ("baseline", "screening")
"""Purposes that screening's share of the budget pays for; all others are confirmation's."""
RECENT = 40
"""Runs by which it is judged what a run costs."""
CUT_OFF = ("stopped", "lost")
"""Reasons that say nothing of the cell: the run was ended from outside, or its runner or kernel died."""
MOST_CUTS = 4
"""A pair is not repeated after so many of its runs were cut off."""
ENOUGH = 8
"""Degrees of freedom from which the spread within cases is trusted."""


@dataclass(slots=True)
class Agent:
    """An agent and its record."""

    id: str
    role: str
    mind: str
    policy: Policy
    parent: str = ""
    standing: str = "probation"
    why: str = ""
    tasks: int = 0
    seconds: float = 0.0
    proposed: int = 0
    supported: int = 0
    refuted: int = 0
    open: int = 0
    failures: int = 0
    reward: float = 0.0

    @property
    def promise(self) -> float:
        """Posterior mean that a judged hypothesis of this agent is supported (Beta(1, 2) before any is judged).

        An open verdict counts as half a failure, a failed run as a quarter.
        """
        worse = self.refuted + 0.5 * self.open + 0.25 * self.failures
        return (1 + self.supported) / (3 + self.supported + worse)

    @property
    def works(self) -> bool:
        """Whether it may be given work."""
        return self.standing != "dismissed"


@dataclass(slots=True)
class Direction:
    """A line of inquiry: the person's priority, and what has come of it so far."""

    id: str
    title: str
    agent: str
    targets: tuple[str, ...]
    why: str
    citations: tuple[Citation, ...]
    base: Variation | None
    priority: float = 1.0
    closed: str = ""
    trials: int = 0
    reward: float = 0.0
    failures: int = 0
    supported: int = 0
    searched: bool = False
    favours: dict[str, float] = field(default_factory=dict)
    cases: list[str] = field(default_factory=list)

    @property
    def promise(self) -> float:
        """Posterior mean of the reward of a run here (Beta(1, 1) before any)."""
        return (1 + self.reward) / (2 + self.trials)


@dataclass(slots=True)
class Case:
    """A hypothesis and what became of it."""

    hypothesis: Hypothesis
    mark: str = ""
    seeds: list[int] = field(default_factory=list)
    """Screening seeds on which its variation ran or runs."""
    failures: int = 0
    gains: list[float] = field(default_factory=list)
    """Gains over the reference on shared screening seeds: for choosing what to confirm, never evidence."""
    plan: str = ""
    evidence: Evidence | None = None


@dataclass(slots=True)
class Trial:
    """A plan and its pairs: seed → run of the variation, seed → run of the reference."""

    plan: Plan
    variation: dict[int, Run] = field(default_factory=dict)
    reference: dict[int, Run] = field(default_factory=dict)
    evidence: Evidence | None = None
    started: set[int] = field(default_factory=set)
    cuts: dict[int, int] = field(default_factory=dict)
    """Seed → how many of its runs were lost or cut off."""

    def missing(self, seed: int) -> bool:
        """Whether a side of the pair has still to run; one that was lost or cut off runs again, but not for ever."""
        runs = (self.variation.get(seed), self.reference.get(seed))
        return None in runs or (0 < self.cuts.get(seed, 0) < MOST_CUTS and any(map(_cut_off, runs)))

    def gains(self, objective: Objective) -> list[float]:
        """Differences of the complete pairs in the order of their seeds, positive is better.

        A run that failed is a loss as large as the largest difference so far (at least the margin), on whichever side
        it failed, so that failing never pays and the null stays symmetric; pairs cut off from outside are left out.
        """
        result: list[float] = []
        largest = self.plan.margin
        for seed in self._whole():
            ours, theirs = self.variation[seed], self.reference[seed]
            if ours.value is not None and theirs.value is not None:
                gain = objective.gain(ours.value, theirs.value)
                largest = max(largest, abs(gain))
            else:
                gain = largest * ((theirs.value is None) - (ours.value is None))
            result.append(gain)
        return result

    def counted(self, objective: Objective) -> list[float]:
        """The gains up to the first pair that has still to come: what is judged.

        The order is fixed before the runs, whichever comes back first: only so may one look at any time.
        """
        first = min((seed for seed in self.started if self.missing(seed)), default=math.inf)
        return self.gains(objective)[: sum(seed < first for seed in self._whole())]

    def _whole(self) -> list[int]:
        both = self.variation.keys() & self.reference.keys()
        return sorted(s for s in both if not _cut_off(self.variation[s]) and not _cut_off(self.reference[s]))


def _cut_off(run: Run | None) -> bool:
    return run is not None and run.reason in CUT_OFF


@dataclass(slots=True)
class Row:
    """A run of the swarm, under its number."""

    number: int
    experiment: Experiment
    run: Run | None = None
    at: float = 0.0
    clock: float = 0.0


@dataclass(slots=True)
class Steering:
    """A request of a person and the answer."""

    number: int
    request: e.SteeringRequested
    done: bool | None = None
    answer: str = ""


@dataclass(slots=True)
class Best:
    """The best cell as measured again on untouched seeds."""

    variation: Variation
    mean: float
    low: float
    high: float
    runs: int
    hypothesis: str


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
    steering: dict[int, Steering] = field(default_factory=dict)
    best: Best | None = None
    baseline_error: Run | None = None
    log: list[tuple[float, str, str]] = field(default_factory=list)
    """(wall clock, level, text)."""
    epoch: int = 0
    pid: int = 0
    host: str = ""
    memo: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What rooms above have computed from this state and may forget; no part of it."""
    _baseline: Variation = field(default_factory=lambda: Variation(code=""))

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
        fold = _FOLDS.get(type(record.event))
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
    def baseline(self) -> Variation:
        """The person's cell."""
        return self._baseline

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.phase in ("done", "stopped", "failed")

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

    def _chains(self) -> tuple[dict[str, float], tuple[float, Case | None]]:
        """Variation → gain over the baseline by supported effects, and the end of the chain that gains most."""
        gained = {self.baseline.id: 0.0}
        best: tuple[float, Case | None] = (0.0, None)
        waiting = [case for case in self.supported() if not case.hypothesis.direction.startswith("ablation")]
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


# ---------------------------------------------------------------- the table of folds


def _requested(state: SwarmState, record: e.Record, event: e.SwarmRequested) -> None:
    state.request, state.budget, state.phase, state.begun = event, event.budget, "requested", record.at
    state._baseline = Variation(code=event.analysis.code)
    state.tried.add(state._baseline.id)


def _runner_started(state: SwarmState, record: e.Record, event: e.RunnerStarted) -> None:
    state.epoch, state.pid, state.host = event.epoch, event.pid, event.host
    if not state.over and state.phase != "paused":
        state.phase = "running"


def _asked(word: str) -> Callable[[SwarmState, e.Record, Any], None]:
    def fold(state: SwarmState, record: e.Record, event: object) -> None:
        state.asked = word

    return fold


def _paused(state: SwarmState, record: e.Record, event: e.SwarmPaused) -> None:
    state.phase = "paused"
    state.asked = "" if state.asked == "pause" else state.asked  # what was asked meanwhile still stands


def _resumed(state: SwarmState, record: e.Record, event: e.SwarmResumed) -> None:
    state.phase = "running"
    state.asked = "" if state.asked == "resume" else state.asked


def _ended(state: SwarmState, record: e.Record, event: e.SwarmEnded) -> None:
    state.phase, state.why, state.asked = event.state, event.why, ""


def _steering(state: SwarmState, record: e.Record, event: e.SteeringRequested) -> None:
    state.steering[record.number] = Steering(record.number, event)


def _answered(state: SwarmState, record: e.Record, event: e.SteeringAnswered) -> None:
    entry = state.steering.get(event.request)
    if entry is not None:
        entry.done, entry.answer = event.done, event.answer
        state.log.append((record.at, "info" if event.done else "warning", f"{entry.request.verb}: {event.answer}"))


def _noted(state: SwarmState, record: e.Record, event: e.Noted) -> None:
    state.log.append((record.at, event.level, event.text))


def _budget(state: SwarmState, record: e.Record, event: e.BudgetChanged) -> None:
    state.budget = event.budget


def _hired(state: SwarmState, record: e.Record, event: e.AgentHired) -> None:
    state.agents[event.agent] = Agent(event.agent, event.role, event.mind, event.policy, event.parent)


def _standing(state: SwarmState, record: e.Record, event: e.StandingChanged) -> None:
    agent = state.agents.get(event.agent)
    if agent is not None:
        agent.standing, agent.why = event.standing, event.why


def _opened(state: SwarmState, record: e.Record, event: e.DirectionOpened) -> None:
    state.directions[event.direction] = Direction(
        event.direction, event.title, event.agent, event.targets, event.why, event.citations, event.base
    )


def _weighted(state: SwarmState, record: e.Record, event: e.DirectionWeighted) -> None:
    if event.direction in state.directions:
        state.directions[event.direction].priority = event.priority


def _closed(state: SwarmState, record: e.Record, event: e.DirectionClosed) -> None:
    if event.direction in state.directions:
        state.directions[event.direction].closed = event.why


def _found(state: SwarmState, record: e.Record, event: e.EvidenceFound) -> None:
    direction = state.directions.get(event.direction)
    if direction is None:
        return
    direction.searched = True
    known = {(c.paper, c.start, c.end) for c in direction.citations}
    direction.citations += tuple(c for c in event.citations if (c.paper, c.start, c.end) not in known)
    for value, gain in event.favours.items():
        direction.favours[value] = max(gain, direction.favours.get(value, 0.0))


def _proposed(state: SwarmState, record: e.Record, event: e.HypothesisProposed) -> None:
    hypothesis = event.hypothesis
    state.cases[hypothesis.id] = Case(hypothesis)
    state.tried.add(hypothesis.variation.id)
    if hypothesis.direction in state.directions:
        state.directions[hypothesis.direction].cases.append(hypothesis.id)
    if hypothesis.agent in state.agents:
        state.agents[hypothesis.agent].proposed += 1


def _marked(state: SwarmState, record: e.Record, event: e.HypothesisMarked) -> None:
    if event.hypothesis in state.cases:
        state.cases[event.hypothesis].mark = event.mark


def _started(state: SwarmState, record: e.Record, event: e.ExperimentStarted) -> None:
    experiment = event.experiment
    state.rows[event.number] = Row(event.number, experiment, None, record.at, record.active_seconds)
    if not state.returns:
        state.returns.append(record.active_seconds)
    state.started["screening" if experiment.purpose in SCREENING else "confirmation"] += 1
    case = state.cases.get(experiment.hypothesis)
    if case is None:
        return
    if experiment.purpose == "screening" and experiment.code == case.hypothesis.variation.code:
        case.seeds.append(experiment.seed)
    if experiment.purpose == "confirmation" and case.plan:
        state.trials[case.plan].started.add(experiment.seed)


def _finished(state: SwarmState, record: e.Record, event: e.ExperimentFinished) -> None:
    row = state.rows.get(event.number)
    if row is None:
        return
    run, experiment = event.run, row.experiment
    row.run, row.at = run, record.at
    state.returns.append(record.active_seconds)
    state.seconds["screening" if experiment.purpose in SCREENING else "confirmation"] += run.seconds
    case = state.cases.get(experiment.hypothesis)
    ours = case is not None and experiment.code == case.hypothesis.variation.code
    if _cut_off(run):
        if case is not None and ours and experiment.seed in case.seeds:
            case.seeds.remove(experiment.seed)
    else:
        state.finished[experiment.id] = row
        state.durations.append(run.seconds)
    worker = state.agents.get(experiment.agent)
    if worker is not None:
        worker.tasks += 1
        worker.seconds += run.seconds
    if run.reason is not None:
        state.failed[run.reason] = state.failed.get(run.reason, 0) + 1
    if experiment.purpose == "confirmation" and case is not None and case.plan:
        trial = state.trials[case.plan]
        side = trial.variation if ours else trial.reference
        side[experiment.seed] = run
        if _cut_off(run):
            trial.cuts[experiment.seed] = trial.cuts.get(experiment.seed, 0) + 1
    elif experiment.purpose in SCREENING:
        _screened(state, experiment, run, case if ours else None)


def _screened(state: SwarmState, experiment: Experiment, run: Run, case: Case | None) -> None:
    variation = Variation(code=experiment.code).id
    cut_off = _cut_off(run)
    if run.value is not None:
        state.values[variation, experiment.seed] = run.value
        if variation == state.baseline.id:
            state.baseline_by_seed[experiment.seed] = run.value
        for waiting, value in state.waiting.pop((variation, experiment.seed), ()):
            _gained(state, state.cases[waiting], value, run.value)
    elif variation == state.baseline.id and not cut_off:
        state.baseline_error = run
    if case is None or cut_off:
        return
    if run.value is not None:
        key = (case.hypothesis.reference.id, experiment.seed)
        if key in state.values:
            _gained(state, case, run.value, state.values[key])
        else:
            state.waiting.setdefault(key, []).append((case.hypothesis.id, run.value))
    else:
        case.failures += 1
        _credit(state, case, 0.0, failures=1)


def _gained(state: SwarmState, case: Case, value: float, reference: float) -> None:
    gain = state.objective.gain(value, reference)
    if case.gains:
        count = len(case.gains)
        state.residual += (gain - fmean(case.gains)) ** 2 * count / (count + 1)
        state.residual_freedom += 1
    case.gains.append(gain)
    unit = state.spread or abs(reference) * 0.01 or 1e-12
    _credit(state, case, min(1.0, max(0.0, 0.5 + 0.25 * gain / unit)))


def _credit(state: SwarmState, case: Case, reward: float, failures: int = 0) -> None:
    """Reward a run to its direction and agent: 1 for a gain of two baseline SDs or more, ½ for none, 0 for a loss."""
    direction = state.directions.get(case.hypothesis.direction)
    agent = state.agents.get(case.hypothesis.agent)
    if direction is not None:
        direction.trials += 1
        direction.reward += reward
        direction.failures += failures
    if agent is not None:
        agent.reward += reward
        agent.failures += failures


def _registered(state: SwarmState, record: e.Record, event: e.PlanRegistered) -> None:
    state.trials[event.plan.id] = Trial(event.plan)
    if event.plan.hypothesis in state.cases:
        state.cases[event.plan.hypothesis].plan = event.plan.id


def _judged(state: SwarmState, record: e.Record, event: e.VerdictReached) -> None:
    case, trial = state.cases.get(event.hypothesis), state.trials.get(event.plan)
    if case is None:
        return
    before, case.evidence = case.evidence, event.evidence
    if trial is not None:
        trial.evidence = event.evidence
    agent = state.agents.get(case.hypothesis.agent)
    direction = state.directions.get(case.hypothesis.direction)
    for change, evidence in ((-1, before), (1, event.evidence)):
        if agent is not None and evidence is not None:
            setattr(agent, evidence.verdict, getattr(agent, evidence.verdict) + change)
        if direction is not None and evidence is not None and evidence.verdict == "supported":
            direction.supported += change


def _best(state: SwarmState, record: e.Record, event: e.BestEstimated) -> None:
    state.best = Best(event.variation, event.mean, event.low, event.high, event.runs, event.hypothesis)


def _task(state: SwarmState, record: e.Record, event: e.TaskFinished) -> None:
    agent = state.agents.get(event.agent)
    if agent is not None:
        agent.tasks += 1
        agent.seconds += event.seconds
    if event.failed:
        state.log.append((record.at, "warning", f"{event.agent}: {event.why}"))


_FOLDS: dict[type, Callable[[SwarmState, e.Record, Any], None]] = {
    e.SwarmRequested: _requested,
    e.PauseRequested: _asked("pause"),
    e.ResumeRequested: _asked("resume"),
    e.StopRequested: _asked("stop"),
    e.SteeringRequested: _steering,
    e.SteeringAnswered: _answered,
    e.Noted: _noted,
    e.RunnerStarted: _runner_started,
    e.SwarmPaused: _paused,
    e.SwarmResumed: _resumed,
    e.SwarmEnded: _ended,
    e.BudgetChanged: _budget,
    e.AgentHired: _hired,
    e.StandingChanged: _standing,
    e.DirectionOpened: _opened,
    e.DirectionWeighted: _weighted,
    e.DirectionClosed: _closed,
    e.EvidenceFound: _found,
    e.HypothesisProposed: _proposed,
    e.HypothesisMarked: _marked,
    e.ExperimentStarted: _started,
    e.ExperimentFinished: _finished,
    e.PlanRegistered: _registered,
    e.VerdictReached: _judged,
    e.BestEstimated: _best,
    e.TaskFinished: _task,
}
