"""The file of a journal: a SQLite database that one runner writes (`journal.py`) and anybody reads.

WAL with synchronous=FULL on a local disk; a rollback journal where the folder lies on a network file system. Each
record is compressed with a dictionary, the first record; what is longer than a part goes on in rows of `more`.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import zlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from jupyter_swarm.errors import SwarmError, WorkspaceError
from jupyter_swarm.experiments.records.record import Record

FILE = "runs.sqlite"
VERSION = 1
LEVEL = 1
"""Of zlib: the next ones take half as long again and save little."""
PART = 1 << 20
"""Bytes of a row's body; the rest of a large record stands in rows of `more`."""
SPARE_BYTES = 16 << 20
"""What the write-ahead log keeps of the disk after a large record."""
BUSY_SECONDS = 15.0
_DICTIONARY = 24_576, 8_192
"""Bytes of the first notebook and of its frames that become the dictionary (zlib looks back 32 KB)."""
_TABLES = (
    "CREATE TABLE dictionaries (number INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    "CREATE TABLE runs (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at REAL NOT NULL, died TEXT NOT NULL, "
    "dictionary INTEGER NOT NULL, length INTEGER NOT NULL, body BLOB NOT NULL)",
    "CREATE TABLE more (run INTEGER NOT NULL, place INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (run, place))",
    f"PRAGMA user_version = {VERSION}",
)


def packed(pieces: Sequence[bytes], dictionary: bytes) -> Iterator[bytes]:
    """The pieces compressed, in parts of about `PART` bytes: a large record is never held twice.

    Pictures hardly shrink, and a second for them is a second that others wait: they are left as they are.
    """
    packer = zlib.compressobj(LEVEL if _shrinks(pieces) else 0, zdict=dictionary)
    waiting = bytearray()
    for piece in pieces:
        for start in range(0, len(piece), PART):
            waiting += packer.compress(memoryview(piece)[start : start + PART])
            if len(waiting) >= PART:
                yield bytes(waiting)
                waiting.clear()
    yield bytes(waiting + packer.flush())


def _shrinks(pieces: Sequence[bytes]) -> bool:
    """Whether compressing is worth its time: for small records always, for large ones as samples tell."""
    total = sum(map(len, pieces))
    if total <= PART:
        return True
    large = [piece for piece in pieces if 2 * len(piece) * len(pieces) >= total]
    places = [(piece, place * len(piece) // 8) for piece in large[:: 1 + len(large) // 16] for place in range(8)]
    samples = [piece[start : start + 4096] for piece, start in places]
    return sum(len(zlib.compress(each, LEVEL)) for each in samples) < 0.6 * sum(map(len, samples))


def dictionary(notebook: bytes, frames: Sequence[bytes]) -> bytes:
    """What the first record gives to the compression of all."""
    return notebook[-_DICTIONARY[0] :] + b"".join(frames)[: _DICTIONARY[1]] or b"\n"


def writable(path: Path) -> tuple[sqlite3.Connection, tuple[int, bytes] | None]:
    """A connection that may write, and the dictionary in use; the file is begun where there is none.

    Raises:
        sqlite3.Error, OSError: see `explained`.
        WorkspaceError: a newer version wrote it.
    """
    from jupyter_swarm.store import NETWORK_FILE_SYSTEMS, file_system

    with contextlib.suppress(FileExistsError):  # never opened where it exists: closing it would end SQLite's locks
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        network = file_system(path.parent).startswith(NETWORK_FILE_SYSTEMS)
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # has a meaning only before there is a table
        connection.execute(f"PRAGMA journal_mode = {'DELETE' if network else 'WAL'}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {SPARE_BYTES}")
        connection.execute("BEGIN IMMEDIATE")
        if _version(connection, path) == 0:
            for statement in _TABLES:
                connection.execute(statement)
        connection.execute("COMMIT")
        row = connection.execute("SELECT number, body FROM dictionaries ORDER BY number DESC LIMIT 1").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection, row


def read(path: Path, identity: str) -> Record | None:
    """The record of a run; None where there is none.

    Raises:
        WorkspaceError: the file cannot be read, or is damaged.
    """
    with _readable(path) as connection:
        if connection is None:
            return None
        found = connection.execute(
            "SELECT runs.number, at, died, length, runs.body, dictionaries.body FROM runs "
            "JOIN dictionaries ON dictionaries.number = runs.dictionary WHERE id = ?",
            (identity,),
        ).fetchone()
        if found is None:
            return None
        run, at, died, length, first, dictionary = found
        unpacker = zlib.decompressobj(zdict=dictionary)
        data = bytearray(unpacker.decompress(first))
        for (part,) in connection.execute("SELECT body FROM more WHERE run = ? ORDER BY place", (run,)):
            data += unpacker.decompress(part)
        if not unpacker.eof:
            raise zlib.error(f"the record of {identity} is cut short")
    return Record(bytes(data[:length]), bytes(memoryview(data)[length:]), died, at)


def identities(path: Path) -> list[str]:
    """The runs that have a record, in the order of recording.

    Raises:
        WorkspaceError: the file cannot be read, or is damaged.
    """
    with _readable(path) as connection:
        if connection is None:
            return []
        return [identity for (identity,) in connection.execute("SELECT id FROM runs ORDER BY number")]


def forget(path: Path, keep: Collection[str]) -> tuple[int, int]:
    """Delete all records but those to keep; (how many, bytes by which the file is smaller). A runner may be alive.

    Raises:
        WorkspaceError: the file cannot be written, or is damaged; nothing was deleted.
    """
    gone = [(identity,) for identity in identities(path) if identity not in keep]
    if not gone:
        return 0, 0
    before = path.stat().st_size
    try:
        connection, _ = writable(path)
        with contextlib.closing(connection):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("DELETE FROM more WHERE run = (SELECT number FROM runs WHERE id = ?)", gone)
            connection.executemany("DELETE FROM runs WHERE id = ?", gone)
            connection.execute("COMMIT")
            connection.executescript("PRAGMA incremental_vacuum")  # `execute` would free a single page
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except (sqlite3.Error, OSError) as error:
        raise explained(path, error) from None
    return len(gone), max(0, before - path.stat().st_size)


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection that reads; None where the journal has not begun."""
    if not path.is_file():
        yield None
        return
    try:
        with contextlib.closing(_connected(path)) as connection:
            yield connection if _version(connection, path) else None
    except (sqlite3.Error, zlib.error, OSError) as error:
        raise explained(path, error) from None


def _connected(path: Path) -> sqlite3.Connection:
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        if path.with_name(path.name + "-wal").exists():
            raise
        # A folder that cannot be written: SQLite wants a file beside a journal that nobody writes.
        connection = sqlite3.connect(address + "&immutable=1", uri=True, isolation_level=None)
    return connection


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The format of the file; 0 where it has no tables yet."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > VERSION:
        raise WorkspaceError(
            f"the journal of the runs has format {version}, this version knows up to {VERSION}",
            where=str(path),
            cure="pip install --upgrade jupyter-swarm",
        )
    return version


def explained(path: Path, error: Exception) -> SwarmError:
    """What keeps the file from being used, and the cure."""
    if isinstance(error, SwarmError):
        return error
    text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    cures = {
        ("full", "disk i/o", "no space", "too large", "quota"): "make room on the disk, then resume the swarm",
        ("locked",): "another program holds it for long; end it and try again",
        ("malformed", "not a database", "decompress", "cut short"): "restore the file from a backup, or delete it: "
        "findings stay, and the notebooks of its runs are lost",
    }
    cure = next((cure for words, cure in cures.items() if any(word in text.lower() for word in words)), "")
    return WorkspaceError(
        f"the journal of the runs cannot be used: {text}",
        where=str(path),
        cure=cure or "make the folder writable, then resume the swarm",
    )
