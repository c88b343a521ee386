"""Curves: how a run does while it runs, told as frames.

    {"curves": [["accuracy", 3.0, 0.71], ...]}                     name, step, value

They come from `jupyter_swarm.log(step, loss=…)`, and from assignments to the metric inside a loop of the cell: after
each of these a point is recorded, and its step is how many there were before. No more than about `MOST` points of a
curve are kept: of longer ones every second, every fourth, and so on.
"""

from __future__ import annotations

import ast
import math
import os
import sys
import time
from typing import Any

HOOK = "swarm_log"
"""`jupyter_swarm.within.HOOK`: the worker knows nothing of the package."""
POINT = "swarm_point"
MOST = 256
MOST_CURVES = 32
PATIENCE_SECONDS = 0.2
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


class Curves:
    """The curves of one process. Told are points through `frames` (a `Channel`)."""

    def __init__(self, frames: Any) -> None:
        self._frames, self._metric, self._owner = frames, "", os.getpid()
        self._strides: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._kept: dict[str, int] = {}
        self._waiting: list[tuple[str, float, float]] = []
        self._told = 0.0
        self._points = 0
        self._refuse: Any = None
        self.shown = ""
        """Why what has been executed cannot be shared, once there is a point: whoever watches has to see it come."""

    def listen(self, refuse: Any = None) -> None:
        """Take what the cell records from now on, in this process (a fork of another that did so before).

        With `refuse`, nothing may be recorded here: it is called with the reason, and does not return.
        """
        self._owner, self._refuse = os.getpid(), refuse
        setattr(sys, HOOK, self.log)
        setattr(sys, POINT, self.point)

    def of(self, job: dict[str, Any], cell: int) -> str:
        """The metric whose assignments in loops of this cell are points of its curve; "" where they are not."""
        asked = job.get("curve") or {}
        self._metric = asked.get("metric", "") if asked.get("cell") == cell else ""
        return self._metric

    def log(self, step: float, values: dict[str, Any]) -> None:
        """Points of several curves at a step."""
        for name, value in values.items():
            self._record(str(name), step, value)
        self._tell_at_times()

    def point(self, value: Any) -> None:
        """A point of the metric's curve."""
        self._record(self._metric, float(self._points), value)
        self._points += 1
        self._tell_at_times()

    def flush(self) -> None:
        """Tell what waits."""
        if self._waiting and os.getpid() == self._owner:
            points, self._waiting = self._waiting, []
            self._told = time.monotonic()
            self._frames.curves(points)

    def _record(self, name: str, step: float, value: Any) -> None:
        self.shown = "a curve was shown"
        if self._refuse is not None and os.getpid() == self._owner:
            self._refuse(self.shown)
        count = self._counts.get(name, 0)
        if count == 0 and len(self._counts) >= MOST_CURVES:
            return
        self._counts[name] = count + 1
        if count % self._strides.setdefault(name, 1):
            return
        try:
            number = float(value)
        except Exception:  # whatever it is: no point
            return
        if not math.isfinite(number) or not math.isfinite(step):
            return
        self._waiting.append((name[:100], step, number))
        self._kept[name] = kept = self._kept.get(name, 0) + 1
        if kept % MOST == 0:
            self._strides[name] *= 2
            self._kept[name] = MOST // 2

    def _tell_at_times(self) -> None:
        if time.monotonic() - self._told > PATIENCE_SECONDS:
            self.flush()


def instrument(tree: ast.Module, metric: str) -> int:
    """Let each assignment to the metric inside a loop be followed by a word of it; how many there are.

    Lines stay where they are. Functions and classes of the cell are left as they are: what is assigned there is
    another variable.

    >>> tree = ast.parse("for i in range(3):\\n    a = i")
    >>> instrument(tree, "a")
    1
    >>> print(ast.unparse(tree))
    for i in range(3):
        a = i
        __import__('sys').swarm_point(a)
    """
    return sum(_visit(statement, metric, inside=False) for statement in tree.body)


def _visit(node: ast.AST, metric: str, inside: bool) -> int:
    if isinstance(node, _SCOPES):
        return 0
    inside, count = inside or isinstance(node, _LOOPS), 0
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        block = getattr(node, field, None)
        if not isinstance(block, list):
            continue
        count += sum(_visit(each, metric, inside) for each in block)
        for each in [each for each in block if inside and _gives(each, metric)]:
            block.insert(block.index(each) + 1, _word(each, metric))
            count += 1
    return count


def _gives(node: ast.AST, metric: str) -> bool:
    """Whether a statement assigns the metric."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AugAssign) or (isinstance(node, ast.AnnAssign) and node.value is not None):
        targets = [node.target]
    names = [each for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]
    return any(each.id == metric and isinstance(each.ctx, ast.Store) for each in names)


def _word(after: ast.AST, metric: str) -> ast.stmt:
    call = ast.parse(f"__import__('sys').{POINT}({metric})").body[0]
    for each in ast.walk(call):
        ast.copy_location(each, after)
    return call
