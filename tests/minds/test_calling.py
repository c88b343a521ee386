"""The caller against a real server, through LangChain, with a ledger on disk: what is paid, and how things end."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_swarm.engine.clerk import Clerk
from jupyter_swarm.errors import LeaseLost
from jupyter_swarm.events import AnyEvent, ModelAnswered, ModelAsked
from jupyter_swarm.minds import keys, prices, providers
from jupyter_swarm.minds.account import Account, Amount, Spent
from jupyter_swarm.minds.answers import AnswerError
from jupyter_swarm.minds.calling import MOST_ROUNDS, Asker, Caller
from jupyter_swarm.minds.chat import ModelError
from jupyter_swarm.minds.prompting import Prompt
from jupyter_swarm.minds.settling import PAID_TRIES, TRIES, Tries
from jupyter_swarm.minds.tools import Tool
from jupyter_swarm.protocols import Kept, Lease
from jupyter_swarm.state import SwarmState
from jupyter_swarm.store import SqlStore
from jupyter_swarm.testing import Fault, ModelServer, Reply, Request
from jupyter_swarm.words import Word

pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")

SWARM = "s"
MODEL = "local:any"
KEY = "sk-very-secret"
PROMPT = Prompt("ideas 1", 100, "You propose.", "What helps?")


class Ideas(Word, frozen=True):
    """What is asked for."""

    ideas: tuple[str, ...]


class Query(Word, frozen=True):
    """What a tool takes."""

    words: str
    limit: int = 5


VALUE: dict[str, Any] = {"ideas": ["RobustScaler"]}
EXPECTED = Ideas(ideas=("RobustScaler",))
USAGE = (50, 7)
GOOD = Reply(calls=[("answer", VALUE)], usage=USAGE)
UNREADABLE = Reply("No.", usage=USAGE)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key and no list of prices of the person who runs the tests."""
    for each in providers.PROVIDERS.values():
        if each.variable:
            monkeypatch.delenv(each.variable, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.fixture(autouse=True, scope="module")
def loaded() -> Iterator[None]:
    """What is imported is left out when a test collects what it has left over."""
    import langchain_openai.chat_models  # noqa: F401

    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Office:
    """Ledger, clerk and caller, as a runner has them, over the same file each time."""

    def __init__(
        self, path: Path, url: str, *, tokens: int | None = None, dollars: float | None = None, **more: Any
    ) -> None:
        self.store, self.lease = SqlStore.at(path), more.pop("lease", None)
        self.model = more.pop("model", MODEL)
        self.state = SwarmState.of(self.store.read(swarm=SWARM), SWARM)
        self.clerk = Clerk(self._commit, lambda records: [self.state.apply(each) for each in records] and None)
        settings = {"timeout_seconds": 30.0, "first_wait_seconds": 0.01, "rest_seconds": 0.3, **more}
        account = Account.of(self.state, tokens, dollars)
        self.caller = Caller(self.store, self.clerk.write, account, {self.model: url}, **settings)

    def _commit(self, events: Sequence[AnyEvent], kept: Sequence[Kept]) -> Any:
        return self.store.append(SWARM, events, answers=kept, lease=self.lease)

    async def ask(self, question: str = "What helps?", into: Any = Ideas, **more: Any) -> Any:
        asker = Asker("agent-1", "brainstorming", self.model)
        return await self.caller.ask(asker, PROMPT._replace(user=question), into, **more)

    @property
    def calls(self) -> list[tuple[ModelAsked, ModelAnswered]]:
        """What the ledger has of calls that were settled."""
        events = [each.event for each in self.store.read(swarm=SWARM)]
        asked = {each.call: each for each in events if isinstance(each, ModelAsked)}
        return [(asked[each.call], each) for each in events if isinstance(each, ModelAnswered)]

    @property
    def failures(self) -> list[str]:
        return [answered.failed for _, answered in self.calls if answered.failed]


class Served:
    """Servers and offices of one test, all of which are gone afterwards; and nothing is left over."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.servers = folder, list[ModelServer]()

    def server(self, answer: Any) -> ModelServer:
        self.servers.append(ModelServer(answer).start())
        return self.servers[-1]

    def run(self, server: ModelServer, test: Callable[[Office], Awaitable[Any]], **more: Any) -> Any:
        """Run a test with an office; its calls are all settled, and no task and no socket is left."""

        async def whole() -> Any:
            office = Office(self.folder / "ledger.db", server.url, **more)
            try:
                return await test(office)
            finally:
                await office.caller.close()
                await office.clerk.finish()
                await asyncio.sleep(0.05)
                office.store.close()
                assert asyncio.all_tasks() == {asyncio.current_task()}
                assert connections(server) == 0
                assert office.caller.account.reserved == Amount(0)

        found = asyncio.run(whole())
        gc.collect()  # what was not awaited or not closed warns here
        return found


def connections(server: ModelServer) -> int:
    """How many sockets of ours lead to a server."""
    port = int(server.url.split(":")[2].partition("/")[0])
    return sum(bool(each.raddr) and each.raddr.port == port for each in psutil.Process().net_connections("tcp"))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    yield made
    for each in made.servers:
        each.stop()


# ---------------------------------------------------------------- paid once


def test_the_same_request_is_paid_once(served: Served) -> None:
    server = served.server([GOOD])

    async def test(office: Office) -> None:
        assert await office.ask() == EXPECTED
        assert await office.ask() == EXPECTED
        ((_, answered),) = office.calls
        assert (answered.tokens_in, answered.tokens_out, answered.guessed, answered.failed) == (*USAGE, False, "")
        assert office.caller.account.taken == Amount(sum(USAGE))

    served.run(server, test)

    async def later(office: Office) -> None:
        assert await office.ask() == EXPECTED
        assert office.caller.account.taken == Amount(sum(USAGE))

    served.run(server, later)
    assert len(server.requests) == 1


def test_asked_by_many_at_once_it_is_paid_once(served: Served) -> None:
    server = served.server(lambda _: Reply(calls=GOOD.calls, seconds=0.2))

    async def test(office: Office) -> None:
        asks = [asyncio.create_task(office.ask()) for _ in range(20)]
        while not all(each.done() for each in asks):  # and while its answer is on its way into the ledger
            asks.append(asyncio.create_task(office.ask()))
            await asyncio.sleep(0.002)
        assert set(await asyncio.gather(*asks)) == {EXPECTED}

    served.run(server, test)
    assert len(server.requests) == 1


def test_another_salt_question_model_or_form_is_another_request(served: Served) -> None:
    server = served.server([GOOD])

    async def test(office: Office) -> None:
        await office.ask()
        await office.ask(salt="2")
        await office.ask("And else?")
        await office.ask(into=dict[str, list[str]])

    served.run(server, test)
    assert len(server.requests) == 4
    forms = [each.body["tools"][0]["function"]["parameters"] for each in server.requests]
    assert forms[0] == forms[1] == forms[2] != forms[3], "each is told the form that it is asked for"


def test_one_of_two_that_gives_up_takes_nothing_from_the_other(served: Served) -> None:
    server = served.server([Reply(calls=GOOD.calls, seconds=0.4)])

    async def test(office: Office) -> None:
        first = asyncio.create_task(office.ask())
        await asyncio.sleep(0.1)
        second = asyncio.create_task(office.ask())
        await asyncio.sleep(0.05)
        first.cancel()
        assert await second == EXPECTED
        assert first.cancelled()

    served.run(server, test)
    assert len(server.requests) == 1


def test_one_that_nobody_waits_for_is_called_back_and_can_be_asked_again(served: Served) -> None:
    server = served.server([Fault(seconds=60.0), GOOD])

    async def test(office: Office) -> None:
        asks = [asyncio.create_task(office.ask()) for _ in range(2)]
        while not server.requests:
            await asyncio.sleep(0.01)
        for each in asks:
            each.cancel()
        await asyncio.gather(*asks, return_exceptions=True)
        assert await office.ask() == EXPECTED
        assert office.failures == ["cut off"]

    served.run(server, test)
    assert len(server.requests) == 2


# ---------------------------------------------------------------- faults


def test_a_refusal_for_rate_is_waited_out_and_costs_nothing(served: Served) -> None:
    server = served.server([Fault(429, retry_after=0.4), Fault(429), GOOD])

    async def test(office: Office) -> None:
        began = time.monotonic()
        assert await office.ask() == EXPECTED
        assert time.monotonic() - began >= 0.39
        assert ["429" in each for each in office.failures] == [True, True]
        assert office.caller.account.taken == Amount(sum(USAGE))
        assert [answered.guessed for _, answered in office.calls] == [False, False, False]

    served.run(server, test)
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [500, 503, 529, 408])
def test_a_failure_of_the_server_is_tried_again(served: Served, status: int) -> None:
    server = served.server([Fault(status), Fault(status), GOOD])
    assert served.run(server, lambda office: office.ask()) == EXPECTED
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 307])
def test_a_request_that_is_wrong_is_not(served: Served, status: int) -> None:
    server = served.server([Fault(status), GOOD])

    async def test(office: Office) -> None:
        with pytest.raises(ModelError, match=str(status)):
            await office.ask()
        assert office.caller.account.taken == Amount(0)
        assert len(office.failures) == 1

    served.run(server, test)
    assert len(server.requests) == 1


def test_an_empty_purse_is_no_matter_of_rate(served: Served) -> None:
    server = served.server([Fault(429, text="You exceeded your current quota (insufficient_quota)"), GOOD])

    async def test(office: Office) -> None:
        with pytest.raises(ModelError, match="quota"):
            await office.ask()

    served.run(server, test)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "fault", [Fault(dropped=True), Fault(broken=True), Fault(seconds=60.0)], ids=["dropped", "broken", "hangs"]
)
def test_what_may_have_been_paid_counts_whole_and_is_tried_once_more(served: Served, fault: Fault) -> None:
    server = served.server([fault, GOOD, fault])

    async def test(office: Office) -> None:
        assert await office.ask() == EXPECTED
        (asked, lost), (_, answered) = office.calls
        assert lost.guessed
        assert (lost.tokens_in, lost.tokens_out) == (asked.tokens_in, asked.tokens_out)
        assert not answered.guessed
        before = office.caller.account.taken.tokens
        with pytest.raises(ModelError):
            await office.ask("And else?")
        assert len(server.requests) == 2 + PAID_TRIES
        assert office.caller.account.taken.tokens > before + 200

    served.run(server, test, timeout_seconds=1.0)


def test_a_server_that_never_recovers_is_a_failure_in_the_end(served: Served) -> None:
    server = served.server([Fault(500)])

    async def test(office: Office) -> None:
        with pytest.raises(ModelError, match="500"):
            await office.ask()
        assert len(office.failures) == TRIES
        assert office.caller.account.taken == Amount(0)

    served.run(server, test)
    assert len(server.requests) == TRIES


def test_nobody_at_the_address_costs_nothing(served: Served) -> None:
    server = served.server([GOOD])
    server.stop()

    async def test(office: Office) -> None:
        with pytest.raises(ModelError, match="onnect"):
            await office.ask()
        assert office.caller.account.taken == Amount(0)
        assert office.failures

    served.run(server, test)


@pytest.mark.parametrize("usage", [None, (-5, -5)])
def test_a_server_that_says_nothing_sensible_of_tokens(served: Served, usage: tuple[int, int] | None) -> None:
    server = served.server([Reply(calls=GOOD.calls, usage=usage)])

    async def test(office: Office) -> None:
        assert await office.ask() == EXPECTED
        ((asked, answered),) = office.calls
        assert answered.guessed == (usage is None)
        taken = asked.tokens_in + asked.tokens_out if usage is None else 0
        assert office.caller.account.taken.tokens == answered.tokens_in + answered.tokens_out == taken

    served.run(server, test)


# ---------------------------------------------------------------- answers of no use


@pytest.mark.parametrize(
    "bad",
    [
        UNREADABLE,
        Reply(""),
        Reply("I cannot help.", finish="content_filter"),
        Reply(calls=[("answer", VALUE)], finish="length"),
        Reply(calls=[("answer", {"ideas": 5})]),
        Reply(calls=[("answer", {"ideas": [None]})]),
        Reply(calls=[("answer", ["no", "object"])]),  # type: ignore[list-item]
        Reply(calls=[("answer", VALUE), ("answer", VALUE)]),
        Reply(calls=[("launch", {})]),
        Reply(calls=[("launch", {}), ("answer", VALUE)]),
    ],
    ids=["text", "nothing", "refusal", "cut off", "type", "none", "list", "two", "no tool", "no tool, and an answer"],
)
def test_one_repair_then_a_recorded_failure(served: Served, bad: Reply) -> None:
    server = served.server([bad, GOOD, bad])

    async def test(office: Office) -> None:
        assert await office.ask() == EXPECTED
        assert len(server.requests) == 2
        with pytest.raises(AnswerError, match="twice an answer of no use"):
            await office.ask("And else?")
        assert len(server.requests) == 4
        assert len(office.calls) == 4

    served.run(server, test)


def test_what_was_wrong_is_said_with_the_repair(served: Served) -> None:
    server = served.server([Reply(calls=[("launch", {})]), GOOD])
    served.run(server, lambda office: office.ask())
    *_, said, told = server.requests[1].messages
    assert said["role"] == "assistant"
    assert told["role"] == "tool"
    assert "there is no tool 'launch'; there are answer" in told["content"]


def test_what_a_program_finds_wrong_is_mended_too(served: Served) -> None:
    server = served.server([Reply(calls=[("answer", {"ideas": []})]), GOOD])

    def check(found: Ideas) -> str:
        return "" if found.ideas else "there is no idea in it"

    async def test(office: Office) -> None:
        assert await office.ask(check=check) == EXPECTED

    served.run(server, test)
    assert "there is no idea in it" in server.requests[1].text


@pytest.mark.parametrize("odd", ["half \ud800 a character", float("nan"), 2**80], ids=["surrogate", "nan", "big"])
def test_what_no_ledger_can_hold_reads_the_same_when_it_is_found_again(served: Served, odd: Any) -> None:
    server = served.server([Reply(calls=[("answer", {"ideas": [odd]})])])

    async def test(office: Office) -> str:
        return str(await office.ask(into=dict[str, list[Any]]))

    assert served.run(server, test) == served.run(server, test)
    assert len(server.requests) == 1


def test_what_was_read_somewhere_may_hold_half_a_character(served: Served) -> None:
    server = served.server([GOOD])
    assert served.run(server, lambda office: office.ask("Is \ud800 a character?")) == EXPECTED


# ---------------------------------------------------------------- tools


def searching(called: list[Query]) -> Tool:
    async def search(query: Query) -> str:
        called.append(query)
        return f"found {query.words}"

    return Tool("search", "Search the library.", Query, search)


def test_a_tool_is_called_and_its_result_shown(served: Served) -> None:
    called: list[Query] = []
    wrong, right = ("search", {"words": 5, "limit": "many"}), ("search", {"words": "scalers", "limit": "3"})
    server = served.server([Reply(calls=[wrong]), Reply(calls=[right, right]), GOOD])

    async def test(office: Office) -> None:
        assert await office.ask(tools=[searching(called)]) == EXPECTED
        assert await office.ask(tools=[searching(called)]) == EXPECTED

    served.run(server, test)
    assert called[:2] == [Query(words="scalers", limit=3)] * 2
    assert server.requests[0].tools == ("answer", "search")
    assert "search: Expected" in server.requests[1].text
    assert server.requests[2].text.count("found scalers") == 2
    assert len(server.requests) == 3, "the second time, each step of the conversation is known"


def test_a_loop_of_calls_comes_to_an_end(served: Served) -> None:
    called: list[Query] = []
    server = served.server([Reply(calls=[("search", {"words": "again"})])])

    async def test(office: Office) -> None:
        with pytest.raises(AnswerError, match="give your answer now"):
            await office.ask(tools=[searching(called)])

    served.run(server, test)
    assert len(called) == MOST_ROUNDS
    assert len(server.requests) == MOST_ROUNDS + 2


# ---------------------------------------------------------------- money


def test_the_budget_is_not_passed_by_the_servers_own_count(served: Served) -> None:
    """A hundred agents at once; what a call may take at most is many times what it takes."""
    counted = [0]

    def answer(request: Request) -> Reply | Fault:
        if request.number % 9 == 0:
            return Fault(429)
        counted[0] += sum(USAGE)
        return Fault(dropped=True) if request.number % 7 == 0 else Reply(calls=GOOD.calls, usage=USAGE, seconds=0.01)

    server = served.server(answer)

    async def test(office: Office) -> list[Any]:
        return await asyncio.gather(*(office.ask(str(number)) for number in range(100)), return_exceptions=True)

    ended = served.run(server, test, tokens=5000)
    assert {type(each) for each in ended} == {Ideas, Spent}
    assert 1500 < counted[0] <= 5000


def test_nothing_is_sent_that_the_budget_does_not_pay_for(served: Served) -> None:
    server = served.server([GOOD])

    async def test(office: Office) -> None:
        with pytest.raises(Spent):
            await office.ask()
        assert office.calls == []

    served.run(server, test, tokens=200)
    assert server.requests == []


def test_dollars_are_those_of_the_persons_list(served: Served) -> None:
    path = keys.file().with_name(prices.FILE)
    path.parent.mkdir(parents=True)
    path.write_text('[prices]\n"local:any" = [10.0, 100.0]\n', encoding="utf-8")
    server = served.server([GOOD])
    cost = 50 * 10e-6 + 7 * 100e-6

    async def test(office: Office) -> None:
        await office.ask()
        ((asked, answered),) = office.calls
        assert answered.dollars == pytest.approx(cost)
        assert asked.dollars == pytest.approx(asked.tokens_in * 10e-6 + asked.tokens_out * 100e-6)
        assert office.caller.account.taken.dollars == pytest.approx(cost)
        office.caller.account.dollars = cost + 0.9 * (asked.dollars or 0.0)
        with pytest.raises(Spent):
            await office.ask("And else?")

    served.run(server, test, dollars=1.0)


def test_a_price_that_nobody_knows_is_not_zero(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server elsewhere, which is reached by way of a proxy here."""
    server = served.server([GOOD])
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, server.url.removesuffix("/v1"))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    async def test(office: Office) -> None:
        office.caller.urls = {office.model: "http://192.0.2.7/v1"}
        assert await office.ask() == EXPECTED
        ((asked, answered),) = office.calls
        assert (asked.dollars, answered.dollars) == (None, None)
        assert [each.unpriced for each in office.state.spent.values()] == [1]

    served.run(server, test, model="openai:a-model-nobody-knows")
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


