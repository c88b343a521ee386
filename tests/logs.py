"""A plausible swarm, played as events through the real ledger: for tests of everything that shows or reports one.

`wine()` is the wine cell of the README: an answer, a chain of two supported changes, an ablation, refuted and open
hypotheses, failures of three kinds. `moves` are pairs (the swarm's own clock, event).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean

import msgspec

from jupyter_swarm import events as e
from jupyter_swarm import statistics
from jupyter_swarm.state import SwarmState
from jupyter_swarm.store import SqlStore
from jupyter_swarm.words import (
    Analysis,
    Block,
    Budget,
    Capture,
    Citation,
    Context,
    Edit,
    Evidence,
    Experiment,
    Hypothesis,
    Insert,
    Knob,
    Locked,
    Objective,
    Parameter,
    Plan,
    Policy,
    Purpose,
    Recipe,
    Run,
    Swap,
    Variation,
)

Move = tuple[float, e.AnyEvent]

CELL = '''"""Which preprocessing and classifier suit these wines best?"""
model = make_pipeline(Normalizer(), SVC(C=1.0))
accuracy = cross_val_score(model, X, y, cv=StratifiedKFold(5, shuffle=True, random_state=seed)).mean()
'''

SCALERS = {
    "MinMaxScaler": (0.986, 0.006),
    "StandardScaler": (0.983, 0.006),
    "RobustScaler": (0.980, 0.007),
    "MaxAbsScaler": (0.974, 0.008),
}

CATALOGUE = {
    **{
        path: Recipe(path=path, shape="fit/transform")
        for path in (f"sklearn.preprocessing:{name}" for name in ("Normalizer", *SCALERS))
    },
    "sklearn.pipeline:make_pipeline": Recipe(
        path="sklearn.pipeline:make_pipeline", parameters=(Parameter(name="*steps"),)
    ),
    "sklearn.svm:SVC": Recipe(
        path="sklearn.svm:SVC",
        parameters=(Parameter(name="C", knob=Knob(name="C", value=1.0, low=0.01, high=100.0, log=True)),),
        shape="fit/predict",
    ),
}
"""By which the edits of these swarms can be made again."""

DOCS = Citation(
    paper="sklearn.preprocessing@1.7",
    title="sklearn.preprocessing (documentation, 1.7)",
    kind="documentation",
    passage="p-minmax",
    place="sklearn.preprocessing.MinMaxScaler",
    start=120,
    end=187,
    quote="Transform features by scaling each feature to a given range.",
)
SVC_DOCS = Citation(
    paper="sklearn.svm@1.7",
    title="sklearn.svm (documentation, 1.7)",
    kind="documentation",
    passage="p-svc",
    place="sklearn.svm.SVC, parameter C",
    start=640,
    end=720,
    quote="The strength of the regularization is inversely proportional to C.",
)
PAPER = Citation(
    paper="notes-scaling",
    title="Notes on feature scaling",
    kind="paper",
    passage="p-notes",
    place="§ 2 Distances",
    start=2048,
    end=2140,
    quote="A kernel of distances sees little but the feature with the largest range, unless each is scaled.",
)


def swapped(scaler: str, c: float = 1.0) -> Variation:
    """The wine cell with another scaler, and another C."""
    edits = (
        []
        if scaler == "Normalizer"
        else [Edit(kind="swap", target="Normalizer", value=f"sklearn.preprocessing:{scaler}")]
    )
    if c != 1.0:
        edits.append(Edit(kind="set", target="SVC.C", value=c))
    return Variation(code=CELL.replace("Normalizer", scaler).replace("C=1.0", f"C={c!r}"), edits=tuple(edits))


def request(code: str = CELL, budget: Budget | None = None, question: str | None = None) -> e.SwarmRequested:
    """What the magic would append for the wine cell."""
    candidates = tuple(f"sklearn.preprocessing:{name}" for name in SCALERS)
    analysis = Analysis(
        code=code,
        question="Which preprocessing and classifier suit these wines best?" if question is None else question,
        metric="accuracy",
        knobs=(Knob(name="SVC.C", value=1.0, low=0.01, high=100.0, log=True, line=2, origin="docstring"),),
        swaps=(Swap(name="Normalizer", current="sklearn.preprocessing:Normalizer", candidates=candidates, line=2),),
        inserts=(Insert(name="make_pipeline[0]", candidates=candidates, line=2),),
        blocks=(Block(name="make_pipeline.Normalizer", text="Normalizer()", line=2),),
        locked=(Locked(text="accuracy = cross_val_score(…)", why="it makes the metric", line=3),),
        scope="splits",
        test_ratio=0.25,
        names=("X", "y", "make_pipeline", "Normalizer", "SVC", "cross_val_score", "StratifiedKFold"),
        imported={path.partition(":")[2]: path for path in CATALOGUE},
        catalogue=CATALOGUE,
    )
    context = Context(
        imports=("from sklearn.svm import SVC", "from sklearn.pipeline import make_pipeline"),
        captures=(Capture(name="X", kind="data", describes="ndarray (178, 13) float64", bytes=18512),),
        python="/usr/bin/python3",
        python_version="3.11.2",
        versions={"scikit-learn": "1.7.2", "numpy": "2.3.4"},
    )
    return e.SwarmRequested(
        objective=Objective(metric="accuracy"),
        budget=budget or Budget(seconds=120.0, experiments=400),
        agents=8,
        analysis=analysis,
        context=context,
        cell_hash="wine",
        options={"workers": 2, "seed": 0},
    )


class Player:
    """Plays a swarm move by move. `moves` is what happened, `state` the fold of it so far."""

    def __init__(self, seed: int = 7, name: str = "wine") -> None:
        self.random = random.Random(seed)
        self.moves: list[Move] = []
        self.state = SwarmState(name=name)
        self.clock = 0.0
        self.number = 0
        self.shared: dict[int, float] = {}

    def say(self, *events: e.AnyEvent, after: float = 0.0) -> None:
        """Append and fold."""
        self.clock += after
        for event in events:
            self.moves.append((self.clock, event))
            number = len(self.moves)
            self.state.apply(e.Record(number, self.state.name, 1.79e9 + self.clock, self.clock, event))

    def begin(self, asked: e.SwarmRequested | None = None) -> None:
        """Request, runner, agents, directions with what literature found."""
        self.say(asked or request())
        self.say(e.RunnerStarted(pid=4242, host="lab", epoch=1, versions={"jupyter-swarm": "0.1.0"}), after=0.4)
        self.say(e.Noted(text="Embeddings are on disk: search is lexical and semantic"))
        for place, role in enumerate(
            ("literature", "brainstorming", "brainstorming", "tuning", "tuning", "validation"), 1
        ):
            policy = Policy(boldness=round(0.2 + 0.1 * place, 1), depth=6 + place)
            self.say(e.AgentHired(agent=f"{role}-{place}", role=role, mind="classical", policy=policy))
        directions = {
            "D1": ("Another scaler in place of Normalizer", ("Normalizer",)),
            "D2": ("The value of C in SVC", ("SVC.C",)),
            "D3": ("One more step in the pipeline", ("make_pipeline[0]",)),
            "D4": ("Without Normalizer", ("make_pipeline.Normalizer",)),
        }
        for direction, (title, targets) in directions.items():
            self.say(e.DirectionOpened(direction=direction, title=title, agent="brainstorming-2", targets=targets))

    def read(self) -> None:
        """What literature finds."""
        favours = {"sklearn.preprocessing:MinMaxScaler": 1.0}
        found = {"D1": (DOCS, PAPER), "D2": (SVC_DOCS,)}
        for direction, citations in found.items():
            self.say(
                e.EvidenceFound(
                    agent="literature-1", direction=direction, query="scaling", citations=citations, favours=favours
                ),
                e.TaskFinished(agent="literature-1", role="literature", direction=direction, seconds=0.3),
                after=0.1,
            )

    def value(self, mean: float, sd: float, seed: int) -> float:
        """A metric: half of its noise is the seed's, shared by all variations."""
        shared = self.shared.setdefault(seed, self.random.gauss(0.0, 1.0))
        return round(mean + sd * (0.6 * shared + 0.8 * self.random.gauss(0.0, 1.0)), 5)

    def run(
        self,
        variation: Variation,
        truth: tuple[float, float] | Run,
        seed: int,
        purpose: Purpose = "screening",
        hypothesis: Hypothesis | None = None,
    ) -> None:
        """Start and finish one experiment."""
        self.number += 1
        experiment = Experiment(
            code=variation.code,
            seed=seed,
            metric="accuracy",
            context="c0",
            purpose=purpose,
            title=hypothesis.statement if hypothesis else "The baseline",
            hypothesis=hypothesis.id if hypothesis else "",
            agent=hypothesis.agent if hypothesis else "",
        )
        self.say(e.ExperimentStarted(number=self.number, experiment=experiment))
        seconds = round(self.random.uniform(0.15, 0.3), 3)
        if isinstance(truth, Run):
            run = msgspec.structs.replace(truth, experiment=experiment.id, seconds=seconds)
        else:
            path = f"swarms/{self.state.name}/runs/{experiment.id}.ipynb"
            value = self.value(*truth, seed)
            run = Run(experiment=experiment.id, value=value, seconds=seconds, notebook=path)
        self.say(e.ExperimentFinished(number=self.number, run=run), after=seconds)

    def propose(self, name: str, statement: str, direction: str, variation: Variation, **more: object) -> Hypothesis:
        """A new hypothesis."""
        agent = "tuning-4" if direction == "D2" else "validation-6" if direction == "ablation" else "brainstorming-2"
        fields = {"reference": self.state.baseline, "predicted": 0.33, "agent": agent, **more}
        hypothesis = Hypothesis(id=name, statement=statement, direction=direction, variation=variation, **fields)  # type: ignore[arg-type]
        self.say(e.HypothesisProposed(hypothesis=hypothesis))
        return hypothesis

    def screen(
        self, hypothesis: Hypothesis, truth: tuple[float, float] | Run, seeds: Iterable[int] = (1, 2, 3)
    ) -> None:
        """Greedy first looks."""
        for seed in seeds:
            self.run(hypothesis.variation, truth, seed, "screening", hypothesis)
        self.say(e.TaskFinished(agent=hypothesis.agent, role="tuning", direction=hypothesis.direction, seconds=0.5))

    def confirm(
        self, hypothesis: Hypothesis, ours: tuple[float, float], theirs: tuple[float, float], pairs: int, note: str = ""
    ) -> Evidence:
        """A plan, its pairs, the verdict by the real statistics."""
        position = len(self.state.trials) + 1
        plan = Plan(
            id=f"P{position}",
            hypothesis=hypothesis.id,
            agent="validation-6",
            first_seed=position * 10_000,
            max_pairs=pairs,
            margin=0.5 * self.state.spread,
            weight=statistics.weight(position),
        )
        self.say(e.PlanRegistered(plan=plan))
        for seed in range(plan.first_seed, plan.first_seed + pairs):
            self.run(hypothesis.variation, ours, seed, "confirmation", hypothesis)
            self.run(hypothesis.reference, theirs, seed, "confirmation", hypothesis)
        gains = self.state.trials[plan.id].gains(self.state.objective)
        against, value = statistics.e_against(gains, plan.margin), statistics.e_value(gains)
        won = plan.weight * value >= 1 / plan.level and fmean(gains) >= plan.margin
        verdict = "supported" if won else "refuted" if against >= 1 / plan.level else "open"
        low, high = statistics.interval(gains)
        new = statistics.new_data_interval(gains, 0.25) or (None, None)
        evidence = Evidence(
            verdict=verdict,  # type: ignore[arg-type]
            effect=fmean(gains),
            low=low,
            high=high,
            pairs=len(gains),
            e_value=value,
            e_against=against,
            scope="splits",
            new_data_low=new[0],
            new_data_high=new[1],
            cost_ratio=1.04,
            note=note,
        )
        self.say(e.VerdictReached(hypothesis=hypothesis.id, plan=plan.id, evidence=evidence), after=0.05)
        return evidence

    def baseline(self) -> None:
        """The person's cell on the first seeds."""
        for seed in range(1, 6):
            self.run(self.state.baseline, (0.631, 0.012), seed, "baseline")

    def best(self, hypothesis: Hypothesis, truth: tuple[float, float]) -> None:
        """The best cell again on untouched seeds."""
        before = len(self.state.rows)
        for seed in range(100_000_000, 100_000_005):
            self.run(hypothesis.variation, truth, seed, "best", hypothesis)
        values = [
            row.run.value for row in list(self.state.rows.values())[before:] if row.run and row.run.value is not None
        ]
        mean, low, high = statistics.mean_interval(values)
        self.say(
            e.BestEstimated(
                variation=hypothesis.variation,
                mean=mean,
                low=low,
                high=high,
                runs=len(values),
                hypothesis=hypothesis.id,
            )
        )


