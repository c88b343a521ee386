"""Which statements of a cell may read a clock: what they keep of it would be another time in a fork.

    clocks = Clocks(body, imports, lent)
    clocks.read_by(body[2])

It errs on the side of reading: a name that means a clock anywhere in the cell means one everywhere, a function that
mentions one reads it wherever the function is mentioned. What libraries do inside (a stopwatch of an installed package
that is begun in one statement and ended in another) is not seen.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator

from jupyter_swarm.cell.scan import dotted
from jupyter_swarm.cell.vocabulary import CLOCK

HARMLESS = frozenset(
    ["sleep", "struct_time", "strptime", "mktime", "tzset", "timezone", "altzone", "daylight", "tzname"]
)
"""What of the module `time` reads no clock."""
_AMBIGUOUS = "time"
"""A module, a function of it, and a usual name for a column."""
_SURE = CLOCK - {_AMBIGUOUS}
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def imported(statements: Iterable[str]) -> frozenset[str]:
    """Names that import statements give to clocks.

    >>> sorted(imported(["from time import sleep, perf_counter as tick", "import numpy"]))
    ['tick']
    """
    clocks = Clocks([], statements)
    return clocks.names


class Clocks:
    """What means a clock in a cell.

    Args:
        body: all of the cell's statements.
        imports: statements that the notebook has executed before it.
        lent: functions and classes that read a clock, of those that the notebook or a module beside it lends.
    """

    def __init__(self, body: Iterable[ast.stmt], imports: Iterable[str] = (), lent: Collection[str] = ()) -> None:
        self._lent = frozenset(lent)
        self._names, self._modules, self._imported = set(self._lent), set[str](), set[str]()
        body = list(body)
        for statement in (*_parsed(imports), *body):
            for node in ast.walk(statement):
                self._bind(node)
        mentions = list(_definitions(body))
        while new := [each for each in mentions if each.name not in self._names and self._mentioned(ast.walk(each))]:
            self._names |= {each.name for each in new}

    @property
    def names(self) -> frozenset[str]:
        """Names that mean a clock by themselves."""
        return frozenset(self._names)

    def read_by(self, statement: ast.stmt) -> bool:
        """Whether executing a statement may read a clock; to define a function that does is not to read it."""
        return self._mentioned(_executed(statement)) or any(
            each.name in self._names and each.decorator_list for each in _definitions([statement])
        )

    def _bind(self, node: ast.AST) -> None:
        """What an import gives its names to."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._imported.add((alias.asname or alias.name).partition(".")[0])
                if alias.name == _AMBIGUOUS:
                    self._modules.add(alias.asname or alias.name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = alias.asname or alias.name
                self._imported.add(name)
                if alias.name == "*" and node.module == _AMBIGUOUS:
                    self._names |= CLOCK
                elif alias.name in self._lent or self._is_clock(node.module, alias.name):
                    self._names.add(name)

    def _is_clock(self, module: str | None, name: str) -> bool:
        return name not in HARMLESS if module == _AMBIGUOUS else name in _SURE

    def _mentioned(self, nodes: Iterable[ast.AST]) -> bool:
        return any(map(self._means, nodes))

    def _means(self, node: ast.AST) -> bool:
        """Whether a node means a clock, by its name or (`np.datetime64("now")`) by a word for one."""
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                return name in self._names
            case ast.Attribute(value=value, attr=name):
                return self._leads_to(dotted(value) or "", name)
            case ast.Call():
                return _asks_for_time(node)
        return False

    def _leads_to(self, owner: str, name: str) -> bool:
        """Whether `owner.name` means a clock."""
        if owner in self._modules:
            return name not in HARMLESS
        own = name in self._lent and owner.partition(".")[0] in self._imported
        return own or name in _SURE or (owner, name) == ("os", "times")


def _asks_for_time(call: ast.Call) -> bool:
    """`x.time()`, whatever x is; `now()`, wherever it comes from; `x("now")`, which also is how `getattr` would ask."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    match call.func:
        case ast.Attribute(attr="time") if not given:
            return True
        case ast.Name(id=name) if name in _SURE:
            return True
    return any(isinstance(each, ast.Constant) and each.value in _SURE for each in given)


def _parsed(statements: Iterable[str]) -> Iterator[ast.stmt]:
    for each in statements:
        try:
            yield from ast.parse(each).body
        except SyntaxError:
            continue


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """A node and what is executed with it: all but the bodies of functions that it defines; those of lambdas are."""
    yield node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        inside: Iterable[ast.AST] = (*node.decorator_list, node.args, *filter(None, [node.returns]))
    else:
        inside = ast.iter_child_nodes(node)
    for each in inside:
        yield from _executed(each)


def _definitions(nodes: Iterable[ast.AST]) -> Iterator[_Definition]:
    """Functions and classes of the cell itself, not those within them."""
    for node in nodes:
        if isinstance(node, _Definition):
            yield node
        else:
            yield from _definitions(ast.iter_child_nodes(node))
