from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pypdf
import pytest
from shelves import NOTES, pdf_bytes

from jupyter_swarm.errors import LibraryError
from jupyter_swarm.library import LocalLibrary, modules, readers
from jupyter_swarm.library.readers import expand, file_text, known_suffixes, read


def test_text_has_lines_for_places(library: LocalLibrary, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("A title\n\n" + "One sentence of six small words. " * 60, encoding="utf-8")
    draft = read(str(path))
    assert (draft.title, draft.form) == ("A title", "paper")
    library.add([path])
    assert {hit.passage.place for hit in library.search("sentence")} == {"lines 1–3", "line 3"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Naïve Bayes – Müller", encoding=encoding)
    assert file_text(str(path)) == "Naïve Bayes – Müller"


def test_markdown_sections_and_title(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(NOTES, encoding="utf-8")
    draft = read(str(path))
    assert draft.title == "Notes on preprocessing"
    assert [place.name for place in draft.places] == [
        "Notes on preprocessing",
        "Notes on preprocessing › Trees",
        "Notes on preprocessing › Kettles",
    ]


def test_control_characters_are_stripped(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("# A\n\nhidden\u202e \x1b[31mred\x07 end\u200b\n", encoding="utf-8")
    assert read(str(path)).text == "# A\n\nhidden [31mred end\n"


def test_pdf_pages_and_titles(tmp_path: Path) -> None:
    named, large = tmp_path / "named.pdf", tmp_path / "large.pdf"
    named.write_bytes(pdf_bytes(["First page.", "Second page."], title="On scaling"))
    large.write_bytes(pdf_bytes(["First page."], title="Microsoft Word - x.docx", heading="Large print"))
    draft = read(str(named))
    assert draft.title == "On scaling"
    assert [(place.name, draft.text[place.start : place.end]) for place in draft.places] == [
        ("page 1", "First page."),
        ("page 2", "Second page."),
    ]
    assert read(str(large)).title == "Large print"


def test_a_prefix_forces_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "LICENCE"
    path.write_text("Do what you like.", encoding="utf-8")
    assert read(f"text:{path}").text == "Do what you like."


def test_titles_of_real_papers(data: Path) -> None:
    found = []
    for path in sorted((data / "papers" / "jose").glob("*.pdf")):
        xml = path.parent / f"{path.stem}.crossref.xml"
        (true,) = re.findall(r"<titles>\s*<title>(.*?)</title>", xml.read_text(encoding="utf-8"), re.DOTALL)
        found.append(" ".join(true.split()).casefold() == read(str(path)).title.casefold())
    assert sum(found) >= 0.95 * len(found)


# ---------------------------------------------------------------- modules


def test_module_documents_qualified_names_and_parameters() -> None:
    draft = read("module:sklearn.svm")
    parts = {place.name: draft.text[place.start : place.end] for place in draft.places}
    assert draft.form == "documentation"
    assert re.fullmatch(r"\d+\.\d+.*", draft.version)
    assert {"sklearn.svm", "sklearn.svm.SVC", "sklearn.svm.SVC · C", "sklearn.svm.LinearSVC.fit"} <= parts.keys()
    assert parts["sklearn.svm.SVC › Examples"].startswith("Examples\n--------\n>>> ")
    assert parts["sklearn.svm.SVC · C"].startswith("C : float")
    assert "Regularization parameter" in parts["sklearn.svm.SVC · C"]
    assert "Regularization parameter" not in parts["sklearn.svm.SVC"]


def test_reading_a_module_twice_gives_one_text() -> None:
    assert read("module:json").id == read("module:json").id


def test_names_that_refuse_to_be_imported_are_left_out() -> None:
    names = {place.name for place in read("module:sklearn.model_selection").places}
    assert "sklearn.model_selection.StratifiedKFold · n_splits" in names
    assert "sklearn.model_selection.HalvingGridSearchCV" not in names


def test_one_object_of_a_module() -> None:
    assert {place.name for place in read("module:json.JSONDecoder").places} >= {"json.JSONDecoder"}


def test_reading_a_module_leaves_this_process_clean() -> None:
    code = (
        "import sys; from jupyter_swarm.library.readers import read; read('module:sklearn.svm');"
        "print([m for m in ('sklearn', 'pypdf', 'torch', 'chromadb') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_module_of_the_notebooks_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "noisy_helper.py").write_text('"""Helps."""\nprint("noise")\n', encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert read("module:noisy_helper").text.endswith("Helps.")


def test_a_module_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hanging_helper.py").write_text("import time\ntime.sleep(600)\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(modules, "TIMEOUT_SECONDS", 1.0)
    with pytest.raises(LibraryError, match="takes longer than"):
        read("module:hanging_helper")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import os\nos._exit(3)\n", "the import ended its process"),
        ("1 / 0\n", "fails at import: ZeroDivisionError"),
        ("import surely_not_there\n", "fails at import: ModuleNotFoundError"),
        ("x = 1\n", "documents nothing"),
    ],
)
def test_modules_that_break(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, said: str) -> None:
    name = f"broken_{abs(hash(body))}"
    (tmp_path / f"{name}.py").write_text(body, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(LibraryError, match=said):
        read(f"module:{name}")


# ---------------------------------------------------------------- bad input, by name


def _encrypted(path: Path) -> None:
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(io.BytesIO(pdf_bytes(["Secret."]))))
    writer.encrypt(user_password="owl", owner_password="bear", algorithm="RC4-128")
    with path.open("wb") as file:
        writer.write(file)


def _blank(path: Path) -> None:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(200, 200)
    with path.open("wb") as file:
        writer.write(file)


BAD = {
    "encrypted.pdf": (_encrypted, "encrypted", "qpdf --decrypt"),
    "scanned.pdf": (_blank, "no text", "ocrmypdf"),
    "empty.pdf": (lambda path: path.write_bytes(b""), "empty", "completely"),
    "truncated.pdf": (lambda path: path.write_bytes(pdf_bytes(["Text."] * 3)[:-300]), "truncated", "download it again"),
    "damaged.pdf": (lambda path: path.write_bytes(b"%PDF-1.4\nrubbish\n%%EOF\n"), "damaged", "download it again"),
    "login.pdf": (
        lambda path: path.write_bytes(b"<!DOCTYPE html><p>Sign in"),
        "no PDF but a web page",
        "the PDF itself",
    ),
    "empty.md": (lambda path: path.write_text(" \n"), "empty", "completely"),
    "binary.txt": (lambda path: path.write_bytes(bytes(range(256)) * 9), "binary", "add a file with text"),
    "paper.txt": (lambda path: path.write_bytes(pdf_bytes(["Text."]) + b"\0"), "a PDF", "pdf:"),
    "table.xlsx": (lambda path: path.write_bytes(b"PK"), "no reader for files such as table.xlsx", "text:"),
    "symbols.txt": (lambda path: os.symlink(path.parent / "gone.txt", path), "ordinary file", "name a file"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_its_cure(name: str, tmp_path: Path, library: LocalLibrary) -> None:
    make, what, cure = BAD[name]
    make(tmp_path / name)
    with pytest.raises(LibraryError) as caught:
        library.add([tmp_path / name])
    assert what in caught.value.what
    assert cure in caught.value.cure
    assert name in str(caught.value)
    assert library.papers() == []


@pytest.mark.parametrize(
    ("source", "what", "cure"),
    [
        ("missing.md", "does not exist", "check the folder"),
        ("nots.md", "does not exist", "did you mean"),
        ("none/*.md", "no file matches", "check the folder"),
        ("hollow", "no file that could be read", ".pdf"),
        ("modul:json", "no reader is called 'modul'", "module:json"),
        ("module:surely_not_there", "not installed", "pip install surely_not_there"),
        ("module:skleam.svm", "not installed", "did you mean module:sklearn"),
        ("module:sklearn.svn", "has no sklearn.svn", "help("),
        ("module:no such", "no module's name", "module:package.module"),
        ("/dev/null", "ordinary file", "name a file"),
    ],
)
def test_a_bad_source_is_refused_with_its_cure(
    source: str, what: str, cure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.md").write_text(NOTES, encoding="utf-8")
    (tmp_path / "hollow").mkdir()
    with pytest.raises(LibraryError) as caught:
        [read(name) if not name.startswith("/dev") else read(f"text:{name}") for name in expand(source)]
    assert what in caught.value.what
    assert cure in caught.value.cure


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "secret.md"
    path.write_text(NOTES, encoding="utf-8")
    path.chmod(0)
    with pytest.raises(LibraryError, match="cannot be read"):
        read(str(path))


def test_an_unreadable_file_says_so_whoever_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.md"
    path.write_text(NOTES, encoding="utf-8")

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(LibraryError, match=r"cannot be read: Permission denied.*chmod"):
        read(str(path))


# ---------------------------------------------------------------- patterns and folders


def test_patterns_and_folders(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name in ("b.md", "a.md", "deep/c.txt", "table.xlsx", ".hidden/d.md"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    assert [Path(name).name for name in expand(f"{tmp_path}/*.md")] == ["a.md", "b.md"]
    assert [Path(name).name for name in expand(str(tmp_path))] == ["a.md", "b.md", "c.txt"]


def test_a_file_whose_name_looks_like_a_pattern(tmp_path: Path) -> None:
    path = tmp_path / "notes[1].md"
    path.write_text("x", encoding="utf-8")
    assert expand(str(path)) == [str(path)]


def test_built_in_readers_enter_by_the_plug_in_door() -> None:
    assert {".md", ".pdf", ".txt"} <= set(known_suffixes())


def test_a_plug_in_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shouting.py").write_text(
        "from jupyter_swarm.library.readers import file_text, suffixes\n"
        "from jupyter_swarm.library.papers import Draft, join\n"
        "@suffixes('.loud')\n"
        "def read(source):\n"
        "    text, places = join([('all of it', file_text(source).upper())])\n"
        "    return Draft(title='Loud', form='paper', text=text, places=places)\n",
        encoding="utf-8",
    )
    info = tmp_path / "shouting-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shouting\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[jupyter_swarm.readers]\nloud = shouting:read\nbroken = nowhere_at_all:read\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    readers._points.cache_clear()
    try:
        (tmp_path / "a.loud").write_text("quiet", encoding="utf-8")
        assert read(str(tmp_path / "a.loud")).text == "QUIET"
        with pytest.raises(LibraryError, match="'broken' cannot be loaded"):
            read(f"broken:{tmp_path / 'a.loud'}")
    finally:
        readers._points.cache_clear()
