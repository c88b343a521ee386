"""Cells with one leak each, as people write them, and cells as near to them as can be that have none."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.model_selection import KFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC


@dataclass(frozen=True)
class Leaky:
    """A cell, the kind of its leak ("" for a clean one), and the lines that may be said."""

    name: str
    kind: str
    code: str
    metric: str
    data: Callable[[], dict[str, Any]] = field(default=dict)
    lines: tuple[int, ...] = ()

    def namespace(self) -> dict[str, Any]:
        """The notebook's variables, made anew."""
        return self.data()


PLANTED: list[Leaky] = []
CLEAN: list[Leaky] = []


def planted(
    kind: str, name: str, lines: tuple[int, ...], metric: str, data: Callable[[], dict[str, Any]], code: str
) -> None:
    """Add a cell with a leak."""
    PLANTED.append(Leaky(name, kind, textwrap.dedent(code).strip("\n"), metric, data, lines))


def clean(name: str, metric: str, data: Callable[[], dict[str, Any]], code: str) -> None:
    """Add a cell without one."""
    CLEAN.append(Leaky(name, "", textwrap.dedent(code).strip("\n"), metric, data))


# ---------------------------------------------------------------- what the notebooks hold


def arrays() -> dict[str, Any]:
    """Features and classes."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 6))
    y = (X[:, 0] + 0.5 * rng.normal(size=200) > 0).astype(int)
    return {"X": X, "y": y, "seed": 0}


def gaps() -> dict[str, Any]:
    """Features with holes."""
    found = arrays()
    found["X"][np.random.default_rng(2).random((200, 6)) < 0.1] = np.nan
    return found


def houses() -> dict[str, Any]:
    """A frame with numbers, a category and a price."""
    rng = np.random.default_rng(3)
    rooms = rng.integers(1, 9, 300)
    df = pd.DataFrame(
        {
            "area": rng.normal(90, 25, 300).round(1),
            "rooms": rooms,
            "city": rng.choice(["Ulm", "Bern", "Graz", "Linz"], 300),
            "age": np.where(rng.random(300) < 0.1, np.nan, rng.integers(0, 90, 300)),
        }
    )
    df["price"] = 2.0 * df.area + 11.0 * rooms + rng.normal(0, 20, 300)
    return {"df": df, "seed": 0}


def churn() -> dict[str, Any]:
    """A frame with classes."""
    rng = np.random.default_rng(4)
    df = pd.DataFrame(
        {"tenure": rng.exponential(20, 400), "spend": rng.normal(50, 9, 400), "calls": rng.poisson(3, 400)}
    )
    df["churned"] = ((df.calls > 3) & (rng.random(400) < 0.8)).astype(int)
    return {"df": df, "seed": 0}


def relabelled() -> dict[str, Any]:
    """Classes, and a code of the classes among the features."""
    found = churn()
    df = found["df"]
    df["status"] = df.churned.map({0: "active", 1: "closed"})
    df["status_code"] = 2 * df.churned - 1
    return {"X": df[["tenure", "spend", "calls", "status_code"]], "y": df.churned, "seed": 0}


def celsius() -> dict[str, Any]:
    """A target whose other unit is a feature."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(150, 4))
    y = 20 + 5 * X[:, 1] + rng.normal(size=150)
    X[:, 3] = 1.8 * y
    return {"X": X, "y": y, "seed": 0}


def repeated() -> dict[str, Any]:
    """Rows of which a fifth were entered twice."""
    found = arrays()
    again = np.random.default_rng(6).choice(200, 40, replace=False)
    return {
        "X": np.vstack([found["X"], found["X"][again]]),
        "y": np.concatenate([found["y"], found["y"][again]]),
        "seed": 0,
    }


def repeated_frame() -> dict[str, Any]:
    """A frame with copies of rows."""
    df = churn()["df"]
    return {"df": pd.concat([df, df.sample(60, random_state=0)], ignore_index=True), "seed": 0}


def answers() -> dict[str, Any]:
    """A questionnaire: few answers, so that people answer alike."""
    rng = np.random.default_rng(7)
    X = pd.DataFrame(rng.integers(0, 3, (500, 4)), columns=["q1", "q2", "q3", "q4"])
    return {"X": X, "y": rng.integers(0, 2, 500), "seed": 0}


def hot() -> dict[str, Any]:
    """Categories, one-hot."""
    rng = np.random.default_rng(8)
    X = np.hstack(
        [np.eye(4)[rng.integers(0, 4, 400)], np.eye(3)[rng.integers(0, 3, 400)], rng.integers(20, 70, (400, 1))]
    )
    return {"X": X, "y": rng.integers(0, 2, 400), "seed": 0}


def patients() -> dict[str, Any]:
    """Several rows of each patient, mixed."""
    rng = np.random.default_rng(9)
    ids = rng.permutation(np.repeat(np.arange(60), 5))
    df = pd.DataFrame({"patient_id": ids, "pulse": rng.normal(70, 9, 300), "pressure": rng.normal(120, 15, 300)})
    df["ill"] = (ids % 3 == 0).astype(int)
    return {"df": df, "seed": 0}


def subjects() -> dict[str, Any]:
    """Arrays beside the subjects whose they are."""
    rng = np.random.default_rng(10)
    found = arrays()
    return {**found, "subject": rng.permutation(np.repeat(np.arange(20), 10))}


def ratings() -> dict[str, Any]:
    """What users say of films: pairs, which neither side groups."""
    rng = np.random.default_rng(11)
    df = pd.DataFrame({"user_id": rng.integers(0, 40, 600), "movie_id": rng.integers(0, 50, 600)})
    df["stars"] = rng.integers(1, 6, 600) + rng.normal(0, 0.1, 600)
    return {"df": df, "seed": 0}


def one_each() -> dict[str, Any]:
    """One row of each patient."""
    df = patients()["df"]
    df["patient_id"] = np.arange(300)
    return {"df": df, "seed": 0}


def days() -> dict[str, Any]:
    """A frame by days."""
    rng = np.random.default_rng(12)
    index = pd.date_range("2021-01-01", periods=300, freq="D")
    df = pd.DataFrame({"load": 100 + rng.normal(size=300).cumsum(), "temp": rng.normal(12, 5, 300)}, index=index)
    df["lag"] = df.load.shift(1).bfill()
    return {"df": df, "X": df[["temp", "lag"]], "y": df.load, "seed": 0}


def logged() -> dict[str, Any]:
    """A frame with a column of dates, in order."""
    df = days()["df"].reset_index(names="date")
    df["date"] = df.date.dt.strftime("%Y-%m-%d")
    return {"df": df, "seed": 0}


def born() -> dict[str, Any]:
    """A frame with a date that orders nothing."""
    df = churn()["df"]
    rng = np.random.default_rng(13)
    df["date_of_birth"] = pd.Timestamp("1950-01-01") + pd.to_timedelta(rng.integers(0, 15000, 400), unit="D")
    df["age"] = 2020 - df.date_of_birth.dt.year
    return {"df": df, "seed": 0}


def parted() -> dict[str, Any]:
    """Rows that were split in an earlier cell."""
    found = arrays()
    X, y = found["X"], found["y"]
    return {
        "X_train": X[:100], "X_val": X[100:150], "X_test": X[150:],
        "y_train": y[:100], "y_val": y[100:150], "y_test": y[150:], "seed": 0,
    }  # fmt: skip


def rare() -> dict[str, Any]:
    """A class that is rare, and something that makes more of it."""
    found = arrays()
    found["y"] = (found["X"][:, 0] > 1.2).astype(int)
    return {**found, "Oversampler": Oversampler}


class Oversampler:
    """Draws rows of the rare class again, with a little noise."""

    def __init__(self, random_state: int | None = None) -> None:
        self.random_state = random_state

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        rng = np.random.default_rng(self.random_state)
        few = np.flatnonzero(y == 1)
        drawn = rng.choice(few, len(y) - 2 * len(few))
        return np.vstack([X, X[drawn] + rng.normal(0, 0.01, (len(drawn), X.shape[1]))]), np.concatenate([y, y[drawn]])


def texts() -> dict[str, Any]:
    """Short texts with classes."""
    rng = np.random.default_rng(14)
    words = np.array(["red", "blue", "fast", "slow", "old", "new", "big", "small"])
    docs = [" ".join(rng.choice(words, 6)) for _ in range(120)]
    return {"docs": docs, "labels": np.array(["red" in doc for doc in docs]).astype(int), "seed": 0}


def table() -> dict[str, Any]:
    """An array whose last column is the target."""
    return {"table": churn()["df"].to_numpy(), "seed": 0}


def sales() -> dict[str, Any]:
    """A frame by days, as it was read."""
    rng = np.random.default_rng(15)
    date = pd.date_range("2022-03-01", periods=200, freq="D").strftime("%Y-%m-%d")
    raw = pd.DataFrame({"date": date, "units": rng.poisson(40, 200), "price": rng.normal(9, 1, 200)})
    return {"raw": raw, "seed": 0}


def line() -> dict[str, Any]:
    """One feature, of which the target is made without noise."""
    x = np.arange(100.0)
    return {"X": x[:, None], "y": 3 * x + 1, "seed": 0}


def users() -> dict[str, Any]:
    """Several rows of each user."""
    return {"df": patients()["df"].rename(columns={"patient_id": "user_id"}), "seed": 0}


def grouped() -> dict[str, Any]:
    """Arrays beside the groups of their rows."""
    return {**arrays(), "groups": np.random.default_rng(0).integers(0, 30, 200)}


def busy() -> dict[str, Any]:
    """Days with classes."""
    found = days()
    return {"X": found["X"], "y": (found["y"] > 100).astype(int), "seed": 0}


def images() -> dict[str, Any]:
    """Pictures of one byte a pixel."""
    return {"images": np.random.default_rng(0).integers(0, 255, (100, 8, 8)), "labels": np.arange(100) % 2, "seed": 0}


def euros() -> dict[str, Any]:
    """Houses with their price in another currency."""
    df = houses()["df"]
    return {"df": df.assign(price_eur=0.92 * df.price), "seed": 0}


def years() -> dict[str, Any]:
    """Houses by the year in which they were sold."""
    return {"df": houses()["df"].assign(year=np.repeat(np.arange(2010, 2020), 30)), "seed": 0}


def _bundled(name: str) -> dict[str, Any]:
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return {"X": X, "y": y, "seed": 0}


def iris() -> dict[str, Any]:
    """Flowers: one was measured twice."""
    return _bundled("iris")


def wine() -> dict[str, Any]:
    """Wines."""
    return _bundled("wine")


def cancer() -> dict[str, Any]:
    """Tumours."""
    return _bundled("breast_cancer")


def diabetes() -> dict[str, Any]:
    """Patients, one row each."""
    return _bundled("diabetes")


def digits() -> dict[str, Any]:
    """Pictures of digits."""
    return _bundled("digits")


def tools() -> dict[str, Any]:
    """Arrays, and what earlier cells have imported and made."""
    return {
        **arrays(), "np": np, "pd": pd, "StandardScaler": StandardScaler, "SVC": SVC, "make_pipeline": make_pipeline,
        "cross_val_score": cross_val_score, "train_test_split": train_test_split, "scaler": StandardScaler(),
        "clf": SVC(), "pipe": make_pipeline(StandardScaler(), SVC()), "cv": KFold(5, shuffle=True, random_state=0),
    }  # fmt: skip


def churn_and_tools() -> dict[str, Any]:
    """A frame with classes, and what earlier cells have imported."""
    return {**tools(), **churn()}


def gaps_and_tools() -> dict[str, Any]:
    """Features with holes, and what earlier cells have imported."""
    return {**tools(), **gaps()}


def houses_and_tools() -> dict[str, Any]:
    """A frame of houses, and what earlier cells have imported."""
    return {**tools(), **houses()}


def logged_and_tools() -> dict[str, Any]:
    """A frame by days, and what earlier cells have imported."""
    return {**tools(), **logged()}


def repeated_and_tools() -> dict[str, Any]:
    """Rows of which some are copies, and what earlier cells have imported."""
    return {**tools(), **repeated()}


def speakers() -> dict[str, Any]:
    """Ten rows of each speaker, mixed."""
    return {**tools(), "speakers": np.random.default_rng(3).permutation(np.repeat(np.arange(20), 10))}


