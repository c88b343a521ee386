"""Seeds belong to the harness: where they stand in a cell, and whether a cell has any."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_swarm.cell.configs import of_dictionary
from jupyter_swarm.cell.functions import defaults
from jupyter_swarm.cell.scan import Scan, is_literal, name_of, value_of
from jupyter_swarm.cell.scopes import FUNCTIONS
from jupyter_swarm.cell.vocabulary import SEEDERS, is_seed


def values(scan: Scan) -> Iterator[ast.expr]:
    """Every expression of the cell that is a seed: `random_state=…`, `default_rng(…)`, `{"seed": …}`, `SEED = …`."""
    for call in scan.text.calls:
        for keyword in call.keywords:
            if keyword.arg and is_seed(keyword.arg):
                yield keyword.value
        for argument in call.args:
            if not (argument is call.args[0] and name_of(call.func) in SEEDERS) and is_seed(
                scan.parameter(call, argument)
            ):
                yield argument
        if name_of(call.func) in SEEDERS and call.args and not isinstance(call.args[0], ast.Starred):
            yield call.args[0]
    for node in ast.walk(scan.tree):
        if isinstance(node, ast.Dict):
            yield from (value for key, value in of_dictionary(node, deep=False) if is_seed(key))
        elif isinstance(node, FUNCTIONS):
            yield from (value for name, value in defaults(node).items() if is_seed(name) and is_number(value))
    scopes = [scan.definitions, *(scan.scopes.opened(n).found for n in ast.walk(scan.tree) if isinstance(n, FUNCTIONS))]
    for name, definitions in (each for scope in scopes for each in scope.items()):
        if is_seed(name):
            for definition in definitions:
                if definition.kind == "assign" and definition.value is not None and is_number(definition.value):
                    yield definition.value


def is_number(node: ast.expr) -> bool:
    """Whether a seed is spelt out as a whole number."""
    return is_literal(node) and isinstance(value_of(node), int) and not isinstance(value_of(node), bool)


def statements(scan: Scan) -> Iterator[ast.stmt]:
    """Statements that do nothing but seed: `np.random.seed(0)`, `SEED = 0`, `rng = default_rng(0)`."""
    seen = set()
    for node in values(scan):
        statement = scan.text.statement(node)
        if id(statement) in seen:
            continue
        match statement:
            case ast.Expr(value=ast.Call(func=func)) if name_of(func) in SEEDERS:
                pass
            case ast.Assign(value=value) | ast.AnnAssign(value=value) if value is node:
                pass
            case ast.Assign(value=ast.Call(func=func)) if name_of(func) in SEEDERS:
                pass
            case _:
                continue
        seen.add(id(statement))
        yield statement


def present(scan: Scan) -> bool:
    """Whether the cell has a seed that the harness can set."""
    return any(is_number(node) or isinstance(node, ast.Name) for node in values(scan)) or any(
        isinstance(node, ast.Name) and node.id == "seed" for node in ast.walk(scan.tree)
    )
