"""The report as a notebook, and its file: written whole or not at all, and never over a person's own words.

The notebook is written as plain JSON (format 4.5): importing nbformat takes seconds where JupyterLab is installed, and
a report may be written in a person's kernel.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import secrets
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_swarm import register
from jupyter_swarm.errors import WorkspaceError
from jupyter_swarm.events import Record
from jupyter_swarm.report import (
    choosing,
    leaking,
    learning,
    models,
    plots,
    prose,
    records,
    setting,
    sources,
    tables,
    tried,
)
from jupyter_swarm.report.markdown import Links
from jupyter_swarm.report.plots import Plot
from jupyter_swarm.state import SwarmState
from jupyter_swarm.workspace import Workspace

METADATA = "jupyter_swarm"
_BATCH = 5000

Part = tuple[str, str | Plot]
"""The id of a cell, and its Markdown or its plot."""


def write(workspace: Workspace, name: str) -> Path:
    """Write the report of a swarm beside its notebooks, as things stand now; the path of `<name>-report.ipynb`.

    A report that nobody has changed is replaced. One that a person has changed, or a file that is none of ours, is left
    as it is: the new one then is `<name>-report-2.ipynb`, and so on.

    Raises:
        UsageError: the workspace knows no such swarm.
        WorkspaceError: the folder is read-only, or the disk is full; nothing was changed.
    """
    if register.request(workspace, name) is None:
        raise register.unknown(workspace, name)
    log = list(_read(workspace, name))
    state = SwarmState.of(log, name)
    links = Links(workspace.root, workspace.folder)
    checked = sources.check(workspace, sources.cited(state).values())
    notebook = assemble(compose(state, log, links, checked), name, state.last, _drawing(workspace))
    target = _free(workspace.folder, name)
    _replace(target, encoded(notebook))
    return target


def _drawing(workspace: Workspace) -> str:
    """The interpreter that draws: this one where it has Matplotlib, else that of the workspace's runners."""
    own = importlib.util.find_spec("matplotlib") is not None
    return sys.executable if own else workspace.chosen or sys.executable


def _read(workspace: Workspace, name: str) -> Iterator[Record]:
    after = 0
    while found := workspace.store.read(after, swarm=name, limit=_BATCH):
        yield from found
        after = found[-1].number


# ---------------------------------------------------------------- what stands in it


def compose(
    state: SwarmState, log: Sequence[Record], links: Links, checked: dict[sources.Key, bool] | str
) -> list[Part]:
    """The report's parts, the answer first; those that have nothing to say are left out."""
    ablations, ablated = tables.ablations(state)
    course, curves = plots.over_time(state), learning.learning(state)
    broken = state.baseline_error is not None and not state.baseline_values()
    parts: list[tuple[str, str | Plot | None]] = [
        ("answer", tables.head(state)),
        ("prose", prose.prose(state)),
        ("leaks", leaking.leaks(state)),
        ("best", "" if broken else tables.best(state, links)),
        ("baseline", tables.baseline(state, links) if broken else ""),
        ("findings", tables.findings(state)),
        ("plot-effects", plots.effects(state)),
        ("equivalents", tables.equivalents(state)),
        ("choices", choosing.choices(state)),
        ("plot-choices", choosing.picture(state)),
        ("ablation", ablations),
        ("plot-ablation", plots.shares(state, ablated)),
        ("course", "## The score over time" if course else ""),
        ("plot-course", course),
        ("curves", "## Curves" if curves else ""),
        ("plot-curves", curves),
        ("tried", tried.tried(state, links)),
        ("asked", tried.asked(state, links)),
        ("sources", sources.sources(state, checked)),
        ("baseline", "" if broken else tables.baseline(state, links)),
        ("evidence", tables.evidence(state, links)),
        ("predictions", records.predictions(state)),
        ("agents", records.team(state)),
        ("models", models.models(state)),
        ("setting", setting.setting(state, log)),
        ("timeline", setting.timeline(log)),
        ("about", _about(state, links)),
    ]
    return [(name, part) for name, part in parts if part]


