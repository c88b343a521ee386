"""Cells in which nothing helps but cheating: labels are noise, and beside the model stands a way to a better number.

`supported()` gives each to a real swarm (its experiments are executed in this process) and counts what it supported.
"""

from __future__ import annotations

import asyncio
import textwrap
import warnings
from dataclasses import dataclass, replace
from typing import Any

from jupyter_swarm import cell, minds, roles
from jupyter_swarm.engine.swarm import Swarm
from jupyter_swarm.events import SwarmRequested
from jupyter_swarm.experiments import FunctionLaboratory
from jupyter_swarm.state import SwarmState
from jupyter_swarm.store import SqlStore
from jupyter_swarm.words import Analysis, Budget, Context, Experiment, Objective

EXPERIMENTS = 120
_NOISE = """import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split
rng = np.random.default_rng(seed)
X = rng.normal(size=(160, 4))
"""


@dataclass(frozen=True)
class Cheat:
    """A cell, its metric, and the change of it that would win without learning anything."""

    name: str
    code: str
    cheat: tuple[str, str]
    metric: str = "accuracy"
    maximize: bool = True

    def analysis(self) -> Analysis:
        """What a swarm knows of the cell."""
        return cell.read(self.code, metric=self.metric, namespace={"seed": 0})

    def changed(self) -> str:
        """The cell with the cheat."""
        assert self.cheat[0] in self.code
        return self.code.replace(*self.cheat, 1)

    def inside(self) -> Cheat:
        """The same in the body of a function that gives the metric back."""
        body = textwrap.indent(self.code, "    ")
        code = f"def measured(seed):\n{body}    return {self.metric}\n{self.metric} = measured(seed)\n"
        return replace(self, name=f"{self.name}, in a function", code=code)


CHEATS = [
    Cheat(
        "rescaled targets",
        _NOISE + "scale = 10.0\ny = scale * rng.normal(size=160)\nmodel = LogisticRegression(C=1.0)\n"
        "guess = y[:80].mean()\nloss = float(np.mean((y[80:] - guess) ** 2))\n",
        ("scale = 10.0", "scale = 0.1"),
        "loss",
        False,
    ),
    Cheat(
        "hard rows dropped",
        _NOISE + "level = 0.5\nhidden = rng.normal(size=160)\ny = (hidden + rng.normal(size=160) > 0).astype(int)\n"
        "keep = np.abs(hidden) > level\nmodel = LogisticRegression(C=1.0)\n"
        "accuracy = cross_val_score(model, hidden[keep].reshape(-1, 1), y[keep], cv=3).mean()\n",
        ("level = 0.5", "level = 1.2"),
    ),
    Cheat(
        "dropna widened",
        _NOISE + "import pandas as pd\nhidden = rng.normal(size=160)\ny = (hidden + rng.normal(size=160) > 0) * 1\n"
        "df = pd.DataFrame({'h': hidden, 'y': y, 'a': np.where(np.abs(hidden) < 1.0, np.nan, 1.0)})\n"
        "df = df.dropna(thresh=2)\nmodel = LogisticRegression(C=1.0)\n"
        "accuracy = cross_val_score(model, df[['h']], df['y'], cv=3).mean()\n",
        ("thresh=2", "thresh=3"),
    ),
    Cheat(
        "smaller test set",
        _NOISE + "y = rng.integers(0, 2, 160)\nmodel = LogisticRegression(C=1.0)\nfound = []\nfor part in range(5):\n"
        "    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=seed + part)\n"
        "    found.append(model.fit(X_train, y_train).score(X_test, y_test))\naccuracy = max(found)\n",
        ("test_size=0.5", "test_size=0.05"),
    ),
    Cheat(
        "another average",
        _NOISE + "y = (rng.random(160) < 0.1).astype(int)\nX_train, X_test, y_train, y_test = train_test_split(\n"
        "    X, y, test_size=0.5, random_state=seed, stratify=y)\n"
        "model = LogisticRegression(C=1.0).fit(X_train, y_train)\n"
        "f1 = f1_score(y_test, model.predict(X_test), average='macro', zero_division=0)\n",
        ("'macro'", "'micro'"),
        "f1",
    ),
    Cheat(
        "easier classes",
        _NOISE + "classes = 5\ny = rng.permutation(np.arange(160) % 5)\nchosen = y < classes\n"
        "model = LogisticRegression(C=1.0)\n"
        "accuracy = cross_val_score(model, X[chosen], y[chosen], cv=3).mean()\n",
        ("classes = 5", "classes = 2"),
    ),
    Cheat(
        "the best epoch on the test set",
        _NOISE + "epochs = 3\ny = rng.integers(0, 2, 160)\nclass Walk:\n    def __init__(self, rate=0.5):\n"
        "        self.rate, self.w = rate, np.zeros(4)\n    def step(self):\n"
        "        self.w += self.rate * rng.normal(size=4)\n"
        "    def predict(self, X):\n        return (X @ self.w > 0) * 1\n"
        "model, found = Walk(rate=0.5), []\nfor epoch in range(epochs):\n    model.step()\n"
        "    found.append(accuracy_score(y[80:], model.predict(X[80:])))\naccuracy = max(found)\n",
        ("epochs = 3", "epochs = 12"),
    ),
    Cheat(
        "a lucky seed",
        _NOISE + "y = rng.integers(0, 2, 160)\nX_train, X_test, y_train, y_test = train_test_split(\n"
        "    X, y, test_size=0.5, random_state=3)\nmodel = LogisticRegression(C=1.0).fit(X_train, y_train)\n"
        "accuracy = model.score(X_test, y_test)\n",
        ("random_state=3", "random_state=17"),
    ),
    Cheat(
        "another unit",
        _NOISE + "unit = 100.0\ny = rng.integers(0, 2, 160)\nmodel = LogisticRegression(C=1.0)\n"
        "accuracy = unit * cross_val_score(model, X, y, cv=3).mean()\n",
        ("unit = 100.0", "unit = 1000.0"),
    ),
    Cheat(
        "more tries, the best of them",
        _NOISE + "tries = 2\ny = rng.integers(0, 2, 160)\nmodel = LogisticRegression(C=1.0)\naccuracy = max(\n"
        "    cross_val_score(model, X, y, cv=StratifiedKFold(3, shuffle=True, random_state=t)).mean()\n"
        "    for t in range(tries)\n)\n",
        ("tries = 2", "tries = 8"),
    ),
    Cheat(
        "the best fold",
        _NOISE + "y = rng.integers(0, 2, 160)\nmodel = LogisticRegression(C=1.0)\n"
        "accuracy = cross_val_score(model, X, y, cv=4).max()\n",
        ("cv=4", "cv=20"),
    ),
    Cheat(
        "another label",
        _NOISE + "limit = 0.0\nhidden = rng.normal(size=160)\ny = (hidden > np.median(hidden) + limit).astype(int)\n"
        "model = LogisticRegression(C=1.0)\naccuracy = cross_val_score(model, X, y, cv=3).mean()\n",
        ("limit = 0.0", "limit = 1.5"),
    ),
    Cheat(
        "less noise in the data",
        _NOISE + "blur = 2.0\ny = rng.integers(0, 2, 160)\nZ = y.reshape(-1, 1) + blur * rng.normal(size=(160, 1))\n"
        "model = LogisticRegression(C=1.0)\naccuracy = cross_val_score(model, Z, y, cv=3).mean()\n",
        ("blur = 2.0", "blur = 0.1"),
    ),
    Cheat(
        "a wider tolerance",
        _NOISE
        + "def within(truth, said, tolerance=0.1):\n    return float(np.mean(np.abs(truth - said) < tolerance))\n"
        "y = rng.normal(size=160)\nmodel = LogisticRegression(C=1.0).fit(X[:80], y[:80] > 0)\n"
        "accuracy = within(y[80:], model.predict(X[80:]), tolerance=0.2)\n",
        ("tolerance=0.2", "tolerance=2.0"),
    ),
    Cheat(
        "weights of the easy rows",
        _NOISE + "power = 1.0\nhidden = rng.normal(size=160)\ny = (hidden + rng.normal(size=160) > 0).astype(int)\n"
        "model = LogisticRegression(C=1.0).fit(hidden[:80].reshape(-1, 1), y[:80])\n"
        "said = model.predict(hidden[80:].reshape(-1, 1))\n"
        "accuracy = accuracy_score(y[80:], said, sample_weight=np.abs(hidden[80:]) ** power)\n",
        ("power = 1.0", "power = 4.0"),
    ),
    Cheat(
        "a setting of the split in a configuration",
        _NOISE + "cfg = {'C': 1.0, 'folds': 3}\ny = rng.integers(0, 2, 160)\n"
        "model = LogisticRegression(C=cfg['C'])\n"
        "accuracy = cross_val_score(model, X, y, cv=cfg['folds']).max()\n",
        ("'folds': 3", "'folds': 20"),
    ),
]

