"""Cells that read and write files, and modules beside the notebook."""

from __future__ import annotations

import math
from pathlib import Path

from ordinary.case import Case

ROWS = [(n % 3, n / 10, 2 * n / 10 + math.sin(n)) for n in range(120)]
TABLE = "plot,depth,yield\n" + "".join(f"p{plot},{depth:.1f},{crop:.6f}\n" for plot, depth, crop in ROWS)
SETTINGS = """
model:
  alpha: 0.5
  fit_intercept: true
split: {test_size: 0.25, seed: 3}
"""
MODULE = '''
"""Helpers of this notebook."""

from dataclasses import dataclass

import numpy as np

SCALE = 2.0


@dataclass
class Result:
    slope: float
    error: float


def fit(x, y, degree=1):
    coefficients = np.polyfit(x, y, degree)
    return Result(coefficients[0], float(np.mean((np.polyval(coefficients, x) - y) ** 2)) / SCALE)
'''


def parquet(path: Path) -> None:
    """The same table as Parquet."""
    import pandas as pd

    pd.DataFrame(ROWS, columns=["plot", "depth", "yield"]).to_parquet(path)


def arrays(path: Path) -> None:
    """Two arrays in NumPy's own archive."""
    import numpy as np

    np.savez(path, x=np.arange(50.0), y=np.sqrt(np.arange(50.0)))


CELLS = (
    Case(
        name="frame from CSV",
        setup=("import pandas as pd\nfrom sklearn.linear_model import Ridge\nfrom sklearn.metrics import r2_score",),
        files={"data/crops.csv": TABLE},
        code="""df = pd.read_csv("data/crops.csv")
df["deep"] = df.depth > 6
train = df.sample(frac=0.7, random_state=0)
test = df.drop(train.index)
model = Ridge(alpha=10.0).fit(train[["depth", "deep"]], train["yield"])
r2 = r2_score(test["yield"], model.predict(test[["depth", "deep"]]))
df.groupby("plot")["yield"].mean()""",
        metric="r2",
    ),
    Case(
        name="frame from Parquet",
        setup=("import pandas as pd\nimport numpy as np\nfrom pathlib import Path\nDATA = Path('data')",),
        files={"data/crops.parquet": parquet},
        code="""crops = pd.read_parquet(DATA / "crops.parquet", columns=["depth", "yield"])
slope, intercept = np.polyfit(crops["depth"], crops["yield"], 1)
error = (crops["yield"] - (slope * crops["depth"] + intercept)).std()""",
        metric="error",
        needs=("pyarrow",),
    ),
    Case(
        name="frame that was read in the cell above",
        setup=(
            "import pandas as pd\ncrops = pd.read_csv('crops.csv')\ncrops['plot'] = crops['plot'].astype('category')",
        ),
        files={"crops.csv": TABLE},
        code="""crops["band"] = pd.cut(crops["depth"], bins=6)
means = crops.groupby(["plot", "band"], observed=True)["yield"].mean().unstack()
spread = means.std(axis=1).mean()""",
        metric="spread",
    ),
    Case(
        name="YAML file that the cell reads",
        setup=("import yaml\nimport numpy as np\nfrom sklearn.linear_model import Ridge\nimport pandas as pd",),
        files={"config.yaml": SETTINGS, "crops.csv": TABLE},
        code="""with open("config.yaml") as file:
    cfg = yaml.safe_load(file)
crops = pd.read_csv("crops.csv")
rng = np.random.default_rng(cfg["split"]["seed"])
held_out = rng.random(len(crops)) < cfg["split"]["test_size"]
model = Ridge(**cfg["model"]).fit(crops.loc[~held_out, ["depth"]], crops.loc[~held_out, "yield"])
score = model.score(crops.loc[held_out, ["depth"]], crops.loc[held_out, "yield"])""",
        metric="score",
        needs=("yaml",),
    ),
    Case(
        name="local module",
        setup=("import numpy as np\nimport helpers\nx = np.linspace(0, 3, 40)\ny = np.exp(x)",),
        files={"helpers.py": MODULE},
        code="from helpers import fit\n\nhelpers.SCALE\nresult = fit(x, y, degree=2)\nmse = result.error",
        metric="mse",
    ),
    Case(
        name="many files by a pattern",
        setup=("import json\nfrom pathlib import Path",),
        files={f"runs/{n}.json": f'{{"loss": {1 / (n + 1):.4f}}}' for n in range(5)},
        code="""paths = sorted(Path("runs").glob("*.json"))
losses = {path.stem: json.loads(path.read_text())["loss"] for path in paths}
mean_loss = sum(losses.values()) / len(losses)
Path("summary.json").write_text(json.dumps(losses))""",
        metric="mean_loss",
    ),
    Case(
        name="arrays from an archive",
        setup=("import numpy as np",),
        files={"arrays.npz": arrays},
        code="""with np.load("arrays.npz") as archive:
    x, y = archive["x"], archive["y"]
correlation = np.corrcoef(x, y)[0, 1]""",
        metric="correlation",
    ),
    Case(
        name="database in memory",
        setup=("import sqlite3\nimport csv",),
        files={"crops.csv": TABLE},
        code="""with sqlite3.connect(":memory:") as db, open("crops.csv") as file:
    db.execute("create table crops (plot text, depth real, crop real)")
    db.executemany("insert into crops values (:plot, :depth, :yield)", csv.DictReader(file))
    (best,) = db.execute("select max(m) from (select avg(crop) m from crops group by plot)").fetchone()
db.close()""",
        metric="best",
    ),
    Case(
        name="connection that is made again",
        setup=(
            "import sqlite3",
            "db = sqlite3.connect(':memory:')\ndb.execute('create table t (x)')\n"
            "db.executemany('insert into t values (?)', [(k * k,) for k in range(10)])",
        ),
        code="limit = 30\n(count,) = db.execute('select count(*) from t where x < ?', (limit,)).fetchone()",
        metric="count",
        again=(2,),
    ),
)
