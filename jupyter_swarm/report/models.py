"""What language models took: by role and model, with what nobody knows said to be unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jupyter_swarm.report import phrases
from jupyter_swarm.report.markdown import folded, inline, table
from jupyter_swarm.report.phrases import plural
from jupyter_swarm.state import Spent, SwarmState

Key = tuple[str, str, str]
"""Agent, role, model."""


def grouped(spent: Mapping[Key, Spent], by: Callable[[Key], str]) -> dict[str, Spent]:
    """Sums, the largest first."""
    sums: dict[str, Spent] = {}
    for key, each in spent.items():
        sums[by(key)] = sums.get(by(key), Spent()) + each
    return dict(sorted(sums.items(), key=lambda item: -item[1].tokens))


def dollars(spent: Spent) -> str:
    """What it cost, as far as that is known.

    >>> dollars(Spent(calls=3, dollars=0.5)), dollars(Spent(calls=3, unpriced=3)), dollars(Spent(calls=3, unpriced=1))
    ('$0.5', 'unknown', '$0 and 1 call at an unknown price')
    """
    if spent.unpriced and spent.unpriced == spent.calls:
        return "unknown"
    known = f"${phrases.number(spent.dollars, 3)}"
    return f"{known} and {plural(spent.unpriced, 'call')} at an unknown price" if spent.unpriced else known


def total(state: SwarmState) -> Spent:
    """All of it, calls that are under way (or were cut off with their runner) left out."""
    return sum(state.spent.values(), Spent())


def models(state: SwarmState) -> str:
    """The report's part; "" where no model was asked."""
    if not state.spent:
        return ""
    whole = total(state)
    text = (
        f"{plural(whole.calls, 'call')}, {whole.tokens:,} tokens ({whole.tokens_in:,} in, {whole.tokens_out:,} out), "
        f"{dollars(whole)}. A model proposes, reads and writes; no number of this report was judged by one."
    )
    if whole.guessed:
        said = "does not say how much" if whole.guessed == 1 else "do not say how much"
        text += f" {plural(whole.guessed, 'call')} {said} it took and counts with its upper bound."
    rows = [
        [inline(name), f"{each.calls:,}", str(each.failures or "·"), f"{each.tokens:,}", dollars(each)]
        for name, each in grouped(state.spent, lambda key: f"{key[1]}, {key[2]}").items()
    ]
    heads = ["Role and model", ">Calls", ">Failed", ">Tokens", ">Cost"]
    return f"## Language models\n\n{text}\n\n{folded('By role and model', table(heads, rows))}"
