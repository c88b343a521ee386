"""The seal over what a metric rests on: made before an experiment's own cell begins, looked at afterwards.

    described = seals.described(job["seal"])        in the zygote, once: nothing of an experiment has run there
    seal = Seal(described, job["seal"], shell)      in the fork, right before the cell
    seal.look()                                     after each of its statements
    seal.end()                                      after its last
    seal.word(signature, whole=True)                at the end of all, for the last frame

Over the data that the lock reads (`marks.py`), the functions that it reaches (`reach.py`), the notebook's names for
both, what the harness itself uses, and the metric's value from the end of the cell on. The word is signed, together
with all that was told, by a key that came with the job.

What cannot be prevented in one process: whoever executes code here can read the key in this process's memory, call and
replace what is in this file, and compute the signature that the runner expects. Not seen at all: what is changed and
put back within one statement; larger data that are put back before the last; items that change within lists of more
than `parts.LONG`; what C code does to itself; an estimator of the cell's own that lies about its score; functions
beyond the first `reach.FUNCTIONS`, and those that are looked up by other means than global names. Therefore a finding
that rests on free code needs a person's approval.
"""

from __future__ import annotations

import gc
import json
import operator
import sys
import types
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

from .marks import Mark
from .reach import Reach

MOST = 50
"""How many changes are told."""
JOBS = 64
"""For so many kinds of jobs a zygote keeps what their code names besides; it is noted anew where they come again."""
_MISSING = object()
_CODE = (types.FunctionType, type, types.ModuleType)
_number, _repr, _json = float, repr, json.JSONEncoder(sort_keys=True).encode
_HARNESS = {
    "builtins": ("isinstance", "float", "tuple", "getattr", "type", "globals", "__import__"),
    "random": ("seed",),
    "numpy.random": ("seed",),
    "time": ("time", "monotonic"),
    "math": ("isfinite",),
    "json": ("dumps",),
    "os": ("write", "getpid"),
    "IPython.display": ("display",),
    "IPython.core.display_functions": ("publish_display_data",),
}
_METHODS = {
    "": ("run_cell", "run_ast_nodes", "run_code"),
    "display_pub": ("publish",),
    "display_pub.session": ("send",),
    "display_pub.session.channel": ("put", "message", "end", "flush"),
}


class Described:
    """What a seal goes over, as it is before anything of an experiment has run.

    Args:
        spec: `{"names": what the notebook lends, "callables": ["module:qualname"]}`.
        captured: what the notebook lends the cell, by name.
        shell: the shell in which experiments run.
    """

    def __init__(self, spec: Mapping[str, Any], captured: Mapping[str, Any], shell: Any) -> None:
        self._captured, self._namespace = captured, shell.user_ns
        self.reach = Reach(captured, shell.user_ns)
        for path in spec["callables"]:
            self.reach.add(path)
        self.harness: list[tuple[Mapping[str, Any], str, Any, str]] = []
        """What the harness itself uses: a namespace, a name in it, what it means, and what to call the namespace."""
        self.owners: list[tuple[Any, frozenset[str]]] = []
        """Objects of the harness, and methods that they have of their classes."""
        self._more: OrderedDict[tuple[str, ...], Reach] = OrderedDict()
        self._note_harness(shell)
        self.names = sorted(
            name for name in {*spec["names"], *self.reach.data} if not isinstance(captured.get(name), _CODE)
        )
        lent = {**shell.user_ns, **captured}  # what functions read comes with them, into the namespace
        self.marks = {name: (lent[name], Mark(lent[name])) for name in self.names if name in lent}

    def _note_harness(self, shell: Any) -> None:
        for module, names in _HARNESS.items():
            space = vars(sys.modules[module]) if module in sys.modules else {}
            self.harness += [(space, name, space[name], module) for name in names if name in space]
        for path, methods in _METHODS.items():
            owner = operator.attrgetter(path)(shell) if path else shell
            for name in methods:
                kind = next(kind for kind in type(owner).__mro__ if name in vars(kind))
                self.harness.append((vars(kind), name, vars(kind)[name], kind.__name__))
            self.owners.append((owner, frozenset(methods) - vars(owner).keys()))

    def more(self, paths: Iterable[str]) -> Reach:
        """Notes of what a job's code names besides: these callables and their methods, not what they reach.

        They are apart from `reach`, so that the room there is for what the metric rests on alone, whatever swarms try.
        """
        key = tuple(sorted(set(paths)))
        if (found := self._more.get(key)) is None:
            found = self._more[key] = Reach(self._captured, self._namespace)
            for path in key:
                found.add(path, far=False)
            if len(self._more) > JOBS:
                self._more.popitem(last=False)
        self._more.move_to_end(key)
        return found


