"""A line to a provider: how many calls may be out at once, when the next may begin, and when nobody should try at all.

A call that is refused for rate takes a place away, and ten that are answered give one back: with fewer places than a
provider allows none is refused, with more the places fall to what it allows within a round, and a provider that refuses
one call in twenty by chance costs none. One that fails again and again opens the breaker: for a while nobody asks it,
then one call tries, and the others follow when that one is answered (Nygard 2007, "Release It!").
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import time
from collections import deque
from collections.abc import AsyncIterator

MOST = 1024
"""Calls in flight to one provider."""
FILES = 4096
"""Files that this process may have open, where the system lets it: each call in flight has a socket."""
FAILURES = 8
"""So many failures in a row open the breaker."""
REST_SECONDS = 2.0
MOST_REST_SECONDS = 60.0
GIVEN_BACK = 0.1
"""Places that an answer gives back: refusals stay below one in eleven."""


class Line:
    """To one provider at one address, in one event loop. Who waits comes in by turns.

    Args:
        most: calls in flight at once; MOST, or as many as there may be sockets, where not given.
        rest_seconds: how long nobody asks when the breaker opens; twice as long after each try that fails.
    """

    def __init__(self, most: int | None = None, *, rest_seconds: float = REST_SECONDS) -> None:
        self.most = float(sockets() if most is None else most)
        self.flying = 0
        self.open_until = 0.0
        """When the breaker lets a call try; the monotonic clock."""
        self._limit = self.most
        self._not_before = 0.0
        self._failures = 0
        self._rest, self._first_rest = rest_seconds, rest_seconds
        self._trying = False
        self._waiting: deque[asyncio.Future[bool]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

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
            self._leave(trying)

    def answered(self) -> None:
        """It answered, whatever it said."""
        self._failures, self._rest, self.open_until = 0, self._first_rest, 0.0
        self._limit = min(self.most, self._limit + GIVEN_BACK)

    def refused(self, retry_after: float | None) -> None:
        """It is asked too much: fewer at once, and none before the time it says."""
        self._failures = 0
        self._limit = max(1.0, self._limit - 1.0)
        if retry_after is not None:
            self._not_before = max(self._not_before, time.monotonic() + min(retry_after, MOST_REST_SECONDS))

    def failed(self) -> None:
        """It did not answer, or with an error of its own. What was out when the breaker opened changes nothing."""
        if self.down and time.monotonic() < self.open_until:
            return
        self._failures += 1
        if self.down:
            self.open_until = time.monotonic() + self._rest
            self._rest = min(MOST_REST_SECONDS, 2.0 * self._rest)

    # ------------------------------------------------------------ who comes in

    async def _enter(self) -> bool:
        """Come in; whether it is the one call that tries a provider that was down."""
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._let_in()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(turn.result())
            raise

    def _leave(self, trying: bool) -> None:
        self.flying -= 1
        if trying:
            self._trying = False
        self._let_in()

    def _let_in(self) -> None:
        """Give places to those who wait, to as many as may come in now; the others are remembered."""
        wait = max(self._not_before, self.open_until) - time.monotonic()
        while self._waiting and wait <= 0.0 and self._free():
            turn = self._waiting.popleft()
            if not turn.done():
                self.flying += 1
                trying = self.down
                self._trying = self._trying or trying
                turn.set_result(trying)
        if self._waiting and wait > 0.0 and self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(wait, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._let_in()

    def _free(self) -> bool:
        return not self._trying if self.down else self.flying < self._limit


def sockets() -> int:
    """How many calls may be in flight, by the files that this process may have open; it takes what it is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES and (hard == resource.RLIM_INFINITY or soft < hard):
        soft = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST if soft == resource.RLIM_INFINITY else max(8, min(MOST, soft // 2))
