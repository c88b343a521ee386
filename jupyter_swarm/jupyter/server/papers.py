"""The library, for the panel: what is in it, what is found in it, a paper to read, and adding to it.

Adding is done by a process of its own (`jupyter swarm papers add`): a PDF keeps Python busy for seconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import threading
from pathlib import Path
from typing import Any

import msgspec

from jupyter_swarm import events as e
from jupyter_swarm.errors import LibraryError, UsageError, WorkspaceError
from jupyter_swarm.jupyter.actions import beside
from jupyter_swarm.jupyter.library import SEARCH
from jupyter_swarm.jupyter.needs import lacking
from jupyter_swarm.jupyter.server import cards
from jupyter_swarm.jupyter.server import words as w
from jupyter_swarm.library import LocalLibrary
from jupyter_swarm.library.catalogue import Catalogue
from jupyter_swarm.library.readers import known_suffixes
from jupyter_swarm.words import Citation
from jupyter_swarm.workspace import Workspace

HITS = 20
WINDOW, LARGEST_WINDOW = 20_000, 100_000
"""Characters of a paper's text in an answer."""
ADDING_SECONDS = 900.0
MOST_SOURCES = 100
FOLDER = "papers"
"""Where papers that were dropped on the panel are kept, beside the notebooks."""
LONGEST_QUERY = 1_000
CITING = (e.DirectionOpened, e.EvidenceFound, e.HypothesisProposed)
_KINDS = tuple(str(each.__struct_config__.tag) for each in CITING)
_ID = re.compile(r"[0-9a-f]{16}")


class Shelf:
    """The library of one workspace, and where its papers are cited. Methods may be called from any thread."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._library: LocalLibrary | None = None
        self._uses: dict[str, list[w.Use]] = {}
        self._titles: dict[tuple[str, str], str] = {}
        """(swarm, direction) → its title."""
        self._read = 0
        self._lock = threading.RLock()

    @property
    def library(self) -> LocalLibrary:
        """The library, opened when first asked for."""
        with self._lock:
            if self._library is None:
                self._library = LocalLibrary(self.workspace)
            return self._library

    def listed(self) -> w.Papers:
        """All papers, the newest first."""
        if not self.workspace.exists:
            return w.Papers(papers=[], meaning=False, note="")
        with self._lock:
            self._note_uses()
            found = [
                w.Paper(
                    paper=each.paper,
                    title=cards.cut(each.title),
                    source=cards.cut(each.source),
                    form=each.form,
                    version=each.version,
                    passages=each.passages,
                    cited=len(self._uses.get(each.paper, ())),
                )
                for each in self.library.papers()
            ]
        librarian = self.library.librarian
        said = librarian.status() if librarian else None
        meaning = said is not None and said.state not in ("none", "failed")
        why = f" ({said.why})" if said is not None and said.why else ""
        note = "" if meaning or not found else f"Passages are found by their words alone, not by meaning{why}."
        return w.Papers(papers=found[::-1], meaning=meaning, note=note)

    def search(self, query: str) -> w.Hits:
        """The best passages.

        Raises:
            UsageError: the query is too long, or this environment lacks what a search needs.
        """
        if len(query) > LONGEST_QUERY:
            raise UsageError("these are too many words to search for", cure=f"at most {LONGEST_QUERY:,} characters")
        if missing := lacking(SEARCH):
            raise UsageError(f"a search needs {', '.join(missing)}", cure="pip install jupyter-swarm")
        if not self.workspace.exists:
            return w.Hits(query=query, hits=[])
        found = [hit.passage for hit in self.library.search(query, HITS)]
        hits = [
            w.Hit(
                paper=each.paper,
                title=cards.cut(each.title),
                place=cards.cut(each.place, 300),
                start=each.start,
                end=each.end,
                text=each.text,
            )
            for each in found
        ]
        return w.Hits(query=query, hits=hits)

    def text(self, paper: str, start: int, end: int) -> w.Text:
        """A window of a paper's text.

        Args:
            paper: its id.
            start: of the window.
            end: of the window; 0 for the usual length.

        Raises:
            LibraryError: there is no such paper, or its text is damaged.
        """
        if not _ID.fullmatch(paper) or not self.workspace.exists:
            raise LibraryError("this library has no such paper", where=paper[:40], cure="choose one in the list")
        with self._lock:
            self._note_uses()
            found, uses = Catalogue(self.workspace).paper(paper), list(self._uses.get(paper, ()))
        length = len(found.text)
        first = min(start, max(0, length - 1))
        last = min(length, end if end > first else first + WINDOW, first + LARGEST_WINDOW)
        return w.Text(
            paper=paper,
            title=cards.cut(found.title),
            source=cards.cut(found.source),
            form=found.form,
            length=length,
            start=first,
            end=last,
            text=found.text[first:last],
            parts=[w.Part(name=cards.cut(each.name, 300), start=each.start, end=each.end) for each in found.places],
            uses=uses,
        )

    # ------------------------------------------------------------ where papers are cited

    def _note_uses(self) -> None:
        while records := self.workspace.store.read(self._read, kinds=_KINDS, limit=5_000):
            for record in records:
                self._read = record.number
                self._note(record.swarm, record.event)

    def _note(self, swarm: str, event: Any) -> None:
        if isinstance(event, e.HypothesisProposed):
            self._cite(swarm, "hypothesis", event.hypothesis.id, event.hypothesis.statement, event.hypothesis.citations)
        elif isinstance(event, e.DirectionOpened):
            self._titles[swarm, event.direction] = event.title
            self._cite(swarm, "direction", event.direction, event.title, event.citations)
        elif isinstance(event, e.EvidenceFound):
            title = self._titles.get((swarm, event.direction), event.query)
            self._cite(swarm, "direction", event.direction, title, event.citations)

    def _cite(self, swarm: str, kind: Any, id: str, what: str, citations: tuple[Citation, ...]) -> None:
        for each in citations:
            use = w.Use(swarm=swarm, kind=kind, id=id, what=cards.cut(what, 300), start=each.start, end=each.end)
            self._uses.setdefault(each.paper, []).append(use)


class Libraries:
    """The libraries of a server's workspaces."""

    def __init__(self) -> None:
        self._known: dict[int, Shelf] = {}

    def of(self, workspace: Workspace) -> Shelf:
        """The library of a workspace; anew where that was opened anew."""
        found = self._known.get(id(workspace))
        if found is None:
            self.forget(workspace.folder)
            found = self._known[id(workspace)] = Shelf(workspace)
        return found

    def forget(self, folder: Path) -> None:
        """Let go of the library of a workspace's folder."""
        self._known = {key: each for key, each in self._known.items() if each.workspace.folder != folder}


