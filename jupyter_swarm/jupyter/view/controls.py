"""What a person presses and moves, and how it says so when the kernel cannot hear it.

A front end sends a click to the kernel as a message. A kernel that runs a cell reads it when the cell is over, unless
the front end uses a subshell (ipykernel 7 with JupyterLab 4.4 or Notebook 7.4, and later). Nothing of ours runs
meanwhile, so that the page itself has to tell: a button stays pressed until the kernel has heard it, and the style
sheet shows the note beside whatever has been pressed, or moved away from the value that the kernel knows, for a second.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as w

from jupyter_swarm.jupyter.view import panes
from jupyter_swarm.state import Direction, SwarmState
from jupyter_swarm.workspace import Workspace

HIGHEST, STEP = 5.0, 0.5
"""Of the slider for a priority."""
PATIENCE_SECONDS = 4.0
"""How long "Really stop?" is there."""


def command(workspace: Workspace, *words: str) -> str:
    """How a terminal in the notebook's folder says it.

    >>> command(Workspace("."), "pause", "wine")
    'jupyter swarm pause wine'
    >>> command(Workspace("/data/my study"), "pause", "wine")
    "jupyter swarm pause wine --workspace '/data/my study'"
    """
    place = () if workspace.folder == Path.cwd() else ("--workspace", str(workspace.folder))
    return shlex.join(["jupyter", "swarm", *words, *place])


def pane(content: str = "") -> w.HTML:
    """A piece of the page; an empty one takes no room."""
    made = w.HTML(layout=w.Layout(margin="0", width="auto"))
    put(made, content)
    return made


def put(shown: w.HTML, content: str) -> None:
    """Renew a pane where its text has changed."""
    wrapped = f'<div class="jsw">{content}</div>' if content else ""
    if shown.value != wrapped:
        shown.value = wrapped
    display = None if wrapped else "none"
    if shown.layout.display != display:
        shown.layout.display = display


def _queued(terminal: str) -> str:
    """The note beside something that waits for the kernel."""
    now = f" In a terminal in this folder, at once: <code>{panes.text(terminal)}</code>" if terminal else ""
    return f'<span role="status"><b>Queued</b> until the running cell ends.{now}</span>'


class Press:
    """A button that stays pressed, whatever else is pressed, until the kernel has heard it.

    It is a choice among one, since a page itself turns the choice on and never off again.

    Args:
        label, icon, tooltip: what it shows.
        act: called each time the kernel hears it.
        terminal: the command that does the same; "" where there is none.
        stays: whether it goes on being pressed until `release`; it shows no note then.
    """

    def __init__(
        self, label: str, icon: str, tooltip: str, act: Callable[[], object], *, terminal: str = "", stays: bool = False
    ) -> None:
        self._act, self._stays = act, stays
        self.button = w.ToggleButtons(
            options=[label], index=None, icons=[icon], tooltips=[tooltip], layout=w.Layout(width="auto", margin="0")
        )
        self.button.style.button_width = "auto"
        self.button.observe(self._heard, names="index")
        self.note = pane("" if stays else _queued(terminal))
        self.note.add_class("jsw-queued")
        self.box = w.HBox([self.button, self.note])
        self.box.add_class("jsw-press")

    def usable(self, yes: bool) -> None:
        """Let it be pressed, or not."""
        self.button.disabled = not yes

    def release(self) -> None:
        """Show it as not pressed."""
        self.button.index = None

    def _heard(self, change: Any) -> None:
        if change.new is None:
            return
        if not self._stays:
            self.release()
        self._act()


class Row:
    """A direction: words, promise and slider, renewed apart from each other."""

    def __init__(self, direction: Direction, workspace: Workspace, name: str, steer: Callable[[str, float], None]):
        self.id, self.steer = direction.id, steer
        self.asked: float | None = None
        self.seen = self.shown = direction.priority
        self.words, self.promise, self.note = pane(), pane(), pane()
        self.note.add_class("jsw-queued")
        self.slider = w.FloatSlider(
            value=direction.priority,
            min=0.0,
            max=max(HIGHEST, direction.priority),
            step=STEP,
            description="Priority",
            tooltip=f"Priority of the direction {direction.title[:200]}",
            continuous_update=False,
            readout_format=".1f",
            layout=w.Layout(width="auto"),
            style={"description_width": "54px"},
        )
        self.slider.observe(self._moved, names="value")
        self.box = w.HBox([self.words, self.promise, self.slider, self.note])
        self._terminal = command(workspace, "steer", name, direction.id, "--priority", "N")
        self._class = f"jsw-{self.box.model_id}"
        for each in ("jsw-row", self._class):
            self.box.add_class(each)
        self._say_known()

    def renew(self, state: SwarmState) -> None:
        """Show the direction; move the slider only where the ledger's priority is news to it."""
        direction = state.directions[self.id]
        put(self.words, panes.line_of(direction))
        put(self.promise, panes.promise(direction))
        self.slider.disabled = bool(direction.closed) or state.over
        if direction.priority != self.seen or self._refused(state):
            self.seen = self.shown = direction.priority
            self.asked = None
            self.slider.max = max(self.slider.max, direction.priority)
            self.slider.value = direction.priority
            self._say_known()

    def back(self) -> None:
        """It could not be asked for: stand where the ledger says."""
        self.asked, self.shown = None, self.seen
        self.slider.value = self.seen
        self._say_known()

    def _refused(self, state: SwarmState) -> bool:
        if self.asked is None:
            return False
        mine = [each for each in state.steering.values() if each.request.target == self.id]
        return bool(mine) and mine[-1].done is False and mine[-1].request.value == self.asked

    def _moved(self, change: Any) -> None:
        if change.new != self.shown:  # else it was moved by the ledger, not by a person
            self.shown = self.asked = change.new
            self._say_known()
            self.steer(self.id, change.new)

    def _say_known(self) -> None:
        """Tell the page the value that the kernel knows: a handle that stays anywhere else is queued."""
        if self.shown % STEP:  # the page shows a step beside it, and nobody has moved it there
            put(self.note, "")
            return
        moved = f'.noUi-handle:not(.noUi-active):not([aria-valuenow="{self.shown:.1f}"])'
        rule = f".{self._class}:has({moved}) .jsw-queued{{animation:jsw-queued 0s 1s forwards}}"
        put(self.note, f"<style>{rule}</style>{_queued(self._terminal)}")


class Stop:
    """Stop, and the question whether one means it; the page asks it, so that both are heard after a busy time."""

    def __init__(self, act: Callable[[], object], terminal: str, later: Callable[[float, Callable[[], None]], None]):
        self._stop, self._later = act, later
        self.first = Press("Stop", "stop", "End the swarm now; findings so far stay", self._ask, stays=True)
        self.really = Press("Really stop?", "", "Yes: findings so far stay", self._mean_it, terminal=terminal)
        self.really.box.add_class("jsw-really")
        self.box = w.HBox([self.first.box, self.really.box])
        self.box.add_class("jsw-stop")

    def usable(self, yes: bool) -> None:
        """Let it be pressed, or not."""
        self.first.usable(yes)

    def _ask(self) -> None:
        self._later(PATIENCE_SECONDS, self.first.release)

    def _mean_it(self) -> None:
        self.first.release()
        self._stop()
