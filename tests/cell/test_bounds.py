"""Values that are recorded besides the metric, and conditions on them."""

from __future__ import annotations

import pytest

from jupyter_swarm import cell
from jupyter_swarm.cell.bounds import parse
from jupyter_swarm.errors import CellError, LockError

CODE = "model = train(A, rate=0.1)\nscore = evaluate(model, A)\nlatency_ms = clock(model, A)\n"
SPACE = {"train": lambda A, rate: rate, "evaluate": lambda m, A: 1.0, "clock": lambda m, A: 3.0, "A": [1]}


def test_what_is_recorded_is_locked_like_the_metric() -> None:
    cheat = CODE.replace("clock(model, A)", "clock(model, A[:1])")
    cell.check_lock(cheat, cell.read(CODE, metric="score", namespace=SPACE))
    for wish in ({"record": ["latency_ms"]}, {"keep": ["latency_ms <= 5"]}):
        analysis = cell.read(CODE, metric="score", namespace=SPACE, **wish)
        with pytest.raises(LockError):
            cell.check_lock(cheat, analysis)
        assert [knob.name for knob in analysis.knobs] == ["train.rate"]


def test_a_name_that_is_never_assigned() -> None:
    with pytest.raises(CellError, match=r"never assigns .latency., which is to be recorded.*latency_ms"):
        cell.read(CODE, metric="score", namespace=SPACE, record=["latency"])
    assert cell.read(CODE, metric="score", namespace=SPACE, keep=["seconds < 3", "peak_mb <= 100"]).keep


@pytest.mark.parametrize("text", ["", "x", "x <= y", "x == 3", "3 <= x", "x <= 3; import os", "x <= inf"])
def test_what_is_no_condition(text: str) -> None:
    with pytest.raises(CellError, match="is no condition"):
        parse(text)


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        (["a <= 2"], ""),
        (["a < 2"], "a is 2, and has to be < 2"),
        (["a >= 2", "b > -1.5e0"], ""),
        (["b > 3"], "b is 3, and has to be > 3"),
        (["c <= 1"], "c was not recorded, and has to be <= 1"),
    ],
)
def test_whether_it_is_kept(keep: list[str], said: str) -> None:
    assert cell.broken(keep, {"a": 2.0, "b": 3.0}) == said
