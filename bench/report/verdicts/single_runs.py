"""Each run alone, over test images; and by model what a threshold and a temperature do."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from bench.records.schema import Record
from bench.report.collect import training_of
from bench.report.context import Context
from bench.report.table.markdown import Row as TextRow
from bench.report.table.model import Cell, Table, columns_of
from bench.report.text import BLANK, percent
from bench.report.verdicts.analysis import Analysis
from bench.report.verdicts.cells import decimal
from bench.report.verdicts.comparisons import by_cell
from bench.report.verdicts.differences import stale
from bench.report.verdicts.runs import RunFindings
from bench.statistics.intervals import IntervalEstimate
from bench.statistics.two_classes import TwoClasses


def run_csv(context: Context, analysis: Analysis, device: str) -> list[TextRow]:
    """One row a run: every interval is over test images, for this one training; in percent."""
    rows = []
    for run in analysis.runs:
        row = {
            "device": device,
            "model": run.model,
            "data set": run.dataset,
            "seed": str(run.seed),
            "images": str(len(run.labels)),
        }
        row |= _estimate("ACC (%)", run.acc) | _estimate("AUC (%)", run.auc)
        row |= _two_classes(run.two_classes)
        heat = run.calibration.temperature
        row |= {
            "ECE (%)": decimal(run.calibration.before, 100),
            "temperature": decimal(heat.value),
            "ECE at temperature (%)": decimal(run.calibration.after, 100),
            "blank or bound": "; ".join(dict.fromkeys(_reasons(run))) or BLANK,
            "stale": stale(context, [run.run_id]),
            "runs": run.run_id,
        }
        rows.append(row)
    return rows


def _estimate(name: str, found: IntervalEstimate) -> TextRow:
    return {
        name: decimal(found.value, 100),
        f"{name} low": decimal(found.low, 100),
        f"{name} high": decimal(found.high, 100),
    }


def _two_classes(found: TwoClasses | None) -> TextRow:
    blank = IntervalEstimate(None, None, None, "images")
    row = {"threshold": decimal(found.chosen.threshold if found else None)}
    row |= _estimate("sensitivity (%)", found.sensitivity if found else blank)
    return row | _estimate("specificity (%)", found.specificity if found else blank)


def _reasons(run: RunFindings) -> list[str]:
    found = [("ACC", run.acc.blank), ("AUC", run.auc.blank)]
    if run.two_classes is not None:
        found += [
            ("sensitivity", run.two_classes.sensitivity.blank),
            ("specificity", run.two_classes.specificity.blank),
        ]
    found.append(("temperature", run.calibration.temperature.note))
    return [f"{name}: {reason}" for name, reason in found if reason is not None]


def calibration_table(context: Context, analysis: Analysis, suffix: str = "") -> Table:
    """One row a model and data set, mean ± standard deviation over seeds.

    Args:
        suffix: of the table's name, to tell kinds of device apart.
    """
    context = context.afresh()
    known = context.collected.by_id
    several = len({run.dataset for run in analysis.runs}) > 1
    two = any(run.two_classes is not None for run in analysis.runs)
    rows = []
    for (model, dataset), runs in by_cell(analysis.runs).items():
        found = list(runs.values())
        records = [known[run.run_id] for run in found]
        row = {"model": context.model(model, records)}
        row |= {"data set": Cell(dataset)} if several else {}
        if two:
            row["sensitivity (%)"] = _mean(context, found, records, _sensitivity)
            row["specificity (%)"] = _mean(context, found, records, _specificity)
        row["ECE (%)"] = _mean(context, found, records, _before)
        row["temperature"] = _temperatures(context, found, records)
        row["ECE at temperature (%)"] = _mean(context, found, records, _after)
        rows.append(row)
    columns = columns_of(rows, words=["model", "data set"])
    name = f"verdicts-calibration{suffix}"
    read = f"{_READ} {_positive(context, analysis)}".rstrip()
    return context.table(name, "Thresholds and calibration", columns, rows, read=read)


def _positive(context: Context, analysis: Analysis) -> str:
    """Which class of each two-class task is the positive one: it is not always the disease."""
    known = context.collected.by_id
    named = {
        run.dataset: f"“{training_of(known[run.run_id]).data.class_names[-1]}” on {run.dataset}"
        for run in analysis.runs
        if run.two_classes is not None
    }
    if not named:
        return ""
    return f"Of two classes the second counts as positive: positive is {', '.join(named.values())}."


Valued = Callable[[RunFindings], tuple[float | None, str | None]]


def _sensitivity(run: RunFindings) -> tuple[float | None, str | None]:
    two = run.two_classes
    return (two.sensitivity.value, two.sensitivity.blank) if two else (None, None)


def _specificity(run: RunFindings) -> tuple[float | None, str | None]:
    two = run.two_classes
    return (two.specificity.value, two.specificity.blank) if two else (None, None)


def _before(run: RunFindings) -> tuple[float | None, str | None]:
    return run.calibration.before, None


def _after(run: RunFindings) -> tuple[float | None, str | None]:
    return run.calibration.after, None  # the temperature beside it says why


def _mean(
    context: Context, runs: Sequence[RunFindings], records: Sequence[Record], value: Valued
) -> Cell:
    """Over all seeds, or a blank with the reason where one lacks it."""
    found = [value(run) for run in runs]
    values = [one for one, _ in found if one is not None]
    if len(values) == len(found):
        return context.cell(percent(values), 100 * statistics.fmean(values), records)
    lacking = [f"{reason[0].upper()}{reason[1:]}." for _, reason in found if reason]
    return context.cell(BLANK, None, records, lacking)


def _temperatures(context: Context, runs: Sequence[RunFindings], records: Sequence[Record]) -> Cell:
    """The range over seeds, sorted by its middle."""
    values = [v for run in runs if (v := run.calibration.temperature.value) is not None]
    bounds = [f"Temperature: {n}." for run in runs if (n := run.calibration.temperature.note)]
    if not values:
        return context.cell(BLANK, None, records, bounds)
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    text = low if low == high else f"{low} to {high}"
    return context.cell(text, (min(values) + max(values)) / 2, records, bounds)


_READ = (
    "Mean ± standard deviation over seeds, on test. Sensitivity and specificity (two-class tasks "
    "alone): an image is called positive where its probability is above the threshold of Youden's "
    "J on validation; of equally good thresholds the nearest to 0.5. ECE: "
    "expected calibration error in 15 bins, before and after dividing the logits by the "
    "temperature of the least cross-entropy on validation (its range over seeds is shown)."
)
