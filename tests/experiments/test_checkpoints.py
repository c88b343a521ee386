"""Folders for checkpoints: a run that is begun again finds what it had saved, and no other run does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_swarm.experiments import NotebookLaboratory
from jupyter_swarm.experiments.checkpoints import Checkpoints, wanted
from jupyter_swarm.within import checkpoints
from jupyter_swarm.words import Analysis, Context, Experiment, Run
from jupyter_swarm.workspace import Workspace

Make = Callable[..., Experiment]
CODE = """
import time, jupyter_swarm

path = jupyter_swarm.checkpoints() / "last.txt"
begun = int(path.read_text()) if path.exists() else 0
for step in range(begun, 100):
    part = path.with_suffix(".new")
    part.write_text(str(step))
    part.replace(path)
    if begun == 0:
        time.sleep(0.05)
score = float(begun)
"""
LOOKS = """
import os, jupyter_swarm

place = jupyter_swarm.checkpoints()
assert not list(place.iterdir())
seen = []
try:
    seen = [open(each / "last.txt").read() for each in place.parent.iterdir() if each != place]
except OSError:
    pass
score = float(len(seen))
"""


def laboratory(workspace: Workspace, context: Context, code: str = CODE) -> NotebookLaboratory:
    return NotebookLaboratory(workspace, "wine", Analysis(code=code, metric="score"), context, workers=2)


async def cut_off(made: NotebookLaboratory, asked: Experiment, place: Path) -> None:
    """Begin a run, and end its laboratory when it has saved something, as a runner does that is told to leave."""
    running = asyncio.ensure_future(made.run(asked, 60.0))
    for _ in range(600):
        if list(place.glob("*/last.txt")):
            break
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    await made.close()
    assert (await running).reason == "stopped"


@pytest.mark.parametrize("purpose", ["screening", "confirmation", "baseline"])
def test_a_run_goes_on_where_it_was_cut_off(
    workspace: Workspace, context: Context, experiment: Make, purpose: str
) -> None:
    place = workspace.swarm("wine") / "checkpoints"

    async def main() -> tuple[Run, Run]:
        first = laboratory(workspace, context)
        await first.open()
        await cut_off(first, experiment(CODE, purpose=purpose), place)
        again = laboratory(workspace, context)
        await again.open()
        try:
            other = await again.run(experiment(CODE, seed=4, purpose=purpose), 60.0)
            same = await again.run(experiment(CODE, purpose=purpose), 60.0)
        finally:
            await again.close()
        return other, same

    other, same = asyncio.run(main())
    assert other.value == 0.0, other.traceback or other.message
    assert same.value is not None, same.traceback or same.message
    assert same.value > 0.0, "it had saved something"
    assert list(place.iterdir()) == [], "what has come to its end leaves nothing"
    Checkpoints(workspace.swarm("wine")).clear()
    assert not place.exists()


def test_nobody_reads_those_of_another(workspace: Workspace, context: Context, experiment: Make) -> None:
    place = workspace.swarm("wine") / "checkpoints" / "other"
    place.mkdir(parents=True)
    (place / "last.txt").write_text("7")

    async def main() -> list[Run]:
        made = laboratory(workspace, context, LOOKS)
        await made.open()
        try:
            assert not made._executor.layers["landlock"]
            return [await made.run(experiment(LOOKS, purpose=p), 60.0) for p in ("screening", "confirmation")]
        finally:
            await made.close()

    for found in asyncio.run(main()):
        assert found.value == 0.0, found.traceback or found.message
    assert (place / "last.txt").read_text() == "7"


def test_in_a_plain_notebook_it_lies_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert checkpoints() == Path("checkpoints")
    assert (tmp_path / "checkpoints").is_dir()


def test_cells_that_know_nothing_of_it_have_none(workspace: Workspace, context: Context, experiment: Make) -> None:
    assert not wanted(Analysis(code="score = 1"), context)
    asyncio.run(_once(workspace, context, experiment("score = 1.0")))
    assert not (workspace.swarm("wine") / "checkpoints").exists()


async def _once(workspace: Workspace, context: Context, asked: Experiment) -> None:
    made = laboratory(workspace, context, "score = 1.0")
    await made.open()
    try:
        assert (await made.run(asked, 60.0)).value == 1.0
    finally:
        await made.close()
