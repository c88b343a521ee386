"""Keys appear nowhere: after a full run with a detached runner, everything that it has left is looked through."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from injections import KEY
from test_language import kind_of

from jupyter_swarm import Swarm, events, report
from jupyter_swarm.experiments.records import executed
from jupyter_swarm.jupyter.verbs import VERBS, Asked, read
from jupyter_swarm.jupyter.view import panes
from jupyter_swarm.library import LocalLibrary
from jupyter_swarm.outcome import outcome
from jupyter_swarm.state import SwarmState
from jupyter_swarm.testing import Fault, ModelServer, Reply, Request
from jupyter_swarm.workspace import Workspace

pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

NAME = "iris"
NOTEBOOK = """
from sklearn.datasets import load_iris
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC

X, y = load_iris(return_X_y=True)
"""
CELL = '''"""Which scaling suits these flowers?"""
import os
print("ENVIRONMENT", sorted(os.environ.items()))
model = make_pipeline(MinMaxScaler(), SVC(C=1.0))
accuracy = cross_val_score(model, X, y, cv=StratifiedKFold(3, shuffle=True, random_state=seed)).mean()
'''
QUICK = """
import random

def SVC(C=1.0, degree=3, shrinking=True, seed=0):
    return random.Random(seed).gauss(0, 1)
