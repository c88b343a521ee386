"""Which functions and classes that the notebook lends read a clock, by their code: themselves, or by one another."""

from __future__ import annotations

import dis
import functools
import sys
import types
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

AMBIGUOUS = "time"
"""A module, and a function of it: a clock where it is looked up in something, or used as it is."""
_LOOKED_UP = ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM")
_NAMED = ("LOAD_GLOBAL", "LOAD_NAME")
_EMPTY = types.CellType()


def readers(captured: Mapping[str, Any], archive: str, clocks: Collection[str]) -> list[str]:
    """Names of what reads a clock.

    Args:
        captured: what the notebook lends, by name.
        archive: the file of the modules beside the notebook; "" for none.
        clocks: names of what does.
    """
    own = {name: module for name, module in list(sys.modules.items()) if archive and _lies_in(module, archive)}
    lent = [*captured.items(), *(each for module in own.values() for each in _defined(module))]
    known, mentions = set(clocks), [(name, list(codes([value], own))) for name, value in lent]
    found: set[str] = set()
    while new := {name for name, each in mentions if name not in found and any(_reads(code, known) for code in each)}:
        found |= new
        known |= new
    return sorted(found)


def codes(values: Iterable[Any], modules: Collection[str] = ()) -> Iterator[types.CodeType | types.BuiltinFunctionType]:
    """The code of functions and classes, and of what they contain; what is written in C as it is.

    Args:
        values: anything; of an object its class matters.
        modules: where classes are looked into, besides the notebook.
    """
    todo, seen = list(values), set()
    while todo:
        each = todo.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, types.CodeType):
            yield each
            todo += [const for const in each.co_consts if isinstance(const, types.CodeType)]
        elif isinstance(each, types.BuiltinFunctionType):
            yield each
        elif isinstance(each, types.FunctionType):
            cells = [cell.cell_contents for cell in each.__closure__ or () if cell != _EMPTY]
            todo += [each.__code__, *cells]
        elif isinstance(each, (staticmethod, classmethod, types.MethodType)):
            todo += [each.__func__, getattr(each, "__self__", None)]
        elif isinstance(each, functools.partial):
            todo += [each.func, *each.args, *each.keywords.values()]
        elif isinstance(each, property):
            todo += [each.fget, each.fset, each.fdel]
        elif isinstance(each, type):
            if each.__module__ == "__main__" or each.__module__ in modules:
                todo += [*vars(each).values(), *each.__bases__]
        else:
            inside = getattr(each, "__dict__", None)
            todo += [type(each), inside.get("__wrapped__") if isinstance(inside, dict) else None]


def _reads(code: types.CodeType | types.BuiltinFunctionType, clocks: Collection[str]) -> bool:
    if isinstance(code, types.BuiltinFunctionType):
        return code.__name__ in clocks and (code.__name__ != AMBIGUOUS or code.__module__ == AMBIGUOUS)
    alone = False
    for each in dis.get_instructions(code):
        looked_up, named = each.opname in _LOOKED_UP, each.opname in _NAMED
        if alone and not looked_up:
            return True
        alone = named and each.argval == AMBIGUOUS
        if looked_up and each.argval == AMBIGUOUS:
            return True
        word = isinstance(each.argval, str) and each.argval in clocks and each.argval != AMBIGUOUS
        if word and (looked_up or named or each.opname == "LOAD_CONST"):
            return True
    return False


def _lies_in(module: Any, archive: str) -> bool:
    return str(getattr(module, "__file__", None) or "").startswith(archive)


def _defined(module: Any) -> Iterator[tuple[str, Any]]:
    """The functions and classes of a module, by name, and its objects of these classes."""
    for name, value in list(vars(module).items()):
        if getattr(value, "__module__", None) == module.__name__:
            yield name, value
