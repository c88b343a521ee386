"""One swarm as the server sees it: its state, kept up to date, and which part of it changed when.

Each part (a direction, a finding, an agent, a run, a line) is marked with the ledger's number by which it last changed.
What is new since a cursor is then whatever has a higher mark: any reader, with any cursor, is served by one mirror, and
a reader whose connection was cut has lost nothing.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Hashable
from operator import attrgetter
from typing import Any, TypeVar

import msgspec

from jupyter_swarm import events as e
from jupyter_swarm import register
from jupyter_swarm.jupyter.replaced import fresh
from jupyter_swarm.jupyter.server import cards
from jupyter_swarm.jupyter.server import words as w
from jupyter_swarm.jupyter.server.lines import told
from jupyter_swarm.state import Case, Direction, SwarmState
from jupyter_swarm.words import Value
from jupyter_swarm.workspace import Workspace

BATCH = 5_000
LEASE_SECONDS = 1.0
"""How often it is looked who holds the lease, while events come."""
LINES, ANSWERS = 300, 100
"""Of the log and of answered requests, in a whole answer."""
T = TypeVar("T")
_encode = msgspec.json.Encoder().encode


class Part:
    """Things of one kind by id, each as JSON, with the number by which it last changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Hashable, int, msgspec.Raw]] = {}

    def renew(self, id: str, look: Hashable, at: int, make: Callable[..., w.Said], *given: Any) -> None:
        """Make it anew of what is given, where its look has changed."""
        before = self._known.get(id)
        if before is None or before[0] != look:
            self._known[id] = (look, at, msgspec.Raw(_encode(make(*given))))

    def since(self, after: int) -> list[msgspec.Raw]:
        """Those that have changed after a number."""
        return [raw for _, at, raw in self._known.values() if at > after]