FAILURE = Run(
    experiment="",
    reason="failure",
    message="ValueError: n_components=50 must be between 0 and min(n_samples, n_features)=13",
    traceback="Traceback (most recent call last):\n  …\nValueError: n_components=50 must be between 0 and 13",
)
TIMEOUT = Run(experiment="", reason="timeout", message="no result within 20 s")
MISSING = Run(experiment="", reason="missing", message="accuracy: the result cell showed 0 results where one belongs")


def wine(seed: int = 7) -> list[Move]:
    """The whole swarm, from the request to its end."""
    return _wine(seed).moves


def _wine(seed: int) -> Player:
    p = Player(seed)
    p.begin()
    p.baseline()
    p.read()
    proposed = {}
    for place, (scaler, truth) in enumerate(SCALERS.items(), 1):
        cites = {"citations": (DOCS, PAPER)} if scaler == "MinMaxScaler" else {"citations": (PAPER,)}
        statement = f"{scaler} in place of Normalizer raises accuracy"
        proposed[scaler] = p.propose(
            f"H{place}", statement, "D1", swapped(scaler), predicted=0.33 + 0.05 * place, **cites
        )
        p.screen(proposed[scaler], truth)
    for place, c in enumerate((0.1, 3.0, 10.0), 5):
        tuned = p.propose(
            f"H{place}", f"C = {c:g} in SVC raises accuracy", "D2", swapped("Normalizer", c), citations=(SVC_DOCS,)
        )
        p.screen(tuned, (0.600 if c < 1 else 0.634, 0.012))
    for place, (step, end) in enumerate(
        (("PCA(n_components=50)", FAILURE), ("PolynomialFeatures(degree=9)", TIMEOUT)), 8
    ):
        code = CELL.replace("SVC(", f"{step}, SVC(")
        added = p.propose(
            f"H{place}",
            f"{step} before SVC raises accuracy",
            "D3",
            Variation(code=code, edits=(Edit(kind="insert", target="make_pipeline[0]", value=step),)),
        )
        p.screen(added, end, (1, 2) if place == 8 else (1,))
    dropped = Variation(
        code=CELL.replace("Normalizer(), ", ""), edits=(Edit(kind="drop", target="make_pipeline.Normalizer"),)
    )
    without = p.propose("H10", "Leaving out Normalizer raises accuracy", "D4", dropped)
    p.screen(without, (0.682, 0.012))
    p.say(e.Noted(text="Screening found four candidates; confirming them on untouched seeds"))
    base = (0.631, 0.012)
    p.confirm(proposed["MinMaxScaler"], SCALERS["MinMaxScaler"], base, 14)
    p.confirm(without, (0.682, 0.012), base, 12)
    p.confirm(proposed["StandardScaler"], SCALERS["StandardScaler"], base, 12)
    h6 = p.state.cases["H6"].hypothesis
    p.confirm(h6, (0.633, 0.012), base, 12, "stopped early: the pairs left could not have shown it")
    h5 = p.state.cases["H5"].hypothesis
    p.confirm(h5, (0.600, 0.012), base, 10)
    p.say(
        e.DirectionOpened(
            direction="D5",
            title="The value of C in SVC, from the best cell",
            agent="tuning-4",
            targets=("SVC.C",),
            base=swapped("MinMaxScaler"),
        )
    )
    chain = p.propose(
        "H11",
        "C = 0.3 raises accuracy over MinMaxScaler with C = 1",
        "D5",
        swapped("MinMaxScaler", 0.3),
        reference=swapped("MinMaxScaler"),
        citations=(SVC_DOCS,),
        predicted=0.5,
    )
    p.screen(chain, (0.9962, 0.002))
    p.confirm(chain, (0.9962, 0.002), (0.976, 0.006), 26)
    p.say(e.StandingChanged(agent="brainstorming-2", standing="active", why="two of four judged hypotheses supported"))
    p.say(e.StandingChanged(agent="brainstorming-3", standing="dismissed", why="six of six tries failed"))
    for target, ref, effect in (
        ("swapping Normalizer for MinMaxScaler", swapped("Normalizer", 0.3), 0.64),
        ("setting C to 0.3", swapped("MinMaxScaler"), 0.976),
    ):
        place = len(p.state.cases) + 1
        ablated = p.propose(
            f"H{place}", f"In the best cell, {target} earns its share", "ablation", chain.variation, reference=ref
        )
        p.confirm(ablated, (0.9962, 0.002), (effect, 0.006), 12)
    p.best(chain, (0.9955, 0.003))
    p.say(e.SwarmEnded(state="done", why="nothing new is left to try"), after=0.2)
    return p


