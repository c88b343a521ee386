"""What every library must do, run over each implementation."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from jupyter_swarm.errors import LibraryError
from jupyter_swarm.library import LocalLibrary
from jupyter_swarm.protocols import Library
from jupyter_swarm.workspace import Workspace

TEXT = """# On kernels

The radial basis kernel has one width, called gamma. A large gamma overfits small samples.

## Scaling

Standardisation gives each column zero mean and unit variance. Without it, wide columns dominate distances.

## Cooking

Lentils need twenty minutes in boiling water.
"""


@pytest.fixture(scope="module", params=["words", "fused"])
def libraries(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Library, Library]]:
    """An empty library and one with a paper."""
    empty, full = (tmp_path_factory.mktemp(f"{request.param}-{name}") for name in ("empty", "full"))
    (full / "kernels.md").write_text(TEXT, encoding="utf-8")
    fused = request.param == "fused"
    made = [LocalLibrary(Workspace(folder).create(), vectors=fused) for folder in (empty, full)]
    made[1].add([full / "kernels.md"])
    try:
        until = time.monotonic() + 120
        while fused and not made[1].librarian.ready(1):
            assert time.monotonic() < until, "no librarian"
            time.sleep(0.1)
        yield made[0], made[1]
    finally:
        if fused and (said := made[1].librarian.status()):
            os.kill(said.pid, signal.SIGTERM)
            while Path(f"/proc/{said.pid}").exists():
                time.sleep(0.05)
        for library in made:
            library._workspace.store.close()


@pytest.fixture
def empty(libraries: tuple[Library, Library]) -> Library:
    return libraries[0]


@pytest.fixture
def library(libraries: tuple[Library, Library]) -> Library:
    return libraries[1]


def test_an_empty_library_finds_nothing(empty: Library) -> None:
    assert empty.search("gamma") == []


@pytest.mark.parametrize("query", ["", "  ", "?!…", "\n"])
def test_a_query_without_words_finds_nothing(library: Library, query: str) -> None:
    assert library.search(query) == []


@pytest.mark.parametrize("query", ["gamma", "width of the radial basis kernel", "overfits"])
def test_the_best_comes_first(library: Library, query: str) -> None:
    hits = library.search(query)
    assert "gamma" in hits[0].passage.text
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len({hit.passage.id for hit in hits}) == len(hits)


def test_limit(library: Library) -> None:
    assert len(library.search("columns water gamma", 2)) == 2
    assert library.search("gamma", 0) == []


@pytest.mark.parametrize("query", ["gamma " * 5000, "\x00gamma", "gamma' OR 1=1 --", "{gamma}", "gamma \ud800"])
def test_odd_queries_do_no_harm(library: Library, query: str) -> None:
    assert isinstance(library.search(query), list)


def test_passages_and_citations_are_exact(library: Library) -> None:
    for query in ("gamma", "variance", "lentils"):
        for hit in library.search(query):
            passage = hit.passage
            assert passage.end - passage.start == len(passage.text)
            citation = library.cite(passage, [query])
            assert passage.start <= citation.start < citation.end <= passage.end
            assert passage.text[citation.start - passage.start : citation.end - passage.start] == citation.quote
            assert len(citation.quote) <= 300
            assert library.verify(citation)
            assert library.passage(passage.id) == passage


def test_a_passage_that_is_not_there_is_an_error(library: Library, empty: Library) -> None:
    for id in ("", "nothing", "nothing-1-2", "../../secret-0-1", library.search("gamma")[0].passage.id + "0"):
        with pytest.raises(LibraryError):
            library.passage(id)
    with pytest.raises(LibraryError):
        empty.passage(library.search("gamma")[0].passage.id)


def test_the_sentence_that_speaks_of_the_terms_is_cited(library: Library) -> None:
    (hit, *_) = library.search("gamma overfits")
    assert library.cite(hit.passage, ["overfits"]).quote == "A large gamma overfits small samples."


def test_cite_without_terms_still_quotes(library: Library) -> None:
    (hit, *_) = library.search("gamma")
    assert library.verify(library.cite(hit.passage, []))
    assert library.verify(library.cite(hit.passage, ["", "unheard"]))


def test_what_was_changed_is_refused(library: Library) -> None:
    citation = library.cite(library.search("variance")[0].passage, ["variance"])
    replace = msgspec.structs.replace
    for changed in (
        replace(citation, quote=citation.quote.replace("zero", "some")),
        replace(citation, start=citation.start + 1),
        replace(citation, end=citation.end - 1),
        replace(citation, place="somewhere else"),
        replace(citation, paper="0" * 16),
        replace(citation, passage="0" * 16 + "-0-9"),
        replace(citation, passage="../../etc/passwd"),
        replace(citation, quote="", end=citation.start),
    ):
        assert not library.verify(changed)
