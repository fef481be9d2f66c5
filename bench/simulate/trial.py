"""The whole simulation: draw, ask the statistics, count, keep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.errors import InputError
from bench.provenance import processor, simulations_digest
from bench.run.recording import Clock, made_now
from bench.simulate.auc_coverage import auc_jobs
from bench.simulate.coverage import accuracy_jobs
from bench.simulate.file import SIMULATIONS, AnalysisLoad, SimulationFile
from bench.simulate.jobs import Job
from bench.simulate.methods import OURS, Methods
from bench.simulate.practice import practice_jobs
from bench.simulate.rates import Key, Rate, Tally
from bench.simulate.record import AnalysisCost, SimulationRecord, save
from bench.simulate.score_world import ScoreWorld
from bench.simulate.words import word_jobs
from bench.simulate.world import DecisionWorld
from bench.statistics.power import power_to_differ
from bench.toml_file import shown

Progress = Callable[[str, float], None]
"""What is being done, and how much of all is done, 0 to 1."""


def simulate(
    file: SimulationFile,
    results: Path,
    on_progress: Progress,
    time_analysis: Callable[[AnalysisLoad], AnalysisCost],
) -> SimulationRecord:
    """Run all simulations, time the analysis, and keep what was found under ``results/``.

    Args:
        time_analysis: the analysis is drawn on a floor above this one, so its caller hands it in.

    Raises:
        InputError: a world that cannot be.
    """
    clock = Clock()
    rates = measured(file, on_progress)
    on_progress("the whole analysis, timed", 1.0)
    cost = time_analysis(file.analysis)
    made = made_now(simulations_digest(), processor(), 1, clock)
    record = SimulationRecord(spec=file, provenance=made, rates=rates, analysis=cost)
    save(record, results)
    return record


def measured(file: SimulationFile, on_progress: Progress, methods: Methods = OURS) -> list[Rate]:
    """Every rate of the file; the same file, the same rates.

    Raises:
        InputError: a world that cannot be.
    """
    check_worlds(file)
    jobs: list[Job] = [
        *accuracy_jobs(file, methods),
        *auc_jobs(file, methods),
        *word_jobs(file, methods),
        *practice_jobs(file, methods),
    ]
    whole, done, tally = sum(job.weight for job in jobs), 0.0, Tally()
    for place, job in enumerate(jobs):
        on_progress(job.doing, done / whole)
        job.run(np.random.default_rng([file.seed, place]), tally)
        done += job.weight
    return [_rate(tally, key) for key in tally.keys]


def check_worlds(file: SimulationFile) -> None:
    """Whether each world can be drawn.

    Raises:
        InputError: one cannot, with its place in the file.
    """
    for name, world in file.world.items():
        try:
            DecisionWorld.of(world)
        except InputError as error:
            raise InputError(
                error.problem,
                remedy=error.remedy,
                key=f"world.{name}.{error.key}",
                file=shown(SIMULATIONS),
            ) from None
    for scores in file.scores.values():
        ScoreWorld.of(scores)


def _rate(tally: Tally, key: Key) -> Rate:
    """Of a power, with what the formula predicts from the true difference and the spread seen."""
    if key.kind != "power":
        return tally.rate(key)
    spread = tally.spread_of(key)
    return tally.rate(key, power_to_differ(float(key.setting), spread, key.seeds))
