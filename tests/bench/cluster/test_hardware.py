"""A suite's cost on recorded hardware: from trainings, from inference speeds, or none at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.cluster.hardware import estimate_on, inferences_per_pass
from bench.errors import InputError
from bench.records.schema import Record
from bench.records.store import Store
from bench.suite import Suite, load_suite
from tests._helpers.records import IMAGES, measure, train

WALL_S = 10.0  # as the helper says of every training


@pytest.fixture
def suite(suite_file: Path) -> Suite:
    return load_suite(str(suite_file))


def on(record: Record, device: str) -> Record:
    made = record.provenance.model_copy(update={"device_name": device})
    return record.model_copy(update={"provenance": made})


def test_own_trainings_tell_first_then_inference_speeds_else_nothing(
    suite: Suite, tmp_path: Path
) -> None:
    store, images = Store(tmp_path), IMAGES["train"]
    trained = on(train(store, suite, "small", "phantom-joint", 0, 50), "NVIDIA X100")
    timed = on(measure(store, suite, "small", speed=(50.0, 40.0, 60.0)), "NVIDIA X100")
    other = on(measure(store, suite, "medspectralnet", speed=(5.0, 4.0, 6.0)), "NVIDIA X100")

    found = estimate_on(suite, suite.cells, {"phantom-joint": 4 * images}, [trained], "x100")
    times = {run.spec.model.name: run.seconds for run in found.runs}
    assert times == {"small": pytest.approx(4 * WALL_S), "medspectralnet": None}
    assert found.unknown_models == ["medspectralnet"]

    records = [trained, timed, other]
    per_pass = WALL_S / images * 50.0  # one epoch: inferences that take as long as a pass
    assert list(inferences_per_pass(records).values()) == [pytest.approx(per_pass)]
    found = estimate_on(suite, suite.cells, {"phantom-joint": images}, records, "x100")
    times = {run.spec.model.name: run.seconds for run in found.runs}
    assert times["medspectralnet"] == pytest.approx(per_pass * images / 5.0)
    assert {run.spec.model.name: run.by_inference for run in found.runs} == {
        "small": False,
        "medspectralnet": True,
    }
    assert found.devices == ["NVIDIA X100"]


def test_hardware_that_was_never_measured_has_no_number(suite: Suite, tmp_path: Path) -> None:
    record = on(train(Store(tmp_path), suite, "small", "phantom-joint", 0, 50), "a CPU")
    with pytest.raises(InputError, match=r"nothing was recorded .*'h100'.*recorded are: a CPU"):
        estimate_on(suite, suite.cells, {}, [record], "h100")
