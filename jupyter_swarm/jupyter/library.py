"""`papers`: the library's verbs."""

from __future__ import annotations

from jupyter_swarm.errors import UsageError
from jupyter_swarm.jupyter.pages import Answer, Part, Table, Words, shortened
from jupyter_swarm.jupyter.verbs import Asked
from jupyter_swarm.library import LocalLibrary
from jupyter_swarm.report.phrases import plural
from jupyter_swarm.workspace import Workspace

HITS = 8
LONGEST_PASSAGE = 320
_told: set[str] = set()
"""Workspaces of this process that have been told that they search by words alone."""


def papers(asked: Asked) -> Answer:
    """Add, list or search.

    Raises:
        UsageError: nothing to add or search for.
        LibraryError: something cannot be read; what could be has been added.
    """
    words = asked.options.words
    if asked.options.what == "list":
        if words:
            raise UsageError("papers list takes no more words", where=" ".join(words), cure="papers search WORDS")
        return listed(asked.workspace)
    if not words:
        cure = "files, patterns or module:NAME" if asked.options.what == "add" else "words to search for"
        raise UsageError(f"papers {asked.options.what} needs more", cure=cure)
    return added(asked.workspace, words) if asked.options.what == "add" else searched(asked.workspace, " ".join(words))


def added(workspace: Workspace, sources: list[str]) -> Answer:
    """Add, and say what was found."""
    library = LocalLibrary(workspace)
    entries = library.add(sources)
    rows = [
        (each.title, each.version, each.form, each.passages, "new" if each.new else "there already") for each in entries
    ]
    new = sum(each.new for each in entries)
    parts: list[Part] = [Table(("title", "version", "", "passages", ""), rows)]
    parts.append(Words(f"{plural(new, 'paper')} added; they can be searched now." if new else "Nothing has changed."))
    data = [
        {"title": each.title, "source": each.source, "passages": each.passages, "new": each.new} for each in entries
    ]
    return Answer([*parts, *_by_words(library, workspace)], data={"added": data})


def listed(workspace: Workspace) -> Answer:
    """All papers."""
    if not workspace.exists:
        return _empty()
    library = LocalLibrary(workspace)
    entries = library.papers()
    if not entries:
        return _empty()
    rows = [(each.title, each.version, each.form, each.passages, each.source) for each in entries]
    data = [{"title": each.title, "source": each.source, "passages": each.passages} for each in entries]
    heads = ("title", "version", "", "passages", "from")
    return Answer([Table(heads, rows), *_by_words(library, workspace)], data={"papers": data})


def searched(workspace: Workspace, query: str) -> Answer:
    """The best passages, quoted word for word."""
    if not workspace.exists:
        return _empty()
    library = LocalLibrary(workspace)
    hits = library.search(query, HITS)
    if not hits:
        if not library.papers():
            return _empty()
        return Answer([Words(f"Nothing was found for {query!r}.")], data={"query": query, "passages": []})
    parts: list[Part] = []
    data = []
    for hit in hits:
        passage = hit.passage
        place = ", ".join(part for part in (passage.title, passage.place) if part)
        parts += [Words(place, strong=True), Words(shortened(passage.text, LONGEST_PASSAGE))]
        data.append({"paper": passage.title, "place": passage.place, "text": passage.text})
    return Answer([*parts, *_by_words(library, workspace)], data={"query": query, "passages": data})


def _empty() -> Answer:
    cure = "papers add module:sklearn.preprocessing notes/*.md papers/*.pdf"
    return Answer([Words(f"The library is empty. Add to it: {cure}")], data={"papers": [], "passages": []})


def _by_words(library: LocalLibrary, workspace: Workspace) -> list[Part]:
    """Once a process and workspace: that there is no embedding model, where the librarian has found none."""
    said = library.librarian.status() if library.librarian else None
    if said is None or said.state not in ("none", "failed") or str(workspace.root) in _told:
        return []
    _told.add(str(workspace.root))
    why = f" ({said.why})" if said.why else ""
    return [Words(f"Passages are found by their words alone, not by meaning: there is no embedding model{why}.")]
