"""Cells with one leak each, as people write them, and cells as near to them as can be that have none."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd


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


# ---------------------------------------------------------------- fitted on all rows

planted(
    "fitted",
    "scaled, then cross-validated",
    (4,),
    "score",
    arrays,
    """
    from sklearn.model_selection import cross_val_score
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    Z = StandardScaler().fit_transform(X)
    score = cross_val_score(SVC(), Z, y, cv=5).mean()
""",
)
clean(
    "scaled in a pipeline",
    "score",
    arrays,
    """
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    score = cross_val_score(make_pipeline(StandardScaler(), SVC()), X, y, cv=5).mean()
""",
)
clean(
    "normalised row by row",
    "score",
    arrays,
    """
    from sklearn.model_selection import cross_val_score
    from sklearn.preprocessing import Normalizer
    from sklearn.svm import SVC
    Z = Normalizer().fit_transform(X)
    score = cross_val_score(SVC(), Z, y, cv=5).mean()
""",
)
planted(
    "fitted",
    "in two steps over one name",
    (6, 7),
    "accuracy",
    arrays,
    """
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
""",
)
clean(
    "in two steps on the training rows",
    "accuracy",
    arrays,
    """
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
""",
)
planted(
    "fitted",
    "fitted on all, applied after the split",
    (5,),
    "accuracy",
    arrays,
    """
    from sklearn.decomposition import PCA
    from sklearn.model_selection import train_test_split
    from sklearn.neighbors import KNeighborsClassifier
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, random_state=seed)
    pca = PCA(n_components=3).fit(X)
    knn = KNeighborsClassifier(5)
    knn.fit(pca.transform(X_tr), y_tr)
    accuracy = knn.score(pca.transform(X_te), y_te)
""",
)
clean(
    "components for a picture alone",
    "accuracy",
    arrays,
    """
    from sklearn.decomposition import PCA
    from sklearn.model_selection import train_test_split
    from sklearn.neighbors import KNeighborsClassifier
    picture = PCA(n_components=2).fit_transform(X)
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, random_state=seed)
    knn = KNeighborsClassifier(5)
    knn.fit(X_tr, y_tr)
    print(picture[:3])
    accuracy = knn.score(X_te, y_te)
""",
)
planted(
    "fitted",
    "imputed before folds by hand",
    (5,),
    "score",
    gaps,
    """
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
""",
)
clean(
    "imputed within folds by hand",
    "score",
    gaps,
    """
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
""",
)
planted(
    "fitted",
    "selected before cross-validation",
    (4,),
    "auc",
    arrays,
    """
    from sklearn.feature_selection import SelectKBest, f_classif
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_validate
    best = SelectKBest(f_classif, k=3).fit_transform(X, y)
    found = cross_validate(LogisticRegression(), best, y, cv=5, scoring="roc_auc")
    auc = found["test_score"].mean()
""",
)
clean(
    "selected in a pipeline",
    "auc",
    arrays,
    """
    from sklearn.feature_selection import SelectKBest, f_classif
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_validate
    from sklearn.pipeline import Pipeline
    steps = Pipeline([("best", SelectKBest(f_classif, k=3)), ("model", LogisticRegression())])
    found = cross_validate(steps, X, y, cv=5, scoring="roc_auc")
    auc = found["test_score"].mean()
""",
)
planted(
    "fitted",
    "oversampled before the split",
    (4,),
    "f1",
    rare,
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import f1_score
    from sklearn.model_selection import train_test_split
    X_res, y_res = Oversampler(random_state=1).fit_resample(X, y)
    X_train, X_test, y_train, y_test = train_test_split(X_res, y_res, test_size=0.25, random_state=seed)
    forest = RandomForestClassifier(30, random_state=seed).fit(X_train, y_train)
    f1 = f1_score(y_test, forest.predict(X_test))
""",
)
clean(
    "oversampled after the split",
    "f1",
    rare,
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import f1_score
    from sklearn.model_selection import train_test_split
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=seed)
    X_train, y_train = Oversampler(random_state=1).fit_resample(X_train, y_train)
    forest = RandomForestClassifier(30, random_state=seed).fit(X_train, y_train)
    f1 = f1_score(y_test, forest.predict(X_test))
