"""Log files as `Series`: CSV and TSV, JSON (lines), and plain lines as programs print them; with the traceback that a
log may end in.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from jupyter_swarm.diagnosis import names, objects
from jupyter_swarm.diagnosis.series import Logged, Series, gathered
from jupyter_swarm.errors import UsageError

LARGEST = 64 * 2**20
"""Bytes of a log file that are read."""
FORMS = "CSV or TSV with a heading, JSON lines, or lines such as `epoch 3 loss=0.42`"

_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf(?:inity)?)\b"
_PAIR = re.compile(
    rf"(?<![\w.])(?P<name>[A-Za-z][\w./@-]*(?:[ ](?:loss|acc|accuracy|norm|rate|error|score))?)"
    rf"[\"']?\s*(?:[=:]\s*|\s)\[?(?:tensor\()?(?P<value>{_NUMBER})(?P<after>%?)(?![\w:]|\.\d)",
    re.IGNORECASE,
)
_OF = re.compile(
    r"\b(epoch|step|iter|iteration|batch)\b\s*[:=]?\s*\[?(\d+(?:\.\d+)?)(?:\s*/\s*\d+)?\]?(?:[:,|](?=\s)|(?=\s|$))",
    re.IGNORECASE,
)
"""A step or an epoch, perhaps of so many."""
_IS = re.compile(r"\s+is\s+", re.IGNORECASE)
_RANK = re.compile(r"\[?\b(?:local_rank|rank|default|worker|process)[ =:_]{0,2}(\d+)\]?:?", re.IGNORECASE)
_BAR = re.compile(r"\|\s*(\d+)/(\d+)\s*\[")
_PERCENT = re.compile(r"\d+(?:\.\d+)?%\|[^|]*\|")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TRACEBACK = re.compile(r"^\s*(?:\[?\w*\d*\]?:?\s*)?Traceback \(most recent call last\)", re.IGNORECASE)


class LogFile(NamedTuple):
    """What a log file tells."""

    series: Series | None
    """None where it logs no number, but ends in a traceback."""
    traceback: str = ""


def read(path: Path) -> LogFile:
    """Read a log file.

    Raises:
        UsageError: there is none, it is no text, too large, or holds neither a number that was logged nor a traceback.
    """
    text = _text(path)
    form = path.suffix.lower()
    if form in (".csv", ".tsv") or _looks_tabular(text):
        return LogFile(objects.of(_columns(text, path), path.name))
    if form in (".json", ".jsonl", ".ndjson") or text.lstrip()[:1] in ("{",):
        found = _json(text, path)
        if found is not None:
            return found
    return _lines(text, path)


def _text(path: Path) -> str:
    if not path.is_file():
        raise UsageError(f"there is no file {path.name}", where=str(path), cure="the path of a log file")
    if path.name.startswith("events.out.tfevents"):
        raise UsageError(
            "TensorBoard's own files are not read", where=str(path), cure="the CSV or JSON that it offers for download"
        )
    if path.stat().st_size > LARGEST:
        raise UsageError(
            f"the log is larger than {LARGEST // 2**20} MiB", where=str(path), cure="a part of it, or every tenth line"
        )
    content = path.read_bytes()
    if b"\0" in content[:65536]:
        raise UsageError("it is no text", where=str(path), cure=FORMS)
    return content.decode("utf-8-sig", "replace")


# ---------------------------------------------------------------- tables and JSON


def _looks_tabular(text: str) -> bool:
    """Whether it begins with a heading and a row of numbers, separated by tabs, commas or semicolons."""
    lines = [line for line in text[:20_000].splitlines() if line.strip()][:3]
    if len(lines) < 2:
        return False
    mark = _separator(lines[0])
    head, row = lines[0].split(mark), lines[1].split(mark)
    filled = [each for each in row if each.strip()]
    named = all(re.fullmatch(r"\s*\"?[A-Za-z_][^=:]*", each) for each in head)
    numeric = all(objects.number(each.strip()) is not None for each in filled)
    return len(head) > 1 and len(head) == len(row) and named and numeric and bool(filled)


def _separator(line: str) -> str:
    return max("\t,;", key=line.count)


def _columns(text: str, path: Path) -> Any:
    """The columns of a table, as an object that `objects` reads as a frame."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) < 2:
        raise UsageError("the table has no rows", where=str(path), cure="a heading, and a row for each step")
    table = list(csv.reader(lines, delimiter=_separator(lines[0])))
    head = [each.strip() for each in table[0]]
    for place, row in enumerate(table[1:], start=2):
        if len(row) > len(head):
            raise UsageError(
                f"row {place} has {len(row)} cells, the heading {len(head)}", where=str(path), cure="one cell a column"
            )
    padded = [[*row, *[""] * (len(head) - len(row))] for row in table[1:]]
    return _Columns(head, padded)


