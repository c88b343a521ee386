"""Swaps, inserts and blocks: callables for their siblings, steps of a variadic call, statements that can go."""

from __future__ import annotations

import ast
from collections import Counter

from jupyter_swarm.cell.directives import directives
from jupyter_swarm.cell.scan import Scan, is_literal, name_of, root_of
from jupyter_swarm.cell.slicing import Slice
from jupyter_swarm.cell.vocabulary import BUILTINS, MODEL_METHODS, SILENT_PACKAGES, WRITERS, short
from jupyter_swarm.words import Block, Insert, Swap

_PLUMBING = MODEL_METHODS | {
    "append", "extend", "update", "add", "insert", "backward", "step", "zero_grad", "eval", "compile", "setup", "build",
    "write", "close", "show", "display", "print", "seed", "manual_seed",
}  # fmt: skip
"""Calls that a cell cannot do without, or that change no result."""


def families(scan: Scan) -> list[tuple[str, ...]]:
    """The groups of siblings that the baseline's swaps and inserts name; each callable with all that may replace it."""
    found = [(swap.current, *swap.candidates) for swap in scan.analysis.swaps]
    return found + [insert.candidates for insert in scan.analysis.inserts]


def family(path: str | None, scan: Scan) -> tuple[str, ...]:
    """The siblings of a callable, itself left out; () where it has none."""
    if path is None:
        return ()
    for group in families(scan):
        if path in group:
            return tuple(member for member in group if member != path)
    return ()


def find_swaps(swaps: dict[str, tuple[Swap, ast.Call]], scan: Scan, slice_: Slice) -> None:
    """Free calls of callables that have siblings."""
    marks = directives(scan.text.code)
    for call in scan.text.calls:
        if slice_.is_locked(call) or slice_.is_locked(call.func) or _on(call, marks.fixed):
            continue
        path = scan.path(call.func)
        if path is not None and (siblings := family(path, scan)):
            name = scan.labels[id(call)]
            swaps[name] = (Swap(name=name, current=path, candidates=siblings, line=call.lineno), call)


def find_steps(
    inserts: dict[str, tuple[Insert, ast.Call, int]],
    blocks: dict[str, tuple[Block, ast.Call | None, ast.expr | ast.stmt]],
    scan: Scan,
    slice_: Slice,
) -> None:
    """Places and steps of free variadic calls such as `make_pipeline(…)`."""
    marks = directives(scan.text.code)
    for call in scan.text.calls:
        signature = scan.signature(call.func)
        if signature is None or not signature.variadic or len(call.args) <= len(signature.positional):
            continue
        if slice_.is_locked(call) or _on(call, marks.fixed) or not all(isinstance(a, ast.Call) for a in call.args):
            continue
        steps = [argument for argument in call.args if isinstance(argument, ast.Call)]
        shapes = [recipe.shape if (recipe := scan.recipe(step.func)) else "" for step in steps]
        if not all(shapes) or len(set(shapes[:-1])) > 1:
            continue
        label = scan.labels[id(call)]
        _inserts(inserts, scan, call, steps, shapes)
        counts: Counter[str] = Counter()
        for step in steps[:-1]:
            counts[name_of(step.func)] += 1
            number = counts[name_of(step.func)]
            name = f"{label}.{name_of(step.func)}" + (f"[{number}]" if number > 1 else "")
            if family(scan.path(step.func), scan) and not _on(step, marks.fixed):
                blocks[name] = (Block(name=name, text=scan.text.source(step), line=step.lineno), call, step)


def _inserts(
    inserts: dict[str, tuple[Insert, ast.Call, int]],
    scan: Scan,
    call: ast.Call,
    steps: list[ast.Call],
    shapes: list[str],
) -> None:
    label = scan.labels[id(call)]
    alike = len(set(shapes)) == 1 and len(shapes) > 1
    group: tuple[str, ...] = ()
    for step in steps if alike else steps[:-1]:
        path = scan.path(step.func)
        if path is not None and (siblings := family(path, scan)):
            group = (path, *siblings)
            break
    if not group:
        start = name_of(call.func) + "["
        group = next((i.candidates for i in scan.analysis.inserts if i.name.startswith(start)), ())
    present = {scan.path(step.func) for step in steps}
    candidates = tuple(path for path in group if path not in present)
    if not candidates:
        return
    for place in range(len(steps) + alike):
        name = f"{label}[{place}]"
        inserts[name] = (Insert(name=name, candidates=candidates, line=call.lineno), call, place)


def find_statements(
    blocks: dict[str, tuple[Block, ast.Call | None, ast.expr | ast.stmt]], scan: Scan, slice_: Slice
) -> None:
    """Free statements that a cell still means something without: `x = augment(x)`, `x += noise`, `model.freeze()`."""
    marks = directives(scan.text.code)
    for node in ast.walk(scan.tree):
        if (
            not isinstance(node, ast.stmt)
            or id(node) in slice_.items
            or slice_.is_locked(node)
            or _on(node, marks.fixed)
        ):
            continue
        if not _can_go(node, scan, slice_):
            continue
        text = " ".join(scan.text.source(node).split())
        name = base = text if len(text) <= 60 else text[:59] + "…"
        number = 1
        while name in blocks:
            number += 1
            name = f"{base}[{number}]"
        blocks[name] = (Block(name=name, text=scan.text.source(node), line=node.lineno), None, node)


def _can_go(node: ast.stmt, scan: Scan, slice_: Slice) -> bool:
    match node:
        case ast.Expr(value=ast.Call(func=func) as call):
            path = scan.path(func)
            package = (path or root_of(func) or "").partition(".")[0].partition(":")[0]
            plain = isinstance(func, ast.Name) and func.id in BUILTINS
            if plain or package in SILENT_PACKAGES or name_of(func) in _PLUMBING | WRITERS or slice_.is_locked(call):
                return False
            return not name_of(func).startswith(("print", "plot", "show", "log", "save", "__"))
        case ast.Assign(targets=[target], value=ast.Call() as value):
            names = {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
            first = {n.id for argument in value.args for n in ast.walk(argument) if isinstance(n, ast.Name)}
            receiver = {root_of(value.func)} if isinstance(value.func, ast.Attribute) else set()
            plain = all(
                isinstance(t, (ast.Name, ast.Tuple, ast.Starred, ast.Load, ast.Store)) for t in ast.walk(target)
            )
            return plain and bool(names) and names <= (first | receiver) and not slice_.is_locked(value)
        case ast.AugAssign(target=ast.Name(id=name), value=value):
            return not is_literal(value) and name not in slice_.metrics and not slice_.is_locked(value)
    return False


def _on(node: ast.expr | ast.stmt, lines: frozenset[int]) -> bool:
    if isinstance(node, ast.Call):
        return bool({node.func.end_lineno or node.lineno} & lines)
    return node.lineno in lines or (node.end_lineno or 0) in lines


__all__ = ["families", "family", "find_statements", "find_steps", "find_swaps", "short"]
