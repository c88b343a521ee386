"""All tests, and what comes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from jupyter_swarm.diagnosis.case import Case
from jupyter_swarm.diagnosis.columns import constant, duplicates, gaps, imbalance
from jupyter_swarm.diagnosis.divergence import divergence
from jupyter_swarm.diagnosis.failure import failure
from jupyter_swarm.diagnosis.leakage import leakage, leaking_feature
from jupyter_swarm.diagnosis.nonfinite import nonfinite
from jupyter_swarm.diagnosis.norms import norms
from jupyter_swarm.diagnosis.overfitting import overfitting
from jupyter_swarm.diagnosis.plateau import plateau
from jupyter_swarm.diagnosis.ranks import ranks
from jupyter_swarm.diagnosis.rate import too_high, too_low
from jupyter_swarm.diagnosis.signs import Sign

Test = Callable[[Case], list[Sign] | None]
"""The signs that it sees; None where the case has nothing for it to look at."""

TESTS: dict[str, Test] = {
    "failure": failure,
    "nan": nonfinite,
    "divergence": divergence,
    "plateau": plateau,
    "rate too high": too_high,
    "rate too low": too_low,
    "norms": norms,
    "overfitting": overfitting,
    "leakage": leakage,
    "ranks": ranks,
    "leaking feature": leaking_feature,
    "label imbalance": imbalance,
    "constant features": constant,
    "duplicate features": duplicates,
    "missing values": gaps,
}
"""Name (the `kind` of its signs) → test."""


@dataclass(frozen=True)
class Diagnosis:
    """What the tests say of a training."""

    signs: tuple[Sign, ...]
    """The heaviest first."""
    looked: tuple[str, ...]
    """Tests that had something to look at."""
    idle: tuple[str, ...]
    """Tests that had nothing to look at: no norms were logged, no data named, curves too short."""
    notes: tuple[str, ...] = ()

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The signs as plain data: for JSON, and for a model that is to reason on."""
        return [{**msgspec.to_builtins(each), "evidence": [fact.text for fact in each.evidence],
                 "numbers": [msgspec.to_builtins(fact) for fact in each.evidence]} for each in self.signs]  # fmt: skip


def diagnose(case: Case) -> Diagnosis:
    """Put all tests to a case.

    >>> from jupyter_swarm.diagnosis import objects
    >>> found = diagnose(Case(objects.of([0.5, 0.4, float("nan")], "loss")))
    >>> found.signs[0].what
    'loss is NaN from step 2'
    """
    answers = {name: test(case) for name, test in TESTS.items()}
    signs = [sign for answer in answers.values() for sign in answer or ()]
    return Diagnosis(
        signs=tuple(sorted(signs, key=lambda each: -each.weight)),
        looked=tuple(name for name, answer in answers.items() if answer is not None),
        idle=tuple(name for name, answer in answers.items() if answer is None),
        notes=case.notes,
    )
