"""The seams: small protocols, with one conformance suite each (`tests/conformance/`), run over every implementation.

`Role`, `Mind` and paper readers are found through entry points (`jupyter_swarm.roles`, `jupyter_swarm.minds`,
`jupyter_swarm.readers`), the built-in ones included.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import msgspec

from jupyter_swarm.events import AnyEvent, Record
from jupyter_swarm.words import (
    Analysis,
    Citation,
    Curves,
    Edit,
    Experiment,
    Objective,
    Policy,
    Purpose,
    Run,
    Sentence,
    Variation,
    Word,
)

if TYPE_CHECKING:
    from jupyter_swarm.state import Agent, Direction, SwarmState


# ---------------------------------------------------------------- Store


class Lease(Word, frozen=True):
    """The right to append results to a swarm; a later epoch ends an earlier one."""

    swarm: str
    epoch: int


class Kept(NamedTuple):
    """An answer of a language model, kept beside the ledger: nobody pays for it twice."""

    request: str
    """Hash of the request."""
    about: str
    """What it was asked about, by which answers are found again."""
    answer: bytes


class Answers(Protocol):
    """What language models have answered in a workspace, whichever swarm asked."""

    def known(self, requests: Sequence[str]) -> dict[str, bytes]:
        """What was answered to requests (their hashes); without those to which nothing was."""
        ...

    def answers(self, swarm: str, about: str) -> list[bytes]:
        """All answers of a swarm about something, the oldest first."""
        ...


class Store(Protocol):
    """An append-only log with leases. `read` and `append` may be called from several threads and processes."""

    def append(
        self,
        swarm: str,
        events: Sequence[AnyEvent],
        *,
        lease: Lease | None = None,
        active_seconds: float = 0.0,
        answers: Sequence[Kept] = (),
    ) -> list[Record]:
        """All of `events` in one transaction with `answers`, or none; durable on return. With a lease, its epoch is
        checked in the same transaction, and LeaseLost raised if a later one exists."""
        ...

    def read(self, after: int = 0, *, swarm: str | None = None, limit: int = 100_000) -> list[Record]:
        """Records with a number above `after`, in order; of one swarm, or of all (`None`)."""
        ...

    def lease(self, swarm: str, owner: str, *, seconds: float = 15.0, renew: Lease | None = None) -> Lease | None:
        """Take (or renew) the lease of a swarm for so many seconds; `None` while another owner's is in force,
        LeaseLost where `renew` has been overtaken."""
        ...

    def release(self, lease: Lease) -> None:
        """Give the lease back, so that the next runner need not wait for it to run out."""
        ...


# ---------------------------------------------------------------- Laboratory


Watch = Callable[[Curves], str]
"""Looks at the curves of a run that goes on: why it is to be ended, or ""."""


class Laboratory(Protocol):
    """Runs experiments. Everything that happens to one experiment is a `Run`; it raises LaboratoryError only where
    no experiment can run at all."""

    workers: int
    notes: tuple[str, ...]
    """What a person should know of it, once it is open."""

    async def open(self) -> None:
        """Get ready (import and load what experiments need)."""
        ...

    async def run(self, experiment: Experiment, timeout_seconds: float, *, watch: Watch | None = None) -> Run:
        """Execute once. Cancelling the call kills the experiment; so does `watch`, and the run is "pruned" then."""
        ...

    async def close(self) -> None:
        """Kill what runs, leave no process behind."""
        ...


# ---------------------------------------------------------------- Library


class Passage(Word, frozen=True):
    """A piece of a paper: `text` is the paper's text from `start` to `end`."""

    id: str
    paper: str
    title: str
    kind: str
    place: str
    start: int
    end: int
    text: str


class Hit(msgspec.Struct, frozen=True):
    """A passage and its score; only the order of scores means something."""

    passage: Passage
    score: float


class Library(Protocol):
    """Finds passages. Lexical at once, fused with vectors where a librarian has them."""

    def search(self, query: str, limit: int = 10) -> list[Hit]:
        """The best passages first; [] for an empty library or a query without words."""
        ...

    def passage(self, id: str) -> Passage:
        """A passage by its id; LibraryError where there is none."""
        ...

    def cite(self, passage: Passage, terms: Sequence[str]) -> Citation:
        """The sentence of the passage that speaks most of `terms`, with its exact place."""
        ...

    def verify(self, citation: Citation) -> bool:
        """Whether the quotation stands word for word at its place."""
        ...


# ---------------------------------------------------------------- Mind


class Attempt(Word, frozen=True):
    """A variation that was tried, as a mind may build on it or mend it."""

    hypothesis: str
    statement: str
    variation: Variation
    gain: float | None = None
    """Mean gain over its reference in screening; None where it gave no value."""
    error: str = ""
    """Why it gave none: message and traceback."""
    tries: int = 0
    """How often it was mended before."""


