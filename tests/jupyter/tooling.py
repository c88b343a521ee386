"""Run by test_mcp.py in a process of its own: a Jupyter server on a folder, and its MCP tools called by a client.

python tooling.py FOLDER writes|reads NAME
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import json
import sys
from typing import Any

from fastmcp import Client, FastMCP
from fastmcp.exceptions import ToolError
from jupyter_server.serverapp import ServerApp


async def asked(client: Client[Any], tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool says, or why it does not."""
    try:
        found = await client.call_tool(tool, arguments)
    except ToolError as error:
        return {"error": str(error)}
    return dict(found.structured_content or {})


async def main(folder: str, writes: bool, name: str) -> dict[str, Any]:
    """Everything that the test looks at."""
    app = ServerApp.instance()
    options = [f"--ServerApp.root_dir={folder}", "--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root"]
    app.initialize(
        [*options, f"--SwarmServer.mcp_writes={writes}", "--ServerApp.jpserver_extensions=jupyter_swarm=True"]
    )
    (entry,) = importlib.metadata.entry_points(group="jupyter_server_mcp.tools", name="jupyter_swarm")
    server: FastMCP[Any] = FastMCP("test")
    for spec in entry.load()():
        module, _, function = spec.partition(":")
        server.tool(getattr(importlib.import_module(module), function))
    async with Client(server) as client:
        told = {
            "tools": sorted(each.name for each in await client.list_tools()),
            "list": await asked(client, "swarm_list"),
            "status": await asked(client, "swarm_status", name=name),
            "runs": await asked(client, "swarm_runs", name=name, after=2, limit=3),
            "run": await asked(client, "swarm_run", name=name, number=1),
            "outside": await asked(client, "swarm_list", folder="../.."),
            "missing": await asked(client, "swarm_status", name="nobody"),
            "papers": await asked(client, "papers_search", query="range of a column"),
            "events": await asked(client, "swarm_events", name=name, limit=2),
            "listed": (listed := await asked(client, "papers_list")),
            "text": await asked(client, "papers_read", paper=listed["papers"][0]["paper"]),
            "report": await asked(client, "swarm_report", name=name),
            "add": await asked(client, "papers_add", sources=["more.md"]),
            "stranger": await asked(client, "papers_add", sources=["../../*.md"]),
            "priority": await asked(client, "swarm_ask", name=name, verb="priority", target="D1", value="3"),
            "ask": await asked(client, "swarm_ask", name=name, verb="pause"),
            "nonsense": await asked(client, "swarm_ask", name=name, verb="explode"),
        }
    return told


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], sys.argv[2] == "writes", sys.argv[3]))))
