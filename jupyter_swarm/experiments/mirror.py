"""A folder that looks like the notebook's to a program that runs in it, yet takes in whatever that writes.

    slot/work/home/ann/study            where an experiment of /home/ann/study works
    slot/work/home/ann/study/data.csv   → /home/ann/study/data.csv
    slot/work/home/ann/shared           → /home/ann/shared, so that "../shared/x.csv" is found as well
    slot/work/home/ann                  the home, so that "~/shared/x.csv" is; without what is hidden there

Entries are symbolic links: reading follows them, if the sandbox lets it; a new file lands here; what a link points to
is not the experiment's to write. Where the person's own cell writes over it, it becomes a copy first
(`worker/copies.py`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from pathlib import Path

from jupyter_swarm.experiments.keeper import remove

LEVELS = 2
"""Of how many folders above the notebook's the entries are linked."""
MOST = 2_000
"""Entries of a folder that are linked; a folder with more is linked as far as that."""


class Mirror:
    """The folder of one slot. `make` it once, `restore` it after each experiment.

    Args:
        root: an empty folder of the slot.
        folder: the notebook's, absolute.
        shut: folders that are not linked.
        home: the person's, absolute; None for none.
    """

    def __init__(self, root: Path, folder: Path, shut: Collection[Path] = (), home: Path | None = None) -> None:
        self._root, self._folder, self._shut = root, folder, {str(each) for each in shut}
        self._home = home if home is not None and home.is_absolute() else Path("/")
        self.place, self.home = self._here(folder), self._here(self._home)
        """Where experiments work, and what is their home."""
        self._stamps: dict[str, tuple[int, int]] = {}

    def _here(self, original: Path) -> Path:
        return self._root.joinpath(*original.parts[1:])

    def make(self) -> None:
        """Make all folders and links anew."""
        remove(str(self._root))
        for each in (self.place, self.home):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        for original in (self._folder, *self._folder.parents[:LEVELS]):
            self._link(original)
        if self._home != Path("/"):
            self._link(self._home, hidden=False)
        for original in (self._folder, *self._folder.parents, self._home, *self._home.parents):
            self._stamps[str(self._here(original))] = _stamp(str(self._here(original)))

    def _link(self, original: Path, *, hidden: bool = True) -> None:
        here = self._here(original)
        with contextlib.suppress(OSError), os.scandir(original) as entries:
            for _, entry in zip(range(MOST), entries, strict=False):
                if entry.path not in self._shut and (hidden or not entry.name.startswith(".")):
                    with contextlib.suppress(OSError):  # a folder of the mirror's own stands there
                        os.symlink(entry.path, here / entry.name)

    def written(self) -> list[Path]:
        """What an experiment left in the folder in which it works: files and folders that are no links."""
        found = []
        with contextlib.suppress(OSError), os.scandir(self.place) as entries:
            found = [Path(entry.path) for entry in entries if not entry.is_symlink()]
        return [each for each in found if str(each) not in self._stamps]

    @property
    def made(self) -> bool:
        """Whether it was made."""
        return bool(self._stamps)

    @property
    def changed(self) -> bool:
        """Whether anything came, went or was replaced since it was made; a few calls of the system."""
        return any(_stamp(here) != stamp for here, stamp in self._stamps.items())

    def restore(self) -> None:
        """As it was made."""
        if self.changed:
            self._stamps.clear()
            self.make()


def _stamp(path: str) -> tuple[int, int]:
    """Changes whenever an entry of a folder comes, goes or is replaced."""
    try:
        found = os.lstat(path)
    except OSError:
        return (0, 0)
    return (found.st_ino, found.st_mtime_ns)
