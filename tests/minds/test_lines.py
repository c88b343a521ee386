"""Lines to providers: who may come in, what a refusal costs, and the breaker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_swarm.minds.lines import FAILURES, MOST, Line, sockets

REST = 0.2


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 60.0))


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def broken(line: Line) -> Line:
    for _ in range(FAILURES):
        line.failed()
    return line


@settings(max_examples=100, deadline=None)
@given(
    most=st.integers(1, 6),
    calls=st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["answered", "refused", "cancelled"])), max_size=30),
)
def test_never_more_than_allowed_and_everybody_comes_in(most: int, calls: list[tuple[int, str]]) -> None:
    async def test() -> None:
        line, inside, came = Line(most), 0, 0

        async def call(stays: int, ends: str) -> None:
            nonlocal inside, came
            async with line.place():
                inside += 1
                came += 1
                assert inside == line.flying <= most
                try:
                    await turns(stays)
                finally:
                    inside -= 1
                line.refused(None) if ends == "refused" else line.answered()

        tasks = [asyncio.create_task(call(*each)) for each in calls]
        await turns(2)
        gone = [task for task, (_, ends) in zip(tasks, calls, strict=True) if ends == "cancelled" and task.cancel()]
        await asyncio.gather(*tasks, return_exceptions=True)
        assert came >= len(tasks) - len(gone)
        assert line.flying == 0
        async with asyncio.timeout(10.0), line.place():
            pass

    run(test)


def test_the_first_comes_first() -> None:
    async def test() -> None:
        line, order = Line(1), []

        async def call(number: int) -> None:
            async with line.place():
                order.append(number)
                await asyncio.sleep(0)

        await asyncio.gather(*(call(number) for number in range(20)))
        assert order == list(range(20))

    run(test)


def test_refusals_leave_as_many_places_as_the_provider_has() -> None:
    """A provider with ten places, asked by a line that thinks it has 200."""

    async def test() -> None:
        line, busy, refused, rounds = Line(200), 0, 0, 0

        async def call() -> None:
            nonlocal busy, refused
            async with line.place():
                if busy >= 10:
                    refused += 1
                    line.refused(None)
                    return
                busy += 1
                await turns(3)
                busy -= 1
                line.answered()

        for rounds in range(20):  # noqa: B007
            await asyncio.gather(*(call() for _ in range(200)))
        before, refused = refused, 0
        await asyncio.gather(*(call() for _ in range(2000)))
        assert before < 20 * 200
        assert refused < 400, "one in eleven, about"

    run(test)


def test_a_refusal_by_chance_now_and_then_costs_no_places() -> None:
    line = Line(100)
    for number in range(2000):
        line.refused(None) if number % 20 == 0 else line.answered()
    assert line._limit > 98


def test_nobody_comes_in_before_the_time_that_it_says() -> None:
    async def test() -> None:
        line, began, came = Line(5), time.monotonic(), []

        async def call() -> None:
            async with line.place():
                came.append(time.monotonic() - began)

        line.refused(0.3)
        await asyncio.gather(*(call() for _ in range(12)))
        assert len(came) == 12
        assert min(came) >= 0.29

    run(test)


def test_a_time_that_is_put_off_holds_for_those_who_wait_already() -> None:
    async def test() -> None:
        line, began = Line(5), time.monotonic()
        line.refused(0.1)

        async def call() -> float:
            async with line.place():
                return time.monotonic() - began

        waiting = asyncio.create_task(call())
        await turns()
        line.refused(0.4)
        assert await waiting >= 0.39

    run(test)


def test_a_thousand_failures_at_once_are_one() -> None:
    line = Line(rest_seconds=REST)
    for _ in range(1000):
        line.failed()
    assert line.down
    assert line.open_until - time.monotonic() <= REST


def test_the_breaker_lets_one_try_and_all_follow_when_that_is_answered() -> None:
    async def test() -> None:
        line, inside, most, answered = broken(Line(50, rest_seconds=REST)), 0, 0, asyncio.Event()
        began, tried = time.monotonic(), []

        async def call() -> None:
            nonlocal inside, most
            async with line.place():
                inside += 1
                most = max(most, inside)
                tried.append(time.monotonic() - began)
                await answered.wait()
                line.answered()
                inside -= 1

        tasks = [asyncio.create_task(call()) for _ in range(30)]
        await asyncio.sleep(3 * REST)
        assert len(tried) == 1, "one tries, the others wait for what comes of it"
        assert tried[0] >= REST * 0.95
        answered.set()
        await asyncio.gather(*tasks)
        assert len(tried) == 30
        assert not line.down

    run(test)


def test_a_try_that_fails_makes_the_rest_longer() -> None:
    async def test() -> None:
        line = broken(Line(50, rest_seconds=REST))
        async with line.place():
            line.failed()
        assert line.down
        assert line.open_until - time.monotonic() > 1.5 * REST
        began = time.monotonic()
        async with line.place():
            line.answered()
        assert time.monotonic() - began > 1.5 * REST
        broken(line)
        assert line.open_until - time.monotonic() <= REST, "it was well in between"

    run(test)


def test_who_gives_up_trying_leaves_that_to_the_next() -> None:
    async def test() -> None:
        line, inside = broken(Line(50, rest_seconds=0.05)), []

        async def call(number: int) -> None:
            async with line.place():
                inside.append(number)
                await asyncio.sleep(3600)

        tasks = [asyncio.create_task(call(number)) for number in range(3)]
        await asyncio.sleep(0.3)
        assert inside == [0]
        tasks[1].cancel()
        await turns()
        assert inside == [0]
        tasks[0].cancel()
        await turns()
        assert inside == [0, 2]
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert line.flying == 0

    run(test)


def test_there_are_never_more_calls_than_sockets() -> None:
    assert 8 <= sockets() <= MOST
    assert Line().most == sockets()
