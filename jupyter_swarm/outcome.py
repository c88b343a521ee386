"""The outcome of a swarm as one plain object: what `--json` prints and `Swarm.result()` returns."""

from __future__ import annotations

from statistics import fmean
from typing import Any

from jupyter_swarm import cell
from jupyter_swarm.errors import SwarmError
from jupyter_swarm.state import Case, Spent, SwarmState
from jupyter_swarm.words import Citation, Variation


def outcome(state: SwarmState) -> dict[str, Any]:
    """Name, state, experiments, baseline, best, findings with their citations, spend. Numbers that are not known yet
    are None.

    >>> outcome(SwarmState(name="wine"))["state"]
    'unknown'
    """
    values = state.baseline_values()
    best, spent = state.best, sum(state.spent.values(), Spent())
    return {
        "name": state.name,
        "state": state.phase,
        "experiments": state.experiments,
        "baseline": {"mean": fmean(values) if values else None, "n": len(values)},
        "best": {"mean": best.mean if best else None, "code": cell.typed(best.variation.code) if best else None},
        "findings": [_finding(state, case) for case in state.findings()],
        "spend": {
            "seconds": round(state.clock, 3),
            "run_seconds": round(sum(state.seconds.values()), 3),
            "experiments": state.experiments,
            "calls": spent.calls,
            "tokens": spent.tokens,
            "dollars": None if spent.unpriced else round(spent.dollars, 6),
        },
    }


def _finding(state: SwarmState, case: Case) -> dict[str, Any]:
    assert case.evidence is not None
    trial = state.trials.get(case.plan)
    return {
        "statement": case.hypothesis.statement,
        "verdict": case.evidence.verdict,
        "audited": audited(state, case),
        "effect": case.evidence.effect,
        "low": case.evidence.low,
        "high": case.evidence.high,
        "holdout": _holdout(state, case),
        "runs": len(trial.variation) + len(trial.reference) if trial else 2 * case.evidence.pairs,
        "citations": [_citation(each) for each in case.hypothesis.citations],
    }


def _holdout(state: SwarmState, case: Case) -> dict[str, Any] | None:
    """On data that no run had seen; None where that was not measured."""
    found = state.holdouts.get(case.hypothesis.id)
    if found is None or not found.pairs:
        return None
    return {"effect": found.effect, "low": found.low, "high": found.high, "pairs": found.pairs, "mean": found.mean}


def _citation(citation: Citation) -> dict[str, str]:
    return {"paper": citation.title or citation.paper, "place": citation.place, "quote": citation.quote}


def audited(state: SwarmState, case: Case) -> bool:
    """Whether a hypothesis rests on nothing but declared edits of the person's cell, or on code that they approved.

    A finding that does not is *unaudited*: within one process, code can make its own metric whatever is watched. An
    approval counts from the verdict on, when the difference is shown with it; before, it says what to test next.
    """
    hypothesis = case.hypothesis
    return (case.read or _known(state, hypothesis.variation)) and _known(state, hypothesis.reference)


def _known(state: SwarmState, variation: Variation) -> bool:
    """Whether a code is the baseline's, or an approved one, after the edits that it declares."""
    approved = _approved(state)
    known: dict[Any, bool] = state.memo.setdefault("known", {})
    key = (variation, tuple(each.id for each in approved))
    if key not in known:
        bases = (state.baseline, *approved)
        known[key] = any(variation.code == base.code or _made_of(state, base, variation) for base in bases)
    return known[key]


def _approved(state: SwarmState) -> tuple[Variation, ...]:
    """What a person has read, looked up once for each state: a view asks about many findings at a time."""
    before: tuple[int, tuple[Variation, ...]] | None = state.memo.get("approved")
    if before is None or before[0] != state.last:
        found = tuple(each.hypothesis.variation for each in state.cases.values() if each.read)
        before = state.memo["approved"] = (state.last, found)
    return before[1]


def _made_of(state: SwarmState, base: Variation, variation: Variation) -> bool:
    count = len(base.edits)
    if variation.edits[:count] != base.edits:
        return False
    try:
        return cell.apply(state.analysis, variation.edits[count:], base).code == variation.code
    except (SwarmError, SyntaxError):
        return False


def needed_runs(state: SwarmState) -> list[str]:
    """Notebooks that a finding, the baseline or the best rests on: all but those of screening (paths in `.swarm/`)."""
    return [
        row.run.notebook
        for row in state.rows.values()
        if row.run is not None and row.run.notebook and row.experiment.purpose != "screening"
    ]
