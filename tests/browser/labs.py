"""A real JupyterLab (or Notebook 7) on a random port, and the ledger of its folder in our hands."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from serving import Served, serving


@dataclass
class Lab(Served):
    """A running JupyterLab."""

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


@contextmanager
def served(module: str, tree: str, factory: pytest.TempPathFactory, *more: str, base: str = "/") -> Iterator[Lab]:
    """A server of this module, until the block ends; `more` of its command line, `base` before every address."""
    folder, home = factory.mktemp("notebooks"), factory.mktemp("home")
    options = ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", *more]
    settings = {"JUPYTERLAB_SETTINGS_DIR": str(home / "lab"), "JUPYTERLAB_WORKSPACES_DIR": str(home / "spaces")}
    with serving(module, folder, home, *options, environment=settings, base=base) as server:
        lab = Lab(server.url, server.token, folder, server.process, server.log, tree)
        lab.setting("notification", fetchNews="false", checkForUpdates=False)
        yield lab
