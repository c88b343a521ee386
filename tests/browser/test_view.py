"""The live view in a real JupyterLab: it goes on while a cell runs, and what a person does reaches the ledger."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import logs

from jupyter_swarm.events import AnyEvent, PauseRequested, SteeringRequested
from jupyter_swarm.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.labs import Lab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TESTS = Path(__file__).resolve().parents[1]
SHOW = f"""import sys
sys.path.insert(0, {str(TESTS)!r})
from handles import RequestsOnly
from jupyter_swarm.jupyter.view import show
view = show(RequestsOnly(".", NAME))
"""
NAP = "import time\ntime.sleep(25)\nprint('awake')"


def asked(workspace: Workspace, kind: type, name: str) -> list[AnyEvent]:
    """The requests of a kind in the ledger."""
    return [each.event for each in workspace.store.read(swarm=name) if isinstance(each.event, kind)]


def until(true: Callable[[], object], seconds: float = 5.0) -> float:
    """Wait for something; how long it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "nothing came in time"
        time.sleep(0.05)
    return time.monotonic() - began


def opened(page: Page, lab: Lab, name: str, *more: str, show: str = SHOW) -> None:
    """Open a notebook that shows the swarm, and run its first cell."""
    page.goto(lab.notebook(f"{name}.ipynb", show.replace("NAME", repr(name)), *more))
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.get_by_text("| Idle").first.wait_for()
    page.keyboard.press("Control+b")
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Shift+Enter")
    page.locator(".jsw-live").wait_for()


def running(page: Page) -> bool:
    """Whether the second cell still runs."""
    return page.locator(".jp-CodeCell").nth(1).locator(".jp-InputPrompt").inner_text().startswith("[*]")


def test_it_goes_on_while_a_cell_runs_and_what_one_does_reaches_the_ledger(
    page: Page, lab: Lab, shot: Callable[..., Path]
) -> None:
    moves, workspace = logs.wine(), Workspace(lab.folder)
    first, half, most = 60, len(moves) // 2, 3 * len(moves) // 4
    logs.play(workspace.store, moves[:first])
    workspace.store.lease("wine", "test:1", seconds=600)
    opened(page, lab, "wine", NAP)
    page.locator(".jsw-live").get_by_text("Which preprocessing").first.wait_for()
    page.keyboard.press("Shift+Enter")  # the nap: the kernel is busy from here on
    until(lambda: running(page))

    logs.play(workspace.store, moves[first:half])
    page.locator(".jsw .badge.supported").first.wait_for(timeout=6_000)
    shot("view-light", ".jsw-live")
    page.get_by_role("button", name="Pause").click()
    assert until(lambda: asked(workspace, PauseRequested, "wine")) < 2.0
    page.locator(".jsw-live").get_by_text("pausing").first.wait_for(timeout=5_000)

    slider = page.locator(".jsw-row .noUi-handle").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    until(lambda: asked(workspace, SteeringRequested, "wine"))
    assert asked(workspace, SteeringRequested, "wine") == [SteeringRequested(verb="priority", target="D1", value=1.5)]

    details = page.locator(".jsw .card details").first
    details.locator("summary").click()
    logs.play(workspace.store, moves[half:most])
    page.locator(".jsw .badge.refuted, .jsw .badge.open").first.wait_for(timeout=8_000)
    assert details.get_attribute("open") is not None, "what a person has unfolded stays so"
    assert slider.get_attribute("aria-valuenow") == "1.5", "and the slider stays where it was put"
    assert running(page), "all of this happened while the cell ran"

    logs.play(workspace.store, moves[most:])
    page.locator(".jsw .badge.done").first.wait_for(timeout=8_000)
    assert page.locator(".jsw-live").count() == 1
    shot("view-done-light", ".jsw-live")
    page.get_by_role("button", name="Close").click()
    page.locator(".jsw-live").wait_for(state="detached")


def test_text_of_others_is_text_and_the_dark_theme_is_readable(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    evil = "<script>window.pwned=1</script><img src=x onerror='window.pwned=1'>"
    workspace = Workspace(lab.folder)
    logs.play(workspace.store, logs.hostile(evil), "hostile")
    lab.setting("themes", theme="JupyterLab Dark")
    try:
        opened(page, lab, "hostile")
        page.locator(".jsw .badge.done").first.wait_for()
        for details in page.locator(".jsw details").all():
            details.locator("summary").click()
        assert page.locator(".jsw-live").get_by_text(evil).count() > 5
        assert page.locator(".jsw-live img, .jsw-live script").count() == 0
        assert page.evaluate("window.pwned") is None
        shot("view-hostile-dark", ".jsw-live")
        logs.play(workspace.store, logs.wine()[:-1], "dark")
        workspace.store.lease("dark", "test:1", seconds=600)
        opened(page, lab, "dark")
        page.locator(".jsw .badge.open").first.wait_for()
        shot("view-dark", ".jsw-live")
    finally:
        lab.setting("themes", theme="JupyterLab Light")


def test_a_failed_baseline_is_shown_with_its_traceback_and_a_saved_notebook_reads_without_a_kernel(
    page: Page, lab: Lab, shot: Callable[..., Path]
) -> None:
    workspace = Workspace(lab.folder)
    logs.play(workspace.store, logs.failed(), "failed")
    opened(page, lab, "failed")
    page.locator(".jsw .alert").get_by_text("NameError: <script>").first.wait_for()
    page.keyboard.press("Control+s")
    saved = lab.folder / "failed.ipynb"
    until(lambda: "The baseline itself failed" in saved.read_text())
    shot("view-failed", ".jsw-live")
    import nbformat

    outputs = nbformat.read(saved, as_version=4).cells[0].outputs
    page_of = [each.data["text/html"] for each in outputs if "text/html" in each.get("data", {})]
    assert len(page_of) == 1
    assert "<script" not in page_of[0]


def test_after_a_restart_of_the_kernel_watch_brings_it_back_alive(
    page: Page, lab: Lab, shot: Callable[..., Path]
) -> None:
    moves, workspace, name = logs.wine(), Workspace(lab.folder), "again"
    half = len(moves) // 2
    logs.play(workspace.store, moves[:half], name)
    workspace.store.lease(name, "test:1", seconds=600)
    opened(page, lab, name, f"%load_ext jupyter_swarm\n%swarm watch {name}")
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("^Restart Kernel…")).click()
    page.locator(".jp-Dialog").get_by_role("button", name="Confirm Kernel Restart").click()
    page.locator(".jp-Dialog").wait_for(state="detached")
    page.get_by_text("| Idle").first.wait_for()
    old = page.locator(".jp-Notebook .jp-CodeCell").first.locator(".jsw-live")
    said = "node => getComputedStyle(node, '::before').content"
    until(lambda: "%swarm watch" in old.evaluate(said))
    shot("view-of-an-ended-kernel", ".jsw-live")

    second = page.locator(".jp-Notebook .jp-CodeCell").nth(1)
    second.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    live = second.locator(".jsw-live")
    live.get_by_text("Which preprocessing").first.wait_for()
    assert live.locator(".badge.open").count() == 0
    logs.play(workspace.store, moves[half:-1], name)
    live.locator(".badge.open").first.wait_for(timeout=10_000)
    assert live.evaluate(said) in ("none", '""')
    live.scroll_into_view_if_needed()
    shot("view-again")
    live.get_by_role("button", name="Pause").click()
    until(lambda: asked(workspace, PauseRequested, name))
    live.get_by_text("pausing").first.wait_for(timeout=5_000)
