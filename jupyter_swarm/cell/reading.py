"""Reading a cell, once, in the kernel: static checks, then everything that may vary and everything that may not."""

from __future__ import annotations

import ast
import builtins
import difflib
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from jupyter_swarm.cell import credentials, inspection, lock, randomness, seeds
from jupyter_swarm.cell.bounds import recorded
from jupyter_swarm.cell.directives import directives
from jupyter_swarm.cell.finding import Found, find, find_all, matches
from jupyter_swarm.cell.leaks import leaks
from jupyter_swarm.cell.modules import Local, local
from jupyter_swarm.cell.names import names
from jupyter_swarm.cell.ranges import parse_vary
from jupyter_swarm.cell.scan import Scan, dotted, is_literal, name_of, scanned, value_of
from jupyter_swarm.cell.slicing import sliced
from jupyter_swarm.cell.syntax import mentioned, python, runs_files
from jupyter_swarm.cell.text import text_of
from jupyter_swarm.cell.vocabulary import BUILTINS, OF_THE_SHELL, VERBS
from jupyter_swarm.cell.written import written_out
from jupyter_swarm.errors import CellError
from jupyter_swarm.words import Analysis, Insert, Recipe, Scope, Swap

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
    catalogue = _Catalogue(first, namespace)
    catalogue.read_calls()
    second = msgspec.structs.replace(first, catalogue=dict(catalogue.recipes))
    families = _families(second, catalogue)
    third = msgspec.structs.replace(second, catalogue=dict(catalogue.recipes), swaps=families[0], inserts=families[1])
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


# ---------------------------------------------------------------- the catalogue


class _Catalogue:
    """Recipes of the cell's callables and of all that may stand for them."""

    def __init__(self, analysis: Analysis, namespace: Mapping[str, Any]) -> None:
        self.recipes: dict[str, Recipe] = {}
        self.objects: dict[str, Any] = {}
        self._scan: Scan = scanned(analysis.code, analysis)
        self._namespace = namespace
        self._own = self._import()

    def _import(self) -> dict[str, Any]:
        """What the cell's own imports give.

        Raises:
            CellError: a module is not installed, or has no such name.
        """
        found: dict[str, Any] = {}
        tried = {id(node) for node in self._tried()}
        for node in ast.walk(self._scan.tree):
            if id(node) in tried:
                continue
            if isinstance(node, ast.Import):
                for alias in node.names:
                    value = self._imported(alias.name, node.lineno)
                    top = alias.name.partition(".")[0]
                    found[alias.asname or top] = value if alias.asname else inspection.imported(top)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level and node.module != "__future__":
                for alias in node.names:
                    if alias.name != "*":
                        path = f"{node.module}:{alias.name}"
                        found[alias.asname or alias.name] = self._imported(path, node.lineno)
        return found

    def _tried(self) -> Iterator[ast.AST]:
        """Imports that may fail, since the cell catches it."""
        for node in ast.walk(self._scan.tree):
            if isinstance(node, ast.Try) and any(map(_catches_imports, node.handlers)):
                for statement in node.body:
                    yield from ast.walk(statement)

    def _imported(self, path: str, line: int) -> Any:
        try:
            return inspection.imported(path)
        except ModuleNotFoundError as error:
            raise CellError(
                f"the module {error.name!r} is not installed",
                where=f"line {line}",
                cure=f"install it for this kernel: %pip install {str(error.name).partition('.')[0]}",
            ) from None
        except (ImportError, AttributeError) as error:
            raise CellError(f"an import of the cell fails: {error}", where=f"line {line}") from None
        except Exception as error:
            what = f"an import of the cell fails: {type(error).__name__}: {error}"
            raise CellError(what, where=f"line {line}") from None

    def read_calls(self) -> None:
        """A recipe for each callable of the cell that can be resolved without running anything."""
        for call in self._scan.text.calls:
            found = self._resolved(call.func)
            if found is not None:
                self.add(*found)

    def add(self, path: str, value: Any) -> None:
        """A recipe for one callable, once."""
        if path not in self.recipes:
            self.recipes[path] = inspection.recipe(path, value)
            self.objects[path] = value

    def _resolved(self, func: ast.expr) -> tuple[str, Any] | None:
        """The path under which a code's call is known, and the live callable."""
        chain = dotted(func)
        if chain is None:
            return None
        root, *rest = chain.split(".")
        if any(d.kind not in ("import", "mutate") for d in self._scan.definitions.get(root, ())):
            return None
        space = self._own if root in self._own else self._namespace
        if root not in space:
            return None
        value, module = space[root], space[root] if isinstance(space[root], types.ModuleType) else None
        after: list[str] = []
        for part in rest:
            try:
                value = getattr(value, part)
            except Exception:  # lazy modules and properties may raise anything
                return None
            after.append(part)
            if isinstance(value, types.ModuleType):
                module, after = value, []
        if not callable(value) or isinstance(value, types.ModuleType):
            return None
        if module is not None:
            return f"{module.__name__}:{'.'.join(after)}", value
        if rest and not isinstance(space[root], type):
            return None
        path = self._scan.imported.get(root) or self._own_path(root, space[root])
        return (f"{path}.{'.'.join(rest)}" if rest else path, value) if path else None

    def _own_path(self, name: str, value: Any) -> str | None:
        """The path of a function or class of the notebook itself."""
        return f"__main__:{name}" if isinstance(value, (types.FunctionType, type)) else None


