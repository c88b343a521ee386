"""What a person decides, in the panel: directions, findings, agents, log; asked of a real swarm, answered by it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "jupyter"))
import logs
from faces import end_all, quiet_library, wait_for
from labs import served
from panel import DARK, axe, opened, panel, reached, section, shown, themed, until, wide, widened

from jupyter_swarm.api import Swarm
from jupyter_swarm.events import SteeringAnswered, SteeringRequested
from jupyter_swarm.state import SwarmState
from jupyter_swarm.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

    from tests.browser.labs import Lab

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

STUDY = '''# %%
import random
import time

def measure(rate, depth=2):
    time.sleep(0.15)
    return 1.0 - (rate - 0.7) ** 2 - 0.02 * abs(depth - 5) + random.gauss(0, 0.01)

# %%
"""Which rate and depth are best?"""
rate = 0.3
score = measure(rate, depth=2)
'''
PLAIN = "Plain words of a model"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A server: `live/` has a swarm at work, `done/` one that is over, `midway/` two that wait for a runner."""
    with served("jupyterlab", "lab/tree", tmp_path_factory) as lab:
        for name in ("live", "done", "midway"):
            (lab.folder / name).mkdir()
            quiet_library(lab.folder / name)
        (lab.folder / "live" / "study.py").write_text(STUDY)
        command = [sys.executable, "-m", "jupyter_swarm.jupyter.cli", "run", "study.py", "--maximize", "score"]
        command += ["--budget", "20m", "--agents", "8", "--workers", "1"]
        subprocess.run(command, check=True, cwd=lab.folder / "live", capture_output=True, timeout=120)
        played(lab.folder / "done", "wine", logs.wine())
        played(lab.folder / "midway", "half", half())
        played(lab.folder / "midway", "words", logs.hostile(PLAIN)[:-1])
        played(lab.folder / "midway", "ended", logs.hostile(PLAIN))
        try:
            yield lab
        finally:
            end_all(lab.folder / "live")


def played(folder: Path, name: str, moves: list[logs.Move]) -> None:
    """A swarm in the ledger of a folder."""
    store = Workspace(folder).store
    logs.play(store, moves, name)
    store.close()


def half() -> list[logs.Move]:
    """The wine swarm in the middle of its first plan: one finding is being tested."""
    moves = logs.wine()
    plan = next(place for place, (_, event) in enumerate(moves) if isinstance(event, logs.e.PlanRegistered))
    return moves[: plan + 9]


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """One page for the whole module."""
    context = browser.new_context(viewport={"width": 1240, "height": 1900})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def live(lab: Lab) -> Workspace:
    """The workspace of the swarm at work."""
    return Workspace(lab.folder / "live")


def state(workspace: Workspace, name: str = "study") -> SwarmState:
    """What the ledger says now."""
    return Swarm(name, workspace).state


def at(page: Page, lab: Lab, folder: str, name: str) -> Locator:
    """The panel with a swarm of this folder, beside a notebook of that folder."""
    if f"/{folder}/notes.ipynb" in page.url:
        panel(page).get_by_role("button", name="Back to the list of swarms").click()
    else:
        opened(page, lab, lab.notebook(f"{folder}/notes.ipynb", "1 + 1"))
        wide(page, 320)
    return shown(page, name)


def asked(workspace: Workspace, verb: str, name: str = "study") -> list[tuple[SteeringRequested, bool | None, str]]:
    """What was asked of a swarm by this verb, and how the runner answered (None where it has not yet)."""
    records = workspace.store.read(swarm=name)
    answers = {each.event.request: each.event for each in records if isinstance(each.event, SteeringAnswered)}
    found = []
    for each in records:
        if isinstance(each.event, SteeringRequested) and each.event.verb == verb:
            answer = answers.get(each.number)
            found.append((each.event, answer.done if answer else None, answer.answer if answer else ""))
    return found


def carried_out(workspace: Workspace, verb: str, target: str, value: object = None) -> str:
    """Wait until the runner has carried out the last request like this; its answer."""

    def answers() -> list[str]:
        found = [each for each in asked(workspace, verb) if (each[0].target, each[0].value) == (target, value)]
        assert not any(done is False for _, done, _ in found[-1:]), found[-1]
        return [words for _, done, words in found[-1:] if done]

    until(answers, 20, f"{verb} {target} {value or ''}, carried out,")
    return answers()[0]


