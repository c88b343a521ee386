"""How much memory experiments may hold together: what the machine and its container have left, less a reserve."""

from __future__ import annotations

from pathlib import Path

from jupyter_swarm.experiments.cgroups import OWN, ROOT, groups

SHARE = 0.8
"""Of what is left; the rest is the notebook's kernel's, and everybody else's."""


def usable_memory(proc: Path = Path("/proc"), cgroup: Path = ROOT, own: Path = OWN) -> int:
    """Bytes; 0 where the system does not tell, which means no limit.

    >>> usable_memory() >= 0
    True
    """
    left = [_available(proc / "meminfo"), *(_room(folder) for folder in groups("memory", cgroup, own))]
    known = [each for each in left if each is not None]
    return int(SHARE * max(0, min(known))) if known else 0


def _available(path: Path) -> int | None:
    try:
        for line in path.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


def _room(folder: Path) -> int | None:
    """What a cgroup may still take; None for no limit. Its caches of files can be given up, so they do not count."""
    for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        try:
            most = (folder / limit).read_text(encoding="ascii").strip()
            if most == "max" or int(most) >= 2**60:
                return None
            return int(most) - int((folder / used).read_text(encoding="ascii")) + _caches(folder)
        except (OSError, ValueError):
            continue
    return None


def _caches(folder: Path) -> int:
    try:
        pairs = [line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines()]
    except OSError:
        return 0
    return sum(int(value) for name, value in pairs if name in ("inactive_file", "total_inactive_file"))
