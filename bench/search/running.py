"""The trials of a search that are not done yet, in turn; several processes may share them."""

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
from bench.provenance import commit, processor, source_digest
from bench.search import record as trials
from bench.search.file import Search, trial_id
from bench.search.trial import try_out
from bench.specs import RunSpec
from bench.staleness import Staleness
from bench.toml_file import shown
from bench.training.loop import Progress

Report = Callable[[str, float], None]
"""Told what is under way, and the fraction done of all, 0 to 1."""

POLL_S = 2.0


def load_data(search: Search) -> dict[str, Dataset]:
    """The data sets of a search.

    Raises:
        InputError: one is not there or cannot be used; a choice on a part of them is another one.
    """
    loaded = {}
    for spec in search.datasets:
        try:
            loaded[spec.name] = catalog.load(spec, search.file.source_size)
        except InputError as error:
            raise error.in_file(shown(search.path), "datasets") from None
    kinds = {dataset.source.synthetic for dataset in loaded.values()}
    if len(kinds) > 1:
        raise InputError(
            "phantoms and real data in one search",
            remedy="make a search of each: their scores have no common mean",
            file=shown(search.path),
            key="datasets",
        )
    return loaded


def check_models(search: Search) -> None:
    """Refuse, before anything is trained, a model that cannot be built.

    Raises:
        InputError: naming the file and the model.
    """
    for spec in search.models:
        key = f"model.{spec.name}" if spec.name in search.file.model else "models"
        check_model(spec, search.file.image_size, file=shown(search.path), key=key)


def pending(
    search: Search, data: dict[str, Dataset], results: Path, *, refresh: bool
) -> list[RunSpec]:
    """Trials that are missing or failed; with ``refresh`` those of other source code too."""
    checksums = {name: dataset.source.checksum for name, dataset in data.items()}
    specs = search.specs(checksums)
    known = Staleness.load(results)
    return [s for s in specs if not _is_done(s, trials.load(results, trial_id(s)), refresh, known)]


def _is_done(
    spec: RunSpec, trial: trials.Trial | None, refresh: bool, staleness: Staleness
) -> bool:
    if trial is None or trial.status != "done":
        return False
    return not refresh or not staleness.stale(spec, trial.provenance, trial=True)


def run_trials(
    search: Search,
    data: dict[str, Dataset],
    todo: list[RunSpec],
    results: Path,
    on_progress: Report,
    on_trial: Callable[[trials.Trial], None],
    *,
    refresh: bool = False,
) -> Counter[str]:
    """Do these trials; how many ended with each status. One that another process does is left."""
    for spec in todo:
        source_digest(spec)  # of the code as it is loaded now
    commit()
    known = Staleness.load(results)
    statuses, queue, passed_over, ended = Counter[str](), deque(todo), 0, 0
    while queue:
        spec = queue.popleft()
        identity = trial_id(spec)
        with claim(results, identity) as mine:
            if not mine:
                queue.append(spec)
                passed_over += 1
                if passed_over >= len(queue):
                    time.sleep(POLL_S)
                continue
            passed_over = 0
            trial = trials.load(results, identity)
            if trial is None or not _is_done(spec, trial, refresh, known):
                label = f"{spec.label} · lr {spec.protocol.optimizer.lr:g}"

                def tell(progress: Progress, label: str = label, before: int = ended) -> None:
                    on_progress(label, (before + progress.fraction) / len(todo))

                trial = try_out(
                    spec,
                    data[spec.data.name],
                    search=search.name,
                    device_name=processor(),
                    on_progress=tell,
                )
                trials.save(trial, results)
        ended += 1
        statuses[trial.status] += 1
        on_trial(trial)
    return statuses
