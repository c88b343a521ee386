"""What a model may call while it thinks: small, read-only or sandboxed, and never more than its role needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

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

    def asbound(self) -> dict[str, Any]:
        """In the form that LangChain binds."""
        return bindable(self.name, self.description, self.takes)

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