# ---------------------------------------------------------------- down, stopped, taken over


def test_callers_of_a_server_that_is_down_go_on_when_it_is_back(served: Served) -> None:
    up = [False]
    server = served.server(lambda _: GOOD if up[0] else Fault(503))

    async def test(office: Office) -> list[Any]:
        asks = [asyncio.create_task(office.ask(str(number))) for number in range(60)]
        line = office.caller.line(MODEL)
        while not line.down:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        before = len(server.requests)
        await asyncio.sleep(1.0)
        assert len(server.requests) - before <= 4, "one at a time tries, less and less often"
        up[0] = True
        found = await asyncio.gather(*asks, return_exceptions=True)
        assert not line.down
        return found

    ended = served.run(server, test)
    assert ended.count(EXPECTED) == 60


def test_a_thousand_calls_in_flight_end_within_a_second_and_leave_nothing(served: Served) -> None:
    server = served.server(lambda _: Fault(seconds=3600.0))

    async def test(office: Office) -> None:
        asks = [asyncio.create_task(office.ask(str(number))) for number in range(1000)]
        while len(server.requests) < 1000:
            await asyncio.sleep(0.05)
        assert connections(server) == 1000
        began = time.monotonic()
        for each in asks:
            each.cancel()
        await asyncio.gather(*asks, return_exceptions=True)
        await office.caller.close()
        assert time.monotonic() - began < 1.0
        assert all(each.cancelled() for each in asks)
        assert len(office.state.asking) == 0
        assert sum(each.guessed for each in office.state.spent.values()) == 1000, "they may have been paid"

    served.run(server, test)


