"""Making sure that a swarm's runner lives: a detached process that outlives kernel, browser and terminal."""

from __future__ import annotations

import os
import subprocess
import time

from jupyter_swarm.engine import environments
from jupyter_swarm.errors import WorkspaceError
from jupyter_swarm.workspace import Workspace, check_name

LOG = "runner.log"


def alive(workspace: Workspace, name: str) -> bool:
    """Whether a runner holds the lease of this swarm now."""
    return workspace.exists and workspace.store.holder(name) is not None


def start(workspace: Workspace, name: str) -> None:
    """Start a runner for a swarm that the ledger knows; harmless where one lives already: the lease admits one.

    The runner gets a session of its own (a kernel's restart or a closed terminal does not reach it), no standard input,
    and `swarms/<name>/runner.log` for what it prints.

    It lives in the environment that was chosen for the workspace (`environments.py`), else in this process's own.

    Raises:
        WorkspaceError: the log cannot be written, the process cannot be started, or its environment lacks something.
    """
    check_name(name)
    if alive(workspace, name):
        return
    environments.check(workspace)
    command = [*workspace.python, "-m", "jupyter_swarm.engine.runner", str(workspace.folder), name]
    try:
        with open(workspace.swarm(name) / LOG, "ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=workspace.folder,
                env=_environment(),
            )
    except OSError as error:
        raise WorkspaceError(f"the runner cannot be started: {error}", cure="look at free space and memory") from None
    _children.append(process)
    _reap()


_children: list[subprocess.Popen[bytes]] = []


def _reap() -> None:
    """Collect runners that have ended, so that no zombie stays with a kernel that lives long."""
    _children[:] = [child for child in _children if child.poll() is None]


def wait_until_alive(workspace: Workspace, name: str, seconds: float = 10.0) -> bool:
    """Wait for a runner to take the lease; False where none did in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if alive(workspace, name):
            return True
        time.sleep(0.05)
    return False


def _environment() -> dict[str, str]:
    """The environment of the runner: the face's own, without what would make its kernels talk to the face's."""
    environment = dict(os.environ)
    for name in ("JPY_PARENT_PID", "JPY_INTERRUPT_EVENT", "JPY_SESSION_NAME", "MPLBACKEND", "FORCE_COLOR"):
        environment.pop(name, None)
    return environment
