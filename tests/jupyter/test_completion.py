"""Tab, as a function of the line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import logs

from jupyter_swarm import Swarm
from jupyter_swarm.jupyter import verbs
from jupyter_swarm.jupyter.completion import complete
from jupyter_swarm.workspace import Workspace


def test_every_verb_and_option_is_offered() -> None:
    known = sorted(verb.name for verb in verbs.VERBS.values() if verb.face != "terminal")
    assert complete("%swarm ") == ("", known)
    assert complete("%swarm help ") == ("", known)
    offered = complete("%%swarm wine --")[1]
    assert set(offered) == {each.name for each in verbs.CELL.arguments if each.option} | {"--help"}
    assert "--seed" not in complete("%%swarm wine --seed 3 --")[1], "what is given is not offered again"
    assert "--vary" in complete("%%swarm wine --vary a --")[1], "but for what may be repeated"
    assert complete("%swarm run")[1] == ["runner"], "run is for a terminal"
    assert complete("%swarm run ")[1] == []
    assert complete("%swarm list ") == ("", [])


def test_swarms_and_directions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert complete("%swarm status ")[1] == []
    workspace = Workspace(tmp_path)
    for name in ("wine", "water"):
        workspace.create().swarm(name)
        logs.play(workspace.store, logs.wine()[:60], name)
    assert complete("%swarm status wi") == ("wi", ["wine"])
    assert complete("%swarm open w") == ("w", ["water", "wine"])
    assert complete("%swarm open wine ")[1] == []
    titles = complete("%swarm steer wine ")[1]
    assert titles
    assert all(title[0] == title[-1] == '"' for title in titles)
    word = titles[0].strip('"').split()[-1]
    assert titles[0] in complete(f'%swarm steer wine "{word}')[1]
    assert all(each.startswith("--") for each in complete("%swarm steer nothing ")[1])
    assert complete("%swarm steer wine scaling --pri") == ("--pri", ["--priority"])
    agents = complete("%swarm steer wine --dismiss ")[1]
    assert agents == [each.id for each in Swarm("wine", workspace).state.agents.values()]
    assert complete(f"%swarm steer wine --dismiss {agents[0]}")[1][0] == agents[0]
    assert complete("%swarm steer --dismiss ")[1] == [], "of which swarm?"
    assert complete("%swarm steer wine --hire t") == ("t", ["tuner"])
    assert complete("%swarm steer wine --hire tuner:") == ("tuner:", ["tuner:classical"])
    assert complete("%swarm steer wine --resize=c")[1] == ["checker=", "coder="]


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.md", "b c.md", ".hidden.md", "folder/d.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert complete("%swarm papers add ") == ("", ["a.md", '"b c.md"', "folder/", "module:"])
    assert complete("%swarm papers add a.md folder/") == ("folder/", ["folder/d.md"])
    assert complete("%swarm papers add .h") == (".h", [".hidden.md"])
    assert complete("%swarm papers add mod") == ("mod", ["module:"])
    assert complete("%swarm papers add nowhere/")[1] == []


def test_metrics_are_the_names_that_the_cell_assigns() -> None:
    assert complete("%%swarm --maximize s", "score = 1\nspeed, x = 2, 3") == ("s", ["score", "speed"])
    assert complete("%%swarm --maximize=s", "score = 1") == ("s", ["score"])
    assert complete("%%swarm --maximize ", "score = (") == ("", [])
