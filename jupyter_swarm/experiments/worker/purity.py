"""Whether what a process has executed could be shared: a fork of it must find what it would have made for itself.

It could not where it drew random numbers, started threads or processes, opened sockets, or left a file open or written:
then another experiment, forked from here, would have the same "random" numbers, or half of an open file.
"""

from __future__ import annotations

import os
import random
import sys
from typing import Any

from . import processes

EVENTS = frozenset(
    [
        *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "os.spawn"),
        *("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.link", "os.symlink", "os.chmod"),
        *("shutil.move", "shutil.rmtree", "shutil.copyfile", "sqlite3.connect", "_thread.start_new_thread"),
        *("socket.__new__", "socket.connect", "socket.bind", "socket.sendto", "ftplib.connect"),
    ]
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Purity:
    """Begins to watch when made; `lost` says what has happened since, or ""."""

    def __init__(self) -> None:
        self._seen = ""
        self._files, self._mapped = _files(), _shared()
        self._generators = _generators()
        self._watch_entropy()
        sys.addaudithook(self._heard)

    def lost(self) -> str:
        """Why a fork would not find what it would have made for itself; "" where it would.

        The first reason stays.
        """
        self._seen = self._seen or self._look()
        return self._seen

    def _look(self) -> str:
        if processes.threads() > 1:
            return "a thread runs"
        if processes.children(os.getpid()):
            return "a process was started"
        if _files() != self._files:
            return "a file is open"
        if not _shared() <= self._mapped:
            return "memory is shared"
        if any(self._generators.get(name, state) != state for name, state in _generators().items()):
            return "random numbers were drawn"
        return ""

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if _writes(path, mode, flags):
                self._seen = self._seen or "a file was written"
        elif event in EVENTS:
            self._seen = self._seen or f"{event} was called"

    def _watch_entropy(self) -> None:
        """Numbers that the system draws: `os.urandom`, and what Python's and numpy's unseeded generators use."""
        original = os.urandom

        def urandom(size: int) -> bytes:
            self._seen = self._seen or "random numbers were drawn"
            return original(size)

        os.urandom = urandom
        random._urandom = urandom  # type: ignore[attr-defined]


def _writes(path: Any, mode: Any, flags: Any) -> bool:
    writing = any(letter in mode for letter in "wax+") if isinstance(mode, str) else bool((flags or 0) & _WRITING)
    if not writing or not isinstance(path, (str, bytes)):
        return writing
    name = os.fsdecode(path)
    return not (name.startswith("/dev/") or "__pycache__" in name)


def _files() -> list[str]:
    """Open descriptors and where they lead."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            found.append(f"{name} {os.readlink(f'/proc/self/fd/{name}')}")
        except OSError:  # that of the listing itself
            continue
    return sorted(found)


def _shared() -> set[str]:
    """Mappings whose content a process has in common with its forks."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
            return {line for line in file if line.split(" ", 2)[1] == "rw-s"}
    except OSError:
        return set()


def _generators() -> dict[str, int]:
    """A fingerprint of each global generator's state."""
    found = {"random": hash(random.getstate())}
    if "numpy.random" in sys.modules:
        kind, keys, *rest = sys.modules["numpy.random"].get_state()
        found["numpy"] = hash((kind, keys.tobytes(), *rest))
    if "torch" in sys.modules:
        found["torch"] = hash(bytes(sys.modules["torch"].random.get_rng_state().tolist()))
    return found
