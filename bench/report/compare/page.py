"""The comparison of two models as paragraphs and tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping

from bench.report.accuracy import Row
from bench.report.compare.cost_page import cost_parts
from bench.report.compare.evidence import Evidence
from bench.report.compare.runs import Runs
from bench.report.compare.trained import Trained
from bench.report.compare.trainings import Beside, SameSeed, Scored
from bench.report.compare.words import Part, in_words
from bench.report.footnotes import Footnotes
from bench.report.published_table import source_sentence
from bench.report.table.markdown import markdown
from bench.report.text import (
    BLANK,
    duration,
    percent,
    published_percent,
)
from bench.report.verdicts.cells import between, p_value, point, with_interval
from bench.report.verdicts.differences import count, detectable, further_seeds

_READ = """\
Δ is A minus B, in points (1 point is 0.01 of ACC or AUC). Words are those of the suites' \
verdicts: *better*, *worse* (A is): a difference of zero is excluded, p ≤ 0.05 after Holm's \
correction; *equivalent*: shown to lie within the region; *undecided*: neither, which is no sign \
that the two are alike."""


def parts_of(found: Evidence) -> list[Part]:
    """What is printed, top to bottom; nothing on what is not there but the line that says so."""
    a, b = found.names
    parts: list[Part] = [f"# `{a}` (A) against `{b}` (B)", _READ]
    for one in found.trained:
        parts += _trained(one)
    parts += _untrained(found)
    parts += ["## Cost", *cost_parts(found)]
    parts += _tuning(found)
    parts += _published(found)
    return [*parts, "## In plain words", in_words(found)]


def as_markdown(found: Evidence) -> str:
    """The same evidence gives the same text."""
    drawn = [part if isinstance(part, str) else markdown(part) for part in parts_of(found)]
    return "\n\n".join(drawn) + "\n"


def _trained(one: Trained) -> Iterator[Part]:
    size = f"{one.source_size} px source fed at {one.image_size} px"
    data = f" **Synthetic**: {', '.join(one.synthetic)}." if one.synthetic else ""
    yield (
        f"## Suite `{one.suite}`: protocol `{one.protocol}`, {size}; {one.variant}\n\n"
        f"{one.about}{data} {' '.join(one.left_out)}".rstrip()
    )
    yield [_run_row(letter, runs) for letter, runs in zip("AB", one.runs, strict=True)]
    yield " ".join(_run_lines(one))
    yield [_score_row(score) for score in one.scores]
    yield _families(one)
    if one.same_seed:
        yield f"### Pairs of trainings\n\n{_PAIRS_READ}"
        yield [_pair_row(pair) for pair in one.same_seed]
    for title, read, rows in (
        ("Thresholds and calibration", _CALIBRATION_READ, one.calibration),
        ("Classes", _CLASSES_READ, one.classes),
        (
            "Without the test images that have a copy in train or val",
            _COPIES_READ,
            one.without_copies,
        ),
        ("Input controls", _CONTROLS_READ, one.controls),
    ):
        if rows:
            yield f"### {title}\n\n{read}"
            yield [_beside_row(row) for row in rows]


_PAIRS_READ = (
    "Two given trainings of one seed on the same test images: McNemar's exact test of ACC, "
    "DeLong's of AUC. They say how much two sets of weights disagree, nothing of the models: "
    "another seed of one model often differs as much. Nothing is corrected."
)
_CALIBRATION_READ = (
    "ECE in 15 bins, before and after the temperature that validation chose; sensitivity and "
    "specificity at validation's threshold. Intervals are over seeds, each alone: no verdict."
)
_CLASSES_READ = "Each against the rest; intervals over seeds, each alone: no verdict."
_COPIES_READ = (
    "By the audit of the data; all else here is on the whole test split. Intervals each alone: no "
    "verdict."
)
_CONTROLS_READ = "Trained and tested with one cue taken away; intervals each alone: no verdict."


def _run_row(letter: str, runs: Runs) -> Row:
    took = [f"{duration(statistics.median(s))} on {where}" for where, s in runs.wall_s.items()]
    return {
        "model": f"{letter}: {runs.model}",
        "asked for": str(runs.asked),
        "shown": str(runs.shown),
        "stale": str(runs.stale),
        "failed": str(len(runs.failed)),
        "missing": str(runs.missing),
        "a training took (median)": "; ".join(took) or BLANK,
    }


def _run_lines(one: Trained) -> list[str]:
    lines = [f"Failed: {why}." for runs in one.runs for why in runs.failed]
    lines += [f"`{runs.command}` makes what lacks." for runs in one.runs if runs.command]
    lines += [f"`{runs.model}`: {note}." for runs in one.runs for note in runs.notes]
    if any(runs.stale for runs in one.runs):
        again = f"`python -m bench run {one.reference} --refresh`"
        lines.append(f"Stale: the code that decides it has changed since; {again} makes it anew.")
    return [*lines, "Trainings were not timed for comparison: other work may have slowed them."]


def _score_row(one: Scored) -> Row:
    verdict = one.verdict
    alone = verdict.difference.value is not None and verdict.difference.low is None
    return {
        "data set": one.dataset,
        "metric": one.metric,
        "A (%)": percent([*one.first.values()]),
        "B (%)": percent([*one.second.values()]),
        "seeds": str(verdict.pairs) if verdict.pairs else BLANK,
        "Δ, other seeds": with_interval(verdict.difference),
        "p (Holm)": p_value(verdict.p),
        "verdict": f"{verdict.word} ({verdict.because})" if alone else verdict.word,
        "other seeds and images": between(one.over_both),
        "detectable": detectable(verdict.detectable),
        "further seeds": further_seeds(verdict),
    }


def _families(one: Trained) -> str:
    first = next(iter(one.families.values()))
    lines = [
        f"Corrected over one family for each metric: {first.what}, "
        f"{count(first.size, 'comparison')}. The region of equivalence is ± {100 * one.region:g} "
        "points. *detectable*: the smallest true difference found in 80 of 100 cases, given the "
        "spread seen; *further seeds*: how many more would decide it if what was seen were the "
        "truth."
    ]
    for metric, family in one.families.items():
        if family.across is not None:
            across = family.across
            lines.append(
                f"Over data sets, {metric}: mean Δ {point(across.difference)} points, Wilcoxon's p "
                f"(Holm) {p_value(across.p)}, none below {across.smallest_holm_p:.3g} possible: "
                f"{across.word}."
            )
    return " ".join(lines)


def _pair_row(one: SameSeed) -> Row:
    test = one.mcnemar
    return {
        "data set": one.dataset,
        "seed": str(one.seed),
        "only A right": BLANK if test.first_only is None else str(test.first_only),
        "only B right": BLANK if test.second_only is None else str(test.second_only),
        "p (McNemar)": p_value(test.p),
        "Δ AUC, other images": with_interval(one.auc),
        "p (DeLong)": p_value(one.delong.p),
    }


def _beside_row(one: Beside) -> Row:
    return {
        "data set": one.dataset,
        "compared": one.what,
        "A (%)": percent([*one.first.values()]),
        "B (%)": percent([*one.second.values()]),
        "Δ, other seeds": with_interval(one.difference),
    }


def _untrained(found: Evidence) -> Iterator[Part]:
    if found.trained and not found.unmade:
        return
    lines = [] if found.trained else ["No suite holds finished runs of both."]
    if found.unmade:
        lines.append("Suites that ask for both, and lack every run of one of them:\n")
        lines += [f"- {suite}: `{command}`" for suite, command in found.unmade.items()]
    elif not found.trained:
        lines.append("None of the checkout trains both: write one that does (README).")
    yield f"## {'Not made yet' if found.trained else 'Accuracy'}\n\n" + "\n".join(lines)


def _tuning(found: Evidence) -> Iterator[Part]:
    if found.tuned:
        stale = sum(one.stale for one in found.tuned)
        doubt = f" {stale} of these rows are of code that has changed since." if stale else ""
        yield (
            "## Tuned on validation\n\nAUC on **validation** of the chosen epoch, in searches that "
            "tried the same setting with both: no result, no verdict. Settings tried in all: A "
            f"{found.tries[0]}, B {found.tries[1]}.{doubt}"
        )
        yield [
            {
                "data set": one.dataset,
                "chosen by": f"search {one.search}",
                "size (px)": str(one.image_size),
                "setting": one.tried,
                "A (%)": _seeds(one.first),
                "B (%)": _seeds(one.second),
            }
            for one in found.tuned
        ]


def _seeds(values: Mapping[int, float]) -> str:
    return f"{percent([*values.values()])} ({count(len(values), 'seed')})"


def _published(found: Evidence) -> Iterator[Part]:
    notes = Footnotes()
    rows = [
        {
            "model": f"{letter}: {name}",
            "published as": row.model,
            "data set": row.dataset,
            "size (px)": row.image_size or BLANK,
            "ACC (%)": published_percent(row.acc),
            "AUC (%)": published_percent(row.auc),
            "source": notes.mark(source_sentence(row)),
        }
        for letter, name, own in zip("AB", found.names, found.published, strict=True)
        for row in own
    ]
    if rows:
        none = [
            f" None is known of `{name}` on these data sets."
            for name, own in zip(found.names, found.published, strict=True)
            if not own
        ]
        yield (
            "## Published, as printed\n\nNumbers of others under their own protocols: for "
            f"orientation, not for a verdict.{''.join(none)}"
        )
        yield rows
        yield "\n".join(f"{line}  " for line in notes.lines())
