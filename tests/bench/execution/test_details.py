"""A full measurement goes on where it stopped; a cell that fails leaves its reason and the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.details import DetailSpec, MachineSpec, MemorySpec
from bench.errors import InputError
from bench.execution import costs, details
from bench.execution.estimate import wall_by_detail
from bench.execution.pending import pending_costs, pending_details
from bench.measure.cost import CostFailure
from bench.model_checks import check_measurable
from bench.plan import Device
from bench.records.details import DetailResult, MachineResult
from bench.records.store import Store
from bench.specs import CostSpec
from bench.suite import Suite, load_suite

pytestmark = pytest.mark.alone

SUITE = """
about = "tiny"
protocol = "small"
source_size = 28
image_size = 32
threads = 1
device = "cpu"

[cost]
models = ["test_medspectralnet", "resnet18"]
num_classes = 4
batch_size = 2
seconds_per_model = 0.1
"""
HERE = Device("cpu", "test", "float32")


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    path = tmp_path / "tiny.toml"
    path.write_text(SUITE)
    return load_suite(str(path))


def _pending(suite: Suite, store: Store, *, refresh: bool = False) -> list[DetailSpec]:
    return pending_details(suite, suite.cost_models, HERE, store, refresh=refresh)


def test_cells_are_recorded_one_by_one_and_none_twice(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def measure(spec: DetailSpec, *_: object) -> DetailResult:
        if isinstance(spec, MemorySpec) and spec.model.name == "resnet18":
            raise MemoryError("the system ended the process, most likely for its memory")
        if len(made) == 4:
            raise KeyboardInterrupt
        made.append(spec.label)
        return MachineResult(
            product_macs_per_s={"float32": 1.0},
            copy_bytes_per_s=1.0,
            operator_call_s=1.0,
            noisy=False,
        )

    monkeypatch.setattr(details, "_measure", measure)
    store = Store(tmp_path / "results")
    todo = _pending(suite, store)
    assert len(todo) == 1 + 3 * 2
    assert isinstance(todo[0], MachineSpec)
    with pytest.raises(KeyboardInterrupt):
        details.measure_details(suite, todo, store, lambda doing, done: None)
    assert len(_pending(suite, store)) == 3  # four are kept
    made.clear()
    seen: list[float] = []
    failed = details.measure_details(
        suite, _pending(suite, store), store, lambda doing, done: seen.append(done)
    )
    assert failed == 1
    assert seen == sorted(seen)
    (again,) = _pending(suite, store)  # the failed one is tried again
    record = store.load(again.id)
    assert record is not None
    assert (record.status, record.detail) == ("out-of-memory", None)
    assert "most likely for its memory" in (record.reason or "")
    assert not [spec for spec in _pending(suite, store, refresh=True) if spec.id != again.id]


def test_a_noisy_cell_is_measured_again_when_asked_to_refresh(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noisy = MachineResult(
        product_macs_per_s={"float32": 1.0}, copy_bytes_per_s=1.0, operator_call_s=1.0, noisy=True
    )
    monkeypatch.setattr(details, "_measure", lambda *_: noisy)
    store = Store(tmp_path / "results")
    machine = _pending(suite, store)[0]
    told: list[str] = []
    details.measure_details(
        suite,
        [machine],
        store,
        lambda doing, done: None,
        lambda number, record: told.append(f"{number} {record.status}"),
    )
    assert told == ["1 done"]
    assert machine not in _pending(suite, store)
    assert machine in _pending(suite, store, refresh=True)


def test_a_record_of_a_cell_reads_back_as_it_was(suite: Suite, tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    machine = _pending(suite, store)[0]
    details.measure_details(suite, [machine], store, lambda doing, done: None)
    (record,) = store.all()
    assert record.spec == machine
    assert record.kind == "detail"
    assert isinstance(record.detail, MachineResult)


def test_a_model_that_the_size_does_not_suit_leaves_a_blank_and_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "small.toml"
    path.write_text(SUITE.replace("resnet18", "medmamba_tiny").replace("= 32", "= 16"))
    suite = load_suite(str(path))
    asked: list[str] = []

    def measure(requests: list[CostSpec], **_: object) -> list[CostFailure]:
        asked.extend(request.model.name for request in requests)
        return [CostFailure(status="failed", reason="planted") for _ in requests]

    monkeypatch.setattr(costs, "measure_costs", measure)
    store = Store(tmp_path / "results")
    todo = pending_costs(suite, suite.cost_models, HERE, store, refresh=False)
    check_measurable(suite, suite.cost_models)  # both work at some size
    costs.measure_pending(suite, todo, store, lambda doing, done: None)
    reasons = {record.spec.model.name: record.reason for record in store.all()}  # type: ignore[union-attr]
    assert "needs images of at least" in (reasons["medmamba_tiny"] or "")
    assert "medmamba_tiny" not in asked
    assert {name for name, reason in reasons.items() if reason == "planted"} == set(asked)


def test_a_model_that_suits_no_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(SUITE.replace("resnet18", "resnet_eighteen"))
    suite = load_suite(str(path))
    with pytest.raises(InputError, match=r"bad\.toml: cost\.models: unknown model"):
        check_measurable(suite, suite.cost_models)


def test_cells_are_expected_to_take_what_they_took(suite: Suite, tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    machine = _pending(suite, store)[0]
    assert wall_by_detail(store.all()) == {}
    details.measure_details(suite, [machine], store, lambda doing, done: None)
    (record,) = store.all()
    assert wall_by_detail([record]) == {"machine": record.provenance.wall_s}


@pytest.mark.parametrize("line", ["image_sizes = [32, 32]", "batch_sizes = [4, 1, 4]"])
def test_a_size_given_twice_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "twice.toml"
    path.write_text(f"{SUITE}\n[cost.full]\n{line}\n")
    with pytest.raises(InputError, match=f"cost.full: {line.split()[0]}: give each value once"):
        load_suite(str(path))
