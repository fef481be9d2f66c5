"""Sentences in Markdown as HTML. What comes from records is escaped: no tag passes."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markupsafe import Markup

# without images and raw HTML: nothing that a record says can be fetched or run
_RENDERER = MarkdownIt("commonmark", {"html": False}).disable(["image", "heading", "lheading"])


def paragraphs(text: str) -> Markup:
    """Paragraphs and lists."""
    return Markup(_RENDERER.render(text.strip()))


def sentence(text: str) -> Markup:
    """Words within a paragraph."""
    return Markup(_RENDERER.renderInline(" ".join(text.split())))
