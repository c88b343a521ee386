"""What the verbs do that show a swarm, or ask something of it as a whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jupyter_swarm import register
from jupyter_swarm.api import Swarm, list_swarms
from jupyter_swarm.errors import UsageError
from jupyter_swarm.experiments.records import executed
from jupyter_swarm.jupyter.pages import Answer, Code, Link, Part, Table, Words, shortened, size
from jupyter_swarm.jupyter.verbs import Asked
from jupyter_swarm.outcome import outcome
from jupyter_swarm.report import phrases
from jupyter_swarm.report.answer import answer
from jupyter_swarm.report.models import dollars, total
from jupyter_swarm.report.phrases import duration, number, plural, signed
from jupyter_swarm.state import Case, SwarmState


def the(asked: Asked) -> Swarm:
    """The swarm that is meant.

    Raises:
        UsageError: no such swarm; or none is named, and there is not exactly one.
    """
    if asked.options.name:
        return Swarm(asked.options.name, asked.workspace)
    known = register.names(asked.workspace)
    if len(known) == 1:
        return Swarm(known[0], asked.workspace)
    if not known:
        cure = "start one with %%swarm" if asked.face == "notebook" else "start one with jupyter swarm run FILE"
        raise UsageError("there is no swarm here", where=str(asked.workspace.folder), cure=cure)
    raise UsageError(f"which swarm? There are {len(known)}", cure=" or ".join(known[-5:]))


# ---------------------------------------------------------------- showing


def status(asked: Asked) -> Answer:
    """Phase, spend, baseline, best, directions, the last lines of the log."""
    swarm = the(asked)
    state, alive = swarm.state, swarm.alive
    parts: list[Part] = [Words(f"{swarm.name}: {phrases.phase(state, alive)}" + _why(state), strong=True)]
    if state.analysis.question:
        parts.append(Words(state.analysis.question))
    parts += failure(state)
    parts.append(Table(("", ""), _facts(state)))
    if state.directions:
        rows = [
            (each.id, each.title, number(each.priority), f"{each.promise:.2f}", each.trials, each.closed or "open")
            for each in state.directions.values()
        ]
        parts.append(Table(("", "direction", "priority", "promise", "runs", ""), rows, title="Directions"))
    parts += [Words(f"{level}: {text}" if level != "info" else text) for _, level, text in state.log[-4:]]
    return Answer(parts, data=outcome(state))


def _why(state: SwarmState) -> str:
    return f" ({state.why})" if state.over and state.why else ""


def _facts(state: SwarmState) -> list[tuple[str, str]]:
    budget, found = state.budget, [case.evidence.verdict for case in state.findings() if case.evidence]
    of_runs = f" of {budget.experiments:,}" if budget.experiments else ""
    of_time = f" of {duration(budget.seconds)}" if budget.seconds else ""
    way = "maximize" if state.objective.maximize else "minimize"
    best = state.best
    leader = state.leaders(1)
    facts = [
        (way, state.objective.metric),
        ("baseline", phrases.baseline(state) or "not measured yet"),
        ("experiments", f"{state.experiments:,}{of_runs}"),
        ("time", f"{duration(state.clock)}{of_time}"),
        ("findings", ", ".join(f"{found.count(each)} {each}" for each in ("supported", "refuted", "open"))),
        ("agents", f"{sum(each.works for each in state.agents.values())} of {len(state.agents)} not dismissed"),
    ]
    if state.spent:
        spent = total(state)
        facts.insert(
            4, ("language models", f"{plural(spent.calls, 'call')}, {spent.tokens:,} tokens, {dollars(spent)}")
        )
    if best is not None:
        facts.insert(2, ("best", _measured(state)))
    elif leader:
        case, mean, seeds = leader[0]
        screened = f"{number(mean)} over {plural(seeds, 'seed')}, not verified: {case.hypothesis.statement}"
        facts.insert(2, ("leading in screening", screened))
    return facts


def failure(state: SwarmState) -> list[Part]:
    """Message and traceback of a baseline that failed; [] where it did not."""
    run = state.baseline_error
    if run is None:
        return []
    said: list[Part] = [
        Words(f"The cell itself failed, so nothing can be compared with it: {run.message}", strong=True)
    ]
    return [*said, Code(run.traceback)] if run.traceback else said


def findings(asked: Asked) -> Answer:
    """All verdicts with their evidence and quotations."""
    swarm = the(asked)
    state = swarm.state
    return Answer(found(state), data={"name": swarm.name, "findings": outcome(state)["findings"]})


def found(state: SwarmState) -> list[Part]:
    """The answer in words, a table of the findings, their quotations."""
    parts: list[Part] = [Words(answer(state))]
    cases = state.findings()
    if not cases:
        return parts
    parts.append(Table(("", "", "finding", "effect", "interval, evidence"), [_row(state, case) for case in cases]))
    for case in cases:
        parts += _unread(state, case) if phrases.unaudited(state, case) else []
        if before := phrases.foretold(state, case):
            parts.append(Words(f"{case.hypothesis.id}: {before}."))
    cited: dict[tuple[str, int, int], Part] = {}
    for case in cases:
        for each in case.hypothesis.citations:
            kind = " (documentation)" if each.kind == "documentation" else ""
            text = f"{case.hypothesis.id}: “{each.quote}” {phrases.place(each)}{kind}"
            cited.setdefault((each.paper, each.start, each.end), Words(text))
    return [*parts, *cited.values()]


def _unread(state: SwarmState, case: Case) -> list[Part]:
    """Code that a supported finding rests on and nobody has approved, with how to do so."""
    from jupyter_swarm import cell

    hypothesis = case.hypothesis
    words = (
        f"{hypothesis.id} rests on code that no declared edit explains. Read what differs; if it measures what your "
        f"cell measures, approve it: %swarm steer {state.name} --approve {hypothesis.id}"
    )
    return [Words(words), Code(cell.diff(hypothesis.variation.code, hypothesis.reference.code))]


def _row(state: SwarmState, case: Case) -> tuple[str, ...]:
    assert case.evidence is not None
    unaudited = ", unaudited" if phrases.unaudited(state, case) else ""
    marked = f" ({case.mark} by you)" if case.mark else ""
    judged = phrases.judged(case.evidence).partition(", ")[2]
    new = phrases.held_out(state, case)
    note = "".join(f"; {each}" for each in (new, case.evidence.note) if each)
    verdict = f"{case.evidence.verdict}{unaudited}"
    return (
        case.hypothesis.id, verdict, case.hypothesis.statement + marked, signed(case.evidence.effect), judged + note
    )  # fmt: skip


def best(asked: Asked) -> Answer:
    """The best cell with its measurement and what differs from the cell as given."""
    from jupyter_swarm import cell

    swarm = the(asked)
    state = swarm.state
    measured, words = state.best, f"{swarm.name} has no best cell that was measured again on untouched seeds"
    if measured is None:
        reason = "nothing was supported over the cell as given" if state.over else "nothing has been supported yet"
        nothing = {"name": swarm.name, "mean": None, "low": None, "high": None, "runs": 0, "code": None, "diff": None}
        return Answer([Words(f"{words}: {reason}.")], data=nothing)
    diff = cell.diff(measured.variation.code, state.baseline.code)
    code = cell.typed(measured.variation.code)
    said = f"{state.objective.metric} = {_measured(state)}"
    parts: list[Part] = [Words(f"The best cell of {swarm.name}: {said}", strong=True), Code(diff)]
    parts += [Words("The cell:"), Code(code)] if asked.face == "terminal" else []
    return Answer(
        parts,
        cell=f"# The best cell of the swarm {swarm.name}: {said}\n{code.strip(chr(10))}\n",
        data={
            "name": swarm.name,
            "mean": measured.mean,
            "low": measured.low,
            "high": measured.high,
            "runs": measured.runs,
            "code": code,
            "diff": diff,
        },
    )


def _measured(state: SwarmState) -> str:
    best = state.best
    assert best is not None
    interval = f"95 % interval {number(best.low)} to {number(best.high)}"
    return f"{number(best.mean)} ({interval}, {plural(best.runs, 'run')} on untouched seeds)"


def plan(asked: Asked) -> Answer:
    """What may vary in a swarm's cell, as its plan said."""
    from jupyter_swarm.jupyter.plan import described

    swarm = the(asked)
    request = swarm.state.request
    assert request is not None
    return described(request.analysis, request.context.captures, request.objective)


