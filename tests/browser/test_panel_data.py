"""What a swarm has measured and read, in the panel: overview, runs, plot, comparison, papers; in every theme."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "jupyter"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "library"))
import logs
from faces import end_all, quiet_library, wait_for
from panel import (
    COLOURS,
    CONTRAST,
    DARK,
    LIGHT,
    axe,
    listed,
    opened,
    panel,
    pressed,
    section,
    shown,
    themed,
    until,
    wide,
    widened,
)
from shelves import pdf_bytes

from jupyter_swarm.api import Swarm
from jupyter_swarm.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

    from tests.browser.labs import Lab

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
MANY = 600
"""Hypotheses of the large swarm, five runs each."""
ARTEFACTS = Path(__file__).resolve().parents[2] / "artefacts"
MAIN = "#jp-main-dock-panel"


@pytest.fixture(scope="module")
def lab(serve: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A server whose folder has a swarm that is over, one with thousands of runs, papers, and one at work on the real
    wine cell."""
    with serve("jupyterlab", "lab/tree", tmp_path_factory) as lab:
        for name in ("notes", "wine.py"):
            subprocess.run(["cp", "-r", str(NOTEBOOKS / name), str(lab.folder)], check=True)
        quiet_library(lab.folder)
        command(lab, "papers", "add", "notes/*.md", "module:sklearn.svm", "module:sklearn.preprocessing")
        command(lab, "run", "wine.py", "--name", "vines", "--maximize", "accuracy", "--budget", "60x", "--agents", "8")
        store = Workspace(lab.folder).store
        logs.play(store, [move for move in logs.wine() if not isinstance(move[1], logs.e.SwarmEnded)])
        moves = large().moves
        store.append("large", [event for _, event in moves], active_seconds=moves[-1][0])
        store.close()
        try:
            yield lab
        finally:
            end_all(lab.folder)


def command(lab: Lab, *words: str) -> None:
    """`jupyter swarm …` in the server's folder."""
    line = [sys.executable, "-m", "jupyter_swarm.jupyter.cli", *words]
    subprocess.run(line, check=True, cwd=lab.folder, capture_output=True, timeout=120)


def large() -> logs.Player:
    """A swarm with thousands of runs: another scaler and another C in each, one hypothesis in 25 without a value."""
    player = logs.Player(name="large")
    player.begin()
    player.baseline()
    scalers = list(logs.SCALERS)
    for place in range(1, MANY + 1):
        scaler, c = player.random.choice(scalers), round(10 ** player.random.uniform(-2, 2), 3)
        direction = "D1" if place % 3 else "D2"
        variation = logs.swapped(scaler, c)
        tried = player.propose(f"H{place}", f"{scaler} with C = {c:g} raises accuracy", direction, variation)
        player.screen(tried, logs.FAILURE if place % 25 == 0 else logs.SCALERS[scaler], range(1, 6))
    return player


@pytest.fixture(scope="module")
def many() -> list[dict[str, Any]]:
    """The runs of the large swarm, as its ledger has them."""
    state = large().state
    found = []
    for number, row in state.rows.items():
        case = state.cases.get(row.experiment.hypothesis)
        edits = {each.target: each.value for each in case.hypothesis.variation.edits} if case else {}
        run = row.run
        assert run is not None
        found.append(
            {
                "number": number,
                "value": run.value,
                "direction": case.hypothesis.direction if case else "",
                "agent": row.experiment.agent,
                "c": edits.get("SVC.C", 1.0),
                "scaler": str(edits.get("Normalizer", "")).rpartition(":")[2],
                "title": row.experiment.title,
            }
        )
    return found


# ---------------------------------------------------------------- the overview


