"""Whatever fails is a result, a note, or a clear end; never a swarm that hangs, lies or forgets."""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worlds import EmptyLibrary, Ground, World, grown, request

from jupyter_swarm.errors import LaboratoryError, LedgerError, LibraryError, WorkspaceError
from jupyter_swarm.experiments import FunctionLaboratory
from jupyter_swarm.protocols import Brief, Desk, Hit, Idea, Task, Watch
from jupyter_swarm.roles.brainstorming import Brainstorming
from jupyter_swarm.roles.tuning import Tuning
from jupyter_swarm.roles.validation import Validation
from jupyter_swarm.state import Agent, Direction, SwarmState
from jupyter_swarm.words import Budget, Experiment, Run

PLANTED = World({"flag=True": 8.0})


def is_baseline(experiment: Experiment) -> bool:
    return experiment.code == request().analysis.code


# ---------------------------------------------------------------- experiments that fail


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [(ValueError("no convergence"), "failure"), (None, "missing"), (math.nan, "nonfinite"), (math.inf, "nonfinite")],
)
def test_a_failing_variation_is_a_result_and_costs_its_agent(outcome: object, reason: str) -> None:
    ground = grown(lambda x: PLANTED(x) if is_baseline(x) else outcome, 40)
    state = ground.state
    assert state.phase == "done"
    assert state.failed[reason] > 5
    assert state.experiments == len(ground.calls), "a failed run is paid for like any other"
    assert sum(agent.failures for agent in state.agents.values()) == state.failed[reason]
    assert all(case.failures == len(case.seeds) == 1 for case in state.cases.values()), "none is looked at twice"
    assert state.findings() == []
    assert not state.trials, "nothing that failed is confirmed"
    told = [row.run for row in state.rows.values() if row.run and row.run.reason]
    assert all(run.message for run in told)
    proposers = [agent for agent in state.agents.values() if agent.failures]
    assert all(agent.promise < 1 / 3 for agent in proposers), "below what it was before any record"


def test_a_variation_that_takes_too_long_is_a_result() -> None:
    slow = World()

    ground = Ground([request(12, timeout_seconds=0.1)])
    state = ground.play(slow, delay=lambda x: 0.0 if is_baseline(x) else 30.0)
    assert state.phase == "done"
    assert state.failed == {"timeout": state.failed["timeout"]}
    assert state.failed["timeout"] >= 2


def test_a_direction_that_fails_is_left() -> None:
    def function(experiment: Experiment) -> object:
        return World()(experiment) if "alpha=1.0" in experiment.code else ValueError("alpha may not change")

    def share(world: Callable[[Experiment], object]) -> float:
        runs = [grown(world, 60, prompt=True, workers=1, options={"seed": seed}).state for seed in range(5)]
        trials = [{each.title: each.trials for each in state.directions.values()} for state in runs]
        return sum(each["measure.alpha"] / sum(each.values()) for each in trials) / len(trials)

    assert share(function) < share(World())


# ---------------------------------------------------------------- the baseline


@pytest.mark.parametrize(
    ("outcome", "reason", "told"),
    [
        (ValueError("no data"), "failure", "ValueError: no data"),
        (None, "missing", "nothing was assigned"),
        (math.nan, "nonfinite", "nan"),
    ],
)
def test_a_failing_baseline_ends_the_swarm_with_its_traceback(outcome: object, reason: str, told: str) -> None:
    ground = grown(lambda _: outcome, 40)
    state = ground.state
    assert state.phase == "failed"
    assert told in state.why
    assert state.baseline_error is not None
    assert state.baseline_error.reason == reason
    assert ("ValueError" in state.baseline_error.traceback) == (reason == "failure")
    assert len(ground.calls) == 1, "no other seed is tried"
    assert not state.cases


def test_a_baseline_that_fails_on_one_seed_ends_the_swarm_too() -> None:
    state = grown(lambda x: ValueError("seed 2") if x.seed == 2 else 1.0, 40).state
    assert (state.phase, len(state.rows)) == ("failed", 3)
    assert "seed 2" in state.why


def test_a_lost_baseline_runs_again_but_not_for_ever() -> None:
    class Dying(FunctionLaboratory):
        """A laboratory whose kernels die under the first runs."""

        def __init__(self, deaths: int) -> None:
            super().__init__(PLANTED, workers=2)
            self.deaths = deaths

        async def run(self, experiment: Experiment, timeout_seconds: float, *, watch: Watch | None = None) -> Run:
            if self.deaths:
                self.deaths -= 1
                return Run(experiment=experiment.id, reason="lost", message="the kernel was killed by SIGKILL")
            return await super().run(experiment, timeout_seconds, watch=watch)

    ground = Ground([request(30)])
    state = ground.play(PLANTED, laboratory=Dying(2))
    assert state.phase == "done"
    assert sorted(state.baseline_by_seed)[:3] == [1, 2, 3]
    assert state.failed["lost"] == 2
    ground = Ground([request(30)])
    state = ground.play(PLANTED, laboratory=Dying(10**6))
    assert state.phase == "failed"
    assert "SIGKILL" in state.why
    assert state.experiments == 3


