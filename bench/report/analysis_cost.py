"""What the whole analysis of a large suite takes: time and memory, in a fresh process.

It stands on this floor because the analysis does; the simulations below are handed its result.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from bench.data.medmnist import info_by_flag
from bench.measure.fresh import answer, in_fresh_process, resident_peak
from bench.report.verdicts.analysis import RunPredictions, analyse
from bench.simulate.file import AnalysisLoad
from bench.simulate.record import AnalysisCost

_SEPARATION = 3.0  # of the true class's logit: accuracies as on the real sets


def time_analysis(load: AnalysisLoad) -> AnalysisCost:
    """Run the analysis of ``load`` in a fresh process.

    Raises:
        MemoryError: the system ended it for its memory.
        RuntimeError: it failed otherwise.
    """
    return AnalysisCost.model_validate(in_fresh_process(__name__, load.model_dump()))


def made_up_runs(load: AnalysisLoad) -> list[RunPredictions]:
    """Runs of the real sets' sizes with logits drawn at random; stored as records store them."""
    runs = []
    for place, dataset in enumerate(load.datasets):
        entry = info_by_flag()[dataset]
        classes, counts = len(entry["label"]), entry["n_samples"]
        rng = np.random.default_rng(place)
        labels = {split: rng.integers(classes, size=counts[split]) for split in ("val", "test")}
        for model in range(load.models):
            for seed in range(load.seeds):
                logits = {split: _logits(rng, truth, classes) for split, truth in labels.items()}
                runs.append(
                    RunPredictions(
                        model=f"model_{model}",
                        dataset=dataset,
                        seed=seed,
                        run_id=f"{dataset}-{model}-{seed}",
                        task=entry["task"],
                        val_logits=logits["val"],
                        val_labels=labels["val"],
                        test_logits=logits["test"],
                        test_labels=labels["test"],
                    )
                )
    return runs


def _logits(
    rng: np.random.Generator, labels: np.ndarray[Any, Any], classes: int
) -> np.ndarray[Any, np.dtype[np.float32]]:
    logits = rng.standard_normal((len(labels), classes), dtype=np.float32)
    logits[np.arange(len(labels)), labels] += _SEPARATION
    return logits


def _measure(request: dict[str, Any]) -> dict[str, Any]:
    load = AnalysisLoad.model_validate(request)
    runs = made_up_runs(load)
    started = time.perf_counter()
    found = analyse(runs, subject=runs[0].model, region=load.region, draws=load.draws)
    wall_s = time.perf_counter() - started
    cost = AnalysisCost(
        runs=len(runs),
        comparisons=len(found.comparisons),
        wall_s=wall_s,
        peak_bytes=resident_peak(),
        predictions_bytes=sum(run.val_logits.nbytes + run.test_logits.nbytes for run in runs),
    )
    return cost.model_dump()


if __name__ == "__main__":
    answer(_measure)
