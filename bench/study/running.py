"""The trainings of a study that are not done yet, in turn; several processes may share them."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path

from bench.data import catalog
from bench.data.dataset import Dataset
from bench.errors import InputError
from bench.execution.running import claim
from bench.model_checks import check_model
from bench.provenance import commit, processor, study_digest
from bench.specs import RunSpec
from bench.study import record as studies
from bench.study.file import Study, study_id
from bench.study.trial import look
from bench.toml_file import shown
from bench.training.loop import Progress

Report = Callable[[str, float], None]
"""Told what is under way, and the fraction done of all, 0 to 1."""

POLL_S = 2.0


def load_data(study: Study) -> dict[str, Dataset]:
    """The data sets of a study.

    Raises:
        InputError: one is not there or cannot be used.
    """
    loaded = {}
    for spec in study.datasets:
        try:
            loaded[spec.name] = catalog.load(spec, study.file.source_size)
        except InputError as error:
            raise error.in_file(shown(study.path), "datasets") from None
    return loaded


def check_models(study: Study) -> None:
    """Refuse, before anything is trained, a model that cannot be built.

    Raises:
        InputError: naming the file and the model.
    """
    for spec in study.models:
        key = f"model.{spec.name}" if spec.name in study.file.model else "models"
        check_model(spec, study.file.image_size, file=shown(study.path), key=key)


def pending(
    study: Study, data: dict[str, Dataset], results: Path, *, refresh: bool
) -> list[RunSpec]:
    """Trainings that are missing or failed; with ``refresh`` those of other source code too."""
    specs = study.specs({name: dataset.source.checksum for name, dataset in data.items()})
    return [spec for spec in specs if not _is_done(spec, results, refresh)]


def _is_done(spec: RunSpec, results: Path, refresh: bool) -> bool:
    kept = studies.load(results, study_id(spec))
    if kept is None or kept.status != "done":
        return False
    return not refresh or kept.provenance.source_digest == study_digest(spec)


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
    statuses, queue, passed_over, ended = Counter[str](), deque(todo), 0, 0
    while queue:
        spec = queue.popleft()
        identity = study_id(spec)
        with claim(results, identity) as mine:
            if not mine:
                queue.append(spec)
                passed_over += 1
                if passed_over >= len(queue):
                    time.sleep(POLL_S)
                continue
            passed_over = 0
            record = studies.load(results, identity)
            if record is None or not _is_done(spec, results, refresh):

                def tell(progress: Progress, spec: RunSpec = spec, before: int = ended) -> None:
                    on_progress(spec.label, (before + progress.fraction) / len(todo))

                record = look(
                    spec,
                    data[spec.data.name],
                    study=study.name,
                    device_name=processor(),
                    on_progress=tell,
                )
                studies.save(record, results)
        ended += 1
        statuses[record.status] += 1
        on_record(record)
    return statuses
