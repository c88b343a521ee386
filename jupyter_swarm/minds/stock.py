"""Ideas in stock: what a mind that thinks ahead has thought of, until its agents' turns come."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import NamedTuple

import msgspec

from jupyter_swarm import cell
from jupyter_swarm.errors import SwarmError
from jupyter_swarm.minds.answers import AnswerError
from jupyter_swarm.protocols import Brief, Idea
from jupyter_swarm.words import WRITTEN, Edit, Variation

MOST_EDITS = 12
"""Of one idea."""


class Thought(NamedTuple):
    """An idea in stock, the cell that it was about (its id), and its edits beyond that, which a better one may take."""

    idea: Idea
    base: str
    edits: tuple[Edit, ...]

    @property
    def target(self) -> str:
        """What it is about."""
        return WRITTEN if self.idea.variation.free or not self.edits else self.edits[0].target


class Stock:
    """Each agent's ideas, in the order in which they came."""

    def __init__(self) -> None:
        self._ideas: dict[str, list[Thought]] = {}

    def next(self, brief: Brief) -> Idea | None:
        """The agent's oldest idea that fits the brief and that nobody has tried; None where it has none."""
        thoughts = self._ideas.get(brief.agent, [])
        for thought in list(thoughts):
            try:
                if (idea := _placed(thought, brief)) is not None:
                    return idea
            except SwarmError:
                thoughts.remove(thought)  # it was tried, or what it changes is no longer there
        return None

    def targets(self, tried: Container[str], agent: str = "") -> frozenset[str]:
        """What all ideas that nobody has tried are about, or one agent's."""
        lists = [self._ideas.get(agent, [])] if agent else self._ideas.values()
        ideas = (thought for thoughts in lists for thought in thoughts)
        return frozenset(each.target for each in ideas if each.idea.claim or each.idea.variation.id not in tried)

    def keep(self, brief: Brief, ideas: Sequence[Idea]) -> int:
        """Take in the agent's ideas that are new; how many those are."""
        thoughts = self._ideas.setdefault(brief.agent, [])
        known = {thought.idea.variation.id for thought in thoughts} | brief.tried
        new = {idea.variation.id: idea for idea in ideas if idea.variation.id not in known}
        start = len(brief.base.edits)
        thoughts += (Thought(idea, brief.base.id, idea.variation.edits[start:]) for idea in new.values())
        return len(new)


def _placed(thought: Thought, brief: Brief) -> Idea | None:
    """An idea where the brief starts; None where it does not belong there.

    Raises:
        SwarmError: it is of no use any more.
    """
    idea = thought.idea
    if brief.targets and thought.target not in brief.targets:
        return None
    if thought.target == WRITTEN:
        if idea.variation.id in brief.tried:
            raise AnswerError("it has been tried")
        return idea if brief.targets else None
    if thought.base == brief.base.id and idea.variation.id not in brief.tried:
        return idea
    variation = applied(thought.edits, brief)
    statement = cell.describe_all(variation, brief.analysis, since=brief.base)
    return msgspec.structs.replace(idea, variation=variation, statement=statement)


def applied(edits: Sequence[Edit], brief: Brief) -> Variation:
    """The base after some edits, with the lock untouched.

    Raises:
        SwarmError: they do not fit, touch the lock, change nothing or were tried before.
    """
    if not edits:
        raise AnswerError("an idea needs edits, or a sketch of code")
    if len(edits) > MOST_EDITS:
        raise AnswerError(f"an idea has {MOST_EDITS} edits at most")
    variation = cell.apply(brief.analysis, edits, brief.base)
    cell.check_lock(variation.code, brief.analysis)
    if variation.id in brief.tried:
        raise AnswerError(f"{cell.describe_all(variation, brief.analysis, since=brief.base)} has been tried")
    return variation
