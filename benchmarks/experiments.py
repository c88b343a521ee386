"""How fast experiments run, against papermill and against what the machine could do at best.

    python benchmarks/experiments.py [--quick] [--many N]

Ours and theirs alternate in one run, with as many at once as the process may use cores, so that the ratios hold on a
machine that others use too. What is measured:

    trivial   a notebook of two cells, shut in, its record durable; against papermill, and against a bare fork of a warm
              IPython shell that executes the same two cells and keeps nothing
    sklearn   a notebook that imports scikit-learn and fits a small model
    prefix    200 notebooks with 3 s of preparation that differ in one parameter
    bulk      notebooks of 40 cells that print 1 MB each, read back whole
    compute_efficiency  CPU seconds of experiments that compute for 1 s, of all CPU seconds that there were
    isolation_ms  what shutting in costs an experiment
    private_mb    memory of a running trivial experiment that is its own

`--many N` runs N trivial experiments in a row and tells how the runner's and the zygote's memory grew.

Prints one JSON object at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import nbformat
import psutil

from jupyter_swarm.experiments.cores import usable_cores
from jupyter_swarm.experiments.executor import Executor
from jupyter_swarm.experiments.line import Ended
from jupyter_swarm.experiments.prefixes import Share
from jupyter_swarm.experiments.records import recorded
from jupyter_swarm.experiments.records.journal import Journal
from jupyter_swarm.experiments.records.record import Record, written
from jupyter_swarm.experiments.setup import Setup
from jupyter_swarm.experiments.worker.sandbox import Policy

CORES = usable_cores()
TRIVIAL = ["x = 1", "y = x + 1\nprint(y)\ny"]
SKLEARN = [
    "from sklearn.datasets import load_iris\nfrom sklearn.tree import DecisionTreeClassifier",
    "X, y = load_iris(return_X_y=True)\nDecisionTreeClassifier(random_state=0).fit(X, y).score(X, y)",
]
PREPARE = (
    "rows = [0.0] * 1_000_000\nstep = 0\n"
    "while step < {steps}:\n    rows[step % 1_000_000] = step / 3\n    step += 1\n"
    "score = rows[1000] * factor\nscore"
)
COMPUTE = ["import time\nuntil = time.process_time() + 1.0\nwhile time.process_time() < until:\n    pass"]
BULK = ["print('0123456789abcdef' * 62_500)"] * 40
Sources = list[str]


def notebook(sources: Sources, parameters: str = "") -> Any:
    """A notebook as papermill reads it."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    if parameters:
        cells.insert(0, nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made


def job(sources: Sources) -> dict[str, Any]:
    """The same, as the executor wants it."""
    return {"cells": [{"index": index, "source": source} for index, source in enumerate(sources)]}


class Bench:
    """A folder, an executor and a journal; `rate` runs notebooks and says how many a minute."""

    def __init__(self, folder: Path, imports: tuple[str, ...] = (), *, isolated: bool = True) -> None:
        policy = Policy(read=(str(folder),)).to_json() if isolated else None
        self.executor = Executor(Setup(sys.executable, str(folder), imports, policy=policy, mirror=True), CORES)
        self.journal = Journal(Path(tempfile.mkdtemp(dir=folder)) / recorded.FILE)
        self._number = 0

    async def open(self) -> Bench:
        """Get ready."""
        await self.executor.open()
        self.journal.open()
        assert not self.executor.why, self.executor.why
        return self

    async def close(self) -> None:
        """Leave nothing running."""
        await self.executor.close()
        self.journal.close()

    async def one(self, sources: Sources, share: Share | None = None) -> Ended:
        """Execute a notebook and record it."""
        self._number += 1
        name = f"{self._number:08d}"
        ended = await self.executor.run(job(sources), 600.0, share=share)
        assert not ended.death(), ended.death()
        await self.journal.append(name, msgspec.json.encode(notebook_json(sources)), ended.frames)
        return ended

    async def rate(self, make: Callable[[int], Awaitable[Any]], seconds: float, most: int = 10**9) -> float:
        """Runs a minute, over about so many seconds."""
        began, done, numbers = time.monotonic(), 0, iter(range(most))

        async def worker() -> None:
            nonlocal done
            for number in numbers:
                await make(number)
                done += 1
                if time.monotonic() - began > seconds:
                    return

        await asyncio.gather(*(worker() for _ in range(2 * CORES)))
        return 60.0 * done / (time.monotonic() - began)


def notebook_json(sources: Sources) -> dict[str, Any]:
    """A notebook without nbformat's checks."""
    cells = [
        {"cell_type": "code", "execution_count": None, "id": f"c{n}", "metadata": {}, "outputs": [], "source": source}
        for n, source in enumerate(sources)
    ]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}


