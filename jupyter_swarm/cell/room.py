"""How much may be taken along: what a person says, or what the machine has room for."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

from jupyter_swarm.errors import UsageError

VARIABLE = "JUPYTER_SWARM_CAPTURE_LIMIT"
DISK_SHARE, MEMORY_SHARE = 0.5, 0.8
"""Of what is free: experiments write files, too; what is captured is read again and again, so it should fit."""
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?\s*", re.IGNORECASE)


class Limit(NamedTuple):
    """Bytes, and where that comes from."""

    bytes: int
    why: str


def limit(folder: Path) -> Limit:
    """What may be written to a folder of captures.

    Raises:
        UsageError: the variable says no size.

    >>> limit(Path.cwd()).bytes >= 0
    True
    """
    if given := os.environ.get(VARIABLE, ""):
        return Limit(_bytes(given), VARIABLE)
    found = [Limit(int(MEMORY_SHARE * size), f"{MEMORY_SHARE:.0%} of the memory that is free") for size in _memory()]
    try:
        free = shutil.disk_usage(folder).free
    except OSError:  # writing says what is wrong
        free = 2**63
    return min([Limit(int(DISK_SHARE * free), f"{DISK_SHARE:.0%} of what is free on the disk"), *found])


def _bytes(text: str) -> int:
    """
    >>> _bytes("1000000"), _bytes("1.5 GB"), _bytes("20M")
    (1000000, 1610612736, 20971520)
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is no size", where=VARIABLE, cure=f"{VARIABLE}=8GB, or a number of bytes")
    return int(float(found[1]) * _UNITS[found[2].upper()])


def _memory(proc: Path = Path("/proc/meminfo"), group: Path = Path("/sys/fs/cgroup")) -> list[int]:
    """Bytes that the machine and its container have left, as far as they tell."""
    found = []
    try:
        for line in proc.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
    except (OSError, ValueError):
        pass
    try:
        most, used = ((group / name).read_text(encoding="ascii") for name in ("memory.max", "memory.current"))
        cached = re.search(r"^inactive_file (\d+)$", (group / "memory.stat").read_text(encoding="ascii"), re.MULTILINE)
        found.append(max(0, int(most) - int(used) + int(cached[1] if cached else 0)))
    except (OSError, ValueError):  # "max", or no such group
        pass
    return found
