"""Shared beginnings change no result: the same experiments with and without snapshots, seed by seed."""

from __future__ import annotations

import ast
import asyncio
import hashlib
import random
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import cloudpickle
import msgspec
import pytest

from jupyter_swarm.cell.modules import Local
from jupyter_swarm.cell.vocabulary import CLOCK
from jupyter_swarm.experiments import NotebookLaboratory
from jupyter_swarm.experiments.executor import Executor
from jupyter_swarm.experiments.nursery import Nursery
from jupyter_swarm.experiments.prefixes import REMEMBERED, Prefixes, Share
from jupyter_swarm.experiments.records.record import gist
from jupyter_swarm.experiments.setup import Setup
from jupyter_swarm.experiments.worker.clocks import readers
from jupyter_swarm.words import Analysis, Capture, Context, Experiment, Run
from jupyter_swarm.workspace import Workspace

SLOW = "import time\ntime.sleep(0.1)\n"
CELLS = {
    "draws afterwards": SLOW + "import numpy as np, random\nX = np.arange(10.0)\n"
    "score = float((X * {C}).sum() + np.random.rand() + random.random() + np.random.default_rng(seed).random())",
    "draws before": SLOW + "import numpy as np\nX = np.random.rand(5)\nscore = float(X.sum() * {C} + np.random.rand())",
    "unseeded generator": SLOW + "import numpy as np\nrng = np.random.default_rng()\n"
    "score = float({C} + (rng.random() >= 0))",
    "reads the seed": SLOW + "import numpy as np\nX = np.random.default_rng(seed).random(4)\ntime.sleep(0.1)\n"
    "score = float(X.sum() * {C})",
    "a function sees it": SLOW + "def scaled(x):\n    return x * factor\nfactor = {C}\nscore = scaled(3.0)",
    "uses it early": "import time\nfactor = {C}\nlist_ = [factor] * 3\ntime.sleep(0.1)\nscore = float(sum(list_))",
    "an open file": SLOW + "f = open('data.txt')\nf.readline()\nscore = float(f.readline()) * {C}",
    "changed afterwards": SLOW + "table = {{'a': [1.0]}}\ntable['a'].append({C})\nscore = sum(table['a'])",
    "globals": SLOW + "score = float(globals().get('C_', 5.0)) * {C}",
    "prints and fails": SLOW + "print('prepared')\nprint(1 / ({C} - 1))\nscore = 1.0",
}


def both(
    workspace: Workspace, context: Context, codes: list[str], seeds: range
) -> tuple[list[Run], list[Run], NotebookLaboratory]:
    """Each code with each seed, as screening and as evidence, in turn."""
    laboratory = NotebookLaboratory(workspace, "wine", Analysis(code=""), context, workers=2)

    async def main() -> tuple[list[Run], list[Run]]:
        await laboratory.open()
        try:
            shared, whole = [], []
            for code in codes:
                for seed in seeds:
                    for purpose, found in (("screening", shared), ("confirmation", whole)):
                        one = Experiment(code=code, seed=seed, metric="score", context="c", purpose=purpose)  # type: ignore[arg-type]
                        found.append(await laboratory.run(one, 60.0))
            return shared, whole
        finally:
            await laboratory.close()

    return *asyncio.run(main()), laboratory


