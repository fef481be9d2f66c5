"""What a suite asks for and the page cannot show: why, and the command that makes it."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Sequence

from bench.records.schema import Record
from bench.report.audits import Audits
from bench.report.collect import Collected, training_of
from bench.report.figures.planned import Lacking
from bench.report.missing_runs import missing_runs as grouped
from bench.report.page.content import Missing
from bench.specs import RunSpec
from bench.suite import run_spec


def missing_runs(collected: Collected, records: Iterable[Record]) -> list[Missing]:
    """Cells without a finished training; what lacks for one reason stands together.

    Args:
        records: among them those of tries that failed.
    """
    suite, reference = collected.suite, shlex.quote(collected.suite.reference)
    failed: dict[str, list[str]] = defaultdict(list)
    for record in records:
        if isinstance(record.spec, RunSpec) and record.status != "done":
            failed[record.spec.cell_key].append(record.id)
    lines = []
    for one in grouped(collected):
        command = f"python -m bench run {reference} --only {shlex.quote(','.join(one.chosen))}"
        tries = [run for cell in one.cells for run in failed[run_spec(suite, cell).cell_key]]
        lines.append(Missing(one.what, one.why, command, tries))
    return lines


def missing_costs(collected: Collected) -> list[Missing]:
    """Models without a cost measurement."""
    reference = shlex.quote(collected.suite.reference)
    return [
        Missing(
            f"cost of {model}",
            why,
            f"python -m bench measure {reference} --only {shlex.quote(f'model={model}')}",
        )
        for model, why in collected.cost_problems.items()
    ]


def missing_audits(collected: Collected, audits: Audits) -> list[Missing]:
    """Real data sets shown that nobody has looked through for copies across splits."""
    size = collected.suite.settings.source_size
    real = {
        record.spec.data.name
        for record in collected.records
        if isinstance(record.spec, RunSpec) and not training_of(record).data.synthetic
    }
    lines = []
    for dataset in collected.suite.datasets:
        if dataset.name in real and dataset.name not in audits.by_name:
            where = f" --path {shlex.quote(dataset.path)}" if dataset.path is not None else ""
            of_size = f" --source-size {size}" if size != 28 else ""
            command = f"python -m bench data {shlex.quote(dataset.name)} --audit{of_size}{where}"
            lines.append(Missing(f"audit of {dataset.name}", "not made", command))
    return lines


def missing_figures(lacking: Sequence[Lacking]) -> list[Missing]:
    """Figures that cannot be drawn."""
    return [Missing(one.title, one.why, one.remedy) for one in lacking]
