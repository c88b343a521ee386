"""Edits: what is offered can be applied, keeps the lock, and changes only what it is about; cheats are refused."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from cells import EXAMPLES, WINE, wine_namespace
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_swarm import cell
from jupyter_swarm.errors import EditError, LockError
from jupyter_swarm.minds.classical import ClassicalMind
from jupyter_swarm.protocols import Brief
from jupyter_swarm.words import Analysis, Edit, Variation


@pytest.fixture(scope="module")
def wine() -> Analysis:
    return EXAMPLES["wine"]().read()


def edited(analysis: Analysis, *edits: tuple[Any, ...]) -> str:
    return cell.apply(analysis, [Edit(kind=k, target=t, value=v) for k, t, v in edits]).code


class TestApply:
    """One edit at a time, and one upon another."""

    def test_set(self, wine: Analysis) -> None:
        assert "SVC(C=0.5)" in edited(wine, ("set", "SVC.C", 0.5))

    def test_set_what_is_not_yet_written(self, wine: Analysis) -> None:
        assert "SVC(C=1.0, kernel='linear')" in edited(wine, ("set", "SVC.kernel", "linear"))
        assert "Normalizer(norm='max')" in edited(wine, ("set", "Normalizer.norm", "max"))

    def test_swap_brings_its_import_and_keeps_the_question_first(self, wine: Analysis) -> None:
        code = edited(wine, ("swap", "Normalizer", "sklearn.preprocessing:RobustScaler"))
        lines = code.splitlines()
        assert lines[0].startswith('"""')
        assert lines[1] == "from sklearn.preprocessing import RobustScaler"
        assert "make_pipeline(RobustScaler(), SVC(C=1.0))" in code

    def test_swap_keeps_the_arguments_that_the_other_takes(self, wine: Analysis) -> None:
        assert "LinearSVC(C=1.0)" in edited(wine, ("swap", "SVC", "sklearn.svm:LinearSVC"))
        assert "NuSVC()" in edited(wine, ("swap", "SVC", "sklearn.svm:NuSVC"))

    def test_swap_back_uses_the_name_that_is_known(self, wine: Analysis) -> None:
        code = edited(
            wine,
            ("swap", "Normalizer", "sklearn.preprocessing:RobustScaler"),
            ("swap", "RobustScaler", "sklearn.preprocessing:Normalizer"),
        )
        assert "make_pipeline(Normalizer(), SVC(C=1.0))" in code

    def test_a_name_that_is_taken_gets_another(self) -> None:
        space = wine_namespace() | {"RobustScaler": 3}
        code = WINE + "RobustScaler\n"
        analysis = cell.read(code, metric="accuracy", namespace=space)
        code = edited(analysis, ("swap", "Normalizer", "sklearn.preprocessing:RobustScaler"))
        assert "import RobustScaler as RobustScaler_2" in code
        assert "make_pipeline(RobustScaler_2()" in code

    def test_through_a_module(self) -> None:
        from sklearn import preprocessing

        space = wine_namespace() | {"preprocessing": preprocessing}
        analysis = cell.read(WINE.replace("Normalizer", "preprocessing.Normalizer"), metric="accuracy", namespace=space)
        code = edited(analysis, ("swap", "Normalizer", "sklearn.preprocessing:StandardScaler"))
        assert "make_pipeline(preprocessing.StandardScaler(), SVC" in code
        assert "import" not in code

    def test_insert_and_drop(self, wine: Analysis) -> None:
        step = "sklearn.preprocessing:StandardScaler"
        assert "make_pipeline(StandardScaler(), Normalizer(), SVC" in edited(wine, ("insert", "make_pipeline[0]", step))
        assert "make_pipeline(Normalizer(), StandardScaler(), SVC" in edited(wine, ("insert", "make_pipeline[1]", step))
        assert "make_pipeline(SVC(C=1.0))" in edited(wine, ("drop", "make_pipeline.Normalizer", None))

    def test_a_statement_that_can_go(self) -> None:
        code = "x = [3.0]\nx = shrink(x)\nif True:\n    x = shrink(x)\nscore = fit(x)"
        space = {"shrink": lambda x: [0.5 * each for each in x], "fit": sum}
        analysis = cell.read(code, metric="score", namespace=space)
        for block in analysis.blocks:
            left = edited(analysis, ("drop", block.name, None))
            ast.parse(left)
            assert left.count("shrink") == 1

    @pytest.mark.parametrize(
        ("edit", "says"),
        [
            (("set", "SVC.c", 1.0), "nothing called 'SVC.c'"),
            (("set", "SVC.C", -1.0), "cannot be -1.0"),
            (("set", "SVC.C", "big"), "cannot be 'big'"),
            (("set", "SVC.kernel", "magic"), "cannot be 'magic'"),
            (("swap", "Normalizer", "sklearn.svm:SVC"), "no sibling"),
            (("swap", "cross_val_score", "sklearn.svm:SVC"), "nothing called"),
            (("insert", "make_pipeline[9]", "sklearn.preprocessing:StandardScaler"), "nothing called"),
            (("drop", "SVC", None), "nothing called"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, wine: Analysis, edit: tuple[Any, ...], says: str) -> None:
        with pytest.raises(EditError, match=says):
            edited(wine, edit)


class TestLock:
    """No agent wins by changing what is measured."""

    CHEATS = (
        ("the number of folds", ("StratifiedKFold(5", "StratifiedKFold(2")),
        ("the seed", ("random_state=seed", "random_state=3")),
        ("the shuffle", ("shuffle=True", "shuffle=False")),
        ("the targets", ("X, y,", "X, y * 0,")),
        ("the rows", ("X, y,", "X[y < 2], y[y < 2],")),
        ("the units", (".mean()", ".mean() * 2")),
        ("the maximum instead of the mean", (".mean()", ".max()")),
        ("a constant", ("accuracy = cross", "accuracy = 1.0 or cross")),
        ("another value afterwards", ("mean()\n", "mean()\naccuracy = 0.99\n")),
        ("targets before", ("model = ", "y = y * 0\nmodel = ")),
        ("rows in place", ("model = ", "X[:] = y[:, None]\nmodel = ")),
        ("the splitter", ("model = ", "StratifiedKFold = list\nmodel = ")),
        ("the scorer", ("model = ", "def cross_val_score(*a, **k): return X\nmodel = ")),
        ("a patched module", ("model = ", "import sklearn.model_selection as m\nexec('m.x = 1')\nmodel = ")),
        ("reading the targets", ("SVC(C=1.0)", "SVC(C=float(y.sum()))")),
        ("setting attributes", ("model = ", "setattr(cross_val_score, 'a', 1)\nmodel = ")),
        ("a missing metric", ("accuracy = cross", "other = cross")),
        ("a comment that frees", ("mean()\n", "mean()  #: free\n")),
    )

    @pytest.mark.parametrize(("change", "old_new"), CHEATS, ids=[name for name, _ in CHEATS])
    def test_a_cheat_is_refused(self, wine: Analysis, change: str, old_new: tuple[str, str]) -> None:
        code = WINE.replace(*old_new)
        assert code != WINE
        with pytest.raises(LockError):
            cell.check_lock(code, wine)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("SVC(C=1.0)", "SVC(C=2.0, kernel='linear')"),
            ("Normalizer(), ", ""),
            ("model = ", "scaler = Normalizer()\nmodel = "),
        ],
    )
    def test_what_is_free_stays_free(self, wine: Analysis, old: str, new: str) -> None:
        cell.check_lock(WINE.replace(old, new), wine)

    def test_lock_and_free_overrule(self) -> None:
        locked = cell.read(
            WINE.replace("SVC(C=1.0))", "SVC(C=1.0))  #: lock"), metric="accuracy", namespace=wine_namespace()
        )
        assert "SVC.C" not in {knob.name for knob in locked.knobs}
        with pytest.raises(LockError):
            cell.check_lock(locked.code.replace("C=1.0", "C=2.0"), locked)


