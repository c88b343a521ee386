"""A leak in the person's own cell stands near the top of the report, with its line and cure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import logs
import msgspec
import nbformat
import pytest
from played import HOSTILE, Played

from jupyter_swarm import events as e
from jupyter_swarm.report.answer import answer
from jupyter_swarm.report.markdown import inline
from jupyter_swarm.words import Leak

FITTED = Leak(kind="fitted", line=2, what="Normalizer saw all rows", cure="fit it on the training rows alone")


def leaking(moves: Sequence[logs.Move], *found: Leak) -> list[logs.Move]:
    """The same swarm, of a cell in which leaks were found."""
    return [(at, _leaking(event, found)) for at, event in moves]


def _leaking(event: e.AnyEvent, found: tuple[Leak, ...]) -> e.AnyEvent:
    if not isinstance(event, e.SwarmRequested):
        return event
    return msgspec.structs.replace(event, analysis=msgspec.structs.replace(event.analysis, leaks=found))


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> tuple[Played, nbformat.NotebookNode]:
    played = Played(tmp_path_factory.mktemp("leaky"), leaking(logs.wine(), FITTED))
    return played, played.notebook()


def test_it_comes_right_after_the_answer(leaky: tuple[Played, nbformat.NotebookNode]) -> None:
    played, notebook = leaky
    assert [cell.id for cell in notebook.cells[:3]] == ["answer", "leaks", "best"]
    text = notebook.cells[1].source
    assert "1 leak was found" in text
    assert inline(FITTED.what) in text
    assert inline(FITTED.cure) in text
    assert "| 2 | fitted on all rows |" in text
    assert "  2  model = make_pipeline(Normalizer(), SVC(C=1.0))" in text
    assert "the cell itself leaks (line 2)" in answer(played.state)


def test_there_is_no_section_without_one(wine: tuple[Played, nbformat.NotebookNode]) -> None:
    played, notebook = wine
    assert "leaks" not in {cell.id for cell in notebook.cells}
    assert "leaks" not in answer(played.state)


def test_words_of_others_stay_text(tmp_path: Path) -> None:
    hostile = Leak(kind="tuned", line=1, what=HOSTILE, cure=HOSTILE)
    notebook = Played(tmp_path, leaking(logs.wine(), hostile)).notebook()
    text = notebook.cells[1].source
    assert "<script>" not in text
    assert "](javascript" not in text
