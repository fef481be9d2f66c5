"""One run, whichever engine does it: its data is what the plan saw, or the run fails alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.data.dataset import Dataset
from bench.errors import RunFailed
from bench.execution.one_run import Conditions, do_run
from bench.execution.running import claim, log_path
from bench.execution.worker import _DatasetAtHand
from bench.plan import Plan, make_plan
from bench.records.schema import Record, SuiteSeen
from bench.records.store import Store
from bench.specs import RunSpec
from bench.suite import load_suite
from bench.training.loop import Progress


class Silent:
    """A watcher that keeps what began."""

    def __init__(self) -> None:
        self.began: list[str] = []

    def started(self, spec: RunSpec) -> None:
        self.began.append(spec.id)

    def progressed(self, spec: RunSpec, progress: Progress) -> None:
        pass

    def ended(self, record: Record) -> None:
        pass


@pytest.fixture
def plan(suite_file: Path) -> Plan:
    suite = load_suite(str(suite_file))
    return make_plan(suite, suite.cells[:1])


def gone(_: RunSpec) -> Dataset:
    raise RunFailed("planted: the file is gone")


def conditions(store: Store) -> Conditions:
    seen = SuiteSeen(name="mine", seeds=[0])
    return Conditions(store, seen, device_name="cpu", unavailable={}, dataset=gone)


def test_data_that_is_gone_fails_the_run_with_the_reason(plan: Plan, tmp_path: Path) -> None:
    store, watcher, (spec,) = Store(tmp_path), Silent(), plan.runs
    record = do_run(spec, conditions(store), watcher)
    assert record is not None
    assert (record.status, record.reason) == ("failed", "planted: the file is gone")
    assert store.load(spec.id) == record
    assert "failed: planted: the file is gone" in log_path(tmp_path, spec.id).read_text()
    assert watcher.began == [spec.id]


def test_a_run_that_another_process_is_doing_is_left_alone(plan: Plan, tmp_path: Path) -> None:
    store, watcher, (spec,) = Store(tmp_path), Silent(), plan.runs
    with claim(tmp_path, spec.id) as mine:  # a second handle is as good as a second process
        assert mine
        assert do_run(spec, conditions(store), watcher) is None
    assert watcher.began == []
    assert store.load(spec.id) is None


def test_a_worker_reads_the_very_data_of_the_plan_and_refuses_other(plan: Plan) -> None:
    at_hand, (spec,) = _DatasetAtHand(plan.suite, stream=False), plan.runs
    read = at_hand(spec)
    assert read.source.checksum == plan.datasets[read.name].source.checksum
    assert at_hand(spec) is read  # not read again for the next run
    other = spec.model_copy(update={"data": spec.data.model_copy(update={"checksum": "sha256:0"})})
    with pytest.raises(RunFailed, match="phantom-joint has changed since the suite was started"):
        at_hand(other)
