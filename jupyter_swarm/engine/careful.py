"""A role that may be broken: what goes wrong while it proposes is noted, and the swarm goes on without the proposal."""

from __future__ import annotations

from collections.abc import Callable

from jupyter_swarm.protocols import Desk, Role, Task
from jupyter_swarm.state import Agent, Direction, SwarmState


class Careful:
    """Stands before a role (and the mind that it asks), which may be anybody's plug-in.

    Args:
        role: the role itself.
        complain: told of the agent and the error whenever a proposal fails.
    """

    def __init__(self, role: Role, complain: Callable[[Agent, Exception], None]) -> None:
        self.name = role.name
        self._role, self._complain = role, complain

    def propose(self, state: SwarmState, agent: Agent, direction: Direction | None, desk: Desk) -> Task | None:
        """What the role proposes; None where it fails."""
        try:
            return self._role.propose(state, agent, direction, desk)
        except Exception as error:
            self._complain(agent, error)
            return None

    async def perform(self, task: Task, desk: Desk) -> None:
        """Let the role do it; what it raises is the engine's to note, with the task's costs."""
        await self._role.perform(task, desk)