@pytest.mark.parametrize("name", EXAMPLES)
def test_all_that_a_mind_offers_applies_and_keeps_the_lock(name: str) -> None:
    example = EXAMPLES[name]()
    analysis = example.read()
    base = Variation(code=example.code)
    offers = ClassicalMind()._offer(Brief(question="", analysis=analysis, base=base))
    assert offers or name == "two seeds"
    for offer in offers:
        variation = cell.apply(analysis, [offer.edit], base)
        ast.parse(variation.code)
        cell.check_lock(variation.code, analysis)
        assert variation.code != base.code
        assert variation.edits == (offer.edit,)
        assert cell.describe_all(variation, analysis)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_edits_upon_edits_stay_code_that_parses_and_keeps_the_lock(wine: Analysis, data: st.DataObject) -> None:
    mind, variation = ClassicalMind(), Variation(code=WINE)
    for _ in range(data.draw(st.integers(1, 4))):
        offers = mind._offer(Brief(question="", analysis=wine, base=variation))
        offer = data.draw(st.sampled_from(offers))
        variation = cell.apply(wine, [offer.edit], variation)
    ast.parse(variation.code)
    cell.check_lock(variation.code, wine)
    again = cell.apply(wine, variation.edits)
    assert again.code == variation.code, "the edits alone make the code again"
