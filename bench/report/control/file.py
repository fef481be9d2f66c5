"""``suites/control/expected.toml``: what must show, known before anything is trained."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bench.errors import InputError, nearest
from bench.specs import Strict
from bench.suite import Suite, load_suite
from bench.suite_file import Names, Seeds
from bench.toml_file import ROOT, read_toml, shown

EXPECTED = ROOT / "suites" / "control" / "expected.toml"

Text = Annotated[str, Field(min_length=1)]


class Expectation(Strict):
    """What every model of the suite must show under a control, against itself without."""

    dataset: Text
    control: Text
    shows: Literal["worse", "not worse"]
    why: Text


class Same(Strict):
    """Two sets of trainings that differ in their seeds alone."""

    dataset: Text
    first: Seeds
    second: Seeds

    @model_validator(mode="after")
    def _apart(self) -> Same:
        if set(self.first) & set(self.second):
            raise ValueError("first and second share a seed: give each to one of them")
        for name, seeds in (("first", self.first), ("second", self.second)):
            if len(set(seeds)) < len(seeds):
                raise ValueError(f"{name} lists a seed twice")
        return self


class Detectable(Strict):
    """Suites of whose records the smallest detectable effect is worked out."""

    suites: Names


class Cues(Strict):
    """The suite that trains on real data under input controls."""

    suite: Text


class ExpectedFile(Strict):
    """The file as it stands on disk."""

    about: str
    suite: Text
    expect: Annotated[list[Expectation], Field(min_length=1)]
    same: list[Same] = []
    detectable: Detectable | None = None
    cues: Cues | None = None


def load_expected(path: Path = EXPECTED) -> tuple[ExpectedFile, Suite]:
    """The file and the suite it is about.

    Raises:
        InputError: it is not valid, or names what the suite does not train.
    """
    file = read_toml(path, ExpectedFile)
    try:
        suite = load_suite(file.suite)
    except InputError as error:
        raise error.in_file(shown(path), "suite") from None
    known = {dataset.name for dataset in suite.datasets}
    for number, one in enumerate(file.expect):
        _among(one.dataset, known, "data set", path, f"expect.{number}.dataset")
        _among(one.control, suite.settings.control, "control", path, f"expect.{number}.control")
    for number, pair in enumerate(file.same):
        _among(pair.dataset, known, "data set", path, f"same.{number}.dataset")
        _trained(suite, pair, path)
    return file, suite


def _among(name: str, known: Collection[str], what: str, path: Path, key: str) -> None:
    if name not in known:
        raise InputError(
            f"the suite has no {what} {name!r}",
            remedy=nearest(name, known),
            file=shown(path),
            key=key,
        )


def _trained(suite: Suite, same: Same, path: Path) -> None:
    seeds = {c.seed for c in suite.cells if c.dataset.name == same.dataset and c.control is None}
    for seed in [*same.first, *same.second]:
        if seed not in seeds:
            raise InputError(
                f"the suite does not train {same.dataset} with seed {seed}",
                remedy=f"add it to a grid of {suite.reference}",
                file=shown(path),
                key="same",
            )
