"""`jupyter swarm …` as a real process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from faces import CELL, CONTEXT, HEAVY, SLOW, lives, wait_for
from test_source import notebook

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import logs

from jupyter_swarm import __version__
from jupyter_swarm import events as e
from jupyter_swarm.api import Swarm, list_swarms
from jupyter_swarm.workspace import Workspace

Command = Callable[..., subprocess.CompletedProcess[str]]
KEYS = ["name", "state", "experiments", "baseline", "best", "findings", "spend"]


@pytest.fixture
def study(folder: Path) -> Path:
    """A Python file in percent format."""
    path = folder / "study.py"
    path.write_text(f"# %%\nprint('the context prints')\n{CONTEXT}\n# %%\n{CELL}", encoding="utf-8")
    return path


@pytest.fixture
def wine(folder: Path) -> Workspace:
    """A workspace in which the swarm `wine` is over, as its ledger says."""
    workspace = Workspace(folder)
    workspace.swarm("wine")
    logs.play(workspace.store, logs.wine())
    return workspace


@pytest.mark.slow
def test_a_run_that_is_waited_for_prints_one_object_and_the_same_run_again_is_the_same(
    study: Path, command: Command
) -> None:
    words = ("run", study, "--maximize", "score", "--budget", "8x", "--agents", "4")
    first = command(*words, "--wait", "--json")
    assert first.returncode == 0, first.stderr
    found = json.loads(first.stdout)
    assert list(found) == KEYS
    assert (found["name"], found["state"]) == ("study", "done")
    assert found["baseline"]["n"] == 3
    assert 0.75 < found["baseline"]["mean"] < 0.9
    assert found["experiments"] <= 8
    assert "the context prints" in first.stderr
    assert "study has begun: 4 agents, budget 8 experiments." in first.stderr
    again = command(*words, "--wait")
    assert "this is study again, with the data taken then. It is over" in again.stderr
    assert "The cell as given has score" in again.stdout
    assert [swarm.name for swarm in list_swarms(Workspace(study.parent))] == ["study"]
    opened = command("open", "study", "1", "--json")
    assert Path(json.loads(opened.stdout)["notebook"]).is_file()
    assert command("clean").stdout.startswith("Freed ")


@pytest.mark.slow
def test_a_notebook_brings_its_own_line_and_an_interrupt_leaves_the_swarm_running(
    folder: Path, command: Command, request: pytest.FixtureRequest
) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is born deaf to it
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    path = notebook(
        folder / "n.ipynb", "%load_ext jupyter_swarm\nagents = 3", CONTEXT,
        f"%%swarm long --maximize nonsense --budget 10m --agents {{{{agents}}}} --here\n{SLOW}",
    )  # fmt: skip
    words = [sys.executable, "-m", "jupyter_swarm.jupyter.cli", "run", str(path), "--minimize", "score", "--wait"]
    with subprocess.Popen(words, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for(lambda: lives(folder, "long"), 60, "the runner")
        finally:
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "interrupted; long goes on" in err
    assert "Traceback" not in err
    long = Swarm("long", folder)
    asked = long.state.request
    assert asked is not None
    assert (asked.agents, asked.objective.maximize, asked.budget.seconds) == (3, False, 600)
    so_far = long.state.experiments
    wait_for(lambda: long.state.experiments > so_far, 60, "another experiment")
    assert "long: " in command("status", "long").stdout
    assert command("stop", "long").returncode == 0
    watched = command("watch", "long", "--json")
    assert json.loads(watched.stdout)["state"] == "stopped"


@pytest.mark.slow
def test_without_wait_it_returns_at_once_and_a_cell_that_fails_is_a_failure(folder: Path, command: Command) -> None:
    (folder / "bad.py").write_text("alpha = 0.5  #: 0.1..1\nscore = alpha / int('0')\n", encoding="utf-8")
    began = command("run", "bad.py", "--maximize", "score", "--budget", "4x", "--agents", "2", "--json")
    assert began.returncode == 0
    assert json.loads(began.stdout)["experiments"] == 0
    assert json.loads(began.stdout)["name"] == "bad"
    ended = command("watch", "bad")
    assert ended.returncode == 1
    assert "ZeroDivisionError" in ended.stdout


def test_a_plan_starts_nothing(study: Path, command: Command) -> None:
    shutil.rmtree(study.parent / ".swarm")
    plan = command("run", study, "--maximize", "score", "--plan", "--json", "--fix", "measure.rate")
    assert plan.returncode == 0, plan.stderr
    found = json.loads(plan.stdout)
    assert found["captures"][0]["name"] == "measure"
    assert "measure.rate" not in [knob["name"] for knob in found["knobs"]]
    assert "2 min with" in found["budget"]
    assert not (study.parent / ".swarm").exists()


def test_the_verbs_print_text_or_one_object(wine: Workspace, command: Command) -> None:
    state = Swarm("wine", wine).state
    assert state.best is not None
    assert list(json.loads(command("status", "--json").stdout)) == KEYS
    findings = json.loads(command("findings", "wine", "--json").stdout)["findings"]
    assert [each["verdict"] for each in findings] == [
        each.evidence.verdict for each in state.findings() if each.evidence
    ]
    assert findings[0]["citations"][0] == {"paper": logs.DOCS.title, "place": logs.DOCS.place, "quote": logs.DOCS.quote}
    best = json.loads(command("best", "--json").stdout)
    assert (best["mean"], best["code"]) == (state.best.mean, state.best.variation.code)
    assert state.best.variation.code.strip() in command("best").stdout
    assert json.loads(command("list", "--json").stdout)["swarms"][0]["name"] == "wine"
    assert json.loads(command("plan", "wine", "--json").stdout)["metric"] == "accuracy"
    elsewhere = command("list", "--workspace", wine.folder, cwd="/")
    assert "wine" in elsewhere.stdout
    environment = {**os.environ, "JUPYTER_SWARM_WORKSPACE": str(wine.folder)}
    assert "wine" in command("list", cwd="/", env=environment).stdout


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["stauts"], 2, "no verb 'stauts'. Try: status"),
        (["status", "--jsn"], 2, "no option --jsn. Try: --json"),
        (["status", "nothing"], 2, "no swarm 'nothing'"),
        (["--json", "list"], 2, "before any verb"),
        (["list", "--workspace", "no/where"], 2, "the folder no/where does not exist"),
        (["run"], 2, "needs FILE"),
        (["run", "nothing.py", "--maximize", "x"], 2, "the file nothing.py does not exist"),
        (["run", "study.py"], 2, "say what to measure"),
        (["run", "study.py", "--maximize", "score", "--budget", "0"], 2, "no budget"),
        (["run", "study.py", "--maximize", "speed"], 1, "never assigns 'speed'"),
        (["papers", "add", "no/such.pdf"], 1, "no/such.pdf"),
        (["papers", "add", "module:no_such_module"], 1, "no_such_module"),
        (["clean", "nothing"], 2, "no swarm 'nothing'"),
        (["steer", "nothing", "--budget", "1x"], 2, "no swarm 'nothing'"),
    ],
)
def test_a_mistake_is_one_message_on_stderr(
    study: Path, command: Command, words: list[str], status: int, said: str
) -> None:
    ran = command(*words)
    assert ran.returncode == status
    assert ran.stdout == ""
    messages = ran.stderr.replace("the context prints\n", "")
    assert messages.startswith("jupyter swarm: ")
    assert said in messages
    assert "Traceback" not in messages


def test_help_and_version(command: Command) -> None:
    assert command("--version").stdout == f"jupyter-swarm {__version__}\n"
    assert command().stdout == command("--help").stdout == command("help").stdout
    assert command("help", "run").stdout == command("run", "--help").stdout
    assert "--maximize METRIC" in command("help", "run").stdout
    assert shutil.which("jupyter-swarm", path=str(Path(sys.executable).parent)), "so that `jupyter swarm` finds it"


def test_a_pipe_that_closes_is_no_error(wine: Workspace) -> None:
    words = f"{sys.executable} -m jupyter_swarm.jupyter.cli findings wine | true"
    ran = subprocess.run(
        ["bash", "-c", words], cwd=wine.folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.stderr == ""


def test_a_ledger_of_a_newer_version_is_refused(wine: Workspace, command: Command) -> None:
    def become(version: int) -> None:
        with closing(sqlite3.connect(wine.root / "ledger.sqlite")) as ledger:
            ledger.execute(f"PRAGMA user_version = {version}")

    become(999)
    try:
        ran = command("status", "wine")
    finally:
        become(1)
    assert ran.returncode == 1
    assert "the ledger has format 999" in ran.stderr
    assert "pip install --upgrade" in ran.stderr
    assert command("status", "wine").returncode == 0


def in_private(study: Path, size: str, before: str) -> subprocess.CompletedProcess[str]:
    """Ask for a swarm on a small file system of its own, after some preparation there."""
    words = (
        f"mount -t tmpfs -o size={size} none {study.parent} 2>/dev/null || exit 77; cd {study.parent}; "
        f"cat > study.py; {before}; "
        f"{sys.executable} -m jupyter_swarm.jupyter.cli run study.py --maximize score; status=$?; ls -A .swarm/swarms; "
        "exit $status"
    )
    namespaces = ["unshare", "-rm"] if os.geteuid() else ["unshare", "-m"]
    command = [*namespaces, "bash", "-c", words]
    ran = subprocess.run(command, input=study.read_text(), capture_output=True, text=True, timeout=60, check=False)
    if ran.returncode == 77 or "unshare failed" in ran.stderr:
        pytest.skip("no private mount can be made here")
    return ran


@pytest.mark.parametrize(
    ("size", "before", "said"),
    [
        ("1m", "mount -o remount,ro .", "Read-only file system"),
        ("200k", "dd if=/dev/zero of=filler bs=1k 2>/dev/null", "No space left"),
        ("200k", "dd if=/dev/zero of=filler bs=1k count=170 2>/dev/null", "disk"),
    ],
)
def test_a_folder_that_is_read_only_or_full_is_said_and_no_swarm_begins(
    study: Path, size: str, before: str, said: str
) -> None:
    ran = in_private(study, size, before)
    assert ran.returncode == 1, ran.stderr
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == "", "a swarm has a folder there"


def test_nothing_heavy_is_imported(wine: Workspace) -> None:
    code = (
        "import sys\nfrom jupyter_swarm.jupyter.cli import main\n"
        "for words in ('status', 'findings', 'list', 'best', 'report', 'papers list', 'help run'):\n"
        "    assert main(words.split()) == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=wine.folder, capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == "[]"


def test_words_of_others_do_not_steer_the_terminal(folder: Path, command: Command) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07 wine [bold]"
    workspace = Workspace(folder)
    workspace.swarm("hostile")
    logs.play(workspace.store, logs.hostile(evil), "hostile")
    for verb in ("status", "findings", "list", "plan", "best"):
        ran = command(verb)
        assert ran.returncode == 0, ran.stderr
        assert "\x1b" not in ran.stdout
        assert "\x07" not in ran.stdout
    assert "[bold]" in command("findings").stdout


def test_it_is_quick_to_say_nothing(command: Command) -> None:
    began = time.monotonic()
    assert command("--version").returncode == 0
    assert time.monotonic() - began < 5


def test_what_nobody_asked_for_is_as_much_as_an_administrator_allows(
    study: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_SWARM_POLICY", '{"agents": 3, "seconds": 5}')
    began = command("run", study, "--maximize", "score", "--name", "small", "--wait", "--json")
    assert began.returncode == 0, began.stderr
    asked = next(iter(Workspace(study.parent).store.read(0, swarm="small"))).event
    assert isinstance(asked, e.SwarmRequested)
    assert (asked.agents, asked.budget.seconds) == (3, 5.0)
    refused = command("run", study, "--maximize", "score", "--name", "large", "--agents", "4")
    assert "4 agents are more than the 3 that are allowed" in refused.stderr
