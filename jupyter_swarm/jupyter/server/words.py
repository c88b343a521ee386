"""What the server and its readers (panel, MCP) say to each other: plain values, written as JSON.

`openapi.py` describes them, `typescript.py` writes them down for the panel: a field that is added here is there, too.
Times are seconds, moments seconds since 1970 (UTC) by the *server's* clock, effects positive where better.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from jupyter_swarm.words import Budget, Citation, Sentence, Value

Verb = Literal[
    "pause", "resume", "stop", "priority", "add", "close", "approve", "veto", "replicate", "budget", "hire", "dismiss",
    "resize",
]  # fmt: skip


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all words of the interface."""


# ---------------------------------------------------------------- the server itself


class Limits(Said, frozen=True):
    """What an administrator allows; None (or nothing named) is no limit."""

    read_only: bool = False
    models: list[str] = []
    agents: int | None = None
    workers: int | None = None
    seconds: float | None = None
    experiments: int | None = None
    dollars: float | None = None
    tokens: int | None = None
    network: bool = True
    unsafe: bool = True
    gpus: bool = True
    upload_bytes: int = 0
    """The largest paper that is taken."""


class About(Said, frozen=True):
    """This server."""

    version: str
    at: float
    limits: Limits
    folder: str
    """The workspace's folder where the environment names one for all, relative to the root; else ""."""
    fixed: bool
    """Whether it does, so that no other can be chosen."""
    writes: bool
    """Whether this user may ask for changes."""
    executes: bool
    """Whether this user may start processes (resume, report, papers)."""


class Place(Said, frozen=True):
    """A folder with a workspace, relative to the server's root."""

    folder: str
    swarms: int
    updated: float


class Places(Said, frozen=True):
    """Workspaces below the root, the last used first."""

    places: list[Place]
    whole: bool
    """Whether all folders were looked at, or the search was cut for their number."""


class Problem(Said, frozen=True):
    """The body of every answer that is an error: what, where, the cure."""

    message: str
    where: str = ""
    cure: str = ""
    reason: str = ""
    """The class of the error, as in UsageError."""


# ---------------------------------------------------------------- swarms


class Measured(Said, frozen=True):
    """The baseline over its seeds."""

    mean: float
    sd: float
    n: int


class Leader(Said, frozen=True):
    """The best cell, measured again on untouched seeds."""

    mean: float
    low: float
    high: float
    runs: int
    hypothesis: str
    code: str


class Spend(Said, frozen=True):
    """What has been taken of the budget."""

    seconds: float
    experiments: int
    screening: int
    confirmation: int
    calls: int
    tokens: int
    dollars: float | None
    """None where nobody knows a price."""


class Head(Said, frozen=True):
    """What the list and the panel say of a swarm alike."""

    name: str
    phase: Literal["unknown", "requested", "running", "paused", "done", "stopped", "failed"]
    alive: bool
    """Whether a runner works on it now."""
    doing: str
    """The same in words: "pausing", "runner lost"."""
    why: str
    question: str
    metric: str
    maximize: bool
    begun: float
    updated: float
    budget: Budget
    supported: int
    refuted: int
    open: int


class Brief(Head, frozen=True):
    """A swarm in the list."""

    seconds: float
    experiments: int
    tokens: int
    dollars: float | None
    """None where nobody knows a price."""
    cursor: int


class Briefs(Said, frozen=True):
    """All swarms of a workspace, the newest first."""

    ledger: str
    """Which ledger this is; "" where there is none yet."""
    cursor: int
    at: float
    swarms: list[Brief]


class Knob(Said, frozen=True):
    """What may vary, as an axis."""

    name: str
    value: Value
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: list[Value] = []


class Card(Head, frozen=True):
    """A swarm, its head."""

    asked: str
    """"pause", "resume" or "stop" that the runner has not acted on yet."""
    spend: Spend
    running: int
    baseline: Measured | None
    best: Leader | None
    testing: int
    """Plans that have no verdict yet."""
    answer: str
    """The answer so far, in plain words."""
    alarm: str
    """Why the baseline failed, with its traceback."""
    failures: dict[str, int]
    """Runs without a value, by reason in words."""
    models: list[str]
    """Language models that its agents may have."""
    roles: dict[str, int]
    """Role → agents that work."""


class Direction(Said, frozen=True):
    """A line of inquiry."""

    id: str
    title: str
    agent: str
    why: str
    closed: str
    """Why no more work goes there; "" for an open one."""
    priority: float
    promise: float
    low: float
    high: float
    """The 90 % credible interval of the promise."""
    share: float
    """Of all screening runs so far."""
    trials: int
    supported: int
    failures: int
    hypotheses: int
    targets: list[str]
    citations: list[Citation]
    sentences: list[Sentence]
    contradictions: list[Sentence]


class Finding(Said, frozen=True):
    """A hypothesis with a plan: its verdict, or "testing" before it."""

    id: str
    statement: str
    direction: str
    agent: str
    verdict: Literal["supported", "refuted", "open", "testing"]
    mark: str
    """"approved", "vetoed" or ""."""
    audited: bool
    effect: float | None
    low: float | None
    high: float | None
    pairs: int
    planned: int
    """The largest number of pairs that the plan allows."""
    e_value: float | None
    scope: str
    """In words: what it holds over."""
    cost_ratio: float
    new_data: str
    """In words: the interval for new data, and what was measured on data held out."""
    note: str
    citations: int
    order: int
    """Where it stands among the findings, best first."""


