"""Free code: supported, but unaudited until a person has approved it with the verdict before them."""

from __future__ import annotations

from pathlib import Path

import logs
import pytest
from logs import CELL, Player, swapped
from played import Played, text_of

from jupyter_swarm import events as e
from jupyter_swarm.api import Swarm
from jupyter_swarm.engine.steering import answer as steered
from jupyter_swarm.jupyter.actions import found
from jupyter_swarm.jupyter.pages import Code, Table, Words
from jupyter_swarm.jupyter.view import panes
from jupyter_swarm.outcome import audited
from jupyter_swarm.report.answer import answer
from jupyter_swarm.state import Steering
from jupyter_swarm.words import Edit, Hypothesis, Variation

FREE = Variation(code=CELL.replace("model = ", "model = my_own = "))
LYING = Variation(code=FREE.code, edits=swapped("MinMaxScaler").edits)
GOOD, BASE = (0.95, 0.006), (0.631, 0.012)


def propose(p: Player, name: str, variation: Variation, **more: object) -> Hypothesis:
    return p.propose(name, f"{name} raises accuracy", "D1", variation, **more)


@pytest.fixture
def p() -> Player:
    made = Player()
    made.begin()
    made.baseline()
    for name, variation in (("H1", FREE), ("H2", LYING), ("H3", swapped("MinMaxScaler", 0.3))):
        made.confirm(propose(made, name, variation), GOOD, BASE, 14)
    return made


def verdicts(p: Player) -> dict[str, bool]:
    return {case.hypothesis.id: audited(p.state, case) for case in p.state.findings()}


def approve(p: Player, name: str) -> str:
    *marks, answered = steered(p.state, Steering(7, e.SteeringRequested(verb="approve", target=name)))
    p.say(*marks)
    assert isinstance(answered, e.SteeringAnswered)
    return answered.answer


def test_only_what_its_edits_explain_needs_no_approval(p: Player) -> None:
    assert all(case.evidence is not None and case.evidence.verdict == "supported" for case in p.state.findings())
    assert verdicts(p) == {"H1": False, "H2": False, "H3": True}
    p.say(e.HypothesisMarked(hypothesis="H2", mark="vetoed"))
    assert verdicts(p) == {"H1": False, "H2": False, "H3": True}
    assert "its code counts as read by you" in approve(p, "H1")
    assert verdicts(p) == {"H1": True, "H2": True, "H3": True}, "the same code is approved, whoever proposed it"
    p.say(e.HypothesisMarked(hypothesis="H1", mark="vetoed"))
    assert verdicts(p) == {"H1": False, "H2": False, "H3": True}, "an approval can be taken back"


def test_after_the_end_the_request_itself_approves_and_takes_back(p: Player) -> None:
    propose(p, "H4", swapped("MinMaxScaler", 3.0))
    p.say(e.SteeringRequested(verb="approve", target="H1"))
    assert verdicts(p) == {"H1": False, "H2": False, "H3": True}, "while it runs, the runner answers"
    p.say(e.SwarmEnded(state="done", why="enough"))
    for verb, read, supported in (("approve", True, 3), ("veto", False, 2), ("approve", True, 3)):
        p.say(e.SteeringRequested(verb=verb, target="H1"))
        assert verdicts(p) == {"H1": read, "H2": read, "H3": True}
        assert len(p.state.supported()) == supported
        entry = p.state.steering[len(p.moves)]
        assert (entry.done, entry.answer.split(":")[0]) == (True, f"{e.MARKS[verb]} H1")
    for request in (
        *(e.SteeringRequested(verb="approve", target=target) for target in ("H4", "H9", "D1")),
        e.SteeringRequested(verb="priority", target="H1", value=2.0),
        e.SteeringRequested(verb="close", target="H1"),
    ):
        assert p.state.needs_runner(request)
        p.say(request)
        assert p.state.steering[len(p.moves)].done is None


def test_an_approval_before_there_is_a_verdict_says_what_to_test_and_no_more() -> None:
    p = Player()
    p.begin()
    p.baseline()
    early = propose(p, "H1", FREE)
    assert "once it is judged" in approve(p, "H1")
    p.confirm(early, GOOD, BASE, 14)
    assert verdicts(p) == {"H1": False}


def test_edits_of_free_code_and_what_it_is_compared_with(p: Player) -> None:
    upon = Variation(code=FREE.code.replace("C=1.0", "C=0.5"), edits=(Edit(kind="set", target="SVC.C", value=0.5),))
    p.confirm(propose(p, "H4", upon, reference=FREE), (0.97, 0.006), GOOD, 14)
    p.confirm(propose(p, "H5", swapped("MinMaxScaler"), reference=FREE), (0.98, 0.006), GOOD, 14)
    assert {name: verdicts(p)[name] for name in ("H4", "H5")} == {"H4": False, "H5": False}
    approve(p, "H1")
    assert {name: verdicts(p)[name] for name in ("H4", "H5")} == {"H4": True, "H5": True}


def test_all_faces_say_so(p: Player, tmp_path: Path) -> None:
    played = Played(tmp_path, p.moves)
    swarm = Swarm("wine", played.workspace)
    told = {each["statement"].split()[0]: each["audited"] for each in swarm.result()["findings"]}
    assert told == {"H1": False, "H2": False, "H3": True}
    text = text_of(played.notebook())
    assert text.count("supported, unaudited") == 2
    assert "2 other changes of the cell were supported as well, unaudited." in answer(p.state)
    parts = found(p.state)
    table = next(each for each in parts if isinstance(each, Table))
    assert sorted(row[1] for row in table.rows) == ["supported", "supported, unaudited", "supported, unaudited"]
    assert any(isinstance(each, Code) and "+model = my_own" in each.text for each in parts)
    assert any(isinstance(each, Words) and "%swarm steer wine --approve H1" in each.text for each in parts)
    cards = {name: panes.finding(case, p.state, 1.0) for name, case in p.state.cases.items()}
    assert "supported, unaudited" in cards["H1"]
    assert "+model = my_own" in cards["H1"]
    assert "unaudited" not in cards["H3"]
    assert "free code" not in cards["H3"]


def test_a_whole_swarm_of_declared_edits_is_audited() -> None:
    state = logs.fold(logs.wine())
    assert [audited(state, case) for case in state.findings()] == [True] * 8
