"""How well the library finds: nDCG@10 on the test queries of SciFact (Wadden et al. 2020, in BEIR's form).

    python benchmarks/library.py [--quick] [--split test] [--data ../shared/data]

Abstracts are cut into passages as any paper is; a paper is as good as its best passage. `--quick` leaves the vectors
out (some 8,600 passages are embedded otherwise: minutes). Prints one JSON object last; weights were chosen on `train`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jupyter_swarm.library.fusion import CANDIDATES, WEIGHT, fuse
from jupyter_swarm.library.lexical import Lexical
from jupyter_swarm.library.papers import Draft, Paper, Place
from jupyter_swarm.library.passages import spans
from jupyter_swarm.protocols import Passage

Ranking = list[tuple[int, float]]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="words alone")
    parser.add_argument("--split", choices=("train", "test"), default="test")
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    options = parser.parse_args()
    folder = options.data / "scifact"
    if not (folder / "corpus.jsonl").exists():
        print(json.dumps({"skipped": "the SciFact data are not there: --data FOLDER"}))
        return 0
    passages = corpus(folder)
    queries, judgements = questions(folder, options.split)
    began = time.perf_counter()
    index = Lexical(passages)
    built = time.perf_counter() - began
    result: dict[str, object] = {"split": options.split, "queries": len(judgements), "passages": len(passages)}
    began = time.perf_counter()
    result["lexical_ndcg10"] = measure(lambda query: fuse(index.scores(query), None), passages, queries, judgements)
    result |= {"index_s": round(built, 2), "lexical_query_ms": _per_query(began, judgements), "fused_ndcg10": None}
    if options.quick:
        result["note"] = "quick: words alone; without --quick also fused with vectors"
    else:
        result |= fused(index, passages, queries, judgements)
    print(json.dumps(result))
    return 0


def fused(
    index: Lexical, passages: Sequence[Passage], queries: Mapping[str, str], judgements: Mapping[str, set[str]]
) -> dict[str, object]:
    """With vectors in Chroma, as the librarian keeps them."""
    from jupyter_swarm.library import vectors
    from jupyter_swarm.library.embedder import find

    model = find(os.environ.get("JUPYTER_SWARM_EMBEDDER", ""), download=False)
    if model.folder is None:
        return {"note": "; ".join(model.notes)}
    vectors.THREADS = os.cpu_count() or 1
    numbers = {passage.id: number for number, passage in enumerate(passages)}
    with tempfile.TemporaryDirectory() as folder:
        store = vectors.Vectors(Path(folder), model)
        began = time.perf_counter()
        for start in range(0, len(passages), 64):
            store.add(passages[start : start + 64])
            if start % 1024 == 0:
                print(f"{start} of {len(passages)} passages embedded", file=sys.stderr, flush=True)
        embedded = time.perf_counter() - began
        began = time.perf_counter()

        def search(query: str) -> Ranking:
            near = {numbers[key]: score for key, score in store.query(query, CANDIDATES)}
            return fuse(index.scores(query), near)

        score = measure(search, passages, queries, judgements)
    return {
        "fused_ndcg10": score,
        "fused_query_ms": _per_query(began, judgements),
        "weight": WEIGHT,
        "model": model.name,
        "embedded_per_s": round(len(passages) / embedded, 1),
    }


def corpus(folder: Path) -> list[Passage]:
    """All abstracts, cut."""
    found: list[Passage] = []
    for line in (folder / "corpus.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        text = entry["text"]
        place = Place(name="", start=0, end=len(text))
        draft = Draft(title=entry["title"], form="paper", text=text, places=(place,))
        paper = Paper(
            title=draft.title,
            form="paper",
            text=text,
            places=(place,),
            paper=entry["_id"],
            source="",
            spans=spans(draft),
        )
        found += paper.passages()
    return found


def questions(folder: Path, split: str) -> tuple[dict[str, str], dict[str, set[str]]]:
    """Queries by id, and the papers that are relevant for each."""
    lines = (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    queries = {entry["_id"]: entry["text"] for entry in map(json.loads, lines)}
    judgements: dict[str, set[str]] = {}
    for line in (folder / "qrels" / f"{split}.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, paper, grade = line.split("\t")
        if int(grade) > 0:
            judgements.setdefault(query, set()).add(paper)
    return queries, judgements


def measure(
    search: Callable[[str], Ranking],
    passages: Sequence[Passage],
    queries: Mapping[str, str],
    judgements: Mapping[str, set[str]],
) -> float:
    """Mean nDCG@10 over papers (all grades are 1)."""
    total = 0.0
    for query, relevant in judgements.items():
        papers = list(dict.fromkeys(passages[number].paper for number, _ in search(queries[query])))[:10]
        gained = sum(1 / math.log2(rank + 2) for rank, paper in enumerate(papers) if paper in relevant)
        total += gained / sum(1 / math.log2(rank + 2) for rank in range(min(10, len(relevant))))
    return round(total / len(judgements), 4)


def _per_query(began: float, judgements: Mapping[str, set[str]]) -> float:
    return round(1000 * (time.perf_counter() - began) / len(judgements), 2)


if __name__ == "__main__":
    sys.exit(main())
