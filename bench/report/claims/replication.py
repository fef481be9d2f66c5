"""Whether this harness finds what others printed for a known network under a known protocol."""

from __future__ import annotations

from bench.report.claims.file import Replication
from bench.report.claims.kept import Kept, Runs
from bench.report.claims.scores import SCORES, lacking, over_seeds
from bench.report.claims.verdict import Evidence, Judgement, Outcome, absent
from bench.statistics.differences import paired_difference


def replication(check: Replication, kept: Kept) -> Judgement:
    """The mean over seeds of ACC and of AUC, each within its tolerance of the printed one.

    Tolerances on the mean, fixed beforehand, as in the independent replication of MedMNIST
    (ReScience submissions, issue 121): an interval over few seeds would excuse a wide miss. Where
    it was trained on several kinds of device, each is judged, so that none is chosen; where they
    disagree there is no verdict.
    """
    found = kept.runs_by_variant(check.suite, check.model, check.dataset)
    every = [_of_one_device(check, kept, runs) for runs in found]
    if len(every) == 1:
        return every[0]
    told = [f"On {runs.variant}: {one.reason}" for runs, one in zip(found, every, strict=True)]
    evidence = tuple(dict.fromkeys(e for one in every for e in one.evidence))
    if len({one.outcome for one in every}) == 1:
        return Judgement(every[0].outcome, " ".join(told), evidence)
    return Judgement(Outcome.OPEN, "The devices disagree. " + " ".join(told), evidence)


def _of_one_device(check: Replication, kept: Kept, runs: Runs) -> Judgement:
    printed = {name: kept.printed_score(check.printed, check.dataset, name) for name in SCORES}
    evidence = [
        Evidence(f"{name.upper()} printed for {check.printed.model}", value, (link,))
        for name, (value, link) in printed.items()
    ]
    if not runs.whole:
        command = kept.command(check.suite, [check.model], [check.dataset])
        return absent(lacking(runs, command).reason, command, evidence)
    within = {"acc": check.within_acc, "auc": check.within_auc}
    told, outcome = [], Outcome.HOLDS
    for name, score in SCORES.items():
        values = [score(record) for record in runs.by_seed.values()]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return absent(f"{name.upper()} is undefined on {check.dataset}", "", evidence)
        mean = paired_difference(known, [0.0] * len(known))
        what = f"{name.upper()} of {check.model}"
        evidence.append(over_seeds(what, mean, check.suite, kept, runs, unit="%"))
        off = mean.mean - float(printed[name][0])
        near = abs(off) <= within[name]
        outcome = outcome if near else Outcome.FAILS
        words = f"{'within' if near else 'not within'} {100 * within[name]:g}"
        told.append(f"{name.upper()} is {100 * off:+.1f} points off, {words}")
    return Judgement(outcome, "; ".join(told) + ".", tuple(evidence))
