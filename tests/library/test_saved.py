"""The index of words on disk: the same as one that was built, and no worse off than none where it was damaged."""

from __future__ import annotations

import hashlib
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from shelves import NOTES

from jupyter_swarm.library import LocalLibrary, saved
from jupyter_swarm.library.lexical import K1, B, Lexical, heading, names
from jupyter_swarm.library.terms import terms
from jupyter_swarm.workspace import Workspace

MODULES = ["module:sklearn.preprocessing", "module:sklearn.svm"]
QUERIES = (
    "feature scaling",
    "StandardScaler",
    "SVC C regularization strength",
    "Does scaling help support vector machines when features are sparse?",
    "gamma gamma kernel",
    "kettle",
    "unheard-of",
)
SEARCH = """
import json, sys
from jupyter_swarm.library import LocalLibrary
from jupyter_swarm.workspace import Workspace
workspace = Workspace(sys.argv[1])
library = LocalLibrary(workspace, vectors=False)
sys.stdin.readline()
found = [[[hit.passage.id, hit.score] for hit in library.search(each, 30)] for each in json.loads(sys.argv[2])]
print(json.dumps([found, "bm25s" in sys.modules]))
"""


def found(library: LocalLibrary) -> list[list[list[object]]]:
    return [[[hit.passage.id, hit.score] for hit in library.search(each, 30)] for each in QUERIES]


def another(workspace: Workspace) -> LocalLibrary:
    """As another process has it, which knows what the disk says."""
    return LocalLibrary(workspace, vectors=False)


