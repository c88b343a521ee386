"""A cell from a file, and its context: the cells before it, run in a throw-away interpreter in this process.

with opened(Path("study.ipynb"), "wine") as source:
    source.code, source.namespace          # the cell, and the variables that it finds
"""

from __future__ import annotations

import atexit
import json
import linecache
import os
import re
import sys
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_swarm.errors import CellError, UsageError

_MARK = re.compile(r"^#[ \t]*%%(?![\w%]).*$", re.MULTILINE)
_OTHER_KINDS = re.compile(r"\[(markdown|md|raw)\]")
_MAGIC = re.compile(r"\s*%%swarm(?:[ \t]+([^\n]*))?(?:\n|$)")


@dataclass(frozen=True)
class Opened:
    """A cell and what stands before it."""

    path: Path
    code: str
    namespace: dict[str, Any]
    earlier: dict[int, str]
    """Number → source of the code cells before it, from the top."""
    line: str | None = None
    """What follows `%%swarm` in a notebook; None for a Python file."""


def existing(name: str) -> Path:
    """The path of a file that may hold a cell.

    Raises:
        UsageError: it does not exist, or is of another kind.
    """
    path = Path(name).expanduser().absolute()
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise UsageError(f"the file {name} {what}", cure="a Python file or a notebook")
    if path.suffix not in (".py", ".ipynb"):
        raise UsageError(f"{name} is neither a Python file nor a notebook", cure="a file that ends in .py or .ipynb")
    return path


def name_of(path: Path) -> str:
    """A swarm's name made of a file's.

    >>> name_of(Path("my study (2).py")), name_of(Path("3.py"))
    ('my-study-2', 'swarm')
    """
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-")[:64]
    return name if name[:1].isalpha() else "swarm"


@contextmanager
def opened(path: Path, name: str = "") -> Iterator[Opened]:
    """Read a file, run the context of its cell, and lend both until the block ends.

    What the context prints goes to stderr. While the block runs, the file's folder is the current one and its variables
    are those of `__main__`, as they are where it runs by itself.

    Args:
        path: of a Python file or a notebook.
        name: which swarm's cell is meant, where a notebook has several.

    Raises:
        UsageError: the file cannot be read, or has no cell for a swarm.
        CellError: a cell of the context fails.
    """
    if path.suffix == ".ipynb":
        context, line, code = _of_notebook(path, name)
    else:
        *context, code = percent_cells(_text(path))
        line = None
    with _interpreter(path, notebook=line is not None) as run:
        for number, cell in enumerate(context, 1):
            if cell.strip():
                run.cell(cell, f"{path.name}, cell {number}")
        yield Opened(path, code, run.namespace, dict(enumerate(context, 1)), line)


def percent_cells(text: str) -> list[str]:
    r"""The code cells of a Python file in percent format; the whole file where it has no marks.

    >>> percent_cells("# %%\na = 1\n# %% [markdown]\n# words\n# %%\nb = a\n")
    ['a = 1\n', 'b = a\n']
    """
    marks = list(_MARK.finditer(text))
    if not marks:
        return [text]
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    cells = [text[: marks[0].start()]] if text[: marks[0].start()].strip() else []
    for mark, end in zip(marks, ends, strict=True):
        body = text[mark.end() : end].removeprefix("\n")
        if body.strip() and not _OTHER_KINDS.search(mark[0]):
            cells.append(body)
    return cells or [""]


def _of_notebook(path: Path, name: str) -> tuple[list[str], str, str]:
    """Cells before, the magic's line, the cell."""
    cells = _code_cells(path)
    found = [(place, match) for place, cell in enumerate(cells) if (match := _MAGIC.match(cell))]
    if not found:
        raise UsageError(
            f"{path.name} has no cell for a swarm", cure="%%swarm NAME --maximize METRIC as the first line of one"
        )
    named = [(place, match) for place, match in found if name and (match[1] or "").split()[:1] == [name]]
    if len(found) > 1 and len(named) != 1:
        lines = "; ".join(match[0].strip() for _, match in found)
        raise UsageError(f"{path.name} has {len(found)} cells for swarms", where=lines, cure="--name NAME says which")
    place, match = (named or found)[0]
    before = [cell for cell in cells[:place] if not _MAGIC.match(cell)]
    return before, match[1] or "", cells[place][match.end() :]


