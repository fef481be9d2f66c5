"""The page of a full measurement, from hand-made records whose every ratio is known."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.details import DetailSpec, FormsSpec, MachineSpec, MemorySpec, ScalingSpec
from bench.provenance import source_digest
from bench.records.details import (
    DetailResult,
    FormsResult,
    FormTiming,
    MachineResult,
    MemoryResult,
    ScaledPoint,
    ScalingResult,
)
from bench.records.schema import CostResult, MachineState, NoiseFloor, Provenance, Record
from bench.report.circumstances import circumstance_rows
from bench.report.collect import collect
from bench.report.context import Context
from bench.report.cost import role_table
from bench.report.cost_page import floor_sentence
from bench.report.full_cost import forms_rows, latency_rows, memory_rows
from bench.report.growth import scaling_rows
from bench.report.limits import limit_rows, limits_sentence
from bench.report.tables import write_tables
from bench.specs import CostSpec
from bench.suite import Suite, load_suite
from bench.suite_details import detail_specs
from tests._helpers.tables import texts

SUITE = """
about = "hand-made"
protocol = "small"
source_size = 28
image_size = 64
threads = 2
device = "cpu"

[cost]
models = ["resnet18"]
num_classes = 8
batch_size = 4
seconds_per_model = 1.0

[cost.full]
forms = ["plain", "fused", "compiled"]
precisions = ["bfloat16"]
"""
MIB = 2**20


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    path = tmp_path / "made.toml"
    path.write_text(SUITE)
    return load_suite(str(path))


def _provenance(spec: CostSpec | DetailSpec) -> Provenance:
    return Provenance(
        commit=None,
        dirty=None,
        source_digest=source_digest(spec),
        packages={},
        python="3.11",
        platform="test",
        processor="cpu",
        device_name="cpu",
        threads=2,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        wall_s=1.0,
    )


def _record(spec: DetailSpec, result: DetailResult | None, reason: str | None = None) -> Record:
    return Record(
        kind="detail",
        id=spec.id,
        status="failed" if result is None else "done",
        reason=reason,
        spec=spec,
        suite=None,
        provenance=_provenance(spec),
        attempts=[],
        detail=result,
    )


def _rounds(seconds: float, passes: int = 1) -> list[list[float]]:
    return [[seconds] * passes for _ in range(8)]


RESULTS: dict[str, DetailResult] = {
    "machine": MachineResult(
        product_macs_per_s={"float32": 100e9},
        copy_bytes_per_s=20e9,
        operator_call_s=2e-6,
        noisy=False,
    ),
    "forms": FormsResult(
        timings=[
            FormTiming(
                form="plain",
                precision="float32",
                rounds_s=_rounds(0.04),
                latency_rounds_s=_rounds(0.02, 40),
            ),
            FormTiming(
                form="fused",
                precision="float32",
                rounds_s=_rounds(0.02),
                latency_rounds_s=_rounds(0.01, 8),
            ),
            FormTiming(form="compiled", precision="float32", failure="no compiler is here"),
            FormTiming(form="channels_last", precision="bfloat16", failure="no bfloat16"),
        ],
        energy_source=None,
        noisy=True,
        repeats=2,
        seconds_per_form=1.0,
        load_before=0.5,
        load_after=0.0,
    ),
    "memory": MemoryResult(
        libraries_bytes=500 * MIB,
        inference_peak_bytes=560 * MIB,
        repeat_difference_bytes=2 * MIB,
        training_peak_bytes=None,
        training_failure="out of memory",
        import_s=2.0,
        build_s=0.25,
        first_forward_s=0.08,
        second_forward_s=0.04,
    ),
    "scaling": ScalingResult(
        over_sizes=[
            ScaledPoint(image_size=16, batch_size=1, rounds_s=_rounds(0.004), peak_bytes=MIB),
            ScaledPoint(image_size=64, batch_size=1, rounds_s=_rounds(0.016), peak_bytes=9 * MIB),
            ScaledPoint(image_size=256, batch_size=1, failure="not tried: out of memory"),
        ],
        over_batches=[
            ScaledPoint(image_size=64, batch_size=1, rounds_s=_rounds(0.01)),
            ScaledPoint(image_size=64, batch_size=4, rounds_s=_rounds(0.02)),
            ScaledPoint(image_size=64, batch_size=16, rounds_s=_rounds(0.16)),
        ],
        seconds_per_point=1.0,
        noisy=False,
    ),
}


def _cost(suite: Suite, **changes: Any) -> Record:
    settings = suite.settings
    spec = CostSpec(
        model=suite.cost_models[0],
        image_size=settings.image_size,
        channels=3,
        num_classes=8,
        device="cpu",
        device_name="cpu",
        precision=changes.pop("precision", "float32"),
        threads=2,
        batch_size=4,
        channels_last=True,
    )
    values: dict[str, Any] = {
        "params_trainable": 10,
        "params_total": 10,
        "buffers": 0,
        "weights_bytes": 20_000_000,
        "macs": 160_000_000,
        "macs_complete": True,
        "macs_uncounted": {},
        "macs_by_part": {},
        "macs_by_role": {"head": 40_000_000, "layers.conv": 120_000_000},
        "macs_second_counter": 160_000_000,
        "macs_counters_differ": None,
        "throughput_images_per_s_median": 100.0,
        "throughput_images_per_s_low": 90.0,
        "throughput_images_per_s_high": 110.0,
        "throughput_samples_s": [0.04],
        "latency_s_p50": 0.02,
        "latency_s_p95": 0.03,
        "latency_samples_s": [0.02],
        "operator_calls": 70,
        "bytes_moved": 40_000_000,
        "noise_floor": NoiseFloor(
            model="resnet18", throughput=0.031, latency_p50=0.02, latency_p95=None
        ),
        "noisy": False,
        "load_before": 0.0,
        "load_after": 0.0,
        "notes": [],
    }
    return Record(
        kind="cost",
        id=spec.id,
        status="done",
        reason=None,
        spec=spec,
        suite=None,
        provenance=_provenance(spec),
        attempts=[],
        cost=CostResult(**(values | changes)),
    )


def _all(suite: Suite) -> list[Record]:
    cells = detail_specs(suite, "cpu", "cpu")
    return [_cost(suite), *(_record(spec, RESULTS[spec.detail]) for spec in cells)]


def _context(suite: Suite, records: list[Record]) -> Context:
    return Context(collect(suite, records))


def test_forms_stand_beside_plain_and_refusals_have_a_reason(suite: Suite) -> None:
    context = _context(suite, _all(suite))
    (row,) = texts(forms_rows(context))
    assert row["model"].startswith("resnet18 [")  # noisy
    assert row["plain"] == "100"
    assert row["fused"] == "200 (2.00× [2.00, 2.00])"
    notes = "\n".join(context.notes.sentences)
    assert row["compiled"] == "– [2]"
    assert context.notes.sentences[1] == "no compiler is here."
    assert "no bfloat16." in notes
    assert "Noisy" in notes


def test_percentiles_need_their_samples(suite: Suite) -> None:
    (row,) = texts(latency_rows(_context(suite, _all(suite))))
    assert (row["plain p50 (ms)"], row["plain p95 (ms)"], row["plain p99 (ms)"]) == (
        *("20", "20"),
        "20",
    )
    assert row["plain passes"] == "320"
    assert row["fastest form"] == "fused"
    assert (row["fastest p95 (ms)"], row["fastest p99 (ms)"]) == ("10", "–")
    assert row["fastest passes"] == "64"


def test_memory_is_what_comes_on_top_of_the_libraries(suite: Suite) -> None:
    context = _context(suite, _all(suite))
    (row,) = texts(memory_rows(context))
    assert row["inference adds (MiB)"] == "60"
    assert row["training adds (MiB)"] == "– [1]"
    assert context.notes.sentences == ("No training step: out of memory.",)


def test_growth_has_its_exponents_and_where_it_ended(suite: Suite) -> None:
    context = _context(suite, _all(suite))
    (row,) = texts(scaling_rows(context))
    assert row["time ∝ pixels to the"] == "0.50 [0.50, 0.50]"
    assert row["sizes (px)"] == "16 to 64 [1]"
    assert "not tried: out of memory" in context.notes.sentences[0]
    assert row["memory, smallest to largest (MiB)"] == "1 to 9"
    assert row["of the upper half, memory"] == "–"  # two sizes have no interval
    assert (row["best batch"], row["images/s there"]) == ("4", "200")


def test_memory_beyond_the_libraries_has_its_slope(suite: Suite) -> None:
    """1 MiB of the model's own a pixel row squared, beside 500 MiB of libraries."""
    sizes = [8, 16, 64, 128, 256]
    points = [
        ScaledPoint(
            image_size=size,
            batch_size=1,
            rounds_s=_rounds(0.01),
            peak_bytes=(500 + size**2 // 64) * MIB,
        )
        for size in sizes
    ]
    grown = ScalingResult(over_sizes=points, over_batches=[], seconds_per_point=1.0, noisy=False)
    found = RESULTS | {"scaling": grown}
    cells = detail_specs(suite, "cpu", "cpu")
    records = [_cost(suite), *(_record(spec, found[spec.detail]) for spec in cells)]
    (row,) = texts(scaling_rows(_context(suite, records)))
    assert row["of the upper half, memory"] == "1.00 [1.00, 1.00]"


def test_a_form_whose_times_never_settled_says_so(suite: Suite) -> None:
    timing = FormTiming(
        form="plain", precision="float32", rounds_s=_rounds(0.04), still_changing=True
    )
    found = RESULTS | {"forms": RESULTS["forms"].model_copy(update={"timings": [timing]})}
    cells = detail_specs(suite, "cpu", "cpu")
    records = [_cost(suite), *(_record(spec, found[spec.detail]) for spec in cells)]
    context = _context(suite, records)
    (row,) = texts(forms_rows(context))
    assert row["plain"] == "100 [2]"
    assert "still changing" in context.notes.sentences[1]


def test_a_model_is_held_against_the_machine(suite: Suite) -> None:
    context = _context(suite, _all(suite))
    (row,) = texts(limit_rows(context))
    assert (row["GMACs/s"], row["of the product's"]) == ("16", "16 %")
    assert (row["GB/s"], row["of the copy's"]) == ("1", "5 %")
    # 4 ms at 16 px, less 10 M MACs at 100 G/s and 20 MB at 20 GB/s, of 20 ms
    assert row["fixed, of p50"] == "14 %"
    assert row["nearest limit"] == "arithmetic"
    assert "100 GMACs/s in float32" in limits_sentence(context)


def test_a_model_bound_by_calls_is_marked(suite: Suite) -> None:
    records = [_cost(suite, latency_s_p50=0.005), *_all(suite)[1:]]
    context = _context(suite, records)
    (row,) = texts(limit_rows(context))
    assert row["nearest limit"] == "arithmetic, calls at batch 1 [1]"
    assert "however small the image" in context.notes.sentences[0]


def test_another_precision_is_held_against_nothing_it_was_not_timed_in(suite: Suite) -> None:
    (row,) = texts(limit_rows(_context(suite, _all(suite))))
    assert row["of the product's"] == "16 %"
    halved = _cost(suite, precision="bfloat16")
    text = suite.path.read_text().replace(
        'device = "cpu"', 'device = "cpu"\nprecision = "bfloat16"'
    )
    suite.path.write_text(text)
    (row,) = texts(limit_rows(_context(load_suite(str(suite.path)), [halved, *_all(suite)[1:]])))
    assert (row["of the product's"], row["fixed, of p50"], row["nearest limit"]) == ("–", "–", "–")


def test_the_edge_of_the_batches_is_not_called_the_best(suite: Suite) -> None:
    batches = [ScaledPoint(image_size=64, batch_size=b, rounds_s=_rounds(0.01)) for b in (1, 128)]
    edge = ScalingResult(over_sizes=[], over_batches=batches, seconds_per_point=1.0, noisy=False)
    cells = [
        s for s in detail_specs(suite, "cpu", "cpu") if not isinstance(s, FormsSpec | MemorySpec)
    ]
    records = [_record(cells[0], RESULTS["machine"]), _record(cells[1], edge)]
    (row,) = texts(scaling_rows(_context(suite, records)))
    assert row["best batch"] == "≥ 128"


def test_circumstances_show_what_the_machine_tells(suite: Suite) -> None:
    known = {"first_forward_s": 0.08, "build_s": 0.5, "fed": [4, 3, 64, 64], "load_others": 0.02}
    (row,) = texts(circumstance_rows(_context(suite, [_cost(suite, **known)])))
    assert row["first pass (ms)"] == "80"
    assert row["others meanwhile"] == "2 %"
    assert "energy (J/image)" not in row  # this machine tells none
    told = known | {"energy_j_per_image": 0.25, "state_after": MachineState(governor="powersave")}
    told["state_before"] = told["state_after"]
    told["types"] = {"convolution": ["bfloat16"], "scan": ["float32"]}
    (row,) = texts(circumstance_rows(_context(suite, [_cost(suite, **told)])))
    assert row["energy (J/image)"] == "0.25"
    assert row["clock"] == "powersave"
    assert row["types"] == "bfloat16: convolution; float32: scan"


def test_parts_and_the_noise_floor(suite: Suite) -> None:
    context = _context(suite, _all(suite))
    assert [(row["part"], row["share (%)"]) for row in texts(role_table(context).rows)] == [
        ("layers.conv", "75.0"),
        ("head", "25.0"),
    ]
    assert "(resnet18), timed in turn, could differ by 3.1 % in throughput" in floor_sentence(
        context
    )


def test_a_cell_that_failed_keeps_its_row_and_reason(suite: Suite) -> None:
    cells = detail_specs(suite, "cpu", "cpu")
    records = [_record(spec, None, "it broke") for spec in cells]
    records[0] = _record(cells[0], RESULTS["machine"])
    context = _context(suite, records)
    for draw in (forms_rows, latency_rows, memory_rows, scaling_rows):
        (row,) = texts(draw(context))
        assert row["model"] == "resnet18 [1]"
    assert context.notes.sentences == ("Not measured: it broke.",)


def test_a_suite_that_trains_nothing_has_its_costs_alone(suite: Suite, tmp_path: Path) -> None:
    paths = write_tables(suite, _all(suite), tmp_path / "drawn")
    assert [path.name for path in paths if path.suffix in (".md", ".csv")] == [
        *("cost.md", "cost.csv", "cost-forms.csv", "cost-latency.csv", "cost-memory.csv"),
        *("cost-scaling.csv", "cost-limits.csv", "macs.md", "macs.csv"),
        *("provenance.md", "provenance.csv", "licences.md"),
    ]
    text = paths[0].read_text()
    for title in ("Forms and precisions", "Memory and cold start", "Growth", "limits"):
        assert title in text
    again = write_tables(suite, _all(suite)[::-1], tmp_path / "again")
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in paths]


def test_cells_of_other_settings_are_not_shown(suite: Suite) -> None:
    others = []
    for spec in detail_specs(suite, "cpu", "cpu"):
        if isinstance(spec, FormsSpec | MemorySpec | ScalingSpec):
            other = spec.model_copy(update={"image_size": 32})
            others.append(_record(other, RESULTS[spec.detail]))
        else:
            assert isinstance(spec, MachineSpec)
            others.append(_record(spec, RESULTS["machine"]))
    context = _context(suite, others)
    assert not forms_rows(context)
    assert not memory_rows(context)
