"""Language models: how many can be asked at once, what faults and kills cost, and what their minds are worth.

    python benchmarks/minds.py [--quick] [--part NAME]

The server speaks OpenAI's protocol over real HTTP in a process of its own (`jupyter_swarm.testing`), the agents ask it
in another one through LangChain, with a ledger on disk. What is measured:

    concurrency  agents that ask again and again a server that answers in 1 s: calls a second beside the ideal ones,
                 over agents in flight (of the whole, with all of them beginning at once, and `share_steady` after
                 that); memory of the process for each; a cell's latency in a kernel beside it
    faults       5 % of requests refused for rate, 2 % failing, 1 % hanging, 1 % answered with half a JSON: how many
                 tasks end in a result or a recorded failure, what the server counts against the budget, what it
                 answered twice
    resume       processes killed by SIGKILL at random moments and begun again over the same ledger: how many answers
                 that were durable are asked again; how many had left the server and were not yet durable
                 (`lost_before_written`), how many it was still at (`lost_on_the_wire`)

    ask          `asking.py`: how soon `%swarm ask` shows a word, on a library of 10,000 passages
    poor_researcher, mixture
                 `researchers.py`: what of a poor researcher's ideas comes through; models of three qualities beside
                 classical agents alone

Prints one JSON object at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import gc
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import asking
import psutil
import researchers

from jupyter_swarm.engine.clerk import Clerk
from jupyter_swarm.errors import SwarmError
from jupyter_swarm.events import AnyEvent
from jupyter_swarm.minds.account import Account, Spent
from jupyter_swarm.minds.calling import Asker, Caller
from jupyter_swarm.minds.prompting import Prompt
from jupyter_swarm.protocols import Kept
from jupyter_swarm.state import SwarmState
from jupyter_swarm.store import SqlStore
from jupyter_swarm.testing import Fault, ModelServer, Reply, Request
from jupyter_swarm.words import Word

MODEL = "local:any"
SWARM = "bench"
NICE = 5
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["langchain_openai", "langchain.chat_models", "aiohttp", "jupyter_swarm.store"])
PROMPT = Prompt("ideas 1", 500, "You propose variations of a notebook's cell. " * 10, "")
CELL = "model = make_pipeline(MinMaxScaler(), SVC(C=1.0))\n" * 40
USAGE = (700, 60)


class Ideas(Word, frozen=True):
    """What the agents ask for."""

    ideas: tuple[str, ...]


ANSWER = Reply(calls=[("answer", {"ideas": ["RobustScaler in place of MinMaxScaler", "C = 10 in SVC"]})], usage=USAGE)


# ---------------------------------------------------------------- the server


class Tally:
    """What a server was asked and answered, by the question's name; `faults` go wrong with their probability."""

    def __init__(self, seconds: float, faults: Sequence[tuple[float, Fault]] = (), seed: int = 0) -> None:
        self.seconds, self.faults, self.random = seconds, faults, random.Random(seed)
        self.asked: list[str] = []
        self.answered: list[tuple[str, float]] = []
        """What was answered whole, and when (the monotonic clock, which processes share)."""
        self.tokens = 0

    def __call__(self, request: Request) -> Reply | Fault:
        """Answer, or go wrong."""
        name = str(request.messages[1]["content"]).partition("\n")[0]
        self.asked.append(name)
        drawn = self.random.random()
        for share, fault in self.faults:
            if drawn < share:
                if fault.broken:
                    self.tokens += sum(USAGE)
                return fault
            drawn -= share
        self.answered.append((name, time.monotonic() + self.seconds))
        self.tokens += sum(USAGE)
        return Reply(calls=ANSWER.calls, usage=USAGE, seconds=self.seconds)


def serve(pipe: Any, tally: Tally) -> None:
    """A server in this process; whenever it is asked, it tells its tally since the last time."""
    with ModelServer(tally) as server:
        pipe.send(server.url)
        with suppress(EOFError):
            while pipe.recv() is not None:
                pipe.send((tally.asked[:], tally.answered[:], tally.tokens, time.process_time()))


@contextmanager
def serving(tally: Tally) -> Iterator[tuple[str, Callable[[], Any]]]:
    """A server in a process of its own: its address, and what asks it for its tally."""
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=serve, args=(theirs, tally), daemon=True)
    process.start()

    def told() -> Any:
        ours.send("")
        return ours.recv()

    try:
        yield ours.recv(), told
    finally:
        ours.send(None)
        process.join(10.0)


