"""What language models write is merged into the cell exactly, or refused: never anything else, and never a cheat."""

from __future__ import annotations

import ast
import contextlib
import difflib
import random
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from cells import EXAMPLES, WINE
from hypothesis import assume, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cells"))
from cheats import CHEATS, INSIDE, Cheat
from ordinary import CELLS

from jupyter_swarm import cell
from jupyter_swarm.cell.merging import rewritten
from jupyter_swarm.errors import CellError, LockError, MergeError
from jupyter_swarm.words import Analysis, Edit, Variation

FOREST = '''%matplotlib inline
"""Which settings of the forest help?"""
import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import KFold

X, y = make_friedman1(80, random_state=0)
trees = 10  #: 5..50

# how rows are weighted
def weighted(y, power=2):
    """More for the far."""
    # powers come later
    parts = [abs(y - y.mean())]
    for k in range(2, power + 1):
        parts.append(parts[0] ** k)  # of each row
    return np.sum(parts, axis=0)


def fitted(X, y):
    model = RandomForestRegressor(
        n_estimators=trees,
        max_depth=4,
        random_state=seed,
    )
    %time model.fit(X, y, sample_weight=weighted(y))
    return model

errors = []
for train, test in KFold(3, shuffle=True, random_state=seed).split(X):
    model = fitted(X[train], y[train])
    errors.append(np.mean((model.predict(X[test]) - y[test]) ** 2))
loss = np.mean(errors)
'''


@pytest.fixture(scope="module")
def wine() -> Analysis:
    return EXAMPLES["wine"]().read()


@pytest.fixture(scope="module")
def forest() -> Analysis:
    return cell.read(FOREST, metric="loss", namespace={"seed": 0})


