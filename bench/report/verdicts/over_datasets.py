"""All models over all data sets, as a table of ranks with lines on what the ranks can tell."""

from __future__ import annotations

from bench.report.context import Context
from bench.report.table.markdown import Row as TextRow
from bench.report.table.model import Cell, columns_of
from bench.report.text import BLANK
from bench.report.verdicts.across import Across, ModelAcross
from bench.report.verdicts.analysis import Analysis
from bench.report.verdicts.cells import decimal, p_value, point
from bench.report.verdicts.differences import Part, count, stale


def across_parts(context: Context, analysis: Analysis, suffix: str = "") -> list[Part]:
    """For each metric its ranks, or the line that says why there are none.

    Args:
        suffix: of the tables' names, to tell kinds of device apart.
    """
    reasons = {one.blank for one in analysis.across}
    if len(reasons) == 1 and None not in reasons:
        return [f"No ranks: {reasons.pop()}."]
    parts: list[Part] = []
    for one in analysis.across:
        if one.blank is not None:
            parts.append(f"{one.metric}: no ranks: {one.blank}. {' '.join(one.left_out)}")
            continue
        drawn, title = context.afresh(), f"{one.metric} over {len(one.datasets)} data sets"
        rows = [_row(drawn, model) for model in one.models]
        columns = columns_of(rows, words=["model", "verdict"])
        name = f"verdicts-across-{one.metric.lower()}{suffix}"
        parts += [f"### {title}", drawn.table(name, title, columns, rows, read=_lines(one))]
    return parts


def _row(context: Context, one: ModelAcross) -> dict[str, Cell]:
    runs = [context.collected.by_id[identity] for identity in one.runs]
    told: dict[str, tuple[str, float | None]] = {"mean rank": (f"{one.rank:.2f}", one.rank)}
    pair, chances = one.pair, one.posterior
    if pair is not None and chances is not None:
        told |= {
            "mean Δ (points)": (point(pair.difference), 100 * pair.difference),
            "p (Wilcoxon, Holm)": (p_value(pair.p), pair.p),
            "verdict": (pair.word, None),
            "P(better)": _chance(chances.first_better),
            "P(equivalent)": _chance(chances.equivalent),
            "P(worse)": _chance(chances.second_better),
        }
    cells = {key: context.cell(*cell, runs) for key, cell in told.items()}
    return {"model": context.model(one.model, runs)} | cells


def _chance(value: float | None) -> tuple[str, float | None]:
    return (BLANK if value is None else f"{value:.2f}"), value


def _lines(one: Across) -> str:
    lines = [f"Data sets: {', '.join(one.datasets)}."]
    test = one.friedman
    if test is not None and test.p is not None:
        told = f"χ² = {test.statistic:.2f}, p = {p_value(test.p)}"
        lines.append(f"Friedman's test that all models are alike: {told}.")
    elif test is not None:
        lines.append(f"Friedman's test cannot be made: {test.blank}.")
    if one.critical_difference is not None:
        lines.append(
            f"Mean ranks less than {one.critical_difference:.2f} apart are not told apart "
            "(Nemenyi, 0.05)."
        )
        groups = "; ".join(", ".join(group) for group in one.groups)
        lines.append(f"Groups not told apart: {groups}." if groups else "Every model stands alone.")
    pairs = [model.pair for model in one.models if model.pair is not None]
    if pairs:
        alone, family = pairs[0].smallest_p, pairs[0].smallest_holm_p
        lines.append(
            f"{len(one.datasets)} data sets can give Wilcoxon's test no p below {alone:.3g}, and "
            f"after Holm over {count(len(pairs), 'pair')} none below {family:.3g}."
        )
    return " ".join([*lines, *one.left_out])


def across_csv(context: Context, analysis: Analysis, device: str) -> list[TextRow]:
    """Every model's rank, and the subject against it; differences in points."""
    rows = []
    for one in analysis.across:
        test = one.friedman
        for model in one.models:
            pair, chances = model.pair, model.posterior
            rows.append(
                {
                    "device": device,
                    "subject": analysis.subject,
                    "model": model.model,
                    "metric": one.metric,
                    "data sets": " ".join(one.datasets),
                    "mean rank": decimal(model.rank),
                    "p (Friedman)": decimal(test.p if test else None),
                    "critical difference (Nemenyi)": decimal(one.critical_difference),
                    "mean difference (points)": decimal(pair.difference if pair else None, 100),
                    "p (Wilcoxon, Holm)": decimal(pair.p if pair else None),
                    "least p of Wilcoxon": decimal(pair.smallest_p if pair else None),
                    "least p after Holm": decimal(pair.smallest_holm_p if pair else None),
                    "verdict": pair.word if pair else BLANK,
                    "because": pair.because if pair else BLANK,
                    "P(subject better)": decimal(chances.first_better if chances else None),
                    "P(equivalent)": decimal(chances.equivalent if chances else None),
                    "P(model better)": decimal(chances.second_better if chances else None),
                    "stale": stale(context, model.runs),
                    "runs": " ".join(model.runs),
                }
            )
    return rows
