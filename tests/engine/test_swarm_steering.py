"""Steering: every verb done or refused with its reason, each request answered once, also across a restart."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worlds import STEADY, Ground, Judged, World, request

from jupyter_swarm import events as e
from jupyter_swarm.engine.steering import answer
from jupyter_swarm.engine.swarm import Swarm
from jupyter_swarm.state import Steering, SwarmState
from jupyter_swarm.words import Budget

PLANTED = World({"flag=True": 4.0})


def asked(
    state: SwarmState, verb: Any, target: str = "", value: float | str | None = None
) -> tuple[bool, str, list[Any]]:
    """(done, answer, what is carried out) of one request."""
    events = answer(state, Steering(7, e.SteeringRequested(verb=verb, target=target, value=value)))
    last = events[-1]
    assert isinstance(last, e.SteeringAnswered)
    assert last.request == 7
    assert last.answer
    if not last.done:
        assert events == [last], "a refusal changes nothing"
    return last.done, last.answer, events[:-1]


@pytest.fixture
def judged() -> Judged:
    """Baseline measured, one direction, one hypothesis supported."""
    made = Judged()
    made.gain(made.plan(), *STEADY)
    made.verdicts()
    return made


def test_priority(judged: Judged) -> None:
    for words in ("D1", "flag", "FLAG", "fla"):
        assert asked(judged.state, "priority", words, 3.0)[::2] == (
            True,
            [e.DirectionWeighted(direction="D1", priority=3)],
        )
    assert asked(judged.state, "priority", "D1", "0.5")[2] == [e.DirectionWeighted(direction="D1", priority=0.5)]


@pytest.mark.parametrize(
    ("target", "value", "why"),
    [
        ("nothing of the kind", 1.0, "no direction matches 'nothing of the kind': D1 flag"),
        ("", 1.0, "no direction matches"),
        ("D1", "much", "'much' is no priority"),
        ("D1", None, "None is no priority"),
        ("D1", -1.0, "-1 is no priority"),
        ("D1", 101.0, "101 is no priority"),
        ("D1", float("nan"), "nan is no priority"),
    ],
)
def test_priority_refused(judged: Judged, target: str, value: Any, why: str) -> None:
    done, text, _ = asked(judged.state, "priority", target, value)
    assert not done
    assert why in text


def test_words_that_fit_several_directions_are_refused(judged: Judged) -> None:
    judged.say(e.DirectionOpened(direction="D2", title="flags of ships", agent=""))
    done, text, _ = asked(judged.state, "priority", "fla", 1.0)
    assert (done, "several directions match" in text, "D2 flags of ships" in text) == (False, True, True)
    assert asked(judged.state, "close", "flag")[0], "an exact title goes before"


def test_add_opens_a_direction_over_what_the_words_name(judged: Judged) -> None:
    done, text, events = asked(judged.state, "add", "try the depth")
    assert done
    opened, weighted = events
    assert (opened.direction, opened.targets, opened.title) == ("D2", ("measure.depth",), "try the depth")
    assert opened.base is not None, "there is a best cell to begin from"
    assert (weighted.direction, weighted.priority) == ("D2", 2.0)
    assert "measure.depth" in text
    for words in ("", "?!", "the price of fish"):
        assert not asked(judged.state, "add", words)[0]


def test_close(judged: Judged) -> None:
    done, _, events = asked(judged.state, "close", "D1")
    assert (done, [type(each) for each in events]) == (True, [e.DirectionClosed])
    judged.say(*events)
    assert asked(judged.state, "close", "D1")[1] == "'flag' is closed already: closed by the person"
    assert asked(judged.state, "priority", "D1", 5.0)[1] == "'flag' is closed: closed by the person"
    assert not asked(judged.state, "close", "D9")[0]


def test_approve_and_veto(judged: Judged) -> None:
    assert asked(judged.state, "approve", "H1")[2] == [e.HypothesisMarked(hypothesis="H1", mark="approved")]
    assert asked(judged.state, "veto", "H1")[2] == [e.HypothesisMarked(hypothesis="H1", mark="vetoed")]
    for verb in ("approve", "veto"):
        assert asked(judged.state, verb, "H9")[1] == "there is no hypothesis 'H9'; they are H1 to H1"


def test_a_vetoed_finding_is_not_built_upon(judged: Judged) -> None:
    assert judged.state.incumbent() is not None
    judged.say(*asked(judged.state, "veto", "H1")[2])
    assert judged.state.incumbent() is None
    assert judged.state.supported() == []


@pytest.mark.parametrize("target", ["", "99", "0", "-1", "²", "9" * 5000, "seven", "1.5"])
def test_replicate_refused(judged: Judged, target: str) -> None:
    done, text, _ = asked(judged.state, "replicate", target)
    assert not done
    assert "there is no finished run" in text


def test_a_run_that_is_out_cannot_be_replicated(judged: Judged) -> None:
    judged.pair(judged.plan(), 0, None, 1.0)
    out = judged.state.in_flight[0].number
    assert not asked(judged.state, "replicate", str(out))[0]
    assert asked(judged.state, "replicate", "#1")[0]


@pytest.mark.parametrize(
    ("value", "budget"),
    [
        ("500x", Budget(experiments=500)),
        ("90s", Budget(seconds=90, experiments=400)),
        ("90s,23x", Budget(seconds=90, experiments=23)),
    ],
)
def test_budget(judged: Judged, value: str, budget: Budget) -> None:
    assert judged.state.experiments == 23
    assert asked(judged.state, "budget", "", value)[2] == [e.BudgetChanged(budget=budget)]
    assert asked(judged.state, "budget", value)[2] == [e.BudgetChanged(budget=budget)], "the target will do"


@pytest.mark.parametrize("value", ["22x", "0x", "lots", "", "-5x", "5", "1e3x"])
def test_budget_refused(judged: Judged, value: str) -> None:
    done, text, _ = asked(judged.state, "budget", "", value)
    assert not done
    assert "more is spent already: 23 experiments" in text or "is no budget" in text


def test_what_cannot_be_answered_is_refused_and_not_left_to_end_every_runner() -> None:
    """`add` in a cell that can no longer be read: whatever goes wrong is the answer."""
    judged = Judged()
    judged.state.request = None
    done, text, _ = asked(judged.state, "add", "depth")
    assert not done
    assert "could not be carried out" in text


# ---------------------------------------------------------------- in a swarm at work


def worked(
    ground: Ground, engine: Swarm, *steps: tuple[Callable[[SwarmState], object], Callable[[], object]]
) -> SwarmState:
    """Let an engine work; as soon as a condition holds, do what belongs to it; then the next; until it ends."""

    async def body() -> None:
        working = asyncio.create_task(engine.work())
        for condition, act in steps:
            while not condition(engine.state) and not working.done():
                await asyncio.sleep(0.002)
            assert not working.done(), "the swarm ended before"
            act()
        await asyncio.wait_for(working, 60)

    asyncio.run(body())
    return ground.state


def answers(ground: Ground) -> Counter[int]:
    return Counter(event.request for event in ground.of(e.SteeringAnswered))


def test_each_request_is_answered_once_also_by_a_later_runner() -> None:
    ground = Ground([request(100)])
    engine = ground.engine(PLANTED, delay=0.004)
    numbers: list[int] = []

    def ask() -> None:
        for verb, target, value in (
            ("priority", "measure.flag", 5.0),
            ("priority", "nothing", 5.0),
            ("add", "depth and rate", None),
            ("close", "measure.alpha", None),
            ("approve", "H1", None),
            ("veto", "H2", None),
            ("replicate", "1", None),
            ("budget", "", "90x"),
        ):
            numbers.append(ground.steer(verb, target, value))

    worked(
        ground,
        engine,
        (lambda state: len(state.cases) > 2, ask),
        (
            lambda state: sum(each.done is not None for each in state.steering.values()) == 8,
            lambda: engine.quit("enough"),
        ),
    )
    assert answers(ground) == Counter(numbers)
    last = ground.steer("priority", "measure.rate", 0.5)
    state = ground.play(PLANTED)
    assert answers(ground) == Counter([*numbers, last])
    assert [each.done for each in state.steering.values()] == [True, False, True, True, True, True, True, True, True]
    assert state.budget.experiments == 90
    assert state.experiments <= 90
    directions = {each.title: each for each in state.directions.values()}
    assert directions["measure.flag"].priority == 5.0
    assert directions["measure.rate"].priority == 0.5
    assert directions["depth and rate"].agent == "you"
    assert state.cases["H2"].mark == "vetoed"


def test_requests_of_a_time_without_a_runner_are_answered_at_its_start() -> None:
    ground = Ground([request(20)])
    number = ground.steer("priority", "measure.flag", 3.0)
    state = ground.play(PLANTED)
    assert state.steering[number].answer
    assert answers(ground) == Counter([number])


def test_closed_and_resting_directions_get_nothing() -> None:
    ground = Ground([request(80)])
    engine = ground.engine(World(), delay=0.002)
    seen: dict[str, int] = {}

    def rest() -> None:
        ground.steer("close", "D1")
        ground.steer("priority", "D2", 0.0)

    def remember() -> None:
        seen.update({"D1": len(engine.state.directions["D1"].cases), "D2": len(engine.state.directions["D2"].cases)})

    state = worked(
        ground,
        engine,
        (lambda state: len(state.directions) > 1, rest),
        (lambda state: state.directions["D2"].priority == 0, remember),
    )
    assert {name: len(state.directions[name].cases) for name in seen} == seen
    others = [each for each in state.directions.values() if each.id not in seen]
    assert sum(len(each.cases) for each in others) > 5


def test_what_is_approved_is_confirmed_and_what_is_vetoed_is_not() -> None:
    """In a world without effects nothing is ready of itself so early."""
    ground = Ground([request(200)])
    engine = ground.engine(World({"": 0.0}, own=0.1), delay=0.002)
    state = worked(
        ground,
        engine,
        (
            lambda state: len(state.cases) > 3 and all(state.cases[name].gains for name in ("H1", "H2")),
            lambda: (ground.steer("approve", "H1"), ground.steer("veto", "H2")),
        ),
    )
    vetoed = next(each.number for each in state.steering.values() if each.request.verb == "veto")
    assert state.cases["H1"].plan
    later = [record for record in ground.records if record.number > vetoed + 2]
    planned = [record.event.plan.hypothesis for record in later if isinstance(record.event, e.PlanRegistered)]
    assert "H2" not in planned


def test_a_veto_ends_the_plan_under_way() -> None:
    ground = Ground([request(300)])
    engine = ground.engine(World({"flag=True": 1.2}), delay=0.003)
    chosen: list[str] = []

    def veto() -> None:
        name = next(iter(engine.state.trials.values())).plan.hypothesis
        chosen.append(name)
        ground.steer("veto", name)

    state = worked(ground, engine, (lambda state: any(each.variation for each in state.trials.values()), veto))
    case = state.cases[chosen[0]]
    assert case.evidence is not None
    assert (case.evidence.verdict, case.evidence.note) == ("open", "vetoed by the person")
    answered = next(r.number for r in ground.records if isinstance(r.event, e.SteeringAnswered))
    after = [
        r.event.experiment for r in ground.records if r.number > answered and isinstance(r.event, e.ExperimentStarted)
    ]
    assert not [one for one in after if one.hypothesis == chosen[0] and one.purpose == "confirmation"]
    assert state.trials[case.plan].plan.id == "P1", "the plan counts, run or not"


def test_a_run_is_replicated_on_fresh_seeds_at_once_with_the_answer() -> None:
    ground = Ground([request(60)])
    engine = ground.engine(PLANTED, delay=0.002)
    ask = (lambda state: len(state.cases) > 2, lambda: (ground.steer("replicate", "4"), ground.steer("replicate", "4")))
    state = worked(ground, engine, ask)
    again = [row for row in state.rows.values() if row.experiment.purpose == "replication"]
    assert len(again) == 6
    assert {row.experiment.code for row in again} == {state.rows[4].experiment.code}
    seeds = [row.experiment.seed for row in again]
    others = {row.experiment.seed for row in state.rows.values() if row.experiment.purpose != "replication"}
    assert len(set(seeds)) == 6
    assert not set(seeds) & others
    assert all(row.run and row.run.ok for row in again)
    at = [number for number, event in enumerate(ground.events) if isinstance(event, e.SteeringAnswered)]
    for place in at:
        assert [type(event) for event in ground.events[place + 1 : place + 4]] == [e.ExperimentStarted] * 3


def test_a_replication_that_cannot_be_paid_or_done_is_refused() -> None:
    ground = Ground([request(3)])
    engine = ground.engine(PLANTED, delay=0.05)
    state = worked(
        ground,
        engine,
        (lambda state: state.rows.get(1) and state.rows[1].run, lambda: ground.steer("replicate", "1")),
        (lambda state: len(state.rows) >= 3, lambda: ground.steer("replicate", "1")),
    )
    first, second = state.steering.values()
    assert (first.done, second.done) == (False, False)
    assert "nobody is hired yet" in first.answer or "does not pay" in first.answer
    assert "does not pay for 3 more runs" in second.answer
    assert not [row for row in state.rows.values() if row.experiment.purpose == "replication"]


def test_raising_the_budget_goes_on_and_cutting_it_ends() -> None:
    ground = Ground([request(40)])
    engine = ground.engine(World(), delay=0.003)
    state = worked(ground, engine, (lambda state: len(state.rows) > 20, lambda: ground.steer("budget", "", "70x")))
    assert 40 < state.experiments <= 70
    ground = Ground([request(400)])
    engine = ground.engine(World(), delay=0.003)
    state = worked(ground, engine, (lambda state: len(state.rows) > 20, lambda: ground.steer("budget", "", "30x")))
    assert state.phase == "done"
    assert 20 < state.experiments <= 30


# ---------------------------------------------------------------- pause, resume, stop


def test_it_pauses_by_itself_and_says_why() -> None:
    ground = Ground([request(Budget(seconds=60.0, experiments=40))])
    engine = ground.engine(PLANTED, delay=0.02)

    def held(state: SwarmState) -> bool:
        engine.hold("again")
        return state.phase == "paused"

    worked(
        ground,
        engine,
        (lambda state: len(state.rows) > 8, lambda: engine.hold("mine was 1 and is 2")),
        (held, lambda: ground.say(e.ResumeRequested())),
    )
    kinds = [type(event) for event in ground.events]
    assert kinds.count(e.SwarmPaused) == 1
    assert [event.text for event in ground.events if isinstance(event, e.Noted) and "mine was" in event.text]
    assert not [event for event in ground.events if isinstance(event, e.Noted) and event.text == "again"]
    assert ground.state.phase == "done"


def test_pause_starts_nothing_and_stops_the_clock() -> None:
    ground = Ground([request(Budget(seconds=60.0, experiments=40))])
    engine = ground.engine(PLANTED, delay=0.02)
    clock: list[float] = []
    wait: list[float] = []

    def paused(state: SwarmState) -> bool:
        if state.phase == "paused" and not state.in_flight:
            clock.append(engine.clock)
            wait.append(1)
        return len(wait) > 150

    worked(
        ground,
        engine,
        (lambda state: len(state.rows) > 8, lambda: ground.say(e.PauseRequested())),
        (paused, lambda: ground.say(e.ResumeRequested())),
    )
    assert len(set(clock)) == 1, "the clock stood still"
    kinds = [type(event) for event in ground.events]
    between = kinds[kinds.index(e.SwarmPaused) : kinds.index(e.SwarmResumed)]
    assert e.ExperimentStarted not in between
    assert between.count(e.ExperimentFinished) <= 2, "what ran may finish"
    assert ground.state.phase == "done"
    assert ground.state.experiments > 20


def test_a_pause_during_the_baseline_holds_the_rest_of_it() -> None:
    ground = Ground([request(20)])
    engine = ground.engine(PLANTED, delay=0.05)
    worked(
        ground,
        engine,
        (lambda state: len(state.rows) == 1, lambda: ground.say(e.PauseRequested())),
        (lambda state: state.phase == "paused" and not state.in_flight, lambda: ground.say(e.ResumeRequested())),
    )
    kinds = [type(event) for event in ground.events]
    between = kinds[kinds.index(e.SwarmPaused) : kinds.index(e.SwarmResumed)]
    assert e.ExperimentStarted not in between
    assert ground.state.phase == "done"


def test_a_paused_swarm_stays_paused_over_a_restart_until_resumed() -> None:
    ground = Ground([request(30), e.PauseRequested()])
    engine = ground.engine(PLANTED)
    worked(ground, engine, (lambda state: state.phase == "paused", lambda: engine.quit("leave")))
    assert ground.state.phase == "paused"
    engine = ground.engine(PLANTED)

    async def body() -> None:
        working = asyncio.create_task(engine.work())
        await asyncio.sleep(0.2)
        assert not working.done()
        assert ground.calls == []
        ground.say(e.ResumeRequested())
        await asyncio.wait_for(working, 30)

    asyncio.run(body())
    assert ground.state.phase == "done"
    assert ground.state.asked == ""


def test_a_replication_asked_for_in_a_pause_waits_for_its_end() -> None:
    ground = Ground([request(40)])
    engine = ground.engine(PLANTED, delay=0.01)
    count: list[int] = []

    def waited(state: SwarmState) -> bool:
        count.append(1)
        return len(count) > 50

    state = worked(
        ground,
        engine,
        (lambda state: len(state.cases) > 2, lambda: ground.say(e.PauseRequested())),
        (lambda state: state.phase == "paused", lambda: (ground.steer("replicate", "1"), ground.steer("veto", "H1"))),
        (waited, lambda: ground.say(e.ResumeRequested())),
    )
    kinds = [type(event) for event in ground.events]
    between = kinds[kinds.index(e.SwarmPaused) : kinds.index(e.SwarmResumed)]
    assert e.ExperimentStarted not in between
    assert between.count(e.SteeringAnswered) == 1, "the veto is answered at once"
    assert [each.done for each in state.steering.values()] == [True, True]


@pytest.mark.parametrize("when", [0, 1, 2, 15])
def test_stop_ends_it_and_findings_stay(when: int) -> None:
    ground = Ground([request(300)])
    engine = ground.engine(PLANTED, delay=0.01)
    state = worked(ground, engine, (lambda state: len(state.rows) >= when, lambda: ground.say(e.StopRequested())))
    assert (state.phase, state.why) == ("stopped", "stopped by the person")
    assert not state.in_flight
    assert len(state.rows) < 60
    assert isinstance(ground.events[-1], e.SwarmEnded)


def test_stop_in_a_pause_and_without_a_runner() -> None:
    ground = Ground([request(30)])
    engine = ground.engine(PLANTED, delay=0.01)
    state = worked(
        ground,
        engine,
        (lambda state: len(state.rows) > 5, lambda: ground.say(e.PauseRequested())),
        (lambda state: state.phase == "paused", lambda: ground.say(e.StopRequested())),
    )
    assert state.phase == "stopped"
    ground = Ground([request(30), e.PauseRequested(), e.StopRequested()])
    assert ground.play(PLANTED).phase == "stopped"
    assert ground.calls == []


def test_what_is_asked_while_a_pause_is_written_down_still_stands() -> None:
    """A resume that reaches the ledger just before the runner's own "paused" is acted upon, by a later runner too."""
    for second, phase in ((e.ResumeRequested(), "done"), (e.StopRequested(), "stopped")):
        ground = Ground([request(12), e.PauseRequested(), second, e.SwarmPaused()])
        assert ground.state.asked == {"done": "resume", "stopped": "stop"}[phase]
        assert ground.play(PLANTED).phase == phase
