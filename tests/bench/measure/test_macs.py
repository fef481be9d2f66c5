"""MACs: closed forms, what other counters are known to miss, planted faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from bench import models
from bench.measure.handles import einsum_macs
from bench.measure.macs import MacCount, count_macs
from bench.specs import ModelSpec

TOKENS, HEADS, WIDTH = 49, 4, 16  # of the attention cases; one image of (4, 49, 16)


class _Calls(nn.Module):
    """A function of one image as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, images: Tensor) -> Tensor:
        return self.function(images)


class _HiddenProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        product: Tensor = x @ x.mT
        return product

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return grads[0]


def _count(function: Callable[[Tensor], Tensor], *shape: int) -> MacCount:
    return count_macs(_Calls(function), shape)  # type: ignore[arg-type]


def _fused(x: Tensor) -> Tensor:
    return functional.scaled_dot_product_attention(x, x, x)


def _explicit(x: Tensor) -> Tensor:
    return (x @ x.mT).softmax(-1) @ x


def _linear(x: Tensor) -> Tensor:
    context = torch.einsum("bhnd,bhne->bhde", x.softmax(-2), x)
    return torch.einsum("bhnd,bhde->bhne", x.softmax(-1), context)


@pytest.mark.parametrize(
    ("attention", "macs"),
    [
        (_fused, 2 * HEADS * TOKENS**2 * WIDTH),  # 307,328
        (_explicit, 2 * HEADS * TOKENS**2 * WIDTH),
        (_linear, 2 * HEADS * TOKENS * WIDTH**2),  # 100,352, linear in the tokens
    ],
)
def test_attention(attention: Callable[[Tensor], Tensor], macs: int) -> None:
    count = _count(attention, HEADS, TOKENS, WIDTH)
    assert (count.macs, count.second_counter_macs) == (macs, macs)
    assert count.complete
    assert count.agrees
    assert count.differs == {}


def test_attention_with_other_keys_and_values() -> None:
    def attend(x: Tensor) -> Tensor:
        return functional.scaled_dot_product_attention(x, x[..., :7, :], x[..., :7, :5])

    count = _count(attend, HEADS, TOKENS, WIDTH)
    assert count.macs == count.second_counter_macs == HEADS * TOKENS * 7 * (WIDTH + 5)


def test_multihead_attention_without_its_fast_path() -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)

        def forward(self, images: Tensor) -> Tensor:
            tokens = images[:, 0]
            answer: Tensor = self.attention(tokens, tokens, tokens, need_weights=False)[0]
            return answer

    count = count_macs(Attention(), (1, TOKENS, WIDTH))
    assert count.macs == 4 * TOKENS * WIDTH**2 + 2 * TOKENS**2 * WIDTH  # 127,008
    assert count.agrees
    assert torch.backends.mha.get_fastpath_enabled()


@pytest.mark.parametrize(
    ("layer", "macs"),
    [
        (nn.Conv2d(8, 16, 3, padding=1), 28 * 28 * 16 * 8 * 9),
        (nn.Conv2d(8, 16, 3, padding=1, groups=4), 225_792),
        (nn.Conv2d(8, 16, 3, stride=2), 13 * 13 * 16 * 8 * 9),
        (nn.ConvTranspose2d(8, 16, 2, stride=2), 28 * 28 * 8 * 16 * 4),
        (nn.Sequential(nn.Flatten(), nn.Linear(8 * 28 * 28, 10)), 8 * 28 * 28 * 10),
        # Norms count nothing; fvcore alone says 250,880 here.
        (nn.Sequential(nn.Conv2d(8, 16, 3, padding=1, groups=4), nn.BatchNorm2d(16)), 225_792),
    ],
)
def test_layers(layer: nn.Module, macs: int) -> None:
    count = count_macs(layer, (8, 28, 28))
    assert (count.macs, count.second_counter_macs, count.complete) == (macs, macs, True)


def test_matmul_broadcasts_both_ways() -> None:
    count = _count(lambda x: x[:, :1] @ x.mT, HEADS, TOKENS, WIDTH)
    assert count.macs == count.second_counter_macs == HEADS * TOKENS**2 * WIDTH


def test_fourier_transform_is_counted_by_its_own_rule() -> None:
    def filtered(x: Tensor) -> Tensor:
        back: Tensor = torch.fft.irfft2(torch.fft.rfft2(x), s=(32, 32))
        return back

    count = _count(filtered, 8, 32, 32)
    assert count.macs == 2 * 8 * 32 * 32 * 10  # two transforms of 8 maps, log₂(32·32) = 10
    assert count.complete
    assert not count.agrees
    assert count.difference == "MACs by this count against torch's: FFT 163,840 against 0"


