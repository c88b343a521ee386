"""Plateaus: nothing is learned from the start, or learning stops at once at some step.

A curve that flattens little by little has come to its end, and is no plateau here: it is one where a straight descent
breaks off.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median

from jupyter_swarm.diagnosis import robust
from jupyter_swarm.diagnosis.case import Case
from jupyter_swarm.diagnosis.series import Curve
from jupyter_swarm.diagnosis.signs import Fact, Sign, number

KIND = "plateau"
FEWEST = 10
SMALL = 0.1
"""A change below this share of the level counts as none."""
TINY = 0.02
"""A change that is no chance counts all the same, from this share of the level on."""
GOOD = 0.9
"""A score that is flat up here has been learned before."""
FEWEST_FOR_BREAK = 30
BLOCKS = 60
WINDOW = 0.2
"""Share of the training before the break over which the descent has to be straight."""
LEFT = 0.3
"""Share of the training that has to follow the break."""
KINK = -1.0
"""Twice the difference in log likelihood: a bent line has to fit about as well as the best of many soft endings."""
ON = 0.1
"""Of the descent in the window, at most so much may follow."""


def plateau(case: Case) -> list[Sign] | None:
    """Training curves on which nothing happens, from the start or from some step on."""
    curves = [each for each in case.series.trained if len(each.finite) >= FEWEST] if case.series else []
    if not curves:
        return None
    return [sign for each in curves if (sign := _flat(each) or _broken(each)) is not None]


def _flat(curve: Curve) -> Sign | None:
    """Whether nothing is learned at all, and the curve is clear enough to say so."""
    values = [value for _, value in curve.bad]
    level = median(abs(each) for each in values)
    shake = max(robust.noise(values), robust.spread(values))
    quarter = max(2, len(values) // 4)
    head, tail = median(values[:quarter]), median(values[-quarter:])
    doubt = 3.0 * 1.25 * shake * math.sqrt(2.0 / quarter)
    if abs(head - tail) + doubt > SMALL * level or _begins_above(values, shake):
        return None
    moves = abs(robust.trend([each.value for each in robust.blocks(curve.bad)])) > 2.5
    if moves and abs(head - tail) > TINY * level:
        return None
    if curve.role == "score" and level >= GOOD:
        return None
    facts = [
        Fact(says="at the start", series=curve.name, step=curve.finite[0][0], value=curve.sign * head),
        Fact(says="at the end", series=curve.name, step=curve.finite[-1][0], value=curve.sign * tail),
        Fact(says="changes from step to step by about", series=curve.name, value=shake),
        *_guessing(curve, level),
    ]
    cure = (
        "see whether the loss reaches the parameters (gradient norms above 0, requires_grad, optimizer over the right "
        "parameters), other rates (10 times higher, 10 times lower), and whether ten examples can be learned by heart"
    )
    what = f"{curve.name} stays where it began: {number(curve.sign * tail)}"
    return Sign(kind=KIND, what=what, evidence=tuple(facts), cure=cure, weight=0.8)


def _begins_above(values: list[float], shake: float) -> bool:
    """Whether the very first values are worse than the rest: then something was learned, quickly."""
    first = values[: max(1, len(values) // 50)]
    return median(first) - median(values) > 4.0 * max(shake / math.sqrt(len(first)), 1e-12 * abs(values[0]))


def _guessing(curve: Curve, level: float) -> list[Fact]:
    """Whether a loss or a score is what guessing among some classes gives."""
    for classes in (2, 3, 4, 5, 10, 20, 100, 1000):
        chance = math.log(classes) if curve.role == "loss" else 1.0 / classes
        if math.isclose(level, chance, rel_tol=0.01):
            return [Fact(says=f"guessing among {classes} classes gives", value=chance)]
    return []


def _broken(curve: Curve) -> Sign | None:
    """Whether a straight descent breaks off, and the rest of the training is flat."""
    if len(curve.finite) < FEWEST_FOR_BREAK:
        return None
    stretches = robust.blocks(curve.bad, BLOCKS)
    levels = [each.value for each in stretches]
    shake = robust.noise(levels)
    width = max(6, round(WINDOW * len(levels)))
    for end in range(width, len(levels) - round(LEFT * len(levels)) + 1):
        before, after = levels[end - width : end], levels[end:]
        descent = _straight(before, levels[0] - min(levels), shake)
        if descent and _still(after, descent, shake, before) and _kink(levels[end - width :], width) > KINK:
            low = stretches[end]
            facts = (
                Fact(says=f"before, over {width} of {len(levels)} parts, improves by", series=curve.name,
                     step=stretches[end - width].step, value=descent),
                Fact(says="stops", series=curve.name, step=low.step, value=curve.sign * low.value),
                Fact(says="at the end", series=curve.name, step=curve.finite[-1][0],
                     value=curve.sign * median(after[-max(3, len(after) // 4) :])),
            )  # fmt: skip
            cure = (
                "see what changed there (a scheduler at rate 0, clipping, a data loader that repeats, units that died: "
                "log rate and gradient norms), and a rate that is reduced rather than cut"
            )
            what = f"{curve.name} stops improving at step {low.step:g}, from a steady descent"
            return Sign(kind=KIND, what=what, evidence=facts, cure=cure, weight=0.7)
    return None


def _straight(values: list[float], total: float, shake: float) -> float:
    """How far values descend; 0.0 where they do not do so evenly, or by too little to be sure."""
    third = len(values) // 3
    marks = [median(values[place : place + third]) for place in (0, (len(values) - third) // 2, len(values) - third)]
    drop = -robust.slope(values) * (len(values) - 1)
    if drop < max(8.0 * shake, 0.2 * total) or marks[0] <= marks[2]:
        return 0.0
    share = (marks[0] - marks[1]) / (marks[0] - marks[2])
    return drop if 0.37 <= share <= 0.63 else 0.0


def _still(after: list[float], descent: float, shake: float, before: list[float]) -> bool:
    """Whether what follows a descent is flat at once, on the level that the descent has reached."""
    part = max(3, len(after) // 4)
    head, tail = median(after[:part]), median(after[-part:])
    reached = before[0] - descent
    error = 1.25 * shake * math.sqrt(2.0 / part)
    return (
        abs(head - tail) <= ON * descent / 2.0 + 2.0 * error
        and abs(head - reached) <= ON * descent + 3.0 * shake
        and max(after) - tail <= 0.3 * descent + 4.0 * shake
    )


def _kink(values: list[float], width: int) -> float:
    """By how much (twice the log likelihood) a line that bends at `width` fits better than a decay or a sigmoid."""
    places = [float(place) for place in range(len(values))]
    bent = min(
        _misfit([min(0.0, at - width - shift) for at in places], values) for shift in (-2.0, -1.0, 0.0, 1.0, 2.0)
    )
    soft = min(_misfit(form, values) for form in _soft(places, float(width)))
    return len(values) * math.log(max(soft, 1e-300) / max(bent, 1e-300))


def _soft(places: list[float], width: float) -> Iterator[list[float]]:
    """Courses that come to their end little by little: decays that begin at once or later, sigmoids."""
    for start in (0.0, width / 6.0, width / 3.0, width / 2.0):
        for share in (0.15, 0.25, 0.35, 0.5, 0.7, 1.0):
            yield [-math.exp(-max(0.0, at - start) / (share * width)) for at in places]
    for middle in range(-2, round(width) + 1):
        for share in (0.05, 0.1, 0.15, 0.2, 0.3, 0.4):
            yield [1.0 / (1.0 + math.exp(-max(-500.0, (at - middle) / (share * width)))) for at in places]


def _misfit(form: list[float], values: list[float]) -> float:
    """Mean square of what is left of values beside `a + b · form`, relative to their variance."""
    count = len(values)
    mean, middle = sum(values) / count, sum(form) / count
    own = sum((each - mean) ** 2 for each in values)
    square = sum((each - middle) ** 2 for each in form)
    both = sum((one - middle) * (two - mean) for one, two in zip(form, values, strict=True))
    return max(1.0 - both * both / (own * square), 1e-9) if own and square else 1.0