""",
)
planted(
    "fitted",
    "a column standardised by hand",
    (4,),
    "error",
    houses,
    """
    from sklearn.linear_model import Ridge
    from sklearn.metrics import mean_squared_error
    from sklearn.model_selection import train_test_split
    df["area"] = (df["area"] - df["area"].mean()) / df["area"].std()
    X_train, X_test, y_train, y_test = train_test_split(df[["area", "rooms"]], df["price"], random_state=seed)
    error = mean_squared_error(y_test, Ridge().fit(X_train, y_train).predict(X_test))
""",
)
clean(
    "another column standardised by hand",
    "error",
    houses,
    """
    from sklearn.linear_model import Ridge
    from sklearn.metrics import mean_squared_error
    from sklearn.model_selection import train_test_split
    df["z"] = (df["age"] - df["age"].mean()) / df["age"].std()
    X_train, X_test, y_train, y_test = train_test_split(df[["area", "rooms"]], df["price"], random_state=seed)
    error = mean_squared_error(y_test, Ridge().fit(X_train, y_train).predict(X_test))
""",
)
planted(
    "fitted",
    "centred in place, cut by position",
    (4,),
    "error",
    arrays,
    """
    import numpy as np
    n = 150
    X = X.copy()
    X -= X.mean(0)
    w, *_ = np.linalg.lstsq(X[:n], y[:n], rcond=None)
    error = ((X[n:] @ w - y[n:]) ** 2).mean()
""",
)
clean(
    "centred by the training rows, cut by position",
    "error",
    arrays,
    """
    import numpy as np
    n = 150
    X = X - X[:n].mean(0)
    w, *_ = np.linalg.lstsq(X[:n], y[:n], rcond=None)
    error = ((X[n:] @ w - y[n:]) ** 2).mean()
""",
)
clean(
    "each row centred",
    "error",
    arrays,
    """
    import numpy as np
    n = 150
    X = X - X.mean(axis=1, keepdims=True)
    w, *_ = np.linalg.lstsq(X[:n], y[:n], rcond=None)
    error = ((X[n:] @ w - y[n:]) ** 2).mean()
""",
)
planted(
    "fitted",
    "moments in names, before a permutation",
    (2, 3, 4),
    "accuracy",
    arrays,
    """
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
""",
)
clean(
    "moments of the permuted training rows",
    "accuracy",
    arrays,
    """
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
""",
)
planted(
    "fitted",
    "gaps filled by the mean of all",
    (4,),
    "r2",
    houses,
    """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.metrics import r2_score
    from sklearn.model_selection import train_test_split
    df["age"] = df["age"].fillna(df["age"].mean())
    X, y = df.drop(columns=["price", "city"]), df["price"]
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    model = RandomForestRegressor(20, random_state=seed).fit(X_train, y_train)
    r2 = r2_score(y_test, model.predict(X_test))
""",
)
clean(
    "gaps filled by a number",
    "r2",
    houses,
    """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.metrics import r2_score
    from sklearn.model_selection import train_test_split
    df["age"] = df["age"].fillna(-1)
    X, y = df.drop(columns=["price", "city"]), df["price"]
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    model = RandomForestRegressor(20, random_state=seed).fit(X_train, y_train)
    r2 = r2_score(y_test, model.predict(X_test))
""",
)
planted(
    "fitted",
    "a target encoding by hand",
    (3,),
    "error",
    houses,
    """
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import train_test_split
    df["city_price"] = df["city"].map(df.groupby("city")["price"].mean())
    X, y = df[["area", "rooms", "city_price"]], df["price"]
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.2, random_state=seed)
    model = LinearRegression().fit(X_tr, y_tr)
    error = abs(model.predict(X_te) - y_te).mean()
""",
)
clean(
    "a mean of groups that is not of the target",
    "error",
    houses,
    """
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import train_test_split
    df["city_area"] = df["city"].map(df.groupby("city")["area"].mean())
    X, y = df[["area", "rooms", "city_area"]], df["price"]
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.2, random_state=seed)
    model = LinearRegression().fit(X_tr, y_tr)
    error = abs(model.predict(X_te) - y_te).mean()
