"""What a swarm's state looks like to the panel: pure functions from `state` to `words`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from statistics import fmean

import msgspec

from jupyter_swarm import cell, statistics
from jupyter_swarm.jupyter.server import words as w
from jupyter_swarm.outcome import audited
from jupyter_swarm.report import phrases
from jupyter_swarm.report.answer import answer
from jupyter_swarm.report.models import total
from jupyter_swarm.state import Case, Direction, SwarmState, Trial
from jupyter_swarm.state.nouns import Agent, Row
from jupyter_swarm.words import Citation, Edit, Sentence, Value

LONGEST = 2_000
"""Characters of a stranger's text in a list; a megabyte of title must not stall the page."""


def cut(text: str, most: int = LONGEST) -> str:
    """Text that a list bears.

    >>> cut("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def answered(state: SwarmState) -> str:
    """The answer so far, in plain words."""
    return cut(answer(state), 4_000) if state.request else ""


def card(state: SwarmState, said: str, *, alive: bool, running: int) -> w.Card:
    """The head of a swarm.

    Args:
        state: what is known of it.
        said: its answer so far.
        alive: whether a runner works on it.
        running: runs that have not come back.
    """
    request, best, values = state.request, state.best, state.baseline_values()
    verdicts = [case.evidence.verdict for case in state.cases.values() if case.evidence is not None]
    error = state.baseline_error
    return w.Card(
        name=state.name,
        phase=state.phase,
        alive=alive,
        doing=phrases.phase(state, alive),
        asked=state.asked,
        why=cut(state.why),
        question=cut(request.analysis.question) if request else "",
        metric=cut(request.objective.metric, 200) if request else "",
        maximize=request.objective.maximize if request else True,
        begun=state.begun,
        updated=state.updated,
        budget=state.budget,
        spend=spend(state),
        running=running,
        baseline=w.Measured(mean=fmean(values), sd=statistics.standard_deviation(values), n=len(values))
        if values
        else None,
        best=w.Leader(
            mean=best.mean,
            low=best.low,
            high=best.high,
            runs=best.runs,
            hypothesis=best.hypothesis,
            code=cell.typed(best.variation.code),
        )
        if best
        else None,
        supported=verdicts.count("supported"),
        refuted=verdicts.count("refuted"),
        open=verdicts.count("open"),
        testing=sum(bool(case.plan) and case.evidence is None for case in state.cases.values()),
        answer=said,
        alarm=cut(f"{error.message}\n{error.traceback}".strip(), 8_000) if error else "",
        failures={phrases.REASONS.get(reason, reason): count for reason, count in state.failed.items()},
        models=str(state.option("models", "")).split(),
        roles=_counted(agent.role for agent in state.agents.values() if agent.works),
    )


def _counted(names: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in names:
        found[name] = found.get(name, 0) + 1
    return found


def spend(state: SwarmState) -> w.Spend:
    """What has been taken of the budget."""
    models = total(state)
    return w.Spend(
        seconds=state.clock,
        experiments=state.experiments,
        screening=state.started["screening"],
        confirmation=state.started["confirmation"],
        calls=models.calls,
        tokens=models.tokens,
        dollars=None if models.unpriced else models.dollars,
    )


def knobs(state: SwarmState) -> list[w.Knob]:
    """Knobs and swaps as axes; a swap's values are the last names of its callables."""
    if state.request is None:
        return []
    analysis = state.analysis
    found = [
        w.Knob(name=each.name, value=each.value, low=each.low, high=each.high, log=each.log, choices=list(each.choices))
        for each in analysis.knobs
    ]
    found += [
        w.Knob(name=each.name, value=short(each.current), choices=[short(path) for path in each.candidates])
        for each in analysis.swaps
    ]
    return found


def short(value: Value) -> Value:
    """A callable's last name; any other value as it is.

    >>> short("sklearn.svm:SVC"), short("scale"), short(3)
    ('SVC', 'scale', 3)
    """
    return value.rpartition(":")[2] if isinstance(value, str) and ":" in value else value


