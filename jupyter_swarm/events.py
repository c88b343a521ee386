"""What can happen, as frozen values: the alphabet of the ledger.

*Requests* are appended by faces (and answered), *results* by the runner alone. A new kind is a new class here and one
function in `state`'s table; an old reader refuses a kind that it does not know, and says which version to install.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from jupyter_swarm.words import (
    Analysis,
    Budget,
    Citation,
    Compromise,
    Context,
    Evidence,
    Experiment,
    Holdout,
    Hypothesis,
    Objective,
    Plan,
    Policy,
    Run,
    Sentence,
    Variation,
    Word,
)

SteeringVerb = Literal[
    "priority", "add", "close", "approve", "veto", "replicate", "budget", "hire", "dismiss", "resize"
]
Mark = Literal["approved", "vetoed"]
MARKS: Mapping[str, Mark] = {"approve": "approved", "veto": "vetoed"}
"""What a hypothesis is once a person has asked so."""


class Event(Word, frozen=True, tag_field="kind"):
    """Base of all events."""


# ---------------------------------------------------------------- requests: what a person asks for


class SwarmRequested(Event, frozen=True, tag="swarm-requested"):
    """A new swarm: everything the runner needs, so that it can start (and resume) from the ledger alone."""

    objective: Objective
    budget: Budget
    agents: int
    analysis: Analysis
    context: Context
    cell_hash: str
    """Hash of the cell and its magic line: running it again unchanged re-attaches."""
    options: dict[str, str | int | float | bool] = {}
    """workers, seed (of the swarm's own choices), timeout_seconds, share_confirmation, pairs."""
    holdout: Holdout | None = None


class PauseRequested(Event, frozen=True, tag="pause-requested"):
    """Stop starting work; what runs may finish."""

    id: str = ""
    """Chosen by who asks: the same one again is the same request."""


class ResumeRequested(Event, frozen=True, tag="resume-requested"):
    """Go on."""

    id: str = ""
    """Chosen by who asks: the same one again is the same request."""


class StopRequested(Event, frozen=True, tag="stop-requested"):
    """End the swarm now; findings so far stay."""

    id: str = ""
    """Chosen by who asks: the same one again is the same request."""


class SteeringRequested(Event, frozen=True, tag="steering-requested"):
    """A person's word to a swarm; the runner answers each with a SteeringAnswered.

    After the end there is no runner: what is judged is approved or vetoed by the request itself.
    """

    verb: SteeringVerb
    target: str = ""
    """Direction (id or words), hypothesis id, run number, role, agent id, according to the verb."""
    value: float | str | None = None
    """Priority, budget, mind of the one to hire, number of agents, according to the verb."""
    id: str = ""
    """Chosen by who asks: the same one again is the same request."""


class PaperAdded(Event, frozen=True, tag="paper-added"):
    """A paper of the workspace's library; its text lies in `.swarm/library/<paper>.json`. Swarm of the record: ""."""

    paper: str
    title: str
    source: str
    form: Literal["paper", "documentation"]
    version: str = ""
    passages: int = 0


class IndexBuilt(Event, frozen=True, tag="index-built"):
    """The vector index holds all passages of the papers named so far (librarian). Swarm of the record: ""."""

    model: str
    passages: int
    through: int
    """The ledger's number of the last PaperAdded that the index covers."""


class Noted(Event, frozen=True, tag="noted"):
    """A line for the log that people read. Swarm "" for the workspace."""

    text: str
    level: Literal["info", "warning", "error"] = "info"


# ---------------------------------------------------------------- results: only the runner


class RunnerStarted(Event, frozen=True, tag="runner-started"):
    """A runner took the lease and goes on from the ledger."""

    pid: int
    host: str
    epoch: int
    versions: dict[str, str] = {}


class RunnerEnded(Event, frozen=True, tag="runner-ended"):
    """A runner left without the swarm being over (paused and idle, told to quit)."""

    why: str


class SwarmPaused(Event, frozen=True, tag="swarm-paused"):
    """The swarm rests."""


class SwarmResumed(Event, frozen=True, tag="swarm-resumed"):
    """The swarm goes on."""


class SwarmEnded(Event, frozen=True, tag="swarm-ended"):
    """The swarm is over."""

    state: Literal["done", "stopped", "failed"]
    why: str


class SteeringAnswered(Event, frozen=True, tag="steering-answered"):
    """The answer to the request with this ledger number."""

    request: int
    done: bool
    answer: str


class AgentHired(Event, frozen=True, tag="agent-hired"):
    """An agent begins on probation."""

    agent: str
    role: str
    mind: str
    policy: Policy = Policy()
    parent: str = ""


class StandingChanged(Event, frozen=True, tag="standing-changed"):
    """The roster's decision about an agent, with its reason."""

    agent: str
    standing: Literal["probation", "active", "plan", "dismissed"]
    why: str


class DirectionOpened(Event, frozen=True, tag="direction-opened"):
    """A line of inquiry, named in words; `targets` are the knobs, swaps, inserts and blocks that it covers."""

    direction: str
    title: str
    agent: str
    targets: tuple[str, ...] = ()
    why: str = ""
    citations: tuple[Citation, ...] = ()
    base: Variation | None = None
    """What its variations start from; None is the baseline."""


class DirectionWeighted(Event, frozen=True, tag="direction-weighted"):
    """The person's priority of a direction (1 is neutral, 0 rests it)."""

    direction: str
    priority: float


class DirectionClosed(Event, frozen=True, tag="direction-closed"):
    """No more work goes there."""

    direction: str
    why: str


class EvidenceFound(Event, frozen=True, tag="evidence-found"):
    """Literature found passages for a direction; `values` are variations that they name, with a weight in their
    favour."""

    agent: str
    direction: str
    query: str
    citations: tuple[Citation, ...] = ()
    favours: dict[str, float] = {}
    sentences: tuple[Sentence, ...] = ()
    """What passages say together, as a language model wrote it."""
    contradictions: tuple[Sentence, ...] = ()
    """Where papers contradict each other, likewise."""


class BudgetChanged(Event, frozen=True, tag="budget-changed"):
    """A person raised or cut the budget."""

    budget: Budget


class HypothesisProposed(Event, frozen=True, tag="hypothesis-proposed"):
    """An idea with its code, before anything of it runs."""

    hypothesis: Hypothesis


class HypothesisMarked(Event, frozen=True, tag="hypothesis-marked"):
    """A person's approval or veto."""

    hypothesis: str
    mark: Mark


class ExperimentStarted(Event, frozen=True, tag="experiment-started"):
    """An experiment is about to run: its budget is taken now. Numbered from 1 within the swarm."""

    number: int
    experiment: Experiment


class ExperimentFinished(Event, frozen=True, tag="experiment-finished"):
    """A run came back, as a value or as a reason."""

    number: int
    run: Run


class PlanRegistered(Event, frozen=True, tag="plan-registered"):
    """A plan counts from here on, run or not."""

    plan: Plan


class VerdictReached(Event, frozen=True, tag="verdict-reached"):
    """The judgement of a plan, by `statistics` over its pairs."""

    hypothesis: str
    plan: str
    evidence: Evidence


class BestEstimated(Event, frozen=True, tag="best-estimated"):
    """The best cell, measured again on untouched seeds."""

    variation: Variation
    mean: float
    low: float
    high: float
    runs: int
    hypothesis: str = ""


class HoldoutMeasured(Event, frozen=True, tag="holdout-measured"):
    """A supported finding on data that no run had seen: mean gain with its Student interval, positive is better."""

    hypothesis: str
    effect: float
    low: float | None
    high: float | None
    pairs: int
    mean: float
    """Of the variation's metric there."""
    failed: int = 0
    """Runs of the variation that gave no value there; those of its reference. Their pairs are left out."""
    failed_reference: int = 0


class FrontMeasured(Event, frozen=True, tag="front-measured"):
    """Two objectives: the variations between which one has to choose, as screening saw them, measured again."""

    points: tuple[Compromise, ...]


class SpaceSuggested(Event, frozen=True, tag="space-suggested"):
    """An agent would look for a knob's value in another range than the usual one."""

    agent: str
    direction: str
    knob: str
    low: float
    high: float
    why: str
    wider: str = ""
    """The knob's range from now on, where the usual one was too narrow; as `Analysis.wider` has it."""


class SummaryWritten(Event, frozen=True, tag="summary-written"):
    """A language model's words over the findings; numbers and quotations were checked, and what failed is left out."""

    agent: str
    model: str
    sentences: tuple[str, ...]
    struck: int = 0
    """Sentences that were left out."""


class ModelAsked(Event, frozen=True, tag="model-asked"):
    """A language model is about to be asked: its upper bounds are taken from the budget now."""

    call: str
    """Hash of the request, and how often it was tried before where it was: `3f…` or `3f…/1`."""
    agent: str
    role: str
    model: str
    prompt: str
    """Name and version, as in "ideas 2"."""
    tokens_in: int
    tokens_out: int
    dollars: float | None = None
    """None where nobody knows the price."""


class ModelAnswered(Event, frozen=True, tag="model-answered"):
    """What came of a `ModelAsked`: what it really took is settled."""

    call: str
    tokens_in: int
    tokens_out: int
    dollars: float | None = None
    seconds: float = 0.0
    failed: str = ""
    """Why there is no answer, or ""."""
    guessed: bool = False
    """Whether the provider did not say how much it took: its upper bounds stand then, as for a call that hung."""


class TaskFinished(Event, frozen=True, tag="task-finished"):
    """An agent's task is over; its cost enters the record."""

    agent: str
    role: str
    direction: str = ""
    seconds: float = 0.0
    failed: bool = False
    why: str = ""


AnyEvent = (
    SwarmRequested
    | PauseRequested
    | ResumeRequested
    | StopRequested
    | SteeringRequested
    | PaperAdded
    | IndexBuilt
    | Noted
    | RunnerStarted
    | RunnerEnded
    | SwarmPaused
    | SwarmResumed
    | SwarmEnded
    | SteeringAnswered
    | AgentHired
    | StandingChanged
    | DirectionOpened
    | DirectionWeighted
    | DirectionClosed
    | EvidenceFound
    | BudgetChanged
    | HypothesisProposed
    | HypothesisMarked
    | ExperimentStarted
    | ExperimentFinished
    | PlanRegistered
    | VerdictReached
    | BestEstimated
    | HoldoutMeasured
    | FrontMeasured
    | SpaceSuggested
    | SummaryWritten
    | ModelAsked
    | ModelAnswered
    | TaskFinished
)


class Record(msgspec.Struct, frozen=True):
    """An event as the ledger holds it."""

    number: int
    """Position in the ledger, from 1, without order between swarms implied beyond it."""
    swarm: str
    at: float
    """Wall clock, seconds since 1970 (UTC); for people only, never for decisions."""
    active_seconds: float
    """The swarm's own clock: seconds its runner has worked on it, pauses and downtime left out."""
    event: AnyEvent


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AnyEvent)


def kind_of(event: Event) -> str:
    """The tag under which an event is stored.

    >>> kind_of(PauseRequested())
    'pause-requested'
    """
    return str(event.__struct_config__.tag)


def encode(event: Event) -> bytes:
    """JSON of an event, its kind included.

    >>> encode(Noted(text="hello"))
    b'{"kind":"noted","text":"hello"}'
    """
    return _encoder.encode(event)


def decode(body: bytes | str) -> AnyEvent:
    """The event of a JSON text.

    Raises:
        msgspec.ValidationError: the kind is unknown or a field has another type.

    >>> decode(b'{"kind":"noted","text":"hello"}').text
    'hello'
    """
    event: AnyEvent = _decoder.decode(body)
    return event
