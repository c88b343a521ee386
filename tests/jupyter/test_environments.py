"""Kernels and runners in environments of their own: other Pythons, few packages, wrong choices."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import papermill
import pytest
from faces import Kernel, end_all, quiet_library

from jupyter_swarm.api import Swarm
from jupyter_swarm.engine import environments
from jupyter_swarm.errors import UsageError, WorkspaceError
from jupyter_swarm.events import RunnerStarted, SwarmRequested
from jupyter_swarm.experiments.executor import Executor
from jupyter_swarm.experiments.packages import Packages
from jupyter_swarm.experiments.setup import Setup
from jupyter_swarm.version import __version__
from jupyter_swarm.workspace import Workspace

ROOT = Path(__file__).parents[2]
CONTEXT = """\
import random
import beside

def measure(rate=0.3, power=2):
    return beside.TOP - abs(rate - 0.7) ** power + random.gauss(0, 0.01)
"""
CELL = '"""Which rate is best?"""\nscore = measure(rate=0.3)\n'
FIRST = f"%%swarm study --maximize score --budget 20x --agents 2 --wait\n{CELL}"
Command = Callable[..., "subprocess.CompletedProcess[str]"]

# ---------------------------------------------------------------- environments


def another_python() -> str:
    """An interpreter of another Python that is new enough; "" where there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    names = [f"python3.{minor}" for minor in range(14, 10, -1) if minor != sys.version_info.minor]
    found = [path for name in names if (path := shutil.which(name))]
    found += [str(path) for name in names for path in sorted(pyenv.glob(f"versions/*/bin/{name}"))]
    for path in found:  # a shim may stand for nothing
        ask = [path, "-c", "import sys, venv; print(sys.version_info >= (3, 11))"]
        if subprocess.run(ask, capture_output=True, text=True, check=False).stdout == "True\n":
            return path
    return ""


def made(folder: Path, python: str = sys.executable) -> str:
    """The interpreter of a new environment with nothing in it."""
    subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True)
    return str(folder / "bin" / "python")


def installed(python: str, *words: str) -> None:
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"nothing can be installed here: {(done.stderr.strip().splitlines() or ['?'])[-1]}")


def site_of(python: str) -> Path:
    (found,) = Path(python).parents[1].glob("lib/python*/site-packages")
    return found


def borrowing(folder: Path, *before: Path) -> str:
    """The interpreter of a new environment that finds all that this one has, and `before` before that."""
    python = made(folder)
    (site_of(python) / "all.pth").write_text("\n".join(map(str, (*before, ROOT, sysconfig.get_path("purelib")))))
    return python


class Said:
    """What a bare environment said, and the same environment once that was followed."""

    python = load = problem = ""


@pytest.fixture(scope="module")
def said() -> Iterator[Said]:
    """An environment of another Python in which ipykernel was, and nothing of ours but the package itself."""
    other = another_python()
    if not other:
        pytest.skip("there is no other Python of 3.11 or later on this machine")
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp", ignore_cleanup_errors=True) as name:
        found = Said()
        found.python = made(Path(name) / "env", other)
        installed(found.python, "ipykernel")
        installed(found.python, "--no-deps", str(ROOT))
        kernel = Kernel(Path(name), found.python)
        try:
            found.load = kernel.run("%load_ext jupyter_swarm").status
            found.problem = kernel.run(FIRST).errors
        finally:
            kernel.close()
        pip = re.search(r"%pip install (.+)", found.problem)
        if pip:
            installed(found.python, *pip[1].split())
        yield found


@pytest.fixture
def kernel(said: Said, folder: Path) -> Iterator[Kernel]:
    """A kernel of the other Python, whose path leads to what a runner must not find."""
    beside = folder / "beside"
    beside.mkdir()
    (beside / "beside.py").write_text("TOP = 1.0\n")
    (beside / "bm25s.py").write_text("raise ImportError('not for the runner')\n")
    started = Kernel(folder, said.python, PYTHONPATH=str(beside))
    try:
        assert started.run("%load_ext jupyter_swarm").status == "ok"
        assert started.run(CONTEXT).status == "ok"
        yield started
    finally:
        started.close()
        end_all(folder)


