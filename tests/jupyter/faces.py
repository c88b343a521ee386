"""Real kernels, and the end of what tests start."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from jupyter_swarm.api import Swarm, list_swarms
from jupyter_swarm.errors import UsageError
from jupyter_swarm.library.embedder import circumstances
from jupyter_swarm.library.wire import Notice, notice
from jupyter_swarm.workspace import Workspace

HEAVY = ("torch", "chromadb", "langchain", "papermill", "optuna", "sentence_transformers")
CONTEXT = """\
import random
import time

def measure(rate=0.3, seconds=0.0):
    time.sleep(seconds)
    return 1.0 - (rate - 0.7) ** 2 + random.gauss(0, 0.01)
"""
CELL = '"""Which rate is best?"""\nscore = measure(rate=0.3)\n'
SLOW = '"""Which rate is best?"""\nscore = measure(0.3, seconds=0.5)\n'


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Until `condition` holds; an error names what never came."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not come within {seconds:.0f} s"
        time.sleep(0.05)


def lives(folder: Path, name: str) -> bool:
    """Whether a swarm has begun there and has a runner."""
    try:
        return Swarm(name, Workspace(folder)).alive
    except UsageError:
        return False


def quiet_library(folder: Path) -> None:
    """Let the library of this folder be searched by words alone, as where no embedding model is found."""
    workspace = Workspace(folder).create()
    said = Notice(pid=1, state="none", why="no model", circumstances=circumstances(""), at=time.time())
    (workspace.library / "librarian.json").write_bytes(msgspec.json.encode(said))


def end_all(folder: Path) -> None:
    """Stop every swarm of a folder, and its librarian, and see them gone."""
    workspace = Workspace(folder)
    if not (folder / ".swarm" / "ledger.sqlite").is_file():
        return
    for swarm in list_swarms(workspace):
        if not swarm.state.over:
            with suppress(Exception):
                swarm.stop()
        wait_for(lambda swarm=swarm: swarm.state.over and not swarm.alive, 60, f"the end of {swarm.name}")
    said = notice(workspace)
    if said is not None and said.pid > 1:
        with suppress(ProcessLookupError):
            os.kill(said.pid, 15)
    workspace.store.close()


@dataclass
class Answer:
    """What a cell of a kernel answered."""

    status: str = ""
    evalue: str = ""
    plain: str = ""
    html: str = ""
    errors: str = ""
    printed: str = ""
    next_cell: str = ""
    widgets: int = 0
    first_widget_seconds: float = 0.0
    kinds: list[str] = field(default_factory=list)


class Kernel:
    """A real ipykernel and a client.

    Args:
        folder: where it works.
        python: its interpreter; this one where not given.
        more: environment variables besides those of this process.
    """

    def __init__(self, folder: Path, python: str = "", **more: str) -> None:
        from jupyter_client.kernelspec import KernelSpec
        from jupyter_client.manager import KernelManager

        self.folder = folder
        self.manager = KernelManager(kernel_name="python3")
        if python:
            command = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            self.manager._kernel_spec = KernelSpec(argv=command, language="python")
        self.manager.start_kernel(cwd=str(folder), env={**os.environ, **more})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def send(self, code: str) -> str:
        """Begin to run a cell; the request's id."""
        return str(self.client.execute(code))

    def answer(self, request: str, seconds: float = 120) -> Answer:
        """What came of it."""
        found, began = Answer(), time.monotonic()
        while True:
            message = self.client.get_iopub_msg(timeout=seconds)
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            found.kinds.append(kind)
            data = content.get("data") if isinstance(content.get("data"), dict) else {}
            if kind in ("display_data", "execute_result"):
                found.plain += data.get("text/plain", "") + "\n"
                found.html += data.get("text/html", "")
                if "application/vnd.jupyter.widget-view+json" in data:
                    found.widgets += 1
                    found.first_widget_seconds = found.first_widget_seconds or time.monotonic() - began
            elif kind == "stream" and content["name"] == "stderr":
                found.errors += content["text"]
            elif kind == "stream":
                found.printed += content["text"]
            elif kind == "status" and content["execution_state"] == "idle":
                break
        while (reply := self.client.get_shell_msg(timeout=30))["parent_header"].get("msg_id") != request:
            pass
        content = reply["content"]
        found.status, found.evalue = content["status"], content.get("evalue", "")
        found.next_cell = "".join(each.get("text", "") for each in content.get("payload", ()))
        return found

    def run(self, code: str, seconds: float = 120) -> Answer:
        """Run a cell to its end."""
        return self.answer(self.send(code), seconds)

    def complete(self, code: str, at: int | None = None) -> tuple[str, list[str]]:
        """What Tab offers at the end (or at a position): the text that is replaced, and by what."""
        position = len(code) if at is None else at
        request = self.client.complete(code, position)
        while (reply := self.client.get_shell_msg(timeout=30))["parent_header"].get("msg_id") != request:
            pass
        content = reply["content"]
        return code[content["cursor_start"] : content["cursor_end"]], list(content["matches"])

    def swarm(self, name: str) -> Swarm:
        """A handle on one of its swarms, from outside."""
        return Swarm(name, Workspace(self.folder))

    def close(self) -> None:
        """End it."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()
