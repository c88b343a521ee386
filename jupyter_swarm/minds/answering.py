"""A question to a language model over passages, answered as a text that comes piece by piece. Without a swarm: what it
takes is written into the workspace's ledger, and never passes a limit of tokens.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from jupyter_swarm.errors import UsageError
from jupyter_swarm.events import ModelAnswered, ModelAsked
from jupyter_swarm.minds import answers, chat, prices
from jupyter_swarm.minds.answers import CUT_SHORT, REFUSED, AnswerError, Raw
from jupyter_swarm.minds.chat import Connection, ModelError
from jupyter_swarm.minds.footnotes import Footed, footed
from jupyter_swarm.minds.prompting import Prompt, prompt, template
from jupyter_swarm.minds.reading import label, one_line, shown
from jupyter_swarm.protocols import Answers, Kept, Passage, Store

PROMPT = "ask"
TOKENS = 60_000
"""What one question may take, in and out."""
PASSAGES = 12
TRIES = 3
FIRST_WAIT_SECONDS = 0.5
MOST_WAIT_SECONDS = 10.0
SILENT_SECONDS = 60.0
"""So long a model may say nothing."""
MOST_SECONDS = 300.0
"""So long a whole answer may take."""
MESSAGE_TOKENS = 64
"""Tokens that the two messages may take besides their texts."""


class Ledger(Store, Answers, Protocol):
    """Where calls and answers are written down."""


class Question(NamedTuple):
    """What is asked, and whom."""

    text: str
    model: str
    url: str = ""
    """Where the model is asked, if not at the provider's own address."""


class Told(NamedTuple):
    """What a model answered, checked, and what that took."""

    text: str
    footed: Footed
    tokens: tuple[int, int]
    """In and out; none where it was answered before."""
    guessed: bool
    """Whether the provider did not say how much it took, so that the upper bounds stand."""
    dollars: float | None
    """None where nobody knows the price."""
    seconds: float
    cut_short: bool
    before: bool
    """Whether the very same was answered before, and kept."""


def connect(question: Question) -> Connection:
    """A connection for one question; nothing is sent yet.

    Raises:
        UsageError: there is no such model, or something is missing for it.
    """
    return chat.connect(question.model, question.url, SILENT_SECONDS, template(PROMPT).max_tokens)


async def answer(
    connection: Connection,
    ledger: Ledger,
    question: Question,
    passages: Sequence[Passage],
    tell: Callable[[str], None],
    *,
    tokens: int = TOKENS,
) -> Told:
    """Ask, and tell the answer's pieces as they come.

    Args:
        connection: to the model.
        ledger: where it is written what that takes, under no swarm's name; and where an answer is kept that holds.
        question: what is asked.
        passages: what the answer may rest on, the best first; as many as the limit of tokens allows are given.
        tell: is given each piece of the text.
        tokens: the limit.

    Raises:
        UsageError: the question alone is longer than the limit allows.
        ModelError: no answer came, or not all of it.
        AnswerError: the model said nothing.
    """
    asked, given = _prompt(question.text, passages, tokens)
    request = _named(question, asked)
    if (kept := ledger.known([request]).get(request)) is not None:
        raw = answers.decode(kept)
        tell(raw.text)
        return _told(raw, given, _Call(ledger, question, asked, request), before=True)
    for number in range(TRIES):
        call = _Call(ledger, question, asked, f"{request}/{number}-{time.time_ns():x}")
        try:
            raw = await call.send(connection, tell)
        except ModelError as failure:
            call.end(failure.what, failure.paid)
            if number + 1 == TRIES or not _worth_another(failure):
                raise
            wait = min(MOST_WAIT_SECONDS, max(failure.retry_after or 0.0, FIRST_WAIT_SECONDS * 2.0**number))
            await asyncio.sleep(wait * random.uniform(1.0, 1.25))
        except BaseException:
            call.end("cut off", paid=True)
            raise
        else:
            told = _told(raw, given, call)
            use = told.footed.nothing or told.footed.struck < len(told.footed.sentences)
            call.settle(raw, [Kept(request, PROMPT, answers.encode(raw))] if use and not told.cut_short else [])
            if raw.finish in REFUSED or not raw.text.strip():
                raise AnswerError(f"{question.model} gave no answer", where=raw.finish, cure="ask in other words")
            return told
    raise AssertionError("unreachable")


