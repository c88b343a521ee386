"""Merging code that a language model wrote into a person's cell, so that all else keeps its text.

    answers.py     what the answer holds: hunks of a diff, or code
    placing.py     where a hunk belongs
    indenting.py   how its lines are indented there
    weaving.py     code by its statements: what is the same keeps the person's text
    reaching.py    what such code may not do

Anything of which it is not sure where it belongs is refused, with words that a model can act on.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import math
from collections.abc import Iterable, Sequence
from itertools import product

from jupyter_swarm.cell.answers import Answer, Hunk, answered, as_python, left_out
from jupyter_swarm.cell.bounds import recorded
from jupyter_swarm.cell.indenting import MOST_READINGS
from jupyter_swarm.cell.lock import check_lock
from jupyter_swarm.cell.placing import Cell, chosen, places
from jupyter_swarm.cell.reaching import check_reach
from jupyter_swarm.cell.scan import scanned
from jupyter_swarm.cell.syntax import typed
from jupyter_swarm.cell.text import text_of
from jupyter_swarm.cell.weaving import Change, Source, replaced
from jupyter_swarm.errors import CellError, MergeError
from jupyter_swarm.words import Analysis, Variation

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_ANSWER = "a unified diff of the cell, with two or three lines of context, or the whole cell in one fence"


def merged(analysis: Analysis, base: Variation, answer: str) -> Variation:
    """A cell after a change that a language model wrote.

    Args:
        analysis: what is known of the person's cell.
        base: what the model was shown (`typed`).
        answer: a unified diff of it, right or nearly so; or in a fence the whole cell, or functions and classes of it.

    Raises:
        MergeError: the answer holds no code, or it is not clear where that belongs, or what comes of it is no cell.
        LockError: it touches what the metric rests on, or reaches around the lock.
        CellError: the answer is for a magic that does not execute a cell as Python.

    >>> cell = "score = cross_val_score(\\n    estimator=Ridge(alpha=1.0), X=X, y=y)  # five folds"
    >>> answer = "@@ -7 +7 @@\\n- estimator = Ridge(alpha=1.0), X=X, y=y)\\n+ estimator=Ridge(alpha=2.0), X=X, y=y)"
    >>> print(merged(Analysis(code=cell, metric="score"), Variation(code=cell), answer).code)
    score = cross_val_score(
        estimator=Ridge(alpha=2.0), X=X, y=y)
    """
    try:
        code = rewritten(base.code, answer, analysis.metric)
        _check(code, base.code, analysis)
    except (RecursionError, MemoryError, ValueError) as error:
        raise MergeError(f"the answer cannot be read: {error}", cure="plain statements, nested less deeply") from None
    return Variation(code=code, edits=base.edits, free=True)


def rewritten(code: str, answer: str, metric: str) -> str:
    """The code after an answer, which may still do what no answer may.

    Args:
        code: Python that parses.
        answer: as `merged` takes it.
        metric: the name that a whole cell has to assign.

    Raises:
        MergeError: nothing tells what would come of it.
        CellError: the answer is for a magic that does not execute a cell as Python.
    """
    read = answered(answer)
    made = _patched(code, read.hunks) if read.hunks else _replaced(code, read, metric)
    return _directed(made, code)


def difference(before: str, after: str) -> str:
    """What differs between two cells, as typed in IPython, in unified form; "" for the same.

    >>> print(difference("a = 1", "a = 2"))
    --- cell
    +++ cell
    @@ -1 +1 @@
    -a = 1
    +a = 2
    """
    lines = difflib.unified_diff(typed(before).split("\n"), typed(after).split("\n"), "cell", "cell", lineterm="")
    return "\n".join(lines)


# ---------------------------------------------------------------- a diff


def _patched(code: str, hunks: Sequence[Hunk]) -> str:
    """The code after all hunks of a diff."""
    cell = Cell(code)
    found = [places(hunk, cell) for hunk in hunks]
    trusted = not any(
        len(each) == 1 and not each[0].numbered and hunk.start is not None
        for hunk, each in zip(hunks, found, strict=True)
    )
    kept = [chosen(hunk, each, trusted=trusted) for hunk, each in zip(hunks, found, strict=True)]
    for hunk, place in zip(hunks, kept, strict=True):
        if not place.changes:
            raise _ambiguous(hunk)
    if sum(len(place.changes) - 1 for place in kept) > 2 * MOST_READINGS:
        raise _ambiguous(hunks[0])
    readings = [_likely(cell, place.changes) for place in kept]
    if math.prod(map(len, readings)) > MOST_READINGS:
        raise _ambiguous(hunks[0])
    codes = [_with(cell.lines, [change for part in each for change in part]) for each in product(*readings)]
    spare = _with(cell.lines, [change for place in kept for change in place.spare or place.changes[0]])
    for each in (codes, [spare]):
        if (made := _one(each, hunks)) is not None:
            return made
    raise _explained(codes[0], hunks)


def _likely(cell: Cell, readings: tuple[tuple[Change, ...], ...]) -> Sequence[tuple[Change, ...]]:
    """Readings of a hunk that parse without the other hunks; all of them where none does."""
    if len(readings) == 1:
        return readings
    return [each for each in readings if _tree(_with(cell.lines, each))] or readings


def _tree(code: str) -> str:
    """A code as text that is equal for equal trees; "" where it does not parse."""
    with contextlib.suppress(CellError, MergeError):
        return ast.dump(text_of(as_python(code)).tree)
    return ""


def _ambiguous(hunk: Hunk) -> MergeError:
    return MergeError(f"{hunk} is indented unlike the cell, and could mean two things", cure="the cell's indentation")


def _with(lines: Sequence[str], changes: Iterable[Change]) -> str:
    """Lines after changes, none of which may overlap another."""
    done: list[str] = []
    place, last = 0, -1
    for start, end, new in sorted(changes, key=lambda change: change[:2]):
        if start < place or (start == end == last):
            raise MergeError("two hunks change the same lines", where=f"line {start + 1}", cure="one hunk for both")
        done += [*lines[place:start], *new]
        place, last = end, (start if start == end else -1)
    return "\n".join([*done, *lines[place:]])


def _one(codes: Iterable[str], hunks: Sequence[Hunk]) -> str | None:
    """The one reading that parses; where several mean the same, the one that is indented as the cell is.

    None where none parses.

    Raises:
        MergeError: two mean different things.
    """
    trees: dict[str, str] = {}
    for each in codes:
        with contextlib.suppress(CellError, MergeError):
            code = as_python(each)
            trees[ast.dump(text_of(code).tree)] = code
    if len(trees) > 1:
        raise _ambiguous(hunks[0])
    return next(iter(trees.values()), None)


def _explained(code: str, hunks: Sequence[Hunk]) -> MergeError:
    """Why a code does not parse."""
    try:
        text_of(as_python(code))
    except (CellError, MergeError) as error:
        return MergeError(f"with {hunks[0]}, {error.what}", where=error.where, cure=error.cure or _ANSWER)
    raise AssertionError("it parses")


# ---------------------------------------------------------------- code


def _replaced(code: str, answer: Answer, metric: str) -> str:
    """The code after a whole cell, or after functions and classes that stand in its place."""
    mine = Source(code)
    new = [each for each in map(_source, answer.codes) if ast.dump(each.tree) != ast.dump(mine.tree)]
    if not new:
        raise MergeError("the answer is the cell as it is", cure="change something, as a unified diff")
    whole = [each for each in new if _gives(each.text.code, metric, Analysis(code=code, metric=metric))]
    if len(whole) > 1 or (whole and len(new) > 1):
        raise MergeError(f"the answer holds {len(new)} codes", cure="one fence with the whole cell, or one diff")
    if whole:
        return _whole(mine, whole[0])
    for each in new:
        mine = Source(_defined(mine, each))
    return mine.text.code


def _source(code: str) -> Source:
    for number, line in enumerate(code.split("\n"), 1):
        if left_out(line) and line.strip().startswith("#"):
            raise MergeError(
                f"`{line.strip()[:100]}` leaves code out", where=f"line {number} of the answer", cure=_ANSWER
            )
    try:
        return Source(as_python(code))
    except CellError as error:
        what = error.what.replace("the cell", "the code in the answer", 1)
        raise MergeError(what, where=error.where, cure=error.cure or _ANSWER) from None


def _whole(mine: Source, theirs: Source) -> str:
    body = mine.tree.body
    change = replaced(mine, body, range(len(body)), theirs, theirs.tree.body) if body else None
    return _with(mine.lines, [change]) if change is not None else theirs.text.code


def _defined(mine: Source, theirs: Source) -> str:
    """The code with functions and classes in the place of those of the same names; new ones stand before the first."""
    body, new = mine.tree.body, theirs.tree.body
    known = {node.name: n for n, node in enumerate(body) if isinstance(node, _DEFINITIONS)}
    named = [node for node in new if isinstance(node, _DEFINITIONS)]
    if not named or not all(isinstance(node, (*_DEFINITIONS, ast.Import, ast.ImportFrom)) for node in new):
        raise MergeError("the answer is neither a diff nor a whole cell that assigns the metric", cure=_ANSWER)
    there = [node for node in named if node.name in known]
    if not there:
        raise MergeError(
            f"the cell defines no {named[0].name}, and nothing would call it", where=f"line {named[0].lineno}",
            cure=_ANSWER,
        )  # fmt: skip
    imports = {ast.dump(node) for node in body if isinstance(node, (ast.Import, ast.ImportFrom))}
    first = min(known[node.name] for node in there)
    changes: list[Change] = []
    for node in there:
        place = known[node.name]
        before = [each for each in new if each not in there and ast.dump(each) not in imports] if place == first else []
        change = replaced(mine, body, range(place, place + 1), theirs, [*before, node])
        if change is None:
            raise MergeError(f"{node.name} cannot be replaced", where=f"line {body[place].lineno}", cure=_ANSWER)
        changes.append(change)
    return _with(mine.lines, changes)


# ---------------------------------------------------------------- what has to hold


def _directed(code: str, base: str) -> str:
    """The code with the person's directives on lines that were changed, where the new line assigns the same."""
    old = base.split("\n")
    for line, comment in text_of(base).comments.items():
        if comment.startswith("#:") and (name := _assigned(old[line - 1])):
            code = _with_directive(code, name, comment)
    return code


