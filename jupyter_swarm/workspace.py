"""The workspace: the folder `.swarm/` beside the notebooks, where everything durable lives.

.swarm/
├── .gitignore          so that nothing of it is ever committed
├── ledger.sqlite       the events
├── runner.json         the interpreter of runners and librarian, where one was chosen (`engine/environments.py`)
├── captures/<sha>.pkl  what cells took from their notebooks
├── library/            texts of papers, the index of words, the vector store, the librarian's socket
└── swarms/<name>/      runs/<number>.ipynb, logs, the report
"""

from __future__ import annotations

import json
import os
import re
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_swarm.errors import UsageError, WorkspaceError

if TYPE_CHECKING:
    from jupyter_swarm.store import SqlStore

FOLDER = ".swarm"
RUNNER = "runner.json"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


def check_name(name: str) -> str:
    """A swarm's name, if it is one: a letter, then letters, digits, `_ . -`.

    Raises:
        UsageError: anything else.

    >>> check_name("wine-2")
    'wine-2'
    """
    if not _NAME.fullmatch(name) or ".." in name:
        raise UsageError(
            f"{name!r} is no name for a swarm",
            cure="begin with a letter and use letters, digits, '-', '_' or '.', at most 64 of them",
        )
    return name


class Workspace:
    """The folder of a project's swarms. `folder` is the notebooks' folder; `.swarm/` is made in it when first needed.

    >>> import tempfile
    >>> workspace = Workspace(tempfile.mkdtemp()).create()
    >>> workspace.root.name
    '.swarm'
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        chosen = folder or os.environ.get("JUPYTER_SWARM_WORKSPACE") or Path.cwd()
        self.folder = Path(chosen).expanduser().absolute()
        self.root = self.folder / FOLDER
        self.patience_seconds: float | None = None
        """How long a writer waits for another program that holds the ledger; None for the usual time."""

    def __repr__(self) -> str:
        return f"Workspace({str(self.folder)!r})"

    @property
    def exists(self) -> bool:
        """Whether a ledger has been begun here."""
        return (self.root / "ledger.sqlite").exists()

    def create(self) -> Workspace:
        """Make the folder, readable by its owner only, with its own `.gitignore`; harmless where it exists.

        Raises:
            WorkspaceError: the folder does not exist, is read-only, or the disk is full.
        """
        if not self.folder.is_dir():
            raise WorkspaceError(f"the folder {self.folder} does not exist", cure="name one that does")
        try:
            for folder in (self.root, self.captures, self.library, self.root / "swarms"):
                folder.mkdir(mode=0o700, exist_ok=True)
            ignore = self.root / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise WorkspaceError(
                f"cannot write the workspace {self.root}: {error.strerror or error}",
                cure="make room or choose a writable folder, by starting there or with JUPYTER_SWARM_WORKSPACE=FOLDER",
            ) from None
        return self

    @property
    def captures(self) -> Path:
        """Where pickles of notebooks' variables lie, named by their sha256."""
        return self.root / "captures"

    @property
    def library(self) -> Path:
        """Where texts of papers and their vectors lie."""
        return self.root / "library"

    def swarm(self, name: str) -> Path:
        """A swarm's own folder, made when first asked for."""
        folder = self.root / "swarms" / check_name(name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def runs(self, name: str) -> Path:
        """Where a swarm's executed notebooks lie."""
        folder = self.swarm(name) / "runs"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    @property
    def chosen(self) -> str:
        """The interpreter that was chosen for runners and the librarian; "" where each has that of who starts it.

        Raises:
            WorkspaceError: what was chosen cannot be read.
        """
        path = self.root / RUNNER
        try:
            return str(json.loads(path.read_bytes())["python"])
        except FileNotFoundError:
            return ""
        except (OSError, ValueError, KeyError, TypeError) as error:
            cure = "choose again: jupyter swarm runner --env PATH (own: that of who starts them)"
            what = "which environment was chosen for runners cannot be read"
            raise WorkspaceError(what, where=f"{path}: {error}", cure=cure) from None

    @property
    def python(self) -> list[str]:
        """How Python is started for what works in the background: interpreter and options, `-m MODULE` to follow.

        Paths that are meant for the face's Python (PYTHONPATH) never reach another environment.

        Raises:
            WorkspaceError: an environment was chosen, and has gone.
        """
        chosen = self.chosen
        if not chosen:
            return [sys.executable]
        if not os.access(chosen, os.X_OK):
            raise WorkspaceError(
                "the environment that was chosen for runners is gone",
                where=chosen,
                cure="bring it back, or choose another: jupyter swarm runner --env PATH (own: that of who starts them)",
            )
        return [chosen, "-E", "-P"]

    @cached_property
    def store(self) -> SqlStore:
        """The ledger, opened (and begun) when first asked for."""
        from jupyter_swarm.store import SqlStore

        self.create()
        patience = {} if self.patience_seconds is None else {"patience_seconds": self.patience_seconds}
        return SqlStore.at(self.root / "ledger.sqlite", **patience)
