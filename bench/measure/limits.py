"""What the machine itself can do, against which a model's speed is held (a roofline).

The peaks are measured, not read from a data sheet: a large square matrix product for arithmetic, a
copy far larger than the caches for memory, and one operator on one element for the cost of a call.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from bench.details import MachineSpec
from bench.measure.building import true_float32
from bench.measure.forms import lacks
from bench.measure.load import LoadWatch
from bench.measure.timing import synchronise, threads
from bench.records.details import MachineResult
from bench.specs import Precision

PRODUCT_SIDE = {"cpu": 2048, "cuda": 8192}
COPY_BYTES = {"cpu": 2**28, "cuda": 2**30}
_CALLS = 2000
_SECONDS = 1.0  # of each; the best counts: a limit is what the machine reaches undisturbed


def measure_limits(spec: MachineSpec) -> MachineResult:
    """Measure the limits of the device."""
    watch = LoadWatch()
    with threads(spec.threads), true_float32(), torch.inference_mode():
        wanted: list[Precision] = ["float32", *(p for p in spec.precisions if p != "float32")]
        products = {
            precision: _product(spec.device, precision)
            for precision in wanted
            if lacks(precision, spec.device) is None
        }
        copied, called = _copy(spec.device), _operator_call(spec.device)
    return MachineResult(
        product_macs_per_s=products,
        copy_bytes_per_s=copied,
        operator_call_s=called,
        noisy=watch.stop().noisy,
    )


def _best_s(work: Callable[[], object], device: str) -> float:
    where, best = torch.device(device), float("inf")
    end = time.perf_counter() + _SECONDS
    while best == float("inf") or time.perf_counter() < end:
        synchronise(where)
        start = time.perf_counter()
        work()
        synchronise(where)
        best = min(best, time.perf_counter() - start)
    return best


def _product(device: str, precision: Precision) -> float:
    side = PRODUCT_SIDE[device]
    a, b = (torch.randn(side, side, device=device).to(getattr(torch, precision)) for _ in "ab")
    return side**3 / _best_s(lambda: a @ b, device)


def _copy(device: str) -> float:
    source = torch.randn(COPY_BYTES[device] // 4, device=device)
    target = torch.empty_like(source)
    return 2 * COPY_BYTES[device] / _best_s(lambda: target.copy_(source), device)


def _operator_call(device: str) -> float:
    one = torch.ones(1, device=device)

    def calls() -> None:
        for _ in range(_CALLS):
            one.mul_(1.0)

    return _best_s(calls, device) / _CALLS