def test_the_first_run_may_take_its_time_and_later_ones_are_measured_by_it() -> None:
    limits: list[float] = []

    class Timed(FunctionLaboratory):
        async def run(self, experiment: Experiment, timeout_seconds: float, *, watch: Watch | None = None) -> Run:
            limits.append(timeout_seconds)
            return Run(experiment=experiment.id, value=float(experiment.seed), seconds=30.0)

    Ground([request(5)]).play(PLANTED, laboratory=Timed(PLANTED))
    assert limits[0] > 24 * 3600
    assert set(limits[1:]) == {300.0}
    limits.clear()
    Ground([request(5, timeout_seconds=7.0)]).play(PLANTED, laboratory=Timed(PLANTED))
    assert set(limits) == {7.0}


# ---------------------------------------------------------------- roles, minds and libraries that raise


class Broken(Exception):
    pass


class ProposesNothing(Brainstorming):
    def propose(self, state: SwarmState, agent: Agent, direction: Direction | None, desk: Desk) -> Task | None:
        raise Broken("cannot propose")


class FailsAtWork(Tuning):
    async def perform(self, task: Task, desk: Desk) -> None:
        raise Broken("cannot work")


class FailsHalfway(Brainstorming):
    async def perform(self, task: Task, desk: Desk) -> None:
        await desk.run(task.experiments[0])
        raise Broken("cannot finish")


class CannotPlan(Validation):
    def propose(self, state: SwarmState, agent: Agent, direction: Direction | None, desk: Desk) -> Task | None:
        raise Broken("cannot plan")


def notes(state: SwarmState) -> str:
    return "\n".join(text for _, level, text in state.log if level == "warning")


@pytest.mark.parametrize(
    ("role", "told"),
    [
        (ProposesNothing(), "cannot propose"),
        (FailsAtWork(), "cannot work"),
        (FailsHalfway(), "cannot finish"),
        (CannotPlan(), "cannot plan"),
    ],
)
def test_a_role_that_raises_is_noted_and_the_swarm_goes_on(
    role: Brainstorming | Tuning | Validation, told: str
) -> None:
    ground = Ground([request(80)])
    state = ground.play(PLANTED, prompt=True, workers=1, roles_={role.name: role})
    assert state.phase == "done"
    assert told in notes(state)
    assert len(state.cases) > 2, "others went on"
    assert not state.in_flight, "what it had announced is not in flight for ever"
    assert state.experiments <= 80
    if role.name != "validation":
        assert state.best is not None, "and the swarm found what there is"


def test_the_same_trouble_is_noted_once() -> None:
    ground = Ground([request(40)])
    state = ground.play(PLANTED, roles_={"validation": CannotPlan()})
    assert notes(state).count("cannot plan") == 1


class BrokenMind:
    """A mind that cannot think."""

    name = "classical"

    def queries(self, brief: Brief) -> list[str]:
        raise Broken("no queries")

    def favours(self, brief: Brief, texts: object) -> dict[str, float]:
        raise Broken("no favours")

    def invent(self, brief: Brief) -> Idea | None:
        raise Broken("no ideas")


def test_a_mind_that_raises_is_noted_and_the_swarm_goes_on() -> None:
    ground = Ground([request(40)])
    state = ground.play(PLANTED, mind_=BrokenMind())
    assert state.phase == "done"
    assert "no ideas" in notes(state)
    assert "no queries" in notes(state)
    assert {case.hypothesis.agent.split("-")[0] for case in state.cases.values()} == {"tuner"}
    first = [each for each in state.directions.values() if each.base is None]
    assert all(each.searched for each in first), "a search that failed is not repeated for ever"


class BrokenLibrary(EmptyLibrary):
    def search(self, query: str, limit: int = 10) -> list[Hit]:
        raise LibraryError("the index is damaged", cure="add the papers again")


def test_a_library_that_raises_is_noted_and_the_swarm_goes_on() -> None:
    ground = Ground([request(40)])
    state = ground.play(PLANTED, workers=1, library=BrokenLibrary())
    assert state.phase == "done"
    assert "the index is damaged" in notes(state)
    assert state.best is not None


# ---------------------------------------------------------------- where nothing can be run or written


def test_what_the_budget_buys_is_said_where_runs_are_long() -> None:
    def told(seconds: float, budget: int) -> list[str]:
        class Timed(FunctionLaboratory):
            async def run(self, experiment: Experiment, timeout_seconds: float, *, watch: Watch | None = None) -> Run:
                return Run(experiment=experiment.id, value=PLANTED(experiment), seconds=seconds)

        state = Ground([request(budget)]).play(PLANTED, laboratory=Timed(PLANTED))
        return [text for _, _, text in state.log if text.startswith("A run takes")]

    assert told(1.0, 30) == []
    (line,) = told(1080.0, 52)
    assert line.startswith("A run takes about 18 min: the budget pays for about 49 more runs.")
    assert "one effect of twice" in line
    assert "too few" in told(1080.0, 15)[0]
    assert "effects as large as" in told(1080.0, 200)[0]


