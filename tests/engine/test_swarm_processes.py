"""Real processes: detached runners, kernels, papermill; killed, doubled, told to leave, and gone when they are done."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from jupyter_swarm import Swarm, Workspace
from jupyter_swarm import events as e
from jupyter_swarm.errors import WorkspaceError
from jupyter_swarm.experiments import NotebookLaboratory
from jupyter_swarm.library import LocalLibrary
from jupyter_swarm.state import CUT_OFF, SwarmState

pytestmark = pytest.mark.slow

NOTEBOOK = '''
import hashlib
import random

seed = 0


def draw(*parts):
    """A number from a hash: normal, the same for the same parts."""
    return random.Random(hashlib.sha256(repr(parts).encode()).hexdigest()).gauss(0, 1)


def measure(alpha=1.0, depth=3, rate=0.1, flag=False, worth=0.0, seed=0):
    """Draw the metric.

    Parameters
    ----------
    alpha : float, default=1.0
    depth : int, default=3
    rate : float, default=0.1
    flag : bool, default=False
    """
    return draw(seed) + draw(seed, alpha, depth, rate, flag) + worth * flag
'''
NULL = '''"""Which setting helps?"""
score = measure(alpha=1.0, depth=3, rate=0.1, flag=False, seed=seed)
'''
PLANTED = NULL.replace("flag=False", "flag=False, worth=6.0")


def namespace() -> dict[str, Any]:
    """What the notebook's first cell leaves."""
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(NOTEBOOK, space)
    return space


def start(workspace: Path, cell: str = PLANTED, **more: Any) -> Swarm:
    settings = {"budget": "36x", "agents": 8, "workers": 2, "fix": ("measure.worth",), **more}
    return Swarm.start(cell, name="drawn", maximize="score", namespace=namespace(), workspace=workspace, **settings)


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not come within {seconds:.0f} s"
        time.sleep(0.05)


def processes(mark: str) -> dict[int, str]:
    """Processes, other than this one, that carry the mark in their environment, command or working folder."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            if folder.joinpath("stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                continue
            command = folder.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            text = folder.joinpath("environ").read_bytes().decode(errors="replace")
            cwd = os.readlink(folder / "cwd")
        except OSError:
            continue
        if mark in command or mark in text or mark in cwd:
            found[int(folder.name)] = command
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A workspace's folder; whatever was started for it is gone afterwards, or the test fails."""
    monkeypatch.setenv("SWARM_TEST", str(tmp_path))
    monkeypatch.setenv("JUPYTER_SWARM_LIBRARIAN_IDLE_SECONDS", "1")
    yield tmp_path
    try:
        wait_for(lambda: not processes(str(tmp_path)), 90, f"the end of {processes(str(tmp_path))}")
    finally:
        for pid in processes(str(tmp_path)):
            os.kill(pid, signal.SIGKILL)


def settled(swarm: Swarm) -> dict[str, float | None]:
    """Experiment → value of all runs that came back."""
    rows = swarm.state.rows.values()
    return {row.experiment.id: row.run.value for row in rows if row.run and row.run.reason not in CUT_OFF}


def assert_no_run_twice(state: SwarmState) -> None:
    counts = Counter(row.experiment.id for row in state.rows.values() if row.run and row.run.reason not in CUT_OFF)
    assert set(counts.values()) == {1}
    assert not state.in_flight
    assert sorted(state.rows) == list(range(1, len(state.rows) + 1))


def test_a_killed_runner_loses_nothing_and_the_next_goes_on(folder: Path) -> None:
    swarm = start(folder, budget="120x")
    wait_for(lambda: len(settled(swarm)) >= 10, 60, "ten runs")
    before = swarm.state.pid
    assert len(processes(str(folder))) >= 2, "a runner and its zygote are seen by this test"
    command = [sys.executable, "-m", "jupyter_swarm.engine.runner", str(folder), "drawn"]
    second = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert second.returncode == 3, "one runner a swarm"
    assert "another runner works on it" in second.stderr
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: not processes(str(folder)), 20, "the end of the kernels of a killed runner")
    acknowledged = settled(swarm)
    again = start(folder, budget="120x")
    assert again.attached
    assert again.name == "drawn"
    state = again.wait(240)
    assert (state.phase, state.epoch, state.pid != before) == ("done", 2, True)
    assert state.experiments <= 120
    assert_no_run_twice(state)
    assert {name: settled(again)[name] for name in acknowledged} == acknowledged
    lost = [row for row in state.rows.values() if row.run and row.run.reason == "lost"]
    assert len(lost) == state.failed.get("lost", 0) <= 3
    assert len(state.cases) > 2
    for row in state.finished.values():
        assert row.run is not None
        assert again.notebook(row.number).is_file()
    wait_for(lambda: not again.alive, 10, "the runner's own end")


