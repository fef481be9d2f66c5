"""Source as text: what Python 3.11 writes, under every Python, for every file of the project."""

from __future__ import annotations

import ast
import sys

import pytest

from bench.source_text import unparse
from bench.toml_file import ROOT

WRITTEN_BY_311 = {
    """f"{', '.join(a)}: {b['c']!r:>{width}}" """: """f"{', '.join(a)}: {b['c']!r:>{width}}\"""",
    """f'{x}' "it's" """: '''f"{x}it's"''',
    """f"{a}\\n{b}\\t" """: r"""f'{a}\n{b}\t'""",
    """f"{{}}{ {1: 2}[x] }" """: "f'{{}}{ {1: 2}[x]}'",
    """f"{x!s}" f'"{y}"' """: """f'{x!s}"{y}"'""",
    """f"{'a' if b else f'{c:.2f}'}" """: '''f"{('a' if b else f'{c:.2f}')}"''',
    """f\"\"\"{x["a"]} isn't "b" \"\"\" """: '''f"""{x['a']} isn't "b" """''',
    """x = "plain 'quotes'" + 'a\\\\b' """: """x = "plain 'quotes'" + 'a\\\\b'""",
}


@pytest.mark.parametrize("source", WRITTEN_BY_311)
def test_an_f_string_is_written_with_other_quotes_outside_than_inside(source: str) -> None:
    text = unparse(ast.parse(source.strip()))
    assert text == WRITTEN_BY_311[source]
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(source.strip()))


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="3.11's own text is the measure")
def test_every_source_of_the_project_is_written_as_python_311_does() -> None:
    for place in ("bench", "baselines", "medspectralnet", "ablations"):
        for path in sorted((ROOT / place).rglob("*.py")):
            tree = ast.parse(path.read_bytes())
            assert unparse(tree) == ast.unparse(tree), path
