"""Curves of real experiments: recorded, kept, watched; and no value is changed by it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from jupyter_swarm.errors import UsageError
from jupyter_swarm.experiments import NotebookLaboratory
from jupyter_swarm.experiments.curves import KEPT, Reading, curves
from jupyter_swarm.experiments.records.executed import materialise
from jupyter_swarm.experiments.worker.curves import MOST
from jupyter_swarm.protocols import Watch
from jupyter_swarm.within import log
from jupyter_swarm.words import Analysis, Context, Curves, Experiment, Run
from jupyter_swarm.workspace import Workspace

Make = Callable[..., Experiment]
SLOW = """
import time
from jupyter_swarm import log

for epoch in range(400):
    time.sleep(0.05)
    log(epoch, loss=1.0 / (1 + epoch))
score = 1.0
"""


def run(workspace: Workspace, context: Context, *experiments: Experiment, watch: Watch | None = None) -> list[Run]:
    async def main() -> list[Run]:
        analysis = Analysis(code="", metric="score")
        laboratory = NotebookLaboratory(workspace, "wine", analysis, context, workers=2)
        await laboratory.open()
        try:
            return await asyncio.gather(*(laboratory.run(one, 60.0, watch=watch) for one in experiments))
        finally:
            await laboratory.close()

    return asyncio.run(main())


def one(workspace: Workspace, context: Context, experiment: Experiment, watch: Watch | None = None) -> Run:
    (found,) = run(workspace, context, experiment, watch=watch)
    assert found.reason in (None, "pruned"), found.traceback or found.message
    return found


def test_assignments_in_a_loop_are_a_curve(workspace: Workspace, context: Context, experiment: Make) -> None:
    code = (
        "score = 9\n"
        "for epoch in range(3):\n"
        "    if epoch >= 0:\n"
        "        score = epoch / 2  # said\n"
        "    def inner():\n"
        "        score = 7\n"
        "    inner()\n"
        "while score < 4:\n"
        "    score += 1.5\n"
        "score"
    )
    found = one(workspace, context, experiment(code))
    assert found.value == 4.0
    assert [value for _, value in found.curves["score"]] == [0.0, 0.5, 1.0, 2.5, 4.0]
    assert [step for step, _ in found.curves["score"]] == [0, 1, 2, 3, 4]


def test_what_is_logged_is_a_curve(workspace: Workspace, context: Context, experiment: Make) -> None:
    code = (
        "import jupyter_swarm, numpy\n"
        "for step in range(5):\n"
        "    jupyter_swarm.log(10 * step, loss=numpy.float32(step), name='no number', wild=float('nan'))\n"
        "score = 1"
    )
    found = one(workspace, context, experiment(code))
    assert found.curves == {"loss": ((0, 0), (10, 1), (20, 2), (30, 3), (40, 4))}


def test_a_traceback_shows_the_line_as_it_is(workspace: Workspace, context: Context, experiment: Make) -> None:
    code = "for epoch in range(3):\n    score = 1.0\n    1 / (epoch - 1)"
    (found,) = run(workspace, context, experiment(code))
    assert found.reason == "failure"
    assert "line 3" in found.traceback.replace("----> 3", "line 3")
    assert "swarm_point" not in found.traceback
    assert [value for _, value in found.curves["score"]] == [1.0, 1.0]


def test_long_curves_are_thinned(workspace: Workspace, context: Context, experiment: Make) -> None:
    found = one(workspace, context, experiment("for i in range(100_000):\n    score = float(i)"))
    points = found.curves["score"]
    assert len(points) == KEPT
    assert points[0] == (0, 0)
    assert points[-1][1] > 90_000
    assert found.value == 99_999
    path = workspace.root / found.notebook
    materialise(workspace.root, found.notebook)
    text = path.read_text(encoding="utf-8")
    assert "malformed" not in text
    assert "swarm_point" not in text
    assert MOST < 20_000


def test_a_run_is_watched_while_it_runs(workspace: Workspace, context: Context, experiment: Make) -> None:
    seen: list[Curves] = []

    def watch(found: Curves) -> str:
        seen.append(found)
        return "enough" if found["loss"][-1][0] >= 20 else ""

    began = time.monotonic()
    found = one(workspace, context, experiment(SLOW), watch)
    assert (found.reason, found.message, found.value) == ("pruned", "enough", None)
    assert time.monotonic() - began < 15.0, "it would have taken 20 s"
    assert found.seconds < 10.0
    assert 20 <= found.curves["loss"][-1][0] < 200
    assert len(seen) >= 2
    assert [len(each["loss"]) for each in seen] == sorted(len(each["loss"]) for each in seen)


def test_preparation_is_shared_and_a_curve_is_not(workspace: Workspace, context: Context, experiment: Make) -> None:
    """Experiments that begin alike share what is before the curve, and each shows its own whole curve."""
    code = (
        "import time, jupyter_swarm\ntime.sleep(0.3)\ndata = [1, 2, 3]\n"
        "for step, value in enumerate(data):\n    jupyter_swarm.log(step, loss=value * seed)\n"
        "    time.sleep(0.01)\nscore = seed"
    )
    seeds = (1, 2, 3, 4, 5)

    async def main() -> list[Run]:
        laboratory = NotebookLaboratory(workspace, "wine", Analysis(code="", metric="score"), context, workers=1)
        await laboratory.open()
        try:
            found = [await laboratory.run(experiment(code, seed), 60.0, watch=lambda _: "") for seed in seeds]
            assert laboratory._executor._prefixes._made, "a snapshot was made"
            return found
        finally:
            await laboratory.close()

    found = asyncio.run(main())
    assert [each.value for each in found] == list(seeds)
    for seed, each in zip(seeds, found, strict=True):
        assert each.curves["loss"] == ((0, seed), (1, 2 * seed), (2, 3 * seed))


def test_curves_change_no_value(workspace: Workspace, context: Context, experiment: Make) -> None:
    """The same cell with and without a curve, in a plain interpreter and here."""
    body = "import random\nrandom.seed(seed)\nscore = 0.0\nfor i in range(20):\n    {}\n"
    whole = body.format("score = score + random.random()")
    found = one(workspace, context, experiment(whole))
    plain = subprocess.run(
        [sys.executable, "-c", f"seed = 3\n{whole}\nprint(repr(score))"], capture_output=True, text=True, check=True
    )
    assert repr(found.value) == plain.stdout.strip()
    assert len(found.curves["score"]) == 20


def test_nonsense_is_left_out() -> None:
    reading = Reading()
    reading.take(b'{"curves":[["a",1,2]]}\n{"curves":"x"}\n{"curves":[["a","b",1]]}\n{"curves":[["a",2,1e999]]}\nno\n')
    assert reading.curves == {"a": [(1.0, 2.0)]}
    many = [[f"n{number}", 0, 1] for number in range(1000)]
    assert len(curves(b'{"curves":%b}\n' % msgspec.json.encode(many))) == 32
    assert curves(b'{"curves":%b}\n' % msgspec.json.encode([["x" * 200, 0, 1]])) == {}


def test_log_outside_of_a_swarm_does_nothing_and_says_what_is_wrong(capfd: pytest.CaptureFixture[str]) -> None:
    log(1, loss=0.5)
    assert capfd.readouterr() == ("", "")
    for wrong in (lambda: log("one", loss=1), lambda: log(1), lambda: log(True, loss=1)):  # type: ignore[arg-type]
        with pytest.raises(UsageError, match=r"jupyter_swarm\.log"):
            wrong()


def test_curves_of_forks_are_their_own(
    workspace: Workspace, context: Context, experiment: Make, tmp_path: Path
) -> None:
    code = (
        "import os, jupyter_swarm\n"
        "jupyter_swarm.log(0, loss=0)\n"
        "if os.fork() == 0:\n"
        "    jupyter_swarm.log(1, loss=1)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "jupyter_swarm.log(2, loss=2)\nscore = 1"
    )
    assert one(workspace, context, experiment(code)).curves == {"loss": ((0, 0), (2, 2))}
