"""Lifting keeps meaning: with its defaults, lifted code gives the metric of the code."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from cells import EXAMPLES, Example, measure
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_swarm import cell
from jupyter_swarm.minds.classical import ClassicalMind
from jupyter_swarm.protocols import Brief
from jupyter_swarm.words import Variation


def value(code: str, example: Example, parameters: dict[str, Any]) -> float:
    """The metric of a code, with some parameters set before."""
    random.seed(0)
    np.random.seed(0)
    space = {**example.namespace, **parameters}
    exec(compile(code, "<cell>", "exec"), space)
    return float(space[example.metric])


def outcome(code: str, example: Example, parameters: dict[str, Any]) -> float | str:
    """The metric of a code, or how it fails: some variations do, and their lifted code has to fail alike."""
    try:
        return value(code, example, parameters)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_lifted_code_with_its_defaults_means_the_same(name: str) -> None:
    example = EXAMPLES[name]()
    analysis = example.read()
    lifted = cell.lift(example.code, analysis)
    assert "seed" in lifted.parameters
    before = value(example.code, example, {"seed": lifted.parameters["seed"]})
    assert value(lifted.code, example, lifted.parameters) == before


@settings(max_examples=40, deadline=None)
@given(data=st.data(), name=st.sampled_from(["call", "assigned", "imports", "function", "unicode and layout"]))
def test_so_does_the_lifted_code_of_any_variation(data: st.DataObject, name: str) -> None:
    example = EXAMPLES[name]()
    analysis = example.read()
    variation = Variation(code=example.code)
    for _ in range(data.draw(st.integers(0, 2))):
        offers = ClassicalMind()._offer(Brief(question="", analysis=analysis, base=variation))
        variation = cell.apply(analysis, [data.draw(st.sampled_from(offers)).edit], variation)
    lifted = cell.lift(variation.code, analysis)
    before = outcome(variation.code, example, {"seed": lifted.parameters["seed"]})
    assert outcome(lifted.code, example, lifted.parameters) == before


def test_setting_a_parameter_is_the_same_as_the_edit() -> None:
    example = EXAMPLES["call"]()
    analysis = example.read()
    lifted = cell.lift(example.code, analysis)
    edited = cell.apply(analysis, [cell.editing.Edit(kind="set", target="measure.depth", value=9)]).code
    parameters = lifted.parameters | {"measure_depth": 9}
    assert value(lifted.code, example, parameters) == value(edited, example, lifted.parameters)


def test_seeds_belong_to_the_harness_and_keep_their_distance() -> None:
    example = EXAMPLES["two seeds"]()
    lifted = cell.lift(example.code, example.read())
    assert lifted.parameters == {"seed": 7}
    assert "RandomState(seed + 35)" in lifted.code
    assert "RandomState(seed)" in lifted.code
    assert value(lifted.code, example, {"seed": 8}) != value(lifted.code, example, {"seed": 7})


@pytest.mark.parametrize("code", ["SEED = 5\nscore = measure(seed=SEED)", "score = measure(seed=5)"])
def test_a_seed_in_any_form_is_set_by_the_parameter(code: str) -> None:
    example = Example(code, "score", {"measure": measure})
    lifted = cell.lift(code, example.read())
    assert lifted.parameters["seed"] == 5
    assert value(lifted.code, example, lifted.parameters | {"seed": 6}) == value(code.replace("5", "6"), example, {})


def test_a_global_seed_of_the_notebook_is_the_harness_s() -> None:
    example = Example("score = measure(seed=SEED)", "score", {"measure": measure, "SEED": 42})
    lifted = cell.lift(example.code, example.read())
    assert value(lifted.code, example, {**lifted.parameters, "seed": 3}) == measure(seed=3)


def test_names_never_collide() -> None:
    example = Example("measure_rate = 3\nscore = measure(rate=0.2, depth=measure_rate)", "score", {"measure": measure})
    lifted = cell.lift(example.code, example.read())
    assert "measure_rate_2" in lifted.parameters
    assert value(lifted.code, example, lifted.parameters) == value(example.code, example, {"seed": 0})
