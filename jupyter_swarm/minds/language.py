"""A language model as a mind: it proposes, reads and writes code. It never judges a number.

It thinks ahead: the engine asks it beside its loop, what it proposes is checked by program (it applies, the lock is
untouched, nobody has tried it, passages and quotations are there) and lies in its stock until its agent's turn comes.
Whatever a rule does as well is left to rules: queries that the classical mind would ask, and which callables a passage
names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from jupyter_swarm import cell
from jupyter_swarm.errors import SwarmError
from jupyter_swarm.events import SpaceSuggested
from jupyter_swarm.minds import answers, reading, showing
from jupyter_swarm.minds.answers import AnswerError
from jupyter_swarm.minds.calling import Asker, Caller
from jupyter_swarm.minds.classical import ClassicalMind
from jupyter_swarm.minds.forms import (
    Change,
    Claim,
    Claims,
    Ranges,
    Suggestion,
    Suggestions,
    Summary,
)
from jupyter_swarm.minds.prompting import Prompt, data, prompt
from jupyter_swarm.minds.reading import one_line
from jupyter_swarm.minds.research import tools
from jupyter_swarm.minds.stock import Stock, applied
from jupyter_swarm.minds.widening import suggested
from jupyter_swarm.protocols import Attempt, Brief, Desk, Findings, Idea, Passage
from jupyter_swarm.words import Citation, Variation

T = TypeVar("T")
COUNT = 5
"""Ideas of one answer."""
CLAIMS = 3
MOST_TEXT = 400
"""Characters of a statement or a reason."""


class LanguageMind:
    """One model, for all agents that have it.

    Args:
        name: the model, as `provider:name`.
        caller: asks it.
    """

    def __init__(self, name: str, caller: Caller) -> None:
        self.name = name
        self._caller = caller
        self._rules = ClassicalMind()
        self._stock = Stock()
        self._sketches: dict[str, Suggestion] = {}
        """Ideas that need code which nobody has written yet."""
        self._recalled: set[str] = set()

    # ------------------------------------------------------------ what a mind promises

    def queries(self, brief: Brief) -> list[str]:
        """Those of the rules; the model's own come when it reads."""
        return self._rules.queries(brief)

    def favours(self, brief: Brief, texts: Sequence[str]) -> dict[str, float]:
        """What passages name, by rule."""
        return self._rules.favours(brief, texts)

    def invent(self, brief: Brief) -> Idea | None:
        """The agent's oldest idea that fits the brief and that nobody has tried; None where it has none."""
        return self._stock.next(brief)

    # ------------------------------------------------------------ thinking ahead

    @property
    def down(self) -> bool:
        """Whether its provider does not answer at the moment."""
        return self._caller.line(self.name).down

    def offers(self, tried: Container[str], agent: str = "") -> frozenset[str]:
        """What its agents' ideas are about, or one agent's."""
        return self._stock.targets(tried, agent)

    async def think(self, brief: Brief, desk: Desk) -> int:
        """Ask for what the role needs; how many ideas (or ranges) are new."""
        thought: Callable[[Brief, Desk], Awaitable[int]] = {
            "implementation": self._write,
            "tuning": self._advise,
            "validation": self._claim,
        }.get(brief.role, self._suggest)
        return await thought(brief, desk)

    async def look_up(self, brief: Brief, desk: Desk, queries: Sequence[str], terms: Sequence[str]) -> Findings:
        """Read what the library has: planned queries, a filter, a synthesis, contradictions; all of it checked."""
        asker = Asker(brief.agent, brief.role, self.name)
        topic = reading.Topic(question=brief.question, queries=tuple(queries), terms=tuple(terms))
        return await reading.read(self._caller, asker, desk.library, topic)

    async def summarise(self, agent: str, question: str, facts: str) -> tuple[str, ...]:
        """Sentences over a study. Whoever shows them checks them first."""
        asked = prompt("summary", question=one_line(question), facts=data("facts", facts))
        found = await self._caller.ask(Asker(agent, "report", self.name), asked, Summary)
        return found.sentences

    # ------------------------------------------------------------ ideas

    async def _suggest(self, brief: Brief, desk: Desk) -> int:
        def take(value: Suggestions) -> tuple[list[Idea], str]:
            found, wrong = [], []
            for each in value.ideas[:COUNT]:
                if not each.edits and each.sketch:
                    self._sketches.setdefault(one_line(each.statement), each)
                    continue
                try:
                    found.append(self._idea(each, brief, desk))
                except SwarmError as error:
                    wrong.append(f"{one_line(each.statement)[:80]}: {error}")
            return found, "; ".join(wrong) if len(wrong) == len(value.ideas) else ""

        asked = prompt(
            "ideas",
            **_shared(brief),
            sites=showing.sites(brief),
            findings=showing.findings(brief),
            known=showing.known(brief),
            manner=showing.manner(brief.policy, brief.seed),
            count=str(COUNT),
        )
        return await self._ask(brief, asked, Suggestions, take, desk)

    def _idea(self, suggestion: Suggestion, brief: Brief, desk: Desk) -> Idea:
        """A suggestion that can be tried.

        Raises:
            SwarmError: it cannot; the text is written for the model.
        """
        variation = applied(suggestion.edits, brief)
        return Idea(
            variation=variation,
            statement=cell.describe_all(variation, brief.analysis, since=brief.base),
            why=one_line(suggestion.why)[:MOST_TEXT],
            refuted_if=one_line(suggestion.refuted_if)[:MOST_TEXT],
            citations=_cited(suggestion.passages, brief.passages, suggestion.statement, desk),
        )

    # ------------------------------------------------------------ code

    async def _write(self, brief: Brief, desk: Desk) -> int:
        """Draft, mend or improve: a change of the code that is the brief's base."""
        parent = next((each for each in brief.known if each.variation.id == brief.base.id), None)

        def take(value: Change) -> tuple[list[Idea], str]:
            try:
                variation = cell.merged(brief.analysis, brief.base, value.diff)
            except SwarmError as error:
                return [], str(error)
            if (known := _same(variation, desk)) is not None:
                return [], f"the same code was tried as {known}: change something else"
            idea = Idea(
                variation=variation,
                statement=one_line(value.statement)[:MOST_TEXT].rstrip(".") or "A change of the code",
                why=one_line(value.why)[:MOST_TEXT],
                refuted_if=one_line(value.refuted_if)[:MOST_TEXT],
                citations=_cited(value.passages, brief.passages, value.statement, desk),
                parent=parent.hypothesis if parent is not None else "",
            )
            return [idea], ""

        asked = prompt(
            "code",
            **_shared(brief),
            locked=showing.locked(brief),
            task=self._task(parent),
            findings=showing.findings(brief),
            known=showing.known(brief),
            manner=showing.manner(brief.policy, brief.seed),
        )
        return await self._ask(brief, asked, Change, take, desk)

    def _task(self, parent: Attempt | None) -> str:
        """What to write: a failed attempt mended, a good one improved, a sketch carried out, or a new change."""
        idea = data("idea", parent.statement, parent.hypothesis) if parent is not None else ""
        if parent is not None and parent.gain is None:
            return f"This code failed. Mend it, and keep its idea:\n{idea}\n{showing.failure(parent)}"
        if parent is not None:
            return f"This code is an improvement already. Go on from it with one more change:\n{idea}"
        if self._sketches:
            name = next(iter(self._sketches))
            sketch = self._sketches.pop(name)
            return f"Write this idea:\n{data('idea', f'{name}. {sketch.sketch}')}"
        return "Write a change that nobody has tried."

    # ------------------------------------------------------------ ranges

    async def _advise(self, brief: Brief, desk: Desk) -> int:
        """Say where tuners of this mind should look; how many ranges that makes."""
        known = {each.name: each for each in cell.sites(brief.base.code, brief.analysis).knobs if each.low is not None}
        events: list[SpaceSuggested] = []

        def take(value: Ranges) -> tuple[list[Idea], str]:
            events.clear()
            fitting = [each for each in value.ranges if each.knob in known and each.low < each.high]
            events.extend(suggested(list({each.knob: each for each in fitting}.values()), brief, desk))
            wrong = ", ".join(each.knob for each in value.ranges if each.knob not in known or not each.low < each.high)
            return [], f"no such knob, or an empty range: {wrong}" if wrong and not fitting else ""

        asked = prompt("spaces", **_shared(brief), sites=showing.knobs(brief), known=showing.known(brief))
        await self._ask(brief, asked, Ranges, take, desk)
        if events:
            desk.append(*events)
        return len(events)

    # ------------------------------------------------------------ claims

    async def _claim(self, brief: Brief, desk: Desk) -> int:
        """Put claims of papers to a test."""
        by_id = {each.id: each for each in brief.passages}

        def take(value: Claims) -> tuple[list[Idea], str]:
            found, wrong = [], []
            for each in value.claims[:CLAIMS]:
                try:
                    found.append(_tested(each, by_id, brief))
                except SwarmError as error:
                    wrong.append(str(error))
            return found, "; ".join(wrong) if not found else ""

        asked = prompt("claims", **_shared(brief), sites=showing.sites(brief), count=str(CLAIMS))
        return await self._ask(brief, asked, Claims, take, desk)

    # ------------------------------------------------------------ asking and keeping

    async def _ask(
        self, brief: Brief, asked: Prompt, into: type[T], take: Callable[[T], tuple[list[Idea], str]], desk: Desk
    ) -> int:
        """Ask, and keep what can be used; how many ideas are new. What was answered before a restart is not asked
        again.
        """
        about = f"{brief.role} {brief.agent}"
        if new := await self._recall(brief, about, into, take, desk):
            return new
        found: list[Idea] = []

        def check(value: T) -> str:
            found[:], wrong = take(value)
            return wrong

        asker = Asker(brief.agent, brief.role, self.name)
        await self._caller.ask(asker, asked, into, check=check, tools=tools(brief, desk), about=about)
        return self._stock.keep(brief, found)

    async def _recall(
        self, brief: Brief, about: str, into: type[T], take: Callable[[T], tuple[list[Idea], str]], desk: Desk
    ) -> int:
        """What an earlier runner was answered and nobody has tried yet."""
        new, first = 0, about not in self._recalled
        self._recalled.add(about)
        if not first or not any(agent == brief.agent for agent, _, _ in desk.state.spent):
            return 0
        for kept in await asyncio.to_thread(self._caller.known.answers, desk.state.name, about):
            with suppress(SwarmError):
                new += self._stock.keep(brief, take(answers.read(answers.decode(kept), into))[0])
        return new


