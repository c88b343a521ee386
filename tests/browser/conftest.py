"""The browser rig: a real JupyterLab (or Notebook 7) on a random port, a real Chromium, and the ledger of its folder
in our hands."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TESTS = Path(__file__).resolve().parents[1]
ARTEFACTS = TESTS.parent / "artefacts"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]


@dataclass
class Lab:
    """A running JupyterLab: where it serves, from which folder, and how one gets in."""

    url: str
    token: str
    folder: Path
    process: subprocess.Popen[bytes]
    tree: str = "lab/tree"

    def notebook(self, name: str, *sources: str) -> str:
        """Write a notebook of code cells; its address."""
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        notebook = nbformat.v4.new_notebook(cells=cells)
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        (self.folder / name).write_text(nbformat.writes(notebook))
        return f"{self.url}/{self.tree}/{name}?reset&token={self.token}"

    def setting(self, plugin: str, **values: object) -> None:
        """Set options of JupyterLab for every page that is opened from here on (`themes`, theme="JupyterLab Dark")."""
        request = urllib.request.Request(
            f"{self.url}/lab/api/settings/@jupyterlab/apputils-extension:{plugin}",
            data=json.dumps({"raw": json.dumps(values)}).encode(),
            headers={"Authorization": f"token {self.token}"},
            method="PUT",
        )
        urllib.request.urlopen(request, timeout=10).close()


def chromium() -> str:
    """The path of a Chromium, or a skip that says how to get one."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium here: `make test` installs it (apt-get install chromium)")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on a folder of its own, with settings of its own."""
    with served("jupyterlab", "lab/tree", tmp_path_factory) as lab:
        yield lab


@pytest.fixture(scope="session")
def notebook7(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Jupyter Notebook 7 likewise, where it is installed."""
    pytest.importorskip("notebook", "7", reason="Notebook 7 is not installed here: pip install 'notebook>=7'")
    with served("notebook", "notebooks", tmp_path_factory) as lab:
        yield lab


@contextmanager
def served(module: str, tree: str, factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A server of this module, until the block ends."""
    folder, home = factory.mktemp("notebooks"), factory.mktemp("home")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", module, "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    command += [f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={token}", "--ServerApp.port_retries=0"]
    command += ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    if os.geteuid() == 0:
        command.append("--allow-root")
    private = {f"JUPYTER_{kind}": str(home / kind.lower()) for kind in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")}
    settings = {"JUPYTERLAB_SETTINGS_DIR": str(home / "lab"), "JUPYTERLAB_WORKSPACES_DIR": str(home / "spaces")}
    environment = {**os.environ, **private, **settings, "IPYTHONDIR": str(home / "ipython")}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(f"{url}/api/status?token={token}", process, home / "log")
            lab = Lab(url, token, folder, process, tree)
            lab.setting("notification", fetchNews="false", checkForUpdates=False)
            yield lab
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"the server did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium. It ends with its module: while playwright runs, no other test could have an event loop."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install -e .[test]")
    path = chromium()
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page in a context of its own; dialogues and console errors are kept on it."""
    context = browser.new_context(viewport={"width": 1240, "height": 1900})
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    yield opened
    context.close()


@pytest.fixture
def shot(page: Page, request: pytest.FixtureRequest) -> Iterator[object]:
    """Keep a picture under `artefacts/`, and one of the page when the test ends."""
    ARTEFACTS.mkdir(exist_ok=True)

    def take(name: str, selector: str = "") -> Path:
        path = ARTEFACTS / f"{name}.png"
        (page.locator(selector).first if selector else page).screenshot(path=path)
        return path

    yield take
    page.screenshot(path=ARTEFACTS / f"{request.node.name}-last.png")
