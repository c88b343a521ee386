"""Screening's race: what is looked at again, what is ready, and what a direction has taught."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worlds import Judged, analysis

from jupyter_swarm import cell
from jupyter_swarm import events as e
from jupyter_swarm.roles import prospects, screening
from jupyter_swarm.roles.brainstorming import fitting
from jupyter_swarm.state import Case
from jupyter_swarm.words import Citation, Edit, Experiment, Hypothesis, Run, Variation


def propose(judged: Judged, alpha: float, *values: float | str) -> Case:
    """An idea in direction D1, screened on seeds 1, 2, 3 … against the baseline's −1, 0, 1."""
    name = f"H{len(judged.state.cases) + 1}"
    variation = cell.apply(analysis(), (Edit(kind="set", target="measure.alpha", value=alpha),))
    hypothesis = Hypothesis(
        id=name, statement="", direction="D1", agent="inventor-1", variation=variation, reference=judged.state.baseline
    )
    judged.say(e.HypothesisProposed(hypothesis=hypothesis))
    for seed, value in enumerate(values, 1):
        judged.run(variation, seed, value, "screening", name)  # type: ignore[arg-type]
    return judged.state.cases[name]


def test_a_large_effect_is_ready_soon_and_a_small_one_has_to_hold() -> None:
    judged = Judged()
    assert screening.ready(judged.state, propose(judged, 2.0, 9.0))
    judged = Judged()
    assert not screening.ready(judged.state, propose(judged, 2.0, 0.0))
    held = Judged()
    assert not screening.ready(held.state, propose(held, 2.0))
    assert screening.ready(held.state, propose(held, 3.0, 1.5, 2.5, 3.5))


def test_what_was_planned_vetoed_or_fails_is_not_ready() -> None:
    judged = Judged()
    case = propose(judged, 2.0, 9.0)
    judged.say(e.HypothesisMarked(hypothesis="H1", mark="vetoed"))
    assert not screening.ready(judged.state, case)
    judged.say(e.HypothesisMarked(hypothesis="H1", mark="approved"))
    assert screening.ready(judged.state, case)
    assert screening.ready(judged.state, propose(judged, 3.0, -1.0)) is False
    judged.say(e.HypothesisMarked(hypothesis="H2", mark="approved"))
    assert screening.ready(judged.state, judged.state.cases["H2"]), "the person's word is enough"


def test_what_beats_only_an_overtaken_cell_is_behind() -> None:
    """Once +5 over the baseline is supported, another +5 over the baseline is no news; +50 is."""
    judged = Judged()
    equal, better, worse = propose(judged, 2.0, 5.0), propose(judged, 3.0, 50.0), propose(judged, 4.0, 1.0)
    assert not any(screening.behind(judged.state, case) for case in (equal, better, worse))
    plan = judged.plan()
    judged.gain(plan, *(5.0 + 0.1 * (place % 3) for place in range(12)))
    assert judged.verdicts()[plan.id][0] == "supported"
    assert judged.state.lead(judged.state.baseline.id) == pytest.approx(5.1, abs=0.1)
    incumbent = judged.state.incumbent()
    assert incumbent is not None
    assert judged.state.lead(incumbent.hypothesis.variation.id) == 0.0
    assert judged.state.lead("no such variation") is None
    assert [screening.behind(judged.state, case) for case in (equal, better, worse)] == [True, False, True]
    judged.say(e.HypothesisMarked(hypothesis=equal.hypothesis.id, mark="approved"))
    assert not screening.behind(judged.state, equal), "the person's word is enough"


def test_a_barren_direction_teaches_modesty() -> None:
    judged = Judged()
    first = screening.prior(judged.state, "D1")
    for number in range(30):
        propose(judged, 2.0 + number, -1.0 + 0.01 * number)
    after = screening.prior(judged.state, "D1")
    assert after.bound < first.bound
    assert after.variance >= screening.LEAST_VARIANCE
    assert screening.prior(judged.state, "D9") == screening.Prior()
    lucky = propose(judged, 99.0, 1.5)
    assert screening.standing(judged.state, lucky).mean < 1.0, "one lucky run counts less where nothing ever held"


