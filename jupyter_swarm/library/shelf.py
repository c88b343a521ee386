"""The library of a workspace: add papers, search them, quote them, check quotations."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from jupyter_swarm.errors import LibraryError
from jupyter_swarm.events import PaperAdded
from jupyter_swarm.library import quotes, readers, saved
from jupyter_swarm.library.catalogue import Catalogue
from jupyter_swarm.library.client import Librarian
from jupyter_swarm.library.fusion import CANDIDATES, fuse
from jupyter_swarm.library.papers import Draft, Form, Paper, write
from jupyter_swarm.library.passages import spans
from jupyter_swarm.library.saved import Index
from jupyter_swarm.protocols import Hit, Passage
from jupyter_swarm.words import Citation
from jupyter_swarm.workspace import Workspace

_ID = re.compile(r"[0-9a-f]{16}")


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """A paper of the library; from `add`, `new` says whether it was not there before."""

    source: str
    paper: str
    title: str
    form: Form
    version: str = ""
    passages: int = 0
    new: bool = True

    def __str__(self) -> str:
        name = f"{self.title} {self.version}".strip()
        return f"{name}: {self.passages} passages" if self.new else f"{name}: there already, nothing changed"


class LocalLibrary:
    """A `Library` over the papers of a workspace. Many processes may have one open; all see what the ledger says.

    Searching by words works at once. By meaning too, fused, as soon as the librarian (a background process, started
    when needed) has read the papers; with `vectors=False` it is left alone.

    >>> import tempfile
    >>> library = LocalLibrary(Workspace(tempfile.mkdtemp()), vectors=False)
    >>> print(library.add(["module:textwrap"])[0].title)
    textwrap
    >>> hit = library.search("paragraph fits in width")[0]
    >>> citation = library.cite(hit.passage, ["paragraph", "width"])
    >>> library.verify(citation)
    True
    """

    def __init__(self, workspace: Workspace, *, vectors: bool = True) -> None:
        self._workspace = workspace
        self._catalogue = Catalogue(workspace)
        self._lock = threading.RLock()
        self._passages: dict[str, dict[str, Passage]] = {}
        self._index: Index | None = None
        self._covered = 0
        self.librarian: Librarian | None = Librarian(workspace) if vectors else None

    # ------------------------------------------------------------ adding

    def add(self, sources: Sequence[str | Path]) -> list[Added]:
        """Add files, patterns (`notes/*.md`), folders (each readable file below them) and `module:NAME`.

        Relative paths start at the current folder. What is there already is left as it is; a source whose text has
        changed replaces its earlier one in searches.

        Returns:
            One `Added` for each file or module, in order.

        Raises:
            LibraryError: something could not be read. The others have been added, and the message says so.
            WorkspaceError: the workspace cannot be written.
        """
        self._workspace.create()
        added: list[Added] = []
        problems: list[LibraryError] = []
        with self._lock:
            self._catalogue.refresh()
            for source in dict.fromkeys(map(str, sources)):
                try:
                    names = readers.expand(source)
                except LibraryError as error:
                    problems.append(error)
                    continue
                for name in names:
                    try:
                        added.append(self._keep(readers.read(name), name))
                    except LibraryError as error:
                        problems.append(error)
        if self.librarian and any(each.new for each in added):
            self.librarian.start_if_needed()
            self.librarian.poke()
        if problems:
            raise _together(problems, added)
        return added

    def _keep(self, draft: Draft, name: str) -> Added:
        cuts = spans(draft)
        if not cuts:
            raise LibraryError("there are no words in it", where=name, cure="add a file with text")
        source, paper = self._source(name), draft.id
        entry = Added(
            source=source, paper=paper, title=draft.title, form=draft.form, version=draft.version, passages=len(cuts)
        )
        there = paper in self._catalogue.current() and self._catalogue.intact(paper)
        if there and self._catalogue.of_source(source) == paper:
            return msgspec.structs.replace(entry, new=False)
        fields = msgspec.structs.asdict(draft)
        write(self._workspace.library, Paper(**fields, paper=paper, source=source, spans=cuts))
        event = PaperAdded(
            paper=paper, title=draft.title, source=source, form=draft.form, version=draft.version, passages=len(cuts)
        )
        self._workspace.store.append("", [event])
        self._catalogue.refresh()
        return msgspec.structs.replace(entry, new=not there)

    def _source(self, name: str) -> str:
        """How a source is remembered: a path within the project relative to it, so that the folder can move."""
        if name.startswith("module:"):
            return name
        path = Path(name if Path(name).expanduser().exists() else name.partition(":")[2]).expanduser().absolute()
        folder = self._workspace.folder
        inside = path.relative_to(folder) if path.is_relative_to(folder) else path
        return os.fsencode(inside).decode("utf-8", "replace")

    # ------------------------------------------------------------ what there is

    def papers(self) -> list[Added]:
        """All papers that are searched, the oldest first."""
        with self._lock:
            self._catalogue.refresh()
            events = self._catalogue.current().values()
        return [
            Added(
                source=event.source, paper=event.paper, title=event.title, form=event.form, version=event.version,
                passages=event.passages, new=False,
            )
            for event in events
        ]  # fmt: skip

    def passage(self, id: str) -> Passage:
        """A passage by its id, also of a text that has been replaced since.

        Raises:
            LibraryError: there is none.
        """
        name = id.partition("-")[0]
        with self._lock:
            if name not in self._passages and not _ID.fullmatch(name):  # it becomes a file's name
                raise LibraryError("this library has no such passage", where=id, cure="search again")
            if name not in self._passages:
                self._passages[name] = {each.id: each for each in self._catalogue.paper(name).passages()}
            found = self._passages[name].get(id)
        if found is None:
            raise LibraryError("this library has no such passage", where=id, cure="search again")
        return found

    def prepare(self) -> None:
        """Have the index of words on disk, so that whoever searches next need not wait until it is built (seconds for
        10,000 passages)."""
        with self._lock:
            self._fresh()

    # ------------------------------------------------------------ the seam

    def search(self, query: str, limit: int = 10) -> list[Hit]:
        """The best passages first, by words, and by meaning where the librarian covers all papers; [] for an empty
        library or a query without words."""
        with self._lock:
            index, through = self._fresh(), self._catalogue.through
        if not index.ids or not any(map(str.isalnum, query)) or limit < 1:
            return []
        ranked = fuse(index.lexical.scores(query), self._similar(query, through, index))
        try:
            return [Hit(self.passage(index.ids[number]), score) for number, score in ranked[:limit]]
        except LibraryError:  # a text has been lost since the index was saved
            with self._lock:
                self._index = self._built()
            return self.search(query, limit)

    def _similar(self, query: str, through: int, index: Index) -> dict[int, float] | None:
        if self.librarian is None or not self.librarian.start_if_needed():
            return None
        found = self.librarian.query(query, CANDIDATES, through=through)
        return None if found is None else {index.places[id]: score for id, score in found if id in index.places}

    def cite(self, passage: Passage, terms: Sequence[str]) -> Citation:
        """The sentence of the passage that speaks most of `terms`, with its exact place; at most 300 characters."""
        start, end = quotes.choose(passage.text, terms)
        return Citation(
            paper=passage.paper,
            title=passage.title,
            kind="documentation" if passage.kind == "documentation" else "paper",
            passage=passage.id,
            place=passage.place,
            start=passage.start + start,
            end=passage.start + end,
            quote=passage.text[start:end],
        )

    def verify(self, citation: Citation) -> bool:
        """Whether the quotation stands word for word at its place, in the text as it was kept."""
        try:
            passage = self.passage(citation.passage)
        except LibraryError:
            return False
        inside = passage.start <= citation.start < citation.end <= passage.end
        here = passage.text[citation.start - passage.start : citation.end - passage.start] if inside else ""
        same = (passage.paper, passage.place) == (citation.paper, citation.place)
        return inside and same and here == citation.quote

    def _fresh(self) -> Index:
        """The index of all papers that the ledger names now."""
        self._catalogue.refresh()
        if self._index is None or self._covered != self._catalogue.through:
            self._index = self._saved() or self._built()
            self._covered = self._catalogue.through
        return self._index

    def _saved(self) -> Index | None:
        return saved.load(self._target()) if self._catalogue.known else None

    def _built(self) -> Index:
        """The index, read from all texts; those that are lost are left out."""
        if not self._catalogue.known:
            return Index.of([])
        path = self._target()
        index = Index.of([passage for paper in self._catalogue.papers() for passage in paper.passages()])
        saved.save(path, index)
        return index

    def _target(self) -> Path:
        return saved.target(self._workspace.library, self._catalogue.current())


def _together(problems: list[LibraryError], added: list[Added]) -> LibraryError:
    rest = f"; added all the same: {len(added)}" if added else ""
    if len(problems) == 1:
        (only,) = problems
        return LibraryError(only.what + rest, where=only.where, cure=only.cure)
    lines = "".join(f"\n  - {problem}" for problem in problems)
    return LibraryError(f"{len(problems)} sources could not be added{rest}:{lines}")
