"""As good, and cheaper: shown where both hold, and only there."""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worlds import Ground, World, request

from jupyter_swarm import statistics
from jupyter_swarm.errors import UsageError
from jupyter_swarm.experiments import FunctionLaboratory
from jupyter_swarm.report import answer, tables
from jupyter_swarm.settings import checked
from jupyter_swarm.state import Case, SwarmState
from jupyter_swarm.words import Budget, Experiment


def width(experiment: Experiment) -> float:
    found = re.search(r"width=([\d.]+)", experiment.code)
    assert found is not None
    return float(found[1])


def grown(world: object, *, budget: int = 160, cost: object = None, **options: float) -> SwarmState:
    """A swarm in which a run takes as long as it is wide."""
    ground = Ground([request(Budget(experiments=budget), **options)])
    seconds = cost or (lambda each: 0.0001 * width(each))
    laboratory = FunctionLaboratory(world, workers=2, delay_seconds=seconds)  # type: ignore[arg-type]
    return ground.play(world, laboratory=laboratory)  # type: ignore[arg-type]


def equivalents(state: SwarmState, verdict: str = "supported") -> list[Case]:
    judged = [case for case in state.findings() if case.about == "equivalence"]
    return [case for case in judged if case.evidence is not None and case.evidence.verdict == verdict]


def test_what_is_cheaper_and_no_worse_is_found() -> None:
    state = grown(World(own=0.2, shared=1.0), equivalent=1.0)
    found = equivalents(state)
    assert found, [case.evidence for case in state.findings() if case.about == "equivalence"]
    for case in found:
        assert case.evidence is not None
        assert case.evidence.cost_ratio < 0.9
        assert case.evidence.effect > -1.0
        assert "is cheaper than the cell as given, and worse by no more than 1" in case.hypothesis.statement
    assert state.incumbent() is None, "as good is no improvement"
    assert state.best is None or state.best.variation == state.baseline
    text = answer.answer(state)
    assert "As good, and cheaper:" in text
    assert "Nothing" in text
    assert "## As good, and cheaper" in tables.equivalents(state)
    assert "is cheaper than" not in tables.findings(state)


def test_nothing_of_it_unless_asked_for() -> None:
    state = grown(World(own=0.2, shared=1.0))
    assert [case for case in state.cases.values() if case.about == "equivalence"] == []
    assert tables.equivalents(state) == ""


def test_what_is_cheaper_and_worse_is_not() -> None:
    """A narrower cell loses more than is allowed; screening is noisy enough to be fooled now and then."""
    supported = 0
    for seed in range(6):

        def measure(each: Experiment, seed: int = seed) -> float:
            return World(own=1.0, shared=1.0, seed=seed)(each) - 0.6 * (width(each) < 16)

        supported += len(equivalents(grown(measure, equivalent=0.3)))
    assert supported == 0


def test_what_is_as_good_and_no_cheaper_is_not() -> None:
    """Seconds that have nothing to do with the cell, and are noisy."""
    supported = tested = 0
    for seed in range(8):

        def cost(each: Experiment, seed: int = seed) -> float:
            return 0.0005 * random.Random(f"{seed}/{each.seed}/{each.code}").lognormvariate(0.0, 0.8)

        state = grown(World(own=0.2, shared=1.0, seed=seed), cost=cost, equivalent=1.0)
        tested += sum(case.about == "equivalence" for case in state.findings())
        supported += len(equivalents(state))
    assert tested >= 4, "screening took noise for a saving"
    assert supported <= 1


def test_the_lesser_of_two_e_values_is_an_e_value() -> None:
    """Whatever the second series, the mean of the minimum is at most 1 where the first is symmetric about 0."""
    chance = random.Random(0)
    least = []
    for _ in range(4000):
        gains = [chance.gauss(0.0, 1.0) for _ in range(12)]
        saved = [chance.gauss(2.0, 1.0) for _ in range(12)]
        least.append(min(statistics.e_value(gains), statistics.e_value(saved)))
    assert sum(least) / len(least) < 1.2


def test_nonsense_is_refused() -> None:
    for wrong in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(UsageError, match="no difference"):
            checked(1, {"equivalent": wrong})
