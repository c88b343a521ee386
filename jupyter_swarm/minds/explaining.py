"""A language model's word on signs of trouble: which cause would make them together. Signs are the tests' alone."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any, Protocol

from jupyter_swarm.events import AnyEvent
from jupyter_swarm.minds.account import Account
from jupyter_swarm.minds.calling import Asker, Caller
from jupyter_swarm.minds.prompting import data, prompt
from jupyter_swarm.minds.reading import one_line
from jupyter_swarm.protocols import Answers, Kept, Store
from jupyter_swarm.words import Word

TOKENS = 40_000
"""What one question may take, in and out."""
MOST = 3
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)


class Ledger(Store, Answers, Protocol):
    """Where calls and answers are written down."""


class Cause(Word, frozen=True, rename={"attempt": "try"}):
    """What may lie behind some signs, and how to find out."""

    what: str
    signs: tuple[str, ...]
    attempt: str = ""
    """What would show whether it is right."""


class _Causes(Word, frozen=True):
    causes: tuple[Cause, ...]


async def explain(
    ledger: Ledger, model: str, url: str, name: str, signs: Sequence[dict[str, Any]]
) -> tuple[list[Cause], int]:
    """Causes that explain signs, and how many were struck out: those that name no sign, or a number that is not there.

    Args:
        ledger: of the workspace; what it takes is written down there.
        model: is asked.
        url: where, if not at the provider's own address.
        name: what was looked at.
        signs: as plain data, each with its `kind`.

    Raises:
        UsageError: there is no such model, or something is missing for it.
        ModelError, AnswerError, Spent: it was asked, and gave nothing of use.
    """

    async def write(events: Sequence[AnyEvent], answers: Sequence[Kept]) -> None:
        await asyncio.to_thread(lambda: ledger.append("", events, answers=answers))

    told = json.dumps(list(signs), ensure_ascii=False, indent=1, default=str)
    caller = Caller(ledger, write, Account(tokens=TOKENS), {model: url} if url else {})
    try:
        asked = prompt("causes", subject=data("name", name), signs=data("signs", told))
        found = await caller.ask(Asker("you", "diagnosis", model), asked, _Causes, about="diagnosis")
    finally:
        await caller.close()
    kinds, numbers = {str(each["kind"]) for each in signs}, set(_NUMBER.findall(told))
    right = [
        Cause(
            what=one_line(each.what),
            signs=tuple(kind for kind in each.signs if kind in kinds),
            attempt=one_line(each.attempt),
        )
        for each in found.causes[:MOST]
        if kinds & set(each.signs) and set(_NUMBER.findall(f"{each.what} {each.attempt}")) <= numbers
    ]
    return right, len(found.causes) - len(right)
