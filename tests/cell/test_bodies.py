"""Functions of the cell are searched inside: their model side varies, what the metric rests on does not."""

from __future__ import annotations

import ast
import textwrap
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
from bodies import BODIES, IMPORTS, SPLIT, Body, namespace
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_swarm import cell
from jupyter_swarm.cell import lock, sealing
from jupyter_swarm.cell import scan as scanning
from jupyter_swarm.cell.finding import find, find_all
from jupyter_swarm.cell.scan import is_literal, value_of
from jupyter_swarm.cell.slicing import sliced
from jupyter_swarm.cell.text import text_of
from jupyter_swarm.errors import LockError
from jupyter_swarm.jupyter.earlier import joined
from jupyter_swarm.minds.classical import ClassicalMind
from jupyter_swarm.protocols import Brief
from jupyter_swarm.words import Analysis, Edit, Variation

by_name = pytest.mark.parametrize("body", BODIES, ids=lambda each: each.name)
pytestmark = [pytest.mark.filterwarnings("ignore:.*:sklearn.exceptions.ConvergenceWarning")]


def value(code: str, metric: str, **parameters: Any) -> float | str:
    """The metric of a code, or how it fails."""
    space = {**namespace(), **parameters}
    space["X"], space["y"] = space["X"].copy(), space["y"].copy()
    np.random.seed(0)
    try:
        exec(compile(code, "<cell>", "exec"), space)
        return float(space[metric])
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def refused(code: str, analysis: Analysis) -> bool:
    try:
        cell.check_lock(code, analysis)
    except LockError:
        return True
    return False


# ---------------------------------------------------------------- what varies, what does not


@by_name
def test_exactly_these_literals_vary(body: Body) -> None:
    found = find_all(body.code, body.analysis)
    assert {name for name, place in found.knobs.items() if place.node is not None} == set(body.free.split())
    assert found.locked_names == set(body.locked.split())


@by_name
def test_the_cell_works(body: Body) -> None:
    assert isinstance(value(body.code, body.metric), float)


@by_name
def test_a_literal_that_is_locked_is_refused_and_no_other(body: Body) -> None:
    """What is offered and what is refused come of one slice."""
    slice_ = sliced(body.code, body.analysis)
    scan = slice_.scan
    literals = [node for node in ast.walk(scan.tree) if isinstance(node, ast.expr) and is_literal(node)]
    numbers = [node for node in literals if isinstance(value_of(node), (int, float))]
    for node in (each for each in numbers if not isinstance(scan.text.parents[id(each)], ast.UnaryOp)):
        code = scan.text.replaced([(*scan.text.span(node), repr(value_of(node) + 1))])
        assert refused(code, body.analysis) == slice_.is_locked(node), f"line {node.lineno}: {ast.unparse(node)}"


@by_name
def test_names_are_unique_and_stay_when_another_knob_is_set(body: Body) -> None:
    found = find(body.code, body.analysis)
    names = found.sites.names
    assert len(set(names)) == len(names)
    for name, place in found.knobs.items():
        if place.node is None or place.knob.low is None:
            continue
        code = cell.apply(body.analysis, [Edit(kind="set", target=name, value=place.knob.low)]).code
        assert set(find(code, body.analysis).sites.names) == set(names)
        assert find(code, body.analysis).knobs[name].knob.value == place.knob.low


@by_name
def test_what_is_remembered_of_a_code_may_be_forgotten_in_any_order(body: Body) -> None:
    """In a long swarm the tree of a code may be read anew while its slice, of the old tree, is still known."""

    def known() -> tuple[object, ...]:
        found = find_all(body.code, body.analysis)
        rests = cell.rests_on(body.code, body.analysis)
        return found.sites, found.locked_names, rests, lock._print_of(body.code, body.analysis)

    before = known()
    for each in (scanning._scanned, text_of, sealing._rests, lock._printed):
        each.cache_clear()
    assert known() == before


# ---------------------------------------------------------------- all that works on sites


