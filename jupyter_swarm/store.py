"""The ledger: an append-only log of events in SQLite, through SQLAlchemy. It is the only truth and the only meeting
place.

Writers take the database's write lock at the start of a transaction (BEGIN IMMEDIATE), so that numbers are dense and in
order of commit, and a runner's lease is checked in the very transaction that it protects. WAL with synchronous=FULL
on a local disk; a rollback journal where the folder lies on a network file system, on which WAL is unsafe.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    BLOB,
    Column,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    case,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from jupyter_swarm.errors import LeaseLost, LedgerError, LedgerVersionError
from jupyter_swarm.events import AnyEvent, Record, decode, encode, kind_of
from jupyter_swarm.protocols import Kept, Lease
from jupyter_swarm.version import __version__

VERSION = 2
PATIENCE_SECONDS = 15.0
"""So long a writer waits for another program that holds the ledger."""
NETWORK_FILE_SYSTEMS = ("nfs", "cifs", "smb", "lustre", "gpfs", "glusterfs", "ceph", "afs", "fuse.", "9p", "beegfs")

_metadata = MetaData()
_events = Table(
    "events",
    _metadata,
    Column("number", Integer, primary_key=True),
    Column("swarm", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("active_seconds", Float, nullable=False),
    Column("kind", String, nullable=False),
    Column("body", BLOB, nullable=False),
    Index("by_swarm", "swarm", "number"),
)
_leases = Table(
    "leases",
    _metadata,
    Column("swarm", String, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("owner", String, nullable=False),
    Column("expires", Float, nullable=False),
)

_answers = Table(
    "answers",
    _metadata,
    Column("request", String, primary_key=True),
    Column("swarm", String, nullable=False),
    Column("about", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("answer", BLOB, nullable=False),
    Index("answers_of", "swarm", "about"),
)
"""What language models have answered: beside the ledger, which holds what that took."""

_LAST = select(func.coalesce(func.max(_events.c.number), 0))
_EPOCH = select(_leases.c.epoch).where(_leases.c.swarm == bindparam("which"))
_INSERT = _events.insert()
_KNOWN = select(_answers.c.request, _answers.c.answer).where(_answers.c.request.in_(bindparam("which", expanding=True)))
_KEEP = _answers.insert().prefix_with("OR IGNORE")


def file_system(path: Path) -> str:
    """The type of the file system that holds `path` ("ext4", "nfs4"), or "" where the system does not tell."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    real = str(path.resolve())
    for line in lines:
        before, _, after = line.partition(" - ")
        point = before.split()[4].replace("\\040", " ")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, after.split()[0]
    return kind


class Tally(NamedTuple):
    """What has come of a swarm."""

    swarm: str
    last: int
    told: int
    """Records of the kind that was asked for."""
    seconds: float
    at: float


