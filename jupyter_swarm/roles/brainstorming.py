"""Brainstorming: makes variations and screens them."""

from __future__ import annotations

import asyncio

from jupyter_swarm.events import HypothesisProposed
from jupyter_swarm.protocols import Brief, Desk, Idea, Task
from jupyter_swarm.roles import briefs, screening
from jupyter_swarm.roles.prospects import speaks_of
from jupyter_swarm.state import Agent, Case, Direction, SwarmState
from jupyter_swarm.words import Citation, Edit, Hypothesis

MOST_CITATIONS = 3


class Brainstorming:
    """Looks again at what is promising in a direction, else asks its mind for something new there."""

    name = "brainstorming"

    def propose(self, state: SwarmState, agent: Agent, direction: Direction | None, desk: Desk) -> Task | None:
        """A second look at a promising case, or a new hypothesis with its first run; None where ideas have run out."""
        return None if direction is None else look_or_invent(state, agent, direction, desk)

    async def perform(self, task: Task, desk: Desk) -> None:
        """Run what the task names; the ledger does the rest."""
        await asyncio.gather(*(desk.run(experiment) for experiment in task.experiments))

    def brief(self, state: SwarmState, agent: Agent, desk: Desk) -> Brief | None:
        """The whole cell; None while the agent has ideas left."""
        whole = briefs.whole(state, agent)
        return whole if desk.mind(agent.id).invent(whole) is None else None


def look_or_invent(state: SwarmState, agent: Agent, direction: Direction, desk: Desk) -> Task | None:
    """A second look at what is promising in a direction, else an idea of the mind; implementation uses it too."""
    case = screening.again(state, direction.cases, screening.prior(state, direction.id).bound)
    if case is None:
        idea = desk.mind(agent.id).invent(briefs.brief(state, agent, direction))
        if idea is not None:
            return propose_idea(state, agent, direction, idea, desk)
        case = screening.again(state, direction.cases, 0.0)
    return None if case is None else look_again(state, agent, direction, case, desk)


def look_again(state: SwarmState, agent: Agent, direction: Direction, case: Case, desk: Desk) -> Task:
    """The task of running a case on its next screening seed; tuning uses it too."""
    runs = screening.probe(state, case, screening.next_seed(case), desk.context, agent.id)
    return Task(agent.id, agent.role, direction.id, experiments=runs, subject=case.hypothesis.id)


def propose_idea(state: SwarmState, agent: Agent, direction: Direction, idea: Idea, desk: Desk) -> Task:
    """The task that announces an idea as a hypothesis and runs it for the first time; tuning uses it too."""
    hypothesis = hypothesis_of(state, agent, direction, idea)
    runs = screening.probe(state, Case(hypothesis), screening.first_seed(state), desk.context, agent.id)
    announce = (HypothesisProposed(hypothesis=hypothesis),)
    return Task(agent.id, agent.role, direction.id, announce, runs, subject=hypothesis.id)


def hypothesis_of(state: SwarmState, agent: Agent, direction: Direction | None, idea: Idea) -> Hypothesis:
    """An idea as a hypothesis about the cell that its direction starts from."""
    reference = (direction.base if direction is not None else None) or state.baseline
    found = direction.citations if direction is not None else ()
    objective = state.objective
    against = "the baseline" if reference.id == state.baseline.id else "the best cell so far"
    verb = "raises" if objective.maximize else "lowers"
    return Hypothesis(
        id=f"H{len(state.cases) + 1}",
        statement=f"{idea.statement} {verb} {objective.metric} against {against}",
        direction=direction.id if direction is not None else "claims",
        agent=agent.id,
        variation=idea.variation,
        reference=reference,
        citations=(
            *idea.citations,
            *fitting(found, idea.variation.edits[len(reference.edits) :]),
        )[:MOST_CITATIONS],
        why=idea.why,
        refuted_if=idea.refuted_if,
        parent=idea.parent,
        claim=idea.claim,
        predicted=round(agent.promise, 4),
    )


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
