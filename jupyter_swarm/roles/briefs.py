"""Briefs: what an agent's mind is told of the swarm's state."""

from __future__ import annotations

import zlib
from statistics import fmean

from jupyter_swarm.protocols import Attempt, Brief
from jupyter_swarm.roles import screening
from jupyter_swarm.state import Agent, Case, Direction, SwarmState
from jupyter_swarm.words import Variation

MOST_FINDINGS = 20
MOST_ATTEMPTS = 12
GOOD = 0.7
"""Posterior standard deviations above 0 from which a variation is material to combine."""


def choice_seed(state: SwarmState, agent: Agent) -> int:
    """A seed for an agent's own choices: fixed by the swarm's seed, the agent, and how far the swarm has come."""
    text = f"{state.option('seed', 0)}/{agent.id}/{len(state.cases)}/{state.experiments}"
    return zlib.crc32(text.encode())


def brief(state: SwarmState, agent: Agent, direction: Direction) -> Brief:
    """What a mind needs to invent something in a direction."""
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
        agent=agent.id,
        role=agent.role,
    )


def whole(state: SwarmState, agent: Agent, base: Variation | None = None) -> Brief:
    """What a mind needs to think about the whole cell: the best one where there is one, else the person's."""
    incumbent = state.incumbent()
    best = incumbent.hypothesis.variation if incumbent is not None else state.baseline
    return Brief(
        question=state.analysis.question,
        analysis=state.analysis,
        base=base or best,
        tried=frozenset(state.tried),
        policy=agent.policy,
        seed=choice_seed(state, agent),
        agent=agent.id,
        role=agent.role,
        objective=state.objective,
        findings=tuple(_finding(case) for case in state.findings()[:MOST_FINDINGS]),
        known=tuple(attempt(state, case) for case in _tried(state)[:MOST_ATTEMPTS]),
    )


def attempt(state: SwarmState, case: Case, tries: int = 0) -> Attempt:
    """A case as a mind may build on it or mend it."""
    return Attempt(
        hypothesis=case.hypothesis.id,
        statement=case.hypothesis.statement,
        variation=case.hypothesis.variation,
        gain=fmean(case.gains) if case.gains else None,
        error=_error(state, case) if case.failures and not case.gains else "",
        tries=tries,
    )


def _finding(case: Case) -> str:
    assert case.evidence is not None
    return f"[{case.hypothesis.id}] {case.evidence.verdict}: {case.hypothesis.statement} ({case.evidence.effect:+.4g})"


def _tried(state: SwarmState) -> list[Case]:
    """Cases that gave a value, the best first; then those that failed."""
    worked = [case for case in state.cases.values() if case.gains]
    failed = [case for case in state.cases.values() if case.failures and not case.gains]
    return [*sorted(worked, key=lambda case: -fmean(case.gains)), *failed[::-1]]


def _error(state: SwarmState, case: Case) -> str:
    """How its last failed run ended."""
    for row in reversed(state.rows.values()):
        run = row.run
        if run is not None and row.experiment.hypothesis == case.hypothesis.id and run.reason is not None:
            return f"{run.traceback}\n{run.reason}: {run.message}".strip()
    return ""


def _good(state: SwarmState, direction: Direction) -> list[Variation]:
    """Variations from the same start that screened well, best first: what `combine` works with."""
    base = (direction.base or state.baseline).id
    scored = []
    for case in state.cases.values():
        if case.hypothesis.reference.id != base or case.mark == "vetoed" or case.failures:
            continue
        where = screening.standing(state, case)
        if where.runs and where.score > GOOD:
            scored.append((where.score, case.hypothesis.variation))
    return [variation for _, variation in sorted(scored, key=lambda item: -item[0])[:8]]
