"""Whether a class takes more than structure from the rows that it is fitted on, as its documentation tells."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

from jupyter_swarm.cell import inspection
from jupyter_swarm.cell.leaks.traces import Learner, Splitter
from jupyter_swarm.cell.leaks.trade import GROUPED, RANDOM, RESAMPLERS, STRUCTURE

_ATTRIBUTE = re.compile(r"^\s*(\w+_)\s*:", re.MULTILINE)
_FITS = ("fit", "fit_transform", *sorted(RESAMPLERS))


@lru_cache(maxsize=512)
def learns(kind: type) -> bool:
    """Whether fitting it takes statistics from rows; a class that documents nothing is thought to.

    >>> from sklearn.preprocessing import Normalizer, OneHotEncoder, StandardScaler
    >>> learns(StandardScaler), learns(Normalizer), learns(OneHotEncoder)
    (True, False, False)
    """
    doc = inspect.getdoc(kind) or ""
    if "random projection" in doc[:300].lower():
        return False
    attributes = set(_ATTRIBUTE.findall(doc.partition("\nAttributes\n")[2]))
    return not attributes or any(STRUCTURE.fullmatch(name) is None for name in attributes)


def learner(kind: type, name: str = "") -> Learner | None:
    """What a class makes, where it can be fitted; None for others."""
    if not any(callable(_of(kind, verb)) for verb in (*_FITS, "forward")):
        return None
    return Learner(name or kind.__name__, learns=learns(kind), searches=_takes_cv(kind))


def live(value: Any, attributes: dict[str, Any]) -> Learner | None:
    """A model of the notebook; one that is made of others may use some of the columns alone."""
    made = learner(type(value))
    if made is None:
        return None
    alone = not any(
        isinstance(each, (list, tuple, dict)) or callable(_of(type(each), "fit")) for each in attributes.values()
    )
    return replace(made, whole=alone)


def splitter(kind: type, arguments: dict[str, Any]) -> Splitter | None:
    """How a class splits rows, where it does; `arguments` are those that are known.

    >>> from sklearn.model_selection import GroupKFold, KFold
    >>> splitter(KFold, {"shuffle": True}), splitter(GroupKFold, {}), splitter(str, {})
    (Splitter(random=True, grouped=False), Splitter(random=False, grouped=True), None)
    """
    if not callable(_of(kind, "split")) or not callable(_of(kind, "get_n_splits")):
        return None
    name = kind.__name__
    grouped = GROUPED.search(name) is not None
    return Splitter(random=RANDOM.search(name) is not None or arguments.get("shuffle") is True, grouped=grouped)


def _takes_cv(kind: type) -> bool:
    try:
        return "cv" in {parameter.name for parameter in inspection.recipe("", kind).parameters}
    except Exception:  # somebody's descriptor
        return False


def _of(kind: type, name: str) -> Any:
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)
