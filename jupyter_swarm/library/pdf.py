"""Text of a PDF, page by page, with pypdf; and in plain words why one cannot be read."""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_swarm.errors import LibraryError
from jupyter_swarm.library.papers import Draft, clean, join

_NO_TITLE = re.compile(
    r"untitled|microsoft word|powerpoint|\.(docx?|tex|dvi|pdf|indd|qxd|rtf|ps)$|^[\W\d_]*$|^(doi|pii|arxiv)\b|^title$",
    re.IGNORECASE,
)
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_FEW_LETTERS = 20


def draft(source: str, body: bytes) -> Draft:
    """Title and pages of a PDF. Ligatures become letters; all else stays as the file has it.

    Raises:
        LibraryError: no PDF, encrypted, truncated, damaged, or without text (scanned).
    """
    _check_whole(source, body)
    with _quiet():
        reader = _open(source, body)
        try:
            pages = [clean(page.extract_text().translate(_LIGATURES)) for page in reader.pages]
            title = _title(reader, pages) or clean(Path(source).stem)
        except Exception as error:  # pypdf lets many kinds of errors out of damaged files
            raise _damaged(source, error) from error
        letters = sum(sum(map(str.isalpha, page)) for page in pages)
        if letters == 0 or (letters < _FEW_LETTERS * len(pages) and _has_images(reader)):
            raise LibraryError(
                f"this PDF has no text on its {len(pages)} page(s): it is blank or scanned",
                where=source,
                cure="recognise its text first, for example with: ocrmypdf in.pdf out.pdf",
            )
    text, places = join((f"page {number}", page) for number, page in enumerate(pages, 1))
    return Draft(title=title, form="paper", text=text, places=places)


def _check_whole(source: str, body: bytes) -> None:
    head = body[:1024]
    if b"%PDF-" not in head:
        page = b"<html" in head.lower() or b"<!doctype" in head.lower()
        kind = "a web page, perhaps of a login" if page else "something else"
        raise LibraryError(f"this file is no PDF but {kind}", where=source, cure="download the PDF itself")
    if b"%%EOF" not in body[-2048:]:
        raise LibraryError(
            "this PDF is truncated: its end is missing", where=source, cure="download it again, completely"
        )


def _open(source: str, body: bytes) -> Any:
    try:
        import pypdf
        from pypdf.errors import DependencyError
    except ModuleNotFoundError as error:
        raise LibraryError(
            f"a PDF is read with {error.name}, which is not installed in this environment ({sys.prefix})",
            where=source,
            cure="%pip install pypdf, or add the paper from a terminal: ENVIRONMENT/bin/jupyter-swarm papers add FILE",
        ) from None
    locked = LibraryError(
        "this PDF is encrypted", where=source, cure="save a copy without a password: qpdf --decrypt in.pdf out.pdf"
    )
    try:
        reader = pypdf.PdfReader(io.BytesIO(body), strict=False)
        # Many are encrypted against copying only, with an empty password for readers.
        if reader.is_encrypted and not reader.decrypt(""):
            raise locked
        if not len(reader.pages):
            raise LibraryError("this PDF has no pages", where=source, cure="download it again")
    except DependencyError:
        raise locked from None
    except LibraryError:
        raise
    except Exception as error:
        raise _damaged(source, error) from error
    return reader


def _damaged(source: str, error: Exception) -> LibraryError:
    why = str(error).strip() or type(error).__name__
    return LibraryError(f"this PDF is damaged: {why}", where=source, cure="download it again, or repair it with: qpdf")


def _title(reader: Any, pages: list[str]) -> str:
    """The metadata's title where it is one, else the largest words of the first page, else its first line."""
    named = clean(str(getattr(reader.metadata, "title", None) or ""))
    named = " ".join(named.split())
    if len(named) > 3 and not _NO_TITLE.search(named):
        return named
    largest = clean(" ".join(_largest(reader.pages[0])).translate(_LIGATURES))
    first = next((line for page in pages for line in page.splitlines() if line.strip()), "")
    for candidate in (largest, first):
        words = " ".join(candidate.split())
        if 3 < len(words) <= 300 and not _NO_TITLE.search(words):
            return words
    return ""


def _largest(page: Any) -> list[str]:
    """The words of the largest print, which in papers is the title."""
    pieces: list[tuple[float, str]] = []

    def visit(text: str, cm: list[float], tm: list[float], _font: Any, size: float) -> None:
        if len(text.strip()) > 1:
            pieces.append((size * abs(tm[0] or 1.0) * abs(cm[0] or 1.0), text.strip()))

    page.extract_text(visitor_text=visit)
    height = max((size for size, _ in pieces), default=0.0)
    return [text for size, text in pieces if size >= height * 0.97]


def _has_images(reader: Any) -> bool:
    try:
        return any(len(page.images) for page in list(reader.pages)[:10])
    except Exception:  # an unreadable image is an image
        return True


@contextmanager
def _quiet() -> Iterator[None]:
    """pypdf logs each oddity of a file; a person who adds papers cannot do anything about them."""
    logger = logging.getLogger("pypdf")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
