"""A language model's words over the findings: the facts that it is given, and the check that each sentence passes.

A sentence stands only if a program finds all of it in the ledger: every number among the facts of the hypotheses that
it names (or among those of the whole study), every quotation word for word, and for every hypothesis its verdict. What
fails is struck out before anybody sees it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from jupyter_swarm.report import phrases
from jupyter_swarm.report.markdown import inline
from jupyter_swarm.report.phrases import number, plural
from jupyter_swarm.state import Case, SwarmState

MOST_SENTENCES = 12
LONGEST = 600
LEFT_OUT = "…"
VERDICTS = ("supported", "refuted", "open")
_ID = re.compile(r"\bH\d+\b")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?|\.\d+", re.IGNORECASE)
_QUOTED = re.compile(r"[“\"]([^”\"]{3,})[”\"]")
_COUNTED = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|half|twice|double[sd]?|triple[sd]?|percent|per cent|"
    r"most|all|none)\b",
    re.IGNORECASE,
)


def facts(state: SwarmState) -> dict[str, str]:
    """What may be said: hypothesis → its facts in a line, and "" → those of the whole study."""
    lines = {case.hypothesis.id: _fact(state, case) for case in state.findings()}
    best = state.best
    found: Counter[str] = Counter(case.evidence.verdict for case in state.findings() if case.evidence is not None)
    counts = ", ".join(f"{found[verdict]} {verdict}" for verdict in VERDICTS)
    whole = [f"Findings: {counts}.", f"Baseline: {phrases.baseline(state)}.", f"{plural(state.experiments, 'run')}."]
    if best is not None:
        whole.append(f"Best cell: {number(best.mean)}, 95 % interval {number(best.low)} to {number(best.high)}.")
    lines[""] = " ".join(whole)
    return lines


def _fact(state: SwarmState, case: Case) -> str:
    assert case.evidence is not None
    new = phrases.held_out(state, case)
    parts = [
        f"[{case.hypothesis.id}] {case.evidence.verdict}: {_bare(case)}",
        phrases.judged(case.evidence),
        *([new] if new else []),
        *([f"refuted if: {_NUMBER.sub(LEFT_OUT, case.hypothesis.refuted_if)}"] if case.hypothesis.refuted_if else []),
    ]
    return "; ".join(parts)


def _bare(case: Case) -> str:
    """What a hypothesis says; of words that a model wrote, no number is a fact."""
    statement = case.hypothesis.statement
    return _NUMBER.sub(LEFT_OUT, statement) if case.hypothesis.variation.free else statement


def wrong(sentence: str, known: dict[str, str]) -> str:
    """Why a sentence cannot stand, or "".

    >>> known = {"": "12 runs.", "H1": "[H1] supported: a larger C raises accuracy; effect +0.02, 8 pairs"}
    >>> wrong("A larger C was supported [H1], with +0.02.", known)
    ''
    >>> wrong("A larger C was supported [H1], with +0.2.", known)
    '0.2 is no number of H1'
    >>> wrong("A larger C was refuted [H1].", known)
    'H1 was supported, which the sentence does not say'
    """
    text = sentence.replace("−", "-")
    named = list(dict.fromkeys(_ID.findall(text)))
    if unknown := [each for each in named if each not in known]:
        return f"there is no finding {', '.join(unknown)}"
    lines = [known[each] for each in named]
    basis = " ".join(lines or [known[""]]).replace("−", "-")
    spoken, about = _ID.sub(" ", text), ", ".join(named) or "the study"
    return (
        _verdicts(spoken, dict(zip(named, lines, strict=True)))
        or _counts(spoken, basis, about)
        or _quotes(spoken, basis)
    )


def _verdicts(spoken: str, named: dict[str, str]) -> str:
    """Whether a sentence says each verdict, and no other."""
    said = {word for word in VERDICTS if re.search(rf"\b{word}\b", spoken, re.IGNORECASE)}
    right = {each: _verdict(each, line) for each, line in named.items()}
    silent = [each for each, verdict in right.items() if verdict not in said]
    if silent:
        return f"{silent[0]} was {right[silent[0]]}, which the sentence does not say"
    false = said - set(right.values()) - {"open"} if right else set()
    return f"none of {', '.join(named)} was {min(false)}" if false else ""


def _verdict(name: str, line: str) -> str:
    """The verdict that a line of facts begins with: what follows may be a model's own words."""
    return next(word for word in VERDICTS if line.startswith(f"[{name}] {word}:"))


def _counts(spoken: str, basis: str, about: str) -> str:
    """Whether each number, in digits or in words, is one of the facts'."""
    numbers, told = _numbers(basis), _numbers(spoken)
    if false := told - numbers:
        return f"{min(false):g} is no number of {about}"
    word = _COUNTED.search(_QUOTED.sub(" ", spoken))
    if word and word[0].lower() not in basis.lower():
        return f"{word[0]!r} is no number of {about}"
    return "it names no finding and no number of the study" if about == "the study" and not told else ""


def _quotes(spoken: str, basis: str) -> str:
    """Whether each quotation stands in the facts."""
    whole = " ".join(basis.split())
    false = [quote for quote in _QUOTED.findall(spoken) if " ".join(quote.split()) not in whole]
    return f"{false[0][:60]!r} does not stand in the facts" if false else ""


def _numbers(text: str) -> set[float]:
    return {float(each.replace(",", "")) for each in _NUMBER.findall(_ID.sub(" ", text))}


def sifted(sentences: Iterable[str], known: dict[str, str]) -> tuple[list[str], list[str]]:
    """The sentences that stand, and why others do not."""
    kept: list[str] = []
    struck: list[str] = []
    for each in list(sentences)[:MOST_SENTENCES]:
        text = " ".join(each.split())
        why = wrong(text, known) if 0 < len(text) <= LONGEST else "it is empty, or too long"
        (struck if why else kept).append(f"{text[:80]}: {why}" if why else text)
    return kept, struck


def prose(state: SwarmState) -> str:
    """The part of the report; "" where no model wrote one."""
    found = state.summary
    if found is None or not found.sentences:
        return ""
    known = facts(state)
    sentences = [each for each in found.sentences if not wrong(each, known)]  # the ledger may have gone on
    struck = found.struck + len(found.sentences) - len(sentences)
    left = (
        f"; {plural(struck, 'sentence')} did not stand and {'is' if struck == 1 else 'are'} left out" if struck else ""
    )
    note = (
        f"*Written by {inline(found.model)}. A program found each number, verdict and quotation of it in the "
        f"ledger{left}.*"
    )
    return "## In words\n\n" + " ".join(inline(each, LONGEST) for each in sentences) + f"\n\n{note}"
