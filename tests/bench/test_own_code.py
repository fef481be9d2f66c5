"""What a user's own model is made of is found by its imports."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.own_code import own_sources
from bench.provenance import source_digest
from bench.specs import ModelSpec
from tests._helpers.specs import run_spec


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path with a model of three files, one of them in a package."""
    (tmp_path / "own_net.py").write_text("import math\nimport torch\nimport own_blocks\n")
    (tmp_path / "own_blocks.py").write_text("from own_parts.gate import Gate\nimport own_net\n")
    (tmp_path / "own_parts").mkdir()
    (tmp_path / "own_parts" / "__init__.py").write_text("")
    (tmp_path / "own_parts" / "gate.py").write_text("from . import other\nimport medspectralnet\n")
    (tmp_path / "own_parts" / "other.py").write_text("")
    (tmp_path / "own_unused.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_imports_are_followed_to_what_is_installed(own: Path) -> None:
    names = [Path(place).name for place in own_sources("own_net")]
    assert names[0] == "own_net.py"
    assert set(names) == {"own_net.py", "own_blocks.py", "own_parts", "medspectralnet"}
    assert own_sources("own_parts.gate")[0] == str(own / "own_parts")
    assert own_sources("json") == own_sources("torch") == own_sources("no_such_module") == ()


def _digest() -> str:
    from bench import provenance

    provenance._normalised.cache_clear()
    return source_digest(run_spec(model=ModelSpec(name="mine", factory="own_net:make")))


@pytest.mark.parametrize("file", ["own_net.py", "own_blocks.py", "own_parts/other.py"])
def test_a_change_in_any_of_them_changes_the_digest(own: Path, file: str) -> None:
    before = _digest()
    (own / "own_unused.py").write_text("x = 1\n")
    assert _digest() == before
    (own / file).write_text((own / file).read_text() + "# prose\n")
    assert _digest() == before
    (own / file).write_text((own / file).read_text() + "x = 1\n")
    assert _digest() != before


@pytest.mark.parametrize("half_written", [b"def (", b"x = \xff"])
def test_a_file_that_is_no_python_is_other_code_and_no_error(
    own: Path, half_written: bytes
) -> None:
    before = _digest()
    (own / "own_blocks.py").write_bytes(half_written)
    assert _digest() != before
