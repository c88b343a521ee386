"""A full run of a swarm with a language model, recorded: answers by the hash of their request, and what came of them.

    python tests/minds/recording.py        records it anew into tests/data/run.json, after a prompt has changed

The swarm is played in one order: each run waits until nobody thinks or reads, so that the same answers lead to the same
questions. The model is scripted here; what is recorded is what came over the wire.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from worlds import NAME, Ground, World, mind, request

from jupyter_swarm.engine.swarm import Swarm
from jupyter_swarm.library import LocalLibrary
from jupyter_swarm.minds.account import Account
from jupyter_swarm.minds.calling import Caller
from jupyter_swarm.minds.chat import ModelError
from jupyter_swarm.minds.language import LanguageMind
from jupyter_swarm.outcome import outcome
from jupyter_swarm.protocols import Kept
from jupyter_swarm.store import SqlStore
from jupyter_swarm.testing import ModelServer, Reply, Request
from jupyter_swarm.words import Experiment
from jupyter_swarm.workspace import Workspace

RECORD = Path(__file__).resolve().parents[1] / "data" / "run.json"
MODEL = "openai:recorded"
URL = "http://127.0.0.1:9/v1"
"""Where the model is asked: nobody listens there. It is part of each request, so it is the same when recording."""
WORLD = World({"'fancy'": 3.0, "steps = 2": 2.0})
PAPER = """# Which setting helps

In our experience a fancy mode helps more than any other setting. We measured it on 12 machines.

## Depth

A depth above 10 never helped us. Others report the contrary.
"""
DIFF = '@@\n """Which setting helps?"""\n+steps = 2\n'


def researcher(asked: Request) -> Reply:
    """The scripted model: it proposes, claims, quotes, advises and writes, all of it sensible."""
    passages = [part.split('"')[0] for part in asked.text.split('kind="passage" name="')[1:]]
    fancy = {"kind": "set", "target": "measure.mode", "value": "fancy"}
    alpha = {"kind": "set", "target": "measure.alpha", "value": 2.0 + asked.text.count("[H") / 8}
    quote = "a fancy mode helps more than any other setting"
    quoted = [{"passage": each, "quote": quote} for each in passages if _holds(asked.text, each, quote)][:1]
    kinds: dict[str, Any] = {
        "ideas at most": {"ideas": [
            {"statement": "fancy", "why": "the notes say so", "refuted_if": "no gain", "edits": [fancy]},
            {"statement": "alpha", "why": "larger may be better", "refuted_if": "no gain", "edits": [alpha]},
        ]},
        "Give the change": _change(asked.text),
        "Give the ranges": {"ranges": [{"knob": "measure.alpha", "low": 0.5, "high": 5.0, "why": "near the present"}]},
        "Give the claims": {"claims": [
            {**each, "statement": "fancy", "edits": [fancy], "refuted_if": "no gain"} for each in quoted
        ]},
        "queries at most": {"queries": ["fancy mode", "depth"]},
        "Give the scores": {"scores": [{"passage": each, "score": 3} for each in passages]},
        "The facts:": {"sentences": ["The gain was 83 %.", "The study had 160 runs."]},
        "Give the sentences": {
            "sentences": [{"text": "A fancy mode helps most.", "quotations": quoted}] if quoted else []
        },
        "Give the points": {"disputes": []},
    }  # fmt: skip
    return Reply(calls=[("answer", next((value for words, value in kinds.items() if words in asked.text), {}))])


def _change(text: str) -> dict[str, str]:
    """Two steps first; whoever knows of them takes others, each time of another number."""
    steps = 3 + zlib.crc32(text.encode()) % 997 if "aking two steps" in text else 2
    said = "Taking two steps" if steps == 2 else f"Taking {steps} steps"
    return {"statement": said, "refuted_if": "no gain", "diff": DIFF.replace("2", str(steps))}


def _holds(text: str, passage: str, quote: str) -> bool:
    body = text.split(f'name="{passage}"', 1)[1].split("</data", 1)[0]
    return quote in " ".join(body.split())


def library(folder: Path) -> LocalLibrary:
    """The papers of the run."""
    (folder / "notes.md").write_text(PAPER, encoding="utf-8")
    made = LocalLibrary(Workspace(folder), vectors=False)
    made.add([folder / "notes.md"])
    return made


class Direct(Caller):
    """A caller that asks elsewhere than its requests say: for recording alone."""

    server = ""

    def _client(self, model: str, max_tokens: int) -> Any:
        if not self.server:
            raise ModelError("this was not recorded", status=400)
        self.urls = {model: self.server}
        try:
            return super()._client(model, max_tokens)
        finally:
            self.urls = {model: URL}


def play(folder: Path, store: SqlStore, server: str = "") -> Swarm:
    """The run, with the answers of `store`; a server is asked for those that are missing, where one is given."""
    ground = Ground([request(160)], store=store)

    async def work() -> Swarm:
        async def measured(experiment: Experiment) -> float:
            while engine._thinking._tasks or any(not each.searched for each in engine.state.directions.values()):
                await asyncio.sleep(0.002)
            return WORLD(experiment)

        engine = ground.engine(measured, workers=1, library=library(folder), poll=0.01)
        team: dict[str, Any] = {"classical": mind()}
        engine._minds = team
        caller = Direct(
            store, engine.write, Account.of(engine.state, None, None), {MODEL: URL}, first_wait_seconds=0.01
        )
        caller.server = server
        team[MODEL] = LanguageMind(MODEL, caller)
        await engine.work()
        await caller.close()
        return engine

    return asyncio.run(work())


def told(swarm: Swarm) -> dict[str, Any]:
    """What came of a run, without what depends on the clock."""
    state = swarm.state
    return {
        "findings": [(each["statement"], each["verdict"], each["runs"]) for each in outcome(state)["findings"]],
        "hypotheses": sorted(case.hypothesis.variation.id for case in state.cases.values()),
        "summary": list(state.summary.sentences) if state.summary else [],
    }


def main() -> None:
    """Record."""
    with tempfile.TemporaryDirectory() as place, ModelServer(researcher) as server:
        store = SqlStore.memory()
        swarm = play(Path(place), store, server.url)
        with store._engine.connect() as connection:
            rows = connection.exec_driver_sql("select request, about, answer from answers order by request").all()
        answers = {request: [about, bytes(answer).decode()] for request, about, answer in rows}
        RECORD.write_text(json.dumps({"answers": answers, "told": told(swarm)}, indent=1) + "\n", encoding="utf-8")
        print(f"{len(answers)} answers of {len(server.requests)} requests; {told(swarm)['findings']}")


def recorded() -> tuple[SqlStore, dict[str, Any]]:
    """A store that knows the recorded answers, and what came of them."""
    found = json.loads(RECORD.read_text(encoding="utf-8"))
    store = SqlStore.memory()
    kept = [Kept(request, about, answer.encode()) for request, (about, answer) in found["answers"].items()]
    store.append(NAME, [], answers=kept)
    return store, found["told"]


if __name__ == "__main__":
    main()