def offers(analysis: Analysis, base: Variation) -> list[Edit]:
    found = ClassicalMind()._offer(Brief(question="", analysis=analysis, base=base))
    return [each.edit for each in found]


@by_name
def test_all_that_is_offered_applies_keeps_the_lock_and_has_words(body: Body) -> None:
    base = Variation(code=body.code)
    edits = offers(body.analysis, base)
    assert edits or not body.free
    for edit in edits:
        variation = cell.apply(body.analysis, [edit], base)
        assert variation.code != base.code
        cell.check_lock(variation.code, body.analysis)
        assert cell.describe_all(variation, body.analysis)
        cell.rests_on(variation.code, body.analysis)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_edits_upon_edits_lift_to_what_they_mean(data: st.DataObject) -> None:
    body = data.draw(st.sampled_from([each for each in BODIES if each.free]))
    variation = Variation(code=body.code)
    for _ in range(data.draw(st.integers(0, 3))):
        variation = cell.apply(body.analysis, [data.draw(st.sampled_from(offers(body.analysis, variation)))], variation)
    cell.check_lock(variation.code, body.analysis)
    lifted = cell.lift(variation.code, body.analysis)
    assert value(lifted.code, body.metric, **lifted.parameters) == value(
        variation.code, body.metric, seed=lifted.parameters["seed"]
    )


@by_name
def test_a_lifted_knob_is_set_by_its_parameter(body: Body) -> None:
    lifted = cell.lift(body.code, body.analysis)
    for name, place in find(body.code, body.analysis).knobs.items():
        if place.node is None or place.knob.low is None or not isinstance(place.knob.value, (int, float)):
            continue
        edited = cell.apply(body.analysis, [Edit(kind="set", target=name, value=place.knob.low)]).code
        again = cell.lift(edited, body.analysis)
        assert again.code == lifted.code
        assert set(again.parameters) == set(lifted.parameters)
        assert again.parameters != lifted.parameters or place.knob.low == place.knob.value


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The targets that scikit-learn's own metric was asked about, in their order."""
    seen: list[bytes] = []
    real = sklearn.metrics.accuracy_score

    def noted(y_true: Any, y_pred: Any, **options: Any) -> Any:
        seen.append(np.asarray(y_true).tobytes() + repr(sorted(options)).encode())
        return real(y_true, y_pred, **options)

    monkeypatch.setattr(sklearn.metrics, "accuracy_score", noted)
    return seen


@by_name
def test_nothing_that_is_offered_changes_what_is_evaluated(body: Body, evaluated: list[bytes]) -> None:
    """Told by the metric itself while variations run, not by the slice."""
    value(body.code, body.metric)
    before = set(evaluated)
    base = Variation(code=body.code)
    for edit in offers(body.analysis, base):
        evaluated.clear()
        told = value(cell.apply(body.analysis, [edit], base).code, body.metric)
        fails = isinstance(told, str) or "except" in body.code
        assert set(evaluated) == before or (fails and set(evaluated) <= before), edit


class TestOverruling:
    """A person names what stands in a body as anything else."""

    BODY = BODIES[0]

    def test_vary_and_fix(self) -> None:
        read = {"metric": "accuracy", "namespace": namespace()}
        only = cell.read(self.BODY.code, vary=("make_model.depth=2..9",), **read)
        assert [(each.name, each.low, each.high) for each in only.knobs] == [("make_model.depth", 2, 9)]
        without = cell.read(self.BODY.code, fix=("DecisionTreeClassifier", "make_model"), **read)
        assert not any(each.name.startswith(("DecisionTreeClassifier", "make_model")) for each in without.knobs)

    def test_comments(self) -> None:
        code = self.BODY.code.replace("depth=depth))", "depth=depth))  #: lock")
        analysis = cell.read(code, metric="accuracy", namespace=namespace())
        assert "DecisionTreeClassifier.min_samples_leaf" not in {each.name for each in analysis.knobs}
        code = self.BODY.code.replace("random_state=seed)", "random_state=seed)  #: free")
        analysis = cell.read(code, metric="accuracy", namespace=namespace())
        assert "train_test_split.test_size" in {each.name for each in analysis.knobs}

    def test_swaps_and_inserts(self) -> None:
        analysis = self.BODY.analysis
        assert {"DecisionTreeClassifier", "StandardScaler"} <= {each.name for each in analysis.swaps}
        assert {"make_pipeline[0]", "make_pipeline[1]"} <= {each.name for each in analysis.inserts}
        assert "make_pipeline.StandardScaler" in {each.name for each in analysis.blocks}


