"""The sequential test's two errors by simulation, its power, and what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.regress.file import GATE, GateFile
from bench.statistics.sequential import Decision, levels, look_at, spent
from bench.toml_file import read_toml

LOOKS, ALPHA, MARGIN = [3, 5, 8, 12], 0.05, 0.02
WORLDS = 2000


def decide(gaps: list[float]) -> Decision:
    decision: Decision = "undecided"
    for pairs, level in zip(LOOKS, levels(ALPHA, LOOKS), strict=True):
        decision = look_at(gaps[:pairs], margin=MARGIN, level=level).decision
        if decision != "undecided":
            break
    return decision


def shares(truth: float, spread: float) -> dict[Decision, float]:
    rng = np.random.default_rng(7)
    worlds = rng.normal(truth, spread, size=(WORLDS, LOOKS[-1])).tolist()
    found = [decide(gaps) for gaps in worlds]
    kinds: tuple[Decision, ...] = ("not inferior", "inferior", "undecided")
    return {kind: found.count(kind) / WORLDS for kind in kinds}


@pytest.mark.parametrize("spread", [0.005, 0.02, 0.08])
def test_equal_models_are_called_inferior_at_most_as_often_as_alpha(spread: float) -> None:
    within = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / WORLDS)
    assert shares(0.0, spread)["inferior"] <= within


@pytest.mark.parametrize("spread", [0.005, 0.02, 0.08])
def test_a_model_worse_by_the_margin_passes_at_most_as_often_as_alpha(spread: float) -> None:
    within = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / WORLDS)
    assert shares(-MARGIN, spread)["not inferior"] <= within


def test_with_little_spread_both_are_told_almost_always() -> None:
    assert shares(0.0, 0.01)["not inferior"] > 0.9
    assert shares(-2 * MARGIN, 0.01)["inferior"] > 0.9


def test_levels_are_the_increments_of_the_spending_function() -> None:
    found = levels(ALPHA, LOOKS)
    assert sum(found) == pytest.approx(ALPHA)
    assert found[0] == pytest.approx(spent(ALPHA, 3 / 12))
    assert spent(ALPHA, 1) == pytest.approx(ALPHA)
    assert all(level > 0 for level in found)


def test_looking_without_spending_would_err_more_often() -> None:
    """The test above can fail: α at every look is what it would catch."""
    rng = np.random.default_rng(7)
    worlds = rng.normal(-MARGIN, 0.02, size=(WORLDS, LOOKS[-1]))
    naive = sum(
        any(
            look_at(gaps[:n].tolist(), margin=MARGIN, level=ALPHA).decision == "not inferior"
            for n in LOOKS
        )
        for gaps in worlds
    )
    assert naive / WORLDS > 0.08


def test_pairs_without_spread_are_decided_by_their_mean() -> None:
    assert look_at([0.0, 0.0], margin=MARGIN, level=0.01).decision == "not inferior"
    assert look_at([-0.03, -0.03], margin=MARGIN, level=0.01).decision == "inferior"


def test_what_cannot_be_looked_at_is_refused() -> None:
    with pytest.raises(ValueError, match="2 pairs"):
        look_at([0.1], margin=MARGIN, level=0.01)
    with pytest.raises(ValueError, match="margin"):
        look_at([0.1, 0.2], margin=0.0, level=0.01)
    for looks in ([], [1, 2], [3, 3], [5, 3]):
        with pytest.raises(ValueError, match="looks must grow"):
            levels(ALPHA, looks)


def test_the_gates_own_file_shares_alpha_over_its_cells() -> None:
    accuracy = read_toml(GATE, GateFile).accuracy
    assert accuracy is not None
    assert accuracy.alpha_of_cell * len(accuracy.cell) == pytest.approx(accuracy.alpha)
