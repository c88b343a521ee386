"""What was tried and what failed, with counts: a swarm is known by that too."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from statistics import fmean

from jupyter_swarm.report import phrases
from jupyter_swarm.report.markdown import Links, folded, inline, table
from jupyter_swarm.report.phrases import number, plural, signed
from jupyter_swarm.report.tables import anchor
from jupyter_swarm.state import Case, Row, SwarmState

MOST_CASES = 300
MOST_MESSAGES = 15
OPERATORS = {"set": "value set", "swap": "part swapped", "insert": "step inserted", "drop": "part left out"}
OUTCOMES = ("supported", "refuted", "open", "in test", "screened only", "pruned", "failed", "vetoed", "not run")


def operator(case: Case) -> str:
    """What kind of change a hypothesis makes to its reference."""
    hypothesis = case.hypothesis
    edits = [edit for edit in hypothesis.variation.edits if edit not in hypothesis.reference.edits]
    kinds = {edit.kind for edit in edits}
    if not hypothesis.variation.edits:
        return "free code"
    if not edits:
        return "change taken back"
    return OPERATORS[edits[0].kind] if len(edits) == 1 or kinds == {"set"} else "combination"


def outcome(state: SwarmState, case: Case) -> str:
    """What became of a hypothesis, one of `OUTCOMES`."""
    if case.evidence is not None:
        return case.evidence.verdict
    if case.plan:
        return "in test"
    if case.mark == "vetoed":
        return "vetoed"
    if any((case.hypothesis.variation.id, seed) in state.values for seed in case.seeds):
        return "screened only"
    if case.pruned:
        return "pruned"
    return "failed" if case.failures else "not run"


def tried(state: SwarmState, links: Links) -> str:
    """Counts by kind of change and by direction, failed runs by reason, and every hypothesis with its runs."""
    cases = [case for case in state.cases.values() if case.about == "improvement"]
    title = "## What was tried, and what failed"
    if not cases:
        return f"{title}\n\nNo hypothesis was proposed." + _failures(state, links)
    outcomes = {case.hypothesis.id: outcome(state, case) for case in cases}
    total = Counter(outcomes.values())
    judged = sum(total[name] for name in ("supported", "refuted", "open"))
    text = (
        f"{plural(len(cases), 'hypothesis was', 'hypotheses were')} proposed in "
        f"{plural(len(state.directions), 'direction')}; {judged} came to a verdict. Screening is greedy: what it left "
        "aside was not shown to be useless, only less promising on a few seeds."
    )
    kinds = _counts("Kind of change", _grouped(cases, operator), outcomes)
    titles = {name: inline(_direction(state, name), 200) for name in state.directions}
    lines = _counts("Direction", _grouped(cases, lambda case: titles.get(case.hypothesis.direction, "–")), outcomes)
    everything = _everything(state, cases, outcomes, links)
    return "\n\n".join([title, text, kinds, lines, everything]) + _failures(state, links)


def _direction(state: SwarmState, name: str) -> str:
    direction = state.directions[name]
    weight = f", priority {direction.priority:g} by you" if direction.priority != 1.0 else ""
    closed = f", closed: {direction.closed}" if direction.closed else ""
    return f"{direction.title}{weight}{closed}"


def _grouped(cases: Iterable[Case], key: object) -> dict[str, list[Case]]:
    assert callable(key)
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        groups[key(case)].append(case)
    return dict(sorted(groups.items(), key=lambda item: -len(item[1])))


def _counts(head: str, groups: dict[str, list[Case]], outcomes: dict[str, str]) -> str:
    """A table of counts; outcomes that nothing had are left out."""
    shown = [name for name in OUTCOMES if name in outcomes.values()]
    rows = []
    for name, cases in groups.items():
        counts = Counter(outcomes[case.hypothesis.id] for case in cases)
        rows.append([name, f"**{len(cases)}**", *(str(counts[each] or "·") for each in shown)])
    return table([head, ">Tried", *(f">{name}" for name in shown)], rows)


def _everything(state: SwarmState, cases: Sequence[Case], outcomes: dict[str, str], links: Links) -> str:
    by_case: dict[str, list[Row]] = defaultdict(list)
    for row in state.rows.values():
        if row.experiment.purpose == "screening":
            by_case[row.experiment.hypothesis].append(row)

    def rank(case: Case) -> tuple[int, float]:
        return OUTCOMES.index(outcomes[case.hypothesis.id]), -(fmean(case.gains) if case.gains else float("-inf"))

    rows = []
    for case in sorted(cases, key=rank)[:MOST_CASES]:
        name = case.hypothesis.id
        end = outcomes[name]
        rows.append(
            [
                inline(name),
                inline(case.hypothesis.statement, 200),
                f"[{end}](#{anchor(case)})" if case.evidence is not None else end,
                signed(fmean(case.gains)) if case.gains else "–",
                links.runs(by_case[name]) or "–",
            ]
        )
    text = table(["", "Hypothesis", "Outcome", ">Gain in screening", "Screening runs"], rows)
    if len(cases) > MOST_CASES:
        text += f"\n\nThe first {MOST_CASES} of {len(cases):,}; the ledger holds all."
    return folded(f"Each hypothesis with its screening runs ({len(cases):,})", text)


def _failures(state: SwarmState, links: Links) -> str:
    """Failed runs by reason and message, each with its first run."""
    failed = [(row, row.run) for row in state.rows.values() if row.run is not None and row.run.reason is not None]
    done = sum(row.run is not None for row in state.rows.values())
    if not failed:
        return f"\n\n### Failed runs\n\nNone of {plural(done, 'run')} failed." if done else ""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row, run in failed:
        groups[phrases.REASONS.get(run.reason or "", run.reason or ""), run.message[:300]].append(row)
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    rows = [
        [str(len(members)), reason, inline(message, 300) or "–", links.run(members[0])]
        for (reason, message), members in ordered[:MOST_MESSAGES]
    ]
    reasons = Counter(phrases.REASONS.get(run.reason or "", run.reason or "") for _, run in failed)
    text = f"{len(failed):,} of {plural(done, 'run')} gave no value: "
    text += ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common()) + "."
    text += "\n\n" + table([">Runs", "They …", "Message", "For example"], rows)
    rest = len(ordered) - MOST_MESSAGES
    if rest > 0:
        text += f"\n\n{plural(rest, 'other message')} came less often."
    return f"\n\n### Failed runs\n\n{text}"


def asked(state: SwarmState, links: Links) -> str:
    """What the person asked of the running swarm, with each answer, and the runs repeated at their request."""
    rows = []
    for entry in state.steering.values():
        request = entry.request
        value = "" if request.value is None else f" {request.value}"
        done = {None: "waits", True: "done", False: "refused"}[entry.done]
        rows.append([inline(f"{request.verb} {request.target}{value}", 200), done, inline(entry.answer) or "–"])
    marked = [case for case in state.cases.values() if case.mark]
    repeated = [row for row in state.rows.values() if row.experiment.purpose == "replication"]
    if not (rows or marked or repeated):
        return ""
    parts = ["## What you asked of it"]
    if rows:
        parts.append(table(["Request", "", "Answer"], rows))
    if marked:
        each = [f"- {case.mark}: {inline(case.hypothesis.id)}, {inline(case.hypothesis.statement)}" for case in marked]
        parts.append("\n".join(each))
    if repeated:
        parts.append("Runs repeated at your request:\n\n" + _repeated(repeated, links))
    return "\n\n".join(parts)


def _repeated(rows: Sequence[Row], links: Links) -> str:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.experiment.title].append(row)
    lines = []
    for title, members in groups.items():
        values = [row.run.value for row in members if row.run is not None and row.run.value is not None]
        mean = f", mean {number(fmean(values))}" if values else ""
        shown = ", ".join(f"seed {row.experiment.seed}: {links.value(row)}" for row in members)
        lines.append(f"- {inline(title)}: {shown}{mean}")
    return "\n".join(lines)
