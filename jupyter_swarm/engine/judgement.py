"""From pairs to verdicts: what each registered plan says now. Pure: the same ledger gives the same verdicts."""

from __future__ import annotations

from statistics import fmean, median

from jupyter_swarm import statistics
from jupyter_swarm.events import VerdictReached
from jupyter_swarm.state import SwarmState, Trial
from jupyter_swarm.words import Evidence, Scope, Verdict


def verdicts(state: SwarmState, *, final: bool = False) -> list[VerdictReached]:
    """The verdicts that are due: those of plans that are decided, exhausted or hopeless, and (with `final`) of all.

    An open verdict of an ended plan turns into *supported* when later acceptances raise the number of rejections of
    online e-BH; a supported one is never taken back.
    """
    trials = list(state.trials.values())
    values = [_current(state, trial) for trial in trials]
    wins = statistics.accepted(
        [(trial.plan.weight, value) for trial, value in zip(trials, values, strict=True)], statistics.LEVEL
    )
    due = []
    for trial, won in zip(trials, wins, strict=True):
        evidence = _ended(state, trial, won) if trial.evidence is not None else _judged(state, trial, won, final)
        if evidence is not None:
            due.append(VerdictReached(hypothesis=trial.plan.hypothesis, plan=trial.plan.id, evidence=evidence))
    return due


def is_exact(trial: Trial, least: int = 3) -> bool:
    """Whether variation and reference gave one value each over at least three seeds: a deterministic metric."""
    ours = [run.value for run in trial.variation.values() if run.value is not None]
    theirs = [run.value for run in trial.reference.values() if run.value is not None]
    return all(len(side) >= least and len(set(side)) == 1 for side in (ours, theirs))


def _current(state: SwarmState, trial: Trial) -> float:
    """The plan's e-value: frozen when it ended; an exact finding takes no part."""
    if trial.evidence is not None:
        return 0.0 if trial.evidence.scope == "exact" else trial.evidence.e_value
    return 0.0 if is_exact(trial) else _e_value(state, trial)


def _e_value(state: SwarmState, trial: Trial) -> float:
    """The evidence that all is positive which the hypothesis says is: the least of it."""
    return min(map(statistics.e_value, trial.tests(state.objective)))


def _ended(state: SwarmState, trial: Trial, won: bool) -> Evidence | None:
    before = trial.evidence
    assert before is not None
    if won and before.verdict == "open" and _large(trial, before.effect, before.cost_ratio):
        return _evidence(state, trial, "supported", "accepted when later plans were")
    return None


def _large(trial: Trial, effect: float, cost_ratio: float) -> bool:
    """Whether an effect that was shown is one that counts."""
    if trial.equivalent:
        return effect > -trial.equivalent and cost_ratio < 1.0
    return effect >= trial.plan.margin and effect > 0


def _judged(state: SwarmState, trial: Trial, won: bool, final: bool) -> Evidence | None:
    decided = _decided(state, trial, won) or (("open", "the budget ended") if final else None)
    return None if decided is None else _evidence(state, trial, *decided)


def _decided(state: SwarmState, trial: Trial, won: bool) -> tuple[Verdict, str] | None:
    """Verdict and note, or None where the plan goes on."""
    gains, plan, tests = trial.counted(state.objective), trial.plan, trial.tests(state.objective)
    decided: tuple[Verdict, str] | None = None
    if state.cases[plan.hypothesis].mark == "vetoed":
        return "open", "vetoed by the person"
    if not gains:
        return None
    if is_exact(trial):
        decided = _exact(trial, gains[0], tests[-1]), "the metric does not depend on the seed: exact, not tested"
    elif won and all(fmean(each) > 0 for each in tests):
        small = "an effect above 0, but smaller than the margin"
        decided = ("supported", "") if _large(trial, fmean(gains), _cost_ratio(trial)) else ("open", small)
    elif _refuted(trial, gains):
        decided = "refuted", ""
    elif len(trial.started) <= len(trial.variation.keys() & trial.reference.keys()):
        left = plan.max_pairs - len(gains)
        needed = statistics.needed(plan.weight, _wins(state), plan.level)
        if left <= 0:
            decided = "open", "neither shown nor excluded within the plan's pairs"
        elif any(statistics.hopeless(each, left, needed) for each in tests):
            decided = "open", "stopped early: the pairs left could not have shown it"
    return decided


def _exact(trial: Trial, gain: float, saved: list[float]) -> Verdict:
    """The verdict where no seed matters: the difference is what it is; costs differ all the same."""
    if trial.equivalent:
        as_good = gain >= -trial.equivalent
        return "supported" if as_good and min(saved) > 0.0 else "open" if as_good else "refuted"
    return "supported" if gain > trial.plan.margin else "refuted" if gain < 0 else "open"


def _refuted(trial: Trial, gains: list[float]) -> bool:
    """Whether the opposite was shown: the effect is smaller than what counts, or the loss larger than what does not."""
    if trial.equivalent:
        return statistics.e_against(gains, -trial.equivalent) >= 1.0 / trial.plan.level
    return trial.plan.margin > 0 and statistics.e_against(gains, trial.plan.margin) >= 1.0 / trial.plan.level


def _wins(state: SwarmState) -> int:
    ended = [trial.evidence for trial in state.trials.values() if trial.evidence is not None]
    return sum(evidence.verdict == "supported" and evidence.scope != "exact" for evidence in ended)


def _evidence(state: SwarmState, trial: Trial, verdict: Verdict, note: str) -> Evidence:
    gains, analysis = trial.counted(state.objective), state.analysis
    exact, against = is_exact(trial), -1.0 if trial.equivalent else 1.0
    scope: Scope = "exact" if exact else analysis.scope
    low, high = (gains[0], gains[0]) if exact else statistics.interval(gains)
    new_data = None
    if scope == "splits" and analysis.test_ratio is not None:
        new_data = _for_new_data(statistics.new_data_interval(gains, analysis.test_ratio), low, high)
    return Evidence(
        verdict=verdict,
        effect=fmean(gains) if gains else 0.0,
        low=low,
        high=high,
        pairs=len(gains),
        e_value=1.0 if exact or not gains else _e_value(state, trial),
        e_against=1.0 if exact or not gains else statistics.e_against(gains, trial.plan.margin * against),
        scope=scope,
        new_data_low=new_data[0] if new_data else None,
        new_data_high=new_data[1] if new_data else None,
        cost_ratio=_cost_ratio(trial),
        note=note,
    )


def _for_new_data(
    found: tuple[float, float] | None, low: float | None, high: float | None
) -> tuple[float, float] | None:
    """The interval for new data: never narrower than that for these, and none where these could not be bounded."""
    if found is None or low is None or high is None:
        return None
    return min(found[0], low), max(found[1], high)


def _cost_ratio(trial: Trial) -> float:
    ours = [run.seconds for run in trial.variation.values() if run.ok]
    theirs = [run.seconds for run in trial.reference.values() if run.ok]
    if not ours or not theirs or median(theirs) <= 0.0:
        return 1.0
    return round(median(ours) / median(theirs), 3)