def test_the_overview_tells_where_the_swarm_stands(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    state = Swarm("wine", Workspace(lab.folder)).state
    assert state.best is not None
    opened(page, lab)
    shown(page, "wine")
    wide(page, 320)
    here = section(page, "Overview")
    answer = here.get_by_role("region", name="Answer so far")
    answer.get_by_text(f"accuracy {state.best.mean:.4g}").wait_for()
    spend = here.get_by_role("progressbar", name="Experiments")
    assert spend.get_attribute("aria-valuetext") == f"{state.experiments} of 400"
    assert spend.get_attribute("aria-valuenow") == str(round(100 * state.experiments / 400))
    filled = spend.locator("> *").bounding_box()
    track = spend.bounding_box()
    assert filled is not None
    assert track is not None
    assert abs(filled["width"] / track["width"] - state.experiments / 400) < 0.02
    reasons = here.get_by_role("region", name="Failures").get_by_role("listitem")
    assert sum(int(each.inner_text().rpartition(":")[2]) for each in reasons.all()) == sum(state.failed.values())
    axe(page)
    shot("data-overview-320")

    plot = here.get_by_role("img", name=re.compile("best so far"))
    assert f"{state.best.mean:.4g}" in str(plot.get_attribute("aria-label"))
    drawn = colours(plot)
    assert drawn["lines"] > 200, "the course is drawn"
    assert drawn["kinds"] > 3, "and the noise of the baseline besides"
    markers = here.locator(".u-legend .u-marker")
    borders = {each.evaluate("node => getComputedStyle(node).borderTopColor") for each in markers.all()}
    assert len(borders) > 1, "the legend tells the lines apart"
    here.get_by_text("Show as a table").click()
    table = here.locator(".jp-Swarm-numbers").first
    table.wait_for()
    rows = table.get_by_role("row").count()
    assert 3 <= rows <= 21
    values = [row.run.value for row in state.rows.values() if row.run and row.run.value is not None]
    last = float(table.get_by_role("row").last.get_by_role("cell").first.inner_text())
    assert min(values) < last <= max(values)
    choice(here, "Over").select_option("experiments")
    table.get_by_role("columnheader", name="Experiments").wait_for()
    here.get_by_role("button", name="Show these runs").click()
    runs = panel(page).get_by_role("tabpanel", name="Runs")
    runs.get_by_text(f"{sum(state.failed.values())} of {len(state.rows)} runs").wait_for()
    widened(page)
    section(page, "Overview").get_by_role("img", name=re.compile("best so far")).wait_for()
    axe(page)
    shot("data-overview-wide")


def colours(plot: Locator) -> dict[str, int]:
    """What is painted on a plot: how many opaque pixels, and how many colours that cover at least 30 pixels each."""
    count = """node => {
        const canvas = node.querySelector('canvas');
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        const seen = new Map();
        let lines = 0;
        for (let at = 0; at < data.length; at += 4) {
            if (data[at + 3] > 0) {
                lines += 1;
                const key = [data[at], data[at + 1], data[at + 2], data[at + 3]].join();
                seen.set(key, (seen.get(key) ?? 0) + 1);
            }
        }
        return { lines, kinds: [...seen.values()].filter(each => each >= 30).length };
    }"""
    until(lambda: plot.evaluate(count)["lines"] > 0, what="a drawing")
    return dict(plot.evaluate(count))


# ---------------------------------------------------------------- the table of runs


def counted(here: Locator, number: int, all_of: int) -> None:
    """Wait until the table shows so many of all runs."""
    here.get_by_text(f"{number:,} of {all_of:,} runs", exact=True).wait_for()


def choice(here: Locator, label: str) -> Locator:
    """A list of choices, by the word before it."""
    return here.get_by_role("combobox", name=re.compile(f"^{label}"))


def cells(here: Locator, place: int) -> list[str]:
    """What stands in a row of the table; 0 is the first."""
    return here.locator(f'[aria-rowindex="{place + 2}"] [role=gridcell]').all_inner_texts()


def test_thousands_of_runs_are_a_few_rows_sorted_and_filtered(
    page: Page, lab: Lab, many: list[dict[str, Any]], shot: Callable[..., Path]
) -> None:
    opened(page, lab)
    shown(page, "large")
    wide(page, 320)
    section(page, "Runs").get_by_role("grid").wait_for()
    axe(page)
    shot("data-runs-320")
    widened(page)
    here = section(page, "Runs")
    grid, everything = here.get_by_role("grid"), len(many)
    counted(here, everything, everything)
    assert grid.get_attribute("aria-rowcount") == str(everything + 1)
    assert grid.locator(".jp-Swarm-grid-row").count() < 80
    assert cells(here, 0)[0] == str(everything), "the newest comes first"

    by_value = here.get_by_role("columnheader", name="accuracy")
    by_value.get_by_role("button").click()
    assert by_value.get_attribute("aria-sort") == "descending"
    values = sorted(each["value"] for each in many if each["value"] is not None)
    assert float(cells(here, 0)[2]) == pytest.approx(values[-1], abs=1e-3)
    by_value.get_by_role("button").press("Enter")
    assert by_value.get_attribute("aria-sort") == "ascending"
    assert float(cells(here, 0)[2]) == pytest.approx(values[0], abs=1e-3)
    grid.focus()
    pressed(page, "End")
    here.locator(f'[aria-rowindex="{everything + 1}"]').wait_for()
    assert cells(here, everything - 1)[2] == "–", "those without a value come last, however it is sorted"
    assert grid.locator(".jp-Swarm-grid-row").count() < 80

    here.get_by_role("searchbox", name="Words in a run").fill("robustscaler")
    counted(here, sum("RobustScaler" in each["title"] for each in many), everything)
    here.get_by_role("button", name="Show all").click()
    here.get_by_role("button", name="Filter", exact=True).click()
    for label, value, key in (("Direction", "D2", "direction"), ("Agent", "tuning-4", "agent")):
        choice(here, label).select_option(value)
        counted(here, sum(each[key] == value for each in many), everything)
        choice(here, label).select_option("")
    choice(here, "State").select_option("failure")
    counted(here, sum(each["value"] is None for each in many), everything)
    choice(here, "Direction").select_option("D2")
    counted(here, sum(each["value"] is None and each["direction"] == "D2" for each in many), everything)
    axe(page)
    shot("data-runs-wide")
    here.get_by_role("button", name="Show all").click()
    counted(here, everything, everything)
    here.get_by_role("status").filter(has_text=f"{everything} runs are shown").wait_for(state="attached")


def test_the_plot_and_the_table_filter_each_other(
    page: Page, lab: Lab, many: list[dict[str, Any]], shot: Callable[..., Path]
) -> None:
    opened(page, lab)
    shown(page, "large")
    widened(page)
    here = section(page, "Runs")
    choice(here, "Parameter").select_option("SVC.C")
    plot = here.get_by_role("img", name=re.compile("against SVC.C"))
    over = plot.locator(".u-over")
    everything = len(many)
    counted(here, everything, everything)
    box = over.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + box["height"] - 4, steps=6)
    page.mouse.up()
    low, high = here.get_by_label("SVC.C from"), here.get_by_label("SVC.C to")
    until(lambda: low.input_value() != "" and high.input_value() != "", what="the frame in its fields")
    ends = float(low.input_value()), float(high.input_value())
    assert 0 < ends[0] < ends[1] < 100
    drawn = [each for each in many if ends[0] <= each["c"] <= ends[1]]
    number = int(here.get_by_text(re.compile(r"^[\d,]+ of [\d,]+ runs$")).inner_text().split(" ")[0].replace(",", ""))
    assert 0 < number <= len(drawn) < everything
    shot("data-scatter-frame")

    here.get_by_role("button", name="Clear the frame").click()
    counted(here, everything, everything)
    low.fill("1")
    low.press("Enter")
    high.fill("10")
    high.press("Enter")
    meant = [each for each in many if 1 <= each["c"] <= 10]
    counted(here, len(meant), everything)
    frame = plot.locator(".u-select").bounding_box()
    assert frame is not None
    assert 0.15 * box["width"] < frame["width"] < 0.4 * box["width"], "a fourth of the four decades"
    value = here.get_by_label("accuracy from")
    value.fill("0.98")
    value.press("Enter")
    both = [each for each in meant if each["value"] is not None and each["value"] >= 0.98]
    counted(here, len(both), everything)
    label = str(plot.get_attribute("aria-label"))
    assert f"table shows {len(both)}." in label.replace(",", "")
    frame = plot.locator(".u-select").bounding_box()
    assert frame is not None
    page.mouse.dblclick(box["x"] + box["width"] - 10, box["y"] + 10)
    counted(here, everything, everything)

    before = painted(plot, "--jp-warn-color1")
    grid = here.get_by_role("grid")
    here.locator('[aria-rowindex="10"] [role=gridcell]').first.click()
    here.get_by_role("button", name="Select", exact=True).click()
    assert here.locator('[aria-rowindex="10"]').get_attribute("aria-selected") == "true"
    until(lambda: painted(plot, "--jp-warn-color1") > before, what="a ring around the run that is selected")
    assert grid.get_attribute("aria-activedescendant")

    choice(here, "Parameter").select_option("Normalizer")
    here.get_by_role("checkbox", name="MaxAbsScaler").check()
    counted(here, sum(each["scaler"] == "MaxAbsScaler" for each in many), everything)
    axe(page)
    shot("data-scatter-categories")


