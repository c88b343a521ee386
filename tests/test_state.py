"""The fold: what each kind of record makes of the state."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from worlds import NAME, STEADY, Judged, request

from jupyter_swarm import events as e
from jupyter_swarm.state import SwarmState
from jupyter_swarm.state.folds import FOLDS
from jupyter_swarm.words import Edit

FLAG = Edit(kind="set", target="measure.flag", value=True)
DEPTH = Edit(kind="set", target="measure.depth", value=9)
UNFOLDED = {e.PaperAdded, e.IndexBuilt, e.RunnerEnded}
"""Kinds that say nothing of one swarm's state."""


def state_of(*events: e.AnyEvent) -> SwarmState:
    return SwarmState.of([e.Record(number, NAME, 5.0, 1.5, event) for number, event in enumerate(events, 1)])


def test_every_kind_of_event_is_folded_or_known_not_to_be() -> None:
    kinds = set(e.AnyEvent.__args__)  # type: ignore[attr-defined]
    assert set(FOLDS) | UNFOLDED == kinds
    assert not set(FOLDS) & UNFOLDED


def test_an_empty_log_is_a_state() -> None:
    state = SwarmState.of([])
    assert (state.phase, state.experiments, state.findings(), state.incumbent(), state.over) == (
        "unknown",
        0,
        [],
        None,
        False,
    )
    assert (state.spread, state.run_seconds, state.slot_seconds(2)) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("events", "phase", "asked"),
    [
        ([], "requested", ""),
        ([e.RunnerStarted(pid=1, host="h", epoch=1)], "running", ""),
        ([e.RunnerStarted(pid=1, host="h", epoch=1), e.PauseRequested()], "running", "pause"),
        ([e.PauseRequested(), e.SwarmPaused()], "paused", ""),
        ([e.PauseRequested(), e.SwarmPaused(), e.RunnerStarted(pid=1, host="h", epoch=2)], "paused", ""),
        ([e.PauseRequested(), e.StopRequested(), e.SwarmPaused()], "paused", "stop"),
        ([e.SwarmPaused(), e.ResumeRequested(), e.SwarmResumed()], "running", ""),
        ([e.SwarmPaused(), e.ResumeRequested(), e.PauseRequested(), e.SwarmResumed()], "running", "pause"),
        ([e.RunnerStarted(pid=1, host="h", epoch=1), e.ResumeRequested()], "running", ""),
        ([e.SwarmPaused(), e.PauseRequested()], "paused", ""),
        ([e.StopRequested(), e.ResumeRequested()], "requested", "stop"),
        ([e.StopRequested(), e.SwarmEnded(state="stopped", why="")], "stopped", ""),
        ([e.SwarmEnded(state="done", why=""), e.RunnerStarted(pid=1, host="h", epoch=2)], "done", ""),
    ],
)
def test_phases(events: list[e.AnyEvent], phase: str, asked: str) -> None:
    state = state_of(request(), *events)
    assert (state.phase, state.asked) == (phase, asked)
    assert state.over == (phase in ("done", "stopped", "failed"))


def test_the_clock_is_the_swarms_own() -> None:
    state = state_of(request())
    state.apply(e.Record(9, NAME, 99.0, 0.0, e.PauseRequested()))
    assert (state.clock, state.begun, state.updated, state.last) == (1.5, 5.0, 99.0, 9)


def test_events_about_what_nobody_knows_are_harmless() -> None:
    state = state_of(
        request(),
        e.StandingChanged(agent="x", standing="active", why=""),
        e.DirectionWeighted(direction="x", priority=2.0),
        e.DirectionClosed(direction="x", why=""),
        e.EvidenceFound(agent="x", direction="x", query=""),
        e.HypothesisMarked(hypothesis="x", mark="vetoed"),
        e.SteeringAnswered(request=77, done=True, answer=""),
        e.TaskFinished(agent="x", role="x"),
    )
    assert state.phase == "requested"


