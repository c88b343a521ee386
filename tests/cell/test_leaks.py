"""Leaks: those of many cells as people write them are found, with their line; cells without one are left in peace."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections import Counter
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_swarm import cell
from jupyter_swarm.jupyter import plan
from jupyter_swarm.jupyter.pages import Table
from jupyter_swarm.words import Leak, Objective

CELLS = Path(__file__).resolve().parents[1] / "cells"
KINDS = {"fitted", "target", "duplicates", "groups", "order", "tuned"}


def load(path: Path) -> ModuleType:
    """A file of tests, as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


leaky = load(CELLS / "leaky.py")


def found(code: str, metric: str, namespace: dict[str, Any]) -> tuple[Leak, ...]:
    return cell.read(code, metric=metric, namespace=namespace).leaks


@cache
def said_of(name: str) -> tuple[Leak, ...]:
    """What is said of a planted cell."""
    each = next(each for each in leaky.PLANTED if each.name == name)
    return found(each.code, each.metric, each.namespace())


class TestCorpus:
    """All planted and all clean cells."""

    def test_there_are_enough_of_all_kinds(self) -> None:
        kinds = Counter(each.kind for each in leaky.PLANTED)
        assert set(kinds) == KINDS
        assert min(kinds.values()) >= 3
        assert len(leaky.PLANTED) >= 25
        assert len(leaky.CLEAN) >= 25
        names = [each.name for each in (*leaky.PLANTED, *leaky.CLEAN)]
        assert len(set(names)) == len(names)

    def test_nine_of_ten_are_found_with_their_line(self) -> None:
        missed = []
        for each in leaky.PLANTED:
            said = said_of(each.name)
            if not any(leak.kind == each.kind and leak.line in each.lines for leak in said):
                missed.append((each.name, said))
        assert len(missed) <= len(leaky.PLANTED) / 10, missed

    def test_nothing_else_is_said_of_a_leaky_cell(self) -> None:
        for each in leaky.PLANTED:
            said = said_of(each.name)
            assert {leak.kind for leak in said} <= {each.kind}, each.name

    @pytest.mark.parametrize("each", leaky.CLEAN, ids=lambda each: each.name)
    def test_a_clean_cell_is_left_in_peace(self, each: Any) -> None:
        assert found(each.code, each.metric, each.namespace()) == ()


class TestWords:
    """A leak says what, where and the cure, each in one sentence without its full stop."""

    def test_all_of_it(self) -> None:
        for each in leaky.PLANTED:
            for leak in said_of(each.name):
                assert 0 < leak.line <= each.code.count("\n") + 1
                for text in (leak.what, leak.cure):
                    assert text
                    assert text == text.strip().rstrip(".")
                    assert "\n" not in text

    def test_the_transformer_is_named(self) -> None:
        code = "from sklearn.preprocessing import scale\nfrom sklearn.model_selection import cross_val_score\n"
        code += "Z = scale(X)\nscore = cross_val_score(model, Z, y).mean()"
        (leak,) = found(code, "score", {**leaky.arrays(), "model": None})
        assert "scale saw all rows" in leak.what
        assert "line 4" in leak.what
        assert "pipeline" in leak.cure

    def test_a_transformer_and_a_model_are_told_apart(self) -> None:
        (scaler,) = said_of("in two steps over one name")
        (model,) = said_of("the model has seen the test rows")
        assert "saw all rows" in scaler.what
        assert "measured on rows that it has seen" in model.what


class TestPlan:
    """`--plan` shows leaks before anything else that it found."""

    def test_a_table_and_data(self) -> None:
        each = next(each for each in leaky.PLANTED if each.name == "scaled, then cross-validated")
        analysis = cell.read(each.code, metric=each.metric, namespace=each.namespace())
        answer = plan.described(analysis, (), Objective(metric=each.metric))
        first = next(part for part in answer.parts if isinstance(part, Table))
        (leak,) = analysis.leaks
        assert first.rows == [("fitted", leak.what, leak.cure, 4)]
        assert answer.data["leaks"] == [{"kind": "fitted", "line": 4, "what": leak.what, "cure": leak.cure}]

    def test_no_table_without_one(self) -> None:
        each = next(each for each in leaky.CLEAN if each.name == "scaled in a pipeline")
        analysis = cell.read(each.code, metric=each.metric, namespace=each.namespace())
        answer = plan.described(analysis, (), Objective(metric=each.metric))
        assert "leak" not in str([part.heads for part in answer.parts if isinstance(part, Table)])
        assert answer.data["leaks"] == []


SPLIT = """
from sklearn.model_selection import train_test_split
from sklearn.linear_model import Ridge
A, B, a, b = train_test_split(X, y, random_state=0)
error = abs(Ridge().fit(A, a).predict(B) - b).mean()
"""


