"""The subject against each other model, as tables: one a data set and metric, and one CSV."""

from __future__ import annotations

from collections.abc import Iterable

from bench.records.schema import Record
from bench.report.context import Context
from bench.report.table.markdown import Row as TextRow
from bench.report.table.model import Cell, Table, columns_of
from bench.report.text import BLANK, sentence
from bench.report.verdicts.analysis import Analysis
from bench.report.verdicts.cells import between, decimal, p_value, with_interval
from bench.report.verdicts.comparisons import METRICS, Comparison
from bench.statistics.power import MOST_SEEDS
from bench.statistics.verdict import Verdict

Part = str | Table
_NO_INTERVAL = "no interval"


def difference_parts(context: Context, analysis: Analysis, suffix: str = "") -> list[Part]:
    """For each metric a table, with a line on what the seeds of each data set could show.

    Args:
        suffix: of the tables' names, to tell kinds of device apart.
    """
    parts: list[Part] = []
    several = len({one.dataset for one in analysis.comparisons}) > 1
    for metric in METRICS if analysis.comparisons else ():
        own, drawn = [one for one in analysis.comparisons if one.metric == metric], context.afresh()
        rows = [_row(drawn, one, several=several) for one in own]
        columns = columns_of(rows, words=["model", "data set", "verdict"])
        name, title = f"verdicts-{metric.lower()}{suffix}", f"{metric}: {analysis.subject}"
        could_show = [
            _could_show(analysis, dataset, [one for one in own if one.dataset == dataset])
            for dataset in dict.fromkeys(one.dataset for one in own)
        ]
        table = drawn.table(
            name,
            f"{title} against each other model",
            columns,
            rows,
            read=_family(analysis, own),
            legend=could_show,
        )
        parts += [f"### {metric}", table]
    return parts


def _family(analysis: Analysis, own: list[Comparison]) -> str:
    models, datasets = ({getattr(one, key) for one in own} for key in ("model", "dataset"))
    tested = sum(one.verdict.p is not None for one in own)
    where = count(len(datasets), "data set") if len(datasets) > 1 else next(iter(datasets))
    return (
        f"Δ is `{analysis.subject}` minus the other model, the mean over paired seeds with its "
        "95 % t interval over seeds; *other seeds and images*: its 95 % interval over both. "
        f"One family: `{analysis.subject}` against each of {len(models)} other models on {where}, "
        f"{len(own)} comparisons, of which {tested} could be tested; Holm's correction is over "
        "these."
    )


def _row(context: Context, one: Comparison, *, several: bool) -> dict[str, Cell]:
    verdict, both, runs = one.verdict, one.over_both, _records(context, one.runs)
    difference = verdict.difference
    without = sentence(difference.blank or _NO_INTERVAL)
    why = f"{one.dataset}: {one.blank}." if one.blank else without
    alone = [why] if one.blank or difference.low is None else []
    unpaired = "unpaired" if difference.value is not None else BLANK
    row = {"data set": Cell(one.dataset)} if several else {}
    row |= {"model": context.model(one.model, runs)}
    told: dict[str, tuple[str, float | None]] = {
        "seeds": (str(verdict.pairs) if verdict.pairs else unpaired, verdict.pairs),
        f"Δ {one.metric} (points), other seeds": (
            with_interval(difference),
            None if difference.value is None else 100 * difference.value,
        ),
        "p (Holm)": (p_value(verdict.p), verdict.p),
        "verdict": (BLANK if one.blank else verdict.word, None),
        "other seeds and images": (between(both), both.value and 100 * both.value),
        "detectable (points)": (
            detectable(verdict.detectable),
            None if verdict.detectable is None else 100 * verdict.detectable,
        ),
        "further seeds": (further_seeds(verdict), verdict.further_seeds),
    }
    notes = {f"Δ {one.metric} (points), other seeds": alone}
    if both.low is None and not alone:
        notes["other seeds and images"] = [sentence(both.blank or _NO_INTERVAL)]
    return row | {k: context.cell(*cell, runs, notes.get(k, ())) for k, cell in told.items()}