def painted(plot: Locator, variable: str) -> int:
    """Pixels of a plot in a colour of the theme, or near it."""
    count = """(node, variable) => {
        const probe = document.createElement('canvas').getContext('2d');
        probe.fillStyle = getComputedStyle(document.body).getPropertyValue(variable).trim();
        probe.fillRect(0, 0, 1, 1);
        const ink = probe.getImageData(0, 0, 1, 1).data;
        const canvas = node.querySelector('canvas');
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        let found = 0;
        for (let at = 0; at < data.length; at += 4) {
            const near = [0, 1, 2].every(each => Math.abs(data[at + each] - ink[each]) < 12);
            found += near && data[at + 3] > 200 ? 1 : 0;
        }
        return found;
    }"""
    return int(plot.evaluate(count, variable))


def test_runs_by_keyboard_one_closer_two_compared(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    state = Swarm("wine", Workspace(lab.folder)).state
    opened(page, lab)
    shown(page, "wine")
    tab = panel(page).get_by_role("tab", name="Overview")
    tab.focus()
    pressed(page, "ArrowRight", "ArrowRight", "ArrowRight")
    here = panel(page).get_by_role("tabpanel", name="Runs")
    grid = here.get_by_role("grid")
    grid.wait_for()
    for _ in range(40):
        if grid.evaluate("node => node === document.activeElement"):
            break
        page.keyboard.press("Tab")
    assert grid.evaluate("node => node === document.activeElement"), "Tab leads to the table"
    pressed(page, "ArrowDown", "ArrowDown", "ArrowDown")
    number = int(cells(here, 2)[0].strip("☑ "))
    assert here.locator('[aria-rowindex="4"]').get_attribute("data-active") == "true"
    page.keyboard.press("Enter")
    closer = here.get_by_role("article", name=f"Run {number}")
    closer.locator("h3:focus").wait_for()
    run = state.rows[number].run
    assert run is not None
    closer.get_by_text(f"{run.value:.6g}"[:6]).first.wait_for()
    assert "make_pipeline" in closer.locator(".cm-content").inner_text()
    axe(page)
    shot("data-run-closer")
    closer.get_by_role("button", name="Back to all runs").focus()
    page.keyboard.press("Enter")
    grid.focus()
    pressed(page, "Home", "Space", "End", "Space")
    assert here.locator('[role=row][aria-selected="true"]').count() >= 1
    compare = here.get_by_role("button", name=f"Compare 1 and {len(state.rows)}")
    compare.focus()
    page.keyboard.press("Enter")
    main = page.locator(MAIN)
    difference = main.get_by_role("region", name="Difference of their code")
    difference.locator(".cm-mergeView .cm-changedText").first.wait_for()
    sides = [each.inner_text() for each in difference.locator(".cm-content").all()]
    assert "Normalizer()" in sides[0]
    assert "MinMaxScaler()" in sides[1]
    figures = main.get_by_role("table").inner_text()
    first, last = state.rows[1].run, state.rows[len(state.rows)].run
    assert first is not None
    assert last is not None
    for word in ("Run 1", f"Run {len(state.rows)}", f"{first.value:.5g}", f"{last.value:.5g}", "Seed"):
        assert word in figures
    axe(page)
    shot("data-compare")


def test_a_real_run_opens_as_a_notebook_and_its_passage_in_the_paper(
    page: Page, lab: Lab, shot: Callable[..., Path]
) -> None:
    swarm = Swarm("vines", Workspace(lab.folder))
    wait_for(lambda: swarm.state.over, 120, "the end of the real swarm")
    state = swarm.state
    cited = next(
        number
        for number, row in state.rows.items()
        if row.run and row.run.value is not None and case_citations(state, row.experiment.hypothesis)
    )
    quote = case_citations(state, state.rows[cited].experiment.hypothesis)[0]
    opened(page, lab)
    shown(page, "vines")
    here = section(page, "Runs")
    here.get_by_role("searchbox", name="Words in a run").fill(state.rows[cited].experiment.title)
    here.locator(".jp-Swarm-grid-row").first.dblclick()
    closer = here.get_by_role("article")
    number = int(closer.locator("h3").inner_text().split(" ")[1])
    code = re.sub(r"\s", "", state.rows[number].experiment.code)
    assert re.sub(r"\s", "", closer.locator(".cm-content").inner_text()) in code

    closer.get_by_role("button", name="Insert this cell").click()
    page.get_by_text("Open a notebook first").first.wait_for()
    closer.get_by_role("button", name="Open as a notebook").click()
    notebook = page.locator(f"{MAIN} .jp-Notebook")
    notebook.locator(".jp-CodeCell").first.wait_for()
    notebook.get_by_text("accuracy = ").first.wait_for()
    assert list(lab.folder.glob("vines*.ipynb")), "a copy lies beside the person's notebooks"
    assert notebook.locator(".jp-CodeCell").count() >= 1
    shot("data-run-as-notebook")
    before = notebook.locator(".jp-CodeCell").count()
    closer.get_by_role("button", name="Insert this cell").click()
    until(lambda: notebook.locator(".jp-CodeCell").count() == before + 1, what="the cell in the open notebook")

    closer.get_by_role("button", name=re.compile("at this passage")).first.click()
    mark = page.locator(f"{MAIN} .jp-Swarm-reader mark")
    mark.first.wait_for()
    text = " ".join("".join(mark.all_inner_texts()).split())
    assert any(" ".join(each.quote.split()) in text or text in " ".join(each.quote.split()) for each in
               case_citations(state, state.rows[number].experiment.hypothesis)), (text, quote.quote)  # fmt: skip
    assert mark.first.evaluate("node => node === document.activeElement"), "a screen reader is led there"
    page.locator(MAIN).get_by_role("status").filter(has_text="The quotation is marked").wait_for()
    assert in_sight(page, mark.first)
    axe(page)
    shot("data-reader")


def case_citations(state: Any, hypothesis: str) -> list[Any]:
    """What a hypothesis cites."""
    case = state.cases.get(hypothesis)
    return list(case.hypothesis.citations) if case else []


def in_sight(page: Page, what: Locator) -> bool:
    """Whether it stands within the window."""
    box, window = what.bounding_box(), page.viewport_size
    return box is not None and window is not None and 0 <= box["y"] < window["height"]


# ---------------------------------------------------------------- papers


def outcome(page: Page, name: str, word: str) -> Locator:
    """Wait until a paper that was added has come to this end."""
    found = panel(page).locator(".jp-Swarm-adding li").filter(has_text=name).filter(has_text=word)
    found.first.wait_for()
    return found.first


def test_papers_are_found_added_and_refused(page: Page, lab: Lab, tmp_path: Path, shot: Callable[..., Path]) -> None:
    opened(page, lab)
    shown(page, "wine")
    wide(page, 320)
    here = section(page, "Papers")
    here.get_by_role("heading", name="3 papers").wait_for()
    axe(page)
    shot("data-papers-320")
    search = here.get_by_role("searchbox", name="What to look for in the papers")
    search.fill("regularization strength")
    search.press("Enter")
    here.get_by_text(re.compile(r"\d+ passages found")).wait_for()
    first = here.locator(".jp-Swarm-hits li").first
    assert "regulari" in first.inner_text().lower()
    first.get_by_role("button").focus()
    page.keyboard.press("Enter")
    page.locator(f"{MAIN} .jp-Swarm-reader mark").first.wait_for()

    (lab.folder / "outlook.md").write_text("# An outlook on margins\n\nA wide margin helps when features are scaled.\n")
    path = here.get_by_label("Add by path, pattern or module:NAME")
    path.fill("outlook.md")
    path.press("Enter")
    outcome(page, "outlook.md", "added")
    here.get_by_role("button", name="An outlook on margins").wait_for()
    path.fill("outlook.md")
    path.press("Enter")
    outcome(page, "outlook.md", "was there already")
    path.fill("nowhere/*.pdf")
    path.press("Enter")
    assert "check the folder" in outcome(page, "nowhere/*.pdf", "refused").inner_text()
    path.fill("../../etc/passwd")
    path.press("Enter")
    assert "root:" not in outcome(page, "../../etc/passwd", "refused").inner_text()

    with page.expect_file_chooser() as chosen:
        here.get_by_role("button", name="Choose files").press("Enter")
    files = []
    for name, text in (("one.md", "# The first of two\n\nScaling.\n"), ("two.txt", "The second of two\n\nMargins.\n")):
        (tmp_path / name).write_text(text * 50)
        files.append(tmp_path / name)
    (tmp_path / "three.zip").write_bytes(b"PK\x03\x04" + b"\0" * 2000)
    chosen.value.set_files([*files, tmp_path / "three.zip"])
    for name in ("one.md", "two.txt"):
        outcome(page, name, "added")
    outcome(page, "three.zip", "refused")
    here.get_by_role("status").filter(has_text=re.compile(r"(\d+) of \1 papers are done")).wait_for(state="attached")
    axe(page)
    shot("data-papers-adding")
    here.get_by_role("button", name="Clear what is done").click()
    until(lambda: panel(page).locator(".jp-Swarm-adding li").count() == 0)

    drop = here.get_by_role("region", name="Add papers")
    transfer = page.evaluate_handle("""() => {
        const data = new DataTransfer();
        data.items.add(new File(['# A paper that was dropped\\n\\nKernels and ranges.\\n'], 'dropped.md'));
        data.items.add(new File([new Uint8Array(64)], 'dropped.exe'));
        return data;
    }""")
    drop.dispatch_event("dragenter", {"dataTransfer": transfer})
    assert drop.get_attribute("data-over") == "true"
    drop.dispatch_event("drop", {"dataTransfer": transfer})
    assert drop.get_attribute("data-over") == "false"
    outcome(page, "dropped.md", "added")
    outcome(page, "dropped.exe", "refused")
    assert (lab.folder / "papers" / "dropped.md").is_file()
    until(lambda: here.get_by_role("button", name="A paper that was dropped").count() == 1, what="it in the library")


def test_a_pdf_opens_at_the_page_where_the_passage_stands(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    plain = "Line {} of page {} says nothing of what is looked for, at some length and in plain words."
    pages = ["\n".join(plain.format(line, number) for line in range(40)) for number in range(1, 31)]
    pages[22] += "\nGossamer wings of the dragonfly were weighed at noon."
    (lab.folder / "long.pdf").write_bytes(pdf_bytes(pages, title="A long paper"))
    opened(page, lab)
    here = section(page, "Papers")
    path = here.get_by_label("Add by path, pattern or module:NAME")
    path.fill("long.pdf")
    path.press("Enter")
    outcome(page, "long.pdf", "added")
    search = here.get_by_role("searchbox", name="What to look for in the papers")
    search.fill("gossamer wings of the dragonfly")
    search.press("Enter")
    hit = here.locator(".jp-Swarm-hits li").filter(has_text="Gossamer").first
    assert "page 23" in hit.inner_text()
    hit.get_by_role("button").first.click()
    reader = page.locator(f"{MAIN} .jp-Swarm-reader")
    mark = reader.locator("mark").filter(has_text="Gossamer").first
    mark.wait_for()
    until(lambda: in_sight(page, mark), what="the passage in the window")
    reader.get_by_text(re.compile("^30 parts$")).click()
    reader.get_by_role("button", name="page 7", exact=True).click()
    other = reader.get_by_text("Line 0 of page 7 says").first
    other.wait_for()
    until(lambda: in_sight(page, other), what="page 7 in the window")
    shot("data-reader-pdf")


def test_a_paper_dragged_from_the_file_browser_and_where_papers_are_cited(
    page: Page, lab: Lab, shot: Callable[..., Path]
) -> None:
    (lab.folder / "dragged.md").write_text("# A paper that was dragged\n\nDistances and kernels.\n")
    swarm = Swarm("vines", Workspace(lab.folder))
    wait_for(lambda: swarm.state.over, 120, "the end of the real swarm")
    opened(page, lab)
    shown(page, "vines")
    widened(page)
    here = section(page, "Papers")
    page.keyboard.press("Control+Shift+f")
    item = page.locator(".jp-DirListing-item").filter(has_text="dragged.md")
    item.scroll_into_view_if_needed()
    start, end = item.bounding_box(), here.get_by_role("region", name="Add papers").bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + 40, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(start["x"] + 80, start["y"] + 30, steps=4)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=8)
    until(lambda: here.get_by_role("region", name="Add papers").get_attribute("data-over") == "true")
    page.mouse.up()
    outcome(page, "dragged.md", "added")

    entry = here.locator(".jp-Swarm-library > li").filter(has=page.get_by_role("button", name="sklearn.preprocessing"))
    entry.get_by_role("button", name=re.compile("^Cited")).click()
    link = entry.get_by_role("button", name=re.compile(r"^vines D\d+$|D\d+")).first
    direction = str(re.search(r"D\d+", link.inner_text() or str(link.get_attribute("aria-label"))).group())  # type: ignore[union-attr]
    axe(page)
    shot("data-papers-cited")
    link.click()
    panel(page).get_by_role("tabpanel", name="Directions").get_by_text(direction).first.wait_for()

    pages = panel(page)
    for begin in ("wine", ""):
        pages.get_by_role("button", name="Back to the list of swarms").click()
        if begin:
            shown(page, begin)
        here = section(page, "Papers")
        entry = here.locator(".jp-Swarm-library > li").filter(has_text="sklearn.preprocessing").first
        entry.get_by_role("button", name=re.compile("^Cited")).click()
        entry.get_by_role("button", name=direction, exact=True).first.click()
        pages.get_by_role("heading", name="vines", exact=True).wait_for()
        pages.get_by_role("tabpanel", name="Directions").get_by_text(direction).first.wait_for()


def test_papers_are_those_of_the_folder_that_is_shown(page: Page, lab: Lab) -> None:
    other = lab.folder / "other"
    other.mkdir()
    workspace = Workspace(other).create()
    logs.play(workspace.store, logs.failed(), "alone")
    workspace.store.close()
    opened(page, lab)
    here = section(page, "Papers")
    here.locator(".jp-Swarm-library > li").first.wait_for()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile(r"/jupyter-swarm/api/papers\?folder=other"), hold)
    panel(page).get_by_role("button", name="Change").click()
    places = panel(page).get_by_role("list", name="Folders that have swarms")
    places.get_by_role("button", name="other", exact=True).click()
    here.get_by_text("Waiting for the library").wait_for()
    assert here.locator(".jp-Swarm-library > li").count() == 0, "papers of another folder"
    assert held, "it is on its way"
    for each in held:
        each.continue_()
    here.get_by_text("No papers yet").wait_for()


