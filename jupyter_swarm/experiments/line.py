"""A line to a process that forks experiments (a zygote, or a snapshot): ask for one, take what it tells, end it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import msgspec

END_SECONDS = 20.0
"""How long a killed experiment may take to be gone before the line is given up."""
FRAMES_BYTES = 96_000_000
"""What one experiment may tell altogether."""
LOOK_SECONDS, LOOK_BYTES = 0.5, 1_000_000
"""How often one looks at what an experiment tells while it runs, and at how much of it."""
OVER = "s were over"
"""How the reason of one ends whose time was up."""
REQUEST_BYTES = 100_000
"""What a request may take as a message; where a job makes it longer, the job goes in a file."""
MESSAGE_BYTES = 200_000
"""What one message of such a process may take; `worker/child.py` keeps `LEFT_BYTES` well below."""
_numbers = count(1)


class _Message(msgspec.Struct):
    """What such a process says: that a job has ended, or could not be begun."""

    ended: int | None = None
    failed: int | None = None
    born: bool = True
    """Whether it had settled in; else nothing of its job was executed."""
    status: int = 0
    why: str = ""
    again: bool = False
    peak: int = 0
    cpu: float = 0.0
    left: dict[str, str] = {}


_MESSAGE = msgspec.json.Decoder(_Message)


class LineLost(Exception):
    """The process has ended, or may not fork any more; what ran in it is lost."""


class ForkRefused(LineLost):
    """The system has no process or memory left for the moment; what else runs goes on."""


@dataclass
class Ended:
    """What is left of an experiment: its frames, how it ended, and what it cost.

    `why` says why it was killed, where it was; `peak` is memory of its own in bytes, `cpu` and `seconds` its time.
    """

    frames: bytes
    status: int
    why: str = ""
    peak: int = 0
    cpu: float = 0.0
    seconds: float = 0.0
    sealed: bool = True
    """Whether its process watches what it was asked to (`worker/integrity.py`); a plain kernel does not."""

    def death(self) -> str:
        """In words, how it died; "" where it came to its end.

        >>> Ended(b"", -11).death()
        'the kernel died of SIGSEGV'
        """
        if self.why:
            return self.why
        if self.status == 0:
            return ""
        if self.status > 0:
            return f"the kernel ended by itself with exit status {self.status}"
        try:
            name = signal.Signals(-self.status).name
        except ValueError:
            name = f"signal {-self.status}"
        hint = ": perhaps the machine ran out of memory" if name == "SIGKILL" else ""
        return f"the kernel died of {name}{hint}"


@dataclass
class _Flight:
    """An experiment on its way, and the file into which it writes its frames."""

    frames: int
    answer: asyncio.Future[_Message]


class Line:
    """Lives in one event loop, from its making until `close`, or until the other side is gone.

    Args:
        channel: a SEQPACKET socket to the process.
        lost: called once when the other side is gone.
    """

    def __init__(self, channel: socket.socket, lost: Callable[[], None] = lambda: None) -> None:
        self._channel: socket.socket | None = channel
        self._lost = lost
        self._flights: dict[int, _Flight] = {}
        self._unsent: deque[tuple[bytes, list[int]]] = deque()
        channel.setblocking(False)
        asyncio.get_running_loop().add_reader(channel.fileno(), self._listen)

    @property
    def lives(self) -> bool:
        """Whether it can be asked."""
        return self._channel is not None

    async def run(
        self,
        job: Mapping[str, Any],
        request: Mapping[str, Any],
        seconds: float | None = None,
        serving: socket.socket | None = None,
        look: Callable[[bytes], str] | None = None,
    ) -> Ended:
        """Have a job executed in a fork. Cancelling the call kills it, and waits until it is gone.

        Args:
            job: what to execute.
            request: slot, folder, environment.
            seconds: how long it may take, from the moment it is forked.
            serving: for a snapshot, the socket on which it shall serve; the caller's to close.
            look: told now and then what lines of frames have come since; its answer, if any, is why to end the job.

        Raises:
            LineLost: the process has died or may not fork.
        """
        if self._channel is None:
            raise LineLost("the process that forks experiments has ended")
        loop, number = asyncio.get_running_loop(), next(_numbers)
        flight = self._flights[number] = _Flight(os.memfd_create("frames"), loop.create_future())
        began = time.monotonic()
        try:
            self._ask(number, flight, job, request, serving)
            timer = None
            if seconds is not None:
                timer = loop.call_later(seconds, self._kill, number, f"{seconds:g} {OVER}")
            if look is not None:
                loop.call_later(LOOK_SECONDS, self._look, number, look, 0)
            try:
                answer = await self._answer(number, flight)
            finally:
                if timer is not None:
                    timer.cancel()
            lasted = time.monotonic() - began
            told = os.pread(flight.frames, FRAMES_BYTES, 0)
        finally:
            del self._flights[number]
            os.close(flight.frames)
        if not answer.born and answer.status > 0:
            raise LineLost(f"a process could not be shut in: {_reason(told)}")
        return Ended(told + _printed(told, answer.left), answer.status, answer.why, answer.peak, answer.cpu, lasted)

    def _ask(
        self,
        number: int,
        flight: _Flight,
        job: Mapping[str, Any],
        request: Mapping[str, Any],
        serving: socket.socket | None,
    ) -> None:
        """Send a request; a job that is too long for a message goes in a file."""
        assert self._channel is not None
        descriptors, file = [flight.frames], -1
        request = {"fork": number, "serving": serving is not None, **request}
        body = msgspec.json.encode({**request, "job": job})
        try:
            if len(body) > REQUEST_BYTES:
                file = os.memfd_create("job")
                os.write(file, msgspec.json.encode(job))
                descriptors.append(file)
                body = msgspec.json.encode(request)
            if serving is not None:
                descriptors.append(serving.fileno())
            self._send(body, descriptors)
        except OSError as error:
            self.close()
            raise LineLost(str(error)) from None
        finally:
            if file >= 0:
                os.close(file)

    def tell(self, **message: Any) -> None:
        """Send a word that needs no answer; lost where nobody listens."""
        with contextlib.suppress(OSError):
            self._send(json.dumps(message).encode())

    def _send(self, body: bytes, descriptors: Sequence[int] = ()) -> None:
        """Send a message; where the process is busy, and the socket full, it follows in its turn.

        Raises:
            OSError: the process is gone.
        """
        if self._channel is None:
            return
        if not self._unsent:
            with contextlib.suppress(BlockingIOError):
                socket.send_fds(self._channel, [body], descriptors)
                return
            asyncio.get_running_loop().add_writer(self._channel.fileno(), self._send_rest)
        self._unsent.append((body, [os.dup(each) for each in descriptors]))

    def _send_rest(self) -> None:
        assert self._channel is not None
        while self._unsent:
            body, descriptors = self._unsent[0]
            try:
                socket.send_fds(self._channel, [body], descriptors)
            except BlockingIOError:
                return
            except OSError:
                self.close()
                return
            self._unsent.popleft()
            for each in descriptors:
                os.close(each)
        asyncio.get_running_loop().remove_writer(self._channel.fileno())

    def close(self) -> None:
        """Hang up; whatever flies is lost."""
        if self._channel is None:
            return
        with contextlib.suppress(RuntimeError, ValueError):
            asyncio.get_running_loop().remove_reader(self._channel.fileno())
            asyncio.get_running_loop().remove_writer(self._channel.fileno())
        for each in [each for _, descriptors in self._unsent for each in descriptors]:
            os.close(each)
        self._unsent.clear()
        self._channel.close()
        self._channel = None
        for flight in self._flights.values():
            if not flight.answer.done():
                flight.answer.set_exception(LineLost("the process that forks experiments has ended"))
        self._lost()

    async def _answer(self, number: int, flight: _Flight) -> _Message:
        """Wait for the end; where the caller gives up, kill it first."""
        try:
            return await asyncio.shield(flight.answer)
        except asyncio.CancelledError:
            if not flight.answer.done():
                self._kill(number, "it was called off")
                await asyncio.wait({flight.answer}, timeout=END_SECONDS)
            if flight.answer.done() and not flight.answer.cancelled():
                flight.answer.exception()
            raise

    def _kill(self, number: int, why: str) -> None:
        """Have it killed; where that does not help in time, hang up, which ends everything."""
        if self._channel is None or number not in self._flights:
            return
        self.tell(kill=number, why=why)
        asyncio.get_running_loop().call_later(END_SECONDS, self._give_up, number)

    def _look(self, number: int, look: Callable[[bytes], str], start: int) -> None:
        """Hand on what has come since, whole lines; then again after a while, until the job has ended."""
        flight = self._flights.get(number)
        if flight is None or flight.answer.done():
            return
        told = os.pread(flight.frames, LOOK_BYTES, start)
        whole = told.rfind(b"\n") + 1 or (len(told) if len(told) == LOOK_BYTES else 0)
        if whole and (why := look(told[:whole])):
            self._kill(number, why)
            return
        asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look, number, look, start + whole)

    def _give_up(self, number: int) -> None:
        if number in self._flights and not self._flights[number].answer.done():
            self.close()

    def _listen(self) -> None:
        """Take what the process says."""
        while self._channel is not None:
            try:
                body = self._channel.recv(MESSAGE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                body = b""
            try:
                message = _MESSAGE.decode(body)
            except msgspec.MsgspecError:  # it has hung up, or (a snapshot has executed foreign code) talks nonsense
                self.close()
                return
            self._heard(message)

    def _heard(self, message: _Message) -> None:
        number = message.failed if message.ended is None else message.ended
        flight = self._flights.get(number) if number is not None else None
        if number is None or flight is None or flight.answer.done():
            return
        if message.ended is None:
            flight.answer.set_exception((ForkRefused if message.again else LineLost)(message.why))
            return
        flight.answer.set_result(message)


def _reason(told: bytes) -> str:
    with contextlib.suppress(ValueError, IndexError, KeyError, TypeError):
        return str(json.loads(told.splitlines()[-1])["why"])
    return "it ended before it began"


def _printed(told: bytes, left: Mapping[str, str]) -> bytes:
    """Frames for what was printed before the end and not told: they belong to the cell that began last."""
    if not left:
        return b""
    begun = re.findall(rb'^{"cell":(\d{1,6}),"begin":', told, re.MULTILINE)
    cell = int(begun[-1]) if begun else 0
    frames = [{"cell": cell, "msg": "stream", "content": {"name": name, "text": left[name]}} for name in left]
    between = b"" if not told or told.endswith(b"\n") else b"\n"
    return between + b"".join(json.dumps(frame).encode() + b"\n" for frame in frames)