def test_runs_that_were_cut_off_leave_no_trace_but_their_cost() -> None:
    judged = Judged()
    plan = judged.plan()
    hypothesis = judged.state.cases[plan.hypothesis].hypothesis
    before = judged.state.experiments
    for reason in ("stopped", "lost"):
        judged.run(hypothesis.variation, 1, reason, "screening", hypothesis.id)  # type: ignore[arg-type]
    case = judged.state.cases[hypothesis.id]
    assert (case.seeds, case.failures, case.gains) == ([], 0, [])
    assert judged.state.experiments == before + 2
    assert judged.state.failed == {"stopped": 1, "lost": 1}
    assert judged.state.directions["D1"].trials == 0


def test_a_gain_waits_for_its_reference() -> None:
    judged = Judged()
    plan = judged.plan()
    hypothesis = judged.state.cases[plan.hypothesis].hypothesis
    judged.run(hypothesis.variation, 4, 3.0, "screening", hypothesis.id)
    assert judged.state.cases["H1"].gains == []
    judged.run(judged.state.baseline, 4, 1.0, "baseline", "")
    assert judged.state.cases["H1"].gains == [2.0]
    assert judged.state.directions["D1"].reward == 1.0, "two baseline standard deviations or more"


def test_a_later_verdict_replaces_the_former_in_every_count() -> None:
    judged = Judged()
    plan = judged.plan(pairs=6)
    judged.gain(plan, 2.0, -1.0, 2.0, -1.0, 2.0, 1.0)
    judged.verdicts()
    agent, direction = judged.state.agents["inventor-1"], judged.state.directions["D1"]
    assert (agent.open, agent.supported, direction.supported) == (1, 0, 0)
    evidence = judged.state.cases["H1"].evidence
    assert evidence is not None
    import msgspec

    again = msgspec.structs.replace(evidence, verdict="supported")
    judged.say(e.VerdictReached(hypothesis="H1", plan="P1", evidence=again))
    assert (agent.open, agent.supported, direction.supported) == (0, 1, 1)


def test_the_incumbent_is_the_end_of_the_chain_that_gains_most() -> None:
    """Depth alone gains more than the flag alone, but the flag and then depth gain most together."""
    judged = Judged()
    flag = judged.plan(60, None, FLAG)
    judged.gain(flag, *STEADY)
    judged.verdicts()
    assert judged.state.incumbent() is judged.state.cases["H1"]
    depth = judged.plan(60, None, DEPTH)
    judged.gain(depth, *(1.5 * gain for gain in STEADY))
    judged.verdicts()
    assert judged.state.incumbent() is judged.state.cases["H2"]
    first = judged.state.cases["H1"].hypothesis
    import msgspec

    both = msgspec.structs.replace(
        judged.state.cases["H2"].hypothesis,
        id="H3",
        reference=first.variation,
        variation=msgspec.structs.replace(first.variation, code="both", edits=(FLAG, DEPTH)),
    )
    evidence = judged.state.cases["H1"].evidence
    assert evidence is not None
    judged.say(e.HypothesisProposed(hypothesis=both), e.VerdictReached(hypothesis="H3", plan="", evidence=evidence))
    assert judged.state.incumbent() is judged.state.cases["H3"]
    judged.say(e.HypothesisMarked(hypothesis="H1", mark="vetoed"))
    assert judged.state.incumbent() is judged.state.cases["H2"], "a chain does not hold without its beginning"


def test_findings_are_in_the_order_of_their_worth() -> None:
    judged = Judged()
    for sign in (1.0, -1.0, 2.0):
        plan = judged.plan()
        judged.gain(plan, *(sign * gain for gain in STEADY))
        judged.gain(plan, *(sign * gain for gain in STEADY))
        judged.verdicts(final=True)
    found = [(case.evidence.verdict, round(case.evidence.effect)) for case in judged.state.findings() if case.evidence]
    assert found == [("supported", 2), ("supported", 1), ("refuted", -1)]
