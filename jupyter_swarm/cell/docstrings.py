"""What a docstring says of a parameter: choices in braces, ranges in brackets. numpy's style and Google's."""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

from jupyter_swarm.cell.ranges import Span
from jupyter_swarm.cell.vocabulary import POOR_CHOICES
from jupyter_swarm.words import Value

_NUMBER = r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
_INTERVAL = re.compile(rf"(?:\bin|interval|range)\b[^\[(\n]{{0,24}}([\[(])\s*{_NUMBER}\s*,\s*{_NUMBER}\s*([\])])")
_BETWEEN = re.compile(rf"\bbetween\s+{_NUMBER}\s+and\s+{_NUMBER}")
_CHAIN = re.compile(rf"{_NUMBER}\s*(<=?)\s*`*\w+`*\s*(<=?)\s*{_NUMBER}")
_SECTION = re.compile(r"^[ \t]*(?:Parameters|Args|Arguments)[ \t]*:?[ \t]*\n(?:[ \t]*-{3,}[ \t]*\n)?", re.MULTILINE)
_NEXT = re.compile(r"^[ \t]*[A-Z][A-Za-z ]+[ \t]*\n[ \t]*-{3,}|^[A-Z][a-z]+:[ \t]*$", re.MULTILINE)
_NUMPY = re.compile(r"^(?P<indent>[ \t]*)(?P<names>\w+(?:, *\w+)*)[ ]*:[ ]*(?P<type>.*)$")
_GOOGLE = re.compile(r"^(?P<indent>[ \t]*)(?P<names>\w+)[ ]*(?:\((?P<type>[^)]*)\))?:[ ]+(?P<rest>.*)$")


class Said(NamedTuple):
    """What is said of one parameter: its type, and what follows."""

    kind: str
    text: str

    @property
    def real(self) -> bool:
        """Whether it takes numbers with a fraction."""
        return "float" in self.kind or "real" in self.kind

    @property
    def whole(self) -> bool:
        """Whether it takes whole numbers, perhaps besides others."""
        return re.search(r"\bint(eger)?s?\b", self.kind) is not None

    def span(self) -> Span | None:
        """Choices or a range, where they are spelt out."""
        if (choices := _choices(self.kind)) is not None:
            return Span(choices=choices)
        return _range(f"{self.kind}\n{self.text}", self.real)


def parameters(doc: str) -> dict[str, Said]:
    """Each parameter of a docstring with what is said of it; {} where the docstring has no such part.

    >>> doc = "Parameters\\n----------\\nnu : float, default=0.5\\n    In the interval (0, 1].\\n"
    >>> said = parameters(doc)
    >>> said["nu"].span()
    Span(low=0.001, high=1.0, log=False, integer=False, choices=())
    """
    begin = _SECTION.search(doc)
    if begin is None:
        return {}
    body = doc[begin.end() :]
    end = _NEXT.search(body)
    body = body[: end.start()] if end else body
    pattern = _NUMPY if "-" in begin.group() else _GOOGLE
    found: dict[str, Said] = {}
    names: list[str] = []
    indent = None
    for line in body.splitlines():
        match = pattern.match(line)
        if match is not None and (indent is None or match["indent"] == indent):
            indent = match["indent"]
            names = [name.strip() for name in match["names"].split(",")]
            rest = match.groupdict().get("rest") or ""
            found |= dict.fromkeys(names, Said(match["type"] or "", rest))
        elif names:
            found |= {name: Said(found[name].kind, f"{found[name].text}\n{line.strip()}") for name in names}
    return found


def _choices(kind: str) -> tuple[Value, ...] | None:
    match = re.search(r"\{([^{}]+)\}", kind)
    if match is None:
        return None
    try:
        values = ast.literal_eval(f"[{match[1]}]")
    except (ValueError, SyntaxError):
        return None
    plain = all(value is None or isinstance(value, (bool, int, float, str)) for value in values)
    kept = tuple(value for value in values if value not in POOR_CHOICES)
    return kept if plain and len(kept) > 1 else None


def _range(text: str, real: bool) -> Span | None:
    if (match := _INTERVAL.search(text)) is not None:
        low, high, open_low, open_high = float(match[2]), float(match[3]), match[1] == "(", match[4] == ")"
    elif (match := _BETWEEN.search(text)) is not None:
        low, high, open_low, open_high = float(match[1]), float(match[2]), False, False
    elif (match := _CHAIN.search(text)) is not None:
        low, high, open_low, open_high = float(match[1]), float(match[4]), match[2] == "<", match[3] == "<"
    else:
        return None
    if not low < high:
        return None
    step = (high - low) / 1000 if real else 1.0
    low, high = low + step * open_low, high - step * open_high
    return Span(low, high) if low < high else None
