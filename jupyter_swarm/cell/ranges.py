"""What values a knob may take: guessed from its value, said in a comment, or said on the magic's line."""

from __future__ import annotations

import re
from typing import NamedTuple

from jupyter_swarm.cell.vocabulary import same
from jupyter_swarm.errors import CellError
from jupyter_swarm.words import Knob, Value

_PROBABILITY = re.compile(
    r"p|q|nu|.*dropout.*|.*prob|.*probability|.*ratio|.*fraction|frac|subsample|.*momentum|quantile|.*_quantile|"
    r"colsample.*|.*beta_?[12]|.*rate_drop|drop_rate|threshold|.*percent|rho|.*smoothing",
    re.IGNORECASE,
)
_NUMBER = r"[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"(int\s+)?({_NUMBER})\s*\.\.\s*({_NUMBER})(\s+log)?(\s+int)?")


class Span(NamedTuple):
    """What a person or an inspection said a knob may take."""

    low: float | None = None
    high: float | None = None
    log: bool = False
    integer: bool = False
    choices: tuple[Value, ...] = ()


def guess(name: str, value: Value) -> Span | None:
    """A range from the value alone (and from whether the name is that of a proportion); None for nothing sensible.

    >>> guess("C", 1.0)
    Span(low=0.001, high=1000.0, log=True, integer=False, choices=())
    >>> guess("depth", 3)
    Span(low=1, high=30, log=False, integer=True, choices=())
    >>> guess("dropout", 0.5).high
    1.0
    """
    if isinstance(value, bool):
        return Span(choices=(value, not value))
    if isinstance(value, int):
        if value < 0:
            return None
        return Span(1, 10 * value, log=value >= 10, integer=True) if value else Span(0, 10, integer=True)
    if not isinstance(value, float):
        return None
    if value == 0.0 or (0 < value <= 1 and _PROBABILITY.fullmatch(name)):
        return Span(0.0, 1.0)
    if value < 0:
        return Span(float(f"{10 * value:.6g}"), float(f"{value / 10:.6g}"))
    return Span(float(f"{value / 1000:.6g}"), float(f"{value * 1000:.6g}"), log=True)


def parse_span(text: str) -> Span | None:
    """`1e-3..1e3 log`, `int 1..10` or `a|b|c` as a range; None where it is none of these.

    >>> parse_span("1e-3..1e3 log")
    Span(low=0.001, high=1000.0, log=True, integer=False, choices=())
    >>> parse_span("rbf|linear").choices
    ('rbf', 'linear')
    """
    text = text.strip()
    if (match := _RANGE.fullmatch(text)) is not None:
        low, high = float(match[2].replace("_", "")), float(match[3].replace("_", ""))
        log, integer = bool(match[4]), bool(match[1] or match[5])
        if not low < high or (log and low <= 0) or high - low == float("inf"):
            return None
        return Span(low, high, log, integer)
    if "|" in text:
        choices = tuple(_word(part) for part in text.split("|"))
        return Span(choices=choices) if all(choice != "" for choice in choices) else None
    return None


def _word(text: str) -> Value:
    text = text.strip().strip("'\"")
    named: dict[str, Value] = {"True": True, "False": False, "None": None}
    if text in named:
        return named[text]
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        return number if number - number == 0 else text
    return text


def knob(name: str, value: Value, span: Span, *, line: int = 0, origin: str = "value") -> Knob:
    """A knob from a span; whole numbers where value and bounds are whole and nothing says otherwise."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if span.choices:
        known = any(same(choice, value) for choice in span.choices)
        choices = span.choices if known else (value, *span.choices)
        return Knob(name=name, value=value, choices=choices, line=line, origin=origin)
    bounds = [bound for bound in (span.low, span.high) if bound is not None]
    integer = span.integer or (whole and all(float(bound).is_integer() for bound in bounds))
    return Knob(
        name=name, value=value, low=span.low, high=span.high, log=span.log, integer=integer, line=line, origin=origin
    )


def fitted(known: Knob, name: str, value: Value, *, line: int) -> Knob | None:
    """What is known of a parameter, for the value that it has in the cell; None where no range makes sense."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if known.choices and any(same(choice, value) for choice in known.choices):
        return knob(name, value, Span(choices=known.choices), line=line, origin=known.origin)
    if known.choices and isinstance(value, str):
        return knob(name, value, Span(choices=known.choices), line=line, origin=known.origin)
    own = guess(name.rpartition(".")[2], value)
    if not number or own is None or known.low is None or known.high is None:
        return knob(name, value, own, line=line) if own is not None else None
    assert isinstance(value, (int, float))
    integer = known.integer and isinstance(value, int)
    if known.low <= value <= known.high:
        span = Span(known.low, known.high, known.log, integer)
    else:
        low, high = min(known.low, own.low or known.low, value), max(known.high, own.high or known.high, value)
        span = Span(low, high, known.log and low > 0, integer)
    return knob(name, value, span, line=line, origin=known.origin)


class Wish(NamedTuple):
    """One `--vary`: a name and perhaps what it may take."""

    name: str
    span: Span | None = None


def parse_vary(text: str) -> Wish:
    """`SVC.C`, `SVC.C=1e-3..1e3 log` or `SVC.kernel=rbf|linear`.

    Raises:
        CellError: what follows `=` is neither a range nor choices.

    >>> parse_vary("lr=1e-4..1e-1 log").span.log
    True
    """
    name, equals, rest = text.partition("=")
    if not equals:
        return Wish(name.strip())
    span = parse_span(rest)
    if span is None:
        raise CellError(
            f"{rest.strip()!r} is neither a range nor choices",
            where=f"--vary {text}",
            cure=f"{name.strip()}=1e-3..1e3 log, {name.strip()}=1..10 or {name.strip()}=a|b",
        )
    return Wish(name.strip(), span)
