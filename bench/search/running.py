"""The trials of a search that are not done yet, in turn; several processes may share them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bench.data.dataset import Dataset
from bench.errors import InputError
from bench.provenance import commit, processor, source_digest
from bench.search import record as trials
from bench.search.file import Search, trial_id
from bench.search.trial import try_out
from bench.specs import RunSpec
from bench.staleness import Staleness
from bench.toml_file import shown
from bench.training.loop import Progress
from bench.turns import Report, check_each, do_in_turn, load_each


def load_data(search: Search) -> dict[str, Dataset]:
    """The data sets of a search.

    Raises:
        InputError: one is not there or cannot be used; a choice on a part of them is another one.
    """
    loaded = load_each(search.datasets, search.file.source_size, file=search.path)
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
    check_each(search.models, search.file.model, search.file.image_size, file=search.path)


def pending(
    search: Search, data: dict[str, Dataset], results: Path, *, refresh: bool
) -> list[RunSpec]:
    """Trials that are missing or failed; with ``refresh`` those of other source code too."""
    checksums = {name: dataset.source.checksum for name, dataset in data.items()}
    specs = search.specs(checksums)
    known = Staleness.load(results)
    return [spec for spec in specs if _kept(spec, results, refresh, known) is None]


def _kept(spec: RunSpec, results: Path, refresh: bool, staleness: Staleness) -> trials.Trial | None:
    """What is there and need not be made anew."""
    trial = trials.load(results, trial_id(spec))
    if trial is None or trial.status != "done":
        return None
    changed = refresh and staleness.stale(spec, trial.provenance, trial=True)
    return None if changed else trial


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
    """Do these trials; how many ended with each status.

    One that another process does is waited for.
    """
    for spec in todo:
        source_digest(spec)  # of the code as it is loaded now
    commit()
    known = Staleness.load(results)

    def do(spec: RunSpec, tell: Callable[[Progress], None]) -> trials.Trial:
        trial = try_out(
            spec,
            data[spec.data.name],
            search=search.name,
            device_name=processor(),
            on_progress=tell,
        )
        trials.save(trial, results)
        return trial

    return do_in_turn(
        todo,
        results,
        identity=trial_id,
        kept=lambda spec: _kept(spec, results, refresh, known),
        do=do,
        label=lambda spec: f"{spec.label} · lr {spec.protocol.optimizer.lr:g}",
        on_progress=on_progress,
        on_end=on_trial,
    )
