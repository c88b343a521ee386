"""The report's plots as code cells that draw themselves, and the pictures that they show before anyone runs them."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from jupyter_swarm.report import drawing
from jupyter_swarm.report.course import Point, course, thinned
from jupyter_swarm.report.phrases import duration, interval, number, plural, signed
from jupyter_swarm.state import Case, SwarmState

MOST_POINTS = 600
MOST_ROWS = 24
RENDER_SECONDS = 120.0

_RENDER = """
import json, sys
import matplotlib
matplotlib.rcdefaults()
shown = []
display = lambda data, raw, metadata: shown.append({"data": data, "metadata": metadata})
for source in json.load(sys.stdin):
    exec(compile(source, "plot", "exec"), {"display": display})
json.dump(shown, sys.stdout)
"""


class Plot(NamedTuple):
    """A code cell: its source, what it shows in words, and what the reader should know of it (Markdown)."""

    name: str
    source: str
    alt: str
    caption: str


def render(plots: Sequence[Plot], python: str = sys.executable) -> list[dict[str, Any]] | str:
    """What the cells show when run: for each its `data` and `metadata`; a message where they could not be run.

    They run in a process of their own, with Matplotlib's own defaults: the reader's kernel, in a thread of which a
    report may be written, keeps its styles and never imports Matplotlib for us.
    """
    if not plots:
        return []
    command = [python, *(() if python == sys.executable else ("-E",)), "-P", "-W", "ignore", "-c", _RENDER]
    environment = {**os.environ, "MPLBACKEND": "agg"}
    try:
        done = subprocess.run(
            command,
            input=json.dumps([plot.source for plot in plots]),
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=RENDER_SECONDS,
            cwd="/",
            env=environment,
            start_new_session=True,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{type(error).__name__}: {error}"
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or [f"it ended with code {done.returncode}"])[-1]
    try:
        shown: list[dict[str, Any]] = json.loads(done.stdout)
    except ValueError:
        return f"{python} printed something else than pictures"
    return shown


# ---------------------------------------------------------------- what is drawn


def over_time(state: SwarmState) -> Plot | None:
    """The score over the swarm's own clock; None before the first run."""
    found = course(state)
    if not found.runs:
        return None
    best, base = state.best, state.baseline_values()
    kept = [value for _, value in found.leader] + base + ([best.mean, best.low, best.high] if best else [])
    low, high, outside = _limits([value for _, value in found.runs + found.confirming], kept)
    last = max(state.clock, *(moment for moment, _ in found.runs + found.confirming), 1e-9)
    size, unit = next(
        (size, unit) for size, unit in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
        if last >= 3 * size or size == 1.0
    )  # fmt: skip

    def scaled(points: list[Point]) -> list[list[float]]:
        return [[rounded(moment / size), rounded(value)] for moment, value in thinned(points, MOST_POINTS)]

    data: dict[str, Any] = {
        "metric": labelled(state.objective.metric, 40),
        "unit": f"{unit} of the swarm's own clock",
        "end": rounded(last / size),
        "limits": [rounded(low), rounded(high)],
        "baseline": [rounded(sum(base) / len(base)), rounded(state.spread)] if base else None,
        "best": [rounded(best.mean), rounded(best.low), rounded(best.high)] if best else None,
        "leader": scaled(found.leader),
        "runs": scaled(found.runs),
        "confirming": scaled(found.confirming),
    }
    leader = number(found.leader[-1][1])
    alt = f"{labelled(state.objective.metric, 40)} over {duration(last)}: the leader of screening reached {leader}"
    alt += f", the cell as given has {number(sum(base) / len(base))}" if base else ""
    alt += f", the best cell measured again {number(best.mean)}." if best else "."
    caption = (
        "Dots are runs. The leader is whichever variation had the best mean on screening seeds at that moment: it is "
        "chosen *by* its luck too, which is why nothing is concluded from it."
    )
    count = len(found.runs) + len(found.confirming)
    drawn = len(data["runs"]) + len(data["confirming"])
    if drawn < count:
        caption += f" Of {plural(count, 'run')} {drawn:,} are drawn, evenly."
    if outside:
        caption += f" {plural(outside, 'run')} {'lies' if outside == 1 else 'lie'} outside the picture."
    return plotted("plot-course", drawing.over_time, data, alt, caption)