class Touchy:
    """Something of the person's that must not be touched."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")

    def __len__(self) -> int:
        raise AssertionError("its length was asked for")


class Odd(pd.DataFrame):  # type: ignore[misc]
    """A frame of the person's own class, whose methods may do anything."""

    def __getitem__(self, key: Any) -> Any:
        raise AssertionError("a column was asked for")


class TestData:
    """The notebook's data are looked at, and no more."""

    def test_nothing_is_changed(self) -> None:
        space = leaky.repeated()
        X, y = space["X"].copy(), space["y"].copy()
        assert found(SPLIT, "error", space)
        assert np.array_equal(space["X"], X)
        assert np.array_equal(space["y"], y)

    def test_what_is_no_plain_data_is_not_touched(self) -> None:
        space = {**leaky.arrays(), "groups": Touchy(), "dates": Touchy(), "subject": Touchy()}
        assert found(SPLIT, "error", space) == ()
        frame = leaky.patients()["df"]
        X = frame[["patient_id", "pulse"]]
        assert [leak.kind for leak in found(SPLIT, "error", {"X": X, "y": frame.ill})] == ["groups"]
        assert found(SPLIT, "error", {"X": Odd(X), "y": frame.ill}) == ()

    def test_large_data_take_no_longer_than_a_moment(self) -> None:
        rng = np.random.default_rng(0)
        space = {"X": rng.normal(size=(400_000, 60)), "y": rng.normal(size=400_000)}
        found(SPLIT, "error", space)
        began = time.process_time()
        assert found(SPLIT + "\n", "error", space) == ()
        assert time.process_time() - began < 2.0

    def test_gaps_are_no_values(self) -> None:
        space = leaky.gaps()
        assert found(SPLIT, "error", space) == ()

    def test_a_handful_of_copies_is_none(self) -> None:
        space = leaky.arrays()
        space["X"] = np.vstack([space["X"], space["X"][:1]])
        space["y"] = np.append(space["y"], space["y"][0])
        assert found(SPLIT, "error", space) == ()

    def test_one_column_that_makes_the_target_is_no_leak(self) -> None:
        x = np.arange(100.0)
        assert found(SPLIT, "error", {"X": x[:, None], "y": 3 * x}) == ()


class TestOddCode:
    """What is not understood is no leak, and no error."""

    @pytest.mark.parametrize(
        "code",
        [
            "score = (lambda *a, **k: len(a))(*[1, 2], **{'x': 3})",
            "def f(n):\n    return f(n - 1) if n else 0\nscore = f(5)",
            "def g(a, b=1, *c, d, **e):\n    return a\nscore = g(1, d=2)",
            "(a, *b), c = (1, 2, 3), 4\nscore = a",
            "x = [0]\nx[0:1] = [1]\nscore = x[-1]",
            "score = 0\nwhile score < 3:\n    score += 1\nelse:\n    pass",
            "try:\n    score = 1\nexcept Exception as error:\n    score = 0\nfinally:\n    del_ = 1",
            "import numpy as np\nX = np.eye(3)\nscore = X[..., None][0, :, 0].max()",
            "match [1, 2]:\n    case [a, b]:\n        score = a",
            "class A:\n    x = 1\nA.x = 2\nscore = A.x",
            "async def f():\n    return 1\nscore = 1",
            "score = [y := 1, y ** 2][1]",
            "d = {}\nd['a'], d['b'] = 1, 2\ndel d['a']\nscore = d['b']",
            "score = max([1, 2], key=lambda v: -v)",
            "from sklearn.model_selection import train_test_split\na, b = train_test_split(range(10))\nscore = len(a)",
            "import pandas as pd\nscore = pd.DataFrame({'a': [1]}).drop(columns=[]).pop('a').sum()",
        ],
    )
    def test_it_is_read(self, code: str) -> None:
        assert found(code, "score", {}) == ()

    def test_many_calls_in_each_other_take_no_longer(self) -> None:
        nested = "X"
        for _ in range(40):
            nested = f"np.tanh(np.tanh(1.0) * {nested})"
        began = time.process_time()
        assert found(f"import numpy as np\nscore = {nested}.sum()", "score", {"X": np.ones(3)}) == ()
        assert time.process_time() - began < 2.0

    def test_loops_in_loops_are_given_up(self) -> None:
        body = (
            "".join(f"{'    ' * depth}for i{depth} in range(2):\n" for depth in range(16)) + "    " * 16 + "score = 1\n"
        )
        began = time.process_time()
        assert found(body, "score", {}) == ()
        assert time.process_time() - began < 5.0

    def test_deep_code_is_read(self) -> None:
        code = "x = 0\n" + "".join(f"x = x + {n}\n" for n in range(60)) + "score = " + " + ".join(["x"] * 100)
        assert found(code, "score", {}) == ()
