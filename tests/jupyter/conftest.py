"""Real shells, real kernels, real commands; what they start is ended."""

from __future__ import annotations

import atexit
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from faces import CONTEXT, Kernel, end_all, quiet_library


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of this test's own, with a path short enough for sockets; its swarms are ended."""
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp", ignore_cleanup_errors=True) as name:
        quiet_library(Path(name))
        try:
            yield Path(name)
        finally:
            end_all(Path(name))


# ---------------------------------------------------------------- terminal


@pytest.fixture
def command(folder: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `jupyter-swarm WORDS` in the folder."""

    def run(*words: object, timeout: float = 120, **more: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "jupyter_swarm.jupyter.cli", *map(str, words)]
        options = {"cwd": folder, "text": True, "capture_output": True, "timeout": timeout, **more}
        return subprocess.run(command, check=False, **options)

    return run


# ---------------------------------------------------------------- a shell in this process


@pytest.fixture
def shell(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A real InteractiveShell with the magics loaded, in the folder."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.chdir(folder)
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    config = Config()
    config.HistoryManager.enabled = False
    made = InteractiveShell.instance(config=config)
    made.run_line_magic("load_ext", "jupyter_swarm")
    yield made
    atexit.unregister(made.atexit_operations)
    made.atexit_operations()
    InteractiveShell.clear_instance()


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    """A kernel with the magics loaded and `measure` defined; its swarms are ended."""
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp", ignore_cleanup_errors=True) as name:
        quiet_library(Path(name))
        started = Kernel(Path(name))
        try:
            assert started.run("%load_ext jupyter_swarm").status == "ok"
            assert started.run(CONTEXT).status == "ok"
            yield started
        finally:
            started.close()
            end_all(Path(name))
