"""Plans and verdicts: written before their runs, on untouched seeds, judged as the design says."""

from __future__ import annotations

import re
import sys
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worlds import STEADY, Ground, Judged, World, grown

from jupyter_swarm import events as e
from jupyter_swarm import statistics
from jupyter_swarm.engine import judgement
from jupyter_swarm.state import SCREENING
from jupyter_swarm.words import Plan


@pytest.fixture(scope="module")
def lived() -> Ground:
    ground = grown(World({"flag=True": 4.0, "depth=1,": 4.0}), 400, options={"seed": 4})
    assert len(ground.state.trials) > 2
    return ground


def test_plans_stand_in_the_ledger_before_their_runs(lived: Ground) -> None:
    plans: dict[str, Plan] = {}
    for event in lived.events:
        if isinstance(event, e.PlanRegistered):
            plans[event.plan.hypothesis] = event.plan
        if isinstance(event, e.ExperimentStarted) and event.experiment.purpose == "confirmation":
            plan = plans[event.experiment.hypothesis]
            assert plan.first_seed <= event.experiment.seed < plan.first_seed + plan.max_pairs
    assert len({plan.id for plan in plans.values()}) == len(lived.of(e.PlanRegistered)), "one plan a hypothesis"


def test_hypotheses_stand_in_the_ledger_before_their_runs(lived: Ground) -> None:
    known: set[str] = {""}
    for event in lived.events:
        if isinstance(event, e.HypothesisProposed):
            known.add(event.hypothesis.id)
        if isinstance(event, e.ExperimentStarted):
            assert event.experiment.hypothesis in known


def test_seeds_of_plans_are_untouched(lived: Ground) -> None:
    seeds: dict[str, set[int]] = {}
    for event in lived.of(e.ExperimentStarted):
        one = event.experiment
        group = "screening" if one.purpose in SCREENING else "best" if one.purpose == "best" else one.hypothesis
        seeds.setdefault(group, set()).add(one.seed)
    assert {"screening", "best"} < set(seeds)
    groups = list(seeds.values())
    assert sum(map(len, groups)) == len(set.union(*groups)), "a seed was used for two things"


def test_weights_are_taken_in_the_order_of_registration(lived: Ground) -> None:
    weights = [event.plan.weight for event in lived.of(e.PlanRegistered)]
    assert weights == [statistics.weight(position) for position in range(1, len(weights) + 1)]
    assert sum(weights) < 1


def test_variation_and_reference_run_as_pairs(lived: Ground) -> None:
    state = lived.state
    for trial in state.trials.values():
        hypothesis = state.cases[trial.plan.hypothesis].hypothesis
        codes: dict[int, list[str]] = {}
        for row in state.rows.values():
            if row.experiment.hypothesis == hypothesis.id and row.experiment.purpose == "confirmation":
                codes.setdefault(row.experiment.seed, []).append(row.experiment.code)
        pair = {hypothesis.variation.code, hypothesis.reference.code}
        assert all(len(both) == 2 and set(both) == pair for both in codes.values())
        firsts = {both[0] for both in codes.values()}
        assert firsts == pair or len(codes) < 2, "which of the two goes first alternates"


def test_evidence_is_what_the_statistics_say_of_the_pairs(lived: Ground) -> None:
    state = lived.state
    for event in lived.of(e.VerdictReached):
        plan, found = state.trials[event.plan].plan, event.evidence
        gains = state.trials[event.plan].gains(state.objective)[: found.pairs]
        assert found.effect == pytest.approx(fmean(gains))
        assert found.e_value == pytest.approx(statistics.e_value(gains))
        assert found.e_against == pytest.approx(statistics.e_against(gains, plan.margin))
        assert (found.low, found.high) == pytest.approx(statistics.interval(gains))
        if found.verdict == "supported":
            assert found.effect >= plan.margin > 0
        if found.verdict == "refuted":
            assert found.e_against >= 20


