"""The first part of the report: the answer, the best cell, the findings and the pairs behind each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from statistics import median

from jupyter_swarm import cell
from jupyter_swarm.report import phrases
from jupyter_swarm.report.answer import answer, chain_of
from jupyter_swarm.report.markdown import Links, folded, inline, joined, literal, table
from jupyter_swarm.report.phrases import interval, number, plural, signed
from jupyter_swarm.state import CUT_OFF, Case, Row, SwarmState, Trial
from jupyter_swarm.words import Citation, Evidence, Variation

MARKS = {"supported": "✔ supported", "refuted": "✘ refuted", "open": "○ open"}


def head(state: SwarmState) -> str:
    """Title, question, the answer, and where its numbers come from."""
    parts = [f"# {inline(state.name)}: what helps, and what does not"]
    if state.request is not None and state.analysis.question:
        parts.append(f"*{inline(state.analysis.question)}*")
    parts.append(inline(answer(state), 4000))
    if not state.over:
        parts.append("> The swarm is not over: this is how things stand, and it may change.")
    behind = [f"[{inline(case.hypothesis.id)}](#{anchor(case)})" for case in chain_of(state)]
    behind += ["[the best cell's runs](#The-best-cell)"] if state.best else []
    behind += ["[the baseline's runs](#The-cell-as-given)"] if state.baseline_values() else []
    if behind:
        parts.append(f"Behind these numbers: {', '.join(behind)}.")
    why = f" ({inline(state.why)})" if state.why else ""
    parts.append(f"{plural(state.experiments, 'run')} in {phrases.duration(state.clock)}; {state.phase}{why}.")
    return "\n\n".join(parts)


# ---------------------------------------------------------------- the best cell


def best(state: SwarmState, links: Links) -> str:
    """The best cell with its difference from the baseline, and how it was measured."""
    parts = ["## The best cell"]
    found, incumbent = state.best, state.incumbent()
    if found is not None:
        parts += _measured(state, links, found.variation, found.runs)
    elif incumbent is not None:
        words = inline(incumbent.hypothesis.statement)
        parts.append(f"{words}: supported, but not measured again on untouched seeds {_so_far(state)}.")
        parts += _changes(state, incumbent.hypothesis.variation)
    else:
        parts.append("Nothing better than the cell as given has been shown, so the cell as given stands.")
    return "\n\n".join(parts)


def _so_far(state: SwarmState) -> str:
    return "before the swarm ended" if state.over else "so far"


def _measured(state: SwarmState, links: Links, variation: Variation, runs: int) -> list[str]:
    found = state.best
    assert found is not None
    rows = [row for row in state.rows.values() if row.experiment.purpose == "best"]
    rows = [row for row in rows if Variation(code=row.experiment.code).id == variation.id]
    text = (
        f"{inline(state.objective.metric)} = **{number(found.mean)}**, 95 % interval {number(found.low)} to "
        f"{number(found.high)}, from {plural(runs, 'run')} on seeds that neither screening nor any test had used: an "
        "estimate made anew, not the number by which the cell was chosen."
    )
    return [text, *([f"Its runs: {_by_seed(rows, links)}."] if rows else []), *_changes(state, variation)]


def _changes(state: SwarmState, variation: Variation) -> list[str]:
    difference = literal(cell.diff(variation.code, state.analysis.code), "diff")
    whole = folded("The whole best cell", literal(cell.typed(variation.code), "python"))
    return [f"What it changes in the cell as given:\n\n{difference}", whole]


def baseline(state: SwarmState, links: Links) -> str:
    """The person's own cell: its values, or why it has none."""
    rows = [row for row in state.rows.values() if row.experiment.purpose == "baseline"]
    known = phrases.baseline(state)
    metric = inline(state.objective.metric)
    parts = ["## The cell as given", f"{metric} = {known}." if known else f"{metric} has no value."]
    if rows:
        parts.append(f"Its runs: {_by_seed(rows, links)}.")
    error = state.baseline_error
    if error is not None:
        parts += [f"**It failed:** {inline(error.message)}", literal(error.traceback)]
    parts.append(folded("The cell", literal(cell.typed(state.analysis.code), "python")))
    return "\n\n".join(parts)


def _by_seed(rows: Sequence[Row], links: Links) -> str:
    return ", ".join(f"seed {row.experiment.seed}: {links.value(row)}" for row in rows)


# ---------------------------------------------------------------- findings


def findings(state: SwarmState) -> str:
    """The table of findings; what an ablation says, and what is as good and cheaper, stands apart."""
    cases = [case for case in state.findings() if case.about == "improvement"]
    if not cases:
        none = "None: no hypothesis was put to a test on untouched seeds, or none of the tests came to an end."
        return f"## Findings\n\n{none}"
    scopes = {phrases.SCOPES[case.evidence.scope] for case in cases if case.evidence is not None}
    text = (
        "An effect is the mean gain within pairs: variation and reference on the same seed, which nothing before had "
        f"used; in units of {inline(state.objective.metric)}, positive is better. The number of pairs leads to their "
        "runs and to the E-value. *Cost* is the time of a run over that of its reference."
    )
    if len(scopes) == 1:
        text += f" All of it holds {scopes.copy().pop()}."
    if state.holdouts and state.request is not None and state.request.holdout is not None:
        text += (
            " *On new data* is the same difference, measured once on data that no run had seen "
            f"({inline(state.request.holdout.expression)}): its interval is over seeds of the cell, not over data."
        )
    return f"## Findings\n\n{text}\n\n{verdicts(state, cases)}"


