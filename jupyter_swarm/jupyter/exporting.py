"""`export`: executed notebooks of runs as files beside the person's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jupyter_swarm.api import Swarm
from jupyter_swarm.errors import UsageError, WorkspaceError
from jupyter_swarm.experiments.records import executed
from jupyter_swarm.jupyter.actions import beside, the
from jupyter_swarm.jupyter.pages import Answer, Link, Words
from jupyter_swarm.jupyter.verbs import Asked
from jupyter_swarm.outcome import needed_runs
from jupyter_swarm.report.phrases import plural
from jupyter_swarm.state import Row, SwarmState

LISTED = 12
"""Files that are named one by one."""


def export(asked: Asked) -> Answer:
    """Write executed notebooks into a folder: those asked for, those that something rests on, or all.

    Raises:
        UsageError: two choices at once, a run that did not happen or has no notebook, or nothing to write.
        WorkspaceError: the folder cannot be written.
    """
    swarm, options = the(asked), asked.options
    state = swarm.state
    if sum(map(bool, (options.run, options.needed, options.all))) > 1:
        raise UsageError("only one of --run, --needed and --all can be meant", cure=f"{asked.command} help export")
    rows = [row for row in state.rows.values() if row.run is not None]
    if options.run:
        rows = [swarm.row(number) for each in options.run for number in each]
    elif not options.all:
        needed = set(needed_runs(state))
        rows = [row for row in rows if row.run is not None and row.run.notebook in needed]
    if not rows:
        raise UsageError(f"{swarm.name} has no such run yet", cure=f"{asked.command} status {swarm.name}")
    folder = Path(options.to).expanduser() if options.to else asked.workspace.folder / f"{swarm.name}-runs"
    return _answer(swarm, folder.absolute(), _export(swarm, folder.absolute(), rows, state), bool(options.run))


def _export(swarm: Swarm, folder: Path, rows: Sequence[Row], state: SwarmState) -> dict[int, Path | None]:
    """Where each notebook is now; None where a run has none any more."""
    if folder.exists() and not folder.is_dir():
        raise WorkspaceError(f"{folder} is no folder", cure="name another with --to FOLDER")
    digits = max(4, len(str(max(state.rows))))
    found: dict[int, Path | None] = {}
    for row in rows:
        assert row.run is not None
        content = executed.body(swarm.workspace.root, row.run.notebook) if row.run.notebook else None
        wanted = folder / f"run-{row.number:0{digits}d}.ipynb"
        found[row.number] = beside(content, wanted) if content is not None else None
    return found


def _answer(swarm: Swarm, folder: Path, found: dict[int, Path | None], named: bool) -> Answer:
    files = [path for path in found.values() if path is not None]
    without = [number for number, path in found.items() if path is None]
    if named and without:
        raise swarm.without_notebook(swarm.row(without[0]))
    text = f"{plural(len(files), 'executed notebook')} of {swarm.name} in {folder}"
    if len(files) > LISTED:
        text += f": {files[0].name} to {files[-1].name}"
    text += f". {plural(len(without), 'run')} left no notebook, or it was freed by clean." if without else "."
    links = [Link(path) for path in files] if len(files) <= LISTED else []
    data = {
        "name": swarm.name,
        "folder": str(folder),
        "notebooks": {str(number): str(path) for number, path in found.items() if path is not None},
        "without": without,
    }
    return Answer([Words(text), *links], data=data)
