"""Suites: what they expand to, and the one clear error for each way to get one wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import InputError
from bench.statistics.verdict import REGION
from bench.suite import load_suite, run_spec, suite_names

GOOD = """
about = "a suite"
protocol = "quick"
source_size = 28
image_size = 32
threads = 2

[[grid]]
models = ["resnet18", "mine"]
datasets = ["phantom-joint"]
seeds = [0, 1]

[[grid]]
models = ["resnet18"]
datasets = ["phantom-joint"]
seeds = [0]
controls = ["soft"]

[control.soft]
kind = "blur"
sigma = 2.0

[model.mine]
timm = "resnet18"
args = { stem_width = 16 }

[cost]
num_classes = 4
batch_size = 8
seconds_per_model = 1.0
"""


def write(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


def refused(folder: Path, old: str, new: str) -> str:
    """The error of the good suite with one thing changed."""
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        load_suite(write(folder, GOOD.replace(old, new, 1)))
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_suite_expands_to_every_combination_in_order(tmp_path: Path) -> None:
    suite = load_suite(write(tmp_path, GOOD))
    found = [(c.model.name, c.seed, c.control.label if c.control else None) for c in suite.cells]
    assert found == [
        ("resnet18", 0, None),
        ("resnet18", 1, None),
        ("mine", 0, None),
        ("mine", 1, None),
        ("resnet18", 0, "blur-2"),
    ]
    assert suite.cells[2].model.args == {"stem_width": 16}
    assert suite.seeds == [0, 1]
    assert suite.name == "mine"


def test_only_picks_cells_and_refuses_names_that_are_not_there(tmp_path: Path) -> None:
    suite = load_suite(write(tmp_path, GOOD))
    assert len(suite.only({})) == 5
    assert len(suite.only({"model": {"mine"}, "seed": {"1"}})) == 1
    assert len(suite.only({"control": {"blur-2"}})) == 1
    with pytest.raises(InputError, match="did you mean 'resnet18'"):
        suite.only({"model": {"resnet19"}})


def test_own_data_paths_are_relative_to_the_suite_file(tmp_path: Path) -> None:
    text = GOOD.replace("phantom-joint", "scans") + '\n[dataset.scans]\npath = "images"\n'
    suite = load_suite(write(tmp_path, text))
    assert suite.datasets[0].path == str(tmp_path / "images")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("image_size = 32", "image_sise = 32", "did you mean 'image_size'?"),
        (
            "image_size = 32",
            "image_size = -1",
            "image_size: input should be greater than or equal to 8, not -1",
        ),
        ("image_size = 32", 'image_size = "32"', "image_size: Input should be a valid integer"),
        ("seeds = [0, 1]", "seeds = []", "grid.0.seeds: List should have at least 1 item"),
        ("seeds = [0, 1]", "seeds = [0, 0]", "is listed 2 times"),
        ("sigma = 2.0", "sgima = 2.0", "did you mean 'sigma'?"),
        ("sigma = 2.0", "", "control.soft: control 'blur' needs sigma"),
        ('controls = ["soft"]', 'controls = ["soft", "sfot"]', "no control is called 'sfot'"),
        ('controls = ["soft"]', 'controls = ["soft", "none"]', "is listed 2 times"),
        ('"mine"', '"other"', "model.mine: no grid uses it"),
        ('protocol = "quick"', 'protocol = "quik"', "did you mean 'quick'?"),
        ("[cost]", "[costs]", "did you mean 'cost'?"),
        ("about = ", "about : ", "not valid TOML"),
        ('timm = "resnet18"', 'timm = "resnet18"\nfactory = "a:b"', "either timm or factory"),
        (
            "[cost]",
            '[statistics]\nsubject = "resnet19"\n[cost]',
            "statistics.subject: no grid trains 'resnet19'; did you mean 'resnet18'?",
        ),
        (
            "[cost]",
            "[statistics]\nregion = 0.3\n[cost]",
            "statistics.region: input should be less than or equal to 0.2, not 0.3",
        ),
        ("[cost]", "[statistics]\nregion = -0.1\n[cost]", "greater than or equal to 0, not -0.1"),
        ("[cost]", "[statistics]\nregion = nan\n[cost]", "statistics.region: "),
        ("[cost]", '[statistics]\nregion = "half"\n[cost]', "statistics.region: "),
        ("[cost]", "[statistics]\nregoin = 0.1\n[cost]", "did you mean 'region'?"),
    ],
)
def test_each_mistake_is_one_line_that_names_file_and_key(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    message = refused(tmp_path, old, new)
    assert expected in message
    assert "mine.toml" in message
    assert "\n" not in message


def test_what_is_compared_changes_no_run(tmp_path: Path) -> None:
    plain = load_suite(write(tmp_path, GOOD))
    told = '[statistics]\nsubject = "mine"\nregion = 0.02\n[cost]'
    other = load_suite(write(tmp_path, GOOD.replace("[cost]", told)))
    assert other.settings.statistics.region == 0.02
    assert other.settings.subject == "mine"
    assert plain.settings.subject is None  # the suite does not train the usual one
    ids = [[run_spec(suite, cell).id for cell in suite.cells] for suite in (plain, other)]
    assert ids[0] == ids[1]


def test_the_usual_subject_and_region() -> None:
    settings = load_suite("breast").settings
    assert settings.subject == "medspectralnet"
    assert settings.statistics.region == REGION
    assert load_suite("roster-224").settings.subject is None


def test_negative_epochs_name_the_protocol_file(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(
        'about = "a"\nsource = "s"\nepochs = -3\nbatch_size = 8\nselect = "auc"\n'
        '[optimizer]\nname = "adam"\nlr = 1e-3\n'
    )
    path = write(tmp_path, GOOD.replace('"quick"', '"bad.toml"'))
    with pytest.raises(
        InputError, match=r"bad\.toml: epochs: input should be greater than or equal to 1, not -3"
    ):
        load_suite(path)


def test_an_unknown_suite_suggests_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'quick'"):
        load_suite("quik")
    with pytest.raises(InputError, match=r"nowhere/x\.toml: no such file"):
        load_suite("nowhere/x.toml")


@pytest.mark.parametrize("name", suite_names())
def test_every_suite_of_the_project_loads(name: str) -> None:
    suite = load_suite(name)
    assert suite.cells or suite.settings.cost.models
    assert suite.cost_models
