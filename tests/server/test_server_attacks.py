"""What somebody with bad intentions sends, or has written into what is shown. The server answers afterwards."""

from __future__ import annotations

import http.client
import json
import math
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import msgspec
import pytest
from rig import PREFIX, Api, Served, asked, at_once, logs, played, server, short, timed, unfinished

from jupyter_swarm import events as e
from jupyter_swarm.words import Run
from jupyter_swarm.workspace import Workspace

SECRET = "the-treasure"


@pytest.fixture(scope="module")
def outside() -> Iterator[Path]:
    """A folder that is not below the root: with a swarm, a notebook and a paper that nobody may see."""
    with short("o-") as folder:
        workspace = played(folder, name=SECRET)
        logs.notebooks(workspace.root, logs.fold(logs.wine(), SECRET))
        workspace.store.close()
        (folder / "secret.md").write_text(f"# {SECRET}\n\n{SECRET}\n", encoding="utf-8")
        (folder / "secret.ipynb").write_text(json.dumps({"cells": [], "secret": SECRET}), encoding="utf-8")
        yield folder


@pytest.fixture(scope="module")
def place(outside: Path) -> Iterator[Path]:
    """The root, with a link out of it and a swarm that goes on."""
    with short() as folder:
        unfinished(folder).store.close()
        (folder / "inner").mkdir()
        (folder / "link").symlink_to(outside)
        (folder / "secret.md").symlink_to(outside / "secret.md")
        yield folder


@pytest.fixture(scope="module")
def target(place: Path) -> Iterator[Served]:
    """The server that is attacked; it answers as ever when all is over."""
    with server(place, "--SwarmServer.requests_a_second=1000", "--SwarmServer.upload_bytes=1000000") as found:
        yield found
        with Api(found, patience=5) as client:
            assert client.ask("swarms/wine")["card"]["name"] == "wine"


@pytest.fixture
def api(target: Served) -> Iterator[Api]:
    """A client that has the token."""
    with Api(target) as client:
        yield client
        found, seconds = timed(lambda: client.ask("swarms"))
        assert [each["name"] for each in found["swarms"]] == ["wine"]
        assert seconds < 3, "it lives, and answers"


