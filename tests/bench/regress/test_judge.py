"""Verdicts on times whose truth is known, on processes, and what a run of the gate ends with."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from bench.regress.file import GATE, GateFile, Limit, RunTime
from bench.regress.judge import Told, judge_process, judge_times
from bench.regress.record import Finding, GateReport, ProcessRow, Side, TimedRow, Verdict
from bench.regress.replay import replay_processes, replay_rows
from bench.toml_file import read_toml

FILE = read_toml(GATE, GateFile)
assert FILE.run_time is not None
SPEC: RunTime = FILE.run_time


def row(
    *, slower: float, noise: float, copies: float = 0.0, rounds: int = 120, seed: int = 0
) -> TimedRow:
    """Lanes that share a drift, each with noise of its own."""
    rng = np.random.default_rng(seed)
    drift = 0.01 * np.exp(np.cumsum(rng.normal(0, 0.01, rounds)))

    def lane(factor: float) -> list[list[float]]:
        return [[float(s)] for s in drift * factor * np.exp(rng.normal(0, noise, rounds))]

    return TimedRow(
        label="throughput of x, 64 px, batch 8",
        metric="throughput",
        model="x",
        blocks=[rounds // 2, rounds // 2],
        baseline_s=lane(1),
        again_s=lane(1 + copies),
        candidate_s=lane(1 + slower),
    )


@pytest.mark.parametrize(
    ("slower", "noise", "copies", "verdict"),
    [
        (0.0, 0.02, 0.0, "pass"),
        (-0.2, 0.02, 0.0, "pass"),
        (0.02, 0.01, 0.0, "pass"),  # less than matters
        (0.05, 0.02, 0.0, "regression"),
        (0.10, 0.02, 0.0, "regression"),
        (0.0, 0.4, 0.0, "too noisy"),
        (0.05, 0.4, 0.0, "too noisy"),
        (0.03, 0.005, 0.035, "pass"),  # no more than copies of the baseline differ
        (0.0, 0.01, 0.08, "too noisy"),  # copies differ by more than must be found
    ],
)
def test_verdicts_on_known_times(slower: float, noise: float, copies: float, verdict: Told) -> None:
    found = judge_times(row(slower=slower, noise=noise, copies=copies), SPEC)
    assert found.verdict == verdict, found


def test_replays_find_what_is_planted_and_little_else() -> None:
    recorded = [[row(slower=0.0, noise=0.02, seed=seed) for seed in range(6)]]

    def share(planted: float) -> int:
        rng = np.random.default_rng(1)
        counts = replay_rows(recorded, SPEC, share=planted, replays=12, rng=rng)
        assert counts.replays == 12
        return counts.regressions

    assert share(0.10) == 12
    assert share(0.05) >= 11
    assert share(0.0) == 0


def processes(*, larger: float, spread: float = 0.001) -> ProcessRow:
    rng = np.random.default_rng(2)
    values = 1e8 * (1 + rng.normal(0, spread, 6))
    return ProcessRow(
        label="memory of x",
        unit="bytes",
        baseline=values[:3].tolist(),
        candidate=(values[3:] * (1 + larger)).tolist(),
    )


def test_processes() -> None:
    limit = Limit(minimum_effect=0.04, must_find=0.1)
    assert judge_process(processes(larger=0.0), limit).verdict == "pass"
    assert judge_process(processes(larger=0.1), limit).verdict == "regression"
    assert judge_process(processes(larger=0.0, spread=0.2), limit).verdict == "too noisy"
    rng = np.random.default_rng(0)
    for larger, regressions in ((0.0, 0), (0.1, 20)):
        counts = replay_processes(
            [[processes(larger=0.0)]], [limit], share=larger, replays=20, rng=rng
        )
        assert counts.regressions == regressions


def ended(*verdicts: Verdict) -> int:
    side = Side(label="x", commit=None, changed=False)
    findings = [Finding(name=str(i), kind="exact", verdict=v) for i, v in enumerate(verdicts)]
    return GateReport(
        about="",
        baseline=side,
        candidate=side,
        machine=None,
        started_at=datetime.now(UTC),
        wall_s=1.0,
        budget_minutes=1.0,
        noisy=False,
        findings=findings,
    ).exit_code


def test_exit_codes_never_take_nothing_for_a_pass() -> None:
    assert ended("pass", "notice", "accepted") == 0
    assert ended("pass", "too noisy", "regression", "needs this machine") == 1
    assert ended() == ended("not measured") == 2
    assert ended("pass", "no data") == ended("no data", "too noisy", "needs this machine") == 2
    assert ended("no data", "regression") == 1
    assert ended("needs this machine", "not measured") == 3
    assert ended("pass", "needs this machine", "too noisy") == 3
    assert ended("pass", "too noisy") == 4
