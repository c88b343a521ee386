"""Who may do what: every verb asks, nobody comes in without a token, and what an administrator forbids is refused."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_server.auth.decorator import authorized
from rig import DOCUMENT, PREFIX, Api, Served, asked, server, short, unfinished
from tornado.web import RequestHandler, authenticated

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "jupyter"))
from faces import wait_for

from jupyter_swarm import events as e
from jupyter_swarm.jupyter.server.base import Handler
from jupyter_swarm.jupyter.server.handlers import ROUTES
from jupyter_swarm.policy import VARIABLE
from jupyter_swarm.workspace import Workspace

EXAMPLES = {"name": "wine", "id": "H1", "number": "1", "paper": "0" * 16, "filename": "a.md"}
EVERY = [
    (verb, re.sub(r"\{(\w+)\}", lambda found: EXAMPLES[found[1]], path.removeprefix("/")))
    for path, operations in DOCUMENT["paths"].items()
    for verb in operations
]
STARTS = {("Report", "post"), ("Papers", "post"), ("Upload", "put")}
"""What starts a process."""

# ---------------------------------------------------------------- each verb of each handler


AUTHENTICATED = authenticated(lambda self: None).__code__  # type: ignore[no-untyped-call,attr-defined,arg-type,return-value]
AUTHORIZED = authorized("read")(lambda self: None).__code__


def unguarded(handlers: Iterable[type[RequestHandler]]) -> list[str]:
    """Verbs that lack `@authenticated`, or `@authorized` with the right action just below it."""
    found = []
    for handler in dict.fromkeys(handlers):
        for verb in sorted({each.lower() for each in handler.SUPPORTED_METHODS} - {"options"}):
            method = getattr(handler, verb)
            if method is not getattr(RequestHandler, verb) and not _guarded(handler.__name__, verb, method):
                found.append(f"{handler.__name__}.{verb}")
    return found


def _guarded(handler: str, verb: str, method: Any) -> bool:
    inner = getattr(method, "__wrapped__", None)
    if method.__code__ is not AUTHENTICATED or inner is None or inner.__code__ is not AUTHORIZED:
        return False
    action = inspect.getclosurevars(inner).nonlocals["action"]
    wanted = "execute" if (handler, verb) in STARTS else "read" if verb == "get" else "write"
    return bool(action == wanted)


def test_every_verb_of_every_handler_asks_who_it_is_and_whether_they_may() -> None:
    assert unguarded(handler for _, handler in ROUTES) == []
    assert all(issubclass(handler, Handler) for _, handler in ROUTES), "bodies are counted, and requests"


class Bare(Handler):
    async def get(self) -> None: ...


class NotAuthorized(Handler):
    @authenticated
    async def get(self) -> None: ...


class NotAuthenticated(Handler):
    @authorized("read")
    async def get(self) -> None: ...


class WrongOrder(Handler):
    @authorized("read")
    @authenticated
    async def get(self) -> None: ...


class WrongAction(Handler):
    @authenticated
    @authorized("read")
    async def post(self) -> None: ...


class Inherits(Bare):
    @authenticated
    @authorized("write")
    async def post(self) -> None: ...


class Unusual(Handler):
    async def delete(self) -> None: ...
    async def head(self) -> None: ...
    async def patch(self) -> None: ...


def test_a_handler_that_does_not_ask_is_found() -> None:
    wrong = [Bare, NotAuthorized, NotAuthenticated, WrongOrder, WrongAction, Inherits, Unusual]
    assert unguarded(wrong) == [
        "Bare.get", "NotAuthorized.get", "NotAuthenticated.get", "WrongOrder.get", "WrongAction.post", "Inherits.get",
        "Unusual.delete", "Unusual.head", "Unusual.patch",
    ]  # fmt: skip


# ---------------------------------------------------------------- without a token


@pytest.mark.parametrize(("verb", "path"), EVERY)
def test_nobody_comes_in_without_the_token(verb: str, path: str, served: Served) -> None:
    for token in ("", "x" * 32):
        with Api(served, token=token) as stranger:
            response = stranger.request(verb.upper(), path, content=b"{}")
            assert response.status_code == 403
            assert "wine" not in response.text


# ---------------------------------------------------------------- users who may not do all


AUTHORIZER = """
from jupyter_server.auth import Authorizer

