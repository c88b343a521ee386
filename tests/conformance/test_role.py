"""What every role promises, run over all that are installed (and one of a plug-in's kind)."""

from __future__ import annotations

import asyncio
import sys
import time
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worlds import STEADY, Ground, Judged, World, grown, request

from jupyter_swarm import cell, roles
from jupyter_swarm import events as e
from jupyter_swarm.engine.swarm import Swarm
from jupyter_swarm.protocols import Desk, Role, Task
from jupyter_swarm.roles import screening
from jupyter_swarm.state import Agent, Case, Direction, SwarmState
from jupyter_swarm.words import WRITTEN, Edit, Hypothesis, Policy, Variation

ANNOUNCED = (e.HypothesisProposed, e.PlanRegistered, e.DirectionOpened, e.Noted, e.SteeringAnswered)


class Doubling:
    """A role as a plug-in may bring one: it doubles alpha, again and again."""

    name = "doubling"

    def propose(self, state: SwarmState, agent: Agent, direction: Direction | None, desk: Desk) -> Task | None:
        """The next power of two that nobody has tried."""
        if direction is None or "measure.alpha" not in direction.targets:
            return None
        for power in range(1, 8):
            edit = Edit(kind="set", target="measure.alpha", value=2.0**power)
            variation = cell.apply(state.analysis, (edit,))
            if variation.id not in state.tried:
                break
        else:
            return None
        hypothesis = Hypothesis(
            id=f"H{len(state.cases) + 1}",
            statement=f"{edit.value} raises score",
            direction=direction.id,
            agent=agent.id,
            variation=variation,
            reference=state.baseline,
        )
        runs = screening.probe(state, Case(hypothesis), screening.first_seed(state), desk.context, agent.id)
        announce = (e.HypothesisProposed(hypothesis=hypothesis),)
        return Task(agent.id, self.name, direction.id, announce, runs, subject=hypothesis.id)

    async def perform(self, task: Task, desk: Desk) -> None:
        """Run them."""
        for experiment in task.experiments:
            await desk.run(experiment)


ROLES = (*roles.find_all(), "doubling")


@pytest.fixture(params=sorted(ROLES))
def role(request: pytest.FixtureRequest) -> Role:
    return fresh(request.param)


def fresh(name: str) -> Role:
    """A role as a new runner gets it."""
    found: Role = Doubling() if name == "doubling" else roles.find_all()[name]
    assert found.name == name
    return found


@cache
def moments() -> tuple[tuple[tuple[e.AnyEvent, ...], bool], ...]:
    """Ledgers at several moments, and whether screening is over: hardly begun; one finding and a plan under way; the
    same, closing; after a long life, with a new budget; code was written, and looked at once.
    """
    found = Judged()
    found.gain(found.plan(), *STEADY)
    found.verdicts()
    found.gain(found.plan(), 1.0, 2.0)
    lived = grown(World({"flag=True": 4.0}), 60, prompt=True, workers=1).events
    later = [event for event in lived if not isinstance(event, e.SwarmEnded | e.RunnerStarted)]
    later.append(e.BudgetChanged(budget=request(400).budget))
    return (
        (tuple(Judged().events), False),
        (tuple(found.events), False),
        (tuple(found.events), True),
        (tuple(later), False),
        (tuple(written().events), False),
    )


def written() -> Judged:
    """A swarm in which somebody has written code."""
    judged = Judged()
    base = judged.state.baseline
    code = Variation(code="steps = 2\n" + base.code.replace("flag=False", "flag=True"), free=True)
    hypothesis = Hypothesis(
        id="H1", statement="The larger raises score", direction="D2", agent="coder-1", variation=code, reference=base
    )
    judged.say(
        e.AgentHired(agent="coder-1", role="implementation", mind="classical"),
        e.DirectionOpened(direction="D2", title="Code", agent="", targets=(WRITTEN,)),
        e.HypothesisProposed(hypothesis=hypothesis),
    )
    judged.run(code, 2, 1.6, "screening", "H1")
    return judged


