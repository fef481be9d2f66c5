"""The page of verdicts, as paragraphs and tables, and its CSV files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bench.records.schema import Record
from bench.records.store import Store
from bench.report.collect import Variant
from bench.report.context import Context
from bench.report.control.summary import control_line
from bench.report.table.markdown import Row as TextRow
from bench.report.verdicts.analysis import Analysis
from bench.report.verdicts.counts import count_table
from bench.report.verdicts.differences import Part, difference_csv, difference_parts
from bench.report.verdicts.findings import stored_analyses
from bench.report.verdicts.over_datasets import across_csv, across_parts
from bench.report.verdicts.single_runs import calibration_table, run_csv
from bench.staleness import Staleness


def verdict_parts(
    context: Context, records: Iterable[Record], store: Store
) -> tuple[list[Part], dict[str, list[TextRow]]]:
    """What ``verdicts.md`` holds below its title, and the rows of each CSV by its name.

    Raises:
        InputError: predictions cannot be read.
    """
    found = stored_analyses(context.collected, store)
    records = list(records)
    parts: list[Part] = [
        control_line(records, Staleness.load(store.root)),
        *_compared(context, found),
    ]
    for variant, analysis in found.items():
        of, suffix = _told_apart(found, variant)
        table = calibration_table(context, analysis, suffix)
        parts += [f"## Thresholds and calibration{of}", table]
    parts += [_RUNS_READ] if found else []
    counts = count_table(context.afresh(), records)
    parts += [f"## {counts.title}", counts]
    made = {
        "verdicts": difference_csv,
        "verdicts-across": across_csv,
        "verdicts-runs": run_csv,
    }
    tables = {
        name: [row for variant, one in found.items() for row in rows_of(context, one, str(variant))]
        for name, rows_of in made.items()
    }
    return parts, {name: rows for name, rows in tables.items() if rows}


def _told_apart(found: Mapping[Variant, Analysis], variant: Variant) -> tuple[str, str]:
    """What is added to headings and to names of tables where there are several kinds of device."""
    if len(found) < 2:
        return "", ""
    return f" ({variant})", f"-{variant.device}-{variant.precision}"


def _compared(context: Context, found: dict[Variant, Analysis]) -> list[Part]:
    """The comparisons, or the line that says why there are none."""
    subject = context.collected.suite.settings.subject
    if subject is None:
        reason = (
            "The suite does not train `medspectralnet` and names no other subject "
            "(`[statistics] subject`), so no model is held against the others."
        )
        parts: list[Part] = [f"## Differences\n\n{reason}"]
    else:
        region = 100 * context.collected.suite.settings.statistics.region
        parts = [_READ.format(subject=subject, region=f"{region:g}")]
    if any(audit.contaminated_test.images for audit in context.audits.by_name.values()):
        parts.append(_COPIES_READ)
    for variant, analysis in found.items():
        of, suffix = _told_apart(found, variant)
        if subject is not None:
            parts.append(f"## `{subject}` against each other model{of}")
            parts += difference_parts(context, analysis, suffix) or [
                f"`{subject}` has no finished run."
            ]
        across = across_parts(context, analysis, suffix)
        read = [_ACROSS_READ] if len(across) > 1 else []
        parts += [f"## Over data sets{of}", *read, *across]
    return parts


_READ = """\
How to read it: Δ is `{subject}` minus the other model, in points (1 point is 0.01 of ACC or AUC): \
where it is positive, `{subject}` scores higher.

- *other seeds*: mean over the seeds that both models have, with its 95 % t interval; it says what \
other seeds would give **on these test images**. *other seeds and images*: the same mean, with the \
95 % interval over other seeds **and other test images** of the kind: never narrower, and the \
same where the interval over so few seeds reaches farther anyhow.
- *better*, *worse* (`{subject}` is): a difference of zero is excluded, p ≤ 0.05 after Holm's \
correction. *equivalent*: the difference is shown to lie within ± {region} points (two one-sided \
tests, Holm too). *undecided*: neither; that is no sign that the two are alike.
- *detectable*: the smallest true difference that so many seeds find in 80 of 100 cases, given the \
spread seen, at the family's level. *further seeds*: how many more would decide it with the same \
power if what was seen were the truth; a rough guide."""

_ACROSS_READ = (
    "A data set counts once, by the mean over seeds; rank 1 is the best of all models. The verdict "
    "and what stands beside it are of the subject against the model: Wilcoxon's signed-rank test "
    "over data sets with Holm's correction; and, from the Bayesian signed-rank test (prior: one "
    "pseudo-observation of no difference with the weight 0.5 of a data set), the probability that "
    "on data sets of the kind the subject is better, within the region, or worse."
)
_COPIES_READ = (
    "Everything here is on the whole test split, its copies of other images among them; "
    "`accuracy.md` gives scores without those."
)
_RUNS_READ = (
    "Each run alone is in `verdicts-runs.csv`, with intervals over test images: ACC by the "
    "bootstrap within classes (its law in full), AUC by DeLong's variance, sensitivity and "
    "specificity by Wilson's score. They speak of that one training; another seed gives another."
)
