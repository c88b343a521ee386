"""Whether an expression is a model: something that is fitted and asked."""

from __future__ import annotations

import ast

from jupyter_swarm.cell.scan import Scan, name_of
from jupyter_swarm.cell.vocabulary import KEEPS_MODEL, learns

_ASKED = {"fit", "predict", "transform", "forward"}


def is_model(node: ast.expr, scan: Scan, *, called: bool = False) -> bool:
    """Whether an expression is a model, as far as the code and the catalogue tell.

    Args:
        node: the expression.
        scan: the code it belongs to.
        called: whether it stands where a function does; then the name of a class is none.
    """
    return _is_model(node, scan, called, frozenset())


def learned(node: ast.expr, scan: Scan) -> bool:
    """Whether an expression is what a function of training gave back: `w = train(X, y, lr=0.1)`."""
    if isinstance(node, ast.Name):
        found = scan.definitions.get(node.id, ())
        return bool(found) and all(
            d.kind == "assign" and d.value is not None and not isinstance(d.value, ast.Name) and learned(d.value, scan)
            for d in found
        )
    if not isinstance(node, ast.Call) or not learns(name_of(node.func)):
        return False
    return isinstance(node.func, ast.Name) or scan.path(node.func) is not None


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
