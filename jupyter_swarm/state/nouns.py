"""What a swarm's state is made of: mutable records that only the folds change."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from jupyter_swarm import events as e
from jupyter_swarm.words import (
    Citation,
    Evidence,
    Experiment,
    Hypothesis,
    Objective,
    Plan,
    Policy,
    Run,
    Sentence,
    Variation,
)

SCREENING = ("baseline", "screening")
"""Purposes that screening's share of the budget pays for; all others are confirmation's."""
CUT_OFF = ("stopped", "lost")
"""Reasons that say nothing of the cell: the run was ended from outside, or its runner died."""
SHORTEST = 1e-6
"""Seconds; a run counts as taking that long at least."""
MOST_CUTS = 4
"""A pair is not repeated after so many of its runs were cut off."""


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
    sentences: tuple[Sentence, ...] = ()
    contradictions: tuple[Sentence, ...] = ()
    spaces: dict[tuple[str, str], tuple[float, float, str]] = field(default_factory=dict)
    """(agent, knob) → low, high, why: where the agent looks."""
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
    cut: dict[int, int] = field(default_factory=dict)
    """Screening seed → how often its run there was cut off or lost."""
    failures: int = 0
    """Screening runs that gave no value."""
    pruned: int = 0
    """Those of them that were ended for their curve."""
    gains: list[float] = field(default_factory=list)
    """Gains over the reference on shared screening seeds: for choosing what to confirm, never evidence."""
    plan: str = ""
    evidence: Evidence | None = None
    read: bool = False
    """Whether a person has approved it once there was a verdict: then its difference was there to be read, too."""

    @property
    def about(self) -> Literal["improvement", "ablation", "equivalence"]:
        """What its hypothesis says: a change helps; a change of the best cell earns its share; a cheaper cell is as
        good."""
        if self.hypothesis.equivalent > 0.0:
            return "equivalence"
        return "ablation" if self.hypothesis.direction.startswith("ablation") else "improvement"


@dataclass(slots=True)
class Trial:
    """A plan and its pairs: seed → run of the variation, seed → run of the reference."""

    plan: Plan
    equivalent: float = 0.0
    """Of its hypothesis."""
    variation: dict[int, Run] = field(default_factory=dict)
    reference: dict[int, Run] = field(default_factory=dict)
    evidence: Evidence | None = None
    started: set[int] = field(default_factory=set)
    cuts: dict[int, int] = field(default_factory=dict)
    """Seed → how many of its runs were lost or cut off."""

    def missing(self, seed: int) -> bool:
        """Whether a side of the pair has still to run; one that was lost or cut off runs again, but not for ever."""
        runs = (self.variation.get(seed), self.reference.get(seed))
        return None in runs or (0 < self.cuts.get(seed, 0) < MOST_CUTS and any(map(is_cut_off, runs)))

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
        return self.gains(objective)[: self._count()]

    def saved(self) -> list[float]:
        """Logarithm of the reference's seconds over the variation's in the pairs that count: positive is cheaper.

        A run that failed counts as one that took twice as long.
        """
        found = []
        for seed in self._whole()[: self._count()]:
            ours, theirs = self.variation[seed], self.reference[seed]
            if ours.ok and theirs.ok:
                found.append(math.log(max(theirs.seconds, SHORTEST) / max(ours.seconds, SHORTEST)))
            else:
                found.append(math.log(2.0) * (ours.ok - theirs.ok))
        return found

    def tests(self, objective: Objective) -> list[list[float]]:
        """The differences that the plan's hypothesis says are all positive: one series, of an equivalence two."""
        gains = self.counted(objective)
        if not self.equivalent:
            return [gains]
        return [[gain + self.equivalent for gain in gains], self.saved()]

    def _count(self) -> int:
        first = min((seed for seed in self.started if self.missing(seed)), default=math.inf)
        return sum(seed < first for seed in self._whole())

    def _whole(self) -> list[int]:
        both = self.variation.keys() & self.reference.keys()
        return sorted(s for s in both if not is_cut_off(self.variation[s]) and not is_cut_off(self.reference[s]))


def is_cut_off(run: Run | None) -> bool:
    """Whether a run was ended from outside, so that it says nothing of its cell."""
    return run is not None and run.reason in CUT_OFF


@dataclass(slots=True)
class Row:
    """A run of the swarm, under its number."""

    number: int
    experiment: Experiment
    run: Run | None = None
    at: float = 0.0
    clock: float = 0.0
    """The swarm's, when it began."""
    back: float = 0.0
    """The swarm's clock, when it came back."""


@dataclass(slots=True)
class Steering:
    """A request of a person and the answer."""

    number: int
    request: e.SteeringRequested
    done: bool | None = None
    answer: str = ""


@dataclass(slots=True)
class Spent:
    """What language models took, for one agent and one model."""

    calls: int = 0
    failures: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    dollars: float = 0.0
    unpriced: int = 0
    """Calls of which nobody knows the price."""
    guessed: int = 0
    """Calls that count with their upper bounds, as the provider did not say what they took."""
    seconds: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    @property
    def tokens(self) -> int:
        """In and out."""
        return self.tokens_in + self.tokens_out


@dataclass(slots=True)
class Best:
    """The best cell as measured again on untouched seeds."""

    variation: Variation
    mean: float
    low: float
    high: float
    runs: int
    hypothesis: str
