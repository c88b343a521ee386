"""Readers: from a source (a file, or `module:NAME`) to a draft. Built-in ones enter by the plug-in door.

A reader is a function `(source: str) -> Draft` named by an entry point of the group `jupyter_swarm.readers`. The entry
point's name is its prefix (`pdf:thesis.bin` forces it), and its attribute `suffixes` the files it reads without one:

    [project.entry-points."jupyter_swarm.readers"]
    jats = "my_package:read_jats"

    @suffixes(".xml")
    def read_jats(source: str) -> Draft: ...
"""

from __future__ import annotations

import difflib
import glob
import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TypeVar

from jupyter_swarm.errors import LibraryError
from jupyter_swarm.library.markdown import sections, title_of
from jupyter_swarm.library.papers import Draft, Place, clean

GROUP = "jupyter_swarm.readers"
LARGEST_BYTES = 256 * 2**20

Reader = Callable[[str], Draft]
_R = TypeVar("_R", bound=Reader)
_PREFIX = re.compile(r"([A-Za-z][A-Za-z0-9_-]+):(.+)", re.DOTALL)


def suffixes(*endings: str) -> Callable[[_R], _R]:
    """Says which files a reader takes by the end of their names.

    >>> suffixes(".txt")(lambda source: None).suffixes
    ('.txt',)
    """

    def mark(reader: _R) -> _R:
        reader.suffixes = endings  # type: ignore[attr-defined]
        return reader

    return mark


# ---------------------------------------------------------------- choosing


def read(source: str) -> Draft:
    """Read a source with the reader that its prefix or its file's name asks for.

    Raises:
        LibraryError: no reader takes it, or it cannot be read; the message names the cure.

    >>> read("module:textwrap").places[0].name
    'textwrap'
    """
    prefixed = _PREFIX.fullmatch(source)
    if prefixed and prefixed[1] in _names() and not Path(source).exists():
        return _reader(prefixed[1])(prefixed[2])
    path = Path(source).expanduser()
    _check_exists(path, source)
    for name in _names():
        if path.name.lower().endswith(_endings(name)):
            return _reader(name)(str(path))
    raise LibraryError(
        f"no reader for files such as {path.name}",
        where=source,
        cure=f"files ending in {', '.join(known_suffixes())}; or force a reader, as in text:{source}",
    )


def expand(source: str) -> list[str]:
    """What a source stands for: itself, the files of a pattern (`notes/*.md`), or each readable file below a folder.

    Raises:
        LibraryError: a pattern or folder without any file that could be read.

    >>> expand("module:json")
    ['module:json']
    """
    path = Path(source).expanduser()
    prefixed = _PREFIX.fullmatch(source)
    if prefixed and prefixed[1] in _names() and not path.exists():
        return [f"{prefixed[1]}:{inner}" for inner in expand(prefixed[2])] if glob.has_magic(prefixed[2]) else [source]
    if path.is_dir():
        return _folder(path, source)
    if path.exists() or not glob.has_magic(source):
        return [source]
    found = sorted(name for name in glob.glob(str(path), recursive=True) if Path(name).is_file())
    if not found:
        raise LibraryError("no file matches this pattern", where=source, cure="check the folder and the spelling")
    return found


def known_suffixes() -> list[str]:
    """Ends of file names that some installed reader takes.

    >>> ".pdf" in known_suffixes()
    True
    """
    return sorted({ending for name in _names() for ending in _endings(name)})


def _folder(path: Path, source: str) -> list[str]:
    known = tuple(known_suffixes())
    files = (file for file in sorted(path.rglob("*")) if file.name.lower().endswith(known) and file.is_file())
    found = [str(file) for file in files if not any(part.startswith(".") for part in file.relative_to(path).parts)]
    if not found:
        raise LibraryError(
            "this folder holds no file that could be read",
            where=source,
            cure=f"name a folder with files ending in {', '.join(known)}",
        )
    return found


@cache
def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _names() -> list[str]:
    return list(_points())


def _reader(name: str) -> Reader:
    point = _points()[name]
    try:
        reader: Reader = point.load()
    except Exception as error:  # a plug-in may fail at import in any way
        raise LibraryError(
            f"the reader {name!r} cannot be loaded: {error}", where=point.value, cure="update or remove its package"
        ) from error
    return reader


