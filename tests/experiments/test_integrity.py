"""The seal: what a run changes of what its metric rests on is found, and what its cell may change is not complained of.

Real forks, real captures, the real cell room. The code of these experiments gets past the lock by means that it does
not see (aliases, `sys.modules`), as free code could.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cloudpickle
import msgspec
import numpy as np
import pandas as pd
import pytest

from jupyter_swarm import cell
from jupyter_swarm.experiments import NotebookLaboratory
from jupyter_swarm.experiments.notebook import RESULT
from jupyter_swarm.experiments.sealed import NO_WORD, Allowed, Word, heard
from jupyter_swarm.experiments.worker.marks import Mark
from jupyter_swarm.experiments.worker.reach import Reach
from jupyter_swarm.words import Analysis, Capture, Context, Experiment, Run
from jupyter_swarm.workspace import Workspace

Make = Callable[..., Experiment]
BASE = """keep = y
model = LogisticRegression(C=1.0, max_iter=50)
score = cross_val_score(model, X, y, cv=3).mean()"""
IMPORTS = (
    "from sklearn.linear_model import LogisticRegression",
    "from sklearn.model_selection import cross_val_score",
    "from sklearn.metrics import accuracy_score",
)
BEFORE = BASE.splitlines()[-1]
SPACE = "get_ipython().user_ns"
TELL = "import os\nfd = get_ipython().display_pub.session.channel.descriptor\n"


@pytest.fixture(autouse=True)
def simple_cell() -> None:
    """The cell room itself, instead of the stand-in that these tests have."""


@pytest.fixture
def lent() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 60)
    return {"X": rng.random((60, 3)) + y[:, None], "y": y}


def captured(
    workspace: Workspace, context: Context, values: dict[str, Any], imports: Iterable[str] = IMPORTS
) -> Context:
    data = cloudpickle.dumps(values)
    name = hashlib.sha256(data).hexdigest()
    (workspace.captures / f"{name}.pkl").write_bytes(data)
    captures = tuple(Capture(name=key, kind="data", describes="") for key in values)
    return msgspec.structs.replace(context, pickle=name, captures=captures, imports=tuple(imports))


def analysed(code: str, values: dict[str, Any], imports: Iterable[str] = IMPORTS) -> Analysis:
    space = dict(values)
    for each in imports:
        exec(each, space)
    return cell.read(code, metric="score", namespace=space)


def ran(workspace: Workspace, context: Context, analysis: Analysis, *experiments: Experiment) -> list[Run]:
    async def main() -> list[Run]:
        laboratory = NotebookLaboratory(workspace, "wine", analysis, context, workers=1)
        await laboratory.open()
        try:
            return [await laboratory.run(each, 60.0) for each in experiments]
        finally:
            await laboratory.close()

    return asyncio.run(main())


CHANGES = {
    "y, by another name": ("keep[:] = 1 - keep", "y: 60 of 60 values"),
    "rows of X": (f"{SPACE}['X'][:5] = 0", "X: 15 of 180 values"),
    "put back afterwards": ("kept = keep.copy()\nkeep[:] = 1 - kept\nkeep[:] = kept", "y: 60 of 60 values"),
    "the name in the notebook": (f"{SPACE}['y'] = {SPACE}['y'].copy()", "y: another object"),
    "code of the metric": (
        "def lie(*a, **k): return __import__('numpy').ones(3)\ncross_val_score.__wrapped__.__code__ = lie.__code__",
        "sklearn.model_selection._validation.cross_val_score: other code",
    ),
    "what the metric calls": (
        "import sklearn.model_selection._validation as v\nv._score = lambda *a, **k: 1.0",
        "sklearn.model_selection._validation._score: replaced",
    ),
    "the model's score": (
        "import sklearn.base as b\nb.ClassifierMixin.score = lambda *a, **k: 1.0",
        "sklearn.base.ClassifierMixin.score: replaced",
    ),
    "a score of its own for the model": (
        "LogisticRegression.score = lambda *a, **k: 1.0",
        "sklearn.linear_model._logistic.LogisticRegression.score: added",
    ),
    "display": (
        "import IPython.display as d\nreal = d.display\n"
        "def lie(data, **k):\n    data[next(iter(data))]['value'] = 2.0\n    real(data, **k)\nd.display = lie",
        "it showed 2",
    ),
    "publish, of the instance": (
        "pub = get_ipython().display_pub\nreal = pub.publish\ndef lie(data, *a, **k):\n"
        "    for each in data.values():\n        if isinstance(each, dict): each['value'] = 2.0\n"
        "    real(data, *a, **k)\npub.publish = lie",
        "it showed 2",
    ),
    "float": ("import sys\nsys.modules['builtins'].float = lambda x=0: 1.0", "it showed 1"),
    "the result before the next cell": (
        "def late(*a): get_ipython().user_ns['score'] = 2.0\nget_ipython().events.register('pre_run_cell', late)",
        "it showed 2",
    ),
    "the watching itself": ("get_ipython().between = None", "the seal: it did not see the cell end"),
    "another line among what is told": (TELL + "os.write(fd, b'\\n')", NO_WORD),
    "a whole story of its own": (
        TELL
        + "import json\ndata = {'data': {'"
        + RESULT
        + "': {'metric': 'score', 'value': 2.0, 'type': 'float'}}, 'metadata': {}}\n"
        + "for each in ({'cell': 3, 'end': 9e8}, {'cell': 4, 'begin': 9e8}, "
        + "{'cell': 4, 'msg': 'display_data', 'content': data}, {'cell': 4, 'end': 9e8}, "
        + "{'done': True, 'seal': {'changed': [], 'uncovered': [], 'value': '2.0', 'signature': 'f' * 32}}):\n"
        + "    os.write(fd, json.dumps(each).encode() + b'\\n')\nos._exit(0)",
        NO_WORD,
    ),
}


class TestRuns:
    """Experiments in a laboratory."""

    @pytest.mark.parametrize("purpose", ["confirmation", "screening"])
    def test_what_a_run_changes_discards_it(
        self, workspace: Workspace, context: Context, experiment: Make, lent: dict[str, Any], purpose: str
    ) -> None:
        analysis = analysed(BASE, lent)
        fair = BASE.replace("1.0", "2.0")
        codes = [BASE, *(BASE.replace(BEFORE, f"{code}\n{BEFORE}") for code, _ in CHANGES.values()), fair]
        experiments = [experiment(BASE, purpose="baseline"), *(experiment(code, purpose=purpose) for code in codes)]
        first, second, *found, last = ran(workspace, captured(workspace, context, lent), analysis, *experiments)
        assert [first.ok, second.ok, last.ok] == [True] * 3, (first, second, last)
        assert first.value == second.value
        told = {name: (one.reason, one.message) for name, one in zip(CHANGES, found, strict=True)}
        expected = {name: said for name, (_, said) in CHANGES.items()}
        wrong = {name: told[name] for name in told if told[name][0] != "locked" or expected[name] not in told[name][1]}
        assert not wrong
        assert all(one.notebook for one in found), "the records are kept"

    def test_what_a_cell_may_change(
        self, workspace: Workspace, context: Context, experiment: Make, lent: dict[str, Any]
    ) -> None:
        frame = pd.DataFrame(lent["X"], columns=["a", "b", "c"]).assign(y=lent["y"])
        base = "alias = df\nscore = cross_val_score(LogisticRegression(C=1.0), df[['a', 'b']], df['y'], cv=3).mean()"
        analysis, context = analysed(base, {"df": frame}), captured(workspace, context, {"df": frame})
        codes = [
            base.replace("\n", "\nalias['z'] = alias['a'] ** 2\n"),
            "import warnings, logging\nwarnings.simplefilter('ignore')\nprint = logging.info\n" + base,
            base.replace("\n", "\nalias['y'] = 1 - alias['y']\n"),
            base.replace("\n", "\nalias.index = range(1, 61)\n"),
        ]
        runs = ran(workspace, context, analysis, *(experiment(each, purpose="confirmation") for each in codes))
        assert [each.reason for each in runs] == [None, None, "locked", "locked"], runs
        assert "df['y']: 60 of 60 values" in runs[2].message
        assert "df.index" in runs[3].message

    def test_what_the_persons_own_cell_changes_others_may_change_too_also_later(
        self, workspace: Workspace, context: Context, experiment: Make, lent: dict[str, Any]
    ) -> None:
        base = "y[:] = 1 - y\nscore = accuracy_score(y, LogisticRegression(C=1.0).fit(X, y).predict(X))"
        other = base.replace("1.0", "5.0")
        analysis, context = analysed(base, lent), captured(workspace, context, lent)
        early, own, late = ran(
            workspace, context, analysis, experiment(other), experiment(base, purpose="baseline"), experiment(other)
        )
        assert (early.reason, own.reason, late.reason) == ("locked", None, None)
        (resumed,) = ran(workspace, context, analysis, experiment(other, seed=8))
        assert resumed.ok, "it is kept for a runner that goes on"

    def test_data_that_only_a_function_of_the_notebook_reads(
        self, workspace: Workspace, context: Context, experiment: Make, tmp_path: Path
    ) -> None:
        space: dict[str, Any] = {"__name__": "__main__", "truth": [1, 0, 1]}
        exec("def measure(k):\n    return sum(each == k for each in truth) / len(truth)", space)
        values = {"measure": space["measure"], "truth": space["truth"]}

        class Pickler(cloudpickle.Pickler):  # type: ignore[name-defined,misc]
            def persistent_id(self, value: Any) -> Any:
                return "globals" if value is space else None

        base = "shift = 1\nscore = measure(k=shift)"
        analysis = cell.read(base, metric="score", namespace=values)
        context = captured(workspace, context, values, ())
        codes = [f"{SPACE}['truth'].append(1)\n" + base, base]
        changed, fair = ran(workspace, context, analysis, *(experiment(each) for each in codes))
        assert fair.ok, fair
        assert (changed.reason, "truth" in changed.message) == ("locked", True), changed

    def test_a_snapshot_is_compared_with_what_was_before_it(
        self, workspace: Workspace, context: Context, experiment: Make, lent: dict[str, Any]
    ) -> None:
        slow = "import time\ntime.sleep(0.15)\n"
        changing = f"{slow}keep = y\nkeep[:] = 1 - keep\n{BEFORE}".replace("model", "LogisticRegression(C=1.0)")
        fair = changing.replace("keep[:] = 1 - keep", "keep = 0")
        analysis = analysed(BASE, lent)
        codes = [code.replace("1.0", f"{c}.0") for c in (1, 2, 3, 4) for code in (changing, fair)]
        runs = ran(workspace, captured(workspace, context, lent), analysis, *(experiment(each) for each in codes))
        assert [each.reason for each in runs[1::2]] == [None] * 4, runs
        assert [each.reason for each in runs[::2]] == ["locked"] * 4


@pytest.mark.parametrize(
    ("make", "change", "said"),
    [
        (lambda: np.zeros((3, 4)), "v[1, 2] = 1", [": 1 of 12 values"]),
        (lambda: np.zeros((4000, 300))[::2, 1:200], "v[-1, -1] = 1", [": other values in 1 of 4 blocks"]),
        (lambda: np.asfortranarray(np.zeros((500, 700))), "v[3, 3] = 1", [": other values in 1 of 3 blocks"]),
        (lambda: np.array(["a", None], dtype=object), "v[0] = 'b'", [": other contents"]),
        (lambda: [1, [2]], "v[1].append(3)", ["[1]: 2 items instead of 1"]),
        (lambda: {"a": np.ones(3), "b": 2}, "v['a'] *= 2", ["['a']: 3 of 3 values"]),
        (lambda: {"a": 1}, "v['b'] = 2", [": 2 items instead of 1"]),
        (lambda: {1, 2}, "v.discard(2)", [": 1 items instead of 2"]),
        (lambda: pd.Series([1.0, 2.0]), "v[:] = 0", [": 2 of 2 values"]),
        (lambda: pd.DataFrame({"t": ["a", "b"], "c": pd.Categorical(["u", "v"])}), "v.loc[0, 't'] = 'z'", ["['t']: "]),
        (lambda: pd.DataFrame({"a": [1.0, 2.0]}), "v['new'] = 1", []),
        (lambda: pd.DataFrame({"a": [1.0, 2.0]}), "del v['a']", ["['a']: it is gone"]),
        (lambda: Analysis, "v = 3", []),
    ],
)
def test_a_mark_finds_changes_in_place(make: Callable[[], Any], change: str, said: list[str]) -> None:
    value = make()
    mark = Mark(value)
    assert mark.changes(value) == []
    exec(change, {"v": value, "np": np})
    found = mark.changes(value)
    assert len(found) == len(said)
    assert all(one.startswith(other) for one, other in zip(found, said, strict=True)), found


def test_what_cannot_be_marked_is_listed() -> None:
    assert Mark({"a": 1, "g": (each for each in ())}).uncovered == ["['g']"]


def test_what_is_found_after_what_was_large_is_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    value = np.zeros(40 << 17)
    mark = Mark(value)
    monkeypatch.setattr("jupyter_swarm.experiments.worker.marks.LOOK_BYTES", 4 << 20)
    value[:] = 1
    assert mark.changes(value) == [": other values in 4 of 4 blocks"]


def test_functions_are_followed_through_decorators_and_classes() -> None:
    import json.encoder

    reach = Reach()
    reach.add("json:dumps")
    assert reach.changes() == []
    before = json.encoder.JSONEncoder.encode
    try:
        json.encoder.JSONEncoder.encode = lambda self, o: "1"  # type: ignore[method-assign]
        assert reach.changes() == []  # no class that the path names
        reach.add("json.encoder:JSONEncoder")
        json.encoder.JSONEncoder.encode = before  # type: ignore[method-assign]
        assert reach.changes() == ["json.encoder.JSONEncoder.encode: replaced"]
    finally:
        json.encoder.JSONEncoder.encode = before  # type: ignore[method-assign]


def test_a_word_is_believed_only_with_its_signature(tmp_path: Path) -> None:
    from jupyter_swarm.experiments.worker.integrity import signature

    frames = b'{"cell":3,"begin":1.0}\n'
    plain: dict[str, Any] = {"changed": ["y: gone"], "uncovered": [], "value": "0.5"}
    signed = signature("key")
    signed.update(frames)
    signed.update(json.dumps(plain, sort_keys=True).encode())
    done = json.dumps({"done": True, "seal": {**plain, "signature": signed.hexdigest()}}).encode()
    word = heard(frames + done + b"\n", done, "key")
    assert isinstance(word, Word)
    assert word.changed == ["y: gone"]
    assert heard(frames + done, done, "other") is None
    assert heard(frames + b"{}\n" + done, done, "key") is None
    assert heard((frames + done).replace(b"0.5", b"0.6"), done.replace(b"0.5", b"0.6"), "key") is None
    allowed = Allowed(tmp_path)
    allowed.see(word)
    again = Allowed(tmp_path)
    again.load()
    assert again.subjects == {"y"}
