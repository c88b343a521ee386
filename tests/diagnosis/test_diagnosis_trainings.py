"""Real trainings, real errors, and the evidence that signs come with."""

from __future__ import annotations

import json
import math
import traceback
from collections.abc import Callable
from typing import Any

import numpy
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from torch import nn

from jupyter_swarm.diagnosis import data, objects
from jupyter_swarm.diagnosis.case import Case, Failure
from jupyter_swarm.diagnosis.examining import TESTS, Diagnosis, diagnose
from jupyter_swarm.diagnosis.failure import failure, place_of
from jupyter_swarm.words import Run

TRAIN = 1200


@pytest.fixture(scope="module")
def digits() -> tuple[torch.Tensor, torch.Tensor]:
    features, target = load_digits(return_X_y=True)
    return torch.tensor(features / 16, dtype=torch.float32), torch.tensor(target)


def train(
    digits: Any, rate: float, *, epochs: int = 12, rows: int = TRAIN, depth: int = 1, adam: bool = False
) -> Diagnosis:
    """Train a small network, and look at what it logged, batch by batch."""
    features, target = digits
    torch.manual_seed(1)
    unit = nn.Sigmoid if depth > 4 else nn.ReLU
    net = nn.Sequential(*(part for _ in range(depth) for part in (nn.Linear(64, 64), unit())), nn.Linear(64, 10))
    way = torch.optim.Adam(net.parameters(), lr=rate) if adam else torch.optim.SGD(net.parameters(), rate, momentum=0.9)
    layers = [each for each in net if isinstance(each, nn.Linear)]
    log: list[dict[str, Any]] = []
    for epoch in range(epochs):
        for batch in torch.randperm(rows).split(64 if rows > 64 else 20):
            loss = nn.functional.cross_entropy(net(features[batch]), target[batch])
            way.zero_grad()
            loss.backward()
            way.step()
            sizes = {f"grad_norm/layer{place}": each.weight.grad.norm() for place, each in enumerate(layers)}
            log.append({"step": len(log), "epoch": epoch, "train_loss": loss, **sizes})
        with torch.no_grad():
            held = nn.functional.cross_entropy(net(features[TRAIN:]), target[TRAIN:])
        log.append({"step": len(log), "epoch": epoch, "val_loss": held})
    return diagnose(Case(objects.of(log, "log")))


@pytest.mark.parametrize(("rate", "adam"), [(0.01, False), (0.05, False), (1e-3, True), (5e-3, True)])
def test_a_good_training_is_left_in_peace(digits: Any, rate: float, adam: bool) -> None:
    found = train(digits, rate, adam=adam)
    assert [sign.what for sign in found.signs] == []
    assert {"divergence", "plateau", "rate too high", "norms", "overfitting"} <= set(found.looked)


@pytest.mark.parametrize(
    ("settings", "kinds"),
    [
        ({"rate": 20.0}, {"divergence"}),
        ({"rate": 1e-6}, {"plateau"}),
        ({"rate": 0.01, "depth": 8}, {"norms"}),
        ({"rate": 0.01, "rows": 60, "epochs": 200, "adam": True, "depth": 2}, {"overfitting"}),
    ],
)
def test_a_bad_training_is_seen(digits: Any, settings: dict[str, Any], kinds: set[str]) -> None:
    assert kinds <= {sign.kind for sign in train(digits, **settings).signs}


@pytest.mark.parametrize("load", [load_breast_cancer, load_iris, load_wine])
def test_real_data_are_left_in_peace(load: Callable[..., Any]) -> None:
    assert diagnose(Case(data=data.of(*load(return_X_y=True)))).signs == ()


def test_pixels_that_are_always_0_are_told() -> None:
    (sign,) = diagnose(Case(data=data.of(*load_digits(return_X_y=True)))).signs
    assert sign.what == "3 of 64 features are constant"


def test_signs_bear_their_numbers_and_the_heaviest_comes_first() -> None:
    values = [2.0 / (1 + 0.3 * t) for t in range(30)] + [3.0, 9.0, math.nan, math.nan]
    found = diagnose(Case(objects.of({"loss": values}, "log")))
    assert [sign.weight for sign in found.signs] == sorted((sign.weight for sign in found.signs), reverse=True)
    first = found.signs[0]
    assert first.what == "loss is NaN from step 32, after growth"
    assert [fact.text for fact in first.evidence] == [
        "loss NaN for the first time at step 32",
        "loss last finite value: 9 at step 31",
        "loss grew 43.6 times since: 0.2062 at step 29",
    ]
    assert json.loads(json.dumps(found.findings, allow_nan=False))[0]["numbers"][1]["value"] == 9.0
    assert set(found.looked) | set(found.idle) == set(TESTS)
    for sign in found.signs:
        assert sign.cure
        assert any(fact.value is not None for fact in sign.evidence)


