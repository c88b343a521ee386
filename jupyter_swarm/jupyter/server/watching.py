"""Watching ledgers: whoever waits for news of a workspace is woken when its file has changed.

Looking is cheap (the file's times, ten times a second, and only while somebody waits or has waited lately); reading is
done in threads, once for all who wait, so that a ledger that another program holds never stops the server.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from jupyter_swarm.errors import UsageError
from jupyter_swarm.jupyter.replaced import Replaced
from jupyter_swarm.jupyter.server.briefs import Shelf
from jupyter_swarm.jupyter.server.mirror import Mirror
from jupyter_swarm.workspace import Workspace

LOOK_SECONDS = 0.05
APART_SECONDS = 0.25
"""Between two readings for those who wait: a burst of events is one answer."""
LEASE_SECONDS = 2.0
"""How often it is looked whether a runner still lives, which writes nothing when it dies."""
LIST_SECONDS = 1.0
"""Between two readings for the list, where single swarms are looked at as well."""
LINGER_SECONDS = 30.0
PATIENCE_SECONDS = 5.0
"""So long a request waits for another program that holds the ledger; then whoever asked is told."""
FORGET_SECONDS = 600.0
"""After so long a swarm's mirror, and a workspace's ledger, are let go that nobody has asked about."""
T = TypeVar("T")
Nudge = Callable[[Path, int], None]
Signature = tuple[tuple[int, ...] | None, ...]
"""Of the ledger's file, and of its log: device, inode, size, time of the last change; None where there is none."""


class NoSwarm(UsageError):
    """There is no such swarm (any more)."""


