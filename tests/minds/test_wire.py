"""Where aiohttp is missing, LangChain's own client carries what is asked: the same answers, the same errors."""

from __future__ import annotations

import asyncio
import sys

import pytest

from jupyter_swarm.minds import answers, chat
from jupyter_swarm.minds.answers import Call, Raw
from jupyter_swarm.testing import Fault, ModelServer, Reply, Request

pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")


def answer(asked: Request) -> Reply | Fault:
    return Fault(429, retry_after=7.0) if asked.model == "busy" else Reply(calls=[("answer", {"a": 1})], usage=(9, 2))


@pytest.mark.parametrize("fast", [True, False])
def test_both_ways_give_the_same(fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if fast:
        pytest.importorskip("aiohttp")
    else:
        monkeypatch.setitem(sys.modules, "aiohttp", None)  # as where it is not installed

    async def asked(model: str, url: str) -> Raw:
        connection = chat.connect(f"openai:{model}", url, 20.0, 100)
        assert (connection._wire is not None) == fast
        try:
            return await connection.respond([{"role": "user", "content": "?"}], [answers.tool(dict[str, int])], "t")
        finally:
            await connection.aclose()

    with ModelServer(answer) as server:
        raw = asyncio.run(asked("any", server.url))
        with pytest.raises(chat.ModelError) as error:
            asyncio.run(asked("busy", server.url))
    assert [(call.name, call.arguments) for call in raw.calls] == [("answer", {"a": 1})]
    assert isinstance(raw.calls[0], Call)
    assert (raw.tokens_in, raw.tokens_out) == (9, 2)
    assert (error.value.status, error.value.retry_after, error.value.paid) == (429, 7.0, False)
