"""Which models a swarm may ask: what is refused before it begins, what is said of its limits."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from jupyter_swarm.api import Swarm
from jupyter_swarm.engine import roster
from jupyter_swarm.errors import UsageError
from jupyter_swarm.jupyter import swarming
from jupyter_swarm.jupyter.options import split
from jupyter_swarm.jupyter.verbs import CELL, read
from jupyter_swarm.minds import prices, providers, team
from jupyter_swarm.settings import budget_text, parse_budget
from jupyter_swarm.workspace import Workspace

CODE = "accuracy = measure(C=1.0)\n"
LOCAL = "http://127.0.0.1:8000/v1"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key and no prices of the person who runs the tests."""
    for each in providers.PROVIDERS.values():
        if each.variable:
            monkeypatch.delenv(each.variable, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"models": "gpt-5"}, "names no model"),
        ({"models": "openai:gpt-5"}, "OPENAI_API_KEY"),
        ({"models": "groq:x"}, "pip install langchain-groq"),
        ({"models": "local:x", "base_url": "http://192.0.2.7/v1"}, "on this machine only"),
        ({"base_url": LOCAL}, "of no use without a model"),
    ],
)
def test_a_model_that_cannot_be_asked_is_refused_before_anything_begins(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said) as error:
        team.check(options, parse_budget("2m"))
    assert "Try: " in str(error.value)


def test_dollars_need_a_price_and_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="none is given"):
        team.check({}, parse_budget("2m,$1"))
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with pytest.raises(UsageError, match="nobody knows what openai:new costs"):
        team.check({"models": "openai:new"}, parse_budget("2m,$1"))
    (tmp_path / "config" / "jupyter-swarm").mkdir(parents=True)
    (tmp_path / "config" / "jupyter-swarm" / "prices.toml").write_text('[prices]\n"openai:new" = [1, 2]\n')
    team.check({"models": "openai:new"}, parse_budget("2m,$1"))
    assert prices.price("openai:new") == prices.Price(1e-6, 2e-6)
    (tmp_path / "config" / "jupyter-swarm" / "prices.toml").write_text("[prices]\nopenai:new = 1\n")
    with pytest.raises(UsageError, match=r"prices\.toml"):
        prices.price("openai:new")


def test_a_limit_stands_where_nothing_is_said() -> None:
    assert team.limits({"models": "openai:x"}, parse_budget("2m")) == (team.DEFAULT_TOKENS, None)
    assert team.limits({"models": "openai:x"}, parse_budget("2m,$3")) == (None, 3.0)
    assert team.limits({"models": "openai:x", "base_url": LOCAL}, parse_budget("2m")) == (None, None)
    assert team.limits({"models": "ollama:x openai:y"}, parse_budget("2m,5kt")) == (5000, None)


@pytest.mark.parametrize("text", ["2m,$2.5", "500x,200kt", "90s,100x,$0.01,1Mt"])
def test_a_budget_of_money_is_written_as_it_is_read(text: str) -> None:
    budget = parse_budget(text)
    assert parse_budget(budget_text(budget)) == budget
    assert budget.dollars is not None or budget.tokens is not None


@pytest.mark.parametrize("text", ["$1,$2", "2m,$", "2m,-5kt", "2m,5q", "$1", "2m,1kt,2kt"])
def test_a_budget_that_makes_no_sense_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="budget"):
        Swarm.start(CODE, maximize="accuracy", budget=text, namespace={}, workspace=Workspace(tmp_path))


def test_the_plan_says_who_is_asked_and_what_they_may_take(tmp_path: Path) -> None:
    def measure(C: float = 1.0) -> float:
        return C

    line = f"w --maximize accuracy --budget 60x,50kt --model openai:a --model openai:b --base-url {LOCAL} --plan"
    options = read(CELL, split(line, {}), "notebook")
    space = {"measure": measure}
    found = swarming.begin(CODE, options, space, workspace=Workspace(tmp_path), folder=tmp_path, earlier={})
    text = "\n".join(part.plain() for part in found.parts)
    assert "Language models: openai:a, openai:b. Language models may take 50,000 tokens." in text


def test_models_are_hired_in_turn_as_a_minority() -> None:
    for count in (1, 4, 16, 200):
        hired = roster.hire(count, 0, models=("openai:a", "openai:b"))
        minds = {each.mind for each in hired}
        assert minds == {"classical", "openai:a", "openai:b"}
        assert len({each.agent for each in hired}) == len(hired)
        for role in ("literature", "tuning", "validation"):
            assert any(each.role == role and each.mind == "classical" for each in hired)
        assert {each.mind for each in hired if each.role == "implementation"} <= {"openai:a", "openai:b"}
    many = roster.hire(200, 0, models=("openai:a",))
    assert sum(each.mind != "classical" for each in many) < len(many) / 2
    assert [each.mind for each in roster.hire(16, 0)] == ["classical"] * 16
