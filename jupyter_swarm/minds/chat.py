"""One call of a language model through LangChain: what it answered, how long that took, what it cost in tokens.

model = connect("openai:gpt-5-mini")
ask(model, "Say yes.").text
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from jupyter_swarm.errors import SwarmError, UsageError
from jupyter_swarm.minds import keys, providers

TIMEOUT_SECONDS = 60.0
NO_KEY = "none-needed"
"""What is sent as a key to a server that asks for none."""
_TRACING = ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2")


class ModelError(SwarmError):
    """A language model could not be asked."""


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
    _sync: Any = None
    _async: Any = None

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
            raise ModelError(_said(error)) from None
        seconds, usage = time.monotonic() - began, getattr(message, "usage_metadata", None) or {}
        return Answer(str(message.text), seconds, usage.get("input_tokens"), usage.get("output_tokens"))

    def close(self) -> None:
        """Hang up."""
        if self._sync is not None:
            self._sync.close()

    async def aclose(self) -> None:
        """Hang up, where it was asked in an event loop."""
        self.close()
        if self._async is not None:
            await self._async.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(model: str, base_url: str = "", timeout_seconds: float = TIMEOUT_SECONDS) -> Connection:
    """A model through LangChain. Nothing is sent yet.

    Args:
        model: `provider:name`.
        base_url: of another server that speaks the provider's protocol.
        timeout_seconds: of each call.

    Raises:
        UsageError: no such provider; its package or key is missing; a local model would be asked elsewhere.
    """
    provider, name = providers.named(model)
    url = providers.address(provider, base_url)
    if wants := providers.ready(provider, url).wants:
        raise UsageError(f"{model} cannot be asked yet", where=provider.name, cure=wants)
    from langchain.chat_models import init_chat_model

    more: dict[str, Any] = {"base_url": url} if url else {}
    clients: tuple[Any, Any] = (None, None)
    if provider.name == "ollama":
        more["client_kwargs"] = {"timeout": timeout_seconds, "trust_env": False}
    else:
        key = keys.find(provider.variable) if provider.variable else None
        more |= {"timeout": timeout_seconds, "max_retries": 0, "api_key": key.value if key is not None else NO_KEY}
        if url and providers.loopback(url):  # a proxy of the environment would carry it elsewhere
            clients = _direct(timeout_seconds)
            more |= {"http_client": clients[0], "http_async_client": clients[1]}
    with _quiet():
        made = init_chat_model(name, model_provider=provider.langchain or provider.name, **more)
    return Connection(made, *clients)


def _direct(timeout_seconds: float) -> tuple[Any, Any]:
    import httpx

    settings: dict[str, Any] = {"trust_env": False, "timeout": timeout_seconds}
    return httpx.Client(**settings), httpx.AsyncClient(**settings)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Nothing of what is asked goes to a tracing service, whatever the environment says."""
    before = {name: os.environ.pop(name) for name in _TRACING if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(before)


def _said(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
