"""Running experiments: each is a notebook, executed in a process of its own that is shut in, and kept as a record.

    laboratory.py  `NotebookLaboratory`: all of it behind `protocols.Laboratory`
    notebook.py    (with cells.py) an experiment as a notebook, and the result read back from it
    executor.py    where jobs are executed: forked, or on kernels started ahead (kernels.py, client.py)
    nursery.py     the zygote from outside: open, run, close (setup.py: what it loads; line.py: the talk with it)
    slots.py       the folders in which experiments run (mirror.py: how the notebook's folder looks from there)
    prefixes.py    which experiments begin alike, and the snapshots from which they are forked (snapshots.py)
    worker/        what runs in the experiments' own interpreter: zygote, child, shell, sandbox
    keeper.py      a small process around it, which leaves no descendant alive
    records/       what an experiment told, kept durably, and the executed notebook that is made of it
    engine.py      the papermill engine `swarm`
    environment.py, cores.py, memory.py, cgroups.py, devices.py   the variables it gets; how much fits on this machine
    function.py    `FunctionLaboratory`: the same with a plain function, for tests and benchmarks

Only the runner imports `NotebookLaboratory`; this module itself imports nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_swarm.experiments.cores import usable_cores
from jupyter_swarm.experiments.function import FunctionLaboratory

if TYPE_CHECKING:
    from jupyter_swarm.experiments.laboratory import NotebookLaboratory

__all__ = ["FunctionLaboratory", "NotebookLaboratory", "usable_cores"]


def __getattr__(name: str) -> Any:
    if name == "NotebookLaboratory":
        from jupyter_swarm.experiments.laboratory import NotebookLaboratory

        return NotebookLaboratory
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
