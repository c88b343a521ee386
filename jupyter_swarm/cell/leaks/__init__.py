"""Leaks in a cell: ways by which the rows that the metric is measured on reach what is fitted.

    trade.py                       words of the trade
    traces.py, parts.py            what is known of a value, of its columns and elements
    lent.py, learners.py, rows.py  what the notebook lends: models, splitters, data
    cutting.py                     the splits of a cell
    tracing.py, subscripting.py    what flows where, statement by statement
    calling.py                     what calls do, with arguing.py, fitting.py, splitting.py, telling.py, framing.py

Nothing of the cell is run. What is not understood is no leak: a false alarm is worse than a miss.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from jupyter_swarm.cell.leaks.cutting import Split
from jupyter_swarm.cell.leaks.rows import Looked
from jupyter_swarm.cell.leaks.traces import Fit, Value, held_out
from jupyter_swarm.cell.leaks.tracing import TooLong, Tracer
from jupyter_swarm.cell.scan import scanned
from jupyter_swarm.words import Analysis, Leak

MOST_COPIES = 0.01
"""The share of rows that may occur again."""


def leaks(analysis: Analysis, namespace: Mapping[str, Any], objects: Mapping[str, Any]) -> tuple[Leak, ...]:
    """The leaks of a cell, in the order of its lines.

    Args:
        analysis: of the cell, its catalogue read.
        namespace: the notebook's variables: looked at, never changed.
        objects: the live callables of the catalogue, by their paths.
    """
    tracer = Tracer(scanned(analysis.code, analysis), namespace, objects)
    try:
        tracer.run()
    except (TooLong, RecursionError):
        return ()
    metric = tracer.value(analysis.metric)
    looked = Looked(namespace)
    found = [*_fitted(tracer, metric), *_targets(tracer, metric, looked), *_tuned(tracer, metric)]
    found += [leak for split in _splits(tracer, metric) for leak in _of_split(split, looked)]
    ordered = sorted(found, key=lambda leak: (leak.line, leak.kind))
    lines = {(leak.kind, leak.line): leak for leak in reversed(ordered)}
    once = {(leak.kind, leak.what): leak for leak in lines.values()}
    return tuple(leak for leak in ordered if once.get((leak.kind, leak.what)) is leak)


def _splits(tracer: Tracer, metric: Value) -> Iterator[Split]:
    """The splits that the metric depends on."""
    for number in sorted(metric.splits):
        yield tracer.splits.all[number]


# ---------------------------------------------------------------- fitted on all rows


def _fitted(tracer: Tracer, metric: Value) -> Iterator[Leak]:
    targets = {y.column for _, y, _ in tracer.pairs if y.column is not None}
    said: set[Fit] = set()
    for split in _splits(tracer, metric):
        for fit, line in split.leaks.items():
            if fit not in said and (fit.encodes is None or fit.encodes in targets):
                said.add(fit)
                yield _said(fit, split.line or line)


def _said(fit: Fit, line: int) -> Leak:
    apart = f"which are split only in line {line}" if line > fit.line else f"although line {line} splits them"
    if fit.kind == "copies":
        what = f"{fit.what} are there several times before they are split in line {line}: copies are on both sides"
        return Leak(
            kind="duplicates", line=fit.line, what=what, cure="split first, then draw from the training rows alone"
        )
    if fit.kind == "model":
        what = f"{fit.what} was fitted on all rows, {apart}: it is measured on rows that it has seen"
        return Leak(kind="fitted", line=fit.line, what=what, cure="fit it on the training rows alone")
    what = f"{fit.what} saw all rows, {apart}: test rows leak into training"
    cure = "fit it on the training rows alone: after the split, or as a step of a pipeline"
    return Leak(kind="fitted", line=fit.line, what=what, cure=cure)


# ---------------------------------------------------------------- the target among the features


def _targets(tracer: Tracer, metric: Value, looked: Looked) -> Iterator[Leak]:
    if not (metric.parts or metric.asked):
        return
    for features, target, line in tracer.pairs:
        column, frame = target.column, features.frame
        name, place = features.origin or (features.label, features.line or line)
        if features.origin is not None and target.origin == features.origin:
            name, place = features.label, line
        if column is not None and frame is not None and frame.root == column[0] and frame.has(column[1]):
            gone = column[1].removeprefix("#")
            what = f"the target, column {gone!r}, is among the features"
            cure = f"leave it out of {name or 'the features'}, as drop(columns=[{gone!r}]) does"
            yield Leak(kind="target", line=place, what=what, cure=cure)
            continue
        same = None
        with suppress(Exception):  # somebody's data may raise anything
            same = looked.same_as_target(features, target)
        if same is not None:
            what = f"the feature {same!r} is the target in another form: one can be computed from the other exactly"
            yield Leak(kind="target", line=place, what=what, cure=f"leave {same!r} out of the features")


# ---------------------------------------------------------------- what a split ignores


def _of_split(split: Split, looked: Looked) -> Iterator[Leak]:
    features = split.features
    if features is None or not split.line:
        return
    with suppress(Exception):  # somebody's data may raise anything
        if not split.grouped:
            yield from _groups(split, features, looked)
    with suppress(Exception):
        if split.random and not split.grouped:
            yield from _order(split, features, looked)
            yield from _duplicates(split, features, looked)


def _groups(split: Split, features: Value, looked: Looked) -> Iterator[Leak]:
    name = looked.group(features)
    if name is None or (not split.random and looked.contiguous(features, name)):
        return
    what = f"rows of one {name!r} belong together, and the split puts them on both sides"
    cure = f"split by it: GroupKFold or GroupShuffleSplit, with groups={name}"
    yield Leak(kind="groups", line=split.line, what=what, cure=cure)


def _order(split: Split, features: Value, looked: Looked) -> Iterator[Leak]:
    named = looked.time_order(features) if features.rows is not None else None
    if named is None and not features.ordered:
        return
    by = f" ({named})" if named is not None else f" (line {features.ordered})"
    what = f"rows follow each other in time{by}, and the split shuffles them: the future is trained on"
    cure = "cut by time: TimeSeriesSplit, shuffle=False, or a date"
    yield Leak(kind="order", line=split.line, what=what, cure=cure)


def _duplicates(split: Split, features: Value, looked: Looked) -> Iterator[Leak]:
    share = looked.copies(features, split.target)
    if share > MOST_COPIES:
        what = f"{100 * share:.0f} % of the rows occur more than once, and a random split puts copies on both sides"
        cure = "drop them before the split (drop_duplicates), or keep copies together by groups"
        yield Leak(kind="duplicates", line=split.line, what=what, cure=cure)


# ---------------------------------------------------------------- chosen by the test rows


def _tuned(tracer: Tracer, metric: Value) -> Iterator[Leak]:
    for key in sorted(metric.asked & metric.chosen, key=sorted):
        if held_out(key):
            line, how = tracer.choices[key]
            what = f"a score on the rows that the metric is measured on {how} here: the metric is too good"
            cure = "choose on validation rows of their own, or by cross-validation of the training rows"
            yield Leak(kind="tuned", line=line, what=what, cure=cure)
