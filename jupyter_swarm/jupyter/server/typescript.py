"""TypeScript types of what the server says and of the ledger's events, from the Python classes themselves.

    python -m jupyter_swarm.jupyter.server.typescript > labextension/src/words.ts

Each msgspec struct becomes an interface, through the JSON schema that msgspec makes of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from jupyter_swarm import events
from jupyter_swarm.jupyter.server import words

HEAD = "// Written by `python -m jupyter_swarm.jupyter.server.typescript`: change the Python classes, not this file."
SIMPLE = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
REF = "#/types/"

Schema = Mapping[str, Any]


def answers() -> list[type]:
    """The words of the interface, in the order in which they are declared."""
    every = [each for each in vars(words).values() if isinstance(each, type) and issubclass(each, words.Said)]
    return [each for each in every if each is not words.Said]


def typescript() -> str:
    """The whole file.

    >>> "export interface Changes" in typescript(), "kind: 'pause-requested'" in typescript()
    (True, True)
    """
    _, plain = msgspec.json.schema_components(answers(), ref_template=REF + "{name}")
    _, told = msgspec.json.schema_components([events.AnyEvent], ref_template=REF + "{name}")
    parts = [f"{HEAD}\n"]
    parts += [declared(name, schema) for name, schema in plain.items()]
    kinds = [each.__name__ for each in events.AnyEvent.__args__]
    parts.append("// ---------------------------------------------------------------- the ledger\n")
    parts += [declared(f"Ledger{name}", schema, "Ledger") for name, schema in told.items()]
    union = "\n".join(f"  | Ledger{name}" for name in kinds)
    parts.append(f"export type LedgerEvent =\n{union};\n")
    return "\n".join(parts)


def declared(name: str, schema: Schema, prefix: str = "") -> str:
    """An interface.

    >>> print(declared("Parts", {"type": "object", "properties": {"n": {"type": "integer"}}, "required": []}))
    export interface Parts {
      n?: number;
    }
    <BLANKLINE>
    """
    properties, required = schema.get("properties", {}), set(schema.get("required", ()))
    whole = name in _said()
    lines = [
        f"  {field}{'' if whole or field in required else '?'}: {written(each, prefix)};"
        for field, each in properties.items()
    ]
    note = " ".join(str(schema.get("description", "")).split("\n\n")[0].split())
    head = f"/** {note} */\n" if note else ""
    return f"{head}export interface {name} {{\n" + "\n".join(lines) + "\n}\n"


@cache
def _said() -> frozenset[str]:
    """Names of what the server says, with every field; in what it is told, and in the ledger, defaults are left out."""
    return frozenset(each.__name__ for each in answers() if each not in (words.Ask, words.Sources))


def written(schema: Schema, prefix: str = "") -> str:
    """A type.

    >>> written({"anyOf": [{"type": "number"}, {"type": "null"}]}), written({"type": "array", "items": {}})
    ('number | null', 'unknown[]')
    """
    if schema.get("title") == "LedgerEvent":
        return "LedgerEvent"
    if "$ref" in schema:
        return prefix + str(schema["$ref"]).removeprefix(REF)
    if parts := schema.get("anyOf"):
        return " | ".join(dict.fromkeys(written(each, prefix) for each in parts))
    if values := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        return " | ".join(map(_literal, values))
    kind = schema.get("type")
    if kind in ("array", "object"):
        return _several(schema, prefix)
    kinds = kind if isinstance(kind, list) else [str(kind)]
    return " | ".join(SIMPLE.get(each, "unknown") for each in kinds)


def _several(schema: Schema, prefix: str) -> str:
    if schema["type"] == "object":
        return f"{{ [key: string]: {written(schema.get('additionalProperties') or {}, prefix)} }}"
    if "prefixItems" in schema:
        return f"[{', '.join(written(each, prefix) for each in schema['prefixItems'])}]"
    inner = written(schema.get("items") or {}, prefix)
    return f"({inner})[]" if "|" in inner else f"{inner}[]"


def _literal(value: object) -> str:
    return re.sub(r'^"(.*)"$', r"'\1'", json.dumps(value))


if __name__ == "__main__":
    print(typescript(), end="")
