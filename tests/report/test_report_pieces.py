"""The rules behind single parts of the report."""

from __future__ import annotations

import random

import logs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_swarm import events as e
from jupyter_swarm.report import plots, records, setting, tables, tried
from jupyter_swarm.report.answer import answer
from jupyter_swarm.report.markdown import inline, literal
from jupyter_swarm.state import Trial
from jupyter_swarm.words import Edit, Evidence, Plan, Run, Variation, Verdict


def judged(pairs: list[tuple[float, Verdict]]) -> logs.Player:
    """A swarm of hypotheses with these promises and verdicts."""
    p = logs.Player()
    p.begin()
    for place, (promise, verdict) in enumerate(pairs):
        p.propose(f"H{place}", "it helps", "D1", Variation(code=f"{place}"), predicted=promise)
        found = Evidence(
            verdict=verdict, effect=0.1, low=None, high=None, pairs=9, e_value=1.0, e_against=1.0, scope="seeds"
        )
        p.say(e.VerdictReached(hypothesis=f"H{place}", plan="", evidence=found))
    return p


class TestPredictions:
    def test_none(self) -> None:
        assert "Nothing was judged" in records.predictions(judged([]).state)

    def test_better(self) -> None:
        text = records.predictions(judged([(0.9, "supported"), (0.1, "refuted")] * 15).state)
        assert "The records predicted better" in text
        assert "| 0.0 to 0.2 | 15 | 0.1 | 0 (0) |" in text
        assert "| 0.8 to 1.0 | 15 | 0.9 | 15 (1) |" in text

    def test_worse(self) -> None:
        text = records.predictions(judged([(0.1, "supported"), (0.9, "open")] * 15).state)
        assert "The records predicted worse" in text

    def test_nothing_in_it(self) -> None:
        rng = random.Random(4)
        pairs: list[tuple[float, Verdict]] = [
            (0.5 + rng.uniform(-0.1, 0.1), rng.choice(["supported", "refuted"])) for _ in range(40)
        ]
        assert "cannot be told apart" in records.predictions(judged(pairs).state)

    def test_all_the_same(self) -> None:
        assert "All came out the same way" in records.predictions(judged([(0.3, "refuted")] * 25).state)

    def test_open_is_not_supported(self) -> None:
        found = records.forecasts([(0.5, False), (0.5, True)])
        assert found is not None
        assert (found.count, found.supported, found.records, found.base_rate) == (2, 1, 0.25, 0.25)
        assert "1 was supported" in records.predictions(judged([(0.5, "open"), (0.5, "supported")]).state)

    @given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30))
    def test_no_constant_beats_the_base_rate(self, pairs: list[tuple[float, bool]]) -> None:
        found = records.forecasts(pairs)
        assert found is not None
        assert found.base_rate <= found.start + 1e-12
        assert 0.0 <= found.records <= 1.0


class TestTried:
    base = Variation(code="0", edits=(Edit(kind="swap", target="a", value="m:b"),))

    @pytest.mark.parametrize(
        ("edits", "known"),
        [
            ((Edit(kind="set", target="C", value=1),), "value set"),
            ((Edit(kind="set", target="C", value=1), Edit(kind="set", target="d", value=2)), "value set"),
            ((Edit(kind="drop", target="C"), Edit(kind="set", target="d", value=2)), "combination"),
            ((Edit(kind="swap", target="e", value="m:f"),), "part swapped"),
            ((Edit(kind="insert", target="p[0]", value="m:f"),), "step inserted"),
        ],
    )
    def test_beyond_its_reference(self, edits: tuple[Edit, ...], known: str) -> None:
        p = logs.Player()
        p.begin()
        p.propose("H1", "x", "D1", Variation(code="1", edits=self.base.edits + edits), reference=self.base)
        assert tried.operator(p.state.cases["H1"]) == known

    def test_free_code_and_taken_back(self) -> None:
        p = logs.Player()
        p.begin()
        p.propose("H1", "x", "D1", Variation(code="1"))
        two = Variation(code="2", edits=(*self.base.edits, Edit(kind="drop", target="q")))
        p.propose("H2", "x", "D1", self.base, reference=two)
        assert [tried.operator(case) for case in p.state.cases.values()] == ["free code", "change taken back"]

    def test_outcomes(self) -> None:
        p = logs.Player()
        p.begin()
        p.baseline()
        never, failed, screened, vetoed = (
            p.propose(f"H{place}", "x", "D1", logs.swapped("Normalizer", 2.0 + place)) for place in range(4)
        )
        p.screen(failed, logs.FAILURE)
        p.screen(screened, (0.6, 0.01))
        p.say(e.HypothesisMarked(hypothesis=vetoed.id, mark="vetoed"))
        ends = [tried.outcome(p.state, p.state.cases[each.id]) for each in (never, failed, screened, vetoed)]
        assert ends == ["not run", "failed", "screened only", "vetoed"]

    def test_every_case_is_counted_once(self) -> None:
        state = logs.fold(logs.wine())
        assert all(tried.outcome(state, case) in tried.OUTCOMES for case in state.cases.values())


