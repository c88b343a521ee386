"""Data that no run of a swarm has seen: the cell followed by what measures it on them (`--confirm EXPR`).

    held_out(code, "accuracy_score(y_new, model.predict(X_new))", metric="accuracy", namespace=globals())

The expression is the person's and is locked like the metric; what it alone needs is captured apart, so that no other
run can see it.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Mapping
from typing import Any

from jupyter_swarm.cell.reading import read
from jupyter_swarm.cell.syntax import python
from jupyter_swarm.errors import CellError
from jupyter_swarm.words import Analysis

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
    new = [each for each in found.names if each not in base.names and not isinstance(namespace[each], types.ModuleType)]
    if not new:
        raise CellError(
            f"{expression!r} measures nothing new: the cell itself uses all that stands in it",
            where=_WHERE,
            cure="name data that the cell does not use, or a function of the notebook that loads them",
        )
    return found


def extended(code: str, name: str, expression: str) -> str:
    """A cell that gives a name the value of an expression in the end.

    >>> print(extended("a = 1", "b", "a + 1"))
    a = 1
    b = a + 1
    """
    return f"{python(code).rstrip()}\n{name} = {expression}"
