"""Values of a notebook as `Series`: lists, dictionaries, histories, frames, arrays, tensors, all by duck typing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any

from jupyter_swarm.diagnosis import names
from jupyter_swarm.diagnosis.series import Logged, Series, Way, gathered
from jupyter_swarm.errors import UsageError
from jupyter_swarm.words import Run

HISTORIES = {"history": "", "log_history": "", "evals_result_": "", "loss_curve_": "loss", "train_score_": "train_loss"}
"""Attributes under which libraries keep what was logged (Keras, Transformers, XGBoost and LightGBM, scikit-learn), and
what a bare list there is."""
MOST = 2_000_000
"""Numbers of a log that are read."""
KINDS = (
    "a list of numbers, a dictionary of lists, a list of dictionaries, a frame, a history, the path of a log file, or "
    "a swarm's run"
)
_DENSE = 0.8
"""A column that is filled so far has no gaps on purpose: a NaN in it is one."""


def of(value: Any, name: str, ways: Mapping[str, Way] | None = None) -> Series:
    """The curves of a value.

    Args:
        value: what the notebook has.
        name: how it is called there; a bare list of numbers is that curve.
        ways: curve → "up" or "down", where it is known which way is better.

    Raises:
        UsageError: it is none of what can be read, it is empty, or it holds no number.

    >>> of({"loss": [0.5, 0.4]}, "history").curves["loss"].points
    ((0.0, 0.5), (1.0, 0.4))
    """
    logged = _read(value, name)
    if not logged:
        raise UsageError(f"{name} holds no number that was logged", where=kind(value), cure=KINDS)
    if len(logged) > MOST:
        raise UsageError(f"{name} holds more than {MOST:,} numbers", where=kind(value), cure="every tenth of them")
    return _understood(logged, ways or {})


def _understood(logged: list[Logged], ways: Mapping[str, Way]) -> Series:
    """The curves; where there is a single one whose name does not say what it is, it is read as a loss."""
    series = gathered(logged, (), ways)
    others = [each.name for each in series.of("other")]
    if not others:
        return series
    if len(others) == len(series.curves) == 1:
        said = f"{others[0]} does not say what it is: it is read as a loss, of which less is better"
        return gathered(logged, [said], {**ways, others[0]: "down"})
    named = ", ".join(others[:8]) + (", …" if len(others) > 8 else "")
    said = f"by their names neither loss nor score, looked at for NaN alone: {named}"
    return gathered(logged, [said], ways)


def of_run(run: Run, ways: Mapping[str, Way] | None = None) -> Series:
    """The curves of a swarm's run; none where it logged none."""
    logged = [Logged(name, step, value) for name, points in run.curves.items() for step, value in points]
    return _understood(logged, ways or {})


def kind(value: Any) -> str:
    """A value in a few words, for messages.

    >>> kind([1]), kind(None)
    ('a list of 1', 'NoneType')
    """
    size = f" of {len(value)}" if isinstance(value, (list, tuple, dict, set, str)) else ""
    shape = getattr(value, "shape", None)
    size = f" {tuple(shape)}" if isinstance(shape, Sequence) and shape else size
    return f"a {type(value).__name__}{size}" if size else type(value).__name__


# ---------------------------------------------------------------- what it is


def _read(value: Any, name: str) -> list[Logged]:
    if hasattr(value, "columns") and hasattr(value, "__getitem__"):
        return _table(_indexed(value))
    for attribute, called in HISTORIES.items():
        inner = getattr(value, attribute, None)
        if inner is not None and not callable(inner) and not isinstance(value, Mapping):
            return _with_epochs(_read(inner, called or name), getattr(value, "epoch", None))
    if isinstance(value, Mapping):
        return _mapping(value)
    items = listed(value) if not isinstance(value, (str, bytes)) else None
    if items is None:
        raise UsageError(f"{name} cannot be read as a log", where=kind(value), cure=KINDS)
    if items and all(isinstance(each, Mapping) for each in items):
        return rows(items)
    return list(_named(name, items))


def _indexed(frame: Any) -> dict[str, Sequence[Any]]:
    """The columns of a frame; its index counts the steps where no column does and it grows."""
    columns: dict[str, Sequence[Any]] = {str(each): listed(frame[each]) or [] for each in frame.columns}
    index = [number(each) for each in listed(getattr(frame, "index", None)) or []]
    steps = [each for each in index if each is not None]
    grows = len(steps) == len(index) > 1 and all(a < b for a, b in pairwise(steps))
    return {"step": steps, **columns} if grows and not _clock(set(columns))[0] else columns


def _with_epochs(read: list[Logged], epochs: Any) -> list[Logged]:
    """Keras keeps the epochs beside the values."""
    known = [number(each) for each in listed(epochs) or []] if epochs is not None else []
    steps = [each for each in known if each is not None]
    counts: dict[str, int] = {}
    found = []
    for each in read:
        place = counts[each.name] = counts.get(each.name, -1) + 1
        here = each.step in (None, float(place)) and len(steps) > place
        found.append(each._replace(step=steps[place]) if here else each)
    return found


def _named(name: str, items: Iterable[Any]) -> Iterator[Logged]:
    """A list of numbers, or of pairs (step, value).

    Raises:
        UsageError: something in it is no number.
    """
    for place, item in enumerate(items):
        step: float | None = float(place)
        value = item
        if isinstance(item, (list, tuple)) and len(item) == 2:
            step, value = number(item[0]), item[1]
        found = number(value)
        if found is None:
            raise UsageError(
                f"{name} holds something that is no number: {str(item)[:60]!r}", where=f"{name}[{place}]", cure=KINDS
            )
        yield Logged(name, step, found)


