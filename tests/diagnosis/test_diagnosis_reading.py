"""Logs of every form become the same curves, and what cannot be read says what, where, and the cure."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas
import pytest
import torch

from jupyter_swarm.diagnosis import data, logfile, names, objects
from jupyter_swarm.diagnosis.series import Series
from jupyter_swarm.errors import UsageError
from jupyter_swarm.words import Run

LOSS, HELD = [0.9, 0.5, 0.4], [1.0, 0.7, 0.75]


class History:
    """As Keras has it."""

    def __init__(self) -> None:
        self.history = {"loss": LOSS, "val_loss": HELD}
        self.epoch = [0, 1, 2]


def points(series: Series, name: str = "loss") -> list[tuple[float, float]]:
    return list(series.curves[name].points)


@pytest.mark.parametrize(
    "value",
    [
        History(),
        {"loss": LOSS, "val_loss": HELD},
        {"epoch": [0, 1, 2], "loss": torch.tensor(LOSS, dtype=torch.float64), "val_loss": tuple(HELD)},
        [{"epoch": place, "loss": a, "val_loss": b} for place, (a, b) in enumerate(zip(LOSS, HELD, strict=True))],
        [{"loss": torch.tensor(a, dtype=torch.float64, requires_grad=True)} for a in LOSS] + [{"val_loss": 1.0}],
        pandas.DataFrame({"loss": LOSS, "val_loss": HELD}),
        pandas.DataFrame({"Epoch": [0, 1, 2], "loss": LOSS, "time": [3, 4, 5]}),
        {"loss": [(0, 0.9), (1, 0.5), (2, 0.4)]},
    ],
)
def test_values_of_a_notebook(value: Any) -> None:
    series = objects.of(value, "history")
    assert points(series) == [(0.0, 0.9), (1.0, 0.5), (2.0, 0.4)]
    assert "time" not in series.curves


def test_a_bare_list_is_a_loss_unless_its_name_says_otherwise() -> None:
    series = objects.of([3, 2, 1], "results")
    assert series.curves["results"].role == "loss"
    assert "read as a loss" in series.notes[0]
    assert objects.of([0.1, 0.2], "accuracy").curves["accuracy"].role == "score"
    assert objects.of([0.1, 0.2], "x", {"x": "up"}).curves["x"].role == "score"


def test_real_estimators_that_keep_what_they_logged() -> None:
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier((4,), tol=0.1, random_state=0).fit([[0.0], [1.0], [2.0], [3.0]] * 10, [0, 0, 1, 1] * 10)
    assert [value for _, value in points(objects.of(model, "model"))] == pytest.approx(model.loss_curve_)
    nested = {"validation_0": {"logloss": [0.7, 0.6]}, "validation_1": {"logloss": [0.7, 0.65]}}
    assert set(objects.of(nested, "evals").curves) == {"validation_0/logloss", "validation_1/logloss"}


def test_a_gap_in_a_table_is_no_nan_but_one_that_never_ends_is() -> None:
    sparse = pandas.DataFrame({"step": range(40), "loss": [1.0 / (1 + t) for t in range(40)]})
    sparse["val_loss"] = [1.0 if t % 5 == 4 else math.nan for t in range(37)] + [math.nan] * 3
    assert len(points(objects.of(sparse, "frame"), "val_loss")) == 7
    sparse.loc[30:, "loss"] = math.nan
    assert [step for step, value in points(objects.of(sparse, "frame")) if math.isnan(value)] == list(range(30, 40))


LINES = """\
2026-01-01 10:00:00,123 INFO starting on 4 GPUs
epoch 1 loss=0.90 lr: 1e-3 val_loss 1.0
\x1b[32mepoch 2\x1b[0m loss=0.50 lr: 1e-3 val_loss 0.7 (3.2s, 31.5it/s)
Epoch 3/10 - 5s 12ms/step - loss: 0.40 - accuracy: 91.5% - val_loss: nan
"""
BAR = (
    "Epoch 0:  10%|#         | 1/10 [00:01<00:09, 1.0it/s, loss=0.9]\r"
    "Epoch 0:  20%|##        | 2/10 [00:02<00:08, 1.0it/s, loss=0.8]\n"
)


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, newline="")
    return folder / name


def test_plain_lines(tmp_path: Path) -> None:
    series = logfile.read(written(tmp_path, "train.log", LINES)).series
    assert series is not None
    assert points(series) == [(1.0, 0.9), (2.0, 0.5), (3.0, 0.4)]
    assert points(series, "lr") == [(1.0, 0.001), (2.0, 0.001)]
    assert points(series, "accuracy") == [(3.0, 0.915)]
    assert math.isnan(points(series, "val_loss")[-1][1])
    series = logfile.read(written(tmp_path, "bar.txt", BAR + BAR.replace("Epoch 0", "Epoch 1"))).series
    assert series is not None
    assert points(series) == [(1.0, 0.9), (2.0, 0.8), (3.0, 0.9), (4.0, 0.8)], "steps go on over the epochs"


def test_ranks_of_lines_and_of_rows(tmp_path: Path) -> None:
    text = "".join(
        f"[rank {rank}] step {step} loss {1.0 / (1 + step) + rank}\n" for step in range(3) for rank in range(3)
    )
    series = logfile.read(written(tmp_path, "ranks.log", text)).series
    assert series is not None
    assert sorted(series.ranks["loss"]) == [0, 1, 2]
    assert points(series) == [(0.0, 2.0), (1.0, 1.5), (2.0, 1.0 / 3.0 + 1.0)], "the median over ranks"
    frame = pandas.DataFrame({"rank": [0, 1] * 2, "step": [0, 0, 1, 1], "loss": [1.0, math.inf, 2.0, 3.0]})
    series = objects.of(frame, "frame")
    assert math.isinf(points(series)[0][1]), "one rank is enough"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("log.csv", "epoch,loss,val_loss\n0,0.9,1.0\n1,0.5,\n2,0.4,0.75\n"),
        ("log.tsv", "epoch\tloss\n0\t0.9\n1\t0.5\n2\t0.4\n"),
        ("log.txt", "epoch;loss\n0;0.9\n1;0.5\n2;0.4\n"),
        (
            "log.jsonl",
            '{"epoch": 0, "loss": 0.9}\n{"epoch": 1, "loss": 0.5}\nwarning: slow\n{"epoch": 2, "loss": 0.4}\n',
        ),
        ("log.json", '[{"epoch": 0, "loss": 0.9}, {"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.4}]'),
        ("out", "{'loss': 0.9, 'epoch': 0}\n{'loss': 0.5, 'epoch': 1}\n{'loss': 0.4, 'epoch': 2.0}\n"),
    ],
)
def test_files(tmp_path: Path, name: str, text: str) -> None:
    series = logfile.read(written(tmp_path, name, text)).series
    assert series is not None
    assert points(series) == [(0.0, 0.9), (1.0, 0.5), (2.0, 0.4)]


def test_a_log_that_ends_in_a_traceback(tmp_path: Path) -> None:
    end = 'Traceback (most recent call last):\n  File "train.py", line 3, in step\n    a @ b\nRuntimeError: mat1\n'
    read = logfile.read(written(tmp_path, "train.log", LINES + end))
    assert read.series is not None
    assert read.traceback == end.rstrip()
    assert logfile.read(written(tmp_path, "only.log", end)).series is None


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.log", b"", "no line logs"),
        ("prose.log", b"nothing to see here\nreally 3 times\n", "no line logs"),
        ("image.log", b"\x89PNG\0\0", "no text"),
        ("events.out.tfevents.1.host", b"x", "TensorBoard"),
        ("short.csv", b"epoch,loss\n", "no rows"),
        ("broken.csv", b"epoch,loss\n1,2,3\n", "row 2 has 3 cells"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=said) as error:
        logfile.read(tmp_path / name)
    assert name in error.value.where
    assert error.value.cure
    with pytest.raises(UsageError, match="there is no file"):
        logfile.read(tmp_path / "nothing.log")


@pytest.mark.parametrize("value", [None, 3, [], {}, "loss", ["a", "b"], object(), {"loss": ["a"]}, [[1, 2, 3]]])
def test_a_value_that_cannot_be_read(value: Any) -> None:
    with pytest.raises(UsageError) as error:
        objects.of(value, "thing")
    assert "thing" in error.value.what
    assert error.value.where
    assert error.value.cure


def test_a_run_of_a_swarm() -> None:
    run = Run(experiment="x", value=0.9, curves={"quality": ((0.0, 0.1), (1.0, 0.9)), "loss": ((0.0, 1.0),)})
    series = objects.of_run(run, {"quality": "up"})
    assert (series.curves["quality"].role, series.curves["loss"].role) == ("score", "loss")


@pytest.mark.parametrize(
    ("name", "role", "side"),
    [
        ("loss", "loss", ""), ("train/loss_step", "loss", "train"), ("eval_rmse", "loss", "validation"),
        ("valAccuracy", "score", "validation"), ("test_neg_mean_squared_error", "score", "test"),
        ("neg_log_loss", "score", ""), ("learning_rate", "rate", ""), ("lr-Adam", "rate", ""),
        ("grad_norm", "norm", ""), ("gnorm", "norm", ""), ("train_runtime", "clock", "train"),
        ("samples_per_second", "clock", ""), ("quality", "other", ""), ("cross_entropy", "loss", ""),
    ],
)  # fmt: skip
def test_names_say_what_they_are(name: str, role: str, side: str) -> None:
    assert (names.read(name).role, names.read(name).side) == (role, side)


def test_data_of_every_form_are_the_same_columns() -> None:
    rows = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    frame = pandas.DataFrame(rows, columns=["a", "b"])
    plain = data.of(rows, [0, 1, 0])
    assert dict(plain.columns) == {"X[0]": [1.0, 3.0, 5.0], "X[1]": [2.0, 4.0, 6.0]}
    assert dict(data.of(frame.to_numpy(), torch.tensor([0, 1, 0])).columns) == dict(plain.columns)
    assert dict(data.of(torch.tensor(rows), pandas.Series(["x", "y", "x"])).columns) == dict(plain.columns)
    assert dict(data.of(frame, pandas.DataFrame({"y": [0, 1, 0]})).columns) == {
        "a": [1.0, 3.0, 5.0],
        "b": [2.0, 4.0, 6.0],
    }
    assert data.of(rows, [[1, 0], [0, 1], [1, 0]]).labels == [0, 1, 0], "a 1 in each row is a label"
    assert data.of(torch.zeros(3, 2, 2), [0, 1, 0]).columns == {}
    large = data.of(frame.loc[[0] * 300_000], None)
    assert len(large.columns["a"]) == 150_000
    assert "every 2th" in large.notes[0] or "every 2nd" in large.notes[0]


@pytest.mark.parametrize(
    ("features", "target", "said"),
    [
        ([[1], [2]], [1], "2 rows, y has 1"),
        (3, [1], "no table"),
        ([], [], "is empty"),
        ([[1], [2, 3]], [0, 1], "differ in length"),
        ([[1], [2]], 7, "no column"),
        ([[1], [2]], [[1, 2], [3, 4]], "several columns"),
        ([[1], [2]], [object(), object()], "neither a number nor a name"),
    ],
)
def test_data_that_cannot_be_read(features: Any, target: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said) as error:
        data.of(features, target)
    assert error.value.where
    assert error.value.cure
