"""What a call does to values: splits, fits, predictions, scores, statistics, and all that only passes rows on."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from jupyter_swarm.cell.leaks import learners, trade
from jupyter_swarm.cell.leaks.parts import element, kept, leave_out, of_column, scores
from jupyter_swarm.cell.leaks.traces import NOTHING, Fit, Frame, Learner, Splitter, Value, held_out, joined
from jupyter_swarm.cell.scan import dotted, is_literal, name_of, root_of, value_of
from jupyter_swarm.cell.vocabulary import FIT, KEEPS_MODEL, MODEL_PARAMETERS, PREDICT

if TYPE_CHECKING:
    from jupyter_swarm.cell.leaks.cutting import Split
    from jupyter_swarm.cell.leaks.tracing import Tracer

_PASSES = frozenset({"list", "tuple", "sorted", "reversed", "iter", "tqdm", "trange", "set"})
_FEATURES = ("X", "x", "data", "features", "inputs", "df", "train_set", "dtrain")
_TARGETS = ("y", "target", "targets", "labels")


def called(tracer: Tracer, call: ast.Call) -> Value:
    """What is known of a call's value, after what it does to others."""
    function = call.func
    if isinstance(function, ast.Attribute) and not _is_module(tracer, function.value):
        return _method(tracer, call, function)
    name = name_of(function)
    if isinstance(function, ast.Name) and (found := tracer.value(name)).learner is not None:
        return _answer(tracer, call, found, name)
    local = tracer.scan.local(function)
    if isinstance(local, (ast.FunctionDef, ast.AsyncFunctionDef)):
        returned = tracer.inlined(call, local)
        return returned if returned is not None else NOTHING
    made = _made(tracer, call, local)
    if made is not None:
        return made
    return _function(tracer, call, name)


def _is_module(tracer: Tracer, node: ast.expr) -> bool:
    chain = dotted(node)
    root = chain.partition(".")[0] if chain is not None else None
    if root is None or root not in tracer.scan.imported:
        return False
    return not any(d.kind not in ("import", "mutate") for d in tracer.scan.definitions.get(root, ()))


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _values(tracer: Tracer, call: ast.Call) -> list[Value]:
    return [tracer.of(argument) for argument in _arguments(call)]


def _keyword(call: ast.Call, *names: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg in names), None)


def _line(call: ast.Call) -> int:
    return call.func.end_lineno or call.lineno


def _is(node: ast.expr | None, *values: object) -> bool:
    return node is not None and is_literal(node) and value_of(node) in values


def _data(tracer: Tracer, call: ast.Call, start: int = 0) -> tuple[Value, Value, ast.expr | None]:
    """Features and target that a call is given, and the node of the features."""
    nodes = [argument for argument in call.args[start:] if not is_literal(argument)]
    x = _keyword(call, *_FEATURES) or (nodes[0] if nodes else None)
    y = _keyword(call, *_TARGETS) or (nodes[1] if len(nodes) > 1 else None)
    return tracer.of(x) if x is not None else NOTHING, tracer.of(y) if y is not None else NOTHING, x


# ---------------------------------------------------------------- models


def _made(tracer: Tracer, call: ast.Call, local: ast.AST | None) -> Value | None:
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
        inner = [value.learner for value in _nested(tracer, call) if value.learner is not None]
        learns = any(each.learns for each in inner) if inner else made.learns
        stopping = made.stops or stops(tracer, call)
        return _of_model(tracer, call, Learner(name, learns, stopping, made.searches, _takes_all(name, inner)))
    values = list(_nested(tracer, call))
    inner = [value.learner for value in values if value.learner is not None]
    if inner and len(inner) == len(values) and not _scores_by_splits(tracer, call):
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
    values = list(_nested(tracer, call))
    return Value(
        learner=learner,
        chosen=frozenset().union(*(value.chosen for value in values)),
        learned=frozenset().union(*(value.learned for value in values)),
    )


def _nested(tracer: Tracer, call: ast.Call) -> Iterable[Value]:
    """Values of a call's arguments, through lists and tuples; those that say nothing are left out."""
    nodes = _arguments(call)
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
    for argument in (*_arguments(call), *call.keywords):
        for node in ast.walk(argument):
            words = [getattr(node, field, None) for field in ("id", "attr", "arg", "value")]
            if isinstance(node, ast.keyword) and _is(node.value, False, 0):
                continue
            if any(isinstance(word, str) and trade.STOPS.search(word) for word in words):
                return True
            if isinstance(node, ast.Name):
                for definition in tracer.scan.definitions.get(node.id, ()):
                    if definition.value is not None and trade.STOPS.search(ast.unparse(definition.value)):
                        return True
    return False


