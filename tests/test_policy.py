"""An administrator's policy: every limit holds wherever something is asked for; what cannot be read is not ignored."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import logs
from worlds import measure, request

from jupyter_swarm import Swarm, Workspace, engine, policy
from jupyter_swarm import events as e
from jupyter_swarm.engine import runner
from jupyter_swarm.errors import PolicyError, UsageError
from jupyter_swarm.minds.chat import connect
from jupyter_swarm.policy import VARIABLE, House
from jupyter_swarm.words import Budget

AGENTS = 6
"""In the beginning of `logs.wine`."""
CELL = "score = measure(alpha=1.0, depth=3, flag=False, seed=seed)\n"


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the policy of this process and of what it starts."""

    def set_(**limits: Any) -> None:
        monkeypatch.setenv(VARIABLE, json.dumps(limits))

    monkeypatch.delenv(VARIABLE, raising=False)
    return set_


@pytest.fixture
def unstarted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Swarms are asked for, and no runner comes."""
    monkeypatch.setattr(engine, "start", lambda *_: None)


def start(folder: Path, **more: Any) -> Swarm:
    settings = {"budget": "60s", "agents": 8, **more}
    space = {"measure": measure, "seed": 0}
    return Swarm.start(CELL, name="drawn", maximize="score", namespace=space, workspace=folder, **settings)


def played(folder: Path) -> Swarm:
    """A swarm that has begun; it has no runner."""
    workspace = Workspace(folder).create()
    workspace.swarm("wine")
    logs.play(workspace.store, logs.wine()[:60], "wine")
    return Swarm("wine", workspace)


# ---------------------------------------------------------------- reading it


def test_without_one_all_is_allowed() -> None:
    for text in ("", "  ", "{}"):
        found = policy.from_environment({VARIABLE: text})
        assert found == House() == policy.NO_LIMITS
    found.check_open("anything")
    found.check_models(["openai:gpt-5"])
    found.check_agents(10_000)
    found.check_options({"network": True, "unsafe": True, "gpus": 8, "workers": 4096})
    found.check_budget(Budget(seconds=1e7, experiments=10**7, dollars=1e6, tokens=10**9))
    assert found.filled(Budget(seconds=1.0), models=True) == Budget(seconds=1.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "truncated"),
        ("agents=8", "malformed"),
        ("[]", "Expected `object`, got `array`"),
        ("null", "Expected `object`, got `null`"),
        ('{"agent": 8}', "unknown field `agent`"),
        ('{"agents": "8"}', "Expected `int | null`, got `str` - at `$.agents`"),
        ('{"agents": 0}', ">= 1"),
        ('{"seconds": -5}', "> 0"),
        ('{"seconds": NaN}', "malformed"),
        ('{"dollars": -0.5}', ">= 0"),
        ('{"keepalive_hours": -1}', ">= 0"),
        ('{"models": "local:*"}', "Expected `array`"),
        ('{"network": 0}', "Expected `bool`"),
        ('{"read_only": "no"}', "Expected `bool`"),
    ],
)
def test_what_cannot_be_read_refuses_to_start(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    for ask in (policy.from_environment, lambda: start(tmp_path / "new")):
        with pytest.raises(UsageError) as error:
            ask()
        assert not isinstance(error.value, PolicyError)
        assert said in str(error.value)
        assert VARIABLE in str(error.value)
        assert "Try: a JSON object" in str(error.value)
    assert not (tmp_path / "new").exists()
    swarm = played(tmp_path)
    for ask in (swarm.pause, swarm.resume, swarm.stop, lambda: swarm.steer("close", "D1"), swarm.ensure_runner):
        with pytest.raises(UsageError, match="cannot be read"):
            ask()


def test_what_a_server_hands_on_is_what_it_has() -> None:
    made = policy.of(models=["local:*", "openai:gpt-5-*"], agents=8, seconds=3600, gpus=False, keepalive_hours=12)
    assert policy.from_environment({VARIABLE: made.text()}) == made
    with pytest.raises(UsageError, match="unknown field"):
        policy.of(agent=8)


# ---------------------------------------------------------------- starting a swarm


@pytest.mark.parametrize(
    ("limits", "asked", "said"),
    [
        ({"models": ["local:*"]}, {"models": "openai:gpt-5"}, "the model openai:gpt-5 is not allowed"),
        ({"models": ["none"]}, {"models": "local:qwen3"}, "the model local:qwen3 is not allowed"),
        ({"models": ["local:*"]}, {"models": "local:a openai:b"}, "the model openai:b is not allowed"),
        ({"agents": 7}, {}, "8 agents are more than the 7 that are allowed"),
        ({"seconds": 59}, {}, "a budget of 60 seconds is more than the 59 that are allowed"),
        ({"experiments": 500}, {"budget": "501x"}, "501 experiments is more than the 500"),
        ({"dollars": 2}, {"budget": "60s,$3", "models": "local:a"}, "3 dollars is more than the 2"),
        ({"tokens": 1000}, {"budget": "60s,2kt", "models": "local:a"}, "2,000 tokens is more than the 1,000"),
        ({"workers": 2}, {"workers": 3}, "3 experiments at once are more than the 2"),
        ({"network": False}, {"network": True}, "--network is not allowed"),
        ({"unsafe": False}, {"unsafe": True}, "--unsafe is not allowed"),
        ({"gpus": False}, {"gpus": 1}, "--gpus is not allowed"),
        ({"read_only": True}, {}, "to start a swarm is not allowed: swarms may only be looked at here"),
    ],
)
def test_a_swarm_beyond_a_limit_is_not_started(
    limits: dict[str, Any], asked: dict[str, Any], said: str, house: Callable[..., None], tmp_path: Path
) -> None:
    house(**limits)
    with pytest.raises(PolicyError) as error:
        start(tmp_path / "new", **asked)
    assert said in str(error.value)
    assert "an administrator has set it (JUPYTER_SWARM_POLICY). Try: " in str(error.value)
    assert not (tmp_path / "new").exists(), "nothing is written"


@pytest.mark.usefixtures("unstarted")
def test_what_a_person_leaves_open_has_the_limits(house: Callable[..., None], tmp_path: Path) -> None:
    house(seconds=3600, experiments=500, dollars=2, tokens=1000, agents=8, workers=2, network=False, unsafe=False)
    swarm = start(tmp_path)
    assert swarm.state.budget == Budget(seconds=60.0, experiments=500), "no model, so neither dollars nor tokens"
    assert start(tmp_path).attached, "the same cell is the same swarm"
    house(experiments=400)
    assert start(tmp_path).attached, "whatever the policy has become"


def test_no_more_workers_than_allowed_run(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path).create()
    for allowed, options, workers in (
        (1, {}, 1),
        (2, {"workers": 3}, 2),
        (2, {"workers": 1}, 1),
        (None, {"workers": 3}, 3),
    ):
        made = runner._laboratory(workspace, "drawn", request(5, **options), House(workers=allowed))
        assert made.workers == workers


# ---------------------------------------------------------------- asking a swarm


@pytest.mark.parametrize(
    ("limits", "verb", "target", "value", "said"),
    [
        ({"seconds": 600}, "budget", "", "11m", "a budget of 660 seconds is more than the 600"),
        ({"experiments": 600}, "budget", "601x", None, "601 experiments is more than the 600"),
        ({"models": ["local:*"]}, "hire", "tuner", "openai:gpt-5", "the model openai:gpt-5 is not allowed"),
        ({"agents": AGENTS}, "hire", "tuner", None, f"{AGENTS + 1} agents are more than the {AGENTS} that are allowed"),
        ({"agents": 30}, "resize", "tuner", 40, "agents are more than the 30 that are allowed"),
    ],
)
def test_no_request_beyond_a_limit_is_written(
    limits: dict[str, Any], verb: Any, target: str, value: Any, said: str, house: Callable[..., None], tmp_path: Path
) -> None:
    swarm = played(tmp_path)
    assert len(swarm.state.agents) == AGENTS
    before = swarm.state.last
    house(**limits)
    with pytest.raises(PolicyError) as error:
        swarm.steer(verb, target, value)
    assert said in str(error.value)
    assert swarm.state.last == before
    house()
    assert swarm.steer(verb, target, value).done is None, "without a policy it is asked, and nobody answers"
    assert swarm.state.last > before


def test_a_read_only_house_takes_no_request(house: Callable[..., None], tmp_path: Path) -> None:
    swarm = played(tmp_path)
    before = swarm.state.last
    house(read_only=True)
    for ask, what in (
        (swarm.pause, "pause wine"),
        (swarm.resume, "resume wine"),
        (swarm.stop, "stop wine"),
        (swarm.clean, "clean wine"),
        (swarm.ensure_runner, "let wine work"),
        (lambda: swarm.steer("priority", "D1", 3.0), "steer wine"),
        (lambda: swarm.steer("budget", "", "1m"), "steer wine"),
    ):
        with pytest.raises(PolicyError) as error:
            ask()
        assert f"to {what} is not allowed: swarms may only be looked at here" in str(error.value)
    assert swarm.state.last == before
    assert swarm.result()["name"] == "wine", "looking is free"
    assert not swarm.alive


def test_no_model_is_asked_that_is_not_allowed(house: Callable[..., None]) -> None:
    """Whoever asks: a question to the library, a diagnosis, the verb that tries one call."""
    house(models=["local:*"])
    with pytest.raises(PolicyError, match="the model openai:gpt-5 is not allowed"):
        connect("openai:gpt-5")
    connect("local:qwen3").close()


# ---------------------------------------------------------------- the runner, a real process


def run(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jupyter_swarm.engine.runner", str(folder), "drawn"]
    environment = {**os.environ, VARIABLE: text}
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limits", "options", "said"),
    [
        ({"network": False}, {"network": True}, "--network is not allowed"),
        ({"unsafe": False}, {"unsafe": True}, "--unsafe is not allowed"),
        ({"gpus": False}, {"gpus": 1}, "--gpus is not allowed"),
        ({"models": ["local:*"]}, {"models": "openai:b"}, "the model openai:b is not allowed"),
    ],
)
def test_a_runner_does_what_its_own_policy_allows(
    limits: dict[str, Any], options: dict[str, Any], said: str, tmp_path: Path
) -> None:
    """The request was written where another policy holds. The swarm is not over: it may go on where it is allowed."""
    workspace = Workspace(tmp_path).create()
    workspace.swarm("drawn")
    workspace.store.append("drawn", [request(5, **options)])
    done = run(tmp_path, json.dumps(limits))
    assert done.returncode == 1
    assert said in done.stderr
    state = Swarm("drawn", workspace).state
    assert not state.over
    assert (state.log[-1][1], said in state.log[-1][2]) == ("error", True)
    last = workspace.store.read(0, swarm="drawn")[-1].event
    assert isinstance(last, e.RunnerEnded)
    assert "an administrator has set it" in last.why
    assert workspace.store.holder("drawn") is None


@pytest.mark.slow
def test_a_runner_whose_policy_cannot_be_read_does_not_start(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path).create()
    workspace.swarm("drawn")
    workspace.store.append("drawn", [request(5)])
    done = run(tmp_path, "{agents}")
    assert done.returncode == 1
    assert "the administrator's policy cannot be read" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(workspace.store.read(0, swarm="drawn")) == 1
