"""How many threads the numerical libraries of an experiment may use.

They are loaded with one. A process that forks must have no others, yet its forks should be able to use more without
starting them before they are needed: a beginning that needs none can then be shared (`purity.py`). Libraries whose
number is just a number allow that; OpenBLAS starts its threads when the number is raised, and ends them before a fork,
to start them again at the first product of matrices that is worth it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable

from . import processes


def allow(count: int) -> None:
    """Let libraries that were loaded with one thread use more."""
    with contextlib.suppress(Exception):  # without threadpoolctl they go on with one
        import threadpoolctl

        threadpoolctl.threadpool_limits(count)
    if "torch" in sys.modules:
        with contextlib.suppress(Exception):
            sys.modules["torch"].set_num_threads(count)


def allow_forks(count: int) -> bool:
    """Let forks of this process use more, while it stays without threads itself; whether that can be done.

    Where it cannot (which is tried in a fork), nothing is changed.
    """
    return count <= 1 or (_ended(lambda: _raised(count)) and _raised(count))


def _raised(count: int) -> bool:
    allow(count)
    _ended(lambda: True)
    return processes.threads() == 1


def _ended(work: Callable[[], bool]) -> bool:
    """Do something in a fork; whether it went well."""
    pid = os.fork()
    if pid == 0:
        status = 1
        with contextlib.suppress(BaseException):
            status = 0 if work() else 1
        os._exit(status)
    return os.waitpid(pid, 0)[1] == 0
