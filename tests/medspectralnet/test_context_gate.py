"""ContextGate: adaptive, per channel, a mean of the maps; and the plain sum that replaces it."""

from __future__ import annotations

import torch
from torch import Tensor

from medspectralnet.gate import ContextGate, PlainSum, make_gate, upsample_to


def maps(*sizes: int, channels: int = 6, batch: int = 2) -> list[Tensor]:
    rng = torch.Generator().manual_seed(0)
    return [torch.randn(batch, channels, s, s, generator=rng) for s in sizes]


def strong_gate(sources: int) -> ContextGate:
    torch.manual_seed(0)
    gate = ContextGate(6, sources, reduction=2)
    torch.nn.init.normal_(gate.weigh.weight)
    return gate


def test_weights_are_positive_and_sum_to_one_for_every_channel() -> None:
    weights = strong_gate(3).weights(maps(4, 4, 4))
    assert weights.shape == (2, 3, 6, 1, 1)
    assert (weights > 0).all()
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(2, 6, 1, 1))


def test_fuses_as_written_out() -> None:
    gate, sources = strong_gate(3), maps(4, 4, 4)
    weights = gate.weights(sources)
    want = sum(m * weights[:, i] for i, m in enumerate(sources))
    assert isinstance(want, Tensor)
    torch.testing.assert_close(gate(sources), want)


def test_two_maps_are_mixed_by_a_sigmoid() -> None:
    """g·local + (1−g)·global, the global one up-sampled."""
    gate = strong_gate(2)
    local, coarse = maps(6, 3)
    context = torch.cat([m.mean(dim=(2, 3)) for m in (local, coarse)], dim=1)
    logits = gate.weigh(torch.relu(gate.squeeze(context)))
    g = (logits[:, :6] - logits[:, 6:]).sigmoid()[:, :, None, None]
    repeated = coarse.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    torch.testing.assert_close(gate([local, coarse]), g * local + (1 - g) * repeated)


def test_weights_follow_the_image_and_differ_by_channel() -> None:
    weights = strong_gate(2).weights(maps(4, 4))
    assert (weights[0] - weights[1]).abs().max() > 0.05
    assert weights[0, 0].std() > 0.05


def test_without_the_gate_maps_are_summed() -> None:
    local, coarse = maps(6, 3)
    plain = make_gate(False, 6, 2, reduction=2)
    assert isinstance(plain, PlainSum)
    assert not list(plain.parameters())
    repeated = coarse.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    torch.testing.assert_close(plain([local, coarse]), local + repeated)


def test_up_sampling_reaches_odd_sizes() -> None:
    fine, coarse = maps(7, 3)
    assert upsample_to(coarse, fine).shape == fine.shape
    assert upsample_to(fine, fine) is fine
