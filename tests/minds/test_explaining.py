"""A language model behind the tests of training: it explains their signs, and what bears no sign is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_swarm.jupyter.verbs import VERBS, Asked, read
from jupyter_swarm.testing import ModelServer, Reply, Request
from jupyter_swarm.workspace import Workspace

pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")

CAUSES = [
    {"what": "The rate is too high.", "signs": ["divergence"], "try": "a tenth of it"},
    {"what": "97 % of it is noise.", "signs": ["divergence"]},
    {"what": "The moon.", "signs": ["moon"]},
]


def test_causes_rest_on_signs_and_their_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log = "\n".join(f"epoch {each} loss={0.5 * 1.5**each:.4f}" for each in range(30))
    (tmp_path / "train.log").write_text(log, encoding="utf-8")
    seen: list[Request] = []

    def answer(asked: Request) -> Reply:
        seen.append(asked)
        return Reply(calls=[("answer", {"causes": CAUSES})])

    with ModelServer(answer) as server:
        words = ["train.log", "--model", "openai:scripted", "--base-url", server.url]
        asked = Asked(read(VERBS["diagnose"], words, "terminal"), Workspace(tmp_path), "terminal")
        found = VERBS["diagnose"].carry_out(asked)
    text = "\n".join(part.plain() for part in found.parts)
    assert "a guess, not a finding" in text
    assert "The rate is too high. It would explain: divergence. Try: a tenth of it" in text
    assert "2 causes left out" in text
    assert "moon" not in text
    assert found.data is not None
    assert [each["what"] for each in found.data["causes"]] == ["The rate is too high."]
    assert "loss rises from the start" in seen[0].text
    spent = VERBS["spend"].carry_out(Asked(read(VERBS["spend"], [], "terminal"), Workspace(tmp_path), "terminal"))
    assert "questions of yours" in spent.parts[0].plain()


def test_without_a_sign_nobody_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    log = "\n".join(f"epoch {each} loss={0.5 * 0.9**each:.4f}" for each in range(60))
    (tmp_path / "train.log").write_text(log, encoding="utf-8")
    with ModelServer(["never"]) as server:
        words = ["train.log", "--model", "openai:scripted", "--base-url", server.url]
        VERBS["diagnose"].carry_out(Asked(read(VERBS["diagnose"], words, "terminal"), Workspace(tmp_path), "terminal"))
        assert not server.requests
