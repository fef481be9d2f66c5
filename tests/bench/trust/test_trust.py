"""The timer on trial, on a tiny model; the verdicts can fail, and a planted slowness is found."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch
from torch import Tensor

from bench.errors import InputError
from bench.report.trust import (
    ABSENT,
    copies_right,
    passed,
    pooled_ratio,
    trust_page,
    write_trust_page,
)
from bench.toml_file import ROOT, read_toml
from bench.trust.file import TIMER, TrustFile
from bench.trust.record import NAME, CopyTimes, LoopTimes, TrustRecord, load
from bench.trust.trial import slower, timm_step, try_timer

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrustRecord, Path]:
    file = read_toml(TIMER, TrustFile)
    tiny = file.model_copy(
        update={
            "threads": 1,
            "loops": file.loops.model_copy(
                update={"models": ["test_medspectralnet"], "image_size": 32, "rounds": 8}
            ),
            "copies": file.copies.model_copy(
                update={"model": "test_medspectralnet", "image_size": 32, "repeats": 2}
            ),
        }
    )
    results = tmp_path_factory.mktemp("results")
    return try_timer(tiny, results, lambda doing, done: None), results


def test_the_trial_is_recorded_and_drawn(tried: tuple[TrustRecord, Path]) -> None:
    record, results = tried
    assert load(results) == record
    assert not record.stale
    (loop,) = record.loops
    assert len(loop.ours_s) == len(loop.timm_s) == 8
    assert len(record.copies) == 2
    assert len(record.copies[0].slower_s) == record.spec.copies.rounds
    text = write_trust_page(results).read_text()
    assert text == trust_page(record)
    assert "test_medspectralnet" in text


def _planted(record: TrustRecord, *, loops: float, copy: float, slow: float) -> TrustRecord:
    base = [[1.0 + 0.01 * (i % 3)] for i in range(12)]
    times = {factor: [[s * factor for s in one] for one in base] for factor in (loops, copy, slow)}
    wobble = [[s * (1 + 0.001 * (-1) ** i) for s in one] for i, one in enumerate(base)]
    return record.model_copy(
        update={
            "loops": [LoopTimes(model="a", ours_s=times[loops], timm_s=wobble)],
            "copies": [
                CopyTimes(first_s=wobble, copy_s=times[copy], slower_s=times[slow])
                for _ in range(20)
            ],
        }
    )


@pytest.mark.parametrize(
    ("loops", "copy", "slow", "right"),
    [
        (1.0, 1.0, 1.05, True),
        (1.05, 1.0, 1.05, False),  # our loop takes longer than timm's
        (1.0, 1.004, 1.05, True),  # copies differ by less than the floor
        (1.0, 1.02, 1.05, False),  # copies seem to differ
        (1.0, 1.0, 1.0, False),  # the slower copy is not found
    ],
)
def test_each_verdict_can_fail(
    tried: tuple[TrustRecord, Path], loops: float, copy: float, slow: float, right: bool
) -> None:
    record = _planted(tried[0], loops=loops, copy=copy, slow=slow)
    assert passed(record) is right
    assert pooled_ratio(record).value == pytest.approx(loops, rel=0.002)
    assert ("missed" in trust_page(record)) is not right
    assert copies_right(record) == (20 * (copy < 1.01), 20 * (slow > 1.0))


def test_as_many_rounds_and_models_as_one_likes_are_pooled(
    tried: tuple[TrustRecord, Path],
) -> None:
    rounds = [[1.0 + 0.001 * (i % 7)] for i in range(300)]
    loops = [
        LoopTimes(
            model=str(m),
            ours_s=[[0.98 * s * 2**m] for (s,) in rounds],
            timm_s=[[s * 2**m] for (s,) in rounds],
        )
        for m in range(5)
    ]
    record = tried[0].model_copy(update={"loops": loops})
    assert pooled_ratio(record).value == pytest.approx(0.98)


def test_the_slower_copy_is_slower_by_its_share() -> None:
    def sleeps(images: Tensor) -> Tensor:
        time.sleep(0.02)
        return images

    start = time.perf_counter()
    slower(sleeps, 0.5)(torch.ones(1))
    assert time.perf_counter() - start >= 0.03


def test_timms_step_takes_no_gradients() -> None:
    seen: list[bool] = []

    class Model(torch.nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            seen.append(torch.is_grad_enabled())
            return images

    assert timm_step(Model(), torch.ones(1))() >= 0
    assert seen == [False]


def test_no_record_and_a_damaged_one(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    assert trust_page(None) == ABSENT
    (tmp_path / NAME).write_text('{"loops": 1}')
    with pytest.raises(InputError, match="damaged record"):
        load(tmp_path)


def test_the_page_of_the_checkout_is_that_of_its_record() -> None:
    page = (ROOT / "reports" / "trust.md").read_text(encoding="utf-8")
    assert page == trust_page(load(ROOT / "results")), "python -m bench trust --draw"
