"""Each ablation is MedSpectralNet with exactly its one switch thrown, and a twin where it must."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, asdict
from typing import Any

import pytest
import timm
import torch

import ablations
from ablations.registry import entrypoint

PAPER_SIZE = 8.5e6  # parameters
TABLE = ablations.ABLATIONS
SINGLE = {n: a for n, a in TABLE.items() if not a.matched}


def build(name: str) -> Any:
    with torch.device("meta"):
        return timm.create_model(name, num_classes=8, in_chans=3)


def parameters(name: str) -> int:
    return sum(p.numel() for p in build(name).parameters())


def differences(name: str) -> dict[str, Any]:
    base, config = asdict(build("medspectralnet").config), asdict(build(name).config)
    return {key: value for key, value in config.items() if value != base[key]}


def test_the_table_is_the_promised_one() -> None:
    assert set(SINGLE) == {
        "medspectralnet_no_context_gate",
        "medspectralnet_local_stream",
        "medspectralnet_global_stream",
        "medspectralnet_quadratic_attention",
        "medspectralnet_no_frequency_split",
    }
    assert all(timm.is_model(name) for name in TABLE)
    assert all(a.removes and a.claim and a.expectation for a in TABLE.values())


@pytest.mark.parametrize("name", TABLE)
def test_exactly_the_named_switch_differs(name: str) -> None:
    ablation = TABLE[name]
    allowed = {ablation.switch} | ({"widths"} if ablation.matched else set())
    assert set(differences(name)) == allowed
    assert differences(name) == ablation.changed


@pytest.mark.parametrize("name", SINGLE)
def test_a_twin_stands_in_where_more_than_one_percent_is_lost(name: str) -> None:
    loses = parameters(name) < 0.99 * parameters("medspectralnet")
    assert (f"{name}_matched" in TABLE) == loses
    if loses:
        twin = TABLE[f"{name}_matched"]
        assert twin.switch == TABLE[name].switch
        assert twin.changed[twin.switch] == TABLE[name].changed[twin.switch]
        assert parameters(twin.name) == pytest.approx(PAPER_SIZE, rel=0.01)
    else:
        assert parameters(name) == parameters("medspectralnet")


@pytest.mark.parametrize(
    "name", ["medspectralnet_quadratic_attention", "medspectralnet_no_frequency_split"]
)
def test_the_same_state_loads_but_the_outputs_differ(name: str) -> None:
    torch.manual_seed(0)
    base: Any = timm.create_model("medspectralnet", num_classes=8).eval()
    ablated: Any = timm.create_model(name, num_classes=8).eval()
    ablated.load_state_dict(base.state_dict())
    x = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert not torch.allclose(base(x), ablated(x), rtol=1e-3)


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("medspectralnet_no_context_gate", "gate"),
        ("medspectralnet_local_stream", "global_stream"),
        ("medspectralnet_global_stream", "local_stream"),
    ],
)
def test_the_part_is_gone(name: str, gone: str) -> None:
    def has(model: str) -> bool:
        return any(gone in key.split(".") for key in build(model).state_dict())

    assert has("medspectralnet")
    assert not has(name)


def test_entries_cannot_be_changed_but_calls_may_add_arguments() -> None:
    ablation = TABLE["medspectralnet_local_stream"]
    with pytest.raises(FrozenInstanceError):
        ablation.switch = "attention"  # type: ignore[misc]
    function = entrypoint(ablation)
    assert function.__name__ == ablation.name
    assert function(num_classes=3).num_classes == 3
