"""A language model through LangChain: connected, asked, and what it answered.

with connect("openai:gpt-5-mini") as connection:
    connection.ask("Say yes.").text
"""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from jupyter_swarm import policy
from jupyter_swarm.errors import SwarmError, UsageError
from jupyter_swarm.minds import keys, providers, wire
from jupyter_swarm.minds.answers import Call, Raw

TIMEOUT_SECONDS = 60.0
OPENAI = "langchain_openai"
POOLED, WIRED = 48, 10_000
"""Calls in flight through one client: a pool of httpx's looks through all of its connections for each."""
NO_KEY = "none-needed"
"""What is sent as a key to a server that asks for none."""
_TRACING = ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2")
_NOT_REACHED = (
    *("ConnectError", "ConnectTimeout", "PoolTimeout"),
    *("ClientConnectorError", "ClientConnectorDNSError", "ClientConnectorCertificateError", "ConnectionTimeoutError"),
)
"""Exceptions of HTTP clients where no connection was made, which cost nothing."""
_MOST_TOKENS = {"google_genai": "max_output_tokens", "ollama": "num_predict"}
"""What providers call the most tokens of an answer, where that is not `max_tokens`."""


class ModelError(SwarmError):
    """A language model could not be asked.

    Attributes:
        status: of HTTP; 0 where no answer came at all.
        retry_after: seconds to wait, where the provider says so.
        paid: whether the provider may have worked on it.
    """

    def __init__(self, what: str, *, status: int = 0, retry_after: float | None = None, paid: bool = False) -> None:
        super().__init__(what)
        self.status, self.retry_after, self.paid = status, retry_after, paid


class Answer(NamedTuple):
    """What came back."""

    text: str
    seconds: float
    tokens_in: int | None
    """None where the provider does not say."""
    tokens_out: int | None


@dataclass
class Connection:
    """A model that can be asked, until `close` (or the end of `with`).

    Attributes:
        model: LangChain's chat model, for all else that it can do.
    """

    model: Any
    room: int = POOLED
    """Calls in flight that it bears; beyond that its pool of connections costs more than the calls."""
    _sync: Any = None
    _async: Any = None
    _wire: wire.Wire | None = None
    _bound: dict[str, Any] = field(default_factory=dict)

    def ask(self, text: str) -> Answer:
        """Ask once, and wait for all of the answer.

        Raises:
            ModelError: no answer came; it says why, without the key.
        """
        began = time.monotonic()
        try:
            with _quiet():
                message = self.model.invoke(text)
        except Exception as error:  # each provider has exceptions of its own
            raise _explained(error) from None
        raw = _raw(message)
        return Answer(raw.text, time.monotonic() - began, raw.tokens_in, raw.tokens_out)

    async def respond(self, messages: Sequence[Any], tools: Sequence[dict[str, Any]] = (), name: str = "") -> Raw:
        """Ask once, with tools of which one has to be called where there are any. `name` is that of the set of tools:
        another set has another name.

        It is the method by which a chat model of LangChain's is implemented that is called here, without the callbacks,
        the cache and the tracing that `ainvoke` puts around it: half of the work of a call, and nobody listens in.

        Raises:
            ModelError: no answer came.
        """
        from langchain_core.messages import convert_to_messages
        from pydantic import ValidationError

        try:
            said, options = convert_to_messages(list(messages)), self._with(tools, name)
            if self._wire is not None:
                return _chosen(await self._wire.ask(self.model, said, options))
            return _chosen(await self.model._agenerate(said, **options))
        except ValidationError:  # an answer came, of which LangChain can make no message
            return Raw(broken="they are no object")
        except Exception as error:
            raise _explained(error) from None

    async def stream(self, messages: Sequence[Any]) -> AsyncIterator[Raw]:
        """Ask once; pieces of text as they come, the last of them with the usage.

        Raises:
            ModelError: no answer came, or not all of it.
        """
        usage = {"stream_usage": True} if hasattr(self.model, "stream_usage") else {}
        try:
            chunks = self.model.astream(list(messages), **usage)
            with _quiet():  # whether it is traced is decided before the first piece
                chunk = await anext(chunks, None)
            while chunk is not None:
                yield _raw(chunk)
                chunk = await anext(chunks, None)
        except Exception as error:
            raise _explained(error) from None

    def _with(self, tools: Sequence[dict[str, Any]], name: str) -> dict[str, Any]:
        """What a model is told of these tools."""
        if tools and name not in self._bound:
            self._bound[name] = dict(self.model.bind_tools(list(tools), tool_choice="any").kwargs)
        return self._bound[name] if tools else {}

    def close(self) -> None:
        """Hang up."""
        if self._sync is not None:
            self._sync.close()

    async def aclose(self) -> None:
        """Hang up, where it was asked in an event loop."""
        self.close()
        for each in (self._async, self._wire):
            if each is not None:
                await each.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(
    model: str, base_url: str = "", timeout_seconds: float = TIMEOUT_SECONDS, max_tokens: int | None = None
) -> Connection:
    """A model through LangChain. Nothing is sent yet.

    Args:
        model: `provider:name`.
        base_url: of another server that speaks the provider's protocol.
        timeout_seconds: of each call.
        max_tokens: of each answer; the provider's own limit where not given.

    Raises:
        UsageError: no such provider; its package or key is missing; a local model would be asked elsewhere.
        PolicyError: an administrator does not allow it.
    """
    provider, name = providers.named(model)
    policy.from_environment().check_models([model])
    url = providers.address(provider, base_url)
    if wants := providers.ready(provider, url).wants:
        raise UsageError(f"{model} cannot be asked yet", where=provider.name, cure=wants)
    from langchain.chat_models import init_chat_model

    more: dict[str, Any] = {"base_url": url} if url else {}
    if max_tokens is not None:
        more[_MOST_TOKENS.get(provider.name, "max_tokens")] = max_tokens
    direct = bool(url) and providers.loopback(url)  # a proxy of the environment would carry it elsewhere
    clients: tuple[Any, Any] = (None, None)
    if provider.name == "ollama":
        more["client_kwargs"] = {"timeout": timeout_seconds, "trust_env": False}
    else:
        key = keys.find(provider.variable) if provider.variable else None
        more |= {"timeout": timeout_seconds, "max_retries": 0, "api_key": key.value if key is not None else NO_KEY}
        if direct and provider.package == OPENAI:
            clients = _direct(url, timeout_seconds)
            more |= {"http_client": clients[0], "http_async_client": clients[1]}
    with _quiet():
        made = init_chat_model(name, model_provider=provider.langchain or provider.name, **more)
    found = _wire(made, more["api_key"], timeout_seconds, direct=direct) if provider.package == OPENAI else None
    return Connection(made, POOLED if found is None else WIRED, *clients, found)


