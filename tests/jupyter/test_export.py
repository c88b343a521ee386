"""Executed notebooks where people read them: made of records, when somebody asks."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import msgspec
import nbformat
import papermill
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import logs

from jupyter_swarm import report
from jupyter_swarm.api import Swarm
from jupyter_swarm.errors import UsageError
from jupyter_swarm.experiments import notebook
from jupyter_swarm.experiments.records import executed, record, recorded
from jupyter_swarm.experiments.records.journal import Journal
from jupyter_swarm.outcome import needed_runs
from jupyter_swarm.state import Row
from jupyter_swarm.words import Context
from jupyter_swarm.workspace import Workspace

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def wine(folder: Path) -> Swarm:
    """A swarm that is over, whose runs are in its journal."""
    workspace = Workspace(folder)
    workspace.swarm("wine")
    logs.play(workspace.store, logs.wine())
    swarm = Swarm("wine", workspace)
    rows = [row for row in swarm.state.rows.values() if row.run is not None and row.run.notebook]

    async def fill() -> None:
        journal = Journal(executed.journal(workspace.root, "wine"))
        journal.open()
        await asyncio.gather(*(journal.append(row.experiment.id, *told(workspace, row)) for row in rows))
        journal.close()

    asyncio.run(fill())
    return swarm


def told(workspace: Workspace, row: Row) -> tuple[bytes, bytes]:
    """The record of a run whose cell assigns what the ledger says."""
    assert row.run is not None
    code = f"accuracy = {row.run.value!r}"
    built = notebook.build(row.experiment, code, {"seed": row.experiment.seed}, Context(), workspace)
    shown = {notebook.RESULT: {"metric": "accuracy", "value": row.run.value, "type": "float"}}
    frames: list[dict[str, object]] = []
    for index in range(1, 5):
        frames.append({"cell": index, "begin": 1.7e9 + index})
        if index == 4:
            frames.append({"cell": 4, "msg": "display_data", "content": {"data": shown, "metadata": {}}})
        frames.append({"cell": index, "end": 1.7e9 + index + 0.5, "count": index, "ok": True})
    return json.dumps(built).encode(), b"".join(msgspec.json.encode(each) + b"\n" for each in frames)


def files(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_a_run_is_exported_and_papermill_runs_it_to_the_same_metric(wine: Swarm, command: Command) -> None:
    ran = command("export", "wine", "--run", "1,2", "--run", "3", "--to", "out/here", "--json")
    assert ran.returncode == 0, ran.stderr
    out = wine.workspace.folder / "out" / "here"
    assert json.loads(ran.stdout)["notebooks"]["2"] == str(out / "run-0002.ipynb")
    assert files(out) == ["run-0001.ipynb", "run-0002.ipynb", "run-0003.ipynb"]
    assert files(wine.workspace.runs("wine")) == [], "nothing is made twice"
    again = papermill.execute_notebook(out / "run-0001.ipynb", None, progress_bar=False)
    payloads = [each.data[notebook.RESULT] for each in again.cells[4].outputs if "data" in each]
    run = wine.row(1).run
    assert run is not None
    assert notebook.result(payloads, "accuracy").value == run.value

    mine = out / "run-0002.ipynb"
    mine.write_text("my own words")
    said = command("export", "wine", "--run", "2", "--run", "3", "--to", out).stdout
    assert "2 executed notebooks of wine in" in said
    assert mine.read_text() == "my own words"
    assert files(out) == ["run-0001.ipynb", "run-0002-2.ipynb", "run-0002.ipynb", "run-0003.ipynb"]


def test_needed_ones_and_all(wine: Swarm, command: Command) -> None:
    needed = command("export", "wine", "--json")
    assert needed.returncode == 0, needed.stderr
    found = json.loads(needed.stdout)
    assert len(found["notebooks"]) == len(needed_runs(wine.state)) == len(files(wine.workspace.folder / "wine-runs"))
    assert found["without"] == []
    everything = json.loads(command("export", "wine", "--all", "--to", "all", "--json").stdout)
    assert len(everything["notebooks"]) == len(recorded.identities(executed.journal(wine.workspace.root, "wine")))
    assert everything["without"], "runs that ended before there was a notebook"
    assert len(everything["notebooks"]) > len(found["notebooks"])


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["wien"], 2, "no swarm 'wien'"),
        (["wine", "--run", "99999"], 2, "run 99999 of wine does not exist"),
        (["wine", "--run", "none"], 2, "at least 1"),
        (["wine", "--run", "1", "--all"], 2, "only one of"),
        (["wine", "--all", "--to", "file"], 1, "is no folder"),
        (["wine", "--all", "--to", "file/below"], 1, "cannot be written"),
    ],
)
def test_what_makes_no_sense_is_said(wine: Swarm, command: Command, words: list[str], status: int, said: str) -> None:
    (wine.workspace.folder / "file").touch()
    ran = command("export", *words)
    assert ran.returncode == status
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_run_without_a_notebook_says_why(wine: Swarm, command: Command) -> None:
    timed_out = next(row for row in wine.state.rows.values() if row.run is not None and row.run.reason == "timeout")
    ran = command("export", "wine", "--run", timed_out.number)
    assert ran.returncode == 2
    assert f"run {timed_out.number} of wine has no notebook (no result within 20 s)" in ran.stderr


def test_the_report_links_to_notebooks_that_are_there_and_cleaning_frees_the_others(wine: Swarm) -> None:
    text = "".join(cell.source for cell in nbformat.read(report.write(wine.workspace, "wine"), as_version=4).cells)
    links = {unquote(link) for link in re.findall(r"\((\.swarm/[^ )]*\.ipynb)", text)}
    assert len(links) > 20
    assert all((wine.workspace.folder / link).is_file() for link in links)

    keep = {Path(path).stem for path in needed_runs(wine.state)}
    journal = executed.journal(wine.workspace.root, "wine")
    before = recorded.identities(journal)
    assert wine.clean()[0] == len(set(before) - keep)
    assert set(recorded.identities(journal)) == keep
    assert {path.stem for path in wine.workspace.runs("wine").glob("*.ipynb")} <= keep
    freed = next(row for row in wine.state.rows.values() if row.experiment.id in set(before) - keep)
    with pytest.raises(UsageError, match="freed by clean"):
        wine.notebook(freed.number)
    kept = next(row for row in wine.state.rows.values() if row.experiment.id in keep)
    found = nbformat.read(wine.notebook(kept.number), as_version=4)
    assert found.cells[3].source == f"accuracy = {kept.run.value!r}"  # type: ignore[union-attr]
    assert record.RESULT in found.cells[4].outputs[0].data
