"""Kernels started ahead, each used once and then killed with every descendant.

The way where experiments cannot be forked from a zygote (`nursery.py`): a system without fork, imports that start
threads. A kernel runs under a keeper process (`keeper.py`), in its own session, with a clean environment, and talks
over Unix sockets in a folder that only its owner may enter. The folder is its TMPDIR too; the keeper removes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from queue import Empty
from typing import IO, Any

from jupyter_client.asynchronous import AsyncKernelClient

from jupyter_swarm.errors import LaboratoryError
from jupyter_swarm.experiments.environment import environment
from jupyter_swarm.experiments.nursery import KEEPER
from jupyter_swarm.experiments.setup import Setup

START_SECONDS = 90.0
_LONGEST_FOLDER = 70
"""A Unix socket's path has at most 107 bytes."""


async def start(setup: Setup) -> Kernel:
    """A kernel that has answered, with the imports done.

    Raises:
        LaboratoryError: it ended, or did not answer in time.
    """
    kernel = Kernel(setup)
    try:
        client = kernel.client()
        try:
            await ready(client, kernel, START_SECONDS)
            await kernel.reply(client, client.execute(_preparation(setup.imports), silent=True, store_history=False))
        finally:
            client.stop_channels()
    except BaseException:
        kernel.end()
        await asyncio.shield(kernel.gone())
        raise
    return kernel