def test_the_baseline_of_screening_is_no_evidence(lived: Ground) -> None:
    for trial in lived.state.trials.values():
        assert all(seed >= 10_000 for seed in trial.reference)


def test_the_best_is_measured_again_before_it_is_best(lived: Ground) -> None:
    state = lived.state
    assert state.best is not None
    rows = [row for row in state.rows.values() if row.experiment.purpose == "best"]
    last = [row for row in rows if row.experiment.code == state.best.variation.code][-state.best.runs :]
    values = [row.run.value for row in last if row.run and row.run.value is not None]
    assert state.best.runs == len(values) == 5
    assert (state.best.mean, state.best.low, state.best.high) == statistics.mean_interval(values)
    before = [event for event in lived.events if isinstance(event, e.BestEstimated | e.ExperimentStarted)]
    assert not isinstance(before[0], e.BestEstimated)
    incumbent = state.incumbent()
    assert incumbent is not None
    assert state.best.variation == incumbent.hypothesis.variation


def test_hypotheses_are_about_the_incumbent_once_there_is_one(lived: Ground) -> None:
    """After the first support, what is supported later builds on it, or is about another change of the baseline."""
    supported = [case.hypothesis for case in lived.state.supported()]
    chained = [one for one in supported if one.reference.edits]
    assert chained
    for one in chained:
        assert one.variation.edits[: len(one.reference.edits)] == one.reference.edits
    assert lived.state.baseline.id not in {case.hypothesis.variation.id for case in lived.state.cases.values()}


def test_supported_is_never_taken_back(lived: Ground) -> None:
    verdicts: dict[str, list[str]] = {}
    for event in lived.of(e.VerdictReached):
        verdicts.setdefault(event.plan, []).append(event.evidence.verdict)
    for course in verdicts.values():
        assert all((before, after) == ("open", "supported") for before, after in pairwise(course))


# ---------------------------------------------------------------- verdicts, on pairs that are given


def test_supported_as_soon_as_the_evidence_reaches_the_plans_level() -> None:
    judged = Judged()
    plan = judged.plan()
    for count, gain in enumerate(STEADY, 1):
        judged.gain(plan, gain)
        due = judged.verdicts()
        enough = statistics.e_value(STEADY[:count]) >= 1 / (0.05 * plan.weight)
        assert bool(due) == enough, f"after {count} pairs"
        if due:
            assert due == {"P1": ("supported", "")}
            break
    else:
        pytest.fail("never supported")
    assert judged.verdicts() == {}, "a verdict is reached once"


def test_an_effect_below_the_margin_is_open() -> None:
    judged = Judged()
    judged.gain(judged.plan(margin=2.0), *STEADY)
    evidence = judgement.verdicts(judged.state)[0].evidence
    assert evidence.verdict in ("open", "refuted")
    judged = Judged()
    judged.gain(judged.plan(margin=1.02), *STEADY)
    assert judged.verdicts()["P1"] == ("open", "an effect above 0, but smaller than the margin")


def test_refuted_where_an_effect_as_large_as_the_margin_is_excluded() -> None:
    judged = Judged()
    plan = judged.plan()
    judged.gain(plan, *(0.01 * (-1) ** n for n in range(12)))
    assert statistics.e_against([0.01 * (-1) ** n for n in range(12)], plan.margin) >= 20
    assert judged.verdicts() == {"P1": ("refuted", "")}


def test_open_where_the_pairs_are_used_up_or_hopeless() -> None:
    judged = Judged()
    judged.gain(judged.plan(pairs=6), 2.0, -1.0, 2.0, -1.0, 2.0, 1.0)
    assert judged.verdicts() == {"P1": ("open", "neither shown nor excluded within the plan's pairs")}
    judged = Judged()
    judged.gain(judged.plan(pairs=9), 3.0, -2.0, 3.0, -2.5, 2.0, -1.0)
    assert judged.verdicts() == {"P1": ("open", "stopped early: the pairs left could not have shown it")}
    judged = Judged()
    judged.gain(judged.plan(), 2.0, 1.5)
    assert judged.verdicts() == {}
    assert judged.verdicts(final=True) == {"P1": ("open", "the budget ended")}