@pytest.mark.parametrize("name", CELLS)
def test_the_same_with_and_without(name: str, workspace: Workspace, context: Context, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("1\n2\n3\n4\n")
    shared, whole, _ = both(workspace, context, [CELLS[name].format(C=C) for C in (1, 2, 2.5)], range(3))
    assert [(one.value, one.message, one.traceback) for one in shared] == [
        (one.value, one.message, one.traceback) for one in whole
    ]
    assert any(one.ok for one in whole)


def test_a_captured_function_that_reads_what_differs(workspace: Workspace, context: Context) -> None:
    scope: dict[str, Any] = {"__name__": "__main__", "lr": 0.5}
    exec("def loaded(n):\n    return n * lr", scope)
    data = cloudpickle.dumps({"loaded": scope["loaded"], "lr": 0.5})
    name = hashlib.sha256(data).hexdigest()
    (workspace.captures / f"{name}.pkl").write_bytes(data)
    captures = tuple(Capture(name=each, kind="data", describes="") for each in ("loaded", "lr"))
    rich = msgspec.structs.replace(context, pickle=name, captures=captures)
    codes = [SLOW + f"base = loaded(4)\nlr = {lr}\nscore = base + loaded(1) + lr" for lr in (0.25, 3.0)]
    shared, whole, _ = both(workspace, rich, codes, range(2))
    assert [one.value for one in shared] == [one.value for one in whole]
    assert all(one.ok for one in whole)


def share(number: int, code: str) -> tuple[dict[str, Any], Share]:
    cells = [{"index": 0, "source": f"factor = {number}\nseed = {number}"}, {"index": 1, "source": code}]
    return {"cells": cells}, Share(1, code, {"factor": number, "seed": number}, "")


def inside(tmp_path: Path, body: Callable[[Executor], Awaitable[Any]], workers: int = 2, **setup: Any) -> Any:
    async def main() -> Any:
        executor = Executor(Setup(sys.executable, str(tmp_path), mirror=True, **setup), workers)
        await executor.open()
        try:
            return await body(executor)
        finally:
            await executor.close()

    return asyncio.run(main())


def test_preparation_is_paid_once_and_shown_as_each_ones_own(tmp_path: Path) -> None:
    code = "import time\ntime.sleep(1.0)\nprint('prepared')\nscore = factor * 2"

    async def body(executor: Executor) -> list[Any]:
        return list(await asyncio.gather(*(executor.run(job, 60.0, share=s) for job, s in jobs)))

    jobs = [share(number, code) for number in range(20)]
    began = time.monotonic()
    found = inside(tmp_path, body)
    assert time.monotonic() - began < 10.0
    for ended in found:
        seconds = gist(ended.frames, result=9, own=1).seconds
        assert seconds is not None
        assert 1.0 <= seconds < 3.0, "what it would have taken by itself"
        assert ended.frames.count(b"prepared") == 1


def test_a_deeper_beginning_is_a_fork_of_a_shorter_one(tmp_path: Path) -> None:
    code = (
        "import time\ntime.sleep(0.3)\nX = [1, 2]\nY = [x * factor for x in X]\ntime.sleep(0.3)\nscore = sum(Y)\nscore"
    )

    async def body(executor: Executor) -> tuple[list[bytes], int]:
        found = []
        for _ in range(4):
            for number in (1, 2):
                job, one = share(number, code)
                found.append((await executor.run(job, 60.0, share=one)).frames)
        return found, len(executor._prefixes._made)

    frames, made = inside(tmp_path, body)
    assert made == 3, "one that both share, and one more for each"
    for index, told in enumerate(frames):
        assert f'"text/plain":"{3 * (1 + index % 2)}"'.encode() in told


@pytest.mark.parametrize(("size", "shared"), [(4, True), (600, False)])
def test_more_threads_than_one_are_started_when_they_are_needed(tmp_path: Path, size: int, shared: bool) -> None:
    """With fewer workers than cores, a beginning is shared unless its products of matrices start threads."""
    code = (
        f"import os, time\nimport numpy as np\nA = np.ones(({size}, {size})) @ np.ones(({size}, {size}))\n"
        "time.sleep(0.2)\nB = np.ones((600, 600)) @ np.ones((600, 600))\n"
        "print(factor * A.sum(), len(os.listdir('/proc/self/task')))"
    )

    async def body(executor: Executor) -> tuple[list[bytes], int]:
        found = []
        for number in range(3):
            job, one = share(number, code)
            found.append((await executor.run(job, 60.0, share=one)).frames)
        return found, len(executor._prefixes._made)

    frames, made = inside(tmp_path, body, workers=1, imports=("import numpy",), threads=2)
    assert bool(made) is shared
    for number, told in enumerate(frames):
        assert f'"text":"{float(number * size**3)} 2'.encode() in told


def test_a_snapshot_that_dies_is_done_without(tmp_path: Path) -> None:
    code = "import time, os\ntime.sleep(0.2)\nme = os.getpid()\nscore = factor\nprint(factor)"

    async def body(executor: Executor) -> list[bytes]:
        job, one = share(1, code)
        await executor.run(job, 60.0, share=one)
        (snapshot,) = executor._prefixes._made.values()
        flying = [asyncio.ensure_future(executor.run(job, 60.0, share=one)) for job, one in map(slow, range(4))]
        await asyncio.sleep(0.1)
        assert snapshot.busy
        snapshot.line.close()
        return [(await each).frames for each in flying]

    def slow(number: int) -> tuple[dict[str, Any], Share]:
        return share(number, code + "\ntime.sleep(0.5)\nprint('came to its end')")

    assert all(b"came to its end" in told for told in inside(tmp_path, body))


@pytest.mark.parametrize(
    ("code", "names", "counts"),
    [
        ("a = 1\nb = 2\nc = 3", frozenset(), [1, 2]),
        ("a = 1; b = 2\nc = 3", frozenset(), [2]),
        ("a = globals()\nb = 2\nc = 3", frozenset(), []),
        ("a = 1\nb = In[-1]\nc = 3", frozenset(), [1]),
        ("a = 1\nb = 2\nc = 3", frozenset(["eval"]), []),
        ("a = 1\nb = 2\nc = 3", None, []),
        ("a = = 1", frozenset(), []),
        ("x = '''\na = 1\n'''\nb = 2\n@f\ndef g(): pass\nc = 1", frozenset(), [1, 2, 3]),
    ],
)
def test_beginnings(code: str, names: frozenset[str] | None, counts: list[int]) -> None:
    found = Prefixes(names).beginnings(Share(3, code, {"p": 1}, ""))
    assert [each.statements for each in found] == counts
    assert all(code.startswith(each.text) for each in found)


READS = [
    "import time\n{}began = time.time()",
    "import time as t\n{}began = t.monotonic()",
    "import time as t\n{}began = t.strftime('%H')",
    "from time import perf_counter as tick\n{}began = tick()",
    "from time import time\n{}began = time()",
    "from time import *\n{}began = process_time()",
    "import timeit\n{}began = timeit.default_timer()",
    "from datetime import datetime\n{}began = datetime.now()",
    "import datetime as dt\n{}began = dt.date.today()",
    "import numpy as np\n{}began = np.datetime64('now')",
    "import pandas as pd\n{}began = pd.Timestamp.now()",
    "import os\n{}began = os.times()",
    "import time\n{}if True:\n    began = [time.time() for n in range(3)]",
    "import time\n{}clock = time.perf_counter",
    "import time\n{}began = (lambda: time.time())()",
    "import time\ndef begin():\n    return time.time()\n{}began = begin()",
    "import time\ndef first():\n    return second()\ndef second():\n    return time.time()\n{}began = first()",
    "import time\nclass Watch:\n    def __init__(self):\n        self.began = time.time()\n{}watch = Watch()",
    "import time\n{}@kept\ndef begin():\n    return time.time()",
]
"""Cells whose statement after `{}` reads a clock."""
READS_NONE = [
    "import time\n{}time.sleep(0.1)",
    "from time import sleep\n{}sleep(0.1)",
    "{}time = table['time']\nlater = time.max() + table.time.mean()",
    "{}today = table['today']\nnow = today + 1",
    "import time\n{}def begin():\n    return time.time()",
    "import datetime\n{}day = datetime.time(12, 30)",
]


@pytest.mark.parametrize(
    ("code", "reads"), [*((each, True) for each in READS), *((each, False) for each in READS_NONE)]
)
def test_nothing_is_shared_from_the_first_statement_on_that_reads_a_clock(code: str, reads: bool) -> None:
    before, _, after = code.partition("{}")
    kept = len(ast.parse(before).body)
    whole = kept + len(ast.parse(after).body)
    found = Prefixes(frozenset()).beginnings(Share(3, f"{before}{after}\nscore = 1", {"p": 1}, ""))
    assert [each.statements for each in found] == list(range(1, (kept if reads else whole) + 1))


@pytest.mark.parametrize(
    ("imports", "lent", "code"),
    [
        (("from time import time as tick",), frozenset(), "tick()"),
        (("import time as clock",), frozenset(), "clock.strftime('%H')"),
        ((), frozenset(["begin"]), "begin()"),
        (("from helpers import begin as start",), frozenset(["begin"]), "start()"),
        (("import helpers as h",), frozenset(["begin"]), "h.begin()"),
    ],
)
def test_what_the_notebook_lends_may_read_a_clock(imports: tuple[str, ...], lent: frozenset[str], code: str) -> None:
    one = Share(3, f"a = 1\nb = {code}\nscore = 1", {"p": 1}, "")
    assert [each.statements for each in Prefixes(frozenset(), imports, lent).beginnings(one)] == [1]
    assert [each.statements for each in Prefixes(frozenset()).beginnings(one)] == [1, 2]


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("def one():\n    return time.time()", True),
        ("def one():\n    return time()", True),
        ("def one():\n    return time", True),
        ("def one():\n    import time as t\n    return t.time()", True),
        ("def one():\n    from time import monotonic as m\n    return m()", True),
        ("def one():\n    return [pd.Timestamp.now() for _ in range(2)]", True),
        ("def one():\n    return np.datetime64('now')", True),
        ("class one:\n    @property\n    def began(self):\n        return time.time()", True),
        ("def one():\n    return other()\ndef other():\n    return time.time()", True),
        ("class Watch:\n    def begin(self):\n        self.at = time.time()\none = Watch()", True),
        ("import functools\n@functools.cache\ndef one():\n    return time.time()", True),
        ("import time\none = time.monotonic", True),
        ("def one():\n    return time.sleep(1)", False),
        ("def one(now, today=1):\n    time = now['time']\n    return time.max()", False),
        ("class one:\n    rate = 3", False),
    ],
)
def test_the_code_of_a_captured_function_tells_whether_it_reads_a_clock(source: str, reads: bool) -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(source, space)
    captured = {name: each for name, each in space.items() if not name.startswith("__") and name != "time"}
    assert ("one" in readers(captured, "", CLOCK)) is reads


