"""What every laboratory must do, run over each implementation."""

from __future__ import annotations

import asyncio
import math
import platform
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

import jupyter_swarm
from jupyter_swarm.errors import LaboratoryError, LockError
from jupyter_swarm.experiments import FunctionLaboratory, NotebookLaboratory
from jupyter_swarm.protocols import Laboratory
from jupyter_swarm.words import Analysis, Context, Experiment, Run
from jupyter_swarm.workspace import Workspace

CODES = {
    "value": "score = seed / 2",
    "failure": "raise ValueError('no convergence')",
    "missing": "score = None",
    "nonfinite": "score = float('inf')",
    "slow": "import time; time.sleep(100); score = 1.0",
    "locked": "score = 1.0  # LOCKED",
}


def check_lock(code: str, analysis: object) -> None:
    if "LOCKED" in code:
        raise LockError("the metric may not be changed")


def measure(experiment: Experiment) -> object:
    """The same codes, as a function."""
    return {
        CODES["failure"]: ValueError("no convergence"),
        CODES["missing"]: None,
        CODES["nonfinite"]: math.inf,
    }.get(experiment.code, experiment.seed / 2)


@pytest.fixture(params=["function", "notebooks"])
def laboratory(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Laboratory:
    lift = SimpleNamespace(
        lift=lambda code, analysis: SimpleNamespace(code=code, parameters={"seed": 0}),
        check_lock=check_lock,
        rests_on=lambda code, analysis: SimpleNamespace(names=(), callables=(), also=(), fixed=()),
    )
    monkeypatch.setitem(sys.modules, "jupyter_swarm.cell", lift)
    monkeypatch.setattr(jupyter_swarm, "cell", lift, raising=False)
    analysis = Analysis(code="")
    if request.param == "function":
        return FunctionLaboratory(
            measure, workers=2, analysis=analysis, delay_seconds=lambda e: 100.0 if e.code == CODES["slow"] else 0.0
        )
    context = Context(python=sys.executable, python_version=platform.python_version(), folder=str(tmp_path))
    return NotebookLaboratory(Workspace(tmp_path).create(), "wine", analysis, context, workers=2)


def make(name: str, seed: int = 3) -> Experiment:
    return Experiment(code=CODES[name], seed=seed, metric="score", context="c")


def opened(laboratory: Laboratory, body: Callable[[], Awaitable[object]]) -> None:
    async def main() -> None:
        await laboratory.open()
        try:
            await body()
        finally:
            await laboratory.close()

    asyncio.run(main())


def test_every_outcome_is_a_run(laboratory: Laboratory) -> None:
    async def body() -> None:
        names = ["value", "failure", "missing", "nonfinite", "locked"]
        runs = await asyncio.gather(*(laboratory.run(make(name), 60.0) for name in names))
        assert [one.reason for one in runs] == [None, *names[1:]]
        assert [one.value for one in runs] == [1.5, None, None, None, None]
        assert [one.experiment for one in runs] == [make(name).id for name in names]
        assert runs[1].message == "ValueError: no convergence"
        assert "ValueError" in runs[1].traceback
        assert all(one.message for one in runs[1:])
        assert all(one.seconds >= 0 for one in runs)

    opened(laboratory, body)


def test_timeout(laboratory: Laboratory) -> None:
    async def body() -> None:
        began = time.monotonic()
        slow = await laboratory.run(make("slow"), 0.5)
        assert (slow.value, slow.reason) == (None, "timeout")
        assert time.monotonic() - began < 20
        assert (await laboratory.run(make("value"), 60.0)).value == 1.5

    opened(laboratory, body)


def test_cancelling_ends_one_and_leaves_the_others(laboratory: Laboratory) -> None:
    async def body() -> None:
        slow = asyncio.create_task(laboratory.run(make("slow"), 60.0))
        await asyncio.sleep(0.5)
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        assert (await laboratory.run(make("value", 5), 60.0)).value == 2.5

    opened(laboratory, body)


def test_closing_stops_what_runs_and_what_waits(laboratory: Laboratory) -> None:
    runs: list[asyncio.Task[Run]] = []

    async def body() -> None:
        runs.extend(asyncio.create_task(laboratory.run(make("slow", seed), 60.0)) for seed in range(5))
        await asyncio.sleep(0.5)

    began = time.monotonic()
    opened(laboratory, body)
    assert [one.result().reason for one in runs] == ["stopped"] * 5
    assert time.monotonic() - began < 30


def test_more_calls_than_workers(laboratory: Laboratory) -> None:
    async def body() -> None:
        runs = await asyncio.gather(*(laboratory.run(make("value", seed), 60.0) for seed in range(6)))
        assert [one.value for one in runs] == [seed / 2 for seed in range(6)]

    opened(laboratory, body)


def test_it_must_be_open_and_may_be_opened_again(laboratory: Laboratory) -> None:
    async def main() -> None:
        with pytest.raises(LaboratoryError, match="not open"):
            await laboratory.run(make("value"), 1.0)
        for _ in range(2):
            await laboratory.open()
            assert (await laboratory.run(make("value"), 60.0)).ok
            await laboratory.close()
            await laboratory.close()
        with pytest.raises(LaboratoryError, match="not open"):
            await laboratory.run(make("value"), 1.0)

    asyncio.run(main())
    assert laboratory.workers == 2