def test_the_race_looks_again_at_the_most_promising() -> None:
    judged = Judged()
    poor, good = propose(judged, 2.0, -3.0), propose(judged, 3.0, 0.5)
    cases = judged.state.directions["D1"].cases
    assert screening.again(judged.state, cases, 0.0) is good
    assert screening.again(judged.state, cases, 99.0) is None
    failed = propose(judged, 4.0, "failure")
    assert failed.failures == 1
    assert screening.again(judged.state, [failed.hypothesis.id], -99.0) is None
    assert screening.again(judged.state, [poor.hypothesis.id], -99.0) is poor
    assert screening.next_seed(good) == 2


def test_nobody_is_screened_for_ever() -> None:
    judged = Judged()
    case = propose(judged, 2.0, *[0.1] * screening.MOST_SEEDS)
    assert screening.again(judged.state, [case.hypothesis.id], -99.0) is None


def test_new_ideas_begin_on_the_starting_seeds_in_turn() -> None:
    judged = Judged()
    seeds = []
    for number in range(6):
        seeds.append(screening.first_seed(judged.state))
        propose(judged, 2.0 + number)
    assert seeds == [1, 2, 3, 1, 2, 3]


def test_a_probe_runs_the_reference_only_where_it_is_unknown() -> None:
    judged = Judged()
    case = propose(judged, 2.0)
    known = screening.probe(judged.state, case, 2, "context", "a")
    assert [(one.seed, one.purpose) for one in known] == [(2, "screening")]
    unknown = screening.probe(judged.state, case, 4, "context", "a")
    assert [(one.seed, one.purpose, one.hypothesis) for one in unknown] == [(4, "screening", "H1"), (4, "baseline", "")]


def test_directions_cover_what_may_vary_once_each() -> None:
    offered = prospects.prospects(analysis(), Variation(code=analysis().code))
    targets = [target for each in offered for target in each.targets]
    found = cell.sites(analysis().code, analysis())
    places = [*found.knobs, *found.swaps, *found.inserts, *found.blocks]
    assert sorted(targets) == sorted(place.name for place in places)
    assert len({each.title for each in offered}) == len(offered)


CITED = Citation(
    paper="a", title="A", kind="documentation", passage="p", place="measure.alpha", start=0, end=9, quote="the flag"
)


@pytest.mark.parametrize(("target", "count"), [("measure.flag", 1), ("measure.alpha", 1), ("measure.depth", 0)])
def test_a_hypothesis_takes_the_citations_that_name_it(target: str, count: int) -> None:
    cited = msgspec.structs.replace(CITED, place="alpha of it", quote="the flag")
    assert len(fitting((cited,), (Edit(kind="set", target=target.replace("measure.", "m."), value=3),))) == count


def test_papers_are_cited_before_documentation() -> None:
    paper = msgspec.structs.replace(CITED, kind="paper", paper="b")
    assert [one.paper for one in fitting((CITED, paper), (Edit(kind="set", target="m.flag", value=True),))] == [
        "b",
        "a",
    ]


def test_an_idea_whose_first_run_was_lost_is_run_again_where_it_was() -> None:
    judged = Judged()
    for value in (1.0, 2.0):
        propose(judged, 5.0 + value, value)
    lost = propose(judged, 2.0)
    names = list(judged.state.cases)
    for tries in range(1, 4):
        judged.say(e.ExperimentStarted(number=900 + tries, experiment=asked(lost, seed=3)))
        running = screening.again(judged.state, names, -9.0)
        assert running is not None
        assert running is not lost, "it runs"
        gone = Run(experiment=asked(lost, seed=3).id, reason="lost", message="its runner died")
        judged.say(e.ExperimentFinished(number=900 + tries, run=gone))
        assert screening.next_seed(lost) == 3
        assert lost.cut == {3: tries}
        assert screening.again(judged.state, names, 9.0) is lost
    judged.say(e.ExperimentStarted(number=990, experiment=asked(lost, seed=3)))
    judged.say(e.ExperimentFinished(number=990, run=Run(experiment=asked(lost, seed=3).id, reason="lost")))
    assert screening.again(judged.state, names, 9.0) is None, "but not for ever"


def asked(case: Case, seed: int) -> Experiment:
    return Experiment(
        code=case.hypothesis.variation.code, seed=seed, metric="score", context="", hypothesis=case.hypothesis.id
    )