def test_closing_ends_what_others_still_wait_for(served: Served) -> None:
    server = served.server(lambda _: Fault(seconds=3600.0))

    async def test(office: Office) -> None:
        asks = [asyncio.create_task(office.ask(str(number))) for number in range(20)]
        while len(server.requests) < 20:
            await asyncio.sleep(0.01)
        await office.caller.close()
        ended = await asyncio.gather(*asks, return_exceptions=True)
        assert {type(each) for each in ended} == {ModelError}
        with pytest.raises(ModelError, match="stopped asking"):
            await office.ask("And else?")
        assert len(office.calls) == 20

    served.run(server, test)


def test_a_runner_that_was_overtaken_asks_nobody(served: Served, tmp_path: Path) -> None:
    server = served.server([GOOD])
    store = SqlStore.at(tmp_path / "ledger.db")
    assert store.lease(SWARM, "an earlier one", seconds=-1.0) == Lease(swarm=SWARM, epoch=1)
    assert store.lease(SWARM, "a later one") == Lease(swarm=SWARM, epoch=2)
    store.close()

    async def test(office: Office) -> None:
        ended = await asyncio.gather(*(office.ask(str(n)) for n in range(10)), return_exceptions=True)
        assert {type(each) for each in ended} == {LeaseLost}

    served.run(server, test, lease=Lease(swarm=SWARM, epoch=1))
    assert server.requests == []


