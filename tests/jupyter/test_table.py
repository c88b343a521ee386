"""The table of verbs, the arguments, the public door."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from faces import HEAVY

import jupyter_swarm
from jupyter_swarm.errors import SwarmError, UsageError
from jupyter_swarm.jupyter import help, options, verbs
from jupyter_swarm.jupyter.options import Argument, parse, split

KNOWN = [
    "run", "this", "status", "findings", "best", "open", "export", "report", "watch", "pause", "resume", "stop",
    "steer", "plan", "list", "papers", "ask", "clean", "doctor", "runner", "models", "diagnose", "spend", "help",
]  # fmt: skip


def test_the_public_door_is_locked() -> None:
    assert jupyter_swarm.__all__ == ["Swarm", "Workspace", "__version__", "checkpoints", "log"]
    assert dir(jupyter_swarm) == jupyter_swarm.__all__
    assert jupyter_swarm.log.__module__ == jupyter_swarm.checkpoints.__module__ == "jupyter_swarm.within"
    assert jupyter_swarm.Swarm.__name__ == "Swarm"
    assert jupyter_swarm.Workspace.__name__ == "Workspace"
    with pytest.raises(AttributeError, match="nothing_of_ours"):
        _ = jupyter_swarm.nothing_of_ours


def test_the_verbs_are_these_and_each_is_carried_out_by_a_function_that_exists() -> None:
    assert list(verbs.VERBS) == KNOWN
    for verb in (*verbs.VERBS.values(), verbs.CELL):
        module, _, function = verb.action.partition(":")
        found = getattr(importlib.import_module(f"jupyter_swarm.jupyter.{module}"), function)
        assert callable(found)
        assert found.__doc__


def test_every_verb_and_argument_is_explained_and_every_example_parses() -> None:
    for verb in (*verbs.VERBS.values(), verbs.CELL):
        assert verb.help.endswith(".")
        for argument in verb.arguments:
            assert argument.help, (verb.name, argument.name)
        for face in ("notebook", "terminal"):
            if verb.face in (None, face):
                assert argument_names(verb) <= set(repr(help.of(verb, face)).replace("[", " ").split())
        for example in verb.examples:
            words = split(example.replace("*", "x"), {})
            skip = 1 if verb is verbs.CELL else 3 if verb.face == "terminal" else 2
            verbs.read(verb, words[skip:], verb.face or "notebook")


def argument_names(verb: verbs.Verb) -> set[str]:
    return {each.name for each in verb.arguments if each.option}


def test_the_swarm_and_the_run_take_the_same_options() -> None:
    there = {each.name for each in verbs.VERBS["run"].arguments if each.option}
    here = {each.name for each in verbs.CELL.arguments if each.option}
    assert here - there == {"--here"}
    assert there - here == {"--name"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["wine", "--maximise", "a"], "--maximize"),
        (["wine", "extra"], "'extra'"),
        (["--agents", "0"], "at least 1"),
        (["--agents", "many"], "at least 1"),
        (["--agents"], "needs a value"),
        (["--plan=1"], "takes no value"),
        (["--seed", "1", "--seed", "2"], "twice"),
        (["--budget", "0s"], "buys nothing"),
        (["--budget", "soon"], "no budget"),
        (["--budget", "2m,2m,"], "no budget"),
        (["--timeout", "5x"], "no length of time"),
        (["--confirmation", "110%"], "between 0 and 1"),
        (["--seed", "x"], "has to be a number"),
    ],
)
def test_a_mistaken_option_says_what_and_the_cure(words: list[str], said: str) -> None:
    with pytest.raises(UsageError) as error:
        verbs.read(verbs.CELL, words, "notebook")
    assert said in str(error.value)
    assert error.value.where or error.value.cure


def test_a_verb_that_nobody_knows_says_which_are_near() -> None:
    for word, near in (("stauts", "status"), ("finding", "findings"), ("paper", "papers")):
        with pytest.raises(UsageError, match=f"no verb '{word}'.*{near}"):
            verbs.find(word, "terminal")
    with pytest.raises(UsageError, match="for a terminal"):
        verbs.find("run", "notebook")


def test_repeated_options_gather_and_dashes_end_options() -> None:
    read = verbs.read(verbs.CELL, ["--vary", "a", "--vary=b=1..2", "--fix", "c"], "notebook")
    assert (read.vary, read.fix) == (["a", "b=1..2"], ["c"])
    spec = [Argument("words", "", many=True)]
    assert parse("x", spec, ["--", "--strange"]).words == ["--strange"]


def test_a_variable_of_the_notebook_stands_in_double_braces_alone() -> None:
    assert split("wine --budget {{spend}} --fix {a} $b", {"spend": "3x", "a": 1, "b": 2}) == [
        "wine", "--budget", "3x", "--fix", "{a}", "$b",
    ]  # fmt: skip
    assert split("{{ name }} '{{name}} two'", {"name": "a b"}) == ["a b", "a b two"]
    with pytest.raises(UsageError, match=r"no variable 'spnd'.*spend"):
        split("--budget {{spnd}}", {"spend": 1})
    with pytest.raises(UsageError, match="quotation"):
        split('steer wine "scaling', {})


def test_loading_the_extension_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "before = set(sys.modules)\n"
        "shell.run_line_magic('load_ext', 'jupyter_swarm')\n"
        f"names = {HEAVY!r} + ('sqlalchemy', 'msgspec', 'ipywidgets', 'numpy')\n"
        "print([name for name in names if name in sys.modules and name not in before])\n"
        "print(shell.find_line_magic('swarm') is not None, shell.find_cell_magic('swarm') is not None)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.splitlines()[-2:] == ["[]", "True True"], ran.stdout


def test_every_error_of_a_person_is_a_swarm_error() -> None:
    assert issubclass(UsageError, SwarmError)
    with pytest.raises(UsageError, match="'x' is no what"):
        parse("papers", verbs.VERBS["papers"].arguments, ["x"])
    assert options.nearest("nothing like it", [f"name{n}" for n in range(40)]) == ""


def test_the_panels_form_has_every_option_of_the_magic() -> None:
    """What it does not know it would leave in the line, where nobody who uses the form sees it."""
    source = Path(__file__).resolve().parents[2] / "labextension" / "src" / "start" / "magic.ts"
    form = re.findall(r"\{ name: '(--[a-z-]+)', kind: '(\w+)'", source.read_text(encoding="utf-8"))
    magic = {each.name: each.flag for each in verbs.CELL.arguments if each.name.startswith("--")}
    assert {name: kind == "flag" for name, kind in form} == {
        name: flag for name, flag in magic.items() if name != "--plan"
    }
