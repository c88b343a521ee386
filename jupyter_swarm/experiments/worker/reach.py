"""Which functions a metric reaches, and whether they are still what they were.

From the callables that a cell names, through the globals of each Python function: functions, what decorators have
wrapped, methods of classes. A note is made of where each was found (module, class, namespace) and of its code, defaults
and closure. The nearest come first, and no more than `FUNCTIONS` are noted.

    reach = Reach()
    reach.add("sklearn.metrics:accuracy_score")
    reach.changes()            ["sklearn.metrics._classification.accuracy_score: other code"]
"""

from __future__ import annotations

import builtins
import functools
import operator
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

FUNCTIONS = 80
"""How many Python functions are noted by following others: each is a page of memory that a fork has to copy."""
MOST = 500
"""How many altogether, with methods of classes."""
_SPECIAL = ("__init__", "__new__", "__call__", "__getattribute__", "__getattr__", "__float__")
DEEPEST = 5
"""How many wrappers of one function are looked into."""
NOTEBOOK = "__main__"
_Found = tuple[Mapping[str, Any], str, Any, str]
"""A namespace, a name in it, what it means, and what to call the namespace."""
_MISSING = object()
_EMPTY = types.CellType()
_WRAPPERS = (staticmethod, classmethod, types.MethodType)
_parts_of = operator.attrgetter("__code__", "__defaults__", "__kwdefaults__")


class Reach:
    """Notes of functions as they are when they are added.

    Args:
        captured: what the notebook lends the cell; where its functions look for globals before those are there.
        namespace: globals of the notebook.
    """

    def __init__(self, captured: Mapping[str, Any] = types.MappingProxyType({}), namespace: Any = None) -> None:
        self.pending: dict[str, bool] = {}
        """What was added and is not loaded yet, and whether to go far."""
        self.data: set[str] = set()
        """Names of data that functions of the notebook read."""
        self._captured, self._namespace = captured, namespace
        self._found: dict[tuple[int, str], _Found] = {}
        self._functions: dict[types.FunctionType, _State] = {}
        self._classes: dict[type, frozenset[str]] = {}
        self._todo: deque[types.FunctionType] = deque()
        self._quick: _Quick | None = None

    def __len__(self) -> int:
        return len(self._functions)

    def add(self, path: str, *, far: bool = True) -> None:
        """Note a callable, `module:qualname`, and (`far`) what it reaches; it waits where its module is not loaded."""
        self._quick = None
        module, _, names = path.partition(":")
        value: Any = self._captured if module == NOTEBOOK else sys.modules.get(module)
        if value is None:
            self.pending[path] = far
            return
        for name in names.split("."):
            found = _lookup(value, value if value is self._captured else _space(value), name)
            if found is None:
                return
            space, value = found
            if space is not self._captured:
                self._bind(space, name, value, module)
        self._visit(value)
        if isinstance(value, type):
            self._note_class(value)
        while far and self._todo and len(self._functions) < FUNCTIONS:
            self._follow(self._todo.popleft())
        self._todo.clear()

    def bind(self, holder: Mapping[str, Any], name: str, where: str) -> None:
        """Note what has this name in a namespace, and nothing further."""
        if name in holder:
            self._quick = None
            self._bind(holder, name, holder[name], where)

    def wake(self) -> None:
        """Note what has waited and is loaded by now."""
        if self.pending and any(path.partition(":")[0] in sys.modules for path in self.pending):
            waiting, self.pending = self.pending, {}
            for path, far in waiting.items():
                self.add(path, far=far)

    def settle(self) -> _Quick:
        """Get ready to look."""
        if self._quick is None:
            self._quick = _Quick(self._found.values(), self._functions, self._classes)
        return self._quick

    def changes(self) -> list[str]:
        """What is no longer as it was noted, a phrase each; [] where all is."""
        if self.settle().same():
            return []
        found = [
            f"{where}.{name}: replaced"
            for holder, name, value, where in self._found.values()
            if holder.get(name, _MISSING) is not value
        ]
        found += [f"{_name_of(each)}: other code" for each, state in self._functions.items() if state.differs()]
        for kind, names in self._classes.items():
            if len(vars(kind)) != len(names):
                found += [f"{_name_of(kind)}.{name}: added" for name in self._added(kind)]
        return found

    # ---------------------------------------------------------------- how it is found

    def _bind(self, holder: Mapping[str, Any], name: str, value: Any, where: str) -> None:
        self._found.setdefault((id(holder), name), (holder, name, value, where))

    def _visit(self, value: Any) -> None:
        """Note functions behind a value, to be followed."""
        for function in _functions_of(value):
            if function not in self._functions and len(self._functions) < MOST:
                self._functions[function] = _State(function)
                self._todo.append(function)

    def _note_class(self, kind: type) -> None:
        """Note the public methods of a class and of those that it inherits from."""
        for each in kind.__mro__:
            if each in self._classes or each.__module__ == "builtins":
                continue
            space = vars(each)
            self._classes[each] = frozenset(space)
            for name, value in list(space.items()):
                public = not name.startswith("_") or name in _SPECIAL
                if public and any(True for _ in _functions_of(value)):
                    self._found.setdefault((id(each), name), (space, name, value, _name_of(each)))
                    self._visit(value)

    def _added(self, kind: type) -> Iterator[str]:
        """Methods that a class has got since."""
        for name, value in vars(kind).items():
            if name not in self._classes[kind] and any(True for _ in _functions_of(value)):
                yield name

    def _follow(self, function: types.FunctionType) -> None:
        """Note what the globals have under the names in a function's code."""
        names, space = _names(function.__code__), function.__globals__
        for name in names:
            value = space.get(name, _MISSING)
            if space is self._namespace and (name in self._captured or value is not _MISSING):
                value = self._captured.get(name, value)
                if not isinstance(value, (types.ModuleType, type)) and not any(True for _ in _functions_of(value)):
                    self.data.add(name)
                    continue
            elif callable(value) or isinstance(value, types.ModuleType):
                self._bind(space, name, value, str(space.get("__name__", NOTEBOOK)))
            elif value is _MISSING and name in vars(builtins):
                self._bind(vars(builtins), name, vars(builtins)[name], "builtins")
                continue
            if isinstance(value, types.ModuleType):
                self._module(value, names)
            elif isinstance(value, type) and value.__module__ == NOTEBOOK:
                self._note_class(value)
            else:
                self._visit(value)

    def _module(self, module: types.ModuleType, names: frozenset[str]) -> None:
        space = vars(module)
        for name in names & space.keys():
            if callable(space[name]):
                self._bind(space, name, space[name], module.__name__)
                self._visit(space[name])


