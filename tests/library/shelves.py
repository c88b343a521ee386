"""What the library's tests read, and how they wait for a librarian and see it gone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from jupyter_swarm.library import Librarian

NOTES = """# Notes on preprocessing

Support vector machines are sensitive to the scale of features. Feature scaling brings all columns to one range.

## Trees

Decision trees split on one feature at a time, so monotone transformations change nothing for them.

## Kettles

Boiling water for tea takes about three minutes in an ordinary kettle.
"""


def pdf_bytes(pages: list[str], title: str = "", heading: str = "") -> bytes:
    """A small PDF, written by hand: one line of text for each line of a page, `heading` in larger print first."""
    objects: list[bytes] = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    kids = []
    for number, page in enumerate(pages):
        lines = ["BT"]
        if heading and number == 0:
            lines += ["/F1 20 Tf", "1 0 0 1 72 760 Tm", f"({heading}) Tj"]
        lines += ["/F1 11 Tf"]
        for row, text in enumerate(page.splitlines()):
            lines += [f"1 0 0 1 72 {720 - 14 * row} Tm", f"({text}) Tj"]
        stream = "\n".join([*lines, "ET"]).encode("latin-1")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    objects.append(b"<< /Title (%s) >>" % title.encode("latin-1"))
    body, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, each in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    info = b" /Info %d 0 R" % len(objects) if title else b""
    body += b"trailer\n<< /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, info, start)
    return bytes(body)


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Until `condition` holds; an error names what never came."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not come within {seconds:.0f} s"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def end(librarian: Librarian | None) -> None:
    """Kill what may live, and see it gone."""
    if librarian is None:
        return
    if librarian._started:
        wait_for(librarian.status, 30, "a word of the librarian")
    said = librarian.status()
    if said is None:
        return
    if alive(said.pid):
        os.kill(said.pid, signal.SIGTERM)
    wait_for(lambda: not alive(said.pid), 30, "the librarian's end")