class AsTheHeaderSays(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return resource != "swarms" or action in handler.request.headers.get("X-May", "").split()

c.ServerApp.authorizer_class = AsTheHeaderSays
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder in which the swarm `wine` goes on, though without a runner."""
    with short() as folder:
        unfinished(folder).store.close()
        yield folder


@pytest.fixture(scope="module")
def shared(place: Path) -> Iterator[Served]:
    """A server that lets each request do what its header says."""
    with server(place, "--SwarmServer.requests_a_second=1000", config=AUTHORIZER) as found:
        yield found


def as_one_who_may(served: Served, *actions: str) -> Api:
    """A client with the right token and these rights."""
    client = Api(served)
    client.headers["X-May"] = " ".join(actions)
    return client


def records(place: Path) -> int:
    """How many the ledger holds."""
    workspace = Workspace(place)
    try:
        return len(workspace.store.read(0))
    finally:
        workspace.store.close()


@pytest.mark.parametrize(("verb", "path"), EVERY)
def test_one_who_may_read_reads_and_changes_nothing(verb: str, path: str, shared: Served, place: Path) -> None:
    before, files = records(place), sorted(place.iterdir())
    with as_one_who_may(shared, "read") as reader:
        body = json.dumps({"verb": "pause", "sources": ["module:json"]}).encode()
        response = reader.request(verb.upper(), path, content=b"" if verb == "get" else body)
        assert (response.status_code == 403) == (verb != "get"), response.text
        about = reader.ask("about")
        assert (about["writes"], about["executes"]) == (False, False)
    with as_one_who_may(shared) as nobody:
        assert nobody.request(verb.upper(), path, content=b"" if verb == "get" else body).status_code == 403
    assert (records(place), sorted(place.iterdir())) == (before, files)


def test_one_who_may_not_execute_starts_no_process(shared: Served, place: Path) -> None:
    with as_one_who_may(shared, "read", "write") as writer:
        about = writer.ask("about")
        assert (about["writes"], about["executes"]) == (True, False)
        before = records(place)
        assert writer.steer("wine", "resume").status_code == 403
        assert writer.post("swarms/wine/report").status_code == 403
        assert writer.post("papers", json={"sources": ["module:json"]}).status_code == 403
        assert writer.put("papers/files/a.md", content=b"# A").status_code == 403
        assert records(place) == before
        assert not (place / "papers").exists()
        assert writer.steer("wine", "priority", "D1", 2).status_code == 200
        assert records(place) == before + 1


def test_one_who_may_not_execute_stops_what_is_at_work_and_starts_nothing_for_that(shared: Served, place: Path) -> None:
    workspace, query = unfinished(place / "stopping"), {"folder": "stopping"}
    with as_one_who_may(shared, "read", "write") as writer:
        before = len(workspace.store.read(0))
        refused = writer.steer("wine", "stop", **query)
        assert refused.status_code == 403, refused.text
        assert (
            refused.json()["message"] == "no runner is at work that could end it, and you may not start processes here"
        )
        assert len(workspace.store.read(0)) == before
        assert writer.steer("wine", "pause", **query).status_code == 200
        lease = workspace.store.lease("wine", "elsewhere:1", seconds=60)
        assert lease is not None
        wait_for(lambda: writer.ask("swarms/wine", **query)["card"]["alive"], 10, "the runner's lease")
        assert writer.steer("wine", "stop", **query).status_code == 200
    asked = [type(each.event) for each in workspace.store.read(before)]
    assert asked == [e.PauseRequested, e.StopRequested]
    assert not (workspace.root / "swarms" / "wine" / "runner.log").exists(), "no process was started"
    workspace.store.close()


# ---------------------------------------------------------------- XSRF and other sites


@pytest.fixture
def logged_in(shared: Served) -> Iterator[httpx.Client]:
    """A browser that has logged in: it has cookies, and no token."""
    with httpx.Client(base_url=shared.url, trust_env=False, headers={"X-May": "read write execute"}) as client:
        client.get("/login")
        form = {"password": shared.token, "_xsrf": client.cookies["_xsrf"]}
        assert client.post("/login", data=form).status_code == 302
        yield client


ASK = {"verb": "priority", "target": "D1", "value": 6}
REQUESTS = f"{PREFIX}swarms/wine/requests"


def test_a_browser_writes_with_the_right_xsrf_only(logged_in: httpx.Client, place: Path) -> None:
    assert logged_in.get(f"{PREFIX}about").json()["writes"] is True
    before, right = records(place), logged_in.cookies["_xsrf"]
    version, mask, token, stamp = right.split("|")
    other = "|".join([version, mask, token[::-1], stamp])
    forged = [{}, {"X-XSRFToken": "x"}, {"X-XSRFToken": other}, {"X-XSRFToken": ""}]
    for headers in forged:
        assert logged_in.post(REQUESTS, json=ASK, headers=headers).status_code == 403, headers
        for path in ("papers", "swarms/wine/report", "swarms/wine/runs/1/notebook"):
            assert logged_in.post(f"{PREFIX}{path}", json=ASK, headers=headers).status_code == 403
        assert logged_in.put(f"{PREFIX}papers/files/a.md", content=b"#", headers=headers).status_code == 403
    form = logged_in.post(REQUESTS, data={"verb": "pause", "_xsrf": "x"})
    assert form.status_code == 403
    assert records(place) == before
    assert logged_in.post(REQUESTS, json=ASK, headers={"X-XSRFToken": right}).status_code == 200
    assert records(place) == before + 1


def test_a_page_of_another_site_gets_nothing(logged_in: httpx.Client, place: Path) -> None:
    before, right = records(place), logged_in.cookies["_xsrf"]
    for origin in ("https://evil.example", "http://127.0.0.1:1", "null"):
        headers = {"Origin": origin, "X-XSRFToken": right}
        for path in ("about", "swarms", "swarms/wine"):
            response = logged_in.get(f"{PREFIX}{path}", headers=headers)
            assert response.status_code in (403, 404), origin
            assert "wine" not in response.text
            assert "Access-Control-Allow-Origin" not in response.headers
        assert logged_in.post(REQUESTS, json=ASK, headers=headers).status_code in (403, 404)
        allowed = logged_in.options(REQUESTS, headers={**headers, "Access-Control-Request-Method": "POST"})
        assert "Access-Control-Allow-Origin" not in allowed.headers
    assert records(place) == before
    own = {"Origin": str(logged_in.base_url).rstrip("/"), "X-XSRFToken": right}
    assert logged_in.post(REQUESTS, json=ASK, headers=own).status_code == 200


def test_answers_are_neither_pages_nor_scripts(logged_in: httpx.Client) -> None:
    for path in ("about", "swarms/wine", "swarms/nobody", "papers/0000000000000000"):
        headers = logged_in.get(f"{PREFIX}{path}").headers
        assert headers["Content-Type"] == "application/json"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]


# ---------------------------------------------------------------- an administrator's policy


def test_where_swarms_may_only_be_looked_at_nothing_else_is_done(place: Path) -> None:
    """Here routes may be asked without a login as far as jupyter_server is concerned: ours may not nevertheless."""
    options = ("--SwarmServer.read_only=True", "--SwarmServer.requests_a_second=1000")
    config = "c.ServerApp.allow_unauthenticated_access = True"
    before = records(place)
    with server(place, *options, config=config, strict=False) as served, Api(served) as api:
        about = api.ask("about")
        assert (about["limits"]["read_only"], about["writes"], about["executes"]) == (True, False, False)
        verbs = ("pause", "resume", "stop", "priority", "budget", "hire", "dismiss", "resize", "add", "replicate")
        for verb in verbs:
            response = api.steer("wine", verb, "D1", "5m" if verb == "budget" else None)
            assert (response.status_code, response.json()["reason"]) == (403, "PolicyError"), verb
            assert "an administrator has set it" in response.json()["message"]
        refused: list[Callable[[], httpx.Response]] = [
            lambda: api.post("swarms/wine/report"),
            lambda: api.post("swarms/wine/runs/1/notebook"),
            lambda: api.post("papers", json={"sources": ["module:json"]}),
            lambda: api.put("papers/files/a.md", content=b"# A"),
        ]
        assert [ask().status_code for ask in refused] == [403] * 4
        for verb, path in EVERY:
            with Api(served, token="") as stranger:
                assert stranger.request(verb.upper(), path).status_code == 403
    assert records(place) == before
    assert not (place / "papers").exists()


LIMITS = """
c.SwarmServer.agents = 8
c.SwarmServer.seconds = 600
c.SwarmServer.models = ["local:*"]
c.SwarmServer.network = False
c.SwarmServer.upload_bytes = 1000
"""


def test_limits_hold_for_requests_and_are_handed_down_to_kernels(folder: Path) -> None:
    workspace = unfinished(folder)
    given = {VARIABLE: '{"experiments": 700, "seconds": 9999}'}
    with server(folder, config=LIMITS, environment=given) as served, Api(served) as api:
        limits = api.ask("about")["limits"]
        assert (limits["agents"], limits["seconds"], limits["models"]) == (8, 600, ["local:*"])
        assert (limits["network"], limits["experiments"], limits["read_only"]) == (False, 700, False)
        assert limits["upload_bytes"] == 1000
        for verb, target, value, said in (
            ("budget", "", "11m", "a budget of 660 seconds is more than the 600 that are allowed"),
            ("budget", "", "701x", "701 experiments is more than the 700 that are allowed"),
            ("hire", "tuner", "openai:gpt-5", "the model openai:gpt-5 is not allowed"),
            ("resize", "tuner", 9, "agents are more than the 8 that are allowed"),
        ):
            response = api.steer("wine", verb, target, value)
            assert (response.status_code, response.json()["reason"]) == (403, "PolicyError"), response.text
            assert said in response.json()["message"]
        assert asked(workspace) == []
        assert api.put("papers/files/a.md", content=b"#" * 1001).status_code == 413
        assert api.steer("wine", "budget", "", "9m").status_code == 200
        told = json.loads(in_a_kernel(served, f"import os; print(os.environ[{VARIABLE!r}])"))
        assert told == {"experiments": 700, "agents": 8, "seconds": 600, "models": ["local:*"], "network": False}


def in_a_kernel(served: Served, code: str) -> str:
    """What code prints in a kernel that the server starts."""
    with httpx.Client(base_url=served.url, headers={"Authorization": f"token {served.token}"}, trust_env=False) as web:
        started = web.post("/api/kernels", json={"name": "python3"}, timeout=60)
        assert started.status_code == 201, started.text
        id = started.json()["id"]
        client = BlockingKernelClient(connection_file=str(served.log.parent / "runtime_dir" / f"kernel-{id}.json"))
        client.load_connection_file()
        client.start_channels()
        printed: list[str] = []

        def note(message: dict[str, Any]) -> None:
            printed.append(message["content"].get("text", ""))

        try:
            client.wait_for_ready(timeout=60)
            client.execute_interactive(code, timeout=60, output_hook=note)
        finally:
            client.stop_channels()
            web.delete(f"/api/kernels/{id}", timeout=60)
    return "".join(printed)


def test_a_policy_that_cannot_be_read_is_never_ignored(folder: Path) -> None:
    unfinished(folder).store.close()
    with server(folder, environment={VARIABLE: '{"agent": 3}'}) as served, Api(served) as api:
        assert api.ask("swarms/wine")["card"]["name"] == "wine", "looking goes on"
        for response in (api.get("about"), api.steer("wine", "priority", "D1", 3), api.post("swarms/wine/report")):
            assert response.status_code == 400
            assert "the administrator's policy cannot be read" in response.json()["message"]
