"""The nouns of the field, as frozen values: they travel in events, and every room speaks them.

Nothing here imports anything of ours. Times are seconds, places in text are character offsets, values are finite
floats.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import Literal

import msgspec

Value = None | bool | int | float | str
"""A literal that a knob may take."""

Verdict = Literal["supported", "refuted", "open"]
Purpose = Literal["baseline", "screening", "confirmation", "best", "front", "holdout", "replication"]
Reason = Literal[
    "failure", "timeout", "missing", "nonfinite", "bounds", "pruned", "locked", "refused", "stopped", "lost"
]
Scope = Literal["seeds", "splits", "exact"]
WRITTEN = "written code"
"""The target of a direction in which language models write code, instead of naming what may vary."""
RoleName = str
Point = tuple[float, float]
"""Of a curve: a step, and the value after it."""
Curves = dict[str, tuple[Point, ...]]
"""How a run does while it runs, by name, in the order of recording."""


class Word(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all words: immutable, compared by value, written as JSON."""


class Objective(Word, frozen=True):
    """What is measured and which way is better."""

    metric: str
    maximize: bool = True

    @classmethod
    def second(cls, text: str) -> Objective:
        """From the text of `--tradeoff`: of a second objective less is better, unless `:max` follows its name."""
        name, _, way = text.partition(":")
        return cls(metric=name, maximize=way == "max")

    def gain(self, value: float, reference: float) -> float:
        """How much better `value` is than `reference`; positive is better whatever the direction."""
        return value - reference if self.maximize else reference - value


class Budget(Word, frozen=True):
    """What a swarm may spend; at least one of the first two is given."""

    seconds: float | None = None
    experiments: int | None = None
    dollars: float | None = None
    """On language models."""
    tokens: int | None = None
    """Of language models, in and out."""


class Citation(Word, frozen=True):
    """A quotation and the exact place it stands at: `text[start:end] == quote` in the paper's text."""

    paper: str
    title: str
    kind: Literal["paper", "documentation"]
    passage: str
    place: str
    start: int
    end: int
    quote: str


class Sentence(Word, frozen=True):
    """A statement about the literature, and the quotations that it rests on, each checked by program."""

    text: str
    citations: tuple[Citation, ...]


class Knob(Word, frozen=True):
    """A literal of the cell that may be varied. `name` is unique in its cell (`SVC.C`, `epochs`)."""

    name: str
    value: Value
    low: float | None = None
    high: float | None = None
    log: bool = False
    integer: bool = False
    choices: tuple[Value, ...] = ()
    line: int = 0
    origin: str = ""
    """Where the range comes from: "value", "signature", "docstring" or "comment"."""


class Swap(Word, frozen=True):
    """A callable of the cell with siblings of the same shape; all as `module:qualname`."""

    name: str
    current: str
    candidates: tuple[str, ...]
    line: int = 0


class Insert(Word, frozen=True):
    """A place in a variadic call (`make_pipeline[0]`) where a sibling may be inserted."""

    name: str
    candidates: tuple[str, ...]
    line: int = 0


class Block(Word, frozen=True):
    """Something that can be left out: a step of a pipeline, a statement."""

    name: str
    text: str
    line: int = 0


class Locked(Word, frozen=True):
    """An expression or statement that no agent may touch, and why."""

    text: str
    why: str
    line: int = 0


class Leak(Word, frozen=True):
    """How the rows that the metric is measured on, or their targets, reach what is fitted; `what` and `cure` are
    sentences without their full stop."""

    kind: Literal["fitted", "target", "duplicates", "groups", "order", "tuned"]
    line: int
    what: str
    cure: str


class Capture(Word, frozen=True):
    """A name that the cell takes from the notebook."""

    name: str
    kind: Literal["import", "source", "data"]
    describes: str
    """For an import its statement; otherwise a short description ("ndarray (178, 13) float64")."""
    bytes: int = 0


class Parameter(Word, frozen=True):
    """A parameter of a callable in the catalogue, as a knob would have it (default and range)."""

    name: str
    knob: Knob | None = None
    """None where the default is no literal."""


class Recipe(Word, frozen=True):
    """A callable that variations may use, inspected once in the kernel so that the runner need not import it."""

    path: str
    summary: str = ""
    parameters: tuple[Parameter, ...] = ()
    """In the order of the signature: "*" or "*name" begins those by keyword only, "**name" takes any keyword."""
    shape: str = ""
    """What calling it makes: the methods that matter ("fit/transform", "forward"), "settings", or "" for a function."""


class Context(Word, frozen=True):
    """What a cell needs besides itself: imports as source, the rest in one content-addressed pickle."""

    imports: tuple[str, ...] = ()
    captures: tuple[Capture, ...] = ()
    pickle: str = ""
    """sha256 of the pickle under `.swarm/captures/`, or "" where nothing had to be pickled."""
    python: str = ""
    """Absolute path of the kernel's interpreter."""
    python_version: str = ""
    versions: dict[str, str] = {}
    """Versions of the packages that the imports name."""
    folder: str = ""
    """The notebook's folder: relative paths of the cell resolve there."""
    modules: str = ""
    """sha256 of the archive of the person's own modules under `.swarm/captures/`, or "" where there are none."""
    setup: tuple[str, ...] = ()
    """Cells of the notebook that are executed before it each time, as typed."""