def desks() -> list[Swarm]:
    """A real engine at each of these moments."""
    made = []
    for events, closing in moments():
        desk = Ground(events).engine(World())
        desk.closing = closing
        made.append(desk)
    return made


def proposals(role: Role, desk: Swarm) -> list[Task]:
    """What the first two agents of the role (or anybody, for a plug-in) would do in each direction, and in none."""
    peers = [agent for agent in desk.state.agents.values() if agent.role == role.name][:2]
    places: list[Direction | None] = [*desk.state.directions.values(), None]
    agents = peers or list(desk.state.agents.values())[:2]
    tasks = [role.propose(desk.state, agent, place, desk) for agent in agents for place in places]
    return [task for task in tasks if task is not None]


def test_a_proposal_changes_nothing_and_is_quick(role: Role) -> None:
    for desk in desks():
        proposals(role, desk)  # what is imported the first time does not count
        before, records = deepcopy(desk.state), len(desk._store.read(0))
        began = time.monotonic()
        count = 2 * (len(before.directions) + 1)
        proposals(role, desk)
        assert (time.monotonic() - began) / count < 0.25
        assert desk.state == before
        assert len(desk._store.read(0)) == records


def test_a_proposal_says_who_where_and_what(role: Role) -> None:
    seen = 0
    for desk in desks():
        state = desk.state
        for task in proposals(role, desk):
            seen += 1
            assert task.role == role.name
            assert task.agent in state.agents
            assert task.direction in {*state.directions, "", "ablation"}
            assert all(isinstance(event, ANNOUNCED) for event in task.announce)
            assert task.announce or task.experiments or task.subject
    assert seen, "there is something to do for every role at one of these moments"


def test_what_it_would_run_is_within_the_lock_and_named_by_its_context(role: Role) -> None:
    for desk in desks():
        state = desk.state
        for task in proposals(role, desk):
            announced = {each.hypothesis.id for each in task.announce if isinstance(each, e.HypothesisProposed)}
            for one in task.experiments:
                cell.check_lock(one.code, state.analysis)
                assert (one.metric, one.context) == (state.objective.metric, desk.context)
                assert one.hypothesis in {"", *state.cases, *announced}
                assert one.title
            for event in task.announce:
                if isinstance(event, e.HypothesisProposed):
                    assert event.hypothesis.id not in state.cases
                    assert event.hypothesis.statement
                    assert event.hypothesis.agent == task.agent
                    assert event.hypothesis.variation.id != event.hypothesis.reference.id


def test_it_runs_what_it_announced_and_leaves_nothing_out(role: Role) -> None:
    """Performed by a real engine: every announced experiment comes back."""

    async def body(desk: Swarm, task: Task) -> None:
        await desk.laboratory.open()
        desk.tick(True)
        desk._begin_task(task)
        await asyncio.gather(*desk._tasks)
        await desk.laboratory.close()

    for place in range(len(moments())):
        for number in range(2):
            desk, own = desks()[place], fresh(role.name)
            tasks = proposals(own, desk)
            if number < len(tasks):
                desk._roles = {**desk._roles, role.name: own}  # type: ignore[dict-item]
                asyncio.run(body(desk, tasks[number]))
                assert not desk.state.in_flight
                assert all(one.id in desk.state.finished for one in tasks[number].experiments)
                assert desk.state == SwarmState.of(desk._store.read(0, swarm="world"), "world")


def test_nowhere_to_work_is_no_error(role: Role) -> None:
    desk = Ground([request(40)]).engine(World())
    agent = Agent("a", role.name, "classical", Policy())
    assert role.propose(desk.state, agent, None, desk) is None


def test_no_budget_is_no_error(role: Role) -> None:
    poor = Judged(budget=3)
    desk = Ground(poor.events).engine(World())
    for task in proposals(role, desk):
        assert role.name in ("brainstorming", "tuning", "literature", "doubling"), "a plan needs what pays for it"
        assert task.agent
