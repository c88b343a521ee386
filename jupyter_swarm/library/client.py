"""The kernel's and the runner's side of the librarian: start it, ask it, never wait for it."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from jupyter_swarm.errors import SwarmError
from jupyter_swarm.library.embedder import circumstances
from jupyter_swarm.library.wire import Lock, Notice, ask, notice
from jupyter_swarm.workspace import Workspace

EMBEDDER = "JUPYTER_SWARM_EMBEDDER"
IDLE_SECONDS = "JUPYTER_SWARM_LIBRARIAN_IDLE_SECONDS"

_REST_SECONDS = {"none": 3600.0, "failed": 300.0}


class Librarian:
    """Asks the workspace's librarian, a background process that alone owns the vectors.

    No method waits longer than a few tenths of a second, and none raises because the librarian is away.

        librarian = Librarian(workspace)
        librarian.start_if_needed()
        librarian.query("feature scaling")   # None until it is ready
    """

    def __init__(self, workspace: Workspace, *, idle_seconds: float | None = None) -> None:
        self._workspace = workspace
        self._idle_seconds = idle_seconds
        self._started = 0.0

    def start_if_needed(self) -> bool:
        """Whether a librarian lives (or was just started). One that gave up, for want of a model, is left in peace
        for an hour, or until another is configured or the packaged one installed."""
        if not self._workspace.exists:
            return False
        try:
            if not self._free():
                return True
            last = notice(self._workspace)
            if time.monotonic() - self._started < 5 or (last and _rests(last, self._workspace.chosen)):
                return False
            self._spawn()
        except (OSError, SwarmError):
            return False
        self._started = time.monotonic()
        return True

    def query(
        self, text: str, limit: int = 100, *, through: int = 0, timeout_seconds: float = 0.3
    ) -> list[tuple[str, float]] | None:
        """Ids of the passages nearest in meaning with their cosine similarity, best first.

        Args:
            text: what is looked for.
            limit: how many at most.
            through: the ledger's number of the last paper that the answer has to cover.
            timeout_seconds: how long to wait at most.

        Returns:
            None where there is no librarian, or it is not ready, or does not yet cover `through`.
        """
        text = text.encode("utf-8", "replace").decode()
        message = {"verb": "query", "text": text, "limit": limit, "through": through}
        answer = self._ask(message, timeout_seconds)
        if not answer or not answer.get("ready"):
            return None
        found = answer.get("found")
        return [(str(passage), float(score)) for passage, score in found] if isinstance(found, list) else None

    def status(self) -> Notice | None:
        """What the librarian last said of itself; None where there has never been one."""
        return notice(self._workspace)

    def ready(self, through: int = 0) -> bool:
        """Whether queries are answered now, papers up to the ledger's number `through` included."""
        answer = self._ask({"verb": "status"}, 0.3)
        return bool(answer and answer.get("ready") and int(answer.get("through", 0)) >= through)

    def poke(self) -> None:
        """Papers were added: look at the ledger now."""
        self._ask({"verb": "poke"}, 0.1)

    def shutdown_if_idle(self) -> bool:
        """Ask it to leave; whether it said yes. One that still has papers to read stays."""
        answer = self._ask({"verb": "shutdown_if_idle"}, 0.5)
        return bool(answer and answer.get("leaving"))

    def _ask(self, message: dict[str, Any], timeout_seconds: float) -> dict[str, Any] | None:
        last = notice(self._workspace)
        if last is None or not last.socket:
            return None
        return ask(last.socket, message, timeout_seconds)

    def _free(self) -> bool:
        """Whether no librarian lives."""
        lock = Lock(self._workspace)
        if not lock.take():
            return False
        lock.give_back()
        return True

    def _spawn(self) -> None:
        environment = dict(os.environ)
        wanted = Path(environment.get(EMBEDDER, "")).expanduser()
        if environment.get(EMBEDDER) and wanted.exists():
            environment[EMBEDDER] = str(wanted.absolute())
        command = [*self._workspace.python, "-P", "-m", "jupyter_swarm.library.librarian", str(self._workspace.folder)]
        if self._idle_seconds is not None:
            command += ["--idle-seconds", str(self._idle_seconds)]
        path = self._workspace.library / "librarian.log"
        full = path.exists() and path.stat().st_size > 2**20
        log = os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if full else os.O_APPEND), 0o600)
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        finally:
            os.close(log)
        # Reaps it when it leaves, so that no zombie stays in a kernel that lives for days.
        threading.Thread(target=process.wait, name="librarian-reaper", daemon=True).start()


def _rests(last: Notice, python: str) -> bool:
    recent = time.time() - last.at < _REST_SECONDS.get(last.state, 0.0)
    return recent and last.circumstances == circumstances(os.environ.get(EMBEDDER, ""), python)
