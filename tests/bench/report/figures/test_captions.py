"""What stands beside a figure: on how many images it rests, and which bar is which interval."""

from __future__ import annotations

from pathlib import Path

import matplotlib.text
import pytest

from bench.records.store import Store
from bench.report.figures.draw import plan_figures
from bench.report.figures.style import styled
from tests.bench.report.figures.test_figures import SETS, cost_all, keep_all, make_suite

COUNTED = {
    "accuracy-and-cost": "(60 test images)",
    "ablations": "breastmnist (60 test images), retinamnist (60 test images)",
    "learning-curves": "(60 training and 60 validation images)",
    "reliability": "(60 test images)",
    "confusion": "(60 test images)",
    "roc": "(60 test images)",
}


def test_every_caption_says_on_how_many_images_it_rests(tmp_path: Path) -> None:
    store, suite = Store(tmp_path / "results"), make_suite(tmp_path)
    keep_all(store, suite)
    cost_all(store, suite)
    captions = {f.name: f.caption for f in plan_figures(suite, store.all(), store).figures}
    for kind, told in COUNTED.items():
        names = [name for name in captions if name.startswith(kind)]
        assert len(names) == (1 if kind == "ablations" else len(SETS))
        for name in names:
            assert told in captions[name], name


@pytest.mark.parametrize(
    ("seeds", "timed", "told"),
    [
        (
            (0, 1, 2),
            True,
            {
                "vertical: 95 % t interval over 3 seeds",
                "horizontal: 95 % bootstrap interval of the median",
            },
        ),
        (
            (0,),
            False,
            {"vertical: one seed: 95 % interval over test images (ACC Wilson, AUC DeLong)"},
        ),
    ],
)
def test_the_key_says_which_way_each_interval_is_drawn(
    tmp_path: Path, seeds: tuple[int, ...], timed: bool, told: set[str]
) -> None:
    store = Store(tmp_path / "results")
    suite = make_suite(tmp_path, datasets=("breastmnist",), seeds=seeds)
    keep_all(store, suite)
    if timed:
        cost_all(store, suite)
    figure = plan_figures(suite, store.all(), store).figures[0]
    with styled():
        texts = {t.get_text() for t in figure.draw().findobj(matplotlib.text.Text)}
    assert {text for text in texts if "interval" in text} == told


def test_ablations_of_one_seed_give_their_reason_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    suite = make_suite(tmp_path, datasets=("breastmnist",), seeds=(0,))
    keep_all(store, suite)
    plans = plan_figures(suite, store.all(), store)
    figure = next(one for one in plans.figures if one.name == "ablations")
    assert (
        "Without an interval: all: one pair of trainings shows no spread over seeds."
        in figure.caption
    )
    with styled():
        texts = {t.get_text() for t in figure.draw().findobj(matplotlib.text.Text)}
    assert "without an interval" in texts
    assert "mean, 95 % t interval" not in texts
