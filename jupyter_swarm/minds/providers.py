"""Providers of language models: what each needs, and whether it is ready here. Nothing of them is imported for that.

A model is named `provider:name` (`openai:gpt-5-mini`, `ollama:qwen3`), as LangChain's `init_chat_model` has it. Any
server that speaks OpenAI's protocol is `openai:NAME` with `--base-url`; one on this machine is `local:NAME`, and is
never asked anywhere else.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import socket
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from jupyter_swarm.errors import UsageError
from jupyter_swarm.minds import keys

LOCAL_URL = "http://127.0.0.1:8000/v1"


class Provider(NamedTuple):
    """What a provider needs.

    `package` is imported, `pip` installed; `variable` has the key, "" where none is needed. `langchain` is LangChain's
    name of it.
    """

    name: str
    package: str
    variable: str = ""
    url: str = ""
    """Where it is asked, for those on this machine."""
    langchain: str = ""

    @property
    def pip(self) -> str:
        """The package's name in the index."""
        return self.package.replace("_", "-")

    @property
    def local(self) -> bool:
        """Whether it lives on this machine, and may not be looked for elsewhere."""
        return bool(self.url)


PROVIDERS = {
    each.name: each
    for each in (
        Provider("openai", "langchain_openai", "OPENAI_API_KEY"),
        Provider("anthropic", "langchain_anthropic", "ANTHROPIC_API_KEY"),
        Provider("google_genai", "langchain_google_genai", "GOOGLE_API_KEY"),
        Provider("mistralai", "langchain_mistralai", "MISTRAL_API_KEY"),
        Provider("groq", "langchain_groq", "GROQ_API_KEY"),
        Provider("deepseek", "langchain_deepseek", "DEEPSEEK_API_KEY"),
        Provider("xai", "langchain_xai", "XAI_API_KEY"),
        Provider("openrouter", "langchain_openrouter", "OPENROUTER_API_KEY"),
        Provider("together", "langchain_together", "TOGETHER_API_KEY"),
        Provider("ollama", "langchain_ollama", url="http://127.0.0.1:11434"),
        Provider("local", "langchain_openai", url=LOCAL_URL, langchain="openai"),
    )
}


class Ready(NamedTuple):
    """Whether a provider can be asked: `key` says where its key was found, `wants` what is missing ("" for nothing)."""

    provider: Provider
    key: str
    wants: str


def named(model: str) -> tuple[Provider, str]:
    """The provider and the name of a model.

    Raises:
        UsageError: it names no provider that is known.

    >>> named("ollama:qwen3:8b")[1]
    'qwen3:8b'
    """
    name, colon, rest = model.partition(":")
    if not colon or not rest.strip() or name not in PROVIDERS:
        raise UsageError(
            f"{model!r} names no model", where="--model", cure=f"PROVIDER:NAME with one of {', '.join(PROVIDERS)}"
        )
    return PROVIDERS[name], rest.strip()


def ready(provider: Provider, url: str = "", installed: Callable[[str], object] = importlib.util.find_spec) -> Ready:
    """What a provider has, and what it still wants."""
    found = keys.find(provider.variable) if provider.variable else None
    wants = ""
    if installed(provider.package) is None:
        wants = f"pip install {provider.pip}"
    elif provider.variable and found is None and not (url and loopback(url)):
        wants = f"a key: set {provider.variable}, or see `%swarm help models`"
    return Ready(provider, found.source if found else "", wants)


def address(provider: Provider, url: str) -> str:
    """Where a model is asked; "" for the provider's own address.

    Raises:
        UsageError: the address is none, or a local model's lies elsewhere.
    """
    if url:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{url!r} is no address", where="--base-url", cure=f"as in {LOCAL_URL}")
    if not provider.local:
        return url
    if url and not loopback(url):
        raise UsageError(
            f"{provider.name} is asked on this machine only, and {url} lies elsewhere",
            where="--base-url",
            cure="openai:NAME asks any server that speaks OpenAI's protocol",
        )
    return url or provider.url


def loopback(url: str) -> bool:
    """Whether all addresses of a host are this machine's own.

    >>> loopback("http://127.0.0.1:8000/v1"), loopback("http://192.0.2.7/v1")
    (True, False)
    """
    host = urlsplit(url).hostname or ""
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)}
        return bool(found) and all(ipaddress.ip_address(each.partition("%")[0]).is_loopback for each in found)
    except (OSError, ValueError):
        return False
