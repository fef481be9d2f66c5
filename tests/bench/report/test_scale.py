"""Twice the records take about twice the time, never torch; and what `make scale` tells."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench.errors import InputError
from bench.provenance import PACKAGES
from bench.records.schema import Provenance, Record
from bench.records.store import Store
from bench.report.code import drawing_digest
from bench.report.collect import collect
from bench.report.figures.draw import plan_figures
from bench.report.scale.file import SCALE, ScaleFile, Shape
from bench.report.scale.made_up import write_results, write_suite
from bench.report.scale.page import ABSENT, passed, scale_page
from bench.report.scale.record import NAME, Drawing, ScaleRecord, Taken, load, save
from bench.report.scale.trial import measure
from bench.report.status import status_lines
from bench.report.tables import with_predictions, write_tables
from bench.suite import Suite
from bench.toml_file import ROOT, read_toml
from bench.verify.runs import check_run

FEW = 8  # seeds; and twice as many
MOST = 2.5  # times the processor time for twice the records


def shape(seeds: int) -> Shape:
    return Shape(
        models=10,
        datasets=["breastmnist"],
        seeds=seeds,
        epochs=3,
        val_images=40,
        test_images=60,
    )


Made = tuple[Suite, Store]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Made]:
    """Results folders of one size and of twice that size."""
    folders = []
    for seeds in (FEW, 2 * FEW):
        folder = tmp_path_factory.mktemp("scale")
        suite = write_suite(shape(seeds), folder)
        folders.append((suite, write_results(shape(seeds), suite, folder / "results")))
    return folders


def growth(drawn: Callable[[Suite, Store], object], made: list[Made]) -> float:
    """Processor time of twice the records over that of the records, each the least of two."""
    gc.collect()
    gc.disable()  # what else lives in this process does not count
    try:
        return _took(drawn, *made[1]) / _took(drawn, *made[0])
    finally:
        gc.enable()


def _took(drawn: Callable[[Suite, Store], object], suite: Suite, store: Store) -> float:
    took = []
    for _ in range(2):
        began = time.process_time()
        drawn(suite, store)
        took.append(time.process_time() - began)
    return min(took)


def report(suite: Suite, store: Store) -> None:
    write_tables(suite, with_predictions(suite, store), store.root / "drawn", store=store)


def figures(suite: Suite, store: Store) -> None:
    plan_figures(suite, with_predictions(suite, store), store).documents()


def status(suite: Suite, store: Store) -> None:
    status_lines(suite, store, {})


@pytest.mark.parametrize("drawn", [report, figures, status])
def test_twice_the_records_take_about_twice_the_time(
    drawn: Callable[[Suite, Store], object], made: list[Made]
) -> None:
    assert growth(drawn, made) <= MOST


def test_a_quadratic_step_is_caught(made: list[Made], monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(suite: Suite, records: list[Record], *more: Any) -> object:
        assert sum(one.spec.id == other.id for one in records for other in records)
        return collect(suite, records, *more)

    monkeypatch.setattr("bench.report.status.collect", slow)
    assert growth(status, made) > MOST


def test_what_is_made_up_holds(made: list[Made]) -> None:
    suite, store = made[0]
    runs = [record for record in with_predictions(suite, store) if record.training]
    assert len(runs) == 10 * FEW
    assert len(store.all()) == shape(FEW).records
    assert not [line for record in runs for line in check_run(record, store, "none at hand")]
    assert len({store.predictions_path(run.id).read_bytes() for run in runs}) == len(runs)


@pytest.mark.parametrize("document", ["report", "figures", "status"])
def test_nothing_imports_torch(document: str, tmp_path: Path) -> None:
    few = shape(1).model_copy(update={"models": 2})
    suite = write_suite(few, tmp_path)
    store = write_results(few, suite, tmp_path / "results")
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print('torch' in sys.modules))\n"
        "from bench.cli import main\n"
        "main()\n"
    )
    output = [] if document == "status" else ["--output", str(tmp_path / "drawn")]
    done = subprocess.run(
        [sys.executable, "-c", code, document, str(suite.path), *output],
        cwd=ROOT,
        env=os.environ | {"BENCH_RESULTS": str(store.root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "False"


def taken(wall_s: float) -> Taken:
    return Taken(wall_s=wall_s, processor_s=2 * wall_s, peak_bytes=2**30)


def drawing(records: int, cold: float, warm: float, *, same: bool = True) -> Drawing:
    return Drawing(
        shape="wide",
        records=records,
        document="report",
        cold=taken(cold),
        warm=taken(warm),
        same_bytes=same,
    )


def record(*drawings: Drawing, digest: str | None = None) -> ScaleRecord:
    made = Provenance(
        commit="c" * 40,
        dirty=False,
        source_digest=digest or drawing_digest(),
        packages=dict.fromkeys(PACKAGES, "1"),
        python="3",
        platform="p",
        processor="cpu",
        device_name="cpu",
        threads=2,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        wall_s=1.0,
    )
    return ScaleRecord(spec=read_toml(SCALE, ScaleFile), provenance=made, drawings=[*drawings])


def test_the_page_asks_cold_of_few_and_warm_of_many() -> None:
    few, many = drawing(1020, 11.0, 1.0), drawing(20_020, 300.0, 59.0)
    text = scale_page(record(few, many))
    assert "10 s cold: **missed**" in text
    assert "60 s warm: reached" in text
    assert "Stale" not in text
    assert "**Stale**" in scale_page(record(few, digest="other"))
    assert scale_page(None) == ABSENT


def test_other_bytes_are_told_and_fail() -> None:
    good, bad = record(drawing(10, 1, 1)), record(drawing(10, 1, 1, same=False))
    assert passed(good)
    assert not passed(bad)
    assert "**Not the same bytes" in scale_page(bad)


def test_the_record_comes_back_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    kept = record(drawing(10, 1, 1))
    path = save(kept, tmp_path)
    assert load(tmp_path) == kept
    path.write_text(json.dumps(json.loads(path.read_text()) | {"drawings": 3}))
    with pytest.raises(InputError, match=r"make scale") as broken:
        load(tmp_path)
    assert broken.value.file == str(tmp_path / NAME)


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("SCALE"), reason="20,000 records: asked for by SCALE=1")
@pytest.mark.timeout(3600)
def test_twenty_thousand_records_in_a_minute() -> None:
    found = measure(read_toml(SCALE, ScaleFile), ["large"])
    for one in found.drawings:
        limit, of = found.asked_s(one)
        assert one.same_bytes
        assert of.wall_s <= limit, one.document
