"""Memory in fresh processes, growth, and the machine's limits, on tiny models."""

from __future__ import annotations

import pytest

from bench.details import MachineSpec, MemorySpec, ScalingSpec
from bench.measure import limits, memory, scaling
from bench.measure.fresh import in_fresh_process
from bench.measure.limits import measure_limits
from bench.measure.memory import measure_memory
from bench.measure.scaling import ROUNDS, measure_scaling
from bench.records.details import ScalingResult
from bench.specs import ModelSpec

COMMON = {
    "model": ModelSpec(name="test_medspectralnet"),
    "channels": 3,
    "num_classes": 4,
    "device": "cpu",
    "device_name": "test",
    "threads": 1,
    "image_size": 32,
}


@pytest.mark.slow
def test_peaks_of_fresh_processes() -> None:
    spec = MemorySpec.model_validate(COMMON | {"batch_size": 64, "image_size": 128})
    found = measure_memory(spec, seed=0)
    images = 64 * 3 * 128 * 128 * 4
    assert found.inference_peak_bytes > found.libraries_bytes + images
    assert found.training_peak_bytes is not None
    assert found.training_peak_bytes > found.inference_peak_bytes
    assert found.training_failure is None
    assert found.import_s > found.build_s > 0
    assert found.first_forward_s > 0


def test_a_training_that_fails_leaves_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    point = {"peak_bytes": 10, "build_s": 0.1, "passes_s": [0.2, 0.1, 0.1]}

    def probe(*_: object, training: bool = False, **__: object) -> object:
        if training:
            raise MemoryError("the system ended the process, most likely for its memory")
        return {"libraries_bytes": 5, "import_s": 1.0, "points": [point]}

    monkeypatch.setattr(memory, "probe", probe)
    found = measure_memory(MemorySpec.model_validate(COMMON | {"batch_size": 2}), seed=0)
    assert found.training_peak_bytes is None
    assert found.training_failure == "the system ended the process, most likely for its memory"
    assert found.repeat_difference_bytes == 0


def test_a_process_that_fails_says_its_last_line() -> None:
    with pytest.raises(RuntimeError, match="KeyError"):
        in_fresh_process("bench.measure.memory", {})


def _measure(monkeypatch: pytest.MonkeyPatch, **changes: object) -> ScalingResult:
    monkeypatch.setattr(
        scaling,
        "probe",
        lambda spec, sizes, batch, seed: {"points": [{"peak_bytes": size} for size in sizes]},
    )
    values: dict[str, object] = {
        "image_sizes": [32, 64],
        "batch_sizes": [1, 2],
        "longest_pass_s": 10.0,
    }
    spec = ScalingSpec.model_validate(COMMON | values | changes)
    return measure_scaling(
        spec, seconds_per_point=0.02, seed=0, on_progress=lambda doing, done: None
    )


def test_sizes_and_batches_are_timed_in_the_same_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _measure(monkeypatch)
    assert [(p.image_size, p.batch_size) for p in found.over_sizes] == [(32, 1), (64, 1)]
    assert [(p.image_size, p.batch_size) for p in found.over_batches] == [(32, 1), (32, 2)]
    assert all(len(p.rounds_s) == ROUNDS for p in [*found.over_sizes, *found.over_batches])
    assert [p.peak_bytes for p in found.over_sizes] == [32, 64]


def test_a_size_the_model_refuses_leaves_the_larger_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _measure(monkeypatch, image_sizes=[8, 32])
    assert found.over_sizes[0].failure is not None
    assert not found.over_sizes[0].rounds_s
    assert found.over_sizes[1].rounds_s
    assert found.over_sizes[0].peak_bytes is None


def test_a_pass_too_long_ends_the_series_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _measure(monkeypatch, image_sizes=[32, 64, 96], longest_pass_s=1e-9)
    assert [bool(point.rounds_s) for point in found.over_sizes] == [True, False, False]
    assert "already takes more than 1e-09 s" in (found.over_sizes[1].failure or "")


def test_limits_are_what_the_machine_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.PRODUCT_SIDE, "cpu", 256)
    monkeypatch.setitem(limits.COPY_BYTES, "cpu", 2**22)
    monkeypatch.setattr(
        limits, "lacks", lambda precision, _: None if precision == "float32" else "no"
    )
    spec = MachineSpec(device="cpu", device_name="test", threads=1, precisions=["bfloat16"])
    found = measure_limits(spec)
    assert list(found.product_macs_per_s) == ["float32"]
    assert found.product_macs_per_s["float32"] > 1e8
    assert found.copy_bytes_per_s > 1e8
    assert 1e-8 < found.operator_call_s < 1e-3
