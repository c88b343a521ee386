"""Lifting: a cell's knobs and seeds become parameters, so that its notebook can be run again with others."""

from __future__ import annotations

import ast
import keyword
from dataclasses import dataclass

from jupyter_swarm.cell import seeds
from jupyter_swarm.cell.finding import KnobPlace, find_all
from jupyter_swarm.cell.scan import Scan, value_of
from jupyter_swarm.cell.vocabulary import BUILTINS, is_seed
from jupyter_swarm.words import Analysis, Value

Change = tuple[int, int, str]


@dataclass(frozen=True)
class Lifted:
    """Code whose knobs and seeds are names, and the values of those names that give the code its old meaning."""

    code: str
    parameters: dict[str, Value]


def lift(code: str, analysis: Analysis) -> Lifted:
    """Knobs and seeds as parameters. With their defaults the lifted code means what the code means.

    Several seeds keep their distances: `seed` stands for the smallest, `seed + 41` for another. A seed without a
    literal begins at 0.

    Raises:
        CellError: the code does not parse.

    >>> lifted = lift("loss = train(epochs=10, random_state=3)", Analysis(code="", metric="loss"))
    >>> lifted.code, lifted.parameters
    ('loss = train(epochs=train_epochs, random_state=seed)', {'train_epochs': 10, 'seed': 3})
    """
    found = find_all(code, analysis)
    scan = found.scan
    taken = set(scan.identifiers) | set(analysis.names) | BUILTINS | {"seed", analysis.metric}
    parameters: dict[str, Value] = {}
    changes: list[Change] = []
    for place in found.knobs.values():
        if place.node is None or id(place.node) in scan.text.opaque:
            continue
        name = _name(place, scan, analysis, taken)
        taken.add(name)
        parameters[name] = place.knob.value
        changes.append((*scan.text.span(place.node), name))
    first, more = _seeds(scan, analysis)
    parameters["seed"] = first
    return Lifted(scan.text.replaced([*changes, *more]), parameters)


def _name(place: KnobPlace, scan: Scan, analysis: Analysis, taken: set[str]) -> str:
    """A readable name that nothing else has; that of the variable itself where it is one of the cell's own."""
    label = place.knob.name
    assert place.node is not None
    statement = scan.text.statement(place.node)
    own = isinstance(statement, ast.Assign) and statement.value is place.node and statement in scan.tree.body
    if own and label.isidentifier() and label not in analysis.names and len(scan.definitions[label]) == 1:
        return label
    base = "".join(each if each.isalnum() else "_" for each in label).strip("_")
    base = base if base.isidentifier() and not keyword.iskeyword(base) else f"knob_{base}"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name


def _seeds(scan: Scan, analysis: Analysis) -> tuple[int, list[Change]]:
    nodes = {id(node): node for node in seeds.values(scan) if id(node) not in scan.text.opaque}
    numbers = {key: value_of(node) for key, node in nodes.items() if seeds.is_number(node)}
    first = min((value for value in numbers.values() if isinstance(value, int)), default=0)
    changes = []
    for key, value in numbers.items():
        assert isinstance(value, int)
        written = "seed" if value == first else f"seed + {value - first}"
        changes.append((*scan.text.span(nodes[key]), written))
    for node in nodes.values():  # a global SEED of the notebook is the harness's as well
        if isinstance(node, ast.Name) and node.id != "seed" and is_seed(node.id) and node.id in analysis.names:
            changes.append((*scan.text.span(node), "seed"))
    return first, changes
