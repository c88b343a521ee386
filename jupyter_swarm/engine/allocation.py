"""Allocation: who does what next. What works is scaled up at once, and the person's priorities multiply it.

A direction is drawn by Thompson sampling on the rewards of its runs (Thompson 1933; Beta posterior with fractional
rewards), times its priority, with a bonus where the literature favours something; an agent by its record in the same
way. Validation comes first, since a plan that is open is worth more than an idea that is not.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from statistics import fmean

from jupyter_swarm.protocols import Desk, Role, Task, Thinker
from jupyter_swarm.state import Agent, Case, Direction, SwarmState
from jupyter_swarm.words import WRITTEN

SCREENERS = ("tuning", "brainstorming")
RULES = "classical"
"""The mind that costs nothing and is measured against."""
MODEL_PRIOR = (0.3, 4.0)
"""Wins and losses that a mind of another kind begins with: a minority's share, until its record says more."""
RULES_PRIOR = (1.0, 1.0)
MOST_SHARE = 0.5
"""A mind that proposes for money never has more of screening than this."""
PROMISING = 1.5
"""Standard errors above 0 from which a case that nobody has judged counts as half a win of its mind."""
TUNING_SHARE = 0.5
"""How often a tuner is asked first where a direction can be tuned."""
OVERTAKEN = 0.3
"""Factor on the chance of a direction whose cell is no longer the best."""
ON_PLAN = 0.3
"""Factor on the chance of an agent that is on a plan."""


def confirm(state: SwarmState, roles: Mapping[str, Role], desk: Desk, rng: random.Random) -> Task | None:
    """What validation would do now."""
    agent = draw_agent(state, "validation", rng)
    return None if agent is None else roles["validation"].propose(state, agent, None, desk)


def read(state: SwarmState, roles: Mapping[str, Role], desk: Desk, rng: random.Random) -> Task | None:
    """A search of the library that is due."""
    for direction in state.directions.values():
        if direction.searched or direction.closed:
            continue
        agent = draw_agent(state, "literature", rng)
        if agent is not None:
            return roles["literature"].propose(state, agent, direction, desk)
    return None


def screen(
    state: SwarmState, roles: Mapping[str, Role], desk: Desk, rng: random.Random, exhausted: set[str]
) -> Task | None:
    """Work of the mind and in the direction that the bandits draw; a direction in which nothing is left to try, and
    nothing runs, joins `exhausted`."""
    left = desk.left("screening")
    if left < 1:
        return None
    for mind in draw_minds(state, rng):
        task = _screen(state, roles, desk, rng, exhausted, mind, left)
        if task is not None:
            return task
    return None


def _screen(
    state: SwarmState,
    roles: Mapping[str, Role],
    desk: Desk,
    rng: random.Random,
    exhausted: set[str],
    mind: str,
    left: int,
) -> Task | None:
    """Work of one mind."""
    ruled = mind == RULES
    open_ones = [each for each in state.directions.values() if workable(each) and each.id not in exhausted]
    if ruled:
        open_ones = [each for each in open_ones if WRITTEN not in each.targets]
    incumbent = state.incumbent()
    ahead = incumbent.hypothesis.variation.id if incumbent is not None else ""
    if not ruled and (offers := _offers(state, desk, mind)) is not None:
        fitting = {*offers, WRITTEN}
        open_ones = [
            each for each in open_ones if _base(each) == ahead and (each.spaces or not fitting.isdisjoint(each.targets))
        ]
    while open_ones:
        direction = max(open_ones, key=lambda each: draw(each, rng) * (1.0 if _base(each) == ahead else OVERTAKEN))
        unpaid = False
        order = SCREENERS if rng.random() < TUNING_SHARE else SCREENERS[::-1]
        for role in ("implementation",) if WRITTEN in direction.targets else order:
            agent = draw_agent(state, role, rng, mind)
            if role == "tuning" and not ruled and not _advised(direction, agent):
                continue  # without a word of its mind it would be one more sampler, on the mind's account
            task = roles[role].propose(state, agent, direction, desk) if agent is not None else None
            if task is not None and len(task.experiments) <= left:
                return task
            unpaid = unpaid or task is not None
        if ruled and not unpaid and not any(row.experiment.hypothesis in direction.cases for row in state.in_flight):
            exhausted.add(direction.id)
        open_ones.remove(direction)
    return None


