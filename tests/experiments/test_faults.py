"""What may befall a laboratory: long use, sudden deaths, a full disk, a clock that is set back, neighbours."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import nbformat
import psutil
import pytest

from jupyter_swarm.errors import LaboratoryError, WorkspaceError
from jupyter_swarm.experiments import NotebookLaboratory
from jupyter_swarm.experiments.records import executed, recorded
from jupyter_swarm.words import Analysis, Context, Experiment, Run
from jupyter_swarm.workspace import Workspace

Make = Callable[..., Experiment]
Left = Callable[[], dict[str, object]]


def made(workspace: Workspace, context: Context, swarm: str = "wine", workers: int = 2) -> NotebookLaboratory:
    return NotebookLaboratory(workspace, swarm, Analysis(code=""), context, workers=workers)


def zygote(laboratory: NotebookLaboratory) -> psutil.Process:
    nursery = laboratory._executor._nursery
    assert nursery is not None
    assert nursery._process is not None
    (found,) = psutil.Process(nursery._process.pid).children()
    return found


class TestLongUse:
    async def curve(self, laboratory: NotebookLaboratory, count: int) -> dict[str, list[tuple[float, ...]]]:
        """Run so many experiments in a row, two at once; resident memory (MB) and open files of runner and zygote."""
        experiments = (Experiment(code="x = [0] * 1000\nscore = float(seed)", seed=n, metric="score", context="c")
                       for n in range(count))  # fmt: skip
        processes = {"runner": psutil.Process(), "zygote": zygote(laboratory)}
        found: dict[str, list[tuple[float, ...]]] = {name: [] for name in processes}

        async def work() -> None:
            for each in experiments:
                run = await laboratory.run(each, 60.0)
                assert run.value == each.seed
                if each.seed % 10 == 0:
                    for name, process in processes.items():
                        found[name].append((process.memory_info().rss / 1e6, float(process.num_fds())))

        await asyncio.gather(work(), work())
        return found

    @pytest.mark.slow
    def test_memory_is_flat(self, workspace: Workspace, context: Context, left: Left) -> None:
        before = left()

        async def main() -> dict[str, list[tuple[float, ...]]]:
            laboratory = made(workspace, context)
            await laboratory.open()
            try:
                return await self.curve(laboratory, 600)
            finally:
                await laboratory.close()

        for name, samples in asyncio.run(main()).items():
            third = len(samples) // 3
            middle, last = samples[third : 2 * third], samples[2 * third :]
            grown = statistics.median(each[0] for each in last) - statistics.median(each[0] for each in middle)
            assert grown < 1.5, f"{name} grew by {grown} MB in 200 experiments"
            assert max(each[1] for each in last) <= max(each[1] for each in middle) + 2, name
        assert left() == before


def test_a_zygote_that_is_busy_for_a_while(
    workspace: Workspace, context: Context, experiment: Make, left: Left
) -> None:
    """What is asked of it meanwhile, and does not fit into the socket, waits; and so does what is to be ended."""
    before = left()
    long = "\n#" + "x" * 60_000

    async def main() -> list[Run]:
        laboratory = made(workspace, context, workers=9)
        await laboratory.open()
        busy = zygote(laboratory)
        busy.suspend()
        codes = [f"score = {n}.0{long}" for n in range(8)]
        asked = [asyncio.ensure_future(laboratory.run(experiment(code), 60.0)) for code in codes]
        asked.append(asyncio.ensure_future(laboratory.run(experiment("while True: pass"), 0.5)))
        await asyncio.sleep(1.0)
        busy.resume()
        runs = await asyncio.gather(*asked)
        assert zygote(laboratory) == busy
        await laboratory.close()
        return runs

    *runs, endless = asyncio.run(main())
    assert [run.value for run in runs] == [float(n) for n in range(8)]
    assert endless.reason == "timeout"
    assert left() == before


RUNNER = """
import asyncio, sys
from pathlib import Path
from types import SimpleNamespace
from jupyter_swarm import cell
cell.lift = lambda code, analysis: SimpleNamespace(code=code, parameters={"seed": 0})
cell.check_lock = lambda code, analysis: None
cell.rests_on = lambda code, analysis: SimpleNamespace(names=(), callables=(), also=(), fixed=())
from jupyter_swarm.experiments import NotebookLaboratory
from jupyter_swarm.words import Analysis, Context, Experiment
from jupyter_swarm.workspace import Workspace

async def main():
    folder, first = Path(sys.argv[1]), int(sys.argv[2])
    context = Context(python=sys.executable, folder=str(folder))
    laboratory = NotebookLaboratory(Workspace(folder), "wine", Analysis(code=""), context, workers=2)
    await laboratory.open()
    async def work(worker):
        for n in range(first + worker, first + 100_000, 2):
            code = "import os, subprocess\\nif seed % 3 == 0: subprocess.Popen(['sleep', '77'])\\nscore = float(seed)"
            run = await laboratory.run(Experiment(code=code, seed=n, metric="score", context="c"), 60.0)
            print(run.experiment, run.value == n, flush=True)
    await asyncio.gather(work(0), work(1))

