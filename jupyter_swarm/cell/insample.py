"""A metric that is measured on the very rows that the model was fitted on: told to the person, with the line."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jupyter_swarm.cell.scan import Scan, name_of, root_of

_ASKS = frozenset({"score", "predict", "predict_proba", "decision_function", "predict_log_proba"})
DEEPEST = 8


def warnings(scan: Scan) -> Iterator[str]:
    """A sentence for each model that the metric asks about its own rows.

    >>> from jupyter_swarm.cell.scan import scanned
    >>> from jupyter_swarm.words import Analysis
    >>> code = "m = Tree().fit(X, y)\\nscore = m.score(X, y)"
    >>> next(warnings(scanned(code, Analysis(code=code, metric="score")))).partition(",")[0]
    'line 2: the metric is measured on the rows that m was fitted on'
    """
    fitted = dict(_fitted(scan))
    told = set()
    for call in _behind(scan):
        model = root_of(call.func) or ""
        if name_of(call.func) not in _ASKS or not call.args or model in told:
            continue
        if ast.dump(call.args[0]) in fitted.get(model, ()):
            told.add(model)
            yield (
                f"line {call.lineno}: the metric is measured on the rows that {model} was fitted on, so that whatever "
                "fits them more closely seems better. Split them before (train_test_split), or use cross_val_score"
            )


def _fitted(scan: Scan) -> Iterator[tuple[str, set[str]]]:
    """Name of a model → the data that it was fitted on with targets, as long as it was fitted once."""
    found: dict[str, list[str]] = {}
    for call in scan.text.calls:
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="fit"), args=[rows, _, *_]):
                found.setdefault(name, []).append(ast.dump(rows))
    for name, definitions in scan.definitions.items():
        for each in definitions:
            match each.value:
                case ast.Call(func=ast.Attribute(attr="fit"), args=[rows, _, *_]) if each.kind == "assign":
                    found.setdefault(name, []).append(ast.dump(rows))
    for name, data in found.items():
        if len(set(data)) == 1:
            yield name, set(data)


def _behind(scan: Scan) -> Iterator[ast.Call]:
    """The calls that the metric is computed by, through the names that they are assigned to."""
    waiting, seen = [(scan.analysis.metric, 0)], set()
    while waiting:
        name, depth = waiting.pop()
        if name in seen or depth > DEEPEST:
            continue
        seen.add(name)
        for each in scan.definitions.get(name, ()):
            for node in ast.walk(each.value) if each.value is not None else ():
                if isinstance(node, ast.Call):
                    yield node
                elif isinstance(node, ast.Name):
                    waiting.append((node.id, depth + 1))
