"""The notebook on language models, executed by papermill as it stands: it needs no key, and believes nobody."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"

pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("models") / "notebooks"
    shutil.copytree(NOTEBOOKS, place, ignore=shutil.ignore_patterns(".swarm", ".ipynb_checkpoints"))
    bare = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    done = subprocess.run(
        [sys.executable, "-m", "papermill", "models.ipynb", "done.ipynb", "--no-progress-bar"],
        cwd=place,
        env={**bare, "JUPYTER_SWARM_LIBRARIAN_IDLE_SECONDS": "5"},
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
    found = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert all(output.output_type != "error" for output in cell.outputs), cell.outputs
            data = [
                str(each.get("data", {}).get("text/plain", "")) + str(each.get("text", "")) for each in cell.outputs
            ]
            found[cell.id] = "\n".join(data)
    return found


def test_the_question_is_answered_with_its_source(shown: dict[str, str]) -> None:
    assert "Scale the features first [1]" in shown["ask"]
    assert "Notes on feature scaling" in shown["ask"]


def test_the_model_is_asked_and_what_it_took_is_shown(shown: dict[str, str]) -> None:
    assert "300,000 tokens" in shown["swarm"]
    assert re.search(r"wine-models: \d+ calls, [\d,]+ tokens, \$0", shown["spend"])
    for role in ("literature", "brainstorming", "implementation"):
        assert role in shown["spend"]


def test_its_success_is_not_believed(folder: Path, shown: dict[str, str]) -> None:
    report = nbformat.read(folder / "wine-models-report.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in report.cells)
    assert "## Language models" in text
    assert "## In words" in text
    assert "The study had 100 runs." in text
    assert "Accuracy rose by 40 %." not in text
    assert "1 sentence did not stand" in text
    assert "supported" in shown["findings"] or "Nothing" in shown["findings"]