def verdicts(state: SwarmState, cases: Sequence[Case]) -> str:
    """A table of judged cases. Columns that would be empty or the same in each row are left out."""
    known = [(case, case.evidence) for case in cases if case.evidence is not None]
    several = len({found.scope for _, found in known}) > 1
    new = any(found.new_data_low is not None for _, found in known)
    heads = ["", "Finding", "Verdict", ">Effect", ">95 % interval", ">Pairs"]
    held = any(case.hypothesis.id in state.holdouts for case, _ in known)
    heads += ["Scope"] * several + [">For new data"] * new + [">On new data"] * held + [">Cost"]
    rows = []
    for case, found in known:
        row = _finding(state, case, found)
        row += [phrases.SCOPES[found.scope]] * several
        row += [
            joined(interval(found.new_data_low, found.new_data_high)) if found.new_data_low is not None else "–"
        ] * new
        row += [inline(phrases.held_out(state, case).removeprefix("on new data ")) or "–"] * held
        rows.append([*row, f"×{number(found.cost_ratio, 3)}"])
    return table(heads, rows)


def _finding(state: SwarmState, case: Case, found: Evidence) -> list[str]:
    hypothesis = case.hypothesis
    verdict = joined(MARKS[found.verdict])
    if phrases.unaudited(state, case):
        verdict += ", unaudited"
    if case.mark:
        verdict += f" ({case.mark} by you)"
    exact = found.scope == "exact"
    return [
        inline(hypothesis.id),
        inline(hypothesis.statement),
        verdict,
        signed(found.effect),
        "exact" if exact else joined(interval(found.low, found.high)),
        f"[{found.pairs}](#{anchor(case)})",
    ]


def anchor(case: Case) -> str:
    """The name of the heading under which the pairs of a case stand."""
    return f"Pairs-of-{case.hypothesis.id}" if case.hypothesis.id.isalnum() else "Evidence"


# ---------------------------------------------------------------- evidence


def evidence(state: SwarmState, links: Links) -> str:
    """The pairs behind each finding, with links to both runs, the plan and the citations."""
    cases = sorted(state.findings(), key=lambda case: case.about == "ablation")
    if not cases:
        return ""
    sides = _sides(state)
    return "\n\n".join(["## Evidence", *(_behind(state, case, sides, links) for case in cases)])


Sides = dict[tuple[str, bool, int], Row]
"""(hypothesis, whether the variation's side, seed) → the run that counts."""


def _sides(state: SwarmState) -> Sides:
    found: Sides = {}
    for row in state.rows.values():
        experiment = row.experiment
        case = state.cases.get(experiment.hypothesis)
        if experiment.purpose == "confirmation" and case is not None:
            ours = experiment.code == case.hypothesis.variation.code
            found[experiment.hypothesis, ours, experiment.seed] = row
    return found


def _behind(state: SwarmState, case: Case, sides: Sides, links: Links) -> str:
    hypothesis, found, trial = case.hypothesis, case.evidence, state.trials.get(case.plan)
    assert found is not None
    note = f" {inline(found.note[0].upper() + found.note[1:])}." if found.note else ""
    parts = [f"### Pairs of {inline(hypothesis.id)}"]
    parts.append(f"{inline(hypothesis.statement)}: {MARKS[found.verdict]}, {phrases.judged(found)}.{note}")
    if reasons := _reasons(case):
        parts.append(reasons)
    if trial is not None:
        parts.append(_planned(trial, found))
        if others := recorded(trial):
            parts.append(others)
        table_of = _pairs(state, trial, sides, links)
        parts.append(folded(f"{plural(found.pairs, 'pair')} with their runs", table_of))
    difference = literal(cell.diff(hypothesis.variation.code, hypothesis.reference.code), "diff")
    against = "the cell as given" if hypothesis.reference.id == state.baseline.id else "its reference"
    parts.append(folded(f"The difference from {against}", difference))
    if hypothesis.citations:
        parts.append(folded(plural(len(hypothesis.citations), "passage") + " that spoke of it", _quoted(case)))
    return "\n\n".join(parts)


