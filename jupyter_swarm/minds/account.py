"""The account: what the budget lets language models take. Upper bounds are reserved before a call and settled after, so
that the sum of what was taken and what may still be taken never passes the budget.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from jupyter_swarm.errors import SwarmError
from jupyter_swarm.state import SwarmState

DEFAULT_TOKENS = 1_000_000
"""For models that are not local, where the budget names neither dollars nor tokens."""


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
        self._changed = asyncio.Event()

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
        whole = _sum([self.taken, self.reserved, amount])
        enough = self.dollars is None or whole.dollars <= self.dollars
        return enough and (self.tokens is None or whole.tokens <= self.tokens)

    def take(self, amount: Amount) -> bool:
        """Reserve; False where there is no room."""
        if not self.fits(amount):
            return False
        self.reserved = _sum([self.reserved, amount])
        return True

    async def reserve(self, amount: Amount) -> None:
        """Reserve, as soon as there is room: others may settle for less than they reserved.

        Raises:
            Spent: there never will be.
        """
        while not self.take(amount):
            if self.reserved.tokens <= 0:
                raise Spent("what is left of the budget for language models pays for no further call")
            self._changed.clear()
            await self._changed.wait()

    def settle(self, reserved: Amount, taken: Amount) -> None:
        """Give back what was reserved, and take what was used."""
        self.reserved = Amount(
            self.reserved.tokens - reserved.tokens, max(0.0, self.reserved.dollars - reserved.dollars)
        )
        self.taken = _sum([self.taken, taken])
        self._changed.set()


def _sum(amounts: Iterable[Amount]) -> Amount:
    each = list(amounts)
    return Amount(sum(one.tokens for one in each), sum(one.dollars for one in each))