TIMED = "time.sleep(0.2)\nbegan = {}\ntime.sleep(0.1)\nX = [1, 2]\nscore = time.time() - began + 0 * {{C}}"


def aged(workspace: Workspace, context: Context, code: str) -> tuple[list[Run], int]:
    """Three screening runs with more than a second between the first and the last; how many snapshots were made."""
    laboratory = NotebookLaboratory(workspace, "wine", Analysis(code=""), context, workers=1)

    async def main() -> tuple[list[Run], int]:
        await laboratory.open()
        try:
            runs = []
            for C in range(3):
                one = Experiment(code=code.format(C=C), seed=C, metric="score", context="c", purpose="screening")
                runs.append(await laboratory.run(one, 60.0))
                await asyncio.sleep(0.6)
            return runs, len(laboratory._executor._prefixes._made)
        finally:
            await laboratory.close()

    return asyncio.run(main())


def test_what_a_cell_times_is_its_own_time(workspace: Workspace, context: Context) -> None:
    runs, made = aged(workspace, context, "import time\n" + TIMED.format("time.time()"))
    assert all(each.value is not None and 0.1 <= each.value < 0.5 for each in runs), runs
    assert made == 1, "what is before the clock is shared"


def test_so_it_is_where_a_function_of_the_notebook_or_of_a_module_begins(
    workspace: Workspace, context: Context
) -> None:
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec("def begin():\n    import time\n    return time.time()", scope)
    data = cloudpickle.dumps({"begin": scope["begin"]})
    taken = hashlib.sha256(data).hexdigest()
    (workspace.captures / f"{taken}.pkl").write_bytes(data)
    named, archive = Local({"watches.py": b"import time\ndef begin():\n    return time.time()\n"}).archive()
    (workspace.captures / f"{named}.zip").write_bytes(archive)
    captures = (Capture(name="begin", kind="data", describes=""),)
    rich = msgspec.structs.replace(context, pickle=taken, captures=captures, modules=named, imports=("import watches",))
    for code in ("import time\n" + TIMED.format("begin()"), "import time, watches\n" + TIMED.format("watches.begin()")):
        runs, made = aged(workspace, rich, code)
        assert all(each.value is not None and 0.1 <= each.value < 0.5 for each in runs), runs
        assert made == 1


