"""Loops: what is gathered in their course, and what ends them."""

from __future__ import annotations

import ast

from jupyter_swarm.cell.scan import Definition, Scan

_ENDS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def gathers_itself(definition: Definition, scan: Scan) -> bool:
    """`best = max(best, score)`, `if score > best: best = score`: a value that its earlier value decides."""
    if definition.kind not in ("assign", "element") or definition.value is None:
        return False
    parts: list[ast.expr] = [definition.value]
    for parent in scan.text.ancestors(definition.node):
        if isinstance(parent, ast.If):
            parts.append(parent.test)
        elif not isinstance(parent, ast.stmt) or isinstance(parent, _ENDS):
            break
    names = (n for part in parts for n in ast.walk(part) if isinstance(n, ast.Name) and n.id == definition.name)
    return any(isinstance(name.ctx, ast.Load) for name in names)


def cuts(loop: ast.For | ast.AsyncFor | ast.While) -> list[ast.If]:
    """The conditions that decide when a loop ends, or what of a turn is left out."""
    found: list[ast.If] = []
    todo: list[ast.AST] = [*loop.body]
    while todo:
        node = todo.pop()
        inner = [each for each in ast.iter_child_nodes(node) if isinstance(each, (ast.stmt, ast.ExceptHandler))]
        if isinstance(node, ast.If) and any(isinstance(part, (ast.Break, ast.Continue)) for part in ast.walk(node)):
            found.append(node)
        if not isinstance(node, (ast.For, ast.AsyncFor, ast.While, *_ENDS)):
            todo += inner
    return found
