"""A table as a page of HTML of its own: a caption, heads with their scope, no script.

Great Tables would need thirteen packages more, sets its title in a row instead of a caption, gives
rows no head and cells no attributes for their records; so the frame is a Jinja template.
"""

from __future__ import annotations

import itertools
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markdown_it import MarkdownIt
from markupsafe import Markup

from bench.report.table.model import Table
from bench.report.text import BLANK

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=True,
)
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).disable(["link", "image", "autolink"])


def table_html(table: Table, suite: str) -> str:
    """The table as a document that needs nothing else.

    Args:
        suite: whose table it is; it stands in the caption.
    """
    return _TEMPLATES.get_template("table.html.j2").render(
        table=table,
        suite=suite,
        blank=BLANK,
        groups=spanners(table),
        read=[words(paragraph) for paragraph in table.read.split("\n\n") if paragraph.strip()],
        legend=[words(sentence) for sentence in table.legend],
        notes=[words(note) for note in table.notes],
        empty=words(table.empty),
    )


def spanners(table: Table) -> list[tuple[str, int]]:
    """What stands above the heads, over how many columns; nothing where nothing does."""
    found = [
        (group, len(list(columns)))
        for group, columns in itertools.groupby(table.columns, key=lambda one: one.group)
    ]
    return found if any(group for group, _ in found) else []


def words(text: str) -> Markup:
    """One paragraph of Markdown as HTML; tags in it are shown, never obeyed."""
    return Markup(_MARKDOWN.renderInline(text))