def effects(state: SwarmState) -> Plot | None:
    """Effects of the findings with their intervals; None without findings."""
    cases = [case for case in state.findings() if case.about == "improvement"]
    axis = f"gain in {labelled(state.objective.metric, 40)} over the reference (positive is better)"
    caption = (
        "The thick bar is the 95 % interval of the effect (it holds whenever one looks); an arrow is an end that so "
        "few pairs cannot bound. Filled circle: supported; cross: refuted; open circle: open."
    )
    if any(case.evidence is not None and case.evidence.new_data_low is not None for case in cases[:MOST_ROWS]):
        caption += " The thin line is the wider interval for new data."
    return _forest("plot-effects", cases, axis, caption, bars=False)


def shares(state: SwarmState, cases: Sequence[Case]) -> Plot | None:
    """What each change of the best cell earns in it; None where that was not tested."""
    axis = f"loss of {labelled(state.objective.metric, 40)} without this change"
    caption = "Each bar is what the best cell loses when this one change is taken back, with its 95 % interval."
    return _forest("plot-ablation", cases, axis, caption, bars=True)


def _forest(name: str, cases: Sequence[Case], axis: str, caption: str, *, bars: bool) -> Plot | None:
    shown = [case for case in cases if case.evidence is not None][:MOST_ROWS]
    if not shown:
        return None
    data = {"axis": axis, "bars": bars, "rows": [_row(case) for case in shown]}
    words = [
        f"{labelled(case.hypothesis.statement, 120)}: {signed(case.evidence.effect)} "
        f"{interval(case.evidence.low, case.evidence.high)}, {case.evidence.verdict}"
        for case in shown
        if case.evidence is not None
    ]
    if len(cases) > len(shown):
        caption += f" The first {len(shown)} of {len(cases)} are drawn; the table holds all."
    return plotted(name, drawing.effects, data, f"{axis}. {'; '.join(words)}.", caption)


def _row(case: Case) -> dict[str, Any]:
    found = case.evidence
    assert found is not None
    sign = {"supported": "✔", "refuted": "✘", "open": "○"}[found.verdict]
    label = textwrap.wrap(f"{labelled(case.hypothesis.id, 12)}  {labelled(case.hypothesis.statement, 110)}", 44)
    return {
        "label": "\n".join(label[:2]) + ("…" if len(label) > 2 else ""),
        "verdict": found.verdict,
        "shown": f"{signed(found.effect)} {sign}",
        **{name: _end(getattr(found, name)) for name in ("effect", "low", "high")},
        "new_low": _end(found.new_data_low) if found.new_data_high is not None else None,
        "new_high": _end(found.new_data_high) if found.new_data_low is not None else None,
    }


def plotted(name: str, draw: Callable[[dict[str, Any]], Any], data: dict[str, Any], alt: str, caption: str) -> Plot:
    """The cell that draws data with a function of `drawing`."""
    literal = "\n".join(f"    {key!r}: {value!r}," for key, value in data.items())
    palette = "\n".join(f"    {key!r}: {value!r}," for key, value in drawing.COLOURS.items())
    parts = [
        "# Draws the picture below from the numbers in this cell, with Matplotlib alone.\n\nfrom typing import Any",
        f"COLOURS = {{\n{palette}\n}}",
        *(_source(each) for each in (drawing.canvas, drawing.present, draw)),
        f"data = {{\n{literal}\n}}\nalt = {alt!r}\npresent({draw.__name__}(data), alt)",
    ]
    return Plot(name, "\n\n\n".join(parts), alt, caption)


def _source(function: Callable[..., Any]) -> str:
    """The source of a function without the marks that only our checkers read."""
    return re.sub(r"  # (type: ignore|noqa).*", "", inspect.getsource(function)).rstrip()


def _limits(values: Sequence[float], kept: Sequence[float]) -> tuple[float, float, int]:
    """Limits that show `kept` and all but far-off values, and how many lie outside.

    >>> _limits([0.9, 0.91, 0.92] * 20 + [1e9], [0.92])[2]
    1
    """
    ordered = sorted(values)
    count = len(ordered)
    first, last = ordered[count // 20], ordered[-1 - count // 20]
    reach = (last - first) or abs(last) * 0.05
    low = min([max(ordered[0], first - reach), *kept])
    high = max([min(ordered[-1], last + reach), *kept])
    pad = 0.06 * (high - low) or abs(high) * 0.05 or 1.0
    low, high = low - pad, high + pad
    return low, high, sum(not low <= value <= high for value in values)


def rounded(value: float) -> float:
    """As many digits as a picture can show."""
    return float(f"{value:.8g}")


def _end(value: float | None) -> float | None:
    return None if value is None else rounded(value)


def labelled(text: str, most: int) -> str:
    """Words of others for a picture: on one line, printable, not too long."""
    flat = "".join(letter if letter.isprintable() else " " for letter in " ".join(text.split()))
    return flat if len(flat) <= most else flat[: most - 1] + "…"
