"""Staffing: a person hires and dismisses agents, or says how many of a role are to be at work."""

from __future__ import annotations

import difflib
import itertools
import re

from jupyter_swarm.engine import roster
from jupyter_swarm.events import AgentHired, AnyEvent, StandingChanged, SteeringRequested
from jupyter_swarm.minds import team
from jupyter_swarm.settings import MOST_AGENTS
from jupyter_swarm.state import Agent, SwarmState

DISMISSED = "dismissed by the person"


class Refused(Exception):
    """A request that cannot be met; the message is the answer."""


def hire(state: SwarmState, request: SteeringRequested) -> tuple[list[AnyEvent], str]:
    """One more agent of a role (the target), with the mind that is said (the value) or the swarm's usual one."""
    role = find_role(state, request.target)
    mind = str(request.value or "").strip()
    usual, known = _minds_for(state, role)
    if mind and mind not in known:
        there = f"there {'is' if len(known) == 1 else 'are'} {', '.join(known)}"
        raise Refused(f"this swarm has no mind {mind!r} for {_both(role)}; {there}")
    hired = roster.newcomers(state, role, [mind or usual])
    return [*hired], f"hired {hired[0].agent}: {role}, {hired[0].mind}"


def _minds_for(state: SwarmState, role: str) -> tuple[str, list[str]]:
    """The mind that one who is hired has where none is said, and all that it may have.

    Raises:
        Refused: the role needs a language model, and the swarm asks none.
    """
    models = list(team.models(state.request.options)) if state.request is not None else []
    if role != "implementation":
        usual = str(state.option("mind", "classical"))
        return usual, [usual, *models]
    if not models:
        raise Refused(f"{_both(role)} needs a language model, and this swarm asks none; --model names it at the start")
    return models[0], models


def dismiss(state: SwarmState, request: SteeringRequested) -> tuple[list[AnyEvent], str]:
    """An agent gets no more work; the last of its role stays."""
    agent = _agent(state, request.target.strip())
    if not agent.works:
        raise Refused(f"{agent.id} is dismissed already: {agent.why}")
    if len(roster.working(state, agent.role)) == 1:
        raise Refused(
            f"{agent.id} is the last of {_both(agent.role)} at work: hire another first, or give directions the "
            "priority 0 or close them"
        )
    return [_gone(agent)], f"dismissed {agent.id}; what it has under way ends as usual"


def _agent(state: SwarmState, name: str) -> Agent:
    if name not in state.agents:
        near = difflib.get_close_matches(name, state.agents, n=3, cutoff=0.55)
        known = near or [agent.id for agent in roster.working(state)[:6]]
        raise Refused(f"there is no agent {name!r}; {'near are' if near else 'there are'} {', '.join(known)}")
    return state.agents[name]


def _gone(agent: Agent) -> StandingChanged:
    return StandingChanged(agent=agent.id, standing="dismissed", why=DISMISSED)


def resize(state: SwarmState, request: SteeringRequested) -> tuple[list[AnyEvent], str]:
    """As many agents of a role (the target) at work as is said (the value); who goes first has the worst record."""
    role, wanted = find_role(state, request.target), _size(request.value)
    count = len(roster.working(state, role))
    if wanted > count:
        usual, minds = _minds_for(state, role)
        turn = itertools.cycle(minds if role == "implementation" else [usual])
        hired = roster.newcomers(state, role, list(itertools.islice(turn, wanted - count)))
        return [*hired], f"{wanted} of {_both(role)} at work now; hired {roster.names([each.agent for each in hired])}"
    if wanted < count:
        gone = roster.worst(state, role, count - wanted)
        said = roster.names([each.id for each in gone])
        return [_gone(each) for each in gone], f"{wanted} of {_both(role)} at work now; dismissed {said}"
    return [], f"{wanted} of {_both(role)} at work, as before"


def growth(state: SwarmState, request: SteeringRequested) -> int:
    """How many agents would be at work once somebody was hired as a request asks; 0 where nobody would be.

    >>> growth(SwarmState(), SteeringRequested(verb="resize", target="tuner", value=3))
    3
    """
    carry_out = {"hire": hire, "resize": resize}.get(request.verb)
    try:
        events, _ = carry_out(state, request) if carry_out is not None else ([], "")
    except Refused:
        return 0
    hired = sum(isinstance(event, AgentHired) for event in events)
    return len(roster.working(state)) + hired if hired else 0


def _size(value: float | str | None) -> int:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= MOST_AGENTS:
        raise Refused(f"{value!r} is no number of agents: give a whole number from 1 to {MOST_AGENTS:,}")
    return int(text)


def find_role(state: SwarmState, words: str) -> str:
    """The role of this name, or of this short name (`tuner`), in a swarm.

    Raises:
        Refused: there is none.
    """
    known = list(dict.fromkeys([*roster.SHORT, *(agent.role for agent in state.agents.values())]))
    named = {short: role for role, short in roster.SHORT.items()} | {role: role for role in known}
    role = named.get(words.strip().lower())
    if role is None:
        raise Refused(f"there is no role {words!r}; there are {', '.join(_both(each) for each in known)}")
    return role


def _both(role: str) -> str:
    return f"{role} ({roster.SHORT[role]})" if role in roster.SHORT else role
