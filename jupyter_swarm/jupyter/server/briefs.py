"""The list of a workspace's swarms, without replaying all that they did: only the few events that change a line."""

from __future__ import annotations

import threading
import time

from jupyter_swarm import events as e
from jupyter_swarm import register
from jupyter_swarm.jupyter.replaced import check
from jupyter_swarm.jupyter.server import cards
from jupyter_swarm.jupyter.server import words as w
from jupyter_swarm.report import phrases
from jupyter_swarm.report.models import total
from jupyter_swarm.state import SwarmState
from jupyter_swarm.workspace import Workspace

HEADS = (
    e.SwarmRequested, e.PauseRequested, e.ResumeRequested, e.StopRequested, e.RunnerStarted, e.SwarmPaused,
    e.SwarmResumed, e.SwarmEnded, e.BudgetChanged, e.ModelAsked, e.ModelAnswered,
)  # fmt: skip
"""What a line of the list is made of, by the usual folds."""
KINDS = tuple(str(each.__struct_config__.tag) for each in (*HEADS, e.VerdictReached))
COUNTED = str(e.ExperimentStarted.__struct_config__.tag)


class Entry:
    """What is known of one swarm."""

    def __init__(self, name: str) -> None:
        self.state = SwarmState(name=name)
        self.verdicts: dict[str, str] = {}
        self.last = self.experiments = 0
        self.seconds = self.at = 0.0
        self.alive = False

    def brief(self) -> w.Brief:
        """The line of it."""
        state, request = self.state, self.state.request
        found = list(self.verdicts.values())
        models = total(state)
        working = state.phase == "running" and self.alive and not state.asked
        return w.Brief(
            name=state.name,
            phase=state.phase,
            alive=self.alive,
            doing="running" if working else phrases.phase(state, self.alive),
            why=cards.cut(state.why),
            question=cards.cut(request.analysis.question) if request else "",
            metric=cards.cut(request.objective.metric, 200) if request else "",
            maximize=request.objective.maximize if request else True,
            begun=state.begun,
            updated=self.at,
            seconds=self.seconds,
            experiments=self.experiments,
            tokens=models.tokens,
            dollars=None if models.unpriced else models.dollars,
            budget=state.budget,
            supported=found.count("supported"),
            refuted=found.count("refuted"),
            open=found.count("open"),
            cursor=self.last,
        )


class Shelf:
    """All swarms of a workspace. Its methods may be called from any thread."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._entries: dict[str, Entry] = {}
        self._read = 0
        self._mark: float | None = None
        """When the record with the number `_read` was written."""
        self._lock = threading.Lock()
        self.turn = 0
        """Rises with each change that a list shows."""
        self.born = 0
        """When the ledger's first record was written, in microseconds since 1970; 0 where there is none."""

    def refresh(self) -> bool:
        """Read what is new; whether a line of the list is another one now.

        Raises:
            Replaced: another ledger is there now.
            LedgerError: the ledger cannot be read.
        """
        with self._lock:
            store = self._workspace.store
            if self._mark is not None:
                check(store, self._read, self._mark)
            tallies = store.tallies(self._read, COUNTED)
            for record in store.read(self._read, kinds=KINDS) if tallies else ():
                self._apply(record)
            for each in tallies:
                entry = self._entry(each.swarm)
                entry.last, entry.at = max(entry.last, each.last), max(entry.at, each.at)
                entry.seconds, entry.experiments = max(entry.seconds, each.seconds), entry.experiments + each.told
                self._read = max(self._read, each.last)
            if tallies:
                self._mark = store.written(self._read)
            if not self.born:
                self.born = round(1e6 * (store.written(1) or 0.0))
            changed = bool(tallies)
            for name, entry in self._entries.items():
                alive = not entry.state.over and register.works(self._workspace, name)
                changed |= alive != entry.alive
                entry.alive = alive
            self.turn += changed
            return changed

    def briefs(self, ledger: str) -> w.Briefs:
        """The list, the newest first."""
        with self._lock:
            known = [each for each in self._entries.values() if each.state.request is not None]
            lines = [each.brief() for each in sorted(known, key=lambda each: -each.state.begun)]
            return w.Briefs(ledger=ledger, cursor=self.turn, at=time.time(), swarms=lines)

    def working(self) -> list[tuple[str, float]]:
        """Swarms on which a runner works, and when each has begun."""
        with self._lock:
            return [(name, each.state.begun) for name, each in self._entries.items() if each.alive]

    def knows(self, name: str) -> bool:
        """Whether there is such a swarm."""
        with self._lock:
            return name in self._entries and self._entries[name].state.request is not None

    def _apply(self, record: e.Record) -> None:
        entry = self._entry(record.swarm)
        if isinstance(record.event, e.VerdictReached):
            entry.verdicts[record.event.hypothesis] = record.event.evidence.verdict
        else:
            entry.state.apply(record)

    def _entry(self, name: str) -> Entry:
        return self._entries.setdefault(name, Entry(name))
