"""The table of folds: for each kind of event, the small function that a state changes by."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_swarm import events as e
from jupyter_swarm.state.nouns import SCREENING, Agent, Best, Case, Direction, Row, Spent, Steering, Trial, is_cut_off
from jupyter_swarm.words import Experiment, Run, Variation

if TYPE_CHECKING:
    from jupyter_swarm.state.swarm import SwarmState

LARGEST = 1e100
"""Of gains, in units of the metric: what a training that diverges reports may be too large to be squared."""


def _requested(state: SwarmState, record: e.Record, event: e.SwarmRequested) -> None:
    state.request, state.budget, state.phase, state.begun = event, event.budget, "requested", record.at
    state.baseline = Variation(code=event.analysis.code)
    state.tried.add(state.baseline.id)


def _runner_started(state: SwarmState, record: e.Record, event: e.RunnerStarted) -> None:
    state.epoch, state.pid, state.host = event.epoch, event.pid, event.host
    if not state.over and state.phase != "paused":
        state.phase = "running"


def _asked(word: str) -> Callable[[SwarmState, e.Record, Any], None]:
    there = {"pause": "paused", "resume": "running"}.get(word)

    def fold(
        state: SwarmState, record: e.Record, event: e.PauseRequested | e.ResumeRequested | e.StopRequested
    ) -> None:
        _taken(state, record, event.id)
        if state.asked == "stop" or (state.phase == there and not state.asked):
            return  # nothing is asked of what ends; what is so already need not be waited for
        state.asked = word

    return fold


def _taken(state: SwarmState, record: e.Record, id: str) -> None:
    if id:
        state.taken.setdefault(id, record.number)


def _paused(state: SwarmState, record: e.Record, event: e.SwarmPaused) -> None:
    state.phase = "paused"
    state.asked = "" if state.asked == "pause" else state.asked  # what was asked meanwhile still stands


def _resumed(state: SwarmState, record: e.Record, event: e.SwarmResumed) -> None:
    state.phase = "running"
    state.asked = "" if state.asked == "resume" else state.asked


def _ended(state: SwarmState, record: e.Record, event: e.SwarmEnded) -> None:
    state.phase, state.why, state.asked = event.state, event.why, ""


def _steering(state: SwarmState, record: e.Record, event: e.SteeringRequested) -> None:
    _taken(state, record, event.id)
    entry = state.steering[record.number] = Steering(record.number, event)
    if not state.needs_runner(event):
        case, mark = state.cases[event.target], e.MARKS[event.verb]
        case.mark, case.read = mark, mark == "approved"
        entry.done, entry.answer = True, f"{mark} {event.target}: {case.hypothesis.statement}"
        state.log.append((record.at, "info", f"{event.verb}: {entry.answer}"))


def _answered(state: SwarmState, record: e.Record, event: e.SteeringAnswered) -> None:
    entry = state.steering.get(event.request)
    if entry is not None:
        entry.done, entry.answer = event.done, event.answer
        state.log.append((record.at, "info" if event.done else "warning", f"{entry.request.verb}: {event.answer}"))


def _noted(state: SwarmState, record: e.Record, event: e.Noted) -> None:
    state.log.append((record.at, event.level, event.text))


def _budget(state: SwarmState, record: e.Record, event: e.BudgetChanged) -> None:
    state.budget = event.budget


def _hired(state: SwarmState, record: e.Record, event: e.AgentHired) -> None:
    state.agents[event.agent] = Agent(event.agent, event.role, event.mind, event.policy, event.parent)


def _standing(state: SwarmState, record: e.Record, event: e.StandingChanged) -> None:
    agent = state.agents.get(event.agent)
    if agent is not None:
        agent.standing, agent.why = event.standing, event.why


def _opened(state: SwarmState, record: e.Record, event: e.DirectionOpened) -> None:
    state.directions[event.direction] = Direction(
        event.direction, event.title, event.agent, event.targets, event.why, event.citations, event.base
    )


def _weighted(state: SwarmState, record: e.Record, event: e.DirectionWeighted) -> None:
    if event.direction in state.directions:
        state.directions[event.direction].priority = event.priority


def _closed(state: SwarmState, record: e.Record, event: e.DirectionClosed) -> None:
    if event.direction in state.directions:
        state.directions[event.direction].closed = event.why


def _found(state: SwarmState, record: e.Record, event: e.EvidenceFound) -> None:
    direction = state.directions.get(event.direction)
    if direction is None:
        return
    direction.searched = True
    known = {(c.paper, c.start, c.end) for c in direction.citations}
    direction.citations += tuple(c for c in event.citations if (c.paper, c.start, c.end) not in known)
    direction.sentences += event.sentences
    direction.contradictions += event.contradictions
    for value, gain in event.favours.items():
        direction.favours[value] = max(gain, direction.favours.get(value, 0.0))


def _proposed(state: SwarmState, record: e.Record, event: e.HypothesisProposed) -> None:
    hypothesis = event.hypothesis
    state.cases[hypothesis.id] = Case(hypothesis)
    state.tried.add(hypothesis.variation.id)
    if hypothesis.direction in state.directions:
        state.directions[hypothesis.direction].cases.append(hypothesis.id)
    if hypothesis.agent in state.agents:
        state.agents[hypothesis.agent].proposed += 1


def _marked(state: SwarmState, record: e.Record, event: e.HypothesisMarked) -> None:
    if (case := state.cases.get(event.hypothesis)) is not None:
        case.mark, case.read = event.mark, event.mark == "approved" and case.evidence is not None


def _started(state: SwarmState, record: e.Record, event: e.ExperimentStarted) -> None:
    experiment = event.experiment
    state.rows[event.number] = Row(event.number, experiment, None, record.at, record.active_seconds)
    if not state.returns:
        state.returns.append(record.active_seconds)
    state.started["screening" if experiment.purpose in SCREENING else "confirmation"] += 1
    case = state.cases.get(experiment.hypothesis)
    if case is None:
        return
    if experiment.purpose == "screening" and experiment.code == case.hypothesis.variation.code:
        case.seeds.append(experiment.seed)
    if experiment.purpose == "confirmation" and case.plan:
        state.trials[case.plan].started.add(experiment.seed)


def _finished(state: SwarmState, record: e.Record, event: e.ExperimentFinished) -> None:
    row = state.rows.get(event.number)
    if row is None:
        return
    run, experiment = event.run, row.experiment
    row.run, row.at, row.back = run, record.at, record.active_seconds
    state.returns.append(record.active_seconds)
    state.seconds["screening" if experiment.purpose in SCREENING else "confirmation"] += run.seconds
    case = state.cases.get(experiment.hypothesis)
    ours = case is not None and experiment.code == case.hypothesis.variation.code
    if is_cut_off(run):
        if case is not None and ours and experiment.seed in case.seeds:
            case.seeds.remove(experiment.seed)
            case.cut[experiment.seed] = case.cut.get(experiment.seed, 0) + 1
    else:
        state.finished[experiment.id] = row
        if run.reason != "pruned":
            state.durations.append(run.seconds)
    worker = state.agents.get(experiment.agent)
    if worker is not None:
        worker.tasks += 1
        worker.seconds += run.seconds
    if run.reason is not None:
        state.failed[run.reason] = state.failed.get(run.reason, 0) + 1
    if experiment.purpose == "confirmation" and case is not None and case.plan:
        trial = state.trials[case.plan]
        side = trial.variation if ours else trial.reference
        side[experiment.seed] = run
        if is_cut_off(run):
            trial.cuts[experiment.seed] = trial.cuts.get(experiment.seed, 0) + 1
    elif experiment.purpose in SCREENING:
        _screened(state, experiment, run, case if ours else None)


def _screened(state: SwarmState, experiment: Experiment, run: Run, case: Case | None) -> None:
    variation = Variation(code=experiment.code).id
    cut_off = is_cut_off(run)
    if run.value is not None:
        state.values[variation, experiment.seed] = run.value
        state.screened[variation, experiment.seed] = run
        if variation == state.baseline.id:
            state.baseline_by_seed[experiment.seed] = run.value
        for waiting, value in state.waiting.pop((variation, experiment.seed), ()):
            _gained(state, state.cases[waiting], value, run.value)
    elif variation == state.baseline.id and not cut_off:
        state.baseline_error = run
    if case is None or cut_off:
        return
    if run.value is not None:
        key = (case.hypothesis.reference.id, experiment.seed)
        if key in state.values:
            _gained(state, case, run.value, state.values[key])
        else:
            state.waiting.setdefault(key, []).append((case.hypothesis.id, run.value))
    else:
        case.failures += 1
        case.pruned += run.reason == "pruned"
        _credit(state, case, 0.0, failures=int(run.reason != "pruned"))


def _gained(state: SwarmState, case: Case, value: float, reference: float) -> None:
    gain = max(-LARGEST, min(LARGEST, state.objective.gain(value, reference)))
    if case.gains:
        count = len(case.gains)
        state.residual += (gain - fmean(case.gains)) ** 2 * count / (count + 1)
        state.residual_freedom += 1
    case.gains.append(gain)
    unit = state.spread or abs(reference) * 0.01 or 1e-12
    _credit(state, case, min(1.0, max(0.0, 0.5 + 0.25 * gain / unit)))


def _credit(state: SwarmState, case: Case, reward: float, failures: int = 0) -> None:
    """Reward a run to its direction and agent: 1 for a gain of two baseline SDs or more, ½ for none, 0 for a loss."""
    direction = state.directions.get(case.hypothesis.direction)
    agent = state.agents.get(case.hypothesis.agent)
    if direction is not None:
        direction.trials += 1
        direction.reward += reward
        direction.failures += failures
    if agent is not None:
        agent.reward += reward
        agent.failures += failures


def _registered(state: SwarmState, record: e.Record, event: e.PlanRegistered) -> None:
    case = state.cases.get(event.plan.hypothesis)
    state.trials[event.plan.id] = Trial(event.plan, case.hypothesis.equivalent if case is not None else 0.0)
    if case is not None:
        case.plan = event.plan.id


def _judged(state: SwarmState, record: e.Record, event: e.VerdictReached) -> None:
    case, trial = state.cases.get(event.hypothesis), state.trials.get(event.plan)
    if case is None:
        return
    before, case.evidence = case.evidence, event.evidence
    if trial is not None:
        trial.evidence = event.evidence
    agent = state.agents.get(case.hypothesis.agent)
    direction = state.directions.get(case.hypothesis.direction)
    for change, evidence in ((-1, before), (1, event.evidence)):
        if agent is not None and evidence is not None:
            setattr(agent, evidence.verdict, getattr(agent, evidence.verdict) + change)
        if direction is not None and evidence is not None and evidence.verdict == "supported":
            direction.supported += change


def _best(state: SwarmState, record: e.Record, event: e.BestEstimated) -> None:
    state.best = Best(event.variation, event.mean, event.low, event.high, event.runs, event.hypothesis)


def _held_out(state: SwarmState, record: e.Record, event: e.HoldoutMeasured) -> None:
    state.holdouts[event.hypothesis] = event


def _front(state: SwarmState, record: e.Record, event: e.FrontMeasured) -> None:
    state.front = event


def _space(state: SwarmState, record: e.Record, event: e.SpaceSuggested) -> None:
    if (direction := state.directions.get(event.direction)) is not None:
        direction.spaces[event.agent, event.knob] = (event.low, event.high, event.why)
    if event.wider and state.request is not None and event.wider not in state.analysis.wider:
        analysis = msgspec.structs.replace(state.analysis, wider=(*state.analysis.wider, event.wider))
        state.request = msgspec.structs.replace(state.request, analysis=analysis)


def _summary(state: SwarmState, record: e.Record, event: e.SummaryWritten) -> None:
    state.summary = event


def _model_asked(state: SwarmState, record: e.Record, event: e.ModelAsked) -> None:
    state.asking[event.call] = event


def _model_answered(state: SwarmState, record: e.Record, event: e.ModelAnswered) -> None:
    asked = state.asking.pop(event.call, None)
    if asked is None:
        return
    state.spent.setdefault((asked.agent, asked.role, asked.model), Spent())
    state.spent[asked.agent, asked.role, asked.model] += Spent(
        calls=1,
        failures=int(bool(event.failed)),
        tokens_in=event.tokens_in,
        tokens_out=event.tokens_out,
        dollars=event.dollars or 0.0,
        unpriced=int(event.dollars is None),
        guessed=int(event.guessed),
        seconds=event.seconds,
    )


def _task(state: SwarmState, record: e.Record, event: e.TaskFinished) -> None:
    agent = state.agents.get(event.agent)
    if agent is not None:
        agent.tasks += 1
        agent.seconds += event.seconds
        agent.failures += event.failed
    if event.failed:
        state.log.append((record.at, "warning", f"{event.agent}: {event.why}"))


FOLDS: dict[type, Callable[[SwarmState, e.Record, Any], None]] = {
    e.SwarmRequested: _requested,
    e.PauseRequested: _asked("pause"),
    e.ResumeRequested: _asked("resume"),
    e.StopRequested: _asked("stop"),
    e.SteeringRequested: _steering,
    e.SteeringAnswered: _answered,
    e.Noted: _noted,
    e.RunnerStarted: _runner_started,
    e.SwarmPaused: _paused,
    e.SwarmResumed: _resumed,
    e.SwarmEnded: _ended,
    e.BudgetChanged: _budget,
    e.AgentHired: _hired,
    e.StandingChanged: _standing,
    e.DirectionOpened: _opened,
    e.DirectionWeighted: _weighted,
    e.DirectionClosed: _closed,
    e.EvidenceFound: _found,
    e.HypothesisProposed: _proposed,
    e.HypothesisMarked: _marked,
    e.ExperimentStarted: _started,
    e.ExperimentFinished: _finished,
    e.PlanRegistered: _registered,
    e.VerdictReached: _judged,
    e.BestEstimated: _best,
    e.HoldoutMeasured: _held_out,
    e.FrontMeasured: _front,
    e.SpaceSuggested: _space,
    e.SummaryWritten: _summary,
    e.ModelAsked: _model_asked,
    e.ModelAnswered: _model_answered,
    e.TaskFinished: _task,
}
