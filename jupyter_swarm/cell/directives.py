"""The comments by which a person overrules: `#: 1e-3..1e3 log`, `#: fixed`, `#: lock`, `#: free`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from jupyter_swarm.cell.ranges import Span, parse_span
from jupyter_swarm.cell.text import text_of


@dataclass(frozen=True)
class Directives:
    """Line → what its comment says."""

    spans: dict[int, Span] = field(default_factory=dict)
    fixed: frozenset[int] = frozenset()
    lock: frozenset[int] = frozenset()
    free: frozenset[int] = frozenset()
    unknown: dict[int, str] = field(default_factory=dict)


@lru_cache(maxsize=512)
def directives(code: str) -> Directives:
    """All directives of a cell.

    >>> directives("C = 1.0  #: 0.1..10 log\\nk = 3  #: fixed").fixed
    frozenset({2})
    """
    spans: dict[int, Span] = {}
    unknown: dict[int, str] = {}
    words: dict[str, set[int]] = {"fixed": set(), "lock": set(), "free": set()}
    for line, comment in text_of(code).comments.items():
        if not comment.startswith("#:"):
            continue
        said = comment[2:].strip()
        if said.lower() in words:
            words[said.lower()].add(line)
        elif (span := parse_span(said)) is not None:
            spans[line] = span
        else:
            unknown[line] = said
    return Directives(spans, frozenset(words["fixed"]), frozenset(words["lock"]), frozenset(words["free"]), unknown)
