"""A handle on a swarm: what all faces and programs use. It appends requests to the ledger and folds what is there.

from jupyter_swarm import Swarm, Workspace

swarm = Swarm.start(cell, name="wine", maximize="accuracy", budget="2m", namespace=globals())
swarm.wait()                 # or go on: a detached runner works
print(swarm.result())

Swarm("wine", Workspace("notebooks")).stop()     # from anywhere else
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_swarm import engine, policy, register
from jupyter_swarm.engine import staffing
from jupyter_swarm.errors import CellError, LedgerError, SwarmError, UsageError
from jupyter_swarm.events import (
    AnyEvent,
    PauseRequested,
    ResumeRequested,
    SteeringRequested,
    SteeringVerb,
    StopRequested,
    SwarmRequested,
)
from jupyter_swarm.minds import team
from jupyter_swarm.outcome import needed_runs, outcome
from jupyter_swarm.settings import budget_text, checked, digest, objective_of, parse_budget
from jupyter_swarm.state import Best, Case, Row, Steering, SwarmState
from jupyter_swarm.words import Analysis, Budget, Holdout, Objective
from jupyter_swarm.workspace import Workspace, check_name

_POLL_SECONDS = 0.2
_LONELY_SECONDS = 20.0
"""How long a swarm is waited for that has no runner; three times as long where the first has yet to come."""


class Swarm:
    """One swarm of a workspace. Making a handle costs nothing and starts nothing.

    Args:
        name: of a swarm that the workspace knows.
        workspace: where; the current folder's where not given.

    Raises:
        UsageError: the workspace knows no such swarm; the message says which are near.
    """

    def __init__(self, name: str, workspace: Workspace | str | Path | None = None) -> None:
        self.workspace = workspace if isinstance(workspace, Workspace) else Workspace(workspace)
        self.name = check_name(name)
        self.attached = False
        """Whether `start` found it there already, begun by the same cell with the same settings."""
        self._local = threading.local()
        if register.request(self.workspace, name) is None:
            raise register.unknown(self.workspace, name)

    def __repr__(self) -> str:
        return f"Swarm({self.name!r}, {self.workspace!r})"

    # ------------------------------------------------------------ beginning

    @classmethod
    def start(
        cls,
        cell: str,
        *,
        name: str = "swarm",
        maximize: str | None = None,
        minimize: str | None = None,
        budget: str | Budget = "2m",
        agents: int = 16,
        namespace: Mapping[str, Any] | None = None,
        workspace: Workspace | str | Path | None = None,
        folder: str | Path | None = None,
        vary: Sequence[str] = (),
        fix: Sequence[str] = (),
        record: Sequence[str] = (),
        keep: Sequence[str] = (),
        setup: Sequence[str] = (),
        done: int = 0,
        confirm: str = "",
        new: bool = False,
        progress: Callable[[int, int], None] | None = None,
        **options: str | int | float | bool | None,
    ) -> Swarm:
        """Read and capture a cell, ask for a swarm, make sure that a runner lives; return at once.

        An unchanged cell with unchanged settings is the same swarm: it is attached to, and resumed if its runner has
        died. A changed one gets the next free name (`wine-2`).

        Args:
            cell: its source.
            name: of the swarm.
            maximize: the metric, a name that the cell assigns. Give this or `minimize`.
            minimize: likewise, where less is better.
            budget: time, experiments, or both: "2m", "500x", "2m,500x".
            agents: how many work in it.
            namespace: the notebook's variables (`globals()`).
            workspace: where `.swarm/` lies or is made.
            folder: where relative paths in the cell resolve; the workspace's folder where not given.
            vary: knobs to vary, also `name=low..high`; fix: names never to vary.
            record: names whose values each run records besides the metric.
            keep: conditions that a variation has to keep, as in "latency_ms <= 5".
            setup: cells that are executed before it each time, and never varied; what they make is not captured.
            done: so many of the cell's first lines have been executed in the notebook before.
            confirm: an expression that gives the metric on data that the cell does not use; supported findings are
                measured once on them, and no other run sees them.
            new: another swarm even though nothing has changed (the notebook's data may have).
            progress: told (bytes done, bytes in all) while large data are captured.
            options: workers, timeout_seconds, share_confirmation, seed, mind, models (separated by spaces), base_url,
                min_effect (in units of the metric), network, gpus, unsafe, read (paths, separated as in PATH).

        Raises:
            CellError: the cell cannot be used as it is, or something cannot be captured.
            UsageError: a name, budget or option makes no sense.
            PolicyError: an administrator does not allow it.
            WorkspaceError, LedgerError: the workspace cannot be written, or no runner can be started.
        """
        from jupyter_swarm import cell as cells

        place = workspace if isinstance(workspace, Workspace) else Workspace(workspace)
        check_name(name)
        objective = objective_of(maximize, minimize)
        spend = budget if isinstance(budget, Budget) else parse_budget(budget)
        chosen = checked(agents, options)
        if spend.seconds is None and spend.experiments is None:
            raise UsageError("a budget needs time or experiments too", where="--budget", cure="2m,$2 or 500x,200kt")
        allowed = _allowed(spend, agents, chosen)
        team.check(chosen, allowed, here=not place.chosen)
        cell_hash = digest(cell, setup, objective, spend, agents, (vary, fix, record, keep, [confirm]), chosen)
        there = None if new else register.same(place, name, cell_hash)
        if there is not None:
            found = cls(there, place)
            found.attached = True
            return found.ensure_runner()
        space = namespace if namespace is not None else {}
        home = Path(folder or place.folder).absolute()
        if "tradeoff" in chosen:
            second = Objective.second(str(chosen["tradeoff"])).metric
            if second == objective.metric:
                cure = "another name that the cell assigns, or seconds, or peak_mb"
                raise UsageError(f"{second} is the metric already", where="--tradeoff", cure=cure)
            record = cells.recorded([*record, second], ())
        wishes: dict[str, Any] = {
            "vary": vary, "fix": fix, "record": record, "keep": keep, "setup": setup, "done": done, "folder": home,
        }  # fmt: skip
        analysis = cells.read(cell, metric=objective.metric, namespace=space, **wishes)
        held = cells.held_out(cell, confirm, analysis, space, **wishes) if confirm else None
        codes = [each.code for each in (analysis, held) if each is not None]
        engine.check(place, [*codes, *map(cells.python, setup)])
        place.create()
        with register.starting(place):
            cells.survey(analysis, space)
            _check_variable(analysis)
            context = cells.capture(
                analysis, space, folder=home, captures=place.captures, setup=setup, progress=progress
            )
            holdout = None
            if held is not None:
                apart = cells.capture(held, space, folder=home, captures=place.captures, setup=setup, progress=progress)
                line = held.code.splitlines()[-1].partition(" = ")[2]
                holdout = Holdout(expression=line, analysis=held, context=apart, context_hash=cells.context_hash(apart))
            free = register.free_name(place, name)
            request = SwarmRequested(
                objective=objective,
                budget=allowed,
                agents=agents,
                analysis=analysis,
                context=context,
                cell_hash=cell_hash,
                options=chosen,
                holdout=holdout,
            )
            own = place.swarm(free)
            try:
                place.store.append(free, [request])
            except SwarmError:
                with suppress(OSError):
                    own.rmdir()
                raise
        engine.start(place, free)
        return cls(free, place)

    def ensure_runner(self) -> Swarm:
        """Start a runner where the swarm is not over and has none: what is done is not done again.

        Raises:
            PolicyError: an administrator lets swarms be looked at only.
        """
        policy.from_environment().check_open(f"to let {self.name} work")
        if not self.state.over:
            self._await_stale_lease()
            engine.start(self.workspace, self.name)
        return self

    def _await_stale_lease(self) -> None:
        """A runner that was killed on this machine cannot give its lease back: wait until it has run out."""
        holder = self.workspace.store.holder(self.name)
        while holder is not None and register.dead(holder):
            time.sleep(_POLL_SECONDS)
            holder = self.workspace.store.holder(self.name)

    # ------------------------------------------------------------ what is

    @property
    def state(self) -> SwarmState:
        """The fold of all that has happened, brought up to now. Each thread has a state of its own."""
        state: SwarmState | None = getattr(self._local, "state", None)
        if state is None:
            state = self._local.state = SwarmState(name=self.name)
        while records := self.workspace.store.read(state.last, swarm=self.name, limit=5000):
            for record in records:
                state.apply(record)
        return state

    @property
    def alive(self) -> bool:
        """Whether a runner works on it now."""
        return engine.alive(self.workspace, self.name)

    def findings(self) -> list[Case]:
        """Judged hypotheses: supported, refuted, open; each group by effect."""
        return self.state.findings()

    def best(self) -> Best | None:
        """The best cell as measured again on untouched seeds; None before that."""
        return self.state.best

    def result(self) -> dict[str, Any]:
        """Name, state, experiments, baseline, best, findings with citations, spend; as `--json` prints it."""
        return outcome(self.state)

    def notebook(self, number: int) -> Path:
        """The executed notebook of a run, made of its record where it is not there yet.

        Raises:
            UsageError: there is no such run, or its notebook is gone.
            WorkspaceError: it cannot be read or written.
        """
        from jupyter_swarm.experiments.records import executed

        row = self.row(number)
        assert row.run is not None
        path = executed.materialise(self.workspace.root, row.run.notebook)
        if path is None:
            raise self.without_notebook(row)
        return path

    def row(self, number: int) -> Row:
        """A run that has finished, with its experiment.

        Raises:
            UsageError: there is no such run.
        """
        state = self.state
        row = state.rows.get(number)
        if row is None or row.run is None:
            known = f"runs are numbered 1 to {max(state.rows)}" if state.rows else "no run has been started yet"
            doing = "has not finished" if row else "does not exist"
            raise UsageError(f"run {number} of {self.name} {doing}", cure=known)
        return row

    def without_notebook(self, row: Row) -> UsageError:
        """The error for a run that has no executed notebook."""
        why = (row.run.message if row.run else "") or "it was freed by clean, or never written"
        return UsageError(f"run {row.number} of {self.name} has no notebook", where=why, cure="another run")

    def report(self) -> Path:
        """Write the report notebook beside the notebooks; its path there."""
        from jupyter_swarm import report

        policy.from_environment().check_open(f"to write a report of {self.name}")
        return report.write(self.workspace, self.name)

    # ------------------------------------------------------------ what is asked of it

    def wait(self, timeout: float | None = None, *, watch: Callable[[SwarmState], None] | None = None) -> SwarmState:
        """Wait until it is over (or `timeout` seconds have passed). Interrupting leaves the swarm running.

        Args:
            timeout: seconds.
            watch: told the state about twice a second.

        Raises:
            LedgerError: its runner is gone and another does not stay.
        """
        end = math.inf if timeout is None else time.monotonic() + timeout
        lonely = 0.0
        while True:
            state = self.state
            if watch is not None:
                watch(state)
            if state.over or time.monotonic() >= end:
                return state
            lonely = 0.0 if state.phase == "paused" or self.alive else lonely + _POLL_SECONDS
            if lonely > _LONELY_SECONDS * (3 if state.phase == "requested" else 1):
                raise LedgerError(
                    f"{self.name} has no runner any more",
                    where=self._last_words(),
                    cure=f"resume {self.name}; no finished run is lost",
                )
            time.sleep(max(0.0, min(_POLL_SECONDS, end - time.monotonic())))

    def _last_words(self) -> str:
        """The path of the runner's log, and its last line."""
        path = self.workspace.swarm(self.name) / "runner.log"
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            lines = []
        return ": ".join([str(path), *[line for line in lines if line.strip()][-1:]])

    def pause(self, *, id: str = "") -> SwarmState:
        """Start no more work; what runs may finish. `id` as in `steer`."""
        return self._ask(PauseRequested(id=id), "pause")

    def resume(self, *, id: str = "") -> SwarmState:
        """Go on, with a new runner where there is none. `id` as in `steer`."""
        state = self._ask(ResumeRequested(id=id), "resume")
        self.ensure_runner()
        return state

    def stop(self, *, id: str = "") -> SwarmState:
        """End it now; findings so far stay. Without a runner, one is started to write down the end."""
        state = self._ask(StopRequested(id=id), "stop")
        self.ensure_runner()
        return state

    def steer(
        self,
        verb: SteeringVerb,
        target: str = "",
        value: float | str | None = None,
        *,
        wait: float = 0.0,
        id: str = "",
    ) -> Steering:
        """Ask for a change; each request is answered in the ledger, done or refused with the reason.

        Args:
            verb: "priority", "add", "close", "approve", "veto", "replicate", "budget", "hire", "dismiss" or "resize".
            target: a direction (id or words of its title), a hypothesis, a run's number, a role, an agent. What is
                approved or vetoed may be a direction's id: then it is all of its hypotheses without a verdict.
            value: the priority, the budget, the mind of who is hired, the number of agents of a role.
            wait: seconds to wait for the answer.
            id: of the request, where who asks has one and may ask again.

        Returns:
            The request with its answer; `done` is None where there was none in time.

        Raises:
            UsageError: the swarm is over (but for marks of what it has judged), or the budget makes no sense.
            PolicyError: an administrator does not allow it.
        """
        house = policy.from_environment()
        house.check_open(f"to steer {self.name}")
        if verb == "budget":
            asked = parse_budget(str(value or target))
            house.check_budget(asked)
            value = budget_text(asked)
        elif verb == "hire" and ":" in str(value or ""):
            house.check_models([str(value)])
        request = SteeringRequested(verb=verb, target=target, value=value, id=id)
        if self.state.needs_runner(request):
            self._check_open("steer")
        house.check_agents(staffing.growth(self.state, request))
        number = self.workspace.store.append(self.name, [request])[0].number
        end = time.monotonic() + wait
        while True:
            entry = self.state.steering[number]
            if entry.done is not None or self.state.over:
                return entry
            if time.monotonic() >= end:
                return entry
            time.sleep(_POLL_SECONDS / 2)

    def clean(self) -> tuple[int, int]:
        """Delete executed notebooks that no finding needs; (how many, bytes). Only when it is over or paused."""
        from jupyter_swarm.experiments.records import executed

        policy.from_environment().check_open(f"to clean {self.name}")
        state = self.state
        if not state.over and state.phase != "paused":
            raise UsageError(f"{self.name} is at work", cure=f"pause or stop {self.name} first")
        keep = {Path(path).stem for path in needed_runs(state)}
        keep |= {row.experiment.id for row in state.rows.values() if row.run is None}
        return executed.free(self.workspace.root, self.name, keep)

    def _ask(self, event: AnyEvent, verb: str) -> SwarmState:
        policy.from_environment().check_open(f"to {verb} {self.name}")
        self._check_open(verb)
        self.workspace.store.append(self.name, [event])
        return self.state

    def _check_open(self, verb: str) -> None:
        state = self.state
        if state.over:
            raise UsageError(
                f"{self.name} is over ({state.phase}: {state.why}); there is nothing to {verb}",
                cure="run its cell again with another budget: that starts a new swarm",
            )


def _allowed(budget: Budget, agents: int, options: Mapping[str, str | int | float | bool]) -> Budget:
    """The budget with an administrator's limits where it leaves something open.

    Raises:
        PolicyError: what is asked for is more than is allowed.
        UsageError: the administrator's policy cannot be read.
    """
    house = policy.from_environment()
    models = team.models(options)
    house.check_open("to start a swarm")
    house.check_models(models)
    house.check_agents(agents)
    house.check_options(options)
    house.check_budget(budget)
    return house.filled(budget, models=bool(models))


def _check_variable(analysis: Analysis) -> None:
    """Refuse a cell in which there is nothing to try.

    Raises:
        CellError: nothing in it may vary.
    """
    if analysis.knobs or analysis.swaps or analysis.inserts or analysis.blocks:
        return
    locked = "; ".join(f"line {item.line}: {item.why}" for item in analysis.locked[:4])
    raise CellError(
        "nothing in this cell may vary, so there is nothing to try",
        where=locked or "it has neither literals nor callables with siblings",
        cure="mark what may vary with #: free or #: low..high at the end of its line, or see --plan",
    )


def list_swarms(workspace: Workspace | str | Path | None = None) -> list[Swarm]:
    """All swarms of a workspace, the oldest first."""
    place = workspace if isinstance(workspace, Workspace) else Workspace(workspace)
    return [Swarm(name, place) for name in register.names(place)]