# ---------------------------------------------------------------- theirs

PAPERMILL = """
import os, sys, time, papermill
os.nice(10)  # as ours are
source, target, most, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
papermill.execute_notebook(source, target, progress_bar=False) if seconds else None
began, done = time.monotonic(), 0
while done < most and (not done or time.monotonic() - began < seconds or not seconds):
    try:
        papermill.execute_notebook(source, target, progress_bar=False)
        done += 1
    except Exception as error:  # two kernels that chose the same port, now and then: lost time of theirs
        print(error, file=sys.stderr)
print(done, time.monotonic() - began)
"""
BARE = """
import os, sys, time
from IPython.core.interactiveshell import InteractiveShell
import gc, io
os.nice(10)
seconds, cells = float(sys.argv[1]), sys.argv[2:]
shell = InteractiveShell.instance()
sys.stdout = io.StringIO()
shell.run_cell("1")
gc.collect(); gc.freeze()
began, done = time.monotonic(), 0
while time.monotonic() - began < seconds:
    pid = os.fork()
    if not pid:
        for cell in cells:
            shell.run_cell(cell, store_history=True)
        os._exit(0)
    os.waitpid(pid, 0)
    done += 1
sys.__stdout__.write(f"{done} {time.monotonic() - began}\\n")
"""


def together(command: list[str]) -> float:
    """Runs a minute of as many such processes at once as there are cores."""
    environment = {**os.environ, "IPYTHONDIR": tempfile.gettempdir(), **dict.fromkeys(["OMP_NUM_THREADS"], "1")}

    def run(number: int) -> float:
        filled = [part.replace("{n}", str(number)) for part in command]
        done = subprocess.run(filled, capture_output=True, text=True, check=True, env=environment)
        count, seconds = done.stdout.split()[-2:]
        return 60.0 * int(count) / float(seconds)

    with ThreadPoolExecutor(CORES) as pool:
        return sum(pool.map(run, range(CORES)))


def papermill_rate(folder: Path, made: Any, *, seconds: float, most: int = 10**6) -> float:
    """Runs a minute of plain papermill; with seconds=0 exactly `most`, without one to warm up."""
    path = folder / "theirs.ipynb"
    nbformat.write(made, path)
    return together(
        [sys.executable, "-c", PAPERMILL, str(path), str(folder / "out-{n}.ipynb"), str(most), str(seconds)]
    )


# ---------------------------------------------------------------- what is measured


def compared(ours: float, theirs: float) -> dict[str, float]:
    """Two rates and their ratio."""
    return {"ours_per_min": round(ours, 1), "papermill_per_min": round(theirs, 1), "ratio": round(ours / theirs, 1)}


async def trivial(folder: Path, seconds: float, rounds: int) -> dict[str, Any]:
    """Trivial notebooks, shut in and not, in turn with papermill and with a bare fork."""
    shut_in, open_ = await Bench(folder).open(), await Bench(folder, isolated=False).open()
    ours, without, bare, theirs = [], [], [], []
    try:
        for _ in range(rounds):
            ours.append(await shut_in.rate(lambda _: shut_in.one(TRIVIAL), seconds))
            bare.append(await asyncio.to_thread(together, [sys.executable, "-c", BARE, str(seconds), *TRIVIAL]))
            without.append(await open_.rate(lambda _: open_.one(TRIVIAL), seconds))
            theirs.append(await asyncio.to_thread(papermill_rate, folder, notebook(TRIVIAL), seconds=2 * seconds))
        private = await private_mb(shut_in)
    finally:
        await shut_in.close()
        await open_.close()
    return {
        "trivial": {
            **compared(median(ours), median(theirs)),
            "bare_fork_per_min": round(median(bare), 1),
            "of_bare_fork": round(median(a / b for a, b in zip(ours, bare, strict=True)), 3),
        },
        "isolation_ms": round(median(60_000 * CORES * (1 / a - 1 / b) for a, b in zip(ours, without, strict=True)), 3),
        "private_mb": private,
    }


async def private_mb(bench: Bench) -> float:
    """Memory of its own of an experiment that has executed the trivial notebook and waits."""
    waiting = asyncio.ensure_future(bench.one([*TRIVIAL, "import time\ntime.sleep(3)"]))
    await asyncio.sleep(1.5)
    found = []
    for each in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if not each.children() and "worker" in " ".join(each.cmdline()):
                found.append(each.memory_full_info().uss / 2**20)
    await waiting
    return round(min(found), 2)