class Watch:
    """One workspace, watched. Its methods belong to the server's event loop.

    Args:
        folder: of the workspace.
        pool: threads for reading.
        nudge: told the folder and the list's turn when something is new.
    """

    def __init__(self, folder: Path, pool: ThreadPoolExecutor, nudge: Nudge) -> None:
        self.folder, self._pool, self._nudge = folder, pool, nudge
        self._begin()
        self.used = time.monotonic()
        self.replaced = 0
        """How often another ledger has taken the place of one that was there."""
        self._wanted = 0.0
        self._task: asyncio.Task[None] | None = None
        self._refreshing: set[asyncio.Task[None]] = set()
        self._news = asyncio.Condition()
        self._reading = asyncio.Lock()
        self._trouble: Exception | None = None
        """Why the last reading failed."""

    def _begin(self) -> None:
        self.workspace = Workspace(self.folder)
        self.workspace.patience_seconds = PATIENCE_SECONDS
        self.shelf = Shelf(self.workspace)
        self.mirrors: dict[str, Mirror] = {}
        self._file = _identity(self._signature())
        self._log: tuple[int, ...] | None = None
        """Device and inode of the write-ahead log that our connections have open."""
        self._seen: Signature = ()
        self._listed: Signature = ()
        """What the files were like when they were read last; and when they were read for the list."""
        self._read_at = self._listed_at = 0.0

    # ------------------------------------------------------------ what is asked of it

    @property
    def ledger(self) -> str:
        """Which ledger this is: by its file, by its first record (inodes are used again), and by how often another one
        has taken its place since this server looks; "" where there is none."""
        if not self._file:
            return ""
        found = f"{self._file}-{self.shelf.born:x}"
        return f"{found}-{self.replaced}" if self.replaced else found

    async def briefs(self, after: int, ledger: str, wait: float) -> bytes:
        """`words.Briefs` as JSON, when they are others than a reader knows, or the wait is over."""
        import msgspec

        def new() -> bool:
            return ledger != self.ledger or self.shelf.turn != after

        self._listed_at = 0.0
        await self.until(new, wait)
        return await self.run(lambda: msgspec.json.encode(self.shelf.briefs(self.ledger)))

    async def changes(self, name: str, after: int, ledger: str, alive: bool | None, wait: float) -> bytes:
        """`words.Changes` as JSON, when there are any, or the wait is over.

        Raises:
            NoSwarm: there is none of this name.
            LedgerError: the ledger cannot be read.
        """
        mirror = await self.mirror(name, patient=wait > 0)
        same = ledger == self.ledger and after <= mirror.cursor

        def new() -> bool:
            mine = self.mirrors.get(name)
            return mine is not mirror or mirror.cursor > after or (alive is not None and alive != mirror.alive)

        if same and after > 0:
            await self.until(new, wait)
        if self.mirrors.get(name) is not mirror:  # the ledger has been replaced meanwhile
            mirror, same = await self.mirror(name), False
        return await self.run(lambda: mirror.changes(after if same else 0, self.ledger))

    async def mirror(self, name: str, *, patient: bool = False) -> Mirror:
        """The mirror of a swarm, up to now; for who is patient, up to the last reading, if that was just now.

        Raises:
            NoSwarm: there is none of this name.
            LedgerError: the ledger cannot be read.
        """
        await self._refreshed(patient=patient)
        if not self.shelf.knows(name):  # it may have begun just now
            self._listed_at = 0.0
            await self._refreshed(again=True)
        if not self.shelf.knows(name):
            raise NoSwarm(f"there is no swarm {name[:80]!r} here (any more)", where=str(self.folder.name), cure=_CURE)
        found = self.mirrors.get(name)
        if found is None:
            found = self.mirrors[name] = Mirror(self.workspace, name)
            try:
                await self.run(found.refresh)
            except BaseException:  # also where who asked has left: it is not up to now
                self.mirrors.pop(name, None)
                raise
        found.used = time.monotonic()
        return found

    async def until(self, new: Callable[[], bool], wait: float) -> None:
        """Until something is new, or the wait is over; reads at once in any case.

        Raises:
            LedgerError: the ledger cannot be read (any more).
        """
        await self._refreshed(patient=wait > 0)
        end = time.monotonic() + wait
        while not new():
            left = end - time.monotonic()
            if left <= 0:
                return
            self._look()
            try:
                async with asyncio.timeout(left), self._news:
                    await self._news.wait()
            except TimeoutError:
                return
            if self._trouble is not None:
                raise self._trouble

    async def run(self, work: Callable[[], T]) -> T:
        """Do something in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()

    async def rest(self) -> None:
        """Stop looking, close the ledger and forget what was read of it. Who asks again opens it again."""
        self.close()
        async with self._reading:
            await self._let_go()

    # ------------------------------------------------------------ looking and reading

    def _look(self) -> None:
        """Look on from here for a while."""
        self._wanted = time.monotonic() + LINGER_SECONDS
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._looking())

    async def _looking(self) -> None:
        """Look at the file, and read when it has changed."""
        while time.monotonic() < self._wanted:
            await asyncio.sleep(LOOK_SECONDS)
            since = time.monotonic() - self._read_at
            changed = self._signature() != self._seen and since >= APART_SECONDS
            if changed or since >= LEASE_SECONDS:
                with suppress(Exception):  # who waits is told why, and so is who asks next
                    await self._refreshed(again=True)
        self._task = None

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()
        self._nudge(self.folder, self.shelf.turn)

    async def _refreshed(self, *, again: bool = False, patient: bool = False) -> None:
        """Read what is new, unless nothing has been written since the last reading; tell all who wait of it, whoever
        has come to read it, and even if they leave meanwhile. Who is patient does not read so soon after another:
        whoever looks will."""
        task = asyncio.get_running_loop().create_task(self._refresh(again, patient))
        self._refreshing.add(task)
        task.add_done_callback(self._refreshing.discard)
        await asyncio.shield(task)

    async def _refresh(self, again: bool, patient: bool) -> None:
        async with self._reading:
            if patient and self._trouble is None and time.monotonic() - self._read_at < APART_SECONDS:
                return
            before, self._trouble = self._trouble, None
            try:
                news = await self._read(again or before is not None)
            except Exception as error:
                self._trouble = error
                async with self._news:
                    self._news.notify_all()
                raise
            if news:
                await self._tell()

    async def _read(self, again: bool) -> bool:
        seen = self._signature()
        replaced = self._displaced(seen)
        if replaced:
            await self._begin_anew()
        mirrors, now = self._kept(), time.monotonic()
        listing = not mirrors or now - self._listed_at >= LIST_SECONDS
        if seen == (self._listed if listing else self._seen) and not again and now - self._read_at < 1.0:
            return replaced
        self._read_at = now
        if not self._file:
            self._seen = self._listed = seen
            return replaced
        if self._seen and seen[0] != self._seen[0] and seen[1] is not None:
            await self._reconnect()
        try:
            news = await self._read_all(mirrors, listing, now)
        except Replaced:
            await self._begin_anew()
            return await self._read(again=True) or True
        self._seen = seen
        self._listed = seen if listing else self._listed
        return news or replaced

    async def _read_all(self, mirrors: list[Mirror], listing: bool, now: float) -> bool:
        news = False
        if listing:
            self._listed_at = now
            news = await self.run(self.shelf.refresh)
        for each in mirrors:
            news |= await self.run(each.news)
        return news

    def _kept(self) -> list[Mirror]:
        now = time.monotonic()
        self.mirrors = {name: each for name, each in self.mirrors.items() if now - each.used < FORGET_SECONDS}
        return list(self.mirrors.values())

    # ------------------------------------------------------------ another ledger

    def _displaced(self, seen: Signature) -> bool:
        """Whether another file lies where the ledger did, or none, or its log has been taken away under us: whatever
        our connections wrote then, nobody else would read."""
        if _identity(seen) != self._file:
            return True
        log = seen[1][:2] if seen[1] is not None else None
        if self._log is None and self._seen:  # our connections have been open since, and nobody may end the log
            self._log = log
        return log != self._log and self._log is not None

    async def _begin_anew(self) -> None:
        """Forget what was read, and tell the readers' cursors from those of what is there now."""
        self.replaced += bool(self._file)
        await self._let_go()

    async def _let_go(self) -> None:
        old = self.workspace
        self._begin()
        await self._closed(old)

    async def _reconnect(self) -> None:
        """Connections know pages by heart, and trust the log to say which have changed. Where the ledger's file has
        changed itself, the log may have been written into it, or a copy over it: only a new connection can tell."""
        self._log = None
        await self._closed(self.workspace)

    async def _closed(self, workspace: Workspace) -> None:
        if "store" in vars(workspace):
            await self.run(workspace.store.close)

    def _signature(self) -> Signature:
        root = self.folder / ".swarm"
        return _looks(root / "ledger.sqlite"), _looks(root / "ledger.sqlite-wal")


