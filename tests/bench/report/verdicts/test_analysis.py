"""The analysis from arrays: against its references, and on each kind of bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from bench.evaluation.scores import score
from bench.report.verdicts.analysis import Analysis, RunPredictions, analyse
from bench.report.verdicts.comparisons import Comparison
from bench.specs import Task
from bench.statistics.over_seeds_and_images import mean_over_seeds_and_images
from tests._helpers.predictions import MULTI, run_of

TASKS: list[tuple[Task, int]] = [("binary-class", 2), ("multi-class", 4), (MULTI, 3)]
RATES = {"mine": 0.9, "near": 0.88, "far": 0.6, "other": 0.8}


def runs_of(
    seeds: int = 4, datasets: tuple[str, ...] = ("a", "b"), models: tuple[str, ...] = tuple(RATES)
) -> list[RunPredictions]:
    return [
        run_of(model, dataset, seed, RATES[model])
        for model in models
        for dataset in datasets
        for seed in range(seeds)
    ]


def analysed(runs: list[RunPredictions], subject: str = "mine") -> Analysis:
    return analyse(runs, subject=subject, region=0.005, draws=500)


def chosen(analysis: Analysis, model: str, dataset: str, metric: str) -> Comparison:
    (found,) = [
        one
        for one in analysis.comparisons
        if (one.model, one.dataset, one.metric) == (model, dataset, metric)
    ]
    return found


@pytest.mark.parametrize(("task", "classes"), TASKS)
def test_each_run_has_the_scores_of_its_record(task: Task, classes: int) -> None:
    run = run_of("mine", "a", 0, task=task, classes=classes)
    (found,) = analysed([run]).runs
    logits, labels = run.test_logits.astype(np.float64), run.test_labels.astype(np.int64)
    names = tuple("abcd"[:classes])
    record = score(logits, labels, task, names)
    assert found.acc.value == pytest.approx(record.acc, abs=1e-12)
    assert found.auc.value == pytest.approx(record.auc, abs=1e-12)
    assert found.acc.low is not None
    assert found.auc.low is not None
    assert found.acc.covers == found.auc.covers == "images"
    assert found.calibration.before == pytest.approx(record.ece, abs=1e-12)
    heat = found.calibration.temperature.value
    assert heat is not None
    after = score(logits / heat, labels, task, names)
    assert found.calibration.after == pytest.approx(after.ece, abs=1e-12)
    assert after.auc == pytest.approx(record.auc) or task != "binary-class"
    assert (found.two_classes is None) == (task != "binary-class")


@pytest.mark.parametrize("metric", ["ACC", "AUC"])
def test_each_metric_is_one_family_under_holm(metric: str) -> None:
    analysis = analysed(runs_of())
    own = [one for one in analysis.comparisons if one.metric == metric]
    assert [(one.dataset, one.model) for one in own] == [
        (dataset, model) for dataset in "ab" for model in ("near", "far", "other")
    ]
    scores: dict[tuple[str, str], list[float]] = {}
    for run in analysis.runs:
        value = run.score(metric)
        assert value is not None
        scores.setdefault((run.model, run.dataset), []).append(value)
    raw = [
        stats.ttest_rel(scores["mine", one.dataset], scores[one.model, one.dataset]).pvalue
        for one in own
    ]
    expected = multipletests(raw, method="holm")[1]
    assert [one.verdict.p for one in own] == pytest.approx(list(expected))
    for one in own:
        mean = np.mean(scores["mine", one.dataset]) - np.mean(scores[one.model, one.dataset])
        assert one.verdict.difference.value == pytest.approx(mean)
    words = [(one.verdict.word, one.verdict.p) for one in own]
    assert {word for word, _ in words} == {"better", "undecided"}
    assert all((word == "better") == (p is not None and p <= 0.05) for word, p in words)


def test_the_interval_over_seeds_and_images_is_of_the_same_difference() -> None:
    analysis = analysed(runs_of())
    found = chosen(analysis, "other", "b", "ACC")
    right = {
        model: np.stack(
            [run.right for run in analysis.runs if (run.model, run.dataset) == (model, "b")]
        )
        for model in ("mine", "other")
    }
    assert found.over_both == mean_over_seeds_and_images(right["mine"] - right["other"])
    difference, both = found.verdict.difference, found.over_both
    assert both.value == pytest.approx(difference.value)
    assert both.low is not None
    assert difference.low is not None
    assert both.low <= difference.low + 1e-12
    assert set(found.runs) == {f"{m}-b-{s}" for m in ("mine", "other") for s in range(4)}


def test_the_same_runs_give_the_same_numbers_in_any_company() -> None:
    runs = runs_of(seeds=2)
    first, again = analysed(runs), analysed(runs)
    assert [run.acc for run in first.runs] == [run.acc for run in again.runs]
    assert first.across == again.across
    alone = analysed([runs[3]]).runs[0]
    assert alone.acc == first.runs[3].acc


def test_one_seed_has_intervals_over_images_and_no_verdict() -> None:
    analysis = analysed(runs_of(seeds=1))
    for one in analysis.comparisons:
        assert one.verdict.word == "undecided"
        assert one.verdict.p is None
        assert one.verdict.difference.low is None
        assert one.over_both.low is None
    assert chosen(analysis, "far", "a", "ACC").verdict.because == (
        "one pair of trainings shows no spread over seeds"
    )
    assert all(run.acc.low is not None for run in analysis.runs)
    assert analysis.across[0].blank is None


def test_one_data_set_leaves_everything_over_data_sets_blank() -> None:
    analysis = analysed(runs_of(datasets=("a",)))
    assert all(one.blank and "two or more are needed" in one.blank for one in analysis.across)
    assert not any(one.models for one in analysis.across)
    assert chosen(analysis, "far", "a", "ACC").verdict.word == "better"


def test_missing_runs_blank_their_comparison_alone_and_leave_the_ranks() -> None:
    runs = [run for run in runs_of() if (run.model, run.dataset) != ("near", "b")]
    analysis = analysed(runs)
    missing = chosen(analysis, "near", "b", "ACC")
    assert missing.blank == "near has no finished run"
    assert missing.verdict.difference.value is None
    assert missing.verdict.p is None
    assert chosen(analysis, "near", "a", "ACC").verdict.p is not None
    across = analysis.across[0]
    assert {one.model for one in across.models} == {"mine", "far", "other"}
    assert across.left_out == ("near is left out: it lacks a score on b.",)


def test_a_data_set_without_the_subject_is_left_out() -> None:
    runs = [
        run
        for run in runs_of(datasets=("a", "b", "c"))
        if (run.model, run.dataset) != ("mine", "c")
    ]
    analysis = analysed(runs)
    assert chosen(analysis, "far", "c", "ACC").blank == "mine has no finished run"
    assert analysis.across[0].datasets == ("a", "b")
    assert "c is left out: mine has no score there." in analysis.across[0].left_out


def test_seeds_that_only_one_model_has_are_not_paired() -> None:
    runs = [run for run in runs_of() if run.model != "far" or run.seed < 2]
    found = chosen(analysed(runs), "far", "a", "ACC")
    assert found.verdict.pairs == 2
    assert set(found.runs) == {f"{m}-a-{s}" for m in ("mine", "far") for s in range(2)}


def test_models_without_a_shared_seed_are_compared_unpaired_and_not_over_images() -> None:
    runs = [replace(run, seed=run.seed + 10) if run.model == "far" else run for run in runs_of()]
    found = chosen(analysed(runs), "far", "a", "ACC")
    assert found.verdict.pairs == 0
    assert found.verdict.p is not None
    assert found.over_both.blank == "no shared seeds"
    assert len(found.runs) == 8


def test_equal_runs_show_no_spread_and_are_undecided() -> None:
    runs = runs_of(models=("mine",))
    analysis = analysed(
        [*runs, *(replace(run, model="twin", run_id=f"t{run.run_id}") for run in runs)]
    )
    for one in analysis.comparisons:
        assert one.verdict.difference.value == 0.0
        assert one.verdict.word == "undecided"
        assert "the same for every seed" in one.verdict.because
        assert one.over_both.low is None
    across = analysis.across[0]
    assert [one.rank for one in across.models] == [1.5, 1.5]
    assert across.friedman is not None
    assert across.friedman.p is None
    posterior = across.models[1].posterior
    assert posterior is not None
    assert posterior.equivalent == 1.0


def test_constant_predictions_keep_what_is_still_defined() -> None:
    runs = [
        replace(
            run,
            val_logits=np.zeros_like(run.val_logits),
            test_logits=np.zeros_like(run.test_logits),
        )
        if run.model == "far"
        else run
        for run in runs_of()
    ]
    analysis = analysed(runs)
    flat = next(run for run in analysis.runs if run.model == "far")
    assert flat.acc.value == 0.5
    assert flat.acc.low is not None  # one image more a class, of which nothing is known
    assert 0.45 < flat.acc.low < 0.5
    assert flat.auc.value == 0.5
    assert flat.auc.low is None
    assert flat.two_classes is not None
    assert flat.two_classes.sensitivity.blank == "every validation image has the same score"
    assert flat.calibration.temperature.value is None
    assert flat.calibration.after is None
    assert chosen(analysis, "far", "a", "ACC").verdict.word == "better"


def test_a_class_absent_from_test_blanks_auc_and_keeps_accuracy() -> None:
    runs = []
    for run in runs_of(datasets=("a", "b", "c")):
        keep = run.test_labels == 1
        if run.dataset == "a":
            run = replace(run, test_logits=run.test_logits[keep], test_labels=run.test_labels[keep])
        runs.append(run)
    analysis = analysed(runs)
    blank = chosen(analysis, "far", "a", "AUC")
    assert blank.blank == "class 1: no image outside it"
    assert blank.verdict.difference.value is None
    assert chosen(analysis, "far", "a", "ACC").verdict.p is not None
    assert chosen(analysis, "far", "b", "AUC").verdict.p is not None
    two = analysis.runs[0].two_classes
    assert two is not None
    assert two.sensitivity.value is not None
    assert two.specificity.blank == "no negative image on test"
    acc, auc = analysis.across
    assert acc.datasets == ("a", "b", "c")
    assert auc.datasets == ("b", "c")


def test_a_multi_label_task_has_every_statistic_but_a_threshold() -> None:
    runs = [
        run_of(model, dataset, seed, RATES[model], task=MULTI, classes=3)
        for model in ("mine", "far", "other")
        for dataset in ("a", "b")
        for seed in range(3)
    ]
    analysis = analysed(runs)
    for metric in ("ACC", "AUC"):
        found = chosen(analysis, "far", "a", metric)
        assert found.verdict.word == "better"
        assert found.over_both.low is not None
    assert all(run.two_classes is None for run in analysis.runs)
    assert all(run.calibration.after is not None for run in analysis.runs)


def test_runs_on_other_test_images_are_not_paired_by_image() -> None:
    runs = runs_of(models=("mine",)) + [
        run_of("far", "a", seed, 0.6, images=(60, 100)) for seed in range(4)
    ]
    found = chosen(analysed(runs), "far", "a", "AUC")
    assert found.verdict.p is not None
    assert found.over_both.low is None
    assert found.over_both.blank == "these runs were not scored on the same test images"


def test_without_the_subject_there_are_ranks_and_no_comparison() -> None:
    analysis = analysed(runs_of(), subject="nobody")
    assert analysis.comparisons == ()
    ranked = analysis.across[0].models
    assert ranked[0].model == "mine"
    assert all(one.pair is None and one.posterior is None for one in ranked)
    assert analysed([], subject="mine").comparisons == ()


def test_the_subject_is_judged_over_data_sets_as_far_as_they_reach() -> None:
    names = tuple("abcdefgh")
    analysis = analysed(runs_of(seeds=2, datasets=names, models=("mine", "far")))
    across = analysis.across[0]
    (row,) = [one for one in across.models if one.pair is not None]
    assert row.pair is not None
    assert row.pair.word == "better"
    assert row.pair.smallest_p == 2.0**-7
    assert row.posterior is not None
    assert row.posterior.first_better is not None
    assert row.posterior.first_better > 0.99
    few = analysed(runs_of(seeds=2, models=("mine", "far"))).across[0].models[-1].pair
    assert few is not None
    assert few.word == "undecided"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"draws": 0}, "draws are 1 or more"),
        ({"region": -0.1}, "0 or more wide"),
        ({"runs": runs_of(seeds=1, models=("mine",)) * 2}, "mine × a × seed 0 is given 2 times"),
    ],
)
def test_what_cannot_be_analysed_is_refused(change: dict[str, object], told: str) -> None:
    values = {"runs": runs_of(seeds=1, models=("mine",)), "draws": 10, "region": 0.005} | change
    runs, draws, region = values["runs"], values["draws"], values["region"]
    assert isinstance(runs, list)
    assert isinstance(draws, int)
    assert isinstance(region, float)
    with pytest.raises(ValueError, match=told):
        analyse(runs, subject="mine", region=region, draws=draws)