def _with_directive(code: str, name: str, comment: str) -> str:
    comments, lines = text_of(code).comments, code.split("\n")
    same = [n for n, each in enumerate(lines) if _assigned(each) == name]
    if len(same) != 1 or same[0] + 1 in comments:
        return code
    lines[same[0]] = f"{lines[same[0]].rstrip()}  {comment}"
    made = "\n".join(lines)
    return made if _tree(made) == _tree(code) else code


def _assigned(line: str) -> str:
    before, sign, _ = line.partition("=")
    return before.strip() if sign else ""


def _gives(code: str, name: str, analysis: Analysis) -> bool:
    """Whether a code assigns a name."""
    found = scanned(code, analysis).definitions.get(name, ())
    return bool({definition.kind for definition in found} & {"assign", "element", "mutate", "loop", "with"})


def _check(code: str, base: str, analysis: Analysis) -> None:
    """What has to hold of what comes of an answer."""
    if ast.dump(text_of(code).tree) == ast.dump(text_of(base).tree):
        raise MergeError("the answer changes nothing but comments and layout", cure="change a statement")
    for name in (analysis.metric, *recorded(analysis.record, analysis.keep)):
        if not _gives(code, name, analysis):
            raise MergeError(f"the cell no longer assigns {name!r}", cure=f"keep the statement that assigns {name}")
    check_reach(code, analysis)
    check_lock(code, analysis)