def list_all(asked: Asked) -> Answer:
    """All swarms of the workspace."""
    swarms = list_swarms(asked.workspace)
    if not swarms:
        return Answer([Words(f"There is no swarm in {asked.workspace.folder} yet.")], data={"swarms": []})
    rows, data = [], []
    for swarm in swarms:
        state = swarm.state
        supported = len(state.supported())
        known = number(state.best.mean) if state.best else "–"
        doing = phrases.phase(state, swarm.alive)
        question = shortened(state.analysis.question or state.objective.metric)
        rows.append((swarm.name, doing, question, f"{state.experiments:,}", supported, known))
        data.append(
            {"name": swarm.name, "state": state.phase, "experiments": state.experiments, "supported": supported}
        )
    return Answer([Table(("swarm", "", "question", "experiments", "supported", "best"), rows)], data={"swarms": data})


# ---------------------------------------------------------------- files


def open_run(asked: Asked) -> Answer:
    """Copy a run's notebook beside the person's own, since front ends do not open hidden folders."""
    swarm = the(asked)
    source = swarm.notebook(asked.options.number)
    path = beside(source.read_bytes(), asked.workspace.folder / f"{swarm.name}-run-{asked.options.number}.ipynb")
    return Answer([Link(path)], data={"run": asked.options.number, "notebook": str(path)})