def _mapping(value: Mapping[Any, Any], prefix: str = "") -> list[Logged]:
    """Name → list, also one level down (`validation_0` → `logloss` → list). Of equally long lists, one that counts
    steps gives them."""
    lists: dict[str, list[Any]] = {}
    found: list[Logged] = []
    for key, each in value.items():
        name = f"{prefix}{key}"
        if isinstance(each, Mapping) and not prefix:
            found += _mapping(each, f"{name}/")
        elif not isinstance(each, (str, bytes)) and (items := listed(each)) is not None:
            lists[name] = items
        elif not prefix and number(each) is not None:
            lists[name] = [each]
    paired = {name: items for name, items in lists.items() if items and all(_pair(each) for each in items)}
    for name, items in paired.items():
        found += _named(name, items)
    lengths = {len(items) for name, items in lists.items() if name not in paired}
    if len(lengths) == 1:
        return found + _table({name: items for name, items in lists.items() if name not in paired}, keep=True)
    for name, items in lists.items():
        if name not in paired and all(number(each) is not None for each in items):
            found += _named(name, items)
    return found


def _pair(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 2


def rows(items: Sequence[Mapping[Any, Any]]) -> list[Logged]:
    """One dictionary a step: each may name other series.

    >>> rows([{"step": 10, "loss": 0.5}, {"step": 20, "eval_loss": 0.6}])[1]
    Logged(name='eval_loss', step=20.0, value=0.6, rank=None, epoch=None)
    """
    keys = {str(key) for item in items for key in item}
    step, epoch, rank = _clock(keys)
    found = []
    for place, item in enumerate(items):
        at = number(item.get(step)) if step else None
        fallback = None if step else float(place)
        era = number(item.get(epoch)) if epoch else None
        who = number(item.get(rank)) if rank else None
        for key, each in item.items():
            name = str(key)
            value = number(each) if name not in (step, epoch, rank) else None
            if value is not None and names.read(name).role != "clock":
                found.append(
                    Logged(name, at if at is not None else fallback, value, int(who) if who is not None else None, era)
                )
    return found


def _clock(keys: set[str]) -> tuple[str, str, str]:
    """Which of these names count steps, epochs, ranks; "" for none."""
    lower = {key.lower(): key for key in sorted(keys)}
    step = next((lower[each] for each in names.STEPS if each in lower), "")
    epoch = lower.get("epoch", "")
    rank = next((lower[each] for each in names.RANKS if each in lower), "")
    return step, "" if epoch == step else epoch, rank


def _table(columns: Mapping[str, Sequence[Any]], *, keep: bool = False) -> list[Logged]:
    """Columns of equal length; with `keep` a NaN is a NaN, else it may be a cell that was not filled."""
    step, epoch, rank = _clock(set(columns))

    def at(name: str, place: int) -> float | None:
        value = number(columns[name][place]) if name else None
        return value if value is not None and math.isfinite(value) else None

    found: list[tuple[int, Logged]] = []
    for name, cells in columns.items():
        if name in (step, epoch, rank) or names.read(name).role == "clock":
            continue
        numbers = [number(each) for each in cells]
        for place in _filled(numbers, keep=keep):
            value, who = numbers[place], at(rank, place)
            assert value is not None
            where = at(step, place) if step else float(place)
            found.append((place, Logged(name, where, value, int(who) if who is not None else None, at(epoch, place))))
    found.sort(key=lambda each: each[0])
    return [each for _, each in found]


def _filled(cells: Sequence[float | None], *, keep: bool = False) -> list[int]:
    """Places of a column that were logged. NaN or nothing in a table may mean "not logged here": it is a NaN of the
    training where the column has hardly any, or where it goes on to the end for longer than the column ever paused."""
    good = [place for place, each in enumerate(cells) if each is not None and not math.isnan(each)]
    if keep:
        return [place for place, each in enumerate(cells) if each is not None]
    if not good:
        return []
    pause = max((b - a - 1 for a, b in pairwise(good)), default=0)
    inside = good[-1] + 1 - good[0]
    ended = len(cells) - 1 - good[-1] > 2 * pause
    dense = len(good) >= _DENSE * inside
    empty = [place for place, each in enumerate(cells) if each is not None and math.isnan(each)]
    real = [place for place in empty if (place > good[-1] and ended) or (good[0] < place < good[-1] and dense)]
    return sorted([*good, *real])


# ---------------------------------------------------------------- pieces


def listed(value: Any) -> list[Any] | None:
    """A list of what an array, tensor, column or sequence holds; None where it is none.

    >>> listed((1, 2)), listed(3)
    ([1, 2], None)
    """
    for method in ("tolist", "to_list"):
        if callable(getattr(value, method, None)):
            found = getattr(value, method)()
            return found if isinstance(found, list) else None
    if callable(getattr(value, "numpy", None)):  # TensorFlow
        return listed(value.numpy())
    return list(value) if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else None


def number(value: Any) -> float | None:
    """A float of a number or of a tensor with one element; None of anything else, truth values included.

    >>> number(1), number("nan"), number(True), number("x"), number(None)
    (1.0, nan, None, None, None)
    """
    if isinstance(value, bool):
        return None
    with suppress(ValueError, RuntimeError, TypeError):
        if isinstance(value, (int, float, str)):
            return float(value)
        if callable(getattr(value, "item", None)):
            return number(value.item())
    return None
