"""Which experiments begin alike, and the snapshots from which they are forked.

Experiments that differ from statement k on need what is before it executed once: a snapshot has done so, and each
experiment is a fork of it. That must change no result. So a beginning is shared only where, in a run that was watched,
it drew no random numbers, started nothing and wrote nothing (`worker/purity.py`); where it reads no clock, since what
had begun in a snapshot would have lasted as long as that lives (`clocks.py`); where it reads only parameters with the
same values; and the snapshot itself is watched again. Runs that count as evidence never come from a snapshot.
"""

from __future__ import annotations

import ast
import asyncio
import functools
import itertools
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from jupyter_swarm.experiments.clocks import Clocks
from jupyter_swarm.experiments.nursery import Nursery
from jupyter_swarm.experiments.snapshots import Attempt, Snapshot, Statements

WORTH_SECONDS = 0.05
"""What a snapshot must save each time to be made."""
MOST = 4
"""How many snapshots live at once."""
REMEMBERED = 10_000
"""Of so many beginnings something is remembered, of those that were of use last: a run has one for each statement."""
OPAQUE = frozenset(
    [
        *("globals", "locals", "vars", "dir", "eval", "exec", "compile", "get_ipython", "NameError", "inspect"),
        *("In", "Out", "_", "__", "___", "_i", "_ii", "_iii", "_ih", "_oh", "_dh"),
    ]
)
"""Names by which code could see which parameters there are; what uses one is not shared."""


@dataclass(frozen=True)
class Share:
    """What of a job may be shared with others.

    Args:
        cell: index of the cell whose beginning is shared; all before it is the same but for the parameters.
        code: that cell's source.
        parameters: name → value, the seed among them.
        reseed: source that seeds, as a cell before it does.
    """

    cell: int
    code: str
    parameters: Mapping[str, object]
    reseed: str


class Beginning(NamedTuple):
    """The first `statements` of a cell, with the parameters that they mention: equal keys, equal beginnings."""

    statements: int
    text: str
    key: tuple[str, tuple[tuple[str, str], ...]]

    @property
    def settled(self) -> frozenset[str]:
        """Parameters that have had their effect."""
        return frozenset(name for name, _ in self.key[1])

    @property
    def mark(self) -> int:
        """Under this what is known of the text is remembered."""
        return hash(self.text)


_Value = TypeVar("_Value")


class _Remembered(OrderedDict[int, _Value]):
    """Values by the hash of what they are of, so that no text is kept; the one that was set longest ago goes first."""

    def __setitem__(self, key: int, value: _Value) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > REMEMBERED:
            self.popitem(last=False)


