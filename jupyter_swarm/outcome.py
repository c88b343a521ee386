"""The outcome of a swarm as one plain object: what `--json` prints and `Swarm.result()` returns."""

from __future__ import annotations

from statistics import fmean
from typing import Any

from jupyter_swarm.state import Case, SwarmState
from jupyter_swarm.words import Citation


def outcome(state: SwarmState) -> dict[str, Any]:
    """Name, state, experiments, baseline, best, findings with their citations, spend. Numbers that are not known yet
    are None.

    >>> outcome(SwarmState(name="wine"))["state"]
    'unknown'
    """
    values = state.baseline_values()
    best = state.best
    return {
        "name": state.name,
        "state": state.phase,
        "experiments": state.experiments,
        "baseline": {"mean": fmean(values) if values else None, "n": len(values)},
        "best": {"mean": best.mean if best else None, "code": best.variation.code if best else None},
        "findings": [_finding(state, case) for case in state.findings()],
        "spend": {
            "seconds": round(state.clock, 3),
            "run_seconds": round(sum(state.seconds.values()), 3),
            "experiments": state.experiments,
        },
    }


def _finding(state: SwarmState, case: Case) -> dict[str, Any]:
    assert case.evidence is not None
    trial = state.trials.get(case.plan)
    return {
        "statement": case.hypothesis.statement,
        "verdict": case.evidence.verdict,
        "effect": case.evidence.effect,
        "low": case.evidence.low,
        "high": case.evidence.high,
        "runs": len(trial.variation) + len(trial.reference) if trial else 2 * case.evidence.pairs,
        "citations": [_citation(each) for each in case.hypothesis.citations],
    }


def _citation(citation: Citation) -> dict[str, str]:
    return {"paper": citation.title or citation.paper, "place": citation.place, "quote": citation.quote}


def needed_runs(state: SwarmState) -> list[str]:
    """Notebooks that a finding, the baseline or the best rests on: all but those of screening (paths in `.swarm/`)."""
    return [
        row.run.notebook
        for row in state.rows.values()
        if row.run is not None and row.run.notebook and row.experiment.purpose != "screening"
    ]