class SqlStore:
    """A `Store` over one database. Open it with :meth:`at` or :meth:`memory`.

    >>> from jupyter_swarm.events import Noted
    >>> store = SqlStore.memory()
    >>> store.append("wine", [Noted(text="hello")])[0].number
    1
    >>> [record.event.text for record in store.read(0, swarm="wine")]
    ['hello']
    """

    def __init__(self, engine: Engine, *, name: str = "ledger", shared: bool = False) -> None:
        self._engine = engine
        self._name = name
        self._turn: AbstractContextManager[Any] = threading.RLock() if shared else nullcontext()
        """Threads that share one connection use it one after the other."""
        with self._errors():
            self._check_version()

    @classmethod
    def at(cls, path: Path, *, patience_seconds: float = PATIENCE_SECONDS) -> SqlStore:
        """The ledger in this file; begun where there is none.

        Raises:
            LedgerVersionError: a newer version wrote it.
            LedgerError: it cannot be opened (read-only, damaged, disk full).
        """
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": patience_seconds})
        journal = "DELETE" if file_system(path.parent).startswith(NETWORK_FILE_SYSTEMS) else "WAL"
        _prepare(engine, (f"PRAGMA journal_mode={journal}", "PRAGMA synchronous=FULL"))
        new = not path.exists()
        store = cls(engine, name=str(path))
        if new:
            path.chmod(0o600)
        return store

    @classmethod
    def memory(cls) -> SqlStore:
        """A ledger that lives as long as this object: for benchmarks and tests of rules."""
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        _prepare(engine, ())
        return cls(engine, name="memory", shared=True)

    def append(
        self,
        swarm: str,
        events: Sequence[AnyEvent],
        *,
        lease: Lease | None = None,
        active_seconds: float = 0.0,
        answers: Sequence[Kept] = (),
    ) -> list[Record]:
        """All of `events` in one transaction, durable on return; and `answers`, of which one that is known stays.

        Raises:
            LeaseLost: a later epoch than the lease's exists; nothing was written.
            LedgerError: the disk is full, the folder read-only, the file damaged.
        """
        if not events and not answers:
            return []
        now = time.time()
        with self._errors(), self._engine.begin() as connection:
            if lease is not None:
                epoch = connection.execute(_EPOCH, {"which": lease.swarm}).scalar()
                if epoch != lease.epoch:
                    raise _lost(lease)
            last = int(connection.execute(_LAST).scalar_one())
            records = [
                Record(last + place, swarm, now, active_seconds, each) for place, each in enumerate(events, start=1)
            ]
            if records:
                connection.execute(_INSERT, [_row(record) for record in records])
            if answers:
                connection.execute(_KEEP, [{"swarm": swarm, "at": now, **each._asdict()} for each in answers])
        return records

    def read(
        self, after: int = 0, *, swarm: str | None = None, limit: int = 100_000, kinds: Sequence[str] = ()
    ) -> list[Record]:
        """Records above `after`, in order; of one swarm or of all, of some kinds (their tags) or of all.

        Raises:
            LedgerVersionError: a record is of a kind that this version does not know.
        """
        query = select(_events).where(_events.c.number > after).order_by(_events.c.number).limit(limit)
        if swarm is not None:
            query = query.where(_events.c.swarm == swarm)
        if kinds:
            query = query.where(_events.c.kind.in_(kinds))
        with self._errors(), self._engine.connect() as connection:
            rows = connection.execution_options(isolation_level="AUTOCOMMIT").execute(query).all()
        return [_record(row) for row in rows]

    def tallies(self, after: int, kind: str) -> list[Tally]:
        """What has come after a number, swarm by swarm, without reading it."""
        columns = (
            _events.c.swarm,
            func.max(_events.c.number),
            func.sum(case((_events.c.kind == kind, 1), else_=0)),
            func.max(_events.c.active_seconds),
            func.max(_events.c.at),
        )
        query = select(*columns).where(_events.c.number > after, _events.c.swarm != "").group_by(_events.c.swarm)
        with self._errors(), self._engine.connect() as connection:
            rows = connection.execution_options(isolation_level="AUTOCOMMIT").execute(query).all()
        return [Tally(*row) for row in rows]

    def written(self, number: int) -> float | None:
        """When a record was written (seconds since 1970), without reading it; None where there is none."""
        query = select(_events.c.at).where(_events.c.number == number)
        with self._errors(), self._engine.connect() as connection:
            found = connection.execution_options(isolation_level="AUTOCOMMIT").execute(query).scalar()
        return None if found is None else float(found)

    def lease(self, swarm: str, owner: str, *, seconds: float = 15.0, renew: Lease | None = None) -> Lease | None:
        """Take or renew the lease; None while another owner's is in force.

        Raises:
            LeaseLost: `renew` has been overtaken by a later epoch.
        """
        now = time.time()
        with self._errors(), self._engine.begin() as connection:
            row = connection.execute(select(_leases).where(_leases.c.swarm == swarm)).one_or_none()
            if renew is not None:
                if row is None or row.epoch != renew.epoch:
                    raise _lost(renew)
                epoch = renew.epoch
            elif row is not None and row.expires > now and row.owner != owner:
                return None
            else:
                epoch = row.epoch + 1 if row is not None else 1
            values = {"swarm": swarm, "epoch": epoch, "owner": owner, "expires": now + seconds}
            if row is None:
                connection.execute(_leases.insert(), values)
            else:
                connection.execute(_leases.update().where(_leases.c.swarm == swarm), values)
        return Lease(swarm=swarm, epoch=epoch)

    def release(self, lease: Lease) -> None:
        """Give the lease back; harmless where it is lost already."""
        with self._errors(), self._engine.begin() as connection:
            mine = (_leases.c.swarm == lease.swarm) & (_leases.c.epoch == lease.epoch)
            connection.execute(_leases.update().where(mine), {"expires": 0.0, "owner": ""})

    # ------------------------------------------------------------ answers of language models

    def known(self, requests: Sequence[str]) -> dict[str, bytes]:
        """What was answered to requests (their hashes), whichever swarm asked; without those that nothing was."""
        with self._errors(), self._engine.connect() as connection:
            rows = connection.execution_options(isolation_level="AUTOCOMMIT").execute(_KNOWN, {"which": list(requests)})
            return {row.request: bytes(row.answer) for row in rows}

    def answers(self, swarm: str, about: str) -> list[bytes]:
        """All answers of a swarm about something, the oldest first."""
        query = select(_answers.c.answer).where(_answers.c.swarm == swarm, _answers.c.about == about)
        with self._errors(), self._engine.connect() as connection:
            rows = connection.execution_options(isolation_level="AUTOCOMMIT").execute(query.order_by("at")).all()
        return [bytes(row.answer) for row in rows]

    def holder(self, swarm: str) -> str | None:
        """Who holds the lease of a swarm now ("host:pid"), or None."""
        query = select(_leases.c.owner).where(_leases.c.swarm == swarm, _leases.c.expires > time.time())
        with self._errors(), self._engine.connect() as connection:
            owner = connection.execution_options(isolation_level="AUTOCOMMIT").execute(query).scalar()
        return str(owner) if owner else None

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _check_version(self) -> None:
        with self._engine.connect() as raw:
            connection = raw.execution_options(isolation_level="AUTOCOMMIT")
            found = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        if found > VERSION:
            raise LedgerVersionError(
                f"the ledger has format {found}, this version ({__version__}) knows up to {VERSION}",
                where=self._name,
                cure="pip install --upgrade jupyter-swarm",
            )
        if found < VERSION:
            with self._engine.begin() as connection:
                _metadata.create_all(connection)
                connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            with self._turn:
                yield
        except DBAPIError as error:
            raise _explained(error, self._name) from error


