"""Real files, and a real librarian in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from shelves import NOTES, end, wait_for

from jupyter_swarm.library import LocalLibrary
from jupyter_swarm.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = Workspace(tmp_path).create()
    yield made
    made.store.close()


@pytest.fixture
def library(workspace: Workspace) -> LocalLibrary:
    """By words alone."""
    return LocalLibrary(workspace, vectors=False)


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalLibrary]:
    """A library whose librarian has read everything."""
    folder = tmp_path_factory.mktemp("living")
    (folder / "notes.md").write_text(NOTES, encoding="utf-8")
    made = Workspace(folder).create()
    library = LocalLibrary(made)
    assert library.librarian is not None
    try:
        library.add([folder / "notes.md"])
        wait_for(lambda: library.librarian.ready(1), 120, "the librarian")
        yield library
    finally:
        end(library.librarian)
        made.store.close()


@pytest.fixture
def data() -> Path:
    """The folder of public papers beside the repository."""
    folder = Path(__file__).parents[3] / "shared" / "data"
    if not (folder / "papers" / "jose").is_dir():
        pytest.skip("the papers of ../shared/data are not there")
    return folder
