"""One background thread a kernel reads the ledger for every view that is open, and tells them what is new.

It asks for *events after N* about once a second, less often when nothing happens, and ends when no view is left.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any, Protocol

from jupyter_swarm.errors import LedgerError, SwarmError
from jupyter_swarm.events import Record
from jupyter_swarm.jupyter.replaced import Replaced, fresh
from jupyter_swarm.state import SwarmState
from jupyter_swarm.workspace import Workspace

SOON, LATEST, GROWTH = 0.8, 5.0, 1.25
"""Seconds to the next look after news, the longest wait, and by how much the wait grows while all is quiet."""


MOST = 100_000
"""Records that are read at once."""
MOST_VIEWS = 32
"""Of one swarm, that are kept up to date: the last ones; a view of a cell that was run again is never closed."""
Identity = tuple[int, int] | None
Key = tuple[str, str, Identity]


def identity(workspace: Workspace) -> Identity:
    """Which file its ledger is: device and inode; None where there is none."""
    try:
        found = (workspace.root / "ledger.sqlite").stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Watched(Protocol):
    """What the watcher needs of a view."""

    open: bool

    def renew(self, state: SwarmState, alive: bool) -> None:
        """Show this state. Called in the watcher's thread, never by two at once for one feed."""
        ...

    def trouble(self, words: str) -> None:
        """Say that the ledger cannot be read at present; "" when it can again."""
        ...


class Feed:
    """The state of one swarm, folded as its events come, and the views that show it."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.workspace, self.name = workspace, name
        self.state = SwarmState(name=name)
        self.views: list[Watched] = []
        self.wait, self.due, self.alive = SOON, 0.0, True
        self.lock = threading.RLock()
        self._last: Record | None = None
        self._file = identity(workspace)
        self.key: Key = (str(workspace.root), name, self._file)

    def read(self) -> bool:
        """Fold what is new; whether anything changed.

        Raises:
            LedgerError: it cannot be read, or is gone.
        """
        with self.lock:
            file = identity(self.workspace)
            self._file = self._file or file
            if file != self._file:
                raise LedgerError(
                    f"the ledger in which {self.name} stood is gone",
                    where=str(self.workspace.root),
                    cure=f"%swarm watch {self.name} shows what is there now",
                )
            try:
                records = fresh(self.workspace.store, self._last, swarm=self.name, limit=MOST)
            except Replaced:  # by a copy, restored: that is told from its beginning
                self.state, self._last = SwarmState(name=self.name), None
                records = fresh(self.workspace.store, None, swarm=self.name, limit=MOST)
            for record in records:
                self.state.apply(record)
                self._last = record
            alive = self.state.over or self.workspace.store.holder(self.name) is not None
            changed = bool(records) or alive != self.alive
            self.alive = alive
            return changed

    def turn(self, now: float) -> None:
        """Look, and tell the views; the next look is due sooner when there was news."""
        try:
            news = self.read()
        except SwarmError as error:
            for view in self.views:
                view.trouble(str(error))
            news = False
        else:
            for view in self.views:
                view.trouble("")
        if news:
            for view in list(self.views):
                with self.lock:
                    view.renew(self.state, self.alive)
        self.wait = SOON if news else min(LATEST, self.wait * GROWTH)
        self.due = now + self.wait

    @property
    def done(self) -> bool:
        """Whether nobody looks any more. What was judged is approved and vetoed after the end, too."""
        return not self.views


class Watcher:
    """The feeds of this kernel and the one thread that reads them."""

    def __init__(self) -> None:
        self._feeds: dict[Key, Feed] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def feed(self, workspace: Workspace, name: str) -> Feed:
        """The feed of a swarm, read up to now (in the caller's thread, so that the first picture is whole)."""
        with self._lock:
            feed = self._feeds.setdefault((str(workspace.root), name, identity(workspace)), Feed(workspace, name))
        feed.read()
        return feed

    def watch(self, feed: Feed, view: Watched) -> None:
        """Tell `view` of what is new from here on."""
        with self._lock:
            self._feeds[feed.key] = feed
            feed.views[:] = [*feed.views[1 - MOST_VIEWS :], view]
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="jupyter-swarm-view", daemon=True)
                self._thread.start()
        self.soon(feed)

    def soon(self, feed: Feed) -> None:
        """Look at once: a person has just asked for something."""
        feed.wait, feed.due = SOON / 2, 0.0
        self._wake.set()

    @property
    def thread(self) -> threading.Thread | None:
        """The thread, while there is anything to watch."""
        return self._thread

    def _run(self) -> None:
        _speak_for_no_cell()
        while True:
            now = time.monotonic()
            with self._lock:
                feeds = list(self._feeds.values())
                for feed in feeds:
                    feed.views[:] = [view for view in feed.views if view.open]
            for feed in feeds:
                if feed.views and feed.due <= now:
                    feed.turn(now)
            with self._lock:
                self._feeds = {key: feed for key, feed in self._feeds.items() if not feed.done}
                if not self._feeds:
                    self._thread = None
                    return
                soonest = min(feed.due for feed in self._feeds.values())
            self._wake.wait(max(0.05, soonest - time.monotonic()))
            self._wake.clear()


def _speak_for_no_cell() -> None:
    """Let what this thread publishes belong to no request: the last cell has nothing to do with it."""
    kernel = running_kernel()
    with suppress(AttributeError):
        kernel._shell_parent.set({})


def free(*widgets: Any) -> None:
    """Let messages to these widgets, and to those in them, be handled where the front end sends them.

    That is a subshell, where it has one. ipykernel 7 sends them to the shell that last spoke through the widget's comm
    instead; that is the main shell for a widget that a cell has made, and there a click waits until the running cell
    ends.
    """
    for widget in widgets:
        free(*getattr(widget, "children", ()))
        if getattr(widget, "comm", None) is not None:
            widget.comm._reply_subshell_for = _as_sent


def _as_sent(data: Any, subshell: str | None) -> str | None:
    return subshell


def running_kernel() -> Any:
    """The ipykernel that this process is; None in a terminal."""
    from IPython import get_ipython

    shell = get_ipython()  # type: ignore[no-untyped-call,unused-ignore]
    return getattr(shell, "kernel", None)


WATCHER = Watcher()