# Cells are kept as they are typed.
# fmt: off
# ruff: noqa: E501

# ---------------------------------------------------------------- fitted on all rows

planted("fitted", "scaled, then cross-validated", (4,), "score", arrays, """
    from sklearn.model_selection import cross_val_score
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    Z = StandardScaler().fit_transform(X)
    score = cross_val_score(SVC(), Z, y, cv=5).mean()
""")
clean("scaled in a pipeline", "score", arrays, """
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    score = cross_val_score(make_pipeline(StandardScaler(), SVC()), X, y, cv=5).mean()
""")
clean("normalised row by row", "score", arrays, """
    from sklearn.model_selection import cross_val_score
    from sklearn.preprocessing import Normalizer
    from sklearn.svm import SVC
    Z = Normalizer().fit_transform(X)
    score = cross_val_score(SVC(), Z, y, cv=5).mean()
""")
planted("fitted", "in two steps over one name", (6, 7), "accuracy", arrays, """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import MinMaxScaler
    sc = MinMaxScaler()
    sc.fit(X)
    X = sc.transform(X)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=seed)
    clf = LogisticRegression().fit(X_train, y_train)
    accuracy = accuracy_score(y_test, clf.predict(X_test))
""")
clean("in two steps on the training rows", "accuracy", arrays, """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import MinMaxScaler
    sc = MinMaxScaler()
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=seed)
    sc.fit(X_train)
    X_train = sc.transform(X_train)
    X_test = sc.transform(X_test)
    clf = LogisticRegression().fit(X_train, y_train)
    accuracy = accuracy_score(y_test, clf.predict(X_test))
""")
planted("fitted", "fitted on all, applied after the split", (5,), "accuracy", arrays, """
    from sklearn.decomposition import PCA
    from sklearn.model_selection import train_test_split
    from sklearn.neighbors import KNeighborsClassifier
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, random_state=seed)
    pca = PCA(n_components=3).fit(X)
    knn = KNeighborsClassifier(5)
    knn.fit(pca.transform(X_tr), y_tr)
    accuracy = knn.score(pca.transform(X_te), y_te)
""")
clean("components for a picture alone", "accuracy", arrays, """
    from sklearn.decomposition import PCA
    from sklearn.model_selection import train_test_split
    from sklearn.neighbors import KNeighborsClassifier
    picture = PCA(n_components=2).fit_transform(X)
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, random_state=seed)
    knn = KNeighborsClassifier(5)
    knn.fit(X_tr, y_tr)
    print(picture[:3])
    accuracy = knn.score(X_te, y_te)
""")
planted("fitted", "imputed before folds by hand", (5,), "score", gaps, """
    import numpy as np
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import KFold
    X_full = SimpleImputer(strategy="median").fit_transform(X)
    scores = []
    for train, test in KFold(5).split(X_full):
        model = LogisticRegression().fit(X_full[train], y[train])
        scores.append(model.score(X_full[test], y[test]))
    score = np.mean(scores)
""")
clean("imputed within folds by hand", "score", gaps, """
    import numpy as np
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import KFold
    imputer = SimpleImputer(strategy="median")
    scores = []
    for train, test in KFold(5).split(X):
        model = LogisticRegression().fit(imputer.fit_transform(X[train]), y[train])
        scores.append(model.score(imputer.transform(X[test]), y[test]))
    score = np.mean(scores)
""")
planted("fitted", "selected before cross-validation", (4,), "auc", arrays, """
    from sklearn.feature_selection import SelectKBest, f_classif
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_validate
    best = SelectKBest(f_classif, k=3).fit_transform(X, y)
    found = cross_validate(LogisticRegression(), best, y, cv=5, scoring="roc_auc")
    auc = found["test_score"].mean()
""")
clean("selected in a pipeline", "auc", arrays, """
    from sklearn.feature_selection import SelectKBest, f_classif
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_validate
    from sklearn.pipeline import Pipeline
    steps = Pipeline([("best", SelectKBest(f_classif, k=3)), ("model", LogisticRegression())])
    found = cross_validate(steps, X, y, cv=5, scoring="roc_auc")
    auc = found["test_score"].mean()
""")
planted("fitted", "oversampled before the split", (4,), "f1", rare, """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import f1_score
    from sklearn.model_selection import train_test_split
    X_res, y_res = Oversampler(random_state=1).fit_resample(X, y)
    X_train, X_test, y_train, y_test = train_test_split(X_res, y_res, test_size=0.25, random_state=seed)
    forest = RandomForestClassifier(30, random_state=seed).fit(X_train, y_train)
    f1 = f1_score(y_test, forest.predict(X_test))
""")
clean("oversampled after the split", "f1", rare, """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import f1_score
    from sklearn.model_selection import train_test_split
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=seed)
    X_train, y_train = Oversampler(random_state=1).fit_resample(X_train, y_train)
    forest = RandomForestClassifier(30, random_state=seed).fit(X_train, y_train)
    f1 = f1_score(y_test, forest.predict(X_test))
""")
planted("fitted", "a column standardised by hand", (4,), "error", houses, """
    from sklearn.linear_model import Ridge
    from sklearn.metrics import mean_squared_error
    from sklearn.model_selection import train_test_split
    df["area"] = (df["area"] - df["area"].mean()) / df["area"].std()
    X_train, X_test, y_train, y_test = train_test_split(df[["area", "rooms"]], df["price"], random_state=seed)
    error = mean_squared_error(y_test, Ridge().fit(X_train, y_train).predict(X_test))
""")
clean("another column standardised by hand", "error", houses, """
    from sklearn.linear_model import Ridge
    from sklearn.metrics import mean_squared_error
    from sklearn.model_selection import train_test_split
    df["z"] = (df["age"] - df["age"].mean()) / df["age"].std()
    X_train, X_test, y_train, y_test = train_test_split(df[["area", "rooms"]], df["price"], random_state=seed)
    error = mean_squared_error(y_test, Ridge().fit(X_train, y_train).predict(X_test))
""")
planted("fitted", "centred in place, cut by position", (4,), "error", arrays, """
    import numpy as np
    n = 150
    X = X.copy()
    X -= X.mean(0)
    w, *_ = np.linalg.lstsq(X[:n], y[:n], rcond=None)
    error = ((X[n:] @ w - y[n:]) ** 2).mean()
""")
clean("centred by the training rows, cut by position", "error", arrays, """
    import numpy as np
    n = 150
    X = X - X[:n].mean(0)
    w, *_ = np.linalg.lstsq(X[:n], y[:n], rcond=None)
    error = ((X[n:] @ w - y[n:]) ** 2).mean()
""")
clean("each row centred", "error", arrays, """
    import numpy as np
    n = 150
    X = X - X.mean(axis=1, keepdims=True)
    w, *_ = np.linalg.lstsq(X[:n], y[:n], rcond=None)
    error = ((X[n:] @ w - y[n:]) ** 2).mean()
""")
planted("fitted", "moments in names, before a permutation", (2, 3, 4), "accuracy", arrays, """
    import numpy as np
    mu = np.mean(X, axis=0)
    sd = np.std(X, axis=0)
    Xs = (X - mu) / sd
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(X))
    train, test = order[:140], order[140:]
    centre = [Xs[train][y[train] == c].mean(0) for c in (0, 1)]
    guess = np.argmin([((Xs[test] - c) ** 2).sum(1) for c in centre], axis=0)
    accuracy = (guess == y[test]).mean()
""")
clean("moments of the permuted training rows", "accuracy", arrays, """
    import numpy as np
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(X))
    train, test = order[:140], order[140:]
    mu = np.mean(X[train], axis=0)
    sd = np.std(X[train], axis=0)
    Xs = (X - mu) / sd
    centre = [Xs[train][y[train] == c].mean(0) for c in (0, 1)]
    guess = np.argmin([((Xs[test] - c) ** 2).sum(1) for c in centre], axis=0)
    accuracy = (guess == y[test]).mean()
""")
planted("fitted", "gaps filled by the mean of all", (4,), "r2", houses, """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.metrics import r2_score
    from sklearn.model_selection import train_test_split
    df["age"] = df["age"].fillna(df["age"].mean())
    X, y = df.drop(columns=["price", "city"]), df["price"]
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    model = RandomForestRegressor(20, random_state=seed).fit(X_train, y_train)
    r2 = r2_score(y_test, model.predict(X_test))
""")
clean("gaps filled by a number", "r2", houses, """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.metrics import r2_score
    from sklearn.model_selection import train_test_split
    df["age"] = df["age"].fillna(-1)
    X, y = df.drop(columns=["price", "city"]), df["price"]
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    model = RandomForestRegressor(20, random_state=seed).fit(X_train, y_train)
    r2 = r2_score(y_test, model.predict(X_test))
""")
planted("fitted", "a target encoding by hand", (3,), "error", houses, """
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import train_test_split
    df["city_price"] = df["city"].map(df.groupby("city")["price"].mean())
    X, y = df[["area", "rooms", "city_price"]], df["price"]
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.2, random_state=seed)
    model = LinearRegression().fit(X_tr, y_tr)
    error = abs(model.predict(X_te) - y_te).mean()
""")
clean("a mean of groups that is not of the target", "error", houses, """
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import train_test_split
    df["city_area"] = df["city"].map(df.groupby("city")["area"].mean())
    X, y = df[["area", "rooms", "city_area"]], df["price"]
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.2, random_state=seed)
    model = LinearRegression().fit(X_tr, y_tr)
    error = abs(model.predict(X_te) - y_te).mean()
""")
planted("fitted", "texts weighed before folds", (5,), "score", texts, """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    folds = StratifiedKFold(4, shuffle=True, random_state=seed)
    D = TfidfVectorizer().fit_transform(docs)
    score = cross_val_score(LogisticRegression(), D, labels, cv=folds).mean()
""")
clean("words counted before folds", "score", texts, """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    folds = StratifiedKFold(4, shuffle=True, random_state=seed)
    D = CountVectorizer().fit_transform(docs)
    score = cross_val_score(LogisticRegression(), D, labels, cv=folds).mean()
""")
planted("fitted", "in a function of the cell", (7,), "score", arrays, """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.preprocessing import RobustScaler

    def prepare(A):
        scaler = RobustScaler()
        return scaler.fit_transform(A)

    score = cross_val_score(LogisticRegression(), prepare(X), y, cv=5).mean()
""")
clean("in a function of the cell, for the training rows", "score", arrays, """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import RobustScaler

    def prepare(A, B):
        scaler = RobustScaler().fit(A)
        return scaler.transform(A), scaler.transform(B)

    A, B, a, b = train_test_split(X, y, random_state=seed)
    A, B = prepare(A, B)
    score = LogisticRegression().fit(A, a).score(B, b)
""")
planted("fitted", "the model has seen the test rows", (4,), "accuracy", arrays, """
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeClassifier
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    model = DecisionTreeClassifier(random_state=seed).fit(X, y)
    accuracy = model.score(X_test, y_test)
""")
clean("the model is fitted again", "accuracy", arrays, """
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeClassifier
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    model = DecisionTreeClassifier(random_state=seed)
    model.fit(X_train, y_train)
    accuracy = model.score(X_test, y_test)
    final = DecisionTreeClassifier(random_state=seed).fit(X, y)
""")
planted("fitted", "columns chosen by correlation with the target", (3, 4, 5), "error", houses, """
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import cross_val_score
    relation = df.corr(numeric_only=True)["price"].drop("price").abs()
    chosen = relation.nlargest(2).index
    X = df[chosen].fillna(0)
    error = -cross_val_score(LinearRegression(), X, df["price"], cv=5, scoring="neg_mean_absolute_error").mean()
""")
clean("correlations are only shown", "error", houses, """
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import cross_val_score
    relation = df.corr(numeric_only=True)["price"].drop("price").abs()
    print(relation)
    X = df[["area", "rooms"]].fillna(0)
    error = -cross_val_score(LinearRegression(), X, df["price"], cv=5, scoring="neg_mean_absolute_error").mean()
""")
planted("fitted", "fitted on what an earlier cell has split", (4,), "accuracy", parted, """
    import numpy as np
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    sc = StandardScaler().fit(np.vstack([X_train, X_test]))
    clf = SVC().fit(sc.transform(X_train), y_train)
    accuracy = clf.score(sc.transform(X_test), y_test)
""")
clean("fitted on the earlier cell's training rows", "accuracy", parted, """
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    sc = StandardScaler().fit(X_train)
    clf = SVC().fit(sc.transform(X_train), y_train)
    accuracy = clf.score(sc.transform(X_test), y_test)
""")
clean("only searched on scaled training rows", "accuracy", parted, """
    from sklearn.model_selection import GridSearchCV
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    sc = StandardScaler()
    Z = sc.fit_transform(X_train)
    search = GridSearchCV(SVC(), {"C": [0.1, 1, 10]}, cv=3).fit(Z, y_train)
    accuracy = search.score(sc.transform(X_test), y_test)
""")
clean("classes are numbered", "score", churn, """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.preprocessing import LabelEncoder
    y = LabelEncoder().fit_transform(df["churned"])
    X = df.drop("churned", axis=1)
    score = cross_val_score(LogisticRegression(max_iter=500), X, y, cv=5).mean()
""")
clean("residuals and their mean", "r2", arrays, """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import train_test_split
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    p = Ridge().fit(X_train, y_train).predict(X_test)
    r2 = 1 - ((y_test - p) ** 2).sum() / ((y_test - y_test.mean()) ** 2).sum()
""")
clean("pixels over their largest value", "score", arrays, """
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    D, t = load_digits(return_X_y=True)
    D = D / 16.0
    A, B, a, b = train_test_split(D, t, random_state=seed)
    score = LogisticRegression(max_iter=200).fit(A, a).score(B, b)
""")
planted("fitted", "ColumnTransformer on frame", (6,), "score", houses, """
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import StandardScaler, OneHotEncoder
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import cross_val_score
    pre = ColumnTransformer([("num", StandardScaler(), ["area", "rooms"]), ("cat", OneHotEncoder(), ["city"])])
    Z = pre.fit_transform(df)
    score = cross_val_score(Ridge(), Z, df["price"], cv=5).mean()
""")
clean("ColumnTransformer in pipeline", "score", houses, """
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import StandardScaler, OneHotEncoder
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    pre = ColumnTransformer([("num", StandardScaler(), ["area", "rooms"]), ("cat", OneHotEncoder(), ["city"])])
    score = cross_val_score(make_pipeline(pre, Ridge()), df.drop(columns=["price"]), df["price"], cv=5).mean()
""")
clean("one hot only", "score", houses, """
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OneHotEncoder
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import cross_val_score
    Z = make_column_transformer((OneHotEncoder(), ["city"]), remainder="drop").fit_transform(df)
    score = cross_val_score(Ridge(), Z, df["price"], cv=5).mean()
""")
planted("fitted", "zscore scipy", (4,), "rmse", houses, """
    import numpy as np
    from scipy.stats import zscore
    from sklearn.linear_model import Ridge
    X = zscore(df[["area", "rooms"]].to_numpy(float))
    y = df["price"].to_numpy()
    rng = np.random.default_rng(seed)
    perm = rng.permutation(len(X)); cut = int(0.8 * len(X))
    tr, te = perm[:cut], perm[cut:]
    model = Ridge().fit(X[tr], y[tr])
    rmse = np.sqrt(np.mean((model.predict(X[te]) - y[te]) ** 2))
""")
planted("fitted", "scaled then grid search best_score_", (5, 6), "best", arrays, """
    from sklearn.preprocessing import scale
    from sklearn.model_selection import GridSearchCV
    from sklearn.svm import SVC
    grid = {"C": [1, 10]}
    Xs = scale(X)
    gs = GridSearchCV(SVC(), grid, cv=5)
    gs.fit(Xs, y)
    best = gs.best_score_
""")
planted("fitted", "torch tensors standardised", (5,), "acc", arrays, """
    import torch
    from torch.utils.data import TensorDataset, random_split, DataLoader
    torch.manual_seed(seed)
    T = torch.tensor(X, dtype=torch.float32)
    T = (T - T.mean(0)) / T.std(0)
    ds = TensorDataset(T, torch.tensor(y))
    train_ds, test_ds = random_split(ds, [150, 50])
    net = torch.nn.Linear(6, 2)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    for epoch in range(3):
        for xb, yb in DataLoader(train_ds, batch_size=16, shuffle=True):
            loss = torch.nn.functional.cross_entropy(net(xb), yb)
            opt.zero_grad(); loss.backward(); opt.step()
    correct = 0
    for xb, yb in DataLoader(test_ds, batch_size=16):
        correct += (net(xb).argmax(1) == yb).sum().item()
    acc = correct / len(test_ds)
""")
clean("torch tensors with train stats", "acc", arrays, """
    import torch
    from torch.utils.data import TensorDataset, random_split, DataLoader
    torch.manual_seed(seed)
    T = torch.tensor(X, dtype=torch.float32)
    ds = TensorDataset(T, torch.tensor(y))
    train_ds, test_ds = random_split(ds, [150, 50])
    mu = T[train_ds.indices].mean(0); sd = T[train_ds.indices].std(0)
    net = torch.nn.Linear(6, 2)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    for epoch in range(3):
        for xb, yb in DataLoader(train_ds, batch_size=16, shuffle=True):
            loss = torch.nn.functional.cross_entropy(net((xb - mu) / sd), yb)
            opt.zero_grad(); loss.backward(); opt.step()
    correct = 0
    for xb, yb in DataLoader(test_ds, batch_size=16):
        correct += (net((xb - mu) / sd).argmax(1) == yb).sum().item()
    acc = correct / len(test_ds)
""")
planted("fitted", "fillna inplace, loc", (4,), "r2", houses, """
    from sklearn.model_selection import train_test_split
    from sklearn.linear_model import LinearRegression
    df = df.copy()
    df.fillna(df.median(numeric_only=True), inplace=True)
    X = df.loc[:, ["area", "rooms", "age"]]
    y = df.loc[:, "price"]
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    r2 = LinearRegression().fit(X_train, y_train).score(X_test, y_test)
""")
planted("fitted", "groupby transform target", (4,), "mae", houses, """
    from sklearn.model_selection import KFold
    from sklearn.ensemble import RandomForestRegressor
    import numpy as np
    df["city_mean"] = df.groupby("city")["price"].transform("mean")
    feats = ["area", "rooms", "city_mean"]
    out = []
    for tr, te in KFold(4, shuffle=True, random_state=seed).split(df):
        m = RandomForestRegressor(10, random_state=seed).fit(df.iloc[tr][feats], df["price"].iloc[tr])
        out.append(np.abs(m.predict(df.iloc[te][feats]) - df["price"].iloc[te]).mean())
    mae = np.mean(out)
""")
clean("groupby transform target in fold", "mae", houses, """
    from sklearn.model_selection import KFold
    from sklearn.ensemble import RandomForestRegressor
    import numpy as np
    out = []
    for tr, te in KFold(4, shuffle=True, random_state=seed).split(df):
        train, test = df.iloc[tr].copy(), df.iloc[te].copy()
        means = train.groupby("city")["price"].mean()
        train["city_mean"] = train["city"].map(means)
        test["city_mean"] = test["city"].map(means)
        feats = ["area", "rooms", "city_mean"]
        m = RandomForestRegressor(10, random_state=seed).fit(train[feats], train["price"])
        out.append(np.abs(m.predict(test[feats]) - test["price"]).mean())
    mae = np.mean(out)
""")
planted("fitted", "pipeline preproc fitted whole, sample/drop split", (5,), "acc", churn, """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PowerTransformer
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    prep = make_pipeline(PowerTransformer(), PCA(2)).fit(df[["tenure", "spend", "calls"]])
    train = df.sample(frac=0.7, random_state=seed)
    test = df.drop(train.index)
    cols = ["tenure", "spend", "calls"]
    clf = LogisticRegression().fit(prep.transform(train[cols]), train["churned"])
    acc = clf.score(prep.transform(test[cols]), test["churned"])
""")
clean("sample/drop split fitted on train", "acc", churn, """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PowerTransformer
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    train = df.sample(frac=0.7, random_state=seed)
    test = df.drop(train.index)
    cols = ["tenure", "spend", "calls"]
    prep = make_pipeline(PowerTransformer(), PCA(2)).fit(train[cols])
    clf = LogisticRegression().fit(prep.transform(train[cols]), train["churned"])
    acc = clf.score(prep.transform(test[cols]), test["churned"])
""")
planted("fitted", "run function with seed", (9,), "score", arrays, """
    import numpy as np
    from sklearn.feature_selection import VarianceThreshold, SelectKBest
    from sklearn.model_selection import train_test_split
    from sklearn.naive_bayes import GaussianNB

    def run(seed, k=3):
        '''one run'''
        selector = SelectKBest(k=k)
        Xk = selector.fit_transform(X, y)
        a, b, c, d = train_test_split(Xk, y, test_size=.3, random_state=seed)
        return GaussianNB().fit(a, c).score(b, d)

    score = np.mean([run(s) for s in range(5)])
""")
clean("run function with seed, done right", "score", arrays, """
    import numpy as np
    from sklearn.feature_selection import SelectKBest
    from sklearn.model_selection import train_test_split
    from sklearn.naive_bayes import GaussianNB

    def run(seed, k=3):
        a, b, c, d = train_test_split(X, y, test_size=.3, random_state=seed)
        selector = SelectKBest(k=k).fit(a, c)
        return GaussianNB().fit(selector.transform(a), c).score(selector.transform(b), d)

    score = np.mean([run(s) for s in range(5)])
""")
planted("fitted", "own scaler class", (12,), "score", arrays, """
    from sklearn.model_selection import cross_val_score
    from sklearn.linear_model import LogisticRegression

    class Scaler:
        def fit(self, X):
            self.m, self.s = X.mean(0), X.std(0)
            return self
        def transform(self, X):
            return (X - self.m) / self.s

    sc = Scaler()
    sc.fit(X)
    score = cross_val_score(LogisticRegression(), sc.transform(X), y, cv=5).mean()
""")
clean("own stateless class", "score", arrays, """
    from sklearn.model_selection import cross_val_score
    from sklearn.linear_model import LogisticRegression
    import numpy as np

    class Squash:
        def fit(self, X):
            return self
        def transform(self, X):
            return np.tanh(X)

    sc = Squash()
    sc.fit(X)
    score = cross_val_score(LogisticRegression(), sc.transform(X), y, cv=5).mean()
""")
clean("walk forward", "err", days, """
    from sklearn.preprocessing import StandardScaler
    from sklearn.linear_model import Ridge
    import numpy as np
    vals = df[["load", "temp"]].to_numpy()
    split = int(len(vals) * 0.7)
    train, test = vals[:split], vals[split:]
    scaler = StandardScaler().fit(train)
    train, test = scaler.transform(train), scaler.transform(test)
    def windows(a, k=5):
        xs, ys = [], []
        for i in range(len(a) - k):
            xs.append(a[i:i + k].ravel()); ys.append(a[i + k, 0])
        return np.array(xs), np.array(ys)
    Xa, ya = windows(train)
    Xb, yb = windows(test)
    err = np.abs(Ridge().fit(Xa, ya).predict(Xb) - yb).mean()
""")
planted("fitted", "windows scaled before the cut", (5,), "err", days, """
    from sklearn.preprocessing import MinMaxScaler
    from sklearn.linear_model import Ridge
    import numpy as np
    scaler = MinMaxScaler()
    data = scaler.fit_transform(df[["load", "temp"]].values)
    n_train = int(len(data) * 0.7)
    def windows(a, k=5):
        xs, ys = [], []
        for i in range(len(a) - k):
            xs.append(a[i:i + k].ravel()); ys.append(a[i + k, 0])
        return np.array(xs), np.array(ys)
    Xs, ys = windows(data)
    model = Ridge().fit(Xs[:n_train], ys[:n_train])
    err = np.abs(model.predict(Xs[n_train:]) - ys[n_train:]).mean()
""")
clean("bootstrap interval of test score", "lower", arrays, """
    import numpy as np
    from sklearn.model_selection import train_test_split
    from sklearn.linear_model import LogisticRegression
    a, b, c, d = train_test_split(X, y, random_state=seed)
    p = LogisticRegression().fit(a, c).predict(b)
    rng = np.random.default_rng(seed)
    boots = []
    for _ in range(200):
        idx = rng.choice(len(d), len(d), replace=True)
        boots.append((p[idx] == d[idx]).mean())
    lower = np.percentile(boots, 2.5)
""")
clean("stacking with cross_val_predict", "acc", arrays, """
    import numpy as np
    from sklearn.model_selection import train_test_split, cross_val_predict
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, random_state=seed)
    base = [SVC(probability=True), DecisionTreeClassifier(max_depth=3)]
    Z = np.column_stack([cross_val_predict(m, X_tr, y_tr, cv=3, method="predict_proba")[:, 1] for m in base])
    meta = LogisticRegression().fit(Z, y_tr)
    Zt = np.column_stack([m.fit(X_tr, y_tr).predict_proba(X_te)[:, 1] for m in base])
    acc = meta.score(Zt, y_te)
""")
clean("target encoder in pipeline", "r2", houses, """
    from sklearn.preprocessing import TargetEncoder
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import cross_val_score, KFold
    prep = make_column_transformer((TargetEncoder(random_state=0), ["city"]), ("passthrough", ["area", "rooms"]))
    r2 = cross_val_score(make_pipeline(prep, Ridge()), df, df["price"], cv=KFold(5, shuffle=True, random_state=seed)).mean()
""")
planted("fitted", "target encoder before", (3, 4), "r2", houses, """
    from sklearn.preprocessing import TargetEncoder
    from sklearn.linear_model import Ridge
    te = TargetEncoder(random_state=0)
    df["city_te"] = te.fit_transform(df[["city"]], df["price"]).ravel()
    from sklearn.model_selection import cross_val_score
    r2 = cross_val_score(Ridge(), df[["city_te", "area"]], df["price"], cv=5).mean()
""")
clean("torch train/val/test functions", "test_acc", arrays, """
    import torch, copy
    from torch import nn
    from sklearn.model_selection import train_test_split
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=.2, random_state=seed)
    X_tr, X_va, y_tr, y_va = train_test_split(X_tr, y_tr, test_size=.25, random_state=seed)
    class Net(nn.Module):
        def __init__(self, h=16):
            super().__init__()
            self.l = nn.Sequential(nn.Linear(6, h), nn.ReLU(), nn.Linear(h, 2))
        def forward(self, x):
            return self.l(x)
    def evaluate(net, X, y):
        net.eval()
        with torch.no_grad():
            out = net(torch.tensor(X).float())
        return (out.argmax(1).numpy() == y).mean()
    def train(net, epochs=5, lr=1e-2):
        opt = torch.optim.Adam(net.parameters(), lr=lr)
        best, state = 0, None
        for e in range(epochs):
            net.train()
            loss = nn.functional.cross_entropy(net(torch.tensor(X_tr).float()), torch.tensor(y_tr))
            opt.zero_grad(); loss.backward(); opt.step()
            va = evaluate(net, X_va, y_va)
            if va > best:
                best, state = va, copy.deepcopy(net.state_dict())
        net.load_state_dict(state)
        return net
    net = train(Net())
    test_acc = evaluate(net, X_te, y_te)
""")
planted("fitted", "mask of a selector fitted on all", (4, 5), "auc", arrays, """
    from sklearn.model_selection import cross_val_score
    from sklearn.feature_selection import RFE
    from sklearn.linear_model import LogisticRegression
    rfe = RFE(LogisticRegression(), n_features_to_select=3).fit(X, y)
    Xr = X[:, rfe.support_]
    auc = cross_val_score(LogisticRegression(), Xr, y, cv=5, scoring="roc_auc").mean()
""")
planted("fitted", "importances of a forest on all", (4, 5, 6), "acc", arrays, """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import train_test_split
    import numpy as np
    rf = RandomForestClassifier(20, random_state=0).fit(X, y)
    top = np.argsort(rf.feature_importances_)[-3:]
    Xt = X[:, top]
    a, b, c, d = train_test_split(Xt, y, random_state=seed)
    acc = RandomForestClassifier(20, random_state=0).fit(a, c).score(b, d)
""")
clean("importances of a forest on train", "acc", arrays, """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import train_test_split
    import numpy as np
    a, b, c, d = train_test_split(X, y, random_state=seed)
    rf = RandomForestClassifier(20, random_state=0).fit(a, c)
    top = np.argsort(rf.feature_importances_)[-3:]
    acc = RandomForestClassifier(20, random_state=0).fit(a[:, top], c).score(b[:, top], d)
""")
clean("monte carlo regression", "bias", dict, """
    import numpy as np
    rng = np.random.default_rng(1)
    est = []
    for r in range(100):
        x = rng.normal(size=50); e = rng.normal(size=50)
        yy = 2 * x + e
        xc = x - x.mean()
        est.append((xc @ (yy - yy.mean())) / (xc @ xc))
    bias = np.mean(est) - 2
""")
clean("images per-pixel scaling and cnn", "acc", images, """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    imgs = images.reshape(len(images), -1) / images.max()
    tr, te, ltr, lte = train_test_split(imgs, labels, test_size=.2, stratify=labels, random_state=seed)
    acc = LogisticRegression(max_iter=200).fit(tr, ltr).score(te, lte)
""")
clean("three way by permutation", "test_mse", arrays, """
    import numpy as np
    idx = np.random.RandomState(seed).permutation(len(X))
    n1, n2 = 120, 160
    tr, va, te = idx[:n1], idx[n1:n2], idx[n2:]
    mu, sd = X[tr].mean(0), X[tr].std(0)
    Z = (X - mu) / sd
    best_lam, best = None, np.inf
    for lam in [0.01, 0.1, 1.0, 10.0]:
        w = np.linalg.solve(Z[tr].T @ Z[tr] + lam * np.eye(6), Z[tr].T @ y[tr])
        mse = ((Z[va] @ w - y[va]) ** 2).mean()
        if mse < best:
            best, best_lam = mse, lam
    w = np.linalg.solve(Z[tr].T @ Z[tr] + best_lam * np.eye(6), Z[tr].T @ y[tr])
    test_mse = ((Z[te] @ w - y[te]) ** 2).mean()
""")
planted("fitted", "df scaled columns by assignment", (6,), "acc", churn, """
    from sklearn.preprocessing import StandardScaler
    from sklearn.model_selection import train_test_split
    from sklearn.svm import SVC
    num = ["tenure", "spend"]
    df = df.copy()
    df[num] = StandardScaler().fit_transform(df[num])
    train, test = train_test_split(df, test_size=.3, random_state=seed)
    F = num + ["calls"]
    acc = SVC().fit(train[F], train["churned"]).score(test[F], test["churned"])
""")
clean("df scaled columns by assignment on parts", "acc", churn, """
    from sklearn.preprocessing import StandardScaler
    from sklearn.model_selection import train_test_split
    from sklearn.svm import SVC
    num = ["tenure", "spend"]
    train, test = train_test_split(df, test_size=.3, random_state=seed)
    train, test = train.copy(), test.copy()
    sc = StandardScaler()
    train[num] = sc.fit_transform(train[num])
    test[num] = sc.transform(test[num])
    F = num + ["calls"]
    acc = SVC().fit(train[F], train["churned"]).score(test[F], test["churned"])
""")
planted("fitted", "apply lambda min max", (3,), "acc", churn, """
    from sklearn.model_selection import train_test_split
    from sklearn.neighbors import KNeighborsClassifier
    X = df[["tenure", "spend", "calls"]].apply(lambda c: (c - c.min()) / (c.max() - c.min()))
    X_train, X_test, y_train, y_test = train_test_split(X, df["churned"], random_state=seed)
    acc = KNeighborsClassifier().fit(X_train, y_train).score(X_test, y_test)
""")
planted("fitted", "mask split with year", (3,), "mae", years, """
    from sklearn.linear_model import Ridge
    import numpy as np
    df["area_z"] = (df.area - df.area.mean()) / df.area.std()
    is_test = df["year"] >= 2018
    tr, te = df[~is_test], df[is_test]
    mae = np.abs(Ridge().fit(tr[["area_z", "rooms"]], tr.price).predict(te[["area_z", "rooms"]]) - te.price).mean()
""")
clean("mask split clean", "mae", years, """
    from sklearn.linear_model import Ridge
    import numpy as np
    is_test = df["year"] >= 2018
    tr, te = df[~is_test].copy(), df[is_test].copy()
    m, s = tr.area.mean(), tr.area.std()
    for part in (tr, te):
        part["area_z"] = (part.area - m) / s
    mae = np.abs(Ridge().fit(tr[["area_z", "rooms"]], tr.price).predict(te[["area_z", "rooms"]]) - te.price).mean()
""")
planted("fitted", "captured scaler", (1, 2), "acc", tools, """
    X_scaled = scaler.fit_transform(X)
    acc = np.mean(cross_val_score(clf, X_scaled, y, cv=cv))
""")
clean("captured pipe", "acc", tools, """
    acc = np.mean(cross_val_score(pipe, X, y, cv=cv))
""")
planted("fitted", "pandas normalised frame", (1,), "acc", churn_and_tools, """
    feats = (df.drop(columns="churned") - df.drop(columns="churned").mean()) / df.drop(columns="churned").std()
    Xa, Xb, ya, yb = train_test_split(feats, df.churned, test_size=.2, random_state=seed)
    acc = SVC().fit(Xa, ya).score(Xb, yb)
""")
planted("fitted", "loop over columns", (2, 3), "acc", churn_and_tools, """
    for c in ["tenure", "spend", "calls"]:
        lo, hi = df[c].min(), df[c].max()
        df[c] = (df[c] - lo) / (hi - lo)
    Xa, Xb, ya, yb = train_test_split(df[["tenure", "spend", "calls"]], df.churned, test_size=.2, random_state=seed)
    acc = SVC().fit(Xa, ya).score(Xb, yb)
""")
clean("loop over columns of train", "acc", churn_and_tools, """
    F = ["tenure", "spend", "calls"]
    Xa, Xb, ya, yb = train_test_split(df[F].copy(), df.churned, test_size=.2, random_state=seed)
    for c in F:
        lo, hi = Xa[c].min(), Xa[c].max()
        Xa[c] = (Xa[c] - lo) / (hi - lo)
        Xb[c] = (Xb[c] - lo) / (hi - lo)
    acc = SVC().fit(Xa, ya).score(Xb, yb)
""")
planted("fitted", "KMeans feature", (4, 5), "acc", churn_and_tools, """
    from sklearn.cluster import KMeans
    F = ["tenure", "spend", "calls"]
    km = KMeans(4, n_init=3, random_state=0)
    df["segment"] = km.fit_predict(df[F])
    Xa, Xb, ya, yb = train_test_split(df[F + ["segment"]], df.churned, random_state=seed)
    acc = SVC().fit(Xa, ya).score(Xb, yb)
""")
planted("fitted", "chained iterative imputer and knn", (3,), "r2", gaps_and_tools, """
    from sklearn.impute import KNNImputer
    from sklearn.ensemble import RandomForestClassifier
    Xi = pd.DataFrame(KNNImputer(n_neighbors=3).fit_transform(X))
    r2 = 0
    for tr, te in cv.split(Xi):
        r2 += RandomForestClassifier(10, random_state=seed).fit(Xi.iloc[tr], y[tr]).score(Xi.iloc[te], y[te]) / 5
""")
clean("imputation constant and interpolation", "r2", gaps_and_tools, """
    from sklearn.ensemble import RandomForestClassifier
    Xi = pd.DataFrame(X).fillna(0.0)
    r2 = 0
    for tr, te in cv.split(Xi):
        r2 += RandomForestClassifier(10, random_state=seed).fit(Xi.iloc[tr], y[tr]).score(Xi.iloc[te], y[te]) / 5
""")

