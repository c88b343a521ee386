"""What a cell of the corpus is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

Content = str | Callable[[Path], None]
"""Text, or a function that writes a file of another kind where it is told to."""


class Wrong(NamedTuple):
    """How a cell has to fail."""

    kind: str
    """A class of `jupyter_swarm.errors`, or the reason of a run ("failure", "missing", "nonfinite")."""
    says: str
    """A part of the message."""


@dataclass(frozen=True)
class Case:
    """A small notebook of which the last cell is given to a swarm.

    The metric has to be what the plain notebook gives, or the error has to be `wrong`.
    """

    name: str
    code: str
    metric: str
    setup: tuple[str, ...] = ()
    """Cells that the notebook has executed before, as typed; `cells` and `again` number them from 1."""
    files: Mapping[str, Content] = field(default_factory=dict)
    """Relative path → content, in the notebook's folder."""
    needs: tuple[str, ...] = ()
    """Packages that have to be installed."""
    seed: int | None = None
    """That of the plain notebook, where it does not stand in the cell as a number. None: the cell's, or 0."""
    wrong: Wrong | None = None
    cells: tuple[int, ...] = ()
    """Those that `%%swarm --cells` names."""
    again: tuple[int, ...] = ()
    """Those that `%%swarm --setup` names."""
    alone: bool = False
    """Whether it changes more than variables, so that no other notebook may follow it in the same kernel."""
    slow: bool = False
    """Whether it takes long, and is left out where time is short."""
    fault: str = ""
    """What is wrong with the product, where it does not treat this cell rightly yet."""
