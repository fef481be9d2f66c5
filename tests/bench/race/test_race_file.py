"""Files of races: what is refused before anything is timed, and what lies in the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import InputError
from bench.race.file import known_races, load_races

VALID = """
about = "tiny"
threads = 1
rounds = 8
seconds_per_contender = 0.05

[[race]]
name = "one"
task = "inference"
image_size = 32
batch_size = 2
subject = { model = "test_medspectralnet" }
rivals = [{ model = "test_medmamba", at_least = 0.001 }]
"""


@pytest.mark.parametrize("name", known_races())
def test_the_files_of_the_checkout_are_valid(name: str) -> None:
    _, file = load_races(name)
    floors = [rival.at_least for race in file.race for rival in race.rivals]
    floors += [race.at_least for race in file.race]
    floors += [c.exponent_at_most for scaling in file.scaling for c in scaling.contenders]
    assert any(floor is not None for floor in floors)
    assert all(rival.label for race in file.race for rival in race.rivals)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('task = "inference"', 'task = "sleep"', "race.0.task"),
        ("rounds = 8", "rounds = 7", "rounds"),
        ("batch_size = 2", "batch_size = 0", "batch_size"),
        ("threads = 1", "threads = 1\nspeed = 3", "speed"),
        ('model = "test_medmamba"', 'model = "test_medspectralnet"', "stands twice in race 'one'"),
        ('model = "test_medmamba"', 'scan = "c"', "needs a model for every contender"),
        ('task = "inference"', 'task = "scan"', "takes forms of the scan, not models"),
        ("rivals = [", "rivals = []\nwas = [", "rivals"),
        ("about", "[[race]]\nabout", "about"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(VALID.replace(old, new))
    with pytest.raises(InputError) as refused:
        load_races(str(path))
    assert message in str(refused.value) or "was" in str(refused.value)
    assert "bad.toml" in str(refused.value)


def test_a_name_given_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.toml"
    path.write_text(VALID + VALID[VALID.index("[[race]]") :])
    with pytest.raises(InputError, match="the name 'one' is given twice"):
        load_races(str(path))


def test_an_own_file_never_replaces_a_record_of_the_projects(tmp_path: Path) -> None:
    path = tmp_path / "medmamba.toml"
    path.write_text(VALID)
    with pytest.raises(InputError, match=r"project's races 'medmamba'; rename the file"):
        load_races(str(path))


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(InputError, match="no races 'medmanba'; did you mean 'medmamba'"):
        load_races("medmanba")