# ---------------------------------------------------------------- keys


@pytest.mark.parametrize("fault", [Fault(401, text=f"Incorrect API key provided: {KEY}"), Fault(broken=True)])
def test_a_key_is_sent_and_stands_in_no_error_and_no_ledger(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: Fault
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server = served.server([fault])

    async def test(office: Office) -> None:
        with pytest.raises(ModelError) as caught:
            await office.ask()
        assert KEY not in f"{caught.value} {caught.value!r} {caught.value.__cause__} {office.failures}"
        assert KEY not in repr(office.caller)

    served.run(server, test, model="openai:any")
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    for path in tmp_path.rglob("ledger.db*"):
        assert KEY.encode() not in path.read_bytes()


WATCHED = """
import asyncio, sys

reached = []
def heard(event, arguments):
    if event == "socket.connect":
        reached.append(arguments[1])
    if event == "socket.getaddrinfo":
        reached.append(arguments[0])
sys.addaudithook(heard)
from jupyter_swarm.minds import answers, chat

async def main():
    connection = chat.connect("local:plain", sys.argv[1])
    raw = await connection.respond([{"role": "user", "content": "Hello"}], [answers.tool(dict[str, list[str]])], "t")
    await connection.aclose()
    await asyncio.sleep(0.5)
    print(raw.calls[0].arguments)

asyncio.run(main())
print(sorted({str(each[0] if isinstance(each, tuple) else each) for each in reached}))
"""


def test_a_local_model_reaches_no_socket_but_its_own(served: Served) -> None:
    """Though proxies and a tracing service are named in the environment."""
    server = served.server([GOOD])
    around = {
        "HTTP_PROXY": "http://192.0.2.9:3128", "http_proxy": "http://192.0.2.9:3128", "ALL_PROXY": "http://192.0.2.9:1",
        "LANGSMITH_TRACING": "true", "LANGCHAIN_TRACING_V2": "true", "LANGSMITH_API_KEY": "lsv2_key",
        "LANGSMITH_ENDPOINT": "http://192.0.2.8/",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WATCHED, server.url],
        env={**os.environ, **around}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer, reached = done.stdout.splitlines()
    assert answer == str(VALUE)
    assert reached == "['127.0.0.1']"


# ---------------------------------------------------------------- how often


def failed(status: int = 0, *, paid: bool = False) -> ModelError:
    return ModelError("no", status=status, paid=paid)


def test_how_often_a_call_is_sent() -> None:
    def sent(*failures: ModelError) -> int:
        tries = Tries()
        return next((number for number, each in enumerate(failures, 1) if not tries.another(each)), -1)

    assert sent(*[failed(500)] * 20) == TRIES
    assert sent(*[failed(paid=True)] * 20) == PAID_TRIES
    assert sent(failed(429), failed(paid=True), failed(429), failed(paid=True)) == 4
    assert sent(failed(400)) == 1
    assert sent(*[failed(429)] * 8) == -1, "a provider that limits calls a minute is waited for"
    assert 8 < sent(*[failed(429)] * 100) < 20
