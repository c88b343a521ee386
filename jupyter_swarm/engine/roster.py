"""The roster: hiring a swarm's agents, and moving them by their record: probation, active, on a plan, dismissed.

An agent is dismissed by a sequential test, not by a bad day: the e-value of its judged hypotheses against "it does at
least half as well as its colleagues" has to reach 20. Its successor is a variation of the best colleague's policy.
Whom a person dismisses has no successor.
"""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from collections.abc import Sequence

from jupyter_swarm.events import AgentHired, StandingChanged
from jupyter_swarm.state import Agent, SwarmState
from jupyter_swarm.words import Policy

SHARES = {"literature": 0.125, "tuning": 0.25, "validation": 0.25}
SHORT = {
    "literature": "reader",
    "brainstorming": "inventor",
    "implementation": "coder",
    "tuning": "tuner",
    "validation": "checker",
}
MODEL_SHARE = 1 / 3
"""Share of each role's agents that have a language model, where there is one."""
SAMPLERS = ("tpe", "random", "qmc", "tpe")
OPERATORS = ("set", "swap", "insert", "drop", "combine")
SETTLED = 3
"""Judged hypotheses after which probation ends."""
DISMISSAL = 20.0
MOST_NAMES = 6


def team(count: int) -> dict[str, int]:
    """How many agents of each role a swarm of `count` has; at least one of each.

    >>> team(16)
    {'literature': 2, 'brainstorming': 6, 'tuning': 4, 'validation': 4}
    >>> team(4)
    {'literature': 1, 'brainstorming': 1, 'tuning': 1, 'validation': 1}
    """
    some = {role: max(1, math.floor(share * count)) for role, share in SHARES.items()}
    inventors = max(1, count - sum(some.values()))
    return {
        "literature": some["literature"],
        "brainstorming": inventors,
        "tuning": some["tuning"],
        "validation": some["validation"],
    }


def hire(count: int, seed: int, mind: str = "classical", models: Sequence[str] = ()) -> list[AgentHired]:
    """The first team: agents of one role differ in their policies, drawn from the swarm's seed.

    With language models, the last third of each role has them in turn, at least one inventor for each; and there are
    as many who write code.
    """
    rng = random.Random(f"roster/{seed}")
    turn = itertools.cycle(models)
    hired = []
    for role, number in team(count).items():
        thinking = _thinking(role, number, len(models))
        for place in range(1, max(number, thinking) + 1):
            policy = _policy(role, place, rng)
            whose = next(turn) if place > max(number, thinking) - thinking else mind
            hired.append(AgentHired(agent=f"{SHORT[role]}-{place}", role=role, mind=whose, policy=policy))
    for place in range(1, _thinking("brainstorming", team(count)["brainstorming"], len(models)) + 1):
        policy = _policy("implementation", place, rng)
        hired.append(AgentHired(agent=f"coder-{place}", role="implementation", mind=next(turn), policy=policy))
    return hired


def _thinking(role: str, number: int, models: int) -> int:
    """How many agents of a role have a language model."""
    if not models:
        return 0
    least = models if role == "brainstorming" else min(1, number - 1)
    return max(least, math.floor(MODEL_SHARE * number))


def review(state: SwarmState) -> list[StandingChanged | AgentHired]:
    """Changes of standing that the records ask for now, each with its reason; and successors of the dismissed."""
    changes: list[StandingChanged | AgentHired] = []
    hired: Counter[str] = Counter()
    judged = [agent for agent in state.agents.values() if _judged(agent)]
    won = sum(agent.supported for agent in judged)
    rate = (won + 1) / (sum(_judged(agent) for agent in judged) + 3)
    for agent in judged:
        standing, why = _standing(agent, rate)
        if agent.standing not in (standing, "dismissed"):
            changes.append(StandingChanged(agent=agent.id, standing=standing, why=why))  # type: ignore[arg-type]
            if standing == "dismissed":
                hired[agent.role] += 1
                changes.append(_successor(state, agent, _places(state, agent.role) + hired[agent.role]))
    return changes