class TestPictures:
    def test_points_are_bounded(self) -> None:
        p = logs.Player()
        p.begin()
        p.baseline()
        case = p.propose("H1", "x", "D1", logs.swapped("MaxAbsScaler"))
        p.screen(case, (0.97, 0.01), seeds=range(1, 4000))
        plot = plots.over_time(p.state)
        assert plot is not None
        assert len(plot.source) < 60_000
        assert "are drawn, evenly" in plot.caption

    def test_far_off_runs_do_not_flatten_it(self) -> None:
        low, high, outside = plots._limits([0.9 + place / 1000 for place in range(100)] + [-1e12], [0.95])
        assert outside == 1
        assert 0.7 < low < high < 1.2

    def test_equal_values(self) -> None:
        low, high, outside = plots._limits([0.5] * 9, [0.5])
        assert low < 0.5 < high
        assert outside == 0

    def test_unbounded_and_exact_effects_draw(self) -> None:
        p = judged([(0.3, "open"), (0.3, "refuted"), (0.3, "supported")])
        plot = plots.effects(p.state)
        assert plot is not None
        shown = plots.render([plot])
        assert isinstance(shown, list)
        assert shown[0]["data"]["image/png"]


@given(st.sets(st.integers(0, 300)))
def test_ranges_name_each_number(numbers: set[int]) -> None:
    text = setting.ranges(numbers, most=1000)
    found: set[int] = set()
    for part in filter(None, text.split(", ")):
        first, _, last = part.partition("–")
        found |= set(range(int(first), int(last or first) + 1))
    assert found == numbers


@given(st.text(max_size=80))
def test_words_of_others_stay_on_one_line(text: str) -> None:
    shown = inline(text)
    assert not set(shown) & set("\n\r\x00\x1b<>[]`|*_$\\")
    assert not shown.startswith("-")


@given(st.text(alphabet="`a\n\r\u202e", max_size=60))
def test_nothing_closes_a_literal(text: str) -> None:
    lines = literal(text).split("\n")
    fence = lines[0].removesuffix("text")
    assert lines[-1] == fence
    assert not any(line.startswith(fence) for line in lines[1:-1])
    assert "\u202e" not in literal(text)


def test_what_is_recorded_besides_the_metric_stands_with_its_pairs() -> None:
    case_runs = {
        seed: tuple(
            Run(experiment="", value=value, values={"latency": latency}, peak=2**20)
            for value, latency in ((0.9, 3.0 + seed), (0.8, 5.0))
        )
        for seed in range(3)
    }
    plan = Plan(id="P1", hypothesis="H", agent="a", first_seed=0, max_pairs=3, margin=0.1, weight=0.1)
    trial = Trial(plan)
    for seed, (ours, theirs) in case_runs.items():
        trial.variation[seed], trial.reference[seed] = ours, theirs
    text = tables.recorded(trial)
    assert "| latency | 4 | 5 |" in text
    assert "| memory, MB | 1 | 1 |" in text
    assert tables.recorded(Trial(plan)) == ""


def test_what_rests_on_a_vetoed_change_is_still_told() -> None:
    moves = logs.wine()
    played = logs.fold(moves)
    first = [case.hypothesis for case in played.supported() if case.hypothesis.reference.id == played.baseline.id]
    state = logs.fold([*moves, *((1e9, e.HypothesisMarked(hypothesis=each.id, mark="vetoed")) for each in first)])
    rests = [case for case in state.supported() if case.about == "improvement"]
    assert rests, "a supported change of a vetoed one"
    assert state.incumbent() is None
    assert rests[0].hypothesis.statement[1:] in answer(state)
