"""The runner's side of the zygote (`zygote.py`): open it, have it fork kernels, close it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_swarm.experiments.environment import environment

ZYGOTE = Path(__file__).with_name("zygote.py")
KEEPER = Path(__file__).with_name("keeper.py")
OPEN_SECONDS = 120.0
"""How long the imports may take."""
FORK_SECONDS = 20.0


class NurseryLost(Exception):
    """The zygote has ended, or does not answer."""


class Pipe:
    """The write end of a pipe; its closing tells the keeper to end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.closed = False

    def close(self) -> None:
        """Close it, once."""
        if not self.closed:
            self.closed = True
            os.close(self._descriptor)


class Forked:
    """A keeper and its kernel that a zygote has forked, with as much of `subprocess.Popen` as a kernel needs."""

    def __init__(self, pid: int, stdin: int, status: int) -> None:
        self.pid = pid
        self.stdin = Pipe(stdin)
        self._status = status
        self._code: int | None = None
        os.set_blocking(status, False)
        try:
            self._handle = os.pidfd_open(pid)
        except OSError:  # gone already, or an old system: its end is seen by the pipe all the same
            self._handle = -1

    def poll(self) -> int | None:
        """The keeper's exit status, or None while it lives. Killed without a word it is 128 + SIGKILL."""
        if self._code is None:
            try:
                told = os.read(self._status, 1)
            except BlockingIOError:
                return None
            self._code = told[0] if told else 128 + signal.SIGKILL
            os.close(self._status)
            if self._handle >= 0:
                os.close(self._handle)
        return self._code

    def kill(self) -> None:
        """Kill the keeper; its kernel dies with it."""
        if self._code is None and self._handle >= 0:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)


class Nursery:
    """A zygote at work. `open` it, `fork` as often as wanted, `close` it.

    Args:
        python: the notebook's interpreter.
        folder: where the experiments work.
        imports: statements to execute before any fork.
        threads: for the numerical libraries of a kernel; the zygote itself has one.
    """

    def __init__(self, python: str, folder: str, imports: Sequence[str], threads: int = 1) -> None:
        self._python, self._folder, self._imports, self._threads = python, folder, list(imports), threads
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None

    async def open(self) -> bool:
        """Start it; whether it can fork kernels, once the imports are done. Where not, kernels have to be exec'd."""
        if not hasattr(socket, "send_fds") or not hasattr(os, "pidfd_open"):
            return False
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel = ours
        try:
            self._process = subprocess.Popen(
                [self._python, str(ZYGOTE), str(theirs.fileno()), self._folder or "."],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=self._folder or None,
                env=environment(1),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except OSError:
            return False
        finally:
            theirs.close()
        with contextlib.suppress(NurseryLost):
            request = {"imports": self._imports, "keeper": str(KEEPER)}
            return bool((await asyncio.to_thread(self._asked, request, (), OPEN_SECONDS)).get("ready"))
        return False

    @property
    def lives(self) -> bool:
        """Whether it can be asked."""
        return self._process is not None and self._process.poll() is None

    def fork(self, folder: Path, arguments: Sequence[str], private: Mapping[str, str], stderr: int) -> Forked:
        """A keeper with a kernel.

        Args:
            folder: the kernel's own, which the keeper removes at the end.
            arguments: of ipykernel.
            private: variables besides those of every experiment.
            stderr: where the kernel writes until it has channels.

        Raises:
            NurseryLost: it has ended, does not answer, or may not fork any more.
        """
        variables = environment(self._threads) | dict(private)
        request: dict[str, Any] = {"folder": str(folder), "arguments": list(arguments), "environment": variables}
        request["threads"] = self._threads
        (stdin, ours), (status, told) = os.pipe(), os.pipe()
        try:
            answer = self._asked(request, (stdin, stderr, told), FORK_SECONDS)
            if "pid" not in answer:
                raise NurseryLost(str(answer.get("why")))
        except NurseryLost:
            os.close(ours)
            os.close(status)
            self._kill()
            raise
        finally:
            os.close(stdin)
            os.close(told)
        return Forked(int(answer["pid"]), ours, status)

    async def close(self) -> None:
        """End it; kernels that it has forked live on with their keepers."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._process is not None:
            self._kill()
            await asyncio.to_thread(self._process.wait)

    def _kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()

    def _asked(self, request: dict[str, Any], descriptors: Sequence[int], seconds: float) -> dict[str, Any]:
        if self._channel is None:
            raise NurseryLost("it is closed")
        try:
            self._channel.settimeout(seconds)
            socket.send_fds(self._channel, [json.dumps(request).encode()], list(descriptors))
            answer: dict[str, Any] = json.loads(self._channel.recv(100_000))
        except (OSError, ValueError) as error:
            raise NurseryLost(str(error)) from None
        return answer
