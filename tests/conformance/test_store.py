"""Every store keeps these promises."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_swarm.errors import LeaseLost, LedgerError, LedgerVersionError
from jupyter_swarm.events import Noted, PauseRequested
from jupyter_swarm.store import SqlStore


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    opened = SqlStore.memory() if request.param == "memory" else SqlStore.at(tmp_path / "ledger.sqlite")
    yield opened
    opened.close()


def test_what_is_appended_is_read_in_order(store: SqlStore) -> None:
    store.append("a", [Noted(text="1"), Noted(text="2")])
    store.append("b", [PauseRequested()])
    store.append("a", [Noted(text="3")])
    assert [record.event.text for record in store.read(0, swarm="a")] == ["1", "2", "3"]
    assert [record.number for record in store.read(0)] == [1, 2, 3, 4]
    assert [record.number for record in store.read(2)] == [3, 4]
    assert store.append("a", []) == []


def test_a_batch_is_written_whole_or_not_at_all(store: SqlStore) -> None:
    old = store.lease("a", "one", seconds=-1)
    assert old is not None
    assert store.lease("a", "two") is not None
    with pytest.raises(LeaseLost, match="another runner"):
        store.append("a", [Noted(text="1"), Noted(text="2")], lease=old)
    assert store.read(0) == []


def test_one_lease_at_a_time(store: SqlStore) -> None:
    first = store.lease("a", "one")
    assert first is not None
    assert store.holder("a") == "one"
    assert store.lease("a", "two") is None
    assert store.lease("b", "two") is not None, "another swarm is another lease"
    assert store.lease("a", "one", renew=first) == first
    store.release(first)
    assert store.holder("a") is None
    second = store.lease("a", "two")
    assert second is not None
    assert second.epoch > first.epoch
    with pytest.raises(LeaseLost):
        store.lease("a", "one", renew=first)
    store.release(first)
    assert store.holder("a") == "two", "an overtaken lease releases nothing"


def test_the_limit_cuts_and_the_cursor_goes_on(store: SqlStore) -> None:
    store.append("a", [Noted(text=str(number)) for number in range(10)])
    first = store.read(0, limit=4)
    assert [record.number for record in first] == [1, 2, 3, 4]
    assert len(store.read(first[-1].number)) == 6


def _write(path: Path, name: str, count: int) -> None:
    store = SqlStore.at(path)
    for number in range(count):
        store.append(name, [Noted(text=str(number))])
    store.close()


def test_processes_and_threads_share_a_ledger_without_loss(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    SqlStore.at(path).close()
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(path, f"p{number}", 40)) for number in range(2)]
    writers += [threading.Thread(target=_write, args=(path, f"t{number}", 40)) for number in range(2)]  # type: ignore[list-item]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    store = SqlStore.at(path)
    records = store.read(0)
    assert [record.number for record in records] == list(range(1, 161))
    for name in ("p0", "p1", "t0", "t1"):
        assert [r.event.text for r in records if r.swarm == name] == [str(number) for number in range(40)]
    store.close()


def test_a_ledger_of_a_newer_version_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(LedgerVersionError, match="pip install --upgrade"):
        SqlStore.at(path)


def test_an_event_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    store = SqlStore.at(path)
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO events VALUES (1, 'a', 0, 0, 'dreamt', '{\"kind\": \"dreamt\"}')")
    connection.close()
    with pytest.raises(LedgerVersionError, match="dreamt"):
        store.read(0)
    store.close()


def test_a_file_that_is_no_ledger_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_text("this is not a database, and long enough to be looked at" * 20)
    with pytest.raises(LedgerError, match="not a database"):
        SqlStore.at(path)


def test_the_file_is_its_owners_alone_and_survives_power_loss(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    store = SqlStore.at(path)
    assert path.stat().st_mode & 0o077 == 0
    with store._engine.connect() as connection:
        raw = connection.execution_options(isolation_level="AUTOCOMMIT")
        assert raw.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert raw.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    store.close()
