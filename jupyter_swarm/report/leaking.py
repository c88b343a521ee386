"""Leaks in the cell as given: a finding of its own, and one that limits all others."""

from __future__ import annotations

from jupyter_swarm.report.markdown import inline, literal, table
from jupyter_swarm.report.phrases import plural
from jupyter_swarm.state import SwarmState

KINDS = {
    "fitted": "fitted on all rows",
    "target": "the target among the features",
    "duplicates": "the same rows on both sides",
    "groups": "rows that belong together are split",
    "order": "time is shuffled",
    "tuned": "chosen by the test rows",
}


def leaks(state: SwarmState) -> str:
    """A table of leaks with line, code and cure; "" where none was found."""
    found = state.analysis.leaks
    if not found:
        return ""
    lines = state.analysis.code.split("\n")
    rows = [
        [str(each.line), KINDS[each.kind], f"{inline(each.what)}.", f"{inline(each.cure)}."]
        for each in found
    ]  # fmt: skip
    code = "\n".join(f"{n:>3}  {lines[n - 1]}" for n in sorted({each.line for each in found}) if 0 < n <= len(lines))
    text = (
        f"{plural(len(found), 'leak was', 'leaks were')} found in the cell as given, before anything ran: what the "
        "metric is measured on reaches what is fitted, so that it may be better than it would be on new data. All "
        "effects below are measured with the same metric. Cure this first, and start again."
    )
    return f"## Leaks in the cell as given\n\n{text}\n\n{table(['>Line', 'Kind', 'What', 'Cure'], rows)}\n\n" + literal(
        code, "python"
    )
