"""Implementation: writes code that no declared edit could make. Hired where there is a language model.

What it writes makes a tree whose nodes are hypotheses: drafts begin at the cell, a failed node is mended with its
traceback (a few times), a good one is gone on from. Source of the tree: AIDE (Jiang et al. 2025); here a node is kept
for what its runs show on several seeds, never for one lucky run.
"""

from __future__ import annotations

import asyncio

import msgspec

from jupyter_swarm.protocols import Attempt, Brief, Desk, Task
from jupyter_swarm.roles import briefs, screening
from jupyter_swarm.roles.brainstorming import look_or_invent
from jupyter_swarm.state import Agent, Case, Direction, SwarmState
from jupyter_swarm.words import WRITTEN

DRAFTS = 3
"""So many first ideas before any is gone on from."""
MENDINGS = 2
"""So often one failed idea is mended."""
CHILDREN = 3
"""So many ideas go on from one node."""


class Implementation:
    """Works in the direction of written code."""

    name = "implementation"

    def propose(self, state: SwarmState, agent: Agent, direction: Direction | None, desk: Desk) -> Task | None:
        """A second look at promising code, or new code with its first run; None where nothing is written."""
        if direction is None or WRITTEN not in direction.targets:
            return None
        return look_or_invent(state, agent, direction, desk)

    async def perform(self, task: Task, desk: Desk) -> None:
        """Run what the task names."""
        await asyncio.gather(*(desk.run(experiment) for experiment in task.experiments))

    def brief(self, state: SwarmState, agent: Agent, desk: Desk) -> Brief | None:
        """The node to go on from: one that failed, else one that is good, else the cell itself."""
        direction = latest(state)
        if direction is None or desk.mind(agent.id).invent(briefs.brief(state, agent, direction)) is not None:
            return None
        node = self._node(state, direction)
        base = node.variation if node is not None else direction.base or state.baseline
        whole = briefs.whole(state, agent, base)
        if node is None:
            return whole
        return _with(whole, node)

    def _node(self, state: SwarmState, direction: Direction) -> Attempt | None:
        cases = [state.cases[name] for name in direction.cases if state.cases[name].mark != "vetoed"]
        children: dict[str, int] = {}
        for case in cases:
            children[case.hypothesis.parent] = children.get(case.hypothesis.parent, 0) + 1
        for case in cases:
            if case.failures and not case.gains and case.hypothesis.id not in children:
                tries = _mendings(state, case)
                if tries < MENDINGS:
                    return briefs.attempt(state, case, tries)
        if children.get("", 0) < DRAFTS:
            return None
        good = [
            case
            for case in cases
            if case.gains
            and children.get(case.hypothesis.id, 0) < CHILDREN
            and screening.standing(state, case).score > briefs.GOOD
        ]
        best = max(good, key=lambda case: screening.standing(state, case).score, default=None)
        return briefs.attempt(state, best) if best is not None else None


def latest(state: SwarmState) -> Direction | None:
    """The direction in which code is written now: from the best cell, where it was opened for that."""
    found = [each for each in state.directions.values() if WRITTEN in each.targets and not each.closed]
    return found[-1] if found else None


def _with(brief: Brief, node: Attempt) -> Brief:
    """The brief with the node among what is known, first."""
    known = (node, *(each for each in brief.known if each.hypothesis != node.hypothesis))
    return msgspec.structs.replace(brief, known=known)


def _mendings(state: SwarmState, case: Case) -> int:
    """How many failed ancestors a failed idea has."""
    count, parent = 0, state.cases.get(case.hypothesis.parent)
    while parent is not None and parent.failures and not parent.gains:
        count, parent = count + 1, state.cases.get(parent.hypothesis.parent)
    return count
