"""How many experiments this machine runs at once: cores, as the scheduler and the container allow them."""

from __future__ import annotations

import math
import os
from pathlib import Path

from jupyter_swarm.experiments.cgroups import OWN, ROOT, groups


def usable_cores(cgroup: Path = ROOT, own: Path = OWN) -> int:
    """Cores of this process: its affinity, less where a cgroup (version 2 or 1) grants a smaller share of time.

    >>> usable_cores() >= 1
    True
    """
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        cores = os.cpu_count() or 1
    quotas = [quota for folder in groups("cpu", cgroup, own) if (quota := _quota(folder)) is not None]
    return max(1, min([cores, *(math.ceil(quota) for quota in quotas)]))


def _quota(folder: Path) -> float | None:
    """Cores that a cgroup grants, or None for no limit."""
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text(encoding="utf-8").strip()
            period = (folder / "cpu.cfs_period_us").read_text(encoding="utf-8").strip()
        return None if quota in ("max", "-1") else float(quota) / float(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None
