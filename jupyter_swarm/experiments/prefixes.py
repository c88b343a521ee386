"""Which experiments begin alike, and the snapshots from which they are forked.

Experiments that differ from statement k on need what is before it executed once: a snapshot has done so, and each
experiment is a fork of it. That must change no result. So a beginning is shared only where, in a run that was watched,
it drew no random numbers, started nothing and wrote nothing (`worker/purity.py`); where it reads only parameters with
the same values; and the snapshot itself is watched again. Runs that count as evidence never come from a snapshot.
"""

from __future__ import annotations

import ast
import asyncio
import functools
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from jupyter_swarm.experiments.nursery import Nursery
from jupyter_swarm.experiments.snapshots import Attempt, Snapshot, Statements

WORTH_SECONDS = 0.05
"""What a snapshot must save each time to be made."""
MOST = 4
"""How many snapshots live at once."""
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


class Prefixes:
    """What has been learned of the beginnings of a swarm's cells, and the snapshots in use; all in one event loop.

    Args:
        names: what the captured functions mention; None where that is not known, and nothing is shared then.
    """

    def __init__(self, names: frozenset[str] | None) -> None:
        self._names = names
        self._known: dict[str, float] = {}
        self._impure: dict[str, str] = {}
        self._asked: Counter[tuple[Any, ...]] = Counter()
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
        lines, found, read = code.splitlines(keepends=True), [], parameters & self._names
        for count, (statement, following) in enumerate(itertools.pairwise(body), start=1):
            names = _names(statement)
            if names & OPAQUE:
                break
            read |= names & parameters
            if following.col_offset == 0 and _first_line(following) > (statement.end_lineno or 0):
                text = "".join(lines[: _first_line(following) - 1])
                found.append((count, text, tuple(sorted(read))))
        return found

    def wants(self, share: Share) -> bool:
        """Whether a run that is watched would teach anything."""
        return any(each.text not in self._known and each.text not in self._impure for each in self.beginnings(share))

    def learn(self, share: Share, statements: Statements) -> None:
        """What a watched run noted: after each statement, the seconds so far and why it could not be shared."""
        for each in self.beginnings(share):
            if each.statements > len(statements):
                break
            seconds, why = statements[each.statements - 1]
            if why:
                self._impure[each.text] = why
                self._known.pop(each.text, None)
            elif each.text not in self._impure:
                self._known[each.text] = min(float(seconds), self._known.get(each.text, float("inf")))

    async def snapshot(self, nursery: Nursery, share: Share, job: Mapping[str, Any]) -> Snapshot | None:
        """The snapshot to fork for a job, made if it is worth it; None to execute the whole job.

        Of a cell of which nothing is known, the beginning that mentions no parameter is executed in a snapshot at
        once: it is the first run's preparation, and everybody's who comes after.

        Raises:
            NurseryLost: the zygote is gone.
        """
        beginnings = self.beginnings(share)
        known = [each for each in beginnings if each.text in self._known]
        for each in known:
            self._asked[each.key] += 1
        live = next((b for b in reversed(known) if b.key in self._made and self._made[b.key].lives), None)
        wanted = self._wanted(beginnings, known, live)
        if wanted is not None:
            base = self._made[live.key] if live is not None else None
            made = await self._make(nursery, wanted, share, job, base)
            if made is not None and self._gain(wanted, None) >= WORTH_SECONDS:
                return made
        return self._made[live.key] if live is not None and self._made[live.key].lives else None

    def _wanted(
        self, beginnings: Sequence[Beginning], known: Sequence[Beginning], live: Beginning | None
    ) -> Beginning | None:
        """The beginning of which a snapshot should be made."""
        if beginnings and beginnings[0].text not in self._known.keys() | self._impure.keys():
            free = [each for each in beginnings if not each.settled]
            return free[-1] if free else None
        for each in reversed(known):
            if live is not None and each.statements <= live.statements:
                return None
            often = self._asked[each.key] >= (2 if each.settled else 1)
            if often and self._gain(each, live) >= WORTH_SECONDS:
                return each
        return None

    def _gain(self, beginning: Beginning, live: Beginning | None) -> float:
        """Seconds that a snapshot saves each time, besides those that another one saves."""
        return self._known.get(beginning.text, 0.0) - (self._known[live.text] if live is not None else 0.0)

    async def _make(
        self, nursery: Nursery, beginning: Beginning, share: Share, job: Mapping[str, Any], base: Snapshot | None
    ) -> Snapshot | None:
        """Make a snapshot, or wait for whoever makes it."""
        if (making := self._making.get(beginning.key)) is None:
            if not self._room(self._asked[beginning.key] * self._known.get(beginning.text, 0.0)):
                return None
            stopped = {**job, **told(share, base), "stop": [share.cell, beginning.statements]}
            seconds = 30.0 + 10.0 * self._known.get(beginning.text, 360.0)
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
            self._impure[beginning.text] = "no snapshot could be made"
            self._known.pop(beginning.text, None)
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
        least = min(idle, key=lambda key: self._asked[key] * self._known.get(key[0], 0.0))
        if self._asked[least] * self._known.get(least[0], 0.0) >= worth:
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
