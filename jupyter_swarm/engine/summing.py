"""The last words of a swarm with a language model: a summary, each sentence checked against the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from jupyter_swarm.errors import SwarmError
from jupyter_swarm.events import AnyEvent, SummaryWritten, TaskFinished
from jupyter_swarm.protocols import Mind
from jupyter_swarm.report import prose
from jupyter_swarm.state import SwarmState

TIMEOUT_SECONDS = 60.0


@runtime_checkable
class Writer(Protocol):
    """A mind that can write."""

    name: str

    @property
    def down(self) -> bool:
        """Whether nobody answers it at the moment."""
        ...

    async def summarise(self, agent: str, question: str, facts: str) -> tuple[str, ...]:
        """Sentences over the facts."""
        ...


async def summary(state: SwarmState, minds: Mapping[str, Mind]) -> list[AnyEvent]:
    """A summary by the first mind that can write one; [] where none can or there is nothing to say."""
    writer = next((mind for mind in minds.values() if isinstance(mind, Writer) and not mind.down), None)
    if writer is None or not state.findings() or state.summary is not None:
        return []
    agent = next((each.id for each in state.agents.values() if each.mind == writer.name), "")
    known = prose.facts(state)
    try:
        said = await asyncio.wait_for(
            writer.summarise(agent, state.analysis.question, "\n".join(known.values())), TIMEOUT_SECONDS
        )
    except (SwarmError, TimeoutError) as error:
        return [TaskFinished(agent=agent, role="report", failed=True, why=str(error)[:500] or "it took too long")]
    kept, struck = prose.sifted(said, known)
    return [SummaryWritten(agent=agent, model=writer.name, sentences=tuple(kept), struck=len(struck))]
