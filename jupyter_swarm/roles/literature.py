"""Literature: reads the library for a direction, cites what speaks of it, and favours the variations that are named."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec

from jupyter_swarm.errors import SwarmError
from jupyter_swarm.events import EvidenceFound, TaskFinished
from jupyter_swarm.protocols import Brief, Desk, Hit, Task, Thinker
from jupyter_swarm.roles import briefs
from jupyter_swarm.roles.prospects import terms_of
from jupyter_swarm.state import Agent, Direction, SwarmState
from jupyter_swarm.words import Citation

MOST_CITATIONS = 8


class Literature:
    """One search of the library for each direction, and again for each that is opened later."""

    name = "literature"

    def propose(self, state: SwarmState, agent: Agent, direction: Direction | None, desk: Desk) -> Task | None:
        """A search for a direction that nobody has searched for."""
        if direction is None or direction.searched or direction.closed:
            return None
        return Task(agent.id, self.name, direction.id, subject=direction.title)

    async def perform(self, task: Task, desk: Desk) -> None:
        """Search in a thread, so that the engine never waits for a model, and write down what was found."""
        state = desk.state
        direction, agent = state.directions[task.direction], state.agents[task.agent]
        mind = desk.mind(agent.id)
        if isinstance(mind, Thinker) and not mind.down:
            desk.append(await _read(state, agent, direction, mind, desk))
            return
        found = await asyncio.to_thread(look_up, state, agent, direction.title, direction.targets, direction, desk)
        desk.append(found)


async def _read(state: SwarmState, agent: Agent, direction: Direction, mind: Thinker, desk: Desk) -> EvidenceFound:
    """What a mind that takes its time reads, and what the rules find beside it; the rules alone where it fails."""
    by_rule = await asyncio.to_thread(look_up, state, agent, direction.title, direction.targets, direction, desk)
    base = direction.base or state.baseline
    brief = msgspec.structs.replace(briefs.whole(state, agent, base), targets=direction.targets)
    terms = terms_of(state, direction.targets, base)
    try:
        found = await mind.look_up(brief, desk, (direction.title, *by_rule.query.split(" | ")), terms)
    except SwarmError as error:
        desk.append(TaskFinished(agent=agent.id, role=agent.role, failed=True, why=str(error)[:500]))
        return by_rule
    favours = desk.mind(agent.id).favours(brief, found.texts) if found.texts else {}
    return msgspec.structs.replace(
        by_rule,
        query=" | ".join((by_rule.query, *found.queries))[:500],
        citations=tuple(dict.fromkeys((*found.citations, *by_rule.citations)))[:MOST_CITATIONS],
        favours={
            name: max(favours.get(name, 0.0), by_rule.favours.get(name, 0.0)) for name in favours | by_rule.favours
        },
        sentences=found.sentences,
        contradictions=found.contradictions,
    )


def look_up(
    state: SwarmState, agent: Agent, title: str, targets: tuple[str, ...], direction: Direction | None, desk: Desk
) -> EvidenceFound:
    """What the library says about some targets: citations that name them, and favours for the variations they name."""
    base = (direction.base if direction else None) or state.baseline
    brief = Brief(
        question=state.analysis.question,
        analysis=state.analysis,
        base=base,
        targets=targets,
        policy=agent.policy,
    )
    mind = desk.mind(agent.id)
    queries = mind.queries(brief)
    hits = _fused([desk.library.search(query, agent.policy.depth) for query in [title, *queries]])
    terms = terms_of(state, targets, base)
    cited = [desk.library.cite(hit.passage, terms) for hit in hits]
    texts = [f"{hit.passage.place} {hit.passage.text}" for hit in hits]
    return EvidenceFound(
        agent=agent.id,
        direction=direction.id if direction else "",
        query=" | ".join(queries)[:500],
        citations=tuple(_chosen(citation for citation in cited if _names(citation, terms))),
        favours=mind.favours(brief, texts[: 2 * agent.policy.depth]),
    )


def _chosen(citations: Iterable[Citation]) -> list[Citation]:
    """The first of each kind: documentation, of which there is most, leaves half of the room to papers."""
    each = list(dict.fromkeys(citations))
    papers = [citation for citation in each if citation.kind == "paper"]
    documentation = [citation for citation in each if citation.kind != "paper"]
    half = MOST_CITATIONS // 2
    return [*papers[: MOST_CITATIONS - min(half, len(documentation))], *documentation][:MOST_CITATIONS]


def _fused(lists: list[list[Hit]]) -> list[Hit]:
    """Hits of several queries by reciprocal rank (Cormack, Clarke and Büttcher 2009)."""
    score: dict[str, float] = {}
    best: dict[str, Hit] = {}
    for hits in lists:
        for rank, hit in enumerate(hits):
            score[hit.passage.id] = score.get(hit.passage.id, 0.0) + 1.0 / (60 + rank)
            best.setdefault(hit.passage.id, hit)
    return [best[name] for name in sorted(score, key=lambda name: -score[name])]


def _names(citation: Citation, terms: list[str]) -> bool:
    text = f"{citation.quote} {citation.place}"
    return any(term in text for term in terms)
