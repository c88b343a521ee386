"""An experiment as a notebook, and the result read back from it.

The notebook stands on its own: `papermill in.ipynb out.ipynb` runs it again from any folder, without jupyter-swarm,
as long as the capture file is where it was.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from jupyter_swarm.cell import typed
from jupyter_swarm.experiments import cells
from jupyter_swarm.words import Citation, Context, Experiment, Reason
from jupyter_swarm.workspace import Workspace

RESULT = "application/vnd.jupyter-swarm.result+json"
METADATA = "jupyter_swarm"
_ESCAPES = re.compile(r"(?:\x1b\[|\x9b)[0-9;?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-_]?")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters (but tabs and ends of lines), and those that turn the direction of writing."""
OWN, SHOWN = 3, 4
"""Places of the experiment's own cell and of the one that shows its result."""


class Result(NamedTuple):
    """What the result cell displayed: a value, or a reason why there is none."""

    value: float | None
    reason: Reason | None
    message: str
    values: dict[str, float] = {}
    """Of other names that are recorded."""


def build(
    experiment: Experiment,
    code: str,
    parameters: Mapping[str, object],
    context: Context,
    workspace: Workspace,
    record: Sequence[str] = (),
) -> dict[str, Any]:
    """The notebook of an experiment, as JSON has it: what for, parameters, inputs, code, result.

    Args:
        experiment: what is run.
        code: its code with the parameters lifted out (`cell.lift`); it stands there as typed in IPython.
        parameters: name → literal, "seed" among them.
        context: imports and captures.
        workspace: where the captures lie.
        record: names whose values are recorded besides the metric.
    """
    values = {**parameters, "seed": experiment.seed}
    assignments = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    about = {
        "experiment": experiment.id,
        **{name: getattr(experiment, name) for name in ("seed", "metric", "purpose", "hypothesis", "agent", "title")},
        "context": experiment.context,
        "python": context.python_version,
        "versions": dict(context.versions),
    }
    return {
        "cells": [
            {"cell_type": "markdown", "id": "swarm-heading", "metadata": {}, "source": _heading(experiment)},
            _code("parameters", assignments),
            _code("inputs", cells.inputs(context, workspace.captures, set(values), code)),
            _code("experiment", typed(code, timing=False)),
            _code("result", cells.result(experiment.metric, RESULT, record)),
        ],
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"},
            "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
            METADATA: about,
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def result(payloads: Sequence[object], metric: str) -> Result:
    """The result of an experiment from what its result cell displayed.

    >>> result([{"metric": "loss", "value": 0.5, "type": "float"}], "loss").value
    0.5
    """
    only = payloads[0] if len(payloads) == 1 else None
    if not isinstance(only, dict) or only.get("metric") != metric:
        return Result(None, "missing", f"{metric}: the result cell showed {len(payloads)} results where one belongs")
    value, kind = only.get("value"), str(only.get("type"))
    if isinstance(value, float):
        found = only.get("values")
        known = found.items() if isinstance(found, dict) else ()
        return Result(value, None, "", {str(n): float(v) for n, v in known if isinstance(v, (int, float))})
    if only.get("reason") == "nonfinite":
        return Result(None, "nonfinite", f"{metric} is {only.get('shown')}, which is no finite number ({kind})")
    said = "was never assigned" if kind == "missing" else f"is no real number but of type {kind}"
    return Result(None, "missing", f"{metric} {said}")


def plain(text: str) -> str:
    r"""Text without terminal colours, and without any other character that does something to who shows it.

    >>> plain("\x1b[31mred\x1b[0m \x1b]0;title\x07\u202e\x9b5m")
    'red '
    """
    return _UNSEEN.sub("", _ESCAPES.sub("", text))


def inline(text: str) -> str:
    """Text that Markdown, HTML and MathJax all leave as it is, on one line.

    >>> inline("<b>*a*</b>")
    '&#60;b&#62;&#42;a&#42;&#60;&#47;b&#62;'
    """
    # As mathematics is looked for in the finished page, its delimiters are taken apart, not only escaped.
    apart = " ".join(text.split()).replace("\\", "\\\u2060").replace("$", "\uff04")
    return re.sub(r"[!-,./:-@\[-`{-~]", lambda found: f"&#{ord(found[0])};", apart)


def literal(text: str) -> str:
    """Text as a fenced block: shown word for word, and nothing in it is active.

    >>> print(literal("a ``` b"))
    ````text
    a ``` b
    ````
    """
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    lines = re.sub(r"[^\S\n]|[\x00-\x08\x0b-\x1f]", " ", text.replace("\r", "\n"))
    return f"{fence}text\n{lines}\n{fence}"


def _heading(experiment: Experiment) -> str:
    rows = {
        "Purpose": f"{experiment.purpose}, seed {experiment.seed}",
        "Hypothesis": inline(experiment.hypothesis),
        "Agent": inline(experiment.agent),
        "Metric": inline(experiment.metric),
        "Experiment": experiment.id,
    }
    parts = [f"# {inline(experiment.title) or 'Experiment ' + experiment.id}"]
    parts.append("\n".join(f"- {name}: {value}" for name, value in rows.items() if value))
    return "\n\n".join(parts + [_citation(citation) for citation in experiment.citations])


def _citation(citation: Citation) -> str:
    where = ", ".join(inline(part) for part in (citation.title or citation.paper, citation.place) if part)
    return f"{html.escape(citation.kind.capitalize())}: {where}\n\n{literal(citation.quote)}"


def _code(tag: str, source: str) -> dict[str, Any]:
    metadata: dict[str, object] = {"tags": [tag]}
    if tag in ("inputs", "result"):  # folded: what a reader wants is between them
        metadata["jupyter"] = {"source_hidden": True}
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"swarm-{tag}",
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }
