"""Applying declared edits to a cell's source: only the characters that an edit is about change."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from jupyter_swarm.cell.finding import Found, find
from jupyter_swarm.cell.scan import Scan, Signature, dotted, is_literal, value_of
from jupyter_swarm.cell.text import Text
from jupyter_swarm.cell.vocabulary import BUILTINS, same, short
from jupyter_swarm.errors import EditError
from jupyter_swarm.words import Analysis, Edit, Knob, Recipe, Value, Variation

Change = tuple[int, int, str]


def apply(analysis: Analysis, edits: Iterable[Edit], base: Variation | None = None) -> Variation:
    """A cell after some more edits, in order; `base` is the person's cell where not given.

    Raises:
        EditError: an edit names nothing in the code as it then is, or gives a value that does not fit.

    >>> cell = Analysis(code="loss = train(epochs=10)", metric="loss")
    >>> apply(cell, [Edit(kind="set", target="train.epochs", value=20)]).code
    'loss = train(epochs=20)'
    """
    code = base.code if base is not None else analysis.code
    done = list(base.edits if base is not None else ())
    for edit in edits:
        code = _EDITS[edit.kind](find(code, analysis), edit)
        done.append(edit)
    return Variation(code=code, edits=tuple(done), free=base is not None and base.free)


# ---------------------------------------------------------------- set


def _set(found: Found, edit: Edit) -> str:
    place = found.knobs.get(edit.target)
    if place is None:
        raise _nothing(found, edit, found.knobs)
    text, written = found.scan.text, repr(_fitting(place.knob, edit.value))
    if place.node is not None:
        start, end = text.span(place.node)
        return text.replaced([(start, end, written)])
    assert place.call is not None
    return text.replaced([_argument(text, place.call, f"{place.parameter}={written}")])


def _fitting(knob: Knob, value: Value) -> Value:
    """The value as the knob takes it: whole numbers whole, inside the range.

    Raises:
        EditError: it does not fit.
    """
    if knob.integer and isinstance(value, float) and value.is_integer():
        value = int(value)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if knob.choices:
        fits = any(same(choice, value) for choice in knob.choices)
    elif isinstance(knob.value, bool):
        fits = isinstance(value, bool)
    else:
        fits = number and not (knob.integer and isinstance(value, float))
    if fits and not knob.choices and number and knob.low is not None and knob.high is not None:
        assert isinstance(value, (int, float))
        fits = knob.low <= value <= knob.high
    if not fits:
        offered = " or ".join(map(repr, knob.choices)) if knob.choices else f"{knob.low} to {knob.high}"
        raise EditError(f"{knob.name} cannot be {value!r}", cure=offered)
    return value


def _argument(text: Text, call: ast.Call, written: str) -> Change:
    """A further argument behind the others."""
    spans = text.arguments(call)
    if spans:
        return spans[-1][1], spans[-1][1], f", {written}"
    opening = text.opening(call) + 1
    return opening, opening, written


# ---------------------------------------------------------------- swap and insert


def _swap(found: Found, edit: Edit) -> str:
    if edit.target not in found.swaps:
        raise _nothing(found, edit, found.swaps)
    swap, call = found.swaps[edit.target]
    path = str(edit.value)
    if path not in swap.candidates:
        raise EditError(f"{short(path)} is no sibling of {short(swap.current)}", cure=", ".join(swap.candidates[:6]))
    scan = found.scan
    name, imports = _name_for(scan, path, call.func)
    changes = [(*scan.text.span(call.func), name), *_adapted(scan, call, scan.recipe(call.func), path), *imports]
    return scan.text.replaced(changes)


def _insert(found: Found, edit: Edit) -> str:
    if edit.target not in found.inserts:
        raise _nothing(found, edit, found.inserts)
    insert, call, place = found.inserts[edit.target]
    path = str(edit.value)
    if path not in insert.candidates:
        raise EditError(f"{short(path)} cannot be inserted there", cure=", ".join(insert.candidates[:6]))
    scan = found.scan
    near = next((step.func for step in call.args if isinstance(step, ast.Call)), call.func)
    name, imports = _name_for(scan, path, near)
    ordered = scan.text.ordered(call)
    if place < len(call.args):
        start = scan.text.arguments(call)[ordered.index(call.args[place])][0]
        change = (start, start, f"{name}(), ")
    else:
        end = scan.text.arguments(call)[ordered.index(call.args[-1])][1]
        change = (end, end, f", {name}()")
    return scan.text.replaced([change, *imports])


def _name_for(scan: Scan, path: str, near: ast.expr) -> tuple[str, list[Change]]:
    """How the code may name a callable: as it is known there, beside `near` in the same module, or by a new import."""
    module, _, qualname = path.partition(":")
    for name, known in scan.imported.items():
        if known == path and all(d.kind == "import" for d in scan.definitions.get(name, ())):
            return name, []
    if module == "__main__":
        return qualname, []
    chain = dotted(near)
    if chain is not None and "." in chain:
        before = chain.rpartition(".")[0]
        root, _, rest = before.partition(".")
        base = scan.imported.get(root)
        if base is not None and ":" not in base and ".".join(filter(None, (base, rest))) == module:
            return f"{before}.{qualname}", []
    root, _, rest = qualname.partition(".")
    taken = scan.identifiers | set(scan.analysis.names) | BUILTINS
    name, number = root, 1
    while name in taken:
        number += 1
        name = f"{root}_{number}"
    statement = f"from {module} import {root}" + (f" as {name}" if name != root else "")
    place = _after_docstring(scan)
    return f"{name}.{rest}" if rest else name, [(place, place, f"{statement}\n")]


def _after_docstring(scan: Scan) -> int:
    """Where an import may begin: behind the question and imports from the future, at the start of a line."""
    place = 0
    for statement in scan.tree.body:
        question = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        if not (question or future):
            return scan.text.line_start(statement.lineno) if place or statement.lineno > 1 else 0
        place = scan.text.span(statement)[1]
    raise EditError("the cell holds nothing but its question")


def _adapted(scan: Scan, call: ast.Call, old: Recipe | None, path: str) -> list[Change]:
    """A call's arguments for another callable: what that one does not take, or not so, is left out."""
    new = scan.analysis.catalogue.get(path)
    if new is None or (not call.args and not call.keywords):
        return []
    taken = Signature.of(tuple(parameter.name for parameter in new.parameters))
    before = Signature.of(tuple(parameter.name for parameter in old.parameters)) if old is not None else Signature()
    text = scan.text
    kept = []
    moved = False
    for node, (start, end) in zip(text.ordered(call), text.arguments(call), strict=True):
        source = text.code[start:end]
        value = node.value if isinstance(node, ast.keyword) else node
        if isinstance(node, ast.keyword):
            name = node.arg or ""
        else:
            place = call.args.index(node)
            name = before.positional[place] if place < len(before.positional) else ""
            same_place = place < len(taken.positional) and taken.positional[place] == name
            if taken.variadic or (same_place and not moved):
                kept.append(source)
                continue
            moved = True
            if not name:  # one of any number: nothing tells what it would be there
                continue
            source = f"{name}={source}"
        if not name or ((name in taken.keyword or taken.any_keyword) and _takes(new, name, value)):
            kept.append(source)
    spans = text.arguments(call)
    return [(spans[0][0], text.span(call)[1] - 1, ", ".join(kept))]


