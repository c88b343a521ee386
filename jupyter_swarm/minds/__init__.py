"""How agents think. The classical mind needs no key and no network; it is found through the entry point like any
other.
"""

from __future__ import annotations

from importlib.metadata import entry_points

from jupyter_swarm.errors import UsageError
from jupyter_swarm.protocols import Mind

GROUP = "jupyter_swarm.minds"


def find(name: str) -> Mind:
    """A new mind of this name.

    Raises:
        UsageError: no installed package offers it.

    >>> find("classical").name
    'classical'
    """
    offers = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in offers:
        raise UsageError(f"there is no mind {name!r}", cure=f"one of {', '.join(sorted(offers))}")
    mind: Mind = offers[name].load()()
    return mind
