"""Agents with a language model in a real engine: what they propose, what is refused, and that nothing is paid twice."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worlds import Ground, World, mind, request

from jupyter_swarm import cell
from jupyter_swarm.engine.swarm import Swarm
from jupyter_swarm.events import (
    ModelAnswered,
    ModelAsked,
    SpaceSuggested,
    StopRequested,
    SummaryWritten,
    TaskFinished,
)
from jupyter_swarm.library import LocalLibrary
from jupyter_swarm.minds.account import Account
from jupyter_swarm.minds.calling import Caller
from jupyter_swarm.minds.language import LanguageMind
from jupyter_swarm.outcome import audited
from jupyter_swarm.state import SwarmState
from jupyter_swarm.testing import Fault, ModelServer, Reply, Request
from jupyter_swarm.words import Budget, Experiment
from jupyter_swarm.workspace import Workspace

pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
pytestmark = pytest.mark.timeout(120)

MODEL = "openai:scripted"
FANCY = {"kind": "set", "target": "measure.mode", "value": "fancy"}
ODD = {"kind": "set", "target": "measure.alpha", "value": 7.77}
"""A value that nobody comes upon by rule."""
ASKED = {
    "ideas at most": "ideas",
    "Give the change": "code",
    "Give the ranges": "spaces",
    "Give the claims": "claims",
    "The facts:": "summary",
}
"""Words by which a prompt is known."""
NOTHING: dict[str, Any] = {
    "ideas": {"ideas": []}, "code": {"statement": "nothing", "diff": ""}, "spaces": {"ranges": []},
    "claims": {"claims": []}, "summary": {"sentences": []},
}  # fmt: skip
EDITED = '--- a\n+++ b\n@@ -1,2 +1,3 @@\n """Which setting helps?"""\n+steps = 2\n score'

Answer = Callable[[Request], Reply | Fault | dict[str, Any]]


def kind_of(asked: Request) -> str:
    return next((kind for words, kind in ASKED.items() if words in asked.text), "reading")


@contextmanager
def scripted(**answers: Answer | dict[str, Any]) -> Iterator[ModelServer]:
    """A model that answers each kind of prompt as said, and nothing to all others."""

    def answer(asked: Request) -> Reply | Fault:
        found = answers.get(kind_of(asked), NOTHING.get(kind_of(asked), {}))
        found = found(asked) if callable(found) else found
        return Reply(calls=[("answer", found)]) if isinstance(found, dict) else found

    with ModelServer(answer) as server:
        yield server


def engine(ground: Ground, url: str, function: Callable[[Experiment], object], **more: Any) -> tuple[Swarm, Caller]:
    """An engine whose agents have the classical mind and the scripted model."""
    limits = more.pop("limits", {})
    made = ground.engine(function, **{"delay": 0.01, "poll": 0.02, **more})
    team: dict[str, Any] = {"classical": mind()}
    made._minds = team
    caller = Caller(ground.store, made.write, Account.of(made.state, limits.get("tokens"), None), {MODEL: url})
    caller.first_wait_seconds = 0.05
    team[MODEL] = LanguageMind(MODEL, caller)
    return made, caller


def play(ground: Ground, url: str, function: Callable[[Experiment], object], **more: Any) -> SwarmState:
    async def work() -> SwarmState:
        made, caller = engine(ground, url, function, **more)
        try:
            await made.work()
        finally:
            await caller.close()
            await made._clerk.finish()
        return made.state

    return asyncio.run(work())


@pytest.fixture
def library(tmp_path: Path) -> LocalLibrary:
    paper = tmp_path / "notes.md"
    paper.write_text(
        "# Which setting helps\n\nIn our experience an alpha of 7.77 helps more than any other setting. "
        "We measured it on 12 machines.\n",
        encoding="utf-8",
    )
    made = LocalLibrary(Workspace(tmp_path), vectors=False)
    made.add([paper])
    return made


# ---------------------------------------------------------------- ideas


def test_an_idea_becomes_a_hypothesis_with_what_would_refute_it() -> None:
    idea = {"statement": "This alpha", "why": "it is fancy", "refuted_if": "no gain over ten pairs", "edits": [ODD]}
    ground = Ground([request(200)])
    with scripted(ideas={"ideas": [idea]}) as server:
        state = play(ground, server.url, World({"alpha=7.77": 3.0}))
    cases = [case for case in state.cases.values() if case.hypothesis.refuted_if]
    assert cases
    hypothesis = cases[0].hypothesis
    assert (hypothesis.why, hypothesis.refuted_if) == ("it is fancy", "no gain over ten pairs")
    assert state.agents[hypothesis.agent].mind == MODEL
    assert hypothesis.statement.startswith("Setting measure.alpha to 7.77 raises score"), "said by program"
    assert all(audited(state, case) for case in cases), "declared edits need nobody's reading"


def test_ideas_that_fit_nothing_are_mended_once_and_then_a_recorded_failure() -> None:
    bad = {"statement": "x", "edits": [{"kind": "set", "target": "measure.colour", "value": "red"}]}
    ground = Ground([request(60)])
    with scripted(ideas={"ideas": [bad]}) as server:
        state = play(ground, server.url, World())
    asked = [each for each in server.requests if kind_of(each) == "ideas"]
    assert "cannot be used" in asked[1].text
    assert "measure.colour" in asked[1].text
    failed = [event for event in ground.of(TaskFinished) if event.failed and event.role == "brainstorming"]
    assert failed
    assert "twice an answer of no use" in failed[0].why
    assert state.over
    assert any(agent.failures for agent in state.agents.values() if agent.mind == MODEL)


def test_no_idea_touches_the_lock_or_is_tried_twice() -> None:
    same = {"ideas": [{"statement": "again", "edits": [FANCY]}]}
    seed = {"ideas": [{"statement": "lucky", "edits": [{"kind": "set", "target": "seed", "value": 3}]}]}
    ground = Ground([request(80)])
    with scripted(ideas=lambda asked: same if asked.number % 2 else seed) as server:
        state = play(ground, server.url, World())
    codes = [case.hypothesis.variation.code for case in state.cases.values() if case.about == "improvement"]
    assert len(codes) == len(set(codes))
    for code in codes:
        cell.check_lock(code, state.analysis)


def test_a_passage_that_nobody_gave_is_not_cited(library: LocalLibrary) -> None:
    def ideas(asked: Request) -> dict[str, Any]:
        return {"ideas": [{"statement": "fancy mode", "edits": [FANCY], "passages": ["invented-1-2"]}]}

    ground = Ground([request(120)])
    with scripted(ideas=ideas) as server:
        state = play(ground, server.url, World({"'fancy'": 3.0}), library=library)
    cited = [each for case in state.cases.values() for each in case.hypothesis.citations]
    assert all(library.verify(each) for each in cited)


# ---------------------------------------------------------------- code


def test_written_code_is_merged_run_and_unaudited_until_read() -> None:
    diff = EDITED + ' = measure(alpha=1.0, depth=3, rate=0.1, width=16, flag=False, mode="plain", seed=seed)\n'
    ground = Ground([request(200)])
    with scripted(code={"statement": "Two steps", "diff": diff, "refuted_if": "nothing changes"}) as server:
        state = play(ground, server.url, World({"steps = 2": 3.0}))
    written = [case for case in state.cases.values() if case.hypothesis.variation.free and case.evidence]
    assert written
    assert written[0].evidence is not None
    assert written[0].evidence.verdict == "supported"
    assert not audited(state, written[0])
    free = [row.experiment for row in state.rows.values() if "steps = 2" in row.experiment.code]
    assert free
    assert all(each.free for each in free), "the sandbox knows that nobody has read it"


def test_code_that_fails_is_mended_with_its_traceback_and_not_for_ever() -> None:
    def code(asked: Request) -> dict[str, Any]:
        number = 2 + asked.number
        diff = EDITED.replace("steps = 2", f"steps = {number}  # broken") + "\n"
        if "Mend it" in asked.text:
            assert "no such thing" in asked.text
        return {"statement": f"Steps {number}", "diff": diff.replace("\n score\n", "\n")}

    def measured(experiment: Experiment) -> float:
        if "broken" in experiment.code:
            raise ValueError("no such thing")
        return World()(experiment)

    ground = Ground([request(150)])
    with scripted(code=code) as server:
        state = play(ground, server.url, measured)
    written = {case.hypothesis.id: case.hypothesis for case in state.cases.values() if case.hypothesis.variation.free}
    assert any(each.parent for each in written.values())
    depths = []
    for each in written.values():
        depth, parent = 0, each.parent
        while parent:
            depth, parent = depth + 1, written[parent].parent
        depths.append(depth)
    assert max(depths) <= 2


def test_code_that_touches_the_lock_never_runs() -> None:
    diff = EDITED.replace("+steps = 2", "+score = 1.0\\n+print(score)") + "\\n"
    ground = Ground([request(60)])
    with scripted(code={"statement": "All right", "diff": diff}) as server:
        state = play(ground, server.url, World())
    assert not any(row.experiment.free for row in state.rows.values())
    assert [each for each in ground.of(TaskFinished) if each.failed and each.role == "implementation"]


# ---------------------------------------------------------------- ranges, claims, words


def test_a_tuner_looks_where_its_mind_says() -> None:
    span = {"knob": "measure.alpha", "low": 2.0, "high": 3.0, "why": "it peaks there"}
    ground = Ground([request(160)])
    with scripted(spaces={"ranges": [span, {"knob": "nothing", "low": 1, "high": 2}]}) as server:
        state = play(ground, server.url, World())
    said = ground.of(SpaceSuggested)
    assert said
    assert {each.knob for each in said} == {"measure.alpha"}
    tuners = {agent.id for agent in state.agents.values() if agent.role == "tuning" and agent.mind == MODEL}
    for case in state.cases.values():
        if case.hypothesis.agent in tuners:
            values = [edit.value for edit in case.hypothesis.variation.edits if edit.target == "measure.alpha"]
            assert all(2.0 <= float(value) <= 3.0 for value in values)  # type: ignore[arg-type]


def test_a_range_that_was_guessed_too_narrow_is_widened() -> None:
    span = {"knob": "measure.alpha", "low": 500.0, "high": 5e4, "why": "the best lie at the end"}
    ground = Ground([request(160)])
    with scripted(spaces={"ranges": [span]}) as server:
        state = play(ground, server.url, World())
    assert state.analysis.wider == ("measure.alpha=0.001..50000.0 log",)
    assert ground.state.analysis == state.analysis, "a replay has it too"
    alphas = [
        float(edit.value)  # type: ignore[arg-type]
        for case in state.cases.values()
        for edit in case.hypothesis.variation.edits
        if edit.target == "measure.alpha"
    ]
    assert max(alphas) > 1000.0
    assert all(audited(state, case) for case in state.cases.values())


def test_a_claim_is_planned_before_any_run_of_it(library: LocalLibrary) -> None:
    def claims(asked: Request) -> dict[str, Any]:
        passage = asked.text.split('kind="passage" name="')[1].split('"')[0]
        true = {"passage": passage, "quote": "an alpha of 7.77 helps more than any other setting", "statement": "7.77"}
        false = {"passage": passage, "quote": "an odd mode is best", "statement": "odd"}
        odd = {"kind": "set", "target": "measure.mode", "value": "odd"}
        return {"claims": [{**false, "edits": [odd]}, {**true, "edits": [ODD], "refuted_if": "it does not"}]}

    ground = Ground([request(300)])
    with scripted(claims=claims) as server:
        state = play(ground, server.url, World({"alpha=7.77": 3.0}), library=library)
    claimed = [case for case in state.cases.values() if case.hypothesis.claim]
    assert len(claimed) == 1, "what does not stand in the passage is no claim of it"
    (case,) = claimed
    assert case.hypothesis.citations[0].quote == "an alpha of 7.77 helps more than any other setting"
    assert library.verify(case.hypothesis.citations[0])
    assert not case.seeds, "no race before the test"
    assert case.evidence is not None
    assert case.evidence.verdict == "supported"


def test_the_summary_holds_what_the_ledger_holds() -> None:
    said = {"sentences": ["The gain was 83 %.", "Everything was supported.", "This study had 120 runs."]}
    ground = Ground([request(120)])
    with scripted(summary=said) as server:
        state = play(ground, server.url, World({"'fancy'": 3.0}))
    assert state.findings()
    (written,) = ground.of(SummaryWritten)
    assert written.struck == 2
    assert written.sentences == ("This study had 120 runs.",)


# ---------------------------------------------------------------- money and failures


def test_a_provider_that_is_down_holds_up_nobody_else() -> None:
    ground = Ground([request(100)])
    with ModelServer(lambda asked: Fault(503)) as server:
        state = play(ground, server.url, World({"'fancy'": 3.0}))
    assert (state.phase, state.why) == ("done", "the budget is spent")
    assert any(case.evidence and case.evidence.verdict == "supported" for case in state.cases.values())
    assert sum(each.tokens for each in state.spent.values()) == 0, "an error costs nothing"


def test_the_budget_for_models_is_never_passed_and_the_others_go_on() -> None:
    number = iter(range(1000))

    def ideas(asked: Request) -> dict[str, Any]:
        edit = {"kind": "set", "target": "measure.alpha", "value": 1.0 + next(number) / 100}
        return {"ideas": [{"statement": "x", "edits": [edit]}]}

    ground = Ground([request(Budget(experiments=150, tokens=30_000))])
    with scripted(ideas=ideas) as server:
        state = play(ground, server.url, World(), limits={"tokens": 30_000})
    assert state.over
    assert 0 < sum(each.tokens for each in state.spent.values()) <= 30_000
    reserved = taken = 0
    open_calls: dict[str, int] = {}
    for event in ground.events:
        if isinstance(event, ModelAsked):
            open_calls[event.call] = event.tokens_in + event.tokens_out
        elif isinstance(event, ModelAnswered):
            open_calls.pop(event.call)
            taken += event.tokens_in + event.tokens_out
        reserved = sum(open_calls.values())
        assert taken + reserved <= 30_000


def test_what_was_answered_is_not_paid_again_after_a_restart() -> None:
    idea = {"ideas": [{"statement": "fancy", "edits": [FANCY]}]}
    ground = Ground([request(120)])
    with scripted(ideas=idea) as server:

        async def first() -> None:
            made, caller = engine(ground, server.url, World({"'fancy'": 3.0}), delay=0.2)
            work = asyncio.create_task(made.work())
            while not any(kind_of(each) == "ideas" for each in server.requests) or made.state.asking:
                await asyncio.sleep(0.02)
            made.quit("told to")
            await work
            await caller.close()
            await made._clerk.finish()

        asyncio.run(first())
        paid = Counter(each.call.partition("/")[0] for each in ground.of(ModelAnswered) if not each.failed)
        play(ground, server.url, World({"'fancy'": 3.0}))
    answered = Counter(each.call.partition("/")[0] for each in ground.of(ModelAnswered) if not each.failed)
    assert paid
    assert max(answered.values()) == 1, "what was cut off may be asked again, what was answered is not"
    assert answered.keys() >= paid.keys()


def test_a_stop_cuts_off_whatever_is_being_thought() -> None:
    ground = Ground([request(Budget(seconds=600.0))])
    with ModelServer(lambda asked: Reply("{}", seconds=300.0)) as server:

        async def body() -> float:
            made, caller = engine(ground, server.url, World(), delay=0.05)
            work = asyncio.create_task(made.work())
            while not server.requests:
                await asyncio.sleep(0.02)
            began = time.monotonic()
            ground.say(StopRequested())
            await work
            await caller.close()
            took = time.monotonic() - began
            await made._clerk.finish()
            assert not [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
            return took

        assert asyncio.run(body()) < 5.0
    assert not ground.state.asking, "each call is settled: what was sent may have been paid"