def test_a_search_that_fails_shows_nothing_of_the_one_before(page: Page, lab: Lab) -> None:
    opened(page, lab)
    here = section(page, "Papers")
    search = here.get_by_role("searchbox", name="What to look for in the papers")
    search.fill("regularization strength")
    search.press("Enter")
    here.get_by_text(re.compile(r"\d+ passages? found")).wait_for()
    page.route(re.compile(r"/papers/search\?.*kernel"), lambda route: route.abort())
    search.fill("kernel")
    search.press("Enter")
    here.get_by_role("alert").get_by_text("The server cannot be reached.").wait_for()
    assert here.locator(".jp-Swarm-hits").count() == 0, "hits of another question"


def test_a_paper_that_is_long_on_its_way_is_asked_for_again(page: Page, lab: Lab) -> None:
    opened(page, lab)
    section(page, "Papers").locator(".jp-Swarm-library > li").first.wait_for()
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route(re.compile(r"/jupyter-swarm/api/papers/[^/?]+\?"), hold_the_first)
    section(page, "Papers").locator(".jp-Swarm-library > li").first.get_by_role("button").first.click()
    reader = page.locator(MAIN)
    reader.get_by_text("Waiting for the paper").wait_for()
    reader.get_by_role("button", name="Try again now").click()
    reader.locator(".jp-Swarm-reader article").wait_for()
    held[0].abort()