@dataclass
class _Call:
    """One call, from its announcement to what it took."""

    ledger: Ledger
    question: Question
    asked: Prompt
    name: str
    began: float = field(default_factory=time.monotonic)

    async def send(self, connection: Connection, tell: Callable[[str], None]) -> Raw:
        """Announce it, send it, and tell what comes."""
        self.ledger.append("", [self._event()])
        self.began = time.monotonic()
        raw = Raw()
        try:
            async with asyncio.timeout(MOST_SECONDS):
                async for piece in connection.stream(_messages(self.asked)):
                    if piece.text:
                        tell(piece.text)
                    raw = _longer(raw, piece)
        except TimeoutError:
            raise ModelError(f"the answer took longer than {MOST_SECONDS:.0f} s", paid=True) from None
        return raw

    def _event(self) -> ModelAsked:
        tokens = (_bound(self.asked), self.asked.max_tokens)
        return ModelAsked(
            call=self.name, agent="", role=PROMPT, model=self.question.model, prompt=self.asked.name,
            tokens_in=tokens[0], tokens_out=tokens[1], dollars=self.dollars(tokens),
        )  # fmt: skip

    def tokens(self, raw: Raw) -> tuple[tuple[int, int], bool]:
        """What an answer took, and whether that is guessed."""
        if raw.tokens_in is None or raw.tokens_out is None:
            return (_bound(self.asked), self.asked.max_tokens), True
        return (raw.tokens_in, raw.tokens_out), False

    def dollars(self, tokens: tuple[int, int]) -> float | None:
        """What so many tokens cost."""
        price = prices.price(self.question.model, self.question.url)
        return price.of(*tokens) if price else None

    def settle(self, raw: Raw, kept: Sequence[Kept]) -> None:
        """Write down what the answer took."""
        tokens, guessed = self.tokens(raw)
        self._write(tokens, "", guessed, kept)

    def end(self, why: str, paid: bool) -> None:
        """Write down that no answer came, or not all of it."""
        self._write((_bound(self.asked), self.asked.max_tokens) if paid else (0, 0), why, paid)

    def _write(self, tokens: tuple[int, int], failed: str, guessed: bool, kept: Sequence[Kept] = ()) -> None:
        event = ModelAnswered(
            call=self.name, tokens_in=tokens[0], tokens_out=tokens[1], dollars=self.dollars(tokens),
            seconds=round(time.monotonic() - self.began, 3), failed=failed, guessed=guessed,
        )  # fmt: skip
        self.ledger.append("", [event], answers=kept)


def _prompt(text: str, passages: Sequence[Passage], tokens: int) -> tuple[Prompt, Sequence[Passage]]:
    """The prompt with as many passages as the limit allows, and these."""
    for count in range(min(PASSAGES, len(passages)), 0, -1):
        given = {label(place): passage for place, passage in enumerate(passages[:count])}
        asked = prompt(PROMPT, question=one_line(text), passages=shown(given))
        if _bound(asked) + asked.max_tokens <= tokens:
            return asked, passages[:count]
    raise UsageError(
        f"the question and a passage take more than {tokens:,} tokens", where=text[:60] + "…", cure="a shorter one"
    )


def _bound(asked: Prompt) -> int:
    """Tokens that a prompt takes at most: none has less than a byte."""
    return len((asked.system + asked.user).encode(errors="replace")) + MESSAGE_TOKENS


def _named(question: Question, asked: Prompt) -> str:
    """The hash of a request."""
    body = [question.model, question.url, *asked]
    return hashlib.sha256(json.dumps(body).encode()).hexdigest()[:40]


def _messages(asked: Prompt) -> list[dict[str, str]]:
    return [{"role": "system", "content": asked.system}, {"role": "user", "content": asked.user}]


def _longer(raw: Raw, piece: Raw) -> Raw:
    """What has come, with one more piece."""

    def both(one: int | None, other: int | None) -> int | None:
        return other if one is None else one + (other or 0)

    return Raw(
        text=raw.text + piece.text,
        finish=piece.finish or raw.finish,
        tokens_in=both(raw.tokens_in, piece.tokens_in),
        tokens_out=both(raw.tokens_out, piece.tokens_out),
    )


def _told(raw: Raw, passages: Sequence[Passage], call: _Call, *, before: bool = False) -> Told:
    tokens, guessed = ((0, 0), False) if before else call.tokens(raw)
    return Told(
        text=raw.text,
        footed=footed(raw.text, passages),
        tokens=tokens,
        guessed=guessed,
        dollars=call.dollars(tokens),
        seconds=round(time.monotonic() - call.began, 3),
        cut_short=raw.finish in CUT_SHORT,
        before=before,
    )


def _worth_another(failure: ModelError) -> bool:
    """Whether it is asked once more: it was refused for now, and has cost nothing."""
    return not failure.paid and (failure.status in (408, 409, 429) or failure.status >= 500)
