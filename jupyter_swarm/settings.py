"""What a person sets when asking for a swarm: metric, budget, options; read, checked and named by a hash."""

from __future__ import annotations

import hashlib
import json
import keyword
import math
import re
from collections.abc import Mapping, Sequence

from jupyter_swarm.errors import UsageError
from jupyter_swarm.words import Budget, Objective

PRUNING = ("median", "hyperband", "none")
"""Rules by which screening ends hopeless runs (`roles/pruning.py`)."""
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
MOST_AGENTS = 10_000
MOST_SECONDS = 366 * 86400.0
MOST_EXPERIMENTS = 10_000_000
OPTIONS = (
    "workers", "timeout_seconds", "share_confirmation", "seed", "mind", "network", "gpus", "unsafe", "read",
    "min_effect", "equivalent", "prune", "tradeoff", "models", "base_url",
)  # fmt: skip
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdx])")
_DOLLARS = re.compile(r"\$\s*(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)\s*usd")
_TOKENS = re.compile(r"(\d+(?:\.\d+)?)\s*([kM]?)t", re.IGNORECASE)
THOUSANDS = {"": 1, "k": 1_000, "m": 1_000_000}
_BUDGET_CURE = (
    "time (s, m, h, d), experiments (x), or both, as in 90s, 2m, 500x or 2m,500x; "
    "for language models dollars and tokens too, as in 2m,2usd or 2m,500kt"
)


def parse_budget(text: str) -> Budget:
    """A budget from its short form: time, experiments, or both; dollars and tokens of language models beside them.

    Raises:
        UsageError: it is zero or nonsense.

    >>> found = parse_budget("2m,500x")
    >>> found.seconds, found.experiments
    (120.0, 500)
    >>> parse_budget("1h30m").seconds
    5400.0
    >>> found = parse_budget("1m,$2.50,500kt")
    >>> found.dollars, found.tokens
    (2.5, 500000)
    """
    seconds: float | None = None
    experiments: int | None = None
    compact = text.strip().lower()
    parts, dollars, tokens = _models_share(text, [part.strip() for part in compact.split(",")])
    all_units = [unit for part in parts for _, unit in _PART.findall(part)]
    for part in parts:
        found = _PART.findall(part)
        if not found or _PART.sub("", part).strip() or len(set(all_units)) < len(all_units):
            raise UsageError(f"{text!r} is no budget", where="--budget", cure=_BUDGET_CURE)
        for number, unit in found:
            if unit != "x":
                seconds = (seconds or 0.0) + float(number) * UNITS[unit]
            elif "." in number or experiments is not None:
                raise UsageError(f"{text!r} is no budget", where="--budget", cure=_BUDGET_CURE)
            else:
                experiments = int(number)
    if seconds == 0.0 or experiments == 0:
        raise UsageError(f"a budget of {text!r} buys nothing", where="--budget", cure=_BUDGET_CURE)
    if (seconds or 0.0) > MOST_SECONDS or (experiments or 0) > MOST_EXPERIMENTS:
        raise UsageError(f"a budget of {text!r} is more than a year or ten million runs", cure=_BUDGET_CURE)
    return Budget(seconds=seconds, experiments=experiments, dollars=dollars, tokens=tokens)


def _models_share(text: str, parts: list[str]) -> tuple[list[str], float | None, int | None]:
    """The parts of a budget that are neither dollars nor tokens, and these two."""
    rest, dollars, tokens = [], [], []
    for part in parts:
        if found := _DOLLARS.fullmatch(part):
            dollars.append(float(found[1] or found[2]))
        elif found := _TOKENS.fullmatch(part):
            tokens.append(round(float(found[1]) * THOUSANDS[found[2]]))
        else:
            rest.append(part)
    if len(dollars) > 1 or len(tokens) > 1:
        raise UsageError(f"{text!r} is no budget", where="--budget", cure=_BUDGET_CURE)
    return rest, next(iter(dollars), None), next(iter(tokens), None)


def budget_text(budget: Budget) -> str:
    """The short form that the ledger carries: seconds, experiments, dollars, tokens.

    >>> budget_text(Budget(seconds=120.0, experiments=500)), budget_text(Budget(seconds=0.5, dollars=2.5))
    ('120s,500x', '0.5s,$2.5')
    """
    parts = []
    if budget.seconds is not None:
        parts.append(f"{budget.seconds:.3f}".rstrip("0").rstrip(".") + "s")
    if budget.experiments is not None:
        parts.append(f"{budget.experiments}x")
    if budget.dollars is not None:
        parts.append(f"${budget.dollars:.6f}".rstrip("0").rstrip("."))
    if budget.tokens is not None:
        parts.append(f"{budget.tokens}t")
    return ",".join(parts)


