"""What a metric rests on besides its code: captured data, and the callables by which it is measured.

The lock compares code before a run; whoever executes it watches what is named here while it runs.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import NamedTuple

from jupyter_swarm.cell.scan import Same, Scan, scanned
from jupyter_swarm.cell.slicing import sliced
from jupyter_swarm.words import Analysis


class Rests(NamedTuple):
    """What must stay as it is while a cell runs."""

    names: tuple[str, ...]
    """What the notebook lends to locked parts: data, and its own functions."""
    callables: tuple[str, ...]
    """`module:qualname` of what the baseline's locked statements name, models in them included; `__main__:name` for
    what the notebook lends."""
    also: tuple[str, ...]
    """The same of this code, where the baseline does not name it: what was swapped in or inserted."""
    fixed: tuple[str, ...]
    """Names in locked parts that the notebook lends and the cell gives no other value."""


def rests_on(code: str, analysis: Analysis) -> Rests:
    """What the metric rests on, of a code that has passed `check_lock`.

    Raises:
        CellError: the code does not parse.

    >>> known = {"cross_val_score": "sklearn.model_selection:cross_val_score", "Ridge": "sklearn.linear_model:Ridge"}
    >>> cell = "score = cross_val_score(Ridge(alpha=1.0), X, y).mean()"
    >>> found = rests_on(cell, Analysis(code=cell, metric="score", names=("X", "y", *known), imported=known))
    >>> found.names, found.callables[:2]
    (('X', 'y'), ('sklearn.model_selection:cross_val_score', 'sklearn.linear_model:Ridge'))
    """
    return _rests(code, Same(analysis))


@lru_cache(maxsize=512)
def _rests(code: str, key: Same) -> Rests:
    analysis = key.value
    paths, locked = _named(analysis.code, analysis)
    mine = paths if code == analysis.code else _named(code, analysis)[0]
    lent = (set(locked) | sliced(analysis.code, analysis).rows) & set(analysis.names)
    assigned = _assigned(analysis)
    return Rests(
        names=tuple(sorted(lent - analysis.imported.keys() - assigned)),
        callables=paths,
        also=tuple(path for path in mine if path not in paths),
        fixed=tuple(sorted(lent - assigned)),
    )


def _named(code: str, analysis: Analysis) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Paths of what locked statements name, locked parts first; and the names that locked parts read."""
    scan, slice_ = scanned(code, analysis), sliced(code, analysis)
    statements = sorted((each for each, _ in slice_.items.values()), key=lambda each: (each.lineno, each.col_offset))
    nodes = [
        node
        for each in statements
        for node in ast.walk(each)
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load)
    ]
    locked = [node for node in nodes if slice_.is_locked(node)]
    paths = dict.fromkeys(path for node in (*locked, *nodes) if (path := _path(node, scan)) is not None)
    return tuple(paths), tuple(node.id for node in locked if isinstance(node, ast.Name))


def _path(node: ast.expr, scan: Scan) -> str | None:
    """What a name stands for, where it was imported or the notebook lends it; None for modules and the cell's own."""
    path = scan.path(node)
    if path is not None:
        return path if ":" in path else None
    lent = isinstance(node, ast.Name) and node.id in scan.analysis.names and node.id not in scan.imported
    return f"__main__:{node.id}" if lent and isinstance(node, ast.Name) else None


def _assigned(analysis: Analysis) -> set[str]:
    """Names that the baseline gives a value of its own."""
    found = scanned(analysis.code, analysis).definitions
    return {name for name, places in found.items() if any(each.kind != "mutate" for each in places)}
