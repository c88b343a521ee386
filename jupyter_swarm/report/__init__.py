"""The report: a notebook beside the person's own, with the answer first and each number linked to its runs.

from jupyter_swarm import Workspace, report

path = report.write(Workspace("notebooks"), "wine")        # notebooks/wine-report.ipynb

answer.py, phrases.py, course.py    words and curves that the view shows too
markdown.py                         text that stays text; links to the notebooks of runs
tables.py                           answer, best cell, findings, evidence, ablation
choosing.py                         two objectives: between what one has to choose
learning.py                         curves of the runs
leaking.py                          leaks in the person's own cell
tried.py, sources.py                what was tried and failed; what the literature says
records.py, setting.py              predictions and agents; environment, seeds, plans, log
drawing.py, plots.py                the plots, drawn by the very cells that stand in the notebook
writing.py                          the notebook and its file
"""

from __future__ import annotations

from pathlib import Path

from jupyter_swarm.workspace import Workspace

__all__ = ["write"]


def write(workspace: Workspace, name: str) -> Path:
    """Write the report of a swarm as things stand now: `<name>-report.ipynb` in the workspace's folder.

    It may be called from any thread, while the swarm runs or after. A report that a person has changed is never
    overwritten: the new one is called `<name>-report-2.ipynb`.

    Raises:
        UsageError: the workspace knows no such swarm.
        WorkspaceError: the folder is read-only, or the disk is full; nothing was changed.
    """
    from jupyter_swarm.report import writing

    return writing.write(workspace, name)
