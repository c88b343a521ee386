"""Executed notebooks of runs, by the path that `Run.notebook` gives: made from the journal when somebody wants one."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Collection
from pathlib import Path

import msgspec

from jupyter_swarm import register
from jupyter_swarm.errors import WorkspaceError
from jupyter_swarm.experiments.records import recorded
from jupyter_swarm.experiments.records.record import written

_PATH = re.compile(r"swarms/([^/]+)/runs/([^/]+)\.ipynb")


def journal(root: Path, name: str) -> Path:
    """The file of a swarm's journal.

    Args:
        root: the workspace's `.swarm/`.
        name: the swarm's.
    """
    return root / "swarms" / name / recorded.FILE


def body(root: Path, relative: str) -> bytes | None:
    """An executed notebook as a file would hold it; None where neither a file nor a record is there.

    Args:
        root: the workspace's `.swarm/`.
        relative: `Run.notebook`.

    Raises:
        WorkspaceError: it cannot be read, or is damaged.
    """
    path = root / relative
    try:
        if _there(path):
            return path.read_bytes()
    except OSError as error:
        raise WorkspaceError(f"{path} cannot be read: {error.strerror or error}", cure="make it readable") from None
    found = _PATH.fullmatch(relative)
    record = recorded.read(journal(root, found[1]), found[2]) if found else None
    if record is None:
        return None
    try:
        return written(record)
    except (msgspec.MsgspecError, LookupError, TypeError) as error:
        raise recorded.explained(journal(root, path.parent.parent.name), ValueError(f"malformed: {error}")) from None


def materialise(root: Path, relative: str) -> Path | None:
    """The file of an executed notebook, made where it is not there; None where it cannot be had any more.

    Raises:
        WorkspaceError: it cannot be read or written; no part of it is left.
    """
    path = root / relative
    if relative and _there(path):
        return path
    content = body(root, relative)
    if content is None:
        return None
    write(path, content, mode=0o600)
    return path


def free(root: Path, name: str, keep: Collection[str]) -> tuple[int, int]:
    """Delete executed notebooks and records of a swarm, but those of some experiments; (how many runs, bytes).

    Raises:
        WorkspaceError: the journal cannot be written, or is damaged; no record was deleted.
    """
    runs = root / "swarms" / name / "runs"
    files = [path for path in runs.glob("*.ipynb") if path.stem not in keep]
    both = {path.stem for path in files}.intersection(recorded.identities(journal(root, name)))
    records, smaller = recorded.forget(journal(root, name), keep)
    count, freed = register.delete(files)
    return count + records - len(both), freed + smaller


def write(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Write a file, whole or not at all, and its folder.

    Raises:
        WorkspaceError: it cannot be written; what was there before still is.
    """
    try:
        path.parent.mkdir(mode=0o777 if mode & 0o077 else 0o700, parents=True, exist_ok=True)
        part = path.with_name(f".{path.stem}-{secrets.token_hex(4)}.part")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(content)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise WorkspaceError(
            f"{path} cannot be written: {error.strerror or error}",
            cure="make room on the disk, or make the folder writable",
        ) from None


def _there(path: Path) -> bool:
    """Whether the file is there; an empty one is what a machine left that lost its power."""
    return path.is_file() and path.stat().st_size > 0
