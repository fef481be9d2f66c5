"""From what was measured to the lines of the table."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence

from bench.regress.accuracy import Known, differences, looks_of
from bench.regress.file import Accuracy, Limit, RunTime
from bench.regress.judge import Judged, judge_process, judge_times
from bench.regress.record import (
    CellTrainings,
    CheckResult,
    ExactNumbers,
    ExactOf,
    Finding,
    Kind,
    ProcessRow,
    TimedRow,
    Verdict,
)

NUMBERS = {
    "params_total": "parameters",
    "params_trainable": "trainable parameters",
    "macs": "MACs",
    "operators": "operators",
    "activation_bytes": "activation bytes",
}
OF_PACKAGES = ("operators", "activation_bytes")  # torch decides them as well
ROUNDING = 1e-6  # of a score, computed in another order


def exact_findings(baseline: ExactOf, candidate: ExactOf) -> list[Finding]:
    """Every number of every model; more of anything is a regression, less a notice."""
    found: list[Finding] = []
    same_packages = baseline.machine.packages == candidate.machine.packages
    for name in dict.fromkeys([*baseline.models, *candidate.models]):
        first, second = baseline.models.get(name), candidate.models.get(name)
        if first is None or second is None:
            gone = second is None
            found.append(
                Finding(
                    name=f"model:{name}",
                    kind="exact",
                    verdict="regression" if gone else "not measured",  # nothing to hold it against
                    change="is gone" if gone else "is new",
                )
            )
            continue
        for key, label in NUMBERS.items():
            found.append(_number(name, key, label, first, second, same_packages))
        found += _of_counting(name, first, second)
        if baseline.machine.gives_the_bits_of(candidate.machine):
            same = first.outputs_sha256 == second.outputs_sha256
            found.append(_bits(f"outputs:{name}", "outputs from one seed", same))
    return found


def _number(
    model: str, key: str, label: str, first: ExactNumbers, second: ExactNumbers, same: bool
) -> Finding:
    before, after = getattr(first, key), getattr(second, key)
    name = f"{label}:{model}"
    if key in OF_PACKAGES and not same:
        return Finding(
            name=name, kind="exact", verdict="not measured", says="other packages on either side"
        )
    verdict: Verdict = "pass"
    if after != before:
        verdict = "regression" if after > before else "notice"
    share = f" ({100 * (after / before - 1):+.3g} %)" if before and after != before else ""
    return Finding(
        name=name,
        kind="exact",
        verdict=verdict,
        baseline=f"{before:,}",
        candidate=f"{after:,}",
        change=f"{after - before:+,}{share}" if after != before else "",
        sure="exact",
    )


def _of_counting(model: str, first: ExactNumbers, second: ExactNumbers) -> list[Finding]:
    """That everything is counted, and that what normalised still does."""
    found = []
    if first.macs_complete and not second.macs_complete:
        found.append(
            Finding(
                name=f"MACs complete:{model}",
                kind="exact",
                verdict="regression",
                says="an operator has neither a formula nor leave to count nothing",
            )
        )
    if first.norm_operators:
        fewer = second.norm_operators < first.norm_operators
        found.append(
            Finding(
                name=f"normalisation present:{model}",
                kind="check",
                verdict="regression" if fewer else "pass",
                baseline=str(first.norm_operators),
                candidate=str(second.norm_operators),
                change=f"{second.norm_operators - first.norm_operators:+d} operators"
                if fewer
                else "",
                sure="exact",
            )
        )
    if first.unreached is None and second.unreached is not None:
        says = "the baseline's record is older than this count"
        label = f"gradient reaches the weights:{model}"
        found.append(Finding(name=label, kind="check", verdict="not measured", says=says))
    if first.unreached is not None and second.unreached is not None:
        more = second.unreached - first.unreached
        found.append(
            Finding(
                name=f"gradient reaches the weights:{model}",
                kind="check",
                verdict="regression" if more > 0 else "pass",
                baseline=str(first.unreached),
                candidate=str(second.unreached),
                change=f"{more:+d} tensors without a gradient" if more else "",
                sure="exact",
            )
        )
    return found


def _bits(name: str, what: str, same: bool) -> Finding:
    says = "" if same else f"{what}: other bits; that alone is no regression"
    return Finding(
        name=name, kind="exact", verdict="pass" if same else "notice", sure="exact", says=says
    )


_CHECKED: dict[bool | None, Verdict] = {True: "pass", False: "regression", None: "too noisy"}


def check_findings(checks: Iterable[CheckResult]) -> list[Finding]:
    """A check that does not hold is a regression, whatever the baseline; one may not tell."""
    return [
        Finding(
            name=check.name,
            kind="check",
            verdict=_CHECKED[check.passed],
            says=check.detail,
            sure="exact",
        )
        for check in checks
    ]


def accuracy_findings(
    cells: Sequence[CellTrainings], spec: Accuracy, known: Known | None = None
) -> list[Finding]:
    """Non-inferiority of each cell, and whether the first training has the baseline's bits."""
    found = []
    for cell in cells:
        name = f"AUC:{cell.label}"
        if cell.unavailable:
            found.append(no_data(name, cell.label, "accuracy", cell.unavailable, lost=cell.lost))
            continue
        found += _scoring(cell)
        found += _seeding(cell)
        if cell.data_differs:
            says = "the two trees make other arrays of the same data set: images or labels"
            found.append(Finding(name=name, kind="accuracy", verdict="regression", says=says))
            continue
        found += _of_cell(name, cell, spec, known)
    return found