# ---------------------------------------------------------------- the target among the features

planted("target", "nothing was dropped", (3, 5), "score", churn, """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import cross_val_score
    X = df
    y = df["churned"]
    score = cross_val_score(RandomForestClassifier(20, random_state=seed), X, y, cv=4).mean()
""")
clean("the target was dropped", "score", churn, """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import cross_val_score
    X = df.drop(columns="churned")
    y = df["churned"]
    score = cross_val_score(RandomForestClassifier(20, random_state=seed), X, y, cv=4).mean()
""")
clean("the target was popped", "score", churn, """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import cross_val_score
    y = df.pop("churned")
    X = df
    score = cross_val_score(RandomForestClassifier(20, random_state=seed), X, y, cv=4).mean()
""")
clean("all columns but the target", "score", churn, """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import cross_val_score
    columns = [c for c in df.columns if c != "churned"]
    score = cross_val_score(RandomForestClassifier(20, random_state=seed), df[columns], df["churned"], cv=4).mean()
""")
planted("target", "something else was dropped", (3, 5), "accuracy", churn, """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    X = df.drop(columns=["calls"])
    y = df.churned.values
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=seed)
    accuracy = LogisticRegression(max_iter=500).fit(X_train, y_train).score(X_test, y_test)
""")
planted("target", "in the list of features", (3, 4), "mae", houses, """
    from sklearn.ensemble import GradientBoostingRegressor
    from sklearn.model_selection import train_test_split
    features = ["area", "rooms", "price"]
    A, B, a, b = train_test_split(df[features], df["price"], random_state=seed)
    mae = abs(GradientBoostingRegressor(random_state=seed).fit(A, a).predict(B) - b).mean()
""")
clean("not in the list of features", "mae", houses, """
    from sklearn.ensemble import GradientBoostingRegressor
    from sklearn.model_selection import train_test_split
    features = ["area", "rooms"]
    A, B, a, b = train_test_split(df[features], df["price"], random_state=seed)
    mae = abs(GradientBoostingRegressor(random_state=seed).fit(A, a).predict(B) - b).mean()
""")
planted("target", "its code is a column of the data", (3,), "score", relabelled, """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    score = cross_val_score(LogisticRegression(max_iter=500), X, y, cv=5).mean()
""")
planted("target", "its other unit is a column of the data", (3,), "error", celsius, """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import train_test_split
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=seed)
    error = ((Ridge().fit(X_train, y_train).predict(X_test) - y_test) ** 2).mean()
""")
planted("target", "the last column of an array", (4, 6), "score", table, """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    X = table
    y = table[:, -1]
    score = cross_val_score(LogisticRegression(max_iter=500), X, y, cv=5).mean()
""")
clean("all but the last column of an array", "score", table, """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    X = table[:, :-1]
    y = table[:, -1]
    score = cross_val_score(LogisticRegression(max_iter=500), X, y, cv=5).mean()
""")
clean("the target is tomorrow's value", "error", days, """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import TimeSeriesSplit, cross_val_score
    X = df.iloc[:-1]
    y = df["load"].shift(-1).iloc[:-1]
    error = -cross_val_score(Ridge(), X, y, cv=TimeSeriesSplit(5), scoring="neg_mean_squared_error").mean()
""")
planted("target", "X = df.values of whole", (4, 5), "acc", churn, """
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.model_selection import train_test_split
    y = df["churned"].astype(int)
    X = df.to_numpy()
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    acc = DecisionTreeClassifier().fit(X_train, y_train).score(X_test, y_test)
""")
planted("target", "split frame then fit on whole", (4, 5, 6), "acc", churn, """
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.model_selection import train_test_split
    train, test = train_test_split(df, random_state=seed)
    clf = DecisionTreeClassifier(random_state=0)
    clf.fit(train, train["churned"])
    acc = clf.score(test, test["churned"])
""")
clean("split frame then drop", "acc", churn, """
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.model_selection import train_test_split
    train, test = train_test_split(df, random_state=seed)
    clf = DecisionTreeClassifier(random_state=0)
    clf.fit(train.drop("churned", axis=1), train["churned"])
    acc = clf.score(test.drop("churned", axis=1), test["churned"])
""")
clean("del target", "acc", churn, """
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.model_selection import train_test_split
    y = df["churned"].values
    del df["churned"]
    X = df
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    acc = DecisionTreeClassifier(random_state=0).fit(X_train, y_train).score(X_test, y_test)
""")
clean("iloc", "acc", churn, """
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.model_selection import train_test_split
    X, y = df.iloc[:, :-1], df.iloc[:, -1]
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    acc = DecisionTreeClassifier(random_state=0).fit(X_train, y_train).score(X_test, y_test)
""")
clean("columns difference", "acc", churn, """
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.model_selection import train_test_split
    target = "churned"
    X, y = df[df.columns.difference([target])], df[target]
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    acc = DecisionTreeClassifier(random_state=0).fit(X_train, y_train).score(X_test, y_test)
""")
clean("drop via variable", "acc", churn, """
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.model_selection import train_test_split
    target = "churned"
    X, y = df.drop(columns=target), df[target]
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    acc = DecisionTreeClassifier(random_state=0).fit(X_train, y_train).score(X_test, y_test)
""")
planted("target", "target by variable", (4,), "acc", churn, """
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.model_selection import cross_val_score
    target = "churned"
    X, y = df, df[target]
    acc = cross_val_score(DecisionTreeClassifier(random_state=0), X, y, cv=3).mean()
""")
clean("exact linear toy", "mse", line, """
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import train_test_split
    a,b,c,d = train_test_split(X, y, random_state=seed)
    mse = ((LinearRegression().fit(a,c).predict(b)-d)**2).mean()
""")
planted("target", "log target kept", (4,), "rmse", euros, """
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import train_test_split
    import numpy as np
    X, y = df[["area", "rooms", "price_eur"]], df["price"]
    a, b, c, d = train_test_split(X, y, random_state=seed)
    rmse = np.sqrt(((LinearRegression().fit(a, c).predict(b) - d) ** 2).mean())
""")
clean("predict area from price etc", "mae", houses, """
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import cross_val_predict
    X = df.drop(columns=["area", "city", "age"])
    p = cross_val_predict(LinearRegression(), X, df["area"], cv=5)
    mae = abs(p - df["area"]).mean()
""")
clean("multi target loop", "mean_r2", houses, """
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import cross_val_score
    import numpy as np
    r2s = {}
    num = df[["area", "rooms", "price"]]
    for t in num.columns:
        r2s[t] = cross_val_score(LinearRegression(), num.drop(columns=t), num[t], cv=5).mean()
    mean_r2 = np.mean(list(r2s.values()))
""")
clean("autoencoder-like PCA reconstruct", "err", arrays, """
    from sklearn.decomposition import PCA
    from sklearn.model_selection import train_test_split
    tr, te = train_test_split(X, random_state=seed)
    p = PCA(2).fit(tr)
    err = ((p.inverse_transform(p.transform(te)) - te) ** 2).mean()
""")
clean("lgb cv", "auc", arrays, """
    import lightgbm as lgb
    ds = lgb.Dataset(X, label=y)
    res = lgb.cv({"objective": "binary", "metric": "auc", "verbose": -1}, ds, num_boost_round=20, nfold=4, stratified=True, seed=0)
    auc = max(res["valid auc-mean"])
""")
clean("optimizer of a function", "fmin", dict, """
    import numpy as np
    from scipy.optimize import minimize
    best = np.inf
    for s in range(5):
        x0 = np.random.default_rng(s).normal(size=3)
        r = minimize(lambda x: ((x - 1) ** 2).sum(), x0)
        best = min(best, r.fun)
    fmin = best
""")
clean("simulated annealing over train only", "acc", arrays, """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    Xtr, Xte, ytr, yte = X[:150], X[150:], y[:150], y[150:]
    best, keep = -1, None
    for k in range(1, 7):
        m = LogisticRegression().fit(Xtr[:, :k], ytr)
        s = m.score(Xtr[:, :k], ytr)
        if s > best:
            best, keep = s, k
    acc = LogisticRegression().fit(Xtr[:, :keep], ytr).score(Xte[:, :keep], yte)
""")
planted("target", "concat target back", (3, 5), "acc", churn_and_tools, """
    from sklearn.tree import DecisionTreeClassifier
    y = df["churned"]
    X = df.fillna(0).copy()
    tree = DecisionTreeClassifier(random_state=0)
    acc = cross_val_score(tree, X, y, cv=5).mean()
""")
planted("target", "pipeline on whole frame", (1,), "acc", churn_and_tools, """
    acc = cross_val_score(make_pipeline(StandardScaler(), SVC()), df, df["churned"], cv=5).mean()
""")
clean("loc with not equal", "acc", churn_and_tools, """
    acc = cross_val_score(make_pipeline(StandardScaler(), SVC()), df.loc[:, df.columns != "churned"], df["churned"], cv=5).mean()
""")
clean("set difference of columns", "acc", churn_and_tools, """
    cols = sorted(set(df.columns) - {"churned"})
    acc = cross_val_score(make_pipeline(StandardScaler(), SVC()), df[cols], df["churned"], cv=5).mean()
""")
clean("list remove", "acc", churn_and_tools, """
    cols = list(df.columns)
    cols.remove("churned")
    acc = cross_val_score(make_pipeline(StandardScaler(), SVC()), df[cols], df["churned"], cv=5).mean()
""")
clean("filter regex / select", "acc", churn_and_tools, """
    X = df.filter(regex="^(tenure|spend|calls)$")
    acc = cross_val_score(make_pipeline(StandardScaler(), SVC()), X, df["churned"], cv=5).mean()
""")
planted("target", "a list to which the target is appended", (3,), "acc", churn_and_tools, """
    features = ["tenure", "spend", "calls"]
    features.append("churned")
    acc = cross_val_score(SVC(), df[features], df["churned"], cv=5).mean()
""")

