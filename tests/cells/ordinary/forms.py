"""Forms of the language: whatever Python allows in a cell."""

from ordinary.case import Case

CELLS = (
    Case(
        name="walrus and match",
        code="""def step(command):
    match command:
        case ["move", dx, dy]:
            return (dx ** 2 + dy ** 2) ** 0.5
        case {"turn": angle} if angle > 0:
            return angle / 90
        case [] | None:
            return 0.0
        case _:
            return 1.0

commands, distance = iter([["move", 3, 4], {"turn": 45}, None, "stop", ["move", 1, 1]]), 0.0
while (command := next(commands, "end")) != "end":
    distance += step(command)""",
        metric="distance",
    ),
    Case(
        name="try, with and else",
        setup=("import warnings\nimport numpy as np\nfrom contextlib import contextmanager",),
        code="""@contextmanager
def quiet():
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield

ratios = []
for a, b in [(1, 2), (3, 0), ("x", 1), (4, 3)]:
    try:
        ratio = a / b
    except ZeroDivisionError:
        ratio = 0.0
    except (TypeError, ValueError) as error:
        print("skipped:", error)
        continue
    else:
        ratio += 0.5
    finally:
        pass
    ratios.append(ratio)
with quiet():
    score = np.nanmean(np.log(ratios)[[0, 2]])""",
        metric="score",
    ),
    Case(
        name="comprehensions",
        setup=("words = 'the cat sat on the mat and the dog sat on the log'.split()",),
        code="""from collections import Counter
from itertools import pairwise

pairs = Counter(pairwise(words))
following = {w: {b: n for (a, b), n in pairs.items() if a == w} for w in set(words)}
entropy = sum(n / len(words) for w, nexts in following.items() for n in nexts.values() if len(nexts) > 1)""",
        metric="entropy",
    ),
    Case(
        name="f-strings with the metric",
        setup=("values = [0.2, 0.35, 0.7]",),
        code="""loss = sum(v ** 2 for v in values) / len(values)
print(f"loss = {loss:.3f} ({loss!r:>25}), {loss=}, {'good' if loss < 0.3 else f'bad by {loss - 0.3:.2f}'}")
title = f"run {{{len(values)}}}: {loss:{8}.{3}f}\"""",
        metric="loss",
    ),
    Case(
        name="metric kept in a loop",
        setup=("import numpy as np\ntarget = np.linspace(0, 1, 20) ** 2",),
        code="""best = float("inf")
for degree in range(1, 4):
    for ridge in (0.0, 0.1, 1.0):
        A = np.vander(np.linspace(0, 1, 20), degree)
        w = np.linalg.solve(A.T @ A + (ridge + 1e-9) * np.eye(degree), A.T @ target)
        current = np.abs(A @ w - target).mean()
        best = min(best, current)""",
        metric="best",
    ),
    Case(
        name="metric by unpacking",
        setup=("def evaluate(scale):\n    return scale ** 2 - scale, {'f1': 1 / (1 + scale)}",),
        code="scale = 0.4\nloss, report = evaluate(scale)\n(first, *rest), f1 = [loss, 1, 2], report['f1']",
        metric="f1",
    ),
    Case(
        name="guarded main",
        setup=("import math",),
        code="""def main(n: int = 50) -> float:
    '''Basel's sum.'''
    return math.fsum(1 / k ** 2 for k in range(1, n + 1))

if __name__ == "__main__":
    gap = math.pi ** 2 / 6 - main(n=80)""",
        metric="gap",
    ),
    Case(
        name="globals, deletion and annotations",
        setup=("counter: int = 0\nlimits = (0.1, 0.9)",),
        code="""from __future__ import annotations
from typing import NamedTuple

class Point(NamedTuple):
    x: float
    y: float = 1.0

def bump(by: int | None = None) -> None:
    global counter
    counter += by or 1

bump(); bump(3)
p: Point = Point(0.25)
temporary = [*limits, *p]
area: float = (limits[1] - limits[0]) * p.y * counter
del temporary""",
        metric="area",
    ),
    Case(
        name="generators of the cell's own",
        code="""def primes():
    found = []
    n = 2
    while True:
        if all(n % p for p in found):
            found.append(n)
            yield n
        n += 1

def take(count, source):
    yield from (value for _, value in zip(range(count), source))

density = 50 / max(take(50, primes()))""",
        metric="density",
    ),
    Case(
        name="shadowed built-ins and semicolons",
        setup=("sum = lambda values: 100 + len(values)  # a name that the notebook has taken\nlist = [1, 2, 3]",),
        code="total = sum(list); max = total + 1; value = max / 2; # done",
        metric="value",
    ),
    Case(
        name="star import and non-ASCII names",
        code="from math import *\nα, β = 0.5, 1.5\n分散 = α * β / ((α + β) ** 2 * (α + β + 1))\nσ = sqrt(分散)",
        metric="σ",
    ),
    Case(
        name="class hierarchy of the cell's own",
        code="""from abc import ABC, abstractmethod
from dataclasses import dataclass

class Shape(ABC):
    @abstractmethod
    def area(self): ...

    def __add__(self, other):
        return self.area() + (other.area() if isinstance(other, Shape) else other)
    __radd__ = __add__

@dataclass(slots=True)
class Disc(Shape):
    radius: float = 1.0

    def area(self):
        return 3.14159 * self.radius ** 2

class Square(Shape):
    def __init__(self, side):
        super().__init__()
        self.side = side

    def area(self):
        return self.side ** 2

total_area = sum([Disc(0.5), Square(2), Disc()])""",
        metric="total_area",
    ),
    Case(
        name="Windows line ends and tabs",
        setup=("samples = [1.0, 4.0, 9.0]",),
        code="total = 0.0\r\nfor s in samples:\r\n\tif s > 2:\r\n\t\ttotal += s ** 0.5\r\nmean = total / 2\r\n",
        metric="mean",
    ),
)