def _endings(name: str) -> tuple[str, ...]:
    try:
        return tuple(getattr(_reader(name), "suffixes", (f".{name}",)))
    except LibraryError:
        # A broken plug-in must not keep the others from reading; asked for by its prefix, it says what is wrong.
        return ()


def _check_exists(path: Path, source: str) -> None:
    if path.exists() or path.is_symlink():
        return
    prefix = _PREFIX.fullmatch(source)
    if prefix and not source.startswith(("/", ".", "~")):
        near = difflib.get_close_matches(prefix[1], _names(), 1)
        if near:
            raise LibraryError(f"no reader is called {prefix[1]!r}", where=source, cure=f"{near[0]}:{prefix[2]}")
    siblings = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, siblings, 1)
    cure = f"did you mean {path.parent / near[0]}?" if near else "check the folder and the spelling"
    raise LibraryError("this path does not exist", where=source, cure=cure)


# ---------------------------------------------------------------- files


def file_bytes(source: str) -> bytes:
    """The content of a file that may be a paper.

    Raises:
        LibraryError: it is no ordinary file, is empty, too large, or may not be read.
    """
    path = Path(source).expanduser()
    _check_exists(path, source)
    if not path.is_file():
        raise LibraryError("this is no ordinary file", where=source, cure="name a file")
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise LibraryError("this file is larger than 256 MB", where=source, cure="split it, or add its text alone")
        body = path.read_bytes()
    except OSError as error:
        raise LibraryError(
            f"this file cannot be read: {error.strerror or error}", where=source, cure=f"chmod u+r {source}"
        ) from None
    if not body.strip():
        raise LibraryError("this file is empty", where=source, cure="check that it was saved or downloaded completely")
    return body


def file_text(source: str) -> str:
    """The text of a text file, cleaned: UTF-8, UTF-16 with its mark, or else Windows-1252.

    Raises:
        LibraryError: as `file_bytes`, or it is binary.
    """
    body = file_bytes(source)
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = body.decode("utf-16", errors="replace")
    else:
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = body.decode("cp1252", errors="replace")
    controls = sum(1 for character in text if character < " " and character not in "\t\n\r\f\v\x1b")
    if "\0" in text or controls + text.count("�") > 4 + len(text) / 100:
        pdf = body.startswith(b"%PDF-")
        cure = f"pdf:{source}" if pdf else f"add a file with text ({', '.join(known_suffixes())})"
        raise LibraryError(f"this file is no text, it is {'a PDF' if pdf else 'binary'}", where=source, cure=cure)
    text = clean(text)
    if not text.strip():
        raise LibraryError("this file is empty", where=source, cure="check that it was saved or downloaded completely")
    return text


@suffixes(".txt", ".text", ".rst")
def read_text(source: str) -> Draft:
    """A text file; its places are lines, its title the first line where that is short.

    Raises:
        LibraryError: it does not exist, is empty, unreadable or binary.
    """
    text = file_text(source)
    first = text.strip().splitlines()[0].strip()
    title = first if len(first) <= 120 else clean(Path(source).stem)
    return Draft(title=title, form="paper", text=text, places=(Place(name="", start=0, end=len(text)),))


@suffixes(".md", ".markdown", ".qmd", ".rmd")
def read_markdown(source: str) -> Draft:
    """A Markdown file; its places are sections, named by their headings.

    Raises:
        LibraryError: it does not exist, is empty, unreadable or binary.
    """
    text = file_text(source)
    title = title_of(text) or clean(Path(source).stem)
    return Draft(title=title, form="paper", text=text, places=sections(text))


@suffixes(".pdf")
def read_pdf(source: str) -> Draft:
    """A PDF by pypdf; its places are pages.

    Raises:
        LibraryError: it does not exist, is empty, unreadable, encrypted, truncated, damaged, scanned, or no PDF.
    """
    from jupyter_swarm.library.pdf import draft

    return draft(source, file_bytes(source))


@suffixes()
def read_module(source: str) -> Draft:
    """Documentation of an installed module, as its docstrings give it; its places are qualified names.

    Raises:
        LibraryError: it is not installed, fails at import, takes too long, or documents nothing.
    """
    from jupyter_swarm.library.modules import draft

    return draft(source)


__all__: Sequence[str] = (
    "Reader", "expand", "file_bytes", "file_text", "known_suffixes", "read",
    "read_markdown", "read_module", "read_pdf", "read_text", "suffixes",
)  # fmt: skip
