"""Checks on test scores over seeds: accuracies, gains over rivals, classes' AUC, ablations.

All intervals are Student's over seeds (95 %): they cover another training on the same test images,
not other images.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Literal

from bench.records.schema import Record
from bench.report.claims.file import Ablated, Accuracy, ClassAuc, Gains
from bench.report.claims.kept import Kept, Runs
from bench.report.claims.verdict import (
    Evidence,
    Judgement,
    Link,
    Outcome,
    absent,
    by_interval,
    together,
)
from bench.report.claims.waits import waits_for
from bench.report.collect import training_of
from bench.statistics.differences import Difference, paired_difference

Score = Callable[[Record], float | None]


def _acc(record: Record) -> float:
    return training_of(record).test.acc


def _auc(record: Record) -> float | None:
    return training_of(record).test.auc


SCORES: dict[Literal["acc", "auc"], Score] = {"acc": _acc, "auc": _auc}


def accuracy(check: Accuracy, kept: Kept) -> Judgement:
    """The mean over seeds against the printed number, in every suite that was run."""

    def judged(suite: str) -> Judgement:
        runs = kept.runs(suite, check.model, check.dataset)
        if not runs.whole:
            return lacking(runs, kept.command(suite, [check.model], [check.dataset]))
        values = [_acc(record) for record in runs.by_seed.values()]
        mean = paired_difference(values, [0.0] * len(values))
        evidence = (over_seeds(f"ACC of {check.model}", mean, suite, kept, runs, unit="%"),)
        least = check.printed - check.margin
        return judged_by_interval(mean, evidence, least=least, most=least)

    return _over_suites(check.suites, judged)


def gains(check: Gains, kept: Kept) -> Judgement:
    """Ours over theirs, minus 1, by seed; every rival and data set must show the least gain."""

    def judged(suite: str) -> Judgement:
        parts = []
        for dataset in check.datasets:
            ours = kept.runs(suite, check.model, dataset)
            for rival in check.rivals:
                theirs = kept.runs(suite, rival, dataset)
                for runs in (ours, theirs):
                    if not runs.whole:
                        models = [check.model, *check.rivals]
                        return lacking(runs, kept.command(suite, models, check.datasets))
                if ours.variant != theirs.variant:
                    return absent(f"{check.model} and {rival} ran on different kinds of device")
                pairs = [(_acc(ours.by_seed[s]), _acc(theirs.by_seed[s])) for s in ours.by_seed]
                relative = [mine / other for mine, other in pairs]
                gain = paired_difference(relative, [1.0] * len(relative))
                what = f"relative gain in ACC over {rival}"
                evidence = over_seeds(what, gain, suite, kept, ours, theirs, unit="percent")
                parts.append(judged_by_interval(gain, (evidence,), least=check.low, most=check.low))
        outcome = together([part.outcome for part in parts])
        reason = next(part.reason for part in parts if part.outcome == outcome)
        return Judgement(outcome, reason, tuple(e for part in parts for e in part.evidence))

    return _over_suites(check.suites, judged)


def class_auc(check: ClassAuc, kept: Kept) -> Judgement:
    """How many classes of all data sets reach the printed AUC, mean over seeds, as rounded."""
    digits = len(f"{check.printed:g}".partition(".")[2])

    def judged(suite: str) -> Judgement:
        reached, evidence, lacks = 0, [], None
        for dataset in check.datasets:
            runs = kept.runs(suite, check.model, dataset)
            if not runs.whole:
                command = kept.command(suite, [check.model], check.datasets)
                lacks = lacks or lacking(runs, command)
                continue
            tests = [training_of(record).test for record in runs.by_seed.values()]
            means = [
                (statistics.fmean(values), classes[0].name)
                for classes in zip(*(test.per_class for test in tests), strict=True)
                if len(values := [c.auc for c in classes if c.auc is not None]) == len(tests)
            ]
            found = sum(round(mean, digits) >= check.printed for mean, _ in means)
            best, name = max(means, default=(0.0, "no class"))
            reached += found
            what = f"{dataset}, {suite}: best class AUC ({name}); {found} classes reach it"
            evidence.append(Evidence(what, f"{best:.4f}", links(kept, suite, runs)))
        if reached >= check.classes:
            told = f"{reached} classes reach an AUC of {check.printed:g}."
            return Judgement(Outcome.HOLDS, told, tuple(evidence))
        if lacks is not None:
            return absent(lacks.reason, lacks.command, evidence)
        told = f"{reached} of at least {check.classes} classes reach an AUC of {check.printed:g}."
        return Judgement(Outcome.FAILS, told, tuple(evidence))

    return _over_suites(check.suites, judged)


def ablation(check: Ablated, kept: Kept) -> Judgement:
    """The full network minus the ablated one, both scores shown, the named one judged."""
    full, ablated = (
        [kept.runs(check.suite, model, dataset) for dataset in check.datasets]
        for model in (check.full, check.ablated)
    )
    for runs in (*full, *ablated):
        if not runs.whole:
            models = [check.full, check.ablated]
            return lacking(runs, kept.command(check.suite, models, check.datasets))
        if runs.variant != full[0].variant:
            return absent("the two networks ran on different kinds of device")
    found: dict[str, Difference] = {}
    evidence = []
    for name, score in SCORES.items():
        a, b = means_by_seed(full, score), means_by_seed(ablated, score)
        seeds = sorted(a.keys() & b.keys())
        if len(seeds) < min(len(runs.by_seed) for runs in full):
            continue
        found[name] = paired_difference([a[s] for s in seeds], [b[s] for s in seeds])
        what = f"{name.upper()} of {check.full} minus {check.ablated}"
        evidence.append(over_seeds(what, found[name], check.suite, kept, *full, *ablated))
    if check.score not in found:
        where = " or ".join(check.datasets)
        return absent(f"{check.score.upper()} is undefined on {where}", "", evidence)
    gap = found[check.score]
    if check.expected == "helps":
        return judged_by_interval(gap, tuple(evidence), least=0.0, most=check.margin)
    return judged_by_interval(gap, tuple(evidence), least=-check.margin, most=-check.margin)


def judged_by_interval(
    found: Difference, evidence: tuple[Evidence, ...], *, least: float, most: float
) -> Judgement:
    """By the interval: holds above ``least``, fails below ``most``, and why neither if so."""
    if found.low is None or found.high is None:
        alike = "One seed shows" if found.pairs < 2 else "Every seed gives the same: they show"
        return Judgement(Outcome.OPEN, f"{alike} no spread and decides nothing.", evidence)
    outcome = by_interval(found.low, found.high, holds_above=least, fails_below=most)
    interval = f"{100 * found.low:.1f} to {100 * found.high:.1f}"
    width = f"it is {100 * (found.high - found.low):.1f} points wide, from {found.pairs} seeds"
    told = {
        Outcome.HOLDS: f"lies above {100 * least:g}",
        Outcome.FAILS: f"lies below {100 * most:g}",
        Outcome.OPEN: f"holds {100 * least:g}; {width}",
    }
    reason = f"The 95 % interval over seeds, {interval}, {told[outcome]}"
    if outcome is Outcome.OPEN:
        reason += f"; {waits_for(found, least=least, most=most)}"
    reason += "."
    return Judgement(outcome, reason, evidence)


def means_by_seed(runs: Sequence[Runs], score: Score) -> dict[int, float]:
    """The mean score over data sets, for the seeds that have one on each."""
    found = {}
    for seed in set.intersection(*(set(one.by_seed) for one in runs)):
        values = [score(one.by_seed[seed]) for one in runs]
        known = [value for value in values if value is not None]
        if len(known) == len(values):
            found[seed] = statistics.fmean(known)
    return found


def _over_suites(suites: list[str], judged: Callable[[str], Judgement]) -> Judgement:
    """One verdict of all suites that were run; where they disagree, none."""
    every = [judged(suite) for suite in suites]
    measured = [one for one in every if one.outcome is not Outcome.ABSENT]
    if not measured:
        return every[0]
    evidence = tuple(e for one in measured for e in one.evidence)
    if len({one.outcome for one in measured}) == 1:
        return Judgement(measured[0].outcome, measured[0].reason, evidence)
    reason = "The suites disagree: " + " ".join(one.reason for one in measured)
    return Judgement(Outcome.OPEN, reason, evidence)


def lacking(runs: Runs, command: str) -> Judgement:
    """Not measured: the first seeds without a run, and the command that trains them."""
    more = f" (and {len(runs.lacking) - 2} more)" if len(runs.lacking) > 2 else ""
    return absent("; ".join(runs.lacking[:2]) + more, command)


def links(kept: Kept, suite: str, *runs: Runs) -> tuple[Link, ...]:
    """The records of runs, as evidence links them."""
    return tuple(kept.link(record, suite) for one in runs for record in one.by_seed.values())


def over_seeds(
    what: str, found: Difference, suite: str, kept: Kept, *runs: Runs, unit: str = "points"
) -> Evidence:
    """The mean with its interval, over the seeds of a suite and data set."""
    sign = "" if unit == "%" else "+"
    interval = "no interval"
    if found.low is not None and found.high is not None:
        interval = f"[{100 * found.low:{sign}.1f}, {100 * found.high:{sign}.1f}]"
    names = list(dict.fromkeys(one.dataset for one in runs))
    datasets = names[0] if len(names) == 1 else f"mean of {', '.join(names)}"
    return Evidence(
        f"{what}, {datasets}, suite {suite}, {found.pairs} seeds, {runs[0].variant}",
        f"{100 * found.mean:{sign}.1f} {interval} {unit}",
        links(kept, suite, *runs),
    )
