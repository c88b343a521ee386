"""A run's record: its notebook without outputs, and the frames that it told. The executed notebook is made of them
when somebody wants it; what decides about the run is read from the frames without making one.

Metadata are those that papermill writes, and nothing here needs nbformat but `assemble`, which is given its nodes.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from jupyter_swarm.experiments.notebook import RESULT, plain
from jupyter_swarm.experiments.records.frames import Frames
from jupyter_swarm.experiments.records.transcript import Node, Told, Transcript

_PAPERMILL: Mapping[str, Node] = {"default_parameters": {}, "environment_variables": {}, "parameters": {}}


class Record(NamedTuple):
    """What the journal keeps of a run."""

    notebook: bytes
    """JSON, without outputs."""
    frames: bytes
    died: str = ""
    """Why its process ended before it was done; "" where it was done."""
    at: float = 0.0
    """When it was recorded (Unix time)."""


class Gist(NamedTuple):
    """What a run came to, read from its frames."""

    payloads: list[Any]
    """What the result cell showed as `notebook.RESULT`."""
    error: tuple[str, str] | None
    """Message and traceback of the first error among the outputs; None where there is none."""
    seconds: float | None
    """How long the experiment's own cell took; None where it did not end."""
    done: bytes
    """The last line; b"" where it never came."""


def gist(frames: Frames, *, result: int, own: int, code: Collection[int] | None = None) -> Gist:
    """What decides about a run, in one pass, without making a notebook.

    Args:
        frames: as they came.
        result: index of the result cell.
        own: index of the experiment's own cell.
        code: indices of the code cells; any where not given.
    """
    told = Transcript(frames, code, only=(result,))
    return Gist(_payloads(told, result, RESULT), _first_error(told), _seconds(told, own), told.done)


def shown(frames: Frames, cell: int, mime: str = RESULT) -> list[Any]:
    """What a cell shows in the end as data of this type."""
    return _payloads(Transcript(frames, only=(cell,)), cell, mime)


def failure(frames: Frames) -> tuple[str, str] | None:
    """Message and traceback of the first error among the outputs; None where there is none."""
    return _first_error(Transcript(frames, only=()))


def seconds(frames: Frames, cell: int) -> float | None:
    """How long a cell took; None where it did not end."""
    return _seconds(Transcript(frames, only=()), cell)


def _payloads(told: Transcript, cell: int, mime: str) -> list[Any]:
    outputs = told.cells[cell].outputs if cell in told.cells else []
    return [output["data"][mime] for output in outputs if mime in output.get("data", ())]


def _seconds(told: Transcript, cell: int) -> float | None:
    found = told.cells.get(cell)
    return max(0.0, found.end - found.begin) if found is not None and found.end is not None else None


def _first_error(told: Transcript) -> tuple[str, str] | None:
    for _, cell in sorted(told.cells.items()):
        for output in cell.outputs:
            if output["output_type"] == "error":
                lines = [line for line in plain(output["evalue"]).splitlines() if line.strip()]
                name = " ".join(plain(output["ename"]).split())
                message = f"{name}: {lines[0].strip()}" if lines else name
                return message[:1000], plain("\n".join(output["traceback"]))[-20_000:]
    return None


def assemble(notebook: Any, frames: Frames, *, died: str = "", ended: float | None = None) -> Any:
    """The executed notebook as nbformat's nodes; the one given stays as it is.

    Args:
        notebook: a `NotebookNode`, without outputs or with old ones.
        frames: as they came.
        died: why the process ended before it was done.
        ended: when that was seen (Unix time).
    """
    from nbformat import from_dict

    return from_dict(fill(copy.deepcopy(notebook), frames, died=died, ended=ended))


def written(record: Record) -> bytes:
    """The executed notebook as a file: sources in lines, so that versions of it can be compared.

    Raises:
        msgspec.DecodeError: the notebook is none.
    """
    made = fill(msgspec.json.decode(record.notebook), record.frames, died=record.died, ended=record.at or None)
    for cell in made["cells"]:
        cell["source"] = _text(cell["source"]).splitlines(keepends=True)
    return msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n"