def newcomers(state: SwarmState, role: str, minds: Sequence[str]) -> list[AgentHired]:
    """Agents that a person hires: one for each mind, with policies drawn like those of the first team.

    Their parent is the colleague that does best.
    """
    best = max(working(state, role), key=lambda agent: agent.promise, default=None)
    hired = []
    for place, mind in enumerate(minds, 1 + _places(state, role)):
        policy = _policy(role, place, random.Random(f"hired/{state.option('seed', 0)}/{role}/{place}"))
        parent = best.id if best is not None else ""
        hired.append(AgentHired(agent=_name(role, place), role=role, mind=mind, policy=policy, parent=parent))
    return hired


def worst(state: SwarmState, role: str, count: int) -> list[Agent]:
    """The working agents of a role with the worst records; of equals, those that were hired last."""
    peers = working(state, role)
    order = sorted(range(len(peers)), key=lambda place: (peers[place].promise, -place))
    return [peers[place] for place in order[:count]]


def working(state: SwarmState, role: str = "") -> list[Agent]:
    """Agents that are not dismissed, in the order in which they were hired; of one role or of all."""
    return [agent for agent in state.agents.values() if agent.works and role in ("", agent.role)]


def _places(state: SwarmState, role: str) -> int:
    """How many agents a role has had so far."""
    return sum(agent.role == role for agent in state.agents.values())


def _name(role: str, place: int) -> str:
    return f"{SHORT.get(role, role)}-{place}"


def _standing(agent: Agent, rate: float) -> tuple[str, str]:
    settled = _judged(agent)
    record = f"{agent.supported} of {settled} judged hypotheses supported"
    if _against(agent.supported, settled - agent.supported, rate) >= DISMISSAL and _alone_allows(agent):
        return "dismissed", f"{record}, while the swarm's rate is {rate:.2f}"
    if settled >= SETTLED and agent.promise < 0.5 * rate:
        return "plan", f"{record}: less work and more checks until the record mends"
    if settled >= SETTLED or agent.supported:
        return "active", record
    return "probation", record


def _alone_allows(agent: Agent) -> bool:
    return agent.role in ("brainstorming", "tuning", "implementation")


def _against(wins: int, losses: int, rate: float) -> float:
    """E-value against "each hypothesis of this agent holds with probability at least rate/2" (a quarter of it, bet)."""
    p, q = rate / 2, rate / 8
    return float((q / p) ** wins * ((1 - q) / (1 - p)) ** losses)


def _judged(agent: Agent) -> int:
    return agent.supported + agent.refuted + agent.open


def _successor(state: SwarmState, gone: Agent, place: int) -> AgentHired:
    """A variation of the colleague that does best."""
    peers = [agent for agent in working(state, gone.role) if agent is not gone]
    parent = max(peers, key=lambda agent: agent.promise, default=gone)
    rng = random.Random(f"successor/{gone.id}/{place}")
    old = parent.policy
    policy = Policy(
        sampler=old.sampler,
        boldness=min(1.0, max(0.0, old.boldness + rng.gauss(0, 0.15))),
        depth=max(2, old.depth + rng.choice((-2, 0, 2))),
        weights={name: weight * math.exp(rng.gauss(0, 0.3)) for name, weight in old.weights.items()},
    )
    return AgentHired(
        agent=_name(gone.role, place),
        role=gone.role,
        mind=parent.mind,
        policy=policy,
        parent=parent.id,
    )


def _policy(role: str, place: int, rng: random.Random) -> Policy:
    if role == "literature":
        return Policy(depth=(8, 12, 6, 16)[(place - 1) % 4])
    if role == "tuning":
        return Policy(sampler=SAMPLERS[(place - 1) % len(SAMPLERS)], boldness=round(rng.uniform(0.2, 0.8), 2))
    if role == "implementation":
        return Policy(boldness=round((place % 3 + rng.random()) / 4, 2))
    if role == "brainstorming":
        weights = {name: round(math.exp(rng.gauss(0, 0.5)), 2) for name in OPERATORS}
        weights["combine"] = round(rng.uniform(0.05, 0.4), 2)
        return Policy(boldness=round((place % 5 + rng.random()) / 6, 2), weights=weights)
    return Policy()


def names(agents: Sequence[str]) -> str:
    """Ids in words, for messages.

    >>> names([f"tuner-{place}" for place in range(1, 9)])
    'tuner-1, tuner-2, tuner-3, tuner-4, tuner-5, tuner-6 and 2 more'
    """
    more = f" and {len(agents) - MOST_NAMES} more" if len(agents) > MOST_NAMES else ""
    return ", ".join(agents[:MOST_NAMES]) + more
