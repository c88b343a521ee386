"""What people write in IPython besides Python is read as Python, and put back as it was typed."""

from __future__ import annotations

import ast

import pytest

from jupyter_swarm import cell
from jupyter_swarm.errors import CellError
from jupyter_swarm.words import Edit

NOTEBOOK = '''%matplotlib inline
import os
files = !ls {folder} $n
%time score = len(files) + 1.0
for step in range(3):
    !echo {step}
    %time score += step
os.path?
os??
timing = %timeit -o measure(n)
text = """
!not a command
%nor a magic
what?
"""
print("really?")  # %time
100 % 7
await other(score)'''


def test_line_for_line_and_back() -> None:
    python = cell.python(NOTEBOOK)
    ast.parse(python)
    assert len(python.split("\n")) == len(NOTEBOOK.split("\n"))
    back = cell.typed(python)
    assert back.replace("%time print", "print").replace('("really?")', '("really?")  # %time') == NOTEBOOK
    assert cell.python(back) == python


@pytest.mark.parametrize("magic", ["%%time", "%%capture out", "\n%%time", "%%capture --no-stderr\n%%time"])
def test_a_magic_around_the_cell(magic: str) -> None:
    code = f"{magic}\nscore = 1.0"
    analysis = cell.read(code, metric="score", namespace={})
    assert cell.typed(analysis.code).lstrip("\n").startswith("%%")
    assert "%%" in cell.typed(analysis.code, timing=False), "as a comment: it changes no result"
    assert not cell.typed(analysis.code, timing=False).lstrip("\n").startswith("%%")


def test_plain_python_stays_as_it_is() -> None:
    code = "x = 5 % 3\nwhat = '?'\nscore = f'{x!r}'\nmask = ~x if x != 2 else x\n"
    assert cell.python(code) is code
    assert cell.typed(code) is code


def test_what_is_timed_is_seen() -> None:
    analysis = cell.read("%time score = measure(rate=0.5)", metric="score", namespace={"measure": lambda rate: rate})
    assert [knob.name for knob in analysis.knobs] == ["measure.rate"]


def test_names_in_commands_are_taken_along() -> None:
    code = "out = !head -n $rows {folder}/data.csv\n%timeit measure(data)\n!echo {unknown}\nscore = 1.0"
    namespace = {"rows": 3, "folder": "x", "measure": len, "data": [1], "other": 2}
    assert cell.read(code, metric="score", namespace=namespace).names == ("data", "folder", "measure", "rows")


def test_a_variation_is_typed_like_the_cell() -> None:
    code = "!ls\n%time score = measure(rate=0.1)"
    analysis = cell.read(code, metric="score", namespace={"measure": lambda rate: rate})
    made = cell.apply(analysis, [Edit(kind="set", target="measure.rate", value=0.3)]).code
    cell.check_lock(made, analysis)
    assert cell.typed(made) == code.replace("0.1", "0.3")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("%%bash\nls", "does not execute it once as Python"),
        ("%%timeit\nscore = 1", "without that line"),
        ("%%writefile a.py\nscore = 1", "%%writefile"),
        ("!ls\nscore = (1", "does not parse"),
    ],
)
def test_what_cannot_be_used_is_said(code: str, said: str) -> None:
    with pytest.raises(CellError, match=said):
        cell.read(code, metric="score", namespace={})
