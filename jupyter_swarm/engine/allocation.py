"""Allocation: who does what next. What works is scaled up at once, and the person's priorities multiply it.

A direction is drawn by Thompson sampling on the rewards of its runs (Thompson 1933; Beta posterior with fractional
rewards), times its priority, with a bonus where the literature favours something; an agent by its record in the same
way. Validation comes first, since a plan that is open is worth more than an idea that is not.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping

from jupyter_swarm.protocols import Desk, Role, Task, Thinker
from jupyter_swarm.state import Agent, Direction, SwarmState
from jupyter_swarm.words import WRITTEN

SCREENERS = ("tuning", "brainstorming")
RULES = "classical"
"""The mind that costs nothing and is measured against."""
HANDICAP = 0.3
"""By so many standard deviations of a paired difference the ideas of a mind that proposes for money have to gain more
than those of rules, to be asked first."""
DOUBT = 4.0
"""So many ideas it takes until what a mind's ideas gained counts as much as the doubt before."""
MOST_GAIN = 3.0
"""Standard deviations; one lucky idea counts no more."""
MOST_SHARE = 0.5
"""A mind that proposes for money never has more of screening than this."""
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
    """The minds of the agents, in the order in which they are asked for work: Thompson sampling on what their ideas
    gained at first sight.

    One that is not ruled has a handicap, so that it begins as a minority and does not stay for nothing, and it is never
    a majority: in a fixed space, a sampler with a model on some of its trials does better than either alone.
    """
    minds = list(dict.fromkeys(agent.mind for agent in state.agents.values() if agent.works))
    if len(minds) < 2:
        return minds
    record = records(state)
    drawn = {}
    for mind in minds:
        count, total = record.get(mind, (0, 0.0))
        spread = 1.0 / math.sqrt(count + DOUBT)
        drawn[mind] = rng.gauss(total / (count + DOUBT), spread) - (0.0 if mind == RULES else HANDICAP)
    order = sorted(minds, key=lambda mind: -drawn[mind])
    if RULES in minds and rng.random() > MOST_SHARE:
        order.sort(key=lambda mind: mind != RULES)
    return order


def records(state: SwarmState) -> dict[str, tuple[int, float]]:
    """Mind → how many of its ideas have run, and the sum of their gains at first sight, in standard deviations of a
    paired difference. Later looks do not enter: only what looked well is looked at again.
    """
    memo = state.memo.get("minds")
    back = len(state.returns)
    if memo is None or memo[0] != back:
        ran = [case for case in state.cases.values() if case.about == "improvement" and (case.gains or case.failures)]
        scale = state.pair_spread or max((abs(case.gains[0]) for case in ran if case.gains), default=0.0) or 1.0
        found: dict[str, tuple[int, float]] = {}
        for case in ran:
            agent = state.agents.get(case.hypothesis.agent)
            if agent is not None:
                gain = min(MOST_GAIN, max(-1.0, case.gains[0] / scale)) if case.gains else -1.0
                count, total = found.get(agent.mind, (0, 0.0))
                found[agent.mind] = (count + 1, total + gain)
        memo = state.memo["minds"] = (back, found)
    result: dict[str, tuple[int, float]] = memo[1]
    return result


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
