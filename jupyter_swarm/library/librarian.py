"""The librarian: one background process for each workspace, which alone loads the embedding model and owns Chroma.

    python -m jupyter_swarm.library.librarian FOLDER [--idle-seconds 60]

It reads the papers that the ledger names, says IndexBuilt when all are covered, answers queries over a Unix socket,
and leaves when nobody has asked for a while. Killed at any moment, the next one goes on with the passages that lack a
vector.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socketserver
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_swarm.errors import SwarmError
from jupyter_swarm.events import IndexBuilt, Noted
from jupyter_swarm.library.catalogue import Catalogue
from jupyter_swarm.library.client import EMBEDDER, IDLE_SECONDS
from jupyter_swarm.library.embedder import Search, circumstances, find
from jupyter_swarm.library.papers import write_bytes
from jupyter_swarm.library.wire import LONGEST_LINE, Lock, Notice, address, notice
from jupyter_swarm.workspace import Workspace

if TYPE_CHECKING:
    from jupyter_swarm.library.vectors import Vectors
    from jupyter_swarm.protocols import Passage

BATCH = 8
POLL_SECONDS = 1.0
NICENESS, POLITEST = 10, 15


class Process:
    """One librarian's life. `run` returns when it is over."""

    def __init__(self, workspace: Workspace, idle_seconds: float) -> None:
        self._workspace = workspace
        self._idle_seconds = idle_seconds
        self._catalogue = Catalogue(workspace)
        self._vectors: Vectors | None = None
        self._model = Search()
        self._busy = threading.Lock()
        self._wake = threading.Event()
        self._leaving = False
        self._covered = -1
        self._asked = time.monotonic()
        self._socket = ""

    def run(self) -> None:
        """Hold the lock, serve, read papers, leave."""
        lock = Lock(self._workspace)
        if not lock.take(patience_seconds=1.0):
            return
        _sweep(self._workspace)
        place = address(self._workspace)
        try:
            server = _Server(str(place), self)
        except OSError:
            place = address(self._workspace, elsewhere=True)
            server = _Server(str(place), self)
        self._socket = str(place)
        place.chmod(0o600)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
        _yield_to_others()
        state, why = "gone", ""
        try:
            self._say("starting")
            state = self._work(lock)
        except SwarmError as error:
            state, why = "failed", str(error)
        except Exception as error:  # whatever the vector store or the model may raise
            state, why = "failed", f"{type(error).__name__}: {error}"
            self._note(f"papers are searched by words alone, since the librarian failed: {why}", "warning")
            raise
        finally:
            server.shutdown()
            server.server_close()
            _remove(self._workspace, place)
            self._socket = ""
            if lock.still_there():
                self._say(state, why)
            lock.give_back()

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request of another process; in a thread of its own."""
        verb = message.get("verb")
        self._asked = time.monotonic()
        if verb == "query":
            return self._query(str(message["text"]), int(message["limit"]), int(message.get("through", 0)))
        if verb == "poke":
            self._wake.set()
            return {"ok": True}
        if verb == "status":
            return {"ready": self._covered >= 0, "through": self._covered, "model": self._model.name}
        if verb == "shutdown_if_idle":
            self._leaving = self._leaving or self._covered >= 0
            self._wake.set()
            return {"leaving": self._leaving}
        return {"error": f"unknown verb {verb!r}"}

    def _query(self, text: str, limit: int, through: int) -> dict[str, Any]:
        if self._vectors is None or self._covered < 0 or self._covered < through:
            self._wake.set()
            return {"ready": False}
        with self._busy:
            current = self._catalogue.current()
            hidden = len(current) < self._catalogue.known
            found = self._vectors.query(text, max(1, min(limit, 1000)), list(current) if hidden else None)
        return {"ready": True, "through": self._covered, "found": found}

    def _work(self, lock: Lock) -> str:
        self._model = find(os.environ.get(EMBEDDER, ""))
        for text in self._model.notes:
            self._note(text, "warning" if self._model.folder is None or "refused" in text else "info")
        if self._model.folder is None:
            return "none"
        vectors, have = self._opened()
        self._vectors = vectors
        self._say("ready")
        while lock.still_there() and not self._leaving:
            self._wake.clear()
            with self._busy:
                self._catalogue.refresh()
            if self._covered < self._catalogue.through and not self._read(vectors, have, lock):
                break
            self._covered = max(self._covered, 0)
            if time.monotonic() - self._asked > self._idle_seconds:
                break
            self._wake.wait(min(POLL_SECONDS, self._idle_seconds))
        return "gone"

    def _opened(self) -> tuple[Vectors, set[str]]:
        """The store and the passages that it has; a damaged one is made again, since all of it can be."""
        from jupyter_swarm.library.vectors import Vectors

        folder = self._workspace.library / "chroma"
        try:
            vectors = Vectors(folder, self._model)
            return vectors, vectors.ids()
        except Exception as error:  # whatever Chroma or SQLite find wrong with their files
            if not folder.exists():
                raise
            self._note(
                f"the index of meanings is damaged and is made again: {type(error).__name__}: {error}", "warning"
            )
            Vectors.forget()
            shutil.rmtree(folder)
            return Vectors(folder, self._model), set()

    def _read(self, vectors: Vectors, have: set[str], lock: Lock) -> bool:
        """Embed what has no vector yet; False where the workspace has gone meanwhile."""
        through = self._catalogue.through
        passages = [passage for paper in self._catalogue.papers() for passage in paper.passages()]
        missing: list[Passage] = [passage for passage in passages if passage.id not in have]
        for start in range(0, len(missing), BATCH):
            if not lock.still_there():
                return False
            batch = missing[start : start + BATCH]
            with self._busy:
                vectors.add(batch)
            have.update(passage.id for passage in batch)
            self._asked = time.monotonic()
        built = IndexBuilt(model=self._model.name, passages=len(passages), through=through)
        if passages and built != self._catalogue.index:
            self._workspace.store.append("", [built])
        self._covered = through
        return True

    def _say(self, state: str, why: str = "") -> None:
        said = Notice(
            pid=os.getpid(),
            state=state,
            socket=self._socket,
            why=why,
            model=self._model.name,
            circumstances=circumstances(os.environ.get(EMBEDDER, "")),
            at=time.time(),
        )
        write_bytes(self._workspace.library / "librarian.json", msgspec.json.encode(said))

    def _note(self, text: str, level: str) -> None:
        """A line for the log of the workspace, once."""
        store = self._workspace.store
        if not any(isinstance(record.event, Noted) and record.event.text == text for record in store.read(swarm="")):
            store.append("", [Noted(text=text, level="warning" if level == "warning" else "info")])


def _yield_to_others() -> None:
    """Let this thread, which reads papers, stand behind experiments; the one that answers stays as it was.

    Until all is read nobody waits for it: words are searched meanwhile.
    """
    with contextlib.suppress(OSError):  # on Linux niceness belongs to threads
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), POLITEST)


def _sweep(workspace: Workspace) -> None:
    """Remove the socket that one killed before us left behind."""
    last = notice(workspace)
    if last is not None and last.socket:
        _remove(workspace, Path(last.socket))
    (workspace.library / "librarian.sock").unlink(missing_ok=True)


def _remove(workspace: Workspace, place: Path) -> None:
    place.unlink(missing_ok=True)
    if place.parent != workspace.library and place.parent.name.startswith("jupyter-swarm-"):
        shutil.rmtree(place.parent, ignore_errors=True)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, path: str, process: Process) -> None:
        self.process = process
        super().__init__(path, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """One who asked and left before the answer is no matter."""


class _Handler(socketserver.StreamRequestHandler):
    timeout = 2.0
    server: _Server

    def handle(self) -> None:
        """One line in, one line out; every request gets an answer, errors too."""
        try:
            message = msgspec.json.decode(self.rfile.readline(LONGEST_LINE), type=dict[str, Any])
            answer = self.server.process.answer(message)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        self.wfile.write(msgspec.json.encode(answer) + b"\n")


def main(arguments: list[str] | None = None) -> int:
    """The command line's entry; 0 also where another librarian is at work already."""
    parser = argparse.ArgumentParser(prog="jupyter_swarm.library.librarian")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--idle-seconds", type=float, default=float(os.environ.get(IDLE_SECONDS) or 60))
    options = parser.parse_args(arguments)
    # One thread, and politely: the experiments are what the machine is for.
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    os.nice(NICENESS)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    workspace = Workspace(options.folder)
    if not workspace.exists:
        return 1
    Process(workspace, options.idle_seconds).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
