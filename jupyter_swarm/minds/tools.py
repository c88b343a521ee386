"""What a model may call while it thinks: small, read-only or sandboxed, and never more than its role needs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from jupyter_swarm.errors import SwarmError
from jupyter_swarm.minds import answers
from jupyter_swarm.words import Word


class ToolError(SwarmError):
    """A tool was called in a way that makes no sense; the text is written for the model."""


@dataclass(frozen=True)
class Tool:
    """One thing that a model may have done.

    Args:
        name: by which it is called.
        description: what it does, in a sentence that the model reads.
        takes: the type of its arguments.
        function: does it; what it returns is shown to the model.
    """

    name: str
    description: str
    takes: type[Word]
    function: Callable[[Any], Awaitable[str]]

    async def call(self, arguments: Mapping[str, Any]) -> str:
        """Do it.

        Raises:
            ToolError: the arguments have not the right types.
        """
        try:
            value = msgspec.convert(dict(arguments), self.takes, strict=False)
        except msgspec.ValidationError as error:
            raise ToolError(f"{self.name}: {error}") from None
        return await self.function(value)


@lru_cache(maxsize=256)
def bindable(name: str, description: str, takes: Any) -> dict[str, Any]:
    """A tool in the form that LangChain binds; the same one each time."""
    parameters = answers.schema(takes)
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


class Offer(NamedTuple):
    """The tools that a model may call, the answer's among them."""

    tools: tuple[dict[str, Any], ...]
    text: str
    """Their JSON."""
    name: str
    """A hash of it."""


@lru_cache(maxsize=256)
def offer(into: Any, *more: Any) -> Offer:
    """What is offered where an answer of this type is asked for, and each tool by its name, description, arguments."""
    tools = (answers.tool(into), *(bindable(*each) for each in more))
    text = json.dumps(tools, sort_keys=True, ensure_ascii=False)
    return Offer(tools, text, hashlib.sha256(text.encode()).hexdigest()[:16])
