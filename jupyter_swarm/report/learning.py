"""Curves of the runs: how the cell as given, the best cell, and what screening ended early did on their way."""

from __future__ import annotations

from collections import Counter
from typing import Any

from jupyter_swarm.report import drawing
from jupyter_swarm.report.phrases import duration, plural
from jupyter_swarm.report.plots import Plot, labelled, plotted, rounded
from jupyter_swarm.state import Row, SwarmState

MOST = {"others": 40, "pruned": 20, "baseline": 3, "best": 3}


def learning(state: SwarmState) -> Plot | None:
    """The metric's curve, or the one that most runs logged; None where no run showed any."""
    rows = [row for row in state.rows.values() if row.run is not None and row.run.curves]
    names = Counter(name for row in rows for name in (row.run.curves if row.run is not None else ()))
    if not names:
        return None
    name = state.objective.metric if state.objective.metric in names else names.most_common(1)[0][0]
    groups: dict[str, list[list[list[float]]]] = {each: [] for each in MOST}
    for row in rows:
        assert row.run is not None
        group = groups[_group(state, row)]
        if name in row.run.curves and len(group) < MOST[_group(state, row)]:
            group.append([[rounded(step), rounded(value)] for step, value in row.run.curves[name]])
    pruned = [row for row in rows if row.run is not None and row.run.reason == "pruned"]
    data: dict[str, Any] = {"name": labelled(name, 40), **groups}
    drawn = sum(map(len, groups.values()))
    alt = f"{data['name']} by step: {plural(drawn, 'run')} of {len(rows):,} that showed this curve."
    caption = f"{plural(len(rows), 'run')} showed a curve"
    caption += f"; {drawn} of them are drawn." if drawn < len(rows) else "."
    if pruned:
        spent = sum(row.run.seconds for row in pruned if row.run is not None)
        caption += (
            f" Screening ended {plural(len(pruned), 'run')} early, after {duration(spent)} together; none that counts "
            "as evidence."
        )
    return plotted("plot-curves", drawing.curves, data, alt, caption)


def _group(state: SwarmState, row: Row) -> str:
    assert row.run is not None
    if row.run.reason == "pruned":
        return "pruned"
    if row.experiment.code == state.baseline.code:
        return "baseline"
    best = state.best.variation.code if state.best is not None else None
    return "best" if row.experiment.code == best else "others"
