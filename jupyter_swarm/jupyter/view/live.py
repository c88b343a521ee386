"""The live view: the panes in widgets. Each widget is renewed only when its own text has changed, so that nothing that
a person is using (a slider, an unfolded quotation) is rebuilt under their hands."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

import ipywidgets as w

from jupyter_swarm.errors import SwarmError
from jupyter_swarm.jupyter.view import panes, plot
from jupyter_swarm.jupyter.view.style import sheet
from jupyter_swarm.jupyter.view.watcher import WATCHER, Feed, free
from jupyter_swarm.state import Direction, SwarmState
from jupyter_swarm.workspace import Workspace

HIGHEST = 5.0


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


class Row:
    """A direction: words, promise and slider, renewed apart from each other."""

    def __init__(self, direction: Direction, steer: Callable[[str, float], None]) -> None:
        self.id, self.steer = direction.id, steer
        self.asked: float | None = None
        self.seen = self.shown = direction.priority
        self.words, self.promise = _pane(), _pane()
        self.slider = w.FloatSlider(
            value=direction.priority,
            min=0.0,
            max=max(HIGHEST, direction.priority),
            step=0.5,
            description="Priority",
            description_tooltip=f"Priority of the direction {direction.title[:200]}",
            continuous_update=False,
            readout_format=".1f",
            layout=w.Layout(width="auto"),
            style={"description_width": "54px"},
        )
        self.slider.observe(self._moved, names="value")
        self.box = w.HBox([self.words, self.promise, self.slider])
        self.box.add_class("jsw-row")

    def renew(self, state: SwarmState) -> None:
        """Show the direction; move the slider only where the ledger's priority is news to it."""
        direction = state.directions[self.id]
        _put(self.words, panes.line_of(direction))
        _put(self.promise, panes.promise(direction))
        self.slider.disabled = bool(direction.closed) or state.over
        if direction.priority != self.seen or self._refused(state):
            self.seen = self.shown = direction.priority
            self.asked = None
            self.slider.max = max(self.slider.max, direction.priority)
            self.slider.value = direction.priority

    def _refused(self, state: SwarmState) -> bool:
        if self.asked is None:
            return False
        mine = [each for each in state.steering.values() if each.request.target == self.id]
        return bool(mine) and mine[-1].done is False and mine[-1].request.value == self.asked

    def _moved(self, change: Any) -> None:
        if change.new != self.shown:  # else it was moved by the ledger, not by a person
            self.shown = self.asked = change.new
            self.steer(self.id, change.new)


