"""Two objectives: what is measured again, what stands on the front, and how it is shown."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worlds import CELL, Ground, World, request

from jupyter_swarm.errors import UsageError
from jupyter_swarm.experiments import FunctionLaboratory
from jupyter_swarm.protocols import Watch
from jupyter_swarm.report import choosing, plots
from jupyter_swarm.roles import front
from jupyter_swarm.settings import checked, tradeoff
from jupyter_swarm.state import SwarmState
from jupyter_swarm.words import Budget, Experiment, Objective, Run


class Recording(FunctionLaboratory):
    """Wider is better and slower; each run records its latency."""

    async def run(self, experiment: Experiment, timeout_seconds: float, *, watch: Watch | None = None) -> Run:
        run = await super().run(experiment, timeout_seconds, watch=watch)
        return Run(
            experiment=run.experiment, value=run.value, seconds=0.1, values={"latency_ms": latency(experiment)},
            peak=3 * 2**20,
        )  # fmt: skip


def width(experiment: Experiment) -> float:
    found = re.search(r"width=([\d.]+)", experiment.code)
    assert found is not None
    return float(found[1])


def latency(experiment: Experiment) -> float:
    return 2.0 * width(experiment) + (experiment.seed % 7) / 10.0


def grown(tradeoff: str = "latency_ms", budget: int = 160) -> SwarmState:
    noise = World(own=0.2, shared=0.2)

    def measure(experiment: Experiment) -> float:
        return noise(experiment) + min(3.0, width(experiment) / 16.0)

    ground = Ground([request(Budget(experiments=budget), tradeoff=tradeoff)])
    return ground.play(measure, laboratory=Recording(measure, workers=2))


@pytest.fixture(scope="module")
def state() -> SwarmState:
    return grown()


def test_what_screening_saw_there_is_measured_again_once(state: SwarmState) -> None:
    rows = [row for row in state.rows.values() if row.experiment.purpose == "front"]
    assert state.front is not None
    assert len(state.front.points) >= 3
    assert len({row.experiment.code for row in rows}) == len(state.front.points) <= front.MOST
    assert all(row.experiment.seed >= front.SEEDS for row in rows), "on seeds that nothing had used"
    assert {len([r for r in rows if r.experiment.hypothesis == p.hypothesis]) for p in state.front.points} == {
        point.runs for point in state.front.points
    }
    assert any(point.hypothesis == "" for point in state.front.points), "the cell as given, to compare with"
    assert state.phase == "done"


def test_nothing_on_the_front_is_beaten(state: SwarmState) -> None:
    found = front.settled(state)
    assert len(found) >= 2
    metrics, seconds = [each.metric[0] for each in found], [each.second[0] for each in found]
    assert metrics == sorted(metrics, reverse=True)
    assert seconds == sorted(seconds, reverse=True), "what is better costs more, or the other would be beaten"
    assert all(low <= mean <= high for each in found for mean, low, high in (each.metric, each.second))


def test_the_report_shows_it(state: SwarmState) -> None:
    text = choosing.choices(state)
    assert "## Between score and latency&#95;ms" in text
    assert "of latency&#95;ms less." in text
    assert text.count("\n| ") >= len(front.settled(state))
    plot = choosing.picture(state)
    assert plot is not None
    (shown,) = plots.render([plot])
    assert shown["data"]["image/png"]
    assert "on the front" in plot.alt


def test_one_objective_has_no_front() -> None:
    state = Ground([request(30)]).play(World())
    assert choosing.choices(state) == ""
    assert choosing.picture(state) is None
    assert front.chosen(state) == []
    assert not [row for row in state.rows.values() if row.experiment.purpose == "front"]


def test_what_the_budget_does_not_pay_for_is_said() -> None:
    state = grown(budget=5)
    assert state.front is None
    assert "Nothing was measured again" in choosing.choices(state)
    assert choosing.picture(state) is None


def test_any_run_has_seconds_and_memory() -> None:
    run = Run(experiment="", value=1.0, seconds=2.0, peak=3 * 2**20, values={"a": 4.0})
    assert [front.value_of(run, name) for name in ("a", "seconds", "peak_mb", "b")] == [4.0, 2.0, 3.0, None]
    assert len(front.screened(grown("peak_mb", budget=40))) > 2


def test_more_may_be_better() -> None:
    assert tradeoff("recall:max") == Objective(metric="recall", maximize=True)
    assert front.front([(1.0, 1.0), (1.0, 1.0)], lambda each: each[0], lambda each: each[1]) == [(1.0, 1.0)]


@pytest.mark.parametrize("wrong", ["", "a b", "latency:most", "class", "-x"])
def test_nonsense_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError, match="no second objective"):
        checked(1, {"tradeoff": wrong})


def test_the_cell_stays_as_it_is() -> None:
    assert "latency_ms" not in CELL