def raw(target: Served, path: str, verb: str = "GET", body: bytes = b"") -> tuple[int, str]:
    """The answer to a path exactly as it is written here, which a client would have made tidy."""
    where = urlsplit(target.url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=20)
    try:
        connection.request(verb, PREFIX + path, body or None, {"Authorization": f"token {target.token}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


# ---------------------------------------------------------------- paths

FOLDERS = [
    "..", "../..", "inner/../..", "inner/../../", "./..", "/", "/etc", "//etc", "/tmp", "..\\", "inner\\..\\..", "~",
    "~root", "link", "link/", "inner/../link", "link/.swarm", "nobody", "secret.md", ".swarm/ledger.sqlite", "a" * 300,
    "a" * 5000, "\x00", "inner\x00/../..", "file:///etc", "%2e%2e", "..%2f..", "\u2024\u2024/", "\ud83d\ude00",
]  # fmt: skip


@pytest.mark.parametrize("folder", FOLDERS, ids=range(len(FOLDERS)))
def test_no_folder_leads_out_of_the_root(folder: str, api: Api, outside: Path, target: Served) -> None:
    name = quote(folder.encode("utf-8", "surrogatepass"), safe="")
    for query in (name, folder if folder.isascii() and folder.isprintable() and " " not in folder else name):
        for path in ("swarms", f"swarms/{SECRET}", "papers", f"swarms/{SECRET}/runs/1/notebook"):
            status, text = raw(target, f"{path}?folder={query}")
            assert status == 400, (path, text[:200])
            assert "accuracy" not in text
            assert SECRET not in text
            assert str(outside) not in text
    before = sorted(outside.rglob("*"))
    for verb, path in (
        ("POST", f"swarms/{SECRET}/requests"),
        ("POST", f"swarms/{SECRET}/report"),
        ("PUT", "papers/files/a.md"),
    ):
        body = json.dumps({"verb": "resume"}).encode()
        assert raw(target, f"{path}?folder={name}", verb, body)[0] == 400
    assert sorted(outside.rglob("*")) == before
    assert api.ask("workspaces")["places"][0]["folder"] == "", "nor is a link followed"


def test_a_link_is_no_workspace_of_the_list(api: Api) -> None:
    assert [each["folder"] for each in api.ask("workspaces")["places"]] == [""]


NAMES = [
    "..",
    "%2e%2e",
    "..%2f..",
    "%2e%2e%2fwine",
    "wine%2f..",
    "wine%00",
    "%00",
    "wine..",
    ".wine",
    "wine/..",
    "-wine",
    "wine%0a",
]


@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_a_swarm_is_a_path(name: str, target: Served, place: Path) -> None:
    before = sorted(each for each in place.rglob("*") if "ledger" not in each.name)
    for path in (f"swarms/{name}", f"swarms/{name}/events", f"swarms/{name}/runs/1"):
        assert raw(target, path)[0] in (403, 404)
    assert raw(target, f"swarms/{name}/requests", "POST", b'{"verb":"pause"}')[0] in (403, 404)
    assert raw(target, f"swarms/{name}/report", "POST")[0] in (403, 404)
    assert sorted(each for each in place.rglob("*") if "ledger" not in each.name) == before, "nothing is made"


def test_no_id_of_anything_is_a_path(target: Served) -> None:
    for id in ("..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "H1%00", "H1/../H2", "%ff%fe", "a" * 64, "a" * 65, "H1%0a"):
        assert raw(target, f"swarms/wine/hypotheses/{id}")[0] in (400, 403, 404), id
    for number in ("0", "-1", "1e3", "999999999", "9999999999", "1%00", "%D9%A1%D9%A2", "..", "1.0"):
        for path in (f"swarms/wine/runs/{number}", f"swarms/wine/runs/{number}/notebook"):
            status = raw(target, path)[0]
            assert status in (400, 403, 404) or number == "%D9%A1%D9%A2", (path, status)
    for paper in ("0" * 15, "0" * 17, "%2e%2e", "..%2f" * 5, "0" * 15 + "G", "0" * 14 + "%0a"):
        assert raw(target, f"papers/{paper}")[0] in (400, 403, 404), paper


FILES = [
    "..",
    "%2e%2e%2fa.md",
    "..%2f..%2fa.md",
    "%2fetc%2fa.md",
    "a%00.md",
    "%00",
    ".hidden.md",
    "a%5cb.md",
    "a.exe",
    "a",
    "x" * 250 + ".md",
]


@pytest.mark.parametrize("name", FILES)
def test_no_file_that_is_dropped_leaves_its_folder(name: str, target: Served, place: Path) -> None:
    before = sorted(place.parent.glob("a*.md")), sorted(place.rglob("*.md"))
    status, text = raw(target, f"papers/files/{name}", "PUT", b"# A\n")
    assert status in (400, 403, 404), text
    assert (sorted(place.parent.glob("a*.md")), sorted(place.rglob("*.md"))) == before
    assert not (place / "papers").exists()


@pytest.mark.slow
def test_a_folder_of_papers_that_is_a_link_is_not_followed(api: Api, place: Path, outside: Path) -> None:
    (place / "inner" / "papers").symlink_to(outside)
    response = api.put("papers/files/a.md", params={"folder": "inner"}, content=b"# A\n")
    assert (response.status_code, response.json()["reason"]) == (503, "WorkspaceError")
    assert not (outside / "a.md").exists()


SOURCES = [
    "/etc/passwd", "../secret.md", "inner/../../secret.md", "~/secret.md", "link/secret.md", "secret.md",
    "text:/etc/passwd", "text:../secret.md", "text:link/secret.md", "markdown:{outside}/secret.md",
    "text:text:/etc/passwd", "module:../../x", "module:/etc/passwd", "text:~/x", "l*/secret.md",
    "*/secret.md", "l?nk/*.md", "**/secret.md", "[l]ink/secret.md", "text:l*/secret.md",
    "-rf", "--workspace=/tmp", "", " ", "a\x00b", "*.md",
]  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
def test_no_source_of_papers_leads_out_of_the_root(source: str, api: Api, outside: Path) -> None:
    response = api.post("papers", json={"sources": [source.format(outside=outside)]})
    assert response.status_code == 400, response.text
    assert "leads out of the server's root" in response.json()["message"]
    assert SECRET not in json.dumps(api.ask("papers"))


def test_a_ledger_that_names_a_notebook_elsewhere_is_not_believed(api: Api, place: Path, outside: Path) -> None:
    """Somebody may have been given a workspace by a stranger."""
    started = next(event for _, event in logs.wine() if isinstance(event, e.ExperimentStarted)).experiment
    runs = place / "inner" / ".swarm" / "swarms" / "wine" / "runs"
    runs.mkdir(parents=True)
    (runs / "linked.ipynb").symlink_to(outside / "secret.ipynb")
    paths = [f"../../link/{outside.name}", str(outside / "secret.ipynb"), "swarms/wine/runs/linked.ipynb"]
    paths += [f"../../../{outside.name}/secret.ipynb", f"swarms/../../../../{outside.name}/secret.ipynb"]
    moves = [move for move in logs.wine() if not isinstance(move[1], e.SwarmEnded)]
    for number, path in enumerate(paths, 901):
        run = Run(experiment=started.id, value=1.0, notebook=path)
        moves.append((99.0, e.ExperimentStarted(number=number, experiment=started)))
        moves.append((99.0, e.ExperimentFinished(number=number, run=run)))
    played(place / "inner", moves).store.close()
    for number in range(901, 901 + len(paths)):
        for response in (
            api.get(f"swarms/wine/runs/{number}/notebook", params={"folder": "inner"}),
            api.post(f"swarms/wine/runs/{number}/notebook", params={"folder": "inner"}),
        ):
            assert response.status_code == 400, paths[number - 901]
            assert SECRET not in response.text
    assert not list((place / "inner").glob("*.ipynb"))


# ---------------------------------------------------------------- what strangers wrote

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>"
STRANGE = {
    "script": MARKUP,
    "svg": '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><a xlink:href="javascript:alert(2)">x</a></svg>',
    "link": "javascript:alert(document.cookie)",
    "long": "A" * 2**20,
    "controls": "\u202e\u0007\u001b[31m\u2028</textarea>\r\nSet-Cookie: a=b",
}
CODE = ("code", "reference", "diff")
PAGES = ("swarms", "swarms/wine", "swarms/wine/hypotheses/HX", "swarms/wine/hypotheses/HY")


def longest(value: Any) -> int:
    """Of all strings in it, but for code, which is of use as a whole only."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return max(map(longest, [*value, *(value[each] for each in value if each not in CODE)]), default=0)
    return max(map(longest, value), default=0) if isinstance(value, list) else 0


@pytest.mark.parametrize("kind", STRANGE)
def test_what_a_stranger_wrote_is_data_and_not_too_long(kind: str, api: Api, place: Path) -> None:
    folder = place / f"strange-{kind}"
    text = STRANGE[kind]
    workspace = played(folder, logs.hostile(text))
    try:
        numbers = [row.number for row in logs.fold(logs.hostile("x")).rows.values()]
        for path in (*PAGES, *(f"swarms/wine/runs/{number}" for number in (1, numbers[-1], numbers[-6]))):
            response = api.get(path, params={"folder": folder.name})
            assert response.status_code == 200
            assert response.headers["Content-Type"] == "application/json"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]
            most = 10_000 if path in PAGES[:2] else 150_000
            assert longest(response.json()) <= most, path
        seen = api.ask("swarms/wine", folder=folder.name)
        assert seen["directions"][-1]["title"][:500] == text[:500], "as it was written, but for its length"
        assert seen["card"]["metric"][:150] == text[:150]
    finally:
        workspace.store.close()


@pytest.mark.slow
def test_a_title_of_a_paper_is_data(api: Api, place: Path) -> None:
    (place / "library").mkdir()
    response = api.put(
        "papers/files/odd.md", params={"folder": "library"}, content=f"# {MARKUP}\n\n{MARKUP}\n".encode()
    )
    assert response.status_code == 200, response.text
    assert len(response.json()["added"]) == 1, response.text
    (paper,) = api.ask("papers", folder="library")["papers"]
    text = api.ask(f"papers/{paper['paper']}", folder="library")
    assert "alert(1)" in text["text"]
    big = api.put("papers/files/big.md", params={"folder": "library"}, content=b"# " + b"A" * 100_000)
    assert big.status_code == 200
    assert longest(big.json()) < 10_000
    papers = api.ask("papers", folder="library")
    assert longest(papers) < 10_000
    for each in papers["papers"]:
        found = api.ask(f"papers/{each['paper']}", folder="library")
        assert longest({**found, "text": ""}) < 10_000
        assert len(found["text"]) <= 20_000


def test_numbers_that_json_does_not_know_are_said_nevertheless(api: Api, place: Path) -> None:
    moves = [move for move in logs.wine() if not isinstance(move[1], e.SwarmEnded)]
    started = next(event for _, event in moves if isinstance(event, e.ExperimentStarted)).experiment
    for number, value in enumerate((math.nan, math.inf, -math.inf), 901):
        run = Run(experiment=started.id, value=value, seconds=1.0)
        moves += [(99.0, e.ExperimentStarted(number=number, experiment=started))]
        moves += [(99.0, e.ExperimentFinished(number=number, run=run))]
    workspace = played(place / "numbers", moves)
    found = api.ask("swarms/wine", folder="numbers")
    assert found["runs"]["value"][-3:] == [None, None, None]
    assert api.ask("swarms/wine/runs/901", folder="numbers")["value"] is None
    workspace.store.close()


# ---------------------------------------------------------------- bodies

DEEP = b"[" * 100_000
BODIES = [
    b"", b"null", b"[]", b"1", b'"pause"', b"\xff\xfe", b"{", b'{"verb":"pause"}x', b"verb=pause",
    b'{"verb":"explode"}', b'{"verb":1}', b'{"verb":"pause","more":1}',
    b'{"verb":"priority","target":{}}', b'{"verb":"priority","value":[1]}',
    b'{"verb":"priority","value":NaN}', b'{"verb":"priority","value":1e999}',
    b'{"verb":"priority","value":' + b"9" * 5000 + b"}",
    b'{"verb":"priority","target":"\\ud800"}', b'{"verb":' + DEEP, b'{"x":' + DEEP, DEEP, b'{"a":' * 50_000,
    b'{"verb":"pause","wait":"x"}', b'{"verb":"pause","wait":null}', b'{"id":7,"verb":"pause"}',
    b'{"verb":"add","target":"' + b"a" * 5000 + b'"}', b'{"verb":"pause","id":"' + b"a" * 500 + b'"}',
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_body_that_makes_no_sense_is_refused_and_nothing_is_written(body: bytes, api: Api, place: Path) -> None:
    before = records(place)
    for path in ("swarms/wine/requests", "papers"):
        response = api.post(path, content=body)
        assert response.status_code == 400, response.text
        assert response.json()["message"]
    assert records(place) == before


def records(place: Path) -> int:
    """How many the ledger holds."""
    workspace = Workspace(place)
    try:
        return len(workspace.store.read(0))
    finally:
        workspace.store.close()


@pytest.mark.parametrize("value", [10**30, -(2**64), 1e308, -1e308, 0, "A" * 3000, True, None])
def test_huge_numbers_are_taken_or_refused_and_shown(value: Any, api: Api, place: Path) -> None:
    response = api.steer("wine", "priority", "D1", value)
    assert response.status_code in (200, 400), response.text
    assert len(api.ask("swarms/wine")["directions"]) >= 4, "the ledger can be read nevertheless"
    assert records(place) > 0


def test_a_body_that_is_too_large_is_refused(api: Api, target: Served, place: Path) -> None:
    def pieces(count: int) -> Iterator[bytes]:
        for _ in range(count):
            yield b"x" * 65_536

    before = records(place)
    for content in (b"x" * 300_000, b"x" * 10_000_000, pieces(5), pieces(200)):
        with Api(target) as fresh:
            response = fresh.post("swarms/wine/requests", content=content)
            assert (response.status_code, "262,144 bytes" in response.json()["message"]) == (413, True)
    for content in (b"x" * 1_000_001, pieces(16)):
        with Api(target) as fresh:
            assert fresh.put("papers/files/big.md", content=content).status_code == 413
    assert not (place / "papers").exists()
    valid = b'{"verb":"pause"}'
    assert api.post("swarms/wine/requests", content=valid + b" " * (262_144 - len(valid))).status_code == 200
    assert api.post("swarms/wine/requests", content=valid + b" " * (262_145 - len(valid))).status_code == 413
    hidden = api.post("swarms/wine/requests", content=iter([valid, b" " * 262_144]))
    assert hidden.status_code == 413, "what comes before the limit is not taken for the whole"
    assert records(place) == before + 1


# ---------------------------------------------------------------- flooding, and those who are slow


@pytest.fixture(scope="module")
def narrow(place: Path) -> Iterator[Served]:
    """A server that takes five requests a second of somebody, of which three may wait."""
    with server(place, "--SwarmServer.requests_a_second=5", "--SwarmServer.waiting=3") as found:
        yield found


def test_who_asks_too_often_is_told_when_to_come_again(narrow: Served) -> None:
    """Without a cookie each request of the token has another name in jupyter_server: it is counted nevertheless."""
    told: list[httpx.Response] = []
    for _ in range(60):
        with Api(narrow) as api:
            told.append(api.get("about"))
    statuses = [each.status_code for each in told]
    assert set(statuses) == {200, 429}
    assert statuses.count(200) >= 20, "four seconds' worth at once"
    refused = next(each for each in told if each.status_code == 429)
    assert 1 <= int(refused.headers["Retry-After"]) <= 5
    assert refused.json()["message"]
    with Api(narrow) as api:
        time.sleep(int(refused.headers["Retry-After"]) + 0.5)
        assert api.get("about").status_code == 200


def test_only_so_many_may_wait_and_who_leaves_makes_room(narrow: Served) -> None:
    time.sleep(3)
    with Api(narrow) as api:
        known = api.ask("swarms")
    query = {"after": known["cursor"], "ledger": known["ledger"], "wait": 4}

    def poll() -> tuple[httpx.Response, float]:
        with Api(narrow) as mine:
            return timed(lambda: mine.get("swarms", params=query))

    with at_once() as go:
        answers = [each.result() for each in [go(poll) for _ in range(6)]]
    refused = [(response, seconds) for response, seconds in answers if response.status_code == 429]
    assert len(refused) == 3
    assert all(seconds < 5 and int(response.headers["Retry-After"]) >= 1 for response, seconds in refused)
    left = [hanging(narrow, f"swarms?after={query['after']}&ledger={query['ledger']}&wait=20") for _ in range(3)]
    time.sleep(1)
    assert poll()[0].status_code == 429
    for each in left:
        each.close()
    time.sleep(1)
    assert poll()[0].status_code == 200


def hanging(target: Served, path: str, verb: str = "GET", *headers: str, body: bytes = b"") -> socket.socket:
    """A connection on which something has been asked, and nothing is read."""
    where = urlsplit(target.url)
    opened = socket.create_connection((str(where.hostname), int(where.port or 80)), timeout=10)
    lines = [
        f"{verb} {PREFIX}{path} HTTP/1.1",
        f"Host: {where.netloc}",
        f"Authorization: token {target.token}",
        *headers,
    ]
    opened.sendall("\r\n".join([*lines, "", ""]).encode() + body)
    return opened


def test_slow_readers_and_slow_writers_keep_nobody_else_waiting(api: Api, target: Served, place: Path) -> None:
    before = records(place)
    slow = [hanging(target, "swarms/wine") for _ in range(30)]
    slow += [hanging(target, "swarms/wine/events?limit=2000") for _ in range(30)]
    half = b'{"verb":"pause"'
    length = "Content-Length: 200000"
    slow += [hanging(target, "swarms/wine/requests", "POST", length, body=half) for _ in range(30)]
    try:
        for path in ("about", "swarms", "swarms/wine"):
            _, seconds = timed(lambda path=path: api.ask(path))
            assert seconds < 5, path
    finally:
        for each in slow:
            each.close()
    time.sleep(0.5)
    assert records(place) == before, "half of a request is none"


def test_a_flood_of_folders_and_of_ids_is_harmless(api: Api, place: Path) -> None:
    for number in range(40):
        (place / "inner" / f"f{number}").mkdir(exist_ok=True)
        assert api.ask("swarms", folder=f"inner/f{number}")["swarms"] == []
        assert (
            api.steer("wine", "priority", "D1", number, id="x" * 200 if number % 2 else f"id-{number}").status_code
            == 200
        )
    assert not list((place / "inner").glob("f*/.swarm")), "looking makes no workspace"
    workspace = Workspace(place)
    taken = [each.value for each in asked(workspace) if each.target == "D1"]
    workspace.store.close()
    assert [number for number in range(40) if number in taken] == [
        number for number in range(40) if number % 2 == 0 or number == 1
    ]


def test_events_with_unusual_records_are_told_as_they_are(api: Api, place: Path) -> None:
    noted = e.Noted(text="\u2028</script>\x00")
    workspace = played(place / "odd", [(0.0, logs.request()), (0.1, noted)])
    told = api.ask("swarms/wine/events", folder="odd")["events"]
    assert told[-1]["event"]["text"] == noted.text
    assert msgspec.json.decode(e.encode(noted))["text"] == noted.text
    workspace.store.close()
