"""A server with a swarm at work is not idle: culling it would end a night's work. Within an administrator's limit."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_server._tz import utcnow
from tornado.ioloop import IOLoop, PeriodicCallback

if TYPE_CHECKING:
    from jupyter_swarm.jupyter.server.extension import SwarmServer

EVERY_SECONDS = 60.0
SEARCH_SECONDS = 900.0
"""How often workspaces are looked for that nobody has asked this server about."""
KEY = "jupyter_swarm"


class Activity:
    """Tells the server that it is active while a runner works below its root."""

    def __init__(self, server: SwarmServer, every: float = EVERY_SECONDS) -> None:
        self._server = server
        self._timer = PeriodicCallback(self._look, every * 1000)
        self._searched = -SEARCH_SECONDS
        self._folders: list[Path] = []

    def start(self) -> None:
        """Look from now on, the first time after a while: nothing is slow at the server's start."""
        if IOLoop.current(instance=False) is not None:
            self._timer.start()

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    async def _look(self) -> None:
        try:
            await self._server.forget()
            working = await self.working()
        except Exception as error:  # another look comes
            self._server.log.debug("jupyter-swarm: cannot tell whether a swarm works: %s", error)
            return
        if working:
            self._server.app.web_app.settings["last_activity_times"][KEY] = utcnow()

    async def working(self) -> bool:
        """Whether a runner works on a swarm that is younger than the limit."""
        from jupyter_swarm import policy
        from jupyter_swarm.errors import SwarmError

        oldest = time.time() - 3600.0 * policy.from_environment().keepalive_hours
        now, root = time.monotonic(), self._server.root
        if now - self._searched >= SEARCH_SECONDS:
            self._searched = now
            found = (await self._server.find()).places
            self._folders = [root.fixed or root.folder / each.folder for each in found]
        for folder in dict.fromkeys([*self._server.watches.folders(), *self._folders]):
            try:
                begun = await self._server.slowly(partial(at_work, folder))
            except (SwarmError, OSError) as error:  # this one cannot be read, or has gone; another one may be at work
                self._server.log.debug("jupyter-swarm: cannot tell whether a swarm works in %s: %s", folder, error)
                continue
            if any(at > oldest for at in begun):
                return True
        return False


def at_work(folder: Path) -> list[float]:
    """When the swarms of a folder were begun on which a runner works, in seconds since 1970. Leaves no ledger open.

    Raises:
        LedgerError, WorkspaceError, OSError: its ledger cannot be read.
    """
    from jupyter_swarm import register
    from jupyter_swarm.jupyter.server.watching import PATIENCE_SECONDS
    from jupyter_swarm.workspace import Workspace

    workspace = Workspace(folder)
    workspace.patience_seconds = PATIENCE_SECONDS
    if not workspace.exists:
        return []
    try:
        names = [name for name in register.folders(workspace) if register.works(workspace, name)]
        return [record.at for name in names if (record := register.request(workspace, name)) is not None]
    finally:
        if "store" in vars(workspace):
            workspace.store.close()
