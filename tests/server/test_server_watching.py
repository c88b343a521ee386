"""Watching ledgers, without a server between: who is woken, what is noticed, what is let go."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rig import asked, unfinished

from jupyter_swarm import events as e
from jupyter_swarm.errors import UsageError
from jupyter_swarm.jupyter.server import words as w
from jupyter_swarm.jupyter.server.asking import Handle, append
from jupyter_swarm.jupyter.server.mirror import Mirror
from jupyter_swarm.jupyter.server.papers import Libraries
from jupyter_swarm.jupyter.server.places import Root
from jupyter_swarm.jupyter.server.watching import Watches


@asynccontextmanager
async def watching(threads: int = 8) -> AsyncIterator[Watches]:
    """The watches of a server, closed afterwards."""
    with ThreadPoolExecutor(threads) as pool:
        watches = Watches(pool, lambda folder, turn: None)
        try:
            yield watches
        finally:
            watches.close()
            await watches.forget(0.0)


def opened(folder: Path) -> list[str]:
    """What this process has open of a folder's ledger."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        try:
            path = os.readlink(each)
        except OSError:
            continue
        found += [path] if path.startswith(str(folder / ".swarm" / "ledger")) else []
    return sorted(found)


# ---------------------------------------------------------------- who is woken


def test_a_reader_who_leaves_while_reading_keeps_the_news_from_nobody(folder: Path) -> None:
    """It was they who came to read it; all others wait for the same news."""
    workspace = unfinished(folder)

    async def work() -> float:
        async with watching() as watches:
            watch = watches.of(folder)
            await watch.briefs(-1, "", 0.0)
            turn = watch.shelf.turn
            waiting = asyncio.create_task(watch.briefs(turn, watch.ledger, 12))
            await asyncio.sleep(0.5)
            workspace.store.append("wine", [e.Noted(text="news")])
            began = time.monotonic()
            with watch.shelf._lock:  # a thread reads for who is leaving, and is not through
                leaving = asyncio.create_task(watch.briefs(turn, watch.ledger, 0.0))
                await asyncio.sleep(0.05)
                leaving.cancel()
                await asyncio.gather(leaving, return_exceptions=True)
            await waiting
            return time.monotonic() - began

    seconds = asyncio.run(work())
    workspace.store.close()
    assert seconds < 8, f"told after {seconds:.1f} s"


def test_a_reader_who_leaves_before_anything_was_read_leaves_no_empty_swarm(folder: Path) -> None:
    """All threads are busy just then: what has not begun to be read never is."""
    workspace = unfinished(folder)
    last = workspace.store.read(0, swarm="wine")[-1].number
    workspace.store.close()

    async def work() -> int:
        async with watching(threads=1) as watches:
            watch, free = watches.of(folder), threading.Event()
            await watch.briefs(-1, "", 0.0)
            busy = asyncio.create_task(watch.run(free.wait))
            await asyncio.sleep(0)
            leaving = asyncio.create_task(watch.mirror("wine", patient=True))
            for _ in range(20):
                await asyncio.sleep(0)
            assert "wine" in watch.mirrors
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
            free.set()
            await busy
            return (await watch.mirror("wine", patient=True)).cursor

    assert asyncio.run(work()) == last


# ---------------------------------------------------------------- which ledger it is


def written_over(source: Path, target: Path) -> None:
    """One file's content into another one, which stays the same file."""
    before = target.stat().st_ino
    shutil.copyfile(source, target)
    assert target.stat().st_ino == before


def test_two_ledgers_of_one_inode_are_two_and_one_that_goes_on_is_one(folder: Path) -> None:
    """As where `.swarm` is deleted and made anew, or the server restarted."""

    async def ledger(at: Path) -> str:
        async with watching() as watches:
            watch = watches.of(at)
            await watch.briefs(-1, "", 0.0)
            return watch.ledger

    first = unfinished(folder / "first")
    first.store.close()
    was = asyncio.run(ledger(first.folder))
    first.store.append("wine", [e.Noted(text="more")])
    first.store.close()
    assert asyncio.run(ledger(first.folder)) == was
    other = unfinished(folder / "other")
    other.store.close()
    written_over(other.root / "ledger.sqlite", first.root / "ledger.sqlite")
    now = asyncio.run(ledger(first.folder))
    assert now != was
    assert now.split("-")[:2] == was.split("-")[:2], "it was told by what is in it"


def test_a_log_that_is_taken_away_is_noticed(folder: Path) -> None:
    """What our connections would write into it, no runner would ever read."""
    workspace = unfinished(folder)
    workspace.store.close()

    async def work() -> tuple[str, str, int, list[str]]:
        async with watching() as watches:
            watch = watches.of(folder)
            for _ in range(2):
                await watch.mirror("wine")
                watch.workspace.store.append("wine", [e.Noted(text="one")])
            was = watch.ledger
            for ending in ("-wal", "-shm"):
                os.unlink(f"{workspace.root / 'ledger.sqlite'}{ending}")
            mirror = await watch.mirror("wine")
            return was, watch.ledger, mirror.cursor, opened(folder)

    was, now, cursor, files = asyncio.run(work())
    assert now != was
    assert not [each for each in files if "(deleted)" in each], "it is left alone"
    assert cursor == len(workspace.store.read(0))
    workspace.store.close()


