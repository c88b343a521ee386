"""The classical mind: it varies by rule, weighs by what passages name, and needs neither a key nor a network.

Five operators make a variation: *set* a knob, *swap* a callable for a sibling, *insert* a sibling into a variadic call,
*drop* a block, and *combine* two variations that did well. Which one is drawn depends on the agent's policy; which
value depends on the literature's favour and on the agent's boldness (how far from the present value it dares to go).
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jupyter_swarm import cell
from jupyter_swarm.cell.scan import Same
from jupyter_swarm.errors import EditError, LockError
from jupyter_swarm.protocols import Brief, Idea
from jupyter_swarm.words import Edit, Knob, Value, Variation

STEPS = (0.01, 0.1, 0.3, 0.5, 2.0, 3.0, 10.0, 100.0)
"""Factors tried on a knob with a logarithmic range."""
FAVOUR = 6.0
"""How many times likelier a variation becomes that passages speak of most."""


class Offer(NamedTuple):
    """An edit on offer, and how far it leads from the present value (0 for another callable)."""

    edit: Edit
    distance: float = 0.0


class ClassicalMind:
    """Rules only. The same brief gives the same answer.

    >>> ClassicalMind().name
    'classical'
    """

    name = "classical"

    def __init__(self) -> None:
        self._applied: dict[tuple[Same, str, tuple[Edit, ...]], Variation | None] = {}
        self._offers: dict[tuple[Same, str, tuple[str, ...]], tuple[Offer, ...]] = {}

    def queries(self, brief: Brief) -> list[str]:
        """The question, and one query for each target with the words of its callables' summaries.

        >>> from jupyter_swarm.words import Analysis, Variation
        >>> brief = Brief(question="Which scaler?", analysis=Analysis(code=""), base=Variation(code=""))
        >>> ClassicalMind().queries(brief)
        ['Which scaler?']
        """
        found = cell.sites(brief.base.code, brief.analysis)
        queries = [brief.question] if brief.question else []
        for swap in found.swaps:
            if _covers(brief, swap.name):
                recipe = brief.analysis.catalogue.get(swap.current)
                names = " ".join(_short(path) for path in swap.candidates[:6])
                queries.append(f"{_short(swap.current)} {recipe.summary if recipe else ''} {names}")
        for insert in found.inserts:
            if _covers(brief, insert.name):
                queries.append(" ".join(_short(path) for path in insert.candidates[:8]))
        for knob in found.knobs:
            if _covers(brief, knob.name):
                queries.append(f"{brief.question} {knob.name.replace('.', ' ')}".strip())
        queries += [f"without {block.text}" for block in found.blocks if _covers(brief, block.name)]
        return list(dict.fromkeys(queries))[: max(2, brief.policy.depth)]

    def favours(self, brief: Brief, texts: Sequence[str]) -> dict[str, float]:
        """Which callables and choices the passages name, the earlier the passage the heavier; scaled to at most 1."""
        found = cell.sites(brief.base.code, brief.analysis)
        candidates = {path: _short(path) for swap in found.swaps for path in swap.candidates}
        candidates |= {path: _short(path) for insert in found.inserts for path in insert.candidates}
        for knob in found.knobs:
            candidates |= {
                f"{knob.name}={choice}": str(choice) for choice in knob.choices if isinstance(choice, str) and choice
            }
        weights: Counter[str] = Counter()
        for rank, text in enumerate(texts):
            words = set(re.findall(r"[A-Za-z_][A-Za-z0-9_]+", text))
            for key, name in candidates.items():
                if name in words:
                    weights[key] += 1.0 / (1 + rank)  # type: ignore[assignment]
        top = max(weights.values(), default=1.0)
        return {key: weight / top for key, weight in weights.items()}

    def invent(self, brief: Brief) -> Idea | None:
        """One variation that nobody has tried and that leaves the lock alone; None where nothing is left."""
        rng = random.Random(brief.seed)
        if len(brief.good) > 1 and rng.random() < brief.policy.weights.get("combine", 0.2):
            combined = self._combine(brief, rng)
            if combined is not None:
                return combined
        for edit in self._drawn(brief, rng):
            variation = self._apply(brief, (edit,), brief.base)
            if variation is not None and variation.id not in brief.tried:
                return Idea(variation=variation, statement=self._say(brief, variation))
        return None

    def _drawn(self, brief: Brief, rng: random.Random) -> Iterator[Edit]:
        """All edits on offer in a random order in which the heavier tend to come first (Efraimidis and Spirakis
        2006).
        """
        offers = self._offer(brief)
        keyed = [(math.log(rng.random() or 1e-300) / _weight(brief, offer), offer.edit) for offer in offers]
        for _, edit in sorted(keyed, key=lambda item: -item[0]):
            yield edit

    def _offer(self, brief: Brief) -> tuple[Offer, ...]:
        key = (Same(brief.analysis), brief.base.code, brief.targets)
        if key not in self._offers:
            found = cell.sites(brief.base.code, brief.analysis)
            offers = [
                Offer(Edit(kind="set", target=knob.name, value=value), distance(knob, value))
                for knob in found.knobs
                if _covers(brief, knob.name)
                for value in alternatives(knob)
            ]
            offers += [
                Offer(Edit(kind="swap", target=swap.name, value=path))
                for swap in found.swaps
                if _covers(brief, swap.name)
                for path in swap.candidates
            ]
            offers += [
                Offer(Edit(kind="insert", target=insert.name, value=path))
                for insert in found.inserts
                if _covers(brief, insert.name)
                for path in insert.candidates
            ]
            offers += [
                Offer(Edit(kind="drop", target=block.name)) for block in found.blocks if _covers(brief, block.name)
            ]
            self._offers[key] = tuple(offers)
        return self._offers[key]

    def _combine(self, brief: Brief, rng: random.Random) -> Idea | None:
        start = len(brief.base.edits)
        for _ in range(4):
            first, second = rng.sample(brief.good[:6], 2)
            targets = {edit.target for edit in first.edits[start:]}
            more = tuple(edit for edit in second.edits[start:] if edit.target not in targets)
            variation = self._apply(brief, more, first) if more else None
            if variation is not None and variation.id not in brief.tried:
                return Idea(variation=variation, statement=self._say(brief, variation))
        return None

    def _apply(self, brief: Brief, edits: tuple[Edit, ...], base: Variation) -> Variation | None:
        key = (Same(brief.analysis), base.code, edits)
        if key not in self._applied:
            try:
                variation: Variation | None = cell.apply(brief.analysis, edits, base)
                assert variation is not None
                cell.check_lock(variation.code, brief.analysis)
            except (EditError, LockError):
                variation = None
            self._applied[key] = variation
        return self._applied[key]

    def _say(self, brief: Brief, variation: Variation) -> str:
        return cell.describe_all(variation, brief.analysis, since=brief.base)


def alternatives(knob: Knob) -> tuple[Value, ...]:
    """Other values of a knob worth a look, from its choices or its range.

    >>> alternatives(Knob(name="C", value=1.0, low=0.1, high=10.0, log=True))
    (0.1, 0.3, 0.5, 2.0, 3.0, 10.0)
    >>> alternatives(Knob(name="flag", value=True))
    (False,)
    """
    value = knob.value
    if isinstance(value, bool):
        return (not value,)
    if knob.choices:
        return tuple(choice for choice in knob.choices if choice != value or type(choice) is not type(value))
    if knob.low is None or knob.high is None:
        return ()
    low, high = knob.low, knob.high
    if knob.log and isinstance(value, int | float) and value > 0:
        numbers = [value * step for step in STEPS]
    else:
        numbers = [low + (high - low) * part for part in (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)]
    inside = [min(high, max(low, number)) for number in numbers]
    typed: list[Value] = [round(each) if knob.integer else float(f"{each:.6g}") for each in inside]
    return tuple(dict.fromkeys(each for each in typed if each != value))


def distance(knob: Knob, value: Value) -> float:
    """How far a value lies from the present one: decades on a logarithmic range, else the share of the range, times 2.

    >>> distance(Knob(name="C", value=1.0, low=0.01, high=100.0, log=True), 100.0)
    2.0
    """
    now = knob.value
    if isinstance(now, bool | str) or not isinstance(now, int | float) or not isinstance(value, int | float):
        return 0.0
    if knob.log and now > 0 and value > 0:
        return abs(math.log10(value / now))
    span = (knob.high or 0.0) - (knob.low or 0.0)
    return 2.0 * abs(value - now) / span if span > 0 else 0.0


def _weight(brief: Brief, offer: Offer) -> float:
    policy, favours, edit = brief.policy, brief.favours, offer.edit
    weight = policy.weights.get(edit.kind, 1.0) * math.exp(-offer.distance * (1.0 - policy.boldness))
    favour = favours.get(str(edit.value), favours.get(f"{edit.target}={edit.value}", 0.0))
    return max(1e-9, weight * (1.0 + FAVOUR * favour))


def _covers(brief: Brief, name: str) -> bool:
    return not brief.targets or name in brief.targets


def _short(path: str) -> str:
    return path.rpartition(":")[2].rpartition(".")[2]
