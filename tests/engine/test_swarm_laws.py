"""Laws that hold for every swarm: replay, budget, reservation, no run twice, one runner."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worlds import NAME, Ground, World, grown, request

from jupyter_swarm import events as e
from jupyter_swarm.engine.budget import Purse
from jupyter_swarm.errors import LeaseLost
from jupyter_swarm.state import SCREENING, SwarmState
from jupyter_swarm.words import Budget, Experiment

PLANTED = World({"flag=True": 3.0})
OFTEN = settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def lived() -> Ground:
    """A swarm that has run to its end, with findings, failures and a best cell."""

    def function(experiment: Experiment) -> object:
        return (
            ValueError("no")
            if "rate=" in experiment.code and "rate=0.1," not in experiment.code
            else PLANTED(experiment)
        )

    ground = grown(function, 70)
    assert ground.state.best is not None
    assert ground.state.failed["failure"] > 0
    return ground


def resumed(records: list[e.Record]) -> Ground:
    """A ledger in which so much of another has been written, with no runner."""
    ground = Ground()
    for record in records:
        ground.store.append(NAME, [record.event], active_seconds=record.active_seconds)
    return ground


def assert_sane(ground: Ground) -> SwarmState:
    """What holds of every swarm that is over."""
    state = ground.state
    assert state.over
    assert not state.in_flight
    assert list(state.rows) == list(range(1, len(state.rows) + 1)), "runs are numbered in the order of their starts"
    if state.budget.experiments is not None:
        assert state.experiments <= state.budget.experiments
    done = Counter(
        row.experiment.id for row in state.rows.values() if row.run and row.run.reason not in ("lost", "stopped")
    )
    assert set(done.values()) <= {1}, "a finished run was repeated"
    numbers = Counter(event.number for event in ground.of(e.ExperimentFinished))
    assert numbers == Counter(event.number for event in ground.of(e.ExperimentStarted)), "each comes back once"
    return state


def test_any_prefix_of_the_ledger_replays(lived: Ground) -> None:
    grows = SwarmState(name=NAME)
    for count, record in enumerate(lived.records):
        if count % 7 == 0:
            assert SwarmState.of(lived.records[:count], NAME) == grows
        grows.apply(e.Record(record.number, NAME, record.at, record.active_seconds, e.decode(e.encode(record.event))))
    assert grows == lived.state


def test_the_runner_and_a_reader_see_the_same(lived: Ground) -> None:
    ground = Ground([request(60)])
    engine = ground.engine(PLANTED)
    asyncio.run(engine.work())
    assert engine.state == ground.state


@OFTEN
@given(share=st.floats(0.0, 1.0))
def test_a_swarm_resumes_from_any_prefix(lived: Ground, share: float) -> None:
    records = lived.records[: 1 + int(share * (len(lived.records) - 1))]
    before = {
        event.run.experiment for r in records if isinstance(event := r.event, e.ExperimentFinished) and event.run.ok
    }
    ground = resumed(records)
    ground.play(PLANTED)
    state = assert_sane(ground)
    assert state.phase == "done"
    assert not before & {experiment.id for experiment in ground.calls}, "a finished run was repeated"
    unfinished = {r.event.number for r in records if isinstance(r.event, e.ExperimentStarted)} - {
        r.event.number for r in records if isinstance(r.event, e.ExperimentFinished)
    }
    assert {n for n in unfinished if (run := state.rows[n].run) and run.reason == "lost"} == unfinished


@pytest.mark.parametrize("budget", [1, 2, 3, 4, 5, 7, 10, 15, 16, 29, 30, 31, 37, 50])
def test_the_budget_is_never_overspent(budget: int) -> None:
    for seed in range(2):
        ground = grown(World({"flag=True": 2.0}, seed=seed), budget, options={"seed": seed})
        state = assert_sane(ground)
        assert len(ground.calls) == state.experiments <= budget
        assert state.experiments >= min(budget, 3), "the baseline at least"


@OFTEN
@given(budget=st.integers(1, 45), workers=st.integers(1, 5), seed=st.integers(0, 1000), fails=st.booleans())
def test_no_world_overspends(budget: int, workers: int, seed: int, fails: bool) -> None:
    world = World({"flag=True": 2.0}, seed=seed)

    def function(experiment: Experiment) -> object:
        if fails and "seed=seed" in experiment.code and experiment.seed % 3 == 2 and "alpha=1.0" not in experiment.code:
            return None
        return world(experiment)

    ground = grown(function, budget, workers=workers, options={"seed": seed})
    assert_sane(ground)
    assert len(ground.calls) <= budget


@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_time_is_kept_within_one_runs_length(seconds: float) -> None:
    ground = grown(PLANTED, Budget(seconds=seconds), delay=0.02, poll=0.05)
    state = assert_sane(ground)
    assert state.phase == "done"
    assert state.clock <= seconds + 0.15
    assert state.experiments > 3


def test_time_cuts_a_long_run_off() -> None:
    ground = grown(PLANTED, Budget(seconds=0.6), delay=lambda x: 0.01 if x.purpose == "baseline" else 60.0, poll=0.05)
    state = assert_sane(ground)
    assert state.clock < 2.0
    assert state.failed == {"stopped": 2}


def test_a_baseline_longer_than_the_time_ends_the_swarm() -> None:
    state = assert_sane(grown(PLANTED, Budget(seconds=0.3), delay=60.0, poll=0.05))
    assert (state.phase, state.why) == ("done", "the budget ended before the baseline was measured")
    assert state.clock < 2.0


def screening_by_prefix(ground: Ground) -> list[tuple[int, int]]:
    """(screening, in all) after each start."""
    counts, kinds = [], Counter[bool]()
    for event in ground.of(e.ExperimentStarted):
        kinds[event.experiment.purpose in SCREENING] += 1
        counts.append((kinds[True], kinds[True] + kinds[False]))
    return counts


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_screening_leaves_confirmation_its_share(monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    monkeypatch.setattr(Purse, "grant", lambda self, clock: False)
    for seed in range(3):
        ground = grown(World(seed=seed), 90, options={"share_confirmation": share, "seed": seed})
        most = max(screening for screening, _ in screening_by_prefix(ground))
        assert most <= 90 * (1 - share)
        assert most >= 90 * (1 - share) - 8, "screening used its share"


def test_what_is_granted_is_half_of_the_rest() -> None:
    for seed in range(3):
        ground = grown(World(seed=seed), 120, options={"seed": seed})
        asked = 60.0
        for screening, whole in screening_by_prefix(ground):
            while screening > asked:  # a grant must have come: half of what was left then
                asked += (120 - (whole - 1)) / 2
            assert screening <= 120 - 2


def test_confirmation_is_reserved_before_screening_begins() -> None:
    state = SwarmState(budget=Budget(experiments=100))
    purse = Purse(state, workers=2)
    assert purse.left("screening", 0.0) == 50
    assert purse.left("confirmation", 0.0) == 95, "five are kept for the best"
    assert purse.left("best", 0.0) == 100
    assert [Purse(SwarmState(budget=Budget(experiments=n)), 2).left("screening", 0.0) for n in (1, 2, 3, 12)] == [
        0,
        0,
        1,
        6,
    ]


def test_two_engines_one_ledger() -> None:
    ground = Ground([request(60)])
    first = ground.engine(PLANTED, delay=0.02)

    async def body() -> None:
        working = asyncio.create_task(first.work())
        while len(first.state.rows) < 8:
            await asyncio.sleep(0.01)
        second = ground.engine(PLANTED)
        last = ground.records[-1].number
        assert not working.done()
        with pytest.raises(LeaseLost, match="another runner"):
            await working
        assert ground.records[-1].number == last, "the earlier epoch writes no more"
        await second.work()

    asyncio.run(body())
    state = assert_sane(ground)
    assert state.failed["lost"] >= 1


def test_only_one_owner_gets_the_lease() -> None:
    ground = Ground([request(10)])
    assert ground.store.lease(NAME, "host:1") is not None
    assert ground.store.lease(NAME, "host:2") is None


def test_two_swarms_with_one_seed_decide_alike() -> None:
    played = [grown(PLANTED, 80, prompt=True, workers=1) for _ in range(2)]
    first, second = ([e.encode(event) for event in ground.events] for ground in played)
    drop = [(a, b) for a, b in zip(first, second, strict=True) if a != b and b'"task-finished"' not in a]
    assert drop == [], "only the seconds of reading differ"


def mirrored(event: Any) -> Any:
    """What is decided in an event, values and words left out."""
    if isinstance(event, e.HypothesisProposed):
        return event.hypothesis.id, event.hypothesis.variation.code, event.hypothesis.agent, event.hypothesis.direction
    if isinstance(event, e.ExperimentStarted):
        return event.number, event.experiment.id, event.experiment.purpose
    if isinstance(event, e.VerdictReached):
        return event.plan, event.evidence.verdict, event.evidence.pairs, round(event.evidence.effect, 9)
    if isinstance(event, e.BestEstimated):
        return event.variation.code, event.runs
    return event if isinstance(event, e.PlanRegistered | e.StandingChanged | e.AgentHired | e.DirectionOpened) else None


def test_minimising_the_mirror_image_is_the_same() -> None:
    up = grown(World({"flag=True": 3.0}), 150, prompt=True, workers=1)
    down = grown(World({"flag=True": 3.0}, sign=-1.0), 150, prompt=True, workers=1, options={"maximize": False})
    assert [m for x in up.events if (m := mirrored(x))] == [m for x in down.events if (m := mirrored(x))]
    ours, theirs = up.state, down.state
    assert ours.supported()
    assert ours.best is not None
    assert theirs.best is not None
    assert ours.best.mean == pytest.approx(-theirs.best.mean)
    assert "raises score" in ours.supported()[0].hypothesis.statement
    assert "lowers score" in theirs.supported()[0].hypothesis.statement
    assert [c.hypothesis.id for c, *_ in ours.leaders()] == [c.hypothesis.id for c, *_ in theirs.leaders()]


def test_a_ledger_longer_than_one_read_is_read_whole() -> None:
    ground = Ground([request(5)])
    ground.say(*[e.Noted(text="chatter")] * 100_001)
    ground.say(e.StopRequested())
    state = ground.play(PLANTED)
    assert state.phase == "stopped"
    assert ground.calls == []


def test_folding_leaves_events_alone(lived: Ground) -> None:
    records = lived.records
    before = deepcopy(records)
    SwarmState.of(records)
    assert records == before