"""
QUICK_CELL = '''"""Which scaling suits these flowers?"""
accuracy = SVC(C=1.0, degree=3, shrinking=True, seed=seed)
'''
PAPER = (
    "# Scaling\n\nScaling suits flowers. A large C suits them, too, and which scaling suits is a question of taste.\n"
)
PAGES = (
    ("findings", NAME), ("status", NAME), ("spend", NAME), ("spend",), ("models",), ("list",), ("log", NAME),
    ("papers", "list"), ("papers", "search", "scaling"),
)  # fmt: skip


# ---------------------------------------------------------------- looking everywhere


def everywhere(workspace: Workspace, state: SwarmState) -> dict[str, str]:
    """Where → its text: each file of the folder as it lies there, and the executed notebook of each run, which its
    journal holds compressed.
    """
    found = {
        str(path.relative_to(workspace.folder)): path.read_bytes().decode("latin-1")
        for path in workspace.folder.rglob("*")
        if path.is_file()
    }
    for row in state.rows.values():
        body = executed.body(workspace.root, row.run.notebook) if row.run is not None and row.run.notebook else None
        if body is not None:
            found[f"the notebook of run {row.number}"] = body.decode()
    return found


def pages(workspace: Workspace, state: SwarmState) -> dict[str, str]:
    """All that a person is shown, as HTML, as text and as data."""
    found = {"view": panes.html(state), "outcome": json.dumps(outcome(state))}
    for verb, *words in PAGES:
        if verb in VERBS:
            answer = VERBS[verb].carry_out(Asked(read(VERBS[verb], words, "terminal"), workspace, "terminal"))
            found[f"{verb} {' '.join(words)}"] = answer._repr_html_() + repr(answer) + json.dumps(answer.data)
    return found


def holding(key: str, texts: dict[str, str]) -> list[str]:
    """Where a key stands: as it is, or so written that a program reads it at once."""
    forms = [key, base64.b64encode(key.encode()).decode(), key.encode().hex(), key[::-1]]
    return [name for name, text in texts.items() if any(each in text for each in forms)]


class Beside(NamedTuple):
    """A process below the runner."""

    command: str
    environment: str


def beside(runner: int, seen: dict[int, Beside]) -> None:
    """Remember the processes below a runner, and its own command."""
    try:
        parent = psutil.Process(runner)
        for each in (parent, *parent.children(recursive=True)):
            place = Path(f"/proc/{each.pid}")
            command = place.joinpath("cmdline").read_bytes().decode("latin-1")
            environment = "" if each.pid == runner else place.joinpath("environ").read_bytes().decode("latin-1")
            seen[each.pid] = Beside(command, environment)
    except (OSError, psutil.Error):
        return


# ---------------------------------------------------------------- a whole run


def researcher(asked: Request) -> Reply | Fault:
    """A model whose provider now and then quotes the key: in an error, and in an answer."""
    errors = {
        1: Fault(500, text=f"upstream rejected the header Authorization: Bearer {KEY}"),
        2: Fault(429, retry_after=0.1, text=f"too many requests for {KEY}"),
        4: Fault(401, text=f"Incorrect API key provided: {KEY}. You can find yours on this page."),
    }
    if asked.number in errors:
        return errors[asked.number]
    kind = kind_of(asked)
    said = f"the key {KEY} was good"
    passages = [part.split('"')[0] for part in asked.text.split('kind="passage" name="')[1:]]
    quoted = {"passage": passages[0] if passages else "P1", "quote": "A large C suits them, too"}
    value = 2.0 + asked.number / 4
    edits = [{"kind": "set", "target": "SVC.C", "value": value}]
    code = f'@@\n """Which scaling suits these flowers?"""\n+tried = "{asked.number} {KEY}"\n'
    answers: dict[str, Any] = {
        "ideas": {
            "ideas": [{"statement": said, "why": said, "refuted_if": said, "edits": edits, "passages": passages}]
        },
        "code": {"statement": said, "diff": code, "why": said},
        "spaces": {"ranges": [{"knob": "SVC.C", "low": 0.5, "high": 50.0, "why": said}]},
        "claims": {"claims": [{**quoted, "statement": said, "edits": edits, "refuted_if": said}]},
        "summary": {"sentences": [said, "This study had 40 runs."]},
    }
    if kind in answers:
        return Reply(text=said, calls=[("answer", answers[kind])])
    scores = [{"passage": each, "score": 3} for each in passages]
    reading = {
        "queries": [said], "scores": scores, "sentences": [{"text": said, "quotations": [quoted]}], "disputes": [],
    }  # fmt: skip
    return Reply(calls=[("answer", reading)])


def run(
    folder: Path,
    answer: Callable[[Request], Reply | Fault],
    seen: dict[int, Beside],
    *,
    notebook: str = NOTEBOOK,
    code: str = CELL,
    **more: Any,
) -> Swarm:
    """A swarm from its beginning to its end, by a detached runner."""
    (folder / "notes.md").write_text(PAPER, encoding="utf-8")
    workspace = Workspace(folder).create()
    LocalLibrary(workspace, vectors=False).add([folder / "notes.md"])
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(notebook, space)
    with ModelServer(answer) as server:
        swarm = Swarm.start(
            code, name=NAME, maximize="accuracy", namespace=space, workspace=workspace, workers=2, base_url=server.url,
            **{"budget": "40x", **more},
        )  # fmt: skip
        end = time.monotonic() + 120
        while not swarm.state.over:
            assert time.monotonic() < end, swarm.state.log[-5:]
            if swarm.state.pid:
                beside(swarm.state.pid, seen)
            time.sleep(0.1)
        assert server.requests
        assert all(each.headers["authorization"] == f"Bearer {KEY}" for each in server.requests), "it was in use"
        assert not holding(KEY, {str(each.number): _without_answers(each) for each in server.requests})
    return swarm


def _without_answers(asked: Request) -> str:
    """What of a request is ours."""
    return json.dumps([each for each in asked.messages if each["role"] != "assistant"])


class Study(NamedTuple):
    """A run that is over."""

    swarm: Swarm
    processes: dict[int, Beside]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    folder, seen = tmp_path_factory.mktemp("keys"), dict[int, Beside]()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("OPENAI_API_KEY", KEY)
        patched.setenv("XDG_CONFIG_HOME", str(folder / "home"))
        patched.setenv("JUPYTER_SWARM_LIBRARIAN_IDLE_SECONDS", "1")
        swarm = run(folder, researcher, seen, agents=16, models="openai:scripted")
        report.write(swarm.workspace, NAME)
        yield Study(swarm, seen)
    swarm.workspace.store.close()


def test_the_run_was_a_whole_one(study: Study) -> None:
    state, records = study.swarm.state, study.swarm.workspace.store.read(0, swarm=NAME)
    happened = [record.event for record in records]
    assert state.phase == "done"
    failed = [event.failed for event in happened if isinstance(event, events.ModelAnswered) and event.failed]
    assert any("500" in each for each in failed)
    assert any("429" in each for each in failed)
    assert [event for event in happened if isinstance(event, events.TaskFinished) and "401" in event.why]
    assert {"literature", "brainstorming", "implementation"} <= {role for _, role, _ in state.spent}
    minds = {each.id: each.mind for each in state.agents.values()}
    assert any(minds[case.hypothesis.agent] == "openai:scripted" for case in state.cases.values())


def test_no_key_is_left_on_the_disk(study: Study) -> None:
    texts = everywhere(study.swarm.workspace, study.swarm.state)
    assert any("ledger.sqlite" in name for name in texts)
    assert f".swarm/swarms/{NAME}/runner.log" in texts
    assert f"{NAME}-report.ipynb" in texts
    notebook = texts["the notebook of run 1"]
    assert "ENVIRONMENT" in notebook, "what the cell has printed is there"
    assert "PATH" in notebook
    assert holding(KEY, texts) == []


def test_no_page_shows_a_key(study: Study) -> None:
    shown = pages(study.swarm.workspace, study.swarm.state)
    assert len(shown) >= 7
    assert "openai" in shown["models "]
    assert holding(KEY, shown) == []
    words = [sys.executable, "-m", "jupyter_swarm.jupyter.cli", "findings", NAME, "--json"]
    done = subprocess.run(
        words, cwd=study.swarm.workspace.folder, capture_output=True, text=True, timeout=60, check=True
    )
    assert holding(KEY, {"out": done.stdout, "err": done.stderr}) == []


def test_no_experiment_is_told_the_key(study: Study) -> None:
    """The runner, its questions to an interpreter and the librarian have it: there no code of a model's runs."""
    assert holding(KEY, {str(pid): each.command for pid, each in study.processes.items()}) == []
    experiments = {
        str(pid): each.environment for pid, each in study.processes.items() if "/experiments/" in each.command
    }
    assert len(experiments) > 3, "keeper, zygote and runs were seen"
    assert holding(KEY, experiments) == []


