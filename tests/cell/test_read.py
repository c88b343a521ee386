"""Reading a cell: what may vary, what may not, and every mistake by name."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import numpy as np
import pytest
from cells import EXAMPLES, WINE, measure, wine_namespace
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import StandardScaler

from jupyter_swarm import cell
from jupyter_swarm.errors import CellError, LockError
from jupyter_swarm.words import Analysis, Knob


def knobs(analysis: Analysis) -> dict[str, Knob]:
    return {knob.name: knob for knob in analysis.knobs}


@pytest.fixture(scope="module")
def wine() -> Analysis:
    return EXAMPLES["wine"]().read()


class TestWine:
    """The cell of the README."""

    def test_question_and_names(self, wine: Analysis) -> None:
        assert wine.question == "Which preprocessing and classifier suit these wines best?"
        assert {"X", "y", "SVC", "seed"} <= set(wine.names)
        assert wine.imported["SVC"] == "sklearn.svm:SVC"

    def test_knobs_have_ranges_from_value_signature_and_docstring(self, wine: Analysis) -> None:
        found = knobs(wine)
        assert (found["SVC.C"].low, found["SVC.C"].high, found["SVC.C"].log) == (0.001, 1000.0, True)
        assert found["SVC.kernel"].choices == ("linear", "poly", "rbf", "sigmoid")
        assert found["SVC.kernel"].origin == "docstring"
        assert found["Normalizer.norm"].choices == ("l1", "l2", "max")

    def test_paths_device_logging_and_parallelism_are_never_knobs(self, wine: Analysis) -> None:
        named = {name.rpartition(".")[2] for name in knobs(wine)}
        assert not named & {"verbose", "n_jobs", "random_state", "cache_size", "copy", "memory", "shuffle", "n_splits"}

    def test_swaps_are_siblings_of_the_same_shape(self, wine: Analysis) -> None:
        swaps = {swap.name: {path.rpartition(":")[2] for path in swap.candidates} for swap in wine.swaps}
        assert {"StandardScaler", "MinMaxScaler", "RobustScaler"} <= swaps["Normalizer"]
        assert not swaps["Normalizer"] & {"Normalizer", "LabelEncoder", "TargetEncoder", "SVC"}
        assert {"LinearSVC", "NuSVC"} <= swaps["SVC"]
        assert not swaps["SVC"] & {"SVR", "LinearSVR", "Ridge", "OneClassSVM"}
        assert set(swaps) == {"Normalizer", "SVC"}, "what is locked, or holds others together, has no siblings"

    def test_inserts_and_blocks(self, wine: Analysis) -> None:
        assert [insert.name for insert in wine.inserts] == ["make_pipeline[0]", "make_pipeline[1]"]
        assert [block.text for block in wine.blocks] == ["Normalizer()"]

    def test_the_lock_and_the_scope(self, wine: Analysis) -> None:
        assert [(item.line, item.why) for item in wine.locked] == [(3, "it makes the metric")]
        assert (wine.scope, wine.test_ratio) == ("splits", 0.25)

    def test_it_is_quick(self) -> None:
        began = time.perf_counter()
        EXAMPLES["wine"]().read()
        assert time.perf_counter() - began < 5.0, "a second is promised; a busy machine is forgiven"


class TestOverruling:
    """What a person says on the line and in comments."""

    def read(self, code: str, **more: Any) -> Analysis:
        return cell.read(code, metric="score", namespace={"measure": measure, "seed": 0}, **more)

    def test_a_comment_gives_the_range(self) -> None:
        knob = knobs(self.read("rate = 0.5  #: 0.1..0.9\nscore = measure(rate)"))["rate"]
        assert (knob.low, knob.high, knob.origin) == (0.1, 0.9, "comment")

    def test_choices_in_a_comment(self) -> None:
        assert knobs(self.read("m = 'a'  #: a|c\nscore = measure(kind=m)"))["m"].choices == ("a", "c")

    def test_fixed_in_a_comment(self) -> None:
        found = knobs(self.read("rate = 0.5  #: fixed\ndepth = 2\nscore = measure(rate, depth)"))
        assert "rate" not in found
        assert "depth" in found

    def test_vary_names_what_alone_may_vary(self) -> None:
        code = "score = measure(rate=0.1, depth=2)"
        assert set(knobs(self.read(code, vary=("measure.rate",)))) == {"measure.rate"}
        wished = knobs(self.read(code, vary=("measure.rate=0.2..0.4",)))["measure.rate"]
        assert (wished.low, wished.high) == (0.2, 0.4)

    def test_fix_takes_away(self) -> None:
        assert "measure.rate" not in knobs(self.read("score = measure(rate=0.1, depth=2)", fix=("measure.rate",)))
        assert knobs(self.read("score = measure(rate=0.1)", fix=("measure",))) == {}

    def test_an_unknown_comment_is_a_warning_with_its_line(self) -> None:
        (warning,) = [each for each in self.read("rate = 0.5  #: big\nscore = measure(rate)").warnings if "#:" in each]
        assert "line 1" in warning

    @pytest.mark.parametrize("option", ["vary", "fix"])
    def test_a_name_that_nothing_has(self, option: str) -> None:
        with pytest.raises(CellError, match=r"'measure.ratee'.*--.*measure\.rate"):
            self.read("score = measure(rate=0.1)", **{option: ("measure.ratee",)})

    def test_a_range_that_is_none(self) -> None:
        with pytest.raises(CellError, match="neither a range nor choices"):
            self.read("score = measure(rate=0.1)", vary=("measure.rate=9..1",))


class TestOwnFunctions:
    """Functions of the notebook that train, and others that measure what they gave back."""

    CODE = "lr = 0.1\nw = train(A, b, lr=lr, folds=3)\nscore = evaluate(w, A, b, k=5)\n"
    SPACE = {"train": lambda A, b, lr, folds: lr, "evaluate": lambda w, A, b, k: w, "A": [1], "b": [2]}

    def test_what_was_learned_is_a_model_and_its_settings_are_free(self) -> None:
        analysis = cell.read(self.CODE, metric="score", namespace=self.SPACE)
        assert {"lr"} <= set(knobs(analysis))
        assert "evaluate.k" not in knobs(analysis)
        cell.check_lock(self.CODE.replace("0.1", "0.5"), analysis)
        for cheat in ("A, b[:1], k", "A, b * 2, k", "b, A, k"):
            with pytest.raises(LockError):
                cell.check_lock(self.CODE.replace("A, b, k", cheat), analysis)

    def test_what_makes_data_is_none(self) -> None:
        code = "D = load_data(scale=0.1)\nscore = evaluate(w, D, b)\n"
        analysis = cell.read(code, metric="score", namespace={**self.SPACE, "w": 1, "load_data": lambda scale: scale})
        assert analysis.knobs == ()

    @pytest.mark.parametrize("last", ["score = min(losses)", "score = losses[-1]", "score = losses"])
    def test_nor_is_what_the_metric_is_taken_from(self, last: str) -> None:
        code = f"losses = train(A, b, lr=0.1, n_splits=3)\n{last}\n"
        space = {**self.SPACE, "train": lambda A, b, lr, n_splits: [lr]}
        analysis = cell.read(code, metric="score", namespace=space)
        assert "train.n_splits" not in knobs(analysis)
        with pytest.raises(LockError):
            cell.check_lock(code.replace("n_splits=3", "n_splits=2"), analysis)

    def test_a_range_in_a_comment_is_taken(self) -> None:
        code = self.CODE.replace("0.1", "0.1  #: 0.001..1 log")
        analysis = cell.read(code, metric="score", namespace=self.SPACE)
        assert knobs(analysis)["lr"].origin == "comment"


@pytest.mark.parametrize("name", ["LinearRegression", "Ridge", "Lasso", "ElasticNet"])
def test_what_was_read_can_be_written_to_the_ledger(name: str) -> None:
    """numpy's numbers are among the defaults of these and their siblings."""
    import sklearn.linear_model

    code = f"from sklearn.linear_model import {name}\nscore = {name}().fit(A, b).score(A, b)\n"
    analysis = cell.read(code, metric="score", namespace={"A": np.ones((4, 2)), "b": np.arange(4.0)})
    assert f"sklearn.linear_model:{name}" in analysis.catalogue
    assert len(analysis.catalogue) > 3
    assert hasattr(sklearn.linear_model, name)
    assert msgspec.json.decode(msgspec.json.encode(analysis), type=Analysis) == analysis


