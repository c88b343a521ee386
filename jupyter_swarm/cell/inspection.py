"""Live callables, looked at once in the kernel: where they come from, what they take, what may stand for them.

Nothing here knows a library: siblings are found by what classes do (their methods and what those take), parameters by
signature and docstring.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from jupyter_swarm.cell import docstrings, ranges
from jupyter_swarm.cell.ranges import Span
from jupyter_swarm.cell.vocabulary import POOR_CHOICES, SETTINGS, VERBS, skipped
from jupyter_swarm.words import Knob, Parameter, Recipe, Value

MOST_SIBLINGS = 20
ENOUGH = 4
"""Siblings in a callable's own module from which the rest of its package is not looked at."""
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def origin(value: Any) -> str | None:
    """`module` or `module:qualname` from where any process can import the very same object; None for anything else.

    The shortest public module that offers it, as a person would write it.

    >>> import json
    >>> origin(json), origin(json.JSONDecoder), origin(3)
    ('json', 'json:JSONDecoder', None)
    """
    if isinstance(value, types.ModuleType):
        place = value.__name__
        return place if sys.modules.get(place) is value and place != "__main__" else None
    module, name = _text(value, "__module__"), _text(value, "__qualname__")
    if isinstance(value, types.BuiltinFunctionType) and module is None:
        return None
    if not module or not name or module == "__main__" or "<" in name or not callable(value):
        return None
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        place = ".".join(parts[:count])
        if parts[count - 1].startswith("_") and count < len(parts):
            continue
        if _offered(place, name) is value:
            return f"{place}:{name}"
    return f"{module}:{name}" if _offered(module, name) is value else None


def _text(value: Any, name: str) -> str | None:
    try:
        found = getattr(value, name, None)
    except Exception:  # lazy modules import at a touch, and may fail to
        return None
    return found if isinstance(found, str) else None


