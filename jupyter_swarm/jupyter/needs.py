"""What a kernel's or a terminal's own environment needs of ours: a few light packages. What is heavy stays with the
runner, which may live in another environment (`engine/environments.py`).
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from jupyter_swarm.errors import UsageError

if TYPE_CHECKING:
    from jupyter_swarm.jupyter.verbs import Face

LIGHT = {
    "cloudpickle": "cloudpickle",
    "IPython": "ipykernel",
    "ipywidgets": "ipywidgets",
    "msgspec": "msgspec",
    "rich": "rich",
    "sqlalchemy": "sqlalchemy",
}
"""Package, as it is imported → what installs it."""


def lacking(names: Iterable[str]) -> list[str]:
    """Packages that are not installed here, as they are imported.

    >>> lacking(["json", "no_such_package"])
    ['no_such_package']
    """
    return [name for name in names if name not in sys.modules and importlib.util.find_spec(name) is None]


def check(face: Face) -> None:
    """See to it that all of it is there.

    Raises:
        UsageError: something is not; the message says how it is installed.
    """
    missing = lacking(LIGHT)
    if not missing:
        return
    pip = "%pip" if face == "notebook" else f"{sys.executable} -m pip"
    raise UsageError(
        f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed in this environment",
        where=sys.prefix,
        cure=f"{pip} install {' '.join(LIGHT[name] for name in missing)}",
    )
