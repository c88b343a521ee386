"""How tests hold the panel: open it, go to a swarm and a section, set its width, ask axe."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.labs import Lab

__all__ = [
    "axe",
    "grave",
    "listed",
    "opened",
    "panel",
    "pressed",
    "reached",
    "section",
    "shown",
    "themed",
    "until",
    "wide",
    "widened",
]
OWN = ".jp-Swarm"
"""Everything of ours: the panel in the side bar, the wide one, and what is opened in the main area."""
GRAVE = ("serious", "critical")
LIGHT, DARK, CONTRAST = "JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"


class Door(Protocol):
    """Where a server is, and how one gets in."""

    url: str
    token: str


def until(true: Callable[[], object], seconds: float = 10.0, what: str = "") -> float:
    """Wait for something; how long it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"{what or 'it'} did not come within {seconds:.0f} s"
        time.sleep(0.05)
    return time.monotonic() - began


def panel(page: Page) -> Locator:
    """The panel that can be seen, by the name that a screen reader says."""
    return page.get_by_role("region", name="Swarm", exact=True).locator("visible=true").first


def opened(page: Page, lab: Door, at: str = "") -> Locator:
    """A fresh JupyterLab with the panel open in its side bar; `at` is an address, a notebook's for instance."""
    page.set_default_timeout(20_000)
    page.goto(at or f"{lab.url}/lab?reset&token={lab.token}")
    tab = page.locator(".jp-SideBar").get_by_role("tab", name="Swarm", exact=True)
    tab.wait_for()
    if tab.get_attribute("aria-selected") != "true":
        tab.click()
    panel(page).wait_for()
    if not at:  # what JupyterLab opens at first takes the focus when it comes
        page.locator("#jp-main-dock-panel .jp-Launcher").first.wait_for()
    return panel(page)


def listed(page: Page, name: str) -> Locator:
    """A swarm's card in the list."""
    return panel(page).get_by_role("listitem").filter(has=page.get_by_role("button", name=name, exact=True))


def shown(page: Page, name: str) -> Locator:
    """Open a swarm of the list; the panel."""
    listed(page, name).get_by_role("button", name=name, exact=True).click()
    panel(page).get_by_role("heading", name=name, exact=True).wait_for()
    return panel(page)


def section(page: Page, name: str) -> Locator:
    """Go to a section; what stands in it."""
    tab = panel(page).get_by_role("tab", name=name)
    tab.click()
    here = panel(page).get_by_role("tabpanel", name=name)
    here.wait_for()
    return here


def pressed(page: Page, *keys: str) -> None:
    """Press keys one after another."""
    for key in keys:
        page.keyboard.press(key)


def reached(page: Page, target: Locator, key: str = "Tab", most: int = 80) -> int:
    """Go to something by the keyboard alone; after how many presses it had the focus.

    Raises:
        AssertionError: it never had.
    """
    for presses in range(most):
        if target.evaluate("node => node === document.activeElement"):
            return presses
        page.keyboard.press(key)
    raise AssertionError(f"{target} cannot be reached by {most} presses of {key}")


def widened(page: Page) -> Locator:
    """Open the same panel in the main area; it alone is what `panel` means then."""
    panel(page).get_by_role("button", name="Open wide").click()
    found = page.locator("#jp-main-dock-panel").get_by_role("region", name="Swarm", exact=True)
    found.wait_for()
    pressed(page, "Control+b")
    until(lambda: page.get_by_role("region", name="Swarm", exact=True).locator("visible=true").count() == 1)
    return panel(page)


def wide(page: Page, pixels: int) -> None:
    """Let the side bar be so wide, by dragging its edge."""
    stack = page.locator("#jp-left-stack")
    box = stack.bounding_box()
    assert box is not None
    edge, middle = box["x"] + box["width"], box["y"] + 400
    page.mouse.move(edge + 1, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + pixels + 1, middle, steps=3)
    page.mouse.up()
    until(lambda: abs((stack.bounding_box() or {"width": 0})["width"] - pixels) < 12, what=f"a side bar of {pixels} px")


@contextmanager
def themed(lab: Lab, theme: str) -> Iterator[None]:
    """Another theme, for every page that is opened in this block."""
    lab.setting("themes", theme=theme)
    try:
        yield
    finally:
        lab.setting("themes", theme=LIGHT)


EVERYTHING = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
COLOURS = ("cat.color",)
"""Rules of axe, by their tags: all; those that depend on the theme."""


def grave(page: Page, selector: str = OWN, rules: tuple[str, ...] = EVERYTHING) -> list[dict[str, Any]]:
    """What axe calls serious or critical within our own elements: the rule, and each element with what is wrong."""
    options = {"runOnly": list(rules)}
    found = Axe().run(page, context={"include": [selector]}, options=options).response["violations"]
    return [
        {
            "rule": each["id"],
            "what": each["help"],
            "where": [f"{' '.join(map(str, node['target']))}: {node['failureSummary']}" for node in each["nodes"]][:6],
        }
        for each in found
        if each["impact"] in GRAVE
    ]


def axe(page: Page, selector: str = OWN, rules: tuple[str, ...] = EVERYTHING) -> None:
    """Nothing of ours may be hard to use for somebody.

    Raises:
        AssertionError: axe finds something serious or critical; it says what and where.
    """
    found = grave(page, selector, rules)
    assert not found, "\n".join(f"{each['rule']}: {each['what']}\n  " + "\n  ".join(each["where"]) for each in found)
