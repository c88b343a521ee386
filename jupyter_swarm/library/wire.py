"""How others speak with the librarian: one line of JSON each way, over a Unix socket that only its owner may open."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from jupyter_swarm.words import Word
from jupyter_swarm.workspace import Workspace

LONGEST_ADDRESS = 100
LONGEST_LINE = 2**20


class Notice(Word, frozen=True):
    """`librarian.json`: what a librarian says of itself, for those who look for it."""

    pid: int
    state: str
    """"starting", "ready", "gone", "none" (no embedding model) or "failed"."""
    socket: str = ""
    why: str = ""
    model: str = ""
    circumstances: str = ""
    """What decides which model is found: when that changes, one that gave up is tried again."""
    at: float = 0.0


def notice(workspace: Workspace) -> Notice | None:
    """The last librarian's notice, whether it still lives or not."""
    try:
        return msgspec.json.decode((workspace.library / "librarian.json").read_bytes(), type=Notice)
    except (OSError, msgspec.DecodeError):
        return None


def address(workspace: Workspace, *, elsewhere: bool = False) -> Path:
    """Where the socket goes: beside the library, or in a private folder where that path is too long for a socket, or
    its file system has no sockets (`elsewhere`)."""
    path = workspace.library / "librarian.sock"
    if len(os.fsencode(path)) <= LONGEST_ADDRESS and not elsewhere:
        return path
    return Path(tempfile.mkdtemp(prefix="jupyter-swarm-")) / "librarian.sock"


def ask(path: str, message: dict[str, Any], timeout_seconds: float) -> dict[str, Any] | None:
    """Send a message and return the answer; None where none comes in time."""
    deadline = time.monotonic() + timeout_seconds
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(timeout_seconds)
            line.connect(path)
            line.sendall(msgspec.json.encode(message) + b"\n")
            received = bytearray()
            while not received.endswith(b"\n"):
                line.settimeout(max(0.001, deadline - time.monotonic()))
                piece = line.recv(65536)
                if not piece or len(received) > LONGEST_LINE:
                    return None
                received += piece
        answer = msgspec.json.decode(received)
    except (OSError, msgspec.DecodeError):
        return None
    return answer if isinstance(answer, dict) else None


class Lock:
    """An operating system's lock on `librarian.lock`: it ends with the process that holds it, however that ends."""

    def __init__(self, workspace: Workspace) -> None:
        self._path = workspace.library / "librarian.lock"
        self._handle: int | None = None

    def take(self, patience_seconds: float = 0.0) -> bool:
        """Whether it is ours now."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        until = time.monotonic() + patience_seconds
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() < until:
                    time.sleep(0.05)
                    continue
                os.close(handle)
                return False
            self._handle = handle
            return True

    def still_there(self) -> bool:
        """Whether the file that we hold is still the one at its path (the workspace may have been deleted)."""
        try:
            return self._handle is not None and os.path.samestat(os.stat(self._path), os.fstat(self._handle))
        except OSError:
            return False

    def give_back(self) -> None:
        """Let others have it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
