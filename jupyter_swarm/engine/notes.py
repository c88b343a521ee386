"""What a person should know once the baseline is measured: one line each, said once."""

from __future__ import annotations

from collections.abc import Iterator

from jupyter_swarm import statistics
from jupyter_swarm.engine.budget import provable
from jupyter_swarm.events import Noted
from jupyter_swarm.report.phrases import duration, plural
from jupyter_swarm.state import SwarmState

LONG_SECONDS = 20.0
"""From here on a run takes long enough for a person to want to know what the budget buys."""
EXACT = "The metric does not depend on the seed: findings are exact, and say nothing about other data."
A_RUN = "A run takes about"
LIKE = len(A_RUN)
"""Notes that begin with the same letters say the same."""


def notes(state: SwarmState, runs: int, share: float) -> list[Noted]:
    """Those that are new.

    Args:
        state: of the swarm.
        runs: what the budget still pays for.
        share: of the budget, for confirming.
    """
    said = {line[:LIKE] for _, _, line in state.log}
    return [Noted(text=text) for text in _lines(state, runs, share) if text[:LIKE] not in said]


def _lines(state: SwarmState, runs: int, share: float) -> Iterator[str]:
    if statistics.deterministic(state.baseline_values()):
        yield EXACT
    elif state.run_seconds >= LONG_SECONDS:
        tests = provable(runs * share) or " That is too few to show even twice what pairs differ by at random."
        yield f"{A_RUN} {duration(state.run_seconds)}: the budget pays for about {plural(runs, 'more run')}.{tests}"