def test_told_to_leave_pause_resume_stop(folder: Path) -> None:
    swarm = start(folder, budget="400x")
    wait_for(lambda: swarm.state.rows, 60, "a first run")
    os.kill(swarm.state.pid, signal.SIGTERM)
    wait_for(lambda: not swarm.alive and not processes(str(folder)), 30, "the runner's end")
    state = swarm.state
    assert not state.over
    assert not state.in_flight, "what ran was cut off, and the ledger says so"
    ended = [r.event for r in swarm.workspace.store.read(0, swarm="drawn") if isinstance(r.event, e.RunnerEnded)]
    assert [event.why for event in ended] == ["told to by signal SIGTERM"]
    swarm.pause()
    swarm.resume()
    wait_for(lambda: len(swarm.state.cases) > 1, 60, "a hypothesis")
    swarm.pause()
    wait_for(lambda: swarm.state.phase == "paused" and not swarm.state.in_flight, 20, "the pause")
    count, clock = swarm.state.experiments, swarm.state.clock
    answered = swarm.steer("priority", "measure.flag", 3.0, wait=10.0)
    assert answered is not None
    assert answered.done
    time.sleep(1.0)
    assert (swarm.state.experiments, swarm.state.phase) == (count, "paused")
    assert swarm.state.clock < clock + 0.5, "the clock stands still"
    swarm.stop()
    state = swarm.wait(30)
    assert (state.phase, state.why) == ("stopped", "stopped by the person")
    assert_no_run_twice(state)


def test_a_killed_kernel_leaves_the_runner_going(folder: Path) -> None:
    """A real ipykernel starts the swarm and is killed, with its whole process group, as a restart does."""
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(folder), independent=False)
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        code = f"""{NOTEBOOK}
from jupyter_swarm import Swarm
swarm = Swarm.start({PLANTED!r}, name="drawn", maximize="score", budget="16x", agents=8, namespace=globals(),
                    workspace={str(folder)!r}, workers=2, fix=("measure.worth",))
"""
        reply = client.execute_interactive(code, timeout=60, output_hook=lambda _: None)
        assert reply["content"]["status"] == "ok", reply["content"]
        swarm = Swarm("drawn", folder)
        wait_for(lambda: len(settled(swarm)) >= 2, 60, "two runs")
        runner = swarm.state.pid
        kernel = manager.provisioner.pid  # type: ignore[union-attr]
        os.killpg(os.getpgid(kernel), signal.SIGKILL)
        wait_for(lambda: kernel not in processes(str(folder)), 20, "the kernel's end")
        count = len(settled(swarm))
        assert Path(f"/proc/{runner}").exists()
        wait_for(lambda: len(settled(swarm)) > count + 2, 60, "more runs")
        state = swarm.wait(90)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
    assert (state.phase, state.epoch, state.pid) == ("done", 1, runner)
    assert_no_run_twice(state)


def test_the_null_cell_through_real_notebooks(folder: Path) -> None:
    """The cell of `benchmarks/null.py`, once with everything real: a sane end, and nothing supported of noise."""
    (folder / "notes.md").write_text("# Notes\n\nThe flag of measure doubles the score, they say.\n", encoding="utf-8")
    LocalLibrary(Workspace(folder).create()).add([folder / "notes.md"])
    swarm = start(folder, NULL, budget="40x,3m", fix=())
    state = swarm.wait(200)
    assert state.phase == "done"
    assert 30 < state.experiments <= 40
    assert state.failed == {}
    assert_no_run_twice(state)
    assert len(state.cases) > 3
    assert state.supported() == []
    assert state.best is None
    flag = next(each for each in state.directions.values() if "flag" in each.title)
    assert [one.quote for one in flag.citations] == ["The flag of measure doubles the score, they say."]
    by_hand = namespace()["measure"]
    for row in list(state.rows.values())[:3]:
        assert row.run is not None
        assert row.run.value == pytest.approx(by_hand(seed=row.experiment.seed)), "the harness set the seed"


