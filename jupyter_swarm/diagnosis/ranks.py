"""Ranks of a distributed training: one that lags behind, or whose values are not those of the others."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from statistics import median

from jupyter_swarm.diagnosis import robust
from jupyter_swarm.diagnosis.case import Case
from jupyter_swarm.diagnosis.series import Curve
from jupyter_swarm.diagnosis.signs import Fact, Sign

KIND = "ranks"
FEWEST = 6
SIGMAS = 5.0
APART = 0.5
"""A median difference, in units of the noise between ranks, below which it does not count."""
BEHIND = 0.05
"""Share of the steps that a rank has to be behind, and at least two of its own."""


def ranks(case: Case) -> list[Sign] | None:
    """Every series that was logged by several ranks."""
    groups = {
        name: group
        for name, group in (case.series.ranks.items() if case.series else ())
        if sum(len(each.finite) >= FEWEST for each in group.values()) > 1
    }
    if not groups:
        return None
    found: dict[tuple[str, int], Sign] = {}
    for name, group in groups.items():
        for rank in group:
            for word, sign in (("lags", _late(name, rank, group)), ("differs", _differs(name, rank, group))):
                if sign is not None:
                    found.setdefault((word, rank), sign)
    return list(found.values())


def _late(name: str, rank: int, group: Mapping[int, Curve]) -> Sign | None:
    """Whether a rank ends before the others, or logs each step when the others are further on."""
    own = group[rank]
    others = [each for other, each in group.items() if other != rank and each.points]
    if not own.points or not others:
        return None
    last, end = own.points[-1][0], median(each.points[-1][0] for each in others)
    first = min(each.points[0][0] for each in others)
    steps = [b[0] - a[0] for a, b in zip(own.points, own.points[1:], strict=False)]
    pace = median(steps) if steps else 0.0
    if end - last > max(2.0 * pace, BEHIND * (end - first)) and len(own.points) >= 2:
        facts = (
            Fact(says="last", series=f"rank {rank} {name}", step=last, value=own.points[-1][1]),
            Fact(says="last step of the others", step=end),
        )
        return _sign(f"rank {rank} lags: it has come to step {last:g}, the others to {end:g}", facts, 0.75)
    delay = _delay(own, others)
    if delay is None or delay[0] < 2.0:
        return None
    facts = (
        Fact(says=f"steps that the others are ahead when rank {rank} logs one (median)", value=delay[0]),
        Fact(says="at the end", value=delay[1]),
    )
    return _sign(f"rank {rank} lags: the others log {delay[0]:g} steps ahead of it", facts, 0.6)


def _delay(own: Curve, others: list[Curve]) -> tuple[float, float] | None:
    """How many logged steps the others are ahead whenever a rank logs one: the median, and at the end."""
    if len(own.points) < FEWEST or not own.arrivals:
        return None
    rest = [([step for step, _ in each.points], each.arrivals) for each in others[:: max(1, len(others) // 4)][:4]]
    ahead = []
    for (step, _), arrival in zip(own.points, own.arrivals, strict=True):
        leads = [bisect_left(arrivals, arrival) - bisect_right(steps, step) for steps, arrivals in rest]
        ahead.append(float(median(leads)))
    return median(ahead), ahead[-1]


def _differs(name: str, rank: int, group: Mapping[int, Curve]) -> Sign | None:
    """Whether a rank's values lie beside those of the others, always on one side."""
    others = [dict(each.finite) for other, each in group.items() if other != rank]
    gaps, spreads, steps = [], [], []
    for step, value in robust.thinned(group[rank].finite, 400):
        known = [each[step] for each in others if step in each]
        if known:
            middle = median(known)
            gaps.append(value - middle)
            spreads += [each - middle for each in known]
            steps.append((step, value, middle))
    if len(gaps) < FEWEST or len(others) < 2:
        return None
    gap, shake = median(gaps), max(robust.spread(gaps), robust.spread(spreads))
    level = median(abs(each[2]) for each in steps)
    if abs(gap) <= max(SIGMAS * 1.25 * shake / math.sqrt(len(gaps)), APART * shake, 1e-6 * level):
        return None
    if sum((each > 0) == (gap > 0) for each in gaps) < 0.75 * len(gaps):
        return None
    step, value, middle = steps[-1]
    facts = (
        Fact(says="median difference from the others", series=f"rank {rank} {name}", value=gap),
        Fact(says="noise between ranks", value=shake),
        Fact(says="at the end", series=f"rank {rank} {name}", step=step, value=value),
        Fact(says="at the end, the others", series=name, step=step, value=middle),
    )
    return _sign(f"rank {rank} differs from the others in {name}", facts, 0.65)


def _sign(what: str, facts: tuple[Fact, ...], weight: float) -> Sign:
    if "lags" in what:
        cure = "look at its data loader (workers, a slow disk, more rows than others), its device (clock, processes)"
    else:
        cure = (
            "see to equal initial weights and rates on all ranks, its shard of the data (sampler, seed), its own errors"
        )
    return Sign(kind=KIND, what=what, evidence=facts, cure=cure, weight=weight)
