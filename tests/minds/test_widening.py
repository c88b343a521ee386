"""Ranges that a model widens: whatever it says, what goes into the ledger can be read; what cannot is passed over."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worlds import Ground, World, request

from jupyter_swarm import cell
from jupyter_swarm.cell.ranges import guess, knob, parse_vary
from jupyter_swarm.events import SpaceSuggested
from jupyter_swarm.minds.classical import ClassicalMind
from jupyter_swarm.minds.forms import Range
from jupyter_swarm.minds.widening import wider
from jupyter_swarm.protocols import Brief
from jupyter_swarm.roles.prospects import prospects
from jupyter_swarm.words import Analysis, Edit, Knob, Variation

CELL = "def train(epochs): return 1/epochs\nepochs = 20\nloss = train(epochs)"
POISON = "epochs=0..200 log int"
"""As earlier versions wrote it, where a model had asked for no epoch at least."""


def epochs() -> Analysis:
    return cell.read(CELL, metric="loss", namespace={})


number = st.one_of(
    st.floats(),
    st.floats(-10, 10),
    st.integers(-(10**6), 10**6).map(float),
    st.sampled_from([0.0, 1.0, 5e-324, 1e308, -1e308, float("inf"), float("nan")]),
)
values = st.one_of(
    st.integers(0, 10**6), st.floats(1e-12, 1e12), st.floats(-1e6, 0), st.sampled_from([1e307, 1e-307, 10**15, 0.5])
)


@settings(max_examples=500, deadline=None)
@given(values, number, number, st.sampled_from(["epochs", "dropout", "x"]))
def test_a_wider_range_can_be_read_and_holds_the_usual_one(value: float, low: float, high: float, name: str) -> None:
    span = guess(name, value)
    assert span is not None
    usual = knob(name, value, span)
    found = wider(usual, Range(knob=name, low=low, high=high))
    if found:
        wish = parse_vary(found)
        assert wish.name == name
        assert wish.span is not None
        assert wish.span.low is not None
        assert wish.span.high is not None
        assert usual.low is not None
        assert usual.high is not None
        assert wish.span.low <= usual.low < usual.high <= wish.span.high
        assert (wish.span.log, wish.span.integer) == (usual.log, usual.integer)
        made = cell.sites(f"{name} = {value!r}\nloss = f({name})", Analysis(code="", metric="loss", wider=(found,)))
        assert all((each.low, each.high) == (wish.span.low, wish.span.high) for each in made.knobs)


@pytest.mark.parametrize(
    ("low", "high", "text"), [(0, 50, ""), (0, 500, "epochs=1..500 log int"), (-3, 1e9, "epochs=1..20000 log int")]
)
def test_a_logarithmic_whole_number_begins_at_one(low: float, high: float, text: str) -> None:
    (usual,) = epochs().knobs
    assert (usual.low, usual.high, usual.log, usual.integer) == (1, 200, True, True)
    assert wider(usual, Range(knob="epochs", low=low, high=high)) == text


def test_a_range_without_end_is_none() -> None:
    vast = Knob(name="x", value=0.0, low=-1e307, high=1e307)
    assert wider(vast, Range(knob="x", low=-1e308, high=1e308)) == ""
    whole = Knob(name="x", value=10, low=1, high=1e308, log=True, integer=True)
    assert wider(whole, Range(knob="x", low=0, high=float("inf"))) == ""


def test_what_cannot_be_read_is_passed_over() -> None:
    plain = epochs()
    poisoned = msgspec.structs.replace(plain, wider=(POISON, "lr=nonsense", "epochs=", "epochs"))
    assert cell.sites(CELL, poisoned) == cell.sites(CELL, plain)
    assert [each.targets for each in prospects(poisoned, Variation(code=CELL))] == [("epochs",)]
    assert "epochs = 30" in cell.apply(poisoned, [Edit(kind="set", target="epochs", value=30)]).code
    for texts in (("epochs=1..900 log int", POISON), (POISON, "epochs=1..900 log int")):
        (found,) = cell.sites(CELL, msgspec.structs.replace(plain, wider=texts)).knobs
        assert found.high == 900, "what can be read still counts"


def test_a_swarm_whose_ledger_holds_such_a_range_goes_on() -> None:
    said = SpaceSuggested(
        agent="a", direction="D1", knob="measure.alpha", low=0.0, high=50.0, why="", wider="measure.alpha=0..50 log"
    )
    ground = Ground([request(40), said])
    state = ground.play(World({"flag=True": 4.0}))
    assert state.phase == "done", state.why
    assert state.analysis.wider == (said.wider,), "it is there, and harmless"
    assert any("alpha" in edit.target for case in state.cases.values() for edit in case.hypothesis.variation.edits)


def test_a_mind_that_goes_on_offers_what_one_that_begins_anew_offers() -> None:
    """The range is wider from one moment to the next, and the code that it is about the same."""
    plain = epochs()
    widened = msgspec.structs.replace(plain, wider=("epochs=1..20000 log int",))

    def ideas(mind: ClassicalMind, analysis: Analysis) -> set[str]:
        found: set[str] = set()
        while (
            idea := mind.invent(
                Brief(question="", analysis=analysis, base=Variation(code=CELL), tried=frozenset(found))
            )
        ) is not None:
            found.add(idea.variation.id)
        return found

    going_on = ClassicalMind()
    before = ideas(going_on, plain)
    assert ideas(going_on, widened) == ideas(ClassicalMind(), widened) != before
    assert ideas(going_on, plain) == before