async def sklearn(folder: Path, seconds: float, rounds: int) -> dict[str, Any]:
    """A small fit, the library imported ahead."""
    bench = await Bench(folder, tuple(SKLEARN[0].splitlines())).open()
    ours, theirs = [], []
    try:
        for _ in range(rounds):
            ours.append(await bench.rate(lambda _: bench.one(SKLEARN), seconds))
            theirs.append(await asyncio.to_thread(papermill_rate, folder, notebook(SKLEARN), seconds=2 * seconds))
    finally:
        await bench.close()
    return {"sklearn": compared(median(ours), median(theirs))}


def preparation(seconds: float, tried: int = 10_000_000) -> str:
    """A cell that computes for about so long on this machine. It looks at no clock: what does is not shared."""
    began = time.process_time()
    exec(PREPARE.format(steps=tried), {"factor": 1})
    return PREPARE.format(steps=int(tried * seconds / (time.process_time() - began)))


async def prefix(folder: Path, count: int, theirs: int) -> dict[str, Any]:
    """Experiments with the same long beginning, of which only the end differs."""
    bench, prepare = await Bench(folder).open(), preparation(3.0)

    def one(number: int) -> Awaitable[Any]:
        share = Share(1, prepare, {"factor": number}, "")
        return bench.one([f"factor = {number}", prepare], share)

    try:
        ours = await bench.rate(one, 10**9, count)
    finally:
        await bench.close()
    other = await asyncio.to_thread(papermill_rate, folder, notebook([prepare], "factor = 1"), seconds=0.0, most=theirs)
    return {"prefix": {**compared(ours, other), "experiments": count}}


async def bulk(folder: Path, count: int, cells: int) -> dict[str, Any]:
    """Notebooks with much output; nothing of it may be lost."""
    bench, sources, lost = await Bench(folder).open(), BULK[:cells], 0
    try:
        ours = await bench.rate(lambda _: bench.one(sources), 10**9, count)
        for name in recorded.identities(bench.journal.path):
            record = recorded.read(bench.journal.path, name)
            assert isinstance(record, Record)
            made = json.loads(written(record))
            whole = "0123456789abcdef" * 62_500 + "\n"
            lost += sum(["".join(each["text"]) for each in cell["outputs"]] != [whole] for cell in made["cells"])
    finally:
        await bench.close()
    other = await asyncio.to_thread(papermill_rate, folder, notebook(sources), seconds=0.0, most=1)
    return {"bulk": {**compared(ours, other), "notebooks": count, "cells": cells, "lost_outputs": lost}}


async def compute(folder: Path, rounds: int) -> dict[str, Any]:
    """CPU seconds that experiments had, of all that there were."""
    bench = await Bench(folder).open()
    count = CORES * rounds
    try:
        began = time.monotonic()
        await bench.rate(lambda _: bench.one(COMPUTE), 10**9, count)
        seconds = time.monotonic() - began
    finally:
        await bench.close()
    return {"compute_efficiency": round(count / (seconds * CORES), 4)}


async def many(folder: Path, count: int) -> dict[str, Any]:
    """Memory over many experiments in a row."""
    bench = await Bench(folder).open()
    curve: list[dict[str, float]] = []

    def note() -> None:
        below = psutil.Process().children(recursive=True)
        zygote = max((each.memory_info().rss for each in below), default=0)
        curve.append({"runner_mb": psutil.Process().memory_info().rss / 2**20, "zygote_mb": zygote / 2**20})

    try:
        for _ in range(10):
            await bench.rate(lambda _: bench.one(TRIVIAL), 10**9, count // 10)
            note()
    finally:
        await bench.close()
    rounded = [{name: round(value, 1) for name, value in each.items()} for each in curve]
    return {"many": {"experiments": count // 10 * 10, "first": rounded[0], "middle": rounded[4], "last": rounded[-1]}}


def parts(arguments: argparse.Namespace, folder: Path) -> Iterator[Awaitable[dict[str, Any]]]:
    """All that is asked for, in order."""
    if arguments.many:
        yield many(folder, arguments.many)
        return
    quick = arguments.quick
    yield trivial(folder, 2.0 if quick else 10.0, 1 if quick else 5)
    yield sklearn(folder, 2.0 if quick else 10.0, 1 if quick else 3)
    yield compute(folder, 4 if quick else 30)
    yield prefix(folder, 60 if quick else 200, 1 if quick else 3)
    yield bulk(folder, 4 if quick else 100, 4 if quick else 40)


async def main() -> None:
    """Measure, and print one JSON object last."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute; only a rough picture")
    parser.add_argument("--many", type=int, default=0, metavar="N", help="only the memory over N experiments")
    arguments = parser.parse_args()
    found: dict[str, Any] = {"cores": CORES}
    with tempfile.TemporaryDirectory() as folder:
        for part in parts(arguments, Path(folder)):
            found |= await part
            print(found, file=sys.stderr)
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
