"""Reading a cell, once, in the kernel: static checks, then everything that may vary and everything that may not."""

from __future__ import annotations

import ast
import builtins
import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from jupyter_swarm.cell import credentials, insample, inspection, lock, randomness, seeds
from jupyter_swarm.cell.bounds import recorded
from jupyter_swarm.cell.catalogue import Catalogue, families
from jupyter_swarm.cell.directives import directives
from jupyter_swarm.cell.finding import Found, find, find_all, matches
from jupyter_swarm.cell.leaks import leaks
from jupyter_swarm.cell.modules import Local, local
from jupyter_swarm.cell.nameable import nameable
from jupyter_swarm.cell.names import names
from jupyter_swarm.cell.ranges import parse_vary
from jupyter_swarm.cell.scan import Scan, is_literal, name_of, scanned, value_of
from jupyter_swarm.cell.syntax import mentioned, python, runs_files
from jupyter_swarm.cell.text import text_of
from jupyter_swarm.cell.vocabulary import BUILTINS, OF_THE_SHELL, VERBS
from jupyter_swarm.cell.written import written_out
from jupyter_swarm.errors import CellError
from jupyter_swarm.words import Analysis, Recipe, Scope

_FOLDS = ("n_splits", "cv", "n_folds", "folds", "k")


def read(
    code: str,
    *,
    metric: str,
    namespace: Mapping[str, Any],
    vary: Sequence[str] = (),
    fix: Sequence[str] = (),
    record: Sequence[str] = (),
    keep: Sequence[str] = (),
    setup: Sequence[str] = (),
    done: int = 0,
    folder: Path | str = "",
) -> Analysis:
    """Everything that agents may know of a cell.

    Modules that the cell itself imports are imported here, to look at their callables.

    Args:
        code: its source, as typed in IPython (`syntax.py`).
        metric: the name whose value counts.
        namespace: the notebook's variables.
        vary: names of what alone may vary, also `name=low..high log` or `name=a|b`; () for all.
        fix: names of what may not.
        record: names whose values each run records besides the metric.
        keep: conditions that a variation has to keep, as in "latency_ms <= 5".
        setup: cells that are executed before it each time: what they make is not taken from the notebook.
        done: so many of the first lines have been executed in the notebook before.
        folder: where relative paths of the cell resolve; the current one where not given.

    Raises:
        CellError: it does not parse, never assigns the metric, uses a name that exists nowhere, imports what is not
            installed, or `vary` and `fix` name nothing.

    >>> read("loss = abs(x - 0.5)", metric="loss", namespace={"x": 1.0}).names
    ('x',)
    """
    code = python(code)
    if not text_of(code).tree.body:
        raise CellError("the cell is empty", cure="write in it what should be measured")
    _check_credentials(code, setup)
    made, more = _made(setup, namespace)
    typed = code
    code = written_out(typed, {name: value for name, value in namespace.items() if name not in made}, Path(folder))
    done += code.count("\n") - typed.count("\n")
    tree = text_of(code).tree
    _check_metric(code, metric)
    for name in recorded(record, keep):
        _check_metric(code, name, "which is to be recorded")
    needed = _needed(tree, namespace)
    needed |= nameable(tree, needed, namespace)
    mine = local([tree, *(text_of(python(each)).tree for each in setup)], Path(folder))
    first = Analysis(
        code=code,
        question=_question(tree),
        metric=metric,
        fixed=tuple(fix),
        vary=tuple(vary),
        record=tuple(record),
        keep=tuple(keep),
        own=tuple(sorted(mine.names)),
        names=tuple(sorted(name for name in (needed - made) | more if name in namespace)),
        imported=dict(_imported(needed, namespace)),
    )
    catalogue = Catalogue(first, namespace)
    catalogue.read_calls()
    second = msgspec.structs.replace(first, catalogue=dict(catalogue.recipes))
    swaps, inserts = families(second, catalogue)
    third = msgspec.structs.replace(second, catalogue=dict(catalogue.recipes), swaps=swaps, inserts=inserts)
    _check_wishes(find_all(code, third), third)
    found = find(code, third).sites
    scope, ratio = _scope(third)
    return msgspec.structs.replace(
        third,
        knobs=found.knobs,
        swaps=found.swaps,
        inserts=found.inserts,
        blocks=found.blocks,
        locked=lock.locked(third),
        scope=scope,
        test_ratio=ratio,
        warnings=(*_warnings(third), *_changed(third, done), *_left(mine)),
        leaks=leaks(third, {name: value for name, value in namespace.items() if name not in made}, catalogue.objects),
    )


# ---------------------------------------------------------------- static checks


def _check_metric(code: str, metric: str, what: str = "the metric") -> None:
    scan = scanned(code, Analysis(code=code, metric=metric))
    kinds = {definition.kind for definition in scan.definitions.get(metric, ())}
    if kinds & {"assign", "element", "mutate", "loop", "with"}:
        return
    assigned = [name for name, found in scan.definitions.items() if any(d.kind in ("assign", "element") for d in found)]
    near = difflib.get_close_matches(metric, assigned, n=3, cutoff=0.5) or assigned[-3:]
    raise CellError(
        f"the cell never assigns {metric!r}, {what}",
        cure=f"{metric} = … in the cell" + (f", or another name: {', '.join(near)}" if near else ""),
    )


def _check_credentials(code: str, setup: Sequence[str]) -> None:
    """A cell is kept and shown: no key may stand in it."""
    for each, where in ((code, "line"), *((python(each), "--setup, line") for each in setup)):
        if (line := credentials.in_code(text_of(each).tree)) is not None:
            raise CellError(
                "the cell holds what looks like a credential, and cells are kept",
                where=f"{where} {line}",
                cure="read it from a file or the environment, in a cell before this one",
            )