def detectable(share: float | None) -> str:
    """In points; no score moves by more than 100 points."""
    if share is None:
        return BLANK
    return f"{100 * share:.2f}" if share <= 1 else "> 100"


def further_seeds(verdict: Verdict) -> str:
    """How many more would decide what is undecided."""
    if verdict.word != "undecided" or verdict.spread is None:
        return BLANK
    return str(verdict.further_seeds) if verdict.further_seeds else f"> {MOST_SEEDS}"


def _records(context: Context, ids: Iterable[str]) -> list[Record]:
    return [context.collected.by_id[identity] for identity in ids]


def _could_show(analysis: Analysis, dataset: str, here: list[Comparison]) -> str:
    """Whether equivalence was within reach at all, and Wilcoxon's test too."""
    halves = [half for one in here if (half := half_width(one)) is not None]
    lines = []
    if halves:
        able = sum(half < analysis.region for half in halves)
        reach = (
            f"could be shown in {able} of {len(halves)} comparisons at the best"
            if able
            else "cannot be shown here, whatever the differences"
        )
        lines.append(
            f"{dataset}: the 90 % intervals reach {_range(halves)} points to either side; the "
            f"region is ± {100 * analysis.region:g}: equivalence {reach}."
        )
    else:
        lines.append(f"{dataset}: no comparison has an interval: equivalence cannot be shown.")
    least = {one.verdict.pairs: one.verdict.wilcoxon_smallest_p for one in here if not one.blank}
    told = [
        f"{p:.3g} with {count(pairs, 'paired seed')}" for pairs, p in sorted(least.items()) if pairs
    ]
    if told:
        test = "Wilcoxon's signed-rank test, which needs no normality, can give no p below"
        lines.append(f"{test} {', none below '.join(told)}.")
    return " ".join(lines)


def half_width(one: Comparison) -> float | None:
    """Half of the 90 % interval over seeds: to be equivalent it must be less than the region."""
    inner = one.verdict.equivalence
    return None if inner is None else (inner[1] - inner[0]) / 2


def _range(values: list[float]) -> str:
    low, high = (f"{100 * value:.2f}" for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def count(number: int, noun: str) -> str:
    """``1 pair``, ``2 pairs``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def difference_csv(context: Context, analysis: Analysis, device: str) -> list[TextRow]:
    """Every comparison with all that is known of it; differences in points."""
    rows = []
    for one in analysis.comparisons:
        verdict, both = one.verdict, one.over_both
        rows.append(
            {
                "device": device,
                "subject": analysis.subject,
                "model": one.model,
                "data set": one.dataset,
                "metric": one.metric,
                "paired seeds": str(verdict.pairs),
                "difference (points)": decimal(verdict.difference.value, 100),
                "low over seeds": decimal(verdict.difference.low, 100),
                "high over seeds": decimal(verdict.difference.high, 100),
                "low over seeds and images": decimal(both.low, 100),
                "high over seeds and images": decimal(both.high, 100),
                "p (Holm)": decimal(verdict.p),
                "p of equivalence (Holm)": decimal(verdict.p_equivalence),
                "verdict": BLANK if one.blank else verdict.word,
                "because": one.blank or verdict.because,
                "region (points)": decimal(analysis.region, 100),
                "90 % half-width (points)": decimal(half_width(one), 100),
                "least p of Wilcoxon": decimal(verdict.wilcoxon_smallest_p),
                "detectable (points)": decimal(verdict.detectable, 100),
                "further seeds": further_seeds(one.verdict),
                "stale": stale(context, one.runs),
                "runs": " ".join(one.runs),
            }
        )
    return rows


def stale(context: Context, ids: Iterable[str]) -> str:
    """Whether any of these runs is of code that has changed since."""
    return "yes" if context.collected.stale & set(ids) else "no"
