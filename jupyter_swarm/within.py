"""What a cell may call to work better in a swarm; in a plain notebook these calls do (next to) nothing.

import jupyter_swarm

for step in range(100):
    loss = train_one_epoch()
    jupyter_swarm.log(step, loss=loss)                  # screening may stop what is hopeless

place = jupyter_swarm.checkpoints()                     # what lies there outlives a restart of the runner
"""

from __future__ import annotations

import os
import sys
from numbers import Real
from pathlib import Path
from typing import Any

from jupyter_swarm.errors import UsageError

HOOK = "swarm_log"
"""The attribute of `sys` that an experiment's process listens by (`experiments/worker/curves.py` sets it)."""
PLACE = "JUPYTER_SWARM_CHECKPOINTS"


def log(step: float, /, **values: Any) -> None:
    """Record points of curves: how the cell does after a step of its own (an epoch, a batch, a fold).

    Args:
        step: a number that grows from call to call.
        values: numbers by name, or what `float` makes one of (a tensor of one element). Those that are not finite are
            left out.

    In an experiment they are kept with the run, and screening may stop a run whose curve is hopeless; runs that count
    as evidence are never stopped so. Elsewhere nothing happens.

    Raises:
        UsageError: `step` is no number, or nothing is to be recorded.

    >>> log(1, loss=0.5)
    """
    if not isinstance(step, Real) or isinstance(step, bool):
        raise UsageError(
            f"{step!r} is no step", where="jupyter_swarm.log", cure="a number, as in log(epoch, loss=loss)"
        )
    if not values:
        raise UsageError(
            "nothing to record", where="jupyter_swarm.log", cure="name a value, as in log(epoch, loss=loss)"
        )
    if (listen := getattr(sys, HOOK, None)) is not None:
        listen(float(step), values)


def checkpoints() -> Path:
    """A folder for checkpoints, which is there when this very run is begun again after a restart of the runner.

    It is a run's own: another seed or another variation has another one. It is removed when the run has come to its
    end. Whether to go on from what lies there is up to the cell. In a plain notebook it is `checkpoints/` where the
    notebook works.

        path = jupyter_swarm.checkpoints() / "last.pt"
        state = torch.load(path) if path.exists() else None
    """
    place = Path(os.environ.get(PLACE) or "checkpoints")
    place.mkdir(parents=True, exist_ok=True)
    return place