# ---------------------------------------------------------------- the agents


class Office:
    """A ledger, a clerk and a caller, as a runner has them; `seconds` is how long each writing of answers took."""

    def __init__(self, path: Path, url: str, tokens: int | None = None, timeout_seconds: float = 60.0) -> None:
        self.store = SqlStore.at(path)
        self.state = SwarmState.of(self.store.read(swarm=SWARM), SWARM)
        self.clerk = Clerk(self._commit, self._fold)
        self.seconds: list[float] = []
        account = Account.of(self.state, tokens, None)
        self.caller = Caller(self.store, self.write, account, {MODEL: url}, timeout_seconds=timeout_seconds)

    async def write(self, events: Sequence[AnyEvent], kept: Sequence[Kept]) -> None:
        """As the desk does it."""
        began = time.monotonic()
        await self.clerk.write(events, kept)
        if kept:
            self.seconds.append(time.monotonic() - began)

    async def ask(self, name: str) -> Ideas:
        """Ask one question of this name."""
        asked = PROMPT._replace(user=f"{name}\n{CELL}")
        return await self.caller.ask(Asker("agent-1", "brainstorming", MODEL), asked, Ideas, about=name)

    async def close(self) -> None:
        """Leave nothing open."""
        await self.caller.close()
        await self.clerk.finish()
        self.store.close()

    def _commit(self, events: Sequence[AnyEvent], kept: Sequence[Kept]) -> Any:
        return self.store.append(SWARM, events, answers=kept)

    def _fold(self, records: Any) -> None:
        for each in records:
            self.state.apply(each)


# ---------------------------------------------------------------- concurrency


def crowd(pipe: Any, url: str, folder: str, agents: int, rounds: int) -> None:
    """Agents that ask `rounds` times each, one question after the other."""
    os.nice(NICE)
    pipe.send(asyncio.run(_crowd(pipe, url, Path(folder), agents, rounds)))


async def _crowd(pipe: Any, url: str, folder: Path, agents: int, rounds: int) -> dict[str, float]:
    office = Office(folder / f"{agents}.db", url)
    await asyncio.gather(*(office.ask(f"warm-{number}") for number in range(5)))
    gc.collect()
    process, most = psutil.Process(), 0
    before = process.memory_info().rss
    pipe.send("ready")

    ended: list[list[float]] = []

    async def agent(number: int) -> None:
        mine: list[float] = []
        ended.append(mine)
        for turn in range(rounds):
            await office.ask(f"{number}-{turn}")
            mine.append(time.monotonic())

    async def watch() -> None:
        nonlocal most
        while True:
            await asyncio.sleep(0.3)
            most = max(most, process.memory_info().rss)

    watching = asyncio.create_task(watch())
    began, cpu = time.monotonic(), time.process_time()
    await asyncio.gather(*(agent(number) for number in range(agents)))
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    watching.cancel()
    await office.close()
    calls = agents * rounds
    return {
        "calls_per_s": round(calls / seconds, 1),
        "share_of_ideal": round(rounds / seconds, 3),
        "share_steady": round(_steady(ended) / agents, 3),
        "cpu_ms_per_call": round(1e3 * cpu / calls, 2),
        "kb_per_agent": round(max(0, most - before) / agents / 1e3, 1),
    }


def _steady(ended: Sequence[Sequence[float]]) -> float:
    """Calls a second after the first answers: the sum of the agents' own rates."""
    return sum((len(mine) - 1) / (mine[-1] - mine[0]) for mine in ended)


class Kernel:
    """A real kernel, and how long a trivial cell takes in it."""

    def __enter__(self) -> Kernel:
        from jupyter_client.manager import start_new_kernel

        self.manager, self.client = start_new_kernel(kernel_name="python3")
        self.latencies(20, 0.0)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def latencies(self, count: int, pause: float = 0.05, over: threading.Event | None = None) -> list[float]:
        """Milliseconds of `count` cells, or of as many as there are until it is over."""
        found = []
        for _ in range(count):
            began = time.perf_counter()
            self.client.execute_interactive("1", output_hook=lambda _: None, timeout=60)
            found.append(1e3 * (time.perf_counter() - began))
            if over is not None and over.is_set():
                break
            time.sleep(pause)
        return found