class Kernel:
    """One kernel process with its keeper. To papermill's client it is a kernel manager that has a kernel."""

    has_kernel = True

    def __init__(self, setup: Setup) -> None:
        self.python = setup.python
        self.ended = ""
        """Why it was killed, where it was."""
        base = tempfile.gettempdir()
        self.folder = Path(tempfile.mkdtemp(prefix="swarm-", dir=base if len(base) <= _LONGEST_FOLDER else "/tmp"))
        channels = ("shell", "iopub", "stdin", "control", "hb")
        self.connection: dict[str, Any] = {
            **{f"{channel}_port": number for number, channel in enumerate(channels, start=1)},
            "transport": "ipc",
            "ip": str(self.folder / "k"),
            "key": secrets.token_hex(16),
            "signature_scheme": "hmac-sha256",
        }
        file = self.folder / "connection.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(self.connection), encoding="utf-8")
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in gone()
        private = dict.fromkeys(("TMPDIR", "JOBLIB_TEMP_FOLDER"), str(self.folder))
        private |= {"IPYTHONDIR": str(self.folder / "ipython"), "JUPYTER_RUNTIME_DIR": str(self.folder)}
        arguments = ["-f", str(file), "--HistoryManager.enabled=False"]
        self.process = self._exec(setup, arguments, private)

    def _exec(self, setup: Setup, arguments: list[str], private: dict[str, str]) -> subprocess.Popen[bytes]:
        kernel = [setup.python, "-m", "ipykernel_launcher", *arguments]
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", str(KEEPER), str(self.folder), *kernel],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
                cwd=setup.folder or None,
                env=environment(setup.threads) | private,
                start_new_session=True,
            )
        except OSError as error:
            self._stderr.close()
            _remove(self.folder)
            raise LaboratoryError(
                f"no kernel can be started: {error.strerror or error}",
                where=str(error.filename or setup.folder),
                cure="make sure that the notebook's folder exists and that processes can be started",
            ) from None

    def client(self) -> AsyncKernelClient:
        """A client of its own, with shell and output channels open; for the event loop that asks."""
        client = AsyncKernelClient()
        client.load_connection_info(self.connection)
        client.start_channels(shell=True, iopub=True, stdin=False, hb=False, control=False)
        client.allow_stdin = False
        return client

    def is_alive(self) -> bool:
        """Whether the kernel runs; may be asked from any thread."""
        return self.process.poll() is None

    def end(self) -> None:
        """Have the keeper kill it and its descendants; returns at once."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            with contextlib.suppress(OSError):
                self.process.stdin.close()

    async def gone(self) -> None:
        """Wait until nothing of it is left (after `end`, or after it died)."""
        deadline = time.monotonic() + 15.0
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                self.process.kill()
            await asyncio.sleep(0.005)
        self.end()
        self._stderr.close()
        _remove(self.folder)

    def said(self) -> str:
        """The end of what it wrote to standard error before IPython took that over (crashes end there too)."""
        if self._stderr.closed:
            return ""
        size = os.fstat(self._stderr.fileno()).st_size
        return os.pread(self._stderr.fileno(), 4000, max(0, size - 4000)).decode(errors="replace").strip()

    def death(self) -> str:
        """In words, how it died."""
        if self.ended:
            return self.ended
        code = self.process.poll()
        if code is None:
            return "the kernel does not answer"
        if code <= 128:
            return f"the kernel ended by itself with exit status {code}"
        try:
            name = signal.Signals(code - 128).name
        except ValueError:
            name = f"signal {code - 128}"
        hint = ": perhaps the machine ran out of memory" if name == "SIGKILL" else ""
        return f"the kernel died of {name}{hint}"

    async def reply(self, client: AsyncKernelClient, request: str, seconds: float = START_SECONDS) -> None:
        """Wait for the answer to a request.

        Raises:
            LaboratoryError: the kernel died meanwhile, or is too slow.
        """
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(Empty):
                message = await client.shell_channel.get_msg(timeout=0.25)
                if message["parent_header"].get("msg_id") == request:
                    return
            if not self.is_alive() or time.monotonic() > deadline:
                raise self.failed()

    def failed(self) -> LaboratoryError:
        """Why no kernel could be started."""
        said = self.said()
        return LaboratoryError(
            f"no kernel starts with {self.python}: {said.splitlines()[-1] if said else self.death()}",
            cure=f"{self.python} -m pip install ipykernel"
            if "ipykernel" in said
            else "see whether the interpreter starts, and whether memory is left",
        )


async def ready(client: AsyncKernelClient, kernel: Kernel, seconds: float) -> None:
    """Wait until the kernel answers and its output channel is connected.

    Quicker than `wait_for_ready`, which first listens for a while to an empty channel.

    Raises:
        LaboratoryError: the kernel died, or does not answer.
    """
    deadline = time.monotonic() + seconds
    while True:
        await kernel.reply(client, client.kernel_info(), deadline - time.monotonic())
        with contextlib.suppress(Empty):
            await client.iopub_channel.get_msg(timeout=0.1)
            return


class KernelPool:
    """Keeps `ahead` kernels started or starting. `open`, then `take` as often as wanted, then `close`."""

    def __init__(self, setup: Setup, ahead: int) -> None:
        self._setup, self._size = setup, ahead
        self._ahead: deque[asyncio.Task[Kernel]] = deque()
        self._endings: set[asyncio.Task[None]] = set()

    def fill(self) -> None:
        """Start kernels until enough are on their way."""
        while len(self._ahead) < self._size:
            self._ahead.append(asyncio.create_task(self._start()))

    async def first(self) -> None:
        """Wait until one is ready, so that a laboratory in which none starts says so when it opens.

        Raises:
            LaboratoryError: it does not start.
        """
        self.fill()
        await asyncio.shield(self._ahead[0])

    async def take(self) -> Kernel:
        """The next kernel; it is the caller's to `give_up`.

        Raises:
            LaboratoryError: none starts.
        """
        while True:
            self.fill()
            if not self._ahead:
                raise LaboratoryError("the laboratory is closed", cure="open it again")
            task = self._ahead[0]
            await asyncio.wait({task})
            if not self._ahead or self._ahead[0] is not task:  # another caller was quicker
                continue
            self._ahead.popleft()
            self.fill()
            kernel = task.result()
            if kernel.is_alive():
                return kernel
            self.give_up(kernel)

    def give_up(self, kernel: Kernel) -> asyncio.Task[None]:
        """Kill a kernel; the task ends when nothing of it is left."""
        kernel.end()
        ending = asyncio.create_task(kernel.gone())
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        return ending

    async def close(self) -> None:
        """Kill all, started or starting, and wait until nothing of them is left."""
        starting, self._size = list(self._ahead), 0
        self._ahead.clear()
        for task in starting:
            task.cancel()
        for outcome in await asyncio.gather(*starting, return_exceptions=True):
            if isinstance(outcome, Kernel):
                self.give_up(outcome)
        await asyncio.gather(*self._endings)

    async def _start(self) -> Kernel:
        """Start one; a second attempt where the first fails, as when memory was short for a moment."""
        try:
            return await start(self._setup)
        except LaboratoryError:
            await asyncio.sleep(0.2)
            return await start(self._setup)


def _preparation(imports: Sequence[str]) -> str:
    """What a kernel executes before its use: in a namespace of its own, so that nothing of it shows."""
    source = "\n".join(f"try:\n    exec({each!r}, {{}})\nexcept Exception:\n    pass" for each in imports)
    return f"exec({source!r}, {{}})"


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