def no_data(name: str, asked: str, kind: Kind, why: str, *, lost: bool) -> Finding:
    """What could not be asked for want of data; ``lost``: by the candidate's own fault.

    The two have names of their own: who accepts that data are missing accepts no other.
    """
    if lost:
        says = f"the working tree refuses what the baseline loads: {why}"
        name = f"data load as before:{asked}"
        return Finding(name=name, kind="check", verdict="regression", says=says, sure="exact")
    return Finding(name=name, kind=kind, verdict="no data", says=why)


def _seeding(cell: CellTrainings) -> list[Finding]:
    """Whether another seed gives another training, as it does in the baseline."""
    name = f"seeds tell trainings apart:{cell.label}"
    ours, theirs = (
        (len({training.weights_sha256 for training in trainings}), len(trainings))
        for trainings in (cell.candidate, cell.baseline)
    )
    if ours[1] < 2 or theirs[0] < theirs[1]:  # nothing to tell apart, or they never were
        return []
    if ours[0] == ours[1]:
        return [Finding(name=name, kind="check", verdict="pass", sure="exact")]
    says = f"{ours[1]} seeds end with {ours[0]} different sets of weights"
    return [Finding(name=name, kind="check", verdict="regression", says=says, sure="exact")]


def _scoring(cell: CellTrainings) -> list[Finding]:
    """Whether the tree's own scores are those of its predictions, by the gate's own formula."""
    told = [t for t in cell.candidate if t.told_acc is not None]
    if not told:
        return []
    name = f"scores are those of the predictions:{cell.label}"
    for one in told:
        for what, ours, theirs in (("AUC", one.auc, one.told_auc), ("ACC", one.acc, one.told_acc)):
            if ours != theirs and (ours is None or theirs is None or abs(ours - theirs) > ROUNDING):
                says = f"seed {one.seed}: the tree's code says {what} {theirs}, they are {ours}"
                return [Finding(name=name, kind="check", verdict="regression", says=says)]
    return [Finding(name=name, kind="check", verdict="pass", sure="exact")]


def _of_cell(name: str, cell: CellTrainings, spec: Accuracy, known: Known | None) -> list[Finding]:
    looks = looks_of(cell, spec, known)
    if not looks:
        count = len(differences(cell, known))
        says = f"{count} seeds have both scores, {spec.looks[0]} are needed"
        return [Finding(name=name, kind="accuracy", verdict="not measured", says=says)]
    last = looks[-1]
    verdicts: dict[str, Verdict] = {
        "not inferior": "pass",
        "inferior": "regression",
        "undecided": "too noisy",
    }
    ours = [t.auc for t in cell.candidate if t.auc is not None][: last.pairs]
    mean = sum(ours) / len(ours)
    sure = "every pair is equal"
    if last.low is not None and last.high is not None:
        sure = (
            f"{100 * last.low:+.1f} to {100 * last.high:+.1f} points, each side at {last.level:.2g}"
        )
    found = [
        Finding(
            name=name,
            kind="accuracy",
            verdict=verdicts[last.decision],
            baseline=f"{100 * (mean - last.mean):.1f}",
            candidate=f"{100 * mean:.1f}",
            change=f"{100 * last.mean:+.1f} points of AUC",
            sure=f"{sure}; {last.pairs} seeds, margin {100 * spec.margin:g}",
        )
    ]
    if cell.baseline:
        same = all(
            a.weights_sha256 == b.weights_sha256
            for a, b in zip(cell.baseline, cell.candidate, strict=False)
        )
        found.append(_bits(f"training bits:{cell.label}", "weights after training", same))
    return found


def time_findings(rows: Sequence[TimedRow], spec: RunTime) -> list[Finding]:
    """Rows that both trees were timed in."""
    return [
        _ratio(f"{row.label}", "run time", judge_times(row, spec), f"{sum(row.blocks)} rounds")
        for row in rows
    ]


def process_findings(rows: Sequence[ProcessRow], limits: Sequence[Limit]) -> list[Finding]:
    """Rows of fresh processes."""
    return [
        _ratio(row.label, "process", judge_process(row, limit), f"{len(row.candidate)} processes")
        for row, limit in zip(rows, limits, strict=True)
    ]


def _ratio(name: str, kind: str, judged: Judged, counted: str) -> Finding:
    ratio = judged.ratio
    return Finding.model_validate(
        {
            "name": name,
            "kind": kind,
            "verdict": judged.verdict,
            "baseline": "1",
            "candidate": f"{ratio.value:.3f}",
            "change": f"{100 * (ratio.value - 1):+.1f} %",
            "sure": f"{ratio.low:.3f} to {ratio.high:.3f}; copies of the baseline differ by "
            f"{100 * judged.floor:.1f} %; {counted}",
        }
    )


_ACCEPTED: dict[Verdict, Verdict] = {
    "regression": "accepted",
    "too noisy": "accepted",
    "no data": "not measured",  # accepted or not: it says nothing
}


def accepted(findings: Iterable[Finding], patterns: Sequence[str]) -> list[Finding]:
    """The same, with what the user knows of and wants marked so."""
    return [
        finding.model_copy(update={"verdict": _ACCEPTED[finding.verdict]})
        if finding.verdict in _ACCEPTED
        and any(fnmatch.fnmatchcase(finding.name, pattern) for pattern in patterns)
        else finding
        for finding in findings
    ]
