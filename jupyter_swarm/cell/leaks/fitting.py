"""Models: how they are made, what they see when they are fitted, and whom they answer about."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jupyter_swarm.cell.leaks import learners, trade
from jupyter_swarm.cell.leaks.arguing import arguments, data_of, line_of, spells, values_of
from jupyter_swarm.cell.leaks.parts import kept
from jupyter_swarm.cell.leaks.splitting import scores_by_splits
from jupyter_swarm.cell.leaks.traces import NOTHING, Fit, Learner, Value, held_out, joined
from jupyter_swarm.cell.scan import is_literal, name_of, value_of
from jupyter_swarm.cell.vocabulary import FIT, KEEPS_MODEL, PREDICT

if TYPE_CHECKING:
    from jupyter_swarm.cell.leaks.tracing import Tracer


def model_of(tracer: Tracer, call: ast.Call, local: ast.AST | None) -> Value | None:
    """A model or splitter that a call makes; None where it makes none."""
    name = name_of(call.func)
    if isinstance(local, ast.ClassDef):
        methods = {n.name: n for n in local.body if isinstance(n, ast.FunctionDef)}
        if not methods.keys() & {"fit", "fit_transform", "forward", "fit_resample", "__call__"}:
            return None
        fit = methods.get("fit") or methods.get("fit_transform")
        learns = fit is None or any(
            isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) for n in ast.walk(fit)
        )
        return Value(learner=Learner(name, learns=learns))
    live = tracer.objects.get(tracer.scan.path(call.func) or "")
    if isinstance(live, type):
        given = {k.arg: value_of(k.value) for k in call.keywords if k.arg and is_literal(k.value)}
        splits = learners.splitter(live, given)
        if splits is not None:
            return Value(splitter=splits)
        made = learners.learner(live, name)
        if made is None:
            return None
        inner = [value.learner for value in nested(tracer, call) if value.learner is not None]
        learns = any(each.learns for each in inner) if inner else made.learns
        stopping = made.stops or stops(tracer, call)
        return _of_model(tracer, call, Learner(name, learns, stopping, made.searches, _takes_all(name, inner)))
    values = list(nested(tracer, call))
    inner = [value.learner for value in values if value.learner is not None]
    if inner and len(inner) == len(values) and not scores_by_splits(tracer, call):
        return _of_model(
            tracer,
            call,
            Learner(name, any(each.learns for each in inner), stops(tracer, call), whole=_takes_all(name, inner)),
        )
    return None


def _takes_all(name: str, inner: list[Learner]) -> bool:
    """Whether a model uses all columns that it is given, as far as its call tells."""
    return trade.SELECTS.search(name) is None and all(each.whole for each in inner)


def _of_model(tracer: Tracer, call: ast.Call, learner: Learner) -> Value:
    """A model that was just made, of parts that may have been chosen or fitted."""
    values = list(nested(tracer, call))
    return Value(
        learner=learner,
        chosen=frozenset().union(*(value.chosen for value in values)),
        learned=frozenset().union(*(value.learned for value in values)),
    )


def nested(tracer: Tracer, call: ast.Call) -> Iterable[Value]:
    """Values of a call's arguments, through lists and tuples; those that say nothing are left out."""
    nodes = arguments(call)
    while nodes:
        node = nodes.pop()
        if isinstance(node, (ast.List, ast.Tuple)):
            nodes += node.elts
        elif isinstance(node, ast.Dict):
            nodes += node.values
        elif isinstance(node, ast.Starred):
            nodes.append(node.value)
        elif not is_literal(node) and (value := tracer.of(node)) is not NOTHING:
            yield value


def stops(tracer: Tracer, call: ast.Call) -> bool:
    """Whether a call says that training stops early, or keeps what measured best."""
    for argument in (*arguments(call), *call.keywords):
        for node in ast.walk(argument):
            words = [getattr(node, field, None) for field in ("id", "attr", "arg", "value")]
            if isinstance(node, ast.keyword) and spells(node.value, False, 0):
                continue
            if any(isinstance(word, str) and trade.STOPS.search(word) for word in words):
                return True
            if isinstance(node, ast.Name):
                for definition in tracer.scan.definitions.get(node.id, ()):
                    if definition.value is not None and trade.STOPS.search(ast.unparse(definition.value)):
                        return True
    return False


def monitored(tracer: Tracer, call: ast.Call) -> frozenset[Any]:
    """Held-out rows that a call is given to watch."""
    keys = set()
    for keyword in call.keywords:
        if keyword.arg and trade.EVALUATED_BY.fullmatch(keyword.arg):
            for value in _rows_in(tracer, keyword.value):
                keys.add(value.key)
    return frozenset(key for key in keys if held_out(key))


