"""Kernels are forked from a process that has done the imports; where that cannot be, they are exec'd."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import nbformat
import psutil
import pytest

from jupyter_swarm.experiments import NotebookLaboratory
from jupyter_swarm.experiments.nursery import Nursery, NurseryLost
from jupyter_swarm.words import Analysis, Context, Experiment, Run
from jupyter_swarm.workspace import Workspace

Make = Callable[..., Experiment]
TELL = (
    "import sys, os, json, random, numpy\n"
    "state = [random.getstate()[1][:3], numpy.random.get_state()[1][:3].tolist()]\n"
    "print(json.dumps({'slow': 'slow_module' in sys.modules, 'parents': [os.getppid()], 'threads': "
    "len(os.listdir('/proc/self/task')), 'main': __name__, 'path': sys.path, 'argv': sys.argv}))\nscore = 1.0"
)


def laboratory(workspace: Workspace, context: Context) -> NotebookLaboratory:
    return NotebookLaboratory(workspace, "wine", Analysis(code=""), context, workers=1)


async def runs(lab: NotebookLaboratory, *experiments: Experiment) -> list[Run]:
    return [await lab.run(one, 60.0) for one in experiments]


def said(workspace: Workspace, run: Run) -> dict[str, object]:
    executed = nbformat.read(workspace.root / run.notebook, as_version=4)
    (cell,) = [cell for cell in executed.cells if "experiment" in cell.metadata.tags]
    found: dict[str, object] = json.loads(cell.outputs[0].text)
    return found


def zygotes() -> list[psutil.Process]:
    """Those of this process; whatever else it has as children, dead ones among them, is no matter."""
    found = []
    for each in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if each.status() != psutil.STATUS_ZOMBIE and any(part.endswith("zygote.py") for part in each.cmdline()):
                found.append(each)
    return found


@pytest.mark.slow
def test_the_imports_are_there_and_nothing_else_shows(
    workspace: Workspace, context: Context, experiment: Make, left: Callable[[], dict[str, object]]
) -> None:
    (Path(context.folder) / "slow_module.py").write_text("VALUE = 1\n")
    before = left()

    async def main() -> list[Run]:
        lab = laboratory(workspace, msgspec.structs.replace(context, imports=("import slow_module",)))
        await lab.open()
        try:
            (zygote,) = zygotes()
            first = await runs(lab, experiment(TELL), experiment(TELL + " "))
            assert psutil.Process(zygote.pid).num_threads() == 1
            return first
        finally:
            await lab.close()

    first, second = (said(workspace, run) for run in asyncio.run(main()))
    for found in (first, second):
        assert found["slow"], "the import was done before the fork"
        assert found["main"] == "__main__"
        assert not any("experiments" in part for part in found["path"]), "nothing of ours is on the path"  # type: ignore[attr-defined]
    assert first["parents"] != second["parents"], "each has a keeper of its own"
    assert left() == before


@pytest.mark.slow
def test_an_import_that_starts_threads_is_not_forked(
    workspace: Workspace, context: Context, experiment: Make, left: Callable[[], dict[str, object]]
) -> None:
    (Path(context.folder) / "busy_module.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n"
    )
    before = left()

    async def main() -> list[Run]:
        lab = laboratory(workspace, msgspec.structs.replace(context, imports=("import busy_module",)))
        await lab.open()
        try:
            assert zygotes() == []
            return await runs(lab, experiment("import busy_module\nscore = 2.0"))
        finally:
            await lab.close()

    assert asyncio.run(main())[0].value == 2.0
    assert left() == before


@pytest.mark.slow
def test_a_system_that_cannot_pass_descriptors(
    workspace: Workspace, context: Context, experiment: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(socket, "send_fds")

    async def main() -> list[Run]:
        lab = laboratory(workspace, context)
        await lab.open()
        try:
            assert zygotes() == []
            return await runs(lab, experiment("score = 3.0"))
        finally:
            await lab.close()

    assert asyncio.run(main())[0].value == 3.0


@pytest.mark.slow
def test_a_zygote_that_is_killed_is_replaced(
    workspace: Workspace, context: Context, experiment: Make, left: Callable[[], dict[str, object]]
) -> None:
    before = left()

    async def main() -> list[Run]:
        lab = laboratory(workspace, context)
        await lab.open()
        try:
            (zygote,) = zygotes()
            zygote.kill()
            zygote.wait(10)
            found = await runs(lab, *(experiment("score = 4.0", seed=seed) for seed in range(3)))
            (another,) = zygotes()
            assert another.pid != zygote.pid
            return found
        finally:
            await lab.close()

    assert [run.value for run in asyncio.run(main())] == [4.0, 4.0, 4.0]
    assert left() == before


def test_one_that_is_closed_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        nursery = Nursery(sys.executable, str(tmp_path), [])
        assert await nursery.open()
        assert nursery.lives
        await nursery.close()
        assert not nursery.lives
        with open(os.devnull, "wb") as nowhere, pytest.raises(NurseryLost):
            nursery.fork(tmp_path, [], {}, nowhere.fileno())

    asyncio.run(main())


def test_an_interpreter_without_ipykernel_forks_nothing(tmp_path: Path) -> None:
    async def main() -> bool:
        nursery = Nursery("/nowhere/python", str(tmp_path), [])
        try:
            return await nursery.open()
        finally:
            await nursery.close()

    assert not asyncio.run(main())