class Agent(Said, frozen=True):
    """An agent with its record."""

    id: str
    role: str
    mind: str
    standing: str
    why: str
    parent: str
    running: int
    tasks: int
    seconds: float
    proposed: int
    supported: int
    refuted: int
    open: int
    failures: int
    promise: float
    calls: int
    tokens: int


class Runs(Said, frozen=True):
    """Runs as columns of one length."""

    number: list[int] = []
    seed: list[int] = []
    purpose: list[str] = []
    direction: list[str] = []
    agent: list[str] = []
    hypothesis: list[str] = []
    state: list[str] = []
    """"running", "ok", or the reason why there is no value."""
    value: list[float | None] = []
    seconds: list[float] = []
    clock: list[float] = []
    """The swarm's own clock when it came back."""
    title: list[str] = []
    edits: list[dict[str, Value]] = []
    """What differs from the person's cell: target → value; None for what is left out."""


class Line(Said, frozen=True):
    """A line of the log."""

    number: int
    at: float
    level: str
    text: str


class Answer(Said, frozen=True):
    """A request of a person and what the runner says to it; `done` is None until it does."""

    number: int
    verb: str
    target: str
    value: Value
    done: bool | None
    answer: str


class Changes(Said, frozen=True):
    """What is new of a swarm since a cursor; since 0, everything."""

    ledger: str
    cursor: int
    """Ask for what comes after it."""
    at: float
    whole: bool
    """Whether it is everything, so that whatever was known before has to be forgotten."""
    card: Card
    knobs: list[Knob]
    """Only in a whole one."""
    directions: list[Direction]
    findings: list[Finding]
    agents: list[Agent]
    runs: Runs
    log: list[Line]
    answers: list[Answer]


# ---------------------------------------------------------------- one thing, closer


class Hypothesis(Said, frozen=True):
    """A hypothesis with its code and the evidence."""

    id: str
    statement: str
    why: str
    refuted_if: str
    direction: str
    agent: str
    parent: str
    judged: str
    """The verdict in words; "" before it."""
    plan: str
    code: str
    reference: str
    diff: str
    """From the reference's code to its own, as unified lines."""
    audited: bool
    mark: str
    screening: list[int]
    """Runs by number: those that chose it, and those that judge it."""
    confirmation: list[int]
    gains: list[float]
    citations: list[Citation]


class Run(Said, frozen=True):
    """A run with its code and what came of it."""

    number: int
    title: str
    code: str
    seed: int
    purpose: str
    hypothesis: str
    direction: str
    agent: str
    state: str
    value: float | None
    values: dict[str, float]
    seconds: float
    peak: int
    message: str
    traceback: str
    notebook: bool
    """Whether its executed notebook can be had."""
    citations: list[Citation]


class Event(Said, frozen=True):
    """A record of the ledger, as it is kept."""

    number: int
    at: float
    active_seconds: float
    event: Annotated[msgspec.Raw, msgspec.Meta(title="LedgerEvent")]
    """One of `events.AnyEvent`, by its `kind`."""


class Events(Said, frozen=True):
    """Records after a cursor."""

    ledger: str
    cursor: int
    events: list[Event]


class Ask(Said, frozen=True, forbid_unknown_fields=True):
    """A request. `id` is chosen by who asks: the same one again is the same request, and is not appended twice."""

    verb: Verb
    target: str = ""
    value: Value = None
    id: str = ""
    wait: float = 0.0
    """Seconds to wait for the runner's answer, at most 5."""


class Taken(Said, frozen=True):
    """A request that stands in the ledger."""

    number: int
    again: bool
    """Whether it stood there already."""
    done: bool | None
    answer: str


class Written(Said, frozen=True):
    """A file that was written, relative to the server's root."""

    path: str


# ---------------------------------------------------------------- papers


class Paper(Said, frozen=True):
    """A paper of the library."""

    paper: str
    title: str
    source: str
    form: str
    version: str
    passages: int
    cited: int
    """How often findings and directions of this workspace cite it."""


class Papers(Said, frozen=True):
    """The library."""

    papers: list[Paper]
    meaning: bool
    """Whether passages are found by meaning too, not by their words alone."""
    note: str


class Hit(Said, frozen=True):
    """A passage that was found."""

    paper: str
    title: str
    place: str
    start: int
    end: int
    text: str


class Hits(Said, frozen=True):
    """Passages, best first."""

    query: str
    hits: list[Hit]


class Use(Said, frozen=True):
    """Where a quotation is used."""

    swarm: str
    kind: Literal["direction", "hypothesis"]
    id: str
    what: str
    start: int
    end: int


class Part(Said, frozen=True):
    """A page or section of a paper's text, by offsets."""

    name: str
    start: int
    end: int


class Text(Said, frozen=True):
    """A paper to read: a window of its text, its pages or sections, and where it was cited."""

    paper: str
    title: str
    source: str
    form: str
    length: int
    """Characters of the whole text."""
    start: int
    end: int
    text: str
    """Characters `start` to `end`."""
    parts: list[Part]
    uses: list[Use]


class Sources(Said, frozen=True, forbid_unknown_fields=True):
    """Papers to add: files relative to the workspace's folder, patterns, or `module:NAME`."""

    sources: list[str]


class Added(Said, frozen=True):
    """What came of adding one."""

    title: str
    paper: str
    source: str
    passages: int
    new: bool


class Additions(Said, frozen=True):
    """What came of adding several: those that could be, and what is wrong with the others."""

    added: list[Added]
    problems: list[Problem]
