"""What may be varied in a code: knobs, swaps, inserts, blocks, each with the nodes it stands for.

Pure: it reads the code and the catalogue that `read` made, and imports nothing of the user's.
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec

from jupyter_swarm.cell import configs, steps
from jupyter_swarm.cell.directives import directives
from jupyter_swarm.cell.functions import defaults, functions
from jupyter_swarm.cell.ranges import Span, fitted, guess, knob, parse_vary
from jupyter_swarm.cell.scan import Same, Scan, is_literal, name_of, value_of
from jupyter_swarm.cell.slicing import Slice, sliced
from jupyter_swarm.cell.vocabulary import SILENT_PACKAGES, WRITERS, skipped
from jupyter_swarm.errors import CellError
from jupyter_swarm.words import Analysis, Block, Insert, Knob, Swap

Place = tuple[str, Knob | None, ast.expr]
"""A literal with its name, and what is known of the parameter that it goes to."""


@dataclass(frozen=True)
class Sites:
    """What may be varied in a code."""

    knobs: tuple[Knob, ...] = ()
    swaps: tuple[Swap, ...] = ()
    inserts: tuple[Insert, ...] = ()
    blocks: tuple[Block, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All names, each once, in the order of kinds."""
        everything: tuple[Knob | Swap | Insert | Block, ...] = (*self.knobs, *self.swaps, *self.inserts, *self.blocks)
        return tuple(dict.fromkeys(site.name for site in everything))


@dataclass(frozen=True)
class KnobPlace:
    """A knob, and the literal it is, or the call and parameter where it is not yet written."""

    knob: Knob
    node: ast.expr | None
    call: ast.Call | None = None
    parameter: str = ""


@dataclass
class Found:
    """Sites with their nodes."""

    scan: Scan
    knobs: dict[str, KnobPlace] = field(default_factory=dict)
    swaps: dict[str, tuple[Swap, ast.Call]] = field(default_factory=dict)
    inserts: dict[str, tuple[Insert, ast.Call, int]] = field(default_factory=dict)
    blocks: dict[str, tuple[Block, ast.Call | None, ast.expr | ast.stmt]] = field(default_factory=dict)
    locked_names: set[str] = field(default_factory=set)
    """Literals that would be knobs, were they not locked."""

    @property
    def sites(self) -> Sites:
        """The sites alone."""
        return Sites(
            tuple(place.knob for place in self.knobs.values()),
            tuple(swap for swap, _ in self.swaps.values()),
            tuple(insert for insert, _, _ in self.inserts.values()),
            tuple(block for block, _, _ in self.blocks.values()),
        )


def sites(code: str, analysis: Analysis) -> Sites:
    """What may be varied in a variant's code, by the catalogue alone; imports nothing, and remembers.

    Raises:
        CellError: the code does not parse.

    >>> sites("epochs = 10\\nloss = train(epochs=epochs)", Analysis(code="", metric="loss")).knobs[0].high
    100
    """
    return _sites(code, Same(analysis))


@lru_cache(maxsize=2048)
def _sites(code: str, key: Same) -> Sites:
    return find(code, key.value).sites


@lru_cache(maxsize=512)
def _found(code: str, key: Same) -> Found:
    analysis = key.value
    everything = find_all(code, analysis)
    _filter(everything, analysis)
    return everything


def find(code: str, analysis: Analysis) -> Found:
    """Sites with their nodes, after `--vary` and `--fix`."""
    return _found(code, Same(analysis))


def find_all(code: str, analysis: Analysis) -> Found:
    """Sites with their nodes, before `--vary` and `--fix` (but with the ranges that `--vary` gives)."""
    slice_ = sliced(code, analysis)
    scan = slice_.scan
    found = Found(scan)
    _knobs(found, slice_, analysis)
    steps.find_swaps(found.swaps, scan, slice_)
    steps.find_steps(found.inserts, found.blocks, scan, slice_)
    steps.find_statements(found.blocks, scan, slice_)
    return found


def matches(name: str, wish: str) -> bool:
    """Whether a wish names a site: itself, or all that belongs to it (`SVC` for `SVC.C`).

    >>> matches("SVC.C", "SVC"), matches("make_pipeline[0]", "make_pipeline"), matches("SVCX", "SVC")
    (True, True, False)
    """
    return name == wish or name.startswith((f"{wish}.", f"{wish}["))


