"""What the person's own cell reads is granted to whatever varies it, and nothing else is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_swarm.experiments import NotebookLaboratory
from jupyter_swarm.words import Analysis, Context, Experiment, Run
from jupyter_swarm.workspace import Workspace

OWN = (
    "import glob\nscore = float(open('../data/x.csv').read()) + len(glob.glob('../many/*.txt'))\n"
    "score += len(open('../many/1.txt').read() + open('../many/2.txt').read())"
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("notebooks", "data", "many"):
        (tmp_path / name).mkdir()
    (tmp_path / "data" / "x.csv").write_text("1")
    (tmp_path / "data" / "other.csv").write_text("7")
    for number in range(3):
        (tmp_path / "many" / f"{number}.txt").write_text("")
    return tmp_path / "notebooks"


def test_it_is_seen_granted_and_remembered(
    place: Path, context: Context, experiment: Callable[..., Experiment], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, there = Workspace(place).create(), Context(python=context.python, folder=str(place))

    async def runs(*some: Experiment) -> list[Run]:
        laboratory = NotebookLaboratory(workspace, "wine", Analysis(code=OWN), there, workers=1)
        await laboratory.open()
        try:
            return [await laboratory.run(one, 60.0) for one in some]
        finally:
            await laboratory.close()

    varied = experiment(OWN + "\nscore += 1", purpose="confirmation")
    first, own, again, another, other = asyncio.run(
        runs(
            varied,
            experiment(OWN, purpose="baseline"),
            varied,
            experiment("score = float(len(open('../many/0.txt').read()))"),
            experiment("score = float(open('../data/other.csv').read())"),
        )
    )
    assert "Permission denied" in first.message
    assert (own.value, again.value) == (4.0, 5.0)
    assert another.value == 0.0, "several files of a folder were read: another seed may read others of it"
    assert "Permission denied" in other.message
    (later,) = asyncio.run(runs(experiment(OWN + "\nscore += 2")))
    assert later.value == 6.0, "a runner that goes on later knows it"


def test_what_is_granted_by_name(place: Path, context: Context, experiment: Callable[..., Experiment]) -> None:
    workspace, there = Workspace(place).create(), Context(python=context.python, folder=str(place))

    async def main() -> list[Run]:
        named = [str(place.parent / "data")]
        laboratory = NotebookLaboratory(workspace, "wine", Analysis(code=OWN), there, workers=1, read=named)
        await laboratory.open()
        try:
            codes = (
                "score = float(open('../data/other.csv').read())",
                "score = float(len(open('../many/0.txt').read()))",
            )
            return [await laboratory.run(experiment(code), 60.0) for code in codes]
        finally:
            await laboratory.close()

    granted, other = asyncio.run(main())
    assert granted.value == 7.0
    assert "Permission denied" in other.message


def test_what_calls_itself_the_baseline_and_is_not_reads_nothing_more(
    place: Path, context: Context, experiment: Callable[..., Experiment]
) -> None:
    workspace, there = Workspace(place).create(), Context(python=context.python, folder=str(place))

    async def main() -> Run:
        laboratory = NotebookLaboratory(workspace, "wine", Analysis(code=OWN), there, workers=1)
        await laboratory.open()
        try:
            code = "score = float(open('../data/other.csv').read())"
            return await laboratory.run(experiment(code, purpose="baseline"), 60.0)
        finally:
            await laboratory.close()

    assert "Permission denied" in asyncio.run(main()).message