""",
)
planted(
    "fitted",
    "texts weighed before folds",
    (5,),
    "score",
    texts,
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    folds = StratifiedKFold(4, shuffle=True, random_state=seed)
    D = TfidfVectorizer().fit_transform(docs)
    score = cross_val_score(LogisticRegression(), D, labels, cv=folds).mean()
""",
)
clean(
    "words counted before folds",
    "score",
    texts,
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    folds = StratifiedKFold(4, shuffle=True, random_state=seed)
    D = CountVectorizer().fit_transform(docs)
    score = cross_val_score(LogisticRegression(), D, labels, cv=folds).mean()
""",
)
planted(
    "fitted",
    "in a function of the cell",
    (7,),
    "score",
    arrays,
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.preprocessing import RobustScaler

    def prepare(A):
        scaler = RobustScaler()
        return scaler.fit_transform(A)

    score = cross_val_score(LogisticRegression(), prepare(X), y, cv=5).mean()
""",
)
clean(
    "in a function of the cell, for the training rows",
    "score",
    arrays,
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import RobustScaler

    def prepare(A, B):
        scaler = RobustScaler().fit(A)
        return scaler.transform(A), scaler.transform(B)

    A, B, a, b = train_test_split(X, y, random_state=seed)
    A, B = prepare(A, B)
    score = LogisticRegression().fit(A, a).score(B, b)
""",
)
planted(
    "fitted",
    "the model has seen the test rows",
    (4,),
    "accuracy",
    arrays,
    """
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeClassifier
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    model = DecisionTreeClassifier(random_state=seed).fit(X, y)
    accuracy = model.score(X_test, y_test)
""",
)
clean(
    "the model is fitted again",
    "accuracy",
    arrays,
    """
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeClassifier
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    model = DecisionTreeClassifier(random_state=seed)
    model.fit(X_train, y_train)
    accuracy = model.score(X_test, y_test)
    final = DecisionTreeClassifier(random_state=seed).fit(X, y)
""",
)
planted(
    "fitted",
    "columns chosen by correlation with the target",
    (3, 4, 5),
    "error",
    houses,
    """
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import cross_val_score
    relation = df.corr(numeric_only=True)["price"].drop("price").abs()
    chosen = relation.nlargest(2).index
    X = df[chosen].fillna(0)
    error = -cross_val_score(LinearRegression(), X, df["price"], cv=5, scoring="neg_mean_absolute_error").mean()
""",
)
clean(
    "correlations are only shown",
    "error",
    houses,
    """
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import cross_val_score
    relation = df.corr(numeric_only=True)["price"].drop("price").abs()
    print(relation)
    X = df[["area", "rooms"]].fillna(0)
    error = -cross_val_score(LinearRegression(), X, df["price"], cv=5, scoring="neg_mean_absolute_error").mean()
""",
)
planted(
    "fitted",
    "fitted on what an earlier cell has split",
    (4,),
    "accuracy",
    parted,
    """
    import numpy as np
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    sc = StandardScaler().fit(np.vstack([X_train, X_test]))
    clf = SVC().fit(sc.transform(X_train), y_train)
    accuracy = clf.score(sc.transform(X_test), y_test)
""",
)
clean(
    "fitted on the earlier cell's training rows",
    "accuracy",
    parted,
    """
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    sc = StandardScaler().fit(X_train)
    clf = SVC().fit(sc.transform(X_train), y_train)
    accuracy = clf.score(sc.transform(X_test), y_test)
""",
)
clean(
    "only searched on scaled training rows",
    "accuracy",
    parted,
    """
    from sklearn.model_selection import GridSearchCV
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    sc = StandardScaler()
    Z = sc.fit_transform(X_train)
    search = GridSearchCV(SVC(), {"C": [0.1, 1, 10]}, cv=3).fit(Z, y_train)
    accuracy = search.score(sc.transform(X_test), y_test)
""",
)
clean(
    "classes are numbered",
    "score",
    churn,
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.preprocessing import LabelEncoder
    y = LabelEncoder().fit_transform(df["churned"])
    X = df.drop("churned", axis=1)
    score = cross_val_score(LogisticRegression(max_iter=500), X, y, cv=5).mean()
""",
)
clean(
    "residuals and their mean",
    "r2",
    arrays,
    """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import train_test_split
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    p = Ridge().fit(X_train, y_train).predict(X_test)
    r2 = 1 - ((y_test - p) ** 2).sum() / ((y_test - y_test.mean()) ** 2).sum()
""",
)
clean(
    "pixels over their largest value",
    "score",
    arrays,
    """
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    D, t = load_digits(return_X_y=True)
    D = D / 16.0
    A, B, a, b = train_test_split(D, t, random_state=seed)
    score = LogisticRegression(max_iter=200).fit(A, a).score(B, b)
""",
)

