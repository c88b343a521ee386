"""Front ends without a page: a client of the protocol, a console, a terminal, a notebook that nobody watches."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipykernel
import nbformat
import pexpect
import pytest
from faces import CONTEXT, Kernel, lives, wait_for

from jupyter_swarm.events import PauseRequested, SteeringRequested, StopRequested

pytestmark = pytest.mark.slow

SETUP = "%load_ext jupyter_swarm\n" + CONTEXT
ENDING = "%%swarm brief --maximize score --budget 3x --agents 2 --wait\nscore = measure(rate=0.7)"
GOING = "%%swarm long --maximize score --budget 10m --agents 2\nscore = measure(rate=0.7)"
SHOWN = """from jupyter_swarm import Swarm
from jupyter_swarm.jupyter.view import show
view = show(Swarm("long"))
"""
BUSY = """import time
from pathlib import Path
while not Path("awake").exists():
    time.sleep(0.05)
"""


# ---------------------------------------------------------------- the protocol


def subshell(kernel: Kernel) -> str:
    """Make one, as JupyterLab does."""
    client = kernel.client
    request = client.session.msg("create_subshell_request")
    client.control_channel.send(request)
    while (reply := client.get_control_msg(timeout=20))["parent_header"].get("msg_id") != request["header"]["msg_id"]:
        pass
    return str(reply["content"]["subshell_id"])


def change(kernel: Kernel, model: str, on: str | None = None, **state: Any) -> None:
    """Tell the kernel that a person has changed a widget, as a page does (over a subshell)."""
    data = {"method": "update", "state": state, "buffer_paths": []}
    message = kernel.client.session.msg("comm_msg", {"comm_id": model, "data": data})
    if on is not None:
        message["header"]["subshell_id"] = on
    kernel.client.shell_channel.send(message)


def requests(kernel: Kernel, kind: type) -> list[Any]:
    """The requests of a kind in the ledger."""
    records = kernel.swarm("long").workspace.store.read(swarm="long")
    return [each.event for each in records if isinstance(each.event, kind)]


def models(kernel: Kernel) -> dict[str, str]:
    """Name → id of what a person presses and moves, as a page knows them."""
    code = """for name, press in [*view._presses.items(), ("really", view._presses["stop"].really)]:
    print(name, getattr(press, "first", press).button.model_id)
print("slider", next(iter(view._rows.values())).slider.model_id)"""
    return dict(line.split() for line in kernel.run(code).printed.splitlines())


@pytest.fixture(scope="module")
def shown(kernel: Kernel) -> Kernel:
    """A kernel with a swarm at work, its view, and a direction in it."""
    assert kernel.run(GOING).status == "ok"
    wait_for(lambda: lives(kernel.folder, "long") and kernel.swarm("long").state.directions, 90, "a direction")
    assert kernel.run(SHOWN).status == "ok"
    return kernel


def test_a_busy_kernel_obeys_over_a_subshell_within_a_second_and_else_when_it_is_idle(shown: Kernel) -> None:
    if ipykernel.version_info < (7,):
        pytest.skip(f"ipykernel {ipykernel.__version__} has no subshells: version 7 has")
    of, shell = models(shown), subshell(shown)
    running = shown.send(BUSY)

    def takes(act: Callable[[], None], kind: type) -> float:
        before, began = len(requests(shown, kind)), time.monotonic()
        act()
        wait_for(lambda: len(requests(shown, kind)) > before, 20, kind.__name__)
        return time.monotonic() - began

    assert takes(lambda: change(shown, of["pause"], shell, index=0), PauseRequested) < 1.0
    assert takes(lambda: change(shown, of["slider"], shell, value=3.0), SteeringRequested) < 1.0
    change(shown, of["stop"], index=0)
    change(shown, of["really"], index=0)
    time.sleep(1.5)
    assert not requests(shown, StopRequested), "without a subshell it waits for the cell"
    (shown.folder / "awake").touch()
    assert shown.answer(running).status == "ok"
    wait_for(lambda: requests(shown, StopRequested), 5, "the stop that was queued")
    wait_for(lambda: shown.swarm("long").state.over, 60, "the end")
    pressed = shown.run("print([view._presses[name].button.index for name in ('pause', 'report')])")
    assert pressed.printed == "[None, None]\n", "what was heard is pressed no more"


# ---------------------------------------------------------------- text


def typed(folder: Path, words: list[str], lines: list[str]) -> str:
    """What a person sees who types these lines into a console."""
    prompt = r"In \[\d+\]: "
    environment = {**os.environ, "TERM": "dumb", "IPYTHONDIR": str(folder / "ipython")}
    with (folder / "seen").open("w+", encoding="utf-8") as seen:
        console = pexpect.spawn(
            sys.executable,
            ["-m", *words],
            env=environment,
            cwd=str(folder),
            encoding="utf-8",
            timeout=90,
            dimensions=(60, 200),
        )
        console.logfile_read = seen
        console.expect(prompt)
        for line in lines:
            console.sendline(line)
            console.expect(prompt)
        console.sendline("exit")
        console.expect(pexpect.EOF)
        console.close()
        seen.seek(0)
        return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", seen.read())


LINES = [
    "%load_ext jupyter_swarm",
    "measure = lambda rate: 1 - (rate - 0.5) ** 2",
    "%swarm this measure(rate=0.7) --maximize score --budget 10m --agents 2 --name long",
    "%swarm watch long",
    "%swarm stop long",
]


@pytest.mark.parametrize("program", ["jupyter_console", "IPython"])
def test_a_console_is_told_in_words(folder: Path, program: str) -> None:
    pytest.importorskip(program, reason=f"{program} is not installed here: pip install {program.replace('_', '-')}")
    simple = ["IPython", "--simple-prompt"]
    words = simple if program == "IPython" else [program, "--ZMQTerminalInteractiveShell.simple_prompt=True"]
    seen = typed(folder, words, LINES)
    begun, watched = seen.partition("%swarm watch long")[::2]
    assert "long has begun: 2 agents, budget 10 min" in begun
    assert re.search(r"^long: \w+, \d+ experiments?", watched, re.MULTILINE), watched
    assert "long stops; its findings so far stay." in watched
    assert "<div" not in seen
    assert "SwarmView" not in seen


# ---------------------------------------------------------------- nobody watches


def test_an_executed_notebook_keeps_the_end_of_what_it_waited_for(folder: Path) -> None:
    cells = [nbformat.v4.new_code_cell(each) for each in (SETUP, ENDING)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "study.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "notebook", "--output", "done", "study.ipynb"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    executed = nbformat.read(folder / "done.ipynb", as_version=4)
    pages = [
        each.data for each in executed.cells[1].outputs if "jsw-static" in each.get("data", {}).get("text/html", "")
    ]
    assert len(pages) == 1
    assert '<span class="badge done"' in pages[0]["text/html"]
    assert pages[0]["text/plain"].startswith("brief: done, ")
    assert not executed.metadata.get("widgets", {}), "a page of it would need scripts from the network"
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "done.ipynb"]
    assert subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False).returncode == 0
    assert '<span class="badge done"' in (folder / "done.html").read_text(encoding="utf-8")
