"""Randomness that no seed decides, and seeds that are missing: told to the person, with the line."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_swarm.cell import seeds
from jupyter_swarm.cell.scan import Scan, dotted, name_of
from jupyter_swarm.cell.vocabulary import CLOCK, SEEDERS, is_seed

_SYSTEM = frozenset(
    {"urandom", "getrandom", "SystemRandom", "token_bytes", "token_hex", "token_urlsafe", "randbits", "randbelow",
     "uuid1", "uuid4"}
)  # fmt: skip
_CLOCK = CLOCK | {"getpid"}
_UNORDERED = frozenset({"as_completed", "imap_unordered", "map_unordered"})


def warnings(scan: Scan) -> Iterator[str]:
    """What the harness cannot seed, a sentence each."""
    if not seeds.present(scan):
        yield "no seed stands in the cell: what random, numpy and torch draw is seeded, other randomness is not"
    for call in scan.text.calls:
        name = name_of(call.func)
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        if name in SEEDERS and name != "seed" and not given:
            yield f"line {call.lineno}: {name}() draws from the system: give it seed, or runs do not repeat"
        elif name in SEEDERS and any(map(_reads_clock, given)):
            yield f"line {call.lineno}: the clock decides the seed of {name}: give it seed, or runs do not repeat"
        elif name in _SYSTEM:
            yield f"line {call.lineno}: {name}() draws from the system, which no seed decides: runs do not repeat"
        elif name in _UNORDERED:
            yield (
                f"line {call.lineno}: {name}() gives results in the order in which they come: sort them, or runs may "
                "not repeat"
            )
    for name, definitions in scan.definitions.items():
        for each in definitions:
            if is_seed(name) and each.value is not None and _reads_clock(each.value) and each.kind == "assign":
                yield f"line {each.node.lineno}: the clock decides {name}: give it a number, or runs do not repeat"
    for line in sorted(set(_sets(scan.tree))):
        yield (
            f"line {line}: the order of a set is that of hashes, which differ between kernels; experiments all have "
            "the same. sorted() gives an order of its own"
        )


def _reads_clock(node: ast.AST) -> bool:
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and name_of(each.func) in _CLOCK:
            root = (dotted(each.func) or "").partition(".")[0]
            if isinstance(each.func, ast.Name) or root in ("time", "datetime", "os", "pd"):
                return True
    return False


def _sets(tree: ast.AST) -> Iterator[int]:
    """Lines on which something goes through a set in its own order."""
    for node in ast.walk(tree):
        match node:
            case ast.For(iter=source) | ast.comprehension(iter=source) if _is_set(source):
                yield source.lineno
            case ast.Call(func=ast.Name(id="list" | "tuple" | "enumerate"), args=[source, *_]) if _is_set(source):
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=source, attr="pop"), args=[]) if _is_set(source):
                yield node.lineno


def _is_set(node: ast.expr) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return not all(isinstance(each, ast.Constant) for each in getattr(node, "elts", [node]))
        case ast.Call(func=ast.Name(id="set" | "frozenset"), args=[_, *_]):
            return True
    return False