# ---------------------------------------------------------------- the target among the features

planted(
    "target",
    "nothing was dropped",
    (3, 5),
    "score",
    churn,
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import cross_val_score
    X = df
    y = df["churned"]
    score = cross_val_score(RandomForestClassifier(20, random_state=seed), X, y, cv=4).mean()
""",
)
clean(
    "the target was dropped",
    "score",
    churn,
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import cross_val_score
    X = df.drop(columns="churned")
    y = df["churned"]
    score = cross_val_score(RandomForestClassifier(20, random_state=seed), X, y, cv=4).mean()
""",
)
clean(
    "the target was popped",
    "score",
    churn,
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import cross_val_score
    y = df.pop("churned")
    X = df
    score = cross_val_score(RandomForestClassifier(20, random_state=seed), X, y, cv=4).mean()
""",
)
clean(
    "all columns but the target",
    "score",
    churn,
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import cross_val_score
    columns = [c for c in df.columns if c != "churned"]
    score = cross_val_score(RandomForestClassifier(20, random_state=seed), df[columns], df["churned"], cv=4).mean()
""",
)
planted(
    "target",
    "something else was dropped",
    (3, 5),
    "accuracy",
    churn,
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    X = df.drop(columns=["calls"])
    y = df.churned.values
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=seed)
    accuracy = LogisticRegression(max_iter=500).fit(X_train, y_train).score(X_test, y_test)
""",
)
planted(
    "target",
    "in the list of features",
    (3, 4),
    "mae",
    houses,
    """
    from sklearn.ensemble import GradientBoostingRegressor
    from sklearn.model_selection import train_test_split
    features = ["area", "rooms", "price"]
    A, B, a, b = train_test_split(df[features], df["price"], random_state=seed)
    mae = abs(GradientBoostingRegressor(random_state=seed).fit(A, a).predict(B) - b).mean()
""",
)
clean(
    "not in the list of features",
    "mae",
    houses,
    """
    from sklearn.ensemble import GradientBoostingRegressor
    from sklearn.model_selection import train_test_split
    features = ["area", "rooms"]
    A, B, a, b = train_test_split(df[features], df["price"], random_state=seed)
    mae = abs(GradientBoostingRegressor(random_state=seed).fit(A, a).predict(B) - b).mean()
""",
)
planted(
    "target",
    "its code is a column of the data",
    (3,),
    "score",
    relabelled,
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    score = cross_val_score(LogisticRegression(max_iter=500), X, y, cv=5).mean()
""",
)
planted(
    "target",
    "its other unit is a column of the data",
    (3,),
    "error",
    celsius,
    """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import train_test_split
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=seed)
    error = ((Ridge().fit(X_train, y_train).predict(X_test) - y_test) ** 2).mean()
""",
)
planted(
    "target",
    "the last column of an array",
    (4, 6),
    "score",
    lambda: {"table": churn()["df"].to_numpy(), "seed": 0},
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    X = table
    y = table[:, -1]
    score = cross_val_score(LogisticRegression(max_iter=500), X, y, cv=5).mean()
""",
)
clean(
    "all but the last column of an array",
    "score",
    lambda: {"table": churn()["df"].to_numpy(), "seed": 0},
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    X = table[:, :-1]
    y = table[:, -1]
    score = cross_val_score(LogisticRegression(max_iter=500), X, y, cv=5).mean()
""",
)
clean(
    "the target is tomorrow's value",
    "error",
    days,
    """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import TimeSeriesSplit, cross_val_score
    X = df.iloc[:-1]
    y = df["load"].shift(-1).iloc[:-1]
    error = -cross_val_score(Ridge(), X, y, cv=TimeSeriesSplit(5), scoring="neg_mean_squared_error").mean()
""",
)

# ---------------------------------------------------------------- the same rows on both sides

