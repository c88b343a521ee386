"""What a call does to values: splits, fits, predictions, scores, statistics, and all that only passes rows on."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from jupyter_swarm.cell.leaks import trade
from jupyter_swarm.cell.leaks.arguing import data_of, is_module, keyword_of, line_of, rowwise, spells, values_of
from jupyter_swarm.cell.leaks.fitting import answered, fit_and_map, model_of, monitored, of_learner, stops
from jupyter_swarm.cell.leaks.framing import HANDLERS
from jupyter_swarm.cell.leaks.parts import element, kept
from jupyter_swarm.cell.leaks.splitting import cross_validated, scores_by_splits, split_by, split_function
from jupyter_swarm.cell.leaks.telling import copies, largest, of_groups, statistic
from jupyter_swarm.cell.leaks.traces import NOTHING, Fit, Frame, Learner, Value, joined
from jupyter_swarm.cell.scan import is_literal, name_of, root_of, value_of
from jupyter_swarm.cell.vocabulary import PREDICT

if TYPE_CHECKING:
    from jupyter_swarm.cell.leaks.tracing import Tracer

_PASSES = frozenset({"list", "tuple", "sorted", "reversed", "iter", "tqdm", "trange", "set"})


def called(tracer: Tracer, call: ast.Call) -> Value:
    """What is known of a call's value, after what it does to others."""
    function = call.func
    if isinstance(function, ast.Attribute) and not is_module(tracer, function.value):
        return _method(tracer, call, function)
    name = name_of(function)
    if isinstance(function, ast.Name) and (found := tracer.value(name)).learner is not None:
        return answered(tracer, call, found, name)
    local = tracer.scan.local(function)
    if isinstance(local, (ast.FunctionDef, ast.AsyncFunctionDef)):
        returned = tracer.inlined(call, local)
        return returned if returned is not None else NOTHING
    made = model_of(tracer, call, local)
    if made is not None:
        return made
    return _function(tracer, call, name)


def _method(tracer: Tracer, call: ast.Call, function: ast.Attribute) -> Value:
    method, receiver = function.attr, tracer.of(function.value)
    root = function.value.id if isinstance(function.value, ast.Name) else None
    if root is not None and receiver.names is not None and method in trade.CHANGES_LISTS:
        tracer.change(root, names=_changed(tracer, call, receiver.names, method))
    if method == "split" and receiver.splitter is not None:
        return split_by(tracer, call, receiver.splitter)
    if method in trade.LEARNS_AND_MAPS:
        return fit_and_map(tracer, call, receiver, method, root)
    if receiver.learner is not None or method in PREDICT:
        return of_learner(tracer, call, receiver, method, root)
    if (cut := tracer.cuts.get(id(call))) is not None:
        split = tracer.splits.at(cut.mark, line_of(call))
        split.random = True
        return tracer.cut(receiver, split, cut.part, line_of(call))
    handler = HANDLERS.get(method)
    if handler is not None and (receiver is not NOTHING or method in ("append", "extend", "add")):
        return handler(tracer, call, receiver, root)
    if method in trade.SHUFFLES:
        return _shuffled(tracer, call, receiver)
    if method in trade.STATISTICS | trade.RELATIONS | trade.REDUCTIONS | trade.LARGEST:
        return statistic(tracer, call, receiver, method)
    return _passed_on(tracer, call, receiver, method, root)


def _shuffled(tracer: Tracer, call: ast.Call, receiver: Value) -> Value:
    """`rng.permutation(n)`, `rng.random(n) < 0.8`, and `rng.shuffle(indices)` in place."""
    values = values_of(tracer, call)
    if name_of(call.func) == "shuffle":
        for argument in call.args:
            if isinstance(argument, ast.Name):
                tracer.change(argument.id, shuffled=True, rows=None)
    found = joined(values)
    if spells(keyword_of(call, "replace"), True):
        return found.but(shuffled=True)
    return Value(roots=found.roots, parts=found.parts, fits=found.fits, shuffled=True)


def _changed(tracer: Tracer, call: ast.Call, names: tuple[str, ...], method: str) -> tuple[str, ...] | None:
    """A list of strings after one of its methods; None where that is not known."""
    text = tracer.text(call.args[0]) if len(call.args) == 1 else None
    if text is None or method not in ("append", "remove"):
        return None
    return (*names, text) if method == "append" else tuple(name for name in names if name != text)


def _passed_on(tracer: Tracer, call: ast.Call, receiver: Value, method: str, root: str | None) -> Value:
    """Rows go through a method that is not known: they keep what its name lets them keep."""
    values = values_of(tracer, call)
    if receiver.label == trade.GROUPS and method in ("transform", "agg", "aggregate") and call.args:
        word = str(value_of(call.args[0])) if is_literal(call.args[0]) else ""
        return (
            of_groups(tracer, call, receiver, receiver.flowing, word) if word in trade.STATISTICS else receiver.flowing
        )
    if receiver is NOTHING:
        return _unknown(tracer, call, values, method)
    if receiver.label == trade.GROUPS:
        return receiver.flowing.but(label=trade.GROUPS, column=receiver.column, frame=receiver.frame)
    if receiver.each is not None:
        return receiver
    told = joined(values)
    found = kept(receiver, method)
    if told.stats and not receiver.stats:
        made = tracer.with_fits(receiver, told.stats)
        found = found.but(fits=made.fits)
        told = Value(asked=told.asked, chosen=told.chosen)
    function = call.args[0] if call.args and method in ("apply", "transform", "pipe") else None
    if isinstance(function, ast.Lambda) and not rowwise(call, 1):
        told = joined([told, tracer.called_on(function, receiver)])
    both = joined([found, told])
    found = found.but(
        roots=both.roots, parts=both.parts, fits=both.fits, stats=both.stats, asked=both.asked, chosen=both.chosen,
        ordered=both.ordered, scalar=both.scalar, gathered=both.gathered, partial=both.partial,
    )  # fmt: skip
    if spells(keyword_of(call, "inplace"), True):
        changed = root if root is not None else root_of(call.func)
        if changed is not None:
            tracer.add(changed, found.flowing)
            if method in trade.FEWER_ROWS:
                tracer.change(changed, complete=False)
        return NOTHING
    return found


