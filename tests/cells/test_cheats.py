"""Cells that invite cheating: a swarm finds nothing in them, and the cheat itself is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from cheats import CHEATS, INSIDE, Cheat, executed, swarm

from jupyter_swarm import cell
from jupyter_swarm.errors import LockError
from jupyter_swarm.words import Experiment

by_name = pytest.mark.parametrize("cheat", [*CHEATS, *INSIDE], ids=lambda each: each.name)


@by_name
def test_the_cheat_would_win(cheat: Cheat) -> None:
    """Else there would be nothing to refuse."""
    base = Experiment(code=cheat.code, seed=0, metric=cheat.metric, context="")
    gains = []
    for seed in range(12):
        pair = [msgspec.structs.replace(base, code=code, seed=seed) for code in (cheat.changed(), cheat.code)]
        ours, theirs = map(executed, pair)
        gains.append(ours - theirs if cheat.maximize else theirs - ours)
    assert abs(sum(gains)) > 0 if "seed" in cheat.name else sum(gains) > 0


@by_name
def test_it_is_refused(cheat: Cheat) -> None:
    with pytest.raises(LockError):
        cell.check_lock(cheat.changed(), cheat.analysis())


@by_name
def test_a_swarm_supports_nothing(cheat: Cheat) -> None:
    state = swarm(cheat)
    assert state.experiments > 60, state.why
    assert [each.hypothesis.statement for each in state.supported()] == []