# ---------------------------------------------------------------- directions


def cards(page: Page) -> Locator:
    """The cards of open directions, in their order."""
    return panel(page).get_by_role("list", name="Open directions, by priority").locator("> li")


def order(page: Page) -> list[str]:
    """Their ids."""
    found: list[str] = cards(page).evaluate_all("cards => cards.map(each => each.dataset.id)")
    return found


def card(page: Page, direction: str) -> Locator:
    """One of them."""
    return panel(page).locator(f"li[data-id='{direction}']")


def test_a_direction_has_its_promise_its_share_and_its_sources(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    at(page, lab, "done", "wine")
    here = section(page, "Directions")
    until(lambda: len(order(page)) == 5, what="five directions")
    first = card(page, "D1")
    first.get_by_role("heading", name="Another scaler in place of Normalizer").wait_for()
    promise = first.get_by_role("img", name=re.compile(r"promise, 90 % credible, 0\.\d+, between 0\.\d+ and"))
    assert promise.count() == 1
    assert re.search(r"\d+ % of the work", first.inner_text())
    first.get_by_text("2 citations").click()
    first.get_by_text(logs.DOCS.quote).wait_for()
    slider = first.get_by_role("slider")
    assert slider.is_disabled(), "a swarm that is over is not steered"
    assert "over" in str(first.get_by_role("button", name=re.compile("^Approve")).get_attribute("title"))
    axe(page)
    shot("people-directions-320")
    first.get_by_role("button", name=re.compile("ideas of D1")).click()
    panel(page).get_by_text("Only those of D1").wait_for()
    section(page, "Directions")
    card(page, "D1").get_by_text("2 citations").click()
    card(page, "D1").get_by_role("button", name=re.compile("at this passage")).first.click()
    panel(page).get_by_role("tabpanel", name="Papers").wait_for()
    assert here is not None


def test_a_slider_reaches_the_ledger_by_mouse_and_by_keyboard(
    page: Page, lab: Lab, live: Workspace, shot: Callable[..., Path]
) -> None:
    at(page, lab, "live", "study")
    section(page, "Directions")
    until(lambda: len(order(page)) >= 2, 60, "two directions")
    slider = card(page, "D1").get_by_role("slider")
    box = slider.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.25 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], middle, steps=4)
    held, runs = slider.input_value(), len(state(live).rows)
    assert 2.5 <= float(held) <= 3.5
    until(lambda: len(state(live).rows) > runs + 3, 30, "more runs")
    assert slider.input_value() == held, "what is under a hand stays there, whatever news comes"
    assert not asked(live, "priority"), "nothing is asked before one lets go"
    page.mouse.up()
    said = carried_out(live, "priority", "D1", float(held))
    until(lambda: card(page, "D1").get_by_text("asked").count() == 0, what="the end of asking")
    assert slider.input_value() == held
    assert f"priority {float(held):g}" in said
    panel(page).get_by_role("status").filter(has_text="Done: priority D1").wait_for()

    reached(page, slider, most=1)
    page.keyboard.press("ArrowRight")
    carried_out(live, "priority", "D1", float(held) + 0.5)
    typed = card(page, "D1").get_by_role("spinbutton")
    reached(page, typed, most=3)
    page.keyboard.press("Control+a")
    page.keyboard.type("12")
    page.keyboard.press("Enter")
    carried_out(live, "priority", "D1", 12.0)
    until(lambda: order(page)[0] == "D1", what="the order by priority")
    axe(page)
    shot("people-priority")


