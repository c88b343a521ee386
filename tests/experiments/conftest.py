"""Three functions of the cell room are stood in for, so that these tests are about running alone."""

from __future__ import annotations

import gc
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from jupyter_swarm import cell
from jupyter_swarm.errors import LockError
from jupyter_swarm.words import Context, Experiment
from jupyter_swarm.workspace import Workspace


def _check_lock(code: str, analysis: object) -> None:
    if "LOCKED" in code:
        raise LockError("the metric may not be changed")


@pytest.fixture(autouse=True)
def simple_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell, "lift", lambda code, _: SimpleNamespace(code=code, parameters={"seed": 0}))
    monkeypatch.setattr(cell, "check_lock", _check_lock)
    nothing = SimpleNamespace(names=(), callables=(), also=(), fixed=())
    monkeypatch.setattr(cell, "rests_on", lambda code, _: nothing)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path).create()


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(python=sys.executable, python_version=platform.python_version(), folder=str(tmp_path))


@pytest.fixture
def experiment() -> Callable[..., Experiment]:
    def make(code: str, seed: int = 3, **more: object) -> Experiment:
        return Experiment(code=code, seed=seed, metric="score", context="c", **more)  # type: ignore[arg-type]

    return make


@pytest.fixture(autouse=True)
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A temporary folder of this test's own, with a path short enough for sockets."""
    tmp_path_factory.getbasetemp()  # pytest's own is made first, elsewhere
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture
def left(temporary: Path) -> Callable[[], dict[str, object]]:
    """What would be left behind: processes below this one, open files, and folders of kernels."""

    def count() -> dict[str, object]:
        gc.collect()  # what other tests have dropped may still hold files of this process
        return {
            "processes": sorted(p.pid for p in psutil.Process().children(recursive=True)),
            "files": len(os.listdir("/proc/self/fd")),
            "folders": sorted(p.name for p in temporary.iterdir()),
        }

    return count