def concurrency(quick: bool) -> dict[str, Any]:
    """The curve over agents in flight, and the kernel's latency beside the most of them."""
    rounds = 5 if quick else 12
    found: dict[str, Any] = {"agents": {}}
    with tempfile.TemporaryDirectory() as folder, Kernel() as kernel:
        idle = kernel.latencies(40 if quick else 150)
        for agents in (10, 1000) if quick else (10, 100, 300, 1000):
            with serving(Tally(1.0)) as (url, told):
                ours, theirs = PROCESSES.Pipe()
                process = PROCESSES.Process(target=crowd, args=(theirs, url, folder, agents, rounds))
                process.start()
                ours.recv()
                over = threading.Event()
                loaded: list[float] = []
                watcher = threading.Thread(target=lambda: loaded.extend(kernel.latencies(10**6, over=over)))  # noqa: B023
                server_cpu = told()[3]
                watcher.start()
                curve = ours.recv()
                over.set()
                watcher.join()
                process.join()
                curve["server_cpu_ms_per_call"] = round(1e3 * (told()[3] - server_cpu) / (agents * rounds), 2)
            curve["latency_ms"] = _latency(loaded)
            found["agents"][str(agents)] = curve
            print(agents, curve, file=sys.stderr)
    most = found["agents"]["1000"]
    more = {name: round(most["latency_ms"][name] - value, 1) for name, value in _latency(idle).items()}
    return found | {
        "share_of_ideal": min(each["share_of_ideal"] for each in found["agents"].values()),
        "share_steady": min(each["share_steady"] for each in found["agents"].values()),
        "kb_per_agent": most["kb_per_agent"],
        "idle_latency_ms": _latency(idle),
        "latency_more_ms": more,
    }


def _latency(found: Sequence[float]) -> dict[str, float]:
    return {"median": round(median(found), 1), "p95": round(quantiles(found, n=20)[-1], 1)}


# ---------------------------------------------------------------- faults

FAULTS = (
    (0.05, Fault(429, retry_after=0.05)),
    (0.02, Fault(500)),
    (0.01, Fault(seconds=3600.0)),
    (0.01, Fault(broken=True)),
)


def faulty(pipe: Any, url: str, folder: str, tasks: int, flying: int, tokens: int | None) -> None:
    """Tasks of one question each, so many of them at once; how they ended."""
    pipe.send(asyncio.run(_faulty(url, Path(folder), tasks, flying, tokens)))


async def _faulty(url: str, folder: Path, tasks: int, flying: int, tokens: int | None) -> dict[str, Any]:
    office = Office(folder / f"faults-{tokens}.db", url, tokens, timeout_seconds=4.0)
    ended: collections.Counter[str] = collections.Counter()
    numbers = iter(range(tasks))

    async def agent() -> None:
        for number in numbers:
            try:
                await office.ask(f"task-{number}")
                ended["results"] += 1
            except Spent:
                ended["spent"] += 1
            except SwarmError:
                ended["failures"] += 1
            except Exception as error:
                ended[f"lost: {error!r}"[:100]] += 1

    await asyncio.gather(*(agent() for _ in range(flying)))
    state, taken = office.state, office.caller.account.taken.tokens
    await office.close()
    failed = sum(each.failures for each in state.spent.values())
    return {**ended, "taken": taken, "unsettled": len(state.asking), "recorded_failed_calls": failed}