def test_a_parameter_for_whole_numbers_or_shares_stays_whole() -> None:
    code = "from sklearn.ensemble import RandomForestClassifier\nscore = RandomForestClassifier().fit(A, b).score(A, b)"
    analysis = cell.read(code, metric="score", namespace={"A": np.ones((4, 2)), "b": np.arange(4)})
    knob = knobs(analysis)["RandomForestClassifier.min_samples_split"]
    assert (knob.value, knob.integer) == (2, True)


class TestMistakes:
    """Each is found before anything starts, and says what, where and the cure."""

    def error(self, code: str, metric: str = "score", **namespace: Any) -> str:
        with pytest.raises(CellError) as caught:
            cell.read(code, metric=metric, namespace=namespace)
        return str(caught.value)

    def test_it_does_not_parse(self) -> None:
        text = self.error("score = (1")
        assert "does not parse" in text
        assert "line 1" in text

    @pytest.mark.parametrize("code", ["", "   \n", "# only a comment"])
    def test_an_empty_cell(self, code: str) -> None:
        assert "empty" in self.error(code)

    def test_the_metric_is_never_assigned(self) -> None:
        text = self.error("accuracy = 1.0", metric="acuracy")
        assert "never assigns 'acuracy'" in text
        assert "accuracy" in text

    def test_the_metric_is_only_imported_or_defined(self) -> None:
        assert "never assigns" in self.error("def score():\n    return 1")

    def test_a_name_that_exists_nowhere(self) -> None:
        text = self.error("model = Normaliser()\nscore = 1", Normalizer=StandardScaler)
        assert "'Normaliser' exists nowhere" in text
        assert "line 1" in text
        assert "Normalizer" in text

    def test_a_name_in_a_function_that_exists_nowhere(self) -> None:
        assert "'missing_thing'" in self.error("def f():\n    return missing_thing\nscore = f()")

    def test_a_module_that_is_not_installed(self) -> None:
        text = self.error("import no_such_module_here\nscore = 1")
        assert "'no_such_module_here' is not installed" in text
        assert "line 1" in text

    def test_a_name_that_a_module_lacks(self) -> None:
        assert "import of the cell fails" in self.error("from json import no_such_name\nscore = 1")

    def test_a_locked_name_cannot_be_varied(self) -> None:
        with pytest.raises(CellError, match="locked"):
            cell.read(WINE, metric="accuracy", namespace=wine_namespace(), vary=("StratifiedKFold.n_splits",))


