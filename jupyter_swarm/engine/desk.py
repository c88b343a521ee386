"""The desk: what a running swarm's agents work with. Ledger, budget, clock, and experiments that run against them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from jupyter_swarm.engine.budget import Purse
from jupyter_swarm.engine.clerk import Clerk
from jupyter_swarm.events import AnyEvent, ExperimentFinished, ExperimentStarted, Record
from jupyter_swarm.protocols import Kept, Laboratory, Lease, Library, Mind, Store
from jupyter_swarm.roles import pruning
from jupyter_swarm.state import SwarmState
from jupyter_swarm.words import Experiment, Purpose, Run

SHORTEST_TIMEOUT = 60.0
FIRST_TIMEOUT = 7 * 86_400.0
"""How long the very first run may take: nobody knows yet how long the cell does. The budget ends it before."""


class WorkingDesk:
    """A `Desk` over the real seams. It begins with the fold of the swarm's ledger, and every append keeps it so."""

    def __init__(
        self,
        store: Store,
        lease: Lease,
        laboratory: Laboratory,
        library: Library,
        *,
        minds: Mapping[str, Mind],
        context: str,
        clock: Callable[[], float],
    ) -> None:
        self.library, self.laboratory, self.context = library, laboratory, context
        self.workers = laboratory.workers
        self.closing = False
        self.state = SwarmState(name=lease.swarm)
        while records := store.read(self.state.last, swarm=lease.swarm):
            for record in records:
                self.state.apply(record)
        self._store, self._lease, self._minds, self._monotonic = store, lease, minds, clock
        self._heard = self.state.last
        self._own: set[int] = set()
        self._writing = threading.Lock()
        """Held while numbers of records are given out or read, which the clerk's thread does too."""
        self._clerk = Clerk(self._commit, self._fold)
        self._clock_base = self.state.clock
        self._clock_from: float | None = None
        self._purse = Purse(self.state, self.workers, float(self.state.option("share_confirmation", 0.5)))
        self._reserved: dict[str, int] = {}
        self._flying: dict[str, asyncio.Future[Run]] = {}
        self._slots = asyncio.Semaphore(self.workers)
        self._going = asyncio.Event()

    def append(self, *events: AnyEvent) -> None:
        """Write to the ledger in one transaction, then fold."""
        self._fold(self._commit(events))

    async def write(self, events: Sequence[AnyEvent], answers: Sequence[Kept] = ()) -> None:
        """Write to the ledger without holding up the event loop, in one transaction with whatever else comes so."""
        await self._clerk.write(events, answers)

    def _commit(self, events: Sequence[AnyEvent], answers: Sequence[Kept] = ()) -> list[Record]:
        with self._writing:
            records = self._store.append(
                self._lease.swarm, events, lease=self._lease, active_seconds=round(self.clock, 3), answers=answers
            )
            self._own |= {record.number for record in records}
        return records

    def _fold(self, records: Iterable[Record]) -> None:
        for record in records:
            self.state.apply(record)

    def left(self, purpose: Purpose) -> int:
        """How many runs the budget still pays for, for this purpose."""
        return self._purse.left(purpose, self.clock)

    def mind(self, agent: str) -> Mind:
        """The agent's mind."""
        return self._minds[self.state.agents[agent].mind]

    async def run(self, experiment: Experiment) -> Run | None:
        """Run an experiment, or give the run of its twin; None where the budget has ended."""
        twin = self.state.finished.get(experiment.id)
        if twin is not None:
            return twin.run
        flying = self._flying.get(experiment.id)
        if flying is not None:
            return await asyncio.shield(flying)
        number = self._reserved.pop(experiment.id, 0)
        if not number:
            if self.left(experiment.purpose) < 1:
                return None
            number = self._next_number()
            self.append(ExperimentStarted(number=number, experiment=experiment))
        future = self._flying[experiment.id] = asyncio.get_running_loop().create_future()
        try:
            run = await self._execute(experiment)
        except asyncio.CancelledError:
            run = Run(experiment=experiment.id, reason="stopped", message="cut off: the swarm was stopped or over")
            self._came_back(number, experiment, run, future)
            raise
        except Exception as error:
            run = Run(experiment=experiment.id, reason="lost", message=str(error))
            self._came_back(number, experiment, run, future)
            raise
        self._came_back(number, experiment, run, future)
        return run

    def _came_back(self, number: int, experiment: Experiment, run: Run, future: asyncio.Future[Run]) -> None:
        del self._flying[experiment.id]
        if not future.done():
            future.set_result(run)
        self.append(ExperimentFinished(number=number, run=run))

    async def _execute(self, experiment: Experiment) -> Run:
        async with self._slots:
            await self._going.wait()
            watch = pruning.watch(self.state, experiment)
            return await self.laboratory.run(experiment, self._timeout(), watch=watch)

    def _timeout(self) -> float:
        given = float(self.state.option("timeout_seconds", 0.0))
        if not self.state.durations:
            return given or FIRST_TIMEOUT
        return given or max(SHORTEST_TIMEOUT, 10.0 * self.state.run_seconds)

    def _next_number(self) -> int:
        return max(self.state.rows, default=0) + 1

    @property
    def clock(self) -> float:
        """Seconds that runners have worked on this swarm; pauses and downtime do not count."""
        if self._clock_from is None:
            return self._clock_base
        return self._clock_base + self._monotonic() - self._clock_from

    def tick(self, going: bool) -> None:
        """Let the clock run, and what waits begin; or let both stand."""
        self._clock_base = self.clock
        self._clock_from = self._monotonic() if going else None
        if going:
            self._going.set()
        else:
            self._going.clear()

    def hear(self) -> None:
        """Fold what faces have written since."""
        with self._writing:
            records = self._store.read(self._heard, swarm=self._lease.swarm)
            own, self._own = self._own, set()
        self._heard = records[-1].number if records else self._heard
        self._fold(record for record in records if record.number not in own)

    def reserve(self, experiments: Iterable[Experiment]) -> list[AnyEvent]:
        """The starts of those that have not run and do not run: writing them takes their budget."""
        number = self._next_number()
        starts: list[AnyEvent] = []
        for experiment in dict.fromkeys(experiments):
            if experiment.id in self.state.finished or experiment.id in self._flying:
                continue
            if experiment.id not in self._reserved:
                self._reserved[experiment.id] = number
                starts.append(ExperimentStarted(number=number, experiment=experiment))
                number += 1
        return starts

    def unbegun(self, experiments: Iterable[Experiment]) -> list[AnyEvent]:
        """The ends of runs that were announced and that nobody will begin, so that none stays in flight for ever."""
        return [
            ExperimentFinished(
                number=number, run=Run(experiment=each.id, reason="stopped", message="its agent never began it")
            )
            for each in experiments
            if (number := self._reserved.pop(each.id, 0))
        ]

    async def close(self) -> None:
        """Close the laboratory, and see every run come back and everything written down."""
        await self._clerk.finish()
        await self.laboratory.close()
        await asyncio.gather(*self._flying.values(), return_exceptions=True)
