"""The OpenAPI document of the routes: from the handlers' docstrings and the words themselves.

python -m jupyter_swarm.jupyter.server.openapi > docs/openapi.json
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from jupyter_swarm.jupyter.server import words as w
from jupyter_swarm.jupyter.server.base import LONGEST_WAIT
from jupyter_swarm.jupyter.server.handlers import MOST_EVENTS, ROUTES
from jupyter_swarm.version import __version__

REF = "#/components/schemas/{name}"
QUERY: dict[str, dict[str, Any]] = {
    "folder": {"type": "string", "description": "The workspace's folder, relative to the server's root."},
    "after": {"type": "integer", "minimum": 0, "description": "A cursor; 0 asks for everything."},
    "ledger": {"type": "string", "description": "The ledger that the cursor belongs to."},
    "alive": {"type": "string", "enum": ["0", "1"], "description": "What who asks knows of its runner."},
    "wait": {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT, "description": "Seconds to wait for news."},
    "limit": {"type": "integer", "minimum": 0, "maximum": MOST_EVENTS, "description": "Records at most."},
    "q": {"type": "string", "description": "Words to search for."},
    "start": {"type": "integer", "minimum": 0, "description": "First character."},
    "end": {"type": "integer", "minimum": 0, "description": "Character after the last; 0 for the usual length."},
}
PROBLEMS = {
    400: "it makes no sense", 403: "it is not allowed", 404: "there is no such thing", 413: "it is too large",
    423: "another program holds the ledger", 429: "it was asked too often", 503: "the ledger cannot be used",
}  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """A verb of a path: what is asked with, what comes back (None: any JSON), and what a body holds."""

    query: tuple[str, ...] = ()
    answer: type | None = None
    body: type | None = None


POLL = ("folder", "after", "ledger", "wait")
OPERATIONS: dict[tuple[str, str], Operation] = {
    ("get", "about"): Operation(answer=w.About),
    ("get", "workspaces"): Operation(answer=w.Places),
    ("get", "swarms"): Operation(POLL, w.Briefs),
    ("get", "swarms/{name}"): Operation((*POLL, "alive"), w.Changes),
    ("get", "swarms/{name}/events"): Operation(("folder", "after", "limit", "wait"), w.Events),
    ("get", "swarms/{name}/hypotheses/{id}"): Operation(("folder",), w.Hypothesis),
    ("get", "swarms/{name}/runs/{number}"): Operation(("folder",), w.Run),
    ("get", "swarms/{name}/runs/{number}/notebook"): Operation(("folder",)),
    ("post", "swarms/{name}/runs/{number}/notebook"): Operation(("folder",), w.Written),
    ("post", "swarms/{name}/requests"): Operation(("folder",), w.Taken, w.Ask),
    ("post", "swarms/{name}/report"): Operation(("folder",), w.Written),
    ("get", "papers"): Operation(("folder",), w.Papers),
    ("post", "papers"): Operation(("folder",), w.Additions, w.Sources),
    ("get", "papers/search"): Operation(("folder", "q"), w.Hits),
    ("get", "papers/{paper}"): Operation(("folder", "start", "end"), w.Text),
    ("put", "papers/files/{filename}"): Operation(("folder",), w.Additions, bytes),
    ("get", "openapi.json"): Operation(),
}


def document() -> dict[str, Any]:
    """The whole document.

    >>> sorted(document()["paths"]["/papers"])
    ['get', 'post']
    """
    types = [each for each in vars(w).values() if isinstance(each, type) and issubclass(each, w.Said)]
    _, schemas = msgspec.json.schema_components([each for each in types if each is not w.Said], ref_template=REF)
    paths: dict[str, dict[str, Any]] = {}
    for (method, path), operation in OPERATIONS.items():
        paths.setdefault(f"/{path}", {})[method] = _described(method, path, operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "jupyter-swarm", "version": __version__, "summary": "Swarms of a Jupyter server's folders."},
        "servers": [{"url": "/jupyter-swarm/api", "description": "Below the server's base URL."}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "Authorization"}},
        },
    }


def _described(method: str, path: str, operation: Operation) -> dict[str, Any]:
    handler = _HANDLERS[path]
    parameters = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}
        for part in path.split("/")
        if part.startswith("{")
    ]
    parameters += [
        {
            "name": name,
            "in": "query",
            "description": QUERY[name]["description"],
            "schema": {key: value for key, value in QUERY[name].items() if key != "description"},
        }
        for name in operation.query
    ]
    said = {"schema": _ref(operation.answer)} if operation.answer else {}
    problem = {"application/json": {"schema": _ref(w.Problem)}}
    found: dict[str, Any] = {
        "summary": " ".join((getattr(handler, method).__doc__ or "").replace("`words.", "`").split()),
        "description": handler.__doc__ or "",
        "operationId": f"{method}{handler.__name__}",
        "parameters": parameters,
        "responses": {
            "200": {"description": "done", "content": {"application/json": said}},
            **{str(code): {"description": why, "content": problem} for code, why in PROBLEMS.items()},
        },
    }
    if operation.body is bytes:
        found["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    elif operation.body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(operation.body)}}}
    return found


def _ref(kind: type) -> dict[str, str]:
    return {"$ref": REF.format(name=kind.__name__)}


_HANDLERS = dict(zip(dict.fromkeys(path for _, path in OPERATIONS), (handler for _, handler in ROUTES), strict=True))


if __name__ == "__main__":
    print(json.dumps(document(), indent=1))
