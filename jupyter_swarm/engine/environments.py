"""Where runners live: in the environment of whoever starts them, or in one that was chosen for the workspace.

    choose(workspace, "~/envs/swarm")    # from now on, from whichever kernel or terminal
    check(workspace)                     # a runner can be started: an error says what is wrong, and the cure
    forget(workspace)                    # each in the environment of who starts it, as at first

Experiments run under the notebook's own interpreter in any case. So a kernel's environment needs little of ours, and
what is heavy (NEEDED) is wanted where the runner lives.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from jupyter_swarm.engine import probe
from jupyter_swarm.errors import SwarmError, UsageError, WorkspaceError
from jupyter_swarm.version import __version__
from jupyter_swarm.workspace import RUNNER, Workspace

OLDEST = (3, 11)
ASK_SECONDS = 60.0
NEEDED = (
    *("IPython", "msgspec", "sqlalchemy"),
    *("bm25s", "jupyter_client", "nbclient", "nbformat", "numpy", "optuna", "scipy", "Stemmer"),
)
"""What a runner imports, besides the standard library."""
WANTED = ("chromadb", "matplotlib", "pypdf", "sentence_transformers")
"""Without these there is no search by meaning, no plot in the report, no paper from a PDF."""
_CHOOSE = "choose another: jupyter swarm runner --env PATH (own: that of who starts them)"


class Environment(msgspec.Struct, frozen=True):
    """What an interpreter has."""

    python: str
    """Version of Python."""
    prefix: str
    """The environment's folder."""
    swarm: str = ""
    """Version of jupyter-swarm; "" where it is not installed."""
    missing: tuple[str, ...] = ()
    """Of NEEDED and WANTED."""
    syntax: str = ""
    """What is wrong with the cell for this Python."""

    @property
    def wanting(self) -> tuple[str, ...]:
        """What a runner can do without."""
        return tuple(name for name in self.missing if name in WANTED)


def choose(workspace: Workspace, path: str) -> Environment:
    """Have runners and the librarian of a workspace live there from now on; those that live stay where they are.

    Args:
        workspace: whose.
        path: a virtual environment's folder, a conda prefix, or an interpreter.

    Raises:
        UsageError: there is no Python, or it has not what a runner needs.
        WorkspaceError: the workspace cannot be written.
    """
    python = interpreter(path)
    try:
        found = ask(python)
        _check(found, python)
    except SwarmError as error:
        raise UsageError(error.what, where=error.where, cure=error.cure) from None
    workspace.create()
    try:
        part = workspace.root / f"{RUNNER}.part"
        part.write_text(json.dumps({"python": python}), encoding="utf-8")
        os.replace(part, workspace.root / RUNNER)
    except OSError as error:
        raise _unwritable(workspace, error) from None
    return found


def forget(workspace: Workspace) -> None:
    """Have each runner live in the environment of who starts it; harmless where none was chosen.

    Raises:
        WorkspaceError: the workspace cannot be written.
    """
    try:
        (workspace.root / RUNNER).unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(workspace, error) from None


def check(workspace: Workspace, sources: Sequence[str] = ()) -> None:
    """See to it that a runner can be started, and can read a cell: quick in one's own environment.

    Args:
        workspace: whose runner.
        sources: the cell's code, and what else the runner has to parse.

    Raises:
        WorkspaceError: its environment is gone, has not what a runner needs, or another version of jupyter-swarm.
    """
    python = workspace.python[0]
    if workspace.chosen:
        _check(ask(python, sources), python)
    else:
        _check_own()


def interpreter(path: str) -> str:
    """The interpreter that is meant, absolute; links stay, since an environment is known by its own.

    Raises:
        UsageError: there is none.
    """
    given = Path(os.path.abspath(Path(path).expanduser()))
    found = given if given.is_file() else given / "bin" / "python"
    if os.access(found, os.X_OK) and found.is_file():
        return str(found)
    inside = given / ".venv"
    raise UsageError(
        f"there is no {given}" if not given.exists() else f"{given} has no Python that can be started",
        where=f"--env {path}",
        cure=str(inside)
        if (inside / "bin" / "python").exists()
        else "the folder of a virtual environment, a conda prefix, or an interpreter (python -m venv FOLDER makes one)",
    )


def ask(python: str, sources: Sequence[str] = ()) -> Environment:
    """What an interpreter has.

    Raises:
        WorkspaceError: it does not start, or is no Python.
    """
    command = [python, "-E", str(Path(probe.__file__))]
    asked = json.dumps({"names": [*NEEDED, *WANTED], "sources": list(sources)})
    try:
        done = subprocess.run(
            command, input=asked, capture_output=True, text=True, timeout=ASK_SECONDS, cwd="/", check=False
        )
        return msgspec.json.decode(done.stdout, type=Environment)
    except (OSError, UnicodeDecodeError, subprocess.TimeoutExpired) as error:
        why = str(error)
    except msgspec.MsgspecError:
        why = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
    raise WorkspaceError(
        f"{python} does not tell what it has: {why}", where="the environment of runners", cure=_newer(_CHOOSE)
    )


def _check(found: Environment, python: str) -> None:
    """That a runner can live there.

    Raises:
        WorkspaceError: it cannot.
    """
    install = f"{python} -m pip install jupyter-swarm=={__version__}"
    where = f"{python}, chosen for runners"
    if tuple(map(int, found.python.split(".")[:2])) < OLDEST:
        raise WorkspaceError(f"Python {found.python} is too old for a runner", where=where, cure=_newer(_CHOOSE))
    if not found.swarm:
        raise WorkspaceError("jupyter-swarm is not installed there", where=where, cure=install)
    if found.swarm != __version__:
        what = f"jupyter-swarm {found.swarm} is installed there, and {__version__} here: they must be the same"
        raise WorkspaceError(what, where=where, cure=f"{install}, or upgrade this one ({sys.prefix})")
    if lacking := _lacking(found.missing):
        raise WorkspaceError(f"a runner needs {lacking}, not installed there", where=where, cure=install)
    if found.syntax:
        raise WorkspaceError(
            f"the cell cannot be read by the runner's Python {found.python} ({found.syntax})",
            where=where,
            cure=f"write it without, or choose an environment with Python {'.'.join(map(str, sys.version_info[:2]))}: "
            "jupyter swarm runner --env PATH",
        )


def _check_own() -> None:
    """That a runner can live in this process's own environment.

    Raises:
        WorkspaceError: it cannot.
    """
    found = msgspec.convert(probe.look([*NEEDED, *WANTED], []), type=Environment)
    lacking = _lacking(found.missing)
    if found.swarm and not lacking:
        return
    command = "%swarm" if "ipykernel" in sys.modules else "jupyter swarm"
    raise WorkspaceError(
        f"no runner can live in this environment, without {lacking or 'jupyter-swarm itself installed'}",
        where=sys.prefix,
        cure=f"name an environment that has all of it: {command} runner --env PATH; "
        f"or install it here: {sys.executable} -m pip install jupyter-swarm=={__version__}",
    )


def _lacking(missing: Sequence[str]) -> str:
    return ", ".join(name for name in missing if name in NEEDED)


def _newer(cure: str) -> str:
    return f"an environment with Python {'.'.join(map(str, OLDEST))} or later; {cure}"


def _unwritable(workspace: Workspace, error: OSError) -> WorkspaceError:
    return WorkspaceError(
        f"cannot write the workspace {workspace.root}: {error.strerror or error}", cure="make it writable, or make room"
    )