def _wire(model: Any, key: str, timeout_seconds: float, *, direct: bool) -> wire.Wire | None:
    """A wire with the address and the headers of the client that the model has."""
    if not wire.fits(model):
        return None
    client = model.root_async_client
    headers = {"Authorization": f"Bearer {key}"}
    headers |= {"OpenAI-Organization": client.organization} if client.organization else {}
    headers |= {"OpenAI-Project": client.project} if client.project else {}
    headers |= model.default_headers or {}
    return wire.Wire(str(client.base_url), headers, timeout_seconds, direct=direct)


def silence() -> None:
    """Let nothing of what this process asks go to a tracing service, whatever the environment says."""
    for name in _TRACING:
        os.environ.pop(name, None)


@functools.cache
def settle() -> None:
    """For a process of ours that asks for long: what it has imported is never looked through again for garbage, and the
    rest not as often (LangChain is half a million objects, and thousands of calls a second make millions more)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def _direct(url: str, timeout_seconds: float) -> tuple[Any, Any]:
    """Clients that ask no proxy and are sent nowhere else."""
    import openai

    settings: dict[str, Any] = {"trust_env": False, "timeout": timeout_seconds, "follow_redirects": False}
    if url.startswith("http:"):
        settings["verify"] = False  # there are no certificates, and reading a list of them takes time
    return openai.DefaultHttpxClient(**settings), openai.DefaultAsyncHttpxClient(**settings)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Nothing of what is asked goes to a tracing service, whatever the environment says, or said when it was read."""
    from langsmith.run_helpers import tracing_context

    before = {name: os.environ.pop(name) for name in _TRACING if name in os.environ}
    try:
        with tracing_context(enabled=False):
            yield
    finally:
        os.environ.update(before)


def _chosen(result: Any) -> Raw:
    """The one answer of LangChain's result, with what the result says of it."""
    (generation, *_) = result.generations
    message = generation.message
    message.response_metadata = {
        **(result.llm_output or {}),
        **(generation.generation_info or {}),
        **message.response_metadata,
    }
    return _raw(message)


def _raw(message: Any) -> Raw:
    """LangChain's message in our words."""
    usage = getattr(message, "usage_metadata", None) or {}
    about = getattr(message, "response_metadata", None) or {}
    broken = getattr(message, "invalid_tool_calls", None) or []
    return Raw(
        text=str(message.text),
        calls=tuple(
            Call(id=str(each.get("id") or ""), name=str(each["name"]), arguments=each["args"])
            for each in getattr(message, "tool_calls", None) or []
        ),
        finish=str(about.get("finish_reason") or about.get("stop_reason") or ""),
        tokens_in=usage.get("input_tokens"),
        tokens_out=usage.get("output_tokens"),
        broken=str(broken[0].get("args") or "nothing") if broken else "",
    )


def _explained(error: Exception) -> ModelError:
    """A provider's exception in our words, without anything that could hold a key but its first line."""
    if isinstance(error, ModelError):
        return error
    status = int(getattr(error, "status_code", 0) or 0)
    response = getattr(error, "response", None)
    status = status or int(getattr(response, "status_code", 0) or 0)
    headers = getattr(error if response is None else response, "headers", None) or {}
    after = headers.get("retry-after")
    paid = status < 300 and not any(type(each).__name__ in _NOT_REACHED for each in _causes(error))
    return ModelError(_said(error), status=status if status >= 300 else 0, retry_after=_seconds(after), paid=paid)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _seconds(text: str | None) -> float | None:
    """Seconds that a Retry-After says; a date in it is left to the usual waiting."""
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None


def _said(error: Exception) -> str:
    lines = keys.hidden(str(error)).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
