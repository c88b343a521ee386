"""`spend`: what language models took, by agent, role and model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jupyter_swarm.jupyter import actions
from jupyter_swarm.jupyter.pages import Answer, Part, Table, Words
from jupyter_swarm.jupyter.verbs import Asked
from jupyter_swarm.report.models import Key, dollars, grouped, total
from jupyter_swarm.report.phrases import plural
from jupyter_swarm.state import Spent, SwarmState
from jupyter_swarm.workspace import Workspace

BY: Mapping[str, Callable[[Key], str]] = {
    "model": lambda key: key[2],
    "role": lambda key: key[1],
    "agent": lambda key: key[0] or "you",
}
KINDS = ("model-asked", "model-answered")
"""Of records that say what was spent."""


def spend(asked: Asked) -> Answer:
    """One swarm's calls, or without a name all of the workspace's: each swarm's, and questions asked without one.

    Raises:
        UsageError: there is no such swarm.
    """
    if asked.options.name:
        state = actions.the(asked).state
        return Answer(_parts(state.name, state), data=_data(state.name, state))
    spent = _spent(asked.workspace) if asked.workspace.exists else {}
    if not spent:
        return Answer([Words("No language model has been asked here.")], data={"swarms": []})
    rows = [
        (name or "questions of yours", f"{total(state).calls:,}", f"{total(state).tokens:,}", dollars(total(state)))
        for name, state in spent.items()
    ]
    parts: list[Part] = [Table(("", "calls", "tokens", "cost"), rows)]
    return Answer(parts, data={"swarms": [_data(name, state) for name, state in spent.items()]})


def _spent(workspace: Workspace) -> dict[str, SwarmState]:
    """Each swarm that has asked a model ("": questions without one), as far as its calls say."""
    states: dict[str, SwarmState] = {}
    last = 0
    while records := workspace.store.read(last, kinds=KINDS):
        for record in records:
            states.setdefault(record.swarm, SwarmState(name=record.swarm)).apply(record)
        last = records[-1].number
    return states


def _parts(name: str, state: SwarmState) -> list[Part]:
    if not state.spent and not state.asking:
        return [Words(f"{name} has asked no language model.")]
    whole = total(state)
    parts: list[Part] = [Words(f"{name}: {plural(whole.calls, 'call')}, {whole.tokens:,} tokens, {dollars(whole)}")]
    limits = [f"${state.budget.dollars:g}"] if state.budget.dollars is not None else []
    limits += [f"{state.budget.tokens:,} tokens"] if state.budget.tokens is not None else []
    if limits:
        parts.append(Words(f"of a budget of {' and '.join(limits)}"))
    if state.asking:
        bound = sum(each.tokens_in + each.tokens_out for each in state.asking.values())
        parts.append(Words(f"{plural(len(state.asking), 'call')} not settled: {bound:,} tokens at most"))
    for by, key in BY.items():
        rows = [
            (
                label,
                f"{each.calls:,}",
                each.failures or "",
                f"{each.tokens_in:,}",
                f"{each.tokens_out:,}",
                dollars(each),
            )
            for label, each in grouped(state.spent, key).items()
        ]
        parts.append(Table((by, "calls", "failed", "tokens in", "tokens out", "cost"), rows))
    if whole.guessed:
        parts.append(Words(f"{plural(whole.guessed, 'call')} with upper bounds: how much they took was not said."))
    return parts


def _data(name: str, state: SwarmState) -> dict[str, Any]:
    return {"name": name, **_numbers(total(state))} | {
        by: {label: _numbers(each) for label, each in grouped(state.spent, key).items()} for by, key in BY.items()
    }


def _numbers(spent: Spent) -> dict[str, Any]:
    return {
        "calls": spent.calls,
        "failures": spent.failures,
        "tokens_in": spent.tokens_in,
        "tokens_out": spent.tokens_out,
        "dollars": None if spent.unpriced else round(spent.dollars, 6),
    }
