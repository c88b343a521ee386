"""Frames, one by one: their lines, what each may be, and how much it weighs.

They are written by the experiment's own process, so that nothing is taken which does not fit. Lines that do not are
ValueErrors (msgspec's own among them), or RecursionErrors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

import msgspec

DEEPEST = 64
"""How deep the data of a message may be nested."""
ESCAPED = 12
"""Bytes that JSON takes for a letter at most."""

Frames = bytes | bytearray | Iterable[bytes]
"""All of them at once, or in pieces of any size, as they came."""
Moment = Annotated[float, msgspec.Meta(ge=0.0, le=2e11)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_JSON = re.compile(r"application/(.*\+)?json")


class Frame(msgspec.Struct):
    """One line: a beginning, a message, an end, or points of curves, or the last line; what is missing
    has no meaning in it."""

    cell: int = -1
    msg: str = ""
    content: msgspec.Raw = msgspec.Raw(b"")
    begin: Moment | None = None
    end: Moment | None = None
    count: Count | None = None
    ok: bool = True
    done: bool = False
    curves: msgspec.Raw = msgspec.Raw(b"")


class Stream(msgspec.Struct):
    """Text that was printed."""

    name: Literal["stdout", "stderr"]
    text: str


class Display(msgspec.Struct):
    """Data by MIME type, as they are shown."""

    data: dict[str, Any]
    metadata: dict[str, Any] = {}
    transient: dict[str, Any] | None = None
    execution_count: Count | None = None


class Error(msgspec.Struct):
    """What was raised."""

    ename: str
    evalue: str
    traceback: list[str]


class Clear(msgspec.Struct):
    """The cell's outputs go; with `wait`, when the next one comes."""

    wait: bool = False


read_frame = msgspec.json.Decoder(Frame).decode
read_stream = msgspec.json.Decoder(Stream).decode
read_display = msgspec.json.Decoder(Display).decode
read_error = msgspec.json.Decoder(Error).decode
read_clear = msgspec.json.Decoder(Clear).decode


def lines(frames: Frames) -> Iterator[memoryview]:
    r"""The lines, without their ends.

    >>> [bytes(line) for line in lines([b"a\nb", b"c"])]
    [b'a', b'bc']
    """
    data = frames if isinstance(frames, bytes | bytearray) else b"".join(frames)
    view, start = memoryview(data), 0
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        yield view[start:end]
        start = end + 1


def checked(content: Display) -> int:
    """The weight of data and metadata, if they may stand in a notebook.

    Raises:
        ValueError: they may not.
    """
    for mime, value in content.data.items():
        text = isinstance(value, str) or (isinstance(value, list) and all(isinstance(each, str) for each in value))
        if not text and not _JSON.fullmatch(mime):
            raise ValueError(f"{mime} is text")
    return weight(content.data) + weight(content.metadata)


def weight(value: Any, deep: int = 0) -> int:
    """About how many bytes a value takes.

    Raises:
        ValueError: it is nested too deep.

    >>> weight({"text/plain": ["four"]})
    14
    """
    if isinstance(value, str):
        return len(value)
    if deep > DEEPEST:
        raise ValueError("it is nested too deep")
    if isinstance(value, dict):
        return sum(len(name) + weight(each, deep + 1) for name, each in value.items())
    if isinstance(value, list):
        return sum(weight(each, deep + 1) for each in value)
    return 8
