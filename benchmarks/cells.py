"""Whether ordinary cells run as they are, what leaks are found in them, and how soon large data are captured.

    python benchmarks/cells.py [--quick] [--names WORD ...]

    cells, unchanged, right_error, wrong   of the corpus in tests/cells/ordinary: cells that were tried; those with the
                        metric of the plain notebook; those with the error that is due; the others, listed on stderr
    capture_s_100mb     seconds to capture 100 MB in a workspace on disk, synchronised: the slower of an array of
                        float64 and of a frame of 100 MB (columns of float64, int64 and text); medians of three
    leaks_planted, leaks_found, false_leaks   of tests/cells/leaky.py: cells with a leak; those whose leak is found by
                        its kind; leaks that are found in clean cells
    cheats_tried, cheats_supported   of tests/cells/cheats.py: cells that invite cheating, each given to a swarm; the
                        findings that were supported all the same

What cannot be measured is None, and stderr says why. `--quick` tries every eighth cell, none of those that take long,
and one cheat. Prints one JSON object last.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from jupyter_swarm import cell
from jupyter_swarm.errors import SwarmError
from jupyter_swarm.workspace import Workspace

CORPUS = Path(__file__).resolve().parent.parent / "tests" / "cells"
sys.path.insert(0, str(CORPUS))

from ordinary import CELLS, Case  # noqa: E402
from trying import missing, tried, wrong  # noqa: E402

BYTES = 100 * 2**20
Table = list[tuple[str, str]]
"""What is wrong: the name of a cell, and why."""


def say(text: str) -> None:
    """A line on stderr."""
    print(text, file=sys.stderr, flush=True)


# ---------------------------------------------------------------- ordinary cells


def chosen(quick: bool, words: Sequence[str]) -> list[Case]:
    """The cells that are tried; those whose packages are not installed are said."""
    found = []
    for case in (case for case in CELLS if not words or any(word in case.name for word in words)):
        if packages := missing(case):
            say(f"left out: {case.name} ({', '.join(packages)} cannot be imported)")
        else:
            found.append(case)
    return [case for case in found if not case.slow][::8] if quick else found


def ordinary(cases: Sequence[Case], folder: Path) -> tuple[dict[str, Any], Table]:
    """How many cells are treated rightly, and what is wrong with the others."""
    outcomes = asyncio.run(tried(cases, folder))
    table = [(case.name, why) for case in cases if (why := wrong(case, outcomes[case.name]))]
    failed = {name for name, _ in table}
    right = [case for case in cases if case.name not in failed]
    counts = {
        "cells": len(cases),
        "unchanged": sum(case.wrong is None for case in right),
        "right_error": sum(case.wrong is not None for case in right),
        "wrong": len(table),
    }
    for case in sorted(cases, key=lambda case: -outcomes[case.name].seconds)[:5]:
        say(f"{outcomes[case.name].seconds:5.1f} s  {case.name}")
    return counts, table


# ---------------------------------------------------------------- large data


def frame() -> pd.DataFrame:
    """About 100 MB in columns of several kinds."""
    rows = BYTES // 100
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {f"x{n}": rng.normal(size=rows) for n in range(9)}
    columns["group"] = rng.integers(0, 1000, rows)
    columns["name"] = [f"subject {n % 90_000:06d}" for n in range(rows)]
    return pd.DataFrame(columns)


def capture_seconds(value: Any, repeats: int) -> float:
    """Seconds to capture one variable."""
    analysis = cell.read("size = float(len(data))", metric="size", namespace={"data": value})
    seconds = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            workspace = Workspace(folder).create()
            began = time.perf_counter()
            cell.capture(analysis, {"data": value}, folder=folder, captures=workspace.captures)
            seconds.append(time.perf_counter() - began)
    return median(seconds)


def large() -> dict[str, Any]:
    """The slower of an array and a frame."""
    array = np.random.default_rng(0).normal(size=BYTES // 8)
    table = frame()
    seconds = {"array": capture_seconds(array, 3), "frame": capture_seconds(table, 3)}
    megabytes = {"array": array.nbytes / 2**20, "frame": table.memory_usage(deep=True).sum() / 2**20}
    for name, each in seconds.items():
        say(f"capture of {name}: {megabytes[name]:.0f} MB in {each:.2f} s")
    return {"capture_s_100mb": round(max(seconds.values()), 3)}


# ---------------------------------------------------------------- leaks and cheats


def leaks() -> tuple[dict[str, Any], Table]:
    """Leaks that are planted and found, and those that are found where there is none."""
    counts: dict[str, Any] = {"leaks_planted": None, "leaks_found": None, "false_leaks": None}
    leaky = _module("leaky")
    if leaky is None:
        return counts, []
    table: Table = []
    found, false = 0, 0
    for one in leaky.PLANTED:
        kinds, why = _kinds(one)
        found += one.kind in kinds
        if one.kind not in kinds:
            table.append(
                (one.name, why or f"its leak ({one.kind}) is not found" + f"; only {', '.join(kinds)}" * bool(kinds))
            )
    for one in leaky.CLEAN:
        kinds, why = _kinds(one)
        false += len(kinds)
        if kinds or why:
            table.append((one.name, why or f"false leaks: {', '.join(kinds)}"))
    return {"leaks_planted": len(leaky.PLANTED), "leaks_found": found, "false_leaks": false}, table


def _kinds(one: Any) -> tuple[list[str], str]:
    """The kinds of leaks that are found in a cell, or why it cannot be read."""
    try:
        analysis = cell.read(one.code, metric=one.metric, namespace=one.namespace())
    except SwarmError as error:
        return [], f"{type(error).__name__}: {error}"
    return [leak.kind for leak in analysis.leaks], ""


def cheats(quick: bool) -> tuple[dict[str, Any], Table]:
    """Swarms on cells that invite cheating, and those that supported something; None without tests/cells/cheats.py."""
    module = _module("cheats")
    if module is None:
        return {"cheats_tried": None, "cheats_supported": None}, []
    several = module.CHEATS[:1] if quick else module.CHEATS
    found = {each.name: len(module.swarm(each).supported()) for each in several}
    table = [(name, f"{count} findings are supported by cheating") for name, count in found.items() if count]
    return {"cheats_tried": len(found), "cheats_supported": sum(found.values())}, table


def _module(name: str) -> Any:
    if not (CORPUS / f"{name}.py").exists():
        say(f"not measured: there is no tests/cells/{name}.py")
        return None
    return importlib.import_module(name)


def main() -> None:
    """Measure, and print one JSON object last."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="under a minute: every eighth cell that does not take long"
    )
    parser.add_argument("--names", nargs="+", default=[], metavar="WORD", help="only cells whose name has one of them")
    arguments = parser.parse_args()
    measured: dict[str, Any] = large()
    with tempfile.TemporaryDirectory() as folder:
        counts, table = ordinary(chosen(arguments.quick, arguments.names), Path(folder))
    planted, leaking = leaks()
    tricked, cheating = cheats(arguments.quick)
    for name, why in [*table, *leaking, *cheating]:
        say(f"WRONG  {name}: {why}")
    print(json.dumps({**counts, **measured, **tricked, **planted}))


if __name__ == "__main__":
    main()