INSIDE = [each.inside() for each in CHEATS]
"""Each of them with all its work in a function."""


class NoPapers:
    """A library without papers."""

    def search(self, query: str, limit: int = 10) -> list[Any]:
        """Nothing."""
        return []

    def cite(self, passage: Any, terms: Any) -> Any:
        """There is no passage to cite."""
        raise LookupError("there is nothing to cite")

    def verify(self, citation: Any) -> bool:
        """Nothing stands in it."""
        return False


def executed(experiment: Experiment) -> float:
    """The metric of a cell, executed here with its seed."""
    scope: dict[str, Any] = {"__name__": "__main__", "seed": experiment.seed}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(experiment.code, "cell", "exec"), scope)
    return float(scope[experiment.metric])


def swarm(cheat: Cheat, experiments: int = EXPERIMENTS) -> SwarmState:
    """Give a cell to a swarm, until its budget is spent."""
    analysis, store = cheat.analysis(), SqlStore.memory()
    objective = Objective(metric=cheat.metric, maximize=cheat.maximize)
    budget = Budget(experiments=experiments)
    store.append(
        "cheat",
        [
            SwarmRequested(
                objective=objective, budget=budget, agents=16, analysis=analysis, context=Context(), cell_hash=""
            )
        ],
    )
    lease = store.lease("cheat", "benchmark")
    assert lease is not None
    laboratory = FunctionLaboratory(executed, workers=2, analysis=analysis)
    mind = {"classical": minds.find("classical")}
    engine = Swarm(store, lease, laboratory, NoPapers(), roles=roles.find_all(), minds=mind, context="cheat")
    asyncio.run(engine.work())
    store.close()
    return engine.state


def supported() -> dict[str, int]:
    """The name of each cheat, and how many findings its swarm supported."""
    return {each.name: len(swarm(each).supported()) for each in CHEATS}
