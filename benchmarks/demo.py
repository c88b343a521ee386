"""What a minute buys: the wine cell on real kernels, with a library of documentation and notes.

    python benchmarks/demo.py [--quick] [--seconds 60] [--workers 2] [--seed 0]

JSON last. `baseline` and `best` are means of the metric (`best` measured again on untouched seeds); `supported`,
`refuted` and `open` count findings; `citations` counts those of findings whose quoted passage names what the finding is
about (papers and documentation apart in the line before), `citations_verbatim` how many of these stand word for word at
their place. `--quick` takes half the time. The index of the library is made beforehand, as it is on a Binder.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from jupyter_swarm import Swarm, Workspace
from jupyter_swarm.library import LocalLibrary
from jupyter_swarm.roles.prospects import speaks_of
from jupyter_swarm.words import Citation, Hypothesis

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
INDEX_SECONDS = 240.0


def context() -> dict[str, Any]:
    """The variables of the quickstart's first cell, and the cell itself as `CELL`."""
    parts = (NOTEBOOKS / "wine.py").read_text(encoding="utf-8").split("# %%\n")
    namespace: dict[str, Any] = {}
    exec(parts[1], namespace)
    return namespace | {"CELL": parts[2]}


def stocked(workspace: Workspace) -> LocalLibrary:
    """A library of scikit-learn's documentation and our notes, its index made."""
    library = LocalLibrary(workspace)
    library.add(["module:sklearn.preprocessing", "module:sklearn.svm", NOTEBOOKS / "notes" / "scaling.md"])
    begun = time.monotonic()
    assert library.librarian is not None
    while not library.librarian.ready(3) and time.monotonic() - begun < INDEX_SECONDS:
        library.librarian.start_if_needed()
        time.sleep(0.5)
    print(f"index after {time.monotonic() - begun:.0f} s: {library.librarian.ready(3)}", flush=True)
    return library


def names_it(library: LocalLibrary, hypothesis: Hypothesis, citation: Citation) -> bool:
    """Whether the cited passage names a knob or swap of the finding."""
    text = f"{library.passage(citation.passage).text} {citation.place}"
    edits = hypothesis.variation.edits[len(hypothesis.reference.edits) :] or hypothesis.variation.edits
    return any(name in text for name in speaks_of(edits))


def main() -> None:
    """Run the swarm and print one JSON object last."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="30 seconds")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="of the swarm's own choices")
    options = parser.parse_args()
    seconds = 30.0 if options.quick else options.seconds
    namespace = context()
    cell = namespace.pop("CELL")
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        workspace = Workspace(folder).create()
        library = stocked(workspace)
        swarm = Swarm.start(
            cell,
            name="wine",
            maximize="accuracy",
            budget=f"{seconds:g}s",
            agents=16,
            workers=options.workers,
            seed=options.seed,
            namespace=namespace,
            workspace=workspace,
        )
        state = swarm.wait()
        result = swarm.result()
        for finding in result["findings"]:
            low, high = finding["low"], finding["high"]
            bounds = f"[{low:.4f}, {high:.4f}]" if low is not None and high is not None else "[unbounded]"
            print(f"{finding['verdict']:9} {finding['effect']:+.4f} {bounds} {finding['statement']}")
        cited = [
            each
            for case in state.findings()
            for each in case.hypothesis.citations
            if names_it(library, case.hypothesis, each)
        ]
        verbatim = sum(library.verify(each) for each in cited)
        papers = sum(each.kind == "paper" for each in cited)
        print(f"citations: {papers} of papers, {len(cited) - papers} of documentation")
        if library.librarian is not None:
            library.librarian.shutdown_if_idle()
        verdicts = [finding["verdict"] for finding in result["findings"]]
        print(
            json.dumps(
                {
                    "experiments": result["experiments"],
                    "baseline": result["baseline"]["mean"],
                    "best": result["best"]["mean"],
                    **{verdict: verdicts.count(verdict) for verdict in ("supported", "refuted", "open")},
                    "citations": len(cited),
                    "citations_verbatim": verbatim,
                }
            )
        )


if __name__ == "__main__":
    main()