def edits(made: Iterable[Edit]) -> dict[str, Value]:
    """Target → value, the last edit of a target counting; None for what is left out.

    >>> edits([Edit(kind="set", target="C", value=2.0), Edit(kind="drop", target="scale")])
    {'C': 2.0, 'scale': None}
    """
    return {each.target: finite(short(each.value)) for each in made}


def finite(value: Value) -> Value:
    """A value that JSON can say."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def direction(each: Direction, trials: int) -> w.Direction:
    """A direction.

    Args:
        each: of the state.
        trials: screening runs of all directions.
    """
    low, high = statistics.credible(1 + each.reward, 1 + max(0.0, each.trials - each.reward))
    return w.Direction(
        id=each.id,
        title=cut(each.title),
        agent=cut(each.agent, 200),
        why=cut(each.why),
        closed=cut(each.closed),
        priority=each.priority,
        promise=each.promise,
        low=low,
        high=high,
        share=share(each, trials),
        trials=each.trials,
        supported=each.supported,
        failures=each.failures,
        hypotheses=len(each.cases),
        targets=[cut(target, 200) for target in each.targets[:200]],
        citations=quoted(each.citations[:40]),
        sentences=said(each.sentences[:40]),
        contradictions=said(each.contradictions[:40]),
    )


def share(each: Direction, trials: int) -> float:
    """A direction's share of all screening runs, to a hundredth: it moves with every run, and is sent when seen to."""
    return round(each.trials / trials, 2) if trials else 0.0


def quoted(citations: Iterable[Citation]) -> list[Citation]:
    """Citations, of which no text is longer than a list bears; offsets stay those of the whole quotation."""
    return [each if _length(each) <= 200 else _shorter(each) for each in citations]


def _length(each: Citation) -> int:
    return len(each.quote) + len(each.title) + len(each.place) + len(each.paper) + len(each.passage)


def _shorter(each: Citation) -> Citation:
    return msgspec.structs.replace(
        each,
        paper=cut(each.paper, 200),
        title=cut(each.title),
        passage=cut(each.passage, 200),
        place=cut(each.place, 300),
        quote=cut(each.quote),
    )


def said(sentences: Iterable[Sentence]) -> list[Sentence]:
    """Sentences likewise."""
    return [Sentence(text=cut(each.text), citations=tuple(quoted(each.citations[:40]))) for each in sentences]


def finding(state: SwarmState, case: Case, order: int) -> w.Finding:
    """A hypothesis that has a plan."""
    hypothesis, evidence = case.hypothesis, case.evidence
    trial = state.trials.get(case.plan)
    new = []
    if evidence is not None and evidence.new_data_low is not None:
        new.append(f"for new data {phrases.interval(evidence.new_data_low, evidence.new_data_high)}")
    if held := phrases.held_out(state, case):
        new.append(held)
    return w.Finding(
        id=hypothesis.id,
        statement=cut(hypothesis.statement),
        direction=hypothesis.direction,
        agent=hypothesis.agent,
        verdict=evidence.verdict if evidence else "testing",
        mark=case.mark,
        audited=audited(state, case),
        effect=evidence.effect if evidence else None,
        low=evidence.low if evidence else None,
        high=evidence.high if evidence else None,
        pairs=evidence.pairs if evidence else _pairs(trial),
        planned=trial.plan.max_pairs if trial else 0,
        e_value=_bounded(evidence.e_value) if evidence else None,
        scope=phrases.SCOPES[evidence.scope] if evidence else "",
        cost_ratio=evidence.cost_ratio if evidence else 1.0,
        new_data="; ".join(new),
        note=cut(evidence.note) if evidence else "",
        citations=len(hypothesis.citations),
        order=order,
    )


def _bounded(value: float) -> float:
    return value if math.isfinite(value) else 1e300


def _pairs(trial: Trial | None) -> int:
    return len(trial.variation.keys() & trial.reference.keys()) if trial else 0


