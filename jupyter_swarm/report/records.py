"""How well the records of agents predicted what came: promises at the time of proposing, against verdicts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

import msgspec

from jupyter_swarm import statistics
from jupyter_swarm.report import phrases
from jupyter_swarm.report.markdown import folded, inline, table
from jupyter_swarm.report.phrases import number, plural
from jupyter_swarm.state import Agent, SwarmState

FEW = 20
"""Verdicts below which nothing is said about how well records predict."""
START = 1 / 3
"""The promise of an agent without a record (the mean of Beta(1, 2))."""
BINS = 5
MOST_AGENTS = 60
STANDINGS = {"plan": "on a plan"}


class Forecasts(msgspec.Struct, frozen=True):
    """Brier scores (mean squared error of a probability, less is better) of three ways to predict *supported*.

    Attributes:
        count: judged hypotheses.
        supported: how many of them were supported.
        records: by the agent's record when it proposed.
        base_rate: by the share that turned out supported, which nobody knew beforehand.
        start: by the promise that any agent begins with.
        low: lower end of a 95 % interval of `base_rate - records`; positive: the records knew more.
        high: upper end of it.
    """

    count: int
    supported: int
    records: float
    base_rate: float
    start: float
    low: float
    high: float


def forecasts(pairs: Sequence[tuple[float, bool]]) -> Forecasts | None:
    """Score promises against verdicts (Brier 1950); None where nothing was judged.

    Args:
        pairs: (promise, whether supported).

    >>> found = forecasts([(0.9, True), (0.1, False)])
    >>> round(found.records, 3), found.base_rate
    (0.01, 0.25)
    """
    if not pairs:
        return None
    share = fmean(came for _, came in pairs)
    ours = [(promise - came) ** 2 for promise, came in pairs]
    flat = [(share - came) ** 2 for _, came in pairs]
    gains = [theirs - own for theirs, own in zip(flat, ours, strict=True)]
    half = 1.96 * statistics.standard_deviation(gains) / math.sqrt(len(gains))
    return Forecasts(
        count=len(pairs),
        supported=sum(came for _, came in pairs),
        records=fmean(ours),
        base_rate=fmean(flat),
        start=fmean((START - came) ** 2 for _, came in pairs),
        low=fmean(gains) - half,
        high=fmean(gains) + half,
    )


def predictions(state: SwarmState) -> str:
    """How well past records predicted new results, with a table of calibration."""
    judged = [(case.hypothesis.predicted, case.evidence) for case in state.cases.values() if case.evidence is not None]
    pairs = [(promise, found.verdict == "supported") for promise, found in judged]
    found = forecasts(pairs)
    title = "## How well past records predicted new results"
    if found is None:
        return f"{title}\n\nNothing was judged, so no prediction can be compared with a result."
    text = (
        "When an agent proposes, its record so far gives a probability that the hypothesis will be *supported*. "
        f"{plural(found.count, 'hypothesis was', 'hypotheses were')} judged, of {len(state.cases)} proposed; "
        f"{found.supported} {'was' if found.supported == 1 else 'were'} supported. Only what screening found promising "
        "comes to a verdict, so that the share supported is higher here than among all that was proposed."
    )
    scores = table(
        ["Prediction", ">Brier score"],
        [
            ["the records of the agents", number(found.records, 3)],
            [f"the promise that every agent begins with, {number(START, 2)}", number(found.start, 3)],
            [f"the share that came out, {number(found.supported / found.count, 2)}", number(found.base_rate, 3)],
        ],
    )
    note = "The Brier score is the mean squared error of a probability: 0 is perfect, and less is better."
    return "\n\n".join([title, text, scores, note, _said(found), _calibration(pairs)])


def _said(found: Forecasts) -> str:
    if found.count < FEW:
        return (
            f"**{plural(found.count, 'verdict')} cannot tell whether the records predict anything**: at least {FEW} "
            "are needed. Their numbers stand here so that nothing is hidden."
        )
    if found.supported in (0, found.count):
        return "All came out the same way, so that nothing could be told apart by a record."
    if found.low > 0:
        return "**The records predicted better than the share that came out**, though that was known only afterwards."
    if found.high < 0:
        return "**The records predicted worse than the share that came out**, which was known only afterwards."
    return (
        "**The records cannot be told apart from the share that came out**: agents that had done well before were not "
        "seen to be right more often."
    )


def _calibration(pairs: Sequence[tuple[float, bool]]) -> str:
    rows = []
    for place in range(BINS):
        group = [(promise, came) for promise, came in pairs if min(int(promise * BINS), BINS - 1) == place]
        if group:
            came = sum(came for _, came in group)
            promised = fmean(promise for promise, _ in group)
            low, high = wilson(came, len(group))
            rows.append(
                [
                    f"{place / BINS:.1f} to {(place + 1) / BINS:.1f}",
                    str(len(group)),
                    number(promised, 2),
                    f"{came} ({number(came / len(group), 2)})",
                    f"{low:.2f} to {high:.2f}",
                ]
            )
    return table([">Promised", ">Judged", ">Mean promise", ">Supported", ">95 % interval"], rows)


def wilson(hits: int, count: int) -> tuple[float, float]:
    """A 95 % interval for a share (Wilson 1927).

    >>> low, high = wilson(0, 4)
    >>> low, round(high, 2)
    (0.0, 0.49)
    """
    z2, share = 1.96**2, hits / count
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = math.sqrt(z2 * (share * (1 - share) / count + z2 / (4 * count * count))) / (1 + z2 / count)
    return max(0.0, middle - half), min(1.0, middle + half)


# ---------------------------------------------------------------- agents


def team(state: SwarmState) -> str:
    """Each agent's record, standing and policy; those who did most first."""
    title = "## The agents"
    if not state.agents:
        return f"{title}\n\nNone was hired."
    agents = sorted(state.agents.values(), key=lambda agent: (-agent.supported, -agent.tasks, agent.id))
    heads = [
        "Agent",
        "Role",
        "Standing",
        ">Tasks",
        ">Run time",
        ">Proposed",
        ">✔",
        ">✘",
        ">○",
        ">Failed runs",
        ">Promise",
    ]
    rows = [_agent(agent) for agent in agents[:MOST_AGENTS]]
    text = table([*heads, "Policy"], rows)
    if len(agents) > MOST_AGENTS:
        text += f"\n\nThe first {MOST_AGENTS} of {len(agents):,}."
    gone = sum(not agent.works for agent in agents)
    working = f"{plural(len(agents), 'agent was', 'agents were')} hired, {gone} dismissed. "
    note = (
        working
        + "*Promise* is what the record says of the next hypothesis. ✔ supported, ✘ refuted, ○ left open. Agents "
        "of one role differ in their policy, so that a record can mean something."
    )
    return f"{title}\n\n{note}\n\n{folded('Records, standings and policies', text)}"


def _agent(agent: Agent) -> list[str]:
    why = f": {inline(agent.why, 160)}" if agent.why else ""
    parent = f" (after {inline(agent.parent)})" if agent.parent else ""
    return [
        inline(agent.id) + parent,
        inline(agent.role if agent.mind == "classical" else f"{agent.role}, {agent.mind}"),
        STANDINGS.get(agent.standing, agent.standing) + why,
        str(agent.tasks),
        phrases.duration(agent.seconds),
        *(str(count or "·") for count in (agent.proposed, agent.supported, agent.refuted, agent.open, agent.failures)),
        number(agent.promise, 2),
        _policy(agent),
    ]


def _policy(agent: Agent) -> str:
    policy = agent.policy
    parts = {
        "literature": [f"{policy.depth} passages a query"],
        "tuning": [f"sampler {policy.sampler}", f"boldness {policy.boldness:g}"],
        "brainstorming": [f"boldness {policy.boldness:g}", *(f"{n} {w:g}" for n, w in policy.weights.items())],
    }.get(agent.role, [])
    return inline(", ".join(parts)) or "–"
