"""The live view of a swarm in a notebook, and the same state as static HTML.

    show(swarm)    displays widgets that keep themselves up to date, whatever cell is running
    html(state)    the state on one page, pure text

ipywidgets is imported by `show` alone, and where somebody may look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_swarm.jupyter.view.live import Handle, SwarmView
    from jupyter_swarm.jupyter.view.picture import Picture
    from jupyter_swarm.state import SwarmState

__all__ = ["html", "show"]


def show(swarm: Handle) -> SwarmView | Picture:
    """Display a swarm here, live (as HTML alone in a notebook that nobody watches); returns at once."""
    from jupyter_swarm.jupyter.view.picture import Picture, attended

    if not attended():
        return Picture(swarm).show()
    from jupyter_swarm.jupyter.view.live import SwarmView

    return SwarmView(swarm).show()


def html(state: SwarmState) -> str:
    """The state as one page of HTML, without widgets or scripts, every word of others escaped."""
    from jupyter_swarm.jupyter.view import panes

    return panes.html(state)