def test_words_become_a_direction_or_a_refusal(
    page: Page, lab: Lab, live: Workspace, shot: Callable[..., Path]
) -> None:
    at(page, lab, "live", "study")
    here = section(page, "Directions")
    words = here.get_by_role("textbox", name="Add a direction, in words")
    words.fill("quantum gravity")
    words.press("Enter")
    refusal = here.get_by_text(re.compile("Refused: nothing in the cell that may vary"))
    refusal.wait_for()
    axe(page)
    shot("people-refused-320")
    assert [each[1] for each in asked(live, "add")] == [False]
    here.get_by_role("button", name="Understood").click()
    refusal.wait_for(state="detached")

    here.get_by_text(re.compile(r"\d+ values? of the cell may vary")).click()
    hint = here.get_by_role("button", name=re.compile(r"^measure\.depth = .*: put in$"))
    hint.click()
    assert words.input_value() == "measure.depth"
    here.get_by_role("button", name="Add", exact=True).click()
    said = carried_out(live, "add", "measure.depth")
    opened_as = re.search(r"opened (D\d+)", said)
    assert opened_as is not None
    card(page, opened_as[1]).get_by_role("heading", name=re.compile("measure.depth")).wait_for()
    assert words.input_value() == ""


def test_words_are_sent_once_and_what_is_typed_next_stays(page: Page, lab: Lab) -> None:
    workspace = Workspace(lab.folder / "midway")
    at(page, lab, "midway", "half")
    here = section(page, "Directions")
    words = here.get_by_role("textbox", name="Add a direction, in words")
    held: list[Route] = []
    requests = re.compile(r"/swarms/half/requests")

    def hold(route: Route) -> None:
        held.append(route)

    page.route(requests, hold)
    try:
        words.fill("stronger regularisation")
        with page.expect_request(requests):
            words.press("Enter")
        words.press("Enter")
        words.press_sequentially("other scalers")
        assert held, "it is on its way"
        for each in held:
            each.continue_()
        here.get_by_text("Asked, not answered yet: add stronger regularisation").first.wait_for()
    finally:
        page.unroute(requests)
    assert words.input_value() == "other scalers"
    assert [each.target for each, _, _ in asked(workspace, "add", "half")] == ["stronger regularisation"]


def test_a_direction_is_approved_closed_or_vetoed(
    page: Page, lab: Lab, live: Workspace, shot: Callable[..., Path]
) -> None:
    at(page, lab, "live", "study")
    here = section(page, "Directions")
    until(lambda: len(order(page)) >= 4, 60, "four directions")
    approved, closed, vetoed = [each for each in order(page) if each != "D1"][:3]
    card(page, approved).get_by_role("button", name=re.compile("^Approve")).click()
    assert "priority" in carried_out(live, "approve", approved)

    close = card(page, closed).get_by_role("button", name=re.compile("^Close"))
    close.click()
    question = card(page, closed).get_by_role("group", name="No more work here?")
    shot("people-asks-320", f"li[data-id='{closed}']")
    page.keyboard.press("Escape")
    question.wait_for(state="detached")
    assert close.evaluate("node => node === document.activeElement"), "the focus comes back"
    assert not asked(live, "close")
    page.keyboard.press("Enter")
    reached(page, question.get_by_role("button", name="Close it"), most=3)
    page.keyboard.press("Enter")
    carried_out(live, "close", closed)

    card(page, vetoed).get_by_role("button", name=re.compile("^Veto")).click()
    card(page, vetoed).get_by_role("group").get_by_role("button", name="Veto", exact=True).click()
    carried_out(live, "veto", vetoed)
    until(lambda: not {closed, vetoed} & set(order(page)), what="their leaving the open ones")
    here.get_by_text(re.compile(r"^\d+ closed")).click()
    here.get_by_text("Closed: closed by the person").wait_for()
    axe(page)
    shot("people-closed-320")


