"""The browser rig: a real Chromium on a real JupyterLab or Notebook 7 (`labs`)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from labs import Lab, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TESTS = Path(__file__).resolve().parents[1]
ARTEFACTS = TESTS.parent / "artefacts"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]


def chromium() -> str:
    """The path of a Chromium, or a skip that says how to get one."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("no Chromium here: `make test` installs it (apt-get install chromium)")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on a folder of its own, with settings of its own."""
    with served("jupyterlab", "lab/tree", tmp_path_factory) as lab:
        yield lab


@pytest.fixture(scope="session")
def notebook7(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Jupyter Notebook 7 likewise, where it is installed."""
    pytest.importorskip("notebook", "7", reason="Notebook 7 is not installed here: pip install 'notebook>=7'")
    with served("notebook", "notebooks", tmp_path_factory) as lab:
        yield lab


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[Lab]]:
    """`served`, for modules that want a server of their own."""
    return served


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium. It ends with its module: while playwright runs, no other test could have an event loop."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install -e .[test]")
    path = chromium()
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page in a context of its own; dialogues and console errors are kept on it."""
    context = browser.new_context(viewport={"width": 1240, "height": 1900})
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    yield opened
    context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails tells what its page shows: whoever reads of it elsewhere has no picture."""
    report = yield
    page = getattr(item, "funcargs", {}).get("page")
    if report.when == "call" and report.failed and page is not None:
        with suppress(Exception):  # of a page that is gone, or of one that nothing can be asked of
            text = page.evaluate("document.activeElement?.outerHTML.slice(0, 300) + '\\n\\n' + document.body.innerText")
            report.sections.append(("what has the focus, and what the page shows", text[:6_000]))
    return report


@pytest.fixture
def shot(page: Page, request: pytest.FixtureRequest) -> Iterator[object]:
    """Keep a picture under `artefacts/`, and one of the page when the test ends."""
    from playwright.sync_api import Error

    ARTEFACTS.mkdir(exist_ok=True)

    def take(name: str, selector: str = "") -> Path:
        path = ARTEFACTS / f"{name}.png"
        while True:
            try:
                (page.locator(selector).first if selector else page).screenshot(path=path)
                return path
            except Error as error:
                if "not attached" not in error.message:  # what is live may be drawn anew just then
                    raise

    yield take
    page.screenshot(path=ARTEFACTS / f"{request.node.name}-last.png")
