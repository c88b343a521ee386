"""Experiments are forked from a process that has done the imports; where that cannot be, kernels are started."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_swarm.errors import LaboratoryError
from jupyter_swarm.experiments.executor import Executor
from jupyter_swarm.experiments.line import Ended
from jupyter_swarm.experiments.nursery import Nursery, NurseryLost
from jupyter_swarm.experiments.setup import Setup

TELL = (
    "import sys, os, json, random, numpy\n"
    "print(json.dumps({'slow': 'slow_module' in sys.modules, 'threads': len(os.listdir('/proc/self/task')), "
    "'main': __name__, 'path': sys.path, 'draws': [random.random(), numpy.random.rand()], "
    "'files': [os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd') if int(n) > 2 and "
    "os.path.exists(f'/proc/self/fd/{n}')]}))"
)


def job(*sources: str) -> dict[str, Any]:
    return {"cells": [{"index": index, "source": source} for index, source in enumerate(sources)]}


def texts(ended: Ended) -> list[str]:
    frames = [json.loads(line) for line in ended.frames.splitlines()]
    return [frame["content"]["text"] for frame in frames if frame.get("msg") == "stream"]


def inside(setup: Setup, body: Callable[[Executor], Awaitable[Any]], workers: int = 2) -> Any:
    async def main() -> Any:
        executor = Executor(setup, workers)
        await executor.open()
        try:
            return await body(executor)
        finally:
            await executor.close()

    return asyncio.run(main())


def most_at_once(setup: Setup, code: str, workers: int, limited: int) -> int:
    """How many experiments overlap, by the clock that they print; the first is executed before the others."""

    async def body(executor: Executor) -> int:
        told = "import time\nprint(time.monotonic())"
        await executor.run(job(told, code, told), 60.0)
        executor.limit(limited)
        runs = await asyncio.gather(*(executor.run(job(told, code, told), 60.0) for _ in range(8)))
        times = sorted((float(at), 1 - 2 * place) for ended in runs for place, at in enumerate(texts(ended)))
        return max(itertools.accumulate(step for _, step in times))

    found: int = inside(setup, body, workers)
    return found


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(sys.executable, str(tmp_path), ("import numpy",), mirror=True)


@pytest.fixture(autouse=True)
def nothing_stays(left: Callable[[], dict[str, object]]) -> Iterator[None]:
    before = left()
    yield
    assert left() == before


def zygotes() -> list[psutil.Process]:
    found = []
    for each in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if each.status() != psutil.STATUS_ZOMBIE and "worker" in " ".join(each.cmdline()[1:2]):
                found.append(each)
    return found


def test_the_imports_are_there_and_nothing_else_shows(tmp_path: Path) -> None:
    (tmp_path / "slow_module.py").write_text("VALUE = 1\n")
    setup = Setup(sys.executable, str(tmp_path), ("import numpy", "import slow_module"))

    async def body(executor: Executor) -> list[Ended]:
        assert not executor.why
        (zygote,) = zygotes()
        assert zygote.num_threads() == 1
        return [await executor.run(job(TELL), 60.0) for _ in range(2)]

    first, second = (json.loads(texts(ended)[0]) for ended in inside(setup, body))
    assert first["slow"], "the import was done before the fork"
    assert (first["main"], first["threads"]) == ("__main__", 1)
    assert not any("experiments" in part for part in first["path"]), "nothing of ours is on the path"
    own = [each for each in first["files"] if not each.startswith("/proc")]
    assert own == ["/memfd:frames (deleted)"], "its own frames, no file of another, no line to anybody"
    assert first["draws"] != second["draws"], "what is not seeded differs"


BUSY = "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n"


def test_an_import_that_starts_threads_is_left_to_the_forks(tmp_path: Path) -> None:
    (tmp_path / "busy_module.py").write_text(BUSY)
    (tmp_path / "slow_module.py").write_text("VALUE = 1\n")
    imports = ("import numpy", "import busy_module", "import slow_module")

    async def body(executor: Executor) -> list[Ended]:
        assert not executor.why
        (zygote,) = zygotes()
        assert zygote.num_threads() == 1
        return [
            await executor.run(job("import sys", source), 60.0) for source in (TELL, "import busy_module\nprint(5)")
        ]

    first, second = inside(Setup(sys.executable, str(tmp_path), imports), body)
    assert json.loads(texts(first)[0])["slow"], "the others are there"
    assert texts(second) == ["5\n"]


def test_where_everything_starts_threads_kernels_are_used(setup: Setup, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(BUSY)

    async def body(executor: Executor) -> Ended:
        assert "started threads" in executor.why
        assert zygotes() == []
        return await executor.run(job("print(5)"), 60.0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path))
        assert texts(inside(setup, body)) == ["5\n"]


def test_a_system_that_cannot_pass_descriptors(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "send_fds")

    async def body(executor: Executor) -> Ended:
        assert "cannot hand descriptors" in executor.why
        return await executor.run(job("print(6)", "1/0", "print(7)"), 60.0)

    ended = inside(setup, body)
    assert texts(ended) == ["6\n"]
    assert ended.death() == ""
    assert b"ZeroDivisionError" in ended.frames


def test_a_zygote_that_is_killed_is_replaced(setup: Setup) -> None:
    async def body(executor: Executor) -> list[Ended]:
        (zygote,) = zygotes()
        one = job("import time; time.sleep(1)", "print(8)")
        flying = [asyncio.ensure_future(executor.run(one, 60.0)) for _ in range(2)]
        await asyncio.sleep(0.3)
        zygote.kill()
        found = [await each for each in flying]
        (another,) = zygotes()
        assert another.pid != zygote.pid
        return found

    assert [texts(ended) for ended in inside(setup, body)] == [["8\n"], ["8\n"]]


def test_one_that_dies_under_its_job_again_and_again_is_no_loop(setup: Setup) -> None:
    async def body(executor: Executor) -> None:
        async def murder() -> None:
            while True:
                for each in zygotes():
                    if each.children():
                        each.kill()
                await asyncio.sleep(0.02)

        murderer = asyncio.ensure_future(murder())
        try:
            with pytest.raises(NurseryLost):
                await executor.run(job("import time; time.sleep(5)"), 60.0)
        finally:
            murderer.cancel()
        assert texts(await executor.run(job("print(9)"), 60.0)) == ["9\n"]

    inside(setup, body)


def test_closed_and_not_there(tmp_path: Path, setup: Setup) -> None:
    async def main() -> None:
        nursery = Nursery(setup, 1)
        assert await nursery.open()
        await nursery.close()
        assert not nursery.lives
        with pytest.raises(NurseryLost):
            await nursery.run(job("1"))
        other = Executor(Setup("/nowhere/python", str(tmp_path)), 1)
        with pytest.raises(LaboratoryError, match=r"no kernel|cannot be started|starts"):
            await other.open()
        await other.close()

    asyncio.run(main())


def test_memory_and_processes_are_watched(tmp_path: Path) -> None:
    setup = Setup(sys.executable, str(tmp_path), memory=200 * 2**20, processes=20)
    hungry = "kept = []\nwhile True: kept.append(bytearray(10_000_000))"
    bomb = "import os, time\nfor _ in range(200): os.fork() or time.sleep(100)"

    async def body(executor: Executor) -> list[Ended]:
        one = asyncio.ensure_future(executor.run(job("import time; time.sleep(2)", "print('lives')"), 60.0))
        return [*await asyncio.gather(executor.run(job(hungry), 60.0), executor.run(job(bomb), 60.0)), await one]

    began = time.monotonic()
    memory, processes, other = inside(setup, body, workers=3)
    assert memory.death().endswith("MB of memory, and experiments may hold 200 MB together")
    assert memory.peak > 200 * 2**20
    assert processes.death() == "it had more than 20 processes"
    assert texts(other) == ["lives\n"]
    assert time.monotonic() - began < 30


def test_what_was_printed_before_the_end_is_told(setup: Setup) -> None:
    async def body(executor: Executor) -> list[Ended]:
        killed = "import os, time\nos.system('echo from a process')\ntime.sleep(60)"
        many = "import os\nwhile True: os.write(1, b'y' * 100_000)"
        return [await executor.run(job("print('first')", killed), 1.0), await executor.run(job(many), 60.0)]

    killed, many = inside(setup, body)
    assert texts(killed) == ["first\n", "from a process\n"]
    assert killed.death() == "1 s were over"
    assert "wrote more than" in many.death()
    assert len(texts(many)[0]) < 50_000


def test_what_it_writes_stays_where_it_works(setup: Setup, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("data")
    (tmp_path.parent / f"beside-{tmp_path.name}.txt").write_text("beside")
    code = (
        f"import os\nbeside = open('../beside-{tmp_path.name}.txt').read()\n"
        "print(open('data.txt').read(), beside, sorted(os.listdir()))\n"
        "open('out.txt', 'w').write('mine')\nos.makedirs('sub/folder'); open('sub/folder/x', 'w').close()\n"
        "os.remove('data.txt'); open('data.txt', 'w').write('forged')\n"
        "open(os.path.expanduser('~/h'), 'w').close(); import tempfile; tempfile.mkstemp()"
    )
    kept = tmp_path.parent / f"kept-{tmp_path.name}"

    async def body(executor: Executor) -> list[Ended]:
        first = await executor.run(job(code), 60.0, keep=kept)
        return [first, await executor.run(job(code), 60.0)]

    first, second = inside(setup, body, workers=1)
    assert texts(first) == texts(second) == ["data beside ['data.txt']\n"]
    assert (tmp_path / "data.txt").read_text() == "data"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["data.txt"]
    assert (kept / "out.txt").read_text() == "mine"
    assert (kept / "sub/folder/x").exists()
    assert os.listdir(kept) != []


@pytest.mark.skipif(os.geteuid() == 0, reason="root's processes are not limited")
def test_a_fork_that_the_system_refuses_ends_nothing_else(setup: Setup) -> None:
    import resource

    async def body(executor: Executor) -> list[str]:
        one = asyncio.ensure_future(executor.run(job("import time; time.sleep(1)", "print('lives')"), 60.0))
        await asyncio.sleep(0.3)
        (zygote, *_) = zygotes()
        limits = resource.prlimit(zygote.pid, resource.RLIMIT_NPROC, (0, 0))
        try:
            with pytest.raises(NurseryLost, match="no process can be started"):
                await executor.run(job("1"), 60.0)
        finally:
            resource.prlimit(zygote.pid, resource.RLIMIT_NPROC, limits)
        return texts(await one)

    assert inside(setup, body) == ["lives\n"]


def test_no_more_long_experiments_at_once_than_workers(setup: Setup) -> None:
    assert most_at_once(setup, "time.sleep(0.3)", 2, 2) == 2


def test_one_more_where_they_are_short(setup: Setup) -> None:
    assert most_at_once(setup, "time.sleep(0.05)", 2, 2) == 3


def test_no_more_where_memory_allows_no_more(setup: Setup) -> None:
    assert most_at_once(setup, "time.sleep(0.05)", 2, 1) == 1


def test_a_cell_that_changes_how_cells_are_read(setup: Setup) -> None:
    changing = "get_ipython().input_transformers_post.append(lambda lines: [l.replace('five', '5') for l in lines])"

    async def body(executor: Executor) -> list[Ended]:
        return [
            await executor.run(job(*cells), 60.0) for cells in (("print(6)", changing, "print(five)"), ("print(five)",))
        ]

    first, second = inside(setup, body)
    assert texts(first) == ["6\n", "5\n"]
    assert b"NameError" in second.frames, "that was another experiment's"