def test_what_is_read_inside_is_sealed_and_what_is_local_is_not() -> None:
    rests = cell.rests_on(BODIES[0].code, BODIES[0].analysis)
    assert rests.names == ("X", "y")
    assert "sklearn.metrics:accuracy_score" in rests.callables
    code = BODIES[0].code + "print(Xb)\n"
    analysis = cell.read(code, metric="accuracy", namespace={**namespace(), "Xb": [1]})
    assert cell.rests_on(code, analysis).names == ("X", "y"), "Xb of the notebook is another than that of run"


def test_a_seed_that_a_function_is_given_is_the_harness_s() -> None:
    code = BODIES[0].code.replace("run(seed)\n", "run(7)\n")
    analysis = cell.read(code, metric="accuracy", namespace=namespace())
    lifted = cell.lift(code, analysis)
    assert lifted.parameters["seed"] == 7
    assert value(lifted.code, "accuracy", **lifted.parameters) == value(code, "accuracy")
    assert refused(code.replace("run(7)", "run(8)"), analysis)


class TestTorch:
    """A training loop of torch in a function."""

    CODE = textwrap.dedent("""
        import torch
        from torch import nn
        from sklearn.model_selection import train_test_split
        class Net(nn.Module):
            def __init__(self, hidden=16, dropout=0.1):
                super().__init__()
                self.layers = nn.Sequential(nn.Linear(4, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 2))
            def forward(self, x):
                return self.layers(x)
        @torch.no_grad()
        def evaluate(net, rows, truth, threshold=0.5):
            chance = net.eval()(rows).softmax(1)[:, 1]
            return ((chance > threshold) == truth).float().mean().item()
        def train(seed, lr=0.01, epochs=5, test_size=0.25):
            torch.manual_seed(seed)
            rows, truth = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
            Xa, Xb, ya, yb = train_test_split(rows, truth, test_size=test_size, random_state=seed)
            net = Net(hidden=32)
            optimizer = torch.optim.Adam(net.parameters(), lr=lr, weight_decay=1e-4)
            for epoch in range(epochs):
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(net(Xa), ya, label_smoothing=0.1)
                loss.backward()
                optimizer.step()
            return evaluate(net, Xb, yb)
        accuracy = train(seed)
    """)

    def test_the_loop_is_free_and_the_metric_is_not(self) -> None:
        pytest.importorskip("torch")
        analysis = cell.read(self.CODE, metric="accuracy", namespace=namespace())
        found = find_all(self.CODE, analysis)
        free = {"train.lr", "train.epochs", "Net.hidden", "Net.dropout", "Adam.weight_decay"}
        assert free | {"cross_entropy.label_smoothing"} <= set(found.knobs)
        assert found.locked_names == {"evaluate.threshold", "train.test_size"}
        assert "Adam" in {each.name for each in analysis.swaps}
        for edit in offers(analysis, Variation(code=self.CODE)):
            cell.check_lock(cell.apply(analysis, [edit]).code, analysis)

    def test_lifted_it_means_the_same(self) -> None:
        pytest.importorskip("torch")
        analysis = cell.read(self.CODE, metric="accuracy", namespace=namespace())
        lifted = cell.lift(self.CODE, analysis)
        assert isinstance(value(self.CODE, "accuracy"), float)
        assert value(lifted.code, "accuracy", **lifted.parameters) == value(self.CODE, "accuracy")


# ---------------------------------------------------------------- functions of other cells