def _shared(brief: Brief) -> dict[str, str]:
    """What every prompt about a cell has."""
    return {
        "question": one_line(brief.question) or "What improves the metric?",
        "objective": showing.objective(brief),
        "cell": showing.code(brief.base),
        "passages": showing.passages(brief),
    }


def _tested(claim: Claim, passages: Mapping[str, Passage], brief: Brief) -> Idea:
    """A claim as an idea to be tested.

    Raises:
        SwarmError: its quotation does not stand there, or its edits do not fit.
    """
    passage = passages.get(claim.passage)
    citation = reading.quoted(passage, claim.quote) if passage is not None else None
    if citation is None:
        raise AnswerError(f"this does not stand in passage {claim.passage}: {one_line(claim.quote)[:100]!r}")
    variation = applied(claim.edits, brief)
    return Idea(
        variation=variation,
        statement=cell.describe_all(variation, brief.analysis, since=brief.base),
        why=f"claimed in {citation.title or citation.paper}",
        refuted_if=one_line(claim.refuted_if)[:MOST_TEXT],
        citations=(citation,),
        claim=True,
    )


def _same(variation: Variation, desk: Desk) -> str | None:
    """The hypothesis whose code is the same but for its form; None where it is new."""
    form, state = cell.canonical(variation.code), desk.state
    if form == cell.canonical(state.baseline.code):
        return "the cell itself"
    cases = state.cases.values()
    return next((each.hypothesis.id for each in cases if cell.canonical(each.hypothesis.variation.code) == form), None)


def _cited(ids: Sequence[str], passages: Sequence[Passage], statement: str, desk: Desk) -> tuple[Citation, ...]:
    """Quotations of the passages that an idea names, chosen by program; a passage that was not given is left out."""
    by_id = {each.id: each for each in passages}
    terms = [word for word in statement[:MOST_TEXT].replace(",", " ").split() if len(word) > 3]
    found = [desk.library.cite(by_id[each], terms) for each in dict.fromkeys(ids) if each in by_id]
    return tuple(each for each in found if desk.library.verify(each))[:3]
