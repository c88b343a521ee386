"""Edits in words, and differences between codes."""

from __future__ import annotations

import difflib

from jupyter_swarm.cell.vocabulary import short
from jupyter_swarm.words import Analysis, Edit, Variation


def describe(edit: Edit, analysis: Analysis) -> str:
    """An edit in a few words, to stand inside a sentence.

    >>> describe(Edit(kind="swap", target="Normalizer", value="sklearn.preprocessing:RobustScaler"), Analysis(code=""))
    'swapping Normalizer for RobustScaler'
    >>> describe(Edit(kind="set", target="SVC.C", value=0.3), Analysis(code=""))
    'setting SVC.C to 0.3'
    """
    target = edit.target
    if edit.kind == "set":
        return f"setting {target} to {edit.value!r}"
    if edit.kind == "swap":
        return f"swapping {target} for {short(str(edit.value))}"
    if edit.kind == "insert":
        call, _, place = target.partition("[")
        number = place.rstrip("]")
        where = f" as step {int(number) + 1}" if number.isdigit() else ""
        return f"inserting {short(str(edit.value))} into {call}{where}"
    text = next((block.text for block in analysis.blocks if block.name == target), target)
    return f"leaving out {' '.join(text.split())}"


def describe_all(variation: Variation, analysis: Analysis, since: Variation | None = None) -> str:
    """All edits of a variation (beyond those of `since`) as the subject of a sentence; a value set twice is there once.

    >>> edits = (Edit(kind="set", target="C", value=2.0), Edit(kind="set", target="k", value=3))
    >>> describe_all(Variation(code="", edits=edits), Analysis(code=""))
    'Setting C to 2.0 and setting k to 3'
    """
    edits = variation.edits[len(since.edits) :] if since is not None else variation.edits
    last = {edit.target: edit for edit in edits if edit.kind == "set"}
    words = [describe(edit, analysis) for edit in edits if last.get(edit.target, edit) is edit or edit.kind != "set"]
    if not words:
        return "The cell as it is" if not variation.edits else "This cell"
    text = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    return text[0].upper() + text[1:]


def diff(code: str, reference: str) -> str:
    """What differs, in unified form; "" for the same code.

    >>> print(diff("a = 2\\n", "a = 1\\n"))
    --- reference
    +++ variation
    @@ -1 +1 @@
    -a = 1
    +a = 2
    """
    lines = difflib.unified_diff(reference.splitlines(), code.splitlines(), "reference", "variation", lineterm="")
    return "\n".join(lines)
