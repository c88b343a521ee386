"""`NotebookLaboratory`: experiments as notebooks, each executed in a process of its own and kept as a record."""

from __future__ import annotations

import ast
import asyncio
import functools
import hashlib
import json
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from jupyter_swarm import cell
from jupyter_swarm.errors import LaboratoryError, SwarmError, WorkspaceError
from jupyter_swarm.experiments import cells, function, notebook, sealed
from jupyter_swarm.experiments.checkpoints import Checkpoints, wanted
from jupyter_swarm.experiments.cores import usable_cores
from jupyter_swarm.experiments.curves import Watching
from jupyter_swarm.experiments.devices import device_files, devices
from jupyter_swarm.experiments.environment import isolated
from jupyter_swarm.experiments.executor import Executor
from jupyter_swarm.experiments.inputs import Inputs
from jupyter_swarm.experiments.judging import judged
from jupyter_swarm.experiments.line import Ended
from jupyter_swarm.experiments.memory import usable_memory
from jupyter_swarm.experiments.nursery import NurseryLost
from jupyter_swarm.experiments.prefixes import Share
from jupyter_swarm.experiments.records import recorded
from jupyter_swarm.experiments.records.journal import Journal
from jupyter_swarm.experiments.records.record import gist
from jupyter_swarm.experiments.setup import Setup
from jupyter_swarm.experiments.worker.curves import instrument
from jupyter_swarm.experiments.worker.sandbox import ISOLATING, Policy
from jupyter_swarm.protocols import Watch
from jupyter_swarm.words import Analysis, Context, Experiment, Run
from jupyter_swarm.workspace import Workspace

if TYPE_CHECKING:
    from jupyter_swarm.cell import Rests


MOST_NAMED = 20
"""Of data that cannot be watched."""


class _Prepared(NamedTuple):
    """A cell as it will be executed, or why it will not."""

    code: str
    parameters: Mapping[str, object]
    refusal: Run | None = None
    rests: Rests | None = None
    curve: bool = False
    """Whether it assigns the metric inside a loop."""


