"""The clerk: writes for many at once. What comes while a transaction is on its way goes into the next one, so that a
thousand calls a second cost a few dozen transactions (group commit; DeWitt et al. 1984).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from jupyter_swarm.events import AnyEvent, Record
from jupyter_swarm.protocols import Kept

Commit = Callable[[Sequence[AnyEvent], Sequence[Kept]], list[Record]]
"""One transaction; called in a thread."""


class Clerk:
    """Writes events and answers in one event loop's stead.

    Args:
        commit: makes one transaction of them, durable when it returns.
        fold: told what was written, in the event loop.
    """

    def __init__(self, commit: Commit, fold: Callable[[list[Record]], None]) -> None:
        self._commit, self._fold = commit, fold
        self._waiting: list[tuple[Sequence[AnyEvent], Sequence[Kept], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, events: Sequence[AnyEvent], answers: Sequence[Kept]) -> None:
        """Write down; durable and folded when it returns.

        Raises:
            LedgerError: nothing of it was written.
        """
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((events, answers, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await asyncio.shield(done)

    async def finish(self) -> None:
        """Wait until all is written."""
        while self._writing is not None and not self._writing.done():
            await asyncio.gather(self._writing, return_exceptions=True)

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            events = [event for each, _, _ in batch for event in each]
            answers = [answer for _, each, _ in batch for answer in each]
            try:
                self._fold(await asyncio.to_thread(self._commit, events, answers))
            except Exception as error:  # each of them hears of it, and goes its own way
                for _, _, done in batch:
                    if not done.done():
                        done.set_exception(error)
                    done.exception()
            else:
                for _, _, done in batch:
                    if not done.done():
                        done.set_result(None)
