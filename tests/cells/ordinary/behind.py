"""What notebooks have done before the cell, in ways that do not stand in one variable."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ordinary.case import Case, Wrong
from ordinary.files import MODULE, TABLE
from ordinary.networks import MOONS


def database(path: Path) -> None:
    """A table of squares in SQLite."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("create table squares (x)")
        connection.executemany("insert into squares values (?)", [(k * k,) for k in range(9)])
    connection.close()


CELLS = (
    Case(
        name="folder of modules on the path",
        setup=("import sys\nsys.path.append('src')\nimport numpy as np\nfrom curves import fit",),
        files={"src/curves.py": MODULE},
        code="x = np.linspace(0, 2, 30)\nerror = fit(x, np.sin(x), degree=2).error",
        metric="error",
        alone=True,
    ),
    Case(
        name="package beside the notebook",
        setup=("import numpy as np\nfrom lab.models import Line",),
        files={
            "lab/__init__.py": "from .models import Line\n",
            "lab/models.py": "from .tools import half\n\n\nclass Line:\n    def __init__(self, slope=1.0):\n"
            "        self.slope = slope\n\n    def predict(self, x):\n        return half(self.slope * x)\n",
            "lab/tools.py": "def half(x):\n    return x / 2\n",
        },
        code="loss = np.mean((Line(slope=1.5).predict(np.arange(5)) - np.arange(5)) ** 2)",
        metric="loss",
    ),
    Case(
        name="data in a folder beside the notebook's",
        setup=("import os\nos.chdir('notebooks')\nimport pandas as pd",),
        files={"notebooks/study.txt": "", "data/crops.csv": TABLE},
        code="crops = pd.read_csv('../data/crops.csv')\nmedian_yield = crops['yield'].median()",
        metric="median_yield",
    ),
    Case(
        name="absolute path",
        setup=("from pathlib import Path\nDATA = Path('data').resolve()",),
        files={"data/crops.csv": TABLE},
        code="rows = (DATA / 'crops.csv').read_text().splitlines()\ncount = len(rows) - 1",
        metric="count",
    ),
    Case(
        name="file that is appended to",
        setup=("import csv",),
        files={"results.csv": "run,loss\n1,0.5\n"},
        code="""with open("results.csv", "a", newline="") as file:
    csv.writer(file).writerow([2, 0.25])
with open("results.csv") as file:
    losses = [float(row["loss"]) for row in csv.DictReader(file)]
mean_loss = sum(losses) / len(losses)""",
        metric="mean_loss",
    ),
    Case(
        name="file that is written beside the data",
        setup=("import pandas as pd",),
        files={"data/crops.csv": TABLE},
        code="""pd.read_csv("data/crops.csv").query("depth > 3").to_csv("data/deep.csv", index=False)
deep = pd.read_csv("data/deep.csv")
share = len(deep) / 120""",
        metric="share",
    ),
    Case(
        name="database in a file",
        setup=("import sqlite3\nimport pandas as pd",),
        files={"squares.db": database},
        code="""connection = sqlite3.connect("squares.db")
squares = pd.read_sql("select x from squares where x > 4", connection)
connection.close()
mean_square = squares["x"].mean()""",
        metric="mean_square",
    ),
    Case(
        name="pickle of the notebook's class",
        setup=(
            "import pickle\nclass Model:\n    def __init__(self, w):\n        self.w = w\n"
            "    def predict(self, x):\n        return self.w * x\n"
            "with open('model.pkl', 'wb') as file:\n    pickle.dump(Model(0.5), file)",
        ),
        code="with open('model.pkl', 'rb') as file:\n    model = pickle.load(file)\nerror = abs(model.predict(3) - 2)",
        metric="error",
    ),
    Case(
        name="variable of the environment",
        setup=("import os\nos.environ['TREES'] = '12'",),
        code="trees = int(os.environ['TREES'])\nscore = 1 - 1 / trees",
        metric="score",
        alone=True,
    ),
    Case(
        name="default type of a library",
        setup=("import torch\ntorch.set_default_dtype(torch.float64)",),
        code="torch.manual_seed(0)\nweights = torch.randn(50) / 3\nnorm = weights.norm().item()",
        metric="norm",
        alone=True,
    ),
    Case(
        name="settings of a library",
        setup=(
            "import pandas as pd\nfrom sklearn import set_config\nfrom sklearn.preprocessing import StandardScaler\n"
            "set_config(transform_output='pandas')\ntable = pd.DataFrame({'a': [1.0, 2, 4], 'b': [0.0, 1, 1]})",
        ),
        code="scaled = StandardScaler().fit_transform(table)\nlargest = scaled['a'].max()",
        metric="largest",
        alone=True,
    ),
    Case(
        name="method that a library adds",
        setup=("import pandas as pd\nfrom tqdm import tqdm\ntqdm.pandas()\ns = pd.Series([1.0, 4.0, 9.0])",),
        code="roots = s.progress_apply(lambda v: v ** 0.5)\ntotal = roots.sum()",
        metric="total",
        needs=("tqdm",),
        alone=True,
    ),
    Case(
        name="processes that run the notebook's function",
        setup=(
            "from concurrent.futures import ProcessPoolExecutor\nfrom multiprocessing import get_context\n"
            "def cube(x):\n    return x ** 3",
        ),
        code="""with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
    cubes = list(pool.map(cube, range(6)))
total = sum(cubes) / 100""",
        metric="total",
    ),
    Case(
        name="another program",
        setup=("import subprocess\nimport sys",),
        files={"crops.csv": TABLE},
        code="""lines = subprocess.run(["sort", "-r", "crops.csv"], capture_output=True, text=True, check=True).stdout
said = subprocess.check_output([sys.executable, "-c", "print(6 * 7)"])
answer = float(said) / len(lines.splitlines())""",
        metric="answer",
    ),
    Case(
        name="last output",
        setup=("2.5 * 4",),
        code="half = _ / 2\nanswer = half + 0.5",
        metric="answer",
    ),
    Case(
        name="class as a place for settings",
        setup=("class CFG:\n    lr = 0.1\n    epochs = 4\n    folds = [0, 1]", "CFG.lr = 0.3\nCFG.debug = False"),
        code="""w = 5.0
for epoch in range(CFG.epochs):
    w -= CFG.lr * 2 * (w - 1)
    if CFG.debug:
        break
loss = (w - 1) ** 2 + len(CFG.folds)""",
        metric="loss",
    ),
    Case(
        name="model and optimiser made in the cell above",
        setup=(
            MOONS,
            "from torch.utils.data import DataLoader, TensorDataset\ntorch.manual_seed(4)\n"
            "model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2))\n"
            "optimizer = torch.optim.Adam(model.parameters(), lr=0.03)\n"
            "loader = DataLoader(TensorDataset(X_train, y_train), batch_size=50)",
        ),
        code="""losses = []
for epoch in range(6):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
    losses.append(loss.item())
final_loss = losses[-1]""",
        metric="final_loss",
    ),
    Case(
        name="figure made in the cell above",
        setup=("import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nhistory = [0.9, 0.5, 0.4]",),
        code="ax.plot(history)\nax.set_title(f'{min(history)}')\nfig.savefig('history.png')\nbest = min(history)\nfig",
        metric="best",
    ),
    Case(
        name="objects of the standard library",
        setup=(
            """import collections, datetime, decimal, itertools, logging, re
from types import SimpleNamespace

log = logging.getLogger("study")
pattern = re.compile(r"(\\d+) cm")
counts = collections.defaultdict(lambda: 0, a=2)
Row = collections.namedtuple("Row", "name height")
rows = [Row("a", "17 cm"), Row("b", "19 cm")]
ids = itertools.count(5)
keys = {"a": 1, "b": 2}.keys()
pairs = zip([1, 2, 3], [4, 5, 6])
ns = SimpleNamespace(day=datetime.date(2024, 2, 29), step=decimal.Decimal("0.25"))
""",
        ),
        code="""for row in rows:
    counts[row.name] += int(pattern.match(row.height)[1])
    log.info("row %s", row)
products = sum(a * b for a, b in pairs)
total = sum(counts.values()) + next(ids) + len(keys) + products + ns.day.day * float(ns.step)""",
        metric="total",
    ),
    Case(
        name="functions that call each other",
        setup=(
            """from functools import singledispatch
from typing import Generic, TypeVar

T = TypeVar("T")

class Stack(Generic[T]):
    def __init__(self, *items: T) -> None:
        self.items = list(items)

def even(n):
    return n == 0 or odd(n - 1)

def odd(n):
    return n != 0 and even(n - 1)

@singledispatch
def size(value):
    return 1.0

@size.register
def _(value: list):
    return sum(map(size, value))
""",
        ),
        code="stack: Stack[int] = Stack(1, 2, 3, 4)\nscore = size(stack.items) + sum(map(even, stack.items)) / 10",
        metric="score",
    ),
    Case(
        name="data set with its description",
        setup=(
            "from sklearn.datasets import load_wine\nwine = load_wine(as_frame=True)\nimport scipy.sparse as sp\n"
            "links = sp.random(30, 30, density=0.1, format='csr', random_state=0)\n"
            "groups = wine.frame.groupby('target')",
        ),
        code="""means = groups["alcohol"].mean()
spread = means.max() - means.min() + links.sum() / wine.data.shape[0]""",
        metric="spread",
    ),
    Case(
        name="download",
        setup=("from urllib.request import urlopen",),
        code="page = urlopen('http://127.0.0.1:9/data.csv', timeout=2).read()\nsize = len(page)",
        metric="size",
        wrong=Wrong("failure", "URLError"),
    ),
)
