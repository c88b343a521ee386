"""Language models: which are ready, where keys come from, one call over real HTTP, and nothing elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_swarm.errors import UsageError
from jupyter_swarm.jupyter import models
from jupyter_swarm.jupyter.verbs import VERBS, Asked, read
from jupyter_swarm.minds import chat, keys, providers
from jupyter_swarm.testing import Fault, ModelServer, Reply, Request
from jupyter_swarm.workspace import Workspace

ANSWER = "Yes."
openai = pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key of the person who runs the tests."""
    for each in providers.PROVIDERS.values():
        if each.variable:
            monkeypatch.delenv(each.variable, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def answer(request: Request) -> Reply | Fault:
    """As the model's name says."""
    faults = {"busy": Fault(429, retry_after=0.1), "broken": Fault(500), "slow": Fault(seconds=3.0)}
    silent = request.model == "silent"
    return faults.get(request.model) or Reply(ANSWER, usage=None if silent else (9, 2))


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(answer) as made:
        yield made


def ask(text: str, model: str, url: str, **more: float) -> chat.Answer:
    with chat.connect(model, url, **more) as connection:
        return connection.ask(text)


def write_keys(text: str, mode: int = 0o600) -> Path:
    path = keys.file()
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


# ---------------------------------------------------------------- keys


def test_keys_come_from_the_environment_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert keys.find("OPENAI_API_KEY") is None
    path = write_keys('OPENAI_API_KEY = "from-file"\n')
    found = keys.find("OPENAI_API_KEY")
    assert found == keys.Key("from-file", str(path))
    assert "from-file" not in repr(found), "a key is never shown"
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    assert keys.find("OPENAI_API_KEY") == keys.Key("from-environment", "environment")


def test_a_file_that_others_can_read_is_refused() -> None:
    path = write_keys('OPENAI_API_KEY = "k"\n', mode=0o644)
    with pytest.raises(UsageError, match=f"chmod 600 {path}"):
        keys.find("OPENAI_API_KEY")


def test_a_file_that_is_none_says_where_and_shows_nothing_of_it() -> None:
    write_keys("OPENAI_API_KEY = secret-without-quotes\n")
    with pytest.raises(UsageError, match="cannot be read") as caught:
        keys.find("OPENAI_API_KEY")
    assert "secret-without-quotes" not in str(caught.value)


# ---------------------------------------------------------------- what is ready


def test_what_is_missing_is_said() -> None:
    anthropic = providers.PROVIDERS["anthropic"]
    assert providers.ready(anthropic, installed=lambda _: None).wants == "pip install langchain-anthropic"
    assert "ANTHROPIC_API_KEY" in providers.ready(anthropic, installed=lambda _: True).wants
    assert providers.ready(providers.PROVIDERS["ollama"], installed=lambda _: True).wants == ""


@pytest.mark.parametrize("model", ["", "gpt", "openai:", "nobody:x", ":x"])
def test_a_name_that_is_none(model: str) -> None:
    with pytest.raises(UsageError, match="names no model"):
        providers.named(model)


def test_a_local_model_is_asked_here_or_not_at_all() -> None:
    for model in ("local:x", "ollama:x"):
        with pytest.raises(UsageError, match="lies elsewhere"):
            chat.connect(model, "http://192.0.2.7/v1")
    with pytest.raises(UsageError, match="is no address"):
        chat.connect("openai:x", "somewhere")


# ---------------------------------------------------------------- one call


def test_a_call_over_http(server: ModelServer) -> None:
    answer = ask("Are you there?", "local:plain", server.url)
    assert (answer.text, answer.tokens_in, answer.tokens_out) == (ANSWER, 9, 2)
    (request,) = server.requests
    assert request.text == "Are you there?"


def test_a_server_that_says_nothing_of_tokens_has_unknown_ones(server: ModelServer) -> None:
    answer = ask("Hello", "local:silent", server.url)
    assert (answer.tokens_in, answer.tokens_out) == (None, None)


@pytest.mark.parametrize(("model", "said"), [("busy", "429"), ("broken", "500")])
def test_what_went_wrong_is_said_in_one_line(server: ModelServer, model: str, said: str) -> None:
    with pytest.raises(chat.ModelError, match=said) as caught:
        ask("Hello", f"local:{model}", server.url)
    assert "\n" not in str(caught.value)
    assert len(server.requests) == 1, "it is not asked again behind one's back"


def test_a_slow_one_is_not_waited_for(server: ModelServer) -> None:
    with pytest.raises(chat.ModelError, match=r"[Tt]imed? ?out"):
        ask("Hello", "local:slow", server.url, timeout_seconds=0.5)


def test_the_key_is_sent_and_never_said(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    ask("Hello", "openai:plain", server.url)
    assert server.requests[0].headers["authorization"] == "Bearer sk-very-secret"
    with pytest.raises(chat.ModelError) as caught:
        ask("Hello", "openai:broken", server.url)
    assert "sk-very-secret" not in str(caught.value)


WATCHED = """
import os, socket, sys

reached = []
def heard(event, arguments):
    if event == "socket.connect":
        reached.append(arguments[1])
    if event == "socket.getaddrinfo":
        reached.append(arguments[0])
sys.addaudithook(heard)
from jupyter_swarm.minds import chat
print(chat.connect("local:plain", sys.argv[1]).ask("Hello").text)
import time; time.sleep(0.5)
print(sorted({each[0] if isinstance(each, tuple) else each for each in reached}))
"""


def test_a_local_model_reaches_no_socket_but_its_own(server: ModelServer) -> None:
    """Though proxies and a tracing service are named in the environment."""
    around = {
        "HTTP_PROXY": "http://192.0.2.9:3128", "HTTPS_PROXY": "http://192.0.2.9:3128", "ALL_PROXY": "http://192.0.2.9:1",
        "LANGSMITH_TRACING": "true", "LANGCHAIN_TRACING_V2": "true", "LANGSMITH_API_KEY": "lsv2_key",
        "LANGSMITH_ENDPOINT": "http://192.0.2.8/",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WATCHED, server.url],
        env={**os.environ, **around}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer, reached = done.stdout.splitlines()
    assert answer == ANSWER
    assert reached == "['127.0.0.1']"


# ---------------------------------------------------------------- the verb


def asked(*words: str) -> Asked:
    return Asked(read(VERBS["models"], words, "terminal"), Workspace("."), "terminal")


def test_the_list_says_who_is_ready_and_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    answer = models.models(asked())
    found = {each["provider"]: each for each in answer.data["providers"]}
    assert found["openai"] == {"provider": "openai", "ready": True, "key": "environment", "wants": ""}
    assert found["local"]["ready"]
    assert "sk-very-secret" not in str(answer)
    assert "langchain" not in {name.partition(".")[0] for name in _imported_by("models")}


def test_trying_one(server: ModelServer) -> None:
    answer = models.models(asked("local:plain", "--base-url", server.url))
    assert answer.data["answer"] == ANSWER
    assert answer.data["tokens"] == [9, 2]


def _imported_by(verb: str) -> set[str]:
    code = f"import sys; from jupyter_swarm.jupyter.cli import main; main(['{verb}']); print(*sys.modules, sep=chr(10))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    return set(done.stdout.splitlines())
