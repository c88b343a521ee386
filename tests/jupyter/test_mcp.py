"""The tools for other agents, asked over the protocol, in a running Jupyter server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faces import wait_for

pytestmark = pytest.mark.slow

CELL = "rate = 0.3  #: 0..1\nseed = 0\nscore = 1 - (rate - 0.6) ** 2 + (seed * 7919 % 13) / 1000\n"
Run = Callable[..., subprocess.CompletedProcess[str]]
READING = [
    "papers_list", "papers_read", "papers_search", "swarm_events", "swarm_hypothesis", "swarm_list", "swarm_run",
    "swarm_runs", "swarm_status",
]  # fmt: skip


def told(folder: Path, how: str, name: str) -> dict[str, Any]:
    """What the tools say."""
    script = Path(__file__).with_name("tooling.py")
    done = subprocess.run(
        [sys.executable, str(script), str(folder), how, name], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_agents_may_look_and_ask_only_where_an_administrator_lets_them(folder: Path, command: Run) -> None:
    (folder / "cell.py").write_text(CELL, encoding="utf-8")
    (folder / "more.md").write_text("# More\n\nMore of the same, on scaling.\n", encoding="utf-8")
    (folder / "notes.md").write_text("# Scaling\n\nScaling brings the range of a column to one.\n", encoding="utf-8")
    assert command("papers", "add", "notes.md").returncode == 0
    options = ("--maximize", "score", "--agents", "4")
    assert command("run", "cell.py", "--name", "small", *options, "--budget", "8x", "--wait").returncode == 0
    assert command("run", "cell.py", "--name", "long", *options, "--budget", "10m").returncode == 0

    found = told(folder, "reads", "small")
    assert found["tools"] == READING
    assert {each["name"] for each in found["list"]["swarms"]} == {"small", "long"}
    assert found["status"]["card"]["phase"] == "done"
    small = json.loads(command("status", "small", "--json").stdout)
    assert found["status"]["card"]["spend"]["experiments"] == small["experiments"] > 3
    assert found["runs"]["number"] == [3, 4, 5]
    assert found["run"]["code"] == CELL
    assert "leads out of the server's root" in found["outside"]["error"]
    assert "there is no swarm 'nobody'" in found["missing"]["error"]
    assert "range of a column" in found["papers"]["hits"][0]["text"]
    assert [each["event"]["kind"] for each in found["events"]["events"]] == ["swarm-requested", "runner-started"]
    assert found["listed"]["papers"][0]["title"] == "Scaling"
    assert "brings the range of a column to one" in found["text"]["text"]
    for tool in ("ask", "report", "add", "priority"):
        assert "error" in found[tool], "a tool that was not offered"
    assert not list(folder.glob("*-report.ipynb"))

    found = told(folder, "writes", "long")
    assert found["tools"] == sorted([*READING, "swarm_ask", "swarm_report", "papers_add"])
    assert (folder / found["report"]["path"]).is_file()
    assert [each["title"] for each in found["add"]["added"]] == ["More"]
    assert "leads out of the server's root" in found["stranger"]["error"]
    assert found["priority"]["done"] is True
    assert "priority 3 now" in found["priority"]["answer"]
    assert found["ask"]["number"] > 0
    assert "error" in found["nonsense"]

    def paused() -> bool:
        return bool(json.loads(command("status", "long", "--json").stdout)["state"] == "paused")

    wait_for(paused, 60, "the pause that was asked for")
    assert command("stop", "long").returncode == 0