# ---------------------------------------------------------------- themes, and a slow link


@contextmanager
def looked_at(browser: Browser, **options: Any) -> Iterator[Page]:
    """A page of its own, with settings that a fixture's page cannot have."""
    context = browser.new_context(viewport={"width": 1240, "height": 1400}, **options)
    page = context.new_page()
    page.set_default_timeout(60_000)
    try:
        yield page
    finally:
        context.close()


@pytest.mark.parametrize(
    ("theme", "forced"),
    [(DARK, "none"), (CONTRAST, "none"), (LIGHT, "active")],
    ids=["dark", "contrast", "forced"],
)  # the light theme is what all other tests look at
def test_every_state_is_readable_in_every_theme(browser: Browser, lab: Lab, theme: str, forced: str) -> None:
    word = "forced" if forced == "active" else theme.removeprefix("JupyterLab ").replace(" ", "-").lower()
    ARTEFACTS.mkdir(exist_ok=True)
    with themed(lab, theme), looked_at(browser, forced_colors=forced) as page:
        opened(page, lab)

        def look(state: str) -> None:
            page.screenshot(path=ARTEFACTS / f"data-{state}-{word}.png")
            axe(page, rules=COLOURS)

        listed(page, "wine").wait_for()
        look("list")
        shown(page, "wine")
        wide(page, 320)
        section(page, "Overview").get_by_role("img").first.wait_for()
        look("overview")
        for name in ("Directions", "Findings", "Agents", "Log"):
            here = section(page, name)
            until(lambda here=here: here.locator(".jp-Swarm-loading").count() == 0 and here.inner_text(), what=name)
            for fold in here.locator("summary").all()[:3]:
                fold.click()
            look(name.lower())
        widened(page)
        here = section(page, "Runs")
        here.get_by_role("grid").focus()
        pressed(page, "ArrowDown", "Space", "End", "Space")
        here.get_by_role("button", name="Filter", exact=True).click()
        look("runs")
        here.get_by_role("button", name=re.compile("^Compare ")).click()
        page.locator(f"{MAIN} .cm-mergeView").wait_for()
        look("compare")
        page.locator(f"{MAIN} .lm-TabBar-tab").filter(has_text="Swarm").click()
        panel(page).get_by_role("grid").focus()
        page.keyboard.press("Enter")
        panel(page).get_by_role("article").locator(".cm-content").wait_for()
        look("run")
        here = section(page, "Papers")
        here.get_by_role("button", name=re.compile("^Cited")).first.click()
        here.locator(".jp-Swarm-library details").first.wait_for()
        look("papers")
        here.get_by_role("button", name=re.compile("passage", re.I)).first.click()
        page.locator(f"{MAIN} .jp-Swarm-reader mark").first.wait_for()
        look("reader")


