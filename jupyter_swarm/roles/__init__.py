"""The five roles. Each is found through the entry point `jupyter_swarm.roles`, the built-in ones included."""

from __future__ import annotations

from importlib.metadata import entry_points

from jupyter_swarm.errors import UsageError
from jupyter_swarm.protocols import Role

GROUP = "jupyter_swarm.roles"


def find_all() -> dict[str, Role]:
    """A new instance of every role that is installed, by name.

    Raises:
        UsageError: a role that is needed is missing (the package is not installed properly).

    >>> sorted(find_all())[:2]
    ['brainstorming', 'implementation']
    """
    roles: dict[str, Role] = {entry.name: entry.load()() for entry in entry_points(group=GROUP)}
    for name in ("literature", "brainstorming", "tuning", "validation"):
        if name not in roles:
            raise UsageError(f"the role {name!r} is not installed", cure="pip install --force-reinstall jupyter-swarm")
    return roles
