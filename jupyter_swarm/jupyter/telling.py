"""An answer of a language model as it comes: renewed in place on a page, written on in a terminal.

It is asked for in a thread with an event loop of its own, since a kernel's own loop is busy with the cell; the cell's
thread shows what has come, and an interrupt ends the asking.
"""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from html import escape
from typing import Any, Protocol, TextIO, TypeVar

from jupyter_swarm.jupyter.pages import shortened, visible
from jupyter_swarm.minds.footnotes import Footed, footed, so_far
from jupyter_swarm.protocols import Passage
from jupyter_swarm.report import phrases
from jupyter_swarm.report.phrases import plural
from jupyter_swarm.words import Citation

T = TypeVar("T")
SHOWN_SECONDS = 0.1
"""So often what has come is shown, at most."""
LEAVE_SECONDS = 0.8
"""So long an interrupt waits for the call to be cut off and written down."""
CANCELLED_TIMES = 4
LONGEST_QUOTE = 400


def follow(job: Callable[[Callable[[str], None]], Coroutine[Any, Any, T]], show: Callable[[str], None]) -> T:
    """What a job results in; meanwhile all that it has told so far is shown, again and again.

    Args:
        job: is given a function to which it tells pieces of text.
        show: is given all of the text so far, ten times a second at most.

    Raises:
        KeyboardInterrupt: interrupted; the job was cancelled.
    """
    told: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    done: Future[T] = Future()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def main() -> T:
        task = asyncio.current_task()
        assert task is not None
        running.append((asyncio.get_running_loop(), task))
        return await job(told.put)

    def work() -> None:
        try:
            done.set_result(asyncio.run(main()))
        except BaseException as error:
            done.set_exception(error)
        finally:
            told.put(None)

    thread = threading.Thread(target=work, name="jupyter-swarm-asking", daemon=True)
    try:
        thread.start()
        _relay(told, show)
    except KeyboardInterrupt:
        _end(thread, running)
        raise
    return done.result()


def _end(thread: threading.Thread, running: Sequence[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]]) -> None:
    """Cancel what runs in a thread; more than once, since `asyncio.wait_for` before Python 3.12 swallows a cancellation
    that comes together with what it waits for (and LangChain waits so for each piece)."""
    for _ in range(CANCELLED_TIMES):
        with suppress(RuntimeError):  # its loop is closed already
            for loop, task in running:
                loop.call_soon_threadsafe(task.cancel)
        thread.join(LEAVE_SECONDS / CANCELLED_TIMES)
        if not thread.is_alive():
            return


def _relay(told: queue.SimpleQueue[str | None], show: Callable[[str], None]) -> None:
    """Show what is told until nothing more comes."""
    text, waiting, shown_at = "", False, 0.0
    while True:
        left = shown_at + SHOWN_SECONDS - time.monotonic()
        piece: str | None = ""
        with suppress(queue.Empty):
            piece = told.get(timeout=max(0.0, left)) if waiting else told.get()
        if piece:
            text, waiting = text + piece, True
        if waiting and (piece is None or time.monotonic() >= shown_at + SHOWN_SECONDS):
            show(text)
            waiting, shown_at = False, time.monotonic()
        if piece is None:
            return


class Shown(Protocol):
    """Where an answer is shown."""

    def show(self, text: str, passages: Sequence[Passage]) -> None:
        """What has come so far."""
        ...

    def end(self, found: Footed, about: str) -> None:
        """All of it, checked; and what it took."""
        ...

    def broke_off(self, why: str) -> None:
        """No more will come."""
        ...


