"""What experiments keep where resident memory does not show it: on the disk, and in files that have no name.

No limit of the system binds what an experiment writes altogether, so that it is counted from outside. Counting costs
something: it is done when the file system has become fuller, and not before.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator

BYTES = 20_000_000_000
"""What one experiment may have on the disk, unless half of what is free is less."""
FILE_BYTES = 100_000
"""It may have one file for so many bytes that it may have."""
FEW_FILES = 10_000
"""So many it may have however little room there is: the links of its mirror are among them."""
STEPS = 10
"""So many times it is counted on the way to the limit, at most."""
_IN_MEMORY = ("/memfd:", "/dev/shm/")


class Storage:
    """Watches one file system, that of the slots.

    Args:
        folder: any folder in it.
        most: bytes that one experiment may have there; 0 for `BYTES`, or half of what is free.
    """

    def __init__(self, folder: str, most: int = 0) -> None:
        self._folder = folder
        found = os.statvfs(folder)
        self.bytes = most or min(BYTES, found.f_bavail * found.f_frsize // 2)
        self.files = min(max(self.bytes // FILE_BYTES, FEW_FILES), found.f_favail // 2 or self.bytes)
        self._free = self._left()

    def _left(self) -> tuple[int, int]:
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize, found.f_favail

    def grown(self) -> bool:
        """Whether so much more lies in it than when this was last asked that it is worth counting."""
        now = self._left()
        if now[0] < self._free[0] - self.bytes // STEPS or now[1] < self._free[1] - self.files // STEPS:
            self._free = now
            return True
        self._free = max(self._free[0], now[0]), max(self._free[1], now[1])
        return False

    def excess(self, folder: str, pids: Iterable[int]) -> str:
        """What an experiment has too much of in its folder and in files without a name; "" where it has not."""
        size, count = nameless(pids)[1], 0
        try:
            for each in _sizes(folder):
                size, count = size + each, count + 1
                if size > self.bytes or count > self.files:
                    break
        except OSError as error:
            return f"it fills the disk, and what it has there cannot be counted: {error.strerror}"
        if size > self.bytes:
            return f"it had more than {self.bytes / 2**20:,.0f} MB on the disk"
        return f"it had more than {self.files:,} files" if count > self.files else ""


def nameless(pids: Iterable[int]) -> tuple[int, int]:
    """Bytes that processes hold in memory, and on the disk, in open files that were deleted or never had a name.

    Memory that is only mapped is not seen here. `/proc/PID/maps` would tell, but who reads that waits for locks of the
    process, which a fork bomb holds for as long as it likes.
    """
    memory: dict[int, int] = {}
    disk: dict[int, int] = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    path = f"/proc/{pid}/fd/{name}"
                    found = os.stat(path)
                    if stat.S_ISREG(found.st_mode) and not found.st_nlink:
                        where = memory if os.readlink(path).startswith(_IN_MEMORY) else disk
                        where[found.st_ino] = 512 * found.st_blocks
    return sum(memory.values()), sum(disk.values())


def _sizes(folder: str) -> Iterator[int]:
    """Bytes of everything below a folder; no link is followed.

    Raises:
        OSError: something is nested too deep to be seen, or cannot be read.
    """
    todo = [folder]
    while todo:
        try:
            with os.scandir(todo.pop()) as entries:
                for each in entries:
                    with contextlib.suppress(FileNotFoundError):
                        yield 512 * each.stat(follow_symlinks=False).st_blocks
                    if each.is_dir(follow_symlinks=False):
                        todo.append(each.path)
        except (FileNotFoundError, NotADirectoryError):  # it has just gone
            continue
