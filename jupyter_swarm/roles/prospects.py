"""What lines of inquiry a cell offers: each group of knobs, swaps, inserts and blocks that belong together."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jupyter_swarm import cell
from jupyter_swarm.state import SwarmState
from jupyter_swarm.words import WRITTEN, Analysis, Edit, Variation

WRITING = "Code that language models write"
FEW = 14
"""Up to so many knobs written in the cell get a direction each; more are grouped by their callable."""


@dataclass(frozen=True)
class Prospect:
    """A direction that could be opened."""

    title: str
    targets: tuple[str, ...]


def prospects(analysis: Analysis, base: Variation) -> list[Prospect]:
    """The directions that the code of `base` offers, those with the widest reach first."""
    found = cell.sites(base.code, analysis)
    result = [Prospect(f"Another {swap.name.partition('[')[0]}", (swap.name,)) for swap in found.swaps]
    inserts: dict[str, list[str]] = {}
    for insert in found.inserts:
        inserts.setdefault(insert.name.partition("[")[0], []).append(insert.name)
    result += [Prospect(f"A further step in {call}", tuple(names)) for call, names in inserts.items()]
    written = [knob for knob in found.knobs if knob.origin in ("value", "comment") or _written(base.code, knob.name)]
    rest = [knob for knob in found.knobs if knob not in written]
    if len(written) <= FEW:
        result += [Prospect(knob.name, (knob.name,)) for knob in written]
    else:
        rest = list(found.knobs)
    groups: dict[str, list[str]] = {}
    for knob in rest:
        groups.setdefault(knob.name.rpartition(".")[0], []).append(knob.name)
    result += [
        Prospect(f"Other parameters of {owner}" if owner else "Settings", tuple(names))
        for owner, names in groups.items()
    ]
    if found.blocks:
        result.append(Prospect("Leaving parts out", tuple(block.name for block in found.blocks)))
    return result


def writing() -> Prospect:
    """The direction in which code is written."""
    return Prospect(WRITING, (WRITTEN,))


def _written(code: str, name: str) -> bool:
    """Whether the knob's literal stands in the code (a parameter left at its default does not)."""
    last = name.rpartition(".")[2]
    return re.search(rf"\b{re.escape(last)}\s*=(?!=)", code) is not None


def terms_of(state: SwarmState, targets: tuple[str, ...], base: Variation) -> list[str]:
    """The words by which passages may speak of some targets: names of knobs, callables and their siblings."""
    found = cell.sites(base.code, state.analysis)
    terms: list[str] = []
    for target in targets:
        terms += [part.partition("[")[0] for part in target.split(".")]
    for swap in found.swaps:
        if swap.name in targets:
            terms += [path.rpartition(":")[2] for path in (swap.current, *swap.candidates)]
    for insert in found.inserts:
        if insert.name in targets:
            terms += [path.rpartition(":")[2] for path in insert.candidates]
    return list(dict.fromkeys(term for term in terms if len(term) > 1))


def speaks_of(edits: tuple[Edit, ...]) -> list[str]:
    """The names that a variation's edits touch, for choosing the citations that belong to it.

    >>> speaks_of((Edit(kind="swap", target="Normalizer", value="sklearn.preprocessing:StandardScaler"),))
    ['StandardScaler', 'Normalizer']
    """
    names: list[str] = []
    for edit in edits:
        if isinstance(edit.value, str):
            names.append(edit.value.rpartition(":")[2].rpartition(".")[2])
        names += [part.partition("[")[0] for part in reversed(edit.target.split("."))]
    return list(dict.fromkeys(name for name in names if name))
