from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from shelves import NOTES, pdf_bytes

from jupyter_swarm.errors import LibraryError, WorkspaceError
from jupyter_swarm.events import PaperAdded
from jupyter_swarm.library import LocalLibrary
from jupyter_swarm.workspace import Workspace


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.md"
    path.write_text(NOTES, encoding="utf-8")
    return path


def test_importing_the_room_loads_nothing_heavy() -> None:
    code = (
        "import sys, jupyter_swarm.library as l; l.LocalLibrary;"
        "heavy = 'numpy bm25s chromadb torch sentence_transformers pypdf sqlalchemy'.split();"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_searching_by_words_loads_no_vectors(workspace: Workspace, notes: Path) -> None:
    code = (
        "import sys; from jupyter_swarm.workspace import Workspace; from jupyter_swarm.library import LocalLibrary;"
        f"l = LocalLibrary(Workspace({str(workspace.folder)!r}), vectors=False); l.add([{str(notes)!r}]);"
        "assert l.search('kettle');"
        "print([m for m in ('chromadb', 'torch', 'sentence_transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_adding_twice_changes_nothing(library: LocalLibrary, workspace: Workspace, notes: Path) -> None:
    (first,) = library.add([notes])
    (second,) = library.add([notes])
    assert (first.new, second.new) == (True, False)
    assert "nothing changed" in str(second)
    assert first.source == "notes.md"
    assert len(workspace.store.read(swarm="")) == 1
    event = workspace.store.read(swarm="")[0].event
    assert isinstance(event, PaperAdded)
    assert (event.passages, event.form, event.source) == (3, "paper", "notes.md")


def test_a_copy_is_not_searched_twice(library: LocalLibrary, notes: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.md"
    copy.write_text(NOTES, encoding="utf-8")
    assert [each.new for each in library.add([notes, copy])] == [True, False]
    assert len(library.search("kettle")) == 1
    assert len(library.papers()) == 1


def test_a_changed_file_replaces_its_text_and_old_quotations_hold(library: LocalLibrary, notes: Path) -> None:
    library.add([notes])
    (old,) = library.search("kettle", 1)
    citation = library.cite(old.passage, ["water"])
    notes.write_text(NOTES.replace("three minutes", "ten minutes"), encoding="utf-8")
    assert library.add([notes])[0].new
    (now,) = library.search("kettle")
    assert "ten minutes" in now.passage.text
    assert library.verify(citation)
    assert library.passage(old.passage.id) == old.passage
    notes.write_text(NOTES, encoding="utf-8")
    assert library.add([notes])[0].new
    assert "three minutes" in library.search("kettle", 1)[0].passage.text


def test_another_process_adds_and_this_one_finds(library: LocalLibrary, workspace: Workspace, notes: Path) -> None:
    assert library.search("kettle") == []
    other = LocalLibrary(Workspace(workspace.folder), vectors=False)
    other.add([notes])
    assert library.search("kettle")[0].passage.place.endswith("Kettles")
    other._workspace.store.close()


def test_what_can_be_read_is_added_when_something_cannot(library: LocalLibrary, notes: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.pdf").write_bytes(pdf_bytes(["Text."])[:200])
    with pytest.raises(LibraryError) as caught:
        library.add([tmp_path / "cut.pdf", "missing.md", notes])
    text = str(caught.value)
    assert "2 sources could not be added; added all the same: 1" in text
    assert "truncated" in text
    assert "missing.md" in text
    assert [paper.title for paper in library.papers()] == ["Notes on preprocessing"]


def test_files_are_private_and_whole(library: LocalLibrary, workspace: Workspace, notes: Path) -> None:
    (added,) = library.add([notes])
    path = workspace.library / f"{added.paper}.json"
    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(path.read_bytes())["text"] == NOTES
    assert not list(workspace.library.glob(".new-*"))


def test_a_full_disk_is_said_and_leaves_nothing(
    library: LocalLibrary, workspace: Workspace, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WorkspaceError, match="No space left"):
        library.add([notes])
    monkeypatch.undo()
    assert not list(workspace.library.glob(".new-*"))
    assert library.papers() == []


def test_a_text_changed_by_hand_is_no_evidence(library: LocalLibrary, workspace: Workspace, notes: Path) -> None:
    (added,) = library.add([notes])
    citation = library.cite(library.search("kettle")[0].passage, ["water"])
    path = workspace.library / f"{added.paper}.json"
    path.write_bytes(path.read_bytes().replace(b"three minutes", b"seven minutes"))
    fresh = LocalLibrary(workspace, vectors=False)
    assert not fresh.verify(citation)
    assert fresh.search("kettle") == []
    with pytest.raises(LibraryError, match="has been changed"):
        fresh.passage(citation.passage)
    assert fresh.add([notes])[0].new
    assert fresh.verify(citation)
    assert library.search("kettle")


def test_file_names_of_any_bytes(library: LocalLibrary, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9 [1].txt")
    path.write_text("x" * 130 + " kettle", encoding="utf-8")
    (added,) = library.add([path])
    assert added.source == "caf\ufffd [1].txt"
    assert not library.add([path])[0].new
    assert library.search("kettle")


def test_feature_scaling_in_the_documentation_of_scikit_learn(library: LocalLibrary) -> None:
    library.add(["module:sklearn.preprocessing", "module:sklearn.svm"])
    hits = library.search("feature scaling", 10)
    assert all(hit.passage.kind == "documentation" for hit in hits)
    assert any("sklearn.preprocessing." in hit.passage.place and "scal" in hit.passage.text for hit in hits[:5])
    for name in ("StandardScaler", "Normalizer", "MinMaxScaler", "RobustScaler"):
        (best,) = library.search(name, 1)
        assert best.passage.place == f"sklearn.preprocessing.{name}"
        assert library.verify(library.cite(best.passage, [name]))
    (best,) = library.search("StandardScaler removing the mean", 1)
    assert library.cite(best.passage, ["StandardScaler"]).quote.startswith("Standardize features by removing the mean")
    parameter = library.search("SVC C regularization strength", 3)
    assert "sklearn.svm.SVC · C" in [hit.passage.place for hit in parameter]
    citation = library.cite(parameter[0].passage, ["regularization", "C"])
    assert "inversely proportional to C" in citation.quote
    assert library.verify(citation)
    assert not library.verify(msgspec.structs.replace(citation, quote=citation.quote.replace("inversely", "directly")))


def test_every_passage_of_real_papers_is_verbatim(data: Path, library: LocalLibrary) -> None:
    papers = sorted((data / "papers" / "jose").glob("*.pdf"))[:4]
    library.add(papers)
    hits = library.search("students learn programming", 10)
    assert len(hits) == 10
    for hit in hits:
        citation = library.cite(hit.passage, ["students", "programming"])
        assert library.verify(citation)
        assert citation.place.startswith("page ")
