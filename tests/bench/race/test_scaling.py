"""Exponents of time against pixels: right on planted costs; a size may fail alone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bench.measure.timing import Step
from bench.race import scaling
from bench.race.file import Contender, Race, Scaling, load_races
from bench.race.measuring import measure_file
from bench.race.record import ScalingResult
from bench.report.races import race_page
from tests.bench.race.test_race_file import VALID

pytestmark = pytest.mark.alone

TEXT = (
    VALID.replace("seconds_per_contender = 0.05", "seconds_per_contender = 1.0")
    + """
[[scaling]]
name = "growth"
batch_size = 1
spans = [[32, 64], [64, 128]]
contenders = [
    { model = "linear", exponent_at_most = 1.2 },
    { model = "quadratic", exponent_at_most = 1.2 },
    { model = "breaking" },
]
"""
)


def planted(contender: Contender, race: Race, form: str, device: str) -> Step:
    """A pass that sleeps as its name says, and one model that fails at the largest size."""
    pixels = (race.image_size / 32) ** 2
    if contender.model == "breaking" and race.image_size == 128:
        raise MemoryError("no room")
    power = 2 if contender.model == "quadratic" else 1
    return lambda: time.sleep(0.002 * pixels**power)


@pytest.fixture
def result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScalingResult:
    monkeypatch.setattr(scaling, "model_step", planted)
    (tmp_path / "growth.toml").write_text(TEXT)
    _, file = load_races(str(tmp_path / "growth.toml"))
    return scaling.run_scaling(file.scaling[0], file, lambda doing, done: None)


def test_planted_exponents_are_found_and_judged(result: ScalingResult) -> None:
    found = {(e.label, e.small): e for e in result.exponents}
    for span in (32, 64):
        assert found["linear", span].exponent == pytest.approx(1.0, abs=0.15)
        assert found["linear", span].verdict == "reached"
        assert found["quadratic", span].exponent == pytest.approx(2.0, abs=0.15)
        assert found["quadratic", span].verdict == "missed"
        assert found["linear", span].low <= found["linear", span].exponent


def test_a_size_that_fails_leaves_the_others(result: ScalingResult) -> None:
    breaking = result.contenders[2]
    assert breaking.failures == {"128": "no room"}
    assert {(e.small, e.large) for e in result.exponents if e.label == "breaking"} == {(32, 64)}


def test_scaling_is_recorded_and_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "model_step", planted)
    monkeypatch.setattr("bench.race.contenders.check", lambda contenders: None)
    (tmp_path / "growth.toml").write_text(TEXT)
    name, file = load_races(str(tmp_path / "growth.toml"))
    record = measure_file(name, file, tmp_path, lambda doing, done: None)
    page = race_page([record])
    assert record.missed
    assert "32 → 64" in page
    assert "128: no room" in page


def test_spans_must_grow() -> None:
    with pytest.raises(ValueError, match="64 px is not below 32 px"):
        Scaling(name="s", batch_size=1, spans=[[64, 32]], contenders=[Contender(model="m")])