def failed() -> list[Move]:
    """A swarm whose baseline fails, with a hostile traceback."""
    p = Player()
    p.begin()
    trace = "Traceback (most recent call last):\n  Cell In[1], line 2\nNameError: <script>alert('trace')</script>"
    broken = Run(
        experiment="", reason="failure", message="NameError: <script>alert('message')</script>", traceback=trace
    )
    p.run(p.state.baseline, broken, 1, "baseline")
    p.say(e.SwarmEnded(state="failed", why="the baseline failed: NameError"))
    return p.moves


def hostile(text: str) -> list[Move]:
    """A swarm in which everything that others wrote is this text."""
    p = Player()
    asked = request(question=text)
    analysis = msgspec.structs.replace(asked.analysis, metric=text)
    p.begin(msgspec.structs.replace(asked, analysis=analysis, objective=Objective(metric=text)))
    p.baseline()
    cited = Citation(paper=text, title=text, kind="paper", passage=text, place=text, start=0, end=len(text), quote=text)
    p.say(e.DirectionOpened(direction="DX", title=text, agent=text, why=text, targets=(text,), citations=(cited,)))
    odd = p.propose("HX", text, "DX", Variation(code=CELL + f"# {text}\n", edits=()), citations=(cited,))
    p.screen(odd, (0.9, 0.01))
    p.confirm(odd, (0.9, 0.01), (0.631, 0.012), 12, note=text)
    bad = p.propose("HY", text, "DX", Variation(code=CELL + "#\n"))
    p.screen(bad, Run(experiment="", reason="failure", message=text, traceback=text), (1,))
    p.say(e.Noted(text=text, level="warning"), e.StandingChanged(agent="tuning-4", standing="dismissed", why=text))
    p.best(odd, (0.9, 0.01))
    p.say(e.SwarmEnded(state="done", why=text))
    return p.moves


def records(moves: Sequence[Move], swarm: str = "wine", begun: float = 1.79e9) -> list[e.Record]:
    """Moves as the ledger would hold them."""
    return [e.Record(n, swarm, begun + clock, clock, event) for n, (clock, event) in enumerate(moves, 1)]


def fold(moves: Sequence[Move], swarm: str = "wine") -> SwarmState:
    """The state after some moves."""
    return SwarmState.of(records(moves, swarm), swarm)


def play(store: SqlStore, moves: Sequence[Move], swarm: str = "wine") -> None:
    """Append moves to a ledger, those of one moment together."""
    together: list[e.AnyEvent] = []
    for place, (clock, event) in enumerate(moves):
        together.append(event)
        if place + 1 == len(moves) or moves[place + 1][0] != clock:
            store.append(swarm, together, active_seconds=clock)
            together = []


def notebooks(root: Path, state: SwarmState) -> None:
    """An executed notebook for each run, as far as links need one."""
    import nbformat

    for row in state.rows.values():
        if row.run is not None and row.run.notebook:
            path = root / row.run.notebook
            path.parent.mkdir(parents=True, exist_ok=True)
            notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(row.experiment.code)])
            path.write_text(nbformat.writes(notebook))
