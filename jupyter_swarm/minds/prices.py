"""What tokens cost: the person's own list first, then the one that comes along; local models cost nothing.

~/.config/jupyter-swarm/prices.toml      [prices]
                                         "openai:my-model" = [0.5, 2.0]      dollars per million tokens, in and out
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from jupyter_swarm.errors import UsageError
from jupyter_swarm.minds import keys, providers

MILLION = 1_000_000
FILE = "prices.toml"


class Price(NamedTuple):
    """Dollars per token."""

    tokens_in: float
    tokens_out: float

    def of(self, tokens_in: int, tokens_out: int) -> float:
        """Dollars of a call.

        >>> Price(1e-6, 2e-6).of(1000, 500)
        0.002
        """
        return self.tokens_in * tokens_in + self.tokens_out * tokens_out


FREE = Price(0.0, 0.0)


def price(model: str, base_url: str = "") -> Price | None:
    """What a model costs; None where nobody knows. A model at an address of one's own has the provider's price only
    where the person's list says so.

    Raises:
        UsageError: the person's list cannot be read.

    >>> price("local:qwen3"), price("openai:a-model-nobody-knows")
    (Price(tokens_in=0.0, tokens_out=0.0), None)
    """
    provider, _ = providers.named(model)
    if (found := _own().get(model)) is not None:
        return found
    if provider.local or (base_url and providers.loopback(base_url)):
        return FREE
    return None if base_url else _listed()[1].get(model)


def as_of() -> str:
    """The month of the list that comes along."""
    return _listed()[0]


@lru_cache(maxsize=1)
def _listed() -> tuple[str, dict[str, Price]]:
    found = tomllib.loads(files("jupyter_swarm.minds").joinpath(FILE).read_text(encoding="utf-8"))
    return str(found["as_of"]), _read(found)


def _own() -> dict[str, Price]:
    path: Path = keys.file().with_name(FILE)
    try:
        return _read(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError, TypeError, ValueError, AttributeError) as error:
        cure = 'lines as in "openai:my-model" = [0.5, 2.0] below [prices]'
        raise UsageError("your list of prices cannot be read", where=f"{path}: {error}", cure=cure) from None


def _read(found: dict[str, Any]) -> dict[str, Price]:
    prices = {}
    for model, (tokens_in, tokens_out) in found.get("prices", {}).items():
        if not (0 <= float(tokens_in) < 1e6 and 0 <= float(tokens_out) < 1e6):
            raise ValueError(f"{model}: {tokens_in}, {tokens_out} are no prices")
        prices[model] = Price(float(tokens_in) / MILLION, float(tokens_out) / MILLION)
    return prices
