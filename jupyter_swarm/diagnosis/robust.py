"""Statistics of noisy curves that a few outliers do not move; plain Python.

Sources: Theil (1950) and Sen (1968) for the slope, Kendall (1938) and Mann (1945) for the trend; the noise of a curve
from its second differences, which a smooth trend does not enter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations, pairwise
from statistics import median
from typing import NamedTuple

BLOCKS = 24
"""Into so many blocks a long curve is cut."""


class Block(NamedTuple):
    """A stretch of a curve: step of its middle point, median of its values, number of its points."""

    step: float
    value: float
    size: int


def spread(values: Sequence[float]) -> float:
    """Standard deviation by the median absolute deviation; 0.0 of fewer than 2 values.

    >>> round(spread([1.0, 2.0, 3.0, 4.0, 1000.0]), 3)
    1.483
    """
    if len(values) < 2:
        return 0.0
    middle = median(values)
    return 1.4826 * median(abs(each - middle) for each in values)


def noise(values: Sequence[float]) -> float:
    """Standard deviation of a curve about its smooth course, in its own units.

    Where most second differences are 0 (values in coarse steps), it is taken of their mean instead.

    >>> noise([3.0, 2.0, 1.0, 0.0])
    0.0
    """
    bends = [abs(a - 2.0 * b + c) for a, b, c in zip(values, values[1:], values[2:], strict=False)]
    if not bends:
        return 0.0
    middle = 1.4826 * median(bends)
    return (middle or sum(sorted(bends)[: max(1, len(bends) * 95 // 100)]) / len(bends)) / math.sqrt(6.0)


def blocks(points: Sequence[tuple[float, float]], most: int = BLOCKS) -> list[Block]:
    """Cut a curve into at most so many stretches of (nearly) equal length.

    >>> blocks([(0.0, 5.0), (1.0, 3.0), (2.0, 4.0), (3.0, 1.0)], most=2)
    [Block(step=1.0, value=4.0, size=2), Block(step=3.0, value=2.5, size=2)]
    """
    count = min(most, len(points))
    edges = [len(points) * place // count for place in range(count + 1)] if count else []
    found = []
    for low, high in pairwise(edges):
        part = points[low:high]
        found.append(Block(part[len(part) // 2][0], median(each[1] for each in part), len(part)))
    return found


def trend(values: Sequence[float]) -> float:
    """Mann and Kendall's z: above 0 where values rise; about standard normal where they are exchangeable.

    >>> round(trend([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]), 2), trend([1.0, 1.0])
    (3.34, 0.0)
    """
    n = len(values)
    score = sum((b > a) - (b < a) for a, b in combinations(values, 2))
    ties = [values.count(each) for each in set(values)]
    variance = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18.0
    if score == 0 or variance <= 0.0:
        return 0.0
    return (score - math.copysign(1.0, score)) / math.sqrt(variance)


def slope(values: Sequence[float]) -> float:
    """Theil and Sen's slope, a place; 0.0 of fewer than 2 values.

    >>> slope([0.0, 1.0, 2.0, 3.0, 99.0])
    1.0
    """
    pairs = [(b - a) / (j - i) for (i, a), (j, b) in combinations(enumerate(values), 2)]
    return median(pairs) if pairs else 0.0


def echo(values: Sequence[float], lag: int) -> float:
    """Autocorrelation at a lag, of values about their mean; 0.0 of constants.

    >>> echo([1.0, -1.0, 1.0, -1.0], 2)
    0.5
    """
    mean = sum(values) / len(values)
    about = [each - mean for each in values]
    total = sum(each * each for each in about)
    return sum(a * b for a, b in zip(about, about[lag:], strict=False)) / total if total else 0.0


def smooth(values: Sequence[float], half: int) -> list[float]:
    """Running median over `2 · half + 1` values, fewer at the ends.

    >>> smooth([1.0, 9.0, 2.0, 3.0], 1)
    [5.0, 2.0, 3.0, 2.5]
    """
    return [median(values[max(0, place - half) : place + half + 1]) for place in range(len(values))]


def thinned(points: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """At most so many points, evenly taken, the last one among them.

    >>> thinned([(0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 4.0)], 2)
    [(1.0, 2.0), (3.0, 4.0)]
    """
    if len(points) <= most:
        return list(points)
    return [points[len(points) * (place + 1) // most - 1] for place in range(most)]
