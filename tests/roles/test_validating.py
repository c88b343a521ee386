"""Validation: which plans are written, when the best cell is ablated and measured, and whose its runs are."""

from __future__ import annotations

import asyncio
import math
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worlds import STEADY, Ground, Judged, World

from jupyter_swarm import events as e
from jupyter_swarm import roles, statistics
from jupyter_swarm.engine.swarm import Swarm
from jupyter_swarm.protocols import Role, Task
from jupyter_swarm.roles import validation
from jupyter_swarm.words import Edit, Experiment

FLAG = Edit(kind="set", target="measure.flag", value=True)
DEPTH = Edit(kind="set", target="measure.depth", value=9)


@pytest.fixture
def role() -> Role:
    return roles.find_all()["validation"]


def desk_of(judged: Judged, closing: bool = False) -> Swarm:
    desk = Ground(judged.events).engine(World())
    desk.closing = closing
    return desk


def proposed(role: Role, desk: Swarm) -> Task | None:
    return role.propose(desk.state, desk.state.agents["checker-1"], None, desk)


def found(*edits: Edit, budget: int = 400) -> Judged:
    """One supported hypothesis."""
    judged = Judged(budget=budget)
    judged.gain(judged.plan(60, None, *edits), *STEADY)
    assert judged.verdicts() == {"P1": ("supported", "")}
    return judged


def test_the_best_cell_is_ablated_change_by_change_when_screening_is_over(role: Role) -> None:
    judged = found(FLAG, DEPTH)
    assert proposed(role, desk_of(judged)) is None, "not before"
    references = []
    for _ in range(2):
        task = proposed(role, desk_of(judged, closing=True))
        assert task is not None
        new, planned = task.announce
        assert isinstance(new, e.HypothesisProposed)
        assert isinstance(planned, e.PlanRegistered)
        assert (new.hypothesis.direction, planned.plan.hypothesis) == ("ablation", new.hypothesis.id)
        assert new.hypothesis.variation.edits == (FLAG, DEPTH)
        references.append(new.hypothesis.reference.edits)
        judged.say(*task.announce)
        judged.gain(planned.plan, *STEADY)
        judged.verdicts()
    assert references == [(DEPTH,), (FLAG,)]
    assert judged.state.incumbent() is judged.state.cases["H1"], "an ablation is no improvement"
    last = proposed(role, desk_of(judged, closing=True))
    assert last is not None
    assert {one.purpose for one in last.experiments} == {"best"}


def test_one_change_needs_no_ablation(role: Role) -> None:
    task = proposed(role, desk_of(found(FLAG), closing=True))
    assert task is not None
    assert [(one.purpose, one.seed >= validation.BEST_SEEDS) for one in task.experiments] == [("best", True)] * 5


def test_the_estimate_belongs_to_the_cell_that_ran() -> None:
    """Another hypothesis becomes the incumbent while the best cell runs: the values are still of the former."""
    judged = found(FLAG)
    ground = Ground(judged.events)
    better = Judged()
    better.gain(better.plan(60, None, FLAG), *STEADY)
    second = better.plan(60, None, DEPTH)
    better.gain(second, *(5 * gain for gain in STEADY))
    better.verdicts()
    rest = better.events[len(judged.events) - 1 :]

    async def body() -> None:
        engine = ground.engine(lambda one: 7.0 if "flag=True" in one.code else 0.0, delay=0.01)
        engine.closing = True
        role = roles.find_all()["validation"]
        task = proposed(role, engine)
        assert task is not None
        await engine.laboratory.open()
        engine.tick(True)
        working = asyncio.create_task(role.perform(task, engine))
        await asyncio.sleep(0.005)
        second_task = proposed(role, engine)
        assert second_task is None or "best" not in {one.purpose for one in second_task.experiments}, (
            "not twice at once"
        )
        kinds = (e.HypothesisProposed, e.PlanRegistered, e.VerdictReached)
        engine.append(*(event for event in rest if isinstance(event, kinds)))
        incumbent = engine.state.incumbent()
        assert incumbent is not None
        assert incumbent.hypothesis.id == "H2"
        await working
        await engine.laboratory.close()

    asyncio.run(body())
    best = ground.state.best
    assert best is not None
    assert best.variation.edits == (FLAG,)
    assert (best.hypothesis, best.mean) == ("H1", 7.0)


def test_no_plan_is_written_that_could_not_succeed() -> None:
    judged = Judged()
    case = judged.state.cases[judged.plan().hypothesis]
    for pairs in range(1, 30):
        plan = validation.plan_for(judged.state, case.hypothesis, "checker-1", pairs)
        most = statistics.e_value([1.0] * pairs)
        needed = statistics.needed(statistics.weight(2), 0)
        assert (plan is not None) == (pairs >= math.ceil(math.log2(needed) + 1.3))
        if plan is not None:
            assert most >= needed, "every pair winning would suffice"
            assert (plan.max_pairs, plan.weight, plan.first_seed) == (pairs, statistics.weight(2), 20_000)
            assert plan.margin == 0.5 * judged.state.spread
    long = validation.plan_for(judged.state, case.hypothesis, "checker-1", 500)
    assert long is not None
    assert long.max_pairs == validation.MOST_PAIRS


def test_open_plans_have_the_first_claim_on_the_budget(role: Role) -> None:
    judged = Judged(budget=100)
    judged.plan(pairs=40)
    desk = desk_of(judged)
    assert validation.room(desk.state, desk) == (100 - 3 - 5) // 2 - 40
    task = proposed(role, desk)
    assert task is not None
    assert task.subject == "P1"
    assert [one.seed for one in task.experiments] == [10_000, 10_000]


def test_a_replication_repeats_the_code_on_seeds_of_its_own() -> None:
    judged = found(FLAG)
    desk = desk_of(judged)
    agent = desk.state.agents["checker-1"]
    task = validation.replication(desk.state, 5, agent, desk)
    first = desk.state.rows[5].experiment
    assert all(isinstance(one, Experiment) and one.code == first.code for one in task.experiments)
    assert len({one.seed for one in task.experiments}) == validation.REPLICATIONS
    assert min(one.seed for one in task.experiments) >= 2 * validation.BEST_SEEDS