def _filter(found: Found, analysis: Analysis) -> None:
    wishes = [parse_vary(text).name for text in analysis.vary]

    def keeps(name: str) -> bool:
        if any(matches(name, fixed) for fixed in analysis.fixed):
            return False
        return not wishes or any(matches(name, wish) for wish in wishes)

    tables: tuple[dict[str, Any], ...] = (found.knobs, found.swaps, found.inserts, found.blocks)
    for table in tables:
        for name in [name for name in table if not keeps(name)]:
            del table[name]


# ---------------------------------------------------------------- knobs


def _knobs(found: Found, slice_: Slice, analysis: Analysis) -> None:
    scan = found.scan
    wishes = {wish.name: wish.span for wish in map(parse_vary, analysis.vary) if wish.span is not None}
    wider = _wider(analysis)
    marks = directives(scan.text.code)
    places = sorted(
        [*_assigned(scan), *_arguments(scan), *_defaults(scan)],
        key=lambda place: (place[2].lineno, place[2].col_offset),
    )
    written = Counter(place[2].lineno for place in places)
    for name, known, node in _unique(places):
        if node.lineno in marks.fixed:
            continue
        if slice_.is_locked(node):
            found.locked_names.add(name)
            continue
        said = (marks.spans.get(node.lineno) if written[node.lineno] == 1 else None) or wider.get(name)
        made = _make(name, node, wishes.get(name), said, known)
        if made is not None:
            found.knobs[name] = KnobPlace(made, node)
    for name, known, call in _unset(scan, slice_):
        if call.lineno in marks.fixed or (call.end_lineno or 0) in marks.fixed or name in found.knobs:
            continue
        span = wishes.get(name) or wider.get(name)
        made = knob(name, known.value, span, line=call.lineno, origin="comment") if span else known
        if not span and (known.origin not in ("signature", "docstring") or not _offers(known)):
            continue
        found.knobs[name] = KnobPlace(
            msgspec.structs.replace(made, name=name, line=call.lineno), None, call, name.rpartition(".")[2]
        )


def _wider(analysis: Analysis) -> dict[str, Span]:
    """Knob → the wider range that a mind found for it; without what cannot be read: no person wrote it, and what stands
    in a ledger stays there.
    """
    found = {}
    for text in analysis.wider:
        with suppress(CellError):
            if (wish := parse_vary(text)).span is not None:
                found[wish.name] = wish.span
    return found


def _unique(places: Iterable[Place]) -> Iterator[Place]:
    """Places whose names differ: a default beside an argument of the same call is told apart."""
    taken: Counter[str] = Counter()
    for name, known, node in places:
        taken[name] += 1
        yield (name if taken[name] == 1 else f"{name}[{taken[name]}]"), known, node


def _offers(known: Knob) -> bool:
    return len(known.choices) > 1 or (known.low is not None and known.high is not None)


def _make(name: str, node: ast.expr, wish: Span | None, said: Span | None, known: Knob | None) -> Knob | None:
    value = value_of(node)
    span = wish or said
    if span is not None:
        return knob(name, value, span, line=node.lineno, origin="comment")
    if known is not None and (found := fitted(known, name, value, line=node.lineno)) is not None:
        return found
    guessed = guess(name.rpartition(".")[2].partition("[")[0], value)
    return knob(name, value, guessed, line=node.lineno) if guessed is not None else None