def _monitored(tracer: Tracer, call: ast.Call) -> frozenset[Any]:
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


def _answer(tracer: Tracer, call: ast.Call, model: Value, method: str) -> Value:
    """Predictions for rows, or a score on them."""
    x, _, _ = _data(tracer, call)
    x = tracer.with_fits(x, model.learned, _line(call)) if model.learned else x
    scalar = method in ("score", "evaluate", "test")
    return Value(
        roots=x.roots,
        parts=x.parts | model.parts,
        fits=x.fits,
        asked=frozenset({x.key}) if x.key else frozenset(),
        chosen=model.chosen | x.chosen,
        scalar=scalar,
    )


def _fit(tracer: Tracer, call: ast.Call, model: Value, method: str) -> Value:
    """A model after it has seen rows."""
    x, y, _ = _data(tracer, call)
    learner = model.learner or Learner("it")
    supervised = y is not NOTHING
    line = _line(call)
    if supervised and x is not NOTHING and learner.whole:
        tracer.pairs.append((x, y, line))
    searched = 0
    if learner.searches and x is not NOTHING:
        split = tracer.splits.at(("search", id(call)), line)
        tracer.enter(x, split, line)
        searched = split.number
    learned = _learnt(x, learner, line, "statistics" if method in trade.LEARNS_AND_MAPS else "model", supervised)
    chosen = model.chosen | x.chosen
    watched = _monitored(tracer, call)
    if watched and (learner.stops or stops(tracer, call)):
        for key in watched:
            tracer.choices[key] = (line, "stops the training")
        chosen |= watched
    seen = model.learned | learned if method == "partial_fit" else learned
    return model.but(learner=learner, learned=seen, parts=x.parts, roots=x.roots, searched=searched, chosen=chosen)


def _learnt(x: Value, learner: Learner, line: int, kind: str, supervised: bool) -> frozenset[Fit]:
    if not learner.learns or not x.roots:
        return frozenset()
    name = learner.name
    made = "statistics" if kind == "statistics" else "model"
    return frozenset({Fit(made, line, name, x.roots, x.parts, supervised)})  # type: ignore[arg-type]


# ---------------------------------------------------------------- methods


def _method(tracer: Tracer, call: ast.Call, function: ast.Attribute) -> Value:
    method, receiver = function.attr, tracer.of(function.value)
    root = function.value.id if isinstance(function.value, ast.Name) else None
    if method == "split" and receiver.splitter is not None:
        return _split_by(tracer, call, receiver.splitter)
    if method in trade.LEARNS_AND_MAPS:
        return _fit_and_map(tracer, call, receiver, method, root)
    if receiver.learner is not None or method in PREDICT:
        return _of_learner(tracer, call, receiver, method, root)
    if (cut := tracer.cuts.get(id(call))) is not None:
        split = tracer.splits.at(cut.mark, _line(call))
        split.random = True
        return tracer.cut(receiver, split, cut.part, _line(call))
    handler = _HANDLERS.get(method)
    if handler is not None and (receiver is not NOTHING or method in ("append", "extend", "add")):
        return handler(tracer, call, receiver, root)
    if method in trade.SHUFFLES:
        return _shuffled(tracer, call, receiver)
    if method in trade.STATISTICS | trade.RELATIONS | trade.REDUCTIONS | trade.LARGEST:
        return _statistic(tracer, call, receiver, method)
    return _passed_on(tracer, call, receiver, method, root)


def _fit_and_map(tracer: Tracer, call: ast.Call, model: Value, method: str, root: str | None) -> Value:
    """`fit_transform`, `fit_resample`: rows that carry what was learnt from all of them."""
    x, y, _ = _data(tracer, call)
    if model.learner is None:
        model = model.but(learner=Learner(root or name_of(call.func)))
    fitted = _fit(tracer, call, model, method)
    if root is not None:
        tracer.change(root, **{name: getattr(fitted, name) for name in ("learner", "learned", "parts", "roots")})
    if method in trade.RESAMPLERS:
        fits = _learnt(x, fitted.learner or Learner(method), _line(call), "statistics", True)
        both = [kept(each, "").but(fits=each.fits | fits, frame=each.frame) for each in (x, y)]
        return joined(both).but(items=tuple(both))
    frame = x.frame if model.learner is not None and model.learner.whole else None
    return kept(x, method).but(fits=x.fits | fitted.learned, rows=x.rows, complete=x.complete, frame=frame)


