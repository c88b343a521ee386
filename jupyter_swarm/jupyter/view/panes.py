"""The state of a swarm as HTML, pane by pane: pure functions, every word of others escaped.

`html(state)` is all of it on one page, as it is kept in a saved notebook; the live view puts the same panes into
widgets and renews each one only when its text has changed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from html import escape

from jupyter_swarm import cell
from jupyter_swarm.jupyter import waiting
from jupyter_swarm.jupyter.pages import visible
from jupyter_swarm.jupyter.view import plot
from jupyter_swarm.jupyter.view.style import sheet
from jupyter_swarm.report import phrases
from jupyter_swarm.report.answer import answer
from jupyter_swarm.report.models import dollars, total
from jupyter_swarm.report.phrases import duration, number, plural, signed
from jupyter_swarm.state import Case, Direction, SwarmState
from jupyter_swarm.words import Citation

MOST_LINES = 6
MOST_FINDINGS = 12
MOST_DIRECTIONS = 12
LONGEST = 600
"""Letters of a stranger's text that are shown; a megabyte of title must not stall the page."""


def text(words: str, most: int = LONGEST) -> str:
    """Someone's words, cut to a length that a page bears, and escaped."""
    return escape(words if len(words) <= most else words[: most - 1] + "…")


def header(state: SwarmState, alive: bool = True) -> str:
    """Name, what it is doing, the question."""
    doing = phrases.phase(state, alive)
    kind = {"runner lost": "lost", "starting": "", "stopped": "", "pausing": "paused"}.get(doing, doing)
    kind = kind if kind in ("lost", "paused", "done", "failed", "") else "running"
    why = f'<span class="soft">{text(state.why)}</span>' if state.over and state.why else ""
    lost = '<span class="soft">its runner is gone; Resume starts another, and no finished run is lost</span>'
    why = lost if kind == "lost" else why
    head = (
        f'<div class="head"><h2>{text(state.name)}</h2>'
        f'<span class="badge {kind}" role="status">{escape(doing)}</span>{why}</div>'
    )
    question = state.request.analysis.question if state.request else ""
    return head + (f'<p class="question">{text(question)}</p>' if question else "")


def progress(state: SwarmState) -> str:
    """Time and experiments against the budget, confirmation's share, the baseline."""
    budget, bars = state.budget, []
    if budget.seconds:
        words = f"{duration(state.clock)} of {duration(budget.seconds)}"
        bars.append(_bar("Time", words, [(state.clock / budget.seconds, "")]))
    screening, confirmation = state.started["screening"], state.started["confirmation"]
    total = budget.experiments or max(state.experiments, 1)
    words = f"{state.experiments:,}" + (f" of {budget.experiments:,}" if budget.experiments else "")
    shares = [(screening / total, ""), (confirmation / total, "second")]
    bars.append(_bar("Experiments", words, shares))
    share = confirmation / max(state.experiments, 1)
    bars.append(_bar("Spent on confirming", f"{share:.0%}", [(share, "second")]))
    if state.spent:
        bars.append(_models(state))
    reference = phrases.baseline(state)
    metric = text(state.request.objective.metric, 80) if state.request else ""
    label = f'<div class="label"><span>Baseline, {metric}</span></div><b>{escape(reference)}</b>'
    bars.append(f"<div>{label if reference else label.replace('<b></b>', 'not measured yet')}</div>")
    return f'<div class="bars">{"".join(bars)}</div>'


def _models(state: SwarmState) -> str:
    """What language models took, beside what they may take."""
    spent, budget = total(state), state.budget
    shares = [spent.tokens / budget.tokens] if budget.tokens else []
    shares += [spent.dollars / budget.dollars] if budget.dollars else []
    words = f"{plural(spent.calls, 'call')}, {spent.tokens:,} tokens, {dollars(spent)}"
    return _bar("Language models", words, [(max(shares, default=0.0), "second")])


def _bar(name: str, words: str, shares: Iterable[tuple[float, str]], more: str = "") -> str:
    parts, whole = [], 0.0
    for share, kind in shares:
        width = max(0.0, min(share, 1.0 - whole))
        whole += width
        parts.append(f'<i class="{kind}" style="width:{100 * width:.1f}%"></i>')
    right = f"<span>{escape(more)}</span>" if more else ""
    return (
        f'<div><div class="label"><span>{escape(name)}{" " + f"<b>{escape(words)}</b>" if more else ""}</span>'
        f"{right or f'<b>{escape(words)}</b>'}</div>"
        f'<div class="bar" role="progressbar" aria-label="{escape(name)}" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{100 * whole:.0f}" aria-valuetext="{escape(words)}">{"".join(parts)}</div></div>'
    )


def said(state: SwarmState) -> str:
    """The answer so far, in plain words; "" before any verdict."""
    if state.request is None or (not state.findings() and not state.over):
        return ""
    kind = "" if state.supported() else " plain"
    return f'<p class="answer{kind}">{text(answer(state), 2000)}</p>'


