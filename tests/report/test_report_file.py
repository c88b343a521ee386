"""The report's file: whole or not at all, never over a person's own words, and nothing heavy on the way."""

from __future__ import annotations

import ctypes
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import logs
import nbformat
import pytest
from played import Played

from jupyter_swarm import report
from jupyter_swarm.errors import UsageError
from jupyter_swarm.report import plots

Play = Callable[[Sequence[logs.Move]], Played]
WRITE = """
import sys
from jupyter_swarm import report
from jupyter_swarm.errors import WorkspaceError
from jupyter_swarm.workspace import Workspace
try:
    print(report.write(Workspace(sys.argv[1]), "wine").name)
except WorkspaceError as error:
    print("refused:", error)
"""
SHORT = logs.wine()[:120]


def elsewhere(folder: Path, before: Callable[[], None] | None = None) -> str:
    """What a process of its own says of writing the report."""
    command = [sys.executable, "-c", WRITE, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, preexec_fn=before, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if each.name != ".swarm")


class TestAPersonsWords:
    def edit(self, path: Path, change: Callable[[nbformat.NotebookNode], None]) -> bytes:
        notebook = nbformat.read(path, as_version=4)
        change(notebook)
        nbformat.write(notebook, path)
        return path.read_bytes()

    def test_untouched_is_replaced(self, play: Play) -> None:
        played = play(SHORT)
        path = played.write()
        assert path == played.workspace.folder / "wine-report.ipynb"
        played.workspace.store.append("wine", [logs.e.SwarmEnded(state="stopped", why="enough")])
        assert played.write() == path
        assert "stopped (enough)" in path.read_text()
        assert names(played.workspace.folder) == ["wine-report.ipynb"]

    def test_edited_is_kept(self, play: Play) -> None:
        played = play(SHORT)
        first = played.write()

        def note(notebook: nbformat.NotebookNode) -> None:
            notebook.cells.append(nbformat.v4.new_markdown_cell("What I think of it"))

        kept = self.edit(first, note)
        second = played.write()
        assert second.name == "wine-report-2.ipynb"
        assert played.write() == second
        assert first.read_bytes() == kept
        self.edit(second, note)
        assert played.write().name == "wine-report-3.ipynb"

    def test_running_it_is_no_edit(self, play: Play) -> None:
        played = play(SHORT)
        first = played.write()

        def run(notebook: nbformat.NotebookNode) -> None:
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    cell.execution_count, cell.outputs = 3, []

        self.edit(first, run)
        assert played.write() == first

    @pytest.mark.parametrize("body", ["", "not a notebook", '{"cells": []}', "\x00\x01"])
    def test_none_of_ours(self, play: Play, body: str) -> None:
        played = play(SHORT)
        path = played.workspace.folder / "wine-report.ipynb"
        path.write_text(body)
        assert played.write().name == "wine-report-2.ipynb"
        assert path.read_text() == body

    def test_a_folder_and_a_dangling_link(self, play: Play) -> None:
        played = play(SHORT)
        (played.workspace.folder / "wine-report.ipynb").mkdir()
        (played.workspace.folder / "wine-report-2.ipynb").symlink_to("nowhere")
        assert played.write().name == "wine-report-3.ipynb"

    def test_of_another_swarm(self, play: Play) -> None:
        played = play(SHORT)
        path = played.write()
        text = path.read_text().replace('"report": "wine"', '"report": "beer"')
        path.write_text(text)
        assert played.write().name == "wine-report-2.ipynb"


class TestTrouble:
    def test_unknown_swarm(self, play: Play) -> None:
        played = play(SHORT)
        with pytest.raises(UsageError, match=r"there is no swarm 'wien'"):
            report.write(played.workspace, "wien")
        assert names(played.workspace.folder) == []

    def test_read_only_folder(self, play: Play) -> None:
        played = play(SHORT)
        folder = played.workspace.folder
        folder.chmod(0o555)

        def without_override() -> None:
            # Root may write anywhere by this capability (1); a process may give it up (24) before it begins.
            ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)

        try:
            said = elsewhere(folder, without_override)
        finally:
            folder.chmod(0o755)
        assert said.startswith(f"refused: the report {folder / 'wine-report.ipynb'} could not be written")
        assert "Permission denied" in said
        assert "make the folder writable" in said
        assert names(folder) == []

    def test_full_disk_leaves_the_old_one(self, play: Play) -> None:
        played = play(logs.wine())
        path = played.write()
        before = path.read_bytes()
        played.workspace.store.append("wine", [logs.e.Noted(text="later")])

        def little() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

        assert elsewhere(played.workspace.folder, little).startswith("refused: the report")
        assert path.read_bytes() == before
        assert names(played.workspace.folder) == ["wine-report.ipynb"]
        assert elsewhere(played.workspace.folder) == "wine-report.ipynb"
        assert path.read_bytes() != before

    def test_from_threads_at_once(self, play: Play) -> None:
        played = play(SHORT)
        with ThreadPoolExecutor(3) as pool:
            paths = list(pool.map(lambda _: played.write(), range(3)))
        assert len(set(paths)) == 1
        nbformat.validate(nbformat.read(paths[0], as_version=4))
        assert names(played.workspace.folder) == ["wine-report.ipynb"]

    def test_no_picture_is_no_disaster(self, play: Play) -> None:
        plot = plots.over_time(logs.fold(SHORT))
        assert plot is not None
        said = plots.render([plot], python="/nowhere/python")
        assert isinstance(said, str)
        assert "FileNotFoundError" in said
        broken = plot._replace(source="raise ValueError('no ink')")
        assert plots.render([plot, broken]) == "ValueError: no ink"

    def test_nothing_heavy(self, play: Play) -> None:
        played = play(SHORT)
        heavy = ["matplotlib", "nbformat", "torch", "chromadb", "langchain", "papermill", "optuna"]
        code = f"{WRITE}\nimport json\nprint(json.dumps([each for each in {heavy} if each in sys.modules]))"
        command = [sys.executable, "-c", code, str(played.workspace.folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        assert json.loads(done.stdout.splitlines()[-1]) == []
