"""The live view beside its ledger: what it shows when that is gone, restored, refuses, or is marked after the end."""

from __future__ import annotations

import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from faces import wait_for

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import logs
from handles import RequestsOnly

from jupyter_swarm import events as e
from jupyter_swarm.errors import PolicyError
from jupyter_swarm.jupyter.view import panes
from jupyter_swarm.jupyter.view.live import SwarmView
from jupyter_swarm.jupyter.view.watcher import WATCHER
from jupyter_swarm.state import SwarmState
from jupyter_swarm.workspace import Workspace


class Refusing(RequestsOnly):
    """A handle that may only look."""

    def steer(self, **_: object) -> None:
        raise PolicyError("swarms may only be looked at here", cure="ask your administrator")


@pytest.fixture
def views() -> Iterator[list[SwarmView]]:
    """Views that end with their test, and the watcher's thread with them."""
    opened: list[SwarmView] = []
    yield opened
    for view in opened:
        view.close()
        WATCHER.soon(view._feed)
    wait_for(lambda: WATCHER.thread is None, 20, "the end of the watcher's thread")


def watched(views: list[SwarmView], folder: Path, handle: type[RequestsOnly] = RequestsOnly) -> SwarmView:
    view = SwarmView(handle(str(folder)))
    WATCHER.watch(view._feed, view)
    views.append(view)
    return view


def without_end(folder: Path) -> Workspace:
    workspace = Workspace(folder)
    logs.play(workspace.store, [move for move in logs.wine() if not isinstance(move[1], e.SwarmEnded)])
    return workspace


def test_a_ledger_that_is_deleted_is_told_and_a_new_view_shows_the_new_one(
    tmp_path: Path, views: list[SwarmView]
) -> None:
    without_end(tmp_path).store.close()
    old = watched(views, tmp_path)
    before = old._feed.state.experiments
    shutil.rmtree(tmp_path / ".swarm")
    wait_for(lambda: "is gone" in old._panes["bad"].value, 20, "a word that it is gone")
    logs.play(Workspace(tmp_path).store, logs.wine()[:20])
    new = watched(views, tmp_path)
    assert new._feed is not old._feed
    assert 0 < new._feed.state.experiments < before
    assert "is gone" not in new._panes["bad"].value


def test_a_ledger_that_is_restored_in_place_is_told_from_its_beginning(tmp_path: Path, views: list[SwarmView]) -> None:
    workspace = Workspace(tmp_path)
    logs.play(workspace.store, logs.wine()[:20])
    path, copy = workspace.root / "ledger.sqlite", tmp_path / "copy.sqlite"
    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    few = Workspace(tmp_path).store.read(0, swarm="wine")[-1].number
    logs.play(workspace.store, [(at, e.Noted(text="later"), *rest) for at, _, *rest in logs.wine()[20:30]])
    view = watched(views, tmp_path)
    assert view._feed.state.last > few
    with sqlite3.connect(copy) as source, sqlite3.connect(path) as target:
        source.backup(target)
    wait_for(lambda: view._feed.state.last == few, 20, "the state of the copy")


def test_a_slider_goes_back_where_nothing_could_be_asked(tmp_path: Path, views: list[SwarmView]) -> None:
    without_end(tmp_path)
    view = watched(views, tmp_path, Refusing)
    row = next(iter(view._rows.values()))
    before = row.slider.value
    row.slider.value = before + 3.0
    assert row.slider.value == before
    assert "may only be looked at" in view._panes["said"].value


def test_what_is_vetoed_after_the_end_is_shown_so(tmp_path: Path, views: list[SwarmView]) -> None:
    workspace = Workspace(tmp_path)
    logs.play(workspace.store, logs.wine())
    view = watched(views, tmp_path)
    assert view._feed.state.over
    case = view._feed.state.supported()[0]
    card = view._cards[case.hypothesis.id].value
    workspace.store.append("wine", [e.SteeringRequested(verb="veto", target=case.hypothesis.id)])
    wait_for(lambda: view._feed.state.cases[case.hypothesis.id].mark == "vetoed", 20, "the veto")
    wait_for(lambda: view._cards[case.hypothesis.id].value != card, 20, "another card")


def test_a_swarm_whose_runner_never_came_can_be_resumed(tmp_path: Path, views: list[SwarmView]) -> None:
    logs.play(Workspace(tmp_path).store, logs.wine()[:1])
    view = watched(views, tmp_path)
    assert (view._feed.state.phase, view._feed.alive) == ("requested", False)
    resume, pause = view._presses["resume"], view._presses["pause"]
    assert (resume.button.disabled, pause.button.disabled) == (False, True)  # type: ignore[union-attr]


def test_a_saved_picture_says_when_it_was_taken_unless_it_is_of_the_end(tmp_path: Path) -> None:
    workspace = without_end(tmp_path)
    going_on = panes.html(SwarmState.of(workspace.store.read(0, swarm="wine")))
    assert re.search(r"As it stood on \d{4}-\d\d-\d\d \d\d:\d\d UTC\. <code>%swarm watch wine</code>", going_on)
    workspace.store.append("wine", [e.SwarmEnded(state="done", why="the budget is spent")])
    assert "As it stood" not in panes.html(SwarmState.of(workspace.store.read(0, swarm="wine")))
