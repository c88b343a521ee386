"""What the name of a logged series says of it: loss or score, training or validation, rate, norm, or a mere clock."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from jupyter_swarm.words import Word

Role = Literal["loss", "score", "rate", "norm", "clock", "other"]
Side = Literal["train", "validation", "test", ""]

STEPS = ("global_step", "step", "steps", "iteration", "iter", "it", "update", "batch", "epoch")
"""Names of what counts steps, the finest first."""
RANKS = ("rank", "local_rank", "global_rank", "process", "process_index", "worker")

_SIDES: dict[str, Side] = {
    "train": "train", "training": "train", "tr": "train", "trn": "train", "learn": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "eval": "validation",
    "evaluation": "validation", "dev": "validation", "holdout": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
_LOSSES = {
    "loss", "losses", "error", "err", "mse", "rmse", "mae", "mape", "nll", "ce", "bce", "xent", "crossentropy", "cost",
    "ppl", "perplexity", "logloss", "deviance", "objective", "wer", "cer", "fid", "kl", "risk", "rmsle", "hinge",
}  # fmt: skip
_SCORES = {
    "acc", "accuracy", "f1", "auc", "auroc", "auprc", "ap", "map", "precision", "recall", "score", "r2", "iou", "miou",
    "dice", "bleu", "rouge", "reward", "return", "kappa", "mcc", "top1", "top5", "ndcg", "mrr", "psnr", "ssim", "em",
}  # fmt: skip
_CLOCKS = {
    *STEPS, *RANKS, "epochs", "steps", "iterations", "iters", "time", "seconds", "secs", "sec", "s", "ms", "eta",
    "elapsed", "speed", "throughput", "samples", "tokens", "gpu", "memory", "mem", "mb", "gb", "wall", "timestamp",
    "date", "index", "runtime", "second", "flos", "flops", "total", "size", "seed", "line",
}  # fmt: skip


class Named(Word, frozen=True):
    """What a name says. `stem` is the name without its side: `val_loss` and `train_loss` share the stem `loss`."""

    role: Role
    side: Side
    stem: str


@lru_cache(maxsize=4096)
def read(name: str) -> Named:
    """What a name says.

    >>> read("val_loss")
    Named(role='loss', side='validation', stem='loss')
    >>> read("learning_rate").role, read("grad_norm/layer1").role, read("trainAccuracy").stem, read("it/s").role
    ('rate', 'norm', 'accuracy', 'clock')
    """
    words = [each for each in re.split(r"[^a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()) if each]
    sides: list[Side] = [_SIDES[each] for each in words if each in _SIDES]
    rest = [each for each in words if each not in _SIDES]
    return Named(role=_role(rest), side=sides[0] if sides else "", stem="_".join(rest))


def _role(words: list[str]) -> Role:
    """What the words of a name, without its side, make of it."""
    known = set(words)
    if "lr" in known or {"learning", "rate"} <= known:
        return "rate"
    if any(each.startswith(("grad", "gnorm")) or each in ("norm", "norms") for each in words):
        return "norm"
    if known & {"per", "time", "runtime", "seconds", "second"} or (words and words[0] == "it"):
        return "clock"
    loss = bool(known & _LOSSES) or {"cross", "entropy"} <= known
    if loss or known & _SCORES:
        turned = "neg" in known or "negative" in known
        return "loss" if loss != turned else "score"
    return "clock" if known & _CLOCKS else "other"
