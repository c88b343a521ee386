"""The magics in a real ipykernel, with real swarms."""

from __future__ import annotations

import json
import time
from pathlib import Path

import nbformat
import pytest
from faces import CELL, HEAVY, SLOW, Kernel, lives, wait_for

from jupyter_swarm.experiments.records import recorded

pytestmark = pytest.mark.slow

FIRST = f"%%swarm study --maximize score --budget 14x --agents 4\n{CELL}"


@pytest.fixture(scope="module")
def studied(kernel: Kernel) -> Kernel:
    """A kernel in which the swarm `study` is over."""
    first = kernel.run(FIRST)
    assert first.status == "ok", first.errors
    assert "study has begun: 4 agents, budget 14 experiments." in first.plain
    assert first.widgets == 1
    assert "Which rate is best?" in first.html
    wait_for(lambda: kernel.swarm("study").state.over, 120, "the end of study")
    return kernel


def test_a_mistake_is_one_line_and_stops_the_run(kernel: Kernel) -> None:
    request = kernel.send("%%swarm wine --maximize accuracy\nscore = measure()")
    after = kernel.send("print('this ran')")
    mistake, follower = kernel.answer(request), kernel.answer(after)
    assert mistake.status == "error"
    assert mistake.errors.startswith("UsageError: the cell never assigns 'accuracy'")
    assert "Traceback" not in mistake.errors + mistake.plain
    assert "error" not in mistake.kinds, "a traceback would come as this message"
    assert follower.printed == ""
    assert follower.status in ("aborted", "error")


def test_an_unchanged_cell_shows_its_swarm_again_and_a_changed_one_starts_another(studied: Kernel) -> None:
    again = studied.run(FIRST)
    assert again.widgets == 1
    assert "this is study again, with the data taken then. It is over" in again.plain
    assert "is over" in again.plain
    changed = studied.run(FIRST.replace("rate=0.3", "rate=0.4"))
    assert "The cell or its settings differ from study's, so this is a new one. study-2 has begun" in changed.plain
    running = studied.run(FIRST.replace("rate=0.3", "rate=0.4"))
    assert "this is study-2 again" in running.plain
    anew = studied.run(FIRST.replace("--agents 4", "--agents 4 --new"))
    assert "Another swarm of the same name, so this is a new one. study-3 has begun" in anew.plain
    for name in ("study-2", "study-3"):
        assert studied.run(f"%swarm stop {name}").status == "ok"


def test_the_verbs_answer(studied: Kernel) -> None:
    status = studied.run("%swarm status study")
    assert "study: done" in status.plain
    assert f"{studied.swarm('study').state.experiments} of 14" in status.plain
    assert "<table>" in status.html
    assert "Which rate is best?" in studied.run("%swarm list").plain
    assert "The cell as given has score" in studied.run("%swarm findings study").plain
    assert "measure.rate" in studied.run("%swarm plan study").plain
    assert "there is nothing to pause" in studied.run("%swarm pause study").errors
    assert studied.run("%swarm watch study").widgets == 1


def test_the_best_cell_comes_as_a_new_cell_when_there_is_one(studied: Kernel) -> None:
    best, known = studied.run("%swarm best study"), studied.swarm("study").best()
    assert best.status == "ok"
    if known is None:
        assert "has no best cell" in best.plain
        assert best.next_cell == ""
    else:
        assert best.next_cell.startswith("# The best cell of the swarm study: score = ")
        assert known.variation.code.strip() in best.next_cell


def test_a_runs_notebook_is_copied_and_never_over_a_file_of_the_persons(studied: Kernel) -> None:
    own = studied.folder / "study-run-1.ipynb"
    own.write_text("mine", encoding="utf-8")
    opened = studied.run("%swarm open study 1")
    assert 'href="study-run-1-2.ipynb"' in opened.html
    assert own.read_text(encoding="utf-8") == "mine"
    notebook = nbformat.read(studied.folder / "study-run-1-2.ipynb", as_version=4)
    assert any("measure(rate=" in cell.source for cell in notebook.cells)
    assert 'href="study-run-1-2.ipynb"' in studied.run("%swarm open study 1").html, "the same is not copied again"
    assert "does not exist" in studied.run("%swarm open study 99999").errors


def test_here_runs_the_cell_in_the_notebook_too(kernel: Kernel) -> None:
    here = kernel.run(
        "%%swarm here --maximize mine --budget 3x --agents 2 --here\nmine = measure(rate=0.7)\nprint('ran')"
    )
    assert (here.status, here.printed, here.widgets) == ("ok", "ran\n", 1)
    assert kernel.run("print(mine > 0.5)").printed == "True\n"
    cell = "rate = 0.7  #: 0.1..1\nmine = measure(rate=rate) + int('x')"
    failing = kernel.run(f"%%swarm here --maximize mine --budget 3x --agents 2 --here\n{cell}")
    assert failing.status == "error"
    assert "error" in failing.kinds, "the person's own error has its traceback"
    assert "its swarm here-2 goes on by itself" in failing.errors


