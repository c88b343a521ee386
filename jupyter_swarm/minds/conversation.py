"""A conversation with a model, message by message: what it had called, and what is wrong with its answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from jupyter_swarm.errors import SwarmError
from jupyter_swarm.minds.answers import Raw
from jupyter_swarm.minds.tools import Tool, ToolError

AT_ONCE = 8
"""Tools that one answer may call."""


async def called(raw: Raw, tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """The conversation's next messages: what the model wanted to have called, and what came of it."""
    by_name = {each.name: each for each in tools}
    found: list[dict[str, Any]] = [said(raw)]
    for place, call in enumerate(raw.calls):
        try:
            if place >= AT_ONCE:
                raise ToolError(f"no more than {AT_ONCE} calls at once: this one was not made")
            result = await by_name[call.name].call(call.arguments)
        except SwarmError as error:
            result = str(error)
        found.append({"role": "tool", "tool_call_id": call.id, "name": call.name, "content": result})
    return found


def mend(raw: Raw, wrong: str) -> list[dict[str, Any]]:
    """The conversation's next messages, when an answer is of no use."""
    text = f"This answer cannot be used: {wrong}"
    if not raw.calls:
        return [{"role": "assistant", "content": raw.text or "(nothing)"}, {"role": "user", "content": text}]
    told = [{"role": "tool", "tool_call_id": call.id, "name": call.name, "content": text} for call in raw.calls]
    return [said(raw), *told]


def said(raw: Raw) -> dict[str, Any]:
    """What the model said, as a message."""
    calls = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": _json(call.arguments)},
        }
        for call in raw.calls
    ]
    return {"role": "assistant", "content": raw.text, "tool_calls": calls}


def _json(arguments: Any) -> str:
    try:
        return json.dumps(arguments, sort_keys=True)
    except RecursionError:
        return "{}"