class Mirror:
    """Reads a swarm's events and answers what is new. Its methods may be called from any thread.

    Args:
        workspace: where the swarm is.
        name: of the swarm.
    """

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.workspace, self.name = workspace, name
        self.state = SwarmState(name=name)
        self.alive = False
        self._last: e.Record | None = None
        self._asked_at = -LEASE_SECONDS
        self._reported: tuple[int, bool] = (0, False)
        self._judged = 0
        """The number of the last event that findings or the answer may hang on; most events are screening's."""
        self._told: tuple[Hashable, str] = (None, "")
        self._renewed = 0
        self.used = time.monotonic()
        self._lock = threading.RLock()
        self._directions, self._findings, self._agents = Part(), Part(), Part()
        self._rows: list[tuple[int, int]] = []
        """(the ledger's number, the run's), in the order of the ledger."""
        self._lines: list[tuple[int, w.Line]] = []
        self._answered: dict[int, int] = {}
        """Request → the number by which it was asked or answered."""
        self.codes: dict[str, dict[str, Value]] = {}
        """Code → what differs in it from the person's cell."""
        self._running: dict[str, int] = {}
        self._card: tuple[tuple[int, bool], msgspec.Raw] | None = None

    @property
    def cursor(self) -> int:
        """The ledger's number of the last event that is in it."""
        return self.state.last

    def news(self) -> bool:
        """Read what is new; whether anything is, since this was last asked, whoever has read it meanwhile.

        Raises:
            Replaced: another ledger is there now.
            LedgerError: it cannot be read; the mirror stays as it is.
        """
        with self._lock:
            self.refresh()
            before, self._reported = self._reported, (self.state.last, self.alive)
            return before != self._reported

    def refresh(self) -> None:
        """Read what is new.

        Raises:
            Replaced: another ledger is there now.
            LedgerError: it cannot be read; the mirror stays as it is.
        """
        with self._lock:
            before = self.state.last
            more = True
            while more:
                records = fresh(self.workspace.store, self._last, swarm=self.name, limit=BATCH)
                for record in records:
                    self._last = record
                    self._apply(record)
                more = len(records) == BATCH
            if self.state.last == before or time.monotonic() - self._asked_at >= LEASE_SECONDS:
                self._asked_at = time.monotonic()
                self.alive = register.works(self.workspace, self.name)
            if self.state.last != before:
                self._mark()

    def changes(self, after: int, ledger: str) -> bytes:
        """`words.Changes` since a cursor, as JSON; everything where it is 0 or less."""
        with self._lock:
            self.used = time.monotonic()
            state, whole = self.state, after <= 0
            answer: dict[str, Any] = {
                "ledger": ledger,
                "cursor": state.last,
                "at": time.time(),
                "whole": whole,
                "card": self.card(),
                "knobs": cards.knobs(state) if whole else [],
                "directions": self._directions.since(after),
                "findings": self._findings.since(after),
                "agents": self._agents.since(after),
                "runs": cards.runs(state, self._changed_rows(after), self.codes),
                "log": [line for at, line in self._lines[-LINES if whole else 0 :] if at > after],
                "answers": self._answers(after, whole),
            }
            return _encode(answer)

    def events(self, after: int, limit: int, ledger: str) -> bytes:
        """`words.Events` after a cursor, as JSON."""
        records = self.workspace.store.read(after, swarm=self.name, limit=limit)
        told = [_told(each) for each in records]
        return _encode(w.Events(ledger=ledger, cursor=told[-1].number if told else after, events=told))

    def card(self) -> msgspec.Raw:
        """`words.Card`, as JSON."""
        with self._lock:
            key = (self.state.last, self.alive)
            if self._card is None or self._card[0] != key:
                running = sum(self._running.values())
                head = cards.card(self.state, self._answer(), alive=self.alive, running=running)
                self._card = (key, msgspec.Raw(_encode(head)))
            return self._card[1]

    def _answer(self) -> str:
        """The answer in words, made anew where what it says may have changed."""
        state = self.state
        key = (self._judged, len(state.baseline_by_seed), state.baseline_error is None, state.phase)
        if self._told[0] != key:
            self._told = (key, cards.answered(state))
        return self._told[1]

    def look(self, at: Callable[[SwarmState], T]) -> T:
        """Something of the state, while nothing changes it."""
        with self._lock:
            return at(self.state)

    # ------------------------------------------------------------ what changes

    def _apply(self, record: e.Record) -> None:
        state, event, lines = self.state, record.event, len(self.state.log)
        state.apply(record)
        number = record.number
        if isinstance(event, JUDGING) or _counts(state, event):
            self._judged = number
        if words := told(state, event):
            self._lines.append((number, w.Line(number=number, at=record.at, level="info", text=cards.cut(words))))
        self._lines += [
            (number, w.Line(number=number, at=at, level=level, text=cards.cut(text)))
            for at, level, text in state.log[lines:]
        ]
        if isinstance(event, e.ExperimentStarted):
            self._rows.append((number, event.number))
            self._runs(event.experiment.agent, 1)
        elif isinstance(event, e.ExperimentFinished) and event.number in state.rows:
            self._rows.append((number, event.number))
            self._runs(state.rows[event.number].experiment.agent, -1)
        elif isinstance(event, e.HypothesisProposed):
            for variation in (event.hypothesis.variation, event.hypothesis.reference):
                self.codes.setdefault(variation.code, cards.edits(variation.edits))
        elif isinstance(event, e.SteeringRequested):
            self._answered[number] = number
        elif isinstance(event, e.SteeringAnswered) and event.request in self._answered:
            self._answered[event.request] = number

    def _runs(self, agent: str, more: int) -> None:
        self._running[agent] = self._running.get(agent, 0) + more

    def _mark(self) -> None:
        """Find out which directions, findings and agents look another way now."""
        state, at = self.state, self.state.last
        trials = sum(each.trials for each in state.directions.values())
        for each in state.directions.values():
            self._directions.renew(each.id, _look(each, trials), at, cards.direction, each, trials)
        if self._judged > self._renewed:
            self._renew_findings(at)
        models = self._models()
        for agent in state.agents.values():
            more = (self._running.get(agent.id, 0), *models.get(agent.id, (0, 0)))
            self._agents.renew(agent.id, (_record(agent), more), at, cards.agent, agent, *more)

    def _renew_findings(self, at: int) -> None:
        state, self._renewed = self.state, at
        marks = sum(case.read for case in state.cases.values())
        for order, case in enumerate(self._tested()):
            seen = (order, marks, case.mark, case.read, case.evidence, self._progress(case))
            self._findings.renew(case.hypothesis.id, seen, at, cards.finding, state, case, order)

    def _tested(self) -> list[Case]:
        """Judged hypotheses in the order of findings, then those that are being tested."""
        testing = [case for case in self.state.cases.values() if case.plan and case.evidence is None]
        return [*self.state.findings(), *testing]

    def _progress(self, case: Case) -> Hashable:
        trial = self.state.trials.get(case.plan)
        held = case.hypothesis.id in self.state.holdouts
        return (len(trial.variation), len(trial.reference), held) if trial else held

    def _models(self) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for (agent, _, _), spent in self.state.spent.items():
            calls, tokens = found.get(agent, (0, 0))
            found[agent] = (calls + spent.calls, tokens + spent.tokens)
        return found

    # ------------------------------------------------------------ what is new

    def _changed_rows(self, after: int) -> list[Any]:
        if after <= 0:
            return list(self.state.rows.values())
        first = bisect_right(self._rows, (after, 1 << 60))
        numbers = dict.fromkeys(number for _, number in self._rows[first:])
        return [self.state.rows[number] for number in numbers]

    def _answers(self, after: int, whole: bool) -> list[w.Answer]:
        asked = [number for number, at in self._answered.items() if at > after]
        found = [self.state.steering[number] for number in (asked[-ANSWERS:] if whole else asked)]
        return [
            w.Answer(
                number=each.number,
                verb=each.request.verb,
                target=cards.cut(each.request.target),
                value=each.request.value,
                done=each.done,
                answer=cards.cut(each.answer),
            )
            for each in found
        ]


_record = attrgetter(
    "standing", "why", "tasks", "seconds", "proposed", "supported", "refuted", "open", "failures"
)  # fmt: skip


JUDGING = (
    e.SwarmRequested, e.PlanRegistered, e.VerdictReached, e.HypothesisMarked, e.BestEstimated, e.HoldoutMeasured,
    e.FrontMeasured, e.SwarmEnded, e.SummaryWritten,
)  # fmt: skip


def _counts(state: SwarmState, event: e.AnyEvent) -> bool:
    """Whether it is a run of another purpose than screening, or a mark after the end."""
    if isinstance(event, e.SteeringRequested):
        return not state.needs_runner(event)
    if isinstance(event, e.ExperimentFinished):
        row = state.rows.get(event.number)
        return row is not None and row.experiment.purpose != "screening"
    return False


def _look(each: Direction, trials: int) -> Hashable:
    """What a direction's card shows; its share hangs on the runs of all."""
    texts = (len(each.citations), len(each.sentences), len(each.contradictions), len(each.cases))
    numbers = (each.priority, each.trials, each.reward, each.failures, each.supported)
    return (cards.share(each, trials), each.closed, numbers, texts)


def _told(record: e.Record) -> w.Event:
    body = msgspec.Raw(e.encode(record.event))
    return w.Event(number=record.number, at=record.at, active_seconds=record.active_seconds, event=body)
