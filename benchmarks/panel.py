"""The panel under load: a swarm of 10,000 experiments and 1,000 agents, in a real JupyterLab and a real Chromium.

    python benchmarks/panel.py [--quick] [--rate N]

The ledger is written as a runner writes it (records of realistic size, `written`); while the browser looks, a process
of its own appends experiments at the pace of ten thousand an hour (`--rate`: a second). Measured are

    first_paint_s          from the command that opens the panel to the first frame that shows the list of swarms
    swarm_paint_s          from choosing the swarm there to the first frame that shows its answer and its plot
    event_to_pixel_p95_ms  from a record's commit to the first frame that shows it (the same machine's clock); one that
                           is never shown counts as a minute
    scroll_fps             frames a second while the table of all runs is scrolled, some six rows a frame
    heap_mb                JavaScript heap that the panel adds to JupyterLab's own, after an hour's events: half of them
                           there when it opens, half replayed in twenties, then Log and Runs looked at; collected
    heap_total_mb          the same, JupyterLab's own included
    server_core_share      of one core, with three tabs open and events coming: all that the server takes
    server_idle_share      the same before there is any tab
    bundle_kb_gzip         of all that the panel loads

and besides what the extension adds to a server's start (`start_ms`: imports and routes, in a fresh process). `--quick`
has 1,000 experiments and 100 agents. Prints one JSON object at the end.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import os
import random
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from jupyter_swarm import events as e
from jupyter_swarm.protocols import Lease
from jupyter_swarm.store import SqlStore
from jupyter_swarm.words import (
    Analysis,
    Budget,
    Citation,
    Context,
    Edit,
    Evidence,
    Experiment,
    Hypothesis,
    Knob,
    Objective,
    Plan,
    Run,
    Swap,
    Variation,
)
from jupyter_swarm.workspace import Workspace

PROCESSES = multiprocessing.get_context("spawn")
EXTENSION = Path(__file__).parents[1] / "jupyter_swarm" / "labextension"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync", "--enable-precise-memory-info"]
SWARM = "large"
GRID = ".jp-Swarm-grid"
RATE = 10_000 / 3600
"""Experiments a second while somebody looks, unless another rate is given: ten thousand an hour."""
HOUR = 3600.0
NEVER = 60.0
"""Seconds for which an event counts that was never shown."""
DIRECTIONS = 24
ROLES = ("literature", "brainstorming", "tuning", "validation")
KNOBS = ("C", "tol", "gamma", "degree", "coef0", "cache_size", "max_iter", "shrinking")
CELL = '''"""Which preprocessing and classifier suit these wines best?"""
model = make_pipeline(Normalizer(), SVC({}))
accuracy = cross_val_score(model, X, y, cv=StratifiedKFold(5, shuffle=True, random_state=seed)).mean()
'''


# ---------------------------------------------------------------- the ledger


class Writer:
    """A swarm's records, as its runner would append them."""

    def __init__(self, folder: Path, agents: int, seed: int = 1) -> None:
        self.workspace = Workspace(folder).create()
        self.workspace.swarm(SWARM)
        self.store: SqlStore = self.workspace.store
        self.rng = random.Random(seed)
        self.agents = [f"{role}-{place}" for place in range(1, agents // len(ROLES) + 1) for role in ROLES]
        self.number = self.cases = 0
        self.last: Hypothesis | None = None
        self.lease: Lease | None = None

    def begin(self, seconds: float) -> None:
        """The request, the team, the directions."""
        knobs = tuple(Knob(name=f"SVC.{name}", value=1.0, low=1e-3, high=1e3, log=True) for name in KNOBS)
        swap = Swap(name="Normalizer", current="p:Normalizer", candidates=tuple(f"p:S{place}" for place in range(6)))
        analysis = Analysis(code=CELL.format("C=1.0"), question="Which is best?", metric="accuracy", knobs=knobs,
                            swaps=(swap,))  # fmt: skip
        told: list[e.AnyEvent] = [
            e.SwarmRequested(
                objective=Objective(metric="accuracy"), budget=Budget(seconds=seconds), agents=len(self.agents),
                analysis=analysis, context=Context(), cell_hash="0",
            ),
            e.RunnerStarted(pid=1, host="benchmark", epoch=1),
            *(e.AgentHired(agent=each, role=each.partition("-")[0], mind="classical") for each in self.agents),
        ]  # fmt: skip
        quote = Citation(paper="0" * 16, title="Notes on scaling", kind="paper", passage="p", place="page 2", start=0,
                         end=60, quote="Scaling brings the range of each column to one, and helps.")  # fmt: skip
        told += [
            e.DirectionOpened(direction=f"D{place}", title=f"Direction {place}", agent=self.agents[0],
                              targets=(f"SVC.{KNOBS[place % len(KNOBS)]}",), citations=(quote,) * 3)
            for place in range(1, DIRECTIONS + 1)
        ]  # fmt: skip
        for seed in range(3):
            self.number += 1
            experiment = Experiment(code=analysis.code, seed=seed, metric="accuracy", context="c" * 16,
                                    purpose="baseline", title="The cell as given")  # fmt: skip
            run = Run(experiment=experiment.id, value=self.rng.gauss(0.9, 0.01), seconds=0.5)
            told += [
                e.ExperimentStarted(number=self.number, experiment=experiment),
                e.ExperimentFinished(number=self.number, run=run),
            ]
        self.store.append(SWARM, told)
        self.lease = self.store.lease(SWARM, f"{socket.gethostname()}:{os.getpid()}", seconds=1e6)

    def experiments(self, count: int) -> list[e.AnyEvent]:
        """So many experiments with all that belongs to them; a verdict after each hundred."""
        return [event for _ in range(count) for event in self._experiment()]

    def append(self, told: list[e.AnyEvent], clock: float) -> int:
        """Append; the last record's number."""
        return self.store.append(SWARM, told, lease=self.lease, active_seconds=clock)[-1].number

    def _experiment(self) -> Iterator[e.AnyEvent]:
        rng = self.rng
        if self.last is None or rng.random() < 0.6:
            self.cases += 1
            self.last = self._hypothesis()
            yield e.HypothesisProposed(hypothesis=self.last)
        self.number += 1
        experiment = Experiment(
            code=self.last.variation.code, seed=1 + self.number % 5, metric="accuracy", context="c" * 16,
            title=self.last.statement, hypothesis=self.last.id, agent=self.last.agent,
        )  # fmt: skip
        yield e.ExperimentStarted(number=self.number, experiment=experiment)
        failed = rng.random() < 0.05
        run = Run(
            experiment=experiment.id, value=None if failed else rng.gauss(0.95, 0.02),
            reason="failure" if failed else None, message="ValueError: no" if failed else "", seconds=rng.random(),
            notebook=f"swarms/{SWARM}/runs/{experiment.id}.ipynb",
        )  # fmt: skip
        yield e.ExperimentFinished(number=self.number, run=run)
        if self.number % 100 == 0:
            yield from self._judged(self.last)

    def _hypothesis(self) -> Hypothesis:
        rng = self.rng
        edits = tuple(
            Edit(kind="set", target=f"SVC.{name}", value=10 ** rng.uniform(-3, 3)) for name in rng.sample(KNOBS, 2)
        )
        values = ", ".join(f"{each.target[4:]}={each.value!r}" for each in edits)
        return Hypothesis(
            id=f"H{self.cases}", statement=f"Setting {values} raises accuracy",
            direction=f"D{1 + self.cases % DIRECTIONS}", agent=rng.choice(self.agents),
            variation=Variation(code=CELL.format(values), edits=edits), reference=Variation(code=CELL.format("C=1.0")),
        )  # fmt: skip

    def _judged(self, case: Hypothesis) -> Iterator[e.AnyEvent]:
        plan = Plan(id=f"P{self.number}", hypothesis=case.id, agent=case.agent, first_seed=1000, max_pairs=40,
                    margin=0.01, weight=0.01)  # fmt: skip
        yield e.PlanRegistered(plan=plan)
        effect = self.rng.gauss(0.0, 0.01)
        verdict: Any = "supported" if effect > 0.01 else "refuted" if effect < 0 else "open"
        evidence = Evidence(verdict=verdict, effect=effect, low=effect - 0.01, high=effect + 0.01, pairs=12,
                            e_value=30.0, e_against=0.1, scope="splits")  # fmt: skip
        yield e.VerdictReached(hypothesis=case.id, plan=plan.id, evidence=evidence)
        yield e.Noted(text=f"{case.id} is {verdict} after {self.number} runs")


def stream(folder: str, agents: int, rate: float, clock: float, seconds: float, pipe: Any) -> None:
    """Append so many experiments a second, and each half second a marked line; tell when each was committed."""
    writer = Writer(Path(folder), agents, seed=2)
    state = writer.store.read(0, swarm=SWARM, kinds=["experiment-started"])
    writer.number = max((each.event.number for each in state if isinstance(each.event, e.ExperimentStarted)), default=0)
    writer.cases = 10_000_000 + writer.number
    writer.lease = writer.store.lease(SWARM, f"{socket.gethostname()}:{os.getpid()}", seconds=1e6)
    told, began, mark = [], time.monotonic(), 0
    while (now := time.monotonic() - began) < seconds:
        clock += 1 / rate
        writer.append(writer.experiments(1), clock)
        if now > mark * 0.5:
            writer.append([e.Noted(text=f"mark {mark:06d} of the benchmark")], clock)
            told.append((f"{mark:06d}", time.time()))
            mark += 1
        time.sleep(max(0.0, 1 / rate - (time.monotonic() - began - now)))
    pipe.send(told)


# ---------------------------------------------------------------- server and browser


@contextmanager
def served(folder: Path, port: int, token: str) -> Iterator[psutil.Process]:
    """A JupyterLab on the folder, with settings of its own; its process."""
    home = Path(tempfile.mkdtemp(prefix="home-"))
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root"]
    command += [f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={token}", "--ServerApp.port_retries=0"]
    command += ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    command.append("--LabApp.expose_app_in_browser=True")
    private = {f"JUPYTER_{kind}": str(home / kind.lower()) for kind in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")}
    private |= {"JUPYTERLAB_SETTINGS_DIR": str(home / "lab"), "JUPYTERLAB_WORKSPACES_DIR": str(home / "spaces")}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **private}, stdout=log, stderr=log, cwd=folder)
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status?token={token}", timeout=2).close()
                    break
                except OSError:
                    time.sleep(0.2)
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(20)
            shutil.rmtree(home, ignore_errors=True)


WATCHES = """() => {
  window.seen = {};
  const look = () => {
    for (const line of document.querySelectorAll('.jp-Swarm-panel')) {
      for (const found of line.textContent.matchAll(/mark (\\d{6}) /g)) {
        if (!(found[1] in window.seen)) {
          window.seen[found[1]] = 0;
          requestAnimationFrame(() => setTimeout(() => { window.seen[found[1]] = Date.now() / 1000; }, 0));
        }
      }
    }
  };
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""
"""Note when each marked line was painted: the task after the frame in which it stood in the page."""

PAINTS = """([act, words, selector]) => new Promise((done, fail) => {
  const began = performance.now();
  const look = () => {
    const panel = document.querySelector('.jp-Swarm-panel');
    const there = panel && panel.offsetWidth && panel.querySelector(selector);
    if (there && words.every(each => panel.textContent.includes(each))) {
      requestAnimationFrame(() => setTimeout(() => done((performance.now() - began) / 1000), 0));
    } else if (performance.now() - began > 30000) {
      fail(new Error('nothing came: ' + (panel ? panel.textContent.slice(0, 500) : 'no panel')));
    } else {
      requestAnimationFrame(look);
    }
  };
  if (act === 'open') { window.jupyterapp.commands.execute('jupyter-swarm:open'); }
  else { [...document.querySelectorAll('.jp-Swarm-panel button, .jp-Swarm-panel a')]
           .find(each => each.textContent.includes(act))?.click(); }
  look();
})"""
"""Seconds from an act to the first frame in which these words stand."""

SCROLLS = """(grid) => new Promise(done => {
  const box = document.querySelector(grid);
  const frames = [];
  let way = 1;
  const step = now => {
    frames.push(now);
    box.scrollTop += way * 180;
    if (box.scrollTop <= 0 || box.scrollTop + box.clientHeight >= box.scrollHeight - 1) { way = -way; }
    if (now - frames[0] < 4000) { requestAnimationFrame(step); }
    else { done({fps: (frames.length - 1) / ((now - frames[0]) / 1000),
                 worst: Math.max(...frames.slice(1).map((each, at) => each - frames[at]))}); }
  };
  requestAnimationFrame(step);
})"""


STARTS = """
import asyncio, sys, time
from jupyter_server.serverapp import ServerApp

async def main():
    app = ServerApp()
    app.initialize([f"--ServerApp.root_dir={sys.argv[1]}", "--port=0", "--allow-root"], new_httpserver=False)
    began = time.perf_counter()
    from jupyter_swarm.jupyter.server import extension
    extension._load_jupyter_server_extension(app)
    print(1000 * (time.perf_counter() - began))

asyncio.run(main())
"""
"""Prints the milliseconds for which a server loads the extension."""


class Tab:
    """A page with JupyterLab in it."""

    def __init__(self, context: Any, url: str) -> None:
        self.page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.page.goto(url)
        self.page.wait_for_function("() => window.jupyterapp && window.jupyterapp.started")
        self.page.evaluate("() => window.jupyterapp.started.then(() => window.jupyterapp.restored)")
        self.page.wait_for_timeout(1500)
        self.tools = context.new_cdp_session(self.page)

    def open(self) -> tuple[float, float]:
        """Open the panel, and the swarm in it; seconds to the first frames that show the list and the swarm."""
        first = float(self.page.evaluate(PAINTS, ["open", [SWARM], "button"]))
        swarm = float(self.page.evaluate(PAINTS, [SWARM, ["accuracy", "Agents", "Answer"], ".u-over"]))
        return first, swarm

    def section(self, name: str) -> None:
        """Show a section of the swarm."""
        self.page.get_by_role("tab", name=name).first.click()

    def heap(self) -> float:
        """Megabytes of JavaScript heap, garbage collected."""
        for _ in range(3):
            self.tools.send("HeapProfiler.collectGarbage")
        return float(self.tools.send("Runtime.getHeapUsage")["usedSize"]) / 2**20


def share(process: psutil.Process, seconds: float, page: Any) -> float:
    """Of one core, that the server takes."""
    before, began = sum(process.cpu_times()[:2]), time.monotonic()
    page.wait_for_timeout(seconds * 1000)
    return float(sum(process.cpu_times()[:2]) - before) / (time.monotonic() - began)


def bundle() -> float:
    """Kilobytes of all that the panel may load, each file gzipped."""
    files = [each for each in (EXTENSION / "static").rglob("*") if each.suffix in (".js", ".css")]
    return sum(len(gzip.compress(each.read_bytes(), 9)) for each in files) / 1024


def starting() -> float:
    """Milliseconds that the extension adds to a server's start: its imports and its routes, in a server of its own."""
    with tempfile.TemporaryDirectory(prefix="start-") as folder:
        private = {f"JUPYTER_{kind}_DIR": folder for kind in ("CONFIG", "DATA", "RUNTIME")}
        environment = {**os.environ, **private, "JUPYTER_NO_CONFIG": "1"}
        command = [sys.executable, "-c", STARTS, folder]
        told = [subprocess.check_output(command, env=environment, stderr=subprocess.DEVNULL) for _ in range(5)]
    return median(float(each.split()[-1]) for each in told)


def percentile(values: list[float], share: float) -> float:
    """The value that so many lie below."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measured(many: int, agents: int, rate: float, look: float, times: int) -> dict[str, object]:
    """Everything that takes a server and a browser.

    Args:
        many: experiments.
        agents: how many.
        rate: experiments a second, while the panel is looked at.
        look: seconds of looking while events come.
        times: how often the panel is opened anew.
    """
    from playwright.sync_api import sync_playwright

    folder = Path(tempfile.mkdtemp(prefix="panel-"))
    writer = Writer(folder, agents)
    writer.begin(2 * HOUR)
    half = many // 2
    for done in range(0, half, 100):
        writer.append(writer.experiments(100), HOUR * done / many)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    url = f"http://127.0.0.1:{port}/lab?reset&token={token}"
    with served(folder, port, token) as server, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        found = {**replayed(Tab(context, url), writer, half, many), **opened(context, url, times)}
        found |= streamed(context, url, server, folder, agents, rate, look)
        browser.close()
    shutil.rmtree(folder, ignore_errors=True)
    return found


def replayed(tab: Tab, writer: Writer, half: int, many: int) -> dict[str, object]:
    """The heap after the other half of an hour has come while the panel looked; then the table of runs, scrolled."""
    bare = tab.heap()
    tab.open()  # what it keeps of the panel itself is a part of its heap
    for done in range(half, many, 20):
        writer.append(writer.experiments(20), HOUR * done / many)
        if done % 200 == 0:
            tab.page.wait_for_timeout(100)
    tab.page.wait_for_timeout(3000)
    tab.section("Log")
    tab.page.wait_for_timeout(1000)
    tab.section("Runs")
    tab.page.locator(GRID).first.wait_for()
    tab.page.wait_for_timeout(1000)
    total = tab.heap()
    scrolled = tab.page.evaluate(SCROLLS, GRID)
    tab.page.close()
    return {
        "heap_mb": round(total - bare, 1),
        "heap_total_mb": round(total, 1),
        "scroll_fps": round(scrolled["fps"], 1),
        "scroll_worst_ms": round(scrolled["worst"], 1),
    }


def opened(context: Any, url: str, times: int) -> dict[str, object]:
    """First paints, each in a page of its own."""
    firsts = []
    for _ in range(times):
        tab = Tab(context, url)
        firsts.append(tab.open())
        tab.page.close()
    return {
        "first_paint_s": round(median(each for each, _ in firsts), 3),
        "swarm_paint_s": round(median(each for _, each in firsts), 3),
    }


def streamed(
    context: Any, url: str, server: psutil.Process, folder: Path, agents: int, rate: float, look: float
) -> dict[str, object]:
    """Three tabs, while events come."""
    blank = context.new_page()
    quiet = share(server, look / 3, blank)
    tabs = [Tab(context, url) for _ in range(3)]
    for tab in tabs:
        tab.open()
        tab.section("Log")
    tabs[2].page.bring_to_front()
    tabs[2].page.evaluate(WATCHES)
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=stream, args=(str(folder), agents, rate, HOUR, look, theirs))
    process.start()
    busy = share(server, look, tabs[2].page)
    committed = dict(ours.recv())
    tabs[2].page.wait_for_timeout(2000)
    seen = {name: at for name, at in tabs[2].page.evaluate("() => window.seen").items() if at}
    process.join()
    late = [1000 * (seen.get(name, at + NEVER) - at) for name, at in committed.items()]
    return {
        "event_to_pixel_p50_ms": round(percentile(late, 0.5), 1),
        "event_to_pixel_p95_ms": round(percentile(late, 0.95), 1),
        "events_seen": f"{len(seen)} of {len(committed)}",
        "server_core_share": round(busy, 4),
        "server_idle_share": round(quiet, 4),
    }


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="1,000 experiments and 100 agents")
    parser.add_argument("--rate", type=float, default=RATE, help="experiments a second while somebody looks")
    asked = parser.parse_args()
    many, agents, look, times = (1_000, 100, 6.0, 1) if asked.quick else (10_000, 1_000, 60.0, 5)
    found = {"experiments": many, "agents": agents, "rate": round(asked.rate, 2)}
    found |= measured(many, agents, asked.rate, look, times)
    print(json.dumps({**found, "bundle_kb_gzip": round(bundle(), 1), "start_ms": round(starting(), 1)}))


if __name__ == "__main__":
    main()
