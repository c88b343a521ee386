"""Events as lines of the log, for people: what happened, in plain words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyter_swarm import events as e
from jupyter_swarm.report import phrases
from jupyter_swarm.state import SwarmState


def told(state: SwarmState, event: e.AnyEvent) -> str:
    """An event in words, where people would want to read it; "" for the others.

    >>> told(SwarmState(), e.RunnerEnded(why="it was told to quit"))
    'the runner leaves: it was told to quit'
    """
    words = _WORDS.get(type(event))
    return words(state, event) if words is not None else ""


def _judged(state: SwarmState, event: e.VerdictReached) -> str:
    case = state.cases.get(event.hypothesis)
    statement = f": {case.hypothesis.statement}" if case is not None else ""
    return f"{event.hypothesis} is {event.evidence.verdict} ({phrases.judged(event.evidence)}){statement}"


def _standing(state: SwarmState, event: e.StandingChanged) -> str:
    return f"{event.agent} is {'put on a plan' if event.standing == 'plan' else event.standing}: {event.why}"


_WORDS: dict[type, Callable[[SwarmState, Any], str]] = {
    e.DirectionOpened: lambda _, event: f"{event.agent} opened {event.direction}: {event.title}",
    e.VerdictReached: _judged,
    e.StandingChanged: _standing,
    e.RunnerStarted: lambda _, event: f"a runner begins (process {event.pid} on {event.host})",
    e.RunnerEnded: lambda _, event: f"the runner leaves: {event.why}",
    e.SwarmPaused: lambda _, event: "paused",
    e.SwarmResumed: lambda _, event: "goes on",
    e.SwarmEnded: lambda _, event: f"{event.state}: {event.why}",
    e.BestEstimated: lambda _, event: f"the best cell, measured on untouched seeds: {phrases.number(event.mean)}",
}
