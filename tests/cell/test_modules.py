"""The person's own modules are taken along by content."""

from __future__ import annotations

import ast
import io
import sys
import time
import zipfile
from pathlib import Path

import pytest

from jupyter_swarm import cell
from jupyter_swarm.cell.modules import local


def found(folder: Path, code: str) -> dict[str, bytes]:
    return local([ast.parse(code)], folder, {}).files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "study"
    (made / "pack" / "deep").mkdir(parents=True)
    (made / "mine.py").write_text("import other\nfrom pack.deep import thing\nRATE = 0.1\n")
    (made / "other.py").write_text("def late():\n    import latest\n")
    (made / "latest.py").write_text("")
    (made / "unused.py").write_text("")
    (made / "pack" / "__init__.py").write_text("")
    (made / "pack" / "deep" / "__init__.py").write_text("thing = 1\n")
    (made / "pack" / "__pycache__").mkdir()
    (made / "pack" / "__pycache__" / "x.pyc").write_bytes(b"x")
    return made


def test_what_is_imported_and_what_that_imports(folder: Path) -> None:
    files = found(folder, "import mine, json, numpy as np")
    assert set(files) == {"mine.py", "other.py", "latest.py", "pack/__init__.py", "pack/deep/__init__.py"}
    assert found(folder, "import json") == {}


def test_what_is_imported_since_a_module_was_edited(folder: Path) -> None:
    (folder / "mine.py").write_text("import other\n")
    assert set(found(folder, "import mine")) == {"mine.py", "other.py", "latest.py"}
    (folder / "mine.py").write_text("import unused\n")
    assert set(found(folder, "import mine")) == {"mine.py", "unused.py"}
    (folder / "mine.py").write_text("import (\n")
    assert set(found(folder, "import mine")) == {"mine.py"}, "what is wrong in it is told where it is imported"


def test_many_modules_are_read_once(folder: Path) -> None:
    """A project of 300 modules: the cell is read again for each preview, and must not wait for all of them."""
    body = "def f(x):\n    return [x + 1 for _ in range(3)]\n" * 150
    for number in range(300):
        (folder / f"m{number}.py").write_text(f"import m{number + 1}\n{number}\n{body}")
    times = []
    for _ in range(3):
        began = time.process_time()
        assert len(found(folder, "import m0")) == 300
        times.append(time.process_time() - began)
    assert min(times[1:]) < times[0] / 4


def test_what_the_search_path_adds_beside_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = folder.parent / "src"
    beside.mkdir()
    (beside / "helper.py").write_text("")
    assert found(folder, "import helper") == {}
    monkeypatch.syspath_prepend(str(beside))
    assert set(found(folder, "import helper")) == {"helper.py"}


def test_the_archive_is_named_by_its_content_and_importable(folder: Path, tmp_path: Path) -> None:
    mine = local([ast.parse("import mine")], folder, {})
    name, content = mine.archive()
    assert (name, content) == local([ast.parse("import mine")], folder, {}).archive()
    assert zipfile.ZipFile(io.BytesIO(content)).read("pack/deep/__init__.py") == b"thing = 1\n"
    (folder / "mine.py").write_text("import other\nRATE = 0.2\n")
    assert local([ast.parse("import mine")], folder, {}).archive()[0] != name
    assert mine.names == {"mine", "other", "latest", "pack"}


def test_a_package_with_data_stays_and_that_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "pack" / "words.txt").write_text("a")
    monkeypatch.syspath_prepend(str(folder))
    try:
        analysis = cell.read("import mine\nscore = float(mine.RATE)", metric="score", namespace={}, folder=folder)
    finally:
        for name in ("mine", "other", "pack", "pack.deep"):
            sys.modules.pop(name, None)
    assert analysis.own == ("latest", "mine", "other", "pack")
    (said,) = [each for each in analysis.warnings if "stays where it is" in each]
    assert said.startswith("pack stays where it is, since it needs words.txt")


def test_a_function_of_ones_own_module_is_ones_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "training.py").write_text("def train(X, lr=0.1, layers=3, test_size=0.2):\n    return lr\n")
    monkeypatch.syspath_prepend(str(folder))
    code = "from training import train\nscore = train(X, lr=0.1, layers=3, test_size=0.2)"
    try:
        analysis = cell.read(code, metric="score", namespace={"X": [1]}, folder=folder)
    finally:
        sys.modules.pop("training", None)
    assert {knob.name for knob in analysis.knobs} == {"train.lr", "train.layers"}
