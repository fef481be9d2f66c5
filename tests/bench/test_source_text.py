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
    r"""f"{x}\'\'\' \"\"\" {y}" """: r"""f'{x}\'\'\' DDD {y}'""",
    r"""f"{x}\'\'\' and \"" """: r"""fDDD{x}''' and \"DDD""",
    r"""f"{a['b']}{x}\'\'\'\"\"\"" """: r"""f'''{a['b']}{x}\'\'\'DDD'''""",
    """x = "plain 'quotes'" + 'a\\\\b' """: """x = "plain 'quotes'" + 'a\\\\b'""",
}


@pytest.mark.parametrize("source", WRITTEN_BY_311)
def test_an_f_string_is_written_with_other_quotes_outside_than_inside(source: str) -> None:
    text = unparse(ast.parse(source.strip()))
    assert text == WRITTEN_BY_311[source].replace("DDD", '"""')
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(source.strip()))


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="3.11's own text is the measure")
def test_every_source_of_the_project_is_written_as_python_311_does() -> None:
    for place in ("bench", "baselines", "medspectralnet", "ablations"):
        for path in sorted((ROOT / place).rglob("*.py")):
            tree = ast.parse(path.read_bytes())
            assert unparse(tree) == ast.unparse(tree), path


def test_what_311_cannot_write_is_refused_as_there() -> None:
    inside = ast.Constant("""all quotes: \' " \'\'\' \\"\\"\\" and a\nline""")
    string = ast.Expr(ast.JoinedStr([ast.FormattedValue(inside, -1, None)]))
    with pytest.raises(ValueError, match="Unable to avoid backslash"):
        unparse(string)
