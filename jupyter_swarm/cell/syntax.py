"""What people write in IPython besides Python (`!ls`, `%magic`, `name?`), as Python, and back.

A cell is read, varied and compared as Python with the same lines. Each such line stands there as the call that IPython
makes of it; a magic that only times or captures what is measured stands as a comment beside it:

    files = !ls data         files = get_ipython().getoutput('ls data')
    %matplotlib inline       get_ipython().run_line_magic('matplotlib', 'inline')
    %time fit(model)         fit(model)  # %time
    %%time                   # %%time
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from jupyter_swarm.cell.text import Text, text_of
from jupyter_swarm.errors import CellError

_CANDIDATE = re.compile(r"^\s*[%!?]|=\s*[%!]|\?\s*$", re.MULTILINE)
_CELL_MAGIC = re.compile(r"\s*%%(\w+)([^\n]*)(?:\n|$)")
_AROUND = frozenset({"time", "capture", "prun"})
"""Cell magics that execute the cell once, as Python, and leave its variables."""
_TIMED = re.compile(r"^(\s*)get_ipython\(\)\.run_line_magic\('time', (['\"].*['\"])\)$")
_TIME = "# %time"
_CALLS = {"system": 1, "getoutput": 1, "run_line_magic": 2}
_HELP = {"pinfo": "?", "pinfo2": "??"}
_FILLED = re.compile(r"\{([^{}]+)\}|\$(\w+)")


def python(code: str) -> str:
    """A cell as Python, line for line; Python stays as it is.

    Raises:
        CellError: the cell is given to a magic that does not execute it as Python, or does so many times.

    >>> python("n = !wc -l data.csv\\n%time fit(n)")
    "n = get_ipython().getoutput('wc -l data.csv')\\nfit(n)  # %time"
    """
    if not _CANDIDATE.search(code):
        return code
    if (magic := _CELL_MAGIC.match(code)) is not None:
        return _around(code, magic)
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        lines = TransformerManager().do_token_transforms(code.splitlines(keepends=True))
    except SyntaxError:  # it is explained where the cell is parsed
        return code
    made = "".join(map(_timed, lines))
    return made if code.endswith("\n") else made.removesuffix("\n")


def _around(code: str, magic: re.Match[str]) -> str:
    if magic[1] not in _AROUND:
        raise CellError(
            f"the cell is for %%{magic[1]}, which does not execute it once as Python",
            where="line 1",
            cure="give the swarm a cell of Python" + (", without that line" if magic[1] == "timeit" else ""),
        )
    start = magic.start(1) - 2
    return f"{code[:start]}# {code[start : magic.end()]}{python(code[magic.end() :])}"


def _timed(line: str) -> str:
    body = line.rstrip("\n")
    found = _TIMED.match(body)
    return f"{found[1]}{ast.literal_eval(found[2])}  {_TIME}{line[len(body) :]}" if found else line


def typed(code: str, *, timing: bool = True) -> str:
    """Python as it would be typed in IPython: the inverse of `python`.

    Args:
        code: Python that parses.
        timing: whether magics that time or capture are put back, too.

    >>> typed("n = get_ipython().getoutput('wc -l data.csv')\\nfit(n)  # %time")
    'n = !wc -l data.csv\\n%time fit(n)'
    """
    if "get_ipython()" in code:
        text = text_of(code)
        changes = [
            (*text.span(statement), line)
            for statement, line in _typed(text)
            if python(line) == text.source(statement) and _alone(text, statement)
        ]
        code = text.replaced(changes)
    return _with_timing(code) if timing and "# %" in code else code


def _typed(text: Text) -> Iterator[tuple[ast.stmt, str]]:
    """Statements that IPython makes of what it understands, and how they are typed."""
    for node in ast.walk(text.tree):
        match node:
            case ast.Expr(value=ast.Call() as call):
                before = ""
            case ast.Assign(value=ast.Call() as call):
                before = text.code[text.span(node)[0] : text.span(call)[0]]
            case _:
                continue
        if (said := _said(call)) is None:
            continue
        method, *words = said
        if method == "run_line_magic" and words[0] in _HELP and not before:
            yield node, f"{words[1]}{_HELP[words[0]]}"
        elif method == "run_line_magic":
            yield node, f"{before}%{' '.join(words).strip()}"
        else:
            yield node, f"{before}!{words[0]}"


def _said(call: ast.Call) -> tuple[str, ...] | None:
    """Which of IPython's calls it is, and its words."""
    match call:
        case ast.Call(
            func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython"), args=[]), attr=method),
            args=arguments,
            keywords=[],
        ) if _CALLS.get(method) == len(arguments):
            words = [each.value for each in arguments if isinstance(each, ast.Constant)]
            if len(words) == len(arguments) and all(isinstance(word, str) for word in words):
                return (method, *map(str, words))
    return None


def _alone(text: Text, statement: ast.stmt) -> bool:
    """Whether nothing else stands on its line."""
    start, end = text.span(statement)
    before = text.code[:start].rpartition("\n")[2]
    after = text.code[end:].partition("\n")[0]
    return not before.strip() and not after.strip() and "\n" not in text.code[start:end]


def _with_timing(code: str) -> str:
    lines = code.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if (magic := re.match(r"# (%%(\w+).*)$", lines[first])) is not None and magic[2] in _AROUND:
        lines[first] = magic[1]
    for number, line in enumerate(lines):
        body = line.removesuffix(f"  {_TIME}")
        if body != line:
            lines[number] = re.sub(r"^(\s*)", r"\1%time ", body)
    return "\n".join(lines)


def runs_files(tree: ast.Module) -> bool:
    """Whether a code executes a file here (`%run`), which may make any name."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any((_said(call) or ())[:2] == ("run_line_magic", "run") for call in calls)


def mentioned(tree: ast.Module) -> set[str]:
    """Names in the text of IPython's lines: `!head {path}`, `!echo $n`, `%timeit fit(model)`.

    >>> import ast
    >>> sorted(mentioned(ast.parse(python("!head -n $n {folder / name}\\n%timeit -n 3 fit(model)"))))
    ['fit', 'folder', 'model', 'n', 'name']
    """
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (said := _said(node)) is not None:
            *_, line = said
            codes = [inside or name for inside, name in _FILLED.findall(line)]
            if said[0] == "run_line_magic":
                codes.append(re.sub(r"^(\s*-\w+(\s+\d+)?)+\s+", "", line))
            found |= {name for each in codes for name in _names(each)}
    return found


def _names(code: str) -> set[str]:
    try:
        tree = ast.parse(code.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
