"""One call of a language model through LangChain: what it answered, how long that took, what it cost in tokens.

model = connect("openai:gpt-5-mini")
ask(model, "Say yes.").text
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

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


def connect(model: str, base_url: str = "", timeout_seconds: float = TIMEOUT_SECONDS) -> Any:
    """LangChain's chat model.

    Args:
        model: `provider:name`.
        base_url: of another server that speaks the provider's protocol.
        timeout_seconds: of each call.

    Raises:
        UsageError: no such provider; its package or key is missing; a local model would be asked elsewhere.
    """
    provider, name = providers.named(model)
    url = providers.address(provider, base_url)
    found = providers.ready(provider, url)
    if found.wants:
        raise UsageError(f"{model} cannot be asked yet", where=provider.name, cure=found.wants)
    from langchain.chat_models import init_chat_model

    more: dict[str, Any] = {"timeout": timeout_seconds, "max_retries": 0}
    key = keys.find(provider.variable) if provider.variable else None
    if provider.name == "ollama":
        more = {"client_kwargs": {"timeout": timeout_seconds, "trust_env": False}}
    elif url and providers.loopback(url):  # a proxy of the environment would carry it elsewhere
        more |= _direct(timeout_seconds)
    if url:
        more["base_url"] = url
    if provider.name != "ollama":
        more["api_key"] = key.value if key is not None else NO_KEY
    with _quiet():
        return init_chat_model(name, model_provider=provider.langchain or provider.name, **more)


def ask(model: Any, text: str) -> Answer:
    """Ask once, and wait for all of the answer.

    Raises:
        ModelError: no answer came; it says why, without the key.
    """
    began = time.monotonic()
    try:
        with _quiet():
            message = model.invoke(text)
    except Exception as error:  # each provider has exceptions of its own
        raise ModelError(_said(error)) from None
    usage = getattr(message, "usage_metadata", None) or {}
    return Answer(str(message.text), time.monotonic() - began, usage.get("input_tokens"), usage.get("output_tokens"))


def _direct(timeout_seconds: float) -> dict[str, Any]:
    import httpx

    return {
        "http_client": httpx.Client(trust_env=False, timeout=timeout_seconds),
        "http_async_client": httpx.AsyncClient(trust_env=False, timeout=timeout_seconds),
    }


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
