"""Configurations: settings that a cell hands on as one value, each of which may vary.

cfg = {"lr": 0.1, "optimizer": {"momentum": 0.9}}      cfg.lr, cfg.optimizer.momentum
cfg = Config(lr=0.1)                                   Config.lr
cfg = argparse.Namespace(lr=0.1)                       Namespace.lr
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_swarm.cell.functions import functions
from jupyter_swarm.cell.scan import Scan, is_literal, name_of
from jupyter_swarm.cell.scopes import Definition
from jupyter_swarm.cell.vocabulary import SETTINGS

Entry = tuple[str, ast.expr]
"""A setting's name, with dots where it lies deeper, and its value."""
_NAMESPACES = frozenset({"dict", "SimpleNamespace", "Namespace"})


def entries(node: ast.expr, scan: Scan, seen: frozenset[int] = frozenset()) -> list[Entry] | None:
    """The settings of a configuration; None where an expression is none.

    Args:
        node: a dictionary, the call that makes a dictionary, a namespace or an object of a class of the person's, or a
            name that is given such a value once.
        scan: the code.
        seen: names that have been looked up on the way here.
    """
    match node:
        case ast.Name():
            value = made(node, scan) if id(node) not in seen else None
            return entries(value, scan, seen | {id(node)}) if value is not None else None
        case ast.Dict():
            return list(of_dictionary(node)) if _is_plain(node) else None
        case ast.Call(args=[], keywords=keywords) if keywords and _makes_config(node, scan):
            found: list[Entry] = []
            for keyword in keywords:
                inner = entries(keyword.value, scan) if isinstance(keyword.value, (ast.Dict, ast.Call)) else None
                if keyword.arg is None or (inner is None and not _is_setting(keyword.value)):
                    return None
                deeper = [(f"{keyword.arg}.{key}", value) for key, value in inner or ()]
                found += deeper or [(keyword.arg, keyword.value)]
            return found
    return None


def made(node: ast.Name, scan: Scan) -> ast.expr | None:
    """The value of a name that is assigned once, perhaps with settings changed one by one afterwards.

    Of a parameter of one of the cell's functions, it is what all calls give.
    """
    definitions = scan.given(node)
    values = [value for each in definitions if each.kind in ("assign", "param") for value in _values(each, scan)]
    others = [each.node for each in definitions if each.kind not in ("assign", "param")]
    return values[0] if len(values) == 1 and all(map(_sets_one, others)) else None


def _values(definition: Definition, scan: Scan) -> list[ast.expr | None]:
    return [*functions(scan).values(definition)] or [None]


def reached(node: ast.expr, scan: Scan) -> Entry | None:
    """The setting that `cfg["lr"]` or `cfg.lr` reads, where `cfg` is a configuration of this cell."""
    keys: list[str] = []
    while True:
        match node:
            case ast.Subscript(value=value, slice=ast.Constant(value=str(key))):
                keys.insert(0, key)
            case ast.Attribute(value=value, attr=key):
                keys.insert(0, key)
            case _:
                break
        node = value
    if not keys or not isinstance(node, ast.Name):
        return None
    return next((each for each in entries(node, scan) or () if each[0] == ".".join(keys)), None)


def of_dictionary(node: ast.Dict, *, deep: bool = True) -> Iterator[Entry]:
    """The settings of a dictionary that is written out, those of dictionaries in it too.

    >>> [key for key, _ in of_dictionary(ast.parse("{'a': 1, 'b': {'c': 2}}", mode="eval").body)]
    ['a', 'b.c']
    """
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            if isinstance(value, ast.Dict) and deep:
                yield from ((f"{key.value}.{inner}", each) for inner, each in of_dictionary(value))
            else:
                yield key.value, value


def _is_plain(node: ast.Dict) -> bool:
    named = all(isinstance(key, ast.Constant) and isinstance(key.value, str) for key in node.keys)
    return bool(node.keys) and named and all(map(_is_setting, node.values))


def _is_setting(node: ast.expr) -> bool:
    """Whether a value is spelt out: a literal, None, or lists and dictionaries of such."""
    match node:
        case ast.Dict(keys=keys, values=values):
            return all(isinstance(key, ast.Constant) for key in keys) and all(map(_is_setting, values))
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return all(map(_is_setting, elements))
        case ast.Constant(value=None):
            return True
    return is_literal(node)


def _makes_config(call: ast.Call, scan: Scan) -> bool:
    """Whether a call makes a dictionary, a namespace, or an object of a class of the person's own."""
    if name_of(call.func) in _NAMESPACES or isinstance(scan.local(call.func), ast.ClassDef):
        return True
    recipe = scan.recipe(call.func)
    return recipe is not None and recipe.shape == SETTINGS


def _sets_one(node: ast.AST) -> bool:
    """`cfg["lr"] = 0.2`, `cfg.lr = 0.2`."""
    match node:
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute()], value=value):
            return _is_setting(value)
    return False
