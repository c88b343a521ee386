"""What a fork of a zygote does: shut itself in, execute the cells of a notebook, tell, and end.

Or, asked to be a snapshot: execute the beginning of a notebook, as far as a statement of one of its cells, and serve
there as a zygote of its own. A fork of it goes on in the middle of that cell, with parameters and seed of its own, as
if it had executed everything itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time
import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from . import captured, processes
from .clocks import codes
from .curves import Curves
from .integrity import Seal, signature
from .purity import Purity
from .reads import Reads
from .threads import allow

KNOWN = (sys.prefix, sys.base_prefix, "/usr", "/lib", "/lib64", "/etc")
"""Folders that everybody may read."""
PLACE = "JUPYTER_SWARM_CHECKPOINTS"
"""`jupyter_swarm.within.PLACE`: the worker knows nothing of the package."""
LEFT_BYTES = 10_000
"""Of each stream; JSON takes six bytes for one of them at most, and all of it has to fit into one message."""
LOADED = "swarm_captures"
"""Name of `sys` under which captured variables lie that the zygote has loaded (path → values)."""


@dataclass(frozen=True)
class Slot:
    """A place where one experiment at a time runs: a folder of its own, and files for standard output and error."""

    folder: str
    output: int
    error: int

    @classmethod
    def made(cls, folder: str) -> Slot:
        """In a folder that exists."""
        return cls(folder, os.memfd_create("stdout"), os.memfd_create("stderr"))

    def printed(self) -> int:
        """Bytes in the files."""
        return os.fstat(self.output).st_size + os.fstat(self.error).st_size

    def left(self) -> dict[str, str]:
        """The end of what stands in the files; they are empty afterwards."""
        found = {}
        for name, descriptor in (("stdout", self.output), ("stderr", self.error)):
            if size := os.fstat(descriptor).st_size:
                text = os.pread(descriptor, LEFT_BYTES, max(0, size - LEFT_BYTES)).decode("utf-8", "replace")
                found[name] = f"[output cut: {size - LEFT_BYTES:,} bytes]\n{text}" if size > LEFT_BYTES else text
                os.ftruncate(descriptor, 0)
        return found


def load(shell: Any, path: str) -> dict[str, Any] | None:
    """Load captured variables, by name; functions among them read the globals of the shell's notebook.

    What cannot be loaded (None) is tried again, and complained of, by the notebook.
    """
    loaded: dict[str, Any] = {}
    setattr(sys, LOADED, loaded)
    with contextlib.suppress(BaseException):
        if path:
            loaded[path] = captured.load(path, shell.user_ns)
    return loaded.get(path, None if path else {})


def mentioned(values: Iterable[Any]) -> list[str]:
    """The names in the code of functions and classes that were made in the notebook, those that they contain too.

    >>> def f(): return [scale for _ in range(3)]
    >>> "scale" in mentioned([f])
    True
    """
    return sorted({name for each in codes(values) if isinstance(each, types.CodeType) for name in each.co_names})


def become(zygote: Any, birth: Any) -> None:
    """Be an experiment, or a snapshot, from now on; never returns."""
    status = 1
    try:
        Child(zygote, birth).live()
        status = 0
    except SystemExit:
        pass
    except BaseException as error:
        with contextlib.suppress(BaseException):
            zygote.frames.done(why=f"{type(error).__name__}: {error}")
    finally:
        os._exit(status)


class Child:
    """A forked process from its birth to its end."""

    def __init__(self, zygote: Any, birth: Any) -> None:
        self._zygote, self._shell, self._frames = zygote, zygote.shell, zygote.frames
        self._cells: list[dict[str, Any]] = []
        self._stop: tuple[int, int] | None = None
        self._serving: socket.socket | None = None
        self._purity: Purity | None = None
        self._seal: Seal | None = None
        self._statements: list[tuple[float, str]] = []
        self._at = 0
        self._since = 0.0
        self._inside = False
        self._job = self._born(birth)
        self._curves = Curves(self._frames)
        self._curves.listen(refuse=self._refuse if self._serving is not None else None)

    def _born(self, birth: Any) -> dict[str, Any]:
        """Settle in; the job."""
        request, (descriptor, *more) = birth.request, birth.descriptors
        job: dict[str, Any] = request["job"] if "job" in request else _job(more.pop(0))
        os.setsid()
        processes.die_with(birth.parent)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._serving = socket.socket(fileno=more[0]) if request["serving"] else None
        slot = self._zygote.slots[request["slot"]] if self._serving is None else Slot.made("")
        _standard(slot, [] if self._serving else self._zygote.slots)
        if self._serving is not None:
            self._forsake()
        if request["folder"]:
            os.chdir(request["folder"])
        _randomise()
        self._frames.own()
        if "seal" in job and self._serving is None:
            self._frames.signature = signature(job["seal"]["key"])
        self._frames.watch({"stdout": 1, "stderr": 2})
        if self._serving is None:
            self._frames.descriptor = descriptor
        else:
            os.close(descriptor)
        place = _checkpoints(job)
        self._shut_in(request["slot"], everything=job.get("reads", False), also=place)
        if self._zygote.copies is not None:
            beside, allowed = f"{slot.folder}/work" if slot.folder else "", job.get("copies", [])
            self._zygote.copies.within(beside, None if job.get("reads") else allowed)
        self._reads = Reads([*KNOWN, slot.folder, *place]) if job.get("reads") else None
        if self._zygote.threads > 1:  # afterwards: a thread that is there before is not shut in
            allow(self._zygote.threads)
        os.write(birth.word, b"1")
        os.close(birth.word)
        return job

    def _shut_in(self, slot: int, *, everything: bool, also: list[str]) -> None:
        """Close the sandbox; that of a snapshot leaves its forks a way to slots of their own, which they close."""
        sandbox = self._zygote.sandbox
        if sandbox is None:
            return
        if self._serving is None:
            sandbox.enter(slot, everything=everything, also=also)
        elif not self._inside:
            count = len(self._zygote.slots) // 2
            sandbox.enter(slot, forks=range(count, 2 * count))
            self._inside = True

    def _forsake(self) -> None:
        """In a snapshot: let go of the files of experiments that are none of its forks."""
        slots = self._zygote.slots
        for number, each in enumerate(slots[: len(slots) // 2]):
            if each is not None:
                os.close(each.output)
                os.close(each.error)
                slots[number] = None

    def live(self) -> None:
        """Execute code cells in order, until one fails."""
        self._cells = self._job["cells"]
        self._stop = tuple(self._job["stop"]) if "stop" in self._job else None
        self._shell.between = self._between
        while self._at < len(self._cells):
            cell = self._cells[self._at]
            self._begin(cell)
            self._shell.curve = self._curves.of(self._job, cell["index"])
            result = self._shell.run_cell(cell["source"], store_history=True)
            self._shell.payload_manager.clear_payload()
            failed = not result.success or getattr(self._shell, "_last_traceback_during_displayhook", False)
            self._curves.flush()
            self._frames.end(self._shell.execution_count - 1, not failed)
            if failed and not self._cells[self._at].get("may_fail"):
                break
            if self._shell.exit_now:
                raise SystemExit
            self._at += 1
        if self._serving is not None:
            self._refuse("it came to its end")
        more: dict[str, Any] = {}
        if self._reads is not None:
            more = {"reads": self._reads.found(), "copies": self._zygote.copies.made}
        if self._seal is not None:
            more["seal"] = self._seal.word(self._frames.signature, whole=self._at == len(self._cells))
        self._frames.done(statements=self._statements, **more)

    def _begin(self, cell: dict[str, Any]) -> None:
        self._frames.begin(cell["index"], time.time())
        self._since = time.monotonic()
        if cell["index"] in (self._job.get("watch"), (self._stop or (None,))[0]):
            self._purity = Purity()
        if cell["index"] == self._job.get("seal", {}).get("cell"):
            seals, asked = self._zygote.seals, self._job["seal"]
            self._seal = Seal(seals.current or seals.described(asked), asked, self._shell)

    def _between(self, index: int, nodes: list[Any], name: str) -> tuple[list[Any], str]:
        """Between two statements of a cell: tell what was printed, note what they took, stop where a snapshot does."""
        self._frames.flush()
        self._curves.flush()
        cell = self._cells[self._at]
        if self._seal is not None and cell["index"] == self._job["seal"]["cell"]:
            self._seal.look() if index < len(nodes) else self._seal.end()
        if index and self._purity is not None and index > len(self._statements):
            lost = self._purity.lost() or self._curves.shown
            self._statements.append((time.monotonic() - self._since, lost))
        if self._stop == (cell["index"], index):
            return self._serve(nodes, name)
        return nodes, name

    # ---------------------------------------------------------------- snapshots

    def _refuse(self, why: str) -> None:
        assert self._serving is not None
        self._serving.send(json.dumps({"why": why, "statements": self._statements}).encode())
        os._exit(0)

    def _serve(self, nodes: list[Any], name: str) -> tuple[list[Any], str]:
        """Be forked here as often as wanted; what a fork executes next."""
        assert self._serving is not None
        assert self._purity is not None
        if why := self._purity.lost():
            self._refuse(why)
        spent = time.monotonic() - self._since
        self._serving.send(json.dumps({"ready": True, "statements": self._statements}).encode())
        if self._zygote.sandbox is not None:
            self._zygote.sandbox.foresee([n for n, slot in enumerate(self._zygote.slots) if slot is not None][:-1])
        birth = self._zygote.nested(self._serving).serve()
        if birth is None:
            os._exit(0)
        old = self._cells[self._at]["source"]
        held, self._frames.held = self._frames.held, []
        self._job = self._born(birth)
        self._curves.listen()
        self._shell.curve = self._curves.of(self._job, self._cells[self._at]["index"])
        if self._seal is not None:
            self._seal.also(self._job["seal"])
        self._cells, self._stop = self._job["cells"], tuple(self._job["stop"]) if "stop" in self._job else None
        self._retell(held, spent)
        namespace = self._shell.user_ns
        namespace.update(self._job["parameters"])
        exec(self._job["reseed"], {"__name__": "reseed"})
        self._purity = Purity() if self._stop or "watch" in self._job else None
        for place, cell in enumerate(self._cells[: self._at + 1], start=1):
            namespace["In"][place] = cell["source"]
        source = self._cells[self._at]["source"]
        return (nodes, name) if source == old else self._parsed(source)

    def _retell(self, held: list[bytes], spent: float) -> None:
        """Tell what the snapshot did as one's own; the cell in which it stopped began as long ago as it took there."""
        self._since = time.monotonic() - spent
        index = self._cells[self._at]["index"]
        for line in held:
            if line.startswith(b'{"cell":%d,"begin":' % index):
                self._frames.begin(index, time.time() - spent)
            else:
                self._frames.put(line)

    def _parsed(self, source: str) -> tuple[list[Any], str]:
        """The statements of a cell that begins as the snapshot's does, and goes on otherwise."""
        shell = self._shell
        cell, number = shell.transform_cell(source), len(shell.user_ns["In"]) - 1
        name = shell.compile.cache(cell, number, raw_code=source)
        return list(shell.transform_ast(shell.compile.ast_parse(cell, filename=name)).body), name


def _checkpoints(job: dict[str, Any]) -> list[str]:
    """The folder of the job that outlives this process, if it has one: `jupyter_swarm.checkpoints()` gives it."""
    place = job.get("checkpoints", "")
    if place:
        os.environ[PLACE] = place
    return [place] if place else []


def _job(descriptor: int) -> Any:
    """What is to be executed, where it was too long for a message."""
    with os.fdopen(descriptor, "rb") as file:
        file.seek(0)
        return json.load(file)


def _standard(slot: Slot, others: list[Slot | None]) -> None:
    """Standard input is empty, output and error are the slot's files; those of others are closed."""
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (slot.output, 1), (slot.error, 2)):
        os.dup2(source, target)
    os.close(null)
    for each in others or [slot]:
        if each is not None:
            os.close(each.output)
            os.close(each.error)
    for descriptor in (1, 2):
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)


def _randomise() -> None:
    """Unseeded draws differ between experiments; Python's own generator sees to itself."""
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
