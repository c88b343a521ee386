"""A laboratory whose experiments are calls of a function: for tests, benchmarks and trying out a role.

It is product code with the real interface, so that nobody needs to patch the real one.
"""

from __future__ import annotations

import asyncio
import inspect
import math
import time
from collections.abc import Callable, Sequence
from numbers import Real

from msgspec import structs

from jupyter_swarm.errors import LaboratoryError, LockError
from jupyter_swarm.protocols import Watch
from jupyter_swarm.words import Analysis, Experiment, Point, Run

Outcome = float | Exception | None
"""What the function says of an experiment: a value, an error (returned or raised), or None for a missing metric."""


class FunctionLaboratory:
    """Runs `function(experiment)`; an exception is a failed run, None a missing metric.

    Args:
        function: gives the value; it runs in the event loop, so it should be quick. A coroutine function is awaited.
        workers: how many run at once.
        delay_seconds: how long each takes, or a function that says so.
        analysis: where given, its lock is checked as the notebook laboratory does.
        curve: where given, the points of the metric's curve that an experiment shows on its way, evenly spread over
            its delay.

    >>> from jupyter_swarm.words import Experiment
    >>> async def measure():
    ...     laboratory = FunctionLaboratory(lambda experiment: experiment.seed / 2)
    ...     await laboratory.open()
    ...     return await laboratory.run(Experiment(code="x = 1", seed=3, metric="x", context=""), 10.0)
    >>> asyncio.run(measure()).value
    1.5
    """

    def __init__(
        self,
        function: Callable[[Experiment], object],
        *,
        workers: int = 1,
        delay_seconds: float | Callable[[Experiment], float] = 0.0,
        analysis: Analysis | None = None,
        curve: Callable[[Experiment], Sequence[Point]] | None = None,
    ) -> None:
        self.workers = workers
        self.notes: tuple[str, ...] = ()
        self._function, self._delay, self._analysis, self._curve = function, delay_seconds, analysis, curve
        self._closing: asyncio.Event | None = None
        self._permits: asyncio.Semaphore | None = None
        self._running = 0

    async def open(self) -> None:
        """Get ready; may be called again after `close`."""
        self._closing, self._permits = asyncio.Event(), asyncio.Semaphore(self.workers)

    async def run(self, experiment: Experiment, timeout_seconds: float, *, watch: Watch | None = None) -> Run:
        """Call the function once. Cancelling the call ends it, and so does `watch`.

        Raises:
            LaboratoryError: the laboratory is not open.
        """
        if self._permits is None or self._closing is None:
            raise LaboratoryError("the laboratory is not open", cure="await laboratory.open() first")
        if self._analysis is not None and (refused := refusal(experiment, self._analysis)) is not None:
            return refused
        self._running += 1
        try:
            return await self._run(experiment, timeout_seconds, self._permits, watch)
        finally:
            self._running -= 1

    async def _run(
        self, experiment: Experiment, timeout_seconds: float, permits: asyncio.Semaphore, watch: Watch | None
    ) -> Run:
        async with permits:
            delay = self._delay(experiment) if callable(self._delay) else self._delay
            points = tuple(self._curve(experiment)) if self._curve is not None else ()
            outcome = await self._within(experiment, delay, timeout_seconds, points, watch)
            # What was asked for counts, so that a benchmark's costs do not hang on the machine's load.
            run = outcome if isinstance(outcome, Run) else judge(experiment, outcome, delay)
            return structs.replace(run, curves={experiment.metric: points}) if points and not run.curves else run

    async def close(self) -> None:
        """End what runs; those runs are stopped."""
        if self._closing is not None:
            self._closing.set()
        self._permits = None
        while self._running:
            await asyncio.sleep(0)

    async def _within(
        self,
        experiment: Experiment,
        delay: float,
        timeout_seconds: float,
        points: tuple[Point, ...],
        watch: Watch | None,
    ) -> object:
        """The outcome of one call, or a `Run` that was stopped or ran out of time."""
        if self._closing is None or self._closing.is_set():
            return stopped(experiment)
        if not points and not delay and not inspect.iscoroutinefunction(self._function):
            await asyncio.sleep(0)
            return await self._call(experiment, 0.0)
        began = time.monotonic()
        call = asyncio.ensure_future(self._call(experiment, delay, points, watch))
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait({call, closing}, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
            if call.done():
                return call.result()
            seconds = time.monotonic() - began
            return stopped(experiment, seconds) if closing.done() else timed_out(experiment, timeout_seconds, seconds)
        finally:
            call.cancel()
            closing.cancel()
            await asyncio.gather(call, closing, return_exceptions=True)

    async def _call(
        self, experiment: Experiment, delay: float, points: tuple[Point, ...] = (), watch: Watch | None = None
    ) -> object:
        for count in range(1, len(points) + 1):
            await asyncio.sleep(delay / len(points))
            seen = {experiment.metric: points[:count]}
            if watch is not None and (why := watch(seen)):
                return structs.replace(pruned(experiment, why, delay * count / len(points)), curves=seen)
        if delay and not points:
            await asyncio.sleep(delay)
        try:
            outcome = self._function(experiment)
            return await outcome if inspect.isawaitable(outcome) else outcome
        except Exception as error:
            return error


def refusal(experiment: Experiment, analysis: Analysis) -> Run | None:
    """A run that never began because the code touches what is locked; None where it may run."""
    from jupyter_swarm import cell

    try:
        cell.check_lock(experiment.code, analysis)
        if experiment.free:
            cell.check_reach(experiment.code, analysis)
    except LockError as error:
        return Run(experiment=experiment.id, reason="locked", message=str(error))
    return None


def judge(experiment: Experiment, outcome: object, seconds: float) -> Run:
    """An outcome as a run."""
    name = experiment.id
    if isinstance(outcome, Exception):
        message = f"{type(outcome).__name__}: {outcome}"
        return Run(experiment=name, reason="failure", message=message, traceback=message, seconds=seconds)
    if not isinstance(outcome, Real):
        kind = "nothing was assigned" if outcome is None else f"{type(outcome).__name__} is no number"
        return Run(experiment=name, reason="missing", message=f"{experiment.metric}: {kind}", seconds=seconds)
    if not math.isfinite(outcome):
        return Run(experiment=name, reason="nonfinite", message=f"{experiment.metric} is {outcome}", seconds=seconds)
    return Run(experiment=name, value=float(outcome), seconds=seconds)


def stopped(experiment: Experiment, seconds: float = 0.0) -> Run:
    """A run that the closing laboratory ended."""
    return Run(experiment=experiment.id, reason="stopped", message="the laboratory was closed", seconds=seconds)


def pruned(experiment: Experiment, why: str, seconds: float) -> Run:
    """A run of screening that was ended for its curve."""
    return Run(experiment=experiment.id, reason="pruned", message=why, seconds=seconds)


def timed_out(experiment: Experiment, timeout_seconds: float, seconds: float) -> Run:
    """A run that took longer than it was given."""
    message = f"stopped after {timeout_seconds:g} s, the time that a run is given"
    return Run(experiment=experiment.id, reason="timeout", message=message, seconds=seconds)