def _catches_imports(handler: ast.ExceptHandler) -> bool:
    said = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)} if handler.type else {"Exception"}
    return bool(said & {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


def _families(analysis: Analysis, catalogue: _Catalogue) -> tuple[tuple[Swap, ...], tuple[Insert, ...]]:
    """Swaps of all calls that are free, and inserts for variadic calls whose steps have no siblings of their own."""
    scan, slice_ = scanned(analysis.code, analysis), sliced(analysis.code, analysis)
    swaps, inserts = [], []
    for call in scan.text.calls:
        path = scan.path(call.func)
        if path is None or path not in catalogue.objects:
            continue
        if slice_.is_locked(call) or slice_.is_locked(call.func):
            continue
        candidates = _offer(inspection.siblings(catalogue.objects[path], path), catalogue)
        if candidates and not _is_plumbing(catalogue.objects[path]):
            swaps.append(Swap(name=scan.labels[id(call)], current=path, candidates=candidates, line=call.lineno))
        signature = scan.signature(call.func)
        steps = [argument for argument in call.args if isinstance(argument, ast.Call)]
        if signature is not None and signature.variadic and len(steps) == 1 == len(call.args):
            recipe = scan.recipe(steps[0].func)
            if recipe is not None and "fit" in recipe.shape and "transform" not in recipe.shape:
                offered = _offer(inspection.transformers(path.partition(":")[0].partition(".")[0]), catalogue)
                if offered:
                    name = f"{scan.labels[id(call)]}[0]"
                    inserts.append(Insert(name=name, candidates=offered, line=call.lineno))
    return tuple(swaps), tuple(inserts)


def _offer(paths: list[str], catalogue: _Catalogue) -> tuple[str, ...]:
    for path in paths:
        catalogue.add(path, inspection.imported(path))
    return tuple(paths)


def _is_plumbing(value: Any) -> bool:
    """A function with a variadic parameter (`make_pipeline`) holds others together: nothing stands for it."""
    recipe = inspection.recipe("", value)
    return not recipe.shape and any(parameter.name.startswith("*") for parameter in recipe.parameters)


# ---------------------------------------------------------------- scope and warnings


def _scope(analysis: Analysis) -> tuple[Scope, float | None]:
    """Over what a finding will hold: splits of the same data where the seed decides the split, else seeds."""
    scan = scanned(analysis.code, analysis)
    for call in scan.text.calls:
        recipe = scan.recipe(call.func)
        splits = recipe is not None and ("split" in recipe.shape.split("/") or "split" in name_of(call.func).lower())
        seeded = any(seeds.is_number(node) or isinstance(node, ast.Name) for node in _seeds_of(call, scan))
        if splits and seeded:
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
    yield from randomness.warnings(scan)


__all__ = ["VERBS", "read"]
