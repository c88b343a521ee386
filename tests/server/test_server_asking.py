"""Requests that come while the state that they are looked up in changes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, ValuesView
from pathlib import Path

from rig import asked, unfinished

from jupyter_swarm import events as e
from jupyter_swarm.jupyter.server import asking
from jupyter_swarm.jupyter.server import words as w
from jupyter_swarm.jupyter.server.mirror import Mirror
from jupyter_swarm.state import Steering
from jupyter_swarm.workspace import Workspace

BEFORE = 20


class Meanwhile(ValuesView[Steering]):
    """Values in the midst of which somebody else reads the ledger on, and is given the time to."""

    def __init__(self, known: dict[int, Steering], mirror: Mirror) -> None:
        super().__init__(known)
        self._mirror = mirror
        self.readers: list[threading.Thread] = []

    def __iter__(self) -> Iterator[Steering]:
        for place, each in enumerate(super().__iter__()):
            if place == BEFORE // 2:
                reader = threading.Thread(target=self._mirror.refresh)
                reader.start()
                reader.join(0.5)
                self.readers.append(reader)
            yield each


class Watched(dict[int, Steering]):
    """Requests that hand out such values."""

    looks: list[Meanwhile]
    mirror: Mirror

    def values(self) -> Meanwhile:  # type: ignore[override]
        self.looks.append(Meanwhile(self, self.mirror))
        self.mirror.workspace.store.append("wine", [e.SteeringRequested(verb="priority", target="D1", value=9.0)])
        return self.looks[-1]


def watched(place: Workspace) -> tuple[asking.Handle, Watched]:
    """A swarm that many have asked for something, and its requests."""
    ids = [e.SteeringRequested(verb="priority", target="D1", value=1.0, id=f"r{n}") for n in range(BEFORE)]
    place.store.append("wine", ids)
    mirror = Mirror(place, "wine")
    mirror.refresh()
    known = Watched(mirror.state.steering)
    known.looks, known.mirror = [], mirror
    mirror.state.steering = known
    return asking.Handle(mirror), known


def ask(id: str) -> w.Ask:
    return w.Ask(verb="priority", target="D1", value=2.0, id=id)


def test_a_request_is_looked_up_while_nothing_changes(tmp_path: Path) -> None:
    """Another thread folds a new request while this one looks whether its own is there already."""
    place = unfinished(tmp_path)
    handle, known = watched(place)
    number = asking.append(handle, ask("new"))
    assert known.looks, "it was looked for"
    for look in known.looks:
        for reader in look.readers:
            reader.join(10)
            assert not reader.is_alive()
    assert handle.state.steering[number].request.id == "new"
    assert [each.id for each in asked(place)].count("new") == 1


def test_the_same_request_again_is_the_same(tmp_path: Path) -> None:
    place = unfinished(tmp_path)
    handle, known = watched(place)
    (first,) = [number for number, each in known.items() if each.request.id == "r3"]
    assert asking.append(handle, ask("r3")) == first
    again = asking.append(handle, ask("mine"))
    assert asking.append(handle, ask("mine")) == again
    assert [each.id for each in asked(place)].count("mine") == 1
    assert asking.append(handle, ask("")) != asking.append(handle, ask("")), "without an id each is another"