# ---------------------------------------------------------------- a kernel of another Python


def test_what_a_kernel_lacks_is_named_with_the_line_that_installs_it(said: Said) -> None:
    assert said.load == "ok"
    names = "cloudpickle, ipywidgets, msgspec, rich, sqlalchemy are not installed in this environment"
    assert said.problem.startswith(f"UsageError: {names}"), said.problem
    assert said.problem.strip().endswith("%pip install cloudpickle ipywidgets msgspec rich sqlalchemy")


def test_a_kernel_with_little_says_where_a_runner_may_live(kernel: Kernel) -> None:
    problem = kernel.run(FIRST).errors
    lacking = "nbclient, nbformat, numpy, optuna, scipy, Stemmer"
    assert f"no runner can live in this environment, without {lacking} (" in problem
    assert "%swarm runner --env PATH; or install it here: " in problem
    assert not Workspace(kernel.folder).exists, "nothing has begun"
    assert "a search needs numpy, Stemmer" in _searched(kernel)


def _searched(kernel: Kernel) -> str:
    """What a search says after a paper was added, or why it does not."""
    quiet_library(kernel.folder)
    assert kernel.run("%swarm papers add module:textwrap").status == "ok"
    answer = kernel.run("%swarm papers search paragraph")
    return answer.plain + answer.errors


