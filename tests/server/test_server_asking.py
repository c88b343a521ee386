"""Requests of people: the same one again, whichever server took it first, is the same; without an id it is another."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
from rig import unfinished

from jupyter_swarm import events as e
from jupyter_swarm.jupyter.server import asking
from jupyter_swarm.jupyter.server import words as w
from jupyter_swarm.jupyter.server.mirror import Mirror
from jupyter_swarm.workspace import Workspace

ASKS: dict[str, dict[str, Any]] = {
    "pause": {},
    "resume": {},
    "stop": {},
    "priority": {"target": "D1", "value": 2.0},
    "add": {"target": "an idea"},
    "close": {"target": "D1"},
    "approve": {"target": "H1"},
    "veto": {"target": "H3"},
    "replicate": {"target": "3"},
    "budget": {"value": "5m"},
    "hire": {"target": "tuning"},
    "dismiss": {"target": "tuning-4"},
    "resize": {"target": "tuning", "value": 2.0},
}


def take(place: Workspace, verb: str, id: str) -> int:
    """A server that has just begun takes it; nothing is started."""
    return asking.append(asking.Handle(Mirror(place, "wine"), starts=False), w.Ask(verb=verb, id=id, **ASKS[verb]))


def written(place: Workspace) -> list[tuple[int, Any]]:
    kinds = (e.PauseRequested, e.ResumeRequested, e.StopRequested, e.SteeringRequested)
    return [(each.number, each.event) for each in place.store.read(0, swarm="wine") if isinstance(each.event, kinds)]


def test_each_verb_is_asked_here() -> None:
    assert set(ASKS) == {*asking.UNANSWERED, *get_args(e.SteeringVerb)}


@pytest.mark.parametrize("verb", ASKS)
def test_the_same_request_again_is_the_same(verb: str, tmp_path: Path) -> None:
    place = unfinished(tmp_path)
    before = len(written(place))
    number = take(place, verb, "mine")
    place.store.append("wine", [e.Noted(text="meanwhile")])
    assert take(place, verb, "mine") == number
    ((at, event),) = written(place)[before:]
    assert (at, event.id) == (number, "mine")
    place.store.close()


@pytest.mark.parametrize("verb", ASKS)
def test_another_id_or_none_is_another_request(verb: str, tmp_path: Path) -> None:
    place = unfinished(tmp_path)
    before = len(written(place))
    numbers = [take(place, verb, id) for id in ("", "a", "", "b")]
    assert numbers == [number for number, _ in written(place)[before:]]
    place.store.close()


def test_what_was_taken_before_the_end_is_no_error_after_it(tmp_path: Path) -> None:
    """The answer to a stop was lost; when it comes again the swarm has ended."""
    place = unfinished(tmp_path)
    number = take(place, "stop", "mine")
    place.store.append("wine", [e.SwarmEnded(state="stopped", why="you asked for it")])
    assert take(place, "stop", "mine") == number
    place.store.close()
