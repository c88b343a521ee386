"""How often each test cries over what is healthy, and how often it sees what is planted. `-s` prints both."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
import trainings

from jupyter_swarm.diagnosis import data, objects
from jupyter_swarm.diagnosis.case import Case
from jupyter_swarm.diagnosis.examining import TESTS

HEALTHY, PLANTED = 300, 100
MOST_FALSE, LEAST_FOUND = 0.02, 0.9


def test_no_test_cries_over_healthy_trainings_and_data() -> None:
    cried: Counter[str] = Counter()
    looked: Counter[str] = Counter()
    for seed in range(HEALTHY):
        own = Case(
            objects.of(trainings.healthy(Random(f"a{seed}")), "log"), data.of(*trainings.table(Random(f"b{seed}")))
        )
        ranks = Case(objects.of(trainings.healthy_ranks(Random(f"c{seed}")), "log"))
        for name, test in TESTS.items():
            found = test(ranks if name == "ranks" else own)
            looked[name] += found is not None
            cried[name] += bool(found)
    for name in TESTS:
        print(f"{name}: {cried[name]} of {looked[name]} healthy ones")
    idle = {name for name in TESTS if looked[name] < HEALTHY / 2}
    assert idle == {"failure"}, "a test that looks at nothing proves nothing"
    assert {name: cried[name] for name in TESTS if cried[name] > MOST_FALSE * looked[name]} == {}


@pytest.mark.parametrize(("name", "make"), [(name, make) for name, all in trainings.PLANTED.items() for make in all])
def test_planted_troubles_of_a_training_are_found(name: str, make: trainings.Maker) -> None:
    cases = (Case(objects.of(make(Random(f"{make.__name__}{seed}")), "log")) for seed in range(PLANTED))
    found = sum(bool(TESTS[name](case)) for case in cases)
    print(f"{name}: {found} of {PLANTED} that are {make.__name__}")
    assert found >= LEAST_FOUND * PLANTED


@pytest.mark.parametrize("name", list(trainings.SPOILT))
def test_planted_troubles_of_data_are_found(name: str) -> None:
    make = trainings.SPOILT[name]
    found = sum(bool(TESTS[name](Case(data=data.of(*make(Random(f"{name}{seed}")))))) for seed in range(PLANTED))
    print(f"{name}: {found} of {PLANTED}")
    assert found >= LEAST_FOUND * PLANTED


def test_a_nan_is_found_exactly_where_it_began() -> None:
    for seed in range(PLANTED):
        values = trainings.broken(Random(seed))["loss"]
        start = next(place for place, each in enumerate(values) if not abs(each) < float("inf"))
        (sign,) = TESTS["nan"](Case(objects.of({"loss": values}, "log"))) or ()
        assert sign.evidence[0].step == start
        if start:
            assert (sign.evidence[1].step, sign.evidence[1].value) == (start - 1, values[start - 1])
