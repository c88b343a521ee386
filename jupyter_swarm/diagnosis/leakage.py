"""Leakage: validation that is too good, and features that give the target away."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from jupyter_swarm.diagnosis import robust
from jupyter_swarm.diagnosis.case import Case
from jupyter_swarm.diagnosis.data import Data, missing
from jupyter_swarm.diagnosis.series import Curve
from jupyter_swarm.diagnosis.signs import Fact, Sign

KIND, FEATURE = "leakage", "leaking feature"
FEWEST = 8
ALWAYS = 0.95
"""At so many steps validation is the better one."""
APART = 0.3
"""By so much of what training has left to learn. Dropout and augmentation make up for less."""
PERFECT, SOON = 0.995, 3
"""A score from which it is perfect, and the records within which that is at once."""
ROWS = 30
RARE = 8
"""Rows outside of the commonest class below which chance may sort them."""
WRONG = 0.02
"""Share of rows that one feature may get wrong and still gives the target away."""
EXACT = 0.999


def leakage(case: Case) -> list[Sign] | None:
    """Validation that is better than training throughout, or perfect at once."""
    if case.series is None:
        return None
    pairs = [each for each in case.series.pairs if min(len(curve.finite) for curve in each) >= FEWEST]
    scores = [each for each in case.series.of("score") if each.side in ("validation", "test") and len(each.finite) >= 2]
    if not pairs and not scores:
        return None
    found = [sign for train, held in pairs if (sign := _better(train, held)) is not None]
    return found + [sign for each in scores if (sign := _perfect(each)) is not None]


def _better(train: Curve, held: Curve) -> Sign | None:
    known = dict(train.finite)
    both = [(step, known[step], value) for step, value in held.finite if step in known]
    if len(both) < FEWEST:
        few = robust.thinned(train.finite, 500)
        both = [
            (step, min(few, key=lambda each: abs(each[0] - step))[1], value)
            for step, value in robust.thinned(held.finite, 500)
        ]
    gaps = [train.sign * (ours - theirs) for _, ours, theirs in both]
    if sum(gap > 0 for gap in gaps) < ALWAYS * len(gaps):
        return None
    late = both[-max(FEWEST // 2, len(both) // 4) :]
    left = [_left(train, ours) for _, ours, _ in late]
    gap = median(train.sign * (ours - theirs) for _, ours, theirs in late)
    if (
        not left
        or gap <= APART * median(left)
        or median(gaps) <= APART * median(_left(train, ours) for _, ours, _ in both)
    ):
        return None
    step, ours, theirs = both[-1]
    facts = (
        Fact(says=f"better than {train.name} at {sum(g > 0 for g in gaps)} of {len(gaps)} steps", series=held.name),
        Fact(says="at the end", series=train.name, step=step, value=ours),
        Fact(says="at the end", series=held.name, step=step, value=theirs),
    )
    cure = (
        "see whether rows of validation (or their near copies, or groups) are among those of training, and whether "
        "scaling or selection was fitted on all rows; strong dropout or augmentation looks alike: compare both in "
        "evaluation mode"
    )
    return Sign(
        kind=KIND, what=f"{held.name} is far better than {train.name} throughout", evidence=facts, cure=cure, weight=0.6
    )


def _left(curve: Curve, value: float) -> float:
    """What is left to learn: of a score that lies between 0 and 1, up to 1; of a loss, its size."""
    return max(1.0 - value, 0.0) if curve.role == "score" and 0.0 <= value <= 1.0 else abs(value)


def _perfect(curve: Curve) -> Sign | None:
    values = [value for _, value in curve.finite]
    if not all(0.0 <= each <= 1.0 for each in values):
        return None
    soon = next((point for point in curve.finite[:SOON] if point[1] >= PERFECT), None)
    if soon is None or median(values) < PERFECT:
        return None
    facts = (
        Fact(says="perfect already", series=curve.name, step=soon[0], value=soon[1]),
        Fact(says="usual", series=curve.name, value=median(values)),
    )
    cure = "see whether the target (or what is made of it) is among the features, and whether validation was trained on"
    return Sign(kind=KIND, what=f"{curve.name} is perfect at once", evidence=facts, cure=cure, weight=0.7)


# ---------------------------------------------------------------- features


def leaking_feature(case: Case) -> list[Sign] | None:
    """Features of which each alone gives the target."""
    data = case.data
    if data is None or len(data.columns) < 2 or len(data.target) < ROWS:
        return None
    classes = data.classes
    rare = sum(classes.values()) - max(classes.values()) if classes else 0
    if classes and rare < RARE:
        return None
    judge = _gives_label if classes else _gives_quantity
    if not classes and any(isinstance(each, str) for each in data.target):
        return None
    return [sign for name, cells in data.columns.items() if (sign := judge(name, cells, data)) is not None]


def _known(cells: Sequence[Any], target: Sequence[Any]) -> list[tuple[Any, Any]]:
    return [
        (cell, label) for cell, label in zip(cells, target, strict=True) if not missing(cell) and not missing(label)
    ]


def _gives_label(name: str, cells: Sequence[Any], data: Data) -> Sign | None:
    """Whether the rows, sorted by a feature, fall into a few runs of one label each."""
    known = _known(cells, data.target)
    if len(known) < max(ROWS, len(data.target) // 2):
        return None
    groups: dict[Any, Counter[Any]] = defaultdict(Counter)
    for cell, label in known:
        groups[cell][label] += 1
    words = any(isinstance(cell, str) for cell in groups)
    usual = [max(counts, key=counts.__getitem__) for counts in groups.values()]
    wrong = sum(sum(counts.values()) - max(counts.values()) for counts in groups.values())
    if words:
        wrong += sum(sum(counts.values()) == 1 for counts in groups.values())
    else:
        usual = [max(groups[cell], key=groups[cell].__getitem__) for cell in sorted(groups)]
        turns = sum(a != b for a, b in pairwise(usual))
        wrong += max(0, turns - (len(set(usual)) - 1))
    labels = Counter(label for _, label in known)
    guess = 1.0 - max(labels.values()) / len(known)
    if sum(labels.values()) - max(labels.values()) < RARE or wrong / len(known) > min(WRONG, 0.1 * guess):
        return None
    facts = (
        Fact(says=f"rows that {name} alone gets wrong, of {len(known)}", value=float(wrong)),
        Fact(says="share that a guess of the commonest label gets wrong", value=guess),
    )
    return _leak(name, facts)


def _gives_quantity(name: str, cells: Sequence[Any], data: Data) -> Sign | None:
    """Whether rows that are neighbours in a feature are neighbours in the target."""
    known = [each for each in _known(cells, data.target) if not isinstance(each[0], str)]
    if len(known) < max(ROWS, len(data.target) // 2):
        return None
    order = sorted(known, key=lambda each: float(each[1]))
    place = {id(each): float(at) for at, each in enumerate(order)}
    ranks = [place[id(each)] for each in sorted(known, key=lambda each: float(each[0]))]
    misses = [(b - (a + c) / 2.0) ** 2 for a, b, c in zip(ranks, ranks[1:], ranks[2:], strict=False)]
    spread = (len(ranks) ** 2 - 1) / 12.0
    told = 1.0 - (sum(misses) / len(misses)) * (2.0 / 3.0) / spread
    if told < EXACT:
        return None
    return _leak(name, (Fact(says=f"share of the target's order that {name} alone explains", value=told),))


def _leak(name: str, facts: tuple[Fact, ...]) -> Sign:
    cure = f"leave {name} out if it is known only with the target or after it (an id, a code, a result)"
    return Sign(kind=FEATURE, what=f"{name} alone gives the target", evidence=facts, cure=cure, weight=0.8)
