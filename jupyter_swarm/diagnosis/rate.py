"""The rate, judged from the curve: too high (it swings, jumps up again and again, or blows up after a good start), or
too low (a straight, slow descent that ends far from where it leads).
"""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import median

from jupyter_swarm.diagnosis import robust
from jupyter_swarm.diagnosis.case import Case
from jupyter_swarm.diagnosis.series import Curve, Series
from jupyter_swarm.diagnosis.signs import Fact, Sign, number

HIGH, LOW = "rate too high", "rate too low"
FEWEST = 16
MOST = 1200
"""Points of a curve that are looked at."""
ECHO = 0.5
"""Autocorrelation from which a curve swings."""
WIDE = 0.15
"""Width of the swing, relative to what was gained (or to the level, where nothing was)."""
JUMPS, JUMP = 3, 6.0
"""So many jumps up, each so many times the usual step, make a sawtooth."""
BLOWN = 0.8
"""Of what was gained, so much is lost again in a blow-up."""
STRAIGHT = (0.6, 1.7)
"""Slope of each third of the curve, relative to that of the whole."""
FAR = 0.5
"""A descent that goes on as it does would need more than so many times what was gained to come to its end."""


def too_high(case: Case) -> list[Sign] | None:
    """Training curves that swing, jump or blow up."""
    curves = [each for each in case.series.trained if len(each.finite) >= FEWEST] if case.series else []
    if case.series is None or not curves:
        return None
    found = []
    for each in curves:
        facts = _blown(each) or _swings(each, case.series) or _jumps(each, case.series)
        if facts:
            found.append(_high(each, facts[0], (*facts[1], *_rates(case.series))))
    return found


def too_low(case: Case) -> list[Sign] | None:
    """Training curves that descend evenly, and end far from where they lead."""
    curves = [each for each in case.series.trained if len(each.finite) >= FEWEST] if case.series else []
    if case.series is None or not curves:
        return None
    found = []
    for each in curves:
        facts = _creeps(each)
        if facts:
            cure = "a rate 3 to 10 times higher (try a few for a few steps each), or far more steps"
            what = (
                f"{each.name} descends evenly and slowly"
                if each.role == "loss"
                else f"{each.name} moves evenly and slowly"
            )
            evidence = (*facts, *_rates(case.series))
            found.append(Sign(kind=LOW, what=what, evidence=evidence, cure=cure, weight=0.5))
    return found


def _high(curve: Curve, how: str, facts: tuple[Fact, ...]) -> Sign:
    cure = "a rate 3 to 10 times lower, a longer warm-up, clipped gradients (norm 1.0), a larger batch"
    weight = 0.85 if how.startswith("blows") else 0.6
    return Sign(kind=HIGH, what=f"{curve.name} {how}", evidence=facts, cure=cure, weight=weight)


def _rates(series: Series) -> tuple[Fact, ...]:
    """The highest rate that was logged."""
    found = []
    for curve in series.of("rate")[:2]:
        if curve.finite:
            step, value = max(curve.finite, key=lambda each: each[1])
            found.append(Fact(says="highest", series=curve.name, step=step, value=value))
    return tuple(found)


# ---------------------------------------------------------------- too high


def _blown(curve: Curve) -> tuple[str, tuple[Fact, ...]] | None:
    """A good start, and then nearly all of it lost again."""
    stretches = robust.blocks(curve.bad)
    levels = [each.value for each in stretches]
    best = min(range(len(levels)), key=levels.__getitem__)
    shake = robust.noise(levels)
    gained, lost = levels[0] - levels[best], max(levels[best:]) - levels[best]
    kept = levels[-1] - levels[best]
    if best < 2 or gained < 5.0 * shake or lost < max(BLOWN * gained, 8.0 * shake) or kept < 0.5 * gained:
        return None
    top = next(place for place in range(best, len(levels)) if levels[place] - levels[best] >= BLOWN * gained)
    if (top - best) > max(3, 0.4 * len(levels)):
        return None
    facts = (
        Fact(says="good start, down to" if curve.sign > 0 else "good start, up to", series=curve.name,
             step=stretches[best].step, value=curve.sign * levels[best]),
        Fact(says="then", series=curve.name, step=stretches[top].step, value=curve.sign * levels[top]),
    )  # fmt: skip
    return f"blows up after step {stretches[best].step:g}", facts