def test_waiting_shows_the_findings_and_an_interrupt_leaves_the_swarm_running(kernel: Kernel) -> None:
    waited = kernel.run("%%swarm brief --maximize score --budget 3x --agents 2 --wait\nscore = measure(rate=0.7)")
    assert waited.status == "ok", waited.errors
    assert kernel.swarm("brief").state.over
    assert "brief: done" in waited.plain
    request = kernel.send(f"%%swarm long --maximize score --budget 10m --agents 4 --wait\n{SLOW}")
    wait_for(lambda: lives(kernel.folder, "long"), 60, "the runner")
    kernel.manager.interrupt_kernel()
    interrupted = kernel.answer(request, 20)
    assert interrupted.status == "error"
    assert "the wait was interrupted; long goes on in the background" in interrupted.errors
    long = kernel.swarm("long")
    before = long.state.experiments
    wait_for(lambda: long.state.experiments > before, 60, "another experiment")
    assert long.alive
    _steered(kernel)
    began = time.monotonic()
    assert kernel.run("print(1)").printed == "1\n"
    assert time.monotonic() - began < 5
    assert kernel.run("%swarm stop long").status == "ok"
    wait_for(lambda: long.state.over, 60, "the end")
    assert "there is nothing to steer" in kernel.run("%swarm steer long --budget 5m").errors


def _steered(kernel: Kernel) -> None:
    """`long` is steered: done, and refused with the reason."""
    long = kernel.swarm("long")
    wait_for(lambda: long.state.directions, 60, "directions")
    direction = next(iter(long.state.directions.values()))
    done = kernel.run(f'%swarm steer long "{direction.title}" --priority 3')
    assert "Done: " in done.plain, done.plain + done.errors
    assert long.state.directions[direction.id].priority == 3
    refused = kernel.run('%swarm steer long "nothing of this name" --close')
    assert "Refused: no direction matches" in refused.plain
    assert kernel.run("%swarm steer long --budget 9m").plain.startswith("Done: ")
    assert long.state.budget.seconds == 540
    replaced, titles = kernel.complete("%swarm steer long ")
    assert (replaced, f'"{direction.title}"' in titles) == ("", True)
    assert "Refused" in kernel.run("%swarm steer long --veto H99999").plain
    assert kernel.run("%swarm steer long --hire tuner").plain.startswith("Done: hired tuner-")
    assert kernel.run("%swarm steer long --resize inventor=2").plain.startswith("Done: 2 of brainstorming")
    assert "Refused: there is no agent 'nobody'" in kernel.run("%swarm steer long --dismiss nobody").plain
    assert "pauses" in kernel.run("%swarm pause long").plain
    wait_for(lambda: long.state.phase == "paused", 60, "the pause")
    assert "goes on" in kernel.run("%swarm resume long").plain
    wait_for(lambda: long.state.phase == "running", 60, "the resumption")


@pytest.mark.parametrize(
    ("line", "replaced", "offered"),
    [
        ("%swarm st", "st", ["status", "steer", "stop"]),
        ("%swarm help pap", "pap", ["papers"]),
        ("%swarm papers ", "", ["add", "list", "search"]),
        ("%swarm papers add no", "no", ["notes/"]),
        ("%swarm papers add notes/", "notes/", ["notes/one.md"]),
        ("%%swarm tab --max", "--max", ["--maximize"]),
        ("%%swarm tab --mind ", "", ["classical"]),
        ("%%swarm tab --mind=cl", "cl", ["classical"]),
    ],
)
def test_tab(kernel: Kernel, line: str, replaced: str, offered: list[str]) -> None:
    (kernel.folder / "notes").mkdir(exist_ok=True)
    (kernel.folder / "notes/one.md").write_text("# One\n", encoding="utf-8")
    assert kernel.complete(line) == (replaced, offered)


def test_tab_knows_swarms_and_the_metrics_of_the_cell(studied: Kernel) -> None:
    replaced, offered = studied.complete("%swarm status stu")
    assert replaced == "stu"
    assert "study" in offered
    cell = "%%swarm wine --maximize \nloss = 1\nscore = 2\n"
    assert studied.complete(cell, at=cell.index("\n")) == ("", ["loss", "score"])


def test_clean_frees_what_screening_left_and_the_verdicts_stay(studied: Kernel) -> None:
    study = studied.swarm("study")
    journal = Path(studied.folder, ".swarm/swarms/study", recorded.FILE)
    runs = recorded.identities(journal)
    before = json.dumps(study.result())
    cleaned = studied.run("%swarm clean study")
    assert "Freed " in cleaned.plain
    left = recorded.identities(journal)
    screened = [row for row in study.state.rows.values() if row.experiment.purpose == "screening"]
    assert len(runs) - len(left) == len([row for row in screened if row.run and row.run.notebook])
    assert json.dumps(studied.swarm("study").result()) == before


def test_nothing_heavy_has_come_into_the_kernel(studied: Kernel) -> None:
    (studied.folder / "scaling.md").write_text("# Scaling\n\nFeature scaling brings columns to one range.\n")
    assert studied.run("%swarm papers add scaling.md module:textwrap").status == "ok"
    assert "one range" in studied.run('%swarm papers search "feature scaling"').plain
    listed = studied.run(f"import sys; print([name for name in {HEAVY!r} if name in sys.modules])")
    assert listed.printed == "[]\n"
