"""Slots: the folders in which experiments run, one experiment in each at a time, empty when it begins."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jupyter_swarm.experiments.keeper import remove
from jupyter_swarm.experiments.mirror import Mirror

PRIVATE = ("home", "tmp", "shm")
"""Folders of a slot: settings and caches, temporary files, shared memory."""
KEPT_BYTES = 100_000_000
KEPT_FILES = 5_000
KEPT_DEPTH = 50
"""How much an experiment's files may take together, how many and how deep they may be, to be kept."""


class Slot:
    """One folder. `make` it once; `clean` it after each experiment.

    Args:
        folder: where it shall be.
        notebook: the notebook's folder, of which experiments see a mirror; None to work in that folder itself.
        shut: folders that the mirror leaves out.
    """

    def __init__(self, folder: Path, notebook: Path | None = None, shut: Sequence[Path] = ()) -> None:
        self.folder = folder
        home = Path(os.path.expanduser("~"))
        self._mirror = Mirror(folder / "work", notebook, shut, home) if notebook is not None else None
        self._own = {*PRIVATE, *(("work",) if self._mirror is not None else ())}
        self._place, self._private = str(folder), [str(folder / name) for name in PRIVATE]
        self.surroundings = self._surroundings()
        """Where an experiment works, and the variables that say where it may write."""

    def make(self, mirror: bool = True) -> None:
        """The folder, and all in it; the mirror where it is wanted and has not been made."""
        for name in PRIVATE:
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._mirror is not None and mirror and not self._mirror.made:
            self._mirror.make()

    def _surroundings(self) -> dict[str, Any]:
        settings, temporary = str(self.folder / "home"), str(self.folder / "tmp")
        home = str(self._mirror.home) if self._mirror is not None else settings
        variables = {"HOME": home, "MPLCONFIGDIR": settings, "XDG_CACHE_HOME": settings}
        variables |= dict.fromkeys(("TMPDIR", "JOBLIB_TEMP_FOLDER", "IPYTHONDIR"), temporary)
        return {"environment": variables, "folder": str(self._mirror.place) if self._mirror is not None else ""}

    @property
    def used(self) -> bool:
        """Whether there is anything to clean; a few calls of the system."""
        try:
            if set(os.listdir(self._place)) != self._own or (self._mirror is not None and self._mirror.changed):
                return True
            return any(os.path.islink(path) or os.listdir(path) for path in self._private)
        except OSError:  # no folder any more
            return True

    def clean(self, keep: Path | None = None) -> None:
        """Leave nothing of an experiment; all of its processes must have ended. Takes long where it left many files.

        Args:
            keep: a folder, made where needed, for the files that it left where it worked; None to drop them.
        """
        if self._mirror is not None:
            if keep is not None and (written := self._mirror.written()):
                _keep(written, keep)
            self._mirror.restore()
        with contextlib.suppress(OSError), os.scandir(self.folder) as entries:
            for each in entries:
                if each.name != "work" or self._mirror is None:
                    remove(each.path)
        for name in PRIVATE:
            with contextlib.suppress(OSError):
                (self.folder / name).mkdir(mode=0o700)


def _keep(written: Sequence[Path], keep: Path) -> None:
    """Take files out of a slot, unless they are too many, too large together, or too deep; nothing but plain files.

    Links, pipes and the like are dropped, so that nothing that is kept leads anywhere else.
    """
    files: list[tuple[str, Path]] = []
    size = 0
    with contextlib.suppress(OSError):
        for path, place in _files(written):
            found = os.lstat(path)
            size += max(found.st_size, 512 * found.st_blocks)
            files.append((path, keep / place))
            if size > KEPT_BYTES or len(files) > KEPT_FILES or len(place.parts) > KEPT_DEPTH:
                return
        for path, target in files:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.chmod(path, 0o600)
            shutil.move(path, target)


def _files(written: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """Every plain file, and its place below the folder in which the experiment worked; no link is followed."""
    todo = [(str(each), Path(each.name)) for each in written]
    while todo:
        path, place = todo.pop()
        if os.path.isfile(path) and not os.path.islink(path):
            yield path, place
        elif os.path.isdir(path) and not os.path.islink(path) and len(place.parts) <= KEPT_DEPTH:
            todo += [(os.path.join(path, name), place / name) for name in os.listdir(path)]