class SwarmView:
    """A swarm as widgets. `close()` takes it off the page; the swarm goes on."""

    def __init__(self, swarm: Handle) -> None:
        self.swarm = swarm
        self.open = True
        self._feed: Feed = WATCHER.feed(swarm.workspace, swarm.name)
        self._display: Any = None
        self._over = self._feed.state.over
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
        self._panes = {name: _pane() for name in names}
        self._buttons = {
            "pause": self._button("Pause", "pause", "Start no more work; what runs may finish", self._pause),
            "resume": self._button("Resume", "play", "Go on, with a new runner where there is none", self._resume),
            "stop": self._button("Stop", "stop", "End the swarm now; findings so far stay", self._stop),
            "report": self._button("Report", "file-text-o", "Write the report notebook", self._report),
            "close": self._button("Close", "times", "Take this view away; the swarm goes on", self._close),
        }
        self._stopping = False
        self._findings, self._directions = w.VBox(), w.VBox()
        self.widget = self._laid_out()
        with self._feed.lock:
            self.renew(self._feed.state, self._feed.alive)
        free(list(self._widgets()))

    # ------------------------------------------------------------ what is asked of it

    def show(self) -> SwarmView:
        """Display it here and keep it up to date from a background thread."""
        from IPython.display import display

        self._display = display(self._bundle(), raw=True, display_id=True)
        if not self._feed.state.over:
            WATCHER.watch(self._feed, self)
        return self

    def close(self) -> None:
        """Take the view away; the swarm goes on."""
        self.open = False
        for widget in list(self._widgets()):
            widget.close()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self._bundle()

    def renew(self, state: SwarmState, alive: bool) -> None:
        """Show this state, touching only what has changed."""
        put = self._panes
        _put(put["header"], panes.header(state, alive))
        _put(put["alarm"], panes.alarm(state))
        _put(put["answer"], panes.said(state))
        _put(put["progress"], panes.progress(state))
        _put(put["chart"], panes.chart(state) if state.request else "")
        _put(put["leaders"], panes.leaders(state))
        _put(put["counts"], panes.counts(state))
        _put(put["directions"], panes.direction_count(state) if state.directions else "")
        _put(put["log"], panes.log(state))
        self._renew_findings(state)
        self._renew_directions(state)
        self._renew_buttons(state, alive)
        if state.over and not self._over:
            self._over = True
            if self._display is not None:  # so that the notebook is saved with the end, not with the beginning
                self._display.update(self._bundle(), raw=True)

    def trouble(self, words: str) -> None:
        """Say that the ledger cannot be read at present."""
        _put(self._panes["bad"], f'<div class="alert" role="alert">{panes.text(words)}</div>' if words else "")

    # ------------------------------------------------------------ parts

    def _laid_out(self) -> w.VBox:
        put, css = self._panes, w.HTML(sheet())
        css.layout.display = "none"
        tools = w.HBox([*self._buttons.values(), put["said"]])
        tools.add_class("jsw-tools")
        pair = w.HBox([put["chart"], put["leaders"]])
        pair.add_class("jsw-pair")
        parts = [put["header"], tools, put["bad"], put["alarm"], put["progress"], put["answer"], pair]
        parts += [w.VBox([put["counts"], self._findings]), w.VBox([put["directions"], self._directions]), put["log"]]
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
                self._cards[name] = _pane()
                free([self._cards[name]])
            _put(self._cards[name], panes.finding(case, state, scale))
            shown.append(self._cards[name])
        _children(self._findings, shown)

    def _renew_directions(self, state: SwarmState) -> None:
        shown = []
        for direction in panes.open_directions(state):
            row = self._rows.get(direction.id)
            if row is None:
                row = self._rows[direction.id] = Row(direction, self._weigh)
                free([row.slider, row.box])
            row.renew(state)
            shown.append(row.box)
        _children(self._directions, shown)

    def _renew_buttons(self, state: SwarmState, alive: bool) -> None:
        lost = not alive and state.phase == "running"
        paused = state.phase == "paused" or state.asked == "pause"
        wanted = {
            "pause": not state.over and not paused and not lost,
            "resume": not state.over and (paused or lost),
            "stop": not state.over and state.asked != "stop",
            "report": bool(state.baseline_values()) or state.over,
        }
        for name, usable in wanted.items():
            self._buttons[name].disabled = not usable

    # ------------------------------------------------------------ what a person does

    def _button(self, name: str, icon: str, tooltip: str, act: Callable[[], None]) -> w.Button:
        button = w.Button(description=name, icon=icon, tooltip=tooltip, layout=w.Layout(width="auto"))
        button.on_click(lambda _: self._do(act))
        return button

    def _do(self, act: Callable[[], None]) -> None:
        """Act; a mistake or a ledger that is full is said here, not lost in a log."""
        try:
            act()
        except SwarmError as error:
            self._say(str(error))
        WATCHER.soon(self._feed)

    def _say(self, words: str) -> None:
        if self.open:
            _put(self._panes["said"], f'<span class="said" role="status">{panes.text(words)}</span>')

    def _pause(self) -> None:
        self.swarm.pause()
        self._say("Pausing: what runs may finish.")

    def _resume(self) -> None:
        self.swarm.resume()
        self._say("Going on.")

    def _stop(self) -> None:
        if not self._stopping:
            self._stopping = True
            self._buttons["stop"].description = "Really stop?"
            threading.Timer(4.0, self._unask).start()
            return
        self.swarm.stop()
        self._unask()
        self._say("Stopping: findings so far stay.")

    def _unask(self) -> None:
        self._stopping = False
        if self.open:
            self._buttons["stop"].description = "Stop"

    def _report(self) -> None:
        self._say("Writing the report …")
        threading.Thread(target=self._write_report, name="jupyter-swarm-report", daemon=True).start()

    def _write_report(self) -> None:
        try:
            self._say(f"The report is at {self.swarm.report()}")
        except SwarmError as error:
            self._say(str(error))
        except Exception as error:  # a thread's exception would be seen by nobody
            self._say(f"The report could not be written: {type(error).__name__}: {error}")

    def _close(self) -> None:
        self.close()

    def _weigh(self, direction: str, priority: float) -> None:
        def act() -> None:
            self.swarm.steer(verb="priority", target=direction, value=priority)
            self._say(f"Asked for priority {priority:g}.")

        self._do(act)

    def _bundle(self) -> dict[str, Any]:
        """The widget for a live page, and the same state as HTML for a saved one."""
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
            page = panes.html(self._feed.state)
        return {"text/plain": f"SwarmView({self.swarm.name!r})", "text/html": page, **live}


def _pane() -> w.HTML:
    return w.HTML(layout=w.Layout(margin="0", width="auto"))


def _put(pane: w.HTML, content: str) -> None:
    """Renew a pane where its text has changed; an empty one takes no room."""
    wrapped = f'<div class="jsw">{content}</div>' if content else ""
    if pane.value != wrapped:
        pane.value = wrapped
        pane.layout.display = None if wrapped else "none"
    elif not wrapped and pane.layout.display != "none":
        pane.layout.display = "none"


def _children(box: w.VBox, children: list[Any]) -> None:
    if list(box.children) != children:
        box.children = tuple(children)