def _function(tracer: Tracer, call: ast.Call, name: str) -> Value:
    if name in trade.NO_CALLS:
        values_of(tracer, call)
        return NOTHING
    if name in _PASSES and call.args:
        found = tracer.of(call.args[0])
        return found if found.each is not None or found.names is not None else found.but(items=None)
    if name == "next" and call.args:
        return element(tracer.of(call.args[0]))
    if name == "enumerate" and call.args:
        return Value(each=Value(items=(NOTHING, element(tracer.of(call.args[0])))))
    if name == "zip":
        return Value(each=Value(items=tuple(element(tracer.of(argument)) for argument in call.args)))
    if trade.SPLITS.fullmatch(name):
        return split_function(tracer, call)
    if scores_by_splits(tracer, call):
        return cross_validated(tracer, call)
    if name in ("max", "min", "nanmax", "nanmin", "argmax", "argmin"):
        chosen = largest(tracer, call)
        if chosen is not None:
            return chosen
    if name in ("resample", "choice", "choices") and _resampled(call, name):
        x, _, _ = data_of(tracer, call)
        return (
            kept(x, "").but(fits=x.fits | copies(x, line_of(call)), shuffled=True) if x.roots else Value(shuffled=True)
        )
    if name in trade.SHUFFLES:
        return _shuffled_by(tracer, call)
    known = trade.STATISTICS | trade.RELATIONS | trade.REDUCTIONS
    if name in known and call.args:
        return statistic(tracer, call, tracer.of(call.args[0]), name)
    if trade.STANDARDISES.fullmatch(name) and call.args and not rowwise(call, 1):
        x = tracer.of(call.args[0])
        fit = Fit("statistics", line_of(call), name, x.roots, x.parts)
        return kept(x, "copy").but(fits=x.fits | ({fit} if x.roots else set()))
    return _unknown(tracer, call, values_of(tracer, call), name)


def _resampled(call: ast.Call, name: str) -> bool:
    return name == "resample" and not spells(keyword_of(call, "replace"), False)


def _shuffled_by(tracer: Tracer, call: ast.Call) -> Value:
    """`X, y = shuffle(X, y)`, `np.random.permutation(n)`, `np.random.rand(n)`."""
    values = [tracer.of(argument) for argument in call.args]
    if name_of(call.func) == "shuffle":
        for argument in call.args:
            if isinstance(argument, ast.Name):
                tracer.change(argument.id, shuffled=True)
        moved = tuple(
            kept(value, "shuffle").but(shuffled=True, frame=value.frame, column=value.column) for value in values
        )
        return joined(moved).but(items=moved) if len(moved) > 1 else (moved[0] if moved else NOTHING)
    return joined(values).but(shuffled=True, stats=frozenset())


def _unknown(tracer: Tracer, call: ast.Call, values: list[Value], name: str) -> Value:
    """A function that nothing is known of: its value is made of all that it is given."""
    watched = monitored(tracer, call)
    found = joined(values)
    if watched:
        chosen = found.chosen
        if stops(tracer, call):
            for key in watched:
                tracer.choices[key] = (line_of(call), "stops the training")
            chosen |= watched
        return Value(learner=Learner(name), parts=values[1].parts if len(values) > 1 else frozenset(), chosen=chosen)
    if not found.roots and not found.asked and not found.parts:
        return _source(tracer, call, found, name)
    if found.asked and any(value.roots and not value.asked for value in values) and len(values) > 1:
        found = found.but(scalar=True)
    with_data = [value for value in values if value.roots]
    if found.stats and (plain := [value for value in with_data if not value.stats]):
        made = tracer.with_fits(plain[0], found.stats)
        found = found.but(fits=found.fits | made.fits, stats=frozenset())
    if len(with_data) == 1 and (with_data[0].rows or with_data[0].frame or with_data[0].column):
        one = kept(with_data[0], name)
        found = found.but(rows=one.rows, complete=one.complete, frame=one.frame, column=one.column, label=one.label)
    if name == "DataFrame" and found.frame is None:
        found = found.but(frame=Frame(f"{name} {call.lineno}.{call.col_offset}"))
    return found


def _source(tracer: Tracer, call: ast.Call, found: Value, name: str) -> Value:
    """Data that the cell makes or reads: a root of its own."""
    if name in ("float", "int", "str", "bool", "round", "abs", "sum", "dict", "getattr") or found.chosen:
        return found
    root = f"{name} {call.lineno}.{call.col_offset}"
    dated = 0
    if keyword_of(call, "parse_dates") is not None and keyword_of(call, "index_col") is not None:
        dated = line_of(call)
    return Value(roots=frozenset({root}), frame=Frame(root), ordered=dated)
