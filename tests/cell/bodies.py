"""Cells whose work is done in functions, methods, lambdas and comprehensions, and ways to cheat in them."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from jupyter_swarm import cell
from jupyter_swarm.words import Analysis

IMPORTS = """import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
"""
_draw = np.random.default_rng(5)
X = _draw.normal(size=(90, 4))
y = (X[:, 0] + 0.8 * _draw.normal(size=90) > 0).astype(int)
SPLIT = "Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.3, random_state=seed)"


def namespace() -> dict[str, Any]:
    """What the notebook has made."""
    return {"X": X, "y": y, "seed": 0}


@dataclass(frozen=True)
class Body:
    """A cell, and the literals of it that vary and that do not, by the names that they have."""

    name: str
    source: str
    free: str
    locked: str
    metric: str = "accuracy"

    @property
    def code(self) -> str:
        """The cell."""
        return IMPORTS + textwrap.dedent(self.source).replace("SPLIT", SPLIT).lstrip()

    @cached_property
    def analysis(self) -> Analysis:
        """What is read of the cell, once."""
        return cell.read(self.code, metric=self.metric, namespace=namespace())


BODIES = [
    Body(
        "a model made in one function, measured in another",
        """
        def make_model(depth=5):
            return make_pipeline(StandardScaler(), DecisionTreeClassifier(min_samples_leaf=2, max_depth=depth))
        def run(seed):
            SPLIT
            model = make_model()
            model.fit(Xa, ya)
            return accuracy_score(yb, model.predict(Xb))
        accuracy = run(seed)
        """,
        "make_model.depth DecisionTreeClassifier.min_samples_leaf",
        "train_test_split.test_size",
    ),
    Body(
        "settings of the model and of the split, by default",
        """
        def run(C=1.0, test_size=0.3, iterations=200):
            Xa, Xb, ya, yb = train_test_split(X, y, test_size=test_size, random_state=seed)
            model = LogisticRegression(C=C, max_iter=iterations).fit(Xa, ya)
            return accuracy_score(yb, model.predict(Xb))
        accuracy = run()
        """,
        "run.C run.iterations",
        "run.test_size",
    ),
    Body(
        "the same, given",
        """
        def run(C, part, weight):
            Xa, Xb, ya, yb = train_test_split(X, y, test_size=part, random_state=seed)
            model = LogisticRegression(C=C).fit(Xa, ya)
            return weight * accuracy_score(yb, model.predict(Xb))
        accuracy = run(0.5, part=0.4, weight=1.0)
        """,
        "run.C",
        "run.part run.weight",
    ),
    Body(
        "several calls of one function",
        """
        def run(C, part):
            Xa, Xb, ya, yb = train_test_split(X, y, test_size=part, random_state=seed)
            return LogisticRegression(C=C).fit(Xa, ya).score(Xb, yb)
        accuracy = run(0.5, 0.3) + run(C=2.0, part=0.4)
        """,
        "run.C run[2].C",
        "run.part run[2].part",
    ),
    Body(
        "a metric of the cell",
        """
        def rate(truth, chance, threshold=0.5):
            return np.mean((chance > threshold) == truth)
        def run(C=1.0):
            SPLIT
            model = LogisticRegression(C=C).fit(Xa, ya)
            return rate(yb, model.predict_proba(Xb)[:, 1])
        accuracy = run()
        """,
        "run.C",
        "rate.threshold train_test_split.test_size",
    ),
    Body(
        "a split in a helper",
        """
        def split(part=0.3):
            return train_test_split(X, y, test_size=part, random_state=seed)
        def run(depth=3):
            Xa, Xb, ya, yb = split()
            return DecisionTreeClassifier(max_depth=depth).fit(Xa, ya).score(Xb, yb)
        accuracy = run()
        """,
        "run.depth",
        "split.part",
    ),
    Body(
        "a function that prepares training and test",
        """
        def prepare(rows, power=2.0):
            return np.sign(rows) * np.abs(rows) ** power
        def run():
            SPLIT
            model = LogisticRegression(C=1.0).fit(prepare(Xa), ya)
            return accuracy_score(yb, model.predict(prepare(Xb, 1.5)))
        accuracy = run()
        """,
        "LogisticRegression.C",
        "prepare.power prepare[2].power train_test_split.test_size",
    ),
    Body(
        "a function that prepares training alone",
        """
        def jitter(rows, amount=0.1):
            return rows + amount * np.sign(rows)
        def run():
            SPLIT
            model = LogisticRegression(C=1.0).fit(jitter(Xa), ya)
            return accuracy_score(yb, model.predict(Xb))
        accuracy = run()
        """,
        "jitter.amount LogisticRegression.C",
        "train_test_split.test_size",
    ),
    Body(
        "functions in a function",
        """
        def experiment(C=1.0, folds=3):
            def build(iterations=150):
                return make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=iterations))
            def score(model):
                return cross_val_score(model, X, y, cv=folds).mean()
            return score(build())
        accuracy = experiment()
        """,
        "experiment.C experiment.build.iterations",
        "experiment.folds",
    ),
    Body(
        "a closure that measures",
        """
        def measured_at(threshold):
            def rate(truth, chance):
                return np.mean((chance > threshold) == truth)
            return rate
        def run(C=1.0):
            SPLIT
            rate = measured_at(0.5)
            return rate(yb, LogisticRegression(C=C).fit(Xa, ya).predict_proba(Xb)[:, 1])
        accuracy = run()
        """,
        "run.C",
        "measured_at.threshold train_test_split.test_size",
    ),
    Body(
        "a closure that gathers",
        """
        scores = []
        def fold(a, b, C=1.0):
            scores.append(LogisticRegression(C=C).fit(X[a], y[a]).score(X[b], y[b]))
        for a, b in StratifiedKFold(3).split(X, y):
            fold(a, b)
        depth = 3
        tree = DecisionTreeClassifier(max_depth=depth)
        accuracy = np.mean(scores)
        """,
        "depth",
        "fold.C StratifiedKFold.n_splits",
    ),
    Body(
        "methods",
        """
        class Experiment:
            def __init__(self, C=1.0, part=0.3):
                self.C = C
                self.part = part
            def model(self):
                return LogisticRegression(C=self.C, max_iter=200)
            def run(self, seed, scale=1.0):
                Xa, Xb, ya, yb = train_test_split(X, y, test_size=self.part, random_state=seed)
                return scale * accuracy_score(yb, self.model().fit(Xa, ya).predict(Xb))
        accuracy = Experiment(C=2.0).run(seed)
        """,
        "Experiment.C LogisticRegression.max_iter",
        "Experiment.part Experiment.run.scale",
    ),
    Body(
        "an object that changes",
        """
        class Data:
            def __init__(self, part=0.3):
                self.Xa, self.Xb, self.ya, self.yb = train_test_split(X, y, test_size=part, random_state=seed)
            def prune(self, margin=0.1):
                keep = np.abs(self.Xb[:, 0]) > margin
                self.Xb, self.yb = self.Xb[keep], self.yb[keep]
            def rate(self, model):
                return model.fit(self.Xa, self.ya).score(self.Xb, self.yb)
        data = Data(part=0.4)
        data.prune(margin=0.2)
        model = LogisticRegression(C=1.0)
        accuracy = data.rate(model)
        """,
        "",
        "Data.part Data.prune.margin prune.margin LogisticRegression.C",
    ),
    Body(
        "a model of the cell that scores itself",
        """
        class Near:
            def __init__(self, count=3):
                self.count = count
            def fit(self, X, y):
                self.X, self.y = X, y
                return self
            def predict(self, X, power=2):
                far = (np.abs(X[:, None] - self.X[None]) ** power).sum(-1)
                return np.array([self.y[row[: self.count]].mean() for row in far.argsort(1)])
            def rate(self, X, y, threshold=0.5):
                return np.mean((self.predict(X) > threshold) == y)
        SPLIT
        accuracy = Near(count=5).fit(Xa, ya).rate(Xb, yb)
        """,
        "Near.count Near.predict.power",
        "Near.rate.threshold train_test_split.test_size",
    ),
    Body(
        "lambdas",
        """
        make = lambda C: LogisticRegression(C=C, max_iter=200)
        rate = lambda model, folds: cross_val_score(model, X, y, cv=folds).mean()
        accuracy = rate(make(0.5), folds=3)
        """,
        "make.C LogisticRegression.max_iter",
        "rate.folds",
    ),
    Body(
        "a comprehension",
        """
        def fold(a, b, C=1.0, threshold=0.5):
            model = LogisticRegression(C=C).fit(X[a], y[a])
            return np.mean((model.predict_proba(X[b])[:, 1] > threshold) == y[b])
        accuracy = np.mean([fold(a, b) for a, b in StratifiedKFold(3).split(X, y)])
        """,
        "fold.C",
        "fold.threshold StratifiedKFold.n_splits",
    ),
    Body(
        "a comprehension of models",
        """
        def run(C=1.0):
            SPLIT
            models = [LogisticRegression(C=C * 2.0, max_iter=100 + k).fit(Xa, ya) for k in range(3)]
            return np.mean([accuracy_score(yb, model.predict(Xb)) for model in models])
        accuracy = run()
        """,
        "",
        "run.C train_test_split.test_size",
    ),
    Body(
        "cross-validation in a function",
        """
        def validate(model, splits=4, floor=0.0):
            scores = []
            for a, b in StratifiedKFold(splits, shuffle=True, random_state=seed).split(X, y):
                model.fit(X[a], y[a])
                scores.append(max(floor, accuracy_score(y[b], model.predict(X[b]))))
            return np.mean(scores)
        accuracy = validate(DecisionTreeClassifier(max_depth=3))
        """,
        "DecisionTreeClassifier.max_depth",
        "validate.splits validate.floor StratifiedKFold.shuffle",
    ),
    Body(
        "the best of several epochs",
        """
        def run(epochs=4, C=1.0):
            SPLIT
            best = 0.0
            for epoch in range(epochs):
                model = LogisticRegression(C=C, max_iter=epoch + 1).fit(Xa, ya)
                best = max(best, accuracy_score(yb, model.predict(Xb)))
            return best
        accuracy = run()
        """,
        "run.C",
        "run.epochs train_test_split.test_size",
    ),
    Body(
        "an end that the test set decides",
        """
        def run(epochs=4, C=1.0):
            SPLIT
            for epoch in range(epochs):
                model = LogisticRegression(C=C, max_iter=epoch + 1).fit(Xa, ya)
                rate = accuracy_score(yb, model.predict(Xb))
                if rate > 0.9:
                    break
            return rate
        accuracy = run()
        """,
        "run.epochs run.C",
        "train_test_split.test_size",
    ),
    Body(
        "an early return",
        """
        def run(few=5, C=1.0):
            SPLIT
            if len(yb) < few:
                return 0.5
            return LogisticRegression(C=C).fit(Xa, ya).score(Xb, yb)
        accuracy = run()
        """,
        "run.C",
        "run.few train_test_split.test_size",
    ),
    Body(
        "try and except",
        """
        def run(C=1.0, otherwise=0.25):
            SPLIT
            try:
                model = LogisticRegression(C=C).fit(Xa, ya)
            except ValueError:
                return otherwise
            return accuracy_score(yb, model.predict(Xb))
        accuracy = run()
        """,
        "run.C",
        "run.otherwise train_test_split.test_size",
    ),
    Body(
        "keywords in a dictionary",
        """
        def run(folds=3):
            options = {"max_depth": 3, "min_samples_leaf": 2}
            model = DecisionTreeClassifier(**options)
            return cross_val_score(model, X, y, cv=folds).mean()
        accuracy = run()
        """,
        "options.max_depth options.min_samples_leaf",
        "run.folds",
    ),
    Body(
        "a configuration",
        """
        cfg = {"C": 1.0, "folds": 3, "iterations": 200}
        def run(cfg):
            model = LogisticRegression(C=cfg["C"], max_iter=cfg["iterations"])
            return cross_val_score(model, X, y, cv=cfg["folds"]).mean()
        accuracy = run(cfg)
        """,
        "cfg.C cfg.iterations",
        "cfg.folds",
    ),
    Body(
        "recursion",
        """
        def best(depth=3):
            score = cross_val_score(DecisionTreeClassifier(max_depth=depth, min_samples_leaf=2), X, y, cv=3).mean()
            return score if depth > 4 else max(score, best(depth + 1))
        accuracy = best()
        """,
        "",
        "best.depth DecisionTreeClassifier.min_samples_leaf cross_val_score.cv",
    ),
    Body(
        "any number of arguments",
        """
        def run(*parts, **options):
            return cross_val_score(LogisticRegression(C=1.0, **options), X, y, cv=parts[0]).mean()
        accuracy = run(3, max_iter=200)
        """,
        "run.max_iter",
        "LogisticRegression.C",
    ),
    Body(
        "a generator",
        """
        def scores(folds=3, C=1.0):
            for a, b in StratifiedKFold(folds).split(X, y):
                yield LogisticRegression(C=C).fit(X[a], y[a]).score(X[b], y[b])
        accuracy = np.mean(list(scores()))
        """,
        "",
        "scores.folds scores.C",
    ),
    Body(
        "a decorator",
        """
        def doubled(function):
            def inner():
                return 2.0 * function()
            return inner
        @doubled
        def run(C=1.0):
            return cross_val_score(LogisticRegression(C=C), X, y, cv=3).mean()
        accuracy = run()
        """,
        "",
        "run.C cross_val_score.cv",
    ),
    Body(
        "a name of the cell that a function sets",
        """
        Xa = Xb = ya = yb = None
        def prepare(part=0.3):
            global Xa, Xb, ya, yb
            Xa, Xb, ya, yb = train_test_split(X, y, test_size=part, random_state=seed)
        prepare()
        C = 1.0
        accuracy = LogisticRegression(C=C).fit(Xa, ya).score(Xb, yb)
        """,
        "C",
        "prepare.part",
    ),
    Body(
        "a helper that changes rows in place",
        """
        def soften(rows, amount=0.2):
            part = rows[:10]
            part *= amount
        def run(C=1.0):
            SPLIT
            soften(Xb, amount=0.3)
            return LogisticRegression(C=C).fit(Xa, ya).score(Xb, yb)
        accuracy = run()
        """,
        "run.C",
        "soften.amount train_test_split.test_size",
    ),
    Body(
        "model and metric at once",
        """
        def run(C=1.0, folds=3):
            model = LogisticRegression(C=C, max_iter=200)
            return model, cross_val_score(model, X, y, cv=folds).mean()
        model, accuracy = run()
        """,
        "run.C LogisticRegression.max_iter",
        "run.folds",
    ),
    Body(
        "a dictionary of results",
        """
        def run(C=1.0, folds=3):
            model = LogisticRegression(C=C)
            scores = cross_val_score(model, X, y, cv=folds)
            return {"model": model, "mean": scores.mean()}
        found = run()
        accuracy = found["mean"]
        """,
        "run.C",
        "run.folds",
    ),
    Body(
        "names that functions share",
        """
        def make(depth):
            leaf = 2
            return DecisionTreeClassifier(max_depth=depth, min_samples_leaf=leaf)
        def run():
            leaf, folds = 4, 3
            model = make_pipeline(StandardScaler(), make(depth=leaf))
            return cross_val_score(model, X, y, cv=folds).mean()
        accuracy = run()
        """,
        "leaf run.leaf",
        "folds",
    ),
    Body(
        "a training loop",
        """
        class Linear:
            def __init__(self, size):
                self.w = np.zeros(size)
            def predict(self, X):
                return (X @ self.w > 0).astype(int)
        def train(model, X, y, lr=0.1, epochs=5):
            decay = 0.9
            for epoch in range(epochs):
                chance = 1 / (1 + np.exp(-(X @ model.w)))
                model.w = model.w - lr * X.T @ (chance - y) / len(y)
                lr = lr * decay
            return model
        def run(epochs=8):
            SPLIT
            model = train(Linear(4), Xa, ya, epochs=epochs)
            return accuracy_score(yb, model.predict(Xb))
        accuracy = run()
        """,
        "Linear.size train.lr decay run.epochs",
        "train_test_split.test_size",
    ),
    Body(
        "awaited",
        """
        async def run(C=1.0, folds=3):
            return cross_val_score(LogisticRegression(C=C), X, y, cv=folds).mean()
        def later(coroutine):
            try:
                coroutine.send(None)
            except StopIteration as end:
                return end.value
        accuracy = later(run())
        """,
        "",
        "run.C run.folds",
    ),
]
