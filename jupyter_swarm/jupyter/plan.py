"""`--plan`: what was found in a cell and what the budget buys. Nothing is started, nothing is written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_swarm import cell as cells
from jupyter_swarm import register
from jupyter_swarm.api import Swarm
from jupyter_swarm.engine.budget import CONFIRMATION, least, provable
from jupyter_swarm.jupyter.pages import Answer, Part, Table, Words, shortened, size
from jupyter_swarm.report.phrases import duration, number, plural
from jupyter_swarm.words import Analysis, Budget, Capture, Knob, Objective
from jupyter_swarm.workspace import Workspace

A_MINUTE = 120
"""Runs a minute for each worker at the very most: each has a kernel of its own."""
SHOWN = 6
SCOPES = {
    "seeds": "A finding will hold over these seeds: no split that the seed decides was found in the cell.",
    "splits": "A finding will hold over splits of these data: the seed decides how they are split.",
    "exact": "A finding will be exact: the metric does not depend on the seed.",
}


def plan(
    code: str,
    objective: Objective,
    budget: Budget,
    namespace: Mapping[str, Any],
    *,
    vary: Sequence[str] = (),
    fix: Sequence[str] = (),
    record: Sequence[str] = (),
    keep: Sequence[str] = (),
    setup: Sequence[str] = (),
    done: int = 0,
    confirm: str = "",
    folder: Path,
    workers: int = 1,
    share: float | None = None,
    earlier: Swarm | None = None,
) -> Answer:
    """Read the cell, look at what it takes from the notebook, and say it all.

    Raises:
        CellError: the cell cannot be used as it is, or something cannot be captured.
    """
    wishes: dict[str, Any] = {
        "vary": vary, "fix": fix, "record": record, "keep": keep, "setup": setup, "done": done, "folder": folder,
    }  # fmt: skip
    analysis = cells.read(code, metric=objective.metric, namespace=namespace, **wishes)
    held = cells.held_out(code, confirm, analysis, namespace, **wishes) if confirm else None
    captures = cells.survey(analysis, namespace)
    seconds = earlier.state.run_seconds if earlier is not None and earlier.state.durations else None
    bought = buys(budget, workers, CONFIRMATION if share is None else share, seconds)
    answer = described(analysis, captures, objective)
    if held is not None:
        answer.parts += [Words(f"Careful: {each}") for each in held.warnings if each not in analysis.warnings]
        answer.parts.append(Words(_new_data(analysis, held)))
    answer.parts += [Words("What the budget buys", strong=True), Words(bought), Words("Nothing was started.")]
    answer.data["budget"] = bought
    return answer


def _new_data(analysis: Analysis, held: Analysis) -> str:
    """What supported findings will be measured on."""
    data = [name for name in held.names if name not in {*analysis.names, *held.imported}]
    return f"Supported findings will be measured once on {', '.join(data) or 'new data'}, which no other run sees."


def before(workspace: Workspace, name: str) -> Swarm | None:
    """An earlier swarm of this name, which knows how long a run takes; None where there is none."""
    names = [record.swarm for record in register.family(workspace, name)]
    return Swarm(names[-1], workspace) if names else None


def described(analysis: Analysis, captures: Sequence[Capture], objective: Objective) -> Answer:
    """Captures, knobs, swaps, inserts, blocks, lock, leaks, warnings and scope."""
    way = "maximize" if objective.maximize else "minimize"
    parts: list[Part] = [Words(analysis.question, strong=True)] if analysis.question else []
    parts += [Words(f"{way} {objective.metric}"), *_tables(analysis, captures)]
    parts += [Words(f"Careful: {warning}") for warning in analysis.warnings]
    parts.append(Words(SCOPES[analysis.scope]))
    return Answer(parts, data=_data(analysis, captures, objective))


def _tables(analysis: Analysis, captures: Sequence[Capture]) -> list[Part]:
    taken = [(each.name, each.describes, size(each.bytes) if each.kind != "import" else "") for each in captures]
    tables = [
        Table(
            ("leak", "what", "cure", "line"),
            [(each.kind, each.what, each.cure, each.line) for each in analysis.leaks],
            title="Careful: leaks in this cell",
        ),
        Table(("name", "what it is", "size"), taken, title="Taken from the notebook"),
        Table(
            ("knob", "value", "range", "range from", "line"),
            [(each.name, repr(each.value), span(each), each.origin or "value", each.line) for each in analysis.knobs],
            title="Knobs: values that may vary",
        ),
        Table(
            ("swap", "may become", "line"),
            [(each.name, _some(each.candidates), each.line) for each in analysis.swaps],
            title="Swaps: what may stand in its place",
        ),
        Table(
            ("insert", "may come there", "line"),
            [(each.name, _some(each.candidates), each.line) for each in analysis.inserts],
            title="Inserts: a further step",
        ),
        Table(
            ("block", "code", "line"),
            [(each.name, shortened(each.text), each.line) for each in analysis.blocks],
            title="Blocks: what may be left out",
        ),
        Table(
            ("locked", "why", "line"),
            [(shortened(each.text), each.why, each.line) for each in analysis.locked],
            title="Lock: what no agent may touch",
        ),
    ]
    parts: list[Part] = [table for table in tables if table.rows]
    if not (analysis.knobs or analysis.swaps or analysis.inserts or analysis.blocks):
        cure = "mark what may with #: free or #: low..high at the end of its line"
        parts.append(Words(f"Nothing in this cell may vary, so there is nothing to try: {cure}.", strong=True))
    return parts


def span(knob: Knob) -> str:
    """The values that a knob may take.

    >>> span(Knob(name="C", value=1.0, low=0.001, high=1000.0, log=True)), span(Knob(name="k", value=1, choices=(1, 2)))
    ('0.001 to 1000, log', '1 | 2')
    """
    if knob.choices:
        return " | ".join(each if isinstance(each, str) else repr(each) for each in knob.choices)
    kinds = [word for word, true in (("log", knob.log), ("whole numbers", knob.integer)) if true]
    return ", ".join([f"{number(knob.low)} to {number(knob.high)}", *kinds])


def _some(paths: Sequence[str]) -> str:
    names = [path.rpartition(":")[2] for path in paths]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def buys(budget: Budget, workers: int, share: float, seconds: float | None) -> str:
    """What a budget pays for, as far as it can be told before the baseline has run.

    Args:
        budget: of the swarm.
        workers: experiments at once.
        share: of the budget, for confirming.
        seconds: median of a run of an earlier swarm of this name; None where there was none.

    >>> buys(Budget(experiments=100), 2, 0.5, None)
    'At most 100 experiments. The first measure the cell as it is; 50 % of all are set aside for confirming...'
    >>> buys(Budget(experiments=20), 2, 0.5, None).partition(" That")[2]
    ' is too few for a verdict: it takes 23 at least.'
    """
    most = math.inf if budget.experiments is None else budget.experiments
    text = ""
    if budget.seconds is not None:
        rate = A_MINUTE / 60.0 if seconds is None else 1.0 / max(seconds, 60.0 / A_MINUTE)
        most = min(most, max(1, math.floor(budget.seconds * workers * rate)))
        text = f"{duration(budget.seconds)} with {plural(workers, 'worker')}. "
    known = ""
    if seconds is not None:
        known = f"; a run of the swarm before took {duration(seconds) if seconds >= 60 else f'{number(seconds, 2)} s'}"
    slower = "; fewer where a run takes long" if budget.seconds is not None and seconds is None else ""
    about = "About" if seconds is not None and budget.seconds is not None else "At most"
    return (
        f"{text}{about} {plural(int(most), 'experiment')}{known}{slower}. The first measure the cell as it is; "
        f"{100 * share:.0f} % of all are set aside for confirming."
        + (
            f" That is too few for a verdict: it takes {least()} at least."
            if most < least()
            else provable(most * share)
        )
    )


def _data(analysis: Analysis, captures: Sequence[Capture], objective: Objective) -> dict[str, Any]:
    return {
        "question": analysis.question,
        "metric": objective.metric,
        "maximize": objective.maximize,
        "captures": [{"name": each.name, "kind": each.kind, "is": each.describes, "bytes": each.bytes}
                     for each in captures],
        "knobs": [{"name": each.name, "value": each.value, "range": span(each), "from": each.origin, "line": each.line}
                  for each in analysis.knobs],
        "swaps": [{"name": each.name, "candidates": each.candidates, "line": each.line} for each in analysis.swaps],
        "inserts": [{"name": each.name, "candidates": each.candidates, "line": each.line} for each in analysis.inserts],
        "blocks": [{"name": each.name, "code": each.text, "line": each.line} for each in analysis.blocks],
        "locked": [{"code": each.text, "why": each.why, "line": each.line} for each in analysis.locked],
        "warnings": analysis.warnings,
        "leaks": [{"kind": each.kind, "line": each.line, "what": each.what, "cure": each.cure}
                  for each in analysis.leaks],
        "scope": analysis.scope,
    }  # fmt: skip
