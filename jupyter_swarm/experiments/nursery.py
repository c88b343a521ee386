"""The runner's side of a zygote (`worker/zygote.py`): open it, have it run experiments, close it.

    runner ── keeper ── zygote ── experiment, and whatever that starts
                           ├───── experiment
                           └───── snapshot ── experiment

The keeper (`keeper.py`) lives as long as the runner holds a pipe to it; when the runner closes the pipe, or dies
however suddenly, the keeper kills the zygote and everything below and removes the scratch folder.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_swarm.cell.vocabulary import CLOCK
from jupyter_swarm.errors import LaboratoryError
from jupyter_swarm.experiments.clocks import imported
from jupyter_swarm.experiments.environment import environment
from jupyter_swarm.experiments.keeper import remove
from jupyter_swarm.experiments.line import Ended, ForkRefused, Line, LineLost
from jupyter_swarm.experiments.setup import Setup
from jupyter_swarm.experiments.slots import Slot
from jupyter_swarm.experiments.snapshots import Attempt, Snapshot, first_word

KEEPER = Path(__file__).with_name("keeper.py")
WORKER = Path(__file__).with_name("worker")
OPEN_SECONDS = 180.0
"""How long the imports may take."""


class NurseryLost(Exception):
    """The zygote has ended, or may not fork any more; what ran in it is lost."""


class Nursery:
    """A zygote at work. `open` it, `run` up to `places` at once, `close` it."""

    def __init__(self, setup: Setup, places: int) -> None:
        self.setup, self.places = setup, places
        self.layers: dict[str, str] = {}
        """Layer of the sandbox → why it is missing here, or ""."""
        self.why = ""
        """Why it cannot fork, where `open` said so."""
        self.names: frozenset[str] | None = None
        """What the code of captured functions mentions."""
        self.clocks: frozenset[str] = frozenset()
        """Names of what reads a clock, of what the notebook and the modules beside it lend."""
        self.folder = Path()
        self._imports, self._captures = setup.imports, setup.captures
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Line | None = None
        self._slots: list[Slot] = []
        self._free: list[int] = []
        self._waiting = asyncio.Semaphore(places)
        self._snapshots: set[Snapshot] = set()
        self._making, self._tidying, self._filling = 0, asyncio.Lock(), threading.Lock()
        self._cleaning: set[asyncio.Future[Any]] = set()

    # ---------------------------------------------------------------- opening and closing

    async def open(self) -> bool:
        """Start it; whether experiments can be forked here, once everything is loaded. Where not, `why` says so.

        Raises:
            LaboratoryError: the interpreter does not start.
        """
        if not hasattr(socket, "send_fds") or not hasattr(os, "memfd_create"):
            self.why = "this system cannot hand descriptors to a process"
            return False
        try:
            self._make_slots()
        except OSError as error:
            raise LaboratoryError(
                f"there is no place for experiments to work: {error.strerror or error}",
                where=str(error.filename or self.folder),
                cure="make room on the disk, or let TMPDIR name a folder that can be written",
            ) from None
        while (starts := await self._begun()) and self._without(starts):
            await self._end()
            self._make_slots()
        return not self.why

    async def _begun(self) -> str:
        """Start a zygote; what of it started threads, so that it has to be left to the forks, or ""."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._process = self._started(theirs)
            theirs.close()
            answer = await asyncio.to_thread(self._prepared, ours)
        except BaseException:
            ours.close()
            await self.close()
            raise
        finally:
            theirs.close()
        if not answer.get("ready"):
            ours.close()
            self.why = str(answer.get("why", "the process that forks experiments does not start"))
            return str(answer.get("starts", ""))
        self.why, self.layers = "", answer["layers"]
        whole = answer["names"] is not None and self._captures == self.setup.captures
        self.names, self.clocks = frozenset(answer["names"]) if whole else None, frozenset(answer["clocks"])
        self._free = list(range(self.places))
        self._line = Line(ours, self._hang_up)
        return ""

    def _without(self, starts: str) -> bool:
        """Leave an import, or the loading of what was captured, to the forks; whether there is anything left to try."""
        before = (self._imports, self._captures)
        if starts == "captures":
            self._captures = ""
        self._imports = tuple(each for each in self._imports if each != starts)
        return (self._imports, self._captures) != before

    def _make_slots(self) -> None:
        """Two slots for each place, and one for snapshots.

        A snapshot executes foreign code and must be able to write to the slots of its forks. So these have slots apart
        from those of experiments that execute the whole of their notebook, on which evidence rests.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="swarm-"))
        notebook = Path(os.path.abspath(self.setup.folder or ".")) if self.setup.mirror else None
        shut = [Path(each) for each in self.setup.shut]
        numbers = range(2 * self.places)
        names = [*(f"{'fork' if each >= self.places else 'slot'}{each % self.places}" for each in numbers), "snapshots"]
        self._slots = [Slot(self.folder / name, notebook, shut) for name in names]
        for number, slot in enumerate(self._slots):
            slot.make(mirror=number < self.places)  # the others are made when there is a first snapshot

    def _started(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        variables = environment(1) | {"IPYTHONDIR": str(self.folder / "ipython"), "PYTHONHASHSEED": "0"}
        command = [self.setup.python, str(WORKER), str(theirs.fileno())]
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", str(KEEPER), str(self.folder), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=variables,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except OSError as error:
            raise LaboratoryError(
                f"no experiment can be started: {error.strerror or error}",
                where=str(error.filename or self.setup.python),
                cure="see whether processes can be started, and whether memory is left",
            ) from None

    def _prepared(self, channel: socket.socket) -> dict[str, Any]:
        """Tell it what to load, and wait until it has."""
        setup = {
            "imports": self._imports,
            "modules": self.setup.modules,
            "captures": self._captures,
            "clocks": sorted(CLOCK | imported(self.setup.imports)),
            "folder": self.setup.folder or ".",
            "slots": [str(slot.folder) for slot in self._slots],
            "threads": self.setup.threads,
            "policy": self.setup.policy,
            "memory": self.setup.memory,
            "processes": self.setup.processes,
            "disk": self.setup.disk,
        }
        with os.fdopen(os.memfd_create("setup"), "w+b") as file:  # the disk may be full
            file.write(json.dumps(setup).encode())
            file.flush()
            try:
                socket.send_fds(channel, [b"{}"], [file.fileno()])
                channel.settimeout(OPEN_SECONDS)
                answer: dict[str, Any] = json.loads(channel.recv(100_000))
            except (OSError, ValueError):
                return {}
        return answer

    @property
    def lives(self) -> bool:
        """Whether it can run experiments."""
        return self._line is not None and self._line.lives

    @property
    def idle(self) -> bool:
        """Whether nothing runs in it."""
        return len(self._free) == self.places

    def _hang_up(self) -> None:
        """The zygote is gone, or has to go: the keeper sees to the rest."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def grant(self, found: Sequence[str]) -> None:
        """Let experiments read these files, list these folders, and read all below those that end with a slash."""
        for start in range(0, len(found), 100):
            if self._line is not None:
                self._line.tell(grant=list(found[start : start + 100]))

    async def _end(self) -> None:
        """End the zygote, and wait until nothing of it is left."""
        self._hang_up()
        while self._process is not None and self._process.poll() is None:
            await asyncio.sleep(0.002)
        self._process = None

    async def close(self) -> None:
        """End it and whatever runs in it (which is lost); nothing of it is left afterwards."""
        if self._line is not None:
            self._line.close()
        await self._end()
        for each in list(self._snapshots):
            await each.close()
        self._snapshots.clear()
        if self._cleaning:
            await asyncio.wait(self._cleaning)
        if self.folder != Path() and self.folder.exists():  # the keeper was killed, too
            await asyncio.to_thread(remove, str(self.folder))

    # ---------------------------------------------------------------- running

    async def run(
        self,
        job: Mapping[str, Any],
        seconds: float | None = None,
        keep: Path | None = None,
        snapshot: Snapshot | None = None,
        look: Callable[[bytes], str] | None = None,
    ) -> Ended:
        """Execute a job: `{"cells": [{"index", "source"}]}`. Cancelling the call kills it, and waits until it is gone.

        Args:
            job: what to execute.
            seconds: how long it may take, from the moment it is forked.
            keep: a folder, made where needed, for the files that it leaves where it works; None to drop them.
            snapshot: fork this instead of the zygote; the job then says what differs ("parameters", "reseed").
            look: sees now and then what it tells, and may end it (`Line.run`).

        Raises:
            NurseryLost: the zygote has died or may not fork.
            LineLost: the snapshot has died or may not fork; the job may be run without it.
        """
        async with self._waiting:
            if self._line is None or not self.lives:
                raise NurseryLost("the process that runs experiments has ended")
            place = self._free.pop()
            number = place if snapshot is None else self.places + place
            try:
                if snapshot is not None:
                    return await self._in_snapshot(snapshot, job, self._request(number), seconds, look)
                return await self._line.run(job, self._request(number), seconds, look=look)
            except LineLost as lost:
                if snapshot is not None and self.lives:
                    raise
                if not isinstance(lost, ForkRefused):
                    self._line.close()
                raise NurseryLost(str(lost)) from None
            finally:
                try:
                    await self._cleaned(number, keep)
                finally:
                    self._free.append(place)

    async def _cleaned(self, number: int, keep: Path | None) -> None:
        """Make a slot as it was, in a thread where there is anything to do. Cancelling cuts nothing short."""
        slot, called_off = self._slots[number], False
        if self.lives and slot.used:  # where it does not live, all is being removed
            cleaning = asyncio.ensure_future(asyncio.to_thread(slot.clean, keep))
            self._cleaning.add(cleaning)
            cleaning.add_done_callback(self._cleaning.discard)
            while not cleaning.done():
                try:
                    await asyncio.wait({cleaning})
                except asyncio.CancelledError:
                    called_off = True
        if called_off:
            raise asyncio.CancelledError

    def _request(self, number: int) -> dict[str, Any]:
        around = self._slots[number].surroundings
        place = number % self.places
        if number < 2 * self.places and place < len(self.setup.devices):
            variables = {**around["environment"], "CUDA_VISIBLE_DEVICES": self.setup.devices[place]}
            around = {**around, "environment": variables}
        return {"slot": number, **around}

    async def _in_snapshot(
        self,
        snapshot: Snapshot,
        job: Mapping[str, Any],
        request: Mapping[str, Any],
        seconds: float | None,
        look: Callable[[bytes], str] | None,
    ) -> Ended:
        snapshot.busy += 1
        try:
            return await snapshot.line.run(job, request, seconds, look=look)
        finally:
            snapshot.busy -= 1

    async def snapshot(self, job: Mapping[str, Any], seconds: float, base: Snapshot | None = None) -> Attempt:
        """Execute the beginning of a notebook once, and keep the process that has done so.

        Args:
            job: with `"stop": [cell, statement]`.
            seconds: how long that may take.
            base: a snapshot of an earlier statement.

        Raises:
            NurseryLost: the zygote is gone.
        """
        if self._line is None or not self.lives:
            raise NurseryLost("the process that runs experiments has ended")
        line = base.line if base is not None else self._line
        self._making += 1
        try:
            async with self._tidying:
                if not self._snapshots and self._making == 1:
                    await self._cleaned(2 * self.places, None)
                    self._slots[-1].make()
            making = asyncio.ensure_future(asyncio.to_thread(self._make_fork_slots))
            self._cleaning.add(making)
            making.add_done_callback(self._cleaning.discard)
            attempt = await self._snapshot(line, job, seconds)
            if not await making and attempt.snapshot is not None:  # the disk is full, or all is being removed
                await attempt.snapshot.close()
                return Attempt(None, attempt.statements)
            return attempt
        finally:
            self._making -= 1

    def _make_fork_slots(self) -> bool:
        """Whether they are there now."""
        with self._filling:
            try:
                for slot in self._slots[self.places : -1]:
                    slot.make()
            except OSError:
                return False
        return True

    async def _snapshot(self, line: Line, job: Mapping[str, Any], seconds: float) -> Attempt:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        flight = asyncio.ensure_future(line.run(job, self._request(len(self._slots) - 1), None, theirs))
        try:
            why, statements = await first_word(ours, flight, seconds)
        except BaseException:
            why = "it was called off"
            raise
        finally:
            theirs.close()
            if why:
                ours.close()
                flight.cancel()
                await asyncio.wait({flight})
                if not flight.cancelled():
                    flight.exception()
        if why:
            return Attempt(None, statements)
        made = Snapshot(Line(ours), flight)
        self._snapshots.add(made)
        flight.add_done_callback(lambda done: self._over(made, done))
        return Attempt(made, statements)

    def _over(self, snapshot: Snapshot, flight: asyncio.Future[Ended]) -> None:
        """A snapshot has ended, of itself or with the zygote."""
        self._snapshots.discard(snapshot)
        snapshot.line.close()
        if not flight.cancelled():
            flight.exception()