def leaders(state: SwarmState) -> str:
    """The best variations on screening seeds, said not to be verified."""
    title = "<h3>Leading in screening<small>not verified</small></h3>"
    if state.request is None or not (best := state.leaders(5)):
        return title + '<p class="soft">No variation has been tried yet.</p>'
    rows = []
    for case, mean, seeds in best:
        verdict = case.evidence.verdict if case.evidence else ""
        tag = f' <span class="soft">→ {escape(verdict)}</span>' if verdict else ""
        rows.append(
            f'<tr><td>{text(case.hypothesis.statement, 200)}{tag}</td><td class="n">{number(mean)}</td>'
            f'<td class="n">{seeds}</td></tr>'
        )
    metric = text(state.objective.metric, 40)
    heads = f'<tr><th scope="col">Hypothesis</th><th scope="col" class="n">{metric}</th>'
    heads += '<th scope="col" class="n">seeds</th></tr>'
    return f'{title}<table class="grid"><thead>{heads}</thead><tbody>{"".join(rows)}</tbody></table>'


def chart(state: SwarmState) -> str:
    """The plot over time."""
    note = "dots: runs (green: confirming); line: leader in screening"
    note += "; ring: best, measured again" if state.best else ""
    return f"<h3>Score over time<small>{note}</small></h3>{plot.over_time(state)}"


def counts(state: SwarmState) -> str:
    """The heading of the findings: how many of each verdict."""
    found = [case.evidence.verdict for case in state.findings() if case.evidence]
    words = ", ".join(f"{found.count(verdict)} {verdict}" for verdict in ("supported", "refuted", "open"))
    small = words if found else "none yet: a finding is a plan's verdict on untouched seeds"
    more = f"; the first {MOST_FINDINGS} are shown, the report holds all" if len(found) > MOST_FINDINGS else ""
    return f"<h3>Findings<small>{escape(small)}{more}</small></h3>"


def finding(case: Case, state: SwarmState, scale: float) -> str:
    """One finding: verdict, statement, effect with interval, pairs, scope, and the citations folded away."""
    evidence, hypothesis = case.evidence, case.hypothesis
    if evidence is None:
        return ""
    free = phrases.unaudited(state, case)
    badge = evidence.verdict + (", unaudited" if free else "")
    mark = f' <span class="soft">({escape(case.mark)} by you)</span>' if case.mark else ""
    facts = [
        f"<span>{escape(phrases.judged(evidence).partition(', ')[2])}</span>",
        f"<span>{escape(hypothesis.id)}</span>",
    ]
    if evidence.new_data_low is not None:
        new = phrases.interval(evidence.new_data_low, evidence.new_data_high)
        facts.append(f"<span>for new data: {escape(new)}</span>")
    if held := phrases.held_out(state, case):
        facts.append(f"<span>{escape(held)}</span>")
    if abs(evidence.cost_ratio - 1.0) >= 0.1:
        facts.append(f"<span>takes {number(evidence.cost_ratio, 2)} times as long</span>")
    note = f'<p class="soft">{text(evidence.note)}</p>' if evidence.note else ""
    note += f'<p class="soft">{text(before)}</p>' if (before := phrases.foretold(state, case)) else ""
    return (
        f'<div class="card"><div class="top"><span class="badge {evidence.verdict}">{escape(badge)}</span>'
        f'<span class="say">{text(hypothesis.statement)}{mark}</span>'
        f'<span class="effect">{signed(evidence.effect)}</span></div>'
        f'<div class="facts">{plot.effect(evidence, scale)}{"".join(facts)}</div>{note}{cited(hypothesis.citations)}'
        f"{_unread(state, case) if free else ''}"
        f"</div>"
    )


def _unread(state: SwarmState, case: Case) -> str:
    """Code that a finding rests on and nobody has approved, folded away, with how to do so."""
    hypothesis = case.hypothesis
    how = f"%swarm steer {state.name} --approve {hypothesis.id}"
    diff = cell.diff(hypothesis.variation.code, hypothesis.reference.code)
    return (
        f"<details><summary>free code that you have not approved</summary><pre>{escape(visible(diff))}</pre>"
        f"<p>If it measures what your cell measures: <code>{escape(how)}</code></p></details>"
    )


def cited(citations: Iterable[Citation]) -> str:
    """Quotations with their places, folded away."""
    quotes = [
        f"<blockquote>{text(each.quote, 1200)}<footer>{text(phrases.place(each), 300)}"
        f"{' (documentation)' if each.kind == 'documentation' else ''}</footer></blockquote>"
        for each in citations
    ]
    if not quotes:
        return ""
    return f"<details><summary>{plural(len(quotes), 'citation')}</summary>{''.join(quotes)}</details>"