def _code_cells(path: Path) -> list[str]:
    try:
        cells = json.loads(_text(path))["cells"]
        codes = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{path.name} is no notebook that can be read", cure="save it again in JupyterLab") from None
    return [code if isinstance(code, str) else "".join(code) for code in codes]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path.name} is no text in UTF-8", cure="save it as UTF-8") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", cure="make it readable") from None


# ---------------------------------------------------------------- the interpreter


class _Interpreter:
    """Runs Python cells as the module `__main__`."""

    def __init__(self, module: types.ModuleType) -> None:
        self.module = module

    @property
    def namespace(self) -> dict[str, Any]:
        """The variables."""
        return vars(self.module)

    def cell(self, code: str, where: str) -> None:
        """Run one cell.

        Raises:
            CellError: it fails.
        """
        try:
            linecache.cache[where] = (len(code), None, code.splitlines(keepends=True), where)  # for inspect.getsource
            exec(compile(code, where, "exec", dont_inherit=True), self.namespace)
        except (Exception, SystemExit) as error:
            raise _failed(error, where) from None


class _Shell(_Interpreter):
    """Runs a notebook's cells, with their magics."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell.user_module)
        self.shell = shell

    def cell(self, code: str, where: str) -> None:
        """Run one cell.

        Raises:
            CellError: it fails.
        """
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "To exit: use")
            result = self.shell.run_cell(code, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        if isinstance(error, KeyboardInterrupt):
            raise error
        if error is not None:
            raise _failed(error, where) from None


def _failed(error: BaseException, where: str) -> CellError:
    """The person's own error, with the line of the cell that it came from."""
    line, trace = getattr(error, "lineno", None), error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file == where or "ipykernel" in file or file.startswith("<ipython-input"):
            line = trace.tb_lineno
        trace = trace.tb_next
    said = str(error).strip().partition("\n")[0]
    what = f"the cells before the swarm's fail: {type(error).__name__}" + (f": {said}" if said else "")
    place = f"{where}, line {line}" if line else where
    return CellError(what, where=place, cure="make the file run from its beginning")


@contextmanager
def _interpreter(path: Path, notebook: bool) -> Iterator[_Interpreter]:
    before, main, paths, arguments = Path.cwd(), sys.modules["__main__"], list(sys.path), sys.argv
    os.chdir(path.parent)
    sys.path.insert(0, str(path.parent))
    sys.argv = [str(path)]
    try:
        with printing_to_stderr():
            if notebook:
                with _shell() as shell:
                    yield _Shell(shell)
            else:
                module = types.ModuleType("__main__")
                module.__file__ = str(path)
                sys.modules["__main__"] = module
                yield _Interpreter(module)
    finally:
        sys.modules["__main__"], sys.path[:], sys.argv = main, paths, arguments
        os.chdir(before)


@contextmanager
def _shell() -> Iterator[Any]:
    """An IPython of our own that keeps no history and prints no traceback: errors are ours to say."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class Quiet(InteractiveShell):  # type: ignore[misc]
        def showtraceback(self, *arguments: Any, **more: Any) -> None:
            pass

        showsyntaxerror = showtraceback

    config = Config()
    config.HistoryManager.enabled = False
    shell = Quiet.instance(config=config)
    try:
        yield shell
    finally:
        atexit.unregister(shell.atexit_operations)
        shell.atexit_operations()
        Quiet.clear_instance()


@contextmanager
def printing_to_stderr() -> Iterator[None]:
    """Whatever is printed, by other programs too, goes to stderr: stdout is for the answer."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
