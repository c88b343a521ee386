"""Reading with a language model: queries, a filter over many passages, a synthesis, and where papers contradict.

    planned queries → search → relevance, ten passages a call → sentences with quotations → contradictions

Everything read is data between bounds, and everything that comes of it is checked by program: a sentence stays where
each of its quotations stands word for word in the passage that it names and its numbers stand there too. What fails may
be mended once, and is left out then. Whether a sentence says what its quotations say is left to whoever reads both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from jupyter_swarm.minds import prices
from jupyter_swarm.minds.account import Spent
from jupyter_swarm.minds.answers import AnswerError
from jupyter_swarm.minds.calling import Asker, Caller
from jupyter_swarm.minds.chat import ModelError
from jupyter_swarm.minds.prompting import Prompt, data, prompt
from jupyter_swarm.minds.quoting import quoted, unfounded
from jupyter_swarm.protocols import Findings, Library, Passage
from jupyter_swarm.words import Citation, Sentence, Word

T = TypeVar("T")
MOST_QUERIES = 6
MOST_PASSAGES = 120
"""Passages whose relevance is judged, where a topic does not say otherwise."""
BATCH = 10
"""Passages of one call that judges relevance."""
SHARE = 0.05
"""Of the budget for models that judging the passages of one topic may take, about; a batch is judged in any case."""
PASSAGE_TOKENS = 250
"""Of one passage in a prompt, about."""
RELEVANT = 2
"""The score from which a passage is read on."""
READ = 20
"""Passages that are read for the synthesis, the best ones."""
LONGEST_QUERY = 200
LONGEST_SENTENCE = 400
MOST_COMPLAINTS = 8
NOTHING = "(none)"

__all__ = ["Topic", "label", "one_line", "quoted", "read", "shown"]


class Topic(Word, frozen=True):
    """What to read about."""

    question: str
    queries: tuple[str, ...] = ()
    """What rules would look for."""
    terms: tuple[str, ...] = ()
    """Names in the cell that the question is about."""
    most: int = MOST_PASSAGES
    """Passages whose relevance is judged, where the budget allows; thousands are no trouble but their price."""


class Queries(Word, frozen=True):
    """What else to look for."""

    queries: tuple[str, ...]


class Score(Word, frozen=True):
    """How relevant a passage is: 0 not at all, 3 it answers the question."""

    passage: str
    score: int


class Scores(Word, frozen=True):
    """Of several passages; one without a score has 0."""

    scores: tuple[Score, ...]


class Quotation(Word, frozen=True):
    """Words of a passage."""

    passage: str
    quote: str


class Statement(Word, frozen=True):
    """A sentence and what it rests on."""

    text: str
    quotations: tuple[Quotation, ...]


class Synthesis(Word, frozen=True):
    """What passages say together."""

    sentences: tuple[Statement, ...]


class Dispute(Word, frozen=True):
    """A point on which two papers disagree, in the words of each."""

    point: str
    one: Quotation
    other: Quotation


class Disputes(Word, frozen=True):
    """Several points."""

    disputes: tuple[Dispute, ...]


async def read(caller: Caller, asker: Asker, library: Library, topic: Topic) -> Findings:
    """Read what the library has on a topic. Where rules find nothing at all, nobody is asked.

    Args:
        caller: asks the model; it limits itself, so that all calls may be made at once.
        asker: who reads, with which model.
        library: what is searched, in a thread.
        topic: the question and what rules would look for.

    Returns:
        Findings whose citations the library verifies; empty ones where nothing is relevant.

    Raises:
        AnswerError: twice no answer that is of use.
        ModelError: the model could not be asked.
        Spent: the budget does not pay for it.
    """
    return await _Reader(caller, asker, library, topic).read()


def label(place: int) -> str:
    """What a passage is called in a prompt, by its place among those that are given.

    >>> label(0)
    'P1'
    """
    return f"P{place + 1}"


def shown(passages: Mapping[str, Passage]) -> str:
    """Passages for a prompt, by their labels."""
    return "\n".join(
        data("passage", f"{each.title}, {each.place}:\n{each.text}", name) for name, each in passages.items()
    )


def one_line(text: str) -> str:
    """A text on one line, without characters that are not to be seen.

    >>> one_line("a\\n b\\x1b")
    'a b'
    """
    return "".join(filter(str.isprintable, " ".join(text.split())))


@dataclass
class _Reader:
    """One reading."""

    caller: Caller
    asker: Asker
    library: Library
    topic: Topic

    @property
    def question(self) -> str:
        """What is asked, on one line."""
        return one_line(self.topic.question) or "What improves the result?"

    @property
    def most(self) -> int:
        """Passages to judge: as many as the topic says, but no large part of the budget."""
        account, asker = self.caller.account, self.asker
        price = prices.price(asker.model, self.caller.urls.get(asker.model, ""))
        limits = [] if account.tokens is None else [float(account.tokens)]
        if account.dollars is not None and price is not None and price.tokens_in > 0.0:
            limits.append(account.dollars / price.tokens_in)
        paid = [max(BATCH, int(SHARE * each / PASSAGE_TOKENS)) for each in limits]
        return min([self.topic.most, *paid])

    async def read(self) -> Findings:
        rules = tuple(dict.fromkeys((self.question, *self.topic.queries)))
        if not await asyncio.to_thread(self._search, rules):
            return Findings()
        queries = await self._plan()
        found = await asyncio.to_thread(self._search, (*rules, *queries))
        relevant = await self._filter(found)
        if not relevant:
            return Findings(queries=queries)
        given = {label(place): passage for place, passage in enumerate(relevant)}
        sentences, disputes = await asyncio.gather(self._synthesise(given), self._compare(given))
        sentences, disputes = await asyncio.to_thread(self._verified, sentences, disputes)
        cited = (citation for each in (*sentences, *disputes) for citation in each.citations)
        return Findings(
            queries=queries,
            texts=tuple(f"{each.place} {each.text}" for each in relevant),
            citations=tuple(dict.fromkeys(cited)),
            sentences=sentences,
            contradictions=disputes,
        )

    # ------------------------------------------------------------ finding

    async def _plan(self) -> tuple[str, ...]:
        """Queries that rules do not think of."""
        asked = prompt(
            "queries",
            question=self.question,
            terms=", ".join(map(one_line, self.topic.terms)) or NOTHING,
            queries="\n".join(map(one_line, self.topic.queries)) or NOTHING,
            count=str(MOST_QUERIES),
        )
        answer = await self.caller.ask(self.asker, asked, Queries)
        lines = (one_line(each)[:LONGEST_QUERY] for each in answer.queries)
        return tuple(dict.fromkeys(each for each in lines if each))[:MOST_QUERIES]

    def _search(self, queries: Sequence[str]) -> list[Passage]:
        """Passages by reciprocal rank over all queries (Cormack, Clarke and Büttcher 2009), the best first."""
        scores: dict[str, float] = {}
        found: dict[str, Passage] = {}
        most = self.most
        for query in queries:
            for rank, hit in enumerate(self.library.search(query, most)):
                scores[hit.passage.id] = scores.get(hit.passage.id, 0.0) + 1.0 / (60 + rank)
                found[hit.passage.id] = hit.passage
        best = sorted(scores, key=lambda each: -scores[each])
        return [found[each] for each in best[:most]]

    async def _filter(self, passages: Sequence[Passage]) -> list[Passage]:
        """Those that are relevant, the most relevant first. A batch that nobody judged is left out.

        Raises:
            SwarmError: why none was judged, where that is so.
        """
        batches = [passages[start : start + BATCH] for start in range(0, len(passages), BATCH)]
        judged = await asyncio.gather(*map(self._judge, batches), return_exceptions=True)
        for each in judged:
            if isinstance(each, BaseException) and not isinstance(each, (AnswerError, ModelError, Spent)):
                raise each
        scores = [each for each in judged if not isinstance(each, BaseException)]
        if not scores:
            raise next(each for each in judged if isinstance(each, BaseException))
        pairs = [pair for each in scores for pair in each if pair[1] >= RELEVANT]
        return [passage for passage, _ in sorted(pairs, key=lambda pair: -pair[1])[:READ]]

    async def _judge(self, batch: Sequence[Passage]) -> list[tuple[Passage, int]]:
        given = {label(place): passage for place, passage in enumerate(batch)}

        def check(answer: Scores) -> str:
            unknown = {each.passage for each in answer.scores} - given.keys()
            beyond = [f"{each.passage} {each.score}" for each in answer.scores if not 0 <= each.score <= 3]
            wrong = [f"there is no passage {each[:40]}" for each in sorted(unknown)]
            wrong += [f"a score lies between 0 and 3: {each[:60]}" for each in beyond]
            return _together(wrong)

        asked = prompt("relevance", question=self.question, passages=shown(given))
        answer = await self.caller.ask(self.asker, asked, Scores, check=check)
        scores = {each.passage: each.score for each in answer.scores}
        return [(passage, scores.get(name, 0)) for name, passage in given.items()]

    # ------------------------------------------------------------ writing

    async def _synthesise(self, given: Mapping[str, Passage]) -> tuple[Sentence, ...]:
        asked = prompt("synthesis", question=self.question, passages=shown(given))

        def judge(answer: Synthesis) -> tuple[list[Sentence], list[str]]:
            return _judged([(each.text, each.quotations) for each in answer.sentences], given)

        return await self._checked(asked, Synthesis, judge)

    async def _compare(self, given: Mapping[str, Passage]) -> tuple[Sentence, ...]:
        """Where papers contradict each other. The synthesis does not fail with it."""
        if len({each.paper for each in given.values()}) < 2:
            return ()
        asked = prompt("contradictions", question=self.question, passages=shown(given))

        def judge(answer: Disputes) -> tuple[list[Sentence], list[str]]:
            found, wrong = _judged([(each.point, (each.one, each.other)) for each in answer.disputes], given)
            between = [each for each in found if each.citations[0].paper != each.citations[1].paper]
            wrong += [f"both sides are of one paper: {each.text[:80]!r}" for each in found if each not in between]
            return between, wrong

        try:
            return await self._checked(asked, Disputes, judge)
        except (AnswerError, ModelError, Spent):
            return ()

    async def _checked(
        self, asked: Prompt, into: type[T], judge: Callable[[T], tuple[list[Sentence], list[str]]]
    ) -> tuple[Sentence, ...]:
        """What holds of an answer, which may be mended once; the better of the two, where both are of use.

        Raises:
            SwarmError: nothing of either is.
        """
        best: list[Sentence] = []
        answered = 0

        def check(answer: T) -> str:
            nonlocal best, answered
            found, wrong = judge(answer)
            best = found if len(found) >= len(best) else best
            answered += 1
            return _together(wrong) if answered == 1 or not best else ""

        try:
            await self.caller.ask(self.asker, asked, into, check=check)
        except (AnswerError, ModelError, Spent):
            if not best:
                raise
        return tuple(best)

    def _verified(
        self, sentences: Sequence[Sentence], disputes: Sequence[Sentence]
    ) -> tuple[tuple[Sentence, ...], tuple[Sentence, ...]]:
        """What the library itself says of it: a paper may have changed meanwhile."""

        def holds(sentence: Sentence) -> bool:
            return all(map(self.library.verify, sentence.citations))

        return tuple(filter(holds, sentences)), tuple(filter(holds, disputes))


def _judged(
    statements: Sequence[tuple[str, Sequence[Quotation]]], given: Mapping[str, Passage]
) -> tuple[list[Sentence], list[str]]:
    """The sentences that hold, and what is wrong with the others."""
    found, wrong = [], []
    for text, quotations in statements:
        try:
            found.append(_sentence(one_line(text), quotations, given))
        except AnswerError as error:
            wrong.append(error.what)
    return found, wrong


def _sentence(text: str, quotations: Sequence[Quotation], given: Mapping[str, Passage]) -> Sentence:
    """A sentence with its citations.

    Raises:
        AnswerError: what does not hold; the text is written for the model.
    """
    if not text or len(text) > LONGEST_SENTENCE:
        raise AnswerError(f"a sentence has 1 to {LONGEST_SENTENCE} characters: {text[:80]!r}")
    if not quotations:
        raise AnswerError(f"no quotation: {text[:80]!r}")
    citations = [_citation(each, given) for each in quotations]
    if numbers := unfounded(text, [given[each.passage].text for each in quotations]):
        raise AnswerError(f"{', '.join(numbers[:3])} stands in none of its passages: {text[:80]!r}")
    return Sentence(text=text, citations=tuple(citations))


def _citation(quotation: Quotation, given: Mapping[str, Passage]) -> Citation:
    passage = given.get(quotation.passage)
    if passage is None:
        raise AnswerError(f"there is no passage {quotation.passage[:40]!r}")
    found = quoted(passage, quotation.quote)
    if found is None:
        raise AnswerError(f"this does not stand word for word in {quotation.passage}: {quotation.quote[:120]!r}")
    return found


def _together(wrong: Sequence[str]) -> str:
    more = f"; and {len(wrong) - MOST_COMPLAINTS} more" if len(wrong) > MOST_COMPLAINTS else ""
    return "; ".join(wrong[:MOST_COMPLAINTS]) + more
