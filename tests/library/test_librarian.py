"""The librarian as it is: a real process, real weights, a real Chroma."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from shelves import NOTES, alive, end, wait_for

from jupyter_swarm.events import IndexBuilt, Noted
from jupyter_swarm.library import Librarian, LocalLibrary, embedder
from jupyter_swarm.library.wire import LONGEST_ADDRESS, Lock, Notice, ask
from jupyter_swarm.workspace import Workspace


@pytest.fixture
def library(workspace: Workspace) -> Iterator[LocalLibrary]:
    """With a librarian, who is gone afterwards."""
    made = LocalLibrary(workspace)
    yield made
    end(made.librarian)


def said(library: LocalLibrary) -> Notice:
    assert library.librarian is not None
    wait_for(library.librarian.status, 30, "a word of the librarian")
    notice = library.librarian.status()
    assert notice is not None
    return notice


def busiest() -> str:
    """Which processes take the machine, for a failure's message."""
    return subprocess.run(
        ["ps", "axo", "pid,ni,stat,pcpu,time,args", "--sort=-pcpu"], check=False, capture_output=True, text=True
    ).stdout[:3000]


def built(workspace: Workspace) -> list[IndexBuilt]:
    return [record.event for record in workspace.store.read(swarm="") if isinstance(record.event, IndexBuilt)]


# ---------------------------------------------------------------- one that lives


def test_meaning_is_found_where_no_word_is_shared(living: LocalLibrary) -> None:
    query = "preparing a hot beverage"
    assert LocalLibrary(living._workspace, vectors=False).search(query) == []
    assert living.search(query)[0].passage.place.endswith("Kettles")


def test_similarities_are_cosines(living: LocalLibrary) -> None:
    found = living.librarian.query("boiling water in a kettle", 2)
    assert found is not None
    assert len(found) == 2
    assert 0.4 < found[0][1] <= 1.0
    assert living.passage(found[0][0]).place.endswith("Kettles")


def test_the_ledger_says_that_the_index_is_built(living: LocalLibrary) -> None:
    (event,) = built(living._workspace)
    assert event == IndexBuilt(model=embedder.DEFAULT, passages=3, through=1)


def test_the_socket_is_its_owners_only(living: LocalLibrary) -> None:
    place = Path(said(living).socket)
    assert stat.S_ISSOCK(place.stat().st_mode)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700


def test_it_is_polite_and_in_a_session_of_its_own(living: LocalLibrary) -> None:
    pid = said(living).pid
    assert os.getsid(pid) == pid != os.getsid(0)
    assert os.getpriority(os.PRIO_PROCESS, pid) >= 10


