"""The server that speaks OpenAI's protocol, asked by LangChain's own client over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from jupyter_swarm.errors import UsageError
from jupyter_swarm.minds import chat
from jupyter_swarm.testing import Fault, ModelServer, Reply, Request

openai = pytest.importorskip("openai", reason="langchain-openai is not installed")
pytest.importorskip("langchain_openai")


class Idea(BaseModel):
    """An idea and how sure one is."""

    statement: str
    promise: float


def search(query: str) -> str:
    """Search the library."""
    return query


@pytest.fixture
def served() -> Iterator[Any]:
    """Starts servers with what they answer, and a client of each; they are gone afterwards."""
    servers: list[ModelServer] = []
    connections: list[chat.Connection] = []

    def start(answer: Any, **more: Any) -> tuple[Any, ModelServer]:
        server = ModelServer(answer).start()
        servers.append(server)
        connections.append(chat.connect("local:any", server.url, **more))
        return connections[-1].model, server

    yield start
    for connection in connections:
        connection.close()
    for each in servers:
        each.stop()


def test_a_function_sees_what_is_asked(served: Any) -> None:
    def answer(request: Request) -> Reply:
        return Reply(f"{len(request.messages)} messages, the last one says {request.messages[-1]['content']}")

    model, server = served(answer)
    assert model.invoke([("system", "be short"), ("user", "hello")]).text == "2 messages, the last one says hello"
    assert server.requests[0].headers["content-type"] == "application/json"


def test_replies_come_in_turn_and_the_last_is_repeated(served: Any) -> None:
    model, server = served(["one", Reply("two", usage=(5, 7))])
    found = [model.invoke("x") for _ in range(3)]
    assert [each.text for each in found] == ["one", "two", "two"]
    assert (found[1].usage_metadata["input_tokens"], found[1].usage_metadata["output_tokens"]) == (5, 7)
    assert [each.number for each in server.requests] == [0, 1, 2]


def test_it_streams_word_by_word(served: Any) -> None:
    model, server = served(["It rains in the north."])
    pieces = [piece.text for piece in model.stream("weather?") if piece.text]
    assert len(pieces) == 5
    assert "".join(pieces) == "It rains in the north."
    assert server.requests[0].body["stream"] is True


def test_it_calls_tools(served: Any) -> None:
    model, server = served([Reply(calls=[("search", {"query": "feature scaling"})])])
    message = model.bind_tools([search]).invoke("look it up")
    (call,) = message.tool_calls
    assert (call["name"], call["args"]) == ("search", {"query": "feature scaling"})
    assert server.requests[0].tools == ("search",)


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_it_gives_structured_output(served: Any, method: str) -> None:
    idea = {"statement": "scale first", "promise": 0.7}
    model, _ = served([Reply(idea) if method == "json_schema" else Reply(calls=[("Idea", idea)])])
    found = model.with_structured_output(Idea, method=method).invoke("an idea, please")
    assert found == Idea(statement="scale first", promise=0.7)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(429, retry_after=2.0), "RateLimitError"),
        (Fault(500), "InternalServerError"),
        (Fault(401), "AuthenticationError"),
        (Fault(dropped=True), "APIConnectionError"),
        (Fault(seconds=9.0), "APITimeoutError"),
    ],
)
def test_faults_are_those_of_real_providers(served: Any, fault: Fault, kind: str) -> None:
    model, server = served([fault], timeout_seconds=1.0)
    with pytest.raises(getattr(openai, kind)) as caught:
        model.invoke("hello")
    assert len(server.requests) == 1
    if fault.retry_after is not None:
        assert caught.value.response.headers["retry-after"] == "2"  # type: ignore[attr-defined]


def test_half_an_answer_is_no_answer(served: Any) -> None:
    model, _ = served([Fault(broken=True)])
    with pytest.raises(Exception, match=r"(?i)json|expecting|unterminated|validation"):
        model.invoke("hello")


def test_many_at_once(served: Any) -> None:
    _, server = served([Reply("yes", seconds=0.5)])

    async def main() -> list[str]:
        connection = chat.connect("local:any", server.url)
        found = await asyncio.gather(*(connection.model.ainvoke(f"question {n}") for n in range(100)))
        await connection.aclose()
        return [each.text for each in found]

    began = time.monotonic()
    assert asyncio.run(main()) == ["yes"] * 100
    assert server.most > 50
    assert time.monotonic() - began < 25.0, "one after the other would take 50 s"


def test_it_can_be_stopped_with_calls_in_flight_and_needs_something_to_say(served: Any) -> None:
    server = ModelServer([Reply("late", seconds=60.0)]).start()
    with chat.connect("local:any", server.url, timeout_seconds=0.3) as connection, pytest.raises(chat.ModelError):
        connection.ask("hello")
    began = time.monotonic()
    server.stop()
    server.stop()
    assert time.monotonic() - began < 2.0
    with pytest.raises(UsageError, match="needs something to say"):
        ModelServer([])