class Brief(Word, frozen=True):
    """What a mind is told: data only, never instructions from papers."""

    question: str
    analysis: Analysis
    base: Variation
    """The code to vary."""
    targets: tuple[str, ...] = ()
    """Names in `base` that the direction covers; () for all."""
    tried: frozenset[str] = frozenset()
    """Ids of variations that exist already."""
    good: tuple[Variation, ...] = ()
    """Variations that did well, best first: material to combine."""
    favours: dict[str, float] = {}
    """Value or callable → weight in its favour, from the literature."""
    policy: Policy = Policy()
    seed: int = 0
    """Of the mind's own choices: the same brief gives the same answer."""
    agent: str = ""
    """Who thinks, and in which role; both matter to minds that think ahead."""
    role: str = ""
    objective: Objective | None = None
    findings: tuple[str, ...] = ()
    """What is settled, in words."""
    known: tuple[Attempt, ...] = ()
    """What came of variations that matter here, the best first."""
    passages: tuple[Passage, ...] = ()
    """What the library has on the question."""


class Idea(Word, frozen=True):
    """A variation and why it might help."""

    variation: Variation
    statement: str
    why: str = ""
    refuted_if: str = ""
    """What would speak against it."""
    citations: tuple[Citation, ...] = ()
    parent: str = ""
    """The hypothesis whose code it goes on from."""
    claim: bool = False
    """Whether its first citation claims it: then it is put to a test at once."""


class Space(Word, frozen=True):
    """Where a mind would look for a knob's value, and why."""

    knob: str
    low: float
    high: float
    why: str


class Mind(Protocol):
    """How an agent thinks. A classical mind reasons by rules; a language model is another implementation."""

    name: str

    def queries(self, brief: Brief) -> list[str]:
        """What to look for in the library."""
        ...

    def favours(self, brief: Brief, texts: Sequence[str]) -> dict[str, float]:
        """Which values and callables of the analysis the passages speak of, with weights in [0, 1]."""
        ...

    def invent(self, brief: Brief) -> Idea | None:
        """One variation that is not in `brief.tried`; None where nothing is left."""
        ...


class Findings(Word, frozen=True):
    """What a mind has read: quotations, what they say together, and where papers contradict each other."""

    queries: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    """Of the passages that are to the point, the most so first."""
    citations: tuple[Citation, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    contradictions: tuple[Sentence, ...] = ()


@runtime_checkable
class Thinker(Protocol):
    """A mind that takes its time. The engine lets it think beside its loop, and `invent` gives what it thought of."""

    name: str

    @property
    def down(self) -> bool:
        """Whether nobody answers it at the moment, so that waiting for it makes no sense."""
        ...

    def offers(self, tried: Container[str], agent: str = "") -> frozenset[str]:
        """Targets for which it (or one of its agents) has an idea that nobody has tried (ids of variations)."""
        ...

    async def think(self, brief: Brief, desk: Desk) -> int:
        """Think about the brief; how many ideas are new."""
        ...

    async def look_up(self, brief: Brief, desk: Desk, queries: Sequence[str], terms: Sequence[str]) -> Findings:
        """Read what the library has on the brief, beyond what the queries of a classical mind find."""
        ...


# ---------------------------------------------------------------- Role


class Task(msgspec.Struct, frozen=True):
    """Work chosen for an agent: what is announced in the ledger before it begins, and what then runs."""

    agent: str
    role: str
    direction: str = ""
    announce: tuple[AnyEvent, ...] = ()
    experiments: tuple[Experiment, ...] = ()
    edits: tuple[Edit, ...] = ()
    subject: str = ""
    """Hypothesis, plan or query that the task is about."""


class Desk(Protocol):
    """What the engine puts at an agent's disposal while it performs a task."""

    state: SwarmState
    library: Library
    context: str
    """Hash of what the cell needs besides itself: part of every experiment's name."""
    workers: int
    closing: bool
    """Whether screening has come to its end (its share is spent, or nothing new is left to try)."""

    def left(self, purpose: Purpose) -> int:
        """How many runs the budget still pays for, for this purpose."""
        ...

    def append(self, *events: AnyEvent) -> None:
        """Write to the ledger and fold at once."""
        ...

    async def run(self, experiment: Experiment) -> Run | None:
        """Run an experiment against the budget; None where the budget has ended. A finished twin is not run again."""
        ...

    def mind(self, agent: str) -> Mind:
        """The agent's mind."""
        ...


@runtime_checkable
class Thoughtful(Protocol):
    """A role whose agents may have minds that take their time."""

    def brief(self, state: SwarmState, agent: Agent, desk: Desk) -> Brief | None:
        """What the agent's mind should think about now; None where that can wait."""
        ...


class Role(Protocol):
    """One kind of researcher. `propose` is quick and pure; `perform` does the work."""

    name: str

    def propose(self, state: SwarmState, agent: Agent, direction: Direction | None, desk: Desk) -> Task | None:
        """The next thing this agent would do there; None for nothing."""
        ...

    async def perform(self, task: Task, desk: Desk) -> None:
        """Do it; what comes of it goes to the ledger."""
        ...
