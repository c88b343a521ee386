"""Which swarms a workspace has. Each has a folder in `.swarm/swarms/`, and its request as its first record."""

from __future__ import annotations

import difflib
import fcntl
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from jupyter_swarm.errors import UsageError, WorkspaceError
from jupyter_swarm.events import Record, SwarmRequested
from jupyter_swarm.workspace import Workspace


def request(workspace: Workspace, name: str) -> Record | None:
    """The record with which a swarm began; None where the ledger knows none of this name."""
    if not workspace.exists:
        return None
    for record in workspace.store.read(0, swarm=name, limit=16):
        if isinstance(record.event, SwarmRequested):
            return record
    return None


def folders(workspace: Workspace) -> list[str]:
    """Names by their folders alone, without opening the ledger: quick, for Tab and for suggestions."""
    try:
        return sorted(each.name for each in (workspace.root / "swarms").iterdir() if each.is_dir())
    except OSError:
        return []


def names(workspace: Workspace) -> list[str]:
    """Names of all swarms, the oldest first."""
    begun = {name: record.number for name in folders(workspace) if (record := request(workspace, name)) is not None}
    return sorted(begun, key=begun.__getitem__)


def unknown(workspace: Workspace, name: str) -> UsageError:
    """The error for a name that the ledger does not know."""
    known = names(workspace)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or known[-5:]
    return UsageError(
        f"there is no swarm {name!r}",
        where=str(workspace.folder),
        cure=" or ".join(near) if near else "start one with %%swarm, or name another folder",
    )


def family(workspace: Workspace, name: str) -> Iterator[Record]:
    """The requests of `name`, `name-2`, `name-3` …, as far as they exist."""
    number = 1
    while (record := request(workspace, name if number == 1 else f"{name}-{number}")) is not None:
        yield record
        number += 1


def same(workspace: Workspace, name: str, cell_hash: str) -> str | None:
    """The latest swarm of this family that the same cell with the same settings started."""
    found = None
    for record in family(workspace, name):
        if isinstance(record.event, SwarmRequested) and record.event.cell_hash == cell_hash:
            found = record.swarm
    return found


def free_name(workspace: Workspace, name: str) -> str:
    """`name`, or the first of `name-2`, `name-3` … that is free."""
    taken = sum(1 for _ in family(workspace, name))
    return name if taken == 0 else f"{name}-{taken + 1}"


@contextmanager
def starting(workspace: Workspace) -> Iterator[None]:
    """One beginning (or cleaning) at a time in a workspace, so that two kernels do not take one name."""
    try:
        handle = os.open(workspace.root / "starting.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise WorkspaceError(
            f"cannot write the workspace {workspace.root}: {error.strerror}", cure="make it writable, or make room"
        ) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def works(workspace: Workspace, name: str) -> bool:
    """Whether a runner holds the lease of a swarm and, where it is a process of this machine, lives."""
    holder = workspace.store.holder(name)
    return holder is not None and not dead(holder)


def dead(holder: str) -> bool:
    """Whether the holder of a lease ("host:pid") was a process of this machine that lives no more."""
    host, _, pid = holder.rpartition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return not _exists(int(pid))
    return text.rpartition(")")[2].split()[0] in ("Z", "X")


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def delete(paths: Sequence[Path]) -> tuple[int, int]:
    """Delete files; (how many, bytes)."""
    count = total = 0
    for path in paths:
        try:
            freed = path.stat().st_size
            path.unlink()
        except OSError:
            continue
        count, total = count + 1, total + freed
    return count, total


def unused_captures(workspace: Workspace) -> list[Path]:
    """Captured data that no swarm needs. Call it inside `starting`, or a beginning swarm's may be among them."""
    needed = set()
    for name in names(workspace):
        record = request(workspace, name)
        if record is not None and isinstance(record.event, SwarmRequested):
            held = record.event.holdout
            for context in (record.event.context, *([held.context] if held is not None else [])):
                needed |= {context.pickle, context.modules} - {""}
    files = (path for path in workspace.captures.glob("*") if path.is_file())
    return [path for path in files if path.name.partition(".")[0] not in needed]