planted(
    "duplicates",
    "rows entered twice",
    (3,),
    "accuracy",
    repeated,
    """
    from sklearn.model_selection import train_test_split
    from sklearn.neighbors import KNeighborsClassifier
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=seed)
    accuracy = KNeighborsClassifier(1).fit(X_train, y_train).score(X_test, y_test)
""",
)
planted(
    "duplicates",
    "a frame with copies, in shuffled folds",
    (4, 5),
    "score",
    repeated_frame,
    """
    from sklearn.model_selection import KFold, cross_val_score
    from sklearn.tree import DecisionTreeClassifier
    X, y = df.drop(columns="churned"), df["churned"]
    cv = KFold(5, shuffle=True, random_state=seed)
    score = cross_val_score(DecisionTreeClassifier(random_state=seed), X, y, cv=cv).mean()
""",
)
clean(
    "a frame with copies that are dropped",
    "score",
    repeated_frame,
    """
    from sklearn.model_selection import KFold, cross_val_score
    from sklearn.tree import DecisionTreeClassifier
    df = df.drop_duplicates()
    X, y = df.drop(columns="churned"), df["churned"]
    cv = KFold(5, shuffle=True, random_state=seed)
    score = cross_val_score(DecisionTreeClassifier(random_state=seed), X, y, cv=cv).mean()
""",
)
clean(
    "people who answer alike",
    "score",
    answers,
    """
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.tree import DecisionTreeClassifier
    cv = StratifiedKFold(5, shuffle=True, random_state=seed)
    score = cross_val_score(DecisionTreeClassifier(random_state=seed), X, y, cv=cv).mean()
""",
)
clean(
    "categories in one-hot columns",
    "accuracy",
    hot,
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    accuracy = LogisticRegression(max_iter=500).fit(X_train, y_train).score(X_test, y_test)
""",
)
planted(
    "duplicates",
    "the rare class drawn again before the split",
    (5, 6),
    "accuracy",
    churn,
    """
    import pandas as pd
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeClassifier
    few, many = df[df.churned == 1], df[df.churned == 0]
    more = few.sample(len(many), replace=True, random_state=1)
    both = pd.concat([many, more])
    X, y = both.drop(columns="churned"), both["churned"]
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    accuracy = DecisionTreeClassifier(random_state=seed).fit(X_train, y_train).score(X_test, y_test)
""",
)
clean(
    "the rare class drawn again after the split",
    "accuracy",
    churn,
    """
    import pandas as pd
    from sklearn.model_selection import train_test_split
    from sklearn.tree import DecisionTreeClassifier
    train, test = train_test_split(df, random_state=seed)
    few, many = train[train.churned == 1], train[train.churned == 0]
    both = pd.concat([many, few.sample(len(many), replace=True, random_state=1)])
    tree = DecisionTreeClassifier(random_state=seed).fit(both.drop(columns="churned"), both["churned"])
    accuracy = tree.score(test.drop(columns="churned"), test["churned"])
""",
)

# ---------------------------------------------------------------- rows that belong together

planted(
    "groups",
    "patients in shuffled folds",
    (5, 6),
    "auc",
    patients,
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    X = df.drop(columns=["ill", "patient_id"])
    y = df["ill"]
    cv = StratifiedKFold(5, shuffle=True, random_state=seed)
    auc = cross_val_score(RandomForestClassifier(20, random_state=seed), X, y, cv=cv, scoring="roc_auc").mean()
""",
)
clean(
    "patients in folds of their own",
    "auc",
    patients,
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import GroupKFold, cross_val_score
    X = df.drop(columns=["ill", "patient_id"])
    y = df["ill"]
    cv = GroupKFold(5)
    forest = RandomForestClassifier(20, random_state=seed)
    auc = cross_val_score(forest, X, y, cv=cv, groups=df["patient_id"], scoring="roc_auc").mean()
""",
)
clean(
    "one row of each patient",
    "auc",
    one_each,
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    X = df.drop(columns=["ill", "patient_id"])
    y = df["ill"]
    cv = StratifiedKFold(5, shuffle=True, random_state=seed)
    auc = cross_val_score(RandomForestClassifier(20, random_state=seed), X, y, cv=cv, scoring="roc_auc").mean()
""",
)
planted(
    "groups",
    "subjects in an array beside",
    (3,),
    "accuracy",
    subjects,
    """
    from sklearn.model_selection import train_test_split
    from sklearn.svm import SVC
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=seed)
    accuracy = SVC().fit(X_train, y_train).score(X_test, y_test)
""",
)
clean(
    "subjects in an array beside, and used",
    "accuracy",
    subjects,
    """
    from sklearn.model_selection import GroupShuffleSplit
    from sklearn.svm import SVC
    train, test = next(GroupShuffleSplit(1, random_state=seed).split(X, y, subject))
    accuracy = SVC().fit(X[train], y[train]).score(X[test], y[test])
""",
)
clean(
    "patients split by themselves",
    "accuracy",
    patients,
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    some, others = train_test_split(df["patient_id"].unique(), random_state=seed)
    train, test = df[df.patient_id.isin(some)], df[df.patient_id.isin(others)]
    columns = ["pulse", "pressure"]
    accuracy = LogisticRegression().fit(train[columns], train.ill).score(test[columns], test.ill)
""",
)
clean(
    "ratings by users of films",
    "error",
    ratings,
    """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.model_selection import train_test_split
    A, B, a, b = train_test_split(df[["user_id", "movie_id"]], df["stars"], random_state=seed)
    error = abs(RandomForestRegressor(20, random_state=seed).fit(A, a).predict(B) - b).mean()
""",
)

# ---------------------------------------------------------------- rows that follow each other

planted(
    "order",
    "days in a shuffled split",
    (4,),
    "error",
    days,
    """
    from sklearn.linear_model import LinearRegression
    from sklearn.metrics import mean_absolute_error
    from sklearn.model_selection import train_test_split
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=seed)
    error = mean_absolute_error(y_test, LinearRegression().fit(X_train, y_train).predict(X_test))
