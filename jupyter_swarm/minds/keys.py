"""Keys of providers: from the environment, a keyring, or a file that its owner alone can read. No key is ever shown.

~/.config/jupyter-swarm/keys.toml        OPENAI_API_KEY = "…"
"""

from __future__ import annotations

import contextlib
import json
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from jupyter_swarm.errors import UsageError

SERVICE = "jupyter-swarm"
FILE = "keys.toml"
SHORTEST = 16
"""Characters of a key that is looked for in what models say."""
_known: set[str] = set()
"""Keys that were found in this process, so that no message shows one."""


class Key(NamedTuple):
    """A key and where it was found."""

    value: str
    source: str

    def __repr__(self) -> str:
        return f"Key(source={self.source!r})"


def find(variable: str) -> Key | None:
    """The key of this name; None where there is none.

    Raises:
        UsageError: the file can be read by others, or is none.
    """
    key = next(_found(variable), None)
    if key is not None:
        _known.add(key.value)
    return key


def hidden(text: str) -> str:
    """A text in which no key stands that was found here."""
    for value in _known:
        text = text.replace(value, "[a key]")
    return text


def hidden_in(body: bytes) -> bytes:
    """JSON in which no key stands that was found here. What is so short that it may be a word is no secret.

    >>> hidden_in(b'{"text": "Yes."}')
    b'{"text": "Yes."}'
    """
    for value in _known:
        if len(value) >= SHORTEST:
            body = body.replace(json.dumps(value)[1:-1].encode(), b"[a key]")
    return body


def file() -> Path:
    """Where the file of keys lies."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / SERVICE / FILE


def _found(variable: str) -> Iterator[Key]:
    if value := os.environ.get(variable, "").strip():
        yield Key(value, "environment")
    if value := _in_keyring(variable):
        yield Key(value, "keyring")
    if value := _in_file(variable):
        yield Key(value, str(file()))


def _in_keyring(variable: str) -> str:
    with contextlib.suppress(Exception):  # none is installed, or nobody can unlock it here
        import keyring

        return (keyring.get_password(SERVICE, variable) or "").strip()
    return ""


def _in_file(variable: str) -> str:
    path = file()
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8")
    except OSError:
        return ""
    if mode & 0o077:
        raise UsageError(f"others can read the keys in {path}", cure=f"chmod 600 {path}")
    try:
        value = tomllib.loads(text).get(variable, "")
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"the keys in {path} cannot be read: {error}", cure='lines as in OPENAI_API_KEY = "…"'
        ) from None
    return value.strip() if isinstance(value, str) else ""
