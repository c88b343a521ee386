"""What the routes answer: by the document, at the right moment, and exactly what a reader does not know yet."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rig import DOCUMENT, Api, at_once, begun, logs, played, short, timed, unfinished
from tornado.web import RequestHandler
from websocket import create_connection

from jupyter_swarm import events as e
from jupyter_swarm.jupyter.server import openapi, typescript
from jupyter_swarm.jupyter.server.handlers import ROUTES
from jupyter_swarm.jupyter.server.mirror import ANSWERS, LINES, Mirror
from jupyter_swarm.workspace import Workspace

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = {"name": "wine", "id": "H1", "number": "1", "paper": "0" * 16, "filename": "a.md"}

# ---------------------------------------------------------------- the document


def example(path: str) -> str:
    """A path of the document, as somebody would ask for it."""
    return re.sub(r"\{(\w+)\}", lambda found: EXAMPLES[found[1]], path.removeprefix("/"))


def verbs(handler: type[RequestHandler]) -> set[str]:
    """What a handler answers, but for OPTIONS, which jupyter_server answers."""
    methods = {each.lower() for each in handler.SUPPORTED_METHODS} - {"options"}
    return {each for each in methods if getattr(handler, each) is not getattr(RequestHandler, each)}


def test_every_verb_of_every_route_is_in_the_document_and_nothing_else_is() -> None:
    told = {(verb, path) for path, operations in DOCUMENT["paths"].items() for verb in operations}
    real = set()
    for pattern, handler in ROUTES:
        (path,) = [path for path in DOCUMENT["paths"] if re.fullmatch(pattern, example(path))]
        real |= {(verb, path) for verb in verbs(handler)}
    assert real == told


def test_the_written_description_is_the_present_one() -> None:
    written = (REPOSITORY / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert json.loads(written) == openapi.document(), "run: python -m jupyter_swarm.jupyter.server.openapi"


def test_the_types_of_the_panel_are_the_present_ones() -> None:
    written = (REPOSITORY / "labextension" / "src" / "words.ts").read_text(encoding="utf-8")
    assert written == typescript.typescript(), "run: python -m jupyter_swarm.jupyter.server.typescript"


def test_the_server_says_the_document_itself(api: Api) -> None:
    assert api.ask("openapi.json") == DOCUMENT


# ---------------------------------------------------------------- looking (each answer is held against the document)


@pytest.mark.usefixtures("live")
def test_workspaces_and_their_swarms_are_found(api: Api) -> None:
    about = api.ask("about")
    assert (about["writes"], about["executes"], about["fixed"], about["folder"]) == (True, True, False, "")
    assert abs(about["at"] - time.time()) < 5
    places = api.ask("workspaces")
    assert {"": 1, "live": 1}.items() <= {each["folder"]: each["swarms"] for each in places["places"]}.items()
    (wine,) = api.ask("swarms")["swarms"]
    assert (wine["name"], wine["phase"], wine["alive"]) == ("wine", "done", False)
    (study,) = api.ask("swarms", folder="live")["swarms"]
    assert (study["name"], study["phase"], study["alive"]) == ("study", "running", True)


def test_the_list_and_the_swarm_say_the_same_as_the_ledger(api: Api, root: Path) -> None:
    state = logs.fold(logs.wine())
    found = api.ask("swarms/wine")
    card, (brief,) = found["card"], api.ask("swarms")["swarms"]
    verdicts = [case.evidence.verdict for case in state.findings() if case.evidence]
    for said in (card, brief):
        assert [said[each] for each in ("supported", "refuted", "open")] == [
            verdicts.count(each) for each in ("supported", "refuted", "open")
        ]
    assert card["spend"]["experiments"] == brief["experiments"] == state.experiments
    assert found["runs"]["number"] == list(state.rows)
    assert [each["id"] for each in found["directions"]] == list(state.directions)
    assert [each["id"] for each in sorted(found["findings"], key=lambda each: each["order"])] == [
        case.hypothesis.id for case in state.findings()
    ]
    assert [each["id"] for each in found["agents"]] == list(state.agents)
    assert {each["name"] for each in found["knobs"]} == {"SVC.C", "Normalizer"}
    assert found["cursor"] == brief["cursor"] == len(Workspace(root).store.read(0))


def test_one_thing_closer(api: Api) -> None:
    state = logs.fold(logs.wine())
    case = state.findings()[0]
    found = api.ask(f"swarms/wine/hypotheses/{case.hypothesis.id}")
    assert found["statement"] == case.hypothesis.statement
    assert found["code"] == case.hypothesis.variation.code
    assert found["confirmation"]
    assert len(found["gains"]) == case.evidence.pairs
    for number in found["confirmation"][:2]:
        run = api.ask(f"swarms/wine/runs/{number}")
        assert (run["hypothesis"], run["purpose"]) == (case.hypothesis.id, "confirmation")
    failed = next(row.number for row in state.rows.values() if row.run and row.run.traceback)
    run = api.ask(f"swarms/wine/runs/{failed}")
    assert (run["value"], run["notebook"]) == (None, False)
    assert "n_components=50" in run["traceback"]
    assert api.get(f"swarms/wine/runs/{failed}/notebook").status_code == 400


def test_events_come_in_pages_as_they_are_kept(api: Api, root: Path) -> None:
    kept = Workspace(root).store.read(0, swarm="wine")
    told: list[dict[str, Any]] = []
    while page := api.ask("swarms/wine/events", after=told[-1]["number"] if told else 0, limit=200)["events"]:
        assert len(page) <= 200
        told += page
    assert [each["number"] for each in told] == [each.number for each in kept]
    assert [each["event"] for each in told] == [json.loads(e.encode(each.event)) for each in kept]


@pytest.mark.slow
def test_a_notebook_is_read_and_copied_beside_the_others(api: Api, live: Workspace) -> None:
    content = api.get("swarms/study/runs/1/notebook", params={"folder": "live"})
    assert content.status_code == 200
    assert "measure(" in content.text
    first = api.post("swarms/study/runs/1/notebook", params={"folder": "live"}).json()["path"]
    assert first == "live/study-run-1.ipynb"
    assert json.loads((live.folder / "study-run-1.ipynb").read_text()) == content.json()
    (live.folder / "study-run-1.ipynb").write_text("mine", encoding="utf-8")
    second = api.post("swarms/study/runs/1/notebook", params={"folder": "live"}).json()["path"]
    assert second == "live/study-run-1-2.ipynb"
    assert (live.folder / "study-run-1.ipynb").read_text() == "mine", "what a person has is never overwritten"


@pytest.mark.slow
def test_a_report_is_written(api: Api, root: Path) -> None:
    response = api.post("swarms/wine/report")
    assert response.status_code == 200, response.text
    assert json.loads((root / response.json()["path"]).read_text())["nbformat"] == 4


@pytest.mark.slow
def test_papers_are_added_found_and_read(api: Api, live: Workspace) -> None:
    place = {"folder": "live"}
    (live.folder / "notes.md").write_text("# On rates\n\nThe best rate lies near seven tenths.\n", encoding="utf-8")
    response = api.post("papers", params=place, json={"sources": ["notes.md", "missing.md"]})
    assert response.status_code == 200, response.text
    assert [each["title"] for each in response.json()["added"]] == ["On rates"]
    assert [each["reason"] for each in response.json()["problems"]] == ["LibraryError"]
    text = "# A second\n\nNothing but bananas.\n"
    kept = api.put("papers/files/drop[1].md", params=place, content=text.encode())
    assert [each["title"] for each in kept.json()["added"]] == ["A second"], kept.text
    assert (live.folder / "papers" / "drop[1].md").read_text() == text
    listed = api.ask("papers", folder="live")["papers"]
    assert {each["title"] for each in listed} == {"On rates", "A second"}
    (hit, *_) = api.ask("papers/search", folder="live", q="bananas")["hits"]
    assert (hit["title"], "bananas" in hit["text"]) == ("A second", True)
    whole = api.ask(f"papers/{hit['paper']}", folder="live")
    part = api.ask(f"papers/{hit['paper']}", folder="live", start=hit["start"], end=hit["end"])
    assert part["text"] == whole["text"][hit["start"] : hit["end"]]
    assert (part["length"], part["start"], part["end"]) == (whole["length"], hit["start"], hit["end"])
    assert api.get("papers/0000000000000000", params=place).status_code == 400


# ---------------------------------------------------------------- asking


VERBS = [
    ("priority", "D1", 3), ("add", "a new idea", None), ("close", "D2", None), ("approve", "H1", None),
    ("veto", "D3", None), ("replicate", "7", None), ("budget", "", "5m"), ("hire", "tuner", "classical"),
    ("dismiss", "tuning-4", None), ("resize", "tuner", 3),
]  # fmt: skip


def test_every_request_stands_in_the_ledger_as_it_was_made(api: Api, root: Path) -> None:
    (root / "steered").mkdir()
    workspace = unfinished(root / "steered")
    for number, (verb, target, value) in enumerate(VERBS):
        response = api.steer("wine", verb, target, value, folder="steered")
        assert response.status_code == 200, response.text
        taken = response.json()
        assert (taken["again"], taken["done"]) == (False, None)
        record = workspace.store.read(taken["number"] - 1, swarm="wine")[0].event
        assert isinstance(record, e.SteeringRequested)
        assert (record.verb, record.target) == (verb, target), number
    assert api.steer("wine", "pause", folder="steered").status_code == 200
    assert isinstance(workspace.store.read(0, swarm="wine")[-1].event, e.PauseRequested)
    answers = api.ask("swarms/wine", folder="steered")["answers"]
    assert [(each["verb"], each["target"], each["done"]) for each in answers] == [(v, t, None) for v, t, _ in VERBS]
    workspace.store.close()


@pytest.mark.slow
def test_a_runner_answers_within_the_wait(api: Api, live: Workspace) -> None:
    taken = api.steer("study", "add", "other rates", folder="live", wait=5).json()
    assert taken["done"] is not None, taken
    assert taken["answer"]
    direction = next(iter(api.ask("swarms/study", folder="live")["directions"]))
    taken = api.steer("study", "priority", direction["id"], 7, folder="live", wait=5).json()
    assert taken["done"] is True, taken
    again = api.ask("swarms/study", folder="live")["directions"]
    assert next(each for each in again if each["id"] == direction["id"])["priority"] == 7
    refused = api.steer("study", "priority", "no such direction", 7, folder="live", wait=5).json()
    assert refused["done"] is False
    assert live.folder.name == "live"


def test_what_makes_no_sense_is_refused_in_words(api: Api) -> None:
    over = api.steer("wine", "priority", "D1", 3)
    assert (over.status_code, over.json()["reason"]) == (400, "UsageError")
    assert "wine is over" in over.json()["message"]
    assert over.json()["cure"]
    gone = api.get("swarms/nobody")
    assert (gone.status_code, gone.json()["reason"]) == (404, "NoSwarm")
    assert api.steer("nobody", "pause").status_code == 404
    assert api.get("swarms/wine/hypotheses/H999").status_code == 400
    assert api.get("swarms/wine/runs/999999").status_code == 400
    for name, value in (("after", "x"), ("wait", "26"), ("wait", "nan"), ("after", "-1"), ("after", "9" * 400)):
        response = api.get("swarms/wine", params={name: value})
        assert (response.status_code, name in response.json()["message"]) == (400, True)


def test_what_is_judged_is_approved_after_the_end_and_all_who_wait_are_told(api: Api, quiet: Workspace) -> None:
    quiet.store.append("wine", [e.SwarmEnded(state="done", why="enough")])
    place = quiet.folder.name
    known = api.ask("swarms/wine", folder=place)
    query = {"folder": place, "after": known["cursor"], "ledger": known["ledger"], "wait": 20}

    def waits() -> Any:
        with Api(api.served) as mine:
            return mine.ask("swarms/wine", **query)

    with at_once() as go:
        waiting = go(waits)
        time.sleep(0.5)
        taken = api.steer("wine", "approve", "H1", folder=place, id="late").json()
        again = api.steer("wine", "approve", "H1", folder=place, id="late").json()
        found = waiting.result()
    assert (taken["done"], taken["answer"].startswith("approved H1: ")) == (True, True)
    assert (again["number"], again["again"]) == (taken["number"], True)
    assert [(each["id"], each["mark"]) for each in found["findings"] if each["mark"]] == [("H1", "approved")]
    assert [(each["target"], each["done"]) for each in found["answers"]] == [("H1", True)]
    for verb, target in (("approve", "D1"), ("approve", "H99"), ("close", "D1")):
        refused = api.steer("wine", verb, target, folder=place)
        assert (refused.status_code, "wine is over" in refused.json()["message"]) == (400, True)


# ---------------------------------------------------------------- long polls


@pytest.fixture
def quiet(root: Path, request: pytest.FixtureRequest) -> Iterator[Workspace]:
    """A workspace below the root in which nothing happens but what a test does."""
    name = re.sub(r"\W", "-", request.node.name)[:60]
    (root / name).mkdir()
    workspace = unfinished(root / name)
    yield workspace
    workspace.store.close()


POLLS: dict[str, Callable[[Api, Workspace], dict[str, Any]]] = {
    "swarms": lambda api, place: api.ask("swarms", folder=place.folder.name),
    "swarms/wine": lambda api, place: api.ask("swarms/wine", folder=place.folder.name),
    "swarms/wine/events": lambda api, place: api.ask(
        "swarms/wine/events", folder=place.folder.name, after=0, limit=2000
    ),
}


@pytest.mark.parametrize("path", POLLS)
def test_a_poll_waits_for_news_and_no_longer(path: str, api: Api, quiet: Workspace) -> None:
    known = POLLS[path](api, quiet)
    query = {"folder": quiet.folder.name, "after": known["cursor"], "ledger": known["ledger"]}
    same, seconds = timed(lambda: api.ask(path, **query, wait=1.5))
    assert same["cursor"] == known["cursor"], "nothing is new"
    assert 1.4 < seconds < 6
    _, seconds = timed(lambda: api.ask(path, **query))
    assert seconds < 1.4, "who does not wait is answered at once"
    begun(lambda: quiet.store.append("wine", [e.Noted(text="news")]), after=0.7)
    new, seconds = timed(lambda: api.ask(path, **query, wait=20))
    assert new["cursor"] > known["cursor"]
    assert 0.6 < seconds < 5, f"{seconds:.1f} s"
    again, seconds = timed(lambda: api.ask(path, **query, wait=20))
    assert again["cursor"] == new["cursor"]
    assert seconds < 5, "what is new already is answered at once"


@pytest.mark.parametrize("path", ["swarms", "swarms/wine"])
def test_a_reader_of_another_ledger_is_answered_at_once(path: str, api: Api, quiet: Workspace) -> None:
    known = POLLS[path](api, quiet)
    query = {"folder": quiet.folder.name, "after": known["cursor"], "wait": 20}
    found, seconds = timed(lambda: api.ask(path, **query, ledger="1-2"))
    assert seconds < 5
    assert found["ledger"] == known["ledger"]
    assert found.get("whole", True)
    ahead, seconds = timed(lambda: api.ask("swarms/wine", **{**query, "after": 10**6}, ledger=known["ledger"]))
    assert seconds < 5
    assert ahead["whole"], "a cursor beyond the end is one of another ledger"


def test_whether_a_runner_lives_is_news(api: Api, quiet: Workspace) -> None:
    known = POLLS["swarms/wine"](api, quiet)
    query = {"folder": quiet.folder.name, "after": known["cursor"], "ledger": known["ledger"], "wait": 20}
    found, seconds = timed(lambda: api.ask("swarms/wine", **query, alive="1"))
    assert seconds < 5, "who thinks that it has a runner is told at once that it has none"
    assert found["card"]["alive"] is False
    begun(lambda: quiet.store.lease("wine", "elsewhere:1", seconds=3), after=0.7)
    found, seconds = timed(lambda: api.ask("swarms/wine", **query, alive="0"))
    assert found["card"]["alive"] is True
    assert 0.6 < seconds < 6
    found, seconds = timed(lambda: api.ask("swarms/wine", **query, alive="1"))
    assert found["card"]["alive"] is False, "a lease that runs out writes nothing, and is noticed nevertheless"
    assert seconds < 10


def test_several_tabs_are_told_together_whoever_reads_first(api: Api, quiet: Workspace) -> None:
    """One asks without waiting (or asks for something) just after the news: those who wait must not miss it."""
    known = POLLS["swarms/wine"](api, quiet)
    listed = POLLS["swarms"](api, quiet)
    query = {"folder": quiet.folder.name, "wait": 20, "ledger": known["ledger"]}

    def tab(path: str, after: int) -> tuple[Any, float]:
        with Api(api.served) as mine:
            return timed(lambda: mine.ask(path, after=after, **query))

    with at_once() as go:
        tabs = [go(tab, "swarms/wine", known["cursor"]) for _ in range(4)] + [go(tab, "swarms", listed["cursor"])]
        time.sleep(1.0)
        taken = api.steer("wine", "priority", "D1", 4, folder=quiet.folder.name).json()
        for _ in range(5):
            POLLS["swarms/wine"](api, quiet)
        answers = [each.result() for each in tabs]
    assert all(seconds < 6 for _, seconds in answers), [round(seconds, 1) for _, seconds in answers]
    assert all(found["cursor"] >= taken["number"] for found, _ in answers[:4])
    assert answers[4][0]["swarms"][0]["cursor"] == taken["number"]


def test_the_list_is_up_to_date_whoever_has_read_before(api: Api, quiet: Workspace) -> None:
    """Who looks at one swarm reads that one only; the list, asked for at once after that, must not take it for read."""
    POLLS["swarms/wine"](api, quiet)
    for number in range(3):
        logs.play(quiet.store, logs.failed(), f"early{number}")
        POLLS["swarms"](api, quiet)
        logs.play(quiet.store, logs.failed(), f"late{number}")
        POLLS["swarms/wine"](api, quiet)
        listed = {each["name"] for each in POLLS["swarms"](api, quiet)["swarms"]}
        assert f"late{number}" in listed


def test_news_is_told_on_the_servers_event_bus(api: Api, quiet: Workspace) -> None:
    """Whoever listens there learns which folder has news, and asks then."""
    bus = f"{api.served.url.replace('http', 'ws', 1)}/api/events/subscribe"
    known = api.ask("swarms/wine", folder=quiet.folder.name)
    query = {"folder": quiet.folder.name, "after": known["cursor"], "ledger": known["ledger"], "wait": 20}
    with closing(create_connection(bus, header=[f"Authorization: token {api.served.token}"], timeout=20)) as listener:
        begun(lambda: quiet.store.append("wine", [e.Noted(text="news")]), after=1)
        assert api.ask("swarms/wine", **query)["cursor"] > known["cursor"]
        told = iter(lambda: json.loads(listener.recv()), None)
        schema = "https://schema.jupyter-swarm.org/changed/v1"
        found = next(each for each in told if each["schema_id"] == schema and each["folder"] == quiet.folder.name)
    assert found["turn"] > 0
    panel = REPOSITORY / "labextension" / "src" / "plugins" / "panel.ts"
    assert f"'{schema}'" in panel.read_text(encoding="utf-8"), "it listens for the same"


def test_the_list_tells_what_models_took(api: Api, quiet: Workspace) -> None:
    asked = e.ModelAsked(
        call="a", agent="inventor-1", role="brainstorming", model="local:m", prompt="ideas 2", tokens_in=900,
        tokens_out=300, dollars=0.9,
    )  # fmt: skip
    took = e.ModelAnswered(call="a", tokens_in=400, tokens_out=20, dollars=0.25, seconds=1.0)

    def spent() -> tuple[int, float | None]:
        (line,) = (each for each in POLLS["swarms"](api, quiet)["swarms"] if each["name"] == "wine")
        card = POLLS["swarms/wine"](api, quiet)["card"]["spend"]
        assert (line["tokens"], line["dollars"]) == (card["tokens"], card["dollars"])
        return line["tokens"], line["dollars"]

    assert spent() == (0, 0.0)
    quiet.store.append("wine", [asked])
    quiet.store.append("wine", [took])
    assert spent() == (420, 0.25)
    unpriced = [msgspec.structs.replace(asked, call="b"), msgspec.structs.replace(took, call="b", dollars=None)]
    quiet.store.append("wine", unpriced)
    assert spent() == (840, None)


def test_a_reader_gets_exactly_what_has_changed(api: Api, quiet: Workspace) -> None:
    known = POLLS["swarms/wine"](api, quiet)

    def news() -> dict[str, Any]:
        query = {"after": known["cursor"], "ledger": known["ledger"]}
        found: dict[str, Any] = api.ask("swarms/wine", folder=quiet.folder.name, **query)
        return found

    found = news()
    parts = ("directions", "findings", "agents", "log", "answers", "knobs")
    assert {part: found[part] for part in parts} == {part: [] for part in parts}
    assert (found["whole"], found["runs"]["number"]) == (False, [])
    quiet.store.append("wine", [e.Noted(text="a line")])
    found = news()
    assert [each["text"] for each in found["log"]] == ["a line"]
    assert (found["directions"], found["findings"], found["agents"], found["runs"]["number"]) == ([], [], [], [])
    quiet.store.append("wine", [e.DirectionOpened(direction="D9", title="A ninth", agent="tuning-4", targets=())])
    assert [each["id"] for each in news()["directions"]] == ["D9"]
    started = next(move[1] for move in logs.wine() if isinstance(move[1], e.ExperimentStarted))
    quiet.store.append("wine", [e.ExperimentStarted(number=901, experiment=started.experiment)])
    found = news()
    assert (found["runs"]["number"], found["runs"]["state"]) == ([901], ["running"])
    assert found["card"]["running"] == known["card"]["running"] + 1


# ---------------------------------------------------------------- the law: merging what is new is the whole


class Reader:
    """Keeps what a panel would: parts by id, replaced by what is new of them."""

    def __init__(self) -> None:
        self.cursor = 0
        self.parts: dict[str, dict[Any, Any]] = {}
        self.card: Any = None
        self.log: list[Any] = []

    def take(self, mirror: Mirror) -> None:
        """What is new since the last time."""
        found = json.loads(mirror.changes(self.cursor, "l"))
        if found["whole"]:
            self.parts, self.log = {}, []
        for part in ("directions", "findings", "agents"):
            self.parts.setdefault(part, {}).update({each["id"]: each for each in found[part]})
        columns = found["runs"]
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        self.parts.setdefault("runs", {}).update({row["number"]: row for row in rows})
        answers = self.parts.get("answers", {}) | {each["number"]: each for each in found["answers"]}
        self.parts["answers"] = {number: answers[number] for number in sorted(answers)[-ANSWERS:]}
        self.log = [*self.log, *found["log"]][-LINES:]
        self.card, self.cursor = found["card"], found["cursor"]


STORIES = {
    "wine": [event for _, event in logs.wine()],
    "failed": [event for _, event in logs.failed()],
    "hostile": [event for _, event in logs.hostile("<b>")],
}
STEERED = [
    e.SteeringRequested(verb="priority", target="D1", value=5.0),
    e.SteeringRequested(verb="veto", target="H3"),
    e.SteeringRequested(verb="approve", target="H1"),
]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), story=st.sampled_from(sorted(STORIES)))
def test_merging_changes_from_any_cursor_to_any_cursor_is_the_whole(data: st.DataObject, story: str) -> None:
    check_law(STORIES[story], data)


@pytest.fixture(scope="module")
def told(live: Workspace) -> list[e.AnyEvent]:
    """What a real swarm has written so far."""
    return [record.event for record in live.store.read(0, swarm="study", limit=1500)]


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_same_of_a_real_swarm(data: st.DataObject, told: list[e.AnyEvent]) -> None:
    check_law(told, data)


def check_law(events: list[e.AnyEvent], data: st.DataObject) -> None:
    """Three readers that come when they like, and one who sees all at the end, know the same."""
    cuts = sorted(data.draw(st.sets(st.integers(1, len(events) - 1), max_size=9), "where the reading is cut"))
    with short() as folder:
        workspace = Workspace(folder)
        workspace.swarm("wine")
        mirror, readers = Mirror(workspace, "wine"), [Reader() for _ in range(3)]
        for start, end in zip([0, *cuts], [*cuts, len(events)], strict=True):
            workspace.store.append("wine", [*events[start:end], *data.draw(st.lists(st.sampled_from(STEERED)))])
            mirror.refresh()
            for reader, comes in zip(readers, data.draw(st.tuples(*[st.booleans()] * 3), "who reads"), strict=True):
                if comes:
                    reader.take(mirror)
        whole = Reader()
        fresh = Mirror(workspace, "wine")
        fresh.refresh()
        whole.take(fresh)
        for reader in readers:
            reader.take(mirror)
            for part, known in whole.parts.items():
                assert reader.parts[part] == known, part
            assert (reader.card, reader.cursor) == (whole.card, whole.cursor)
            assert reader.log == whole.log
        workspace.store.close()


def test_the_law_can_fail() -> None:
    """A mirror that forgets to mark a change is found out."""
    with short() as folder:
        workspace = played(folder)
        mirror, late = Mirror(workspace, "wine"), Reader()
        mirror.refresh()
        late.take(mirror)
        workspace.store.append("wine", [e.DirectionOpened(direction="D9", title="A ninth", agent="", targets=())])
        mirror._mark = lambda: None  # type: ignore[method-assign]
        mirror.refresh()
        late.take(mirror)
        assert "D9" in mirror.state.directions
        assert "D9" not in late.parts["directions"]
        workspace.store.close()