def test_a_plan_without_runs_is_open_at_the_end() -> None:
    judged = Judged()
    judged.plan()
    assert judged.verdicts() == {}
    assert judged.verdicts(final=True) == {"P1": ("open", "the budget ended")}
    assert judged.state.cases["H1"].evidence is not None
    assert judged.state.cases["H1"].evidence.pairs == 0


def test_later_acceptances_carry_an_open_one_along() -> None:
    """Online e-BH accepts more at once than one by one: γe of P2 passes 1/(2·5 %) only when P1 does too."""
    judged = Judged()
    first, second = judged.plan(), judged.plan(pairs=8)
    for gain in STEADY[:8]:
        judged.gain(second, gain)
    value = statistics.e_value(STEADY[:8])
    assert 1 / (2 * 0.05) <= second.weight * value < 1 / 0.05, "enough beside another, not alone"
    assert judged.verdicts() == {"P2": ("open", "neither shown nor excluded within the plan's pairs")}
    judged.gain(first, *STEADY)
    assert judged.verdicts() == {"P1": ("supported", ""), "P2": ("supported", "accepted when later plans were")}


def test_an_accepted_plan_stays_accepted_whatever_comes() -> None:
    judged = Judged()
    plan = judged.plan()
    judged.gain(plan, *STEADY)
    assert judged.verdicts()["P1"][0] == "supported"
    judged.gain(plan, -9.0, -9.0, -9.0)
    assert judged.verdicts(final=True) == {}
    for _ in range(3):
        other = judged.plan()
        judged.gain(other, *(-gain for gain in STEADY))
        judged.verdicts()
    assert judged.state.cases["H1"].evidence is not None
    assert judged.state.cases["H1"].evidence.verdict == "supported"


def test_a_failing_variation_is_a_loss_and_a_failing_reference_a_gain() -> None:
    judged = Judged()
    plan = judged.plan(margin=0.5)
    judged.pair(plan, 0, "failure", 1.0)
    judged.pair(plan, 1, 3.0, 1.0)
    judged.pair(plan, 2, "timeout", 1.0)
    judged.pair(plan, 3, 1.0, "nonfinite")
    judged.pair(plan, 4, "missing", "failure")
    judged.pair(plan, 5, "stopped", 1.0)
    trial = judged.state.trials["P1"]
    assert trial.gains(judged.state.objective) == [-0.5, 2.0, -2.0, 2.0, 0.0]


def test_a_variation_that_always_fails_is_refuted() -> None:
    judged = Judged()
    plan = judged.plan()
    for place in range(10):
        judged.pair(plan, place, "failure", 1.0 + place)
    assert judged.verdicts() == {"P1": ("refuted", "")}


def test_pairs_count_in_the_order_of_their_seeds_whichever_comes_back_first() -> None:
    judged = Judged()
    plan = judged.plan()
    judged.gain(plan, 1.0)
    judged.pair(plan, 1, 1.0, None)
    judged.pair(plan, 2, 5.0, 0.0)
    trial = judged.state.trials["P1"]
    assert trial.counted(judged.state.objective) == [1.0]
    assert trial.gains(judged.state.objective) == [1.0, 5.0]
    judged.run(judged.state.baseline, plan.first_seed + 1, 0.5, "confirmation", plan.hypothesis)
    assert trial.counted(judged.state.objective) == [1.0, 0.5, 5.0]


