"""Whole swarms and their reports."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import logs
from played import HOSTILE, Played


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Sequence[logs.Move]], Played]:
    """Play a swarm into a fresh workspace."""
    return lambda moves: Played(tmp_path, moves)


@pytest.fixture(scope="session")
def wine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Played, nbformat.NotebookNode]:
    """The whole wine swarm and its report: to look at, not to change."""
    played = Played(tmp_path_factory.mktemp("wine"), logs.wine())
    return played, played.notebook()


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Played, nbformat.NotebookNode]:
    """A swarm in which all words of others attack the reader, and its report."""
    played = Played(tmp_path_factory.mktemp("hostile"), logs.hostile(HOSTILE))
    return played, played.notebook()
