"""Running experiments: each is a notebook, executed by papermill on a kernel that is used once.

    cores.py       how many experiments fit on this machine
    notebook.py    (with cells.py) an experiment as a notebook, and the result read back from it
    nursery.py     (with zygote.py) a process that has done the imports and forks kernels
    keeper.py      a small process around each kernel, which leaves no descendant of it alive
    environment.py the variables that it gets
    guard.py       what a kernel does before its use: output cap, imports
    kernels.py     kernels started ahead, used once
    engine.py      (with client.py) the papermill engine that executes on such a kernel
    laboratory.py  `NotebookLaboratory`: all of it behind `protocols.Laboratory`
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
