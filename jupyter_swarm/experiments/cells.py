"""The source of the cells around an experiment's own code: inputs and result.

They are plain Python that needs nothing of ours, since the notebook is kept and may be run again anywhere.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from jupyter_swarm.experiments.worker import captured
from jupyter_swarm.words import Context

_LOAD = '''
def _swarm_load(path, names, parameters, python):
    """What the cell took from its notebook; its functions read the globals of this one."""
    import os
    import sys

    if not os.path.exists(path):
        raise FileNotFoundError(
            f"the captured variables {', '.join(names)} are no longer at {path}; "
            "run the %%swarm cell again, so that they are captured anew"
        )
    if python and sys.version_info[:2] != tuple(map(int, python.split(".")[:2])):
        raise RuntimeError(
            f"the captured variables are of Python {python}, and this kernel is Python {sys.version.split()[0]}: "
            "choose a kernel of that Python, with the packages that this notebook's metadata name"
        )

    kept = {name: globals()[name] for name in parameters}
    values = getattr(sys, "swarm_captures", {}).pop(path, None)  # there where a zygote has loaded it before
    if values is None:
        values = _swarm_read(path, globals())
    globals().update({name: values[name] for name in names} | kept)
'''

_SEED = '''
def _swarm_seed(seed, libraries):
    """Seed every library that is here, and those that the cell imports."""
    import importlib
    import random
    import sys

    random.seed(seed)
    for library, call in {"numpy": "random.seed", "torch": "manual_seed", "tensorflow": "random.set_seed"}.items():
        if library in sys.modules or library in libraries:
            try:
                function = importlib.import_module(library)
            except ImportError:
                continue
            for part in call.split("."):
                function = getattr(function, part)
            function(seed % 2**32)
'''

_RESULT = '''
def _swarm_result(metric, names, mime, record):
    """Show the metric as one typed value, or why there is none, and what else is recorded."""
    import math
    from numbers import Complex, Real

    from IPython.display import display

    found = {"metric": metric, "value": None, "type": "missing", "reason": "missing"}
    if metric in names:
        value = names[metric]
        found["type"] = type(value).__name__
        scalar = isinstance(value, Real) or (
            not isinstance(value, (str, bytes, Complex))
            and tuple(getattr(value, "shape", (0,))) == ()
            and getattr(getattr(value, "dtype", None), "kind", "f") in "biuf"
        )
        try:
            number = float(value) if scalar else None
        except OverflowError:
            number = math.inf
        except (TypeError, ValueError, RuntimeError):
            number = None
        if number is not None and math.isfinite(number):
            found.update(value=number)
            del found["reason"]
        elif number is not None:
            found.update(reason="nonfinite", shown=str(number))
    for name in record:
        try:
            number = float(names[name])
        except (KeyError, TypeError, ValueError, OverflowError, RuntimeError):
            continue
        if math.isfinite(number):
            found.setdefault("values", {})[name] = number
    shown = found["value"] if found["value"] is not None else found.get("shown", found["type"])
    display({mime: found, "text/plain": f"{metric} = {shown}"}, raw=True)
'''


def inputs(context: Context, captures: Path, parameters: Collection[str], code: str) -> str:
    """Imports, captured names, cells that make the rest, and seeds. Parameters are never overwritten by captured names.

    Args:
        context: imports and captures.
        captures: the folder of the pickles.
        parameters: names that the parameters cell has assigned.
        code: the experiment's code, whose imports decide what is seeded.
    """
    parts = []
    if context.modules:
        path = str((captures / f"{context.modules}.zip").absolute())
        parts.append(f"import sys\n\nif {path!r} not in sys.path:\n    sys.path.insert(0, {path!r})")
    if context.imports:
        parts.append("\n".join(context.imports))
    names = [c.name for c in context.captures if c.kind != "import" and c.name not in parameters]
    if context.pickle and names:
        path = str((captures / f"{context.pickle}.pkl").absolute())
        call = f"_swarm_load({path!r}, {names!r}, {sorted(parameters)!r}, {context.python_version!r})"
        parts.append(f"{_reading()}\n\n\n{_LOAD.strip()}\n\n\n{call}\ndel _swarm_load, _swarm_read")
    parts += [each.strip("\n") for each in context.setup]
    parts.append(seeding("seed", context.imports, code))
    return "\n\n".join(parts)


@functools.cache
def _reading() -> str:
    """The source of the function that loads a file of captures, as a zygote has it."""
    return inspect.getsource(captured.load).replace("def load(", "def _swarm_read(", 1).strip()


def seeding(seed: int | str, imports: tuple[str, ...], code: str) -> str:
    """Seed every library that is there, and those that the cell imports.

    Args:
        seed: a number, or the name that has it.
        imports: statements of the context.
        code: the experiment's code.
    """
    return _SEED.strip() + f"\n\n\n_swarm_seed({seed}, {_libraries(imports, code)!r})\ndel _swarm_seed"


@functools.lru_cache(maxsize=256)
def _libraries(imports: tuple[str, ...], code: str) -> list[str]:
    return sorted({"numpy"} | imported((*imports, code)))


def result(metric: str, mime: str, record: Sequence[str] = ()) -> str:
    """Display the metric as `mime`, and the values of other names with it."""
    call = f"_swarm_result({metric!r}, globals(), {mime!r}, {list(record)!r})"
    return _RESULT.strip() + f"\n\n\n{call}\ndel _swarm_result"


def import_statements(sources: Iterable[str]) -> tuple[str, ...]:
    """The import statements of these sources, wherever they stand, each once; those of future features left out.

    >>> import_statements(["import torch.nn as nn", "def f():\\n    from sklearn.svm import SVC", "%magic"])
    ('import torch.nn as nn', 'from sklearn.svm import SVC')
    """
    found: dict[str, None] = {}
    for node in _nodes(sources):
        absolute = isinstance(node, ast.ImportFrom) and not node.level and node.module != "__future__"
        if isinstance(node, ast.Import) or absolute:
            found[ast.unparse(node)] = None
    return tuple(found)


def imported(sources: Iterable[str]) -> set[str]:
    """Top-level names of the packages that these sources import.

    >>> sorted(imported(["import torch.nn as nn", "from sklearn.svm import SVC", "%magic"]))
    ['sklearn', 'torch']
    """
    found = set()
    for node in _nodes(sources):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def _nodes(sources: Iterable[str]) -> Iterator[ast.AST]:
    """Every node of the sources that are plain Python."""
    for source in sources:
        with contextlib.suppress(SyntaxError):
            yield from ast.walk(ast.parse(source))
