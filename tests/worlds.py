"""Worlds that a swarm can be let loose on: the real engine, roles and ledger, over a laboratory that draws numbers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jupyter_swarm import cell, minds, roles, statistics
from jupyter_swarm.engine import judgement, roster
from jupyter_swarm.engine.swarm import Swarm
from jupyter_swarm.events import (
    AnyEvent,
    DirectionOpened,
    ExperimentFinished,
    ExperimentStarted,
    HypothesisProposed,
    PlanRegistered,
    Record,
    RunnerStarted,
    SteeringRequested,
    SwarmRequested,
)
from jupyter_swarm.experiments import FunctionLaboratory
from jupyter_swarm.protocols import Desk, Hit, Laboratory, Lease, Library, Mind, Passage, Role, Task
from jupyter_swarm.roles.literature import Literature, look_up
from jupyter_swarm.state import SwarmState
from jupyter_swarm.store import SqlStore
from jupyter_swarm.words import (
    Analysis,
    Budget,
    Citation,
    Context,
    Edit,
    Experiment,
    Hypothesis,
    Objective,
    Plan,
    Purpose,
    Reason,
    Run,
    Variation,
)

NAME = "world"
CELL = '''"""Which setting helps?"""
score = measure(alpha=1.0, depth=3, rate=0.1, width=16, flag=False, mode="plain", seed=seed)
'''


def measure(
    alpha: float = 1.0,
    depth: int = 3,
    rate: float = 0.1,
    width: int = 16,
    flag: bool = False,
    mode: str = "plain",
    seed: int = 0,
) -> float:
    """Draw a number.

    Parameters
    ----------
    alpha : float, default=1.0
    depth : int, default=3
    rate : float, default=0.1
    width : int, default=16
    flag : bool, default=False
    mode : {'plain', 'fancy', 'odd'}, default='plain'
    """
    raise AssertionError("the laboratory draws the metric")


@cache
def analysis(code: str = CELL) -> Analysis:
    """The cell as the kernel would read it."""
    return cell.read(code, metric="score", namespace={"measure": measure, "seed": 0})


@cache
def mind() -> Mind:
    """One mind for all swarms: what it remembers are pure results."""
    return minds.find("classical")


class EmptyLibrary:
    """A library without papers."""

    def search(self, query: str, limit: int = 10) -> list[Hit]:
        return []

    def cite(self, passage: Passage, terms: Sequence[str]) -> Citation:
        raise LookupError("an empty library cites nothing")

    def verify(self, citation: Citation) -> bool:
        return False


class PromptLiterature(Literature):
    """Literature that reads at once instead of in a thread, so that two swarms take the same turns."""

    async def perform(self, task: Task, desk: Desk) -> None:
        state = desk.state
        direction = state.directions[task.direction]
        desk.append(look_up(state, state.agents[task.agent], direction.title, direction.targets, direction, desk))


@dataclass(frozen=True)
class World:
    """A metric: a part that the seed shares, a part of the very run, and effects of what stands in the code."""

    effects: Mapping[str, float] = field(default_factory=dict)
    shared: float = 1.0
    own: float = 1.0
    seed: int = 0
    sign: float = 1.0

    def __call__(self, experiment: Experiment) -> float:
        value = self.shared * random.Random(f"{self.seed}/{experiment.seed}").gauss(0, 1)
        value += self.own * random.Random(f"{self.seed}/{experiment.seed}/{experiment.code}").gauss(0, 1)
        value += sum(effect for text, effect in self.effects.items() if text in experiment.code)
        return self.sign * value


def request(
    budget: Budget | int = 120,
    *,
    code: str = CELL,
    agents: int = 16,
    maximize: bool = True,
    **options: str | float | bool,
) -> SwarmRequested:
    """What a face would append."""
    return SwarmRequested(
        objective=Objective(metric="score", maximize=maximize),
        budget=Budget(experiments=budget) if isinstance(budget, int) else budget,
        agents=agents,
        analysis=analysis(code),
        context=Context(),
        cell_hash="",
        options={"seed": 0, **options},
    )


class Ground:
    """A ledger and what is needed to let engines work on it, one after the other or two at once."""

    def __init__(self, events: Iterable[AnyEvent] = (), *, store: SqlStore | None = None) -> None:
        self.store = store or SqlStore.memory()
        self.calls: list[Experiment] = []
        """Every execution, in order."""
        self.leases = 0
        self.say(*events)

    def say(self, *events: AnyEvent) -> list[int]:
        """A face appends; the ledger's numbers."""
        return [record.number for record in self.store.append(NAME, events)]

    def steer(self, verb: Any, target: str = "", value: float | str | None = None) -> int:
        """A request of a person; its number."""
        return self.say(SteeringRequested(verb=verb, target=target, value=value))[0]

    def lease(self) -> Lease:
        """The lease for the next engine, whoever held it before."""
        self.leases += 1
        current = self.store.holder(NAME)
        lease = self.store.lease(NAME, current or "engine", seconds=3600.0)
        assert lease is not None
        return lease

    def engine(
        self,
        function: Callable[[Experiment], object],
        *,
        workers: int = 2,
        delay: float | Callable[[Experiment], float] = 0.0,
        library: Library | None = None,
        laboratory: Laboratory | None = None,
        prompt: bool = False,
        roles_: Mapping[str, Role] | None = None,
        mind_: Mind | None = None,
        poll: float = 0.0,
    ) -> Swarm:
        """A new engine over the ledger, as a new runner would make it."""

        def counted(experiment: Experiment) -> object:
            self.calls.append(experiment)
            return function(experiment)

        team = {**roles.find_all(), **({"literature": PromptLiterature()} if prompt else {}), **(roles_ or {})}
        lease = self.lease()
        self.store.append(NAME, [RunnerStarted(pid=0, host="here", epoch=lease.epoch)], lease=lease)
        return Swarm(
            self.store,
            lease,
            laboratory or FunctionLaboratory(counted, workers=workers, delay_seconds=delay),
            library or EmptyLibrary(),
            roles=team,
            minds={"classical": mind_ or mind()},
            context="context",
            poll_seconds=poll,
        )

    def play(self, function: Callable[[Experiment], object], **more: Any) -> SwarmState:
        """Let an engine work until it is over."""
        engine = self.engine(function, **more)
        asyncio.run(engine.work())
        return engine.state

    @property
    def records(self) -> list[Record]:
        """The whole log."""
        return self.store.read(0, swarm=NAME)

    @property
    def events(self) -> list[AnyEvent]:
        """The whole log without its envelopes."""
        return [record.event for record in self.records]

    def of(self, kind: type) -> list[Any]:
        """All events of a kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def state(self) -> SwarmState:
        """A replay of the ledger."""
        return SwarmState.of(self.records, NAME)


def grown(function: Callable[[Experiment], object], budget: Budget | int = 120, **more: Any) -> Ground:
    """A ground with a swarm that has run to its end. Options of the request come as `options={…}`."""
    options = more.pop("options", {})
    ground = Ground([request(budget, **options)])
    ground.play(function, **more)
    return ground


STEADY = (1.0, 1.2, 0.8, 1.1, 0.9, 1.05, 0.95, 1.0, 1.1, 0.9)
"""Gains that convince within eight pairs."""


class Judged:
    """A swarm of one direction whose plans get the gains that a test says."""

    def __init__(self, *, baseline: tuple[float, ...] = (-1.0, 0.0, 1.0), budget: int = 400) -> None:
        self.state = SwarmState(name=NAME)
        self.events: list[AnyEvent] = []
        self.number = 0
        self.say(request(budget))
        self.say(*roster.hire(16, 0))
        self.say(DirectionOpened(direction="D1", title="flag", agent="", targets=("measure.flag",)))
        for seed, value in enumerate(baseline, 1):
            self.run(self.state.baseline, seed, value, "baseline", "")

    def say(self, *events: AnyEvent) -> None:
        for event in events:
            self.events.append(event)
            self.state.apply(Record(self.state.last + 1, NAME, 0.0, 0.0, event))

    def run(
        self, variation: Variation, seed: int, value: float | Reason | None, purpose: Purpose, hypothesis: str
    ) -> None:
        self.number += 1
        one = Experiment(
            code=variation.code,
            seed=seed,
            metric="score",
            context="context",
            purpose=purpose,
            title="A run",
            hypothesis=hypothesis,
        )
        self.say(ExperimentStarted(number=self.number, experiment=one))
        if isinstance(value, float):
            self.say(ExperimentFinished(number=self.number, run=Run(experiment=one.id, value=value)))
        elif value is not None:
            self.say(ExperimentFinished(number=self.number, run=Run(experiment=one.id, reason=value)))

    def plan(self, pairs: int = 60, margin: float | None = None, *edits: Edit) -> Plan:
        """A new hypothesis and its plan."""
        number = len(self.state.cases) + 1
        edits = edits or (Edit(kind="set", target="measure.alpha", value=1.0 + number),)
        hypothesis = Hypothesis(
            id=f"H{number}",
            statement=f"Idea {number} raises score",
            direction="D1",
            agent="inventor-1",
            variation=cell.apply(analysis(), edits),
            reference=self.state.baseline,
        )
        margin = 0.5 * self.state.spread if margin is None else margin
        plan = Plan(
            id=f"P{number}", hypothesis=hypothesis.id, agent="", first_seed=10_000 * number, max_pairs=pairs,
            margin=margin, weight=statistics.weight(number),
        )  # fmt: skip
        self.say(HypothesisProposed(hypothesis=hypothesis), PlanRegistered(plan=plan))
        return plan

    def pair(self, plan: Plan, place: int, ours: float | Reason | None, theirs: float | Reason | None) -> None:
        hypothesis = self.state.cases[plan.hypothesis].hypothesis
        for side, value in ((hypothesis.variation, ours), (hypothesis.reference, theirs)):
            self.run(side, plan.first_seed + place, value, "confirmation", hypothesis.id)

    def gain(self, plan: Plan, *gains: float) -> None:
        for gain in gains:
            place = len(self.state.trials[plan.id].started)
            self.pair(plan, place, 0.1 * place + gain, 0.1 * place)

    def verdicts(self, final: bool = False) -> dict[str, tuple[str, str]]:
        """Verdicts that are due, written down; plan → (verdict, note)."""
        due = judgement.verdicts(self.state, final=final)
        self.say(*due)
        return {each.plan: (each.evidence.verdict, each.evidence.note) for each in due}
