"""Staffing: a person hires, dismisses, resizes; approves and vetoes whole directions; within the policy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from test_swarm_steering import answers, asked, worked
from worlds import STEADY, Ground, Judged, World, request

from jupyter_swarm import events as e
from jupyter_swarm.engine import roster
from jupyter_swarm.engine.steering import answer
from jupyter_swarm.policy import House
from jupyter_swarm.settings import MOST_AGENTS
from jupyter_swarm.state import Steering, SwarmState
from jupyter_swarm.words import Budget

PLANTED = World({"flag=True": 4.0})


@pytest.fixture
def judged() -> Judged:
    """Sixteen agents, one direction, one hypothesis (of inventor-1) supported."""
    made = Judged()
    made.gain(made.plan(), *STEADY)
    made.verdicts()
    return made


def with_models(judged: Judged, models: str) -> SwarmState:
    judged.say(request(400, models=models))
    return judged.state


def working(state: SwarmState, role: str) -> list[str]:
    return [agent.id for agent in roster.working(state, role)]


# ---------------------------------------------------------------- hire


@pytest.mark.parametrize("words", ["brainstorming", "inventor", " Inventor "])
def test_a_newcomer_is_drawn_like_the_others_and_follows_the_best(judged: Judged, words: str) -> None:
    done, text, [hired] = asked(judged.state, "hire", words)
    assert (done, hired.agent, hired.role, hired.mind) == (True, "inventor-7", "brainstorming", "classical")
    assert hired.parent == "inventor-1", "whose hypothesis is supported"
    assert "inventor-7" in text
    assert set(hired.policy.weights) == set(roster.OPERATORS)
    policies = [agent.policy for agent in judged.state.agents.values()]
    assert hired.policy not in policies
    assert asked(judged.state, "hire", words)[2] == [hired], "the same for the same state"
    judged.say(hired)
    assert asked(judged.state, "hire", words)[2][0].agent == "inventor-8"


@pytest.mark.parametrize(
    ("role", "mind", "why"),
    [
        ("", None, "there is no role ''; there are literature (reader), brainstorming (inventor)"),
        ("chef", None, "there is no role 'chef'"),
        ("tuner-1", None, "there is no role 'tuner-1'"),
        ("tuner", "openai:gpt-5", "this swarm has no mind 'openai:gpt-5' for tuning (tuner); there is classical"),
        ("tuner", "0", "this swarm has no mind '0'"),
        ("coder", None, "needs a language model, and this swarm asks none"),
        ("coder", "classical", "needs a language model"),
    ],
)
def test_hire_refused(judged: Judged, role: str, mind: Any, why: str) -> None:
    done, text, _ = asked(judged.state, "hire", role, mind)
    assert not done
    assert why in text


def test_only_the_models_of_the_swarm_are_hired(judged: Judged) -> None:
    state = with_models(judged, "local:a local:b")
    assert asked(state, "hire", "coder")[2][0].mind == "local:a"
    assert asked(state, "hire", "coder", "local:b")[2][0].mind == "local:b"
    assert asked(state, "hire", "tuner", "local:b")[2][0].mind == "local:b"
    assert asked(state, "hire", "tuner")[2][0].mind == "classical"
    assert "there are classical, local:a, local:b" in asked(state, "hire", "tuner", "local:c")[1]
    assert "there are local:a, local:b" in asked(state, "hire", "coder", "classical")[1]
    minds = [each.mind for each in asked(state, "resize", "coder", 3)[2]]
    assert minds == ["local:a", "local:b", "local:a"], "in turn"


def test_a_swarm_has_a_limit(judged: Judged) -> None:
    assert len(asked(judged.state, "resize", "tuner", MOST_AGENTS - 12)[2]) == MOST_AGENTS - 16
    done, text, _ = asked(judged.state, "resize", "tuner", MOST_AGENTS - 11)
    assert (done, text) == (False, "that would be 10,001 agents: a swarm has 10,000 at most")


# ---------------------------------------------------------------- dismiss


def test_dismissed_is_dismissed_without_a_successor(judged: Judged) -> None:
    done, text, [changed] = asked(judged.state, "dismiss", "inventor-2")
    assert done
    assert changed == e.StandingChanged(agent="inventor-2", standing="dismissed", why="dismissed by the person")
    assert "under way" in text
    judged.say(changed)
    judged.state.agents["inventor-2"].refuted = 60
    assert [each for each in roster.review(judged.state) if each.agent == "inventor-2"] == []
    assert not [each for each in roster.review(judged.state) if isinstance(each, e.AgentHired)]
    again = asked(judged.state, "dismiss", "inventor-2")
    assert again[:2] == (False, "inventor-2 is dismissed already: dismissed by the person")
    assert asked(judged.state, "hire", "inventor")[2][0].agent == "inventor-7", "no name is given twice"


@pytest.mark.parametrize(
    ("agent", "why"),
    [
        ("", "there is no agent ''; there are reader-1"),
        ("inventor-99", "there is no agent 'inventor-99'; near are inventor-"),
        ("tuning", "there is no agent 'tuning'"),
        ("H1", "there is no agent 'H1'"),
    ],
)
def test_dismiss_refused(judged: Judged, agent: str, why: str) -> None:
    done, text, _ = asked(judged.state, "dismiss", agent)
    assert not done
    assert why in text


@pytest.mark.parametrize(("short", "count"), [("reader", 2), ("inventor", 6), ("tuner", 4), ("checker", 4)])
def test_the_last_of_a_role_stays(judged: Judged, short: str, count: int) -> None:
    for place in range(1, count):
        judged.say(*asked(judged.state, "dismiss", f"{short}-{place}")[2])
    done, text, _ = asked(judged.state, "dismiss", f"{short}-{count}")
    assert not done
    assert f"{short}-{count} is the last of" in text
    assert "priority 0" in text
    judged.say(*asked(judged.state, "hire", short)[2])
    assert asked(judged.state, "dismiss", f"{short}-{count}")[0]


# ---------------------------------------------------------------- resize


def test_resize_hires_and_dismisses_the_worst_first(judged: Judged) -> None:
    state = judged.state
    state.agents["tuner-2"].refuted, state.agents["tuner-4"].supported = 3, 2
    done, text, events = asked(state, "resize", "tuner", 2)
    assert done
    assert [(each.agent, each.standing) for each in events] == [("tuner-2", "dismissed"), ("tuner-3", "dismissed")]
    assert "tuner-2, tuner-3" in text
    judged.say(*events)
    assert working(state, "tuning") == ["tuner-1", "tuner-4"]
    _, _, events = asked(state, "resize", "tuning", "5")
    assert [(each.agent, each.parent) for each in events] == [(f"tuner-{n}", "tuner-4") for n in (5, 6, 7)]
    judged.say(*events)
    assert len(working(state, "tuning")) == 5
    assert asked(state, "resize", "tuner", 5.0)[::2] == (True, []), "so it is"


@pytest.mark.parametrize("value", [None, 0, -1, 2.5, "many", "", "1e1", "²", float("nan"), float("inf"), 10_001, True])
def test_resize_refused(judged: Judged, value: Any) -> None:
    done, text, _ = asked(judged.state, "resize", "tuner", value)
    assert not done
    assert "is no number of agents: give a whole number from 1 to 10,000" in text
    assert not asked(judged.state, "resize", "nobody", 3)[0]


def test_two_that_are_dismissed_at_once_have_two_successors() -> None:
    judged = Judged()
    for name in ("tuner-1", "tuner-2"):
        judged.state.agents[name].refuted = 60
    judged.state.agents["tuner-3"].supported = 60
    hired = [each.agent for each in roster.review(judged.state) if isinstance(each, e.AgentHired)]
    assert hired == ["tuner-5", "tuner-6"]


# ---------------------------------------------------------------- whole directions


def test_approve_and_veto_a_direction(judged: Judged) -> None:
    judged.plan()
    judged.plan()
    done, text, events = asked(judged.state, "approve", "D1")
    assert done
    assert events == [
        e.HypothesisMarked(hypothesis="H2", mark="approved"),
        e.HypothesisMarked(hypothesis="H3", mark="approved"),
        e.DirectionWeighted(direction="D1", priority=2.0),
    ]
    assert "H2, H3 marked approved" in text
    judged.say(*events, e.DirectionWeighted(direction="D1", priority=7.0))
    assert asked(judged.state, "approve", "D1")[2] == [e.DirectionWeighted(direction="D1", priority=7.0)]
    done, _, events = asked(judged.state, "veto", "D1")
    assert done
    assert [each.hypothesis for each in events[:-1]] == ["H2", "H3"]
    assert events[-1] == e.DirectionClosed(direction="D1", why="vetoed by the person")
    judged.say(*events)
    assert judged.state.cases["H1"].mark == "", "what has its verdict keeps it"
    for verb in ("approve", "veto"):
        assert "vetoed by the person" in asked(judged.state, verb, "D1")[1]
        assert asked(judged.state, verb, "D9")[:2] == (False, "there is no direction 'D9'; they are D1 to D1")
        assert not asked(judged.state, verb, "flag")[0], "its title is no hypothesis"


def test_a_direction_that_was_closed_can_still_be_vetoed(judged: Judged) -> None:
    judged.plan()
    judged.say(*asked(judged.state, "close", "D1")[2])
    assert not asked(judged.state, "approve", "D1")[0]
    assert asked(judged.state, "veto", "D1")[2] == [e.HypothesisMarked(hypothesis="H2", mark="vetoed")]


# ---------------------------------------------------------------- an administrator's limits, in the runner


@pytest.mark.parametrize(
    ("house", "ask", "why"),
    [
        (House(agents=16), ("hire", "tuner", None), "17 agents are more than the 16 that are allowed"),
        (House(agents=18), ("resize", "tuner", 7), "19 agents are more than the 18 that are allowed"),
        (House(models=("local:b",)), ("hire", "tuner", "local:a"), "the model local:a is not allowed"),
        (House(seconds=3600), ("budget", "", "2h"), "a budget of 7,200 seconds is more than the 3,600"),
        (House(experiments=500), ("budget", "", "501x"), "a budget of 501 experiments is more than the 500"),
    ],
)
def test_no_request_goes_beyond_the_policy(judged: Judged, house: House, ask: tuple[Any, str, Any], why: str) -> None:
    state = with_models(judged, "local:a local:b")
    verb, target, value = ask
    entry = Steering(7, e.SteeringRequested(verb=verb, target=target, value=value))
    [refused] = answer(state, entry, house)
    assert isinstance(refused, e.SteeringAnswered)
    assert not refused.done
    assert why in refused.answer
    assert "an administrator has set it" in refused.answer
    assert isinstance(answer(state, entry)[-1], e.SteeringAnswered)
    assert len(answer(state, entry)) > 1, "without a policy it is done"


def test_fewer_agents_are_always_allowed(judged: Judged) -> None:
    entry = Steering(7, e.SteeringRequested(verb="resize", target="tuner", value=3))
    assert len(answer(judged.state, entry, House(agents=8))) == 2


# ---------------------------------------------------------------- in a swarm at work


def test_a_swarm_at_work_is_staffed_and_replays_exactly() -> None:
    ground = Ground([request(300)])
    engine = ground.engine(PLANTED, delay=0.003)
    numbers: list[int] = []

    def ask() -> None:
        for verb, target, value in (
            ("hire", "tuner", None),
            ("hire", "brainstorming", "classical"),
            ("dismiss", "inventor-1", None),
            ("resize", "checker", 2),
            ("resize", "inventor", 9),
            ("dismiss", "nobody-1", None),
            ("hire", "tuner", "openai:gpt-5"),
            ("resize", "inventor", 0),
            ("approve", "D1", None),
            ("veto", "D2", None),
        ):
            numbers.append(ground.steer(verb, target, value))

    def answered(state: SwarmState) -> bool:
        return sum(each.done is not None for each in state.steering.values()) == len(numbers) > 0

    worked(ground, engine, (lambda state: len(state.cases) > 4, ask), (answered, lambda: engine.quit("enough")))
    assert answers(ground) == dict.fromkeys(numbers, 1)
    assert [each.done for each in ground.state.steering.values()] == [True] * 5 + [False] * 3 + [True] * 2
    assert ground.state.agents == engine.state.agents, "the ledger alone gives the same team"
    assert (len(working(ground.state, "tuning")), len(working(ground.state, "brainstorming"))) == (5, 9)
    assert len(working(ground.state, "validation")) == 2
    late = ground.steer("hire", "reader")
    state = ground.play(PLANTED)
    assert state.steering[late].answer.startswith("hired reader-3")
    assert answers(ground) == dict.fromkeys([*numbers, late], 1), "none is carried out twice"
    assert ground.state.agents == state.agents
    assert state.phase == "done"
    newcomers = {"tuner-5", "inventor-7", "inventor-8", "inventor-9", "inventor-10"}
    assert newcomers <= set(state.agents)
    assert any(state.agents[name].proposed for name in newcomers), "who is hired works"
    assert state.directions["D1"].priority == 2.0
    assert state.directions["D2"].closed == "vetoed by the person"


def test_what_a_dismissed_agent_has_in_flight_ends_and_nothing_follows() -> None:
    ground = Ground([request(120)])
    engine = ground.engine(World(), delay=0.03)
    flying: dict[str, list[int]] = {}

    def busy(state: SwarmState) -> bool:
        rows = [row for row in state.in_flight if row.experiment.agent.startswith(("inventor", "tuner"))]
        return bool(rows)

    def dismiss() -> None:
        for row in engine.state.in_flight:
            if row.experiment.agent.startswith(("inventor", "tuner")) and row.experiment.agent not in flying:
                flying.setdefault(row.experiment.agent, []).append(row.number)
                ground.steer("dismiss", row.experiment.agent)

    state = worked(ground, engine, (busy, dismiss))
    assert flying
    assert all(each.done for each in state.steering.values())
    for agent, numbers in flying.items():
        assert state.agents[agent].why == "dismissed by the person"
        assert all(run is not None and run.ok for run in (state.rows[number].run for number in numbers))
        gone = next(
            record.number
            for record in ground.records
            if isinstance(record.event, e.StandingChanged) and record.event.agent == agent
        )
        later = [record.event for record in ground.records if record.number > gone]
        begun = [each.experiment.agent for each in later if isinstance(each, e.ExperimentStarted)]
        assert begun
        assert agent not in begun
        assert agent not in [each.hypothesis.agent for each in later if isinstance(each, e.HypothesisProposed)]
        assert agent not in [each.parent for each in later if isinstance(each, e.AgentHired)]


def test_a_paused_swarm_is_staffed_without_work() -> None:
    ground = Ground([request(Budget(seconds=60.0, experiments=60))])
    engine = ground.engine(PLANTED, delay=0.01)
    counts: list[int] = []

    def ask() -> None:
        counts.append(engine.state.experiments)
        for verb, target, value in (
            ("resize", "tuner", 1),
            ("hire", "inventor", None),
            ("dismiss", "inventor-3", None),
        ):
            ground.steer(verb, target, value)

    def answered(state: SwarmState) -> bool:
        return len(state.steering) == 3 and all(each.done is not None for each in state.steering.values())

    def resume() -> None:
        counts.append(engine.state.experiments)
        ground.say(e.ResumeRequested())

    state = worked(
        ground,
        engine,
        (lambda state: len(state.rows) > 8, lambda: ground.say(e.PauseRequested())),
        (lambda state: state.phase == "paused" and not state.in_flight, ask),
        (answered, resume),
    )
    assert [each.done for each in state.steering.values()] == [True] * 3
    assert counts[0] == counts[1], "an answer begins no run"
    assert working(state, "tuning") == ["tuner-1"]
    assert state.phase == "done"


def test_a_veto_of_a_direction_ends_its_plans() -> None:
    ground = Ground([request(300)])
    engine = ground.engine(World({"flag=True": 1.2}), delay=0.003)
    vetoed: list[str] = []

    def veto() -> None:
        case = engine.state.cases[next(iter(engine.state.trials.values())).plan.hypothesis]
        vetoed.extend((case.hypothesis.id, case.hypothesis.direction))
        ground.steer("veto", case.hypothesis.direction)

    state = worked(ground, engine, (lambda state: any(each.variation for each in state.trials.values()), veto))
    name, direction = vetoed
    evidence = state.cases[name].evidence
    assert evidence is not None
    assert (evidence.verdict, evidence.note) == ("open", "vetoed by the person")
    answered = next(r.number for r in ground.records if isinstance(r.event, e.SteeringAnswered))
    later = [r.event for r in ground.records if r.number > answered]
    assert direction not in [each.hypothesis.direction for each in later if isinstance(each, e.HypothesisProposed)]
    planned = [each.plan.hypothesis for each in later if isinstance(each, e.PlanRegistered)]
    assert not set(planned) & set(state.directions[direction].cases)
