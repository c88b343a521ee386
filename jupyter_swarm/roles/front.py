"""Two objectives (`--tradeoff`): between which variations one has to choose, measured again on untouched seeds.

Screening shows each variation on a few seeds, so that its best are best by their luck, too. What it sees on the Pareto
front (nothing else is better in one objective and no worse in the other), and close behind, is measured anew; the front
of these measurements is what the report shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import NamedTuple, TypeVar

from jupyter_swarm import statistics
from jupyter_swarm.events import FrontMeasured
from jupyter_swarm.protocols import Desk, Task
from jupyter_swarm.state import Agent, SwarmState
from jupyter_swarm.words import Compromise, Experiment, Run, Variation

SEEDS = 400_000_000
RUNS = 4
"""Of each variation."""
MOST = 6
"""Variations that are measured again, the baseline among them."""
MEGABYTE = 2**20
T = TypeVar("T")


class Seen(NamedTuple):
    """A variation as screening saw it: means of both objectives."""

    variation: Variation
    hypothesis: str
    metric: float
    second: float


def value_of(run: Run, name: str) -> float | None:
    """A value that a run recorded, its seconds, or the memory that it took in MB.

    >>> value_of(Run(experiment="", value=1.0, seconds=2.0, values={"f1": 0.5}), "f1")
    0.5
    """
    if name in run.values:
        return run.values[name]
    return {"seconds": run.seconds, "peak_mb": run.peak / MEGABYTE}.get(name)


def screened(state: SwarmState) -> list[Seen]:
    """Every variation of which screening has both values, the baseline first."""
    second = state.second
    if second is None:
        return []
    names = {state.baseline.id: (state.baseline, "")}
    for case in state.cases.values():
        if case.mark != "vetoed" and not case.failures:
            names.setdefault(case.hypothesis.variation.id, (case.hypothesis.variation, case.hypothesis.id))
    runs: dict[str, list[Run]] = {}
    for (name, _), run in state.screened.items():
        runs.setdefault(name, []).append(run)
    found = []
    for name, (variation, hypothesis) in names.items():
        both = [(run.value, value_of(run, second.metric)) for run in runs.get(name, ())]
        pairs = [(first, other) for first, other in both if first is not None and other is not None]
        if pairs:
            means = [fmean(each) for each in zip(*pairs, strict=True)]
            found.append(Seen(variation, hypothesis, means[0], means[1]))
    return found


def front(items: Sequence[T], first: Callable[[T], float], second: Callable[[T], float]) -> list[T]:
    """Those that nothing else beats: as good in both and better in one. More is better in both; best `first` first.

    >>> front([(1, 1), (2, 0), (0, 2), (0, 1)], first=lambda each: each[0], second=lambda each: each[1])
    [(2, 0), (1, 1), (0, 2)]
    """
    kept: list[T] = []
    most = float("-inf")
    for each in sorted(items, key=lambda item: (-first(item), -second(item))):
        if second(each) > most:
            kept.append(each)
            most = second(each)
    return kept


def chosen(state: SwarmState) -> list[Seen]:
    """What is measured again: the baseline and the best cell, the front as screening saw it, then what was close
    behind."""
    second = state.second
    left = screened(state)
    if second is None or not left:
        return []
    incumbent = state.incumbent()
    best = incumbent.hypothesis.variation.id if incumbent is not None else ""
    picked = [each for each in left if not each.hypothesis or each.variation.id == best]
    left = [each for each in left if each not in picked]
    while left and len(picked) < MOST:
        layer = front(
            left,
            lambda each: state.objective.gain(each.metric, 0.0),
            lambda each: second.gain(each.second, 0.0),
        )
        room = MOST - len(picked)
        picked += (
            layer if len(layer) <= room else [layer[round(n * (len(layer) - 1) / (room - 1 or 1))] for n in range(room)]
        )
        left = [each for each in left if each not in layer]
    return picked


def task(state: SwarmState, agent: Agent, desk: Desk) -> Task | None:
    """Measure what is to be chosen from, once."""
    if state.second is None or state.front is not None:
        return None
    found = chosen(state)
    count = min(RUNS, desk.left("front") // (len(found) or 1))
    if len(found) < 2 or count < 2:
        return None
    runs = tuple(
        Experiment(
            code=each.variation.code,
            seed=seed,
            metric=state.objective.metric,
            context=desk.context,
            purpose="front",
            title=f"A choice between two objectives: {each.hypothesis or 'the cell as given'}",
            hypothesis=each.hypothesis,
            agent=agent.id,
            free=each.variation.free,
        )
        for each in found
        for seed in range(SEEDS, SEEDS + count)
    )
    return Task(agent.id, "validation", experiments=runs, subject="front")


def measured(state: SwarmState, experiments: Sequence[Experiment], runs: Sequence[Run | None]) -> FrontMeasured:
    """What came of it; a variation of which fewer than two runs came back is left out."""
    assert state.second is not None
    both: dict[str, list[tuple[float, float]]] = {}
    for asked, run in zip(experiments, runs, strict=True):
        values = both.setdefault(asked.hypothesis, [])
        if run is None or run.value is None:
            continue
        if (second := value_of(run, state.second.metric)) is not None:
            values.append((run.value, second))
    points = []
    for hypothesis, values in both.items():
        if len(values) < 2:
            continue
        variation = state.cases[hypothesis].hypothesis.variation if hypothesis else state.baseline
        metric, second_ = (statistics.mean_interval(each) for each in zip(*values, strict=True))
        points.append(
            Compromise(variation=variation, hypothesis=hypothesis, runs=len(values), metric=metric, second=second_)
        )
    return FrontMeasured(points=tuple(points))


def settled(state: SwarmState) -> list[Compromise]:
    """The front of what was measured again, the best metric first; [] before."""
    second = state.second
    if state.front is None or second is None:
        return []
    return front(
        state.front.points,
        lambda each: state.objective.gain(each.metric[0], 0.0),
        lambda each: second.gain(each.second[0], 0.0),
    )