def _looks(path: Path) -> tuple[int, ...] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _identity(seen: Signature) -> str:
    return f"{seen[0][0]:x}-{seen[0][1]:x}" if seen[0] is not None else ""


_CURE = "choose another swarm in the list"


class Watches:
    """The watched workspaces of a server."""

    def __init__(self, pool: ThreadPoolExecutor, nudge: Nudge) -> None:
        self._pool, self._nudge = pool, nudge
        self._known: dict[Path, Watch] = {}

    def of(self, folder: Path) -> Watch:
        """The watch of a folder, for somebody who asks about it."""
        found = self._known.get(folder)
        if found is None:
            found = self._known[folder] = Watch(folder, self._pool, self._nudge)
        found.used = time.monotonic()
        return found

    def folders(self) -> list[Path]:
        """Those that are watched."""
        return list(self._known)

    async def forget(self, seconds: float = FORGET_SECONDS) -> list[Path]:
        """Let go of what nobody has asked about for so long; the folders.

        A watch under which a ledger was replaced stays, closed: it knows which cursors are no longer good.
        """
        found = []
        for folder, watch in list(self._known.items()):
            if time.monotonic() - watch.used < seconds:
                continue
            if not watch.replaced:
                del self._known[folder]
            await watch.rest()
            found.append(folder)
        return found

    def close(self) -> None:
        """Stop looking anywhere."""
        for each in self._known.values():
            each.close()
