"""Cells of the corpus, each in the plain notebook and as a swarm would run it: `tried` says what came of both.

A few kernels execute one small notebook after another. In each, before its last cell is executed, that cell is taken
in the same kernel as `%%swarm` takes it (`taking.py`), and run once in a laboratory with its own seed.
"""

from __future__ import annotations

import asyncio
import dataclasses
import importlib.util
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from ordinary import Case
from taking import Asked, Taken, Told

from jupyter_swarm import cell
from jupyter_swarm.errors import SwarmError
from jupyter_swarm.experiments import NotebookLaboratory
from jupyter_swarm.experiments.setup import Setup
from jupyter_swarm.words import Analysis, Context, Experiment, Run
from jupyter_swarm.workspace import Workspace

HERE = Path(__file__).resolve().parent
LIMIT_SECONDS = 120.0
TOLERANCE = 1e-9
"""Relative: sums of other orders, where threads differ."""


@dataclass(frozen=True)
class Outcome:
    """What came of a cell: the values of the plain notebook and of the swarm's run, or what failed."""

    plain: float | None = None
    value: float | None = None
    kind: str = ""
    """The class of an error, the reason of a run, or "notebook" where the plain one fails."""
    said: str = ""
    seconds: float = 0.0


def missing(case: Case) -> tuple[str, ...]:
    """Packages that a cell needs and that are not installed."""
    return tuple(name for name in case.needs if importlib.util.find_spec(name) is None)


def wrong(case: Case, outcome: Outcome) -> str:
    """What is not as it has to be; "" where all is."""
    failed = f"{outcome.kind}: {outcome.said}"
    if case.wrong is not None:
        right = outcome.kind == case.wrong.kind and case.wrong.says in outcome.said
        got = failed if outcome.kind else f"the value {outcome.value}"
        return "" if right else f"{case.wrong.kind} with {case.wrong.says!r} is due, and it is {got}"
    if outcome.kind or outcome.plain is None or outcome.value is None:
        return failed if outcome.kind else f"the plain notebook gives {outcome.plain}, the swarm {outcome.value}"
    if math.isclose(outcome.plain, outcome.value, rel_tol=TOLERANCE):
        return ""
    return f"the plain notebook gives {outcome.plain!r}, the swarm {outcome.value!r}"


Change = Callable[[Setup], Setup]
"""Makes of what every experiment finds what it would find on another machine."""


async def tried(
    cases: Iterable[Case], folder: Path, kernels: int = 3, change: Change = lambda setup: setup
) -> dict[str, Outcome]:
    """The outcome of each cell, by name.

    Args:
        cases: cells whose packages are installed; those that take long are begun first.
        folder: an empty one, in which each gets a folder of its own.
        kernels: how many work at once.
        change: what another machine lacks.
    """
    waiting = deque(sorted(cases, key=lambda case: not case.slow))
    names = {case.name: str(number) for number, case in enumerate(waiting)}
    found: dict[str, Outcome] = {}

    async def attempt(kernel: _Kernel, case: Case) -> None:
        found[case.name] = await _outcome(kernel, case, folder / names[case.name], change)

    async def work() -> None:
        async with _kernel(folder) as kernel:
            while waiting:
                case = waiting.popleft()
                if not case.alone:
                    await attempt(kernel, case)
                    continue
                async with _kernel(folder) as own:
                    await attempt(own, case)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(kernels, len(waiting))):
            group.create_task(work())
    return found


class _Kernel:
    """A kernel, in which notebooks are executed in turn."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def run(self, source: str) -> None:
        """Execute one cell.

        Raises:
            CellExecutionError: it fails.
        """
        made = nbformat.v4.new_code_cell(source)
        self._client.nb.cells = [made]
        await self._client.async_execute_cell(made, 0)

    async def begin(self, folder: Path) -> None:
        """Forget what was executed, and go to another folder."""
        await self.run("%reset -f")
        await self.run(f"__import__('os').chdir({str(folder)!r})")


@asynccontextmanager
async def _kernel(folder: Path) -> AsyncIterator[_Kernel]:
    client = NotebookClient(
        nbformat.v4.new_notebook(),
        timeout=LIMIT_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": folder}},
    )
    async with client.async_setup_kernel():
        kernel = _Kernel(client)
        await kernel.run(f"__import__('sys').path.append({str(HERE)!r})")
        yield kernel


async def _outcome(kernel: _Kernel, case: Case, folder: Path, change: Change) -> Outcome:
    began = time.monotonic()
    try:
        outcome = await _both(kernel, case, folder, change)
    except CellExecutionError as error:
        outcome = Outcome(kind="notebook", said=f"{error.ename}: {error.evalue}")
    except DeadKernelError as error:
        outcome = Outcome(kind="notebook", said=str(error))
    return dataclasses.replace(outcome, seconds=time.monotonic() - began)


async def _both(kernel: _Kernel, case: Case, folder: Path, change: Change) -> Outcome:
    _write(case, folder)
    await kernel.begin(folder)
    for each in case.setup:
        await kernel.run(each)
    taken = await _take(kernel, case, folder)
    if taken.analysis is None or taken.context is None:
        return Outcome(kind=taken.kind, said=taken.said)
    try:
        run = await _measured(Workspace(folder), case, taken.analysis, taken.context, change)
    except SwarmError as error:
        return Outcome(kind=type(error).__name__, said=str(error))
    if case.wrong is not None or run.value is None:
        return Outcome(value=run.value, kind=run.reason or "", said=run.message)
    await kernel.run(case.code)
    answer = folder / ".told.json"
    await kernel.run(f"__import__('taking').tell({case.metric!r}, {str(answer)!r})")
    return Outcome(msgspec.json.decode(answer.read_bytes(), type=Told).value, run.value)


def _write(case: Case, folder: Path) -> None:
    folder.mkdir()
    for name, content in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        else:
            content(path)


async def _take(kernel: _Kernel, case: Case, folder: Path) -> Taken:
    asked = Asked(str(folder), case.code, case.metric, list(case.setup), list(case.cells), list(case.again))
    request, answer = folder / ".asked.json", folder / ".taken.json"
    request.write_bytes(msgspec.json.encode(asked))
    await kernel.run(f"__import__('taking').take({str(request)!r}, {str(answer)!r})")
    return msgspec.json.decode(answer.read_bytes(), type=Taken)


async def _measured(workspace: Workspace, case: Case, analysis: Analysis, context: Context, change: Change) -> Run:
    """The run of the baseline, with the seed that the plain notebook has."""
    seed = case.seed if case.seed is not None else cell.lift(analysis.code, analysis).parameters["seed"]
    experiment = Experiment(
        code=analysis.code,
        seed=int(seed or 0),
        metric=case.metric,
        context=cell.context_hash(context),
        purpose="baseline",
    )
    laboratory = NotebookLaboratory(workspace, "ordinary", analysis, context, workers=1)
    laboratory._executor.setup = change(laboratory._executor.setup)
    await laboratory.open()
    try:
        return await laboratory.run(experiment, LIMIT_SECONDS)
    finally:
        await laboratory.close()
