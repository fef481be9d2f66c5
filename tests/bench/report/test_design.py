"""Costs beside designs: only of the very same arguments, only compared in the same rounds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bench.records.schema import CostResult, Provenance, Record
from bench.report.design import cost_columns
from bench.specs import ModelSpec
from tests._helpers.specs import cost_spec

FIRST = ModelSpec(name="a", timm="medspectralnet", args={"depths": [1, 2]})
OTHER = ModelSpec(name="b", timm="medspectralnet", args={"depths": [2, 2]})
DAY = datetime(2026, 1, 1, tzinfo=UTC)


def _cost(model: ModelSpec, seconds: float, *, day: datetime = DAY, **changes: Any) -> Record:
    spec = cost_spec(model=model, **({"image_size": 224} | changes))
    return Record(
        kind="cost",
        id=spec.id,
        status="done",
        reason=None,
        spec=spec,
        suite=None,
        provenance=Provenance(
            commit=None,
            dirty=None,
            source_digest="0",
            packages={},
            python="3.11",
            platform="test",
            processor="cpu",
            device_name="cpu",
            threads=2,
            started_at=day,
            wall_s=1.0,
        ),
        attempts=[],
        cost=CostResult(
            params_trainable=1,
            params_total=1,
            buffers=0,
            weights_bytes=4,
            macs=670_000_000,
            macs_complete=True,
            macs_uncounted={},
            macs_by_part={},
            macs_second_counter=1,
            macs_counters_differ=None,
            throughput_images_per_s_median=1.0,
            throughput_images_per_s_low=1.0,
            throughput_images_per_s_high=1.0,
            throughput_samples_s=[seconds] * 16,
            throughput_rounds=[2] * 8,
            latency_s_p50=1.0,
            latency_s_p95=None,
            latency_samples_s=[1.0],
            noisy=False,
            load_before=0.0,
            load_after=0.0,
            notes=[],
        ),
    )


def test_designs_timed_together_are_compared() -> None:
    records = [_cost(FIRST, 0.04), _cost(OTHER, 0.02), _cost(OTHER, 9.0, image_size=64)]
    assert cost_columns(FIRST, FIRST, records) == {
        "MACs (G) at 224 px": "0.67",
        "speed ÷ first at 224 px": "–",
    }
    other = cost_columns(OTHER, FIRST, records)
    assert other["speed ÷ first at 224 px"] == "2.00 [2.00, 2.00]"


def test_what_was_not_timed_together_is_not_compared() -> None:
    later = DAY + timedelta(days=1)
    for other in (
        _cost(OTHER, 0.02, day=later),
        _cost(OTHER, 0.02, threads=1),
        _cost(ModelSpec(name="b", timm="medspectralnet"), 0.02),
    ):
        cells = cost_columns(OTHER, FIRST, [_cost(FIRST, 0.04), other])
        assert set(cells.values()) == {"–"}
    assert cost_columns(OTHER, FIRST, [_cost(OTHER, 0.02)]) == {}