def test_a_key_that_was_left_would_be_found(study: Study, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path).create()
    workspace.store.append(NAME, [events.Noted(text=f"with {KEY}")])
    planted = workspace.swarm(NAME) / "runner.log"
    planted.write_text(base64.b64encode(KEY.encode()).decode())
    found = holding(KEY, everywhere(workspace, SwarmState(name=NAME)))
    assert str(planted.relative_to(tmp_path)) in found
    assert any("ledger.sqlite" in name for name in found)
    state = SwarmState.of(workspace.store.read(0, swarm=NAME), NAME)
    assert holding(KEY, {"view": panes.html(state)}) == ["view"]
    assert holding(KEY, {"environment": f"OPENAI_API_KEY={os.environ['OPENAI_API_KEY']}"}) == ["environment"]
    workspace.store.close()


# ---------------------------------------------------------------- two models


def test_of_two_models_the_one_that_is_down_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("JUPYTER_SWARM_LIBRARIAN_IDLE_SECONDS", "1")

    def answer(asked: Request) -> Reply | Fault:
        return Fault(503, text="down for maintenance") if asked.model == "b" else researcher(asked)

    swarm = run(
        tmp_path, answer, {}, notebook=QUICK, code=QUICK_CELL, agents=16, budget="60x", models="openai:a openai:b"
    )
    state = swarm.state
    hired = {
        mind: {each.id for each in state.agents.values() if each.mind == mind} for mind in ("openai:a", "openai:b")
    }
    assert all(hired.values())
    assert state.phase == "done"
    happened = [record.event for record in swarm.workspace.store.read(0, swarm=NAME)]
    asked = {event.call: event.model for event in happened if isinstance(event, events.ModelAsked)}
    ended = [event for event in happened if isinstance(event, events.ModelAnswered)]
    assert any(not event.failed for event in ended if asked[event.call] == "openai:a")
    down = [event for event in ended if asked[event.call] == "openai:b"]
    assert any("503" in event.failed for event in down)
    assert all(event.failed and (not event.tokens_out or event.guessed) for event in down), "an error costs nothing"
    authors = {case.hypothesis.agent for case in state.cases.values()}
    assert authors & hired["openai:a"], "the other's ideas are tried"
    assert not authors & {name for name in hired["openai:b"] if state.agents[name].role == "implementation"}
    swarm.workspace.store.close()
