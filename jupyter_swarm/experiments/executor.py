"""Where jobs are executed: forked from a zygote, or, where that cannot be, on kernels that were started ahead."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from jupyter_swarm.experiments.line import Ended, LineLost
from jupyter_swarm.experiments.nursery import Nursery, NurseryLost
from jupyter_swarm.experiments.prefixes import Prefixes, Share, told
from jupyter_swarm.experiments.setup import Setup

SHORT_SECONDS = 0.1
"""While experiments take less, one more than there are workers may run: else a core waits while the next is begun."""

Look = Callable[[bytes], str]
Job = Mapping[str, Any]
"""`{"cells": [{"index": place in the notebook, "source": code}]}`"""


class _Done(msgspec.Struct):
    """The last frame of a watched run."""

    statements: list[tuple[float, str]]


class Executor:
    """Executes up to `workers` jobs at once. `open`, then `run` as often as wanted, then `close`.

    A zygote that dies is replaced; what ran in it is tried once more.

    Args:
        setup: what every experiment finds.
        workers: how many at once.
    """

    def __init__(self, setup: Setup, workers: int) -> None:
        self.setup, self.workers = setup, workers
        self.why = ""
        """Why nothing is forked, where it is so; kernels are used then."""
        self._prefixes = Prefixes(None)
        self._nursery: Nursery | None = None
        self._pool: Any = None
        self._opening = asyncio.Lock()
        self._closed = True
        self._spare = 0 if setup.devices else 1  # there is a device for each worker, and no more
        self._permits = asyncio.Semaphore(workers)
        self._width = workers
        self._short = False
        self._granted: list[str] = []
        self._held: set[asyncio.Future[Any]] = set()

    async def open(self) -> None:
        """Get a zygote or kernels ready.

        Raises:
            LaboratoryError: the interpreter does not start, or no kernel does.
        """
        self._closed, self._opening, self._permits = False, asyncio.Lock(), asyncio.Semaphore(self.workers)
        self._width, self._short = self.workers, False
        if await self._ready() is None:
            await self._pool.first()

    @property
    def layers(self) -> dict[str, str]:
        """Layer of the sandbox → why it is missing here, or "" where it is in force. {} where nothing shuts in."""
        return dict(self._nursery.layers) if self._nursery is not None else {}

    def grant(self, found: Sequence[str]) -> None:
        """Let experiments read these files and folders, from now on and after a zygote has been replaced."""
        self._granted += [each for each in found if each not in self._granted]
        if self._nursery is not None:
            self._nursery.grant(found)

    def limit(self, workers: int) -> None:
        """Execute no more than so many at once from now on (1 at least, and never more than before)."""
        if workers < self._width:
            self._lasted(SHORT_SECONDS)
            self._spare = 0
        while self._width > max(1, workers):
            self._width -= 1
            self._withhold()

    def _withhold(self) -> None:
        """One fewer at once, as soon as one has ended."""
        held = asyncio.ensure_future(self._permits.acquire())
        self._held.add(held)
        held.add_done_callback(self._held.discard)

    def _lasted(self, seconds: float) -> None:
        """One more at once where experiments are short, and no more where they are not."""
        short = seconds < SHORT_SECONDS and self._spare > 0 and self._pool is None
        if short and not self._short:
            self._permits.release()
        elif self._short and not short:
            self._withhold()
        self._short = short

    async def run(
        self,
        job: Job,
        seconds: float,
        *,
        keep: Path | None = None,
        share: Share | None = None,
        look: Look | None = None,
    ) -> Ended:
        """Execute a job, for at most so many seconds. Cancelling the call kills it.

        Args:
            job: what to execute.
            seconds: how long it may take.
            keep: a folder for files that it leaves where it works; None to drop them.
            share: what may be shared with other jobs; None to execute the whole of it, as evidence needs.
            look: sees now and then what it tells, and may end it; kernels that are not forked are not looked at.

        Raises:
            NurseryLost: it was closed meanwhile, or the zygote died twice under this job.
            LaboratoryError: no kernel starts.
        """
        async with self._permits:
            try:
                ended = await self._attempt(job, seconds, keep, share, look)
            except NurseryLost:
                if self._closed:
                    raise
                ended = await self._attempt(job, seconds, keep, share, look)
            self._lasted(ended.seconds)
            return ended

    async def _attempt(
        self, job: Job, seconds: float, keep: Path | None, share: Share | None, look: Look | None
    ) -> Ended:
        nursery = await self._ready()
        if nursery is not None:
            if share is None:
                return await nursery.run(job, seconds, keep, look=look)
            return await self._shared(nursery, job, seconds, keep, share, look)
        from jupyter_swarm.experiments import client

        kernel = await self._pool.take()
        try:
            return await client.run(job, kernel, seconds)
        finally:
            await asyncio.shield(self._pool.give_up(kernel))

    async def _shared(
        self, nursery: Nursery, job: Job, seconds: float, keep: Path | None, share: Share, look: Look | None
    ) -> Ended:
        """Execute in a fork of a snapshot where that is worth it; else the whole, and learn from it."""
        snapshot = await self._prefixes.snapshot(nursery, share, job)
        if snapshot is not None:
            job = {**job, **told(share, snapshot)}
        wanted = self._prefixes.wants(share)
        watched = {**job, "watch": share.cell} if wanted else job
        try:
            ended = await nursery.run(watched, seconds, keep, snapshot, look)
        except LineLost:  # the snapshot has died, or may not fork
            ended = await nursery.run(watched, seconds, keep, look=look)
        if not wanted:
            return ended
        with contextlib.suppress(msgspec.MsgspecError, IndexError):
            last = msgspec.json.decode(ended.frames.splitlines()[-1], type=_Done)
            self._prefixes.learn(share, last.statements)
        return ended

    async def close(self) -> None:
        """Kill what runs and leave nothing behind; harmless when called again."""
        self._closed = True
        for held in self._held:
            held.cancel()
        self._held.clear()
        async with self._opening:
            if self._nursery is not None:
                await self._nursery.close()
                self._nursery = None
            if self._pool is not None:
                await self._pool.close()
                self._pool = None

    async def _ready(self) -> Nursery | None:
        """The nursery, opened where there is none that lives; None where kernels are used."""
        if self._nursery is not None and self._nursery.lives:
            return self._nursery
        async with self._opening:
            if self._closed:
                raise NurseryLost("it is closed")
            if self._nursery is not None and not self._nursery.lives:
                await self._nursery.close()
                self._nursery = None
            if self._nursery is None and self._pool is None:
                await self._open()
            return self._nursery

    async def _open(self) -> None:
        nursery = Nursery(self.setup, self.workers + self._spare)
        try:
            forks = await nursery.open()
        except BaseException:
            await nursery.close()
            raise
        if forks:
            self._nursery, self._prefixes = nursery, Prefixes(nursery.names, self.setup.imports, nursery.clocks)
            nursery.grant(self._granted)
            return
        self.why = nursery.why
        await nursery.close()
        from jupyter_swarm.experiments.kernels import KernelPool

        self._pool = KernelPool(self.setup, self.workers)
        self._pool.fill()