def changed(code: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert code.count(old) == 1, old
        code = code.replace(old, new)
    return code


# ---------------------------------------------------------------- answers as models write them

DEPTH = ("max_depth=4", "max_depth=6")
TREES = ("trees = 10  #: 5..50", "trees = 20  #: 5..50")
POWER = ("power=2):", "power=3):")
SCALED = (
    "    return np.sum(parts, axis=0)",
    "    parts = [p / (1 + p) for p in parts]\n    return np.sum(parts, axis=0)",
)


class Written(NamedTuple):
    """An answer, and the text that has to come of it: replacements in the cell."""

    answer: str
    pairs: tuple[tuple[str, str], ...]


WRITTEN = {
    "as git writes it": Written(
        "diff --git a/cell.py b/cell.py\nindex 3b18e51..a04c2f1 100644\n--- a/cell.py\n+++ "
        "b/cell.py\n@@ -23,7 +23,7 @@ def fitted\n"
        " def fitted(X, y):\n     model = RandomForestRegressor(\n         n_estimators=trees,\n-        max_depth=4,\n"
        "+        max_depth=6,\n         random_state=seed,\n     )\n",
        (DEPTH,),
    ),
    "in a fence, with prose": Written(
        "A deeper forest may fit better.\n\n```diff\n--- cell\n+++ cell\n@@ -26,3 +26,3 @@\n         "
        "n_estimators=trees,\n"
        "-        max_depth=4,\n+        max_depth=6,\n         random_state=seed,\n```\n\nThis "
        "keeps the metric.\n- It is cheap.\n",
        (DEPTH,),
    ),
    "wrong numbers": Written(
        "@@ -110,3 +98,3 @@\n         n_estimators=trees,\n-        max_depth=4,\n+        max_depth=6,\n", (DEPTH,)
    ),
    "wrong counts": Written(
        "@@ -26,30 +26,1 @@\n         n_estimators=trees,\n-        max_depth=4,\n+        max_depth=6,\n", (DEPTH,)
    ),
    "no numbers": Written("@@ ... @@\n-        max_depth=4,\n+        max_depth=6,\n", (DEPTH,)),
    "a bare header": Written("@@\n-        max_depth=4,\n+        max_depth=6,\n", (DEPTH,)),
    "a function in the header": Written(
        "@@ def fitted(X, y):\n-        max_depth=4,\n+        max_depth=6,\n", (DEPTH,)
    ),
    "no header": Written("```diff\n-        max_depth=4,\n+        max_depth=6,\n```", (DEPTH,)),
    "names of files alone": Written("--- a/cell\n+++ b/cell\n-        max_depth=4,\n+        max_depth=6,\n", (DEPTH,)),
    "no fence, no header": Written("-        max_depth=4,\n+        max_depth=6,", (DEPTH,)),
    "labelled as Python": Written("```python\n-        max_depth=4,\n+        max_depth=6,\n```", (DEPTH,)),
    "a fence that stays open": Written(
        "```diff\n@@ -26 +26 @@\n-        max_depth=4,\n+        max_depth=6,", (DEPTH,)
    ),
    "a fence of tildes": Written("~~~diff\n@@ -26 +26 @@\n-        max_depth=4,\n+        max_depth=6,\n~~~", (DEPTH,)),
    "a fence in a list": Written(
        "1. Deeper:\n   ```diff\n   @@ -26 +26 @@\n   -        max_depth=4,\n   +        max_depth=6,\n   ```\n",
        (DEPTH,),
    ),
    "prose around a diff without a fence": Written(
        "Here is the change:\n\n@@ -26 +26 @@\n-        max_depth=4,\n+        max_depth=6,\n\nIt is "
        "deeper.\nNothing else.",
        (DEPTH,),
    ),
    "as a patch for a tool": Written(
        "*** Begin Patch\n*** Update File: cell.py\n@@ def fitted(X, y):\n         "
        "n_estimators=trees,\n-        max_depth=4,\n"
        "+        max_depth=6,\n*** End Patch",
        (DEPTH,),
    ),
    "CRLF": Written(
        "@@ -26,2 +26,2 @@\r\n         n_estimators=trees,\r\n-        max_depth=4,\r\n+        max_depth=6,\r\n",
        (DEPTH,),
    ),
    "no newline at the end": Written(
        "@@ -26 +26 @@\n-        max_depth=4,\n\\ No newline at end of file\n+        max_depth=6,\n"
        "\\ No newline at end of file",
        (DEPTH,),
    ),
    "context without its space": Written(
        "@@ -25,3 +25,3 @@\nmodel = RandomForestRegressor(\n        n_estimators=trees,\n-        "
        "max_depth=4,\n+        max_depth=6,\n",
        (DEPTH,),
    ),
    "a space behind the signs": Written(
        "@@ -24,4 +24,4 @@\n     model = RandomForestRegressor(\n         n_estimators=trees,\n-         max_depth=4,\n"
        "+         max_depth=6,\n",
        (DEPTH,),
    ),
    "tabs": Written("@@ -25,2 +25,2 @@\n \t\tn_estimators=trees,\n-\t\tmax_depth=4,\n+\t\tmax_depth=6,\n", (DEPTH,)),
    "trailing blanks": Written(
        "@@ -25,2 +25,2 @@\n         n_estimators=trees,  \n-        max_depth=4, \n+        max_depth=6,\n", (DEPTH,)
    ),
    "other spaces and quotes": Written("@@ -4,1 +4,2 @@\n-trees=10 #: 5..50\n+trees = 20  #: 5..50\n", (TREES,)),
    "a directive that was forgotten": Written("@@ -9 +9 @@\n-trees = 10\n+trees = 20\n", (TREES,)),
    "comments that were forgotten": Written(
        "@@ -11,7 +11,8 @@\n     parts = [abs(y - y.mean())]\n     for k in range(2, power + 1):\n   "
        "      parts.append(parts[0] ** k)\n"
        "+    parts = [p / (1 + p) for p in parts]\n     return np.sum(parts, axis=0)\n",
        (SCALED,),
    ),
    "statements in another layout": Written(
        "@@ -20,9 +20,4 @@\n def fitted(X, y):\n-    model = "
        "RandomForestRegressor(n_estimators=trees, max_depth=4, random_state=seed)\n"
        "+    model = RandomForestRegressor(n_estimators=trees, max_depth=6, random_state=seed)\n    "
        " %time model.fit(X, y, sample_weight=weighted(y))\n",
        (
            (
                "RandomForestRegressor(\n        n_estimators=trees,\n        max_depth=4,\n        "
                "random_state=seed,\n    )",
                "RandomForestRegressor(n_estimators=trees, max_depth=6, random_state=seed)",
            ),
        ),
    ),
    "two hunks": Written(
        "@@ -9 +9 @@\n-trees = 10  #: 5..50\n+trees = 20  #: 5..50\n@@ -26 +26 @@\n-        "
        "max_depth=4,\n+        max_depth=6,\n",
        (TREES, DEPTH),
    ),
    "two hunks, the last one first": Written(
        "@@ -26 +26 @@\n-        max_depth=4,\n+        max_depth=6,\n@@ -9 +9 @@\n-trees = 10  #: "
        "5..50\n+trees = 20  #: 5..50\n",
        (TREES, DEPTH),
    ),
    "two fences": Written(
        "First:\n```diff\n-trees = 10  #: 5..50\n+trees = 20  #: 5..50\n```\nThen:\n```diff\n-       "
        " max_depth=4,\n+        max_depth=6,\n```\n",
        (TREES, DEPTH),
    ),
    "the same hunk twice": Written(
        "@@\n-        max_depth=4,\n+        max_depth=6,\n@@\n-        max_depth=4,\n+        max_depth=6,\n", (DEPTH,)
    ),
    "context that was left out": Written(
        "@@ -9,18 +9,18 @@\n-trees = 10  #: 5..50\n+trees = 20  #: 5..50\n ...\n         "
        "n_estimators=trees,\n-        max_depth=4,\n"
        "+        max_depth=6,\n",
        (TREES, DEPTH),
    ),
    "context of another cell": Written(
        "@@ -24,4 +24,4 @@\n     forest = ExtraTreesRegressor(\n         n_estimators=trees,\n-      "
        "  max_depth=4,\n+        max_depth=6,\n",
        (DEPTH,),
    ),
    "added at the end of a block": Written(
        "@@ -17,2 +17,3 @@\n         parts.append(parts[0] ** k)  # of each row\n+    parts = [p / "
        "(1 + p) for p in parts]\n",
        (("# of each row\n", "# of each row\n    parts = [p / (1 + p) for p in parts]\n"),),
    ),
    "added before the first line it knows": Written(
        "@@ -18 +18,2 @@\n+    parts = [p / (1 + p) for p in parts]\n     return np.sum(parts, axis=0)\n", (SCALED,)
    ),
    "an import": Written(
        "@@ -3,2 +3,3 @@\n import numpy as np\n+from sklearn.preprocessing import StandardScaler\n "
        "from sklearn.datasets import make_friedman1\n"
        "@@ -18 +19 @@\n-    return np.sum(parts, axis=0)\n+    return "
        "StandardScaler().fit_transform(np.sum(parts, axis=0)[:, None])[:, 0]\n",
        (
            ("import numpy as np\n", "import numpy as np\nfrom sklearn.preprocessing import StandardScaler\n"),
            (
                "    return np.sum(parts, axis=0)",
                "    return StandardScaler().fit_transform(np.sum(parts, axis=0)[:, None])[:, 0]",
            ),
        ),
    ),
    "blank lines that were forgotten": Written(
        "@@ -18,4 +18,5 @@\n+    parts = [p / (1 + p) for p in parts]\n     return np.sum(parts, "
        "axis=0)\n def fitted(X, y):\n",
        (SCALED,),
    ),
    "a line of IPython as Python": Written(
        "@@ -28,3 +28,3 @@\n-        max_depth=4,\n+        max_depth=6,\n         "
        "random_state=seed,\n     )\n     model.fit(X, y, sample_weight=weighted(y))  # %time\n",
        (DEPTH,),
    ),
    "the whole cell": Written(f"```python\n{changed(FOREST, DEPTH)}```", (DEPTH,)),
    "the whole cell without a fence": Written(changed(FOREST, DEPTH), (DEPTH,)),
    "the whole cell without its comments": Written(
        "```python\n" + re.sub(r" *#.*", "", changed(FOREST, DEPTH)) + "```", (DEPTH,)
    ),
    "the whole cell, in single quotes and without blank lines": Written(
        "```\n" + re.sub(r"\n\n+", "\n", changed(FOREST, DEPTH)).replace('"""', "'''") + "```", (DEPTH,)
    ),
    "the whole cell, indented by two": Written(
        "```py\n"
        + re.sub(r"^( +)", lambda m: m[1][::2], re.sub(r" *#.*", "", changed(FOREST, SCALED)), flags=re.M)
        + "```",
        (SCALED,),
    ),
    "the cell before and after": Written(
        f"Before:\n```python\n{FOREST}```\nAfter:\n```python\n{changed(FOREST, DEPTH)}```", (DEPTH,)
    ),
    "one function": Written(
        "```python\ndef weighted(y, power=3):\n    parts = [abs(y - y.mean())]\n    for k in "
        "range(2, power + 1):\n        parts.append(parts[0]**k)\n"
        "    return np.sum(parts, axis=0)\n```",
        (POWER, ('    """More for the far."""\n', "")),
    ),
    "one function, and one that it needs": Written(
        "```python\ndef squashed(p):\n    return p / (1 + p)\n\n"
        'def weighted(y, power=2):\n    """More for the far."""\n    parts = [abs(y - y.mean())]\n   '
        " for k in range(2, power + 1):\n        parts.append(squashed(parts[0] ** k))\n"
        "    return np.sum(parts, axis=0)\n```",
        (
            (
                "# how rows are weighted\ndef weighted",
                "# how rows are weighted\ndef squashed(p):\n    return p / (1 + p)\n\ndef weighted",
            ),
            ("parts[0] ** k)  # of each row", "squashed(parts[0] ** k))"),
        ),
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_answers_as_they_are_written(name: str, forest: Analysis) -> None:
    written = WRITTEN[name]
    variation = cell.merged(forest, Variation(code=forest.code), written.answer)
    assert cell.typed(variation.code) == changed(FOREST, *written.pairs)
    assert variation.free
    assert variation.code == cell.python(changed(FOREST, *written.pairs))


def test_there_are_enough() -> None:
    assert len(WRITTEN) >= 40


REFUSED = {
    "nothing": ("", "no code"),
    "blank lines": ("\n\n  \n", "no code"),
    "an apology": ("I'm sorry, I cannot change this cell.", "does not parse"),
    "a word": ("Sorry", "neither a diff nor a whole cell"),
    "an empty fence": ("```python\n```", "no code"),
    "a diff of context": ("@@ -9 +9 @@\n trees = 10  #: 5..50\n", "adds and removes nothing"),
    "a comment alone": ("@@ -9 +9 @@\n-# how rows are weighted\n+# how all rows are weighted\n", "changes nothing"),
    "no place": ("@@ -9 +9 @@\n-depth = 12\n+depth = 13\n", "found nowhere"),
    "no context": ("@@ -8,0 +9 @@\n+trees = 30\n", "no line that stands in the cell"),
    "two places": ("@@\n+    print(X.shape)\n     return\n", "found nowhere"),
    "many places": ("@@\n-import numpy as np\n+import numpy\n@@\n-for\n", "found nowhere"),
    "twice the same line": (
        "@@\n-trees = 10\n+trees = 20\n@@\n-trees = 10\n+trees = 30\n",
        "two hunks change the same lines",
    ),
    "code that does not parse": ("@@\n-        max_depth=4,\n+        max_depth=(4,\n", "does not parse"),
    "a whole cell that was cut": (f"```python\n{FOREST[:700]}\n```", "the code in the answer does not parse"),
    "a whole cell with a gap": (
        "```python\nimport numpy as np\n# ... rest of the code unchanged ...\nloss = np.mean(errors)\n```",
        "leaves code out",
    ),
    "the cell as it is": (f"```python\n{FOREST}```", "as it is"),
    "the cell in other quotes": (FOREST.replace('"""', "'''"), "as it is"),
    "a function that nobody calls": ("```python\ndef helper(X):\n    return X\n```", "defines no helper"),
    "two cells": (
        f"```python\n{changed(FOREST, DEPTH)}```\nor\n```python\n{changed(FOREST, TREES)}```",
        "holds 2 codes",
    ),
    "JSON": ('{"diff": "-        max_depth=4,"}', "neither a diff nor a whole cell"),
    "too long": ("x = 1\n" * 100_000, "characters"),
    "too many lines of the shell": ("```\n" + "%x\n" * 1_900 + "```", "too many lines"),
    "another magic": (f"```\n%%bash\n{FOREST}```", "%%bash"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_clear_is_refused(name: str, forest: Analysis) -> None:
    answer, says = REFUSED[name]
    with pytest.raises((MergeError, CellError), match=re.escape(says)) as caught:
        cell.merged(forest, Variation(code=forest.code), answer)
    assert isinstance(caught.value, MergeError) or name == "another magic"
    assert caught.value.cure


def test_what_is_found_twice_is_decided_by_its_number() -> None:
    code = "a = 1\nb = f(a)\na = 1\nb = f(a)\nscore = g(b)\n"
    for line in (1, 3):
        made = rewritten(code, f"@@ -{line} +{line} @@\n-a = 1\n+a = 2\n", "score")
        assert made.split("\n")[line - 1] == "a = 2"
        assert made.count("a = 2") == 1
    for answer in ("@@\n-a = 1\n+a = 2\n", "@@ -2 +2 @@\n-a = 1\n+a = 2\n"):
        with pytest.raises(MergeError, match=r"could belong in 2 places \(lines 1, 3\)"):
            rewritten(code, answer, "score")
    wrong = "@@ -9 +9 @@\n-score = g(b)\n+score = g(-b)\n@@ -3 +3 @@\n-a = 1\n+a = 2\n"
    with pytest.raises(MergeError, match="could belong in 2 places"):
        rewritten(code, wrong, "score")


def test_indentation_that_could_mean_two_things_is_refused() -> None:
    code = "for i in r:\n    for j in s:\n        x = f(j)\nscore = x\n"
    with pytest.raises(MergeError, match="two things"):
        rewritten(code, "@@\n             x = f(j)\n+        y = f(x)\n", "score")


def test_a_change_upon_a_change(forest: Analysis) -> None:
    first = cell.merged(forest, Variation(code=forest.code), WRITTEN["no header"].answer)
    second = cell.merged(forest, first, "-trees = 10\n+trees = 20\n")
    assert cell.typed(second.code) == changed(FOREST, TREES, DEPTH)
    assert second.free


def test_edits_keep_that_code_is_free(wine: Analysis) -> None:
    edit = Edit(kind="set", target="SVC.C", value=0.5)
    base = cell.apply(wine, [edit])
    assert not base.free
    variation = cell.merged(
        wine, base, "@@\n-model = make_pipeline(Normalizer(), SVC(C=0.5))\n+model = make_pipeline(SVC(C=0.5))"
    )
    assert variation.free
    assert variation.edits == (edit,)
    assert cell.apply(wine, [Edit(kind="set", target="SVC.C", value=0.25)], variation).free


# ---------------------------------------------------------------- cheats


def answers(before: str, after: str) -> list[str]:
    """The ways in which a change may be written."""
    diff = cell.difference(before, after)
    return [diff, f"```diff\n{diff}\n```", re.sub(r"@@.*@@", "@@", diff), f"```python\n{cell.typed(after)}```"]


@pytest.mark.parametrize("cheat", [*CHEATS, *INSIDE], ids=lambda each: each.name)
def test_no_cheat_gets_through(cheat: Cheat) -> None:
    analysis = cheat.analysis()
    for answer in answers(analysis.code, cheat.changed()):
        with pytest.raises(LockError):
            cell.merged(analysis, Variation(code=analysis.code), answer)


MODEL = "model = make_pipeline(Normalizer(), SVC(C=1.0))\n"
AROUND = {
    "the number of folds": ("StratifiedKFold(5", "StratifiedKFold(2"),
    "the seed": ("random_state=seed", "random_state=3"),
    "the targets": ("X, y,", "X, y * 0,"),
    "the rows": ("X, y,", "X[y < 2], y[y < 2],"),
    "the metric": (".mean()", ".max()"),
    "another value afterwards": ("mean()\n", "mean()\naccuracy = 0.99\n"),
    "a missing metric": ("accuracy = cross", "other = cross"),
    "the scorer": (MODEL, f"def cross_val_score(*a, **k): return X\n{MODEL}"),
    "a comment that frees": ("mean()\n", "mean()  #: free\n"),
    "reading the targets": ("SVC(C=1.0)", "SVC(C=float(y.sum()))"),
    "the module that is executed": ("mean()\n", "mean()\nimport __main__\n__main__.accuracy = 1.0\n"),
    "the module, by another name": ("mean()\n", "mean()\nimport __main__ as m\nm.accuracy = 1.0\n"),
    "the table of modules": ("mean()\n", "mean()\nimport sys\nsys.modules['__main__'].accuracy = 1.0\n"),
    "sys through another module": (
        "mean()\n",
        "mean()\nimport random\nrandom._os.sys.modules['__main__'].accuracy = 1.0\n",
    ),
    "a frame": (MODEL, f"import sys as s\ns._getframe(0)\n{MODEL}"),
    "the shell's variables": ("mean()\n", "mean()\nget_ipython().user_ns['accuracy'] = 1.0\n"),
    "the shell": ("mean()\n", "mean()\nget_ipython().run_cell('accuracy = 1.0')\n"),
    "a magic": ("mean()\n", "mean()\n%run other.py\n"),
    "a command": (MODEL, f"!echo hello\n{MODEL}"),
    "what a command says": (MODEL, f"files = !ls\n{MODEL}"),
    "exec": (MODEL, f"exec('accuracy = 1.0')\n{MODEL}"),
    "exec, by another name": (MODEL, f"from builtins import exec as run\nrun('x = 1')\n{MODEL}"),
    "exec, by its text": (MODEL, f"import builtins as b\ngetattr(b, 'ex' + 'ec')('x = 1')\n{MODEL}"),
    "importlib": (MODEL, f"from importlib import import_module\n{MODEL}"),
    "a mock": (MODEL, f"from unittest.mock import patch\npatch('numpy.mean', len).start()\n{MODEL}"),
    "an attribute of a package": (MODEL, f"import sklearn.metrics\nsklearn.metrics.get_scorer = len\n{MODEL}"),
    "an attribute of a package, imported": (MODEL, f"from sklearn import metrics as m\nm.get_scorer = len\n{MODEL}"),
    "a registry of a package": (
        MODEL,
        f"from sklearn import metrics as m\nm._scorer._SCORERS['accuracy'] = len\n{MODEL}",
    ),
    "an attribute, deleted": (MODEL, f"from sklearn import metrics as m\ndel m.get_scorer\n{MODEL}"),
    "getattr": (MODEL, f"getattr(SVC, '__dict__')\n{MODEL}"),
    "getattr, handed on": (MODEL, f"list(map(getattr, [SVC], ['__dict__']))\n{MODEL}"),
    "attrgetter": (MODEL, f"import operator\noperator.attrgetter('__globals__')(SVC)\n{MODEL}"),
    "attrgetter, imported": (MODEL, f"from operator import attrgetter as a\na('__globals__')(SVC)\n{MODEL}"),
    "all subclasses": (MODEL, f"object.__subclasses__()\n{MODEL}"),
    "a star": (MODEL, f"from numpy import *\n{MODEL}"),
    "a module beside": (MODEL, f"from . import other\n{MODEL}"),
    "another name for setattr": (MODEL, f"from builtins import setattr as s\ns(SVC, 'score', len)\n{MODEL}"),
    "a class of the package": (MODEL, f"SVC.score = lambda *a, **k: 1.0\n{MODEL}"),
    "a class of the package, in a function": (MODEL, f"def f():\n    SVC.score = lambda *a, **k: 1.0\nf()\n{MODEL}"),
}


@pytest.mark.parametrize("name", AROUND)
def test_nothing_reaches_around_the_lock(name: str, wine: Analysis) -> None:
    after = changed(WINE, AROUND[name])
    diff = "\n".join(difflib.unified_diff(WINE.split("\n"), after.split("\n"), "a", "b", lineterm=""))
    for answer in (diff, f"```python\n{after}```"):
        with pytest.raises((LockError, MergeError)) as caught:
            cell.merged(wine, Variation(code=WINE), answer)
        left = ("assigns", "changes nothing but comments", "as it is")
        assert isinstance(caught.value, LockError) or any(text in str(caught.value) for text in left)


@pytest.mark.parametrize(
    "pair",
    [
        ("SVC(C=1.0)", "SVC(C=2.0, kernel='linear')"),
        (MODEL, f"from sklearn.preprocessing import StandardScaler\n{MODEL.replace('Normalizer', 'StandardScaler')}"),
        (MODEL, f"import math\n{MODEL.replace('1.0', 'math.sqrt(2)')}"),
        (
            MODEL,
            "class Wide(Normalizer):\n    def __init__(self, norm='l2'):\n        super().__init__(norm=norm)\n"
            f"{MODEL.replace('Normalizer', 'Wide')}",
        ),
        (MODEL, f"norm = getattr(Normalizer(), 'norm')\n{MODEL.replace('Normalizer()', 'Normalizer(norm)')}"),
    ],
)
def test_what_is_free_may_change(pair: tuple[str, str], wine: Analysis) -> None:
    after = changed(WINE, pair)
    for answer in answers(WINE, after):
        assert cell.merged(wine, Variation(code=WINE), answer).code == after


def test_what_the_person_does_stays_allowed() -> None:
    code = (
        "import sys\nfiles = !ls\nsys.stdout.flush()\nC = 1.0\n"
        "score = cross_val_score(estimator=Ridge(alpha=C), X=X, y=y).mean()\n"
    )
    analysis = Analysis(code=cell.python(code), metric="score")
    variation = cell.merged(analysis, Variation(code=analysis.code), "-C = 1.0\n+C = 2.0\n")
    assert cell.typed(variation.code) == changed(code, ("C = 1.0", "C = 2.0"))
    with pytest.raises(LockError, match=r"sys\.modules|user_ns|run_line_magic"):
        cell.merged(analysis, Variation(code=analysis.code), "@@\n files = !ls\n+get_ipython().user_ns['score'] = 1\n")


# ---------------------------------------------------------------- any edit, however it is damaged


def plain(code: str) -> str | None:
    try:
        code = cell.python(code)
        ast.parse(code)
    except (CellError, SyntaxError):
        return None
    return code


CODES = [
    code for code in map(plain, [*(make().code for make in EXAMPLES.values()), *(each.code for each in CELLS)]) if code
]
ADDED = (
    "extra = {n}",
    "print({n}, 'more')",
    "for part in range({n}):\n    extra = part",
    "# a remark {n}\nextra = [\n    {n},\n]",
    'extra = """{n}\n\n  text\n"""',
    "with open('f') as f:\n\n    extra = f.read({n})",
)


def edited(code: str, draw: random.Random) -> str:
    """A code with a statement more or less, or another number."""
    tree = ast.parse(code)
    if not tree.body:
        return code
    lines = code.split("\n")
    statement = draw.choice([node for node in ast.walk(tree) if isinstance(node, ast.stmt)])
    first, end = statement.lineno - 1, statement.end_lineno or statement.lineno
    indent = re.match(r"\s*", lines[first])[0]  # type: ignore[index]
    kind = draw.randrange(4)
    new = [indent + each if each else "" for each in draw.choice(ADDED).format(n=draw.randrange(99)).split("\n")]
    if kind == 0:
        lines[first:end] = []
    elif kind == 1:
        place = draw.choice((first, end))
        lines[place:place] = new
    elif kind == 2:
        lines[first:end] = new
    else:
        lines[first:end] = [re.sub(r"\b\d+\b", lambda m: str(int(m[0]) + 1), line) for line in lines[first:end]]
    return "\n".join(lines)


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, str]:
    """A code, and another that differs from it as a tree."""
    before = draw(st.sampled_from(CODES))
    chance = draw(st.randoms(use_true_random=False))
    after = before
    for _ in range(draw(st.integers(1, 3))):
        tried = edited(after, chance)
        after = tried if plain(tried) == tried else after
    assume(shape(after) != shape(before))
    return before, after


def shape(code: str) -> str:
    return ast.dump(ast.parse(code))


def each_line(change: Callable[[str], str], kinds: str) -> Callable[[list[str]], list[str]]:
    """Damage of the lines of some kinds."""
    return lambda lines: [
        change(line) if line[:1] in kinds and line[1:].strip() and line[:3] not in ("---", "+++") else line
        for line in lines
    ]


def tabbed(line: str) -> str:
    body = line[1:].lstrip(" ")
    blanks = len(line) - 1 - len(body)
    return line[0] + "\t" * (blanks // 4) + " " * (blanks % 4) + body


def loose(line: str) -> str:
    """Context with blanks where Python needs none."""
    return line[0] + re.sub(r"(?<=[,(=])", " ", line[1:])


INDENTED: dict[str, Callable[[list[str]], list[str]]] = {
    "context with tabs": each_line(tabbed, " "),
    "all with tabs": each_line(tabbed, " +-"),
    "context at the margin": each_line(lambda line: line[0] + line[1:].lstrip(), " "),
    "a space behind the signs": each_line(lambda line: f"{line[0]} {line[1:]}", "+-"),
    "all indented": each_line(lambda line: f"{line[0]}    {line[1:]}", " +-"),
    "all at the left": each_line(lambda line: line[0] + line[1:].removeprefix("    "), " +-"),
    "context indented": each_line(lambda line: f"{line[0]}    {line[1:]}", " "),
}
"""Damages of the white space before lines: one at a time, since two of them can undo each other."""
DAMAGES: dict[str, Callable[[list[str]], list[str]]] = {
    "context without its space": each_line(
        lambda line: line[1:] if line[1:2] not in ("+", "-", " ", "@", "\\") else line, " "
    ),
    "context with trailing blanks": each_line(lambda line: f"{line}  ", " "),
    "loose context": each_line(loose, " "),
    "loose": each_line(loose, " -"),
    "blank lines without their space": lambda lines: [line if line.strip() else "" for line in lines],
    "no blank context": lambda lines: [line for line in lines if line.strip() or '"""' in "".join(lines)],
    "no names of files": lambda lines: [line for line in lines if line[:4] not in ("--- ", "+++ ")],
    "no numbers": lambda lines: [re.sub(r"^@@ .* @@", "@@ ... @@", line) for line in lines],
    "in a fence": lambda lines: ["Thus:", "", "```diff", *lines, "```", "", "That helps."],
    "CRLF": lambda lines: [f"{line}\r" for line in lines],
}


def elsewhere(before: str, lines: list[str]) -> bool:
    """Whether a number names another place where the first old line stands, too: that would be another edit's diff."""
    cells = ["".join(line.split()) for line in cell.typed(before).split("\n")]
    start = 0
    for line in lines:
        if header := re.match(r"@@ -(\d+)", line):
            start = int(header[1]) - 1
        elif line[:1] in (" ", "-") and line[:3] != "---" and start >= 0:
            text = "".join(line[1:].split())
            if text and start < len(cells) and cells[start] == text:
                return True
            start = -1 if text else start + 1
    return False


def shifted(lines: list[str], draw: random.Random) -> list[str]:
    def other(found: re.Match[str]) -> str:
        return f"@@ -{max(1, int(found[1]) + draw.choice((-9, -2, -1, 1, 2, 3, 7, 40)))}"

    return [re.sub(r"^@@ -(\d+)", other, line) for line in lines]


def unified(before: str, after: str, context: int) -> list[str]:
    both = (cell.typed(each).split("\n") for each in (before, after))
    return list(difflib.unified_diff(*both, "cell", "cell", n=context, lineterm=""))


@settings(max_examples=150, deadline=None)
@given(changes())
def test_a_right_diff_is_merged(change: tuple[str, str]) -> None:
    before, after = change
    assume(cell.python(cell.typed(after)) == after and cell.python(cell.typed(before)) == before)
    made = rewritten(before, cell.difference(before, after), "nothing")
    assert shape(made) == shape(after)


@settings(max_examples=400, deadline=None)
@given(
    changes(),
    st.integers(0, 3),
    st.sampled_from(["", *INDENTED]),
    st.lists(st.sampled_from(sorted(DAMAGES)), max_size=3),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_a_damaged_diff_is_merged_or_refused(
    change: tuple[str, str], context: int, indented: str, damages: list[str], wrong: bool, chance: random.Random
) -> None:
    before, after = change
    lines = unified(before, after, context)
    if wrong:
        lines = shifted(lines, chance)
        assume(not elsewhere(before, lines))
    lines = INDENTED.get(indented, list)(lines)
    for name in damages:
        lines = DAMAGES[name](lines)
    try:
        made = rewritten(before, "\n".join(lines), "nothing")
    except (MergeError, CellError):
        return
    assert shape(made) == shape(after)


def test_most_damaged_diffs_are_merged() -> None:
    """Else it would be no use to refuse the others."""
    every = INDENTED | DAMAGES
    chance, counts = random.Random(5), dict.fromkeys(every, 0)
    total = 0
    while total < 40:
        before = chance.choice(CODES)
        after = edited(before, chance)
        if plain(after) != after or shape(after) == shape(before):
            continue
        total += 1
        lines = unified(before, after, 3)
        for name, damage in every.items():
            try:
                made = rewritten(before, "\n".join(damage(lines)), "nothing")
            except MergeError:
                continue
            assert shape(made) == shape(after), name
            counts[name] += 1
    assert min(counts.values()) > 0.5 * total, counts
    assert sum(counts.values()) > 0.9 * total * len(counts), counts


@settings(max_examples=150, deadline=None)
@given(changes(), st.sampled_from(["as it is", "no comments", "unparsed"]))
def test_a_whole_cell_is_woven_into_the_old(change: tuple[str, str], manner: str) -> None:
    before, after = change
    written = {"as it is": after, "unparsed": ast.unparse(ast.parse(after))}.get(manner, without_comments(after))
    names = [n.id for each in ast.parse(after).body if isinstance(each, ast.Assign) for n in ast.walk(each.targets[0])
             if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]  # fmt: skip
    assume(names and "```" not in after)
    made = rewritten(before, f"```python\n{written}\n```", names[-1])
    assert shape(made) == shape(after)
    kept = [line for line in before.split("\n") if "#" in line and after.count(line) and before.count(line) == 1]
    if manner == "as it is":
        assert all(line in made for line in kept)


def without_comments(code: str) -> str:
    lines = code.split("\n")
    for number, comment in cell.text.text_of(code).comments.items():
        lines[number - 1] = lines[number - 1][: lines[number - 1].rindex(comment)].rstrip()
    return "\n".join(lines)


# ---------------------------------------------------------------- garbage

PIECES = (
    "@@ -1,3 +1,4 @@",
    "--- a",
    "+++ b",
    "-",
    "+",
    " ",
    "```diff",
    "```",
    "```python",
    "+x = (",
    "-loss = np.mean(errors)",
    "+loss = 0",
    "%%bash",
    "!ls",
    "%time x",
    "?x",
    "x = 1",
    "def f():",
    "    return 1",
    "\x00",
    "\ud800",
    "\x0c",
    "\u2028",
    "'''",
    '"""',
    "\\",
    "...",
    "# ...",
    "class A:",
    "\t",
    "+\tif x:",
    "@@ def f",
    "*** Begin Patch",
    "lambda:",
    "é",
    "\r",
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from(PIECES), st.sampled_from(FOREST.split("\n")), st.text(max_size=20)), max_size=30)
)
def test_garbage_is_refused_by_name(forest: Analysis, pieces: list[str]) -> None:
    for answer in ("\n".join(pieces), "".join(pieces)):
        try:
            variation = cell.merged(forest, Variation(code=forest.code), answer)
        except (MergeError, CellError):
            continue
        ast.parse(variation.code)
        cell.check_lock(variation.code, forest)


LARGE: dict[str, Callable[[int], str]] = {
    "a line": lambda n: "x" * n,
    "lines": lambda n: "x = 1\n" * (n // 6),
    "added lines": lambda n: "@@ -1 +1 @@\n import numpy as np\n" + "+x = 1\n" * (n // 7),
    "removed lines": lambda n: "-trees = 10  #: 5..50\n" * (n // 22),
    "hunks": lambda n: "@@ -9 +9 @@\n-trees = 10  #: 5..50\n+trees = 11\n" * (n // 50),
    "headers": lambda n: "@@ -9 +9 @@\n" * (n // 12),
    "brackets": lambda n: "(" * n,
    "signs": lambda n: "x = " + "-" * n + "1",
    "sums": lambda n: "loss = " + "1+" * (n // 2) + "1",
    "shell": lambda n: "!ls\n" * (n // 4),
    "magics": lambda n: "@@\n import numpy as np\n" + "+%time x\n" * (n // 9),
    "questions": lambda n: "what?\n" * (n // 6),
    "fences": lambda n: "```\nx = 1\n```\n" * (n // 14),
    "a number": lambda n: f"loss = 0x{'f' * n}",
    "digits": lambda n: "loss = " + "9" * n,
    "quotes": lambda n: "'" * n,
    "a text": lambda n: f"loss = '{'a' * n}'",
    "blank lines": lambda n: "\n" * n,
    "blanks": lambda n: " " * n,
    "a cell": lambda n: (
        "```python\n"
        + FOREST.replace("loss = ", "".join(f"a{k} = f({k})\n" for k in range(n // 50)) + "loss = ")
        + "```"
    ),
    "deep blocks": lambda n: "".join(f"{' ' * k}if x:\n" for k in range(int((2 * n) ** 0.5))) + "loss = 1",
    "noise": lambda n: random.Random(3).randbytes(n).decode("latin-1"),
}


@pytest.mark.parametrize("size", [1_000_000, 29_000, 20_000, 5_000])
@pytest.mark.parametrize("name", LARGE)
def test_garbage_is_refused_within_a_second(name: str, size: int, forest: Analysis) -> None:
    answer = LARGE[name](size)
    start = time.process_time()
    with contextlib.suppress(MergeError, CellError):
        cell.merged(forest, Variation(code=forest.code), answer)
    assert time.process_time() - start < 1


# ---------------------------------------------------------------- differences, and the same idea


def test_a_difference_is_shown_as_typed(forest: Analysis) -> None:
    after = cell.python(
        changed(
            FOREST,
            ("%time model.fit(X, y, sample_weight=weighted(y))", "%time model.fit(X, y, sample_weight=weighted(y, 3))"),
        )
    )
    shown = cell.difference(forest.code, after)
    assert (
        "-    %time model.fit(X, y, sample_weight=weighted(y))\n+    %time model.fit(X, y, "
        "sample_weight=weighted(y, 3))" in shown
    )
    assert "get_ipython" not in shown
    assert cell.difference(after, after) == ""


@pytest.mark.parametrize(
    ("code", "other", "same"),
    [
        ("x = f(a=1, b=2)", "x = f(b=2, a=1)  # swapped", True),
        ("x = f(1.0)", "x = f(1.00)", True),
        ("x = 1e-3", "x = .001", True),
        ("x = 1_000", "x = +1000", True),
        ("x = 'a'", 'x = u"a"', True),
        ("x = (a +\n  b)", "x = a + b", True),
        ('"""Why?"""\nx = 1', "x = 1", True),
        ("def f():\n    '''Do.'''\n    pass", "def f():\n    pass", True),
        ("%time x = f()", "x = f()", True),
        ("x = f(max_features=1)", "x = f(max_features=1.0)", False),
        ("x = f(1, 2)", "x = f(2, 1)", False),
        ("x = True", "x = 1", False),
        ("x = -1", "x = 1", False),
        ("x = f(**a, **b)", "x = f(**b, **a)", False),
        ("x = f(a=1, **b)", "x = f(**b, a=1)", False),
        ("x = {'a': 1, 'b': 2}", "x = {'b': 2, 'a': 1}", False),
    ],
)
def test_canonical(code: str, other: str, same: bool) -> None:
    assert (cell.canonical(code) == cell.canonical(other)) is same


@pytest.mark.parametrize("code", CODES)
def test_canonical_is_itself(code: str) -> None:
    once = cell.canonical(code)
    assert cell.canonical(once) == once
    assert cell.canonical(ast.unparse(ast.parse(code))) == once


def test_canonical_of_what_does_not_parse() -> None:
    with pytest.raises(CellError, match="does not parse"):
        cell.canonical("x = (")