def test_interpolation() -> None:
    count = _count(lambda x: functional.interpolate(x, scale_factor=2, mode="bilinear"), 3, 8, 8)
    assert count.by_family == {"interpolation": 4 * 3 * 16 * 16}


def test_a_contraction_written_by_hand_is_counted() -> None:
    assert _count(lambda x: (x * x).sum(-1), 2, 5, 7).by_family == {"weighted sum": 70}
    assert _count(lambda x: x.sum(-1), 2, 5, 7).macs == 0


def test_planted_scan_makes_the_count_incomplete() -> None:
    count = _count(lambda x: (x * x.exp()).cumsum(-1), 8, 28, 28)
    assert not count.complete
    assert count.uncounted == {"aten::cumsum": 1}


def test_planted_autograd_function_makes_the_count_incomplete() -> None:
    count = _count(_HiddenProduct.apply, HEADS, TOKENS, WIDTH)
    assert count.uncounted == {"prim::PythonOp._HiddenProduct": 1}
    assert (count.macs, count.second_counter_macs) == (0, 153_664)
    assert not count.agrees


def test_unknown_and_uncountable_operators_make_the_count_incomplete() -> None:
    assert _count(lambda x: torch.cumprod(x, 1), 1, 4, 4).uncounted == {"aten::cumprod": 1}
    assert _count(lambda x: torch.einsum("...a,...b->...", x, x), 1, 4, 4).uncounted == {
        "aten::einsum": 1
    }


def test_allowed_operators_are_listed() -> None:
    count = _count(lambda x: functional.gelu(x).softmax(-1), 1, 4, 4)
    assert count.allowed == {"aten::gelu": 1, "aten::softmax": 1}
    assert count.complete


@pytest.mark.parametrize(
    ("equation", "shapes", "macs"),
    [
        ("ij,jk->ik", [(2, 3), (3, 5)], 30),
        ("ij,jk", [(2, 3), (3, 5)], 30),
        ("ij,ij->ij", [(2, 3), (2, 3)], 0),  # elementwise
        ("i,j->ij", [(2,), (3,)], 0),  # an outer product adds nothing
        ("ijm,jk->ik", [(2, 3, 9), (3, 5)], 30),  # m is summed before the product
        ("ij,jk,kl->il", [(2, 3), (3, 5), (5, 7)], 30 + 70),  # from left to right
    ],
)
def test_einsum(equation: str, shapes: list[tuple[int, ...]], macs: int) -> None:
    assert einsum_macs(equation, shapes) == macs


def test_model_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
    model[1].eval()
    count_macs(model, (3, 8, 8))
    assert [m.training for m in model] == [True, False, True]
    assert not model[0]._forward_hooks


def test_parts_sum_to_the_whole() -> None:
    count = count_macs(_model("resnet18", 64), (3, 64, 64))
    assert sum(count.by_part.values()) == count.macs
    assert count.by_part["conv1"] == 32 * 32 * 64 * 3 * 49
    assert count.by_part["fc"] == 512 * 8


def test_medmamba_tiny_counts_its_scan() -> None:
    count = count_macs(_model("medmamba_tiny", 64), (3, 64, 64))
    # 4 directions, E = 4·d: per block 4·L·E·N + 2·L·E with N = 16, depths 2-2-4-2 from 16 × 16.
    blocks = zip((2, 2, 4, 2), (96, 192, 384, 768), (16, 8, 4, 2), strict=True)
    scans = sum(depth * (66 * side**2 * 4 * width) for depth, width, side in blocks)
    assert count.by_family["scan"] == scans
    assert count.complete
    assert count.differs == {"scan": (scans, 0)}


@pytest.mark.slow
def test_medmamba_tiny_at_224_px() -> None:
    count = count_macs(_model("medmamba_tiny", 224), (3, 224, 224))
    assert count.macs == pytest.approx(2.60e9, rel=0.01)
    assert count.macs - count.by_family["scan"] == pytest.approx(2.26e9, rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", models.names())
def test_counters_agree_on_the_roster_or_say_why(name: str) -> None:
    count = count_macs(_model(name, 64), (3, 64, 64))
    assert count.complete, count.uncounted
    assert count.agrees or set(count.differs) == {"scan"}
    assert count.agrees == (count.difference is None)


def _model(name: str, size: int) -> nn.Module:
    torch.manual_seed(0)
    spec = ModelSpec(name=name)
    return models.build(spec, num_classes=8, in_chans=3, image_size=size).model
