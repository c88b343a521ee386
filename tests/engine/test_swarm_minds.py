"""Minds compete for work: one that costs money begins as a minority and earns its share by what its ideas gain."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worlds import World, grown, request

from jupyter_swarm.engine import allocation
from jupyter_swarm.events import Record
from jupyter_swarm.state import Agent, Case, SwarmState
from jupyter_swarm.words import Hypothesis, Policy, Variation

MODEL = "openai:x"


def state_of(rules: list[float], model: list[float], failures: int = 0) -> SwarmState:
    """A swarm whose minds' ideas gained so much at first sight, in standard deviations of a pair."""
    state = SwarmState(residual=100.0, residual_freedom=100)
    state.apply(Record(1, "w", 0.0, 0.0, request()))
    for mind, gains in (("classical", rules), (MODEL, model)):
        state.agents[mind] = Agent(mind, "brainstorming", mind, Policy())
        for gain in gains:
            name = f"H{len(state.cases)}"
            base = Variation(code="")
            idea = Hypothesis(id=name, statement="", direction="D1", agent=mind, variation=base, reference=base)
            state.cases[name] = Case(idea, gains=[gain])
    for number in range(failures):
        base = Variation(code="")
        idea = Hypothesis(id=f"F{number}", statement="", direction="D1", agent=MODEL, variation=base, reference=base)
        state.cases[f"F{number}"] = Case(idea, failures=1)
    state.started["screening"] = len(state.cases)
    return state


def share(state: SwarmState) -> float:
    """How often the model is asked first."""
    rng = random.Random(1)
    return sum(allocation.draw_minds(state, rng)[0] == MODEL for _ in range(4000)) / 4000


def noise(count: int, mean: float = 0.0) -> list[float]:
    rng = random.Random(count)
    return [rng.gauss(mean, 1.0) for _ in range(count)]


def test_it_begins_as_a_minority() -> None:
    assert 0.1 < share(state_of([], [])) < 0.25


def test_it_earns_its_share_and_never_a_majority() -> None:
    assert share(state_of(noise(40), noise(20, 1.0))) > 0.35
    assert share(state_of(noise(40), noise(60, 3.0))) <= 0.53


@pytest.mark.parametrize("mean", [0.0, -1.0])
def test_useless_and_harmful_ideas_lose_it(mean: float) -> None:
    began = share(state_of([], []))
    after = [share(state_of(noise(60), [each + mean - sum(noise(count)) / count for each in noise(count)]))
             for count in (5, 20, 60)]  # fmt: skip
    assert after[-1] < after[0] <= began
    assert after[-1] < 0.02


def test_ideas_that_fail_lose_it() -> None:
    assert share(state_of(noise(40), [], failures=10)) < 0.05


def test_several_models_are_all_asked_in_time() -> None:
    state = state_of(noise(10), noise(10))
    state.agents["other"] = Agent("other", "brainstorming", "openai:y", Policy())
    rng = random.Random(2)
    firsts = {allocation.draw_minds(state, rng)[0] for _ in range(400)}
    assert firsts == {"classical", MODEL, "openai:y"}
    assert all(len(allocation.draw_minds(state, rng)) == 3 for _ in range(10))


def test_a_runner_and_its_resumption_draw_from_the_same_records() -> None:
    """What a mind's ideas gained is known when their runs come back, whether or not another was begun since."""
    ground = grown(World({"flag=True": 1.0}), 80, workers=2)
    going_on, known, records = SwarmState(), set(), ground.records
    for place, record in enumerate(records, 1):
        going_on.apply(record)
        found = allocation.records(going_on)
        assert found == allocation.records(SwarmState.of(records[:place]))
        known.add(found.get("classical"))
    assert len(known) > 20


def test_records_are_made_anew_no_oftener_than_runs_come_back() -> None:
    ground = grown(World(), 60)
    state, made = SwarmState(), 0
    for record in ground.records:
        state.apply(record)
        before = state.memo.get("minds")
        allocation.records(state)
        made += state.memo["minds"] is not before
    assert made <= 2 + sum(row.run is not None for row in state.rows.values())
