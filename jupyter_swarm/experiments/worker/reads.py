"""Which files a run reads: noted in the runs of the person's own cell, and granted to all that vary it."""

from __future__ import annotations

import os
import sys
from typing import Any

MOST = 5_000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_NOT_FILES = ("/proc/", "/dev/", "/sys/")


class Reads:
    """Begins to note when made. What libraries open without asking Python (some readers in C do) is not seen.

    Args:
        known: folders that everybody may read anyway.
    """

    def __init__(self, known: list[str]) -> None:
        self._known = tuple(os.path.realpath(each) + os.sep for each in known)
        self._seen: dict[str, None] = {}
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            writing = any(letter in mode for letter in "wax") if isinstance(mode, str) else (flags or 0) & _WRITING
            if not writing:
                self._note(path)
        elif event in ("os.listdir", "os.scandir", "sqlite3.connect"):
            self._note(arguments[0])

    def _note(self, path: Any) -> None:
        if isinstance(path, (str, bytes, os.PathLike)) and len(self._seen) < MOST:
            self._seen[os.path.abspath(os.fsdecode(path))] = None

    def found(self) -> list[str]:
        """Real paths of files and folders that were read, and are there."""
        real = dict.fromkeys(os.path.realpath(each) for each in self._seen)
        return [
            each
            for each in real
            if os.path.exists(each) and not (each + os.sep).startswith(self._known) and not each.startswith(_NOT_FILES)
        ]