def _of_learner(tracer: Tracer, call: ast.Call, model: Value, method: str, root: str | None) -> Value:
    if method in FIT and (call.args or call.keywords):
        fitted = _fit(tracer, call, model, method)
        if root is not None and model.learner is not None:
            tracer.change(root, learned=fitted.learned, parts=fitted.parts, roots=fitted.roots,
                          searched=fitted.searched, chosen=fitted.chosen)  # fmt: skip
        return fitted
    if method == "transform":
        x, _, _ = _data(tracer, call)
        told = tracer.with_fits(x, model.learned, 0)
        frame = x.frame if model.learner is not None and model.learner.whole else None
        return kept(x, "transform").but(fits=told.fits, rows=x.rows, complete=x.complete, frame=frame)
    if method in PREDICT or method in ("score", "evaluate", "test"):
        return _answer(tracer, call, model, method)
    if method in ("load_state_dict", "set_params", "load_weights", "set_weights") and root is not None:
        tracer.change(root, chosen=joined(_values(tracer, call)).chosen)
        return model
    if method in KEEPS_MODEL:
        return model
    if method == "get_support":
        return Value(roots=model.roots, stats=model.learned)
    if method in ("state_dict", "get_params", "parameters", "get_weights"):
        return Value(chosen=model.chosen)
    return NOTHING


def _split_by(tracer: Tracer, call: ast.Call, splitter: Splitter) -> Value:
    """`for train, test in KFold(5).split(X, y)`: two indices."""
    x, y, _ = _data(tracer, call)
    split = tracer.splits.at(id(call), _line(call))
    grouped = len([a for a in call.args if not _is(a)]) > 2 or _keyword(call, "groups") is not None
    _describe(split, x, y, random=splitter.random, grouped=splitter.grouped or grouped)
    one, two = (Value(roots=x.roots, parts=x.parts | {(split.number, part)}) for part in (0, 1))
    return Value(each=Value(items=(one, two)))


def _describe(split: Split, x: Value, y: Value, *, random: bool, grouped: bool) -> None:
    split.random, split.grouped = split.random or random or x.shuffled, split.grouped or grouped
    if split.features is None:
        split.features = x
    if split.target is None and y is not NOTHING:
        split.target = y


def _appended(tracer: Tracer, call: ast.Call, receiver: Value, root: str | None) -> Value:
    value = joined(_values(tracer, call))
    root = root if root is not None else root_of(call.func)
    if root is not None and value is not NOTHING:
        gathered = tracer.loops > 0 and value.scalar and bool(value.asked)
        tracer.add(root, value.flowing.but(gathered=gathered or value.gathered))
    return NOTHING


def _dropped(tracer: Tracer, call: ast.Call, receiver: Value, root: str | None) -> Value:
    """`df.drop(columns=["y"])`, `df.drop("y", axis=1)`; an unknown set of columns leaves an unknown frame."""
    columns = _keyword(call, "columns")
    if columns is None and _is(_keyword(call, "axis") or (call.args[1] if len(call.args) > 1 else None), 1, "columns"):
        columns = _keyword(call, "labels") or (call.args[0] if call.args else None)
    if columns is None:
        return kept(receiver, "dropna").but(frame=receiver.frame)
    value = tracer.of(columns)
    one = tracer.text(columns)
    names = (one,) if one is not None else value.names
    found = leave_out(receiver, names) if names else receiver.but(frame=None)
    if _is(_keyword(call, "inplace"), True) and receiver.frame is not None:
        if names:
            tracer.without(receiver.frame, names)
        elif root is not None:
            tracer.change(root, frame=None)
        return NOTHING
    return found


def _popped(tracer: Tracer, call: ast.Call, receiver: Value, root: str | None) -> Value:
    column = tracer.text(call.args[0]) if call.args else None
    if column is not None and receiver.frame is not None:
        found = of_column(receiver, column)
        tracer.without(receiver.frame, [column])
        return found
    return receiver.flowing


def _grouped_by(tracer: Tracer, call: ast.Call, receiver: Value, root: str | None) -> Value:
    """What a group says of a column: of the target, that is a target encoder made by hand."""
    return receiver.flowing.but(label=trade.GROUPS, frame=receiver.frame, column=receiver.column)


