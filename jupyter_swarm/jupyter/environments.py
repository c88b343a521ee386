"""`runner`: in which environment runners live, and which of them do."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from jupyter_swarm import register
from jupyter_swarm.engine import environments
from jupyter_swarm.engine.environments import Environment
from jupyter_swarm.errors import SwarmError
from jupyter_swarm.jupyter.pages import Answer, Part, Table, Words
from jupyter_swarm.jupyter.verbs import Asked
from jupyter_swarm.library import Librarian
from jupyter_swarm.report.phrases import plural
from jupyter_swarm.workspace import Workspace

OWN = "own"


def runner(asked: Asked) -> Answer:
    """Choose an environment, or tell which one there is and which runners live.

    Raises:
        UsageError: what is chosen has no Python, or not what a runner needs.
        WorkspaceError: the workspace cannot be written.
    """
    workspace, path = asked.workspace, asked.options.env
    parts: list[Part] = []
    if path == OWN:
        environments.forget(workspace)
    elif path:
        environments.choose(workspace, path)
    live = _live(workspace)
    if path:
        Librarian(workspace).shutdown_if_idle()
        begins = (
            "no environment is chosen any more" if path == OWN else "this is the environment of what begins from now on"
        )
        stay = f"; the {plural(len(live), 'runner')} that live stay where they are" if live else ""
        parts.append(Words(f"In {workspace.folder} {begins}{stay}."))
    python, found, problem = _environment(workspace)
    parts += _told(workspace, python, found, problem)
    if live:
        parts.append(Table(("swarm", "runner", "interpreter"), live, title="Runners that live"))
    else:
        parts.append(Words("No runner lives."))
    data = {
        "chosen": bool(python) and python == _chosen(workspace),
        "python": python,
        "version": found.python if found else "",
        "usable": not problem,
        "problem": problem,
        "wanting": list(found.wanting) if found else [],
        "runners": [dict(zip(("swarm", "runner", "python"), each, strict=True)) for each in live],
    }
    return Answer(parts, data=data, status=1 if problem else 0)


def _chosen(workspace: Workspace) -> str:
    try:
        return workspace.chosen
    except SwarmError:
        return ""


def _environment(workspace: Workspace) -> tuple[str, Environment | None, str]:
    """The interpreter of the next runner, what it has, and why none can be started, or ""."""
    python, found = _chosen(workspace) or sys.executable, None
    try:
        python = workspace.python[0]
        found = environments.ask(python)
        environments.check(workspace)
    except SwarmError as error:
        return python, found, str(error)
    return python, found, ""


def _told(workspace: Workspace, python: str, found: Environment | None, problem: str) -> list[Part]:
    """The environment in words."""
    whose = "chosen for this folder" if _chosen(workspace) else "that of who starts it; here this one"
    about = f", Python {found.python}, jupyter-swarm {found.swarm or 'not installed'}" if found else ""
    parts: list[Part] = [Words(f"A runner is started with {python} ({whose}{about}).", strong=True)]
    if problem:
        parts.append(Words(f"None can be started: {problem}"))
    if found and found.wanting and not problem:
        lost = "search by meaning, plots in reports or papers from PDF files"
        parts.append(Words(f"It can do without {', '.join(found.wanting)}, but then there is less of {lost}."))
    return parts


def _live(workspace: Workspace) -> list[tuple[str, str, str]]:
    """Of each runner that lives: its swarm, host and process, interpreter ("" where that cannot be told)."""
    if not workspace.exists:
        return []
    found = []
    for name in register.folders(workspace):
        holder = workspace.store.holder(name)
        if holder is not None and not register.dead(holder):
            found.append((name, holder, _interpreter(holder)))
    return found


def _interpreter(holder: str) -> str:
    host, _, pid = holder.rpartition(":")
    if host != socket.gethostname():
        return ""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return words[0].decode(errors="replace")
