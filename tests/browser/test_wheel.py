"""The wheel, in a fresh environment and without Node: JupyterLab has the panel, the server its extension."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from jupyter_swarm import __version__

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
BUILDER = [sys.executable, str(ROOT / "labextension" / "build.py")]


def run(*command: str | Path, **variables: str) -> str:
    """What a command says, which has to succeed."""
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This package's wheel; the panel in it is built with it, unless it is already."""
    if all(subprocess.run([*BUILDER, verb], capture_output=True, check=False).returncode for verb in ("made", "node")):
        pytest.skip("the panel is not built here, and there is no Node to build it")
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    [made] = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prefix of a fresh environment: the wheel is its own, packages that it needs are borrowed from ours."""
    prefix = tmp_path_factory.mktemp("fresh")
    venv.create(prefix, symlinks=True, with_pip=False)
    run(sys.executable, "-m", "pip", "--python", prefix / "bin" / "python", "install", "--quiet", "--no-deps", wheel)
    [packages] = prefix.glob("lib/python*/site-packages")
    borrowed = sysconfig.get_path("purelib")
    (packages / "borrowed.pth").write_text(f"{borrowed}\n")
    return prefix


def jupyter(prefix: Path, *command: str) -> str:
    """What a Jupyter command says there, where no Node can be found, without colours."""
    home = prefix / "home"
    private = {f"JUPYTER_{kind}": str(home / kind.lower()) for kind in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")}
    path = str(prefix / "bin")
    said = run(prefix / "bin" / "python", "-m", *command, PATH=path, NO_COLOR="1", HOME=str(home), **private)
    return re.sub(r"\x1b\[\d*m", "", said)


def test_the_panel_is_there_without_node(fresh: Path) -> None:
    said = jupyter(fresh, "jupyterlab.labextensions", "list")
    assert f"{fresh}/share/jupyter/labextensions" in said
    assert re.search(rf"^\s+jupyter-swarm v{re.escape(__version__)} enabled OK \(python, jupyter-swarm\)$", said, re.M)


def test_the_wheel_holds_the_panel_once_and_no_sources_of_it(fresh: Path) -> None:
    panel = fresh / "share" / "jupyter" / "labextensions" / "jupyter-swarm"
    assert {path.name for path in panel.iterdir()} >= {"package.json", "install.json", "schemas", "static"}
    assert list(panel.glob("static/remoteEntry.*.js"))
    [package] = fresh.glob("lib/python*/site-packages/jupyter_swarm")
    assert not (package / "labextension").exists()


def test_a_page_has_little_to_load(fresh: Path) -> None:
    """All of the panel's scripts, as they travel."""
    scripts = (fresh / "share" / "jupyter" / "labextensions" / "jupyter-swarm" / "static").glob("*.js")
    assert 0 < sum(len(gzip.compress(path.read_bytes())) for path in scripts) < 300_000


def test_the_server_extension_is_enabled(fresh: Path) -> None:
    said = jupyter(fresh, "jupyter_server.extension.serverextension", "list")
    assert re.search(r"jupyter_swarm\S* enabled", said), said
    assert re.search(rf"jupyter_swarm\S* {re.escape(__version__)} OK", said), said


def test_what_is_shared_with_jupyterlab_is_not_in_the_bundle(fresh: Path) -> None:
    """One React, one CodeMirror state, one Lumino on a page: a second copy of any breaks what they share."""
    panel = fresh / "share" / "jupyter" / "labextensions" / "jupyter-swarm" / "static"
    licences = (panel / "third-party-licenses.json").read_text()
    bundled = set(re.findall(r'"name": "([^"]+)"', licences))
    assert not {name for name in bundled if name.startswith(("@lumino/", "@jupyterlab/", "react-dom"))}
    assert not bundled & {"@codemirror/state", "@codemirror/view", "@codemirror/language", "yjs"}
