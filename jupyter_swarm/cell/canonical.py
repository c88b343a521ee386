"""Codes that are the same idea, as one text."""

from __future__ import annotations

import ast

from jupyter_swarm.cell.answers import as_python
from jupyter_swarm.cell.text import parse
from jupyter_swarm.errors import CellError


def canonical(code: str) -> str:
    """A code without what changes nothing: comments, texts that only stand there, layout, the order of named arguments,
    and how numbers are written. 1 and 1.0 stay apart, since callables tell them apart (`max_features=1`).

    Args:
        code: a cell, as typed in IPython or as Python.

    Raises:
        CellError: it does not parse.

    >>> canonical("x = f(b=1e-3, a=[1.00, 0x10])  # best") == canonical('x = f(a=[1.0,16], b=.001)')
    True
    """
    try:
        return ast.unparse(_Canonical().visit(parse(as_python(code))))
    except (RecursionError, ValueError) as error:
        raise CellError(f"the code cannot be compared: {error}", cure="numbers and nesting as in other cells") from None


class _Canonical(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        if all(keyword.arg for keyword in node.keywords):
            node.keywords.sort(key=lambda keyword: keyword.arg or "")
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        node.kind = None
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        number = isinstance(node.operand, ast.Constant) and type(node.operand.value) in (int, float, complex)
        return node.operand if number and isinstance(node.op, ast.UAdd) else node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [each for each in body if not _is_text(each)]
            body[:] = kept or ([] if isinstance(node, ast.Module) else [ast.Pass()])
        return node


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
