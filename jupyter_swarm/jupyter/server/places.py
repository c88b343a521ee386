"""Which folders a server's users may name: relative to its root, and never out of it."""

from __future__ import annotations

import glob
import os
import re
import time
from collections import deque
from pathlib import Path

from jupyter_swarm.errors import UsageError
from jupyter_swarm.jupyter.server import words as w
from jupyter_swarm.workspace import FOLDER, Workspace

MOST_FOLDERS, DEEPEST = 3_000, 6
"""How far workspaces are looked for below the root."""
WALK_SECONDS = 3.0
SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages", "venv", "env", "dist", "build"})
VARIABLE = "JUPYTER_SWARM_WORKSPACE"
_MODULE = re.compile(r"module:[A-Za-z_][\w.]*")
_READER = re.compile(r"^[A-Za-z][A-Za-z0-9_-]+:")
"""As in `text:notes.log`: whatever comes after it is a path."""


class Root:
    """The server's root folder.

    Args:
        folder: the root.
        fixed: the one workspace's folder, where the environment names one; it may lie elsewhere.
    """

    def __init__(self, folder: str | Path, fixed: str | None = None) -> None:
        self.folder = Path(os.path.realpath(folder))
        self.fixed = Path(fixed).expanduser().absolute() if fixed else None

    @classmethod
    def of_environment(cls, folder: str | Path) -> Root:
        """The root, and the workspace that the environment names."""
        return cls(folder, os.environ.get(VARIABLE))

    def workspace(self, folder: str) -> Path:
        """The folder of a workspace: the fixed one, else the one that is named.

        Raises:
            UsageError: it is no folder below the root.
        """
        if self.fixed is not None:
            return self.fixed
        found = self.inside(folder)
        if not os.path.isdir(found):  # no error for a name that is too long, or a folder that cannot be entered
            raise UsageError("there is no such folder", where=folder[:200], cure="name a folder of the file browser")
        return found

    def inside(self, path: str) -> Path:
        """A path below the root, symbolic links followed.

        Raises:
            UsageError: it leads out of the root, or is no path.
        """
        parts = path.split("/")
        if "\0" in path or path.startswith("/") or "\\" in path or ".." in parts or len(path) > 4096:
            raise UsageError("this path leads out of the server's root", where=path[:200], cure=_CURE)
        try:
            found = Path(os.path.realpath(self.folder / path))
        except (OSError, ValueError):
            raise UsageError("this is no path", where=path[:200], cure=_CURE) from None
        if not found.is_relative_to(self.folder):
            raise UsageError("this path leads out of the server's root", where=path[:200], cure=_CURE)
        return found

    def source(self, workspace: Path, source: str) -> str:
        """A source of papers: `module:NAME`, or a path or pattern relative to the workspace's folder.

        Raises:
            UsageError: it leads out of the root.
        """
        if _MODULE.fullmatch(source):
            return source
        path = _READER.sub("", source)
        parts = path.split("/")
        if "\0" in path or path.startswith(("/", "~", "-")) or ".." in parts or not path.strip() or _READER.match(path):
            raise UsageError("this path leads out of the server's root", where=source[:200], cure=_CURE)
        tops = [os.path.realpath(each) for each in (self.folder, workspace)]
        for each in (path, *glob.iglob(path, root_dir=workspace, recursive=True)):
            found = Path(os.path.realpath(workspace / each))
            if not any(found.is_relative_to(top) for top in tops):
                raise UsageError("this path leads out of the server's root", where=source[:200], cure=_CURE)
        return source

    def relative(self, path: Path) -> str:
        """A path as the contents manager says it, "" for the root.

        Raises:
            UsageError: it lies elsewhere.
        """
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(self.folder):
            raise UsageError(f"{path} was written, but lies out of the server's root", cure="open it in a terminal")
        return "" if real == self.folder else real.relative_to(self.folder).as_posix()

    def find(self) -> w.Places:
        """Workspaces below the root: breadth first, hidden folders and those of packages left out, within limits."""
        if self.fixed is not None:
            return w.Places(places=[_place("", self.fixed)] if _has(self.fixed) else [], whole=True)
        found, whole = [], True
        waiting, looked, until = deque([(self.folder, 0)]), 0, time.monotonic() + WALK_SECONDS
        while waiting:
            folder, depth = waiting.popleft()
            looked += 1
            if looked > MOST_FOLDERS or time.monotonic() > until:
                whole = False
                break
            if _has(folder):
                found.append(_place(self.relative(folder), folder))
            if depth < DEEPEST:
                waiting += [(each, depth + 1) for each in _folders(folder)]
        return w.Places(places=sorted(found, key=lambda each: -each.updated), whole=whole)


_CURE = "a path below the root of the file browser, without .."


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [
                each.name
                for each in entries
                if not each.name.startswith(".") and each.name not in SKIPPED and each.is_dir(follow_symlinks=False)
            ]
    except OSError:
        return []
    return [folder / name for name in sorted(names)]


def _has(folder: Path) -> bool:
    return os.path.exists(Workspace(folder).root / "ledger.sqlite")


def _place(name: str, folder: Path) -> w.Place:
    root = folder / FOLDER
    times = []
    for each in ("ledger.sqlite", "ledger.sqlite-wal"):
        try:
            times.append((root / each).stat().st_mtime)
        except OSError:
            continue
    try:
        swarms = sum(each.is_dir() for each in (root / "swarms").iterdir())
    except OSError:
        swarms = 0
    return w.Place(folder=name, swarms=swarms, updated=max(times, default=0.0))
