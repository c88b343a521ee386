"""What needs no kernel: cores, environment, text that can never become active, results read back."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_swarm.experiments import usable_cores
from jupyter_swarm.experiments.environment import THREADS, environment
from jupyter_swarm.experiments.notebook import build, inline, literal, result
from jupyter_swarm.words import Context, Experiment
from jupyter_swarm.workspace import Workspace


@pytest.mark.parametrize(
    ("files", "own", "expected"),
    [
        ({}, "", 8),
        ({"cpu.max": "150000 100000"}, "0::/", 2),
        ({"cpu.max": "max 100000", "pod/cpu.max": "100000 100000"}, "0::/pod/inner", 1),
        ({"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, "3:cpu,cpuacct:/", 3),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, "3:cpu:/", 8),
        ({"cpu.max": "nonsense"}, "0::/", 8),
    ],
    ids=["none", "v2", "v2 parent", "v1", "v1 unlimited", "unreadable"],
)
def test_usable_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], own: str, expected: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "own").write_text(own)
    assert usable_cores(tmp_path, tmp_path / "own") == expected


def test_no_secret_reaches_an_experiment() -> None:
    secrets = {name: "x" for name in ("AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "LC_PASSWORD", "OPENAI_API_KEY", "OTHER")}
    clean = environment(2, {"PATH": "/bin", "LC_ALL": "C", "https_proxy": "http://me:pw@host:1", **secrets})
    assert clean == {
        "PATH": "/bin",
        "LC_ALL": "C",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
        **dict.fromkeys(THREADS, "2"),
    }


@given(st.text())
def test_inline_text_is_never_active(text: str) -> None:
    import html

    shown = inline(text)
    assert not set("<>$\\*_`[]()!\"'|~\n") & set(shown)
    if not set("$\\") & set(text):
        assert html.unescape(shown) == " ".join(text.split())


@given(st.text(alphabet=st.sampled_from("`~a<\n \r$")))
def test_a_quotation_cannot_leave_its_block(text: str) -> None:
    lines = literal(text).split("\n")
    fence = lines[0].removesuffix("text")
    assert set(fence) == {"`"}
    assert lines[-1] == fence
    assert not any(line.strip().startswith(fence) for line in lines[1:-1])


def test_parameters_are_not_overwritten_and_prose_is_escaped(tmp_path: Path) -> None:
    experiment = Experiment(code="score = C", seed=7, metric="score", context="c", title="<script>", hypothesis="$x$")
    context = Context(imports=("import math",))
    made = nbformat.from_dict(build(experiment, "score = C", {"seed": 0, "C": 1.5}, context, Workspace(tmp_path)))
    nbformat.validate(made)
    assert [c.metadata.get("tags") for c in made.cells][1:] == [["parameters"], ["inputs"], ["experiment"], ["result"]]
    assert made.cells[1].source == "seed = 7\nC = 1.5"
    assert "<script>" not in made.cells[0].source
    assert "$" not in made.cells[0].source
    assert made.metadata.kernelspec.name == "python3"
    assert made.metadata.jupyter_swarm.seed == 7


@pytest.mark.parametrize("payloads", [[], [{"metric": "other", "value": 1.0}], [{"metric": "score", "value": 1.0}] * 2])
def test_one_result_of_the_right_metric_counts(payloads: list[dict[str, Any]]) -> None:
    found = result(payloads, "score")
    assert (found.value, found.reason) == (None, "missing")


def test_the_room_is_light_to_import() -> None:
    code = (
        "import sys, jupyter_swarm.experiments as e\n"
        "heavy = {'papermill', 'nbformat', 'nbclient', 'jupyter_client', 'zmq'} & set(sys.modules)\n"
        "assert not heavy, heavy\nassert e.NotebookLaboratory.__name__ == 'NotebookLaboratory'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_papermill_finds_the_engine() -> None:
    code = "from papermill.engines import papermill_engines as e; print(e.get_engine('swarm').__name__)"
    for first in ("", "import jupyter_swarm.experiments.engine\n", "import jupyter_swarm.experiments.laboratory\n"):
        done = subprocess.run([sys.executable, "-c", first + code], check=True, capture_output=True, text=True)
        assert done.stdout.strip() == "SwarmEngine"
