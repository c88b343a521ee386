"""Which layers are in force on this machine: each one is tried, in a process of its own.

A layer counts as in force if what it forbids succeeds without it and fails with it. Run as a module this file is that
process: `python -m ….probe LAYER` prints one JSON object.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

from . import Policy, Sandbox, landlock
from .namespaces import tried
from .policy import ALL, ISOLATING

_LONGEST_SECONDS = 30
_LACKS = {
    2: "renaming between folders always fails",
    3: "truncation is refused by seccomp",
    4: "TCP is refused by seccomp alone",
    5: "ioctl of devices is not looked at",
    6: "signals are refused by seccomp: a run can signal itself and its group only, none of its children alone",
}
"""ABI that brings something → what holds below it."""


@dataclass(frozen=True)
class Layer:
    """A layer, and what came of trying it. isolating: whether code that nobody has read needs it."""

    name: str
    in_force: bool
    detail: str
    tried: str
    isolating: bool


_TRIED = {
    "seccomp": "making a socket",
    "landlock": "reading a file outside of the run's folder",
    "network": "connecting to a port of this machine",
    "shm": "finding another process's file in /dev/shm",
    "proc": "finding another process in /proc",
}
_WITH = {"proc": ("landlock", "shm", "proc")}
"""Layers that one rests on."""


def probe() -> list[Layer]:
    """Every layer, tried; takes about a second."""
    return [_layer(name) for name in ALL]


def _layer(name: str) -> Layer:
    command = [sys.executable, "-m", __name__, name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_SECONDS, check=True)
        why, note = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        why, note = f"it could not be tried: {error}", ""
    return Layer(name, not why, why or note, _TRIED[name], name in ISOLATING)


def attempt(name: str) -> tuple[str, str]:
    """Try a layer in this process, which is changed by it; why it is not in force (or ""), and a note."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        slot = os.path.join(folder, "slot")
        os.mkdir(slot, 0o700)
        forbidden = _forbidden(name, folder, stack)
        if why := tried(forbidden):
            return f"it cannot be told: without it, {_TRIED[name]} fails too ({why})", ""
        sandbox = Sandbox(Policy(layers=_WITH.get(name, (name,))), [slot])
        if why := sandbox.prepare()[name]:
            return why, ""

        def shut_in() -> None:
            sandbox.enter(0)
            try:
                forbidden()
            except OSError:
                raise SystemExit("refused") from None

        said = tried(shut_in)
        return "" if said == "refused" else f"{_TRIED[name]} is not refused {said}".strip(), _note(name)


def _forbidden(name: str, folder: str, stack: contextlib.ExitStack) -> Callable[[], object]:
    """What the layer forbids; raises OSError where it is refused."""
    if name == "seccomp":
        return lambda: socket.socket(socket.AF_UNIX).close()
    if name == "network":
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        return lambda: socket.create_connection(server.getsockname(), timeout=5).close()
    if name == "proc":
        there = f"/proc/{os.getpid()}"
        return lambda: os.stat(there)
    if name == "shm":
        other = stack.enter_context(tempfile.TemporaryDirectory(dir="/dev/shm"))
        return lambda: os.stat(other)
    path = os.path.join(folder, "file")
    with open(path, "w") as file:
        file.write("outside")
    return lambda: os.close(os.open(path, os.O_RDONLY))


def _note(name: str) -> str:
    if name != "landlock":
        return ""
    version = landlock.abi()
    return "; ".join([f"ABI {version}", *(text for since, text in _LACKS.items() if version < since)])


if __name__ == "__main__":
    print(json.dumps(attempt(sys.argv[1])))