def fill(notebook: Any, frames: Frames, *, died: str = "", ended: float | None = None) -> Any:
    """Put outputs, execution counts and papermill's metadata into a notebook, and return it. As `assemble`, in place.

    A process that died leaves a `DeadKernelError` in the cell that was running, or would have been next.
    """
    cells: Sequence[Any] = notebook["cells"]
    code = [index for index, cell in enumerate(cells) if cell["cell_type"] == "code"]
    told = Transcript(frames, code)
    if died and code:
        _die(told, cells, code, died, ended)
    clock, going = min((each.begin for each in told.cells.values()), default=None), bool(told.cells)
    for index, cell in enumerate(cells):
        cell["metadata"].setdefault("tags", [])
        found = told.cells.get(index)
        if cell["cell_type"] == "code":
            cell["outputs"] = found.outputs if found else []
            cell["execution_count"] = found.count if found else None
        skipped = found is None and going and (cell["cell_type"] != "code" or not _text(cell["source"]).strip())
        going = skipped or (found is not None and found.end is not None and not _failed(found, cell))
        if found is not None:
            clock = found.end if found.end is not None else found.begin
        cell["metadata"]["papermill"] = _noted(found, cell) if not skipped else _timed(clock, clock, "completed")
    if told.malformed and code:
        cells[next(reversed(told.cells), code[0])]["outputs"].append(_left_out(told.malformed))
    _whole(notebook, told, ended if died else None)
    return notebook


def _left_out(count: int) -> Node:
    said = "1 malformed message was" if count == 1 else f"{count:,} malformed messages were"
    return {"output_type": "stream", "name": "stderr", "text": f"\n[{said} left out]\n"}


def _die(told: Transcript, cells: Sequence[Any], code: Sequence[int], why: str, ended: float | None) -> None:
    """An error output where it happened."""
    running = [index for index, each in told.cells.items() if each.end is None]
    after = max(told.cells, default=-1)
    waiting = [index for index in code if index > after and _text(cells[index]["source"]).strip()]
    where = running[-1] if running else waiting[0] if waiting else code[-1]
    last = max((each.end or each.begin for each in told.cells.values()), default=ended or 0.0)
    found = told.cells.setdefault(where, Told(ended or last))
    found.end, found.ok = max(found.begin, ended or last), False
    line = f"DeadKernelError: {why}"
    found.outputs.append({"output_type": "error", "ename": "DeadKernelError", "evalue": why, "traceback": [line]})


def _failed(found: Told, cell: Any) -> bool:
    return not found.ok and "raises-exception" not in cell["metadata"]["tags"]


def _noted(found: Told | None, cell: Any) -> Node:
    """papermill's metadata of a cell."""
    if found is None:
        return {**_timed(None, None, "pending"), "exception": None}
    if found.end is None:
        return _timed(found.begin, None, "running")
    failed = _failed(found, cell)
    return {**_timed(found.begin, found.end, "failed" if failed else "completed"), "exception": failed}


def _timed(begin: float | None, end: float | None, status: str) -> Node:
    took = max(0.0, end - begin) if begin is not None and end is not None else None
    return {
        "duration": None if took is None else round(took, 6),
        "end_time": _moment(end),
        "exception": False,
        "start_time": _moment(begin),
        "status": status,
    }


def _whole(notebook: Any, told: Transcript, ended: float | None) -> None:
    """papermill's metadata of the notebook."""
    begin = min((each.begin for each in told.cells.values()), default=ended)
    ends = [each.end for each in told.cells.values() if each.end is not None]
    end = max(ends, default=ended)
    kept: Mapping[str, Any] = notebook["metadata"].get("papermill", {})
    failed = any(cell["metadata"]["papermill"]["exception"] for cell in notebook["cells"])
    times = _timed(begin, end, "")
    del times["status"]
    notebook["metadata"]["papermill"] = {**_PAPERMILL, **kept, **times, "exception": failed or None}


def _moment(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()


def _text(source: Any) -> str:
    return source if isinstance(source, str) else "".join(source)
