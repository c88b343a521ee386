"""What models took in a whole workspace: of every swarm, however long the ledger."""

from __future__ import annotations

from pathlib import Path

from jupyter_swarm import events as e
from jupyter_swarm.jupyter.pages import Answer
from jupyter_swarm.jupyter.verbs import VERBS, Asked, read
from jupyter_swarm.workspace import Workspace

MANY = 100_000
"""Records that a store gives at a time."""


def spend(workspace: Workspace) -> Answer:
    return VERBS["spend"].carry_out(Asked(read(VERBS["spend"], [], "terminal"), workspace, "terminal"))


def call(number: int, model: str = "openai:x") -> list[e.AnyEvent]:
    """A call and its settlement: 30 tokens, half a dollar."""
    return [
        e.ModelAsked(
            call=f"c{number}", agent="a-1", role="tuning", model=model, prompt="ideas 1", tokens_in=50, tokens_out=50
        ),
        e.ModelAnswered(call=f"c{number}", tokens_in=20, tokens_out=10, dollars=0.5),
    ]


def test_what_was_spent_late_in_a_long_ledger_is_there(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    store = workspace.store
    store.append("first", call(1))
    store.append("quiet", [e.Noted(text="x")] * MANY)
    store.append("first", call(2))
    store.append("last", call(3, "openai:y")[:1])
    store.append("last", call(4, "openai:y"))
    found = spend(workspace)
    assert found.data is not None
    assert [(each["name"], each["calls"], each["tokens_in"], each["dollars"]) for each in found.data["swarms"]] == [
        ("first", 2, 40, 1.0),
        ("last", 1, 20, 0.5),
    ]
    assert "quiet" not in found.parts[0].plain()


def test_more_calls_than_a_store_gives_at_a_time_are_all_counted(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    calls = MANY // 2 + 3
    workspace.store.append("wine", [each for number in range(calls) for each in call(number)])
    found = spend(workspace)
    assert found.data is not None
    assert [(each["calls"], each["dollars"]) for each in found.data["swarms"]] == [(calls, calls / 2)]


def test_where_nobody_has_asked_a_model_that_is_said(tmp_path: Path) -> None:
    assert spend(Workspace(tmp_path)).data == {"swarms": []}
    workspace = Workspace(tmp_path)
    workspace.store.append("wine", [e.Noted(text="x")])
    assert "No language model has been asked" in spend(workspace).parts[0].plain()
