"""A clock that stands while its process sleeps: the machine suspended, the process stopped, the container paused.

A thread reads it twice a second. Where a reading comes much later than it should, the process was not there to work,
and the time between does not count. A thread, and not the event loop, so that work which holds up the loop counts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

BEAT_SECONDS = 0.5
ASLEEP_SECONDS = 4.0
"""A gap between two readings that is longer is sleep; a machine under load leaves shorter ones."""


def _elapsed() -> float:
    """Seconds of a clock that also goes while the machine is suspended, where the system has one."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class AwakeClock:
    """Seconds awake since the first reading. Call it to read it, at least twice a second: see `beating`.

    Args:
        elapsed: the clock that also goes during sleep, seconds.

    >>> times = iter([100.0, 100.5, 28_900.5, 28_901.0])
    >>> clock = AwakeClock(lambda: next(times))
    >>> clock(), clock(), clock(), clock.slept()
    (0.0, 0.5, 1.0, [28799.5])
    """

    def __init__(self, elapsed: Callable[[], float] = _elapsed) -> None:
        self._elapsed = elapsed
        self._reading = threading.Lock()
        self._last: float | None = None
        self._awake = 0.0
        self._slept: list[float] = []

    def __call__(self) -> float:
        """Seconds awake since the first reading. Any thread may ask."""
        with self._reading:
            now = self._elapsed()
            gap = 0.0 if self._last is None else max(0.0, now - self._last)
            self._last = now
            if gap > ASLEEP_SECONDS:
                self._slept.append(gap - BEAT_SECONDS)
                gap = BEAT_SECONDS
            self._awake += gap
            return self._awake

    def slept(self) -> list[float]:
        """Lengths of the sleeps that nobody has been told of, in seconds; told now."""
        with self._reading:
            told, self._slept = self._slept, []
        return told

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Read it regularly meanwhile."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(BEAT_SECONDS):
                self()

        self()
        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
