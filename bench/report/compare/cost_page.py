"""The cost of two models as tables."""

from __future__ import annotations

from collections.abc import Iterator

from bench.report.accuracy import Row
from bench.report.collect import cost_of
from bench.report.compare.cost import Measured, Speed
from bench.report.compare.evidence import Evidence
from bench.report.compare.words import Part
from bench.report.text import BLANK, giga, millions, milliseconds, rate


def cost_parts(found: Evidence) -> Iterator[Part]:
    """Speed where both were timed in turn, then every measurement of both."""
    speeds = [*found.races, *(one.speed for one in found.measured if one.speed)]
    if speeds:
        yield _SPEED_READ
        yield [_speed_row(one) for one in speeds]
    if found.measured:
        yield _COST_READ
        yield [row for one in found.measured for row in _cost_rows(one)]
    if not speeds and not found.measured:
        yield "The two were not measured under the same settings on the same machine."
    lacking = [
        f"`{name}` was measured at {'; '.join(where) or 'no setting'}."
        for name, where in zip(found.names, found.settings, strict=True)
        if not found.measured
    ]
    if lacking:
        yield " ".join(lacking)
    if found.memory:
        yield [
            {
                "model": f"{letter}: {name}" + (" (stale)" if one.stale[place] else ""),
                "where": f"{one.where} on {one.machine}",
                "inference adds (MiB)": f"{one.inference[place] / 2**20:.0f}",
                "training adds (MiB)": _mebibytes(one.training[place]),
            }
            for one in found.memory
            for place, (letter, name) in enumerate(zip("AB", found.names, strict=True))
        ]
    else:
        yield "Memory: not measured of both (`python -m bench measure SUITE --full`)."


_SPEED_READ = (
    "*A ÷ B*: how many times as fast A is, by times of the same rounds, with the 95 % interval "
    "(Hodges–Lehmann, signed rank). A difference counts where the interval excludes 1 by more than "
    "two copies of one model differ (*floor*)."
)
_COST_READ = (
    "Parameters are those trained; 1 MAC is one multiply-add. Times hold for the machine named; "
    "those of different rounds are not divided."
)


def _speed_row(one: Speed) -> Row:
    ratio = one.ratio
    doubt = [what for what, holds in (("stale", one.stale), ("noisy", one.noisy)) if holds]
    return {
        "where": one.where,
        "timed in": f"race {one.record}" if one.timed == "race" else one.timed,
        "machine": one.machine,
        "A ÷ B": f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]",
        "floor": BLANK if one.floor is None else f"{100 * one.floor:.1f} %",
        "A is": one.word + (f" ({', '.join(doubt)})" if doubt else ""),
    }


def _cost_rows(one: Measured) -> Iterator[Row]:
    for letter, record, stale in zip("AB", (one.first, one.second), one.stale, strict=True):
        cost = cost_of(record)
        p95 = cost.latency_s_p95
        doubt = [what for what, holds in (("stale", stale), ("noisy", cost.noisy)) if holds]
        yield {
            "model": f"{letter}: {record.spec.label.split(' · ')[0].removeprefix('cost of ')}"
            + (f" ({', '.join(doubt)})" if doubt else ""),
            "where": one.where,
            "machine": one.machine,
            "params (M)": millions(cost.params_trainable),
            "weights (MiB)": f"{cost.weights_bytes / 2**20:.1f}",
            "MACs (G)": giga(cost.macs) + ("" if cost.macs_complete else " incomplete"),
            "images/s": f"{rate(cost.throughput_images_per_s_median)} "
            f"[{rate(cost.throughput_images_per_s_low)}, "
            f"{rate(cost.throughput_images_per_s_high)}]",
            "latency p50 (ms)": milliseconds(cost.latency_s_p50),
            "latency p95 (ms)": BLANK if p95 is None else milliseconds(p95),
        }


def _mebibytes(count_of: int | None) -> str:
    return BLANK if count_of is None else f"{count_of / 2**20:.0f}"