""",
)
clean(
    "days in a split that is not shuffled",
    "error",
    days,
    """
    from sklearn.linear_model import LinearRegression
    from sklearn.metrics import mean_absolute_error
    from sklearn.model_selection import train_test_split
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, shuffle=False)
    error = mean_absolute_error(y_test, LinearRegression().fit(X_train, y_train).predict(X_test))
""",
)
planted(
    "order",
    "dates as texts, in shuffled folds",
    (3, 6),
    "error",
    logged,
    """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import KFold
    folds = KFold(5, shuffle=True, random_state=seed)
    X, y = df[["temp", "lag"]].values, df["load"].values
    errors = []
    for train, test in folds.split(X):
        fitted = Ridge().fit(X[train], y[train])
        errors.append(abs(fitted.predict(X[test]) - y[test]).mean())
    error = sum(errors) / len(errors)
""",
)
clean(
    "dates as texts, cut by time",
    "error",
    logged,
    """
    from sklearn.linear_model import Ridge
    train, test = df[df["date"] < "2021-09-01"], df[df["date"] >= "2021-09-01"]
    columns = ["temp", "lag"]
    fitted = Ridge().fit(train[columns], train["load"])
    error = abs(fitted.predict(test[columns]) - test["load"]).mean()
""",
)
planted(
    "order",
    "sorted by date in the cell, then shuffled",
    (7, 8),
    "error",
    logged,
    """
    import pandas as pd
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import ShuffleSplit, cross_val_score
    df = df.sample(frac=1, random_state=1)
    df["date"] = pd.to_datetime(df["date"])
    df = df.sort_values("date")
    cv = ShuffleSplit(5, test_size=0.2, random_state=seed)
    error = -cross_val_score(Ridge(), df[["temp", "lag"]], df["load"], cv=cv, scoring="neg_mean_absolute_error").mean()
""",
)
clean(
    "a date that orders nothing",
    "accuracy",
    born,
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    X = df[["tenure", "spend", "calls", "age"]]
    X_train, X_test, y_train, y_test = train_test_split(X, df["churned"], random_state=seed)
    accuracy = LogisticRegression(max_iter=500).fit(X_train, y_train).score(X_test, y_test)
""",
)
clean(
    "days in folds that grow",
    "error",
    days,
    """
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import TimeSeriesSplit, cross_val_score
    cv = TimeSeriesSplit(n_splits=5)
    error = -cross_val_score(Ridge(), X, y, cv=cv, scoring="neg_mean_absolute_error").mean()
""",
)

# ---------------------------------------------------------------- chosen by the test rows

