"""The engine of one swarm: ask, reserve, perform, judge, write down; until the budget or the question is done.

It knows the seams only (`Store`, `Laboratory`, `Library`, `Role`, `Mind`), so that real kernels and a function that
draws numbers run under the very same engine. It starts and resumes alike: everything it needs is in the ledger.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping
from typing import cast

import msgspec

from jupyter_swarm.engine import allocation, judgement, roster, steering
from jupyter_swarm.engine.careful import Careful
from jupyter_swarm.engine.desk import WorkingDesk
from jupyter_swarm.engine.notes import notes
from jupyter_swarm.engine.summing import summary
from jupyter_swarm.engine.thinking import Thinking
from jupyter_swarm.errors import LaboratoryError, LedgerError, WorkspaceError
from jupyter_swarm.events import (
    AgentHired,
    AnyEvent,
    DirectionOpened,
    EvidenceFound,
    ExperimentFinished,
    Noted,
    SteeringAnswered,
    SwarmEnded,
    SwarmPaused,
    SwarmResumed,
    TaskFinished,
)
from jupyter_swarm.policy import NO_LIMITS, House
from jupyter_swarm.protocols import Laboratory, Lease, Library, Mind, Role, Store, Task, Thinker
from jupyter_swarm.roles import holdout, screening
from jupyter_swarm.roles.prospects import prospects, writing
from jupyter_swarm.roles.validation import REPLICATIONS, replication
from jupyter_swarm.state import CUT_OFF, Agent, Steering
from jupyter_swarm.words import WRITTEN, Experiment, Run, Variation

POLL_SECONDS = 0.25
"""How often requests are looked for while experiments run."""
BASELINE_RUNS = 3
BASELINE_TRIES = 3
"""So often a run of the baseline is begun whose kernel is lost under it."""
ENDING = (LaboratoryError, LedgerError, WorkspaceError)
"""Errors after which no experiment can be run or written down."""


class Swarm(WorkingDesk):
    """One swarm at work. `work()` returns when it is over, or when `quit()` was called.

    It is the desk of its agents, and what decides who works at it next.
    """

    def __init__(
        self,
        store: Store,
        lease: Lease,
        laboratory: Laboratory,
        library: Library,
        *,
        roles: Mapping[str, Role],
        minds: Mapping[str, Mind],
        context: str,
        house: House = NO_LIMITS,
        poll_seconds: float = POLL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(store, lease, laboratory, library, minds=minds, context=context, clock=clock)
        self._roles = {name: Careful(role, self._complain) for name, role in roles.items()}
        self._house = house
        self._complaints: set[tuple[str, str]] = set()
        self._poll_seconds = poll_seconds
        self._polled = -1e9
        self._exhausted: set[str] = set()
        self._tasks: dict[asyncio.Task[None], Task] = {}
        self._reading: asyncio.Task[None] | None = None
        self._thinking = Thinking(self, roles, self._exhausted.clear)
        self._widened = -1
        self._quit = ""

    # ------------------------------------------------------------ the work

    def quit(self, why: str) -> None:
        """Leave soon, with the swarm unfinished; whoever starts a runner goes on from there."""
        self._quit = why

    @property
    def quit_reason(self) -> str:
        """Why it was told to leave, or ""."""
        return self._quit

    async def work(self) -> None:
        """Until it is over. A cancelled or failing call leaves no experiment running."""
        self.tick(self.state.phase != "paused")
        try:
            self._recover()
            if not self.state.over:
                await self.laboratory.open()
                self.append(*(Noted(text=each, level="warning") for each in self.laboratory.notes))
                await self._until_over()
        finally:
            try:
                await self._cut_off()
            finally:
                await self.close()
                self.tick(False)

    def hold(self, why: str) -> None:
        """Pause, and say why; harmless where it is paused or over."""
        if self.state.phase == "running":
            self.append(Noted(text=why, level="warning"), SwarmPaused())
            self.tick(False)

    async def _until_over(self) -> None:
        if not await self._baseline() or not await self._new_data():
            return
        self._begin()
        if new := notes(self.state, self._purse.total(self.clock), self._purse.share):
            self.append(*new)
        while not self._quit and not self.state.over:
            self._poll()
            if self.state.asked == "stop":
                await self._finish("stopped", "stopped by the person")
                return
            if self.state.phase == "paused":
                await self._rest()
                continue
            if self._purse.total(self.clock) < 1 and not self._more_is_flying():
                await self._finish("done", "the budget is spent")
                return
            started = self._start_work()
            if not self._tasks and not started:
                if waiting := self._beside():
                    await asyncio.wait(waiting, timeout=self._poll_seconds, return_when=asyncio.FIRST_COMPLETED)
                elif not self._widen():
                    poor = self._can_screen()
                    why = "what is left of the budget pays for no further test" if poor else "nothing is left to try"
                    await self._finish("done", why)
                continue
            if self._tasks:
                await self._wait()

    def _more_is_flying(self) -> bool:
        """Whether runs are out that the budget has paid for; with a budget of time they are cut off at its end."""
        over = self.state.budget.seconds is not None and self.clock >= self.state.budget.seconds
        return bool(self._tasks) and not over

    def _beside(self) -> set[asyncio.Task[None]]:
        """What is under way besides experiments and worth waiting for: a search of the library, thoughts."""
        thoughts = self._thinking.tasks if self.left("screening") >= 1 else set()
        return thoughts | ({self._reading} if self._reading is not None else set())

    async def _wait(self) -> None:
        waited = {*self._tasks, *self._thinking.tasks}
        await asyncio.wait(waited, timeout=self._poll_seconds, return_when=asyncio.FIRST_COMPLETED)
        self._collect()

    def _collect(self) -> None:
        done = [each for each in self._tasks if each.done()]
        events: list[AnyEvent] = []
        for each in done:
            task = self._tasks.pop(each)
            error = None if each.cancelled() else each.exception()
            if isinstance(error, ENDING):
                raise error
            if error is not None:
                events.append(TaskFinished(agent=task.agent, role=task.role, failed=True, why=repr(error)[:500]))
            events += self.unbegun(task.experiments)
        if events:
            self.append(*events)
        if done:
            self._judge()

    def _complain(self, agent: Agent, error: Exception) -> None:
        """Note that an agent could not make a proposal; the same trouble of a role once."""
        trouble = (agent.role, repr(error)[:500])
        if trouble not in self._complaints:
            self._complaints.add(trouble)
            self.append(TaskFinished(agent=agent.id, role=agent.role, failed=True, why=trouble[1]))

    def _start_work(self) -> bool:
        """Give work to whoever is free; whether anything was begun."""
        begun = False
        self._read_on()
        self._thinking.start()
        while self._busy() < self.workers and len(self._tasks) < 2 * self.workers:
            task = self._next()
            if task is None:
                break
            begun = True
            self._begin_task(task)
        return begun

    def _read_on(self) -> None:
        """Let the library be searched for the next direction that nobody has searched for."""
        if self._reading is None or self._reading.done():
            task = allocation.read(self.state, self._roles, self, self._dice("read"))
            self._reading = asyncio.create_task(self._read(task)) if task is not None else None

    def _busy(self) -> int:
        return len(self.state.in_flight)

    def _dice(self, what: str) -> random.Random:
        """For one decision: its draws follow from the swarm's seed and how far it has come, whenever it is asked."""
        state = self.state
        searched = sum(each.searched for each in state.directions.values())
        seed = state.option("seed", 0)
        return random.Random(f"{seed}/{what}/{state.experiments}/{len(state.cases)}/{len(state.trials)}/{searched}")

    def _next(self) -> Task | None:
        rng = self._dice("work")
        task = allocation.confirm(self.state, self._roles, self, rng)
        if task is None and not self.closing:
            task = allocation.screen(self.state, self._roles, self, rng, self._exhausted)
            if task is None and not self._tasks and not self._beside():
                self.closing = True
                task = allocation.confirm(self.state, self._roles, self, rng)
        return task

    def _begin_task(self, task: Task) -> None:
        """Announce a task and take its budget in one transaction, then let it run."""
        self.append(*task.announce, *self.reserve(task.experiments))
        if task.experiments:
            running = asyncio.create_task(self._roles[task.role].perform(task, self))
            self._tasks[running] = task

    async def _read(self, task: Task) -> None:
        """A search of the library; its failure is noted and the direction is not searched again."""
        begun = self._monotonic()
        try:
            await self._roles[task.role].perform(task, self)
        except Exception as error:  # a broken paper or index must not end the swarm
            nothing = EvidenceFound(agent=task.agent, direction=task.direction, query=task.subject)
            self.append(nothing, Noted(text=f"The library could not be searched: {error}", level="warning"))
        self.append(TaskFinished(agent=task.agent, role=task.role, seconds=round(self._monotonic() - begun, 3)))

    def _widen(self) -> bool:
        """When all is judged and budget is left: another round of screening, over the best cell too."""
        if not self.closing:
            return False
        opened = self._open_directions()
        if not opened and self._widened == self.state.experiments:
            return False  # the last round began nothing: what is left pays for no task
        if (opened or self._can_screen()) and self._purse.grant(self.clock):
            self.closing, self._widened = False, self.state.experiments
            return True
        return False

    def _can_screen(self) -> bool:
        return any(
            allocation.workable(each) and each.id not in self._exhausted and WRITTEN not in each.targets
            for each in self.state.directions.values()
        )

    # ------------------------------------------------------------ beginning and end

    def _recover(self) -> None:
        """Runs that an earlier runner began and never brought back are lost; their seeds may run again."""
        lost = [
            ExperimentFinished(
                number=row.number, run=Run(experiment=row.experiment.id, reason="lost", message="its runner died")
            )
            for row in self.state.in_flight
        ]
        if lost:
            self.append(*lost)

    async def _baseline(self) -> bool:
        """Measure the person's cell; without a value from it there is no swarm."""
        for seeds in (range(1, 2), range(1, BASELINE_RUNS + 1)):
            if len(seeds) > 1:
                self._begin()  # the library is read while the baseline runs again
            failed = await self._measure(seeds)
            if self.state.asked == "stop":
                await self._finish("stopped", "stopped by the person")
            elif failed is not None:
                why = f"the baseline cell itself failed: {failed.message or failed.reason}"
                self._end("failed", why)
            elif self._quit:
                pass
            elif self._unmeasured(seeds):
                await self._finish("done", "the budget ended before the baseline was measured")
            else:
                continue
            return False
        return True

    async def _measure(self, seeds: Iterable[int]) -> Run | None:
        """Run the baseline on seeds where it has no value; the run that failed, if one did. A lost one runs again."""
        failed: list[Run] = []
        for _ in range(BASELINE_TRIES):
            runs = await self._listening(self._unmeasured(seeds))
            failed = [run for run in runs if run.reason not in (None, "stopped")]
            if {run.reason for run in failed} != {"lost"}:
                break
        return min(failed, key=lambda run: run.reason == "lost", default=None)

    def _unmeasured(self, seeds: Iterable[int]) -> list[Experiment]:
        base = self.state.baseline
        missing = [seed for seed in seeds if (base.id, seed) not in self.state.values]
        return [screening.experiment(self.state, base, seed, context=self.context) for seed in missing]

    async def _listening(self, experiments: list[Experiment]) -> list[Run]:
        """Run some experiments while listening to the person; cut off at a stop and at the end of the budget."""
        self._poll()
        while self.state.phase == "paused" and self.state.asked != "stop" and not self._quit:
            await self._rest()
            self._poll()
        if self._quit or self.state.asked == "stop":
            return []
        tasks = [asyncio.create_task(self.run(experiment)) for experiment in experiments]
        while pending := [task for task in tasks if not task.done()]:
            await asyncio.wait(pending, timeout=self._poll_seconds, return_when=asyncio.FIRST_COMPLETED)
            self._poll()
            self._read_on()
            seconds = self.state.budget.seconds
            if self._quit or self.state.asked == "stop" or (seconds is not None and self.clock >= seconds):
                for task in pending:
                    task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
        return [result for result in results if isinstance(result, Run)]

    def _begin(self) -> None:
        """Hire the team and open the first directions, unless an earlier runner did."""
        if not self.state.agents:
            assert self.state.request is not None
            mind = str(self.state.option("mind", "classical"))
            models = [name for name in self._minds if isinstance(self._minds[name], Thinker)]
            self.append(*roster.hire(self.state.request.agents, int(self.state.option("seed", 0)), mind, models))
        self._open_directions()

    def _open_directions(self) -> bool:
        """Open what the baseline offers, and what the best cell offers once there is one; whether any is new."""
        incumbent = self.state.incumbent()
        bases: list[Variation | None] = [None]
        if incumbent is not None:
            bases.append(incumbent.hypothesis.variation)
        known = {(each.base.id if each.base else "", each.targets) for each in self.state.directions.values()}
        agents = roster.working(self.state, "brainstorming")
        events: list[AnyEvent] = []
        for base in bases:
            written = [writing()] if any(agent.role == "implementation" for agent in self.state.agents.values()) else []
            for prospect in (*prospects(self.state.analysis, base or self.state.baseline), *written):
                if ((base.id if base else ""), prospect.targets) in known:
                    continue
                number = len(self.state.directions) + len(events) + 1
                agent = agents[number % len(agents)].id if agents else ""
                title = prospect.title if base is None else f"{prospect.title}, from the best cell"
                opened = DirectionOpened(
                    direction=f"D{number}", title=title, agent=agent, targets=prospect.targets, base=base
                )
                events.append(opened)
        if events:
            self.append(*events)
        return bool(events)

    async def _new_data(self) -> bool:
        """Try the cell as given on new data, if there are any; what fails there would fail when all is spent."""
        asked = holdout.first(self.state)
        for run in await self._listening([asked] if asked is not None else []):
            if not run.ok and run.reason not in CUT_OFF:
                await self._finish("failed", f"--confirm fails on the cell as given: {run.message}")
                return False
        return True

    async def _finish(self, how: str, why: str) -> None:
        await self._cut_off()
        self._judge(final=True)
        if how == "done" and (words := await summary(self.state, self._minds)):
            self.append(*words)
        if how == "done" and (skipped := holdout.skipped(self.state)):
            self.append(Noted(text=skipped, level="warning"))
        self._end(how, why)

    def _end(self, how: str, why: str) -> None:
        """The last words: whatever nobody has answered is refused with the end."""
        late = [
            SteeringAnswered(request=entry.number, done=False, answer=f"{self.state.name} was over before: {why}")
            for entry in self.state.steering.values()
            if entry.done is None
        ]
        self.append(*late, SwarmEnded(state=how, why=why))  # type: ignore[arg-type]

    async def _cut_off(self) -> None:
        """Cancel whatever runs, and wait until it is gone."""
        if self._reading is not None:
            self._reading.cancel()
        for each in self._tasks:
            each.cancel()
        await self._thinking.stop()
        pending = [*self._tasks, *([self._reading] if self._reading else [])]
        if pending:
            await asyncio.gather(*pending, return_exceptions=True)
        left = [experiment for task in self._tasks.values() for experiment in task.experiments]
        self._tasks.clear()
        self._reading = None
        if unbegun := self.unbegun(left):
            self.append(*unbegun)

    # ------------------------------------------------------------ judging and listening

    def _judge(self, final: bool = False) -> None:
        """Verdicts that are due, then what they mean for standings and directions."""
        before = self.state.incumbent()
        due = judgement.verdicts(self.state, final=final)
        if not due:
            return
        self.append(*due)
        changes = roster.review(self.state)
        if changes:
            self.append(*cast("list[AnyEvent]", changes))
        after = self.state.incumbent()
        if after is not None and (before is None or after is not before) and not final:
            self._open_directions()
            self._exhausted.clear()

    def _poll(self) -> None:
        """Read what faces have asked for, and answer."""
        now = self._monotonic()
        if now - self._polled < self._poll_seconds:
            return
        self._polled = now
        self.hear()
        for entry in [each for each in self.state.steering.values() if each.done is None]:
            if self.state.directions or entry.request.verb == "budget":  # else the baseline has not run once yet
                self._answer(entry)
        if self.state.asked == "pause" and self.state.phase == "running":
            self.append(SwarmPaused())
            self.tick(False)
        elif self.state.asked == "resume":  # also where a pause that was asked for before has not come about
            self.append(SwarmResumed())
            self.tick(True)

    def _answer(self, entry: Steering) -> None:
        events = steering.answer(self.state, entry, self._house)
        last = events[-1]
        if entry.request.verb == "replicate" and isinstance(last, SteeringAnswered) and last.done:
            if self.state.phase != "paused":
                self._replicate(entry, last)
            return
        self.append(*events)
        if entry.request.verb == "veto":
            self._judge()
        if any(isinstance(event, AgentHired) for event in events):
            self._exhausted.clear()  # who is new may have ideas where the others had none left

    def _replicate(self, entry: Steering, answer: SteeringAnswered) -> None:
        """Repeat a run, and say so in the same transaction; or say why not."""
        agent = allocation.draw_agent(self.state, "validation", self._dice("replicate"))
        if agent is None:
            why = "nobody is hired yet who could: ask again when the baseline is measured"
        elif self.left("replication") < REPLICATIONS:
            why = f"the budget does not pay for {REPLICATIONS} more runs: raise it first"
        else:
            task = replication(self.state, steering.run_number(entry.request, self.state), agent, self)
            self._begin_task(msgspec.structs.replace(task, announce=(answer,)))
            return
        self.append(SteeringAnswered(request=entry.number, done=False, answer=why))

    async def _rest(self) -> None:
        """While paused: let what runs come back, listen, spend nothing."""
        if self._tasks:
            await self._wait()
        else:
            await asyncio.sleep(self._poll_seconds)