# ---------------------------------------------------------------- the same rows on both sides

planted("duplicates", "rows entered twice", (3,), "accuracy", repeated, """
    from sklearn.model_selection import train_test_split
    from sklearn.neighbors import KNeighborsClassifier
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=seed)
    accuracy = KNeighborsClassifier(1).fit(X_train, y_train).score(X_test, y_test)
""")
planted("duplicates", "a frame with copies, in shuffled folds", (4, 5), "score", repeated_frame, """
    from sklearn.model_selection import KFold, cross_val_score
    from sklearn.tree import DecisionTreeClassifier
    X, y = df.drop(columns="churned"), df["churned"]
    cv = KFold(5, shuffle=True, random_state=seed)
    score = cross_val_score(DecisionTreeClassifier(random_state=seed), X, y, cv=cv).mean()
""")
clean("a frame with copies that are dropped", "score", repeated_frame, """
    from sklearn.model_selection import KFold, cross_val_score
    from sklearn.tree import DecisionTreeClassifier
    df = df.drop_duplicates()
    X, y = df.drop(columns="churned"), df["churned"]
    cv = KFold(5, shuffle=True, random_state=seed)
    score = cross_val_score(DecisionTreeClassifier(random_state=seed), X, y, cv=cv).mean()
""")
clean("people who answer alike", "score", answers, """
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.tree import DecisionTreeClassifier
    cv = StratifiedKFold(5, shuffle=True, random_state=seed)
    score = cross_val_score(DecisionTreeClassifier(random_state=seed), X, y, cv=cv).mean()
""")
clean("categories in one-hot columns", "accuracy", hot, """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    accuracy = LogisticRegression(max_iter=500).fit(X_train, y_train).score(X_test, y_test)
""")
planted("duplicates", "the rare class drawn again before the split", (5, 6), "accuracy", churn, """
    import pandas as pd
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeClassifier
    few, many = df[df.churned == 1], df[df.churned == 0]
    more = few.sample(len(many), replace=True, random_state=1)
    both = pd.concat([many, more])
    X, y = both.drop(columns="churned"), both["churned"]
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    accuracy = DecisionTreeClassifier(random_state=seed).fit(X_train, y_train).score(X_test, y_test)
""")
clean("the rare class drawn again after the split", "accuracy", churn, """
    import pandas as pd
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeClassifier
    train, test = train_test_split(df, random_state=seed)
    few, many = train[train.churned == 1], train[train.churned == 0]
    both = pd.concat([many, few.sample(len(many), replace=True, random_state=1)])
    tree = DecisionTreeClassifier(random_state=seed).fit(both.drop(columns="churned"), both["churned"])
    accuracy = tree.score(test.drop(columns="churned"), test["churned"])
""")
planted("duplicates", "whole frame split with duplicated rows", (3,), "acc", repeated_frame, """
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.model_selection import train_test_split
    train, test = train_test_split(df, test_size=0.2, random_state=seed)
    cols = ["tenure", "spend", "calls"]
    acc = DecisionTreeClassifier().fit(train[cols], train["churned"]).score(test[cols], test["churned"])
""")
clean("iris like", "acc", dict, """
    from sklearn.datasets import load_iris
    from sklearn.model_selection import cross_val_score, StratifiedKFold
    from sklearn.svm import SVC
    X, y = load_iris(return_X_y=True)
    acc = cross_val_score(SVC(), X, y, cv=StratifiedKFold(5, shuffle=True, random_state=0)).mean()
""")
clean("the data set iris", "acc", iris, """
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeRegressor
    a, b, c, d = train_test_split(X, y, random_state=seed)
    acc = DecisionTreeRegressor().fit(a, c).score(b, d)
""")
clean("the data set wine", "acc", wine, """
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeRegressor
    a, b, c, d = train_test_split(X, y, random_state=seed)
    acc = DecisionTreeRegressor().fit(a, c).score(b, d)
""")
clean("the data set cancer", "acc", cancer, """
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeRegressor
    a, b, c, d = train_test_split(X, y, random_state=seed)
    acc = DecisionTreeRegressor().fit(a, c).score(b, d)
""")
clean("the data set diabetes", "acc", diabetes, """
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeRegressor
    a, b, c, d = train_test_split(X, y, random_state=seed)
    acc = DecisionTreeRegressor().fit(a, c).score(b, d)
""")
clean("the data set digits", "acc", digits, """
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeRegressor
    a, b, c, d = train_test_split(X, y, random_state=seed)
    acc = DecisionTreeRegressor().fit(a, c).score(b, d)
""")
planted("duplicates", "upsampled by sklearn resample, then split", (6,), "acc", churn, """
    import pandas as pd
    from sklearn.utils import resample
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeClassifier
    yes, no = df[df["churned"] == 1], df[df["churned"] == 0]
    yes = resample(yes, replace=True, n_samples=len(no), random_state=0)
    bal = pd.concat([yes, no]).sample(frac=1, random_state=0)
    X_train, X_test, y_train, y_test = train_test_split(bal.drop(columns="churned"), bal["churned"], random_state=seed)
    acc = DecisionTreeClassifier(random_state=0).fit(X_train, y_train).score(X_test, y_test)
""")
clean("resample train", "acc", churn, """
    import pandas as pd
    from sklearn.utils import resample
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeClassifier
    tr, te = train_test_split(df, random_state=seed)
    yes, no = tr[tr["churned"] == 1], tr[tr["churned"] == 0]
    bal = pd.concat([resample(yes, replace=True, n_samples=len(no), random_state=0), no])
    F = ["tenure", "spend", "calls"]
    acc = DecisionTreeClassifier(random_state=0).fit(bal[F], bal["churned"]).score(te[F], te["churned"])
""")
planted("duplicates", "permutation split over repeated rows", (2, 3), "acc", repeated_and_tools, """
    perm = np.random.default_rng(seed).permutation(len(X))
    train, test = perm[:180], perm[180:]
    acc = SVC().fit(X[train], y[train]).score(X[test], y[test])
""")

