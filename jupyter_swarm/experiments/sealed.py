"""What a run must not have changed: the runner's side of the seal (`worker/integrity.py`).

    asked = ask(rests, metric, parameters, key)        goes with the job, under "seal"
    word = heard(frames, told.done, key)               what the experiment's process says in the end, if it is its word
    allowed.see(word)                                  after a run of the person's own cell
    run = judged(run, word, allowed)                   discarded where it has changed anything else

The person's own cell is the measure: what it changes itself (a generator that it draws from, a model that it fits)
those that vary it may change, too. That is kept beside the journal for a runner that goes on later.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_swarm.experiments.worker.integrity import signature
from jupyter_swarm.words import Run

if TYPE_CHECKING:
    from jupyter_swarm.cell import Rests

FILE = "changes.json"
SHOWN = 5
"""How many changes a message names."""
NO_WORD = "its process did not tell what the seal saw, or something else wrote in its place"


class Word(msgspec.Struct):
    """What the process of an experiment says in its last line."""

    changed: list[str]
    """`subject: how`."""
    uncovered: list[str]
    value: str | None
    """The metric as the cell left it; None for what is no number."""
    signature: str


class _Done(msgspec.Struct):
    seal: Word | None = None


def ask(rests: Rests, metric: str, parameters: Collection[str], cell: int, key: str) -> dict[str, Any]:
    """What the process has to watch.

    Args:
        rests: of the code that it executes.
        metric: name of the metric.
        parameters: names that the runner assigns; they differ between runs.
        cell: index of the experiment's own cell.
        key: a secret of this run.
    """
    names, fixed = ([each for each in group if each not in parameters] for group in (rests.names, rests.fixed))
    more = {"callables": rests.callables, "also": rests.also, "metric": metric}
    return {"cell": cell, "key": key, "names": names, "fixed": fixed, **more}


def heard(frames: bytes, done: bytes, key: str) -> Word | None:
    """The word in the last line of a run, where it is signed as only this run's process can; None otherwise.

    Args:
        frames: all that was told.
        done: the last line.
        key: as it was given to `ask`.
    """
    try:
        word = msgspec.json.decode(done, type=_Done).seal
    except msgspec.MsgspecError:
        return None
    if word is None or (place := frames.find(done)) < 0:
        return None
    signed = signature(key)
    signed.update(memoryview(frames)[:place])
    plain = {"changed": word.changed, "uncovered": word.uncovered, "value": word.value}
    signed.update(json.dumps(plain, sort_keys=True).encode())
    return word if signed.hexdigest() == word.signature else None


class Allowed:
    """What the person's own cell was seen to change.

    Args:
        folder: of the swarm.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self.subjects: set[str] = set()

    def load(self) -> None:
        """What an earlier runner saw."""
        try:
            self.subjects = {str(each) for each in json.loads(self._path.read_text(encoding="utf-8"))}
        except (OSError, ValueError):
            self.subjects = set()

    def see(self, word: Word) -> None:
        """Allow what the person's own cell has changed. Durable on return.

        Raises:
            OSError: it cannot be written.
        """
        subjects = self.subjects | {subject(each) for each in word.changed}
        if subjects == self.subjects:
            return
        self.subjects = subjects
        part = self._path.with_suffix(".part")
        with part.open("w", encoding="utf-8") as file:
            json.dump(sorted(subjects), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, self._path)


def subject(change: str) -> str:
    """What a change is about.

    >>> subject("y: 178 of 178 values")
    'y'
    """
    return change.partition(": ")[0]


def judged(run: Run, word: Word | None, allowed: Allowed) -> Run:
    """A run with a value, or without where the seal was broken."""
    if run.value is None:
        return run
    if word is None:
        return _discarded(run, NO_WORD)
    if found := [each for each in word.changed if subject(each) not in allowed.subjects]:
        more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        return _discarded(run, f"it changed what the metric rests on: {'; '.join(found[:SHOWN])}{more}")
    if word.value is None or float(word.value) != run.value:
        return _discarded(run, f"it showed {run.value:g} as its result, and its metric is {word.value or 'no number'}")
    return run


def _discarded(run: Run, why: str) -> Run:
    return msgspec.structs.replace(run, value=None, reason="locked", message=why)
