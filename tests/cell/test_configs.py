"""Configurations: each setting may vary, but for those that say how it is measured."""

from __future__ import annotations

import argparse
import dataclasses
import types
from pathlib import Path
from typing import Any

import pytest

from jupyter_swarm import cell
from jupyter_swarm.errors import LockError
from jupyter_swarm.words import Analysis, Edit

CELLS = {
    "dictionary": "cfg = {'lr': 0.1, 'layers': 3, 'test_size': 0.2, 'seed': 1, 'opt': {'momentum': 0.9}, 'dims': [1]}",
    "call of dict": "cfg = dict(lr=0.1, layers=3, test_size=0.2, seed=1, opt=dict(momentum=0.9), dims=[1, 2])",
    "namespace": "from types import SimpleNamespace\n"
    "cfg = SimpleNamespace(lr=0.1, layers=3, test_size=0.2, seed=1, opt={'momentum': 0.9}, dims=[1, 2])",
    "dataclass": "from dataclasses import dataclass\n@dataclass\nclass Config:\n    lr: float\n    layers: int\n"
    "    test_size: float\n    seed: int = 0\ncfg = Config(lr=0.1, layers=3, test_size=0.2, seed=1)",
}


@dataclasses.dataclass
class Options:
    lr: float = 0.1
    layers: int = 3
    test_size: float = 0.2


def train(cfg: Any) -> float:
    return 1.0


def read(code: str, **namespace: Any) -> Analysis:
    return cell.read(code, metric="score", namespace={"train": train, "Options": Options, **namespace})


def knobs(analysis: Analysis) -> set[str]:
    return {knob.name.rpartition(".")[2] for knob in analysis.knobs}


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("use", ["score = train(cfg)", "model = train(cfg)\nscore = evaluate(model, data)"])
def test_settings_are_free_and_measures_are_locked(name: str, use: str) -> None:
    code = f"{CELLS[name]}\n{use}\n"
    analysis = read(code, evaluate=lambda model, data: 1.0, data=[1])
    assert {"lr", "layers"} <= knobs(analysis)
    assert "seed" not in knobs(analysis)
    assert ("test_size" in knobs(analysis)) == ("evaluate" in use), "whoever measures by themselves splits by it"
    knob = next(each for each in analysis.knobs if each.name.endswith("lr"))
    made = cell.apply(analysis, [Edit(kind="set", target=knob.name, value=0.5)])
    cell.check_lock(made.code, analysis)
    assert made.code == code.replace("0.1", "0.5")
    with pytest.raises(LockError):
        cell.check_lock(code.replace("seed=1", "seed=2").replace("'seed': 1", "'seed': 2"), analysis)
    if "evaluate" not in use:
        with pytest.raises(LockError):
            cell.check_lock(code.replace("0.2", "0.4"), analysis)


def test_settings_that_are_read_one_by_one() -> None:
    code = (
        "cfg = {'lr': 0.1, 'rows': 100, 'depth': 4}\nX = load(cfg['rows'])\n"
        "model = train(X, cfg['lr'], depth=cfg['depth'])\nscore = evaluate(model, X)"
    )
    analysis = read(code, load=lambda rows: rows, evaluate=lambda model, X: 1.0)
    assert knobs(analysis) == {"lr", "depth"}
    with pytest.raises(LockError):
        cell.check_lock(code.replace("100", "10"), analysis)
    with pytest.raises(LockError):
        cell.check_lock(code.replace("'depth': 4}", "'depth': 4, 'more': 1}"), analysis)


def test_what_is_handed_to_the_measure_is_locked() -> None:
    code = "cfg = {'lr': 0.1, 'smoothing': 0.2}\nmodel = train(cfg)\nscore = evaluate(model, data, cfg, rate=0.5)"
    analysis = read(code, evaluate=lambda model, data, cfg, rate: 1.0, data=[1])
    assert not analysis.knobs


def test_settings_that_are_changed_afterwards() -> None:
    code = "cfg = {'lr': 0.1, 'layers': 3}\ncfg['lr'] = 0.2\nscore = train(cfg)"
    assert "layers" in knobs(read(code))


def test_what_is_lifted_is_a_parameter() -> None:
    analysis = read("cfg = {'lr': 0.1}\nscore = train(cfg)")
    lifted = cell.lift(analysis.code, analysis)
    assert lifted.code == "cfg = {'lr': cfg_lr}\nscore = train(cfg)"
    assert lifted.parameters == {"cfg_lr": 0.1, "seed": 0}


