"""Expected times: the most alike earlier run is asked first."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from bench.execution.estimate import Estimator, shared_out
from bench.records.schema import Record
from bench.specs import ModelSpec, RunSpec
from bench.training.length import updates_per_pass
from tests._helpers.specs import protocol, run_spec


def spec(model: str, image_size: int, device: str = "cpu", epochs: int = 2) -> RunSpec:
    return run_spec(
        model=ModelSpec(name=model),
        image_size=image_size,
        device=device,
        protocol=protocol(epochs=epochs),
    )


def done(model: str, image_size: int, seconds: float, device: str = "cpu") -> Record:
    """A record of 2 epochs over 100 images; only what the estimator reads."""
    return cast(
        Record,
        SimpleNamespace(
            spec=spec(model, image_size, device),
            status="done",
            training=SimpleNamespace(data=SimpleNamespace(images={"train": 100})),
            provenance=SimpleNamespace(wall_s=seconds),
        ),
    )


EARLIER = [done("a", 32, 10), done("a", 64, 60), done("b", 32, 30), done("g", 32, 1, "cuda")]


@pytest.mark.parametrize(
    ("asked", "images", "expected"),
    [
        (spec("a", 32), 100, 10),  # itself
        (spec("a", 32, epochs=4), 50, 10),  # twice the epochs, half the images
        (spec("c", 32), 100, 20),  # others at that size: median of 10 and 30
        (spec("b", 64), 100, 60),  # another model at that size before itself at another
        (spec("c", 128), 100, 240),  # everything, by pixels: median of 160, 240, 480
        (spec("a", 32, "cuda"), 100, 1),
    ],
)
def test_the_most_alike_run_is_asked(asked: RunSpec, images: int, expected: float) -> None:
    assert Estimator(EARLIER).seconds(asked, images) == pytest.approx(expected)


def test_passes_that_a_small_data_set_gets_more_of_count() -> None:
    longer = protocol(epochs=2, least_updates=8 * updates_per_pass(100, protocol().batch_size))
    asked = spec("a", 32).model_copy(update={"protocol": longer})
    assert Estimator(EARLIER).seconds(asked, 100) == pytest.approx(4 * 10)


def test_nothing_known_is_said_as_such() -> None:
    assert Estimator([]).seconds(spec("a", 32), 100) is None
    assert Estimator(EARLIER[:3]).seconds(spec("a", 32, "cuda"), 100) is None


@pytest.mark.parametrize(
    ("under_way", "waiting", "workers", "expected"),
    [
        ([], [10, 20, 30], 1, 60),  # one after the other
        ([], [10, 10, 10, 10], 2, 20),
        ([], [10], 4, 10),  # no run is split
        ([40], [10, 10, 10], 2, 40),  # the others go round the long one
        ([40, 5], [10, 50], 2, 65),  # the second takes both: 5 + 10 + 50
        ([], [], 3, 0),
    ],
)
def test_runs_that_wait_go_to_whichever_worker_is_free_first(
    under_way: list[float], waiting: list[float], workers: int, expected: float
) -> None:
    assert shared_out(under_way, waiting, workers) == expected