class NotebookLaboratory:
    """Runs each experiment as a notebook in a process of its own; what it said is kept in the swarm's journal.

    Args:
        workspace: where captures are found and records kept.
        swarm: the swarm's name.
        analysis: of the swarm's cell; its lock is checked before each run.
        context: imports, captures, interpreter and folder.
        workers: experiments at once; as many as cores where not given.
        read: files and folders that experiments may read besides what is found.
        unsafe: whether code that nobody has read may run where it cannot be shut in.
        network: whether experiments may open connections, which the sandbox forbids otherwise.
        gpus: how many there are; each experiment has one for itself. 0: none is dealt out.
        apart: what the cell reads here is granted to no experiment elsewhere (`holdout.py`).

    Experiments are shut in (`worker/sandbox/`) as far as this machine can, unless JUPYTER_SWARM_ISOLATION=off.

    Order of calls: `open`, then `run` as often as wanted (also at once), then `close`.
    """

    def __init__(
        self,
        workspace: Workspace,
        swarm: str,
        analysis: Analysis,
        context: Context,
        workers: int | None = None,
        *,
        read: Sequence[str] = (),
        unsafe: bool = False,
        network: bool = False,
        gpus: int = 0,
        apart: bool = False,
    ) -> None:
        self.workers = min(workers or usable_cores(), gpus or sys.maxsize)
        self.notes: tuple[str, ...] = ()
        self._workspace, self._swarm, self._analysis, self._context = workspace, swarm, analysis, context
        self._python = context.python or sys.executable
        self._read, self._unsafe = tuple(read), unsafe
        self._network, self._devices = network, devices(gpus)
        self._isolated = isolated()
        self._memory = usable_memory()
        self._checkpoints = Checkpoints(workspace.swarm(swarm))
        self._keeps = wanted(analysis, context)
        self._executor = Executor(self._setup(), self.workers)
        self._journal: Journal | None = None
        self._runs = Path()
        self._inputs: Inputs | None = None
        self._place = workspace.swarm(swarm) / "holdout" if apart else workspace.swarm(swarm)
        self._allowed = sealed.Allowed(self._place)
        self._open = 0
        self._prepared = functools.lru_cache(maxsize=512)(self._prepare)

    def _setup(self) -> Setup:
        folder, root = self._context.folder or str(self._workspace.folder), str(self._workspace.root.absolute())
        captures, modules = (str(path) if path is not None else "" for path in self._taken)
        read = tuple(filter(None, (folder, captures, modules, *self._read)))
        imports = cells.import_statements([*map(cell.python, self._context.setup), self._analysis.code])
        drivers = device_files() if self._devices else ()
        shown = (str(self._checkpoints.folder),) if self._keeps else ()
        policy = Policy(read=read, write=drivers, shut=(root,), shown=shown, network=self._network)
        return Setup(
            python=self._python,
            folder=folder,
            imports=tuple(dict.fromkeys(("import numpy", *self._context.imports, *imports))),
            modules=modules,
            captures=captures,
            threads=max(1, usable_cores() // self.workers),
            policy=policy.to_json() if self._isolated else None,
            memory=self._memory,
            mirror=True,
            shut=(root,),
            devices=self._devices,
        )

    @property
    def _taken(self) -> tuple[Path | None, Path | None]:
        """The files of what the cell took from its notebook: variables, modules."""
        folder = self._workspace.captures.absolute()
        pickle, modules = self._context.pickle, self._context.modules
        return folder / f"{pickle}.pkl" if pickle else None, folder / f"{modules}.zip" if modules else None

    async def open(self) -> None:
        """Check interpreter, captures and folder, and get ready to execute.

        Raises:
            LaboratoryError: no experiment could run.
            WorkspaceError: records cannot be written.
        """
        await asyncio.to_thread(self._check)
        if self._keeps:
            self._checkpoints.make()
        journal = Journal(self._workspace.swarm(self._swarm) / recorded.FILE)
        await asyncio.to_thread(journal.open)
        self._journal = journal
        self._place.mkdir(mode=0o700, exist_ok=True)
        self._inputs = Inputs(self._place)
        self._executor.grant(self._inputs.load())
        self._allowed.load()
        try:
            await self._executor.open()
        except BaseException:
            await self.close()
            raise
        self.notes = tuple(self._missing())

    async def run(self, experiment: Experiment, timeout_seconds: float, *, watch: Watch | None = None) -> Run:
        """Execute once. Cancelling the call kills the experiment and what it started, then the cancellation goes on.
        So does `watch`, which sees its curves now and then, where it says why; the run is "pruned" then.

        The time-out counts from the moment its process begins. `Run.seconds` is the time that the experiment's own
        cell took (of what ran, where it did not get that far). Its record is durable when the call returns.

        Raises:
            LaboratoryError: nothing can be executed, or the captured variables are gone.
            WorkspaceError: the record cannot be written.
        """
        if self._journal is None:
            raise LaboratoryError("the laboratory is not open", cure="await laboratory.open() first")
        prepared = self._prepared(experiment.code)
        if prepared.refusal is not None:
            return msgspec.structs.replace(prepared.refusal, experiment=experiment.id)
        if experiment.free and self._gaps and not self._unsafe:
            message = (
                f"code that nobody has read runs only where it can be shut in, and here it cannot ({self._gaps}); "
                "`jupyter swarm doctor` says more, --unsafe runs it all the same"
            )
            return Run(experiment=experiment.id, reason="refused", message=message)
        self._check_capture(whole=False)
        values = {**prepared.parameters, "seed": experiment.seed}
        names = cell.recorded(self._analysis.record, self._analysis.keep)
        built = notebook.build(experiment, prepared.code, values, self._context, self._workspace, names)
        key = secrets.token_hex(16)
        assert prepared.rests is not None
        asked = sealed.ask(prepared.rests, experiment.metric, values, notebook.OWN, key)
        more = {"reads": self._is_own(experiment), "copies": self._copies, "seal": asked}
        if prepared.curve:
            more["curve"] = {"cell": notebook.OWN, "metric": experiment.metric}
        if self._keeps:
            more["checkpoints"] = self._checkpoints.place(experiment.id)
        self._open += 1
        try:
            ended = await self._executor.run(
                {**job(built), **more},
                timeout_seconds,
                keep=self._files(experiment),
                share=self._share(experiment, built["cells"][notebook.OWN]["source"], values),
                look=Watching(watch) if watch is not None else None,
            )
            if self._journal is None:
                return function.stopped(experiment, ended.seconds)
            run = await self._judge(self._journal, experiment, built, ended, timeout_seconds, key)
            if self._keeps:
                await asyncio.to_thread(self._checkpoints.remove, experiment.id)
            return run
        except NurseryLost as error:
            if self._journal is None:
                return function.stopped(experiment)
            return Run(experiment=experiment.id, reason="lost", message=f"{error}, and so did the next")
        finally:
            self._open -= 1

    @property
    def _copies(self) -> list[str]:
        return self._inputs.copies if self._inputs is not None else []

    def _is_own(self, experiment: Experiment) -> bool:
        """Whether it is the person's own cell, which may read what they may; what it reads is granted to all others."""
        return experiment.purpose in ("baseline", "holdout") and experiment.code == self._analysis.code

    def _share(self, experiment: Experiment, source: str, values: Mapping[str, object]) -> Share | None:
        """What screening runs may share; runs that count as evidence share nothing."""
        if experiment.purpose != "screening" or experiment.free or self._context.setup or self._keeps:
            return None
        seeding = cells.seeding(experiment.seed, self._context.imports, source)
        return Share(notebook.OWN, source, values, seeding)

    def _files(self, experiment: Experiment) -> Path | None:
        """Where files stay that a run leaves in its folder; those of screening are dropped."""
        return None if experiment.purpose == "screening" else self._runs / experiment.id

    @property
    def _gaps(self) -> str:
        """What is missing of the sandbox; "" where experiments are shut in."""
        if not self._isolated:
            return "JUPYTER_SWARM_ISOLATION is off"
        if self._executor.why:
            return f"they run on kernels of their own: {self._executor.why}"
        layers = self._executor.layers.items()
        return "; ".join(f"{name}: {why}" for name, why in layers if why and name in ISOLATING)

    def _missing(self) -> Iterator[str]:
        """What a person should know of the place where their cell runs."""
        if self._gaps:
            yield f"Experiments are not wholly shut in ({self._gaps}): `jupyter swarm doctor` says more."
        if self._executor.why:
            yield (
                "Nobody watches whether experiments change data or functions that the metric rests on: "
                "only their code is compared with that of your cell."
            )

    async def close(self) -> None:
        """Stop what runs, leave no process behind; harmless when called again."""
        journal, self._journal = self._journal, None
        await self._executor.close()
        while self._open:
            await asyncio.sleep(0.005)
        if journal is not None:
            await asyncio.to_thread(journal.close)

    async def _judge(
        self, journal: Journal, experiment: Experiment, built: dict[str, Any], ended: Ended, limit: float, key: str
    ) -> Run:
        """What the frames of an experiment say, once they are kept."""
        told = gist(ended.frames, result=notebook.SHOWN, own=notebook.OWN)
        run = judged(experiment, told, ended, limit, self._analysis)
        if run.ok and ended.sealed:
            run = await self._unbroken(experiment, run, ended.frames, told.done, key)
        if self._is_own(experiment) and self._inputs is not None and run.ok:
            self._executor.grant(self._inputs.see(told.done))
        if experiment.purpose == "baseline" and self._memory and ended.peak:
            self._executor.limit(int(self._memory / (1.2 * ended.peak)))
        await journal.append(experiment.id, json.dumps(built).encode(), ended.frames, died=ended.death())
        path = (self._runs / f"{experiment.id}.ipynb").relative_to(self._workspace.root)
        return msgspec.structs.replace(run, notebook=str(path))

    async def _unbroken(self, experiment: Experiment, run: Run, frames: bytes, done: bytes, key: str) -> Run:
        """The run, discarded where it has changed what its metric rests on."""
        large = len(frames) > 1_000_000
        word = await asyncio.to_thread(sealed.heard, frames, done, key) if large else sealed.heard(frames, done, key)
        if word is not None and experiment.code == self._analysis.code:
            try:
                self._allowed.see(word)
            except OSError as error:
                raise _unwritable(self._workspace.root, error) from None
            run = msgspec.structs.replace(run, unwatched=tuple(word.uncovered[:MOST_NAMED]))
        return sealed.judged(run, word, self._allowed)

    def _prepare(self, code: str) -> _Prepared:
        """A cell with its knobs lifted out; checked against the lock."""
        probe = Experiment(code=code, seed=0, metric="", context="")
        if (refused := function.refusal(probe, self._analysis)) is not None:
            return _Prepared(code, {}, refused)
        try:
            lifted, rests = cell.lift(code, self._analysis), cell.rests_on(code, self._analysis)
        except (SwarmError, SyntaxError) as error:
            return _Prepared(code, {}, Run(experiment="", reason="failure", message=str(error)))
        curve = bool(instrument(ast.parse(lifted.code), self._analysis.metric))
        return _Prepared(lifted.code, lifted.parameters, rests=rests, curve=curve)

    def _check(self) -> None:
        """What would keep every experiment from running."""
        self._check_interpreter()
        self._check_capture(whole=True)
        if not Path(self._executor.setup.folder).is_dir():
            raise LaboratoryError(
                f"the notebook's folder {self._executor.setup.folder} does not exist", cure="run the %%swarm cell again"
            )
        try:
            self._runs = self._workspace.runs(self._swarm)
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
        """What was taken is there; with `whole`, and unchanged."""
        cure = "run the %%swarm cell again, so that all is captured anew"
        for path, what in zip(self._taken, ("variables", "modules"), strict=True):
            if path is None:
                continue
            if not path.is_file():
                raise LaboratoryError(f"the captured {what} of this swarm were deleted", where=str(path), cure=cure)
            if whole:
                with path.open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
                if found != path.stem:
                    raise LaboratoryError(f"the captured {what} of this swarm were changed", where=str(path), cure=cure)


def job(built: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be executed of a notebook.

    >>> job({"cells": [{"cell_type": "markdown", "source": "# x"}, {"cell_type": "code", "source": "1"}]})
    {'cells': [{'index': 1, 'source': '1'}]}
    """
    cells = enumerate(built["cells"])
    return {"cells": [{"index": n, "source": each["source"]} for n, each in cells if each["cell_type"] == "code"]}


def _unwritable(folder: Path, error: OSError) -> WorkspaceError:
    return WorkspaceError(
        f"the executed notebooks cannot be written to {folder}: {error.strerror or error}",
        cure="make room on the disk, or make the folder writable, then resume the swarm",
    )