async def add(workspace: Workspace, sources: list[str]) -> w.Additions:
    """Add papers, each by a process of its own; what cannot be read is a problem, and the others are added.

    Args:
        workspace: whose library.
        sources: paths, patterns or `module:NAME`.

    Raises:
        UsageError: there are none, or too many.
    """
    if not 0 < len(sources) <= MOST_SOURCES:
        raise UsageError(f"{len(sources)} sources at once", cure=f"1 to {MOST_SOURCES}")
    added: list[w.Added] = []
    problems: list[w.Problem] = []
    for source in sources:
        try:
            added += await _added(workspace, source)
        except LibraryError as error:
            said = w.Problem(message=error.what, where=error.where, cure=error.cure, reason="LibraryError")
            problems.append(said)
    return w.Additions(added=added, problems=problems)


async def _added(workspace: Workspace, source: str) -> list[w.Added]:
    command = [
        *workspace.python, "-m", "jupyter_swarm.jupyter.cli", "papers", "add", "--json",
        "--workspace", str(workspace.folder), "--", source,
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=workspace.folder,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), ADDING_SECONDS)
    except TimeoutError:
        raise LibraryError("this takes too long to read", where=source, cure="add it in a terminal") from None
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode != 0:
        said = err.decode("utf-8", "replace").strip().splitlines()
        words = said[-1].removeprefix("jupyter swarm: ") if said else "reading it failed"
        raise LibraryError(words[:2_000], where=source[:300])
    try:
        found = json.loads(out)["added"]
        added = [msgspec.convert(each, w.Added) for each in found]
    except (ValueError, KeyError, msgspec.ValidationError):
        raise LibraryError("what came of reading it cannot be understood", where=source[:300]) from None
    return [msgspec.structs.replace(each, title=cards.cut(each.title), source=cards.cut(each.source)) for each in added]


def keep(workspace: Workspace, name: str, body: bytes) -> str:
    """Write a file that was dropped on the panel beside the notebooks; its path, relative to the workspace's folder.

    Args:
        workspace: whose.
        name: of the file: no path.
        body: its content. A file of that name with another content stays; the new one is called `name-2` then.

    Raises:
        UsageError: it has no name that a file may have, or an ending that nothing here can read.
        WorkspaceError: it cannot be written.
    """
    if not name or len(os.fsencode(name)) > 200 or name.startswith(".") or any(c in name for c in "/\\\0"):
        raise UsageError("this is no name for a file", where=name[:100], cure="a name without slashes")
    endings = known_suffixes()
    if Path(name).suffix.lower() not in endings:
        raise UsageError("files of this kind cannot be read", where=name, cure=f"one of {', '.join(endings)}")
    folder = workspace.folder / FOLDER
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise WorkspaceError(f"{FOLDER} is no folder", where=str(folder), cure="move it out of the way")
    return str(beside(body, folder / name).relative_to(workspace.folder))