def line_of(direction: Direction) -> str:
    """A direction: title, why, citations. Changes seldom."""
    closed = f' <span class="soft">closed: {text(direction.closed, 200)}</span>' if direction.closed else ""
    why = f'<p class="soft">{text(direction.why, 300)}</p>' if direction.why else ""
    return f"<div><b>{text(direction.title, 300)}</b>{closed}{why}{cited(direction.citations)}</div>"


def promise(direction: Direction) -> str:
    """A direction's promise as a bar, and what has been tried there. Changes often."""
    return _bar("Promise", f"{direction.promise:.2f}", [(direction.promise, "")], plural(direction.trials, "run"))


def open_directions(state: SwarmState) -> list[Direction]:
    """The directions that are shown, in the order in which they were opened; open ones before closed ones."""
    found = sorted(state.directions.values(), key=lambda each: bool(each.closed))
    return found[:MOST_DIRECTIONS]


def direction_count(state: SwarmState) -> str:
    """The heading of the directions."""
    count = len(state.directions)
    words = "priority: 0 rests a direction, 1 is neutral, 2 gives it twice the weight"
    if count > MOST_DIRECTIONS:
        words += f"; the first {MOST_DIRECTIONS} of {count} are shown"
    return f"<h3>Directions<small>{words}</small></h3>"


def alarm(state: SwarmState) -> str:
    """The baseline's message and traceback where it failed; "" where it did not."""
    run = state.baseline_error
    if run is None:
        return ""
    trace = f"<pre>{text(run.traceback[-6000:], 6000)}</pre>" if run.traceback else ""
    return (
        '<div class="alert" role="alert"><p><b>The baseline itself failed</b>, so nothing can be compared with it: '
        f"{text(run.message)}</p>{trace}</div>"
    )


def log(state: SwarmState) -> str:
    """The last lines that people read, the newest first."""
    lines = []
    if state.failed:
        words = "; ".join(f"{count:,} {phrases.REASONS.get(reason, reason)}" for reason, count in state.failed.items())
        lines.append(f"<li><span>Runs without a value: {escape(words)}</span></li>")
    for at, level, line in reversed(state.log[-MOST_LINES:]):
        clock = time.strftime("%H:%M:%S", time.localtime(at))
        word = f'<span class="level">{escape(level)}</span> ' if level != "info" else ""
        lines.append(f"<li><time>{clock}</time><span>{word}{text(line)}</span></li>")
    return f'<h3>Log</h3><ul class="log" tabindex="0" aria-label="Log">{"".join(lines)}</ul>' if lines else ""


def plain(state: SwarmState, alive: bool = True) -> str:
    """The state in two lines, for a front end that has neither widgets nor HTML.

    >>> print(plain(SwarmState(name="wine")))
    wine: starting, 0 experiments
    %swarm status wine looks again, %swarm stop wine ends it.
    """
    name = state.name
    verbs = f"%swarm status {name} looks again, %swarm stop {name} ends it."
    return (
        f"{waiting.line_of(state, alive)}\n{f'%swarm findings {name} shows what came of it.' if state.over else verbs}"
    )


def html(state: SwarmState) -> str:
    """The whole state on one page, without widgets and without scripts.

    >>> from jupyter_swarm.events import Record, Noted
    >>> state = SwarmState.of([Record(1, "wine", 0.0, 0.0, Noted(text="<script>"))])
    >>> "&lt;script&gt;" in html(state), "<script>" in html(state)
    (True, False)
    """
    scale = plot.reach(state)
    found = state.findings()
    cards = "".join(finding(case, state, scale) for case in found[:MOST_FINDINGS])
    rows = "".join(
        f'<tr><td>{line_of(each)}</td><td>{promise(each)}</td><td class="n">{number(each.priority)}</td></tr>'
        for each in open_directions(state)
    )
    heads = '<tr><th scope="col">Direction</th><th scope="col">Promise</th><th scope="col" class="n">priority</th></tr>'
    table = (
        f'<h3>Directions</h3><table class="grid"><thead>{heads}</thead><tbody>{rows}</tbody></table>' if rows else ""
    )
    panes = (
        alarm(state),
        said(state),
        progress(state),
        chart(state) if state.request else "",
        leaders(state),
        counts(state) + cards,
        table,
        log(state),
    )
    sections = "".join(f"<section>{pane}</section>" for pane in panes if pane)
    return f'{sheet()}<div class="jsw jsw-static">{header(state)}{_dated(state)}{sections}</div>'


def _dated(state: SwarmState) -> str:
    """A saved picture of what goes on says when it was taken; "" of what is over."""
    if state.over or not state.updated:
        return ""
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(state.updated))
    return f'<p class="soft">As it stood on {when}. <code>%swarm watch {text(state.name)}</code> shows it now.</p>'


def bundle(state: SwarmState, alive: bool = True) -> dict[str, str]:
    """The state for a front end without widgets: its HTML and its words."""
    return {"text/plain": plain(state, alive), "text/html": html(state)}
