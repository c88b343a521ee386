"""How these tests talk to a server: every answer is held against the OpenAPI document, whatever the test is about."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from jsonschema import Draft202012Validator

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "jupyter"))
import logs
from serving import Served, serving

from jupyter_swarm import events as e
from jupyter_swarm.jupyter.server.openapi import document
from jupyter_swarm.workspace import Workspace

__all__ = ["Api", "Served", "asked", "at_once", "begun", "logs", "played", "server", "short", "timed", "unfinished"]
DOCUMENT = document()
OTHERS = ("jupyterlab", "notebook", "notebook_shim", "jupyter_lsp", "jupyter_server_terminals")
PREFIX = "/jupyter-swarm/api/"
PATTERNS = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in DOCUMENT["paths"]]


@cache
def validator(name: str) -> Draft202012Validator:
    """Of a schema among the document's components."""
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]})


def check(response: httpx.Response) -> None:
    """Whether an answer is what the document says of it.

    Raises:
        AssertionError, ValidationError: it is not.
    """
    response.read()
    path = "/" + response.request.url.path.partition(PREFIX)[2]
    literal = [known for pattern, known in PATTERNS if pattern.fullmatch(path)]
    if not literal or response.request.method in ("OPTIONS", "HEAD"):
        return
    known = path if path in literal else literal[0]
    assert response.headers["Content-Type"].startswith("application/json"), response.headers
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    operation = DOCUMENT["paths"][known].get(response.request.method.lower())
    if operation is None or response.status_code == 500:
        return
    said = operation["responses"].get(str(response.status_code))
    assert said is not None, f"{response.status_code} of {known} is not in the document: {response.text[:300]}"
    schema = said["content"]["application/json"].get("schema")
    if schema:
        validator(schema["$ref"].rpartition("/")[2]).validate(response.json())


class Api(httpx.Client):
    """A client of one server that has the token, unless told otherwise.

    Args:
        served: the server.
        base: its base URL's path.
        token: another one; "" for none.
        patience: seconds for an answer.
    """

    def __init__(self, served: Served, *, base: str = "/", token: str | None = None, patience: float = 60.0) -> None:
        token = served.token if token is None else token
        headers = {"Authorization": f"token {token}"} if token else {}
        hooks: Mapping[str, list[Callable[..., Any]]] = {"response": [check]}
        url = f"{served.url}{base.rstrip('/')}{PREFIX}"
        super().__init__(base_url=url, headers=headers, timeout=patience, event_hooks=hooks, trust_env=False)
        self.served = served

    def ask(self, path: str, **query: Any) -> Any:
        """What a GET answers, which has to be 200."""
        response = self.get(path, params=query)
        assert response.status_code == 200, response.text[:500]
        return response.json()

    def steer(self, name: str, verb: str, target: str = "", value: Any = None, **more: Any) -> httpx.Response:
        """Ask a swarm for something."""
        folder = more.pop("folder", "")
        body = {"verb": verb, "target": target, "value": value, **more}
        return self.post(f"swarms/{name}/requests", params={"folder": folder}, json=body)


@contextmanager
def short(prefix: str = "t-") -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    with TemporaryDirectory(prefix=prefix, dir="/tmp", ignore_cleanup_errors=True) as name:
        yield Path(name).resolve()


@contextmanager
def server(folder: Path, *options: str, config: str = "", strict: bool = True, **more: Any) -> Iterator[Served]:
    """A Jupyter server with our extension and little else.

    Args:
        folder: its root.
        options: of its command line.
        config: Python of its configuration file.
        strict: whether all routes of all extensions need a login.
        more: see `serving`.
    """
    with short("h-") as home:
        (home / "config_dir").mkdir()
        (home / "config_dir" / "jupyter_server_config.py").write_text(config, encoding="utf-8")
        usual = ["--ServerApp.jpserver_extensions=jupyter_swarm=True"]
        usual += ["--ServerApp.allow_unauthenticated_access=False"] if strict else []
        usual += [f"--ServerApp.jpserver_extensions={name}=False" for name in OTHERS]
        with serving("jupyter_server", folder, home, *usual, *options, **more) as served:
            yield served


# ---------------------------------------------------------------- ledgers


def played(folder: Path, moves: list[logs.Move] | None = None, name: str = "wine") -> Workspace:
    """A workspace in which a swarm is over, as its ledger says; its notebooks are there."""
    workspace = Workspace(folder)
    folder.mkdir(parents=True, exist_ok=True)
    workspace.swarm(name)
    moves = logs.wine() if moves is None else moves
    logs.play(workspace.store, moves, name)
    return workspace


def unfinished(folder: Path, name: str = "wine") -> Workspace:
    """A workspace in which a swarm goes on, though without a runner."""
    return played(folder, [move for move in logs.wine() if not isinstance(move[1], e.SwarmEnded)], name)


def asked(workspace: Workspace, name: str = "wine") -> list[e.SteeringRequested]:
    """What a person has asked for, as it stands in the ledger."""
    return [r.event for r in workspace.store.read(0, swarm=name) if isinstance(r.event, e.SteeringRequested)]


# ---------------------------------------------------------------- at the same time


@contextmanager
def at_once(most: int = 64) -> Iterator[Callable[..., Future[Any]]]:
    """Do several things at once: what is given begins at once, and its result is had later."""
    with ThreadPoolExecutor(most) as pool:
        yield pool.submit


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What comes of something, and how many seconds it took."""
    began = time.monotonic()
    return work(), time.monotonic() - began


def begun(work: Callable[[], Any], after: float = 0.5) -> None:
    """Do something a while from now, in a thread of its own."""
    timer = threading.Timer(after, work)
    timer.daemon = True
    timer.start()