def _sampled(tracer: Tracer, call: ast.Call, receiver: Value, root: str | None) -> Value:
    if receiver.asked or not receiver.roots:
        return receiver.flowing
    found = kept(receiver, "sample").but(shuffled=True, frame=receiver.frame, column=receiver.column)
    if _is(_keyword(call, "replace"), True):
        return found.but(fits=found.fits | _copies(receiver, _line(call)))
    whole = _is(_keyword(call, "frac"), 1, 1.0)
    return found.but(rows=receiver.rows if whole else None, complete=whole and receiver.complete)


def _copies(value: Value, line: int) -> frozenset[Fit]:
    return frozenset({Fit("copies", line, "rows drawn with replacement", value.roots, value.parts)})


def _sorted_by(tracer: Tracer, call: ast.Call, receiver: Value, root: str | None) -> Value:
    by = _keyword(call, "by", "keys") or (call.args[0] if call.args else None)
    names = (
        [str(value_of(by))] if by is not None and is_literal(by) else list((tracer.of(by).names if by else ()) or ())
    )
    dated = bool(names) and trade.DATED.fullmatch(names[0]) is not None
    place = _line(call) if dated else 0
    sorts = name_of(call.func) != "set_index"
    found = kept(receiver, "sort_values" if sorts else "reset_index").but(
        ordered=place or (0 if sorts else receiver.ordered)
    )
    found = found.but(frame=receiver.frame, shuffled=False if sorts else receiver.shuffled)
    if _is(_keyword(call, "inplace"), True) and root is not None:
        tracer.change(root, ordered=found.ordered, rows=found.rows, complete=found.complete)
        return NOTHING
    return found


def _lagged(tracer: Tracer, call: ast.Call, receiver: Value, root: str | None) -> Value:
    """Values of rows before or after: their order matters."""
    found = receiver.flowing.but(rows=None, label=trade.ALONG, ordered=_line(call) if receiver.roots else 0)
    return found


_HANDLERS: dict[str, Callable[[Tracer, ast.Call, Value, str | None], Value]] = {
    "append": _appended,
    "extend": _appended,
    "add": _appended,
    "drop": _dropped,
    "pop": _popped,
    "groupby": _grouped_by,
    "sample": _sampled,
    "sort_values": _sorted_by,
    "set_index": _sorted_by,
    **dict.fromkeys(trade.LAGS, _lagged),
}


def _shuffled(tracer: Tracer, call: ast.Call, receiver: Value) -> Value:
    """`rng.permutation(n)`, `rng.random(n) < 0.8`, and `rng.shuffle(indices)` in place."""
    values = _values(tracer, call)
    if name_of(call.func) == "shuffle":
        for argument in call.args:
            if isinstance(argument, ast.Name):
                tracer.change(argument.id, shuffled=True, rows=None)
    found = joined(values)
    if _is(_keyword(call, "replace"), True):
        return found.but(shuffled=True)
    return Value(roots=found.roots, parts=found.parts, fits=found.fits, shuffled=True)


def _rowwise(call: ast.Call, given: int) -> bool:
    """Whether a statistic is taken of each row."""
    axis = _keyword(call, "axis", "dim")
    if axis is None and len(call.args) > given:
        axis = call.args[given]
    return _is(axis, 1, -1, 2, "columns")


def _statistic(tracer: Tracer, call: ast.Call, data: Value, method: str) -> Value:
    """A statistic of rows; of predictions or scores, a score."""
    as_method = isinstance(call.func, ast.Attribute) and not _is_module(tracer, call.func.value)
    rest = call.args[0 if as_method else 1 :]
    values = [data, *(tracer.of(each) for each in (*rest, *(k.value for k in call.keywords)))]
    if method in trade.LARGEST and data.gathered:
        return _best_of(tracer, call, data)
    found = joined(values)
    if data.asked:
        across = _keyword(call, "axis", "dim") is not None
        return found.but(scalar=not across or data.scalar, gathered=False, stats=frozenset())
    if data.label == trade.ALONG or data.stats:
        return found
    if data.label == trade.GROUPS:
        return _of_groups(tracer, call, data, found, method)
    if method in trade.RELATIONS or (method in trade.STATISTICS and not _rowwise(call, 0 if as_method else 1)):
        what = f"the {method} of {data.label}" if data.label else f"a {method}"
        fit = Fit("statistics", _line(call), what, data.roots, data.parts, method in trade.RELATIONS)
        return Value(roots=data.roots, parts=data.parts, stats=frozenset({fit})) if data.roots else NOTHING
    return found.but(gathered=False)


