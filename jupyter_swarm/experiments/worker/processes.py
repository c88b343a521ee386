"""The processes of experiments, as /proc tells: who descends from whom, what memory they hold, and their end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator
from typing import NamedTuple

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
_libc = ctypes.CDLL(None, use_errno=True)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends (subreaper)."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with(parent: int) -> None:
    """End this process when its parent does; at once where that has happened already."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def threads(pid: int | str = "self") -> int:
    """How many threads a process has, this one where none is given; 2 where the system does not tell.

    >>> threads() >= 1
    True
    """
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 2


def children(pid: int) -> list[int]:
    """Direct children of a process; none where it is gone.

    >>> isinstance(children(os.getpid()), list)
    True
    """
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += [int(each) for each in file.read().split()]
    return found


def tree(pid: int) -> Iterator[int]:
    """A process and all below it."""
    todo = [pid]
    while todo:
        each = todo.pop()
        yield each
        todo += children(each)


class Memory(NamedTuple):
    """Bytes that a process holds, those shared with others included."""

    held: int
    """Without pages of files that are mapped: those the system can have back."""
    files: int


def memory(pid: int) -> Memory:
    """What a process holds; nothing where it is gone.

    Where its first thread has ended, and others go on, only they tell.

    >>> memory(os.getpid()).held > 1_000_000
    True
    """
    if (found := _memory(f"/proc/{pid}")).held:
        return found
    with contextlib.suppress(OSError):
        return max((_memory(f"/proc/{pid}/task/{each}") for each in os.listdir(f"/proc/{pid}/task")), default=found)
    return found


def _memory(place: str) -> Memory:
    found: dict[bytes, int] = {}
    with contextlib.suppress(OSError, IndexError, ValueError), open(f"{place}/status", "rb") as file:
        for line in file:
            if line.startswith(b"Rss"):
                name, size, *_ = line.split()
                found[name] = int(size) * 1024
    return Memory(found.get(b"RssAnon:", 0) + found.get(b"RssShmem:", 0), found.get(b"RssFile:", 0))


def session(pid: int) -> int:
    """The session of a process; 0 where it is gone."""
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def kill_group(group: int) -> bool:
    """Kill every process of a group; whether there was any."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return False
    except PermissionError:  # some could not be killed; those that could, were
        return True
    return True
