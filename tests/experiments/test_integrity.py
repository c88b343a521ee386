"""The seal: what a run changes of what its metric rests on is found, and what its cell may change is not complained of.

Real forks, real captures, the real cell room. The code of these experiments gets past the lock by means that it does
not see (aliases, `sys.modules`), as free code could.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_swarm import cell
from jupyter_swarm.experiments import NotebookLaboratory
from jupyter_swarm.experiments.notebook import RESULT
from jupyter_swarm.experiments.sealed import NO_WORD, Allowed, Word, heard
from jupyter_swarm.experiments.worker.marks import Mark
from jupyter_swarm.experiments.worker.reach import Reach
from jupyter_swarm.words import Analysis, Context, Experiment, Run
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
    return {"X": rng.random((60, 3)) + 0.3 * y[:, None], "y": y}


def ready(
    workspace: Workspace, base: str, values: dict[str, Any], imports: Iterable[str] = IMPORTS
) -> tuple[Analysis, Context]:
    """A cell as read and captured in a notebook with these values."""
    space = values
    for each in imports:
        exec(each, space)
    analysis = cell.read(base, metric="score", namespace=space)
    return analysis, cell.capture(analysis, space, folder=workspace.root.parent, captures=workspace.captures)


snapshots: list[int] = []
"""How many each laboratory has made."""


def ran(workspace: Workspace, made: tuple[Analysis, Context], *experiments: Experiment) -> list[Run]:
    async def main() -> list[Run]:
        laboratory = NotebookLaboratory(workspace, "wine", *made, workers=2)
        await laboratory.open()
        try:
            runs = [await laboratory.run(each, 60.0) for each in experiments]
            snapshots.append(len(laboratory._executor._prefixes._made))
            return runs
        finally:
            await laboratory.close()

    return asyncio.run(main())


CHANGES = {
    "y, by another name": ("keep[:] = 1 - keep\n...", "y: 60 of 60 values"),
    "rows of X": (f"{SPACE}['X'][:5] = 0\n...", "X: 15 of 180 values"),
    "put back afterwards": ("kept = keep.copy()\nkeep[:] = 1 - kept\n...\nkeep[:] = kept", "y: 60 of 60 values"),
    "the name in the notebook": (f"{SPACE}['y'] = {SPACE}['y'].copy()\n...", "y: another object"),
    "what the metric calls": (
        "import sklearn.model_selection._validation as v\nv._score = lambda *a, **k: 1.0\n...",
        "sklearn.model_selection._validation._score: replaced",
    ),
    "the model's score": (
        "import sklearn.base as b\nb.ClassifierMixin.score = lambda *a, **k: 1.0\n...",
        "sklearn.base.ClassifierMixin.score: replaced",
    ),
    "a score of its own for the model": (
        "LogisticRegression.score = lambda *a, **k: 1.0\n...",
        "sklearn.linear_model._logistic.LogisticRegression.score: added",
    ),
    "display": (
        "...\nimport IPython.display as d\nreal = d.display\n"
        "def lie(data, **k):\n    data[next(iter(data))]['value'] = 2.0\n    real(data, **k)\nd.display = lie",
        "IPython.display.display: replaced",
    ),
    "publish, of the instance": (
        "...\npub = get_ipython().display_pub\nreal = pub.publish\ndef lie(data, *a, **k):\n"
        "    for each in data.values():\n        if isinstance(each, dict): each['value'] = 2.0\n"
        "    real(data, *a, **k)\npub.publish = lie",
        "ZMQDisplayPublisher: other methods",
    ),
    "float": ("...\nimport sys\nsys.modules['builtins'].float = lambda x=0: 1.0", "builtins.float: replaced"),
    "the result before the next cell": (
        "...\ndef late(*a): get_ipython().user_ns['score'] = 2.0\nget_ipython().events.register('pre_run_cell', late)",
        "score: another object after the cell",
    ),
    "the watching itself": (
        "get_ipython().between = lambda index, nodes, name: (nodes, name)\n...",
        "the seal: it did not see the cell end",
    ),
    "another line among what is told": (TELL + "os.write(fd, b'\\n')\n...", NO_WORD),
    "a whole story of its own": (
        TELL
        + "import json\ndata = {'data': {'"
        + RESULT
        + "': {'metric': 'score', 'value': 2.0, 'type': 'float'}}, 'metadata': {}}\n"
        + "for each in ({'cell': 3, 'end': 9e8}, {'cell': 4, 'begin': 9e8}, "
        + "{'cell': 4, 'msg': 'display_data', 'content': data}, {'cell': 4, 'end': 9e8}, "
        + "{'done': True, 'seal': {'changed': [], 'uncovered': [], 'value': '2.0', 'signature': 'f' * 32}}):\n"
        + "    os.write(fd, json.dumps(each).encode() + b'\\n')\nos._exit(0)\n...",
        NO_WORD,
    ),
}
"""What it is → code around the statement that measures (`...`), and what is said of it."""


class TestRuns:
    """Experiments in a laboratory."""

    @pytest.mark.parametrize("purpose", ["confirmation", "screening"])
    def test_what_a_run_changes_discards_it(
        self, workspace: Workspace, experiment: Make, lent: dict[str, Any], purpose: str
    ) -> None:
        fair = BASE.replace("1.0", "2.0")
        codes = [BASE, *(BASE.replace(BEFORE, code.replace("...", BEFORE)) for code, _ in CHANGES.values()), fair]
        experiments = [experiment(BASE, purpose="baseline"), *(experiment(code, purpose=purpose) for code in codes)]
        first, second, *found, last = ran(workspace, ready(workspace, BASE, lent), *experiments)
        assert [first.ok, second.ok, last.ok] == [True] * 3, (first, second, last)
        assert first.value == second.value
        told = {name: (one.reason, one.message) for name, one in zip(CHANGES, found, strict=True)}
        expected = {name: said for name, (_, said) in CHANGES.items()}
        wrong = {name: told[name] for name in told if told[name][0] != "locked" or expected[name] not in told[name][1]}
        assert not wrong
        assert all(one.notebook for one in found), "the records are kept"

    def test_what_a_cell_may_change(self, workspace: Workspace, experiment: Make, lent: dict[str, Any]) -> None:
        frame = pd.DataFrame(lent["X"], columns=["a", "b", "c"]).assign(y=lent["y"])
        base = "alias = df\nscore = cross_val_score(LogisticRegression(C=1.0), df[['a', 'b']], df['y'], cv=3).mean()"
        made = ready(workspace, base, {"df": frame})
        codes = [
            base.replace("\n", "\nalias['z'] = alias['a'] ** 2\n"),
            "import warnings, logging\nwarnings.simplefilter('ignore')\nprint = logging.info\n" + base,
            base.replace("\n", "\nalias['y'] = 1 - alias['y']\n"),
            base.replace("\n", "\nalias.index = range(1, 61)\n"),
        ]
        runs = ran(workspace, made, *(experiment(each, purpose="confirmation") for each in codes))
        assert [each.reason for each in runs] == [None, None, "locked", "locked"], runs
        assert "df['y']: 60 of 60 values" in runs[2].message
        assert "df.index" in runs[3].message

    def test_what_cannot_be_watched_is_named(self, workspace: Workspace, experiment: Make) -> None:
        base = "score = float(len(texts) + measure(rate=0.5))"
        texts = {number: "a text" * 3 for number in range(100_000)}
        made = ready(workspace, base, {"texts": texts, "measure": lambda rate: rate})
        (first,) = ran(workspace, made, experiment(base, purpose="baseline"))
        assert first.value == 100_000.5, first.message
        assert first.unwatched == ("texts",)

    def test_what_the_persons_own_cell_changes_others_may_change_too_also_later(
        self, workspace: Workspace, experiment: Make, lent: dict[str, Any]
    ) -> None:
        base = "y[:] = 1 - y\nscore = accuracy_score(y, LogisticRegression(C=1.0).fit(X, y).predict(X))"
        other = base.replace("1.0", "5.0")
        made = ready(workspace, base, lent)
        early, own, late = ran(
            workspace, made, experiment(other), experiment(base, purpose="baseline"), experiment(other)
        )
        assert (early.reason, own.reason, late.reason) == ("locked", None, None)
        (resumed,) = ran(workspace, made, experiment(other, seed=8))
        assert resumed.ok, "it is kept for a runner that goes on"

    def test_data_that_only_a_function_of_the_notebook_reads(self, workspace: Workspace, experiment: Make) -> None:
        space: dict[str, Any] = {"__name__": "__main__", "truth": [1, 0, 1]}
        exec("def measure(k):\n    return sum(each == k for each in truth) / len(truth)", space)
        base = "shift = 1\nscore = measure(k=shift)"
        made = ready(workspace, base, space, ())
        codes = [f"{SPACE}['truth'].append(1)\n" + base, base]
        changed, fair = ran(workspace, made, *(experiment(each) for each in codes))
        assert fair.ok, fair
        assert (changed.reason, "truth" in changed.message) == ("locked", True), changed

    def test_a_snapshot_is_compared_with_what_was_before_it(
        self, workspace: Workspace, experiment: Make, lent: dict[str, Any]
    ) -> None:
        slow = "import time\ntime.sleep(0.15)\n"
        changing = f"{slow}keep = y\nkeep[:] = 1 - keep\n{BEFORE}".replace("model", "LogisticRegression(C=1.0)")
        fair = changing.replace("keep[:] = 1 - keep", "keep = 0")
        codes = [code.replace("1.0", f"{c}.0") for c in (1, 2, 3, 4) for code in (changing, fair)]
        runs = ran(workspace, ready(workspace, BASE, lent), *(experiment(each) for each in codes))
        assert [each.reason for each in runs[1::2]] == [None] * 4, runs
        assert [each.reason for each in runs[::2]] == ["locked"] * 4
        assert snapshots[-1] > 0, "this is about runs that were forked from one"


WIDE = ("ensemble", "linear_model", "neighbors", "svm", "tree", "naive_bayes", "preprocessing", "decomposition")
"""Modules of scikit-learn whose classes have more methods together than are noted."""


def wide() -> str:
    """Code that names all of their classes."""
    found = {each: importlib.import_module(f"sklearn.{each}") for each in WIDE}
    names = {
        each: [name for name in module.__all__ if isinstance(getattr(module, name), type)]
        for each, module in found.items()
    }
    imports = [f"from sklearn.{each} import {', '.join(every)}" for each, every in names.items()]
    return "\n".join([*imports, f"several = ({', '.join(name for every in names.values() for name in every)})", ""])


def recoded(function: str, other: str) -> str:
    """Code that gives a function the code of another, by words that the lock does not see."""
    word = "'__co' + 'de__'"
    return (
        f"import operator, sys\nmeant = operator.attrgetter({word})({other})\n"
        f"operator.methodcaller('__set' + 'attr__', {word}, meant)({function})\n"
    )


class TestRoom:
    """What earlier variations have named takes no room from later ones, nor from what the metric rests on."""

    def test_code_of_a_model_is_watched_however_many_were_tried_before(
        self, workspace: Workspace, experiment: Make, lent: dict[str, Any]
    ) -> None:
        made = ready(workspace, BASE, lent)
        code = "from sklearn.cluster import KMeans\nother = KMeans(2)\n"
        changing = code + recoded("KMeans.score", "lambda self, X, y=None, w=None: 1.0")
        runs = ran(workspace, made, *(experiment(each + BASE) for each in (wide(), code, changing)))
        assert [each.reason for each in runs] == [None, None, "locked"], runs
        assert "sklearn.cluster._kmeans._BaseKMeans.score: other code" in runs[2].message

    def test_what_is_loaded_late_is_followed_however_many_were_tried_before(
        self,
        workspace: Workspace,
        experiment: Make,
        lent: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        (workspace.root.parent / "late_quality.py").write_text(
            "import threading, time\n"
            "threading.Thread(target=time.sleep, args=(0.5,), daemon=True).start()\n"  # the import is left to the forks
            "def share(a, b):\n    return sum(x == y for x, y in zip(a, b)) / len(a)\n"
            "def quality(a, b):\n    return float(share(a, b))\n"
        )
        monkeypatch.syspath_prepend(str(workspace.root.parent))
        base = "score = quality(y, LogisticRegression(C=1.0).fit(X, y).predict(X))"
        made = ready(workspace, base, lent, (*IMPORTS, "from late_quality import quality"))
        monkeypatch.delitem(sys.modules, "late_quality")
        changing = recoded("sys.modules['late_quality'].share", "lambda a, b: 1.0")
        runs = ran(workspace, made, *(experiment(each + base) for each in (wide(), "", changing)))
        assert [each.reason for each in runs] == [None, None, "locked"], runs
        assert "late_quality.share: other code" in runs[2].message


def test_what_a_cell_rests_on(lent: dict[str, Any]) -> None:
    space = {**lent, "seed": 0}
    for each in IMPORTS:
        exec(each, space)
    base = "z = y\nmodel = LogisticRegression(C=1.0)\nscore = cross_val_score(model, X, z, cv=3, n_jobs=seed).mean()"
    analysis = cell.read(base, metric="score", namespace=space)
    other = base.replace("LogisticRegression(C=1.0)", "Perceptron()")
    found = cell.rests_on(f"from sklearn.linear_model import Perceptron\n{other}", analysis)
    assert found.names == ("X", "y")
    assert found.fixed == ("X", "cross_val_score", "y"), "neither seeds, nor what the cell assigns"
    assert "sklearn.model_selection:cross_val_score" in found.callables
    assert [path.rpartition(":")[2] for path in found.also] == ["Perceptron"]


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
        (lambda: pd.DataFrame({"t": ["a", "b"], "c": pd.Categorical(["u", "v"])}), "v.loc[0, 't'] = 'z'", ["['t']"]),
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


MANY = range(1, 3_001)
"""More items than lists may have to be taken by their contents."""
TEXTS = [f"text {number}" for number in MANY]


def numbered(index: Any) -> pd.Series[int]:
    return pd.Series(list(MANY), index=index)


def column(values: Any) -> pd.DataFrame:
    return pd.DataFrame({"p": values})


@pytest.mark.parametrize(
    ("make", "change", "subject"),
    [
        (lambda: numbered(TEXTS), "v.index = v.index[::-1]", ".index"),
        (lambda: numbered(pd.Index(MANY, dtype="Int64")), "v.index = v.index[::-1]", ".index"),
        (lambda: numbered(pd.CategoricalIndex(MANY)), "v.index = v.index[::-1]", ".index"),
        (lambda: numbered(pd.period_range("1700", periods=3_000)), "v.index = v.index.shift(1)", ".index"),
        (lambda: numbered(pd.date_range("1990", periods=3_000, tz="UTC")), "v.index = v.index.tz_convert(9)", ".index"),
        (lambda: numbered([[each % 7 for each in MANY], list(MANY)]), "v.index = v.index.swaplevel()", ".index"),
        (lambda: column(pd.period_range("1700", periods=3_000)), "v.loc[5, 'p'] = v.loc[6, 'p']", "['p']"),
        (lambda: column(pd.interval_range(0, 3_000)), "v['p'] = v['p'].array[::-1]", "['p'].left"),
        (lambda: column(pd.interval_range(0, 3_000)), "v['p'] = v['p'].array.set_closed('left')", "['p'].dtype"),
        (lambda: column(pd.arrays.SparseArray([0, 1, 0, 0] * 750)), "v['p'] = v['p'].array[::-1]", "['p']"),
        (lambda: column(pd.Categorical(MANY)), "v['p'] = v['p'].cat.rename_categories(lambda n: -n)", "['p'].cat"),
        (lambda: column(pd.Categorical(MANY)), "v['p'] = v['p'].cat.as_ordered()", "['p'].ordered"),
        (lambda: column(TEXTS), "v.loc[7, 'p'] = 'other'", "['p']"),
        (lambda: pd.array(TEXTS, dtype="string"), "v[7] = 'other'", ""),
        (lambda: pd.Categorical(TEXTS), "v[7] = 'text 1'", ""),
        (lambda: np.array(list(enumerate(TEXTS)), [("a", int), ("b", object)]), "v['b'][7] = 'other'", "['b']"),
        (lambda: np.array(TEXTS, np.dtypes.StringDType()), "v[7] = 'other'", ""),
        (lambda: np.array(TEXTS, object), "v[7] = 'other'", ""),
        (lambda: list(TEXTS), "v[7] = 'other'", ""),
    ],
)
def test_of_many_items_a_mark_finds_what_was_changed_and_nothing_else(
    make: Callable[[], Any], change: str, subject: str
) -> None:
    value = make()
    mark = Mark(value)
    assert mark.uncovered == []
    held: list[Any] = []
    for look in range(5):
        held.append([str(number) for number in range(look * 2_000)])  # so that addresses are taken by others
        assert mark.changes(value) == []
    exec(change, {"v": value})
    assert any(each.startswith(subject) for each in mark.changes(value))


def test_what_cannot_be_marked_is_listed() -> None:
    assert Mark([[number] for number in range(10_001)]).uncovered == [" beyond 10,000 parts"]
    deep = {"a": {"b": {"c": {"d": np.zeros(1 << 18)}}}}
    assert Mark({"a": 1, "g": (each for each in ())}).uncovered == ["['g']"]
    assert Mark(deep).uncovered == ["['a']['b']['c']"]


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
