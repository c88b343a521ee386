"""Allocation: who does what next. What works is scaled up at once, and the person's priorities multiply it.

A direction is drawn by Thompson sampling on the rewards of its runs (Thompson 1933; Beta posterior with fractional
rewards), times its priority, with a bonus where the literature favours something; an agent by its record in the same
way. Validation comes first, since a plan that is open is worth more than an idea that is not.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

from jupyter_swarm.protocols import Desk, Role, Task
from jupyter_swarm.state import Agent, Direction, SwarmState

SCREENERS = ("tuning", "brainstorming")
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
    """Work in the direction that the bandit draws; one in which nothing is left to try, and nothing runs,
    joins `exhausted`."""
    left = desk.left("screening")
    if left < 1:
        return None
    open_ones = [each for each in state.directions.values() if workable(each) and each.id not in exhausted]
    incumbent = state.incumbent()
    ahead = incumbent.hypothesis.variation.id if incumbent is not None else ""
    while open_ones:
        direction = max(open_ones, key=lambda each: draw(each, rng) * (1.0 if _base(each) == ahead else OVERTAKEN))
        unpaid = False
        order = SCREENERS if rng.random() < TUNING_SHARE else SCREENERS[::-1]
        for role in order:
            agent = draw_agent(state, role, rng)
            task = roles[role].propose(state, agent, direction, desk) if agent is not None else None
            if task is not None and len(task.experiments) <= left:
                return task
            unpaid = unpaid or task is not None
        if not unpaid and not any(row.experiment.hypothesis in direction.cases for row in state.in_flight):
            exhausted.add(direction.id)
        open_ones.remove(direction)
    return None


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


def draw_agent(state: SwarmState, role: str, rng: random.Random) -> Agent | None:
    """An agent of a role, drawn by its record; None where none works."""
    peers = [agent for agent in state.agents.values() if agent.role == role and agent.works]
    return max(peers, key=lambda agent: _draw_record(agent, rng), default=None)


def _draw_record(agent: Agent, rng: random.Random) -> float:
    worse = agent.refuted + 0.5 * agent.open + 0.25 * agent.failures
    value = rng.betavariate(1.0 + agent.supported, 2.0 + worse)
    return value * ON_PLAN if agent.standing == "plan" else value


def shares(directions: Iterable[Direction]) -> dict[str, float]:
    """Each direction's share of the screening runs so far.

    >>> shares([])
    {}
    """
    trials = {direction.id: direction.trials for direction in directions}
    whole = sum(trials.values()) or 1
    return {name: count / whole for name, count in trials.items()}
