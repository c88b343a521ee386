"""The account: what the budget lets language models take. Upper bounds are reserved before a call and settled after, so
that the sum of what was taken and what may still be taken never passes the budget.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from jupyter_swarm.errors import SwarmError
from jupyter_swarm.state import SwarmState


class Spent(SwarmError):
    """The budget for language models does not pay for another call."""


@dataclass(frozen=True)
class Amount:
    """Tokens and dollars. Dollars that nobody knows count as none: then the budget is one of tokens."""

    tokens: int
    dollars: float = 0.0


class Account:
    """Limits, what was taken, what is reserved.

    >>> account = Account(tokens=100)
    >>> account.take(Amount(60))
    True
    >>> account.take(Amount(60))
    False
    >>> account.settle(Amount(60), Amount(10))
    >>> account.take(Amount(60))
    True
    """

    def __init__(self, tokens: int | None = None, dollars: float | None = None) -> None:
        self.tokens, self.dollars = tokens, dollars
        self.taken = Amount(0)
        self.reserved = Amount(0)
        self._waiting: deque[tuple[Amount, asyncio.Future[bool]]] = deque()

    @classmethod
    def of(cls, state: SwarmState, tokens: int | None, dollars: float | None) -> Account:
        """As the ledger has it. What an earlier runner asked and never settled may have been paid: it counts whole."""
        account = cls(tokens, dollars)
        account.taken = _sum(
            [
                *(Amount(each.tokens, each.dollars) for each in state.spent.values()),
                *(Amount(each.tokens_in + each.tokens_out, each.dollars or 0.0) for each in state.asking.values()),
            ]
        )
        return account

    def fits(self, amount: Amount) -> bool:
        """Whether there is room for so much beside what is taken and reserved."""
        return self._room(self.taken.tokens + self.reserved.tokens, self.taken.dollars + self.reserved.dollars, amount)

    def take(self, amount: Amount) -> bool:
        """Reserve; False where there is no room."""
        if not self.fits(amount):
            return False
        self.reserved = Amount(self.reserved.tokens + amount.tokens, self.reserved.dollars + amount.dollars)
        return True

    async def reserve(self, amount: Amount) -> None:
        """Reserve, as soon as there is room: others may settle for less than they reserved. The first comes first.

        Raises:
            Spent: there never will be.
        """
        if not self._waiting and self.take(amount):
            return
        if not self._ever(amount):
            raise _spent()
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((amount, turn))
        try:
            if not await turn:
                raise _spent()
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result():
                self.settle(amount, Amount(0))
            else:
                self._serve()
            raise

    def settle(self, reserved: Amount, taken: Amount) -> None:
        """Give back what was reserved, and take what was used."""
        tokens = self.reserved.tokens - reserved.tokens
        dollars = max(0.0, self.reserved.dollars - reserved.dollars) if tokens > 0 else 0.0
        self.reserved = Amount(tokens, dollars)
        self.taken = Amount(self.taken.tokens + taken.tokens, self.taken.dollars + taken.dollars)
        self._serve()

    def _serve(self) -> None:
        """Reserve for those who wait, the first first, and send away whom the budget will never pay."""
        while self._waiting:
            amount, turn = self._waiting[0]
            if not turn.done():
                ever = self._ever(amount)
                if ever and not self.take(amount):
                    return
                turn.set_result(ever)
            self._waiting.popleft()

    def _ever(self, amount: Amount) -> bool:
        """Whether there is room once all that is reserved is given back: what is taken stays taken."""
        return self._room(self.taken.tokens, self.taken.dollars, amount)

    def _room(self, tokens: int, dollars: float, amount: Amount) -> bool:
        enough = self.dollars is None or dollars + amount.dollars <= self.dollars
        return enough and (self.tokens is None or tokens + amount.tokens <= self.tokens)


def _spent() -> Spent:
    return Spent("what is left of the budget for language models pays for no further call")


def _sum(amounts: Iterable[Amount]) -> Amount:
    each = list(amounts)
    return Amount(sum(one.tokens for one in each), sum(one.dollars for one in each))
