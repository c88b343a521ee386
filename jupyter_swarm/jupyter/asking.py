"""`ask`: a question to the library, answered with citations and without a swarm."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from jupyter_swarm.errors import UsageError
from jupyter_swarm.jupyter.library import SEARCH
from jupyter_swarm.jupyter.needs import lacking
from jupyter_swarm.jupyter.pages import Answer, Part, Words, shortened
from jupyter_swarm.jupyter.telling import NOTHING, Page, Shown, Silent, Terminal, cited, follow, note, struck
from jupyter_swarm.jupyter.verbs import Asked
from jupyter_swarm.library import Librarian, LocalLibrary
from jupyter_swarm.minds import answering
from jupyter_swarm.minds.answering import Question, Told
from jupyter_swarm.protocols import Passage
from jupyter_swarm.report.phrases import number
from jupyter_swarm.words import Citation
from jupyter_swarm.workspace import Workspace

MODEL, BASE_URL = "JUPYTER_SWARM_MODEL", "JUPYTER_SWARM_BASE_URL"
QUOTATIONS = 5
"""Of an answer without a model."""
PATIENCE_SECONDS = 0.1
"""So long the librarian is waited for; without it passages are found by their words."""
_open: dict[tuple[str, int, int], tuple[Workspace, LocalLibrary, _Hasty]] = {}
"""The library that this process asked last, whose index is ready then."""


def ask(asked: Asked) -> Answer:
    """Answer a question from the library: by a model where one is named, else by the best quotations.

    Raises:
        UsageError: nothing is asked, or something is missing for the model or the search.
        ModelError: the model did not answer.
    """
    text = " ".join(asked.options.question).strip()
    model, url = _model(asked.options)
    if not any(map(str.isalnum, text)):
        raise UsageError("nothing is asked", cure=f'{asked.command} ask "Does scaling help trees?"')
    if missing := lacking((*SEARCH, *(("langchain",) if model else ()))):
        raise UsageError(
            f"to ask needs {', '.join(missing)}, not installed in this environment",
            where=sys.prefix,
            cure="pip install jupyter-swarm, or jupyter swarm ask in an environment that has it",
        )
    if not asked.workspace.exists:
        return _empty(text)
    workspace, library, librarian = _library(asked.workspace)
    if not library.papers():
        return _empty(text)
    try:
        if not model:
            return _by_rule(library, text)
        return _by_model(asked, workspace, library, Question(text, model, url))
    finally:
        librarian.start_for_next_time()


def _model(options: SimpleNamespace) -> tuple[str, str]:
    """Who is asked, and where; "" for nobody.

    Raises:
        UsageError: an address without a model.
    """
    if options.model:
        return options.model, options.base_url or ""
    model = os.environ.get(MODEL, "").strip()
    if options.base_url and not model:
        raise UsageError("an address is of no use without a model", where="--base-url", cure="--model MODEL")
    return model, (options.base_url or os.environ.get(BASE_URL, "").strip()) if model else ""


class _Hasty(Librarian):
    """A librarian that is not waited for: words alone find enough to begin with."""

    def start_if_needed(self) -> bool:
        """Whether one lives; it is not started before the answer, with which it would share the machine."""
        try:
            return not self._free()
        except OSError:
            return False

    def start_for_next_time(self) -> None:
        """Start it where there is none."""
        super().start_if_needed()

    def query(
        self, text: str, limit: int = 100, *, through: int = 0, timeout_seconds: float = PATIENCE_SECONDS
    ) -> list[tuple[str, float]] | None:
        """As ever, in less time."""
        return super().query(text, limit, through=through, timeout_seconds=timeout_seconds)


def _library(workspace: Workspace) -> tuple[Workspace, LocalLibrary, _Hasty]:
    """The library of a workspace, with what this process knows of it already."""
    ledger = (workspace.root / "ledger.sqlite").stat()
    name = (str(workspace.root), ledger.st_dev, ledger.st_ino)
    if name not in _open:
        for other, *_ in _open.values():
            other.store.close()
        _open.clear()
        library, librarian = LocalLibrary(workspace), _Hasty(workspace)
        library.librarian = librarian
        _open[name] = (workspace, library, librarian)
    return _open[name]


def _empty(text: str) -> Answer:
    cure = "papers add module:sklearn.preprocessing notes/*.md papers/*.pdf"
    return Answer([Words(f"The library is empty. Add to it: {cure}")], data=_nothing(text, ""))


def _nothing(text: str, model: str) -> dict[str, Any]:
    return {"question": text, "model": model, "answer": "", "sentences": [], "notes": [], "struck": 0}


# ---------------------------------------------------------------- by rule


def _by_rule(library: LocalLibrary, text: str) -> Answer:
    """The sentences that speak most of what is asked, word for word."""
    terms = [word for word in text.strip("?!. ").split() if len(word) > 3]
    citations = [library.cite(hit.passage, terms) for hit in library.search(text, QUOTATIONS)]
    parts: list[Part] = [Words(note(place, each)) for place, each in enumerate(citations, 1)]
    if not parts:
        parts.append(Words(f"Nothing was found for {text!r}."))
    parts.append(
        Words(
            "These are quotations. A language model would answer in sentences that rest on such: --model "
            f"PROVIDER:NAME, or {MODEL} in the environment (%swarm models says which can be asked)."
        )
    )
    return Answer(parts, data=_nothing(text, "") | {"notes": [_data(*each) for each in enumerate(citations, 1)]})


def _data(place: int, citation: Citation) -> dict[str, Any]:
    return {
        "number": place, "paper": citation.title, "id": citation.paper, "passage": citation.passage,
        "place": citation.place, "start": citation.start, "end": citation.end, "quote": citation.quote,
    }  # fmt: skip


# ---------------------------------------------------------------- by a model


@dataclass
class _Asking:
    """A question on its way."""

    workspace: Workspace
    library: LocalLibrary
    question: Question
    passages: Sequence[Passage] = ()

    async def answer(self, tell: Callable[[str], None]) -> Told | None:
        """Find passages while what speaks with models is imported, and ask; None where there are none."""
        connected, found = await asyncio.gather(
            asyncio.to_thread(answering.connect, self.question), asyncio.to_thread(self._find), return_exceptions=True
        )
        if isinstance(connected, BaseException):
            raise connected
        try:
            if isinstance(found, BaseException):
                raise found
            self.passages = found
            if not found:
                return None
            return await answering.answer(connected, self.workspace.store, self.question, found, tell)
        finally:
            await connected.aclose()

    def _find(self) -> list[Passage]:
        return [hit.passage for hit in self.library.search(self.question.text, answering.PASSAGES)]


def _by_model(asked: Asked, workspace: Workspace, library: LocalLibrary, question: Question) -> Answer:
    """Ask, show what comes, check it."""
    asking = _Asking(workspace, library, question)
    shown = _shown(asked, f"{question.model} is asked …")
    try:
        told = follow(asking.answer, lambda text: shown.show(text, asking.passages))
    except KeyboardInterrupt:
        shown.broke_off("interrupted")
        raise
    except Exception as error:
        shown.broke_off(f"broke off: {shortened(str(error), 200)}")
        raise
    if told is None:
        shown.broke_off("")
        return Answer(
            [Words(f"Nothing was found for {question.text!r}.")], data=_nothing(question.text, question.model)
        )
    about = _about(told, question)
    shown.end(told.footed, about)
    return Answer([] if isinstance(shown, Page) else _parts(told, about), data=_answered(told, question))


def _shown(asked: Asked, about: str) -> Shown:
    """Where the answer comes: a front end's page, a terminal, or nowhere before its end."""
    if getattr(asked.options, "json", False):
        return Silent()
    if asked.face == "notebook":
        from IPython.core.getipython import get_ipython

        if getattr(get_ipython(), "kernel", None) is not None:
            return Page(about)
    return Terminal()


