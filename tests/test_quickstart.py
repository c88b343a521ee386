"""The quickstart, executed by papermill as it stands, shows everything that it promises."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `notebooks/` in which the quickstart was executed, with a budget of runs: the same on any machine."""
    place = tmp_path_factory.mktemp("quickstart") / "notebooks"
    shutil.copytree(NOTEBOOKS, place, ignore=shutil.ignore_patterns(".swarm", ".ipynb_checkpoints"))
    command = [sys.executable, "-m", "papermill", "quickstart.ipynb", "done.ipynb", "-p", "budget", "150x"]
    environment = {**os.environ, "JUPYTER_SWARM_LIBRARIAN_IDLE_SECONDS": "5"}
    done = subprocess.run(
        [*command, "--no-progress-bar"],
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return place


@pytest.fixture(scope="module")
def shown(folder: Path) -> dict[str, str]:
    """Cell id → all text that the executed cell shows."""
    notebook = nbformat.read(folder / "done.ipynb", as_version=4)
    nbformat.validate(notebook)
    return {cell.id: _text(cell) for cell in notebook.cells if cell.cell_type == "code"}


def _text(cell: nbformat.NotebookNode) -> str:
    parts = []
    for output in cell.outputs:
        assert output.output_type != "error", output
        data = output.get("data", {})
        parts += [str(output.get("text", "")), str(data.get("text/plain", "")), str(data.get("text/html", ""))]
    return "\n".join(parts)


def test_the_library_is_filled_and_searched(shown: dict[str, str]) -> None:
    assert "sklearn.preprocessing" in shown["papers-add"]
    assert "Notes on feature scaling" in shown["papers-add"]
    assert "documentation" in shown["papers-add"]
    assert "scale" in shown["papers-search"].lower()


def test_the_plan_shows_captures_knobs_swaps_and_lock(shown: dict[str, str]) -> None:
    for word in ("ndarray (178, 13) float64", "18.1 KB", "SVC.C", "0.001 to 1000", "MinMaxScaler", "cross_val_score"):
        assert word in shown["plan"]
    assert "it makes the metric" in shown["plan"]


def test_the_view_is_kept_in_the_notebook(shown: dict[str, str]) -> None:
    assert "%swarm status wine looks again" in shown["swarm"] or "%swarm findings wine shows" in shown["swarm"]
    assert "Which preprocessing and classifier suit these wines best?" in shown["swarm"]


def test_status_steering_pause_and_resume(shown: dict[str, str]) -> None:
    assert "accuracy" in shown["status"]
    assert any(word in shown["steer"] for word in ("priority 3", "answer in its log"))
    assert "pauses" in shown["pause"]
    assert "goes on" in shown["resume"]


def test_findings_hold_with_verdicts_intervals_and_citations(shown: dict[str, str]) -> None:
    assert "supported" in shown["findings"]
    assert "raises accuracy against the baseline" in shown["findings"]
    assert "over splits of these data" in shown["findings"]


def test_the_best_is_measured_again(shown: dict[str, str]) -> None:
    assert "untouched seeds" in shown["best"]
    assert "0.9" in shown["best"], "every scaler that is worth its name gives more than .9 on the wines"


def test_a_run_opens_as_an_executed_notebook(folder: Path, shown: dict[str, str]) -> None:
    assert "wine-run-1.ipynb" in shown["open"]
    run = nbformat.read(folder / "wine-run-1.ipynb", as_version=4)
    tags = [tag for cell in run.cells for tag in cell.metadata.get("tags", [])]
    assert tags == ["parameters", "inputs", "experiment", "result"]
    assert "accuracy = 0." in str(run.cells[-1].outputs)


def test_the_report_is_written(folder: Path, shown: dict[str, str]) -> None:
    assert "wine-report.ipynb" in shown["report"]
    report = nbformat.read(folder / "wine-report.ipynb", as_version=4)
    nbformat.validate(report)
    text = "\n".join(cell.source for cell in report.cells)
    for word in ("raises accuracy", "what helps", "Evidence", "seed"):
        assert word in text
    assert any("image/png" in output.get("data", {}) for cell in report.cells for output in cell.get("outputs", []))


def test_nothing_of_it_would_be_committed_and_no_process_stays(folder: Path) -> None:
    assert (folder / ".swarm" / ".gitignore").read_text() == "*\n"
    assert (folder / ".swarm").stat().st_mode & 0o077 == 0
    deadline = time.monotonic() + 180
    while left := _processes(folder):
        assert time.monotonic() < deadline, left
        time.sleep(0.5)


def _processes(folder: Path) -> list[str]:
    """Processes that name the folder in their command line: a runner, a librarian."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if os.fsencode(folder) in words:
                found.append(f"{entry.name}: {b' '.join(words).decode(errors='replace')}")
    return found
