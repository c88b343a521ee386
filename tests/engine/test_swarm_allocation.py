"""Who does what next: what works gets more, the person's word multiplies it, records decide who stays."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worlds import Ground, Judged, World, analysis, grown, request

from jupyter_swarm import cell, roles
from jupyter_swarm import events as e
from jupyter_swarm.engine import allocation, roster
from jupyter_swarm.protocols import Citation, Hit, Passage
from jupyter_swarm.roles.prospects import prospects
from jupyter_swarm.state import Agent, Direction, SwarmState
from jupyter_swarm.words import Edit, Evidence, Hypothesis, Policy, Variation

SEEDS = range(4)


def drawn(direction: Direction, *others: Direction, times: int = 4000) -> float:
    """How often a direction is drawn before the others."""
    rng = random.Random(0)
    wins = sum(
        max((direction, *others), key=lambda each: allocation.draw(each, rng)) is direction for _ in range(times)
    )
    return wins / times


def direction(**more: object) -> Direction:
    made = Direction("D", "d", "", (), "", (), None)
    for name, value in more.items():
        setattr(made, name, value)
    return made


def test_what_works_is_drawn_more_often_the_more_is_known() -> None:
    even = drawn(direction(), direction())
    some = drawn(direction(trials=4, reward=3.0), direction(trials=4, reward=1.0))
    much = drawn(direction(trials=40, reward=30.0), direction(trials=40, reward=10.0))
    assert 0.45 < even < 0.55 < some < much
    assert much > 0.99
    assert drawn(direction(supported=2), direction()) > 0.7


def test_priority_multiplies_and_zero_rests() -> None:
    assert drawn(direction(priority=5.0), direction()) > 0.85
    assert drawn(direction(priority=0.2), direction()) < 0.15
    assert not allocation.workable(direction(priority=0.0))
    assert not allocation.workable(direction(closed="closed by the person"))
    assert allocation.workable(direction())


def test_the_literatures_favour_raises_the_chance() -> None:
    favoured = direction(favours={"sklearn.preprocessing:RobustScaler": 1.0})
    assert drawn(favoured, direction()) > 0.58
    assert drawn(direction(favours={"x": 0.1}), direction()) < drawn(favoured, direction())


def share(world: World, title: str, **options: float) -> float:
    """The mean share of screening runs that a direction of the baseline got, over several swarms."""
    total = 0.0
    for seed in SEEDS:
        state = grown(world, 60, prompt=True, workers=1, options={"seed": seed, **options}).state
        shares = allocation.shares(each for each in state.directions.values() if each.base is None)
        named = next(each.id for each in state.directions.values() if each.title == title)
        total += shares[named] / len(SEEDS)
    return total


def test_a_direction_that_works_gets_more_runs() -> None:
    """Any larger depth is worth two paired standard deviations, in the one world; in the other nothing is."""
    good = {f"depth={digit}": 2.8 for digit in (1, 2, 4, 5, 6, 7, 8, 9)}
    worked, idle = share(World(good), "measure.depth"), share(World(), "measure.depth")
    assert worked > 1.25 * idle
    assert worked > 0.4, "of four directions"


@pytest.mark.parametrize("priority", [0.0, 5.0])
def test_a_persons_priority_shifts_the_runs(priority: float) -> None:
    shares = []
    for steered in (False, True):
        total = 0.0
        for seed in SEEDS:
            opened = [
                e.DirectionOpened(direction=f"D{number}", title=each.title, agent="", targets=each.targets)
                for number, each in enumerate(prospects(analysis(), Variation(code=analysis().code)), 1)
            ]
            said = [e.DirectionWeighted(direction="D2", priority=priority)] if steered else []
            ground = Ground([request(40, seed=seed), *opened, *said])
            state = ground.play(World(seed=seed), prompt=True, workers=1)
            total += allocation.shares(state.directions.values())["D2"]
        shares.append(total / len(SEEDS))
    free, steered_share = shares
    if priority:
        assert steered_share > 1.5 * free
    else:
        assert steered_share == 0.0 < free


def test_agents_with_a_better_record_get_more_work() -> None:
    state = Judged().state
    best, worst = state.agents["inventor-1"], state.agents["inventor-2"]
    best.supported, worst.refuted = 6, 6
    rng = random.Random(0)
    drawn = Counter(allocation.draw_agent(state, "brainstorming", rng).id for _ in range(3000))  # type: ignore[union-attr]
    newcomer = drawn["inventor-3"]
    assert drawn["inventor-1"] > 2 * newcomer > 4 * drawn["inventor-2"]
    best.standing = "plan"
    fewer = Counter(allocation.draw_agent(state, "brainstorming", rng).id for _ in range(3000))  # type: ignore[union-attr]
    assert fewer["inventor-1"] < drawn["inventor-1"] / 2, "on a plan: less work"
    best.standing = "dismissed"
    after = Counter(allocation.draw_agent(state, "brainstorming", rng).id for _ in range(3000))  # type: ignore[union-attr]
    assert after["inventor-1"] == 0
    assert allocation.draw_agent(state, "philosophy", rng) is None


# ---------------------------------------------------------------- roster


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 16, 32, 100, 1000])
def test_teams_have_their_size_and_every_role(count: int) -> None:
    team = roster.team(count)
    assert min(team.values()) >= 1
    assert sum(team.values()) == max(count, 4)
    assert set(team) == set(roles.find_all()) - {"implementation"}, "code is written where there is a model"


def test_agents_of_one_role_differ_in_their_policies() -> None:
    hired = roster.hire(32, seed=1)
    for role in ("brainstorming", "tuning"):
        policies = [agent.policy for agent in hired if agent.role == role]
        assert len({str(policy) for policy in policies}) == len(policies) > 4
    assert len({agent.policy.depth for agent in hired if agent.role == "literature"}) > 1
    assert len({agent.policy.sampler for agent in hired if agent.role == "tuning"}) >= 3
    assert len({agent.agent for agent in hired}) == 32
    assert hired == roster.hire(32, seed=1) != roster.hire(32, seed=2)
    assert [a.agent for a in grown(World(), 5, options={"agents": 8}).of(e.AgentHired)] == [
        a.agent for a in roster.hire(8, 0)
    ]


def record(state: SwarmState, agent: str, *verdicts: str) -> list[e.StandingChanged | e.AgentHired]:
    """Judge hypotheses of an agent one by one, as the engine would; all changes that come of it."""
    changes: list[e.StandingChanged | e.AgentHired] = []
    for verdict in verdicts:
        name = f"H{len(state.cases) + 1}"
        edit = Edit(kind="set", target="measure.alpha", value=100.0 + len(state.cases))
        hypothesis = Hypothesis(
            id=name, statement="", direction="D1", agent=agent, variation=cell.apply(analysis(), (edit,)),
            reference=state.baseline,
        )  # fmt: skip
        evidence = Evidence(
            verdict=verdict,
            effect=0.0,
            low=None,
            high=None,
            pairs=9,
            e_value=1.0,
            e_against=1.0,
            scope="seeds",  # type: ignore[arg-type]
        )
        for event in (
            e.HypothesisProposed(hypothesis=hypothesis),
            e.VerdictReached(hypothesis=name, plan="", evidence=evidence),
        ):
            state.apply(e.Record(state.last + 1, "world", 0.0, 0.0, event))
        for change in roster.review(state):
            changes.append(change)
            state.apply(e.Record(state.last + 1, "world", 0.0, 0.0, change))
    return changes


def test_probation_ends_with_a_success_or_after_three() -> None:
    state = Judged().state
    assert record(state, "inventor-1", "supported") == [
        e.StandingChanged(agent="inventor-1", standing="active", why="1 of 1 judged hypotheses supported")
    ]
    assert record(state, "tuner-1", "open", "open") == []
    assert state.agents["tuner-1"].standing == "probation"
    third = [each for each in record(state, "tuner-1", "open") if isinstance(each, e.StandingChanged)]
    assert ("tuner-1", "active") in [(each.agent, each.standing) for each in third]


def test_who_fails_while_others_succeed_is_put_on_a_plan_then_dismissed_and_succeeded() -> None:
    state = Judged().state
    for agent in ("inventor-1", "inventor-3", "tuner-1"):
        record(state, agent, *["supported"] * 8)
    changes = record(state, "inventor-2", *["refuted"] * 12)
    course = [each for each in changes if each.agent == "inventor-2" and isinstance(each, e.StandingChanged)]
    assert [each.standing for each in course] == ["plan", "dismissed"]
    assert "0 of" in course[-1].why
    hired = [each for each in changes if isinstance(each, e.AgentHired)]
    assert len(hired) == 1
    successor = state.agents[hired[0].agent]
    assert (successor.role, successor.standing, successor.works) == ("brainstorming", "probation", True)
    assert successor.parent in ("inventor-1", "inventor-3"), "a variation of who does best"
    parent = state.agents[successor.parent].policy
    assert successor.policy != parent
    assert set(successor.policy.weights) == set(parent.weights)
    assert not state.agents["inventor-2"].works
    assert record(state, "inventor-1", "supported") == [], "the dismissed stays dismissed, once"


def test_a_bad_day_dismisses_nobody() -> None:
    state = Judged().state
    record(state, "inventor-1", *["supported"] * 4)
    record(state, "inventor-2", "refuted", "refuted")
    assert state.agents["inventor-2"].standing == "probation"
    everybody = Judged().state
    for agent in ("inventor-1", "inventor-2", "inventor-3"):
        record(everybody, agent, *["refuted"] * 10)
    assert all(agent.works for agent in everybody.agents.values()), "where nothing holds, nobody is worse than others"


def test_checkers_and_readers_are_not_dismissed() -> None:
    state = Judged().state
    record(state, "inventor-1", *["supported"] * 12)
    record(state, "checker-1", *["refuted"] * 20)
    assert state.agents["checker-1"].works


def test_the_dismissed_get_no_work_in_a_swarm() -> None:
    ground = Ground([request(60), *roster.hire(8, 0)])
    ground.say(e.StandingChanged(agent="inventor-1", standing="dismissed", why="a test"))
    ground.say(e.StandingChanged(agent="tuner-1", standing="dismissed", why="a test"))
    state = ground.play(World({"flag=True": 3.0}))
    assert len(state.cases) > 4
    busy = {row.experiment.agent for row in state.rows.values()}
    assert not busy & {"inventor-1", "tuner-1"}
    assert {"inventor-2", "tuner-2"} <= busy


def test_predictions_are_the_records_at_the_time() -> None:
    ground = grown(World({"flag=True": 4.0}), 120)
    state = SwarmState(name="world")
    for event in ground.records:
        if isinstance(event.event, e.HypothesisProposed):
            proposed = event.event.hypothesis
            assert proposed.predicted == pytest.approx(state.agents[proposed.agent].promise, abs=1e-4)
        state.apply(event)


# ---------------------------------------------------------------- literature


class Shelf:
    """A library of one passage."""

    text = "We found that the flag matters. Setting flag to True doubles the score; alpha does not."

    def search(self, query: str, limit: int = 10) -> list[Hit]:
        passage = Passage(
            id="p", paper="notes", title="Notes", kind="paper", place="§ 1", start=0, end=len(self.text), text=self.text
        )
        return [Hit(passage, 1.0)] if "flag" in query else []

    def cite(self, passage: Passage, terms: list[str]) -> Citation:
        start = self.text.index("Setting")
        quote = self.text[start : self.text.index(";")]
        return Citation(
            paper="notes",
            title="Notes",
            kind="paper",
            passage="p",
            place="§ 1",
            start=start,
            end=start + len(quote),
            quote=quote,
        )

    def verify(self, citation: Citation) -> bool:
        return self.text[citation.start : citation.end] == citation.quote


def test_directions_are_cited_and_so_are_their_hypotheses() -> None:
    ground = Ground([request(60)])
    state = ground.play(World({"flag=True": 4.0}), library=Shelf())
    flag = next(each for each in state.directions.values() if each.title == "measure.flag")
    assert flag.searched
    assert [one.quote for one in flag.citations] == ["Setting flag to True doubles the score"]
    assert all(Shelf().verify(one) for one in flag.citations)
    alpha = next(each for each in state.directions.values() if each.title == "measure.alpha")
    assert alpha.searched
    assert alpha.citations == ()
    cited = [case.hypothesis for case in state.cases.values() if case.hypothesis.citations]
    assert all(any(edit.target == "measure.flag" for edit in one.variation.edits) for one in cited)
    after = [row.experiment for row in state.rows.values() if row.experiment.hypothesis in {one.id for one in cited}]
    assert all(one.citations for one in after if one.purpose == "confirmation")


def test_each_direction_is_searched_once_also_after_a_restart() -> None:
    ground = Ground([request(40)])
    engine = ground.engine(World({"flag=True": 4.0}), delay=0.005)

    async def body() -> None:
        working = asyncio.create_task(engine.work())
        while sum(each.searched for each in engine.state.directions.values()) < 2:
            await asyncio.sleep(0.002)
        engine.quit("enough")
        await working

    asyncio.run(body())
    ground.play(World({"flag=True": 4.0}))
    searched = Counter(event.direction for event in ground.of(e.EvidenceFound))
    assert {"D1", "D2", "D3", "D4"} <= set(searched) <= set(ground.state.directions)
    assert set(searched.values()) == {1}


def test_screening_asks_for_no_more_runs_than_are_left() -> None:
    """A task of two runs is not begun with one run left, and the direction is not given up for it."""
    judged = Judged()
    ground = Ground(judged.events)
    engine = ground.engine(World())
    exhausted: set[str] = set()

    class Scarce:
        state, library, context, workers, closing = engine.state, engine.library, engine.context, 1, False

        def __init__(self, runs: int) -> None:
            self.runs = runs

        def left(self, purpose: str) -> int:
            return self.runs

        def mind(self, agent: str) -> object:
            return engine.mind(agent)

    for seed in range(20):
        judged_rows = allocation.screen(engine.state, roles.find_all(), Scarce(1), random.Random(seed), exhausted)  # type: ignore[arg-type]
        assert judged_rows is None or len(judged_rows.experiments) == 1
    assert allocation.screen(engine.state, roles.find_all(), Scarce(0), random.Random(0), exhausted) is None  # type: ignore[arg-type]


def test_agent_and_policy_words() -> None:
    agent = Agent("a", "tuning", "classical", Policy())
    assert agent.promise == pytest.approx(1 / 3)
    agent.supported = 2
    better = agent.promise
    agent.open = 1
    assert 1 / 3 < agent.promise < better
