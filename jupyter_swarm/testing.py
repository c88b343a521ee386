"""A language model for tests: a server on this machine that speaks OpenAI's protocol over real HTTP.

    def answer(request: Request) -> Reply:
        return Reply("Yes.") if "kettle" in request.text else Reply(calls=[("search", {"query": "kettle"})])

    with ModelServer(answer) as server:
        model = init_chat_model("any", model_provider="openai", base_url=server.url, api_key="none")
        model.invoke("Is the kettle on?")
        server.requests[0].text

It answers chat completions: whole or streamed, with tools, structured output and usage, from a function, or from a
list of replies that are given one after the other. A `Fault` in place of a reply is an error of the kind that real
providers have. For authors of minds as well as for the tests of this package.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from jupyter_swarm.errors import UsageError

COUNTED = (-1, -1)
"""Tokens are counted as words."""


@dataclass(frozen=True)
class Request:
    """What a client asked for.

    Args:
        body: as it came.
        headers: their names in small letters.
        number: how many were asked before.
    """

    body: Mapping[str, Any]
    headers: Mapping[str, str]
    number: int

    @property
    def model(self) -> str:
        """The model's name."""
        return str(self.body.get("model", ""))

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        """The conversation so far."""
        found: Sequence[Mapping[str, Any]] = self.body.get("messages", [])
        return found

    @property
    def text(self) -> str:
        """The texts of all messages, one below the other."""
        return "\n".join(_plain(each.get("content")) for each in self.messages)

    @property
    def tools(self) -> tuple[str, ...]:
        """Names of the tools that may be called."""
        return tuple(str(each["function"]["name"]) for each in self.body.get("tools", []))


@dataclass(frozen=True)
class Reply:
    """What the model says.

    Args:
        text: its words; what is not text is written as JSON (structured output).
        calls: tools that it calls, each with its arguments.
        seconds: how long it takes.
        usage: tokens in and out; None where the server says nothing of them. Counted in words where not given.
        finish: why it ended, where that is neither "stop" nor "tool_calls": "length", "content_filter".
    """

    text: Any = ""
    calls: Sequence[tuple[str, Mapping[str, Any]]] = ()
    seconds: float = 0.0
    usage: tuple[int, int] | None = COUNTED
    finish: str = ""


@dataclass(frozen=True)
class Fault:
    """What goes wrong.

    Args:
        status: of HTTP, with a message as the provider would write it.
        retry_after: seconds to wait, as the header says.
        seconds: how long it takes until then; a very long time is a server that hangs.
        broken: half of an answer instead, with status 200.
        dropped: the connection is closed without a word.
        text: what the error says, where that matters.
    """

    status: int = 500
    retry_after: float | None = None
    seconds: float = 0.0
    broken: bool = False
    dropped: bool = False
    text: str = ""


Answer = Callable[[Request], "Reply | Fault | str"]


class ModelServer:
    """Listens on a free port of 127.0.0.1, from `start` (or `with`) until `stop`.

    Args:
        answer: a function that is asked for each reply (it runs in the server's thread and must not wait), or replies
            in the order in which they are given; the last one is repeated.

    Attributes:
        requests: what was asked, in the order of arrival.
        most: how many were in flight at once, at most.
    """

    def __init__(self, answer: Answer | Iterable[Reply | Fault | str]) -> None:
        self.requests: list[Request] = []
        self.most = 0
        self._answer = answer if callable(answer) else _in_turn(answer)
        self._numbers = itertools.count()
        self._flying = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """What clients call `base_url`."""
        return f"http://127.0.0.1:{self._port}/v1"

    def start(self) -> Self:
        """Listen, in a thread of its own."""
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(ready)), name="model-server", daemon=True
        )
        self._thread.start()
        if not ready.wait(10.0):
            raise UsageError("the server for tests does not start", cure="see whether 127.0.0.1 can be listened on")
        return self

    def stop(self) -> None:
        """Hang up."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(10.0)
            self._loop = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        connections: set[asyncio.Task[None]] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            connections.add(task)
            task.add_done_callback(connections.discard)
            try:
                while (request := await self._read(reader)) is not None:
                    if not await self._respond(request, writer):
                        return
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=4096)
        self._port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._over.wait()
        server.close()
        for each in connections:
            each.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _read(self, reader: asyncio.StreamReader) -> Request | None:
        """The next request of a connection; None where there is none."""
        if not (line := await reader.readline()):
            return None
        headers = {}
        while (each := (await reader.readline()).decode("latin-1").strip()) != "":
            name, _, value = each.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length") or 0))
        if not line.startswith(b"POST"):
            return None
        request = Request(json.loads(body), headers, next(self._numbers))
        self.requests.append(request)
        return request

    async def _respond(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Answer; whether the connection goes on."""
        self._flying += 1
        self.most = max(self.most, self._flying)
        try:
            found = self._answer(request)
            found = Reply(found) if isinstance(found, str) else found
            await asyncio.sleep(found.seconds)
            if isinstance(found, Fault):
                return await _fault(found, request, writer)
            if request.body.get("stream"):
                await _streamed(_completion(request, found), found, writer, request)
            else:
                await _sent(writer, 200, json.dumps(_completion(request, found)).encode())
            return True
        finally:
            self._flying -= 1


