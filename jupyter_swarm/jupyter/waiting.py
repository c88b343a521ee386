"""How far it is: one line of a terminal that is written over (a few lines in a log), or a bar on a page."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from jupyter_swarm.jupyter.pages import size, visible
from jupyter_swarm.jupyter.verbs import Face
from jupyter_swarm.report import phrases
from jupyter_swarm.report.phrases import duration, number, plural
from jupyter_swarm.state import SwarmState

LARGE, LONG_SECONDS = 100 * 2**20, 0.5
"""Bytes of data, and seconds that it takes, from which a bar is shown while they are captured."""
_LOG_SECONDS = 10.0
_PAGE_SECONDS = 0.2


def line_of(state: SwarmState, alive: bool = True) -> str:
    """What a swarm is doing, on one line.

    >>> line_of(SwarmState(name="wine"))
    'wine: starting, 0 experiments'
    """
    budget = state.budget
    parts = [f"{state.name}: {phrases.phase(state, alive)}", plural(state.experiments, "experiment")]
    if budget.experiments:
        parts[-1] = f"{state.experiments:,} of {plural(budget.experiments, 'experiment')}"
    if budget.seconds:
        parts.append(f"{duration(state.clock)} of {duration(budget.seconds)}")
    values = state.baseline_values()
    if values:
        parts.append(f"baseline {number(sum(values) / len(values))}")
    if values and (leader := state.leaders(1)):
        parts.append(f"leading {number(leader[0][1])}")
    if supported := len(state.supported()):
        parts.append(f"{supported} supported")
    return ", ".join(parts)


class Line:
    """A line that is renewed in place in a terminal; elsewhere it is printed now and then, when it has changed."""

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = file or sys.stderr
        self._live = self._file.isatty()
        self._last, self._at = "", 0.0

    def say(self, text: str) -> None:
        """Show it."""
        text = visible(text).replace("\n", " ")
        now = time.monotonic()
        if text == self._last or (not self._live and now - self._at < _LOG_SECONDS):
            return
        self._last, self._at = text, now
        self._file.write(f"\r\x1b[K{text[: _width()]}" if self._live else f"{text}\n")
        self._file.flush()

    def bar(self, text: str, share: float) -> None:
        """Show a bar and its meaning."""
        full = round(20 * share)
        self.say(f"{'█' * full}{'░' * (20 - full)} {text}")

    def watch(self, state: SwarmState) -> None:
        """For `Swarm.wait`."""
        self.say(line_of(state))

    def end(self) -> None:
        """Make room for what follows."""
        if self._live and self._last:
            self._file.write("\r\x1b[K")
            self._file.flush()


def _width() -> int:
    import shutil

    return max(20, shutil.get_terminal_size().columns - 1)


@contextmanager
def capturing(face: Face) -> Iterator[Callable[[int, int], None]]:
    """Something to tell (bytes done, bytes in all) to; it shows nothing for data that are soon captured."""
    shown: _Bar | Line = _Bar() if face == "notebook" else Line()
    began = time.monotonic()

    def told(done: int, whole: int) -> None:
        if whole > LARGE or (whole and time.monotonic() - began > LONG_SECONDS):
            shown.bar(f"capturing {size(done)} of {size(whole)}", done / whole)

    try:
        yield told
    finally:
        shown.end()


class _Bar:
    """A bar on a notebook's page, renewed in place."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._at = 0.0

    def bar(self, text: str, share: float) -> None:
        """Show it, a few times a second at most."""
        from IPython.display import display

        now = time.monotonic()
        if self._handle is not None and now - self._at < _PAGE_SECONDS and share < 1:
            return
        self._at = now
        page = f'<progress value="{share:.3f}" aria-label="capturing"></progress> {text}'
        bundle = {"text/plain": text, "text/html": page}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)

    def end(self) -> None:
        """Nothing to do: the full bar stays, as a note of what was captured."""
