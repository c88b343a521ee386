"""Brainstorming: makes variations and screens them."""

from __future__ import annotations

import asyncio
import zlib

from jupyter_swarm.events import HypothesisProposed
from jupyter_swarm.protocols import Brief, Desk, Idea, Task
from jupyter_swarm.roles import screening
from jupyter_swarm.roles.prospects import speaks_of
from jupyter_swarm.state import Agent, Case, Direction, SwarmState
from jupyter_swarm.words import Citation, Edit, Hypothesis, Variation

MOST_CITATIONS = 3


class Brainstorming:
    """Looks again at what is promising in a direction, else asks its mind for something new there."""

    name = "brainstorming"

    def propose(self, state: SwarmState, agent: Agent, direction: Direction | None, desk: Desk) -> Task | None:
        """A second look at a promising case, or a new hypothesis with its first run; None where ideas have run out."""
        if direction is None:
            return None
        case = screening.again(state, direction.cases, screening.prior(state, direction.id).bound)
        if case is None:
            idea = desk.mind(agent.id).invent(self._brief(state, agent, direction))
            if idea is not None:
                return propose_idea(state, agent, direction, idea, desk)
            case = screening.again(state, direction.cases, 0.0)
        return None if case is None else look_again(state, agent, direction, case, desk)

    async def perform(self, task: Task, desk: Desk) -> None:
        """Run what the task names; the ledger does the rest."""
        await asyncio.gather(*(desk.run(experiment) for experiment in task.experiments))

    def _brief(self, state: SwarmState, agent: Agent, direction: Direction) -> Brief:
        return Brief(
            question=state.analysis.question,
            analysis=state.analysis,
            base=direction.base or state.baseline,
            targets=direction.targets,
            tried=frozenset(state.tried),
            good=tuple(_good(state, direction)),
            favours=direction.favours,
            policy=agent.policy,
            seed=choice_seed(state, agent),
        )


def look_again(state: SwarmState, agent: Agent, direction: Direction, case: Case, desk: Desk) -> Task:
    """The task of running a case on its next screening seed; tuning uses it too."""
    runs = screening.probe(state, case, screening.next_seed(case), desk.context, agent.id)
    return Task(agent.id, agent.role, direction.id, experiments=runs, subject=case.hypothesis.id)


def choice_seed(state: SwarmState, agent: Agent) -> int:
    """A seed for an agent's own choices: fixed by the swarm's seed, the agent, and how far the swarm has come."""
    text = f"{state.option('seed', 0)}/{agent.id}/{len(state.cases)}/{state.experiments}"
    return zlib.crc32(text.encode())


def propose_idea(state: SwarmState, agent: Agent, direction: Direction, idea: Idea, desk: Desk) -> Task:
    """The task that announces an idea as a hypothesis and runs it for the first time; tuning uses it too."""
    reference = direction.base or state.baseline
    objective = state.objective
    against = "the baseline" if reference.id == state.baseline.id else "the best cell so far"
    verb = "raises" if objective.maximize else "lowers"
    hypothesis = Hypothesis(
        id=f"H{len(state.cases) + 1}",
        statement=f"{idea.statement} {verb} {objective.metric} against {against}",
        direction=direction.id,
        agent=agent.id,
        variation=idea.variation,
        reference=reference,
        citations=fitting(direction.citations, idea.variation.edits[len(reference.edits) :]),
        predicted=round(agent.promise, 4),
    )
    runs = screening.probe(state, Case(hypothesis), screening.first_seed(state), desk.context, agent.id)
    announce = (HypothesisProposed(hypothesis=hypothesis),)
    return Task(agent.id, agent.role, direction.id, announce, runs, subject=hypothesis.id)


def fitting(citations: tuple[Citation, ...], edits: tuple[Edit, ...]) -> tuple[Citation, ...]:
    """The citations whose quotation or place names what the edits touch, best first; papers before documentation."""
    names = speaks_of(edits)
    scored = []
    for citation in citations:
        text = f"{citation.quote} {citation.place}"
        score = sum((len(names) - rank) for rank, name in enumerate(names) if name in text)
        if score:
            scored.append((citation.kind != "paper", -score, citation.start, citation))
    return tuple(item[-1] for item in sorted(scored, key=lambda item: item[:3])[:MOST_CITATIONS])


def _good(state: SwarmState, direction: Direction) -> list[Variation]:
    """Variations from the same start that screened well, best first: what `combine` works with."""
    base = (direction.base or state.baseline).id
    scored = []
    for case in state.cases.values():
        if case.hypothesis.reference.id != base or case.mark == "vetoed" or case.failures:
            continue
        where = screening.standing(state, case)
        if where.runs and where.score > 0.7:
            scored.append((where.score, case.hypothesis.variation))
    return [variation for _, variation in sorted(scored, key=lambda item: -item[0])[:8]]
