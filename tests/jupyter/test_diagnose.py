"""`%swarm diagnose` in a real shell, and `jupyter swarm diagnose` in a terminal."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import logs
import msgspec
from IPython.core.error import UsageError as Told

from jupyter_swarm import events as e
from jupyter_swarm.api import Swarm
from jupyter_swarm.diagnosis.failure import place_of
from jupyter_swarm.jupyter import verbs
from jupyter_swarm.workspace import Workspace

CELL = """\
history = {"loss": [2.0 / (1 + 0.3 * t) for t in range(40)], "lr": [0.01] * 40}
broken = [1.0, 0.8, float("inf")]
X = [[t % 7, 5.0, (t // 2) % 5] for t in range(60)]
y = [t % 2 for t in range(60)]
"""
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ready(shell: Any) -> Any:
    """A shell with a history and data."""
    assert shell.run_cell(CELL).success
    return shell


def said(shell: Any, capsys: pytest.CaptureFixture[str], line: str) -> str:
    """What the verb prints."""
    capsys.readouterr()
    shell.run_line_magic("swarm", f"diagnose {line}")
    return " ".join(capsys.readouterr().out.split())


def test_a_history_with_nothing_wrong(ready: Any, capsys: pytest.CaptureFixture[str]) -> None:
    found = said(ready, capsys, "history")
    assert "Nothing of 5 tests speaks: nan, divergence, plateau, rate too high, rate too low." in found
    assert "Nothing to look at for 10 tests: failure, norms" in found


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("broken", ["broken is infinite from step 2", "0.8 at step 1", "Try: ", "read as a loss"]),
        ("history X y", ["constant features: X[1] is constant", "X[1] is 5.0 in all 60 rows", "drop them"]),
        ("- X y", ["constant features: X[1] is constant"]),
        ('\'history["loss"][:5] + [float("nan")]\'', ["is NaN from step 5"]),
        ("'{\"loss\": broken}' X", ["loss is infinite from step 2", "constant features"]),
        ("train.log", ["loss is NaN from step 3", "loss last finite value: 0.5 at step 2"]),
        ("path", ["loss is NaN from step 3"]),
    ],
)
def test_what_can_be_named(ready: Any, capsys: pytest.CaptureFixture[str], line: str, words: list[str]) -> None:
    Path("train.log").write_text("epoch 1 loss=0.9\nepoch 2 loss=0.5\nepoch 3 loss=nan\n")
    ready.user_ns["path"] = Path("train.log")
    found = said(ready, capsys, line)
    for each in words:
        assert each in found


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "needs EXPR"),
        ("histry", "'histry' is no file, and is no variable.*history"),
        ("history[loss]", "name 'loss' is not defined.*quotation marks"),
        ("history[", "is no expression"),
        ("1/0", "is no file, and cannot be evaluated: ZeroDivisionError"),
        ("'len(3)'", "len.* cannot be evaluated: TypeError"),
        ("nothing.log", "there is no file nothing.log"),
        ("y.append", "cannot be read as a log"),
        ("history X z", "'z' is no variable"),
        ("history X history", "history has|is no column"),
        ("-", "nothing to look at"),
        ("wine 12", "no swarm 'wine'"),
        ("history X y more", "'more'"),
    ],
)
def test_what_cannot_be_read_is_said(ready: Any, line: str, words: str) -> None:
    with pytest.raises(Told, match=words) as error:
        ready.run_line_magic("swarm", f"diagnose {line}")
    assert "Try: " in str(error.value)


def test_help_and_the_table_know_it(ready: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert verbs.VERBS["diagnose"].usage("%swarm") == ("%swarm diagnose EXPR [X] [y] [--model MODEL] [--base-url URL]")
    ready.run_line_magic("swarm", "help diagnose")
    assert "%swarm diagnose wine 12" in capsys.readouterr().out
    from jupyter_swarm.jupyter.completion import complete

    assert "diagnose" in complete("%swarm d")[1]


def wine(folder: Path) -> Swarm:
    """The played swarm `wine`, with a run more that diverged."""
    workspace = Workspace(folder).create()
    workspace.swarm("wine")
    logs.play(workspace.store, logs.wine(), "wine")
    state = Swarm("wine", workspace).state
    row = state.rows[1]
    assert row.run is not None
    number = max(state.rows) + 1
    curve = tuple((float(t), 0.9 - 0.8 * max(0, t - 10) / 30) for t in range(40))
    run = msgspec.structs.replace(row.run, curves={"accuracy": curve})
    started = e.ExperimentStarted(number=number, experiment=row.experiment)
    workspace.store.append("wine", [started, e.ExperimentFinished(number=number, run=run)])
    return Swarm("wine", workspace)


def test_runs_of_a_swarm(ready: Any, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    swarm = wine(folder)
    rows = swarm.state.rows
    failed = next(number for number, row in rows.items() if row.run is not None and row.run.reason == "failure")
    found = said(ready, capsys, f"wine {failed}")
    assert "1. failure: it ended in an error ValueError: n_components=50" in found
    assert "accuracy falls after step" in said(ready, capsys, f"wine {max(rows)}"), (
        "the metric's direction is the swarm's"
    )
    good = next(number for number, row in rows.items() if row.run is not None and row.run.ok and not row.run.curves)
    for line, words in ((f"wine {good}", "logged no curve"), ("wine 99999", "does not exist"), ("wine", "which run")):
        with pytest.raises(Told, match=words):
            ready.run_line_magic("swarm", f"diagnose {line}")


def test_the_line_that_ipython_names(ready: Any) -> None:
    result = ready.run_cell("rate = 0.1\nimport json\nmodel = json.loads('{')\n", store_history=True)
    error = result.error_in_exec
    lines = ready.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)
    place = place_of(re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines)))
    assert place is not None
    assert (place.line, place.code) == (3, "model = json.loads('{')")


def test_in_a_terminal(command: Command, folder: Path) -> None:
    wine(folder)
    (folder / "train.csv").write_text("epoch,loss\n" + "".join(f"{t},0.6931\n" for t in range(30)))
    done = command("diagnose", "train.csv", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert [each["kind"] for each in answer["signs"]] == ["plateau"]
    assert {"loss at the start: 0.6931 at step 0", "guessing among 2 classes gives: 0.6931"} <= set(
        answer["signs"][0]["evidence"]
    )
    assert "divergence" in answer["looked"]
    assert "norms" in answer["idle"]
    assert "1. plateau: loss stays where it began" in command("diagnose", "train.csv").stdout
    for words, why in ((("history",), "needs a notebook"), (("train.csv", "X", "y"), "need a notebook"),
                       (("no.log",), "there is no file")):  # fmt: skip
        done = command("diagnose", *words)
        assert done.returncode == 2
        assert why in done.stderr
    done = command("diagnose", "wine", 99999)
    assert "does not exist" in done.stderr
    assert "diagnose wine 12" in command("diagnose", "wine").stderr


def test_a_diagnosis_imports_nothing_heavy(folder: Path) -> None:
    (folder / "train.csv").write_text("epoch,loss\n0,1\n1,0.5\n")
    code = (
        "import sys\nfrom jupyter_swarm.diagnosis import logfile, case, examining\nfrom pathlib import Path\n"
        f"examining.diagnose(case.Case(logfile.read(Path({str(folder / 'train.csv')!r})).series))\n"
        "print([name for name in ('numpy', 'pandas', 'torch', 'sqlalchemy', 'IPython') if name in sys.modules])\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "[]"
