"""The view for a notebook that nobody watches (nbconvert, papermill): the same state as HTML alone.

Widgets would be kept in the notebook's metadata, and a page that is made of it would show them by scripts from the
network, or nothing, in place of the HTML beside them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_swarm.jupyter.view import panes
from jupyter_swarm.jupyter.view.watcher import WATCHER, Feed, running_kernel

if TYPE_CHECKING:
    from jupyter_swarm.jupyter.view.live import Handle
    from jupyter_swarm.state import SwarmState


def attended() -> bool:
    """Whether a person may be there: a client that executes a notebook for a file takes no input."""
    return bool(getattr(running_kernel(), "_allow_stdin", True))


class Picture:
    """A swarm as HTML, renewed where it stands."""

    def __init__(self, swarm: Handle) -> None:
        self.open = True
        self._feed: Feed = WATCHER.feed(swarm.workspace, swarm.name)
        self._display: Any = None

    def show(self) -> Picture:
        """Display it here and keep it up to date from a background thread."""
        from IPython.display import display

        with self._feed.lock:
            bundle = panes.bundle(self._feed.state, self._feed.alive)
        self._display = display(bundle, raw=True, display_id=True)
        if not self._feed.state.over:
            WATCHER.watch(self._feed, self)
        return self

    def refresh(self) -> None:
        """Show what is in the ledger now, without waiting for the thread."""
        with self._feed.lock:
            self._feed.read()
            self.renew(self._feed.state, self._feed.alive)

    def renew(self, state: SwarmState, alive: bool) -> None:
        """Show this state."""
        self._display.update(panes.bundle(state, alive), raw=True)

    def trouble(self, words: str) -> None:
        """A ledger that cannot be read at present leaves the picture as it is."""