asyncio.run(main())
"""


class TestSuddenDeaths:
    @pytest.mark.slow
    def test_of_the_zygote_again_and_again(
        self, workspace: Workspace, context: Context, experiment: Make, left: Left
    ) -> None:
        before, chance = left(), random.Random(5)

        async def main() -> list[Run]:
            laboratory = made(workspace, context, workers=3)
            await laboratory.open()

            async def murder() -> None:
                for _ in range(5):
                    await asyncio.sleep(chance.uniform(0.02, 0.6))
                    with contextlib.suppress(psutil.Error, AssertionError, ValueError):
                        zygote(laboratory).kill()

            async def work(worker: int) -> list[Run]:
                runs = []
                for n in range(40):
                    code = "import time, subprocess\nsubprocess.Popen(['sleep', '77'])\ntime.sleep({})\nscore = 1.0"
                    run = await laboratory.run(experiment(code.format(n % 5 / 50), seed=1000 * worker + n), 60.0)
                    if run.reason is None:  # acknowledged: it is there at once, whatever happens next
                        assert recorded.read(executed.journal(workspace.root, "wine"), run.experiment) is not None
                    runs.append(run)
                return runs

            _, *all_runs = await asyncio.gather(murder(), *(work(n) for n in range(3)))
            runs = [run for some in all_runs for run in some]
            after = await laboratory.run(experiment("score = 2.0"), 60.0)
            assert after.value == 2.0
            await laboratory.close()
            return runs

        runs = asyncio.run(main())
        assert {run.reason for run in runs} <= {None, "lost"}
        assert sum(run.reason == "lost" for run in runs) < 10
        known = set(recorded.identities(executed.journal(workspace.root, "wine")))
        assert known >= {run.experiment for run in runs if run.reason is None}
        assert left() == before

    def test_of_a_snapshot(self, workspace: Workspace, context: Context, experiment: Make, left: Left) -> None:
        before, nap = left(), str(5000 + os.getpid())
        begins = "import time\ntime.sleep(0.3)\n"
        goes_on = f"import subprocess\nsubprocess.Popen(['sleep', '{nap}'])\nx = 2\ntime.sleep(1.0)\nscore = 2.0"

        def naps() -> list[psutil.Process]:
            return [each for each in psutil.Process().children(recursive=True) if each.name() == "sleep"]

        async def main() -> None:
            laboratory = made(workspace, context)
            await laboratory.open()
            first = await laboratory.run(experiment(begins + "score = 1.0", purpose="screening"), 60.0)
            assert first.value == 1.0
            (snapshot,) = zygote(laboratory).children()
            second = asyncio.ensure_future(laboratory.run(experiment(begins + goes_on, purpose="screening"), 60.0))
            while not (sleeper := naps()):
                await asyncio.sleep(0.01)
            assert snapshot in sleeper[0].parents()
            snapshot.kill()
            gone, _ = psutil.wait_procs(sleeper, timeout=0)
            while not gone:  # what a fork of it had started is ended, too, while the laboratory goes on
                await asyncio.sleep(0.05)
                gone, _ = psutil.wait_procs(sleeper, timeout=0)
            assert (await second).value == 2.0
            assert (await laboratory.run(experiment("score = 3.0"), 60.0)).value == 3.0
            assert naps() == []
            await laboratory.close()

        asyncio.run(asyncio.wait_for(main(), 60))
        assert left() == before

    @pytest.mark.slow
    def test_of_the_runner(self, workspace: Workspace, temporary: Path) -> None:
        chance, told = random.Random(3), set()
        workspace.swarm("wine").mkdir(parents=True, exist_ok=True)
        for attempt in range(3):
            command = [sys.executable, "-c", RUNNER, str(workspace.folder), str(10_000 * attempt)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                for _ in range(chance.randint(1, 40)):
                    told.add(process.stdout.readline())
                assert "" not in told, "it ended by itself"
                below = psutil.Process(process.pid).children(recursive=True)
                process.kill()
                told |= {line for line in process.stdout if line.endswith("\n")}
            _, alive = psutil.wait_procs(below, timeout=20)
            assert not alive
            assert list(temporary.glob("swarm-*")) == []
        acknowledged = dict(line.split() for line in told)
        assert set(acknowledged.values()) == {"True"}
        assert set(recorded.identities(executed.journal(workspace.root, "wine"))) >= set(acknowledged)


@pytest.fixture
def small_disk(temporary: Path) -> Iterator[Path]:
    """A file system of 8 MB; those who may not mount one skip what needs it."""
    place = temporary / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
    place.rmdir()


def fill(place: Path) -> Path:
    path = place / "filler"
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return path


LOUD = "import os\nprint(os.urandom(400_000).hex())\nscore = 1.0"


class TestFullDisk:
    def test_of_the_workspace(self, small_disk: Path, experiment: Make, left: Left) -> None:
        workspace = Workspace(small_disk).create()
        context = Context(python=sys.executable, folder=str(small_disk))
        before = left()

        async def main() -> None:
            laboratory = made(workspace, context)
            await laboratory.open()
            first = await laboratory.run(experiment(LOUD), 60.0)
            filler = fill(small_disk)
            with pytest.raises(WorkspaceError, match="make room on the disk"):
                await asyncio.gather(*(laboratory.run(experiment(LOUD, seed=10 + n), 60.0) for n in range(3)))
            while laboratory._open:  # those beside the first that failed
                await asyncio.sleep(0.01)
            filler.unlink()
            later = await laboratory.run(experiment(LOUD, seed=99), 60.0)
            await laboratory.close()
            assert (first.value, later.value) == (1.0, 1.0)
            assert {first.experiment, later.experiment} <= set(
                recorded.identities(executed.journal(workspace.root, "wine"))
            )

        asyncio.run(main())
        assert left() == before

    def test_of_the_place_where_experiments_work(
        self,
        small_disk: Path,
        workspace: Workspace,
        context: Context,
        experiment: Make,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
        writes = "open('x', 'wb').write(bytes(9_000_000))\nscore = 1.0"

        async def main() -> None:
            laboratory = made(workspace, context)
            await laboratory.open()
            too_much = await laboratory.run(experiment(writes), 60.0)
            assert too_much.reason == "failure"
            assert "No space left" in too_much.message or "on the disk" in too_much.message
            filler = fill(small_disk)
            while_full = await laboratory.run(experiment("score = 3.0"), 60.0)
            assert while_full.value == 3.0
            filler.unlink()
            later = await laboratory.run(experiment("open('x', 'wb').write(bytes(100_000))\nscore = 4.0"), 60.0)
            assert later.value == 4.0
            await laboratory.close()

        asyncio.run(main())
        assert list(small_disk.iterdir()) == []


def test_a_clock_that_is_set_back(
    workspace: Workspace, context: Context, experiment: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, began = time.time, time.monotonic()
    back = "import time\nreal = time.time\ntime.time = lambda: real() - 1000\ntime.sleep(0.1)\nscore = 1.0"

    async def main() -> list[Run]:
        laboratory = made(workspace, context)
        await laboratory.open()
        monkeypatch.setattr(time, "time", lambda: real() - 100 * (time.monotonic() - began))
        runs = [
            await laboratory.run(experiment(code, seed=n), 60.0) for n, code in enumerate((back, "score = 1.0", back))
        ]
        runs.append(await laboratory.run(experiment("while True: pass"), 0.5))
        await laboratory.close()
        return runs

    *runs, endless = asyncio.run(main())
    assert [run.value for run in runs] == [None, 1.0, None]
    assert [run.reason for run in runs] == ["locked", None, "locked"], "the seal saw that the clock was replaced"
    assert endless.reason == "timeout"
    assert all(0 <= run.seconds < 30 for run in (*runs, endless))
    for run in (*runs, endless):
        path = executed.materialise(workspace.root, run.notebook)
        assert path is not None
        notebook = nbformat.read(path, as_version=4)
        timed = [notebook, *notebook.cells]
        assert all((each.metadata.papermill.duration or 0) >= 0 for each in timed)


PARALLEL = """
import numpy
from sklearn.datasets import load_wine
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier
scores = cross_val_score(DecisionTreeClassifier(random_state=0), *load_wine(return_X_y=True), n_jobs=-1)
score = float(len(scores))
"""
LOADER = """
import torch
from torch.utils.data import DataLoader, TensorDataset
loader = DataLoader(TensorDataset(torch.arange(64.0)), batch_size=4, num_workers=2)
score = float(sum(batch.sum() for batch, in loader))
"""


def test_two_swarms_at_once_and_libraries_that_start_processes(
    workspace: Workspace, context: Context, experiment: Make, left: Left
) -> None:
    imports = ("from sklearn.model_selection import cross_val_score", "from sklearn.datasets import load_wine")
    first = msgspec.structs.replace(context, imports=imports)
    second = msgspec.structs.replace(context, imports=("import torch",))
    before, shared = left(), sorted(os.listdir("/dev/shm"))

    async def swarm(name: str, context: Context, code: str) -> tuple[str, Sequence[Any]]:
        laboratory = made(workspace, context, name)
        await laboratory.open()
        try:
            codes = (code, "score = 0.25", code)
            why = laboratory._executor.why
            return why, await asyncio.gather(
                *(laboratory.run(experiment(c, seed=n), 120.0) for n, c in enumerate(codes))
            )
        finally:
            await laboratory.close()

    async def main() -> list[tuple[str, Sequence[Any]]]:
        return await asyncio.gather(swarm("one", first, PARALLEL), swarm("two", second, LOADER))

    for (why, runs), value in zip(asyncio.run(main()), (5.0, 2016.0), strict=True):
        assert why == ""
        assert [run.value for run in runs] == [value, 0.25, value], [run.traceback or run.message for run in runs]
    assert left() == before
    assert sorted(os.listdir("/dev/shm")) == shared


def test_a_place_without_room_is_explained(
    workspace: Workspace, context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))

    async def main() -> None:
        laboratory = made(workspace, context)
        with pytest.raises(LaboratoryError, match="no place for experiments"):
            await laboratory.open()
        await laboratory.close()

    asyncio.run(main())
