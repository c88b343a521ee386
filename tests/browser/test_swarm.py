"""The main job in a real JupyterLab: a person runs one cell, and findings come to lie before them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.labs import Lab

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
SETUP, CELL = (NOTEBOOKS / "wine.py").read_text(encoding="utf-8").split("# %%\n")[1:]
PAPERS = "%load_ext jupyter_swarm\n%swarm papers add module:sklearn.preprocessing module:sklearn.svm notes/*.md"
SWARM = f"%%swarm vines --maximize accuracy --budget 90x --agents 16\n{CELL}"


def run_cell(page: Page, place: int, done: int) -> None:
    """Run a cell of the notebook and wait for its number."""
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").nth(place).click()
    page.keyboard.press("Control+Enter")
    prompt = page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").nth(place)
    prompt.get_by_text(f"[{done}]").wait_for(timeout=120_000)


def test_from_a_cell_to_findings(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    shutil.copytree(NOTEBOOKS / "notes", lab.folder / "notes")
    page.goto(lab.notebook("vines.ipynb", SETUP, PAPERS, SWARM, "6 * 7", "%swarm best vines"))
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.get_by_text("| Idle").first.wait_for()
    page.keyboard.press("Control+b")
    for place in range(3):
        run_cell(page, place, place + 1)
    view = page.locator(".jsw-live")
    view.wait_for(timeout=10_000)
    assert page.locator(".jsw .badge").first.inner_text() not in ("done", "failed")
    run_cell(page, 3, 4)
    page.get_by_text("42", exact=True).first.wait_for()

    page.locator(".jsw .badge.supported").first.wait_for(timeout=300_000)
    page.locator(".jsw .badge.done").first.wait_for(timeout=300_000)
    text = view.inner_text()
    for word in ("Which preprocessing and classifier", "raises accuracy", "95 % interval", "over splits of these data"):
        assert word in text
    for passages in page.locator(".jsw .card details summary").all()[:1]:  # of an idea of which papers say something
        passages.click()
        page.wait_for_timeout(500)
    shot("swarm-done", ".jsw-live")

    run_cell(page, 4, 5)
    best = page.locator(".jp-Notebook .jp-CodeCell .cm-content").nth(5)
    best.get_by_text("make_pipeline").first.wait_for(timeout=10_000)
    assert "make_pipeline(Normalizer(), SVC(C=1.0))" not in best.inner_text(), (
        "the new cell holds the best code, not the old one"
    )
