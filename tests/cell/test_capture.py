"""Capturing: the cell runs unchanged elsewhere, and what cannot be taken along is named before anything starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cells import WINE, wine_namespace

from jupyter_swarm import cell
from jupyter_swarm.errors import CaptureError, WorkspaceError
from jupyter_swarm.experiments import cells as sources
from jupyter_swarm.words import Context


def taken(code: str, namespace: dict[str, Any], folder: Path, metric: str = "score", **more: Any) -> Context:
    analysis = cell.read(code, metric=metric, namespace=namespace)
    return cell.capture(analysis, namespace, folder=folder, captures=folder, **more)


def notebook(source: str) -> dict[str, Any]:
    """The variables that a notebook's cell leaves: what it defines belongs to `__main__`."""
    module = types.ModuleType("__main__")
    exec(compile(source, "<notebook>", "exec"), module.__dict__)
    return module.__dict__


def elsewhere(code: str, context: Context, folder: Path, show: str, **parameters: Any) -> Any:
    """What an expression is after the code has run in another process, with parameters set before the inputs."""
    values = {"seed": 0, **parameters}
    lines = [f"{name} = {value!r}" for name, value in values.items()]
    lines += [sources.inputs(context, folder, set(values), code), code, f"import json\nprint(json.dumps({show}))"]
    (folder / "run.py").write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, folder / "run.py"], capture_output=True, text=True, cwd=folder, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_what_can_be_imported_is_imported_and_the_rest_is_pickled_once(tmp_path: Path) -> None:
    context = taken(WINE, wine_namespace(), tmp_path, metric="accuracy")
    assert "from sklearn.svm import SVC" in context.imports
    assert {each.name: each.bytes for each in context.captures if each.kind == "data"} == {"X": 18512, "y": 1424}
    assert context.versions["sklearn"]
    assert [path.name for path in tmp_path.iterdir()] == [f"{context.pickle}.pkl"]
    again = taken(WINE, wine_namespace(), tmp_path, metric="accuracy")
    assert cell.context_hash(again) == cell.context_hash(context)


def test_the_cell_gives_the_same_metric_in_another_process(tmp_path: Path) -> None:
    context = taken(WINE, wine_namespace(), tmp_path, metric="accuracy")
    space = wine_namespace()
    exec(WINE, space)
    assert elsewhere(WINE, context, tmp_path, "accuracy") == space["accuracy"]


def test_a_later_change_of_the_data_changes_nothing(tmp_path: Path) -> None:
    space: dict[str, Any] = {"data": np.arange(4.0)}
    context = taken("score = data.sum()", space, tmp_path)
    space["data"][:] = 100.0
    assert elsewhere("score = data.sum()", context, tmp_path, "float(score)") == 6.0


def test_functions_of_the_notebook_read_what_the_harness_and_the_cell_have_set(tmp_path: Path) -> None:
    space = notebook(
        "import math\nseed = 7\nrate = 0.5\nscale = 2.0\n"
        "def helper(x):\n    return x * scale\n"
        "class Model:\n    def fit(self):\n        return math.floor(helper(rate)) + seed\n"
        "def train():\n    return Model().fit()\n"
    )
    code = "rate = 10.0\nscore = train()"
    context = taken(code, space, tmp_path)
    assert elsewhere(code, context, tmp_path, "score", seed=1000) == 1020, (
        "seed and rate are the run's, scale is taken along"
    )


def test_closures_lambdas_and_instances(tmp_path: Path) -> None:
    space = notebook(
        "def make(k):\n    return lambda x: x + k\nadd = make(5)\n"
        "class Box:\n    def __init__(self, v):\n        self.v = v\nbox = Box(3)\n"
    )
    context = taken("score = add(box.v)", space, tmp_path)
    assert elsewhere("score = add(box.v)", context, tmp_path, "score") == 8


def test_submodules_that_are_reached_through_a_package(tmp_path: Path) -> None:
    import os.path
    import xml.dom.minidom

    space = {"xml": xml, "os": os}
    code = "score = len(xml.dom.minidom.__name__) + len(os.path.sep)"
    context = taken(code, space, tmp_path)
    assert "import xml.dom.minidom" in context.imports
    assert elsewhere(code, context, tmp_path, "score") == 16


def _lock() -> Any:
    return threading.Lock()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (_lock, "it is a lock"),
        (lambda: open(os.devnull, encoding="utf-8"), "it is an open file"),  # noqa: SIM115
        (lambda: (each for each in "ab"), "it is a generator"),
        (threading.Thread, "it is a running thread"),
        (lambda: {"inside": threading.Lock()}, "cannot be captured"),
    ],
    ids=["lock", "file", "generator", "thread", "inside"],
)
def test_what_cannot_be_taken_along_is_named(tmp_path: Path, value: Callable[[], Any], says: str) -> None:
    thing = value()
    with pytest.raises(CaptureError, match=f"'thing'.*{says}"):
        taken("score = len(str(thing))", {"thing": thing}, tmp_path)
    assert list(tmp_path.iterdir()) == []
    if hasattr(thing, "close"):
        thing.close()


def test_a_function_that_uses_what_cannot_be_taken_says_which(tmp_path: Path) -> None:
    space = notebook("import threading\nguard = threading.Lock()\ndef train():\n    with guard:\n        return 1\n")
    with pytest.raises(CaptureError, match=r"'train'.*'guard'"):
        taken("score = train()", space, tmp_path)


def test_over_the_limit_is_named_with_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_SWARM_CAPTURE_LIMIT", "1000000")
    with pytest.raises(CaptureError, match=r"'data' takes 8 MB.*JUPYTER_SWARM_CAPTURE_LIMIT"):
        taken("score = data.sum()", {"data": np.zeros(2**20)}, tmp_path)
    opaque = notebook("class Hidden:\n    def __init__(self):\n        self.blob = bytes(3_000_000)\nthing = Hidden()")
    with pytest.raises(CaptureError, match="'thing' takes"):
        taken("score = len(thing.blob)", opaque, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["API_KEY", "openai_api_key", "password", "token", "aws_secret_access_key"])
def test_credentials_are_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(CaptureError, match=f"'{name}' looks like a credential"):
        taken(f"score = len({name})", {name: "sk-1234"}, tmp_path)


@pytest.mark.parametrize("name", ["tokenizer", "keys", "n_tokens", "monkey"])
def test_names_that_only_resemble_one_are_not(tmp_path: Path, name: str) -> None:
    assert taken(f"score = len({name})", {name: "words"}, tmp_path).pickle


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="cannot be written"):
        cell.capture(
            cell.read("score = x", metric="score", namespace={"x": 1}),
            {"x": 1},
            folder=tmp_path,
            captures=tmp_path / "no",
        )


def test_progress_is_told_and_a_hundred_megabytes_are_quick(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    data = np.random.default_rng(0).normal(size=100 * 2**20 // 8)
    began = time.perf_counter()
    taken("score = data.sum()", {"data": data}, tmp_path, progress=lambda done, whole: told.append((done, whole)))
    assert time.perf_counter() - began < 10.0, "a second is promised; a busy machine is forgiven"
    assert len(told) > 50
    assert told[-1][0] >= data.nbytes
    assert all(done <= whole for done, whole in told)
