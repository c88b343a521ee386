"""Requests of people: appended to the ledger once, however often they arrive."""

from __future__ import annotations

import asyncio
import uuid
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from jupyter_swarm.api import Swarm
from jupyter_swarm.errors import UsageError
from jupyter_swarm.jupyter.replaced import Replaced
from jupyter_swarm.jupyter.server import words as w
from jupyter_swarm.jupyter.server.mirror import Mirror
from jupyter_swarm.jupyter.server.watching import Watch
from jupyter_swarm.state import SwarmState

REMEMBERED = 4_000
LONGEST_WAIT = 5.0
LONGEST_TEXT = 4_000
WRITERS = 8
UNANSWERED = ("pause", "resume", "stop")
"""Verbs that a runner acts on without an answer of its own."""


class Handle(Swarm):
    """A swarm whose state is the server's mirror of it, so that asking for something replays nothing.

    Args:
        mirror: of the swarm.
        starts: whether a runner may be started where none lives.
    """

    def __init__(self, mirror: Mirror, *, starts: bool = True) -> None:
        super().__init__(mirror.name, mirror.workspace)
        self._mirror, self._starts = mirror, starts

    @property
    def state(self) -> SwarmState:
        """The mirror's, up to now."""
        return self._refreshed().state

    def taken(self, id: str) -> int | None:
        """The number of the request that has this id; None where it is not there yet."""
        return self._refreshed().look(lambda state: state.taken.get(id))

    def _refreshed(self) -> Mirror:
        """The mirror; a new one where another ledger has been put in the place of this one: what was asked for is in
        that already, perhaps, and is never asked for once more."""
        try:
            self._mirror.refresh()
        except Replaced:
            self._mirror = Mirror(self.workspace, self.name)
            self._mirror.refresh()
        return self._mirror

    def ensure_runner(self) -> Swarm:
        """Start a runner where there is none, if that is allowed; else the next one finds what was asked for."""
        return super().ensure_runner() if self._starts else self


class Desk:
    """Takes requests. One that comes again (by its id) is the same one."""

    def __init__(self) -> None:
        self._taken: OrderedDict[tuple[str, str, str], asyncio.Task[int]] = OrderedDict()
        self._pool = ThreadPoolExecutor(WRITERS, thread_name_prefix="jupyter-swarm-asking")
        """Apart from those who read: they go on while a locked ledger keeps all writers waiting."""

    async def take(self, watch: Watch, name: str, asked: w.Ask, *, starts: bool = True) -> w.Taken:
        """Append a request, and wait a little for its answer.

        Args:
            watch: of the workspace.
            name: of the swarm.
            asked: for what.
            starts: whether who asks may start a runner.

        Raises:
            NoSwarm: there is no such swarm.
            UsageError: it makes no sense, or the swarm is over.
            PolicyError: an administrator does not allow it.
            LedgerError: it could not be written: it was not taken.
        """
        if len(asked.target) > LONGEST_TEXT or len(str(asked.value)) > LONGEST_TEXT or len(asked.id) > 200:
            raise UsageError("this is too long", cure=f"at most {LONGEST_TEXT:,} characters")
        mirror = await watch.mirror(name)
        key = (watch.ledger, name, asked.id)
        before = self._taken.get(key) if asked.id else None
        again = before is not None or asked.id in mirror.state.taken
        task = before if before is not None else self._begin(mirror, asked, key, starts)
        number = await asyncio.shield(task)  # it is written even if nobody waits for it any more
        if asked.verb in UNANSWERED:
            return w.Taken(number=number, again=again, done=None, answer="")
        mirror = await watch.mirror(name)  # another one, where the ledger was replaced meanwhile
        await self._answered(watch, mirror, number, min(asked.wait, LONGEST_WAIT))
        entry = await watch.run(lambda: mirror.look(lambda state: state.steering.get(number)))
        done, answer = (entry.done, entry.answer) if entry else (None, "")
        return w.Taken(number=number, again=again, done=done, answer=answer[:LONGEST_TEXT])

    def _begin(self, mirror: Mirror, asked: w.Ask, key: tuple[str, str, str], starts: bool) -> asyncio.Task[int]:
        """Append it; whoever comes with the same id meanwhile, or later, is told the same number."""
        task = asyncio.ensure_future(self._append(mirror, asked, starts))
        if asked.id:
            self._taken[key] = task
            while len(self._taken) > REMEMBERED:
                self._taken.popitem(last=False)

        def ended(_: object) -> None:
            if task.cancelled() or task.exception() is not None:  # it was not taken, and may come again
                self._taken.pop(key, None)

        task.add_done_callback(ended)
        return task

    async def _append(self, mirror: Mirror, asked: w.Ask, starts: bool) -> int:
        def work() -> int:
            return append(Handle(mirror, starts=starts), asked)

        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def _answered(self, watch: Watch, mirror: Mirror, number: int, wait: float) -> None:
        def done() -> bool:
            entry = mirror.state.steering.get(number)
            return entry is None or entry.done is not None or mirror.state.over

        await watch.until(done, wait)


def append(swarm: Handle, asked: w.Ask) -> int:
    """Append a request; its number in the ledger.

    Raises:
        UsageError: it makes no sense, or the swarm is over.
        PolicyError: an administrator does not allow it.
        LedgerError: it could not be written.
    """
    id = asked.id or uuid.uuid4().hex
    before = swarm.taken(id)
    if before is not None:
        if asked.verb in ("resume", "stop"):
            swarm.ensure_runner()  # which may be what failed, when it was written
        return before
    if asked.verb == "pause":
        state = swarm.pause(id=id)
    elif asked.verb == "resume":
        state = swarm.resume(id=id)
    elif asked.verb == "stop":
        state = swarm.stop(id=id)
    else:
        value = None if isinstance(asked.value, bool) else asked.value
        return swarm.steer(asked.verb, asked.target, value, id=id).number
    return state.taken.get(id, state.last)
