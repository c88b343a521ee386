"""Which papers a workspace has: a fold of the ledger's PaperAdded events, the same in every process."""

from __future__ import annotations

from collections.abc import Iterator

from jupyter_swarm.errors import LibraryError
from jupyter_swarm.events import IndexBuilt, PaperAdded
from jupyter_swarm.library.papers import Paper, load
from jupyter_swarm.workspace import Workspace


class Catalogue:
    """Papers by id. A source that was added again with another text replaces what it said before in searches; the
    earlier text is kept, since citations rest on it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._papers: dict[str, PaperAdded] = {}
        self._sources: dict[str, str] = {}
        self._loaded: dict[str, Paper] = {}
        self._read = 0
        self.through = 0
        """The ledger's number of the last PaperAdded."""
        self.index: IndexBuilt | None = None
        """The last word of a librarian."""

    def refresh(self) -> bool:
        """Read what the ledger has since; whether papers are among it."""
        if not self._workspace.exists:
            return False
        before = self.through
        for record in self._workspace.store.read(self._read, swarm=""):
            self._read = record.number
            if isinstance(record.event, PaperAdded):
                self._papers[record.event.paper] = record.event
                self._sources[record.event.source] = record.event.paper
                self.through = record.number
            elif isinstance(record.event, IndexBuilt):
                self.index = record.event
        return self.through != before

    @property
    def known(self) -> int:
        """How many papers there are, current or not."""
        return len(self._papers)

    def current(self) -> dict[str, PaperAdded]:
        """Papers that are searched, by id, the oldest first."""
        ids = set(self._sources.values())
        return {paper: event for paper, event in self._papers.items() if paper in ids}

    def of_source(self, source: str) -> str | None:
        """The paper that a source stands for now."""
        return self._sources.get(source)

    def papers(self) -> Iterator[Paper]:
        """Texts of the current papers; those whose file is gone are left out."""
        for paper in self.current():
            try:
                yield self.paper(paper)
            except LibraryError:
                continue

    def intact(self, paper: str) -> bool:
        """Whether the text of a paper lies on the disk as it was kept."""
        try:
            load(self._workspace.library, paper)
        except LibraryError:
            return False
        return True

    def paper(self, paper: str) -> Paper:
        """The text of a paper, current or not.

        Raises:
            LibraryError: there is none, or its file is damaged.
        """
        if paper not in self._loaded:
            self._loaded[paper] = load(self._workspace.library, paper)
        return self._loaded[paper]