def test_directions_are_put_in_order_by_dragging_and_by_keys(page: Page, lab: Lab, live: Workspace) -> None:
    at(page, lab, "live", "study")
    section(page, "Directions")
    until(lambda: len(order(page)) >= 3, 60, "three directions")
    cards(page).first.get_by_role("slider").focus()
    moved = order(page)[0]
    before = len(asked(live, "priority"))
    page.keyboard.press("Alt+ArrowDown")
    until(lambda: len(asked(live, "priority")) > before, what="a request")
    until(lambda: order(page)[1] == moved, what="the second place")
    until(lambda: all(done for _, done, _ in asked(live, "priority")), 20, "the runner's answer")
    assert order(page)[1] == moved

    up = card(page, moved).get_by_role("button", name=re.compile("^Move .* up$"))
    up.click()
    until(lambda: order(page)[0] == moved, what="the first place again")
    assert up.get_attribute("aria-disabled") == "true", "the first cannot go up"
    until(lambda: all(done for _, done, _ in asked(live, "priority")), 20, "the runner's answer")

    last = order(page)[2]
    handle = card(page, last).get_by_title("Drag to another place")
    handle.scroll_into_view_if_needed()

    def dragged() -> bool:
        """Over the first card's upper half; the swarm is at work, so that the cards may move under the pointer."""
        [start, goal] = [handle.bounding_box(), cards(page).first.bounding_box()]
        assert start is not None
        assert goal is not None
        page.mouse.move(start["x"] + 5, start["y"] + 5)
        page.mouse.down()
        page.mouse.move(start["x"] + 5, goal["y"] + 10, steps=6)
        if cards(page).first.get_attribute("data-dropped") == "true":
            return True
        page.keyboard.press("Escape")
        page.mouse.up()
        return False

    until(dragged, what="the first place under the pointer")
    page.mouse.up()
    until(lambda: order(page)[0] == last, what="the dragged one's first place")
    until(lambda: asked(live, "priority")[-1][0].target == last, what="the request")
    until(lambda: all(done for _, done, _ in asked(live, "priority")), 20, "the runner's answer")
    priorities = {each.id: each.priority for each in state(live).directions.values()}
    assert priorities[last] > priorities[moved]
    assert order(page)[0] == last


# ---------------------------------------------------------------- findings


def group(page: Page, name: str) -> Locator:
    """The findings of a verdict."""
    return panel(page).get_by_role("region", name=name, exact=True)