def _in_turn(replies: Iterable[Reply | Fault | str]) -> Answer:
    waiting = list(replies)
    if not waiting:
        raise UsageError("a server needs something to say", cure="give it one reply at least, or a function")

    def answer(_: Request) -> Reply | Fault | str:
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    return answer


def _completion(request: Request, reply: Reply) -> dict[str, Any]:
    """A whole answer as OpenAI's protocol has it."""
    text = reply.text if isinstance(reply.text, str) else json.dumps(reply.text)
    calls = [
        {"id": f"call_{request.number}_{place}", "type": "function",
         "function": {"name": name, "arguments": json.dumps(arguments)}}
        for place, (name, arguments) in enumerate(reply.calls)
    ]  # fmt: skip
    message: dict[str, Any] = {"role": "assistant", "content": text or (None if calls else "")}
    if calls:
        message["tool_calls"] = calls
    finish = reply.finish or ("tool_calls" if calls else "stop")
    found: dict[str, Any] = {
        "id": f"chatcmpl-{request.number}", "object": "chat.completion", "created": int(time.time()),
        "model": request.model, "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    }  # fmt: skip
    usage = (len(request.text.split()), len(text.split())) if reply.usage is COUNTED else reply.usage
    if usage is not None:
        found["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
    return found


async def _streamed(whole: Mapping[str, Any], reply: Reply, writer: asyncio.StreamWriter, request: Request) -> None:
    """Word by word, as server-sent events."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    (choice,) = whole["choices"]
    message = choice["message"]
    words = (message["content"] or "").split(" ")
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": word if place == 0 else f" {word}"} for place, word in enumerate(words) if word]
    if "tool_calls" in message:
        deltas.append({"tool_calls": [{"index": n, **each} for n, each in enumerate(message["tool_calls"])]})
    base = {name: whole[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    for delta in deltas:
        await _event(writer, {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    end = {"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}
    await _event(writer, {**base, "choices": [end]})
    if "usage" in whole and (request.body.get("stream_options") or {}).get("include_usage"):
        await _event(writer, {**base, "choices": [], "usage": whole["usage"]})
    await _chunk(writer, b"data: [DONE]\n\n")
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _event(writer: asyncio.StreamWriter, data: object) -> None:
    await _chunk(writer, b"data: " + json.dumps(data).encode() + b"\n\n")


async def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%b\r\n" % (len(data), data))
    await writer.drain()


async def _fault(fault: Fault, request: Request, writer: asyncio.StreamWriter) -> bool:
    if fault.dropped:
        return False
    if fault.broken:
        whole = json.dumps(_completion(request, Reply("What I wanted to say"))).encode()
        await _sent(writer, 200, whole[: len(whole) // 2])
        return True
    kind = {401: "authentication", 429: "rate_limit"}.get(fault.status, "server_error")
    body = {"error": {"message": fault.text or f"the model cannot answer ({fault.status})", "type": kind, "code": kind}}
    more = {"Retry-After": f"{fault.retry_after:g}"} if fault.retry_after is not None else {}
    await _sent(writer, fault.status, json.dumps(body).encode(), more)
    return True


async def _sent(
    writer: asyncio.StreamWriter, status: int, body: bytes, headers: Mapping[str, str] | None = None
) -> None:
    lines = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + body)
    await writer.drain()


def _plain(content: Any) -> str:
    """The text of a message's content, which is a string or a list of parts."""
    if isinstance(content, str):
        return content
    return "\n".join(str(each.get("text", "")) for each in content or () if isinstance(each, dict))


__all__ = ["Answer", "Fault", "ModelServer", "Reply", "Request"]
