"""What a model may have done while it thinks: over the wire, in a real engine, and no more than its role needs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from test_language import EDITED, FANCY, kind_of, play
from worlds import Ground, World, request

from jupyter_swarm.library import LocalLibrary
from jupyter_swarm.minds.research import MOST_RUNS, TOOLS_OF, source_of
from jupyter_swarm.minds.tools import ToolError
from jupyter_swarm.protocols import Brief
from jupyter_swarm.state import SwarmState
from jupyter_swarm.testing import ModelServer, Reply, Request
from jupyter_swarm.words import Analysis, Variation
from jupyter_swarm.workspace import Workspace

pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
pytestmark = pytest.mark.timeout(120)

DIFF = EDITED + ' = measure(alpha=1.0, depth=3, rate=0.1, width=16, flag=False, mode="plain", seed=seed)\n'


@pytest.fixture
def library(tmp_path: Path) -> LocalLibrary:
    (tmp_path / "notes.md").write_text("# Which setting helps\n\nA fancy mode helps most.\n", encoding="utf-8")
    made = LocalLibrary(Workspace(tmp_path), vectors=False)
    made.add([tmp_path / "notes.md"])
    return made


def told(
    kind: str,
    calls: Callable[[Request, list[str]], list[tuple[str, dict[str, Any]]]],
    answer: dict[str, Any],
    **more: Any,
) -> tuple[SwarmState, list[str]]:
    """Let agents of one kind call tools before they answer; what the tools gave, in order."""
    given: list[str] = []

    def reply(asked: Request) -> Reply:
        if kind_of(asked) != kind:
            return Reply(calls=[("answer", {"ideas": [], "ranges": [], "claims": [], "sentences": []})])
        results = [str(each.get("content")) for each in asked.messages if each["role"] == "tool"]
        wanted = calls(asked, results)
        if wanted:
            return Reply(calls=wanted)
        given.extend(each for each in results if each not in given)
        return Reply(calls=[("answer", answer)])

    ground = Ground([request(60)])
    with ModelServer(reply) as server:
        state = play(ground, server.url, World(), **more)
        for asked in server.requests:
            role = {"ideas": "brainstorming", "code": "implementation", "spaces": "tuning", "claims": "validation"}
            if kind_of(asked) in role:
                assert set(asked.tools) == {"answer", *TOOLS_OF[role[kind_of(asked)]]}
    return state, given


def test_the_library_is_searched_and_read(library: LocalLibrary) -> None:
    passage = library.search("fancy")[0].passage.id

    def calls(asked: Request, results: list[str]) -> list[tuple[str, dict[str, Any]]]:
        steps = [
            ("search_library", {"query": "fancy mode"}),
            ("read_passage", {"passage": passage}),
            ("read_passage", {"passage": "nothing-0-1"}),
            ("look_at_findings", {}),
        ]
        return steps[len(results) : len(results) + 1]

    _, given = told("ideas", calls, {"ideas": [{"statement": "fancy", "edits": [FANCY]}]}, library=library)
    searched, read, missing, findings = given[:4]
    assert passage in searched
    assert "A fancy mode helps most." in searched
    assert "notes" in read or "Which setting helps" in read
    assert "there is no passage" in missing
    assert 'kind="findings"' in findings


def test_an_experiment_is_run_against_the_budget_and_not_for_ever() -> None:
    def calls(asked: Request, results: list[str]) -> list[tuple[str, dict[str, Any]]]:
        return [("run_experiment", {"diff": DIFF})] if len(results) <= MOST_RUNS else []

    state, given = told("code", calls, {"statement": "Two steps", "diff": DIFF})
    assert any("the metric was" in each and "proves nothing yet" in each for each in given)
    assert any("no further experiment" in each for each in given)
    tried = [row.experiment for row in state.rows.values() if row.experiment.title == "A trial run of an agent"]
    assert tried
    assert all(each.free and each.purpose == "screening" for each in tried)
    assert state.experiments <= 60


def test_a_trial_that_touches_the_lock_is_refused() -> None:
    locked = EDITED.replace("+steps = 2", "+score = 1.0\n+print(score)") + "\n"

    def calls(asked: Request, results: list[str]) -> list[tuple[str, dict[str, Any]]]:
        return [] if results else [("run_experiment", {"diff": locked})]

    state, given = told("code", calls, {"statement": "Two steps", "diff": DIFF})
    assert given
    assert "the metric was" not in given[0]
    assert not any("score = 1.0" in row.experiment.code for row in state.rows.values())


@pytest.mark.parametrize(
    "module",
    [
        "os",
        "jupyter_swarm.minds.keys",
        "json.../os",
        "json/../os",
        "..",
        "",
        "json.decoder\n",
        "own",
        "builtins",
        "json.nothing",
    ],
)
def test_source_is_that_of_the_cells_packages_alone(module: str) -> None:
    cell = Analysis(code="", imported={"loads": "json:loads", "mine": "own:mine"}, own=("own",))
    with pytest.raises(ToolError):
        source_of(module, Brief(question="", analysis=cell, base=Variation(code="")))


def test_source_is_read() -> None:
    cell = Analysis(code="", imported={"loads": "json:loads"})
    brief = Brief(question="", analysis=cell, base=Variation(code=""))
    assert source_of("json.decoder", brief).name == "decoder.py"
    assert source_of("json", brief).name == "__init__.py"