def test_a_workspace_that_cannot_be_written_ends_the_runner_not_the_swarm(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room on the disk again, the swarm goes on."""
    from jupyter_swarm import engine
    from jupyter_swarm.engine import runner

    monkeypatch.setattr(engine, "start", lambda *_: None)
    swarm = start(folder, budget="3x")

    async def full(self: NotebookLaboratory) -> None:
        raise WorkspaceError("the executed notebooks cannot be written: no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(NotebookLaboratory, "open", full)
        patch.setattr(os, "nice", lambda _: 0)
        assert runner.main([str(folder), "drawn"]) == 1
    state = swarm.state
    assert not state.over
    last = swarm.workspace.store.read(0, swarm="drawn")[-1].event
    assert isinstance(last, e.RunnerEnded)
    assert "no space left" in last.why
    monkeypatch.undo()
    monkeypatch.setenv("SWARM_TEST", str(folder))
    assert swarm.ensure_runner().wait(60).phase == "done"


@contextmanager
def stopped(pid: int, seconds: float) -> Iterator[None]:
    """A process that sleeps: it gets no time for so long at least."""
    os.kill(pid, signal.SIGSTOP)
    until = time.monotonic() + seconds
    try:
        yield
        time.sleep(max(0.0, until - time.monotonic()))
    finally:
        os.kill(pid, signal.SIGCONT)


def test_time_asleep_does_not_count(folder: Path) -> None:
    swarm = start(folder, budget="5000x,10m")
    wait_for(lambda: len(settled(swarm)) >= 10, 60, "ten runs")
    began, clock, asleep, slack = time.monotonic(), swarm.state.clock, 7.0, 3.5
    with stopped(swarm.state.pid, asleep):
        pass
    wait_for(lambda: [text for _, _, text in swarm.state.log if "slept" in text], 20, "a word about the sleep")
    count = len(settled(swarm))
    wait_for(lambda: len(settled(swarm)) > count + 3, 30, "more runs")
    time.sleep(2.0)
    counted, passed = swarm.state.clock - clock, time.monotonic() - began
    assert counted < passed - asleep + slack
    assert counted > passed - asleep - slack, "what it worked counts"
    told = [text for _, _, text in swarm.state.log if "slept" in text]
    assert told in (["slept 6 s: not counted"], ["slept 7 s: not counted"]), "once"
    swarm.stop()
    state = swarm.wait(30)
    assert (state.phase, state.epoch) == ("stopped", 1)
    assert_no_run_twice(state)


def stopped_between_transactions(pid: int, ledger: Path) -> bool:
    """Stop a process where it does not hold the ledger's lock; else let it go on."""
    os.kill(pid, signal.SIGSTOP)
    with closing(sqlite3.connect(ledger, timeout=0.1, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            os.kill(pid, signal.SIGCONT)
            return False
        connection.execute("ROLLBACK")
    return True


def test_a_runner_that_wakes_up_and_is_overtaken_leaves(folder: Path) -> None:
    swarm = start(folder, budget="5000x")
    wait_for(lambda: len(settled(swarm)) >= 5, 60, "five runs")
    pid, store = swarm.state.pid, swarm.workspace.store
    ledger = Path(swarm.workspace.root) / "ledger.sqlite"
    wait_for(lambda: stopped_between_transactions(pid, ledger), 30, "a moment at which the runner does not write")
    with stopped(pid, 5.0):
        lease = store.lease("drawn", str(store.holder("drawn")), seconds=60.0)
        assert lease is not None
        assert lease.epoch == 2
        before = len(store.read(0, swarm="drawn"))
    wait_for(lambda: not processes(str(folder)), 30, "the end of the runner and its experiments")
    assert len(store.read(0, swarm="drawn")) == before, "it wrote no more"
    store.release(lease)
    swarm.stop()
    state = swarm.wait(60)
    assert (state.phase, state.epoch) == ("stopped", 3)
    assert_no_run_twice(state)
