"""Noticing that another ledger has been put in the place of the one that was read: a copy, restored."""

from __future__ import annotations

from jupyter_swarm.errors import LedgerError
from jupyter_swarm.events import Record
from jupyter_swarm.store import SqlStore


class Replaced(LedgerError):
    """The ledger does not go on from what was read of it."""


def check(store: SqlStore, number: int, at: float) -> None:
    """See that the ledger still has a record that was read.

    Args:
        store: the ledger.
        number: of the record.
        at: when it was written, in seconds since 1970.

    Raises:
        Replaced: it has not.
        LedgerError: the ledger cannot be read.
    """
    if store.written(number) != at:
        raise _replaced(number)


def fresh(store: SqlStore, last: Record | None, *, swarm: str, limit: int) -> list[Record]:
    """A swarm's records after the one that was read last (None: from the first on).

    That one is read again with them, which costs no query of its own and tells whether the ledger still has it.

    Raises:
        Replaced: it has not.
        LedgerError: the ledger cannot be read.

    >>> from jupyter_swarm.events import Noted
    >>> store = SqlStore.memory()
    >>> first, _ = store.append("wine", [Noted(text="one"), Noted(text="two")])
    >>> [each.number for each in fresh(store, first, swarm="wine", limit=10)]
    [2]
    """
    if last is None:
        return store.read(0, swarm=swarm, limit=limit)
    found = store.read(last.number - 1, swarm=swarm, limit=limit + 1)
    if not found or (found[0].number, found[0].at) != (last.number, last.at):
        raise _replaced(last.number)
    return found[1:]


def _replaced(number: int) -> Replaced:
    return Replaced(
        "another ledger has been put in the place of the one that was read",
        where=f"record {number}",
        cure="ask again: what is there now is read from its beginning",
    )
