"""Slots: the folders in which experiments run, one experiment in each at a time, empty when it begins."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_swarm.experiments.mirror import Mirror

PRIVATE = ("home", "tmp", "shm")
"""Folders of a slot: home, temporary files, shared memory."""
KEPT_BYTES = 100_000_000
"""How much an experiment's files may take together to be kept."""


class Slot:
    """One folder. `make` it once; `clean` it after each experiment.

    Args:
        folder: where it shall be.
        notebook: the notebook's folder, of which experiments see a mirror; None to work in that folder itself.
        shut: folders that the mirror leaves out.
    """

    def __init__(self, folder: Path, notebook: Path | None = None, shut: Sequence[Path] = ()) -> None:
        self.folder = folder
        self._mirror = Mirror(folder / "work", notebook, shut) if notebook is not None else None

    def make(self) -> None:
        """The folder, and all in it."""
        for name in PRIVATE:
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._mirror is not None:
            self._mirror.make()

    def surroundings(self) -> dict[str, Any]:
        """Where an experiment works, and the variables that say where it may write."""
        home, temporary = str(self.folder / "home"), str(self.folder / "tmp")
        variables = dict.fromkeys(("HOME", "MPLCONFIGDIR"), home)
        variables |= dict.fromkeys(("TMPDIR", "JOBLIB_TEMP_FOLDER", "IPYTHONDIR"), temporary)
        return {"environment": variables, "folder": str(self._mirror.place) if self._mirror is not None else ""}

    def clean(self, keep: Path | None = None) -> None:
        """Leave nothing of an experiment.

        Args:
            keep: a folder, made where needed, for the files that it left where it worked; None to drop them.
        """
        if self._mirror is not None:
            if keep is not None and (written := self._mirror.written()):
                _move(written, keep)
            self._mirror.restore()
        with contextlib.suppress(OSError), os.scandir(self.folder) as entries:
            for each in entries:
                if each.name in PRIVATE and each.is_dir(follow_symlinks=False):
                    with os.scandir(each.path) as inside:
                        for inner in inside:
                            _remove(inner)
                elif each.name != "work" or self._mirror is None:
                    _remove(each)
        for name in PRIVATE:
            if not (self.folder / name).is_dir():
                with contextlib.suppress(OSError):
                    (self.folder / name).mkdir(mode=0o700)


def _move(written: Sequence[Path], keep: Path) -> None:
    """Take files and folders out of a slot, unless they are too large together."""
    inner = [file for each in written for file in (each.rglob("*") if each.is_dir() else [each])]
    with contextlib.suppress(OSError):
        if sum(file.lstat().st_size for file in inner) > KEPT_BYTES:
            return
        keep.mkdir(mode=0o700, parents=True, exist_ok=True)
        for each in written:
            shutil.move(each, keep / each.name)


def _remove(entry: os.DirEntry[str]) -> None:
    """Delete a file, or a folder with all below."""
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        os.unlink(entry.path)
