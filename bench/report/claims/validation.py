"""Whether a network is at least as good as the best of its peers where designs are chosen."""

from __future__ import annotations

import statistics

from bench.records.schema import Record
from bench.report.claims.file import Validation
from bench.report.claims.kept import Kept, Runs
from bench.report.claims.scores import judged_by_interval, lacking, links, means_by_seed
from bench.report.claims.verdict import Evidence, Judgement, absent
from bench.report.collect import training_of
from bench.statistics.differences import noninferiority_power, paired_difference


def validation(check: Validation, kept: Kept) -> Judgement:
    """Validation AUC, mean over data sets, minus that of the best peer, by pairs of one seed.

    Every difference stands in the evidence with its *power*: how often a rival that is truly equal,
    with this spread and as many seeds, would be shown non-inferior. The best peer is the one of
    the highest mean, so it is favoured by luck; our network is, by the choice of its design on the
    same images.
    """
    ours = [kept.runs(check.suite, check.model, dataset) for dataset in check.datasets]
    theirs = {
        rival: [kept.runs(check.suite, rival, dataset) for dataset in check.datasets]
        for rival in check.rivals
    }
    for runs in (one for every in (ours, *theirs.values()) for one in every):
        if not runs.whole:
            models = [check.model, *check.rivals]
            return lacking(runs, kept.command(check.suite, models, check.datasets))
        if runs.variant != ours[0].variant:
            return absent("not all networks ran on one kind of device")
    heavy = [rival for rival, runs in theirs.items() if _params(runs) > check.most_params_m * 1e6]
    if heavy:
        told = f"{', '.join(heavy)}: more than {check.most_params_m:g} M parameters"
        return absent(f"not peers of its size: {told}")
    own = means_by_seed(ours, _auc)
    found = {rival: means_by_seed(runs, _auc) for rival, runs in theirs.items()}
    means = {rival: _mean(own, scores) for rival, scores in found.items()}
    if not own or not all(own.keys() & scores.keys() for scores in found.values()):
        return absent("no seed is shared by all, or AUC is undefined")
    evidence = []
    for rival in sorted(means, key=lambda name: -means[name]):
        seeds = sorted(own.keys() & found[rival].keys())
        pairs = [own[s] for s in seeds], [found[rival][s] for s in seeds]
        gap = paired_difference(*pairs)
        value = f"{100 * gap.mean:+.1f} (one seed) points"
        if gap.low is not None and gap.high is not None:
            spread = statistics.stdev(a - b for a, b in zip(*pairs, strict=True))
            power = noninferiority_power(spread, len(seeds), check.margin)
            interval = f"[{100 * gap.low:+.1f}, {100 * gap.high:+.1f}]"
            value = f"{100 * gap.mean:+.1f} {interval} points, power {power:.2f}"
        what = f"validation AUC of {check.model} minus {rival}, mean of {len(ours)} data sets"
        where = f"suite {check.suite}, {len(seeds)} seeds, {ours[0].variant}"
        linked = links(kept, check.suite, *ours, *theirs[rival])
        evidence.append(Evidence(f"{what}, {where}", value, linked))
    best = max(means, key=means.__getitem__)
    seeds = sorted(own.keys() & found[best].keys())
    gap = paired_difference([own[s] for s in seeds], [found[best][s] for s in seeds])
    judged = judged_by_interval(gap, tuple(evidence), least=-check.margin, most=-check.margin)
    reason = f"The best peer is {best}. {judged.reason}"
    return Judgement(judged.outcome, reason, judged.evidence)


def _mean(own: dict[int, float], scores: dict[int, float]) -> float:
    """Over the seeds that both have, so that peers with more seeds are ranked on the same."""
    shared = own.keys() & scores.keys()
    return statistics.fmean(scores[s] for s in shared) if shared else float("-inf")


def _params(runs: list[Runs]) -> int:
    return max(training_of(r).params_trainable for one in runs for r in one.by_seed.values())


def _auc(record: Record) -> float | None:
    return training_of(record).val.auc
