"""The laws that verdicts rest on."""

from __future__ import annotations

import math
import random
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_swarm import statistics

numbers = st.floats(-1e6, 1e6, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-9)


@given(st.lists(numbers, max_size=12))
def test_the_evidence_is_fair_for_every_pattern_of_signs(sizes: list[float]) -> None:
    """The mean of the e-value over all signs of given sizes is exactly 1: that is what makes it an e-value."""
    sizes = sizes[:8]
    values = [
        statistics.e_value([sign * abs(size) for sign, size in zip(signs, sizes, strict=True)])
        for signs in product((-1, 1), repeat=len(sizes))
    ]
    assert sum(values) / len(values) == pytest.approx(1.0, rel=1e-6)


@given(st.lists(numbers, min_size=1, max_size=20), st.floats(1e-3, 1e3))
def test_the_evidence_knows_no_units(gains: list[float], scale: float) -> None:
    scaled = statistics.log_e_value([scale * gain for gain in gains])
    assert scaled == pytest.approx(statistics.log_e_value(gains), abs=1e-6)


@given(st.lists(numbers, max_size=30))
def test_the_evidence_is_at_most_two_to_the_pairs(gains: list[float]) -> None:
    assert statistics.log_e_value(gains) <= len(gains) * math.log(2) + 1e-9


def test_the_level_holds_under_optional_stopping() -> None:
    """Ville: the chance that the e-value ever reaches 20 within 20 pairs is at most 5 % (measured 2.4 %)."""
    rng = random.Random(1)
    trials, crossed = 3000, 0
    for _ in range(trials):
        gains: list[float] = []
        for _ in range(20):
            gains.append(rng.gauss(0, 1))
            if statistics.log_e_value(gains) >= math.log(20):
                crossed += 1
                break
    assert crossed / trials < 0.05


def test_the_interval_covers_whenever_one_stops() -> None:
    rng = random.Random(2)
    missed = 0
    for _ in range(150):
        gains = [rng.gauss(0.7, 1) for _ in range(25)]
        ends = [statistics.interval(gains[:count]) for count in (8, 15, 25)]
        missed += any((low is not None and low > 0.7) or (high is not None and high < 0.7) for low, high in ends)
    assert missed / 150 <= 0.07


def test_few_pairs_bound_nothing() -> None:
    assert statistics.interval([1.0, 1.1, 0.9]) == (None, None)
    assert statistics.interval([]) == (None, None)


@given(st.lists(st.tuples(st.floats(1e-4, 0.5), st.floats(0, 1e6)), max_size=12), st.integers(0, 11))
def test_more_evidence_never_takes_an_acceptance_back(plans: list[tuple[float, float]], place: int) -> None:
    before = statistics.accepted(plans)
    if plans:
        place %= len(plans)
        plans = [(g, e * 10 if number == place else e) for number, (g, e) in enumerate(plans)]
    after = statistics.accepted(plans)
    assert all(later for earlier, later in zip(before, after, strict=True) if earlier)
    grown = statistics.accepted([*plans, (1e-3, 0.0)])
    assert grown[: len(after)] == after, "a plan that is registered later takes nothing away"


def test_weights_sum_to_at_most_one() -> None:
    assert sum(statistics.weight(number) for number in range(1, 10_000)) <= 1.0


def test_refuting_needs_evidence_against_the_margin() -> None:
    rng = random.Random(3)
    none = [rng.gauss(0, 1) for _ in range(80)]
    assert statistics.e_against(none, 1.0) > 20
    assert statistics.e_against([gain + 1 for gain in none], 1.0) < 20


def test_new_data_are_less_sure_than_new_splits() -> None:
    gains = [0.0036 + 0.01 * math.sin(number) for number in range(60)]
    narrow = statistics.mean_interval(gains)
    wide = statistics.new_data_interval(gains, test_ratio=0.25)
    assert wide is not None
    assert wide[0] < narrow[1] < narrow[2] < wide[1]
    assert statistics.new_data_interval(gains[:1], 0.25) is None


def test_deterministic_takes_three_equal_values() -> None:
    assert statistics.deterministic([0.5, 0.5, 0.5])
    assert not statistics.deterministic([0.5, 0.5])
    assert not statistics.deterministic([0.5, 0.5, 0.5000001])


def test_hopeless_stops_what_cannot_win_and_not_what_can() -> None:
    rng = random.Random(4)
    winners = 0
    for _ in range(200):
        gains: list[float] = []
        while len(gains) < 30 and not statistics.hopeless(gains, 30 - len(gains), 40.0):
            gains.append(rng.gauss(1.0, 1.0))
            if statistics.e_value(gains) >= 40:
                winners += 1
                break
    assert winners > 180
    assert statistics.hopeless([-1.0, -0.8, -1.2, -0.9, -1.1, -1.0], 20, 40.0)


@given(st.floats(1, 3000), st.floats(1, 3000))
def test_the_credible_interval_is_scipys(a: float, b: float) -> None:
    from scipy.special import betaincinv

    found = statistics.credible(a, b)
    assert found == pytest.approx((betaincinv(a, b, 0.05), betaincinv(a, b, 0.95)), abs=1e-5)
