"""The time of a call is given to steps: never more than there is, and never less than a least."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import InputError
from bench.gpu.budget import limit_s
from bench.gpu.file import FOLDER, REHEARSAL, STEPS, GpuFile, Step, load_steps
from bench.race.file import load_races
from bench.suite import load_suite
from bench.toml_file import read_toml


def step(name: str = "a", share: float = 1.0, least_s: float = 1.0) -> Step:
    return Step(name=name, about="", command="run", share=share, least_s=least_s)


STEPS_DRAWN = st.lists(
    st.builds(step, share=st.floats(0.01, 100), least_s=st.floats(1, 300)), min_size=1, max_size=12
)


@given(steps=STEPS_DRAWN, left_s=st.floats(0, 3600))
def test_steps_that_use_all_of_their_time_never_use_more_than_there_is(
    steps: list[Step], left_s: float
) -> None:
    given_s = 0.0
    for number, one in enumerate(steps):
        limit = limit_s(steps[number:], left_s - given_s)
        if limit is None:
            assert left_s - given_s < one.least_s
        else:
            assert limit >= one.least_s
            given_s += limit
    assert given_s <= left_s * (1 + 1e-9)


@given(steps=STEPS_DRAWN, left_s=st.floats(1, 3600))
def test_the_last_step_gets_all_that_is_left(steps: list[Step], left_s: float) -> None:
    limit = limit_s(steps[-1:], left_s)
    if left_s < steps[-1].least_s:
        assert limit is None
    else:
        assert limit == pytest.approx(left_s)


@given(steps=STEPS_DRAWN, left_s=st.floats(0, 3600), more_s=st.floats(0, 600))
def test_time_that_was_not_used_goes_to_the_later_ones(
    steps: list[Step], left_s: float, more_s: float
) -> None:
    less, more = limit_s(steps, left_s), limit_s(steps, left_s + more_s)
    assert (more or 0.0) >= (less or 0.0)


def test_shares_are_those_of_the_steps_that_still_wait() -> None:
    steps = [step("a", 1), step("b", 2), step("c", 1)]
    assert limit_s(steps, 100.0) == 25.0
    assert limit_s(steps[1:], 90.0) == pytest.approx(60.0)  # a took 10 of its 25
    assert limit_s(steps[2:], 30.0) == 30.0


@pytest.mark.parametrize("path", [STEPS, REHEARSAL], ids=lambda path: path.stem)
def test_what_the_steps_name_is_there(path: object) -> None:
    file = load_steps(path)  # type: ignore[arg-type]
    for one in file.step:
        if one.command == "race":
            load_races(one.arguments[0])
        elif one.command in ("run", "measure"):
            suite = load_suite(one.arguments[0])
            wanted = (
                one.arguments[one.arguments.index("--only") + 1]
                if "--only" in one.arguments
                else ""
            )
            named = {part.removeprefix("model=") for part in wanted.split(",") if part}
            assert named <= {model.name for model in suite.cost_models}


def test_the_runs_of_a_gpu_go_by_value_and_are_measured_on_a_gpu_alone() -> None:
    for name in ("gpu-64", "gpu-224", "gpu-roster-224"):
        assert load_suite(name).settings.device == "cuda"
    cells = load_suite("gpu-64").cells
    first = {cell.model.name for cell in cells[:18]}
    assert first == {"medspectralnet", "medmamba_tiny", "resnet18"}
    assert {cell.seed for cell in cells[:18]} == {0, 1, 2}
    large = [cell.dataset.name == "pneumoniamnist" for cell in cells]
    assert large == sorted(large)  # most images, last
    assert any(large)


def test_runs_at_224_px_are_the_paper_suites_own_where_the_data_are() -> None:
    def keys(name: str) -> set[str]:
        from bench.suite import run_spec

        suite = load_suite(name)
        wanted = ("breastmnist", "pneumoniamnist")
        return {run_spec(suite, c).cell_key for c in suite.cells if c.dataset.name in wanted}

    assert keys("gpu-224") <= keys("paper")


def test_a_file_of_steps_is_refused_by_name(tmp_path: object) -> None:
    text = (FOLDER / "steps.toml").read_text()
    bad = {
        "unknown key": text.replace("share = 8", "shares = 8", 1),
        "given twice": text.replace('"race-scan"', '"kernels"'),
        "command": text.replace('command = "kernels"', 'command = "rm"'),
    }
    for what, content in bad.items():
        path = tmp_path / "steps.toml"  # type: ignore[operator]
        path.write_text(content)
        with pytest.raises(InputError, match=what):
            read_toml(path, GpuFile)
