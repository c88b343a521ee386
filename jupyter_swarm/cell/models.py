"""Whether an expression is a model: something that is fitted and asked."""

from __future__ import annotations

import ast

from jupyter_swarm.cell.functions import functions, returned
from jupyter_swarm.cell.scan import Scan, name_of, root_of
from jupyter_swarm.cell.scopes import Definition, Function
from jupyter_swarm.cell.vocabulary import KEEPS_MODEL, MODEL_METHODS, MODEL_PARAMETERS, learns

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
        found = [each for each in scan.given(node) if each.kind != "helped"]
        values = [value for each in found for value in functions(scan).values(each)]
        return (
            bool(values)
            and all(each.kind in ("assign", "param") for each in found)
            and all(not isinstance(value, ast.Name) and learned(value, scan) for value in values)
        )
    if not isinstance(node, ast.Call) or not learns(name_of(node.func)):
        return False
    return isinstance(node.func, ast.Name) or scan.path(node.func) is not None


def asks_model(function: Function, scan: Scan, seen: frozenset[int] = frozenset()) -> bool:
    """Whether a function of the cell makes, fits or asks a model, or calls another of the cell's that does."""
    known = functions(scan)
    for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
        func = call.func
        if isinstance(func, ast.Attribute) and func.attr in _OF_MODELS and root_of(func.value) not in scan.imported:
            return True
        if is_model(func, scan, called=True) or is_model(call, scan) or learned(call, scan):
            return True
        if any(keyword.arg in MODEL_PARAMETERS for keyword in call.keywords):
            return True
        other = known.function(func)
        here = seen | {id(function)}
        if other is not None and id(other) not in here and asks_model(other, scan, here):
            return True
    return False


_OF_MODELS = MODEL_METHODS | {"backward"}


def _is_model(node: ast.expr, scan: Scan, called: bool, seen: frozenset[str]) -> bool:
    match node:
        case ast.Name():
            key = scan.key(node)
            if key in seen:
                return False
            return any(_gives_model(each, scan, seen | {key}) for each in scan.given(node))
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


def _gives_model(definition: Definition, scan: Scan, seen: frozenset[str]) -> bool:
    values = functions(scan).values(definition)
    if definition.kind == "param":
        return bool(values) and all(_is_model(value, scan, False, seen) for value in values)
    return definition.kind == "assign" and any(_is_model(value, scan, False, seen) for value in values)


def _makes_model(call: ast.Call, scan: Scan, seen: frozenset[str]) -> bool:
    recipe = scan.recipe(call.func)
    if recipe is not None and recipe.shape:
        return bool(_ASKED & set(recipe.shape.split("/")))
    local = functions(scan).callee(call.func)
    if isinstance(local, ast.ClassDef):
        methods = {n.name for n in local.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))}
        return bool(_ASKED & methods) or "__call__" in methods
    if local is not None:
        return _returns_model(local, scan, seen)
    arguments = [*call.args, *(k.value for k in call.keywords if not isinstance(k.value, ast.Constant))]
    if not arguments or any(isinstance(a, ast.Starred) for a in arguments) or name_of(call.func) == "make_scorer":
        return False
    return all(_is_model(argument, scan, False, seen) for argument in arguments)


def _returns_model(function: Function, scan: Scan, seen: frozenset[str]) -> bool:
    """Whether all that a function of the cell gives back are models."""
    key = f"def {id(function)}"
    values = [value for _, value in returned(function)]
    if key in seen or not values:
        return False
    return all(value is not None and _is_model(value, scan, False, seen | {key}) for value in values)