# ---------------------------------------------------------------- a request, and the ledger is restored meanwhile


def restored(copy: Path, path: Path) -> None:
    """SQLite's own way to put a copy in the place of a ledger that others have open."""
    source, target = sqlite3.connect(copy), sqlite3.connect(path)
    source.backup(target)
    source.close()
    target.close()


def test_a_request_into_a_ledger_that_is_restored_just_then_is_written_once(folder: Path) -> None:
    workspace = unfinished(folder)
    workspace.store.close()
    path = workspace.root / "ledger.sqlite"
    shutil.copyfile(path, folder / "copy")
    workspace.store.append("wine", [e.Noted(text=str(number)) for number in range(9)])
    mirror = Mirror(workspace, "wine")
    mirror.refresh()
    last = mirror.cursor
    ask = w.Ask(verb="add", target="an idea", id="once")

    class Late(Handle):
        """The ledger is restored after the last look at it, just before the request is written."""

        def _check_open(self, verb: str) -> None:
            super()._check_open(verb)
            restored(folder / "copy", path)

    number = append(Late(mirror), ask)
    assert number == last - 8
    again = Mirror(workspace, "wine")
    again.refresh()
    assert append(Handle(again), ask) == number
    assert append(Handle(mirror), ask) == number, "whatever a mirror knew that nobody has told"
    assert [each.id for each in asked(workspace)] == ["once"]
    workspace.store.close()


# ---------------------------------------------------------------- what is let go


def test_what_nobody_asks_about_is_closed_and_opened_again(folder: Path) -> None:
    workspace = unfinished(folder)
    workspace.store.close()

    async def work() -> None:
        async with watching() as watches:
            libraries, watch = Libraries(), watches.of(folder)
            was = (await watch.mirror("wine")).cursor, watch.ledger
            shelf = libraries.of(watch.workspace)
            assert opened(folder)
            assert await watches.forget(60.0) == []
            assert watches.of(folder) is watch
            time.sleep(0.05)
            assert await watches.forget(0.05) == [folder]
            libraries.forget(folder)
            assert (opened(folder), watch.mirrors, watches.folders()) == ([], {}, [])
            again = watches.of(folder)
            assert ((await again.mirror("wine")).cursor, again.ledger) == was
            assert libraries.of(again.workspace) is not shelf

    asyncio.run(work())


def test_a_watch_that_knows_of_another_ledger_is_closed_but_stays(folder: Path) -> None:
    """Its readers may come again after hours, with a cursor of the ledger that was there before."""
    workspace = unfinished(folder)
    workspace.store.close()
    shutil.copyfile(workspace.root / "ledger.sqlite", folder / "copy")

    async def work() -> None:
        async with watching() as watches:
            watch = watches.of(folder)
            watch.workspace.store.append("wine", [e.Noted(text="more")])
            await watch.mirror("wine")
            was = watch.ledger
            restored(folder / "copy", workspace.root / "ledger.sqlite")
            await watch.mirror("wine")
            now = watch.ledger
            assert now != was
            await watches.forget(0.0)
            assert (opened(folder), watches.of(folder)) == ([], watch)
            await watch.mirror("wine")
            assert watch.ledger == now

    asyncio.run(work())


# ---------------------------------------------------------------- folders that cannot be opened


def test_a_name_that_is_too_long_is_no_folder(folder: Path) -> None:
    with pytest.raises(UsageError, match="there is no such folder"):
        Root(folder).workspace("a" * 300)
    with pytest.raises(UsageError, match="there is no such folder"):
        Root(folder).workspace("a" * 255 + "/b")


ENTER = """
import os, sys
from jupyter_swarm.errors import UsageError
from jupyter_swarm.jupyter.server.places import Root
if not os.geteuid():
    os.setegid(65534)
    os.seteuid(65534)
root = Root(sys.argv[1])
print([each.folder for each in root.find().places])
try:
    root.workspace("shut/inner")
except UsageError as error:
    print(error)
"""


def test_a_folder_that_may_not_be_entered_is_none_and_hides_no_other(folder: Path) -> None:
    """As whoever runs the server, if that is not root, who may enter any."""
    unfinished(folder / "open").store.close()
    (folder / "shut" / "inner").mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "open" / ".swarm").chmod(0o755)
    (folder / "shut").chmod(0o444)
    try:
        done = subprocess.run([sys.executable, "-c", ENTER, str(folder)], capture_output=True, text=True, check=False)
    finally:
        (folder / "shut").chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("['open']\nthere is no such folder"), done.stdout
