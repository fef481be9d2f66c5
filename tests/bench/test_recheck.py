"""Changed code is shown to give the same bits, or its records stay stale."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.errors import InputError
from bench.execution.running import claim
from bench.records.store import Store
from bench.specs import DataIdentity, ModelSpec, RunSpec
from bench.staleness import Staleness, kind_of_training
from tests._helpers.specs import protocol, run_spec
from tests.bench.conftest import Command

OLD = "0123456789abcdef"


@pytest.fixture
def aged(bench: Command, suite_file: Path, results: Path) -> Path:
    """A suite of which every record is of other code."""
    assert bench("run", suite_file, "--only", "model=small,control=none").code == 0
    for path in (results / "records").glob("*.json"):
        record = json.loads(path.read_text())
        record["provenance"]["source_digest"] = OLD
        path.write_text(json.dumps(record))
    return suite_file


def _stale(results: Path) -> int:
    known = Staleness.load(results)
    return sum(known.stale(record.spec, record.provenance) for record in Store(results).all())


def test_equal_bits_make_all_their_kind_current(bench: Command, aged: Path, results: Path) -> None:
    assert _stale(results) == 2
    again = ("run", aged, "--only", "model=small,control=none", "--refresh", "--dry-run")
    assert "2 to do" in bench(*again).out
    said = bench("recheck", aged)
    assert said.code == 0, said.err
    assert "2 stale runs and trials, of 1 kinds." in said.out
    assert "every bit is equal; 2 are stale no more" in said.out
    assert _stale(results) == 0
    assert "0 to do" in bench(*again).out
    assert "0 stale" in bench("recheck", aged).out
    (evidence,) = Staleness.load(results).known
    assert evidence.old == OLD
    assert len(evidence.made_anew) == 1


def test_one_other_bit_leaves_them_stale(bench: Command, aged: Path, results: Path) -> None:
    for path in (results / "records").glob("*.json"):
        record = json.loads(path.read_text())
        record["training"]["epochs"][0]["train_loss"] += 1e-12
        path.write_text(json.dumps(record))
    said = bench("recheck", aged)
    assert said.code == 1
    assert "epochs.0.train_loss" in said.out
    assert "2 stay stale" in said.out
    assert _stale(results) == 2


def test_a_dry_run_trains_nothing(bench: Command, aged: Path, results: Path) -> None:
    assert "of 1 kinds" in bench("recheck", aged, "--dry-run").out
    assert _stale(results) == 2


def test_another_kind_of_training_is_not_covered() -> None:
    plain = run_spec()
    wider = ModelSpec(name="resnet18", args={"base_width": 32, "layers": [1, 1, 1, 1]})
    same = [run_spec(seed=5), run_spec(image_size=32), run_spec(protocol=protocol(epochs=9))]
    assert kind_of_training(run_spec(model=wider)) != kind_of_training(plain)
    wide = wider.model_copy(update={"args": {"base_width": 64, "layers": [2, 2, 2, 2]}})
    assert kind_of_training(run_spec(model=wider)) == kind_of_training(run_spec(model=wide))
    assert kind_of_training(plain, trial=True) != kind_of_training(plain)
    assert {kind_of_training(spec) for spec in same} == {kind_of_training(plain)}
    others = [
        run_spec(protocol=protocol(ema_decay=0.9)),
        run_spec(protocol=protocol(augment={"shift": 2.0})),
        run_spec(protocol=protocol(accumulate=2)),
        run_spec(channels=1),
        run_spec(image_size=28),
        run_spec(model=ModelSpec(name="resnet50")),
        run_spec(model=ModelSpec(name="resnet18", args={"act_layer": "gelu"})),
        run_spec(model=ModelSpec(name="resnet18", pretrained=True)),
        run_spec(data=DataIdentity(name="pathmnist", checksum="md5:1", source_size=28)),
        run_spec(device="cuda", deterministic=True),
        run_spec(device="cuda", compiled="default"),
    ]
    kinds = {kind_of_training(spec) for spec in [plain, *others]}
    assert len(kinds) == 1 + len(others)


def test_every_field_of_a_run_is_a_number_or_makes_a_kind() -> None:
    """A field added later must be thought of here."""
    numbers = {"image_size", "seed", "threads"}
    named = {
        "model", "data", "channels", "control", "protocol", "device", "precision",
        "deterministic", "compiled",
    }  # fmt: skip
    assert set(RunSpec.model_fields) == numbers | named


def test_every_field_of_a_protocol_is_a_number_or_makes_a_kind() -> None:
    """A field added later must be thought of here."""
    numbers = {"epochs", "batch_size", "eval_batch_size", "about", "source"}
    named = {
        "optimizer", "schedule", "augment", "augment_count", "sampling", "class_weights",
        "label_smoothing", "ema_decay", "clip_grad_norm", "drop_path_rate", "least_updates",
        "accumulate", "shuffle_labels", "select",
    }  # fmt: skip
    assert set(type(protocol()).model_fields) == numbers | named


def test_damaged_evidence_is_named(results: Path) -> None:
    results.mkdir()
    (results / "equivalences.json").write_text('[{"old": 1}]')
    with pytest.raises(InputError, match="damaged"):
        Staleness.load(results)


def test_two_rechecks_do_not_overwrite_each_other(
    bench: Command, aged: Path, results: Path
) -> None:
    with claim(results, "recheck") as mine:
        assert mine
        said = bench("recheck", aged)
    assert said.code == 2
    assert "another recheck of these results is under way" in said.err
    assert _stale(results) == 2


def test_records_of_other_data_of_the_same_name_are_not_taken_for_the_suites(
    bench: Command, aged: Path, results: Path
) -> None:
    """The quick way to plant them: the same run, said to be of other bytes."""
    for path in (results / "records").glob("*.json"):
        record = json.loads(path.read_text())
        record["spec"]["data"]["checksum"] = "sha256:" + "0" * 64
        other = RunSpec.model_validate_json(json.dumps(record["spec"]))
        record["id"] = other.id
        (path.parent / f"{other.id}.json").write_text(json.dumps(record))
    said = bench("recheck", aged, "--dry-run")
    assert "2 stale runs and trials" in said.out, said.out + said.err


def test_a_run_made_on_a_gpu_is_named_and_the_others_go_on(
    bench: Command, aged: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    first = sorted((results / "records").glob("*.json"))[0]
    record = json.loads(first.read_text())
    record["spec"]["device"] = "cuda"
    record["id"] = RunSpec.model_validate_json(json.dumps(record["spec"])).id
    (first.parent / f"{record['id']}.json").write_text(json.dumps(record))
    said = bench("recheck")
    assert said.code == 1
    assert "it was made on a GPU, and torch finds none here; 1 stay stale" in said.out
    assert "every bit is equal; 2 are stale no more" in said.out


def test_evidence_that_another_recheck_has_kept_since_stays(
    bench: Command, aged: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was read before this one began: planted by an empty first reading."""
    assert bench("recheck", aged).code == 0
    (evidence,) = Staleness.load(results).known
    other = evidence.model_copy(update={"covers": "another kind"})
    Staleness([other]).save(results)
    whole, read = Staleness.load, []

    def at_first_nothing(folder: Path) -> Staleness:
        read.append(folder)
        return Staleness() if len(read) == 1 else whole(folder)

    monkeypatch.setattr(Staleness, "load", staticmethod(at_first_nothing))
    assert bench("recheck", aged).code == 0
    assert {e.covers for e in whole(results).known} == {evidence.covers, "another kind"}
