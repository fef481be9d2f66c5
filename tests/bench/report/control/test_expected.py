"""Every expectation can be held and can fail; the command's exit code says which."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import InputError
from bench.records.store import Store
from bench.report.control.expected import ALIKE, Judged
from bench.report.control.file import load_expected
from bench.report.control.page import judge
from bench.report.control.summary import control_line
from bench.staleness import Staleness
from bench.statistics.verdict import verdict_over_seeds
from bench.toml_file import ROOT
from tests.bench.conftest import Command
from tests.bench.report.control.conftest import EXPECTED, Keep


def by_what(results: Path, path: Path) -> dict[str, Judged]:
    return {one.what: one for one in judge(results, path)}


def test_what_was_planted_is_found(
    bench: Command, results: Path, expected_file: Path, keep: Keep
) -> None:
    keep()
    said = bench("control", "--file", expected_file)
    assert said.code == 0, said.out + said.err
    assert "3 of 3 expectations held." in said.out
    page = (results / "reports" / "control.md").read_text()
    assert "**3 of 3 expectations held.**" in page
    # gaps −40, −39, −40: mean −39.67, s = 0.577, t(2) = 4.303, half width 1.43
    assert "-39.7 [-41.1, -38.2]" in page
    assert by_what(results, expected_file)["shuffle-4"].found == "worse"


@pytest.mark.parametrize(
    ("changed", "what", "found"),
    [
        ({"shuffle": (89, 93, 91)}, "shuffle-4", "undecided"),  # a cue that is not seen to matter
        ({"shuffle": (50, 95, 51)}, "shuffle-4", "undecided"),  # too few seeds for such a spread
        ({"blur": (70, 72, 72)}, "blur-2", "worse"),  # a control that takes what it must leave
        ({"others": (71, 70, 72)}, "seeds 0–2 against 5–7", "better"),  # a seed that decides
    ],
)
def test_an_expectation_that_is_not_held_ends_with_1(
    bench: Command,
    results: Path,
    expected_file: Path,
    keep: Keep,
    changed: dict[str, tuple[int, ...]],
    what: str,
    found: str,
) -> None:
    keep(**changed)
    said = bench("control", "--file", expected_file)
    assert said.code == 1
    assert f"{what}: expected" in said.out
    assert f"found {found}: NOT HELD" in said.out
    assert "2 of 3 expectations held." in said.out
    judged = by_what(results, expected_file)
    assert judged[what].found == found
    assert [one.what for one in judged.values() if not one.held] == [what]
    assert "**no**" in (results / "reports" / "control.md").read_text()


def test_what_was_not_measured_has_not_held(
    bench: Command, results: Path, expected_file: Path, keep: Keep
) -> None:
    keep(shuffle=(50, 51), others=())
    said = bench("control", "--file", expected_file)
    assert said.code == 1
    judged = by_what(results, expected_file)
    assert judged["shuffle-4"].lacks == "lacking: seed 2"
    assert judged["seeds 0–2 against 5–7"].lacks == "lacking: seed 5, 6, 7"
    assert "not measured (lacking: seed 2)" in (results / "reports" / "control.md").read_text()


def test_one_seed_decides_nothing_and_says_why(
    bench: Command, results: Path, expected_file: Path, keep: Keep, suite_text: Path
) -> None:
    keep(none=(90,), blur=(91,), shuffle=(50,), others=(91,))
    said = bench("control", "--file", expected_file)
    assert said.code == 1
    judged = by_what(results, expected_file)
    assert judged["shuffle-4"].found == "undecided"
    page = (results / "reports" / "control.md").read_text()
    assert "-40.0 (one pair of trainings shows no spread over seeds)" in page


def test_other_pages_open_with_what_held() -> None:
    records = Store(ROOT / "results").readable()[0]
    assert "was not tried" in control_line([])
    assert "10 of 10 expectations" in control_line(records)
    lost = [r for r in records if "phantom-local · blur" not in r.spec.label]
    assert "8 of 10" in control_line(lost)
    assert "with care" in control_line(lost)
    old = [
        r.model_copy(
            update={"provenance": r.provenance.model_copy(update={"source_digest": "0" * 16})}
        )
        for r in records
    ]
    assert "80 of its records were made by code that has changed" in control_line(old)
    assert "changed since" not in control_line(records, Staleness.load(ROOT / "results"))


@pytest.fixture
def suite_text(tmp_path: Path, expected_file: Path) -> Path:
    """The suite and its expectations cut to one seed each."""
    path = tmp_path / "made.toml"
    text = path.read_text().replace("seeds = [0, 1, 2]", "seeds = [0]")
    path.write_text(text.replace("seeds = [5, 6, 7]", "seeds = [5]"))
    text = expected_file.read_text().replace("first = [0, 1, 2]", "first = [0]")
    expected_file.write_text(text.replace("second = [5, 6, 7]", "second = [5]"))
    return path


def test_holm_is_over_all_of_the_page(results: Path, expected_file: Path, keep: Keep) -> None:
    """A difference that one test alone would show is undecided among three."""
    keep(shuffle=(88, 91, 89), blur=(90, 93, 91), others=(91, 90, 92))
    one = by_what(results, expected_file)["shuffle-4"]
    assert one.verdict is not None
    low, high = one.verdict.difference.low, one.verdict.difference.high
    assert low is not None
    assert high is not None
    assert high < 0  # by its own interval
    assert one.verdict.p is not None
    assert one.verdict.p > 0.05
    assert not one.held


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('shows = "worse"', 'shows = "worst"', "expect.0.shows"),
        ('why = "because"', 'why = "because"\nwhen = "now"', "when: unknown key"),
        ('control = "soft"', 'control = "sofd"', "no control 'sofd'; did you mean 'soft'"),
        ("phantom-global", "phantom-globl", "did you mean 'phantom-global'"),
        ("second = [5, 6, 7]", "second = [2, 6, 7]", "share a seed"),
        ("second = [5, 6, 7]", "second = [5, 6, 8]", "with seed 8"),
        ('suite = "', 'suite = "no/', "suite: no such file"),
        ("[[same]]", '[cues]\nsuite = "cuez"\n\n[[same]]', "did you mean 'cues'"),
    ],
)
def test_what_is_wrong_is_one_line(
    bench: Command, results: Path, expected_file: Path, old: str, new: str, message: str
) -> None:
    assert old in EXPECTED
    expected_file.write_text(expected_file.read_text().replace(old, new, 1))
    said = bench("control", "--file", expected_file)
    assert said.code == 2
    assert message in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert not (results / "reports").exists()


def test_the_expectations_of_the_checkout_are_valid() -> None:
    file, suite = load_expected()
    assert {one.shows for one in file.expect} == {"worse", "not worse"}
    for one in file.expect:
        label = suite.settings.control[one.control].label
        for model in suite.models:
            seeds = {
                cell.seed
                for cell in suite.cells
                if cell.model == model
                and cell.dataset.name == one.dataset
                and cell.control is not None
                and cell.control.label == label
            }
            assert len(seeds) >= 5


def test_an_expectation_of_no_suite_is_named(tmp_path: Path) -> None:
    path = tmp_path / "e.toml"
    path.write_text('about = "x"\nsuite = "contrl"\n[[expect]]\n' + EXPECTED.split("[[expect]]")[1])
    with pytest.raises(InputError, match=r"e\.toml: suite: no suite is called 'contrl'"):
        load_expected(path)


@pytest.mark.parametrize(
    ("expected", "gap", "seeds", "held"),
    [
        ("not worse", -0.5, 3, False),  # every seed collapsed alike
        ("not worse", 0.0, 3, True),
        ("not worse", 0.0, 1, False),
        ("worse", -0.5, 3, False),  # without a test nothing is shown
        (ALIKE, 0.3, 3, False),
        (ALIKE, 0.0, 3, True),
    ],
)
def test_what_was_not_tested_holds_only_where_nothing_differs(
    expected: str, gap: float, seeds: int, held: bool
) -> None:
    second = dict.fromkeys(range(seeds), 0.5)
    first = dict.fromkeys(range(seeds), 0.5 + gap)
    verdict = verdict_over_seeds(first, second)
    assert verdict.p is None
    assert Judged("d", "m", "w", expected, first, second, verdict).held is held
