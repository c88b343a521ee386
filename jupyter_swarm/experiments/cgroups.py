"""The control groups that bind this process: where a container's limits of time and memory stand."""

from __future__ import annotations

from pathlib import Path

ROOT, OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def groups(controller: str, root: Path = ROOT, own: Path = OWN) -> list[Path]:
    """The folders of this process's groups (version 2 and 1) and of all above them: a limit on any of them binds.

    Args:
        controller: "cpu" or "memory".
        root: where groups are mounted.
        own: which of them this process is in.
    """
    folders = [root, root / controller]
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return folders
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        bases = [root / controllers, root / controller] if controllers else [root]
        parts = Path(path.lstrip("/"))
        folders += [base / parent for base in bases for parent in (parts, *parts.parents)]
    return folders