def _advised(direction: Direction, agent: Agent | None) -> bool:
    return agent is not None and any(who == agent.id for who, _ in direction.spaces)


def _base(direction: Direction) -> str:
    return direction.base.id if direction.base is not None else ""


def workable(direction: Direction) -> bool:
    """Whether the person lets work go there."""
    return not direction.closed and direction.priority > 0


def draw(direction: Direction, rng: random.Random) -> float:
    """One Thompson draw of a direction's promise, times the person's priority."""
    favour = min(1.0, max(direction.favours.values(), default=0.0))
    wins = 1.0 + favour + direction.reward + 2.0 * direction.supported
    losses = 1.0 + max(0.0, direction.trials - direction.reward)
    return rng.betavariate(wins, losses) * direction.priority


def draw_agent(state: SwarmState, role: str, rng: random.Random, mind: str = "") -> Agent | None:
    """An agent of a role (and of a mind), drawn by its record; None where none works."""
    peers = [
        agent
        for agent in state.agents.values()
        if agent.role == role and agent.works and (not mind or agent.mind == mind)
    ]
    return max(peers, key=lambda agent: _draw_record(agent, rng), default=None)


def _draw_record(agent: Agent, rng: random.Random) -> float:
    worse = agent.refuted + 0.5 * agent.open + 0.25 * agent.failures
    value = rng.betavariate(1.0 + agent.supported, 2.0 + worse)
    return value * ON_PLAN if agent.standing == "plan" else value


def draw_minds(state: SwarmState, rng: random.Random) -> list[str]:
    """The minds of the agents, in the order in which they are asked for work: Thompson sampling on what came of each
    one's ideas.

    One that is not ruled begins as a minority and never becomes a majority: in a fixed space, a sampler with a model
    on some of its trials does better than either alone.
    """
    minds = list(dict.fromkeys(agent.mind for agent in state.agents.values() if agent.works))
    if len(minds) < 2:
        return minds
    record = records(state)
    drawn = {}
    for mind in minds:
        wins, losses = record.get(mind, (0.0, 0.0))
        first = RULES_PRIOR if mind == RULES else MODEL_PRIOR
        drawn[mind] = rng.betavariate(first[0] + wins, first[1] + losses)
    order = sorted(minds, key=lambda mind: -drawn[mind])
    if RULES in minds and rng.random() > MOST_SHARE:
        order.sort(key=lambda mind: mind != RULES)
    return order


def records(state: SwarmState) -> dict[str, tuple[float, float]]:
    """Mind → (wins, losses) of its ideas that have run: a supported one is a win, a promising one half of one."""
    memo = state.memo.get("minds")
    if memo is None or memo[0] != state.experiments:
        counts: dict[str, list[float]] = {}
        for case in state.cases.values():
            agent = state.agents.get(case.hypothesis.agent)
            if agent is not None and case.about == "improvement" and (case.gains or case.failures or case.evidence):
                worth = _worth(state, case)
                wins, losses = counts.setdefault(agent.mind, [0.0, 0.0])
                counts[agent.mind] = [wins + worth, losses + 1.0 - worth]
        found = {mind: (wins, losses) for mind, (wins, losses) in counts.items()}
        memo = state.memo["minds"] = (state.experiments, found)
    result: dict[str, tuple[float, float]] = memo[1]
    return result


def _worth(state: SwarmState, case: Case) -> float:
    if case.evidence is not None:
        return float(case.evidence.verdict == "supported")
    scale = state.pair_spread / math.sqrt(len(case.gains)) if case.gains else 0.0
    return 0.5 if case.gains and fmean(case.gains) > PROMISING * scale else 0.0


def _offers(state: SwarmState, desk: Desk, mind: str) -> frozenset[str] | None:
    """Targets for which a mind that thinks ahead has ideas now; None for one of another kind, which may have any."""
    agent = next((each for each in state.agents.values() if each.mind == mind), None)
    thinker = desk.mind(agent.id) if agent is not None else None
    return thinker.offers(state.tried) if isinstance(thinker, Thinker) else None


def shares(directions: Iterable[Direction]) -> dict[str, float]:
    """Each direction's share of the screening runs so far.

    >>> shares([])
    {}
    """
    trials = {direction.id: direction.trials for direction in directions}
    whole = sum(trials.values()) or 1
    return {name: count / whole for name, count in trials.items()}
