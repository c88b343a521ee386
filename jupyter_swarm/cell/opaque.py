"""Calls that train and measure by themselves: what they are given is what they should try."""

from __future__ import annotations

import ast

from jupyter_swarm.cell import configs
from jupyter_swarm.cell.functions import functions
from jupyter_swarm.cell.models import is_model, learned
from jupyter_swarm.cell.scan import Definition, Scan, is_literal
from jupyter_swarm.cell.vocabulary import ARITHMETIC, PREDICT, is_seed


def is_opaque(call: ast.Call, scan: Scan) -> bool:
    """Whether a call trains and measures by itself."""
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    path = scan.path(call.func) or ""
    of = path.partition(":")[0].partition(".")[0]
    own = of in ("__main__", *scan.analysis.own) or scan.local(call.func) is not None
    if any(is_model(a, scan) or _is_answer(a, scan) or is_learned(a, call, scan) for a in arguments):
        return False
    plain = all(is_literal(a) or is_option(a, scan) or _is_seed_name(a) for a in arguments)
    told = bool(call.keywords) or (path in scan.analysis.catalogue and of not in ARITHMETIC)
    return bool(arguments) and (own or (plain and told))


def is_learned(node: ast.expr, call: ast.Call, scan: Scan) -> bool:
    """Whether an argument is what was learned, and others what it is measured on: `evaluate(w, X_test, y_test)`."""
    others = [a for a in (*call.args, *(k.value for k in call.keywords)) if a is not node and not is_literal(a)]
    return bool(others) and learned(node, scan)


def is_option(node: ast.expr, scan: Scan) -> bool:
    """Whether a name holds nothing but a literal of this cell, or a configuration, or a setting of one."""
    if configs.entries(node, scan) is not None or configs.reached(node, scan) is not None:
        return True
    if not isinstance(node, ast.Name):
        return False
    definitions = scan.given(node)
    return bool(definitions) and all(_is_literal(each, scan) for each in definitions)


def _is_literal(definition: Definition, scan: Scan) -> bool:
    values = functions(scan).values(definition)
    return definition.kind in ("assign", "param") and bool(values) and all(map(is_literal, values))


def _is_answer(node: ast.expr, scan: Scan) -> bool:
    """Whether an expression is what a model answered."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in PREDICT:
            return True
    if not isinstance(node, ast.Name):
        return False
    values = [value for each in scan.given(node) for value in functions(scan).values(each)]
    return any(
        isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in PREDICT
        for value in values
    )


def _is_seed_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and is_seed(node.id)
