"""Overfitting: what is trained on gets better while what is not gets worse."""

from __future__ import annotations

from jupyter_swarm.diagnosis import robust
from jupyter_swarm.diagnosis.case import Case
from jupyter_swarm.diagnosis.series import Curve
from jupyter_swarm.diagnosis.signs import Fact, Sign

KIND = "overfitting"
FEWEST = 8
SIGMAS = 4.0
STEADY = 2.6
SHARE = 0.15
"""Of what validation gained, so much has to be lost again."""


def overfitting(case: Case) -> list[Sign] | None:
    """Pairs of training and validation that part."""
    pairs = [each for each in (case.series.pairs if case.series else []) if min(map(_size, each)) >= FEWEST]
    if not pairs:
        return None
    return [sign for train, held in pairs if (sign := _parted(train, held)) is not None]


def _size(curve: Curve) -> int:
    return len(curve.finite)


def _parted(train: Curve, held: Curve) -> Sign | None:
    stretches = robust.blocks(held.bad)
    levels = [each.value for each in stretches]
    best = min(range(len(levels)), key=levels.__getitem__)
    part = max(1, len(levels) // 8)
    end = sorted(levels[-part:])[part // 2]
    rise, gained = end - levels[best], max(levels[0] - levels[best], 0.0)
    shake = robust.noise(levels)
    if rise <= max(SIGMAS * shake, SHARE * gained, 0.02 * abs(levels[best])) or robust.trend(levels[best:]) < STEADY:
        return None
    step = stretches[best].step
    there, now = _level(train, step), robust.blocks(train.bad)[-1].value
    if now > there + 2.0 * robust.noise([value for _, value in train.bad]):
        return None
    facts = (
        Fact(says="best", series=held.name, step=step, value=held.sign * levels[best]),
        Fact(says="at the end", series=held.name, step=held.finite[-1][0], value=held.sign * end),
        Fact(says="there", series=train.name, step=step, value=train.sign * there),
        Fact(says="at the end", series=train.name, step=train.finite[-1][0], value=train.sign * now),
    )
    cure = (
        "stop where validation is best (early stopping), then more data or augmentation, weight decay, dropout, a "
        "smaller model"
    )
    word = "falls" if held.role == "score" else "rises"
    what = f"{held.name} {word} after step {step:g} while {train.name} still improves"
    return Sign(kind=KIND, what=what, evidence=facts, cure=cure, weight=0.7)


def _level(curve: Curve, step: float) -> float:
    """The badness of a curve about a step."""
    return min(robust.blocks(curve.bad), key=lambda each: abs(each.step - step)).value
