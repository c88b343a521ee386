"""The routes: one class a path. Each method says who may, parses, delegates."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from tornado.web import HTTPError, authenticated

from jupyter_swarm.jupyter.server.base import Handler

if TYPE_CHECKING:
    from jupyter_swarm.jupyter.server import words as w
    from jupyter_swarm.jupyter.server.papers import Shelf
    from jupyter_swarm.jupyter.server.watching import Watch
    from jupyter_swarm.state import Case, Row, SwarmState

MOST_EVENTS = 2_000


class About(Handler):
    """This server, what an administrator allows, what this user may do."""

    @authenticated
    @authorized("read")
    async def get(self) -> None:
        """`words.About`."""
        await self.reply(self._about())

    async def _about(self) -> w.About:
        import time

        from jupyter_swarm import policy
        from jupyter_swarm.jupyter.server import words as w
        from jupyter_swarm.version import __version__

        house, root = policy.from_environment(), self.server.root
        open_to = not house.read_only
        return w.About(
            version=__version__,
            at=time.time(),
            limits=w.Limits(
                read_only=house.read_only,
                models=list(house.models),
                agents=house.agents,
                workers=house.workers,
                seconds=house.seconds,
                experiments=house.experiments,
                dollars=house.dollars,
                tokens=house.tokens,
                network=house.network,
                unsafe=house.unsafe,
                gpus=house.gpus,
                upload_bytes=self.server.upload_bytes,
            ),
            folder="",
            fixed=root.fixed is not None,
            writes=open_to and await self.may("write"),
            executes=open_to and await self.may("execute"),
        )


class Workspaces(Handler):
    """Folders below the root that have a workspace."""

    @authenticated
    @authorized("read")
    async def get(self) -> None:
        """`words.Places`."""
        await self.reply(self.server.find())


class Swarms(Handler):
    """The list of a workspace's swarms; waits for news."""

    @authenticated
    @authorized("read")
    async def get(self) -> None:
        """`words.Briefs`."""
        after, ledger, wait = int(self.number("after")), self.text("ledger"), self.wait
        await self.reply(self._briefs(after, ledger, wait), waits=wait > 0)

    async def _briefs(self, after: int, ledger: str, wait: float) -> bytes:
        return await self.watch().briefs(after, ledger, wait)


class Swarm(Handler):
    """One swarm: what is new since a cursor; waits for news."""

    @authenticated
    @authorized("read")
    async def get(self, name: str) -> None:
        """`words.Changes`."""
        after, ledger, wait = int(self.number("after")), self.text("ledger"), self.wait
        alive = {"0": False, "1": True}.get(self.text("alive"))
        await self.reply(self._changes(name, after, ledger, alive, wait), waits=wait > 0)

    async def _changes(self, name: str, after: int, ledger: str, alive: bool | None, wait: float) -> bytes:
        return await self.watch().changes(name, after, ledger, alive, wait)


class Events(Handler):
    """The ledger's records of one swarm, as they are kept; waits for news."""

    @authenticated
    @authorized("read")
    async def get(self, name: str) -> None:
        """`words.Events`."""
        after, wait = int(self.number("after")), self.wait
        limit = int(self.number("limit", 500, MOST_EVENTS))
        await self.reply(self._events(name, after, limit, wait), waits=wait > 0)

    async def _events(self, name: str, after: int, limit: int, wait: float) -> bytes:
        watch = self.watch()
        mirror = await watch.mirror(name)
        await watch.until(lambda: watch.mirrors.get(name) is not mirror or mirror.cursor > after, wait)
        mirror = await watch.mirror(name, patient=True)
        return await watch.run(lambda: mirror.events(after, limit, watch.ledger))


class OfSwarm(Handler):
    """Base of what shows one thing of a swarm."""

    async def found(self, name: str, at: Callable[[SwarmState], Any]) -> Any:
        """Something of a swarm's state."""
        watch = self.watch()
        mirror = await watch.mirror(name)
        return await watch.run(lambda: mirror.look(at))