def test_what_is_remembered_of_beginnings_has_an_end() -> None:
    code = "\n".join([*(f"a{n} = f{n}(lr, depth, width)" for n in range(40)), "score = a1"])
    prefixes, nursery = Prefixes(frozenset()), Nursery(Setup(sys.executable, ""), 1)

    def shares(count: int) -> list[Share]:
        return [Share(3, code, {name: random.random() for name in ("lr", "depth", "width")}, "") for _ in range(count)]

    async def ask(count: int) -> int:
        for one in shares(count):
            assert await prefixes.snapshot(nursery, one, {}) is None
        return tracemalloc.get_traced_memory()[0]

    prefixes.learn(shares(1)[0], [(0.0001 * n, "") for n in range(41)])
    tracemalloc.start()
    try:
        early, late = asyncio.run(ask(300)), asyncio.run(ask(600))
    finally:
        tracemalloc.stop()
    assert late - early < 500_000


def test_what_is_asked_for_again_is_counted_though_many_others_came_between() -> None:
    prefixes = Prefixes(frozenset())
    one, *others = [Share(3, "a = lr\nb = 1\nscore = a", {"lr": lr}, "") for lr in range(3 * REMEMBERED)]
    for number, other in enumerate(others):
        prefixes._count(prefixes.beginnings(other))
        if number % 1_000 == 0:
            prefixes._count(prefixes.beginnings(one))
    assert prefixes._often(prefixes.beginnings(one)[-1].key) == len(range(0, len(others), 1_000))
    assert prefixes._often(prefixes.beginnings(others[0])[-1].key) == 0
