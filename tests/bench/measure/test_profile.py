"""What a pass consists of, against hand-counted bytes and planted types."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from bench.measure.profile import profile_pass


class _Scaled(nn.Module):
    """A view, a product and an addition: two calls."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(6, 5))

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1).mm(self.weight) + 1.0


def test_calls_and_bytes_by_hand() -> None:
    found = profile_pass(_Scaled(), torch.ones(2, 1, 2, 3), "float32")
    assert found.calls == 2  # flatten is a view
    product = 2 * 6 + 6 * 5 + 2 * 5
    addition = 2 * 5 + 2 * 5
    assert found.bytes_moved == 4 * (product + addition)
    assert found.types == {"matrix product": {"float32"}}


def test_types_tell_what_autocast_left_in_float32() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.LayerNorm(4 * 36)).eval()
    found = profile_pass(model, torch.randn(1, 3, 8, 8), "bfloat16")
    assert found.types["convolution"] == {"bfloat16"}
    assert "float32" in found.types["normalisation"]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_model_is_left_as_it_was(precision: str) -> None:
    model = _Scaled()
    before = model.weight.detach().clone()
    profile_pass(model, torch.ones(1, 1, 2, 3), precision)  # type: ignore[arg-type]
    assert torch.equal(model.weight, before)
    assert model.weight.grad is None
