"""A process that has imported and loaded what the experiments need, and forks one whenever it is asked to.

It is exec'd, never forked, with a clean environment and one thread for each numerical library; nothing of an
experiment's code ever runs in it, so each finds the same. (A snapshot is a fork that has executed the beginning of a
notebook and then serves in the same way; `child.py`.) Before a fork it must be single-threaded: locks that other
threads hold would be held for ever in the child.

It talks over a Unix socket whose messages are JSON:

    → {"imports", "modules", "captures", "clocks", "folder", "slots", "threads", "policy", "memory", "processes",
      "disk", "limit"}                                                                                   once
    ← {"ready": true, "layers": {layer: why it is missing, or ""}, "names": mentioned by captured code,
      "clocks": which of what the notebook lends reads a clock}
      or {"why", "starts"}, where "starts" names the import ("captures": the loading of them) that has started threads
    → {"fork": n, "slot": s, "folder", "environment": {...}, "job": {...}} with a file for frames, another with the job
      where that is too long for a message, and for a snapshot a socket on which it serves ("serving")
    ← {"failed": n, "why", "again": whether it may go better later}
    → {"kill": n, "why"}
    → {"grant": [files and folders that may be read from now on]}
    ← {"ended": n, "born", "status", "why", "peak", "cpu", "left"}         when nothing of it is left: whether it had
                                                                            settled in, what it printed and did not tell

Each experiment leads a session of its own, which the sandbox lets no descendant leave, and the zygote adopts orphans:
so killing the group until it is empty leaves nothing behind. Memory and number of processes are watched here.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
import time
from dataclasses import dataclass, field
from typing import Any

from . import captured, child, clocks, processes, threads
from .channel import Channel
from .copies import Copies
from .integrity import Seals
from .storage import Storage, nameless

LONGEST = 200_000
CAPTURES = "captures"
TICK_SECONDS = 0.05
"""How often memory and processes are looked at."""
NAMELESS_LOOKS = 5
"""At each so manieth look, files without a name are counted, too, and threads."""
MOST_AT_ONCE = 1_000
"""Processes that have ended, of which leave is taken at once."""
THREADS = 8
"""So many an experiment may have for each process that it may have."""
_FIGURES = {"matplotlib", "pandas", "seaborn", "statsmodels"}
"""Packages that draw figures, or import what does when they are asked to."""
FRAMES_BYTES = 96_000_000
"""What one experiment may tell altogether."""
PRINTED_BYTES = 64_000_000
"""What processes and C code of an experiment may print within one statement."""


@dataclass
class Running:
    """An experiment that has been forked."""

    number: int
    pid: int
    slot: Any
    frames: int
    word: int
    """From here comes a byte when it has settled in; it cannot take that back."""
    began: float = field(default_factory=time.monotonic)
    why: str = ""
    status: int | None = None
    peak: int = 0
    cpu: float = 0.0
    files: int = 0
    """Bytes of files that its first process had mapped and read, at most."""
    nameless: int = 0
    threads: int = 0


@dataclass(frozen=True)
class Birth:
    """In a forked process: what it was asked to be, its descriptors, its parent, and where it says that it lives."""

    request: dict[str, Any]
    descriptors: list[int]
    parent: int
    word: int


CONTINUE = Birth({}, [], 0, -1)
"""Nobody was born: the parent goes on."""


class Zygote:
    """Imports and loads when made; `serve` until the runner closes its end."""

    def __init__(self, channel: socket.socket, setup: dict[str, Any]) -> None:
        self._channel, self._setup = channel, setup
        self.frames = Channel(setup.get("limit", 2_000_000))
        self.shell: Any = None
        self.sandbox: Any = None
        self.copies: Copies | None = None
        self.layers: dict[str, str] = {}
        self.names: list[str] | None = None
        self.clocks: list[str] = []
        self.threads = 1
        """So many the forks let their libraries use; 1 where nothing is left for them to do about it."""
        self.starts = ""
        """What has started threads, so that it must be left to the forks."""
        self.seals: Seals | None = None
        self.slots: list[child.Slot | None] = []
        """Of experiments, then of forks of snapshots, then that of snapshots; None: not this process's to use."""
        self._running: dict[int, Running] = {}
        self._own = 0
        """Memory of this process that its forks share, as long as they do not write to it."""
        self._mapped = 0
        """Bytes of what was captured, which lie in a file."""
        self._private: list[int] = []
        self._variables: set[str] = set()
        self._snapshots = False
        self._storage: Storage | None = None
        self._looks = 0

    def prepare(self) -> str:
        """Do once what every experiment needs; why none can be forked, or ""."""
        try:
            from . import shell

            self.shell = shell.make(self.frames)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        self.copies = Copies()
        self._import(self._setup["imports"])
        if self.starts:
            return "an import has started threads"
        if _FIGURES & sys.modules.keys():  # the list of fonts, which takes seconds to make where there is none
            with contextlib.suppress(Exception):
                importlib.import_module("matplotlib.font_manager")
        if "numpy" in sys.modules:
            importlib.import_module("numpy.random")  # numpy would import it at its first use, in each fork again
        lent = child.load(self.shell, self._setup.get("captures", ""))
        with contextlib.suppress(Exception):  # whatever foreign objects do when they are looked at: nothing is shared
            if lent is not None:
                self.clocks = clocks.readers(lent, self._setup.get("modules", ""), self._setup.get("clocks", ()))
                self.names = child.mentioned(lent.values())
        self._mapped = captured.beside(self._setup.get("captures", ""))
        self.seals = Seals(self.shell, getattr(sys, child.LOADED))
        self.frames.held.clear()
        if processes.threads() > 1:
            self.starts = CAPTURES
            return "loading what was captured has started threads"
        self.threads = self._setup.get("threads", 1)
        if threads.allow_forks(self.threads):
            self.threads = 1
        self.slots = [child.Slot.made(path) for path in self._setup["slots"]]
        if (policy := self._setup.get("policy")) is not None:
            from .sandbox import Policy, Sandbox

            self.sandbox = Sandbox(Policy.from_json(policy), self._setup["slots"])
            self.layers = self.sandbox.prepare()
            if not self.layers["seccomp"] and not self.sandbox.signals:
                self.names = None  # a snapshot could not end its forks: none is made
        return ""

    def _import(self, statements: list[str]) -> None:
        """What fails here fails again where it is seen: in the notebook."""
        packages = [n for n, each in enumerate(sys.path) if each.endswith(("site-packages", "dist-packages"))]
        sys.path.insert(packages[0] if packages else len(sys.path), "")  # modules beside the notebook, as in a kernel
        if self._setup.get("modules"):
            sys.path.insert(0, self._setup["modules"])
        for statement in statements:
            with contextlib.suppress(BaseException):
                exec(statement, {"__name__": "imports"})
            if processes.threads() > 1:
                self.starts = statement
                break

    def serve(self) -> Birth | None:
        """Fork, watch and collect, for as long as the runner keeps its end open.

        Returns:
            None in this process, at the end; in a forked process, what it was forked for.
        """
        processes.adopt_orphans()
        gc.collect()
        gc.freeze()  # what is shared with the children stays shared: no collection writes to it
        self._own = processes.memory(os.getpid()).held
        with contextlib.suppress(OSError, IndexError):
            self._storage = Storage(self._setup["slots"][0], self._setup.get("disk", 0))
        signals, wake = os.pipe()
        for end in (signals, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._private = [signals, wake, self._channel.fileno()]
        poll = select.poll()
        poll.register(self._channel.fileno(), select.POLLIN)
        poll.register(signals, select.POLLIN)
        looked = time.monotonic()
        while True:
            ready = {descriptor for descriptor, _ in poll.poll(self._patience())}
            if signals in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(signals, 4096)
            if self._channel.fileno() in ready:
                birth = self._listen()
                if birth is not CONTINUE:
                    return birth
            self._collect()
            if self._running and time.monotonic() - looked > TICK_SECONDS:
                self._look()
                looked = time.monotonic()

    def nested(self, channel: socket.socket) -> Zygote:
        """In a snapshot: the same, for forks of this process."""
        other = Zygote(channel, self._setup)
        other.frames, other.shell, other.sandbox, other.slots = self.frames, self.shell, self.sandbox, self.slots
        other.threads, other.copies = self.threads, self.copies
        other._mapped = self._mapped
        return other

    def _patience(self) -> float | None:
        """Milliseconds until there is something to do unasked; None for ever."""
        if any(each.status is not None for each in self._running.values()):
            return 1.0
        return 1000 * TICK_SECONDS if self._running else None

    def _listen(self) -> Birth | None:
        """One request. CONTINUE, or None where the runner has gone, or, in a forked process, what it is for."""
        body, descriptors, _, _ = socket.recv_fds(self._channel, LONGEST, 4)
        if not body:
            return None
        request = json.loads(body)
        if "fork" in request:
            return self._fork(request, descriptors)
        if "grant" in request and self.sandbox is not None:
            self.sandbox.grant(request["grant"])
        if "kill" in request and (running := self._running.get(request["kill"])) is not None:
            self._end(running, request["why"])
        return CONTINUE

    def _fork(self, request: dict[str, Any], descriptors: list[int]) -> Birth:
        number = request["fork"]
        if processes.threads() > 1:
            self._say(failed=number, why="this process has threads")
        else:
            self._foresee(request)
            self._snapshots = self._snapshots or request["serving"]
            parent = os.getpid()
            hears, says = os.pipe()
            try:
                pid = os.fork()
            except OSError as error:  # no process, or no memory, is left for the moment
                pid = -1
                self._say(failed=number, why=f"no process can be started: {error.strerror}", again=True)
            if pid == 0:
                others = [each for other in self._running.values() for each in (other.frames, other.word)]
                for each in (*self._private, *others, hears):
                    os.close(each)
                self._channel.detach()
                signal.set_wakeup_fd(-1)
                return Birth(request, descriptors, parent, says)
            os.close(says)
            if pid > 0:
                slot = None if request["serving"] else self.slots[request["slot"]]
                self._running[number] = Running(number, pid, slot, descriptors.pop(0), hears)
            else:
                os.close(hears)
        for each in descriptors:
            os.close(each)
        return CONTINUE

    def _foresee(self, request: dict[str, Any]) -> None:
        """Do before a fork what it would do with a page copied at each step; most of it has been done already."""
        variables = request["environment"]
        for name in self._variables - variables.keys():
            del os.environ[name]
        self._variables = set(variables)
        os.environ.update(variables)
        tempfile.tempdir = variables.get("TMPDIR")
        if request["folder"]:
            with contextlib.suppress(OSError):  # the fork says so
                os.chdir(request["folder"])
        job = request.get("job", {})
        for each in job.get("cells", ()):
            self.shell.foresee(each["source"])
        if self.seals is not None:
            self.seals.current = None
            with contextlib.suppress(Exception):  # what fails fails again where it is seen
                self.seals.current = self.seals.described(job["seal"]) if "seal" in job else None

    def _end(self, running: Running, why: str) -> None:
        """Kill it and whatever it has started; it is collected afterwards."""
        running.why = running.why or why
        if not processes.kill_group(running.pid):
            with contextlib.suppress(ProcessLookupError):  # it has not begun its session yet
                os.kill(running.pid, signal.SIGKILL)

    def _collect(self) -> None:
        """Take leave of processes that have ended; tell of experiments of which nothing is left."""
        mine = {each.pid: each for each in self._running.values()}
        with contextlib.suppress(ChildProcessError):
            for _ in range(MOST_AT_ONCE):  # others come next, lest an experiment that makes orphans keeps this busy
                pid, status, used = os.wait4(-1, os.WNOHANG)
                if not pid:
                    break
                if (running := mine.get(pid)) is not None:
                    running.status = os.waitstatus_to_exitcode(status)
                    # The system's peak has pages of files in it: those that were seen, or may have been read.
                    running.peak = max(running.peak, used.ru_maxrss * 1024 - max(running.files, self._mapped))
                    running.cpu = used.ru_utime + used.ru_stime
        for running in [each for each in self._running.values() if each.status is not None]:
            if not processes.kill_group(running.pid):
                del self._running[running.number]
                born = bool(os.read(running.word, 1))
                os.close(running.word)
                os.close(running.frames)
                if self._snapshots:
                    self._sweep()
                self._say(
                    ended=running.number,
                    born=born,
                    status=running.status,
                    why=running.why,
                    peak=max(0, running.peak - self._own),
                    cpu=running.cpu,
                    left=running.slot.left() if running.slot is not None else {},
                )

    def _sweep(self) -> None:
        """End orphans that belong to no experiment: what a snapshot left when it died."""
        mine = {each.pid for each in self._running.values()}
        for pid in processes.children(os.getpid()):
            if pid not in mine and processes.session(pid) not in mine:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)

    def _sessions(self) -> dict[int, list[int]]:
        """The processes of each experiment, by its leader; what has too many is ended.

        That is done at once: while a fork bomb grows faster than it is counted, the count would have no end.
        """
        leaders = {each.pid: each for each in self._running.values()}
        found: dict[int, list[int]] = {pid: [] for pid in leaders}
        most = self._setup.get("processes", 0)
        for pid in processes.tree(os.getpid()):
            if (leader := processes.session(pid)) in found:
                found[leader].append(pid)
                if 0 < most < len(found[leader]):
                    self._end(leaders[leader], f"it had more than {most} processes")
        return found

    def _look(self) -> None:
        """End what holds too much memory or disk, or has too many processes, or prints without end."""
        sessions = self._sessions()
        self._looks += 1
        held: dict[int, int] = {}
        for running in self._running.values():
            pids = sessions[running.pid]
            found = {pid: processes.memory(pid) for pid in pids}
            held[running.number] = sum(max(0, each.held - self._own) for each in found.values())
            if running.pid in found:
                running.files = max(running.files, found[running.pid].files)
            if self._looks % NAMELESS_LOOKS == 0:
                running.nameless = nameless(pids)[0]
                running.threads = sum(processes.threads(pid) for pid in pids)
            held[running.number] += running.nameless
            running.peak = max(running.peak, held[running.number] + self._own)
            if 0 < THREADS * self._setup.get("processes", 0) < running.threads:
                self._end(running, f"it had more than {THREADS * self._setup['processes']:,} threads")
            elif running.slot is not None and running.slot.printed() > PRINTED_BYTES:
                self._end(running, f"it wrote more than {PRINTED_BYTES:,} bytes to its output without a pause")
            elif os.fstat(running.frames).st_size > FRAMES_BYTES:
                self._end(running, f"it told more than {FRAMES_BYTES:,} bytes")
        if 0 < self._setup.get("memory", 0) < sum(held.values()):
            most = max(held, key=lambda number: held[number])
            limit = self._setup["memory"] / 2**20
            why = f"it held {held[most] / 2**20:,.0f} MB of memory, and experiments may hold {limit:,.0f} MB together"
            self._end(self._running[most], why)
        if self._storage is not None and self._storage.grown():
            for running in self._running.values():
                folder = running.slot.folder if running.slot is not None else ""
                if folder and (why := self._storage.excess(folder, sessions[running.pid])):
                    self._end(running, why)

    def _say(self, **message: Any) -> None:
        self._channel.send(json.dumps(message).encode())


def main(descriptor: int) -> None:
    """Prepare, say whether that went well, then serve."""
    channel = socket.socket(fileno=descriptor)
    setup = json.loads(_received(channel))
    with contextlib.suppress(OSError):
        os.chdir(setup["folder"])
    zygote = Zygote(channel, setup)
    why = zygote.prepare()
    ready = {"ready": True, "layers": zygote.layers, "names": zygote.names, "clocks": zygote.clocks}
    channel.send(json.dumps({"why": why, "starts": zygote.starts} if why else ready).encode())
    if not why and (birth := zygote.serve()) is not None:
        child.become(zygote, birth)


def _received(channel: socket.socket) -> bytes:
    """The first message; as it can be long, it lies in a file whose descriptor is sent."""
    _, descriptors, _, _ = socket.recv_fds(channel, LONGEST, 1)
    with os.fdopen(descriptors[0], "rb") as file:
        file.seek(0)
        return file.read()
