"""Frames: what an experiment tells of itself, one JSON object a line.

    {"cell": 3, "begin": 1764.1}                                   a notebook's cell (its index) begins
    {"cell": 3, "msg": "stream", "content": {...}}                 a Jupyter message's type and content
    {"cell": 3, "end": 1764.4, "count": 2, "ok": true}             it has ended
    {"curves": [["accuracy", 3.0, 0.71], ...]}                     points of curves (`curves.py`)
    {"done": true, ...}                                            the last line; with the seal's word (`integrity.py`)

Text that is printed is collected and told in pieces: at the end of each statement, when much has come, or when some
time has passed. Whoever reads frames must not trust them: the experiment's code can write there what it likes.
"""

from __future__ import annotations

import io
import json
import math
import os
import threading
import time
from typing import Any

OUTPUT_BYTES = 2_000_000
"""What one cell may print and display."""
LONGEST_LINE, MOST_LINES = 20_000, 100
"""Of a traceback."""
PIECE = 16_384
PATIENCE_SECONDS = 0.2
KINDS = frozenset(["stream", "display_data", "update_display_data", "execute_result", "error", "clear_output"])


class Channel:
    """Where frames go: a descriptor, or, while none is given, a list (`held`)."""

    def __init__(self, limit: int = OUTPUT_BYTES) -> None:
        self.limit = limit
        self.descriptor = -1
        self.held: list[bytes] = []
        self.cell = -1
        self._text: list[str] = []
        self._name, self._waiting, self._told = "", 0, 0.0
        self._sent = 0
        self._owner = os.getpid()
        self._lock = threading.RLock()
        self._raw: dict[str, int] = {}
        self.signature: Any = None
        """Where given, what is told is added to it (`integrity.signature`)."""
        os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        """In a process that the experiment forked: what waits is its parent's to tell."""
        self._lock = threading.RLock()
        self._text, self._waiting = [], 0

    def own(self) -> None:
        """This process tells from now on."""
        self._owner = os.getpid()

    def watch(self, raw: dict[str, int]) -> None:
        """Files (name of the stream → descriptor) that processes and C code write to; told at the next flush."""
        self._raw = dict(raw)

    def begin(self, cell: int, at: float) -> None:
        """A cell begins."""
        self.cell, self._sent = cell, 0
        self.put(b'{"cell":%d,"begin":%r}\n' % (cell, at))

    def end(self, count: int | None, ok: bool) -> None:
        """The cell has ended."""
        self.flush()
        number, word = b"null" if count is None else b"%d" % count, b"true" if ok else b"false"
        self.put(b'{"cell":%d,"end":%r,"count":%b,"ok":%b}\n' % (self.cell, time.time(), number, word))

    def done(self, **more: Any) -> None:
        """Nothing follows."""
        self._write({"done": True, **more})

    def curves(self, points: list[tuple[str, float, float]]) -> None:
        """Points of curves: name, step, value."""
        self._write({"curves": points})

    def print(self, name: str, text: str) -> None:
        """Text for a stream."""
        if os.getpid() != self._owner:
            os.write(1 if name == "stdout" else 2, text.encode("utf-8", "replace"))
            return
        with self._lock:
            if name != self._name:
                self._tell()
                self._name = name
            self._text.append(text)
            self._waiting += len(text)
            if self._waiting > PIECE or time.monotonic() - self._told > PATIENCE_SECONDS:
                self._tell()

    def message(self, kind: str, content: dict[str, Any]) -> None:
        """A message of a kernel; those that leave no output are not told."""
        if kind not in KINDS or os.getpid() != self._owner:
            return
        with self._lock:
            self.flush()
            self._counted(kind, content)

    def flush(self) -> None:
        """Tell what waits, and what has come in files."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            self._tell()
            for name, descriptor in self._raw.items():
                if size := os.fstat(descriptor).st_size:
                    text = os.pread(descriptor, min(size, 2 * self.limit), 0)
                    os.ftruncate(descriptor, 0)
                    os.lseek(descriptor, 0, os.SEEK_SET)
                    self._counted("stream", {"name": name, "text": text.decode("utf-8", "replace")})

    def _tell(self) -> None:
        self._told = time.monotonic()
        if self._text:
            text, self._text, self._waiting = "".join(self._text), [], 0
            self._counted("stream", {"name": self._name, "text": text})

    def _counted(self, kind: str, content: dict[str, Any]) -> None:
        """Tell it, as long as the cell has not told too much."""
        if kind == "error":
            lines = [str(line)[:LONGEST_LINE] for line in content.get("traceback", [])][-MOST_LINES:]
            content = {**content, "evalue": str(content.get("evalue", ""))[:LONGEST_LINE], "traceback": lines}
        if kind in ("error", "clear_output"):
            self._write({"cell": self.cell, "msg": kind, "content": content})
            return
        if self._sent > self.limit:
            return
        line = _encoded({"cell": self.cell, "msg": kind, "content": content})
        self._sent += len(line)
        if self._sent > self.limit:
            kept = str(content.get("text", ""))[: self.limit // 2] if kind == "stream" else ""
            if kept:
                self._write({"cell": self.cell, "msg": kind, "content": {**content, "text": kept}})
            note = f"\n[output cut: more than {self.limit:,} bytes in this cell]\n"
            self._write({"cell": self.cell, "msg": "stream", "content": {"name": "stderr", "text": note}})
        else:
            self.put(line)

    def _write(self, frame: dict[str, Any]) -> None:
        self.put(_encoded(frame))

    def put(self, line: bytes) -> None:
        """Tell a line as it is."""
        if self.descriptor < 0:
            self.held.append(line)
            return
        with self._lock:
            if self.signature is not None:
                self.signature.update(line)
            view = memoryview(line)
            while view:
                try:
                    view = view[os.write(self.descriptor, view) :]
                except OSError:  # nobody listens any more
                    os._exit(1)


class Stream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of an experiment."""

    encoding = "UTF-8"
    errors = "replace"

    def __init__(self, channel: Channel, name: str) -> None:
        self._channel, self.name = channel, name

    def write(self, text: str) -> int:
        """Print it."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        self._channel.print(self.name, text)
        return len(text)

    def flush(self) -> None:
        """Nothing waits for long anyway."""

    def writable(self) -> bool:
        """Yes."""
        return True

    def isatty(self) -> bool:
        """No."""
        return False

    def fileno(self) -> int:
        """Where processes that inherit it write."""
        return 1 if self.name == "stdout" else 2

    def set_parent(self, parent: Any) -> None:
        """As a kernel's stream has it."""


def size_of(content: Any) -> int:
    """About how many bytes a message's content takes, without writing it.

    >>> size_of({"name": "stdout", "text": "four"})
    10
    """
    if isinstance(content, str | bytes):
        return len(content)
    if isinstance(content, dict):
        return sum(size_of(value) for value in content.values())
    if isinstance(content, list | tuple):
        return sum(size_of(value) for value in content)
    return 8


def _encoded(frame: dict[str, Any]) -> bytes:
    try:
        text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"), default=_plain, allow_nan=False)
    except ValueError:  # numbers that are none, as a kernel tells them
        text = json.dumps(_finite(frame), ensure_ascii=False, separators=(",", ":"), default=_plain)
    return text.encode("utf-8", "replace") + b"\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, (list, tuple)) else value


def _plain(value: Any) -> Any:
    """What JSON has no word for."""
    if isinstance(value, bytes):
        import base64

        return base64.b64encode(value).decode("ascii")
    return str(value)
