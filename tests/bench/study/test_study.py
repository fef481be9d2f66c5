"""The study of selection: an ordinary run's training, looked at every epoch, kept apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bench.data.dataset import Dataset
from bench.errors import InputError
from bench.execution.estimate import Estimator
from bench.records.schema import Record, SuiteSeen
from bench.records.store import Store
from bench.report.collect import collect, training_of
from bench.run.recording import execute
from bench.specs import RunSpec
from bench.study.file import Study, known_studies, load_study, study_id
from bench.study.record import StudyRecord, load, load_all, path_of
from bench.study.running import load_data, pending
from bench.study.trial import look
from bench.suite import load_suite
from tests.bench.conftest import TINY_PROTOCOL

Bench = Callable[..., Any]

TINY = """
about = "tiny"
protocol = "tiny.toml"
source_size = 28
image_size = 32
channels = 1
threads = 1
models = ["first", "second"]
datasets = ["phantom-global"]
seeds = [0, 1]

[dataset.phantom-global]
options = { n_train = 32, n_val = 32, n_test = 40 }

[model.first]
timm = "test_resnet"

[model.second]
timm = "test_medspectralnet"
"""


@pytest.fixture
def study_file(tmp_path: Path) -> Path:
    """A study of four trainings of three epochs on a phantom of 32 images."""
    (tmp_path / "tiny.toml").write_text(TINY_PROTOCOL.replace("epochs = 1", "epochs = 3"))
    path = tmp_path / "find.toml"
    path.write_text(TINY)
    return path


def first_of(study_file: Path, model: int = 0) -> tuple[Study, RunSpec, Dataset]:
    study = load_study(str(study_file))
    data = load_data(study)
    spec = study.specs({"phantom-global": data["phantom-global"].source.checksum})[model]
    return study, spec, data["phantom-global"]


def looked(spec: RunSpec, dataset: Dataset) -> StudyRecord:
    return look(spec, dataset, study="find", device_name="here")


@pytest.mark.parametrize("name", known_studies())
def test_the_studies_of_the_checkout_are_valid(name: str) -> None:
    study = load_study(name)
    ids = [study_id(spec) for spec in study.specs(dict.fromkeys(study.file.datasets, "md5:x"))]
    assert len(set(ids)) == len(ids) == study.size


@pytest.mark.parametrize("model", [0, 1])
@pytest.mark.parametrize(
    "changes",
    [
        "",
        "ema_decay = 0.9\n",
        "label_smoothing = 0.1\ndrop_path_rate = 0.2\n",
    ],
)
def test_a_training_is_bit_for_bit_that_of_an_ordinary_run(
    study_file: Path, results: Path, tmp_path: Path, model: int, changes: str
) -> None:
    protocol = tmp_path / "tiny.toml"
    protocol.write_text(protocol.read_text().replace("epochs = 3", f"epochs = 3\n{changes}"))
    _, spec, dataset = first_of(study_file, model)
    record = looked(spec, dataset)
    assert record.reason is None
    assert record.looked_at is not None
    run = execute(
        spec,
        dataset,
        store=Store(results),
        suite=SuiteSeen(name="s", seeds=[0]),
        device_name="here",
    )
    ordinary, seen = training_of(run), record.looked_at
    assert seen.validation_chose == ordinary.selected_epoch
    assert [(e.val_loss, e.val_acc, e.val_auc) for e in seen.epochs] == [
        (e.val_loss, e.val_acc, e.val_auc) for e in ordinary.epochs
    ]
    chosen = seen.epochs[seen.validation_chose - 1]
    assert (chosen.test_acc, chosen.test_auc) == (ordinary.test.acc, ordinary.test.auc_present)
    assert (chosen.val_acc, chosen.val_auc) == (ordinary.val.acc, ordinary.val.auc_present)
    assert seen.images == ordinary.data.images


def test_a_study_opens_no_test_split(study_file: Path) -> None:
    _, spec, dataset = first_of(study_file)
    looked(spec, dataset)
    assert dataset.test.opened_at is None


def test_its_records_cannot_be_collected(
    bench: Bench, study_file: Path, suite_file: Path, results: Path
) -> None:
    assert bench("study", study_file).code == 0
    records = sorted((results / "studies" / "selection").glob("*.json"))
    assert len(records) == 4
    store = Store(results)
    assert store.all() == []
    for path in records:
        text = path.read_text()
        with pytest.raises(ValidationError):
            Record.model_validate_json(text)
        kept = StudyRecord.model_validate_json(text)
        assert kept.kind == "selection-study"
        assert kept.id not in (kept.spec.id,)
        assert not json.loads(text).keys() & {"training", "cost", "detail", "result"}
    # even put among the records, they are damaged ones, not results
    store.folder.mkdir(parents=True)
    planted = store.folder / records[0].name
    planted.write_text(records[0].read_text())
    found, damaged = store.readable()
    assert found == []
    assert len(damaged) == 1
    assert collect(load_suite(str(suite_file)), found).records == []
    assert Estimator(found).seconds(kept.spec, 32) is None


def test_a_study_is_done_once_and_told(bench: Bench, study_file: Path, results: Path) -> None:
    asked = bench("study", study_file, "--dry-run")
    assert "4 trainings, 4 to do" in asked.out
    assert not (results / "studies").exists()
    assert bench("study", study_file).code == 0
    made = {path.name: path.read_bytes() for path in (results / "studies").rglob("*.json")}
    again = bench("study", study_file)
    assert again.code == 0
    assert "find: 4 kept." in again.out
    assert {p.name: p.read_bytes() for p in (results / "studies").rglob("*.json")} == made
    page = (results / "reports" / "selection-find.md").read_text()  # not the project's own
    assert "4 of 4 trainings are done" in page
    assert bench("study", study_file, "--draw").out.strip().endswith("selection-find.md")
    assert not (results / "records").exists()


def test_an_interruption_between_trainings_loses_none(
    bench: Bench, study_file: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.study import running

    begun: list[RunSpec] = []

    def stops_at_the_third(spec: RunSpec, *args: Any, **kwargs: Any) -> StudyRecord:
        begun.append(spec)
        if len(begun) == 3:
            raise KeyboardInterrupt
        return look(spec, *args, **kwargs)

    monkeypatch.setattr(running, "look", stops_at_the_third)
    assert bench("study", study_file).code == 130
    kept = load_all(results)
    assert set(kept) == {study_id(spec) for spec in begun[:2]}
    assert {record.status for record in kept.values()} == {"done"}
    monkeypatch.setattr(running, "look", look)
    said = bench("study", study_file)
    assert "find: 2 kept, 2 done." in said.out
    after = load_all(results)
    assert len(after) == 4
    assert {i: after[i] for i in kept} == kept
    assert not list((results / "running").glob("*"))


def test_a_failure_is_recorded_tried_again_and_stops_no_other(
    bench: Bench, study_file: Path, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fickle.py").write_text(
        "from torch import nn\nimport os\n"
        "class M(nn.Module):\n"
        "    def __init__(self, n, c):\n"
        "        super().__init__(); self.f = nn.Linear(c, n)\n"
        "    def forward(self, x):\n"
        "        if self.training and os.environ.get('FICKLE'): raise RuntimeError('a whim')\n"
        "        return self.f(x.mean((2, 3)))\n"
        "def make(num_classes, in_chans, **_): return M(num_classes, in_chans)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("FICKLE", "1")
    study_file.write_text(TINY.replace('timm = "test_resnet"', 'factory = "fickle:make"'))
    assert bench("study", study_file).code == 1
    assert sorted(r.status for r in load_all(results).values()) == ["done"] * 2 + ["failed"] * 2
    monkeypatch.delenv("FICKLE")
    assert bench("study", study_file).code == 0
    assert {r.status for r in load_all(results).values()} == {"done"}


def test_changed_code_is_made_anew_only_when_asked(
    bench: Bench, study_file: Path, results: Path
) -> None:
    bench("study", study_file)
    path = sorted((results / "studies").rglob("*.json"))[0]
    content = json.loads(path.read_text())
    content["provenance"]["source_digest"] = "0" * 16
    path.write_text(json.dumps(content))
    study = load_study(str(study_file))
    data = load_data(study)
    assert pending(study, data, results, refresh=False) == []
    (stale,) = pending(study, data, results, refresh=True)
    assert study_id(stale) == path.stem


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seeds = [0, 1]", "seeds = [0, 0]", "seeds: give each once"),
        ("[model.second]", "[model.third]", "model.third: models does not name it"),
        ('about = "tiny"', 'about = "tiny"\nvary = 1', "vary: unknown key"),
        ('protocol = "tiny.toml"', 'protocol = "tinny"', "no protocol is called"),
        ('"phantom-global"', '"phantom-globl"', "phantom-global"),
        ('timm = "test_resnet"', 'timm = "test_resnett"', "did you mean 'test_resnet'"),
    ],
)
def test_what_is_wrong_is_one_line(
    bench: Bench, study_file: Path, results: Path, old: str, new: str, message: str
) -> None:
    assert old in TINY
    study_file.write_text(TINY.replace(old, new, 1))
    assert bench("study", study_file, "--dry-run").code == 2
    said = bench("study", study_file)
    assert said.code == 2
    assert message in said.err
    assert "find.toml" in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert not (results / "studies").exists()


def test_a_protocol_that_chooses_nothing_is_refused(study_file: Path, tmp_path: Path) -> None:
    protocol = tmp_path / "tiny.toml"
    protocol.write_text(protocol.read_text().replace('select = "auc"', 'select = "last"'))
    with pytest.raises(InputError, match="keeps the last epoch and chooses nothing"):
        load_study(str(study_file))


def test_a_damaged_record_is_named(bench: Bench, study_file: Path, results: Path) -> None:
    bench("study", study_file)
    path = sorted((results / "studies").rglob("*.json"))[0]
    assert path == path_of(results, path.stem)
    path.write_text(path.read_text().replace('"seed": ', '"seed": 5'))
    with pytest.raises(InputError, match=f"{path.name}: damaged record of a study: its content"):
        load(results, path.stem)
    assert bench("study", study_file).code == 2


def test_a_choice_that_validation_did_not_make_is_damage(study_file: Path) -> None:
    _, spec, dataset = first_of(study_file)
    record = looked(spec, dataset)
    assert record.looked_at is not None
    other = 1 + record.looked_at.validation_chose % 3
    content = record.model_dump(mode="json")
    content["looked_at"]["validation_chose"] = other
    with pytest.raises(ValidationError, match=f"validation_chose: {other}, but validation scores"):
        StudyRecord.model_validate(content)


def test_an_unknown_study_gets_the_nearest() -> None:
    with pytest.raises(InputError, match="no study 'selectoin'; did you mean 'selection'"):
        load_study("selectoin")
