"""Keys, tokens, passwords and connection strings: known by their names and by their looks, and never taken along."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

_NAME = re.compile(
    r"(.*_)?(api_?key|secret(_?key)?|access_?key|private_?key|client_secret|token|auth|passw(or)?d|pwd|passphrase|"
    r"credentials?|conn(ection)?_?str(ing)?|dsn)",
    re.IGNORECASE,
)
_LOOKS = re.compile(
    r"""\b(sk|pk|rk)[-_](live_|test_|proj-|ant-|or-)?[A-Za-z0-9_-]{20,}   # of services for models and payments
    | \bgh[pousr]_[A-Za-z0-9]{30,} | \bgithub_pat_\w{20,} | \bglpat-[\w-]{18,} | \bxox[abprs]-[\w-]{10,}
    | \b(AKIA|ASIA)[A-Z0-9]{16}\b | \bAIza[\w-]{30,} | \b(hf|npm)_[A-Za-z0-9]{30,} | \bpypi-[\w-]{40,}
    | \beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}                             # a signed token
    | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----
    | \b[a-z][a-z0-9+.-]*://[^\s/:@]+:[^\s/@]+@[^\s/]+                    # user and password in an address
    | \b(AccountKey|SharedAccessKey|Password|Pwd)=[^;\s]{6,}""",
    re.VERBOSE,
)
DEEPEST, MOST = 4, 1_000
LONGEST = 100_000
"""Text of which so much is looked at."""


def is_name(name: str) -> bool:
    """Whether a name is that of a key, a token or a password.

    >>> is_name("OPENAI_API_KEY"), is_name("db_pwd"), is_name("tokens"), is_name("author")
    (True, True, False, False)
    """
    return _NAME.fullmatch(name) is not None


def looks(text: str) -> bool:
    """Whether a text holds what looks like a credential.

    >>> looks("postgresql://me:word@host/db"), looks("https://host/a:b@c"), looks("a sentence")
    (True, False, False)
    """
    return _LOOKS.search(text[:LONGEST]) is not None


def found(name: str, value: Any) -> str | None:
    """Where in a variable there is a credential, as Python would reach it; None where there is none.

    >>> found("settings", {"url": "x", "login": {"password": "hush"}})
    "settings['login']['password']"
    """
    return next(_places(name, name, value, 0), None)


def in_code(tree: ast.AST) -> int | None:
    """The line of a text in a code that looks like a credential; None where there is none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and looks(node.value):
            return node.lineno
    return None


def _places(path: str, name: str, value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, (str, bytes)):
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        if text and (is_name(name) or looks(text)):
            yield path
    elif depth < DEEPEST:
        for step, key, each in _inside(value):
            yield from _places(path + step, key, each, depth + 1)


def _inside(value: Any) -> Iterator[tuple[str, str, Any]]:
    """Parts of a value: how they are reached, under which name, and what they are."""
    if isinstance(value, Mapping):
        for key, each in list(value.items())[:MOST]:
            yield f"[{key!r}]", key if isinstance(key, str) else "", each
    elif isinstance(value, (list, tuple)):
        for place, each in enumerate(value[:MOST]):
            yield f"[{place}]", "", each
    elif type(value).__module__ == "__main__" and isinstance(getattr(value, "__dict__", None), dict):
        for name, each in list(vars(value).items())[:MOST]:
            yield f".{name}", name, each
