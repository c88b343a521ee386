"""Tab: what may stand at the cursor of a line that begins with `%swarm` or `%%swarm`."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_swarm.errors import SwarmError
from jupyter_swarm.jupyter.options import Argument
from jupyter_swarm.jupyter.verbs import CELL, VERBS, Verb

if TYPE_CHECKING:
    from jupyter_swarm.state import SwarmState

_WORD = re.compile(r"""(?:"[^"]*"?|'[^']*'?|[^\s"'])+""")


def complete(before: str, body: str = "") -> tuple[str, list[str]]:
    """What is being written, and what it may become.

    Args:
        before: the line up to the cursor.
        body: what follows the line in its cell.

    >>> complete("%swarm st")
    ('st', ['status', 'steer', 'stop'])
    >>> complete("%%swarm wine --max")
    ('--max', ['--maximize'])
    >>> complete("%%swarm wine --maximize ", "loss = 1\\naccuracy = 2")
    ('', ['accuracy', 'loss'])
    """
    magic, _, line = before.lstrip().partition(" ")
    words = [match[0] for match in _WORD.finditer(line)]
    fragment = "" if not line or (line[-1].isspace() and _closed(words)) else words.pop()
    if magic == "%%swarm":
        return _arguments(CELL, words, fragment, body)
    if not words:
        return fragment, _verbs(fragment, (), "")
    verb = VERBS.get(words[0])
    if verb is None or verb.face == "terminal":
        return fragment, []
    return _arguments(verb, words[1:], fragment, body)


def _closed(words: Sequence[str]) -> bool:
    """Whether no quotation is open at the end."""
    return not words or all(words[-1].count(quote) % 2 == 0 for quote in "\"'")


def _arguments(verb: Verb, words: Sequence[str], fragment: str, body: str) -> tuple[str, list[str]]:
    options = {each.name: each for each in verb.arguments if each.option}
    name, equals, value = fragment.partition("=")
    if equals and name in options:
        return value, _values(options[name], words, value, body)
    if words and words[-1] in options and not options[words[-1]].flag:
        return fragment, _values(options[words[-1]], words, fragment, body)
    if fragment.startswith("-"):
        free = [each.name for each in options.values() if each.many or each.name not in words]
        return fragment, _starting([*free, "--help"], fragment)
    argument = _position(verb, words)
    found = _values(argument, words, fragment, body) if argument is not None else []
    if fragment or found:
        return fragment, found
    return fragment, [each.name for each in options.values() if each.many or each.name not in words]


def _position(verb: Verb, words: Sequence[str]) -> Argument | None:
    """The position at which the next word without dashes stands."""
    positions = [each for each in verb.arguments if not each.option]
    given = _given(verb, words)
    if len(given) < len(positions):
        return positions[len(given)]
    return positions[-1] if positions and positions[-1].many else None


def _given(verb: Verb, words: Sequence[str]) -> list[str]:
    """The words that are positions, without their quotation marks."""
    takes = {each.name for each in verb.arguments if each.option and not each.flag}
    given, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("--"):
            skip = word in takes
        else:
            given.append(word.strip("\"'"))
    return given


def _values(argument: Argument, words: Sequence[str], fragment: str, body: str) -> list[str]:
    """What this argument may be."""
    if argument.choices:
        return _starting(argument.choices, fragment)
    finder = _FINDERS.get(argument.completes)
    try:
        return finder(fragment, words, body) if finder is not None else []
    except (SwarmError, OSError):
        return []


def _starting(names: Iterable[str], fragment: str) -> list[str]:
    return [name for name in names if name.startswith(fragment)]


# ---------------------------------------------------------------- what there is


def _swarms(fragment: str, words: Sequence[str], body: str) -> list[str]:
    from jupyter_swarm import register
    from jupyter_swarm.workspace import Workspace

    return _starting(register.folders(Workspace()), fragment)


def _verbs(fragment: str, words: Sequence[str], body: str) -> list[str]:
    return _starting(sorted(verb.name for verb in VERBS.values() if verb.face != "terminal"), fragment)


def _directions(fragment: str, words: Sequence[str], body: str) -> list[str]:
    """Titles in quotation marks, of the swarm that is named before."""
    state = _steered(words)
    if state is None:
        return []
    titles = [each.title for each in state.directions.values() if not each.closed]
    asked = fragment.strip("\"'").lower()
    return [f'"{title}"' for title in titles if '"' not in title and asked in title.lower()]


def _agents(fragment: str, words: Sequence[str], body: str) -> list[str]:
    """Agents at work in the swarm that is named before."""
    state = _steered(words)
    return _starting((each.id for each in state.agents.values() if each.works), fragment) if state is not None else []


def _newcomers(fragment: str, words: Sequence[str], body: str) -> list[str]:
    """Roles by their short names; after a colon, the minds of the swarm that is named before."""
    role, colon, _ = fragment.partition(":")
    state = _steered(words)
    if colon and state is not None:
        minds = [str(state.option("mind", "classical")), *str(state.option("models", "")).split()]
        return _starting((f"{role}:{mind}" for mind in minds), fragment)
    return _starting(_roles(), fragment)


def _sizes(fragment: str, words: Sequence[str], body: str) -> list[str]:
    return _starting((f"{role}=" for role in _roles()), fragment)


def _roles() -> list[str]:
    from jupyter_swarm.engine.roster import SHORT

    return sorted(SHORT.values())


def _steered(words: Sequence[str]) -> SwarmState | None:
    """The state of the swarm that a line names to steer it."""
    from jupyter_swarm.api import Swarm

    given = _given(VERBS["steer"], words)
    return Swarm(given[0]).state if given else None


def _minds(fragment: str, words: Sequence[str], body: str) -> list[str]:
    from importlib.metadata import entry_points

    return _starting(sorted(entry.name for entry in entry_points(group="jupyter_swarm.minds")), fragment)


def _metrics(fragment: str, words: Sequence[str], body: str) -> list[str]:
    """Names that the cell assigns."""
    from jupyter_swarm import cell

    try:
        tree = ast.parse(cell.python(body))
    except (SyntaxError, SwarmError):
        return []
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return _starting(sorted(stored), fragment)


def _paths(fragment: str, words: Sequence[str], body: str) -> list[str]:
    """Files and folders; a folder ends in a slash, hidden ones come only where one asks for them."""
    if fragment.startswith(("module:", '"', "'")):
        return []
    folder, name = os.path.split(fragment)
    place = Path(folder).expanduser() if folder else Path.cwd()
    found = []
    for entry in sorted(place.iterdir()):
        if entry.name.startswith(name) and (name.startswith(".") or not entry.name.startswith(".")):
            path = os.path.join(folder, entry.name) + ("/" if entry.is_dir() else "")
            found.append(f'"{path}"' if " " in path else path)
    return found + _starting(["module:"], fragment)


_FINDERS: Mapping[str, Callable[[str, Sequence[str], str], list[str]]] = {
    "swarm": _swarms,
    "verb": _verbs,
    "direction": _directions,
    "agent": _agents,
    "newcomer": _newcomers,
    "size": _sizes,
    "mind": _minds,
    "metric": _metrics,
    "path": _paths,
}