def agent(each: Agent, running: int, calls: int, tokens: int) -> w.Agent:
    """An agent with its record."""
    return w.Agent(
        id=each.id,
        role=each.role,
        mind=each.mind,
        standing=each.standing,
        why=cut(each.why),
        parent=each.parent,
        running=running,
        tasks=each.tasks,
        seconds=each.seconds,
        proposed=each.proposed,
        supported=each.supported,
        refuted=each.refuted,
        open=each.open,
        failures=each.failures,
        promise=each.promise,
        calls=calls,
        tokens=tokens,
    )


def runs(state: SwarmState, rows: Iterable[Row], known: Mapping[str, dict[str, Value]]) -> w.Runs:
    """Runs as columns.

    Args:
        state: of the swarm.
        rows: which ones.
        known: code → what differs in it from the person's cell.
    """
    table = w.Runs(
        number=[], seed=[], purpose=[], direction=[], agent=[], hypothesis=[], state=[], value=[], seconds=[],
        clock=[], title=[], edits=[],
    )  # fmt: skip
    for row in rows:
        experiment, run = row.experiment, row.run
        case = state.cases.get(experiment.hypothesis)
        table.number.append(row.number)
        table.seed.append(experiment.seed)
        table.purpose.append(experiment.purpose)
        table.direction.append(case.hypothesis.direction if case else "")
        table.agent.append(experiment.agent)
        table.hypothesis.append(experiment.hypothesis)
        table.state.append(state_of(row))
        table.value.append(run.value if run else None)
        table.seconds.append(run.seconds if run else 0.0)
        table.clock.append(row.back if run else row.clock)
        table.title.append(cut(experiment.title, 200))
        table.edits.append(known.get(experiment.code, {}))
    return table


def state_of(row: Row) -> str:
    """ "running", "ok", or why there is no value."""
    if row.run is None:
        return "running"
    return row.run.reason or ("ok" if row.run.ok else "failure")


def hypothesis(state: SwarmState, case: Case) -> w.Hypothesis:
    """A hypothesis, closer."""
    found, evidence = case.hypothesis, case.evidence
    trial = state.trials.get(case.plan)
    rows = [row for row in state.rows.values() if row.experiment.hypothesis == found.id]
    return w.Hypothesis(
        id=found.id,
        statement=cut(found.statement, 20_000),
        why=cut(found.why, 20_000),
        refuted_if=cut(found.refuted_if, 20_000),
        direction=found.direction,
        agent=found.agent,
        parent=found.parent,
        judged=phrases.judged(evidence) if evidence else "",
        plan=_planned(trial),
        code=cell.typed(found.variation.code),
        reference=cell.typed(found.reference.code),
        diff=cell.diff(found.variation.code, found.reference.code),
        audited=audited(state, case),
        mark=case.mark,
        screening=[row.number for row in rows if row.experiment.purpose != "confirmation"],
        confirmation=[row.number for row in rows if row.experiment.purpose == "confirmation"],
        gains=trial.counted(state.objective) if trial else case.gains,
        citations=quoted(found.citations),
    )


def _planned(trial: Trial | None) -> str:
    if trial is None:
        return ""
    plan = trial.plan
    return (
        f"Plan {plan.id}: at most {phrases.plural(plan.max_pairs, 'pair')} on seeds from {plan.first_seed}, margin "
        f"{phrases.number(plan.margin)}, weight {phrases.number(plan.weight)} at level {phrases.number(plan.level)}."
    )


def run(state: SwarmState, row: Row) -> w.Run:
    """A run, closer."""
    experiment, done = row.experiment, row.run
    case = state.cases.get(experiment.hypothesis)
    return w.Run(
        number=row.number,
        title=cut(experiment.title),
        code=cell.typed(experiment.code),
        seed=experiment.seed,
        purpose=experiment.purpose,
        hypothesis=experiment.hypothesis,
        direction=case.hypothesis.direction if case else "",
        agent=experiment.agent,
        state=state_of(row),
        value=done.value if done else None,
        values=done.values if done else {},
        seconds=done.seconds if done else 0.0,
        peak=done.peak if done else 0,
        message=cut(done.message, 20_000) if done else "",
        traceback=cut(done.traceback, 100_000) if done else "",
        notebook=bool(done and done.notebook),
        citations=quoted(experiment.citations),
    )