def _takes(recipe: Recipe, name: str, value: ast.expr) -> bool:
    """Whether a literal is one of the choices that a parameter has, where it has any."""
    knob = next((parameter.knob for parameter in recipe.parameters if parameter.name == name), None)
    if knob is None or not knob.choices or not is_literal(value):
        return True
    return any(same(choice, value_of(value)) for choice in knob.choices)


# ---------------------------------------------------------------- drop


def _drop(found: Found, edit: Edit) -> str:
    if edit.target not in found.blocks:
        raise _nothing(found, edit, found.blocks)
    _, call, node = found.blocks[edit.target]
    text = found.scan.text
    if call is None:
        assert isinstance(node, ast.stmt)
        return text.replaced([_without(text, node)])
    spans = text.arguments(call)
    place = next(i for i, argument in enumerate(text.ordered(call)) if argument is node)
    if len(spans) == 1:
        raise EditError(f"{edit.target} is the only step: nothing would be left")
    start, end = (
        (spans[place][0], spans[place + 1][0]) if place + 1 < len(spans) else (spans[place - 1][1], spans[place][1])
    )
    return text.replaced([(start, end, "")])


def _without(text: Text, node: ast.stmt) -> Change:
    """A statement away: its lines where it has them alone and others stay in its block, else `pass` in its place."""
    start, end = text.span(node)
    parent = text.parents[id(node)]
    alone = any(getattr(parent, part, None) == [node] for part in ("body", "orelse", "finalbody"))
    line = text.line_start(node.lineno)
    rest = text.code[end:].partition("\n")[0].strip()
    if alone or text.code[line:start].strip() or (rest and not rest.startswith("#")):
        return start, end, "pass"
    following = text.code.find("\n", end)
    return line, len(text.code) if following < 0 else following + 1, ""


def _nothing(found: Found, edit: Edit, known: Iterable[str]) -> EditError:
    offered = list(known)
    return EditError(
        f"there is nothing called {edit.target!r} to {edit.kind}",
        cure=f"one of {', '.join(offered[:8])}" if offered else "another kind of edit",
    )


_EDITS: dict[str, Callable[[Found, Edit], str]] = {"set": _set, "swap": _swap, "insert": _insert, "drop": _drop}