class Seals:
    """The descriptions that a zygote has made, from what the notebook lends its cells (path of the file → values)."""

    def __init__(self, shell: Any, captured: Mapping[str, Mapping[str, Any]]) -> None:
        self._shell = shell
        self._captured = {name: value for values in captured.values() for name, value in values.items()}
        self._made: dict[str, Described] = {}
        self.current: Described | None = None
        """That of the job for which a process is forked now."""

    def described(self, spec: Mapping[str, Any]) -> Described:
        """That of a job, made where there is none yet; with what it has in "also", of which methods alone matter."""
        key = _json([spec["names"], spec["callables"]])
        if (found := self._made.get(key)) is None:
            found = self._made[key] = Described(spec, self._captured, self._shell)
            gc.freeze()  # as `Zygote.serve` has it
        found.more(spec.get("also", ())).settle()
        found.reach.settle()
        return found


class Seal:
    """The state right before the experiment's own cell.

    Args:
        described: from the zygote.
        spec: as there, with "fixed", names that the cell does not assign, and "metric".
        shell: the shell.
    """

    def __init__(self, described: Described, spec: Mapping[str, Any], shell: Any) -> None:
        self._described, self._shell, self._space = described, shell, shell.user_ns
        self._also: frozenset[str] = frozenset(spec.get("also", ()))
        self._reaches = [described.reach, described.more(self._also)]
        self._metric: str = spec["metric"]
        self._changed: dict[str, None] = {}
        self._value: Any = _MISSING
        self._ended = False
        self._marks: list[tuple[str, Any, Mark]] = []
        for name in described.names:
            value = self._space.get(name, _MISSING)
            known, mark = described.marks.get(name, (_MISSING, None))
            if value is not _MISSING:
                self._marks.append((name, value, mark if mark is not None and value is known else Mark(value)))
        self._quick = [each for each in self._marks if each[2].quick]
        self._bound = [(name, self._space[name]) for name in spec.get("fixed", ()) if name in self._space]

    def also(self, spec: Mapping[str, Any]) -> None:
        """In a fork of a snapshot: go over what this job names besides, and that for which it was made does not."""
        if new := frozenset(spec.get("also", ())) - self._also:
            self._also |= new
            self._reaches.append(self._described.more(new))

    def look(self) -> None:
        """Note what has changed of functions, names and small arrays; some microseconds to some hundred."""
        for reach in self._reaches:
            reach.wake()
            for said in reach.changes():
                self._changed[said] = None
        for name, value in self._bound:
            if self._space.get(name, _MISSING) is not value:
                self._changed[f"{name}: another object"] = None
        self._look_at(self._quick)

    def end(self) -> None:
        """The cell has ended: look at everything, and note the metric."""
        self.look()
        self._look_at(self._marks)
        self._value, self._ended = self._space.get(self._metric, _MISSING), True

    def _look_at_harness(self) -> None:
        for space, name, value, where in self._described.harness:
            if space.get(name, _MISSING) is not value:
                self._changed[f"{where}.{name}: replaced"] = None
        for owner, methods in self._described.owners:
            if not methods.isdisjoint(vars(owner)):
                self._changed[f"{type(owner).__name__}: other methods"] = None
        if self._shell.user_ns is not self._space:
            self._changed["the notebook's namespace: another one"] = None

    def _look_at(self, marks: list[tuple[str, Any, Mark]]) -> None:
        for name, value, mark in marks:
            for said in mark.changes(value):
                self._changed[f"{name}{said}"] = None

    def word(self, signature: Any, *, whole: bool) -> dict[str, Any]:
        """What is told in the end.

        Args:
            signature: of what was told so far; this is added to it.
            whole: whether all cells have run.
        """
        self.look()
        self._look_at_harness()
        if whole and not self._ended:
            self._changed["the seal: it did not see the cell end"] = None
        if whole and self._space.get(self._metric, _MISSING) is not self._value:
            self._changed[f"{self._metric}: another object after the cell"] = None
        changed = list(self._changed)
        word = {
            "changed": changed[:MOST] + ([f"more: {len(changed) - MOST}"] if len(changed) > MOST else []),
            "uncovered": [f"{name}{part}" for name, _, mark in self._marks for part in mark.uncovered],
            "value": _value(self._value),
        }
        signature.update(_json(word).encode())
        return {**word, "signature": signature.hexdigest()}


def signature(key: str) -> Any:
    """A signature with nothing in it yet."""
    return blake2b(key=key.encode(), digest_size=16)


def _value(value: Any) -> str | None:
    """The metric as the result cell shows it; None for what is no number."""
    try:
        plain = value is not _MISSING and not isinstance(value, (str, bytes))
        return _repr(_number(value)) if plain and tuple(getattr(value, "shape", ())) == () else None
    except Exception:
        return None
