"""Loading what a cell took from its notebook. The source of `load` stands in each notebook (`cells.py`), too."""

from __future__ import annotations

import os


def load(path: str, space: dict[str, object]) -> dict[str, object]:
    """The values in a file of captures, by name; functions among them read the globals in `space`.

    Arrays lie where the file is mapped, as a private copy: nothing is read before it is needed, processes that are
    forked later share it, and what one writes there is its own.
    """
    import mmap
    import os
    import pickle
    import sys

    class Unpickler(pickle.Unpickler):
        def persistent_load(self, name: object) -> object:
            return None if str(name).endswith("made later") else space

    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 16))
        end, buffers = file.read(), []
        if end.endswith(b"\0buffers"):
            kept: dict[str, bool] = {"trackfd": False} if sys.version_info >= (3, 13) else {}
            try:
                whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY, **kept))
            except OSError:  # where files cannot be mapped
                file.seek(0)
                whole = memoryview(bytearray(file.read()))
            table = whole[int.from_bytes(end[:8], "little") : -16].cast("Q").tolist()
            buffers = [whole[start : start + length] for start, length in zip(table[::2], table[1::2], strict=True)]
        file.seek(0)
        values: dict[str, object] = Unpickler(file, buffers=buffers).load()
        return values


def beside(path: str) -> int:
    """Bytes of a file that are mapped when it is loaded; 0 where it cannot be read."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 8))
            return size if file.read() == b"\0buffers" else 0
    except OSError:
        return 0
