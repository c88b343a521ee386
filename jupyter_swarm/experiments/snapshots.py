"""Snapshots from outside: processes that have executed the beginning of a notebook, and what they say of it."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, NamedTuple

import msgspec

from jupyter_swarm.experiments.line import Ended, Line

Statements = list[tuple[float, str]]
"""After each statement: the seconds since the first began, and why what was done could not be shared ("": it could)."""


class _Word(msgspec.Struct):
    """What a snapshot says first."""

    ready: bool = False
    why: str = ""
    statements: Statements = []


_WORD = msgspec.json.Decoder(_Word)


class Snapshot:
    """A process that has executed the beginning of a notebook, and is forked where it stopped."""

    def __init__(self, line: Line, flight: asyncio.Task[Ended]) -> None:
        self.line, self._flight = line, flight
        self.busy = 0
        """How many experiments run in it."""
        self.settled: frozenset[str] = frozenset()
        """Parameters of the notebook that have had their effect in it."""

    @property
    def lives(self) -> bool:
        """Whether it can be forked."""
        return self.line.lives and not self._flight.done()

    async def close(self) -> None:
        """End it, and what runs in it; nothing is left of it afterwards."""
        self.line.close()
        await asyncio.wait({self._flight})
        if not self._flight.cancelled():
            self._flight.exception()


class Attempt(NamedTuple):
    """A snapshot, or None where there can be none, and what was noted of each statement."""

    snapshot: Snapshot | None
    statements: Statements


async def first_word(ours: socket.socket, flight: asyncio.Future[Ended], seconds: float) -> tuple[str, Statements]:
    """Wait until a snapshot says that it is ready (""), or why not; and what it noted."""
    ours.setblocking(False)
    word = asyncio.ensure_future(asyncio.get_running_loop().sock_recv(ours, 100_000))
    both: set[asyncio.Future[Any]] = {word, flight}
    try:
        await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not word.done() or word.exception() is not None or not word.result():
            return "it did not get so far", []
        said = _WORD.decode(word.result())
        return "" if said.ready else said.why or "it did not say why", said.statements
    except msgspec.MsgspecError:  # it has executed foreign code, which may have said anything
        return "it talked nonsense", []
    finally:
        word.cancel()