def parse_seconds(text: str) -> float:
    """A length of time, as in a budget.

    >>> parse_seconds("5m")
    300.0
    """
    try:
        budget = parse_budget(text)
    except UsageError:
        budget = Budget()
    if budget.seconds is None or (budget.experiments, budget.dollars, budget.tokens) != (None, None, None):
        raise UsageError(f"{text!r} is no length of time", cure="write it as in 90s, 5m or 1h30m")
    return budget.seconds


def objective_of(maximize: str | None, minimize: str | None) -> Objective:
    """The objective that two options say.

    Raises:
        UsageError: neither, both, or something that is no name.
    """
    if bool(maximize) == bool(minimize):
        what = "say what to measure" if not maximize else "choose one of --maximize and --minimize"
        raise UsageError(what, cure="--maximize METRIC, a name that the cell assigns")
    metric = str(maximize or minimize)
    if not metric.isidentifier() or keyword.iskeyword(metric):
        raise UsageError(f"{metric!r} is no name of a variable", where="metric", cure="a name that the cell assigns")
    return Objective(metric=metric, maximize=bool(maximize))


def tradeoff(text: str) -> Objective:
    """The second objective, of which less is better unless `:max` follows.

    Raises:
        UsageError: it is no name.

    >>> tradeoff("latency_ms"), tradeoff("recall:max").maximize
    (Objective(metric='latency_ms', maximize=False), True)
    """
    found, way = Objective.second(text), text.partition(":")[2]
    if not found.metric.isidentifier() or keyword.iskeyword(found.metric) or way not in ("", "max", "min"):
        cure = "a name that the cell assigns, or seconds, or peak_mb: less is better, or NAME:max"
        raise UsageError(f"{text!r} is no second objective", where="--tradeoff", cure=cure)
    return found


def checked(agents: int, options: Mapping[str, str | int | float | bool | None]) -> dict[str, str | int | float | bool]:
    """Options of a swarm that make sense, those that are None left out.

    Raises:
        UsageError: an option is unknown or out of its range.
    """
    if not 1 <= agents <= MOST_AGENTS:
        raise UsageError(f"{agents} agents make no swarm", where="--agents", cure=f"1 to {MOST_AGENTS:,}")
    chosen = {name: value for name, value in options.items() if value is not None}
    for name in chosen:
        if name not in OPTIONS:
            raise UsageError(f"a swarm has no option {name!r}", cure=f"one of {', '.join(OPTIONS)}")
    if "workers" in chosen and not 1 <= int(chosen["workers"]) <= 4096:
        raise UsageError(f"{chosen['workers']} workers run nothing", where="--workers", cure="1 or more")
    if not 0 <= float(chosen.get("min_effect", 0.0)) < math.inf:
        raise UsageError(f"an effect of {chosen['min_effect']} is none", where="--min-effect", cure="0 or more")
    if not 0 < float(chosen.get("equivalent", 1.0)) < math.inf:
        raise UsageError(
            f"{chosen['equivalent']} is no difference", where="--equivalent", cure="more than 0, in units of the metric"
        )
    if chosen.get("prune", "median") not in PRUNING:
        raise UsageError(f"{chosen['prune']!r} is no rule", where="--prune", cure=f"one of {', '.join(PRUNING)}")
    if "tradeoff" in chosen:
        tradeoff(str(chosen["tradeoff"]))
    mind = chosen.get("mind", "classical")
    if mind != "classical":
        from jupyter_swarm import minds

        minds.find(str(mind))
    return chosen


def digest(
    cell: str,
    setup: Sequence[str],
    objective: Objective,
    budget: Budget,
    agents: int,
    names: Sequence[Sequence[str]],
    options: Mapping[str, str | int | float | bool],
) -> str:
    """The hash by which an unchanged cell with unchanged settings is recognised; blank ends of lines do not matter."""
    lines = [[line.rstrip() for line in each.strip("\n").splitlines()] for each in (cell, *setup)]
    settings = [objective.metric, objective.maximize, budget_text(budget), agents, *map(sorted, names)]
    text = json.dumps([lines, settings, sorted(options.items())])
    return hashlib.sha256(text.encode()).hexdigest()
