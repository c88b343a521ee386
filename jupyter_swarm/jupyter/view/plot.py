"""Two small drawings as SVG text: the score over time, and an effect with its interval. Pure functions."""

from __future__ import annotations

import html

from jupyter_swarm.report.course import course, thinned
from jupyter_swarm.report.phrases import duration, interval, number, signed
from jupyter_swarm.state import SwarmState
from jupyter_swarm.words import Evidence

WIDTH, HEIGHT = 480, 170
LEFT, RIGHT, TOP, BOTTOM = 60, 10, 10, 22
MOST_POINTS = 400


def over_time(state: SwarmState) -> str:
    """Runs as dots, the screening leader as a line, the baseline's noise as a band, the best as a ring."""
    if state.request is None:
        return ""
    runs, confirming, leader = course(state)
    if not runs:
        return '<p class="soft">No run has come back yet.</p>'
    base = state.baseline_values()
    mean = sum(base) / len(base) if base else None
    best = state.best
    values = [value for _, value in runs + confirming] + ([best.mean, best.low, best.high] if best else [])
    low, high = min(values), max(values)
    pad = (high - low) * 0.06 or abs(high) * 0.05 or 1.0
    low, high, end = low - pad, high + pad, max(state.clock, runs[-1][0], 1e-9)

    def x(moment: float) -> str:
        return f"{LEFT + (WIDTH - LEFT - RIGHT) * min(moment / end, 1.0):.1f}"

    def y(value: float) -> str:
        return f"{TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low):.1f}"

    parts = []
    if mean is not None:
        sd = state.spread
        upper, lower = float(y(min(mean + sd, high))), float(y(max(mean - sd, low)))
        parts.append(
            f'<rect x="{LEFT}" y="{upper}" width="{WIDTH - LEFT - RIGHT}" height="{max(lower - upper, 1):.1f}" '
            'fill="currentColor" opacity=".13"><title>baseline, one standard deviation around its mean</title></rect>'
            f'<text x="{WIDTH - RIGHT - 2}" y="{max(upper - 3, 9):.1f}" text-anchor="end">baseline ± sd</text>'
        )
    for points, colour in ((confirming, "#2da44e"), (runs, "currentColor")):
        dots = "".join(f"M{x(moment)} {y(value)}h0" for moment, value in thinned(points, MOST_POINTS))
        parts.append(f'<path d="{dots}" stroke="{colour}" stroke-width="3" stroke-linecap="round" opacity=".4"/>')
    steps = "".join(f"H{x(moment)}V{y(value)}" for moment, value in thinned(leader, MOST_POINTS)[1:])
    line = f"M{x(leader[0][0])} {y(leader[0][1])}{steps}H{x(end)}"
    parts.append(f'<path d="{line}" fill="none" stroke="var(--brand)" stroke-width="1.8"/>')
    if best is not None:
        at = WIDTH - RIGHT - 4
        parts.append(
            f'<path d="M{at} {y(best.low)}V{y(best.high)}" stroke="#2da44e" stroke-width="2"/>'
            f'<circle cx="{at}" cy="{y(best.mean)}" r="4" fill="none" stroke="#2da44e" stroke-width="2">'
            "<title>best, measured again</title></circle>"
        )
    floor = HEIGHT - BOTTOM
    parts += [
        f'<path d="M{LEFT} {TOP}V{floor}H{WIDTH - RIGHT}" fill="none" stroke="currentColor" opacity=".3"/>',
        *(
            f'<text x="{LEFT - 5}" y="{float(y(value)) + 3:.1f}" text-anchor="end">{number(value, 3)}</text>'
            for value in (low + pad, (low + high) / 2, high - pad)
        ),
        f'<text x="{LEFT}" y="{HEIGHT - 6}">0</text>',
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">{duration(end)}</text>',
    ]
    label = html.escape(
        f"{state.objective.metric} over time: the leader on screening seeds is at {number(leader[-1][1])}"
        + (f", the baseline at {number(mean)}" if mean is not None else "")
    )
    return f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def reach(state: SwarmState) -> float:
    """The largest effect or interval end among the findings: the common scale of their drawings."""
    ends = [
        abs(value)
        for case in state.findings()
        if case.evidence is not None
        for value in (case.evidence.effect, case.evidence.low, case.evidence.high)
        if value is not None
    ]
    return max(ends, default=0.0) or 1.0


def effect(evidence: Evidence, scale: float, width: int = 150) -> str:
    """The effect as a dot on its interval, 0 in the middle; an unbounded end runs to the border."""

    def x(value: float | None, otherwise: float) -> float:
        share = otherwise if value is None else max(-1.0, min(1.0, value / scale))
        return width / 2 + share * (width / 2 - 5)

    low, high = x(evidence.low, -1.0), x(evidence.high, 1.0)
    colour = {"supported": "#2da44e", "refuted": "#cf4a3c", "open": "currentColor"}[evidence.verdict]
    words = html.escape(f"effect {signed(evidence.effect)}, interval {interval(evidence.low, evidence.high)}")
    return (
        f'<svg width="{width}" height="14" viewBox="0 0 {width} 14" role="img" aria-label="{words}">'
        f'<path d="M2 7H{width - 2}" stroke="currentColor" opacity=".2"/>'
        f'<path d="M{width / 2} 1V13" stroke="currentColor" opacity=".5"/>'
        f'<path d="M{low:.1f} 7H{high:.1f}" stroke="{colour}" stroke-width="3" opacity=".55"/>'
        f'<circle cx="{x(evidence.effect, 0.0):.1f}" cy="7" r="3.6" fill="{colour}"/></svg>'
    )