class Ending(FunctionLaboratory):
    """A laboratory that fails altogether after some runs."""

    def __init__(self, error: Exception, after: int = 8) -> None:
        super().__init__(PLANTED, workers=2, delay_seconds=0.001)
        self.error, self.after, self.closed = error, after, False

    async def run(self, experiment: Experiment, timeout_seconds: float, *, watch: Watch | None = None) -> Run:
        self.after -= 1
        if self.after < 0:
            raise self.error
        return await super().run(experiment, timeout_seconds, watch=watch)

    async def close(self) -> None:
        self.closed = True
        await super().close()


@pytest.mark.parametrize("error", [LaboratoryError("no kernel starts"), WorkspaceError("the disk is full")])
@pytest.mark.parametrize("after", [0, 8])
def test_a_laboratory_that_fails_altogether_ends_the_work_and_a_later_runner_goes_on(
    error: Exception, after: int
) -> None:
    ground = Ground([request(40)])
    laboratory = Ending(error, after)
    engine = ground.engine(PLANTED, laboratory=laboratory)
    with pytest.raises(type(error), match=str(error)):
        asyncio.run(engine.work())
    assert laboratory.closed
    state = ground.state
    assert not state.over
    assert not state.in_flight
    assert state.failed["lost"] >= 1
    done = {row.experiment.id for row in state.finished.values()}
    assert ground.play(PLANTED).phase == "done"
    assert not done & {experiment.id for experiment in ground.calls}


def test_a_ledger_that_cannot_be_written_ends_the_work_and_a_later_runner_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ground = Ground([request(40)])
    append, count = ground.store.append, 0

    def full(*arguments: object, **more: object) -> object:
        nonlocal count
        count += 1
        if count > 25:
            raise LedgerError("the ledger cannot be used: database or disk is full")
        return append(*arguments, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(ground.store, "append", full)
        with pytest.raises(LedgerError, match="full"):
            asyncio.run(ground.engine(PLANTED).work())
    assert not ground.state.over
    assert ground.play(PLANTED).phase == "done"


# ---------------------------------------------------------------- leaving and coming back


@pytest.mark.parametrize("rows", [1, 2, 12, 25])
def test_told_to_quit_it_leaves_and_a_later_runner_goes_on(rows: int) -> None:
    ground = Ground([request(50)])
    engine = ground.engine(PLANTED, delay=0.01)

    async def body() -> None:
        working = asyncio.create_task(engine.work())
        while len(engine.state.rows) < rows:
            await asyncio.sleep(0.002)
        engine.quit("told to")
        await working

    asyncio.run(body())
    assert engine.quit_reason == "told to"
    state = ground.state
    assert not state.over
    assert not state.in_flight
    first = {experiment.id for experiment in ground.calls}
    assert ground.play(PLANTED).phase == "done"
    state = ground.state
    assert state.experiments <= 50
    assert len(state.baseline_by_seed) >= 3
    assert {row.experiment.id for row in state.finished.values()} >= first - {
        row.experiment.id for row in state.rows.values() if row.run and row.run.reason == "stopped"
    }


def test_a_cancelled_call_leaves_nothing_in_flight() -> None:
    ground = Ground([request(Budget(experiments=50))])
    engine = ground.engine(PLANTED, delay=0.02)

    async def body() -> None:
        working = asyncio.create_task(engine.work())
        await asyncio.sleep(0.2)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working

    asyncio.run(body())
    assert not ground.state.in_flight
    assert not ground.state.over


def test_a_swarm_that_is_over_is_left_alone() -> None:
    ground = grown(PLANTED, 20)
    count = len(ground.records)
    ground.play(PLANTED)
    assert len(ground.records) == count + 1, "only that a runner came"
    assert ground.state.phase == "done"


class Greedy(Brainstorming):
    """A role whose tasks are larger than any budget."""

    def propose(self, state: SwarmState, agent: Agent, direction: Direction | None, desk: Desk) -> Task | None:
        task = super().propose(state, agent, direction, desk)
        if task is None or not task.experiments:
            return task
        many = tuple(msgspec.structs.replace(task.experiments[0], seed=seed) for seed in range(1, 200))
        return msgspec.structs.replace(task, experiments=many)


@pytest.mark.timeout(30)
def test_tasks_that_nothing_pays_for_end_the_swarm_and_do_not_hang_it() -> None:
    ground = Ground([request(60)])
    state = ground.play(World(), workers=1, roles_={"brainstorming": Greedy(), "tuning": CannotPlan()})
    assert (state.phase, state.why) == ("done", "what is left of the budget pays for no further test")
    assert state.experiments == 3