class _Columns:
    """A table with the two things that make a frame."""

    def __init__(self, head: list[str], table: list[list[str]]) -> None:
        self.columns = head
        self._table = table

    def __getitem__(self, name: str) -> list[float | str | None]:
        place = self.columns.index(name)
        return [row[place].strip() or "nan" for row in self._table]


def _json(text: str, path: Path) -> LogFile | None:
    """JSON, or JSON lines among which others may stand; None where hardly a line is JSON."""
    try:
        return LogFile(objects.of(json.loads(text), path.name))
    except ValueError:
        pass
    found, failed, others = [], 0, []
    for line in text.splitlines():
        try:
            item = json.loads(line)
        except ValueError:
            failed += bool(line.strip())
            others.append(line)
            continue
        if isinstance(item, dict):
            found.append(item)
    if not found or failed > len(found):
        return None
    series = gathered(objects.rows(found))
    return LogFile(series if series.curves else None, _traceback(others))


# ---------------------------------------------------------------- plain lines


def _lines(text: str, path: Path) -> LogFile:
    lines = _ANSI.sub("", text).splitlines()
    traceback = _traceback(lines)
    logged = [each for each in _logged(lines) if names.read(each.name).role not in ("clock", "other")]
    if not logged and not traceback:
        raise UsageError("no line logs a loss, a score, a rate or a norm", where=str(path), cure=FORMS)
    return LogFile(gathered(logged) if logged else None, traceback)


def _traceback(lines: list[str]) -> str:
    """The last traceback, with what follows it."""
    starts = [place for place, line in enumerate(lines) if _TRACEBACK.match(line)]
    return "\n".join(lines[starts[-1] : starts[-1] + 400]) if starts else ""


def _logged(lines: Iterable[str]) -> Iterator[Logged]:
    """The numbers of all lines; an epoch that stands on a line of its own holds for those that follow it."""
    era: dict[int | None, float] = {}
    for line in lines:
        found = _one(line)
        if found.epoch is not None:
            era[found.rank] = found.epoch
        epoch = era.get(found.rank)
        step = found.step if found.step is not None else found.epoch
        for name, value in found.values:
            yield Logged(name, step if step is not None else epoch, value, found.rank, epoch)


class _Line(NamedTuple):
    step: float | None
    epoch: float | None
    rank: int | None
    values: list[tuple[str, float]]


def _one(line: str) -> _Line:
    """What one line says. `12/100 [` of a progress bar is a step.

    >>> _one("[rank 2] step 100 loss 0.3 lr: 1e-3")
    _Line(step=100.0, epoch=None, rank=2, values=[('loss', 0.3), ('lr', 0.001)])
    >>> _one("Epoch 3:  12%|#2   | 12/100 [00:03<00:22, 3.9it/s, loss=0.42]")
    _Line(step=12.0, epoch=3.0, rank=None, values=[('loss', 0.42)])
    """
    rank = _RANK.search(line)
    bar = _BAR.search(line)
    rest = _PERCENT.sub(" |", line)
    rest = _RANK.sub(" ", rest, count=1) if rank else rest
    step = float(bar[1]) if bar else None
    epoch: float | None = None
    values = []
    for match in _PAIR.finditer(_IS.sub("=", _OF.sub(r"\1 \2 ", rest))):
        name, value = match["name"].rstrip("./-@"), float(match["value"])
        key = name.lower().split("/")[-1]
        if key in ("epoch", "epochs"):
            epoch = value
        elif key in names.STEPS or key == "steps":
            step = value
        else:
            values.append((name, value / 100.0 if match["after"] else value))
    return _Line(step, epoch, int(rank[1]) if rank else None, values)
