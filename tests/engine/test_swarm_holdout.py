"""--confirm: supported findings are measured once on data that no other run has seen."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import worlds

from jupyter_swarm import Swarm, cell, register
from jupyter_swarm.errors import CellError
from jupyter_swarm.events import StopRequested
from jupyter_swarm.report import answer, tables
from jupyter_swarm.words import Context, Experiment, Holdout

CELL = '''
"""Which strength fits?"""
from sklearn.linear_model import Ridge
rng = np.random.default_rng(seed)
rows = rng.choice(len(X), len(X) // 2, replace=False)
model = Ridge(alpha=300.0).fit(X[rows], y[rows])
error = float(np.mean((y - model.predict(X)) ** 2))
'''
NOTEBOOK = """
import numpy as np
import sys

rng = np.random.default_rng(0)
X, X_new = rng.normal(size=(400, 2)), rng.normal(size=(200, 2))
y = 2 * X[:, 0] + 0.1 * rng.normal(size=400)
y_new = 2 * X_new[:, 0] + 0.3 * rng.normal(size=200)
seed = 0


def seen():
    "Fails where new data are to be seen in a run that is not on them."
    spaces = [globals(), *getattr(sys, "swarm_captures", {}).values()]
    if any("X_new" in space for space in spaces) and not any("error_on_new_data" in each for each in In):
        raise AssertionError("the new data are to be seen")
"""


def namespace() -> dict[str, Any]:
    """What the notebook's first cell leaves."""
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(NOTEBOOK, space)
    return space


def wishes(**more: Any) -> dict[str, Any]:
    return {"metric": "error", "namespace": namespace(), **more}


EXPRESSION = "float(np.mean((y_new - model.predict(X_new)) ** 2))"


def test_the_cell_is_read_with_the_expression_after_it() -> None:
    base = cell.read(CELL, **wishes())
    found = cell.held_out(CELL, EXPRESSION, base, namespace())
    assert found.metric == "error_on_new_data"
    assert found.code.splitlines()[-1].startswith("error_on_new_data = float(")
    assert {*found.names} - {*base.names} == {"X_new", "y_new"}
    assert any("X_new" in each.text for each in found.locked), "the expression is locked"


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("score =", "is no expression"),
        ("import os", "is no expression"),
        ("float(np.mean(y))", "measures nothing new"),
        ("missing(X_new)", "'missing' exists nowhere"),
    ],
)
def test_what_is_wrong_is_said(expression: str, said: str) -> None:
    base = cell.read(CELL, **wishes())
    with pytest.raises(CellError, match=said):
        cell.held_out(CELL, expression, base, namespace())


@pytest.mark.slow
def test_supported_findings_are_measured_once_and_nobody_else_sees_the_data(tmp_path: Path) -> None:
    code = CELL.replace("rng =", "seen()\nrng =")
    swarm = Swarm.start(
        code, minimize="error", budget="140x", agents=8, namespace={**namespace(), "In": []}, workspace=tmp_path,
        confirm=EXPRESSION, vary=["Ridge.alpha"],
    )  # fmt: skip
    state = swarm.wait(240)
    assert state.phase == "done", state.why
    assert not state.failed, [row.run for row in state.rows.values() if row.run and row.run.reason]
    known = {case.hypothesis.id for case in state.supported() if case.about != "ablation"}
    assert known
    assert {*state.holdouts} <= known
    left = known - {*state.holdouts}
    said = [each for _, _, each in state.log if "The budget did not pay for measuring" in each]
    assert bool(left) == bool(said), "what the budget did not reach is named"
    assert all(each in said[0] for each in left)
    rows = [row for row in state.rows.values() if row.experiment.purpose == "holdout"]
    incumbent = state.incumbent()
    assert incumbent is not None
    first = state.holdouts[incumbent.hypothesis.id]
    assert first.pairs == 6
    assert first.effect > 0.1, "less of a penalty fits new data better, too"
    assert 0.05 < first.mean < 0.2
    assert state.request is not None
    assert "X_new" not in {each.name for each in state.request.context.captures}
    assert state.request.holdout is not None
    assert "X_new" in {each.name for each in state.request.holdout.context.captures}
    assert "on new data" in answer.answer(state)
    assert "On new data" in tables.findings(state)
    assert any(each["holdout"] for each in swarm.result()["findings"])
    assert "error_on_new_data" in swarm.notebook(rows[0].number).read_text(encoding="utf-8")


