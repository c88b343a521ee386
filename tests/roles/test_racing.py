"""Screening's race: what is looked at again, what is ready, and what a direction has taught."""

from __future__ import annotations

import math
import random
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worlds import STEADY, Judged, World, analysis, grown

from jupyter_swarm import cell
from jupyter_swarm import events as e
from jupyter_swarm.roles import prospects, screening
from jupyter_swarm.roles.brainstorming import fitting
from jupyter_swarm.state import Case, SwarmState
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


@pytest.mark.parametrize("values", [(1e200, 3e200), (-1e200, 2.0, 1e308), (1.0, -1.7e308, 1.7e308)])
def test_a_metric_that_diverges_ends_no_swarm(values: tuple[float, ...]) -> None:
    """Its records stay in the ledger: what cannot be folded once can never be."""
    judged = Judged()
    case = propose(judged, 2.0, *values)
    assert len(case.gains) == len(values)
    prior = screening.prior(judged.state, "D1")
    for number in (*prior, judged.state.pair_spread, *screening.standing(judged.state, case)):
        assert math.isfinite(number)
    again = screening.again(judged.state, judged.state.cases, -math.inf)
    assert again is None or again is case


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


# ---------------------------------------------------------------- what is remembered, and what it saves


def by_definition(state: SwarmState, cases: Iterable[str], above: float) -> Case | None:
    """Of the cases that may be looked at again at all, the one with the highest bound, the earliest of those."""
    flying = {row.experiment.hypothesis for row in state.in_flight}
    fit = [
        case
        for case in map(state.cases.__getitem__, cases)
        if not (case.plan or case.evidence or case.mark == "vetoed" or case.failures)
        and case.hypothesis.id not in flying
        and 0 < len(case.seeds) < screening.MOST_SEEDS
        and state.spread > 0.0
        and not screening.ready(state, case)
        and not screening.behind(state, case)
    ]
    best = max(fit, key=lambda case: screening.standing(state, case).bound, default=None)
    return best if best is not None and screening.standing(state, best).bound > above else None


def raced(seed: int, cases: int = 30) -> Judged:
    """A swarm of many cases: screened once or several times, failed, running, marked, planned, some behind a lead."""
    rng, judged = random.Random(seed), Judged()
    for number in range(cases):
        worth = rng.gauss(0.0, 1.0)
        values = [round(place - 1.0 + worth + rng.gauss(0.0, 0.5), 3) for place in range(rng.randint(0, 3))]
        case = propose(judged, 2.0 + number, *values, *rng.sample(["failure"], rng.random() < 0.1))
        if rng.random() < 0.2:
            judged.say(e.HypothesisMarked(hypothesis=case.hypothesis.id, mark=rng.choice(("approved", "vetoed"))))
        if rng.random() < 0.1:
            judged.say(e.ExperimentStarted(number=1000 + number, experiment=asked(case, seed=9)))
        if rng.random() < 0.05:
            supported(judged, 300.0 + number, rng.uniform(0.1, 0.3))
    return judged


def supported(judged: Judged, alpha: float, gain: float) -> None:
    """One more supported improvement of the baseline."""
    plan = judged.plan(60, 0.0, Edit(kind="set", target="measure.alpha", value=alpha))
    judged.gain(plan, *(gain * each for each in 4 * STEADY))
    assert judged.verdicts()[plan.id][0] == "supported"


def test_the_race_has_one_answer_however_it_is_found() -> None:
    answers: Counter[str] = Counter()
    leads = set()
    for seed in range(20):
        state = raced(seed).state
        leads.add(state.lead(state.baseline.id))
        names = [name for name, case in state.cases.items() if case.seeds or case.gains]  # what was lost comes first
        for above in (-9.0, 0.0, 0.5, screening.prior(state, "D1").bound, 2.0, 9.0):
            for some in (names, names[::-1], names[::3]):
                found = screening.again(state, some, above)
                assert found is by_definition(state, some, above)
                answers[found.hypothesis.id if found is not None else ""] += 1
    assert len(leads) > 5
    assert len(answers) > 10, "it is not always the same"


S = TypeVar("S", bound=SwarmState)


def recorded(kind: type[S], events: Iterable[e.AnyEvent]) -> S:
    """A state of this kind after these events."""
    state = kind(name="w")
    for number, event in enumerate(events, 1):
        state.apply(e.Record(number, "w", 0.0, 0.0, event))
    return state


class Counted(SwarmState):
    """A state that counts how often its findings are put in order."""

    orders = 0

    def findings(self) -> list[Case]:
        self.orders += 1
        return super().findings()


def test_a_race_of_many_looks_once_for_what_leads() -> None:
    judged = Judged()
    for number in range(60):
        propose(judged, 2.0 + number, -3.0 + 0.05 * number)
    supported(judged, 99.0, 1.0)
    state = recorded(Counted, judged.events)
    assert state.incumbent() is state.cases["H61"]
    for _ in range(3):
        screening.again(state, list(state.cases), -9.0)
    assert state.orders == 1


def test_what_leads_is_known_anew_after_each_record() -> None:
    judged = raced(3)
    for number in range(4):
        supported(judged, 400.0 + number, 0.4 + 0.1 * number)
    state, leads = SwarmState(name="w"), set()
    known = [judged.state.baseline.id, *(case.hypothesis.variation.id for case in judged.state.cases.values())]
    for number, event in enumerate(judged.events, 1):
        state.apply(e.Record(number, "w", 0.0, 0.0, event))
        if not isinstance(event, e.ExperimentStarted | e.ExperimentFinished):
            state.incumbent()
            fresh = SwarmState.of(
                e.Record(each, "w", 0.0, 0.0, one) for each, one in enumerate(judged.events[:number], 1)
            )
            assert [state.lead(each) for each in known] == [fresh.lead(each) for each in known]
            leads.add(state.lead(known[0]))
    assert len(leads) > 2


def test_a_runner_and_its_resumption_have_been_taught_the_same() -> None:
    """Whatever was asked before, and when: a prior follows from the ledger alone."""
    ground = grown(World({"flag=True": 1.0, "depth=9": 0.5}), 150)
    going_on, taught, records = SwarmState(), set(), ground.records
    for place, record in enumerate(records, 1):
        going_on.apply(record)
        priors = {each: screening.prior(going_on, each) for each in going_on.directions}
        if place % 9 == 0:
            fresh = SwarmState.of(records[:place])
            assert priors == {each: screening.prior(fresh, each) for each in fresh.directions}
            taught |= set(priors.values())
    assert len(taught) > 20


def test_a_prior_is_what_it_was_defined_to_be() -> None:
    """Mean and variance shrunk towards "no gain, as uncertain as one run", over the cases' mean gains."""
    state = raced(5, 60).state
    means = [(sum(gains) / len(gains), len(gains)) for case in state.cases.values()
             if (gains := case.gains) and case.hypothesis.direction == "D1"]  # fmt: skip
    doubt, scale = screening.DOUBT, state.pair_spread
    centre = sum(mean / scale for mean, _ in means) / (len(means) + doubt)
    spread = sum((mean / scale - centre) ** 2 - 1.0 / runs for mean, runs in means)
    found = screening.prior(state, "D1")
    assert found.mean == pytest.approx(centre, rel=1e-12)
    assert found.variance == pytest.approx((doubt + spread) / (doubt + len(means)), rel=1e-12)
    assert found.variance > screening.LEAST_VARIANCE