class TestOfTheNotebook:
    """What the notebook has is written out in the cell."""

    @pytest.mark.parametrize(
        ("value", "first"),
        [
            ({"lr": 0.1, "layers": 3}, "cfg = {'lr': 0.1, 'layers': 3}"),
            (Options(), "cfg = Options(lr=0.1, layers=3, test_size=0.2)"),
            (
                argparse.Namespace(lr=0.1, layers=3),
                "from argparse import Namespace\ncfg = Namespace(lr=0.1, layers=3)",
            ),
            (
                types.SimpleNamespace(lr=0.1, layers=3),
                "from types import SimpleNamespace\ncfg = SimpleNamespace(lr=0.1, layers=3)",
            ),
        ],
    )
    def test_it_is_written_out(self, value: Any, first: str) -> None:
        analysis = read('"""Which?"""\nscore = train(cfg)', cfg=value)
        assert analysis.code == f'"""Which?"""\n{first}\nscore = train(cfg)'
        assert knobs(analysis) == {"lr", "layers"}
        assert "cfg" not in analysis.names
        scope: dict[str, Any] = {"Options": Options, "train": lambda cfg: cfg}
        exec(analysis.code, scope)
        assert scope["cfg"] == value

    @pytest.mark.parametrize(
        "value",
        [
            {}, {"data": [1] * 1000}, {"f": len}, {1: 2}, [1, 2], {"lr": float("nan")}, types.SimpleNamespace(f=len),
            {"password": "x", "lr": 0.1},
        ],
    )  # fmt: skip
    def test_other_values_are_taken_along(self, value: Any) -> None:
        analysis = read("score = train(cfg, rate=0.5)", cfg=value, train=lambda cfg, rate: 1.0)
        assert analysis.names == ("cfg", "train")
        assert analysis.code == "score = train(cfg, rate=0.5)"

    def test_a_configuration_that_the_cell_changes_is_written_out_too(self) -> None:
        analysis = read("cfg['lr'] = 0.2\nscore = train(cfg)", cfg={"lr": 0.1, "layers": 3})
        assert analysis.code.startswith("cfg = {'lr': 0.1, 'layers': 3}\ncfg['lr'] = 0.2")
        assert "layers" in knobs(analysis)


class TestOfAFile:
    """A file that the cell reads is written out in its place."""

    YAML = "lr: 0.1\nopt:\n  momentum: 0.9\nname: first\n"
    JSON = '{"lr": 0.1, "opt": {"momentum": 0.9}, "name": "first"}'
    TOML = 'lr = 0.1\nname = "first"\n[opt]\nmomentum = 0.9\n'

    @pytest.mark.parametrize(
        ("name", "text", "code"),
        [
            ("c.yaml", YAML, "import yaml\nwith open('c.yaml') as f:\n    cfg = yaml.safe_load(f)"),
            ("c.yaml", YAML, "import yaml\ncfg = yaml.safe_load(open('c.yaml'))"),
            ("c.yaml", YAML, "import yaml\nfrom pathlib import Path\ncfg = yaml.safe_load(Path('c.yaml').read_text())"),
            ("c.yaml", YAML, "import yaml\ncfg = yaml.load(open('c.yaml').read(), Loader=yaml.SafeLoader)"),
            ("c.json", JSON, "import json\nwith open('c.json', encoding='utf-8') as f:\n    cfg = json.load(f)"),
            ("c.json", JSON, "import json\nfrom pathlib import Path\ncfg = json.loads(Path('c.json').read_text())"),
            ("c.toml", TOML, "import tomllib\nwith open('c.toml', 'rb') as f:\n    cfg = tomllib.load(f)"),
        ],
    )
    def test_its_settings_are_knobs(self, tmp_path: Path, name: str, text: str, code: str) -> None:
        (tmp_path / name).write_text(text)
        whole = f"{code}\nscore = train(cfg)"
        analysis = cell.read(whole, metric="score", namespace={"train": train}, folder=tmp_path)
        assert {knob.name for knob in analysis.knobs} == {"cfg.lr", "cfg.opt.momentum"}
        assert len(analysis.code.split("\n")) == len(whole.split("\n"))

    def test_what_cannot_be_read_stays(self, tmp_path: Path) -> None:
        (tmp_path / "bad.json").write_text("{")
        for name in ("bad.json", "missing.json"):
            code = f"import json\ncfg = json.load(open('{name}'))\nscore = train(cfg, rate=0.5)"
            namespace = {"train": lambda cfg, rate: 1.0}
            assert cell.read(code, metric="score", namespace=namespace, folder=tmp_path).code == code
