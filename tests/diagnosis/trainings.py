"""Trainings by the thousand: healthy ones of many shapes, and such in which one trouble is planted.

A healthy training learns at least 30 % of where it began, ends near its floor, and has noise of up to 30 % of what it
learns: white, heavy-tailed, correlated, or in proportion to its level. Everything is drawn from the `Random` given.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

Values = list[float]
Log = dict[str, Any]
Maker = Callable[[Random], Any]

LENGTHS = (10, 12, 16, 20, 30, 50, 80, 120, 200, 400, 800, 1500)
LONG = (40, 60, 100, 150, 250, 500, 1000)


# ---------------------------------------------------------------- courses, from 1 down to 0


def exponential(n: int, r: Random) -> Values:
    tau = r.uniform(0.03, 0.35) * n
    return [math.exp(-t / tau) for t in range(n)]


def power(n: int, r: Random) -> Values:
    start, degree = r.uniform(0.005, 0.05) * n + 1.0, r.uniform(0.4, 1.2)
    return [(1.0 + t / start) ** -degree for t in range(n)]


def phases(n: int, r: Random) -> Values:
    share, fast, slow = r.uniform(0.4, 0.8), r.uniform(0.01, 0.06) * n, r.uniform(0.15, 0.35) * n
    return [share * math.exp(-t / fast) + (1.0 - share) * math.exp(-t / slow) for t in range(n)]


def drops(n: int, r: Random) -> Values:
    """A rate that is reduced twice."""
    first, second = r.uniform(0.3, 0.5) * n, r.uniform(0.6, 0.8) * n
    tau, quick = r.uniform(0.03, 0.1) * n, 0.01 * n + 0.5
    sizes = (0.65, 0.25, 0.1)

    def at(t: int) -> float:
        level = sizes[0] * math.exp(-t / tau)
        level += sizes[1] * (1.0 if t < first else math.exp(-(t - first) / quick))
        return level + sizes[2] * (1.0 if t < second else math.exp(-(t - second) / quick))

    return [at(t) for t in range(n)]


def warmed(n: int, r: Random) -> Values:
    """A warm-up: little happens at first, or it gets a little worse."""
    warm, tau, bump = r.uniform(0.02, 0.1) * n, r.uniform(0.05, 0.25) * n, r.uniform(0.0, 0.05)
    return [1.0 + bump * t / warm if t < warm else (1.0 + bump) * math.exp(-(t - warm) / tau) for t in range(n)]


def late(n: int, r: Random) -> Values:
    """A breakthrough after a while."""
    middle, width = r.uniform(0.15, 0.5) * n, r.uniform(0.03, 0.1) * n
    return [1.0 / (1.0 + math.exp((t - middle) / width)) for t in range(n)]


def settled(n: int, r: Random) -> Values:
    """It has come to its end long before."""
    tau = r.uniform(0.005, 0.03) * n + 0.5
    return [math.exp(-t / tau) for t in range(n)]


def annealed(n: int, r: Random) -> Values:
    """A cosine schedule: it improves to the very end, and ever less."""
    degree = r.uniform(0.4, 0.8)
    return [(1.0 + 20.0 * (t + 0.5 * n * math.sin(math.pi * t / n) / math.pi) / n) ** -degree for t in range(n)]


COURSES: tuple[Callable[[int, Random], Values], ...] = (
    exponential, power, phases, drops, warmed, late, settled, annealed,
)  # fmt: skip


# ---------------------------------------------------------------- noise


def noise(n: int, size: float, r: Random, kind: str = "") -> Values:
    kind = kind or r.choice(("white", "heavy", "correlated", "white"))
    if kind == "heavy":
        return [size * 0.75 * r.gauss(0, 1) / math.sqrt(max(r.gammavariate(1.5, 2.0 / 3.0), 0.02)) for _ in range(n)]
    if kind == "correlated":
        memory, last, found = r.uniform(0.2, 0.6), 0.0, []
        for _ in range(n):
            last = memory * last + math.sqrt(1.0 - memory**2) * r.gauss(0, size)
            found.append(last)
        return found
    return [r.gauss(0, size) for _ in range(n)]


def loss(course: Values, r: Random, size: float) -> Values:
    """A loss that begins at `top` and falls by 30 to 98 % of it; `size` is its noise, relative to what it learns."""
    top, kept = 10.0 ** r.uniform(-2, 2), r.uniform(0.02, 0.7)
    clean = [top * (kept + (1.0 - kept) * each) for each in course]
    if r.random() < 0.3:  # noise in proportion to the level
        return [each * math.exp(one) for each, one in zip(clean, noise(len(clean), size / 2, r), strict=True)]
    shaken = noise(len(clean), size * top * (1.0 - kept), r)
    return [max(each + one, 1e-3 * top * kept) for each, one in zip(clean, shaken, strict=True)]


def score(course: Values, r: Random, size: float) -> Values:
    """A score between 0 and 1."""
    low = r.choice((0.5, 0.1, 0.33, 0.01))
    high = r.uniform(low + 0.3, 0.98)
    shaken = noise(len(course), size * (high - low), r)
    return [min(0.99, max(0.0, high - (high - low) * each + one)) for each, one in zip(course, shaken, strict=True)]


def _size(r: Random) -> float:
    return 10.0 ** r.uniform(-3, math.log10(0.3))


# ---------------------------------------------------------------- healthy


def healthy(r: Random) -> Log:
    """Loss and score of training and validation, the rate, a norm: all of one healthy training."""
    n = r.choice(LENGTHS)
    course = r.choice(COURSES)(n, r)
    size = _size(r) if n >= 20 else min(_size(r), 0.1)
    r_state = r.random()
    one, two = Random(r_state), Random(r_state)
    train = loss(course, one, size)
    gap = 1.0 + r.uniform(-0.1, 0.4)  # below 1: dropout
    held = [gap * each for each in loss(course, two, size)]
    held = [each + (held[0] - held[-1]) * extra for each, extra in zip(held, noise(n, size, r), strict=True)]
    top = 10.0 ** r.uniform(-2, 2)
    shrink = r.uniform(0.0, 2.0)
    norms = [top * (0.01 + each) ** (shrink / 2.0) * math.exp(r.gauss(0, 0.4)) for each in course]
    scores = score(course, r, size)
    return {
        "loss": train,
        "val_loss": held,
        "accuracy": scores,
        "val_accuracy": [max(0.0, each - r.uniform(0.0, 0.1) + r.gauss(0, size * 0.1)) for each in scores],
        "lr": [1e-3 * 0.5 * (1.0 + math.cos(math.pi * t / n)) for t in range(n)],
        "grad_norm": norms,
    }


def healthy_ranks(r: Random) -> list[dict[str, float]]:
    """One row a step and rank: all ranks see the same course, each with its own noise."""
    n, count = r.choice((20, 60, 150)), r.choice((2, 4, 8))
    course, state = r.choice(COURSES)(n, r), r.random()
    by_rank = []
    for _ in range(count):
        top, kept = Random(state).uniform(0.5, 5.0), Random(state).uniform(0.1, 0.6)
        extra = noise(n, 0.1 * top, r)
        by_rank.append([top * (kept + (1.0 - kept) * each) + one for each, one in zip(course, extra, strict=True)])
    rows = []
    for step in range(n):
        order = list(range(count))
        r.shuffle(order)
        rows += [{"step": step, "rank": rank, "loss": by_rank[rank][step]} for rank in order]
    return rows


# ---------------------------------------------------------------- planted


def _falling(n: int, r: Random, size: float) -> tuple[Values, float]:
    course = r.choice((exponential, power, phases, warmed))(n, r)
    top, kept = 10.0 ** r.uniform(-1, 1), r.uniform(0.05, 0.5)
    clean = [top * (kept + (1.0 - kept) * each) for each in course]
    return [each + one for each, one in zip(clean, noise(n, size * top, r), strict=True)], top


def diverging(r: Random) -> Log:
    n = r.choice(LONG)
    values, top = _falling(n, r, r.uniform(0.005, 0.1))
    turn, height = int(r.uniform(0.1, 0.8) * n), r.uniform(1.0, 10.0)
    grows = r.choice((lambda x: x, lambda x: x * x, lambda x: math.expm1(3.0 * x) / math.expm1(3.0)))
    span = max(1, n - 1 - turn)
    return {"loss": [each + top * height * grows(max(0, t - turn) / span) for t, each in enumerate(values)]}


def leaping(r: Random) -> Log:
    """Thrown away from its start by the first steps, and wild from then on."""
    n, first = r.choice(LONG), 10.0 ** r.uniform(-1, 1)
    level = first * r.uniform(3.0, 30.0)
    return {"loss": [first * r.uniform(0.9, 1.1), *(level * math.exp(r.gauss(0, 0.3)) for _ in range(n - 1))]}


def flat(r: Random) -> Log:
    n = r.choice(LONG)
    level = r.choice((math.log(2), math.log(10), r.uniform(0.1, 10.0)))
    if r.random() < 0.1:
        return {"loss": [level] * n}
    if r.random() < 0.3:
        level = r.choice((0.5, 0.1, 0.25))
        return {"accuracy": [level * (1.0 + each) for each in noise(n, r.uniform(0.001, 0.03), r)]}
    return {"loss": [level * (1.0 + each) for each in noise(n, r.uniform(0.0005, 0.03), r)]}


def frozen(r: Random) -> Log:
    n = r.choice((60, 100, 150, 250, 500, 1000))
    stop, tau, top = int(r.uniform(0.25, 0.6) * n), r.uniform(0.6, 3.0) * n, 10.0 ** r.uniform(-1, 1)
    clean = [top * math.exp(-min(t, stop) / tau) for t in range(n)]
    extra = noise(n, r.uniform(0.001, 0.05) * (clean[0] - clean[-1]), r)
    return {"loss": [each + one for each, one in zip(clean, extra, strict=True)]}


def broken(r: Random) -> Log:
    n = r.choice(LENGTHS)
    values, _ = _falling(n, r, r.uniform(0.005, 0.1))
    start, bad = r.randrange(n), r.choice((math.nan, math.inf, -math.inf))
    return {"loss": [bad if t >= start else each for t, each in enumerate(values)]}


def swinging(r: Random) -> Log:
    n = r.choice(LONG)
    values, top = _falling(n, r, r.uniform(0.005, 0.04))
    size, period = top * r.uniform(0.25, 0.8), r.choice((2, 2, 4, 5, 8, 10))
    wave = [size * (t % period / (period - 1) - 0.5) * 2.0 for t in range(n)]
    return {"loss": [each + one + top for each, one in zip(values, wave, strict=True)]}


def jumping(r: Random) -> Log:
    """Jumps up at irregular steps, each worked off."""
    n = r.choice((100, 150, 250, 500, 1000))
    values, top = _falling(n, r, r.uniform(0.005, 0.03))
    count = r.choice((4, 5, 6, 8))
    starts = [int(n * (place + r.uniform(0.25, 0.75)) / count) for place in range(count)]
    work, size = r.uniform(0.03, 0.08) * n + 4.0, r.uniform(0.4, 1.0)
    for start in starts:
        values = [
            each + (top * size * math.exp(-(t - start) / work) if t >= start else 0.0) for t, each in enumerate(values)
        ]
    return {"loss": values}


def blowing(r: Random) -> Log:
    n = r.choice(LONG)
    peak = r.uniform(0.2, 0.5) * n
    top, high = 10.0 ** r.uniform(-1, 1), r.uniform(1.0, 3.0)
    tau, width = peak / r.uniform(1.0, 3.0), r.uniform(0.01, 0.06) * n
    low = math.exp(-peak / tau)
    clean = [top * math.exp(-t / tau) if t < peak else top * (high - (high - low) * math.exp((peak - t) / width))
             for t in range(n)]  # fmt: skip
    rates = [1e-2 * min(1.0, t / peak) for t in range(n)]
    extra = noise(n, r.uniform(0.005, 0.05) * top, r)
    return {"loss": [each + one for each, one in zip(clean, extra, strict=True)], "lr": rates}


def creeping(r: Random) -> Log:
    n = r.choice(LONG)
    tau, top = r.uniform(2.5, 10.0) * n, 10.0 ** r.uniform(-1, 1)
    clean = [top * math.exp(-t / tau) for t in range(n)]
    extra = noise(n, r.uniform(0.001, 0.06) * (clean[0] - clean[-1]), r, r.choice(("white", "heavy")))
    return {"loss": [each + one for each, one in zip(clean, extra, strict=True)]}


def exploding(r: Random) -> Log:
    n, rate = r.choice(LONG), math.log(r.uniform(100.0, 1e8))
    return {"grad_norm": [math.exp(rate * t / n + r.gauss(0, 0.4)) for t in range(n)]}


def vanishing(r: Random) -> Log:
    n = r.choice(LONG)
    if r.random() < 0.5:
        rate = math.log(r.uniform(1e6, 1e12))
        return {"grad_norm": [math.exp(-rate * t / n + r.gauss(0, 0.4)) for t in range(n)]}
    depth = r.choice((4, 8, 12))
    step = 10.0 ** (r.uniform(5.0, 9.0) / (depth - 1))
    return {
        f"grad_norm/layer{each}": [step**each * math.exp(r.gauss(0, 0.4)) for _ in range(n)] for each in range(depth)
    }


def overfitted(r: Random) -> Log:
    n = r.choice(LONG)
    state = r.random()
    course = exponential(n, Random(state))
    top, kept = 10.0 ** r.uniform(-1, 1), r.uniform(0.1, 0.5)
    turn, rise, size = r.uniform(0.15, 0.6) * n, r.uniform(0.3, 1.5), r.uniform(0.005, 0.08)
    gone = 1.0 - kept
    train = [top * (kept + gone * each) - 0.1 * top * kept * t / n for t, each in enumerate(course)]
    held = [
        top * (kept + gone * each) + top * gone * rise * max(0.0, t - turn) / (n - turn)
        for t, each in enumerate(course)
    ]
    return {
        "loss": [each + one for each, one in zip(train, noise(n, size * top * gone, r), strict=True)],
        "val_loss": [each + one for each, one in zip(held, noise(n, size * top * gone, r), strict=True)],
    }


def leaked(r: Random) -> Log:
    n = r.choice(LENGTHS)
    course, size = exponential(n, r), r.uniform(0.002, 0.04)
    if r.random() < 0.4:
        perfect = [min(1.0, 0.999 + abs(r.gauss(0, 0.0005))) for _ in range(n)]
        return {"accuracy": score(course, r, size), "val_accuracy": perfect}
    top, kept, better = 10.0 ** r.uniform(-1, 1), r.uniform(0.3, 0.7), r.uniform(0.2, 0.55)
    train = [top * (kept + (1.0 - kept) * each) for each in course]
    return {
        "train_loss": [each + one for each, one in zip(train, noise(n, size * top, r), strict=True)],
        "val_loss": [better * each + one for each, one in zip(train, noise(n, size * top, r), strict=True)],
    }


def odd_rank(r: Random) -> list[dict[str, float]]:
    """One rank stops early, is ever more behind, or sees other data."""
    rows = healthy_ranks(r)
    steps, count = int(max(each["step"] for each in rows)) + 1, int(max(each["rank"] for each in rows)) + 1
    rank, way = r.randrange(count), r.choice(("stops", "behind", "differs"))
    if way == "stops":
        end = int(r.uniform(0.3, 0.8) * steps)
        return [each for each in rows if each["rank"] != rank or each["step"] < end]
    if way == "behind" or count < 3:
        delay = r.uniform(4.0, 10.0)
        return sorted(rows, key=lambda each: each["step"] + (delay if each["rank"] == rank else 0.0))
    more = r.uniform(1.0, 3.0) * 0.5
    return [{**each, "loss": each["loss"] + more * (each["rank"] == rank)} for each in rows]


PLANTED: dict[str, tuple[Maker, ...]] = {
    "divergence": (diverging, leaping),
    "plateau": (flat, frozen),
    "nan": (broken,),
    "rate too high": (swinging, jumping, blowing),
    "rate too low": (creeping,),
    "norms": (exploding, vanishing),
    "overfitting": (overfitted,),
    "leakage": (leaked,),
    "ranks": (odd_rank,),
}
"""Test → trainings in which it has to speak."""


# ---------------------------------------------------------------- data


def table(r: Random) -> tuple[list[list[float]], list[Any]]:
    """Healthy X and y: features that overlap between classes or say something of a quantity; labels up to 4 to 1."""
    n, width = r.choice((40, 80, 150, 300, 600)), r.choice((3, 6, 12))
    classes = r.choice((0, 2, 3, 5))
    weights = [r.uniform(-1, 1) for _ in range(width)]
    rare = r.uniform(0.25, 1.0)
    rows, target = [], []
    for _ in range(n):
        label = r.choices(range(classes), [rare] + [1.0] * (classes - 1))[0] if classes else 0
        row = [weight * label + r.gauss(0, 1) for weight in weights]
        row[-1] = float(r.random() < 0.4)
        rows.append(row)
        quantity = sum(a * b for a, b in zip(weights, row, strict=True)) + r.gauss(0, 0.3)
        target.append(label if classes else quantity)
    return rows, target


def leaking_feature(r: Random) -> tuple[list[list[float]], list[Any]]:
    rows, target = table(r)
    place = r.randrange(len(rows[0]))
    for row, label in zip(rows, target, strict=True):
        row[place] = 3.0 * label + (r.uniform(-1.0, 1.0) if isinstance(label, int) else 1.0)
    return rows, target


def unbalanced(r: Random) -> tuple[list[list[float]], list[Any]]:
    n, classes, ratio = r.choice((200, 400, 1000)), r.choice((2, 3, 5)), r.uniform(20.0, 80.0)
    target = r.choices(range(classes), [1.0 / ratio] + [1.0] * (classes - 1), k=n)
    target[:classes] = range(classes)
    return [[r.gauss(0, 1), r.gauss(0, 1)] for _ in range(n)], target


def constants(r: Random) -> tuple[list[list[float]], list[Any]]:
    rows, target = table(r)
    place, value = r.randrange(len(rows[0])), r.choice((0.0, 1.0, r.gauss(0, 1)))
    return [[*row[:place], value, *row[place + 1 :]] for row in rows], target


def repeated(r: Random) -> tuple[list[list[float]], list[Any]]:
    rows, target = table(r)
    unit, offset = r.choice((1.0, 2.54, 1000.0)), r.choice((0.0, 273.15))
    return [[*row, unit * row[0] + offset] for row in rows], target


def holes(r: Random) -> tuple[list[list[float]], list[Any]]:
    rows, target = table(r)
    for row in r.sample(rows, r.randint(1, 5)):
        row[r.randrange(len(row))] = r.choice((math.nan, math.inf))
    return rows, target


SPOILT: dict[str, Callable[[Random], tuple[list[list[float]], list[Any]]]] = {
    "leaking feature": leaking_feature,
    "label imbalance": unbalanced,
    "constant features": constants,
    "duplicate features": repeated,
    "missing values": holes,
}
"""Test → data in which it has to speak."""
