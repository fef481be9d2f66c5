"""Make one stale run of each kind anew: where not a bit changed, its like are not stale."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

from bench.data.dataset import Dataset
from bench.errors import BenchError, InputError, RunFailed
from bench.execution.running import claim
from bench.provenance import processor, source_digest
from bench.records.schema import Provenance, Record, SuiteSeen, TrainingResult
from bench.records.store import Store
from bench.records.timeless import first_difference, timeless
from bench.run.options import RunOptions
from bench.run.recording import execute
from bench.search.record import Trial, TrialResult
from bench.search.trial import try_out
from bench.specs import RunSpec
from bench.staleness import Equivalence, Staleness, kind_of_training
from bench.toml_file import shown

UNCACHED = RunOptions(cache=False)  # what older code prepared must not be taken for today's

Result = TrainingResult | TrialResult


@dataclass(frozen=True)
class Stale:
    """A finished run or trial that other code made."""

    id: str
    spec: RunSpec
    provenance: Provenance
    result: Result

    @property
    def group(self) -> tuple[str, str, str]:
        """Old code, today's code and kind of training: what one run made anew stands for."""
        today = source_digest(self.spec)
        kind = kind_of_training(self.spec, trial=isinstance(self.result, TrialResult))
        return self.provenance.source_digest, today, kind


@dataclass(frozen=True)
class Finding:
    """What came of one: ``difference`` is None where every bit was equal."""

    stale: Stale
    stands_for: int
    difference: str | None


def stale_ones(found: Iterable[Record | Trial], staleness: Staleness) -> list[Stale]:
    """Those whose code has changed since, as far as is known."""
    made = []
    for one in found:
        result = one.training if isinstance(one, Record) else one.result
        if one.status != "done" or result is None or not isinstance(one.spec, RunSpec):
            continue
        if staleness.stale(one.spec, one.provenance, trial=isinstance(one, Trial)):
            made.append(Stale(one.id, one.spec, one.provenance, result))
    return made


def recheck(
    stale: list[Stale],
    staleness: Staleness,
    results: Path,
    dataset: Callable[[RunSpec], Dataset],
    on_progress: Callable[[str, float], None],
    on_finding: Callable[[Finding], None],
) -> list[Finding]:
    """The quickest of each group is made anew and compared; evidence is kept at once.

    Raises:
        InputError: another process is doing the same, and one would overwrite what the other found.
    """
    with claim(results, "recheck") as mine:
        if not mine:
            raise InputError(
                "another recheck of these results is under way",
                remedy="wait until it ends: what it finds is kept",
                file=shown(results),
            )
        return _recheck(stale, staleness, results, dataset, on_progress, on_finding)


def _recheck(
    stale: list[Stale],
    staleness: Staleness,
    results: Path,
    dataset: Callable[[RunSpec], Dataset],
    on_progress: Callable[[str, float], None],
    on_finding: Callable[[Finding], None],
) -> list[Finding]:
    groups: dict[tuple[str, str, str], list[Stale]] = {}
    for one in stale:
        groups.setdefault(one.group, []).append(one)
    findings = []
    for number, (group, members) in enumerate(groups.items()):
        chosen = min(members, key=lambda one: one.provenance.wall_s)
        on_progress(chosen.spec.label, number / len(groups))
        made: Provenance | None
        try:
            difference, made = _made_anew(chosen, dataset(chosen.spec))
        except BenchError as error:  # data or a device that cannot be had: other kinds go on
            difference, made = str(error), None
        if difference is None and made is not None:
            old, new, covers = group
            staleness.known = Staleness.load(results).known  # by a recheck that has ended since
            staleness.known.append(
                Equivalence(old=old, new=new, covers=covers, made_anew=[chosen.id], provenance=made)
            )
            staleness.save(results)
        findings.append(Finding(chosen, len(members), difference))
        on_finding(findings[-1])
    return findings


def _made_anew(stale: Stale, dataset: Dataset) -> tuple[str | None, Provenance | None]:
    """The first difference, and where it was made; nothing of it is kept."""
    if dataset.source.checksum != stale.spec.data.checksum:
        return f"{dataset.name} has changed since", None
    again: TrainingResult | TrialResult | None
    if isinstance(stale.result, TrialResult):
        trial = try_out(
            stale.spec,
            dataset.for_next_run(),
            search="recheck",
            device_name=_device_name(stale.spec),
            options=UNCACHED,
        )
        again, made, reason = trial.result, trial.provenance, trial.reason
    else:
        with tempfile.TemporaryDirectory(prefix="bench-recheck-") as folder:
            record = execute(
                stale.spec,
                dataset,
                store=Store(Path(folder)),
                suite=SuiteSeen(name="recheck", seeds=[stale.spec.seed]),
                device_name=_device_name(stale.spec),
                options=UNCACHED,
            )
        again, made, reason = record.training, record.provenance, record.reason
    if again is None:
        return f"it failed: {reason}", None
    return first_difference(timeless(stale.result), timeless(again)), made


def _device_name(spec: RunSpec) -> str:
    if spec.device == "cpu":
        return processor()
    if not torch.cuda.is_available():
        raise RunFailed("it was made on a GPU, and torch finds none here")
    return torch.cuda.get_device_name()
