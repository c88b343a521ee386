"""What an experiment may do, as plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

ALL = ("seccomp", "landlock", "network", "shm", "proc")
"""Every layer; those that isolate, and those that add to it (`ISOLATING` are needed for code that nobody has read)."""
ISOLATING = ("seccomp", "landlock")


class SandboxError(RuntimeError):
    """A layer that was in force when it was prepared could not be put in force for an experiment."""


@dataclass(frozen=True)
class Policy:
    """What an experiment may do besides using the interpreter, the libraries and its own folder.

    read: files and folders (with all below) that may be read.
    write: folders that may be written, too; devices (a GPU's) that may be used.
    shut: folders that stay shut although they lie below one of `read`: on the way down to them every other entry is
        granted by itself, as it is when the sandbox is prepared. They need not exist yet.
    listing: whether folders on the way down may be listed. Where no mount namespace covers the shut folders, names
        below them can then be listed, too; what is in the files cannot be read.
    cpu_seconds: of one process; None: no limit. file_bytes: the longest file. open_files: at once.
    shm_bytes: the size of a /dev/shm of its own.
    shown: folders below shut ones that no mount namespace covers: one of them may be named when a process enters.
    network: sockets are allowed, which is a person's choice.
    layers: the layers to use; tests leave some out.
    abi: pretend that the kernel's Landlock were of this version; for tests.
    """

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    shut: tuple[str, ...] = ()
    listing: bool = True
    cpu_seconds: int | None = None
    file_bytes: int = 2 << 30
    open_files: int | None = 4096
    shm_bytes: int = 1 << 30
    shown: tuple[str, ...] = ()
    network: bool = False
    layers: tuple[str, ...] = ALL
    abi: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON has it.

        >>> Policy.from_json(Policy(read=("/data",)).to_json()) == Policy(read=("/data",))
        True
        """
        return asdict(self)

    @classmethod
    def from_json(cls, data: str | Mapping[str, Any]) -> Policy:
        """From what `to_json` gave, or from the text of it."""
        given: Mapping[str, Any] = json.loads(data) if isinstance(data, str) else data
        names = {each.name for each in fields(cls)}
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items() if k in names}
        return cls(**values)