planted(
    "tuned",
    "stopped early by the test rows",
    (5,),
    "accuracy",
    arrays,
    """
    import lightgbm as lgb
    from sklearn.model_selection import train_test_split
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    model = lgb.LGBMClassifier(n_estimators=200, verbose=-1)
    model.fit(X_train, y_train, eval_set=[(X_test, y_test)], callbacks=[lgb.early_stopping(10, verbose=False)])
    accuracy = model.score(X_test, y_test)
""",
)
clean(
    "stopped early by validation rows",
    "accuracy",
    arrays,
    """
    import lightgbm as lgb
    from sklearn.model_selection import train_test_split
    X_rest, X_test, y_rest, y_test = train_test_split(X, y, random_state=seed)
    X_train, X_val, y_train, y_val = train_test_split(X_rest, y_rest, random_state=seed)
    model = lgb.LGBMClassifier(n_estimators=200, verbose=-1)
    model.fit(X_train, y_train, eval_set=[(X_val, y_val)], callbacks=[lgb.early_stopping(10, verbose=False)])
    accuracy = model.score(X_test, y_test)
""",
)
clean(
    "the test rows are only watched",
    "accuracy",
    arrays,
    """
    import lightgbm as lgb
    from sklearn.model_selection import train_test_split
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    model = lgb.LGBMClassifier(n_estimators=50, verbose=-1)
    model.fit(X_train, y_train, eval_set=[(X_test, y_test)], callbacks=[lgb.log_evaluation(0)])
    accuracy = model.score(X_test, y_test)
""",
)
planted(
    "tuned",
    "the best epoch by the test rows",
    (11, 12),
    "best",
    parted,
    """
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
""",
)
clean(
    "the last epoch on the test rows",
    "acc",
    parted,
    """
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
""",
)
clean(
    "the best epoch by validation rows",
    "accuracy",
    parted,
    """
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
""",
)
planted(
    "tuned",
    "the best of a list of test scores",
    (8,),
    "accuracy",
    arrays,
    """
    from sklearn.model_selection import train_test_split
    from sklearn.neighbors import KNeighborsClassifier
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    history = []
    for k in range(1, 20):
        model = KNeighborsClassifier(k).fit(X_train, y_train)
        history.append(model.score(X_test, y_test))
    accuracy = max(history)
""",
)
clean(
    "the mean of a list of test scores",
    "accuracy",
    arrays,
    """
    import numpy as np
    from sklearn.model_selection import train_test_split
    from sklearn.neighbors import KNeighborsClassifier
    history = []
    for fold in range(5):
        X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed + fold)
        model = KNeighborsClassifier(5).fit(X_train, y_train)
        history.append(model.score(X_test, y_test))
    accuracy = np.mean(history)
""",
)
planted(
    "tuned",
    "a setting chosen on the test rows",
    (4, 7),
    "accuracy",
    arrays,
    """
    from sklearn.model_selection import train_test_split
    from sklearn.svm import SVC
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    C = max([0.01, 0.1, 1, 10], key=lambda c: SVC(C=c).fit(X_train, y_train).score(X_test, y_test))
    accuracy = SVC(C=C).fit(X_train, y_train).score(X_test, y_test)
""",
)
clean(
    "a setting chosen by cross-validation",
    "accuracy",
    arrays,
    """
    from sklearn.model_selection import cross_val_score, train_test_split
    from sklearn.svm import SVC
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    C = max([0.01, 0.1, 1, 10], key=lambda c: cross_val_score(SVC(C=c), X_train, y_train, cv=3).mean())
    accuracy = SVC(C=C).fit(X_train, y_train).score(X_test, y_test)
""",
)
clean(
    "the best score of a search",
    "score",
    arrays,
    """
    from sklearn.model_selection import GridSearchCV
    from sklearn.svm import SVC
    search = GridSearchCV(SVC(), {"C": [0.1, 1, 10]}, cv=4)
    search.fit(X, y)
    score = search.best_score_
""",
)
clean(
    "the largest residual",
    "worst",
    arrays,
    """
    import numpy as np
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import train_test_split
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    p = Ridge().fit(X_train, y_train).predict(X_test)
    worst = np.abs(p - y_test).max()
""",
)

# ---------------------------------------------------------------- ordinary cells

clean(
    "a simulation",
    "gap",
    dict,
    """
    import numpy as np
    rng = np.random.default_rng(0)
    walk = rng.normal(size=1000).cumsum()
    walk = (walk - walk.mean()) / walk.std()
    gap = float(abs(np.diff(walk)).max())
""",
)
clean(
    "no split at all",
    "loss",
    arrays,
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss
    from sklearn.preprocessing import StandardScaler
    Z = StandardScaler().fit_transform(X)
    loss = log_loss(y, LogisticRegression().fit(Z, y).predict_proba(Z))
""",
)
clean(
    "clusters",
    "silhouette",
    arrays,
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score
    from sklearn.preprocessing import StandardScaler
    Z = StandardScaler().fit_transform(X)
    silhouette = silhouette_score(Z, KMeans(3, n_init=5, random_state=seed).fit_predict(Z))
""",
)
