"""Copies on writing: what lies beside the notebook is a link in the folder of a run, and becomes the run's own.

A file that is opened to be written is copied first; a folder in which something is made becomes a folder of links. So a
log can be appended to and a table saved beside the data, and what lies beside the notebook stays as it is.

The person's own cell may do so anywhere; what varies it only there where the own cell did. Else it could put other data
before a locked line that reads them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any

MOST_ENTRIES = 2_000
"""Of a folder that becomes the run's own; a folder with more stays as it is."""
_MAKING = frozenset({"os.mkdir", "os.rename", "os.link", "os.symlink"})


class Copies:
    """Made once, before any fork; `within` says, in each, where links are replaced."""

    def __init__(self) -> None:
        self.place = ""
        """Below this folder links are replaced; "" for nowhere."""
        self.made: list[str] = []
        """Paths below it where that was done."""
        self._allowed: frozenset[str] | None = frozenset()
        self._busy = False
        sys.addaudithook(self._heard)

    def within(self, place: str, allowed: Sequence[str] | None) -> None:
        """From now on, below this folder, at these paths ("data", "data/log.txt"); None for all."""
        self.place, self.made = place, []
        self._allowed = None if allowed is None else frozenset(allowed)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Python tells of an open before it happens."""
        if not self.place or self._busy or (event != "open" and event not in _MAKING):
            return
        self._busy = True
        try:
            with contextlib.suppress(
                OSError, ValueError, TypeError
            ):  # what cannot be done fails where it was asked for
                if event == "open":
                    self._opened(*arguments)
                else:
                    for path in arguments[:2]:
                        if isinstance(path, (str, bytes)):
                            self._own(os.fsdecode(path), None)
        finally:
            self._busy = False

    def _opened(self, path: Any, mode: Any, flags: Any) -> None:
        if not isinstance(path, (str, bytes)) or (isinstance(mode, str) and "x" in mode):
            return
        if isinstance(mode, str):
            writes, anew = any(letter in mode for letter in "wa+"), "w" in mode
        else:
            writes = bool((flags or 0) & (os.O_WRONLY | os.O_RDWR)) and not (flags or 0) & os.O_EXCL
            anew = bool((flags or 0) & os.O_TRUNC)
        if writes:
            self._own(os.fsdecode(path), anew)

    def _own(self, path: str, anew: bool | None) -> None:
        """Make all folders above a path the run's own, and the file itself, unless that is only about to be made."""
        path = os.path.abspath(path)
        if not path.startswith(f"{self.place}/"):
            return
        above = self.place
        *folders, _ = path[len(self.place) + 1 :].split("/")
        for name in folders:
            above = f"{above}/{name}"
            if os.path.islink(above) and not (self._may(above) and _unfolded(above)):
                return
        if anew is not None and os.path.islink(path) and self._may(path):
            _copied(path, anew)

    def _may(self, path: str) -> bool:
        here = path[len(self.place) + 1 :]
        if self._allowed is not None and here not in self._allowed:
            return False
        if len(self.made) < MOST_ENTRIES:
            self.made.append(here)
        return True


def _unfolded(link: str) -> bool:
    """A folder of links in the place of a link to a folder; whether it is there."""
    target, made = os.path.realpath(link), f"{link}.swarm-own"
    entries = os.listdir(target)
    if len(entries) > MOST_ENTRIES:
        return False
    os.mkdir(made, 0o700)
    for name in entries:
        os.symlink(f"{target}/{name}", f"{made}/{name}")
    os.unlink(link)
    os.rename(made, link)
    return True


def _copied(link: str, anew: bool) -> None:
    target, made = os.path.realpath(link), f"{link}.swarm-own"
    if not os.path.isfile(target):
        return
    if anew:
        os.unlink(link)
        return
    shutil.copyfile(target, made)
    os.rename(made, link)
