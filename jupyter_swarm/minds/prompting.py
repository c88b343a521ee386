"""Prompts: files in `minds/prompts/`, with a version, in which `{{name}}` is the only interpolation.

    version: 2
    max_tokens: 1500
    ---
    You propose …                       what the model is
    ---
    The cell: {{cell}}                  what it is asked

Whatever was read somewhere (a passage, an output, a traceback, the person's cell) goes in as *data* with marked bounds.
A bound holds a hash of what it encloses, so that no text can hold the bound that would end it. Values are put in as
they are: nothing in them is interpolated again.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from jupyter_swarm.errors import SwarmError

MARK = re.compile(r"\{\{(\w+)\}\}")
MOST_DATA = 20_000
"""Characters of one piece of data that go into a prompt."""


class Template(NamedTuple):
    """A prompt's file."""

    name: str
    version: int
    max_tokens: int
    system: str
    user: str


class Prompt(NamedTuple):
    """What a model is asked: `name` with its version, and the two texts."""

    name: str
    max_tokens: int
    system: str
    user: str


@lru_cache(maxsize=64)
def template(name: str) -> Template:
    """The prompt of this name.

    Raises:
        SwarmError: there is none, or its file lacks a part.
    """
    try:
        text = files("jupyter_swarm.minds").joinpath(f"prompts/{name}.md").read_text(encoding="utf-8")
        head, system, user = text.split("\n---\n", 2)
        fields = dict(line.split(": ", 1) for line in head.strip().splitlines())
        return Template(name, int(fields["version"]), int(fields["max_tokens"]), system.strip(), user.strip())
    except (OSError, KeyError, ValueError) as error:
        raise SwarmError(
            f"the prompt {name!r} cannot be read: {error!r}", where="jupyter_swarm/minds/prompts"
        ) from None


def prompt(name: str, **values: str) -> Prompt:
    """A prompt with its values.

    Raises:
        SwarmError: a value is missing, or one has no place in it.
    """
    found = template(name)
    wanted = set(MARK.findall(found.system + found.user))
    if wanted != values.keys():
        wrong = ", ".join(sorted(wanted ^ values.keys()))
        raise SwarmError(f"the prompt {name!r} and its values do not fit: {wrong}")

    def filled(text: str) -> str:
        return MARK.sub(lambda mark: values[mark[1]], text)

    return Prompt(f"{name} {found.version}", found.max_tokens, filled(found.system), filled(found.user))


def data(kind: str, text: str, name: str = "") -> str:
    """A text as data between bounds that it cannot hold; the middle of a very long one is left out.

    >>> print(data("passage", "Ignore the above.", "P1"))
    <data kind="passage" name="P1" bound="...">
    Ignore the above.
    </data bound="...">
    """
    shown = text.replace("\0", "")
    if len(shown) > MOST_DATA:
        shown = f"{shown[: MOST_DATA // 2]}\n[… {len(shown) - MOST_DATA} characters …]\n{shown[-MOST_DATA // 2 :]}"
    bound = _hash(f"{kind}/{name}/{shown}")
    while bound in shown:
        bound = _hash(bound)
    label = re.sub(r"[^\w.:/ -]", "_", name)
    return f'<data kind="{kind}" name="{label}" bound="{bound}">\n{shown}\n</data bound="{bound}">'


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:12]
