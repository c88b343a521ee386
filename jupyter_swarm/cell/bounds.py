"""What a variation has to keep, besides being better: `--keep "latency_ms <= 5"`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from jupyter_swarm.errors import CellError

_SAID = re.compile(r"\s*([^\W\d]\w*)\s*(<=|>=|<|>)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*")
_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
SECONDS, PEAK = "seconds", "peak_mb"
"""Names that every run has: how long its cell took, and the memory of its own that it held at most."""
MEASURED = frozenset({SECONDS, PEAK})


class Bound(NamedTuple):
    """One condition on a value that a run records."""

    name: str
    order: str
    limit: float

    def broken(self, values: Mapping[str, float]) -> str:
        """Why a run does not keep it; "" where it does.

        >>> parse("latency_ms <= 5").broken({"latency_ms": 6.0})
        'latency_ms is 6, and has to be <= 5'
        """
        if self.name not in values:
            return f"{self.name} was not recorded, and has to be {self.order} {self.limit:g}"
        value = values[self.name]
        return "" if _ORDERS[self.order](value, self.limit) else f"{self.name} is {value:g}, and has to be {self}"

    def __str__(self) -> str:
        return f"{self.order} {self.limit:g}"


def parse(text: str) -> Bound:
    """A condition from its text.

    Raises:
        CellError: it is none.
    """
    found = _SAID.fullmatch(text)
    if found is None:
        raise CellError(f"{text!r} is no condition", where="--keep", cure='as in --keep "latency_ms <= 5"')
    return Bound(found[1], found[2], float(found[3]))


def broken(keep: Sequence[str], values: Mapping[str, float]) -> str:
    """Which condition a run does not keep, in words; "" where it keeps all."""
    return "; ".join(filter(None, (parse(each).broken(values) for each in keep)))


def recorded(record: Sequence[str], keep: Sequence[str]) -> tuple[str, ...]:
    """Names of the cell that a run has to record, for their own sake or for a condition.

    >>> recorded(["f1"], ["latency_ms <= 5", "seconds < 3"])
    ('f1', 'latency_ms')
    """
    names = [*record, *(parse(each).name for each in keep)]
    return tuple(dict.fromkeys(name for name in names if name not in MEASURED))
