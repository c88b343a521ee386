"""Where a tuner should look, as a language model says it: ranges for directions, and wider ones where a knob's usual
range ends too soon.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from jupyter_swarm import cell
from jupyter_swarm.cell.ranges import parse_span
from jupyter_swarm.events import SpaceSuggested
from jupyter_swarm.minds.forms import Range
from jupyter_swarm.minds.reading import one_line
from jupyter_swarm.protocols import Brief, Desk
from jupyter_swarm.words import Knob

WIDEST = 100.0
"""So many times beyond its usual ends a range may reach."""
MOST_TEXT = 400
"""Characters of a reason."""


def suggested(ranges: Sequence[Range], brief: Brief, desk: Desk) -> list[SpaceSuggested]:
    """Ranges for the directions that they are about; a knob's usual range is widened where one reaches beyond it."""
    base = desk.state.baseline
    knobs = {each.name: each for each in cell.sites(brief.base.code, brief.analysis).knobs}
    return [
        SpaceSuggested(
            agent=brief.agent,
            direction=direction.id,
            knob=each.knob,
            low=each.low,
            high=each.high,
            why=one_line(each.why)[:MOST_TEXT],
            wider=wider(knobs[each.knob], each),
        )
        for each in ranges
        for direction in desk.state.directions.values()
        if each.knob in direction.targets and (direction.base or base).id == brief.base.id
    ]


def wider(knob: Knob, found: Range) -> str:
    """The range of a knob that was guessed too narrow, a hundred times beyond its ends at most, as `parse_vary` reads
    it; "" where it was not, where the person has said it, or where what was found makes no range.

    >>> wider(Knob(name="C", value=1.0, low=0.1, high=10.0, log=True), Range(knob="C", low=0.5, high=1e9))
    'C=0.1..1000.0 log'
    >>> epochs = Knob(name="epochs", value=20, low=1, high=200, log=True, integer=True)
    >>> wider(epochs, Range(knob="epochs", low=0, high=500)), wider(epochs, Range(knob="epochs", low=0, high=50))
    ('epochs=1..500 log int', '')
    """
    if knob.origin == "comment" or knob.low is None or knob.high is None or knob.choices:
        return ""
    low, high = min(knob.low, found.low), max(knob.high, found.high)
    if knob.log:
        low, high = max(low, knob.low / WIDEST), min(high, knob.high * WIDEST)
    else:
        span = WIDEST * (knob.high - knob.low)
        low, high = max(low, knob.low - span), min(high, knob.high + span)
    if not math.isfinite(high - low):
        return ""
    if knob.integer:
        low, high = max(int(low), 1) if knob.log else int(low), int(high)
    if low >= knob.low and high <= knob.high:
        return ""
    said = f"{low!r}..{high!r}{' log' if knob.log else ''}{' int' if knob.integer else ''}"
    return f"{knob.name}={said}" if parse_span(said) is not None else ""
