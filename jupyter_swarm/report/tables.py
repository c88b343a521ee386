"""The first part of the report: the answer, the best cell, the findings and the pairs behind each."""

from __future__ import annotations

from jupyter_swarm import cell
from jupyter_swarm.report import phrases
from jupyter_swarm.report.answer import answer
from jupyter_swarm.report.markdown import Links, folded, inline, literal, table
from jupyter_swarm.report.phrases import interval, number, plural, signed
from jupyter_swarm.state import Case, Row, SwarmState
from jupyter_swarm.words import Variation

MARKS = {"supported": "✔ supported", "refuted": "✘ refuted", "open": "○ open"}


def head(state: SwarmState, links: Links) -> str:
    """Title, question, the answer."""
    question = f"\n\n*{inline(state.analysis.question)}*" if state.analysis.question else ""
    running = "" if state.over else "\n\n> The swarm is not over: this is how things stand, and it may change."
    why = f" ({inline(state.why)})" if state.why else ""
    end = f"\n\n{plural(state.experiments, 'experiment')} in {phrases.duration(state.clock)}; {state.phase}{why}."
    return f"# {inline(state.name)}: what helps, and what does not{question}\n\n{inline(answer(state), 4000)}{running}{end}"


def best(state: SwarmState, links: Links) -> str:
    """The best cell with its difference from the baseline, and how it was measured."""
    lines = ["## The best cell"]
    rows = [row for row in state.rows.values() if row.experiment.purpose == "best"]
    found = state.best
    metric = inline(state.objective.metric)
    if found is None:
        incumbent = state.incumbent()
        lines.append(
            "Nothing better than the cell as given has been shown, so the cell as given stands."
            if incumbent is None
            else f"{inline(incumbent.hypothesis.statement)}: supported, but it was not measured again on untouched seeds."
        )
        if incumbent is None:
            return "\n\n".join([*lines, _baseline(state, links)])
        code = incumbent.hypothesis.variation.code
    else:
        code = found.variation.code
        rows = [row for row in rows if Variation(code=row.experiment.code).id == found.variation.id]
        lines.append(
            f"{metric} = **{number(found.mean)}**, 95 % interval {number(found.low)} to {number(found.high)}, "
            f"from {plural(found.runs, 'run')} on seeds that neither screening nor any test had used: this is an estimate "
            "made anew, not the number by which the cell was chosen."
        )
        if rows:
            lines.append("Its runs: " + ", ".join(f"seed {row.experiment.seed}: {links.value(row)}" for row in rows) + ".")
    lines.append("Against the cell as given:\n\n" + literal(cell.diff(code, state.analysis.code), "diff"))
    lines.append(folded("The whole best cell", literal(code, "python")))
    lines.append(_baseline(state, links))
    return "\n\n".join(lines)


def _baseline(state: SwarmState, links: Links) -> str:
    rows = [row for row in state.rows.values() if row.experiment.purpose == "baseline"]
    known = phrases.baseline(state) or "has no value"
    shown = ", ".join(f"seed {row.experiment.seed}: {links.value(row)}" for row in rows)
    text = f"The cell as given: {inline(state.objective.metric)} = {known}." + (f" Its runs: {shown}." if shown else "")
    error = state.baseline_error
    if error is not None:
        text += f"\n\n**It failed:** {inline(error.message)}\n\n{literal(error.traceback)}"
    return text


def findings(state: SwarmState) -> str:
    """The table of findings."""
    cases = state.findings()
    title = "## Findings"
    if not cases:
        return f"{title}\n\nNone: no hypothesis was put to a test on untouched seeds, or none of the tests came to an end."
    heads = ["", "Finding", "Verdict", ">Effect", "95 % interval", ">Pairs", ">E-value", "Scope", "For new data", ">Cost"]
    text = (
        "An effect is the mean gain in a pair (variation and reference on the same untouched seed), positive is better, in "
        f"units of {inline(state.objective.metric)}. Each number of pairs leads to the runs behind it. *Cost* is the time "
        "of the variation over that of its reference."
    )
    return f"{title}\n\n{text}\n\n{table(heads, (_finding(case) for case in cases))}"


