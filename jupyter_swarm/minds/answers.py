"""What a model answered, as it is kept, and as a value of the type that was asked for.

A model answers by calling the tool `answer`, whose arguments are the value: every provider that calls tools can do it.
One that writes the value as JSON into its text is understood as well.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from jupyter_swarm.errors import SwarmError
from jupyter_swarm.minds import keys
from jupyter_swarm.words import Word

T = TypeVar("T")
ANSWER = "answer"
"""The tool by which a model gives its answer."""
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)
CUT_SHORT = ("length", "max_tokens", "MAX_TOKENS")
REFUSED = ("content_filter", "refusal", "SAFETY")
TOO_DEEP = "it is nested too deeply"


class AnswerError(SwarmError):
    """An answer that is of no use. `what` is written so that the model can mend it."""


class Call(Word, frozen=True):
    """A tool that the model wants to have called."""

    id: str
    name: str
    arguments: dict[str, Any] = {}


class Raw(Word, frozen=True):
    """An answer as it came, whoever gave it."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    finish: str = ""
    tokens_in: int | None = None
    """None where the provider does not say."""
    tokens_out: int | None = None
    broken: str = ""
    """Arguments of a call that are no JSON object, or what is wrong with them."""


def encode(raw: Raw) -> bytes:
    """As it is kept, without what no JSON can hold, and without keys, which a server may repeat: an answer reads the
    same today and when it is found again.

    >>> decode(encode(Raw(text="Yes."))).text
    'Yes.'
    """
    try:
        try:
            return keys.hidden_in(msgspec.json.encode(raw))
        except UnicodeEncodeError:
            return keys.hidden_in(msgspec.json.encode(_written(msgspec.to_builtins(raw))))
    except RecursionError:
        return msgspec.json.encode(msgspec.structs.replace(raw, text="", calls=(), broken=TOO_DEEP))


def _written(value: Any) -> Any:
    """A value whose texts can be written: half of a character becomes a question mark."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_written(name): _written(each) for name, each in value.items()}
    return [_written(each) for each in value] if isinstance(value, list | tuple) else value


def decode(kept: bytes) -> Raw:
    """From what is kept."""
    try:
        return msgspec.json.decode(kept, type=Raw)
    except RecursionError:
        return Raw(broken=TOO_DEEP)


def read(raw: Raw, into: type[T]) -> T:
    """The value that an answer holds.

    Raises:
        AnswerError: it was cut off, refused, or holds no such value.

    >>> read(Raw(text='{"a": 1}'), dict[str, int])
    {'a': 1}
    """
    if raw.finish in CUT_SHORT:
        raise AnswerError("the answer was cut off at its greatest length: give a shorter one")
    if raw.finish in REFUSED:
        raise AnswerError("no answer was given")
    if raw.broken:
        raise AnswerError(f"the arguments of the call cannot be read: {raw.broken[:200]}")
    given = [call for call in raw.calls if call.name == ANSWER]
    if len(given) > 1:
        raise AnswerError("there were several answers: give one")
    try:
        if given:
            return msgspec.convert(given[0].arguments, into, strict=False)
        return msgspec.convert(json.loads(_json_in(raw.text)), into, strict=False)
    except msgspec.ValidationError as error:
        raise AnswerError(f"the answer does not have the form that was asked for: {error}") from None
    except (ValueError, RecursionError):
        raise AnswerError(f"the answer is not given by the tool `{ANSWER}`, and is no JSON either") from None


def _json_in(text: str) -> str:
    """What of a text may be JSON: in a fence, else from the first brace to the last."""
    if found := _FENCED.search(text):
        return found[1]
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text


@lru_cache(maxsize=256)
def tool(into: Any, description: str = "Give the answer.") -> dict[str, Any]:
    """The tool by which a value of this type is given, in the form that LangChain binds; the same one each time."""
    return {
        "type": "function",
        "function": {"name": ANSWER, "description": description, "parameters": schema(into)},
    }


def schema(into: type[Any]) -> dict[str, Any]:
    """JSON schema of a type, without references, which not every provider understands.

    >>> schema(dict[str, int])["type"]
    'object'
    """
    whole = msgspec.json.schema(into)
    known = whole.pop("$defs", {})

    def inlined(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return inlined(known[node["$ref"].rpartition("/")[2]])
            return {name: inlined(value) for name, value in node.items() if name not in ("title", "default")}
        return [inlined(each) for each in node] if isinstance(node, list) else node

    found: dict[str, Any] = inlined(whole)
    return found
