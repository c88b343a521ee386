"""Steering while a cell is busy: heard at once over a subshell, and said to be queued where there is none."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import ipykernel
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import logs

from jupyter_swarm.events import AnyEvent, PauseRequested, SteeringRequested, StopRequested
from jupyter_swarm.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.labs import Lab

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.usefixtures("shot")]

SHOW = """from jupyter_swarm import Swarm
from jupyter_swarm.jupyter.view import show
view = show(Swarm(NAME, "."))
"""
NAP = """import time
from pathlib import Path
while not Path(NAME + ".awake").exists():
    time.sleep(0.05)
"""
"""A cell that is busy until the test lets it end."""


@pytest.fixture(params=["lab", "notebook7"])
def front(request: pytest.FixtureRequest) -> Lab:
    """Each front end that is here."""
    lab: Lab = request.getfixturevalue(request.param)
    return lab


@pytest.fixture
def subshells() -> None:
    """They need ipykernel 7."""
    if ipykernel.version_info < (7,):
        pytest.skip(f"ipykernel {ipykernel.__version__} has no subshells: version 7 has")


@pytest.fixture
def no_subshells(front: Lab) -> Iterator[None]:
    """A front end, or a kernel, without subshells: a click waits for the cell."""
    if ipykernel.version_info < (7,):
        yield
        return
    if front.tree == "notebooks":
        pytest.skip("Notebook 7 heeds no setting: it uses subshells where the kernel has them (ipykernel 7)")
    front.setting("kernels-settings", commsOverSubshells="disabled")
    yield
    front.setting("kernels-settings", commsOverSubshells="perCommTarget")


def asked(workspace: Workspace, kind: type, name: str) -> list[AnyEvent]:
    """The requests of a kind in the ledger."""
    return [each.event for each in workspace.store.read(swarm=name) if isinstance(each.event, kind)]


def until(true: Callable[[], object], seconds: float = 5.0) -> float:
    """Wait for something; how long it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "nothing came in time"
        time.sleep(0.02)
    return time.monotonic() - began