def _of_groups(tracer: Tracer, call: ast.Call, data: Value, found: Value, method: str) -> Value:
    """A statistic of each group; it is a fit where it is one of the target."""
    if data.column is None or method not in trade.STATISTICS:
        return found
    what = f"the {method} of {data.column[1]} in each group"
    fit = Fit("statistics", _line(call), what, data.roots, data.parts, True, encodes=data.column)
    return Value(roots=data.roots, parts=data.parts, stats=frozenset({fit}))


def _best_of(tracer: Tracer, call: ast.Call, data: Value) -> Value:
    """The best of several scores: what the rows choose that they were measured on."""
    keys = frozenset(key for key in data.asked if held_out(key))
    for key in keys:
        tracer.choices[key] = (_line(call), "chooses the best")
    return data.flowing.but(chosen=data.chosen | keys, gathered=False)


def _passed_on(tracer: Tracer, call: ast.Call, receiver: Value, method: str, root: str | None) -> Value:
    """Rows go through a method that is not known: they keep what its name lets them keep."""
    values = _values(tracer, call)
    if receiver.label == trade.GROUPS and method in ("transform", "agg", "aggregate") and call.args:
        word = str(value_of(call.args[0])) if is_literal(call.args[0]) else ""
        return (
            _of_groups(tracer, call, receiver, receiver.flowing, word) if word in trade.STATISTICS else receiver.flowing
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
    if method in ("apply", "transform", "pipe") and call.args and isinstance(call.args[0], ast.Lambda):
        if not _rowwise(call, 1):
            told = joined([told, tracer.called_on(call.args[0], receiver)])
    both = joined([found, told])
    found = found.but(
        roots=both.roots, parts=both.parts, fits=both.fits, stats=both.stats, asked=both.asked, chosen=both.chosen,
        ordered=both.ordered, scalar=both.scalar, gathered=both.gathered,
    )  # fmt: skip
    if _is(_keyword(call, "inplace"), True):
        changed = root if root is not None else root_of(call.func)
        if changed is not None:
            tracer.add(changed, found.flowing)
            if method in trade.FEWER_ROWS:
                tracer.change(changed, complete=False)
        return NOTHING
    return found


# ---------------------------------------------------------------- functions


def _function(tracer: Tracer, call: ast.Call, name: str) -> Value:
    if name in trade.NO_CALLS:
        _values(tracer, call)
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
        return _split_function(tracer, call)
    if _scores_by_splits(tracer, call):
        return _cross_validated(tracer, call)
    if name in ("max", "min", "nanmax", "nanmin", "argmax", "argmin"):
        chosen = _largest(tracer, call)
        if chosen is not None:
            return chosen
    if name in ("resample", "choice", "choices") and _resampled(call, name):
        x, _, _ = _data(tracer, call)
        return (
            kept(x, "").but(fits=x.fits | _copies(x, _line(call)), shuffled=True) if x.roots else Value(shuffled=True)
        )
    if name in trade.SHUFFLES:
        return _shuffled_by(tracer, call)
    known = trade.STATISTICS | trade.RELATIONS | trade.REDUCTIONS
    if name in known and call.args:
        return _statistic(tracer, call, tracer.of(call.args[0]), name)
    if trade.STANDARDISES.fullmatch(name) and call.args and not _rowwise(call, 1):
        x = tracer.of(call.args[0])
        fit = Fit("statistics", _line(call), name, x.roots, x.parts)
        return kept(x, "copy").but(fits=x.fits | ({fit} if x.roots else set()))
    return _unknown(tracer, call, _values(tracer, call), name)


def _resampled(call: ast.Call, name: str) -> bool:
    return name == "resample" and not _is(_keyword(call, "replace"), False)


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


def _split_function(tracer: Tracer, call: ast.Call) -> Value:
    """`train_test_split(X, y)`: for each array a part to train on, and one that is held out."""
    values = [tracer.of(argument) for argument in call.args if not is_literal(argument)]
    values = [value for value in values if value.roots]
    split = tracer.splits.at(id(call), _line(call))
    if not values:
        return NOTHING
    shuffles = not _is(_keyword(call, "shuffle"), False) and trade.IN_TIME.search(name_of(call.func)) is None
    grouped = _keyword(call, "groups", "group") is not None or trade.GROUPED.search(name_of(call.func)) is not None
    plain = _keyword(call, "shuffle") is None or is_literal(_keyword(call, "shuffle"))
    target = values[1] if len(values) > 1 else NOTHING
    _describe(split, values[0], target, random=shuffles and plain, grouped=grouped)
    items = []
    for place, value in enumerate(values):
        items += [tracer.cut(value, split, part, _line(call), features=place == 0) for part in (0, 1)]
    if len(values) == 1 and (count := _unpacked(tracer, call)) > 2:
        items += [tracer.cut(values[0], split, part, _line(call)) for part in range(2, count)]
    return joined(items).but(items=tuple(items), column=None)


def _unpacked(tracer: Tracer, call: ast.Call) -> int:
    parent = tracer.scan.text.parents.get(id(call))
    target = parent.targets[0] if isinstance(parent, ast.Assign) else None
    return len(target.elts) if isinstance(target, (ast.Tuple, ast.List)) else 0


def _scores_by_splits(tracer: Tracer, call: ast.Call) -> bool:
    """Whether a function splits what it is given and measures: it takes `cv`, or is called so."""
    recipe = tracer.scan.recipe(call.func)
    name = name_of(call.func)
    if trade.CROSS.fullmatch(name) and not (recipe is not None and recipe.shape):
        return True
    if recipe is None or recipe.shape:
        return False
    parameters = {parameter.name for parameter in recipe.parameters}
    return "cv" in parameters and bool(parameters & {"X", "x", "data"})


def _cross_validated(tracer: Tracer, call: ast.Call) -> Value:
    """`cross_val_score(model, X, y, cv=…)`."""
    first = call.args[0] if call.args else None
    start = 1 if first is not None and (_keyword(call, *MODEL_PARAMETERS) is None) else 0
    x, y, _ = _data(tracer, call, start)
    split = tracer.splits.at(id(call), _line(call))
    cv = _keyword(call, "cv", "folds")
    how = tracer.of(cv) if cv is not None else NOTHING
    splitter = how.splitter or Splitter()
    grouped = splitter.grouped or (_keyword(call, "groups") is not None)
    inner = {number for value in (how.each.items if how.each and how.each.items else ()) for number in value.splits}
    grouped = grouped or any(tracer.splits.all[number].grouped for number in inner)
    random = splitter.random or any(tracer.splits.all[number].random for number in inner)
    _describe(split, x, y, random=random, grouped=grouped)
    tracer.enter(x, split, _line(call))
    model = tracer.of(first).learner if start and first is not None else None
    if y is not NOTHING and (model is None or model.whole):
        tracer.pairs.append((x, y, _line(call)))
    chosen = joined(_values(tracer, call)).chosen
    return Value(roots=x.roots, parts=x.parts | {(split.number, 2)}, chosen=chosen)


def _largest(tracer: Tracer, call: ast.Call) -> Value | None:
    """`max(scores)`, `max(best, score)` in a loop, `max(grid, key=lambda c: score(c))`."""
    key = _keyword(call, "key")
    if isinstance(key, ast.Lambda):
        tracer.loops += 1
        measured = tracer.of(key.body)
        tracer.loops -= 1
        keys = scores(measured)
        for each in keys:
            tracer.choices[each] = (_line(call), "chooses the best")
        return joined(_values(tracer, call)).but(chosen=keys) if keys else None
    if len(call.args) == 1 and (data := tracer.of(call.args[0])).gathered:
        return _best_of(tracer, call, data)
    parent = tracer.scan.text.parents.get(id(call))
    kept_in = {t.id for t in parent.targets if isinstance(t, ast.Name)} if isinstance(parent, ast.Assign) else set()
    running = any(isinstance(a, ast.Name) and a.id in kept_in for a in call.args)
    if len(call.args) == 2 and running and tracer.loops:
        data = joined(_values(tracer, call))
        return _best_of(tracer, call, data) if scores(data) else None
    return None


def _unknown(tracer: Tracer, call: ast.Call, values: list[Value], name: str) -> Value:
    """A function that nothing is known of: its value is made of all that it is given."""
    watched = _monitored(tracer, call)
    found = joined(values)
    if watched:
        chosen = found.chosen
        if stops(tracer, call):
            for key in watched:
                tracer.choices[key] = (_line(call), "stops the training")
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
    if _keyword(call, "parse_dates") is not None and _keyword(call, "index_col") is not None:
        dated = _line(call)
    return Value(roots=frozenset({root}), frame=Frame(root), ordered=dated)