class Prefixes:
    """What has been learned of the beginnings of a swarm's cells, and the snapshots in use; all in one event loop.

    Args:
        names: what the captured functions mention; None where that is not known, and nothing is shared then.
        imports: statements that every experiment finds executed.
        clocks: functions and classes that read a clock, of those that the notebook lends.
    """

    def __init__(self, names: frozenset[str] | None, imports: Iterable[str] = (), clocks: Collection[str] = ()) -> None:
        self._names, self._imports, self._clocks = names, tuple(imports), frozenset(clocks)
        self._known = _Remembered[float]()
        self._impure = _Remembered[str]()
        self._asked = _Remembered[int]()
        self._making: dict[tuple[Any, ...], asyncio.Task[Attempt]] = {}
        self._made: dict[tuple[Any, ...], Snapshot] = {}
        self._beginnings = functools.lru_cache(maxsize=256)(self._parsed)

    def beginnings(self, share: Share) -> list[Beginning]:
        """All beginnings that could be shared, the shortest first."""
        found = []
        for count, text, names in self._beginnings(share.code, frozenset(share.parameters)):
            key = (text, tuple((name, repr(share.parameters[name])) for name in names))
            found.append(Beginning(count, text, key))
        return found

    def _parsed(self, code: str, parameters: frozenset[str]) -> list[tuple[int, str, tuple[str, ...]]]:
        """Statements, the text before the next, and the parameters read so far; as far as it may be shared."""
        try:
            body = ast.parse(code).body
        except SyntaxError:
            return []
        if self._names is None or self._names & OPAQUE:
            return []
        clocks = Clocks(body, self._imports, self._clocks)
        lines, found, read = code.splitlines(keepends=True), [], parameters & self._names
        for count, (statement, following) in enumerate(itertools.pairwise(body), start=1):
            names = _names(statement)
            if names & OPAQUE or clocks.read_by(statement):
                break
            read |= names & parameters
            if following.col_offset == 0 and _first_line(following) > (statement.end_lineno or 0):
                text = "".join(lines[: _first_line(following) - 1])
                found.append((count, text, tuple(sorted(read))))
        return found

    def wants(self, share: Share) -> bool:
        """Whether a run that is watched would teach anything."""
        return any(each.mark not in self._known and each.mark not in self._impure for each in self.beginnings(share))

    def learn(self, share: Share, statements: Statements) -> None:
        """What a watched run noted: after each statement, the seconds so far and why it could not be shared."""
        for each in self.beginnings(share):
            if each.statements > len(statements):
                break
            seconds, why = statements[each.statements - 1]
            if why:
                self._impure[each.mark] = why
                self._known.pop(each.mark, None)
            elif each.mark not in self._impure:
                self._known[each.mark] = min(float(seconds), self._known.get(each.mark, float("inf")))

    async def snapshot(self, nursery: Nursery, share: Share, job: Mapping[str, Any]) -> Snapshot | None:
        """The snapshot to fork for a job, made if it is worth it; None to execute the whole job.

        Of a cell of which nothing is known, the beginning that mentions no parameter is executed in a snapshot at
        once: it is the first run's preparation, and everybody's who comes after.

        Raises:
            NurseryLost: the zygote is gone.
        """
        beginnings = self.beginnings(share)
        known = [each for each in beginnings if each.mark in self._known]
        self._count(known)
        live = next((b for b in reversed(known) if b.key in self._made and self._made[b.key].lives), None)
        wanted = self._wanted(beginnings, known, live)
        if wanted is not None:
            base = self._made[live.key] if live is not None else None
            made = await self._make(nursery, wanted, share, job, base)
            if made is not None and self._gain(wanted, None) >= WORTH_SECONDS:
                return made
        left = self._made.get(live.key) if live is not None else None  # it may have made room meanwhile
        return left if left is not None and left.lives else None

    def _count(self, beginnings: Iterable[Beginning]) -> None:
        """Note that somebody begins so."""
        for each in beginnings:
            self._asked[hash(each.key)] = self._often(each.key) + 1

    def _often(self, key: tuple[Any, ...]) -> int:
        """How often somebody has begun so, as far as that is remembered."""
        return self._asked.get(hash(key), 0)

    def _wanted(
        self, beginnings: Sequence[Beginning], known: Sequence[Beginning], live: Beginning | None
    ) -> Beginning | None:
        """The beginning of which a snapshot should be made."""
        if beginnings and beginnings[0].mark not in self._known and beginnings[0].mark not in self._impure:
            free = [each for each in beginnings if not each.settled]
            return free[-1] if free else None
        for each in reversed(known):
            if live is not None and each.statements <= live.statements:
                return None
            often = self._often(each.key) >= (2 if each.settled else 1)
            if often and self._gain(each, live) >= WORTH_SECONDS:
                return each
        return None

    def _gain(self, beginning: Beginning, live: Beginning | None) -> float:
        """Seconds that a snapshot saves each time, besides those that another one saves."""
        return self._seconds(beginning.text) - (self._seconds(live.text) if live is not None else 0.0)

    def _seconds(self, text: str) -> float:
        return self._known.get(hash(text), 0.0)

    def _worth(self, key: tuple[Any, ...]) -> float:
        """Seconds that a snapshot has saved, or would have."""
        return self._often(key) * self._seconds(key[0])

    async def _make(
        self, nursery: Nursery, beginning: Beginning, share: Share, job: Mapping[str, Any], base: Snapshot | None
    ) -> Snapshot | None:
        """Make a snapshot, or wait for whoever makes it."""
        if (making := self._making.get(beginning.key)) is None:
            if not self._room(self._worth(beginning.key)):
                return None
            stopped = {**job, **told(share, base), "stop": [share.cell, beginning.statements]}
            seconds = 30.0 + 10.0 * self._known.get(beginning.mark, 360.0)
            making = asyncio.ensure_future(nursery.snapshot(stopped, seconds, base))
            self._making[beginning.key] = making
            making.add_done_callback(lambda done: self._keep(beginning, share, done))
        made = (await asyncio.shield(making)).snapshot
        return made if made is not None and made.lives else None

    def _keep(self, beginning: Beginning, share: Share, done: asyncio.Future[Attempt]) -> None:
        """What came of an attempt."""
        self._making.pop(beginning.key, None)
        if done.cancelled() or done.exception() is not None:
            return
        made, statements = done.result()
        self.learn(share, statements)
        if made is None:
            self._impure[beginning.mark] = "no snapshot could be made"
            self._known.pop(beginning.mark, None)
        elif self._gain(beginning, None) < WORTH_SECONDS:
            made.line.close()
        else:
            made.settled = beginning.settled
            self._made[beginning.key] = made

    def _room(self, worth: float) -> bool:
        """Whether there is room for another snapshot; the one that is worth least makes room if it is idle."""
        self._made = {key: each for key, each in self._made.items() if each.lives}
        if len(self._made) + len(self._making) < MOST:
            return True
        idle = [key for key, each in self._made.items() if not each.busy]
        if not idle:
            return False
        least = min(idle, key=self._worth)
        if self._worth(least) >= worth:
            return False
        self._made.pop(least).line.close()
        return True


def told(share: Share, snapshot: Snapshot | None) -> dict[str, Any]:
    """What a fork of a snapshot must be told besides its cells: the parameters that had no effect so far."""
    settled = snapshot.settled if snapshot is not None else frozenset()
    return {
        "parameters": {name: value for name, value in share.parameters.items() if name not in settled},
        "reseed": share.reseed,
    }


def _names(node: ast.AST) -> frozenset[str]:
    """Every name that a statement reads, assigns, deletes, defines or imports; attributes and keywords left out."""
    found = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            found.add(each.id)
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(each.name)
        elif isinstance(each, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in each.names}
        elif isinstance(each, ast.Global | ast.Nonlocal):
            found |= set(each.names)
    return frozenset(found)


def _first_line(node: ast.stmt) -> int:
    """The line on which a statement begins, its decorators included."""
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(int(each.lineno) for each in decorators)])