class Page:
    """On a notebook's page."""

    def __init__(self, about: str) -> None:
        from IPython.display import display

        self._text = ""
        self._passages: Sequence[Passage] = ()
        self._about = about
        self._handle: Any = display(self._bundle(Footed((), (), False), about), raw=True, display_id=True)

    def show(self, text: str, passages: Sequence[Passage]) -> None:
        """What has come so far; what is complete is checked."""
        self._text, self._passages = text, passages
        self._update(footed(text, passages, whole=False), self._about)

    def end(self, found: Footed, about: str) -> None:
        """All of it."""
        self._update(found, about)

    def broke_off(self, why: str) -> None:
        """What has come holds or is struck out, as ever."""
        self._update(footed(self._text, self._passages), why)

    def _update(self, found: Footed, about: str) -> None:
        self._handle.update(self._bundle(found, about), raw=True)

    def _bundle(self, found: Footed, about: str) -> dict[str, str]:
        return {"text/plain": plain(found, about), "text/html": html(found, about)}


class Terminal:
    """In a terminal, or wherever text goes."""

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = file or sys.stdout
        self._written = 0

    def show(self, text: str, passages: Sequence[Passage]) -> None:
        """Write what is new."""
        settled = so_far(text, passages)
        self._file.write(settled[self._written :])
        self._file.flush()
        self._written = max(self._written, len(settled))

    def end(self, found: Footed, about: str) -> None:
        """End the line; which sentences do not hold, footnotes and costs are shown by whoever asked."""
        self._file.write("\n" if self._written else "")
        self._file.flush()

    def broke_off(self, why: str) -> None:
        """Say that what stands there was not checked."""
        if self._written:
            self._file.write(f"\n({why}: what stands above is not all, and was not checked)\n")
            self._file.flush()


class Silent:
    """Nowhere: a program gets all of it at the end."""

    def show(self, text: str, passages: Sequence[Passage]) -> None:
        """Nothing."""

    def end(self, found: Footed, about: str) -> None:
        """Nothing."""

    def broke_off(self, why: str) -> None:
        """Nothing."""


# ---------------------------------------------------------------- words


NOTHING = "The passages that were found do not answer this."


def cited(found: Footed) -> list[tuple[int, Citation]]:
    """Footnotes on which sentences rest that hold."""
    used = {number for each in found.sentences if not each.wrong for number in each.notes}
    return [(number, note) for number, note in enumerate(found.notes, 1) if number in used]


def note(number: int, citation: Citation) -> str:
    """A footnote on one line.

    >>> one = Citation(paper="", title="Tea", kind="paper", passage="", place="Tea › Pots", start=0, end=3, quote="b c")
    >>> note(1, one)
    '[1] Tea › Pots: “b c”'
    """
    named = citation.place.startswith(citation.title) and bool(citation.title)
    where = citation.place if named else phrases.place(citation)
    return visible(f"[{number}] {where}: “{shortened(citation.quote, LONGEST_QUOTE)}”")


def struck(found: Footed) -> str:
    """How many sentences do not hold; "" where all do."""
    if not found.struck:
        return ""
    what = plural(found.struck, "sentence")
    return f"{what} struck out: no source that was given bears {'it' if found.struck == 1 else 'them'}."


def plain(found: Footed, about: str) -> str:
    """The answer as text."""
    said = " ".join(f"~~{each.text}~~" if each.wrong else each.text for each in found.sentences)
    notes = [note(*each) for each in cited(found)]
    parts = [NOTHING if found.nothing else said, *notes, struck(found), about]
    return visible("\n".join(part for part in parts if part))


def html(found: Footed, about: str) -> str:
    """The answer as escaped HTML: nothing that a model writes is markup."""
    said = " ".join(
        f'<del title="{escape(visible(each.wrong))}" style="opacity:.6">{escape(visible(each.text))}</del>'
        if each.wrong
        else escape(visible(each.text))
        for each in found.sentences
    )
    small = '<p style="margin:2px 0;font-size:90%;opacity:.8">'
    notes = "".join(f"{small}{escape(note(*each))}</p>" for each in cited(found))
    last = "".join(f"{small}{escape(visible(each))}</p>" for each in (struck(found), about) if each)
    text = escape(NOTHING) if found.nothing else said
    return f'<div class="jupyter-swarm-answer"><p style="margin:4px 0">{text}</p>{notes}{last}</div>'
