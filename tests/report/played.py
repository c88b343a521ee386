"""Swarms that were played into real ledgers, with a notebook for each run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import logs
import nbformat

from jupyter_swarm import report
from jupyter_swarm.state import SwarmState
from jupyter_swarm.workspace import Workspace

HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> "
    "[x](javascript:document.title='owned') $$E=mc^2$$ \\(a\\) `b` ``` | c **d** </details> www.evil.example # "
    "\u202egnp"
)


class Played:
    """A swarm that was played into a workspace of its own."""

    def __init__(self, folder: Path, moves: Sequence[logs.Move]) -> None:
        self.workspace = Workspace(folder).create()
        logs.play(self.workspace.store, moves)
        self.state: SwarmState = logs.fold(moves)
        logs.notebooks(self.workspace.root, self.state)

    def write(self) -> Path:
        """Write the report."""
        return report.write(self.workspace, "wine")

    def notebook(self) -> nbformat.NotebookNode:
        """Write the report, and read it."""
        return nbformat.read(self.write(), as_version=4)


def text_of(notebook: nbformat.NotebookNode) -> str:
    """All that is Markdown in a notebook."""
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
