"""Swarms whose language model answers like a researcher of known quality: two parts of `benchmarks/minds.py`.

A cell has fourteen settings with twelve values each. Ten values are planted: each is worth one standard deviation of a
paired difference. Ten others cost as much; all else does nothing. The model is a server of our own, asked over HTTP
through LangChain, that proposes values at a given share of planted ones. Engine, roles, ledger, library and statistics
are the real ones; a function stands for the laboratory.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import math
import random
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jupyter_swarm import cell, minds, roles
from jupyter_swarm.engine.swarm import Swarm
from jupyter_swarm.events import SwarmRequested
from jupyter_swarm.experiments import FunctionLaboratory
from jupyter_swarm.library import LocalLibrary
from jupyter_swarm.minds.account import Account
from jupyter_swarm.minds.calling import Caller
from jupyter_swarm.minds.language import LanguageMind
from jupyter_swarm.report import sources
from jupyter_swarm.state import SwarmState
from jupyter_swarm.store import SqlStore
from jupyter_swarm.testing import ModelServer, Reply, Request
from jupyter_swarm.words import Analysis, Budget, Context, Experiment, Objective
from jupyter_swarm.workspace import Workspace

SETTINGS = 14
VALUES = ("plain", "brisk", "calm", "dense", "even", "firm", "gentle", "hard", "idle", "light", "mild", "narrow")
PLANTED = 10
WORTH = math.sqrt(2.0)
"""Of a planted value: one standard deviation of the difference of two runs, each with noise of 1."""
WORKERS = 4
RUN_SECONDS = 0.01
MODEL = "openai:scripted"
NAME = "researchers"
_CALL = ", ".join(f'k{number:02d}="plain"' for number in range(SETTINGS))
CELL = f'"""Which settings help?"""\nscore = measure({_CALL}, seed=seed)\n'
_SET = re.compile(r'(k\d\d)=["\'](\w+)["\']')

Value = tuple[str, str]
"""A setting and what it is set to."""


@cache
def analysis() -> Analysis:
    """The cell as the kernel would read it."""
    listed = ", ".join(f"'{value}'" for value in VALUES)
    parameters = ", ".join(f"k{number:02d}='plain'" for number in range(SETTINGS))
    documented = "\n".join(f"    k{number:02d} : {{{listed}}}, default='plain'" for number in range(SETTINGS))
    space: dict[str, Any] = {}
    head = f"def measure({parameters}, seed=0):"
    exec(f"{head}\n    '''Draw a number.\n\n    Parameters\n    ----------\n{documented}\n    '''\n", space)
    return cell.read(CELL, metric="score", namespace={"measure": space["measure"], "seed": 0})


@dataclass(frozen=True)
class World:
    """What values are worth."""

    number: int

    @property
    def values(self) -> list[Value]:
        """All values but the present ones, in an order of this world's own."""
        every = [(f"k{setting:02d}", value) for setting in range(SETTINGS) for value in VALUES[1:]]
        random.Random(self.number).shuffle(every)
        return every

    @property
    def planted(self) -> list[Value]:
        """Those that help, each of another setting."""
        return _of_different_settings(self.values)[:PLANTED]

    @property
    def harmful(self) -> list[Value]:
        """Those that cost as much."""
        return [each for each in self.values if each not in self.planted][:PLANTED]

    @property
    def idle(self) -> list[Value]:
        """Those that do nothing."""
        worth = {*self.planted, *self.harmful}
        return [each for each in self.values if each not in worth]

    def effect(self, code: str) -> float:
        """What all values of a code are worth."""
        said = set(_SET.findall(code))
        return WORTH * (len(said & set(self.planted)) - len(said & set(self.harmful)))

    def metric(self, experiment: Experiment) -> float:
        """Its value: what it is worth, what the seed brings to all, and noise of its own."""
        shared = _normal(self.number, "shared", experiment.seed)
        return self.effect(experiment.code) + shared + _normal(self.number, experiment.seed, experiment.code)


def _of_different_settings(values: list[Value]) -> list[Value]:
    return list({setting: (setting, value) for setting, value in reversed(values)}.values())[::-1]


def _normal(*parts: object) -> float:
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return random.Random(digest).gauss(0.0, 1.0)


