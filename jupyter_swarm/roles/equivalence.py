"""What is as good as the best cell, and cheaper (`--equivalent`): which variations may be, as screening saw them.

The verdict comes from pairs on untouched seeds, as ever: each difference of the metric, shifted by what may be lost,
has to be positive, and so has the logarithm of the seconds that a run saves. The evidence for both is the lesser of the
two e-values, which is one against "either does not hold" (the mean of a minimum is no larger than that of either).
"""

from __future__ import annotations

from statistics import fmean, median

from jupyter_swarm import cell
from jupyter_swarm.state import Agent, Case, SwarmState
from jupyter_swarm.words import Hypothesis, Variation

CHEAPER = 0.9
"""Seconds of a variation over those of its reference, from which it is looked at."""
MOST = 3
"""Plans for equivalence in a swarm."""


def lead(state: SwarmState) -> Variation:
    """The best cell so far; the baseline where nothing is supported."""
    incumbent = state.incumbent()
    return state.baseline if incumbent is None else incumbent.hypothesis.variation


def candidates(state: SwarmState, margin: float) -> list[Case]:
    """Cases that screening saw no worse than the best cell by more than `margin`, and cheaper; the cheapest first.

    None where `MOST` were put to the test already.
    """
    best = lead(state)
    known = [case for case in state.cases.values() if case.about == "equivalence"]
    tested = {case.hypothesis.variation.id for case in known}
    found: dict[str, tuple[float, Case]] = {}
    for case in state.cases.values():
        name = case.hypothesis.variation.id
        if name in tested or name == best.id or case.failures or case.mark == "vetoed" or case.about != "improvement":
            continue
        seeds = [seed for seed in case.seeds if (name, seed) in state.values and (best.id, seed) in state.values]
        if not seeds:
            continue
        gain = fmean(state.objective.gain(state.values[name, seed], state.values[best.id, seed]) for seed in seeds)
        took, before = (median(state.screened[each, seed].seconds for seed in seeds) for each in (name, best.id))
        if gain > -margin and before > 0.0 and took / before < CHEAPER:
            found.setdefault(name, (took / before, case))
    ordered = sorted(found.values(), key=lambda item: (item[0], item[1].hypothesis.id))
    return [case for _, case in ordered] if len(known) < MOST else []


def hypothesis(state: SwarmState, case: Case, margin: float, agent: Agent) -> Hypothesis:
    """The hypothesis that a case's variation is as good as the best cell, and cheaper."""
    best, variation = lead(state), case.hypothesis.variation
    words = cell.describe_all(variation, state.analysis)
    than = "the cell as given" if best.id == state.baseline.id else "the best cell"
    return Hypothesis(
        id=f"H{len(state.cases) + 1}",
        statement=f"{words} is cheaper than {than}, and worse by no more than {margin:g}",
        direction=case.hypothesis.direction,
        agent=agent.id,
        variation=variation,
        reference=best,
        citations=case.hypothesis.citations,
        predicted=round(agent.promise, 4),
        equivalent=margin,
    )
