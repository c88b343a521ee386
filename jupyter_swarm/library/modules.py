"""Documentation of installed modules as papers: one place for each qualified name and each of its parameters.

The module is imported by `inspector` in a process of its own, with a time limit: reading the source with `ast` would
miss what packages re-export and what decorators and C write into docstrings, and importing here would fill the kernel.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib.util
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from jupyter_swarm.errors import LibraryError
from jupyter_swarm.library.papers import Draft, clean, join

TIMEOUT_SECONDS = 60.0

_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_HEADING = re.compile(r"^(?P<title>[A-Z][A-Za-z ]+)\n-{3,}[ \t]*$", re.MULTILINE)
_PARAMETER = re.compile(r"^(?P<names>\*{0,2}[A-Za-z_]\w*(?:,[ ]*\*{0,2}[A-Za-z_]\w*)*)(?:[ ]*:.*)?$", re.MULTILINE)


def draft(name: str) -> Draft:
    """Docstrings of a module (or of one object, as in `sklearn.svm.SVC`) with the version of its distribution.

    Raises:
        LibraryError: no such module, it fails at import, takes too long, or has no docstring at all.

    >>> draft("textwrap").title
    'textwrap'
    """
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise LibraryError(f"{name!r} is no module's name", where=f"module:{name}", cure="module:package.module")
    answer = _inspect(name)
    text, places = join(
        (clean(place), clean(part)) for entry in answer["entries"] for place, part in _parts(*map(str, entry))
    )
    if not text:
        raise LibraryError("this module documents nothing", where=f"module:{name}", cure="add its manual as a file")
    return Draft(title=name, form="documentation", text=text, places=places, version=str(answer["version"]))


def _inspect(name: str) -> dict[str, Any]:
    """Ask the inspector, in this interpreter and with this process's search path."""
    script = Path(__file__).with_name("inspector.py")
    request = msgspec.json.encode({"module": name, "path": [os.path.abspath(part) for part in sys.path]}) + b"\n"
    process = subprocess.Popen(
        [sys.executable, "-P", "-W", "ignore", str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(request, timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        raise LibraryError(
            f"importing this module takes longer than {TIMEOUT_SECONDS:.0f} s",
            where=f"module:{name}",
            cure="import it by hand to see why, or add its manual as a file",
        ) from None
    finally:
        _end(process)
    try:
        answer: dict[str, Any] = msgspec.json.decode(output)
    except msgspec.DecodeError:
        answer = {"error": f"the import ended its process ({process.returncode})", "missing": False}
    if "error" in answer:
        raise _failure(name, answer)
    return answer


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the inspector and whatever its module started in the same session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _failure(name: str, answer: dict[str, Any]) -> LibraryError:
    where = f"module:{name}"
    if not answer["missing"]:
        what = f"this module fails at import: {clean(answer['error'])}"
        return LibraryError(what, where=where, cure=f"mend it until `import {name}` works")
    top = name.partition(".")[0]
    if _installed(top) and "." in name:
        return LibraryError(f"{top} is installed but has no {name}", where=where, cure=f"help({top!r}) lists its parts")
    near = difflib.get_close_matches(top, sys.stdlib_module_names | _distributed(), 1)
    hint = f", or did you mean module:{near[0]}?" if near else ""
    return LibraryError(f"the module {top} is not installed", where=where, cure=f"pip install {top}{hint}")


def _installed(top: str) -> bool:
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False


def _distributed() -> set[str]:
    from importlib.metadata import packages_distributions

    return {name for name in packages_distributions() if not name.startswith("_")}


# ---------------------------------------------------------------- docstrings


def _parts(name: str, kind: str, signature: str, doc: str) -> Iterator[tuple[str, str]]:
    """Places of one qualified name: what it is, each of its parameters, each further section (numpy's style).

    >>> doc = "Scale.\\n\\nParameters\\n----------\\nC : float\\n    How much.\\n\\nNotes\\n-----\\nSlow."
    >>> [place for place, _ in _parts("m.f", "function", "(C=1.0)", doc)]
    ['m.f', 'm.f · C', 'm.f › Notes']
    """
    if not doc:
        return
    marks = list(_HEADING.finditer(doc)) if kind in ("class", "function") else []
    edges = [mark.start() for mark in marks] + [len(doc)]
    head = f"{name}{_short(signature)}" if kind != "module" else name
    yield name, f"{head}\n\n{doc[: edges[0]].strip()}"
    for mark, end in zip(marks, edges[1:], strict=True):
        body = doc[mark.end() : end]
        parameters = list(_parameters(body)) if mark["title"] in ("Parameters", "Other Parameters") else []
        for names, text in parameters:
            yield f"{name} · {names}", text
        if not parameters and body.strip():
            yield f"{name} › {mark['title']}", doc[mark.start() : end].strip()


def _parameters(section: str) -> Iterator[tuple[str, str]]:
    marks = list(_PARAMETER.finditer(section))
    for number, mark in enumerate(marks):
        end = marks[number + 1].start() if number + 1 < len(marks) else len(section)
        yield mark["names"], section[mark.start() : end].strip()


def _short(signature: str, longest: int = 400) -> str:
    return signature if len(signature) <= longest else signature[:longest] + "…"