# ---------------------------------------------------------------- rows that belong together

planted("groups", "patients in shuffled folds", (5, 6), "auc", patients, """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    X = df.drop(columns=["ill", "patient_id"])
    y = df["ill"]
    cv = StratifiedKFold(5, shuffle=True, random_state=seed)
    auc = cross_val_score(RandomForestClassifier(20, random_state=seed), X, y, cv=cv, scoring="roc_auc").mean()
""")
clean("patients in folds of their own", "auc", patients, """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import GroupKFold, cross_val_score
    X = df.drop(columns=["ill", "patient_id"])
    y = df["ill"]
    cv = GroupKFold(5)
    forest = RandomForestClassifier(20, random_state=seed)
    auc = cross_val_score(forest, X, y, cv=cv, groups=df["patient_id"], scoring="roc_auc").mean()
""")
clean("one row of each patient", "auc", one_each, """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    X = df.drop(columns=["ill", "patient_id"])
    y = df["ill"]
    cv = StratifiedKFold(5, shuffle=True, random_state=seed)
    auc = cross_val_score(RandomForestClassifier(20, random_state=seed), X, y, cv=cv, scoring="roc_auc").mean()
""")
planted("groups", "subjects in an array beside", (3,), "accuracy", subjects, """
    from sklearn.model_selection import train_test_split
    from sklearn.svm import SVC
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=seed)
    accuracy = SVC().fit(X_train, y_train).score(X_test, y_test)
""")
clean("subjects in an array beside, and used", "accuracy", subjects, """
    from sklearn.model_selection import GroupShuffleSplit
    from sklearn.svm import SVC
    train, test = next(GroupShuffleSplit(1, random_state=seed).split(X, y, subject))
    accuracy = SVC().fit(X[train], y[train]).score(X[test], y[test])
""")
clean("patients split by themselves", "accuracy", patients, """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    some, others = train_test_split(df["patient_id"].unique(), random_state=seed)
    train, test = df[df.patient_id.isin(some)], df[df.patient_id.isin(others)]
    columns = ["pulse", "pressure"]
    accuracy = LogisticRegression().fit(train[columns], train.ill).score(test[columns], test.ill)
""")
clean("ratings by users of films", "error", ratings, """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.model_selection import train_test_split
    A, B, a, b = train_test_split(df[["user_id", "movie_id"]], df["stars"], random_state=seed)
    error = abs(RandomForestRegressor(20, random_state=seed).fit(A, a).predict(B) - b).mean()
""")
planted("groups", "session ids in frame, train_test_split on frame", (4,), "acc", users, """
    from sklearn.model_selection import train_test_split
    from sklearn.linear_model import LogisticRegression
    F = ["pulse", "pressure"]
    tr, te = train_test_split(df, test_size=.25, random_state=seed, stratify=df["ill"])
    acc = LogisticRegression().fit(tr[F], tr.ill).score(te[F], te.ill)
""")
planted("groups", "groups array, kfold loop", (5,), "acc", grouped, """
    from sklearn.model_selection import StratifiedKFold
    from sklearn.linear_model import LogisticRegression
    import numpy as np
    accs = []
    for a, b in StratifiedKFold(5, shuffle=True, random_state=seed).split(X, y):
        accs.append(LogisticRegression().fit(X[a], y[a]).score(X[b], y[b]))
    acc = np.mean(accs)
""")
clean("groups logo", "acc", grouped, """
    from sklearn.model_selection import LeaveOneGroupOut, cross_val_score
    from sklearn.linear_model import LogisticRegression
    acc = cross_val_score(LogisticRegression(), X, y, groups=groups, cv=LeaveOneGroupOut()).mean()
""")
planted("groups", "GroupKFold imported but KFold used in loop", (6,), "acc", patients, """
    from sklearn.model_selection import KFold
    from sklearn.tree import DecisionTreeClassifier
    import numpy as np
    X, y = df[["pulse", "pressure"]].values, df["ill"].values
    acc = []
    for tr, te in KFold(5, shuffle=True, random_state=seed).split(X):
        acc.append(DecisionTreeClassifier(random_state=0).fit(X[tr], y[tr]).score(X[te], y[te]))
    acc = float(np.mean(acc))
""")
clean("groupshufflesplit frame", "acc", patients, """
    from sklearn.model_selection import GroupShuffleSplit
    from sklearn.tree import DecisionTreeClassifier
    gss = GroupShuffleSplit(n_splits=1, test_size=.3, random_state=seed)
    tr, te = next(gss.split(df, groups=df.patient_id))
    cols = ["pulse", "pressure"]
    acc = DecisionTreeClassifier(random_state=0).fit(df.iloc[tr][cols], df.ill.iloc[tr]).score(df.iloc[te][cols], df.ill.iloc[te])
""")
clean("aggregate per patient first", "acc", patients, """
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeClassifier
    per = df.groupby("patient_id").mean().reset_index()
    a, b, c, d = train_test_split(per[["pulse", "pressure"]], per["ill"], random_state=seed)
    acc = DecisionTreeClassifier(random_state=0).fit(a, c).score(b, d)
""")
clean("drop_duplicates inplace", "acc", repeated_frame, """
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeClassifier
    df.drop_duplicates(inplace=True)
    a, b, c, d = train_test_split(df.drop(columns="churned"), df.churned, random_state=seed)
    acc = DecisionTreeClassifier(random_state=0).fit(a, c).score(b, d)
""")
clean("ordered by date then resampled customers", "acc", born, """
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeClassifier
    d = df.copy()
    d["year"] = d["date_of_birth"].dt.year
    F = ["tenure", "spend", "calls", "year"]
    tr, te = train_test_split(d, test_size=.3, random_state=seed)
    acc = DecisionTreeClassifier(random_state=0, max_depth=3).fit(tr[F], tr["churned"]).score(te[F], te["churned"])
""")
planted("groups", "leave one out of speakers", (3,), "acc", speakers, """
    from sklearn.model_selection import RepeatedKFold
    rkf = RepeatedKFold(n_splits=5, n_repeats=2, random_state=seed)
    acc = cross_val_score(pipe, X, y, cv=rkf).mean()
""")
clean("customers one row each but repeated city", "acc", houses_and_tools, """
    from sklearn.linear_model import Ridge
    acc = cross_val_score(Ridge(), df[["area", "rooms"]], df["price"], cv=cv).mean()
""")

