"""The answer, in plain words, made by program from the findings; honest when nothing was supported."""

from __future__ import annotations

from jupyter_swarm.report import phrases
from jupyter_swarm.report.phrases import number, plural
from jupyter_swarm.state import Case, SwarmState
from jupyter_swarm.words import Evidence


def answer(state: SwarmState) -> str:
    """One paragraph: what holds, by how much and how surely; what does not; what is not known.

    Plain text, not escaped.
    """
    if state.baseline_error is not None and not state.baseline_values():
        return f"There is no answer: the cell itself failed ({state.baseline_error.message}), so nothing was compared."
    if state.request is None or not state.baseline_values():
        return "There is no answer yet: the baseline has not been measured."
    sentences = [_supported(state)]
    best = state.best
    if best is not None:
        sentences.append(
            f"The best cell measured {state.objective.metric} = {number(best.mean)} "
            f"(95 % interval {number(best.low)} to {number(best.high)}, {plural(best.runs, 'run')}) on seeds that "
            f"nothing before had used; the cell as given has {phrases.baseline(state)}."
        )
    else:
        sentences.append(f"The cell as given has {state.objective.metric} = {phrases.baseline(state)}.")
    sentences += [_cheaper(state), _others(state), _caution(state), _leaks(state)]
    if not state.over:
        sentences.insert(0, "So far:")
    return " ".join(sentence for sentence in sentences if sentence)


def _supported(state: SwarmState) -> str:
    better = [case for case in state.supported() if case.about == "improvement"]
    metric = state.objective.metric
    if not better:
        judged = [case for case in state.findings() if case.about == "improvement"]
        if not judged:
            return f"Nothing has been shown to improve {metric}: no hypothesis was put to the test."
        return (
            f"Nothing was shown to improve {metric}: {plural(len(judged), 'hypothesis', 'hypotheses')} "
            f"{'was' if len(judged) == 1 else 'were'} tested on untouched seeds, and none held."
        )
    chain = chain_of(state) or better[:1]  # what it was compared with may have been vetoed since
    text = f"{_sentence(chain[0].hypothesis.statement)} ({_evidence(state, chain[0])})."
    for case in chain[1:]:
        text += f" On top of that, {_sentence(case.hypothesis.statement)} ({_evidence(state, case)})."
    more = len(better) - len(chain)
    if more > 0:
        unread = sum(phrases.unaudited(state, case) for case in better if case not in chain)
        free = f", {'unaudited' if unread == more else f'{unread} of them unaudited'}" if unread else ""
        text += f" {plural(more, 'other change')} of the cell {'was' if more == 1 else 'were'} supported as well{free}."
    return text


def _evidence(state: SwarmState, case: Case) -> str:
    assert case.evidence is not None
    new = phrases.held_out(state, case)
    free = "unaudited: it rests on free code that you have not approved" if phrases.unaudited(state, case) else ""
    return "; ".join(filter(None, (phrases.judged(case.evidence), new, free)))


def chain_of(state: SwarmState) -> list[Case]:
    """The supported changes that lead from the baseline to the best cell, first to last; [] for none."""
    current = state.incumbent()
    chain: list[Case] = []
    by_variation = {case.hypothesis.variation.id: case for case in state.supported() if case.about == "improvement"}
    while current is not None and current not in chain:
        chain.insert(0, current)
        current = by_variation.get(current.hypothesis.reference.id)
    return chain


def _cheaper(state: SwarmState) -> str:
    """What is as good and cheaper, the cheapest first."""
    found = [(case, case.evidence) for case in state.supported() if case.about == "equivalence"]
    known = sorted(((case, each) for case, each in found if each is not None), key=lambda item: item[1].cost_ratio)
    if not known:
        return ""
    case, evidence = known[0]
    more = f"; so {'is' if len(known) == 2 else 'are'} {len(known) - 1} more" if len(known) > 1 else ""
    return f"As good, and cheaper: {_sentence(case.hypothesis.statement)} ({phrases.judged(evidence)}){more}."


def _others(state: SwarmState) -> str:
    found = [case.evidence for case in state.findings() if case.evidence is not None and case.about == "improvement"]
    refuted, undecided = (sum(each.verdict == verdict for each in found) for verdict in ("refuted", "open"))
    parts = []
    if refuted:
        parts.append(f"{plural(refuted, 'hypothesis', 'hypotheses')} {'was' if refuted == 1 else 'were'} refuted")
    if undecided:
        parts.append(f"{undecided} stayed open: neither shown nor excluded")
    return f"{' and '.join(parts)}.".capitalize() if parts else ""


def _caution(state: SwarmState) -> str:
    evidence: list[Evidence] = [case.evidence for case in state.supported() if case.evidence is not None]
    if any(found.pairs for found in state.holdouts.values()):
        return (
            "What holds on new data was measured there once, over a few seeds of the cell: its interval says nothing "
            "of other new data."
        )
    if any(each.scope == "splits" for each in evidence):
        return "This holds over splits of these data; for new data see the wider interval of each finding."
    if any(each.scope == "seeds" for each in evidence):
        return "This holds over the seeds of this cell; nothing was tested on other data."
    return ""


def _leaks(state: SwarmState) -> str:
    found = state.analysis.leaks
    if not found:
        return ""
    lines = sorted({leak.line for leak in found})
    where = f"line{'' if len(lines) == 1 else 's'} {', '.join(map(str, lines))}"
    return f"Careful: the cell itself leaks ({where}), so that all of this may be worse on new data."


def _sentence(words: str) -> str:
    return words.strip().rstrip(".")
