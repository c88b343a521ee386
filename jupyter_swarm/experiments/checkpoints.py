"""Folders for checkpoints (`jupyter_swarm.checkpoints()`): a run's own, and there again when the run is begun again.

A run that takes hours and whose runner is ended finds what it has saved. When a run has come to its end, whichever, its
folder goes; when the swarm is over, all of them.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from jupyter_swarm.errors import WorkspaceError
from jupyter_swarm.words import Analysis, Context

NAME = "checkpoints"


def wanted(analysis: Analysis, context: Context) -> bool:
    """Whether a cell, or what it takes from its notebook, may ask for such a folder.

    >>> wanted(Analysis(code="path = jupyter_swarm.checkpoints()"), Context(imports=("import jupyter_swarm",)))
    True
    """
    texts = (analysis.code, *context.imports, *context.setup)
    return any("jupyter_swarm" in each for each in texts)


class Checkpoints:
    """Those of one swarm.

    Args:
        swarm: its folder in the workspace.
    """

    def __init__(self, swarm: Path) -> None:
        self.folder = swarm.absolute() / NAME

    def make(self) -> None:
        """The folder of all.

        Raises:
            WorkspaceError: it cannot be made.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise WorkspaceError(
                f"no folder for checkpoints can be made: {error.strerror or error}",
                where=str(self.folder),
                cure="make room on the disk, or make the folder writable",
            ) from None

    def place(self, experiment: str) -> str:
        """The folder of an experiment, made where it is not there."""
        place = self.folder / experiment
        place.mkdir(mode=0o700, exist_ok=True)
        return str(place)

    def remove(self, experiment: str) -> None:
        """Remove the folder of an experiment that has come to its end."""
        shutil.rmtree(self.folder / experiment, ignore_errors=True)

    def clear(self) -> None:
        """Remove all: the swarm is over."""
        shutil.rmtree(self.folder, ignore_errors=True)
