"""Memory in fresh processes, growth, and the machine's limits, on tiny models."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from bench.details import MachineSpec, MemorySpec, ScalingSpec
from bench.measure import limits, memory, scaling
from bench.measure.fresh import in_fresh_process
from bench.measure.limits import measure_limits
from bench.measure.memory import measure_memory
from bench.measure.scaling import ROUNDS, measure_scaling
from bench.records.details import ScaledPoint, ScalingResult
from bench.specs import ModelSpec
from bench.toml_file import ROOT

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


ANSWERS_LATE = """
import sys, time
from bench.measure.fresh import answer

def measure(request):
    print("begun", file=open(request["sign"], "w"))
    time.sleep(60)

answer(measure)
"""
ASKS = """
import sys
from bench.measure.fresh import in_fresh_process
in_fresh_process("answers_late", {"sign": sys.argv[1]})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_measuring_process_ends_with_a_killed_parent(tmp_path: Path) -> None:
    (tmp_path / "answers_late.py").write_text(ANSWERS_LATE)
    (tmp_path / "asks.py").write_text(ASKS)
    sign = tmp_path / "sign"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "asks.py"), str(sign)], env=environment
    )
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    _wait_until(sign.exists)
    (child,) = map(int, children.read_text().split())
    parent.kill()
    parent.wait()
    _wait_until(lambda: not _alive(child))


def _alive(pid: int) -> bool:
    """Running; a zombie waiting for an init that never comes is not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def _wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)


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
    assert [bool(point.rounds_s) for point in found.over_sizes] == [False, False, False]
    assert "too long to be repeated" in (found.over_sizes[0].failure or "")
    assert (found.over_sizes[2].failure or "").startswith("not tried: ")


def test_out_of_memory_at_a_batch_leaves_the_smaller_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    make = scaling._lane

    def lane(spec: ScalingSpec, size: int, batch: int, *rest: object) -> object:
        if batch > 2:
            raise torch.OutOfMemoryError("out of memory")
        return make(spec, size, batch, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(scaling, "_lane", lane)
    found = _measure(monkeypatch, batch_sizes=[1, 2, 4, 8])
    assert [bool(p.rounds_s) for p in found.over_batches] == [True, True, False, False]
    assert found.over_batches[2].failure == "out of memory"
    assert found.over_batches[3].failure == "not tried: out of memory"


def test_the_largest_size_that_does_not_fit_costs_no_other_its_peak(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def probe(spec: object, sizes: list[int], batch: int, seed: int) -> object:
        if 64 in sizes:
            raise MemoryError("the system ended the process")
        return {"points": [{"peak_bytes": 7} for _ in sizes]}

    points = [ScaledPoint(image_size=size, batch_size=1) for size in (28, 32, 64)]
    monkeypatch.setattr(scaling, "probe", probe)
    spec = ScalingSpec.model_validate(
        COMMON | {"image_sizes": [28, 64], "batch_sizes": [1, 2], "longest_pass_s": 1.0}
    )
    assert [p.peak_bytes for p in scaling._with_peaks(spec, points, 0)] == [7, 7, None]


@pytest.mark.slow
def test_a_fresh_process_passes_nothing_but_what_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's module, found by this process's path, sees the asked batch three times."""
    log = tmp_path / "batches.txt"
    (tmp_path / "probed_net.py").write_text(
        "import torch\n"
        "class Net(torch.nn.Module):\n"
        "    def __init__(self, num_classes, in_chans):\n"
        "        super().__init__()\n"
        "        self.head = torch.nn.Linear(in_chans, num_classes)\n"
        "    def forward(self, x):\n"
        f"        open({str(log)!r}, 'a').write(f'{{len(x)}} ')\n"
        "        return self.head(x.mean((2, 3)))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    spec = MemorySpec.model_validate(
        COMMON | {"model": ModelSpec(name="net", factory="probed_net:Net"), "batch_size": 5}
    )
    found = memory.probe(spec, [32], 5, seed=0)
    assert log.read_text().split() == ["5", "5", "5"]
    assert 0 < found["import_s"] < 60


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
