"""Filters of system calls in the kernel's small language (classic BPF): decisions, put together as a program.

A filter maps numbers of system calls to *decisions*: a constant answer (`ALLOW`, `deny(errno)`), or a `Branch` on
an argument, which ends in one. The program finds the decision by binary search, so that a call costs about eight
instructions; what is allowed whatever its arguments, the kernel notes in a bitmap and never asks for again.

Arguments have 64 bits, the language 32. Where the kernel itself looks at the low half only (`int`, `unsigned int`), a
branch must do likewise, or setting a high bit would get around it; pointers are compared in both halves.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_KILL = 0x80000000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_LOAD, _RETURN, _AND = 0x20, 0x06, 0x54
_EQUAL, _AT_LEAST, _ANY_BIT = 0x15, 0x35, 0x45
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16


def deny(code: int) -> int:
    """The answer that makes a system call fail with this error."""
    return _ERRNO | code


@dataclass(frozen=True)
class Branch:
    """Look at an argument (its low 32 bits, after masking), and decide.

    `how`: "in": it is one of `values`; "bits": it has a bit of `values[0]`; "null": all of its 64 bits are zero.
    """

    argument: int
    how: Literal["in", "bits", "null"]
    then: Decision
    otherwise: Decision
    values: tuple[int, ...] = ()
    mask: int = 0xFFFFFFFF


Decision = int | Branch


class _Assembler:
    """Instructions whose jumps name labels; jumps go forward, by at most 255."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, int, str | None, str | None]] = []  # code, k, where if so, where if not
        self.labels: dict[str, int] = {}
        self.shared: dict[Decision, str] = {}

    def put(self, code: int, k: int, yes: str | None = None, no: str | None = None) -> None:
        """One instruction; a jump to None goes to the next."""
        self.lines.append((code, k, yes, no))

    def label(self, name: str) -> None:
        """The next instruction is called so."""
        self.labels[name] = len(self.lines)

    def fresh(self) -> str:
        """A name that nothing has."""
        return f"_{len(self.labels)}_{len(self.lines)}"

    def where(self, decision: Decision) -> str:
        """The label of a decision that is put at the end."""
        return self.shared.setdefault(decision, f"decision{len(self.shared)}")

    def decide(self, decision: Decision) -> None:
        """The instructions of a decision."""
        if isinstance(decision, int):
            self.put(_RETURN, decision)
            return
        low, then, otherwise = (
            _ARGUMENTS + 8 * decision.argument,
            self.where(decision.then),
            self.where(decision.otherwise),
        )
        if decision.how == "null":
            self.put(_LOAD, low + 4)
            self.put(_EQUAL, 0, None, otherwise)
        self.put(_LOAD, low)
        if decision.mask != 0xFFFFFFFF:
            self.put(_AND, decision.mask)
        if decision.how == "in":
            for value in decision.values[:-1]:
                self.put(_EQUAL, value, then)
            self.put(_EQUAL, decision.values[-1], then, otherwise)
        elif decision.how == "bits":
            self.put(_ANY_BIT, decision.values[0], then, otherwise)
        else:
            self.put(_EQUAL, 0, then, otherwise)

    def search(self, starts: list[tuple[int, Decision]]) -> None:
        """Binary search: the decision of the last start that is not above the number."""
        if len(starts) == 1:
            raise AssertionError("a single start needs no search")
        middle = len(starts) // 2
        low, high = starts[:middle], starts[middle:]
        label = self.fresh() if len(high) > 1 else self.where(high[0][1])
        self.put(_AT_LEAST, high[0][0], label, self.where(low[0][1]) if len(low) == 1 else None)
        if len(low) > 1:
            self.search(low)
        if len(high) > 1:
            self.label(label)
            self.search(high)

    def bytes(self) -> bytes:
        """The program: eight bytes an instruction."""
        parts = []
        for at, (code, k, yes, no) in enumerate(self.lines):
            jumps = [0 if name is None else self.labels[name] - at - 1 for name in (yes, no)]
            if not all(0 <= jump <= 255 for jump in jumps):
                raise AssertionError(f"a jump of {jumps} is too far")
            parts.append(struct.pack("=HBBI", code, *jumps, k & 0xFFFFFFFF))
        return b"".join(parts)


def program(machine: str, decisions: Mapping[int, Decision], newest: int, unknown: int) -> bytes:
    """A filter: what is not named is allowed, up to the number `newest`; above it (x32 too) the answer is `unknown`.

    A call by another architecture's numbers ends the process: no program of this machine makes one by accident.

    >>> len(program("x86_64", {62: deny(1)}, 469, deny(38))) // 8
    10
    """
    starts: list[tuple[int, Decision]] = [(0, ALLOW)]
    for number in sorted(decisions):
        starts += [(number, decisions[number]), (number + 1, ALLOW)]
    starts = [(number, each) for number, each in starts if number <= newest] + [(newest + 1, unknown)]
    starts = [one for one, following in pairwise([*starts, (-1, -1)]) if one[0] != following[0]]
    starts = [one for before, one in pairwise([(-1, -1), *starts]) if one[1] != before[1]]
    assembler = _Assembler()
    assembler.put(_LOAD, _ARCHITECTURE)
    assembler.put(_EQUAL, ARCHITECTURES[machine], None, assembler.where(_KILL))
    assembler.put(_LOAD, _NUMBER)
    assembler.search(starts)
    while missing := [each for each, name in assembler.shared.items() if name not in assembler.labels]:
        tests = [each for each in missing if isinstance(each, Branch)]
        for each in tests or missing:
            assembler.label(assembler.where(each))
            assembler.decide(each)
    return assembler.bytes()
