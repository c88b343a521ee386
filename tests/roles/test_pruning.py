"""Pruning: hopeless runs of screening are ended early, by either rule; nothing that counts as evidence ever is."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worlds import Ground, Judged, World, request

from jupyter_swarm import cell
from jupyter_swarm import events as e
from jupyter_swarm.errors import UsageError
from jupyter_swarm.experiments import FunctionLaboratory
from jupyter_swarm.report import learning, plots
from jupyter_swarm.roles import pruning
from jupyter_swarm.settings import checked
from jupyter_swarm.words import Budget, Curves, Edit, Experiment, Hypothesis, Point, Run

STEPS = 20


def rising(end: float, steps: int = STEPS) -> tuple[Point, ...]:
    """A curve that comes near `end`."""
    return tuple((float(step), end * (1.0 - 0.8 ** (step + 1))) for step in range(steps))


def idea(judged: Judged, number: int) -> Hypothesis:
    variation = cell.apply(judged.state.analysis, (Edit(kind="set", target="measure.alpha", value=2.0 + number),))
    hypothesis = Hypothesis(
        id=f"H{number}", statement="", direction="D1", agent="inventor-1", variation=variation,
        reference=judged.state.baseline,
    )  # fmt: skip
    judged.say(e.HypothesisProposed(hypothesis=hypothesis))
    return hypothesis


def experiment(judged: Judged, number: int, purpose: str = "screening") -> Experiment:
    hypothesis = idea(judged, number)
    return Experiment(
        code=hypothesis.variation.code, seed=1, metric="score", context="", purpose=purpose, hypothesis=hypothesis.id
    )  # type: ignore[arg-type]


def after(judged: Judged, *curves: Curves, values: tuple[float, ...] = ()) -> None:
    """Runs that have come to their end, each with its curves."""
    for place, found in enumerate(curves):
        asked = experiment(judged, 100 + place)
        number = max(judged.state.rows, default=0) + 1
        value = values[place] if values else float(place)
        judged.say(
            e.ExperimentStarted(number=number, experiment=asked),
            e.ExperimentFinished(number=number, run=Run(experiment=asked.id, value=value, curves=found, seconds=1.0)),
        )


def test_below_the_median_of_its_peers_it_is_ended_and_above_it_goes_on() -> None:
    judged = Judged()
    after(judged, *({"score": rising(end)} for end in (0.5, 0.6, 0.7, 0.8, 0.9)))
    look = pruning.watch(judged.state, experiment(judged, 1))
    assert look is not None
    assert "the median of the 5 runs" in look({"score": rising(0.4)[:10]})
    assert look({"score": rising(0.75)[:10]}) == ""
    assert look({"score": rising(0.7)[:10]}) == "", "as good as the median"
    assert look({"score": rising(0.4)[:1]}) == "", "too early to tell"
    assert look({}) == ""


def test_the_best_so_far_counts_not_the_last() -> None:
    judged = Judged()
    after(judged, *({"score": rising(end)} for end in (0.5, 0.6, 0.7, 0.8, 0.9)))
    look = pruning.watch(judged.state, experiment(judged, 1))
    assert look is not None
    assert look({"score": (*rising(0.8)[:10], (10.0, 0.0))}) == ""


def test_few_peers_prune_nothing() -> None:
    judged = Judged()
    after(judged, *({"score": rising(end)} for end in (0.6, 0.7, 0.8, 0.9)))
    look = pruning.watch(judged.state, experiment(judged, 1))
    assert look is not None
    assert look({"score": rising(0.1)}) == ""


@pytest.mark.parametrize("purpose", ["baseline", "confirmation", "best", "replication"])
def test_what_counts_as_evidence_is_not_even_watched(purpose: str) -> None:
    judged = Judged()
    assert pruning.watch(judged.state, experiment(judged, 1, purpose)) is None


def test_a_reference_is_not_watched_either() -> None:
    judged = Judged()
    idea(judged, 1)
    for hypothesis in ("", "H1"):
        reference = Experiment(
            code=judged.state.baseline.code, seed=5, metric="score", context="", hypothesis=hypothesis
        )
        assert pruning.watch(judged.state, reference) is None


def test_another_look_at_an_idea_is_not_watched() -> None:
    judged = Judged()
    after(judged, *({"score": rising(end)} for end in (0.5, 0.6, 0.7, 0.8, 0.9)))
    asked = experiment(judged, 1)
    judged.say(e.ExperimentStarted(number=500, experiment=asked))
    assert pruning.watch(judged.state, asked) is not None
    judged.say(e.ExperimentFinished(number=500, run=Run(experiment=asked.id, value=1.0)))
    judged.say(e.ExperimentStarted(number=501, experiment=msgspec.structs.replace(asked, seed=2)))
    assert pruning.watch(judged.state, msgspec.structs.replace(asked, seed=2)) is None


def test_a_logged_curve_judges_once_it_agrees_with_the_metric() -> None:
    """A loss that falls where the score rises; and one that has nothing to do with it."""
    chance = random.Random(0)
    ends = [0.1 * place for place in range(1, 13)]
    shown = [{"loss": tuple((s, -v) for s, v in rising(end)), "time": rising(chance.random())} for end in ends]
    judged = Judged()
    after(judged, *shown[:7], values=tuple(ends[:7]))
    bad = {"loss": tuple((s, -v) for s, v in rising(0.05)), "time": rising(9.0)}
    look = pruning.watch(judged.state, experiment(judged, 1))
    assert look is not None
    assert look(bad) == "", "too few runs to know what loss means"
    judged = Judged()
    after(judged, *shown, values=tuple(ends))
    look = pruning.watch(judged.state, experiment(judged, 1))
    assert look is not None
    assert "its loss was" in look(bad)
    good = {"loss": tuple((s, -v) for s, v in rising(2.0)), "time": rising(0.0)}
    assert look(good) == ""


def test_hyperband_keeps_the_best_third_and_has_a_bracket_that_ends_nothing() -> None:
    judged = Judged()
    after(judged, *({"score": rising(0.1 * end)} for end in range(1, 10)))
    ended = {}
    for number in range(60):
        asked = experiment(judged, number)
        ended[number] = bool(pruning.verdict(judged.state, asked, {"score": rising(0.65)[:15]}, "hyperband"))
        assert not pruning.verdict(judged.state, asked, {"score": rising(0.95)[:15]}, "hyperband")
    assert 0 < sum(ended.values()) < 60, "some brackets end it, the first does not"


def test_rank_correlation() -> None:
    assert pruning._rank_correlation([(1.0, 2.0), (2.0, 3.0), (5.0, 4.0)]) == pytest.approx(1.0)
    assert pruning._rank_correlation([(1.0, 9.0), (2.0, 3.0), (5.0, 1.0)]) == pytest.approx(-1.0)
    assert pruning._rank_correlation([(1.0, 9.0), (2.0, 9.0)]) == 0.0
    assert pruning._ranks([5.0, 5.0, 1.0]) == [2.0, 2.0, 0.5]


# ---------------------------------------------------------------- a whole swarm

PLANTED = World({"alpha=2": 6.0, "mode='fancy'": 4.0}, own=0.5, shared=0.5)


def _curve(asked: Experiment) -> tuple[Point, ...]:
    return rising(PLANTED(asked))


def swarm(**options: str) -> tuple[Ground, object, FunctionLaboratory]:
    ground = Ground([request(Budget(experiments=150), **options)])
    laboratory = FunctionLaboratory(PLANTED, workers=2, delay_seconds=0.004, curve=_curve)
    return ground, ground.play(PLANTED, laboratory=laboratory), laboratory


def test_screening_is_cheaper_and_evidence_is_whole() -> None:
    seconds = {}
    for rule in ("none", "median", "hyperband"):
        _, state, _ = swarm(prune=rule)
        rows = [row for row in state.rows.values() if row.run is not None]  # type: ignore[attr-defined]
        pruned = [row for row in rows if row.run.reason == "pruned"]
        assert bool(pruned) == (rule != "none")
        assert all(row.experiment.purpose == "screening" for row in pruned)
        assert not any(
            state.trials[t].variation and any(run.reason == "pruned" for run in state.trials[t].variation.values())
            for t in state.trials
        )  # type: ignore[attr-defined]
        first: dict[str, float] = {}
        for row in rows:
            if row.experiment.purpose == "screening" and row.experiment.hypothesis:
                first.setdefault(row.experiment.hypothesis, row.run.seconds)
        seconds[rule] = sum(first.values()) / len(first)
        assert sum(agent.failures for agent in state.agents.values()) == 0, "to be pruned is no failure"  # type: ignore[attr-defined]
        assert any("alpha" in case.hypothesis.variation.code for case in state.supported())  # type: ignore[attr-defined]
        plot = learning.learning(state)  # type: ignore[arg-type]
        assert plot is not None
        assert ("ended" in plot.caption) == (rule != "none")
        (shown,) = plots.render([plot])
        assert shown["data"]["image/png"]
    # A run that is ended early spares three quarters of its time; how many are depends on the order in which they end.
    assert max(seconds["median"], seconds["hyperband"]) < 0.95 * seconds["none"]


def test_rules_are_known_by_name() -> None:
    assert checked(1, {"prune": "hyperband"}) == {"prune": "hyperband"}
    with pytest.raises(UsageError, match="one of median, hyperband, none"):
        checked(1, {"prune": "mean"})