def _question(tree: ast.Module) -> str:
    """The first text that stands by itself."""
    for node in tree.body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return " ".join(node.value.value.split())
    return ""


def _needed(tree: ast.Module, namespace: Mapping[str, Any]) -> set[str]:
    """Names that the notebook has to lend.

    Raises:
        CellError: one of them exists nowhere.
    """
    found = names(tree)
    stars = runs_files(tree) or any(
        isinstance(n, ast.ImportFrom) and any(a.name == "*" for a in n.names) for n in ast.walk(tree)
    )
    for name, line in found.needed.items():
        if name in namespace or name in BUILTINS or name in found.bound or name == "seed" or stars:
            continue
        near = difflib.get_close_matches(name, [*namespace, *found.bound, *dir(builtins)], n=3, cutoff=0.7)
        raise CellError(
            f"the name {name!r} exists nowhere: neither the cell nor the notebook gives it a value",
            where=f"line {line}",
            cure=f"{' or '.join(near)}, or run the cell that makes it" if near else "run the cell that makes it",
        )
    # A name that the notebook lends although a built-in has it too is the notebook's.
    return {*found.needed} - OF_THE_SHELL | (mentioned(tree) & namespace.keys() - found.bound)


def _made(setup: Sequence[str], namespace: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """What cells make that are executed before, and what they need."""
    trees = [text_of(python(each)).tree for each in setup]
    found = names(ast.Module(body=[node for tree in trees for node in tree.body], type_ignores=[]))
    said = set().union(*map(mentioned, trees))
    return found.bound, {*found.needed} - OF_THE_SHELL | said & namespace.keys() - found.bound


def _changed(analysis: Analysis, done: int) -> Iterator[str]:
    """What the cell takes from the notebook and has changed there already."""
    for name in analysis.names:
        for each in scanned(analysis.code, analysis).definitions.get(name, ()):
            call = each.node.value if isinstance(each.node, ast.Expr) else None
            told = call is None or (isinstance(call, ast.Call) and any(k.arg == "inplace" for k in call.keywords))
            if each.kind == "mutate" and told and each.node.lineno <= done:
                yield (
                    f"line {each.node.lineno} changes {name}, which is taken from the notebook as it is now, after "
                    f"that: join the cell that makes {name}, too (--cells)"
                )
                break


def _left(found: Local) -> Iterator[str]:
    for name, why in sorted(found.left.items()):
        yield f"{name} stays where it is, since {why}: leave it as it is while the swarm works"


def _imported(needed: set[str], namespace: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in sorted(needed):
        if name in namespace and (path := inspection.origin(namespace[name])) is not None:
            yield name, path


def _check_wishes(everything: Found, analysis: Analysis) -> None:
    known = everything.sites.names
    wishes = [("--vary", parse_vary(text).name) for text in analysis.vary]
    wishes += [("--fix", name) for name in analysis.fixed]
    for option, wish in wishes:
        if any(matches(name, wish) for name in known):
            continue
        if any(matches(name, wish) for name in everything.locked_names):
            raise CellError(f"{wish} is locked", where=f"{option} {wish}", cure="mark its line with #: free")
        near = difflib.get_close_matches(wish, known, n=4, cutoff=0.4) or list(known[:8])
        raise CellError(
            f"nothing in the cell that may vary is called {wish!r}",
            where=f"{option} {wish}",
            cure=" or ".join(near) if near else "--plan shows what may vary",
        )


# ---------------------------------------------------------------- scope and warnings


def _scope(analysis: Analysis) -> tuple[Scope, float | None]:
    """Over what a finding will hold: splits of the same data where the seed decides the split, else seeds."""
    scan = scanned(analysis.code, analysis)
    for call in scan.text.calls:
        recipe = scan.recipe(call.func)
        splits = recipe is not None and ("split" in recipe.shape.split("/") or "split" in name_of(call.func).lower())
        if splits and any(seeds.is_number(node) or isinstance(node, ast.Name) for node in _seeds_of(call, scan)):
            return "splits", _test_ratio(call, recipe)
    return "seeds", None


def _seeds_of(call: ast.Call, scan: Scan) -> Iterator[ast.expr]:
    given = {id(node) for node in (*call.args, *(keyword.value for keyword in call.keywords))}
    yield from (node for node in seeds.values(scan) if id(node) in given)


def _test_ratio(call: ast.Call, recipe: Recipe | None) -> float | None:
    """Test rows over training rows: 1/(k − 1) for k folds, t/(1 − t) for a share t."""
    given: dict[str, Any] = {k.arg: value_of(k.value) for k in call.keywords if k.arg and is_literal(k.value)}
    names_ = [parameter.name for parameter in recipe.parameters] if recipe is not None else []
    given |= {name: value_of(a) for name, a in zip(names_, call.args, strict=False) if is_literal(a)}
    defaults = {p.name: p.knob.value for p in (recipe.parameters if recipe else ()) if p.knob is not None}
    share = given.get("test_size")
    if isinstance(share, float) and 0 < share < 1:
        return share / (1 - share)
    for name in _FOLDS:
        folds = given.get(name, defaults.get(name))
        if isinstance(folds, int) and not isinstance(folds, bool) and folds > 1:
            return 1 / (folds - 1)
    return 1 / 3 if "test_size" in names_ or "split" in name_of(call.func) else None


def _warnings(analysis: Analysis) -> Iterator[str]:
    scan = scanned(analysis.code, analysis)
    for line, said in directives(analysis.code).unknown.items():
        yield f"line {line}: `#: {said}` is neither a range, nor choices, nor fixed, lock or free"
    yield from insample.warnings(scan)
    yield from randomness.warnings(scan)


__all__ = ["VERBS", "read"]
