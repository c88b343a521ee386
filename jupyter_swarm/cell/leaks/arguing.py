"""What a call is given: its arguments, by their names and places."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from jupyter_swarm.cell.leaks.traces import NOTHING, Value
from jupyter_swarm.cell.scan import dotted, is_literal, value_of

if TYPE_CHECKING:
    from jupyter_swarm.cell.leaks.tracing import Tracer

_FEATURES = ("X", "x", "data", "features", "inputs", "df", "train_set", "dtrain")
_TARGETS = ("y", "target", "targets", "labels")


def is_module(tracer: Tracer, node: ast.expr) -> bool:
    """Whether an expression is a module, or something that was imported."""
    chain = dotted(node)
    root = chain.partition(".")[0] if chain is not None else None
    if root is None or root not in tracer.scan.imported:
        return False
    return not any(d.kind not in ("import", "mutate") for d in tracer.scan.definitions.get(root, ()))


def arguments(call: ast.Call) -> list[ast.expr]:
    """All arguments, those by place first."""
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def values_of(tracer: Tracer, call: ast.Call) -> list[Value]:
    """What is known of each argument."""
    return [tracer.of(argument) for argument in arguments(call)]


def keyword_of(call: ast.Call, *names: str) -> ast.expr | None:
    """The argument that is given by one of these names."""
    return next((keyword.value for keyword in call.keywords if keyword.arg in names), None)


def line_of(call: ast.Call) -> int:
    """The line in which a function's name ends."""
    return call.func.end_lineno or call.lineno


def spells(node: ast.expr | None, *values: object) -> bool:
    """Whether an expression spells out one of these literals."""
    return node is not None and is_literal(node) and value_of(node) in values


def data_of(tracer: Tracer, call: ast.Call, start: int = 0) -> tuple[Value, Value, ast.expr | None]:
    """Features and target that a call is given, and the node of the features."""
    nodes = [argument for argument in call.args[start:] if not is_literal(argument)]
    x = keyword_of(call, *_FEATURES) or (nodes[0] if nodes else None)
    y = keyword_of(call, *_TARGETS) or (nodes[1] if len(nodes) > 1 else None)
    return tracer.of(x) if x is not None else NOTHING, tracer.of(y) if y is not None else NOTHING, x


def rowwise(call: ast.Call, given: int) -> bool:
    """Whether a statistic is taken of each row."""
    axis = keyword_of(call, "axis", "dim")
    if axis is None and len(call.args) > given:
        axis = call.args[given]
    return spells(axis, 1, -1, 2, "columns")