def _reasons(case: Case) -> str:
    """What its agent said beforehand: why it might hold, what would speak against it, what it goes on from."""
    hypothesis = case.hypothesis
    said = [
        f"Why it might hold: {inline(hypothesis.why, 600).rstrip('.')}." if hypothesis.why else "",
        f"What would speak against it: {inline(hypothesis.refuted_if, 600).rstrip('.')}."
        if hypothesis.refuted_if
        else "",
        f"It goes on from {inline(hypothesis.parent)}." if hypothesis.parent else "",
        "A claim of the paper that is quoted below, put to a test." if hypothesis.claim else "",
        "Nothing that was cited speaks of it." if hypothesis.refuted_if and not hypothesis.citations else "",
    ]
    words = " ".join(each for each in said if each)
    return f"Said before the runs, by {inline(hypothesis.agent)}: {words}" if words else ""


def _planned(trial: Trial, found: Evidence) -> str:
    plan = trial.plan
    text = (
        f"Plan {inline(plan.id)}, registered by {inline(plan.agent)} before these runs: at most "
        f"{plural(plan.max_pairs, 'pair')} from seed {plan.first_seed} on, margin {number(plan.margin)}, weight "
        f"{number(plan.weight)}, level {plan.level:g}."
    )
    if found.scope == "exact":
        return text
    return (
        f"{text} E-value for an effect above 0: {number(found.e_value, 3)}; against one as large as the margin: "
        f"{number(found.e_against, 3)}."
    )


def recorded(trial: Trial) -> str:
    """Medians of what was recorded besides the metric, beside the reference's."""
    sides = [list(trial.variation.values()), list(trial.reference.values())]
    rows = []
    for name in dict.fromkeys(name for side in sides for run in side for name in run.values):
        both = [[run.values[name] for run in side if name in run.values] for side in sides]
        rows.append([inline(name), *(number(median(each)) if each else "–" for each in both)])
    held = [[run.peak / 2**20 for run in side if run.peak] for side in sides]
    if rows and all(held):
        rows.append(["memory, MB", *(number(median(each), 3) for each in held)])
    return table(["Recorded (median)", ">Variation", ">Reference"], rows) if rows else ""


def _quoted(case: Case) -> str:
    return "\n\n".join(f"> {inline(each.quote, 1200)}\n>\n> {where(each)}" for each in case.hypothesis.citations)


def where(citation: Citation) -> str:
    """Where a quotation stands, and whether documentation is quoted."""
    return f"— {inline(phrases.place(citation), 300)}{', documentation' if citation.kind == 'documentation' else ''}"


def _pairs(state: SwarmState, trial: Trial, sides: Sides, links: Links) -> str:
    """Both runs of each pair and the gain as it was counted, so that the mean of the column is the effect."""
    gains = iter(trial.gains(state.objective))
    rows = []
    for seed in sorted(trial.variation.keys() | trial.reference.keys()):
        ours, theirs = (sides.get((trial.plan.hypothesis, side, seed)) for side in (True, False))
        runs = (trial.variation.get(seed), trial.reference.get(seed))
        whole = [run for run in runs if run is not None and run.reason not in CUT_OFF]
        gain = "not counted" if len(whole) < 2 else signed(next(gains))
        if len(whole) == 2 and not all(run.ok for run in whole):
            gain += " (a run failed)"
        rows.append([str(seed), links.value(ours) if ours else "–", links.value(theirs) if theirs else "–", gain])
    return table(["Seed", ">Variation", ">Reference", ">Gain"], rows)


def equivalents(state: SwarmState) -> str:
    """What was tested to be as good as the best cell, and cheaper; "" where nothing was."""
    cases = [case for case in state.findings() if case.about == "equivalence"]
    if not cases:
        return ""
    text = (
        "Each was measured against what was the best cell then, in pairs on untouched seeds. Supported means that both "
        "were shown: the loss is no larger than what you allow, and it takes less time."
    )
    return f"## As good, and cheaper\n\n{text}\n\n{verdicts(state, cases)}"


# ---------------------------------------------------------------- ablation


def ablations(state: SwarmState) -> tuple[str, list[Case]]:
    """Which change of the best cell earned what, and the cases that say it."""
    incumbent = state.incumbent()
    cases = [case for case in state.findings() if case.about == "ablation"]
    title = "## What each change earns"
    if incumbent is None:
        return "", []
    variation = incumbent.hypothesis.variation
    of_best = [case for case in cases if case.hypothesis.variation.id == variation.id]
    earlier = [case for case in cases if case.hypothesis.variation.id != variation.id]
    if not of_best:
        text = f"{title}\n\n{_not_ablated(state, len(variation.edits))}"
    else:
        text = (
            f"{title}\n\nThe best cell against itself with one change taken back, in pairs as above. Changes may "
            f"depend on each other, so that the shares need not add up to the whole.\n\n{verdicts(state, of_best)}"
        )
    for _, group in groupby(earlier, key=lambda case: case.hypothesis.variation.id):
        members = list(group)
        text += "\n\n" + folded("The same, of a cell that was the best before", verdicts(state, members))
    return text, of_best


def _not_ablated(state: SwarmState, edits: int) -> str:
    if edits == 0:
        return "The best cell rests on free code, of which no part can be taken back by itself."
    if edits == 1:
        return "The best cell changes one thing only: its finding says what that earns."
    return f"The best cell makes {edits} changes; which of them earned what was not tested {_so_far(state)}."
