"""A cell and its context from a file."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_swarm.errors import CellError, UsageError
from jupyter_swarm.jupyter import source
from jupyter_swarm.jupyter.options import split
from jupyter_swarm.jupyter.source import existing, opened, percent_cells


def notebook(path: Path, *cells: str) -> Path:
    """Write a notebook of code cells, with some words between them."""
    found: list[dict[str, Any]] = [{"cell_type": "markdown", "metadata": {}, "source": ["%%swarm in words\n"]}]
    for cell in cells:
        code = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        found.append({**code, "source": cell.splitlines(keepends=True)})
    path.write_text(json.dumps({"cells": found, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def test_percent_cells() -> None:
    text = "import a\n#%%\nb = 1\n# %% a title\n\n# %% [markdown] tags\n# words\n# %%\nc = '# %%'\n# %%timeit is code\n"
    assert percent_cells(text) == ["import a\n", "b = 1\n", "c = '# %%'\n# %%timeit is code\n"]
    assert percent_cells("x = 1\n") == ["x = 1\n"]


def test_the_context_runs_where_the_file_lies_and_all_is_put_back(tmp_path: Path) -> None:
    path = tmp_path / "study.py"
    (tmp_path / "beside.py").write_text("value = 7\n")
    path.write_text(
        "# %%\nimport os, sys, beside\nhere = os.getcwd()\nmain = __name__\nprint('loud')\n"
        "def f(x: 'int') -> int:\n    return x + beside.value\n# %%\nscore = f(1)\n"
    )
    before = (Path.cwd(), sys.modules["__main__"], list(sys.path), sys.argv)
    with opened(path) as found:
        assert found.code == "score = f(1)\n"
        assert found.line is None
        assert found.namespace["here"] == str(tmp_path)
        assert found.namespace["main"] == "__main__"
        assert found.namespace["f"](1) == 8
        assert sys.modules["__main__"].f is found.namespace["f"]
    assert (Path.cwd(), sys.modules["__main__"], list(sys.path), sys.argv) == before
    sys.modules.pop("beside")


def test_what_a_context_prints_goes_to_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = notebook(
        tmp_path / "n.ipynb", "import os, sys\n_ = os.system('echo from a program')", "%%swarm --maximize x\nx = 1"
    )
    with opened(path):
        pass
    said = capfd.readouterr()
    assert "from a program" in said.err
    assert said.out == ""


def test_a_notebooks_cells_before_are_the_context_with_their_magics(tmp_path: Path) -> None:
    path = notebook(
        tmp_path / "n.ipynb",
        "%load_ext jupyter_swarm\nspend = '9x'",
        "%%capture printed\nprint('hidden')",
        "folder = %pwd\nlines = !echo a",
        "%%swarm other --maximize y\ny = 1",
        "\n%%swarm wine --maximize x --budget {{spend}}\nx = '{spend}'\n",
        "raise SystemExit",
    )
    with opened(path, "wine") as found:
        assert found.code == "x = '{spend}'\n"
        assert found.line == "wine --maximize x --budget {{spend}}"
        assert split(found.line, found.namespace)[-1] == "9x"
        assert found.namespace["folder"] == str(tmp_path)
        assert found.namespace["lines"] == ["a"]
        assert "y" not in found.namespace, "another swarm's cell is not run"
    with opened(path, "other") as found:
        assert found.code == "y = 1"


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["x = 1", "1 / 0", "%%swarm --maximize y\ny = 1"], r"ZeroDivisionError: division by zero.*cell 2, line 1"),
        (["x = 1\n\nx = nothing"], "no cell for a swarm"),
        (["def f(:", "%%swarm --maximize y\ny = 1"], "SyntaxError"),
        (["import sys; sys.exit(3)", "%%swarm --maximize y\ny = 1"], "SystemExit: 3"),
        (["%no_such_magic", "%%swarm --maximize y\ny = 1"], "cells before"),
        (["%%swarm a --maximize y\ny = 1", "%%swarm b --maximize y\ny = 1"], "2 cells for swarms.*--name NAME"),
    ],
)
def test_a_notebook_that_cannot_be_used_says_why(tmp_path: Path, cells: list[str], said: str) -> None:
    path = notebook(tmp_path / "n.ipynb", *cells)
    with pytest.raises((CellError, UsageError), match=said), opened(path):
        pass
    assert os.getcwd() != str(tmp_path)


def test_a_python_file_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    path = tmp_path / "c.py"
    for text, said in (
        ("# %%\nx = 1\n\ny = x / 0\n# %%\nz = 1\n", r"ZeroDivisionError.*c.py, cell 1, line 3"),
        ("# %%\nx = (\n# %%\nz = 1\n", "SyntaxError"),
        ("# %%\nimport no_such_module\n# %%\nz = 1\n", "ModuleNotFoundError: No module named 'no_such_module'"),
    ):
        path.write_text(text)
        with pytest.raises(CellError, match=said), opened(path):
            pass
    path.write_bytes(b"\xff\xfe\x00x")
    with pytest.raises(UsageError, match="no text in UTF-8"), opened(path):
        pass
    broken = tmp_path / "b.ipynb"
    broken.write_text('{"cells": 3}')
    with pytest.raises(UsageError, match="no notebook that can be read"), opened(broken):
        pass


def test_a_path_has_to_be_a_file_of_a_known_kind(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    for name, said in (("nothing.py", "does not exist"), (".", "is a folder"), ("a.txt", "neither")):
        with pytest.raises(UsageError, match=said):
            existing(str(tmp_path / name))
    assert source.name_of(Path("wine.py")) == "wine"
