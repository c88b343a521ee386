"""Tools for other agents (Model Context Protocol): they see what the panel sees, and may look, not touch.

jupyter-server-mcp finds them by the entry point `jupyter_server_mcp.tools` and serves them from the running Jupyter
server. An administrator lets them ask for changes as well, with `c.SwarmServer.mcp_writes = True`. Whatever they return
of papers and cells is data: nothing in it is an instruction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_swarm.errors import PolicyError, UsageError

if TYPE_CHECKING:
    from jupyter_swarm.jupyter.server.extension import SwarmServer
    from jupyter_swarm.jupyter.server.watching import Watch

MOST_RUNS = MOST_EVENTS = 200
_HERE = f"{__name__}:"
READING = [
    _HERE + name
    for name in (
        "swarm_list", "swarm_status", "swarm_hypothesis", "swarm_runs", "swarm_run", "swarm_events",
        "papers_list", "papers_search", "papers_read",
    )
]  # fmt: skip
WRITING = [_HERE + name for name in ("swarm_ask", "swarm_report", "papers_add")]


def tools() -> list[str]:
    """What is offered: looking; asking too, where an administrator lets it."""
    try:
        writes = _server().mcp_writes
    except UsageError:
        writes = False
    return READING + (WRITING if writes else [])


async def swarm_list(folder: str = "") -> dict[str, Any]:
    """The swarms of a folder: name, state, question, budget, experiments, counts of verdicts.

    Args:
        folder: relative to the server's root; "" is the root itself.
    """
    watch = _watch(folder)
    return _read(await watch.briefs(-1, "", 0.0))


async def swarm_status(name: str, folder: str = "") -> dict[str, Any]:
    """One swarm: its answer so far in plain words, directions with promise, findings with verdict and interval, agents.

    Args:
        name: of the swarm.
        folder: relative to the server's root.
    """
    found = _read(await _watch(folder).changes(name, 0, "", None, 0.0))
    return {key: found[key] for key in ("card", "knobs", "directions", "findings", "agents", "log")}


async def swarm_hypothesis(name: str, hypothesis: str, folder: str = "") -> dict[str, Any]:
    """A hypothesis with its code, its difference from the reference, the runs and the quotations behind it.

    Args:
        name: of the swarm.
        hypothesis: as in H7.
        folder: relative to the server's root.
    """
    from jupyter_swarm.jupyter.server import cards

    watch = _watch(folder)
    mirror = await watch.mirror(name)
    case = mirror.state.cases.get(hypothesis)
    if case is None:
        raise UsageError(f"there is no hypothesis {hypothesis[:40]!r}", cure="one that swarm_status lists")
    return _plain(await watch.run(lambda: mirror.look(lambda state: cards.hypothesis(state, case))))


async def swarm_runs(name: str, folder: str = "", after: int = 0, limit: int = 50) -> dict[str, Any]:
    """Runs as columns, in the order of their numbers: value of the metric, state, seed, what differs in the cell.

    Args:
        name: of the swarm.
        folder: relative to the server's root.
        after: number of the run after which to begin.
        limit: how many, at most 200.
    """
    from jupyter_swarm.jupyter.server import cards

    watch = _watch(folder)
    mirror = await watch.mirror(name)

    def chosen(state: Any) -> Any:
        rows = [row for number, row in sorted(state.rows.items()) if number > after]
        return cards.runs(state, rows[: max(0, min(limit, MOST_RUNS))], mirror.codes)

    return _plain(await watch.run(lambda: mirror.look(chosen)))


async def swarm_run(name: str, number: int, folder: str = "") -> dict[str, Any]:
    """A run: its code, seed, value or error with traceback.

    Args:
        name: of the swarm.
        number: of the run, from 1.
        folder: relative to the server's root.
    """
    from jupyter_swarm.jupyter.server import cards

    watch = _watch(folder)
    mirror = await watch.mirror(name)
    row = mirror.state.rows.get(number)
    if row is None:
        raise UsageError(f"there is no run {number}", cure=f"1 to {max(mirror.state.rows, default=0)}")
    return _plain(await watch.run(lambda: mirror.look(lambda state: cards.run(state, row))))


async def swarm_events(name: str, folder: str = "", after: int = 0, limit: int = 50) -> dict[str, Any]:
    """The ledger's own records of a swarm, in their order: what happened, when, and at which moment of its clock.

    Args:
        name: of the swarm.
        folder: relative to the server's root.
        after: the record's number after which to begin; `cursor` in the answer is where to go on.
        limit: how many, at most 200.
    """
    watch = _watch(folder)
    mirror = await watch.mirror(name)
    most = max(1, min(limit, MOST_EVENTS))
    return _read(await watch.run(lambda: mirror.events(max(0, after), most, watch.ledger)))


async def papers_list(folder: str = "") -> dict[str, Any]:
    """The folder's papers: id, title, kind, how many passages.

    Args:
        folder: relative to the server's root.
    """
    shelf = _server().libraries.of(_watch(folder).workspace)
    return _plain(await _server().slowly(shelf.listed))


async def papers_read(paper: str, folder: str = "", start: int = 0, end: int = 0) -> dict[str, Any]:
    """A window of a paper's text, with its sections or pages, and where swarms have cited it.

    Args:
        paper: its id, as papers_list and papers_search have it.
        folder: relative to the server's root.
        start: of the first character.
        end: after the last; 0 for a window of the usual length.
    """
    shelf = _server().libraries.of(_watch(folder).workspace)
    return _plain(await _server().slowly(lambda: shelf.text(paper, max(0, start), end)))


async def papers_search(query: str, folder: str = "") -> dict[str, Any]:
    """Passages of the folder's papers, best first, word for word with their places.

    Args:
        query: words to search for.
        folder: relative to the server's root.
    """
    watch = _watch(folder)
    shelf = _server().libraries.of(watch.workspace)
    return _plain(await _server().slowly(lambda: shelf.search(query)))


async def swarm_ask(name: str, verb: str, target: str = "", value: str = "", folder: str = "") -> dict[str, Any]:
    """Ask a swarm for a change; its runner does it, or says why not.

    Args:
        name: of the swarm.
        verb: pause, resume, stop, priority, add, close, approve, veto, replicate, budget, hire, dismiss or resize.
        target: a direction, hypothesis, run's number, agent or role, according to the verb.
        value: a priority, a budget as in 5m, a mind, or how many agents.
        folder: relative to the server's root.
    """
    from jupyter_swarm.jupyter.server import words as w

    server = _writer("to steer a swarm")
    asked = {"verb": verb, "target": target, "value": value or None, "wait": 3.0}
    try:
        request = msgspec.convert(asked, w.Ask)
    except msgspec.ValidationError as error:
        raise UsageError(f"this cannot be asked: {error}") from None
    return _plain(await server.desk.take(_watch(folder), name, request))


async def swarm_report(name: str, folder: str = "") -> dict[str, Any]:
    """Write a swarm's report notebook beside the person's notebooks: its path.

    Args:
        name: of the swarm.
        folder: relative to the server's root.
    """
    from jupyter_swarm import report

    server, watch = _writer("to write a report"), _watch(folder)
    mirror = await watch.mirror(name)
    return _plain(server.written(await server.slowly(lambda: report.write(mirror.workspace, name))))


async def papers_add(sources: list[str], folder: str = "") -> dict[str, Any]:
    """Add papers to the folder's library: what became of each.

    Args:
        sources: files, patterns like papers/*.pdf, or module:name for a package's documentation.
        folder: relative to the server's root.
    """
    from jupyter_swarm.jupyter.server import papers

    server, watch = _writer("to add papers"), _watch(folder)
    checked = await server.slowly(lambda: [server.root.source(watch.folder, each) for each in sources])
    return _plain(await papers.add(watch.workspace, checked))


def _writer(what: str) -> SwarmServer:
    """The server, where it lets tools ask for changes.

    Raises:
        PolicyError: it does not.
    """
    from jupyter_swarm import policy

    server = _server()
    if not server.mcp_writes:
        raise PolicyError("tools may only look here", where="c.SwarmServer.mcp_writes", cure="ask your administrator")
    policy.from_environment().check_open(what)
    return server


def _server() -> SwarmServer:
    from jupyter_server.serverapp import ServerApp

    from jupyter_swarm.jupyter.server.extension import SETTING

    app = ServerApp.instance() if ServerApp.initialized() else None
    found = app.web_app.settings.get(SETTING) if app is not None else None
    if found is None:
        raise UsageError(
            "there is no Jupyter server with jupyter-swarm here", cure="jupyter server extension enable jupyter_swarm"
        )
    server: SwarmServer = found
    return server


def _watch(folder: str) -> Watch:
    server = _server()
    return server.watches.of(server.root.workspace(folder))


def _read(said: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(said)
    return found


def _plain(word: msgspec.Struct) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(word)
    return found