def test_a_second_one_leaves_at_once(living: LocalLibrary) -> None:
    first = said(living)
    command = [sys.executable, "-m", "jupyter_swarm.library.librarian", str(living._workspace.folder)]
    done = subprocess.run(command, timeout=30, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert said(living) == first
    assert living.librarian.ready()


def test_many_ask_at_once(living: LocalLibrary) -> None:
    answers: list[object] = []
    ask_one = lambda: answers.append(living.librarian.query("kettle", timeout_seconds=20))  # noqa: E731
    threads = [threading.Thread(target=ask_one) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 12
    assert all(answer == answers[0] and answer for answer in answers)


@pytest.mark.parametrize(
    "message", [{"verb": "dance"}, {}, {"verb": "query"}, {"verb": "query", "text": 1, "limit": "x"}]
)
def test_nonsense_is_answered(living: LocalLibrary, message: dict[str, object]) -> None:
    answer = ask(said(living).socket, message, 5)
    assert answer is not None
    assert "error" in answer


def test_an_answer_that_would_miss_papers_is_none(living: LocalLibrary) -> None:
    assert living.librarian.query("kettle", through=10_000) is None


# ---------------------------------------------------------------- none, and how little that costs


def test_nobody_waits_for_a_librarian_that_is_away(workspace: Workspace) -> None:
    librarian = Librarian(workspace)
    began = time.monotonic()
    assert librarian.query("kettle") is None
    assert not librarian.ready()
    assert not librarian.shutdown_if_idle()
    librarian.poke()
    assert librarian.status() is None
    assert time.monotonic() - began < 0.3


def test_adding_and_searching_do_not_wait_for_the_model(library: LocalLibrary, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text(NOTES, encoding="utf-8")
    library.add([tmp_path / "notes.md"])
    for _ in range(5):
        began = time.monotonic()
        assert library.search("kettle")[0].passage.place.endswith("Kettles")
        assert time.monotonic() - began < 1.5
        time.sleep(0.2)


def test_a_librarian_that_hangs_costs_a_moment(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text(NOTES, encoding="utf-8")
    library = LocalLibrary(workspace)
    lexical = LocalLibrary(workspace, vectors=False)
    lexical.add([tmp_path / "notes.md"])
    lock = Lock(workspace)
    assert lock.take()
    import socket

    from jupyter_swarm.library.papers import write_bytes

    with socket.socket(socket.AF_UNIX) as deaf:
        place = workspace.library / "deaf.sock"
        deaf.bind(str(place))
        deaf.listen()
        write_bytes(
            workspace.library / "librarian.json", b'{"pid":1,"state":"ready","socket":"%s"}' % str(place).encode()
        )
        library.search("warm up")
        began = time.monotonic()
        assert [hit.passage for hit in library.search("kettle")] == [hit.passage for hit in lexical.search("kettle")]
        assert time.monotonic() - began < 0.6
    lock.give_back()
    (workspace.library / "librarian.json").unlink()


# ---------------------------------------------------------------- killed, resumed, idle, too far


def test_killed_at_work_the_next_one_goes_on(library: LocalLibrary, workspace: Workspace, tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}.md").write_text(f"# Paper {number}\n\n" + f"Topic {number} is discussed. " * 60)
    library.add([tmp_path / "*.md"])
    assert library.librarian is not None
    wait_for(lambda: said(library).state == "ready", 120, "the model")
    time.sleep(1.0)
    first = said(library).pid
    os.kill(first, signal.SIGKILL)
    wait_for(
        lambda: not alive(first) and library.librarian._free(), 20, "the end of the killed one and of all its threads"
    )
    assert built(workspace) == []
    assert library.search("topic 7")
    library.librarian._started = 0.0
    assert library.librarian.start_if_needed()
    log = workspace.library / "librarian.log"
    try:
        wait_for(lambda: library.librarian.ready(through=20), 240, "the second librarian")
    except AssertionError as error:
        raise AssertionError(f"{error}\n{library.librarian.status()}\n{log.read_text()[-3000:]}\n{busiest()}") from None
    assert said(library).pid != first
    (event,) = built(workspace)
    assert event.through == 20
    found = library.librarian.query("topic", 1000, timeout_seconds=10)
    assert found is not None
    assert len(found) == event.passages
    # A third has nothing to do, and says nothing again.
    assert library.librarian.shutdown_if_idle()
    wait_for(lambda: not alive(said(library).pid), 30, "the end of the second")
    assert not (workspace.library / "librarian.sock").exists()
    library.librarian._started = 0.0
    library.librarian.start_if_needed()
    wait_for(lambda: library.librarian.ready(through=20), 120, "the third librarian")
    assert len(built(workspace)) == 1


@pytest.mark.parametrize("damage", ["garbage", "cut", "folder"])
def test_a_damaged_index_is_made_again(workspace: Workspace, tmp_path: Path, damage: str) -> None:
    (tmp_path / "notes.md").write_text(NOTES, encoding="utf-8")
    LocalLibrary(workspace, vectors=False).add([tmp_path / "notes.md"])
    librarian = Librarian(workspace)
    assert librarian.start_if_needed()
    wait_for(lambda: librarian.ready(through=1), 120, "the index")
    first = librarian.status()
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    wait_for(lambda: not alive(first.pid) and librarian._free(), 20, "its end, and that of all its threads")
    file = workspace.library / "chroma" / "chroma.sqlite3"
    if damage == "garbage":
        file.write_bytes(b"no database" * 1000)
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    else:
        file.unlink()
        file.mkdir()
    librarian._started = 0.0
    assert librarian.start_if_needed()
    try:
        wait_for(lambda: librarian.ready(through=1), 120, f"the next one: {librarian.status()}")
        found = librarian.query("preparing a hot beverage", 2, timeout_seconds=10)
        assert found is not None
        assert len(found) == 2
        notes = [r.event.text for r in workspace.store.read(swarm="") if isinstance(r.event, Noted)]
        assert any("is damaged and is made again" in text for text in notes)
    finally:
        end(librarian)


def test_it_leaves_when_nobody_asks(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text(NOTES, encoding="utf-8")
    LocalLibrary(workspace, vectors=False).add([tmp_path / "notes.md"])
    librarian = Librarian(workspace, idle_seconds=0.5)
    assert librarian.start_if_needed()
    wait_for(lambda: built(workspace), 120, "the index")
    pid = librarian.status().pid
    wait_for(lambda: not alive(pid), 30, "the librarian's leave")
    assert librarian.status().state == "gone"
    assert not (workspace.library / "librarian.sock").exists()


def test_a_path_too_long_for_a_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 20) / ("longer" * 10)
    folder.mkdir(parents=True)
    workspace = Workspace(folder).create()
    assert len(str(workspace.library / "librarian.sock")) > LONGEST_ADDRESS
    (folder / "notes.md").write_text(NOTES, encoding="utf-8")
    library = LocalLibrary(workspace)
    try:
        library.add([folder / "notes.md"])
        wait_for(lambda: library.librarian.ready(1), 120, "the librarian")
        place = Path(said(library).socket)
        assert place.parent.name.startswith("jupyter-swarm-")
    finally:
        end(library.librarian)
        workspace.store.close()
    assert not place.parent.exists()


# ---------------------------------------------------------------- the model


def test_the_packaged_weights_are_found_without_a_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    search = embedder.find(download=False)
    assert search.digest
    assert search.name == embedder.DEFAULT
    assert search.notes == []


def test_changed_weights_are_refused_and_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setattr(embedder, "SHA256", "0" * 64)
    search = embedder.find(download=False)
    assert search.folder is None
    assert "refused" in search.notes[0]
    assert "by words alone" in search.notes[1]


def test_a_configured_model_on_disk_comes_first(tmp_path: Path) -> None:
    packaged = embedder.find(download=False).folder
    assert packaged is not None
    own = tmp_path / "own"
    own.mkdir()
    for name in ("config.json", "model.safetensors"):
        os.symlink(packaged / name, own / name)
    assert embedder.find(str(own)).folder == own


def test_a_configured_model_that_is_absent_falls_back_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    search = embedder.find("somebody/surely-absent", download=False)
    assert search.name == embedder.DEFAULT
    assert "'somebody/surely-absent' is not on disk" in search.notes[0]


def test_a_model_in_the_hubs_cache_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    model = tmp_path / "hub" / "models--a--b"
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text("abc")
    (model / "snapshots" / "abc").mkdir(parents=True)
    assert embedder.on_disk("a/b") is None
    for name in ("config.json", "model.safetensors"):
        (model / "snapshots" / "abc" / name).write_text("{}")
    assert embedder.on_disk("a/b") == model / "snapshots" / "abc"


def test_without_a_model_words_alone_said_once(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No package, no cache, and a hub that refuses the connection."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "notes.md").write_text(NOTES, encoding="utf-8")
    LocalLibrary(workspace, vectors=False).add([tmp_path / "notes.md"])
    code = (
        "import sys; from jupyter_swarm.library import embedder, librarian; embedder.PACKAGE = 'surely_not_there';"
        f"sys.exit(librarian.main([{str(workspace.folder)!r}, '--idle-seconds', '1']))"
    )
    began = time.monotonic()
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code], check=True, timeout=240, capture_output=True)
    assert time.monotonic() - began < 40
    notes = [record.event for record in workspace.store.read(swarm="") if isinstance(record.event, Noted)]
    assert len(notes) == 1
    assert "by words alone" in notes[0].text
    assert notes[0].level == "warning"
    librarian = Librarian(workspace)
    assert librarian.status().state == "none"
    monkeypatch.setattr(embedder, "PACKAGE", "surely_not_there")
    assert not librarian.start_if_needed()
    assert LocalLibrary(workspace).search("kettle")
    assert librarian.status().state == "none"
