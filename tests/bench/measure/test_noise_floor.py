"""Two copies of one model: the floor covers what they seem to differ by, planted or not."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.measure.noise_floor import noise_floor
from bench.measure.throughput import Subject

pytestmark = pytest.mark.alone


def _subject(seconds: float, *, fails: bool = False) -> Subject:
    def call(images: Tensor) -> Tensor:
        if fails:
            raise RuntimeError("no")
        time.sleep(seconds)
        return images

    return Subject(name="a", call=call, inputs=[torch.ones(1, 1, 2, 2)], seconds=0.1)


def test_the_floor_covers_a_planted_difference() -> None:
    copies = [(_subject(0.002), _subject(0.002)), (_subject(0.003), _subject(0.002))]
    floor = noise_floor(copies, np.random.default_rng(0))
    assert floor is not None
    assert floor.model == "a"
    assert floor.throughput > 0.3  # one copy is half as slow again
    assert floor.latency_p50 < 0.3


def test_a_model_that_fails_gives_no_floor() -> None:
    copies = [(_subject(0.001), _subject(0.001)), (_subject(0.001, fails=True), _subject(0.001))]
    assert noise_floor(copies, np.random.default_rng(0)) is None
