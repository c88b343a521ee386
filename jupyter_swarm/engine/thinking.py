"""Thinking: agents whose minds take their time are asked beside the engine's loop, so that runs never wait for a model.

An agent is asked when it has nothing left to propose. What brings nothing new rests longer each time; a provider that
does not answer holds up its own agents alone; and when the money is spent, the others go on.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from jupyter_swarm.errors import LedgerError, SwarmError
from jupyter_swarm.events import TaskFinished
from jupyter_swarm.minds.account import Spent
from jupyter_swarm.protocols import Brief, Desk, Role, Thinker, Thoughtful
from jupyter_swarm.state import Agent

REST_RUNS = 10
"""Runs of the swarm after which an agent that had nothing new is asked again; doubled each time."""
REST_SECONDS = 5.0
"""Likewise after a failure; doubled each time."""
MOST_REST_SECONDS = 600.0
MOST_DRY = 6
AT_ONCE = 16
"""So many agents begin to think between two turns of the engine's loop, which a brief holds up a little."""


@dataclass
class _Rest:
    """How long an agent is left alone."""

    dry: int = 0
    failed: int = 0
    runs: int = 0
    """Experiments that the swarm has to have begun before it is asked again."""
    until: float = 0.0
    """The monotonic clock."""


class Thinking:
    """Lets agents think.

    Args:
        desk: what they work with.
        roles: by name.
        fresh: called when somebody has thought of something new.
    """

    def __init__(self, desk: Desk, roles: Mapping[str, Role], fresh: Callable[[], None]) -> None:
        self._desk, self._roles, self._fresh = desk, roles, fresh
        self._tasks: dict[asyncio.Task[None], Agent] = {}
        self._rests: dict[str, _Rest] = {}
        self._minds: dict[str, Thinker | None] = {}
        self._spent = False

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """Thoughts that are worth waiting for: whose provider answers."""
        return {task for task, agent in self._tasks.items() if not self._down(agent)}

    def start(self) -> None:
        """Ask whoever has nothing left."""
        for task in [task for task in self._tasks if task.done()]:
            agent = self._tasks.pop(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                self._failed(agent, error)
        state, busy, begun = self._desk.state, {agent.id for agent in self._tasks.values()}, 0
        for agent in state.agents.values():
            mind = self._thinker(agent)
            if mind is None or agent.id in busy or not agent.works or self._resting(agent):
                continue
            role = self._roles.get(agent.role)
            if not isinstance(role, Thoughtful) or mind.offers(state.tried, agent.id):
                continue
            brief = role.brief(state, agent, self._desk)
            if brief is not None:
                self._tasks[asyncio.create_task(self._think(agent, mind, brief))] = agent
                begun += 1
            if begun == AT_ONCE:
                return

    async def stop(self) -> None:
        """Cut off all thoughts."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _think(self, agent: Agent, mind: Thinker, brief: Brief) -> None:
        began = time.monotonic()
        library = self._desk.library
        hits = await asyncio.to_thread(library.search, brief.question, agent.policy.depth) if brief.question else []
        brief = msgspec.structs.replace(brief, passages=tuple(hit.passage for hit in hits))
        new = await mind.think(brief, self._desk)
        rest = self._rests.setdefault(agent.id, _Rest())
        rest.failed = 0
        rest.dry = 0 if new else min(MOST_DRY, rest.dry + 1)
        rest.runs = self._begun() + (0 if new else REST_RUNS * 2 ** (rest.dry - 1))
        seconds = round(time.monotonic() - began, 3)
        self._desk.append(TaskFinished(agent=agent.id, role=agent.role, seconds=seconds))
        if new:
            self._fresh()

    def _failed(self, agent: Agent, error: BaseException) -> None:
        """A recorded failure of that agent; it rests."""
        if isinstance(error, LedgerError):
            raise error
        rest = self._rests.setdefault(agent.id, _Rest())
        rest.failed += 1
        rest.until = time.monotonic() + min(MOST_REST_SECONDS, REST_SECONDS * 2.0 ** (rest.failed - 1))
        if isinstance(error, Spent):
            rest.until = math.inf
            if self._spent:
                return
            self._spent = True
        why = str(error) if isinstance(error, SwarmError) else f"{type(error).__name__}: {error}"
        self._desk.append(TaskFinished(agent=agent.id, role=agent.role, failed=True, why=why[:500]))

    def _resting(self, agent: Agent) -> bool:
        rest = self._rests.get(agent.id)
        return rest is not None and (time.monotonic() < rest.until or self._begun() < rest.runs)

    def _begun(self) -> int:
        return self._desk.state.experiments

    def _down(self, agent: Agent) -> bool:
        mind = self._thinker(agent)
        return mind is not None and mind.down

    def _thinker(self, agent: Agent) -> Thinker | None:
        """The agent's mind, where it is one that takes its time."""
        if agent.mind not in self._minds:
            mind = self._desk.mind(agent.id)
            self._minds[agent.mind] = mind if isinstance(mind, Thinker) else None
        return self._minds[agent.mind]
