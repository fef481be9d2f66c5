"""From a specification to its stored record, whatever happens on the way."""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

import torch

from bench import provenance
from bench.data.dataset import Dataset
from bench.details import DetailSpec
from bench.errors import BenchError, CannotWrite
from bench.records.details import DetailResult
from bench.records.schema import (
    Attempt,
    CostResult,
    Provenance,
    Record,
    Status,
    SuiteSeen,
    TrainingResult,
)
from bench.records.store import Store
from bench.run.experiment import train_and_score
from bench.run.fitting import advice, is_out_of_memory
from bench.run.options import DEFAULTS, RunOptions
from bench.run.surroundings import surroundings
from bench.specs import CostSpec, RunSpec
from bench.training.checkpoint import CheckpointFile
from bench.training.loop import Progress

log = logging.getLogger(__name__)


def execute(
    spec: RunSpec,
    dataset: Dataset,
    *,
    store: Store,
    suite: SuiteSeen,
    device_name: str,
    options: RunOptions = DEFAULTS,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Record:
    """Train, predict the test split once, score, and store the record: done or failed.

    Only an interruption (Ctrl-C, SIGTERM, a kill) leaves no record; the run then goes on from its
    last checkpoint when it is asked for again.

    Raises:
        CannotWrite: the result could not be stored; its last checkpoint stays.
    """
    clock = Clock()
    checkpoints = _checkpoints(spec, store, options, device_name)
    status: Status = "done"
    reason, result = None, None
    try:
        with surroundings(spec):
            result = train_and_score(
                spec, dataset.for_next_run(), store, options, on_progress, checkpoints
            )
    except CannotWrite:
        raise
    except (Exception, SystemExit) as error:  # a model that ends the process ends its run alone
        status, reason = failure(error)
        log.debug("%s: %s", spec.label, reason, exc_info=error)
        del error
    if status == "out-of-memory":
        reason = f"{reason}; {advice(spec, dataset, options)}"
    clock.earlier_s = checkpoints.earlier_s
    made = made_here(spec, device_name, clock)
    kept = _keep(spec, status, reason, store=store, suite=suite, provenance=made, training=result)
    checkpoints.discard()
    return kept


def _checkpoints(
    spec: RunSpec, store: Store, options: RunOptions, device_name: str
) -> CheckpointFile:
    """Good for this run under this code, these packages and this kind of machine alone."""
    packages = sorted(provenance.packages().items())
    machine = f"{device_name} {torch.backends.cpu.get_cpu_capability()}"
    code = f"{provenance.source_digest(spec)} {packages} {platform.python_version()}"
    identity = f"{spec.id} {code} {machine}"
    path = store.root / "checkpoints" / f"{spec.id}.pt"
    return CheckpointFile(path, identity, options.checkpoint_every_s)


def _keep(
    spec: RunSpec | CostSpec | DetailSpec,
    status: Status,
    reason: str | None,
    *,
    store: Store,
    suite: SuiteSeen,
    provenance: Provenance,
    training: TrainingResult | None = None,
    cost: CostResult | None = None,
    detail: DetailResult | None = None,
) -> Record:
    """The whole record, with what is known of earlier tries, stored."""
    kind: Literal["training", "cost", "detail"] = "detail"
    if isinstance(spec, RunSpec | CostSpec):
        kind = "training" if isinstance(spec, RunSpec) else "cost"
    record = Record(
        kind=kind,
        id=spec.id,
        status=status,
        reason=reason,
        spec=spec,
        suite=suite,
        provenance=provenance,
        attempts=earlier_attempts(store, spec.id),
        training=training,
        cost=cost,
        detail=detail,
    )
    _save(record, store)
    return record


def _save(record: Record, store: Store) -> None:
    """Store the record; a failure never replaces an earlier result, it is added to its attempts."""
    earlier = store.load(record.id)
    if record.status == "done" or earlier is None or earlier.status != "done":
        store.save(record)
        return
    failed = Attempt(
        status=record.status,
        reason=record.reason or "no reason recorded",
        started_at=record.provenance.started_at,
        wall_s=record.provenance.wall_s,
    )
    store.save(earlier.model_copy(update={"attempts": [*earlier.attempts, failed]}))


def skip(spec: RunSpec, reason: str, *, store: Store, suite: SuiteSeen, device_name: str) -> Record:
    """Record a run that cannot be tried here, with the reason."""
    made = made_here(spec, device_name, Clock())
    return _keep(spec, "skipped", reason, store=store, suite=suite, provenance=made)


def record_failure(
    spec: RunSpec, reason: str, *, store: Store, suite: SuiteSeen, device_name: str, clock: Clock
) -> Record:
    """Record a run that failed outside of ``execute``, with the reason."""
    made = made_here(spec, device_name, clock)
    return _keep(spec, "failed", reason, store=store, suite=suite, provenance=made)


def record_cost(
    spec: CostSpec,
    outcome: CostResult | str,
    *,
    store: Store,
    suite: SuiteSeen,
    clock: Clock,
    status: Status = "done",
) -> Record:
    """Store one cost measurement, or with another ``status`` the reason why there is none."""
    reason, cost = (outcome, None) if isinstance(outcome, str) else (None, outcome)
    made = made_here(spec, spec.device_name, clock)
    return _keep(spec, status, reason, store=store, suite=suite, provenance=made, cost=cost)


def record_detail(
    spec: DetailSpec,
    outcome: DetailResult | Exception,
    *,
    store: Store,
    suite: SuiteSeen,
    clock: Clock,
) -> Record:
    """Store one cell of a full cost measurement, or the reason why it has no result."""
    status: Status = "done"
    reason, result = None, None
    if isinstance(outcome, Exception):
        status, reason = failure(outcome)
    else:
        result = outcome
    made = made_here(spec, spec.device_name, clock)
    return _keep(spec, status, reason, store=store, suite=suite, provenance=made, detail=result)


class Clock:
    """When something started, and how long ago that is by a clock that never jumps."""

    def __init__(self) -> None:
        self.started_at = datetime.now(UTC)
        self.earlier_s = 0.0  # spent by interrupted processes on what this one finished
        self._started = time.perf_counter()

    @property
    def wall_s(self) -> float:
        return self.earlier_s + time.perf_counter() - self._started


def failure(error: Exception | SystemExit) -> tuple[Status, str]:
    """The status and the one-line reason an exception leaves in a record."""
    if isinstance(error, SystemExit):
        return "failed", f"the model called sys.exit({error.code!r})"
    if is_out_of_memory(error):
        return "out-of-memory", _one_line(error)
    if isinstance(error, BenchError):
        return "failed", str(error)
    return "failed", f"{type(error).__name__}: {_one_line(error)}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or "no message"


def made_here(spec: RunSpec | CostSpec | DetailSpec, device_name: str, clock: Clock) -> Provenance:
    """The provenance of something made now by this checkout on this machine."""
    return made_now(provenance.source_digest(spec), device_name, spec.threads, clock)


def made_now(source_digest: str, device_name: str, threads: int, clock: Clock) -> Provenance:
    """The same for what has no spec of its own but a digest of the code that made it."""
    commit, dirty = provenance.commit()
    return Provenance(
        commit=commit,
        dirty=dirty,
        source_digest=source_digest,
        packages=provenance.packages(),
        python=platform.python_version(),
        platform=platform.platform(),
        processor=provenance.processor(),
        device_name=device_name,
        threads=threads,
        started_at=clock.started_at,
        wall_s=clock.wall_s,
    )


def earlier_attempts(store: Store, record_id: str) -> list[Attempt]:
    """What is known of earlier tries that did not end in a result, oldest first."""
    earlier = store.load(record_id)
    if earlier is None:
        return []
    if earlier.status == "done":
        return earlier.attempts
    last = Attempt(
        status=earlier.status,
        reason=earlier.reason or "no reason recorded",
        started_at=earlier.provenance.started_at,
        wall_s=earlier.provenance.wall_s,
    )
    return [*earlier.attempts, last]