def _assigned(scan: Scan) -> Iterator[Place]:
    """Literals that are given to a name once and read somewhere."""
    loaded = {n.id for n in ast.walk(scan.tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    uses = _uses(scan)
    counts: Counter[str] = Counter()
    for node in ast.walk(scan.tree):
        for name, value in _literal_targets(node):
            root, _, key = name.partition(".")
            if (
                id(value) in scan.text.opaque
                or skipped(name.rpartition(".")[2])
                or (root not in loaded and not isinstance(node, ast.AnnAssign) and root != "self")
            ):
                continue
            if root == scan.analysis.metric or not _is_given_once(node, root, key, scan):
                continue
            parameters = uses.get(name, [])
            if any(skipped(parameter) for parameter, _ in parameters):
                continue
            counts[name] += 1
            label = _told_apart(name, counts, scan.scopes.label(node))
            yield label, next((known for _, known in parameters if known is not None), None), value


def _told_apart(name: str, counts: Counter[str], within: str) -> str:
    """`lr` for the first of that name, `train.lr` for another in a function, `lr[2]` for any further."""
    if counts[name] == 1:
        return name
    longer = f"{within}.{name}"
    if within and not counts[longer]:
        counts[longer] += 1
        return longer
    return f"{name}[{counts[name]}]"


def _is_given_once(node: ast.AST, root: str, key: str, scan: Scan) -> bool:
    """Whether a name has no other value than the literal that a statement gives it."""
    target = next((n for n in ast.walk(node) if isinstance(n, ast.Name) and n.id == root), None)
    if target is None:
        return True
    return len(scan.given(target)) <= 1 or (bool(key) and configs.made(target, scan) is not None)


def _defaults(scan: Scan) -> Iterator[Place]:
    """Literal defaults of the cell's functions that some call leaves as they are."""
    known = functions(scan)
    for node in ast.walk(scan.tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or id(node) in known.escaped:
            continue
        owner = known.owner(node)
        if owner is not None and (node.name.startswith("__") and node.name != "__init__"):
            continue
        makes = owner if node.name == "__init__" else None
        label = makes.name if makes is not None else scan.scopes.opened(node).label
        calls, is_method = known.calls[id(makes or node)], owner is not None and makes is None
        read = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        for name, value in defaults(node).items():
            given = [known.binding(node, call) for call in calls]
            left = is_method or any(each is None or name not in each for each in given)
            if left and name in read and is_literal(value) and not skipped(name) and id(value) not in scan.text.opaque:
                yield f"{label}.{name}", None, value


def _literal_targets(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if is_literal(value):
            yield name, value
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict() as dictionary):
            for key, value in configs.of_dictionary(dictionary):
                if is_literal(value):
                    yield f"{name}.{key}", value
        case ast.Assign(targets=[ast.Attribute(attr=name)], value=value) if is_literal(value):
            yield f"self.{name}", value
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
            for target, value in zip(names, values, strict=True):
                if isinstance(target, ast.Name) and is_literal(value):
                    yield target.id, value
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if is_literal(value):
            yield name, value
        case ast.NamedExpr(target=ast.Name(id=name), value=value) if is_literal(value):
            yield name, value


def _uses(scan: Scan) -> dict[str, list[tuple[str, Knob | None]]]:
    """Name → the parameters that it is handed to."""
    found: dict[str, list[tuple[str, Knob | None]]] = {}
    for call in scan.text.calls:
        for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
            if isinstance(argument, ast.Name) and (parameter := scan.parameter(call, argument)):
                found.setdefault(argument.id, []).append((parameter, _known(scan, call, parameter)))
    return found


def _known(scan: Scan, call: ast.Call, parameter: str) -> Knob | None:
    recipe = scan.recipe(call.func)
    for known in recipe.parameters if recipe else ():
        if known.name == parameter:
            return known.knob
    return None


def _arguments(scan: Scan) -> Iterator[Place]:
    """Literal arguments whose parameter's name is known."""
    for call in scan.text.calls:
        if is_silent(scan, call):
            continue
        for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
            if is_literal(argument) and id(argument) not in scan.text.opaque:
                parameter = scan.parameter(call, argument)
                if parameter and not skipped(parameter):
                    yield f"{scan.labels[id(call)]}.{parameter}", _known(scan, call, parameter), argument


def _unset(scan: Scan, slice_: Slice) -> Iterator[tuple[str, Knob, ast.Call]]:
    """Parameters that a free call leaves at their defaults."""
    for call in scan.text.calls:
        recipe = scan.recipe(call.func)
        if recipe is None or is_silent(scan, call) or slice_.is_locked(call):
            continue
        if any(keyword.arg is None for keyword in call.keywords) or any(isinstance(a, ast.Starred) for a in call.args):
            continue
        if any(isinstance(a, ast.GeneratorExp) for a in call.args):
            continue
        signature = scan.signature(call.func)
        given = {keyword.arg for keyword in call.keywords}
        given |= set(signature.positional[: len(call.args)]) if signature else set()
        for parameter in recipe.parameters:
            if parameter.knob is not None and parameter.name not in given and not skipped(parameter.name):
                yield f"{scan.labels[id(call)]}.{parameter.name}", parameter.knob, call


def is_silent(scan: Scan, call: ast.Call) -> bool:
    """Whether a call's arguments change no result: drawing, logging, files, and Python's own functions."""
    path = scan.path(call.func)
    if name_of(call.func) in WRITERS:
        return True
    if path is not None:
        return path.partition(".")[0].partition(":")[0] in SILENT_PACKAGES
    name = name_of(call.func)
    plain = isinstance(call.func, ast.Name) and name in dir(builtins) and name != "dict"
    return plain or name == "call"
