"""Modules of the person's own, beside the notebook: taken along by content, so that editing them corrupts nothing.

They go into one archive, from which Python imports. What a module needs of its kind is found in its source, also what
it would import later. A package with files that are no Python stays where it is, and so does one that is too large.
"""

from __future__ import annotations

import ast
import hashlib
import io
import os
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST_BYTES, MOST_FILES = 5_000_000, 500
MOST_READ = 5_000
"""Sources whose imports are remembered; then it begins anew."""
_READ: dict[bytes, tuple[str, ...]] = {}
"""What modules import, by the hash of their source."""
_OURS = frozenset({"jupyter_swarm"})
_AT = (1980, 1, 1, 0, 0, 0)
_UNSEEN = frozenset({"__pycache__", "node_modules"})


@dataclass
class Local:
    """Modules of the person's own.

    `files` maps a place in the archive to its content; `left` names those that stay where they are, with why.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """Of the modules and packages at the top, those that are left among them."""
        return frozenset({each.partition("/")[0].removesuffix(".py") for each in self.files} | self.left.keys())

    def archive(self) -> tuple[str, bytes]:
        """Name by content, and the archive; ("", b"") where there is nothing to take."""
        if not self.files:
            return "", b""
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as made:
            for place, content in sorted(self.files.items()):
                made.writestr(zipfile.ZipInfo(place, _AT), content)
        return hashlib.sha256(file.getvalue()).hexdigest(), file.getvalue()


def local(trees: Iterable[ast.AST], folder: Path, loaded: Mapping[str, Any] = sys.modules) -> Local:
    """The person's own modules that some code imports, and those that these import, and so on.

    Args:
        trees: of the cell, and of cells that are executed before it.
        folder: the notebook's.
        loaded: modules that the notebook has; those of them that lie beside it count as imported.
    """
    found, roots = Local(), _roots(folder)
    todo = [name for tree in trees for name in _imported(tree)] + list(_beside(roots, loaded))
    seen: set[str] = set()
    while todo:
        name = todo.pop().partition(".")[0]
        if name in seen or name in _OURS or name in sys.builtin_module_names:
            continue
        seen.add(name)
        place = next(filter(None, (_place(root, name) for root in roots)), None)
        if place is not None:
            for content in _taken(place, name, found):
                todo += _imported_by(content)
    return found


def _roots(folder: Path) -> list[Path]:
    """Folders of the search path that lie in the notebook's, or beside it, and are no place of installed packages."""
    near, home = folder.resolve(), Path.home()
    around = near.parent if near.parent not in (home, Path("/")) else near
    found = [near]
    for each in sys.path:
        path = Path(each or os.getcwd()).resolve()
        installed = any(part in ("site-packages", "dist-packages") for part in path.parts)
        if path.is_dir() and path.is_relative_to(around) and not installed and path not in found:
            found.append(path)
    return found


def _beside(roots: Sequence[Path], loaded: Mapping[str, Any]) -> Iterator[str]:
    """Modules and packages that are loaded from there."""
    for name, module in list(loaded.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and name != "__main__" and "." not in name:
            place = Path(file).parent
            if place in roots or (Path(file).name == "__init__.py" and place.parent in roots):
                yield name


def _place(root: Path, name: str) -> Path | None:
    """The file or folder of a module in a folder."""
    module, package = root / f"{name}.py", root / name
    if package.is_dir() and any(package.glob("*.py")):
        return package
    return module if module.is_file() else None


def _taken(place: Path, name: str, found: Local) -> Iterator[bytes]:
    """The sources of a module or package, which are put into the archive where it can be taken along."""
    files = [place] if place.is_file() else list(_below(place))
    others = [each for each in files if each.suffix != ".py"]
    try:
        contents = {str(each.relative_to(place.parent)): each.read_bytes() for each in files if each.suffix == ".py"}
    except OSError as error:
        found.left[name] = f"it cannot be read ({error.strerror})"
        return
    if others:
        found.left[name] = f"it needs {others[0].name}, which is no Python"
    elif len(files) > MOST_FILES or sum(map(len, contents.values())) > MOST_BYTES:
        found.left[name] = "it is large"
    else:
        found.files |= contents
    yield from contents.values()


def _below(folder: Path) -> Iterator[Path]:
    for path, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if each not in _UNSEEN and not each.startswith(".")]
        yield from (Path(path, each) for each in names if not each.startswith(".") and not each.endswith(".pyc"))


def _imported_by(source: bytes) -> tuple[str, ...]:
    """What a module imports; a cell is read again and again, while most of a person's modules stay as they are."""
    key = hashlib.sha256(source).digest()
    if key not in _READ:
        if len(_READ) >= MOST_READ:
            _READ.clear()
        try:
            _READ[key] = tuple(set(_imported(ast.parse(source))))
        except (SyntaxError, ValueError):  # it is told where it is imported
            _READ[key] = ()
    return _READ[key]


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