# ---------------------------------------------------------------- rows that follow each other

planted("order", "days in a shuffled split", (4,), "error", days, """
    from sklearn.linear_model import LinearRegression
    from sklearn.metrics import mean_absolute_error
    from sklearn.model_selection import train_test_split
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=seed)
    error = mean_absolute_error(y_test, LinearRegression().fit(X_train, y_train).predict(X_test))
""")
clean("days in a split that is not shuffled", "error", days, """
    from sklearn.linear_model import LinearRegression
    from sklearn.metrics import mean_absolute_error
    from sklearn.model_selection import train_test_split
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, shuffle=False)
    error = mean_absolute_error(y_test, LinearRegression().fit(X_train, y_train).predict(X_test))
""")
planted("order", "dates as texts, in shuffled folds", (3, 6), "error", logged, """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import KFold
    folds = KFold(5, shuffle=True, random_state=seed)
    X, y = df[["temp", "lag"]].values, df["load"].values
    errors = []
    for train, test in folds.split(X):
        fitted = Ridge().fit(X[train], y[train])
        errors.append(abs(fitted.predict(X[test]) - y[test]).mean())
    error = sum(errors) / len(errors)
""")
clean("dates as texts, cut by time", "error", logged, """
    from sklearn.linear_model import Ridge
    train, test = df[df["date"] < "2021-09-01"], df[df["date"] >= "2021-09-01"]
    columns = ["temp", "lag"]
    fitted = Ridge().fit(train[columns], train["load"])
    error = abs(fitted.predict(test[columns]) - test["load"]).mean()
""")
planted("order", "sorted by date in the cell, then shuffled", (7, 8), "error", logged, """
    import pandas as pd
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import ShuffleSplit, cross_val_score
    df = df.sample(frac=1, random_state=1)
    df["date"] = pd.to_datetime(df["date"])
    df = df.sort_values("date")
    cv = ShuffleSplit(5, test_size=0.2, random_state=seed)
    error = -cross_val_score(Ridge(), df[["temp", "lag"]], df["load"], cv=cv, scoring="neg_mean_absolute_error").mean()
""")
clean("a date that orders nothing", "accuracy", born, """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    X = df[["tenure", "spend", "calls", "age"]]
    X_train, X_test, y_train, y_test = train_test_split(X, df["churned"], random_state=seed)
    accuracy = LogisticRegression(max_iter=500).fit(X_train, y_train).score(X_test, y_test)
""")
clean("days in folds that grow", "error", days, """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import TimeSeriesSplit, cross_val_score
    cv = TimeSeriesSplit(n_splits=5)
    error = -cross_val_score(Ridge(), X, y, cv=cv, scoring="neg_mean_absolute_error").mean()
""")
planted("order", "read_csv, lags, train_test_split", (8,), "mae", sales, """
    import pandas as pd
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.model_selection import train_test_split
    sales = raw.set_index("date")
    for k in (1, 7):
        sales[f"lag{k}"] = sales["units"].shift(k)
    sales = sales.dropna()
    tr, te = train_test_split(sales, test_size=0.2, random_state=0)
    m = RandomForestRegressor().fit(tr.drop(columns="units"), tr["units"])
    mae = abs(m.predict(te.drop(columns="units")) - te["units"]).mean()
""")
clean("read_csv, lags, iloc cut", "mae", sales, """
    import pandas as pd
    from sklearn.ensemble import RandomForestRegressor
    sales = raw.set_index("date")
    for k in (1, 7):
        sales[f"lag{k}"] = sales["units"].shift(k)
    sales = sales.dropna()
    n = int(len(sales) * 0.8)
    tr, te = sales.iloc[:n], sales.iloc[n:]
    m = RandomForestRegressor().fit(tr.drop(columns="units"), tr["units"])
    mae = abs(m.predict(te.drop(columns="units")) - te["units"]).mean()
""")
planted("order", "StratifiedKFold shuffle over index series", (4, 5), "acc", busy, """
    from sklearn.model_selection import cross_val_score, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.linear_model import LogisticRegression
    skf = StratifiedKFold(n_splits=5, shuffle=True, random_state=42)
    acc = cross_val_score(LogisticRegression(), X, y, cv=skf).mean()
""")
clean("unshuffled kfold over days", "acc", days, """
    from sklearn.model_selection import cross_val_score, KFold
    from sklearn.linear_model import Ridge
    acc = cross_val_score(Ridge(), X, y, cv=KFold(5)).mean()
""")
planted("order", "ShuffleSplit over DatetimeIndex frame by df", (4, 5), "r2", days, """
    from sklearn.model_selection import ShuffleSplit, cross_validate
    from sklearn.ensemble import RandomForestRegressor
    feats = df[["temp", "lag"]]
    cv = ShuffleSplit(n_splits=3, test_size=.25, random_state=seed)
    res = cross_validate(RandomForestRegressor(20, random_state=0), feats, df["load"], cv=cv)
    r2 = res["test_score"].mean()
""")
planted("order", "random mask over dated frame", (3, 4), "mae", logged_and_tools, """
    from sklearn.linear_model import Ridge
    rng = np.random.default_rng(seed)
    mask = rng.random(len(df)) < 0.8
    tr, te = df[mask], df[~mask]
    mae = np.abs(Ridge().fit(tr[["temp", "lag"]], tr.load).predict(te[["temp", "lag"]]) - te.load).mean()
""")

