"""The trainings of a study that are not done yet, in turn; several processes may share them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bench.data.dataset import Dataset
from bench.provenance import commit, processor, study_digest
from bench.specs import RunSpec
from bench.study import record as studies
from bench.study.file import Study, study_id
from bench.study.trial import look
from bench.training.loop import Progress
from bench.turns import Report, check_each, do_in_turn, load_each


def load_data(study: Study) -> dict[str, Dataset]:
    """The data sets of a study.

    Raises:
        InputError: one is not there or cannot be used.
    """
    return load_each(study.datasets, study.file.source_size, file=study.path)


def check_models(study: Study) -> None:
    """Refuse, before anything is trained, a model that cannot be built.

    Raises:
        InputError: naming the file and the model.
    """
    check_each(study.models, study.file.model, study.file.image_size, file=study.path)


def pending(
    study: Study, data: dict[str, Dataset], results: Path, *, refresh: bool
) -> list[RunSpec]:
    """Trainings that are missing or failed; with ``refresh`` those of other source code too."""
    specs = study.specs({name: dataset.source.checksum for name, dataset in data.items()})
    return [spec for spec in specs if _kept(spec, results, refresh) is None]


def _kept(spec: RunSpec, results: Path, refresh: bool) -> studies.StudyRecord | None:
    """What is there and need not be made anew."""
    record = studies.load(results, study_id(spec))
    if record is None or record.status != "done":
        return None
    changed = refresh and record.provenance.source_digest != study_digest(spec)
    return None if changed else record


def run_study(
    study: Study,
    data: dict[str, Dataset],
    todo: list[RunSpec],
    results: Path,
    on_progress: Report,
    on_record: Callable[[studies.StudyRecord], None],
    *,
    refresh: bool = False,
) -> Counter[str]:
    """Do these trainings, each kept as it ends; how many ended with each status.

    One that another process does is waited for.
    """
    for spec in todo:
        study_digest(spec)  # of the code as it is loaded now
    commit()

    def do(spec: RunSpec, tell: Callable[[Progress], None]) -> studies.StudyRecord:
        record = look(
            spec,
            data[spec.data.name],
            study=study.name,
            device_name=processor(),
            on_progress=tell,
        )
        studies.save(record, results)
        return record

    return do_in_turn(
        todo,
        results,
        identity=study_id,
        kept=lambda spec: _kept(spec, results, refresh),
        do=do,
        label=lambda spec: spec.label,
        on_progress=on_progress,
        on_end=on_record,
    )