def _offered(module: str, qualname: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = vars(found).get(part) if isinstance(found, (types.ModuleType, type)) else None
    return found


def imported(path: str) -> Any:
    """The object that `module` or `module:qualname` names.

    Raises:
        ImportError, AttributeError: there is none, or its module fails at import.

    >>> imported("json:JSONDecoder").__name__
    'JSONDecoder'
    """
    module, _, qualname = path.partition(":")
    found: Any = importlib.import_module(module)
    for part in filter(None, qualname.split(".")):
        try:
            found = getattr(found, part)
        except AttributeError:
            try:
                found = importlib.import_module(f"{module}.{part}")
            except ModuleNotFoundError:
                raise ImportError(f"{module} has no {part!r}") from None
    return found


# ---------------------------------------------------------------- recipes


def recipe(path: str, value: Any) -> Recipe:
    """What variations need to know of a callable, so that no later process has to import it.

    >>> import textwrap
    >>> [each.name for each in recipe("textwrap:indent", textwrap.indent).parameters]
    ['text', 'prefix', 'predicate']
    """
    doc = _doc(value)
    summary = next((line.strip() for line in doc.splitlines() if line.strip()), "")
    return Recipe(
        path=path,
        summary=summary[:200],
        parameters=tuple(_parameters(value, doc)),
        shape=(shape(value) or (SETTINGS if dataclasses.is_dataclass(value) else ""))
        if isinstance(value, type)
        else "",
    )


def shape(value: type) -> str:
    """The methods that matter of a class ("fit/transform"), or ""."""
    return "/".join(verb for verb in VERBS if _has(value, verb))


def _has(value: type, method: str) -> bool:
    try:
        return callable(getattr(value, method, None))
    except Exception:  # lazy classes import at a touch, and may fail to
        return False


def _doc(value: Any) -> str:
    try:
        doc = inspect.getdoc(value) or ""
        if isinstance(value, type) and not docstrings.parameters(doc):
            doc += "\n\n" + (inspect.getdoc(value.__init__) or "")  # type: ignore[misc]
    except Exception:  # a descriptor of somebody's may raise anything
        return ""
    return doc


def _parameters(value: Any, doc: str) -> Iterator[Parameter]:
    signature = _signature(value)
    if signature is None:
        return
    said = docstrings.parameters(doc)
    starred = False
    for parameter in signature.parameters.values():
        name = parameter.name
        if parameter.kind is parameter.VAR_KEYWORD:
            yield Parameter(name=f"**{name}")
        elif parameter.kind is parameter.VAR_POSITIONAL:
            starred = True
            yield Parameter(name=f"*{name}")
        else:
            if parameter.kind is parameter.KEYWORD_ONLY and not starred:
                starred = True
                yield Parameter(name="*")
            known = None if skipped(name) else _knob(parameter, said.get(name))
            yield Parameter(name=name, knob=known)


@lru_cache(maxsize=4096)
def _cached_signature(value: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(value)
    except (ValueError, TypeError):
        return None


def _signature(value: Any) -> inspect.Signature | None:
    try:
        return _cached_signature(value)
    except TypeError:  # not hashable
        return None


def _knob(parameter: inspect.Parameter, said: docstrings.Said | None) -> Knob | None:
    """A parameter with a literal default, as a knob."""
    name, value = parameter.name, _plain(parameter.default)
    if value is not None and not isinstance(value, (bool, int, float, str)):
        return None
    if isinstance(value, str) and value in POOR_CHOICES:
        return None
    if isinstance(value, float) and value - value != 0:
        return None
    choices = _literals(parameter.annotation)
    if choices is not None:
        return ranges.knob(name, value, Span(choices=choices), origin="signature")
    span = said.span() if said is not None else None
    if span is not None and span.choices:
        return ranges.knob(name, value, span, origin="docstring")
    if value is None or isinstance(value, str):
        return None
    if said is not None and said.real and not said.whole and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if span is not None and not isinstance(value, bool) and span.low is not None and span.high is not None:
        inside = span.low <= value <= span.high
        return ranges.knob(name, value, span, origin="docstring") if inside else None
    guessed = ranges.guess(name, value)
    return ranges.knob(name, value, guessed, origin="signature") if guessed is not None else None


def _plain(value: Any) -> Any:
    """A number of numpy's as Python's own: it is written into code and into the ledger."""
    for kind in (float, int, str):
        if isinstance(value, kind) and not isinstance(value, bool):
            return kind(value)
    return value


def _literals(annotation: Any) -> tuple[Value, ...] | None:
    if typing.get_origin(annotation) is typing.Literal:
        return tuple(typing.get_args(annotation))
    if isinstance(annotation, str) and (match := re.fullmatch(r"(?:\w+\.)?Literal(\[.+\])", annotation)):
        return docstrings.Said(f"{{{match[1][1:-1]}}}", "").span().choices  # type: ignore[union-attr]
    return None


# ---------------------------------------------------------------- siblings


def siblings(value: Any, path: str) -> list[str]:
    """What may stand for a callable, as paths: of its own module, then of what is loaded of its package.

    A class: public classes with the same methods that matter, taking the same, and made of the same: what `nn.Linear`
    must be given has a shape that its neighbours count on. None for what takes any number of parts.
    A function: those of its own module that take the same parameters.
    """
    module = path.partition(":")[0]
    if isinstance(value, type):
        if not shape(value) or _takes_parts(value):
            return []
        found = _like(value, _alike_classes(value), module)
    elif inspect.isfunction(value) and module != "__main__":
        found = _like(value, _alike_functions(value), module, package=False)
    else:
        return []
    return [each for each in found if each != path][:MOST_SIBLINGS]


def transformers(package: str) -> list[str]:
    """Classes of what is loaded of a package that fit and transform: what may be a step before others."""

    class Transformer:
        def fit(self, X: Any, y: Any = None) -> Any: ...
        def transform(self, X: Any) -> Any: ...

    alike = _alike_classes(Transformer)
    names = sorted(name for name in list(sys.modules) if name.partition(".")[0] == package and _public(name))
    offers = {name: _offers(name, alike) for name in names}
    largest = sorted(offers, key=lambda name: -len(offers[name]))
    return [path for name in largest for path in offers[name]][:MOST_SIBLINGS]


def _like(value: Any, alike: Callable[[Any], bool], module: str, *, package: bool = True) -> list[str]:
    found = _offers(module, alike)
    if package and len(found) <= ENOUGH:
        top, depth = module.partition(".")[0], module.count(".")
        for name in sorted(name for name in list(sys.modules) if name.partition(".")[0] == top and name != module):
            if _public(name) and name.count(".") <= depth:
                found += [path for path in _offers(name, alike) if path not in found]
    return found


def _public(module: str) -> bool:
    parts = module.split(".")
    return not any(part.startswith("_") or part in ("tests", "testing", "conftest") for part in parts)


def _offers(module: str, alike: Callable[[Any], bool]) -> list[str]:
    """What a module defines or re-exports from below itself, public by name."""
    loaded = sys.modules.get(module)
    found = []
    for name, value in sorted(vars(loaded).items()) if isinstance(loaded, types.ModuleType) else ():
        home = _text(value, "__module__") or ""
        if name.startswith("_") or not (home == module or home.startswith(f"{module}.")):
            continue
        if _text(value, "__qualname__") == name and alike(value):
            found.append(f"{module}:{name}")
    return found


def _alike_classes(like: type) -> Callable[[Any], bool]:
    wanted, measures = _abilities(like), _text(getattr(like, "score", None), "__qualname__")
    bases = {base for base in like.__mro__[1:] if shape(base) == shape(like)}

    def alike(value: Any) -> bool:
        if not isinstance(value, type) or inspect.isabstract(value) or shape(value) != shape(like):
            return False
        if _text(getattr(value, "score", None), "__qualname__") != measures or _abilities(value) != wanted:
            return False
        if value in bases:
            return False
        return _required(value) == _required(like) and not _takes_parts(value)

    return alike


def _takes_parts(value: Any) -> bool:
    """Whether it takes any number of positional arguments."""
    signature = _signature(value)
    kinds = [each.kind for each in signature.parameters.values()] if signature is not None else []
    return inspect.Parameter.VAR_POSITIONAL in kinds


def _abilities(value: type) -> tuple[tuple[str, ...], ...]:
    """For each method that matters, the names of what it must be given."""
    return tuple(tuple(sorted(_required(getattr(value, verb)))) for verb in VERBS if hasattr(value, verb))


def _required(value: Any) -> set[str]:
    signature = _signature(value)
    if signature is None:
        return {"?"}
    return {
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind in (*_POSITIONAL, parameter.KEYWORD_ONLY)
        and parameter.name != "self"
    }


def _alike_functions(like: Any) -> Callable[[Any], bool]:
    signature = _signature(like)
    wanted = tuple(signature.parameters) if signature is not None else ()

    def alike(value: Any) -> bool:
        if not inspect.isfunction(value) or not wanted:
            return False
        other = _signature(value)
        return other is not None and tuple(other.parameters) == wanted

    return alike
