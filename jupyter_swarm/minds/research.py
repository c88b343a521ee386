"""What a model may do while it thinks: search and read the library, read source of the cell's packages, look at
findings, and run an experiment in the sandbox. Nothing else; and each role has no more of it than it needs.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from jupyter_swarm import cell
from jupyter_swarm.errors import LibraryError
from jupyter_swarm.minds import showing
from jupyter_swarm.minds.prompting import data
from jupyter_swarm.minds.tools import Tool, ToolError
from jupyter_swarm.protocols import Brief, Desk
from jupyter_swarm.words import Experiment, Variation, Word

MOST_HITS = 6
MOST_SOURCE = 8_000
"""Characters of a source file at once."""
MOST_RUNS = 2
"""Experiments that one thought may have run."""
TOOLS_OF = {
    "brainstorming": ("search_library", "read_passage", "read_source", "look_at_findings"),
    "implementation": ("search_library", "read_passage", "read_source", "look_at_findings", "run_experiment"),
    "validation": ("search_library", "read_passage"),
    "tuning": (),
}


class Query(Word, frozen=True):
    """What to look for."""

    query: str


class Named(Word, frozen=True):
    """A passage by its id."""

    passage: str


class Source(Word, frozen=True):
    """A file of an installed package: `module` as it is imported, from a character on."""

    module: str
    start: int = 0


class Nothing(Word, frozen=True):
    """No arguments."""


class Trial(Word, frozen=True):
    """A change of the cell as a unified diff, to be run once."""

    diff: str


def tools(brief: Brief, desk: Desk) -> Sequence[Tool]:
    """The tools of a role, for one thought."""
    research = _Research(brief, desk)
    every = (
        Tool("search_library", "Search the library; gives passages with their ids.", Query, research.search),
        Tool("read_passage", "Read a passage by its id, with the paper and the place it stands at.", Named,
             research.passage),
        Tool("read_source", "Read a source file of a package that the cell imports.", Source, research.source),
        Tool("look_at_findings", "What is settled by now, and what was tried.", Nothing, research.findings),
        Tool("run_experiment", "Run the cell once with a change; gives the metric beside the reference's.", Trial,
             research.run),
    )  # fmt: skip
    return [each for each in every if each.name in TOOLS_OF.get(brief.role, ())]


class _Research:
    def __init__(self, brief: Brief, desk: Desk) -> None:
        self._brief, self._desk, self._runs = brief, desk, 0

    async def search(self, asked: Query) -> str:
        hits = await asyncio.to_thread(self._desk.library.search, asked.query[:500], MOST_HITS)
        return "\n".join(data("passage", hit.passage.text, hit.passage.id) for hit in hits) or showing.NOTHING

    async def passage(self, asked: Named) -> str:
        try:
            found = await asyncio.to_thread(self._desk.library.passage, asked.passage[:200])
        except LibraryError:  # its text names folders
            raise ToolError(f"there is no passage {asked.passage[:40]!r}: search for it") from None
        return data("passage", f"{found.title}, {found.place}:\n{found.text}", found.id)

    async def source(self, asked: Source) -> str:
        path = source_of(asked.module, self._brief)
        text = await asyncio.to_thread(path.read_text, encoding="utf-8", errors="replace")
        start = max(0, asked.start)
        more = f"\n({len(text)} characters in all)"
        return data("source", text[start : start + MOST_SOURCE], asked.module) + more

    async def findings(self, _: Nothing) -> str:
        return f"{showing.findings(self._brief)}\n{showing.known(self._brief)}"

    async def run(self, asked: Trial) -> str:
        if self._runs >= MOST_RUNS or self._desk.left("screening") < 1:
            raise ToolError("no further experiment can be run for this thought: give your answer")
        self._runs += 1
        variation = cell.merged(self._brief.analysis, self._brief.base, asked.diff)
        run = await self._desk.run(self._experiment(variation))
        if run is None:
            raise ToolError("the budget pays for no further experiment")
        if run.value is None:
            return data(
                "traceback", f"{run.reason}: {run.message}\n{run.traceback[-showing.MOST_ERROR :]}", "experiment"
            )
        reference = self._desk.state.values.get((self._brief.base.id, 1))
        beside = f", the reference {reference!r}" if reference is not None else ""
        return f"the metric was {run.value!r}{beside} on one seed, which proves nothing yet"

    def _experiment(self, variation: Variation) -> Experiment:
        return Experiment(
            code=variation.code,
            seed=1,
            metric=self._desk.state.objective.metric,
            context=self._desk.context,
            purpose="screening",
            title="A trial run of an agent",
            agent=self._brief.agent,
            free=True,
        )


def source_of(module: str, brief: Brief) -> Path:
    """The file of a module, of a package that the cell imports. Nothing is imported for it, and no path leads out.

    Raises:
        ToolError: it is none of these packages, or has no source here.
    """
    top, *rest = module.split(".")
    known = {path.partition(":")[0].partition(".")[0] for path in brief.analysis.imported.values()}
    known -= {each.partition(".")[0] for each in brief.analysis.own}
    if top not in known or not all(part.isidentifier() for part in (top, *rest)):
        raise ToolError(f"{module!r} is no module of a package that the cell imports ({', '.join(sorted(known))})")
    spec = importlib.util.find_spec(top)
    roots = [Path(each) for each in (spec.submodule_search_locations or [])] if spec is not None else []
    candidates = [root.joinpath(*rest) for root in roots]
    files = [path for each in candidates for path in (each.with_suffix(".py"), each / "__init__.py")]
    if not rest and spec is not None and spec.origin and spec.origin.endswith(".py"):
        files.append(Path(spec.origin))
    for path in files:
        inside = not rest or any(path.resolve().is_relative_to(root.resolve()) for root in roots)
        if path.is_file() and inside:
            return path
    raise ToolError(f"{module!r} has no source here")