@pytest.mark.slow
def test_a_swarm_whose_kernel_and_runner_have_two_pythons(
    kernel: Kernel, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = kernel.run(f"%swarm runner --env {sys.prefix}")
    assert f"Python {platform.python_version()}, jupyter-swarm {__version__}" in chosen.plain, chosen.errors
    assert "textwrap" in _searched(kernel)
    ended = kernel.run(FIRST)
    assert ended.status == "ok", ended.errors
    swarm = kernel.swarm("study")
    state = swarm.state
    assert (state.phase, state.experiments) == ("done", len(state.rows)), state.why
    assert len(state.baseline_values()) == 3
    assert [row.run.message for row in state.rows.values() if row.run is None or not row.run.ok] == []
    events = [record.event for record in swarm.workspace.store.read(0, swarm="study")]
    (request,) = (each for each in events if isinstance(each, SwarmRequested))
    (started,) = (each for each in events if isinstance(each, RunnerStarted))
    assert request.context.python == said.python
    assert request.context.python_version.split(".")[:2] != started.versions["python"].split(".")[:2]
    assert started.versions["python"] == platform.python_version()
    assert kernel.run("%swarm report study").status == "ok"
    report = nbformat.read(kernel.folder / "study-report.ipynb", as_version=4)
    drawn = [output.data for each in report.cells for output in each.get("outputs", ())]
    assert drawn
    assert all("image/png" in data for data in drawn), "the kernel has no Matplotlib, the runner's environment has"
    assert kernel.run("%swarm open study 1").status == "ok"
    _executed_again(kernel, said.python, monkeypatch)


def _executed_again(kernel: Kernel, python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """papermill runs an exported notebook to the same metric in a kernel of its Python, and in no other."""
    assert kernel.run("%swarm export study --run 1").status == "ok"
    path = kernel.folder / "study-runs/run-0001.ipynb"
    kernels = kernel.folder / "jupyter/kernels/other"
    kernels.mkdir(parents=True)
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "other", "language": "python"}
    (kernels / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(kernel.folder / "jupyter"))
    monkeypatch.setenv("PYTHONPATH", str(kernel.folder / "beside"))
    again = papermill.execute_notebook(path, None, kernel_name="other", progress_bar=False)
    assert _metric(again) == _metric(nbformat.read(path, as_version=4)) != ""
    (kernel.folder / "beside/bm25s.py").unlink()
    with pytest.raises(papermill.PapermillExecutionError, match="the captured variables are of Python"):
        papermill.execute_notebook(path, None, progress_bar=False)


def _metric(notebook: nbformat.NotebookNode) -> str:
    return "".join(each.data["text/plain"] for each in notebook.cells[-1].outputs if "data" in each)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python reads whatever the other does")
def test_a_cell_that_the_runner_cannot_read_is_refused_before_it_begins(kernel: Kernel) -> None:
    assert kernel.run(f"%swarm runner --env {sys.executable}").status == "ok"
    newer = CELL + """label = f"{"a" if score > 0 else "b"}"\n"""
    refused = kernel.run(f"%%swarm newer --maximize score --budget 20x\n{newer}")
    assert f"the cell cannot be read by the runner's Python {platform.python_version()} (line 3" in refused.errors
    assert "or choose an environment with Python 3." in refused.errors
    assert not Workspace(kernel.folder).exists


def test_what_newer_syntax_declares_is_not_asked_of_the_notebook(said: Said) -> None:
    source = """
type Number = int | Other
type Pair[P] = tuple[P, P]
def best[T: float](values: list[T], first: T) -> T:
    def inner[U](x: U) -> T:
        y: U = x
        return y
    return max(values, key=inner)
class Box[K](dict[K, int]):
    kind: K
    def of(self, key: K) -> K: return outside
"""
    ask = "import ast, sys; from jupyter_swarm.cell.names import names; "
    ask += "print(sorted(names(ast.parse(sys.stdin.read())).needed))"
    done = subprocess.run([said.python, "-c", ask], input=source, capture_output=True, text=True, check=False)
    if "SyntaxError" in done.stderr:
        pytest.skip("the other Python knows no type parameters")
    assert done.stdout == "['Other', 'dict', 'int', 'list', 'max', 'outside', 'tuple']\n", done.stderr


@pytest.mark.parametrize("forked", [True, False], ids=["forked", "kernels"])
def test_experiments_run_under_the_other_python(
    said: Said, folder: Path, forked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not forked:
        monkeypatch.delattr(socket, "send_fds")
    source = "import platform, sys; print(platform.python_version(), [m for m in sys.modules if 'jupyter_swarm' in m])"

    async def main() -> bytes:
        executor = Executor(Setup(said.python, str(folder), ("import numpy", "import json")), 1)
        await executor.open()
        try:
            assert bool(executor.why) is not forked, executor.why
            return (await executor.run({"cells": [{"index": 0, "source": source}]}, 60.0)).frames
        finally:
            await executor.close()

    assert f"{environments.ask(said.python).python} []".encode() in asyncio.run(main())


def test_packages_are_those_of_the_kernels_environment(said: Said) -> None:
    home = next(site_of(said.python).glob("msgspec-*.dist-info"))
    assert Packages(said.python, ["msgspec", "optuna"]).versions == {
        "msgspec": home.name.removesuffix(".dist-info").split("-")[1]
    }


# ---------------------------------------------------------------- choosing an environment


def test_the_environment_that_is_chosen_is_used_and_kept_and_its_end_loses_nothing(
    command: Command, folder: Path
) -> None:
    python = borrowing(folder / "env")
    before = json.loads(command("runner", "--json").stdout)
    assert (before["chosen"], before["python"], before["runners"]) == (False, sys.executable, [])
    chosen = command("runner", "--env", "env")
    assert f"A runner is started with {python} (chosen for this folder" in " ".join(chosen.stdout.split())
    (folder / "cell.py").write_text("import time\nx = 0.3  #: 0..1\ntime.sleep(0.2)\nscore = 1 - (x - 0.7) ** 2\n")
    begun = command("run", "cell.py", "--maximize", "score", "--budget", "10m", "--agents", "2")
    assert begun.returncode == 0, begun.stderr
    swarm = Swarm("cell", Workspace(folder))
    while not swarm.alive:
        assert swarm.state.phase == "requested"
    (runner,) = json.loads(command("runner", "--json").stdout)["runners"]
    assert (runner["swarm"], runner["python"]) == ("cell", python)
    os.kill(int(runner["runner"].rpartition(":")[2]), 15)
    while swarm.alive:
        assert not swarm.state.over
    known = swarm.state.experiments
    shutil.rmtree(folder / "env")
    gone = command("resume", "cell")
    assert gone.returncode == 1
    assert f"the environment that was chosen for runners is gone ({python})" in gone.stderr
    assert "runner --env PATH (own: " in gone.stderr
    assert "is gone" in command("runner").stdout
    assert swarm.state.experiments == known
    assert command("runner", "--env", "own").returncode == 0
    assert not (folder / ".swarm/runner.json").exists()
    assert command("resume", "cell").returncode == 0
    while not swarm.alive:
        assert not swarm.state.over
    (runner,) = json.loads(command("runner", "--json").stdout)["runners"]
    assert runner["python"] == sys.executable


@pytest.mark.parametrize(
    ("path", "problem", "cure"),
    [
        ("nothing", "there is no ", "a conda prefix, or an interpreter"),
        (".", "has no Python that can be started", "a conda prefix, or an interpreter"),
        ("project", "has no Python that can be started", "project/.venv"),
        ("/bin/true", "/bin/true does not tell what it has: it says nothing", "Python 3.11 or later"),
        ("/bin/false", "does not tell what it has", "Python 3.11 or later"),
    ],
)
def test_what_is_no_environment_is_refused(command: Command, folder: Path, path: str, problem: str, cure: str) -> None:
    made(folder / "project/.venv")
    answer = command("runner", "--env", path)
    assert answer.returncode == 2
    assert problem in answer.stderr
    assert cure in answer.stderr
    assert not (folder / ".swarm/runner.json").exists()


def test_an_environment_without_us_is_refused(folder: Path) -> None:
    python = made(folder / "env")
    with pytest.raises(UsageError, match="jupyter-swarm is not installed there") as refused:
        environments.choose(Workspace(folder), str(folder / "env"))
    assert refused.value.cure == f"{python} -m pip install jupyter-swarm=={__version__}"


def test_an_environment_with_little_is_refused(folder: Path) -> None:
    python = made(folder / "env")
    home = folder / "ours/jupyter_swarm-0.dist-info"
    home.mkdir(parents=True)
    (home / "METADATA").write_text("Metadata-Version: 2.1\nName: jupyter-swarm\nVersion: 0\n")
    (home / "entry_points.txt").write_text("[jupyter_swarm.roles]\nx = jupyter_swarm.roles:x\n")
    (site_of(python) / "ours.pth").write_text(f"{folder / 'ours'}\n{ROOT}")
    with pytest.raises(UsageError, match=r"a runner needs IPython, .*optuna.*, not installed there"):
        environments.choose(Workspace(folder), python)


def test_another_version_is_refused_when_it_is_chosen_and_when_a_runner_starts(folder: Path) -> None:
    older = folder / "older/jupyter_swarm"
    python = borrowing(folder / "env", older.parent)
    workspace = Workspace(folder)
    assert environments.choose(workspace, python).swarm == __version__
    environments.check(workspace)
    older.mkdir(parents=True)
    (older / "__init__.py").touch()
    (older / "version.py").write_text('__version__ = "9.9.9"\n')
    told = f"jupyter-swarm 9.9.9 is installed there, and {__version__} here: they must be the same"
    with pytest.raises(WorkspaceError, match=told):
        environments.check(workspace)
    with pytest.raises(UsageError, match=told):
        environments.choose(workspace, python)
    with pytest.raises(WorkspaceError, match=told):
        Swarm.start("x = 0.3  #: 0..1\nscore = x * 2", maximize="score", workspace=workspace)
    assert not workspace.exists


def test_a_choice_that_cannot_be_read_is_said(folder: Path) -> None:
    workspace = Workspace(folder).create()
    (workspace.root / "runner.json").write_text("{")
    with pytest.raises(WorkspaceError, match="which environment was chosen for runners cannot be read"):
        environments.check(workspace)
    environments.forget(workspace)
    environments.check(workspace)
