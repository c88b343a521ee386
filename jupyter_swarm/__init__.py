"""A swarm of agents for a notebook cell: vary, tune, read, verify.

    %load_ext jupyter_swarm                     # in a notebook
    jupyter swarm run cell.py --maximize score  # in a terminal

    from jupyter_swarm import Swarm, Workspace  # in a program
    swarm = Swarm.start("score = f(x)", maximize="score", budget="60s", namespace=globals())
    swarm.wait()
    print(swarm.result()["findings"])

Importing it costs next to nothing: each name is loaded when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_swarm.version import __version__

if TYPE_CHECKING:
    from jupyter_swarm.api import Swarm
    from jupyter_swarm.within import checkpoints, log
    from jupyter_swarm.workspace import Workspace

__all__ = ["Swarm", "Workspace", "__version__", "checkpoints", "log"]


def load_ipython_extension(ipython: Any) -> None:
    """Register `%swarm` and `%%swarm`: what `%load_ext jupyter_swarm` calls."""
    from jupyter_swarm.jupyter.magics import load

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """Take the magics back; swarms that run go on."""
    from jupyter_swarm.jupyter.magics import unload

    unload(ipython)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """What a Jupyter server loads: the routes behind the panel."""
    return [{"module": "jupyter_swarm.jupyter.server.extension"}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where the panel is built, and JupyterLab's name for it: what `jupyter-builder develop` asks for."""
    return [{"src": "labextension", "dest": "jupyter-swarm"}]


def __getattr__(name: str) -> Any:
    if name == "Swarm":
        from jupyter_swarm.api import Swarm

        return Swarm
    if name == "Workspace":
        from jupyter_swarm.workspace import Workspace

        return Workspace
    if name in ("checkpoints", "log"):
        from jupyter_swarm import within

        return getattr(within, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
