"""`NotebookLaboratory`: experiments as notebooks, executed by papermill on kernels that are used once."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from jupyter_swarm.errors import LaboratoryError, SwarmError, WorkspaceError
from jupyter_swarm.experiments import function, notebook
from jupyter_swarm.experiments.cores import usable_cores
from jupyter_swarm.experiments.engine import NAME, AheadEngine
from jupyter_swarm.experiments.kernels import Kernel, KernelPool, Setup
from jupyter_swarm.words import Analysis, Context, Experiment, Reason, Run
from jupyter_swarm.workspace import Workspace


class NotebookLaboratory:
    """Runs each experiment as a notebook in a fresh kernel; executed notebooks land in the swarm's `runs/`.

    Args:
        workspace: where captures are found and notebooks kept.
        swarm: the swarm's name.
        analysis: of the swarm's cell; its lock is checked before each run.
        context: imports, captures, interpreter and folder.
        workers: experiments at once; as many as cores where not given.

    Order of calls: `open`, then `run` as often as wanted (also at once), then `close`.
    """

    def __init__(
        self, workspace: Workspace, swarm: str, analysis: Analysis, context: Context, workers: int | None = None
    ) -> None:
        cores = usable_cores()
        self.workers = workers or cores
        self._workspace, self._swarm, self._analysis, self._context = workspace, swarm, analysis, context
        self._python = context.python or sys.executable
        imports = ("import numpy", *context.imports)
        folder = context.folder or str(workspace.folder)
        self._setup = Setup(self._python, folder, imports, threads=max(1, cores // self.workers))
        self._runs = Path()
        self._pool: KernelPool | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._permits = asyncio.Semaphore(self.workers)
        self._closing = asyncio.Event()
        self._open = 0

    async def open(self) -> None:
        """Check interpreter, captures and folder, and start kernels ahead.

        Raises:
            LaboratoryError: no experiment could run.
            WorkspaceError: executed notebooks cannot be written.
        """
        await asyncio.to_thread(self._check)
        self._permits, self._closing = asyncio.Semaphore(self.workers), asyncio.Event()
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="swarm-papermill")
        self._pool = KernelPool(self._setup, self.workers)
        try:
            self._pool.fill()
            await asyncio.to_thread(_load)
            await self._pool.first()
        except BaseException:
            await self.close()
            raise

    async def run(self, experiment: Experiment, timeout_seconds: float) -> Run:
        """Execute once. Cancelling the call kills the experiment and what it started, then the cancellation goes on.

        The time-out counts from the moment a started kernel is at hand. `Run.seconds` is the time that the
        experiment's own cell took (of what ran, where it did not get that far).

        Raises:
            LaboratoryError: no kernel starts, or the captured variables are gone.
            WorkspaceError: the executed notebook cannot be written.
        """
        if self._pool is None or self._threads is None:
            raise LaboratoryError("the laboratory is not open", cure="await laboratory.open() first")
        prepared = self._prepare(experiment)
        if isinstance(prepared, Run):
            return prepared
        self._open += 1
        try:
            async with self._permits:
                if self._closing.is_set():
                    return function.stopped(experiment)
                kernel = await self._kernel()
                if kernel is None:
                    return function.stopped(experiment)
                return await self._on(kernel, experiment, prepared, timeout_seconds)
        finally:
            self._open -= 1

    async def close(self) -> None:
        """Stop what runs, kill all kernels; harmless when called again."""
        self._closing.set()
        if self._pool is not None:
            await self._pool.close()
            while self._open:
                await asyncio.sleep(0.005)
            await self._pool.close()
        if self._threads is not None:
            self._threads.shutdown(wait=True)
        self._pool = self._threads = None

    async def _kernel(self) -> Kernel | None:
        """A started kernel, or None where the laboratory is closed meanwhile."""
        assert self._pool is not None
        try:
            return await self._pool.take()
        except LaboratoryError:
            if self._closing.is_set():
                return None
            raise

    async def _on(self, kernel: Kernel, experiment: Experiment, prepared: Any, timeout_seconds: float) -> Run:
        """Execute on a kernel until it is done, out of time, or stopped; the kernel is gone afterwards."""
        assert self._pool is not None
        began = time.monotonic()
        loop = asyncio.get_running_loop()
        working = loop.run_in_executor(self._threads, execute, prepared, kernel)
        closing = asyncio.create_task(self._closing.wait())
        ended: Reason | None = None
        try:
            await asyncio.wait({working, closing}, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                ended = "stopped" if closing.done() else "timeout"
                kernel.ended = "the laboratory was closed" if closing.done() else f"{timeout_seconds:g} s were over"
        finally:
            closing.cancel()
            seconds = time.monotonic() - began
            gone = self._pool.give_up(kernel)
            await asyncio.shield(asyncio.gather(working, gone, closing, return_exceptions=True))
        if (error := working.exception()) is not None:  # not the experiment's doing, yet no reason to end the swarm
            message = f"the kernel could not be used: {type(error).__name__}: {error}"
            return Run(experiment=experiment.id, reason="lost", message=message, seconds=seconds)
        return self._judge(experiment, working.result(), ended, seconds, timeout_seconds)

    def _judge(self, experiment: Experiment, executed: Any, ended: Reason | None, seconds: float, limit: float) -> Run:
        """What an executed notebook says, once it is kept."""
        if ended == "timeout":
            run = function.timed_out(experiment, limit, seconds)
        elif ended == "stopped":
            run = function.stopped(experiment, seconds)
        elif (error := notebook.error_of(executed)) is not None:
            run = Run(experiment=experiment.id, reason="failure", message=error[0], traceback=error[1])
        else:
            value, missing, message = notebook.read(executed, experiment.metric)
            run = Run(experiment=experiment.id, value=value, reason=missing, message=message)
        path = self._keep(experiment, executed)
        return msgspec.structs.replace(run, notebook=path, seconds=_cell_seconds(executed, seconds))

    def _prepare(self, experiment: Experiment) -> Any:
        """The notebook to execute, or the run that ends here."""
        from jupyter_swarm import cell

        if (refused := function.refusal(experiment, self._analysis)) is not None:
            return refused
        self._check_capture(whole=False)
        try:
            lifted = cell.lift(experiment.code, self._analysis)
        except (SwarmError, SyntaxError) as error:
            return Run(experiment=experiment.id, reason="failure", message=str(error))
        return notebook.build(experiment, lifted.code, lifted.parameters, self._context, self._workspace)

    def _keep(self, experiment: Experiment, executed: Any) -> str:
        """Write the executed notebook, whole or not at all; its path relative to the workspace."""
        import nbformat

        final = self._runs / f"{experiment.id}.ipynb"
        part = self._runs / f".{experiment.id}-{secrets.token_hex(4)}.part"
        try:
            try:
                part.write_text(nbformat.writes(executed), encoding="utf-8")
                os.replace(part, final)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(self._runs, error) from None
        return str(final.relative_to(self._workspace.root))

    def _check(self) -> None:
        """What would keep every experiment from running."""
        self._check_interpreter()
        self._check_capture(whole=True)
        if not Path(self._setup.folder).is_dir():
            raise LaboratoryError(
                f"the notebook's folder {self._setup.folder} does not exist", cure="run the %%swarm cell again"
            )
        try:
            self._runs = self._workspace.runs(self._swarm)
            for left in self._runs.glob(".*.part"):  # by a runner that was killed; only one runs a swarm
                left.unlink(missing_ok=True)
            probe = self._runs / f".{secrets.token_hex(4)}.part"
            probe.write_text("probe", encoding="utf-8")
            probe.unlink()
        except OSError as error:
            raise _unwritable(self._workspace.root, error) from None

    def _check_interpreter(self) -> None:
        command = [self._python, "-I", "-S", "-c", "import platform; print(platform.python_version())"]
        try:
            said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
        except (OSError, subprocess.SubprocessError) as error:
            raise LaboratoryError(
                f"the notebook's interpreter does not start: {self._python}",
                where=getattr(error, "strerror", None) or str(error),
                cure="run the %%swarm cell again from a kernel that is installed",
            ) from None
        captured = self._context.python_version
        if captured and captured.split(".")[:2] != said.split(".")[:2]:
            raise LaboratoryError(
                f"the variables were captured under Python {captured}, and {self._python} is now {said}",
                cure="run the %%swarm cell again, so that they are captured anew",
            )

    def _check_capture(self, *, whole: bool) -> None:
        """The capture file is there; with `whole`, and unchanged."""
        if not (name := self._context.pickle):
            return
        path = self._workspace.captures / f"{name}.pkl"
        cure = "run the %%swarm cell again, so that its variables are captured anew"
        if not path.is_file():
            raise LaboratoryError("the captured variables of this swarm were deleted", where=str(path), cure=cure)
        if whole:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != name:
                raise LaboratoryError("the captured variables of this swarm were changed", where=str(path), cure=cure)


def _load() -> None:
    """Import papermill while the first kernels start, and let it know the engine."""
    # jsonschema (through nbformat) builds a grammar of international addresses at import: seconds, for a check that
    # no notebook needs. It goes without where the module is not to be had.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    from papermill.engines import papermill_engines

    papermill_engines.register(NAME, AheadEngine)


def execute(prepared: Any, kernel: Kernel) -> Any:
    """Have papermill execute a notebook on a kernel; the notebook as far as it came, errors among its outputs."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    kept: list[Any] = []
    with contextlib.suppress(PapermillExecutionError):  # it is among the outputs
        papermill.execute_notebook(
            prepared, None, engine_name=NAME, progress_bar=False, swarm_kernel=kernel, swarm_keep=kept
        )
    return kept[0]


def _cell_seconds(executed: Any, otherwise: float) -> float:
    """How long the experiment's own cell took, as papermill noted."""
    for cell in executed.cells:
        if "experiment" in cell.metadata.get("tags", []):
            noted = cell.metadata.get("papermill", {}).get("duration")
            return float(noted) if noted is not None else otherwise
    return otherwise


def _unwritable(folder: Path, error: OSError) -> WorkspaceError:
    return WorkspaceError(
        f"the executed notebooks cannot be written to {folder}: {error.strerror or error}",
        cure="make room on the disk, or make the folder writable, then resume the swarm",
    )
