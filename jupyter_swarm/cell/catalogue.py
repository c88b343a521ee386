"""The catalogue: recipes of a cell's callables and of all that may stand for them, looked at once in the kernel."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator, Mapping
from typing import Any

from jupyter_swarm.cell import inspection
from jupyter_swarm.cell.scan import Scan, base_of, dotted, scanned
from jupyter_swarm.cell.slicing import sliced
from jupyter_swarm.errors import CellError
from jupyter_swarm.words import Analysis, Insert, Recipe, Swap


class Catalogue:
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
        if any(d.kind not in ("import", "mutate", "outer") for d in self._scan.given(base_of(func))):
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


def families(analysis: Analysis, catalogue: Catalogue) -> tuple[tuple[Swap, ...], tuple[Insert, ...]]:
    """Swaps of all calls that are free, and inserts for variadic calls whose steps have no siblings of their own."""
    slice_ = sliced(analysis.code, analysis)
    scan = slice_.scan
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


def _offer(paths: list[str], catalogue: Catalogue) -> tuple[str, ...]:
    for path in paths:
        catalogue.add(path, inspection.imported(path))
    return tuple(paths)


def _is_plumbing(value: Any) -> bool:
    """A function with a variadic parameter (`make_pipeline`) holds others together: nothing stands for it."""
    recipe = inspection.recipe("", value)
    return not recipe.shape and any(parameter.name.startswith("*") for parameter in recipe.parameters)
