"""What breaks, and how the server says so, recovers, and loses no request (or says that it was not taken)."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from rig import Api, Served, asked, at_once, begun, logs, server, timed, unfinished

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "jupyter"))
from faces import CONTEXT, SLOW, quiet_library, wait_for
from serving import free_port

from jupyter_swarm import events as e
from jupyter_swarm.api import Swarm
from jupyter_swarm.engine.runner import LEASE_SECONDS
from jupyter_swarm.workspace import Workspace

PLENTY = "--SwarmServer.requests_a_second=1000"


@pytest.fixture(scope="module")
def target(root: Path) -> Iterator[Served]:
    """A server of the common root, for what is broken below it."""
    with server(root, PLENTY) as found:
        yield found


@pytest.fixture
def api(target: Served) -> Iterator[Api]:
    """A client of it."""
    with Api(target) as client:
        yield client


@pytest.fixture
def place(root: Path, request: pytest.FixtureRequest) -> Iterator[Workspace]:
    """A workspace below the root that a test may break."""
    folder = root / request.node.name[:60]
    folder.mkdir()
    workspace = unfinished(folder)
    yield workspace
    workspace.store.close()
    shutil.rmtree(folder, ignore_errors=True)


def known(api: Api, place: Workspace) -> dict[str, Any]:
    """Where a reader of the swarm stands, as the query of its next poll."""
    found = api.ask("swarms/wine", folder=place.folder.name)
    return {"folder": place.folder.name, "after": found["cursor"], "ledger": found["ledger"]}


# ---------------------------------------------------------------- a ledger that another program holds

HOLD = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for word in sys.argv[3:]:
    connection.execute(word)
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


@contextmanager
def held(place: Workspace, seconds: float, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the ledger for a while."""
    command = [sys.executable, "-c", HOLD, str(place.root / "ledger.sqlite"), str(seconds), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


@pytest.mark.slow
def test_a_ledger_held_for_long_is_said_and_nothing_is_lost(api: Api, place: Workspace) -> None:
    """As many people ask at once as the server has threads, and more: looking goes on nevertheless."""
    query = known(api, place)
    before = len(place.store.read(0))

    def ask(number: int) -> tuple[httpx.Response, float]:
        with Api(api.served) as mine:
            return timed(
                lambda: mine.steer("wine", "priority", "D1", number, folder=query["folder"], id=f"held-{number}")
            )

    with held(place, 100, "BEGIN EXCLUSIVE") as holder, at_once() as go:
        asking = [go(ask, number) for number in range(8)]
        time.sleep(1)
        for path in ("swarms", "swarms/wine", "swarms/wine/runs/1", "swarms/wine/events", "about"):
            _, seconds = timed(lambda path=path: api.ask(path, **query))
            assert seconds < 4, f"{path} waits for those who write"
        answers = [each.result() for each in asking]
        assert max(seconds for _, seconds in answers) < 30
        for response, _ in answers:
            assert (response.status_code, response.json()["reason"]) == (423, "LedgerError"), response.text
            assert "locked" in response.json()["message"]
            assert "another program holds the ledger" in response.json()["cure"]
        holder.kill()
        holder.wait()
    assert len(place.store.read(0)) == before, "what was not taken is not there"
    for number in range(8):
        response, seconds = ask(number)
        assert (response.status_code, response.json()["again"]) == (200, False), "the same request again is taken now"
        assert seconds < 4
    assert [each.value for each in asked(place)] == list(range(8))


@pytest.mark.slow
def test_a_ledger_that_cannot_even_be_read_is_said_too(api: Api, place: Workspace) -> None:
    place.store.close()
    with held(place, 100, "PRAGMA locking_mode=EXCLUSIVE", "BEGIN EXCLUSIVE", "PRAGMA user_version=2") as holder:
        response, seconds = timed(lambda: api.get("swarms/wine", params={"folder": place.folder.name}))
        assert response.status_code in (200, 423), response.text
        assert seconds < 40
        assert timed(lambda: api.ask("swarms"))[1] < 4, "other workspaces go on"
        holder.kill()
        holder.wait()
    assert api.ask("swarms/wine", folder=place.folder.name)["card"]["name"] == "wine"


def test_who_leaves_before_the_answer_and_asks_again_asked_once(api: Api, place: Workspace) -> None:
    """The network is cut while the ledger is held: the first request is written later, the second is the same."""
    query = known(api, place)
    with held(place, 100, "BEGIN EXCLUSIVE") as holder:
        with Api(api.served, patience=1) as hasty, pytest.raises(httpx.ReadTimeout):
            hasty.steer("wine", "priority", "D1", 5, folder=query["folder"], id="once")
        holder.kill()
        holder.wait()
    again = api.steer("wine", "priority", "D1", 5, folder=query["folder"], id="once").json()
    assert again["again"] is True
    time.sleep(1)
    assert len(asked(place)) == 1


# ---------------------------------------------------------------- what takes long


def test_what_takes_long_keeps_nobody_waiting_who_looks(api: Api, place: Workspace) -> None:
    """Papers on a disk that does not answer (here: a pipe into which nobody writes): swarms are shown nevertheless."""
    query, paper = known(api, place), place.library / f"{'0' * 16}.json"
    os.mkfifo(paper)

    def read() -> int:
        with Api(api.served) as mine:
            return mine.get(f"papers/{'0' * 16}", params={"folder": query["folder"]}).status_code

    with at_once() as go:
        reading = [go(read) for _ in range(12)]
        time.sleep(1)
        try:
            for path in ("swarms", "swarms/wine"):
                _, seconds = timed(lambda path=path: api.get(path, params=query, timeout=8))
                assert seconds < 5, f"{path} waits for those who read a paper"
            begun(lambda: place.store.append("wine", [e.Noted(text="news")]))
            assert timed(lambda: api.ask("swarms/wine", **query, wait=20))[1] < 6
        finally:
            while not all(each.done() for each in reading):
                with suppress(OSError):  # nobody reads just now
                    os.close(os.open(paper, os.O_WRONLY | os.O_NONBLOCK))  # somebody writes, at last: nothing
                time.sleep(0.02)
    assert {each.result() for each in reading} == {400}


# ---------------------------------------------------------------- the same request, several people


def test_the_same_request_is_written_once_however_often_it_comes(api: Api, place: Workspace) -> None:
    query = known(api, place)

    def ask(id: str) -> dict[str, Any]:
        with Api(api.served) as mine:
            found: dict[str, Any] = mine.steer("wine", "add", "an idea", folder=query["folder"], id=id).json()
            return found

    with at_once() as go:
        first = [each.result() for each in [go(ask, "a") for _ in range(20)]]
    assert len({each["number"] for each in first}) == 1
    assert [each["again"] for each in first].count(False) == 1
    assert ask("a") == {**first[0], "again": True}
    assert ask("b")["again"] is False
    assert ask("")["again"] is False, "without an id each is a request of its own"
    assert ask("")["again"] is False
    assert len(asked(place)) == 4


@pytest.mark.parametrize(("verb", "target", "value"), [("pause", "", None), ("priority", "D1", 5)])
def test_a_server_that_was_restarted_knows_what_was_asked_before(
    root: Path, place: Workspace, verb: str, target: str, value: float | None
) -> None:
    """Its answer was lost with it, so that the page asks again, after another tab has asked for the opposite."""
    told = []
    for _ in range(2):
        with server(root, PLENTY) as found, Api(found) as mine:
            told.append(mine.steer("wine", verb, target, value, folder=place.folder.name, id="mine").json())
            place.store.append("wine", [e.ResumeRequested(id="another tab's")])
    assert [each["again"] for each in told] == [False, True]
    assert told[0]["number"] == told[1]["number"]
    events = [each.event for each in place.store.read(0, swarm="wine")]
    assert [getattr(each, "id", "") for each in events].count("mine") == 1


def test_two_tabs_that_steer_at_once_are_both_heard(api: Api, place: Workspace) -> None:
    query = known(api, place)

    def tab(name: str) -> list[int]:
        with Api(api.served) as mine:
            told = [
                mine.steer("wine", "add", f"{name} {n}", folder=query["folder"], id=f"{name}{n}") for n in range(15)
            ]
            return [each.json()["number"] for each in told]

    with at_once() as go:
        left, right = [each.result() for each in [go(tab, "left"), go(tab, "right")]]
    stand = {record.number: record.event for record in place.store.read(0, swarm="wine")}
    assert [stand[number].target for number in left] == [f"left {n}" for n in range(15)]  # type: ignore[union-attr]
    assert [stand[number].target for number in right] == [f"right {n}" for n in range(15)]  # type: ignore[union-attr]
    shown = api.ask("swarms/wine", **query)["answers"]
    assert {each["number"] for each in shown} == {*left, *right}


# ---------------------------------------------------------------- the workspace goes


def test_a_workspace_that_is_deleted_while_watched_is_told_at_once_and_comes_back(api: Api, place: Workspace) -> None:
    query = known(api, place)
    begun(lambda: shutil.rmtree(place.root), after=1)
    response, seconds = timed(lambda: api.get("swarms/wine", params={**query, "wait": 20}))
    assert (response.status_code, response.json()["reason"]) == (404, "NoSwarm")
    assert 0.9 < seconds < 6, f"{seconds:.1f} s"
    listed = api.ask("swarms", folder=query["folder"])
    assert (listed["swarms"], listed["ledger"]) == ([], "")
    assert not place.root.exists(), "looking does not make it again"
    place.store.close()
    other = Workspace(place.folder)
    other.swarm("wine")
    begun(lambda: logs.play(other.store, logs.wine()[:40]), after=1)
    end = time.monotonic() + 10
    while not listed["swarms"]:
        assert time.monotonic() < end, "it is not seen that a swarm is there again"
        poll = {"after": listed["cursor"], "ledger": listed["ledger"], "wait": 20}
        listed = api.ask("swarms", folder=query["folder"], **poll)
    wait_for(lambda: len(other.store.read(0)) == 40, 20, "the other ledger")
    found = api.ask("swarms/wine", **query)
    assert (found["whole"], found["ledger"] == query["ledger"]) == (True, False)
    assert found["cursor"] == 40
    assert found["runs"]["number"] == list(logs.fold(logs.wine()[:40]).rows)
    other.store.close()


def test_a_ledger_that_is_replaced_between_two_looks_is_another_one(api: Api, place: Workspace) -> None:
    query = known(api, place)
    place.store.close()
    shutil.rmtree(place.root)
    other = Workspace(place.folder)
    other.swarm("wine")
    logs.play(other.store, logs.wine()[:30])
    found = api.ask("swarms/wine", **query)
    assert (found["whole"], found["cursor"]) == (True, 30)
    other.store.close()


def copied_over(copy: Path, path: Path) -> None:
    """As `cp` does it: the same file, with another content, under those who have it open."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    shutil.copyfile(copy, path)


def put_back(copy: Path, path: Path) -> None:
    """As SQLite does it."""
    source, target = sqlite3.connect(copy), sqlite3.connect(path)
    source.backup(target)
    source.close()
    target.close()


def copied_before(api: Api, place: Workspace) -> tuple[Path, dict[str, Any]]:
    """A copy of the ledger, and what a panel knows that has seen five records more; nothing of ours is open."""
    place.store.close()
    copy = place.folder / "copy"
    shutil.copyfile(place.root / "ledger.sqlite", copy)
    for number in range(5):
        place.store.append("wine", [e.Noted(text=f"lost {number}")])
    query = known(api, place)
    place.store.close()
    return copy, query


@pytest.mark.parametrize("restore", [copied_over, put_back])
def test_a_ledger_that_is_restored_in_place_is_another_one(
    restore: Callable[[Path, Path], None], api: Api, place: Workspace
) -> None:
    copy, query = copied_before(api, place)
    begun(lambda: restore(copy, place.root / "ledger.sqlite"), after=1)
    found, seconds = timed(lambda: api.ask("swarms/wine", **query, wait=20))
    assert 0.9 < seconds < 8, f"told after {seconds:.1f} s"
    assert (found["whole"], found["ledger"] == query["ledger"]) == (True, False)
    assert found["cursor"] == query["after"] - 5
    assert not [each for each in found["log"] if each["text"].startswith("lost")]
    taken = [api.steer("wine", "add", "an idea", folder=query["folder"], id="once").json() for _ in range(3)]
    assert [(each["number"], each["again"]) for each in taken] == [(found["cursor"] + 1, n > 0) for n in range(3)]
    place.store.append("wine", [e.Noted(text="on")])
    now = api.ask("swarms/wine", folder=query["folder"], after=found["cursor"], ledger=found["ledger"])
    assert (now["whole"], now["cursor"]) == (False, found["cursor"] + 2)
    assert [each["text"] for each in now["log"]][-1:] == ["on"]
    assert len(asked(place)) == 1


@pytest.mark.parametrize("restore", [copied_over, put_back])
def test_a_request_to_a_ledger_that_was_restored_unseen_is_written_once(
    restore: Callable[[Path, Path], None], api: Api, place: Workspace
) -> None:
    """Nobody waits, so that nobody has looked since: who asks is the first to meet the other ledger."""
    copy, query = copied_before(api, place)
    restore(copy, place.root / "ledger.sqlite")
    taken = [api.steer("wine", "add", "an idea", folder=query["folder"], id="once") for _ in range(3)]
    assert [each.status_code for each in taken] == [200] * 3, taken[0].text
    assert {each.json()["number"] for each in taken} == {query["after"] - 4}
    assert [each.id for each in asked(place)] == ["once"]


@pytest.mark.parametrize("damage", ["text", "middle", "empty"])
def test_a_damaged_ledger_is_said_with_the_cure(damage: str, api: Api, place: Workspace) -> None:
    query = known(api, place)
    place.store.close()
    path = place.root / "ledger.sqlite"
    for each in place.root.glob("ledger.sqlite-*"):
        each.unlink()
    whole = path.read_bytes()
    path.unlink()
    written = {"text": b"this is no database" * 1000, "middle": whole[:100] + b"\xff" * len(whole[100:]), "empty": b""}
    path.write_bytes(written[damage])
    response = api.get("swarms/wine", params=query)
    if damage == "empty":
        assert response.status_code == 404, "nothing is in it"
        return
    assert response.status_code == 503, response.text
    assert response.json()["reason"] == "LedgerError"
    assert "restore the file from a backup" in response.json()["cure"]
    for other in (api.get("swarms", params=query), api.steer("wine", "pause", folder=query["folder"])):
        assert (other.status_code, "backup" in other.json()["cure"]) == (503, True)
    assert api.ask("swarms")["swarms"], "other workspaces go on"


def test_who_waits_is_told_when_the_ledger_breaks(api: Api, place: Workspace) -> None:
    query = known(api, place)
    place.store.close()
    path = place.root / "ledger.sqlite"

    def damage() -> None:
        other = path.with_name("other")
        other.write_bytes(b"this is no database" * 1000)
        for each in place.root.glob("ledger.sqlite-*"):
            each.unlink()
        other.replace(path)

    begun(damage, after=1)
    response, seconds = timed(lambda: api.get("swarms/wine", params={**query, "wait": 20}))
    assert (response.status_code, response.json()["reason"]) == (503, "LedgerError"), response.text[:300]
    assert 0.9 < seconds < 8


# ---------------------------------------------------------------- the server goes, the runner goes, clocks differ

AHEAD = """
import time
real = time.time
time.time = lambda: real() + 3600.0
"""


def test_a_restarted_server_goes_on_from_the_cursor_and_tells_its_own_clock(folder: Path) -> None:
    workspace, port = unfinished(folder), free_port()
    with server(folder, PLENTY, port=port) as first, Api(first) as api:
        before = api.ask("swarms/wine")
        assert abs(before["at"] - time.time()) < 5
    with pytest.raises(httpx.ConnectError), Api(first) as api:
        api.get("about")
    workspace.store.append("wine", [e.Noted(text="meanwhile")])
    with server(folder, PLENTY, config=AHEAD, port=port) as second, Api(second) as api:
        now = api.ask("swarms/wine", after=before["cursor"], ledger=before["ledger"], wait=20)
        assert now["whole"] is False
        assert now["ledger"] == before["ledger"]
        assert [each["text"] for each in now["log"]] == ["meanwhile"]
        assert now["runs"]["number"] == []
        assert now["card"] == before["card"] | {"updated": now["card"]["updated"]}
        for found in (now, api.ask("swarms"), api.ask("about")):
            assert abs(found["at"] - time.time() - 3600) < 10, "a panel reckons with the server's clock"
    workspace.store.close()


@pytest.mark.slow
def test_a_runner_that_is_killed_is_missed_within_its_lease(api: Api, root: Path) -> None:
    folder = root / "killed"
    folder.mkdir()
    quiet_library(folder)
    (folder / "study.py").write_text(f"# %%\n{CONTEXT}\n# %%\n{SLOW}", encoding="utf-8")
    command = [sys.executable, "-m", "jupyter_swarm.jupyter.cli", "run", "study.py", "--maximize", "score"]
    command += ["--budget", "10m", "--agents", "2", "--workers", "1"]
    subprocess.run(command, check=True, cwd=folder, capture_output=True, timeout=120)
    workspace = Workspace(folder)
    swarm = Swarm("study", workspace)
    try:
        wait_for(lambda: swarm.alive and swarm.state.phase == "running", 60, "the runner")
        found = api.ask("swarms/study", folder="killed")
        assert found["card"]["alive"] is True
        holder = workspace.store.holder("study")
        assert holder is not None
        os.kill(int(holder.rpartition(":")[2]), signal.SIGKILL)
        seconds = missed(api, found)
        print(f"a killed runner was missed after {seconds:.1f} s")
        assert seconds < LEASE_SECONDS + 4
        (brief,) = api.ask("swarms", folder="killed")["swarms"]
        assert (brief["alive"], brief["phase"], brief["doing"]) == (False, "running", "runner lost")
        assert api.steer("study", "resume", folder="killed").status_code == 200
        wait_for(lambda: api.ask("swarms/study", folder="killed")["card"]["alive"], 40, "another runner")
    finally:
        swarm.stop()
        wait_for(lambda: swarm.state.over and not swarm.alive, 60, "the end")
        workspace.store.close()
        shutil.rmtree(folder, ignore_errors=True)


def missed(api: Api, found: dict[str, Any]) -> float:
    """Seconds until a reader who polls as the panel does is told that the runner lives no more."""
    began = time.monotonic()
    while found["card"]["alive"] and time.monotonic() < began + 60:
        query = {"after": found["cursor"], "ledger": found["ledger"], "alive": "1", "wait": 25}
        found = api.ask("swarms/study", folder="killed", **query)
    assert found["card"]["alive"] is False
    return time.monotonic() - began