@dataclass
class Researcher:
    """The scripted model: which values it proposes, and what it makes up besides.

    Args:
        good: values worth proposing.
        bad: the others.
        share: of good ones among its ideas.
        lies: whether it invents citations, quotations and successes.
    """

    good: list[Value]
    bad: list[Value]
    share: float
    lies: bool = False
    seed: int = 0
    proposed: set[Value] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._good, self._bad = _rounds(self.good, self._rng), _rounds(self.bad, self._rng)

    def __call__(self, request: Request) -> Reply:
        """Its answer."""
        with self._lock:
            return Reply(calls=[("answer", self._answer(request.text))])

    def _answer(self, text: str) -> dict[str, Any]:
        passages = re.findall(r'<data kind="passage" name="([^"]+)"', text)
        success = "This doubles the score: 0.41 to 0.83 in my runs."
        kinds: dict[str, Callable[[], dict[str, Any]]] = {
            "ideas at most": lambda: {"ideas": [self._idea(passages) for _ in range(5)]},
            "Give the ranges": lambda: {"ranges": []},
            "Give the claims": lambda: {"claims": self._claims(passages)},
            "Give the change": lambda: {"statement": success, "diff": "@@\n-nothing\n+score = 1.0\n", "why": success},
            "The facts:": lambda: {"sentences": ["All ideas were supported, by 83 %.", "H1 was supported."]},
            "Give the scores": lambda: {"scores": [{"passage": each, "score": 3} for each in passages]},
            "queries at most": lambda: {"queries": ["settings that help"]},
            "Give the sentences": lambda: {"sentences": self._synthesis(passages, text)},
            "Give the points": lambda: {"disputes": []},
        }
        return next((make() for words, make in kinds.items() if words in text), {})

    def _idea(self, passages: list[str]) -> dict[str, Any]:
        setting, value = self._value()
        cited = [self._rng.choice(passages)] if passages else []
        if self.lies and self._rng.random() < 0.5:
            cited.append("invented-0-99")
        why = "My runs show that it raises the score by 40 %." if self.lies else "It may help."
        return {
            "statement": f"Setting {setting} to {value}", "why": why, "refuted_if": "the score does not rise",
            "passages": cited, "edits": [{"kind": "set", "target": f"measure.{setting}", "value": value}],
        }  # fmt: skip

    def _claims(self, passages: list[str]) -> list[dict[str, Any]]:
        if not self.lies or not passages:
            return []
        setting, value = self._value()
        edits = [{"kind": "set", "target": f"measure.{setting}", "value": value}]
        quote = "We prove that this setting is always the best."
        return [{"passage": passages[0], "quote": quote, "statement": "It is best", "edits": edits}]

    def _synthesis(self, passages: list[str], text: str) -> list[dict[str, Any]]:
        """A sentence that rests on what stands there, and one that is made up."""
        stands = re.search(r"Others report that a \w+ k\d\d\s+raises the score on large data\.", text)
        where = re.search(rf'name="([^"]+)" bound="[^"]+">[^<]*{re.escape(stands[0])}', text) if stands else None
        made_up = {"passage": passages[0] if passages else "P1", "quote": "It is proven that all of it helps."}
        said = [{"text": "All settings help.", "quotations": [made_up]}]
        if stands and where:
            said.append({"text": "Some report a gain.", "quotations": [{"passage": where[1], "quote": stands[0]}]})
        return said

    def _value(self) -> Value:
        value = next(self._good if self.good and self._rng.random() < self.share else self._bad)
        self.proposed.add(value)
        return value


def _rounds(values: list[Value], rng: random.Random) -> Iterator[Value]:
    return itertools.chain.from_iterable(iter(lambda: rng.sample(values, len(values)), None))


def play(
    world: World, researcher: Researcher | None, folder: Path, library: LocalLibrary, experiments: int
) -> SwarmState:
    """Run one swarm to its end."""
    store = SqlStore.at(folder / f"ledger-{world.number}-{id(researcher)}.sqlite")
    options: dict[str, Any] = {"seed": world.number}
    if researcher is not None:
        options["models"] = MODEL
    request = SwarmRequested(
        objective=Objective(metric="score"), budget=Budget(experiments=experiments), agents=16, analysis=analysis(),
        context=Context(), cell_hash="", options=options,
    )  # fmt: skip
    store.append(NAME, [request])
    lease = store.lease(NAME, "benchmark", seconds=3600.0)
    assert lease is not None
    laboratory = FunctionLaboratory(world.metric, workers=WORKERS, delay_seconds=RUN_SECONDS, analysis=analysis())
    team: dict[str, Any] = {"classical": minds.find("classical")}
    engine = Swarm(
        store, lease, laboratory, library, roles=roles.find_all(), minds=team, context="researchers", poll_seconds=0.05
    )

    async def work(url: str) -> None:
        caller = Caller(store, engine.write, Account(), {MODEL: url})
        if url:
            team[MODEL] = LanguageMind(MODEL, caller)
        await engine.work()
        await caller.close()

    if researcher is None:
        asyncio.run(work(""))
    else:
        with ModelServer(researcher) as server:
            asyncio.run(work(server.url))
    store.close()
    return engine.state


