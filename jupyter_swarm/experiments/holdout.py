"""Experiments on data that no other run may see: a laboratory of their own, opened when the first of them runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from jupyter_swarm.protocols import Laboratory, Watch
from jupyter_swarm.words import Experiment, Run


class WithHoldout:
    """Runs an experiment where its data are: of the context `held`, in the second laboratory; else in the first.

    Args:
        usual: for all that a swarm does.
        make: makes the other, when it is needed for the first time.
        held: the hash of its context.
    """

    def __init__(self, usual: Laboratory, make: Callable[[], Laboratory], held: str) -> None:
        self.workers = usual.workers
        self._usual, self._make, self._held = usual, make, held
        self._other: Laboratory | None = None
        self._opening = asyncio.Lock()
        self.notes: tuple[str, ...] = ()

    async def open(self) -> None:
        """Get ready; the new data stay where they are."""
        await self._usual.open()
        self.notes = self._usual.notes

    async def run(self, experiment: Experiment, timeout_seconds: float, *, watch: Watch | None = None) -> Run:
        """Execute once, where it belongs."""
        if experiment.context != self._held:
            return await self._usual.run(experiment, timeout_seconds, watch=watch)
        async with self._opening:
            if self._other is None:
                made = self._make()
                await made.open()
                self._other = made
        return await self._other.run(experiment, timeout_seconds, watch=watch)

    async def close(self) -> None:
        """Leave no process behind."""
        other, self._other = self._other, None
        await self._usual.close()
        if other is not None:
            await other.close()
