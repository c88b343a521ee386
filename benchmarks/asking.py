"""`%swarm ask` over 10,000 passages: how long until the first words are there, beyond the model's own time.

    python benchmarks/asking.py [--quick]

The library is real: 5,183 abstracts of SciFact (where ../shared/data is there) and documentation of scikit-learn. The
server speaks OpenAI's protocol over real HTTP in a process of its own, and takes half a second before its first word.
Each question takes the way of `jupyter swarm ask`: ledger, search, prompt, LangChain, check, terminal. `first` is the
first question of a fresh process that has imported everything (imports are told apart, as `importing_ms`), `later` the
next ones of that process, each another one. All without a librarian, then with one that has read all passages (they
are embedded beforehand: a quarter of an hour on two cores).

`--quick` has some 400 passages. Prints one JSON object at the end.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from jupyter_swarm.jupyter import asking, verbs
from jupyter_swarm.library import LocalLibrary
from jupyter_swarm.library.catalogue import Catalogue
from jupyter_swarm.library.client import EMBEDDER
from jupyter_swarm.library.embedder import circumstances, find
from jupyter_swarm.library.wire import Notice
from jupyter_swarm.testing import ModelServer, Reply, Request
from jupyter_swarm.workspace import Workspace

PROCESSES = multiprocessing.get_context("spawn")
DATA = Path(__file__).parents[2] / "shared" / "data"
SERVER_SECONDS = 0.5
BATCH = 64
PATIENCE_SECONDS = 120.0
"""So long a librarian may take to begin."""
MODULES = ("svm", "preprocessing", "linear_model", "ensemble", "decomposition", "metrics")
_PASSAGE = re.compile(r'<data kind="passage" name="(P\d+)" bound="(\w+)">\n(.*?)\n</data bound="\2">', re.DOTALL)
_WORDS = re.compile(r"\b[A-Za-z]+(?: [A-Za-z]+){2,5}\b")
QUESTIONS = [
    f"Does {what} depend on {which}?"
    for what in ("regularization", "cell growth", "the kernel width", "blood pressure", "sparsity", "immune response")
    for which in ("feature scaling", "age", "the sample size", "vitamin D", "gene expression", "the learning rate")
]


# ---------------------------------------------------------------- the server


def reply(request: Request) -> Reply:
    """A sentence that rests on the first passage with a few words in a row."""
    found = ((name, _WORDS.search(text.partition(":\n")[2])) for name, _, text in _PASSAGE.findall(request.text))
    name, quote = next((name, words[0]) for name, words in found if words)
    return Reply(f'It does, in some cases [{name}: "{quote}"]. More is not known.', seconds=SERVER_SECONDS)


def serve(pipe: Any) -> None:
    """A server in this process, until it is told to stop."""
    with ModelServer(reply) as server:
        pipe.send(server.url)
        with contextlib.suppress(EOFError):
            pipe.recv()


@contextmanager
def serving() -> Iterator[str]:
    """A server in a process of its own: its address."""
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send(None)
        process.join(10.0)


# ---------------------------------------------------------------- the library


def stocked(folder: Path, quick: bool) -> Workspace:
    """A workspace with the papers; by words alone for now."""
    notes = folder / "notes"
    notes.mkdir()
    if (DATA / "scifact" / "corpus.jsonl").exists():
        lines = (DATA / "scifact" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
        for entry in map(json.loads, lines[:: 40 if quick else 1]):
            text = f"# {entry['title']}\n\n{entry['text']}\n"
            (notes / f"{entry['_id']}.md").write_text(text, encoding="utf-8")
    workspace = Workspace(folder).create()
    papers = [notes] if any(notes.iterdir()) else []
    LocalLibrary(workspace, vectors=False).add(
        [*papers, *(f"module:sklearn.{each}" for each in MODULES[: 1 if quick else None])]
    )
    said = Notice(pid=1, state="none", why="no model", circumstances=circumstances(""), at=time.time() + 1e6)
    (workspace.library / "librarian.json").write_bytes(msgspec.json.encode(said))
    return workspace


def embedded(folder: Path) -> None:
    """Embed all passages as the librarian does, but with all cores and less politely."""
    from jupyter_swarm.library import vectors

    model = find(os.environ.get(EMBEDDER, ""), download=False)
    vectors.THREADS = os.cpu_count() or 1
    workspace = Workspace(folder)
    catalogue = Catalogue(workspace)
    catalogue.refresh()
    passages = [passage for paper in catalogue.papers() for passage in paper.passages()]
    store = vectors.Vectors(workspace.library / "chroma", model)
    # Those of one length together: none is padded.
    passages.sort(key=lambda passage: len(passage.text))
    for start in range(0, len(passages), BATCH):
        store.add(passages[start : start + BATCH])
        if start % (20 * BATCH) == 0:
            print(f"{start} of {len(passages)} passages embedded", file=sys.stderr, flush=True)
    workspace.store.close()


@contextmanager
def librarian(workspace: Workspace, say: Callable[[str], None]) -> Iterator[bool]:
    """A librarian that has read all passages, where there is an embedding model."""
    if find(os.environ.get(EMBEDDER, ""), download=False).folder is None:
        say("no librarian: there is no embedding model on this machine")
        yield False
        return
    (workspace.library / "librarian.json").unlink()
    embedding = PROCESSES.Process(target=embedded, args=(workspace.folder,), daemon=True)
    embedding.start()
    embedding.join()
    library = LocalLibrary(workspace)
    library.papers()
    ours, through = library.librarian, library._catalogue.through
    assert ours is not None
    ours._idle_seconds = 10 * PATIENCE_SECONDS
    until = time.monotonic() + PATIENCE_SECONDS
    ours.start_if_needed()
    try:
        while not (ready := ours.ready(through)) and time.monotonic() < until:
            time.sleep(1.0)
        if not ready:
            said = ours.status()
            say(f"no librarian has read the passages: {said.why or said.state if said else 'it said nothing'}")
        yield ready
    finally:
        said = ours.status()
        if said is not None and said.state in ("starting", "ready"):
            os.kill(said.pid, signal.SIGTERM)
            until = time.monotonic() + PATIENCE_SECONDS
            while Path(f"/proc/{said.pid}").exists() and time.monotonic() < until:
                time.sleep(0.05)


# ---------------------------------------------------------------- asking


class Clocked(io.StringIO):
    """A terminal that remembers when the first words were written."""

    first = 0.0

    def write(self, text: str) -> int:
        """Write."""
        if text.strip() and not self.first:
            self.first = time.perf_counter()
        return super().write(text)


def asked(folder: Path, url: str, question: str) -> float:
    """Milliseconds until the first words of an answer, without those of the server."""
    verb, terminal = verbs.VERBS["ask"], Clocked()
    words = [question, "--model", "local:any", "--base-url", url]
    with contextlib.redirect_stdout(terminal):
        began = time.perf_counter()
        answer = verb.carry_out(verbs.Asked(verbs.read(verb, words, "terminal"), Workspace(folder), "terminal"))
    assert "[1]" in terminal.getvalue(), terminal.getvalue()
    assert not answer.data["answered_before"], question
    return 1e3 * (terminal.first - began - SERVER_SECONDS)


def asker(pipe: Any, folder: Path, url: str, modules: Sequence[str], questions: Sequence[str]) -> None:
    """Import, ask all questions one after the other; tell what that took, and what is imported now."""
    began = time.perf_counter()
    for name in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    importing = 1e3 * (time.perf_counter() - began)
    found = [asked(folder, url, each) for each in questions]
    for workspace, *_ in asking._open.values():
        workspace.store.close()
    pipe.send((importing, found, list(sys.modules)))


def fresh(folder: Path, url: str, modules: Sequence[str], questions: Sequence[str]) -> tuple[float, list[float], Any]:
    """The same in a fresh process."""
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=asker, args=(theirs, folder, url, modules, questions))
    process.start()
    theirs.close()
    try:
        found: tuple[float, list[float], Any] = ours.recv()
    finally:
        process.join()
    return found


def measured(folder: Path, url: str, quick: bool, questions: Iterator[str]) -> dict[str, float]:
    """First and later questions of several processes."""
    *_, modules = fresh(folder, url, [], [next(questions)])
    firsts, laters, imports = [], [], []
    for _ in range(2 if quick else 7):
        importing, (first, *later), _ = fresh(folder, url, modules, [next(questions) for _ in range(11)])
        imports.append(importing)
        firsts.append(first)
        laters += later
    return {
        "first_ms": round(median(firsts), 1), "first_worst_ms": round(max(firsts), 1),
        "later_median_ms": round(median(laters), 1), "later_worst_ms": round(max(laters), 1),
        "importing_ms": round(median(imports), 1),
    }  # fmt: skip


def ask(quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Without a librarian, and with one (None where there is no embedding model)."""
    with tempfile.TemporaryDirectory() as place, serving() as url:
        folder = Path(place)
        workspace = stocked(folder, quick)
        library = LocalLibrary(workspace, vectors=False)
        began = time.perf_counter()
        library.prepare()
        built = time.perf_counter() - began
        papers = library.papers()
        questions = (f"{each} ({turn})" for turn in range(100) for each in QUESTIONS)
        found: dict[str, Any] = {
            "papers": len(papers), "passages": sum(each.passages for each in papers), "built_s": round(built, 2),
            "without_librarian": measured(folder, url, quick, questions), "with_librarian": None,
        }  # fmt: skip
        say(f"ask: {found}")
        if not quick:  # a librarian takes longer to begin than a quick look may take
            with librarian(workspace, say) as ready:
                found["with_librarian"] = measured(folder, url, quick, questions) if ready else None
        workspace.store.close()
    worst = [each for each in (found["without_librarian"], found["with_librarian"]) if each]
    return found | {
        name: max(each[name] for each in worst) for name in ("first_ms", "later_median_ms", "later_worst_ms")
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="some 400 passages")
    arguments = parser.parse_args()
    print(json.dumps(ask(arguments.quick, lambda text: print(text, file=sys.stderr, flush=True))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
