"""Records as a gate would leave them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bench.regress.history import Revision
from bench.regress.record import ExactNumbers, Finding, GateReport, Machine, Side

MACHINE = Machine(
    processor="A processor, 2 cores",
    capability="AVX512",
    platform="Linux",
    python="3.11.7",
    packages={"torch": "2.14.1", "timm": "1.0.31"},
)
NUMBERS = ExactNumbers(
    params_total=1000,
    params_trainable=1000,
    macs=10_000,
    macs_complete=True,
    operators=50,
    norm_operators=7,
    activation_bytes=4096,
    outputs_sha256="bits",
)


def revision(commit: str, place: int = 0, *, relative: float = 1.0, macs: int = 10_000) -> Revision:
    """One of a history, ``place`` days after its start."""
    return Revision(
        commit=commit,
        committed_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=place),
        subject="Do something",
        machine=MACHINE,
        exact={"net": NUMBERS.model_copy(update={"macs": macs})},
        auc={"net on data": {0: 0.8, 1: 0.82}},
        relative={"throughput of net": relative},
        seconds={"throughput of net": 0.01},
        processes={"memory of net": 1e8},
    )


def report(*findings: Finding) -> GateReport:
    """A run of the gate with these findings."""
    return GateReport(
        about="Is it worse?",
        baseline=Side(label="main (0123456789ab)", commit="0" * 40, changed=False),
        candidate=Side(label="working tree", commit="1" * 40, changed=False),
        machine=MACHINE,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        wall_s=61.0,
        budget_minutes=8.0,
        noisy=True,
        findings=list(findings),
    )
