"""Splits by functions, by splitters, and inside of cross-validation."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from jupyter_swarm.cell.leaks import trade
from jupyter_swarm.cell.leaks.arguing import data_of, keyword_of, line_of, spells, values_of
from jupyter_swarm.cell.leaks.traces import NOTHING, Splitter, Value, joined
from jupyter_swarm.cell.scan import is_literal, name_of
from jupyter_swarm.cell.vocabulary import MODEL_PARAMETERS

if TYPE_CHECKING:
    from jupyter_swarm.cell.leaks.cutting import Split
    from jupyter_swarm.cell.leaks.tracing import Tracer


def split_by(tracer: Tracer, call: ast.Call, splitter: Splitter) -> Value:
    """`for train, test in KFold(5).split(X, y)`: two indices."""
    x, y, _ = data_of(tracer, call)
    split = tracer.splits.at(id(call), line_of(call))
    grouped = len([a for a in call.args if not spells(a)]) > 2 or keyword_of(call, "groups") is not None
    _describe(split, x, y, random=splitter.random, grouped=splitter.grouped or grouped)
    one, two = (Value(roots=x.roots, parts=x.parts | {(split.number, part)}) for part in (0, 1))
    return Value(each=Value(items=(one, two)))


def _describe(split: Split, x: Value, y: Value, *, random: bool, grouped: bool) -> None:
    split.random, split.grouped = split.random or random or x.shuffled, split.grouped or grouped
    if split.features is None:
        split.features = x
    if split.target is None and y is not NOTHING:
        split.target = y


def split_function(tracer: Tracer, call: ast.Call) -> Value:
    """`train_test_split(X, y)`: for each array a part to train on, and one that is held out."""
    values = [tracer.of(argument) for argument in call.args if not is_literal(argument)]
    values = [value for value in values if value.roots]
    split = tracer.splits.at(id(call), line_of(call))
    if not values:
        return NOTHING
    shuffles = not spells(keyword_of(call, "shuffle"), False) and trade.IN_TIME.search(name_of(call.func)) is None
    grouped = keyword_of(call, "groups", "group") is not None or trade.GROUPED.search(name_of(call.func)) is not None
    plain = keyword_of(call, "shuffle") is None or is_literal(keyword_of(call, "shuffle"))
    target = values[1] if len(values) > 1 else NOTHING
    _describe(split, values[0], target, random=shuffles and plain, grouped=grouped)
    items = []
    for place, value in enumerate(values):
        items += [tracer.cut(value, split, part, line_of(call), features=place == 0) for part in (0, 1)]
    if len(values) == 1 and (count := _unpacked(tracer, call)) > 2:
        items += [tracer.cut(values[0], split, part, line_of(call)) for part in range(2, count)]
    return joined(items).but(items=tuple(items), column=None)


def _unpacked(tracer: Tracer, call: ast.Call) -> int:
    parent = tracer.scan.text.parents.get(id(call))
    target = parent.targets[0] if isinstance(parent, ast.Assign) else None
    return len(target.elts) if isinstance(target, (ast.Tuple, ast.List)) else 0


def scores_by_splits(tracer: Tracer, call: ast.Call) -> bool:
    """Whether a function splits what it is given and measures: it takes `cv`, or is called so."""
    recipe = tracer.scan.recipe(call.func)
    name = name_of(call.func)
    if trade.CROSS.fullmatch(name) and not (recipe is not None and recipe.shape):
        return True
    if recipe is None or recipe.shape:
        return False
    parameters = {parameter.name for parameter in recipe.parameters}
    return "cv" in parameters and bool(parameters & {"X", "x", "data"})


def cross_validated(tracer: Tracer, call: ast.Call) -> Value:
    """`cross_val_score(model, X, y, cv=…)`."""
    first = call.args[0] if call.args else None
    start = 1 if first is not None and (keyword_of(call, *MODEL_PARAMETERS) is None) else 0
    x, y, _ = data_of(tracer, call, start)
    split = tracer.splits.at(id(call), line_of(call))
    cv = keyword_of(call, "cv", "folds")
    how = tracer.of(cv) if cv is not None else NOTHING
    splitter = how.splitter or Splitter()
    grouped = splitter.grouped or (keyword_of(call, "groups") is not None)
    inner = {number for value in (how.each.items if how.each and how.each.items else ()) for number in value.splits}
    grouped = grouped or any(tracer.splits.all[number].grouped for number in inner)
    random = splitter.random or any(tracer.splits.all[number].random for number in inner)
    _describe(split, x, y, random=random, grouped=grouped)
    tracer.enter(x, split, line_of(call))
    model = tracer.of(first).learner if start and first is not None else None
    if y is not NOTHING and (model is None or model.whole):
        tracer.pairs.append((x, y, line_of(call)))
    chosen = joined(values_of(tracer, call)).chosen
    return Value(roots=x.roots, parts=x.parts | {(split.number, 2)}, chosen=chosen)