def notes(folder: Path) -> LocalLibrary:
    """A library of written notes, one on each setting."""
    workspace = Workspace(folder)
    (folder / "notes").mkdir(exist_ok=True)
    for number in range(SETTINGS):
        name = f"k{number:02d}"
        (folder / "notes" / f"{name}.md").write_text(
            f"# On {name}\n\nThe settings of a measurement can help. We varied {name}. "
            f"In our hands {name} mattered less than the noise between two runs. Others report that a {VALUES[1]} "
            f"{name} raises the score on large data.\n",
            encoding="utf-8",
        )
        (folder / "notes" / f"more-{name}.md").write_text(
            f"# Another look at {name}\n\nA score depends on many settings at once. We set {name} to {VALUES[2]} on "
            f"one machine and saw no difference beyond the noise. Whoever varies {name} alone sees little of it.\n",
            encoding="utf-8",
        )
    library = LocalLibrary(workspace, vectors=False)
    library.add([folder / "notes"])
    return library


def _right(world: World, state: SwarmState) -> tuple[set[Value], int, int]:
    """Planted values that supported findings set, false findings, and findings in all (improvements only)."""
    found: set[Value] = set()
    false = whole = 0
    for case in state.supported():
        if case.about != "improvement":
            continue
        whole += 1
        ours, theirs = case.hypothesis.variation.code, case.hypothesis.reference.code
        if world.effect(ours) > world.effect(theirs):
            found |= (set(_SET.findall(ours)) - set(_SET.findall(theirs))) & set(world.planted)
        else:
            false += 1
    return found, false, whole


def poor_researcher(swarms: int, say: Callable[[str], None], experiments: int) -> dict[str, Any]:
    """60 % wrong ideas, invented citations, false claims of success: what of it comes through?"""
    rates, shares, invented, valid = [], [], 0, []
    with tempfile.TemporaryDirectory() as place:
        library = notes(Path(place))
        for number in range(swarms):
            world = World(number)
            researcher = Researcher(world.planted, [*world.idle, *world.harmful], 0.4, lies=True, seed=number)
            state = play(world, researcher, Path(place), library, experiments)
            found, false, whole = _right(world, state)
            told = researcher.proposed & set(world.planted)
            rates.append(false / max(1, whole))
            shares.append(len(found & told) / max(1, len(told)))
            cited = sources.cited(state)
            right = sum(library.verify(each) for each in cited.values())
            invented += len(cited) - right
            valid.append(right)
            held = f"{len(found & told)} of {len(told)} planted"
            say(f"poor researcher {number}: {whole} supported, {false} false, {held}")
    return {
        "swarms": swarms, "fdr": round(sum(rates) / len(rates), 4),
        "planted_supported": round(sum(shares) / len(shares), 3), "invented_citations_shown": invented,
        "valid_citations_shown": min(valid),
    }  # fmt: skip


def mixture(swarms: int, say: Callable[[str], None], experiments: int) -> dict[str, Any]:
    """Mixed minds beside classical ones alone, at equal budget, with models of three qualities."""
    counts: dict[str, list[int]] = {"classical": [], "useful": [], "useless": [], "harmful": []}
    lost: dict[str, list[float]] = {"useful": [], "useless": [], "harmful": []}
    with tempfile.TemporaryDirectory() as place:
        library = LocalLibrary(Workspace(place), vectors=False)
        for number in range(swarms):
            world = World(1000 + number)
            researchers = {
                "classical": None,
                "useful": Researcher(world.planted, world.idle, 0.6, seed=number),
                "useless": Researcher([], world.idle, 0.0, seed=number),
                "harmful": Researcher([], world.harmful, 0.0, seed=number),
            }
            for kind, researcher in researchers.items():
                state = play(world, researcher, Path(place), library, experiments)
                counts[kind].append(len(_right(world, state)[0]))
                if researcher is not None:
                    lost[kind].append(_spent_on_models(state))
            say(f"mixture {number}: " + json.dumps({kind: each[-1] for kind, each in counts.items()}))
    alone = sum(counts["classical"])
    return {
        "swarms": swarms, "supported": {kind: sum(each) for kind, each in counts.items()},
        "useful_ratio": round(sum(counts["useful"]) / max(1, alone), 3),
        "useless_lost": round(sum(lost["useless"]) / swarms, 4),
        "harmful_lost": round(sum(lost["harmful"]) / swarms, 4),
        "useful_share": round(sum(lost["useful"]) / swarms, 4),
    }  # fmt: skip


def _spent_on_models(state: SwarmState) -> float:
    """Share of all runs that went to ideas of agents with a language model."""
    thinking = {agent.id for agent in state.agents.values() if agent.mind != "classical"}
    ideas = {case.hypothesis.id for case in state.cases.values() if case.hypothesis.agent in thinking}
    return sum(row.experiment.hypothesis in ideas for row in state.rows.values()) / max(1, state.experiments)
