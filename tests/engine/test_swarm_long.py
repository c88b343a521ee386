"""Swarms whose ledger is long: a runner knows all of it before it goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worlds import NAME, request

from jupyter_swarm import events as e
from jupyter_swarm.workspace import Workspace

MANY = 100_000
"""Records that a store gives at a time."""


def test_a_runner_goes_on_at_the_clock_of_a_long_ledger(tmp_path: Path) -> None:
    """A real runner in a process of its own, for a swarm that is over: it says that it has begun, and leaves."""
    workspace = Workspace(tmp_path)
    workspace.swarm(NAME)
    store = workspace.store
    store.append(NAME, [request(40)])
    store.append(NAME, [e.Noted(text="x")] * MANY, active_seconds=10.0)
    store.append(NAME, [e.SwarmEnded(state="stopped", why="")], active_seconds=77.0)
    store.append(NAME, [e.Noted(text="a face writes without a clock")])
    before = store.read(MANY, swarm=NAME)[-1].number
    command = [sys.executable, "-m", "jupyter_swarm.engine.runner", str(tmp_path), NAME]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    (started,) = store.read(before, swarm=NAME, kinds=["runner-started"])
    assert started.active_seconds == 77.0