def test_what_a_finding_is_confirmed_on_is_not_cleaned_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither pickle of a swarm is unused; what a killed kernel left is."""
    monkeypatch.setattr("jupyter_swarm.engine.start", lambda *_: None)
    swarm = Swarm.start(
        CELL, minimize="error", namespace=namespace(), workspace=tmp_path, confirm=EXPRESSION, vary=["Ridge.alpha"]
    )
    request = swarm.state.request
    assert request is not None
    assert request.holdout is not None
    left = swarm.workspace.captures / ".new-left"
    left.write_bytes(b"half")
    kept = {request.context.pickle, request.holdout.context.pickle}
    assert len(kept) == 2
    assert kept <= {path.name.partition(".")[0] for path in swarm.workspace.captures.iterdir()}
    assert register.unused_captures(swarm.workspace) == [left]


def test_a_cell_in_which_nothing_may_vary_captures_nothing(tmp_path: Path) -> None:
    with pytest.raises(CellError, match="nothing in this cell may vary"):
        Swarm.start(
            "error = float(np.sum(y))", minimize="error", namespace=namespace(), workspace=tmp_path, vary=[]
        )  # fmt: skip
    assert list((tmp_path / ".swarm" / "captures").iterdir()) == []


def test_rows_that_every_run_sees_are_nothing_new() -> None:
    space = namespace()
    base = cell.read(CELL, **wishes())
    for same in ("X[300:]", "X[300:].copy()", "X[np.arange(0, 400, 2)]"):
        exec(f"X_new = {same}; y_new = y[300:]", space)
        with pytest.raises(CellError, match="X_new is nothing new"):
            cell.held_out(CELL, EXPRESSION, base, space)
    exec("X_new = np.vstack([X[:20], rng.normal(size=(80, 2))]); y_new = rng.normal(size=100)", space)
    (told, *_) = cell.held_out(CELL, EXPRESSION, base, space).warnings
    assert told.startswith("20 % of the rows of X_new")


def test_names_of_setup_may_be_new() -> None:
    base = cell.read(CELL, **wishes(setup=["loader = iter([(X_new, y_new)])"]))
    space = {**namespace(), "loader": iter([])}
    found = cell.held_out(
        CELL, "model.score(*next(loader))", base, space, setup=["loader = iter([(X_new, y_new)])"]
    )  # fmt: skip
    assert "X_new" in found.names


@pytest.mark.slow
def test_an_expression_that_fails_is_said_before_anything_is_spent(tmp_path: Path) -> None:
    swarm = Swarm.start(
        CELL, minimize="error", budget="200x", namespace=namespace(), workspace=tmp_path, vary=["Ridge.alpha"],
        confirm="model.no_such_thing(X_new, y_new)",
    )  # fmt: skip
    state = swarm.wait(120)
    assert state.phase == "failed"
    assert "--confirm fails on the cell as given" in state.why
    assert "no_such_thing" in state.why
    assert state.experiments <= 6


def test_a_person_may_stop_while_new_data_are_tried_for_the_first_time() -> None:
    """It may take hours: requests are heard meanwhile, and nothing is blamed on the budget."""
    analysis = msgspec.structs.replace(worlds.analysis(), metric="score_on_new_data")
    held = Holdout(expression="1.0", analysis=analysis, context=Context(), context_hash="held")
    ground = worlds.Ground([msgspec.structs.replace(worlds.request(60), holdout=held)])

    async def measure(experiment: Experiment) -> float:
        if experiment.purpose == "holdout":
            ground.say(StopRequested())
            await asyncio.sleep(60.0)
        return float(experiment.seed)

    began = time.monotonic()
    state = ground.play(measure)
    assert (state.phase, state.why) == ("stopped", "stopped by the person")
    assert time.monotonic() - began < 30.0
    assert not any("did not pay" in text for _, _, text in state.log)
