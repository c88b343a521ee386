"""The caller: everything between a prompt and an answer that is of use.

    prompt → known already? → a place on the line → room in the budget → the provider → kept, settled → of use?

What a call may take is in the ledger before it is sent, and its answer is durable before anybody sees it: a runner that
is killed at any moment neither passes the budget nor pays twice for what was answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import random
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from jupyter_swarm.errors import SwarmError
from jupyter_swarm.events import AnyEvent, ModelAsked
from jupyter_swarm.minds import answers, chat, conversation, prices
from jupyter_swarm.minds.account import Account, Amount
from jupyter_swarm.minds.answers import AnswerError, Raw
from jupyter_swarm.minds.chat import Connection, ModelError
from jupyter_swarm.minds.lines import REST_SECONDS, Line
from jupyter_swarm.minds.prompting import Prompt
from jupyter_swarm.minds.settling import Settling, Tries, Write, tell
from jupyter_swarm.minds.tools import Offer, Tool, offer
from jupyter_swarm.protocols import Answers, Kept

T = TypeVar("T")

TIMEOUT_SECONDS = 120.0
FIRST_WAIT_SECONDS = 0.5
MOST_WAIT_SECONDS = 30.0
MOST_ROUNDS = 8
"""So often a model may call tools before it has to answer."""
MESSAGE_TOKENS = 32
"""Tokens that each message may take besides its text."""
AT_ONE_LOOK = 32
"""Requests looked up together; with more of them the first would wait for the last."""


class Asker(NamedTuple):
    """Who asks which model."""

    agent: str
    role: str
    model: str


@dataclass
class _Client:
    connection: Connection
    flying: int = 0


@dataclass
class _Flight:
    """A request that somebody waits for; when nobody does any more it is called back."""

    task: asyncio.Task[Raw]
    waiting: int = 0

    async def result(self) -> Raw:
        """What comes of it.

        Raises:
            ModelError: the caller was closed meanwhile, or what it raises.
        """
        self.waiting += 1
        try:
            return await asyncio.shield(self.task)
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if self.task.cancelled() and not (me is not None and me.cancelling()):
                raise ModelError("the swarm has stopped asking") from None
            raise
        finally:
            self.waiting -= 1
            if not self.waiting:
                self.task.cancel()


@dataclass
class Caller:
    """Asks language models on behalf of agents, in one event loop.

    Attributes:
        known: answers that were given before.
        write: where calls and answers are written down.
        account: what the budget allows.
        urls: model → address of its server, where that is not the provider's own.
        timeout_seconds: of one call.
        first_wait_seconds: before a call is sent again; twice as long each time.
        rest_seconds: of a provider that is down, before one call tries; twice as long each time.
    """

    known: Answers
    write: Write
    account: Account
    urls: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float = TIMEOUT_SECONDS
    first_wait_seconds: float = FIRST_WAIT_SECONDS
    rest_seconds: float = REST_SECONDS
    _clients: dict[tuple[str, int], list[_Client]] = field(default_factory=dict)
    _lines: dict[str, Line] = field(default_factory=dict)
    _flights: dict[str, _Flight] = field(default_factory=dict)
    _tasks: set[asyncio.Future[Any]] = field(default_factory=set)
    _prices: dict[str, prices.Price | None] = field(default_factory=dict)
    _wanted: list[tuple[str, asyncio.Future[bytes | None]]] = field(default_factory=list)
    _looking: bool = False
    _closed: bool = False

    async def ask(
        self,
        asker: Asker,
        prompt: Prompt,
        into: type[T],
        *,
        check: Callable[[T], str] | None = None,
        tools: Sequence[Tool] = (),
        about: str = "",
        salt: str = "",
    ) -> T:
        """Ask, let the model call tools, and read its answer; where that is of no use, let it mend it once.

        Args:
            asker: who asks, for the record of what it took.
            prompt: the question.
            into: the type of the answer.
            check: what is wrong with an answer, or "".
            tools: what the model may call before it answers.
            about: by what its answers are found again.
            salt: makes a request another one, where the same question is asked anew on purpose.

        Raises:
            AnswerError: twice no answer that is of use.
            ModelError: the model could not be asked.
            Spent: the budget does not pay for it.
        """
        messages: list[dict[str, Any]] = [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": prompt.user},
        ]
        names = [each.name for each in tools]
        mended, rounds = False, 0
        while True:
            raw = await self.respond(asker, prompt, messages, into, tools, about, salt)
            wanted = [call for call in raw.calls if call.name != answers.ANSWER]
            strange = [call.name for call in wanted if call.name not in names]
            if wanted and not (raw.broken or strange) and len(wanted) == len(raw.calls) and rounds < MOST_ROUNDS:
                rounds += 1
                messages += await conversation.called(raw, tools)
                continue
            try:
                if strange:
                    raise AnswerError(
                        f"there is no tool {strange[0]!r}; there are {', '.join([*names, answers.ANSWER])}"
                    )
                if wanted:
                    raise AnswerError(f"give your answer now, by the tool `{answers.ANSWER}` and nothing else")
                value = answers.read(raw, into)
                if check is not None and (wrong := check(value)):
                    raise AnswerError(wrong)
                return value
            except AnswerError as error:
                if mended:
                    raise AnswerError(f"twice an answer of no use: {error.what}", where=prompt.name) from None
                mended = True
                messages += conversation.mend(raw, error.what)

    async def respond(
        self,
        asker: Asker,
        prompt: Prompt,
        messages: Sequence[Mapping[str, Any]],
        into: type[Any],
        tools: Sequence[Tool] = (),
        about: str = "",
        salt: str = "",
    ) -> Raw:
        """One answer to a conversation, from memory where it was given before."""
        kind: Any = into
        offered = offer(kind, *((each.name, each.description, each.takes) for each in tools))
        request, size = _hash(
            [asker.model, self.urls.get(asker.model, ""), prompt.max_tokens, messages, offered.text, salt]
        )
        if (flight := self._flights.get(request)) is not None and not flight.task.cancelling():
            return await flight.result()
        if self._closed:
            raise ModelError("the swarm has stopped asking")
        bound = size + MESSAGE_TOKENS * (len(messages) + len(offered.tools))
        task = self._kept(self._found(asker, prompt, messages, offered, request, about, bound))
        flight = self._flights[request] = _Flight(task)
        task.add_done_callback(lambda _: self._landed(request, flight))
        return await flight.result()

    async def close(self) -> None:
        """Cancel whatever is out, write down what that may have taken, and hang up."""
        self._closed = True
        for flight in self._flights.values():
            flight.task.cancel()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for clients in self._clients.values():
            for client in clients:
                await client.connection.aclose()
        self._clients.clear()

    def later(self, events: Sequence[AnyEvent]) -> None:
        """Let something be written down by and by; before `close` returns."""

        async def write() -> None:
            with contextlib.suppress(SwarmError):  # the ledger has it as asked and not answered: it counts whole
                await self.write(events, [])

        self._kept(write())

    def line(self, model: str) -> Line:
        """The line to a model's provider."""
        name = f"{model.partition(':')[0]} {self.urls.get(model, '')}"
        if name not in self._lines:
            self._lines[name] = Line(rest_seconds=self.rest_seconds)
        return self._lines[name]

    def _price(self, model: str) -> prices.Price | None:
        """What a model costs, as it was when it was first asked."""
        if model not in self._prices:
            self._prices[model] = prices.price(model, self.urls.get(model, ""))
        return self._prices[model]

    # ------------------------------------------------------------ sending

    async def _found(
        self,
        asker: Asker,
        prompt: Prompt,
        messages: Sequence[Mapping[str, Any]],
        offered: Offer,
        request: str,
        about: str,
        bound: int,
    ) -> Raw:
        """An answer that was given before, else a new one. Both are read from what is kept: they cannot differ."""
        kept = await self._looked_up(request)
        if kept is None:
            kept = await self._paid(asker, prompt, messages, offered, request, about, bound)
        return answers.decode(kept)

    async def _paid(
        self,
        asker: Asker,
        prompt: Prompt,
        messages: Sequence[Mapping[str, Any]],
        offered: Offer,
        request: str,
        about: str,
        bound: int,
    ) -> bytes:
        """Send until there is an answer; each try is reserved before and settled after."""
        price = self._price(asker.model)
        most = Amount(bound + prompt.max_tokens, price.of(bound, prompt.max_tokens) if price else 0.0)
        line, tries = self.line(asker.model), Tries()
        while True:
            call = f"{request}/{tries.sent}-{time.time_ns():x}"
            async with line.place():
                await self.account.reserve(most)
                settled = Settling(self.account, self.write, self.later, call, most, bound, prompt.max_tokens, price)
                asked = ModelAsked(
                    call=call, agent=asker.agent, role=asker.role, model=asker.model, prompt=prompt.name,
                    tokens_in=bound, tokens_out=prompt.max_tokens, dollars=most.dollars if price else None,
                )  # fmt: skip
                try:
                    await self.write([asked], [])
                    async with self._client(asker.model, prompt.max_tokens) as connection:
                        settled.sent = True
                        async with asyncio.timeout(self.timeout_seconds):
                            raw = await connection.respond(messages, offered.tools, offered.name)
                    line.answered()
                    kept = Kept(request, about, answers.encode(raw))
                    await settled.answered(raw, kept)
                    return kept.answer
                except (ModelError, TimeoutError) as error:
                    failure = error if isinstance(error, ModelError) else ModelError("it took too long", paid=True)
                    tell(line, failure)
                    await settled.failed(failure)
                finally:
                    settled.cut_off()
            if not tries.another(failure):
                raise failure
            await asyncio.sleep(self._wait(tries.sent - 1, failure))

    async def _looked_up(self, request: str) -> bytes | None:
        """What was answered before. What is looked up while a thread looks is looked up together, in the next one."""
        found: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._wanted.append((request, found))
        if not self._looking:
            self._looking = True
            self._kept(self._look_up())
        return await found

    async def _look_up(self) -> None:
        while self._wanted:
            wanted, self._wanted = self._wanted[:AT_ONE_LOOK], self._wanted[AT_ONE_LOOK:]
            try:
                answered = await asyncio.to_thread(self.known.known, [request for request, _ in wanted])
                for request, found in wanted:
                    if not found.done():
                        found.set_result(answered.get(request))
            except Exception as error:  # each of them hears of it
                for _, found in wanted:
                    if not found.done():
                        found.set_exception(error)
        self._looking = False

    def _kept(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that `close` waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _landed(self, request: str, flight: _Flight) -> None:
        if self._flights.get(request) is flight:
            del self._flights[request]

    def _wait(self, number: int, failure: ModelError) -> float:
        """Seconds until the next try: what the provider says, else twice as long each time; with jitter either way."""
        wait = min(MOST_WAIT_SECONDS, self.first_wait_seconds * 2.0**number)
        return min(MOST_WAIT_SECONDS, failure.retry_after or 0.0) + random.uniform(0.5, 1.0) * wait

    def _client(self, model: str, max_tokens: int) -> _Held:
        """The least busy client of a model, or a new one where all are busy."""
        clients = self._clients.setdefault((model, max_tokens), [])
        client = min(clients, key=lambda each: each.flying, default=None)
        if client is None or client.flying >= client.connection.room:
            url = self.urls.get(model, "")
            client = _Client(chat.connect(model, url, self.timeout_seconds + 5.0, max_tokens))
            chat.settle()
            clients.append(client)
        return _Held(client)


class _Held:
    """A client with one more call in flight."""

    def __init__(self, client: _Client) -> None:
        self._client = client

    async def __aenter__(self) -> Connection:
        self._client.flying += 1
        return self._client.connection

    async def __aexit__(self, *_: object) -> None:
        self._client.flying -= 1


def _hash(request: Sequence[Any]) -> tuple[str, int]:
    """A request's name, and its bytes: no tokenizer makes more tokens of them."""
    text = json.dumps(request, sort_keys=True, ensure_ascii=False).encode(errors="replace")
    return hashlib.sha256(text).hexdigest()[:40], len(text)
