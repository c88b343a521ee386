"""The papermill engine `swarm` against papermill's own: the same notebooks, cell by cell."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

from jupyter_swarm.experiments import engine

NOTEBOOKS: dict[str, list[str]] = {
    "values": ["x = 1", "x + 1", "print('a')\nx", "x;", "_ + 1", "None", "'text'", "[1, 2, {'a': (3,)}]"],
    "streams": [
        "import sys\nprint('out')\nprint('err', file=sys.stderr)\nprint('out again')\nsys.stdout.write('no newline')",
        "for i in range(3):\n    print(i, end=' ', flush=True)",
        "print('ä€😀\\t|\\x1b[31mred\\x1b[0m')",
        "import os\nos.system('echo from a process; echo to error >&2')\nNone",
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'print(5)'])\nNone",
    ],
    "magics": [
        "%time 1 + 1\nNone",
        "%%capture caught\nprint('hidden')",
        "caught.stdout",
        "!echo shell",
        "a = !echo list\na",
    ],
    "displays": [
        "from IPython.display import HTML, Markdown, Image, display, clear_output, update_display",
        "display(HTML('<b>x</b>'), Markdown('*y*'))\nHTML('<i>z</i>')",
        "print('gone')\nclear_output()\nprint('stays')",
        "print('gone')\nclear_output(wait=True)\nprint('stays')",
        "display({'text/plain': 'raw', 'application/json': {'a': [1]}}, raw=True, metadata={'m': 1})",
        "handle = display('first', display_id='one')",
        "update_display('second', display_id='one')\nhandle.update('third')",
    ],
    "repr": [
        "class A:\n    def _repr_html_(self): return '<p>a</p>'\n    def __repr__(self): return 'A'\nA()",
        "class B:\n    def __repr__(self): raise ValueError('no repr')\nB()",
    ],
    "figure": [
        "import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])\nplt.title('t')",
        "fig, ax = plt.subplots(figsize=(1, 1))\nax.plot([0, 1])\nplt.show()\nprint('after')",
        "fig",
    ],
    "frame": ["import pandas as pd\nframe = pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})\nframe", "frame.describe()"],
    "progress": ["from tqdm import tqdm\nfor _ in tqdm(range(3), bar_format='{n}'):\n    pass"],
    "await": ["import asyncio\nawait asyncio.sleep(0.01)\n'waited'", "async def f(): return 5\nawait f()"],
    "warning": ["import warnings\nwarnings.warn('beware')"],
    "logging": ["import logging\nlogging.warning('logged')"],
    "failure": ["x = 1", "def f():\n    return x / 0\nprint('before')\nf()", "print('never')"],
    "syntax": ["x = 1", "x = = 2", "print('never')"],
    "name": ["undefined_name"],
    "exit": ["import sys\nsys.exit(3)", "print('never')"],
    "interrupt": ["raise KeyboardInterrupt", "print('never')"],
    "chained": ["try:\n    {}['a']\nexcept KeyError as e:\n    raise RuntimeError('outer') from e"],
    "input": ["input('name? ')"],
    "main": [
        "import __main__\n__name__, __main__.__name__, 'In' in dir()",
        "In[1], len(In)",
        "import sys\nsys.path",
        "get_ipython().__class__.__mro__[-4:]",
    ],
    "empty": ["", "1", "   ", "2"],
    "drawing": [
        "%matplotlib inline\n%config InlineBackend.figure_format = 'svg'\nimport matplotlib.pyplot as plt",
        "plt.plot([1, 2])\nplt.title('t')\nprint('drawn')\nplt.close()",
    ],
    "settings": [
        "%load_ext autoreload\n%autoreload 2\n%precision 3\n%xmode Minimal\n%env SOME=3\n1 / 3",
        "%pwd == __import__('os').getcwd()",
        "%who\n%whos int",
        "1 / 0",
    ],
    "timed": ["%%time\nx = 3\nx", "%timeit -n 1 -r 1 -q x\nx", "%%timeit -n 1 -r 1 -q\nx", "%%prun -q\nx = 4", "x"],
    "files": [
        "!rm -f other.py",
        "%%writefile other.py\nprint('other')\nfound = 5",
        "%run other.py\nfound",
        "%cd ..\n%cd -q -",
        "%%bash\necho shell\necho error >&2",
        "%%html\n<b>a</b>",
        "names = !ls *.py\nnames, names.n",
        "%reset -f\n'found' in dir()",
    ],
    "help": ["len?", "import json\njson.dumps??"],
}
_PLACES = re.compile(r'0x[0-9a-f]{6,}|[^\s"]*ipykernel_\d+/\d+|(CPU|Wall) time[^"\\]*')


@pytest.fixture(autouse=True, scope="module")
def zygotes_end() -> Iterator[None]:
    yield
    engine.close()


def notebook(sources: list[str]) -> Any:
    cells = [nbformat.v4.new_markdown_cell("# title"), *(nbformat.v4.new_code_cell(each) for each in sources)]
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made


def executed(sources: list[str], name: str | None, folder: Path) -> Any:
    source, target = folder / "in.ipynb", folder / f"{name}.ipynb"
    nbformat.write(notebook(sources), source)
    with contextlib.suppress(PapermillExecutionError):
        papermill.execute_notebook(source, target, engine_name=name, progress_bar=False, cwd=folder)
    return nbformat.read(target, 4)


def joined(outputs: list[Any]) -> list[Any]:
    """Streams between two other outputs as one text each: a kernel mixes them as its buffers happen to be emptied."""
    found: list[Any] = []
    for output in outputs:
        if output.output_type == "stream":
            if not found or not isinstance(found[-1], dict) or found[-1].get("output_type") != "streams":
                found.append({"output_type": "streams", "stdout": "", "stderr": ""})
            found[-1][output.name] += output.text
        else:
            found.append(output)
    return found


def seen(made: Any) -> list[Any]:
    """What a reader sees of each cell: outputs and counts, without what differs from run to run."""
    found = []
    for cell in made.cells:
        if cell.cell_type == "code" and "papermill-error-cell-tag" not in cell.metadata.get("tags", []):
            text = _PLACES.sub("…", json.dumps(joined(cell.outputs), sort_keys=True, ensure_ascii=False))
            status = cell.metadata.papermill.get("status"), cell.metadata.papermill.get("exception")
            found.append((cell.source, cell.execution_count, status, json.loads(text)))
    return found


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_outputs_are_those_of_a_kernel(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # a kernel that sees it does not catch what processes print
    sources = NOTEBOOKS[name]
    ours = executed(sources, "swarm", tmp_path)
    nbformat.validate(ours)
    for _ in range(3):  # what a process prints goes through a thread of the kernel, and comes a cell too late at times
        theirs = executed(sources, None, tmp_path)
        if seen(ours) == seen(theirs):
            break
    for mine, other in zip(seen(ours), seen(theirs), strict=True):
        assert mine == other


def test_a_notebook_in_another_language_is_papermills_own(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = notebook(["1"])
    made.metadata["kernelspec"] = {"name": "no-such-kernel", "display_name": "R", "language": "R"}
    made.metadata["papermill"] = {}
    with pytest.raises(Exception, match="no-such-kernel"):
        engine.SwarmEngine.execute_notebook(made, "no-such-kernel", progress_bar=False)
    assert "it is in R" in caplog.text


def test_from_the_command_line_with_parameters(tmp_path: Path) -> None:
    made = notebook(["x = 1", "x * 2"])
    made.cells[1].metadata["tags"] = ["parameters"]
    nbformat.write(made, tmp_path / "in.ipynb")
    command = [Path(sys.executable).with_name("papermill"), "in.ipynb", "out.ipynb"]
    command += ["--engine", "swarm", "-p", "x", "21"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    read = nbformat.read(tmp_path / "out.ipynb", 4)
    assert read.cells[-1].outputs[0]["data"]["text/plain"] == "42"


def test_time_out(tmp_path: Path) -> None:
    source, target = tmp_path / "in.ipynb", tmp_path / "out.ipynb"
    nbformat.write(notebook(["import time", "time.sleep(60)"]), source)
    with pytest.raises(PapermillExecutionError, match="s were over"):
        papermill.execute_notebook(source, target, engine_name="swarm", progress_bar=False, execution_timeout=0.5)
