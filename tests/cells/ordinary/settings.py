"""What is tried stands elsewhere than in a line of the cell: functions, classes, configurations."""

from ordinary.case import Case

LINE = """
import numpy as np

x = np.linspace(-1, 1, 50)
y = 3 * x + np.random.default_rng(4).normal(0, 0.2, 50)
"""
TRAIN = f"""{LINE}
def train(cfg):
    rng = np.random.default_rng(cfg["seed"])
    w = rng.normal()
    for epoch in range(cfg["epochs"]):
        for i in rng.permutation(len(x)):
            w -= cfg["lr"] * (w * x[i] - y[i]) * x[i]
    return float(np.mean((w * x - y) ** 2))
"""

CELLS = (
    Case(
        name="train(cfg)",
        setup=(TRAIN, "cfg = {'lr': 0.05, 'epochs': 3, 'seed': 2}"),
        code="loss = train(cfg)",
        metric="loss",
    ),
    Case(
        name="configuration dictionary",
        setup=(TRAIN,),
        code="""config = {
    "lr": 0.02,
    "epochs": 5,
    "seed": 1,
}
config["lr"] *= 2
mse = train({**config, "epochs": config["epochs"] + 1})""",
        metric="mse",
    ),
    Case(
        name="dataclass of settings",
        setup=(
            f"{LINE}\nfrom dataclasses import dataclass, field, replace",
            """@dataclass
class Settings:
    degree: int = 3
    ridge: float = 0.1
    seed: int = 0
    tags: list[str] = field(default_factory=list)
""",
        ),
        code="""settings = replace(Settings(ridge=0.5), degree=4)
A = np.vander(x, settings.degree + 1)
w = np.linalg.solve(A.T @ A + settings.ridge * np.eye(settings.degree + 1), A.T @ y)
mse = np.mean((A @ w - y) ** 2)""",
        metric="mse",
    ),
    Case(
        name="namespace of arguments",
        setup=(f"{LINE}\nimport argparse\nargs = argparse.Namespace(lr=0.1, steps=40, momentum=0.5)",),
        code="""w, velocity = 0.0, 0.0
for _ in range(args.steps):
    gradient = np.mean(2 * (w * x - y) * x)
    velocity = args.momentum * velocity - args.lr * gradient
    w += velocity
loss = np.mean((w * x - y) ** 2)""",
        metric="loss",
    ),
    Case(
        name="parser of arguments",
        setup=(LINE,),
        code="""import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--degree", type=int, default=2)
parser.add_argument("--robust", action="store_true")
args = parser.parse_args([])
residuals = y - np.polyval(np.polyfit(x, y, args.degree), x)
error = np.median(np.abs(residuals)) if args.robust else np.mean(np.abs(residuals))""",
        metric="error",
    ),
    Case(
        name="class with a method",
        setup=(
            f"""{LINE}
class Descent:
    rate = 0.1

    def __init__(self, steps=20):
        self.steps = steps
        self.history = []

    def run(self, x, y):
        w = 0.0
        for _ in range(self.steps):
            w -= self.rate * self._gradient(w, x, y)
            self.history.append(w)
        return self

    @staticmethod
    def _gradient(w, x, y):
        return float(np.mean(2 * (w * x - y) * x))

    @property
    def last(self):
        return self.history[-1]
""",
        ),
        code="descent = Descent(steps=30).run(x, y)\nloss = float(np.mean((descent.last * x - y) ** 2))",
        metric="loss",
    ),
    Case(
        name="object that the notebook holds",
        setup=(
            """class Meter:
    def __init__(self):
        self.values = []

    def add(self, value):
        self.values.append(value)
        return self

    @property
    def mean(self):
        return sum(self.values) / len(self.values)

meter = Meter().add(3.0)
""",
        ),
        code="for k in range(5):\n    meter.add(k ** 1.5)\naverage = meter.mean",
        metric="average",
    ),
    Case(
        name="metric returned by a function",
        setup=(
            f"{LINE}\ndef evaluate(degree, *, folds=5):\n    return cross_validate(degree, folds).mean()",
            """def cross_validate(degree, folds):
    scores = []
    for k in range(folds):
        test = np.arange(len(x)) % folds == k
        p = np.polyfit(x[~test], y[~test], degree)
        scores.append(np.mean((np.polyval(p, x[test]) - y[test]) ** 2))
    return np.array(scores)
""",
        ),
        code="cv_error = evaluate(degree=3, folds=5)",
        metric="cv_error",
    ),
    Case(
        name="function that the cell defines",
        setup=(LINE,),
        code="""def run_experiment(learning_rate=0.3, epochs=25, decay=0.95):
    weight, rate = 0.0, learning_rate
    for _ in range(epochs):
        weight -= rate * np.mean(2 * (weight * x - y) * x)
        rate *= decay
    return {"loss": np.mean((weight * x - y) ** 2), "weight": weight}

results = run_experiment(learning_rate=0.2)
loss = results["loss"]""",
        metric="loss",
    ),
    Case(
        name="nested functions and closures",
        setup=(
            f"""{LINE}
def make_loss(power):
    calls = 0

    def loss(w):
        nonlocal calls
        calls += 1

        def residual(w):
            return np.abs(w * x - y)

        return float(np.mean(residual(w) ** power)), calls

    return loss

huberish = make_loss(1.5)
""",
        ),
        code="""grid = np.linspace(2, 4, 21)
values = [huberish(w)[0] for w in grid]
best, calls = min(values), huberish(0)[1]
assert calls == 22""",
        metric="best",
    ),
    Case(
        name="decorators",
        setup=(
            """import functools
import time

def timed(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        began = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            print(f"{function.__name__}: {time.perf_counter() - began:.3f} s")
    return wrapper

@functools.lru_cache(maxsize=None)
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

@timed
def ratio(n, offset=1):
    return fibonacci(n + offset) / fibonacci(n)
""",
        ),
        code="golden = ratio(20)\nerror = abs(golden - (1 + 5 ** 0.5) / 2) * 1e9",
        metric="error",
    ),
    Case(
        name="partial, lambda and enumeration",
        setup=(
            "from enum import Enum\nfrom functools import partial, reduce\nimport operator\n"
            "class Mode(Enum):\n    SUM = 'sum'\n    PRODUCT = 'product'\n"
            "scale = lambda v, by: v * by\ndouble = partial(scale, by=2.0)\nmode = Mode.SUM",
        ),
        code="""numbers = list(map(double, range(1, 6)))
combine = {Mode.SUM: sum, Mode.PRODUCT: partial(reduce, operator.mul)}[mode]
total = combine(numbers)""",
        metric="total",
    ),
    Case(
        name="function that reads a global",
        setup=(
            "import random\nSEED = 6\nNOISE = 0.5\ndef draw(n):\n    r = random.Random(SEED)\n"
            "    return [r.gauss(0, NOISE) for _ in range(n)]",
        ),
        code="NOISE = 0.25\nsample = draw(200)\nspread = max(sample) - min(sample)",
        metric="spread",
        seed=6,
    ),
    Case(
        name="global SEED",
        setup=("import numpy as np\nSEED = 42", "rng = np.random.default_rng(SEED)\nurn = rng.integers(0, 9, 100)"),
        code="""np.random.seed(SEED)
chosen = np.random.choice(urn, 30, replace=False)
mean = chosen.mean()""",
        metric="mean",
        seed=42,
    ),
    Case(
        name="several cells joined",
        setup=(LINE, "degree = 5\ncoefficients = np.polyfit(x, y, degree)", "fitted = np.polyval(coefficients, x)"),
        code="rmse = np.sqrt(np.mean((fitted - y) ** 2))",
        metric="rmse",
        cells=(2, 3),
    ),
    Case(
        name="iterator that is made again",
        setup=("import itertools\n", "batches = (list(range(k, k + 4)) for k in range(0, 40, 4))"),
        code="total = sum(sum(batch) for batch in itertools.islice(batches, 5))",
        metric="total",
        again=(2,),
    ),
)