def process(workspace: Workspace) -> subprocess.Popen[str]:
    """Searches when it is told to."""
    command = [sys.executable, "-c", SEARCH, str(workspace.folder), json.dumps(QUERIES)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def files(workspace: Workspace) -> list[Path]:
    return sorted(workspace.library.glob("lexical-*.index"))


def sealed(body: bytes) -> bytes:
    """A file whose checksum is right, whatever is in it."""
    return hashlib.sha256(body).hexdigest().encode() + body


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with real documentation and notes in its library."""
    folder = tmp_path_factory.mktemp("stocked")
    (folder / "notes.md").write_text(NOTES, encoding="utf-8")
    workspace = Workspace(folder).create()
    LocalLibrary(workspace, vectors=False).add([*MODULES, folder / "notes.md"])
    workspace.store.close()
    return folder


@pytest.fixture
def workspace(stocked: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A copy of it, with an index."""
    shutil.copytree(stocked, tmp_path, dirs_exist_ok=True)
    made = Workspace(tmp_path)
    another(made).prepare()
    yield made
    made.store.close()


@pytest.fixture
def expected(stocked: Path, tmp_path_factory: pytest.TempPathFactory) -> list[list[list[object]]]:
    """What is found where nothing was saved before."""
    folder = tmp_path_factory.mktemp("unsaved")
    shutil.copytree(stocked, folder, dirs_exist_ok=True)
    made = Workspace(folder)
    assert not files(made)
    result = found(another(made))
    made.store.close()
    assert [len(hits) for hits in result[:2]] == [30, 30]
    assert [len(hits) for hits in result[-2:]] == [1, 0]
    return result


def test_another_process_finds_the_same_and_builds_nothing(workspace: Workspace, expected: object) -> None:
    (path,) = files(workspace)
    before = path.stat()
    said, _ = process(workspace).communicate("\n", timeout=60)
    assert json.loads(said) == [expected, False]
    assert found(another(workspace)) == expected
    assert os.path.samestat(path.stat(), before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_scores_are_those_of_bm25s(workspace: Workspace) -> None:
    import bm25s

    library = another(workspace)
    passages = [library.passage(id) for id in library._fresh().ids]
    assert len(passages) > 300
    index = bm25s.BM25(k1=K1, b=B, method="lucene", backend="numpy", auto_compile=False)
    corpus = [terms(heading(each) + "\n" + each.text) + names(each) for each in passages]
    index.index(corpus, show_progress=False)
    for query in ("kernel width of support vector machines", "sparse sparse scale"):
        words = [*terms(query), *(f"={word}" for word in query.split())]
        ours, theirs = Lexical(passages).scores(query), index.get_scores(words)
        assert theirs.max() > 1
        assert np.allclose(ours, theirs, rtol=1e-6)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def noise(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 100)


def bare(path: Path) -> None:
    path.write_bytes(sealed(b""))


def unreadable(path: Path) -> None:
    """Also for a user who may read everything."""
    path.unlink()
    path.symlink_to(path)


def of_others(path: Path) -> None:
    """The index of another library, under this one's name."""
    folder = path.parents[1] / "others"
    (folder / "a.md").parent.mkdir()
    (folder / "a.md").write_text(NOTES.replace("kettle", "samovar"), encoding="utf-8")
    library = LocalLibrary(Workspace(folder).create(), vectors=False)
    library.add([folder / "a.md"])
    library.prepare()
    (theirs,) = files(library._workspace)
    library._workspace.store.close()
    path.write_bytes(theirs.read_bytes())


def rewritten(path: Path, change: Callable[[dict[str, object], list[np.ndarray]], None]) -> None:
    """With other contents, as sound as the file itself says."""
    file = io.BytesIO(path.read_bytes())
    file.seek(64)
    head = json.loads(file.readline())
    arrays = [np.load(file) for _ in range(3)]
    change(head, arrays)
    body = io.BytesIO()
    body.write(json.dumps(head).encode() + b"\n")
    for each in arrays:
        np.save(body, each, allow_pickle=True)
    path.write_bytes(sealed(body.getvalue()))


class Trap:
    """Opened by unpickling only."""

    sprung = False

    def __reduce__(self) -> tuple[object, ...]:
        return (setattr, (Trap, "sprung", True))


def pickled(path: Path) -> None:
    rewritten(path, lambda _, arrays: arrays.__setitem__(2, np.array([Trap()], dtype=object)))


def outside(path: Path) -> None:
    rewritten(path, lambda head, arrays: arrays[1].__setitem__(0, 10**6))


def backwards(path: Path) -> None:
    rewritten(path, lambda _, arrays: arrays[0].__setitem__(1, -5))


def shorter(path: Path) -> None:
    rewritten(path, lambda _, arrays: arrays.__setitem__(2, arrays[2][:-1]))


def doubles(path: Path) -> None:
    rewritten(path, lambda _, arrays: arrays.__setitem__(2, arrays[2].astype(np.float64)))


def fewer_words(path: Path) -> None:
    rewritten(path, lambda head, _: head["words"].pop())  # type: ignore[attr-defined]


DAMAGE = (
    cut, longer, empty, noise, bare, unreadable, of_others, pickled, outside, backwards, shorter, doubles,
    fewer_words,
)  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_was_damaged_is_built_anew(damage: Callable[[Path], None], workspace: Workspace, expected: object) -> None:
    (path,) = files(workspace)
    damage(path)
    assert saved.load(path) is None
    assert found(another(workspace)) == expected
    assert files(workspace) == [path]
    assert saved.load(path) is not None
    assert not Trap.sprung


def test_one_byte_anywhere(workspace: Workspace) -> None:
    (path,) = files(workspace)
    whole = path.read_bytes()
    for place in range(0, len(whole), len(whole) // 50):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert saved.load(path) is None
    path.write_bytes(whole)
    assert saved.load(path) is not None


def test_several_processes_at_once(workspace: Workspace, expected: object) -> None:
    (path,) = files(workspace)
    path.unlink()
    processes = [process(workspace) for _ in range(4)]
    for each in processes:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    for each in processes:
        said, _ = each.communicate(timeout=120)
        assert json.loads(said)[0] == expected
    assert files(workspace) == [path]
    assert saved.load(path) is not None
    assert not list(workspace.library.glob(".new-*"))


def test_where_nothing_can_be_written(workspace: Workspace, expected: object) -> None:
    (path,) = files(workspace)
    path.unlink()
    library = another(workspace)
    library.papers()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        result = found(library)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert result == expected
    assert not files(workspace)
    assert not list(workspace.library.glob(".new-*"))


def test_something_else_in_its_place(workspace: Workspace, expected: object) -> None:
    (path,) = files(workspace)
    path.unlink()
    path.mkdir()
    (path / "kept").write_text("", encoding="utf-8")
    assert found(another(workspace)) == expected
    assert (path / "kept").exists()


def test_it_follows_what_is_added(workspace: Workspace, tmp_path: Path) -> None:
    library = another(workspace)
    (before,) = files(workspace)
    (tmp_path / "tea.md").write_text("# Tea\n\nGreen leaves steep in a kettle at eighty degrees.\n", encoding="utf-8")
    library.add([tmp_path / "tea.md"])
    assert {hit.passage.title for hit in library.search("kettle")} == {"Tea", "Notes on preprocessing"}
    (after,) = files(workspace)
    assert after != before
    inode = after.stat().st_ino
    assert another(workspace).search("kettle") == library.search("kettle")
    assert after.stat().st_ino == inode


def test_what_another_process_adds_is_found_after_a_look_at_the_papers(workspace: Workspace, tmp_path: Path) -> None:
    library = another(workspace)
    assert library.search("samovar") == []
    (tmp_path / "tea.md").write_text("# Tea\n\nA samovar keeps water hot.\n", encoding="utf-8")
    another(Workspace(tmp_path)).add([tmp_path / "tea.md"])
    assert "Tea" in [each.title for each in library.papers()]
    assert [hit.passage.title for hit in library.search("samovar")] == ["Tea"]


def test_what_is_left_over_goes_and_what_others_use_stays(workspace: Workspace) -> None:
    (path,) = files(workspace)
    code, texts = path.stem.split("-")[1:]
    folder = workspace.library
    of_another_environment = folder / f"lexical-{'0' * 12}-{texts}.index"
    of_other_papers = [folder / f"lexical-{each}-{'0' * 24}.index" for each in (code, "0" * 12)]
    young, old = folder / ".new-young", folder / ".new-old"
    for each in (of_another_environment, *of_other_papers, young, old):
        each.write_bytes(b"some")
    os.utime(old, (time.time() - 7200,) * 2)
    path.unlink()
    another(workspace).prepare()
    assert files(workspace) == sorted([path, of_another_environment])
    assert young.exists()
    assert not old.exists()


@pytest.mark.parametrize("loss", ["gone", "changed", "changed without a trace"])
def test_a_lost_text_is_left_out(loss: str, workspace: Workspace, expected: list[list[list[object]]]) -> None:
    library = another(workspace)
    (hit,) = library.search("kettle")
    path = workspace.library / f"{hit.passage.paper}.json"
    times = path.stat()
    path.write_bytes(path.read_bytes().replace(b"three minutes", b"seven minutes"))
    if loss == "gone":
        path.unlink()
    if loss == "changed without a trace":
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    result = another(workspace)
    assert result.search("kettle") == []
    assert [len(hits) for hits in found(result)] == [*map(len, expected[:-2]), 0, 0]
    assert result.search("StandardScaler", 1)[0].passage.id == expected[1][0][0]
    assert another(workspace).search("kettle") == []
    assert library.search("kettle") == [hit]


def test_passages_are_read_and_verified_without_an_index(workspace: Workspace) -> None:
    hit = another(workspace).search("kettle")[0]
    citation = another(workspace).cite(hit.passage, ["water"])
    for each in files(workspace):
        each.unlink()
    library = another(workspace)
    assert library.passage(hit.passage.id) == hit.passage
    assert library.verify(citation)
    assert not files(workspace)


def test_an_empty_library_has_none(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path).create()
    library = another(workspace)
    library.prepare()
    assert library.search("kettle") == []
    assert not files(workspace)
    workspace.store.close()
