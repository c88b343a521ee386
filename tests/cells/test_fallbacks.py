"""Machines that lack something: no fork, no Landlock, no namespaces, nothing at all. Cells give the same there."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from pathlib import Path

import pytest
from ordinary import CELLS, Case
from trying import missing, tried, wrong

from jupyter_swarm.experiments.setup import Setup

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
EVERY = 6


def sample(start: int) -> list[Case]:
    """A part of the corpus, another one for each start; what takes long is left to the test of the whole."""
    usual = [case for case in CELLS if not (case.fault or case.slow or case.alone or missing(case))]
    return usual[start::EVERY]


def without(**policy: object) -> object:
    """A machine whose sandbox lacks something."""

    def change(setup: Setup) -> Setup:
        assert setup.policy is not None
        return dataclasses.replace(setup, policy={**setup.policy, **policy})

    return change


def as_they_are(cases: list[Case], folder: Path, change: object) -> list[str]:
    outcomes = asyncio.run(tried(cases, folder, change=change))  # type: ignore[arg-type]
    assert len(outcomes) == len(cases) >= 15
    return [f"{case.name}: {said}" for case in cases if (said := wrong(case, outcomes[case.name]))]


def test_without_landlock(tmp_path: Path) -> None:
    assert as_they_are(sample(0), tmp_path, without(abi=0)) == []


def test_without_namespaces(tmp_path: Path) -> None:
    assert as_they_are(sample(1), tmp_path, without(layers=["seccomp", "landlock"])) == []


def test_with_seccomp_alone(tmp_path: Path) -> None:
    assert as_they_are(sample(2), tmp_path, without(layers=["seccomp"])) == []


def test_where_nothing_shuts_in(tmp_path: Path) -> None:
    change = lambda setup: dataclasses.replace(setup, policy=None)  # noqa: E731
    assert as_they_are(sample(3), tmp_path, change) == []


def test_where_no_process_can_be_forked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels are started ahead instead, and nothing is forked: as on a system that cannot hand descriptors on."""
    monkeypatch.delattr(socket, "send_fds")
    assert as_they_are(sample(4), tmp_path, lambda setup: setup) == []
