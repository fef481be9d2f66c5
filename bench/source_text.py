"""A syntax tree as source text, the same under every Python: what 3.11.7's ``ast.unparse`` writes.

From 3.12 on an f-string may hold its own quotes (PEP 701), and ``ast.unparse`` writes it so; a
digest over its text would then differ from Python to Python, and every record would look as if
other code had made it. The methods here are those of CPython 3.11.7's ``Lib/ast.py`` (PSF licence).
"""

from __future__ import annotations

import ast
import importlib
from typing import Any

_MULTI_QUOTES = ('"""', "'''")
_ALL_QUOTES = ("'", '"', *_MULTI_QUOTES)

_Precedence: Any
_Unparser: Any
try:
    _Precedence, _Unparser = ast._Precedence, ast._Unparser  # type: ignore[attr-defined]
except AttributeError:  # Python 3.14 moved them
    _moved: Any = importlib.import_module("_ast_unparse")
    _Precedence, _Unparser = _moved._Precedence, _moved.Unparser


def unparse(tree: ast.AST) -> str:
    """``tree`` as text.

    Raises:
        ValueError: an f-string's expression needs a backslash, which 3.11 cannot write there.
    """
    return str(_AsPython311().visit(ast.fix_missing_locations(tree)))


class _AsPython311(_Unparser):  # type: ignore[misc]
    avoids_backslashes = False

    def _write_constant(self, value: object) -> None:
        if self.avoids_backslashes and isinstance(value, str):
            self._write_plainly(value)
        else:
            super()._write_constant(value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self.write("f")
        if self.avoids_backslashes:
            self._write_plainly(self._inner(node))
            return
        parts = [(self._inner(value), isinstance(value, ast.Constant)) for value in node.values]
        written, quotes = [], list(_ALL_QUOTES)
        for part, constant in parts:
            text, left = _literal(part, quotes, escape_whitespace=constant)
            written.append(text)
            if set(left).isdisjoint(quotes):  # no kind of quote suits all parts
                written, quotes = [repr('"' + one)[2:-1] for one, _ in parts], ["'''"]
                break
            quotes = left
        self.write(quotes[0] + "".join(written) + quotes[0])

    def visit_FormattedValue(self, node: ast.FormattedValue) -> None:
        inner = type(self)()
        inner.avoids_backslashes = True
        inner.set_precedence(_Precedence.TEST.next(), node.value)
        text = inner.visit(node.value)
        if "\\" in text:
            raise ValueError("Unable to avoid backslash in f-string expression part")
        self.write("{" + (" " if text.startswith("{") else "") + text)
        if node.conversion != -1:
            self.write(f"!{chr(node.conversion)}")
        if node.format_spec:
            self.write(":" + self._inner(node.format_spec))
        self.write("}")

    def _inner(self, node: ast.expr) -> str:
        """What stands between the quotes."""
        if isinstance(node, ast.JoinedStr):
            return "".join(self._inner(value) for value in node.values)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value.replace("{", "{{").replace("}", "}}")
        assert isinstance(node, ast.FormattedValue)
        with self.buffered() as buffer:
            self.visit_FormattedValue(node)
        return "".join(buffer)

    def _write_plainly(self, string: str) -> None:
        text, quotes = _literal(string, list(_ALL_QUOTES))
        self.write(quotes[0] + text + quotes[0])


def _literal(
    string: str, quotes: list[str], *, escape_whitespace: bool = False
) -> tuple[str, list[str]]:
    """The text of a string literal with as few escapes as can be, and the quotes it may have."""

    def escaped(character: str) -> str:
        if not escape_whitespace and character in "\n\t":
            return character
        if character == "\\" or not character.isprintable():
            return character.encode("unicode_escape").decode("ascii")
        return character

    text = "".join(map(escaped, string))
    possible = [q for q in quotes if "\n" not in text or q in _MULTI_QUOTES]
    possible = [q for q in possible if q not in text]
    if not possible:
        whole = repr(string)
        return whole[1:-1], [next((q for q in quotes if whole[0] in q), whole[0])]
    if text:
        possible.sort(key=lambda q: q[0] == text[-1])
        if possible[0][0] == text[-1]:
            text = text[:-1] + "\\" + text[-1]
    return text, possible
