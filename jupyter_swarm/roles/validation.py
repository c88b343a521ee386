"""Validation: plans a test before its runs, runs its pairs on untouched seeds, ablates the best cell, measures it
again.

It never judges: the verdict is computed from the pairs by `statistics`, in the engine's `judgement`.
"""

from __future__ import annotations

import asyncio
import math

import msgspec

from jupyter_swarm import cell, statistics
from jupyter_swarm.errors import EditError
from jupyter_swarm.events import AnyEvent, BestEstimated, HypothesisProposed, Noted, PlanRegistered
from jupyter_swarm.protocols import Brief, Desk, Idea, Task, Thinker
from jupyter_swarm.roles import briefs, equivalence, front, holdout, screening
from jupyter_swarm.roles.brainstorming import hypothesis_of
from jupyter_swarm.state import Agent, Case, Direction, SwarmState, Trial
from jupyter_swarm.words import Experiment, Hypothesis, Plan, Purpose, Run, Variation

PLAN_SEEDS = 10_000
"""Plan number i uses the seeds from i times this on: never a seed of screening or of another plan."""
BEST_SEEDS = 100_000_000
MOST_PAIRS = 60
BEST_RUNS = 5
MOST_CLAIMS = 3
"""Claims of papers that are put to a test."""
ABLATION = "ablation"
EXACT_PAIRS = 3
REPLICATIONS = 3
"""Runs of a replication that a person asks for."""
UNSURE = 1.0
"""Posterior standard deviations above 0 from which a case is planned when screening is over."""
FEW_PLANS = 4
"""Where the budget pays for fewer plans than this, they wait until screening is over, and go to its best."""


