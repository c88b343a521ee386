"""NaN and infinity: in which curve they began, at which step, and what was seen before."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median

from jupyter_swarm.diagnosis.case import Case
from jupyter_swarm.diagnosis.series import Curve
from jupyter_swarm.diagnosis.signs import Fact, Sign, number

KIND = "nan"
BEFORE = 10
"""Values before the first NaN that are looked at."""
GROWN = 5.0
"""A growth over those, from which it counts as one."""


def nonfinite(case: Case) -> list[Sign] | None:
    """Where NaN or infinity began; of several curves, the first."""
    if case.series is None or not case.series.curves:
        return None
    found = [(where, curve, rank) for curve, rank in _all(case) if (where := _first(curve)) is not None]
    if not found:
        return []
    first = min(found, key=lambda each: each[1].points[each[0]][0])
    signs = [_sign(*first)]
    others = [
        f"{curve.name} at step {number(curve.points[where][0], 9)}"
        for where, curve, _ in found
        if curve is not first[1]
    ]
    if others:
        more = Fact(says=f"then: {', '.join(others[:8])}")
        signs[0] = Sign(kind=KIND, what=signs[0].what, evidence=(*signs[0].evidence, more), cure=signs[0].cure,
                        weight=signs[0].weight)  # fmt: skip
    return signs


def _all(case: Case) -> Iterator[tuple[Curve, int | None]]:
    """Every curve; by ranks where there are any."""
    assert case.series is not None
    for name, curve in case.series.curves.items():
        ranks = case.series.ranks.get(name)
        yield from ((each, rank) for rank, each in ranks.items()) if ranks else ((curve, None),)


def _first(curve: Curve) -> int | None:
    return next((place for place, (_, value) in enumerate(curve.points) if not math.isfinite(value)), None)


def _sign(where: int, curve: Curve, rank: int | None) -> Sign:
    step, value = curve.points[where]
    word = "NaN" if math.isnan(value) else "infinite"
    who = f" of rank {rank}" if rank is not None else ""
    back = sum(math.isfinite(each) for _, each in curve.points[where:])
    facts = [Fact(says=f"{word} for the first time", series=curve.name, step=step)]
    growth = ""
    if where:
        last = curve.points[where - 1]
        facts.append(Fact(says="last finite value", series=curve.name, step=last[0], value=last[1]))
        growth, seen = _before(curve, where)
        facts += seen
    if back:
        facts.append(Fact(says=f"{back} finite values follow: it came back", series=curve.name))
    return Sign(
        kind=KIND,
        what=f"{curve.name}{who} is {word} from step {number(step, 9)}" + (f", after {growth}" if growth else ""),
        evidence=tuple(facts),
        cure=_cure(where, growth),
        weight=1.0 if not back else 0.8,
    )


def _before(curve: Curve, where: int) -> tuple[str, list[Fact]]:
    """What was seen before the first NaN: "growth", "a spike", or ""."""
    points = curve.points[max(0, where - BEFORE) : where]
    sizes = [abs(value) for _, value in points]
    if len(sizes) < 3:
        return "", []
    usual = median(sizes[:-1])
    if usual and sizes[-1] > GROWN * usual and sizes[-2] <= GROWN * usual:
        step, value = points[-1]
        return "a spike", [
            Fact(
                says=f"spike, {number(sizes[-1] / usual, 3)} times the usual", series=curve.name, step=step, value=value
            )
        ]
    low = min(sizes)
    if low and sizes[-1] > GROWN * low and sizes[-1] == max(sizes):
        step, value = points[sizes.index(low)]
        return "growth", [
            Fact(says=f"grew {number(sizes[-1] / low, 3)} times since", series=curve.name, step=step, value=value)
        ]
    return "", []


def _cure(where: int, growth: str) -> str:
    if growth:
        return (
            "a lower rate, clipped gradients (norm 1.0), a longer warm-up; in half precision, loss scaling or bfloat16"
        )
    if where == 0:
        return (
            "the data and the first forward pass: NaN in X or y, a logarithm or a division of 0, a wrong initial scale"
        )
    return (
        "look at the batch of that step (NaN or an extreme value in the data, an empty group), and log, sqrt and "
        "division without a small constant; torch.autograd.set_detect_anomaly(True) names the line"
    )
