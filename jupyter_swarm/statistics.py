"""Judging by evidence: e-values for paired differences, online e-BH, intervals that hold whenever one looks.

All differences are *gains*: positive is better, in units of the metric. The null of a hypothesis is that variation and
reference are exchangeable given the seed, so that each difference is symmetric about 0; nothing is assumed of its
spread.

Sources: de la Peña (1999) for the symmetric supermartingale exp(θx − log cosh θx), here with cosh itself, which makes
it exact for |x| known; Wang and Ramdas (2022) and Xu and Ramdas (2024) for e-BH and its online form; Nadeau and Bengio
(2003) for the variance of re-split estimates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import fmean

LEVEL = 0.05
EFFECTS = (0.3, 0.5, 0.8, 1.2, 2.0, 5.0)
"""Effect sizes, in root-mean-square units, over which the evidence is mixed."""
_LOG2 = math.log(2.0)


def log_e_value(gains: Sequence[float]) -> float:
    """Natural logarithm of the e-value for "these differences are symmetric about 0 (or lower)" against "higher".

    The mean over δ of ∏ exp(θᵢxᵢ)/cosh(θᵢxᵢ) with θᵢ = δ / rms(x₁..xᵢ). Given |x₁..xᵢ| and the past, the sign of xᵢ
    is a fair coin under the null, so each factor has expectation 1 and one may stop at any time. It is at most n·log 2.

    >>> round(math.exp(log_e_value([1.0] * 8)), 1)
    115.4
    >>> log_e_value([])
    0.0
    """
    squares = 0.0
    logs = [0.0] * len(EFFECTS)
    for count, gain in enumerate(gains, start=1):
        squares += gain * gain
        if squares == 0.0:
            continue
        unit = gain / math.sqrt(squares / count)
        for place, effect in enumerate(EFFECTS):
            z = effect * unit
            size = abs(z)
            logs[place] += z - size - math.log1p(math.exp(-2.0 * size)) + _LOG2
    top = max(logs)
    return top + math.log(sum(math.exp(each - top) for each in logs) / len(EFFECTS))


def e_value(gains: Sequence[float]) -> float:
    """`exp(log_e_value(gains))`, kept below the largest float."""
    return math.exp(min(log_e_value(gains), 700.0))


def e_against(gains: Sequence[float], margin: float) -> float:
    """The e-value against "the effect is at least `margin`"."""
    return e_value([margin - gain for gain in gains])


def interval(gains: Sequence[float], level: float = LEVEL) -> tuple[float | None, float | None]:
    """An interval for the centre of the differences that holds with probability 1 − `level`, whenever one stops.

    All centres that the two-sided e-value (half the evidence for more, half for less) does not reject at 1/`level`.
    An end is None where so few pairs cannot bound it: fewer than 6 or 7 pairs never can.

    >>> low, high = interval([1.0, 1.1, 0.9, 1.05, 0.95, 1.0, 1.02, 0.98, 1.03, 0.97])
    >>> 0.8 < low < 1 < high < 1.2
    True
    """
    if not gains:
        return None, None
    limit = math.log(1.0 / level)

    def rejected(centre: float) -> bool:
        shifted = [gain - centre for gain in gains]
        up, down = log_e_value(shifted), log_e_value([-each for each in shifted])
        top = max(up, down)
        return top + math.log((math.exp(up - top) + math.exp(down - top)) / 2.0) >= limit

    middle = sorted(gains)[len(gains) // 2]
    spread = max(gains) - min(gains)
    if spread == 0.0:
        return (middle, middle) if len(gains) * _LOG2 > limit + _LOG2 else (None, None)
    return _edge(rejected, middle, -spread), _edge(rejected, middle, spread)


def _edge(rejected: object, middle: float, step: float) -> float | None:
    """The point where rejection begins, looking from `middle` in the direction of `step`; None if it never does."""
    assert callable(rejected)
    inside, outside = middle, middle + step / 8.0
    for _ in range(24):
        if rejected(outside):
            break
        inside, outside = outside, outside + step
        step *= 2.0
    else:
        return None
    for _ in range(30):
        half = (inside + outside) / 2.0
        if rejected(half):
            outside = half
        else:
            inside = half
    return outside


def weight(position: int) -> float:
    """γ of the plan registered as number `position` (from 1): 1/(i(i+1)), which sums to 1.

    >>> weight(1), round(weight(2), 3)
    (0.5, 0.167)
    """
    return 1.0 / (position * (position + 1))


def accepted(plans: Sequence[tuple[float, float]], level: float = LEVEL) -> list[bool]:
    """Online e-BH over all plans registered so far, each (γ, e-value): which are accepted now.

    With k the largest number such that k plans have γe ≥ 1/(level·k), those are accepted. The false discovery rate is
    at most `level` whatever the dependence and whenever one stops. Once a plan is accepted its e-value is frozen by the
    caller, so that acceptances are never retracted.

    >>> accepted([(0.5, 50.0), (1 / 6, 50.0)])
    [True, False]
    >>> accepted([(0.5, 50.0), (1 / 6, 61.0)])
    [True, True]
    """
    strengths = sorted((gamma * value for gamma, value in plans), reverse=True)
    threshold = math.inf
    for count, strength in enumerate(strengths, start=1):
        if strength >= 1.0 / (level * count):
            threshold = 1.0 / (level * count)
    return [gamma * value >= threshold for gamma, value in plans]


def needed(gamma: float, accepted_already: int, level: float = LEVEL) -> float:
    """The e-value at which a plan of weight γ would be accepted, with so many others accepted already.

    >>> needed(0.5, 0)
    40.0
    """
    return 1.0 / (level * gamma * (accepted_already + 1))


def hopeless(gains: Sequence[float], remaining: int, target: float) -> bool:
    """Whether `target` is out of reach within `remaining` pairs, even if the pairs to come are 1.5 standard errors
    better.

    Stopping for this reason costs nothing but power: evidence may be looked at any time.
    """
    count = len(gains)
    if count < 6:
        return False
    spread = standard_deviation(gains)
    if spread == 0.0:
        return gains[0] <= 0.0
    optimistic = (fmean(gains) + 1.5 * spread / math.sqrt(count)) / spread
    growth = max(_LOG2 * 0.02, 0.5 * optimistic * abs(optimistic))
    return log_e_value(gains) + remaining * growth < math.log(target)


def pairs_for(effect: float, target: float = 40.0, most: int = 400) -> int:
    """About how many pairs an effect of so many standard deviations (of the paired difference) takes, for plans in
    words.

    A normal difference adds about log E[2/(1+exp(−2θx))] ≈ δ²/2 a pair; the mixture costs log 6 once.

    >>> pairs_for(1.0), pairs_for(5.0)
    (16, 9)
    """
    growth = min(0.5 * effect * effect / (1 + 0.35 * effect * effect), _LOG2)
    growth = max(growth, 1e-9)
    return min(most, math.ceil((math.log(target) + math.log(len(EFFECTS))) / growth + 1))


def standard_deviation(values: Sequence[float]) -> float:
    """The sample's standard deviation; 0 for fewer than two values, and where all are the same.

    >>> standard_deviation([1.0, 3.0])
    1.4142135623730951
    """
    if len(values) < 2 or min(values) == max(values):
        return 0.0
    mean = fmean(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def deterministic(values: Sequence[float]) -> bool:
    """Whether at least three values, over as many seeds, are exactly the same."""
    return len(values) >= 3 and len(set(values)) == 1


def mean_interval(values: Sequence[float], level: float = LEVEL) -> tuple[float, float, float]:
    """Mean and Student interval of values on seeds fixed beforehand: (mean, low, high).

    >>> mean_interval([1.0, 1.0, 1.0])
    (1.0, 1.0, 1.0)
    """
    mean = fmean(values)
    half = _student(len(values) - 1, level) * standard_deviation(values) / math.sqrt(len(values))
    return mean, mean - half, mean + half


def new_data_interval(gains: Sequence[float], test_ratio: float, level: float = LEVEL) -> tuple[float, float] | None:
    """An interval for *new data* from re-splits of the same data, with the variance of Nadeau and Bengio (2003).

    The variance of the mean is (1/n + n_test/n_train)·s², since re-splits share their data: more of them prove nothing
    beyond a point. None for fewer than two pairs.
    """
    count = len(gains)
    if count < 2:
        return None
    half = _student(count - 1, level) * math.sqrt(1.0 / count + test_ratio) * standard_deviation(gains)
    mean = fmean(gains)
    return mean - half, mean + half


def _student(freedom: int, level: float) -> float:
    """Two-sided quantile of Student's t."""
    if freedom < 1:
        return math.inf
    from scipy.stats import t

    return float(t.ppf(1.0 - level / 2.0, freedom))


@lru_cache(maxsize=4096)
def credible(a: float, b: float, level: float = 0.9) -> tuple[float, float]:
    """The central credible interval of Beta(a, b), to four digits; without SciPy, which a server need not load for it.

    By bisection of the regularised incomplete beta function's continued fraction (Abramowitz and Stegun 26.5.8).

    >>> [round(end, 2) for end in credible(1.0, 1.0)], [round(end, 2) for end in credible(30.0, 10.0)]
    ([0.05, 0.95], [0.63, 0.85])
    """
    tail = (1.0 - level) / 2.0
    return _beta_quantile(a, b, tail), _beta_quantile(a, b, 1.0 - tail)


def _beta_quantile(a: float, b: float, share: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(18):
        middle = (low + high) / 2
        low, high = (middle, high) if _beta_below(a, b, middle) < share else (low, middle)
    return (low + high) / 2


def _beta_below(a: float, b: float, x: float) -> float:
    """The probability below x."""
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _beta_below(b, a, 1.0 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    total = 0.0
    for step in range(20 + 4 * math.isqrt(math.ceil(max(a, b))), 0, -1):
        half, odd = divmod(step, 2)
        if odd:
            term = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            term = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        total = term / (1.0 + total)
    return front / (1.0 + total)
