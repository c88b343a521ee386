"""Models that are fitted and scored: scikit-learn, boosting, text."""

from ordinary.case import Case

WINES = """
from sklearn.datasets import load_wine
from sklearn.model_selection import cross_val_score, train_test_split, StratifiedKFold
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

X, y = load_wine(return_X_y=True)
"""
PATIENTS = """
import numpy as np
import pandas as pd

rng = np.random.default_rng(11)
patients = pd.DataFrame({
    "age": rng.integers(20, 90, 240),
    "dose": rng.choice(["low", "middle", "high"], 240),
    "weight": rng.normal(75, 12, 240),
    "clinic": rng.integers(0, 8, 240),
})
patients["cured"] = (patients.age + 20 * (patients.dose == "low") + rng.normal(0, 15, 240) < 62).astype(int)
"""
PATIENTS_AND_TOOLS = f"""{PATIENTS}
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import GroupKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
"""
REVIEWS = """
good = "clear sound bright warm quick solid friendly calm"
bad = "broken dull late noisy thin rude cold slow"
reviews, stars = [], []
for n in range(120):
    words = (good if n % 2 else bad).split()
    reviews.append(f"the {words[n % 8]} thing was {words[(n * 3) % 8]}" + (" but late" if n % 7 == 0 else ""))
    stars.append(n % 2)
"""