class Hypothesis(OfSwarm):
    """A hypothesis, with its code and the evidence."""

    @authenticated
    @authorized("read")
    async def get(self, name: str, id: str) -> None:
        """`words.Hypothesis`."""
        from jupyter_swarm.jupyter.server import cards

        await self.reply(self.found(name, lambda state: cards.hypothesis(state, _case(state, id))))


class Run(OfSwarm):
    """A run, with its code and what came of it."""

    @authenticated
    @authorized("read")
    async def get(self, name: str, number: str) -> None:
        """`words.Run`."""
        from jupyter_swarm.jupyter.server import cards

        await self.reply(self.found(name, lambda state: cards.run(state, _row(state, number))))


class Notebook(OfSwarm):
    """A run's executed notebook."""

    @authenticated
    @authorized("read")
    async def get(self, name: str, number: str) -> None:
        """The notebook, as JSON."""
        await self.reply(self._content(name, number))

    @authenticated
    @authorized("write")
    async def post(self, name: str, number: str) -> None:
        """Copy it beside the person's notebooks, never over another file: `words.Written`."""
        await self.reply(self._copied(name, number))

    async def _content(self, name: str, number: str) -> bytes:
        from jupyter_swarm.errors import UsageError
        from jupyter_swarm.experiments.records import executed

        watch = self.watch()
        row = await self.found(name, lambda state: _row(state, number))
        path, home = row.run.notebook if row.run is not None else "", watch.workspace.root
        inside = bool(path) and (home / path).resolve().is_relative_to(home.resolve())
        content = await watch.run(lambda: executed.body(home, path)) if inside else None
        if content is None:
            why = (row.run.message if row.run else "it has not finished") or "it was freed by clean, or never written"
            raise UsageError(f"run {number} of {name} has no notebook", where=why[:200], cure="another run")
        return bytes(content)

    async def _copied(self, name: str, number: str) -> w.Written:
        from jupyter_swarm import policy
        from jupyter_swarm.jupyter.actions import beside

        policy.from_environment().check_open("to write a notebook")
        content, watch = await self._content(name, number), self.watch()
        path = await watch.run(lambda: beside(content, watch.folder / f"{name}-run-{int(number)}.ipynb"))
        return self.server.written(path)


class Requests(Handler):
    """What a person asks of a swarm."""

    @authenticated
    @authorized("write")
    async def post(self, name: str) -> None:
        """An `words.Ask`, once for each id: `words.Taken`. To resume starts a process, as does to stop what has no
        runner: both need "execute"."""
        from jupyter_swarm.jupyter.server import words as w

        asked = self.read(w.Ask)
        if asked.verb == "resume" and not await self.may("execute"):
            raise HTTPError(403, "you may not start processes here")
        await self.reply(self._taken(name, asked))

    async def _taken(self, name: str, asked: w.Ask) -> w.Taken:
        watch, starts = self.watch(), await self.may("execute")
        if asked.verb == "stop" and not starts and not (await watch.mirror(name)).alive:
            raise HTTPError(403, "no runner is at work that could end it, and you may not start processes here")
        found: w.Taken = await self.server.desk.take(watch, name, asked, starts=starts)
        return found


class Report(Handler):
    """The report notebook."""

    @authenticated
    @authorized("execute")
    async def post(self, name: str) -> None:
        """Write it: `words.Written`."""
        await self.reply(self._written(name))

    async def _written(self, name: str) -> w.Written:
        from jupyter_swarm import policy, report

        policy.from_environment().check_open("to write a report")
        watch = self.watch()
        mirror = await watch.mirror(name)
        path = await self.server.slowly(lambda: report.write(mirror.workspace, name))
        return self.server.written(path)


