"""In the notebook's kernel, beside the notebook: a cell is taken as `%%swarm` takes it, a value is told."""

from __future__ import annotations

import math
import traceback
from pathlib import Path
from typing import Any

import msgspec

from jupyter_swarm import cell
from jupyter_swarm.errors import SwarmError
from jupyter_swarm.jupyter.earlier import joined
from jupyter_swarm.words import Analysis, Context
from jupyter_swarm.workspace import Workspace


class Asked(msgspec.Struct):
    """Which cell is taken, in which notebook."""

    folder: str
    code: str
    metric: str
    setup: list[str]
    cells: list[int]
    again: list[int]


class Taken(msgspec.Struct, omit_defaults=True):
    """The cell and what it needs, or the class and the message of the error."""

    analysis: Analysis | None = None
    context: Context | None = None
    kind: str = ""
    said: str = ""


class Told(msgspec.Struct):
    """What the plain notebook computed; None where it is no finite number."""

    value: float | None


def take(request: str, answer: str) -> None:
    """Read and capture a cell in this kernel; the answer goes to a file.

    Args:
        request: path of an `Asked` as JSON.
        answer: path of the `Taken` that is written.
    """
    asked = msgspec.json.decode(Path(request).read_bytes(), type=Asked)
    try:
        told = msgspec.json.encode(_taken(asked))
    except SwarmError as error:
        told = msgspec.json.encode(Taken(kind=type(error).__name__, said=str(error)))
    except Exception as error:  # a fault of ours, which no cell may bring about
        said = f"{error} ({_place(error)})"
        told = msgspec.json.encode(Taken(kind=type(error).__name__, said=said))
    Path(answer).write_bytes(told)


def _place(error: BaseException) -> str:
    """The last line of ours that an error went through."""
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if "jupyter_swarm" in frame.filename]
    return f"{Path(lines[-1].filename).name}:{lines[-1].lineno}" if lines else "taking.py"


def _taken(asked: Asked) -> Taken:
    namespace, home, workspace = _namespace(), Path.cwd(), Workspace(asked.folder).create()
    code, setup, done = joined(asked.code, dict(enumerate(asked.setup, 1)), [asked.cells], [asked.again])
    analysis = cell.read(code, metric=asked.metric, namespace=namespace, setup=setup, done=done, folder=home)
    context = cell.capture(analysis, namespace, folder=home, captures=workspace.captures, setup=setup)
    return Taken(analysis, context)


def tell(metric: str, answer: str) -> None:
    """Write what a name is in the notebook, as `Told`.

    Raises:
        KeyError: the notebook has not assigned it.
    """
    value = float(_namespace()[metric])
    Path(answer).write_bytes(msgspec.json.encode(Told(value if math.isfinite(value) else None)))


def _namespace() -> dict[str, Any]:
    from IPython import get_ipython

    return get_ipython().user_ns  # type: ignore[no-any-return,no-untyped-call,union-attr]
