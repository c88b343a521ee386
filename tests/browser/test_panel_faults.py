"""What goes wrong around the panel: it says what is so, recovers by itself, and loses no request without saying so."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "jupyter"))
import logs
from faces import CONTEXT, SLOW, end_all, quiet_library, wait_for
from panel import axe, listed, opened, panel, section, shown, until
from serving import Served, free_port, serving

from jupyter_swarm.api import Swarm
from jupyter_swarm.events import RunnerStarted, SteeringRequested
from jupyter_swarm.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

PATIENCE = 30
"""Seconds for which the panel sends a request again by itself (`steering.ts`)."""
LOCK = """import sqlite3, sys
ledger = sqlite3.connect(sys.argv[1], isolation_level=None)
ledger.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
ledger.execute("ROLLBACK")
"""


class Desk:
    """A JupyterLab that can end and begin again at the same address, and the folder that it serves."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.home, self.port, self.token = folder, home, free_port(), "a-token-of-these-tests"
        self.url = f"http://127.0.0.1:{self.port}"
        self.workspace = Workspace(folder)
        self._stack = ExitStack()

    def start(self) -> Served:
        """Serve; as before, where it was ended."""
        news = self.home / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
        news.parent.mkdir(parents=True, exist_ok=True)
        news.write_text('{"fetchNews": "false", "checkForUpdates": false}', encoding="utf-8")
        options = ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
        spaces = {f"JUPYTERLAB_{kind}_DIR": str(self.home / kind.lower()) for kind in ("SETTINGS", "WORKSPACES")}
        spaces["JUPYTERLAB_SETTINGS_DIR"] = str(self.home / "settings")
        server = serving(
            "jupyterlab", self.folder, self.home, *options, environment=spaces, port=self.port, token=self.token
        )
        return self._stack.enter_context(server)

    def stop(self) -> None:
        """End the server; the swarms go on."""
        self._stack.close()

    def asked(self, name: str = "study") -> list[SteeringRequested]:
        """What was asked of a swarm and stands in its ledger."""
        events = [each.event for each in self.workspace.store.read(swarm=name)]
        return [each for each in events if isinstance(each, SteeringRequested)]

    def done(self, name: str = "study") -> int:
        """Runs that have come back."""
        return sum(row.run is not None for row in Swarm(name, self.workspace).state.rows.values())

    def runners(self, name: str = "study") -> list[int]:
        """The processes that have worked on a swarm, one after another."""
        events = [each.event for each in self.workspace.store.read(swarm=name)]
        return [each.pid for each in events if isinstance(each, RunnerStarted)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A server, and a real swarm at work in its folder: a run takes half a second."""
    folder = tmp_path_factory.mktemp("f")
    quiet_library(folder)
    (folder / "study.py").write_text(f"# %%\n{CONTEXT}\n# %%\n{SLOW}", encoding="utf-8")
    command = [sys.executable, "-m", "jupyter_swarm.jupyter.cli", "run", "study.py", "--maximize", "score"]
    subprocess.run(
        [*command, "--budget", "30m", "--agents", "4", "--workers", "1"],
        check=True, cwd=folder, capture_output=True, timeout=120,
    )  # fmt: skip
    desk = Desk(folder, tmp_path_factory.mktemp("h"))
    try:
        desk.start()
        wait_for(lambda: len(Swarm("study", desk.workspace).state.directions) > 0, 60, "a direction")
        yield desk
    finally:
        desk.stop()
        end_all(folder)


@pytest.fixture
def study(page: Page, desk: Desk, shot: Callable[..., Path]) -> Page:
    """A page that shows the swarm at work."""
    assert shot
    return at(page, desk)


def at(page: Page, desk: Desk, name: str = "study") -> Page:
    """Open the panel at a swarm. JupyterLab's own word that its server is away is put aside, as a person would."""
    page.add_locator_handler(page.locator(".jp-Dialog"), lambda dialog: dialog.get_by_role("button").last.click())
    opened(page, desk)
    shown(page, name)
    badge(page, "live").wait_for()
    return page


def badge(page: Page, word: str) -> Locator:
    """What the head says of the connection or of the swarm."""
    return panel(page).locator(".jp-Swarm-head .jp-Swarm-badge").filter(has_text=re.compile(rf"^\W*{word}"))


def slider(page: Page) -> Locator:
    """The first direction's priority."""
    return section(page, "Directions").get_by_role("slider").first


def moved(page: Page, key: str = "ArrowRight") -> float:
    """Move that slider by a step; what was asked for."""
    name = slider(page).get_attribute("aria-label")  # the list is in the order of priorities: it may be the second then
    handle = page.get_by_role("slider", name=str(name), exact=True)
    before = float(handle.input_value())
    way = {0.0: "ArrowRight", 5.0: "ArrowLeft"}.get(before, key)

    def other() -> bool:
        handle.press(way)  # once more, where a dialogue of JupyterLab's took the key
        return float(handle.input_value()) != before

    until(other, what="another priority")
    return float(handle.input_value())


def counted(page: Page) -> int:
    """How many runs the panel knows."""
    return int(re.sub(r"\D", "", panel(page).get_by_role("tab", name="Runs").inner_text()) or 0)


def goes_on(page: Page) -> None:
    """News comes by itself."""
    before = counted(page)
    until(lambda: counted(page) > before, 30, "another run in the panel")


def test_a_server_that_is_restarted(study: Page, desk: Desk, shot: Callable[..., Path]) -> None:
    page, before = study, len(desk.asked())
    goes_on(page)
    slider(page).wait_for()
    desk.stop()
    badge(page, "offline").wait_for()
    value = moved(page)
    panel(page).get_by_text(re.compile("^Sending")).first.wait_for()
    assert panel(page).get_by_role("button", name="Try now").first.is_visible()
    shot("faults-offline")
    axe(page)
    desk.start()
    badge(page, "live").wait_for(timeout=60_000)
    until(lambda: len(desk.asked()) > before, 30, "the request that was made meanwhile")
    goes_on(page)
    assert [each.value for each in desk.asked()[before:]] == [value], "once, and as it was meant"
    until(lambda: panel(page).get_by_text(re.compile("^Sending")).count() == 0)


def test_a_kernel_that_is_restarted(page: Page, desk: Desk, shot: Callable[..., Path]) -> None:
    import nbformat

    magic = f"%%swarm kern --maximize score --budget 20m --agents 4 --workers 1\n{SLOW}"
    cells = [nbformat.v4.new_code_cell(each) for each in (f"{CONTEXT}%load_ext jupyter_swarm", magic)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (desk.folder / "kern.ipynb").write_text(nbformat.writes(notebook))
    opened(page, desk, f"{desk.url}/lab/tree/kern.ipynb?reset&token={desk.token}")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.get_by_text("| Idle").first.wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    listed(page, "kern").wait_for(timeout=60_000)
    shown(page, "kern")
    wait_for(lambda: desk.done("kern") > 1, 60, "runs of the swarm that the kernel began")
    runner = desk.runners("kern")
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("^Restart Kernel…")).click()
    page.locator(".jp-Dialog").get_by_role("button", name="Confirm Kernel Restart").click()
    page.locator(".jp-Dialog").wait_for(state="detached")
    goes_on(page)
    assert badge(page, "live").count() == 1
    assert desk.runners("kern") == runner, "the same runner: it is nobody's child"
    before = len(desk.asked("kern"))
    value = moved(page)
    until(lambda: len(desk.asked("kern")) > before, what="the request")
    assert desk.asked("kern")[-1].value == value
    shot("faults-kernel-restarted")
    panel(page).get_by_role("button", name="Stop kern").click()
    panel(page).get_by_role("button", name="Stop", exact=True).last.click()
    wait_for(lambda: Swarm("kern", desk.workspace).state.over, 60, "its end")
    badge(page, "stopped").wait_for()


def test_a_runner_that_is_killed_is_told_and_resumed(study: Page, desk: Desk, shot: Callable[..., Path]) -> None:
    page = study
    wait_for(lambda: desk.done() > 3, 60, "a few runs")
    pid = desk.runners()[-1]
    assert "jupyter_swarm" in " ".join(psutil.Process(pid).cmdline())
    os.kill(pid, signal.SIGKILL)
    badge(page, "runner lost").wait_for(timeout=60_000)
    panel(page).get_by_text("Its runner has ended before its time").wait_for()
    axe(page)
    shot("faults-runner-lost")
    done = desk.done()
    panel(page).get_by_role("button", name="Resume study").press("Enter")
    until(lambda: desk.runners()[-1] != pid, 60, "another runner")
    until(lambda: badge(page, "runner lost").count() == 0, 30, "the panel's word of it")
    until(lambda: desk.done() > done, 60, "more runs: what was measured is kept")
    goes_on(page)


@contextmanager
def locked(ledger: Path) -> Iterator[None]:
    """Another program keeps the ledger to itself."""
    command = [sys.executable, "-c", LOCK, str(ledger)]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdin is not None
    assert other.stdout is not None
    try:
        assert other.stdout.readline().strip() == b"locked"
        yield
    finally:
        other.stdin.close()
        other.wait(10)
        other.stdout.close()


def test_a_ledger_that_another_program_has_locked(study: Page, desk: Desk, shot: Callable[..., Path]) -> None:
    page, before = study, len(desk.asked())
    slider(page).wait_for()
    with locked(desk.folder / ".swarm" / "ledger.sqlite"):
        value = moved(page)
        sending = panel(page).get_by_text(re.compile("^Sending")).first
        sending.wait_for()
        section(page, "Runs").get_by_role("grid").wait_for(timeout=5_000)
        section(page, "Findings").wait_for(timeout=5_000)
        page.wait_for_timeout(4_000)  # so long somebody else writes
        assert sending.is_visible(), "it is not taken, and not lost"
        assert badge(page, "live").count() == 1, "reading goes on"
        shot("faults-ledger-locked")
    until(lambda: len(desk.asked()) > before, 30, "the request")
    assert [each.value for each in desk.asked()[before:]] == [value]
    until(lambda: panel(page).get_by_text(re.compile("^Sending")).count() == 0)
    goes_on(page)


def test_a_network_that_is_cut_for_half_a_minute(study: Page, desk: Desk, shot: Callable[..., Path]) -> None:
    page, before = study, len(desk.asked())
    slider(page).wait_for()
    page.context.set_offline(True)
    early = moved(page)
    badge(page, "offline").wait_for()
    refused = panel(page).get_by_text(re.compile("Not taken")).first
    refused.wait_for(timeout=1000 * (PATIENCE + 10))
    assert len(desk.asked()) == before
    axe(page)
    shot("faults-not-taken")
    late = moved(page)
    panel(page).get_by_text(re.compile("^Sending")).first.wait_for()
    page.context.set_offline(False)
    until(lambda: len(desk.asked()) == before + 1, PATIENCE, "the second request, by itself")
    assert desk.asked()[-1].value == late
    badge(page, "live").wait_for(timeout=60_000)
    panel(page).get_by_role("button", name="Try again").first.press("Enter")
    until(lambda: len(desk.asked()) == before + 2, what="the first one, now that it was asked for again")
    assert desk.asked()[-1].value == early
    until(lambda: refused.count() == 0, what="the end of its note")
    goes_on(page)


def test_two_tabs_that_steer_at_once(study: Page, desk: Desk) -> None:
    first, before = study, len(desk.asked())
    second = at(first.context.new_page(), desk)
    target = slider(first).get_attribute("aria-label")
    for page in (first, second):
        slider(page).focus()
    wanted = [moved(first), moved(second, "ArrowLeft")]
    until(lambda: len(desk.asked()) == before + 2, 20, "both requests")
    made = desk.asked()[before:]
    assert sorted(each.value for each in made if isinstance(each.value, float)) == sorted(wanted)
    last = made[-1].value

    def agree() -> bool:
        found = [page.get_by_role("slider", name=str(target), exact=True) for page in (first, second)]
        return all(float(each.input_value()) == last for each in found) and not any(
            panel(page).locator(".jp-Swarm-priority-asked").count() for page in (first, second)
        )

    until(agree, 30, "the same priority in both tabs")
    second.close()


@pytest.mark.parametrize("hours", [3, -3])
def test_a_clock_that_is_hours_off(page: Page, desk: Desk, hours: int) -> None:
    name = f"clock{hours + 3}"
    logs.play(desk.workspace.store, logs.wine()[:-1], name)
    page.clock.install(time=datetime.now() + timedelta(hours=hours))
    opened(page, desk)
    when = listed(page, name).get_by_text(re.compile(r"just now|ago"))
    when.wait_for()
    assert re.search(r"just now|\d+ s ago", when.inner_text()), when.inner_text()
    assert abs(page.evaluate("Date.now() / 1000") - datetime.now().timestamp()) > 2.5 * 3600, "the browser's is off"
    shown(page, name)
    noted = section(page, "Log").locator("time").first
    told = datetime.fromisoformat(str(noted.get_attribute("datetime")).replace("Z", "+00:00"))
    assert abs(told.timestamp() - datetime.now().timestamp()) < 600
    hour = int(noted.inner_text().split(":")[0].rpartition(" ")[2])
    assert hour % 12 == page.evaluate(f"new Date({told.timestamp() * 1000}).getHours()") % 12
    badge(page, "live").wait_for()
    page.wait_for_timeout(1500)
    assert badge(page, "live").count() == 1, "the skew keeps no news back"


def in_folder(page: Page, desk: Desk, folder: Path) -> None:
    """A swarm in a folder of its own, and the panel at that."""
    folder.mkdir()
    workspace = Workspace(folder).create()
    logs.play(workspace.store, logs.wine(), "vines")
    workspace.store.close()
    opened(page, desk)
    panel(page).get_by_role("button", name="Change").click()
    panel(page).get_by_role("list", name="Folders that have swarms").get_by_role("button", name=folder.name).click()


def test_a_swarm_that_is_deleted_while_it_is_shown(page: Page, desk: Desk, shot: Callable[..., Path]) -> None:
    folder = desk.folder / "gone"
    in_folder(page, desk, folder)
    shown(page, "vines")
    section(page, "Findings").get_by_text("MinMaxScaler").first.wait_for()
    shutil.rmtree(folder / ".swarm")
    panel(page).get_by_text("was deleted").wait_for(timeout=60_000)
    axe(page)
    shot("faults-deleted")
    panel(page).get_by_role("button", name="Back to the list").press("Enter")
    panel(page).get_by_text("No swarm here yet").wait_for()
    axe(page)
    shot("faults-deleted-list")
    workspace = Workspace(folder).create()
    logs.play(workspace.store, logs.wine(), "vines")
    listed(page, "vines").wait_for(timeout=60_000)
    shown(page, "vines")
    section(page, "Findings").get_by_text("MinMaxScaler").first.wait_for()
    workspace.store.close()


def test_a_folder_that_is_renamed_is_said_to_be_gone_and_found_again(
    page: Page, desk: Desk, shot: Callable[..., Path]
) -> None:
    folder, elsewhere = desk.folder / "moved", desk.folder / "elsewhere"
    in_folder(page, desk, folder)
    listed(page, "vines").wait_for()
    folder.rename(elsewhere)
    said = panel(page).get_by_role("alert").filter(has_text="There is no such folder")
    said.get_by_text("choose another one").wait_for(timeout=60_000)
    assert listed(page, "vines").count() == 0
    assert panel(page).get_by_text("connects again by itself").count() == 0
    axe(page)
    shot("faults-no-folder")
    elsewhere.rename(folder)
    said.get_by_role("button", name="Try again").click()
    listed(page, "vines").wait_for()
    shown(page, "vines")
    badge(page, "live").wait_for()
    folder.rename(elsewhere)
    panel(page).get_by_text("The folder of the swarm vines is gone").wait_for(timeout=60_000)
