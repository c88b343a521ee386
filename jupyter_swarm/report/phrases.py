"""Numbers and judgements in plain words, the same in the view and in the report.

Plain text: whoever shows it escapes it.
"""

from __future__ import annotations

import math

from jupyter_swarm import statistics
from jupyter_swarm.outcome import audited
from jupyter_swarm.state import Case, SwarmState
from jupyter_swarm.words import Citation, Evidence, Leak

SCOPES = {
    "seeds": "over these seeds",
    "splits": "over splits of these data",
    "exact": "exact: the metric does not depend on the seed",
}
REASONS = {
    "failure": "raised an error",
    "timeout": "ran out of time",
    "missing": "gave no metric",
    "nonfinite": "gave a metric that is no finite number",
    "bounds": "did not keep what was asked",
    "pruned": "were ended early in screening, since their curve was behind",
    "locked": "touched what no agent may touch",
    "refused": "were not run: code that nobody has read, where it cannot be shut in",
    "stopped": "were stopped",
    "lost": "were lost with their runner",
}


def number(value: float | None, digits: int = 4) -> str:
    """A number for people: so many significant digits, no needless zeros, "–" for none.

    >>> number(0.98611), number(1234567.0), number(None), number(0.00001234), number(12.0)
    ('0.9861', '1.235e+06', '–', '1.234e-05', '12')
    """
    if value is None or math.isnan(value):
        return "–"
    return f"{value:.{digits}g}".replace("-", "−").replace("e−", "e-")


def signed(value: float | None, digits: int = 3) -> str:
    """An effect, with its sign.

    >>> signed(0.35843), signed(-0.02), signed(0.0)
    ('+0.358', '−0.02', '0')
    """
    return ("+" if value is not None and value > 0 else "") + number(value, digits)


def interval(low: float | None, high: float | None) -> str:
    """An interval; an end that the pairs could not bound is said to be so.

    >>> interval(0.1, 0.2), interval(None, 0.2), interval(None, None)
    ('[+0.1, +0.2]', '[unbounded, +0.2]', 'not bounded by so few pairs')
    """
    if low is None and high is None:
        return "not bounded by so few pairs"
    return f"[{signed(low) if low is not None else 'unbounded'}, {signed(high) if high is not None else 'unbounded'}]"


def duration(seconds: float) -> str:
    """A length of time.

    >>> duration(7.2), duration(75), duration(3700), duration(200000)
    ('7 s', '1 min 15 s', '1 h 1 min', '2 d 7 h')
    """
    whole = int(max(0.0, seconds))
    for unit, name, part, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= unit:
            rest = whole % unit // part
            return f"{whole // unit} {name}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def plural(count: int, one: str, many: str = "") -> str:
    """A count and its noun.

    >>> plural(1, "pair"), plural(2, "pair"), plural(0, "hypothesis", "hypotheses")
    ('1 pair', '2 pairs', '0 hypotheses')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def place(citation: Citation) -> str:
    """Where a quotation stands."""
    return ", ".join(part for part in (citation.title or citation.paper, citation.place) if part)


def judged(evidence: Evidence) -> str:
    """A judgement in one line: effect, interval, pairs, scope.

    >>> seven = Evidence(verdict="open", effect=0.1, low=None, high=0.3, pairs=7, e_value=2, e_against=1, scope="seeds")
    >>> judged(seven)
    'effect +0.1, 95 % interval [unbounded, +0.3], 7 pairs, over these seeds, in about the same time'
    """
    bounds = interval(evidence.low, evidence.high)
    known = "95 % interval" if evidence.low is not None or evidence.high is not None else "interval"
    if evidence.scope == "exact":
        known, bounds = "", ""
    parts = (f"effect {signed(evidence.effect)}", f"{known} {bounds}".strip(), plural(evidence.pairs, "pair"))
    return ", ".join(filter(None, (*parts, SCOPES[evidence.scope], cost(evidence))))


def held_out(state: SwarmState, case: Case) -> str:
    """What a finding came to on data that no run had seen; "" where that was not measured."""
    found = state.holdouts.get(case.hypothesis.id)
    if found is None:
        return ""
    failed = [
        f"{side} failed in {count}"
        for side, count in (("the variation", found.failed), ("its reference", found.failed_reference))
        if count
    ]
    if not found.pairs:
        return f"could not be measured on new data: {' and '.join(failed) or 'no pair of runs came back'}"
    bounds = f" {interval(found.low, found.high)}" if found.low is not None else ""
    words = f"on new data {signed(found.effect)}{bounds}, {plural(found.pairs, 'pair')}"
    return f"{words} ({' and '.join(failed)}: left out)" if failed else words


def cost(evidence: Evidence) -> str:
    """How long a run took, in units of its reference: a gain that was bought with time is shown as such."""
    ratio = number(evidence.cost_ratio, 2)
    return "in about the same time" if ratio == "1" else f"in {ratio} times the time"


def baseline(state: SwarmState) -> str:
    """Mean, spread and count of the baseline on the screening seeds; "" before its first run."""
    values = state.baseline_values()
    if not values:
        return ""
    mean, spread = sum(values) / len(values), statistics.standard_deviation(values)
    if statistics.deterministic(values):
        return f"{number(mean)} on each of {len(values)} seeds (it does not depend on the seed)"
    around = f" ± {number(spread, 2)}" if len(values) > 1 else ""
    return f"{number(mean)}{around} over {plural(len(values), 'seed')}"


def phase(state: SwarmState, alive: bool = True) -> str:
    """What the swarm is doing, in one or two words. `alive` is whether a runner holds its lease."""
    if state.phase == "running" and not alive:
        return "runner lost"
    if state.asked and not state.over:
        return {"pause": "pausing", "resume": "resuming", "stop": "stopping"}[state.asked]
    if state.phase != "running":
        return {"requested": "starting", "unknown": "starting"}.get(state.phase, state.phase)
    return _working(state)


def _working(state: SwarmState) -> str:
    if not state.baseline_values():
        return "baseline"
    purposes = {row.experiment.purpose for row in list(state.rows.values())[-8:]}
    if purposes & {"best"}:
        return "measuring the best again"
    if "confirmation" in purposes:
        return "screening and confirming" if "screening" in purposes else "confirming"
    return "screening"


def foretold(state: SwarmState, case: Case) -> str:
    """Who proposed a hypothesis with which model, and what would speak against it; "" for one that rules made."""
    hypothesis = case.hypothesis
    agent = state.agents.get(hypothesis.agent)
    if agent is None or not hypothesis.refuted_if:
        return ""
    return f"proposed by {agent.id} ({agent.mind}); what would speak against it: {hypothesis.refuted_if.rstrip('.')}"


def leak(found: Leak) -> str:
    """A leak in one line, with its cure.

    >>> leak(Leak(kind="target", line=3, what="the target is among the features", cure="leave it out"))
    'line 3: the target is among the features. Cure: leave it out.'
    """
    return f"line {found.line}: {found.what}. Cure: {found.cure}."


def unaudited(state: SwarmState, case: Case) -> bool:
    """Whether it was supported, but rests on code that no declared edit explains and no person has approved."""
    return case.evidence is not None and case.evidence.verdict == "supported" and not audited(state, case)
