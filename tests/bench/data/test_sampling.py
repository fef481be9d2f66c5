"""An epoch's images: a permutation, or all classes equally often; the generator alone decides."""

from __future__ import annotations

import pytest
import torch

from bench.data.sampling import balanced_weights, epoch_index
from bench.specs import Sampling

SINGLE = torch.tensor([0] * 900 + [2] * 90 + [3] * 10)  # class 1 has no image
MULTI = torch.tensor([[1, 0]] * 80 + [[1, 1]] * 10 + [[0, 0]] * 10)


def drawn(labels: torch.Tensor, sampling: Sampling, seed: int = 0) -> torch.Tensor:
    return epoch_index(labels, sampling, torch.Generator().manual_seed(seed))


def test_shuffled_is_the_permutation_that_the_generator_gives() -> None:
    expected = torch.randperm(1000, generator=torch.Generator().manual_seed(5))
    assert torch.equal(drawn(SINGLE, "shuffled", 5), expected)


@pytest.mark.parametrize("labels", [SINGLE, MULTI])
def test_balanced_is_as_long_as_the_split_and_comes_from_the_generator_alone(
    labels: torch.Tensor,
) -> None:
    state = torch.get_rng_state()
    first = drawn(labels, "balanced")
    assert first.shape == (len(labels),)
    assert first.dtype == torch.int64
    assert torch.equal(first, drawn(labels, "balanced"))
    assert not torch.equal(first, drawn(labels, "balanced", 1))
    assert torch.equal(torch.get_rng_state(), state)


def test_classes_come_equally_often_and_images_of_a_class_too() -> None:
    index = torch.cat([drawn(SINGLE, "balanced", seed) for seed in range(30)])
    counts = torch.bincount(SINGLE[index], minlength=4)
    assert counts[1] == 0
    for label in (0, 2, 3):
        assert abs(int(counts[label]) - 10_000) < 400  # five standard deviations of 30,000 / 3
    rare = torch.bincount(index, minlength=1000)[990:]
    assert abs(rare.double().mean() - 1000) < 50
    assert (rare - 1000).abs().max() < 160


def test_weights_in_closed_form() -> None:
    single = balanced_weights(SINGLE)
    assert single[0] == pytest.approx(1 / 2700)
    assert single[-1] == pytest.approx(1 / 30)
    multi = balanced_weights(MULTI)  # groups: 90 with the first, 10 with the second, 10 with none
    assert multi[0] == pytest.approx(1 / 270)
    assert multi[85] == pytest.approx(1 / 270 + 1 / 30)
    assert multi[-1] == pytest.approx(1 / 30)
    assert float(single.sum()) == pytest.approx(1)
    assert float(multi.sum()) == pytest.approx(1)
