"""The files that a swarm's cell reads, and those beside the notebook that it writes.

Both are seen in the runs of the person's own cell, and granted to all that vary it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

FILE = "reads.json"
_TOO_MUCH = 2
"""Folders with fewer parts than this are never granted whole."""


class _Done(msgspec.Struct):
    reads: list[str] = []
    copies: list[str] = []


class _Kept(msgspec.Struct):
    granted: list[str] = []
    copies: list[str] = []


class Inputs:
    """What is granted, and kept for a runner that goes on later.

    Args:
        folder: of the swarm.
        home: the person's, which is never granted whole.
    """

    def __init__(self, folder: Path, home: Path | None = None) -> None:
        self._path, self._home = folder / FILE, home or Path.home()
        self.granted: list[str] = []
        """Files and folders; a folder that ends with a slash is granted with all below."""
        self.copies: list[str] = []
        """Files and folders beside the notebook that become a run's own when it writes there (`worker/copies.py`)."""

    @property
    def known(self) -> bool:
        """Whether the person's own cell was seen to run."""
        return self._path.exists()

    def load(self) -> list[str]:
        """What an earlier runner saw."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except (OSError, msgspec.MsgspecError):
            kept = _Kept()
        self.granted, self.copies = kept.granted, kept.copies
        return self.granted

    def see(self, done: bytes) -> list[str]:
        """What the last frame of a run of the person's own cell says; what is granted newly because of it."""
        try:
            found = msgspec.json.decode(done, type=_Done)
        except msgspec.MsgspecError:
            return []
        new = [each for each in widened(found.reads, self._home) if each not in self.granted]
        self.granted += new
        self.copies = sorted({*self.copies, *found.copies})
        part = self._path.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(_Kept(self.granted, self.copies)))
        os.replace(part, self._path)
        return new


def widened(reads: Sequence[str], home: Path) -> list[str]:
    """Files, and the folders from which several were read: another seed may read others of them.

    >>> widened(["/data/a/1.png", "/data/a/2.png", "/data/b/x.csv", "/data"], Path("/home/ann"))
    ['/data/b/x.csv', '/data', '/data/a/']
    """
    files = Counter(os.path.dirname(each) for each in reads if each.rpartition("/")[2] and not os.path.isdir(each))
    whole = [
        folder
        for folder, count in files.items()
        if count > 1 and len(Path(folder).parts) > _TOO_MUCH and not home.is_relative_to(folder)
    ]
    return [each for each in reads if os.path.dirname(each) not in whole] + [f"{folder}/" for folder in whole]