def _finding(case: Case) -> list[str]:
    evidence, hypothesis = case.evidence, case.hypothesis
    assert evidence is not None
    verdict = MARKS[evidence.verdict]
    if evidence.verdict == "supported" and phrases.unaudited(case):
        verdict += ", unaudited"
    if case.mark:
        verdict += f" ({case.mark} by you)"
    exact = evidence.scope == "exact"
    new = interval(evidence.new_data_low, evidence.new_data_high) if evidence.new_data_low is not None else "–"
    return [
        inline(hypothesis.id),
        inline(hypothesis.statement),
        verdict,
        signed(evidence.effect),
        "exact" if exact else interval(evidence.low, evidence.high),
        f"[{evidence.pairs}](#{_anchor(case)})",
        "–" if exact else number(evidence.e_value, 3),
        phrases.SCOPES[evidence.scope],
        new,
        f"×{number(evidence.cost_ratio, 3)}",
    ]


def _anchor(case: Case) -> str:
    return f"Pairs-of-{case.hypothesis.id}" if case.hypothesis.id.isalnum() else "Evidence"


def evidence(state: SwarmState, links: Links) -> str:
    """The pairs behind each finding, with links to both runs, the plan and the citations."""
    cases = state.findings()
    if not cases:
        return ""
    return "\n\n".join(["## Evidence", *(_behind(state, case, links) for case in cases)])


def _behind(state: SwarmState, case: Case, links: Links) -> str:
    hypothesis, found = case.hypothesis, case.evidence
    assert found is not None
    trial = state.trials.get(case.plan)
    lines = [f"### Pairs of {inline(hypothesis.id)}", f"{inline(hypothesis.statement)}: {MARKS[found.verdict]}, "]
    lines[1] += phrases.judged(found) + "." + (f" {inline(found.note)}." if found.note else "")
    if trial is not None:
        plan = trial.plan
        lines.append(
            f"Plan {inline(plan.id)}, registered by {inline(plan.agent)} before these runs: at most {plan.max_pairs} pairs "
            f"from seed {plan.first_seed} on, margin {number(plan.margin)}, weight {number(plan.weight)}, level {plan.level:g}. "
            f"E-value for an effect above 0: {number(found.e_value, 3)}; against one as large as the margin: "
            f"{number(found.e_against, 3)}."
        )
    if hypothesis.citations:
        lines.append("\n".join(f"> {inline(each.quote, 1200)}  \n> {_where(each)}\n" for each in hypothesis.citations))
    lines.append(folded(f"{plural(found.pairs, 'pair')} and the difference in code", _pairs(state, case, links)))
    return "\n\n".join(lines)


def _where(citation: object) -> str:
    from jupyter_swarm.words import Citation

    assert isinstance(citation, Citation)
    return f"({inline(phrases.place(citation), 300)}{', documentation' if citation.kind == 'documentation' else ''})"


def _pairs(state: SwarmState, case: Case, links: Links) -> str:
    sides: dict[int, dict[bool, Row]] = {}
    for row in state.rows.values():
        experiment = row.experiment
        if experiment.purpose == "confirmation" and experiment.hypothesis == case.hypothesis.id:
            ours = experiment.code == case.hypothesis.variation.code
            sides.setdefault(experiment.seed, {})[ours] = row
    rows = []
    for seed, pair in sorted(sides.items()):
        ours, theirs = pair.get(True), pair.get(False)
        gain = "–"
        if ours and theirs and ours.run and theirs.run and ours.run.value is not None and theirs.run.value is not None:
            gain = signed(state.objective.gain(ours.run.value, theirs.run.value))
        rows.append([str(seed), links.value(ours) if ours else "–", links.value(theirs) if theirs else "–", gain])
    text = table(["Seed", ">Variation", ">Reference", ">Gain"], rows)
    changes = cell.diff(case.hypothesis.variation.code, case.hypothesis.reference.code)
    return f"{text}\n\n{literal(changes, 'diff')}"
