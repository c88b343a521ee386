"""What a metric rests on besides its code: captured data, and the callables by which it is measured.

The lock compares code before a run; whoever executes it watches what is named here while it runs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from jupyter_swarm.cell.scan import Same, Scan, scanned
from jupyter_swarm.cell.slicing import sliced
from jupyter_swarm.cell.vocabulary import is_seed
from jupyter_swarm.words import Analysis


class Rests(NamedTuple):
    """What must stay as it is while a cell runs."""

    names: tuple[str, ...]
    """What the notebook lends to locked parts: data, and its own functions."""
    callables: tuple[str, ...]
    """`module:qualname` of what the baseline's locked parts name; `__main__:name` for what the notebook lends."""
    also: tuple[str, ...]
    """The same for all else that this code names: models, and what was swapped in or inserted."""
    fixed: tuple[str, ...]
    """Names in locked parts that the notebook lends and the cell gives no other value."""


def rests_on(code: str, analysis: Analysis) -> Rests:
    """What the metric rests on, of a code that has passed `check_lock`.

    Raises:
        CellError: the code does not parse.

    >>> known = {"cross_val_score": "sklearn.model_selection:cross_val_score", "Ridge": "sklearn.linear_model:Ridge"}
    >>> cell = "score = cross_val_score(Ridge(alpha=1.0), X, y).mean()"
    >>> found = rests_on(cell, Analysis(code=cell, metric="score", names=("X", "y", *known), imported=known))
    >>> found.names, found.callables[0]
    (('X', 'y'), 'sklearn.model_selection:cross_val_score')
    """
    return _rests(code, Same(analysis))


@lru_cache(maxsize=512)
def _rests(code: str, key: Same) -> Rests:
    analysis = key.value
    slice_ = sliced(analysis.code, analysis)
    scan = slice_.scan
    locked = [node for node in _loads(scan) if slice_.is_locked(node)]
    callables = _paths(locked, scan)
    mine = scan if code == analysis.code else scanned(code, analysis)
    names = {scan.key(node) for node in locked if isinstance(node, ast.Name)} | slice_.rows
    lent = {name for name in names & set(analysis.names) if not is_seed(name)}
    assigned = _assigned(scan)
    return Rests(
        names=tuple(sorted(lent - analysis.imported.keys() - assigned)),
        callables=callables,
        also=tuple(path for path in _paths(_loads(mine), mine) if path not in callables),
        fixed=tuple(sorted(lent - assigned)),
    )


def _loads(scan: Scan) -> list[ast.expr]:
    """Names and attributes that a code reads, in its order."""
    nodes = [node for node in ast.walk(scan.tree) if isinstance(node, (ast.Name, ast.Attribute))]
    loads: list[ast.expr] = [node for node in nodes if isinstance(node.ctx, ast.Load)]
    return sorted(loads, key=lambda node: (node.lineno, node.col_offset))


def _paths(nodes: Iterable[ast.expr], scan: Scan) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path for node in nodes if (path := _path(node, scan)) is not None))


def _path(node: ast.expr, scan: Scan) -> str | None:
    """What a name stands for, where it was imported or the notebook lends it; None for modules and the cell's own."""
    path = scan.path(node)
    if path is not None:
        return path if ":" in path else None
    lent = isinstance(node, ast.Name) and scan.key(node) in scan.analysis.names and node.id not in scan.imported
    return f"__main__:{node.id}" if lent and isinstance(node, ast.Name) else None


def _assigned(scan: Scan) -> set[str]:
    """Names that a cell gives a value of its own."""
    return {name for name, found in scan.definitions.items() if any(each.kind != "mutate" for each in found)}
