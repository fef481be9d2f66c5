"""What a gate's report says in words; Markdown, HTML and JUnit draw the same lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.regress.record import Finding, GateReport
from bench.report.text import duration

HEADS = {
    0: "no regression",
    1: "regression",
    2: "nothing was measured",
    3: "the baseline was measured on another machine",
    4: "too noisy to tell",
}
"""By exit code."""

KINDS: Mapping[str, str] = {
    "exact": "Numbers without noise",
    "check": "Named checks",
    "accuracy": "Accuracy",
    "run time": "Run time",
    "process": "Memory and import",
}
COLUMNS = ("what", "verdict", "baseline", "working tree", "change", "how sure")


@dataclass(frozen=True)
class Section:
    """The findings of one kind: those to be read, and those that hold."""

    title: str
    shown: list[Finding]
    held: list[Finding]


def headline(report: GateReport) -> str:
    """``no regression``, or which there are."""
    head = HEADS[report.exit_code]
    worse = [label(finding) for finding in report.findings if finding.verdict == "regression"]
    if not worse:
        return head
    more = f" and {len(worse) - 3} more" if len(worse) > 3 else ""
    return f"{head}: {'; '.join(worse[:3])}{more}"


def circumstances(report: GateReport) -> str:
    """What was compared, where, and for how long."""
    where = ""
    if report.machine is not None:
        packages = report.machine.packages
        where = (
            f" on {report.machine.processor} ({report.machine.capability}), torch "
            f"{packages['torch']}, timm {packages['timm']}"
        )
    noisy = " Other processes were busy meanwhile." if report.noisy else ""
    return (
        f"{report.candidate.label} against {report.baseline.label}{where}; "
        f"{duration(report.wall_s)}.{noisy}"
    )


def sections(report: GateReport) -> list[Section]:
    """Noisy numbers and failures whole, equal numbers summed up."""
    found = []
    for kind, title in KINDS.items():
        findings = [finding for finding in report.findings if finding.kind == kind]
        whole = kind in ("accuracy", "run time", "process")
        shown = [finding for finding in findings if whole or finding.verdict != "pass"]
        held = [finding for finding in findings if finding not in shown]
        if findings:
            found.append(Section(title, shown, held))
    return found


def label(finding: Finding) -> str:
    """``MACs of medspectralnet`` for ``MACs:medspectralnet``."""
    return finding.name.replace(":", " of ", 1)


def row(finding: Finding) -> dict[str, str]:
    """A line of the table; what is to be said stands where no numbers do."""
    change = finding.change or finding.says
    if finding.change and finding.says:
        change = f"{finding.change} ({finding.says})"
    cells = (
        label(finding), finding.verdict, finding.baseline, finding.candidate, change, finding.sure,
    )  # fmt: skip
    return dict(zip(COLUMNS, cells, strict=True))


def held_in_words(held: list[Finding]) -> str:
    """``52 hold: parameters (10), MACs (10), …``."""
    counts: dict[str, int] = {}
    for finding in held:
        what = finding.name.partition(":")[0]
        counts[what] = counts.get(what, 0) + 1
    listed = ", ".join(what + (f" ({n})" if n > 1 else "") for what, n in counts.items())
    return f"{len(held)} hold: {listed}." if held else ""