CELLS = (
    Case(
        name="pipeline",
        setup=(WINES,),
        code='''"""Does scaling matter for a support vector machine?"""
model = make_pipeline(StandardScaler(), SVC(C=0.1, gamma="scale"))
folds = StratifiedKFold(5, shuffle=True, random_state=7)
accuracy = cross_val_score(model, X, y, cv=folds).mean()
print(f"accuracy {accuracy:.4f}")''',
        metric="accuracy",
    ),
    Case(
        name="metric of one line",
        setup=(WINES,),
        code="score = cross_val_score(make_pipeline(StandardScaler(), LogisticRegression(C=0.01)), X, y).mean()",
        metric="score",
    ),
    Case(
        name="list of fold scores",
        setup=(f"{WINES}\nfrom sklearn.base import clone\nimport numpy as np",),
        code="""model = make_pipeline(StandardScaler(), SVC(kernel="linear", C=0.02))
scores = []
for train, test in StratifiedKFold(n_splits=4, shuffle=True, random_state=3).split(X, y):
    fold = clone(model).fit(X[train], y[train])
    scores.append(fold.score(X[test], y[test]))
print(scores)
mean_score = np.mean(scores)
mean_score""",
        metric="mean_score",
    ),
    Case(
        name="two metrics",
        setup=(PATIENTS_AND_TOOLS,),
        code="""features = pd.get_dummies(patients.drop(columns=["cured", "clinic"]))
a, b, ya, yb = train_test_split(features, patients.cured, test_size=0.3, random_state=1, stratify=patients.cured)
forest = RandomForestClassifier(n_estimators=30, max_depth=4, random_state=1).fit(a, ya)
f1 = f1_score(yb, forest.predict(b))
auc = roc_auc_score(yb, forest.predict_proba(b)[:, 1])
print(f"{f1=:.3f}, {auc=:.3f}")""",
        metric="auc",
    ),
    Case(
        name="group k-fold",
        setup=(PATIENTS_AND_TOOLS, "SEED = 5"),
        code="""columns = make_column_transformer((OneHotEncoder(), ["dose"]), (StandardScaler(), ["age", "weight"]))
model = make_pipeline(columns, RandomForestClassifier(n_estimators=20, random_state=SEED))
results = []
for train, test in GroupKFold(4).split(patients, groups=patients["clinic"]):
    train, test = patients.iloc[train], patients.iloc[test]
    model.fit(train, train["cured"])
    results.append({"n": len(test), "accuracy": model.score(test, test["cured"])})
results = pd.DataFrame(results)
accuracy = results["accuracy"].mean()""",
        metric="accuracy",
        seed=5,
    ),
    Case(
        name="grid search",
        setup=(f"{WINES}\nfrom sklearn.model_selection import GridSearchCV",),
        code="""grid = {"svc__C": [0.01, 0.1, 1], "svc__gamma": [0.01, 0.1]}
search = GridSearchCV(make_pipeline(StandardScaler(), SVC()), grid, cv=3, n_jobs=2)
search.fit(X, y)
best = search.best_score_
search.best_params_, best""",
        metric="best",
    ),
    Case(
        name="gradient boosting",
        setup=(
            "from sklearn.datasets import make_friedman1\nfrom sklearn.ensemble import HistGradientBoostingRegressor\n"
            "from sklearn.metrics import mean_squared_error as mse\n"
            "from sklearn.model_selection import train_test_split\n"
            "X, y = make_friedman1(400, noise=1.0, random_state=0)",
        ),
        code="""X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
booster = HistGradientBoostingRegressor(learning_rate=0.1, max_iter=60, max_leaf_nodes=15, random_state=0)
rmse = mse(y_test, booster.fit(X_train, y_train).predict(X_test)) ** 0.5""",
        metric="rmse",
    ),
    Case(
        name="early stopping on a validation set",
        setup=(
            "import lightgbm as lgb\nimport numpy as np\n"
            "rng = np.random.default_rng(2)\nX = rng.normal(size=(600, 8))\n"
            "y = X[:, 0] * X[:, 1] + np.sin(2 * X[:, 2]) + rng.normal(0, 0.3, 600)",
        ),
        code="""train = lgb.Dataset(X[:360], y[:360])
valid = lgb.Dataset(X[360:480], y[360:480], reference=train)
params = {"objective": "regression", "learning_rate": 0.1, "num_leaves": 15, "verbose": -1, "seed": 4,
          "num_threads": 1, "deterministic": True}
history = {}
booster = lgb.train(params, train, num_boost_round=300, valid_sets=[valid],
                    callbacks=[lgb.early_stopping(10, verbose=False), lgb.record_evaluation(history)])
error = y[480:] - booster.predict(X[480:], num_iteration=booster.best_iteration)
rmse = float(np.sqrt(np.mean(error ** 2)))
print(f"{booster.best_iteration} trees, rmse {rmse:.4f}")""",
        metric="rmse",
        needs=("lightgbm",),
    ),
    Case(
        name="LightGBM's classifier",
        setup=(WINES,),
        code="""from lightgbm import LGBMClassifier

model = LGBMClassifier(n_estimators=40, min_child_samples=10, random_state=0, verbosity=-1, n_jobs=1)
accuracy = cross_val_score(model, X, y, cv=StratifiedKFold(3, shuffle=True, random_state=0)).mean()""",
        metric="accuracy",
        needs=("lightgbm",),
    ),
    Case(
        name="text classification",
        setup=(REVIEWS,),
        code="""from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import f1_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import Pipeline

pipe = Pipeline([
    ("words", TfidfVectorizer(ngram_range=(1, 2), min_df=2, stop_words=["the", "was"])),
    ("model", SGDClassifier(alpha=0.01, random_state=42)),
])
predicted = cross_val_predict(pipe, reviews, stars, cv=5)
macro_f1 = f1_score(stars, predicted, average="macro")""",
        metric="macro_f1",
    ),
    Case(
        name="incremental fit, kept at its best",
        setup=(f"{WINES}\nimport numpy as np\nfrom sklearn.linear_model import SGDClassifier",),
        code="""np.random.seed(0)
order = np.random.permutation(len(y))
train, valid, test = order[:100], order[100:140], order[140:]
scaler = StandardScaler().fit(X[train])
model, best, patience, kept = SGDClassifier(alpha=1e-3, random_state=0), -1.0, 3, None
for epoch in range(50):
    model.partial_fit(scaler.transform(X[train]), y[train], classes=[0, 1, 2])
    score = model.score(scaler.transform(X[valid]), y[valid])
    if score > best:
        best, waited, kept = score, 0, (model.coef_.copy(), model.intercept_.copy())
    elif (waited := waited + 1) >= patience:
        break
model.coef_, model.intercept_ = kept
accuracy = model.score(scaler.transform(X[test]), y[test])""",
        metric="accuracy",
    ),
    Case(
        name="transformer of one's own",
        setup=(
            WINES,
            """import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

class Clip(TransformerMixin, BaseEstimator):
    def __init__(self, quantile=0.05):
        self.quantile = quantile

    def fit(self, X, y=None):
        self.low_, self.high_ = np.quantile(X, [self.quantile, 1 - self.quantile], axis=0)
        return self

    def transform(self, X):
        return np.clip(X, self.low_, self.high_)
""",
        ),
        code="""model = make_pipeline(Clip(quantile=0.1), StandardScaler(), LogisticRegression(C=0.05))
accuracy = cross_val_score(model, X, y, cv=StratifiedKFold(5, shuffle=True, random_state=1)).mean()""",
        metric="accuracy",
    ),
    Case(
        name="clustering",
        setup=("from sklearn import cluster, datasets, metrics\nblobs, _ = datasets.make_blobs(200, random_state=3)",),
        code="""labels = cluster.KMeans(n_clusters=4, n_init=3, random_state=0).fit_predict(blobs)
silhouette = metrics.silhouette_score(blobs, labels)""",
        metric="silhouette",
    ),
    Case(
        name="fitted before, scored here",
        setup=(WINES, "Xa, Xb, ya, yb = train_test_split(X, y, random_state=0)\nfitted = SVC(C=10).fit(Xa, ya)"),
        code="accuracy = fitted.score(Xb, yb)\nassert 0 <= accuracy <= 1",
        metric="accuracy",
    ),
)
