"""The panel's frame in a real JupyterLab and in Notebook 7: the ways to it, its list, "Swarm this cell", its states."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "jupyter"))
import logs
from faces import end_all, quiet_library
from labs import served
from panel import DARK, axe, listed, opened, panel, reached, section, shown, themed, until, wide, widened
from playwright.sync_api import TimeoutError as Late

from jupyter_swarm.api import Swarm
from jupyter_swarm.events import PauseRequested, ResumeRequested, StopRequested, SwarmRequested
from jupyter_swarm.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

    from tests.browser.labs import Lab

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
SETUP, CELL = (NOTEBOOKS / "wine.py").read_text(encoding="utf-8").split("# %%\n")[1:]
TOOL = "[data-command='jupyter-swarm:this-cell']"
MAIN = "#jp-main-dock-panel"
RIGHTS = """
from jupyter_server.auth import Authorizer

class AsTheHeaderSays(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return resource != "swarms" or action in handler.request.headers.get("X-May", "read write execute").split()

c.ServerApp.authorizer_class = AsTheHeaderSays
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A server: `kept/` has three swarms, `cells/` and `left/` are where swarms are started, `damaged/` has a broken
    ledger."""
    with served("jupyterlab", "lab/tree", tmp_path_factory) as lab:
        for name in ("kept", "cells", "left", "damaged/.swarm"):
            (lab.folder / name).mkdir(parents=True)
        quiet_library(lab.folder / "cells")
        quiet_library(lab.folder / "left")
        (lab.folder / "damaged" / ".swarm" / "ledger.sqlite").write_bytes(b"no ledger at all" * 1000)
        played(lab.folder / "kept", wine=logs.wine(), half=logs.wine()[:200], broken=logs.failed())
        try:
            yield lab
        finally:
            end_all(lab.folder / "cells")
            end_all(lab.folder / "left")
            end_all(lab.folder / "kept")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Notebook 7 behind a prefix, as a hub gives it; it lets each request do what its header says."""
    pytest.importorskip("notebook", "7", reason="Notebook 7 is not installed here: pip install 'notebook>=7'")
    config = tmp_path_factory.mktemp("config") / "rights.py"
    config.write_text(RIGHTS)
    more = (f"--config={config}",)
    with served("notebook", "notebooks", tmp_path_factory, *more, base="/user/me/") as hub:
        played(hub.folder, half=logs.wine()[:200], rest=logs.wine()[:200])
        try:
            yield hub
        finally:
            end_all(hub.folder)


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """One page for the whole module."""
    context = browser.new_context(viewport={"width": 1240, "height": 1900})
    yield context.new_page()
    context.close()


def played(folder: Path, **swarms: list[logs.Move]) -> None:
    """Swarms in the ledger of a folder."""
    store = Workspace(folder).store
    for name, moves in swarms.items():
        logs.play(store, moves, name)
    store.close()


def asked(folder: Path, kind: type, name: str) -> int:
    """How many requests of a kind its ledger has."""
    return sum(isinstance(each.event, kind) for each in Workspace(folder).store.read(swarm=name))


def notebook(page: Page, lab: Lab, path: str, *sources: str) -> Locator:
    """Open a notebook in JupyterLab with the panel beside it, and wait for its kernel; its cells."""
    opened(page, lab, lab.notebook(path, *sources))
    page.locator("#jp-bottom-panel").get_by_text(re.compile(r"\| Idle")).wait_for(timeout=60_000)
    return page.locator(".jp-Notebook .jp-CodeCell")


def address(lab: Lab, name: str) -> str:
    """The address of JupyterLab with this folder in its file browser."""
    return f"{lab.url}/lab/tree/{name}?reset&token={lab.token}"


def run(page: Page, place: int) -> None:
    """Begin to run a cell."""
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").nth(place).click()
    page.keyboard.press("Control+Enter")


def badge(within: Locator, word: str) -> Locator:
    """A state in a word, beside its sign."""
    return within.locator(".jp-Swarm-badge").filter(has_text=re.compile(rf"{word}$"))


def palette(page: Page, words: str) -> None:
    """Do something by its name in the command palette, which a page that has just been opened may not have yet."""
    entry = page.locator(".lm-CommandPalette-input >> visible=true")
    active = page.locator(".lm-CommandPalette-item.lm-mod-active").filter(has_text=words)

    def there() -> bool:
        if not entry.count():
            page.keyboard.press("Control+Shift+c")
        with suppress(Late):
            entry.fill(words, timeout=2_000)
            active.wait_for(timeout=2_000)
            entry.press("Enter", timeout=2_000)  # there and not "where the focus is": a notebook takes it as it opens
            return True
        page.keyboard.press("Escape")
        return False

    until(there, 40, f"{words!r} in the command palette")


# ---------------------------------------------------------------- the ways to it


def test_it_opens_by_palette_shortcut_and_launcher(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    page.set_default_timeout(20_000)
    page.goto(f"{lab.url}/lab?reset&token={lab.token}")
    page.locator(".jp-LauncherCard").first.wait_for()
    palette(page, "Open the Swarm Panel")
    panel(page).get_by_text("No swarm here yet").wait_for()
    wide(page, 320)
    axe(page)
    shot("panel-empty-320")
    page.keyboard.press("Control+b")
    until(lambda: not page.get_by_role("region", name="Swarm", exact=True).is_visible(), what="the side bar's closing")
    page.keyboard.press("Control+Alt+s")
    panel(page).wait_for()

    page.locator(".jp-LauncherCard").filter(has_text="Swarm").click()
    inside = page.locator(MAIN).get_by_role("region", name="Swarm", exact=True)
    inside.get_by_text("No swarm here yet").wait_for()
    axe(page, f"{MAIN} .jp-Swarm")
    shot("panel-empty-wide")


def test_the_status_bar_leads_to_it_and_a_reload_restores_it(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    page.goto(address(lab, "kept"))
    status = page.locator("#jp-bottom-panel").get_by_role("button", name="No swarm at work")
    status.wait_for()
    axe(page, ".jp-Swarm-status")
    status.click()
    shown(page, "wine")
    section(page, "Findings")

    def kept(request: object) -> bool:
        said = str(getattr(request, "post_data", "") or "")
        return "/api/workspaces" in str(getattr(request, "url", "")) and "jupyter-swarm-wide" in said and "wine" in said

    with page.expect_request_finished(kept, timeout=30_000):
        widened(page)
    page.goto(f"{lab.url}/lab?token={lab.token}")
    inside = page.locator(MAIN).get_by_role("region", name="Swarm", exact=True)
    inside.get_by_role("heading", name="wine", exact=True).wait_for()
    inside.get_by_role("tab", name="Overview").wait_for()


def test_settings_are_obeyed(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    opened(page, lab, address(lab, "kept"))
    wide(page, 320)
    listed(page, "half").wait_for()
    page.keyboard.press("Control+,")
    editor = page.locator(".jp-SettingsPanel")
    editor.wait_for()
    page.locator(".jp-PluginList-entry").filter(has_text="Swarm").click()
    asks = editor.get_by_role("checkbox", name="Ask before stopping")
    with page.expect_response(lambda reply: "/api/settings" in reply.url and reply.request.method == "PUT"):
        asks.uncheck()
    until(lambda: stopped_at_once(page, lab), what="the stop, without a question")
    editor.get_by_role("checkbox", name="Refresh", exact=True).uncheck()
    panel(page).get_by_text("Refreshing is off in the settings").wait_for()
    axe(page)
    shot("panel-settings")
    played(lab.folder / "kept", late=logs.failed())
    panel(page).get_by_role("button", name="Refresh", exact=True).click()
    listed(page, "late").wait_for()
    editor.get_by_role("button", name="Restore to Defaults").click()
    panel(page).get_by_text("Refreshing is off in the settings").wait_for(state="detached")


def stopped_at_once(page: Page, lab: Lab) -> bool:
    """Press "Stop"; where the new setting has not reached the panel yet, it asks, and is told no."""
    mine = listed(page, "half")
    mine.get_by_role("button", name="Stop half").click()
    question = mine.get_by_role("group", name="End it now? Findings so far stay.")
    until(lambda: question.is_visible() or asked(lab.folder / "kept", StopRequested, "half"), what="question or stop")
    if question.is_visible():
        question.get_by_role("button", name="No").click()
        return False
    return True


# ---------------------------------------------------------------- the list


def test_swarms_are_listed_and_another_folder_is_chosen(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    opened(page, lab, address(lab, "kept"))
    wide(page, 320)
    done = listed(page, "wine")
    state = Swarm("wine", Workspace(lab.folder / "kept")).state
    badge(done, "done").wait_for()
    done.get_by_text(f"{state.experiments} of 400 runs").wait_for()
    assert done.get_by_role("progressbar").get_attribute("aria-valuenow") == str(round(100 * state.experiments / 400))
    assert done.get_by_role("button", name=re.compile("^(Pause|Resume|Stop)")).count() == 0
    badge(listed(page, "broken"), "failed").wait_for()
    axe(page)
    shot("panel-list-320")
    shown(page, "broken")
    panel(page).get_by_text(re.compile("NameError: <script>")).first.wait_for()
    axe(page)
    shot("panel-failed-320")
    panel(page).get_by_role("button", name="Back to the list of swarms").click()

    change = panel(page).get_by_role("button", name="Change")
    reached(page, change)
    page.keyboard.press("Enter")
    places = panel(page).get_by_role("list", name="Folders that have swarms")
    places.get_by_role("button", name="kept").wait_for()
    axe(page)
    shot("panel-folders-320")
    reached(page, places.get_by_role("button", name="damaged"))
    page.keyboard.press("Enter")
    panel(page).get_by_role("alert").first.wait_for()
    assert listed(page, "wine").count() == 0
    change.click()
    panel(page).get_by_role("button", name="Follow the current notebook").click()
    listed(page, "wine").wait_for()


def test_tabs_are_gone_along_by_arrow_keys(page: Page, lab: Lab) -> None:
    opened(page, lab, address(lab, "kept"))
    shown(page, "wine")
    first = panel(page).get_by_role("tab", name="Overview")
    reached(page, first)
    for name in ("Directions", "Findings", "Runs", "Agents", "Papers", "Log", "Overview"):
        page.keyboard.press("ArrowRight")
        tab = panel(page).get_by_role("tab", name=name)
        assert tab.get_attribute("aria-selected") == "true"
        assert tab.evaluate("node => node === document.activeElement")
        panel(page).get_by_role("tabpanel", name=name).wait_for()
    page.keyboard.press("End")
    panel(page).get_by_role("tabpanel", name="Log").wait_for()


# ---------------------------------------------------------------- "Swarm this cell"


def begun(page: Page, place: int) -> Locator:
    """Open the form for a cell by its toolbar's button; the form."""
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").nth(place).click()
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(place)
    cell.locator(TOOL).click()
    form = panel(page).get_by_role("form", name="Swarm this cell")
    form.wait_for()
    return form


def line(form: Locator) -> str:
    """The magic line that the form would write."""
    return form.get_by_label("The cell’s first line will be").inner_text()


def test_the_form_finds_what_is_in_the_cell_and_says_what_is_wrong(
    page: Page, lab: Lab, shot: Callable[..., Path]
) -> None:
    cells = notebook(page, lab, "cells/look.ipynb", SETUP, CELL, "%%time\nx = 1", "")
    wide(page, 320)
    run(page, 0)
    form = begun(page, 1)
    assert line(form) == "%%swarm --maximize accuracy"
    assert form.get_by_role("status").filter(has_text="%%swarm").count() == 0, "it is not read aloud at every key"
    axe(page)
    shot("panel-form-320")
    form.get_by_role("button", name="Preview").click()
    plan = form.get_by_role("region", name="What was found in the cell")
    plan.wait_for(timeout=60_000)
    plan.get_by_text(re.compile("^Knobs")).click()
    for words in ("Knobs", "SVC.C", "Swaps", "Normalizer", "Lock", "Captures", "cross_val_score"):
        plan.get_by_text(words).first.wait_for()
    axe(page)
    shot("panel-preview-320")
    assert cells.count() == 4, "looking changes nothing in the notebook"

    budget = form.get_by_role("textbox", name="Budget")
    budget.fill("much")
    form.get_by_text("The budget cannot be read").wait_for()
    assert form.get_by_role("button", name="Start").get_attribute("aria-disabled") == "true"
    budget.fill("2m")
    form.get_by_text("The options have changed since").wait_for()
    form.get_by_role("textbox", name="Name", exact=True).fill("my swarm")
    form.get_by_text("A name begins with a letter").wait_for()
    form.get_by_role("textbox", name="Name", exact=True).fill("")
    form.get_by_role("textbox", name="Vary only").fill("nothing_such")
    form.get_by_role("button", name="Preview").click()
    form.get_by_role("alert").get_by_text("Where: --vary nothing_such").wait_for(timeout=30_000)
    form.get_by_role("alert").get_by_text(re.compile("What helps: .*SVC.C")).wait_for()
    axe(page)
    shot("panel-form-error-320")

    form = begun(page, 2)
    form.get_by_text("This cell begins with %%time").wait_for()
    form = begun(page, 3)
    form.get_by_text("This cell is empty").wait_for()
    axe(page)
    cells.nth(3).locator(".cm-content").click()
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    page.keyboard.press("d")
    panel(page).get_by_text("The cell is gone").wait_for()
    axe(page)
    shot("panel-cell-gone-320")
    panel(page).get_by_role("button", name="Back to the list").click()


def test_a_busy_kernel_is_waited_for_and_the_wait_can_be_cancelled(
    page: Page, lab: Lab, shot: Callable[..., Path]
) -> None:
    hold = lab.folder / "cells" / "hold"
    hold.touch()
    wait = "import os, time\nwhile os.path.exists('hold'): time.sleep(0.05)"
    notebook(page, lab, "cells/busy.ipynb", wait, "score = 1.0 * 2")
    wide(page, 320)
    run(page, 0)
    form = begun(page, 1)
    form.get_by_text("The kernel is busy").wait_for()
    form.get_by_role("button", name="Preview").click()
    form.get_by_text("Waiting for the kernel, which is busy").wait_for()
    axe(page)
    shot("panel-busy-320")
    cancel = form.get_by_role("button", name="Cancel")
    reached(page, cancel)
    page.keyboard.press("Enter")
    cancel.wait_for(state="detached")
    form.get_by_role("button", name="Preview").click()
    cancel.wait_for()
    hold.unlink()
    form.get_by_role("region", name="What was found in the cell").wait_for(timeout=60_000)

    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name="Shut Down Kernel", exact=True).click()
    form.get_by_text("This notebook has no kernel").wait_for()
    assert form.get_by_role("button", name="Start").get_attribute("aria-disabled") == "true"
    axe(page)
    shot("panel-no-kernel-320")
    form.get_by_role("button", name="Choose a kernel").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Select")).click()
    form.get_by_text("This notebook has no kernel").wait_for(state="detached", timeout=60_000)
    page.locator("#jp-bottom-panel").get_by_text(re.compile(r"\| Idle")).wait_for(timeout=60_000)
    form.get_by_role("button", name="Preview").click()
    form.get_by_role("region", name="What was found in the cell").wait_for(timeout=60_000)


WAITS = """import os, time
def held(*_):
    while os.path.exists('hold'): time.sleep(0.05)
get_ipython().events.register('pre_run_cell', held)
def measure(rate): return 1.0 - (rate - 0.7) ** 2"""
"""Cells that run after it wait for as long as the file `hold` is there; what is asked silently does not."""


def test_a_form_is_that_of_its_cell_and_who_has_left_it_is_left_in_peace(
    page: Page, lab: Lab, shot: Callable[..., Path]
) -> None:
    folder = lab.folder / "left"
    cells = notebook(page, lab, "left/two.ipynb", WAITS, "rate = 0.3\nfirst = measure(rate)", "second = 1.0 * 3")
    wide(page, 320)
    run(page, 0)
    form = begun(page, 1)
    found = form.get_by_role("region", name="What was found in the cell")
    form.get_by_role("button", name="Preview").click()
    found.wait_for(timeout=60_000)
    form = begun(page, 2)
    form.get_by_text("Cell 3 of two.ipynb").wait_for()
    assert found.count() == 0, "that was found in another cell"

    form = begun(page, 1)
    form.get_by_role("textbox", name="Name", exact=True).fill("left")
    form.get_by_role("textbox", name="Budget").fill("4x")
    (folder / "hold").touch()
    form.get_by_role("button", name="Start").click()
    form.get_by_text("Waiting for the cell, which runs in its notebook").wait_for()
    assert form.get_by_role("button", name="Cancel").count() == 0, "the notebook has the cell"
    assert form.get_by_role("button", name="Start").get_attribute("aria-disabled") == "true"
    axe(page)
    shot("panel-cell-runs-320")
    form = begun(page, 3)
    title = form.get_by_text("Cell 4 of two.ipynb")
    title.wait_for()
    (folder / "hold").unlink()
    cells.nth(2).locator(".jp-InputPrompt").get_by_text("[3]").wait_for(timeout=60_000)
    assert asked(folder, SwarmRequested, "left") == 1
    page.wait_for_timeout(1_000)
    assert title.is_visible(), "the form for another cell stays open"
    form.get_by_role("button", name="Back to the list of swarms").click()
    listed(page, "left").wait_for()


def test_start_writes_the_line_runs_the_cell_and_shows_the_swarm(
    page: Page, lab: Lab, shot: Callable[..., Path]
) -> None:
    folder = lab.folder / "cells"
    cells = notebook(page, lab, "cells/vines.ipynb", SETUP, CELL)
    wide(page, 320)
    run(page, 0)
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").nth(1).click()
    page.keyboard.press("Control+Alt+Enter")
    form = panel(page).get_by_role("form", name="Swarm this cell")
    form.wait_for()
    name = form.get_by_role("textbox", name="Name", exact=True)
    reached(page, name)
    page.keyboard.type("vines")
    reached(page, form.get_by_role("textbox", name="Budget"))
    page.keyboard.type("10m")
    reached(page, form.get_by_role("textbox", name="Agents"))
    page.keyboard.type("6")
    form.get_by_text("More options").click()
    form.get_by_role("textbox", name="Workers").fill("1")
    written = "%%swarm vines --maximize accuracy --budget 10m --agents 6 --workers 1"
    assert line(form) == written
    shot("panel-form-filled-320")
    reached(page, form.get_by_role("button", name="Start"))
    page.keyboard.press("Enter")
    panel(page).get_by_role("heading", name="vines", exact=True).wait_for(timeout=60_000)
    until(lambda: cells.count() == 3, what="a cell that loads the extension")
    assert cells.nth(1).locator(".cm-content").inner_text().strip() == "%load_ext jupyter_swarm"
    assert cells.nth(2).locator(".cm-line").first.inner_text() == written
    cells.nth(2).locator(".jp-InputPrompt").get_by_text("[3]").wait_for(timeout=60_000)
    asked_for = next(
        each.event for each in Workspace(folder).store.read(swarm="vines") if isinstance(each.event, SwarmRequested)
    )
    assert asked_for.objective.metric == "accuracy"
    assert asked_for.budget.seconds == 600
    assert asked_for.agents == 6
    page.locator("#jp-bottom-panel").get_by_role("button", name="1 swarm at work").wait_for()
    panel(page).get_by_role("button", name="Pause vines").wait_for()
    axe(page)
    shot("panel-started-320")

    cells.nth(2).locator(".cm-content").click()
    until(lambda: cells.nth(2).locator(TOOL).count() == 1, what="one toolbar, not two")
    palette(page, "Swarm This Cell")
    assert form.get_by_role("textbox", name="Name", exact=True).input_value() == "vines"
    assert form.get_by_role("textbox", name="Budget").input_value() == "10m"
    assert form.get_by_role("textbox", name="Workers").input_value() == "1"
    form.get_by_role("textbox", name="Budget").fill("11m")
    assert line(form) == written.replace("10m", "11m")
    form.get_by_role("button", name="Back to the list of swarms").click()


def test_a_real_swarm_is_paused_resumed_reported_and_stopped(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    folder = lab.folder / "cells"
    opened(page, lab, f"{lab.url}/lab/tree/cells/vines.ipynb?reset&token={lab.token}")
    wide(page, 320)
    mine = listed(page, "vines")
    mine.get_by_role("button", name="Pause vines").click()
    until(lambda: asked(folder, PauseRequested, "vines"), what="the request")
    badge(mine, "paused").wait_for()
    axe(page)
    shot("panel-paused-320")
    shown(page, "vines")
    panel(page).get_by_role("status").filter(has_text="paused").wait_for()
    panel(page).get_by_role("button", name="Back to the list of swarms").click()
    resume = mine.get_by_role("button", name="Resume vines")
    resume.click()
    until(lambda: asked(folder, ResumeRequested, "vines"), what="the request")
    mine.get_by_role("button", name="Pause vines").wait_for()

    mine.get_by_role("button", name="Report of vines").click()
    tab = page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab").filter(has_text="report")
    tab.wait_for(timeout=90_000)
    page.get_by_role("heading", name=re.compile("^vines: what helps, and what does not")).wait_for()

    shown(page, "vines")
    panel(page).get_by_role("button", name="Budget", exact=True).click()
    panel(page).get_by_role("textbox", name=re.compile("^New budget")).fill("15m")
    page.keyboard.press("Enter")
    panel(page).get_by_role("status").get_by_text(re.compile("Done: budget")).wait_for()
    panel(page).get_by_text(re.compile("of 15 min")).first.wait_for()
    panel(page).get_by_role("button", name="Back to the list of swarms").click()

    stop = mine.get_by_role("button", name="Stop vines")
    reached(page, stop)
    page.keyboard.press("Enter")
    question = mine.get_by_role("group", name="End it now? Findings so far stay.")
    assert question.get_by_role("button", name="No").evaluate("node => node === document.activeElement")
    page.keyboard.press("Enter")
    question.wait_for(state="detached")
    assert not asked(folder, StopRequested, "vines")
    page.keyboard.press("Enter")
    reached(page, question.get_by_role("button", name="Stop"))
    page.keyboard.press("Enter")
    badge(mine, "stopped").wait_for(timeout=60_000)
    page.locator("#jp-bottom-panel").get_by_role("button", name="No swarm at work").wait_for()


# ---------------------------------------------------------------- Notebook 7, behind a prefix


def test_notebook_7_behind_a_prefix_lists_and_steers(page: Page, hub: Lab, shot: Callable[..., Path]) -> None:
    page.goto(hub.notebook("notes.ipynb", "x = 1"))
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    palette(page, "Open the Swarm Panel")
    shown(page, "half")
    slider = section(page, "Directions").get_by_role("slider").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    steered = logs.e.SteeringRequested
    until(lambda: asked(hub.folder, steered, "half") == 1, what="the request in the ledger")
    axe(page)
    shot("panel-notebook7")
    panel(page).get_by_role("button", name="Back to the list of swarms").click()
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
    palette(page, "Swarm This Cell")
    assert line(panel(page).get_by_role("form", name="Swarm this cell")) == "%%swarm --maximize x"


def test_lab_behind_a_prefix_lists_and_steers(page: Page, hub: Lab) -> None:
    assert hub.url.endswith("/user/me")
    opened(page, hub)
    listed(page, "half").get_by_role("button", name="Stop half").click()
    listed(page, "half").get_by_role("group").get_by_role("button", name="Stop", exact=True).click()
    until(lambda: asked(hub.folder, StopRequested, "half") == 1, what="the request in the ledger")


# ---------------------------------------------------------------- states


def test_what_one_may_not_do_is_said(page: Page, hub: Lab, shot: Callable[..., Path]) -> None:
    try:
        page.set_extra_http_headers({"X-May": "read"})
        opened(page, hub)
        wide(page, 320)
        panel(page).get_by_text("You may look at swarms here, but not steer them").wait_for()
        stop = listed(page, "rest").get_by_role("button", name="Stop rest")
        assert stop.get_attribute("aria-disabled") == "true"
        assert "right to write" in str(stop.get_attribute("title"))
        shown(page, "rest")
        assert section(page, "Directions").get_by_role("slider").first.is_disabled()
        axe(page)
        shot("panel-looks-only-320")
        page.set_extra_http_headers({"X-May": "read write"})
        opened(page, hub)
        panel(page).get_by_text("You may steer, but not start processes here").wait_for()
        page.set_extra_http_headers({"X-May": "nothing"})
        opened(page, hub)
        panel(page).get_by_role("alert").get_by_text("ask the administrator for the right").first.wait_for()
        axe(page)
        shot("panel-refused-320")
    finally:
        page.set_extra_http_headers({})


def test_read_only_is_obeyed_and_said(
    page: Page, tmp_path_factory: pytest.TempPathFactory, shot: Callable[..., Path]
) -> None:
    with served("jupyterlab", "lab/tree", tmp_path_factory, "--SwarmServer.read_only=True") as locked:
        played(locked.folder, half=logs.wine()[:200])
        opened(page, locked, locked.notebook("notes.ipynb", "score = 1.0"))
        wide(page, 320)
        panel(page).get_by_text("Read-only: an administrator has switched off starting and steering here.").wait_for()
        for name in ("Resume half", "Stop half", "Report of half"):
            assert listed(page, "half").get_by_role("button", name=name).get_attribute("aria-disabled") == "true"
        axe(page)
        shot("panel-read-only-320")
        form = begun(page, 0)
        form.get_by_text("An administrator has made swarms read-only here.").wait_for()
        assert form.get_by_role("button", name="Start").get_attribute("aria-disabled") == "true"


def test_loading_and_errors_say_what_to_do(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route(re.compile(r"/jupyter-swarm/api/swarms\?"), hold)
    opened(page, lab, address(lab, "kept"))
    wide(page, 320)
    panel(page).get_by_text("Waiting for the list of swarms").wait_for()
    axe(page)
    shot("panel-loading-320")
    for each in held:
        each.continue_()
    page.unroute_all(behavior="ignoreErrors")
    listed(page, "wine").wait_for()

    opened(page, lab, address(lab, "damaged"))
    wide(page, 320)
    alert = panel(page).get_by_role("alert").first
    alert.wait_for()
    assert alert.get_by_role("button", name="Try again").count() == 1
    axe(page)
    shot("panel-damaged-320")


def test_the_list_and_the_form_are_readable_in_the_dark(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    with themed(lab, DARK):
        opened(page, lab, lab.notebook("kept/dark.ipynb", CELL))
        wide(page, 320)
        listed(page, "wine").wait_for()
        axe(page)
        shot("panel-list-dark-320")
        begun(page, 0)
        axe(page)
        shot("panel-form-dark-320")
        panel(page).get_by_role("button", name="Back to the list of swarms").click()
        widened(page)
        listed(page, "wine").wait_for()
        axe(page)
        shot("panel-list-dark-wide")
