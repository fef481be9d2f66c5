"""How far a suite is: done, running, failed, stale, missing, and the time left."""

from __future__ import annotations

from collections import Counter

from bench.execution.estimate import Estimator
from bench.execution.running import running
from bench.records.schema import Record
from bench.records.store import Store
from bench.report.collect import collect, training_of
from bench.report.text import duration
from bench.specs import DataIdentity, RunSpec
from bench.suite import Cell, Suite


def status_lines(suite: Suite, store: Store) -> list[str]:
    """One line a cell that is not done or is stale, then the counts and the time left.

    Raises:
        InputError: a record is damaged.
    """
    records = store.all()
    collected = collect(suite, records)
    active = {state.label: state for state in running(store.root).values()}
    lines, counts = [], Counter[str]()
    for record in collected.records:
        stale = record.id in collected.stale
        counts["stale" if stale else "done"] += 1
        if stale:
            lines.append(f"stale    {record.spec.label} ({record.id}): its code has changed since")
    for cell, why in collected.problems:
        label = label_of(cell)
        if label in active:
            state = active[label]
            counts["running"] += 1
            done = f"{state.fraction:.0%} after {duration(state.seconds)}"
            lines.append(f"running  {label}: {done}, process {state.pid} on {state.host}")
            continue
        word = "missing" if why == "not run yet" else why.partition(":")[0]
        counts[word] += 1
        lines.append(f"{word:8} {label}" + ("" if word == "missing" else f": {why}"))
    summary = ", ".join(f"{n} {word}" for word, n in sorted(counts.items())) or "no runs"
    lines.append(
        f"{suite.name}: {summary}; time left {_time_left(suite, collected.problems, records)}."
    )
    lines.append(f"cost: {len(collected.costs)} measured, {len(collected.cost_problems)} missing.")
    return lines


def label_of(cell: Cell) -> str:
    """The label that a run of this cell has (``RunSpec.label``)."""
    control = [cell.control.label] if cell.control else []
    return " · ".join([cell.model.name, cell.dataset.name, *control, f"seed {cell.seed}"])


def _time_left(suite: Suite, problems: list[tuple[Cell, str]], records: list[Record]) -> str:
    if not problems:
        return "none"
    estimator = Estimator(records)
    images = {
        record.spec.data.name: training_of(record).data.images["train"]
        for record in records
        if isinstance(record.spec, RunSpec) and record.training is not None
    }
    total = 0.0
    for cell, _ in problems:
        count = images.get(cell.dataset.name)
        expected = estimator.seconds(_as_spec(suite, cell), count) if count else None
        if expected is None:
            return "unknown (nothing like it was run here yet)"
        total += expected
    return f"about {duration(total)}"


def _as_spec(suite: Suite, cell: Cell) -> RunSpec:
    """The cell as a run, for its pace only: its data has not been read."""
    settings = suite.settings
    return RunSpec(
        model=cell.model,
        data=DataIdentity(name=cell.dataset.name, checksum="", source_size=settings.source_size),
        image_size=settings.image_size,
        channels=settings.channels,
        control=cell.control,
        protocol=suite.protocol,
        seed=cell.seed,
        device="cpu" if settings.device == "auto" else settings.device,
        precision="float32" if settings.precision == "auto" else settings.precision,
        threads=settings.threads,
    )