def _swings(curve: Curve, series: Series) -> tuple[str, tuple[Fact, ...]] | None:
    """A regular swing about its course, as wide as what was learned."""
    points = curve.bad[-MOST:]
    values = [value for _, value in points]
    half = max(3, min(len(values) // 8, 25))
    rest = [value - course for value, course in zip(values, robust.smooth(values, half), strict=True)]
    edge = half // 2
    rest = rest[edge : len(rest) - edge]
    width = robust.spread(rest)
    if not width or _cyclic(series):
        return None
    cut = [max(-3.0 * width, min(3.0 * width, each)) for each in rest]
    period = _period(cut, 2 * half)
    if not period:
        return None
    gained = max(values) - min(values)
    size = math.sqrt(sum(each * each for each in cut) / len(cut)) * 2.0
    scale = abs(median(values[: max(2, len(values) // 10)]) - median(values[-max(2, len(values) // 10) :]))
    if size < WIDE * max(scale, min(gained, 0.1 * median(abs(each) for each in values))):
        return None
    facts = (
        Fact(says=f"swings with a period of {period} points, in width about", series=curve.name, value=size),
        Fact(says="changed over the training by", series=curve.name, value=scale),
        Fact(says="autocorrelation of the swing", value=robust.echo(cut, period)),
    )
    return "swings to and fro", facts


def _period(rest: list[float], longest: int) -> int:
    """The period of a regular swing; 0 where there is none. Mere correlation has no trough before it."""
    sure = max(ECHO, 4.0 / math.sqrt(len(rest)))
    if robust.echo(rest, 1) <= -sure and robust.echo(rest, 2) >= 0.8 * sure:
        return 2
    echoes = [robust.echo(rest, lag) for lag in range(min(longest, len(rest) // 4) + 1)]
    for lag in range(3, len(echoes) - 1):
        peak = echoes[lag] >= sure and echoes[lag] >= echoes[lag - 1] and echoes[lag] >= echoes[lag + 1]
        if peak and min(echoes[1:lag]) <= -0.2:
            return lag
    return 0


def _cyclic(series: Series) -> bool:
    """Whether the rate itself was made to swing."""
    for curve in series.of("rate"):
        values = [value for _, value in curve.finite]
        turns = sum((b - a) * (c - b) < 0 for a, b, c in zip(values, values[1:], values[2:], strict=False))
        if turns >= 3:
            return True
    return False


def _jumps(curve: Curve, series: Series) -> tuple[str, tuple[Fact, ...]] | None:
    """Jumps up that stay for a while and are worked off, again and again."""
    points = curve.bad[-MOST:]
    values = [value for _, value in points]
    steps = [b - a for a, b in pairwise(values)]
    reach = max(8, len(steps) // 12)
    found = []
    last = -reach
    for place, step in enumerate(steps):
        if step <= 0 or place - last < 4 or place < 3 or place + 4 > len(values) - 1:
            continue
        usual = 1.4826 * median(abs(each) for each in steps[max(0, place - reach) : place + reach + 1])
        usual = max(usual, 1e-9 * abs(values[place]))
        held = median(values[place + 1 : place + 5]) - median(values[place - 3 : place + 1])
        if step > JUMP * usual and held > 0.5 * step:
            found.append(place)
            last = place
    scale = max(abs(median(values[:3]) - min(values)), 0.1 * abs(median(values)))
    size = median(steps[place] for place in found) if found else 0.0
    if len(found) < JUMPS or size < WIDE * scale or _cyclic(series):
        return None
    facts = [
        Fact(says="jumps from", series=curve.name, step=points[place][0], value=curve.sign * values[place])
        for place in found[:3]
    ]
    facts.append(Fact(says=f"{len(found)} jumps, half of them larger than", series=curve.name, value=size))
    return f"jumps {len(found)} times and is worked off again (a sawtooth)", tuple(facts)


# ---------------------------------------------------------------- too low


def _creeps(curve: Curve) -> tuple[Fact, ...] | None:
    """A straight descent, still as steep at the end as at the start, that has come less than half of the way."""
    stretches = robust.blocks(curve.bad)
    levels = [each.value for each in stretches]
    shake = robust.noise(levels)
    whole = robust.slope(levels)
    gained = -whole * (len(levels) - 1)
    third = len(levels) // 3
    thirds = [robust.slope(levels[place * third : (place + 1) * third]) for place in range(3)]
    error = 3.5 * shake / third**1.5
    if gained < 6.0 * shake or robust.trend(levels) > -4.0:
        return None
    if any(not STRAIGHT[0] <= each / whole <= STRAIGHT[1] or error > 0.35 * abs(whole) for each in thirds):
        return None
    left = _left(curve, levels)
    if left is not None and left < FAR / (1.0 - FAR) * gained:
        return None
    if left is None and gained > 0.5 * abs(levels[0]):
        return None
    facts = [
        Fact(says="at the start", series=curve.name, step=stretches[0].step, value=curve.sign * levels[0]),
        Fact(says="at the end", series=curve.name, step=stretches[-1].step, value=curve.sign * levels[-1]),
        Fact(
            says=f"slope of the last third, relative to the first: {number(thirds[2] / thirds[0], 2)}",
            series=curve.name,
        ),
    ]
    if left is not None:
        facts.append(Fact(says=f"at this pace its end is {number(left / gained, 2)} trainings away", series=curve.name))
    return tuple(facts)


def _left(curve: Curve, levels: list[float]) -> float | None:
    """How far it is to the end that a curve can have: 0 of a loss, 1 of a score that lies between 0 and 1."""
    values = [value for _, value in curve.finite]
    if curve.role == "score" and min(values) >= 0.0 and max(values) <= 1.0:
        return 1.0 + levels[-1]
    if curve.role == "loss" and min(values) >= 0.0:
        return levels[-1]
    return None