class _State:
    """A function's code, defaults and closure."""

    __slots__ = ("cells", "function", "keywords", "parts")

    def __init__(self, function: types.FunctionType) -> None:
        self.function = function
        self.parts = _parts_of(function)
        self.keywords = dict(function.__kwdefaults__) if function.__kwdefaults__ else None
        self.cells = _contents(function)

    def differs(self) -> bool:
        """Whether any of it is another."""
        if not all(map(operator.is_, _parts_of(self.function), self.parts)):
            return True
        if self.keywords is not None and not _identical(self.function.__kwdefaults__, self.keywords):
            return True
        return any(cell == _EMPTY or cell.cell_contents is not content for cell, content in self.cells)


class _Quick:
    """The same in lists, so that a look at what has not changed takes little time."""

    def __init__(
        self, found: Iterable[_Found], functions: Mapping[Any, _State], classes: Mapping[type, frozenset[str]]
    ) -> None:
        holders: dict[int, tuple[Mapping[str, Any], list[str], list[Any]]] = {}
        for holder, name, value, _ in found:
            _, names, values = holders.setdefault(id(holder), (holder, [], []))
            names.append(name)
            values.append(value)
        # With a second name, be it the first again, an itemgetter gives a tuple.
        self._holders = [(each, operator.itemgetter(*names, names[0]), kept) for each, names, kept in holders.values()]
        self._functions = list(functions)
        self._parts = [state.parts for state in functions.values()]
        self._more = [state for state in functions.values() if state.keywords is not None or state.cells]
        self._classes = list(map(vars, classes)), list(map(len, classes.values()))

    def same(self) -> bool:
        """Whether nothing has changed."""
        try:
            return (
                all(all(map(operator.is_, get(holder), values)) for holder, get, values in self._holders)
                and list(map(_parts_of, self._functions)) == self._parts
                and not any(state.differs() for state in self._more)
                and list(map(len, self._classes[0])) == self._classes[1]
            )
        except Exception:  # a name is gone, or new defaults cannot be compared
            return False


def _identical(one: Any, other: dict[str, Any]) -> bool:
    return isinstance(one, dict) and one.keys() == other.keys() and all(one[key] is other[key] for key in one)


def _space(value: Any) -> Mapping[str, Any]:
    space = getattr(value, "__dict__", None)
    return space if isinstance(space, (dict, types.MappingProxyType)) else {}


def _lookup(owner: Any, space: Mapping[str, Any], name: str) -> tuple[Mapping[str, Any], Any] | None:
    """Where a name is found, and what it means; through the classes that a class inherits from."""
    if name in space:
        return space, space[name]
    for kind in owner.__mro__ if isinstance(owner, type) else ():
        if name in vars(kind):
            return vars(kind), vars(kind)[name]
    return None


def _functions_of(value: Any, depth: int = 0) -> Iterator[types.FunctionType]:
    """The Python functions of a callable: itself, or what it wraps."""
    if isinstance(value, types.FunctionType):
        yield value
        for each in (vars(value).get("__wrapped__"), *(content for _, content in _contents(value))):
            if depth < DEEPEST and isinstance(each, (types.FunctionType, *_WRAPPERS)):
                yield from _functions_of(each, depth + 1)
    elif isinstance(value, _WRAPPERS):
        yield from _functions_of(value.__func__, depth)
    elif isinstance(value, property):
        for each in (value.fget, value.fset, value.fdel):
            yield from _functions_of(each, depth)
    elif isinstance(value, (functools.partial, functools.cached_property)):
        yield from _functions_of(value.func, depth)
    elif isinstance(inner := _implementation(value), types.FunctionType):
        yield inner


def _implementation(value: Any) -> Any:
    """What one of numpy's functions wraps."""
    return value._implementation if type(value).__name__ == "_ArrayFunctionDispatcher" else None


def _contents(function: types.FunctionType) -> list[tuple[types.CellType, Any]]:
    """Cells of a function's closure that hold functions and classes; what other cells hold may change."""
    kinds = (types.FunctionType, types.MethodType, type)
    cells = [cell for cell in function.__closure__ or () if cell != _EMPTY]
    return [(cell, cell.cell_contents) for cell in cells if isinstance(cell.cell_contents, kinds)]


@functools.cache
def _names(code: types.CodeType) -> frozenset[str]:
    inner = [_names(each) for each in code.co_consts if isinstance(each, types.CodeType)]
    return frozenset(code.co_names).union(*inner)


def _name_of(value: Callable[..., Any]) -> str:
    return f"{value.__module__}.{value.__qualname__}"
