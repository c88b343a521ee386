"""What the library said: each quotation, its place, and whether it stands there word for word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from jupyter_swarm.errors import SwarmError
from jupyter_swarm.library import LocalLibrary
from jupyter_swarm.report.markdown import folded, inline
from jupyter_swarm.report.phrases import plural
from jupyter_swarm.report.tables import anchor
from jupyter_swarm.state import SwarmState
from jupyter_swarm.words import Citation
from jupyter_swarm.workspace import Workspace

Key = tuple[str, int, int, str]
MOST_QUOTATIONS = 40
"""Of one paper, that are printed; all are counted and checked."""


def key(citation: Citation) -> Key:
    """What makes two citations the same."""
    return citation.paper, citation.start, citation.end, citation.quote


def cited(state: SwarmState) -> dict[Key, Citation]:
    """All citations of directions and hypotheses, each once."""
    found: dict[Key, Citation] = {}
    for direction in state.directions.values():
        found.update((key(each), each) for each in direction.citations)
        for sentence in (*direction.sentences, *direction.contradictions):
            found.update((key(each), each) for each in sentence.citations)
    for case in state.cases.values():
        found.update((key(each), each) for each in case.hypothesis.citations)
    return found


def check(workspace: Workspace, citations: Iterable[Citation]) -> dict[Key, bool] | str:
    """Whether each quotation stands at its place in the text that the library keeps; a message where it cannot tell."""
    listed = list(citations)
    if not listed:
        return {}
    library = LocalLibrary(workspace, vectors=False)
    try:
        return {key(each): library.verify(each) for each in listed}
    except (SwarmError, OSError) as error:
        return str(error)


def sources(state: SwarmState, checked: dict[Key, bool] | str) -> str:
    """Citations by paper, papers before documentation, with what each speaks of."""
    found = cited(state)
    title = "## What the literature says"
    if not found:
        return f"{title}\n\nNo passage was cited: the library is empty, or nothing in it speaks of what was varied."
    papers: dict[tuple[str, str], list[Citation]] = defaultdict(list)
    for each in found.values():
        papers[each.kind, each.paper].append(each)
    parts = [title, _counted(found, checked), *_together(state, checked)]
    uses = _uses(state)
    for (kind, _), citations in sorted(papers.items(), key=lambda item: (item[0][0] != "paper", -len(item[1]))):
        name = inline(citations[0].title or citations[0].paper, 200)
        parts.append(f"### {name}{' (documentation)' if kind == 'documentation' else ''}")
        quotations = [_quotation(each, checked, uses) for each in sorted(citations, key=lambda each: each.start)]
        parts += quotations[:4]
        if rest := quotations[4:MOST_QUOTATIONS]:
            parts.append(folded(f"{len(rest)} more", "\n\n".join(rest)))
        if len(quotations) > MOST_QUOTATIONS:
            parts.append(f"{plural(len(quotations) - MOST_QUOTATIONS, 'other quotation')} of it are in the ledger.")
    return "\n\n".join(parts)


def _together(state: SwarmState, checked: dict[Key, bool] | str) -> list[str]:
    """What passages say together, and where papers contradict each other, as a language model wrote it; a sentence of
    which a quotation no longer stands at its place is left out.
    """
    parts = []
    for name, head in (("sentences", "Together they say"), ("contradictions", "They contradict each other")):
        said = {each.text: each for direction in state.directions.values() for each in getattr(direction, name)}
        right = [
            each
            for each in said.values()
            if isinstance(checked, str) or all(checked.get(key(c)) for c in each.citations)
        ]
        if right:
            lines = [f"- {inline(each.text, 600)} ({'; '.join(_short(c) for c in each.citations)})" for each in right]
            parts.append(
                f"**{head}** (written by a language model; each sentence rests on quotations):\n\n" + "\n".join(lines)
            )
    return parts


def _short(citation: Citation) -> str:
    return (
        f"“{inline(citation.quote, 300)}” {inline(citation.title or citation.paper, 80)}, {inline(citation.place, 80)}"
    )


def _counted(found: dict[Key, Citation], checked: dict[Key, bool] | str) -> str:
    counts = []
    for kind in ("paper", "documentation"):
        group = [each for each in found.values() if each.kind == kind]
        if group:
            volumes = len({each.paper for each in group})
            places = plural(volumes, "paper") if kind == "paper" else plural(volumes, "text") + " of documentation"
            counts.append(f"{plural(len(group), 'quotation')} from {places}")
    text = f"{' and '.join(counts)}. "
    if isinstance(checked, str):
        return text + f"They could not be checked at their places: {inline(checked)}"
    right = sum(checked.values())
    text += f"**{right} of {plural(len(checked), 'quotation')} stand word for word at their place**, checked when this "
    text += "report was written."
    return text if right == len(checked) else text + " Those marked ✘ do not: their paper is gone, or has changed."


def _uses(state: SwarmState) -> dict[Key, list[str]]:
    uses: dict[Key, list[str]] = defaultdict(list)
    for direction in state.directions.values():
        for each in direction.citations:
            uses[key(each)].append(inline(direction.title, 120))
    for case in state.cases.values():
        name = inline(case.hypothesis.id)
        for each in case.hypothesis.citations:
            uses[key(each)].append(f"[{name}](#{anchor(case)})" if case.evidence is not None else name)
    return uses


def _quotation(citation: Citation, checked: dict[Key, bool] | str, uses: dict[Key, list[str]]) -> str:
    mark = "" if isinstance(checked, str) else ("✔ " if checked.get(key(citation)) else "✘ ")
    spoken = uses[key(citation)]
    more = f" and {len(spoken) - 8} more" if len(spoken) > 8 else ""
    about = f" · speaks of {', '.join(spoken[:8])}{more}" if spoken else ""
    return (
        f"> {inline(citation.quote, 1200)}\n>\n> {mark}{inline(citation.place, 300) or 'without a named place'}{about}"
    )
