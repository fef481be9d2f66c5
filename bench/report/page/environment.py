"""The templates, and the style and scripts that stand inside every HTML page of the project."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bench.report.page.prose import paragraphs, sentence

HERE = Path(__file__).parent
ASSETS = HERE / "assets"
SCRIPTS = ("dataTables.min.js", "page.js")


def environment() -> Environment:
    """Every value is escaped, and a name that a template does not know is an error."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"paragraphs": paragraphs, "sentence": sentence}
    made.globals |= {"style": asset("page.css")}
    return made


@cache
def asset(name: str) -> Markup:
    """A file of ``assets/`` as it may stand inside its element.

    Raises:
        ValueError: it would end that element.
    """
    text = (ASSETS / name).read_text(encoding="utf-8")
    if "</script" in text or "</style" in text:
        raise ValueError(f"{name} would end the element that it stands in")
    return Markup(text)


def policy(scripts: tuple[str, ...] = ()) -> str:
    """Content Security Policy: nothing is fetched, and no other script than these runs."""
    digests = (hashlib.sha256(asset(name).encode()).digest() for name in scripts)
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    allowed = hashes or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
