"""The positive control of the harness: what each input control must take away, it takes away.

The quick suite's own runs of medspectralnet, and one on labels that mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.records.store import Store
from bench.report.collect import training_of
from bench.specs import RunSpec
from bench.statistics.intervals import Interval, wilson_over_images

CHANCE, ONE_CUE = 0.25, 0.5


@pytest.fixture(scope="module")
def accuracies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Interval]:
    """95 % intervals of the test accuracy by control, from the quick suite's protocol."""
    from bench.console import SuiteScreen
    from bench.execution.estimate import Estimator
    from bench.execution.local import run_plan
    from bench.execution.pending import pending
    from bench.plan import make_plan
    from bench.suite import load_suite

    store = Store(tmp_path_factory.mktemp("results"))
    for name, wanted in (
        ("quick", {"model": {"medspectralnet"}}),
        ("shuffled-labels", {"model": {"medspectralnet"}, "seed": {"0"}}),
    ):
        suite = load_suite(name)
        plan = make_plan(suite, suite.only(wanted))
        todo = pending(plan, store, refresh=False)
        images = {name: len(data.train) for name, data in plan.datasets.items()}
        with SuiteScreen(todo, images, Estimator([])) as screen:
            run_plan(plan, todo, store, screen)
    found: dict[str, Interval] = {}
    for record in store.all():
        spec, test = record.spec, training_of(record).test
        assert isinstance(spec, RunSpec)
        label: str = spec.control.kind if spec.control else "none"
        label = "shuffled labels" if spec.protocol.shuffle_labels else label
        found[label] = wilson_over_images(round(test.acc * test.images), test.images)
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_both_cues_are_learnt_and_each_control_takes_one_away(
    accuracies: dict[str, Interval],
) -> None:
    assert accuracies["none"].low > 0.7
    assert accuracies["blur"].low <= ONE_CUE
    assert accuracies["shuffle"].low <= ONE_CUE
    assert accuracies["blur"].low > CHANCE  # and leaves the other: above guessing
    assert accuracies["shuffle"].low > CHANCE


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_labels_that_mean_nothing_are_not_learnt(accuracies: dict[str, Interval]) -> None:
    interval = accuracies["shuffled labels"]
    assert interval.low <= CHANCE + 0.03
    assert interval.high >= CHANCE - 0.03


@pytest.mark.real_data
def test_real_data_goes_through_the_whole_command(
    bench: Callable[..., Any], suite_file: Path, results: Path, medmnist_root: Path
) -> None:
    text = suite_file.read_text().replace("phantom-joint", "breastmnist")
    suite_file.write_text(text.replace("options = { n_train = 32, n_val = 32, n_test = 32 }", ""))
    suite_file.write_text(suite_file.read_text().replace("[dataset.breastmnist]", ""))
    said = bench("run", suite_file, "--only", "model=small,seed=0,control=none")
    assert said.code == 0, said.err
    (record,) = Store(results).all()
    result, spec = training_of(record), record.spec
    assert isinstance(spec, RunSpec)
    assert spec.data.checksum == "md5:750601b1f35ba3300ea97c75c52ff8f6"
    assert result.data.official is True
    assert result.data.synthetic is False
    assert result.data.images == {"train": 546, "val": 78, "test": 156}
    assert [entry.support for entry in result.test.per_class] == [42, 114]
