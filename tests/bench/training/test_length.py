"""How long a training is: from the protocol and the number of images alone."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.training.length import passes_per_epoch, updates_per_epoch, updates_per_pass
from tests._helpers.specs import protocol


@pytest.mark.parametrize(
    ("images", "batch_size", "least", "passes"),
    [
        (546, 128, None, 1),  # BreastMNIST: 5 updates a pass, 500 in 100 epochs
        (546, 128, 500, 1),
        (546, 128, 501, 2),
        (546, 128, 5_000, 10),
        (4708, 128, 5_000, 2),  # PneumoniaMNIST: 37 a pass
        (89_996, 128, 5_000, 1),
    ],
)
def test_passes_are_the_fewest_that_make_the_updates(
    images: int, batch_size: int, least: int | None, passes: int
) -> None:
    asked = protocol(epochs=100, batch_size=batch_size, least_updates=least)
    assert passes_per_epoch(asked, images) == passes


@given(
    images=st.integers(2, 300_000),
    batch_size=st.integers(2, 1_000),
    epochs=st.integers(1, 300),
    least=st.integers(1, 100_000),
)
def test_the_updates_are_reached_and_not_by_a_pass_too_many(
    images: int, batch_size: int, epochs: int, least: int
) -> None:
    asked = protocol(epochs=epochs, batch_size=batch_size, least_updates=least)
    passes, once = passes_per_epoch(asked, images), updates_per_pass(images, batch_size)
    assert updates_per_epoch(asked, images) == passes * once
    assert epochs * passes * once >= least
    assert passes == 1 or epochs * (passes - 1) * once < least
    assert passes == max(1, math.ceil(least / (epochs * once)))