def _rows_in(tracer: Tracer, node: ast.expr) -> Iterable[Value]:
    if isinstance(node, (ast.List, ast.Tuple)):
        for each in node.elts:
            yield from _rows_in(tracer, each)
    else:
        value = tracer.of(node)
        yield from value.items if value.items is not None else [value]


def answered(tracer: Tracer, call: ast.Call, model: Value, method: str) -> Value:
    """Predictions for rows, or a score on them."""
    x, _, _ = data_of(tracer, call)
    x = tracer.with_fits(x, model.learned, line_of(call)) if model.learned else x
    scalar = method in ("score", "evaluate", "test")
    return Value(
        roots=x.roots,
        parts=x.parts | model.parts,
        fits=x.fits,
        asked=frozenset({x.key}) if x.key else frozenset(),
        chosen=model.chosen | x.chosen,
        scalar=scalar,
    )


def fit_of(tracer: Tracer, call: ast.Call, model: Value, method: str) -> Value:
    """A model after it has seen rows."""
    x, y, _ = data_of(tracer, call)
    learner = model.learner or Learner("it")
    supervised = y is not NOTHING
    line = line_of(call)
    if supervised and x is not NOTHING and learner.whole:
        tracer.pairs.append((x, y, line))
    searched = 0
    if learner.searches and x is not NOTHING:
        split = tracer.splits.at(("search", id(call)), line)
        tracer.enter(x, split, line)
        searched = split.number
    learned = learnt(x, learner, line, "statistics" if method in trade.LEARNS_AND_MAPS else "model", supervised)
    chosen = model.chosen | x.chosen
    watched = monitored(tracer, call)
    if watched and (learner.stops or stops(tracer, call)):
        for key in watched:
            tracer.choices[key] = (line, "stops the training")
        chosen |= watched
    seen = model.learned | learned if method == "partial_fit" else learned
    return model.but(learner=learner, learned=seen, parts=x.parts, roots=x.roots, searched=searched, chosen=chosen)


def learnt(x: Value, learner: Learner, line: int, kind: str, supervised: bool) -> frozenset[Fit]:
    """What a learner takes from rows; nothing where it takes only structure."""
    if not learner.learns or not x.roots:
        return frozenset()
    name = learner.name
    made = "statistics" if kind == "statistics" else "model"
    return frozenset({Fit(made, line, name, x.roots, x.parts, supervised)})  # type: ignore[arg-type]


def fit_and_map(tracer: Tracer, call: ast.Call, model: Value, method: str, root: str | None) -> Value:
    """`fit_transform`, `fit_resample`: rows that carry what was learnt from all of them."""
    x, y, _ = data_of(tracer, call)
    if model.learner is None:
        model = model.but(learner=Learner(root or name_of(call.func)))
    fitted = fit_of(tracer, call, model, method)
    if root is not None:
        tracer.change(root, **{name: getattr(fitted, name) for name in ("learner", "learned", "parts", "roots")})
    if method in trade.RESAMPLERS:
        fits = learnt(x, fitted.learner or Learner(method), line_of(call), "statistics", True)
        both = [kept(each, "").but(fits=each.fits | fits, frame=each.frame) for each in (x, y)]
        return joined(both).but(items=tuple(both))
    frame = x.frame if model.learner is not None and model.learner.whole else None
    return kept(x, method).but(fits=x.fits | fitted.learned, rows=x.rows, complete=x.complete, frame=frame)


def of_learner(tracer: Tracer, call: ast.Call, model: Value, method: str, root: str | None) -> Value:
    """A method of a model: it is fitted, asked, or given other weights."""
    if method in FIT and (call.args or call.keywords):
        fitted = fit_of(tracer, call, model, method)
        if root is not None and model.learner is not None:
            tracer.change(root, learned=fitted.learned, parts=fitted.parts, roots=fitted.roots,
                          searched=fitted.searched, chosen=fitted.chosen)  # fmt: skip
        return fitted
    if method == "transform":
        x, _, _ = data_of(tracer, call)
        told = tracer.with_fits(x, [replace(fit, kind="statistics") for fit in model.learned])
        frame = x.frame if model.learner is not None and model.learner.whole else None
        return kept(x, "transform").but(fits=told.fits, rows=x.rows, complete=x.complete, frame=frame)
    if method in PREDICT or method in ("score", "evaluate", "test"):
        return answered(tracer, call, model, method)
    if method in ("load_state_dict", "set_params", "load_weights", "set_weights") and root is not None:
        tracer.change(root, chosen=joined(values_of(tracer, call)).chosen)
        return model
    if method in KEEPS_MODEL:
        return model
    if method == "get_support":
        return Value(roots=model.roots, stats=model.learned)
    if method in ("state_dict", "get_params", "parameters", "get_weights"):
        return Value(chosen=model.chosen)
    return NOTHING
