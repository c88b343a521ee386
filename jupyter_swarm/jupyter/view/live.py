"""The live view: the panes in widgets. Each widget is renewed only when its own text has changed, so that nothing that
a person is using (a slider, an unfolded quotation) is rebuilt under their hands."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

import ipywidgets as w

from jupyter_swarm.errors import SwarmError
from jupyter_swarm.jupyter.view import panes, plot
from jupyter_swarm.jupyter.view.controls import Press, Row, Stop, command, pane, put
from jupyter_swarm.jupyter.view.style import sheet
from jupyter_swarm.jupyter.view.watcher import WATCHER, Feed, free
from jupyter_swarm.state import SwarmState
from jupyter_swarm.workspace import Workspace


class Handle(Protocol):
    """What the view needs of a swarm: `jupyter_swarm.api.Swarm` has it."""

    name: str
    workspace: Workspace

    def pause(self) -> object:
        """Stop starting work."""
        ...

    def resume(self) -> object:
        """Go on."""
        ...

    def stop(self) -> object:
        """End it."""
        ...

    def report(self) -> object:
        """Write the report; its path."""
        ...

    def steer(self, *, verb: Any, target: str = "", value: float | str | None = None) -> object:
        """Ask for a change."""
        ...


class SwarmView:
    """A swarm as widgets. `close()` takes it off the page; the swarm goes on."""

    def __init__(self, swarm: Handle) -> None:
        self.swarm = swarm
        self.open = True
        self._feed: Feed = WATCHER.feed(swarm.workspace, swarm.name)
        self._display: Any = None
        self._kept = _kept(self._feed.state)
        self._rows: dict[str, Row] = {}
        self._cards: dict[str, w.HTML] = {}
        names = (
            "header",
            "alarm",
            "answer",
            "progress",
            "chart",
            "leaders",
            "counts",
            "directions",
            "log",
            "said",
            "bad",
        )
        self._panes = {name: pane() for name in names}
        self._presses: dict[str, Press | Stop] = {
            "pause": self._press("Pause", "pause", "Start no more work; what runs may finish", self._pause),
            "resume": self._press("Resume", "play", "Go on, with a new runner where there is none", self._resume),
            "stop": Stop(lambda: self._do(self._stop), self._terminal("stop"), self._later),
            "report": self._press("Report", "file-text-o", "Write the report notebook", self._report),
            "close": Press("Close", "times", "Take this view away; the swarm goes on", self.close),
        }
        self._findings, self._directions = w.VBox(), w.VBox()
        self.widget = self._laid_out()
        with self._feed.lock:
            self.renew(self._feed.state, self._feed.alive)
        free(self.widget)

    # ------------------------------------------------------------ what is asked of it

    def show(self) -> SwarmView:
        """Display it here and keep it up to date from a background thread."""
        from IPython.display import display

        self._display = display(self._bundle(), raw=True, display_id=True)
        WATCHER.watch(self._feed, self)
        return self

    def refresh(self) -> None:
        """Show what is in the ledger now, without waiting for the thread."""
        with self._feed.lock:
            self._feed.read()
            self.renew(self._feed.state, self._feed.alive)

    def close(self) -> None:
        """Take the view away; the swarm goes on."""
        self.open = False
        for widget in list(self._widgets()):
            widget.close()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self._bundle()

    def renew(self, state: SwarmState, alive: bool) -> None:
        """Show this state, touching only what has changed."""
        at = self._panes
        put(at["header"], panes.header(state, alive))
        put(at["alarm"], panes.alarm(state))
        put(at["answer"], panes.said(state))
        put(at["progress"], panes.progress(state))
        put(at["chart"], panes.chart(state) if state.request else "")
        put(at["leaders"], panes.leaders(state))
        put(at["counts"], panes.counts(state))
        put(at["directions"], panes.direction_count(state) if state.directions else "")
        put(at["log"], panes.log(state))
        self._renew_findings(state)
        self._renew_directions(state)
        self._renew_buttons(state, alive)
        if (kept := _kept(state)) != self._kept:
            self._kept = kept
            if self._display is not None:  # so that the notebook is saved with the end, not with the beginning
                self._display.update(self._bundle(), raw=True)

    def trouble(self, words: str) -> None:
        """Say that the ledger cannot be read at present."""
        put(self._panes["bad"], f'<div class="alert" role="alert">{panes.text(words)}</div>' if words else "")

    # ------------------------------------------------------------ parts

    def _laid_out(self) -> w.VBox:
        at, css = self._panes, w.HTML(sheet())
        css.layout.display = "none"
        tools = w.HBox([*(each.box for each in self._presses.values()), at["said"]])
        tools.add_class("jsw-tools")
        pair = w.HBox([at["chart"], at["leaders"]])
        pair.add_class("jsw-pair")
        parts = [at["header"], tools, at["bad"], at["alarm"], at["progress"], at["answer"], pair]
        parts += [w.VBox([at["counts"], self._findings]), w.VBox([at["directions"], self._directions]), at["log"]]
        box = w.VBox([css, *parts])
        box.add_class("jsw-live")
        return box

    def _widgets(self) -> list[Any]:
        """Every widget of the view, parents last."""
        found: list[Any] = []

        def walk(widget: Any) -> None:
            for child in getattr(widget, "children", ()):
                walk(child)
            found.append(widget)

        walk(self.widget)
        return found

    def _renew_findings(self, state: SwarmState) -> None:
        scale, shown = plot.reach(state), []
        for case in state.findings()[: panes.MOST_FINDINGS]:
            name = case.hypothesis.id
            if name not in self._cards:
                self._cards[name] = pane()
                free(self._cards[name])
            put(self._cards[name], panes.finding(case, state, scale))
            shown.append(self._cards[name])
        _children(self._findings, shown)

    def _renew_directions(self, state: SwarmState) -> None:
        shown = []
        for direction in panes.open_directions(state):
            row = self._rows.get(direction.id)
            if row is None:
                row = self._rows[direction.id] = Row(direction, self.swarm.workspace, self.swarm.name, self._weigh)
                free(row.box)
            row.renew(state)
            shown.append(row.box)
        _children(self._directions, shown)

    def _renew_buttons(self, state: SwarmState, alive: bool) -> None:
        lost = not alive and state.phase in ("requested", "running")
        paused = state.phase == "paused" or state.asked == "pause"
        wanted = {
            "pause": not state.over and not paused and not lost,
            "resume": not state.over and (paused or lost),
            "stop": not state.over and state.asked != "stop",
            "report": bool(state.baseline_values()) or state.over,
        }
        for name, usable in wanted.items():
            self._presses[name].usable(usable)

    # ------------------------------------------------------------ what a person does

    def _press(self, label: str, icon: str, tooltip: str, act: Callable[[], None]) -> Press:
        return Press(label, icon, tooltip, lambda: self._do(act), terminal=self._terminal(label.lower()))

    def _terminal(self, verb: str) -> str:
        return command(self.swarm.workspace, verb, self.swarm.name)

    def _do(self, act: Callable[[], object]) -> None:
        """Act; a mistake or a ledger that is full is said here, not lost in a log."""
        try:
            act()
        except SwarmError as error:
            self._say(str(error))
        except Exception as error:  # nobody would see it: it is raised in a subshell, or in a thread
            self._say(f"That did not work: {type(error).__name__}: {error}")
        WATCHER.soon(self._feed)

    def _aside(self, act: Callable[[], object]) -> None:
        """Act in a thread: what takes longer must not keep the next click from being heard."""
        threading.Thread(target=self._do, args=(act,), name="jupyter-swarm-asked", daemon=True).start()

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        def then() -> None:
            if self.open:
                act()

        timer = threading.Timer(seconds, then)
        timer.daemon = True
        timer.start()

    def _say(self, words: str) -> None:
        if self.open:
            put(self._panes["said"], f'<span class="said" role="status">{panes.text(words)}</span>')

    def _pause(self) -> None:
        self.swarm.pause()
        self._say("Pausing: what runs may finish.")

    def _resume(self) -> None:
        self._say("Going on.")
        self._aside(self.swarm.resume)

    def _stop(self) -> None:
        self._say("Stopping: findings so far stay.")
        self._aside(self.swarm.stop)

    def _report(self) -> None:
        self._say("Writing the report …")
        self._aside(lambda: self._say(f"The report is at {self.swarm.report()}"))

    def _weigh(self, direction: str, priority: float) -> None:
        def act() -> None:
            try:
                self.swarm.steer(verb="priority", target=direction, value=priority)
            except Exception:
                self._rows[direction].back()
                raise
            self._say(f"Asked for priority {priority:g}.")

        self._do(act)

    def _bundle(self) -> dict[str, Any]:
        """The widget for a live page, and the same state as HTML for a saved one, in words for a console."""
        live = (
            {}
            if not self.open
            else {
                "application/vnd.jupyter.widget-view+json": {
                    "version_major": 2,
                    "version_minor": 0,
                    "model_id": self.widget.model_id,
                }
            }
        )
        with self._feed.lock:
            return {**panes.bundle(self._feed.state, self._feed.alive), **live}


def _kept(state: SwarmState) -> tuple[object, ...]:
    """What a saved notebook has to have right: the end, and what a person has said of findings after it."""
    return (state.over, *((case.mark, case.read) for case in state.cases.values())) if state.over else ()


def _children(box: w.VBox, children: list[Any]) -> None:
    if list(box.children) != children:
        box.children = tuple(children)
