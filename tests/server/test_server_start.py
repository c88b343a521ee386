"""What the extension costs a server at its start, and that a swarm at work keeps the server alive."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rig import server, short, unfinished

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "jupyter"))
from faces import wait_for

from jupyter_swarm.workspace import Workspace

HEAVY = {
    "sqlalchemy", "numpy", "scipy", "pandas", "torch", "chromadb", "optuna", "papermill", "langchain", "matplotlib",
    "sklearn", "IPython", "ipywidgets", "psutil", "bm25s", "pypdf", "sentence_transformers", "rich", "nbformat",
}  # fmt: skip
START = """
import asyncio, json, sys, time
from jupyter_server.serverapp import ServerApp

async def main():
    app = ServerApp()
    app.initialize([f"--ServerApp.root_dir={sys.argv[1]}", "--port=0", "--allow-root"], new_httpserver=False)
    before, began = set(sys.modules), time.perf_counter()
    from jupyter_swarm.jupyter.server import extension
    imported = time.perf_counter()
    extension._load_jupyter_server_extension(app)
    loaded = time.perf_counter()
    figures = {"import": 1000 * (imported - began), "load": 1000 * (loaded - imported)}
    print("TOLD " + json.dumps({**figures, "modules": sorted(set(sys.modules) - before)}))

asyncio.run(main())
"""


def test_nothing_heavy_comes_with_the_extension(tmp_path: Path) -> None:
    whole = []
    for _ in range(3):
        found = told(START, tmp_path)
        assert not HEAVY & {name.partition(".")[0] for name in found["modules"]}
        own = {name for name in found["modules"] if name.startswith("jupyter_swarm.jupyter.server.")}
        names = ("activity", "base", "extension", "handlers")
        assert own == {f"jupyter_swarm.jupyter.server.{name}" for name in names}
        whole.append(found["import"] + found["load"])
        print(f"the extension at a server's start: {found['import']:.1f} + {found['load']:.1f} ms")
    assert min(whole) < 100, "some 10 ms on a quiet machine; benchmarks/panel.py measures it"


def told(script: str, root: Path, *options: str) -> dict[str, Any]:
    """What a script says that makes a real server application, with settings of its own, in a process of its own."""
    with short("h-") as home:
        private = {f"JUPYTER_{kind}": str(home / kind.lower()) for kind in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")}
        private |= {"JUPYTER_CONFIG_PATH": "", "JUPYTER_NO_CONFIG": "1"}
        usual = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
        command = [sys.executable, "-c", script, str(root), *options]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=90, env=usual | private, check=False, cwd=root
        )
    lines = [line for line in done.stdout.splitlines() if line.startswith("TOLD ")]
    assert lines, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(lines[0].removeprefix("TOLD "))
    return found


APP = """
import asyncio, json, os, sys, time
from jupyter_server.serverapp import ServerApp

async def main():
    app = ServerApp()
    options = ["--ServerApp.jpserver_extensions=jupyter_swarm=True", "--no-browser", "--port=0", "--allow-root"]
    app.initialize([f"--ServerApp.root_dir={sys.argv[1]}", *options, *sys.argv[2:]], new_httpserver=False)
    server, settings = app.web_app.settings["jupyter_swarm"], app.web_app.settings
    told = {"working": await server.activity.working()}
    from jupyter_swarm.jupyter.server.activity import KEY, Activity
    activity = Activity(server, every=0.1)
    activity.start()
    await asyncio.sleep(1.0)
    activity.stop()
    told["noted"] = KEY in settings["last_activity_times"]
    told["last"] = app.web_app.last_activity().timestamp() if told["noted"] else 0
    told["policy"] = os.environ.get("JUPYTER_SWARM_POLICY", "")
    for _ in range(50):  # a look may still be on its way
        links = [os.path.join("/proc/self/fd", each) for each in os.listdir("/proc/self/fd")]
        paths = [os.readlink(each) for each in links if os.path.lexists(each)]
        told["open"] = [path for path in paths if "/.swarm/" in path]
        if not told["open"]:
            break
        await asyncio.sleep(0.1)
    print("TOLD " + json.dumps(told))

asyncio.run(main())
"""


SPY = """
from tornado.ioloop import IOLoop

def _jupyter_server_extension_points():
    return [{"module": "zz_spy"}]

def _load_jupyter_server_extension(app):
    def look():
        print("TIMER", app.web_app.settings["jupyter_swarm"].activity._timer.is_running(), flush=True)
    IOLoop.current().call_later(0.1, look)
"""


def test_a_server_looks_by_itself_from_its_start(folder: Path) -> None:
    """As `jupyter server` starts it, before there is a running event loop."""
    (folder / "zz_spy.py").write_text(SPY, encoding="utf-8")
    spied = {"PYTHONPATH": str(folder)}
    with server(folder, "--ServerApp.jpserver_extensions=zz_spy=True", environment=spied) as served:
        wait_for(lambda: "TIMER" in served.log.read_text(), 20, "the spy's word")
        assert "TIMER True" in served.log.read_text()


@pytest.mark.slow
def test_a_runner_at_work_keeps_the_server_from_being_culled(live: Workspace) -> None:
    began = time.time()
    found = told(APP, live.folder.parent)
    assert (found["working"], found["noted"]) == (True, True)
    assert found["last"] >= began


@pytest.mark.slow
def test_it_does_so_within_the_limit_of_an_administrator(live: Workspace) -> None:
    found = told(APP, live.folder.parent, "--SwarmServer.keepalive_hours=0.000001")
    assert (found["working"], found["noted"]) == (False, False)
    assert json.loads(found["policy"]) == {"keepalive_hours": 1e-06}


@pytest.mark.slow
def test_a_swarm_without_a_runner_keeps_nothing_alive_and_a_broken_ledger_hides_no_other() -> None:
    with short() as folder:
        unfinished(folder / "lost").store.close()
        assert told(APP, folder)["working"] is False
        (folder / "broken" / ".swarm").mkdir(parents=True)
        (folder / "broken" / ".swarm" / "ledger.sqlite").write_bytes(b"this is no database" * 1000)
        lost = Workspace(folder / "lost")
        lost.store.lease("wine", "elsewhere:1", seconds=120)
        lost.store.close()
        assert told(APP, folder)["working"] is True


@pytest.mark.slow
def test_looking_for_swarms_at_work_leaves_no_ledger_open_and_no_odd_folder_hides_another(folder: Path) -> None:
    """A name with a backslash is one that the panel may not ask for."""
    for name in ("one", "two", "b\\c"):
        unfinished(folder / name).store.close()
    found = told(APP, folder)
    assert (found["working"], found["open"]) == (False, [])
    odd = Workspace(folder / "b\\c")
    odd.store.lease("wine", "elsewhere:1", seconds=120)
    odd.store.close()
    found = told(APP, folder)
    assert (found["working"], found["open"]) == (True, [])
