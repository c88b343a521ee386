"""Data that no run of a swarm has seen: the cell followed by what measures it on them (`--confirm EXPR`).

    held_out(code, "accuracy_score(y_new, model.predict(X_new))", metric="accuracy", namespace=globals())

The expression is the person's and is locked like the metric; what it alone needs is captured apart, so that no other
run can see it.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Mapping
from typing import Any

import msgspec

from jupyter_swarm.cell.reading import read
from jupyter_swarm.cell.syntax import python
from jupyter_swarm.cell.text import text_of
from jupyter_swarm.errors import CellError
from jupyter_swarm.words import Analysis

NEARLY_ALL, A_FEW = 0.9, 0.01
"""Shares of the rows of new data that are among the known ones: from here on they are refused, or told."""
MOST_NEW, MOST_KNOWN = 2_000, 2_000_000
"""Rows that are looked at."""
SUFFIX = "_on_new_data"
_WHERE = "--confirm"


def held_out(code: str, expression: str, base: Analysis, namespace: Mapping[str, Any], **wishes: Any) -> Analysis:
    """The cell, followed by the expression, read anew; its metric is what the expression gives.

    Args:
        code: the cell's source, as typed.
        expression: what measures it on new data, in its names and those of the notebook.
        base: the cell as the swarm varies it.
        namespace: the notebook's variables.
        wishes: as for `read`.

    Raises:
        CellError: it is no expression, or every run has seen all of it.
    """
    try:
        body = ast.parse(expression.strip(), mode="eval").body
    except SyntaxError as error:
        raise CellError(
            f"{expression!r} is no expression: {error.msg}",
            where=_WHERE,
            cure="one that gives the metric on new data, as in --confirm 'accuracy_score(y_new, model.predict(X_new))'",
        ) from None
    name = f"{base.metric}{SUFFIX}"
    found = read(extended(code, name, ast.unparse(body)), metric=name, namespace=namespace, **wishes)
    new = sorted(_read(body) - _read(text_of(base.code).tree) - {*dir(builtins), *found.imported})
    if not new:
        raise CellError(
            f"{expression!r} measures nothing new: the cell itself uses all that stands in it",
            where=_WHERE,
            cure="name data that the cell does not use, or a function of the notebook that loads them",
        )
    lent = [each for each in base.names if each in namespace]
    told = overlap({each: namespace[each] for each in new if each in namespace}, {n: namespace[n] for n in lent})
    return msgspec.structs.replace(found, warnings=(*told, *found.warnings)) if told else found


def _read(tree: ast.AST) -> set[str]:
    """Names that a piece of code mentions."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def overlap(new: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[str, ...]:
    """Where rows of new data are among those that every run sees, in words; few of them may be so by chance.

    Raises:
        CellError: new data lie in the same memory, or nearly all of their rows are among the known ones.

    >>> import numpy as np
    >>> overlap({"b": np.eye(3)}, {"a": 2 * np.eye(3)})
    ()
    """
    said = []
    for name, value in new.items():
        for other, before in known.items():
            share = 1.0 if _same_memory(value, before) else _shared_rows(value, before)
            if share >= NEARLY_ALL:
                rows = "its rows" if share == 1.0 else "nearly all of its rows"
                raise CellError(
                    f"{name} is nothing new: {rows} are among those of {other}, which every run sees",
                    where=_WHERE,
                    cure=f"split it off before {other} is made, and let the cell use what is left",
                )
            if share > A_FEW:
                said.append(
                    f"{100 * share:.0f} % of the rows of {name}, on which findings are to be confirmed, are among "
                    f"those of {other} too, which every run sees."
                )
    return tuple(said)


def _same_memory(first: Any, second: Any) -> bool:
    numpy = sys.modules.get("numpy")
    if numpy is None or not all(isinstance(each, numpy.ndarray) and each.size for each in (first, second)):
        return False
    try:
        return bool(numpy.shares_memory(first, second, max_work=100_000))
    except Exception:  # too hard to tell
        return False


def _shared_rows(first: Any, second: Any) -> float:
    """Share of the rows of the first that are among those of the second; 0 where rows can hardly be told apart."""
    rows, others = _rows(first, MOST_NEW), _rows(second, MOST_KNOWN)
    if rows is None or others is None or rows.shape[1] != others.shape[1] or rows.shape[1] < 2:
        return 0.0
    known = {row.tobytes() for row in others}
    if len(known) < len(others) / 2:
        return 0.0
    return sum(row.tobytes() in known for row in rows) / len(rows)


def _rows(value: Any, most: int) -> Any:
    """A table's rows as numbers; None for what is none."""
    numpy = sys.modules.get("numpy")
    values = getattr(value, "values", value)
    if numpy is None or not isinstance(values, numpy.ndarray) or values.ndim != 2 or not len(values):
        return None
    if values.dtype.kind not in "fiub":
        return None
    return numpy.ascontiguousarray(values[:: 1 + len(values) // most], dtype="f8")


def extended(code: str, name: str, expression: str) -> str:
    """A cell that gives a name the value of an expression in the end.

    >>> print(extended("a = 1", "b", "a + 1"))
    a = 1
    b = a + 1
    """
    return f"{python(code).rstrip()}\n{name} = {expression}"
