"""One real server, with ledgers of swarms that are over and one swarm at work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rig import Api, Served, played, server, short

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "jupyter"))
from faces import CONTEXT, SLOW, end_all, quiet_library, wait_for

from jupyter_swarm.api import Swarm
from jupyter_swarm.workspace import Workspace

PLENTY = "--SwarmServer.requests_a_second=1000"


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    """The server's root: a workspace in it where `wine` is over, and one in `live/` where `study` is at work."""
    with short() as folder:
        played(folder).store.close()
        live = folder / "live"
        live.mkdir()
        quiet_library(live)
        (live / "study.py").write_text(f"# %%\n{CONTEXT}\n# %%\n{SLOW}", encoding="utf-8")
        command = [sys.executable, "-m", "jupyter_swarm.jupyter.cli", "run", "study.py", "--maximize", "score"]
        command += ["--budget", "20m", "--agents", "4", "--workers", "1"]
        subprocess.run(command, check=True, cwd=live, capture_output=True, timeout=120)
        try:
            yield folder
        finally:
            end_all(live)


@pytest.fixture(scope="module")
def served(root: Path) -> Iterator[Served]:
    """The server of that root."""
    with server(root, PLENTY) as found:
        yield found


@pytest.fixture
def api(served: Served) -> Iterator[Api]:
    """A client of it."""
    with Api(served) as client:
        yield client


@pytest.fixture(scope="module")
def live(root: Path) -> Workspace:
    """The workspace where `study` is at work, and has finished some runs."""
    workspace = Workspace(root / "live")
    swarm = Swarm("study", workspace)
    wait_for(lambda: sum(row.run is not None for row in swarm.state.rows.values()) >= 3, 60, "three runs")
    return workspace


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of this test's own; nothing works in it."""
    with short() as made:
        yield made
