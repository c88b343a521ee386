"""The index of words on disk: what one process has built, all others read.

`.swarm/library/lexical-<code>-<texts>.index` is for one state of the library: `texts` stands for the papers that are
searched and their files as they lie there, `code` for all that makes an index of them. It is written whole or not at
all, and has its own checksum: one that was damaged, cut or made by others is built anew. Plain JSON and plain arrays,
nothing that could be executed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import time
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path

import msgspec

from jupyter_swarm.errors import WorkspaceError
from jupyter_swarm.library.lexical import Lexical, Table
from jupyter_swarm.library.papers import write_bytes
from jupyter_swarm.protocols import Passage

_SOURCES = ("lexical.py", "papers.py", "saved.py", "terms.py")
_DIGEST = hashlib.sha256().digest_size * 2
_HALF_WRITTEN_SECONDS = 3600.0


@dataclass(frozen=True)
class Index:
    """What is searched: passages by their ids, in the order of the index's scores."""

    ids: list[str]
    lexical: Lexical

    @classmethod
    def of(cls, passages: list[Passage]) -> Index:
        """Built anew."""
        return cls([passage.id for passage in passages], Lexical(passages))

    @cached_property
    def places(self) -> dict[str, int]:
        """Where in the order each passage is."""
        return {id: place for place, id in enumerate(self.ids)}


class _Head(msgspec.Struct, frozen=True):
    name: str
    ids: list[str]
    words: list[str]


def target(folder: Path, papers: Iterable[str]) -> Path:
    """The file for the library's state now: for these papers, as they lie in `folder`, and for this code."""
    texts = hashlib.sha256()
    for paper in papers:
        try:
            file = os.stat(f"{folder}/{paper}.json")
            texts.update(f"{paper} {file.st_size} {file.st_mtime_ns}\n".encode())
        except OSError:
            texts.update(f"{paper} gone\n".encode())
    return folder / f"lexical-{_code()}-{texts.hexdigest()[:24]}.index"


@lru_cache(maxsize=1)
def _code() -> str:
    """Hash of all that makes an index of texts: this code, and the packages and tables that it rests on."""
    sources = b"".join((Path(__file__).parent / name).read_bytes() for name in _SOURCES)
    rests_on = f"{version('bm25s')} {version('PyStemmer')} {unicodedata.unidata_version}"
    return hashlib.sha256(sources + rests_on.encode()).hexdigest()[:12]


def load(path: Path) -> Index | None:
    """The index that was saved there; None where there is none, or not as it was saved."""
    import numpy as np

    try:
        body = path.read_bytes()
        if hashlib.sha256(memoryview(body)[_DIGEST:]).hexdigest().encode() != body[:_DIGEST]:
            return None
        file = io.BytesIO(body)
        file.seek(_DIGEST)
        head = msgspec.json.decode(file.readline(), type=_Head)
        table = Table(head.words, *(np.load(file, allow_pickle=False) for _ in range(3)))
    except (OSError, EOFError, ValueError, msgspec.DecodeError):
        return None
    fits = head.name == path.name and _fits(table, len(head.ids))
    return Index(head.ids, Lexical.of(len(head.ids), table)) if fits else None


def _fits(table: Table, size: int) -> bool:
    """Whether a table can be one of so many passages."""
    words, starts, numbers, weights = table
    if [(each.dtype.str[1:], each.ndim) for each in table[1:]] != [("i4", 1), ("i4", 1), ("f4", 1)]:
        return False
    if starts.shape != (len(words) + 1,) or numbers.shape != weights.shape:
        return False
    inside = not numbers.size or (numbers.min() >= 0 and numbers.max() < size)
    return bool(inside and starts[0] == 0 and starts[-1] == numbers.size and (starts[1:] >= starts[:-1]).all())


def save(path: Path, index: Index) -> None:
    """Keep an index for those who come next, and drop those of other papers; not where nothing can be written.

    One that other code has made of the same papers stays: two environments may share a workspace.
    """
    import numpy as np

    file = io.BytesIO()
    file.write(msgspec.json.encode(_Head(path.name, index.ids, index.lexical.table.words)) + b"\n")
    for each in index.lexical.table[1:]:
        np.save(file, each, allow_pickle=False)
    body = file.getbuffer()
    try:
        write_bytes(path, hashlib.sha256(body).hexdigest().encode() + body)
    except WorkspaceError:
        return
    _sweep(path)


def _sweep(kept: Path) -> None:
    """Remove indexes of other papers, and what processes that were killed have left half written."""
    texts = kept.name.rpartition("-")[2]
    old = [each for each in kept.parent.glob("lexical-*.index") if not each.name.endswith(f"-{texts}")]
    for each in (*old, *kept.parent.glob(".new-*")):
        with contextlib.suppress(OSError):
            if each in old or time.time() - each.stat().st_mtime > _HALF_WRITTEN_SECONDS:
                each.unlink()
