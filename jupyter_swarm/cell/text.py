"""The text of a cell beside its tree: where each node, argument and comment stands, in characters."""

from __future__ import annotations

import ast
import io
import tokenize
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple

from jupyter_swarm.errors import CellError, EditError


class Token(NamedTuple):
    """A lexical token and its place."""

    kind: int
    string: str
    start: int
    end: int


class Text:
    """A cell's source with its tree. Nodes are addressed by identity, places by character.

    Args:
        code: the source, with "\\n" between lines.

    Raises:
        CellError: it does not parse; the message shows line and caret.

    >>> text = Text("n = f('é', 2)")
    >>> [text.code[a:b] for a, b in text.arguments(text.calls[0])]
    ["'é'", '2']
    """

    def __init__(self, code: str) -> None:
        self.code = code
        self.tree = parse(code)
        self._lines = code.split("\n")
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self.parents: dict[int, ast.AST] = {}
        self.opaque: set[int] = set()
        """Nodes inside an f-string, whose places are not to be trusted."""
        self._link()

    def _link(self) -> None:
        stack: list[tuple[ast.AST, bool]] = [(self.tree, False)]
        while stack:
            node, inside = stack.pop()
            if inside:
                self.opaque.add(id(node))
            inside = inside or isinstance(node, ast.JoinedStr)
            for child in ast.iter_child_nodes(node):
                if not isinstance(child, (ast.expr_context, ast.operator, ast.cmpop, ast.unaryop, ast.boolop)):
                    self.parents[id(child)] = node
                    stack.append((child, inside))

    @cached_property
    def calls(self) -> list[ast.Call]:
        """All calls outside f-strings, in the order in which their functions end."""
        found = [n for n in ast.walk(self.tree) if isinstance(n, ast.Call) and id(n) not in self.opaque]
        return sorted(found, key=lambda call: (call.func.end_lineno or 0, call.func.end_col_offset or 0))

    @cached_property
    def tokens(self) -> list[Token]:
        """All tokens with their places."""
        try:
            return [
                Token(
                    t.type, t.string, self._starts[t.start[0] - 1] + t.start[1], self._starts[t.end[0] - 1] + t.end[1]
                )
                for t in tokenize.generate_tokens(io.StringIO(self.code).readline)
                if t.type != tokenize.ENDMARKER and t.end[0] <= len(self._lines)
            ]
        except (tokenize.TokenError, IndentationError) as error:
            raise CellError(f"the cell cannot be read: {error}") from None

    @cached_property
    def comments(self) -> dict[int, str]:
        """Line → comment."""
        return {self.line_at(t.start): t.string for t in self.tokens if t.kind == tokenize.COMMENT}

    def line_at(self, offset: int) -> int:
        """The line, from 1, that a place is on."""
        return bisect_left(self._starts, offset + 1)

    def line_start(self, line: int) -> int:
        """Where a line begins."""
        return self._starts[line - 1]

    def offset(self, line: int, column: int) -> int:
        """The place of a line and a column as `ast` gives them (bytes of UTF-8)."""
        text = self._lines[line - 1]
        if not text.isascii():
            column = len(text.encode()[:column].decode(errors="replace"))
        return self._starts[line - 1] + column

    def span(self, node: ast.expr | ast.stmt | ast.keyword | ast.alias) -> tuple[int, int]:
        """Where a node begins and ends."""
        return (
            self.offset(node.lineno, node.col_offset),
            self.offset(node.end_lineno or node.lineno, node.end_col_offset or 0),
        )

    def source(self, node: ast.expr | ast.stmt | ast.keyword) -> str:
        """The source of a node."""
        start, end = self.span(node)
        return self.code[start:end]

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The node's parent, its parent, and so on."""
        while (parent := self.parents.get(id(node))) is not None:
            yield parent
            node = parent

    def statement(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that a node belongs to."""
        while not isinstance(node, ast.stmt):
            node = self.parents[id(node)]
        return node

    def opening(self, call: ast.Call) -> int:
        """The place of the parenthesis that opens a call's arguments."""
        end = self.span(call.func)[1]
        for token in self._tokens_from(end):
            if token.kind == tokenize.OP and token.string == "(":
                return token.start
        raise EditError("a call without a parenthesis", where=f"line {call.lineno}")

    def arguments(self, call: ast.Call) -> list[tuple[int, int]]:
        """Where each argument stands, in source order; parentheses around one belong to it."""
        close, opening = self.span(call)[1] - 1, self.opening(call)
        spans: list[tuple[int, int]] = []
        depth, start, end = 0, -1, -1
        for token in self._tokens_from(opening + 1):
            if token.start >= close:
                break
            if token.kind in (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
                continue
            if token.string == "," and token.kind == tokenize.OP and depth == 0:
                spans.append((start, end))
                start = -1
                continue
            depth += (token.string in "([{") - (token.string in ")]}") if token.kind == tokenize.OP else 0
            start, end = (token.start if start < 0 else start), token.end
        if start >= 0:
            spans.append((start, end))
        if len(spans) != len(call.args) + len(call.keywords):
            raise EditError("the arguments of a call cannot be told apart", where=f"line {call.lineno}")
        return spans

    def ordered(self, call: ast.Call) -> list[ast.expr | ast.keyword]:
        """A call's arguments in source order, as `arguments` gives their places."""
        both: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
        return sorted(both, key=lambda node: (node.lineno, node.col_offset))

    def _tokens_from(self, offset: int) -> Iterator[Token]:
        first = bisect_left(self.tokens, offset, key=lambda token: token.start)
        return iter(self.tokens[first:])

    def replaced(self, changes: Iterable[tuple[int, int, str]]) -> str:
        """The source with each `[start:end]` replaced; the changes do not overlap."""
        code = self.code
        for start, end, text in sorted(changes, reverse=True):
            code = code[:start] + text + code[end:]
        return code


@lru_cache(maxsize=512)
def text_of(code: str) -> Text:
    """The cell's text and tree, read once."""
    return Text(code)


def parse(code: str) -> ast.Module:
    """The tree of a cell of plain Python.

    Raises:
        CellError: it does not parse; the message shows line and caret.

    >>> parse("a = (1")
    Traceback (most recent call last):
    jupyter_swarm.errors.CellError: the cell does not parse: ...
    """
    try:
        return ast.parse(code)
    except SyntaxError as error:
        raise _explained(error, code) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise CellError(f"the cell does not parse: {error}", cure="check it for null bytes and deep nesting") from None


def _explained(error: SyntaxError, code: str) -> CellError:
    number = error.lineno or 1
    lines = code.split("\n")
    line = lines[number - 1] if number <= len(lines) else ""
    label = f"line {number}: "
    caret = " " * (len(label) + max((error.offset or 1) - 1, 0)) + "^"
    indent = " " * len(f"the cell does not parse: {error.msg} (")
    return CellError(f"the cell does not parse: {error.msg}", where=f"{label}{line}\n{indent}{caret}")
