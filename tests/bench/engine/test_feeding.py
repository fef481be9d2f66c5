"""The feeding benchmark on a tiny stand-in: both paths feed the same images, and times are raw."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bench.data.cache import Cache
from bench.data.feed import batches
from bench.engine import feeding
from bench.engine.feeding import measure_feeding, write_stand_in

pytestmark = pytest.mark.alone

CPU = torch.device("cpu")


def all_images(passes: feeding.NewPass) -> torch.Tensor:
    return torch.cat([images for images, _ in passes()])


def test_both_paths_feed_the_same_images(tmp_path: Path) -> None:
    from medmnist import PneumoniaMNIST

    file = tmp_path / "pneumoniamnist.npz"
    write_stand_in(file, 150)
    ours = all_images(feeding._ours(file, 32, CPU, Cache(None)))
    theirs = all_images(feeding._theirs(PneumoniaMNIST, file, 32, CPU))
    assert ours.shape == theirs.shape == (150, 3, 32, 32)
    nearest = torch.cdist(ours.flatten(1), theirs.flatten(1)).argmin(1)  # both are shuffled
    assert sorted(nearest.tolist()) == list(range(150))
    theirs = theirs[nearest]
    # PIL resizes in fixed point and rounds between its two passes: a level or two of 255
    assert (ours - theirs).abs().max() <= 2.01 * 2 / 255


def test_result_holds_raw_rounds_and_what_follows_from_them(tmp_path: Path) -> None:
    write_stand_in(tmp_path / "tiny.npz", 200)
    result = measure_feeding(32, 3, CPU, file=tmp_path / "tiny.npz")
    assert (result.data, result.images, result.image_size) == ("tiny", 200, 32)
    assert len(result.ours_s) == len(result.theirs_s) == 3
    assert result.ours_images_per_s == pytest.approx(200 / sorted(result.ours_s)[1])
    assert result.theirs_images_per_s == pytest.approx(200 / sorted(result.theirs_s)[1])
    assert result.ratio_low <= result.ratio <= result.ratio_high
    assert min(result.ours_first_batch_s, result.theirs_first_batch_s) > 0
    assert result.ours_cached_first_batch_s > 0
    assert type(result).model_validate_json(result.model_dump_json()) == result


def test_a_failure_is_not_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="2 rounds or more, got 1"):
        measure_feeding(32, 1, CPU)
    write_stand_in(tmp_path / "tiny.npz", 200)
    passes: list[int] = []

    def failing(*arguments: object, **options: object) -> object:
        passes.append(1)
        if len(passes) > 4:
            raise OSError("gone")
        return batches(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(feeding, "batches", failing)
    with pytest.raises(RuntimeError, match="ours: gone"):
        measure_feeding(32, 2, CPU, file=tmp_path / "tiny.npz")
