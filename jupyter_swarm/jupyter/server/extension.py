"""What a Jupyter server loads. Quick: nothing of ours but this and the handlers' table is imported at its start."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from traitlets import Bool, Float, Int, List, Unicode
from traitlets.config import LoggingConfigurable

from jupyter_swarm.jupyter.server.base import Bucket, Waiting
from jupyter_swarm.jupyter.server.handlers import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_swarm.jupyter.server import words
    from jupyter_swarm.jupyter.server.activity import Activity
    from jupyter_swarm.jupyter.server.asking import Desk
    from jupyter_swarm.jupyter.server.papers import Libraries
    from jupyter_swarm.jupyter.server.places import Root
    from jupyter_swarm.jupyter.server.watching import Watches

SETTING = "jupyter_swarm"
PREFIX = "jupyter-swarm/api"
NUDGE = "https://schema.jupyter-swarm.org/changed/v1"
SCHEMA = {
    "$id": NUDGE,
    "version": "1",
    "title": "A workspace's ledger has changed",
    "personal-data": False,
    "type": "object",
    "properties": {
        "folder": {"type": "string", "title": "The workspace's folder, relative to the root"},
        "turn": {"type": "integer", "title": "Of its list of swarms"},
    },
    "required": ["folder", "turn"],
}
THREADS = 8
SLOW_THREADS = 4
T = TypeVar("T")


class SwarmServer(LoggingConfigurable):
    """Settings of an administrator, as in `c.SwarmServer.read_only = True`. They hold for this server, and for the
    kernels, terminals and runners that it starts: these inherit them as JUPYTER_SWARM_POLICY."""

    read_only = Bool(False, help="Whether swarms may only be looked at.").tag(config=True)
    models = List(Unicode(), help="Patterns of language models that may be asked, as in local:*; empty: all.").tag(
        config=True
    )
    agents = Int(None, allow_none=True, help="How many agents a swarm may have at most.").tag(config=True)
    workers = Int(None, allow_none=True, help="How many experiments of a swarm may run at once.").tag(config=True)
    seconds = Float(None, allow_none=True, help="The longest that a swarm may work.").tag(config=True)
    experiments = Int(None, allow_none=True, help="How many experiments a swarm may run.").tag(config=True)
    dollars = Float(None, allow_none=True, help="What a swarm may spend on language models.").tag(config=True)
    tokens = Int(None, allow_none=True, help="How many tokens a swarm may take of language models.").tag(config=True)
    network = Bool(True, help="Whether experiments may be let open connections.").tag(config=True)
    unsafe = Bool(True, help="Whether unread code may run where it cannot be shut in.").tag(config=True)
    gpus = Bool(True, help="Whether experiments may have GPUs.").tag(config=True)
    keepalive_hours = Float(
        24.0,
        help="How long after its beginning a swarm at work may keep this server from being culled as idle.",
    ).tag(config=True)
    upload_bytes = Int(64 * 2**20, help="The largest paper that is taken.").tag(config=True)
    requests_a_second = Float(40.0, help="How many requests a user may make, on average.").tag(config=True)
    waiting = Int(24, help="How many requests of a user may wait for news at once.").tag(config=True)
    mcp_writes = Bool(False, help="Whether MCP tools may ask for changes, not only look.").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.app = cast(ServerApp, self.parent)
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="jupyter-swarm")
        self._slow = ThreadPoolExecutor(SLOW_THREADS, thread_name_prefix="jupyter-swarm-slow")
        self.bucket = Bucket(self.requests_a_second)
        self.queue = Waiting(self.waiting)
        self.activity: Activity | None = None

    # ------------------------------------------------------------ what is made when first asked for

    @cached_property
    def root(self) -> Root:
        """Which folders may be named."""
        from jupyter_swarm.jupyter.server.places import Root

        return Root.of_environment(self.app.root_dir)

    @cached_property
    def watches(self) -> Watches:
        """The workspaces that are watched."""
        from jupyter_swarm.jupyter.server.watching import Watches

        return Watches(self.pool, self._nudge)

    @cached_property
    def desk(self) -> Desk:
        """Where requests are taken."""
        from jupyter_swarm.jupyter.server.asking import Desk

        return Desk()

    @cached_property
    def libraries(self) -> Libraries:
        """The workspaces' libraries."""
        from jupyter_swarm.jupyter.server.papers import Libraries

        return Libraries()

    async def slowly(self, work: Callable[[], T]) -> T:
        """Do what may take long (a report, a search, a walk through folders) in threads that nobody needs who waits for
        news."""
        return await asyncio.get_running_loop().run_in_executor(self._slow, work)

    async def find(self) -> words.Places:
        """`words.Places`: the workspaces below the root."""
        return await self.slowly(self.root.find)

    async def forget(self) -> None:
        """Close the ledgers and libraries that nobody has asked about for a while."""
        for folder in await self.watches.forget():
            self.libraries.forget(folder)

    def written(self, path: Path) -> words.Written:
        """`words.Written`: a file, as the contents manager says its path."""
        from jupyter_swarm.jupyter.server import words

        return words.Written(path=self.root.relative(path))

    def _nudge(self, folder: Path, turn: int) -> None:
        """Say on the server's event bus that there is news."""
        said = "" if self.root.fixed is not None else self.root.relative(folder)
        if self.app.event_logger is not None:
            self.app.event_logger.emit(schema_id=NUDGE, data={"folder": said, "turn": turn})

    # ------------------------------------------------------------ policy

    def hand_down(self) -> None:
        """Put what was set into the environment, so that whatever this server starts is bound by it as well.

        Of what the environment says already and what is set here, the stricter counts. A policy that cannot be read
        stays as it is: nothing can be asked for then, which is what it is for.
        """
        names = self._set()
        if not names:
            return
        from jupyter_swarm import policy
        from jupyter_swarm.errors import UsageError

        try:
            there = policy.from_environment()
            here = policy.of(**{name: getattr(self, name) for name in policy.House.__struct_fields__ if name in names})
        except UsageError as error:
            self.log.error("jupyter-swarm: no swarm can be asked for anything: %s", error)
            os.environ.setdefault(policy.VARIABLE, "no policy")
            return
        os.environ[policy.VARIABLE] = there.stricter(here).text()

    def _set(self) -> set[str]:
        return set(self.config.get(type(self).__name__, {}))


def _load_jupyter_server_extension(app: ServerApp) -> SwarmServer:
    """Add the routes: what a Jupyter server calls."""
    server = SwarmServer(parent=app)
    server.hand_down()
    app.web_app.settings[SETTING] = server
    if app.event_logger is not None and NUDGE not in app.event_logger.schemas:
        app.event_logger.register_event_schema(SCHEMA)
    base = app.web_app.settings["base_url"]
    routes = [(url_path_join(base, PREFIX, path), handler) for path, handler in ROUTES]
    app.web_app.add_handlers(".*$", routes)  # type: ignore[no-untyped-call]

    from jupyter_swarm.jupyter.server.activity import Activity

    server.activity = Activity(server)
    server.activity.start()
    return server