# ---------------------------------------------------------------- chosen by the test rows

planted("tuned", "stopped early by the test rows", (5,), "accuracy", arrays, """
    import lightgbm as lgb
    from sklearn.model_selection import train_test_split
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    model = lgb.LGBMClassifier(n_estimators=200, verbose=-1)
    model.fit(X_train, y_train, eval_set=[(X_test, y_test)], callbacks=[lgb.early_stopping(10, verbose=False)])
    accuracy = model.score(X_test, y_test)
""")
clean("stopped early by validation rows", "accuracy", arrays, """
    import lightgbm as lgb
    from sklearn.model_selection import train_test_split
    X_rest, X_test, y_rest, y_test = train_test_split(X, y, random_state=seed)
    X_train, X_val, y_train, y_val = train_test_split(X_rest, y_rest, random_state=seed)
    model = lgb.LGBMClassifier(n_estimators=200, verbose=-1)
    model.fit(X_train, y_train, eval_set=[(X_val, y_val)], callbacks=[lgb.early_stopping(10, verbose=False)])
    accuracy = model.score(X_test, y_test)
""")
clean("the test rows are only watched", "accuracy", arrays, """
    import lightgbm as lgb
    from sklearn.model_selection import train_test_split
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    model = lgb.LGBMClassifier(n_estimators=50, verbose=-1)
    model.fit(X_train, y_train, eval_set=[(X_test, y_test)], callbacks=[lgb.log_evaluation(0)])
    accuracy = model.score(X_test, y_test)
""")
planted("tuned", "the best epoch by the test rows", (11, 12), "best", parted, """
    import torch
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    opt = torch.optim.Adam(net.parameters(), lr=0.01)
    A, B = torch.tensor(X_train).float(), torch.tensor(X_test).float()
    a, b = torch.tensor(y_train), torch.tensor(y_test)
    best = 0.0
    for epoch in range(20):
        opt.zero_grad(); torch.nn.functional.cross_entropy(net(A), a).backward(); opt.step()
        acc = (net(B).argmax(1) == b).float().mean().item()
        if acc > best:
            best = acc
""")
clean("the last epoch on the test rows", "acc", parted, """
    import torch
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    opt = torch.optim.Adam(net.parameters(), lr=0.01)
    A, B = torch.tensor(X_train).float(), torch.tensor(X_test).float()
    a, b = torch.tensor(y_train), torch.tensor(y_test)
    for epoch in range(20):
        opt.zero_grad(); torch.nn.functional.cross_entropy(net(A), a).backward(); opt.step()
        acc = (net(B).argmax(1) == b).float().mean().item()
        print(epoch, acc)
""")
clean("the best epoch by validation rows", "accuracy", parted, """
    import copy
    import torch
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    opt = torch.optim.Adam(net.parameters(), lr=0.01)
    A, V, B = (torch.tensor(each).float() for each in (X_train, X_val, X_test))
    a, v, b = torch.tensor(y_train), torch.tensor(y_val), torch.tensor(y_test)
    best, kept = 0.0, None
    for epoch in range(20):
        opt.zero_grad(); torch.nn.functional.cross_entropy(net(A), a).backward(); opt.step()
        acc = (net(V).argmax(1) == v).float().mean().item()
        if acc > best:
            best, kept = acc, copy.deepcopy(net.state_dict())
    net.load_state_dict(kept)
    accuracy = (net(B).argmax(1) == b).float().mean().item()
""")
planted("tuned", "the best of a list of test scores", (8,), "accuracy", arrays, """
    from sklearn.model_selection import train_test_split
    from sklearn.neighbors import KNeighborsClassifier
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    history = []
    for k in range(1, 20):
        model = KNeighborsClassifier(k).fit(X_train, y_train)
        history.append(model.score(X_test, y_test))
    accuracy = max(history)
""")
clean("the mean of a list of test scores", "accuracy", arrays, """
    import numpy as np
    from sklearn.model_selection import train_test_split
    from sklearn.neighbors import KNeighborsClassifier
    history = []
    for fold in range(5):
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed + fold)
        model = KNeighborsClassifier(5).fit(X_train, y_train)
        history.append(model.score(X_test, y_test))
    accuracy = np.mean(history)
""")
planted("tuned", "a setting chosen on the test rows", (4, 7), "accuracy", arrays, """
    from sklearn.model_selection import train_test_split
    from sklearn.svm import SVC
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    C = max([0.01, 0.1, 1, 10], key=lambda c: SVC(C=c).fit(X_train, y_train).score(X_test, y_test))
    accuracy = SVC(C=C).fit(X_train, y_train).score(X_test, y_test)
""")
clean("a setting chosen by cross-validation", "accuracy", arrays, """
    from sklearn.model_selection import cross_val_score, train_test_split
    from sklearn.svm import SVC
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    C = max([0.01, 0.1, 1, 10], key=lambda c: cross_val_score(SVC(C=c), X_train, y_train, cv=3).mean())
    accuracy = SVC(C=C).fit(X_train, y_train).score(X_test, y_test)
""")
clean("the best score of a search", "score", arrays, """
    from sklearn.model_selection import GridSearchCV
    from sklearn.svm import SVC
    search = GridSearchCV(SVC(), {"C": [0.1, 1, 10]}, cv=4)
    search.fit(X, y)
    score = search.best_score_
""")
clean("the largest residual", "worst", arrays, """
    import numpy as np
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import train_test_split
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    p = Ridge().fit(X_train, y_train).predict(X_test)
    worst = np.abs(p - y_test).max()
""")
clean("a simulation", "gap", dict, """
    import numpy as np
    rng = np.random.default_rng(0)
    walk = rng.normal(size=1000).cumsum()
    walk = (walk - walk.mean()) / walk.std()
    gap = float(abs(np.diff(walk)).max())
""")
clean("no split at all", "loss", arrays, """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.preprocessing import StandardScaler
    Z = StandardScaler().fit_transform(X)
    loss = log_loss(y, LogisticRegression().fit(Z, y).predict_proba(Z))
""")
clean("clusters", "silhouette", arrays, """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score
    from sklearn.preprocessing import StandardScaler
    Z = StandardScaler().fit_transform(X)
    silhouette = silhouette_score(Z, KMeans(3, n_init=5, random_state=seed).fit_predict(Z))
""")
planted("tuned", "lgb.train valid_sets", (7,), "auc", arrays, """
    import lightgbm as lgb
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import train_test_split
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=.3, random_state=seed)
    dtrain, dtest = lgb.Dataset(X_tr, y_tr), lgb.Dataset(X_te, y_te)
    params = dict(objective="binary", verbose=-1)
    bst = lgb.train(params, dtrain, num_boost_round=200, valid_sets=[dtest], callbacks=[lgb.early_stopping(20)])
    auc = roc_auc_score(y_te, bst.predict(X_te))
""")
clean("lgb.train own validation", "auc", arrays, """
    import lightgbm as lgb
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import train_test_split
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=.3, random_state=seed)
    X_tr, X_va, y_tr, y_va = train_test_split(X_tr, y_tr, test_size=.3, random_state=seed)
    dtrain, dval = lgb.Dataset(X_tr, y_tr), lgb.Dataset(X_va, y_va)
    bst = lgb.train(dict(objective="binary", verbose=-1), dtrain, num_boost_round=200, valid_sets=[dval], callbacks=[lgb.early_stopping(20)])
    auc = roc_auc_score(y_te, bst.predict(X_te))
""")
planted("tuned", "max running best", (8,), "best", arrays, """
    from sklearn.model_selection import train_test_split
    from sklearn.metrics import f1_score
    from sklearn.ensemble import RandomForestClassifier
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    best = 0
    for depth in [2, 4, 8]:
        rf = RandomForestClassifier(10, max_depth=depth, random_state=seed).fit(X_train, y_train)
        best = max(best, f1_score(y_test, rf.predict(X_test)))
""")
planted("tuned", "results dict", (9,), "accuracy", arrays, """
    from sklearn.model_selection import train_test_split
    from sklearn.metrics import accuracy_score
    from sklearn.svm import SVC
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    results = {}
    for C in [0.1, 1, 10]:
        m = SVC(C=C).fit(X_train, y_train)
        results[C] = accuracy_score(y_test, m.predict(X_test))
    accuracy = max(results.values())
""")
planted("tuned", "patience break on test loss", (13, 14, 15, 16, 17), "acc", parted, """
    import torch
    torch.manual_seed(seed)
    net = torch.nn.Linear(6, 2)
    opt = torch.optim.SGD(net.parameters(), lr=.1)
    A, B = torch.tensor(X_train).float(), torch.tensor(X_test).float()
    a, b = torch.tensor(y_train), torch.tensor(y_test)
    best_loss, wait = 1e9, 0
    for epoch in range(100):
        loss = torch.nn.functional.cross_entropy(net(A), a)
        opt.zero_grad(); loss.backward(); opt.step()
        with torch.no_grad():
            test_loss = torch.nn.functional.cross_entropy(net(B), b).item()
        if test_loss < best_loss:
            best_loss, wait = test_loss, 0
        else:
            wait += 1
            if wait > 5:
                break
    acc = (net(B).argmax(1) == b).float().mean().item()
""")
clean("clip score", "r2", arrays, """
    from sklearn.model_selection import train_test_split
    from sklearn.linear_model import Ridge
    a, b, c, d = train_test_split(X, y, random_state=seed)
    r2 = Ridge().fit(a, c).score(b, d)
    r2 = max(r2, 0.0)
""")
clean("ensemble of seeds mean", "acc", arrays, """
    import numpy as np
    from sklearn.model_selection import train_test_split
    from sklearn.ensemble import RandomForestClassifier
    a, b, c, d = train_test_split(X, y, random_state=seed)
    preds = []
    for s in range(5):
        preds.append(RandomForestClassifier(10, random_state=s).fit(a, c).predict_proba(b)[:, 1])
    acc = ((np.mean(preds, axis=0) > .5) == d).mean()
""")
clean("threshold chosen on validation", "acc", arrays, """
    import numpy as np
    from sklearn.model_selection import train_test_split
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    a, b, c, d = train_test_split(X, y, random_state=seed)
    a, v, c, w = train_test_split(a, c, random_state=seed)
    m = LogisticRegression().fit(a, c)
    ts = np.linspace(.1, .9, 9)
    f1s = [f1_score(w, m.predict_proba(v)[:, 1] > t) for t in ts]
    t = ts[np.argmax(f1s)]
    acc = f1_score(d, m.predict_proba(b)[:, 1] > t)
""")
planted("tuned", "threshold chosen on test", (8, 9), "acc", arrays, """
    import numpy as np
    from sklearn.model_selection import train_test_split
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    a, b, c, d = train_test_split(X, y, random_state=seed)
    m = LogisticRegression().fit(a, c)
    ts = np.linspace(.1, .9, 9)
    f1s = [f1_score(d, m.predict_proba(b)[:, 1] > t) for t in ts]
    t = ts[np.argmax(f1s)]
    acc = f1_score(d, m.predict_proba(b)[:, 1] > t)
""")
clean("nested cv", "score", arrays, """
    from sklearn.model_selection import GridSearchCV, cross_val_score, KFold
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    inner = GridSearchCV(Pipeline([("s", StandardScaler()), ("m", SVC())]), {"m__C": [1, 10]}, cv=KFold(3, shuffle=True, random_state=0))
    score = cross_val_score(inner, X, y, cv=KFold(5, shuffle=True, random_state=seed)).mean()
""")
clean("y standardised", "mse", houses, """
    from sklearn.model_selection import train_test_split
    from sklearn.linear_model import Ridge
    X = df[["area", "rooms"]]
    y = (df["price"] - df["price"].mean()) / df["price"].std()
    a, b, c, d = train_test_split(X, y, random_state=seed)
    mse = ((Ridge().fit(a, c).predict(b) - d) ** 2).mean()
""")
clean("flag off", "score", arrays, """
    from sklearn.preprocessing import StandardScaler
    from sklearn.model_selection import cross_val_score
    from sklearn.svm import SVC
    SCALE = False
    if SCALE:
        X = StandardScaler().fit_transform(X)
    score = cross_val_score(SVC(), X, y, cv=5).mean()
""")
clean("semi-supervised noise", "score", arrays, """
    import numpy as np
    rng = np.random.default_rng(seed)
    beta = rng.normal(size=6)
    p = 1 / (1 + np.exp(-(X @ beta)))
    n = len(X) // 2
    w = np.zeros(6)
    for step in range(100):
        q = 1 / (1 + np.exp(-(X[:n] @ w)))
        w -= 0.1 * X[:n].T @ (q - y[:n]) / n
    score = ((X[n:] @ w > 0) == y[n:]).mean()
""")
clean("class weights and outlier filter", "acc", churn, """
    import numpy as np
    from sklearn.model_selection import train_test_split
    from sklearn.linear_model import LogisticRegression
    df = df[df["spend"] < 90]
    X = df[["tenure", "spend", "calls"]]; y = df["churned"]
    w = {c: len(y) / (2 * (y == c).sum()) for c in (0, 1)}
    a, b, c, d = train_test_split(X, y, stratify=y, random_state=seed)
    acc = LogisticRegression(class_weight=w).fit(a, c).score(b, d)
""")
clean("learning curve prints", "acc", arrays, """
    from sklearn.preprocessing import StandardScaler
    from sklearn.model_selection import train_test_split, cross_val_score
    from sklearn.svm import SVC
    a, b, c, d = train_test_split(X, y, random_state=seed)
    Z = StandardScaler().fit_transform(X)
    print("for reference", cross_val_score(SVC(), Z, y).mean())
    sc = StandardScaler().fit(a)
    acc = SVC().fit(sc.transform(a), c).score(sc.transform(b), d)
""")
planted("tuned", "torch function keeps the best on test", (23, 24), "test_acc", arrays, """
    import torch, copy
    from torch import nn
    from sklearn.model_selection import train_test_split
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=.2, random_state=seed)
    class Net(nn.Module):
        def __init__(self, h=16):
            super().__init__()
            self.l = nn.Sequential(nn.Linear(6, h), nn.ReLU(), nn.Linear(h, 2))
        def forward(self, x):
            return self.l(x)
    def evaluate(net, X, y):
        with torch.no_grad():
            out = net(torch.tensor(X).float())
        return (out.argmax(1).numpy() == y).mean()
    net = Net()
    opt = torch.optim.Adam(net.parameters(), lr=.01)
    best, state = 0, None
    for e in range(5):
        loss = nn.functional.cross_entropy(net(torch.tensor(X_tr).float()), torch.tensor(y_tr))
        opt.zero_grad(); loss.backward(); opt.step()
        te = evaluate(net, X_te, y_te)
        print(e, te)
        if te > best:
            best, state = te, copy.deepcopy(net.state_dict())
    net.load_state_dict(state)
    test_acc = evaluate(net, X_te, y_te)
""")
planted("tuned", "history dict max", (10,), "best_acc", arrays, """
    from sklearn.model_selection import train_test_split
    from sklearn.linear_model import SGDClassifier
    import numpy as np
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    clf = SGDClassifier(random_state=seed)
    history = {"train": [], "test": []}
    for epoch in range(20):
        clf.partial_fit(X_train, y_train, classes=np.unique(y))
        history["train"].append(clf.score(X_train, y_train)); history["test"].append(clf.score(X_test, y_test))
    best_acc = np.max(history["test"])
""")
clean("history dict last", "acc", arrays, """
    from sklearn.model_selection import train_test_split
    from sklearn.linear_model import SGDClassifier
    import numpy as np
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    clf = SGDClassifier(random_state=seed)
    history = {"train": [], "test": []}
    for epoch in range(20):
        clf.partial_fit(X_train, y_train, classes=np.unique(y))
        history["train"].append(clf.score(X_train, y_train)); history["test"].append(clf.score(X_test, y_test))
    acc = history["test"][-1]
""")
clean("rfecv in pipeline and repeated folds", "auc", arrays, """
    from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
    from sklearn.feature_selection import RFE
    from sklearn.pipeline import Pipeline
    from sklearn.linear_model import LogisticRegression
    pipe = Pipeline([("rfe", RFE(LogisticRegression(), n_features_to_select=3)), ("clf", LogisticRegression())])
    auc = cross_val_score(pipe, X, y, cv=RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=seed), scoring="roc_auc").mean()
""")
planted("tuned", "by hand on test", (10, 11), "best", arrays, """
    import numpy as np
    idx = np.random.RandomState(seed).permutation(len(X))
    n1 = 150
    tr, te = idx[:n1], idx[n1:]
    mu, sd = X[tr].mean(0), X[tr].std(0)
    Z = (X - mu) / sd
    best_lam, best = None, np.inf
    for lam in [0.01, 0.1, 1.0, 10.0]:
        w = np.linalg.solve(Z[tr].T @ Z[tr] + lam * np.eye(6), Z[tr].T @ y[tr]); mse = ((Z[te] @ w - y[te]) ** 2).mean()
        if mse < best:
            best, best_lam = mse, lam
""")
planted("tuned", "number of columns chosen on test", (8,), "acc", arrays, """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    Xtr, Xte, ytr, yte = X[:150], X[150:], y[:150], y[150:]
    best, keep = -1, None
    for k in range(1, 7):
        m = LogisticRegression().fit(Xtr[:, :k], ytr)
        s = m.score(Xte[:, :k], yte)
        if s > best:
            best, keep = s, k
    acc = LogisticRegression().fit(Xtr[:, :keep], ytr).score(Xte[:, :keep], yte)
""")
planted("tuned", "sorted results pick", (5, 6), "acc", tools, """
    Xa, Xb, ya, yb = train_test_split(X, y, random_state=seed)
    rows = []
    for C in (0.1, 1, 10):
        rows.append((SVC(C=C).fit(Xa, ya).score(Xb, yb), C))
    best = max(rows)
    acc = best[0]
""")
planted("tuned", "best of seeds", (3, 4), "acc", tools, """
    from sklearn.neural_network import MLPClassifier
    Xa, Xb, ya, yb = train_test_split(X, y, random_state=0)
    accs = [MLPClassifier((8,), max_iter=50, random_state=s).fit(Xa, ya).score(Xb, yb) for s in range(3)]
    acc = max(accs)
""")
clean("median of seeds", "acc", tools, """
    from sklearn.neural_network import MLPClassifier
    Xa, Xb, ya, yb = train_test_split(X, y, random_state=0)
    accs = [MLPClassifier((8,), max_iter=50, random_state=s).fit(Xa, ya).score(Xb, yb) for s in range(3)]
    acc = np.median(accs)
""")
clean("worst group accuracy", "acc", tools, """
    Xa, Xb, ya, yb = train_test_split(X, y, random_state=0)
    p = SVC().fit(Xa, ya).predict(Xb)
    per = [(p[yb == c] == c).mean() for c in (0, 1)]
    acc = min(per)
""")
clean("per class recall max", "acc", tools, """
    from sklearn.metrics import recall_score
    Xa, Xb, ya, yb = train_test_split(X, y, random_state=0)
    p = SVC().fit(Xa, ya).predict(Xb)
    acc = recall_score(yb, p, average=None).max()
""")
clean("early stop fraction inside", "acc", tools, """
    from sklearn.ensemble import HistGradientBoostingClassifier
    Xa, Xb, ya, yb = train_test_split(X, y, random_state=0)
    acc = HistGradientBoostingClassifier(early_stopping=True, validation_fraction=.2, random_state=0).fit(Xa, ya).score(Xb, yb)
""")
clean("stop when train loss small", "acc", tools, """
    Xa, Xb, ya, yb = train_test_split(X, y, random_state=0)
    w = np.zeros(6); last = 1e9
    for step in range(500):
        q = 1 / (1 + np.exp(-Xa @ w))
        loss = -(ya * np.log(q) + (1 - ya) * np.log(1 - q)).mean()
        if last - loss < 1e-6:
            break
        last = loss
        w -= 0.5 * Xa.T @ (q - ya) / len(ya)
    acc = ((Xb @ w > 0) == yb).mean()
""")
clean("report both, metric plain", "acc", tools, """
    Xa, Xb, ya, yb = train_test_split(X, y, random_state=0)
    scores = {}
    for name, m in {"svc": SVC(), "pipe": pipe}.items():
        scores[name] = m.fit(Xa, ya).score(Xb, yb)
    print(max(scores, key=scores.get))
    acc = scores["svc"]
""")
clean("EDA before", "acc", churn_and_tools, """
    print(df.describe(), df.corr())
    z = (df["spend"] - df["spend"].mean()) / df["spend"].std()
    print("outliers:", (z.abs() > 3).sum())
    Xa, Xb, ya, yb = train_test_split(df[["tenure", "spend", "calls"]], df.churned, random_state=seed)
    acc = pipe.fit(Xa, ya).score(Xb, yb)
""")
clean("worst class accuracy by a loop", "acc", tools, """
    Xa, Xb, ya, yb = train_test_split(X, y, random_state=0)
    p = SVC().fit(Xa, ya).predict(Xb)
    per = []
    for c in np.unique(y):
        per.append((p[yb == c] == c).mean())
    acc = min(per)
""")
clean("worst class f1", "acc", tools, """
    from sklearn.metrics import accuracy_score
    Xa, Xb, ya, yb = train_test_split(X, y, random_state=0)
    p = SVC().fit(Xa, ya).predict(Xb)
    acc = min(accuracy_score(yb[yb == c], p[yb == c]) for c in np.unique(yb))
""")
clean("a list from which the target is removed", "acc", churn_and_tools, """
    features = ["tenure", "spend", "calls", "churned"]
    features.remove("churned")
    acc = cross_val_score(pipe, df[features], df["churned"], cv=5).mean()
""")
