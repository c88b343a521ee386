"""The magics in a real InteractiveShell: what is refused, and that nothing is begun then."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import logs
from faces import CELL, CONTEXT
from IPython.core.error import UsageError as Told

from jupyter_swarm.api import Swarm, list_swarms
from jupyter_swarm.workspace import Workspace


def refused(shell: Any, line: str, cell: str = CELL) -> str:
    """The message with which a cell is refused; no swarm begins."""
    with pytest.raises(Told) as error:
        shell.run_cell_magic("swarm", line, cell)
    assert list_swarms(Workspace(Path.cwd())) == []
    assert error.value.__suppress_context__, "no traceback of ours"
    return str(error.value)


@pytest.fixture
def ready(shell: Any) -> Any:
    """A shell in which `measure` is defined."""
    exec(CONTEXT, shell.user_ns)
    return shell


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("wine", "say what to measure"),
        ("wine --maximize score --minimize score", "choose one"),
        ("wine --maximize 3score", "no name of a variable"),
        ("wine --maximize accuracy", "never assigns 'accuracy'"),
        ("wine --maximise score", "has no option --maximise"),
        ("2wine --maximize score", "no name for a swarm"),
        ("wine --maximize score --budget 0x", "buys nothing"),
        ("wine --maximize score --budget soon", "no budget"),
        ("wine --maximize score --agents 1000000", "make no swarm"),
        ("wine --maximize score --workers 100000", "run nothing"),
        ("wine --maximize score --mind deep-thought", "no mind 'deep-thought'"),
        ("wine --maximize score --vary nothing_there", "nothing_there"),
        ("wine --maximize score --fix nothing_there", "nothing_there"),
        ("wine --maximize score --vary measure.rate=often", "neither a range nor choices"),
        ("wine --maximize {{metric}}", "no variable 'metric'"),
        ('wine --maximize "score', "close the quotation mark"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused(ready: Any, line: str, said: str) -> None:
    assert said in refused(ready, line)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("score = = 1", "parse"),
        ("%%bash\nls", "line 1"),
        ("# nothing but words\n", "empty"),
        ("score = measur(rate=0.3)", "'measur' exists nowhere"),
        ("import no_such_module_at_all\nscore = measure()", "no_such_module_at_all"),
        ("score = measure() if lock else 0", "the variable 'lock' cannot be captured"),
        ("score = len(handle.read()) + measure()", "the variable 'handle' cannot be captured"),
        ("score = measure() + len(api_key)", "credential"),
        ("size = len(huge)\nscore = measure(rate=0.3)", "more than the limit"),
    ],
)
def test_a_cell_that_cannot_be_used_is_refused(
    ready: Any, cell: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_SWARM_CAPTURE_LIMIT", "100000")
    with (tmp_path / "file").open("w+") as handle:
        ready.user_ns.update(lock=threading.Lock(), handle=handle, api_key="sk-1", huge=bytes(200_000))
        message = refused(ready, "wine --maximize score", cell)
    assert said in message
    assert "Try: " in message or "line" in message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("stauts", "no verb 'stauts'"),
        ("status wine", "no swarm 'wine'"),
        ("status", "no swarm here"),
        ("findings ../wine", "no name for a swarm"),
        ("open wine", "needs N"),
        ("open wine x", "whole number"),
        ("steer wine", "say what to change"),
        ("steer wine --priority 3", "needs a direction"),
        ("steer wine scaling --priority high", "has to be a number"),
        ("steer wine scaling --close --priority 3", "one change at a time"),
        ("steer wine scaling --veto H3", "goes with no direction"),
        ("steer wine scaling --hire tuner", "goes with no direction"),
        ("steer wine --hire :local:a", "it begins with a role, as in tuner"),
        ("steer wine --resize tuner", "it is a role and a number, as in tuner=6"),
        ("steer wine --resize tuner=-1", "it is a role and a number, as in tuner=6"),
        ("steer wine --resize tuner=0", "a whole number of at least 1"),
        ("steer wine --dismiss", "--dismiss needs a value"),
        ("steer wine --dismiss tuner-1 --resize tuner=3", "one change at a time"),
        ("papers", "needs"),
        ("papers remove x", "'remove' is no what"),
        ("papers add", "needs more"),
        ("papers add no/such/file.pdf", "no/such/file.pdf"),
        ("papers add module:no_such_module_at_all", "no_such_module_at_all"),
        ("papers search", "needs more"),
        ("help stauts", "no verb 'stauts'"),
        ("run cell.py", "for a terminal"),
        ("wine --maximize score", "%%swarm"),
        ("report wine", "no swarm 'wine'"),
        ("clean wine", "no swarm 'wine'"),
    ],
)
def test_a_verb_that_makes_no_sense_is_refused(ready: Any, line: str, said: str) -> None:
    with pytest.raises(Told) as error:
        ready.run_line_magic("swarm", line)
    assert said in str(error.value)


def test_a_folder_without_a_workspace_stays_without_one(
    shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in ("list", "papers list", "papers search scaling", "clean", "help", ""):
        shell.run_line_magic("swarm", line)
    said = capsys.readouterr().out
    assert "no swarm in" in said
    assert "library is empty" in said
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_said(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_SWARM_WORKSPACE", "/no/such/folder")
    with pytest.raises(Told, match="/no/such/folder does not exist"):
        shell.run_cell_magic("swarm", "--maximize score", "score = abs(-1)")


def test_a_plan_shows_what_was_found_and_starts_nothing(ready: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ready.user_ns["table"] = list(range(1000))
    cell = '"""Which rate?"""\ndepth = 3  #: 1..9\nscore = measure(rate=0.3) + depth * len(table)  #: free\n'
    ready.run_cell_magic("swarm", "wine --maximize score --budget 40x --confirmation 25% --plan", cell)
    said = " ".join(capsys.readouterr().out.split())
    for words in ("Which rate?", "maximize score", "measure", "list of 1000", "KB", "Lock", "Nothing was started",
                  "40 experiments", "25 %"):  # fmt: skip
        assert words in said, words
    assert list_swarms(Workspace(Path.cwd())) == []


def test_a_plan_writes_nothing_at_all(ready: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ready.run_cell_magic("swarm", "--maximize score --plan", CELL)
    assert list(tmp_path.iterdir()) == []


def test_braces_in_the_cell_are_pythons_and_double_braces_on_the_line_are_variables(
    ready: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.user_ns.update(spend="7x", rate="no")
    names = 'names = {"a": f"{1 + 1}"}\n'
    cell = names + 'score = measure(rate=float(f"{0.3}{{}}".strip("{}"))) + len(names)  # {{rate}} $rate\n'
    ready.run_cell(f"%%swarm braces --maximize score --budget {{{{spend}}}} --fix {{{{ rate }}}} --plan\n{cell}")
    said = capsys.readouterr()
    assert "nothing in the cell that may vary is called 'no'" in " ".join((said.out + said.err).split())
    assert ready.run_cell(f"%%swarm braces --maximize score --budget {{{{spend}}}} --plan\n{cell}").success
    assert "7 experiments" in capsys.readouterr().out


def test_unloading_takes_everything_back_and_loading_twice_is_once(shell: Any) -> None:
    def matchers() -> list[str]:
        return [getattr(each, "matcher_identifier", "") for each in shell.Completer.custom_matchers]

    shell.run_line_magic("reload_ext", "jupyter_swarm")
    assert matchers() == ["jupyter-swarm"]
    shell.run_line_magic("unload_ext", "jupyter_swarm")
    assert shell.find_line_magic("swarm") is None
    assert shell.find_cell_magic("swarm") is None
    assert matchers() == []
    shell.run_line_magic("load_ext", "jupyter_swarm")
    assert shell.find_line_magic("swarm") is not None


def test_help_explains_every_verb_and_the_cells_line(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for line, said in (
        ("", "%swarm VERB"),
        ("help", "papers"),
        ("help steer", "--priority NUMBER"),
        ("steer --help", "--priority NUMBER"),
        ("help %%swarm", "--here"),
        ("help run", "--here"),
    ):
        shell.run_line_magic("swarm", line)
        assert said in capsys.readouterr().out
    shell.run_cell_magic("swarm", "--help", "score = 1")
    assert "--maximize METRIC" in capsys.readouterr().out


@pytest.fixture
def played(shell: Any) -> Any:
    """A shell in whose folder the swarm `wine` is over, as its ledger says."""
    play("wine", logs.wine())
    return shell


def play(name: str, moves: list[logs.Move]) -> None:
    """Write a swarm's ledger, and its folder."""
    workspace = Workspace(Path.cwd())
    workspace.swarm(name)
    logs.play(workspace.store, moves, name)


