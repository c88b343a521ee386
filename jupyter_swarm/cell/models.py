"""Whether an expression is a model: something that is fitted and asked."""

from __future__ import annotations

import ast

from jupyter_swarm.cell.scan import Scan, name_of
from jupyter_swarm.cell.vocabulary import KEEPS_MODEL

_ASKED = {"fit", "predict", "transform", "forward"}


def is_model(node: ast.expr, scan: Scan, *, called: bool = False) -> bool:
    """Whether an expression is a model, as far as the code and the catalogue tell.

    Args:
        node: the expression.
        scan: the code it belongs to.
        called: whether it stands where a function does; then the name of a class is none.
    """
    return _is_model(node, scan, called, frozenset())


def _is_model(node: ast.expr, scan: Scan, called: bool, seen: frozenset[str]) -> bool:
    match node:
        case ast.Name(id=name):
            if name in seen:
                return False
            return any(
                d.kind == "assign" and d.value is not None and _is_model(d.value, scan, False, seen | {name})
                for d in scan.definitions.get(name, ())
            )
        case ast.Call(func=ast.Attribute(value=receiver, attr=method)) if _is_model(receiver, scan, False, seen):
            return method in KEEPS_MODEL
        case ast.Call():
            return _makes_model(node, scan, seen)
        case ast.Attribute(value=value, attr=attribute):
            return attribute.endswith("estimator_") and _is_model(value, scan, called, seen)
        case ast.IfExp(body=body, orelse=other):
            return _is_model(body, scan, called, seen) or _is_model(other, scan, called, seen)
        case ast.NamedExpr(value=value):
            return _is_model(value, scan, called, seen)
    return False


def _makes_model(call: ast.Call, scan: Scan, seen: frozenset[str]) -> bool:
    recipe = scan.recipe(call.func)
    if recipe is not None and recipe.shape:
        return bool(_ASKED & set(recipe.shape.split("/")))
    local = scan.local(call.func)
    if isinstance(local, ast.ClassDef):
        methods = {n.name for n in local.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))}
        return bool(_ASKED & methods) or "__call__" in methods
    arguments = [*call.args, *(k.value for k in call.keywords if not isinstance(k.value, ast.Constant))]
    if not arguments or any(isinstance(a, ast.Starred) for a in arguments) or name_of(call.func) == "make_scorer":
        return False
    return all(_is_model(argument, scan, False, seen) for argument in arguments)
