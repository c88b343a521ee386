"""Norms of gradients (or of weights) that vanish or explode: over the training, or from layer to layer."""

from __future__ import annotations

import math
import re
from statistics import median

from jupyter_swarm.diagnosis import robust
from jupyter_swarm.diagnosis.case import Case
from jupyter_swarm.diagnosis.series import Curve
from jupyter_swarm.diagnosis.signs import Fact, Sign, number

KIND = "norms"
FEWEST = 6
EXPLODED = 10.0
"""Times the usual, at the end."""
SPIKES, SPIKE = 3, 50.0
"""So many values, each so many times the usual."""
VANISHED = 1e-4
"""Relative to the start; healthy norms shrink, too, but not so far."""
NOTHING = 1e-10
LAYERS = 1e4
"""The largest norm of a layer relative to the smallest."""


def norms(case: Case) -> list[Sign] | None:
    """What the series whose name says grad or norm tell."""
    curves = [each for each in case.series.of("norm") if len(each.finite) >= FEWEST] if case.series else []
    if not curves:
        return None
    found = [sign for each in curves if (sign := _exploded(each) or _vanished(each)) is not None]
    layers = _between(curves)
    return [*found, layers] if layers is not None else found


def _sizes(curve: Curve) -> list[float]:
    """Levels of the stretches of a curve, at least 0."""
    return [max(0.0, each.value) for each in robust.blocks(curve.finite)]


def _exploded(curve: Curve) -> Sign | None:
    levels = _sizes(curve)
    usual = median(levels)
    end = levels[-1]
    low = min(range(len(levels)), key=levels.__getitem__)
    grows = end > EXPLODED * usual > 0.0 or (
        end > EXPLODED * levels[low] > 0.0 and end > 3.0 * levels[0] and robust.trend(levels[low:]) > 3.0
    )
    spikes = [(step, value) for step, value in curve.finite if usual and value > SPIKE * max(usual, levels[0])]
    if not grows and len(spikes) < SPIKES:
        return None
    top = max(curve.finite, key=lambda each: each[1])
    facts = [
        Fact(says="usual", series=curve.name, value=usual),
        Fact(says="highest", series=curve.name, step=top[0], value=top[1]),
        Fact(says="at the end", series=curve.name, step=curve.finite[-1][0], value=end),
    ]
    if not grows:
        facts.append(
            Fact(says=f"{len(spikes)} spikes, the first", series=curve.name, step=spikes[0][0], value=spikes[0][1])
        )
    cure = "clipped gradients (norm 1.0), a lower rate, a longer warm-up, normalised layers or inputs"
    what = f"{curve.name} explodes" if grows else f"{curve.name} spikes again and again"
    return Sign(kind=KIND, what=what, evidence=tuple(facts), cure=cure, weight=0.75 if grows else 0.5)


def _vanished(curve: Curve) -> Sign | None:
    levels = _sizes(curve)
    top, end = max(levels[: max(1, len(levels) // 2)]), median(levels[-3:])
    if end > max(VANISHED * top, NOTHING):
        return None
    gone = next((point for point in curve.finite if abs(point[1]) <= max(VANISHED * top, NOTHING)), curve.finite[-1])
    facts = (
        Fact(says="highest of the first half", series=curve.name, value=top),
        Fact(says="as good as 0 from", series=curve.name, step=gone[0], value=gone[1]),
        Fact(says="at the end", series=curve.name, step=curve.finite[-1][0], value=end),
    )
    cure = (
        "units that died or saturated (leaky activations, another initialisation), residual connections, normalised "
        "layers; in half precision, loss scaling; and whether a scheduler has frozen the layer"
    )
    return Sign(kind=KIND, what=f"{curve.name} vanishes", evidence=facts, cure=cure, weight=0.75)


def _between(curves: list[Curve]) -> Sign | None:
    """Layers of one model whose gradients differ by orders of magnitude."""
    layers: dict[str, list[tuple[float, Curve]]] = {}
    for curve in curves:
        if re.search(r"\d", curve.name):
            layers.setdefault(re.sub(r"\d+", "#", curve.name), []).append(
                (median(abs(v) for _, v in curve.finite), curve)
            )
    for group in layers.values():
        if len(group) < 3:
            continue
        low, high = min(group, key=lambda each: each[0]), max(group, key=lambda each: each[0])
        if high[0] <= LAYERS * low[0] or not high[0]:
            continue
        facts = (
            Fact(says="usual", series=low[1].name, value=low[0]),
            Fact(says="usual", series=high[1].name, value=high[0]),
            *([Fact(says=f"a factor of 1e{math.log10(high[0] / low[0]):.0f} between them")] if low[0] else []),
        )
        cure = "residual connections, normalised layers, an initialisation that fits the activation"
        few, many = number(low[0], 2), number(high[0], 2)
        what = f"gradients vanish between layers: {low[1].name} gets {few}, {high[1].name} {many}"
        return Sign(kind=KIND, what=what, evidence=facts, cure=cure, weight=0.7)
    return None
