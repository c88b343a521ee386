"""What an interpreter has, asked by its path: `python -E probe.py`, a JSON object on standard input and output.

It imports only the standard library, and runs under Pythons that are too old for the rest, so that they can be told.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import platform
import sys
from importlib.metadata import entry_points


def look(names: list[str], sources: list[str]) -> dict[str, object]:
    """Versions of Python and of jupyter-swarm ("" for none), what is missing, and which source is no syntax here.

    Args:
        names: of packages, as they are imported.
        sources: Python code; "syntax" says what is wrong with the first that cannot be parsed.
    """
    return {
        "python": platform.python_version(),
        "prefix": sys.prefix,
        "swarm": _version(),
        "missing": [name for name in names if importlib.util.find_spec(name) is None],
        "syntax": next(filter(None, map(_wrong, sources)), ""),
    }


def _version() -> str:
    """Of jupyter-swarm, where it is installed: found on the path alone, it has no roles."""
    try:
        from jupyter_swarm.version import __version__
    except ImportError:
        return ""
    groups = entry_points()
    found = groups.select(group="jupyter_swarm.roles") if hasattr(groups, "select") else groups
    return __version__ if any(found) else ""


def _wrong(source: str) -> str:
    try:
        ast.parse(source)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    return ""


if __name__ == "__main__":
    del sys.path[0]  # the folder of this file
    asked = json.load(sys.stdin)
    json.dump(look(asked["names"], asked["sources"]), sys.stdout)
