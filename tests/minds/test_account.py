"""The account: what was taken and what is reserved never pass the budget, whatever happens in which order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_swarm.events import ModelAnswered, ModelAsked, Record
from jupyter_swarm.minds.account import Account, Amount, Spent
from jupyter_swarm.state import SwarmState

SLACK = 1e-9
"""Dollars are floats."""
AMOUNTS = st.builds(Amount, st.integers(1, 60), st.floats(0.0, 3.0).map(lambda value: round(value, 2)))


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


def held(account: Account, tokens: int | None, dollars: float | None) -> None:
    taken, reserved = account.taken, account.reserved
    assert reserved.tokens >= 0
    assert reserved.dollars >= 0.0
    if tokens is not None:
        assert taken.tokens + reserved.tokens <= tokens
    if dollars is not None:
        assert taken.dollars + reserved.dollars <= dollars + SLACK


@settings(max_examples=200, deadline=None)
@given(
    tokens=st.none() | st.integers(0, 200),
    dollars=st.none() | st.floats(0.0, 8.0),
    calls=st.lists(
        st.tuples(
            AMOUNTS, st.floats(0.0, 1.0), st.integers(0, 5), st.sampled_from(["ends", "cancelled", "cancelled late"])
        ),
        max_size=25,
    ),
)
def test_no_order_of_things_passes_the_budget(
    tokens: int | None, dollars: float | None, calls: list[tuple[Amount, float, int, str]]
) -> None:
    async def test() -> None:
        account = Account(tokens, dollars)

        async def call(most: Amount, share: float, turns: int) -> str:
            await asyncio.sleep(0)
            await account.reserve(most)
            taken = Amount(int(share * most.tokens), share * most.dollars)
            try:
                held(account, tokens, dollars)
                for _ in range(turns):
                    await asyncio.sleep(0)
            finally:
                account.settle(most, taken)
                held(account, tokens, dollars)
            return "paid"

        tasks = [(asyncio.create_task(call(most, share, turns)), turns, how) for most, share, turns, how in calls]
        for turn in range(8):
            for task, turns, how in tasks:
                if {"cancelled": turns, "cancelled late": turns + 2}.get(how) == turn:
                    task.cancel()
            await asyncio.sleep(0)
            held(account, tokens, dollars)
        ended = await asyncio.wait_for(asyncio.gather(*(task for task, _, _ in tasks), return_exceptions=True), 10.0)
        assert {type(each) for each in ended} <= {str, Spent, asyncio.CancelledError}
        assert account.reserved == Amount(0, 0.0), "nothing stays reserved, and nobody waits for ever"

    run(test)


def test_waiting_for_what_others_give_back() -> None:
    async def test() -> None:
        account = Account(tokens=100)
        assert account.take(Amount(80))
        waiting = asyncio.create_task(account.reserve(Amount(60)))
        await asyncio.sleep(0)
        assert not waiting.done()
        account.settle(Amount(80), Amount(30))
        await asyncio.wait_for(waiting, 5.0)
        assert (account.taken, account.reserved) == (Amount(30), Amount(60))

    run(test)


def test_what_will_never_fit_is_refused_at_once_and_again_when_it_turns_out_so() -> None:
    async def test() -> None:
        account = Account(tokens=100)
        account.take(Amount(40))
        with pytest.raises(Spent):
            await account.reserve(Amount(101))
        waiting = asyncio.create_task(account.reserve(Amount(90)))
        await asyncio.sleep(0)
        account.settle(Amount(40), Amount(40))
        with pytest.raises(Spent):
            await asyncio.wait_for(waiting, 5.0)

    run(test)


def test_the_first_comes_first_and_one_that_gives_up_holds_up_nobody() -> None:
    async def test() -> None:
        account = Account(tokens=100)
        account.take(Amount(100))
        order: list[int] = []

        async def call(number: int, tokens: int) -> None:
            await account.reserve(Amount(tokens))
            order.append(number)

        tasks = [asyncio.create_task(call(number, tokens)) for number, tokens in enumerate((90, 10, 20))]
        await asyncio.sleep(0)
        account.settle(Amount(100), Amount(0))
        assert not account.take(Amount(1)), "the places are theirs, though they have not gone on yet"
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert order == [0, 1]
        account.settle(Amount(90), Amount(0))
        account.settle(Amount(10), Amount(0))
        assert account.reserved == Amount(0)

    run(test)


def test_dollars_and_tokens_both_count() -> None:
    assert not Account(tokens=10, dollars=1.0).take(Amount(11, 0.0))
    assert not Account(tokens=10, dollars=1.0).take(Amount(1, 1.01))
    assert Account(tokens=10, dollars=1.0).take(Amount(10, 1.0))
    assert Account().take(Amount(10**9, 1e6)), "without a limit all fits"


def test_what_an_earlier_runner_asked_and_never_settled_counts_whole() -> None:
    def asked(call: str) -> ModelAsked:
        return ModelAsked(
            call=call, agent="a", role="r", model="openai:m", prompt="p 1", tokens_in=70, tokens_out=30, dollars=2.0
        )

    events = [
        asked("one/0"),
        ModelAnswered(call="one/0", tokens_in=5, tokens_out=4, dollars=0.1),
        asked("two/0"),
        ModelAnswered(call="two/0", tokens_in=0, tokens_out=0, dollars=0.0, failed="429"),
        asked("three/0"),
    ]
    records = [Record(number, "s", 0.0, 0.0, event) for number, event in enumerate(events, 1)]
    account = Account.of(SwarmState.of(records, "s"), 200, 5.0)
    assert account.taken == Amount(109, pytest.approx(2.1))
    assert account.take(Amount(91, 2.9))
    assert not account.take(Amount(1, 0.0))
