"""A brief as text for a prompt: the cell, what may vary in it, what is known. All of it is data."""

from __future__ import annotations

from collections.abc import Iterable

from jupyter_swarm import cell
from jupyter_swarm.minds.prompting import data
from jupyter_swarm.protocols import Attempt, Brief
from jupyter_swarm.words import Knob, Policy, Variation

MOST_KNOBS = 60
MOST_CANDIDATES = 24
MOST_KNOWN = 12
MOST_ERROR = 1_500
"""Characters of a traceback's end."""
NOTHING = "(nothing)"


def code(variation: Variation, name: str = "the cell") -> str:
    """A cell as a person would write it."""
    return data("cell", cell.typed(variation.code), name)


def sites(brief: Brief) -> str:
    """What may vary, a line each."""
    found = cell.sites(brief.base.code, brief.analysis)
    lines = [knob(each) for each in found.knobs[:MOST_KNOBS]]
    lines += [f"swap {each.name} (now {each.current}): {_some(each.candidates)}" for each in found.swaps]
    lines += [f"insert {each.name}: {_some(each.candidates)}" for each in found.inserts]
    lines += [f"drop {each.name}: {' '.join(each.text.split())[:80]}" for each in found.blocks]
    return data("what may vary", "\n".join(lines) or NOTHING)


def knobs(brief: Brief, most: int = MOST_KNOBS) -> str:
    """The numbers that a tuner draws, a line each."""
    found = [each for each in cell.sites(brief.base.code, brief.analysis).knobs if each.low is not None]
    return data("knobs", "\n".join(knob(each) for each in found[:most]) or NOTHING)


def knob(found: Knob) -> str:
    """A knob, its value and its range.

    >>> knob(Knob(name="C", value=1.0, low=0.1, high=10.0, log=True))
    'set C (now 1.0): 0.1 to 10.0, logarithmic'
    """
    if found.choices:
        values = " | ".join(repr(each) for each in found.choices[:MOST_CANDIDATES])
    elif found.low is not None and found.high is not None:
        values = f"{found.low!r} to {found.high!r}"
        values += ", whole numbers" if found.integer else ""
        values += ", logarithmic" if found.log else ""
    else:
        values = "other values of its kind"
    return f"set {found.name} (now {found.value!r}): {values}"


def locked(brief: Brief) -> str:
    """The locked lines with their reasons."""
    lines = [f"{each.text}    ({each.why})" for each in brief.analysis.locked]
    return data("locked", "\n".join(lines) or NOTHING)


def findings(brief: Brief) -> str:
    """What is settled."""
    return data("findings", "\n".join(brief.findings) or NOTHING)


def known(brief: Brief) -> str:
    """What was tried, the best first."""
    return data("tried", "\n".join(_attempt(each) for each in brief.known[:MOST_KNOWN]) or NOTHING)


def _attempt(attempt: Attempt) -> str:
    came = f"{attempt.gain:+.4g}" if attempt.gain is not None else f"no value: {_first(attempt.error)}"
    return f"[{attempt.hypothesis}] {attempt.statement}: {came}"


def failure(attempt: Attempt) -> str:
    """How an attempt failed, its end first of all."""
    return data("traceback", attempt.error[-MOST_ERROR:], attempt.hypothesis)


def passages(brief: Brief) -> str:
    """Passages by their ids."""
    return "\n".join(data("passage", each.text, each.id) for each in brief.passages) or NOTHING


def objective(brief: Brief) -> str:
    """What is measured, and which way is better."""
    assert brief.objective is not None
    return f"`{brief.objective.metric}`, {'more' if brief.objective.maximize else 'less'} is better"


def manner(policy: Policy, seed: int) -> str:
    """An agent's way of working, so that agents of one mind differ.

    >>> manner(Policy(boldness=0.9), 0)
    'You dare to go far from what is there.'
    """
    if policy.boldness < 0.34:
        return "You stay near what works."
    if policy.boldness < 0.67:
        return "You combine what worked, and add one thing."
    return "You dare to go far from what is there."


def _some(candidates: Iterable[str]) -> str:
    every = list(candidates)
    more = f" … and {len(every) - MOST_CANDIDATES} more" if len(every) > MOST_CANDIDATES else ""
    return ", ".join(every[:MOST_CANDIDATES]) + more


def _first(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1][:160] if lines else "it failed"