def _about(told: Told, question: Question) -> str:
    """Who answered, what it took, what is missing."""
    cut = "; the answer was cut off at its greatest length" if told.cut_short else ""
    if told.before:
        return f"{question.model}, as it answered before: nothing was paid{cut}"
    tokens = f"{'at most ' if told.guessed else ''}{told.tokens[0]:,} tokens in, {told.tokens[1]:,} out"
    price = "price unknown" if told.dollars is None else f"{told.dollars:.4f} dollars" if told.dollars else "free"
    return f"{question.model}: {tokens}, {price}, {number(told.seconds, 2)} s{cut}"


def _parts(told: Told, about: str) -> list[Part]:
    """What a terminal shows below the text that it has seen come."""
    found = told.footed
    parts: list[Part] = [Words(NOTHING)] if found.nothing else []
    parts += [Words(note(*each)) for each in cited(found)]
    if found.struck:
        parts.append(Words(struck(found)))
        parts += [Words(f"~~{each.text}~~ ({each.wrong})") for each in found.sentences if each.wrong]
    return [*parts, Words(about)]


def _answered(told: Told, question: Question) -> dict[str, Any]:
    """For a program: what holds, and nothing else."""
    held = [each for each in told.footed.sentences if not each.wrong]
    return {
        "question": question.text,
        "model": question.model,
        "answer": " ".join(each.text for each in held),
        "sentences": [{"text": each.text, "notes": list(each.notes)} for each in held],
        "notes": [_data(*each) for each in cited(told.footed)],
        "struck": told.footed.struck,
        "nothing_found": told.footed.nothing,
        "cut_short": told.cut_short,
        "answered_before": told.before,
        "tokens": {"in": told.tokens[0], "out": told.tokens[1], "guessed": told.guessed},
        "dollars": told.dollars,
        "seconds": told.seconds,
    }
