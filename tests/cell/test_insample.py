"""Metrics that are measured on the rows that the model was fitted on."""

from __future__ import annotations

import pytest

from jupyter_swarm.cell import insample
from jupyter_swarm.cell.scan import scanned
from jupyter_swarm.words import Analysis


def told(code: str, metric: str = "score") -> list[str]:
    return list(insample.warnings(scanned(code, Analysis(code=code, metric=metric))))


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("m = Tree(max_depth=2).fit(X, y)\nscore = m.score(X, y)", 2),
        ("m = Tree()\nm.fit(X, y)\np = m.predict(X)\nscore = accuracy_score(y, p)", 3),
        ("m = Tree()\nm.fit(frame[['a']], frame['t'])\nscore = f1(frame['t'], m.predict(frame[['a']]))", 3),
        ("a = split(X)\nm = Tree().fit(a, b)\nq = m.predict_proba(a)[:, 1]\nr = auc(b, q)\nscore = round(r, 3)", 3),
    ],
)
def test_it_is_said_with_its_line(code: str, line: int) -> None:
    (found,) = told(code)
    assert found.startswith(f"line {line}: the metric is measured on the rows that m was fitted on")


@pytest.mark.parametrize(
    "code",
    [
        "m = Tree().fit(Xa, ya)\nscore = m.score(Xb, yb)",
        "m = Tree().fit(Xa, ya)\ntrain = m.score(Xa, ya)\nscore = m.score(Xb, yb)",
        "m = KMeans().fit(X)\nscore = silhouette_score(X, m.predict(X))",
        "score = cross_val_score(Tree(), X, y).mean()",
        "for Xa, ya in folds:\n    m = Tree().fit(Xa, ya)\nscore = m.score(Xb, yb)",
        "m = Tree()\nm.fit(Xa, ya)\nm.fit(X, y)\nscore = m.score(Xa, ya)",
        "score = 1",
    ],
)
def test_where_it_is_not_so_nothing_is_said(code: str) -> None:
    assert told(code) == []


def test_a_metric_of_another_name_does_not_matter() -> None:
    code = "m = Tree().fit(X, y)\ntrain = m.score(X, y)\nscore = other(Z)"
    assert told(code) == []
    assert told(code, "train")