def _faults(tasks: int, flying: int, tokens: int | None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, serving(Tally(0.2, FAULTS)) as (url, told):
        ours, theirs = PROCESSES.Pipe()
        process = PROCESSES.Process(target=faulty, args=(theirs, url, folder, tasks, flying, tokens))
        process.start()
        found = ours.recv()
        process.join()
        asked, answered, counted, _ = told()
    ended = sum(found.get(each, 0) for each in ("results", "failures", "spent"))
    twice = sum(count - 1 for count in collections.Counter(name for name, _ in answered).values())
    found |= {"tasks": tasks, "requests": len(asked), "ended_share": ended / tasks, "paid_twice": twice}
    return found | {"tokens": tokens, "counted_by_server": counted}


def faults(quick: bool) -> dict[str, Any]:
    """Once with money for all, once with money for a third."""
    tasks = 2000 if quick else 10_000
    ample, tight = _faults(tasks, 200, None), _faults(tasks, 200, tasks // 3 * sum(USAGE))
    passed = tight["counted_by_server"] > tight["tokens"] or tight["taken"] > tight["tokens"]
    return {
        "ended_share": min(ample["ended_share"], tight["ended_share"]),
        "budget_passed": passed,
        "paid_twice": ample["paid_twice"] + tight["paid_twice"],
        "ample": ample,
        "tight": tight,
    }


# ---------------------------------------------------------------- resume


def mortal(pipe: Any, url: str, path: str, questions: int) -> None:
    """Asks all questions, a few at once, those first that were asked before; tells how long writing took."""
    pipe.send(asyncio.run(_mortal(pipe, url, Path(path), questions)))


async def _mortal(pipe: Any, url: str, path: Path, questions: int) -> list[float]:
    pipe.send("begun")
    office = Office(path, url)
    numbers = iter(range(questions))

    async def agent() -> None:
        for number in numbers:
            await office.ask(f"question-{number}")

    await asyncio.gather(*(agent() for _ in range(8)))
    await office.close()
    return office.seconds


def _durable(path: Path, names: Sequence[str]) -> set[str]:
    """Names of the questions whose answers are in the ledger."""
    if not path.exists():
        return set()
    store = SqlStore.at(path)
    try:
        return {name for name in names if store.answers(SWARM, name)}
    finally:
        store.close()


def resume(quick: bool) -> dict[str, Any]:
    """Kill, look what is durable, begin again; whenever all is answered, another ledger."""
    kills, questions, chance = 10 if quick else 100, 300, random.Random(5)
    names = [f"question-{number}" for number in range(questions)]
    count: collections.Counter[str] = collections.Counter()
    writing: list[float] = []
    with tempfile.TemporaryDirectory() as folder, serving(Tally(0.02)) as (url, told):
        while count["kills"] < kills:
            count["ledgers"] += 1
            path, durable = Path(folder) / f"{count['ledgers']}.db", set[str]()
            while len(durable) < questions and count["kills"] < kills:
                before = told()
                killed_at, seconds = _killed_or_done(url, path, questions, chance.uniform(0.0, 1.0))
                asked, answered = (now[len(then) :] for now, then in zip(told()[:2], before[:2], strict=True))
                count["kills"] += killed_at < float("inf")
                writing += seconds
                count["asked_again"] += len(durable.intersection(asked))
                durable = _durable(path, names)
                lost = [at for name, at in answered if name not in durable]
                count["lost_before_written"] += sum(at < killed_at for at in lost)
                count["lost_on_the_wire"] += sum(at >= killed_at for at in lost)
            count["durable_answers"] += len(durable)
    return {"asked_again": 0, **count, "writing_ms": _latency([1e3 * each for each in writing])}


def _killed_or_done(url: str, path: Path, questions: int, seconds: float) -> tuple[float, list[float]]:
    """When it was killed (never: infinity), and how long each writing of answers took where it came to its end."""
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=mortal, args=(theirs, url, str(path), questions))
    process.start()
    theirs.close()
    ours.recv()
    killed_at, finished = float("inf"), list[float]()
    if ours.poll(seconds):
        finished = ours.recv()
    else:
        killed_at = time.monotonic()
        os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    return killed_at, finished


# ---------------------------------------------------------------- all of it

PARTS: dict[str, Callable[[bool], dict[str, Any]] | None] = {
    "concurrency": concurrency,
    "faults": faults,
    "resume": resume,
    "ask": lambda quick: asking.ask(quick, _say),
    "poor_researcher": lambda quick: researchers.poor_researcher(1 if quick else 5, _say, 150 if quick else 1500),
    "mixture": lambda quick: researchers.mixture(1 if quick else 8, _say, 80 if quick else 300),
}
"""By name, each told whether to be quick; None where nothing is measured yet."""


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="all of it under a minute; only a rough picture")
    parser.add_argument(
        "--part", action="append", choices=list(PARTS), help="only this one; may be given several times"
    )
    arguments = parser.parse_args()
    found: dict[str, Any] = dict.fromkeys(PARTS)
    for name, part in PARTS.items():
        if part is not None and name in (arguments.part or PARTS):
            found[name] = part(arguments.quick)
            print(name, found[name], file=sys.stderr)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
