"""Ordinary cells are taken as they are: the plain notebook's metric, or the right error by name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from ordinary import CELLS, Case
from trying import Outcome, missing, tried, wrong

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
"""The first test waits until all cells have been tried."""


def parameters() -> Iterator[Any]:
    for case in CELLS:
        marks: list[Any] = []
        if packages := missing(case):
            marks.append(pytest.mark.skip(reason=f"{', '.join(packages)} cannot be imported"))
        if case.fault:
            marks.append(pytest.mark.xfail(strict=True, reason=case.fault))
        yield pytest.param(case, id=case.name, marks=marks)


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Of all cells that are asked for, tried at once: a few kernels share them."""
    chosen = [
        item.callspec.params["case"]
        for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec") and not item.get_closest_marker("skip")
    ]
    return asyncio.run(tried(chosen, tmp_path_factory.mktemp("ordinary")))


@pytest.mark.parametrize("case", list(parameters()))
def test_as_in_the_plain_notebook(case: Case, outcomes: dict[str, Outcome]) -> None:
    assert not wrong(case, outcomes[case.name])


def test_names_are_unique() -> None:
    assert len({case.name for case in CELLS}) == len(CELLS) >= 40
