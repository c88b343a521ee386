"""The file of what a notebook lends its cell: the pickle of `{name: value}`, then the buffers that lie beside it.

    pickle · buffers, each at a multiple of 64 bytes · where each begins and how long it is · where that begins · MAGIC

A file without buffers is the pickle alone. Each is named by its sha256; `experiments/worker/captured.py` loads it.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from array import array
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_swarm.cell.buffers import Beside, Part
from jupyter_swarm.cell.pickling import Known, pickler
from jupyter_swarm.errors import WorkspaceError

MAGIC = b"\0buffers"
ALIGNED = 64
"""No kind of value asks for more."""
_BLOCK = 2**20
_SYNCHRONISED = 2**28
"""Bytes after which the disk has to have them: so what is told is true, and the end does not take long."""

Progress = Callable[[int, int], None]


class Full(Exception):
    """It would take more than the limit; `size` is what is known to be needed."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


def store(
    values: Mapping[str, Any], known: Known, folder: Path, *, most: int, expected: int, progress: Progress | None = None
) -> str:
    """Write values to a file, unless one of the same content is there; its name without `.pkl`.

    Nothing is left behind where this is interrupted or fails.

    Args:
        values: what is taken along.
        known: what is not written.
        folder: of the captures.
        most: bytes that it may take.
        expected: bytes that it will take, about.
        progress: told (bytes done, bytes in all).

    Raises:
        Full: it takes more.
        WorkspaceError: it cannot be written.
        Exception: something cannot be pickled.
    """
    beside = Beside()
    try:
        handle, name = tempfile.mkstemp(prefix=".new-", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                sink = _Sink(file, most, expected, progress)
                sink.say()
                pickler(sink, known, beside).dump(dict(values))
                if beside.parts:
                    whole = sum(part.size or 0 for part in beside.parts) + sink.count
                    if whole > most:
                        raise Full(whole)
                    if there := _there(sink, beside.parts, folder):
                        return there
                    _append(sink, beside.parts)
                if _sound(path := folder / f"{sink.hash.hexdigest()}.pkl"):
                    return path.stem
                sink.synchronise()
            os.replace(name, path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise WorkspaceError(
            f"the notebook's variables cannot be written to {folder}: {error.strerror or error}",
            cure="make room, or make the folder writable",
        ) from None
    return path.stem


class _Sink(io.RawIOBase):
    """Writes and hashes; tells how far it is, and stops at the limit."""

    def __init__(self, file: Any, most: int, expected: int, progress: Progress | None) -> None:
        self.hash, self.count = hashlib.sha256(), 0
        self._file, self._most, self._expected, self._progress = file, most, expected, progress

    def without_file(self) -> _Sink:
        """One that goes on from here and writes nothing."""
        other = _Sink(None, self._most, self._expected, self._progress)
        other.hash, other.count = self.hash.copy(), self.count
        return other

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        for start in range(0, len(view), _BLOCK):
            block = view[start : start + _BLOCK]
            if self.count + len(block) > self._most:
                raise Full(self.count + len(block))
            if self._file is not None:
                self._file.write(block)
                if self.count // _SYNCHRONISED < (self.count + len(block)) // _SYNCHRONISED:
                    self.synchronise()
            self.hash.update(block)
            self.count += len(block)
            self.say()
        return len(view)

    def say(self) -> None:
        """How far it is."""
        if self._progress is not None:
            self._progress(self.count, max(self.count, self._expected))

    def synchronise(self) -> None:
        """Wait until the disk has it."""
        self._file.flush()
        os.fsync(self._file.fileno())


def _append(sink: _Sink, parts: Sequence[Part]) -> None:
    """The buffers, and the table of them."""
    table = array("Q")
    for part in parts:
        sink.write(bytes(-sink.count % ALIGNED))
        start = sink.count
        for block in part.blocks():
            sink.write(block)
        table.extend((start, sink.count - start))
    sink.write(bytes(-sink.count % ALIGNED))
    start = sink.count
    sink.write(table.tobytes() + start.to_bytes(8, "little") + MAGIC)


def _length(start: int, parts: Sequence[Part]) -> int | None:
    """Of the whole file; None where that cannot be told."""
    for part in parts:
        if part.size is None:
            return None
        start += -start % ALIGNED + part.size
    return start + -start % ALIGNED + 16 * len(parts) + 16


def _there(sink: _Sink, parts: Sequence[Part], folder: Path) -> str:
    """The name of a file of this content, "" where there is none. It is hashed only where one of this length is there.

    So what is captured once more is read, and not written.
    """
    length = _length(sink.count, parts)
    if length is None or not any(path.stat().st_size == length for path in folder.glob("*.pkl")):
        return ""
    other = sink.without_file()
    _append(other, parts)
    name: str = other.hash.hexdigest()
    return name if _sound(folder / f"{name}.pkl") else ""


def _sound(path: Path) -> bool:
    """Whether a file is there and has the content that its name says."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == path.stem
    except FileNotFoundError:
        return False
