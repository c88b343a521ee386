"""What of a code is locked: marks on its nodes, and what they mean together."""

from __future__ import annotations

import ast
from collections import Counter

from jupyter_swarm.cell.directives import directives
from jupyter_swarm.cell.scan import Scan, is_literal

ASKED = "you asked for it (#: lock)"
_BODIES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Marks:
    """Marks on the nodes of a code.

    `items` are the locked statements with why; `holes` the free expressions in them; `measured` expressions whose
    structure is locked; `strict` what is locked whole; `rows` the names of evaluated data.

    Args:
        scan: the code.
    """

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        self.items: dict[int, tuple[ast.stmt, str]] = {}
        self.holes: set[int] = set()
        self.measured: set[int] = set()
        self.strict: set[int] = set()
        self.rows: set[str] = set()
        self._directives = directives(scan.text.code)
        literals = Counter(n.lineno for n in ast.walk(scan.tree) if isinstance(n, ast.expr) and is_literal(n))
        self._ranged = {line for line in self._directives.spans if literals[line] == 1}

    def is_locked(self, node: ast.AST) -> bool:
        """Whether a node is locked: under something strict, or nearer to a measured expression than to a hole."""
        line = getattr(node, "lineno", 0)
        if line in self._directives.free or (line in self._ranged and is_literal(node)):
            return False
        nearest: bool | None = None
        for part in (node, *self.scan.text.ancestors(node)):
            if id(part) in self.strict:
                return True
            if nearest is None:
                if id(part) in self.holes:
                    nearest = False
                elif id(part) in self.measured:
                    nearest = True
        return bool(nearest)

    def is_hole(self, node: ast.AST) -> bool:
        """Whether a node begins a free part of something locked."""
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.expr) and (
            line in self._directives.free or (line in self._ranged and is_literal(node))
        ):
            return True
        return id(node) in self.holes and not self.is_locked(node)

    def lock_what_was_asked(self) -> None:
        """Lock what a person says to: `#: lock`."""
        for node in ast.walk(self.scan.tree):
            if isinstance(node, ast.stmt) and self._directives.lock.intersection(
                range(node.lineno, (node.end_lineno or node.lineno) + 1)
            ):
                if not any(isinstance(child, ast.stmt) for child in ast.iter_child_nodes(node)):
                    self._lock(node, ASKED)
            elif isinstance(node, ast.expr) and node.lineno in self._directives.lock:
                self.strict.add(id(node))

    def only_outermost(self) -> None:
        """What stands in a function that is locked whole needs no mention."""
        for key, (statement, _) in list(self.items.items()):
            if self.is_whole(statement):
                del self.items[key]

    def is_whole(self, statement: ast.stmt) -> bool:
        """Whether a statement stands in a function or class that is locked whole."""
        return any(
            id(each) in self.strict and isinstance(each, _BODIES) for each in self.scan.text.ancestors(statement)
        )

    def _lock(self, statement: ast.stmt, why: str) -> None:
        self.items.setdefault(id(statement), (statement, why))
        self.strict.add(id(statement))

    def open_around(self, value: ast.expr, statement: ast.stmt) -> None:
        """Lock all around a hole, as far as its statement."""
        for parent in self.scan.text.ancestors(value):
            if parent is statement:
                break
            self.measured.add(id(parent))