def beside(content: bytes, wanted: Path) -> Path:
    """The path of a file with this content: the wanted one, or the first of `wanted-2`, … that holds nothing else.

    Raises:
        WorkspaceError: it cannot be written.
    """
    attempt, path = 1, wanted
    while os.path.lexists(path) and not (path.is_file() and path.read_bytes() == content):
        attempt += 1
        path = wanted.with_stem(f"{wanted.stem}-{attempt}")
    if not path.exists():
        executed.write(path, content)
    return path


def report(asked: Asked) -> Answer:
    """Write the report."""
    swarm = the(asked)
    path = swarm.report()
    return Answer([Link(path)], data={"name": swarm.name, "report": str(path)})


def clean(asked: Asked) -> Answer:
    """Delete notebooks that no finding needs, of one swarm or of all that are not at work, and captures of none."""
    workspace = asked.workspace
    named = bool(asked.options.name)
    swarms = [the(asked)] if named else list_swarms(workspace)
    count = total = 0
    spared = []
    for swarm in swarms:
        if not named and not swarm.state.over and swarm.state.phase != "paused":
            spared.append(swarm.name)
            continue
        files, freed = swarm.clean()
        count, total = count + files, total + freed
    if workspace.exists:
        with register.starting(workspace):
            files, freed = register.delete(register.unused_captures(workspace))
        count, total = count + files, total + freed
    what = plural(count, "notebook or capture", "notebooks and captures")
    text = f"Freed {size(total)}: {what} that no finding needs."
    if spared:
        text += f" Left alone, since they are at work: {', '.join(spared)}."
    return Answer([Words(text)], data={"files": count, "bytes": total, "at_work": spared})


# ---------------------------------------------------------------- asking


def watch(asked: Asked) -> Answer:
    """Show it live; a terminal waits."""
    swarm = the(asked)
    return Answer([], data=outcome(swarm.state), watch=swarm, wait=asked.face == "terminal")


def pause(asked: Asked) -> Answer:
    """Start no more work."""
    swarm = the(asked)
    swarm.pause()
    return _said(swarm, f"{swarm.name} pauses: what runs may finish. {asked.command} resume {swarm.name} goes on.")


def resume(asked: Asked) -> Answer:
    """Go on."""
    swarm = the(asked)
    swarm.resume()
    return _said(swarm, f"{swarm.name} goes on.")


def stop(asked: Asked) -> Answer:
    """End it."""
    swarm = the(asked)
    swarm.stop()
    return _said(swarm, f"{swarm.name} stops; its findings so far stay.")


def _said(swarm: Swarm, text: str) -> Answer:
    data: dict[str, Any] = outcome(swarm.state)
    return Answer([Words(text)], data=data)


def ended(swarm: Swarm) -> Answer:
    """What a wait ends with: the findings, and the status that a terminal returns (1 where the cell itself failed)."""
    state = swarm.state
    parts: list[Part] = [Words(f"{swarm.name}: {state.phase}" + _why(state), strong=True), *failure(state)]
    return Answer([*parts, *found(state)], data=outcome(state), status=1 if state.phase == "failed" else 0)