class Analysis(Word, frozen=True):
    """What was found in a cell, once, in the kernel. The runner varies the cell with this alone."""

    code: str
    question: str = ""
    metric: str = ""
    knobs: tuple[Knob, ...] = ()
    swaps: tuple[Swap, ...] = ()
    inserts: tuple[Insert, ...] = ()
    blocks: tuple[Block, ...] = ()
    locked: tuple[Locked, ...] = ()
    catalogue: dict[str, Recipe] = {}
    scope: Scope = "seeds"
    test_ratio: float | None = None
    """Test rows over training rows where data are re-split by the seed, as Nadeau and Bengio (2003) need it."""
    fixed: tuple[str, ...] = ()
    vary: tuple[str, ...] = ()
    wider: tuple[str, ...] = ()
    """Ranges beyond those that were guessed, as in `SVC.C=1e-5..1e5 log`; what a person says counts more."""
    record: tuple[str, ...] = ()
    """Names whose values each run records besides the metric; locked like it."""
    keep: tuple[str, ...] = ()
    """Conditions on them that a variation has to keep: `latency_ms <= 5`."""
    own: tuple[str, ...] = ()
    """Modules of the person's own, beside the notebook."""
    names: tuple[str, ...] = ()
    """Names that the context provides (captures and imports)."""
    imported: dict[str, str] = {}
    """Name in the cell → `module:qualname` (or `module` for a module), for imports of cell and context."""
    warnings: tuple[str, ...] = ()
    leaks: tuple[Leak, ...] = ()


class Holdout(Word, frozen=True):
    """Data that no run of a swarm may see, and how its cell is measured on them: once, for what is supported."""

    expression: str
    analysis: Analysis
    """Of the cell with the expression after it; its metric is the expression's value."""
    context: Context
    """What both need, the new data among it."""
    context_hash: str


class Edit(Word, frozen=True):
    """One declared change. `target` names a knob, swap, insert or block; `value` is a literal or `module:qualname`."""

    kind: Literal["set", "swap", "insert", "drop"]
    target: str
    value: Value = None


@lru_cache(maxsize=4096)
def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class Variation(Word, frozen=True):
    """A cell after its edits, in order, from the baseline. No edits: the baseline itself."""

    code: str
    edits: tuple[Edit, ...] = ()
    free: bool = False
    """Whether it holds code that a language model wrote, besides the declared edits."""

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits of the code's hash."""
        return _digest(self.code)


class Compromise(Word, frozen=True):
    """A variation with two objectives, each measured again on untouched seeds: means and Student intervals."""

    variation: Variation
    hypothesis: str
    """"" for the baseline."""
    runs: int
    metric: tuple[float, float, float]
    """Mean, low, high."""
    second: tuple[float, float, float]
    """Likewise."""


class Hypothesis(Word, frozen=True):
    """A statement that can be tested: the variation raises the metric over its reference."""

    id: str
    statement: str
    direction: str
    agent: str
    variation: Variation
    reference: Variation
    """Usually the baseline; in an ablation, the best cell without one of its edits."""
    citations: tuple[Citation, ...] = ()
    why: str = ""
    refuted_if: str = ""
    """What would speak against it, as its agent said beforehand."""
    parent: str = ""
    """The hypothesis whose code this one goes on from."""
    claim: bool = False
    """Whether its first citation claims it: it is put to a test without a race before."""
    predicted: float = 0.5
    """The probability of *supported* that the agent's record gave when it proposed this."""
    equivalent: float = 0.0
    """Where above 0, the statement is another one: the variation is no worse than its reference by more than this, and
    cheaper."""


class Plan(Word, frozen=True):
    """How a hypothesis will be judged; written before its runs and never changed."""

    id: str
    hypothesis: str
    agent: str
    first_seed: int
    max_pairs: int
    margin: float
    """The smallest effect that counts, in units of the metric; of an equivalence, the largest loss that does not."""
    weight: float
    """γ of this plan; all weights of a swarm sum to at most 1."""
    level: float = 0.05


class Experiment(Word, frozen=True):
    """A cell, a seed and what it is for. Named by the hash of all that its value depends on."""

    code: str
    seed: int
    metric: str
    context: str
    """Hash of the context (imports, pickle, interpreter, versions)."""
    purpose: Purpose = "screening"
    title: str = ""
    hypothesis: str = ""
    agent: str = ""
    citations: tuple[Citation, ...] = ()
    free: bool = False
    """Code that a language model wrote and nobody has read, rather than declared edits of the person's own."""

    @property
    def id(self) -> str:
        """Content hash of code, seed, metric, context; purpose and prose do not enter."""
        text = json.dumps([self.code, self.seed, self.metric, self.context])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Run(Word, frozen=True):
    """One execution: a value, or a reason why there is none."""

    experiment: str
    value: float | None = None
    reason: Reason | None = None
    message: str = ""
    traceback: str = ""
    seconds: float = 0.0
    values: dict[str, float] = {}
    """Name → value, of what was recorded besides the metric."""
    curves: Curves = {}
    """What it logged on its way, thinned."""
    peak: int = 0
    """Bytes of memory of its own that it held at most, as far as they were seen."""
    unwatched: tuple[str, ...] = ()
    """Of the person's own cell: data that the metric rests on and that cannot be compared before and after a run."""
    notebook: str = ""
    """Path of the executed notebook, relative to the workspace."""

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.value is not None


class Evidence(Word, frozen=True):
    """What the pairs of a plan say. `effect`, `low`, `high` in units of the metric, positive is better."""

    verdict: Verdict
    effect: float
    low: float | None
    high: float | None
    pairs: int
    e_value: float
    e_against: float
    scope: Scope
    new_data_low: float | None = None
    new_data_high: float | None = None
    cost_ratio: float = 1.0
    """Median seconds of the variation over those of its reference."""
    note: str = ""


class Policy(Word, frozen=True):
    """How an agent works: agents of one role differ in it, so that a record can mean something."""

    sampler: str = "tpe"
    boldness: float = 0.3
    """0: stays near what works; 1: far away."""
    depth: int = 8
    """Passages looked at a query."""
    weights: dict[str, float] = {}
    """Operator → weight (set, swap, insert, drop, combine)."""
