"""Ordinary cells and small notebooks, as researchers write them: `CELLS`, by theme in the modules beside this one.

Each cell is given to a swarm as it is. What has to come of it stands with it (`case.Case`).
"""

from ordinary import behind, computing, files, forms, learning, networks, refused, settings, shell
from ordinary.case import Case, Wrong

CELLS: tuple[Case, ...] = (
    *networks.CELLS,
    *learning.CELLS,
    *computing.CELLS,
    *files.CELLS,
    *settings.CELLS,
    *forms.CELLS,
    *shell.CELLS,
    *behind.CELLS,
    *refused.CELLS,
)

__all__ = ["CELLS", "Case", "Wrong"]
