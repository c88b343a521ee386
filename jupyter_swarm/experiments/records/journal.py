"""The journal: the records of a swarm's runs in one SQLite file, each durable before its run is acknowledged.

One thread writes; what is queued together is one transaction, and so one wait for the disk. Records of one swarm look
much alike: each is compressed with the first one as its dictionary, so that a small run takes a few hundred bytes.

    journal = Journal(swarm's folder / recorded.FILE)
    journal.open()
    await journal.append(identity, notebook, frames)     # from as many tasks as wanted
    journal.close()

`recorded.py` has the file, and reads it at any time, from any process.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jupyter_swarm.errors import SwarmError, WorkspaceError
from jupyter_swarm.experiments.records import recorded

TOGETHER = 256
"""Records of one transaction at most."""
_INSERT = "INSERT INTO runs (id, at, died, dictionary, length, body) VALUES (?, ?, ?, ?, ?, ?)"


class _Entry(NamedTuple):
    """A record that waits to be written, and who waits for it."""

    identity: str
    notebook: bytes
    frames: Sequence[bytes]
    died: str
    at: float
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[None]


class Journal:
    """The writer of a swarm's journal; there is one, in its runner.

    Args:
        path: the file; begun where there is none. Executed notebooks that were made of older records of the same
            runs lie in `runs/` beside it, and are deleted when a run is recorded again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._dictionary: tuple[int, bytes] | None = None

    def open(self) -> None:
        """Begin or open the file, see that it can be written, and start the writer.

        Raises:
            WorkspaceError: it cannot be written, is damaged, or was written by a newer version.
        """
        if self._thread is not None:
            return
        try:
            self._connection, self._dictionary = recorded.writable(self.path)
        except (sqlite3.Error, OSError) as error:
            raise recorded.explained(self.path, error) from None
        self._thread = threading.Thread(target=self._work, name="swarm-journal", daemon=True)
        self._thread.start()

    async def append(
        self,
        identity: str,
        notebook: bytes,
        frames: bytes | Sequence[bytes],
        *,
        died: str = "",
        at: float | None = None,
    ) -> None:
        """Record a run; durable on return. A record of the same run is replaced. Cancelling the call undoes nothing.

        Args:
            identity: the experiment's id.
            notebook: JSON, without outputs.
            frames: what it told, at once or in pieces.
            died: why its process ended before it was done.
            at: when it ended (Unix time); now where not given.

        Raises:
            WorkspaceError: it cannot be written, or the journal is not open; nothing of this record was.
        """
        loop = asyncio.get_running_loop()
        pieces = (frames,) if isinstance(frames, bytes | bytearray) else frames
        moment = time.time() if at is None else at
        entry = _Entry(identity, notebook, pieces, died, moment, loop, loop.create_future())
        with self._lock:
            if self._thread is None:
                raise WorkspaceError("the journal of the runs is not open", where=str(self.path))
            self._queue.put(entry)
        await entry.future

    def close(self) -> None:
        """Write what is queued, and end; harmless when called again."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._queue.put(None)
        if thread is not None:
            thread.join()

    # ------------------------------------------------------------ the writer's thread

    def _work(self) -> None:
        going = True
        while going:
            batch = [self._queue.get()]
            with contextlib.suppress(queue.Empty):
                while len(batch) < TOGETHER:
                    batch.append(self._queue.get_nowait())
            entries = [each for each in batch if each is not None]
            going = len(entries) == len(batch)
            if entries:
                _answer(self._commit(entries))
        self._drop()

    def _commit(self, entries: Sequence[_Entry]) -> list[tuple[_Entry, SwarmError | None]]:
        """Write records in one transaction; where that fails, each by itself: only one may be too large."""
        try:
            self._write(entries)
        except Exception as error:  # an awaiter hears of whatever it is, and the thread goes on
            self._drop()
            if len(entries) > 1:
                return [answer for entry in entries for answer in self._commit([entry])]
            return [(entries[0], recorded.explained(self.path, error))]
        return [(entry, None) for entry in entries]

    def _write(self, entries: Sequence[_Entry]) -> None:
        if self._connection is None:
            self._connection, self._dictionary = recorded.writable(self.path)
        connection, again = self._connection, []
        connection.execute("BEGIN IMMEDIATE")
        for entry in entries:
            if self._insert(connection, entry):
                again.append(entry.identity)
        connection.execute("COMMIT")
        for identity in again:
            with contextlib.suppress(OSError):
                (self.path.parent / "runs" / f"{identity}.ipynb").unlink(missing_ok=True)

    def _insert(self, connection: sqlite3.Connection, entry: _Entry) -> bool:
        """Write one record; whether the run had one."""
        if self._dictionary is None:
            body = recorded.dictionary(entry.notebook, entry.frames)
            added = connection.execute("INSERT INTO dictionaries (body) VALUES (?)", (body,))
            self._dictionary = int(added.lastrowid or 0), body
        number, body = self._dictionary
        parts = recorded.packed((entry.notebook, *entry.frames), body)
        row = (entry.identity, entry.at, entry.died, number, len(entry.notebook), next(parts))
        again = False
        try:
            run = connection.execute(_INSERT, row).lastrowid
        except sqlite3.IntegrityError:
            again = True
            old = connection.execute("SELECT number FROM runs WHERE id = ?", (entry.identity,)).fetchone()
            connection.execute("DELETE FROM more WHERE run = ?", old)
            connection.execute("DELETE FROM runs WHERE number = ?", old)
            run = connection.execute(_INSERT, row).lastrowid
        for place, part in enumerate(parts):
            connection.execute("INSERT INTO more VALUES (?, ?, ?)", (run, place, part))
        return again

    def _drop(self) -> None:
        """Close the connection (which takes back what was not committed); the next write opens another."""
        connection, self._connection, self._dictionary = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()


def _answer(answers: Sequence[tuple[_Entry, SwarmError | None]]) -> None:
    """Tell those who wait, with one call for each event loop."""

    def settle(loop: asyncio.AbstractEventLoop) -> None:
        for entry, error in answers:
            if entry.loop is loop and not entry.future.done():
                entry.future.set_exception(error) if error is not None else entry.future.set_result(None)

    for loop in {entry.loop for entry, _ in answers}:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits
            loop.call_soon_threadsafe(settle, loop)