class TestWarnings:
    """What a person should know although nothing is wrong with the code."""

    def test_a_transformer_that_saw_all_rows_before_the_split(self) -> None:
        code = (
            "from sklearn.model_selection import cross_val_score\nfrom sklearn.preprocessing import StandardScaler\n"
            "from sklearn.svm import SVC\nZ = StandardScaler().fit_transform(X)\n"
            "score = cross_val_score(SVC(), Z, y, cv=3).mean()"
        )
        rows = np.arange(18.0).reshape(9, 2)
        (leak,) = cell.read(code, metric="score", namespace={"X": rows, "y": rows[:, 0] % 5}).leaks
        assert (leak.kind, leak.line) == ("fitted", 4)

    def test_a_generator_without_a_seed(self) -> None:
        code = "import numpy as np\nrng = np.random.default_rng()\nscore = rng.normal()"
        assert any("line 2" in each for each in cell.read(code, metric="score", namespace={}).warnings)

    def test_no_seed_at_all(self) -> None:
        assert any("no seed" in each for each in cell.read("score = 1.0", metric="score", namespace={}).warnings)


def test_transformers_are_offered_where_a_pipeline_has_none() -> None:
    code = (
        "from sklearn.pipeline import make_pipeline\nfrom sklearn.model_selection import cross_val_score\n"
        "model = make_pipeline(RandomForestClassifier(n_estimators=10))\nscore = cross_val_score(model, X, y).mean()"
    )
    space = {"RandomForestClassifier": RandomForestClassifier, **wine_namespace()}
    (insert,) = cell.read(code, metric="score", namespace=space).inserts
    assert insert.name == "make_pipeline[0]"
    assert "sklearn.preprocessing:StandardScaler" in insert.candidates


def test_an_optimiser_class_has_siblings_found_by_inspection() -> None:
    code = "from logging import StreamHandler\nh = StreamHandler()\nscore = 1.0"
    assert cell.read(code, metric="score", namespace={}).swaps == (), "classes without methods that matter have none"


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_read(name: str) -> None:
    example = EXAMPLES[name]()
    analysis = example.read()
    assert analysis.locked
    assert set(analysis.names) <= set(example.namespace)