def test_findings_stand_in_groups_on_one_axis(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    workspace = Workspace(lab.folder / "done")
    wine = state(workspace, "wine")
    at(page, lab, "done", "wine")
    section(page, "Findings")
    for name, verdict in (
        ("Supported", "supported"),
        ("Refuted", "refuted"),
        ("Open: neither supported nor refuted", "open"),
    ):
        wanted = [
            each.hypothesis.id for each in wine.cases.values() if each.evidence and each.evidence.verdict == verdict
        ]
        found = group(page, name).get_by_role("listitem")
        until(lambda found=found, wanted=wanted: found.count() == len(wanted), what=f"{name}: {wanted}")
        drawn = found.first.get_by_role("img", name=re.compile(r"^effect [+−\d]"))
        assert drawn.locator("circle").count() == 1
        assert drawn.locator("line").count() >= 3, "an axis, a zero and an interval"
    first = group(page, "Supported").get_by_role("listitem").first
    assert re.search(r"\+0\.3\d+ \[\+0\.\d+, \+0\.\d+\]", first.inner_text())
    assert "14 of at most 14 pairs" in first.inner_text()
    axe(page)
    shot("people-findings-320")
    panel(page).get_by_text(re.compile("Tried and failed")).click()
    panel(page).get_by_text(re.compile("2 runs: raised an error")).wait_for()

    evidence = first.get_by_role("button", name="Evidence: H1")
    evidence.focus()
    page.keyboard.press("Enter")
    shelf = first.get_by_role("region", name="Evidence of H1")
    shelf.get_by_role("img", name=re.compile("^Gains: 14 of 14 above 0")).wait_for()
    shelf.get_by_text(logs.PAPER.quote).wait_for()
    assert shelf.get_by_role("button", name=re.compile(r"^Run #\d+$")).count() == 28 + 3
    shelf.get_by_text("The difference from its reference").click()
    assert "MinMaxScaler" in shelf.get_by_role("region", name="Difference of H1").inner_text()
    axe(page)
    shot("people-evidence-320")
    run = shelf.get_by_role("button", name=re.compile(r"^Run #\d+$")).first
    number = run.inner_text().lstrip("#")
    reached(page, run)
    page.keyboard.press("Enter")
    panel(page).get_by_role("tabpanel", name="Runs").get_by_text(re.compile(rf"\b{number}\b")).first.wait_for()

    section(page, "Findings")
    panel(page).get_by_role("region", name="The best cell").get_by_role("button", name="Insert the best cell").click()
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    until(lambda: cells.count() == 2, what="a new cell")
    assert "MinMaxScaler(), SVC(C=0.3)" in cells.nth(1).locator(".cm-content").inner_text()


def test_what_is_tested_or_not_audited_says_so(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    workspace = Workspace(lab.folder / "midway")
    at(page, lab, "midway", "half")
    section(page, "Findings")
    tested = group(page, "Being tested").get_by_role("listitem").first
    tested.get_by_text("2 of at most 14 pairs").wait_for()
    tested.get_by_role("button", name="Veto: H1").click()
    tested.get_by_role("group", name="Spend nothing more on it?").get_by_role("button", name="Veto").click()
    until(lambda: asked(workspace, "veto", "half"), what="the veto in the ledger")
    tested.get_by_text("Asked, not answered yet: veto H1").wait_for()
    axe(page)
    shot("people-testing-320")

    panel(page).get_by_role("button", name="Back to the list of swarms").click()
    shown(page, "words")
    section(page, "Findings")
    mine = group(page, "Supported").get_by_role("listitem").first
    mine.locator(".jp-Swarm-badge").filter(has_text="unaudited").wait_for()
    mine.get_by_text(re.compile("^Unaudited: it rests on code that a language model wrote")).wait_for()
    mine.get_by_role("button", name="Show the difference").click()
    difference = mine.get_by_role("region", name="Difference of HX")
    assert f"+# {PLAIN}" in difference.inner_text()
    axe(page)
    shot("people-unaudited-320")
    mine.get_by_role("button", name="I have read it: approve").click()
    until(lambda: asked(workspace, "approve", "words"), what="the approval in the ledger")
    assert asked(workspace, "approve", "words")[0][0].target == "HX"


def test_evidence_stays_open_and_the_focus_where_it_is_when_the_verdict_comes(
    page: Page, lab: Lab, shot: Callable[..., Path]
) -> None:
    early, late = half(), logs.wine()[len(half()) :]
    workspace = Workspace(lab.folder / "midway")
    logs.play(workspace.store, early, "judged")
    at(page, lab, "midway", "judged")
    section(page, "Findings")
    tested = group(page, "Being tested").get_by_role("listitem").first
    tested.get_by_role("button", name="Evidence: H1").press("Enter")
    evidence = panel(page).get_by_role("region", name="Evidence of H1")
    evidence.get_by_role("img", name=re.compile("^Gains")).wait_for()
    verdict = next(place for place, (_, event) in enumerate(late) if isinstance(event, logs.e.VerdictReached))
    logs.play(workspace.store, late[: verdict + 1], "judged")
    supported = group(page, "Supported").get_by_role("listitem").filter(has_text="H1")
    supported.wait_for()
    assert evidence.count() == 1, "what was unfolded stays so"
    evidence.get_by_role("img", name=re.compile("^Gains: 14 of 14 above 0")).wait_for()
    hide = supported.get_by_role("button", name="Hide the evidence: H1")
    assert hide.evaluate("node => node === document.activeElement"), "the focus goes along"
    shot("people-verdict-came-320")
    page.keyboard.press("Enter")
    evidence.wait_for(state="detached")


def test_what_is_read_after_the_end_is_approved_then(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    at(page, lab, "midway", "ended")
    section(page, "Findings")
    mine = group(page, "Supported").get_by_role("listitem").first
    mine.locator(".jp-Swarm-badge").filter(has_text="unaudited").wait_for()
    mine.get_by_role("button", name="Show the difference").click()
    mine.get_by_role("button", name="I have read it: approve").click()
    mine.get_by_text("approved by you").wait_for()
    mine.locator(".jp-Swarm-badge").filter(has_text="unaudited").wait_for(state="detached")
    panel(page).get_by_role("status").filter(has_text="Done: approve HX").wait_for()
    axe(page)
    shot("people-approved-after-the-end-320")


def test_a_finding_of_a_real_swarm_is_inserted_opened_and_replicated(
    page: Page, lab: Lab, live: Workspace, shot: Callable[..., Path]
) -> None:
    wait_for(lambda: [each for each in state(live).cases.values() if each.evidence], 90, "a verdict")
    at(page, lab, "live", "study")
    section(page, "Findings")
    first = group(page, "Supported").get_by_role("listitem").first
    first.wait_for()
    name = first.locator(".jp-Swarm-id").first.inner_text()
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    before = cells.count()
    first.get_by_role("button", name=f"Insert its cell: {name}").click()
    until(lambda: cells.count() == before + 1, what="a new cell")
    assert lines(cells.nth(1).locator(".cm-content").inner_text()) == lines(variation(live, name))

    first.get_by_role("button", name=f"Replicate: {name}").click()
    until(lambda: asked(live, "replicate"), what="the request")
    request, _, _ = asked(live, "replicate")[-1]
    row = state(live).rows[int(request.target)]
    assert row.experiment.hypothesis == name
    assert row.experiment.code == variation(live, name)
    carried_out(live, "replicate", request.target)

    first.get_by_role("button", name=f"Open the notebook: {name}").click()
    tab = page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab.lm-mod-current").filter(has_text=".ipynb")
    until(lambda: "notes.ipynb" not in tab.inner_text(), 20, "another notebook")
    page.locator(".jp-NotebookPanel:visible .jp-CodeCell .jp-OutputArea-output").first.wait_for()
    shot("people-opened-notebook")


def variation(workspace: Workspace, hypothesis: str) -> str:
    """The code of a hypothesis."""
    return state(workspace).cases[hypothesis].hypothesis.variation.code


def lines(code: str) -> list[str]:
    """Lines of code that are not empty."""
    return [each.rstrip() for each in code.splitlines() if each.strip()]


# ---------------------------------------------------------------- agents


def lane(page: Page, role: str) -> Locator:
    """The agents of a role."""
    return panel(page).get_by_role("region", name=role, exact=True)


def working(workspace: Workspace, role: str) -> list[str]:
    """Who of a role works, by the ledger."""
    agents = state(workspace).agents.values()
    return [each.id for each in agents if each.role == role and each.standing != "dismissed"]


def test_agents_are_hired_dismissed_and_a_lane_resized_by_the_runner(
    page: Page, lab: Lab, live: Workspace, shot: Callable[..., Path]
) -> None:
    at(page, lab, "live", "study")
    here = section(page, "Agents")
    chips = lane(page, "tuning").get_by_role("button", expanded=False)
    until(lambda: chips.count() >= 1, 60, "agents that tune")
    axe(page)
    shot("people-agents-320")
    for role in ("brainstorming", "tuning", "validation"):
        assert lane(page, role).count() == 1

    before = working(live, "tuning")
    here.get_by_role("combobox", name="Role").select_option("tuning")
    assert here.get_by_role("combobox", name="Mind").input_value() == "classical"
    here.get_by_role("button", name="Hire", exact=True).click()
    carried_out(live, "hire", "tuning", "classical")
    [hired] = set(working(live, "tuning")) - set(before)
    chip = lane(page, "tuning").get_by_role("button", name=re.compile(rf"^{hired}\b"))
    chip.wait_for()

    chip.focus()
    page.keyboard.press("Enter")
    detail = panel(page).get_by_role("region", name=f"Agent {hired}")
    detail.get_by_text(re.compile("of them .* supported")).wait_for()
    axe(page)
    shot("people-agent-320")
    reached(page, detail.get_by_role("button", name="Dismiss"))
    page.keyboard.press("Enter")
    reached(page, detail.get_by_role("group").get_by_role("button", name="Dismiss"), most=3)
    page.keyboard.press("Enter")
    carried_out(live, "dismiss", hired)
    until(lambda: hired not in working(live, "tuning"))
    lane(page, "tuning").get_by_text(re.compile(r"^\d+ dismissed")).click()
    lane(page, "tuning").get_by_role("button", name=re.compile(rf"^{hired}\b")).get_by_text("dismissed").wait_for()

    size = lane(page, "brainstorming").get_by_role("spinbutton", name="Agents of brainstorming")
    wish = len(working(live, "brainstorming")) + 2
    reached(page, size, key="Shift+Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type(str(wish))
    page.keyboard.press("Enter")
    carried_out(live, "resize", "brainstorming", float(wish))
    until(lambda: len(working(live, "brainstorming")) == wish)
    lane(page, "brainstorming").get_by_text(f"{wish} work", exact=True).wait_for()
    size.fill("50000")
    assert size.get_attribute("aria-invalid") == "true"
    size.press("Enter")
    assert len(asked(live, "resize")) == 1, "what cannot be is not sent"


def test_an_agent_has_a_record(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    at(page, lab, "done", "wine")
    section(page, "Agents")
    chip = lane(page, "brainstorming").get_by_role("button", name=re.compile("^brainstorming-2"))
    assert "✓" in chip.inner_text()
    chip.click()
    detail = panel(page).get_by_role("region", name="Agent brainstorming-2")
    detail.get_by_text("two of four judged hypotheses supported").wait_for()
    axe(page)
    shot("people-record-320")
    detail.get_by_role("button", name="All its runs").click()
    panel(page).get_by_role("tabpanel", name="Runs").wait_for()


# ---------------------------------------------------------------- log


def test_the_log_has_lines_for_people_and_all_records(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    workspace = Workspace(lab.folder / "done")
    records = workspace.store.read(swarm="wine")
    at(page, lab, "done", "wine")
    here = section(page, "Log")
    lines = here.get_by_role("list", name="The log, newest first").get_by_role("listitem")
    lines.first.wait_for()
    texts = lines.all_inner_texts()
    assert any("Embeddings are on disk" in each for each in texts)
    newest = next(place for place, each in enumerate(texts) if "Screening found four candidates" in each)
    oldest = next(place for place, each in enumerate(texts) if "Embeddings are on disk" in each)
    assert newest < oldest
    axe(page)
    shot("people-log-320")
    grave = here.get_by_role("switch", name="Warnings and errors only")
    grave.focus()
    page.keyboard.press("Space")
    until(lambda: lines.count() < len(texts), what="fewer lines")

    reached(page, here.get_by_role("switch", name="Everything in the ledger"), key="Shift+Tab", most=4)
    page.keyboard.press("Space")
    here.get_by_role("list", name=re.compile("Records of the ledger")).get_by_role("listitem").first.wait_for()
    shown_records = here.get_by_role("list", name=re.compile("Records of the ledger")).get_by_role("listitem")
    assert shown_records.count() == 100
    assert shown_records.first.inner_text().split()[:2] == [str(records[0].number), "swarm-requested"]
    here.get_by_role("button", name="Later ones").click()
    shown_records.first.filter(has_text=re.compile(rf"^{records[100].number}\b")).wait_for()
    here.get_by_role("button", name="The newest").click()
    shown_records.last.filter(has_text="swarm-ended").wait_for()
    shown_records.last.locator("summary").click()
    here.get_by_role("region", name=re.compile("^Record ")).get_by_text("nothing new is left to try").wait_for()
    axe(page)
    shot("people-ledger-320")


# ---------------------------------------------------------------- all of it, dark and wide


def test_all_of_it_is_readable_in_the_dark_and_in_the_wide(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    with themed(lab, DARK):
        opened(page, lab, lab.notebook("done/dark.ipynb", "1 + 1"))
        wide(page, 320)
        shown(page, "wine")
        for name in ("Directions", "Findings", "Agents", "Log"):
            section(page, name)
            here = panel(page).get_by_role("tabpanel", name=name)
            until(lambda here=here: here.locator(".jp-Swarm-loading").count() == 0 and here.inner_text(), what=name)
            assert here.get_by_text("This part of the panel failed").count() == 0, name
            axe(page)
            shot(f"people-{name.lower()}-dark-320")
        widened(page)
        for name in ("Directions", "Findings", "Agents", "Log"):
            section(page, name)
            here = panel(page).get_by_role("tabpanel", name=name)
            until(lambda here=here: here.locator(".jp-Swarm-loading").count() == 0 and here.inner_text(), what=name)
            assert here.get_by_text("This part of the panel failed").count() == 0, name
            axe(page)
            shot(f"people-{name.lower()}-dark-wide")
