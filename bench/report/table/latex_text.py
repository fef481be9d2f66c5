"""Text as LaTeX that pdfLaTeX and LuaLaTeX both set: escapes, symbols, inline Markdown.

pylatexenc knows the macros of accents, Greek letters and symbols. Letters of other scripts have
none that a document can be relied on to define: they become ``\\benchchar{letter}{U+80BA}``, which
prints the code point until the document defines it otherwise (a font for the script, LuaLaTeX).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pylatexenc.latexencode import (
    RULE_REGEX,
    UnicodeToLatexConversionRule,
    UnicodeToLatexEncoder,
)

_BREAK = "\x1f"  # a blank to str.split, so never in a flattened text
LONGEST = 24  # characters without a place to break, in running text
_SCRIPTS = re.compile("[\u0400-\u052f\u0590-\u1eff]")  # Cyrillic needs an encoding of its own
_OPEN = {"em_open": r"\emph{", "strong_open": r"\textbf{"}
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).disable(
    ["link", "image", "autolink", "entity", "escape", "html_inline"]
)


def latex(text: str, longest: int | None = None) -> str:
    """Plain text, escaped.

    Args:
        longest: characters that may stand without a place to break a line; None: no such places
            beyond LaTeX's own.
    """
    flat = " ".join(unicodedata.normalize("NFC", text).split())
    if longest is None:
        return _escaped(flat)
    return r"\allowbreak{}".join(_escaped(piece) for piece in pieces(flat, longest))


def number(text: str) -> str:
    """A cell of numbers: a hyphen before a digit is a minus sign."""
    return re.sub(r"(?<!\w)-(?=\d)", lambda _: r"\ensuremath{-}", latex(text))


def inline(text: str) -> str:
    """One paragraph of Markdown: code, emphasis and bold."""
    (paragraph,) = _MARKDOWN.parseInline(" ".join(text.split()))
    return "".join(map(_token, paragraph.children or []))


def pieces(text: str, longest: int) -> list[str]:
    """The text cut where a name may break: behind ``_ / . , : = -``, and in what is still too long.

    LaTeX breaks at blanks anyway, so they stay inside the pieces.
    """
    marked = re.sub(r"(?<=[_/.,:=])(?=[^\s\d])|(?<=\w-)(?=\w)", _BREAK, text)
    marked = re.sub(rf"([^\s{_BREAK}]{{{longest}}})(?=[^\s{_BREAK}])", rf"\1{_BREAK}", marked)
    return marked.split(_BREAK)


def _token(token: Token) -> str:
    if token.type in _OPEN:
        return _OPEN[token.type]
    if token.type.endswith("_close"):
        return "}"
    if token.type in ("softbreak", "hardbreak"):
        return " "
    if token.type == "code_inline":
        return rf"\texttt{{{latex(token.content, LONGEST // 2)}}}"
    return _spaced(token.content)


def _spaced(text: str) -> str:
    """Escaped with the blanks at either end kept, which belong to the neighbours."""
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    body = latex(text, LONGEST)
    return f"{before and ' '}{body}{after and ' '}" if text.strip() else text and " "


def _unknown(character: str) -> str:
    return rf"\benchchar{{{character}}}{{U+{ord(character):04X}}}"


_ENCODER = UnicodeToLatexEncoder(
    conversion_rules=[
        UnicodeToLatexConversionRule(RULE_REGEX, [(_SCRIPTS, lambda m: _unknown(m.group()))]),
        "defaults",
    ],
    unknown_char_policy=_unknown,
    unknown_char_warning=False,
)


@lru_cache(maxsize=65_536)
def _escaped(text: str) -> str:
    made = str(_ENCODER.unicode_to_latex(text))
    for plain, safe in (("|", r"\textbar{}"), ("[", "{[}"), ("]", "{]}"), ("--", "-{}-")):
        made = made.replace(plain, safe)
    return made
