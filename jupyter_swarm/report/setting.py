"""What it takes to do it again: environment, budget, seeds, plans, and what happened when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from jupyter_swarm import cell
from jupyter_swarm import events as e
from jupyter_swarm.report import phrases
from jupyter_swarm.report.markdown import folded, inline, table
from jupyter_swarm.report.phrases import number, plural
from jupyter_swarm.report.tables import MARKS, anchor
from jupyter_swarm.settings import budget_text
from jupyter_swarm.state import SCREENING, SwarmState

MOST_LINES = 400
PURPOSES = {
    "baseline": "the cell as given",
    "screening": "screening",
    "confirmation": "tests",
    "best": "the best cell, measured again",
    "front": "between two objectives",
    "holdout": "on new data",
    "replication": "repeated at your request",
}


def setting(state: SwarmState, records: Sequence[e.Record]) -> str:
    """Environment, budget, seeds and plans."""
    parts = ["## Environment, seeds and plans", _environment(state, records), _held(state)]
    parts += [_seeds(state), _plans(state), _locked(state)]
    return "\n\n".join(part for part in parts if part)


def _environment(state: SwarmState, records: Sequence[e.Record]) -> str:
    assert state.request is not None
    context = state.request.context
    versions = {name: text for each in records if isinstance(each.event, e.RunnerStarted)
                for name, text in each.event.versions.items() if name not in context.versions}  # fmt: skip
    packages = ", ".join(f"{inline(name)} {inline(text)}" for name, text in sorted(context.versions.items()))
    runner = ", ".join(f"{inline(name)} {inline(text)}" for name, text in sorted(versions.items()))
    data = [f"{inline(each.name)}: {inline(each.describes, 120)}" for each in context.captures if each.kind == "data"]
    options = ", ".join(f"{inline(name)} {inline(str(value))}" for name, value in sorted(state.request.options.items()))
    held, record = state.request.holdout, state.analysis.record
    asked = {"--confirm": held.expression if held is not None else "", "--record": ", ".join(record)}
    options = ", ".join(filter(None, (options, *(f"{name} {inline(text)}" for name, text in asked.items() if text))))
    rows = {
        "Python of the cell": f"{inline(context.python_version)} ({inline(context.python)})",
        "Packages of the cell": packages,
        "Taken from the notebook": "; ".join(data),
        "Hash of what the cell needs": inline(cell.context_hash(context)),
        "Capture": inline(context.pickle),
        "Runner": runner,
        "Budget": inline(budget_text(state.budget)),
        "Agents asked for": f"{state.request.agents:,}",
        "Options": options,
    }
    return table(["", ""], [[name, value] for name, value in rows.items() if value])


def _held(state: SwarmState) -> str:
    """How the budget was spent."""
    spent = ", ".join(
        f"{plural(state.started[name], 'run')} ({phrases.duration(state.seconds[name])} of run time) for {words}"
        for name, words in (("screening", "screening and the baseline"), ("confirmation", "tests and the best cell"))
    )
    return f"Spent: {spent}, in {phrases.duration(state.clock)} of the swarm's own clock."


def _seeds(state: SwarmState) -> str:
    """Which seeds served which purpose, and whether a test ever used one that screening had seen."""
    used: dict[str, set[int]] = defaultdict(set)
    for row in state.rows.values():
        used[row.experiment.purpose].add(row.experiment.seed)
    if not used:
        return ""
    rows = [[PURPOSES[name], ranges(used[name]), f"{len(used[name]):,}"] for name in PURPOSES if name in used]
    seen = set().union(*(used[name] for name in SCREENING if name in used))
    fresh = set().union(*(used[name] for name in ("confirmation", "best") if name in used))
    both = seen & fresh
    check = "No seed of a test or of the best cell's runs was used in screening."
    if both:
        check = f"**Seeds {ranges(both)} were used both in screening and in a test.**"
    return f"### Seeds\n\n{table(['Purpose', 'Seeds', '>Different seeds'], rows)}" + (f"\n\n{check}" if fresh else "")


def ranges(numbers: Iterable[int], most: int = 24) -> str:
    """Numbers as ranges.

    >>> ranges([1, 2, 3, 7, 9, 10])
    '1–3, 7, 9–10'
    """
    found: list[list[int]] = []
    for each in sorted(set(numbers)):
        if found and each == found[-1][1] + 1:
            found[-1][1] = each
        else:
            found.append([each, each])
    words = [str(first) if first == last else f"{first}–{last}" for first, last in found]
    return ", ".join(words[:most]) + (f" and {len(words) - most} more ranges" if len(words) > most else "")


def _plans(state: SwarmState) -> str:
    """All plans that were registered, run or not: each has taken its weight."""
    if not state.trials:
        return ""
    rows = []
    for trial in state.trials.values():
        plan, case = trial.plan, state.cases.get(trial.plan.hypothesis)
        name = inline(plan.hypothesis)
        done = len(trial.variation.keys() & trial.reference.keys())
        replaced = case is not None and case.plan != plan.id
        end = MARKS[trial.evidence.verdict] if trial.evidence is not None else "not judged"
        rows.append(
            [
                inline(plan.id),
                f"[{name}](#{anchor(case)})" if case is not None and case.evidence is not None else name,
                inline(plan.agent),
                f"{plan.first_seed}–{plan.first_seed + plan.max_pairs - 1}",
                f"{done} of {plan.max_pairs}",
                number(plan.margin),
                number(plan.weight),
                f"{plan.level:g}",
                end + (", replaced by a later plan" if replaced else ""),
            ]
        )
    heads = ["Plan", "Of", "By", "Seeds", ">Pairs", ">Margin", ">Weight γ", ">Level", "Result"]
    total = sum(trial.plan.weight for trial in state.trials.values())
    text = (
        f"{plural(len(state.trials), 'plan was', 'plans were')} registered, each before its runs. Their weights sum to "
        f"{number(total)} of 1; online e-BH over all of them holds the false discovery rate at the level, whenever "
        "one looks."
    )
    return f"### Plans\n\n{text}\n\n" + folded(plural(len(rows), "plan"), table(heads, rows))


def _locked(state: SwarmState) -> str:
    locked, warnings = state.analysis.locked, state.analysis.warnings
    parts = []
    if locked:
        rows = [[str(each.line or ""), inline(each.text, 200), inline(each.why, 200)] for each in locked]
        parts.append(folded("What no agent could touch", table([">Line", "Code", "Why"], rows)))
    unwatched = {name for row in state.rows.values() if row.run is not None for name in row.run.unwatched}
    if unwatched:
        parts.append(
            f"> Not compared before and after each run, since nothing was found to compare them by: "
            f"{', '.join(map(inline, sorted(unwatched)))}. Their code is locked all the same."
        )
    parts += [f"> {inline(each)}" for each in warnings]
    return "\n\n".join(parts)


# ---------------------------------------------------------------- the course of things


def timeline(records: Sequence[e.Record]) -> str:
    """What happened when, without single runs; the runner's coming and going among it."""
    rows = []
    for record in records:
        tell = _TELL.get(type(record.event))
        words = tell(record.event) if tell is not None else ""
        if words:
            at = datetime.fromtimestamp(record.at, UTC)
            rows.append([f"{at:%Y-%m-%d %H:%M:%S}", phrases.duration(record.active_seconds), inline(words, 300)])
    runners = sum(isinstance(record.event, e.RunnerStarted) for record in records)
    text = "## What happened when\n\n"
    text += f"{plural(runners, 'runner')} worked on it" + (
        "; each went on from the ledger, and repeated nothing that had finished." if runners > 1 else "."
    )
    left_out = len(rows) - MOST_LINES
    shown = rows if left_out <= 0 else [*rows[: MOST_LINES // 2], *rows[-MOST_LINES // 2 :]]
    content = table(["UTC", ">Own clock", "What"], shown)
    if left_out > 0:
        content += f"\n\n{plural(left_out, 'line')} from the middle left out; the ledger holds all."
    return f"{text}\n\n{folded(f'The log ({len(rows):,})', content)}"


def _answered(event: e.SteeringAnswered) -> str:
    return f"your request {event.request}: {'done' if event.done else 'refused'}, {event.answer}"


def _judged(event: e.VerdictReached) -> str:
    return f"{event.hypothesis}: {event.evidence.verdict}, {phrases.judged(event.evidence)}"


def _measured(event: e.BestEstimated) -> str:
    return f"best cell measured again: {number(event.mean)} from {plural(event.runs, 'run')}"


_TELL: dict[type, Callable[[Any], str]] = {
    e.SwarmRequested: lambda event: f"asked for: {event.objective.metric}, budget {budget_text(event.budget)}",
    e.PauseRequested: lambda event: "you asked for a pause",
    e.ResumeRequested: lambda event: "you asked it to go on",
    e.StopRequested: lambda event: "you asked it to end",
    e.SteeringRequested: lambda event: f"you asked: {event.verb} {event.target} {event.value or ''}",
    e.SteeringAnswered: _answered,
    e.BudgetChanged: lambda event: f"budget is now {budget_text(event.budget)}",
    e.RunnerStarted: lambda event: f"runner {event.epoch} started (process {event.pid} on {event.host})",
    e.RunnerEnded: lambda event: f"the runner left: {event.why}",
    e.SwarmPaused: lambda event: "paused",
    e.SwarmResumed: lambda event: "goes on",
    e.SwarmEnded: lambda event: f"{event.state}: {event.why}",
    e.StandingChanged: lambda event: f"{event.agent} is now {event.standing}: {event.why}",
    e.DirectionOpened: lambda event: f"direction opened: {event.title}",
    e.DirectionWeighted: lambda event: f"direction {event.direction} has priority {event.priority:g}",
    e.DirectionClosed: lambda event: f"direction {event.direction} closed: {event.why}",
    e.HypothesisMarked: lambda event: f"{event.hypothesis} {event.mark} by you",
    e.PlanRegistered: lambda event: f"plan {event.plan.id} of {event.plan.hypothesis} registered",
    e.VerdictReached: _judged,
    e.BestEstimated: _measured,
    e.Noted: lambda event: event.text,
    e.TaskFinished: lambda event: f"{event.agent} failed: {event.why}" if event.failed else "",
}