def test_over_a_slow_link_each_section_comes_and_says_so_until_then(page: Page, lab: Lab) -> None:
    page.goto(f"{lab.url}/lab?reset&token={lab.token}")
    tab = page.locator(".jp-SideBar").get_by_role("tab", name="Swarm", exact=True)
    tab.wait_for()
    link = page.context.new_cdp_session(page)
    link.send("Network.enable")
    slow = {"offline": False, "latency": 400, "downloadThroughput": 60_000, "uploadThroughput": 20_000}
    link.send("Network.emulateNetworkConditions", slow)
    tab.click()
    listed(page, "wine").get_by_role("button", name="wine", exact=True).click()
    panel(page).get_by_role("status").filter(has_text="Waiting for the swarm wine").wait_for()
    for name, what in (("Overview", "img"), ("Runs", "grid"), ("Papers", "searchbox"), ("Directions", "slider")):
        here = section(page, name)
        here.get_by_role(what).first.wait_for(timeout=20_000)
        until(lambda: panel(page).locator(".jp-Swarm-loading").count() == 0, 20, f"the end of loading {name}")
    here = section(page, "Directions")
    slider = here.get_by_role("slider").first
    before = float(slider.input_value())
    slider.press("ArrowRight")
    workspace = Workspace(lab.folder)

    def heard() -> list[float]:
        events = [each.event for each in workspace.store.read(swarm="wine")]
        return [each.value for each in events if isinstance(each, logs.e.SteeringRequested)]

    until(heard, 15, "the request in the ledger")
    assert heard() == [before + 0.5]
    workspace.store.close()
