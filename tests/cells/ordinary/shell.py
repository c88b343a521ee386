"""What people type in IPython besides Python, and what a notebook shows."""

from ordinary.case import Case

LOG = "".join(f"step {n} loss {1 / (n + 2):.4f}\n" for n in range(30))

CELLS = (
    Case(
        name="lines of the shell",
        setup=("folder = 'logs'",),
        files={"logs/train.log": LOG},
        code="""!echo reading {folder}
lines = !grep loss {folder}/train.log
files = !ls $folder
print(files)
loss = float(lines[-1].split()[-1]) / len(lines)""",
        metric="loss",
    ),
    Case(
        name="magics",
        setup=("%matplotlib inline\nimport numpy as np\nimport matplotlib.pyplot as plt",),
        code="""%config InlineBackend.figure_format = "svg"
%precision 4
values = np.linspace(0, 1, 11)
%time area = np.trapezoid(values ** 2, values)
plt.plot(values, values ** 2)
plt.show()
np.trapezoid?
np.trapezoid??
?plt
area""",
        metric="area",
    ),
    Case(
        name="timed cell",
        setup=("import math",),
        code="%%time\n\nscale = 0.7\nerror = abs(math.erf(scale) - math.tanh(1.2 * scale))",
        metric="error",
    ),
    Case(
        name="cell whose output is kept",
        setup=("import math",),
        code="%%capture kept --no-stderr\nprint('many words')\nx = 0.3\ngap = math.sin(x) - x + x ** 3 / 6",
        metric="gap",
    ),
    Case(
        name="timeit beside the metric",
        setup=("import numpy as np\nmatrix = np.random.default_rng(0).normal(size=(20, 20))",),
        code="""%timeit -n 2 -r 2 np.linalg.svd(matrix)
ranked = np.linalg.svd(matrix, compute_uv=False)
ratio = ranked[0] / ranked[4]""",
        metric="ratio",
    ),
    Case(
        name="environment and history",
        setup=("import os",),
        code="%env OMP_NUM_THREADS=1\nthreads = int(os.environ['OMP_NUM_THREADS'])\nshare = threads / 4\nshare;",
        metric="share",
    ),
    Case(
        name="script that is run",
        setup=("base = 2.0",),
        files={"prepare.py": "import math\nlevels = [math.sqrt(k) for k in range(8)]\n"},
        code="%run prepare.py\nheight = base * max(levels)",
        metric="height",
    ),
    Case(
        name="top-level await",
        setup=(
            "import asyncio\nasync def fetch(n):\n    await asyncio.sleep(0.001 * (5 - n))\n    return n ** 2\n"
            "class Session:\n    async def __aenter__(self):\n        return self\n"
            "    async def __aexit__(self, *_):\n        return False",
        ),
        code="""async def squares(n):
    for k in range(n):
        yield await fetch(k)

results = await asyncio.gather(*(fetch(n) for n in range(5)))
async with Session() as session:
    streamed = [value async for value in squares(4)]
total = sum(results) + sum(streamed) / 10""",
        metric="total",
    ),
    Case(
        name="display",
        setup=("import pandas as pd\nfrom IPython.display import HTML, Markdown, display, clear_output",),
        code="""table = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 0.25, 0.125]})
display(Markdown("**results**"), HTML("<hr>"))
handle = display(table.style.format(precision=2), display_id=True)
clear_output(wait=True)
display(table.describe())
handle.update(table)
product = (table.a * table.b).sum()
table""",
        metric="product",
    ),
    Case(
        name="plots",
        setup=("import numpy as np\nimport matplotlib.pyplot as plt\nplt.rcParams['figure.figsize'] = (4, 3)",),
        code="""t = np.arange(0, 6, 0.05)
damping = 0.3
wave = np.exp(-damping * t) * np.cos(4 * t)
fig, axes = plt.subplots(1, 2, sharey=True)
axes[0].plot(t, wave, label=f"damping {damping}")
axes[0].legend()
axes[1].hist(wave, bins=12, orientation="horizontal")
fig.tight_layout()
fig.savefig("wave.png", dpi=60)
plt.show()
energy = np.sum(wave ** 2) * 0.05""",
        metric="energy",
    ),
    Case(
        name="progress bars",
        setup=("from tqdm import tqdm, trange\nfrom tqdm.auto import tqdm as auto\nimport random",),
        code="""rng = random.Random(4)
total = 0.0
for epoch in trange(3, desc="epochs"):
    with tqdm(range(20), leave=False) as bar:
        for batch in bar:
            total += rng.random() * 0.9 ** epoch
            bar.set_postfix(total=f"{total:.2f}")
for _ in auto(range(5)):
    total -= 0.1""",
        metric="total",
        needs=("tqdm",),
    ),
    Case(
        name="cell that prints much",
        code="""import sys
import logging

logging.basicConfig(level=logging.INFO)
drift = 0.0
for step in range(4000):
    drift += ((step * 7919) % 13 - 6) / 100
    print(f"step {step:5d}  drift {drift:+.4f}  " + "." * 60)
    if step % 200 == 0:
        print("still going", file=sys.stderr)
        logging.info("step %d", step)
final = abs(drift)""",
        metric="final",
    ),
    Case(
        name="last value and history of outputs",
        setup=("3 + 4",),
        code="half = 3.5\nhalf * 2\nvalue = half ** 2",
        metric="value",
    ),
    Case(
        name="widget that is only shown",
        setup=("import ipywidgets as widgets\nfrom IPython.display import display",),
        code="slider = widgets.FloatSlider(value=0.3, min=0, max=1)\ndisplay(slider)\nloss = (slider.value - 0.5) ** 2",
        metric="loss",
        needs=("ipywidgets",),
    ),
    Case(
        name="lines of the shell in blocks",
        files={"a.txt": "1\n2\n", "b.txt": "3\n"},
        code="""%load_ext autoreload
%autoreload 2
def count(name):
    found = !wc -l < {name}
    return int(found[0])

total = 0
for name in ["a.txt", "b.txt"]:
    if not name.startswith("_"):
        !cat {name} > /dev/null
        %time total += count(name)
text = ("%d lines"
        % total)
print("is it done? yes!", text)""",
        metric="total",
    ),
    Case(
        name="where it runs",
        code="""try:
    import google.colab
    where = 2.0
except ImportError:
    where = 1.0
if "ZMQInteractiveShell" in str(get_ipython()) or hasattr(get_ipython(), "run_cell"):
    where += 0.5""",
        metric="where",
    ),
    Case(
        name="progress bar of notebooks",
        setup=("from tqdm.notebook import tqdm",),
        code="total = 0\nfor k in tqdm(range(20), desc='k'):\n    total += k ** 0.5",
        metric="total",
        needs=("tqdm", "ipywidgets"),
    ),
)
