"""The timed analysis, small: it is the whole one, on the real sets' shapes, in its own process."""

from __future__ import annotations

from bench.data.medmnist import info_by_flag
from bench.report.analysis_cost import made_up_runs, time_analysis
from bench.simulate.file import AnalysisLoad

LOAD = AnalysisLoad(
    models=2,
    datasets=["breastmnist", "bloodmnist"],
    seeds=2,
    draws=50,
    region=0.005,
    seconds_at_most=1.0,
    bytes_at_most=1,
)


def test_runs_have_the_shapes_of_the_real_sets() -> None:
    runs = made_up_runs(LOAD)
    assert len({(run.model, run.dataset, run.seed) for run in runs}) == len(runs) == 8
    shapes = {run.dataset: run.test_logits.shape for run in runs}
    assert shapes == {"breastmnist": (156, 2), "bloodmnist": (3421, 8)}
    for run in runs:
        assert run.task == info_by_flag()[run.dataset]["task"]
        right = (run.test_logits.argmax(axis=1) == run.test_labels).mean()
        assert 0.6 < right < 1


def test_the_analysis_is_timed_in_a_fresh_process() -> None:
    cost = time_analysis(LOAD)
    assert cost.runs == 8
    assert cost.comparisons == 1 * 2 * 2  # other models × data sets × metrics
    assert cost.wall_s > 0
    assert cost.peak_bytes > cost.predictions_bytes > 0