def test_what_a_swarm_found_is_shown(played: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def said(line: str) -> str:
        played.run_line_magic("swarm", line)
        return " ".join(capsys.readouterr().out.split())

    state = Swarm("wine").state
    assert state.best is not None
    status = said("status wine")
    for words in ("wine: done", f"{state.best.mean:.4g}", "Directions", f"{state.experiments} of"):
        assert words in status, words
    found = said("findings")
    for case in state.findings():
        assert case.hypothesis.id in found
    assert f"“{logs.DOCS.quote}”" in found
    assert "MinMaxScaler" in said("plan")
    assert "wine: done" in said("watch")
    assert "wine done Which preprocessing" in said("list")


def test_the_best_cell_comes_as_a_new_cell_that_says_where_from(
    played: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    best = Swarm("wine").best()
    assert best is not None
    played.run_line_magic("swarm", "best")
    first, _, code = played.rl_next_input.partition("\n")
    assert first.startswith("# The best cell of the swarm wine: accuracy = ")
    assert f"{best.runs} runs on untouched seeds" in first
    assert code.strip() == best.variation.code.strip()
    assert "+++ variation" in capsys.readouterr().out
    play("failed", logs.failed())
    played.rl_next_input = None
    played.run_line_magic("swarm", "best failed")
    assert "has no best cell" in capsys.readouterr().out
    assert played.rl_next_input is None


def test_the_report_is_written_beside_the_notebooks(played: Any, capsys: pytest.CaptureFixture[str]) -> None:
    played.run_line_magic("swarm", "report")
    assert capsys.readouterr().out.strip() == "wine-report.ipynb"
    cells = json.loads(Path("wine-report.ipynb").read_text(encoding="utf-8"))["cells"]
    assert any("MinMaxScaler" in "".join(cell["source"]) for cell in cells)


@pytest.mark.slow
def test_in_a_terminals_ipython_waiting_ends_with_the_findings(ready: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ready.run_cell_magic("swarm", "brief --maximize score --budget 3x --agents 2 --wait", CELL)
    said = capsys.readouterr()
    assert "brief has begun: 2 agents, budget 3 experiments." in said.out
    assert "brief: done" in said.out
    assert "The cell as given has score = " in said.out
    assert "of 3 experiments" in said.err


def test_what_is_over_takes_no_orders_and_a_name_is_needed_among_several(played: Any) -> None:
    for line in ("pause", "resume", "stop", "steer wine --budget 5m", "steer wine scaling --priority 2"):
        with pytest.raises(Told, match="wine is over"):
            played.run_line_magic("swarm", line)
    for line in ("steer wine --approve D1", "steer wine --approve H99", "steer wine --replicate 3"):
        with pytest.raises(Told, match="wine is over"):
            played.run_line_magic("swarm", line)
    play("failed", logs.failed())
    with pytest.raises(Told, match=r"which swarm\? There are 2.*wine or failed"):
        played.run_line_magic("swarm", "status")
    with pytest.raises(Told, match=r"no swarm 'win'.*wine"):
        played.run_line_magic("swarm", "status win")


def test_what_was_found_is_approved_and_vetoed_after_the_end(played: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for line, words in (("--veto H1", "Done: vetoed H1"), ("--approve H1", "Done: approved H1")):
        played.run_line_magic("swarm", f"steer wine {line}")
        assert words in capsys.readouterr().out


def test_large_data_show_a_bar(ready: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ready.user_ns["big"] = bytes(110 * 2**20)
    ready.run_cell_magic(
        "swarm", "--maximize score --budget 1x --agents 1", "score = measure(rate=0.3) + len(big)  #: free"
    )
    said = capsys.readouterr()
    assert "capturing" in said.err
    assert "of 110 MB" in said.err
    assert "no budget was given" not in said.out


def test_words_alone_are_said_once(ready: Any, capsys: pytest.CaptureFixture[str]) -> None:
    Path("notes.md").write_text("# Notes\n\nFeature scaling brings all columns to one range.\n", encoding="utf-8")
    ready.run_line_magic("swarm", "papers add notes.md")
    ready.run_line_magic("swarm", 'papers search "feature scaling"')
    ready.run_line_magic("swarm", "papers list")
    said = capsys.readouterr().out
    assert said.count("found by their words alone") == 1
    assert "brings all columns to one range" in said
    assert "1 paper added" in said