def test_a_flat_loss_is_compared_with_guessing() -> None:
    (sign,) = diagnose(Case(objects.of([math.log(10)] * 50, "loss"))).signs
    assert "guessing among 10 classes gives: 2.303" in [fact.text for fact in sign.evidence]


def test_the_rank_is_named() -> None:
    rows = [{"step": t, "rank": k, "loss": 1.0 / (t + 1)} for t in range(50) for k in range(4) if k != 2 or t < 20]
    (sign,) = diagnose(Case(objects.of(rows, "log"))).signs
    assert sign.what == "rank 2 lags: it has come to step 19, the others to 49"
    rows = [
        {"step": t, "rank": k, "loss": math.nan if (t, k) == (30, 3) else 1.0 / (t + 1)}
        for t in range(50)
        for k in (0, 3)
    ]
    assert diagnose(Case(objects.of(rows, "log"))).signs[0].what.startswith("loss of rank 3 is NaN from step 30")


# ---------------------------------------------------------------- errors


def shapes() -> None:
    numpy.zeros((3, 4)) @ numpy.zeros((3, 4))


def tensors() -> None:
    torch.zeros(3, 4) @ torch.zeros(3, 4)


def memory() -> None:
    numpy.empty((2**30, 2**20))


def gaps() -> None:
    from sklearn.linear_model import LogisticRegression

    LogisticRegression().fit([[math.nan], [1.0]], [0, 1])


def one_class() -> None:
    from sklearn.linear_model import LogisticRegression

    LogisticRegression().fit([[0.0], [1.0]], [0, 0])


def words() -> None:
    from sklearn.linear_model import LogisticRegression

    LogisticRegression().fit(numpy.array([["a"], ["b"]]), [0, 1])


def lengths() -> None:
    from sklearn.linear_model import LogisticRegression

    LogisticRegression().fit([[0.0], [1.0]], [0])


def absent() -> None:
    with open("no/such/file.csv"):
        pass


def package() -> None:
    __import__("no_such_package_at_all")


def label() -> None:
    nn.functional.cross_entropy(torch.zeros(2, 3), torch.tensor([0, 5]))


def gradient() -> None:
    torch.zeros(1).backward()


def other() -> None:
    raise RuntimeError("the moon is full")


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        (shapes, "shapes do not fit"), (tensors, "shapes do not fit"), (memory, "memory of the machine"),
        (gaps, "NaN or infinity came in"), (one_class, "a class is missing"), (words, "types do not fit"),
        (lengths, "shapes do not fit"), (absent, "a file is missing"), (package, "a package is missing"),
        (label, "outside of what the layer knows"), (gradient, "gradient cannot be computed"),
        (other, "ended in an error"),
    ],
)  # fmt: skip
def test_real_errors(fails: Callable[[], None], said: str) -> None:
    try:
        fails()
    except Exception:
        text = traceback.format_exc()
    (sign,) = failure(Case(failure=Failure(traceback=text))) or ()
    assert said in sign.what
    line = fails.__code__.co_firstlineno
    assert any(
        f"{__file__}, line {number}: " in fact.says for fact in sign.evidence for number in range(line, line + 5)
    )


def test_the_line_of_a_cell_in_the_words_of_ipython() -> None:
    typed = (
        "Cell In[7], line 3\n      1 import json\n----> 3 model = fit(X)\n\n"
        "File /x/lib/python3.11/site-packages/a.py:9, in f()\n      8 pass\n----> 9 g()\n"
    )
    found = place_of(typed)
    assert found is not None
    assert (found.where, found.line, found.code) == ("cell 7", 3, "model = fit(X)")


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (Run(experiment="x", reason="timeout", message="no result within 20 s"), "ran out of time"),
        (Run(experiment="x", reason="nonfinite", message="accuracy is nan"), "no finite number"),
        (Run(experiment="x", reason="failure", message="CUDA out of memory. Tried to allocate 2 GiB"), "accelerator"),
    ],
)
def test_runs_without_a_traceback(run: Run, said: str) -> None:
    (sign,) = failure(Case(failure=Failure.of(run))) or ()
    assert said in sign.what
    assert run.message in sign.evidence[0].says
