"""The lock: what no agent may touch, compared as trees with the baseline's."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import NamedTuple

from jupyter_swarm.cell import seeds
from jupyter_swarm.cell.directives import directives
from jupyter_swarm.cell.scan import Same, imports_in
from jupyter_swarm.cell.slicing import SEED, Slice, sliced
from jupyter_swarm.cell.vocabulary import DANGEROUS, DANGEROUS_ATTRIBUTES
from jupyter_swarm.errors import LockError
from jupyter_swarm.words import Analysis, Locked

_HEADS = {
    ast.For: ("target", "iter"),
    ast.AsyncFor: ("target", "iter"),
    ast.If: ("test",),
    ast.While: ("test",),
    ast.With: ("items",),
    ast.AsyncWith: ("items",),
}


class Item(NamedTuple):
    """A locked statement: what it must stay, and where it stands."""

    shape: str
    text: str
    why: str
    line: int


class Print(NamedTuple):
    """All of a code that is locked."""

    items: tuple[Item, ...]
    seeds: frozenset[str]
    rows: frozenset[str]
    """Names of evaluated data that the free part reads."""
    names: frozenset[str]
    free: tuple[str, ...]


def check_lock(code: str, analysis: Analysis) -> None:
    """Refuse code that touches what is locked in the baseline: metric, split, seeds, evaluated data.

    Raises:
        LockError: something locked differs; the message says what, where and why.
        CellError: the code does not parse.

    >>> cell = "score = cross_val_score(estimator=Ridge(alpha=1.0), X=X, y=y, cv=5).mean()"
    >>> check_lock(cell.replace("1.0", "2.0"), Analysis(code=cell, metric="score"))
    >>> check_lock(cell.replace("cv=5", "cv=2"), Analysis(code=cell, metric="score"))
    Traceback (most recent call last):
    jupyter_swarm.errors.LockError: ...
    """
    if code == analysis.code:
        return
    mine, reference = _print_of(code, analysis), _print_of(analysis.code, analysis)
    _compare_items(mine.items, reference.items)
    if not mine.seeds <= reference.seeds:
        raise LockError(
            f"the seed was changed to {', '.join(sorted(mine.seeds - reference.seeds))}",
            cure="leave seeds to the harness, which sets them for each run",
        )
    if more := mine.rows - reference.rows:
        raise LockError(
            f"a free part reads {', '.join(sorted(more))}, on which the metric is evaluated",
            cure="learn from the training data alone",
        )
    if more := mine.names - reference.names:
        raise LockError(f"the code uses {', '.join(sorted(more))}, which can reach around the lock")
    if mine.free != reference.free:
        raise LockError(
            "a comment `#: free`, `#: lock` or `#: low..high` was moved",
            cure="only the person's own cell may hold them",
        )


def locked(analysis: Analysis) -> tuple[Locked, ...]:
    """What is locked in the baseline, with why, in the order of the cell."""
    return tuple(Locked(text=i.text, why=i.why, line=i.line) for i in _print_of(analysis.code, analysis).items)


def _compare_items(mine: tuple[Item, ...], reference: tuple[Item, ...]) -> None:
    shapes, known = [item.shape for item in mine], [item.shape for item in reference]
    if shapes == known:
        return
    for item in mine:
        if item.shape not in known:
            raise LockError(
                f"`{item.text}` changes what is locked: {item.why}",
                where=f"line {item.line}",
                cure="vary what is free, or unlock the line in your cell with #: free",
            )
    for item in reference:
        if item.shape not in shapes:
            raise LockError(f"`{item.text}` is missing: {item.why}", cure="keep what is locked as it is in your cell")
    raise LockError("locked statements were repeated or put in another order", cure="keep their order")


@lru_cache(maxsize=1024)
def _printed(code: str, key: Same) -> Print:
    analysis = key.value
    slice_ = sliced(code, analysis)
    scan = slice_.scan
    items = sorted(slice_.items.values(), key=lambda item: (item[0].lineno, item[0].col_offset))
    free_lines = directives(code).free
    kept = [item for item in items if not (item[0].lineno in free_lines and item[0].end_lineno in free_lines)]
    lines = code.split("\n")
    marked = sorted(free_lines | directives(code).lock | set(directives(code).spans))
    loads = [n for n in ast.walk(scan.tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    targets = {id(part) for statement, _ in items for part in _head(statement, slice_)}
    return Print(
        items=tuple(_item(statement, why, slice_) for statement, why in kept),
        seeds=frozenset(
            ast.unparse(node) for node in seeds.values(scan) if not (isinstance(node, ast.Name) and node.id == "seed")
        ),
        rows=frozenset(
            scan.key(n)
            for n in loads
            if scan.key(n) in slice_.rows and id(n) not in targets and not slice_.is_locked(n)
        ),
        names=frozenset(
            {n.id for n in loads if n.id in DANGEROUS}
            | (DANGEROUS & set(imports_in(scan.tree).values()))
            | {n.attr for n in ast.walk(scan.tree) if isinstance(n, ast.Attribute) and n.attr in DANGEROUS_ATTRIBUTES}
        ),
        free=tuple(lines[line - 1].split("=")[0].strip() for line in marked),
    )


def _print_of(code: str, analysis: Analysis) -> Print:
    return _printed(code, Same(analysis))


def _item(statement: ast.stmt, why: str, slice_: Slice) -> Item:
    around = "/".join(type(parent).__name__ for parent in slice_.scan.text.ancestors(statement))
    shape = " ".join(_masked(part, slice_) for part in _head(statement, slice_))
    text = " ".join(slice_.scan.text.source(statement).split("\n")[0].split())
    kind = type(statement).__name__
    name = getattr(statement, "name", "")
    return Item(f"{around}:{kind}:{name}:{shape}", text, SEED if why == SEED else why, statement.lineno)


def _head(statement: ast.stmt, slice_: Slice) -> list[ast.AST]:
    """What of a statement is compared: not the statements in it, but for functions that are locked whole."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and slice_.opened.is_entered(statement):
        return [statement.args, *statement.decorator_list]
    fields = _HEADS.get(type(statement))
    if fields is None:
        return list(ast.iter_child_nodes(statement))
    found: list[ast.AST] = []
    for name in fields:
        value = getattr(statement, name)
        found += value if isinstance(value, list) else [value]
    return found


def _kept(node: ast.AST, slice_: Slice) -> str:
    """What is locked inside something free."""
    if isinstance(node, ast.expr) and slice_.is_locked(node):
        return _masked(node, slice_)
    return "".join(_kept(child, slice_) for child in ast.iter_child_nodes(node))


def _masked(node: ast.AST, slice_: Slice) -> str:
    """The tree as text, with holes left blank."""
    if slice_.is_hole(node):
        return "_" + "".join(_kept(child, slice_) for child in ast.iter_child_nodes(node))
    parts = []
    for name, value in ast.iter_fields(node):
        if name in ("ctx", "type_comment", "kind"):
            continue
        if isinstance(value, ast.AST):
            parts.append(_masked(value, slice_))
        elif isinstance(value, list):
            parts.append("[" + " ".join(_masked(v, slice_) if isinstance(v, ast.AST) else repr(v) for v in value) + "]")
        else:
            parts.append(f"{type(value).__name__}:{value!r}")
    return f"({type(node).__name__} {' '.join(parts)})"
