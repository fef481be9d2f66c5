"""The verdicts at a glance: how often each word was said, and one table of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from bench.report.collect import Collected, Variant
from bench.report.page.content import Tally
from bench.report.table.model import Cell, Column, Table
from bench.report.text import BLANK
from bench.report.verdicts.analysis import Analysis
from bench.report.verdicts.cells import with_interval
from bench.report.verdicts.comparisons import METRICS, Comparison
from bench.report.verdicts.differences import count

WORDS = ("better", "equivalent", "worse", "undecided")
NOTHING = "not compared"


def tallies(analysis: Analysis) -> list[Tally]:
    """For each metric how often each word was said of the subject."""
    found = []
    for metric in METRICS if analysis.comparisons else ():
        own = [one for one in analysis.comparisons if one.metric == metric]
        counts = Counter(_word(one) for one in own)
        words = (*WORDS, NOTHING) if counts[NOTHING] else WORDS
        found.append(Tally(metric, [(word, counts[word]) for word in words]))
    return found


def glance(collected: Collected, found: Mapping[Variant, Analysis]) -> list[Table]:
    """One table a kind of device: each other model, on each data set by each metric."""
    tables = []
    for number, (variant, analysis) in enumerate(found.items(), start=1):
        of = f" ({variant})" if len(found) > 1 else ""
        datasets = list(dict.fromkeys(one.dataset for one in analysis.comparisons))
        columns = [Column("model", "model", words=True)]
        columns += [
            Column(f"{dataset} {metric}", metric, dataset)
            for dataset in datasets
            for metric in METRICS
        ]
        rows: dict[str, dict[str, Cell]] = {}
        for one in analysis.comparisons:
            row = rows.setdefault(one.model, {"model": Cell(one.model)})
            row[f"{one.dataset} {one.metric}"] = _cell(collected, one)
        if rows:
            title = f"{analysis.subject} minus each other model, in points{of}"
            tables.append(
                Table(f"glance-{number}", title, columns, list(rows.values()), read=_READ)
            )
    return tables


def in_words(collected: Collected, found: Mapping[Variant, Analysis]) -> list[str]:
    """What the counts are of, or why there are none; in Markdown."""
    suite = collected.suite
    if not suite.cells:
        return ["This suite trains nothing, it measures costs alone: there is nothing to judge."]
    compared = [analysis for analysis in found.values() if analysis.comparisons]
    if compared:
        subject = compared[0].subject
        models = {one.model for analysis in compared for one in analysis.comparisons}
        datasets = {one.dataset for analysis in compared for one in analysis.comparisons}
        return [
            f"So often `{subject}` is said to be better, equivalent, worse or undecided, against "
            f"{count(len(models), 'other model')} on {count(len(datasets), 'data set')}. "
            "*Undecided* is no sign that two models are alike."
        ]
    if suite.settings.subject is None:
        return ["The suite names no subject, so no model is held against the others."]
    return [
        f"Nothing can be said of `{suite.settings.subject}` yet: no finished run of it is here. "
        f"`python -m bench run {suite.reference}` makes what is missing."
    ]


_READ = (
    "The word, then the mean difference over paired seeds with its 95 % t interval. "
    "Below stands all of it: corrected p values, what the seeds at hand could have found, and "
    "intervals that hold for other test images too."
)


def _word(one: Comparison) -> str:
    undefined = one.blank is not None or one.verdict.difference.value is None
    return NOTHING if undefined else one.verdict.word


def _cell(collected: Collected, one: Comparison) -> Cell:
    word, difference = _word(one), one.verdict.difference
    if word == NOTHING:
        return Cell(BLANK, None, one.runs, state="missing")
    stale = any(identity in collected.stale for identity in one.runs)
    return Cell(
        f"{word}\n{with_interval(difference)}",
        difference.value,
        one.runs,
        state="stale" if stale else "shown",
    )