class Papers(Handler):
    """The library."""

    @authenticated
    @authorized("read")
    async def get(self) -> None:
        """`words.Papers`."""
        await self.reply(self._listed())

    @authenticated
    @authorized("execute")
    async def post(self) -> None:
        """Add `words.Sources`: `words.Additions`."""
        from jupyter_swarm.jupyter.server import words as w

        await self.reply(self._added(self.read(w.Sources).sources))

    async def _listed(self) -> w.Papers:
        watch = self.watch()
        shelf = self.server.libraries.of(watch.workspace)
        return await self.server.slowly(shelf.listed)

    async def _added(self, sources: list[str]) -> w.Additions:
        from jupyter_swarm import policy
        from jupyter_swarm.jupyter.server import papers

        policy.from_environment().check_open("to add papers")
        watch = self.watch()
        root = self.server.root
        checked = await self.server.slowly(lambda: [root.source(watch.folder, each) for each in sources])
        return await papers.add(watch.workspace, checked)


class Search(Handler):
    """Searching the library."""

    @authenticated
    @authorized("read")
    async def get(self) -> None:
        """`words.Hits` for the query `q`."""
        await self.reply(_of_library(self, lambda shelf: shelf.search(self.text("q"))))


class Paper(Handler):
    """A paper to read."""

    @authenticated
    @authorized("read")
    async def get(self, paper: str) -> None:
        """`words.Text`, from `start` to `end`."""
        start, end = int(self.number("start")), int(self.number("end"))
        await self.reply(_of_library(self, lambda shelf: shelf.text(paper, start, end)))


class Upload(Handler):
    """A file that was dropped on the panel."""

    @property
    def most_bytes(self) -> int:
        """What an administrator allows."""
        return self.server.upload_bytes

    @authenticated
    @authorized("execute")
    async def put(self, filename: str) -> None:
        """Keep it beside the notebooks, and add it: `words.Additions`."""
        await self.reply(self._kept(filename))

    async def _kept(self, filename: str) -> w.Additions:
        from jupyter_swarm import policy
        from jupyter_swarm.jupyter.server import papers

        policy.from_environment().check_open("to add papers")
        watch, body = self.watch(), self.body
        kept = await self.server.slowly(lambda: papers.keep(watch.workspace, filename, body))
        return await papers.add(watch.workspace, [kept])


class Description(Handler):
    """What all this is, for programs."""

    @authenticated
    @authorized("read")
    async def get(self) -> None:
        """The OpenAPI document."""
        from jupyter_swarm.jupyter.server import openapi

        self.finish(json.dumps(openapi.document()))


async def _of_library(handler: Handler, do: Callable[[Shelf], Any]) -> Any:
    watch: Watch = handler.watch()
    shelf = handler.server.libraries.of(watch.workspace)
    return await handler.server.slowly(lambda: do(shelf))


def _case(state: SwarmState, id: str) -> Case:
    from jupyter_swarm.errors import UsageError

    if id not in state.cases:
        raise UsageError(f"there is no hypothesis {id[:40]!r}", cure="one of the list")
    return state.cases[id]


def _row(state: SwarmState, number: str) -> Row:
    from jupyter_swarm.errors import UsageError

    row = state.rows.get(int(number))
    if row is None:
        raise UsageError(f"there is no run {number}", cure=f"runs are numbered 1 to {max(state.rows, default=0)}")
    return row


NAME = r"([A-Za-z][A-Za-z0-9_.-]{0,63})"
ROUTES: tuple[tuple[str, type[Handler]], ...] = (
    (r"about", About),
    (r"workspaces", Workspaces),
    (r"swarms", Swarms),
    (rf"swarms/{NAME}", Swarm),
    (rf"swarms/{NAME}/events", Events),
    (rf"swarms/{NAME}/hypotheses/([^/]{{1,64}})", Hypothesis),
    (rf"swarms/{NAME}/runs/(\d{{1,9}})", Run),
    (rf"swarms/{NAME}/runs/(\d{{1,9}})/notebook", Notebook),
    (rf"swarms/{NAME}/requests", Requests),
    (rf"swarms/{NAME}/report", Report),
    (r"papers", Papers),
    (r"papers/search", Search),
    (r"papers/([0-9a-f]{16})", Paper),
    (r"papers/files/([^/]{1,600})", Upload),
    (r"openapi.json", Description),
)
