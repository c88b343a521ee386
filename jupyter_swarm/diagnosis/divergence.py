"""Divergence: the loss rises (a score falls), and does not come back."""

from __future__ import annotations

from statistics import median

from jupyter_swarm.diagnosis import robust
from jupyter_swarm.diagnosis.case import Case
from jupyter_swarm.diagnosis.robust import Block
from jupyter_swarm.diagnosis.series import Curve
from jupyter_swarm.diagnosis.signs import Fact, Sign

KIND = "divergence"
FEWEST = 6
LOST = 0.5
"""Of what was gained, so much has to be lost again."""
LEAST = 0.1
"""The rise, relative to the best level."""
SIGMAS = 6.0
STEADY = 3.0
"""Mann and Kendall's z of what follows the best."""
LEAPT, ALL = 0.5, 0.9
"""So far above its first value, relative to it, so many values of the second half lie."""
CURE = "a rate 3 to 10 times lower, clipped gradients (norm 1.0), and the checkpoint from before it"


def divergence(case: Case) -> list[Sign] | None:
    """Training curves that end far worse than they have been."""
    curves = [each for each in case.series.trained if len(each.finite) >= FEWEST] if case.series else []
    if not curves:
        return None
    return [sign for each in curves if (sign := _diverged(each) or _leapt(each)) is not None]


def _diverged(curve: Curve) -> Sign | None:
    stretches = robust.blocks(curve.bad)
    levels = [each.value for each in stretches]
    best = min(range(len(levels)), key=lambda place: (levels[place], -place))
    rise, gained = levels[-1] - levels[best], levels[0] - levels[best]
    shake = robust.noise(levels)
    if rise <= max(SIGMAS * shake, LOST * gained, LEAST * abs(levels[best])):
        return None
    steady = robust.trend(levels[best:]) > STEADY
    beyond = levels[-1] > levels[0] + SIGMAS * shake
    return _sign(curve, stretches, best) if steady or beyond else None


def _leapt(curve: Curve) -> Sign | None:
    """Whether it was thrown far above its first values within a few steps, and stayed there."""
    points = curve.bad
    first = min(value for _, value in points[:3])
    limit = first + LEAPT * abs(first)
    later = points[len(points) // 2 :]
    if sum(value > limit for _, value in later) < ALL * len(later):
        return None
    away = next(step for step, value in points if value > limit)
    low = min(points[:3], key=lambda each: each[1])
    facts = (
        Fact(says="at the start", series=curve.name, step=low[0], value=curve.sign * first),
        Fact(says="far worse from", series=curve.name, step=away, value=curve.sign * limit),
        Fact(
            says="usual in the second half", series=curve.name, value=curve.sign * median(value for _, value in later)
        ),
    )
    what = f"{curve.name} leaps away from its start at step {away:g}, and stays there"
    return Sign(kind=KIND, what=what, evidence=facts, cure=CURE, weight=0.9)


def _sign(curve: Curve, stretches: list[Block], best: int) -> Sign:
    low, last = stretches[best], stretches[-1]
    word = "falls" if curve.role == "score" else "rises"
    since = "from the start" if best == 0 else f"after step {low.step:g}"
    facts = (
        Fact(says="at the start", series=curve.name, step=stretches[0].step, value=curve.sign * stretches[0].value),
        Fact(says="best", series=curve.name, step=low.step, value=curve.sign * low.value),
        Fact(says="at the end", series=curve.name, step=curve.finite[-1][0], value=curve.sign * last.value),
    )
    return Sign(kind=KIND, what=f"{curve.name} {word} {since}", evidence=facts, cure=CURE, weight=0.9)
