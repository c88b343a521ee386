"""`papers`: the library's verbs."""

from __future__ import annotations

import json
import subprocess
import sys

from jupyter_swarm import policy
from jupyter_swarm.errors import LibraryError, UsageError
from jupyter_swarm.jupyter.needs import lacking
from jupyter_swarm.jupyter.pages import Answer, Part, Table, Words, shortened
from jupyter_swarm.jupyter.verbs import Asked
from jupyter_swarm.library import LocalLibrary
from jupyter_swarm.report.phrases import plural
from jupyter_swarm.workspace import Workspace

HITS = 8
SEARCH = ("bm25s", "numpy", "Stemmer")
"""What a search needs here, besides what is light."""
SEARCH_SECONDS = 60.0
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
    policy.from_environment().check_open("to add papers")
    library = LocalLibrary(workspace)
    entries = library.add(sources)
    rows = [
        (each.title, each.version, each.form, each.passages, "new" if each.new else "there already") for each in entries
    ]
    new = sum(each.new for each in entries)
    if new:
        _prepared(library)
    parts: list[Part] = [Table(("title", "version", "", "passages", ""), rows)]
    parts.append(Words(f"{plural(new, 'paper')} added; they can be searched now." if new else "Nothing has changed."))
    data = [
        {"title": each.title, "paper": each.paper, "source": each.source, "passages": each.passages, "new": each.new}
        for each in entries
    ]
    return Answer([*parts, *_by_words(library, workspace)], data={"added": data})


def _prepared(library: LocalLibrary) -> None:
    """Build the index of words now, where it can be: whoever asks next need not wait for it."""
    if not lacking(SEARCH):
        library.prepare()


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
    if not library.papers():
        return _empty()
    passages = _elsewhere(workspace, query) if lacking(SEARCH) else _found(library, query)
    if not passages:
        return Answer([Words(f"Nothing was found for {query!r}.")], data={"query": query, "passages": []})
    parts: list[Part] = []
    for each in passages:
        place = ", ".join(part for part in (each["paper"], each["place"]) if part)
        parts += [Words(place, strong=True), Words(shortened(each["text"], LONGEST_PASSAGE))]
    return Answer([*parts, *_by_words(library, workspace)], data={"query": query, "passages": passages})


def _found(library: LocalLibrary, query: str) -> list[dict[str, str]]:
    found = (hit.passage for hit in library.search(query, HITS))
    return [{"paper": each.title, "place": each.place, "text": each.text} for each in found]


def _elsewhere(workspace: Workspace, query: str) -> list[dict[str, str]]:
    """What is found in the runners' environment, where this one lacks what a search needs.

    Raises:
        UsageError: no other was chosen.
        LibraryError: it does not answer.
    """
    if not workspace.chosen:
        raise UsageError(
            f"a search needs {', '.join(lacking(SEARCH))}, not installed in this environment",
            where=sys.prefix,
            cure="pip install jupyter-swarm, or name an environment that has it: runner --env PATH",
        )
    command = [*workspace.python, "-m", "jupyter_swarm.jupyter.cli", "papers", "search", query, "--json"]
    try:
        done = subprocess.run(
            [*command, "--workspace", str(workspace.folder)],
            capture_output=True, text=True, timeout=SEARCH_SECONDS, check=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        passages: list[dict[str, str]] = json.loads(done.stdout)["passages"]
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", None) or error).strip().splitlines()[-1]
        raise LibraryError(
            f"the search has failed: {said}", where=workspace.python[0], cure="jupyter swarm runner tells about it"
        ) from None
    return passages


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