def test_a_pair_that_was_cut_off_runs_again_but_not_for_ever() -> None:
    judged = Judged()
    plan = judged.plan()
    trial = judged.state.trials["P1"]
    judged.pair(plan, 0, "lost", 1.0)
    assert trial.missing(plan.first_seed)
    judged.run(judged.state.cases["H1"].hypothesis.variation, plan.first_seed, 2.0, "confirmation", "H1")
    assert not trial.missing(plan.first_seed)
    assert trial.counted(judged.state.objective) == [1.0]
    for _ in range(4):
        assert trial.missing(plan.first_seed + 1)
        judged.pair(plan, 1, "lost", 1.0)
    judged.pair(plan, 2, 4.0, 1.0)
    assert trial.counted(judged.state.objective) == [1.0, 3.0], "left out in the end"


def test_exact_metrics_are_a_class_of_their_own() -> None:
    judged = Judged(baseline=(1.0, 1.0, 1.0))
    better, worse, same = judged.plan(), judged.plan(), judged.plan()
    for plan, value in ((better, 2.0), (worse, 0.5), (same, 1.0)):
        for place in range(3):
            judged.pair(plan, place, value, 1.0)
    due = {each.plan: each.evidence for each in judgement.verdicts(judged.state)}
    assert [due[name].verdict for name in ("P1", "P2", "P3")] == ["supported", "refuted", "open"]
    assert {found.scope for found in due.values()} == {"exact"}
    assert {found.e_value for found in due.values()} == {1.0}
    assert (due["P1"].effect, due["P1"].low, due["P1"].high) == (1.0, 1.0, 1.0)
    assert "exact" in due["P1"].note


def test_an_exact_finding_takes_no_part_in_the_acceptance_of_others() -> None:
    judged = Judged()
    exact = judged.plan(margin=0.0)
    for place in range(20):
        judged.pair(exact, place, 2.0, 1.0)
    noisy = judged.plan(pairs=8)
    for gain in STEADY[:8]:
        judged.gain(noisy, gain)
    assert 1 / (2 * 0.05) <= noisy.weight * statistics.e_value(STEADY[:8]) < 1 / 0.05
    due = judged.verdicts()
    assert due["P1"][0] == "supported"
    assert due["P2"][0] == "open"


def test_a_deterministic_cell_ends_with_exact_findings() -> None:
    ground = grown(World({"flag=True": 1.0, "depth=1,": -1.0}, shared=0.0, own=0.0), 60)
    state = ground.state
    assert state.phase == "done"
    supported = state.supported()
    assert {case.evidence.scope for case in supported if case.evidence} == {"exact"}
    assert all("flag" in case.hypothesis.statement for case in supported)
    assert state.trials["P1"].evidence is not None
    assert state.trials["P1"].evidence.pairs == 3
    assert any(re.search("does not depend on the seed", text) for _, _, text in state.log)
    assert state.best is not None
    assert (state.best.mean, state.best.low, state.best.high) == (1.0, 1.0, 1.0)


def test_scope_and_the_interval_for_new_data() -> None:
    judged = Judged()
    assert judged.state.request is not None
    splits = judged.state.request.analysis
    judged.gain(judged.plan(), *STEADY)
    seeds = judgement.verdicts(judged.state)[0].evidence
    assert (seeds.scope, seeds.new_data_low) == ("seeds", None)
    asked = msgspec.structs.replace(splits, scope="splits", test_ratio=0.25)
    judged.state.request = msgspec.structs.replace(judged.state.request, analysis=asked)
    found = judgement.verdicts(judged.state)[0].evidence
    assert found.scope == "splits"
    assert found.new_data_low is not None
    assert found.low is not None
    assert (found.new_data_low, found.new_data_high) == statistics.new_data_interval(STEADY, 0.25)


def test_a_gain_bought_with_compute_shows_its_cost() -> None:
    judged = Judged()
    plan = judged.plan()
    judged.gain(plan, *STEADY)
    trial = judged.state.trials["P1"]
    for seed in trial.variation:
        trial.variation[seed] = msgspec.structs.replace(trial.variation[seed], seconds=3.0)
        trial.reference[seed] = msgspec.structs.replace(trial.reference[seed], seconds=2.0)
    assert judgement.verdicts(judged.state)[0].evidence.cost_ratio == 1.5
