"""The simulations, small: the same file gives the same rates, and a bad method is caught."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.digested import HARNESS
from bench.errors import InputError
from bench.report.simulations import (
    ABSENT,
    method_rows,
    missed,
    passed,
    rate_rows,
    simulations_page,
    write_simulations_page,
)
from bench.simulate import methods as names
from bench.simulate.file import SIMULATIONS, AnalysisLoad, Limits, SimulationFile
from bench.simulate.jobs import chunks
from bench.simulate.methods import OURS, Methods
from bench.simulate.practice import seed_bootstrap
from bench.simulate.rates import Key, Rate, Tally, held
from bench.simulate.record import NAME, AnalysisCost, SimulationRecord, load
from bench.simulate.trial import measured, simulate
from bench.statistics.intervals import IntervalEstimate
from bench.statistics.over_seeds_and_images import mean_over_seeds_and_images
from bench.toml_file import ROOT, read_toml

WHOLE = read_toml(SIMULATIONS, SimulationFile)
COST = AnalysisCost(runs=6, comparisons=4, wall_s=3.0, peak_bytes=10**9, predictions_bytes=10**8)


def small(**repeats: int) -> SimulationFile:
    """The file with one world, one test size, 3 and 5 seeds, and these repeats, else few."""
    parts: dict[str, Any] = {"seeds": [3, 5]}
    for name in ("coverage", "auc", "same", "family", "difference", "practice"):
        part = getattr(WHOLE, name)
        update: dict[str, Any] = {
            "worlds": part.worlds[:1],
            "images": [156],
            "repeats": repeats.get(name, 2),
        }
        if hasattr(part, "draws"):
            update["draws"] = 200
        if name == "family":
            update["comparisons"] = [9]
        parts[name] = part.model_copy(update=update)
    parts["limits"] = WHOLE.limits.model_copy(update={"coverage_errors": 3.0})  # few repeats
    return WHOLE.model_copy(update=parts)


def quiet(doing: str, done: float) -> None:
    assert doing
    assert 0 <= done <= 1


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> tuple[SimulationRecord, Path]:
    results = tmp_path_factory.mktemp("results")
    return simulate(small(), results, quiet, lambda load: COST), results


def test_the_record_is_kept_and_drawn(tried: tuple[SimulationRecord, Path]) -> None:
    record, results = tried
    assert load(results) == record
    assert not record.stale
    assert record.analysis == COST
    text = write_simulations_page(results).read_text()
    assert text == simulations_page(record)
    methods = {rate.method for rate in record.rates}
    every = {value for name, value in vars(names).items() if name.isupper() and name != "OURS"}
    assert methods == every
    for method in every:
        assert method in text


def test_the_same_file_gives_the_same_rates_and_another_seed_others() -> None:
    file = small(same=40)
    rates = measured(file, quiet)
    assert measured(file, quiet) == rates
    assert measured(file.model_copy(update={"seed": 1}), quiet) != rates


def narrow(values: np.ndarray[Any, Any], share: bool = False) -> IntervalEstimate:
    found = mean_over_seeds_and_images(values, share=share)
    assert found.value is not None
    assert found.low is not None
    half = (found.value - found.low) / 3
    return replace(found, low=found.value - half, high=found.value + half)


def without_holm(verdicts: list[Any], advise: bool) -> list[Any]:
    return verdicts


@pytest.mark.parametrize(
    ("planted", "caught"),
    [
        (OURS, set()),
        (replace(OURS, both=narrow), {names.BOTH, names.BOTH_DIFFERENCE}),
        (replace(OURS, family=without_holm), {names.FAMILY}),
    ],
)
def test_a_planted_bad_method_is_caught(planted: Methods, caught: set[str]) -> None:
    file = small(coverage=150, family=60)
    rates = measured(file, quiet, planted)
    bad = {rate.method for rate in rates if held(rate, file.limits) is False}
    assert bad == caught


LIMITS = Limits(
    coverage=[0.93, 0.97], false_at_most=0.05, power_within=0.03, errors=3.0, coverage_errors=2.0
)


def rate(kind: Any, times: int, of: int = 1000, predicted: float | None = None) -> Rate:
    return Rate(
        kind=kind,
        method=names.BOTH,
        world="breast",
        images=156,
        seeds=3,
        setting="0.01" if kind in ("power", "equivalent") else "",
        times=times,
        of=of,
        predicted=predicted,
    )


@pytest.mark.parametrize(
    ("found", "right"),
    [
        (rate("coverage", 950), True),
        (rate("coverage", 900), False),
        (rate("coverage", 915), True),  # below by less than two of its errors
        (rate("coverage", 910), False),
        (rate("coverage", 999), False),  # wider than it says
        (rate("coverage", 0, 0), None),
        (rate("difference", 0), True),
        (rate("difference", 70), True),
        (rate("difference", 80), False),
        (rate("equivalent", 80), False),
        (rate("power", 500, predicted=0.52), True),
        (rate("power", 500, predicted=0.7), False),
        (rate("practice", 900), None),
    ],
)
def test_a_rate_is_judged_with_its_own_error(found: Rate, right: bool | None) -> None:
    assert held(found, LIMITS) is right


def test_a_rate_without_events_still_has_an_error() -> None:
    none, all_ = rate("difference", 0), rate("difference", 1000)
    assert none.error == pytest.approx(all_.error)
    assert 0.001 < none.error < 0.002
    assert rate("difference", 500).error == pytest.approx(np.sqrt(0.25 / 1000), rel=0.01)


def test_a_missed_limit_is_named_and_fails(tried: tuple[SimulationRecord, Path]) -> None:
    record = tried[0].model_copy(update={"rates": [rate("coverage", 950)]})
    assert passed(record)
    assert "No limit is missed" in simulations_page(record)
    bad = record.model_copy(update={"rates": [rate("coverage", 950), rate("coverage", 800)]})
    assert [found.times for found in missed(bad)] == [800]
    assert not passed(bad)
    assert "**80.0 ± 1.3**" in simulations_page(bad)
    assert method_rows(bad)[0]["verdict"] == "**missed**"
    for change in ({"wall_s": 121.0}, {"peak_bytes": 2**31 + 1}):
        assert not passed(record.model_copy(update={"analysis": COST.model_copy(update=change)}))
    near = record.model_copy(update={"rates": [rate("coverage", 925)]})
    assert passed(near)
    assert "Beyond the limits of coverage" in simulations_page(near)
    assert "- " + names.BOTH + ": 92.5" in simulations_page(near)
    blank = record.model_copy(update={"rates": [rate("coverage", 0, 0)]})
    assert rate_rows(blank, ("coverage",))[0]["156 images"] == "no answer"


def test_an_interval_without_bounds_is_a_blank_not_a_miss() -> None:
    tally, key = Tally(), Key("coverage", names.BOTH, "w", 9, 3)
    tally.covered(key, IntervalEstimate(0.5, None, None, "seeds", "why"), 0.5)
    tally.covered(key, IntervalEstimate(0.5, 0.4, 0.6, "seeds"), 0.6)
    tally.covered(key, IntervalEstimate(0.5, 0.4, 0.6, "seeds"), 0.7)
    found = tally.rate(key)
    assert (found.times, found.of, found.blank) == (1, 2, 1)


def test_the_bootstrap_over_seeds_is_that_of_all_resamples() -> None:
    scores = np.array([[0.0, 1.0, 4.0]])
    low, high = seed_bootstrap(scores, 4000, np.random.default_rng(0))
    # of 27 resamples one has mean 0 and one 4, each 3.7 %: more than 2.5 %
    assert (low[0], high[0]) == pytest.approx((0.0, 4.0), abs=1e-9)


@pytest.mark.parametrize(
    ("repeats", "values"), [(7, 10), (250, 10), (5, 50_000_000), (9, 5_000_000)]
)
def test_portions_are_whole_and_small(repeats: int, values: int) -> None:
    parts = list(chunks(repeats, values))
    assert sum(parts) == repeats
    assert all(part >= 1 and (part == 1 or part * values <= 12_000_000) for part in parts)


TEXT = SIMULATIONS.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed = 0\n", "seeed = 0\n", "seeed: unknown key"),
        ("between_seeds = 0.10", "between_seed = 0.10", "between_seed: unknown key"),
        (
            "repeats = 1000",
            "repeats = 0",
            "practice.repeats: input should be greater than or equal",
        ),
        ("class_shares = [0.27, 0.73]", "class_shares = [0.3, 0.73]", "must sum to 1"),
        ("class_shares = [0.27, 0.73]", "class_shares = [1.0]", "must be equally long"),
        ("between_models = 0.14", "between_models = 0.9", "unrelated decisions would give"),
        ("between_models = 0.61", "between_models = 0.9", "they are correlations"),
        ('worlds = ["breast", "unsteady"]', 'worlds = ["bresat"]', r"no \[world.bresat\]"),
        ("coverage = [0.93, 0.97]", "coverage = [0.93]", "limits.coverage"),
    ],
)
def test_an_error_in_the_file_is_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in TEXT
    path = tmp_path / "simulations.toml"
    path.write_text(TEXT.replace(old, new, 1))
    with pytest.raises(InputError, match=said) as caught:
        read_toml(path, SimulationFile)
    assert "\n" not in str(caught.value)


def test_a_world_that_cannot_be_is_named() -> None:
    breast = WHOLE.world["breast"].model_copy(update={"seed_sd": 0.3})
    file = WHOLE.model_copy(update={"world": WHOLE.world | {"breast": breast}})
    with pytest.raises(InputError, match=r"simulations\.toml: world\.breast\.seed_sd: trainings"):
        measured(file, quiet)


def test_no_record_and_a_damaged_one(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    assert simulations_page(None) == ABSENT
    (tmp_path / NAME).write_text('{"rates": 1}')
    with pytest.raises(InputError, match="damaged record"):
        load(tmp_path)


def test_the_page_of_the_checkout_is_that_of_its_record() -> None:
    page = (ROOT / "reports" / "statistics.md").read_text(encoding="utf-8")
    assert page == simulations_page(load(ROOT / "results")), "python -m bench simulate --draw"


def test_the_load_of_the_analysis_is_asked_for(tmp_path: Path) -> None:
    asked: list[AnalysisLoad] = []

    def timed(load: AnalysisLoad) -> AnalysisCost:
        asked.append(load)
        return COST

    simulate(small(), tmp_path, quiet, timed)
    assert asked == [WHOLE.analysis]


def imported(path: Path) -> set[str]:
    """The files of ``bench/statistics`` that a module names."""
    found = re.findall(r"from (bench\.statistics\.\w+) import", path.read_text(encoding="utf-8"))
    return {f"{name.replace('.', '/')}.py" for name in found}


def test_the_digest_holds_every_statistic_that_is_tried() -> None:
    used: set[str] = set()
    waiting = set().union(*map(imported, (ROOT / "bench" / "simulate").glob("*.py")))
    while waiting:
        used |= waiting
        waiting = set().union(*(imported(ROOT / name) for name in waiting)) - used
    assert used == {name for name in HARNESS["simulations"] if name != "bench/simulate"}
