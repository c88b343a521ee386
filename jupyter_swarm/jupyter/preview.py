"""What `%%swarm` would find in a cell, for a front end that asks the notebook's kernel before anything is started.

A silent execution with a user expression brings it back, so that neither history nor variables of the notebook change:

    __import__("jupyter_swarm.jupyter.preview", fromlist=["preview"]).preview("%%swarm --maximize f1", "f1 = …")
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from jupyter_swarm.errors import SwarmError, UsageError

_MAGIC = re.compile(r"\s*%%swarm\b[ \t]*")


class Preview(str):
    """JSON text, which a front end gets as `application/json`."""

    __slots__ = ()

    def _repr_json_(self) -> Any:
        return msgspec.json.decode(self.encode())


def preview(line: str, cell: str) -> Preview:
    """What was found in a cell and what the budget buys; nothing is started, nothing is written.

    Args:
        line: the magic's line, with or without its `%%swarm`.
        cell: what stands below it.

    Returns:
        JSON: the data of `%%swarm --plan` (captures, knobs, swaps, inserts, blocks, locked, leaks, warnings, scope,
        budget), and `folder`, where the swarm would be kept. If the cell or the line cannot be used,
        `{"problem": {"message", "where", "cure", "reason"}}`.

    >>> preview("%%swarm --maximize f1", "f1 = 1.0")  # where no notebook is
    '{"problem":{"message":"there is no notebook here",...,"reason":"UsageError"}}'
    """
    try:
        found: Mapping[str, Any] = _planned(_MAGIC.sub("", line, count=1), cell)
    except SwarmError as error:
        found = _problem(error, error.what, where=error.where, cure=error.cure)
    except Exception as error:
        cure = "see what %%swarm --plan says in the notebook"
        found = _problem(error, f"{type(error).__name__}: {error}", where="the preview", cure=cure)
    return Preview(msgspec.json.encode(found, enc_hook=str).decode())


def _problem(error: Exception, what: str, *, where: str, cure: str) -> dict[str, Any]:
    return {"problem": {"message": what, "where": where, "cure": cure, "reason": type(error).__name__}}


def _planned(line: str, cell: str) -> dict[str, Any]:
    """The plan's data; what the way there prints (as an import does) is nobody's output.

    Raises:
        SwarmError: the cell or an option cannot be used.
    """
    from jupyter_swarm.jupyter import needs, verbs
    from jupyter_swarm.jupyter.options import split
    from jupyter_swarm.jupyter.swarming import begin
    from jupyter_swarm.workspace import Workspace

    needs.check("notebook")
    namespace, earlier = _notebook()
    options = verbs.read(verbs.CELL, split(line, namespace), "notebook")
    options.plan = True
    workspace, folder = Workspace(), Path.cwd()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        answer = begin(cell, options, namespace, workspace=workspace, folder=folder, earlier=earlier)
    return {**answer.data, "folder": str(workspace.folder)}


def _notebook() -> tuple[dict[str, Any], dict[int, str]]:
    """The notebook's variables (the same dictionary, which nothing here writes to), and its cells by number.

    Raises:
        UsageError: this process is no notebook's kernel.
    """
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise UsageError("there is no notebook here", cure="ask the kernel of one")
    return shell.user_ns, dict(enumerate(shell.history_manager.input_hist_raw))
