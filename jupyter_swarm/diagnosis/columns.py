"""Columns that teach nothing or hurt: labels out of balance, constant and duplicate features, missing values."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from jupyter_swarm.diagnosis.case import Case
from jupyter_swarm.diagnosis.data import missing
from jupyter_swarm.diagnosis.objects import number as numeric
from jupyter_swarm.diagnosis.signs import Fact, Sign, number

LABELS, CONSTANT, DUPLICATE, MISSING = "label imbalance", "constant features", "duplicate features", "missing values"
RATIO, SURE = 10.0, 5.0
"""Commonest to rarest label: as counted, and as the counts are sure of."""
FEWEST = 20
SHOWN = 8
"""Columns that are named."""


def imbalance(case: Case) -> list[Sign] | None:
    """Labels of which one is far rarer than another."""
    classes = case.data.classes if case.data is not None else Counter[Any]()
    total = sum(classes.values())
    if total < FEWEST:
        return None
    if len(classes) == 1:
        label = next(iter(classes))
        alone = (Fact(says=f"rows with label {label}, of {total}", value=float(total)),)
        cure = (
            "see whether y is the right column, and whether a filter or an unshuffled split has taken the others away"
        )
        return [Sign(kind=LABELS, what=f"there is one label only: {label}", evidence=alone, cure=cure, weight=0.9)]
    (common, most), (rare, least) = classes.most_common()[0], classes.most_common()[-1]
    if most < RATIO * least or _bound(most, total, -1.0) < SURE * _bound(least, total, 1.0):
        return []
    facts = (
        Fact(says=f"rows with label {common}", value=float(most)),
        Fact(says=f"rows with label {rare}", value=float(least)),
        Fact(says=f"accuracy of always saying {common}", value=most / total),
    )
    cure = (
        "class weights or resampling within training, a stratified split, and a metric that sees the rare one "
        "(balanced accuracy, F1, average precision)"
    )
    what = f"label {rare} is {number(most / least, 3)} times rarer than label {common}"
    return [Sign(kind=LABELS, what=what, evidence=facts, cure=cure, weight=0.5)]


def _bound(count: int, total: int, side: float, z: float = 2.0) -> float:
    """Wilson's bound of a share, below (side −1) or above (side 1)."""
    share = count / total
    middle = share + z * z / (2 * total)
    return (middle + side * z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))) / (
        1 + z * z / total
    )


def constant(case: Case) -> list[Sign] | None:
    """Features that have one value in all rows."""
    if case.data is None or not case.data.columns:
        return None
    rows = len(next(iter(case.data.columns.values())))
    if rows < 2:
        return None
    found = [(name, cells[0]) for name, cells in case.data.columns.items() if _same(cells)]
    if not found:
        return []
    facts = tuple(Fact(says=f"{name} is {str(value)[:40]} in all {rows} rows") for name, value in found[:SHOWN])
    count = len(found)
    what = f"{found[0][0]} is constant" if count == 1 else f"{count} of {len(case.data.columns)} features are constant"
    cure = "drop them (VarianceThreshold), and look whether a filter or a join has emptied them"
    return [Sign(kind=CONSTANT, what=what, evidence=facts, cure=cure, weight=0.25)]


def _same(cells: Sequence[Any]) -> bool:
    """Whether all cells are equal; all missing is so, too."""
    if missing(cells[0]):
        return all(missing(each) for each in cells)
    return all(each == cells[0] for each in cells)


def duplicates(case: Case) -> list[Sign] | None:
    """Features that say the same in other units."""
    if case.data is None or len(case.data.columns) < 2:
        return None
    columns = case.data.columns
    groups: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for name, cells in columns.items():
        if len(cells) >= FEWEST and not _same(cells) and _told(cells) > 12.0 + 2.0 * math.log(len(columns)):
            groups[_form(cells)].append(name)
    same = [group for group in groups.values() if len(group) > 1]
    if not same:
        return []
    facts = tuple(Fact(says=f"the same up to unit and offset: {', '.join(group[:SHOWN])}") for group in same[:SHOWN])
    count = sum(len(group) - 1 for group in same)
    what = f"{same[0][1]} repeats {same[0][0]}" if count == 1 else f"{count} features repeat others"
    cure = "drop all but one of each: they make coefficients and importances meaningless, and solvers slow"
    return [Sign(kind=DUPLICATE, what=what, evidence=facts, cure=cure, weight=0.25)]


def _told(cells: Sequence[Any]) -> float:
    """Nats that a column tells: by chance two columns are equal with a probability of about e to minus this."""
    counts = Counter("" if missing(each) else each for each in cells)
    return -sum(each * math.log(each / len(cells)) for each in counts.values())


def _form(cells: Sequence[Any]) -> tuple[Any, ...]:
    """A column without unit and offset."""
    numbers = [numeric(each) if not isinstance(each, (str, bool)) else None for each in cells]
    known = [each for each in numbers if each is not None and math.isfinite(each)]
    if len(known) < sum(not missing(each) for each in cells):
        return tuple("" if missing(each) else each for each in cells)
    low, high = min(known), max(known)
    width = (high - low) or 1.0
    return tuple(round((each - low) / width, 7) if each is not None and math.isfinite(each) else "" for each in numbers)


def gaps(case: Case) -> list[Sign] | None:
    """Missing or infinite values in X or y."""
    if case.data is None or not (case.data.columns or case.data.labels):
        return None
    found = {name: count for name, cells in case.data.columns.items() if (count := sum(map(_gap, cells)))}
    lost = sum(map(_gap, case.data.labels))
    if not found and not lost:
        return []
    rows = len(case.data.labels) or len(next(iter(case.data.columns.values())))
    order = sorted(found, key=found.__getitem__, reverse=True)
    facts = [Fact(says=f"missing or infinite in {name}", value=float(found[name])) for name in order[:SHOWN]]
    if lost:
        facts.insert(0, Fact(says=f"missing or infinite in y, of {rows}", value=float(lost)))
    what = "y has missing values" if lost else f"{len(found)} of {len(case.data.columns)} features have missing values"
    cure = "impute within the pipeline, or drop the rows; a NaN in one row makes a network's loss NaN"
    return [Sign(kind=MISSING, what=what, evidence=tuple(facts), cure=cure, weight=0.7 if lost else 0.35)]


def _gap(value: Any) -> bool:
    return missing(value) or (isinstance(value, float) and math.isinf(value))
