"""What is told of rows: statistics, which are fits once they meet rows, and the best of several scores."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from jupyter_swarm.cell.leaks import trade
from jupyter_swarm.cell.leaks.arguing import is_module, keyword_of, line_of, rowwise, values_of
from jupyter_swarm.cell.leaks.parts import scores
from jupyter_swarm.cell.leaks.traces import NOTHING, Fit, Value, held_out, joined

if TYPE_CHECKING:
    from jupyter_swarm.cell.leaks.tracing import Tracer


def statistic(tracer: Tracer, call: ast.Call, data: Value, method: str) -> Value:
    """A statistic of rows; of predictions or scores, a score."""
    as_method = isinstance(call.func, ast.Attribute) and not is_module(tracer, call.func.value)
    rest = call.args[0 if as_method else 1 :]
    values = [data, *(tracer.of(each) for each in (*rest, *(k.value for k in call.keywords)))]
    if method in trade.LARGEST and data.gathered:
        return best_of(tracer, call, data)
    found = joined(values)
    if data.asked:
        across = keyword_of(call, "axis", "dim") is not None
        return found.but(scalar=not across or data.scalar, gathered=False, stats=frozenset())
    if data.label == trade.ALONG or data.stats:
        return found
    if data.label == trade.GROUPS:
        return of_groups(tracer, call, data, found, method)
    if method in trade.RELATIONS or (method in trade.STATISTICS and not rowwise(call, 0 if as_method else 1)):
        what = f"the {method} of {data.label}" if data.label else f"a {method}"
        fit = Fit("statistics", line_of(call), what, data.roots, data.parts, method in trade.RELATIONS)
        return Value(roots=data.roots, parts=data.parts, stats=frozenset({fit})) if data.roots else NOTHING
    return found.but(gathered=False)


def of_groups(tracer: Tracer, call: ast.Call, data: Value, found: Value, method: str) -> Value:
    """A statistic of each group; it is a fit where it is one of the target."""
    if data.column is None or method not in trade.STATISTICS:
        return found
    what = f"the {method} of {data.column[1]} in each group"
    fit = Fit("statistics", line_of(call), what, data.roots, data.parts, True, encodes=data.column)
    return Value(roots=data.roots, parts=data.parts, stats=frozenset({fit}))


def best_of(tracer: Tracer, call: ast.Call, data: Value) -> Value:
    """The best of several scores: what the rows choose that they were measured on."""
    keys = frozenset(key for key in data.asked if held_out(key))
    for key in keys:
        tracer.choices[key] = (line_of(call), "chooses the best")
    return data.flowing.but(chosen=data.chosen | keys, gathered=False)


def largest(tracer: Tracer, call: ast.Call) -> Value | None:
    """`max(scores)`, `max(best, score)` in a loop, `max(grid, key=lambda c: score(c))`."""
    key = keyword_of(call, "key")
    if isinstance(key, ast.Lambda):
        tracer.loops += 1
        measured = tracer.of(key.body)
        tracer.loops -= 1
        keys = scores(measured)
        for each in keys:
            tracer.choices[each] = (line_of(call), "chooses the best")
        return joined(values_of(tracer, call)).but(chosen=keys) if keys else None
    if len(call.args) == 1 and (data := tracer.of(call.args[0])).gathered:
        return best_of(tracer, call, data)
    parent = tracer.scan.text.parents.get(id(call))
    kept_in = {t.id for t in parent.targets if isinstance(t, ast.Name)} if isinstance(parent, ast.Assign) else set()
    running = any(isinstance(a, ast.Name) and a.id in kept_in for a in call.args)
    if len(call.args) == 2 and running and tracer.loops:
        data = joined(values_of(tracer, call))
        return best_of(tracer, call, data) if scores(data) else None
    return None


def copies(value: Value, line: int) -> frozenset[Fit]:
    """Rows that are there more than once."""
    return frozenset({Fit("copies", line, "rows drawn with replacement", value.roots, value.parts)})
