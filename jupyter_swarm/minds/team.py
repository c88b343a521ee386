"""Which models a swarm asks, and what it lets them take: read from its request, checked before it begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jupyter_swarm.errors import UsageError
from jupyter_swarm.minds import prices, providers
from jupyter_swarm.words import Budget

DEFAULT_TOKENS = 1_000_000
"""The limit for models that are not local, where a budget names neither dollars nor tokens."""
SEPARATOR = " "


def models(options: Mapping[str, str | int | float | bool]) -> tuple[str, ...]:
    """The models that a swarm's options name.

    >>> models({"models": "openai:a local:b"})
    ('openai:a', 'local:b')
    """
    return tuple(str(options.get("models", "")).split())


def urls(options: Mapping[str, str | int | float | bool]) -> dict[str, str]:
    """Model → address, where one of the person's own was given."""
    url = str(options.get("base_url", ""))
    return {model: url for model in models(options)} if url else {}


def check(options: Mapping[str, str | int | float | bool], budget: Budget, *, here: bool = True) -> None:
    """Whether the models can be asked, and paid.

    Args:
        options: of the swarm.
        budget: of the swarm.
        here: whether they are asked from this environment, so that packages and keys have to be here.

    Raises:
        UsageError: there is no such model, something is missing for it, or dollars cannot limit it.
    """
    named = models(options)
    if not named and (budget.dollars is not None or budget.tokens is not None):
        raise UsageError(
            "dollars and tokens are for language models, and none is given", where="--budget", cure="--model MODEL"
        )
    if not named and options.get("base_url"):
        raise UsageError("an address is of no use without a model", where="--base-url", cure="--model MODEL")
    for model in named:
        provider, _ = providers.named(model)
        url = providers.address(provider, urls(options).get(model, ""))
        if here and (wants := providers.ready(provider, url).wants):
            raise UsageError(f"{model} cannot be asked yet", where="--model", cure=wants)
    if budget.dollars is not None and (unknown := unpriced(named, urls(options))):
        raise UsageError(
            f"nobody knows what {' and '.join(unknown)} costs, so dollars cannot limit it",
            where="--budget",
            cure=f"limit it by tokens, as in {DEFAULT_TOKENS // 2000}kt, or write its price into "
            "~/.config/jupyter-swarm/prices.toml",
        )


def unpriced(named: Sequence[str], addresses: Mapping[str, str]) -> list[str]:
    """The models whose price nobody knows."""
    return [model for model in named if prices.price(model, addresses.get(model, "")) is None]


def limits(options: Mapping[str, str | int | float | bool], budget: Budget) -> tuple[int | None, float | None]:
    """Tokens and dollars that models may take; where the budget names neither, a limit for all that are not local.

    >>> limits({"models": "local:qwen3"}, Budget(seconds=60.0))
    (None, None)
    >>> limits({"models": "openai:gpt-5-mini"}, Budget(seconds=60.0))
    (1000000, None)
    """
    if budget.tokens is not None or budget.dollars is not None:
        return budget.tokens, budget.dollars
    url = str(options.get("base_url", ""))
    remote = [each for each in models(options) if not providers.named(each)[0].local]
    own = bool(url) and providers.loopback(url)
    return (DEFAULT_TOKENS if remote and not own else None), None
