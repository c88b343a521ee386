"""Two objectives: between which cells one has to choose, as a table and a picture."""

from __future__ import annotations

from typing import Any

from jupyter_swarm import cell
from jupyter_swarm.report import drawing
from jupyter_swarm.report.markdown import inline, table
from jupyter_swarm.report.phrases import number, plural
from jupyter_swarm.report.plots import Plot, labelled, plotted, rounded
from jupyter_swarm.roles import front
from jupyter_swarm.state import SwarmState
from jupyter_swarm.words import Compromise

MOST_DOTS = 400


def choices(state: SwarmState) -> str:
    """The front as it was measured again, the best metric first; "" where there is one objective."""
    second = state.second
    if second is None:
        return ""
    title = f"## Between {inline(state.objective.metric)} and {inline(second.metric)}"
    if state.front is None:
        return f"{title}\n\nNothing was measured again: the budget did not pay for it, or nothing was there to choose."
    found, measured = front.settled(state), state.front.points
    ways = ["more" if each.maximize else "less" for each in (state.objective, second)]
    beaten = len(measured) - len(found)
    text = (
        f"Of {inline(state.objective.metric)} {ways[0]} is better, of {inline(second.metric)} {ways[1]}. Each row was "
        "measured again on untouched seeds, and no other row is as good in both and better in one; the intervals are "
        "Student's, 95 %, over seeds. Which is best is yours to say. A row is no finding: whether it differs from the "
        "cell as given was not tested here."
    )
    if beaten:
        text += f" {plural(beaten, 'other cell')} measured with them {'was' if beaten == 1 else 'were'} beaten."
    rows = [[*_row(state, each)] for each in found]
    heads = ["", "Cell", f">{inline(state.objective.metric)}", f">{inline(second.metric)}", ">Runs"]
    return f"{title}\n\n{text}\n\n{table(heads, rows)}"


def _row(state: SwarmState, point: Compromise) -> list[str]:
    words = cell.describe_all(point.variation, state.analysis) if point.hypothesis else "The cell as given"
    return [inline(point.hypothesis), inline(words), _around(point.metric), _around(point.second), str(point.runs)]


def _around(found: tuple[float, float, float]) -> str:
    mean, low, high = found
    return f"{number(mean)} \\[{number(low)}, {number(high)}\\]"


def picture(state: SwarmState) -> Plot | None:
    """Screening as dots, what was measured again with intervals, the front as a line; None before."""
    second, found = state.second, front.settled(state)
    if second is None or state.front is None or not found:
        return None
    best = {id(each) for each in found}
    data: dict[str, Any] = {
        "metric": labelled(state.objective.metric, 40),
        "second": labelled(second.metric, 40),
        "seen": [[rounded(each.second), rounded(each.metric)] for each in front.screened(state)[:MOST_DOTS]],
        "front": [_drawn(each) for each in sorted(found, key=lambda each: each.second[0])],
        "beaten": [_drawn(each) for each in state.front.points if id(each) not in best],
    }
    ends = f"{number(found[0].metric[0])} at {number(found[0].second[0])}"
    if len(found) > 1:
        ends += f" to {number(found[-1].metric[0])} at {number(found[-1].second[0])}"
    alt = f"{data['metric']} against {data['second']}: {plural(len(found), 'cell')} on the front, from {ends}."
    caption = "Small dots are variations as screening saw them, on few seeds: those at the edge are there by luck, too."
    return plotted("plot-front", drawing.trade, data, alt, caption)


def _drawn(point: Compromise) -> dict[str, Any]:
    return {
        "name": labelled(point.hypothesis or "as given", 12),
        "metric": [rounded(each) for each in point.metric],
        "second": [rounded(each) for each in point.second],
    }