TRAIN = IMPORTS + textwrap.dedent("""
    def train(rows, truth, C=1.0):
        return make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=200)).fit(rows, truth)
""")
REST = SPLIT + "\naccuracy = accuracy_score(yb, train(Xa, ya).predict(Xb))\n"


def test_a_function_of_the_notebook_has_no_knobs_inside_until_its_cell_is_joined() -> None:
    space: dict[str, Any] = namespace()
    exec(TRAIN, space)
    closed = cell.read(REST, metric="accuracy", namespace=space)
    assert "LogisticRegression.max_iter" not in {each.name for each in closed.knobs}
    code, _, _ = joined(REST, {1: TRAIN, 2: REST}, [[1]], [])
    joint = cell.read(code, metric="accuracy", namespace=namespace())
    assert {"train.C", "LogisticRegression.max_iter"} <= {each.name for each in joint.knobs}
    assert {"StandardScaler", "LogisticRegression"} <= {each.name for each in joint.swaps}
    assert "train_test_split.test_size" in find_all(code, joint).locked_names


def test_leaks_are_found_in_functions_of_joined_cells() -> None:
    leaky = IMPORTS + "def prepare(rows):\n    return StandardScaler().fit_transform(rows)\n"
    rest = (
        "def run(seed):\n    Z = prepare(X)\n    "
        + SPLIT.replace("(X,", "(Z,")
        + "\n    return LogisticRegression().fit(Xa, ya).score(Xb, yb)\naccuracy = run(seed)\n"
    )
    code, _, _ = joined(rest, {1: leaky, 2: rest}, [[1]], [])
    found = cell.read(code, metric="accuracy", namespace=namespace()).leaks
    assert [(each.kind, code.split("\n")[each.line - 1].strip()) for each in found] == [
        ("fitted", "return StandardScaler().fit_transform(rows)")
    ]


# ---------------------------------------------------------------- cheats

HONEST = IMPORTS + textwrap.dedent("""
    def make_model(depth=5, C=1.0):
        return make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=100 + depth))
    class Report:
        def __init__(self, digits=3, floor=0.1):
            self.floor = floor
            self.digits = digits
        def rate(self, model, rows, truth):
            return max(self.floor, accuracy_score(truth, model.predict(rows)))
    def run(seed, part=0.4):
        SPLIT
        model = make_model()
        model.fit(Xa, ya)
        report = Report()
        return report.rate(model, Xb, yb)
    accuracy = run(seed)
""").replace("SPLIT", SPLIT)

