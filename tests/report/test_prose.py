"""A model's words over the findings: what the ledger does not hold is struck out, whatever it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import logs
import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from played import Played, text_of

from jupyter_swarm import events as e
from jupyter_swarm.report import prose
from jupyter_swarm.state import SwarmState


@pytest.fixture(scope="module")
def state(wine: tuple[Played, nbformat.NotebookNode]) -> SwarmState:
    return wine[0].state


@pytest.fixture(scope="module")
def known(state: SwarmState) -> dict[str, str]:
    return prose.facts(state)


def test_the_facts_are_those_of_the_ledger(state: SwarmState, known: dict[str, str]) -> None:
    for case in state.findings():
        line = known[case.hypothesis.id]
        assert case.evidence is not None
        assert f"] {case.evidence.verdict}: " in line
        assert case.hypothesis.statement in line
    assert f"{state.experiments:,} runs." in known[""]


def test_the_facts_themselves_may_be_said(known: dict[str, str]) -> None:
    for name, line in known.items():
        if name:
            verdict = re.search(r"\] (\w+):", line)
            assert verdict is not None
            assert prose.wrong(f"{name} was {verdict[1]}.", known) == ""
            effect = re.search(r"effect ([+−]?[\d.]+)", line)
            assert effect is not None
            assert prose.wrong(f"With {effect[1]}, {name} was {verdict[1]}.", known) == ""


@pytest.mark.parametrize(
    "sentence",
    [
        "The swarm did well.",
        "All hypotheses were supported.",
        "Accuracy doubled.",
        "The gain was 12.34 %.",
        "H999 was supported.",
        "Scaling was supported, as “nobody ever wrote this here” says [H1].",
        "",
        "x" * 5000,
    ],
)
def test_what_no_fact_bears_is_struck(sentence: str, known: dict[str, str]) -> None:
    kept, struck = prose.sifted([sentence], known)
    assert kept == []
    assert len(struck) == 1


def test_another_verdict_is_struck(state: SwarmState, known: dict[str, str]) -> None:
    for case in state.findings():
        assert case.evidence is not None
        for verdict in {"supported", "refuted", "open"} - {case.evidence.verdict}:
            assert prose.wrong(f"{case.hypothesis.id} was {verdict}.", known)


@settings(deadline=None)
@given(data=st.data())
def test_a_number_that_is_changed_is_struck(known: dict[str, str], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(each for each in known if each)))
    number = data.draw(st.floats(0.0001, 10_000, allow_nan=False).map(lambda value: f"{value:.4f}"))
    verdict = re.search(r"\] (\w+):", known[name])
    assert verdict is not None
    held = float(number) in prose._numbers(known[name])
    assert bool(prose.wrong(f"{name} was {verdict[1]}, by {number}.", known)) != held


def test_the_report_shows_what_stands_and_says_what_was_left_out(
    play: Callable[[Sequence[logs.Move]], Played], known: dict[str, str]
) -> None:
    moves = logs.wine()
    name = next(each for each in known if each)
    verdict = re.search(r"\] (\w+):", known[name])
    assert verdict is not None
    right, wrong = f"{name} was {verdict[1]}.", f"{name} was {verdict[1]}, by 77.7 %."
    said = e.SummaryWritten(agent="reader-1", model="openai:x", sentences=(right, wrong), struck=1)
    text = text_of(play([*moves, (moves[-1][0], said)]).notebook())
    assert "## In words" in text
    assert right in text
    assert "77.7" not in text, "also what the ledger holds is checked again"
    assert "2 sentences did not stand and are left out" in text
    assert "Written by openai" in text


def test_no_part_where_nobody_wrote_one(wine: tuple[Played, nbformat.NotebookNode]) -> None:
    assert "## In words" not in text_of(wine[1])
