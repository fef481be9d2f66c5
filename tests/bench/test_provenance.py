"""The source digest: prose never changes it, code that decides a result does."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import digested, provenance
from bench.provenance import source_digest
from bench.specs import CostSpec, ModelSpec
from bench.toml_file import ROOT
from tests._helpers.specs import cost_spec, protocol, run_spec

BEFORE = '''
"""A module."""
RATE: float = 0.1  # a comment

def step(x: int) -> int:
    """What it does."""
    return x + 1
'''


@pytest.mark.parametrize(
    ("after", "same"),
    [
        (BEFORE.replace("# a comment", "# another"), True),
        (BEFORE.replace("What it does.", "What it now does."), True),
        (BEFORE.replace("A module.", "The module."), True),
        (BEFORE.replace("x: int) -> int", "x: float) -> float"), True),
        (BEFORE.replace("RATE: float", "RATE"), True),
        (BEFORE.replace("x + 1", "x + 2"), False),
        (BEFORE.replace("0.1", "0.2"), False),
        (BEFORE.replace("step", "stride"), False),
    ],
)
def test_prose_is_not_code(after: str, same: bool) -> None:
    assert after != BEFORE
    before = provenance._without_prose(BEFORE.encode())
    assert (provenance._without_prose(after.encode()) == before) is same


def cost(name: str) -> CostSpec:
    return cost_spec(model=ModelSpec(name=name))


def test_each_model_rests_on_its_own_source() -> None:
    names = ["medspectralnet", "medspectralnet_local_stream", "medmamba_tiny", "resnet18"]
    assert len({source_digest(cost(name)) for name in names}) == len(names)
    assert source_digest(cost("resnet18")) == source_digest(cost("resnet50"))  # both timm's


def test_every_place_named_exists() -> None:
    places = [place for group in digested.HARNESS.values() for place in group]
    places += [place for _, group in digested.MODEL_SOURCES for place in group]
    missing = [place for place in places if not (ROOT / place).exists()]
    assert not missing


def test_what_keeps_a_data_sets_labels_counts_where_the_protocol_augments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def digest(augment: dict[str, float], kept: list[str]) -> str:
        monkeypatch.setattr(provenance, "_label_preserving", lambda: {"breastmnist": kept})
        return source_digest(run_spec(protocol=protocol(augment=augment)))

    assert digest({"shift": 2.0}, ["shift"]) != digest({"shift": 2.0}, ["shift", "erase"])
    assert digest({}, ["shift"]) == digest({}, ["shift", "erase"])


def test_a_users_own_model_counts_wherever_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    package = tmp_path / "their_models"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "net.py").write_text("from their_models import blocks")
    (package / "blocks.py").write_text("WIDTH = 1")
    own = ModelSpec(name="mine", factory="their_models.net:make")

    def digest() -> str:
        provenance._normalised.cache_clear()
        return source_digest(cost_spec(model=own))

    before = digest()
    (package / "blocks.py").write_text("WIDTH = 1  # a comment")
    assert digest() == before
    (package / "blocks.py").write_text("WIDTH = 2")
    assert digest() != before
