"""A line to a provider: how many calls may be out at once, when the next may begin, and when nobody should try at all.

The number in flight grows with each answer and halves with each refusal for rate (additive increase, multiplicative
decrease; Jacobson 1988). A provider that fails again and again opens the breaker: for a while nobody asks it, then one
call tries, and the others follow when that one is answered (Nygard 2007, "Release It!").
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator

MOST = 1024
"""Calls in flight to one provider."""
FAILURES = 8
"""So many failures in a row open the breaker."""
REST_SECONDS = 2.0
MOST_REST_SECONDS = 60.0


class Line:
    """To one provider at one address."""

    def __init__(self, most: int = MOST, *, rest_seconds: float = REST_SECONDS) -> None:
        self.most = float(most)
        self.flying = 0
        self.open_until = 0.0
        """When the breaker lets a call try; the monotonic clock."""
        self._limit = float(most)
        self._not_before = 0.0
        self._failures = 0
        self._rest, self._first_rest = rest_seconds, rest_seconds
        self._trying = False
        self._free = asyncio.Condition()

    @property
    def down(self) -> bool:
        """Whether the breaker is open."""
        return self._failures >= FAILURES

    @contextlib.asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place in flight, and hold it."""
        trying = await self._enter()
        try:
            yield
        finally:
            self.flying -= 1
            if trying:
                self._trying = False
            async with self._free:
                self._free.notify_all() if self.down or trying else self._free.notify()

    async def _enter(self) -> bool:
        """Come in; whether it is the one call that tries a provider that was down."""
        while True:
            wait = max(self._not_before, self.open_until) - time.monotonic()
            if wait > 0.0:
                await asyncio.sleep(wait * (1.0 + 0.1 * random.random()))
                continue
            if self.down and not self._trying:
                self._trying = True
                self.flying += 1
                return True
            if not self.down and self.flying < self._limit:
                self.flying += 1
                return False
            async with self._free:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._free.wait(), 1.0)

    def answered(self) -> None:
        """It answered, whatever it said."""
        self._failures, self._rest = 0, self._first_rest
        self._limit = min(self.most, self._limit + 1.0 / max(1.0, self._limit))

    def refused(self, retry_after: float | None) -> None:
        """It is asked too much: fewer at once, and none before the time it says."""
        self._failures = 0
        self._limit = max(1.0, self._limit / 2.0 if self.flying >= self._limit / 2.0 else self._limit)
        if retry_after is not None:
            self._not_before = max(self._not_before, time.monotonic() + min(retry_after, MOST_REST_SECONDS))

    def failed(self) -> None:
        """It did not answer, or with an error of its own."""
        self._failures += 1
        if self.down:
            self.open_until = time.monotonic() + self._rest
            self._rest = min(MOST_REST_SECONDS, 2.0 * self._rest)
