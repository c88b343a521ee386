"""How often a swarm calls noise a finding, and how often it finds what is there.

The metric is redrawn from a hash of the seed and every knob's value, plus a part that both runs of a pair share. Four
kinds of noise: normal, Laplace, the difference of two lognormals, and a coarse grid with ties. Engine, roles, ledger
(SQLite in memory) and statistics are the real ones; a function stands for the laboratory.

    python benchmarks/null.py            1,000 swarms of 300 experiments, and 400 with a planted knob
    python benchmarks/null.py --quick    a tenth

The planted knob (`flag=True`) is worth one standard deviation of the paired difference. JSON last: `swarms`,
`with_supported`, `upper95` (Clopper and Pearson 1934, one-sided), `planted`, `planted_found`.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import math
import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any

from scipy.stats import beta, norm

from jupyter_swarm import cell, minds, roles
from jupyter_swarm.engine.swarm import Swarm
from jupyter_swarm.events import SwarmRequested
from jupyter_swarm.experiments import FunctionLaboratory
from jupyter_swarm.protocols import Citation, Hit, Passage
from jupyter_swarm.state import SwarmState
from jupyter_swarm.store import SqlStore
from jupyter_swarm.words import Analysis, Budget, Context, Experiment, Objective

NOISES = ("normal", "laplace", "lognormals", "ties")
EXPERIMENTS = 300
CELL = '''"""Which setting helps?"""
score = measure(alpha=1.0, depth=3, rate=0.1, momentum=0.5, width=16, flag=False, mode="plain", seed=seed)
'''


def measure(
    alpha: float = 1.0,
    depth: int = 3,
    rate: float = 0.1,
    momentum: float = 0.5,
    width: int = 16,
    flag: bool = False,
    mode: str = "plain",
    seed: int = 0,
) -> float:
    """Draw a number.

    Parameters
    ----------
    alpha : float, default=1.0
    depth : int, default=3
    rate : float, default=0.1
    momentum : float, default=0.5
    width : int, default=16
    flag : bool, default=False
    mode : {'plain', 'fancy', 'odd'}, default='plain'
    """
    raise AssertionError("the laboratory draws the metric")


class EmptyLibrary:
    """A library without papers."""

    def search(self, query: str, limit: int = 10) -> list[Hit]:
        """Nothing."""
        return []

    def cite(self, passage: Passage, terms: Any) -> Citation:
        """There is no passage to cite."""
        raise LookupError("an empty library cites nothing")

    def verify(self, citation: Citation) -> bool:
        """Nothing stands in it."""
        return False


@cache
def analysis() -> Analysis:
    """The cell as the kernel would read it."""
    return cell.read(CELL, metric="score", namespace={"measure": measure, "seed": 0})


def uniform(*parts: object) -> float:
    """A number in (0, 1) from a hash."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 0.5) / 2.0**64


def noise(kind: str, *parts: object) -> float:
    """One draw of a noise with mean 0 and standard deviation 1 (nearly, for ties)."""
    if kind == "laplace":
        side = uniform("side", *parts) - 0.5
        return -math.copysign(math.log(1.0 - 2.0 * abs(side)), side) / math.sqrt(2.0)
    z = float(norm.ppf(uniform("a", *parts)))
    if kind == "lognormals":
        # A metric whose own noise is skewed; a pair's difference is then one of two lognormals.
        return (math.exp(z) - math.exp(0.5)) / math.sqrt((math.e - 1.0) * math.e)
    return round(z) / math.sqrt(1.0 + 1.0 / 12.0) if kind == "ties" else z


def metric(world: str, kind: str, planted: bool, experiment: Experiment) -> float:
    """The metric of one experiment: shared by the pair, its own, and the planted effect."""
    shared = noise("normal", world, "shared", experiment.seed)
    own = noise(kind, world, experiment.seed, experiment.code)
    effect = math.sqrt(2.0) if planted and "flag=True" in experiment.code else 0.0
    return shared + own + effect


def swarm(number: int, kind: str, planted: bool) -> SwarmState:
    """Run one swarm to its end."""
    world = f"{number}/{kind}/{planted}"
    store = SqlStore.memory()
    request = SwarmRequested(
        objective=Objective(metric="score"),
        budget=Budget(experiments=EXPERIMENTS),
        agents=16,
        analysis=analysis(),
        context=Context(),
        cell_hash="",
        options={"seed": number},
    )
    store.append("null", [request])
    lease = store.lease("null", "benchmark")
    assert lease is not None
    laboratory = FunctionLaboratory(lambda experiment: metric(world, kind, planted, experiment), workers=2)
    engine = Swarm(
        store,
        lease,
        laboratory,
        EmptyLibrary(),
        roles=roles.find_all(),
        minds={"classical": mind()},
        context="null",
    )
    asyncio.run(engine.work())
    store.close()
    return engine.state


@cache
def mind() -> Any:
    """One mind for all swarms of a process: what it remembers are pure results."""
    return minds.find("classical")


def outcome(job: tuple[int, str, bool]) -> dict[str, Any]:
    """What came of one swarm."""
    number, kind, planted = job
    begun = time.perf_counter()
    state = swarm(number, kind, planted)
    supported = [case for case in state.supported() if case.evidence]
    named = [
        case
        for case in supported
        if any(edit.kind == "set" and edit.target.endswith("flag") for edit in case.hypothesis.variation.edits)
    ]
    return {
        "kind": kind,
        "planted": planted,
        "supported": len(supported),
        "named": bool(named),
        "experiments": state.experiments,
        "plans": len(state.trials),
        "phase": state.phase,
        "seconds": time.perf_counter() - begun,
    }


def upper95(successes: int, trials: int) -> float:
    """One-sided upper 95 % bound of a share."""
    return 1.0 if successes >= trials else float(beta.ppf(0.95, successes + 1, trials - successes))


def main() -> None:
    """Run all swarms on all cores and print one JSON object last."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the swarms")
    parser.add_argument("--swarms", type=int, default=1000)
    parser.add_argument("--planted", type=int, default=400)
    options = parser.parse_args()
    part = 10 if options.quick else 1
    nulls, planted = options.swarms // part, options.planted // part
    jobs = [(number, NOISES[number % 4], False) for number in range(nulls)]
    jobs += [(number, NOISES[number % 4], True) for number in range(planted)]
    begun = time.perf_counter()
    with ProcessPoolExecutor(max_workers=len(os.sched_getaffinity(0))) as pool:
        outcomes = list(pool.map(outcome, jobs, chunksize=4))
    false = [each for each in outcomes if not each["planted"] and each["supported"]]
    found = [each for each in outcomes if each["planted"] and each["named"]]
    by_kind = Counter(each["kind"] for each in false)
    print(f"false by noise: {dict(by_kind)}; found by noise: {dict(Counter(each['kind'] for each in found))}")
    print(f"plans a swarm: {sum(each['plans'] for each in outcomes) / len(outcomes):.1f}")
    print(f"experiments a swarm: {sum(each['experiments'] for each in outcomes) / len(outcomes):.0f}")
    print(f"{time.perf_counter() - begun:.0f} s")
    result = {
        "swarms": nulls,
        "with_supported": len(false),
        "upper95": round(upper95(len(false), nulls), 4),
        "planted": planted,
        "planted_found": len(found),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
