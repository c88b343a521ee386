"""How soon one can begin: `%load_ext jupyter_swarm` in a fresh IPython, and the first `%%swarm` until its view shows.

    python benchmarks/startup.py [--quick]

Prints one JSON object last. `load_ext_s` and `view_s` are medians over fresh processes; `heavy_modules` are those of
torch, chromadb, langchain, papermill, optuna and sentence_transformers that either has imported. The cell is
`notebooks/wine.py`, in a real kernel, in a folder of its own; its swarm is stopped. One more of each comes first and is
not counted: it compiles the modules, as installing a package does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from jupyter_swarm import Swarm, Workspace
from jupyter_swarm.errors import UsageError
from jupyter_swarm.jupyter.source import percent_cells

HEAVY = ("torch", "chromadb", "langchain", "papermill", "optuna", "sentence_transformers")
WINE = Path(__file__).parents[1] / "notebooks" / "wine.py"
WIDGET = "application/vnd.jupyter.widget-view+json"
LOADING = f"""
import json, sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
began = time.perf_counter()
shell.run_line_magic("load_ext", "jupyter_swarm")
seconds = time.perf_counter() - began
assert shell.find_cell_magic("swarm") is not None
print(json.dumps([seconds, [name for name in {HEAVY!r} if name in sys.modules]]))
"""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: under a minute")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="jupyter-swarm-") as compiled:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        seconds, heavy = loading(5 if quick else 15, environment)
        first_view(environment)
        views, more = zip(*(first_view(environment) for _ in range(1 if quick else 7)), strict=True)
    heavy |= set[str]().union(*more)
    print(f"view_s of each kernel: {', '.join(f'{each:.3f}' for each in views)}", file=sys.stderr)
    result = {"load_ext_s": round(seconds, 4), "heavy_modules": sorted(heavy), "view_s": round(median(views), 3)}
    print(json.dumps(result))
    return 0


def loading(times: int, environment: dict[str, str]) -> tuple[float, set[str]]:
    """The median seconds of `%load_ext` in fresh processes; heavy modules."""
    seconds, heavy = [], set[str]()
    for number in range(times + 1):
        command = [sys.executable, "-c", LOADING]
        ran = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        took, found = json.loads(ran.stdout.splitlines()[-1])
        heavy |= set(found)
        if number:
            seconds.append(took)
    return median(seconds), heavy


def first_view(environment: dict[str, str]) -> tuple[float, set[str]]:
    """Seconds from sending the first `%%swarm` to a fresh kernel to the message that shows its view; heavy modules."""
    from jupyter_client.manager import start_new_kernel

    context, cell = percent_cells(WINE.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="jupyter-swarm-", ignore_cleanup_errors=True) as name:
        manager, client = start_new_kernel(kernel_name="python3", cwd=name, env=environment)
        try:
            run(client, "%load_ext jupyter_swarm")
            run(client, context)
            seconds = run(client, f"%%swarm wine --maximize accuracy --budget 2m --agents 16\n{cell}")
            assert seconds is not None, "the cell showed no view"
            said: list[str] = []
            run(client, f"import sys; print([n for n in {HEAVY!r} if n in sys.modules])", said)
            run(client, "%swarm stop wine")
            return seconds, {each for each in HEAVY if repr(each) in "".join(said)}
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
            manager.cleanup_resources()
            end(name)


def run(client: Any, code: str, said: list[str] | None = None) -> float | None:
    """Run a cell; the seconds until it showed a widget, None where it showed none."""
    began = time.perf_counter()
    request, shown = client.execute(code), None
    while True:
        message = client.get_iopub_msg(timeout=120)
        if message["parent_header"].get("msg_id") != request:
            continue
        content = message["content"]
        if message["msg_type"] == "display_data" and WIDGET in content["data"]:
            shown = shown or time.perf_counter() - began
        elif message["msg_type"] == "stream" and said is not None:
            said.append(content["text"])
        elif message["msg_type"] == "status" and content["execution_state"] == "idle":
            return shown


def end(folder: str) -> None:
    """See the swarm over and its runner gone."""
    workspace = Workspace(folder)
    try:
        swarm = Swarm("wine", workspace)
    except UsageError:
        return
    if not swarm.state.over:
        swarm.ensure_runner()
    swarm.wait(120)
    pid = swarm.state.pid
    for _ in range(600):
        if not pid or not _exists(pid):
            break
        time.sleep(0.05)
    workspace.store.close()


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
