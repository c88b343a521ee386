"""New data (`--confirm`): each supported finding is measured once on data that no run has seen.

It changes no verdict: it says whether what holds over these seeds, or these splits, holds there as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from jupyter_swarm import cell, statistics
from jupyter_swarm.events import AnyEvent, HoldoutMeasured, Noted
from jupyter_swarm.protocols import Desk, Task
from jupyter_swarm.state import Agent, Case, SwarmState
from jupyter_swarm.words import Experiment, Holdout, Run, Variation

SEEDS = 300_000_000
"""Seeds of these runs begin here; all findings share them."""
PAIRS, EXACT_PAIRS = 6, 2
MOST = 8
"""Findings that are measured: the improvements that the best cell is made of first."""


def pairs(state: SwarmState) -> int:
    """How many pairs each finding gets."""
    return EXACT_PAIRS if statistics.deterministic(state.baseline_values()) else PAIRS


def due(state: SwarmState) -> list[Case]:
    """Supported findings that have not been measured on new data, and shall be; the best cell's first."""
    if state.request is None or state.request.holdout is None:
        return []
    found = [case for case in state.supported() if case.about != "ablation"][:MOST]
    best = state.incumbent()
    found.sort(key=lambda case: case is not best)
    return [case for case in found if case.hypothesis.id not in state.holdouts]


def task(state: SwarmState, agent: Agent, desk: Desk) -> Task | None:
    """Measure the next finding: variation and reference on each seed."""
    waiting = due(state)
    if not waiting:
        return None
    case, count = waiting[0], pairs(state)
    if desk.left("holdout") < 2 * count:
        return None
    hypothesis = case.hypothesis
    seeds = range(SEEDS, SEEDS + count)
    sides = (hypothesis.variation, hypothesis.reference)
    runs = tuple(_run(state, side, seed, case, agent) for seed in seeds for side in sides)
    return Task(agent.id, "validation", hypothesis.direction, experiments=runs, subject=hypothesis.id)


def measured(state: SwarmState, case: Case, runs: Mapping[tuple[str, int], Run | None]) -> list[AnyEvent]:
    """What came of it, from the runs by code and seed; no pairs where none came back."""
    hypothesis = case.hypothesis
    sides = [_code(state, side) for side in (hypothesis.variation, hypothesis.reference)]
    gains, ours, failed = [], [], [0, 0]
    for seed in range(SEEDS, SEEDS + pairs(state)):
        both = [runs.get((code, seed)) for code in sides]
        values = [run.value for run in both if run is not None and run.value is not None]
        failed = [count + (run is not None and run.reason is not None) for count, run in zip(failed, both, strict=True)]
        if len(values) == 2:
            gains.append(state.objective.gain(values[0], values[1]))
            ours.append(values[0])
    effect, low, high = (fmean(gains) if gains else 0.0), None, None
    if len(gains) > 1:
        effect, low, high = statistics.mean_interval(gains)
    found = HoldoutMeasured(
        hypothesis=hypothesis.id,
        effect=effect,
        low=low,
        high=high,
        pairs=len(gains),
        mean=fmean(ours) if ours else 0.0,
        failed=failed[0],
        failed_reference=failed[1],
    )
    why = next((run.message for run in runs.values() if run is not None and run.message), "")
    if not any(failed):
        return [found]
    count = f"{failed[0]} runs of the variation and {failed[1]} of its reference failed"
    text = f"{hypothesis.id} on new data: {count} ({why})"
    return [found, Noted(text=text, level="warning")]


def first(state: SwarmState) -> Experiment | None:
    """The cell as given on new data: run at the start, so that what is wrong with the expression is seen at once."""
    if state.request is None or state.request.holdout is None:
        return None
    return Experiment(
        code=_code(state, state.baseline),
        seed=SEEDS,
        metric=state.request.holdout.analysis.metric,
        context=state.request.holdout.context_hash,
        purpose="holdout",
        title="The cell as given, on new data",
    )


def skipped(state: SwarmState) -> str:
    """What was not measured on new data though it was supported, in words; "" where nothing is left."""
    left = [case.hypothesis.id for case in due(state)]
    return f"The budget did not pay for measuring {', '.join(left)} on new data: raise it and resume." if left else ""


def _code(state: SwarmState, variation: Variation) -> str:
    asked = _holdout(state)
    return cell.extended(variation.code, asked.analysis.metric, asked.expression)


def _run(state: SwarmState, variation: Variation, seed: int, case: Case, agent: Agent) -> Experiment:
    asked = _holdout(state)
    side = "" if variation.id == case.hypothesis.variation.id else " (its reference)"
    return Experiment(
        code=_code(state, variation),
        seed=seed,
        metric=asked.analysis.metric,
        context=asked.context_hash,
        purpose="holdout",
        title=f"On new data: {case.hypothesis.statement}{side}",
        hypothesis=case.hypothesis.id,
        agent=agent.id,
        citations=case.hypothesis.citations,
        free=variation.free,
    )


def _holdout(state: SwarmState) -> Holdout:
    assert state.request is not None
    assert state.request.holdout is not None
    return state.request.holdout
