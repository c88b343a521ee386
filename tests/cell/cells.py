"""Cells as people write them, with the namespace that each needs: for reading, varying and lifting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.svm import SVC

from jupyter_swarm import cell
from jupyter_swarm.words import Analysis

X, y = load_wine(return_X_y=True)
WINE = '''"""Which preprocessing and classifier suit these wines best?"""
model = make_pipeline(Normalizer(), SVC(C=1.0))
accuracy = cross_val_score(model, X, y, cv=StratifiedKFold(5, shuffle=True, random_state=seed)).mean()
'''


def measure(rate: float = 0.1, depth: int = 3, flag: bool = False, kind: str = "a", seed: int = 0) -> float:
    """Measure.

    Parameters
    ----------
    rate : float, default=0.1
        In the interval (0, 1].
    depth : int, default=3
    flag : bool, default=False
    kind : {'a', 'b', 'c'}, default='a'
    """
    return rate * depth + flag + {"a": 0, "b": 1, "c": 2}[kind] + float(np.random.default_rng(seed).normal())


@dataclass(frozen=True)
class Example:
    """A cell, its metric, and the notebook's variables."""

    code: str
    metric: str
    namespace: dict[str, Any] = field(default_factory=dict)

    def read(self, **more: Any) -> Analysis:
        return cell.read(self.code, metric=self.metric, namespace=self.namespace, **more)


def wine_namespace() -> dict[str, Any]:
    """What the quickstart's first cell leaves."""
    return {
        "X": X, "y": y, "seed": 0, "make_pipeline": make_pipeline, "Normalizer": Normalizer, "SVC": SVC,
        "cross_val_score": cross_val_score, "StratifiedKFold": StratifiedKFold,
    }  # fmt: skip


EXAMPLES: dict[str, Callable[[], Example]] = {
    "wine": lambda: Example(WINE, "accuracy", wine_namespace()),
    "call": lambda: Example("score = measure(rate=0.2, depth=2, seed=seed)", "score", {"measure": measure, "seed": 0}),
    "assigned": lambda: Example(
        "rate = 0.25  #: 0.01..1 log\ndepth, flag = 4, True\nscore = measure(rate, depth, flag=flag)",
        "score",
        {"measure": measure},
    ),
    "imports": lambda: Example(
        "import numpy as np\n"
        "from sklearn.linear_model import Ridge\n"
        "from sklearn.model_selection import train_test_split\n"
        "rng = np.random.default_rng(7)\n"
        "A = rng.normal(size=(60, 4))\n"
        "b = A @ [1.0, 2.0, 0.0, -1.0] + rng.normal(size=60)\n"
        "A_train, A_test, b_train, b_test = train_test_split(A, b, test_size=0.25, random_state=3)\n"
        "model = Ridge(alpha=2.0, fit_intercept=True).fit(A_train, b_train)\n"
        "error = ((model.predict(A_test) - b_test) ** 2).mean()\n",
        "error",
    ),
    "function": lambda: Example(
        "import random\n"
        "def loss_at(x, step=0.1):\n"
        "    width = 2.0\n"
        "    return (x - step * width) ** 2 + random.random() * 0.001\n"
        "random.seed(11)\n"
        "lr = 0.3\n"
        "x = 4.0\n"
        "for epoch in range(20):\n"
        "    x -= lr * 2 * (x - 0.2)\n"
        "loss = loss_at(x, step=0.1)\n",
        "loss",
    ),
    "two seeds": lambda: Example(
        "import numpy as np\n"
        "first = np.random.RandomState(42).normal()\n"
        "second = np.random.RandomState(7).normal()\n"
        "score = first * 10 + second\n",
        "score",
    ),
    "unicode and layout": lambda: Example(
        "größe = measure(  # é\n    rate=0.5,\n    depth=(\n        3\n    ),\n)\nscore = größe\n",
        "score",
        {"measure": measure},
    ),
}