def busy(page: Page, front: Lab, name: str) -> Workspace:
    """Show a swarm at work, and begin a cell that keeps the kernel busy."""
    workspace = Workspace(front.folder)
    logs.play(workspace.store, logs.wine()[: len(logs.wine()) // 2], name)
    workspace.store.lease(name, "test:1", seconds=600)
    sources = [each.replace("NAME", repr(name)) for each in (SHOW, NAP)]
    page.goto(front.notebook(f"{name}.ipynb", *sources))
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.set_default_timeout(10_000)
    run(page, 0)
    page.locator(".jsw-row").first.wait_for(timeout=20_000)
    run(page, 1)
    assert running(page)
    return workspace


def run(page: Page, place: int) -> None:
    """Run a cell; again where the page was not yet connected to its kernel."""
    choice = page.locator(".jp-Dialog .jp-mod-accept")
    for _ in range(20):
        if choice.count():  # it was run before there was a kernel, and the page asks which
            choice.first.click()
        page.locator(".jp-CodeCell .cm-content").nth(place).click()
        page.keyboard.press("Control+Enter")
        page.wait_for_timeout(500)
        if prompt(page, place) != "[ ]:":
            return
    pytest.fail("the cell did not begin")


def prompt(page: Page, place: int) -> str:
    """What stands beside a cell."""
    return page.locator(".jp-CodeCell").nth(place).locator(".jp-InputPrompt").inner_text()


def running(page: Page) -> bool:
    """Whether the second cell still runs."""
    return prompt(page, 1).startswith("[*]")


def button(page: Page, name: str) -> Locator:
    """A button of the view; its icon is a letter of its own in its name."""
    return page.locator(".jsw-live").get_by_role("button", name=re.compile(rf"^\W*{name}\W*$"))


def queued(page: Page, command: str) -> Locator:
    """The note that something waits, with this command."""
    return page.locator(".jsw-queued").filter(has_text=command)


def move(page: Page) -> float:
    """Drag the first direction's slider to the right (Notebook 7 takes the arrow keys for itself); where it is then."""
    handle = page.locator(".jsw-row .noUi-handle").first
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box is not None
    across, down = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(across, down)
    page.mouse.down()
    page.mouse.move(across + 30, down, steps=4)
    page.mouse.up()
    return float(handle.get_attribute("aria-valuenow") or "nan")


@pytest.mark.usefixtures("subshells")
def test_a_busy_kernel_hears_at_once_over_a_subshell(page: Page, front: Lab) -> None:
    name = "heard"
    workspace = busy(page, front, name)
    button(page, "Pause").click()
    assert until(lambda: asked(workspace, PauseRequested, name)) < 1.0
    page.get_by_text("Pausing: what runs may finish.").wait_for(timeout=1000)
    assert page.locator(".jsw-press .mod-active").count() == 0
    value = move(page)
    assert until(lambda: asked(workspace, SteeringRequested, name)) < 1.0
    assert asked(workspace, SteeringRequested, name) == [SteeringRequested(verb="priority", target="D1", value=value)]
    button(page, "Stop").click()
    button(page, "Really stop").wait_for()
    button(page, "Really stop").wait_for(state="hidden", timeout=6_000)
    assert not asked(workspace, StopRequested, name), "one press asks, and takes silence for no"
    button(page, "Stop").click()
    button(page, "Really stop").click()
    assert until(lambda: asked(workspace, StopRequested, name)) < 1.0
    page.wait_for_timeout(1500)
    assert not any(each.is_visible() for each in page.locator(".jsw-queued").all()), "nothing waits"
    assert running(page), "all of this happened while the cell ran"
    (front.folder / f"{name}.awake").touch()


@pytest.mark.usefixtures("subshells")
def test_a_page_that_is_loaded_again_is_heard_too(page: Page, front: Lab) -> None:
    name = "reloaded"
    workspace, awake = busy(page, front, name), front.folder / f"{name}.awake"
    move(page)
    until(lambda: asked(workspace, SteeringRequested, name))
    awake.touch()
    until(lambda: not running(page))
    page.keyboard.press("Control+s")
    saved = front.folder / f"{name}.ipynb"
    until(lambda: "widget-view" in saved.read_text())
    assert "jsw-static" in saved.read_text(), "and the same as HTML, for where there is no kernel"
    page.reload()
    page.locator(".jsw-row").first.wait_for()
    awake.unlink()
    page.locator(".jp-CodeCell .cm-content").nth(1).click()
    page.keyboard.press("Control+Enter")
    until(lambda: running(page))
    button(page, "Pause").click()
    assert until(lambda: asked(workspace, PauseRequested, name)) < 1.0
    move(page)
    assert until(lambda: len(asked(workspace, SteeringRequested, name)) == 2) < 1.0
    assert running(page)
    awake.touch()


@pytest.mark.usefixtures("no_subshells")
def test_without_subshells_the_page_says_queued_and_no_more_when_it_was_heard(
    page: Page, front: Lab, shot: Callable[..., Path]
) -> None:
    name = "waiting"
    workspace = busy(page, front, name)
    pause, stop = queued(page, f"jupyter swarm pause {name}"), queued(page, f"jupyter swarm stop {name}")
    steer = queued(page, f"jupyter swarm steer {name} D1 --priority N")
    button(page, "Pause").click()
    pause.wait_for(timeout=2000)
    button(page, "Pause").click()
    assert pause.is_visible(), "a second press takes nothing back"
    move(page)
    steer.wait_for(timeout=2000)
    button(page, "Stop").click()
    page.wait_for_timeout(1500)
    assert not stop.is_visible(), "nothing was asked yet"
    button(page, "Really stop").click()
    stop.wait_for(timeout=2000)
    shot(f"view-queued-{front.tree.partition('/')[0]}", ".jsw-live")
    assert running(page)
    for kind in (PauseRequested, SteeringRequested, StopRequested):
        assert not asked(workspace, kind, name)

    (front.folder / f"{name}.awake").touch()
    until(lambda: not running(page))
    for note in (pause, stop, steer):
        note.wait_for(state="hidden", timeout=1000)
    for kind in (PauseRequested, SteeringRequested, StopRequested):
        assert len(asked(workspace, kind, name)) == 1