def _prepare(engine: Engine, pragmas: tuple[str, ...]) -> None:
    """Let us, not the driver, begin transactions, and begin them with the write lock."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")


def _row(record: Record) -> dict[str, object]:
    return {
        "number": record.number,
        "swarm": record.swarm,
        "at": record.at,
        "active_seconds": record.active_seconds,
        "kind": kind_of(record.event),
        "body": encode(record.event),
    }


def _record(row: Any) -> Record:
    try:
        return Record(row.number, row.swarm, row.at, row.active_seconds, decode(row.body))
    except msgspec.ValidationError as error:
        raise LedgerVersionError(
            f"record {row.number} ({row.kind!r}) is not known to this version ({__version__}): {error}",
            cure="pip install --upgrade jupyter-swarm",
        ) from error


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(f"another runner works on {lease.swarm!r} now; this one (epoch {lease.epoch}) writes no more")


def _explained(error: DBAPIError, name: str) -> LedgerError:
    text = str(error.orig)
    cures = {
        "full": "free some space; nothing was lost, `%swarm resume` goes on",
        "readonly": "make the folder writable, or choose another with JUPYTER_SWARM_WORKSPACE=FOLDER",
        "unable to open": "make the folder writable, or choose another with JUPYTER_SWARM_WORKSPACE=FOLDER",
        "locked": "another program holds the ledger for long; end it and try again",
        "malformed": "restore the file from a backup, or move `.swarm/` away to begin anew",
        "not a database": "restore the file from a backup, or move `.swarm/` away to begin anew",
    }
    cure = next((cure for word, cure in cures.items() if word in text), "look at the message above")
    return LedgerError(f"the ledger cannot be used: {text}", where=name, cure=cure)
