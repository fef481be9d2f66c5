"""What a gate's report says in words; Markdown, HTML and JUnit draw the same lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bench.regress.record import Finding, GateReport, Verdict
from bench.report.text import duration

HEADS = {
    0: "no regression",
    1: "regression",
    2: "data are missing",
    3: "the baseline was measured on another machine",
    4: "too noisy to tell",
}
"""By exit code."""
NAMED: Mapping[int, Verdict] = {
    0: "not measured",
    1: "regression",
    2: "no data",
    3: "needs this machine",
    4: "too noisy",
}
"""The findings that a headline names, by exit code."""

KINDS: Mapping[str, str] = {
    "exact": "Numbers without noise",
    "check": "Named checks",
    "accuracy": "Accuracy",
    "run time": "Run time",
    "process": "Memory and import",
}
COLUMNS = ("what", "verdict", "baseline", "working tree", "change", "how sure")

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_ELSE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Section:
    """The findings of one kind: those to be read, and those that hold."""

    title: str
    shown: list[Finding]
    held: list[Finding]


def headline(report: GateReport) -> str:
    """The verdict, and which findings stand behind it; beside a pass, what was not measured."""
    code = report.exit_code
    named = [label(finding) for finding in report.findings if finding.verdict == NAMED.get(code)]
    if not named:
        return "nothing was measured" if code == 2 else HEADS[code]
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    lead = "; not measured" if code == 0 else ""
    return f"{HEADS[code]}{lead}: {'; '.join(named[:3])}{more}"


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
    return plain(finding.name.replace(":", " of ", 1))


def plain(text: str) -> str:
    """Text as every form can hold it: a message of the code under trial may hold anything.

    Colours of a terminal are left out; what XML 1.0 has no place for (section 2.2) is replaced.
    """
    return _ELSE.sub("\ufffd", _COLOURS.sub("", text))


def row(finding: Finding) -> dict[str, str]:
    """A line of the table; what is to be said stands where no numbers do."""
    change = finding.change or finding.says
    if finding.change and finding.says:
        change = f"{finding.change} ({finding.says})"
    cells = (
        label(finding), finding.verdict, finding.baseline, finding.candidate, plain(change),
        finding.sure,
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
