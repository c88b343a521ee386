"""One try of a call: what was reserved for it is settled, whichever way it ends; and whether another makes sense."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from jupyter_swarm.events import AnyEvent, ModelAnswered
from jupyter_swarm.minds import prices
from jupyter_swarm.minds.account import Account, Amount
from jupyter_swarm.minds.answers import Raw
from jupyter_swarm.minds.chat import ModelError
from jupyter_swarm.minds.lines import Line
from jupyter_swarm.protocols import Kept

Write = Callable[[Sequence[AnyEvent], Sequence[Kept]], Awaitable[None]]
"""Writes events and answers down; they are durable when it returns."""

TRIES = 6
"""So often a call is sent before it counts as failed; one that may have been paid for is sent twice at most."""
PAID_TRIES = 2
REFUSED_TRIES = 10
"""So often a call is sent that is refused for rate: about two minutes' worth."""
NO_MONEY = "insufficient_quota"
"""What a refusal says that has nothing to do with rate."""


@dataclass
class Settling:
    """What was reserved for one try, until it is settled, whichever way it ends."""

    account: Account
    write: Write
    later: Callable[[Sequence[AnyEvent]], None]
    call: str
    most: Amount
    """What was reserved."""
    tokens_in: int
    tokens_out: int
    price: prices.Price | None
    sent: bool = False
    done: bool = False
    began: float = field(default_factory=time.monotonic)

    async def answered(self, raw: Raw, kept: Kept) -> None:
        """Take what it says it took, or its upper bounds where it does not say; with the answer, in one transaction."""
        told = raw.tokens_in is not None and raw.tokens_out is not None
        tokens = (self.tokens_in, self.tokens_out)
        if told:
            tokens = (max(0, raw.tokens_in or 0), max(0, raw.tokens_out or 0))
        self.done = True
        self.account.settle(self.most, self._amount(*tokens))
        await self.write([self._event(*tokens, guessed=not told)], [kept])

    async def failed(self, failure: ModelError) -> None:
        """Take nothing, or the upper bounds where the provider may have worked on it."""
        self.done = True
        await self.write([self._end(failure.what, failure.paid)], [])

    def cut_off(self) -> None:
        """Cancelled on the way: what was sent may be paid. It is written down when somebody comes to it."""
        if not self.done:
            self.done = True
            self.later([self._end("cut off", self.sent)])

    def _end(self, why: str, paid: bool) -> ModelAnswered:
        tokens = (self.tokens_in, self.tokens_out) if paid else (0, 0)
        self.account.settle(self.most, self._amount(*tokens))
        return self._event(*tokens, why, guessed=paid)

    def _amount(self, tokens_in: int, tokens_out: int) -> Amount:
        return Amount(tokens_in + tokens_out, self.price.of(tokens_in, tokens_out) if self.price else 0.0)

    def _event(self, tokens_in: int, tokens_out: int, failed: str = "", *, guessed: bool = False) -> ModelAnswered:
        return ModelAnswered(
            call=self.call,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            dollars=self.price.of(tokens_in, tokens_out) if self.price else None,
            seconds=round(time.monotonic() - self.began, 3),
            failed=failed,
            guessed=guessed,
        )


def tell(line: Line, failure: ModelError) -> None:
    """Let a line know how a call failed."""
    if failure.status == 429:
        line.refused(failure.retry_after)
    elif failure.status >= 500 or failure.status == 0:
        line.failed()
    else:
        line.answered()


@dataclass
class Tries:
    """How often a request was sent, and what may have been paid of it."""

    sent: int = 0
    paid: int = 0
    refused: int = 0

    def another(self, failure: ModelError) -> bool:
        """Whether it makes sense to send it again after this failure; one that is wrong will not get better."""
        self.sent += 1
        self.paid += failure.paid
        self.refused += failure.status == 429
        if failure.status == 429 and NO_MONEY in failure.what:
            return False
        worth = failure.status in (0, 408, 409, 429) or failure.status >= 500
        few = self.sent - self.refused < TRIES and self.refused < REFUSED_TRIES and self.paid < PAID_TRIES
        return worth and few