def _about(state: SwarmState, links: Links) -> str:
    text = (
        f"---\n\nWritten by jupyter-swarm from the workspace's ledger as of its record {state.last}. All "
        "numbers were computed from the runs; those of runs lead to the notebooks that made them."
    )
    if links.gone:
        text += f" {phrase(links.gone)} no notebook any more (freed by *clean*), so that they lead nowhere."
    return text


def phrase(gone: int) -> str:
    """How many runs have lost their notebook.

    >>> phrase(1), phrase(3)
    ('1 of the runs has', '3 of the runs have')
    """
    return f"{gone:,} of the runs {'has' if gone == 1 else 'have'}"


def assemble(parts: Sequence[Part], name: str, through: int, python: str) -> dict[str, Any]:
    """The notebook of these parts, its plots drawn by an interpreter that has Matplotlib."""
    drawn = plots.render([part for _, part in parts if isinstance(part, Plot)], python)
    pictures = iter(drawn if isinstance(drawn, list) else [])
    cells = []
    for identity, part in parts:
        if isinstance(part, Plot):
            cells.append(_picture(part, next(pictures, None), drawn if isinstance(drawn, str) else ""))
            cells.append(_markdown(part.caption, f"{identity}-caption"))
        else:
            cells.append(_markdown(part, identity))
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"},
        "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
        "title": f"{name}: report",
        METADATA: {"report": name, "through": through, "hash": fingerprint(cells)},
    }
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _markdown(text: str, identity: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": identity, "metadata": {}, "source": text}


def _picture(plot: Plot, shown: dict[str, Any] | None, problem: str) -> dict[str, Any]:
    if shown is None:
        words = f"{plot.alt}\n\nThe picture could not be drawn when the report was written ({problem}): run this cell."
        shown = {"data": {"text/plain": words}, "metadata": {}}
    return {
        "cell_type": "code",
        "id": plot.name,
        # JupyterLab folds by the first; nbconvert, which knows no folding, leaves the source out by the second.
        "metadata": {"jupyter": {"source_hidden": True}, "transient": {"remove_source": True}, "tags": ["plot"]},
        "execution_count": None,
        "outputs": [{"output_type": "display_data", **shown}],
        "source": plot.source,
    }


def encoded(notebook: dict[str, Any]) -> bytes:
    """The notebook as Jupyter writes it: texts in lines, so that versions of it can be compared."""

    def lines(cell: dict[str, Any]) -> dict[str, Any]:
        return {**cell, "source": cell["source"].splitlines(keepends=True)}

    whole = {**notebook, "cells": [lines(cell) for cell in notebook["cells"]]}
    return (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace")


# ---------------------------------------------------------------- its file


def fingerprint(cells: Sequence[dict[str, Any]]) -> str:
    """A hash of what a person may write in a notebook: kinds and sources of its cells. Running it changes nothing.

    >>> one, two = ([{"cell_type": "raw", "source": source}] for source in ("a b", ["a ", "b"]))
    >>> fingerprint(one) == fingerprint(two)
    True
    """
    text = json.dumps([[cell["cell_type"], "".join(cell["source"])] for cell in cells])
    return hashlib.sha256(text.encode()).hexdigest()


def _free(folder: Path, name: str) -> Path:
    """The first of `<name>-report.ipynb`, `<name>-report-2.ipynb` … that is not there, or is as we wrote it."""
    number = 1
    while True:
        path = folder / (f"{name}-report.ipynb" if number == 1 else f"{name}-report-{number}.ipynb")
        if not os.path.lexists(path) or _untouched(path, name):
            return path
        number += 1


def _untouched(path: Path, name: str) -> bool:
    """Whether the file is a report of this swarm that nobody has changed."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        found = json.loads(path.read_bytes())
        ours = found["metadata"][METADATA]
        return bool(ours["report"] == name and ours["hash"] == fingerprint(found["cells"]))
    except (OSError, ValueError, LookupError, TypeError):  # what cannot be read as ours is somebody else's
        return False


def _replace(target: Path, body: bytes) -> None:
    temporary = target.with_name(f".{target.name}-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        try:
            mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WorkspaceError(
            f"the report {target} could not be written: {error.strerror or error}",
            cure="make room, or make the folder writable",
        ) from None