class Validation:
    """Open plans first, then new ones for what screening found, then the ablation and the best cell."""

    name = "validation"

    def __init__(self) -> None:
        self._measuring: set[str] = set()
        """Purposes of which runs are out, or back and what comes of them not yet written down."""

    def propose(self, state: SwarmState, agent: Agent, direction: Direction | None, desk: Desk) -> Task | None:
        """The next pair of an open plan; else a plan for what is ready; when screening is over the ablation of the best
        cell, what is as good and cheaper, plans for less sure cases, and the best cell again.
        """
        for trial in state.trials.values():
            if trial.evidence is None and state.cases[trial.plan.hypothesis].mark != "vetoed":
                task = self._pair(state, trial, agent, desk)
                if task is not None:
                    return task
        plan = self._claim(state, agent, desk) or self._plan(state, agent, desk)
        if plan is None and desk.closing:
            plan = (
                self._ablation(state, agent, desk)
                or self._equivalence(state, agent, desk)
                or self._plan(state, agent, desk, unsure=True)
            )
        if plan is not None or not desk.closing:
            return plan
        for purpose, propose in (("best", self._best), ("holdout", holdout.task), ("front", front.task)):
            out = purpose in self._measuring or any(row.experiment.purpose == purpose for row in state.in_flight)
            if not out and (task := propose(state, agent, desk)) is not None:
                return task
        return None

    async def perform(self, task: Task, desk: Desk) -> None:
        """Run what the task names, and write down what comes of it where that is no verdict."""
        after = {"best": self._estimate, "holdout": self._hold_out, "front": self._choose}
        purpose = task.experiments[0].purpose if task.experiments else ""
        if purpose not in after:
            await self._run_all(task, desk)
            return
        self._measuring.add(purpose)
        try:
            await after[purpose](task, desk)
        finally:
            self._measuring.discard(purpose)

    async def _run_all(self, task: Task, desk: Desk) -> list[Run | None]:
        return await asyncio.gather(*(desk.run(experiment) for experiment in task.experiments))

    async def _choose(self, task: Task, desk: Desk) -> None:
        desk.append(front.measured(desk.state, task.experiments, await self._run_all(task, desk)))

    async def _estimate(self, task: Task, desk: Desk) -> None:
        runs = await self._run_all(task, desk)
        values = [run.value for run in runs if run is not None and run.value is not None]
        if len(values) < 2:
            desk.append(
                Noted(text="The best cell could not be measured again: too few runs came back", level="warning")
            )
            return
        mean, low, high = statistics.mean_interval(values)
        best = desk.state.cases[task.subject].hypothesis  # the incumbent may have changed since
        desk.append(
            BestEstimated(variation=best.variation, mean=mean, low=low, high=high, runs=len(values), hypothesis=best.id)
        )

    async def _hold_out(self, task: Task, desk: Desk) -> None:
        found = await self._run_all(task, desk)
        runs = {(asked.code, asked.seed): run for asked, run in zip(task.experiments, found, strict=True)}
        desk.append(*holdout.measured(desk.state, desk.state.cases[task.subject], runs))

    def _pair(self, state: SwarmState, trial: Trial, agent: Agent, desk: Desk) -> Task | None:
        plan = trial.plan
        flying = {row.experiment.seed for row in state.in_flight if row.experiment.hypothesis == plan.hypothesis}
        if len(flying) >= 1 + desk.workers // 2 or desk.left("confirmation") < 2:
            return None
        seeds = range(plan.first_seed, plan.first_seed + plan.max_pairs)
        seed = next((seed for seed in seeds if seed not in flying and trial.missing(seed)), None)
        if seed is None:
            return None
        case = state.cases[plan.hypothesis]
        sides = (case.hypothesis.variation, case.hypothesis.reference)
        if seed % 2:
            sides = sides[::-1]
        runs = tuple(_run(state, side, seed, "confirmation", case.hypothesis, agent, desk) for side in sides)
        return Task(agent.id, self.name, case.hypothesis.direction, experiments=runs, subject=plan.id)

    def _plan(self, state: SwarmState, agent: Agent, desk: Desk, *, unsure: bool = False) -> Task | None:
        """A plan for the most promising case that is ready, or also for less sure ones.

        What is ready is confirmed at once, unless so few plans can be paid for that they belong to the best. The last
        one that can be paid for goes to whatever leads.
        """
        if not desk.closing and room(state, desk) < FEW_PLANS * least_pairs(state):
            return None
        last = room(state, desk) < 2 * least_pairs(state)
        candidates = [case for case in state.cases.values() if _candidate(state, case, unsure, 0.0 if last else UNSURE)]
        if not candidates:
            return None
        case = max(candidates, key=lambda case: (case.mark == "approved", screening.standing(state, case).score))
        return self._registered(state, case.hypothesis, agent, desk)

    def brief(self, state: SwarmState, agent: Agent, desk: Desk) -> Brief | None:
        """The person's cell, for claims of papers about it; once."""
        if any(case.hypothesis.claim for case in state.cases.values()) or room(state, desk) < least_pairs(state):
            return None
        whole = _of_claims(state, agent)
        return whole if desk.mind(agent.id).invent(whole) is None else None

    def _claim(self, state: SwarmState, agent: Agent, desk: Desk) -> Task | None:
        """A plan for a claim of a paper that nobody has tested: without a race before, as it was not made here."""
        mind = desk.mind(agent.id) if agent.id in state.agents else None
        claims = sum(case.hypothesis.claim for case in state.cases.values())
        if not isinstance(mind, Thinker) or claims >= MOST_CLAIMS or room(state, desk) < 2 * least_pairs(state):
            return None
        idea = mind.invent(_of_claims(state, agent))
        if idea is None or not idea.claim:
            return None
        hypothesis = hypothesis_of(state, agent, _home(state, idea), idea)
        return self._registered(state, hypothesis, agent, desk, HypothesisProposed(hypothesis=hypothesis))

    def _registered(
        self, state: SwarmState, hypothesis: Hypothesis, agent: Agent, desk: Desk, *announce: AnyEvent
    ) -> Task | None:
        plan = plan_for(state, hypothesis, agent.id, room(state, desk))
        if plan is None:
            return None
        events: tuple[AnyEvent, ...] = (*announce, PlanRegistered(plan=plan))
        return Task(agent.id, self.name, hypothesis.direction, events, subject=plan.id)

    def _ablation(self, state: SwarmState, agent: Agent, desk: Desk) -> Task | None:
        """Which change of the best cell earned what: the cell against itself without one of its changes."""
        incumbent = state.incumbent()
        if incumbent is None or len(incumbent.hypothesis.variation.edits) < 2:
            return None
        best = incumbent.hypothesis.variation
        tested = {
            case.hypothesis.reference.id
            for case in state.cases.values()
            if case.hypothesis.variation.id == best.id and case.plan
        }
        for place, edit in enumerate(best.edits):
            try:
                without = cell.apply(state.analysis, best.edits[:place] + best.edits[place + 1 :])
            except EditError:
                continue
            if without.id in tested or without.id == best.id:
                continue
            hypothesis = Hypothesis(
                id=f"H{len(state.cases) + 1}",
                statement=f"In the best cell, {cell.describe(edit, state.analysis)} earns its share",
                direction=ABLATION,
                agent=agent.id,
                variation=best,
                reference=without,
                predicted=round(agent.promise, 4),
            )
            return self._registered(state, hypothesis, agent, desk, HypothesisProposed(hypothesis=hypothesis))
        return None

    def _equivalence(self, state: SwarmState, agent: Agent, desk: Desk) -> Task | None:
        """A plan for what screening shows to be cheaper than the best cell, and about as good; the cheapest first."""
        margin = float(state.option("equivalent", 0.0))
        if not margin:
            return None
        found = equivalence.candidates(state, margin)
        if not found:
            return None
        hypothesis = equivalence.hypothesis(state, found[0], margin, agent)
        return self._registered(state, hypothesis, agent, desk, HypothesisProposed(hypothesis=hypothesis))

    def _best(self, state: SwarmState, agent: Agent, desk: Desk) -> Task | None:
        incumbent = state.incumbent()
        known = state.best.variation.id if state.best is not None else ""
        if incumbent is None or incumbent.hypothesis.variation.id == known:
            return None
        tries = sum(row.experiment.purpose == "best" for row in state.rows.values())
        count = min(BEST_RUNS, desk.left("best"))
        if count < 2 or tries >= 4 * BEST_RUNS:
            return None
        best = incumbent.hypothesis
        runs = tuple(
            _run(state, best.variation, BEST_SEEDS + tries + number, "best", best, agent, desk)
            for number in range(count)
        )
        return Task(agent.id, self.name, best.direction, experiments=runs, subject=best.id)


def _of_claims(state: SwarmState, agent: Agent) -> Brief:
    """The person's cell; what was screened may be claimed all the same, what was planned may not."""
    planned = {case.hypothesis.variation.id for case in state.cases.values() if case.plan}
    whole = briefs.whole(state, agent, state.baseline)
    return msgspec.structs.replace(whole, tried=frozenset({state.baseline.id, *planned}))


def _home(state: SwarmState, idea: Idea) -> Direction | None:
    """The direction that an idea about the person's cell belongs to."""
    first = idea.variation.edits[0].target if idea.variation.edits else ""
    return next((each for each in state.directions.values() if each.base is None and first in each.targets), None)


def _candidate(state: SwarmState, case: Case, unsure: bool, floor: float) -> bool:
    if screening.ready(state, case):
        return not screening.behind(state, case)
    if not unsure or case.plan or case.mark == "vetoed" or case.evidence is not None or case.failures:
        return False
    where = screening.standing(state, case)
    return where.runs > 0 and where.score > floor and not screening.behind(state, case)


def room(state: SwarmState, desk: Desk) -> int:
    """Pairs that the budget pays for beyond those that open plans may still take."""
    promised = sum(
        trial.plan.max_pairs - len(trial.variation.keys() & trial.reference.keys())
        for trial in state.trials.values()
        if trial.evidence is None
    )
    return desk.left("confirmation") // 2 - promised


def least_pairs(state: SwarmState) -> int:
    """The pairs within which the next plan could be accepted if every one of them won: fewer are not worth a plan."""
    if statistics.deterministic(state.baseline_values()):
        return EXACT_PAIRS
    wins = sum(trial.evidence is not None and trial.evidence.verdict == "supported" for trial in state.trials.values())
    target = statistics.needed(statistics.weight(len(state.trials) + 1), wins)
    return math.ceil(math.log2(target) + 1.3)


def plan_for(state: SwarmState, hypothesis: Hypothesis, agent: str, pairs: int) -> Plan | None:
    """A plan within so many pairs, or None where they could not suffice for acceptance even if every pair won.

    The weight is taken now, by the number of plans before it; the margin is the smallest effect that the person
    asks for, or half the baseline's standard deviation.
    """
    position = len(state.trials) + 1
    if pairs < least_pairs(state):
        return None
    return Plan(
        id=f"P{position}",
        hypothesis=hypothesis.id,
        agent=agent,
        first_seed=position * PLAN_SEEDS,
        max_pairs=min(MOST_PAIRS, pairs),
        margin=hypothesis.equivalent or float(state.option("min_effect", 0.5 * state.spread)),
        weight=statistics.weight(position),
    )


def replication(state: SwarmState, number: int, agent: Agent, desk: Desk, runs: int = REPLICATIONS) -> Task:
    """The task of repeating run `number` on fresh seeds, at a person's request."""
    before = state.rows[number].experiment
    again = sum(row.experiment.purpose == "replication" for row in state.rows.values())
    seeds = range(2 * BEST_SEEDS + again, 2 * BEST_SEEDS + again + runs)
    repeats = tuple(
        Experiment(
            code=before.code,
            seed=seed,
            metric=before.metric,
            context=desk.context,
            purpose="replication",
            title=f"Run {number} again: {before.title}",
            hypothesis=before.hypothesis,
            agent=agent.id,
            free=before.free,
        )
        for seed in seeds
    )
    return Task(agent.id, "validation", experiments=repeats, subject=f"run {number}")


def _run(
    state: SwarmState,
    variation: Variation,
    seed: int,
    purpose: Purpose,
    hypothesis: Hypothesis,
    agent: Agent,
    desk: Desk,
) -> Experiment:
    side = "" if variation.id == hypothesis.variation.id else " (its reference)"
    return Experiment(
        code=variation.code,
        seed=seed,
        metric=state.objective.metric,
        context=desk.context,
        purpose=purpose,
        title=hypothesis.statement + side,
        hypothesis=hypothesis.id,
        agent=agent.id,
        citations=hypothesis.citations,
        free=variation.free,
    )