CHEATS = (
    ("a smaller test set", ("test_size=0.3", "test_size=0.05")),
    ("another seed", ("random_state=seed", "random_state=3")),
    ("a constant", ("return report.rate(model, Xb, yb)", "return 1.0")),
    ("an earlier return", ("    model.fit", "    return 1.0\n    model.fit")),
    ("measured on training rows", ("rate(model, Xb, yb)", "rate(model, Xa, ya)")),
    ("targets anew", ("    model = make", "    yb = yb * 0\n    model = make")),
    ("targets in place", ("    report = ", "    yb[:] = model.predict(Xb)\n    report = ")),
    ("targets by another name", ("    report = ", "    (yb,) = (model.predict(Xb),)\n    report = ")),
    ("targets in a loop", ("    report = ", "    for yb in [model.predict(Xb)]:\n        pass\n    report = ")),
    (
        "targets by a helper",
        ("    report = ", "    def fix(t, said):\n        t[:] = said\n    fix(yb, model.predict(Xb))\n    report = "),
    ),
    (
        "targets by a helper's alias",
        ("    report = ", "    def fix(t):\n        u = t[:]\n        u[:] = 0\n    fix(yb)\n    report = "),
    ),
    (
        "targets by a helper's helper",
        (
            "    report = ",
            "    def set0(t):\n        t[:] = 0\n    def fix(t):\n        set0(t)\n    fix(yb)\n    report = ",
        ),
    ),
    (
        "targets by a method",
        (
            "    report = ",
            "    class Fix:\n        def on(self, t):\n            t[:] = 0\n    Fix().on(yb)\n    report = ",
        ),
    ),
    (
        "targets from within",
        ("    report = ", "    def fix():\n        nonlocal yb\n        yb = yb * 0\n    fix()\n    report = "),
    ),
    ("fitted on test rows", ("model.fit(Xa, ya)", "model.fit(Xb, yb)")),
    ("the model reads the targets", ("depth=5, C=1.0):\n", "depth=5, C=1.0):\n    C = float(y.mean())\n")),
    (
        "the notebook's targets by global",
        ("depth=5, C=1.0):\n", "depth=5, C=1.0):\n    global y\n    y = [0] * 90\n"),
    ),
    (
        "the metric by global",
        ("depth=5, C=1.0):\n", "depth=5, C=1.0):\n    global accuracy_score\n    accuracy_score = max\n"),
    ),
    ("the metric's own name", ("        return max(", "        accuracy_score = max\n        return max(")),
    (
        "the metric anew",
        ("class Report", "def accuracy_score(truth, said):\n    return 1.0\nclass Report"),
    ),
    ("the function anew", ("accuracy = run", "def run(seed):\n    return 1.0\naccuracy = run")),
    ("the function's code", ("accuracy = run", "run.__code__ = (lambda seed, part=1: 1.0).__code__\naccuracy = run")),
    ("a decorator", ("def run(", "@(lambda f: lambda seed: 1.0)\ndef run(")),
    ("a generous floor", ("floor=0.1", "floor=0.9")),
    ("a floor that is given", ("Report()", "Report(floor=0.9)")),
    ("a floor that is set", ("    return report", "    report.floor = 0.9\n    return report")),
    ("a floor in the dictionary", ("    return report", "    report.__dict__['floor'] = 0.9\n    return report")),
    ("a floor of the class", ("    report = ", "    Report.floor = property(lambda self: 0.9)\n    report = ")),
    ("another method", ("    return report", "    report.rate = lambda *a: 1.0\n    return report")),
    ("another class", ("    return report", "    report = type('R', (), {'rate': max})()\n    return report")),
    ("a subclass", ("accuracy = run", "class Report(Report):\n    floor = 0.9\naccuracy = run")),
    ("another start", ("accuracy = run", "Report.__init__ = lambda self: None\naccuracy = run")),
    ("more of the metric", ("max(self.floor", "2 * max(self.floor")),
    ("another part of the metric", ("predict(rows))", "predict(rows), normalize=False)")),
    ("tries", ("accuracy = run(seed)", "accuracy = max(run(seed), run(seed))")),
)


@pytest.fixture(scope="module")
def honest() -> Analysis:
    return cell.read(HONEST, metric="accuracy", namespace=namespace())


def test_the_honest_cell_works_and_varies(honest: Analysis) -> None:
    assert isinstance(value(HONEST, "accuracy"), float)
    found = find_all(HONEST, honest)
    assert {"make_model.depth", "make_model.C"} <= set(found.knobs)
    assert found.locked_names == {"train_test_split.test_size", "Report.floor"}


@pytest.mark.parametrize(("name", "change"), CHEATS, ids=[name for name, _ in CHEATS])
def test_a_cheat_in_a_body_is_refused(honest: Analysis, name: str, change: tuple[str, str]) -> None:
    code = HONEST.replace(*change, 1)
    assert code != HONEST
    ast.parse(code)
    assert refused(code, honest)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("depth=5", "depth=9"),
        ("StandardScaler(), ", ""),
        ("    model.fit", "    model = make_pipeline(StandardScaler(), model)\n    model.fit"),
        ("    return make_pipeline", "    C = C * 2 if depth > 3 else C\n    return make_pipeline"),
        ("digits=3", "digits=4"),
    ],
)
def test_what_is_free_in_a_body_stays_free(honest: Analysis, old: str, new: str) -> None:
    cell.check_lock(HONEST.replace(old, new, 1), honest)
