"""What a gate measured and found, as ``regression.json`` keeps it; raw, so it can be judged again.

Nothing here needs torch: pages are drawn from it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from bench.records.base import Stored
from bench.records.details import Rounds
from bench.records.schema import Count
from bench.regress.file import Metric

Kind = Literal["exact", "check", "accuracy", "run time", "process"]
Verdict = Literal[
    "pass",
    "notice",
    "accepted",
    "regression",
    "too noisy",
    "needs this machine",
    "no data",  # asked for, and its data set cannot be had
    "not measured",  # there is nothing to hold it against
]


class Machine(Stored):
    """What decides bits and times."""

    processor: str
    capability: str  # the instruction set that torch uses
    platform: str
    python: str
    packages: dict[str, str]

    def gives_the_bits_of(self, other: Machine) -> bool:
        """Whether the same code gives the same bits on both."""
        return self._deciding() == other._deciding()

    def _deciding(self) -> tuple[object, ...]:
        return self.processor, self.capability, self.python, sorted(self.packages.items())


class ExactNumbers(Stored):
    """One model, without noise."""

    params_total: Count
    params_trainable: Count
    macs: Count
    macs_complete: bool
    operators: Count  # of one inference, views left out
    norm_operators: Count  # of those
    activation_bytes: Count  # kept by a training pass for its backward pass
    outputs_sha256: str
    unreached: Count | None = None  # weights' tensors without a gradient; older records lack it


class ExactOf(Stored):
    """A tree's models."""

    machine: Machine
    models: dict[str, ExactNumbers]
    absent: list[str]


class CheckResult(Stored):
    """One named check of the working tree."""

    name: str
    passed: bool | None  # None: it could not tell
    detail: str


class Training(Stored):
    """One training; the scores are on test, by the gate's own formula.

    Attributes:
        told_auc, told_acc: what the tree's own code says of the same predictions.
    """

    seed: Count
    auc: float | None
    acc: float
    told_auc: float | None = None
    told_acc: float | None = None
    weights_sha256: str
    losses: list[float]
    wall_s: float


class CellTrainings(Stored):
    """One model on one data set, by both trees with the same seeds."""

    label: str
    baseline: list[Training] = []
    candidate: list[Training] = []
    unavailable: str | None = None  # why its data cannot be had
    lost: bool = False  # the baseline's code has the data, the candidate's does not
    data_differs: bool = False  # the two trees made other arrays under the same name


class TimedRow(Stored):
    """Seconds of each pass of four lanes in the same rounds; ``blocks`` tells them apart."""

    label: str
    metric: Metric
    model: str
    blocks: list[Count]  # rounds of each: all is built anew at a block's start
    baseline_s: Rounds = []
    again_s: Rounds = []  # a second copy of the baseline: this job's A/A
    candidate_s: Rounds = []
    yardstick_s: Rounds = []
    others: list[float] = []  # busy share of other processes, by block


class ProcessRow(Stored):
    """What fresh processes of both trees said, in turn."""

    label: str
    unit: Literal["bytes", "s"]
    baseline: list[float]
    candidate: list[float]


class Finding(Stored):
    """One line of the table.

    Attributes:
        name: of the check, by which ``--accept`` names it.
        change: how much.
        sure: how sure.
        says: one sentence, where there is more to say.
    """

    name: str
    kind: Kind
    verdict: Verdict
    baseline: str = ""
    candidate: str = ""
    change: str = ""
    sure: str = ""
    says: str = ""


class Side(Stored):
    """A tree, as reports name it."""

    label: str
    commit: str | None
    changed: bool


class GateReport(Stored):
    """One run of the gate, whole."""

    schema_version: Literal[1] = 1
    about: str
    baseline: Side
    candidate: Side
    machine: Machine | None
    started_at: datetime
    wall_s: float
    budget_minutes: float
    noisy: bool
    settings: dict[str, str] = {}  # what the numbers are of, by part
    exact: dict[str, ExactOf] = {}  # by side
    checks: list[CheckResult] = []
    accuracy: list[CellTrainings] = []
    run_time: list[TimedRow] = []
    processes: list[ProcessRow] = []
    findings: list[Finding]
    seconds_by_part: dict[str, float] = {}

    @property
    def exit_code(self) -> int:
        """0 no regression, 1 regression, 2 nothing or no data, 3 other machine, 4 too noisy."""
        found = {finding.verdict for finding in self.findings}
        if "regression" in found:
            return 1
        if "no data" in found:
            return 2
        if not found - {"not measured", "needs this machine"}:
            return 3 if "needs this machine" in found else 2
        if "needs this machine" in found:
            return 3
        return 4 if "too noisy" in found else 0
