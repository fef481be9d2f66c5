"""Which of a suite's trainings are released, and what is written beside their weights."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from bench.errors import InputError
from bench.records.schema import Record
from bench.records.store import Store, write_atomic
from bench.release.choosing import Pick, pick_best, pick_named
from bench.release.metadata import WeightsMetadata
from bench.report.audits import Audits
from bench.report.collect import Collected
from bench.report.model_card import model_card
from bench.specs import RunSpec
from bench.suite_file import NO_CONTROL

SUMS = "SHA256SUMS"


def picks(
    collected: Collected, wanted: Mapping[str, set[str]]
) -> tuple[list[Pick], list[InputError]]:
    """The best training of the suite's subject on each data set, or those ``wanted`` names.

    Args:
        wanted: names by ``model``, ``dataset`` and ``seed``; with seeds, each of these is picked.

    Returns:
        The picks, and one error for each data set or named seed that has no finished training.

    Raises:
        InputError: a name that the suite has not, no subject, or no finished training at all.
    """
    named = _named(collected, wanted)
    found, lacking = [], []
    for model, dataset in _pairs(collected, named):
        try:
            runs = trainings(collected, model, dataset)
        except InputError as error:
            lacking.append(error)
            continue
        if "seed" not in named:
            found.append(pick_best(runs, _asked(collected, model, dataset)))
            continue
        seeds = sorted(_seed(run) for run in runs)
        found += [pick_named(run, seeds) for run in runs if str(_seed(run)) in named["seed"]]
        untrained = {*map(str, _asked(collected, model, dataset))} - {*map(str, seeds)}
        lacking += [
            _not_trained(collected, f"{model} on {dataset} with seed {seed}")
            for seed in sorted(untrained & named["seed"])
        ]
    if not found and lacking:
        raise lacking[0]
    return found, lacking


def _asked(collected: Collected, model: str, dataset: str) -> list[int]:
    """The seeds that the suite wants of a pair."""
    cells = collected.suite.only({"model": {model}, "dataset": {dataset}})
    return [cell.seed for cell in cells if cell.control is None]


def subjects(collected: Collected, wanted: Mapping[str, set[str]]) -> list[Record]:
    """Every finished training of the suite's subject, or those ``wanted`` names.

    Raises:
        InputError: as ``picks``.
    """
    named = _named(collected, wanted)
    return [
        run
        for model, dataset in _pairs(collected, named)
        for run in trainings(collected, model, dataset)
        if "seed" not in named or str(_seed(run)) in named["seed"]
    ]


def _named(collected: Collected, wanted: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """What is wanted, with the suite's subject where no model is named."""
    suite = collected.suite
    if "control" in wanted:
        raise InputError(
            "networks trained under an input control are left alone here",
            remedy="leave control out",
            key="--only",
        )
    named = {**wanted}
    if "model" not in named:
        if suite.settings.subject is None:
            raise InputError(
                f"the suite {suite.name!r} has no subject",
                remedy="name a model: --only model=NAME",
                key="--only",
            )
        named["model"] = {suite.settings.subject}
    return named


def _pairs(collected: Collected, named: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Models and data sets of the cells that are named, each pair once."""
    cells = [cell for cell in collected.suite.only(named) if cell.control is None]
    return list(dict.fromkeys((cell.model.name, cell.dataset.name) for cell in cells))


def trainings(collected: Collected, model: str, dataset: str) -> list[Record]:
    """The finished trainings of a model on a data set, of the CPU's if there are several kinds.

    Raises:
        InputError: there is none.
    """
    for variant in sorted(collected.variants, key=lambda one: one.device != "cpu"):
        runs = collected.done.get((model, dataset, NO_CONTROL, variant), [])
        if runs:
            return sorted(runs, key=_seed)
    raise _not_trained(collected, f"{model} on {dataset}")


def _not_trained(collected: Collected, what: str) -> InputError:
    return InputError(
        f"no finished training of {what}",
        remedy=f"python -m bench run {collected.suite.reference}",
    )


def write_card(
    metadata: WeightsMetadata,
    pick: Pick,
    path: Path,
    collected: Collected,
    store: Store,
    audits: Audits,
) -> Path:
    """Write the card beside the weights at ``path``; returns its path."""
    spec = pick.record.spec
    assert isinstance(spec, RunSpec)
    text = model_card(
        metadata,
        pick.record,
        trainings(collected, spec.model.name, spec.data.name),
        store,
        file=path.name,
        sha256=_sha256(path),
        without_copies=audits.without.get(pick.record.id),
    )
    card = path.with_suffix(".md")
    write_atomic(card, text.encode())
    return card


def write_sums(folder: Path) -> Path:
    """Checksums of the folder's files of weights, as ``sha256sum --check`` reads them.

    A file that is elsewhere (weights are not kept in git) keeps its line as long as its card is
    here.
    """
    sums = {path.name: _sha256(path) for path in folder.glob("*.safetensors")}
    file = folder / SUMS
    for line in file.read_text().splitlines() if file.is_file() else ():
        digest, _, name = line.partition("  ")
        if name not in sums and (folder / name).with_suffix(".md").is_file():
            sums[name] = digest
    write_atomic(file, "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)).encode())
    return file


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _seed(record: Record) -> int:
    assert isinstance(record.spec, RunSpec)
    return record.spec.seed
